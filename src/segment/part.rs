//! What was summed of some segments of a plan, as a value: it can be saved, sent, merged with others in any order, and made into a
//! product by whoever has all.

use std::collections::BTreeSet;
use std::ops::Range;

use serde::{Deserialize, Serialize};

use crate::base::error::MergeError;
use crate::base::sums::{PartialSums, Sums};
use crate::data::{DeviceRecord, EventBalance};

/// The form in which parts are written.
const VERSION: u32 = 1;
/// The definition of the sums: a change of rules that changes values has another number.
const DEFINITION: u32 = 2;

/// The sums of some segments of a plan. Serialised, numbers keep all bits.
#[must_use]
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct PlanPart {
    version: u32,
    definition: u32,
    plan: PlanFingerprint,
    nodes: Vec<PartNode>,
    photons: EventBalance,
    devices: BTreeSet<DeviceName>,
}

/// What tells a plan from others: what is computed, of which inputs.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct PlanFingerprint {
    /// Segments of the whole plan, and of a run.
    pub(crate) segments: u64,
    pub(crate) run_length: u64,
    /// Values of the power of a run.
    pub(crate) values: usize,
    /// Runs are kept, not added up.
    pub(crate) apart: bool,
    /// All else that makes the sums, by name.
    pub(crate) fields: Vec<(String, String)>,
}

/// A node of the tree of sums.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
struct PartNode {
    level: u32,
    index: u64,
    sums: Sums,
}

/// The fields of a [`DeviceRecord`]: backend, adapter, precision.
type DeviceName = (String, String, String);

impl PlanPart {
    /// What was summed of a plan: the sums of whole runs, what became of the photons in the rows that were read for them, and the device.
    pub(crate) fn new(
        plan: PlanFingerprint,
        sums: &PartialSums,
        photons: EventBalance,
        device: DeviceRecord,
    ) -> PlanPart {
        let nodes = nodes(sums);
        let devices = BTreeSet::from([(device.backend, device.adapter, device.precision)]);
        PlanPart { version: VERSION, definition: DEFINITION, plan, nodes, photons, devices }
    }

    /// Adds a part of other segments of the same plan. Any order and nesting of merges gives the same bits.
    ///
    /// # Errors
    /// The parts are of other plans, definitions or versions, or have segments in common; this part is left as it was.
    pub fn merge(&mut self, other: PlanPart) -> Result<(), MergeError> {
        self.check()?;
        other.check()?;
        self.plan.check(&other.plan)?;
        let (mut sums, others) = (self.forest()?, other.forest()?);
        if let Some(runs) = sums.overlap(&others) {
            return Err(MergeError::Overlap { segments: self.plan.segments_of(runs) });
        }
        let [ours, theirs] = [&self.nodes, &other.nodes].map(|nodes| shape(nodes));
        if ours.zip(theirs).is_some_and(|(ours, theirs)| ours != theirs) {
            return Err(MergeError::Malformed);
        }
        sums.merge(others);
        self.nodes = nodes(&sums);
        self.photons.add(&other.photons);
        self.devices.extend(other.devices);
        Ok(())
    }

    /// Absolute indices of the segments that are summed, in stretches.
    ///
    /// # Errors
    /// The part is malformed.
    pub fn segments(&self) -> Result<Vec<Range<u64>>, MergeError> {
        Ok(self.forest()?.runs().into_iter().map(|runs| self.plan.segments_of(runs)).collect())
    }

    /// The sums of all segments of this plan, and what became of the photons.
    ///
    /// # Errors
    /// The part is of another plan, definition or version, or segments are missing.
    pub(crate) fn into_whole(
        self,
        plan: &PlanFingerprint,
    ) -> Result<(PartialSums, EventBalance, DeviceRecord), MergeError> {
        self.check()?;
        plan.check(&self.plan)?;
        let segments = self.segments()?;
        match segments.first() {
            Some(first) if first.start > 0 => return Err(MergeError::Missing { segments: 0..first.start }),
            Some(first) if first.end < plan.segments => {
                let next = segments.get(1).map_or(plan.segments, |next| next.start);
                return Err(MergeError::Missing { segments: first.end..next });
            }
            None if plan.segments > 0 => return Err(MergeError::Missing { segments: 0..plan.segments }),
            _ => {}
        }
        let sums = self.forest()?;
        let joined = |of: fn(&DeviceName) -> &String| {
            let each: BTreeSet<&str> = self.devices.iter().map(|name| of(name).as_str()).collect();
            each.into_iter().collect::<Vec<_>>().join(" + ")
        };
        let device = DeviceRecord {
            backend: joined(|name| &name.0),
            adapter: joined(|name| &name.1),
            precision: joined(|name| &name.2),
        };
        Ok((sums, self.photons, device))
    }

    fn check(&self) -> Result<(), MergeError> {
        if self.version != VERSION {
            return Err(MergeError::OtherVersion { ours: VERSION, theirs: self.version });
        }
        if self.definition != DEFINITION {
            return Err(MergeError::OtherDefinition { ours: DEFINITION, theirs: self.definition });
        }
        Ok(())
    }

    fn forest(&self) -> Result<PartialSums, MergeError> {
        let fits = |length: usize, whole: usize| length == 0 || length == whole;
        let whole = |sums: &Sums| fits(sums.power.len(), self.plan.values) && fits(sums.ends.len(), 6);
        let alike = self
            .nodes
            .iter()
            .all(|node| shape(std::slice::from_ref(node)).is_none_or(|of| Some(of) == shape(&self.nodes)));
        if self.plan.run_length == 0 || !alike || !self.nodes.iter().all(|node| whole(&node.sums)) {
            return Err(MergeError::Malformed);
        }
        let nodes = self.nodes.iter().map(|node| (node.level, node.index, node.sums.clone()));
        let forest = PartialSums::of_nodes(nodes, self.plan.apart).ok_or(MergeError::Malformed)?;
        let runs = self.plan.segments.div_ceil(self.plan.run_length);
        let inside = forest.runs().last().is_none_or(|last| last.end <= runs);
        if inside { Ok(forest) } else { Err(MergeError::Malformed) }
    }
}

impl PlanFingerprint {
    /// The segments of some runs.
    fn segments_of(&self, runs: Range<u64>) -> Range<u64> {
        let at = |run: u64| run.saturating_mul(self.run_length).min(self.segments);
        at(runs.start)..at(runs.end)
    }

    /// Refuses another plan.
    fn check(&self, other: &PlanFingerprint) -> Result<(), MergeError> {
        let named = |plan: &PlanFingerprint| {
            let numbers = [("segments", plan.segments.to_string()), ("run_length", plan.run_length.to_string())];
            let more = [("values", plan.values.to_string()), ("apart", plan.apart.to_string())];
            let numbers = numbers.into_iter().chain(more);
            let numbers = numbers.map(|(field, value)| (field.to_string(), value));
            numbers.chain(plan.fields.iter().cloned()).collect::<Vec<_>>()
        };
        let (ours, theirs) = (named(self), named(other));
        for place in 0..ours.len().max(theirs.len()) {
            let (ours, theirs) = (ours.get(place), theirs.get(place));
            if ours != theirs {
                let field = ours.or(theirs).map_or(String::new(), |(field, _)| field.clone());
                let value = |of: Option<&(String, String)>| of.map_or(String::new(), |(_, value)| value.clone());
                return Err(MergeError::OtherPlan { field, ours: value(ours), theirs: value(theirs) });
            }
        }
        Ok(())
    }
}

/// Of how many series, and of how many weights, sums tell: those of the first node that has segments.
fn shape(nodes: &[PartNode]) -> Option<(usize, usize)> {
    let filled = nodes.iter().find(|node| node.sums.segments > 0);
    filled.map(|node| (node.sums.series.len(), node.sums.weights.len()))
}

fn nodes(sums: &PartialSums) -> Vec<PartNode> {
    sums.nodes().map(|(level, index, sums)| PartNode { level, index, sums: sums.clone() }).collect()
}

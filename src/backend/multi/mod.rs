//! Several devices as one: each group of batches goes to the device that would be done with it first, and when a device fails,
//! another one does its groups again.
//!
//! The device that `auto` gives is the case of one, with the CPU as spare.

mod group;
mod member;
mod replay;

use std::collections::{BTreeMap, BTreeSet, VecDeque};
use std::num::NonZeroUsize;
use std::sync::Arc;

use super::{Backend, BatchLimits, Capabilities, DeviceInfo, PlanId, Ticket, check_batch, not_the_oldest, released};
use crate::base::error::BackendError;
use crate::base::sums::PartialSums;
use crate::base::warning::Warnings;
use crate::kernels::Job;
use crate::segment::{PlanSpec, SegmentBatch};

use group::BatchGroup;
use member::{MemberDevice, MemberPlan, joined};

/// Events of one group that are kept: 1 GiB of times.
const KEPT_EVENTS: usize = 1 << 27;

/// Devices that share the work.
///
/// A device that fails at anything is out of the plan in hand, with a warning; the groups that it has not returned are done by
/// another, the spare where no other is left. Without any the failure is an error. What the batches of a group hold is kept
/// for that until the group's sums are there.
pub struct MultiBackend {
    members: Vec<MemberDevice>,
    spare: Option<SpareCpu>,
    plans: BTreeMap<usize, MultiPlan>,
    next_plan: usize,
    /// Groups whose last ticket was not collected, by age.
    groups: BTreeMap<u64, BatchGroup>,
    next_group: u64,
    pending: VecDeque<MultiPending>,
    next_ticket: u64,
    kept_events: usize,
    info: DeviceInfo,
    warnings: Warnings,
}

/// A CPU that only steps in.
struct SpareCpu {
    threads: Option<NonZeroUsize>,
    /// Its place among the members, once started.
    member: Option<usize>,
}

struct MultiPlan {
    spec: PlanSpec,
    limits: BatchLimits,
    /// The members that work on it, and their own plans.
    members: BTreeMap<usize, MemberPlan>,
    /// The group whose last batch is due, and its segments.
    open: Option<(u64, usize)>,
    /// The members whose sums were collected.
    contributed: BTreeSet<usize>,
    spare_used: bool,
}

/// A batch that was submitted and not collected.
struct MultiPending {
    ticket: u64,
    plan: usize,
    /// The group whose sums are due with it.
    group: Option<u64>,
}

impl MultiBackend {
    /// Devices that share the work.
    ///
    /// # Errors
    /// There is none.
    pub fn new(devices: Vec<Box<dyn Backend>>) -> Result<MultiBackend, BackendError> {
        let infos: Vec<&DeviceInfo> = devices.iter().map(|device| device.info()).collect();
        let nothing = || BackendError::NoAdapter { wanted: "among several".into(), found: "none".into() };
        let info = joined(&infos).ok_or_else(nothing)?;
        Ok(MultiBackend {
            members: devices.into_iter().map(MemberDevice::new).collect(),
            spare: None,
            plans: BTreeMap::new(),
            next_plan: 0,
            groups: BTreeMap::new(),
            next_group: 0,
            pending: VecDeque::new(),
            next_ticket: 0,
            kept_events: KEPT_EVENTS,
            info,
            warnings: Warnings::default(),
        })
    }

    /// With a CPU of `threads` workers for when all devices have failed.
    pub fn with_spare(self, threads: Option<NonZeroUsize>) -> MultiBackend {
        MultiBackend { spare: Some(SpareCpu { threads, member: None }), ..self }
    }

    /// With so many events of one group kept, instead of 2^27. A group of more cannot be done again by another device.
    pub fn keeping(self, events: usize) -> MultiBackend {
        MultiBackend { kept_events: events, ..self }
    }
}

impl Backend for MultiBackend {
    /// The devices of the latest plan: all that have returned sums, or before that all that may.
    fn info(&self) -> &DeviceInfo {
        &self.info
    }

    fn capabilities(&self) -> Capabilities {
        let each = || self.members.iter().map(|member| member.backend.capabilities());
        Capabilities {
            double_precision: each().all(|of_one| of_one.double_precision),
            trial_profiles: each().find_map(|of_one| of_one.trial_profiles),
            replaceable: self.spare.is_some(),
            ..Capabilities::BATCHES
        }
    }

    fn prepare(&mut self, spec: &PlanSpec) -> Result<PlanId, BackendError> {
        let spare = self.spare.as_ref().and_then(|spare| spare.member);
        let mut members = BTreeMap::new();
        let mut failures = Vec::new();
        let measure = self.members.len() - usize::from(spare.is_some()) > 1;
        for (place, member) in self.members.iter_mut().enumerate().filter(|(place, _)| Some(*place) != spare) {
            match member.prepare(spec, measure) {
                Ok(share) => _ = members.insert(place, share),
                Err(error) => failures.push((member.backend.info().adapter.clone(), error)),
            }
        }
        let id = self.next_plan;
        let limits = BatchLimits { rows: usize::MAX, events: usize::MAX };
        let (spec, open, contributed) = (spec.clone(), None, BTreeSet::new());
        let alone = members.is_empty();
        self.plans.insert(id, MultiPlan { spec, limits, members, open, contributed, spare_used: false });
        let stepped_in = if alone { self.step_in(id) } else { Ok(true) };
        if !matches!(stepped_in, Ok(true)) {
            self.plans.remove(&id);
            return Err(stepped_in.err().or(failures.pop().map(|(_, error)| error)).unwrap_or_else(released));
        }
        self.next_plan += 1;
        let plan = &self.plans[&id];
        let others = self.names(plan);
        let mut limits = plan.limits;
        for its in plan.members.keys().filter_map(|&member| self.member_limits(plan, member)) {
            limits = BatchLimits { rows: limits.rows.min(its.rows), events: limits.events.min(its.events) };
        }
        if let Some(plan) = self.plans.get_mut(&id) {
            plan.limits = limits;
        }
        for (name, error) in failures {
            self.warnings.push("W-BACKEND-FALLBACK", format!("{name}: {}; {others} did its work", error.reason()));
        }
        self.describe(id);
        Ok(PlanId(id))
    }

    fn release(&mut self, plan: PlanId) {
        let Some(gone) = self.plans.remove(&plan.0) else { return };
        for (member, share) in gone.members {
            self.members[member].backend.release(share.plan);
            self.members[member].queue.retain(|&(its, ..)| its != plan.0);
        }
        self.groups.retain(|_, group| group.plan != plan.0);
        self.pending.retain(|pending| pending.plan != plan.0);
    }

    fn limits(&self, plan: PlanId) -> BatchLimits {
        self.plans[&plan.0].limits
    }

    fn submit(&mut self, plan: PlanId, batch: Arc<SegmentBatch>) -> Result<Ticket, BackendError> {
        let its = self.plans.get_mut(&plan.0).ok_or_else(released)?;
        check_batch(&batch, &its.spec, its.limits, its.open.map(|(_, rows)| rows))?;
        let id = match its.open.take() {
            Some((open, _)) if !batch.first => open,
            abandoned => {
                abandoned.map(|(open, _)| self.groups.remove(&open));
                self.next_group += 1;
                self.groups.insert(self.next_group, BatchGroup::new(plan.0, &its.spec, &batch));
                self.next_group
            }
        };
        its.open = (!batch.last).then_some((id, batch.rows.len()));
        let due = batch.last.then_some(id);
        self.groups.get_mut(&id).ok_or_else(released)?.push(batch);
        self.advance()?;
        if due.is_none() {
            self.groups.get_mut(&id).ok_or_else(released)?.bound(self.kept_events)?;
        }
        self.next_ticket += 1;
        self.pending.push_back(MultiPending { ticket: self.next_ticket, plan: plan.0, group: due });
        Ok(Ticket(self.next_ticket))
    }

    /// Tickets of batches that are not the last of their group give nothing, at once.
    fn collect(&mut self, ticket: Ticket) -> Result<PartialSums, BackendError> {
        let oldest = self.pending.pop_front_if(|pending| pending.ticket == ticket.0).ok_or_else(not_the_oldest)?;
        oldest.group.map_or_else(|| Ok(PartialSums::new()), |group| self.finish(group))
    }

    /// As many as all members of a plan take.
    fn depth(&self) -> usize {
        let latest = self.plans.values().next_back();
        let depths =
            latest.iter().flat_map(|plan| plan.members.keys()).map(|&member| self.members[member].backend.depth());
        depths.sum::<usize>().max(1)
    }

    /// By the first that runs launches: such work is not shared.
    fn launch(&mut self, job: &Job) -> Result<Vec<Vec<u8>>, BackendError> {
        let first = self.members.iter_mut().find(|member| member.backend.capabilities().trial_profiles.is_some());
        first.map_or_else(|| Err(released()), |member| member.backend.launch(job))
    }

    fn take_warnings(&mut self) -> Warnings {
        let mut warnings = std::mem::take(&mut self.warnings);
        for member in &mut self.members {
            warnings.extend(member.backend.take_warnings());
        }
        warnings
    }
}

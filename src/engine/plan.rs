//! Plans: segments, and which input fills which segment, before an event is read.

use std::ops::Range;

use super::combine::{Combine, combined_gtis};
use super::segmentation::Segmentation;
use super::time_source::Events;
use crate::base::error::{Error, Result};
use crate::base::mend::Mend;
use crate::base::warning::{Warning, Warnings};
use crate::data::Gti;
use crate::kernels::Input;
use crate::segment::plan::{Resolution, ResolutionRequest, Segments, check_frames, check_total, no_segments};
use crate::segment::{PlanFingerprint, PlanSpec, Quantity};

/// The segments of a run, planned from good time intervals and options alone: bin width, segment length, and which
/// input fills which segment. No event has been read.
#[derive(Clone, Debug)]
pub struct Plan {
    /// Bin width, and bins and length of a segment.
    pub resolution: Resolution,
    /// What each input has to do with the segments.
    pub(super) inputs: Vec<InputPlan>,
    /// What the backend computes.
    pub spec: PlanSpec,
    /// The segments that are summed in this run: whole runs of segments, all unless it is one of several.
    pub(super) part: Range<u64>,
}

/// One input in a plan.
#[derive(Clone, Debug)]
pub(super) struct InputPlan {
    /// The observation it is part of; inputs of one observation have their segments in common.
    pub observation: usize,
    /// Intervals in the frame, those of its observation.
    pub gti: Gti,
    /// Segments in the frame of its raw times.
    pub segments: Segments,
    /// Absolute index of the first of them.
    pub first: u64,
    /// The series that its bands are.
    pub series: Range<usize>,
    /// How many inputs feed the same series of the same segments before it.
    pub pass: usize,
}

impl InputPlan {
    /// Absolute indices of its segments.
    pub fn indices(&self) -> Range<u64> {
        self.first..self.first + self.segments.len()
    }

    /// The raw time that parts times of segments before an absolute index, and the gap behind them, from those behind: infinite, with
    /// its sign, where the input has no segment there.
    pub fn edge_before(&self, segment: u64) -> f64 {
        let indices = self.indices();
        match segment {
            0 => f64::NEG_INFINITY,
            segment if segment >= indices.end => f64::INFINITY,
            segment if segment <= indices.start => f64::NEG_INFINITY,
            segment => self.segments.get(segment - indices.start).first,
        }
    }
}

/// Which observation an input is part of, and the first of the series that its bands are. Observations are in order.
#[derive(Clone, Copy, Debug)]
pub(super) struct InputRole {
    pub observation: usize,
    pub series: usize,
}

impl Plan {
    /// Plans the segments of the inputs, each of which has all series, in the order of its bands.
    ///
    /// # Errors
    /// No input; `dt` or `segment_size` is not positive, `dt` is longer than the segment, a segment has fewer than 3 bins, no
    /// interval holds one segment, or merged inputs have no time in common.
    pub(super) fn new(
        inputs: &[Events],
        combine: Combine,
        segmentation: Segmentation,
        quantity: Quantity,
        warnings: &mut Warnings,
    ) -> Result<Plan> {
        if inputs.is_empty() {
            return Err(Error::argument("inputs", 0, "at least one input is needed"));
        }
        let gtis = combined_gtis(inputs, combine, warnings)?;
        let observation = |i| if combine == Combine::Merge { 0 } else { i };
        let places: Vec<InputRole> =
            (0..inputs.len()).map(|i| InputRole { observation: observation(i), series: 0 }).collect();
        Plan::from_roles(inputs, &gtis, &places, segmentation, quantity, warnings)
    }

    /// Plans the segments of inputs that are series of observations; `gtis` are those of their observations.
    pub(super) fn from_roles(
        inputs: &[Events],
        gtis: &[Gti],
        places: &[InputRole],
        segmentation: Segmentation,
        quantity: Quantity,
        warnings: &mut Warnings,
    ) -> Result<Plan> {
        let begins = |i: usize| i == 0 || places[i - 1].observation != places[i].observation;
        let gti_list: Vec<&Gti> = gtis.iter().enumerate().filter(|(i, _)| begins(*i)).map(|(_, gti)| gti).collect();
        let request = ResolutionRequest {
            dt: segmentation.dt,
            segment_size: segmentation.segment_size,
            timedel: inputs.iter().map(|i| i.timedel).fold(0.0, f64::max),
            barycentred: inputs.iter().all(|i| i.barycentred),
            gtis: &gti_list,
            compat_stingray: segmentation.compat_stingray,
        };
        let resolution = Resolution::choose(&request, warnings)?;
        let named = |i: usize| inputs[..i].iter().any(|other| other.name == inputs[i].name);
        for (_, input) in inputs.iter().enumerate().filter(|(i, _)| !named(*i)) {
            check_frames(resolution.dt, &input.name, input.timedel, input.barycentred, warnings);
        }
        let size = resolution.segment_size;
        let (mut total, mut planned) = (0u64, Vec::<InputPlan>::new());
        for ((input, gti), place) in inputs.iter().zip(gtis).zip(places) {
            let segments = Segments::new(gti, input.offset, size, segmentation.compat_stingray);
            let series = place.series..place.series + input.source.bands();
            let same = |other: &&InputPlan| other.observation == place.observation;
            let first = planned.iter().find(same).map_or(total, |other| other.first);
            total = total.max(first.saturating_add(segments.len()));
            let pass = planned.iter().filter(same).filter(|other| other.series == series).count();
            let (observation, gti) = (place.observation, gti.clone());
            planned.push(InputPlan { observation, gti, segments, first, series, pass });
        }
        if total == 0 {
            return Err(no_segments(&gti_list, &resolution));
        }
        check_total(total, size)?;
        let spec = PlanSpec {
            n: resolution.n,
            segment_size: size,
            quantity,
            input: Input::Events,
            min_events: if segmentation.compat_stingray { 2 } else { 0 },
            max_segments: total,
        };
        if let Some(cost) = resolution.cost(total.saturating_mul(spec.series() as u64)) {
            let mend = Mend::field("dt").doing("a longer one costs less");
            warnings.record(Warning::new("W-COST", cost).mended_by([mend]));
        }
        Ok(Plan { resolution, inputs: planned, spec, part: 0..total })
    }

    /// Number of segments of all inputs.
    pub fn total_segments(&self) -> u64 {
        self.spec.max_segments
    }

    /// Ranges of segments for `count` runs of parts of this plan, of about as many segments each; fewer where there are not so many.
    pub fn parts(&self, count: u64) -> Vec<Range<u64>> {
        let (total, run) = (self.total_segments(), self.spec.run_length());
        let runs = total.div_ceil(run);
        let count = count.clamp(1, runs.max(1));
        let edge = |part: u64| (u128::from(runs) * u128::from(part) / u128::from(count)) as u64 * run;
        (0..count).map(|part| edge(part)..edge(part + 1).min(total)).collect()
    }

    /// Only these segments are to be summed.
    ///
    /// # Errors
    /// They are not whole runs of the plan; see [`Plan::parts`].
    pub(super) fn limited_to(self, segments: Range<u64>) -> Result<Plan> {
        let (total, run) = (self.total_segments(), self.spec.run_length());
        let whole = |edge: u64| edge == total || edge.is_multiple_of(run);
        if segments.start >= segments.end || segments.end > total || !whole(segments.start) || !whole(segments.end) {
            let text = format!("{}:{}", segments.start, segments.end);
            let message = format!("must be whole runs of {run} of the {total} segments");
            return Err(Error::argument("segments", text, message));
        }
        Ok(Plan { part: segments, ..self })
    }

    /// Segments of the whole plan are summed.
    pub(super) fn is_whole(&self) -> bool {
        self.part == (0..self.total_segments())
    }

    /// What tells this plan of these inputs from others.
    pub(super) fn fingerprint(&self, inputs: &[Events]) -> PlanFingerprint {
        let spec = &self.spec;
        let mut gti = flate2::Crc::new();
        for (a, b) in self.inputs.iter().flat_map(|input| input.gti.intervals()) {
            [a.hi, a.lo, b.hi, b.lo].iter().for_each(|edge| gti.update(&edge.to_bits().to_le_bytes()));
        }
        let mut fields = vec![
            ("quantity".to_string(), format!("{:?}", spec.quantity)),
            ("n".to_string(), spec.n.to_string()),
            ("segment_size".to_string(), format!("{:?}", spec.segment_size)),
            ("min_events".to_string(), spec.min_events.to_string()),
            ("gti".to_string(), format!("{:08x}", gti.sum())),
        ];
        for (number, (input, events)) in self.inputs.iter().zip(inputs).enumerate() {
            let series = format!("{:?} of observation {}", input.series, input.observation);
            fields.push((format!("input {}", number + 1), format!("series {series}, {}", events.fingerprint())));
        }
        PlanFingerprint {
            segments: self.total_segments(),
            run_length: spec.run_length(),
            values: spec.blocks() * spec.frequencies(),
            apart: spec.every_segment(),
            fields,
        }
    }

    /// The first input of each observation, whose intervals and segments are those of all.
    pub(super) fn observations(&self) -> impl Iterator<Item = &InputPlan> {
        let inputs = self.inputs.iter().enumerate();
        let first = |&(i, input): &(usize, &InputPlan)| i == 0 || self.inputs[i - 1].observation != input.observation;
        inputs.filter(first).map(|(_, input)| input)
    }

    /// The intervals of all observations, s of the frame.
    pub(super) fn used_gti(&self) -> Vec<[f64; 2]> {
        let intervals = self.observations().flat_map(|input| input.gti.intervals());
        intervals.map(|(a, b)| [a.value(), b.value()]).collect()
    }

    /// Good time of all inputs, s; time that merged inputs observed together counts once. (Not the time in segments,
    /// which is less.)
    pub fn exposure(&self) -> f64 {
        self.observations().map(|input| input.gti.exposure()).sum()
    }

    /// How often segments are gone through, at most.
    pub(super) fn passes(&self) -> usize {
        self.inputs.iter().map(|input| input.pass + 1).max().unwrap_or(0)
    }

    /// The input that feeds a series of a segment in one of the passes.
    pub(super) fn feeder(&self, index: u64, which: usize, pass: usize) -> Option<usize> {
        let feeds = |i: &InputPlan| i.pass == pass && i.series.contains(&which) && i.indices().contains(&index);
        self.inputs.iter().position(feeds)
    }
}

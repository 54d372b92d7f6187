//! Two channels in common segments → sums → cross spectrum.

use serde::Serialize;

use super::batcher::{Reader, edges};
use super::ends::EndSums;
use super::source::{self, Events};
use super::{CHUNK_EVENTS, Progress, Queue, record_device};
use crate::backend::{Backend, BatchLimits};
use crate::data::{Balance, DeviceRecord, Gti, Provenance};
use crate::error::{Error, Result};
use crate::segment::plan::{Resolution, ResolutionRequest, Segment, Segments, check_frames, check_total, no_segments};
use crate::segment::{Input, PlanSpec, Product, Row, SegmentBatch};
use crate::spectrum::cross::{AveragedCrossSpectrum, CrossContext, CrossOptions, Ends};
use crate::sums::Sums;
use crate::warning::Warnings;

/// Options of an averaged cross spectrum of events.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct CrossSpectrumOptions {
    /// Bin width, s; chosen when left out.
    pub dt: Option<f64>,
    /// Segment length, s; chosen when left out.
    pub segment_size: Option<f64>,
    /// From sums to spectrum.
    #[serde(flatten)]
    pub cross: CrossOptions,
    /// The peer's rules where this library's differ.
    pub compat_stingray: bool,
    /// Rows read at a time; changes no result, and is not recorded.
    #[serde(skip)]
    pub chunk_events: usize,
}

impl Default for CrossSpectrumOptions {
    fn default() -> CrossSpectrumOptions {
        let cross = CrossOptions::default();
        CrossSpectrumOptions { dt: None, segment_size: None, cross, compat_stingray: false, chunk_events: CHUNK_EVENTS }
    }
}

impl CrossSpectrumOptions {
    /// What a backend computes for a cross spectrum with a subject inside the reference, or apart from it.
    pub fn product(&self, inside: bool) -> Product {
        Product::Cross { channels: 2, inside: u64::from(inside), weight_exponent: self.cross.weight_exponent() }
    }
}

/// Two channels of one observation.
pub struct Channels<'a> {
    /// The reference.
    pub reference: Events<'a>,
    /// The subject, whose lags are positive where it is late.
    pub subject: Events<'a>,
}

/// The segments of an observation, in the clock of each channel: the reference first.
struct Observation {
    segments: [Segments; 2],
}

/// The plan of a run: all that is known before an event is read.
pub struct ChannelPlan {
    /// Bins and segments.
    pub resolution: Resolution,
    /// Intervals that both channels of each observation have.
    pub gtis: Vec<Gti>,
    /// What the backend computes.
    pub spec: PlanSpec,
    observations: Vec<Observation>,
}

impl ChannelPlan {
    /// Plans the common segments of the channels of one or several observations.
    ///
    /// # Errors
    /// Options without meaning; no interval long enough.
    pub fn new(
        inputs: &[Channels],
        product: Product,
        options: &CrossSpectrumOptions,
        warnings: &mut Warnings,
    ) -> Result<ChannelPlan> {
        let gtis: Vec<Gti> = inputs.iter().map(|i| i.reference.gti.intersect(&i.subject.gti)).collect();
        let gti_list: Vec<&Gti> = gtis.iter().collect();
        let all = || inputs.iter().flat_map(|i| [&i.reference, &i.subject]);
        let request = ResolutionRequest {
            dt: options.dt,
            segment_size: options.segment_size,
            timedel: all().map(|e| e.timedel).fold(0.0, f64::max),
            barycentred: all().all(|e| e.barycentred),
            gtis: &gti_list,
            compat_stingray: options.compat_stingray,
        };
        let resolution = Resolution::choose(&request, warnings)?;
        let Resolution { n, dt, segment_size } = resolution;
        for Channels { reference, subject } in inputs {
            let other = (subject.name != reference.name).then_some(subject);
            for e in [reference].into_iter().chain(other) {
                check_frames(dt, &e.name, e.timedel, e.barycentred, warnings);
            }
        }
        let compat = options.compat_stingray;
        let segments = |gti, e: &Events| Segments::new(gti, e.offset, segment_size, compat);
        let observations: Vec<Observation> = inputs
            .iter()
            .zip(&gtis)
            .map(|(i, gti)| Observation { segments: [&i.reference, &i.subject].map(|e| segments(gti, e)) })
            .collect();
        let total = observations.iter().map(|o| o.segments[0].len()).fold(0, u64::saturating_add);
        if total == 0 {
            return Err(no_segments(&gti_list, &resolution));
        }
        check_total(total, segment_size)?;
        if let Some(cost) = resolution.cost(2 * total) {
            warnings.push("W-COST", cost);
        }
        let min_events = if compat { 2 } else { 0 };
        let spec = PlanSpec { n, segment_size, product, input: Input::Events, min_events, max_segments: total };
        Ok(ChannelPlan { resolution, gtis, spec, observations })
    }

    /// Time in the intervals, s.
    pub fn exposure(&self) -> f64 {
        self.gtis.iter().map(Gti::exposure).sum()
    }
}

/// What both channels add up to.
pub(super) struct ChannelSums {
    pub sums: Sums,
    pub ends: Option<Ends>,
    pub device: DeviceRecord,
    pub made: Provenance,
}

/// The averaged cross spectrum of the channels of one or several observations, in common segments: the intervals are those that
/// both channels have. With `inside` every photon of the subject is one of the reference, too, and leaves it: correlated with
/// itself it would have no lag and full coherence.
///
/// # Errors
/// Options without meaning; no interval long enough; reading fails; the device fails; no event in any segment.
pub fn cross_spectrum_of_events(
    inputs: Vec<Channels>,
    inside: bool,
    options: &CrossSpectrumOptions,
    backend: &mut dyn Backend,
    mut warnings: Warnings,
    progress: Progress,
) -> Result<AveragedCrossSpectrum> {
    let plan = ChannelPlan::new(&inputs, options.product(inside), options, &mut warnings)?;
    let ChannelSums { sums, ends, device, made } = channel_sums(inputs, &plan, options, backend, warnings, progress)?;
    let Resolution { n, dt, segment_size } = plan.resolution;
    let compat_stingray = options.compat_stingray;
    let context =
        CrossContext { n, dt, segment_size, inside, flux: None, ends, compat_stingray, device, provenance: made };
    AveragedCrossSpectrum::new(&sums, &options.cross, context)
}

/// The sums of a plan over the events of both channels.
pub(super) fn channel_sums(
    inputs: Vec<Channels>,
    plan: &ChannelPlan,
    options: &CrossSpectrumOptions,
    backend: &mut dyn Backend,
    mut warnings: Warnings,
    progress: Progress,
) -> Result<ChannelSums> {
    let ChannelPlan { gtis, spec, observations, .. } = plan;
    let total = spec.max_segments;
    let (references, subjects): (Vec<Events>, Vec<Events>) =
        inputs.into_iter().map(|i| (i.reference, i.subject)).unzip();
    let mut made = source::describe(&subjects);
    made.inputs.extend(source::describe(&references).inputs);
    made.gti = gtis.iter().flat_map(|g| g.intervals()).map(|(a, b)| [a.value(), b.value()]).collect();
    let id = backend.prepare(spec)?;
    let limits = backend.limits(id);
    let mut queue = Queue::new(backend, id);
    let readers = references.into_iter().zip(subjects).zip(gtis);
    let readers = readers
        .map(|((r, s), gti)| [r, s].map(|e| Reader::new(e.source, edges(gti, e.offset), options.chunk_events)))
        .collect();
    let mut batcher = ChannelBatcher {
        observations,
        readers,
        limits,
        total,
        group: 0,
        rows: Vec::new(),
        row: 0,
        first: true,
        times: Vec::new(),
    };
    let mut ends = options.cross.fullspec.then(|| EndSums::new(spec));
    while let Some(batch) = batcher.next_batch(progress)? {
        if let Some(ends) = &mut ends {
            ends.add(&batch);
        }
        queue.push(batch)?;
    }
    let (sums, device) = queue.finish(&mut warnings)?;
    made.photons = batcher.finish(progress)?;
    made.photons.used = sums.channels.iter().map(|c| c.photons).sum();
    made.photons.in_skipped_segments = sums.photons_skipped;
    made.photons.dropped_edge = sums.photons_dropped;
    debug_assert!(made.photons.is_exact(), "{}", made.photons);
    if sums.segments == 0 || sums.channels.iter().any(|c| c.photons == 0) {
        let (segments, balance) = (total, made.photons.to_string());
        return Err(Error::NoEvents { segments, read: made.photons.read, balance });
    }
    let device = record_device(&device, &sums, spec.frequencies(), &mut warnings);
    made.warnings = warnings;
    made.options = serde_json::to_value(options).unwrap_or_default();
    Ok(ChannelSums { sums, ends: ends.map(EndSums::finish), device, made })
}

/// Walks through the segments and the events of both channels together; all are in order.
struct ChannelBatcher<'a> {
    observations: &'a [Observation],
    readers: Vec<[Reader<'a>; 2]>,
    limits: BatchLimits,
    total: u64,
    /// First segment of the next group.
    group: u64,
    /// Rows of the group that is being filled: two a segment.
    rows: Vec<Row>,
    row: usize,
    first: bool,
    times: Vec<f64>,
}

impl ChannelBatcher<'_> {
    fn next_batch(&mut self, progress: Progress) -> Result<Option<SegmentBatch>> {
        if self.rows.is_empty() && !self.open_group() {
            return Ok(None);
        }
        while self.row < self.rows.len() {
            if !self.fill_row(progress)? {
                return Ok(Some(self.take_batch(false)));
            }
        }
        let batch = self.take_batch(true);
        self.rows.clear();
        Ok(Some(batch))
    }

    fn open_group(&mut self) -> bool {
        let end = (self.group + self.limits.rows as u64).min(self.total);
        if self.group >= end {
            return false;
        }
        self.rows.clear();
        for index in self.group..end {
            for channel in 0..2 {
                let (observation, i) = locate(self.observations, index);
                let start = self.observations[observation].segments[channel].get(i).start;
                let empty = Row { index, start, begin: 0, end: 0, events: 0, flux_mean: 0.0, variance: 0.0, scale: 0 };
                self.rows.push(empty);
            }
        }
        (self.group, self.row, self.first) = (end, 0, true);
        true
    }

    /// Reads on into the current row; false when the batch is full before the row is.
    fn fill_row(&mut self, progress: Progress) -> Result<bool> {
        let channel = self.row % 2;
        let (observation, i) = locate(self.observations, self.rows[self.row].index);
        let Segment { first, stop, .. } = self.observations[observation].segments[channel].get(i);
        let reader = &mut self.readers[observation][channel];
        reader.skip_to(first, progress)?;
        let begin = self.times.len();
        let complete = reader.take_to(stop, self.limits.events, &mut self.times, progress)?;
        let row = &mut self.rows[self.row];
        if row.begin == row.end {
            row.begin = begin;
        }
        row.end = self.times.len();
        row.events += (self.times.len() - begin) as u64;
        self.row += usize::from(complete);
        Ok(complete)
    }

    fn take_batch(&mut self, last: bool) -> SegmentBatch {
        let mut rows = self.rows.clone();
        // Rows that got nothing in this batch stand where their neighbours' events end: begins stay in order.
        let mut at = 0;
        for row in &mut rows {
            if row.begin == row.end {
                (row.begin, row.end) = (at, at);
            }
            at = row.end;
        }
        for row in &mut self.rows {
            (row.begin, row.end) = (0, 0);
        }
        let times = std::mem::take(&mut self.times);
        let first = std::mem::replace(&mut self.first, false);
        SegmentBatch { rows, times, flux: Vec::new(), first, last }
    }

    /// Reads what is left; where the photons of all channels went that are in no segment.
    fn finish(self, progress: Progress) -> Result<Balance> {
        let mut balance = Balance::default();
        for reader in self.readers.into_iter().flatten() {
            balance.add(&reader.finish(progress)?);
        }
        Ok(balance)
    }
}

/// The observation of an absolute segment index, and the place in it.
fn locate(observations: &[Observation], mut index: u64) -> (usize, u64) {
    for (i, observation) in observations.iter().enumerate() {
        let segments = observation.segments[0].len();
        if index < segments {
            return (i, index);
        }
        index -= segments;
    }
    unreachable!("an index below the number of segments is in one of the observations")
}

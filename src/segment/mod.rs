//! GTIs and times to a plan of segments, and the batches of segments that a backend works on.

mod part;
pub mod plan;
mod unit;
mod zero_nyquist;

use crate::base::sums::{PartialSums, SeriesSums, Sums, WeightSums, run_length};
use crate::base::time::DoubleDouble;
use crate::kernels::{Input, bin_events, cross_spectrum, fad};
use crate::numerics::fft::frequencies;
pub use part::{PlanFingerprint, PlanPart};
pub use unit::Unit;
pub use zero_nyquist::{EndAmplitudes, GroupEnds};

/// What a backend is to compute.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Quantity {
    /// `Σ |F|²` over segments; with `weight_exponent = Some(p)` a second row, `Σ N^−p·|F|²`.
    Power {
        /// Normalisation per segment: 1 (leahy) or 2 (frac); `None` for a common mean.
        weight_exponent: Option<u32>,
    },
    /// Cross spectra of subjects with a reference, and the powers of both; see [`cross_spectrum`] for the blocks of sums. A
    /// segment has a row for each series, the reference first.
    Cross {
        /// The reference and its subjects, 2 to [`cross_spectrum::MOST_SUBJECTS`] + 1.
        series: usize,
        /// Bit s − 1: the photons of subject s are in the reference too, and leave it for this subject.
        inside: u64,
        /// Normalisation per segment: 1 (leahy) or 2 (frac); `None` for a common mean.
        weight_exponent: Option<u32>,
    },
    /// The cross spectrum of two series as [`Quantity::Cross`] has it, and its sums at frequency 0 and at the Nyquist frequency
    /// ([`Sums::ends`]).
    FullCross {
        /// As for cross spectra.
        inside: u64,
        /// As for cross spectra.
        weight_exponent: Option<u32>,
    },
    /// The spectra of every segment, for dynamical spectra: a segment is a run of its own, and runs stay apart. The blocks of one
    /// series are those of power, of several those of cross spectra, without weights: who has a segment for itself, and its
    /// photons, can normalise it.
    EverySegment {
        /// 1, or as for cross spectra.
        series: usize,
        /// As for cross spectra.
        inside: u64,
    },
    /// Spectra of two detectors corrected for dead time; see [`fad`] for the blocks of sums. Rows as for cross spectra; of events,
    /// and on the CPU alone.
    Fad(fad::FadSpec),
}

/// All that a backend needs to know of a plan; plain data.
#[derive(Clone, Debug, PartialEq)]
pub struct PlanSpec {
    /// Number of bins in a segment.
    pub n: usize,
    /// Length of a segment, s; exactly `n·dt`.
    pub segment_size: f64,
    /// What to compute.
    pub quantity: Quantity,
    /// What the batches hold.
    pub input: Input,
    /// Peer's rule: segments of fewer events than this are skipped (0: none are, except as a weight demands).
    pub min_events: u64,
    /// An upper bound of the number of segments, so that small plans take little memory.
    pub max_segments: u64,
}

impl PlanSpec {
    /// Bins per second, `δ` of the histogram's definition.
    pub fn delta(&self) -> f64 {
        bin_events::bins_per_second(self.segment_size, self.n)
    }
    /// Frequencies kept.
    pub fn frequencies(&self) -> usize {
        frequencies(self.n)
    }
    /// Segments in a run.
    pub fn run_length(&self) -> u64 {
        if self.every_segment() { 1 } else { run_length(self.n) }
    }
    /// Segments are not added up.
    pub fn every_segment(&self) -> bool {
        matches!(self.quantity, Quantity::EverySegment { .. })
    }
    /// Where runs are to be added up, or kept.
    pub fn empty_sums(&self) -> PartialSums {
        if self.every_segment() { PartialSums::keeping_runs() } else { PartialSums::new() }
    }
    /// Rows of a segment.
    pub fn series(&self) -> usize {
        match self.quantity {
            Quantity::Power { .. } => 1,
            Quantity::Cross { series, .. } | Quantity::EverySegment { series, .. } => series,
            Quantity::FullCross { .. } | Quantity::Fad(_) => 2,
        }
    }
    /// Blocks of [`PlanSpec::frequencies`] sums that a run returns: for power 1, or 2 with weights; for cross spectra 4, or 8,
    /// a subject.
    pub fn blocks(&self) -> usize {
        match (self.quantity, self.series()) {
            (Quantity::Fad(_), _) => fad::BLOCKS,
            (_, 1) => 1 + usize::from(self.weight_exponent() > 0),
            (_, series) => (series - 1) * cross_spectrum::blocks(self.weight_exponent()),
        }
    }
    /// True where the stages of one segment take long enough to be timed one by one; else the span around them has their time.
    pub(crate) fn worth_timing(&self) -> bool {
        self.n >= 4096
    }
    /// Exponent of the weights, 0 without.
    pub fn weight_exponent(&self) -> u32 {
        match self.quantity {
            Quantity::Power { weight_exponent }
            | Quantity::Cross { weight_exponent, .. }
            | Quantity::FullCross { weight_exponent, .. } => weight_exponent.unwrap_or(0),
            Quantity::EverySegment { .. } => 0,
            Quantity::Fad(work) => work.exponent,
        }
    }
    /// True for a subject, from 1 on, whose photons are in the reference too.
    pub fn is_inside(&self, subject: usize) -> bool {
        (self.inside() >> (subject - 1)) & 1 == 1
    }
    /// See [`Quantity::Cross`].
    pub fn inside(&self) -> u64 {
        match self.quantity {
            Quantity::Power { .. } | Quantity::Fad(_) => 0,
            Quantity::Cross { inside, .. }
            | Quantity::FullCross { inside, .. }
            | Quantity::EverySegment { inside, .. } => inside,
        }
    }
    /// True for a series whose photons count for themselves; those of a subject inside the reference are the reference's.
    pub fn counts(&self, which: usize) -> bool {
        which == 0 || !self.is_inside(which)
    }
    /// What block `block` of the sums is multiplied by to undo the scales of flux, which are `scales` of a segment's rows.
    pub fn unscale(&self, block: usize, scales: impl Fn(usize) -> i32) -> f64 {
        if self.series() == 1 {
            return 2f64.powi(-2 * scales(0));
        }
        let blocks = cross_spectrum::blocks(self.weight_exponent());
        let (subject, reference) = (scales(1 + block / blocks), scales(0));
        2f64.powi(-match block % 4 {
            0 => 2 * subject,
            1 => 2 * reference,
            _ => subject + reference,
        })
    }
    /// Counts a segment, one row a series of which `dropped` events fell beyond the last bin, into the sums of its run. False
    /// when it cannot contribute: too few events for the peer's rule, or none to normalise by, in any series. Photons that are
    /// lost are counted once: those of a subject inside the reference as the reference's.
    pub fn add_segment(&self, rows: &[SeriesSegment], dropped: &[u64], sums: &mut Sums) -> bool {
        let photons = |i: usize| rows[i].events.saturating_sub(dropped[i]);
        let divides = self.weight_exponent() > 0 || matches!(self.quantity, Quantity::Fad(_));
        let unfit = |i: usize| rows[i].events < self.min_events || (divides && photons(i) == 0);
        if (0..rows.len()).any(unfit) {
            sums.skipped += 1;
            sums.photons_skipped += (0..rows.len()).filter(|&i| self.counts(i)).map(|i| rows[i].events).sum::<u64>();
            return false;
        }
        sums.segments += 1;
        sums.series.resize(rows.len(), SeriesSums::default());
        for (i, (row, own)) in rows.iter().zip(&mut sums.series).enumerate() {
            own.photons += photons(i);
            own.flux_mean += row.flux_mean;
            own.variance += row.variance;
        }
        sums.photons_dropped += (0..rows.len()).filter(|&i| self.counts(i)).map(|i| dropped[i]).sum::<u64>();
        let weight = |photons: u64| WeightSums::of_photons(photons as f64, self.weight_exponent());
        let of = |i: usize| match self.input {
            Input::Flux => rows[i].weights,
            _ => weight(photons(i)),
        };
        let both = |a: WeightSums, b: WeightSums| WeightSums::of((a.0[0] * b.0[0]).sqrt());
        match self.quantity {
            Quantity::Power { .. } => sums.add_weights(&[of(0)]),
            Quantity::EverySegment { .. } => {}
            Quantity::Fad(_) => {
                let (first, second) = (of(1), of(0));
                sums.add_weights(&[first, second, both(first, second), weight(photons(0) + photons(1))]);
            }
            Quantity::Cross { .. } | Quantity::FullCross { .. } => {
                let of_subject = |s: usize| {
                    let reference =
                        if self.is_inside(s) { weight(photons(0).saturating_sub(photons(s))) } else { of(0) };
                    [of(s), reference, both(of(s), reference)]
                };
                sums.add_weights(&(1..rows.len()).flat_map(of_subject).collect::<Vec<_>>());
            }
        }
        true
    }
}

/// One segment of a batch, in one series.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct SeriesSegment {
    /// Absolute segment index.
    pub index: u64,
    /// Start in the frame of the raw times.
    pub start: DoubleDouble,
    /// First of its events in [`SegmentBatch::times`].
    pub begin: usize,
    /// One past the last.
    pub end: usize,
    /// Events of the segment in this batch and in earlier batches of the group.
    pub events: u64,
    /// Flux: mean of a bin, and mean squared error (0 for events).
    pub flux_mean: f64,
    /// See [`SeriesSegment::flux_mean`].
    pub variance: f64,
    /// Flux: the noise power of the samples, before they were scaled.
    pub weights: WeightSums,
    /// Flux: the samples were multiplied by 2^scale; one scale for all rows of a run.
    pub scale: i32,
}

impl SeriesSegment {
    /// A segment without events; its start is still to be set.
    pub fn empty(index: u64) -> SeriesSegment {
        SeriesSegment {
            index,
            start: DoubleDouble::ZERO,
            begin: 0,
            end: 0,
            events: 0,
            flux_mean: 0.0,
            variance: 0.0,
            weights: WeightSums::default(),
            scale: 0,
        }
    }
}

/// Consecutive whole runs of segments with (some of) their events; a segment has one row for each series of the plan.
///
/// The segments of a *group* start at a run boundary; its events come in one batch (`first` and `last`), or in several with
/// the same rows when they are too many for one: then counts accumulate until `last`.
#[derive(Clone, Debug, Default)]
pub struct SegmentBatch {
    /// One entry a segment and series, in index order.
    pub rows: Vec<SeriesSegment>,
    /// Event times, raw column, in row order (`Input::Events`).
    pub times: Vec<f64>,
    /// `rows.len()·n` samples, mean subtracted and scaled (`Input::Flux`).
    pub flux: Vec<f64>,
    /// The group's first batch.
    pub first: bool,
    /// The group's last batch: its sums are due.
    pub last: bool,
}

impl SegmentBatch {
    /// The runs in this batch: run index and range of rows.
    pub fn runs(&self, run_length: u64) -> Vec<(u64, std::ops::Range<usize>)> {
        let mut runs: Vec<(u64, std::ops::Range<usize>)> = Vec::new();
        for (i, row) in self.rows.iter().enumerate() {
            let run = row.index / run_length;
            match runs.last_mut() {
                Some((last, range)) if *last == run => range.end = i + 1,
                _ => runs.push((run, i..i + 1)),
            }
        }
        runs
    }

    /// The batch of some of its rows, which are whole runs, with their events or their `n` samples each.
    pub fn part(&self, rows: std::ops::Range<usize>, n: usize) -> SegmentBatch {
        let mut part = SegmentBatch { first: self.first, last: self.last, ..SegmentBatch::default() };
        for row in &self.rows[rows.clone()] {
            let begin = part.times.len();
            part.times.extend_from_slice(&self.times[row.begin..row.end]);
            part.rows.push(SeriesSegment { begin, end: part.times.len(), ..*row });
        }
        if !self.flux.is_empty() {
            part.flux = self.flux[rows.start * n..rows.end * n].to_vec();
        }
        part
    }
}

//! GTIs and times to a plan of segments, and the batches of segments that a backend works on.

pub mod plan;

use crate::kernels::{bin_events, power};
use crate::sums::{Sums, run_length};
use crate::time::Dd;

/// What a backend is to compute.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Product {
    /// `Σ |F|²` over segments; with `weight_exponent = Some(p)` a second row, `Σ N^−p·|F|²`.
    Power {
        /// Normalisation per segment: 1 (leahy) or 2 (frac); `None` for a common mean.
        weight_exponent: Option<u32>,
    },
}

/// What the rows of a batch hold.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Input {
    /// Times of events, to be binned.
    Events,
    /// Flux samples, mean subtracted.
    Flux,
}

/// All that a backend needs to know of a plan; plain data.
#[derive(Clone, Debug, PartialEq)]
pub struct PlanSpec {
    /// Bins in a segment.
    pub n: usize,
    /// Length of a segment, s; exactly `n·dt`.
    pub segment_size: f64,
    /// What to compute.
    pub product: Product,
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
        power::frequencies(self.n)
    }
    /// Segments in a run.
    pub fn run_length(&self) -> u64 {
        run_length(self.n)
    }
    /// Blocks of [`PlanSpec::frequencies`] sums that a run returns: 1, or 2 with weights.
    pub fn power_rows(&self) -> usize {
        1 + usize::from(self.weight_exponent() > 0)
    }
    /// Exponent of the weights, 0 without.
    pub fn weight_exponent(&self) -> u32 {
        let Product::Power { weight_exponent } = self.product;
        weight_exponent.unwrap_or(0)
    }
    /// Counts a segment, `dropped` of whose events fell beyond its last bin, into the sums of its run. Returns its photons, or
    /// `None` when it cannot contribute: too few events for the peer's rule, or none to normalise by.
    pub fn tally(&self, row: &Row, dropped: u64, sums: &mut Sums) -> Option<u64> {
        let photons = row.events.saturating_sub(dropped);
        if row.events < self.min_events || (self.weight_exponent() > 0 && photons == 0) {
            sums.skipped += 1;
            sums.photons_skipped += row.events;
            return None;
        }
        sums.segments += 1;
        sums.photons += photons;
        sums.photons_dropped += dropped;
        sums.flux_mean += row.flux_mean;
        sums.variance += row.variance;
        Some(photons)
    }
}

/// One segment of a batch.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Row {
    /// Absolute segment index.
    pub index: u64,
    /// Start in the frame of the raw times.
    pub start: Dd,
    /// First of its events in [`SegmentBatch::times`].
    pub begin: usize,
    /// One past the last.
    pub end: usize,
    /// Events of the segment in this batch and in earlier batches of the group.
    pub events: u64,
    /// Flux: mean of a bin, and mean squared error (0 for events).
    pub flux_mean: f64,
    /// See [`Row::flux_mean`].
    pub variance: f64,
    /// Flux: the samples were multiplied by 2^scale; one scale for all rows of a run.
    pub scale: i32,
}

/// Consecutive whole runs of segments with (some of) their events.
///
/// The segments of a *group* start at a run boundary; its events come in one batch (`first` and `last`), or in several with
/// the same rows when they are too many for one: then counts accumulate until `last`.
#[derive(Clone, Debug, Default)]
pub struct SegmentBatch {
    /// One entry a segment, in index order.
    pub rows: Vec<Row>,
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
            part.rows.push(Row { begin, end: part.times.len(), ..*row });
        }
        if !self.flux.is_empty() {
            part.flux = self.flux[rows.start * n..rows.end * n].to_vec();
        }
        part
    }
}

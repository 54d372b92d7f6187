//! Leaves of the sum tree on the CPU: the sums of one run of segments, begun, added to segment by segment, and finished. This is
//! what leaf sums of every device are held against.

use std::sync::Arc;

use super::segment_transformer::{CpuOptions, SegmentTransformer, Worker};
use crate::base::sums::Sums;
use crate::base::time::DoubleDouble;
use crate::base::trace;
use crate::kernels::bin_events;
use crate::numerics::fft;
use crate::segment::{PlanSpec, Quantity, SeriesSegment};

/// Makes the leaves of a plan one after the other, in the buffers of one thread.
pub struct LeafBuilder {
    shared: Arc<SegmentTransformer>,
    worker: Worker,
    sums: Sums,
}

impl LeafBuilder {
    /// For the leaves of a plan.
    pub fn new(spec: &PlanSpec, options: CpuOptions) -> LeafBuilder {
        LeafBuilder::of(Arc::new(SegmentTransformer::new(spec, options)))
    }

    pub(super) fn of(shared: Arc<SegmentTransformer>) -> LeafBuilder {
        let mut worker = Worker::new(&shared);
        // The transform takes its input from the counts.
        worker.fft.input = Vec::new();
        LeafBuilder { shared, worker, sums: Sums::default() }
    }

    /// Begins a leaf: no segment yet.
    pub fn begin(&mut self) {
        self.sums = Sums::default();
    }

    /// Adds a segment, one row a series, of which these are the counts; they are lost.
    pub fn add(&mut self, rows: &[SeriesSegment], counts: &mut SegmentCounts) {
        // The transform of nothing is nothing.
        if counts.clean && self.shared.add_empty(rows, &mut self.sums) {
            return;
        }
        counts.clean = false;
        for (which, bins) in counts.series.iter_mut().enumerate() {
            std::mem::swap(bins, &mut self.worker.fft.input);
            self.shared.transform(&mut self.worker, &rows[which], which, counts.dropped[which]);
            std::mem::swap(bins, &mut self.worker.fft.input);
        }
        self.shared.add_segment(rows, &mut self.worker, &mut self.sums);
    }

    /// The sums of the segments since [`LeafBuilder::begin`].
    pub fn finish(&mut self) -> Sums {
        std::mem::take(&mut self.sums)
    }

    /// Bytes of one builder, at most about: amplitudes of each series, a series that is transformed, and what the transform needs.
    pub(super) fn bytes(spec: &PlanSpec) -> u64 {
        let values = spec.n as u64 * (1 + spec.series() as u64) * size_of::<f64>() as u64;
        let correction = if matches!(spec.quantity, Quantity::Fad(_)) { 8 * values } else { 0 };
        values + correction + fft::scratch_bytes(spec.n) + bin_events::LastEventTable::BYTES as u64
    }
}

/// Counts of one segment.
pub struct SegmentCounts {
    /// Of each series: counts, and the events that fell beyond the last bin.
    series: Vec<Vec<f64>>,
    dropped: Vec<u64>,
    last: bin_events::LastEventTable,
    delta: f64,
    worth_timing: bool,
    /// Nothing was counted, and all bins are zero.
    clean: bool,
}

impl SegmentCounts {
    /// Of a plan's segment, as yet none.
    pub fn new(spec: &PlanSpec) -> SegmentCounts {
        SegmentCounts {
            series: (0..spec.series()).map(|_| vec![0.0; spec.n]).collect(),
            dropped: vec![0; spec.series()],
            last: bin_events::LastEventTable::default(),
            delta: spec.delta(),
            worth_timing: spec.worth_timing(),
            clean: true,
        }
    }

    /// Bytes of a plan's counts, about.
    pub(super) fn bytes(spec: &PlanSpec) -> usize {
        size_of::<f64>() * spec.n * spec.series()
    }

    /// Forgets them.
    pub fn clear(&mut self) {
        if self.clean {
            return;
        }
        self.clean = true;
        self.series.iter_mut().for_each(|counts| counts.fill(0.0));
        self.dropped.fill(0);
    }

    /// Counts sorted events of a series of a segment that begins at `start`.
    pub fn count(&mut self, which: usize, times: &[f64], start: DoubleDouble) {
        let _span = trace::span_if(self.worth_timing, "bin");
        self.clean &= times.is_empty();
        let counts = &mut self.series[which];
        self.dropped[which] += bin_events::add_sorted(times, start, self.delta, counts, &mut self.last);
    }

    /// Adds what somebody else counted of a series: `counts` of each bin, and events beyond the last.
    pub fn add_bins(&mut self, which: usize, counts: &[u32], dropped: u64) {
        self.clean = false;
        self.series[which].iter_mut().zip(counts).for_each(|(sum, &count)| *sum += f64::from(count));
        self.dropped[which] += dropped;
    }

    /// Adds others of the same segment: whole numbers, so that their order does not matter.
    pub fn add(&mut self, other: &SegmentCounts) {
        let _span = trace::span_if(self.worth_timing, "bin");
        self.clean &= other.clean;
        for (counts, others) in self.series.iter_mut().zip(&other.series) {
            counts.iter_mut().zip(others).for_each(|(a, b)| *a += b);
        }
        self.dropped.iter_mut().zip(&other.dropped).for_each(|(a, b)| *a += b);
    }
}

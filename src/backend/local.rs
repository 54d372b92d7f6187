//! The CPU backend without batches: for a caller that brings events to the threads of the backend piece by piece.

use std::sync::Arc;

use rayon::{Scope, ThreadPool};

use super::segment_transformer::{SegmentTransformer, Worker};
use super::work_queue::WorkQueue;
use crate::base::sums::Sums;
use crate::base::time::DoubleDouble;
use crate::base::trace;
use crate::kernels::bin_events;
use crate::segment::SeriesSegment;

/// The threads of this process and a plan of theirs.
pub struct LocalPlan {
    pub(super) shared: Arc<SegmentTransformer>,
    pub(super) pool: Arc<ThreadPool>,
}

impl LocalPlan {
    /// Number of threads.
    pub fn threads(&self) -> usize {
        self.pool.current_num_threads()
    }

    /// Deals `count` pieces of work to the threads.
    pub fn work_queue(&self, count: usize) -> WorkQueue {
        WorkQueue::new(self.shared.schedule, count, self.threads())
    }

    /// Calls `lead` on this thread, which may spawn work on the others; returns when all have finished.
    pub fn scope<'s, T: Send>(&self, lead: impl FnOnce(&Scope<'s>) -> T) -> T {
        self.pool.in_place_scope(lead)
    }

    /// Bytes of [`LocalPlan::worker`], about.
    pub fn worker_bytes(&self) -> usize {
        let spec = &self.shared.spec;
        // Counts and amplitudes of each series, and what the transform needs.
        size_of::<f64>() * spec.n * (1 + 2 * spec.series()) + bin_events::LastEventTable::BYTES
    }

    /// Buffers for one thread.
    pub fn worker(&self) -> LocalWorker<'_> {
        let mut worker = Worker::new(&self.shared);
        // The transform takes its input from the counts.
        worker.fft.input = Vec::new();
        LocalWorker { shared: &self.shared, worker, counts: self.counts() }
    }

    /// Bytes of [`LocalPlan::counts`], about.
    pub fn counts_bytes(&self) -> usize {
        size_of::<f64>() * self.shared.spec.n * self.shared.spec.series()
    }

    /// Counts of one segment, as yet none.
    pub fn counts(&self) -> SegmentCounts {
        let SegmentTransformer { spec, .. } = &*self.shared;
        let series = (0..spec.series()).map(|_| vec![0.0; spec.n]).collect();
        let (dropped, worth_timing) = (vec![0; spec.series()], self.shared.worth_timing());
        SegmentCounts {
            series,
            dropped,
            last: bin_events::LastEventTable::default(),
            delta: spec.delta(),
            worth_timing,
        }
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
}

impl SegmentCounts {
    /// Forgets them.
    pub fn clear(&mut self) {
        self.series.iter_mut().for_each(|counts| counts.fill(0.0));
        self.dropped.fill(0);
    }

    /// Counts sorted events of a series of a segment that begins at `start`.
    pub fn count(&mut self, which: usize, times: &[f64], start: DoubleDouble) {
        let _span = trace::span_if(self.worth_timing, "bin");
        let counts = &mut self.series[which];
        self.dropped[which] += bin_events::add_sorted(times, start, self.delta, counts, &mut self.last);
    }

    /// Adds others of the same segment: whole numbers, so that their order does not matter.
    pub fn add(&mut self, other: &SegmentCounts) {
        let _span = trace::span_if(self.worth_timing, "bin");
        for (counts, others) in self.series.iter_mut().zip(&other.series) {
            counts.iter_mut().zip(others).for_each(|(a, b)| *a += b);
        }
        self.dropped.iter_mut().zip(&other.dropped).for_each(|(a, b)| *a += b);
    }
}

/// Buffers of one thread, with the counts of one segment.
pub struct LocalWorker<'a> {
    shared: &'a SegmentTransformer,
    worker: Worker,
    /// The segment's.
    pub counts: SegmentCounts,
}

impl LocalWorker<'_> {
    /// Adds what the transforms of the segment's counts give, one row a series, to the sums of its run; the counts are lost.
    pub fn add(&mut self, rows: &[SeriesSegment], sums: &mut Sums) {
        for (which, counts) in self.counts.series.iter_mut().enumerate() {
            std::mem::swap(counts, &mut self.worker.fft.input);
            self.shared.transform(&mut self.worker, which, self.counts.dropped[which]);
            std::mem::swap(counts, &mut self.worker.fft.input);
        }
        self.shared.add_segment(rows, &mut self.worker, sums);
    }
}

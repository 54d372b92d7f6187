//! The CPU backend without batches: for a caller that brings events to the threads of the backend piece by piece.

use std::sync::Arc;

use rayon::{Scope, ThreadPool};

use super::cpu::{Shared, Worker};
use crate::kernels::bin_events;
use crate::segment::Row;
use crate::sums::Sums;
use crate::time::Dd;

/// The threads of this process and a plan of theirs.
pub struct Local {
    pub(super) shared: Arc<Shared>,
    pub(super) pool: Arc<ThreadPool>,
}

impl Local {
    /// Number of threads.
    pub fn threads(&self) -> usize {
        self.pool.current_num_threads()
    }

    /// Calls `lead` on this thread, which may spawn work on the others; returns when all have finished.
    pub fn scope<'s, T: Send>(&self, lead: impl FnOnce(&Scope<'s>) -> T) -> T {
        self.pool.in_place_scope(lead)
    }

    /// Buffers for one thread.
    pub fn worker(&self) -> LocalWorker<'_> {
        LocalWorker { shared: &self.shared, worker: Worker::new(&self.shared), delta: self.shared.spec.delta() }
    }
}

/// Buffers of one thread, with the counts of one segment.
pub struct LocalWorker<'a> {
    shared: &'a Shared,
    worker: Worker,
    delta: f64,
}

impl LocalWorker<'_> {
    /// Forgets the counts.
    pub fn clear(&mut self) {
        self.worker.fft.input.fill(0.0);
    }

    /// Counts sorted events of a segment that begins at `start`; returns how many were dropped.
    pub fn count(&mut self, times: &[f64], start: Dd) -> u64 {
        bin_events::sorted(times, start, self.delta, &mut self.worker.fft.input, &mut self.worker.last)
    }

    /// Transforms the counts of a channel of a segment, to which `dropped` events did not come; the counts are lost.
    pub fn transform(&mut self, channel: usize, dropped: u64) {
        self.shared.transform(&mut self.worker, channel, dropped);
    }

    /// Adds what the transforms of a segment give, one row a channel, to the sums of its run.
    pub fn add(&mut self, rows: &[Row], sums: &mut Sums) {
        self.shared.add_segment(rows, &mut self.worker, sums);
    }
}

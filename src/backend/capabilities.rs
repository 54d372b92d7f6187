//! What a device can do, as it tells of itself: callers decide by it, never by what the device is.

use std::sync::Arc;

use rayon::ThreadPool;

use crate::kernels::Limits;

/// Bytes of the rows in one unit where nothing speaks for others: enough that finding its rows, and what its sums take to be
/// merged, do not count.
pub(crate) const UNIT_BYTES: usize = 8 << 20;

/// What a device can do.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Capabilities {
    /// In which form it takes the events of files.
    pub takes: Takes,
    /// Bytes of the rows in one unit of a plan.
    pub unit_bytes: usize,
    /// Threads of this process that pull units; 0 where one is enough.
    pub threads: usize,
    /// Counts that come as samples are added up exactly, as those of events are, so that they need not be centred.
    pub exact_counts: bool,
    /// Its transforms are in double precision.
    pub double_precision: bool,
    /// It counts the profiles of trials, by launches of this kind.
    pub trial_profiles: Option<LaunchLimits>,
    /// It adds up the weights of events.
    pub weights: bool,
    /// When it fails, the threads of this process may do its work.
    pub replaceable: bool,
}

/// The form in which a device takes the events of files.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Takes {
    /// The bytes of rows, which it decodes and selects itself.
    Rows,
    /// Decoded, sorted and selected times of each unit, which its threads pull at the same time.
    Times,
    /// Batches of times or samples, one after the other.
    Batches,
}

/// What shapes the launches of a device that runs single ones.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct LaunchLimits {
    /// Sizes of workgroups.
    pub tunables: Limits,
    /// Largest buffer that can be bound, bytes.
    pub largest_buffer: u64,
}

impl Capabilities {
    /// A device that takes batches, and can do nothing else.
    pub const BATCHES: Capabilities = Capabilities {
        takes: Takes::Batches,
        unit_bytes: UNIT_BYTES,
        threads: 0,
        exact_counts: false,
        double_precision: false,
        trial_profiles: None,
        weights: false,
        replaceable: false,
    };
}

/// The largest batch of a plan. It changes no result.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct BatchLimits {
    /// Number of segments, each with a row for every series of the plan; a multiple of the plan's run length.
    pub rows: usize,
    /// Number of events.
    pub events: usize,
}

/// Threads that work for a device on the host; the caller's own where it has none.
#[derive(Clone, Debug, Default)]
pub struct WorkerThreads(pub(super) Option<Arc<ThreadPool>>);

impl WorkerThreads {
    /// Works on these threads.
    pub fn run<T: Send>(&self, work: impl FnOnce() -> T + Send) -> T {
        match &self.0 {
            Some(pool) => pool.install(work),
            None => work(),
        }
    }
}

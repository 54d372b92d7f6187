//! How far a run is, and whether it shall end: shared by all threads that work for it.

use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};

use super::error::{Error, Result};

/// How far a run is. Whoever works advances it; whoever waits reads it, and may end the run.
#[derive(Debug, Default)]
pub struct Progress {
    done: AtomicU64,
    total: AtomicU64,
    cancelled: AtomicBool,
}

impl Progress {
    /// A new part of the work begins, of `total` steps; 0 where nobody knows.
    pub fn begin(&self, total: u64) {
        self.done.store(0, Ordering::Relaxed);
        self.total.store(total, Ordering::Relaxed);
    }

    /// So many more steps are done.
    ///
    /// # Errors
    /// The run was cancelled.
    pub fn advance(&self, steps: u64) -> Result<()> {
        self.done.fetch_add(steps, Ordering::Relaxed);
        self.check()
    }

    /// What was done does not count: it is done again.
    pub fn begin_again(&self) {
        self.done.store(0, Ordering::Relaxed);
    }

    /// Goes on unless the run was cancelled.
    ///
    /// # Errors
    /// It was.
    pub fn check(&self) -> Result<()> {
        if self.is_cancelled() { Err(Error::Cancelled) } else { Ok(()) }
    }

    /// True once the run was cancelled.
    pub fn is_cancelled(&self) -> bool {
        self.cancelled.load(Ordering::Relaxed)
    }

    /// Ends the run as soon as its threads notice.
    pub fn cancel(&self) {
        self.cancelled.store(true, Ordering::Relaxed);
    }

    /// Steps that are done, and all that there are; the first is never above the second unless the second is 0.
    pub fn state(&self) -> (u64, u64) {
        let total = self.total.load(Ordering::Relaxed);
        let done = self.done.load(Ordering::Relaxed);
        (if total > 0 { done.min(total) } else { done }, total)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_cancelled_run_ends_at_its_next_step() {
        let progress = Progress::default();
        progress.begin(10);
        progress.advance(4).unwrap();
        assert_eq!(progress.state(), (4, 10));
        progress.advance(40).unwrap();
        assert_eq!(progress.state(), (10, 10));
        progress.cancel();
        assert!(matches!(progress.advance(1), Err(Error::Cancelled)));
        assert!(progress.check().is_err() && progress.is_cancelled());
    }
}

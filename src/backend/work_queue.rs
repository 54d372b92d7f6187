//! How pieces of work are dealt to threads.

use crate::base::choice::choice;
use std::ops::Range;
use std::sync::atomic::{AtomicUsize, Ordering};

/// How threads share pieces of work that take about as long; for studies of their cost. It changes no result.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Schedule {
    /// Who is done takes the next piece.
    #[default]
    Dynamic,
    /// Each thread has as many, known before.
    Static,
    /// Who is done takes a share of what is left: large ones first, one piece at the end.
    Guided,
}

choice!(Schedule, "schedule": Dynamic = "dynamic", Static = "static", Guided = "guided");

/// The numbers below a count, dealt to threads.
pub struct WorkQueue {
    schedule: Schedule,
    count: usize,
    threads: usize,
    next: AtomicUsize,
}

impl WorkQueue {
    /// Deals `count` pieces to at most `threads` threads.
    pub fn new(schedule: Schedule, count: usize, threads: usize) -> WorkQueue {
        WorkQueue { schedule, count, threads: threads.min(count), next: AtomicUsize::new(0) }
    }

    /// Threads that have something to do.
    pub fn threads(&self) -> usize {
        self.threads
    }

    /// The pieces of a thread, ascending; asked for once by each of [`WorkQueue::threads`].
    pub fn of(&self, thread: usize) -> impl Iterator<Item = usize> {
        let mut own = match self.schedule {
            Schedule::Static => self.count * thread / self.threads..self.count * (thread + 1) / self.threads,
            Schedule::Dynamic | Schedule::Guided => 0..0,
        };
        std::iter::from_fn(move || {
            if own.is_empty() {
                own = self.take();
            }
            own.next()
        })
    }

    /// Pieces that nobody has.
    fn take(&self) -> Range<usize> {
        let end = |begin: usize| {
            let left = self.count - begin;
            begin
                + match self.schedule {
                    Schedule::Static => 0,
                    Schedule::Dynamic => left.min(1),
                    Schedule::Guided => left.div_ceil(2 * self.threads.max(1)),
                }
        };
        let begin = self.next.fetch_update(Ordering::Relaxed, Ordering::Relaxed, |begin| Some(end(begin)));
        begin.map_or(0..0, |begin| begin..end(begin))
    }
}

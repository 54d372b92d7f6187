//! What is kept of a group until its sums are there, and who works on it.

use std::sync::Arc;
use std::time::Instant;

use super::member::work;
use crate::backend::BatchLimits;
use crate::base::error::BackendError;
use crate::base::sums::PartialSums;
use crate::segment::{PlanSpec, SegmentBatch};

/// A group of batches, kept until it is summed so that another device can do it again.
pub(super) struct BatchGroup {
    pub plan: usize,
    /// Rows of a segment.
    series: usize,
    /// Its batches so far; those from `sent` on have not been given to the member.
    batches: Vec<Arc<SegmentBatch>>,
    sent: usize,
    /// Its last batch is there.
    complete: bool,
    /// Batches were forgotten, so nobody can begin again.
    forgotten: bool,
    /// Who works on it.
    pub member: Option<usize>,
    /// Tickets of the member that were not collected.
    pub outstanding: usize,
    pub sums: PartialSums,
    /// Summed.
    pub done: bool,
    /// Bins and events.
    pub work: f64,
    /// When the member got its first batch.
    pub began: Instant,
    /// Index of its first segment.
    pub first_segment: u64,
}

impl BatchGroup {
    pub fn new(plan: usize, spec: &PlanSpec, batch: &SegmentBatch) -> BatchGroup {
        BatchGroup {
            plan,
            series: spec.series(),
            batches: Vec::new(),
            sent: 0,
            complete: false,
            forgotten: false,
            member: None,
            outstanding: 0,
            sums: PartialSums::new(),
            done: false,
            work: work(batch, spec),
            began: Instant::now(),
            first_segment: batch.rows.first().map_or(0, |row| row.index),
        }
    }

    pub fn push(&mut self, batch: Arc<SegmentBatch>) {
        if !batch.first {
            self.work += batch.times.len() as f64;
        }
        self.complete = batch.last;
        self.batches.push(batch);
    }

    /// Batches wait for a member, or for being sent to theirs.
    pub fn is_due(&self, limits: Option<BatchLimits>) -> bool {
        self.sent < self.batches.len() && (self.complete || limits.is_none_or(|limits| self.fits(limits)))
    }

    /// Whether a member takes the batches as they are; else only the whole group can be cut.
    fn fits(&self, limits: BatchLimits) -> bool {
        self.batches.first().is_none_or(|batch| batch.rows.len() <= limits.rows * self.series)
    }

    /// A member has some of its batches and waits for more.
    pub fn is_open(&self) -> bool {
        (self.sent > 0 || self.forgotten) && !(self.complete && self.sent == self.batches.len())
    }

    /// All batches are to be sent again, to the member that has some of them or to another.
    pub fn restart(&mut self) -> Result<(), BackendError> {
        if self.forgotten {
            return Err(BackendError::NotKept);
        }
        self.sent = 0;
        Ok(())
    }

    /// The batches to send now, cut at runs where the member takes fewer segments.
    pub fn take_due(&mut self, spec: &PlanSpec, limits: BatchLimits) -> Vec<Arc<SegmentBatch>> {
        let due = &self.batches[self.sent..];
        self.sent = self.batches.len();
        let Some(first) = due.first().filter(|_| !self.fits(limits)) else { return due.to_vec() };
        let runs = first.runs(spec.run_length());
        let parts = runs.chunks((limits.rows as u64 / spec.run_length()).max(1) as usize).map(|runs| {
            let rows = runs[0].1.start..runs[runs.len() - 1].1.end;
            due.iter().map(move |batch| Arc::new(batch.part(rows.clone(), spec.n)))
        });
        parts.flatten().collect()
    }

    /// Forgets what was sent when more than so many events are kept.
    pub fn bound(&mut self, events: usize) -> Result<(), BackendError> {
        if self.batches.iter().map(|batch| batch.times.len()).sum::<usize>() > events {
            self.forgotten = true;
            if self.sent == 0 {
                return self.restart();
            }
            self.batches.drain(..self.sent);
            self.sent = 0;
        }
        Ok(())
    }

    /// Counts a ticket's sums.
    pub fn add(&mut self, sums: PartialSums) {
        self.sums.merge(sums);
        self.outstanding -= 1;
        if self.complete && self.sent == self.batches.len() && self.outstanding == 0 {
            self.done = true;
            (self.batches, self.sent) = (Vec::new(), 0);
        }
    }
}

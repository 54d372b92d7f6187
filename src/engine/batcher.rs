//! Sorted times to batches of whole runs of segments.

use std::ops::Range;

use super::plan::Plan;
use super::reader::{Reader, TakeOutcome};
use crate::backend::BatchLimits;
use crate::base::error::Result;
use crate::segment::plan::Segment;
use crate::segment::{SegmentBatch, SeriesSegment};

/// Walks through segments and events together; both are in order.
///
/// Each input is read once: the times of all its bands come together, and wait until the rows of their series are filled.
/// Where too many would wait, a batch has what came of each series, and another goes on with the same segment.
pub(super) struct Batcher<'a, 'r> {
    plan: &'a Plan,
    /// One an input.
    readers: Vec<&'a mut Reader<'r>>,
    limits: BatchLimits,
    /// Segments from the next group on.
    rest: Range<u64>,
    /// Where filling goes on: pass, and row in the group.
    pass: usize,
    row: usize,
    /// Some series of the current segment waits for the times of others to be taken.
    waiting: bool,
    /// One a segment and series.
    rows: Vec<SeriesSegment>,
    first: bool,
    times: Vec<f64>,
}

impl<'a, 'r> Batcher<'a, 'r> {
    /// For some segments of a plan, which begin with a run.
    pub fn new(
        plan: &'a Plan,
        readers: Vec<&'a mut Reader<'r>>,
        segments: Range<u64>,
        limits: BatchLimits,
    ) -> Batcher<'a, 'r> {
        Batcher {
            plan,
            readers,
            limits,
            rest: segments,
            pass: 0,
            row: 0,
            waiting: false,
            rows: Vec::new(),
            first: true,
            times: Vec::new(),
        }
    }

    /// Gives all batches to `take`, or those before times turn out to be out of order.
    pub fn run(mut self, take: &mut dyn FnMut(SegmentBatch) -> Result<()>) -> Result<()> {
        while let Some(batch) = self.next_batch()? {
            if !self.is_in_order() {
                break;
            }
            take(batch)?;
        }
        Ok(())
    }

    fn is_in_order(&self) -> bool {
        self.readers.iter().all(|reader| reader.is_in_order())
    }

    /// The next batch, or `None` when all segments are done.
    fn next_batch(&mut self) -> Result<Option<SegmentBatch>> {
        if self.rows.is_empty() && !self.open_group() {
            return Ok(None);
        }
        let series = self.plan.spec.series();
        loop {
            while self.row < self.rows.len() {
                match self.fill_row()? {
                    TakeOutcome::Full => return Ok(Some(self.take_batch(false))),
                    TakeOutcome::Waiting => self.waiting = true,
                    TakeOutcome::All => {}
                }
                self.row += 1;
                if self.waiting && self.row.is_multiple_of(series) {
                    // Each series has given what was read; the same segment goes on.
                    (self.row, self.waiting) = (self.row - series, false);
                    return Ok(Some(self.take_batch(false)));
                }
            }
            (self.pass, self.row) = (self.pass + 1, 0);
            if self.pass >= self.plan.passes() {
                let batch = self.take_batch(true);
                self.rows.clear();
                return Ok(Some(batch));
            }
            // The next of the merged inputs has its own clock, hence its own starts.
            if self.rows.iter().enumerate().any(|(row, r)| self.feeder(row, r.index).is_some()) {
                let batch = self.take_batch(false);
                self.place_rows();
                return Ok(Some(batch));
            }
        }
    }

    fn open_group(&mut self) -> bool {
        let begin = self.rest.start;
        let end = begin.saturating_add(self.limits.rows as u64).min(self.rest.end);
        if begin >= end {
            return false;
        }
        let rows = |index| std::iter::repeat_n(SeriesSegment::empty(index), self.plan.spec.series());
        self.rows = (begin..end).flat_map(rows).collect();
        self.rest.start = end;
        (self.pass, self.row, self.first) = (0, 0, true);
        self.place_rows();
        true
    }

    /// The input that feeds a row in this pass.
    fn feeder(&self, row: usize, index: u64) -> Option<usize> {
        self.plan.feeder(index, row % self.plan.spec.series(), self.pass)
    }

    /// Gives each row the start of its segment in the clock of the input being read.
    fn place_rows(&mut self) {
        for row in 0..self.rows.len() {
            let index = self.rows[row].index;
            if let Some(input) = self.feeder(row, index) {
                let input = &self.plan.inputs[input];
                self.rows[row].start = input.segments.get(index - input.first).start;
            }
            (self.rows[row].begin, self.rows[row].end) = (0, 0);
        }
    }

    /// Reads on into the current row.
    fn fill_row(&mut self) -> Result<TakeOutcome> {
        let index = self.rows[self.row].index;
        let Some(feeder) = self.feeder(self.row, index) else { return Ok(TakeOutcome::All) };
        let input = &self.plan.inputs[feeder];
        let Segment { first, stop, .. } = input.segments.get(index - input.first);
        let band = self.row % self.plan.spec.series() - input.series.start;
        let reader = &mut self.readers[feeder];
        // All bands at once: their rows of a segment begin together.
        if band == 0 && !self.waiting {
            reader.skip_to(first)?;
        }
        let row = &mut self.rows[self.row];
        if row.begin == row.end {
            (row.begin, row.end) = (self.times.len(), self.times.len());
        }
        let taken = reader.take_to(band, stop, self.limits.events, !self.waiting, &mut self.times)?;
        row.events += (self.times.len() - row.end) as u64;
        row.end = self.times.len();
        Ok(taken)
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
        self.times.reserve_exact(times.len());
        let first = std::mem::replace(&mut self.first, false);
        SegmentBatch { rows, times, flux: Vec::new(), first, last }
    }
}

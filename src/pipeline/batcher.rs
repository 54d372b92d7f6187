//! Sorted times to batches of whole runs of segments.

use std::sync::Arc;

use super::source::{Events, TimeSource};
use super::{Combine, Plan, Progress};
use crate::backend::BatchLimits;
use crate::data::{Balance, Gti};
use crate::error::Result;
use crate::segment::plan::{Segment, Segments};
use crate::segment::{Row, SegmentBatch};
use crate::time::Dd;

/// Walks through segments and events together; both are in order.
pub(super) struct Batcher<'a> {
    plan: &'a Plan,
    readers: Vec<Reader<'a>>,
    limits: BatchLimits,
    /// First segment of the group that is being filled.
    group: u64,
    /// Where filling goes on: input and row in the group.
    input: usize,
    row: usize,
    rows: Vec<Row>,
    first: bool,
    times: Vec<f64>,
}

impl<'a> Batcher<'a> {
    pub fn new(plan: &'a Plan, inputs: Vec<Events<'a>>, limits: BatchLimits, chunk: usize) -> Batcher<'a> {
        let readers = inputs.into_iter().zip(&plan.gtis);
        let readers = readers.map(|(input, gti)| Reader::new(input.source, edges(gti, input.offset), chunk));
        let readers = readers.collect();
        Batcher { plan, readers, limits, group: 0, input: 0, row: 0, rows: Vec::new(), first: true, times: Vec::new() }
    }

    /// The next batch, or `None` when all segments are done.
    pub fn next_batch(&mut self, progress: Progress) -> Result<Option<SegmentBatch>> {
        if self.rows.is_empty() && !self.open_group() {
            return Ok(None);
        }
        loop {
            if self.row == self.rows.len() {
                self.row = 0;
                self.input += 1;
                if self.plan.combine == Combine::Average || self.input == self.readers.len() {
                    return Ok(Some(self.close_group()));
                }
                // The next of the merged inputs has its own clock, hence its own starts.
                let batch = self.take_batch(false);
                self.place_rows();
                return Ok(Some(batch));
            }
            if !self.fill_row(progress)? {
                return Ok(Some(self.take_batch(false)));
            }
        }
    }

    /// Counts what is left of the inputs; the reader's part of the balance.
    pub fn finish(self, progress: Progress) -> Result<Balance> {
        let mut balance = Balance::default();
        for reader in self.readers {
            balance.add(&reader.finish(progress)?);
        }
        Ok(balance)
    }

    fn open_group(&mut self) -> bool {
        let end = (self.group + self.limits.rows as u64).min(self.plan.total_segments());
        if self.group >= end {
            return false;
        }
        let empty =
            Row { index: 0, start: Dd::ZERO, begin: 0, end: 0, events: 0, flux_mean: 0.0, variance: 0.0, scale: 0 };
        self.rows = (self.group..end).map(|index| Row { index, ..empty }).collect();
        self.group = end;
        (self.input, self.row, self.first) = (0, 0, true);
        self.place_rows();
        true
    }

    /// Gives each row the start of its segment in the clock of the input being read.
    fn place_rows(&mut self) {
        let (plan, input) = (self.plan, self.input);
        for row in &mut self.rows {
            let (segments, i, _) = locate(plan, input, row.index);
            row.start = segments.get(i).start;
            (row.begin, row.end) = (0, 0);
        }
    }

    /// Reads on into the current row; false when the batch is full before the row is.
    fn fill_row(&mut self, progress: Progress) -> Result<bool> {
        let (segments, i, reader) = locate(self.plan, self.input, self.rows[self.row].index);
        let Segment { first, stop, .. } = segments.get(i);
        let reader = &mut self.readers[reader];
        reader.skip_to(first, progress)?;
        let row = &mut self.rows[self.row];
        if row.begin == row.end {
            (row.begin, row.end) = (self.times.len(), self.times.len());
        }
        let complete = reader.take_to(stop, self.limits.events, &mut self.times, progress)?;
        row.events += (self.times.len() - row.end) as u64;
        row.end = self.times.len();
        self.row += usize::from(complete);
        Ok(complete)
    }

    fn close_group(&mut self) -> SegmentBatch {
        let batch = self.take_batch(true);
        self.rows.clear();
        batch
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

/// Good time intervals as exact edges of raw times.
pub(super) fn edges(gti: &Gti, offset: Dd) -> Arc<[(f64, f64)]> {
    gti.intervals().iter().map(|&(a, b)| ((a - offset).ceil_f64(), (b - offset).ceil_f64())).collect()
}

/// The segments, the place in them and the reader of an absolute segment index; merged inputs share their indices.
pub(super) fn locate(plan: &Plan, input: usize, mut index: u64) -> (&Segments, u64, usize) {
    if plan.combine == Combine::Merge {
        return (&plan.segments[input], index, input);
    }
    for (reader, segments) in plan.segments.iter().enumerate() {
        if index < segments.len() {
            return (segments, index, reader);
        }
        index -= segments.len();
    }
    unreachable!("an index below the number of segments is in one of the inputs")
}

/// One input, read on demand.
pub(super) struct Reader<'a> {
    source: Box<dyn TimeSource + 'a>,
    chunk: Vec<f64>,
    at: usize,
    rows: usize,
    done: bool,
    /// See [`edges`].
    intervals: Arc<[(f64, f64)]>,
    outside_gti: u64,
    outside_segments: u64,
    reported: u64,
}

impl<'a> Reader<'a> {
    /// Reads `rows` rows at a time; `intervals` are those of [`edges`].
    pub fn new(source: Box<dyn TimeSource + 'a>, intervals: Arc<[(f64, f64)]>, rows: usize) -> Reader<'a> {
        let (chunk, rows) = (Vec::new(), rows.max(1));
        Reader { source, chunk, at: 0, rows, done: false, intervals, outside_gti: 0, outside_segments: 0, reported: 0 }
    }

    /// Counts what is left; the reader's part of the balance.
    pub fn finish(mut self, progress: &mut dyn FnMut(u64)) -> Result<Balance> {
        self.skip_to(f64::INFINITY, progress)?;
        let (outside_gti, outside_segments) = (self.outside_gti, self.outside_segments);
        Ok(Balance { outside_gti, outside_segments, ..self.source.balance() })
    }

    /// Makes sure that there is an unread time; false at the end.
    fn refill(&mut self, progress: &mut dyn FnMut(u64)) -> Result<bool> {
        while self.at == self.chunk.len() && !self.done {
            self.chunk.clear();
            self.at = 0;
            self.done = !self.source.next_chunk(self.rows, &mut self.chunk)?;
            let read = self.source.balance().read;
            progress(read - self.reported);
            self.reported = read;
        }
        Ok(self.at < self.chunk.len())
    }

    /// Passes over times below `edge`, which are in no segment, and counts them.
    pub fn skip_to(&mut self, edge: f64, progress: &mut dyn FnMut(u64)) -> Result<()> {
        while self.refill(progress)? {
            let gap = &self.chunk[self.at..];
            let gap = &gap[..gap.partition_point(|&t| t < edge)];
            if gap.is_empty() {
                return Ok(());
            }
            let inside = self.inside_intervals(gap);
            self.outside_segments += inside;
            self.outside_gti += gap.len() as u64 - inside;
            self.at += gap.len();
        }
        Ok(())
    }

    /// Times of a sorted slice that are inside a good time interval.
    fn inside_intervals(&self, times: &[f64]) -> u64 {
        let from = self.intervals.partition_point(|&(_, stop)| stop <= times[0]);
        let last = times[times.len() - 1];
        let near = self.intervals[from..].iter().take_while(|&&(start, _)| start <= last);
        let below = |edge: f64| times.partition_point(|&t| t < edge) as u64;
        near.map(|&(start, stop)| below(stop) - below(start)).sum()
    }

    /// Appends times below `stop`, up to `most` in all; true when none is left below it.
    pub fn take_to(
        &mut self,
        stop: f64,
        most: usize,
        out: &mut Vec<f64>,
        progress: &mut dyn FnMut(u64),
    ) -> Result<bool> {
        while self.refill(progress)? {
            let here = &self.chunk[self.at..];
            let here = &here[..here.partition_point(|&t| t < stop)];
            let taken = here.len().min(most - out.len());
            out.extend_from_slice(&here[..taken]);
            self.at += taken;
            if taken < here.len() {
                return Ok(false);
            }
            if self.at < self.chunk.len() {
                return Ok(true);
            }
        }
        Ok(true)
    }

    /// Calls `look` with the times below `stop`, piece by piece.
    pub fn each_to(&mut self, stop: f64, progress: &mut dyn FnMut(u64), mut look: impl FnMut(&[f64])) -> Result<()> {
        while self.refill(progress)? {
            let here = &self.chunk[self.at..];
            let here = &here[..here.partition_point(|&t| t < stop)];
            look(here);
            self.at += here.len();
            if self.at < self.chunk.len() {
                break;
            }
        }
        Ok(())
    }
}

//! Sorted times to batches of whole runs of segments.

use super::options::Reading;
use super::plan::{InputPlan, Plan};
use super::reader::{Reader, TakeOutcome, edges};
use super::time_source::{self, Events, TimeSource};
use crate::backend::BatchLimits;
use crate::base::error::Result;
use crate::base::time::DoubleDouble;
use crate::base::warning::Warnings;
use crate::data::{EventBalance, Record};
use crate::io::{BandSelection, EventFile, EventStream};
use crate::segment::plan::Segment;
use crate::segment::{SegmentBatch, SeriesSegment};

/// Calls `take` with the batches of a plan, and with nothing before the first. Files are read once; where one that nobody has read
/// before turns out to be out of order, all begins again, with nothing, and it is sorted. The reader's part of the balance, and
/// what products say of the inputs.
///
/// # Errors
/// Reading fails; `take` does.
pub(super) fn each_batch(
    plan: &Plan,
    mut inputs: Vec<Events>,
    limits: BatchLimits,
    reading: Reading,
    warnings: &mut Warnings,
    mut take: impl FnMut(Option<SegmentBatch>) -> Result<()>,
) -> Result<Record> {
    take(None)?;
    let mut first = None;
    if let Some(sources) = first_readings(&inputs)? {
        first = Batcher::new(plan, sources, limits, reading).run(&mut take)?;
        if first.is_none() {
            take(None)?;
        }
    }
    inputs.iter_mut().try_for_each(|input| input.prepare(warnings))?;
    let mut made = time_source::describe(&inputs);
    made.gti = plan.used_gti();
    let sources = || inputs.into_iter().map(|input| (input.source, input.offset)).collect();
    let balance = match first {
        Some(balance) => Some(balance),
        None => Batcher::new(plan, sources(), limits, reading).run(&mut take)?,
    };
    made.photons = balance.unwrap_or_default();
    Ok(made)
}

/// Times, and what brings them to the frame.
type OffsetTimeSource<'a> = (Box<dyn TimeSource + 'a>, DoubleDouble);

/// Streams of files of which some have not been read before; `None` where none is left, or where all is known: no files, files
/// known to be out of order.
fn first_readings<'a>(inputs: &[Events<'a>]) -> Result<Option<Vec<OffsetTimeSource<'a>>>> {
    let files: Option<Vec<_>> = inputs.iter().map(|input| Some((input.unread_file()?, input.offset))).collect();
    let Some(files) = files else { return Ok(None) };
    let known = || files.iter().map(|((file, _), _)| file.known());
    if known().all(|k| k.is_some()) || known().flatten().any(|times| !times.sorted) {
        return Ok(None);
    }
    let stream =
        |((file, parting), offset): ((&'a EventFile, &BandSelection), DoubleDouble)| -> Result<OffsetTimeSource<'a>> {
            Ok((Box::new(EventStream::open_unordered(file, parting.clone())?), offset))
        };
    files.into_iter().map(stream).collect::<Result<Vec<_>>>().map(Some)
}

/// Walks through segments and events together; both are in order.
///
/// Each input is read once: the times of all its bands come together, and wait until the rows of their series are filled.
/// Where too many would wait, a batch has what came of each series, and another goes on with the same segment.
pub(super) struct Batcher<'a> {
    plan: &'a Plan,
    readers: Vec<Reader<'a>>,
    limits: BatchLimits,
    /// First segment of the next group.
    group: u64,
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

impl<'a> Batcher<'a> {
    fn new(
        plan: &'a Plan,
        inputs: Vec<OffsetTimeSource<'a>>,
        limits: BatchLimits,
        reading: Reading<'a>,
    ) -> Batcher<'a> {
        let reader = |((source, offset), planned): (OffsetTimeSource<'a>, &InputPlan)| {
            let counted = planned.series.clone().map(|which| plan.spec.counts(which)).collect();
            Reader::new(source, edges(&planned.gti, offset), counted, reading)
        };
        Batcher {
            plan,
            readers: inputs.into_iter().zip(&plan.inputs).map(reader).collect(),
            limits,
            group: 0,
            pass: 0,
            row: 0,
            waiting: false,
            rows: Vec::new(),
            first: true,
            times: Vec::new(),
        }
    }

    /// Gives all batches to `take`, and counts what is left of the inputs: the reader's part of the balance; `None` as soon as
    /// times turn out to be out of order.
    fn run(mut self, take: &mut dyn FnMut(Option<SegmentBatch>) -> Result<()>) -> Result<Option<EventBalance>> {
        while let Some(batch) = self.next_batch()? {
            if !self.is_in_order() {
                return Ok(None);
            }
            take(Some(batch))?;
        }
        let mut balance = EventBalance::default();
        for reader in &mut self.readers {
            balance.add(&reader.finish()?);
        }
        Ok(self.is_in_order().then_some(balance))
    }

    fn is_in_order(&self) -> bool {
        self.readers.iter().all(Reader::is_in_order)
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
        let end = (self.group + self.limits.rows as u64).min(self.plan.total_segments());
        if self.group >= end {
            return false;
        }
        let empty = SeriesSegment {
            index: 0,
            start: DoubleDouble::ZERO,
            begin: 0,
            end: 0,
            events: 0,
            flux_mean: 0.0,
            variance: 0.0,
            scale: 0,
        };
        let rows = |index| std::iter::repeat_n(SeriesSegment { index, ..empty }, self.plan.spec.series());
        self.rows = (self.group..end).flat_map(rows).collect();
        self.group = end;
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

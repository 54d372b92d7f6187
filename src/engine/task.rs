//! One of the tasks that [`single_pass`](super::single_pass) gives to threads: rows of event files read, counted,
//! transformed and added.

use std::ops::Range;
use std::sync::Arc;

use rayon::prelude::*;

use super::options::Reading;
use super::plan::{InputPlan, Plan};
use super::reader::Reader;
use crate::backend::local::{LocalPlan, LocalWorker, SegmentCounts};
use crate::base::error::Result;
use crate::base::sums::{PartialSums, Sums};
use crate::base::time::DoubleDouble;
use crate::base::trace;
use crate::data::EventBalance;
use crate::io::{BandSelection, EventFile, RowRangeReader, RowRangeScan};
use crate::segment::SeriesSegment;
use crate::segment::plan::Segment;

/// Least bytes of a segment's rows that are worth a thread of their own.
const PART_BYTES: usize = 512 << 10;
/// Most bytes of the counts that threads have of one segment, besides those of the one whose task it is.
pub(super) const PARTS_MEMORY: usize = 256 << 20;

/// One file, and what is looked for in it.
pub(super) struct TaskInput<'a> {
    pub file: &'a EventFile,
    pub parting: &'a BandSelection,
    pub plan: &'a InputPlan,
    pub intervals: Arc<[(f64, f64)]>,
    /// Nobody has read the file through yet.
    pub unread: bool,
}

/// Whole runs of segments, and the rows of each input that they, and the gap behind each of them, have.
pub(super) struct Task {
    pub segments: Range<u64>,
    pub rows: Vec<Range<usize>>,
}

/// What became known of files, by input.
pub(super) type RowRangeScans = Vec<(usize, RowRangeScan)>;

/// What came of one task.
pub(super) struct TaskSums {
    pub sums: PartialSums,
    pub balance: EventBalance,
    pub parts: RowRangeScans,
}

/// What all tasks have in common.
pub(super) struct TaskContext<'a> {
    pub plan: &'a Plan,
    pub inputs: &'a [TaskInput<'a>],
    pub local: &'a LocalPlan,
    pub reading: Reading<'a>,
    /// There are so few runs of segments that threads would be idle: all of them count a long segment together.
    pub few: bool,
}

impl<'a> TaskContext<'a> {
    /// Reads, counts, transforms and adds one task; the buffers of a thread are made for its first segment.
    pub fn one(&self, task: &Task, worker: &mut Option<LocalWorker<'a>>) -> Result<TaskSums> {
        let _span = trace::span("segments");
        if let Some(ends) = self.ends(task)? {
            return self.run_task_in_parts(task, &ends, worker);
        }
        let (sums, balance, parts) = self.read(&task.segments, &task.rows, |readers| {
            self.sums(task, worker, |rows, counts| self.count(rows, readers, counts))
        })?;
        Ok(TaskSums { sums, balance, parts })
    }

    /// One task of long segments, of each of which every thread counts some of the rows, that end in `ends` by segment and input.
    fn run_task_in_parts(
        &self,
        task: &Task,
        ends: &[Vec<usize>],
        worker: &mut Option<LocalWorker<'a>>,
    ) -> Result<TaskSums> {
        let (mut balance, mut parts) = (EventBalance::default(), Vec::new());
        let mut others = Vec::new();
        let mut begins: Vec<usize> = task.rows.iter().map(|rows| rows.start).collect();
        let mut ends = ends.iter();
        let sums = self.sums(task, worker, |rows, counts| {
            let (index, empty) = (rows[0].index, rows.to_vec());
            let all: Vec<Range<usize>> =
                begins.iter().zip(ends.next().into_iter().flatten()).map(|(&b, &e)| b..e).collect();
            let most = (self.bytes(&all) / PART_BYTES).min(1 + PARTS_MEMORY / self.local.counts_bytes().max(1));
            let number = most.clamp(1, self.local.threads());
            others.resize_with(number - 1, || self.local.counts());
            let one = |(part, counts): (usize, &mut SegmentCounts)| {
                let cut = |rows: &Range<usize>, part: usize| rows.start + rows.len() * part / number;
                let some: Vec<Range<usize>> = all.iter().map(|rows| cut(rows, part)..cut(rows, part + 1)).collect();
                let mut rows = empty.clone();
                let done = self.read(&(index..index + 1), &some, |readers| self.count(&mut rows, readers, counts))?;
                Ok((rows, done))
            };
            let each: Vec<&mut SegmentCounts> = std::iter::once(&mut *counts).chain(&mut others).collect();
            let found: Vec<Result<_>> = each.into_par_iter().enumerate().map(one).collect();
            for found in found {
                let (own, (_, own_balance, own_parts)) = found?;
                for (row, own) in rows.iter_mut().zip(own) {
                    *row = SeriesSegment { events: row.events + own.events, ..own };
                }
                balance.add(&own_balance);
                parts.extend(own_parts);
            }
            others.iter().for_each(|other| counts.add(other));
            begins = all.iter().map(|rows| rows.end).collect();
            Ok(())
        })?;
        Ok(TaskSums { sums, balance, parts })
    }

    /// Where the rows of each segment end in each input, if they are to be counted by all threads: where there is nothing else for
    /// these to do, and segments are long. `None` also among too many times that are not finite.
    fn ends(&self, task: &Task) -> Result<Option<Vec<Vec<usize>>>> {
        let count = (task.segments.end - task.segments.start) as usize;
        if !self.few || count == 0 || self.bytes(&task.rows) / count < 2 * PART_BYTES {
            return Ok(None);
        }
        let mut ends: Vec<Vec<usize>> = Vec::new();
        for index in task.segments.start..task.segments.end - 1 {
            let mut of_segment = Vec::new();
            for (number, (input, rows)) in self.inputs.iter().zip(&task.rows).enumerate() {
                let begin = ends.last().map_or(rows.start, |ends| ends[number]);
                let indices = input.plan.indices();
                let stop = indices.contains(&index).then(|| input.plan.segments.get(index - indices.start).stop);
                let Some(end) = stop.map_or(Ok(Some(begin)), |stop| input.file.first_row_at(stop, begin..rows.end))?
                else {
                    return Ok(None);
                };
                of_segment.push(end);
            }
            ends.push(of_segment);
        }
        ends.push(task.rows.iter().map(|rows| rows.end).collect());
        Ok(Some(ends))
    }

    /// Bytes of some rows of each input.
    fn bytes(&self, rows: &[Range<usize>]) -> usize {
        self.inputs.iter().zip(rows).map(|(input, rows)| rows.len() * input.file.row_size()).sum()
    }

    /// The sums of a task's segments, each of which `count` counts, with one row a series.
    fn sums(
        &self,
        task: &Task,
        worker: &mut Option<LocalWorker<'a>>,
        mut count: impl FnMut(&mut [SeriesSegment], &mut SegmentCounts) -> Result<()>,
    ) -> Result<PartialSums> {
        let (mut sums, run) = (self.plan.spec.empty_sums(), self.plan.spec.run_length());
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
        let mut rows = vec![empty; self.plan.spec.series()];
        let mut segments = task.segments.clone();
        while !segments.is_empty() {
            let worker = worker.get_or_insert_with(|| self.local.worker());
            let end = (segments.start + run).min(segments.end);
            let mut of_run = Sums::default();
            for index in segments.start..end {
                rows.fill(SeriesSegment { index, ..empty });
                count(&mut rows, &mut worker.counts)?;
                worker.add(&rows, &mut of_run);
            }
            sums.push_run(segments.start / run, of_run);
            segments.start = end;
        }
        Ok(sums)
    }

    /// What `work` makes of some rows of each input, of which some segments are looked for; the rows' part in the balance, and in what is
    /// known of the files.
    fn read<T>(
        &self,
        segments: &Range<u64>,
        rows: &[Range<usize>],
        work: impl FnOnce(&mut [(usize, Reader)]) -> Result<T>,
    ) -> Result<(T, EventBalance, RowRangeScans)> {
        let mut shares = Vec::new();
        for (number, (input, rows)) in self.inputs.iter().zip(rows).enumerate() {
            let indices = input.plan.indices();
            let here = indices.start < segments.end && segments.start < indices.end;
            if here && !segments.is_empty() || !rows.is_empty() {
                let share = RowRangeReader::new(input.file, input.parting.clone(), rows.clone(), input.unread)?;
                shares.push((number, share));
            }
        }
        let mut readers: Vec<(usize, Reader)> = Vec::new();
        for (number, share) in &mut shares {
            let input = &self.inputs[*number];
            let counted = input.plan.series.clone().map(|which| self.plan.spec.counts(which)).collect();
            readers.push((*number, Reader::new(Box::new(share), input.intervals.clone(), counted, self.reading)));
        }
        let made = work(&mut readers)?;
        let mut balance = EventBalance::default();
        for (_, mut reader) in readers {
            balance.add(&reader.finish()?);
        }
        Ok((made, balance, shares.into_iter().map(|(number, share)| (number, share.part)).collect()))
    }

    /// Counts the events of a segment, in all inputs that have some; `rows` are those of its series.
    fn count(
        &self,
        rows: &mut [SeriesSegment],
        readers: &mut [(usize, Reader)],
        counts: &mut SegmentCounts,
    ) -> Result<()> {
        let index = rows[0].index;
        counts.clear();
        for (number, reader) in readers {
            let input = self.inputs[*number].plan;
            if !input.indices().contains(&index) {
                continue;
            }
            let Segment { start, first, stop } = input.segments.get(index - input.first);
            reader.skip_to(first)?;
            reader.each_to(stop, |band, times| {
                let which = input.series.start + band;
                rows[which].start = start;
                rows[which].events += times.len() as u64;
                counts.count(which, times, start);
            })?;
        }
        Ok(())
    }
}

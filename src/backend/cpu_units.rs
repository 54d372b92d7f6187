//! The threads of the CPU as a device that pulls the times of units: each byte of a file is read once, by the thread that counts,
//! transforms and adds what is in it.

use std::ops::Range;
use std::sync::Arc;

use rayon::ThreadPool;
use rayon::prelude::*;

use super::leaf::{LeafBuilder, SegmentCounts};
use super::segment_transformer::SegmentTransformer;
use super::units::{UnitFindings, Units};
use super::work_queue::WorkQueue;
use crate::base::error::Result;
use crate::base::sums::PartialSums;
use crate::base::trace;
use crate::numerics::fft;
use crate::segment::{PlanSpec, SeriesSegment, Unit};

/// Least bytes of a segment's rows that are worth a thread of their own.
const PART_BYTES: usize = 512 << 10;
/// Most bytes of the counts that threads have of one segment, besides those of the one whose unit it is.
const PARTS_MEMORY: usize = 256 << 20;

/// Threads, and a plan that they work on.
pub(super) struct UnitThreads<'a> {
    pub shared: &'a Arc<SegmentTransformer>,
    pub pool: &'a ThreadPool,
}

/// What a thread has for its units.
struct UnitWorker {
    leaf: LeafBuilder,
    counts: SegmentCounts,
}

/// Bytes of this process that a plan takes, at most about, with so many of the reader of each thread; `None`: batches. `n` bins, `s` series,
/// `k` frequencies in `b` blocks, and as many threads as have a run:
///
/// - the transform, once for all: [`fft::plan_bytes`];
/// - for each thread: `8·s·n` of counts, `16·(n/2 + 1)·s` of amplitudes, the scratch of the transform ([`fft::scratch_bytes`]), the sums of two
///   runs, and its reader;
/// - the counts of the threads that help with a long segment, at most 256 MiB for each thread with a run;
/// - the sums in the tree, `8·k·b` for each node: one for each of its levels, and one more.
pub(super) fn plan_bytes(spec: &PlanSpec, threads: usize, reader: Option<usize>) -> u64 {
    let of_run = 8 * (spec.frequencies() as u64) * spec.blocks() as u64;
    let runs = spec.max_segments.div_ceil(spec.run_length()).max(1);
    let busy = runs.min(threads as u64);
    let levels = u64::from(runs.ilog2()) + 1;
    let (counts, reader) = (SegmentCounts::bytes(spec) as u64, reader.unwrap_or(0) as u64);
    let helpers = match has_few_runs(spec, threads) {
        true => (PARTS_MEMORY as u64 + counts).min((threads as u64 - 1) * counts),
        false => 0,
    };
    let of_thread = LeafBuilder::bytes(spec).saturating_add(counts + 2 * of_run + helpers);
    busy.saturating_mul(of_thread)
        .saturating_add(reader.saturating_mul(threads as u64))
        .saturating_add((levels + 1) * of_run)
        .saturating_add(fft::plan_bytes(spec.n))
}

/// True where runs of segments are so few that some threads would have none, or half of all at the end.
fn has_few_runs(spec: &PlanSpec, threads: usize) -> bool {
    threads > 1 && spec.max_segments.div_ceil(spec.run_length()) < 2 * threads as u64
}

impl UnitThreads<'_> {
    /// Pulls all units, each by the thread that is free for it.
    pub fn pull(&self, units: &dyn Units) {
        let queue = WorkQueue::new(self.shared.schedule, units.count(), self.threads());
        let work = |thread: usize| {
            let mut worker = None;
            for unit in queue.of(thread).map_while(|place| units.unit(place)) {
                let done = self.one(units, unit, &mut worker);
                let findings = done.map(|(sums, findings)| {
                    units.add(sums);
                    findings
                });
                units.done(unit, findings);
            }
        };
        let _span = trace::span("wait for threads");
        self.pool.in_place_scope(|scope| {
            for thread in 0..queue.threads() {
                let work = &work;
                scope.spawn(move |_| work(thread));
            }
        });
    }

    fn threads(&self) -> usize {
        self.pool.current_num_threads()
    }

    /// True where runs of segments are so few that some threads would have none, or half of all at the end: all of them count a long
    /// segment together then.
    fn has_few_runs(&self) -> bool {
        has_few_runs(&self.shared.spec, self.threads())
    }

    /// Reads, counts, transforms and adds one unit; the buffers of a thread are made for its first segment.
    fn one(
        &self,
        units: &dyn Units,
        unit: &Unit,
        worker: &mut Option<UnitWorker>,
    ) -> Result<(PartialSums, UnitFindings)> {
        let _span = trace::span("segments");
        if let Some(ends) = self.segment_ends(units, unit)? {
            return self.in_parts(units, unit, &ends, worker);
        }
        let mut sums = PartialSums::new();
        let findings = units.times(unit, &mut |times| {
            sums = self.sums(unit, worker, |rows, counts| {
                counts.clear();
                times.segment(rows[0].index, &mut |which, times, start| {
                    rows[which].start = start;
                    rows[which].events += times.len() as u64;
                    counts.count(which, times, start);
                })?;
                Ok(())
            })?;
            Ok(())
        })?;
        Ok((sums, findings))
    }

    /// One unit of long segments, of each of which every thread counts some of the rows, that end in `ends` by segment and input.
    fn in_parts(
        &self,
        units: &dyn Units,
        unit: &Unit,
        ends: &[Vec<usize>],
        worker: &mut Option<UnitWorker>,
    ) -> Result<(PartialSums, UnitFindings)> {
        let (spec, mut findings) = (&self.shared.spec, UnitFindings::default());
        let mut others = Vec::new();
        let mut begins: Vec<usize> = unit.rows.iter().map(|rows| rows.start).collect();
        let mut ends = ends.iter();
        let sums = self.sums(unit, worker, |rows, counts| {
            let (index, empty) = (rows[0].index, rows.to_vec());
            let all: Vec<Range<usize>> =
                begins.iter().zip(ends.next().into_iter().flatten()).map(|(&b, &e)| b..e).collect();
            let most = (bytes(units, &all) / PART_BYTES).min(1 + PARTS_MEMORY / SegmentCounts::bytes(spec).max(1));
            let number = most.clamp(1, self.threads());
            others.resize_with(number - 1, || SegmentCounts::new(spec));
            let one = |(part, counts): (usize, &mut SegmentCounts)| {
                let cut = |rows: &Range<usize>, part: usize| rows.start + rows.len() * part / number;
                let some = all.iter().map(|rows| cut(rows, part)..cut(rows, part + 1)).collect();
                let part = Unit { number: unit.number, segments: index..index + 1, rows: some };
                let mut rows = empty.clone();
                counts.clear();
                let found = units.times(&part, &mut |times| {
                    times.segment(index, &mut |which, times, start| {
                        rows[which].start = start;
                        rows[which].events += times.len() as u64;
                        counts.count(which, times, start);
                    })?;
                    Ok(())
                })?;
                Ok((rows, found))
            };
            let each: Vec<&mut SegmentCounts> = std::iter::once(&mut *counts).chain(&mut others).collect();
            let found: Vec<Result<_>> = each.into_par_iter().enumerate().map(one).collect();
            for found in found {
                let (own, own_findings) = found?;
                for (row, own) in rows.iter_mut().zip(own) {
                    *row = SeriesSegment { events: row.events + own.events, ..own };
                }
                findings.add(own_findings);
            }
            others.iter().for_each(|other| counts.add(other));
            begins = all.iter().map(|rows| rows.end).collect();
            Ok(())
        })?;
        Ok((sums, findings))
    }

    /// Where the rows of each segment end in each input, if they are to be counted by all threads: where there is nothing else for
    /// these to do, and segments are long. `None` also among too many times that are not finite.
    fn segment_ends(&self, units: &dyn Units, unit: &Unit) -> Result<Option<Vec<Vec<usize>>>> {
        let count = (unit.segments.end - unit.segments.start) as usize;
        if !self.has_few_runs() || count == 0 || bytes(units, &unit.rows) / count < 2 * PART_BYTES {
            return Ok(None);
        }
        let mut ends: Vec<Vec<usize>> = Vec::new();
        for index in unit.segments.start..unit.segments.end - 1 {
            let mut of_segment = Vec::new();
            for (input, rows) in unit.rows.iter().enumerate() {
                let begin = ends.last().map_or(rows.start, |ends| ends[input]);
                let end = match units.segment(input, index) {
                    Some(segment) => units.first_row_at(input, segment.stop, begin..rows.end)?,
                    None => Some(begin),
                };
                let Some(end) = end else { return Ok(None) };
                of_segment.push(end);
            }
            ends.push(of_segment);
        }
        ends.push(unit.rows.iter().map(|rows| rows.end).collect());
        Ok(Some(ends))
    }

    /// The sums of a unit's segments, each of which `count` counts, with one row a series.
    fn sums(
        &self,
        unit: &Unit,
        worker: &mut Option<UnitWorker>,
        mut count: impl FnMut(&mut [SeriesSegment], &mut SegmentCounts) -> Result<()>,
    ) -> Result<PartialSums> {
        let spec = &self.shared.spec;
        let (mut sums, run) = (spec.empty_sums(), spec.run_length());
        let mut rows = vec![SeriesSegment::empty(0); spec.series()];
        let mut segments = unit.segments.clone();
        while !segments.is_empty() {
            let UnitWorker { leaf, counts } = worker.get_or_insert_with(|| UnitWorker {
                leaf: LeafBuilder::of(self.shared.clone()),
                counts: SegmentCounts::new(spec),
            });
            let end = (segments.start + run).min(segments.end);
            leaf.begin();
            for index in segments.start..end {
                rows.fill(SeriesSegment::empty(index));
                count(&mut rows, counts)?;
                leaf.add(&rows, counts);
            }
            sums.push_run(segments.start / run, leaf.finish());
            segments.start = end;
        }
        Ok(sums)
    }
}

/// Bytes of some rows of each input.
fn bytes(units: &dyn Units, rows: &[Range<usize>]) -> usize {
    rows.iter().enumerate().map(|(input, rows)| rows.len() * units.row_bytes(input)).sum()
}

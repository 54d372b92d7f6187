//! Event files to sums with each byte read once, by the thread that counts, transforms and adds what is in it.
//!
//! Files are taken to be in order: a search in their times tells which rows a run of segments needs. That they are is proven
//! as the rows are read; where they are not, what was done is thrown away.

use std::ops::Range;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::sync::mpsc::{SyncSender, sync_channel};
use std::sync::{Arc, Mutex, PoisonError};

use super::batcher::{Reader, edges, locate};
use super::source::Events;
use super::{Combine, Plan, Progress};
use crate::backend::local::{Local, LocalWorker};
use crate::data::Balance;
use crate::error::{Error, Result};
use crate::io::{EventFile, Part, Selection, Share};
use crate::profile;
use crate::segment::{Row, plan::Segment};
use crate::sums::{PartialSums, Sums};
use crate::time::Dd;

/// Bytes of the files in one task: enough that finding its rows, and what its sums take to be merged, do not count.
const TASK_BYTES: u128 = 8 << 20;
/// Tasks for each thread, where there is less to read: the last to finish is not far behind the others.
const TASKS: u128 = 4;

/// One file, and what is looked for in it.
struct Input<'a> {
    file: &'a EventFile,
    selection: &'a Selection,
    /// Its segments, as absolute indices.
    segments: Range<u64>,
    intervals: Arc<[(f64, f64)]>,
    /// Nobody has read the file through yet.
    unread: bool,
}

/// Whole runs of segments, and the rows of each input that they, and the gap behind each of them, have.
struct Task {
    segments: Range<u64>,
    rows: Vec<Range<usize>>,
}

/// What came of one task; the parts by input.
struct Done {
    sums: PartialSums,
    balance: Balance,
    parts: Vec<(usize, Part)>,
}

/// What came of some tasks.
#[derive(Default)]
struct Found {
    sums: PartialSums,
    balance: Balance,
    /// By task and input.
    parts: Vec<(usize, usize, Part)>,
    error: Option<(usize, Error)>,
}

/// The sums of a plan over event files, and the readers' part of the balance. `None` where that cannot be had by reading once:
/// inputs that are no files, files known or found to be out of order.
///
/// # Errors
/// Reading fails.
pub(super) fn sums(
    plan: &Plan,
    inputs: &[Events],
    local: &Local,
    chunk: usize,
    progress: Progress,
) -> Result<Option<(PartialSums, Balance)>> {
    let Some(inputs) = files(plan, inputs) else { return Ok(None) };
    let tasks = tasks(plan, &inputs, local.threads())?;
    let (next, stop, found) = (AtomicUsize::new(0), AtomicBool::new(false), Mutex::new(Found::default()));
    // Readers wait for who watches them, so that a count of rows means something while they read.
    let (sender, rows_read) = sync_channel(2 * local.threads());
    let work = |sender: SyncSender<u64>| {
        let mut worker = None;
        let mut told = Told { sender, rows: 0, step: chunk as u64 };
        while !stop.load(Ordering::Relaxed) {
            let number = next.fetch_add(1, Ordering::Relaxed);
            let Some(task) = tasks.get(number) else { break };
            let worker = worker.get_or_insert_with(|| local.worker());
            let done = one(plan, &inputs, task, worker, chunk, &mut |rows| told.add(rows));
            let mut found = found.lock().unwrap_or_else(PoisonError::into_inner);
            let _span = profile::span("merge");
            match done {
                Ok(Done { sums, balance, parts }) => {
                    if parts.iter().any(|(_, part)| !part.is_sorted()) {
                        stop.store(true, Ordering::Relaxed);
                    }
                    found.sums.merge(sums);
                    found.balance.add(&balance);
                    found.parts.extend(parts.into_iter().map(|(input, part)| (number, input, part)));
                }
                Err(e) => {
                    stop.store(true, Ordering::Relaxed);
                    if found.error.as_ref().is_none_or(|(first, _)| number < *first) {
                        found.error = Some((number, e));
                    }
                }
            }
        }
    };
    local.scope(|scope| {
        for _ in 0..local.threads() {
            let (work, sender) = (&work, sender.clone());
            scope.spawn(move |_| work(sender));
        }
        drop(sender);
        let _span = profile::span("wait for threads");
        rows_read.into_iter().for_each(progress);
    });
    let Found { sums, balance, mut parts, error } = found.into_inner().unwrap_or_else(PoisonError::into_inner);
    if let Some((_, error)) = error {
        return Err(error);
    }
    if stop.into_inner() {
        return Ok(None);
    }
    parts.sort_by_key(|&(task, input, _)| (input, task));
    let mut parts = parts.into_iter().peekable();
    for (number, input) in inputs.iter().enumerate() {
        let own = std::iter::from_fn(|| parts.next_if(|p| p.1 == number)).map(|p| p.2).collect();
        if input.unread && !input.file.found(own)?.sorted {
            return Ok(None);
        }
    }
    Ok(Some((sums, balance)))
}

/// Rows that were read and are not told yet.
struct Told {
    sender: SyncSender<u64>,
    rows: u64,
    step: u64,
}

impl Told {
    fn add(&mut self, rows: u64) {
        self.rows += rows;
        if self.rows >= self.step {
            self.tell();
        }
    }

    fn tell(&mut self) {
        let _span = profile::span("tell progress");
        // Who watches is there until all have been told.
        let _ = self.sender.send(std::mem::take(&mut self.rows));
    }
}

impl Drop for Told {
    fn drop(&mut self) {
        self.tell();
    }
}

fn files<'a>(plan: &Plan, inputs: &'a [Events]) -> Option<Vec<Input<'a>>> {
    let mut before = 0;
    let mut files = Vec::new();
    for ((events, gti), segments) in inputs.iter().zip(&plan.gtis).zip(&plan.segments) {
        let (file, selection) = events.source.file().filter(|_| events.source.balance().read == 0)?;
        let known = file.known();
        if known.is_some_and(|times| !times.sorted) {
            return None;
        }
        let first = if plan.combine == Combine::Merge { 0 } else { before };
        before += segments.len();
        let (segments, intervals) = (first..first + segments.len(), edges(gti, events.offset));
        files.push(Input { file, selection, segments, intervals, unread: known.is_none() });
    }
    Some(files)
}

/// Cuts the work at runs of segments.
fn tasks(plan: &Plan, inputs: &[Input], threads: usize) -> Result<Vec<Task>> {
    let (total, run) = (plan.total_segments(), plan.spec.run_length());
    let runs = u128::from(total.div_ceil(run));
    let bytes: u128 = inputs.iter().map(|i| i.file.rows() as u128 * i.file.row_size() as u128).sum();
    let count = (bytes / TASK_BYTES).max(TASKS * threads as u128).clamp(1, runs);
    let mut tasks = Vec::new();
    let (mut first, mut begins) = (0, vec![0; inputs.len()]);
    for task in 1..=count {
        let end = ((runs * task / count) as u64).saturating_mul(run).min(total);
        let cut = |number: usize| cut(plan, number, &inputs[number], end, begins[number]);
        // Where a cut cannot be found, the next task takes over.
        let Some(ends) = (0..inputs.len()).map(cut).collect::<Result<Option<Vec<usize>>>>()? else { continue };
        let rows = begins.iter().zip(&ends).map(|(&begin, &end)| begin..end).collect();
        tasks.push(Task { segments: first..end, rows });
        (first, begins) = (end, ends);
    }
    Ok(tasks)
}

/// The first row, from `begin` on, of an input's segments from `segment` on.
fn cut(plan: &Plan, number: usize, input: &Input, segment: u64, begin: usize) -> Result<Option<usize>> {
    let rows = input.file.rows();
    if segment >= input.segments.end || segment == plan.total_segments() {
        return Ok(Some(rows));
    }
    if segment <= input.segments.start {
        return Ok(Some(begin));
    }
    let edge = plan.segments[number].get(segment - input.segments.start).first;
    input.file.first_row_at(edge, begin..rows)
}

/// Reads, counts, transforms and adds one task.
fn one(
    plan: &Plan,
    inputs: &[Input],
    task: &Task,
    worker: &mut LocalWorker,
    chunk: usize,
    progress: &mut dyn FnMut(u64),
) -> Result<Done> {
    let _span = profile::span("segments");
    let mut shares = Vec::new();
    for (number, (input, rows)) in inputs.iter().zip(&task.rows).enumerate() {
        let here = input.segments.start < task.segments.end && task.segments.start < input.segments.end;
        if here || !rows.is_empty() {
            let share = Share::new(input.file, input.selection.clone(), rows.clone(), input.unread)?;
            shares.push((number, share));
        }
    }
    let mut readers: Vec<(usize, Reader)> = Vec::new();
    for (number, share) in &mut shares {
        let intervals = inputs[*number].intervals.clone();
        readers.push((*number, Reader::new(Box::new(share), intervals, chunk)));
    }
    let (mut sums, run) = (PartialSums::new(), plan.spec.run_length());
    let mut segments = task.segments.clone();
    while !segments.is_empty() {
        let end = (segments.start + run).min(segments.end);
        let mut of_run = Sums::default();
        for index in segments.start..end {
            let (row, dropped) = count(plan, inputs, index, &mut readers, worker, progress)?;
            worker.transform(0, dropped);
            worker.add(&[row], &mut of_run);
        }
        sums.push_run(segments.start / run, of_run);
        segments.start = end;
    }
    let mut balance = Balance::default();
    for (_, reader) in readers {
        balance.add(&reader.finish(progress)?);
    }
    Ok(Done { sums, balance, parts: shares.into_iter().map(|(number, share)| (number, share.part)).collect() })
}

/// Counts the events of a segment, in all inputs that have some; gives its row, and the events dropped.
fn count(
    plan: &Plan,
    inputs: &[Input],
    index: u64,
    readers: &mut [(usize, Reader)],
    worker: &mut LocalWorker,
    progress: &mut dyn FnMut(u64),
) -> Result<(Row, u64)> {
    let mut row = Row { index, start: Dd::ZERO, begin: 0, end: 0, events: 0, flux_mean: 0.0, variance: 0.0, scale: 0 };
    let mut dropped = 0;
    worker.clear();
    for (number, reader) in readers {
        if !inputs[*number].segments.contains(&index) {
            continue;
        }
        let (segments, i, _) = locate(plan, *number, index);
        let Segment { start, first, stop } = segments.get(i);
        row.start = start;
        reader.skip_to(first, progress)?;
        reader.each_to(stop, progress, |times| {
            row.events += times.len() as u64;
            dropped += worker.count(times, start);
        })?;
    }
    Ok((row, dropped))
}

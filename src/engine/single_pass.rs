//! Event files to sums with each byte read once, by the thread that counts, transforms and adds what is in it.
//!
//! Files are taken to be in order: a search in their times tells which rows a run of segments needs. That they are is proven
//! as the rows are read; where they are not, what was done is thrown away.

use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Mutex, PoisonError};

use super::options::Reading;
use super::plan::{InputPlan, Plan};
use super::reader::edges;
use super::task::{PARTS_MEMORY, Task, TaskContext, TaskInput, TaskSums};
use super::time_source::Events;
use crate::backend::WorkQueue;
use crate::backend::local::LocalPlan;
use crate::base::error::{Error, Result};
use crate::base::sums::PartialSums;
use crate::base::trace;
use crate::data::EventBalance;
use crate::io::RowRangeScan;

/// Bytes of the files in one task: enough that finding its rows, and what its sums take to be merged, do not count.
pub(super) const TASK_BYTES: u128 = 8 << 20;
/// Tasks for each thread, where there is less to read: the last to finish is not far behind the others.
const TASKS_A_THREAD: u128 = 4;
/// Bytes of the sums of one task, where segments are kept apart.
const APART_BYTES: u128 = 8 << 20;

/// What came of some tasks.
#[derive(Default)]
struct ThreadSums {
    sums: PartialSums,
    balance: EventBalance,
    /// By task and input.
    parts: Vec<(usize, usize, RowRangeScan)>,
    error: Option<(usize, Error)>,
}

/// The sums of a plan over event files, and the readers' part of the balance. `None` where that cannot be had by reading once:
/// inputs that are no files, files known or found to be out of order. `take` may have taken sums then that do not count.
///
/// Where segments are kept apart, `take` is given them in order, some tasks of each thread at a time, so that memory does not grow
/// with their number.
///
/// # Errors
/// Reading fails.
pub(super) fn sums(
    plan: &Plan,
    inputs: &[Events],
    local: &LocalPlan,
    reading: Reading,
    take: &mut dyn FnMut(&mut PartialSums),
) -> Result<Option<(PartialSums, EventBalance)>> {
    let inputs = inputs.iter().zip(&plan.inputs).map(|(events, plan)| unread_task_input(events, plan));
    let Some(inputs) = inputs.collect::<Option<Vec<TaskInput>>>() else { return Ok(None) };
    let tasks = tasks(plan, &inputs, local.threads())?;
    let (stop, found) =
        (AtomicBool::new(false), Mutex::new(ThreadSums { sums: plan.spec.empty_sums(), ..ThreadSums::default() }));
    let common = TaskContext { plan, inputs: &inputs, local, reading, few: has_few_runs(plan, local) };
    let work = |thread: usize, (first, deal): (usize, &WorkQueue)| {
        let mut worker = None;
        for number in deal.of(thread).take_while(|_| !stop.load(Ordering::Relaxed)).map(|number| first + number) {
            let Some(task) = tasks.get(number) else { break };
            let done = common.one(task, &mut worker);
            let mut found = found.lock().unwrap_or_else(PoisonError::into_inner);
            let _span = trace::span("merge");
            match done {
                Ok(TaskSums { sums, balance, parts }) => {
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
    let wave = if plan.spec.every_segment() { TASKS_A_THREAD as usize * local.threads() } else { tasks.len() };
    for first in (0..tasks.len()).step_by(wave.max(1)).take_while(|_| !stop.load(Ordering::Relaxed)) {
        let deal = local.work_queue(wave.min(tasks.len() - first));
        local.scope(|scope| {
            for thread in 0..deal.threads() {
                let (work, deal) = (&work, &deal);
                scope.spawn(move |_| work(thread, (first, deal)));
            }
        });
        take(&mut found.lock().unwrap_or_else(PoisonError::into_inner).sums);
    }
    let ThreadSums { sums, balance, mut parts, error } = found.into_inner().unwrap_or_else(PoisonError::into_inner);
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

/// True where runs of segments are so few that some threads would have none, or half of all at the end.
fn has_few_runs(plan: &Plan, local: &LocalPlan) -> bool {
    let runs = plan.total_segments().div_ceil(plan.spec.run_length());
    local.threads() > 1 && runs < 2 * local.threads() as u64
}

/// Bytes that [`sums`] takes, about, but for those of the files; `None` where it is not the way.
pub(super) fn single_pass_bytes(plan: &Plan, inputs: &[Events], local: &LocalPlan) -> Option<usize> {
    let inputs = inputs.iter().zip(&plan.inputs).map(|(events, plan)| unread_task_input(events, plan));
    let inputs = inputs.collect::<Option<Vec<TaskInput>>>()?;
    let reader = |input: &TaskInput| input.file.row_range_bytes(input.parting);
    let of_run = 8 * plan.spec.frequencies() * plan.spec.blocks();
    let nodes = plan.total_segments().div_ceil(plan.spec.run_length()).ilog2() as usize + 1;
    let readers: usize = inputs.iter().map(reader).max().unwrap_or(0);
    let parts =
        if has_few_runs(plan, local) { PARTS_MEMORY.min((local.threads() - 1) * local.counts_bytes()) } else { 0 };
    Some(local.threads() * (readers + parts + local.worker_bytes() + 2 * of_run) + 2 * nodes * of_run)
}

/// An input that is a file not known to be out of order, and of which nothing was read.
fn unread_task_input<'a>(events: &'a Events, plan: &'a InputPlan) -> Option<TaskInput<'a>> {
    let (file, parting) = events.unread_file()?;
    let known = file.known();
    if known.is_some_and(|times| !times.sorted) {
        return None;
    }
    Some(TaskInput { file, parting, plan, intervals: edges(&plan.gti, events.offset), unread: known.is_none() })
}

/// Cuts the work at runs of segments.
fn tasks(plan: &Plan, inputs: &[TaskInput], threads: usize) -> Result<Vec<Task>> {
    let (total, run) = (plan.total_segments(), plan.spec.run_length());
    let runs = u128::from(total.div_ceil(run));
    let bytes: u128 = inputs.iter().map(|i| i.file.rows() as u128 * i.file.row_size() as u128).sum();
    // A file of few events may have many segments.
    let sums = if plan.spec.every_segment() { 8 * plan.spec.frequencies() * plan.spec.blocks() } else { 0 };
    let apart = runs * sums as u128 / APART_BYTES;
    let count = (bytes / TASK_BYTES).max(apart).max(TASKS_A_THREAD * threads as u128).clamp(1, runs);
    let mut tasks = Vec::new();
    let (mut first, mut begins) = (0, vec![0; inputs.len()]);
    for task in 1..=count {
        let end = ((runs * task / count) as u64).saturating_mul(run).min(total);
        let cut = |(input, begin): (&TaskInput, &usize)| first_row_of_segment(total, input, end, *begin);
        // Where a cut cannot be found, the next task takes over.
        let Some(ends) = inputs.iter().zip(&begins).map(cut).collect::<Result<Option<Vec<usize>>>>()? else { continue };
        let rows = begins.iter().zip(&ends).map(|(&begin, &end)| begin..end).collect();
        add_task(inputs, Task { segments: first..end, rows }, &mut tasks)?;
        (first, begins) = (end, ends);
    }
    Ok(tasks)
}

/// Adds a task; of long stretches of rows before and behind its segments it makes tasks of their own, for all threads.
fn add_task(inputs: &[TaskInput], mut task: Task, tasks: &mut Vec<Task>) -> Result<()> {
    let mut behind = Vec::new();
    for (number, input) in inputs.iter().enumerate() {
        let rows = task.rows[number].clone();
        let step = (TASK_BYTES as usize / input.file.row_size().max(1)).max(1);
        if rows.len() <= 2 * step {
            continue;
        }
        let indices = input.plan.indices();
        let own = indices.start.max(task.segments.start)..indices.end.min(task.segments.end);
        let place = |segment: u64| input.plan.segments.get(segment - indices.start);
        let edges = match own.is_empty() {
            true => (f64::INFINITY, f64::INFINITY),
            false => (place(own.start).first, place(own.end - 1).stop),
        };
        let Some(begin) = input.file.first_row_at(edges.0, rows.clone())? else { continue };
        let Some(end) = input.file.first_row_at(edges.1, begin..rows.end)? else { continue };
        let gap = |from: usize, to: usize| {
            let one = move |at: usize| {
                let mut rows = vec![0..0; inputs.len()];
                rows[number] = at..(at + step).min(to);
                Task { segments: 0..0, rows }
            };
            (from..to).step_by(step).map(one)
        };
        tasks.extend(gap(rows.start, begin));
        behind.extend(gap(end, rows.end));
        task.rows[number] = begin..end;
    }
    tasks.push(task);
    tasks.extend(behind);
    Ok(())
}

/// The first row, from `begin` on, of an input's segments from `segment` on; there are `total` of all inputs.
fn first_row_of_segment(total: u64, input: &TaskInput, segment: u64, begin: usize) -> Result<Option<usize>> {
    let (rows, indices) = (input.file.rows(), input.plan.indices());
    if segment >= indices.end || segment == total {
        return Ok(Some(rows));
    }
    if segment <= indices.start {
        return Ok(Some(begin));
    }
    let edge = input.plan.segments.get(segment - indices.start).first;
    input.file.first_row_at(edge, begin..rows)
}

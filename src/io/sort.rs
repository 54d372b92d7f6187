//! Sorting events that do not fit in memory: sorted runs in an unnamed temporary file, merged.
#![expect(clippy::indexing_slicing, reason = "runs are numbered here")]

use std::cmp::Reverse;
use std::collections::BinaryHeap;
use std::fs::File;
use std::io::{Read, Seek, SeekFrom, Write};

use rayon::prelude::*;

use crate::base::error::{Error, Result};

/// Events in one sorted run, 32 MiB.
const RUN_EVENTS: usize = 1 << 21;
/// Events read ahead from each run while merging, 128 KiB.
const READ_AHEAD_EVENTS: usize = 1 << 13;

/// What is sorted: a time, and what goes with it: the cell of the event's channel, or the bits of its weight.
#[derive(Clone, Copy, Debug, PartialEq, bytemuck::Pod, bytemuck::Zeroable)]
#[repr(C)]
struct TaggedTime {
    time: f64,
    tag: u64,
}

const EVENT_BYTES: u64 = size_of::<TaggedTime>() as u64;

/// Collects events in any order, then gives them back in the order of their times.
#[derive(Default)]
pub(super) struct ExternalSort {
    buffer: Vec<TaggedTime>,
    file: Option<File>,
    runs: Vec<u64>,
}

/// Sorted events, in pieces.
pub(super) struct SortedEvents {
    file: Option<File>,
    runs: Vec<SortedRun>,
    /// The next time of each run that is not used up: ordered bits of the time, and the run.
    heap: BinaryHeap<Reverse<(u64, usize)>>,
}

struct SortedRun {
    /// Byte offset of what is not read yet, and where the run ends.
    next: u64,
    end: u64,
    ahead: Vec<TaggedTime>,
    used: usize,
}

/// Maps the order of finite f64 to the order of u64.
fn ordered_bits(t: f64) -> u64 {
    let bits = t.to_bits();
    if bits >> 63 == 0 { bits | 1 << 63 } else { !bits }
}

fn failed(e: std::io::Error) -> Error {
    Error::io(std::env::temp_dir().join("(unsorted events)"), e)
}

impl ExternalSort {
    /// Adds events; where tags end they are 0.
    pub fn push(&mut self, times: &[f64], tags: impl Iterator<Item = u64>) -> Result<()> {
        for (&time, tag) in times.iter().zip(tags.chain(std::iter::repeat(0))) {
            if self.buffer.len() == RUN_EVENTS {
                self.spill()?;
            }
            self.buffer.push(TaggedTime { time, tag });
        }
        Ok(())
    }

    fn spill(&mut self) -> Result<()> {
        if self.file.is_none() {
            self.file = Some(tempfile::tempfile().map_err(failed)?);
        }
        self.buffer.par_sort_unstable_by(|a, b| a.time.total_cmp(&b.time));
        if let Some(file) = &mut self.file {
            file.write_all(bytemuck::cast_slice(&self.buffer)).map_err(failed)?;
        }
        self.runs.push(self.buffer.len() as u64 * EVENT_BYTES);
        self.buffer.clear();
        Ok(())
    }

    /// All events added, ready to be read in order.
    pub fn finish(mut self) -> Result<SortedEvents> {
        self.buffer.par_sort_unstable_by(|a, b| a.time.total_cmp(&b.time));
        let mut runs = Vec::new();
        let mut at = 0;
        for bytes in &self.runs {
            runs.push(SortedRun { next: at, end: at + bytes, ahead: Vec::new(), used: 0 });
            at += bytes;
        }
        runs.push(SortedRun { next: at, end: at, ahead: self.buffer, used: 0 });
        let mut sorted = SortedEvents { file: self.file, runs, heap: BinaryHeap::new() };
        (0..sorted.runs.len()).try_for_each(|run| sorted.queue(run))?;
        Ok(sorted)
    }
}

impl SortedEvents {
    /// Puts the next time of a run on the heap, reading ahead as needed.
    fn queue(&mut self, index: usize) -> Result<()> {
        let run = &mut self.runs[index];
        if run.used == run.ahead.len() && run.next < run.end {
            let bytes = (run.end - run.next).min(READ_AHEAD_EVENTS as u64 * EVENT_BYTES);
            run.ahead.resize((bytes / EVENT_BYTES) as usize, bytemuck::Zeroable::zeroed());
            if let Some(file) = &mut self.file {
                file.seek(SeekFrom::Start(run.next)).map_err(failed)?;
                file.read_exact(bytemuck::cast_slice_mut(&mut run.ahead)).map_err(failed)?;
            }
            run.next += bytes;
            run.used = 0;
        }
        if let Some(event) = run.ahead.get(run.used) {
            self.heap.push(Reverse((ordered_bits(event.time), index)));
        }
        Ok(())
    }

    /// Gives up to `count` events in order, each with its tag; none when all have been given.
    pub fn next(&mut self, count: usize, mut give: impl FnMut(f64, u64)) -> Result<()> {
        for _ in 0..count {
            let Some(Reverse((_, index))) = self.heap.pop() else { break };
            let run = &mut self.runs[index];
            let TaggedTime { time, tag } = run.ahead[run.used];
            give(time, tag);
            run.used += 1;
            self.queue(index)?;
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn two_runs_and_a_rest_come_back_in_order() {
        let n = 2 * RUN_EVENTS + 12_345;
        let times: Vec<f64> = (0..n).map(|i| ((i * 7_919) % n) as f64 - 1e6).collect();
        let tag = |t: &f64| t.rem_euclid(251.0) as u64;
        let mut sort = ExternalSort::default();
        times.chunks(1_000_003).for_each(|c| sort.push(c, c.iter().map(tag)).unwrap());
        let mut sorted = sort.finish().unwrap();
        let (mut out, mut tags) = (Vec::new(), Vec::new());
        while out.len() < n {
            let give = |time, tag| {
                out.push(time);
                tags.push(tag);
            };
            sorted.next(777_777, give).unwrap();
        }
        let mut expected = times;
        expected.sort_by(f64::total_cmp);
        assert!(out == expected && tags.iter().copied().eq(out.iter().map(tag)));
    }
}

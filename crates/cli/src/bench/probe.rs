//! What the machine can do: rates of memory, bus, files and arithmetic, which bound every measurement.

use std::hint::black_box;
use std::io::Write;

use rayon::prelude::*;

use super::record::MachineRate;
use super::sample::{mad, median, repeated, timed};
use crate::names;
use eagleray::internal::backend::measure::MeasurableGpu;
use eagleray::internal::io::InputFile;
use eagleray::internal::kernels::rate;
use eagleray::{Error, Result};

/// Bytes of a piece of a file that is read at a time, as the reader of events does.
const FILE_PIECE: usize = 256 << 10;
/// Items of an arithmetic job.
const ITEMS: usize = 1 << 17;

/// Rates of one device while they are gathered.
struct RateCollector<'a> {
    device: &'a str,
    found: Vec<MachineRate>,
}

impl RateCollector<'_> {
    /// `amount` of something in each of the times; without an amount, the times themselves.
    fn push(&mut self, name: &str, unit: &str, amount: Option<f64>, seconds: &[f64]) {
        if seconds.is_empty() {
            return;
        }
        let values: Vec<f64> = seconds.iter().map(|s| amount.map_or(*s, |amount| amount / s)).collect();
        let sorted = values.iter().copied();
        let best = if amount.is_some() { sorted.fold(0.0, f64::max) } else { sorted.fold(f64::INFINITY, f64::min) };
        self.found.push(MachineRate {
            device: self.device.into(),
            name: name.into(),
            unit: unit.into(),
            best,
            median: median(&values),
            mad: mad(&values),
        });
    }
}

/// Rates of the CPU with so many threads.
///
/// # Errors
/// No room for the temporary file that is scanned.
pub fn cpu(threads: usize, quick: bool) -> Result<Vec<MachineRate>> {
    let mut rates = RateCollector { device: "cpu", found: Vec::new() };
    let samples = if quick { 5 } else { 15 };
    // More than the caches of a core hold; each thread has its own.
    let size = if quick { 16 << 20 } else { 64usize << 20 };
    let pool = rayon::ThreadPoolBuilder::new().num_threads(threads).build();
    let pool = pool.map_err(|e| Error::argument("threads", threads, e.to_string()))?;
    let mut buffers: Vec<(Vec<u8>, Vec<u8>)> = (0..threads).map(|_| (vec![1; size], vec![0; size])).collect();
    if let Some((from, to)) = buffers.first_mut() {
        let copy = repeated(samples, || to.copy_from_slice(black_box(from)));
        rates.push("memcpy, one thread", "B/s", Some(size as f64), &copy);
    }
    let copy = pool.install(|| {
        repeated(samples, || buffers.par_iter_mut().for_each(|(from, to)| to.copy_from_slice(black_box(from))))
    });
    rates.push("memcpy", "B/s", Some((size * threads) as f64), &copy);
    drop(buffers);
    scan(&mut rates, &pool, threads, size, samples)?;
    let spawn = repeated(samples, || {
        for _ in 0..100 {
            // A thread that cannot be started takes no time.
            let _ = std::thread::Builder::new().spawn(|| {}).map(std::thread::JoinHandle::join);
        }
    });
    rates.push("start a thread", "s", None, &spawn.iter().map(|s| s / 100.0).collect::<Vec<_>>());
    let task = pool.install(|| {
        repeated(samples, || {
            (0..1000).for_each(|_| {
                rayon::join(|| black_box(()), || black_box(()));
            })
        })
    });
    rates.push("hand over a task", "s", None, &task.iter().map(|s| s / 1000.0).collect::<Vec<_>>());
    let rounds = 1 << 16;
    let flops = pool.install(|| repeated(samples, || (0..threads).into_par_iter().for_each(|_| multiply_add(rounds))));
    rates.push("f64 arithmetic", "op/s", Some((2 * LANES * rounds * threads) as f64), &flops);
    Ok(rates.found)
}

/// Independent chains of multiplications and additions: enough to fill the units of a core.
const LANES: usize = 64;

fn multiply_add(rounds: usize) {
    let mut x = [1.0f64; LANES];
    let (a, b) = (black_box(0.75), black_box(0.1));
    for _ in 0..rounds {
        x.iter_mut().for_each(|x| *x = *x * a + b);
    }
    black_box(x);
}

/// Copies a file out of the page cache, on one thread and on all.
fn scan(
    rates: &mut RateCollector,
    pool: &rayon::ThreadPool,
    threads: usize,
    size: usize,
    samples: usize,
) -> Result<()> {
    let temporary = std::env::temp_dir();
    let mut file = tempfile::NamedTempFile::new().map_err(|e| Error::io(&temporary, e))?;
    file.write_all(&vec![7; size]).map_err(|e| Error::io(file.path(), e))?;
    let source = InputFile::open(file.path())?;
    let read = |buffer: &mut Vec<u8>, piece: usize| {
        buffer.resize(FILE_PIECE, 0);
        // The file is ours, and as long as it was.
        let _ = source.read_at((piece * FILE_PIECE) as u64, buffer);
    };
    let pieces = size / FILE_PIECE;
    let mut buffer = Vec::new();
    let one = repeated(samples, || (0..pieces).for_each(|piece| read(&mut buffer, piece)));
    rates.push("page cache, one thread", "B/s", Some(size as f64), &one);
    let all = pool.install(|| {
        repeated(samples, || {
            let thread = |t: usize| {
                let mut buffer = Vec::new();
                (0..pieces).for_each(|piece| read(&mut buffer, (piece + t) % pieces));
            };
            (0..threads).into_par_iter().for_each(thread);
        })
    });
    rates.push("page cache", "B/s", Some((size * threads) as f64), &all);
    Ok(())
}

/// Rates of a GPU.
///
/// # Errors
/// The device fails.
pub fn gpu(name: &str, gpu: &mut dyn MeasurableGpu) -> Result<Vec<MachineRate>, String> {
    let mut rates = RateCollector { device: name, found: Vec::new() };
    let seen = gpu.rates().map_err(|e| names::error_text(&e.into()))?;
    rates.push("copy", "B/s", Some(2.0 * seen.copy.0 as f64), &seen.copy.1);
    rates.push("upload, pageable", "B/s", Some(seen.upload_pageable.0 as f64), &seen.upload_pageable.1);
    rates.push("upload, mapped", "B/s", Some(seen.upload_mapped.0 as f64), &seen.upload_mapped.1);
    rates.push("read back", "B/s", Some(seen.read_back.0 as f64), &seen.read_back.1);
    for (variant, name) in [(0, "u32 arithmetic"), (1, "f32 arithmetic")] {
        // Rounds until one launch takes a millisecond, so that starting it does not count.
        let mut rounds = 8;
        let mut once = |rounds| -> Result<Option<f64>, String> {
            let job = rate::job(variant, ITEMS, rounds, gpu.tunables());
            let (wall, result) = timed(|| gpu.run(&job, true));
            Ok(result?.seconds.first().copied().or(Some(wall)))
        };
        once(rounds)?;
        while once(rounds)?.is_some_and(|seconds| seconds < 1e-3) && rounds < 1 << 16 {
            rounds *= 4;
        }
        let seconds: Vec<f64> = (0..5).filter_map(|_| once(rounds).transpose()).collect::<Result<_, _>>()?;
        rates.push(name, "op/s", Some(rate::operations(variant, ITEMS, rounds)), &seconds);
    }
    Ok(rates.found)
}

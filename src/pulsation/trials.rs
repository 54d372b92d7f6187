//! Profiles of many trials, on the CPU or a device that runs shaders: the same counts.

use rayon::prelude::*;

use crate::backend::{Backend, BackendError, Shaders};
use crate::data::DeviceRecord;
use crate::kernels::fold::{self, Block};
use crate::phase::Spin;

/// Events times trials of one launch: seconds on the slowest adapter, milliseconds on a real one.
const LAUNCH: u64 = 1 << 29;
/// Bytes of the profiles of one launch.
const PROFILES: usize = 32 << 20;
/// Events that the CPU folds at once: they stay in a cache while all trials of a block are counted.
const CHUNK: usize = 1 << 14;

/// Where profiles are counted: on a device that runs shaders, on the threads of the CPU, and on these too when a device fails that may
/// be replaced.
pub struct Counter<'a> {
    backend: &'a mut dyn Backend,
    /// Why the device is not used any more.
    failure: Option<BackendError>,
    on_device: bool,
    on_cpu: bool,
}

impl<'a> Counter<'a> {
    /// Counts on this backend.
    pub fn new(backend: &'a mut dyn Backend) -> Counter<'a> {
        Counter { backend, failure: None, on_device: false, on_cpu: false }
    }

    /// What `look` makes of the profile of each of `trials` frequencies from `first` on, in order.
    ///
    /// # Errors
    /// The device fails, and no other may do its work.
    pub fn profiles<T: Send>(
        &mut self,
        times: &[i64],
        [first, step]: [&Spin; 2],
        trials: usize,
        nbin: usize,
        look: impl Fn(usize, &[u32]) -> T + Sync,
    ) -> Result<Vec<T>, BackendError> {
        if let Some(shaders) = self.backend.shaders().filter(|_| self.failure.is_none()) {
            match on_device(shaders, times, first, step, trials, nbin, &look) {
                Ok(found) => {
                    self.on_device = true;
                    return Ok(found);
                }
                Err(error) if self.backend.has_spare() => self.failure = Some(error),
                Err(error) => return Err(error),
            }
        }
        self.on_cpu = true;
        let all = || on_cpu(times, first, step, trials, nbin, &look);
        Ok(self.backend.pool().map_or_else(all, |pool| pool.install(all)))
    }

    /// What counted, and the warning of a failure.
    pub fn record(&self) -> (DeviceRecord, Option<String>) {
        let device = Some(self.backend.info()).filter(|_| self.on_device);
        let names = [device.map(|info| (info.backend, info.adapter.as_str())), self.on_cpu.then_some(CPU)];
        let joined = |of: fn((&'static str, &str)) -> String| {
            names.iter().flatten().map(|&name| of(name)).collect::<Vec<_>>().join(" + ")
        };
        let record = DeviceRecord {
            backend: joined(|(backend, _)| backend.to_string()),
            adapter: joined(|(_, adapter)| adapter.to_string()),
            precision: PRECISION.to_string(),
        };
        (record, self.failure.as_ref().map(|error| format!("{error}; the CPU did the rest")))
    }
}

/// The CPU in records of products, and what is exact there and everywhere.
const CPU: (&str, &str) = ("cpu", std::env::consts::ARCH);
const PRECISION: &str = "exact phases";

/// The record of work that the CPU alone does.
pub(super) fn cpu_record() -> DeviceRecord {
    DeviceRecord { backend: CPU.0.into(), adapter: CPU.1.into(), precision: PRECISION.into() }
}

/// What `look` makes of the profile of each of `trials` frequencies from `first` on, in order, on the threads of the caller's pool.
pub fn on_cpu<T: Send>(
    times: &[i64],
    first: &Spin,
    step: &Spin,
    trials: usize,
    nbin: usize,
    look: impl Fn(usize, &[u32]) -> T + Sync,
) -> Vec<T> {
    let most = fold::block_trials(nbin);
    let blocks = fold::blocks(first, step, trials, nbin);
    let one = |(place, block): (usize, &Block)| {
        let count = |chunk: &[i64]| {
            let mut counts = vec![0; block.trials * nbin];
            chunk.chunks(CHUNK).for_each(|times| fold::cpu(times, block, step, nbin, &mut counts));
            counts
        };
        // Few blocks leave threads idle unless the events are shared, too; sums of integers have no order.
        let counts = match blocks.len() {
            1..16 => times.par_chunks(64 * CHUNK).map(count).reduce(|| vec![0; block.trials * nbin], summed),
            _ => count(times),
        };
        let looked = counts.chunks_exact(nbin).enumerate().map(|(j, profile)| look(place * most + j, profile));
        looked.collect::<Vec<T>>()
    };
    let found: Vec<Vec<T>> = blocks.par_iter().enumerate().map(one).collect();
    found.into_iter().flatten().collect()
}

/// The same on a device, whose counts are looked at on the host.
///
/// # Errors
/// See [`Shaders::run`].
pub fn on_device<T: Send>(
    device: &mut dyn Shaders,
    times: &[i64],
    first: &Spin,
    step: &Spin,
    trials: usize,
    nbin: usize,
    look: impl Fn(usize, &[u32]) -> T + Sync,
) -> Result<Vec<T>, BackendError> {
    let most = fold::block_trials(nbin);
    let (limits, largest) = (device.tunables(), device.largest_buffer() as usize);
    let chunk = (largest / 8).min(LAUNCH as usize / most).max(1);
    let blocks = fold::blocks(first, step, trials, nbin);
    let by_work = (LAUNCH / (most as u64 * times.len().min(chunk).max(1) as u64)) as usize;
    let batch = by_work.min(PROFILES.min(largest) / (4 * most * nbin)).max(1);
    let mut found = Vec::with_capacity(trials);
    for blocks in blocks.chunks(batch) {
        let mut counts = vec![0u32; blocks.iter().map(|block| block.trials * nbin).sum()];
        for times in times.chunks(chunk) {
            let outputs = device.run(&fold::job(times, blocks, step, nbin, &limits))?;
            let words = outputs.iter().flat_map(|bytes| bytes.as_chunks::<4>().0);
            counts.iter_mut().zip(words).for_each(|(count, word)| *count += u32::from_le_bytes(*word));
        }
        let done = found.len();
        let looked = counts.par_chunks_exact(nbin).enumerate().map(|(j, profile)| look(done + j, profile));
        found.extend(looked.collect::<Vec<T>>());
    }
    Ok(found)
}

fn summed(mut a: Vec<u32>, b: Vec<u32>) -> Vec<u32> {
    a.iter_mut().zip(b).for_each(|(a, b)| *a += b);
    a
}

//! Profiles of many trials, on the CPU or a device that runs shaders: the same counts.

use rayon::prelude::*;

use crate::backend::{BackendError, Shaders};
use crate::kernels::fold::{self, Block};
use crate::phase::Spin;

/// Events times trials of one launch: seconds on the slowest adapter, milliseconds on a real one.
const LAUNCH: u64 = 1 << 29;
/// Bytes of the profiles of one launch.
const PROFILES: usize = 32 << 20;
/// Events that the CPU folds at once: they stay in a cache while all trials of a block are counted.
const CHUNK: usize = 1 << 14;

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

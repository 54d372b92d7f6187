//! Pulse profiles of many trials, counted on the CPU or on a device that can, with the same result.

use std::ops::{AddAssign, Range};

use rayon::prelude::*;

use crate::backend::{Backend, LaunchLimits};
use crate::base::error::BackendError;
use crate::base::progress::Progress;
use crate::data::DeviceRecord;
use crate::data::phase::Spin;
use crate::kernels::fold::{self, BinTally, MOST_SAMPLES, TrialBlock};

/// Events times trials of one launch: seconds on the slowest adapter, milliseconds on a real one.
const LAUNCH_WORK: u64 = 1 << 29;
/// Bytes of the profiles of one launch.
const PROFILE_BYTES: usize = 32 << 20;
/// Events that the CPU folds at once: they stay in a cache while all trials of a block are counted.
const CHUNK: usize = 1 << 14;
const _: () = assert!(CHUNK <= MOST_SAMPLES);
/// Bits of a value that a device adds up at once: words hold the sums of 2^16 such numbers.
const DIGIT: u32 = 16;

/// Counts the profiles of many trials: on a device that does so, else on the threads of the CPU; on the latter,
/// too, if the device fails and the CPU may replace it.
pub struct ProfileCounter<'a> {
    backend: &'a mut dyn Backend,
    /// Why the device is not used any more.
    failure: Option<BackendError>,
    on_device: bool,
    on_cpu: bool,
    /// What is counted of a run that was cancelled lacks events.
    progress: &'a Progress,
}

impl<'a> ProfileCounter<'a> {
    /// A counter that uses this backend, for a run of this progress.
    pub fn new(backend: &'a mut dyn Backend, progress: &'a Progress) -> ProfileCounter<'a> {
        ProfileCounter { backend, failure: None, on_device: false, on_cpu: false, progress }
    }

    /// Counts the profile of each of `trials` frequencies from `first` on, and gives what `look` makes of each, in
    /// order. `spins` are the first ephemeris and the step.
    ///
    /// # Errors
    /// The device fails, and no other may do its work.
    pub fn profiles<T: Send>(
        &mut self,
        times: &[i64],
        spins: [&Spin; 2],
        trials: usize,
        nbin: usize,
        look: impl Fn(usize, &[u32]) -> T + Sync,
    ) -> Result<Vec<T>, BackendError> {
        let frequencies = TrialFrequencies { spins, trials, nbin, progress: self.progress };
        let on_device = |device: &mut dyn Backend, limits: LaunchLimits| {
            let tunables = limits.tunables;
            let count = |device: &mut dyn Backend, events: Range<usize>, blocks: &[TrialBlock], counts: &mut [u32]| {
                let outputs = device.launch(&fold::job(&times[events], None, blocks, spins[1], nbin, &tunables))?;
                counts.iter_mut().zip(words(&outputs)).for_each(|(count, word)| *count += word);
                Ok(())
            };
            frequencies.on_device(device, limits, (times.len(), usize::MAX), count, &look)
        };
        let count = |events: Range<usize>, block: &TrialBlock, counts: &mut [u32]| {
            fold::cpu(&times[events], block, spins[1], nbin, counts);
        };
        self.either(on_device, || frequencies.on_cpu(times.len(), count, &look))
    }

    /// Counts samples, which have a value each, as [`ProfileCounter::profiles`] counts events: the number of samples
    /// and the sum of their values in each bin.
    ///
    /// # Errors
    /// See [`ProfileCounter::profiles`].
    pub fn tallies<T: Send>(
        &mut self,
        (times, values): (&[i64], &[u32]),
        spins: [&Spin; 2],
        trials: usize,
        nbin: usize,
        look: impl Fn(usize, &[BinTally]) -> T + Sync,
    ) -> Result<Vec<T>, BackendError> {
        let frequencies = TrialFrequencies { spins, trials, nbin, progress: self.progress };
        let on_device = |device: &mut dyn Backend, limits: LaunchLimits| {
            let tunables = limits.tunables;
            let digit = |from: u32| values.iter().map(|value| (value >> from) & ((1 << DIGIT) - 1)).collect();
            // Upper halves that are all 0 need no sum.
            let digits: Vec<(u32, Vec<u32>)> = [0, DIGIT].into_iter().map(|from| (from, digit(from))).collect();
            let digits: Vec<_> = digits.into_iter().filter(|(_, digit)| digit.iter().any(|d| *d > 0)).collect();
            let count = |device: &mut dyn Backend,
                         samples: Range<usize>,
                         blocks: &[TrialBlock],
                         tallies: &mut [BinTally]| {
                let mut run = |values: Option<&[u32]>| {
                    device.launch(&fold::job(&times[samples.clone()], values, blocks, spins[1], nbin, &tunables))
                };
                let counts = run(None)?;
                tallies.iter_mut().zip(words(&counts)).for_each(|(tally, word)| tally.count += u64::from(word));
                for (from, digit) in &digits {
                    let sums = run(Some(&digit[samples.clone()]))?;
                    tallies.iter_mut().zip(words(&sums)).for_each(|(tally, word)| tally.sum += u64::from(word) << from);
                }
                Ok(())
            };
            frequencies.on_device(device, limits, (times.len(), 1 << DIGIT), count, &look)
        };
        let count = |samples: Range<usize>, block: &TrialBlock, tallies: &mut [BinTally]| {
            fold::cpu_tallies(&times[samples.clone()], &values[samples], block, spins[1], nbin, tallies);
        };
        self.either(on_device, || frequencies.on_cpu(times.len(), count, &look))
    }

    /// What the device says; or, without one or when it has failed and may be replaced, the CPU.
    fn either<T: Send>(
        &mut self,
        on_device: impl FnOnce(&mut dyn Backend, LaunchLimits) -> Result<T, BackendError>,
        on_cpu: impl FnOnce() -> T + Send,
    ) -> Result<T, BackendError> {
        let can = self.backend.capabilities();
        if let Some(limits) = can.trial_profiles.filter(|_| self.failure.is_none()) {
            match on_device(self.backend, limits) {
                Ok(found) => {
                    self.on_device = true;
                    return Ok(found);
                }
                Err(error) if can.replaceable => self.failure = Some(error),
                Err(error) => return Err(error),
            }
        }
        self.on_cpu = true;
        Ok(self.backend.threads().run(on_cpu))
    }

    /// The device that counted, and the warning if one failed.
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
        (record, self.failure.as_ref().map(|error| format!("{}; the CPU did the rest", error.reason())))
    }
}

/// The CPU in records of products, and what is exact there and everywhere.
const CPU: (&str, &str) = ("cpu", std::env::consts::ARCH);
const PRECISION: &str = "exact phases";

/// The record of work that the CPU alone does.
pub(super) fn cpu_record() -> DeviceRecord {
    DeviceRecord { backend: CPU.0.into(), adapter: CPU.1.into(), precision: PRECISION.into() }
}

/// Equidistant frequencies, a first one and the step, with profiles of so many bins.
struct TrialFrequencies<'a> {
    spins: [&'a Spin; 2],
    trials: usize,
    nbin: usize,
    progress: &'a Progress,
}

impl TrialFrequencies<'_> {
    fn blocks(&self) -> Vec<TrialBlock> {
        fold::blocks(self.spins[0], self.spins[1], self.trials, self.nbin)
    }

    /// What `look` makes of the profile of each, in order, on the threads of the caller's pool; `count` adds some of the events to the
    /// profiles of a block.
    fn on_cpu<C: Copy + Default + Send + AddAssign, T: Send>(
        &self,
        events: usize,
        count: impl Fn(Range<usize>, &TrialBlock, &mut [C]) + Sync,
        look: impl Fn(usize, &[C]) -> T + Sync,
    ) -> Vec<T> {
        let (nbin, most, blocks) = (self.nbin, fold::block_trials(self.nbin), self.blocks());
        let one = |(place, block): (usize, &TrialBlock)| {
            let counted = |from: usize, to: usize| {
                let mut counts = vec![C::default(); block.trials * nbin];
                let chunks = (from..to).step_by(CHUNK).take_while(|_| !self.progress.is_cancelled());
                chunks.for_each(|i| count(i..to.min(i + CHUNK), block, &mut counts));
                counts
            };
            // Few blocks leave threads idle unless the events are shared, too; sums of integers have no order.
            let counts = if blocks.len() < 16 {
                let shares = (0..events.div_ceil(64 * CHUNK)).into_par_iter().map(|i| i * 64 * CHUNK);
                let share = shares.map(|from| counted(from, events.min(from + 64 * CHUNK)));
                share.reduce(|| vec![C::default(); block.trials * nbin], summed)
            } else {
                counted(0, events)
            };
            let looked = counts.chunks_exact(nbin).enumerate().map(|(j, profile)| look(place * most + j, profile));
            looked.collect::<Vec<T>>()
        };
        let found: Vec<Vec<T>> = blocks.par_iter().enumerate().map(one).collect();
        found.into_iter().flatten().collect()
    }

    /// The same on a device, at most so many events at a time, whose profiles are looked at on the host.
    fn on_device<C: Clone + Default + Sync, T: Send>(
        &self,
        device: &mut dyn Backend,
        limits: LaunchLimits,
        (events, at_once): (usize, usize),
        count: impl Fn(&mut dyn Backend, Range<usize>, &[TrialBlock], &mut [C]) -> Result<(), BackendError>,
        look: impl Fn(usize, &[C]) -> T + Sync,
    ) -> Result<Vec<T>, BackendError> {
        let (nbin, most) = (self.nbin, fold::block_trials(self.nbin));
        let largest = limits.largest_buffer as usize;
        let chunk = (largest / 8).min(LAUNCH_WORK as usize / most).min(at_once).max(1);
        let by_work = (LAUNCH_WORK / (most as u64 * events.min(chunk).max(1) as u64)) as usize;
        let batch = by_work.min(PROFILE_BYTES.min(largest) / (4 * most * nbin)).max(1);
        let mut found = Vec::with_capacity(self.trials);
        for blocks in self.blocks().chunks(batch) {
            let mut counts = vec![C::default(); blocks.iter().map(|block| block.trials * nbin).sum()];
            for from in (0..events).step_by(chunk).take_while(|_| !self.progress.is_cancelled()) {
                count(device, from..events.min(from + chunk), blocks, &mut counts)?;
            }
            let done = found.len();
            let looked = counts.par_chunks_exact(nbin).enumerate().map(|(j, profile)| look(done + j, profile));
            found.extend(looked.collect::<Vec<T>>());
        }
        Ok(found)
    }
}

/// The words of a device's outputs.
fn words(outputs: &[Vec<u8>]) -> impl Iterator<Item = u32> {
    outputs.iter().flat_map(|bytes| bytes.as_chunks::<4>().0).map(|word| u32::from_le_bytes(*word))
}

fn summed<C: Copy + AddAssign>(mut a: Vec<C>, b: Vec<C>) -> Vec<C> {
    a.iter_mut().zip(b).for_each(|(a, b)| *a += b);
    a
}

//! Event times to pulse profiles: counts in bins of phase, for many trial frequencies at once.
//!
//! Definition, in integers: trials of equidistant frequencies come in blocks of at most [`block_trials`]. Trial `j` of a block has
//! at `t` the phase `φ₀(t) + j·δ(t)` modulo `2⁶⁴` units of `2⁻⁶⁴` cycle, `φ₀` that of the block's first and `δ` that of the
//! step ([`Spin::phase`]); the event counts in bin `⌊n_bin·φ⌋` of the leading 32 bits. That differs from the phase of the trial by
//! itself by less than `2⁻⁵⁸` cycle. Every version gives identical counts. Samples of a series fold alike: each adds a whole number to its
//! bin instead of 1 ([`BinTally`]).
//!
//! Operations an event and trial: one 64-bit addition, a product for the bin, one increment: 5 instructions on the CPU, about 11
//! of 32 bits and one atomic in a shader; `φ₀` and `δ`, some 20 and 150, are shared by a block.

use std::ops::AddAssign;

use super::case::words;
use super::{
    Access, CaseData, CaseShape, CaseValues, Dispatch, Fill, GRID, Job, Kernel, KernelCase, Limits, Shader, Timed,
    bin_events, shared_struct,
};
use crate::base::random::Random;
use crate::base::time::DoubleDouble;
use crate::data::phase::{Ephemeris, Spin, Ticks};
use crate::numerics::precision::Precision;

/// Counters in a workgroup's memory: 16 KiB of them.
const COUNTERS: usize = 4096;
/// The most trials of a block.
const MOST_BLOCK_TRIALS: usize = 32;
/// The most bins of a profile.
pub const MOST_BINS: usize = COUNTERS;
/// Events that one workgroup counts, at most.
const WORKGROUP_EVENTS: u32 = 1 << 14;

/// Trials of a block with profiles of `nbin` bins: as many as a workgroup can count, at most 32.
pub fn block_trials(nbin: usize) -> usize {
    (COUNTERS / nbin.max(1)).clamp(1, MOST_BLOCK_TRIALS)
}

/// Trials of consecutive frequencies: the first, and how many.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct TrialBlock {
    /// Its first trial.
    pub spin: Spin,
    /// Number of trials.
    pub trials: usize,
}

/// `trials` equidistant frequencies from `first` on, in blocks.
pub fn blocks(first: &Spin, step: &Spin, trials: usize, nbin: usize) -> Vec<TrialBlock> {
    let most = block_trials(nbin);
    let starts = (0..trials).step_by(most);
    starts.map(|i| TrialBlock { spin: first.stepped(step, i as i64), trials: most.min(trials - i) }).collect()
}

/// The bin of a phase in units of `2⁻⁶⁴` cycle.
#[inline]
pub fn bin_of(phase: u64, nbin: usize) -> usize {
    (((phase >> 32) * nbin as u64) >> 32) as usize
}

/// Reference: trials × nbin sums of one block, one event, which counts `amount(i)`, and trial at a time.
pub fn reference(
    times: &[i64],
    amount: impl Fn(usize) -> u32,
    block: &TrialBlock,
    step: &Spin,
    nbin: usize,
) -> Vec<u32> {
    let mut sums = vec![0; block.trials * nbin];
    for (j, profile) in sums.chunks_mut(nbin).enumerate() {
        for (i, &t) in times.iter().enumerate() {
            let phase = block.spin.phase(t).wrapping_add(step.phase(t).wrapping_mul(j as u64));
            profile[bin_of(phase, nbin)] += amount(i);
        }
    }
    sums
}

/// Production path on one core: adds the events to the trials × nbin counts of one block.
pub fn cpu(times: &[i64], block: &TrialBlock, step: &Spin, nbin: usize, counts: &mut [u32]) {
    add(times.iter().map(|&t| (t, 1)), block, step, nbin, counts);
}

/// Samples in a bin of phase, and the sum of their values.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct BinTally {
    /// Samples.
    pub count: u64,
    /// Sum of their values.
    pub sum: u64,
}

impl AddAssign for BinTally {
    fn add_assign(&mut self, other: BinTally) {
        (self.count, self.sum) = (self.count + other.count, self.sum + other.sum);
    }
}

/// Bits below the number of samples in a [`BinTally`] of one word: as many samples as [`cpu_tallies`] takes at once add up to no more.
const SUM_BITS: u32 = 48;
/// The most samples of a [`cpu_tallies`].
pub const MOST_SAMPLES: usize = 1 << 15;

/// Production path of samples on one core: adds at most [`MOST_SAMPLES`] of them to the trials × nbin tallies of one block; number and
/// sum are parts of one word on the way, so that a sample costs what an event does.
pub fn cpu_tallies(
    times: &[i64],
    values: &[u32],
    block: &TrialBlock,
    step: &Spin,
    nbin: usize,
    tallies: &mut [BinTally],
) {
    let mut words = vec![0u64; tallies.len()];
    let samples = times.iter().zip(values).take(MOST_SAMPLES);
    add(samples.map(|(&t, &value)| (t, 1 << SUM_BITS | u64::from(value))), block, step, nbin, &mut words);
    for (tally, word) in tallies.iter_mut().zip(words) {
        *tally += BinTally { count: word >> SUM_BITS, sum: word & ((1 << SUM_BITS) - 1) };
    }
}

/// Adds to the trials × nbin sums of one block an amount at each time.
fn add<T: Copy + Default + AddAssign>(
    amounts: impl Iterator<Item = (i64, T)>,
    block: &TrialBlock,
    step: &Spin,
    nbin: usize,
    sums: &mut [T],
) {
    // Bins of one byte cannot miss such a table, so nothing has to be checked, and an odd number of cache lines keeps the tables
    // of a block from pushing each other out of the cache.
    const TABLE: usize = 272;
    if nbin > 256 {
        for (t, amount) in amounts {
            let (mut phase, step) = (block.spin.phase(t), step.phase(t));
            for profile in sums.chunks_exact_mut(nbin) {
                if let Some(sum) = profile.get_mut(bin_of(phase, nbin)) {
                    *sum += amount;
                }
                phase = phase.wrapping_add(step);
            }
        }
        return;
    }
    let mut tables = [[T::default(); TABLE]; MOST_BLOCK_TRIALS];
    let tables = &mut tables[..block.trials.min(MOST_BLOCK_TRIALS)];
    for (t, amount) in amounts {
        let (mut phase, step) = (block.spin.phase(t), step.phase(t));
        for table in &mut *tables {
            table[usize::from(bin_of(phase, nbin) as u8)] += amount;
            phase = phase.wrapping_add(step);
        }
    }
    for (profile, table) in sums.chunks_exact_mut(nbin).zip(tables) {
        profile.iter_mut().zip(table).for_each(|(sum, found)| *sum += *found);
    }
}

shared_struct! {
    /// Parameters of `fold.wgsl`.
    FoldParams as "Params" {
        /// Words of the step's frequency.
        step_0: u32,
        /// See [`FoldParams::step_0`].
        step_1: u32,
        /// See [`FoldParams::step_0`].
        step_2: u32,
        /// Bins of a profile.
        nbin: u32,
        /// Events in all.
        events: u32,
        /// Events that one workgroup counts.
        stretch: u32,
        /// Blocks of trials.
        blocks: u32,
        /// 0 where no block has a derivative.
        derivatives: u32,
    }
}

shared_struct! {
    /// A [`TrialBlock`] as the shader reads it.
    DeviceBlock as "Block" {
        /// Place of its first profile.
        first: u32,
        /// Number of trials.
        trials: u32,
        /// [`Spin::words`].
        f_0: u32,
        /// See [`DeviceBlock::f_0`].
        f_1: u32,
        /// See [`DeviceBlock::f_0`].
        f_2: u32,
        /// See [`DeviceBlock::f_0`].
        g_0: u32,
        /// See [`DeviceBlock::f_0`].
        g_1: u32,
        /// See [`DeviceBlock::f_0`].
        g_2: u32,
        /// See [`DeviceBlock::f_0`].
        h_0: u32,
        /// See [`DeviceBlock::f_0`].
        h_1: u32,
        /// See [`DeviceBlock::f_0`].
        h_2: u32,
        /// The struct's size is a multiple of sixteen.
        unused: u32,
    }
}

impl DeviceBlock {
    fn new(first: usize, block: &TrialBlock) -> DeviceBlock {
        let [f_0, f_1, f_2, g_0, g_1, g_2, h_0, h_1, h_2] = block.spin.words();
        let (first, trials) = (first as u32, block.trials as u32);
        DeviceBlock { first, trials, f_0, f_1, f_2, g_0, g_1, g_2, h_0, h_1, h_2, unused: 0 }
    }
}

const PHASE: &str = include_str!("../../shaders/lib/phase.wgsl");
const ENTRY: &str = include_str!("../../shaders/fold.wgsl");
const ONE: &str = include_str!("../../shaders/lib/amount_one.wgsl");
const VALUE: &str = include_str!("../../shaders/lib/amount_value.wgsl");

/// Profiles by integers: any device.
static FOLD: Shader = shader("fold", &[GRID, bin_events::SOFT_F64, PHASE, ONE, ENTRY], BINDINGS.split_at(4).0);
/// The same of samples: sums of their values.
static FOLD_VALUES: Shader = shader("fold.values", &[GRID, bin_events::SOFT_F64, PHASE, VALUE, ENTRY], &BINDINGS);

const BINDINGS: [(&str, Access); 5] = [
    ("params", Access::Uniform),
    ("times", Access::Read),
    ("blocks", Access::Read),
    ("counts", Access::ReadWrite),
    ("values", Access::Read),
];

const fn shader(
    name: &'static str,
    fragments: &'static [&'static str],
    bindings: &'static [(&'static str, Access)],
) -> Shader {
    Shader {
        name,
        entry: "fold",
        fragments,
        bindings,
        layouts: &[FoldParams::LAYOUT, DeviceBlock::LAYOUT],
        constants: |limits| vec![("THREADS", f64::from(limits.threads)), ("COUNTERS", COUNTERS as f64)],
        workgroup_bytes: |_| 4 * COUNTERS as u32,
        f64: false,
    }
}

/// The work of a device for some blocks: buffers are the times, the blocks and the counts (trials × nbin, u32), which are the output; with
/// `values`, one a time, these too, and sums of them modulo 2^32 in the place of the counts.
pub fn job(
    times: &[i64],
    values: Option<&[u32]>,
    blocks: &[TrialBlock],
    step: &Spin,
    nbin: usize,
    limits: &Limits,
) -> Job {
    let [step_0, step_1, step_2, ..] = step.words();
    let mut trials = 0;
    let place = |block: &TrialBlock| {
        trials += block.trials;
        DeviceBlock::new(trials - block.trials, block)
    };
    let device: Vec<DeviceBlock> = blocks.iter().map(place).collect();
    let zero = |b: &DeviceBlock| [b.g_0, b.g_1, b.g_2, b.h_0, b.h_1, b.h_2] == [0; 6];
    let params = FoldParams {
        step_0,
        step_1,
        step_2,
        nbin: nbin as u32,
        events: times.len() as u32,
        stretch: WORKGROUP_EVENTS,
        blocks: blocks.len() as u32,
        derivatives: u32::from(!device.iter().all(zero)),
    };
    let stretches = times.len().div_ceil(WORKGROUP_EVENTS as usize);
    let dispatch = Dispatch {
        shader: if values.is_some() { &FOLD_VALUES } else { &FOLD },
        params: bytemuck::bytes_of(&params).to_vec(),
        buffers: if values.is_some() { vec![0, 1, 2, 3] } else { vec![0, 1, 2] },
        workgroups: limits.grid(stretches as u64 * blocks.len() as u64),
        // The times are read by every block.
        bytes: (8 * times.len() + values.map_or(0, size_of_val)) as u64 * blocks.len() as u64
            + 4 * (trials * nbin) as u64,
    };
    let mut buffers =
        vec![Fill::from_values(times), Fill::from_values(&device), Fill::Zeros(4 * (trials * nbin) as u64)];
    buffers.extend(values.map(Fill::from_values));
    Job { buffers, dispatches: vec![dispatch], outputs: vec![2] }
}

/// The fold's entry in the table of kernels; of a shape, `n` are the bins and `rows` the trials.
pub static KERNEL: Kernel = Kernel {
    name: "fold",
    shaders: &[&FOLD, &FOLD_VALUES],
    variants: &["f", "f fdot fddot", "f values"],
    needs_f64: |_| false,
    shapes,
    // Every event is counted in every row.
    timed: Timed { bins_an_event: 8, ..Timed::ONE_LENGTH },
    case: |variant, shape, data, seed| Box::new(FoldCase::new(variant, shape, data, seed)),
};

fn shapes(limits: &Limits) -> Vec<CaseShape> {
    let t = limits.threads as usize;
    let mut shapes: Vec<CaseShape> =
        [1, t - 1, t, t + 1, 9973].map(|events| CaseShape { n: 128, rows: 33, events }).into();
    let (bins, rows) = ([1, 2, 3, 16, 101, 255, 256, 257, 4096], [1, 31, 32, 64, 5, 7, 65, 40, 2]);
    shapes.extend(bins.into_iter().zip(rows).map(|(n, rows)| CaseShape { n, rows, events: 2000 }));
    shapes.extend([CaseShape { n: 20, rows: 40, events: 0 }, CaseShape { n: 64, rows: 200, events: 40_003 }]);
    shapes
}

/// One case of the fold; its values are the counts, or the sums, of all trials.
struct FoldCase {
    nbin: usize,
    times: Vec<i64>,
    values: Option<Vec<u32>>,
    blocks: Vec<TrialBlock>,
    step: Spin,
}

impl FoldCase {
    fn new(variant: usize, shape: CaseShape, data: CaseData, seed: u64) -> FoldCase {
        let mut random = Random::new(seed);
        let span = random.pick(&[1e4, 3.0, 6.4e8, 1e5]);
        // The span is one that can be expressed: this cannot fail.
        let ticks = Ticks::spanning(DoubleDouble::ZERO, DoubleDouble::from(-span), DoubleDouble::from(span))
            .expect("a finite span");
        let limit = span / ticks.seconds();
        let (freq, df) = (random.pick(&[716.35, 0.1, 2000.0 - 1e-9, 6.6]), random.pick(&[0.2 / span, 1e-3, 0.0]));
        let rates = if variant == 1 { [random.normal() / span, random.normal() / span / span] } else { [0.0; 2] };
        let spin =
            Spin::new(&Ephemeris::new(DoubleDouble::ZERO, freq, rates[0], rates[1]), &ticks).expect("moderate numbers");
        let step = Spin::from_frequency(df, &ticks).expect("moderate numbers");
        let ends = [0, 1, -1, limit as i64, -limit as i64, 1 << 32, (1 << 32) - 1, -(1 << 32), -(1 << 31)];
        let times = (0..shape.events).map(|_| match data {
            CaseData::Random => ((2.0 * random.uniform() - 1.0) * limit) as i64,
            CaseData::Hostile => random.pick(&ends).clamp(-limit as i64, limit as i64) + random.below(3) as i64,
        });
        let times = times.collect();
        // Sums of all stay below 2^32; but some of one, which a device that adds in halves, or as signed numbers, would lose.
        let most = (u32::MAX as usize / shape.events.max(1)) as u32;
        let value = |i: usize| match data {
            CaseData::Random => random.below(1 << 16) as u32,
            CaseData::Hostile => [most, 0, 1, most - 1][i % 4],
        };
        let values = (variant == 2).then(|| (0..shape.events).map(value).collect());
        FoldCase { nbin: shape.n, times, values, blocks: blocks(&spin, &step, shape.rows, shape.n), step }
    }

    fn profiles(&self, of_block: impl Fn(&TrialBlock) -> Vec<u32>) -> CaseValues {
        CaseValues { at: None, values: self.blocks.iter().flat_map(of_block).map(f64::from).collect() }
    }
}

impl KernelCase for FoldCase {
    fn reference(&self) -> CaseValues {
        let amount = |i: usize| self.values.as_ref().map_or(1, |values| values[i]);
        self.profiles(|block| reference(&self.times, amount, block, &self.step, self.nbin))
    }

    fn cpu(&self) -> CaseValues {
        let (step, nbin) = (&self.step, self.nbin);
        self.profiles(|block| {
            let Some(values) = &self.values else {
                let mut counts = vec![0; block.trials * nbin];
                cpu(&self.times, block, step, nbin, &mut counts);
                return counts;
            };
            let mut tallies = vec![BinTally::default(); block.trials * nbin];
            for (times, values) in self.times.chunks(MOST_SAMPLES).zip(values.chunks(MOST_SAMPLES)) {
                cpu_tallies(times, values, block, step, nbin, &mut tallies);
            }
            tallies.iter().map(|tally| tally.sum as u32).collect()
        })
    }

    fn job(&self, limits: &Limits) -> Job {
        job(&self.times, self.values.as_deref(), &self.blocks, &self.step, self.nbin, limits)
    }

    fn decode(&self, outputs: &[Vec<u8>]) -> CaseValues {
        words(outputs, u32::from_le_bytes)
    }

    /// None: the definition is one of integers, and every version gives identical counts.
    fn tolerance(&self, _: &CaseValues, _: Precision) -> Box<dyn Fn(usize) -> f64> {
        Box::new(|_| 0.0)
    }

    /// Forgets the last event.
    fn perturb(&self, job: &mut Job) {
        let events = self.times.len() as u32 - 1;
        job.dispatches[0].params[16..20].copy_from_slice(&events.to_le_bytes());
    }

    fn pipelines(&self, _: &Limits) -> Vec<&'static str> {
        match (self.times.is_empty(), &self.values) {
            (true, _) => vec![],
            (false, None) => vec!["fold"],
            (false, Some(_)) => vec!["fold.values"],
        }
    }
}

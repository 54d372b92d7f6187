//! From event times to summed power in one launch, for segments whose points fit a workgroup: what the histogram, the transform
//! and the power sum do one after the other, without their data going through device memory.

use super::bin_events::{self, F64, SOFT_F64, U32};
use super::fft::{self, FftPlan};
use super::power::{self, POWER_SUM, weight};
use super::{
    Access, COMPLEX, CaseData, CaseShape, CaseValues, DeviceSegment, Dispatch, Fill, GRID, Input, Job, Kernel,
    KernelCase, Limits, REAL_F32, ROW, Shader, Timed, shared_struct, transform_operations,
};
use crate::base::random::Random;
use crate::base::time::DoubleDouble;
use crate::numerics::fft::{CpuFft, frequencies};
use crate::numerics::precision::Precision;

shared_struct! {
    /// Parameters of `fused.wgsl`.
    FusedParams as "Params" {
        /// Bins a second: the bits of `δ`, f64.
        delta: u64,
        /// Bins a row.
        n: u32,
        /// Events.
        events: u32,
        /// Rows.
        rows: u32,
        /// Runs.
        runs: u32,
        /// Points a row, `n/2`.
        len: u32,
        /// Rows side by side.
        batch: u32,
        /// Radices of the stages, 4 bits each.
        radices: u32,
        /// Place of the points' roots in the tables.
        stages: u32,
        /// `FftPlan::split`.
        split: u32,
        /// Exponent `p` of the weights `N^−p`, 0 without.
        exponent: u32,
        /// 1 where earlier batches left counts.
        continued: u32,
        /// The struct's size is a multiple of eight.
        unused: u32,
    }
}

const FUSED: &str = include_str!("../../shaders/fused.wgsl");
const WORDS: &str = include_str!("../../shaders/lib/memory_words.wgsl");

fn constants(limits: &Limits) -> Vec<(&'static str, f64)> {
    let (threads, points) = (f64::from(limits.threads), f64::from(limits.points));
    vec![("THREADS", threads), ("POINTS", points), ("WORDS", 2.0 * points)]
}

fn workgroup_bytes(limits: &Limits) -> u32 {
    Precision::Single.complex_bytes() * limits.points
}

/// The shader in ordinary workgroups, or in the largest that there are.
const fn shader(name: &'static str, fragments: &'static [&'static str], f64: bool, wide: bool) -> Shader {
    Shader {
        name,
        entry: "fused",
        fragments,
        bindings: &[
            ("params", Access::Uniform),
            ("tables", Access::Read),
            ("times", Access::Read),
            ("rows", Access::Read),
            ("counts", Access::Read),
            ("dropped", Access::ReadWrite),
            ("runs", Access::Read),
            ("sums", Access::ReadWrite),
        ],
        layouts: &[FusedParams::LAYOUT, DeviceSegment::LAYOUT],
        constants: if wide { |limits| constants(&limits.wide()) } else { constants },
        workgroup_bytes: if wide { |limits| workgroup_bytes(&limits.wide()) } else { workgroup_bytes },
        f64,
    }
}

/// Fragments with the binning of `$bin` and the stages of `$stages`.
macro_rules! fragments {
    ([$($bin:expr),+], $divide:expr, $stages:expr) => {
        &[GRID, $($bin,)+ ROW, REAL_F32, COMPLEX, $divide, POWER_SUM, FUSED, fft::STOCKHAM, WORDS, $stages]
    };
}

/// The shaders of one binning and one width, of powers of two and of other lengths.
macro_rules! shaders {
    ($pow2:literal, $any:literal, [$($bin:expr),+], $f64:expr, $wide:expr) => {
        [
            shader($pow2, fragments!([$($bin),+], fft::DIVIDE_POW2, fft::STAGES_POW2), $f64, $wide),
            shader($any, fragments!([$($bin),+], fft::DIVIDE_ANY, fft::STAGES_ANY), $f64, $wide),
        ]
    };
}

/// In ordinary workgroups, then in wide ones.
static SOFT: [[Shader; 2]; 2] = [
    shaders!("fused.u32.pow2", "fused.u32.any", [SOFT_F64, U32], false, false),
    shaders!("fused.u32.pow2.wide", "fused.u32.any.wide", [SOFT_F64, U32], false, true),
];
static NATIVE: [[Shader; 2]; 2] = [
    shaders!("fused.f64.pow2", "fused.f64.any", [F64], true, false),
    shaders!("fused.f64.pow2.wide", "fused.f64.any.wide", [F64], true, true),
];

/// Buffers of the launch, by number.
#[derive(Clone, Copy, Debug)]
pub struct FusedBuffers {
    /// [`FftPlan::tables`].
    pub tables: usize,
    /// events, f64, s.
    pub times: usize,
    /// rows of [`DeviceSegment`].
    pub rows: usize,
    /// rows × n, u32: counts of earlier batches.
    pub counts: usize,
    /// rows, u32: events in no bin, added to.
    pub dropped: usize,
    /// runs: first row and one past the last, u32.
    pub runs: usize,
    /// runs × blocks × frequencies, f32.
    pub sums: usize,
}

/// What one launch works on.
#[derive(Clone, Copy, Debug)]
pub struct FusedLaunch {
    /// Bins a second.
    pub delta: f64,
    /// Number of rows.
    pub rows: usize,
    /// Number of events.
    pub events: usize,
    /// Runs.
    pub runs: usize,
    /// Exponent of the weights, 0 without.
    pub exponent: u32,
    /// Earlier batches left counts.
    pub continued: bool,
}

/// The transform of segments that can go this way, the longest in the largest workgroups.
pub fn plan(n: usize, input: Input, precision: Precision, limits: &Limits) -> Option<FftPlan> {
    FftPlan::new(n, input, precision, &limits.wide()).filter(supports)
}

/// True where a plan's segments can go this way: events, in single precision, pairs of bins that fit a workgroup.
pub fn supports(plan: &FftPlan) -> bool {
    plan.input() == Input::Events && plan.precision() == Precision::Single && plan.whole().is_some()
}

/// The launch; `f64` bins in native f64. `None` where [`supports`] says no.
pub fn dispatch(
    plan: &FftPlan,
    work: &FusedLaunch,
    f64: bool,
    buffers: &FusedBuffers,
    limits: &Limits,
) -> Option<Dispatch> {
    let (radices, stages) = plan.whole().filter(|_| supports(plan))?;
    let n = plan.n();
    let len = n / 2;
    let wide = len > limits.points as usize;
    let limits = if wide { limits.wide() } else { *limits };
    let params = FusedParams {
        delta: work.delta.to_bits(),
        n: n as u32,
        events: work.events as u32,
        rows: work.rows as u32,
        runs: work.runs as u32,
        len: len as u32,
        batch: limits.points / len as u32,
        radices,
        stages,
        split: plan.split(),
        exponent: work.exponent,
        continued: u32::from(work.continued),
        unused: 0,
    };
    let FusedBuffers { tables, times, rows, counts, dropped, runs, sums } = *buffers;
    let counts_read = if work.continued { 4 * (work.rows * n) as u64 } else { 0 };
    let blocks = 1 + u64::from(work.exponent > 0);
    let bytes = 8 * work.events as u64
        + counts_read
        + (size_of::<DeviceSegment>() * work.rows) as u64
        + work.runs as u64 * (8 + 4 * blocks * frequencies(n) as u64);
    Some(Dispatch {
        bytes,
        shader: &(if f64 { &NATIVE } else { &SOFT })[usize::from(wide)][usize::from(!len.is_power_of_two())],
        params: bytemuck::bytes_of(&params).to_vec(),
        buffers: vec![tables, times, rows, counts, dropped, runs, sums],
        workgroups: limits.grid(work.runs as u64),
    })
}

/// The entry in the table of kernels.
pub static KERNEL: Kernel = Kernel {
    name: "fused",
    shaders: &[
        &SOFT[0][0],
        &SOFT[0][1],
        &SOFT[1][0],
        &SOFT[1][1],
        &NATIVE[0][0],
        &NATIVE[0][1],
        &NATIVE[1][0],
        &NATIVE[1][1],
    ],
    variants: &["u32", "u32.continued", "f64", "f64.continued"],
    needs_f64: |variant| variant >= 2,
    shapes,
    timed: Timed { lengths: &[256, 1024, 4096], operations: transform_operations, ..Timed::ONE_LENGTH },
    case: |variant, shape, data, seed| Box::new(FusedCase::new(variant >= 2, variant % 2 == 1, shape, data, seed)),
};

fn shapes(limits: &Limits) -> Vec<CaseShape> {
    let longest = 2 * limits.points as usize;
    let list = [
        (2, 3, 100),
        (4, 0, 0),
        (4, 1, 0),
        (6, 5, 700),
        (8, 130, 5000),
        (64, 200, 30_011),
        (longest, 7, 20_000),
        (longest - 2, 1, 0),
        (2 * limits.wide().points as usize, 3, 9000),
        (2 * limits.wide().points as usize / 13 / 11 * 13 * 11, 65, 40_000),
        (1000, 70, 9000),
        (2 * 13 * 11 * 7, 9, 9000),
        (512, 67, 40_000),
    ];
    let fits = |n: usize| plan(n, Input::Events, Precision::Single, limits).is_some();
    list.into_iter().filter(|l| fits(l.0)).map(|(n, rows, events)| CaseShape { n, rows, events }).collect()
}

/// One case; its values are runs × blocks × frequencies.
struct FusedCase {
    f64: bool,
    continued: bool,
    n: usize,
    delta: f64,
    exponent: u32,
    starts: Vec<DoubleDouble>,
    /// Events of each row.
    times: Vec<Vec<f64>>,
    /// rows × n: counts of earlier batches.
    earlier: Vec<u32>,
    rows: Vec<DeviceSegment>,
    runs: Vec<[u32; 2]>,
}

impl FusedCase {
    fn new(f64: bool, continued: bool, shape: CaseShape, data: CaseData, seed: u64) -> FusedCase {
        let CaseShape { n, rows, events } = shape;
        let mut random = Random::new(seed);
        let size = if data == CaseData::Hostile { 0.7 } else { n as f64 / 1024.0 };
        let delta = bin_events::bins_per_second(size, n);
        let starts: Vec<DoubleDouble> =
            (0..rows).map(|i| DoubleDouble::sum(3e8, -3e-9) + DoubleDouble::product(size, i as f64)).collect();
        let mut times = vec![Vec::new(); rows];
        for _ in 0..if rows == 0 { 0 } else { events } {
            let row = random.below(rows);
            let place = match (data, random.below(8)) {
                // On edges, and beyond the segment: dropped.
                (CaseData::Hostile, 0) => random.below(n + 1) as f64 / delta,
                (CaseData::Hostile, 1) => size * (1.0 + 1e-9),
                // All in one bin.
                (CaseData::Hostile, 2 | 3) => size / 3.0,
                _ => size * random.uniform(),
            };
            times[row].push((starts[row] + DoubleDouble::from(place)).hi);
        }
        times.iter_mut().for_each(|t| t.sort_by(f64::total_cmp));
        let mut count = || if continued && random.below(4) == 0 { random.below(5) as u32 } else { 0 };
        let earlier: Vec<u32> = (0..rows * n).map(|_| count()).collect();
        let mut begin = 0;
        let device_rows = (0..rows).map(|i| {
            let before: u64 = earlier[i * n..(i + 1) * n].iter().map(|&c| u64::from(c)).sum();
            let row = DeviceSegment::new(starts[i], begin, before + times[i].len() as u64, n);
            begin += times[i].len();
            DeviceSegment { include: if i % 7 == 5 { 0.0 } else { 1.0 }, ..row }
        });
        let device_rows = device_rows.collect();
        let mut runs = Vec::new();
        let mut begin = 0;
        while begin < rows {
            let end = (begin + 1 + random.below(64)).min(rows);
            runs.push([begin as u32, end as u32]);
            begin = end;
        }
        let exponent = seed as u32 % 3;
        FusedCase { f64, continued, n, delta, exponent, starts, times, earlier, rows: device_rows, runs }
    }

    fn blocks(&self) -> usize {
        1 + usize::from(self.exponent > 0)
    }

    /// Samples of a row, its device's mean subtracted, and its photons; by the histogram given.
    fn samples(
        &self,
        row: usize,
        histogram: impl Fn(&[f64], DoubleDouble, f64, usize) -> (Vec<u32>, u64),
    ) -> (Vec<f64>, u64) {
        let (counts, dropped) = histogram(&self.times[row], self.starts[row], self.delta, self.n);
        let earlier = &self.earlier[row * self.n..(row + 1) * self.n];
        let mean = f64::from(self.rows[row].mean);
        let samples = counts.iter().zip(earlier).map(|(a, b)| f64::from(a + b) - mean).collect();
        (samples, u64::from(self.rows[row].events) - dropped)
    }

    /// Powers of each row at frequencies `1 …`, and its photons, summed by run and block.
    fn sums(&self, powers: impl Fn(usize) -> (Vec<f64>, u64)) -> Vec<f64> {
        let mut values = Vec::new();
        for &[begin, end] in &self.runs {
            let rows: Vec<(Vec<f64>, u64)> = (begin as usize..end as usize).map(&powers).collect();
            for block in 0..self.blocks() {
                let exponent = if block == 0 { 0 } else { self.exponent };
                let mut sum = vec![0.0; rows.first().map_or(0, |r| r.0.len())];
                for ((power, photons), row) in rows.iter().zip(&self.rows[begin as usize..]) {
                    let w = f64::from(row.include) * weight(*photons, exponent);
                    sum.iter_mut().zip(power).for_each(|(s, p)| *s += w * p);
                }
                values.extend(sum);
            }
        }
        values
    }

    /// Frequencies at which the definition is evaluated.
    fn sampled(&self) -> Vec<usize> {
        let count = frequencies(self.n);
        let mut ks: Vec<usize> =
            if count <= 40 { (1..=count).collect() } else { vec![1, 2, 3, count / 3, count / 2, count - 1, count] };
        ks.dedup();
        ks
    }
}

impl KernelCase for FusedCase {
    fn reference(&self) -> CaseValues {
        let (ks, count) = (self.sampled(), frequencies(self.n));
        let values = self.sums(|row| {
            let (samples, photons) = self.samples(row, bin_events::reference);
            (fft::reference(&samples, &ks).iter().map(|f| f.norm_sqr()).collect(), photons)
        });
        let blocks = self.runs.len() * self.blocks();
        let at = (0..blocks).flat_map(|block| ks.iter().map(move |k| block * count + k - 1)).collect();
        CaseValues { at: Some(at), values }
    }

    fn cpu(&self) -> CaseValues {
        let plan = CpuFft::new(self.n);
        let values = self.sums(|row| {
            let (samples, photons) = self.samples(row, |times, start, delta, n| {
                let mut counts = vec![0; n];
                let dropped = bin_events::cpu(times, start, delta, &mut counts);
                (counts, dropped)
            });
            let mut work = plan.work();
            work.input.copy_from_slice(&samples);
            plan.process(&mut work);
            let mut power = vec![0.0; frequencies(self.n)];
            power::cpu(&work.output, 1.0, &mut power);
            (power, photons)
        });
        CaseValues { at: None, values }
    }

    fn job(&self, limits: &Limits) -> Job {
        let plan = plan(self.n, Input::Events, Precision::Single, limits).expect("a supported length");
        let work = FusedLaunch {
            delta: self.delta,
            rows: self.rows.len(),
            events: self.times.iter().map(Vec::len).sum(),
            runs: self.runs.len(),
            exponent: self.exponent,
            continued: self.continued,
        };
        let places = FusedBuffers { tables: 0, times: 1, rows: 2, counts: 3, dropped: 4, runs: 5, sums: 6 };
        let sums = 4 * self.runs.len() * self.blocks() * frequencies(self.n);
        Job {
            buffers: vec![
                Fill::Bytes(Precision::Single.bytes(plan.tables())),
                Fill::from_values(&self.times.concat()),
                Fill::from_values(&self.rows),
                Fill::from_values(&self.earlier),
                Fill::Zeros(4 * self.rows.len() as u64),
                Fill::from_values(&self.runs),
                Fill::Zeros(sums as u64),
            ],
            dispatches: dispatch(&plan, &work, self.f64, &places, limits).into_iter().collect(),
            outputs: vec![6],
        }
    }

    fn decode(&self, outputs: &[Vec<u8>]) -> CaseValues {
        CaseValues { at: None, values: Precision::Single.reals(&outputs[0]) }
    }

    /// Amplitudes within `a = 1e-6·√P̄ + 2e-7·√P_max` as those of the transform (`P̄` and `P_max` of the run's brightest row are
    /// at most its largest sum of squares), and the rounding of a sum of up to 64 powers and their weights.
    fn tolerance(&self, expected: &CaseValues, precision: Precision) -> Box<dyn Fn(usize) -> f64> {
        let scale = if precision == Precision::Single { 1.0 } else { 2f64.powi(-27) };
        let epsilon = scale * 2f64.powi(-24);
        let (count, blocks) = (frequencies(self.n).max(1), self.blocks());
        let bounds: Vec<[f64; 2]> = self
            .runs
            .iter()
            .flat_map(|&[begin, end]| {
                let rows = begin as usize..end as usize;
                let amplitude = |row: usize| {
                    let (samples, _) = self.samples(row, bin_events::reference);
                    let (mean, peak) =
                        (samples.iter().map(|x| x * x).sum::<f64>(), samples.iter().map(|x| x.abs()).sum::<f64>());
                    scale * (1e-6 * mean.sqrt() + 2e-7 * peak)
                };
                let a = rows.clone().map(amplitude).fold(0.0, f64::max);
                let photons =
                    rows.map(|row| self.samples(row, bin_events::reference).1).filter(|&n| n > 0).min().unwrap_or(1);
                let weights = [1.0, weight(photons, self.exponent)].map(|w| w * f64::from(end - begin));
                weights.into_iter().take(blocks).map(move |w| [a, w])
            })
            .collect();
        let values: Vec<(usize, f64)> =
            expected.values.iter().enumerate().map(|(i, &v)| (expected.at.as_ref().map_or(i, |at| at[i]), v)).collect();
        Box::new(move |i| {
            let (place, value) = values[i];
            let [a, w] = bounds[place / count];
            2.0 * a * (w * value).sqrt() + w * a * a + 90.0 * epsilon * value
        })
    }

    /// Another bin width.
    fn perturb(&self, job: &mut Job) {
        let delta = (self.delta * 1.01).to_bits();
        job.dispatches[0].params[..8].copy_from_slice(&delta.to_le_bytes());
    }

    fn pipelines(&self, limits: &Limits) -> Vec<&'static str> {
        let wide = self.n / 2 > limits.points as usize;
        let name = match (self.f64, (self.n / 2).is_power_of_two()) {
            (false, true) => ["fused.u32.pow2", "fused.u32.pow2.wide"],
            (false, false) => ["fused.u32.any", "fused.u32.any.wide"],
            (true, true) => ["fused.f64.pow2", "fused.f64.pow2.wide"],
            (true, false) => ["fused.f64.any", "fused.f64.any.wide"],
        };
        if self.runs.is_empty() { vec![] } else { vec![name[usize::from(wide)]] }
    }
}

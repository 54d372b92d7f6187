//! Power and its sum over segments: `S_k += w·|F_k|²` for `k = 1 … ceil(n/2) − 1`.

use rustfft::num_complex::Complex;

use super::fft::{CasePoints, FftPlan};
use super::{
    Access, COMPLEX, CaseData, CaseShape, CaseValues, DeviceSegment, Dispatch, Fill, GRID, Job, Kernel, KernelCase,
    Limits, REAL_F32, REAL_F64, ROW, Shader, StructLayout, TIME_BITS, Timed, no_memory, shared_struct, threads_only,
};
use crate::base::random::Random;
use crate::numerics::fft::frequencies;
use crate::numerics::precision::Precision;

/// Weight of a segment of `photons` photons in the sum of powers: `N^−exponent`; an empty segment weighs nothing.
pub fn weight(photons: u64, exponent: u32) -> f64 {
    if exponent == 0 {
        1.0
    } else if photons == 0 {
        0.0
    } else {
        (photons as f64).powi(-(exponent as i32))
    }
}

/// Reference: `Σ_rows w_row·|F_row,k|²` in index order; `spectra` holds whole transforms, `k = 0` first.
pub fn reference(spectra: &[Vec<Complex<f64>>], weights: &[f64], n: usize) -> Vec<f64> {
    (1..=frequencies(n))
        .map(|k| spectra.iter().zip(weights).map(|(f, w)| w * (f[k].re * f[k].re + f[k].im * f[k].im)).sum())
        .collect()
}

/// Production path on one core: adds one segment's `w·|F_k|²` to `sum`; `spectrum` starts at `k = 0`.
pub fn cpu(spectrum: &[Complex<f64>], weight: f64, sum: &mut [f64]) {
    for (s, f) in sum.iter_mut().zip(&spectrum[1..]) {
        *s += weight * (f.re * f.re + f.im * f.im);
    }
}

shared_struct! {
    /// Parameters of `power.wgsl`.
    PowerParams as "Params" {
        /// Runs.
        runs: u32,
        /// Real samples a row.
        n: u32,
        /// Complex amplitudes from row to row.
        stride: u32,
        /// Exponent `p` of the weights `N^−p`, 0 without.
        exponent: u32,
        /// `FftPlan::split`.
        split: u32,
    }
}

const POWER: &str = include_str!("../../shaders/power.wgsl");
pub(super) const POWER_SUM: &str = include_str!("../../shaders/lib/power_sum.wgsl");
pub(super) const PLAIN: &str = include_str!("../../shaders/lib/amplitude_plain.wgsl");
pub(super) const CHIRPED: &str = include_str!("../../shaders/lib/amplitude_chirped.wgsl");

/// Bindings of a sum over spectra.
const BINDINGS: &[(&str, Access)] = &[
    ("params", Access::Uniform),
    ("tables", Access::Read),
    ("spectra", Access::Read),
    ("rows", Access::Read),
    ("dropped", Access::Read),
    ("runs", Access::Read),
    ("sums", Access::ReadWrite),
];

/// A shader that sums over spectra.
pub(super) const fn sum_shader(
    name: &'static str,
    entry: &'static str,
    fragments: &'static [&'static str],
    layouts: &'static [StructLayout],
    f64: bool,
) -> Shader {
    Shader {
        name,
        entry,
        fragments,
        bindings: BINDINGS,
        layouts,
        constants: threads_only,
        workgroup_bytes: no_memory,
        f64,
    }
}

/// The shaders of one entry point that sums over spectra: of plain and of chirped amplitudes, in f32 and in f64.
macro_rules! sum_shaders {
    ($entry:literal, $text:expr, $params:ty) => {
        sum_shaders!(@ $entry, $text, &[<$params>::LAYOUT, DeviceSegment::LAYOUT])
    };
    (@ $entry:literal, $text:expr, $layouts:expr) => {
        [
            sum_shader($entry, $entry, sum_shaders!(# REAL_F32, $text, PLAIN), $layouts, false),
            sum_shader(concat!($entry, ".chirped"), $entry, sum_shaders!(# REAL_F32, $text, CHIRPED), $layouts, false),
            sum_shader(concat!($entry, ".f64"), $entry, sum_shaders!(# REAL_F64, $text, PLAIN), $layouts, true),
            sum_shader(concat!($entry, ".chirped.f64"), $entry, sum_shaders!(# REAL_F64, $text, CHIRPED), $layouts, true),
        ]
    };
    (# $real:expr, $text:expr, $amplitude:expr) => {
        &[GRID, $real, COMPLEX, TIME_BITS, ROW, POWER_SUM, $text, $amplitude]
    };
}
pub(super) use sum_shaders;

/// Power summed over the segments of a run.
static SHADERS: [Shader; 4] = sum_shaders!("power", POWER, PowerParams);

/// Buffers of a power sum, by number.
#[derive(Clone, Copy, Debug)]
pub struct PowerBuffers {
    /// [`FftPlan::tables`](FftPlan::tables).
    pub tables: usize,
    /// rows × [`FftPlan::length`] points.
    pub spectra: usize,
    /// rows of [`DeviceSegment`].
    pub rows: usize,
    /// rows, u32: events that fell in no bin.
    pub dropped: usize,
    /// runs: first row and one past the last, u32.
    pub runs: usize,
    /// runs × blocks × frequencies, in the precision of the transform.
    pub sums: usize,
}

impl PowerBuffers {
    /// In the order of the bindings.
    pub(super) fn bound(&self) -> Vec<usize> {
        vec![self.tables, self.spectra, self.rows, self.dropped, self.runs, self.sums]
    }
}

/// The launch for `runs` runs of the `rows` spectra that `plan` made.
pub fn dispatch(
    plan: &FftPlan,
    rows: usize,
    runs: usize,
    exponent: u32,
    buffers: &PowerBuffers,
    limits: &Limits,
) -> Dispatch {
    let n = plan.n();
    let params =
        PowerParams { runs: runs as u32, n: n as u32, stride: plan.length() as u32, exponent, split: plan.split() };
    let items = if n.is_multiple_of(2) { n / 4 } else { frequencies(n) };
    let double = plan.precision() == Precision::Double;
    let complex = u64::from(plan.precision().complex_bytes());
    let blocks = 1 + u64::from(exponent > 0);
    let bytes = rows as u64 * (complex * plan.h() as u64 + size_of::<DeviceSegment>() as u64)
        + runs as u64 * (8 + blocks * frequencies(n) as u64 * complex / 2);
    Dispatch {
        bytes,
        shader: &SHADERS[usize::from(plan.chirped()) + 2 * usize::from(double)],
        params: bytemuck::bytes_of(&params).to_vec(),
        buffers: buffers.bound(),
        workgroups: limits.grid_of_items(runs as u64 * items as u64),
    }
}

/// The power sum's entry in the table of kernels.
pub static KERNEL: Kernel = Kernel {
    name: "power",
    shaders: &[&SHADERS[0], &SHADERS[1], &SHADERS[2], &SHADERS[3]],
    variants: &["plain", "weighted", "plain.f64", "weighted.f64"],
    needs_f64: |variant| variant >= 2,
    shapes,
    timed: Timed { lengths: &[1024, 4096, 1 << 14, 1 << 18, 10_007], ..Timed::ONE_LENGTH },
    case: |variant, shape, data, seed| {
        let precision = if variant < 2 { Precision::Single } else { Precision::Double };
        let points = CasePoints::new(shape.n, shape.rows, precision, data, &mut Random::new(seed));
        let launch: PowerLaunch =
            |plan, rows, runs, exponent, buffers, limits| Some(dispatch(plan, rows, runs, exponent, buffers, limits));
        Box::new(PowerCase::new(variant % 2 == 1, points, launch, shape.rows, data, seed))
    },
};

fn shapes(limits: &Limits) -> Vec<CaseShape> {
    let t = limits.threads as usize;
    let list = [
        (2, 3),
        (4, 0),
        (4, 1),
        (3, 5),
        (5, 20),
        (6, 2),
        (8, 130),
        (34, 70),
        (35, 20),
        (64, 257),
        (2 * t, 66),
        (2 * t + 2, 7),
        (2 * t + 3, 7),
        (2 * t + 4, 64),
        (4 * t + 4, 64),
        (194, 129),
        (1021, 9),
        (1 << 15, 9),
    ];
    list.map(|(n, rows)| CaseShape { n, rows, events: 0 }).into()
}

/// What makes the launch of a case.
pub(super) type PowerLaunch = fn(&FftPlan, usize, usize, u32, &PowerBuffers, &Limits) -> Option<Dispatch>;

/// One case of the power sum, or of the last pass that ends in it; its values are runs × blocks × frequencies.
pub(super) struct PowerCase {
    points: CasePoints,
    launch: PowerLaunch,
    exponent: u32,
    rows: Vec<DeviceSegment>,
    dropped: Vec<u32>,
    runs: Vec<[u32; 2]>,
}

impl PowerCase {
    pub fn new(
        weighted: bool,
        points: CasePoints,
        launch: PowerLaunch,
        rows: usize,
        data: CaseData,
        seed: u64,
    ) -> PowerCase {
        let mut random = Random::new(!seed);
        let largest = if data == CaseData::Hostile { 2_000_000_000 } else { 3000 };
        let rows: Vec<DeviceSegment> = (0..rows)
            .map(|_| DeviceSegment {
                include: if random.below(5) == 0 { 0.0 } else { 1.0 },
                events: if random.below(9) == 0 { 0 } else { random.below(largest) as u32 },
                ..DeviceSegment::default()
            })
            .collect();
        let dropped = rows.iter().map(|r| if random.below(9) == 0 { r.events } else { r.events / 100 }).collect();
        let mut runs = Vec::new();
        let mut begin = 0;
        while begin < rows.len() {
            let end = (begin + 1 + random.below(64)).min(rows.len());
            runs.push([begin as u32, end as u32]);
            begin = end;
        }
        let exponent = if weighted { 1 + seed as u32 % 2 } else { 0 };
        PowerCase { points, launch, exponent, rows, dropped, runs }
    }

    fn n(&self) -> usize {
        self.points.plan.n()
    }

    fn blocks(&self) -> usize {
        1 + usize::from(self.exponent > 0)
    }

    /// `sum(run's amplitudes, weights)` for each run and block.
    fn sums(&self, sum: impl Fn(&[Vec<Complex<f64>>], &[f64]) -> Vec<f64>) -> CaseValues {
        let mut values = Vec::new();
        for &[begin, end] in &self.runs {
            let range = begin as usize..end as usize;
            let spectra: Vec<Vec<Complex<f64>>> = range.clone().map(|row| self.points.amplitudes(row)).collect();
            for block in 0..self.blocks() {
                let weights: Vec<f64> = range
                    .clone()
                    .map(|row| {
                        let photons = u64::from(self.rows[row].events - self.dropped[row]);
                        f64::from(self.rows[row].include) * weight(photons, if block == 0 { 0 } else { self.exponent })
                    })
                    .collect();
                values.extend(sum(&spectra, &weights));
            }
        }
        CaseValues { at: None, values }
    }
}

impl KernelCase for PowerCase {
    fn reference(&self) -> CaseValues {
        self.sums(|spectra, weights| reference(spectra, weights, self.n()))
    }

    fn cpu(&self) -> CaseValues {
        self.sums(|spectra, weights| {
            let mut sum = vec![0.0; frequencies(self.n())];
            spectra.iter().zip(weights).for_each(|(f, &w)| cpu(f, w, &mut sum));
            sum
        })
    }

    fn job(&self, limits: &Limits) -> Job {
        let (plan, rows, runs) = (&self.points.plan, self.rows.len(), self.runs.len());
        let precision = plan.precision();
        let sums = runs * self.blocks() * frequencies(self.n()) * precision.complex_bytes() as usize / 2;
        let places = PowerBuffers { tables: 0, spectra: 1, rows: 2, dropped: 3, runs: 4, sums: 5 };
        Job {
            buffers: vec![
                Fill::Bytes(precision.bytes(plan.tables())),
                Fill::Bytes(self.points.stored()),
                Fill::from_values(&self.rows),
                Fill::from_values(&self.dropped),
                Fill::from_values(&self.runs),
                Fill::Zeros(sums as u64),
            ],
            dispatches: vec![
                (self.launch)(plan, rows, runs, self.exponent, &places, limits)
                    .expect("a length that the launch is for"),
            ],
            outputs: vec![5],
        }
    }

    fn decode(&self, outputs: &[Vec<u8>]) -> CaseValues {
        CaseValues { at: None, values: self.points.plan.precision().reals(&outputs[0]) }
    }

    /// A sum of 64 terms that are not negative errs by `(66 + 6·p)·ε` of itself: 63 additions, 2 operations a power, a product,
    /// and `p` divisions by a rounded N, each of 2 or 3 units in the last place (WGSL's bound is 2.5). Amplitudes err by up to
    /// [`CasePoints::amplitude_error`] `a`, powers by `2a|F| + a²`.
    fn tolerance(&self, expected: &CaseValues, precision: Precision) -> Box<dyn Fn(usize) -> f64> {
        let epsilon = 2f64.powi(if precision == Precision::Single { -24 } else { -53 });
        let relative = f64::from(66 + 6 * self.exponent) * epsilon;
        let amplitude = self.points.amplitude_error(epsilon);
        let (count, blocks) = (frequencies(self.n()), self.blocks());
        let heaviest: Vec<[f64; 2]> = self
            .runs
            .iter()
            .map(|&[begin, end]| {
                let rows = begin as usize..end as usize;
                let least = rows.map(|r| self.rows[r].events - self.dropped[r]).filter(|&n| n > 0).min().unwrap_or(1);
                [f64::from(end - begin), weight(u64::from(least), self.exponent) * f64::from(end - begin)]
            })
            .collect();
        let values = expected.values.clone();
        Box::new(move |i| {
            let weights = heaviest[i / (count * blocks)][i / count % blocks];
            let error = 2.0 * amplitude * (weights * values[i]).sqrt() + weights * amplitude * amplitude;
            relative * values[i] + error
        })
    }

    /// Forgets the last run.
    fn perturb(&self, job: &mut Job) {
        let runs = self.runs.len() as u32 - 1;
        job.dispatches[0].params[..4].copy_from_slice(&runs.to_le_bytes());
    }

    fn precision(&self) -> Precision {
        self.points.plan.precision()
    }

    fn pipelines(&self, _: &Limits) -> Vec<&'static str> {
        let plan = &self.points.plan;
        let kind = (plan.n() % 2, plan.length().is_power_of_two());
        let name = match (self.points.last_pass_is_due(), plan.precision()) {
            (true, Precision::Single) => match kind {
                (0, true) => "power_pass.even.pow2",
                (0, false) => "power_pass.even.any",
                (_, true) => "power_pass.odd.pow2",
                (_, false) => "power_pass.odd.any",
            },
            (true, Precision::Double) => match kind {
                (0, true) => "power_pass.even.pow2.f64",
                (0, false) => "power_pass.even.any.f64",
                (_, true) => "power_pass.odd.pow2.f64",
                (_, false) => "power_pass.odd.any.f64",
            },
            (false, Precision::Single) if plan.chirped() => "power.chirped",
            (false, Precision::Single) => "power",
            (false, Precision::Double) if plan.chirped() => "power.chirped.f64",
            (false, Precision::Double) => "power.f64",
        };
        if self.runs.is_empty() || frequencies(self.n()) == 0 { vec![] } else { vec![name] }
    }
}

//! Batched real Fourier transform: `F_k = Σ_j x_j e^{−2πi jk/n}`, `k = 0 … floor(n/2)`.

use std::sync::Arc;

use realfft::{RealFftPlanner, RealToComplex};
use rustfft::num_complex::Complex;

use super::trial::{Random, words};
use super::{
    Access, Data, Dispatch, Fill, GRID, Job, Kernel, Limits, Precision, Shader, Shape, Trial, Values, no_memory,
    shared_struct, threads_only,
};
use crate::segment::Input;

/// Reference: the definition, evaluated at the frequencies `ks`, in f64 with compensated sums; `x` holds `n` samples.
pub fn reference(x: &[f64], ks: &[usize]) -> Vec<Complex<f64>> {
    let n = x.len();
    let turn = -std::f64::consts::TAU / n as f64;
    ks.iter()
        .map(|&k| {
            let (mut re, mut im) = (Compensated::default(), Compensated::default());
            for (j, &x) in x.iter().enumerate() {
                let (sin, cos) = (turn * ((j * k) % n) as f64).sin_cos();
                re.add(x * cos);
                im.add(x * sin);
            }
            Complex::new(re.value(), im.value())
        })
        .collect()
}

/// A running sum with the rounding error carried along (Neumaier 1974, doi:10.1002/zamm.19740540106).
#[derive(Default)]
struct Compensated {
    sum: f64,
    error: f64,
}

impl Compensated {
    fn add(&mut self, x: f64) {
        let sum = self.sum + x;
        self.error += if self.sum.abs() >= x.abs() { (self.sum - sum) + x } else { (x - sum) + self.sum };
        self.sum = sum;
    }
    fn value(&self) -> f64 {
        self.sum + self.error
    }
}

/// Production path on the CPU: one length, planned once, shared by threads; f64, every length.
#[derive(Clone)]
pub struct CpuFft {
    plan: Arc<dyn RealToComplex<f64>>,
}

/// Scratch and buffers of one thread.
pub struct CpuFftWork {
    /// The `n` input samples; destroyed by the transform.
    pub input: Vec<f64>,
    /// `floor(n/2) + 1` amplitudes.
    pub output: Vec<Complex<f64>>,
    scratch: Vec<Complex<f64>>,
}

impl CpuFft {
    /// Plans transforms of `n ≥ 1` real samples.
    pub fn new(n: usize) -> CpuFft {
        CpuFft { plan: RealFftPlanner::new().plan_fft_forward(n) }
    }

    /// Buffers for one thread.
    pub fn work(&self) -> CpuFftWork {
        CpuFftWork {
            input: self.plan.make_input_vec(),
            output: self.plan.make_output_vec(),
            scratch: self.plan.make_scratch_vec(),
        }
    }

    /// Transforms `work.input` into `work.output`.
    pub fn process(&self, work: &mut CpuFftWork) {
        self.plan
            .process_with_scratch(&mut work.input, &mut work.output, &mut work.scratch)
            .expect("buffers come from the plan, so their lengths fit");
    }
}

/// Largest length that devices transform.
pub const LARGEST: usize = 1 << 22;

/// True for the lengths that devices transform: powers of two from 2 to [`LARGEST`].
pub fn device_supports(n: usize) -> bool {
    n.is_power_of_two() && (2..=LARGEST).contains(&n)
}

/// The device's table of roots: `w_n^k = e^{−2πi k/n}` for `k = 0 … n/2 − 1`, computed in f64, rounded to f32.
pub fn twiddles(n: usize) -> Vec<[f32; 2]> {
    let turn = -std::f64::consts::TAU / n as f64;
    (0..n / 2)
        .map(|k| {
            let (sin, cos) = (turn * k as f64).sin_cos();
            [cos as f32, sin as f32]
        })
        .collect()
}

shared_struct! {
    /// Parameters of every pass; see `shaders/lib/fft_params.wgsl`.
    FftParams as "Params" {
        /// Transforms.
        rows: u32,
        /// log2 of the `h = n/2` complex points of a transform.
        log_h: u32,
        /// log2 of the length of the columns, 0 where a transform fits a workgroup.
        log_h1: u32,
        /// log2 of the length of the rows, 0 where a transform fits a workgroup.
        log_h2: u32,
    }
}

const COMPLEX: &str = include_str!("../../shaders/lib/complex.wgsl");
const PARAMS: &str = include_str!("../../shaders/lib/fft_params.wgsl");
const TWIDDLE: &str = include_str!("../../shaders/lib/twiddle.wgsl");
const STOCKHAM: &str = include_str!("../../shaders/lib/stockham.wgsl");
const COUNTS: &str = include_str!("../../shaders/lib/sample_counts.wgsl");
const FLUX: &str = include_str!("../../shaders/lib/sample_flux.wgsl");
const WHOLE: &str = include_str!("../../shaders/fft_whole.wgsl");
const FIRST: &str = include_str!("../../shaders/fft_first.wgsl");
const LAST: &str = include_str!("../../shaders/fft_last.wgsl");
const SPLIT: &str = include_str!("../../shaders/fft_split.wgsl");

const WHOLE_BINDINGS: &[(&str, Access)] = &[
    ("params", Access::Uniform),
    ("samples", Access::Read),
    ("means", Access::Read),
    ("twiddles", Access::Read),
    ("spectra", Access::ReadWrite),
];
const FIRST_BINDINGS: &[(&str, Access)] = &[
    ("params", Access::Uniform),
    ("samples", Access::Read),
    ("means", Access::Read),
    ("twiddles", Access::Read),
    ("columns", Access::ReadWrite),
];
const LAST_BINDINGS: &[(&str, Access)] = &[
    ("params", Access::Uniform),
    ("twiddles", Access::Read),
    ("columns", Access::Read),
    ("spectra", Access::ReadWrite),
];
const SPLIT_BINDINGS: &[(&str, Access)] =
    &[("params", Access::Uniform), ("twiddles", Access::Read), ("spectra", Access::ReadWrite)];

const fn pass(
    name: &'static str,
    entry: &'static str,
    fragments: &'static [&'static str],
    bindings: &'static [(&'static str, Access)],
) -> Shader {
    Shader {
        name,
        entry,
        fragments,
        bindings,
        layouts: &[FftParams::LAYOUT],
        constants: |limits| vec![("THREADS", f64::from(limits.threads)), ("POINTS", f64::from(limits.points))],
        workgroup_bytes: |limits| 8 * limits.points,
        f64: false,
    }
}

/// Whole transforms of counts in one workgroup.
pub static WHOLE_COUNTS: Shader =
    pass("fft_whole.counts", "fft_whole", &[GRID, COMPLEX, PARAMS, COUNTS, WHOLE, TWIDDLE, STOCKHAM], WHOLE_BINDINGS);
/// Whole transforms of flux in one workgroup.
pub static WHOLE_FLUX: Shader =
    pass("fft_whole.flux", "fft_whole", &[GRID, COMPLEX, PARAMS, FLUX, WHOLE, TWIDDLE, STOCKHAM], WHOLE_BINDINGS);
/// Columns of a long transform of counts.
pub static FIRST_COUNTS: Shader =
    pass("fft_first.counts", "fft_first", &[GRID, COMPLEX, PARAMS, COUNTS, FIRST, TWIDDLE, STOCKHAM], FIRST_BINDINGS);
/// Columns of a long transform of flux.
pub static FIRST_FLUX: Shader =
    pass("fft_first.flux", "fft_first", &[GRID, COMPLEX, PARAMS, FLUX, FIRST, TWIDDLE, STOCKHAM], FIRST_BINDINGS);
/// Rows of a long transform.
pub static LAST_ROWS: Shader =
    pass("fft_last", "fft_last", &[GRID, COMPLEX, PARAMS, LAST, TWIDDLE, STOCKHAM], LAST_BINDINGS);
/// From the complex transform of pairs to the real transform.
pub static SPLIT_PAIRS: Shader = Shader {
    constants: threads_only,
    workgroup_bytes: no_memory,
    ..pass("fft_split", "fft_split", &[GRID, COMPLEX, PARAMS, SPLIT, TWIDDLE], SPLIT_BINDINGS)
};

/// Buffers of a transform, by number.
#[derive(Clone, Copy, Debug)]
pub struct FftBuffers {
    /// rows × n samples, u32 counts or f32 flux; overwritten by long transforms.
    pub samples: usize,
    /// rows, f32: mean of a row's samples (not used for flux).
    pub means: usize,
    /// [`twiddles`].
    pub twiddles: usize,
    /// rows × n/2 complex f32.
    pub work: usize,
}

/// The launches for `rows` transforms of `n` samples, and the buffer in which the spectra are then found: for each row
/// `(F_0, F_{n/2}), F_1 … F_{n/2−1}`.
pub fn dispatches(
    n: usize,
    rows: usize,
    input: Input,
    buffers: &FftBuffers,
    limits: &Limits,
) -> (Vec<Dispatch>, usize) {
    let FftBuffers { samples, means, twiddles, work } = *buffers;
    let h = n / 2;
    let points = limits.points as usize;
    let long = h > points;
    let log_h1 = if long { h.ilog2() / 2 } else { 0 };
    let log_h2 = if long { h.ilog2() - log_h1 } else { 0 };
    let params = FftParams { rows: rows as u32, log_h: h.ilog2(), log_h1, log_h2 };
    let launch = |shader, buffers: &[usize], workgroups| Dispatch {
        shader,
        params: bytemuck::bytes_of(&params).to_vec(),
        buffers: buffers.to_vec(),
        workgroups,
    };
    let groups = limits.grid((rows * h).div_ceil(points) as u64);
    let counts = input == Input::Events;
    let spectra = if long { samples } else { work };
    let mut list = Vec::new();
    if long {
        let first = if counts { &FIRST_COUNTS } else { &FIRST_FLUX };
        list.push(launch(first, &[samples, means, twiddles, work], groups));
        list.push(launch(&LAST_ROWS, &[twiddles, work, samples], groups));
    } else {
        let whole = if counts { &WHOLE_COUNTS } else { &WHOLE_FLUX };
        list.push(launch(whole, &[samples, means, twiddles, work], groups));
    }
    let pairs = limits.grid_of_items((rows * (h / 2).max(1)) as u64);
    list.push(launch(&SPLIT_PAIRS, &[twiddles, spectra], pairs));
    (list, spectra)
}

/// The transform's entry in the table of kernels.
pub static KERNEL: Kernel = Kernel {
    name: "fft",
    shaders: &[&WHOLE_COUNTS, &WHOLE_FLUX, &FIRST_COUNTS, &FIRST_FLUX, &LAST_ROWS, &SPLIT_PAIRS],
    variants: &["counts", "flux"],
    needs_f64: |_| false,
    shapes,
    trial: |variant, shape, data, seed| {
        Box::new(FftTrial::new([Input::Events, Input::Flux][variant], shape, data, seed))
    },
};

fn shapes(limits: &Limits) -> Vec<Shape> {
    let per_group = limits.points as usize / 4;
    let mut list =
        vec![(2, 0), (2, 1), (2, 8191), (4, 3), (8, 1), (8, per_group - 1), (8, per_group), (8, per_group + 1)];
    list.extend([(16, 33), (32, 257), (64, 5), (512, 7), (1024, 13)]);
    list.extend([(1 << 11, 3), (1 << 12, 5), (1 << 13, 3), (1 << 14, 3), (1 << 17, 2)]);
    list.into_iter().map(|(n, rows)| Shape { n, rows, events: 0 }).collect()
}

/// One case of the transform; its values are `re, im` of the packed spectra, see [`dispatches`].
struct FftTrial {
    n: usize,
    rows: usize,
    input: Input,
    /// rows × n samples as the device gets them, counts or flux: exact in f32.
    samples: Vec<f32>,
    means: Vec<f32>,
    /// The strongest frequency of each row's pulsar, `1 … n/2 − 1` where there are any.
    peaks: Vec<usize>,
}

impl FftTrial {
    fn new(input: Input, shape: Shape, data: Data, seed: u64) -> FftTrial {
        let Shape { n, rows, .. } = shape;
        let mut random = Random::new(seed);
        let (mut samples, mut peaks) = (Vec::with_capacity(n * rows), Vec::with_capacity(rows));
        for row in 0..rows {
            let peak = random.below(n / 2);
            peaks.push(peak);
            let frequency = peak as f64 / n as f64;
            let mut walk = 0.0;
            samples.extend((0..n).map(|j| {
                let white = random.normal();
                walk += white;
                let pulse = 0.9 * (std::f64::consts::TAU * frequency * j as f64).cos();
                (match (input, data) {
                    (Input::Events, Data::Random) => (6.0 + 2.4 * white).max(0.0).round(),
                    // 1e4 counts a bin and a 90 % pulsar: the mean matters.
                    (Input::Events, Data::Hostile) => (1e4 * (1.0 + pulse) + 100.0 * white).max(0.0).round(),
                    (Input::Flux, Data::Random) => white,
                    // Red noise of index 2, or a lone peak; over ranges that f32 just holds.
                    (Input::Flux, Data::Hostile) if row % 2 == 0 => walk * 1e12,
                    (Input::Flux, Data::Hostile) => (pulse + 1e-3 * white) * 1e-12,
                }) as f32
            }));
        }
        let means = samples
            .chunks(n)
            .map(|row| match input {
                Input::Events => (row.iter().map(|&x| f64::from(x)).sum::<f64>() / n as f64) as f32,
                Input::Flux => 0.0,
            })
            .collect();
        FftTrial { n, rows, input, samples, means, peaks }
    }

    /// The samples of a row less their mean, f64.
    fn row(&self, row: usize) -> Vec<f64> {
        let mean = f64::from(self.means[row]);
        self.samples[row * self.n..(row + 1) * self.n].iter().map(|&x| f64::from(x) - mean).collect()
    }
}

impl Trial for FftTrial {
    fn reference(&self) -> Values {
        let h = self.n / 2;
        let (mut at, mut values) = (Vec::new(), Vec::new());
        for row in 0..self.rows {
            let mut ks = if h <= 16 { (0..h).collect() } else { vec![0, 1, 2, 3, h / 3, h / 2, h - 2, h - 1] };
            ks.extend((h > 16).then_some(self.peaks[row]));
            ks.sort_unstable();
            ks.dedup();
            ks.push(h);
            let mut f = reference(&self.row(row), &ks);
            // Packed as on the device: F_0 and F_h are real and share a place.
            f[0].im = f[ks.len() - 1].re;
            for (k, f) in ks[..ks.len() - 1].iter().zip(&f) {
                at.extend([2 * (row * h + k), 2 * (row * h + k) + 1]);
                values.extend([f.re, f.im]);
            }
        }
        Values { at: Some(at), values }
    }

    fn cpu(&self) -> Values {
        let fft = CpuFft::new(self.n);
        let mut work = fft.work();
        let mut values = Vec::with_capacity(self.rows * self.n);
        for row in 0..self.rows {
            work.input.copy_from_slice(&self.row(row));
            fft.process(&mut work);
            values.extend([work.output[0].re, work.output[self.n / 2].re]);
            values.extend(work.output[1..self.n / 2].iter().flat_map(|f| [f.re, f.im]));
        }
        Values { at: None, values }
    }

    fn job(&self, limits: &Limits) -> Job {
        let buffers = FftBuffers { samples: 0, means: 1, twiddles: 2, work: 3 };
        let (dispatches, spectra) = dispatches(self.n, self.rows, self.input, &buffers, limits);
        let samples = match self.input {
            Input::Events => Fill::of(&self.samples.iter().map(|&x| x as u32).collect::<Vec<_>>()),
            Input::Flux => Fill::of(&self.samples),
        };
        let work = Fill::Zeros(samples.len());
        let buffers = vec![samples, Fill::of(&self.means), Fill::of(&twiddles(self.n)), work];
        Job { buffers, dispatches, outputs: vec![spectra] }
    }

    fn decode(&self, outputs: &[Vec<u8>]) -> Values {
        words(outputs, f32::from_le_bytes)
    }

    /// `1e-6·√P̄ + 2e-7·√P_max` in amplitude for f32. Each of log2 n stages adds a relative error of about 2^-24 in the
    /// mean square, uncorrelated (Gentleman & Sande 1966): 6e-8·√22·√P̄ typically, and the worst of n values lies five
    /// times higher; a lone peak carries some 2^-24·√P_max of its own (in one of a thousand rows more than the bound, see
    /// docs/results/fft-accuracy.md). `P̄ = Σ x²` (Parseval). For f64 2^-27 of it: the rounding is 2^-29 times smaller, and
    /// the reference's own roots carry the rounding of their angles, up to 2π.
    fn tolerance(&self, expected: &Values, precision: Precision) -> Box<dyn Fn(usize) -> f64> {
        let row_of = |i: usize| expected.at.as_ref().map_or(i, |at| at[i]) / self.n;
        let scale = if precision == Precision::Single { 1.0 } else { 2f64.powi(-27) };
        let mut largest = vec![0f64; self.rows];
        for (i, f) in expected.values.chunks(2).enumerate() {
            let row = row_of(2 * i);
            largest[row] = largest[row].max(f[0] * f[0] + f[1] * f[1]);
        }
        let bounds: Vec<f64> = (0..self.rows)
            .map(|row| {
                let mean: f64 = self.row(row).iter().map(|x| x * x).sum();
                scale * (1e-6 * mean.sqrt() + 2e-7 * largest[row].sqrt())
            })
            .collect();
        let rows: Vec<usize> = (0..expected.values.len()).map(row_of).collect();
        Box::new(move |i| bounds[rows[i]])
    }

    /// Forgets the last row.
    fn perturb(&self, job: &mut Job) {
        let rows = self.rows as u32 - 1;
        job.dispatches[0].params[..4].copy_from_slice(&rows.to_le_bytes());
    }

    fn pipelines(&self, limits: &Limits) -> Vec<&'static str> {
        let counts = self.input == Input::Events;
        match (self.rows, self.n / 2 <= limits.points as usize) {
            (0, _) => vec![],
            (_, true) => vec![if counts { "fft_whole.counts" } else { "fft_whole.flux" }, "fft_split"],
            (_, false) => vec![if counts { "fft_first.counts" } else { "fft_first.flux" }, "fft_last", "fft_split"],
        }
    }
}

//! Cross spectra of bands with a reference, and the powers of both, summed over segments: `C_k += w·conj(F_s,k)·F_r,k`.

use rustfft::num_complex::Complex;

use super::fft::{CasePoints, FftPlan};
use super::power::{CHIRPED, PLAIN, POWER_SUM, PowerBuffers, sum_shader, sum_shaders, weight};
use super::{
    COMPLEX, CaseData, CaseShape, CaseValues, DeviceSegment, Dispatch, Fill, GRID, Job, Kernel, KernelCase, Limits,
    REAL_F32, REAL_F64, ROW, Shader, TIME_BITS, Timed, shared_struct,
};
use crate::base::random::Random;
use crate::numerics::fft::frequencies;
use crate::numerics::precision::Precision;

/// Most subjects that one pass correlates with the reference.
pub const MOST_SUBJECTS: usize = 64;

/// Blocks of frequencies of one subject: its power, the reference's, and the cross spectrum's real and imaginary part; with
/// weights the same again.
pub const fn blocks(exponent: u32) -> usize {
    if exponent > 0 { 8 } else { 4 }
}

/// Weights of a segment's power of the subject, of the reference, and of their cross spectrum: `N_s^−p`, `N_r^−p`,
/// `(N_s·N_r)^(−p/2)`.
pub fn weights(subject: u64, reference: u64, exponent: u32) -> [f64; 3] {
    let (s, r) = (weight(subject, exponent), weight(reference, exponent));
    [s, r, (s * r).sqrt()]
}

/// One segment's amplitudes of the subject and of the reference, from `k = 0` on, and its weights.
pub type SegmentTerms<'a> = (&'a [Complex<f64>], &'a [Complex<f64>], [f64; 3]);

/// Reference: the four sums of one subject over segments, `k = 1 …`, straight from the definition. A subject `inside` leaves
/// the reference.
pub fn reference(segments: &[SegmentTerms], inside: bool, n: usize) -> Vec<f64> {
    let term = |k: usize, what: usize| {
        let one = |&(s, r, w): &SegmentTerms| {
            let (s, r) = (s[k], if inside { r[k] - s[k] } else { r[k] });
            let cross = s.conj() * r;
            [w[0] * s.norm_sqr(), w[1] * r.norm_sqr(), w[2] * cross.re, w[2] * cross.im][what]
        };
        segments.iter().map(one).sum::<f64>()
    };
    (0..4).flat_map(|what| (1..=frequencies(n)).map(move |k| (k, what))).map(|(k, what)| term(k, what)).collect()
}

/// Production path on one core: adds one segment's terms to the four blocks of `sums`; amplitudes start at `k = 0`.
pub fn cpu(subject: &[Complex<f64>], reference: &[Complex<f64>], inside: bool, weights: [f64; 3], sums: &mut [f64]) {
    let count = sums.len() / 4;
    let (powers, cross) = sums.split_at_mut(2 * count);
    let ((power_s, power_r), (re, im)) = (powers.split_at_mut(count), cross.split_at_mut(count));
    for k in 0..count {
        let s = subject[k + 1];
        let r = if inside { reference[k + 1] - s } else { reference[k + 1] };
        power_s[k] += weights[0] * (s.re * s.re + s.im * s.im);
        power_r[k] += weights[1] * (r.re * r.re + r.im * r.im);
        re[k] += weights[2] * (s.re * r.re + s.im * r.im);
        im[k] += weights[2] * (s.re * r.im - s.im * r.re);
    }
}

shared_struct! {
    /// Parameters of `cross_spectrum.wgsl`.
    CrossParams as "Params" {
        /// Runs.
        runs: u32,
        /// Real samples a row.
        n: u32,
        /// Complex amplitudes from row to row.
        stride: u32,
        /// Rows of a segment.
        series: u32,
        /// Exponent `p` of the weights, 0 without.
        exponent: u32,
        /// Bit s − 1: subject s is inside the reference.
        inside_low: u32,
        /// See [`CrossParams::inside_low`].
        inside_high: u32,
        /// `FftPlan::split`.
        split: u32,
    }
}

const CROSS: &str = include_str!("../../shaders/cross_spectrum.wgsl");
static SHADERS: [Shader; 4] = sum_shaders!("cross_spectrum", CROSS, CrossParams);

/// What is correlated.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct CrossSpec {
    /// Rows of a segment, the reference first: 2 to [`MOST_SUBJECTS`] + 1.
    pub series: usize,
    /// Bit s − 1: subject s is inside the reference.
    pub inside: u64,
    /// Exponent of the weights, 0 without.
    pub exponent: u32,
}

/// The launch for `runs` runs of the `rows` spectra that `plan` made; buffers as those of the power sum, but sums are runs ×
/// subjects × blocks × frequencies.
pub fn dispatch(
    plan: &FftPlan,
    work: &CrossSpec,
    rows: usize,
    runs: usize,
    buffers: &PowerBuffers,
    limits: &Limits,
) -> Dispatch {
    let n = plan.n();
    let params = CrossParams {
        runs: runs as u32,
        n: n as u32,
        stride: plan.length() as u32,
        series: work.series as u32,
        exponent: work.exponent,
        inside_low: work.inside as u32,
        inside_high: (work.inside >> 32) as u32,
        split: plan.split(),
    };
    let subjects = work.series - 1;
    let items = if n.is_multiple_of(2) { n / 4 } else { frequencies(n) };
    let double = plan.precision() == Precision::Double;
    let complex = u64::from(plan.precision().complex_bytes());
    // Each subject is read once, and the reference once with each.
    let read = (rows / work.series * 2 * subjects) as u64;
    let bytes = read * complex * plan.h() as u64
        + rows as u64 * size_of::<DeviceSegment>() as u64
        + runs as u64 * (8 + (subjects * blocks(work.exponent) * frequencies(n)) as u64 * complex / 2);
    Dispatch {
        bytes,
        shader: &SHADERS[usize::from(plan.chirped()) + 2 * usize::from(double)],
        params: bytemuck::bytes_of(&params).to_vec(),
        buffers: buffers.bound(),
        workgroups: limits.grid_of_items((runs * subjects * items) as u64),
    }
}

/// The entry in the table of kernels.
pub static KERNEL: Kernel = Kernel {
    name: "cross_spectrum",
    shaders: &[&SHADERS[0], &SHADERS[1], &SHADERS[2], &SHADERS[3]],
    variants: &["plain", "weighted", "plain.f64", "weighted.f64"],
    needs_f64: |variant| variant >= 2,
    shapes,
    timed: Timed::ONE_LENGTH,
    case: |variant, shape, data, seed| {
        let precision = if variant < 2 { Precision::Single } else { Precision::Double };
        Box::new(CrossCase::new(variant % 2 == 1, precision, shape, data, seed))
    },
};

fn shapes(limits: &Limits) -> Vec<CaseShape> {
    let t = limits.threads as usize;
    let list = [
        (2, 4),
        (3, 10),
        (4, 0),
        (4, 2),
        (6, 3),
        (8, 130),
        (34, 70),
        (35, 21),
        (64, 258),
        (2 * t + 2, 6),
        (4 * t + 4, 66),
        (1021, 9),
        (1 << 13, 6),
        (200, 132),
    ];
    list.map(|(n, rows)| CaseShape { n, rows, events: 0 }).into()
}

/// One case; its values are runs × subjects × blocks × frequencies.
struct CrossCase {
    points: CasePoints,
    n: usize,
    work: CrossSpec,
    rows: Vec<DeviceSegment>,
    dropped: Vec<u32>,
    runs: Vec<[u32; 2]>,
}

impl CrossCase {
    fn new(weighted: bool, precision: Precision, shape: CaseShape, data: CaseData, seed: u64) -> CrossCase {
        let mut random = Random::new(seed);
        // Two series, or so many that both words of bits are in use.
        let series = match shape.rows {
            rows if rows.is_multiple_of(66) => 33 + rows / 66,
            rows if rows.is_multiple_of(3) => 3,
            _ => 2,
        };
        let segments = shape.rows / series;
        let count = segments * series;
        let points = CasePoints::new(shape.n, count, precision, data, &mut random);
        let mut rows = Vec::new();
        for _ in 0..segments {
            // A reference as bright as all subjects that may leave it.
            let include = if random.below(5) == 0 { 0.0 } else { 1.0 };
            let subjects: Vec<u32> =
                (1..series).map(|_| if random.below(9) == 0 { 0 } else { random.below(30_000_000) as u32 }).collect();
            let events =
                if random.below(9) == 0 { 0 } else { subjects.iter().sum::<u32>() + random.below(3000) as u32 };
            rows.extend([events].into_iter().chain(subjects).map(|e| DeviceSegment {
                include,
                events: e,
                ..DeviceSegment::default()
            }));
        }
        let dropped = rows.iter().map(|r| r.events / 100).collect();
        let (mut runs, mut begin) = (Vec::new(), 0);
        while begin < segments {
            let end = (begin + 1 + random.below(64)).min(segments);
            runs.push([(begin * series) as u32, (end * series) as u32]);
            begin = end;
        }
        let exponent = if weighted { 1 + seed as u32 % 2 } else { 0 };
        let work = CrossSpec { series, inside: random.bits(), exponent };
        CrossCase { points, n: shape.n, work, rows, dropped, runs }
    }

    fn subjects(&self) -> impl Iterator<Item = usize> + use<> {
        1..self.work.series
    }

    fn inside(&self, subject: usize) -> bool {
        (self.work.inside >> (subject - 1)) & 1 == 1
    }

    /// Weights of a segment, for the first four blocks and for the others.
    fn weights(&self, row: usize, subject: usize, weighted: bool) -> [f64; 3] {
        let photons = |row: usize| u64::from(self.rows[row].events - self.dropped[row]);
        let (s, r) = (photons(row + subject), photons(row));
        let r = if self.inside(subject) { r.saturating_sub(s) } else { r };
        weights(s, r, if weighted { self.work.exponent } else { 0 }).map(|w| w * f64::from(self.rows[row].include))
    }

    /// First rows of the segments of a run.
    fn segments(&self, run: [u32; 2]) -> impl Iterator<Item = usize> + use<> {
        (run[0] as usize..run[1] as usize).step_by(self.work.series)
    }

    /// The four sums of each run, subject and kind of weights, made by `sum`.
    fn values(&self, sum: impl Fn([u32; 2], usize, bool) -> Vec<f64>) -> CaseValues {
        let mut values = Vec::new();
        for &run in &self.runs {
            for subject in self.subjects() {
                values.extend(sum(run, subject, false));
                if self.work.exponent > 0 {
                    values.extend(sum(run, subject, true));
                }
            }
        }
        CaseValues { at: None, values }
    }
}

impl KernelCase for CrossCase {
    fn reference(&self) -> CaseValues {
        let all: Vec<Vec<Complex<f64>>> = (0..self.rows.len()).map(|row| self.points.amplitudes(row)).collect();
        self.values(|run, subject, weighted| {
            let segment =
                |row: usize| (all[row + subject].as_slice(), all[row].as_slice(), self.weights(row, subject, weighted));
            let segments: Vec<_> = self.segments(run).map(segment).collect();
            reference(&segments, self.inside(subject), self.n)
        })
    }

    fn cpu(&self) -> CaseValues {
        let all: Vec<Vec<Complex<f64>>> = (0..self.rows.len()).map(|row| self.points.amplitudes(row)).collect();
        self.values(|run, subject, weighted| {
            let mut sums = vec![0.0; 4 * frequencies(self.n)];
            for row in self.segments(run) {
                let weights = self.weights(row, subject, weighted);
                cpu(&all[row + subject], &all[row], self.inside(subject), weights, &mut sums);
            }
            sums
        })
    }

    fn job(&self, limits: &Limits) -> Job {
        let plan = &self.points.plan;
        let precision = plan.precision();
        let values = self.runs.len() * (self.work.series - 1) * blocks(self.work.exponent) * frequencies(self.n);
        let places = PowerBuffers { tables: 0, spectra: 1, rows: 2, dropped: 3, runs: 4, sums: 5 };
        Job {
            buffers: vec![
                Fill::Bytes(precision.bytes(plan.tables())),
                Fill::Bytes(self.points.stored()),
                Fill::from_values(&self.rows),
                Fill::from_values(&self.dropped),
                Fill::from_values(&self.runs),
                Fill::Zeros(values as u64 * u64::from(precision.complex_bytes()) / 2),
            ],
            dispatches: vec![dispatch(plan, &self.work, self.rows.len(), self.runs.len(), &places, limits)],
            outputs: vec![5],
        }
    }

    fn decode(&self, outputs: &[Vec<u8>]) -> CaseValues {
        CaseValues { at: None, values: self.points.plan.precision().reals(&outputs[0]) }
    }

    /// Amplitudes of subject and reference err by `a` and `2a` (see the power sum), so a term by at most `3a(|s| + |r|) + 3a²` times
    /// its weight, and sums of up to 64 terms round by `(70 + 6p)·ε` of the sum of their moduli.
    fn tolerance(&self, _: &CaseValues, precision: Precision) -> Box<dyn Fn(usize) -> f64> {
        let epsilon = 2f64.powi(if precision == Precision::Single { -24 } else { -53 });
        let relative = f64::from(70 + 6 * self.work.exponent) * epsilon;
        let a = self.points.amplitude_error(epsilon);
        let all: Vec<Vec<Complex<f64>>> = (0..self.rows.len()).map(|row| self.points.amplitudes(row)).collect();
        let bounds = self.values(|run, subject, weighted| {
            let mut bound = vec![0.0; 4 * frequencies(self.n)];
            for row in self.segments(run) {
                let [w_s, w_r, w] = self.weights(row, subject, weighted);
                for k in 0..frequencies(self.n) {
                    let (s, mut r) = (all[row + subject][k + 1], all[row][k + 1]);
                    if self.inside(subject) {
                        r -= s;
                    }
                    let (s, r) = (s.norm(), r.norm());
                    let terms = [w_s * s * s, w_r * r * r, w * s * r, w * s * r];
                    for (what, (term, w)) in terms.into_iter().zip([w_s, w_r, w, w]).enumerate() {
                        bound[what * frequencies(self.n) + k] += relative * term + w * 3.0 * a * (s + r + a);
                    }
                }
            }
            bound
        });
        Box::new(move |i| bounds.values[i])
    }

    /// Subjects that are inside the reference are said to be outside, and the other way round.
    fn perturb(&self, job: &mut Job) {
        job.dispatches[0].params[20..28].iter_mut().for_each(|byte| *byte = !*byte);
    }

    fn precision(&self) -> Precision {
        self.points.plan.precision()
    }

    fn pipelines(&self, _: &Limits) -> Vec<&'static str> {
        let name = match (self.points.plan.chirped(), self.points.plan.precision()) {
            (false, Precision::Single) => "cross_spectrum",
            (true, Precision::Single) => "cross_spectrum.chirped",
            (false, Precision::Double) => "cross_spectrum.f64",
            (true, Precision::Double) => "cross_spectrum.chirped.f64",
        };
        if self.runs.is_empty() || frequencies(self.n) == 0 { vec![] } else { vec![name] }
    }
}

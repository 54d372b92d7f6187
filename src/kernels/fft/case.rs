//! Cases of the transform: its values are `re, im` of `F_k`, k = 1 … floor((n − 1)/2), row by row: the frequencies that products have.
//! `F_0`, the sum of the samples, and `F_{n/2}`, the difference of the sums of even and of odd ones, are left out: they are what is left
//! of large sums. Column sums of counts less one mean have one fraction, which is rounded one way in all of them (`F_0` at n = 3,093,376
//! errs by 1.4 of the bound); those of red noise are as large as its strongest amplitude (`F_{n/2}` at 704,704: 1.3).

use rustfft::num_complex::Complex;

use super::{FftBuffers, FftPlan, reference};
use crate::base::random::Random;
use crate::kernels::{CaseData, CaseShape, CaseValues, DeviceSegment, Fill, Input, Job, KernelCase, Limits, centre};
use crate::numerics::fft::{CpuFft, root};
use crate::numerics::precision::Precision;

/// Lengths of every class, in one workgroup and beyond, full and not.
pub(super) fn shapes(limits: &Limits) -> Vec<CaseShape> {
    let points = limits.points as usize;
    let mut list = vec![(1, 2), (2, 0), (2, 1), (2, 8191), (3, 5), (4, 3), (5, 1), (6, 2), (7, 100)];
    list.extend([(8, points / 4 - 1), (8, points / 4), (8, points / 4 + 1), (16, 33), (512, 7), (1024, 13)]);
    // Each radix, alone and with others; odd lengths; one row more than a workgroup holds.
    list.extend([(9, 228), (10, 3), (11, 187), (13, 158), (14, 3), (15, 137), (22, 5), (26, 5), (49, 42), (77, 27)]);
    list.extend([(243, 3), (625, 4), (1001, 3), (1155, 2), (1331, 2), (2187, 2), (2 * 2187, 2), (2 * 1125, 3)]);
    // Convolutions: primes, their doubles, a square of one; with one pass and with two.
    list.extend([(17, 63), (34, 9), (289, 3), (1021, 2), (2 * 1021, 3), (2 * 1031, 2), (4099, 2)]);
    // Two passes, smooth or powers of two.
    list.extend([(1 << 13, 3), (1 << 14, 3), (1 << 17, 2), (10_000, 3), (15_625, 2), (2 * 9 * 7 * 11 * 13, 2)]);
    list.into_iter().map(|(n, rows)| CaseShape { n, rows, events: 0 }).collect()
}

/// Amplitudes of `n` samples that are compared: k = 1 … floor((n − 1)/2), and that of n = 2, which has no other.
fn count(n: usize) -> usize {
    if n == 2 { 1 } else { (n - 1) / 2 }
}

/// One case.
pub(in crate::kernels) struct FftCase {
    n: usize,
    rows: usize,
    input: Input,
    precision: Precision,
    /// rows × n samples as the device gets them, counts or flux: exact in f32.
    samples: Vec<f32>,
    means: Vec<f32>,
    /// The strongest frequency of each row's pulsar.
    peaks: Vec<usize>,
}

impl FftCase {
    /// Variants: counts and flux in single precision, then in double.
    pub fn from_variant(variant: usize, shape: CaseShape, data: CaseData, seed: u64) -> FftCase {
        let precision = if variant < 2 { Precision::Single } else { Precision::Double };
        FftCase::new([Input::Events, Input::Flux][variant % 2], precision, shape, data, seed)
    }

    fn new(input: Input, precision: Precision, shape: CaseShape, data: CaseData, seed: u64) -> FftCase {
        let CaseShape { n, rows, .. } = shape;
        let mut random = Random::new(seed);
        let (mut samples, mut peaks) = (Vec::with_capacity(n * rows), Vec::with_capacity(rows));
        for row in 0..rows {
            let peak = 1 + random.below(count(n).max(1));
            peaks.push(peak);
            let frequency = peak as f64 / n as f64;
            let mut walk = 0.0;
            let values: Vec<f64> = (0..n)
                .map(|j| {
                    let white = random.normal();
                    walk += white;
                    let pulse = 0.9 * (std::f64::consts::TAU * frequency * j as f64).cos();
                    match (input, data) {
                        (Input::Events, CaseData::Random) => (6.0 + 2.4 * white).max(0.0).round(),
                        // 1e4 counts a bin and a 90 % pulsar: the mean matters.
                        (Input::Events, CaseData::Hostile) => (1e4 * (1.0 + pulse) + 100.0 * white).max(0.0).round(),
                        (Input::Flux, CaseData::Random) => white,
                        // Red noise of index 2, or a lone peak; over ranges whose squares f32 just holds.
                        (Input::Flux, CaseData::Hostile) if row % 2 == 0 => walk * 1e6,
                        (Input::Flux, CaseData::Hostile) => (pulse + 1e-3 * white) * 1e-12,
                    }
                })
                .collect();
            // Of fluxes the host subtracts the mean, in f64.
            let level = if input == Input::Flux { values.iter().sum::<f64>() / n as f64 } else { 0.0 };
            samples.extend(values.iter().map(|x| (x - level) as f32));
        }
        let mean = |row: &[f32]| row.iter().map(|&x| f64::from(x)).sum::<f64>() / n as f64;
        let means = samples.chunks(n).map(|row| if input == Input::Events { centre(mean(row)) } else { 0.0 }).collect();
        FftCase { n, rows, input, precision, samples, means, peaks }
    }

    /// The samples of a row less their mean, f64.
    fn row(&self, row: usize) -> Vec<f64> {
        let mean = f64::from(self.means[row]);
        self.samples[row * self.n..(row + 1) * self.n].iter().map(|&x| f64::from(x) - mean).collect()
    }
}

impl FftCase {
    /// Amplitudes of a row.
    pub fn count(&self) -> usize {
        count(self.n)
    }

    /// The plan, whose tunables follow the tier.
    pub fn plan(&self, limits: &Limits) -> FftPlan {
        FftPlan::new(self.n, self.input, self.precision, limits).expect("trials take lengths that devices take")
    }
}

impl KernelCase for FftCase {
    fn reference(&self) -> CaseValues {
        let last = self.count();
        let (mut at, mut values) = (Vec::new(), Vec::new());
        for row in 0..self.rows {
            let mut ks =
                if last <= 16 { (1..=last).collect() } else { vec![1, 2, 3, last / 3, last / 2, last - 1, last] };
            ks.push(self.peaks[row]);
            ks.retain(|&k| k <= last);
            ks.sort_unstable();
            ks.dedup();
            for (k, f) in ks.iter().zip(reference(&self.row(row), &ks)) {
                at.extend([2 * (row * self.count() + k - 1), 2 * (row * self.count() + k - 1) + 1]);
                values.extend([f.re, f.im]);
            }
        }
        CaseValues { at: Some(at), values }
    }

    fn cpu(&self) -> CaseValues {
        let fft = CpuFft::new(self.n);
        let mut work = fft.work();
        let mut values = Vec::with_capacity(self.rows * 2 * self.count());
        for row in 0..self.rows {
            work.input.copy_from_slice(&self.row(row));
            fft.process(&mut work);
            values.extend(work.output[1..=self.count()].iter().flat_map(|f| [f.re, f.im]));
        }
        CaseValues { at: None, values }
    }

    fn job(&self, limits: &Limits) -> Job {
        let plan = self.plan(limits);
        let double = self.precision == Precision::Double;
        let reals = |values: Vec<f64>| match double {
            true => Fill::from_values(&values),
            false => Fill::from_values(&values.iter().map(|&x| x as f32).collect::<Vec<_>>()),
        };
        let samples = match self.input {
            Input::Events => Fill::from_values(&self.samples.iter().map(|&x| x as u32).collect::<Vec<_>>()),
            Input::Flux => reals(self.samples.iter().map(|&x| f64::from(x)).collect()),
        };
        let work = Fill::Zeros((self.rows * plan.length()) as u64 * u64::from(self.precision.complex_bytes()));
        let complex = |values: &[Complex<f64>]| Fill::Bytes(self.precision.bytes(values));
        let buffers = vec![
            samples,
            Fill::from_values(
                &self
                    .means
                    .iter()
                    .map(|&mean| DeviceSegment { mean, include: 1.0, ..DeviceSegment::default() })
                    .collect::<Vec<_>>(),
            ),
            complex(plan.tables()),
            complex(plan.chirp()),
            complex(plan.filter()),
            work.clone(),
            work,
        ];
        let places = FftBuffers { samples: 0, rows: 1, tables: 2, chirp: 3, filter: 4, work: [5, 6] };
        let (dispatches, spectra) = plan.dispatches(self.rows, &places);
        Job { buffers, dispatches, outputs: vec![spectra] }
    }

    /// The step from the device's points to amplitudes, in f64; on devices it belongs to the power sum (`kernels/path.rs`).
    fn decode(&self, outputs: &[Vec<u8>]) -> CaseValues {
        let plan = self.plan(&Limits::PORTABLE);
        let h = plan.h();
        let values = self.precision.reals(&outputs[0]);
        let mut all = Vec::new();
        for row in values.chunks(2 * plan.length()) {
            let point = |k: usize| {
                let z = Complex::new(row[2 * (k % h)], row[2 * (k % h) + 1]);
                plan.chirp().get(k % h).map_or(z, |c| z.conj() * c)
            };
            for k in 1..=self.count() {
                let f = if self.n % 2 == 1 {
                    point(k)
                } else {
                    let (a, b) = (point(k), point(h - k).conj());
                    (a + b) * 0.5 + (a - b) * Complex::new(0.0, -0.5) * root(k, self.n)
                };
                all.extend([f.re, f.im]);
            }
        }
        CaseValues { at: None, values: all }
    }

    fn precision(&self) -> Precision {
        self.precision
    }

    /// `1e-6·√P̄ + 2e-7·√P_max` in amplitude for f32. Each of log2 n stages adds a relative error of about 2^-24 in the
    /// mean square, uncorrelated (Gentleman & Sande 1966): 6e-8·√22·√P̄ typically, and the worst of n values lies five
    /// times higher; a lone peak carries some 2^-24·√P_max of its own (in one of some thousand rows more than the bound, see
    /// docs/results/fft-accuracy.md). `P̄ = Σ x²` (Parseval). For f64 2^-27 of it: the rounding is 2^-29 times smaller, and
    /// the reference's own roots carry the rounding of their angles, up to 2π.
    fn tolerance(&self, expected: &CaseValues, precision: Precision) -> Box<dyn Fn(usize) -> f64> {
        let row_of = |i: usize| expected.at.as_ref().map_or(i, |at| at[i]) / (2 * self.count());
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
        let plan = self.plan(limits);
        let (dispatches, _) = plan
            .dispatches(self.rows, &FftBuffers { samples: 0, rows: 0, tables: 0, chirp: 0, filter: 0, work: [0, 0] });
        dispatches.iter().filter(|_| self.rows > 0).map(|d| d.shader.name).collect()
    }
}

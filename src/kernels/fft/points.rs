//! Spectra for the cases of kernels that come after the transform: as the device stores them, and what they mean.

use rustfft::num_complex::Complex;

use super::plan::FftPlan;
use crate::base::random::Random;
use crate::kernels::{CaseData, Input, Limits};
use crate::numerics::fft::root;
use crate::numerics::precision::Precision;

/// Random points of some rows, exact in f32.
pub(in crate::kernels) struct CasePoints {
    /// The transform that would have made them.
    pub plan: FftPlan,
    /// rows × h: spectra.
    points: Vec<Complex<f64>>,
    /// rows × length: the same before the last pass, where that is what the device gets.
    before: Option<Vec<Complex<f64>>>,
}

impl CasePoints {
    pub fn new(n: usize, rows: usize, precision: Precision, data: CaseData, random: &mut Random) -> CasePoints {
        let plan = FftPlan::new(n, Input::Flux, precision, &Limits::PORTABLE).expect("a length that devices take");
        let points = noise(rows * plan.h(), data, random);
        CasePoints { plan, points, before: None }
    }

    /// Points before the last of several passes, and what it makes of them by the definition: with `done` columns
    /// `Z_k = Σ_m y_{k mod done + m·done}·e^{−2πi km/length}`.
    pub fn before_last_pass(
        n: usize,
        rows: usize,
        precision: Precision,
        data: CaseData,
        random: &mut Random,
    ) -> CasePoints {
        let plan = FftPlan::new(n, Input::Flux, precision, &Limits::PORTABLE).expect("a length that devices take");
        let (length, done) = (plan.length(), plan.last_pass().expect("a length of several passes").done);
        let mut before = noise(rows * length, data, random);
        if n == length {
            // Spectra of odd numbers of real samples have the symmetry of such.
            for row in before.chunks_mut(length) {
                for place in 0..length {
                    let (j, m) = (place % done, place / done);
                    row[place] = if j == 0 { row[place].re.into() } else { row[done - j + m * done].conj() };
                }
            }
        }
        let roots: Vec<Complex<f64>> = (0..length).map(|k| root(k, length)).collect();
        let point = |row: &[Complex<f64>], k: usize| {
            let column = row[k % done..].iter().step_by(done).enumerate();
            column.map(|(m, y)| y * roots[k * m % length]).sum::<Complex<f64>>()
        };
        let points = before.chunks(length).flat_map(|row| (0..plan.h()).map(|k| point(row, k)).collect::<Vec<_>>());
        let points = points.collect();
        CasePoints { plan, points, before: Some(before) }
    }

    /// True where what is stored lacks the last pass.
    pub fn last_pass_is_due(&self) -> bool {
        self.before.is_some()
    }

    /// Amplitudes of a row, `k = 0 …`, straight from the definition: of pairs of samples, or of the samples.
    pub fn amplitudes(&self, row: usize) -> Vec<Complex<f64>> {
        let (h, n) = (self.plan.h(), self.plan.n());
        let z = &self.points[row * h..(row + 1) * h];
        if n % 2 == 1 {
            return z.to_vec();
        }
        let amplitude = |k: usize| {
            let (a, b) = (z[k % h], z[(h - k) % h].conj());
            (a + b) / 2.0 + root(k, n) * Complex::new(0.0, -1.0) * (a - b) / 2.0
        };
        (0..h).map(amplitude).collect()
    }

    /// The points as the transform, or its last pass but one, leaves them, in bytes: rows of the plan's length, chirped where it
    /// convolves.
    pub fn stored(&self) -> Vec<u8> {
        if let Some(before) = &self.before {
            return self.plan.precision().bytes(before);
        }
        let (h, length) = (self.plan.h(), self.plan.length());
        let mut stored = vec![Complex::default(); self.points.len() / h * length];
        for (row, z) in self.points.chunks(h).enumerate() {
            for (k, &z) in z.iter().enumerate() {
                // Z_k = c_k·conj(stored_k), and c_k has the modulus 1.
                stored[row * length + k] = self.plan.chirp().get(k).map_or(z, |c| (z * c.conj()).conj());
            }
        }
        self.plan.precision().bytes(&stored)
    }

    /// Largest error of an amplitude on the device, `32·ε` of the largest point: two sums, two products with roots that are
    /// themselves products, and the chirp's; `4·ε` more for each factor of two in the length of a last pass.
    pub fn amplitude_error(&self, epsilon: f64) -> f64 {
        let factors = match (&self.before, self.plan.last_pass()) {
            (Some(_), Some(last)) => f64::from(last.len.next_power_of_two().ilog2()),
            _ => 0.0,
        };
        (32.0 + 4.0 * factors) * epsilon * self.points.iter().map(|z| z.norm()).fold(0.0, f64::max)
    }
}

/// Points that are exact in f32.
fn noise(count: usize, data: CaseData, random: &mut Random) -> Vec<Complex<f64>> {
    let scale = if data == CaseData::Hostile { 1e9 } else { 30.0 };
    let mut normal = || f64::from((scale * random.normal()) as f32);
    (0..count).map(|_| Complex::new(normal(), normal())).collect()
}

//! Spectra for the trials of kernels that come after the transform: as the device stores them, and what they mean.

use rustfft::num_complex::Complex;

use super::FftPlan;
use super::plan::root;
use crate::kernels::trial::Random;
use crate::kernels::{Data, Limits, Precision};
use crate::segment::Input;

/// Random points of some rows, exact in f32.
pub(in crate::kernels) struct Points {
    /// The transform that would have made them.
    pub plan: FftPlan,
    /// rows × h.
    points: Vec<Complex<f64>>,
}

impl Points {
    pub fn new(n: usize, rows: usize, precision: Precision, data: Data, random: &mut Random) -> Points {
        let plan = FftPlan::new(n, Input::Flux, precision, &Limits::PORTABLE).expect("a length that devices take");
        let scale = if data == Data::Hostile { 1e9 } else { 30.0 };
        let mut normal = || f64::from((scale * random.normal()) as f32);
        let points = (0..rows * plan.h()).map(|_| Complex::new(normal(), normal())).collect();
        Points { plan, points }
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

    /// The points as the transform leaves them, in bytes: rows of the plan's length, chirped where it convolves.
    pub fn stored(&self) -> Vec<u8> {
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
    /// themselves products, and the chirp's.
    pub fn amplitude_error(&self, epsilon: f64) -> f64 {
        32.0 * epsilon * self.points.iter().map(|z| z.norm()).fold(0.0, f64::max)
    }
}

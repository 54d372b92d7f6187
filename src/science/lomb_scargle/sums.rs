//! The sums of Lomb-Scargle spectra over unevenly spaced times, `Σ_j w_j e^{−2πi f t_j}`, at evenly spaced frequencies: by definition, and fast.
//!
//! Fast sums are those of [`LeastErrorTransform`], within [`LEAST_ERROR`](crate::numerics::nonuniform::LEAST_ERROR)`·Σ|w|` and the rounding of sums. Both
//! round frequencies or phases: by definition frequencies have 53 bits, which leaves `2π·2⁻⁵³·f·t` of each weight; phases of fast sums are whole numbers of
//! 2⁻⁶⁴ cycle, and leave `2π·2⁻⁶³·K` for K frequencies, of first and step as they are.

use rayon::prelude::*;
use rustfft::num_complex::Complex;

use crate::base::progress::Progress;
use crate::numerics::nonuniform::{LeastErrorTransform, PhasedPoint};

/// Evenly spaced frequencies: `first + k·step` for `k < count`, Hz.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct FrequencyGrid {
    /// The first.
    pub first: f64,
    /// From one to the next.
    pub step: f64,
    /// How many.
    pub count: usize,
}

impl FrequencyGrid {
    /// Frequency `k`.
    pub fn get(&self, k: usize) -> f64 {
        self.first + k as f64 * self.step
    }

    /// Twice each frequency.
    pub(crate) fn doubled(self) -> FrequencyGrid {
        FrequencyGrid { first: 2.0 * self.first, step: 2.0 * self.step, ..self }
    }
}

/// `f·t` without whole turns, as the sum of two numbers: the product is exact before they are taken off.
fn turns(f: f64, t: f64) -> [f64; 2] {
    let product = f * t;
    [product - product.round(), f.mul_add(t, -product)]
}

/// `−f·t`, units of 2⁻⁶⁴ turn.
fn phase(f: f64, t: f64) -> u64 {
    let [turns, rest] = turns(f, t).map(|part| (part * 2f64.powi(64)) as i64);
    turns.wrapping_add(rest).wrapping_neg() as u64
}

/// The sums by definition, of so many sets of weights at once.
pub fn direct<const N: usize>(
    times: &[f64],
    weights: [&[f64]; N],
    at: FrequencyGrid,
    progress: &Progress,
) -> [Vec<Complex<f64>>; N] {
    let one = |k: usize| {
        let mut sums = [Complex::new(0.0, 0.0); N];
        // Nobody looks at what comes of a run that was cancelled.
        let times = if progress.is_cancelled() { &[] } else { times };
        for (j, &t) in times.iter().enumerate() {
            let [turns, rest] = turns(at.get(k), t);
            let phase = Complex::from_polar(1.0, -std::f64::consts::TAU * (turns + rest));
            sums.iter_mut().zip(&weights).for_each(|(sum, w)| *sum += phase * w[j]);
        }
        // Whether the run goes on is asked above.
        let _ = progress.advance(1);
        sums
    };
    let all: Vec<[Complex<f64>; N]> = (0..at.count).into_par_iter().map(one).collect();
    std::array::from_fn(|i| all.iter().map(|sums| sums[i]).collect())
}

/// The sums by a nonuniform transform, of so many sets of weights at once; none of a run that was cancelled.
pub fn fast<const N: usize>(
    times: &[f64],
    weights: [&[f64]; N],
    at: FrequencyGrid,
    progress: &Progress,
) -> [Vec<Complex<f64>>; N] {
    if progress.is_cancelled() {
        return [const { Vec::new() }; N];
    }
    let transform = LeastErrorTransform::new(at.count, times.len());
    let phases: Vec<[u64; 2]> = times.par_iter().map(|&t| [phase(at.first, t), phase(at.step, t)]).collect();
    weights.map(|weights| {
        if progress.is_cancelled() {
            return Vec::new();
        }
        let point = |(&[first, step], &weight): (&[u64; 2], &f64)| PhasedPoint { first, step, weight };
        transform.sums(
            times.len(),
            |range, run| run.extend(phases[range.clone()].iter().zip(&weights[range]).map(point)),
            |sum| sum,
            // See above.
            || !progress.is_cancelled(),
        )
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::base::progress::Progress;
    use crate::base::random::Random;
    use crate::numerics::nonuniform::LEAST_ERROR;

    #[test]
    fn fast_sums_are_the_definition_s() {
        let mut random = Random::new(5);
        for (points, count, first, step) in [
            (1, 1, 0.1, 0.1),
            (3, 7, 0.0, 0.3),
            (100, 500, 0.013, 0.0021),
            (2000, 1000, 1.0 / 90.0, 1.0 / 90.0),
            (50, 4096, 3.0, 1.7),
        ] {
            let times: Vec<f64> = (0..points).map(|_| 100.0 * random.uniform()).collect();
            let weights: Vec<f64> = times.iter().map(|_| random.uniform() - 0.3).collect();
            let ones = vec![1.0; points];
            let at = FrequencyGrid { first, step, count };
            let expected = direct(&times, [&weights, &ones], at, &Progress::default());
            let got = fast(&times, [&weights, &ones], at, &Progress::default());
            for (set, w) in [&weights, &ones].into_iter().enumerate() {
                for (k, (a, b)) in got[set].iter().zip(&expected[set]).enumerate() {
                    let phases = std::f64::consts::TAU * 2f64.powi(-53) * (at.get(k) * 100.0);
                    let bound = (LEAST_ERROR + phases) * w.iter().map(|w| w.abs()).sum::<f64>();
                    assert!((a - b).norm() <= bound, "{points} {count}: {k}: {a} {b} {bound}");
                }
            }
        }
    }

    #[test]
    fn turns_are_exact_where_products_are_not() {
        // 0.1·1e9: the decimal is 5.551115123125783e-18 above a tenth.
        let [turns, rest] = turns(0.1, 1e9 + 3.0);
        assert!((turns + rest - (0.3 + 5.551115123125783e-9)).abs() < 1e-15);
        let phase = phase(0.1, 1e9 + 3.0).wrapping_neg() as f64 * 2f64.powi(-64);
        assert!((phase - (0.3 + 5.551115123125783e-9)).abs() < 1e-16, "{phase}");
    }
}

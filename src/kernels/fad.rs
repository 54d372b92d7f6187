//! Spectra of two detectors corrected for dead time by the difference of their Fourier amplitudes, on the CPU alone.
//!
//! Both detectors see the same source, so that the difference of their amplitudes has noise only, at each frequency with the
//! variance that dead time leaves to it. In each segment, with `A = F·√(2/N)`, that variance is estimated from its neighbours,
//! `s_k = Σ_i w_ki |A₁ − A₂|²_i/2`, w a Gaussian that leaves out `i = k`, with the sum 1; and what the segment has at a frequency is multiplied
//! by `2/(s·(1 + Σ_i w_ki²))`: noise becomes white, of the Leahy power 2 (Bachetti & Huppenkothen 2018, doi:10.3847/2041-8213/aaa83b).
//!
//! Why k is left out: of two independent detectors of the power P, with the weight w₀ of k itself, s has the term `w₀|A₁ − A₂|²_k/2`, and to
//! first order `⟨A₁*A₂/s⟩ = −w₀⟨A₁*A₂·|A₁ − A₂|²⟩/(2P²) = w₀⟨Re(A₁*A₂)²⟩/P² = w₀/2`: the co-spectrum would be w₀, that is w₀/2 of the power
//! 2, where it must be 0. Without k, s is independent of what it divides.
//!
//! Why `1 + Σw²`: `|A₁ − A₂|²/2` is exponential with the mean P, so that s has the mean P and the relative variance `Σw²`, and
//! `⟨1/s⟩ = (1 + Σw²)/P` to second order in the scatter of s; the rest is `3(Σw²)² − 2Σw³`.
//!
//! Values are mirrored at both ends, so that `w_ki` has two terms, of i and of its image; the image of k is left out, too.

use std::sync::Arc;

use realfft::{ComplexToReal, RealFftPlanner, RealToComplex};
use rustfft::num_complex::Complex;

use super::power::weight;
use crate::numerics::fft::frequencies;

/// Blocks of frequencies that a segment adds to: both powers, that of the sum of both detectors, the real and imaginary part of
/// the cross spectrum, and of the corrected difference `(A₁ − A₂)·√(2/s)`.
pub const BLOCKS: usize = 7;

/// What a correction is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct FadSpec {
    /// Standard deviation of the Gaussian, in frequencies; 1 at least.
    pub smoothing: usize,
    /// As Stingray: `s` from the real parts alone, `Re(A₁ − A₂)²`, which is as large on average, and noisier; smoothed with the
    /// frequency itself; and `2/s` without a correction.
    pub compat_stingray: bool,
    /// Exponent `p` of the weights of a segment: `N^−p` of its photons.
    pub exponent: u32,
}

/// A correction for segments of one length.
pub struct CpuFad {
    work: FadSpec,
    forward: Arc<dyn RealToComplex<f64>>,
    back: Arc<dyn ComplexToReal<f64>>,
    /// Transform of the Gaussian, over the length of what it smooths.
    gaussian: Vec<f64>,
    /// Weight of each frequency itself in its smoothed value, which is taken off.
    own: Vec<f64>,
    /// `1 + Σw²` of the others.
    excess: Vec<f64>,
}

/// Buffers of one thread.
pub struct FadBuffers {
    mirrored: Vec<f64>,
    /// What is smoothed, as it was.
    square: Vec<f64>,
    transform: Vec<Complex<f64>>,
    scratch: Vec<Complex<f64>>,
}

impl CpuFad {
    /// For segments of `n` bins, 3 at least.
    ///
    /// The Gaussian ends at four standard deviations, and values are mirrored at both ends, as in scipy's `gaussian_filter1d`.
    pub fn new(n: usize, work: FadSpec) -> CpuFad {
        let length = 2 * frequencies(n).max(1);
        let mut planner = RealFftPlanner::new();
        let (forward, back) = (planner.plan_fft_forward(length), planner.plan_fft_inverse(length));
        let sigma = work.smoothing.max(1) as f64;
        let radius = (4.0 * sigma + 0.5) as i64;
        let value = |j: i64| (-0.5 * (j as f64 / sigma).powi(2)).exp();
        let sum: f64 = (-radius..=radius).map(value).sum();
        let mut kernel = vec![0.0; length];
        for j in -radius..=radius {
            kernel[j.rem_euclid(length as i64) as usize] += value(j) / sum;
        }
        let count = length / 2;
        // A frequency and its image are at the distances 0 and 2k + 1.
        let image = |of: &[f64], k: usize| of[(2 * k + 1) % length];
        let own = (0..count).map(|k| if work.compat_stingray { 0.0 } else { kernel[0] + image(&kernel, k) }).collect();
        let mut transform = forward.make_output_vec();
        // Lengths are those of the plan.
        let _ = forward.process(&mut kernel, &mut transform);
        // An even function has a real transform; the inverse one multiplies by the length.
        let gaussian: Vec<f64> = transform.iter().map(|x| x.re / length as f64).collect();
        let mut fad = CpuFad { work, forward, back, gaussian, own, excess: vec![1.0; count] };
        if !work.compat_stingray {
            // Σ_i w_ki² = Σ_j (G_{j−k} + G_{−1−j−k})² over the half of the ring that holds values; G being even and its images the other
            // half, that is (G ∗ G)_0 + (G ∗ G)_{2k+1}.
            transform.iter_mut().zip(&fad.gaussian).for_each(|(x, g)| *x = Complex::new(x.re * g, 0.0));
            let _ = fad.back.process(&mut transform, &mut kernel);
            fad.excess = (0..count)
                .map(|k| {
                    let (own, rest) = (fad.own[k], 1.0 - fad.own[k]);
                    1.0 + (kernel[0] + image(&kernel, k) - own * own) / (rest * rest)
                })
                .collect();
        }
        fad
    }

    /// Buffers for one thread.
    pub fn buffers(&self) -> FadBuffers {
        let scratch = self.forward.get_scratch_len().max(self.back.get_scratch_len());
        FadBuffers {
            mirrored: self.forward.make_input_vec(),
            square: vec![0.0; self.own.len()],
            transform: self.forward.make_output_vec(),
            scratch: vec![Complex::default(); scratch],
        }
    }

    /// Adds the terms of a segment with `photons` in each detector, none of them 0; amplitudes start at `k = 0`.
    pub fn add(&self, amplitudes: [&[Complex<f64>]; 2], photons: [u64; 2], buffers: &mut FadBuffers, sums: &mut [f64]) {
        let count = sums.len() / BLOCKS;
        let leahy = photons.map(|n| (2.0 / n as f64).sqrt());
        let difference = |k: usize| amplitudes[0][k + 1] * leahy[0] - amplitudes[1][k + 1] * leahy[1];
        for k in 0..count {
            let d = difference(k);
            let square = if self.work.compat_stingray { d.re * d.re } else { d.norm_sqr() / 2.0 };
            (buffers.mirrored[k], buffers.mirrored[2 * count - 1 - k]) = (square, square);
            buffers.square[k] = square;
        }
        self.smooth(buffers);
        let exponent = self.work.exponent;
        let [w1, w2] = photons.map(|n| weight(n, exponent));
        let (both, w) = (weight(photons[0] + photons[1], exponent), (w1 * w2).sqrt());
        for k in 0..count {
            let (f1, f2) = (amplitudes[0][k + 1], amplitudes[1][k + 1]);
            let s = (buffers.mirrored[k] - self.own[k] * buffers.square[k]) / (1.0 - self.own[k]);
            // Amplitudes that are the same everywhere say nothing of noise.
            let factor = if s > 0.0 && s.is_finite() { 2.0 / (s * self.excess[k]) } else { 0.0 };
            let (cross, d) = (f1.conj() * f2, difference(k) * factor.sqrt());
            let powers =
                [w1 * f1.norm_sqr(), w2 * f2.norm_sqr(), both * (f1 + f2).norm_sqr(), w * cross.re, w * cross.im];
            for (block, term) in powers.into_iter().map(|p| p * factor).chain([d.re, d.im]).enumerate() {
                sums[block * count + k] += term;
            }
        }
    }

    /// Smooths what is mirrored.
    fn smooth(&self, buffers: &mut FadBuffers) {
        let FadBuffers { mirrored, transform, scratch, .. } = buffers;
        let forward = &mut scratch[..self.forward.get_scratch_len()];
        // Lengths are those of the plans, and the ends of a transform of real numbers are real.
        let _ = self.forward.process_with_scratch(mirrored, transform, forward);
        transform.iter_mut().zip(&self.gaussian).for_each(|(x, g)| *x *= g);
        if let [first, .., last] = &mut transform[..] {
            (first.im, last.im) = (0.0, 0.0);
        }
        let back = &mut scratch[..self.back.get_scratch_len()];
        let _ = self.back.process_with_scratch(transform, mirrored, back);
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::base::random::Random;

    /// The definition: weights of a Gaussian cut at four standard deviations over values mirrored at both ends.
    fn reference(values: &[f64], sigma: usize) -> Vec<f64> {
        let (n, radius) = (values.len() as i64, 4 * sigma as i64);
        let weight = |j: i64| (-0.5 * (j as f64 / sigma as f64).powi(2)).exp();
        let sum: f64 = (-radius..=radius).map(weight).sum();
        let at = |i: i64| match i.rem_euclid(2 * n) {
            i if i < n => values[i as usize],
            i => values[(2 * n - 1 - i) as usize],
        };
        (0..n).map(|k| (-radius..=radius).map(|j| weight(j) / sum * at(k + j)).sum()).collect()
    }

    /// The weights that are left without the frequency itself, by the definition.
    #[test]
    fn weights_leave_out_the_frequency_itself_and_its_image() {
        for (n, sigma) in [(16, 1), (65, 3), (257, 200), (1000, 20)] {
            let fad = CpuFad::new(n, FadSpec { smoothing: sigma, compat_stingray: false, exponent: 1 });
            let count = frequencies(n);
            let mut weights = vec![vec![0.0; count]; count];
            for i in 0..count {
                let mut one = vec![0.0; count];
                one[i] = 1.0;
                reference(&one, sigma).into_iter().enumerate().for_each(|(k, w)| weights[k][i] = w);
            }
            for (k, row) in weights.iter().enumerate() {
                let others = |f: &dyn Fn(f64) -> f64| (0..count).filter(|i| *i != k).map(|i| f(row[i])).sum::<f64>();
                let (sum, squares) = (others(&|w| w), others(&|w| w * w));
                assert!((fad.own[k] - row[k]).abs() < 1e-14, "{n} {sigma} {k}");
                assert!(
                    (fad.excess[k] - 1.0 - squares / sum / sum).abs() < 1e-12,
                    "{n} {sigma} {k}: {}",
                    fad.excess[k]
                );
            }
        }
    }

    /// Independent detectors whose noise is not white: afterwards it is, at 2, and the co-spectrum is 0, at the ends, too.
    #[test]
    fn noise_becomes_white_and_independent_detectors_have_no_co_spectrum() {
        let mut random = Random::new(5);
        let (n, segments, photons) = (130, 6000, 1000u64);
        let count = frequencies(n);
        // As Stingray does it, w₀ = 0.08 is left; at the ends twice as much.
        for (compat_stingray, co) in [(false, [0.0, 0.0]), (true, [0.08, 0.12])] {
            let fad = CpuFad::new(n, FadSpec { smoothing: 5, compat_stingray, exponent: 1 });
            let (mut buffers, mut sums) = (fad.buffers(), vec![0.0; BLOCKS * count]);
            for _ in 0..segments {
                let mut amplitudes = || -> Vec<Complex<f64>> {
                    let level = |k: usize| (0.5 * photons as f64 * (0.4 + 0.002 * k as f64)).sqrt();
                    (0..=count)
                        .map(|k| {
                            let [re, im] = random.normals();
                            Complex::new(re, im) * level(k)
                        })
                        .collect()
                };
                let (one, other) = (amplitudes(), amplitudes());
                fad.add([&one, &other], [photons; 2], &mut buffers, &mut sums);
            }
            for (range, co) in [(0..4, co[1]), (20..count - 20, co[0]), (count - 4..count, co[1])] {
                let mean = |block: usize| {
                    let values = &sums[block * count..][range.clone()];
                    2.0 * values.iter().sum::<f64>() / segments as f64 / range.len() as f64
                };
                let error = 2.0 / (segments as f64 * range.len() as f64).sqrt();
                let [p1, p2, re, im] = [0, 1, 3, 4].map(mean);
                println!("{compat_stingray} {range:?}: {p1} {p2} {re} {im} ± {error}");
                let within = |value: f64, expected: f64, slack: f64| (value - expected).abs() < 4.0 * error + slack;
                assert!(within(im, 0.0, 0.0) && within(re, co, if compat_stingray { 0.02 } else { 0.0 }));
                assert!(compat_stingray || within(p1, 2.0, 0.02) && within(p2, 2.0, 0.02));
            }
        }
    }

    #[test]
    fn smoothing_is_the_sum_over_neighbours() {
        for (n, sigma) in [(3, 1), (8, 1), (65, 3), (64, 3), (257, 200), (1000, 20)] {
            let fad = CpuFad::new(n, FadSpec { smoothing: sigma, compat_stingray: false, exponent: 1 });
            let count = frequencies(n);
            let values: Vec<f64> = (0..count).map(|k| 1.0 + ((k * 7919) % 101) as f64).collect();
            let mut buffers = fad.buffers();
            buffers.mirrored = values.iter().chain(values.iter().rev()).copied().collect();
            fad.smooth(&mut buffers);
            for (a, b) in buffers.mirrored.iter().zip(reference(&values, sigma)) {
                assert!((a / b - 1.0).abs() < 1e-12, "{n} {sigma}: {a} {b}");
            }
        }
    }
}

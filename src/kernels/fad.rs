//! Spectra of two detectors corrected for dead time by the difference of their Fourier amplitudes, on the CPU alone.
//!
//! Both detectors see the same source, so that the difference of their amplitudes has noise only, at each frequency with the
//! variance that dead time leaves to it. In each segment, with `A = F·√(2/N)`, that variance is estimated from its neighbours,
//! `s = G ∗ |A₁ − A₂|²/2`, G a Gaussian, and what the segment has at a frequency is multiplied by `2/s`: noise becomes white, of
//! the Leahy power 2 (Bachetti & Huppenkothen 2018, doi:10.3847/2041-8213/aaa83b).

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
    /// As Stingray: `s` from the real parts alone, `G ∗ Re(A₁ − A₂)²`, which is as large on average, and noisier.
    pub real_parts: bool,
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
}

/// Buffers of one thread.
pub struct FadBuffers {
    mirrored: Vec<f64>,
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
        let mut transform = forward.make_output_vec();
        // Lengths are those of the plan.
        let _ = forward.process(&mut kernel, &mut transform);
        // An even function has a real transform; the inverse one multiplies by the length.
        let gaussian = transform.iter().map(|x| x.re / length as f64).collect();
        CpuFad { work, forward, back, gaussian }
    }

    /// Buffers for one thread.
    pub fn buffers(&self) -> FadBuffers {
        let scratch = self.forward.get_scratch_len().max(self.back.get_scratch_len());
        FadBuffers {
            mirrored: self.forward.make_input_vec(),
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
            let square = if self.work.real_parts { d.re * d.re } else { d.norm_sqr() / 2.0 };
            (buffers.mirrored[k], buffers.mirrored[2 * count - 1 - k]) = (square, square);
        }
        self.smooth(buffers);
        let exponent = self.work.exponent;
        let [w1, w2] = photons.map(|n| weight(n, exponent));
        let (both, w) = (weight(photons[0] + photons[1], exponent), (w1 * w2).sqrt());
        for k in 0..count {
            let (f1, f2, s) = (amplitudes[0][k + 1], amplitudes[1][k + 1], buffers.mirrored[k]);
            // Amplitudes that are the same everywhere say nothing of noise.
            let factor = if s > 0.0 { 2.0 / s } else { 0.0 };
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
        let FadBuffers { mirrored, transform, scratch } = buffers;
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

    #[test]
    fn smoothing_is_the_sum_over_neighbours() {
        for (n, sigma) in [(3, 1), (8, 1), (65, 3), (64, 3), (257, 200), (1000, 20)] {
            let fad = CpuFad::new(n, FadSpec { smoothing: sigma, real_parts: false, exponent: 1 });
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

//! Power and its sum over segments: `S_k += w·|F_k|²` for `k = 1 … ceil(n/2) − 1`.

use rustfft::num_complex::Complex;

/// Frequencies kept of a transform of `n` samples: `k = 1 … ceil(n/2) − 1`; zero and Nyquist are dropped.
pub fn frequencies(n: usize) -> usize {
    n.div_ceil(2).saturating_sub(1)
}

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

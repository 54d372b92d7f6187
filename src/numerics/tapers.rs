//! Discrete prolate spheroidal sequences (Slepian 1978): of all sequences of `n` values those with the most of their energy within
//! `|f| < NW/n`, orthonormal.
//!
//! They are eigenvectors of a symmetric tridiagonal matrix, `d_i = ((n−1)/2 − i)²·cos(2πNW/n)`, `e_i = i(n−i)/2` (Percival & Walden
//! 1993, section 8.3), whose largest eigenvalues are far apart: bisection by Sturm's sequence finds them, inverse iteration the vectors.

use rayon::prelude::*;
use rustfft::FftPlanner;
use rustfft::num_complex::Complex;

use crate::base::progress::Progress;

/// A taper and the part of its energy inside the band.
#[derive(Clone, Debug, PartialEq)]
pub struct Taper {
    /// `n` values of unit energy; even ones have a positive sum, odd ones begin positive.
    pub values: Vec<f64>,
    /// Energy within `|f| < NW/n`, 0 to 1.
    pub concentration: f64,
}

/// About as many halvings find an eigenvalue in f64.
const TAPER_STEPS: u64 = 60;

/// The first `count` tapers of `n` values for a half bandwidth of `nw` frequency steps, the most concentrated first; `count` must
/// not exceed `n`. Computed on the threads of the caller's pool; where the run was cancelled, nobody looks at what comes.
pub fn tapers(n: usize, nw: f64, count: usize, progress: &Progress) -> Vec<Taper> {
    let size = n as f64;
    let band = (std::f64::consts::TAU * nw / size).cos();
    let diagonal: Vec<f64> = (0..n).map(|i| ((size - 1.0) / 2.0 - i as f64).powi(2) * band).collect();
    let beside: Vec<f64> = (1..n).map(|i| i as f64 * (size - i as f64) / 2.0).collect();
    progress.begin(TAPER_STEPS * count.min(n) as u64);
    (0..count.min(n))
        .into_par_iter()
        .map(|k| {
            let eigenvalue = eigenvalue(&diagonal, &beside, k, progress);
            let values = vector(&diagonal, &beside, eigenvalue, k, progress);
            let concentration = if progress.is_cancelled() { 0.0 } else { concentration(&values, nw / size) };
            Taper { values, concentration }
        })
        .collect()
}

/// Eigenvalues above `x`: negative terms of the Sturm sequence of `x − A`.
fn above(diagonal: &[f64], beside: &[f64], x: f64) -> usize {
    let mut count = 0;
    let mut q = 1.0;
    for (i, d) in diagonal.iter().enumerate() {
        let e = if i > 0 { beside[i - 1] } else { 0.0 };
        q = (x - d) - if i > 0 { e * e / q } else { 0.0 };
        if q == 0.0 {
            q = f64::MIN_POSITIVE.sqrt();
        }
        count += usize::from(q < 0.0);
    }
    count
}

/// The `k`-th largest eigenvalue.
fn eigenvalue(diagonal: &[f64], beside: &[f64], k: usize, progress: &Progress) -> f64 {
    let around = |i: usize| {
        let left = if i > 0 { beside[i - 1] } else { 0.0 };
        left + beside.get(i).copied().unwrap_or(0.0)
    };
    let mut lo = (0..diagonal.len()).map(|i| diagonal[i] - around(i)).fold(f64::INFINITY, f64::min);
    let mut hi = (0..diagonal.len()).map(|i| diagonal[i] + around(i)).fold(f64::NEG_INFINITY, f64::max);
    loop {
        let middle = lo + (hi - lo) / 2.0;
        if middle <= lo || middle >= hi || progress.is_cancelled() {
            return middle;
        }
        if above(diagonal, beside, middle) > k {
            lo = middle
        } else {
            hi = middle
        }
        // Whether the run goes on is asked above.
        let _ = progress.advance(1);
    }
}

/// The eigenvector of an eigenvalue, by inverse iteration with pivots.
fn vector(diagonal: &[f64], beside: &[f64], eigenvalue: f64, k: usize, progress: &Progress) -> Vec<f64> {
    let n = diagonal.len();
    // Parity is known: the start has that of the vector, and no symmetry is lost to rounding.
    let odd = k % 2 == 1;
    let mut x: Vec<f64> = (0..n).map(|i| if odd { (n as f64 - 1.0) / 2.0 - i as f64 } else { 1.0 }).collect();
    for _ in 0..4 {
        if progress.is_cancelled() {
            break;
        }
        x = solve(diagonal, beside, eigenvalue, x);
        let mirror: Vec<f64> = (0..n).map(|i| if odd { -x[n - 1 - i] } else { x[n - 1 - i] }).collect();
        x.iter_mut().zip(&mirror).for_each(|(x, m)| *x = (*x + m) / 2.0);
        let largest = x.iter().fold(0.0f64, |m, v| m.max(v.abs()));
        x.iter_mut().for_each(|v| *v /= largest);
        let norm = x.iter().map(|v| v * v).sum::<f64>().sqrt();
        x.iter_mut().for_each(|v| *v /= norm);
    }
    let sign = match odd {
        false => x.iter().sum::<f64>().signum(),
        // The first lobe, beyond values that are rounding.
        true => x.iter().find(|v| v.abs() > 1e-7).copied().unwrap_or(1.0).signum(),
    };
    x.iter_mut().for_each(|v| *v *= sign);
    x
}

/// Solves `(A − λ)y = x` for tridiagonal A by elimination with row exchanges.
fn solve(diagonal: &[f64], beside: &[f64], eigenvalue: f64, mut x: Vec<f64>) -> Vec<f64> {
    let n = diagonal.len();
    // Rows of the upper triangle: pivot and the two beside it.
    let mut upper = vec![[0.0; 3]; n];
    let entry = |i: usize| beside.get(i).copied().unwrap_or(0.0);
    let mut row = [diagonal[0] - eigenvalue, entry(0), 0.0];
    for i in 0..n {
        if i + 1 == n {
            upper[i] = row;
            break;
        }
        let mut next = [entry(i), diagonal[i + 1] - eigenvalue, entry(i + 1)];
        if next[0].abs() > row[0].abs() {
            std::mem::swap(&mut row, &mut next);
            x.swap(i, i + 1);
        }
        upper[i] = row;
        let factor = if row[0] == 0.0 { 0.0 } else { next[0] / row[0] };
        x[i + 1] -= factor * x[i];
        row = [next[1] - factor * row[1], next[2] - factor * row[2], 0.0];
    }
    let scale = diagonal.iter().fold(f64::MIN_POSITIVE, |m, d| m.max(d.abs()));
    for i in (0..n).rev() {
        let [pivot, one, two] = upper[i];
        let rest = one * x.get(i + 1).copied().unwrap_or(0.0) + two * x.get(i + 2).copied().unwrap_or(0.0);
        // An exact eigenvalue leaves no pivot.
        let pivot = if pivot.abs() < 1e-18 * scale { 1e-18 * scale } else { pivot };
        x[i] = (x[i] - rest) / pivot;
        // Growth is what is looked for, but must stay in range.
        if x[i].abs() > 1e200 {
            x.iter_mut().for_each(|v| *v *= 1e-200);
        }
    }
    x
}

/// `∫|V(f)|²` over `|f| < w`: the autocorrelation of the taper with that of the band.
fn concentration(values: &[f64], w: f64) -> f64 {
    let size = (2 * values.len()).next_power_of_two();
    let mut cells: Vec<Complex<f64>> = values.iter().map(|&v| Complex::new(v, 0.0)).collect();
    cells.resize(size, Complex::new(0.0, 0.0));
    let mut planner = FftPlanner::new();
    planner.plan_fft_forward(size).process(&mut cells);
    cells.iter_mut().for_each(|c| *c = Complex::new(c.norm_sqr() / size as f64, 0.0));
    planner.plan_fft_inverse(size).process(&mut cells);
    let band = |m: usize| (std::f64::consts::TAU * w * m as f64).sin() / (std::f64::consts::PI * m as f64);
    let beyond: f64 = (1..values.len()).map(|m| 2.0 * cells[m].re * band(m)).sum();
    (2.0 * w * cells[0].re + beyond).clamp(0.0, 1.0)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn tapers_are_orthonormal_and_concentrated_as_the_definition_says() {
        for (n, nw, count) in [(16, 2.0, 4), (101, 2.5, 5), (512, 4.0, 8), (4096, 4.0, 8), (1000, 8.0, 16)] {
            let tapers = tapers(n, nw, count, &Progress::default());
            for (i, a) in tapers.iter().enumerate() {
                for (j, b) in tapers.iter().enumerate() {
                    let product: f64 = a.values.iter().zip(&b.values).map(|(x, y)| x * y).sum();
                    assert!((product - f64::from(i == j)).abs() < 1e-11, "{n} {nw}: {i} {j} {product}");
                }
                if n > 512 {
                    continue;
                }
                // By definition: λ v = Σ_m sin(2πW(l−m))/(π(l−m)) v_m.
                let w = nw / n as f64;
                for l in 0..n {
                    let kernel = |m: usize| match l as f64 - m as f64 {
                        0.0 => 2.0 * w,
                        d => (std::f64::consts::TAU * w * d).sin() / (std::f64::consts::PI * d),
                    };
                    let sum: f64 = (0..n).map(|m| kernel(m) * a.values[m]).sum();
                    assert!((sum - a.concentration * a.values[l]).abs() < 1e-11, "{n} {nw}: taper {i} at {l}");
                }
            }
            assert!(tapers.windows(2).all(|t| t[0].concentration >= t[1].concentration - 1e-14));
        }
    }
}

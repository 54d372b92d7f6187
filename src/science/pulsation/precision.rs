//! How precisely a search knows frequency and derivatives: from the harmonics that are signal, and from where in the pulse the photons are.
//!
//! A frequency is where `L = Σ_{h ≤ m} |S_h|²/Σw²`, half of `Z²_m`, is largest. About there its slope is a sum over events,
//!
//! ```text
//! ∂L/∂f = Σ_i w_i·t_i·u(φ_i)      u(φ) = −(4π/Σw²)·Σ_h h·Im(conj(S_h)·exp(2πi·h·φ))
//! ```
//!
//! whose variance is `σ_t²·Σ w_i²·u(φ_i)²`, and its curvature is `−(2π·σ_t)²·Σ h²·P_h`, `P_h = Z_h − 2` the power of harmonic h above its noise.
//! Photons at all phases alike would have `Σ w_i²·u² = (2π)²·Σ h²·Z_h`, noise that multiplies noise included; pulses that outshine what
//! is around them have it where they are, a ratio R of that. So (White 1982, doi:10.2307/1912526, for the ratio of slopes to curvatures)
//!
//! ```text
//! σ_f = √(R·Σ h²·Z_h)/(2π·σ_t·Σ h²·P_h)
//! ```
//!
//! and with derivatives `t, t²/2, t³/6` in the place of t: the inverse of the covariance of those that were searched. A harmonic that is noise has `Z_h` of 2
//! on average and `P_h` of 0, but where it is above by chance it would count h² times as information, and pull the maximum. So m is the smallest
//! number of harmonics beyond which H gains no more than [`LEAST_GAIN`].

/// What `Z²_m − 4m` gains beyond the harmonics that are signal at most. Noise gains x or more with the probability `exp(−0.4·x)`: 0.8 %.
pub const LEAST_GAIN: f64 = 12.0;

/// The number of harmonics that are signal, from `Z²_1 …`: the smallest beyond which `Z²_m − 4m` rises by no more than [`LEAST_GAIN`]; at least 1.
pub fn signal_harmonics(z2: &[f64]) -> usize {
    let score = |m: usize| z2[m] - 4.0 * m as f64;
    // The largest score from each number of harmonics on, the last first.
    let mut most = f64::NEG_INFINITY;
    let mut fewest = 0;
    for m in (0..z2.len()).rev() {
        most = most.max(score(m));
        if most - score(m) <= LEAST_GAIN {
            fewest = m;
        }
    }
    fewest + 1
}

/// Standard errors of the frequency (Hz) and of its derivatives (Hz/s, Hz/s²), 0 for those that were not `searched`.
///
/// `z2` is `Z²_1 … Z²_m` of the harmonics that are signal, `ratio` the R above, and `covariance` that of `t`, `t²/2` and `t³/6` (s, s², s³) over the
/// events. Where harmonics have less power than noise has, it is taken to be 1.
pub fn spin_errors(z2: &[f64], ratio: f64, covariance: &[[f64; 3]; 3], searched: [bool; 3]) -> [f64; 3] {
    let (mut noise, mut signal, mut before) = (0.0, 0.0, 0.0);
    for (h, z) in (1..).map(f64::from).zip(z2) {
        noise += h * h * (z - before);
        signal += h * h * (z - before - 2.0);
        before = *z;
    }
    let size = (ratio * noise.max(1.0)).sqrt() / (std::f64::consts::TAU * signal.max(1.0));
    let free: Vec<usize> = (0..3).filter(|&i| searched[i]).collect();
    let mut errors = [0.0; 3];
    for (&i, variance) in free.iter().zip(inverse_diagonal(covariance, &free)) {
        errors[i] = size * variance.sqrt();
    }
    errors
}

/// The diagonal of the inverse of the rows and columns `free` of a covariance: `1/(1 − R²)` over each variance, by Gauss and Jordan on the correlations.
fn inverse_diagonal(covariance: &[[f64; 3]; 3], free: &[usize]) -> Vec<f64> {
    let scale: Vec<f64> = free.iter().map(|&i| covariance[i][i].max(f64::MIN_POSITIVE).sqrt()).collect();
    let n = free.len();
    let element = |i: usize, j: usize| {
        if j < n { covariance[free[i]][free[j]] / scale[i] / scale[j] } else { f64::from(u8::from(j - n == i)) }
    };
    let mut rows: Vec<Vec<f64>> = (0..n).map(|i| (0..2 * n).map(|j| element(i, j)).collect()).collect();
    for i in 0..n {
        let pivot = rows[i][i];
        rows[i].iter_mut().for_each(|x| *x /= pivot);
        let row = rows[i].clone();
        for (_, other) in rows.iter_mut().enumerate().filter(|(k, _)| *k != i) {
            let by = other[i];
            other.iter_mut().zip(&row).for_each(|(x, y)| *x -= by * y);
        }
    }
    (0..n).map(|i| rows[i][n + i] / scale[i] / scale[i]).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn summed(powers: &[f64]) -> Vec<f64> {
        powers.iter().scan(0.0, |sum, p| Some(std::mem::replace(sum, *sum + p) + p)).collect()
    }

    #[test]
    fn harmonics_are_signal_where_h_gains_by_them() {
        let noise = [3.0, 1.0, 6.0, 0.5, 2.0, 4.5];
        assert_eq!(signal_harmonics(&summed(&[&[50.0][..], &noise].concat())), 1);
        assert_eq!(signal_harmonics(&summed(&[&[50.0, 2.0, 40.0][..], &noise].concat())), 3);
        // None by itself, all together.
        assert_eq!(signal_harmonics(&summed(&[8.0; 10])), 7);
        assert_eq!(signal_harmonics(&summed(&[2.0, 60.0])), 2);
        assert_eq!((signal_harmonics(&[5.0]), signal_harmonics(&[])), (1, 1));
    }

    /// Of times evenly over T about the epoch: `σ_t = T/√12`, `σ_q = T²/√720` of `t²/2`, not correlated; `t³/6` and t are by `√(21)/5`, which makes the error of
    /// the frequency 5/2 times as large.
    #[test]
    fn errors_are_those_of_even_times() {
        let t = 1000f64;
        let covariance = [
            [t.powi(2) / 12.0, 0.0, t.powi(4) / 480.0],
            [0.0, t.powi(4) / 720.0, 0.0],
            [t.powi(4) / 480.0, 0.0, t.powi(6) / 16128.0],
        ];
        let one = |searched| spin_errors(&[102.0], 1.0, &covariance, searched);
        let alone = 102f64.sqrt() / 100.0 * 12f64.sqrt() / (std::f64::consts::TAU * t);
        let near = |a: f64, b: f64| assert!((a / b - 1.0).abs() < 1e-9, "{a} {b}");
        near(one([true, false, false])[0], alone);
        let both = one([true, true, false]);
        near(both[0], alone);
        near(both[1], alone * 60f64.sqrt() / t);
        near(one([true; 3])[0], 2.5 * alone);
        assert_eq!(one([true, false, false])[1..], [0.0; 2]);
        // The second harmonic tells four times as much, and R is a variance.
        near(
            spin_errors(&[2.0, 104.0], 4.0, &covariance, [true, false, false])[0],
            2.0 * (2.0f64 + 408.0).sqrt() / 400.0 * alone / (102f64.sqrt() / 100.0),
        );
    }
}

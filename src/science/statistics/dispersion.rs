//! Phase dispersion (Stellingwerf 1978, doi:10.1086/156444): how much of the variance of a series is left within the bins of a phase.

use crate::numerics::beta;

/// `θ` that sums of f64 tell from 0.
const LEAST_THETA: f64 = 1.0 / (1u64 << 50) as f64;

/// Sums over all samples of a series, from which phase dispersion is computed.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Dispersion {
    /// Number of samples, `N`.
    pub samples: f64,
    /// `Σ(x − x̄)²`, in the square of any unit.
    pub squares: f64,
    /// `Σ(x − c)` in the unit of `x`, with the reference value `c` that the sums of bins have: close to the mean, so
    /// that no digits cancel.
    pub sum: f64,
}

impl Dispersion {
    /// Phase dispersion `θ` and the number `M` of bins with samples. `bins` gives, for each phase bin, the number of
    /// samples `n_j` and `s_j`, the sum of their values less `c`:
    ///
    /// ```text
    /// θ = [Σ(x − x̄)² − B]/(N − M) / [Σ(x − x̄)²/(N − 1)],   B = Σ_j s_j²/n_j − (Σ_j s_j)²/N = Σ_j n_j·(x̄_j − x̄)²
    /// ```
    ///
    /// It is the variance within the bins over that of all samples. Values below 2^-50 are rounding errors and given as
    /// 2^-50; without a degree of freedom θ is 1.
    pub fn theta(&self, bins: impl Iterator<Item = (f64, f64)>) -> (f64, u32) {
        let filled = bins.filter(|(n, _)| *n > 0.0);
        let (between, number) = filled.fold((0.0, 0), |(sum, number), (n, s)| (sum + s * s / n, number + 1));
        let between = between - self.sum * self.sum / self.samples;
        let free = self.samples - f64::from(number);
        if !(free > 0.0 && self.squares > 0.0) {
            return (1.0, number);
        }
        ((((self.squares - between) / free) / (self.squares / (self.samples - 1.0))).max(LEAST_THETA), number)
    }
}

/// Logarithm of the probability that independent normal samples of one variance have `θ` or less: `θ·(N − M)/(N − 1)`
/// has a beta distribution with `(N − M)/2` and `(M − 1)/2` (Schwarzenberg-Czerny 1997, doi:10.1086/304832). 0
/// (probability 1) for one bin, or as many bins as samples.
pub fn ln_cdf(theta: f64, samples: f64, bins: f64) -> f64 {
    let (within, between) = (samples - bins, bins - 1.0);
    if !(within > 0.0 && between > 0.0) {
        return 0.0;
    }
    // 1 − x from the distance of θ to 1, which loses nothing where nearly all degrees are within bins.
    let x = theta * within / (samples - 1.0);
    let y = (between + (1.0 - theta) * within) / (samples - 1.0);
    beta::ln_cdf([x, y.max(0.0)], 0.5 * within, 0.5 * between)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn theta_is_the_ratio_of_two_variances() {
        // Of 1 3 | 2 4 6 the mean is 3.2; within bins there is 2 + 8, in all 14.8. The zero is 3, and an empty bin is none.
        let all = Dispersion { samples: 5.0, squares: 14.8, sum: 1.0 };
        let (theta, bins) = all.theta([(2.0, -2.0), (0.0, 0.0), (3.0, 3.0)].into_iter());
        assert!((theta - (10.0 / 3.0) / (14.8 / 4.0)).abs() < 1e-15 && bins == 2, "{theta}");
        assert_eq!(all.theta([(1.0, 0.0); 5].into_iter()), (1.0, 5));
        let alike = Dispersion { samples: 4.0, squares: 4.0, sum: 0.0 };
        assert_eq!(alike.theta([(2.0, 2.0), (2.0, -2.0)].into_iter()), (LEAST_THETA, 2));
    }

    #[test]
    fn its_law_is_that_of_the_f_test() {
        // Two bins: Student's t with N − 2 degrees; of 3 samples P(|t| > s) = 1 − 2/π·atan(s), s² = (1 − x)/x.
        let x: f64 = 0.2;
        let expected = (1.0 - 2.0 / std::f64::consts::PI * ((1.0 - x) / x).sqrt().atan()).ln();
        assert!((ln_cdf(2.0 * x, 3.0, 2.0) - expected).abs() < 1e-13);
        assert_eq!((ln_cdf(0.3, 10.0, 1.0), ln_cdf(0.3, 10.0, 10.0)), (0.0, 0.0));
        // At its largest, (N − 1)/(N − M), it is certain.
        assert!(ln_cdf(99.0 / 80.0, 100.0, 20.0).abs() < 1e-12);
    }
}

//! Poisson counts: tails in log space, limits of the mean, symmetrical errors.

use super::gamma::{Tail, ln_tail};
use super::gamma_inverse::inverse;
use super::normal;

/// Logarithm of the probability of at least `counts`: `ln P(counts, mean)`, 0 for no counts. NaN for a negative mean.
///
/// ```
/// use eagleray::science::statistics::poisson;
/// assert!((poisson::ln_at_least(1, 1e-20) - 1e-20f64.ln()).abs() < 1e-13);
/// ```
pub fn ln_at_least(counts: u64, mean: f64) -> f64 {
    match counts {
        0 if mean >= 0.0 => 0.0,
        0 => f64::NAN,
        _ => ln_tail(Tail::Lower, counts as f64, mean),
    }
}

/// Logarithm of the probability of at most `counts`: `ln Q(counts + 1, mean)`. NaN for a negative mean.
pub fn ln_at_most(counts: u64, mean: f64) -> f64 {
    ln_tail(Tail::Upper, counts as f64 + 1.0, mean)
}

/// Exact limits of the mean that led to `counts`, each to be transgressed with the probability of exceeding `sigma` in a
/// normal distribution (Gehrels 1986, doi:10.1086/164079, equations 1 and 2).
///
/// The upper limit solves `P(≤ counts | upper) = p`, the lower one `P(≥ counts | lower) = p`; without counts it is 0.
///
/// ```
/// use eagleray::science::statistics::poisson;
/// let (lower, upper) = poisson::limits(0, 1.0);
/// assert!(lower == 0.0 && (upper - 1.841).abs() < 5e-4);
/// ```
pub fn limits(counts: u64, sigma: f64) -> (f64, f64) {
    if counts as f64 > MANY && sigma.powi(4) < counts as f64 {
        return (quantile(counts as f64, -sigma), quantile(counts as f64 + 1.0, sigma));
    }
    let ln_p = normal::ln_sf(sigma);
    let upper = inverse(Tail::Upper, counts as f64 + 1.0, ln_p);
    let lower = if counts == 0 { 0.0 } else { inverse(Tail::Lower, counts as f64, ln_p) };
    (lower, upper)
}

/// Counts beyond which tails are expanded.
const MANY: f64 = 1e10;

/// The value of a gamma variable of shape `a` at `z` standard deviations of a normal one, by Cornish and Fisher's expansion
/// (Abramowitz & Stegun 26.2.49, with the cumulants a, a, 2a, 6a): what is left out is of the order of `z⁵/a^1.5`.
fn quantile(a: f64, z: f64) -> f64 {
    a + z * a.sqrt() + (z * z - 1.0) / 3.0 + (z.powi(3) - 7.0 * z) / (36.0 * a.sqrt())
}

/// Symmetrical standard error of counts, `1 + √(counts + ¾)`: Gehrels' approximation of the upper one (1986, equation 7), never
/// zero, within 1.5 % of the exact `upper − counts` at 1 σ.
pub fn symmetrical_error(counts: u64) -> f64 {
    1.0 + (counts as f64 + 0.75).sqrt()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn many_counts_have_their_limits_at_once() {
        for sigma in [0.5, 1.0, 5.0] {
            let a = 1e9;
            let ln_p = normal::ln_sf(sigma);
            let (lower, upper) = (inverse(Tail::Lower, a, ln_p), inverse(Tail::Upper, a, ln_p));
            assert!((quantile(a, -sigma) - lower).abs() < 1e-5 && (quantile(a, sigma) - upper).abs() < 1e-5);
        }
        let (lower, upper) = limits(u64::MAX, 8.0);
        assert!(lower < u64::MAX as f64 && upper > u64::MAX as f64);
        assert!(((upper - lower) / (16.0 * 2f64.powi(32)) - 1.0).abs() < 1e-6);
    }

    /// The defining equations, solved by mpmath.
    #[test]
    fn limits_solve_their_equations() {
        for (counts, sigma, lower, upper) in [
            (1, 1.0, 0.173, 3.300),
            (2, 1.0, 0.708, 4.638),
            (10, 1.0, 6.891, 14.27),
            (0, 3.0, 0.0, 6.608),
            (5, 3.0, 0.7919, 16.035),
        ] {
            let (a, b) = limits(counts, sigma);
            assert!((a - lower).abs() < 5e-4 && (b - upper).abs() < 4e-3, "{counts} {sigma}: {a} {b}");
        }
    }

    #[test]
    fn symmetrical_errors_are_close_to_the_exact_upper_ones() {
        for counts in (0..100).chain([1000, 100_000]) {
            let exact = limits(counts, 1.0).1 - counts as f64;
            let error = symmetrical_error(counts) / exact - 1.0;
            assert!(error.abs() < 0.015, "{counts}: {error}");
        }
    }

    #[test]
    fn tails_are_complements() {
        for (counts, mean) in [(0u64, 0.3), (3, 2.0), (1000, 900.0)] {
            let sum = ln_at_least(counts + 1, mean).exp() + ln_at_most(counts, mean).exp();
            assert!((sum - 1.0).abs() < 1e-14);
        }
        assert_eq!(ln_at_least(0, 5.0), 0.0);
        assert!(ln_at_least(0, -1.0).is_nan() && ln_at_least(3, f64::NAN).is_nan() && ln_at_most(3, -1.0).is_nan());
    }
}

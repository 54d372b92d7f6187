//! The beta distribution in log space: the regularised incomplete beta function.

use std::f64::consts::TAU;

use super::gamma::{deviance, ln_one_minus_exp, stirling_error};

/// Logarithm of the distribution function `I_x(a, b)` of `a, b > 0`, given `x` and `1 − x`, each as exactly as it is known. NaN outside the
/// domain.
///
/// A continued fraction (DLMF 8.17.22) where it converges soon, else that of `1 − I_{1−x}(b, a)`, times `xᵃ(1 − x)ᵇ/B(a, b)` in Loader's form,
/// which has nothing to cancel: with `n = a + b` and `D(k, m) = k·ln(k/m) + m − k`
///
/// ```text
/// ln = −D(a, n·x) − D(b, n·(1 − x)) + ½·ln(ab/2πn) + δ(n) − δ(a) − δ(b),  δ the error of Stirling's formula
/// ```
///
/// The time grows as the root of the larger parameter.
///
/// ```
/// use eagleray::science::statistics::beta;
/// // I_x(a, 1) = xᵃ.
/// assert!((beta::ln_cdf([0.25, 0.75], 500.0, 1.0) - 500.0 * 0.25f64.ln()).abs() < 1e-10);
/// ```
pub fn ln_cdf([x, y]: [f64; 2], a: f64, b: f64) -> f64 {
    if !(a > 0.0 && b > 0.0 && a.is_finite() && b.is_finite() && x >= 0.0 && y >= 0.0) {
        return f64::NAN;
    }
    if x == 0.0 || y == 0.0 {
        return if x == 0.0 { f64::NEG_INFINITY } else { 0.0 };
    }
    let n = a + b;
    let ln_power = 0.5 * (a * b / (TAU * n)).ln() + stirling_error(n)
        - stirling_error(a)
        - stirling_error(b)
        - a * deviance(a, n * x)
        - b * deviance(b, n * y);
    let value = if x * (n + 2.0) < a + 1.0 {
        ln_power - a.ln() + fraction(x, a, b).ln()
    } else {
        ln_one_minus_exp((ln_power - b.ln() + fraction(y, b, a).ln()).min(0.0))
    };
    // Rounding may leave a probability of 1 an ulp above it.
    value.min(0.0)
}

/// `1/(1 + d₁/(1 + d₂/(1 + …)))` by Lentz's method.
fn fraction(x: f64, a: f64, b: f64) -> f64 {
    const TINY: f64 = 1e-300;
    let (mut c, mut d, mut value, mut m) = (1.0, 0.0, 1.0, 0.0f64);
    loop {
        let odd = -(a + m) * (a + b + m) * x / ((a + 2.0 * m) * (a + 2.0 * m + 1.0));
        m += 1.0;
        let even = m * (b - m) * x / ((a + 2.0 * m - 1.0) * (a + 2.0 * m));
        let before = value;
        for term in [odd, even] {
            d = 1.0 + term * d;
            c = 1.0 + term / c;
            d = if d.abs() < TINY { TINY } else { d }.recip();
            c = if c.abs() < TINY { TINY } else { c };
            value *= d * c;
        }
        if (value / before - 1.0).abs() <= 2.0 * f64::EPSILON {
            return value.recip();
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ends_and_nonsense() {
        assert_eq!(ln_cdf([0.0, 1.0], 2.0, 3.0), f64::NEG_INFINITY);
        assert_eq!(ln_cdf([1.0, 0.0], 2.0, 3.0), 0.0);
        for (x, a, b) in [(0.5, 0.0, 1.0), (0.5, 1.0, -1.0), (-0.1, 1.0, 1.0), (1.1, 1.0, 1.0), (f64::NAN, 1.0, 1.0)] {
            assert!(ln_cdf([x, 1.0 - x], a, b).is_nan(), "{x} {a} {b}");
        }
        // The sine of a random angle: I_x(½, ½) = 2/π·asin √x; and both sides of it.
        for x in [1e-12, 0.1, 0.5, 0.9, 0.999] {
            let expected = (2.0 / std::f64::consts::PI * f64::sqrt(x).asin()).ln();
            assert!((ln_cdf([x, 1.0 - x], 0.5, 0.5) - expected).abs() < 1e-13 * expected.abs().max(1.0), "{x}");
        }
    }
}

//! The normal distribution in log space.

use std::f64::consts::{LN_2, TAU};

use super::gamma::{Tail, ln_one_minus_exp, ln_tail};

/// Log-survival function of the standard normal distribution: `ln p`, `p = ½·erfc(z/√2)` the probability of exceeding `z`.
///
/// `erfc(y) = Q(½, y²)` (DLMF 8.4.6). Finite to `z = 1e154`.
///
/// ```
/// use eagleray::science::statistics::normal;
/// assert!((normal::ln_sf(3.0).exp() - 1.3498980316300946e-3).abs() < 1e-15);
/// assert!((normal::ln_sf(38.0) - -726.55721601882).abs() < 1e-9);
/// ```
pub fn ln_sf(z: f64) -> f64 {
    if z < 0.0 {
        return ln_one_minus_exp(ln_sf(-z));
    }
    ln_tail(Tail::Upper, 0.5, 0.5 * z * z) - LN_2
}

/// Inverse of [`ln_sf`]: the `z` that is exceeded with the probability of logarithm `ln_p ≤ 0`; NaN above 0.
pub fn ln_isf(ln_p: f64) -> f64 {
    if ln_p.is_nan() || ln_p > 0.0 {
        return f64::NAN;
    }
    if ln_p > -LN_2 {
        return -ln_isf(ln_one_minus_exp(ln_p));
    }
    if ln_p == f64::NEG_INFINITY {
        return f64::INFINITY;
    }
    // Abramowitz & Stegun 26.2.23 to start with; ln p is concave in z, so Newton's steps cannot diverge.
    let t = (-2.0 * ln_p).sqrt();
    let below = 1.0 + t * (1.432788 + t * (0.189269 + t * 0.001308));
    let mut z = t - (2.515517 + t * (0.802853 + t * 0.010328)) / below;
    for _ in 0..50 {
        let ln_now = ln_sf(z);
        let hazard = (-0.5 * z * z - 0.5 * TAU.ln() - ln_now).exp();
        let step = (ln_now - ln_p) / hazard;
        z += step;
        if step.abs() <= 4.0 * f64::EPSILON * z.abs().max(1.0) {
            break;
        }
    }
    z
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn both_sides_mirror_each_other() {
        assert!((ln_sf(0.0) + LN_2).abs() < 1e-16);
        for z in [1e-9, 0.1, 1.0, 5.0, 8.0] {
            assert!((ln_sf(z).exp() + ln_sf(-z).exp() - 1.0).abs() < 1e-15);
        }
        assert!(ln_sf(f64::NAN).is_nan() && ln_isf(0.5).is_nan());
        assert_eq!((ln_isf(0.0), ln_isf(f64::NEG_INFINITY)), (f64::NEG_INFINITY, f64::INFINITY));
    }

    #[test]
    fn inverse_returns() {
        for z in [-8.0, -2.0, -0.3, 0.0, 1e-6, 0.7, 3.0, 12.0, 38.0, 1e3, 1e6] {
            let back = ln_isf(ln_sf(z));
            // Below −5 the logarithm is that of almost 1, and holds fewer digits of z.
            let within = if z < 0.0 { 1e-9 } else { 1e-14 * (1.0 + z) };
            let exact = if z < -5.0 { 1e-2 } else { within };
            assert!((back - z).abs() <= exact, "{z} {back}");
        }
    }
}

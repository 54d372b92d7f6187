//! The inverses of the regularised incomplete gamma functions in log space.

use std::f64::consts::{LN_2, TAU};

use super::gamma::{Tail, ln_one_minus_exp, ln_tail, ln_term, stirling_error};

/// The `x` with `ln P(a, x)` or `ln Q(a, x)` equal to `ln_p ≤ 0`; NaN where there is none.
///
/// Newton's method in ln x, started from Wilson & Hilferty's cube root (1931, doi:10.1073/pnas.17.12.684). The logarithm of
/// either tail is concave in ln x, so the steps cannot diverge.
pub(crate) fn inverse(tail: Tail, a: f64, ln_p: f64) -> f64 {
    if !(a > 0.0 && a.is_finite() && ln_p <= 0.0) {
        return f64::NAN;
    }
    if ln_p > -LN_2 {
        // The smaller tail determines x better.
        let other = ln_one_minus_exp(ln_p);
        return if ln_p == 0.0 { end(tail.other()) } else { inverse(tail.other(), a, other) };
    }
    if ln_p == f64::NEG_INFINITY {
        return end(tail);
    }
    let z = super::normal::ln_isf(ln_p);
    let root = 1.0 - 1.0 / (9.0 * a) + if tail == Tail::Upper { z } else { -z } / (3.0 * a.sqrt());
    let mut x = if root > 0.3 || tail == Tail::Upper {
        a * root.max(0.3).powi(3)
    } else {
        // Far below, P(a, x) is its first term: xᵃ/Γ(a + 1).
        let ln_gamma = (a + 0.5) * a.ln() - a + 0.5 * TAU.ln() + stirling_error(a);
        ((ln_p + ln_gamma) / a).exp()
    };
    if x == 0.0 {
        return 0.0;
    }
    for _ in 0..100 {
        let ln_now = ln_tail(tail, a, x);
        let slope = (ln_term(a, x) + a.ln() - ln_now).exp();
        let step = if tail == Tail::Upper { ln_now - ln_p } else { ln_p - ln_now } / slope;
        // At most a factor of 10 at a time, for starts far off.
        x *= step.clamp(-2.3, 2.3).exp();
        if step.abs() < 4.0 * f64::EPSILON {
            break;
        }
    }
    x
}

/// Where a tail has vanished.
fn end(tail: Tail) -> f64 {
    if tail == Tail::Upper { f64::INFINITY } else { 0.0 }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ends_and_nonsense() {
        assert_eq!(inverse(Tail::Upper, 3.0, 0.0), 0.0);
        assert_eq!(inverse(Tail::Lower, 3.0, 0.0), f64::INFINITY);
        assert_eq!(inverse(Tail::Upper, 3.0, f64::NEG_INFINITY), f64::INFINITY);
        assert!(inverse(Tail::Upper, 3.0, 0.1).is_nan());
    }

    #[test]
    fn inverses_return() {
        for a in [0.5, 1.0, 2.5, 50.0, 1e4, 1e6, 1e9] {
            for ln_p in [-1e-12, -0.1, -0.693, -0.7, -3.0, -40.0, -700.0, -5000.0] {
                for tail in [Tail::Lower, Tail::Upper] {
                    let x = inverse(tail, a, ln_p);
                    if x < 1e-300 {
                        continue; // P(½, x) = 1e-300 is beyond the smallest x
                    }
                    // An x that is one rounding off changes ln p by this much.
                    let slope = (ln_term(a, x) + a.ln() - ln_tail(tail, a, x)).exp();
                    let error = (ln_tail(tail, a, x) - ln_p).abs();
                    assert!(error < 1e-15 * (10.0 * slope + 100.0 + 10.0 * ln_p.abs()), "{a} {ln_p} {tail:?}: {error}");
                }
            }
        }
    }
}

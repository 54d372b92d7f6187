//! The regularised incomplete gamma functions in log space, accurate where the probabilities themselves underflow.
//!
//! `P(a, x) = γ(a, x)/Γ(a)` and `Q(a, x) = Γ(a, x)/Γ(a) = 1 − P(a, x)` (DLMF 8.2.4). Both are the term
//! `t(a, x) = xᵃe⁻ˣ/Γ(a + 1)` times something of moderate size: a power series for P (DLMF 8.7.1) below `x = a + 1`, a
//! continued fraction for Q (DLMF 8.9.2) above. What costs digits is `t`: `a·ln x − x − lnΓ(a + 1)` cancels 1e7 against 1e7
//! for a million degrees of freedom. Loader's form (2000, "Fast and accurate computation of binomial probabilities") has
//! nothing to cancel: `ln t = −a·(μ − ln(1 + μ)) − ½ln(2πa) − δ(a)` with `μ = (x − a)/a` and δ the error of Stirling's
//! formula. The time grows as √a: a microsecond at a = 10, a millisecond at 1e8.

use std::f64::consts::{LN_2, TAU};

/// Which end of a distribution.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Tail {
    /// Below the value: P.
    Lower,
    /// Above it: Q.
    Upper,
}

impl Tail {
    /// The other end.
    pub(super) fn other(self) -> Tail {
        match self {
            Tail::Lower => Tail::Upper,
            Tail::Upper => Tail::Lower,
        }
    }
}

/// `ln(1 − eʸ)` for `y ≤ 0` (Mächler 2012, "Accurately computing log(1 − exp(−|a|))").
pub(crate) fn ln_one_minus_exp(y: f64) -> f64 {
    if y > -LN_2 { (-y.exp_m1()).ln() } else { (-y.exp()).ln_1p() }
}

/// Error of Stirling's formula, `lnΓ(a) − (a − ½)ln a + a − ½ln 2π` (DLMF 5.11.1), for `a > 0`.
pub(crate) fn stirling_error(a: f64) -> f64 {
    // Below 16 the asymptotic series is short of digits; each step up costs one rounding.
    let (mut a, mut shift) = (a, 0.0);
    while a < 16.0 {
        shift += (a + 0.5) * (1.0 / a).ln_1p() - 1.0;
        a += 1.0;
    }
    let square = 1.0 / (a * a);
    let series = [1.0 / 12.0, -1.0 / 360.0, 1.0 / 1260.0, -1.0 / 1680.0, 1.0 / 1188.0, -691.0 / 360_360.0];
    shift + series.iter().rev().fold(0.0, |sum, c| sum * square + c) / a
}

/// `μ − ln(1 + μ)` of `μ = (x − a)/a`, without cancellation near 0.
pub(crate) fn deviance(a: f64, x: f64) -> f64 {
    let mu = (x - a) / a;
    if mu.abs() > 0.3 {
        // Not of 1 + μ, which is 0 for an x far below a.
        return mu - (x / a).ln();
    }
    // ln(1 + μ) = 2·artanh(r) with r = μ/(2 + μ), and 2r − μ = −rμ.
    let r = mu / (2.0 + mu);
    let square = r * r;
    let series = (1..12).rev().fold(0.0, |sum, k| sum * square + 1.0 / f64::from(2 * k + 1));
    r * mu - 2.0 * r * square * series
}

/// `ln t(a, x)`, `t = xᵃe⁻ˣ/Γ(a + 1)`, for `a, x > 0`: also the logarithm of Poisson's probability of `a` counts.
pub(crate) fn ln_term(a: f64, x: f64) -> f64 {
    -a * deviance(a, x) - 0.5 * (TAU * a).ln() - stirling_error(a)
}

/// `ln P(a, x)` or `ln Q(a, x)` for `a > 0`, `x ≥ 0`; NaN elsewhere.
pub(crate) fn ln_tail(tail: Tail, a: f64, x: f64) -> f64 {
    if !(a > 0.0 && a.is_finite() && x >= 0.0) {
        return f64::NAN;
    }
    if x == 0.0 || x.is_infinite() {
        return if (x == 0.0) == (tail == Tail::Upper) { 0.0 } else { f64::NEG_INFINITY };
    }
    let (computed, value) = if x < a + 1.0 {
        (Tail::Lower, ln_term(a, x) + series(a, x).ln())
    } else {
        (Tail::Upper, ln_term(a, x) + a.ln() + fraction(a, x).ln())
    };
    // Rounding may leave a probability of 1 an ulp above it.
    let value = value.min(0.0);
    if computed == tail { value } else { ln_one_minus_exp(value) }
}

/// `1 + x/(a+1) + x²/((a+1)(a+2)) + …`
fn series(a: f64, x: f64) -> f64 {
    let (mut term, mut sum, mut k) = (1.0, 1.0, a);
    while term > sum * 1e-17 {
        k += 1.0;
        term *= x / k;
        sum += term;
    }
    sum
}

/// `1/(x + 1 − a − 1·(1 − a)/(x + 3 − a − 2·(2 − a)/(x + 5 − a − …)))` by Lentz's method, for `x ≥ a + 1`.
fn fraction(a: f64, x: f64) -> f64 {
    let mut b = x + 1.0 - a;
    let (mut c, mut d) = (f64::INFINITY, 1.0 / b);
    let (mut value, mut i) = (d, 0.0);
    loop {
        i += 1.0;
        let numerator = i * (a - i);
        b += 2.0;
        d = 1.0 / (numerator * d + b);
        c = b + numerator / c;
        let factor = c * d;
        value *= factor;
        if (factor - 1.0).abs() <= 2.0 * f64::EPSILON {
            return value;
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn known_values() {
        // Q(1, x) = e⁻ˣ; Q(2, x) = (1 + x)e⁻ˣ; P(½, x) = erf(√x).
        let close = |a: f64, b: f64| assert!((a - b).abs() <= 1e-13 * b.abs().max(1.0), "{a} {b}");
        for x in [1e-300, 1e-9, 0.1, 1.0, 1.9, 2.0, 30.0, 800.0, 1e5] {
            close(ln_tail(Tail::Upper, 1.0, x), -x);
            close(ln_tail(Tail::Upper, 2.0, x), x.ln_1p() - x);
        }
        close(ln_tail(Tail::Lower, 0.5, 1.0), 0.842_700_792_949_714_9_f64.ln());
        close(stirling_error(1.0), 1.0 - 0.5 * TAU.ln());
        close(stirling_error(0.5), 0.5 - 0.5 * LN_2);
    }

    #[test]
    fn ends_and_nonsense() {
        assert_eq!(ln_tail(Tail::Upper, 3.0, 0.0), 0.0);
        assert_eq!(ln_tail(Tail::Lower, 3.0, 0.0), f64::NEG_INFINITY);
        assert_eq!(ln_tail(Tail::Upper, 3.0, f64::INFINITY), f64::NEG_INFINITY);
        for (a, x) in [(0.0, 1.0), (-1.0, 1.0), (f64::NAN, 1.0), (1.0, -1.0), (1.0, f64::NAN), (f64::INFINITY, 1.0)] {
            assert!(ln_tail(Tail::Upper, a, x).is_nan(), "{a} {x}");
        }
    }
}

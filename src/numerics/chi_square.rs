//! The chi-square distribution in log space, central and noncentral.
//!
//! The sum of `mK` Leahy powers of white noise follows χ² with `2mK` degrees of freedom (Leahy et al. 1983,
//! doi:10.1086/160766); with a deterministic signal in it, the noncentral χ² (Groth 1975, doi:10.1086/190343).

use std::f64::consts::LN_10;

use super::gamma::{Tail, ln_tail, ln_term};
use super::gamma_inverse::inverse;

/// Log-survival function: `ln Q(dof/2, x/2)`, the probability that χ² exceeds `x ≥ 0`. NaN outside the domain.
///
/// ```
/// use eagleray::science::statistics::chi_square;
/// // Two degrees of freedom: exp(−x/2).
/// assert!((chi_square::ln_sf(2000.0, 2.0) + 1000.0).abs() < 1e-10);
/// ```
pub fn ln_sf(x: f64, dof: f64) -> f64 {
    ln_tail(Tail::Upper, 0.5 * dof, 0.5 * x)
}

/// Logarithm of the distribution function: `ln P(dof/2, x/2)`. NaN outside the domain.
pub fn ln_cdf(x: f64, dof: f64) -> f64 {
    ln_tail(Tail::Lower, 0.5 * dof, 0.5 * x)
}

/// Inverse of [`ln_sf`] in `x`; NaN unless `ln_p ≤ 0`.
pub fn ln_isf(ln_p: f64, dof: f64) -> f64 {
    2.0 * inverse(Tail::Upper, 0.5 * dof, ln_p)
}

/// Inverse of [`ln_cdf`] in `x`; NaN unless `ln_p ≤ 0`.
pub fn ln_ppf(ln_p: f64, dof: f64) -> f64 {
    2.0 * inverse(Tail::Lower, 0.5 * dof, ln_p)
}

/// Logarithm of the distribution function of the noncentral χ²: `ln Σ_j Pois(j; λ/2)·P(dof/2 + j, x/2)`, where `λ ≥ 0` is the
/// noncentrality (Johnson, Kotz & Balakrishnan 1995, equation 29.3). NaN outside the domain.
///
/// Summed from far above the mean of `j` downwards, where `P(a, x) = P(a + 1, x) + t(a, x)` only adds.
pub fn noncentral_ln_cdf(x: f64, dof: f64, noncentrality: f64) -> f64 {
    let (a, half, mean) = (0.5 * dof, 0.5 * x, 0.5 * noncentrality);
    if !(mean >= 0.0 && mean.is_finite()) {
        return f64::NAN;
    }
    let central = ln_tail(Tail::Lower, a, half);
    if mean == 0.0 || central.is_nan() || half == 0.0 || half.is_infinite() {
        return central;
    }
    // The terms above have a Poisson probability below 1e-30, and the smallest P.
    let mut j = (mean + 12.0 * mean.sqrt() + 40.0).floor();
    let mut weight = ln_term(j, mean).exp();
    let mut ln_scale = ln_tail(Tail::Lower, a + j, half);
    // P, t and the sum are in units of exp(ln_scale), which follows them as they grow and the weight as it vanishes.
    let (mut p, mut t) = (1.0, (ln_term(a + j, half) - ln_scale).exp());
    let mut sum = weight;
    while j > 0.0 {
        let before = weight * p;
        t *= (a + j) / half;
        p += t;
        weight *= j / mean;
        j -= 1.0;
        let term = weight * p;
        sum += term;
        // The ratio of successive terms falls on the way down, so the rest is less than a geometric series.
        if term < before && term * term < 1e-17 * sum * (before - term) {
            break;
        }
        if p > 1e100 {
            (p, t, sum, ln_scale) = (p * 1e-100, t * 1e-100, sum * 1e-100, ln_scale + 100.0 * LN_10);
        }
        if weight < 1e-100 {
            (weight, sum, ln_scale) = (weight * 1e100, sum * 1e100, ln_scale - 100.0 * LN_10);
        }
    }
    (ln_scale + sum.ln()).min(0.0)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn noncentral_is_the_mixture_written_out() {
        // Two degrees of freedom, λ = 3, x = 5: Σ e^{−1.5} 1.5^j/j!·P(1 + j, 2.5) with P(1 + j, y) = 1 − e^{−y} Σ_{i≤j} y^i/i!.
        let (mut weight, mut term, mut q, mut sum) = ((-1.5f64).exp(), (-2.5f64).exp(), (-2.5f64).exp(), 0.0);
        for j in 0..60 {
            sum += weight * (1.0 - q);
            weight *= 1.5 / f64::from(j + 1);
            term *= 2.5 / f64::from(j + 1);
            q += term;
        }
        assert!((noncentral_ln_cdf(5.0, 2.0, 3.0) - f64::ln(sum)).abs() < 1e-13);
        assert_eq!(noncentral_ln_cdf(5.0, 2.0, 0.0), ln_cdf(5.0, 2.0));
        assert_eq!(noncentral_ln_cdf(0.0, 2.0, 3.0), f64::NEG_INFINITY);
        for (x, dof, noncentrality) in [(-1.0, 2.0, 1.0), (1.0, 0.0, 1.0), (1.0, 2.0, -1.0), (1.0, 2.0, f64::NAN)] {
            assert!(noncentral_ln_cdf(x, dof, noncentrality).is_nan());
        }
    }

    #[test]
    fn noncentral_does_not_depend_on_its_scale() {
        // Far below the mean, where every factor underflows: x → 0 gives e^{−λ/2} of the central value.
        let far = noncentral_ln_cdf(1e-6, 4.0, 1e4);
        assert!((far - (ln_cdf(1e-6, 4.0) - 5e3)).abs() < 1e-2, "{far}");
        // Far above it, certainty.
        assert!(noncentral_ln_cdf(1e5, 4.0, 1e4) > -1e-13);
    }
}

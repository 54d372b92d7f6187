//! How significant a power is, which power would be, and how much signal may hide in one.
//!
//! All powers are Leahy-normalised: white noise has mean 2, and the average of `values` of them (m segments, K frequencies:
//! `values = mK`) is χ² with `2·values` degrees of freedom over `values` (Leahy et al. 1983, doi:10.1086/160766; van der Klis
//! 1989, in "Timing Neutron Stars"). That holds for many photons a segment, or many segments: a segment of N photons has
//! moments that differ by terms of order 1/N.

use super::average::AverageDistribution;
use crate::numerics::chi_square;
use crate::numerics::gamma::ln_one_minus_exp;
use crate::numerics::root::decreasing_root;

/// Logarithm of the probability that at least one of `trials` independent ones of probability `exp(ln_p)` succeeds:
/// `ln(1 − (1 − p)ⁿ)`, to full precision for p far below what f64 holds.
///
/// ```
/// use eagleray::science::statistics::detection;
/// assert!((detection::ln_any(-1000.0, 1e6) - (-1000.0 + 1e6f64.ln())).abs() < 1e-12);
/// assert!((detection::ln_any(0.5f64.ln(), 2.0) - 0.75f64.ln()).abs() < 1e-15);
/// ```
pub fn ln_any(ln_p: f64, trials: f64) -> f64 {
    let sum = ln_p + trials.ln();
    // Below, the next term, np/2, is less than half of the last digit.
    if sum < -37.0 { sum } else { ln_one_minus_exp(trials * (-ln_p.exp()).ln_1p()) }
}

/// Inverse of [`ln_any`] in `ln_p`: the probability each of `trials` may have.
pub fn ln_each(ln_any: f64, trials: f64) -> f64 {
    if ln_any < -37.0 { ln_any - trials.ln() } else { ln_one_minus_exp((-ln_any.exp()).ln_1p() / trials) }
}

/// Logarithm of the probability that white noise reaches `power`, an average of `values`, in at least one of `trials`.
///
/// ```
/// use eagleray::science::statistics::detection;
/// // One power of one segment: exp(−P/2).
/// assert!((detection::ln_false_alarm(40.0, 1, 1.0) + 20.0).abs() < 1e-13);
/// ```
pub fn ln_false_alarm(power: f64, values: u64, trials: f64) -> f64 {
    let values = values as f64;
    ln_any(chi_square::ln_sf(power * values, 2.0 * values), trials)
}

/// The power that white noise reaches in any of `trials` with the probability `exp(ln_false_alarm)`: [`ln_false_alarm`]
/// solved for the power.
///
/// ```
/// use eagleray::science::statistics::detection;
/// let level = detection::detection_power(0.01f64.ln(), 54, 8191.0);
/// assert!((detection::ln_false_alarm(level, 54, 8191.0) - 0.01f64.ln()).abs() < 1e-12);
/// ```
pub fn detection_power(ln_false_alarm: f64, values: u64, trials: f64) -> f64 {
    let values = values as f64;
    chi_square::ln_isf(ln_each(ln_false_alarm, trials), 2.0 * values) / values
}

/// Upper limit of the power of a deterministic signal where `power` was observed: the signal power, above the noise of 2, with
/// which the observed power would be exceeded with probability `confidence` (Groth 1975, doi:10.1086/190343; Vaughan et al. 1994,
/// ApJ 435, 362). The average of `values` is noncentral χ² with noncentrality `values·signal`.
///
/// 0 where even pure noise exceeds `power` more often: such a power excludes every signal at that confidence, and says that
/// the noise was low rather than that there is none. NaN outside the domain (`power > 0`, `0 < confidence < 1`).
pub fn signal_upper_limit(power: f64, values: u64, confidence: f64) -> f64 {
    if values > 0 { signal_limit(power, &AverageDistribution::equal(values as f64), confidence) } else { f64::NAN }
}

/// [`signal_upper_limit`] of an average in which segments may have unequal weights.
pub(crate) fn signal_limit(power: f64, average: &AverageDistribution, confidence: f64) -> f64 {
    let ln_below = (-confidence).ln_1p();
    if !(power > 0.0 && power.is_finite() && ln_below < 0.0 && ln_below.is_finite()) {
        return f64::NAN;
    }
    let excess = |signal: f64| average.ln_cdf(power, signal) - ln_below;
    if excess(0.0) <= 0.0 {
        return 0.0;
    }
    let mut above = power;
    while excess(above) > 0.0 {
        above *= 2.0;
    }
    decreasing_root(excess, 0.0, above)
}

/// The most panels of the half bin over which [`sinusoid_limit`] averages, of four points each.
const MOST_PANELS: f64 = 32.0;

/// Limit of the power of a sinusoid, above the noise of 2, where its frequency may be anywhere in the frequency bin of `power`:
/// the power `S` it would have at the centre of the bin, such that the observed one is exceeded with probability `confidence`,
///
/// ```text
/// ∫ F(values·power; 2·values, values·S·sinc²(πx)) dx = 1 − confidence,        |x| < ½
/// ```
///
/// with `F` the distribution function of the noncentral χ². [`signal_upper_limit`] divided by the mean loss of 0.774, as Vaughan
/// et al. (1994, ApJ 435, 362) have it, covers less than said: half of all signals lose more than the mean. Upper limits have a
/// `confidence` near 1, lower ones near 0; ½ gives the median estimate. The probability is right to 1e-3 where the offset alone decides,
/// and else to 1e-6. NaN outside the domain, 0 as for [`signal_upper_limit`].
pub fn sinusoid_limit(power: f64, values: u64, confidence: f64) -> f64 {
    if values > 0 { sinusoid_limit_of(power, &AverageDistribution::equal(values as f64), confidence) } else { f64::NAN }
}

/// [`sinusoid_limit`] of an average in which segments may have unequal weights.
pub(crate) fn sinusoid_limit_of(power: f64, average: &AverageDistribution, confidence: f64) -> f64 {
    // Gauss & Legendre's points and weights on (−1, 1).
    const POINTS: [(f64, f64); 4] = [
        (-0.861_136_311_594_052_6, 0.347_854_845_137_453_9),
        (-0.339_981_043_584_856_3, 0.652_145_154_862_546_1),
        (0.339_981_043_584_856_3, 0.652_145_154_862_546_1),
        (0.861_136_311_594_052_6, 0.347_854_845_137_453_9),
    ];
    let at_the_centre = signal_limit(power, average, confidence);
    // NaN must go the same way.
    if at_the_centre.is_nan() || at_the_centre == 0.0 {
        return at_the_centre;
    }
    let v = average.values();
    // Two panels for what one standard deviation of the power is of the loss, as far as there are so many.
    let deviation = ((4.0 + 4.0 * at_the_centre) / v).sqrt();
    let panels = (1.2 * at_the_centre / deviation).ceil().clamp(2.0, MOST_PANELS);
    let losses: Vec<(f64, f64)> = (0..panels as u32)
        .flat_map(|i| POINTS.map(|(x, w)| (0.5 * (f64::from(i) + 0.5 * (1.0 + x)) / panels, 0.5 * w / panels)))
        .map(|(x, w)| (super::pulsed::binning_loss(x, 1.0), w))
        .collect();
    let mean = |signal: f64| -> f64 {
        let below = |loss: f64| average.ln_cdf(power, signal * loss).exp();
        losses.iter().map(|&(loss, weight)| weight * below(loss)).sum()
    };
    // At the edge of a bin 0.405 of the power is left.
    decreasing_root(|signal| mean(signal) - (1.0 - confidence), at_the_centre, 2.5 * at_the_centre)
}

/// Factors that bound the true power around an averaged one of `values`, each end transgressed with probability
/// `(1 − confidence)/2`: `2·values/χ²` at the two quantiles of χ² with `2·values` degrees of freedom.
///
/// The average is the true power times χ² over its degrees of freedom for noise of any colour that is smooth over the bin, so
/// the interval is exact where `P/√values` is not.
///
/// ```
/// use eagleray::science::statistics::detection;
/// let (lo, hi) = detection::interval_factors(1, 0.9);
/// // One value: −1/ln p.
/// assert!((lo + 1.0 / 0.05f64.ln()).abs() < 1e-14 && (hi + 1.0 / 0.95f64.ln()).abs() < 1e-11);
/// ```
pub fn interval_factors(values: u64, confidence: f64) -> (f64, f64) {
    interval_of(&AverageDistribution::equal(values as f64), confidence)
}

/// [`interval_factors`] of an average in which segments may have unequal weights.
pub(crate) fn interval_of(average: &AverageDistribution, confidence: f64) -> (f64, f64) {
    let ln_p = (0.5 * (1.0 - confidence)).ln();
    (2.0 / average.ln_isf(ln_p), 2.0 / average.ln_ppf(ln_p))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn trials_and_their_inverse() {
        for trials in [1.0, 2.0, 8191.0, 1e12] {
            for ln_p in [-0.01, -0.7, -5.0, -36.9, -37.1, -800.0, -1e5] {
                let each = ln_each(ln_p, trials);
                let back = ln_any(each, trials);
                assert!((back - ln_p).abs() <= 1e-14 * ln_p.abs().max(1.0) * 10.0, "{trials} {ln_p} {back}");
            }
        }
        // A thousand trials of 1e-3: 1 − 0.999¹⁰⁰⁰.
        assert!((ln_any(1e-3f64.ln(), 1e3).exp() - (1.0 - 0.999f64.powi(1000))).abs() < 1e-12);
    }

    #[test]
    fn levels_are_those_of_the_textbook() {
        // van der Klis 1989: one spectrum, 99 %, 1024 trials: −2·ln(0.01/1024) = 23.07, and exactly with the trials' product.
        let exact = -2.0 * (1.0 - 0.99f64.powf(1.0 / 1024.0)).ln();
        assert!((detection_power(0.01f64.ln(), 1, 1024.0) - exact).abs() < 1e-11);
        // Many values: Gaussian around 2 with standard deviation 2/√values.
        let gaussian = 2.0 + 2.0 * 3.0 / 1e4;
        assert!((detection_power(crate::numerics::normal::ln_sf(3.0), 100_000_000, 1.0) - gaussian).abs() < 2e-7);
    }

    #[test]
    fn upper_limits_exceed_what_was_observed_as_often_as_said() {
        for (power, values, confidence) in [(2.0, 1, 0.9), (12.8, 1, 0.99), (2.1, 400, 0.9), (2.0, 100_000, 0.999)] {
            let limit = signal_upper_limit(power, values, confidence);
            let v = values as f64;
            let below = chi_square::noncentral_ln_cdf(power * v, 2.0 * v, limit * v).exp();
            assert!((below - (1.0 - confidence)).abs() < 1e-11, "{power} {values}: {limit} {below}");
        }
        // Many values: observed + z·σ − 2 with the variance of the noncentral χ², (4 + 4·signal)/values.
        let limit = signal_upper_limit(2.0, 1_000_000, 0.975);
        let gaussian = 1.959964 * ((4.0 + 4.0 * limit) / 1e6).sqrt();
        assert!((limit / gaussian - 1.0).abs() < 2e-3, "{limit} {gaussian}");
        // Too little even for noise.
        assert_eq!(signal_upper_limit(0.01, 1, 0.99), 0.0);
        for (power, values, confidence) in
            [(0.0, 1, 0.9), (f64::NAN, 1, 0.9), (2.0, 0, 0.9), (2.0, 1, 1.0), (2.0, 1, 0.0)]
        {
            assert!(signal_upper_limit(power, values, confidence).is_nan());
        }
    }

    #[test]
    fn the_limit_of_a_sinusoid_averages_over_its_offset() {
        for (power, values, confidence) in
            [(2.0, 1, 0.95), (40.0, 1, 0.95), (12.8, 54, 0.1587), (12.8, 54, 0.5), (300.0, 400, 0.95)]
        {
            let v = values as f64;
            let limit = sinusoid_limit(power, values, confidence);
            let n = 20_000;
            let below = |i: i32| {
                let loss =
                    crate::science::statistics::pulsed::binning_loss((f64::from(i) + 0.5) / f64::from(2 * n), 1.0);
                chi_square::noncentral_ln_cdf(power * v, 2.0 * v, limit * loss * v).exp()
            };
            let mean = (0..n).map(below).sum::<f64>() / f64::from(n);
            assert!((mean - (1.0 - confidence)).abs() < 1e-3, "{power} {values}: {limit} {mean}");
            let centre = signal_upper_limit(power, values, confidence);
            assert!(limit > centre && limit < 2.5 * centre, "{limit} {centre}");
        }
        assert_eq!(sinusoid_limit(0.01, 1, 0.99), 0.0);
        assert!(sinusoid_limit(f64::NAN, 1, 0.9).is_nan());
    }

    #[test]
    fn intervals_tend_to_the_gaussian_ones() {
        let (lo, hi) = interval_factors(1_000_000, 0.6826894921370859);
        assert!((lo - 0.999).abs() < 2e-6 && (hi - 1.001).abs() < 2e-6, "{lo} {hi}");
    }
}

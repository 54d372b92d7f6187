//! Powers tested against a noise level that is itself known with an error.

use super::power::AveragedPowerSpectrum;
use super::statistics::average::AverageDistribution;
use super::statistics::detection::ln_any;
use crate::numerics::gamma::stirling_error;
use crate::numerics::root::{decreasing_root, minimum};

/// Relative errors of the level below this change nothing.
const SMALL_ERROR: f64 = 1e-6;
/// What a probability falls by, as a logarithm, where the rest of an integral does not matter.
const NEGLIGIBLE: f64 = 40.0;

/// What noise does in the bins of a spectrum. A level that was fitted is an average of powers, too: it is gamma distributed about the true one, and as it is the
/// same at all frequencies, what is tested is not their number of independent ratios: the probability of any is averaged over the level,
/// `∫ [1 − (1 − p(P/L))ⁿ] g(L) dL`. One frequency of equal weights has Fisher's F distribution.
#[derive(Clone, Copy, Debug)]
pub(crate) struct NoiseTest {
    /// Of one frequency.
    one: AverageDistribution,
    /// Shape of the distribution of the level; `None` where that is known.
    level_shape: Option<f64>,
}

impl AveragedPowerSpectrum {
    /// The test of its powers.
    pub(crate) fn noise_test(&self) -> NoiseTest {
        let relative = self.meta.noise_mean_err / self.meta.noise_mean;
        let level_shape = (relative > SMALL_ERROR).then(|| relative.powi(-2));
        NoiseTest { one: self.meta.effective.distribution(), level_shape }
    }

    /// How many of equal weight so many values of a bin are worth.
    pub(crate) fn worth(&self, values: u64) -> f64 {
        self.frequencies_of(values) * self.meta.effective.m_eff
    }

    /// Original frequencies that the values of a bin are worth: not a whole number for tapers.
    pub(crate) fn frequencies_of(&self, values: u64) -> f64 {
        values as f64 / self.meta.segments as f64
    }
}

impl NoiseTest {
    /// The distribution of averages of `k` frequencies.
    pub fn distribution(&self, k: f64) -> AverageDistribution {
        self.one.of_frequencies(k)
    }

    /// Logarithm of the probability that white noise reaches `power`, an average of `k` frequencies whose noise level is taken to be 2, in at least one of
    /// `trials`.
    pub fn ln_false_alarm(&self, power: f64, k: f64, trials: f64) -> f64 {
        let distribution = self.distribution(k);
        let any = |power: f64| ln_any(distribution.ln_sf(power), trials);
        let Some(shape) = self.level_shape else { return any(power) };
        if power.is_nan() {
            return f64::NAN;
        }
        // The density of the logarithm u of the level over the true one.
        let norm = 0.5 * (shape / std::f64::consts::TAU).ln() - stirling_error(shape);
        let density = |u: f64| norm - shape * (u.exp_m1() - u);
        let integrand = |u: f64| any(power * u.exp()) + density(u);
        let top = minimum(-20.0 / shape.sqrt() - 20.0, 20.0 / shape.sqrt(), |u| -integrand(u));
        let peak = integrand(top);
        // Below the peak by one half: about one standard deviation.
        let drop = |u: f64| integrand(u) - (peak - 0.5);
        let mut far = 1.0 / shape.sqrt();
        while drop(top + far) > 0.0 {
            far *= 2.0;
        }
        let step = 0.25 * (decreasing_root(drop, top, top + far) - top);
        let mut sum = 1.0;
        for side in [-step, step] {
            let mut u = top + side;
            loop {
                let value = integrand(u) - peak;
                // Not a number: beyond what the law can tell.
                if value.is_nan() || value < -NEGLIGIBLE {
                    break;
                }
                sum += value.exp();
                u += side;
            }
        }
        (peak + (sum * step).ln()).min(0.0)
    }

    /// The power of which [`NoiseTest::ln_false_alarm`] is `ln_p`.
    pub fn detection_power(&self, ln_p: f64, k: f64, trials: f64) -> f64 {
        let level = self.distribution(k).ln_isf(super::statistics::detection::ln_each(ln_p, trials));
        if self.level_shape.is_none() || !level.is_finite() {
            return level;
        }
        let excess = |power: f64| self.ln_false_alarm(power, k, trials) - ln_p;
        let (mut lo, mut hi) = (0.5 * level, level);
        while excess(hi) > 0.0 {
            (lo, hi) = (hi, 2.0 * hi);
        }
        while excess(lo) <= 0.0 {
            (lo, hi) = (0.5 * lo, lo);
        }
        decreasing_root(excess, lo, hi)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::base::random::Random;
    use crate::numerics::beta;

    fn test(m: f64, level_shape: Option<f64>) -> NoiseTest {
        NoiseTest { one: AverageDistribution::equal(m), level_shape }
    }

    /// The ratio of two averages has Fisher's F distribution: `P(F > x) = I(b/(b + a·x); b, a)` of 2a and 2b degrees of freedom.
    #[test]
    fn one_frequency_over_a_fitted_level_is_fishers_f() {
        for (m, shape) in [(10.0, 80.0), (1.0, 1.0), (54.0, 5.0), (1.0, 1000.0), (300.0, 3e6)] {
            for power in [0.1, 1.5, 2.0, 3.0, 8.0, 40.0] {
                let got = test(m, Some(shape)).ln_false_alarm(power, 1.0, 1.0);
                let x = 0.5 * power;
                let sum = shape + m * x;
                let expected = beta::ln_cdf([shape / sum, m * x / sum], shape, m);
                assert!(
                    (got - expected).abs() < 1e-6 * (1.0 + expected.abs()),
                    "{m} {shape} {power}: {got} {expected}"
                );
            }
        }
    }

    /// 8 frequencies of 10 segments, the level their mean of 8 others: as many false alarms as said, 11 % of which were 5 %.
    #[test]
    fn levels_fitted_to_few_frequencies_keep_the_rate_of_false_alarms() {
        let (m, trials, fitted) = (10, 8, 8);
        let test = test(f64::from(m), Some(f64::from(m * fitted)));
        let level = test.detection_power(0.05f64.ln(), 1.0, f64::from(trials));
        assert!((test.ln_false_alarm(level, 1.0, f64::from(trials)) - 0.05f64.ln()).abs() < 1e-9);
        let mut random = Random::new(21);
        let runs = 20_000;
        let mut average = || (0..m).map(|_| random.exponential()).sum::<f64>() / f64::from(m);
        let mut alarm = || {
            let noise = (0..fitted).map(|_| average()).sum::<f64>() / f64::from(fitted);
            (0..trials).map(|_| average()).fold(0.0, f64::max) > 0.5 * level * noise
        };
        let alarms = f64::from((0..runs).map(|_| u32::from(alarm())).sum::<u32>()) / f64::from(runs);
        assert!((alarms - 0.05).abs() < 4.0 * (0.05f64 * 0.95 / f64::from(runs)).sqrt(), "{alarms}");
    }
}

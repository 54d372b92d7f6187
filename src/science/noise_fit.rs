//! Whether a noise level fits the powers at high frequencies, where as a rule there is noise alone.

use super::dead_time::noise::NoiseLevels;
use crate::base::mend::Mend;
use crate::base::warning::Warning;

/// Standard errors that a level must be off.
const OFF: f64 = 4.0;
/// Standard errors of which nobody counts more.
const MANY_ERRORS: f64 = 1000.0;
/// Fewer values than this have no normal mean.
const FEW_VALUES: f64 = 30.0;

/// What powers say of their noise level.
pub(super) struct NoiseFit<'a> {
    /// Powers at all original frequencies, and their levels, in one normalisation.
    pub power: &'a [f64],
    pub noise: &'a NoiseLevels,
    /// Effective number of segments.
    pub m_eff: f64,
    /// Resolution of frequencies, Hz.
    pub df: f64,
}

/// Mean excess over the level, and its standard error.
#[derive(Clone, Copy)]
struct Excess {
    mean: f64,
    err: f64,
}

impl NoiseFit<'_> {
    /// The warning that the level does not fit the upper half of the frequencies; `whose` powers, where there are several. Powers below it are always told; those above
    /// it where both quarters of the frequencies have as much, because otherwise it is the source that varies.
    pub fn warning(&self, whose: &str) -> Option<Warning> {
        let count = self.power.len();
        let level = self.noise.level.mean_of(count / 2..count.max(1));
        let few = self.m_eff * (count - count / 2) as f64 <= FEW_VALUES;
        if count < 8 || few || !(level > 0.0 && level.is_finite()) {
            return None;
        }
        let half = self.excess(count / 2, count);
        let quarters = [self.excess(count / 2, count * 3 / 4), self.excess(count * 3 / 4, count)];
        let white = quarters.iter().all(|q| (0.9..1.1).contains(&(q.mean / half.mean)) && q.mean > 0.5 * OFF * q.err);
        let sigmas = half.mean / half.err;
        if !(sigmas < -OFF || sigmas > OFF && white) {
            return None;
        }
        let (side, why) = match sigmas < 0.0 {
            true => ("below", "dead time, or events that depend on each other, take noise away"),
            false => ("above", "there is more noise than the level has, or the source varies there"),
        };
        let far = if sigmas.abs() < MANY_ERRORS {
            format!("{:.1}", sigmas.abs())
        } else {
            format!("more than {MANY_ERRORS}")
        };
        let message = format!(
            "from {:.4} Hz on, powers{whose} are {:.4} of their noise level on average, {far} standard errors {side} it: {why}; what is left after it \
             is subtracted is not that of the source",
            (count / 2 + 1) as f64 * self.df,
            1.0 + half.mean / level,
        );
        let mends = [
            Mend::field("noise").doing("a level of frequencies where the source does not vary"),
            Mend::field("dead_time").doing("models the level"),
        ];
        Some(Warning::new("W-NOISE-LEVEL", message).mended_by(mends))
    }

    fn excess(&self, from: usize, to: usize) -> Excess {
        let (width, level) = ((to - from) as f64, self.noise.level.mean_of(from..to));
        let (sum, squares) = self.power[from..to].iter().fold((0.0, 0.0), |(s, q), p| (s + p, q + p * p));
        let of_powers = (squares / self.m_eff).sqrt() / width;
        Excess { mean: sum / width - level, err: of_powers.hypot(self.noise.err.mean_of(from..to)) }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::base::random::Random;
    use crate::science::dead_time::noise::ByFrequency;

    fn told(factor: impl Fn(usize) -> f64) -> Option<String> {
        let mut random = Random::new(3);
        let one = |k: usize, random: &mut Random| factor(k) * (0..50).map(|_| random.exponential()).sum::<f64>() / 25.0;
        let power: Vec<f64> = (0..800).map(|k| one(k, &mut random)).collect();
        let (level, err) = (ByFrequency::Same(2.0), ByFrequency::Same(0.0));
        let noise = NoiseLevels { level, err, dead_time: None };
        NoiseFit { power: &power, noise: &noise, m_eff: 50.0, df: 0.25 }.warning("").map(|w| w.to_string())
    }

    #[test]
    fn levels_that_do_not_fit_are_told_and_sources_are_not() {
        assert_eq!(told(|_| 1.0), None);
        let low = told(|_| 0.9).unwrap();
        assert!(low.contains("from 100.2500 Hz on, powers are 0.89") && low.contains("below it"), "{low}");
        assert!(told(|_| 1.2).unwrap().contains("above it"));
        let none = told(|_| 1e-30).unwrap();
        assert!(none.contains("more than 1000 standard errors below it"), "{none}");
        // Red noise, a broad QPO and a pulsation in the upper half are of the source.
        assert_eq!(told(|k| 1.0 + 3000.0 / (k + 1) as f64), None);
        assert_eq!(told(|k| 1.0 + 8.0 / (1.0 + ((k as f64 - 450.0) / 20.0).powi(2))), None);
        assert_eq!(told(|k| if k == 700 { 1000.0 } else { 1.0 }), None);
    }
}

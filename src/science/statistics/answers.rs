//! Answers to the questions that are asked of one number: each with the other numbers that belong to it.

use std::f64::consts::LN_10;

use serde::Serialize;

use super::{detection, normal, poisson, pulsed};
use crate::base::error::{Error, Result};

/// Probabilities of exceeding one standard deviation, and minus one.
const ONE_SIGMA: [f64; 2] = [0.158_655_253_931_457_05, 0.841_344_746_068_542_9];

/// The most values in an average: whole numbers up to this are exact.
const MOST_VALUES: u64 = 1 << 53;

/// Segments and frequencies averaged in a power.
#[derive(Clone, Copy, Debug)]
pub struct Averages {
    values: u64,
    k: u64,
}

impl Averages {
    /// `m` segments and `k` frequencies.
    ///
    /// # Errors
    /// One of them is 0, or they are more than 2^53 values.
    pub fn new(m: u64, k: u64) -> Result<Averages> {
        for (field, count) in [("m", m), ("k", k)] {
            if count == 0 {
                return Err(Error::argument(field, count, "must be 1 at least"));
            }
        }
        let values = m.checked_mul(k).filter(|values| *values <= MOST_VALUES);
        let too_many = || Error::argument("m", m, format!("with K = {k} that is more than {MOST_VALUES} values"));
        values.map(|values| Averages { values, k }).ok_or_else(too_many)
    }
}

/// How likely it is that white noise reaches a power.
#[derive(Clone, Copy, Debug, Serialize)]
#[non_exhaustive]
pub struct PowerProbability {
    /// Decimal logarithm of the probability in all trials.
    pub log10_p: f64,
    /// Decimal logarithm of the probability in one trial.
    pub log10_p_one_trial: f64,
    /// The probability in all trials; 0 where it is below the smallest number.
    pub p: f64,
    /// Standard deviations of a normal distribution that are exceeded as rarely.
    pub sigma: f64,
}

impl PowerProbability {
    /// Of a Leahy power, the noise of 2 included, in so many trials; see [`detection::ln_false_alarm`].
    pub fn new(power: f64, averaged: Averages, trials: f64) -> PowerProbability {
        let one = detection::ln_false_alarm(power, averaged.values, 1.0);
        let all = detection::ln_any(one, trials);
        PowerProbability {
            log10_p: all / LN_10,
            log10_p_one_trial: one / LN_10,
            p: all.exp(),
            sigma: normal::ln_isf(all),
        }
    }
}

/// The power that white noise reaches with some probability.
#[derive(Clone, Copy, Debug, Serialize)]
#[non_exhaustive]
pub struct DetectionPower {
    /// Leahy power, the noise of 2 included.
    pub power: f64,
    /// Decimal logarithm of the probability in all trials.
    pub log10_p: f64,
    /// Decimal logarithm of the probability in one trial.
    pub log10_p_one_trial: f64,
}

impl DetectionPower {
    /// Of a probability in so many trials, as its natural logarithm; see [`detection::detection_power`].
    ///
    /// # Errors
    /// The probability is not below 1.
    pub fn new(ln_p: f64, averaged: Averages, trials: f64) -> Result<DetectionPower> {
        if ln_p >= 0.0 {
            return Err(Error::argument("log10_p", ln_p / LN_10, "must be below 0"));
        }
        Ok(DetectionPower {
            power: detection::detection_power(ln_p, averaged.values, trials),
            log10_p: ln_p / LN_10,
            log10_p_one_trial: detection::ln_each(ln_p, trials) / LN_10,
        })
    }
}

/// A sinusoid in averaged segments: what its power and its pulsed fraction depend on.
#[derive(Clone, Copy, Debug)]
pub struct Sinusoid {
    /// Photons in a segment.
    pub photons: f64,
    /// What is averaged.
    pub averaged: Averages,
    /// Frequency, Hz, and bin width, s, for the loss by bins; `None` for none.
    pub bins: Option<(f64, f64)>,
    /// The frequency is that of the bin's centre; else it may be anywhere in the bin.
    pub centred: bool,
    /// Part of the photons that are background.
    pub background: f64,
}

/// The power that a pulsed fraction makes.
#[derive(Clone, Copy, Debug, Serialize)]
#[non_exhaustive]
pub struct SinusoidPower {
    /// Leahy power above the noise, averaged over the frequencies.
    pub signal_power: f64,
    /// Fractional rms.
    pub rms: f64,
    /// Pulsed fraction of the source's own photons.
    pub source_fraction: f64,
    /// Part of the power that bins leave.
    pub binning_loss: f64,
    /// Part of the power that the offset from the bin's centre leaves.
    pub offset_loss: f64,
}

/// The pulsed fraction that a power tells of.
#[derive(Clone, Copy, Debug, Serialize)]
#[non_exhaustive]
pub struct SinusoidFraction {
    /// Pulsed fraction of all photons, `(max − min)/(max + min)`: the median.
    pub fraction: f64,
    /// Lower end of the interval of one standard deviation.
    pub fraction_lo: f64,
    /// Upper end of it.
    pub fraction_hi: f64,
    /// Upper limit.
    pub upper_limit: f64,
    /// Confidence of the limit.
    pub confidence: f64,
    /// Fractional rms.
    pub rms: f64,
    /// Pulsed fraction of the source's own photons.
    pub source_fraction: f64,
    /// Its upper limit.
    pub source_upper_limit: f64,
    /// Part of the power that bins leave.
    pub binning_loss: f64,
    /// Decimal logarithm of the probability that noise reaches the power in one trial.
    pub log10_p_one_trial: f64,
}

impl Sinusoid {
    fn source(&self, amplitude: f64) -> Result<f64> {
        if self.background >= 1.0 {
            return Err(Error::argument("background", self.background, "must be a part of all photons, below 1"));
        }
        Ok(pulsed::source_fraction(amplitude, 1.0, self.background))
    }

    fn binning_loss(&self) -> f64 {
        self.bins.map_or(1.0, |(freq, dt)| pulsed::binning_loss(freq, dt))
    }

    /// The power of a pulsed fraction; see [`pulsed`].
    ///
    /// # Errors
    /// No photon is the source's.
    pub fn power(&self, fraction: f64) -> Result<SinusoidPower> {
        let offset = if self.centred { 1.0 } else { pulsed::MEAN_OFFSET_LOSS };
        let loss = self.binning_loss();
        Ok(SinusoidPower {
            signal_power: pulsed::power(fraction, self.photons, loss * offset) / self.averaged.k as f64,
            rms: pulsed::rms(fraction),
            source_fraction: self.source(fraction)?,
            binning_loss: loss,
            offset_loss: offset,
        })
    }

    /// The pulsed fraction of a Leahy power, the noise of 2 included, and its upper limit of some confidence.
    ///
    /// # Errors
    /// No photon is the source's.
    pub fn fraction(&self, power: f64, confidence: f64) -> Result<SinusoidFraction> {
        let limit = if self.centred { detection::signal_upper_limit } else { detection::sinusoid_limit };
        let (values, k, loss) = (self.averaged.values, self.averaged.k as f64, self.binning_loss());
        // The signal is in one of K averaged frequencies.
        let fraction = |confidence: f64| pulsed::amplitude(k * limit(power, values, confidence), self.photons, loss);
        let (middle, upper_limit) = (fraction(0.5), fraction(confidence));
        Ok(SinusoidFraction {
            fraction: middle,
            fraction_lo: fraction(ONE_SIGMA[0]),
            fraction_hi: fraction(ONE_SIGMA[1]),
            upper_limit,
            confidence,
            rms: pulsed::rms(middle),
            source_fraction: self.source(middle)?,
            source_upper_limit: self.source(upper_limit)?,
            binning_loss: loss,
            log10_p_one_trial: detection::ln_false_alarm(power, values, 1.0) / LN_10,
        })
    }
}

/// Limits of the mean that led to counts (Gehrels 1986, doi:10.1086/164079).
#[derive(Clone, Copy, Debug, Serialize)]
#[non_exhaustive]
pub struct PoissonLimits {
    /// Lower limit of the mean.
    pub lower: f64,
    /// Upper limit of the mean.
    pub upper: f64,
    /// From the lower limit to the counts.
    pub error_lower: f64,
    /// From the counts to the upper limit.
    pub error_upper: f64,
    /// One error for both sides.
    pub symmetrical_error: f64,
    /// Decimal logarithm of the probability that a limit is transgressed.
    pub log10_p_outside: f64,
}

impl PoissonLimits {
    /// Each limit is transgressed with the probability of exceeding so many standard deviations.
    pub fn new(counts: u64, sigma: f64) -> PoissonLimits {
        let (lower, upper) = poisson::limits(counts, sigma);
        PoissonLimits {
            lower,
            upper,
            error_lower: counts as f64 - lower,
            error_upper: upper - counts as f64,
            symmetrical_error: poisson::symmetrical_error(counts),
            log10_p_outside: normal::ln_sf(sigma) / LN_10,
        }
    }
}

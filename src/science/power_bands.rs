//! Results of a power spectrum for a frequency band: rms, and limit of the pulsed fraction.

use serde::{Deserialize, Deserializer, Serialize};

/// Confidence of upper limits.
pub const LIMIT_CONFIDENCE: f64 = 0.95;

/// The rms of the source in a frequency band; formulas are in [`rms`](super::rms).
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[non_exhaustive]
pub struct BandRms {
    /// Lowest and highest frequency integrated, Hz: the band asked for as far as the spectrum covers it.
    #[serde(rename = "rms_band")]
    pub band: [f64; 2],
    /// Fractional rms; `None` if the variance is not positive. With the common mean segments count by the squares of their rates.
    pub rms: Option<f64>,
    /// Standard error of `rms`.
    pub rms_err: Option<f64>,
    /// Rms in counts/s: `rms·(r − r_b)`, with the rate `r` and the background rate `r_b`.
    pub rms_abs: Option<f64>,
    /// Upper limit of the fractional rms at [`LIMIT_CONFIDENCE`], if the variance is within three standard errors of 0. One that is further below says that the noise
    /// level does not fit, and limits nothing.
    pub rms_upper_limit: Option<f64>,
    /// Integral of power minus noise over the band, fractional (no unit); negative if noise fluctuates.
    pub rms_variance: f64,
    /// Standard error of `rms_variance`.
    pub rms_variance_err: f64,
}

/// JSON has no NaN, but null.
fn number_or_nan<'de, D: Deserializer<'de>>(from: D) -> Result<f64, D::Error> {
    Ok(Option::deserialize(from)?.unwrap_or(f64::NAN))
}

impl std::fmt::Display for BandRms {
    /// `21.09 ± 0.83 %`, or the upper limit.
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match (self.rms, self.rms_err, self.rms_upper_limit) {
            (Some(rms), Some(error), None) => write!(f, "{:.2} ± {:.2} %", 100.0 * rms, 100.0 * error),
            (_, _, Some(limit)) => write!(f, "below {:.2} % ({} %)", 100.0 * limit, 100.0 * LIMIT_CONFIDENCE),
            _ if self.rms_variance < 0.0 => write!(
                f,
                "none: a variance of {:.3e} ± {:.3e}, whose noise level does not fit",
                self.rms_variance, self.rms_variance_err
            ),
            _ => write!(f, "a variance of {:.3e} ± {:.3e}", self.rms_variance, self.rms_variance_err),
        }
    }
}

/// The most significant power in a frequency band, the upper limit of the pulsed fraction that follows for a sinusoid,
/// and, if the power is a detection, the pulsed fraction itself. See [`pulsed_limit`](super::pulsed_limit).
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[non_exhaustive]
pub struct PulsationLimit {
    /// Lowest and highest frequency of the bins used, Hz: the band asked for as far as the spectrum covers it.
    #[serde(rename = "pulsed_band")]
    pub band: [f64; 2],
    /// Frequency of the most significant power in the band, Hz.
    #[serde(rename = "pulsed_freq")]
    pub freq: f64,
    /// The most significant power, Leahy-normalised, noise included.
    #[serde(rename = "pulsed_leahy_power")]
    pub leahy_power: f64,
    /// Decimal logarithm of the probability that white noise reaches `leahy_power` at any frequency of the band.
    #[serde(rename = "pulsed_log10_p")]
    pub log10_p: f64,
    /// Number of frequencies in the band.
    #[serde(rename = "pulsed_trials")]
    pub trials: u64,
    /// Upper limit of the pulsed fraction of a sinusoid anywhere in the band, at [`CONFIDENCE`](super::pulsed_limit::CONFIDENCE); NaN where the powers of the band are more
    /// than three standard errors below their noise level, which then does not fit.
    #[serde(rename = "pulsed_upper_limit", deserialize_with = "number_or_nan")]
    pub upper_limit: f64,
    /// Fraction of the power of a signal that bins of `dt` leave at the highest frequency of the band.
    #[serde(rename = "pulsed_binning_loss")]
    pub binning_loss: f64,
    /// What the fractions and the limit are corrected for, in words.
    #[serde(rename = "pulsed_corrections")]
    pub corrections: String,
    /// Pulsed fraction (median estimate) if the power is a detection.
    #[serde(rename = "pulsed_fraction")]
    pub fraction: Option<f64>,
    /// Lower end of the 68.27 % interval of `fraction`.
    #[serde(rename = "pulsed_fraction_lo")]
    pub fraction_lo: Option<f64>,
    /// Upper end of the 68.27 % interval of `fraction`.
    #[serde(rename = "pulsed_fraction_hi")]
    pub fraction_hi: Option<f64>,
}

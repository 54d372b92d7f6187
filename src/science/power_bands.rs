//! What a power spectrum says of a band of frequencies.

use serde::Serialize;

/// The rms in a band; see [`rms`](super::rms) for formulas.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct BandRms {
    /// Frequencies that the spectrum has of the band asked for, Hz.
    #[serde(rename = "rms_band")]
    pub band: [f64; 2],
    /// Fractional rms; `None` where the variance is not positive.
    pub rms: Option<f64>,
    /// Its standard error.
    pub rms_err: Option<f64>,
    /// The same in counts/s: `rms·(r − r_b)`.
    pub rms_abs: Option<f64>,
    /// Upper limit of the fractional rms at [`CONFIDENCE`](super::rms::CONFIDENCE), where the variance is less than three standard errors.
    pub rms_upper_limit: Option<f64>,
    /// Signed fractional variance.
    pub rms_variance: f64,
    /// Its standard error.
    pub rms_variance_err: f64,
}

/// The strongest power in a band and what pulsation it allows; see [`pulsed_limit`](super::pulsed_limit).
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct PulsationLimit {
    /// Frequencies that the spectrum has of the band asked for, Hz.
    #[serde(rename = "pulsed_band")]
    pub band: [f64; 2],
    /// Frequency of the least likely power in it, Hz.
    #[serde(rename = "pulsed_freq")]
    pub freq: f64,
    /// That power as a Leahy power, noise included.
    #[serde(rename = "pulsed_leahy_power")]
    pub leahy_power: f64,
    /// Decimal logarithm of the probability that white noise reaches it at any frequency of the band.
    #[serde(rename = "pulsed_log10_p")]
    pub log10_p: f64,
    /// Frequencies in the band.
    #[serde(rename = "pulsed_trials")]
    pub trials: u64,
    /// Upper limit of the pulsed fraction of a sinusoid anywhere in the band, at [`CONFIDENCE`](super::pulsed_limit::CONFIDENCE).
    #[serde(rename = "pulsed_upper_limit")]
    pub upper_limit: f64,
    /// Part of the power that bins of `dt` leave at the highest frequency of the band.
    #[serde(rename = "pulsed_binning_loss")]
    pub binning_loss: f64,
    /// What fractions and limit are corrected for, and what not.
    #[serde(rename = "pulsed_corrections")]
    pub corrections: &'static str,
    /// Pulsed fraction, where the power is a detection: the median estimate.
    #[serde(rename = "pulsed_fraction")]
    pub fraction: Option<f64>,
    /// Ends of its interval of 68.27 %.
    #[serde(rename = "pulsed_fraction_lo")]
    pub fraction_lo: Option<f64>,
    /// See [`PulsationLimit::fraction_lo`].
    #[serde(rename = "pulsed_fraction_hi")]
    pub fraction_hi: Option<f64>,
}

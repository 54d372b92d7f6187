//! The powers of a spectrum before its frequencies were combined.

use super::dead_time::noise::ByFrequency;

/// Values at the original frequencies.
#[derive(Clone, Debug)]
pub(crate) struct OriginalPowers {
    /// Normalised, noise included.
    pub power: Vec<f64>,
    /// Raw: sums over `raw_terms` segments.
    pub raw: Vec<f64>,
    /// What `raw` is divided by.
    pub raw_terms: f64,
    /// Noise levels.
    pub noise: ByFrequency,
    /// Their standard errors.
    pub noise_err: ByFrequency,
}

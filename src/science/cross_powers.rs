//! A cross spectrum without errors: of rows that were shifted and added, or of unevenly sampled light curves.

use serde::{Deserialize, Serialize};

use super::norm::Norm;
use crate::data::Record;

/// Metadata of a cross spectrum without errors.
#[derive(Clone, Debug, Serialize, Deserialize)]
#[non_exhaustive]
pub struct CrossPowersMetadata {
    /// Number of bins in a segment; of uneven series, points of the subject.
    pub n: usize,
    /// Number of segments averaged; 1 for uneven series.
    pub segments: u64,
    /// Bin width, s.
    pub dt: f64,
    /// Step of the frequencies before rebinning, Hz.
    pub df: f64,
    /// Length of a segment, s; of uneven series, the span of both.
    pub segment_size: f64,
    /// Normalisation of the powers.
    pub norm: Norm,
    /// What the sign of a lag means: [`LAG_SIGN`](super::cross::LAG_SIGN).
    pub lag_sign: String,
    /// What made the product.
    #[serde(flatten)]
    pub record: Record,
}

/// A cross spectrum and the powers of subject and reference, without errors. All columns have the same length.
#[derive(Clone, Debug)]
#[non_exhaustive]
pub struct CrossPowers {
    /// Frequency, Hz: the mean of the averaged frequencies.
    pub freq: Vec<f64>,
    /// Width of the frequency bin, Hz.
    pub width: Vec<f64>,
    /// Real part of `conj(F_subject)·F_reference`, normalised and averaged.
    pub power_re: Vec<f64>,
    /// Imaginary part of `conj(F_subject)·F_reference`, normalised and averaged.
    pub power_im: Vec<f64>,
    /// Power of the subject, noise included.
    pub power1: Vec<f64>,
    /// Power of the reference, noise included.
    pub power2: Vec<f64>,
    /// Values averaged in the bin: segments times original frequencies.
    pub m: Vec<u64>,
    /// Metadata: resolution, normalisation, record.
    pub meta: CrossPowersMetadata,
}

impl CrossPowers {
    /// Phase lag of the subject, rad, −π to π; positive if the subject is late. One value a frequency.
    pub fn lag_phase(&self) -> Vec<f64> {
        self.power_re.iter().zip(&self.power_im).map(|(re, im)| im.atan2(*re)).collect()
    }
}

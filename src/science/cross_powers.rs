//! A cross spectrum without errors: of rows that were shifted and added, or of unevenly sampled series.

/// A cross spectrum and the powers of both channels; all columns have one length.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct CrossPowers {
    /// Frequency, Hz: the mean of the averaged bins' centres.
    pub freq: Vec<f64>,
    /// Width of the bin, Hz.
    pub df: Vec<f64>,
    /// Real part of `conj(F_subject)·F_reference`, normalised and averaged.
    pub cross_re: Vec<f64>,
    /// Its imaginary part.
    pub cross_im: Vec<f64>,
    /// Power of the subject.
    pub power1: Vec<f64>,
    /// Power of the reference.
    pub power2: Vec<f64>,
    /// Values averaged in the bin.
    pub m: Vec<u64>,
}

impl CrossPowers {
    /// Phase lag of the subject, rad, −π to π; positive where it is late.
    pub fn phase_lag(&self) -> Vec<f64> {
        self.cross_re.iter().zip(&self.cross_im).map(|(re, im)| im.atan2(*re)).collect()
    }
}

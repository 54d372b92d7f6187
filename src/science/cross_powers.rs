//! A cross spectrum without errors: of rows that were shifted and added, or of unevenly sampled light curves.

/// A cross spectrum and the powers of subject and reference, without errors. All columns have the same length.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct CrossPowers {
    /// Frequency, Hz: the mean of the averaged frequencies.
    pub freq: Vec<f64>,
    /// Width of the frequency bin, Hz.
    pub df: Vec<f64>,
    /// Real part of `conj(F_subject)·F_reference`, normalised and averaged.
    pub cross_re: Vec<f64>,
    /// Imaginary part of `conj(F_subject)·F_reference`, normalised and averaged.
    pub cross_im: Vec<f64>,
    /// Power of the subject, noise included.
    pub power1: Vec<f64>,
    /// Power of the reference, noise included.
    pub power2: Vec<f64>,
    /// Values averaged in the bin: segments times original frequencies.
    pub m: Vec<u64>,
}

impl CrossPowers {
    /// Phase lag of the subject, rad, −π to π; positive if the subject is late. One value a frequency.
    pub fn phase_lag(&self) -> Vec<f64> {
        self.cross_re.iter().zip(&self.cross_im).map(|(re, im)| im.atan2(*re)).collect()
    }
}

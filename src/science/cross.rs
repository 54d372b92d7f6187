//! The averaged cross spectrum: from sums over segments to columns. Formulas of lags, coherence and errors are in
//! [`cross_errors`](super::cross_errors).
//!
//! All of them are computed after averaging and rebinning: neither lags nor coherences are averaged. The real part is
//! the co-spectrum: of two detectors that see the same source it is the power of the source as one of them sees it, in
//! the same normalisation and without a noise level, because the noise of the detectors is independent (Bachetti et al.
//! 2015, doi:10.1088/0004-637X/800/2/109).
//!
//! A full spectrum has all `n` frequencies in the order of numpy's `fftfreq`: 0, the positive ones, then the negative
//! ones from the lowest on. Amplitudes at 0 and, for even `n`, at the Nyquist frequency are real numbers, for which the
//! formulas of errors, coherence and lags do not hold: these columns are NaN there.

use serde::{Deserialize, Serialize};

use super::cross_errors::{BinAverages, BinEstimates, TimeLag};
use super::effective::EffectivePairs;
use super::noise::NoiseLevel;
use super::norm::{Norm, NormParameters};
use super::rebin::Rebin;
use crate::data::Record;

/// Options of a cross spectrum that do not concern segments: normalisation, rebinning, background and noise levels.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct CrossOptions {
    /// Normalisation of the powers. That of the cross spectrum is the geometric mean of those of subject and reference.
    pub norm: Norm,
    /// True: average the raw sums of all segments and normalise once by the mean rates. False: normalise each segment
    /// by its own rates before averaging; noise levels are then the means of the segments' own.
    pub use_common_mean: bool,
    /// How frequency bins are combined.
    pub rebin: Rebin,
    /// Background rate of the subject and of the reference, counts/s.
    pub background: [f64; 2],
    /// Where the noise levels of the subject and of the reference come from.
    pub noise: [NoiseLevel; 2],
    /// Include frequency 0 and the negative frequencies, as Stingray's `fullspec` does. By default only positive
    /// frequencies below the Nyquist frequency are given.
    pub fullspec: bool,
}

impl Default for CrossOptions {
    fn default() -> CrossOptions {
        CrossOptions {
            norm: Norm::Leahy,
            use_common_mean: true,
            rebin: Rebin::None,
            background: [0.0; 2],
            noise: [NoiseLevel::Poisson; 2],
            fullspec: false,
        }
    }
}

impl CrossOptions {
    /// The exponent `p` of the weights `N^−p` with which segments must be summed; `None` for sums without weights.
    pub fn weight_exponent(&self) -> Option<u32> {
        Some(self.norm.weight_exponent()).filter(|&p| p > 0 && !self.use_common_mean)
    }
}

/// Metadata of a cross spectrum.
#[derive(Clone, Debug, Serialize, Deserialize)]
#[non_exhaustive]
pub struct CrossMetadata {
    /// Number of bins in a segment.
    pub n: usize,
    /// Number of segments averaged.
    pub segments: u64,
    /// How many segments of equal weight they are worth.
    #[serde(flatten)]
    pub effective: EffectivePairs,
    /// Bin width, s.
    pub dt: f64,
    /// Frequency resolution before rebinning, Hz.
    pub df: f64,
    /// Length of a segment, s.
    pub segment_size: f64,
    /// Mean number of photons of the subject in a segment. If the reference is a part of the subject's band, its
    /// photons are not counted here.
    pub nphots1: f64,
    /// Mean number of photons of the reference in a segment. If the subject is a part of the reference's band, its
    /// photons are not counted here.
    pub nphots2: f64,
    /// Mean counts of the subject in a bin, of the same photons as `nphots1`.
    pub mean1: f64,
    /// Mean counts of the reference in a bin, of the same photons as `nphots2`.
    pub mean2: f64,
    /// Normalisation of the powers.
    pub norm: Norm,
    /// Noise level of the subject's power, in the normalisation of the spectrum; the mean over frequencies if it
    /// depends on them.
    pub noise1_mean: f64,
    /// Noise level of the reference's power, in the normalisation of the spectrum; the mean over frequencies if it
    /// depends on them.
    pub noise2_mean: f64,
    /// Mean rate of the subject, counts/s, of the same photons as `nphots1`.
    pub countrate1: f64,
    /// Mean rate of the reference, counts/s, of the same photons as `nphots2`.
    pub countrate2: f64,
    /// Background rate of the subject, counts/s.
    pub background1: f64,
    /// Background rate of the reference, counts/s.
    pub background2: f64,
    /// `poisson` for counts, `gauss` for series with errors of their own.
    pub err_dist: String,
    /// Mean squared error of a bin of the subject, for a series with errors of its own.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub variance1: Option<f64>,
    /// Mean squared error of a bin of the reference, for a series with errors of its own.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub variance2: Option<f64>,
    /// True if all segments were normalised by their common means.
    pub use_common_mean: bool,
    /// Rules of Stingray that errors follow, where they were asked for.
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub compat_rules: String,
    /// `all`: the cross spectrum is complex, as Stingray calls it.
    pub power_type: String,
    /// True if the photons of the subject were removed from the reference.
    pub subject_inside_reference: bool,
    /// True if the photons of the reference were removed from the subject.
    pub reference_inside_subject: bool,
    /// What the sign of a lag means: [`LAG_SIGN`].
    pub lag_sign: String,
    /// Bins without an intrinsic coherence: the power of the source cannot be told from 0 in either band. Those where amplitudes are
    /// real numbers are not counted.
    #[serde(default)]
    pub bins_without_coherence: u64,
    /// Segments that could not be averaged, such as empty ones.
    pub skipped_segments: u64,
    /// Time in the segments averaged, s.
    pub exposure: f64,
    /// What made the product.
    #[serde(flatten)]
    pub record: Record,
}

/// What the sign of a lag means, as the metadata of products say it.
pub const LAG_SIGN: &str = "positive: the subject is late";

/// A cross spectrum `C = conj(F_subject)·F_reference` averaged over segments, with lags and coherence, one entry a
/// frequency bin. Positive lags mean that the subject is late. Formulas and errors:
/// [`cross_errors`](super::cross_errors).
#[derive(Clone, Debug)]
#[non_exhaustive]
pub struct AveragedCrossSpectrum {
    /// Frequency, Hz: the mean of the averaged frequencies.
    pub freq: Vec<f64>,
    /// Width of the frequency bin, Hz.
    pub width: Vec<f64>,
    /// Values averaged in the bin: segments times original frequencies.
    pub m: Vec<u64>,
    /// Real part of the cross spectrum (the co-spectrum), in the normalisation of the metadata.
    pub power_re: Vec<f64>,
    /// Imaginary part of the cross spectrum (the quadrature spectrum).
    pub power_im: Vec<f64>,
    /// Standard error of the modulus `|C|`.
    pub power_err: Vec<f64>,
    /// Real part of the raw cross spectrum `conj(F_subject)·F_reference`, averaged.
    pub unnorm_power_re: Vec<f64>,
    /// Imaginary part of the raw cross spectrum.
    pub unnorm_power_im: Vec<f64>,
    /// Standard error of `power_re`.
    pub cross_err_re: Vec<f64>,
    /// Standard error of `power_im`.
    pub cross_err_im: Vec<f64>,
    /// Power of the subject, noise included.
    pub power1: Vec<f64>,
    /// Power of the reference, noise included.
    pub power2: Vec<f64>,
    /// Noise level of `power1`.
    pub noise1: Vec<f64>,
    /// Noise level of `power2`.
    pub noise2: Vec<f64>,
    /// Phase lag of the subject, rad, −π to π; positive if the subject is late.
    pub lag_phase: Vec<f64>,
    /// Standard error of `lag_phase`, rad.
    pub lag_phase_err: Vec<f64>,
    /// Time lag of the subject, s: the phase lag over `2πf`, of several frequencies the delay that they have in common; positive if the
    /// subject is late.
    pub lag_time: Vec<f64>,
    /// Standard error of `lag_time`, s.
    pub lag_time_err: Vec<f64>,
    /// Raw coherence `γ² = |C|²/(P1·P2)`, bias subtracted, noise in the powers.
    pub coherence_raw: Vec<f64>,
    /// Standard error of `coherence_raw`.
    pub coherence_raw_err: Vec<f64>,
    /// Intrinsic coherence: `γ²` with noise subtracted from the powers (Vaughan & Nowak 1997); NaN where a power does
    /// not exceed its noise by [three of its standard errors](super::cross_errors::SIGNIFICANT).
    pub coherence_intrinsic: Vec<f64>,
    /// Standard error of `coherence_intrinsic`.
    pub coherence_intrinsic_err: Vec<f64>,
    /// Averages at the original frequencies, where these were combined to bins in memory.
    pub(crate) original: Option<Vec<BinAverages>>,
    /// Metadata: resolution, normalisation, record.
    pub meta: CrossMetadata,
}

/// One bin.
pub(super) struct CrossBin {
    pub freq: f64,
    pub width: f64,
    pub values: u64,
    pub averages: BinAverages,
    /// Real and imaginary part, not normalised.
    pub raw: [f64; 2],
    pub derived: BinEstimates,
    pub time_lag: TimeLag,
}

impl AveragedCrossSpectrum {
    pub(super) fn empty(meta: CrossMetadata) -> AveragedCrossSpectrum {
        AveragedCrossSpectrum {
            freq: vec![],
            width: vec![],
            m: vec![],
            power_re: vec![],
            power_im: vec![],
            power_err: vec![],
            unnorm_power_re: vec![],
            unnorm_power_im: vec![],
            cross_err_re: vec![],
            cross_err_im: vec![],
            power1: vec![],
            power2: vec![],
            noise1: vec![],
            noise2: vec![],
            lag_phase: vec![],
            lag_phase_err: vec![],
            lag_time: vec![],
            lag_time_err: vec![],
            coherence_raw: vec![],
            coherence_raw_err: vec![],
            coherence_intrinsic: vec![],
            coherence_intrinsic_err: vec![],
            original: None,
            meta,
        }
    }

    pub(super) fn push(&mut self, bin: &CrossBin) {
        let CrossBin { freq, width, values, averages, raw, derived: d, time_lag } = bin;
        let BinAverages { power, noise, cross } = averages;
        self.freq.push(*freq);
        self.width.push(*width);
        self.m.push(*values);
        self.power_re.push(cross[0]);
        self.power_im.push(cross[1]);
        self.power_err.push(d.modulus_err);
        self.unnorm_power_re.push(raw[0]);
        self.unnorm_power_im.push(raw[1]);
        self.cross_err_re.push(d.err_re);
        self.cross_err_im.push(d.err_im);
        self.power1.push(power[0]);
        self.power2.push(power[1]);
        self.noise1.push(noise[0]);
        self.noise2.push(noise[1]);
        self.lag_phase.push(d.lag_phase);
        self.lag_phase_err.push(d.lag_phase_err);
        self.lag_time.push(time_lag.lag);
        self.lag_time_err.push(time_lag.err(d.lag_phase_err));
        self.coherence_raw.push(d.raw);
        self.coherence_raw_err.push(d.raw_err);
        self.meta.bins_without_coherence += u64::from(d.intrinsic.is_nan() && !d.raw.is_nan());
        self.coherence_intrinsic.push(d.intrinsic);
        self.coherence_intrinsic_err.push(d.intrinsic_err);
    }

    /// Modulus `|C|` of the averaged cross spectrum, noise included; one value a frequency.
    pub fn modulus(&self) -> Vec<f64> {
        self.power_re.iter().zip(&self.power_im).map(|(re, im)| re.hypot(*im)).collect()
    }

    /// Number of frequencies.
    pub fn len(&self) -> usize {
        self.freq.len()
    }

    /// True if there is no frequency.
    pub fn is_empty(&self) -> bool {
        self.freq.is_empty()
    }
}

/// Factors of the subject's power, of the reference's, and of the cross spectrum.
pub(super) fn factors(norm: Norm, levels: &[NormParameters; 2]) -> [f64; 3] {
    let [s, r] = [norm.factor(&levels[0]), norm.factor(&levels[1])];
    // Their product may be beyond the range of f64.
    [s, r, s.sqrt() * r.sqrt()]
}

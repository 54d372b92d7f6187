//! Power and cross spectra of two detectors with dead time, corrected by the difference of their Fourier amplitudes
//! (FAD: Bachetti & Huppenkothen 2018, doi:10.3847/2041-8213/aaa83b).
//!
//! The formulas are those of [`kernels::fad`](crate::kernels::fad). The correction holds for detectors that are alike and see the same
//! source: similar rates, and dead times that are independent of each other. After it, noise is white in every power, at Poisson's level, and has mean 0 in the
//! co-spectrum. Variability of the source that dead time suppresses at high rates is not restored, nor are mean rates
//! corrected. Each segment is normalised by its own photons; noise levels are the means of the segments'.

use serde::{Deserialize, Serialize};

use super::context::SpectrumContext;
use super::cross_errors::cross_errors;
use super::effective::{EffectivePairs, EffectiveSegments};
use super::norm::{Norm, NormParameters};
use super::rebin::Rebin;
use crate::base::error::Result;
use crate::base::sums::Sums;
use crate::data::Record;
use crate::kernels::fad::FadSpec;

/// Part by which the scatter of the corrected differences may be off what it should be (Stingray's tolerance).
const TOLERANCE: f64 = 0.05;
/// Standard errors by which the mean powers of detectors that are alike do not differ: in 16 octaves by chance once in a thousand times.
const UNLIKE: f64 = 4.0;
/// Fewer powers than this have no normal mean.
const FEW_VALUES: f64 = 30.0;
/// Below this many segments their means say little.
const FEW_SEGMENTS: u64 = 30;

/// Options of spectra corrected for dead time that do not concern segments.
#[derive(Clone, Copy, Debug, PartialEq, Serialize)]
pub struct FadOptions {
    /// Normalisation of the powers.
    pub norm: Norm,
    /// How frequency bins are combined.
    pub rebin: Rebin,
    /// Standard deviation of the Gaussian by which amplitude differences are smoothed, Hz.
    pub smoothing: f64,
    /// Correct as Stingray does: by the real parts of the differences alone, which is noisier, and smoothed with the frequency that
    /// is corrected, which leaves independent detectors a co-spectrum.
    pub compat_stingray: bool,
}

impl Default for FadOptions {
    /// Smoothed over 3 Hz, as Stingray.
    fn default() -> FadOptions {
        FadOptions { norm: Norm::Leahy, rebin: Rebin::None, smoothing: 3.0, compat_stingray: false }
    }
}

impl FadOptions {
    /// The correction that the CPU computes, for segments of `segment_size` seconds.
    pub fn work(&self, segment_size: f64) -> FadSpec {
        let smoothing = (self.smoothing * segment_size).round().max(1.0) as usize;
        FadSpec { smoothing, compat_stingray: self.compat_stingray, exponent: self.norm.weight_exponent() }
    }
}

/// Metadata of spectra corrected for dead time.
#[derive(Clone, Debug, Serialize, Deserialize)]
#[non_exhaustive]
pub struct FadMetadata {
    /// Number of bins in a segment.
    pub n: usize,
    /// Number of segments averaged.
    pub segments: u64,
    /// How many segments of equal weight the cross spectrum is worth; see [`EffectivePairs`].
    #[serde(default)]
    pub m_eff: f64,
    /// How many the power of the first detector is worth.
    #[serde(default)]
    pub m_eff1: f64,
    /// How many the power of the second detector is worth.
    #[serde(default)]
    pub m_eff2: f64,
    /// How many the power of all events is worth.
    #[serde(default)]
    pub m_eff_total: f64,
    /// Bin width, s.
    pub dt: f64,
    /// Frequency resolution before rebinning, Hz.
    pub df: f64,
    /// Length of a segment, s.
    pub segment_size: f64,
    /// Mean number of photons of the first detector in a segment.
    pub nphots1: f64,
    /// Mean number of photons of the second detector in a segment.
    pub nphots2: f64,
    /// Normalisation of the powers.
    pub norm: Norm,
    /// Noise level of `power1`.
    pub noise1: f64,
    /// Noise level of `power2`.
    pub noise2: f64,
    /// Noise level of `power_total`.
    pub noise_total: f64,
    /// Standard deviation of the smoothing Gaussian, in frequency bins.
    pub fad_smoothing: usize,
    /// Check of the correction: standard deviation of the corrected amplitude difference over frequencies, relative to
    /// the `2/√m` expected of white noise, minus 1. It should be within ±0.05.
    pub fad_delta: f64,
    /// Segments that could not be averaged, such as empty ones.
    pub skipped_segments: u64,
    /// Time in the segments averaged, s.
    pub exposure: f64,
    /// What made the product.
    #[serde(flatten)]
    pub record: Record,
}

/// Power and cross spectra of two detectors, corrected for dead time and averaged over segments, one entry a frequency
/// bin. All columns have the same length.
#[derive(Clone, Debug)]
#[non_exhaustive]
pub struct FadSpectrum {
    /// Frequency, Hz: the mean of the averaged frequencies.
    pub freq: Vec<f64>,
    /// Width of the frequency bin, Hz.
    pub width: Vec<f64>,
    /// Values averaged in the bin: segments times original frequencies (`m·K`).
    pub m: Vec<u64>,
    /// Power of the first detector.
    pub power1: Vec<f64>,
    /// Standard error of `power1`, `√ΣP²/(K√m_eff)`.
    pub power1_err: Vec<f64>,
    /// Power of the second detector.
    pub power2: Vec<f64>,
    /// Standard error of `power2`, `√ΣP²/(K√m_eff)`.
    pub power2_err: Vec<f64>,
    /// Power of both detectors' events together.
    pub power_total: Vec<f64>,
    /// Standard error of `power_total`, `√ΣP²/(K√m_eff)`.
    pub power_total_err: Vec<f64>,
    /// Co-spectrum: the real part of `conj(F₁)·F₂`.
    pub power_re: Vec<f64>,
    /// Imaginary part of `conj(F₁)·F₂`; 0 on average for a source that both detectors see.
    pub power_im: Vec<f64>,
    /// Standard error of `power_re`.
    pub cross_err_re: Vec<f64>,
    /// Standard error of `power_im`.
    pub cross_err_im: Vec<f64>,
    /// Metadata: resolution, normalisation, record.
    pub meta: FadMetadata,
}

impl FadSpectrum {
    /// Sums, in which the second detector is the first series, to spectra; `sums` must hold at least one segment.
    pub(crate) fn new(sums: &Sums, options: &FadOptions, context: SpectrumContext) -> Result<FadSpectrum> {
        let SpectrumContext { n, dt, segment_size, compat_stingray, record } = context;
        let m = sums.segments as f64;
        let photons = |which: usize| sums.series.get(which).map_or(0, |c| c.photons) as f64 / m;
        let level = |photons: f64| NormParameters { n, dt, mean: photons / n as f64, background: 0.0, variance: None };
        let factor = options.norm.weighted_factor(n, dt);
        // The mean of the segments' own levels: their weights are the noise of raw powers. Of the first detector, the second and all events.
        let noise = |photons: f64, entry: usize| {
            let weights = sums.weights.get(entry).filter(|_| !compat_stingray);
            weights.map_or(options.norm.noise(&level(photons)), |sums| sums.0[0] / m * factor)
        };
        let counted = options.norm.weight_exponent() == 0;
        let of = |entry: usize| match compat_stingray {
            true => m,
            false => EffectiveSegments::of_sums(sums, entry, counted).m_eff,
        };
        let (m_eff1, m_eff2, m_eff_total) = (of(0), of(1), of(3));
        let m_eff = if compat_stingray { m } else { EffectivePairs::of_sums(sums, 0, counted).m_eff };
        let count = crate::numerics::fft::frequencies(n);
        let block = |block: usize| &sums.power[block * count..(block + 1) * count];
        let mut spectrum = FadSpectrum {
            freq: vec![],
            width: vec![],
            m: vec![],
            power1: vec![],
            power1_err: vec![],
            power2: vec![],
            power2_err: vec![],
            power_total: vec![],
            power_total_err: vec![],
            power_re: vec![],
            power_im: vec![],
            cross_err_re: vec![],
            cross_err_im: vec![],
            meta: FadMetadata {
                n,
                segments: sums.segments,
                dt,
                df: 1.0 / segment_size,
                segment_size,
                nphots1: photons(1),
                nphots2: photons(0),
                norm: options.norm,
                noise1: noise(photons(1), 0),
                noise2: noise(photons(0), 1),
                noise_total: noise(photons(0) + photons(1), 3),
                m_eff,
                m_eff1,
                m_eff2,
                m_eff_total,
                fad_smoothing: options.work(segment_size).smoothing,
                fad_delta: scatter(block(5), block(6)) / m / (2.0 / m.sqrt()) - 1.0,
                skipped_segments: sums.skipped,
                exposure: m * segment_size,
                record,
            },
        };
        for range in options.rebin.ranges(count)? {
            let values = sums.segments * range.len() as u64;
            let mean = |i: usize| block(i)[range.clone()].iter().sum::<f64>() / m / range.len() as f64 * factor;
            let [p1, p2, total, re, im] = [0, 1, 2, 3, 4].map(mean);
            let width = range.len() as f64;
            let error = |i: usize, m_eff: f64| {
                let square: f64 = block(i)[range.clone()].iter().map(|p| (p / m * factor).powi(2)).sum();
                (square / m_eff).sqrt() / width
            };
            let (err_re, err_im) = cross_errors([p1, p2], [re, im], m_eff * width);
            // Original bin `k` stands at place `k − 1`.
            spectrum.freq.push((range.start + range.end + 1) as f64 / 2.0 / segment_size);
            spectrum.width.push(range.len() as f64 / segment_size);
            spectrum.m.push(values);
            spectrum.power1.push(p1);
            spectrum.power1_err.push(error(0, m_eff1));
            spectrum.power2.push(p2);
            spectrum.power2_err.push(error(1, m_eff2));
            spectrum.power_total.push(total);
            spectrum.power_total_err.push(error(2, m_eff_total));
            spectrum.power_re.push(re);
            spectrum.power_im.push(im);
            spectrum.cross_err_re.push(err_re);
            spectrum.cross_err_im.push(err_im);
        }
        spectrum.warn();
        let noise = [spectrum.meta.noise1, spectrum.meta.noise2];
        if let Some(message) = unlike([0, 1, 3, 4].map(block), factor / m, noise, [m_eff, segment_size]) {
            spectrum.meta.record.warnings.push("W-FAD-UNLIKE", message);
        }
        Ok(spectrum)
    }

    fn warn(&mut self) {
        let meta = &mut self.meta;
        let warnings = &mut meta.record.warnings;
        if meta.segments < FEW_SEGMENTS {
            let message =
                format!("{} segments; {FEW_SEGMENTS} at least make a correction that can be trusted", meta.segments);
            warnings.push("W-FAD-SEGMENTS", message);
        }
        // Scatter of so many frequencies has an error of its own.
        let count = crate::numerics::fft::frequencies(meta.n) as f64;
        if meta.fad_delta.abs() > TOLERANCE.max(4.0 / (4.0 * count).sqrt()) {
            let message = format!(
                "the corrected differences scatter by {:+.1} % more than they should: smoothed over {} frequencies, the \
                 correction does not hold",
                100.0 * meta.fad_delta,
                meta.fad_smoothing
            );
            warnings.push("W-FAD-SCATTER", message);
        }
        let ratio = meta.nphots1 / meta.nphots2;
        if !(0.5..=2.0).contains(&ratio) {
            let message =
                format!("the detectors' rates differ by a factor of {ratio:.2}: the correction is for similar ones");
            warnings.push("W-FAD-RATES", message);
        }
    }
}

/// What shows that detectors are unlike, in noise or in variability: mean powers over their noise levels that differ by more than
/// [`UNLIKE`] standard errors, over all frequencies or in an octave of them. `blocks` times `unit` are both powers, real and imaginary part.
///
/// With `u = P/noise` and `c = C/√(noise₁·noise₂)`, averages of m segments, `u₁ − u₂` has the variance `(u₁² + u₂² − 2|c|²)/m`, for amplitudes that are
/// normal: the part that both see is in both.
fn unlike(blocks: [&[f64]; 4], unit: f64, noise: [f64; 2], [m, segment_size]: [f64; 2]) -> Option<String> {
    let [p1, p2, re, im] = blocks;
    let octaves = (0..usize::BITS).map(|i| (1usize << i) - 1..(2usize << i.min(62)) - 1);
    let octaves = octaves.take_while(|octave| octave.start < p1.len());
    let octaves = octaves.map(|octave| octave.start..octave.end.min(p1.len()));
    for range in std::iter::once(0..p1.len()).chain(octaves) {
        if m * (range.len() as f64) < FEW_VALUES {
            continue;
        }
        let (mut u, mut variance) = ([0.0; 2], 0.0);
        for k in range.clone() {
            let [u1, u2] = [p1[k] * unit / noise[0], p2[k] * unit / noise[1]];
            let common = (re[k] * re[k] + im[k] * im[k]) * unit * unit / (noise[0] * noise[1]);
            (u[0], u[1]) = (u[0] + u1, u[1] + u2);
            variance += (u1 * u1 + u2 * u2 - 2.0 * common).max(0.0) / m;
        }
        let [u1, u2, err] = [u[0], u[1], variance.sqrt()].map(|x| x / range.len() as f64);
        if (u1 - u2).abs() > UNLIKE * err {
            return Some(format!(
                "the detectors are unlike: from {:.3} to {:.3} Hz their corrected powers are {u1:.4} and {u2:.4} of their noise levels, which \
                 differ by {:.1} standard errors; the correction is for detectors that are alike and see the same source",
                (range.start + 1) as f64 / segment_size,
                range.end as f64 / segment_size,
                (u1 - u2).abs() / err
            ));
        }
    }
    None
}

/// Standard deviation over frequencies of complex numbers.
fn scatter(re: &[f64], im: &[f64]) -> f64 {
    let variance = |x: &[f64]| {
        let mean = x.iter().sum::<f64>() / x.len() as f64;
        x.iter().map(|v| (v - mean).powi(2)).sum::<f64>() / x.len() as f64
    };
    (variance(re) + variance(im)).sqrt()
}

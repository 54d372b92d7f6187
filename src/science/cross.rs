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

use std::ops::Range;

use serde::{Deserialize, Serialize};

use super::context::{COMPAT_RULES, SpectrumContext};
use super::cross_errors::{BinAverages, BinEstimates, BinsWorth};
use super::dead_time::noise::NoiseContext;
use super::effective::EffectivePairs;
use super::noise::NoiseLevel;
use super::noise_fit::NoiseFit;
use super::norm::{Norm, NormParameters};
use super::power::{FEW_VALUES, no_counts};
use super::rebin::Rebin;
use crate::base::error::{Error, Result};
use crate::base::mend::Mend;
use crate::base::sums::Sums;
use crate::base::text::ShortNumber;
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

/// What the engine knows beside the sums.
pub(crate) struct CrossContext {
    pub spectrum: SpectrumContext,
    pub inside: bool,
    /// Mean and mean squared error of a bin of the subject and of the reference; `None`: counts, whose photons the sums tell.
    pub flux: Option<[(f64, Option<f64>); 2]>,
}

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
    /// Time lag of the subject, s: the phase lag over `2πf`; positive if the subject is late.
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
}

impl AveragedCrossSpectrum {
    /// Sums to spectrum; `sums` must hold at least one segment.
    pub(crate) fn new(sums: &Sums, options: &CrossOptions, context: CrossContext) -> Result<AveragedCrossSpectrum> {
        let CrossContext { spectrum, inside, flux } = context;
        let SpectrumContext { n, dt, segment_size, compat_stingray, record } = spectrum;
        let m = sums.segments as f64;
        let levels = levels(sums, options, flux, [n as f64 * m, dt], inside)?
            .map(|(mean, background, variance)| NormParameters { n, dt, mean, background, variance });
        let norm = options.norm;
        // Flux with means of its own is normalised already.
        if flux.is_none() || options.weight_exponent().is_none() {
            let count = crate::numerics::fft::frequencies(n);
            for (which, level) in levels.iter().enumerate() {
                let total = || sums.power[which * count..(which + 1) * count].iter().sum::<f64>() / m / count as f64;
                norm.check(level, level.mean_err(n as f64 * m, flux.map(|_| total())))?;
            }
        }
        let raw_factors = factors(norm, &levels);
        // Terms with weights of their own are normalised already, but for constants; flux comes normalised.
        let own = options.weight_exponent().is_some();
        let weighted = own && flux.is_none();
        let factors = match own {
            true if weighted => [norm.weighted_factor(n, dt); 3],
            true => [1.0; 3],
            false => raw_factors,
        };
        let count = crate::numerics::fft::frequencies(n);
        let block = |block: usize| &sums.power[block * count..(block + 1) * count];
        let first = if weighted { 4 } else { 0 };
        let mean_of = |values: &[f64], factor: f64| values.iter().sum::<f64>() / m / values.len() as f64 * factor;
        let effective = match compat_stingray {
            true => EffectivePairs::equal(sums.segments),
            false => EffectivePairs::of_sums(sums, 0, levels.iter().all(|level| level.variance.is_none()) && !own),
        };
        let (mut noise, mut misfits) = (Vec::new(), Vec::new());
        for (which, level) in levels.iter().enumerate() {
            let power: Vec<f64> = block(first + which).iter().map(|p| p / m * factors[which]).collect();
            // Weights are the noise of raw powers: with means of their own, segments have levels of their own.
            let weights = sums.weights.get(which).filter(|_| own && !compat_stingray);
            let poisson = weights.map_or(norm.noise(level), |sums| sums.0[0] / m * factors[which]);
            let m_eff = effective.series()[which].m_eff;
            let seen = NoiseContext { power: &power, poisson, m_eff, n, dt, rate: level.mean / dt };
            let levels = options.noise[which].levels(&seen)?;
            let fit = NoiseFit { power: &power, noise: &levels, m_eff, df: 1.0 / segment_size };
            misfits.extend(fit.warning([" of the subject", " of the reference"][which]));
            noise.push(levels.level);
        }
        let mut spectrum = AveragedCrossSpectrum::empty(CrossMetadata {
            n,
            segments: sums.segments,
            effective,
            dt,
            df: 1.0 / segment_size,
            segment_size,
            nphots1: levels[0].mean * n as f64,
            nphots2: levels[1].mean * n as f64,
            mean1: levels[0].mean,
            mean2: levels[1].mean,
            norm,
            noise1_mean: noise[0].mean(),
            noise2_mean: noise[1].mean(),
            countrate1: levels[0].mean / dt,
            countrate2: levels[1].mean / dt,
            background1: options.background[0],
            background2: options.background[1],
            err_dist: if levels.iter().any(|level| level.variance.is_some()) { "gauss" } else { "poisson" }.into(),
            variance1: levels[0].variance,
            variance2: levels[1].variance,
            use_common_mean: options.use_common_mean,
            compat_rules: if compat_stingray { COMPAT_RULES.into() } else { String::new() },
            power_type: "all".into(),
            subject_inside_reference: inside,
            reference_inside_subject: false,
            lag_sign: LAG_SIGN.into(),
            bins_without_coherence: 0,
            skipped_segments: sums.skipped,
            exposure: m * segment_size,
            record,
        });
        for (level, noise) in levels.iter().zip(&options.noise) {
            if flux.is_some() && level.variance.is_none() && level.mean < 0.0 && *noise == NoiseLevel::Poisson {
                spectrum.meta.record.warnings.record(no_counts(level.mean));
            }
        }
        misfits.into_iter().for_each(|warning| spectrum.meta.record.warnings.record(warning));
        let (mut bins, mut worth) = (Vec::new(), BinsWorth::new(&effective, sums.segments));
        for range in options.rebin.ranges(count)? {
            let values = sums.segments * range.len() as u64;
            let of = |range: &Range<usize>, first: usize, factors: [f64; 3]| {
                let one = |i: usize, factor: f64| mean_of(&block(first + i)[range.clone()], factor);
                let cross = [one(2, factors[2]), one(3, factors[2])];
                let noise = [noise[0].mean_of(range.clone()), noise[1].mean_of(range.clone())];
                BinAverages { power: [one(0, factors[0]), one(1, factors[1])], noise, cross }
            };
            let averages = of(&range, first, factors);
            let raw = match own && flux.is_some() {
                // Normalised before the transform, each by its own means: as if by the common ones.
                true => averages.cross.map(|part| part / raw_factors[2]),
                false => of(&range, 0, [1.0; 3]).cross,
            };
            let derived = match compat_stingray {
                // The peer derives from raw sums, whatever the normalisation.
                true => BinEstimates::from_stingray_rules(&of(&range, 0, raw_factors), values as f64),
                false => {
                    let each: Vec<BinAverages> = range.clone().map(|k| of(&(k..k + 1), first, factors)).collect();
                    BinEstimates::of_frequencies(&each, &averages, worth.of(range.len() as u64))
                }
            };
            // Original bin `k` stands at place `k − 1`.
            let freq = (range.start + range.end + 1) as f64 / 2.0 / segment_size;
            bins.push(CrossBin { freq, width: range.len() as f64 / segment_size, values, averages, raw, derived });
        }
        let few = |bin: &&CrossBin| (bin.values / sums.segments) as f64 * effective.m_eff < FEW_VALUES;
        let few = bins.iter().filter(few).count() as u64;
        if few > 0 {
            let message = format!("{few} bins average fewer than {FEW_VALUES} values: their errors are not Gaussian");
            spectrum.meta.record.warnings.push("W-FEW-VALUES", message);
        }
        if options.rebin != Rebin::None && !options.fullspec && !compat_stingray {
            let one = |k: usize| {
                let at = |block_of: usize, factor: usize| block(first + block_of)[k] / m * factors[factor];
                let noise = [0, 1].map(|which| noise[which].mean_of(k..k + 1));
                BinAverages { power: [at(0, 0), at(1, 1)], noise, cross: [at(2, 2), at(3, 2)] }
            };
            spectrum.original = Some((0..count).map(one).collect());
        }
        let end = |freq: f64, [s, r, product]: [f64; 3], beside: Option<&CrossBin>| {
            let noise = beside.map_or([f64::NAN; 2], |bin| bin.averages.noise);
            let power = [s / m * factors[0], r / m * factors[1]];
            let averages = BinAverages { power, noise, cross: [product / m * factors[2], 0.0] };
            // These sums have the weights of the normalisation alone.
            let raw = [if own { averages.cross[0] / raw_factors[2] } else { product / m }, 0.0];
            CrossBin {
                freq,
                width: 1.0 / segment_size,
                values: sums.segments,
                averages,
                raw,
                derived: BinEstimates::from_real_amplitudes(&averages),
            }
        };
        // Sums where amplitudes are real, with the weights that the normalisation asks for.
        let (ends, _) = sums.ends.as_chunks();
        if let [zero, _] = ends {
            spectrum.push(&end(0.0, *zero, bins.first()));
        }
        bins.iter().for_each(|bin| spectrum.push(bin));
        if let [_, nyquist] = ends {
            if n.is_multiple_of(2) {
                spectrum.push(&end(-(n as f64) / 2.0 / segment_size, *nyquist, bins.last()));
            }
            for bin in bins.iter().rev() {
                let [re, im] = bin.averages.cross;
                let averages = BinAverages { cross: [re, -im], ..bin.averages };
                let derived = BinEstimates { lag_phase: -bin.derived.lag_phase, ..bin.derived };
                let raw = [bin.raw[0], -bin.raw[1]];
                spectrum.push(&CrossBin { freq: -bin.freq, averages, raw, derived, ..*bin });
            }
        }
        Ok(spectrum)
    }

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
        let CrossBin { freq, width, values, averages: BinAverages { power, noise, cross }, raw, derived: d } = bin;
        let turn = std::f64::consts::TAU * freq;
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
        self.lag_time.push(d.lag_phase / turn);
        self.lag_time_err.push(d.lag_phase_err / turn.abs());
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

/// Mean, background and mean squared error of a bin of the subject and of the reference; `size` is the bins of all segments, and
/// their width.
fn levels(
    sums: &Sums,
    options: &CrossOptions,
    flux: Option<[(f64, Option<f64>); 2]>,
    size: [f64; 2],
    inside: bool,
) -> Result<[(f64, f64, Option<f64>); 2]> {
    let [bins, dt] = size;
    let photons = |which: usize| sums.series.get(which).map_or(0, |c| c.photons) as f64;
    let counted = [photons(1) / bins, (photons(0) - if inside { photons(1) } else { 0.0 }) / bins];
    let known = flux.unwrap_or(counted.map(|mean| (mean, None)));
    for ((mean, _), background) in known.into_iter().zip(options.background) {
        if background != 0.0 && !(background > 0.0 && background * dt < mean) {
            let message =
                format!("must not be negative, and below the mean rate of {} counts/s", ShortNumber(mean / dt));
            return Err(Error::argument("background", background, message));
        }
        if background != 0.0 && options.weight_exponent() == Some(2) {
            let message = "each segment's own mean minus the background is not supported";
            return Err(
                Error::argument("background", background, message).mended_by([Mend::set("use_common_mean", true)])
            );
        }
    }
    if flux.is_none() && known.iter().any(|(mean, _)| *mean <= 0.0) {
        return Err(Error::argument("reference", "", "has no photon of its own beside the subject's"));
    }
    let [s, r] = options.background;
    Ok([(known[0].0, s * dt, known[0].1), (known[1].0, r * dt, known[1].1)])
}

//! Sums over segments to an averaged cross spectrum.

use std::ops::Range;

use super::context::{COMPAT_RULES, SpectrumContext};
use super::cross::{AveragedCrossSpectrum, CrossBin, CrossMetadata, CrossOptions, LAG_SIGN, factors};
use super::cross_errors::{BinAverages, BinEstimates, BinsWorth, TimeLag};
use super::dead_time::noise::NoiseContext;
use super::effective::EffectivePairs;
use super::noise::NoiseLevel;
use super::noise_fit::NoiseFit;
use super::norm::NormParameters;
use super::power::{FEW_VALUES, no_counts};
use super::rebin::Rebin;
use crate::base::error::{Error, Result};
use crate::base::mend::Mend;
use crate::base::sums::Sums;
use crate::base::text::ShortNumber;

/// What the engine knows beside the sums.
pub(crate) struct CrossContext {
    pub spectrum: SpectrumContext,
    pub inside: bool,
    /// Mean and mean squared error of a bin of the subject and of the reference; `None`: counts, whose photons the sums tell.
    pub flux: Option<[(f64, Option<f64>); 2]>,
}

/// Standard errors above the noise from which on a source is seen.
const SEEN: f64 = 4.0;

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
            // Original bin `k` stands at place `k − 1`.
            let freq = (range.start + range.end + 1) as f64 / 2.0 / segment_size;
            let (derived, time_lag) = match compat_stingray {
                // The peer derives from raw sums, whatever the normalisation.
                true => {
                    let derived = BinEstimates::from_stingray_rules(&of(&range, 0, raw_factors), values as f64);
                    (derived, TimeLag::at(freq, derived.lag_phase))
                }
                false => {
                    let each: Vec<BinAverages> = range.clone().map(|k| of(&(k..k + 1), first, factors)).collect();
                    let worth = worth.of(range.len() as u64);
                    let time_lag = TimeLag::of(&each, |k| (range.start + k + 1) as f64 / segment_size);
                    (BinEstimates::of_frequencies(&each, &averages, worth), time_lag)
                }
            };
            let width = range.len() as f64 / segment_size;
            bins.push(CrossBin { freq, width, values, averages, raw, derived, time_lag });
        }
        let few = |bin: &&CrossBin| (bin.values / sums.segments) as f64 * effective.m_eff < FEW_VALUES;
        let few = bins.iter().filter(few).count() as u64;
        if few > 0 {
            let message = format!("{few} bins average fewer than {FEW_VALUES} values: their errors are not Gaussian");
            spectrum.meta.record.warnings.push("W-FEW-VALUES", message);
        }
        // In either series the powers of all frequencies together are above the noise; of few effective segments those of none are alone.
        let above = |which: usize| {
            let mut sums_of = [0.0; 2];
            for bin in &bins {
                let (k, power) = ((bin.values / sums.segments) as f64, bin.averages.power[which]);
                sums_of[0] += k * (power - bin.averages.noise[which]);
                sums_of[1] += k * power * power / effective.series()[which].m_eff;
            }
            sums_of[0] > SEEN * sums_of[1].sqrt()
        };
        let of_a_source = (0..2).any(above) && !own && flux.is_none();
        let uneven = effective.warning("cross powers, lags and coherences").filter(|_| of_a_source && !compat_stingray);
        if let Some(warning) = uneven {
            let mend =
                Mend::set("use_common_mean", false).doing("weighs segments alike, in the fractional normalisation");
            spectrum.meta.record.warnings.record(warning.mended_by([mend]));
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
            let derived = BinEstimates::from_real_amplitudes(&averages);
            let time_lag = TimeLag::at(freq, derived.lag_phase);
            CrossBin { freq, width: 1.0 / segment_size, values: sums.segments, averages, raw, derived, time_lag }
        };
        // Sums where amplitudes are real, with the weights that the normalisation asks for.
        let ends = match sums.ends.as_chunks().0 {
            [zero, nyquist] => {
                Some([end(0.0, *zero, bins.first()), end(-(n as f64) / 2.0 / segment_size, *nyquist, bins.last())])
            }
            _ => None,
        };
        spectrum.push_all(&bins, ends.as_ref().map(|[zero, nyquist]| (zero, n.is_multiple_of(2).then_some(nyquist))));
        Ok(spectrum)
    }

    /// Takes the bins of positive frequencies; of a full spectrum also that of 0, that of the Nyquist frequency where there is one, and those of
    /// negative frequencies, from the lowest on.
    fn push_all(&mut self, bins: &[CrossBin], ends: Option<(&CrossBin, Option<&CrossBin>)>) {
        ends.iter().for_each(|(zero, _)| self.push(zero));
        bins.iter().for_each(|bin| self.push(bin));
        let Some((_, nyquist)) = ends else { return };
        nyquist.iter().for_each(|bin| self.push(bin));
        for bin in bins.iter().rev() {
            let [re, im] = bin.averages.cross;
            let averages = BinAverages { cross: [re, -im], ..bin.averages };
            let derived = BinEstimates { lag_phase: -bin.derived.lag_phase, ..bin.derived };
            let raw = [bin.raw[0], -bin.raw[1]];
            self.push(&CrossBin { freq: -bin.freq, averages, raw, derived, ..*bin });
        }
    }
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

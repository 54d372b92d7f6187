//! The averaged power spectrum: from sums over segments to powers, errors and noise.

use serde::{Deserialize, Serialize};

use super::context::{COMPAT_RULES, SpectrumContext};
use super::dead_time::noise::{DeadTimeRecord, NoiseContext};
use super::effective::EffectiveSegments;
use super::noise::NoiseLevel;
use super::noise_fit::NoiseFit;
use super::norm::{Norm, NormParameters};
use super::original_powers::OriginalPowers;
use super::power_bands::{BandRms, PulsationLimit};
use super::rebin::Rebin;
use crate::base::error::{Error, Result};
use crate::base::mend::Mend;
use crate::base::sums::Sums;
use crate::base::text::ShortNumber;
use crate::base::warning::Warning;
use crate::data::Record;

/// Below this many values in a bin, symmetric errors of power are misleading.
pub(super) const FEW_VALUES: f64 = 30.0;

/// Options of a power spectrum that do not concern segments: normalisation, rebinning, background and noise level.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct PowerOptions {
    /// Normalisation of the powers.
    pub norm: Norm,
    /// True: average the raw powers of all segments and normalise once by the mean rate. False: normalise each segment
    /// by its own rate before averaging.
    pub use_common_mean: bool,
    /// How frequency bins are combined.
    pub rebin: Rebin,
    /// Background rate, counts/s.
    pub background: f64,
    /// Where the noise level comes from.
    pub noise: NoiseLevel,
    /// Subtract the noise level from the powers.
    pub subtract_noise: bool,
}

impl Default for PowerOptions {
    fn default() -> PowerOptions {
        PowerOptions {
            norm: Norm::Leahy,
            use_common_mean: true,
            rebin: Rebin::None,
            background: 0.0,
            noise: NoiseLevel::Poisson,
            subtract_noise: false,
        }
    }
}

impl PowerOptions {
    /// The exponent `p` of the weights `N^−p` with which segments must be summed; `None` for sums without weights.
    pub fn weight_exponent(&self) -> Option<u32> {
        Some(self.norm.weight_exponent()).filter(|&p| p > 0 && !self.use_common_mean)
    }
}

/// Metadata of a power spectrum.
#[derive(Clone, Debug, Serialize, Deserialize)]
#[non_exhaustive]
pub struct PowerMetadata {
    /// Number of bins in a segment.
    pub n: usize,
    /// Number of segments averaged.
    pub segments: u64,
    /// How many segments of equal weight they are worth.
    #[serde(flatten)]
    pub effective: EffectiveSegments,
    /// Bin width, s.
    pub dt: f64,
    /// Frequency resolution before rebinning, Hz.
    pub df: f64,
    /// Length of a segment, s.
    pub segment_size: f64,
    /// Mean number of photons in a segment.
    pub nphots: f64,
    /// Mean counts (or flux) in a bin.
    pub mean: f64,
    /// Normalisation of the powers.
    pub norm: Norm,
    /// Noise level in that normalisation; the mean over frequencies if it depends on them.
    pub noise_mean: f64,
    /// Standard error of `noise_mean` if the level was fitted, else 0.
    pub noise_mean_err: f64,
    /// True if the noise level was subtracted from the powers.
    pub noise_subtracted: bool,
    /// Dead time in the noise level, if one was given or fitted.
    #[serde(flatten)]
    pub dead_time: Option<DeadTimeRecord>,
    /// Rms in a frequency band, if it was asked for.
    #[serde(flatten)]
    pub rms: Option<BandRms>,
    /// Upper limit of the pulsed fraction in a frequency band, if it was asked for.
    #[serde(flatten)]
    pub pulsation: Option<PulsationLimit>,
    /// Confidence of the intervals `power_lo` to `power_hi`, if there are any.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub interval_confidence: Option<f64>,
    /// Background rate, counts/s.
    pub background: f64,
    /// `poisson` for counts, `gauss` for a series with errors of its own.
    pub err_dist: String,
    /// Mean squared error of a bin, for a series with errors of its own.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub variance: Option<f64>,
    /// True if all segments were normalised by their common mean.
    pub use_common_mean: bool,
    /// Rules of Stingray that errors follow, where they were asked for.
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub compat_rules: String,
    /// Mean of the segments' own Poisson levels, where each was normalised by the square of its own mean.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub own_noise_mean: Option<f64>,
    /// Factors to convert the powers.
    #[serde(skip)]
    pub scale: PowerScale,
    /// Segments that could not be averaged, such as empty ones.
    pub skipped_segments: u64,
    /// Time in the segments averaged, s.
    pub exposure: f64,
    /// What made the product.
    #[serde(flatten)]
    pub record: Record,
}

/// Factors to convert the powers of a spectrum to the fractional normalisation and to compare them with Poisson noise.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
#[non_exhaustive]
pub struct PowerScale {
    /// Factor that turns a power of the spectrum into one of the fractional normalisation.
    pub frac: f64,
    /// Poisson noise level, or the level that follows from the errors of a light curve, in the normalisation of the
    /// spectrum; of segments with means of their own, the mean of their levels.
    pub poisson: f64,
    /// Rate of the source, background subtracted, counts/s.
    pub source_rate: f64,
}

impl PowerScale {
    /// The factors that follow from the metadata.
    pub(crate) fn of(meta: &PowerMetadata) -> PowerScale {
        let (norm, level) = (meta.norm, meta.level());
        PowerScale {
            frac: Norm::Frac.factor(&level) / norm.factor(&level),
            poisson: meta.own_noise_mean.unwrap_or_else(|| norm.noise(&level)),
            source_rate: (level.mean - level.background) / level.dt,
        }
    }
}

/// Says that a series cannot be counts, so that Poisson has no level for it.
pub(super) fn no_counts(mean: f64) -> Warning {
    let message = format!(
        "a mean of {} counts a bin, without errors, is none of counts: the noise level is taken to be 0",
        ShortNumber(mean)
    );
    Warning::new("W-NO-COUNTS", message).mended_by([Mend::field("noise")])
}

/// A power spectrum averaged over segments, one entry a frequency bin, all columns of equal length. Frequencies run
/// from `1/segment_size` to below the Nyquist frequency; zero and Nyquist are left out.
#[derive(Clone, Debug)]
#[non_exhaustive]
pub struct AveragedPowerSpectrum {
    /// Frequency, Hz: the mean of the averaged frequencies.
    pub freq: Vec<f64>,
    /// Width of the frequency bin, Hz.
    pub width: Vec<f64>,
    /// Power in the normalisation of the metadata.
    pub power: Vec<f64>,
    /// Standard error `√ΣP²/(K√m_eff)` of `power` over the K original frequencies, where `P` includes noise, in the unit of `power`.
    pub power_err: Vec<f64>,
    /// Raw power `|F|²`, averaged.
    pub unnorm_power: Vec<f64>,
    /// Noise level, in the unit of `power`.
    pub noise: Vec<f64>,
    /// Standard error of `noise` if the level was fitted, else 0. It is fully correlated between bins: a negative sign
    /// means that the level of this bin falls when others rise.
    pub noise_err: Vec<f64>,
    /// Powers averaged in the bin: segments times original frequencies.
    pub m: Vec<u64>,
    /// Lower end of the χ² interval of the power; empty before [`AveragedPowerSpectrum::add_intervals`].
    pub power_lo: Vec<f64>,
    /// Upper end of the χ² interval of the power; empty before [`AveragedPowerSpectrum::add_intervals`].
    pub power_hi: Vec<f64>,
    /// Decimal logarithm of the probability that noise reaches the power of the bin, one trial; empty before
    /// [`AveragedPowerSpectrum::add_probabilities`].
    pub log10_p: Vec<f64>,
    /// Values at the original frequencies, where these were combined to bins in memory.
    pub(crate) original: Option<Box<OriginalPowers>>,
    /// Metadata: resolution, normalisation, record.
    pub meta: PowerMetadata,
}

/// True if transforms in single precision are accurate enough for these averaged raw powers of `m` segments.
///
/// Amplitudes are within `1e-6·√P̄ + 2e-7·√P_max` of the exact ones, as a rule within a fifth of that, `a`. Powers are
/// then off by `2a√P`, which should stay below 1 % of the statistical error `P/√m` in all but 1 % of the bins.
pub fn single_precision_suffices(power: &[f64], m: u64) -> bool {
    let largest = power.iter().copied().fold(0.0, f64::max);
    let mean = power.iter().sum::<f64>() / power.len().max(1) as f64;
    let a = (1e-6 * mean.sqrt() + 2e-7 * largest.sqrt()) / 5.0;
    let spoiled = power.iter().filter(|&&p| 2.0 * a * p.sqrt() > 1e-2 * p / (m as f64).sqrt()).count();
    spoiled * 100 <= power.len()
}

impl AveragedPowerSpectrum {
    /// Sums to spectrum. `sums` must hold at least one segment; `flux` tells flux samples from counts.
    pub(crate) fn new(
        sums: &Sums,
        flux: bool,
        options: &PowerOptions,
        context: SpectrumContext,
    ) -> Result<AveragedPowerSpectrum> {
        let SpectrumContext { n, dt, segment_size, compat_stingray, .. } = context;
        let m = sums.segments as f64;
        let own = sums.series.first().copied().unwrap_or_default();
        let mean = if flux { own.flux_mean / m } else { own.photons as f64 / m / n as f64 };
        let variance = (flux && own.variance > 0.0).then(|| own.variance / m);
        let background = options.background;
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
        let level = NormParameters { n, dt, mean, background: background * dt, variance };
        let own_means = options.weight_exponent().filter(|_| !flux);
        let effective = match compat_stingray {
            true => EffectiveSegments::equal(sums.segments),
            false => EffectiveSegments::of_sums(sums, 0, variance.is_none() && own_means.is_none()),
        };
        let count = crate::numerics::fft::frequencies(n);
        let (raw, weighted) = sums.power.split_at(count);
        let normalised: Vec<f64> = match own_means {
            Some(_) => {
                let factor = options.norm.weighted_factor(n, dt);
                weighted.iter().map(|p| p / m * factor).collect()
            }
            None => {
                let factor = options.norm.factor(&level);
                raw.iter().map(|p| p / m * factor).collect()
            }
        };
        // With squares of their own means, segments of few photons have most of the noise: the mean of 1/N is not 1 over that of N.
        let weights = sums.weights.first().map_or(0.0, |weights| weights.0[0]);
        let own_noise_mean = own_means
            .filter(|&p| p == 2 && !compat_stingray)
            .map(|_| options.norm.weighted_factor(n, dt) * weights / m);
        let poisson = own_noise_mean.unwrap_or_else(|| options.norm.noise(&level));
        let m_eff = effective.m_eff;
        let seen = NoiseContext { power: &normalised, poisson, m_eff, n, dt, rate: mean / dt };
        let noise = options.noise.levels(&seen)?;
        let fit = NoiseFit { power: &normalised, noise: &noise, m_eff, df: 1.0 / segment_size }.warning("");
        let mut spectrum = AveragedPowerSpectrum::empty(options, context);
        let meta = &mut spectrum.meta;
        (meta.segments, meta.effective, meta.own_noise_mean) = (sums.segments, effective, own_noise_mean);
        meta.nphots = mean * n as f64;
        meta.mean = mean;
        meta.noise_mean = noise.level.mean();
        meta.noise_mean_err = noise.err.mean().abs();
        meta.dead_time = noise.dead_time;
        meta.noise_subtracted = options.subtract_noise;
        meta.use_common_mean = flux || options.use_common_mean;
        meta.variance = variance;
        meta.err_dist = if variance.is_some() { "gauss" } else { "poisson" }.into();
        meta.scale = PowerScale::of(meta);
        meta.skipped_segments = sums.skipped;
        meta.exposure = m * segment_size;
        let original = OriginalPowers {
            power: normalised,
            raw: raw.to_vec(),
            raw_terms: m,
            noise: noise.level,
            noise_err: noise.err,
        };
        spectrum.fill(&original, options.rebin)?;
        options.norm.check(&level, spectrum.mean_err())?;
        if flux && variance.is_none() && mean < 0.0 && options.noise == NoiseLevel::Poisson {
            spectrum.meta.record.warnings.record(no_counts(mean));
        }
        if options.rebin != Rebin::None {
            spectrum.original = Some(Box::new(original));
        }
        fit.into_iter().for_each(|warning| spectrum.meta.record.warnings.record(warning));
        let few = spectrum.m.iter().filter(|values| spectrum.worth(**values) < FEW_VALUES).count() as u64;
        if few > 0 {
            let message = format!("{few} bins average fewer than {FEW_VALUES} values: their errors are not Gaussian");
            spectrum.meta.record.warnings.push("W-FEW-VALUES", message);
        }
        Ok(spectrum)
    }

    /// A spectrum without frequencies: the record of an analysis that had no segment and no photon.
    pub(crate) fn empty(options: &PowerOptions, context: SpectrumContext) -> AveragedPowerSpectrum {
        let SpectrumContext { n, dt, segment_size, compat_stingray, record } = context;
        let meta = PowerMetadata {
            n,
            segments: 0,
            effective: EffectiveSegments::default(),
            dt,
            df: 1.0 / segment_size,
            segment_size,
            nphots: 0.0,
            mean: 0.0,
            norm: options.norm,
            noise_mean: 0.0,
            noise_mean_err: 0.0,
            noise_subtracted: false,
            dead_time: None,
            rms: None,
            pulsation: None,
            interval_confidence: None,
            background: options.background,
            err_dist: "poisson".into(),
            variance: None,
            use_common_mean: options.use_common_mean,
            compat_rules: if compat_stingray { COMPAT_RULES.into() } else { String::new() },
            own_noise_mean: None,
            scale: PowerScale::default(),
            skipped_segments: 0,
            exposure: 0.0,
            record,
        };
        AveragedPowerSpectrum {
            freq: Vec::new(),
            width: Vec::new(),
            power: Vec::new(),
            power_err: Vec::new(),
            unnorm_power: Vec::new(),
            noise: Vec::new(),
            noise_err: Vec::new(),
            m: Vec::new(),
            power_lo: Vec::new(),
            power_hi: Vec::new(),
            log10_p: Vec::new(),
            original: None,
            meta,
        }
    }

    /// Standard error of the mean of a bin; see [`NormParameters::mean_err`]. A spectrum of events is told by the events that were read.
    pub(crate) fn mean_err(&self) -> f64 {
        let meta = &self.meta;
        let width: f64 = self.width.iter().sum();
        let power = self.unnorm_power.iter().zip(&self.width).map(|(p, w)| p * w).sum::<f64>() / width;
        let of_series = meta.record.is_of_series();
        meta.level().mean_err(meta.n as f64 * meta.segments as f64, of_series.then_some(power))
    }

    /// Refuses what divides by the rate of the source where that cannot be told from 0.
    pub(super) fn check_source(&self, field: &'static str, [lo, hi]: [f64; 2]) -> Result<()> {
        let Some(message) = Norm::Frac.refusal(&self.meta.level(), self.mean_err()) else { return Ok(()) };
        let of_background = (self.meta.background > 0.0).then(|| Mend::field("background"));
        Err(Error::argument(field, format!("{lo}:{hi}"), message).mended_by(of_background))
    }

    /// Makes room for frequencies.
    pub(super) fn reserve(&mut self, count: usize) {
        let Self { freq, width, power, power_err, unnorm_power, noise, noise_err, m, .. } = self;
        for column in [freq, width, power, power_err, unnorm_power, noise, noise_err] {
            column.reserve_exact(count);
        }
        m.reserve_exact(count);
    }

    /// Number of frequencies.
    pub fn len(&self) -> usize {
        self.freq.len()
    }

    /// True if there is no frequency.
    pub fn is_empty(&self) -> bool {
        self.freq.is_empty()
    }

    /// What was subtracted from the power of a bin.
    pub(crate) fn subtracted(&self, i: usize) -> f64 {
        if self.meta.noise_subtracted { self.noise[i] } else { 0.0 }
    }

    /// Power of a bin with its noise, whether or not that was subtracted.
    pub(crate) fn total_power(&self, i: usize) -> f64 {
        self.power[i] + self.subtracted(i)
    }

    /// Index of the bin with the largest power; `None` if there is no bin.
    pub fn peak(&self) -> Option<usize> {
        (0..self.len()).max_by(|&a, &b| self.power[a].total_cmp(&self.power[b]))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn single_precision_is_doubted_for_steep_spectra_alone() {
        let flat = vec![1e4; 1000];
        assert!(single_precision_suffices(&flat, 100));
        let steep: Vec<f64> = (1..=1000).map(|k| 1e12 / f64::from(k).powi(4) + 1.0).collect();
        assert!(!single_precision_suffices(&steep, 100));
        assert!(single_precision_suffices(&[], 1));
    }
}

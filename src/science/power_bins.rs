//! Power spectra made of power spectra: rebinned, or in another normalisation.
//!
//! A spectrum in memory that was rebinned keeps the values at its original frequencies, so that what is derived from it does not depend
//! on the bins. One that was read has what its file has: of a rebinned file, rebinned values.

use super::Norm;
use super::dead_time::noise::ByFrequency;
use super::effective::EffectiveSegments;
use super::norm::NormParameters;
use super::original_powers::OriginalPowers;
use super::power::{AveragedPowerSpectrum, PowerMetadata, PowerScale};
use super::rebin::Rebin;
use crate::base::error::{Error, Result};
use crate::base::mend::Mend;

/// Frequencies about one whose mean power tells how much of it is of a source.
const ABOUT: usize = 16;
/// Standard errors from which on a power is not noise alone.
const ABOVE_NOISE: f64 = 3.0;

/// One bin of a spectrum, or one original frequency.
pub(crate) struct PowerBin {
    /// Centre, Hz.
    pub freq: f64,
    /// Width, Hz.
    pub width: f64,
    /// Power, noise included.
    pub total: f64,
    /// Noise level.
    pub noise: f64,
    /// Its standard error.
    pub noise_err: f64,
    /// Standard error of `total`.
    pub err: f64,
}

/// The relative variances of powers at original frequencies: more than those of noise where a source outweighs it in segments of more photons. `alike` is the number of
/// segments where means of their own make sources weigh the same; see [`EffectiveSegments::relative_variance`].
pub(crate) fn relative_variances(
    power: &[f64],
    noise: &ByFrequency,
    effective: &EffectiveSegments,
    alike: Option<u64>,
) -> Vec<f64> {
    let plain = effective.relative_variance(0.0, None);
    let ratio = |from: usize, to: usize| {
        let count = (to - from) as f64;
        let mean = power[from..to].iter().sum::<f64>() / count;
        let noise = noise.mean_of(from..to);
        let above = mean - noise > ABOVE_NOISE * mean * (plain / count).sqrt();
        above.then(|| (mean - noise) / noise.max(f64::MIN_POSITIVE))
    };
    let one = |k: usize| {
        let about = || ratio(k.saturating_sub(ABOUT), (k + ABOUT + 1).min(power.len()));
        effective.relative_variance(ratio(k, k + 1).or_else(about).unwrap_or(0.0), alike)
    };
    if effective.m_eff == effective.m_eff_order4 {
        return vec![plain; power.len()];
    }
    (0..power.len()).map(one).collect()
}

/// Those of a spectrum.
fn variances_of(original: &OriginalPowers, meta: &PowerMetadata) -> Vec<f64> {
    let alike = (!meta.use_common_mean || meta.variance.is_some()).then_some(meta.segments);
    relative_variances(&original.power, &original.noise, &meta.effective, alike)
}

impl AveragedPowerSpectrum {
    /// The bins at the original frequencies where the spectrum has them, else its own.
    pub(crate) fn finest_bins(&self) -> Box<dyn Iterator<Item = PowerBin> + '_> {
        let meta = &self.meta;
        match &self.original {
            Some(original) => {
                let variances = variances_of(original, meta);
                Box::new(original.power.iter().zip(variances).enumerate().map(move |(i, (&total, variance))| {
                    PowerBin {
                        freq: (i + 1) as f64 / meta.segment_size,
                        width: 1.0 / meta.segment_size,
                        total,
                        noise: original.noise.mean_of(i..i + 1),
                        noise_err: original.noise_err.mean_of(i..i + 1),
                        err: total * variance.sqrt(),
                    }
                }))
            }
            None => Box::new((0..self.len()).map(|i| PowerBin {
                freq: self.freq[i],
                width: self.width[i],
                total: self.total_power(i),
                noise: self.noise[i],
                noise_err: self.noise_err[i],
                err: self.power_err[i],
            })),
        }
    }

    /// Fills the columns with averages of original values.
    pub(crate) fn fill(&mut self, original: &OriginalPowers, rebin: Rebin) -> Result<()> {
        let ranges = rebin.ranges(original.power.len())?;
        self.reserve(ranges.clone().count());
        let (segments, segment_size) = (self.meta.segments, self.meta.segment_size);
        let (variances, root) = (variances_of(original, &self.meta), self.meta.effective.m_eff.sqrt());
        let weigh_the_same = self.meta.effective.m_eff == self.meta.effective.m_eff_order4;
        let average = |values: &[f64]| values.iter().sum::<f64>() / values.len() as f64;
        for range in ranges {
            let values = segments * range.len() as u64;
            // Original bin `k` stands at place `k − 1`.
            let centre = (range.start + range.end + 1) as f64 / 2.0;
            let power = average(&original.power[range.clone()]);
            self.freq.push(centre / segment_size);
            self.width.push(range.len() as f64 / segment_size);
            let level = original.noise.mean_of(range.clone());
            self.power.push(if self.meta.noise_subtracted { power - level } else { power });
            // Powers need not be the same inside a bin.
            let squares = original.power[range.clone()].iter().map(|p| p * p);
            self.power_err.push(match range.len() {
                1 if weigh_the_same => power / root,
                _ if !self.meta.compat_rules.is_empty() => power / (values as f64).sqrt(),
                width if weigh_the_same => squares.sum::<f64>().sqrt() / width as f64 / root,
                width => {
                    let terms = squares.zip(&variances[range.clone()]).map(|(square, variance)| square * variance);
                    terms.sum::<f64>().sqrt() / width as f64
                }
            });
            self.noise.push(level);
            self.noise_err.push(original.noise_err.mean_of(range.clone()));
            self.unnorm_power.push(average(&original.raw[range]) / original.raw_terms);
            self.m.push(values);
        }
        Ok(())
    }

    /// The spectrum with its original frequencies combined to bins, whatever bins it has.
    ///
    /// # Errors
    /// The spectrum has rebinned values alone, because it was read from a file that does; its frequencies are not independent
    /// (tapers, or steps finer than one over the span); see [`Rebin::ranges`].
    pub fn rebin(&self, rebin: Rebin) -> Result<AveragedPowerSpectrum> {
        let original = match &self.original {
            Some(original) => (**original).clone(),
            None => self.as_original()?,
        };
        let mut new = self.without_bins();
        new.fill(&original, rebin)?;
        if let Some(confidence) = self.meta.interval_confidence {
            new.add_intervals(confidence);
        }
        if !self.log10_p.is_empty() {
            new.add_probabilities();
        }
        // What was found in other bins.
        new.meta.pulsation = None;
        if let Some(options) = new.meta.record.options.as_object_mut() {
            options.insert("rebin".into(), serde_json::to_value(rebin).unwrap_or_default());
        }
        new.original = (rebin != Rebin::None).then(|| Box::new(original));
        Ok(new)
    }

    /// The columns of a spectrum that was not rebinned, as original values.
    fn as_original(&self) -> Result<OriginalPowers> {
        let fail = |message: &str| Err(Error::argument("rebin", "", message));
        let df = 1.0 / self.meta.segment_size;
        if self.width.iter().any(|width| (width / df - 1.0).abs() > 1e-6) {
            let message = "the spectrum has bins of rebinned or oversampled frequencies, and those at the original ones are not in it";
            return fail(message).map_err(|e| e.mended_by([Mend::field("rebin").doing("in the analysis itself")]));
        }
        if self.m.iter().any(|m| *m != self.meta.segments) {
            return fail("neighbouring frequencies are not independent, as those of tapers");
        }
        Ok(OriginalPowers {
            power: (0..self.len()).map(|i| self.total_power(i)).collect(),
            raw: self.unnorm_power.clone(),
            raw_terms: 1.0,
            noise: ByFrequency::Each(self.noise.clone()),
            noise_err: ByFrequency::Each(self.noise_err.clone()),
        })
    }

    /// The same without bins.
    pub(crate) fn without_bins(&self) -> AveragedPowerSpectrum {
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
            meta: self.meta.clone(),
        }
    }

    /// The spectrum in another normalisation.
    ///
    /// # Errors
    /// Segments were each normalised by their own photons, whose powers cannot be brought to another normalisation; or that one
    /// divides by a mean that cannot be told from 0.
    pub fn to_norm(&self, norm: Norm) -> Result<AveragedPowerSpectrum> {
        let mut new = self.clone();
        if norm == self.meta.norm {
            return Ok(new);
        }
        if !self.meta.use_common_mean && self.meta.norm.weight_exponent() > 0 {
            let message =
                "each segment was normalised by its own mean, so powers cannot be brought to another normalisation";
            return Err(Error::argument("norm", norm, message).mended_by([Mend::set("use_common_mean", true)]));
        }
        let level = self.meta.level();
        let ratio = norm.factor(&level) / self.meta.norm.factor(&level);
        norm.check(&level, self.mean_err())?;
        let columns = [&mut new.power, &mut new.power_err, &mut new.noise, &mut new.noise_err, &mut new.power_lo];
        for column in columns.into_iter().chain([&mut new.power_hi]) {
            column.iter_mut().for_each(|value| *value *= ratio);
        }
        if let Some(original) = &mut new.original {
            original.power.iter_mut().for_each(|value| *value *= ratio);
            for levels in [&mut original.noise, &mut original.noise_err] {
                levels.scale(ratio);
            }
        }
        new.meta.noise_mean *= ratio;
        new.meta.noise_mean_err *= ratio;
        new.meta.norm = norm;
        new.meta.use_common_mean = true;
        new.meta.scale = PowerScale::of(&new.meta);
        if let Some(options) = new.meta.record.options.as_object_mut() {
            options.insert("norm".into(), serde_json::to_value(norm).unwrap_or_default());
        }
        Ok(new)
    }
}

impl PowerMetadata {
    /// The numbers that the normalisation depends on.
    pub(crate) fn level(&self) -> NormParameters {
        let PowerMetadata { n, dt, mean, variance, .. } = *self;
        NormParameters { n, dt, mean, background: self.background * dt, variance }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::base::sums::{SeriesSums, Sums};
    use crate::science::NoiseLevel;
    use crate::science::context::SpectrumContext;
    use crate::science::power::PowerOptions;

    /// Eleven frequencies of 20 segments of 4 s with 100 photons each.
    fn spectrum(options: &PowerOptions) -> AveragedPowerSpectrum {
        let power: Vec<f64> = (0..11).map(|i| 20.0 * (100.0 + 37.0 * f64::from(i * i % 7))).collect();
        let series = vec![SeriesSums { photons: 2000, ..SeriesSums::default() }];
        let sums = Sums { power, segments: 20, series, ..Sums::default() };
        let context = SpectrumContext { n: 24, dt: 4.0 / 24.0, segment_size: 4.0, ..SpectrumContext::default() };
        AveragedPowerSpectrum::new(&sums, false, options, context).unwrap()
    }

    fn columns(s: &AveragedPowerSpectrum) -> [Vec<f64>; 6] {
        [&s.freq, &s.width, &s.power, &s.power_err, &s.noise, &s.noise_err].map(Clone::clone)
    }

    #[test]
    fn rebinned_later_is_rebinned_at_once() {
        for noise in [NoiseLevel::Poisson, NoiseLevel::Band(1.5, 2.6)] {
            let plain = PowerOptions { noise, background: 3.0, norm: Norm::Frac, ..PowerOptions::default() };
            for rebin in [Rebin::Linear(3), Rebin::Geometric(0.5)] {
                let at_once = spectrum(&PowerOptions { rebin, ..plain.clone() });
                let later = spectrum(&plain).rebin(rebin).unwrap();
                assert_eq!(columns(&later), columns(&at_once));
                assert_eq!(later.m, at_once.m);
                // Averaged before they were divided, or after.
                let raw = later.unnorm_power.iter().zip(&at_once.unnorm_power);
                assert!(raw.into_iter().all(|(a, b)| (a / b - 1.0).abs() < 1e-14));
                // In memory the original values are kept, whatever the bins.
                let back = at_once.rebin(Rebin::None).unwrap();
                assert_eq!(columns(&back), columns(&spectrum(&plain)));
                assert_eq!(at_once.rms(0.3, 2.1).unwrap(), spectrum(&plain).rms(0.3, 2.1).unwrap());
                // A file has what it has.
                let read = AveragedPowerSpectrum { original: None, ..at_once };
                assert!(read.rebin(Rebin::Linear(2)).unwrap_err().to_string().contains("rebinned"));
            }
        }
    }

    #[test]
    fn norms_change_into_each_other() {
        let norms = [Norm::Leahy, Norm::Frac, Norm::Abs, Norm::None];
        let options = |norm| PowerOptions { norm, background: 3.0, subtract_noise: true, ..PowerOptions::default() };
        for from in norms {
            for to in norms {
                let (got, expected) = (spectrum(&options(from)).to_norm(to).unwrap(), spectrum(&options(to)));
                for (a, b) in columns(&got).iter().flatten().zip(columns(&expected).iter().flatten()) {
                    assert!((a - b).abs() <= 1e-12 * b.abs().max(expected.noise[0]), "{from} to {to}: {a} {b}");
                }
                assert!((got.meta.scale.frac / expected.meta.scale.frac - 1.0).abs() < 1e-14);
            }
        }
        let own = PowerOptions { use_common_mean: false, ..options(Norm::Abs) };
        assert!(spectrum(&own).to_norm(Norm::Leahy).is_ok());
    }
}

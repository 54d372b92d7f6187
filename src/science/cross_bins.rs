//! Cross spectra made of cross spectra: rebinned, or in another normalisation.

use super::Norm;
use super::cross::{AveragedCrossSpectrum, CrossBin, CrossMetadata, factors};
use super::cross_errors::{BinAverages, BinEstimates};
use super::norm::NormParameters;
use super::rebin::Rebin;
use crate::base::error::{Error, Result};
use crate::base::mend::Mend;

impl AveragedCrossSpectrum {
    /// The spectrum with its frequencies combined to bins. Lags, coherences and errors are computed anew from the averages, by the
    /// formulas of [`cross_errors`](super::cross_errors).
    ///
    /// # Errors
    /// The spectrum has bins of several frequencies already, zero and negative frequencies, or coherences by Stingray's rules; see
    /// [`Rebin::ranges`].
    pub fn rebin(&self, rebin: Rebin) -> Result<AveragedCrossSpectrum> {
        let fail = |message: &str| {
            let mend = Mend::field("rebin").doing("in the analysis itself");
            Err(Error::argument("rebin", "", message).mended_by([mend]))
        };
        let (segments, segment_size) = (self.meta.segments, self.meta.segment_size);
        if self.freq.first().is_some_and(|first| *first <= 0.0) {
            return fail("a spectrum with zero and negative frequencies is not rebinned");
        }
        if self.m.iter().any(|m| *m != segments) {
            return fail("the spectrum has bins of several frequencies, and those at the original ones are not in it");
        }
        if self.meta.record.options["compat_stingray"] == true {
            return fail("coherences and errors are those of Stingray's rules, which need raw sums");
        }
        let mut new = AveragedCrossSpectrum::empty(CrossMetadata { bins_without_coherence: 0, ..self.meta.clone() });
        for range in rebin.ranges(self.len())? {
            let mean = |column: &[f64]| column[range.clone()].iter().sum::<f64>() / range.len() as f64;
            let averages = BinAverages {
                power: [mean(&self.power1), mean(&self.power2)],
                noise: [mean(&self.noise1), mean(&self.noise2)],
                cross: [mean(&self.power_re), mean(&self.power_im)],
            };
            let values = segments * range.len() as u64;
            new.push(&CrossBin {
                freq: (range.start + range.end + 1) as f64 / 2.0 / segment_size,
                width: range.len() as f64 / segment_size,
                values,
                averages,
                raw: [mean(&self.unnorm_power_re), mean(&self.unnorm_power_im)],
                derived: BinEstimates::new(&averages, values as f64),
            });
        }
        if let Some(options) = new.meta.record.options.as_object_mut() {
            options.insert("rebin".into(), serde_json::to_value(rebin).unwrap_or_default());
        }
        Ok(new)
    }

    /// The spectrum in another normalisation. Lags and coherences stay as they are.
    ///
    /// # Errors
    /// Segments were each normalised by their own photons, whose powers cannot be brought to another normalisation; or that one
    /// divides by a mean that cannot be told from 0.
    pub fn to_norm(&self, norm: Norm) -> Result<AveragedCrossSpectrum> {
        let mut new = self.clone();
        if norm == self.meta.norm {
            return Ok(new);
        }
        if !self.meta.use_common_mean && self.meta.norm.weight_exponent() > 0 {
            let message =
                "each segment was normalised by its own means, so powers cannot be brought to another normalisation";
            return Err(Error::argument("norm", norm, message).mended_by([Mend::set("use_common_mean", true)]));
        }
        let levels = self.meta.levels();
        let (old, wanted) = (factors(self.meta.norm, &levels), factors(norm, &levels));
        let [subject, reference, cross] = [0, 1, 2].map(|i| wanted[i] / old[i]);
        let of_series = self.meta.record.photons.read == 0;
        for ((level, column), old) in levels.iter().zip([&self.power1, &self.power2]).zip(old) {
            let inside = self.freq.iter().zip(column).zip(&self.width).filter(|((f, _), _)| **f > 0.0);
            let (sum, width) = inside.fold((0.0, 0.0), |(sum, width), ((_, p), w)| (sum + p * w, width + w));
            let power = of_series.then_some(sum / width / old);
            norm.check(level, level.mean_err(self.meta.n as f64 * self.meta.segments as f64, power))?;
        }
        for (ratio, columns) in [
            (subject, [&mut new.power1, &mut new.noise1].into_iter().collect::<Vec<_>>()),
            (reference, vec![&mut new.power2, &mut new.noise2]),
            (
                cross,
                vec![
                    &mut new.power_re,
                    &mut new.power_im,
                    &mut new.power_err,
                    &mut new.cross_err_re,
                    &mut new.cross_err_im,
                ],
            ),
        ] {
            columns.into_iter().flatten().for_each(|value| *value *= ratio);
        }
        new.meta.noise1_mean *= subject;
        new.meta.noise2_mean *= reference;
        (new.meta.norm, new.meta.use_common_mean) = (norm, true);
        if let Some(options) = new.meta.record.options.as_object_mut() {
            options.insert("norm".into(), serde_json::to_value(norm).unwrap_or_default());
        }
        Ok(new)
    }
}

impl CrossMetadata {
    /// The numbers that the normalisations of subject and reference depend on.
    fn levels(&self) -> [NormParameters; 2] {
        let level = |mean: f64, background: f64, variance| NormParameters {
            n: self.n,
            dt: self.dt,
            mean,
            background: background * self.dt,
            variance,
        };
        [level(self.mean1, self.background1, self.variance1), level(self.mean2, self.background2, self.variance2)]
    }
}

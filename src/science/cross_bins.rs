//! Cross spectra made of cross spectra: rebinned, or in another normalisation.

use serde::Serialize;

use super::Norm;
use super::cross::{AveragedCrossSpectrum, CrossBin, CrossMetadata, factors};
use super::cross_errors::{BinAverages, BinEstimates, BinsWorth, TimeLag};
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
        if self.original.is_none() && self.m.iter().any(|m| *m != segments) {
            return fail("the spectrum has bins of several frequencies, and those at the original ones are not in it");
        }
        if self.meta.record.options["compat_stingray"] == true {
            return fail("coherences and errors are those of Stingray's rules, which need raw sums");
        }
        let original = self.original.clone().unwrap_or_else(|| self.averages());
        // Raw cross powers are the normalised ones without a factor that is the same for all.
        let raw = self.power_re.iter().zip(&self.unnorm_power_re).map(|(p, raw)| [raw * p, p * p]);
        let [product, square] = raw.fold([0.0; 2], |[a, b], [x, y]| [a + x, b + y]);
        let raw = if square > 0.0 { product / square } else { 1.0 };
        let mut new = AveragedCrossSpectrum::empty(CrossMetadata { bins_without_coherence: 0, ..self.meta.clone() });
        let mut worth = BinsWorth::new(&self.meta.effective, segments);
        for range in rebin.ranges(original.len())? {
            let each = &original[range.clone()];
            let averages = BinAverages::mean(each);
            let worth = worth.of(range.len() as u64);
            new.push(&CrossBin {
                freq: (range.start + range.end + 1) as f64 / 2.0 / segment_size,
                width: range.len() as f64 / segment_size,
                values: segments * range.len() as u64,
                averages,
                raw: averages.cross.map(|part| part * raw),
                derived: BinEstimates::of_frequencies(each, &averages, worth),
                time_lag: TimeLag::of(each, |k| (range.start + k + 1) as f64 / segment_size),
            });
        }
        new.original = (rebin != Rebin::None).then_some(original);
        if let Some(options) = new.meta.record.options.as_object_mut() {
            options.insert("rebin".into(), serde_json::to_value(rebin).unwrap_or_default());
        }
        Ok(new)
    }

    /// The averages of the bins.
    fn averages(&self) -> Vec<BinAverages> {
        let one = |k: usize| BinAverages {
            power: [self.power1[k], self.power2[k]],
            noise: [self.noise1[k], self.noise2[k]],
            cross: [self.power_re[k], self.power_im[k]],
        };
        (0..self.len()).map(one).collect()
    }

    /// Lag and coherence between `lo` and `hi` Hz: of the powers and cross powers of all original frequencies in `lo ≤ f < hi`, averaged. Of a spectrum that was rebinned
    /// before it was written, of all bins whose middle is there, with the weight of their values.
    ///
    /// # Errors
    /// The spectrum has no bin there; coherences are by Stingray's rules.
    pub fn lag(&self, lo: f64, hi: f64) -> Result<BandLag> {
        if self.meta.record.options["compat_stingray"] == true {
            let message = "coherences and errors are those of Stingray's rules, which need raw sums";
            return Err(Error::argument("compat_stingray", "", message));
        }
        let segments = self.meta.segments;
        let at = |k: usize| (k + 1) as f64 / self.meta.segment_size;
        // Frequency, values, and averages of each.
        let bins: Vec<(f64, u64, BinAverages)> = match &self.original {
            Some(original) => original.iter().enumerate().map(|(k, averages)| (at(k), segments, *averages)).collect(),
            None => self.averages().into_iter().enumerate().map(|(k, one)| (self.freq[k], self.m[k], one)).collect(),
        };
        let bins: Vec<_> = bins.into_iter().filter(|(freq, ..)| (lo..hi).contains(freq)).collect();
        let values: u64 = bins.iter().map(|(_, m, _)| m).sum();
        if values == 0 {
            let (first, last) = (self.freq.first().copied().unwrap_or(0.0), self.freq.last().copied().unwrap_or(0.0));
            return Err(Error::argument("lag", format!("{lo}:{hi}"), format!("the spectrum has {first} to {last} Hz")));
        }
        let freq = bins.iter().map(|(freq, m, _)| freq * *m as f64).sum::<f64>() / values as f64;
        let (at, each): (Vec<f64>, Vec<BinAverages>) = bins
            .iter()
            .flat_map(|(freq, m, averages)| std::iter::repeat_n((*freq, *averages), (m / segments) as usize))
            .unzip();
        let worth = BinsWorth::new(&self.meta.effective, segments).of(values / segments);
        let derived = BinEstimates::of_frequencies(&each, &BinAverages::mean(&each), worth);
        let time_lag = TimeLag::of(&each, |k| at[k]);
        Ok(BandLag {
            freq,
            m: values,
            lag_phase: derived.lag_phase,
            lag_phase_err: derived.lag_phase_err,
            lag_time: time_lag.lag,
            lag_time_err: time_lag.err(derived.lag_phase_err),
            coherence_raw: derived.raw,
            coherence_raw_err: derived.raw_err,
            coherence_intrinsic: derived.intrinsic,
            coherence_intrinsic_err: derived.intrinsic_err,
        })
    }

    /// The cross spectrum with subject and reference exchanged: lags change their sign.
    #[must_use]
    pub fn exchanged(mut self) -> AveragedCrossSpectrum {
        std::mem::swap(&mut self.power1, &mut self.power2);
        std::mem::swap(&mut self.noise1, &mut self.noise2);
        for column in [&mut self.power_im, &mut self.unnorm_power_im, &mut self.lag_phase, &mut self.lag_time] {
            column.iter_mut().for_each(|value| *value = -*value);
        }
        if let Some(original) = &mut self.original {
            original.iter_mut().for_each(|averages| *averages = averages.exchanged());
        }
        let meta = &mut self.meta;
        meta.effective = meta.effective.exchanged();
        std::mem::swap(&mut meta.nphots1, &mut meta.nphots2);
        std::mem::swap(&mut meta.mean1, &mut meta.mean2);
        std::mem::swap(&mut meta.countrate1, &mut meta.countrate2);
        std::mem::swap(&mut meta.background1, &mut meta.background2);
        std::mem::swap(&mut meta.variance1, &mut meta.variance2);
        std::mem::swap(&mut meta.noise1_mean, &mut meta.noise2_mean);
        std::mem::swap(&mut meta.subject_inside_reference, &mut meta.reference_inside_subject);
        self
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
        let of_series = self.meta.record.is_of_series();
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
        for averages in new.original.iter_mut().flat_map(|original| original.iter_mut()) {
            for (value, ratio) in averages.power.iter_mut().zip([subject, reference]) {
                *value *= ratio;
            }
            for (value, ratio) in averages.noise.iter_mut().zip([subject, reference]) {
                *value *= ratio;
            }
            averages.cross.iter_mut().for_each(|value| *value *= cross);
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

/// Lag and coherence in a band of frequencies; the formulas are those of [`cross_errors`](super::cross_errors).
#[derive(Clone, Copy, Debug, PartialEq, Serialize)]
#[non_exhaustive]
pub struct BandLag {
    /// Mean frequency, Hz.
    pub freq: f64,
    /// Number of values averaged: segments times frequencies.
    pub m: u64,
    /// Phase lag, rad; positive: the subject is late.
    pub lag_phase: f64,
    /// Standard error of `lag_phase`; NaN where noise alone would do.
    pub lag_phase_err: f64,
    /// Time lag, s: the delay that the frequencies have in common.
    pub lag_time: f64,
    /// Standard error of `lag_time`.
    pub lag_time_err: f64,
    /// Raw coherence, noise included, bias subtracted.
    pub coherence_raw: f64,
    /// Standard error of `coherence_raw`.
    pub coherence_raw_err: f64,
    /// Intrinsic coherence, of the signals without noise.
    pub coherence_intrinsic: f64,
    /// Standard error of `coherence_intrinsic`.
    pub coherence_intrinsic_err: f64,
}

impl CrossMetadata {
    /// The numbers that the normalisations of subject and reference depend on.
    pub(super) fn levels(&self) -> [NormParameters; 2] {
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

//! The most significant powers of a spectrum, detection levels, and intervals of powers.

use std::collections::BTreeMap;

use rayon::prelude::*;
use serde::Serialize;

use super::power::AveragedPowerSpectrum;
use super::statistics::detection;

/// A power of a spectrum and the probability that white noise reaches it.
#[derive(Clone, Debug, PartialEq, Serialize)]
#[non_exhaustive]
pub struct SignificantBin {
    /// Frequency of the largest power, Hz.
    pub freq: f64,
    /// Power, in the normalisation of the spectrum.
    pub power: f64,
    /// The power, noise included, divided by half the noise level at its frequency: a Leahy power of which the noise
    /// level is 2.
    pub leahy_power: f64,
    /// Decimal logarithm of the probability that white noise reaches this power at any frequency of the spectrum.
    pub log10_p: f64,
    /// Number of frequencies of the spectrum.
    pub trials: u64,
    /// Segments averaged in the bin.
    pub m: u64,
    /// Original frequencies averaged in the bin.
    pub k: u64,
}

/// The power that is a detection in bins of `m·k` averaged values; see [`AveragedPowerSpectrum::detection_levels`].
#[derive(Clone, Debug, PartialEq, Serialize)]
#[non_exhaustive]
pub struct DetectionLevel {
    /// Segments averaged in the bins.
    pub m: u64,
    /// Original frequencies averaged in the bins.
    pub k: u64,
    /// Detection level as a Leahy power, of which the noise level is 2.
    pub leahy_power: f64,
    /// Detection level in the normalisation of the spectrum, for the mean noise level.
    pub power: f64,
}

impl AveragedPowerSpectrum {
    /// The noise level that significances are measured against, in the unit of `power`: the noise level of the
    /// spectrum, or Poisson's if that is 0. The mean over frequencies if dead time makes it vary.
    pub fn null_level(&self) -> f64 {
        self.tested(self.meta.noise_mean)
    }

    /// The same at one bin.
    pub(crate) fn null_at(&self, i: usize) -> f64 {
        self.tested(self.noise[i])
    }

    fn tested(&self, noise: f64) -> f64 {
        if noise > 0.0 && !self.meta.scale.poisson.is_nan() { noise } else { self.meta.scale.poisson }
    }

    /// The `count` most significant powers: those that noise of the level at their frequency (see
    /// [`AveragedPowerSpectrum::null_level`]) is least likely to reach, with as many trials as frequencies. Segments count by their
    /// [weights](super::effective), and a level that was fitted with its error. White noise is assumed: low frequencies of a source with red noise are significant, too.
    pub fn significant(&self, count: usize) -> Vec<SignificantBin> {
        let leahy = |i: usize| 2.0 * self.total_power(i) / self.null_at(i);
        // Among bins of as many values the largest powers are the least likely: few probabilities need computing.
        let mut largest: BTreeMap<u64, Vec<usize>> = BTreeMap::new();
        for i in (0..self.len()).filter(|&i| leahy(i).is_finite()) {
            let list = largest.entry(self.m[i]).or_default();
            let place = list.partition_point(|&j| leahy(j) >= leahy(i));
            if place < count {
                list.insert(place, i);
                list.truncate(count);
            }
        }
        let (trials, test) = (self.len() as u64, self.noise_test());
        let describe = |i: usize| SignificantBin {
            freq: self.freq[i],
            power: self.power[i],
            leahy_power: leahy(i),
            log10_p: test.ln_false_alarm(leahy(i), self.frequencies_of(self.m[i]), trials as f64)
                / std::f64::consts::LN_10,
            trials,
            m: self.meta.segments,
            k: self.m[i] / self.meta.segments,
        };
        let mut bins: Vec<SignificantBin> = largest.into_values().flatten().map(describe).collect();
        bins.sort_by(|a, b| a.log10_p.total_cmp(&b.log10_p));
        bins.truncate(count);
        bins
    }

    /// The powers that white noise at [`AveragedPowerSpectrum::null_level`] reaches at any frequency with
    /// `probability`. One level for each number of values averaged in a bin, ascending; a power above the level of its
    /// bin is a detection.
    pub fn detection_levels(&self, probability: f64) -> Vec<DetectionLevel> {
        let (level, test) = (self.null_level(), self.noise_test());
        let mut values: Vec<u64> = self.m.clone();
        values.sort_unstable();
        values.dedup();
        let describe = |values: u64| {
            let leahy_power = test.detection_power(probability.ln(), self.frequencies_of(values), self.len() as f64);
            let subtracted = if self.meta.noise_subtracted { level } else { 0.0 };
            let power = 0.5 * leahy_power * level - subtracted;
            DetectionLevel { m: self.meta.segments, k: values / self.meta.segments, leahy_power, power }
        };
        // Powers without a noise level have none.
        values.into_iter().map(describe).filter(|l| l.power.is_finite()).collect()
    }

    /// The power of a detection level at bin `i`, in the normalisation of the spectrum. It differs from
    /// [`DetectionLevel::power`] if the noise level depends on frequency.
    pub fn detection_power(&self, level: &DetectionLevel, i: usize) -> f64 {
        0.5 * level.leahy_power * self.null_at(i) - self.subtracted(i)
    }

    /// Fills [`AveragedPowerSpectrum::log10_p`]: the probability that noise of the level at its frequency reaches the power of each bin, one trial.
    pub fn add_probabilities(&mut self) {
        let test = self.noise_test();
        let one = |i: usize| {
            let power = 2.0 * self.total_power(i) / self.null_at(i);
            test.ln_false_alarm(power, self.frequencies_of(self.m[i]), 1.0) / std::f64::consts::LN_10
        };
        self.log10_p = (0..self.len()).into_par_iter().map(one).collect();
    }

    /// Fills [`AveragedPowerSpectrum::power_lo`] and [`AveragedPowerSpectrum::power_hi`] with intervals of
    /// `confidence` (0 to 1): χ² ones of segments that weigh the same ([`detection::interval_factors`]), else those of their
    /// [distribution](super::statistics::average).
    pub fn add_intervals(&mut self, confidence: f64) {
        let test = self.noise_test();
        let of = |k: f64| detection::interval_of(&test.distribution(k), confidence);
        let one = of(1.0);
        let ends = |i: usize| {
            let (k, subtracted, total) = (self.frequencies_of(self.m[i]), self.subtracted(i), self.total_power(i));
            // Powers that differ inside a bin are worth fewer of the same.
            let (lo, hi) = if k == 1.0 { one } else { of(k / self.unevenness(i).max(1.0)) };
            (total * lo - subtracted, total * hi - subtracted)
        };
        (self.power_lo, self.power_hi) = (0..self.len()).into_par_iter().map(ends).unzip();
        self.meta.interval_confidence = Some(confidence);
    }
}

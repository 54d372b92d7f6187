//! The most significant powers of a spectrum, and intervals of all.

use std::collections::BTreeMap;

use serde::Serialize;

use super::power::AveragedPowerSpectrum;
use super::statistics::detection;

/// A power and the probability that white noise reaches it.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct SignificantBin {
    /// Frequency, Hz.
    pub freq: f64,
    /// Power as in the spectrum.
    pub power: f64,
    /// Leahy power over half the Leahy level of the noise at this frequency: 2 is the noise level.
    pub leahy_power: f64,
    /// Decimal logarithm of the probability that white noise reaches this power at any frequency.
    pub log10_p: f64,
    /// Frequencies of the spectrum.
    pub trials: u64,
    /// Segments averaged.
    pub m: u64,
    /// Frequencies averaged.
    pub k: u64,
}

/// The power needed for a detection in bins of one number of values; see [`AveragedPowerSpectrum::detection_levels`].
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct DetectionLevel {
    /// Segments averaged.
    pub m: u64,
    /// Frequencies averaged.
    pub k: u64,
    /// Leahy power: 2 is the noise level.
    pub leahy_power: f64,
    /// Power as in the spectrum, at the mean level of the noise.
    pub power: f64,
}

impl AveragedPowerSpectrum {
    /// The noise that [`AveragedPowerSpectrum::significant`] tests against: the level of the spectrum, Poisson's where that
    /// is 0; NaN where neither is that of χ² powers (segments normalised by the squares of their own means). The mean over the
    /// frequencies where dead time makes it depend on them.
    pub fn null_level(&self) -> f64 {
        self.tested(self.meta.noise)
    }

    /// The same at one bin.
    pub(crate) fn null_at(&self, i: usize) -> f64 {
        self.tested(self.noise[i])
    }

    fn tested(&self, noise: f64) -> f64 {
        if noise > 0.0 && !self.meta.scale.poisson.is_nan() { noise } else { self.meta.scale.poisson }
    }

    /// The `count` powers that noise of the spectrum's level at their frequency (see [`AveragedPowerSpectrum::null_level`]) is
    /// least likely to reach, by [`detection::ln_false_alarm`] with as many trials as frequencies. Red noise is no part of the
    /// null: low frequencies of a variable source are significant by right.
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
        let trials = self.len() as u64;
        let describe = |i: usize| SignificantBin {
            freq: self.freq[i],
            power: self.power[i],
            leahy_power: leahy(i),
            log10_p: detection::ln_false_alarm(leahy(i), self.m[i], trials as f64) / std::f64::consts::LN_10,
            trials,
            m: self.meta.m,
            k: self.m[i] / self.meta.m,
        };
        let mut bins: Vec<SignificantBin> = largest.into_values().flatten().map(describe).collect();
        bins.sort_by(|a, b| a.log10_p.total_cmp(&b.log10_p));
        bins.truncate(count);
        bins
    }

    /// The powers that white noise at [`AveragedPowerSpectrum::null_level`] reaches at any frequency with `probability`, one for
    /// each number of values averaged in a bin, ascending: a power above that of its bin is a detection.
    pub fn detection_levels(&self, probability: f64) -> Vec<DetectionLevel> {
        let level = self.null_level();
        let mut values: Vec<u64> = self.m.clone();
        values.sort_unstable();
        values.dedup();
        let describe = |values: u64| {
            let leahy_power = detection::detection_power(probability.ln(), values, self.len() as f64);
            let subtracted = if self.meta.noise_subtracted { level } else { 0.0 };
            let power = 0.5 * leahy_power * level - subtracted;
            DetectionLevel { m: self.meta.m, k: values / self.meta.m, leahy_power, power }
        };
        // Powers of no χ² law have no level.
        values.into_iter().map(describe).filter(|l| l.power.is_finite()).collect()
    }

    /// The power of a detection level at bin `i`, where the noise may have another level than the mean.
    pub fn detection_power(&self, level: &DetectionLevel, i: usize) -> f64 {
        0.5 * level.leahy_power * self.null_at(i) - self.subtracted(i)
    }

    /// Computes [`AveragedPowerSpectrum::power_lo`] and [`AveragedPowerSpectrum::power_hi`], χ² intervals of `confidence`
    /// (0 to 1): see [`detection::interval_factors`].
    pub fn add_intervals(&mut self, confidence: f64) {
        self.power_lo.clear();
        self.power_hi.clear();
        let mut factors = BTreeMap::new();
        for i in 0..self.len() {
            let (values, subtracted) = (self.m[i], self.subtracted(i));
            let (lo, hi) = *factors.entry(values).or_insert_with(|| detection::interval_factors(values, confidence));
            let total = self.total_power(i);
            self.power_lo.push(total * lo - subtracted);
            self.power_hi.push(total * hi - subtracted);
        }
        self.meta.interval_confidence = Some(confidence);
    }
}

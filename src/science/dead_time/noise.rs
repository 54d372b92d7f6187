//! The noise levels of a spectrum that a detector with dead time recorded.

use std::ops::Range;

use serde::{Deserialize, Serialize};

use super::fit::{DeadTimeFit, around};
use super::{DeadTimeKind, DeadTimeModel};
use crate::base::error::{Error, Result};

/// The dead time of a noise level: known, or to be fitted.
#[derive(Clone, Copy, Debug, PartialEq, Serialize)]
#[serde(rename_all = "lowercase")]
#[non_exhaustive]
pub enum DeadTimeValue {
    /// This dead time, s.
    Seconds(f64),
    /// Fitted to the powers at `lo ≤ f < hi` Hz, where the source should not vary: see
    /// [`DeadTimeFit`].
    Fit(f64, f64),
}

/// The noise level of detectors with dead time: `N = Poisson's level·(1 + (r/R)(Z/2 − 1))`.
///
/// `Z` is the level of [`DeadTimeModel`] for one detector, which records `R/detectors` counts/s; `r` is the mean rate
/// of the spectrum. `r` equals `R` unless the detectors recorded more events than are in the spectrum (other energies,
/// another region). Events that are left out at random leave a part `r/R` of the correlations; detectors that work side
/// by side leave all. `R` is the rate recorded, as it is in the file: background included, not corrected for dead time.
/// The rate is taken as constant and the detectors as equal.
#[derive(Clone, Copy, Debug, PartialEq, Serialize)]
pub struct DeadTimeNoise {
    /// Dead time that follows an event.
    pub dead_time: DeadTimeValue,
    /// Whether events that arrive during dead time prolong it.
    pub kind: DeadTimeKind,
    /// Number of independent detectors whose events are in the spectrum, each dead by itself; at least 1.
    pub detectors: usize,
    /// Rate `R` of all events recorded by these detectors, counts/s; `None` for the rate of the spectrum.
    pub rate: Option<f64>,
}

impl DeadTimeNoise {
    /// One non-paralysable detector with a dead time of `seconds`, all of whose events are in the spectrum.
    pub fn seconds(seconds: f64) -> DeadTimeNoise {
        DeadTimeNoise {
            dead_time: DeadTimeValue::Seconds(seconds),
            kind: DeadTimeKind::NonParalysable,
            detectors: 1,
            rate: None,
        }
    }
}

/// Metadata of a spectrum about the dead time in its noise level.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[non_exhaustive]
pub struct DeadTimeRecord {
    /// Dead time, s.
    #[serde(rename = "dead_time")]
    pub seconds: f64,
    /// Standard error of `seconds` if the dead time was fitted, else 0.
    #[serde(rename = "dead_time_err")]
    pub err: f64,
    /// The kind of dead time, where its length comes from, and the number of detectors, in words.
    #[serde(rename = "dead_time_model")]
    pub model: String,
    /// Rate recorded by one detector that the model was computed with, counts/s.
    #[serde(rename = "dead_time_rate")]
    pub rate: f64,
    /// Factor by which dead time reduces the fractional rms of slow variations (`f ≪ 1/τ`). The rms of the spectrum is
    /// not corrected for it.
    #[serde(rename = "dead_time_rms_factor")]
    pub rms_factor: f64,
}

/// A value at every original frequency.
#[derive(Clone, Debug)]
pub(crate) enum ByFrequency {
    /// The same at all.
    Same(f64),
    /// One at each.
    Each(Vec<f64>),
}

impl ByFrequency {
    /// Mean of all. That of a constant is that constant, to the last bit.
    pub fn mean(&self) -> f64 {
        match self {
            ByFrequency::Same(value) => *value,
            ByFrequency::Each(values) => mean(values),
        }
    }

    /// All multiplied by a factor.
    pub fn scale(&mut self, factor: f64) {
        match self {
            ByFrequency::Same(value) => *value *= factor,
            ByFrequency::Each(values) => values.iter_mut().for_each(|value| *value *= factor),
        }
    }

    /// [`ByFrequency::mean`] of some.
    pub fn mean_of(&self, range: Range<usize>) -> f64 {
        match self {
            ByFrequency::Same(value) => *value,
            ByFrequency::Each(values) => mean(&values[range]),
        }
    }
}

fn mean(values: &[f64]) -> f64 {
    values.first().map_or(f64::NAN, |first| first + values.iter().map(|x| x - first).sum::<f64>() / values.len() as f64)
}

/// A noise level at every original frequency.
#[derive(Clone, Debug)]
pub(crate) struct NoiseLevels {
    pub level: ByFrequency,
    /// Standard errors of one common origin, with the signs of that origin.
    pub err: ByFrequency,
    pub dead_time: Option<DeadTimeRecord>,
}

/// What is known of a spectrum when its noise is asked for.
pub(crate) struct NoiseContext<'a> {
    /// Normalised powers at `k·df`, `k = 1, 2, …`.
    pub power: &'a [f64],
    /// Poisson's level in their normalisation.
    pub poisson: f64,
    /// Effective number of segments.
    pub m_eff: f64,
    pub n: usize,
    pub dt: f64,
    /// Mean rate, counts/s.
    pub rate: f64,
}

impl DeadTimeNoise {
    pub(crate) fn levels(&self, s: &NoiseContext) -> Result<NoiseLevels> {
        if self.detectors == 0 {
            return Err(Error::argument("dead_time.detectors", 0, "at least 1 detector recorded the events"));
        }
        let all = self.rate.unwrap_or(s.rate);
        // A rate that the user has from the same file may be rounded.
        if !(all.is_finite() && all >= 0.999 * s.rate) {
            let message = format!("the events of the spectrum alone are {} counts/s", s.rate);
            return Err(Error::argument("dead_time.rate", all, message));
        }
        let (rate, kind) = (all / self.detectors as f64, self.kind);
        let share = if all > 0.0 { (s.rate / all).min(1.0) } else { 1.0 };
        let (seconds, err) = match self.dead_time {
            DeadTimeValue::Seconds(seconds) => (seconds, 0.0),
            DeadTimeValue::Fit(lo, hi) => {
                let power: Vec<f64> = s.power.iter().map(|p| 2.0 * p / s.poisson).collect();
                let fit =
                    DeadTimeFit { power: &power, m_eff: s.m_eff, n: s.n, dt: s.dt, band: (lo, hi), rate, share, kind };
                fit.run()?
            }
        };
        let model = DeadTimeModel::new(rate, seconds, kind)?;
        let scaled = |z: f64| s.poisson * (1.0 + share * (0.5 * z - 1.0));
        let level: Vec<f64> = model.power(s.dt, s.n).into_iter().map(scaled).collect();
        let mut errors = vec![0.0; level.len()];
        if err > 0.0 {
            let (below, above, step) = around(seconds, s.dt.min(1.0 / rate));
            let (a, b) = (DeadTimeModel::new(rate, below, kind)?, DeadTimeModel::new(rate, above, kind)?);
            for ((error, a), b) in errors.iter_mut().zip(a.power(s.dt, s.n)).zip(b.power(s.dt, s.n)) {
                *error = (scaled(b) - scaled(a)) / step * err;
            }
        }
        let source = if kind == DeadTimeKind::NonParalysable { ", Zhang et al. 1995" } else { ", exact" };
        let record = DeadTimeRecord {
            seconds,
            err,
            model: format!("{kind}{source}, {} detector(s)", self.detectors),
            rate,
            rms_factor: model.rms_factor(),
        };
        let (level, err) = (ByFrequency::Each(level), ByFrequency::Each(errors));
        Ok(NoiseLevels { level, err, dead_time: Some(record) })
    }
}

//! Where the noise level of a spectrum comes from.

use serde::Serialize;

use super::dead_time::noise::{ByFrequency, DeadTimeNoise, NoiseContext, NoiseLevels};
use crate::base::error::{Error, Result};

/// Where the noise level of a spectrum comes from. The spectrum records the level, tests significances against it and
/// subtracts it if asked to, in its own normalisation.
#[derive(Clone, Copy, Debug, Default, PartialEq, Serialize)]
#[serde(rename_all = "lowercase")]
#[non_exhaustive]
pub enum NoiseLevel {
    /// Computed from the mean rate, or from the errors of a light curve: the table in [`norm`](super::norm).
    #[default]
    Poisson,
    /// This level, in the normalisation of the spectrum.
    Value(f64),
    /// The mean power at `lo ≤ f < hi` Hz, where the source should not vary. This level has a standard error.
    Band(f64, f64),
    /// No noise: the level is 0.
    None,
    /// Poisson noise as detectors with dead time record it; the level depends on frequency.
    #[serde(rename = "dead_time")]
    DeadTime(DeadTimeNoise),
}

impl NoiseLevel {
    /// The levels of a spectrum.
    pub(crate) fn levels(self, s: &NoiseContext) -> Result<NoiseLevels> {
        if let NoiseLevel::DeadTime(dead_time) = self {
            return dead_time.levels(s);
        }
        let (level, err) = self.level(s.poisson, s.power, 1.0 / (s.n as f64 * s.dt), s.m_eff)?;
        Ok(NoiseLevels { level: ByFrequency::Same(level), err: ByFrequency::Same(err), dead_time: None })
    }

    /// A level common to all frequencies and its standard error. `power` holds the averages of powers worth `values` equal ones each at `k·df`, `k = 1, 2, …`.
    ///
    /// The mean of W frequencies has the error `√(ΣP²/values)/W` (Leahy et al. 1983, doi:10.1086/160766).
    fn level(self, poisson: f64, power: &[f64], df: f64, values: f64) -> Result<(f64, f64)> {
        match self {
            NoiseLevel::Poisson | NoiseLevel::DeadTime(_) => Ok((poisson, 0.0)),
            NoiseLevel::None => Ok((0.0, 0.0)),
            NoiseLevel::Value(level) if level >= 0.0 && level.is_finite() => Ok((level, 0.0)),
            NoiseLevel::Value(level) => Err(Error::argument("noise", level, "a level must not be negative")),
            NoiseLevel::Band(lo, hi) => {
                let inside = |(k, _): &(usize, &f64)| (lo..hi).contains(&((k + 1) as f64 * df));
                let (mut sum, mut squares, mut count) = (0.0, 0.0, 0.0);
                for (_, p) in power.iter().enumerate().filter(inside) {
                    (sum, squares, count) = (sum + p, squares + p * p, count + 1.0);
                }
                if count == 0.0 {
                    let message =
                        format!("no frequency in it; there are those from {df} to {} Hz", power.len() as f64 * df);
                    return Err(Error::argument("noise", format!("{lo} to {hi}"), message));
                }
                Ok((sum / count, (squares / values).sqrt() / count))
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn levels() {
        let power = [9.0, 1.0, 3.0, 2.0, 7.0];
        assert_eq!(NoiseLevel::Poisson.level(2.0, &power, 0.5, 4.0).unwrap(), (2.0, 0.0));
        assert_eq!(NoiseLevel::Value(1.9).level(2.0, &power, 0.5, 4.0).unwrap(), (1.9, 0.0));
        assert_eq!(NoiseLevel::None.level(2.0, &power, 0.5, 4.0).unwrap(), (0.0, 0.0));
        // 1.0, 1.5 and 2.0 Hz; 2.5 Hz is the upper end, and not included.
        let (level, error) = NoiseLevel::Band(1.0, 2.5).level(2.0, &power, 0.5, 4.0).unwrap();
        assert!((level - 2.0).abs() < 1e-15 && (error - (14.0f64 / 4.0).sqrt() / 3.0).abs() < 1e-15);
        for bad in [NoiseLevel::Band(3.0, 4.0), NoiseLevel::Value(-1.0), NoiseLevel::Value(f64::NAN)] {
            assert!(bad.level(2.0, &power, 0.5, 4.0).is_err());
        }
    }
}

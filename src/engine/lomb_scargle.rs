//! Light curves as samples of unevenly sampled series.

use super::light_curve_plan::too_little_exposed;
use crate::base::error::Result;
use crate::base::progress::Progress;
use crate::base::time::DoubleDouble;
use crate::data::{EventBalance, LightCurve};
use crate::science::lomb_scargle::UnevenSeries;

/// The bins of a light curve that are exposed enough, as samples since `zero`, the place of a bin on the grid.
pub(super) struct ExposedSamples {
    dt: f64,
    time: Vec<f64>,
    value: Vec<f64>,
    error: Vec<f64>,
    exposed: Vec<f64>,
    /// What became of the photons.
    pub photons: EventBalance,
}

impl ExposedSamples {
    /// The samples.
    ///
    /// # Errors
    /// Some bins have errors, and some have not; the run was cancelled.
    pub fn from_light_curve(
        light_curve: &LightCurve,
        min_fracexp: f64,
        zero: DoubleDouble,
        progress: &Progress,
    ) -> Result<ExposedSamples> {
        let dt = light_curve.grid.dt;
        let good: Vec<usize> = light_curve.stretches(min_fracexp).into_iter().flatten().collect();
        progress.check()?;
        if good.is_empty() {
            too_little_exposed(light_curve, min_fracexp)?;
        }
        let errors_known = light_curve.errors_known(good.iter().copied())?;
        // Differences of double-doubles: f64 of mission seconds would lose digits of phase.
        let exposed =
            if light_curve.counted { good.iter().map(|&i| light_curve.fracexp[i]).collect() } else { Vec::new() };
        let offset = (light_curve.grid.origin - zero).value();
        progress.check()?;
        Ok(ExposedSamples {
            dt,
            time: good.iter().map(|&i| offset + (light_curve.bin[i] as f64 + 0.5) * dt).collect(),
            value: good.iter().map(|&i| light_curve.rate[i] * dt).collect(),
            error: if errors_known { good.iter().map(|&i| light_curve.rate_err[i] * dt).collect() } else { Vec::new() },
            exposed,
            photons: light_curve.balance_of(good.iter().copied()),
        })
    }

    pub fn series(&self) -> UnevenSeries<'_> {
        UnevenSeries { time: &self.time, value: &self.value, error: &self.error, exposed: &self.exposed, dt: self.dt }
    }
}

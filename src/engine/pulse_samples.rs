//! The bins of a light curve as samples for folding: times in ticks, and values as whole numbers.

use serde::{Deserialize, Serialize};

use super::PulseEvents;
use super::pulse_events::BARYCENTRE_MATTERS;
use super::whole_numbers::to_whole_numbers;
use crate::base::error::{Error, Result};
use crate::base::footprint::Footprint;
use crate::base::mend::Mend;
use crate::base::text::ShortNumber;
use crate::base::time::DoubleDouble;
use crate::base::warning::Warnings;
use crate::data::phase::Ticks;
use crate::data::{Gti, LightCurve, Record};
use crate::science::statistics::dispersion::Dispersion;

/// Numbers that describe the samples of a light curve as a whole.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct SampleSummary {
    /// Number of samples.
    pub samples: usize,
    /// Number of bins that were left out: not finite, not inside one good time interval, or exposed too little.
    pub left_out: usize,
    /// Width of a bin, s.
    pub dt: f64,
    /// Smallest exposed fraction of a bin that makes a sample.
    pub min_fracexp: f64,
    /// Mean value: counts a bin, or counts/s.
    pub mean: f64,
    /// Variance of the values, with `N − 1` degrees of freedom.
    pub variance: f64,
    /// Unit of the whole numbers that the values were rounded to.
    pub step: f64,
}

/// The bins of a light curve as samples for folding, each at the middle of its bin.
#[derive(Clone, Debug)]
pub struct PulseSamples {
    /// The middles of the bins as if they were events, with the ranges of bins as good time.
    pub at: PulseEvents,
    /// The values less the smallest one, as whole numbers in units of [`SampleSummary::step`]; one a sample.
    pub values: Vec<u32>,
    /// Numbers that describe the samples as a whole.
    pub all: SampleSummary,
    /// Photons in the samples; `None` if that is not known.
    pub photons: Option<u64>,
    /// The whole number next to the mean of `values`.
    centre: u32,
    /// Of `values`, about `centre`.
    dispersion: Dispersion,
}

impl PulseSamples {
    /// The samples of a light curve: its bins with a finite value, in one good time interval, of which at least the
    /// fraction `min_fracexp` is exposed. Counts are divided by their exposure. Phases count from the whole second
    /// nearest to the middle of the time.
    ///
    /// Values become whole numbers. Values that are whole, in a range below 2^32, are exact; others are rounded to the
    /// nearest of 2^32 steps (a power of two) over their range `R`. With `s²` their variance this changes θ by less
    /// than `2^-30·R/s·(N − 1)/(N − M)`, and `R/s` is below `√(2N)`.
    ///
    /// # Errors
    /// There is no such bin, all values are equal, or their range is beyond f64.
    pub fn from_light_curve(
        light_curve: &LightCurve,
        min_fracexp: f64,
        mut warnings: Warnings,
    ) -> Result<PulseSamples> {
        if !(0.0..=1.0).contains(&min_fracexp) {
            return Err(Error::argument("min_fracexp", min_fracexp, "must be between 0 and 1"));
        }
        let refuse = |what: String, message: &str| Err(Error::argument("light_curves", what, message));
        let stretches = light_curve.stretches(min_fracexp);
        let rows = || stretches.iter().cloned().flatten();
        let bins = format!(
            "{} of {} s",
            crate::base::text::count(light_curve.len() as u64, "bin"),
            ShortNumber(light_curve.grid.dt)
        );
        let Some((first, last)) = rows().next().zip(rows().last()) else {
            return refuse(bins, "none is finite and exposed enough in one good time interval")
                .map_err(|e| e.mended_by([Mend::field("min_fracexp").doing("a smaller one takes more bins")]));
        };
        // Values as they are given and as whole numbers, times, and what is about the mean.
        Footprint::less_by(&["dt"])
            .and(light_curve.len(), 8 * size_of::<f64>())
            .check(&format!("the samples of {bins}"))?;
        let value = |i: usize| {
            if light_curve.counted { light_curve.counts[i] / light_curve.fracexp[i] } else { light_curve.rate[i] }
        };
        let given: Vec<f64> = rows().map(value).collect();
        let (low, high) = given.iter().fold((f64::INFINITY, f64::NEG_INFINITY), |(a, b), &x| (a.min(x), b.max(x)));
        let (values, step) = to_whole_numbers(&given, low, high - low);
        if low == high {
            return refuse(bins, "all have the same value, so there is nothing to find");
        }
        if !step.is_normal() {
            return refuse(bins, "the range of the values is too large or too small; scale them");
        }
        // Exact: fewer than 2^32 numbers below 2^32.
        let [n, sum, squares] = values.iter().fold([0u128; 3], |[n, sum, squares], &x| {
            let x = u128::from(x);
            [n + 1, sum + x, squares + x * x]
        });
        let centre = ((2 * sum + n) / (2 * n)) as u32;
        let dispersion = Dispersion {
            samples: n as f64,
            squares: (n * squares - sum * sum) as f64 / n as f64,
            sum: (sum as i128 - (n * u128::from(centre)) as i128) as f64,
        };
        let (start, stop) =
            (light_curve.grid.edge(light_curve.bin[first]), light_curve.grid.edge(light_curve.bin[last] + 1));
        let span = (stop - start).value();
        let ticks = Ticks::spanning(DoubleDouble::from((start + (stop - start) * 0.5).value().round()), start, stop)?;
        let made = &light_curve.meta.record;
        if span > BARYCENTRE_MATTERS && !made.barycentred {
            PulseEvents::warn_not_barycentred(&mut warnings);
        }
        let spans: Vec<(DoubleDouble, DoubleDouble)> = stretches.iter().map(|rows| light_curve.span(rows)).collect();
        let good = Gti::from_sorted(&spans);
        let middle = |i: usize| {
            light_curve.grid.origin + DoubleDouble::product(light_curve.grid.dt, light_curve.bin[i] as f64 + 0.5)
        };
        let photons = light_curve.balance_of(rows());
        let counted = light_curve.photons(rows());
        let at = PulseEvents {
            times: rows().map(|i| ticks.of(middle(i))).collect(),
            weights: None,
            gti: good.intervals().iter().map(|&(a, b)| (ticks.of(a), ticks.of(b))).collect(),
            exposure: good.exposure(),
            span,
            timing: None,
            mjdref: made.mjdref,
            record: Record {
                gti: good.intervals().iter().map(|(a, b)| [a.value(), b.value()]).collect(),
                photons,
                warnings,
                ..made.clone()
            },
            ticks,
        };
        let all = SampleSummary {
            samples: values.len(),
            left_out: light_curve.len() - values.len(),
            dt: light_curve.grid.dt,
            min_fracexp,
            mean: low + step * (sum as f64 / n as f64),
            variance: step * (dispersion.squares / (n as f64 - 1.0)) * step,
            step,
        };
        let photons = light_curve.counted.then_some(counted);
        Ok(PulseSamples { at, values, all, photons, centre, dispersion })
    }

    /// Sums over all samples for phase dispersion, in units of [`SampleSummary::step`].
    pub fn dispersion(&self) -> &Dispersion {
        &self.dispersion
    }

    /// The sum of `count` values, given as `sum`, less `count` times the reference value that
    /// [`PulseSamples::dispersion`] uses; in units of [`SampleSummary::step`].
    pub fn about_centre(&self, count: u64, sum: u64) -> f64 {
        // Both are below 2^61.
        (sum as i64 - (count * u64::from(self.centre)) as i64) as f64
    }

    /// The values less their mean, in units of [`SampleSummary::step`].
    pub fn centred(&self) -> Vec<f64> {
        let off = self.dispersion.sum / self.dispersion.samples;
        self.values.iter().map(|&x| f64::from(x) - f64::from(self.centre) - off).collect()
    }
}

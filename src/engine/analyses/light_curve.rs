//! Light curves.

use serde::Serialize;

use crate::base::error::{Error, Result};
use crate::data::columns::LIGHT_CURVE;
use crate::data::light_curve::{LightCurveMetadata, TimeGrid};
use crate::data::product::ProductKind;
use crate::data::{EventBalance, Gti, LightCurve, Record};
use crate::engine::analysis::{Analysis, PlanReport, setters};
use crate::engine::combine::{combined_gtis, union_of};
use crate::engine::each_segment::device;
use crate::engine::light_curve::ExposedBins;
use crate::engine::observation::{Observation, ObservationKind};
use crate::engine::run::{Run, asked_of};
use crate::engine::time_source::{self, Events};
use crate::segment::plan::snap_to_frames;

/// Bins of a light curve that defaults to a width.
const DEFAULT_BINS: f64 = 2048.0;

/// The light curve of events, on one grid that begins at the earliest good time; or a light curve with coarser bins. Events outside every
/// interval are left out, and counted in the balance; a bin at the end of an interval is exposed in part ([`LightCurve::fracexp`]).
#[derive(Clone, Debug, Default, PartialEq, Serialize)]
#[must_use]
#[non_exhaustive]
pub struct Binning {
    /// Bin width, s. `None`: a power of two that makes at most 2048 bins of the exposure, or the frame time; of a light curve its
    /// own bins.
    pub dt: Option<f64>,
}

impl Binning {
    setters! {
        /// Bin width, s.
        dt(f64) => dt;
    }

    fn width(&self, inputs: &[Events], gti: &Gti, run: &mut Run) -> Result<f64> {
        let timedel = inputs.iter().map(|i| i.timedel).fold(0.0, f64::max);
        let dt = self.dt.unwrap_or_else(|| usual_width(gti.exposure()).max(timedel));
        if !(dt.is_finite() && dt > 0.0) {
            return Err(Error::argument("dt", dt, "must be a positive number of seconds"));
        }
        let barycentred = inputs.iter().all(|i| i.barycentred);
        Ok(snap_to_frames(dt, timedel, barycentred, false, &mut run.warnings))
    }

    /// The light curve, whose warnings go to the run.
    pub(super) fn light_curve(&self, observation: &Observation, run: &mut Run) -> Result<LightCurve> {
        let mut made = self.compute(observation, run)?;
        run.warnings.extend(std::mem::take(&mut made.meta.record.warnings));
        Ok(made)
    }
}

/// The width of bins of so much good time where nobody says it.
fn usual_width(exposure: f64) -> f64 {
    (exposure / DEFAULT_BINS).log2().ceil().exp2()
}

impl Binning {
    /// The good time of an observation, and about how wide its bins are.
    pub(super) fn planned(&self, observation: &Observation, run: &mut Run) -> Result<(Gti, f64)> {
        if observation.kind() == ObservationKind::LightCurve {
            let light_curve = observation.light_curve()?;
            let dt = self.dt.map_or(light_curve.grid.dt, |dt| dt.max(light_curve.grid.dt));
            return Ok((light_curve.gti, dt));
        }
        let gti = observation.good_time(&mut run.warnings)?;
        let dt = self.dt.unwrap_or_else(|| usual_width(gti.exposure()));
        Ok((gti, dt))
    }
}

#[allow(private_interfaces)]
impl Analysis for Binning {
    type Product = LightCurve;
    const NAME: &'static str = "light curve";
    const KINDS: &'static [ObservationKind] = &[ObservationKind::Events, ObservationKind::LightCurve];
    const PRODUCTS: &'static [&'static ProductKind] = &[&LIGHT_CURVE];

    fn compute(&self, observation: &Observation, run: &mut Run) -> Result<LightCurve> {
        if observation.kind() == ObservationKind::LightCurve {
            run.progress.check()?;
            let mut made = observation.light_curve()?.coarser(self.dt)?;
            made.meta.record.warnings.extend(run.take_warnings());
            return Ok(made);
        }
        let (mut inputs, combine) = (observation.events(&mut run.warnings)?, observation.combination());
        let gtis = combined_gtis(&inputs, combine, &mut run.warnings)?;
        let union = union_of(&inputs, &gtis, combine)?;
        let Some(&(origin, _)) = union.intervals().first() else {
            return Err(Error::argument("inputs", inputs.len(), "there is no good time, so there is no light curve"));
        };
        let grid = TimeGrid { origin, dt: self.width(&inputs, &union, run)? };
        let (mut columns, mut photons) = (ExposedBins::new(grid, &union)?, EventBalance::default());
        run.progress.check()?;
        run.progress.begin(time_source::rows(&inputs));
        for (input, gti) in inputs.iter_mut().zip(&gtis) {
            columns.count(input, gti, run.reading(), &mut photons)?;
        }
        inputs.iter_mut().try_for_each(|input| input.inspect(&mut run.warnings))?;
        run.progress.check()?;
        let (options, warnings) = (asked_of(self, combine), run.take_warnings());
        let record = Record { device: device(), options, photons, warnings, ..time_source::describe(&inputs) };
        let meta = LightCurveMetadata { record, ..LightCurveMetadata::default() };
        Ok(LightCurve::from_counts(grid, columns.bin, columns.counts, columns.fracexp, union, meta))
    }

    fn plan(&self, observation: &Observation, run: &mut Run) -> Result<PlanReport> {
        let exposure = match observation.kind() {
            ObservationKind::LightCurve => observation.light_curve()?.gti.exposure(),
            _ => observation.good_time(&mut run.warnings)?.exposure(),
        };
        Ok(PlanReport { exposure, ..PlanReport::default() })
    }

    fn record(product: &LightCurve) -> &Record {
        &product.meta.record
    }
}

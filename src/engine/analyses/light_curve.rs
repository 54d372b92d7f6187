//! Light curves.

use serde::Serialize;

use crate::base::error::Result;
use crate::data::{LightCurve, Record};
use crate::engine::analysis::{Analysis, PlanReport, setters};
use crate::engine::observation::{Observation, ObservationKind};
use crate::engine::run::Run;
use crate::engine::{LightCurveOptions, light_curve_of_events};

/// The light curve of events, on one grid that begins at the earliest good time; or a light curve with coarser bins.
#[derive(Clone, Debug, Default, PartialEq, Serialize)]
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

    /// The light curve, whose warnings go to the run.
    pub(super) fn light_curve(&self, observation: &Observation, run: &mut Run) -> Result<LightCurve> {
        let mut made = self.compute(observation, run)?;
        run.warnings.extend(std::mem::take(&mut made.meta.record.warnings));
        Ok(made)
    }
}

#[allow(private_interfaces)]
impl Analysis for Binning {
    type Product = LightCurve;
    const NAME: &'static str = "light curve";
    const KINDS: &'static [ObservationKind] = &[ObservationKind::Events, ObservationKind::LightCurve];

    fn compute(&self, observation: &Observation, run: &mut Run) -> Result<LightCurve> {
        if observation.kind() == ObservationKind::LightCurve {
            run.progress.check()?;
            let mut made = observation.light_curve()?.coarser(self.dt)?;
            made.meta.record.warnings.extend(run.take_warnings());
            return Ok(made);
        }
        let inputs = observation.events(&mut run.warnings)?;
        let options =
            LightCurveOptions { dt: self.dt, combine: observation.combination(), chunk_events: run.chunk_events };
        light_curve_of_events(inputs, &options, run.take_warnings(), run.progress)
    }

    fn plan(&self, observation: &Observation, run: &mut Run) -> Result<PlanReport> {
        let exposure = match observation.kind() {
            ObservationKind::LightCurve => observation.light_curve()?.gti.exposure(),
            _ => observation.good_time(&mut run.warnings)?.exposure(),
        };
        Ok(PlanReport { exposure, ..PlanReport::default() })
    }

    fn record(product: &LightCurve) -> Option<&Record> {
        Some(&product.meta.record)
    }
}

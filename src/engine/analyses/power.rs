//! The averaged power spectrum.

use serde::Serialize;

use crate::base::error::Result;
use crate::data::Record;
use crate::engine::analysis::{Analysis, PlanReport, Segmentation, setters};
use crate::engine::observation::{Observation, ObservationKind};
use crate::engine::run::Run;
use crate::engine::{LightCurvePlan, LightCurveSpectrumOptions, Plan, PowerSpectrumOptions, power_spectrum};
use crate::science::power::{AveragedPowerSpectrum, PowerOptions};
use crate::science::{NoiseLevel, Norm, Rebin};

/// The power spectrum averaged over segments of events or of a light curve.
#[derive(Clone, Debug, PartialEq, Serialize)]
#[non_exhaustive]
pub struct PowerSpectrum {
    /// How time is cut.
    #[serde(flatten)]
    pub segmentation: Segmentation,
    /// Normalisation, rebinning, background and noise level.
    #[serde(flatten)]
    pub power: PowerOptions,
    /// Bins of a light curve of which a smaller fraction is exposed are missing.
    pub min_fracexp: f64,
}

impl Default for PowerSpectrum {
    fn default() -> PowerSpectrum {
        let (segmentation, power) = (Segmentation::default(), PowerOptions::default());
        PowerSpectrum { segmentation, power, min_fracexp: 0.9 }
    }
}

impl PowerSpectrum {
    setters! {
        /// Bin width, s.
        dt(f64) => segmentation.dt;
        /// Segment length, s.
        segment_size(f64) => segmentation.segment_size;
        /// Normalisation of the powers.
        norm(Norm) => power.norm;
        /// How frequency bins are combined.
        rebin(Rebin) => power.rebin;
        /// Background rate, counts/s.
        background(f64) => power.background;
        /// Where the noise level comes from.
        noise(NoiseLevel) => power.noise;
        /// Subtract the noise level from the powers.
        subtract_noise(bool) => power.subtract_noise;
        /// Normalise once by the mean rate (true), or each segment by its own.
        use_common_mean(bool) => power.use_common_mean;
        /// Bins of a light curve of which a smaller fraction is exposed are missing.
        min_fracexp(f64) => min_fracexp;
    }

    /// The options for events.
    pub(super) fn of_events(&self, observation: &Observation, run: &Run) -> PowerSpectrumOptions {
        let Segmentation { dt, segment_size, compat_stingray } = self.segmentation;
        let (combine, chunk_events) = (observation.combination(), run.chunk_events);
        PowerSpectrumOptions { dt, segment_size, combine, power: self.power.clone(), compat_stingray, chunk_events }
    }

    /// The options for a light curve.
    pub(super) fn of_light_curve(&self) -> LightCurveSpectrumOptions {
        let (segment_size, min_fracexp) = (self.segmentation.segment_size, self.min_fracexp);
        LightCurveSpectrumOptions { segment_size, min_fracexp, power: self.power.clone() }
    }

    /// The report of this spectrum's segments, which other analyses have, too.
    pub(super) fn plan_segments(&self, observation: &Observation, run: &mut Run) -> Result<PlanReport> {
        if observation.kind() == ObservationKind::LightCurve {
            let light_curve = observation.light_curve()?.coarser(self.segmentation.dt)?;
            let plan = LightCurvePlan::new(&light_curve, &self.of_light_curve(), &mut run.warnings)?;
            return Ok(PlanReport::of_light_curve(plan.resolution, plan.starts.len(), plan.gti.exposure()));
        }
        let inputs = observation.events(&mut run.warnings)?;
        let plan = Plan::new(&inputs, &self.of_events(observation, run), &mut run.warnings)?;
        PlanReport::of_events(&plan, &inputs, run)
    }
}

#[allow(private_interfaces)]
impl Analysis for PowerSpectrum {
    type Product = AveragedPowerSpectrum;
    const NAME: &'static str = "power spectrum";
    const KINDS: &'static [ObservationKind] = &[ObservationKind::Events, ObservationKind::LightCurve];

    fn compute(&self, observation: &Observation, run: &mut Run) -> Result<AveragedPowerSpectrum> {
        if observation.kind() == ObservationKind::LightCurve {
            self.segmentation.refuse_compat()?;
            let light_curve = observation.light_curve()?.coarser(self.segmentation.dt)?;
            let (options, warnings) = (self.of_light_curve(), run.take_warnings());
            return crate::engine::spectrum_of_light_curve(&light_curve, &options, run.device, warnings, run.progress);
        }
        let inputs = observation.events(&mut run.warnings)?;
        let (options, warnings) = (self.of_events(observation, run), run.take_warnings());
        power_spectrum::spectrum_of_events(inputs, &options, run.device, warnings, run.progress)
    }

    fn plan(&self, observation: &Observation, run: &mut Run) -> Result<PlanReport> {
        if observation.kind() == ObservationKind::LightCurve {
            self.segmentation.refuse_compat()?;
        }
        self.plan_segments(observation, run)
    }

    fn record(product: &AveragedPowerSpectrum) -> Option<&Record> {
        Some(&product.meta.record)
    }
}

//! The multitaper power spectrum.

use serde::Serialize;

use super::PowerSpectrum;
use crate::base::error::{Error, Result};
use crate::base::mend::Mend;
use crate::data::Record;
use crate::engine::analysis::{Analysis, PlanReport, setters};
use crate::engine::observation::{Observation, ObservationKind};
use crate::engine::run::Run;
use crate::engine::{multitaper_of_events, multitaper_of_light_curve};
use crate::science::multitaper::TaperOptions;
use crate::science::power::AveragedPowerSpectrum;

/// The multitaper power spectrum averaged over segments of events or of a light curve; in f64 on the CPU.
#[derive(Clone, Debug, Default, PartialEq, Serialize)]
#[non_exhaustive]
pub struct Multitaper {
    /// Segments, normalisation, rebinning and noise level; a mean common to all segments.
    pub spectrum: PowerSpectrum,
    /// The tapers.
    pub tapers: TaperOptions,
}

impl Multitaper {
    setters! {
        /// Segments, normalisation, rebinning and noise level.
        spectrum(PowerSpectrum) => spectrum;
        /// The tapers.
        tapers(TaperOptions) => tapers;
    }

    fn check(&self) -> Result<()> {
        let refuse = |field: &str, value: bool| {
            Err(Error::argument(field, value, "tapers have the common mean and this library's own rules"))
        };
        if !self.spectrum.power.use_common_mean {
            return refuse("use_common_mean", false).map_err(|e| e.mended_by([Mend::set("use_common_mean", true)]));
        }
        if self.spectrum.segmentation.compat_stingray {
            return refuse("compat", true);
        }
        Ok(())
    }
}

#[allow(private_interfaces)]
impl Analysis for Multitaper {
    type Product = AveragedPowerSpectrum;
    const NAME: &'static str = "multitaper spectrum";
    const KINDS: &'static [ObservationKind] = &[ObservationKind::Events, ObservationKind::LightCurve];

    fn compute(&self, observation: &Observation, run: &mut Run) -> Result<AveragedPowerSpectrum> {
        self.check()?;
        if observation.kind() == ObservationKind::LightCurve {
            let light_curve = observation.light_curve()?.coarser(self.spectrum.segmentation.dt)?;
            let options = self.spectrum.of_light_curve();
            return multitaper_of_light_curve(&light_curve, &options, &self.tapers, run.take_warnings(), run.progress);
        }
        let inputs = observation.events(&mut run.warnings)?;
        let (options, warnings) = (self.spectrum.of_events(observation, run), run.take_warnings());
        multitaper_of_events(inputs, &options, &self.tapers, warnings, run.progress)
    }

    fn plan(&self, observation: &Observation, run: &mut Run) -> Result<PlanReport> {
        self.check()?;
        self.spectrum.plan_segments(observation, run)
    }

    fn record(product: &AveragedPowerSpectrum) -> Option<&Record> {
        Some(&product.meta.record)
    }
}

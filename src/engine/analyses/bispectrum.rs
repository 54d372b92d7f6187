//! Bispectra by both definitions.

use serde::Serialize;

use super::PowerSpectrum;
use crate::base::error::Result;
use crate::data::Record;
use crate::engine::analysis::{Analysis, PlanReport, Segmentation, setters};
use crate::engine::observation::{Observation, ObservationKind};
use crate::engine::run::Run;
use crate::engine::{
    bispectrum_of_events, bispectrum_of_light_curve, cumulant_bispectrum_of_events, cumulant_bispectrum_of_light_curve,
};
use crate::science::bispectrum::Bispectrum;
use crate::science::cumulant::{CumulantBispectrum, CumulantOptions};

/// The bispectrum averaged over segments, at pairs of frequencies; in f64 on the CPU.
#[derive(Clone, Debug, Default, PartialEq, Serialize)]
#[non_exhaustive]
pub struct BispectrumOfPairs {
    /// How time is cut.
    #[serde(flatten)]
    pub segmentation: Segmentation,
    /// Largest sum of two frequencies, Hz; `None` for the Nyquist frequency.
    pub max_freq: Option<f64>,
}

/// The bispectrum by Stingray's definition, the transform of the third-order cumulant, averaged over segments; in f64 on the CPU.
#[derive(Clone, Debug, Default, PartialEq, Serialize)]
#[non_exhaustive]
pub struct BispectrumOfCumulants {
    /// How time is cut.
    #[serde(flatten)]
    pub segmentation: Segmentation,
    /// Lags, window and frequencies.
    pub cumulant: CumulantOptions,
}

impl BispectrumOfPairs {
    setters! {
        /// Bin width, s.
        dt(f64) => segmentation.dt;
        /// Segment length, s.
        segment_size(f64) => segmentation.segment_size;
        /// Largest sum of two frequencies, Hz.
        max_freq(f64) => max_freq;
    }
}

impl BispectrumOfCumulants {
    setters! {
        /// Bin width, s.
        dt(f64) => segmentation.dt;
        /// Segment length, s.
        segment_size(f64) => segmentation.segment_size;
        /// Lags, window and frequencies.
        cumulant(CumulantOptions) => cumulant;
    }
}

/// The spectrum that has these segments.
fn segments(segmentation: Segmentation) -> PowerSpectrum {
    PowerSpectrum { segmentation, ..PowerSpectrum::default() }
}

#[allow(private_interfaces)]
impl Analysis for BispectrumOfPairs {
    type Product = Bispectrum;
    const NAME: &'static str = "bispectrum";
    const KINDS: &'static [ObservationKind] = &[ObservationKind::Events, ObservationKind::LightCurve];

    fn compute(&self, observation: &Observation, run: &mut Run) -> Result<Bispectrum> {
        let segments = segments(self.segmentation);
        if observation.kind() == ObservationKind::LightCurve {
            let light_curve = observation.light_curve()?.coarser(self.segmentation.dt)?;
            let (options, warnings) = (segments.of_light_curve(), run.take_warnings());
            return bispectrum_of_light_curve(&light_curve, &options, self.max_freq, warnings, run.progress);
        }
        let inputs = observation.events(&mut run.warnings)?;
        let (options, warnings) = (segments.of_events(observation, run), run.take_warnings());
        bispectrum_of_events(inputs, &options, self.max_freq, warnings, run.progress)
    }

    fn plan(&self, observation: &Observation, run: &mut Run) -> Result<PlanReport> {
        segments(self.segmentation).plan_segments(observation, run)
    }

    fn record(product: &Bispectrum) -> Option<&Record> {
        Some(&product.meta.record)
    }
}

#[allow(private_interfaces)]
impl Analysis for BispectrumOfCumulants {
    type Product = CumulantBispectrum;
    const NAME: &'static str = "bispectrum of cumulants";
    const KINDS: &'static [ObservationKind] = &[ObservationKind::Events, ObservationKind::LightCurve];

    fn compute(&self, observation: &Observation, run: &mut Run) -> Result<CumulantBispectrum> {
        let segments = segments(self.segmentation);
        if observation.kind() == ObservationKind::LightCurve {
            let light_curve = observation.light_curve()?.coarser(self.segmentation.dt)?;
            let (options, warnings) = (segments.of_light_curve(), run.take_warnings());
            return cumulant_bispectrum_of_light_curve(&light_curve, &options, &self.cumulant, warnings, run.progress);
        }
        let inputs = observation.events(&mut run.warnings)?;
        let (options, warnings) = (segments.of_events(observation, run), run.take_warnings());
        cumulant_bispectrum_of_events(inputs, &options, &self.cumulant, warnings, run.progress)
    }

    fn plan(&self, observation: &Observation, run: &mut Run) -> Result<PlanReport> {
        segments(self.segmentation).plan_segments(observation, run)
    }

    fn record(product: &CumulantBispectrum) -> Option<&Record> {
        Some(&product.meta.record)
    }
}

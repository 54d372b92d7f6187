//! Spectra of two detectors corrected for dead time.

use serde::Serialize;

use crate::base::error::Result;
use crate::data::Record;
use crate::engine::analysis::{Analysis, PlanReport, Segmentation, setters};
use crate::engine::cross_bands;
use crate::engine::observation::{Observation, ObservationKind};
use crate::engine::run::Run;
use crate::engine::{FadPlanOptions, PhotonBand, fad_of_events};
use crate::science::fad::{FadOptions, FadSpectrum};

/// Power and cross spectra of two simultaneous detectors, corrected for dead time by the difference of their Fourier amplitudes (Bachetti
/// & Huppenkothen 2018, doi:10.3847/2041-8213/aaa83b); in f64 on the CPU.
#[derive(Clone, Debug, Default, PartialEq, Serialize)]
#[non_exhaustive]
pub struct AmplitudeDifference {
    /// The bands of the subject and of the reference; `None` where the observation is a pair.
    pub bands: Option<[PhotonBand; 2]>,
    /// How time is cut.
    #[serde(flatten)]
    pub segmentation: Segmentation,
    /// Normalisation, rebinning and smoothing.
    #[serde(flatten)]
    pub fad: FadOptions,
}

impl AmplitudeDifference {
    setters! {
        /// Bin width, s.
        dt(f64) => segmentation.dt;
        /// Segment length, s.
        segment_size(f64) => segmentation.segment_size;
        /// Normalisation, rebinning and smoothing.
        fad(FadOptions) => fad;
    }

    fn options(&self, run: &Run) -> FadPlanOptions {
        let Segmentation { dt, segment_size, compat_stingray } = self.segmentation;
        FadPlanOptions { dt, segment_size, fad: self.fad, compat_stingray, chunk_events: run.chunk_events }
    }
}

#[allow(private_interfaces)]
impl Analysis for AmplitudeDifference {
    type Product = FadSpectrum;
    const NAME: &'static str = "spectrum corrected by the difference of amplitudes";
    const KINDS: &'static [ObservationKind] = &[ObservationKind::Events, ObservationKind::EventPair];

    fn compute(&self, observation: &Observation, run: &mut Run) -> Result<FadSpectrum> {
        let (pairs, _) = cross_bands::pairs(observation, self.bands, &mut run.warnings)?;
        let (options, warnings) = (self.options(run), run.take_warnings());
        fad_of_events(pairs, &options, run.device, warnings, run.progress)
    }

    fn plan(&self, observation: &Observation, run: &mut Run) -> Result<PlanReport> {
        let (pairs, _) = cross_bands::pairs(observation, self.bands, &mut run.warnings)?;
        let (plan, inputs) = self.options(run).plan(pairs, &mut run.warnings)?;
        PlanReport::of_events(&plan, &inputs, run)
    }

    fn record(product: &FadSpectrum) -> Option<&Record> {
        Some(&product.meta.record)
    }
}

//! The averaged cross spectrum.

use serde::Serialize;

use crate::base::error::{Error, Result};
use crate::data::{LightCurve, Record};
use crate::engine::analysis::{Analysis, PlanReport, Segmentation, setters};
use crate::engine::cross_bands::{self, BandOverlap};
use crate::engine::observation::{Observation, ObservationKind};
use crate::engine::run::Run;
use crate::engine::{
    CrossSpectrumOptions, LightCurveCrossOptions, LightCurveCrossPlan, PhotonBand, cross_spectrum_of_events,
    cross_spectrum_of_light_curves,
};
use crate::science::cross::{AveragedCrossSpectrum, CrossOptions};
use crate::science::{NoiseLevel, Norm, Rebin};

/// The cross spectrum averaged over segments: of two bands of each file, of two observations of events, or of two light curves.
/// Lags are positive where the subject is late.
#[derive(Clone, Debug, PartialEq, Serialize)]
#[non_exhaustive]
pub struct CrossSpectrum {
    /// The bands of the subject and of the reference; `None` where the observation is a pair. Photons that both have leave the
    /// wider band, so that none is correlated with itself.
    pub bands: Option<[PhotonBand; 2]>,
    /// How time is cut.
    #[serde(flatten)]
    pub segmentation: Segmentation,
    /// Normalisation, rebinning, background and noise levels.
    #[serde(flatten)]
    pub cross: CrossOptions,
    /// Bins of a light curve of which a smaller fraction is exposed are missing.
    pub min_fracexp: f64,
}

impl Default for CrossSpectrum {
    fn default() -> CrossSpectrum {
        let (segmentation, cross) = (Segmentation::default(), CrossOptions::default());
        CrossSpectrum { bands: None, segmentation, cross, min_fracexp: 0.9 }
    }
}

impl CrossSpectrum {
    setters! {
        /// Bin width, s.
        dt(f64) => segmentation.dt;
        /// Segment length, s.
        segment_size(f64) => segmentation.segment_size;
        /// Bands of the subject and of the reference.
        bands([PhotonBand; 2]) => bands;
        /// Normalisation of the powers.
        norm(Norm) => cross.norm;
        /// How frequency bins are combined.
        rebin(Rebin) => cross.rebin;
        /// Background rates of subject and reference, counts/s.
        background([f64; 2]) => cross.background;
        /// Where the noise levels of subject and reference come from.
        noise([NoiseLevel; 2]) => cross.noise;
        /// Normalise once by the mean rates (true), or each segment by its own.
        use_common_mean(bool) => cross.use_common_mean;
        /// Give frequency 0 and the negative frequencies, too.
        fullspec(bool) => cross.fullspec;
        /// Bins of a light curve of which a smaller fraction is exposed are missing.
        min_fracexp(f64) => min_fracexp;
    }

    /// The bands of subject and reference as they are used: a reference that shares photons with the subject is narrower than asked for.
    ///
    /// # Errors
    /// One band is of energies and the other of channels.
    pub fn bands_in_use(&self) -> Result<Option<[PhotonBand; 2]>> {
        self.bands.map(|bands| cross_bands::CrossBands::new(bands).map(|made| made.bands())).transpose()
    }

    /// What is done about photons that both bands have, in words.
    pub fn overlap(&self) -> Option<String> {
        cross_bands::note(self.bands)
    }

    /// The options for events.
    pub(super) fn of_events(&self, run: &Run) -> CrossSpectrumOptions {
        let Segmentation { dt, segment_size, compat_stingray } = self.segmentation;
        let (cross, chunk_events) = (self.cross.clone(), run.chunk_events);
        CrossSpectrumOptions { dt, segment_size, cross, compat_stingray, chunk_events }
    }

    /// The options for light curves.
    pub(super) fn of_light_curves(&self) -> LightCurveCrossOptions {
        let (segment_size, min_fracexp) = (self.segmentation.segment_size, self.min_fracexp);
        LightCurveCrossOptions { segment_size, min_fracexp, cross: self.cross.clone() }
    }

    /// Both light curves with the bins that are asked for.
    pub(super) fn light_curves(&self, observation: &Observation) -> Result<[LightCurve; 2]> {
        self.segmentation.refuse_compat()?;
        if self.bands.is_some() {
            return Err(Error::argument("subject", "", "a light curve has no events to select"));
        }
        let [subject, reference] = observation.pair_of_light_curves()?;
        Ok([subject.coarser(self.segmentation.dt)?, reference.coarser(self.segmentation.dt)?])
    }
}

#[allow(private_interfaces)]
impl Analysis for CrossSpectrum {
    type Product = AveragedCrossSpectrum;
    const NAME: &'static str = "cross spectrum";
    const KINDS: &'static [ObservationKind] =
        &[ObservationKind::Events, ObservationKind::EventPair, ObservationKind::LightCurvePair];

    fn compute(&self, observation: &Observation, run: &mut Run) -> Result<AveragedCrossSpectrum> {
        if observation.kind() == ObservationKind::LightCurvePair {
            let [subject, reference] = self.light_curves(observation)?;
            let (options, warnings) = (self.of_light_curves(), run.take_warnings());
            return cross_spectrum_of_light_curves(&subject, &reference, &options, run.device, warnings, run.progress);
        }
        let (pairs, overlap) = cross_bands::pairs(observation, self.bands, &mut run.warnings)?;
        let (options, warnings) = (self.of_events(run), run.take_warnings());
        let inside = overlap != BandOverlap::None;
        let made = cross_spectrum_of_events(pairs, inside, &options, run.device, warnings, run.progress)?;
        Ok(if overlap == BandOverlap::ReferenceInside { made.exchanged() } else { made })
    }

    fn plan(&self, observation: &Observation, run: &mut Run) -> Result<PlanReport> {
        if observation.kind() == ObservationKind::LightCurvePair {
            let [subject, reference] = self.light_curves(observation)?;
            let options = self.of_light_curves();
            let plan = LightCurveCrossPlan::new(&subject, &reference, &options, &mut run.warnings)?.segments;
            return Ok(PlanReport::of_light_curve(plan.resolution, plan.starts.len(), plan.gti.exposure()));
        }
        let (pairs, overlap) = cross_bands::pairs(observation, self.bands, &mut run.warnings)?;
        let (plan, inputs) = self.of_events(run).plan(pairs, overlap != BandOverlap::None, &mut run.warnings)?;
        PlanReport::of_events(&plan, &inputs, run)
    }

    fn record(product: &AveragedCrossSpectrum) -> Option<&Record> {
        Some(&product.meta.record)
    }
}

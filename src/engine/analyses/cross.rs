//! The averaged cross spectrum.

use serde::Serialize;

use crate::base::error::{Error, Result};
use crate::base::sums::Sums;
use crate::data::product::ProductKind;
use crate::data::{LightCurve, Record};
use crate::engine::analysis::{Analysis, PlanReport, setters};
use crate::engine::cross_bands::{self, BandOverlap};
use crate::engine::dead_time;
use crate::engine::event_pair::{known_dead_time, plan_pairs};
use crate::engine::flux::{StreamedSegments, cross_quantity, cross_spectrum_of_segments};
use crate::engine::light_curve_plan::LightCurvePairPlan;
use crate::engine::observation::{Observation, ObservationKind};
use crate::engine::photon_band::PhotonBand;
use crate::engine::plan::Plan;
use crate::engine::plan_sums::no_events;
use crate::engine::run::{Run, asked};
use crate::engine::segmentation::Segmentation;
use crate::engine::summation::{Finish, InParts, Summation};
use crate::io::table_write::written_as_table;
use crate::missions::DetectorDeadTime;
use crate::science::columns::CROSS_SPECTRUM;
use crate::science::context::SpectrumContext;
use crate::science::cross::{AveragedCrossSpectrum, CrossOptions};
use crate::science::cross_of_sums::CrossContext;
use crate::science::{NoiseLevel, Norm, Rebin};
use crate::segment::plan::Resolution;

/// The cross spectrum averaged over segments: of two bands of each file, of two observations of events, or of two light curves.
/// Lags are positive where the subject is late.
#[derive(Clone, Debug, PartialEq, Serialize)]
#[must_use]
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

    /// What is done about photons that both bands have, in words; `None` where the bands share none.
    pub fn overlap(&self) -> Option<String> {
        cross_bands::note(self.bands)
    }

    /// Both light curves with the bins that are asked for, and their common segments.
    pub(super) fn stretches(&self, observation: &Observation, run: &mut Run) -> Result<LightCurvePairPlan> {
        self.segmentation.refuse_compat()?;
        if self.bands.is_some() {
            return Err(Error::argument("subject", "", "a light curve has no events to select"));
        }
        let [subject, reference] = observation.pair_of_light_curves()?;
        let coarser = |light_curve: LightCurve| light_curve.coarser(self.segmentation.dt);
        let pair = [coarser(subject)?, coarser(reference)?];
        LightCurvePairPlan::new(&pair, self.segmentation.segment_size, self.min_fracexp, &mut run.warnings)
    }

    /// The spectrum of the sums of a plan.
    fn finish(
        &self,
        plan: &Plan,
        sums: &Sums,
        made: Record,
        overlap: BandOverlap,
        known: [Option<DetectorDeadTime>; 2],
    ) -> Result<AveragedCrossSpectrum> {
        if sums.segments == 0 || sums.series.iter().any(|c| c.photons == 0) {
            return Err(no_events(plan, &made));
        }
        let Resolution { n, dt, segment_size } = plan.resolution;
        let compat_stingray = self.segmentation.compat_stingray;
        let spectrum = SpectrumContext { n, dt, segment_size, compat_stingray, record: made };
        let context = CrossContext { spectrum, inside: overlap != BandOverlap::None, flux: None };
        let mut spectrum = AveragedCrossSpectrum::new(sums, &self.cross, context)?;
        dead_time::warn_of_channels(&mut spectrum, known, self.cross.noise);
        Ok(if overlap == BandOverlap::ReferenceInside { spectrum.exchanged() } else { spectrum })
    }
}

#[allow(private_interfaces)]
impl InParts for CrossSpectrum {
    fn summation<'o>(
        &'o self,
        observation: &'o Observation,
        run: &mut Run,
    ) -> Result<Summation<'o, AveragedCrossSpectrum>> {
        let (pairs, overlap) = cross_bands::pairs(observation, self.bands, &mut run.warnings)?;
        let (inside, known) = (overlap != BandOverlap::None, known_dead_time(&pairs));
        let quantity = cross_quantity(&self.cross, inside, self.cross.weight_exponent());
        let (plan, inputs) = plan_pairs(pairs, inside, quantity, self.segmentation, &mut run.warnings)?;
        let finish = move |plan: &Plan, sums: Sums, made: Record| self.finish(plan, &sums, made, overlap, known);
        Ok(Summation { plan, inputs, asked: asked(self), finish: Finish::Sums(Box::new(finish)) })
    }
}

written_as_table!(AveragedCrossSpectrum);

#[allow(private_interfaces)]
impl Analysis for CrossSpectrum {
    type Product = AveragedCrossSpectrum;
    const NAME: &'static str = "cross spectrum";
    const KINDS: &'static [ObservationKind] =
        &[ObservationKind::Events, ObservationKind::EventPair, ObservationKind::LightCurvePair];
    const PRODUCTS: &'static [&'static ProductKind] = &[&CROSS_SPECTRUM];

    fn compute(&self, observation: &Observation, run: &mut Run) -> Result<AveragedCrossSpectrum> {
        if observation.kind() != ObservationKind::LightCurvePair {
            return self.summation(observation, run)?.product(run);
        }
        let plan = self.stretches(observation, run)?;
        let segments = &mut plan.pairs(run.progress);
        let stream = StreamedSegments { segments, expected: 0, dt: plan.segments.resolution.dt, rates: false };
        let made = cross_spectrum_of_segments(stream, &self.cross, run);
        run.progress.check()?;
        let mut spectrum = made?;
        plan.complete(&mut spectrum.meta.record, &run.skipped, asked(self));
        Ok(spectrum)
    }

    fn plan(&self, observation: &Observation, run: &mut Run) -> Result<PlanReport> {
        if observation.kind() == ObservationKind::LightCurvePair {
            return Ok(self.stretches(observation, run)?.segments.report());
        }
        self.summation(observation, run)?.report(run)
    }

    fn record(product: &AveragedCrossSpectrum) -> &Record {
        &product.meta.record
    }
}

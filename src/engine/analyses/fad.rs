//! Spectra of two detectors corrected for dead time.

use serde::Serialize;

use crate::base::error::{Error, Result};
use crate::base::sums::Sums;
use crate::data::Record;
use crate::data::product::ProductKind;
use crate::engine::analysis::{Analysis, PlanReport, setters};
use crate::engine::cross_bands;
use crate::engine::event_pair::plan_pairs;
use crate::engine::observation::{Observation, ObservationKind};
use crate::engine::photon_band::PhotonBand;
use crate::engine::plan::Plan;
use crate::engine::plan_sums::no_events;
use crate::engine::run::{Run, asked};
use crate::engine::segmentation::Segmentation;
use crate::engine::summation::{Finish, InParts, Summation};
use crate::io::table_write::written_as_table;
use crate::science::columns::FAD_SPECTRUM;
use crate::science::context::SpectrumContext;
use crate::science::fad::{FadOptions, FadSpectrum};
use crate::segment::Quantity;
use crate::segment::plan::Resolution;

/// Power and cross spectra of two simultaneous detectors, corrected for dead time by the difference of their Fourier amplitudes (Bachetti
/// & Huppenkothen 2018, doi:10.3847/2041-8213/aaa83b); in f64 on the CPU.
#[derive(Clone, Debug, Default, PartialEq, Serialize)]
#[must_use]
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
        /// The bands of the subject and of the reference.
        bands([PhotonBand; 2]) => bands;
        /// Bin width, s.
        dt(f64) => segmentation.dt;
        /// Segment length, s.
        segment_size(f64) => segmentation.segment_size;
        /// Normalisation, rebinning and smoothing.
        fad(FadOptions) => fad;
    }
}

#[allow(private_interfaces)]
impl InParts for AmplitudeDifference {
    /// Segments without a photon in either detector are skipped.
    fn summation<'o>(&'o self, observation: &'o Observation, run: &mut Run) -> Result<Summation<'o, FadSpectrum>> {
        let width = self.fad.smoothing;
        if !(width.is_finite() && width > 0.0) {
            return Err(Error::argument("fad.smoothing", width, "must be a positive number of Hz"));
        }
        let (pairs, _) = cross_bands::pairs(observation, self.bands, &mut run.warnings)?;
        // How many frequencies are smoothed shows when the length of a segment is known.
        let quantity = Quantity::Fad(self.fad.work(0.0));
        let (mut plan, inputs) = plan_pairs(pairs, false, quantity, self.segmentation, &mut run.warnings)?;
        plan.spec.quantity = Quantity::Fad(self.fad.work(plan.resolution.segment_size));
        let finish = move |plan: &Plan, sums: Sums, made: Record| {
            if sums.segments == 0 {
                return Err(no_events(plan, &made));
            }
            let Resolution { n, dt, segment_size } = plan.resolution;
            let compat_stingray = self.fad.compat_stingray || self.segmentation.compat_stingray;
            FadSpectrum::new(&sums, &self.fad, SpectrumContext { n, dt, segment_size, compat_stingray, record: made })
        };
        Ok(Summation { plan, inputs, asked: asked(self), finish: Finish::Sums(Box::new(finish)) })
    }
}

written_as_table!(FadSpectrum);

#[allow(private_interfaces)]
impl Analysis for AmplitudeDifference {
    type Product = FadSpectrum;
    const NAME: &'static str = "spectrum corrected by the difference of amplitudes";
    const KINDS: &'static [ObservationKind] = &[ObservationKind::Events, ObservationKind::EventPair];
    const PRODUCTS: &'static [&'static ProductKind] = &[&FAD_SPECTRUM];

    fn compute(&self, observation: &Observation, run: &mut Run) -> Result<FadSpectrum> {
        self.summation(observation, run)?.product(run)
    }

    fn plan(&self, observation: &Observation, run: &mut Run) -> Result<PlanReport> {
        self.summation(observation, run)?.report(run)
    }

    fn record(product: &FadSpectrum) -> &Record {
        &product.meta.record
    }
}

//! The multitaper power spectrum.

use serde::Serialize;

use super::PowerSpectrum;
use crate::base::error::{Error, Result};
use crate::base::mend::Mend;
use crate::data::Record;
use crate::data::product::ProductKind;
use crate::engine::analysis::{Analysis, PlanReport, setters};
use crate::engine::each_segment::each_segment;
use crate::engine::observation::{Observation, ObservationKind};
use crate::engine::run::{Run, asked_of};
use crate::science::columns::POWER_SPECTRUM;
use crate::science::context::SpectrumContext;
use crate::science::multitaper::{MultitaperSums, TaperOptions};
use crate::science::power::AveragedPowerSpectrum;
use crate::segment::plan::Resolution;

/// The multitaper power spectrum averaged over segments of events or of a light curve; in f64 on the CPU.
#[derive(Clone, Debug, Default, PartialEq, Serialize)]
#[must_use]
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
            return refuse("compat_stingray", true);
        }
        Ok(())
    }
}

#[allow(private_interfaces)]
impl Analysis for Multitaper {
    type Product = AveragedPowerSpectrum;
    const NAME: &'static str = "multitaper spectrum";
    const KINDS: &'static [ObservationKind] = &[ObservationKind::Events, ObservationKind::LightCurve];
    const PRODUCTS: &'static [&'static ProductKind] = &[&POWER_SPECTRUM];

    fn compute(&self, observation: &Observation, run: &mut Run) -> Result<AveragedPowerSpectrum> {
        self.check()?;
        let progress = run.progress;
        let begin = |r: Resolution, _| MultitaperSums::new(r.n, &self.tapers, progress);
        let add = |sums: &mut MultitaperSums, values: &[f64], variance| sums.add(values, variance);
        let (sums, r, mut record) = each_segment(&self.spectrum, observation, run, begin, add)?;
        record.options = asked_of(self, observation.combination());
        let context =
            SpectrumContext { n: r.n, dt: r.dt, segment_size: r.segment_size, compat_stingray: false, record };
        sums.finish(&self.spectrum.power, context)
    }

    fn plan(&self, observation: &Observation, run: &mut Run) -> Result<PlanReport> {
        self.check()?;
        self.spectrum.plan_segments(observation, run)
    }

    fn record(product: &AveragedPowerSpectrum) -> &Record {
        &product.meta.record
    }
}

//! Bispectra by both definitions.

use serde::Serialize;

use super::PowerSpectrum;
use crate::base::error::Result;
use crate::data::Record;
use crate::data::product::ProductKind;
use crate::engine::analysis::{Analysis, PlanReport, setters};
use crate::engine::each_segment::each_segment;
use crate::engine::observation::{Observation, ObservationKind};
use crate::engine::run::{Run, asked_of};
use crate::engine::segmentation::Segmentation;
use crate::io::table_write::written_as_table;
use crate::science::bispectrum::{Bispectrum, BispectrumSums};
use crate::science::columns::{BISPECTRUM, CUMULANT_BISPECTRUM};
use crate::science::cumulant::{CumulantBispectrum, CumulantOptions, CumulantSums};
use crate::segment::plan::Resolution;

/// The bispectrum averaged over segments, at pairs of frequencies; in f64 on the CPU.
#[derive(Clone, Debug, Default, PartialEq, Serialize)]
#[must_use]
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
#[must_use]
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

impl BispectrumOfCumulants {
    /// Its segments: those of a light curve are this library's, whose cumulants are the peer's all the same.
    fn segments(&self, observation: &Observation) -> PowerSpectrum {
        let of_curve = observation.kind() == ObservationKind::LightCurve;
        let compat_stingray = self.segmentation.compat_stingray && !of_curve;
        segments(Segmentation { compat_stingray, ..self.segmentation })
    }
}

/// The spectrum that has these segments.
fn segments(segmentation: Segmentation) -> PowerSpectrum {
    PowerSpectrum { segmentation, ..PowerSpectrum::default() }
}

written_as_table!(Bispectrum, CumulantBispectrum);

#[allow(private_interfaces)]
impl Analysis for BispectrumOfPairs {
    type Product = Bispectrum;
    const NAME: &'static str = "bispectrum";
    const KINDS: &'static [ObservationKind] = &[ObservationKind::Events, ObservationKind::LightCurve];
    const PRODUCTS: &'static [&'static ProductKind] = &[&BISPECTRUM];

    fn compute(&self, observation: &Observation, run: &mut Run) -> Result<Bispectrum> {
        let progress = run.progress;
        let begin = |r: Resolution, counts: bool| BispectrumSums::new(r.n, r.dt, self.max_freq, counts);
        let add = |sums: &mut BispectrumSums, values: &[f64], _| sums.add(values, progress);
        let (sums, r, mut record) = each_segment(&segments(self.segmentation), observation, run, begin, add)?;
        record.options = asked_of(self, observation.combination());
        Ok(sums.finish(r.dt, record))
    }

    fn plan(&self, observation: &Observation, run: &mut Run) -> Result<PlanReport> {
        segments(self.segmentation).plan_segments(observation, run)
    }

    fn record(product: &Bispectrum) -> &Record {
        &product.meta.record
    }
}

#[allow(private_interfaces)]
impl Analysis for BispectrumOfCumulants {
    type Product = CumulantBispectrum;
    const NAME: &'static str = "bispectrum of cumulants";
    const KINDS: &'static [ObservationKind] = &[ObservationKind::Events, ObservationKind::LightCurve];
    const PRODUCTS: &'static [&'static ProductKind] = &[&CUMULANT_BISPECTRUM];

    fn compute(&self, observation: &Observation, run: &mut Run) -> Result<CumulantBispectrum> {
        let progress = run.progress;
        let begin = |r: Resolution, _| CumulantSums::new(r.n, self.cumulant);
        let add = |sums: &mut CumulantSums, values: &[f64], _| sums.add(values, progress);
        let (sums, r, mut record) = each_segment(&self.segments(observation), observation, run, begin, add)?;
        record.options = asked_of(self, observation.combination());
        Ok(sums.finish(r.dt, record))
    }

    fn plan(&self, observation: &Observation, run: &mut Run) -> Result<PlanReport> {
        self.segments(observation).plan_segments(observation, run)
    }

    fn record(product: &CumulantBispectrum) -> &Record {
        &product.meta.record
    }
}

//! The averaged power spectrum.

use std::borrow::Cow;

use serde::Serialize;

use crate::backend::Backend;
use crate::base::error::Result;
use crate::base::progress::Progress;
use crate::base::sums::Sums;
use crate::base::trace;
use crate::base::warning::Warnings;
use crate::data::product::ProductKind;
use crate::data::{LightCurve, Record};
use crate::engine::analysis::{Analysis, PlanReport, setters};
use crate::engine::combine::Combine;
use crate::engine::dead_time;
use crate::engine::flux::{StreamedSegments, spectrum_of_segments};
use crate::engine::light_curve_plan::LightCurvePlan;
use crate::engine::observation::{Observation, ObservationKind};
use crate::engine::plan::Plan;
use crate::engine::plan_sums::no_events;
use crate::engine::run::{Run, asked, asked_of};
use crate::engine::segmentation::Segmentation;
use crate::engine::summation::{Finish, InParts, Summation};
use crate::engine::time_source::Events;
use crate::io::table_write::written_as_table;
use crate::missions::DetectorDeadTime;
use crate::science::columns::POWER_SPECTRUM;
use crate::science::context::SpectrumContext;
use crate::science::power::{AveragedPowerSpectrum, PowerOptions};
use crate::science::{NoiseLevel, Norm, Rebin};
use crate::segment::Quantity;
use crate::segment::plan::Resolution;

/// The power spectrum averaged over segments of events or of a light curve.
#[derive(Clone, Debug, PartialEq, Serialize)]
#[must_use]
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

    /// A light curve with the bins that are asked for, and its segments.
    pub(in crate::engine) fn stretches<'o>(
        &self,
        observation: &'o Observation,
        run: &mut Run,
    ) -> Result<(Cow<'o, LightCurve>, LightCurvePlan)> {
        self.segmentation.refuse_compat()?;
        let light_curve = observation.light_curve_of_segments(self.segmentation.dt)?;
        let segment_size = self.segmentation.segment_size;
        let plan = LightCurvePlan::new(&light_curve, segment_size, self.min_fracexp, &mut run.warnings)?;
        Ok((light_curve, plan))
    }

    /// The report of this spectrum's segments, which other analyses have, too.
    pub(super) fn plan_segments(&self, observation: &Observation, run: &mut Run) -> Result<PlanReport> {
        if observation.kind() == ObservationKind::LightCurve {
            return Ok(self.stretches(observation, run)?.1.report());
        }
        self.summation(observation, run)?.report(run)
    }

    fn summation_of<'o>(
        &'o self,
        inputs: Vec<Events<'o>>,
        combine: Combine,
        run: &mut Run,
    ) -> Result<Summation<'o, AveragedPowerSpectrum>> {
        let quantity = Quantity::Power { weight_exponent: self.power.weight_exponent() };
        let plan = Plan::new(&inputs, combine, self.segmentation, quantity, &mut run.warnings)?;
        let known = dead_time::common_dead_time(&inputs, combine);
        let finish = move |plan: &Plan, sums: Sums, made: Record| self.finish(plan, &sums, made, known);
        Ok(Summation { plan, inputs, asked: asked_of(self, combine), finish: Finish::Sums(Box::new(finish)) })
    }

    /// The spectrum of the sums of a plan.
    fn finish(
        &self,
        plan: &Plan,
        sums: &Sums,
        mut made: Record,
        known: Option<DetectorDeadTime>,
    ) -> Result<AveragedPowerSpectrum> {
        if sums.photons() == 0 && made.photons.read > 0 {
            return Err(no_events(plan, &made));
        }
        let (Resolution { n, dt, segment_size }, compat_stingray) =
            (plan.resolution, self.segmentation.compat_stingray);
        if made.photons.read == 0 {
            made.warnings.push("W-NO-EVENTS", "the inputs have no events at all; the spectrum is empty");
            let context = SpectrumContext { n, dt, segment_size, compat_stingray, record: made };
            return Ok(AveragedPowerSpectrum::empty(&self.power, context));
        }
        let _span = trace::span("spectrum");
        let context = SpectrumContext { n, dt, segment_size, compat_stingray, record: made };
        let mut spectrum = AveragedPowerSpectrum::new(sums, false, &self.power, context)?;
        dead_time::warn(&mut spectrum, known, self.power.noise);
        Ok(spectrum)
    }
}

#[allow(private_interfaces)]
impl InParts for PowerSpectrum {
    fn summation<'o>(
        &'o self,
        observation: &'o Observation,
        run: &mut Run,
    ) -> Result<Summation<'o, AveragedPowerSpectrum>> {
        let (inputs, combine) = (observation.events(&mut run.warnings)?, observation.combination());
        self.summation_of(inputs, combine, run)
    }
}

written_as_table!(AveragedPowerSpectrum);

#[allow(private_interfaces)]
impl Analysis for PowerSpectrum {
    type Product = AveragedPowerSpectrum;
    const NAME: &'static str = "power spectrum";
    const KINDS: &'static [ObservationKind] = &[ObservationKind::Events, ObservationKind::LightCurve];
    const PRODUCTS: &'static [&'static ProductKind] = &[&POWER_SPECTRUM];

    /// Counts of a light curve are divided by their exposure; their noise is Poisson's. Rates and errors that a file gave are
    /// multiplied by `dt`; the noise then follows from the errors.
    fn compute(&self, observation: &Observation, run: &mut Run) -> Result<AveragedPowerSpectrum> {
        if observation.kind() != ObservationKind::LightCurve {
            return self.summation(observation, run)?.product(run);
        }
        let (light_curve, plan) = self.stretches(observation, run)?;
        let segments = &mut plan.segments(&light_curve, run.progress);
        let stream = StreamedSegments { segments, expected: 0, dt: light_curve.grid.dt, rates: !light_curve.counted };
        let made = spectrum_of_segments(stream, &self.power, run);
        run.progress.check()?;
        let mut spectrum = made?;
        plan.complete(&mut spectrum.meta.record, &light_curve, &run.skipped, asked(self));
        Ok(spectrum)
    }

    fn plan(&self, observation: &Observation, run: &mut Run) -> Result<PlanReport> {
        self.plan_segments(observation, run)
    }

    fn record(product: &AveragedPowerSpectrum) -> &Record {
        &product.meta.record
    }
}

/// The spectrum of a source of times that no observation holds.
///
/// # Errors
/// See [`Session::run`](crate::engine::Session::run).
pub fn spectrum_of_source(
    device: &mut dyn Backend,
    chunk_events: usize,
    analysis: &PowerSpectrum,
    input: Events,
) -> Result<AveragedPowerSpectrum> {
    let (warnings, progress) = (Warnings::default(), &Progress::default());
    let run = &mut Run { device, warnings, progress, chunk_events, with_memory: false, skipped: Vec::new() };
    analysis.summation_of(vec![input], Combine::Average, run)?.product(run)
}

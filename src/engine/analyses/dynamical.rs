//! Power and cross spectra against time.

use serde::Serialize;

use super::{CrossSpectrum, PowerSpectrum};
use crate::base::error::Result;
use crate::data::Record;
use crate::data::product::ProductKind;
use crate::engine::analysis::{Analysis, PlanReport, setters};
use crate::engine::cross_bands::{self, BandOverlap};
use crate::engine::dynamical::{EVERY_SEGMENT, cross_recipe, recipe, warn_of_precision, warn_of_size};
use crate::engine::dynamical_flux::{cross_rows_of_segments, rows_of_segments, stretch_places};
use crate::engine::event_pair::plan_pairs;
use crate::engine::flux::StreamedSegments;
use crate::engine::observation::{Observation, ObservationKind};
use crate::engine::plan::Plan;
use crate::engine::plan_rows::stretches;
use crate::engine::run::{Run, asked, asked_of};
use crate::engine::summation::{Finish, InParts, Summation};
use crate::science::columns::{DYNAMICAL_CROSS, DYNAMICAL_POWER, SHIFTED_POWER};
use crate::science::dynamical::rows::{DynamicalRows, DynamicalSpec};
use crate::science::dynamical::{DynamicalCrossSpectrum, DynamicalPowerSpectrum, TimeRebin};
use crate::segment::Quantity;

/// The power spectra of all segments against time; the whole matrix is in memory.
#[derive(Clone, Debug, Default, PartialEq, Serialize)]
#[must_use]
#[non_exhaustive]
pub struct DynamicalSpectrum {
    /// Segments, normalisation and rebinning. The noise level cannot be fitted.
    #[serde(flatten)]
    pub spectrum: PowerSpectrum,
    /// How many segments are averaged into a row.
    #[serde(flatten)]
    pub time: TimeRebin,
}

/// The cross spectra of all segments against time; the whole matrix is in memory.
#[derive(Clone, Debug, Default, PartialEq, Serialize)]
#[must_use]
#[non_exhaustive]
pub struct DynamicalCross {
    /// Bands, segments, normalisation and rebinning. The noise levels cannot be fitted.
    #[serde(flatten)]
    pub spectrum: CrossSpectrum,
    /// How many segments are averaged into a row.
    #[serde(flatten)]
    pub time: TimeRebin,
}

impl DynamicalSpectrum {
    setters! {
        /// Segments, normalisation and rebinning.
        spectrum(PowerSpectrum) => spectrum;
        /// How many segments are averaged into a row.
        time(TimeRebin) => time;
    }

    /// What is done with the segments of events.
    fn recipe(&self, plan: &Plan) -> DynamicalSpec {
        recipe(&self.spectrum.power, self.time, &plan.spec, plan.resolution.dt, false)
    }
}

impl DynamicalCross {
    setters! {
        /// Bands, segments, normalisation and rebinning.
        spectrum(CrossSpectrum) => spectrum;
        /// How many segments are averaged into a row.
        time(TimeRebin) => time;
    }
}

#[allow(private_interfaces)]
impl InParts for DynamicalSpectrum {
    fn summation<'o>(
        &'o self,
        observation: &'o Observation,
        run: &mut Run,
    ) -> Result<Summation<'o, DynamicalPowerSpectrum>> {
        let (inputs, combine) = (observation.events(&mut run.warnings)?, observation.combination());
        let plan = Plan::new(&inputs, combine, self.spectrum.segmentation, EVERY_SEGMENT, &mut run.warnings)?;
        let recipe = self.recipe(&plan);
        let (rows, frequencies) = recipe.shape(plan.total_segments(), stretches(&plan))?;
        warn_of_size(rows, frequencies, &mut run.warnings);
        let finish = move |rows: DynamicalRows, made: Record| {
            let mut spectrum = DynamicalPowerSpectrum::new(rows, self.spectrum.power.subtract_noise, made)?;
            warn_of_precision(&mut spectrum);
            Ok(spectrum)
        };
        Ok(Summation {
            plan,
            inputs,
            asked: asked_of(self, combine),
            finish: Finish::Rows(Box::new(recipe), Box::new(finish)),
        })
    }
}

#[allow(private_interfaces)]
impl InParts for DynamicalCross {
    fn summation<'o>(
        &'o self,
        observation: &'o Observation,
        run: &mut Run,
    ) -> Result<Summation<'o, DynamicalCrossSpectrum>> {
        let CrossSpectrum { bands, segmentation, cross, .. } = &self.spectrum;
        let (pairs, overlap) = cross_bands::pairs(observation, *bands, &mut run.warnings)?;
        let inside = overlap != BandOverlap::None;
        let quantity = Quantity::EverySegment { series: 2, inside: u64::from(inside) };
        let (plan, inputs) = plan_pairs(pairs, inside, quantity, *segmentation, &mut run.warnings)?;
        let recipe = cross_recipe(cross, self.time, &plan.spec, plan.resolution.dt, inside, false)?;
        let (rows, frequencies) = recipe.shape(plan.total_segments(), stretches(&plan))?;
        warn_of_size(rows.saturating_mul(recipe.blocks() as u64), frequencies, &mut run.warnings);
        let finish = move |rows: DynamicalRows, made: Record| {
            let spectrum = DynamicalCrossSpectrum::new(rows, made)?;
            Ok(if overlap == BandOverlap::ReferenceInside { spectrum.exchanged() } else { spectrum })
        };
        Ok(Summation { plan, inputs, asked: asked(self), finish: Finish::Rows(Box::new(recipe), Box::new(finish)) })
    }
}

#[allow(private_interfaces)]
impl Analysis for DynamicalSpectrum {
    type Product = DynamicalPowerSpectrum;
    const NAME: &'static str = "dynamical power spectrum";
    const KINDS: &'static [ObservationKind] = &[ObservationKind::Events, ObservationKind::LightCurve];
    const PRODUCTS: &'static [&'static ProductKind] = &[&DYNAMICAL_POWER, &SHIFTED_POWER];

    fn compute(&self, observation: &Observation, run: &mut Run) -> Result<DynamicalPowerSpectrum> {
        if observation.kind() != ObservationKind::LightCurve {
            return self.summation(observation, run)?.product(run);
        }
        let (light_curve, plan) = self.spectrum.stretches(observation, run)?;
        let frequencies = crate::numerics::fft::frequencies(plan.resolution.n);
        let power = &self.spectrum.power;
        warn_of_size(plan.starts.len() as u64, power.rebin.ranges(frequencies)?.count(), &mut run.warnings);
        let segments = &mut plan.segments(&light_curve, run.progress);
        let expected = plan.starts.len() as u64;
        let stream = StreamedSegments { segments, expected, dt: light_curve.grid.dt, rates: !light_curve.counted };
        let place = stretch_places(&plan, &light_curve, self.time.across_gaps);
        let made = rows_of_segments(stream, power, self.time, place, run);
        run.progress.check()?;
        let mut spectrum = made?;
        plan.complete(&mut spectrum.meta.record, &light_curve, &run.skipped, asked(self));
        Ok(spectrum)
    }

    fn plan(&self, observation: &Observation, run: &mut Run) -> Result<PlanReport> {
        if observation.kind() == ObservationKind::LightCurve {
            let report = self.spectrum.plan_segments(observation, run)?;
            let columns = self.spectrum.power.rebin.ranges(report.frequencies)?.count();
            return Ok(PlanReport { matrix: Some((report.segments, columns)), ..report });
        }
        let summation = self.summation(observation, run)?;
        let plan = &summation.plan;
        let matrix = Some(self.recipe(plan).shape(plan.total_segments(), stretches(plan))?);
        Ok(PlanReport { matrix, ..summation.report(run)? })
    }

    fn record(product: &DynamicalPowerSpectrum) -> &Record {
        &product.meta.record
    }
}

#[allow(private_interfaces)]
impl Analysis for DynamicalCross {
    type Product = DynamicalCrossSpectrum;
    const NAME: &'static str = "dynamical cross spectrum";
    const KINDS: &'static [ObservationKind] = CrossSpectrum::KINDS;
    const PRODUCTS: &'static [&'static ProductKind] = &[&DYNAMICAL_CROSS];

    fn compute(&self, observation: &Observation, run: &mut Run) -> Result<DynamicalCrossSpectrum> {
        if observation.kind() != ObservationKind::LightCurvePair {
            return self.summation(observation, run)?.product(run);
        }
        let (plan, cross) = (self.spectrum.stretches(observation, run)?, &self.spectrum.cross);
        let frequencies = crate::numerics::fft::frequencies(plan.segments.resolution.n);
        let columns = cross.rebin.ranges(frequencies)?.count();
        warn_of_size(4 * plan.segments.starts.len() as u64, columns, &mut run.warnings);
        let segments = &mut plan.pairs(run.progress);
        let expected = plan.segments.starts.len() as u64;
        let stream = StreamedSegments { segments, expected, dt: plan.segments.resolution.dt, rates: false };
        let place = stretch_places(&plan.segments, &plan.subject, self.time.across_gaps);
        let made = cross_rows_of_segments(stream, cross, self.time, place, run);
        run.progress.check()?;
        let mut spectrum = made?;
        plan.complete(&mut spectrum.meta.record, &run.skipped, asked(self));
        Ok(spectrum)
    }

    fn plan(&self, observation: &Observation, run: &mut Run) -> Result<PlanReport> {
        if observation.kind() == ObservationKind::LightCurvePair {
            return Ok(self.spectrum.stretches(observation, run)?.segments.report());
        }
        self.summation(observation, run)?.report(run)
    }

    fn record(product: &DynamicalCrossSpectrum) -> &Record {
        &product.meta.record
    }
}

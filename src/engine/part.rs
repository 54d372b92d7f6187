//! Spectra in parts: some segments of a plan are summed here, others elsewhere or later, and who has all makes the spectrum.

use std::ops::Range;

use super::cross::{CrossSpectrumOptions, EventPair, finish_cross, known_dead_time};
use super::dead_time;
use super::dynamical::{DynamicalOptions, dynamical_by};
use super::energy::{EnergyBands, EnergyPlan, EnergySpectrumOptions, finish_energy};
use super::fad::{FadPlanOptions, finish_fad};
use super::options::{PowerSpectrumOptions, Reading};
use super::plan::Plan;
use super::plan_sums::{SegmentSink, sum_part, sums_of_part};
use super::power_spectrum::finish_power;
use super::time_source::Events;
use crate::backend::Backend;
use crate::base::error::Result;
use crate::base::progress::Progress;
use crate::base::warning::Warnings;
use crate::science::cross::AveragedCrossSpectrum;
use crate::science::dynamical::DynamicalPowerSpectrum;
use crate::science::energy::EnergySpectrum;
use crate::science::fad::FadSpectrum;
use crate::science::power::AveragedPowerSpectrum;
use crate::segment::PlanPart;

/// Sums the power spectra of some segments of events: absolute indices, one of the ranges of [`Plan::parts`]. Files are read through
/// first, where nobody has, so that their order and their checksums are known.
///
/// # Errors
/// Those of [`spectrum_of_events`](super::spectrum_of_events); segments that are not whole runs of the plan.
pub fn part_of_spectrum(
    inputs: Vec<Events>,
    options: &PowerSpectrumOptions,
    segments: Range<u64>,
    backend: &mut dyn Backend,
    warnings: &mut Warnings,
    progress: &Progress,
) -> Result<PlanPart> {
    let plan = Plan::new(&inputs, options, warnings)?;
    let reading = Reading { rows: options.chunk_events, progress };
    sum_part(plan, segments, inputs, backend, reading, warnings)
}

/// The spectrum of the sums of all segments, as [`spectrum_of_events`](super::spectrum_of_events) of the same inputs and options makes it,
/// bit for bit. No event is used, but files are read for their checksums.
///
/// # Errors
/// The part is of other inputs or options, or segments are missing; see [`MergeError`](crate::base::error::MergeError).
pub fn spectrum_of_part(
    part: PlanPart,
    inputs: Vec<Events>,
    options: &PowerSpectrumOptions,
    mut warnings: Warnings,
) -> Result<AveragedPowerSpectrum> {
    let plan = Plan::new(&inputs, options, &mut warnings)?;
    let known = dead_time::common_dead_time(&inputs, options.combine);
    let done = sums_of_part(&plan, inputs, part, SegmentSink::SumsAlone, &mut warnings)?;
    finish_power(&plan, done, known, options, warnings)
}

/// Sums the cross spectra of some segments of events, as [`part_of_spectrum`] does.
///
/// # Errors
/// Those of [`cross_spectrum_of_events`](super::cross_spectrum_of_events); segments that are not whole runs of the plan.
pub fn part_of_cross_spectrum(
    inputs: Vec<EventPair>,
    inside: bool,
    options: &CrossSpectrumOptions,
    segments: Range<u64>,
    backend: &mut dyn Backend,
    warnings: &mut Warnings,
    progress: &Progress,
) -> Result<PlanPart> {
    let (plan, events) = options.plan(inputs, inside, warnings)?;
    let reading = Reading { rows: options.chunk_events, progress };
    sum_part(plan, segments, events, backend, reading, warnings)
}

/// The cross spectrum of the sums of all segments, as [`cross_spectrum_of_events`](super::cross_spectrum_of_events) of the same inputs and
/// options makes it, bit for bit. No event is used, but files are read for their checksums.
///
/// # Errors
/// See [`spectrum_of_part`].
pub fn cross_spectrum_of_part(
    part: PlanPart,
    inputs: Vec<EventPair>,
    inside: bool,
    options: &CrossSpectrumOptions,
    mut warnings: Warnings,
) -> Result<AveragedCrossSpectrum> {
    let known = known_dead_time(&inputs);
    let (plan, events) = options.plan(inputs, inside, &mut warnings)?;
    let done = sums_of_part(&plan, events, part, SegmentSink::SumsAlone, &mut warnings)?;
    finish_cross(&plan, done, known, inside, options, warnings)
}

/// Sums the bands of an energy spectrum over some segments of events, as [`part_of_spectrum`] does.
///
/// # Errors
/// Those of [`energy_spectrum_of_events`](super::energy_spectrum_of_events); segments that are not whole runs of the plan.
pub fn part_of_energy_spectrum(
    inputs: Vec<Events>,
    bands: &EnergyBands,
    options: &EnergySpectrumOptions,
    segments: Range<u64>,
    backend: &mut dyn Backend,
    warnings: &mut Warnings,
    progress: &Progress,
) -> Result<PlanPart> {
    let EnergyPlan { plan, .. } = EnergyPlan::new(&inputs, bands, options, warnings)?;
    let reading = Reading { rows: options.chunk_events, progress };
    sum_part(plan, segments, inputs, backend, reading, warnings)
}

/// The energy spectrum of the sums of all segments, as [`energy_spectrum_of_events`](super::energy_spectrum_of_events) makes it, bit for bit.
///
/// # Errors
/// See [`spectrum_of_part`].
pub fn energy_spectrum_of_part(
    part: PlanPart,
    inputs: Vec<Events>,
    bands: &EnergyBands,
    options: &EnergySpectrumOptions,
    mut warnings: Warnings,
) -> Result<EnergySpectrum> {
    let EnergyPlan { plan, inside, .. } = EnergyPlan::new(&inputs, bands, options, &mut warnings)?;
    let known = dead_time::common_dead_time(&inputs, options.combine);
    let done = sums_of_part(&plan, inputs, part, SegmentSink::SumsAlone, &mut warnings)?;
    finish_energy(&plan, done, known, (bands, inside), options, warnings)
}

/// Sums the spectra of two detectors, corrected for dead time, over some segments of events, as [`part_of_spectrum`] does.
///
/// # Errors
/// Those of [`fad_of_events`](super::fad_of_events); segments that are not whole runs of the plan.
pub fn part_of_fad(
    inputs: Vec<EventPair>,
    options: &FadPlanOptions,
    segments: Range<u64>,
    backend: &mut dyn Backend,
    warnings: &mut Warnings,
    progress: &Progress,
) -> Result<PlanPart> {
    let (plan, events) = options.plan(inputs, warnings)?;
    let reading = Reading { rows: options.chunk_events, progress };
    sum_part(plan, segments, events, backend, reading, warnings)
}

/// The spectra of the sums of all segments, as [`fad_of_events`](super::fad_of_events) makes them, bit for bit.
///
/// # Errors
/// See [`spectrum_of_part`].
pub fn fad_of_part(
    part: PlanPart,
    inputs: Vec<EventPair>,
    options: &FadPlanOptions,
    mut warnings: Warnings,
) -> Result<FadSpectrum> {
    let (plan, events) = options.plan(inputs, &mut warnings)?;
    let done = sums_of_part(&plan, events, part, SegmentSink::SumsAlone, &mut warnings)?;
    finish_fad(&plan, done, options, warnings)
}

/// The power spectra of some segments of events, each for itself: a part holds all of them. See [`part_of_spectrum`].
///
/// # Errors
/// Those of [`dynamical_spectrum_of_events`](super::dynamical_spectrum_of_events); segments that the plan does not have.
pub fn part_of_dynamical_spectrum(
    inputs: Vec<Events>,
    options: &DynamicalOptions,
    segments: Range<u64>,
    backend: &mut dyn Backend,
    warnings: &mut Warnings,
    progress: &Progress,
) -> Result<PlanPart> {
    let plan = options.plan(&inputs, warnings)?;
    let reading = Reading { rows: options.spectrum.chunk_events, progress };
    sum_part(plan, segments, inputs, backend, reading, warnings)
}

/// The dynamical spectrum of all segments, as [`dynamical_spectrum_of_events`](super::dynamical_spectrum_of_events) makes it, bit for bit.
///
/// # Errors
/// See [`spectrum_of_part`].
pub fn dynamical_spectrum_of_part(
    part: PlanPart,
    inputs: Vec<Events>,
    options: &DynamicalOptions,
    mut warnings: Warnings,
) -> Result<DynamicalPowerSpectrum> {
    let plan = options.plan(&inputs, &mut warnings)?;
    dynamical_by(&plan, options, warnings, |keep, warnings| sums_of_part(&plan, inputs, part, keep, warnings))
}

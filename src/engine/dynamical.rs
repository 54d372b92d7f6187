//! Segments → rows of a dynamical spectrum, as the sums of each come back.

use serde::Serialize;

use super::cross::{CrossSpectrumOptions, EventPair, plan_channels};
use super::options::Reading;
use super::plan_rows::{PlanRows, stretches};
use super::time_source::Events;
use super::{Plan, PlanSums, PowerSpectrumOptions, SegmentSink, no_events, record_device, sum_plan, too_coarse};
use crate::backend::{Backend, DeviceInfo};
use crate::base::error::{Error, Result};
use crate::base::mend::Mend;
use crate::base::progress::Progress;
use crate::base::sums::Sums;
use crate::base::text::ShortNumber;
use crate::base::warning::{Warning, Warnings};
use crate::data::{DeviceRecord, Record};
use crate::science::CrossOptions;
use crate::science::dynamical::rows::{DynamicalRows, DynamicalSpec};
use crate::science::dynamical::{DynamicalCrossSpectrum, DynamicalPowerSpectrum, TimeRebin};
use crate::science::power::{PowerOptions, single_precision_suffices};
use crate::segment::{PlanSpec, Quantity};

/// Bytes of a matrix from which on memory is worth a warning.
const LARGE_MATRIX: u64 = 1 << 30;

/// Options of a dynamical power spectrum of events.
#[derive(Clone, Debug, Default, PartialEq, Serialize)]
pub struct DynamicalOptions {
    /// Segments, normalisation and rebinning of frequencies. The noise level is Poisson's, a value, or none; it cannot
    /// be fitted.
    #[serde(flatten)]
    pub spectrum: PowerSpectrumOptions,
    /// How many segments are averaged into a row.
    #[serde(flatten)]
    pub time: TimeRebin,
}

/// The product that keeps every segment of a power spectrum.
pub(super) const EVERY_SEGMENT: Quantity = Quantity::EverySegment { series: 1, inside: 0 };

impl DynamicalOptions {
    /// Plans the segments of the inputs. Warns if the matrix will be large.
    ///
    /// # Errors
    /// See [`Plan::new`].
    pub fn plan(&self, inputs: &[Events], warnings: &mut Warnings) -> Result<Plan> {
        let mut plan = Plan::new(inputs, &self.spectrum, warnings)?;
        plan.spec.quantity = EVERY_SEGMENT;
        let (rows, frequencies) = self.shape(&plan)?;
        warn_of_size(rows, frequencies, warnings);
        Ok(plan)
    }

    /// The largest number of rows, and the number of frequencies, of the matrix that a plan makes.
    ///
    /// # Errors
    /// A rebinning factor is 0, or not finite and positive.
    pub fn shape(&self, plan: &Plan) -> Result<(u64, usize)> {
        recipe(&self.spectrum.power, self.time, &plan.spec, plan.resolution.dt, false)
            .shape(plan.total_segments(), stretches(plan))
    }
}

pub(super) fn warn_of_size(rows: u64, frequencies: usize, warnings: &mut Warnings) {
    let bytes = rows.saturating_mul(8 * frequencies as u64);
    if bytes > LARGE_MATRIX {
        let gigabytes = ShortNumber((bytes as f64 / 1e8).ceil() / 10.0);
        let message = format!("a matrix of {rows} times and {frequencies} frequencies takes {gigabytes} GB of memory");
        let mend = [Mend::field("rebin"), Mend::field("time.rebin")];
        warnings.record(Warning::new("W-MATRIX-SIZE", message).mended_by(mend));
    }
}

/// What is done with the segments of a power spectrum.
pub(super) fn recipe(power: &PowerOptions, time: TimeRebin, spec: &PlanSpec, dt: f64, flux: bool) -> DynamicalSpec {
    DynamicalSpec {
        series: 1,
        inside: false,
        flux,
        n: spec.n,
        dt,
        segment_size: spec.segment_size,
        norm: power.norm,
        use_common_mean: power.use_common_mean,
        rebin: power.rebin,
        time,
        background: [power.background, 0.0],
        noise: [power.noise; 2],
    }
}

/// What is done with the segments of a cross spectrum.
pub(super) fn cross_recipe(
    cross: &CrossOptions,
    time: TimeRebin,
    spec: &PlanSpec,
    dt: f64,
    inside: bool,
    flux: bool,
) -> Result<DynamicalSpec> {
    if cross.fullspec {
        return Err(Error::argument("fullspec", true, "dynamical spectra have the positive frequencies")
            .mended_by([Mend::set("fullspec", false)]));
    }
    // Rows begin with the reference.
    let [subject, reference] = [0, 1].map(|c| (cross.background[c], cross.noise[c]));
    Ok(DynamicalSpec {
        series: 2,
        inside,
        flux,
        n: spec.n,
        dt,
        segment_size: spec.segment_size,
        norm: cross.norm,
        use_common_mean: cross.use_common_mean,
        rebin: cross.rebin,
        time,
        background: [reference.0, subject.0],
        noise: [reference.1, subject.1],
    })
}

/// Power spectra of events against time. Memory holds the whole matrix.
///
/// # Errors
/// See [`super::spectrum_of_events`]; a noise level that is to be fitted.
pub fn dynamical_spectrum_of_events(
    inputs: Vec<Events>,
    options: &DynamicalOptions,
    backend: &mut dyn Backend,
    mut warnings: Warnings,
    progress: &Progress,
) -> Result<DynamicalPowerSpectrum> {
    if inputs.is_empty() {
        return Err(Error::argument("inputs", 0, "at least one input is needed"));
    }
    let plan = options.plan(&inputs, &mut warnings)?;
    let reading = Reading { rows: options.spectrum.chunk_events, progress };
    let sum = |keep: SegmentSink, warnings: &mut Warnings| sum_plan(&plan, inputs, backend, reading, keep, warnings);
    dynamical_by(&plan, options, warnings, sum)
}

/// The spectrum of a plan whose segments `sum` gives to a sink.
pub(super) fn dynamical_by(
    plan: &Plan,
    options: &DynamicalOptions,
    mut warnings: Warnings,
    sum: impl FnOnce(SegmentSink, &mut Warnings) -> Result<PlanSums>,
) -> Result<DynamicalPowerSpectrum> {
    let power = &options.spectrum.power;
    let recipe = recipe(power, options.time, &plan.spec, plan.resolution.dt, false);
    let (rows, mut made) = rows_by(plan, recipe, |keep| sum(keep, &mut warnings))?;
    made.options = serde_json::to_value(options).unwrap_or_default();
    made.warnings = warnings;
    let mut spectrum = DynamicalPowerSpectrum::new(rows, power.subtract_noise, made)?;
    warn_of_precision(&mut spectrum);
    Ok(spectrum)
}

/// Options of a dynamical cross spectrum of events.
#[derive(Clone, Debug, Default, PartialEq, Serialize)]
pub struct DynamicalCrossOptions {
    /// Segments, normalisation and rebinning of frequencies. Noise levels are Poisson's, a value, or none; they cannot
    /// be fitted. `fullspec` is not possible.
    #[serde(flatten)]
    pub spectrum: CrossSpectrumOptions,
    /// How many segments are averaged into a row.
    #[serde(flatten)]
    pub time: TimeRebin,
}

/// Cross spectra against time, of segments that subject and reference have in common. `inputs` are one or several
/// observations; for `inside` see [`super::cross_spectrum_of_events`].
///
/// # Errors
/// See [`super::cross_spectrum_of_events`]; a noise level that is to be fitted; `fullspec`.
pub fn dynamical_cross_spectrum_of_events(
    inputs: Vec<EventPair>,
    inside: bool,
    options: &DynamicalCrossOptions,
    backend: &mut dyn Backend,
    mut warnings: Warnings,
    progress: &Progress,
) -> Result<DynamicalCrossSpectrum> {
    let quantity = Quantity::EverySegment { series: 2, inside: u64::from(inside) };
    let (plan, events) = plan_channels(inputs, inside, quantity, &options.spectrum, &mut warnings)?;
    let dt = plan.resolution.dt;
    let recipe = cross_recipe(&options.spectrum.cross, options.time, &plan.spec, dt, inside, false)?;
    let (rows, frequencies) = recipe.shape(plan.total_segments(), stretches(&plan))?;
    warn_of_size(rows.saturating_mul(recipe.blocks() as u64), frequencies, &mut warnings);
    let reading = Reading { rows: options.spectrum.chunk_events, progress };
    let (rows, mut made) = rows_of(&plan, events, recipe, backend, reading, &mut warnings)?;
    made.options = serde_json::to_value(options).unwrap_or_default();
    made.warnings = warnings;
    DynamicalCrossSpectrum::new(rows, made)
}

/// Reads the inputs of a plan and makes rows of their segments, as these come back.
fn rows_of(
    plan: &Plan,
    inputs: Vec<Events>,
    recipe: DynamicalSpec,
    backend: &mut dyn Backend,
    reading: Reading,
    warnings: &mut Warnings,
) -> Result<(DynamicalRows, Record)> {
    rows_by(plan, recipe, |keep| sum_plan(plan, inputs, backend, reading, keep, warnings))
}

/// The rows of a plan whose segments `sum` gives to a sink.
fn rows_by(
    plan: &Plan,
    recipe: DynamicalSpec,
    sum: impl FnOnce(SegmentSink) -> Result<PlanSums>,
) -> Result<(DynamicalRows, Record)> {
    let mut rows = PlanRows::new(plan, recipe)?;
    let PlanSums { sums, made } = sum(SegmentSink::Rows(&mut rows))?;
    if sums.series.is_empty() || sums.series.iter().any(|c| c.photons == 0) {
        return Err(no_events(plan, &made));
    }
    Ok((rows.rows, made))
}

/// What a product says of what computed it.
pub(super) fn record(device: &DeviceInfo) -> DeviceRecord {
    record_device(device, &Sums::default(), 0, &mut Warnings::default())
}

/// Powers of one segment that single precision spoils are warned of, by the mean of all rows.
pub(super) fn warn_of_precision(spectrum: &mut DynamicalPowerSpectrum) {
    if spectrum.meta.record.device.precision != "single" {
        return;
    }
    let (rows, columns) = spectrum.axes.shape();
    let noise = if spectrum.meta.levels.noise_subtracted { spectrum.noise.as_slice() } else { &[] };
    let cell = |r: usize, c: usize| spectrum.row(r)[c] + noise.get(r).copied().unwrap_or(0.0);
    let mean: Vec<f64> = (0..columns).map(|c| (0..rows).map(|r| cell(r, c)).sum::<f64>() / rows as f64).collect();
    let averaged = spectrum.axes.segments.iter().copied().max().unwrap_or(1);
    if !single_precision_suffices(&mean, averaged) {
        spectrum.meta.record.warnings.record(too_coarse());
    }
}

//! Segments → rows of a dynamical spectrum, as the sums of each come back.

use serde::Serialize;

use super::batcher::each_batch;
use super::cross::{Channels, CrossSpectrumOptions, plan_channels};
use super::flux::{FluxOptions, FluxSegment, flux_spec, push_flux};
use super::plan::InputPlan;
use super::series::{SeriesOptions, SeriesPlan};
use super::source::Events;
use super::{Options, Plan, Progress, Queue, account, no_events, record_device};
use crate::backend::{Backend, DeviceInfo};
use crate::data::{Balance, DeviceRecord, LightCurve, Provenance};
use crate::error::{Error, Result};
use crate::segment::{PlanSpec, Product};
use crate::spectrum::dynamical::rows::{Place, Recipe, Rows};
use crate::spectrum::dynamical::{DynamicalCrossSpectrum, DynamicalPowerSpectrum, TimeRebin};
use crate::spectrum::power::{PowerOptions, single_precision_suffices};
use crate::sums::Sums;
use crate::text::Short;
use crate::warning::Warnings;

/// Bytes of a matrix from which on memory is worth a warning.
const LARGE_MATRIX: u64 = 1 << 30;

/// Options of a dynamical power spectrum of events.
#[derive(Clone, Debug, Default, PartialEq, Serialize)]
pub struct DynamicalOptions {
    /// Segments, normalisation and rebinning of frequencies. The noise level is Poisson's, a value, or none.
    #[serde(flatten)]
    pub spectrum: Options,
    /// Rebinning of times.
    #[serde(flatten)]
    pub time: TimeRebin,
}

/// The product that keeps every segment of a power spectrum.
const EVERY_SEGMENT: Product = Product::EverySegment { channels: 1, inside: 0 };

impl DynamicalOptions {
    /// Plans the segments of some inputs; a large matrix is warned of.
    ///
    /// # Errors
    /// See [`Plan::new`].
    pub fn plan(&self, inputs: &[Events], warnings: &mut Warnings) -> Result<Plan> {
        let mut plan = Plan::new(inputs, &self.spectrum, warnings)?;
        plan.spec.product = EVERY_SEGMENT;
        let (rows, frequencies) = self.shape(&plan)?;
        warn_of_size(rows, frequencies, warnings);
        Ok(plan)
    }

    /// Rows (at most) and frequencies of the matrix that a plan makes.
    ///
    /// # Errors
    /// Rebinning without meaning.
    pub fn shape(&self, plan: &Plan) -> Result<(u64, usize)> {
        recipe(&self.spectrum.power, self.time, &plan.spec, plan.resolution.dt, false)
            .shape(plan.total_segments(), stretches(plan))
    }
}

fn warn_of_size(rows: u64, frequencies: usize, warnings: &mut Warnings) {
    let bytes = rows.saturating_mul(8 * frequencies as u64);
    if bytes > LARGE_MATRIX {
        let gigabytes = Short((bytes as f64 / 1e8).ceil() / 10.0);
        let message = format!(
            "a matrix of {rows} times and {frequencies} frequencies takes {gigabytes} GB of memory; rebinning makes it smaller"
        );
        warnings.push("W-MATRIX-SIZE", message);
    }
}

/// Stretches without a gap, of all inputs.
fn stretches(plan: &Plan) -> u64 {
    plan.observations().map(|input| input.segments.stretches()).sum()
}

fn recipe(power: &PowerOptions, time: TimeRebin, spec: &PlanSpec, dt: f64, flux: bool) -> Recipe {
    Recipe {
        channels: 1,
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

/// Where each segment of a plan lies: they are asked for in order.
struct Places<'a> {
    observations: Vec<&'a InputPlan>,
    across_gaps: bool,
    /// The observation that was asked for last, and the stretches before it.
    observation: usize,
    stretches: u64,
}

impl<'a> Places<'a> {
    fn new(plan: &'a Plan, across_gaps: bool) -> Places<'a> {
        Places { observations: plan.observations().collect(), across_gaps, observation: 0, stretches: 0 }
    }

    fn get(&mut self, index: u64) -> Place {
        while index >= self.observations[self.observation].indices().end {
            self.stretches += self.observations[self.observation].segments.stretches();
            self.observation += 1;
        }
        let InputPlan { segments, first, .. } = self.observations[self.observation];
        let (start, stretch, number) = segments.place(index - first);
        let start = start.value();
        match self.across_gaps {
            true => Place { start, stretch: 0, number: index },
            false => Place { start, stretch: self.stretches + stretch, number },
        }
    }
}

/// The dynamical power spectrum of events. Memory holds the matrix, and what batches take.
///
/// # Errors
/// See [`super::spectrum_of_events`]; a fitted noise level.
pub fn dynamical_spectrum_of_events(
    inputs: Vec<Events>,
    options: &DynamicalOptions,
    backend: &mut dyn Backend,
    mut warnings: Warnings,
    progress: Progress,
) -> Result<DynamicalPowerSpectrum> {
    if inputs.is_empty() {
        return Err(Error::argument("inputs", 0, "at least one input is needed"));
    }
    let plan = options.plan(&inputs, &mut warnings)?;
    let power = &options.spectrum.power;
    let recipe = recipe(power, options.time, &plan.spec, plan.resolution.dt, false);
    let chunk = options.spectrum.chunk_events;
    let (rows, device, mut made) = rows_of(&plan, inputs, recipe, backend, chunk, &mut warnings, progress)?;
    made.options = serde_json::to_value(options).unwrap_or_default();
    made.warnings = warnings;
    let mut spectrum = DynamicalPowerSpectrum::new(rows, power.subtract_noise, device, made)?;
    warn_of_precision(&mut spectrum);
    Ok(spectrum)
}

/// Options of a dynamical cross spectrum of events.
#[derive(Clone, Debug, Default, PartialEq, Serialize)]
pub struct DynamicalCrossOptions {
    /// Segments, normalisation and rebinning of frequencies. Noise levels are Poisson's, a value, or none; `fullspec` is not possible.
    #[serde(flatten)]
    pub spectrum: CrossSpectrumOptions,
    /// Rebinning of times.
    #[serde(flatten)]
    pub time: TimeRebin,
}

/// The dynamical cross spectrum of the channels of one or several observations, in common segments; `inside` as for
/// [`super::cross_spectrum_of_events`].
///
/// # Errors
/// See there; a fitted noise level, `fullspec`.
pub fn dynamical_cross_spectrum_of_events(
    inputs: Vec<Channels>,
    inside: bool,
    options: &DynamicalCrossOptions,
    backend: &mut dyn Backend,
    mut warnings: Warnings,
    progress: Progress,
) -> Result<DynamicalCrossSpectrum> {
    let cross = &options.spectrum.cross;
    if cross.fullspec {
        return Err(Error::argument("--fullspec", "given", "dynamical spectra have the positive frequencies"));
    }
    let product = Product::EverySegment { channels: 2, inside: u64::from(inside) };
    let (plan, events) = plan_channels(inputs, inside, product, &options.spectrum, &mut warnings)?;
    // Rows begin with the reference.
    let [subject, reference] = [0, 1].map(|c| (cross.background[c], cross.noise[c]));
    let recipe = Recipe {
        channels: 2,
        inside,
        flux: false,
        n: plan.spec.n,
        dt: plan.resolution.dt,
        segment_size: plan.spec.segment_size,
        norm: cross.norm,
        use_common_mean: cross.use_common_mean,
        rebin: cross.rebin,
        time: options.time,
        background: [reference.0, subject.0],
        noise: [reference.1, subject.1],
    };
    let (rows, frequencies) = recipe.shape(plan.total_segments(), stretches(&plan))?;
    warn_of_size(rows.saturating_mul(recipe.blocks() as u64), frequencies, &mut warnings);
    let chunk = options.spectrum.chunk_events;
    let (rows, device, mut made) = rows_of(&plan, events, recipe, backend, chunk, &mut warnings, progress)?;
    made.options = serde_json::to_value(options).unwrap_or_default();
    made.warnings = warnings;
    DynamicalCrossSpectrum::new(rows, device, made)
}

/// Reads the inputs of a plan and makes rows of their segments, as these come back.
fn rows_of(
    plan: &Plan,
    inputs: Vec<Events>,
    recipe: Recipe,
    backend: &mut dyn Backend,
    chunk: usize,
    warnings: &mut Warnings,
    progress: Progress,
) -> Result<(Rows, DeviceRecord, Provenance)> {
    let begin = || -> Result<(Places, Rows)> {
        let rows = Rows::new(recipe.clone(), plan.total_segments(), stretches(plan))?;
        Ok((Places::new(plan, recipe.time.across_gaps), rows))
    };
    let (mut places, mut rows) = begin()?;
    let mut queue = Queue::of_plan(backend, &plan.spec)?;
    let mut made = each_batch(plan, inputs, queue.limits(), chunk, warnings, progress, |batch| {
        let Some(batch) = batch else {
            (places, rows) = begin()?;
            return queue.forget();
        };
        queue.push(batch)?;
        queue.sums.take_runs().for_each(|(segment, sums)| rows.add(places.get(segment), sums));
        Ok(())
    })?;
    queue.drain()?;
    queue.sums.take_runs().for_each(|(segment, sums)| rows.add(places.get(segment), sums));
    let (_, device) = queue.finish(warnings)?;
    made.photons = account(made.photons, &rows.total, &plan.spec);
    if rows.total.channels.is_empty() || rows.total.channels.iter().any(|c| c.photons == 0) {
        return Err(no_events(plan, &made));
    }
    Ok((rows, record(&device), made))
}

/// What a product says of what computed it.
fn record(device: &DeviceInfo) -> DeviceRecord {
    record_device(device, &Sums::default(), 0, &mut Warnings::default())
}

/// Powers of one segment that single precision spoils are warned of, by the mean of all rows.
fn warn_of_precision(spectrum: &mut DynamicalPowerSpectrum) {
    if spectrum.meta.device.precision != "single" {
        return;
    }
    let (rows, columns) = spectrum.axes.shape();
    let noise = if spectrum.meta.channels.noise_subtracted { spectrum.noise.as_slice() } else { &[] };
    let cell = |r: usize, c: usize| spectrum.row(r)[c] + noise.get(r).copied().unwrap_or(0.0);
    let mean: Vec<f64> = (0..columns).map(|c| (0..rows).map(|r| cell(r, c)).sum::<f64>() / rows as f64).collect();
    let averaged = spectrum.axes.segments.iter().copied().max().unwrap_or(1);
    if !single_precision_suffices(&mean, averaged) {
        let message = "the weakest powers are near the rounding of single precision; --backend cpu computes in double";
        spectrum.meta.provenance.warnings.push("W-PRECISION", message);
    }
}

/// The dynamical power spectrum of flux segments that follow one another from time 0 on, all of one length. With
/// `use_common_mean` false each is normalised by its own mean (and errors), and one that cannot be is skipped.
///
/// # Errors
/// Segments of different lengths or fewer than 3 bins, values that are not finite, no segment that can be normalised, a matrix that
/// memory does not hold; the device fails.
pub fn dynamical_spectrum_of_flux(
    segments: impl IntoIterator<Item = FluxSegment>,
    options: &FluxOptions,
    time: TimeRebin,
    backend: &mut dyn Backend,
    warnings: Warnings,
) -> Result<DynamicalPowerSpectrum> {
    let place = |index: u64, size: f64| Place { start: index as f64 * size, stretch: 0, number: index };
    of_flux(segments, options, time, place, backend, warnings)
}

fn of_flux(
    segments: impl IntoIterator<Item = FluxSegment>,
    options: &FluxOptions,
    time: TimeRebin,
    place: impl Fn(u64, f64) -> Place,
    backend: &mut dyn Backend,
    mut warnings: Warnings,
) -> Result<DynamicalPowerSpectrum> {
    let mut segments = segments.into_iter().peekable();
    let spec = flux_spec(&mut segments, options.dt, EVERY_SEGMENT)?;
    // An iterator's end is not known; rows grow as segments come.
    let mut rows = Rows::new(recipe(&options.power, time, &spec, options.dt, true), 0, 0)?;
    let mut queue = Queue::of_plan(backend, &spec)?;
    let mut take = |queue: &mut Queue| {
        queue.sums.take_runs().for_each(|(segment, sums)| rows.add(place(segment, spec.segment_size), sums));
    };
    push_flux(&mut queue, &spec, segments, if options.rates { options.dt } else { 1.0 }, &mut take)?;
    queue.drain()?;
    take(&mut queue);
    let (_, device) = queue.finish(&mut warnings)?;
    if rows.total.segments == 0 {
        return Err(Error::argument("norm", options.power.norm, "no segment has a mean that it can be divided by"));
    }
    let options_used = serde_json::to_value((&options.power, time)).unwrap_or_default();
    let made = Provenance { options: options_used, warnings, ..Default::default() };
    let mut spectrum = DynamicalPowerSpectrum::new(rows, options.power.subtract_noise, record(&device), made)?;
    if !spectrum.power.iter().all(|p| p.is_finite()) {
        let message = format!("the mean flux is {}, and this normalisation divides by it", spectrum.meta.channels.mean);
        return Err(Error::argument("norm", options.power.norm, message));
    }
    warn_of_precision(&mut spectrum);
    Ok(spectrum)
}

/// The dynamical power spectrum of a light curve, whole bins only; bins that are missing, not finite or exposed too little
/// split it into stretches.
///
/// # Errors
/// See [`SeriesPlan::new`] and [`dynamical_spectrum_of_flux`].
pub fn dynamical_spectrum_of_light_curve(
    series: &LightCurve,
    options: &SeriesOptions,
    time: TimeRebin,
    backend: &mut dyn Backend,
    mut warnings: Warnings,
) -> Result<DynamicalPowerSpectrum> {
    let plan = SeriesPlan::new(series, options, &mut warnings)?;
    let n = plan.resolution.n;
    let frequencies = crate::kernels::power::frequencies(n);
    warn_of_size(plan.starts.len() as u64, options.power.rebin.ranges(frequencies)?.len(), &mut warnings);
    // The first segment of each stretch.
    let heads: Vec<usize> = (0..plan.starts.len())
        .filter(|&i| {
            i == 0
                || plan.starts[i] != plan.starts[i - 1] + n
                || series.bin[plan.starts[i]] != series.bin[plan.starts[i] - 1] + 1
        })
        .collect();
    let place = |index: u64, _: f64| {
        let i = index as usize;
        let stretch = if time.across_gaps { 0 } else { heads.partition_point(|&head| head <= i) - 1 };
        let start = series.grid.edge(series.bin[plan.starts[i]]).value();
        Place { start, stretch: stretch as u64, number: (i - heads[stretch]) as u64 }
    };
    let flux = FluxOptions { dt: series.grid.dt, rates: !series.counted, power: options.power.clone() };
    let mut spectrum = of_flux(plan.segments(series), &flux, time, place, backend, warnings)?;
    let warnings = std::mem::take(&mut spectrum.meta.provenance.warnings);
    spectrum.meta.provenance = Provenance {
        gti: plan.gti.intervals().iter().map(|(a, b)| [a.value(), b.value()]).collect(),
        options: serde_json::to_value((options, time)).unwrap_or_default(),
        photons: Balance::default(),
        warnings,
        ..series.meta.provenance.clone()
    };
    Ok(spectrum)
}

//! Read → segment → submit → collect → merge.

mod batcher;
mod bispectrum;
mod counts;
mod cross;
mod dead_time;
mod dynamical;
mod dynamical_flux;
mod each_segment;
mod energy;
mod fad;
mod flux;
mod histogram;
mod light_curve;
mod light_curve_spectrum;
mod lomb_scargle;
mod memory;
mod multitaper;
mod plan;
pub mod pulsation;
mod pulse_events;
mod pulse_samples;
mod reader;
mod single_pass;
mod task;
mod time_source;
mod weights;
mod zero_nyquist;

use std::cell::Cell;
use std::collections::VecDeque;
use std::sync::Arc;

use serde::Serialize;

use crate::backend::{Backend, BatchLimits, DeviceInfo};
use crate::base::error::{Error, Result};
use crate::base::sums::{PartialSums, Sums};
use crate::base::trace;
use crate::base::warning::Warnings;
use crate::data::{DeviceRecord, EventBalance, Gti, Provenance};
use crate::io::{EventFile, InputFile, OpenOptions, Selection};
use crate::science::power::{AveragedPowerSpectrum, PowerContext, PowerOptions, single_precision_suffices};
use crate::segment::plan::Resolution;
use crate::segment::{PlanSpec, SegmentBatch};

use batcher::each_batch;
pub use bispectrum::{
    bispectrum_of_events, bispectrum_of_light_curve, cumulant_bispectrum_of_events, cumulant_bispectrum_of_light_curve,
};
pub use cross::{CrossSpectrumOptions, EventPair, cross_spectrum_of_events};
use dynamical::PlanRows;
pub use dynamical::{
    DynamicalCrossOptions, DynamicalOptions, dynamical_cross_spectrum_of_events, dynamical_spectrum_of_events,
};
pub use dynamical_flux::{
    dynamical_cross_spectrum_of_flux, dynamical_cross_spectrum_of_light_curves, dynamical_spectrum_of_flux,
    dynamical_spectrum_of_light_curve,
};
pub use energy::{EnergyBands, EnergyPlan, EnergySpectrumOptions, energy_spectrum_of_events};
pub use fad::{FadPlanOptions, fad_of_events};
pub use flux::{CrossFluxOptions, FluxOptions, FluxPair, FluxSegment, cross_spectrum_of_flux, spectrum_of_flux};
pub use histogram::{HistogramOptions, histogram_of_events};
pub use light_curve::{LightCurveOptions, light_curve_of_events};
pub use light_curve_spectrum::{
    LightCurveCrossOptions, LightCurveCrossPlan, LightCurvePlan, LightCurveSpectrumOptions,
    cross_spectrum_of_light_curves, spectrum_of_light_curve,
};
pub use lomb_scargle::{lomb_scargle, lomb_scargle_cross};
pub use memory::{HostMemory, host_memory};
pub use multitaper::{multitaper_of_events, multitaper_of_light_curve};
pub use plan::Plan;
use plan::{combined_gtis, union_of};
pub use pulse_events::PulseEvents;
pub use pulse_samples::{PulseSamples, SampleSummary};
pub use time_source::{Events, SliceSource, TimeSource, align};
pub use weights::{WeightSummary, Weights};
use zero_nyquist::ZeroNyquistAccumulator;

/// Rows read at a time unless told otherwise: 2 MiB of times.
pub const CHUNK_EVENTS: usize = 1 << 18;

/// How several inputs become one spectrum.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "lowercase")]
pub enum Combine {
    /// Each input has its own segments.
    Average,
    /// Simultaneous inputs: events summed, intervals intersected.
    Merge,
}

/// Options of an averaged power spectrum of events.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct PowerSpectrumOptions {
    /// Bin width, s; chosen when left out.
    pub dt: Option<f64>,
    /// Segment length, s; chosen when left out.
    pub segment_size: Option<f64>,
    /// Several inputs.
    pub combine: Combine,
    /// From sums to spectrum.
    #[serde(flatten)]
    pub power: PowerOptions,
    /// The peer's rules where this library's differ.
    pub compat_stingray: bool,
    /// Rows read at a time; changes no result, and is not recorded.
    #[serde(skip)]
    pub chunk_events: usize,
}

impl Default for PowerSpectrumOptions {
    fn default() -> PowerSpectrumOptions {
        PowerSpectrumOptions {
            dt: None,
            segment_size: None,
            combine: Combine::Average,
            power: PowerOptions::default(),
            compat_stingray: false,
            chunk_events: CHUNK_EVENTS,
        }
    }
}

/// Told how many events have been read.
pub type ReadProgress<'a> = &'a mut dyn FnMut(u64);

/// The averaged power spectrum of events.
///
/// # Errors
/// See [`Plan::new`]; reading fails; the device fails; there are events, but none in any segment.
pub fn spectrum_of_events(
    inputs: Vec<Events>,
    options: &PowerSpectrumOptions,
    backend: &mut dyn Backend,
    mut warnings: Warnings,
    progress: ReadProgress,
) -> Result<AveragedPowerSpectrum> {
    if inputs.is_empty() {
        return Err(Error::argument("inputs", 0, "at least one input is needed"));
    }
    let plan = Plan::new(&inputs, options, &mut warnings)?;
    let known = dead_time::common_dead_time(&inputs, options.combine);
    let done = sum_plan(&plan, inputs, backend, options.chunk_events, SegmentSink::SumsAlone, &mut warnings, progress)?;
    let PlanSums { sums, device, mut made } = done;
    if sums.photons() == 0 && made.photons.read > 0 {
        return Err(no_events(&plan, &made));
    }
    made.warnings = warnings;
    made.options = serde_json::to_value(options).unwrap_or_default();
    let Resolution { n, dt, segment_size } = plan.resolution;
    let nothing = made.photons.read == 0;
    if nothing {
        made.warnings.push("W-NO-EVENTS", "the inputs have no events at all; the spectrum is empty");
    }
    let context = PowerContext { n, dt, segment_size, device, provenance: made };
    if nothing {
        return Ok(AveragedPowerSpectrum::empty(&options.power, context));
    }
    let _span = trace::span("spectrum");
    let mut spectrum = AveragedPowerSpectrum::new(&sums, false, &options.power, context)?;
    dead_time::warn(&mut spectrum, known, options.power.noise);
    Ok(spectrum)
}

/// What came of a plan.
struct PlanSums {
    sums: Sums,
    device: DeviceRecord,
    /// What it was made of; the options and the warnings are left to be filled.
    made: Provenance,
}

/// What becomes of segments beside the sums of a plan.
enum SegmentSink<'a, 'p> {
    /// Nothing.
    SumsAlone,
    /// Their amplitudes at the frequencies that backends leave out.
    Ends(&'a mut ZeroNyquistAccumulator<'p>),
    /// All of each, in its row; the sums of the plan are those of the rows, without powers.
    Rows(&'a mut PlanRows<'p>),
}

/// Reads the inputs of a plan, once unless they are out of order, and has the backend sum up their segments.
fn sum_plan(
    plan: &Plan,
    mut inputs: Vec<Events>,
    backend: &mut dyn Backend,
    chunk: usize,
    mut keep: SegmentSink,
    warnings: &mut Warnings,
    progress: ReadProgress,
) -> Result<PlanSums> {
    let mut queue = BatchQueue::prepare(backend, &plan.spec)?;
    // A file that turns out to be out of order is read again, but not told of again.
    let (read, told) = (Cell::new(0), Cell::new(0));
    let progress = &mut |rows| {
        read.set(read.get() + rows);
        let before = told.replace(told.get().max(read.get()));
        progress(told.get() - before);
    };
    let at_once = match queue.backend.local(queue.plan) {
        // What is added up here needs batches.
        Some(local) if !matches!(keep, SegmentSink::Ends(_)) => {
            single_pass::sums(plan, &inputs, &local, chunk, &mut |sums| keep.take(sums), progress)?
        }
        _ => None,
    };
    let mut made = match at_once {
        Some((sums, balance)) => {
            queue.sums = sums;
            inputs.iter_mut().try_for_each(|input| input.prepare(warnings))?;
            Provenance { photons: balance, gti: plan.used_gti(), ..time_source::describe(&inputs) }
        }
        None => each_batch(plan, inputs, queue.limits(), chunk, warnings, progress, |batch| {
            let Some(batch) = batch else {
                read.set(0);
                keep.begin_again();
                return queue.forget();
            };
            if let SegmentSink::Ends(ends) = &mut keep {
                ends.add(&batch);
            }
            queue.push(batch)?;
            keep.take(&mut queue.sums);
            Ok(())
        })?,
    };
    queue.drain()?;
    keep.take(&mut queue.sums);
    let (sums, device) = queue.finish(warnings)?;
    let sums = if let SegmentSink::Rows(rows) = &keep { rows.total() } else { sums };
    made.photons = complete_balance(made.photons, &sums, &plan.spec);
    let device = record_device(&device, &sums, plan.spec.frequencies(), warnings);
    Ok(PlanSums { sums, device, made })
}

impl SegmentSink<'_, '_> {
    /// Takes sums of segments that are kept apart.
    fn take(&mut self, sums: &mut PartialSums) {
        if let SegmentSink::Rows(rows) = self {
            rows.take(sums);
        }
    }

    /// What was taken does not count.
    fn begin_again(&mut self) {
        match self {
            SegmentSink::SumsAlone => {}
            SegmentSink::Ends(ends) => ends.clear(),
            SegmentSink::Rows(rows) => rows.begin_again(),
        }
    }
}

/// The error for a plan whose segments have no photon, of one channel at least.
fn no_events(plan: &Plan, made: &Provenance) -> Error {
    Error::NoEvents { segments: plan.total_segments(), read: made.photons.read, balance: made.photons.to_string() }
}

/// The averaged power spectrum of event files, all events, each file with its own segments.
///
/// ```no_run
/// use eagleray::{DeviceChoice, Options, Warnings};
/// let mut backend = eagleray::open(&DeviceChoice::default(), &mut Warnings::default())?;
/// let options = Options { dt: Some(1.0 / 256.0), segment_size: Some(64.0), ..Options::default() };
/// let spectrum = eagleray::spectrum_of_files(&["observation.evt"], &options, backend.as_mut())?;
/// println!("{} frequencies from {} segments", spectrum.len(), spectrum.meta.m);
/// # Ok::<(), eagleray::Error>(())
/// ```
///
/// # Errors
/// See [`EventFile::open`], [`InputFile::refuse_duplicates`] and [`spectrum_of_events`].
pub fn spectrum_of_files<P: AsRef<std::path::Path>>(
    paths: &[P],
    options: &PowerSpectrumOptions,
    backend: &mut dyn Backend,
) -> Result<AveragedPowerSpectrum> {
    let mut warnings = Warnings::default();
    let open = OpenOptions { compat_stingray: options.compat_stingray, ..OpenOptions::default() };
    let mut files = Vec::new();
    for path in paths {
        files.push(EventFile::open(path.as_ref(), &open, &mut warnings)?);
    }
    InputFile::refuse_duplicates(files.iter().map(EventFile::source))?;
    let mut inputs = Vec::new();
    for file in &files {
        inputs.push(Events::from_unread_file(file, Selection::default())?);
    }
    align(&mut inputs)?;
    spectrum_of_events(inputs, options, backend, warnings, &mut |_| {})
}

/// The averaged power spectrum of event times in memory, seconds in the frame of `gti`, in any order.
///
/// ```
/// use eagleray::{DeviceChoice, Gti, Options, Warnings};
/// let mut backend = eagleray::open(&DeviceChoice::Cpu { threads: None }, &mut Warnings::default())?;
/// let times: Vec<f64> = (0..10_000).map(|i| 0.01 * f64::from(i)).collect();
/// let gti = Gti::from_seconds(&[(0.0, 100.0)])?;
/// let options = Options { dt: Some(1.0 / 64.0), segment_size: Some(10.0), ..Options::default() };
/// let spectrum = eagleray::spectrum_of_times(&times, gti, &options, backend.as_mut())?;
/// assert_eq!((spectrum.meta.n, spectrum.meta.m), (640, 10));
/// # Ok::<(), eagleray::Error>(())
/// ```
///
/// # Errors
/// See [`spectrum_of_events`].
pub fn spectrum_of_times(
    times: &[f64],
    gti: Gti,
    options: &PowerSpectrumOptions,
    backend: &mut dyn Backend,
) -> Result<AveragedPowerSpectrum> {
    let mut warnings = Warnings::default();
    let input = Events::from_slice(times, gti, &mut warnings);
    spectrum_of_events(vec![input], options, backend, warnings, &mut |_| {})
}

/// Completes the reader's balance with what the sums say of the photons in segments; one that several channels have is one photon.
fn complete_balance(mut balance: EventBalance, sums: &Sums, spec: &PlanSpec) -> EventBalance {
    let of_channels = sums.channels.iter().enumerate().filter(|(channel, _)| spec.counts(*channel));
    balance.used = of_channels.map(|(_, channel)| channel.photons).sum();
    balance.in_skipped_segments = sums.photons_skipped;
    balance.dropped_edge = sums.photons_dropped;
    debug_assert!(balance.is_exact(), "{balance}");
    balance
}

/// Batches in flight on one backend, and the sums that came back. The plan is given back with it, whatever happens.
struct BatchQueue<'a> {
    backend: &'a mut dyn Backend,
    plan: crate::backend::PlanId,
    tickets: VecDeque<crate::backend::Ticket>,
    sums: PartialSums,
}

impl<'a> BatchQueue<'a> {
    fn new(backend: &'a mut dyn Backend, plan: crate::backend::PlanId) -> BatchQueue<'a> {
        BatchQueue { backend, plan, tickets: VecDeque::new(), sums: PartialSums::new() }
    }

    /// Prepares a plan of its own.
    fn prepare(backend: &'a mut dyn Backend, spec: &PlanSpec) -> Result<BatchQueue<'a>> {
        let _span = trace::span("prepare");
        let plan = backend.prepare(spec)?;
        Ok(BatchQueue::new(backend, plan))
    }

    fn limits(&self) -> BatchLimits {
        self.backend.limits(self.plan)
    }

    fn push(&mut self, batch: SegmentBatch) -> Result<()> {
        if self.tickets.len() >= self.backend.depth() {
            self.collect()?;
        }
        let _span = trace::span("submit");
        let ticket = self.backend.submit(self.plan, Arc::new(batch))?;
        self.tickets.push_back(ticket);
        Ok(())
    }

    fn collect(&mut self) -> Result<()> {
        if let Some(ticket) = self.tickets.pop_front() {
            let span = trace::span("wait for device");
            let sums = self.backend.collect(ticket)?;
            drop(span);
            let _span = trace::span("merge");
            self.sums.merge(sums);
        }
        Ok(())
    }

    /// Collects what is in flight.
    fn drain(&mut self) -> Result<()> {
        while !self.tickets.is_empty() {
            self.collect()?;
        }
        Ok(())
    }

    /// Throws away what was done.
    fn forget(&mut self) -> Result<()> {
        self.drain()?;
        self.sums = PartialSums::new();
        Ok(())
    }

    fn finish(mut self, warnings: &mut Warnings) -> Result<(Sums, DeviceInfo)> {
        self.drain()?;
        warnings.extend(self.backend.take_warnings());
        Ok((std::mem::take(&mut self.sums).finish(), self.backend.info().clone()))
    }
}

impl Drop for BatchQueue<'_> {
    fn drop(&mut self) {
        self.backend.release(self.plan);
    }
}

/// What a product says of what computed it; a precision that does not suffice is warned of.
fn record_device(device: &DeviceInfo, sums: &Sums, frequencies: usize, warnings: &mut Warnings) -> DeviceRecord {
    let mean: Vec<f64> = sums.power.iter().take(frequencies).map(|p| p / sums.segments as f64).collect();
    if device.precision == "single" && !single_precision_suffices(&mean, sums.segments) {
        let message = "the weakest powers are near the rounding of single precision; --backend cpu --precision double computes in double";
        warnings.push("W-PRECISION", message);
    }
    DeviceRecord {
        backend: device.backend.to_string(),
        adapter: device.adapter.clone(),
        precision: device.precision.to_string(),
    }
}

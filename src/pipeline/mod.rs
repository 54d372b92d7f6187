//! Read → segment → submit → collect → merge.

mod batcher;
mod cross;
mod dead_time;
mod ends;
mod fad;
mod flux;
mod light_curve;
mod once;
mod series;
mod source;

use std::cell::Cell;
use std::collections::VecDeque;
use std::sync::Arc;

use serde::Serialize;

use crate::backend::{Backend, DeviceInfo};
use crate::data::{Balance, DeviceRecord, Gti};
use crate::error::{Error, Result};
use crate::io::{EventFile, OpenOptions, Selection, Source};
use crate::segment::plan::{Resolution, ResolutionRequest, Segments, check_frames, check_total, no_segments};
use crate::segment::{Input, PlanSpec, Product, SegmentBatch};
use crate::spectrum::power::{AveragedPowerSpectrum, Context, PowerOptions, single_precision_suffices};
use crate::sums::{PartialSums, Sums};
use crate::text::Short;
use crate::warning::Warnings;

use batcher::Batcher;
pub use cross::{ChannelPlan, Channels, CrossSpectrumOptions, cross_spectrum_of_events};
pub use fad::{FadPlanOptions, fad_of_events};
pub use flux::{CrossFluxOptions, FluxOptions, FluxPair, FluxSegment, cross_spectrum_of_flux, spectrum_of_flux};
pub use light_curve::{LightCurveOptions, light_curve_of_events};
pub use series::{
    CrossSeriesOptions, CrossSeriesPlan, SeriesOptions, SeriesPlan, cross_spectrum_of_light_curves,
    spectrum_of_light_curve,
};
pub use source::{Events, SliceSource, TimeSource, align};

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
pub struct Options {
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

impl Default for Options {
    fn default() -> Options {
        Options {
            dt: None,
            segment_size: None,
            combine: Combine::Average,
            power: PowerOptions::default(),
            compat_stingray: false,
            chunk_events: CHUNK_EVENTS,
        }
    }
}

/// The plan of a run: all that is known before an event is read.
#[derive(Clone, Debug)]
pub struct Plan {
    /// Bins and segments.
    pub resolution: Resolution,
    /// Segments of each input, in the frame of its raw times.
    pub segments: Vec<Segments>,
    /// Intervals of each input (of all, when merged), in the frame.
    pub gtis: Vec<Gti>,
    /// How inputs are combined.
    pub combine: Combine,
    /// What the backend computes.
    pub spec: PlanSpec,
}

impl Plan {
    /// Plans the segments of some inputs.
    ///
    /// # Errors
    /// Options without meaning; no interval long enough; merged inputs without a common interval.
    pub fn new(inputs: &[Events], options: &Options, warnings: &mut Warnings) -> Result<Plan> {
        let gtis = combined_gtis(inputs, options.combine, warnings)?;
        let gti_list: Vec<&Gti> = gtis.iter().collect();
        let request = ResolutionRequest {
            dt: options.dt,
            segment_size: options.segment_size,
            timedel: inputs.iter().map(|i| i.timedel).fold(0.0, f64::max),
            barycentred: inputs.iter().all(|i| i.barycentred),
            gtis: &gti_list,
            compat_stingray: options.compat_stingray,
        };
        let resolution = Resolution::choose(&request, warnings)?;
        inputs.iter().for_each(|i| check_frames(resolution.dt, &i.name, i.timedel, i.barycentred, warnings));
        let size = resolution.segment_size;
        let fill = |(gti, input): (&Gti, &Events)| Segments::new(gti, input.offset, size, options.compat_stingray);
        let segments: Vec<Segments> = gtis.iter().zip(inputs).map(fill).collect();
        let total = match options.combine {
            Combine::Average => segments.iter().map(Segments::len).fold(0, u64::saturating_add),
            Combine::Merge => segments.first().map_or(0, Segments::len),
        };
        if total == 0 {
            return Err(no_segments(&gti_list, &resolution));
        }
        check_total(total, size)?;
        if let Some(cost) = resolution.cost(total) {
            warnings.push("W-COST", cost);
        }
        let spec = PlanSpec {
            n: resolution.n,
            segment_size: size,
            product: Product::Power { weight_exponent: options.power.weight_exponent() },
            input: Input::Events,
            min_events: if options.compat_stingray { 2 } else { 0 },
            max_segments: total,
        };
        Ok(Plan { resolution, segments, gtis, combine: options.combine, spec })
    }

    /// Number of segments of all inputs.
    pub fn total_segments(&self) -> u64 {
        self.spec.max_segments
    }

    /// Time in the intervals, s; merged inputs count once.
    pub fn exposure(&self) -> f64 {
        let counted = if self.combine == Combine::Merge { 1 } else { self.gtis.len() };
        self.gtis[..counted].iter().map(Gti::exposure).sum()
    }
}

/// The intervals of each input: its own, or what all merged inputs have in common; exposure lost that way is warned of.
fn combined_gtis(inputs: &[Events], combine: Combine, warnings: &mut Warnings) -> Result<Vec<Gti>> {
    let mut gtis: Vec<Gti> = inputs.iter().map(|i| i.gti.clone()).collect();
    if combine == Combine::Merge && inputs.len() > 1 {
        let common = gtis[1..].iter().fold(gtis[0].clone(), |all, gti| all.intersect(gti));
        if common.is_empty() {
            let path = inputs.iter().map(|i| i.name.as_str()).collect::<Vec<_>>().join(", ");
            return Err(Error::Gti {
                path,
                message: "the inputs have no time in common, so they cannot be merged".into(),
            });
        }
        let (kept, shortest) = (common.exposure(), gtis.iter().map(Gti::exposure).fold(f64::INFINITY, f64::min));
        if kept < shortest {
            let each: Vec<String> = gtis.iter().map(|g| Short(g.exposure()).to_string()).collect();
            let message =
                format!("the merged inputs have {} s in common; each alone has {} s", Short(kept), each.join(", "));
            warnings.push("W-MERGE-EXPOSURE", message);
        }
        gtis = vec![common; inputs.len()];
    }
    Ok(gtis)
}

/// Told how many events have been read.
pub type Progress<'a> = &'a mut dyn FnMut(u64);

/// The averaged power spectrum of events.
///
/// # Errors
/// See [`Plan::new`]; reading fails; the device fails; there are events, but none in any segment.
pub fn spectrum_of_events(
    mut inputs: Vec<Events>,
    options: &Options,
    backend: &mut dyn Backend,
    mut warnings: Warnings,
    progress: Progress,
) -> Result<AveragedPowerSpectrum> {
    if inputs.is_empty() {
        return Err(Error::argument("inputs", 0, "at least one input is needed"));
    }
    let plan = Plan::new(&inputs, options, &mut warnings)?;
    let known = dead_time::known(&inputs, plan.combine);
    let id = backend.prepare(&plan.spec)?;
    let limits = backend.limits(id);
    let mut queue = Queue::new(backend, id);
    // A file that turns out to be out of order is read again, but not told of again.
    let (read, told) = (Cell::new(0), Cell::new(0));
    let progress = &mut |rows| {
        read.set(read.get() + rows);
        let before = told.replace(told.get().max(read.get()));
        progress(told.get() - before);
    };
    let at_once = match queue.backend.local(id) {
        Some(local) => once::sums(&plan, &inputs, &local, options.chunk_events, progress)?,
        None => None,
    };
    inputs.iter_mut().try_for_each(|input| input.prepare(&mut warnings))?;
    let mut made = source::describe(&inputs);
    let counted = if plan.combine == Combine::Merge { 1 } else { plan.gtis.len() };
    let gtis = plan.gtis[..counted].iter().flat_map(|g| g.intervals());
    made.gti = gtis.map(|(a, b)| [a.value(), b.value()]).collect();
    let balance = match at_once {
        Some((sums, balance)) => {
            queue.sums = sums;
            balance
        }
        None => {
            read.set(0);
            let mut batcher = Batcher::new(&plan, inputs, limits, options.chunk_events);
            while let Some(batch) = batcher.next_batch(progress)? {
                queue.push(batch)?;
            }
            batcher.finish(progress)?
        }
    };
    let (sums, device) = queue.finish(&mut warnings)?;
    made.photons = account(balance, &sums);
    if sums.photons() == 0 && made.photons.read > 0 {
        return Err(Error::NoEvents {
            segments: plan.total_segments(),
            read: made.photons.read,
            balance: made.photons.to_string(),
        });
    }
    let device = record_device(&device, &sums, plan.spec.frequencies(), &mut warnings);
    made.warnings = warnings;
    made.options = serde_json::to_value(options).unwrap_or_default();
    let Resolution { n, dt, segment_size } = plan.resolution;
    let nothing = made.photons.read == 0;
    if nothing {
        made.warnings.push("W-NO-EVENTS", "the inputs have no events at all; the spectrum is empty");
    }
    let context = Context { n, dt, segment_size, device, provenance: made };
    if nothing {
        return Ok(AveragedPowerSpectrum::empty(&options.power, context));
    }
    let mut spectrum = AveragedPowerSpectrum::new(&sums, false, &options.power, context)?;
    dead_time::warn(&mut spectrum, known, options.power.noise);
    Ok(spectrum)
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
/// See [`EventFile::open`], [`Source::refuse_duplicates`] and [`spectrum_of_events`].
pub fn spectrum_of_files<P: AsRef<std::path::Path>>(
    paths: &[P],
    options: &Options,
    backend: &mut dyn Backend,
) -> Result<AveragedPowerSpectrum> {
    let mut warnings = Warnings::default();
    let open = OpenOptions { compat_stingray: options.compat_stingray, ..OpenOptions::default() };
    let mut files = Vec::new();
    for path in paths {
        files.push(EventFile::open(path.as_ref(), &open, &mut warnings)?);
    }
    Source::refuse_duplicates(files.iter().map(EventFile::source))?;
    let mut inputs = Vec::new();
    for file in &files {
        inputs.push(Events::unread(file, Selection::default())?);
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
    options: &Options,
    backend: &mut dyn Backend,
) -> Result<AveragedPowerSpectrum> {
    let mut warnings = Warnings::default();
    let input = Events::of_slice(times, gti, &mut warnings);
    spectrum_of_events(vec![input], options, backend, warnings, &mut |_| {})
}

/// Completes the reader's balance with what the sums say of the photons in segments.
fn account(mut balance: Balance, sums: &Sums) -> Balance {
    balance.used = sums.photons();
    balance.in_skipped_segments = sums.photons_skipped;
    balance.dropped_edge = sums.photons_dropped;
    debug_assert!(balance.is_exact(), "{balance}");
    balance
}

/// Batches in flight on one backend, and the sums that came back. The plan is given back with it, whatever happens.
struct Queue<'a> {
    backend: &'a mut dyn Backend,
    plan: crate::backend::PlanId,
    tickets: VecDeque<crate::backend::Ticket>,
    sums: PartialSums,
}

impl<'a> Queue<'a> {
    fn new(backend: &'a mut dyn Backend, plan: crate::backend::PlanId) -> Queue<'a> {
        Queue { backend, plan, tickets: VecDeque::new(), sums: PartialSums::new() }
    }

    fn push(&mut self, batch: SegmentBatch) -> Result<()> {
        if self.tickets.len() >= self.backend.depth() {
            self.collect()?;
        }
        let ticket = self.backend.submit(self.plan, Arc::new(batch))?;
        self.tickets.push_back(ticket);
        Ok(())
    }

    fn collect(&mut self) -> Result<()> {
        if let Some(ticket) = self.tickets.pop_front() {
            self.sums.merge(self.backend.collect(ticket)?);
        }
        Ok(())
    }

    fn finish(mut self, warnings: &mut Warnings) -> Result<(Sums, DeviceInfo)> {
        while !self.tickets.is_empty() {
            self.collect()?;
        }
        warnings.extend(self.backend.take_warnings());
        Ok((std::mem::take(&mut self.sums).finish(), self.backend.info().clone()))
    }
}

impl Drop for Queue<'_> {
    fn drop(&mut self) {
        self.backend.release(self.plan);
    }
}

/// What a product says of what computed it; a precision that does not suffice is warned of.
fn record_device(device: &DeviceInfo, sums: &Sums, frequencies: usize, warnings: &mut Warnings) -> DeviceRecord {
    let mean: Vec<f64> = sums.power.iter().take(frequencies).map(|p| p / sums.segments as f64).collect();
    if device.precision == "single" && !single_precision_suffices(&mean, sums.segments) {
        let message = "the weakest powers are near the rounding of single precision; --backend cpu computes in double";
        warnings.push("W-PRECISION", message);
    }
    DeviceRecord {
        backend: device.backend.to_string(),
        adapter: device.adapter.clone(),
        precision: device.precision.to_string(),
    }
}

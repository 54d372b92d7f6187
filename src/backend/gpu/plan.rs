//! A prepared plan: the buffers that stay on the device, the launches over them, and the sums that come back.

use std::sync::Arc;

use super::context::{GpuContext, PARAMS_STRIDE};
use super::pass_timer::Timer;
use super::pool::{self, buffer, storage};
use super::readback::Mapping;
use super::upload::Staging;
use crate::backend::measure::DeviceWork;
use crate::backend::{BatchLimits, check_batch};
use crate::base::error::BackendError;
use crate::base::sums::{PartialSums, Sums};
use crate::base::trace;
use crate::kernels::bin_events::{self, BinParams};
use crate::kernels::cross_spectrum::{self, CrossSpec};
use crate::kernels::fft::{self, FftBuffers, FftPlan};
use crate::kernels::fused::{self, FusedBuffers, FusedLaunch};
use crate::kernels::power::{self, PowerBuffers};
use crate::kernels::{DeviceSegment, Dispatch, Input, Limits, power_pass};
use crate::numerics::precision::Precision;
use crate::segment::{EndAmplitudes, GroupEnds, PlanSpec, Quantity, SegmentBatch};

/// Batches in flight: one computed while the next is filled.
pub(super) const DEPTH: usize = 2;
/// Events in one batch: 16 MiB of times.
const BATCH_EVENTS: usize = 1 << 21;
/// Bytes that the samples, or the points of one pass, of a batch may take on the device.
const BUFFER_BYTES: u64 = 64 << 20;
/// Segments in one batch, where they are short.
const BATCH_SEGMENTS: usize = 1 << 16;

// Buffers of a plan by number.
const TIMES: usize = 0;
const ROWS: usize = 1;
const SAMPLES: usize = 2;
const DROPPED: usize = 3;
const TABLES: usize = 4;
const CHIRP: usize = 5;
const FILTER: usize = 6;
const WORK: [usize; 2] = [7, 8];
const RUNS: usize = 9;
const SUMS: usize = 10;
/// Number of the parameters' buffer in uploads.
const PARAMS: usize = 11;

/// One plan on the device. Data stay there from events to sums.
pub(super) struct GpuPlan {
    spec: PlanSpec,
    fft: FftPlan,
    limits: BatchLimits,
    tunables: Limits,
    buffers: Vec<wgpu::Buffer>,
    params: wgpu::Buffer,
    groups: Vec<wgpu::BindGroup>,
    slots: Vec<BatchSlot>,
    next_slot: usize,
    /// Rows of the group whose counts are on the device and whose last batch is due.
    open: Option<usize>,
    /// Amplitudes of the open group that the device does not give.
    group_ends: GroupEnds,
}

/// The host's side of one batch in flight.
struct BatchSlot {
    staging: Staging,
    readback: wgpu::Buffer,
    timer: Option<Timer>,
}

/// A batch on the device.
pub(super) struct InFlight {
    batch: Arc<SegmentBatch>,
    readback: Option<Mapping>,
    /// Passes that were timed, and the bytes each moves; their times follow the sums.
    timed: Vec<(&'static str, u64)>,
    /// Bytes of what is read back before the times.
    results: u64,
    /// What the device does not give, of each row; empty where it is not wanted.
    ends: Vec<EndAmplitudes>,
}

/// What one batch holds.
#[derive(Clone, Copy)]
struct BatchExtent {
    rows: usize,
    events: usize,
    runs: usize,
    /// Earlier batches of the group left counts.
    continued: bool,
}

impl GpuPlan {
    /// Allocates the largest batch, up to a budget, that the device has memory for.
    pub fn new(context: &mut GpuContext, spec: &PlanSpec, timed: bool) -> Result<GpuPlan, BackendError> {
        if matches!(spec.quantity, Quantity::Fad(_)) {
            return Err(BackendError::OnCpuAlone("the correction of dead time by amplitude differences"));
        }
        let refused = BackendError::UnsupportedLength { n: spec.n, largest: fft::LARGEST[spec.n % 2] };
        let fft = transform(spec, context.precision(), context.limits()).ok_or(refused)?;
        let run = spec.run_length() as usize;
        let budget = BUFFER_BYTES.min(context.largest_buffer());
        let row = sample_bytes(spec, &fft).max(point_bytes(&fft));
        let fit = (budget / row) as usize / spec.series();
        let useful = usize::try_from(spec.max_segments).unwrap_or(usize::MAX).clamp(1, BATCH_SEGMENTS);
        let mut rows = (fit / run * run).clamp(run, useful.next_multiple_of(run));
        loop {
            match GpuPlan::with_rows(context, spec, &fft, rows, timed) {
                Err(BackendError::OutOfMemory(_)) if rows > run => {
                    rows = (rows / 2).next_multiple_of(run).min(rows - run)
                }
                result => return result,
            }
        }
    }

    fn with_rows(
        context: &mut GpuContext,
        spec: &PlanSpec,
        fft: &FftPlan,
        rows: usize,
        timed: bool,
    ) -> Result<GpuPlan, BackendError> {
        let segments = rows;
        let rows = segments * spec.series();
        let precision = fft.precision();
        let real = u64::from(precision.complex_bytes() / 2);
        let tunables = *context.limits();
        let events = if spec.input == Input::Events { BATCH_EVENTS } else { 0 };
        let runs = segments / spec.run_length() as usize;
        let sums = real * (runs * spec.blocks() * spec.frequencies()) as u64;
        let samples = rows as u64 * sample_bytes(spec, fft);
        let work = rows as u64 * point_bytes(fft);
        let fixed = [(TABLES, fft.tables()), (CHIRP, fft.chirp()), (FILTER, fft.filter())];
        let complex = 2 * real;
        let sizes = [
            ("times", 8 * events as u64),
            ("rows", (std::mem::size_of::<DeviceSegment>() * rows) as u64),
            ("samples", samples),
            ("dropped", 4 * rows as u64),
            ("tables", complex * fft.tables().len() as u64),
            ("chirp", complex * fft.chirp().len() as u64),
            ("filter", complex * fft.filter().len() as u64),
            ("work", if stored_passes(spec, fft) > 0 { work } else { 0 }),
            ("more work", if stored_passes(spec, fft) > 1 { work } else { 0 }),
            ("runs", 8 * runs as u64),
            ("sums", sums),
        ];
        let buffers = sizes
            .iter()
            .map(|&(label, size)| buffer(context, label, size, storage()))
            .collect::<Result<Vec<_>, _>>()?;
        for (place, values) in fixed {
            context.queue.write_buffer(&buffers[place], 0, &precision.bytes(values));
        }
        let launches = launches(spec, fft, BatchExtent { rows, events, runs, continued: false }, &tunables);
        let params_bytes = PARAMS_STRIDE * launches.len() as u64;
        let uniform = wgpu::BufferUsages::UNIFORM | wgpu::BufferUsages::COPY_DST;
        let params = buffer(context, "parameters", params_bytes, uniform)?;
        let groups = context.bind(&launches, &buffers, &params)?;
        let input = if spec.input == Input::Events { 8 * events as u64 } else { samples };
        let staged = input + sizes[ROWS].1 + sizes[RUNS].1 + params_bytes + 64;
        let readable = wgpu::BufferUsages::MAP_READ | wgpu::BufferUsages::COPY_DST;
        let slots = (0..DEPTH)
            .map(|_| {
                let passes = if timed { launches.len() } else { 0 };
                let size = (sums + 4 * rows as u64).next_multiple_of(8) + Timer::bytes(passes);
                let readback = buffer(context, "readback", size, readable)?;
                let timer = if timed { Some(Timer::new(context, passes)?) } else { None };
                Ok(BatchSlot { staging: Staging::new(context, staged)?, readback, timer })
            })
            .collect::<Result<Vec<_>, BackendError>>()?;
        let limits = BatchLimits { rows: segments, events: BATCH_EVENTS };
        let (spec, fft) = (spec.clone(), fft.clone());
        Ok(GpuPlan {
            spec,
            fft,
            limits,
            tunables,
            buffers,
            params,
            groups,
            slots,
            next_slot: 0,
            open: None,
            group_ends: Default::default(),
        })
    }

    /// The largest batch.
    pub fn limits(&self) -> BatchLimits {
        self.limits
    }

    /// Uploads a batch and starts its work: binning, and after the group's last batch transform, sums and their way back.
    pub fn submit(
        &mut self,
        context: &GpuContext,
        batch: Arc<SegmentBatch>,
        work: &mut DeviceWork,
    ) -> Result<InFlight, BackendError> {
        context.check()?;
        let runs = batch.runs(self.spec.run_length());
        let extent = self.check(&batch, runs.len())?;
        let ends = if self.spec.wants_ends() { self.group_ends.add(&self.spec, &batch) } else { None };
        let ends = ends.unwrap_or_default();
        let launches = launches(&self.spec, &self.fft, extent, &self.tunables);
        let slot = &mut self.slots[self.next_slot];
        let mut encoder = context.device.create_command_encoder(&Default::default());
        let targets: Vec<&wgpu::Buffer> = self.buffers.iter().chain([&self.params]).collect();
        let uploaded = work.uploaded;
        work.uploaded += slot.staging.fill(context, &mut encoder, &targets, |writer| {
            if self.spec.input == Input::Events {
                writer.put(TIMES, batch.rows.iter().map(|r| bytemuck::cast_slice(&batch.times[r.begin..r.end])));
            } else {
                writer.put_reals(SAMPLES, &batch.flux, self.fft.precision());
            }
            writer.put(ROWS, [bytemuck::cast_slice(&device_segments(&self.spec, &batch))].into_iter());
            if batch.last {
                let runs: Vec<[u32; 2]> = runs.iter().map(|(_, r)| [r.start as u32, r.end as u32]).collect();
                writer.put(RUNS, [bytemuck::cast_slice(&runs)].into_iter());
            }
            writer.put(PARAMS, [pool::params_bytes(&launches).as_slice()].into_iter());
        })?;
        trace::count("bytes uploaded", work.uploaded - uploaded);
        let (timed, results) = self.encode(context, &mut encoder, &batch, extent, &launches, work);
        let index = context.guarded(|| context.queue.submit([encoder.finish()]))?;
        let slot = &mut self.slots[self.next_slot];
        slot.staging.map_again(Some(index.clone()));
        self.next_slot = (self.next_slot + 1) % DEPTH;
        self.open = (!batch.last).then_some(extent.rows);
        let bytes = results + Timer::bytes(timed.len());
        work.read_back += bytes;
        trace::count("bytes read back", bytes);
        let readback = (bytes > 0).then(|| Mapping::start(&slot.readback, wgpu::MapMode::Read, bytes, Some(index)));
        Ok(InFlight { batch, readback, timed, results, ends })
    }

    /// Records a batch's work; returns the passes timed, and the bytes read back of the rows' dropped events and of the sums.
    fn encode(
        &self,
        context: &GpuContext,
        encoder: &mut wgpu::CommandEncoder,
        batch: &SegmentBatch,
        extent: BatchExtent,
        launches: &[Dispatch],
        work: &mut DeviceWork,
    ) -> (Vec<(&'static str, u64)>, u64) {
        let events = self.spec.input == Input::Events;
        // Where one launch does it all, counts lie in device memory between the batches of a group only.
        let fused = fuses(&self.spec, &self.fft);
        let counts_bytes = 4 * (extent.rows * self.spec.n) as u64;
        let dropped_bytes = 4 * extent.rows as u64;
        if batch.first && events && extent.rows > 0 {
            if !(fused && batch.last) {
                encoder.clear_buffer(&self.buffers[SAMPLES], 0, Some(counts_bytes));
                work.moved += counts_bytes;
            }
            encoder.clear_buffer(&self.buffers[DROPPED], 0, Some(dropped_bytes));
            work.moved += dropped_bytes;
        }
        // Flux comes in one batch a group, so what is not the last is to be binned.
        let due = if batch.last { usize::from(fused)..launches.len() } else { 0..1 };
        let launches = &launches[due.clone()];
        let slot = &self.slots[self.next_slot];
        context.encode(encoder, launches, &self.groups[due], slot.timer.as_ref().map(|timer| &timer.set));
        work.launched(launches);
        let mut results = 0;
        if batch.last {
            let real = u64::from(self.fft.precision().complex_bytes() / 2);
            let sums_bytes = real * (extent.runs * self.spec.blocks() * self.spec.frequencies()) as u64;
            for (from, at, bytes) in [(DROPPED, 0, dropped_bytes), (SUMS, dropped_bytes, sums_bytes)] {
                if bytes > 0 {
                    encoder.copy_buffer_to_buffer(&self.buffers[from], 0, &slot.readback, at, bytes);
                }
            }
            results = (dropped_bytes + sums_bytes).next_multiple_of(8);
        }
        let Some(timer) = &slot.timer else { return (Vec::new(), results) };
        let launched = launches.iter().filter(|d| !d.workgroups.contains(&0));
        let timed: Vec<(&'static str, u64)> = launched.map(|d| (d.shader.name, d.bytes)).collect();
        timer.resolve(encoder, timed.len(), &slot.readback, results);
        (timed, results)
    }

    /// Refuses a batch that breaks the contract, before anything of it reaches the device.
    fn check(&self, batch: &SegmentBatch, runs: usize) -> Result<BatchExtent, BackendError> {
        check_batch(batch, &self.spec, self.limits, self.open)?;
        if batch.rows.iter().any(|r| r.events > u64::from(u32::MAX)) {
            return Err(BackendError::Device("batch refused: a segment of more than 2^32 − 1 events".into()));
        }
        let events = batch.rows.iter().map(|r| r.end - r.begin).sum();
        Ok(BatchExtent { rows: batch.rows.len(), events, runs, continued: !batch.first })
    }

    /// Waits for a batch, and makes the sums of its runs when it was the last of its group.
    pub fn finish(
        &self,
        context: &GpuContext,
        mut batch: InFlight,
        work: &mut DeviceWork,
    ) -> Result<PartialSums, BackendError> {
        let Some(readback) = batch.readback.take() else {
            context.check()?;
            return Ok(PartialSums::new());
        };
        readback.read(context, |bytes| {
            let (results, notes) = bytes.split_at(batch.results as usize);
            work.timed(&batch.timed, notes, context);
            if results.is_empty() { PartialSums::new() } else { self.sums(&batch, results) }
        })
    }

    /// The sums of each run, as the CPU makes them, from the rows' dropped events and the device's sums of power.
    fn sums(&self, flight: &InFlight, bytes: &[u8]) -> PartialSums {
        let batch = &flight.batch;
        let (dropped, power) = bytes.split_at(4 * batch.rows.len());
        let power = self.fft.precision().reals(power);
        let factor = self.fft.power_factor();
        let dropped: &[[u8; 4]] = dropped.as_chunks().0;
        let dropped: Vec<u64> = dropped.iter().map(|d| u64::from(u32::from_le_bytes(*d))).collect();
        let (frequencies, series) = (self.spec.frequencies(), self.spec.series());
        let per_run = self.spec.blocks() * frequencies;
        let mut partial = self.spec.empty_sums();
        for (place, (run, rows)) in batch.runs(self.spec.run_length()).into_iter().enumerate() {
            let mut sums = Sums::default();
            for first in rows.clone().step_by(series) {
                let segment = first..first + series;
                let (rows, dropped) = (&batch.rows[segment.clone()], &dropped[segment.clone()]);
                if self.spec.add_segment(rows, dropped, &mut sums) && !flight.ends.is_empty() {
                    self.spec.add_ends(rows, &flight.ends[segment], dropped, &mut sums);
                }
            }
            if sums.segments > 0 {
                sums.power = power[place * per_run..(place + 1) * per_run].to_vec();
                let rows = &batch.rows[rows];
                for (block, values) in sums.power.chunks_mut(frequencies.max(1)).enumerate() {
                    // Weighted sums are of photons, which have no scale.
                    let unscale = factor * self.spec.unscale(block, |which| rows[which].scale);
                    values.iter_mut().for_each(|value| *value *= unscale);
                }
            }
            partial.push_run(run, sums);
        }
        partial
    }
}

/// All launches of a plan, for one batch: binning first where there are events, then what the last batch of a group does. Their
/// number, shaders and buffers depend on the plan alone.
fn launches(spec: &PlanSpec, fft: &FftPlan, extent: BatchExtent, tunables: &Limits) -> Vec<Dispatch> {
    let BatchExtent { rows, events, runs, continued } = extent;
    let exponent = spec.weight_exponent();
    let mut list = Vec::new();
    if spec.input == Input::Events {
        let delta = spec.delta();
        let (n, count) = (spec.n as u32, events as u32);
        let params = BinParams { delta: delta.to_bits(), n, events: count, rows: rows as u32, unused: 0 };
        let shader = bin_events::shader(tunables);
        list.push(bin_events::dispatch(shader, params, [TIMES, ROWS, SAMPLES, DROPPED], tunables));
        let work = FusedLaunch { delta, rows, events, runs, exponent, continued };
        let places = FusedBuffers {
            tables: TABLES,
            times: TIMES,
            rows: ROWS,
            counts: SAMPLES,
            dropped: DROPPED,
            runs: RUNS,
            sums: SUMS,
        };
        if let Some(all) = fused::dispatch(fft, &work, tunables.f64, &places, tunables).filter(|_| fuses(spec, fft)) {
            list.push(all);
            return list;
        }
    }
    let places = FftBuffers { samples: SAMPLES, rows: ROWS, tables: TABLES, chirp: CHIRP, filter: FILTER, work: WORK };
    let sums = |spectra| PowerBuffers { tables: TABLES, spectra, rows: ROWS, dropped: DROPPED, runs: RUNS, sums: SUMS };
    if ends_in_power(spec, fft) {
        let (transforms, points) = fft.dispatches_before_last(rows, &places);
        list.extend(transforms);
        list.extend(power_pass::dispatch(fft, rows, runs, exponent, &sums(points), tunables));
        return list;
    }
    let (transforms, spectra) = fft.dispatches(rows, &places);
    list.extend(transforms);
    list.push(match spec.series() {
        1 => power::dispatch(fft, rows, runs, exponent, &sums(spectra), tunables),
        series => {
            let work = CrossSpec { series, inside: spec.inside(), exponent };
            cross_spectrum::dispatch(fft, &work, rows, runs, &sums(spectra), tunables)
        }
    });
    list
}

/// True where the last pass ends in power, so that it stores no points.
fn ends_in_power(spec: &PlanSpec, fft: &FftPlan) -> bool {
    spec.series() == 1 && fft.last_pass().is_some()
}

/// Passes that store points, each in the work buffer that the one before did not.
fn stored_passes(spec: &PlanSpec, fft: &FftPlan) -> usize {
    if fuses(spec, fft) { 0 } else { fft.passes() - usize::from(ends_in_power(spec, fft)) }
}

/// How the segments are transformed: in one launch where that takes them.
fn transform(spec: &PlanSpec, precision: Precision, limits: &Limits) -> Option<FftPlan> {
    let whole = fused::plan(spec.n, spec.input, precision, limits).filter(|fft| fuses(spec, fft));
    whole.or_else(|| FftPlan::new(spec.n, spec.input, precision, limits))
}

/// True where one launch does it all.
fn fuses(spec: &PlanSpec, fft: &FftPlan) -> bool {
    spec.series() == 1 && fused::supports(fft)
}

/// Bytes of the samples of a row.
fn sample_bytes(spec: &PlanSpec, fft: &FftPlan) -> u64 {
    let double = fft.precision() == Precision::Double && spec.input == Input::Flux;
    spec.n as u64 * if double { 8 } else { 4 }
}

/// Bytes of the points of a row between two passes.
fn point_bytes(fft: &FftPlan) -> u64 {
    fft.length() as u64 * u64::from(fft.precision().complex_bytes())
}

/// The rows as shaders want them: their events lie one after the other. Photons that rounding drops are known to the device
/// alone, so what they weigh is, too.
fn device_segments(spec: &PlanSpec, batch: &SegmentBatch) -> Vec<DeviceSegment> {
    let mut begin = 0;
    let mut rows = Vec::with_capacity(batch.rows.len());
    for segment in batch.rows.chunks(spec.series()) {
        let skipped = spec.input == Input::Events && segment.iter().any(|row| row.events < spec.min_events);
        for row in segment {
            let include = if skipped { 0.0 } else { 1.0 };
            rows.push(DeviceSegment { include, ..DeviceSegment::new(row.start, begin, row.events, spec.n) });
            begin += row.end - row.begin;
        }
    }
    rows
}

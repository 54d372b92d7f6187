//! What a device has done: launches and bytes by the engine's own count, and the time of every pass by the device's clock.

use super::context::GpuContext;
use super::pool;
use super::readback::Mapping;
use crate::backend::measure::DeviceWork;
use crate::base::error::BackendError;
use crate::base::trace;
use crate::kernels::Dispatch;

impl DeviceWork {
    /// Counts launches that were recorded.
    pub(super) fn launched(&mut self, dispatches: &[Dispatch]) {
        for dispatch in dispatches.iter().filter(|d| !d.workgroups.contains(&0)) {
            self.launches += 1;
            self.moved += dispatch.bytes;
        }
    }
}

/// Where the device notes when passes begin and end.
pub(super) struct Timer {
    pub(super) set: wgpu::QuerySet,
    resolved: wgpu::Buffer,
}

impl Timer {
    /// Room for `passes` passes.
    pub fn new(context: &GpuContext, passes: usize) -> Result<Timer, BackendError> {
        let usage = wgpu::BufferUsages::QUERY_RESOLVE | wgpu::BufferUsages::COPY_SRC;
        let resolved = pool::buffer(context, "timestamps", Timer::bytes(passes), usage)?;
        let set = context.guarded(|| {
            context.device.create_query_set(&wgpu::QuerySetDescriptor {
                label: None,
                ty: wgpu::QueryType::Timestamp,
                count: 2 * passes as u32,
            })
        })?;
        Ok(Timer { set, resolved })
    }

    /// Bytes that the notes of `passes` passes take.
    pub fn bytes(passes: usize) -> u64 {
        16 * passes as u64
    }

    /// Records the way of the notes of `passes` passes to `readback`, from byte `at` on.
    pub fn resolve(&self, encoder: &mut wgpu::CommandEncoder, passes: usize, readback: &wgpu::Buffer, at: u64) {
        if passes > 0 {
            encoder.resolve_query_set(&self.set, 0..2 * passes as u32, &self.resolved, 0);
            encoder.copy_buffer_to_buffer(&self.resolved, 0, readback, at, Timer::bytes(passes));
        }
    }
}

/// Bytes of a copy that is timed: more than any cache holds.
const COPY_BYTES: u64 = 128 << 20;

/// Seconds of some copies of `bytes` bytes from one buffer to another on the device; empty without timestamps.
pub(super) fn copies(context: &GpuContext) -> Result<(u64, Vec<f64>), BackendError> {
    let size = COPY_BYTES.min(context.largest_buffer());
    if !context.has_timestamps() {
        return Ok((size, Vec::new()));
    }
    let [from, to] = [
        pool::buffer(context, "copied", size, pool::storage())?,
        pool::buffer(context, "copy", size, pool::storage())?,
    ];
    let timer = Timer::new(context, 1)?;
    let readable = wgpu::BufferUsages::MAP_READ | wgpu::BufferUsages::COPY_DST;
    let readback = pool::buffer(context, "readback", Timer::bytes(1), readable)?;
    let mut seconds = Vec::new();
    for _ in 0..5 {
        // Passes note times, copies do not: two empty passes stand before and behind it.
        let note = |encoder: &mut wgpu::CommandEncoder, place: u32| {
            let timestamp_writes = Some(wgpu::ComputePassTimestampWrites {
                query_set: &timer.set,
                beginning_of_pass_write_index: (place == 0).then_some(0),
                end_of_pass_write_index: (place == 1).then_some(1),
            });
            drop(encoder.begin_compute_pass(&wgpu::ComputePassDescriptor { label: None, timestamp_writes }));
        };
        context.guarded(|| {
            let mut encoder = context.device.create_command_encoder(&Default::default());
            note(&mut encoder, 0);
            encoder.copy_buffer_to_buffer(&from, 0, &to, 0, size);
            note(&mut encoder, 1);
            timer.resolve(&mut encoder, 1, &readback, 0);
            context.queue.submit([encoder.finish()]);
        })?;
        let mapping = Mapping::start(&readback, wgpu::MapMode::Read, Timer::bytes(1), None);
        seconds.extend(mapping.read(context, |notes| ticks(notes, context))?.first().map(|(begin, end)| end - begin));
    }
    Ok((size, seconds))
}

/// Begin and end of each pass, seconds of the device's clock.
pub(super) fn ticks(notes: &[u8], context: &GpuContext) -> Vec<(f64, f64)> {
    let period = f64::from(context.queue.get_timestamp_period()) * 1e-9;
    let ticks: Vec<u64> = notes.as_chunks::<8>().0.iter().map(|b| u64::from_le_bytes(*b)).collect();
    // A clock that was read out of order says nothing.
    let pair = |t: &[u64]| (t[0] as f64 * period, t[0].max(t[1]) as f64 * period);
    ticks.chunks_exact(2).map(pair).collect()
}

impl DeviceWork {
    /// Adds the times of passes, from the notes read back.
    pub(super) fn timed(&mut self, passes: &[(&'static str, u64)], notes: &[u8], context: &GpuContext) {
        for (&(shader, moved), (begin, end)) in passes.iter().zip(ticks(notes, context)) {
            let time = self.passes.entry(shader).or_default();
            time.launches += 1;
            time.seconds += end - begin;
            time.moved += moved;
            trace::device_pass(&context.label(), shader, begin, end);
        }
    }
}

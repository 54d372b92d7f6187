//! Buffers: made in one place, so that a lack of memory is an error and not a panic; and the execution of a [`Job`].

use super::context::{GpuContext, PARAMS_STRIDE};
use super::pass_timer::{self, Timer};
use super::readback::Mapping;
use crate::base::error::BackendError;
use crate::kernels::{Dispatch, Fill, Job, JobResult};

/// Smallest buffer: no binding may be empty, and none shorter than one element of its array.
const SMALLEST: u64 = 32;

/// A device buffer of at least `size` bytes, zero at first.
pub(super) fn buffer(
    context: &GpuContext,
    label: &str,
    size: u64,
    usage: wgpu::BufferUsages,
) -> Result<wgpu::Buffer, BackendError> {
    let size = size.max(SMALLEST).next_multiple_of(8);
    // A buffer that could be had but not bound is of no use.
    let bound = usage.contains(wgpu::BufferUsages::STORAGE);
    let largest = if bound { context.largest_buffer() } else { context.device.limits().max_buffer_size };
    if size > largest {
        return Err(BackendError::OutOfMemory(format!("{label}: {size} B, and no buffer may exceed {largest} B")));
    }
    context.guarded(|| {
        context.device.create_buffer(&wgpu::BufferDescriptor {
            label: Some(label),
            size,
            usage,
            mapped_at_creation: false,
        })
    })
}

/// Usage of buffers that shaders read and write and the host fills or reads through copies.
pub(super) fn storage() -> wgpu::BufferUsages {
    wgpu::BufferUsages::STORAGE | wgpu::BufferUsages::COPY_DST | wgpu::BufferUsages::COPY_SRC
}

/// Bytes of the parameters of some launches.
pub(super) fn params_bytes(dispatches: &[Dispatch]) -> Vec<u8> {
    let mut bytes = vec![0; dispatches.len().max(1) * PARAMS_STRIDE as usize];
    for (place, dispatch) in bytes.chunks_mut(PARAMS_STRIDE as usize).zip(dispatches) {
        place[..dispatch.params.len()].copy_from_slice(&dispatch.params);
    }
    bytes
}

/// Runs a job with buffers of its own.
pub(super) fn run(context: &mut GpuContext, job: &Job, timed: bool) -> Result<JobResult, BackendError> {
    let buffers = job
        .buffers
        .iter()
        .map(|fill| {
            let buffer = buffer(context, "job", fill.len(), storage())?;
            if let Fill::Bytes(bytes) = fill {
                context.queue.write_buffer(&buffer, 0, bytes);
            }
            Ok(buffer)
        })
        .collect::<Result<Vec<_>, BackendError>>()?;
    let bytes = params_bytes(&job.dispatches);
    let uniform = wgpu::BufferUsages::UNIFORM | wgpu::BufferUsages::COPY_DST;
    let params = buffer(context, "parameters", bytes.len() as u64, uniform)?;
    context.queue.write_buffer(&params, 0, &bytes);
    let groups = context.bind(&job.dispatches, &buffers, &params)?;
    let readable = wgpu::BufferUsages::MAP_READ | wgpu::BufferUsages::COPY_DST;
    let readbacks = job
        .outputs
        .iter()
        .map(|&output| buffer(context, "readback", job.buffers[output].len(), readable))
        .collect::<Result<Vec<_>, _>>()?;
    let timer = if timed && context.has_timestamps() {
        let passes = job.dispatches.len();
        Some((Timer::new(context, passes)?, buffer(context, "notes", Timer::bytes(passes), readable)?))
    } else {
        None
    };
    let pipelines = context.guarded(|| {
        let mut encoder = context.device.create_command_encoder(&Default::default());
        let pipelines = context.encode(&mut encoder, &job.dispatches, &groups, timer.as_ref().map(|(timer, _)| timer));
        if let Some((timer, notes)) = &timer {
            timer.resolve(&mut encoder, pipelines.len(), notes, 0);
        }
        for (readback, &output) in readbacks.iter().zip(&job.outputs) {
            encoder.copy_buffer_to_buffer(&buffers[output], 0, readback, 0, buffers[output].size());
        }
        context.queue.submit([encoder.finish()]);
        pipelines
    })?;
    let mut outputs = Vec::with_capacity(readbacks.len());
    for (readback, &output) in readbacks.iter().zip(&job.outputs) {
        let len = job.buffers[output].len() as usize;
        let mapping = Mapping::start(readback, wgpu::MapMode::Read, readback.size(), None);
        outputs.push(mapping.read(context, |bytes| bytes[..len].to_vec())?);
    }
    let seconds = match &timer {
        Some((_, notes)) if !pipelines.is_empty() => {
            let mapping = Mapping::start(notes, wgpu::MapMode::Read, Timer::bytes(pipelines.len()), None);
            mapping.read(context, |bytes| pass_timer::ticks(bytes, context))?.into_iter().map(|(a, b)| b - a).collect()
        }
        _ => Vec::new(),
    };
    Ok(JobResult { outputs, pipelines, seconds })
}

//! The execution of a [`Job`] with buffers of its own.

use super::context::GpuContext;
use super::pass_timer::{self, Timer};
use super::pool::{buffer, params_bytes, storage};
use super::readback::Mapping;
use crate::base::error::BackendError;
use crate::kernels::check::Runner;
use crate::kernels::{Fill, Job, JobResult, Limits};

impl GpuContext {
    /// Runs a job from start to end, with buffers of its own.
    pub fn run(&mut self, job: &Job) -> Result<JobResult, BackendError> {
        run(self, job, false)
    }
}

impl Runner for GpuContext {
    fn tunables(&self) -> &Limits {
        self.limits()
    }
    fn run(&mut self, job: &Job, timed: bool) -> Result<JobResult, String> {
        run(self, job, timed).map_err(|e| e.to_string())
    }
}

/// Runs a job with buffers of its own.
fn run(context: &mut GpuContext, job: &Job, timed: bool) -> Result<JobResult, BackendError> {
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
        let pipelines =
            context.encode(&mut encoder, &job.dispatches, &groups, timer.as_ref().map(|(timer, _)| &timer.set));
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

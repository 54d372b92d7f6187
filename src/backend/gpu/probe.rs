//! Rates of memory and bus, as `gpu-bench` shows them beside every measurement.

use std::time::Instant;

use super::context::GpuContext;
use super::pass_timer;
use super::pool::{self, buffer};
use super::readback::Mapping;
use super::upload::Staging;
use crate::backend::measure::DeviceRates;
use crate::base::error::BackendError;

/// Bytes moved for one sample.
const SAMPLE_BYTES: u64 = 64 << 20;
/// Bytes of one of the two mapped buffers of a ring: those of a batch.
const STAGING_BYTES: u64 = 16 << 20;
const SAMPLES: usize = 5;

/// Probes copies on the device and both ways over the bus.
pub(super) fn rates(context: &GpuContext) -> Result<DeviceRates, BackendError> {
    let bytes = SAMPLE_BYTES.min(context.largest_buffer());
    let data = vec![1u8; bytes as usize];
    let target = buffer(context, "target", bytes, pool::storage())?;
    let finish = || -> Result<(), BackendError> {
        let index = context.guarded(|| context.queue.submit([]))?;
        let wait = wgpu::PollType::Wait { submission_index: Some(index), timeout: Some(context.patience) };
        super::waiting::poll(&context.device, wait).map_err(|e| context.fault(BackendError::DeviceLost(e.to_string())))
    };
    let pageable = timed(|| {
        context.queue.write_buffer(&target, 0, &data);
        finish()
    })?;
    let staged = STAGING_BYTES.min(bytes);
    let mut ring = [Staging::new(context, staged + 64)?, Staging::new(context, staged + 64)?];
    let pieces = bytes / staged;
    let mapped = timed(|| {
        for piece in 0..pieces {
            let staging = &mut ring[piece as usize % 2];
            let mut encoder = context.device.create_command_encoder(&Default::default());
            let part = &data[..staged as usize];
            staging.fill(context, &mut encoder, &[&target], |writer| writer.put(0, [part].into_iter()))?;
            let index = context.guarded(|| context.queue.submit([encoder.finish()]))?;
            staging.map_again(Some(index));
        }
        finish()
    })?;
    let readable = wgpu::BufferUsages::MAP_READ | wgpu::BufferUsages::COPY_DST;
    let readback = buffer(context, "readback", bytes, readable)?;
    let mut host = vec![0u8; bytes as usize];
    let read_back = timed(|| {
        let mut encoder = context.device.create_command_encoder(&Default::default());
        encoder.copy_buffer_to_buffer(&target, 0, &readback, 0, bytes);
        context.guarded(|| context.queue.submit([encoder.finish()]))?;
        let mapping = Mapping::start(&readback, wgpu::MapMode::Read, bytes, None);
        mapping.read(context, |view| host.copy_from_slice(&view[..bytes as usize]))
    })?;
    Ok(DeviceRates {
        copy: pass_timer::copies(context)?,
        upload_pageable: (bytes, pageable),
        upload_mapped: (pieces * staged, mapped),
        read_back: (bytes, read_back),
    })
}

/// Seconds of each of some calls, after one that warms up.
fn timed(mut call: impl FnMut() -> Result<(), BackendError>) -> Result<Vec<f64>, BackendError> {
    call()?;
    (0..SAMPLES)
        .map(|_| {
            let begin = Instant::now();
            call().map(|()| begin.elapsed().as_secs_f64())
        })
        .collect()
}

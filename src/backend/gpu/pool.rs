//! Buffers: made in one place, so that a lack of memory is an error and not a panic.

use super::context::{GpuContext, PARAMS_STRIDE};
use crate::base::error::BackendError;
use crate::kernels::Dispatch;

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

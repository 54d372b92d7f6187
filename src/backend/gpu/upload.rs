//! Host memory that the device copies from: one mapped buffer for each batch in flight, filled in place.

use super::context::GpuContext;
use super::pool;
use super::readback::Mapping;
use crate::base::error::BackendError;
use crate::numerics::precision::Precision;

/// A staging buffer, mapped while the host fills it.
pub(super) struct Staging {
    buffer: wgpu::Buffer,
    mapping: Option<Mapping>,
}

/// What a batch wrote into a staging buffer: where each piece lies and where it goes.
pub(super) struct StagingWriter<'a> {
    view: &'a mut wgpu::BufferViewMut,
    at: u64,
    copies: Vec<StagedCopy>,
}

/// One copy of a batch's upload.
struct StagedCopy {
    from: u64,
    target: usize,
    bytes: u64,
}

impl StagingWriter<'_> {
    /// Appends pieces of bytes, one after the other, for the beginning of buffer `target`.
    pub fn put<'b>(&mut self, target: usize, pieces: impl Iterator<Item = &'b [u8]>) {
        let from = self.at;
        for piece in pieces {
            let at = self.at as usize;
            self.view.slice(at..at + piece.len()).copy_from_slice(piece);
            self.at += piece.len() as u64;
        }
        if self.at > from {
            self.copies.push(StagedCopy { from, target, bytes: self.at - from });
        }
        // Copies begin and end at multiples of four bytes; all pieces are of 4-byte values.
        self.at = self.at.next_multiple_of(8);
    }

    /// Appends real numbers in the device's precision, for the beginning of buffer `target`.
    pub fn put_reals(&mut self, target: usize, values: &[f64], precision: Precision) {
        if precision == Precision::Double {
            return self.put(target, [bytemuck::cast_slice(values)].into_iter());
        }
        let from = self.at;
        let mut block = [0f32; 1024];
        for chunk in values.chunks(block.len()) {
            block.iter_mut().zip(chunk).for_each(|(b, &x)| *b = x as f32);
            let bytes: &[u8] = bytemuck::cast_slice(&block[..chunk.len()]);
            let at = self.at as usize;
            self.view.slice(at..at + bytes.len()).copy_from_slice(bytes);
            self.at += bytes.len() as u64;
        }
        if self.at > from {
            self.copies.push(StagedCopy { from, target, bytes: self.at - from });
        }
        self.at = self.at.next_multiple_of(8);
    }
}

impl Staging {
    /// A staging buffer of `size` bytes.
    pub fn new(context: &GpuContext, size: u64) -> Result<Staging, BackendError> {
        let usage = wgpu::BufferUsages::MAP_WRITE | wgpu::BufferUsages::COPY_SRC;
        let buffer = pool::buffer(context, "staging", size, usage)?;
        let mut staging = Staging { buffer, mapping: None };
        staging.map_again(None);
        Ok(staging)
    }

    /// Waits until the device has read the last batch, lets `fill` write the next, and records the copies; returns their bytes.
    pub fn fill(
        &mut self,
        context: &GpuContext,
        encoder: &mut wgpu::CommandEncoder,
        buffers: &[&wgpu::Buffer],
        fill: impl FnOnce(&mut StagingWriter),
    ) -> Result<u64, BackendError> {
        let Some(mapping) = self.mapping.take() else {
            return Err(context.fault(BackendError::DeviceLost("an earlier batch failed on this device".into())));
        };
        let copies = mapping.write(context, |view| {
            let mut writer = StagingWriter { view, at: 0, copies: Vec::new() };
            fill(&mut writer);
            writer.copies
        })?;
        let mut uploaded = 0;
        for StagedCopy { from, target, bytes } in copies {
            encoder.copy_buffer_to_buffer(&self.buffer, from, buffers[target], 0, bytes);
            uploaded += bytes;
        }
        Ok(uploaded)
    }

    /// Asks for the buffer again, to be had when the device has run the submission that reads it.
    pub fn map_again(&mut self, after: Option<wgpu::SubmissionIndex>) {
        self.mapping = Some(Mapping::start(&self.buffer, wgpu::MapMode::Write, self.buffer.size(), after));
    }
}

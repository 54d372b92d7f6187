//! Mapping buffers to the host, with errors instead of panics.

use std::sync::mpsc;

use super::context::GpuContext;
use super::waiting::poll;
use crate::base::error::BackendError;

/// A mapping that was asked for and may be complete.
pub(super) struct Mapping {
    buffer: wgpu::Buffer,
    size: u64,
    /// What the device must finish first.
    after: Option<wgpu::SubmissionIndex>,
    done: mpsc::Receiver<Result<(), wgpu::BufferAsyncError>>,
}

impl Mapping {
    /// Asks for the first `size` bytes of `buffer`; complete when the device is done with them, at the latest `after` the
    /// given submission (without one: after all so far).
    pub fn start(
        buffer: &wgpu::Buffer,
        mode: wgpu::MapMode,
        size: u64,
        after: Option<wgpu::SubmissionIndex>,
    ) -> Mapping {
        let (sender, done) = mpsc::channel();
        buffer.map_async(mode, 0..size, move |result| {
            // Nobody listens any more when the plan is gone.
            let _ = sender.send(result);
        });
        Mapping { buffer: buffer.clone(), size, after, done }
    }

    /// Waits until the buffer is mapped.
    fn wait(&self, context: &GpuContext) -> Result<(), BackendError> {
        // A device that was given up is not waited for again.
        context.check()?;
        let wait = wgpu::PollType::Wait { submission_index: self.after.clone(), timeout: Some(context.patience) };
        // No time at all is over before anything can answer.
        let answer = match context.patience.is_zero() {
            true => Err(wgpu::PollError::Timeout),
            false => poll(&context.device, wait),
        };
        answer.map_err(|e| match e {
            wgpu::PollError::Timeout => context.give_up(format!("no answer within {:?}", context.patience)),
            other => context.fault(BackendError::DeviceLost(other.to_string())),
        })?;
        match self.done.try_recv() {
            Ok(Ok(())) => Ok(()),
            failed => {
                let why = failed.map_or_else(|e| e.to_string(), |_| "the device refused".into());
                Err(context.fault(BackendError::DeviceLost(format!("a buffer could not be mapped: {why}"))))
            }
        }
    }

    /// Waits, reads, and unmaps.
    pub fn read<T>(self, context: &GpuContext, read: impl FnOnce(&[u8]) -> T) -> Result<T, BackendError> {
        self.wait(context)?;
        let view = self
            .buffer
            .get_mapped_range(0..self.size)
            .map_err(|e| context.fault(BackendError::Device(e.to_string())))?;
        let value = read(&view);
        drop(view);
        self.buffer.unmap();
        context.check()?;
        Ok(value)
    }

    /// Waits and writes; the buffer stays mapped for as long as `write` runs.
    pub fn write<T>(
        self,
        context: &GpuContext,
        write: impl FnOnce(&mut wgpu::BufferViewMut) -> T,
    ) -> Result<T, BackendError> {
        self.wait(context)?;
        let mut view = self
            .buffer
            .get_mapped_range_mut(0..self.size)
            .map_err(|e| context.fault(BackendError::Device(e.to_string())))?;
        let value = write(&mut view);
        drop(view);
        self.buffer.unmap();
        Ok(value)
    }
}

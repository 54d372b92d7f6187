//! Waiting for the device.

use std::panic::{AssertUnwindSafe, catch_unwind};
use std::time::Duration;

/// How long a wait for the device may take: more than a batch needs on a slow software adapter, so that longer means a hang.
pub(super) const PATIENCE: Duration = Duration::from_secs(120);

/// Polls the device. wgpu panics there when the driver reports the loss of the device or of its memory.
pub(super) fn poll(device: &wgpu::Device, how: wgpu::PollType) -> Result<(), wgpu::PollError> {
    match catch_unwind(AssertUnwindSafe(|| device.poll(how))) {
        Ok(result) => result.map(|_| ()),
        // The callback of the loss has been told, and what waits for the device finds it out there.
        Err(_) => Ok(()),
    }
}

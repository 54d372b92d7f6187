//! What a run takes of this machine's memory, known before it begins.

use super::{Events, Plan, single_pass};
use crate::backend::{Backend, BatchLimits};
use crate::base::error::Result;

/// Bytes of this machine's memory that the spectrum of a plan takes, about, but for those of the inputs: what reads each byte
/// once, where that is the way, or batches.
///
/// # Errors
/// The device cannot be prepared.
pub fn host_memory(plan: &Plan, inputs: &[Events], chunk: usize, backend: &mut dyn Backend) -> Result<HostMemory> {
    let id = backend.prepare(&plan.spec)?;
    let (limits, local) = (backend.limits(id), backend.local(id));
    let bytes = match local.as_ref().and_then(|local| single_pass::single_pass_bytes(plan, inputs, local)) {
        Some(bytes) => HostMemory { bytes, batches: None },
        None => {
            let workers = local.map_or(0, |local| local.threads() * local.worker_bytes());
            let sums = 8 * plan.spec.blocks() * plan.spec.frequencies() * 64;
            let bytes = limits.events * 8 * (backend.depth() + 1) + chunk * 8 + workers + sums;
            HostMemory { bytes, batches: Some(limits) }
        }
    };
    backend.release(id);
    Ok(bytes)
}

/// See [`host_memory`].
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct HostMemory {
    /// Bytes, about.
    pub bytes: usize,
    /// The largest batch, where events come in batches.
    pub batches: Option<BatchLimits>,
}

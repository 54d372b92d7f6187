//! The host memory that a run needs, estimated before it begins.

use super::plan::Plan;
use super::plan_units;
use super::time_source::Events;
use crate::backend::{Backend, BatchLimits, Takes};
use crate::base::error::Result;

/// An estimate of the host memory, in bytes, that a run of this plan needs besides its inputs: buffers of the threads
/// if files are read in a single pass, else batches of events in flight. `chunk` is the number of rows read at a time.
///
/// # Errors
/// The device cannot be prepared.
pub fn host_memory(plan: &Plan, inputs: &[Events], chunk: usize, backend: &mut dyn Backend) -> Result<HostMemory> {
    let id = backend.prepare(&plan.spec)?;
    let limits = backend.limits(id);
    let readers = match backend.capabilities().takes {
        Takes::Rows | Takes::Times => plan_units::reader_bytes(plan, inputs),
        Takes::Batches => None,
    };
    let workers = backend.host_bytes(id, readers);
    let bytes = match readers {
        Some(_) => HostMemory { bytes: workers, batches: None },
        None => {
            let sums = 8 * plan.spec.blocks() * plan.spec.frequencies() * 64;
            let bytes = limits.events * 8 * (backend.depth() + 1) + chunk * 8 + workers + sums;
            HostMemory { bytes, batches: Some(limits) }
        }
    };
    backend.release(id);
    Ok(bytes)
}

/// An estimate of memory; see [`host_memory`].
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct HostMemory {
    /// Estimated bytes.
    pub bytes: usize,
    /// The largest batch, if events come in batches.
    pub batches: Option<BatchLimits>,
}

//! The GPU backend: WGSL through wgpu.

use std::sync::Arc;

use super::{
    AdapterReport, AdapterSelector, Backend, BackendError, BatchLimits, DeviceInfo, GpuProfile, PlanId, Ticket,
};
use crate::segment::{PlanSpec, SegmentBatch};
use crate::sums::PartialSums;

/// The adapters of this machine, best first.
pub fn adapters() -> Vec<AdapterReport> {
    Vec::new()
}

/// One adapter, opened.
pub struct GpuBackend {
    info: DeviceInfo,
}

impl GpuBackend {
    /// Opens an adapter.
    pub fn open(_adapter: &AdapterSelector, _profile: GpuProfile) -> Result<GpuBackend, BackendError> {
        Err(BackendError::NoAdapter { wanted: String::new(), found: String::new() })
    }
}

impl Backend for GpuBackend {
    fn info(&self) -> &DeviceInfo {
        &self.info
    }
    fn prepare(&mut self, spec: &PlanSpec) -> Result<PlanId, BackendError> {
        Err(BackendError::UnsupportedLength { n: spec.n, largest: 0 })
    }
    fn limits(&self, _plan: PlanId) -> BatchLimits {
        BatchLimits { rows: 0, events: 0 }
    }
    fn submit(&mut self, _plan: PlanId, _batch: Arc<SegmentBatch>) -> Result<Ticket, BackendError> {
        Err(BackendError::GpuNotCompiled)
    }
    fn collect(&mut self, _ticket: Ticket) -> Result<PartialSums, BackendError> {
        Err(BackendError::GpuNotCompiled)
    }
    fn depth(&self) -> usize {
        1
    }
}

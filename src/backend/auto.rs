//! The device that `auto` gives: a GPU, and the CPU for what the GPU cannot do.

use std::num::NonZeroUsize;
use std::sync::Arc;

use super::{Backend, BackendError, BatchLimits, DeviceInfo, PlanId, Ticket, cpu::CpuBackend};
use crate::segment::{PlanSpec, SegmentBatch};
use crate::sums::PartialSums;
use crate::warning::Warnings;

/// A device that hands over to the CPU, with a warning, when it cannot do a plan's length.
pub struct AutoBackend {
    device: Box<dyn Backend>,
    threads: Option<NonZeroUsize>,
    warnings: Warnings,
}

impl AutoBackend {
    /// Starts with `device`; a CPU that takes over gets `threads` workers.
    pub fn new(device: Box<dyn Backend>, threads: Option<NonZeroUsize>) -> AutoBackend {
        AutoBackend { device, threads, warnings: Warnings::default() }
    }
}

impl Backend for AutoBackend {
    fn info(&self) -> &DeviceInfo {
        self.device.info()
    }

    /// Plans prepared before the hand-over are not valid after it: one backend serves one plan at a time here.
    fn prepare(&mut self, spec: &PlanSpec) -> Result<PlanId, BackendError> {
        match self.device.prepare(spec) {
            Err(e @ (BackendError::UnsupportedLength { .. } | BackendError::OutOfMemory(_))) => {
                self.warnings.push("W-BACKEND-FALLBACK", format!("{e}; the CPU is used"));
                self.device = Box::new(CpuBackend::new(self.threads));
                self.device.prepare(spec)
            }
            other => other,
        }
    }

    fn limits(&self, plan: PlanId) -> BatchLimits {
        self.device.limits(plan)
    }

    fn submit(&mut self, plan: PlanId, batch: Arc<SegmentBatch>) -> Result<Ticket, BackendError> {
        self.device.submit(plan, batch)
    }

    fn collect(&mut self, ticket: Ticket) -> Result<PartialSums, BackendError> {
        self.device.collect(ticket)
    }

    fn depth(&self) -> usize {
        self.device.depth()
    }

    fn take_warnings(&mut self) -> Warnings {
        let mut warnings = std::mem::take(&mut self.warnings);
        warnings.extend(self.device.take_warnings());
        warnings
    }
}

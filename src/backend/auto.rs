//! The device that `auto` gives: a GPU, and the CPU for what the GPU cannot do.

use std::num::NonZeroUsize;
use std::sync::Arc;

use super::{Backend, BackendError, BatchLimits, DeviceInfo, PlanId, Ticket, cpu::CpuBackend, local::Local};
use crate::segment::{PlanSpec, SegmentBatch};
use crate::sums::PartialSums;
use crate::warning::Warnings;

/// A device that leaves to the CPU, with a warning, the plans that it cannot do.
///
/// The CPU's plans and tickets have odd numbers here, the device's even ones.
pub struct AutoBackend {
    device: Box<dyn Backend>,
    threads: Option<NonZeroUsize>,
    /// Started with the first plan that needs it.
    cpu: Option<CpuBackend>,
    /// Where the latest plan went.
    on_cpu: bool,
    warnings: Warnings,
}

impl AutoBackend {
    /// Prefers `device`; a CPU that steps in gets `threads` workers.
    pub fn new(device: Box<dyn Backend>, threads: Option<NonZeroUsize>) -> AutoBackend {
        AutoBackend { device, threads, cpu: None, on_cpu: false, warnings: Warnings::default() }
    }

    /// Starts the CPU the first time it is needed.
    fn cpu(&mut self) -> Result<&mut CpuBackend, BackendError> {
        if self.cpu.is_none() {
            self.cpu = Some(CpuBackend::new(self.threads)?);
        }
        Ok(self.cpu.as_mut().expect("set above"))
    }

    /// The backend that a number belongs to; odd ones exist only once the CPU was started.
    fn owner(&mut self, odd: bool) -> &mut dyn Backend {
        match &mut self.cpu {
            Some(cpu) if odd => cpu,
            _ => self.device.as_mut(),
        }
    }
}

impl Backend for AutoBackend {
    /// The device of the latest plan.
    fn info(&self) -> &DeviceInfo {
        match &self.cpu {
            Some(cpu) if self.on_cpu => cpu.info(),
            _ => self.device.info(),
        }
    }

    fn prepare(&mut self, spec: &PlanSpec) -> Result<PlanId, BackendError> {
        let plan = self.device.prepare(spec);
        self.on_cpu = false;
        match plan {
            Ok(plan) => Ok(PlanId(2 * plan.0)),
            Err(
                e @ (BackendError::UnsupportedLength { .. }
                | BackendError::OutOfMemory(_)
                | BackendError::DeviceLost(_)),
            ) => {
                let plan = self.cpu()?.prepare(spec)?;
                self.on_cpu = true;
                self.warnings.push("W-BACKEND-FALLBACK", format!("{e}; the CPU is used"));
                Ok(PlanId(2 * plan.0 + 1))
            }
            Err(other) => Err(other),
        }
    }

    fn release(&mut self, plan: PlanId) {
        self.owner(plan.0 % 2 == 1).release(PlanId(plan.0 / 2));
    }

    fn limits(&self, plan: PlanId) -> BatchLimits {
        match &self.cpu {
            Some(cpu) if plan.0 % 2 == 1 => cpu.limits(PlanId(plan.0 / 2)),
            _ => self.device.limits(PlanId(plan.0 / 2)),
        }
    }

    fn submit(&mut self, plan: PlanId, batch: Arc<SegmentBatch>) -> Result<Ticket, BackendError> {
        let odd = plan.0 % 2 == 1;
        let ticket = self.owner(odd).submit(PlanId(plan.0 / 2), batch)?;
        Ok(Ticket(2 * ticket.0 + u64::from(odd)))
    }

    fn collect(&mut self, ticket: Ticket) -> Result<PartialSums, BackendError> {
        self.owner(ticket.0 % 2 == 1).collect(Ticket(ticket.0 / 2))
    }

    fn depth(&self) -> usize {
        self.cpu.as_ref().map_or(self.device.depth(), |cpu| cpu.depth().min(self.device.depth()))
    }

    fn local(&self, plan: PlanId) -> Option<Local> {
        self.cpu.as_ref().filter(|_| plan.0 % 2 == 1).and_then(|cpu| cpu.local(PlanId(plan.0 / 2)))
    }

    fn take_warnings(&mut self) -> Warnings {
        let mut warnings = std::mem::take(&mut self.warnings);
        warnings.extend(self.device.take_warnings());
        warnings
    }
}

//! Batches on a backend, what comes back, and what is said of the device.

use std::collections::VecDeque;
use std::sync::Arc;

use super::memory;
use crate::backend::{Backend, BatchLimits, DeviceInfo};
use crate::base::error::Result;
use crate::base::mend::Mend;
use crate::base::sums::{PartialSums, Sums};
use crate::base::trace;
use crate::base::warning::{Warning, Warnings};
use crate::data::DeviceRecord;
use crate::science::power::single_precision_suffices;
use crate::segment::{PlanSpec, SegmentBatch};

/// Batches in flight on one backend, and the sums that came back. The plan is given back with it, whatever happens.
pub(super) struct BatchQueue<'a> {
    pub backend: &'a mut dyn Backend,
    pub plan: crate::backend::PlanId,
    tickets: VecDeque<crate::backend::Ticket>,
    pub sums: PartialSums,
}

impl<'a> BatchQueue<'a> {
    pub fn new(backend: &'a mut dyn Backend, plan: crate::backend::PlanId) -> BatchQueue<'a> {
        BatchQueue { backend, plan, tickets: VecDeque::new(), sums: PartialSums::new() }
    }

    /// Prepares a plan of its own, if there is memory for it, with so many bytes for the reader of each thread.
    pub fn prepare(backend: &'a mut dyn Backend, spec: &PlanSpec, reader: Option<usize>) -> Result<BatchQueue<'a>> {
        let _span = trace::span("prepare");
        memory::check(spec, &memory::of_sums(spec, reader, backend))?;
        let plan = backend.prepare(spec)?;
        Ok(BatchQueue::new(backend, plan))
    }

    pub fn limits(&self) -> BatchLimits {
        self.backend.limits(self.plan)
    }

    pub fn push(&mut self, batch: SegmentBatch) -> Result<()> {
        if self.tickets.len() >= self.backend.depth() {
            self.collect()?;
        }
        let _span = trace::span("submit");
        let ticket = self.backend.submit(self.plan, Arc::new(batch))?;
        self.tickets.push_back(ticket);
        Ok(())
    }

    fn collect(&mut self) -> Result<()> {
        if let Some(ticket) = self.tickets.pop_front() {
            let span = trace::span("wait for device");
            let sums = self.backend.collect(ticket)?;
            drop(span);
            let _span = trace::span("merge");
            self.sums.merge(sums);
        }
        Ok(())
    }

    /// Collects what is in flight.
    pub fn drain(&mut self) -> Result<()> {
        while !self.tickets.is_empty() {
            self.collect()?;
        }
        Ok(())
    }

    pub fn finish(mut self, warnings: &mut Warnings) -> Result<(Sums, DeviceInfo)> {
        self.drain()?;
        warnings.extend(self.backend.take_warnings());
        Ok((std::mem::take(&mut self.sums).finish(), self.backend.info().clone()))
    }
}

impl Drop for BatchQueue<'_> {
    fn drop(&mut self) {
        self.backend.release(self.plan);
    }
}

/// Single precision does not suffice.
pub(super) fn too_coarse() -> Warning {
    let message = "the weakest powers are near the rounding of single precision";
    let double = Mend::set("backend", "cpu").and("precision", "double").doing("computes in double");
    Warning::new("W-PRECISION", message).mended_by([double])
}

/// What a product says of what computed it; a precision that does not suffice is warned of.
pub(super) fn record_device(
    device: &DeviceInfo,
    sums: &Sums,
    frequencies: usize,
    warnings: &mut Warnings,
) -> DeviceRecord {
    let record = record_of(device);
    warn_of_precision(&record, sums, frequencies, warnings);
    record
}

/// Warns where the sums need more precision than some device had.
pub(super) fn warn_of_precision(device: &DeviceRecord, sums: &Sums, frequencies: usize, warnings: &mut Warnings) {
    let mean: Vec<f64> = sums.power.iter().take(frequencies).map(|p| p / sums.segments as f64).collect();
    if device.precision.contains("single") && !single_precision_suffices(&mean, sums.segments) {
        warnings.record(too_coarse());
    }
}

/// The device, as products name it.
pub(super) fn record_of(device: &DeviceInfo) -> DeviceRecord {
    DeviceRecord {
        backend: device.backend.to_string(),
        adapter: device.adapter.clone(),
        precision: device.precision.to_string(),
    }
}

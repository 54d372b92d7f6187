//! The GPU backend: WGSL through wgpu.

use std::collections::VecDeque;
use std::sync::Arc;

use super::{AdapterSelector, Backend, BackendError, BatchLimits, DeviceInfo, GpuProfile, PlanId, Ticket};
use crate::segment::{PlanSpec, SegmentBatch};
use crate::sums::PartialSums;

mod adapter;
mod context;
mod plan;
mod pool;
mod readback;
mod upload;

pub use adapter::adapters;
pub use context::{Context, JobResult};
use plan::{InFlight, Plan};

/// Batches in flight: one computed while the next is filled.
const DEPTH: usize = 2;

/// One adapter, opened, that turns batches of segments into partial sums in f32.
pub struct GpuBackend {
    context: Context,
    plans: Vec<Plan>,
    pending: VecDeque<(u64, Pending)>,
    next_ticket: u64,
}

enum Pending {
    /// On the device.
    InFlight(PlanId, InFlight),
    /// Read back early, to make room for another batch.
    Done(Result<PartialSums, BackendError>),
}

impl GpuBackend {
    /// Opens an adapter.
    pub fn open(adapter: &AdapterSelector, profile: GpuProfile) -> Result<GpuBackend, BackendError> {
        let context = Context::open(adapter, profile)?;
        Ok(GpuBackend { context, plans: Vec::new(), pending: VecDeque::new(), next_ticket: 0 })
    }

    /// Reads the oldest batch on the device back, so that its buffers are free.
    fn make_room(&mut self) {
        let oldest = self.pending.iter_mut().find(|(_, pending)| matches!(pending, Pending::InFlight(..)));
        if let Some((_, pending)) = oldest {
            let nothing = Pending::Done(Ok(PartialSums::new()));
            if let Pending::InFlight(plan, batch) = std::mem::replace(pending, nothing) {
                *pending = Pending::Done(self.plans[plan.0].finish(&self.context, batch));
            }
        }
    }
}

impl Backend for GpuBackend {
    fn info(&self) -> &DeviceInfo {
        self.context.info()
    }

    fn prepare(&mut self, spec: &PlanSpec) -> Result<PlanId, BackendError> {
        self.plans.push(Plan::new(&mut self.context, spec)?);
        Ok(PlanId(self.plans.len() - 1))
    }

    fn limits(&self, plan: PlanId) -> BatchLimits {
        self.plans[plan.0].limits()
    }

    fn submit(&mut self, plan: PlanId, batch: Arc<SegmentBatch>) -> Result<Ticket, BackendError> {
        let busy = self.pending.iter().filter(|(_, pending)| matches!(pending, Pending::InFlight(..))).count();
        if busy >= DEPTH {
            self.make_room();
        }
        let in_flight = self.plans[plan.0].submit(&self.context, batch)?;
        self.next_ticket += 1;
        self.pending.push_back((self.next_ticket, Pending::InFlight(plan, in_flight)));
        Ok(Ticket(self.next_ticket))
    }

    fn collect(&mut self, ticket: Ticket) -> Result<PartialSums, BackendError> {
        match self.pending.pop_front() {
            Some((id, Pending::InFlight(plan, batch))) if id == ticket.0 => {
                self.plans[plan.0].finish(&self.context, batch)
            }
            Some((id, Pending::Done(sums))) if id == ticket.0 => sums,
            _ => Err(BackendError::Device("tickets are collected in the order they were given".into())),
        }
    }

    fn depth(&self) -> usize {
        DEPTH
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::segment::{Input, Product};

    /// As `EAGLERAY_TEST_GPU` says: `require` fails without an adapter, `auto` (the default) and `off` skip, visibly.
    fn open() -> Option<GpuBackend> {
        let mode = std::env::var("EAGLERAY_TEST_GPU").unwrap_or_else(|_| "auto".into());
        let gpu = match mode.as_str() {
            "off" => Err("EAGLERAY_TEST_GPU=off".to_string()),
            _ => GpuBackend::open(&AdapterSelector::Best, GpuProfile::Portable).map_err(|e| e.to_string()),
        };
        assert!(mode != "require" || gpu.is_ok(), "EAGLERAY_TEST_GPU=require: {:?}", gpu.err());
        gpu.inspect_err(|why| eprintln!("SKIPPED: {why}")).ok()
    }

    fn spec() -> PlanSpec {
        PlanSpec {
            n: 64,
            segment_size: 64.0,
            product: Product::Power { weight_exponent: None },
            input: Input::Events,
            min_events: 0,
            max_segments: 100,
        }
    }

    #[test]
    fn a_lost_device_is_an_error() {
        let Some(mut gpu) = open() else { return };
        let plan = gpu.prepare(&spec()).unwrap();
        gpu.context.device.destroy();
        let batch = Arc::new(SegmentBatch { first: true, last: true, ..SegmentBatch::default() });
        let result = gpu.submit(plan, batch).and_then(|ticket| gpu.collect(ticket));
        assert!(matches!(result, Err(BackendError::DeviceLost(_))), "{result:?}");
        assert!(matches!(gpu.prepare(&spec()), Err(BackendError::DeviceLost(_))));
    }

    #[test]
    fn a_buffer_that_cannot_be_had_is_an_error() {
        let Some(gpu) = open() else { return };
        let result = pool::buffer(&gpu.context, "huge", 1 << 60, pool::storage());
        assert!(matches!(result, Err(BackendError::OutOfMemory(_))));
    }

    #[test]
    fn a_pipeline_that_needs_too_much_workgroup_memory_is_refused() {
        let Some(mut gpu) = open() else { return };
        gpu.context.restrict_workgroup_memory(16_383);
        let refused = gpu.context.make_pipeline(&crate::kernels::fft::WHOLE_COUNTS);
        assert!(matches!(refused, Err(BackendError::Device(message)) if message.contains("workgroup memory")));
    }

    #[test]
    fn tickets_are_collected_in_order_and_more_than_depth_may_wait() {
        let Some(mut gpu) = open() else { return };
        let plan = gpu.prepare(&spec()).unwrap();
        let batch = Arc::new(SegmentBatch { first: true, last: true, ..SegmentBatch::default() });
        let tickets: Vec<Ticket> = (0..5).map(|_| gpu.submit(plan, batch.clone()).unwrap()).collect();
        for ticket in tickets {
            assert_eq!(gpu.collect(ticket).unwrap(), PartialSums::new());
        }
        assert!(gpu.collect(Ticket(99)).is_err());
    }
}

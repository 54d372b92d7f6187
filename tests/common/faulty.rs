//! A device that fails when it is told to.

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

use eagleray::error::BackendError;
use eagleray::internal::backend::{Backend, BatchLimits, DeviceInfo, PlanId, Ticket};
use eagleray::internal::segment::{PlanSpec, SegmentBatch};
use eagleray::internal::sums::PartialSums;

#[derive(Clone, Copy, Debug, PartialEq)]
pub enum Call {
    Prepare,
    Submit,
    Collect,
}

/// Another backend under the name of a GPU, with small batches, that fails once; a lost device fails ever after.
pub struct Faulty {
    inner: Box<dyn Backend>,
    info: DeviceInfo,
    /// The call that fails, how many of its kind come before, and how.
    fault: Option<(Call, usize, BackendError)>,
    lost: Option<BackendError>,
    limits: Option<BatchLimits>,
    /// How long each submission takes.
    delay: Duration,
    /// What is done at each submission.
    at_submission: Box<dyn FnMut() + Send>,
    /// Batches submitted.
    pub submitted: Arc<AtomicUsize>,
    calls: [usize; 3],
}

impl Faulty {
    pub fn new(inner: impl Backend + 'static, name: &str, fault: Option<(Call, usize, BackendError)>) -> Faulty {
        let info = DeviceInfo { backend: "gpu", adapter: name.into(), ..inner.info().clone() };
        Faulty {
            inner: Box::new(inner),
            info,
            fault,
            lost: None,
            limits: None,
            delay: Duration::ZERO,
            at_submission: Box::new(|| {}),
            submitted: Arc::default(),
            calls: [0; 3],
        }
    }

    pub fn limited(self, rows: usize, events: usize) -> Faulty {
        Faulty { limits: Some(BatchLimits { rows, events }), ..self }
    }

    pub fn slowed(self, milliseconds: u64) -> Faulty {
        Faulty { delay: Duration::from_millis(milliseconds), ..self }
    }

    pub fn at_submission(self, action: impl FnMut() + Send + 'static) -> Faulty {
        Faulty { at_submission: Box::new(action), ..self }
    }

    fn call(&mut self, call: Call) -> Result<(), BackendError> {
        if let Some(lost) = &self.lost {
            return Err(lost.clone());
        }
        let before = self.calls[call as usize];
        self.calls[call as usize] += 1;
        match &self.fault {
            Some((at, count, error)) if *at == call && *count == before => {
                if matches!(error, BackendError::DeviceLost(_)) {
                    self.lost = Some(error.clone());
                }
                Err(error.clone())
            }
            _ => Ok(()),
        }
    }
}

impl Backend for Faulty {
    fn info(&self) -> &DeviceInfo {
        &self.info
    }
    fn prepare(&mut self, spec: &PlanSpec) -> Result<PlanId, BackendError> {
        self.call(Call::Prepare)?;
        self.inner.prepare(spec)
    }
    fn release(&mut self, plan: PlanId) {
        self.inner.release(plan);
    }
    fn limits(&self, plan: PlanId) -> BatchLimits {
        self.limits.unwrap_or_else(|| self.inner.limits(plan))
    }
    fn submit(&mut self, plan: PlanId, batch: Arc<SegmentBatch>) -> Result<Ticket, BackendError> {
        self.call(Call::Submit)?;
        (self.at_submission)();
        std::thread::sleep(self.delay);
        self.submitted.fetch_add(1, Ordering::Relaxed);
        self.inner.submit(plan, batch)
    }
    fn collect(&mut self, ticket: Ticket) -> Result<PartialSums, BackendError> {
        self.call(Call::Collect)?;
        self.inner.collect(ticket)
    }
    fn depth(&self) -> usize {
        self.inner.depth()
    }
}

//! One of several devices: what it has to do, and how fast it is.

use std::collections::VecDeque;
use std::sync::Arc;
use std::time::Instant;

use crate::backend::{Backend, DeviceInfo, PlanId, Ticket};
use crate::base::error::BackendError;
use crate::base::time::DoubleDouble;
use crate::kernels::Input;
use crate::segment::{PlanSpec, SegmentBatch, SeriesSegment};

/// Bins, and about as many events, of the batch that a device is measured with.
const PROBE_BINS: usize = 1 << 18;

/// One of several devices.
pub(super) struct MemberDevice {
    pub backend: Box<dyn Backend>,
    /// What was submitted and not collected, oldest first: plan, group and ticket.
    pub queue: VecDeque<(usize, u64, Ticket)>,
    /// When its last group was done.
    pub free: Instant,
}

/// A plan of one member.
#[derive(Clone, Copy)]
pub(super) struct MemberPlan {
    pub plan: PlanId,
    /// Seconds for a bin or an event.
    pub pace: f64,
}

impl MemberDevice {
    pub fn new(backend: Box<dyn Backend>) -> MemberDevice {
        MemberDevice { backend, queue: VecDeque::new(), free: Instant::now() }
    }

    /// Prepares a plan; where there is a choice of members, measures how fast this one is: the second of two equal batches, since
    /// the first is slower than all others.
    pub fn prepare(&mut self, spec: &PlanSpec, measure: bool) -> Result<MemberPlan, BackendError> {
        let plan = self.backend.prepare(spec)?;
        let mut share = MemberPlan { plan, pace: 0.0 };
        for _ in 0..if measure { 2 } else { 0 } {
            let batch = probe_batch(spec, self.backend.limits(plan).rows);
            let (work, begin) = (work(&batch, spec), Instant::now());
            let result = self.backend.submit(plan, batch).and_then(|ticket| self.backend.collect(ticket));
            if let Err(error) = result {
                self.backend.release(plan);
                return Err(error);
            }
            share.pace = begin.elapsed().as_secs_f64() / work;
        }
        Ok(share)
    }

    /// Seconds until a group of `work` would be done. `waiting` is the work of the groups that the member has, the oldest of which
    /// began then.
    pub fn due(&self, work: f64, pace: f64, waiting: f64, began: Option<Instant>) -> f64 {
        let worked = began.map_or(0.0, |began| began.max(self.free).elapsed().as_secs_f64());
        (waiting * pace - worked).max(0.0) + work * pace
    }
}

/// Bins and events of a batch that begins a group.
pub(super) fn work(batch: &SegmentBatch, spec: &PlanSpec) -> f64 {
    (batch.rows.len() * spec.n + batch.times.len()) as f64
}

/// A batch of whole runs, with an event in each bin or flux.
fn probe_batch(spec: &PlanSpec, rows: usize) -> Arc<SegmentBatch> {
    let rows = rows.min((PROBE_BINS / spec.n / spec.series()).max(1));
    let most = PROBE_BINS / spec.series();
    let events = if spec.input == Input::Events { spec.n.min(most) } else { 0 };
    let mut batch = SegmentBatch { first: true, last: true, ..SegmentBatch::default() };
    for index in (0..rows as u64).flat_map(|index| std::iter::repeat_n(index, spec.series())) {
        let start = DoubleDouble::product(spec.segment_size, index as f64);
        let begin = batch.times.len();
        let time = |i: usize| start.hi + spec.segment_size * ((i as f64 + 0.5) / events as f64);
        batch.times.extend((0..events).map(time));
        let (end, events) = (batch.times.len(), events as u64);
        batch.rows.push(SeriesSegment { start, begin, end, events, ..SeriesSegment::empty(index) });
    }
    if spec.input == Input::Flux {
        batch.flux = (0..batch.rows.len() * spec.n).map(|i| (i % 7) as f64 / 7.0).collect();
    }
    Arc::new(batch)
}

/// What several devices are together. One alone is what it is.
pub(super) fn joined(infos: &[&DeviceInfo]) -> Option<DeviceInfo> {
    let (first, others) = infos.split_first()?;
    if others.is_empty() {
        return Some((*first).clone());
    }
    let list = |field: fn(&DeviceInfo) -> &str| {
        let names: Vec<&str> = infos.iter().map(|info| field(info)).filter(|name| !name.is_empty()).collect();
        names.join(" + ")
    };
    let equal = |field: fn(&DeviceInfo) -> &'static str, else_: &'static str| {
        if others.iter().all(|other| field(other) == field(first)) { field(first) } else { else_ }
    };
    Some(DeviceInfo {
        backend: equal(|info| info.backend, "gpu + cpu"),
        adapter: list(|info| &info.adapter),
        driver: list(|info| &info.driver),
        api: list(|info| &info.api),
        tier: equal(|info| info.tier, "mixed"),
        software: infos.iter().any(|info| info.software),
        precision: equal(|info| info.precision, "single"),
        threads: infos.iter().map(|info| info.threads).sum(),
    })
}

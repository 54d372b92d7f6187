//! One of several devices: what it has to do, and how fast it has been.

use std::collections::VecDeque;
use std::time::Instant;

use crate::backend::{Backend, DeviceInfo, Ticket};

/// Groups that a device does before its speed counts; the first ones warm it up.
const TRIALS: usize = 2;

/// One of several devices.
pub(super) struct Member {
    pub backend: Box<dyn Backend>,
    /// What was submitted and not collected, oldest first: plan, group and ticket.
    pub queue: VecDeque<(usize, u64, Ticket)>,
    /// Least seconds per unit of work seen: whoever collects late makes a device look slow, never fast.
    pace: f64,
    /// Groups done.
    trials: usize,
    /// When the last one was.
    free: Instant,
}

impl Member {
    pub fn new(backend: Box<dyn Backend>) -> Member {
        Member { backend, queue: VecDeque::new(), pace: f64::INFINITY, trials: 0, free: Instant::now() }
    }

    /// Notes that a group of so much work, begun then, is done now.
    pub fn note(&mut self, work: f64, began: Instant) {
        let now = Instant::now();
        self.pace = self.pace.min((now - began.max(self.free)).as_secs_f64() / work.max(1.0));
        self.free = now;
        self.trials += 1;
    }

    /// Whom to give a group of `work`: the smallest is first. Those untried come before the others; of these who would be done
    /// first, in seconds from now. `waiting` is the work of each of the groups that the device has.
    pub fn rank(&self, work: f64, waiting: &[f64]) -> (u8, f64) {
        let tried = self.trials + waiting.len();
        if tried < TRIALS {
            return (0, tried as f64);
        }
        let backlog: f64 = waiting.iter().sum();
        if self.trials < TRIALS {
            return (2, backlog);
        }
        let worked = if waiting.is_empty() { 0.0 } else { self.free.elapsed().as_secs_f64() };
        (1, (backlog * self.pace - worked).max(0.0) + work * self.pace)
    }
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
        profile: equal(|info| info.profile, "mixed"),
        software: infos.iter().any(|info| info.software),
        precision: equal(|info| info.precision, "single"),
        threads: infos.iter().map(|info| info.threads).sum(),
    })
}

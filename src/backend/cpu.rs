//! The CPU backend: rayon over runs of segments, f64 throughout.

use std::collections::{BTreeMap, VecDeque};
use std::num::NonZeroUsize;
use std::sync::{Arc, mpsc};

use rayon::prelude::*;

use super::contract::pull_batches;
use super::cpu_units::{self, UnitThreads};
use super::segment_transformer::{CpuOptions, SegmentTransformer};
use super::units::Units;
use super::{
    Backend, BatchLimits, Capabilities, DeviceInfo, PlanId, Takes, Ticket, WorkerThreads, check_batch, not_the_oldest,
    released,
};
use crate::base::error::{BackendError, Result};
use crate::base::sums::PartialSums;
use crate::kernels::{Input, bin_events};
use crate::numerics::precision::Precision;
use crate::segment::{PlanSpec, Quantity, SegmentBatch};

/// Events in one batch: 16 MiB of times.
const BATCH_EVENTS: usize = 1 << 21;
/// Bytes of counts that a group of segments may take when its events come in several batches.
const COUNTS_BYTES: usize = 64 << 20;
/// Batches in flight: one computed while the next is filled.
const DEPTH: usize = 2;

/// Threads of this process that do what a GPU would.
pub struct CpuBackend {
    info: DeviceInfo,
    options: CpuOptions,
    pool: Arc<rayon::ThreadPool>,
    plans: BTreeMap<usize, CpuPlan>,
    next_plan: usize,
    pending: VecDeque<CpuPending>,
    next_ticket: u64,
}

/// A batch that was submitted and not collected.
struct CpuPending {
    ticket: u64,
    plan: PlanId,
    sums: mpsc::Receiver<PartialSums>,
}

struct CpuPlan {
    shared: Arc<SegmentTransformer>,
    limits: BatchLimits,
    /// Counts and dropped events of the open group's rows, while a group comes in several batches.
    open: Option<OpenGroup>,
}

struct OpenGroup {
    counts: Vec<u32>,
    dropped: Vec<u64>,
}

impl CpuBackend {
    /// A pool of `threads` workers, or one for each core (fewer where the system starts no more), in double precision.
    ///
    /// # Errors
    /// The system cannot start so many threads as are asked for.
    pub fn new(threads: Option<NonZeroUsize>) -> Result<CpuBackend, BackendError> {
        CpuBackend::with_options(threads, CpuOptions::default())
    }

    /// A pool of `threads` workers, or one for each core.
    ///
    /// # Errors
    /// See [`CpuBackend::new`].
    pub fn with_options(threads: Option<NonZeroUsize>, options: CpuOptions) -> Result<CpuBackend, BackendError> {
        let pool = pool(threads)?;
        let threads = pool.current_num_threads();
        let info = DeviceInfo {
            backend: "cpu",
            adapter: std::env::consts::ARCH.to_string(),
            driver: String::new(),
            api: String::new(),
            tier: "",
            software: false,
            precision: match options.precision {
                Precision::Single => "single",
                Precision::Double => "double",
            },
            threads,
        };
        let (plans, pending) = (BTreeMap::new(), VecDeque::new());
        Ok(CpuBackend { info, options, pool: Arc::new(pool), plans, next_plan: 0, pending, next_ticket: 0 })
    }
}

/// So many threads; or one for each core, and fewer of those where the system does not start so many.
fn pool(threads: Option<NonZeroUsize>) -> Result<rayon::ThreadPool, BackendError> {
    let cores = || std::thread::available_parallelism().map_or(1, NonZeroUsize::get);
    let mut wanted = threads.map_or(0, NonZeroUsize::get);
    loop {
        let pool = rayon::ThreadPoolBuilder::new()
            .num_threads(wanted)
            .thread_name(|i| format!("eagleray-{i}"))
            // Without this a panic would end the process; so its batch has no sums, and `collect` says so.
            .panic_handler(|_| {});
        let fewer = if wanted == 0 { cores() / 2 } else { wanted / 2 };
        match pool.build() {
            Err(_) if threads.is_none() && fewer > 0 => wanted = fewer,
            made => return made.map_err(|e| BackendError::NoThreads { wanted: wanted.max(1), why: e.to_string() }),
        }
    }
}

impl Backend for CpuBackend {
    fn info(&self) -> &DeviceInfo {
        &self.info
    }

    fn capabilities(&self) -> Capabilities {
        Capabilities {
            takes: Takes::Times,
            threads: self.info.threads,
            exact_counts: true,
            weights: true,
            double_precision: self.options.precision == Precision::Double,
            ..Capabilities::BATCHES
        }
    }

    fn prepare(&mut self, spec: &PlanSpec) -> Result<PlanId, BackendError> {
        if spec.n == 0 {
            return Err(BackendError::Device("a segment of no bins".into()));
        }
        if matches!(spec.quantity, Quantity::Fad(_)) && spec.input == Input::Flux {
            return Err(BackendError::Device("amplitude differences are of events".into()));
        }
        let run = spec.run_length() as usize;
        let fit = COUNTS_BYTES / 4 / spec.n / spec.series() / run * run;
        let limits = BatchLimits { rows: fit.clamp(run, 4096.max(run)), events: BATCH_EVENTS };
        let shared = Arc::new(SegmentTransformer::new(spec, self.options));
        let plan = PlanId(self.next_plan);
        self.plans.insert(plan.0, CpuPlan { shared, limits, open: None });
        self.next_plan += 1;
        Ok(plan)
    }

    fn release(&mut self, plan: PlanId) {
        self.pending.retain(|pending| pending.plan != plan);
        self.plans.remove(&plan.0);
    }

    fn limits(&self, plan: PlanId) -> BatchLimits {
        self.plans[&plan.0].limits
    }

    fn submit(&mut self, id: PlanId, batch: Arc<SegmentBatch>) -> Result<Ticket, BackendError> {
        let plan = self.plans.get_mut(&id.0).ok_or_else(released)?;
        let open = plan.open.as_ref().map(|open| open.dropped.len());
        check_batch(&batch, &plan.shared.spec, plan.limits, open)?;
        let (sender, sums) = mpsc::channel();
        if batch.first && batch.last {
            let shared = plan.shared.clone();
            self.pool.spawn(move || {
                // The receiver is gone only when the caller gave up on the ticket.
                let _ = sender.send(shared.whole_group(&batch));
            });
        } else {
            let part = self.pool.install(|| plan.part_of_group(&batch));
            // The receiver is held below.
            let _ = sender.send(part);
        }
        self.next_ticket += 1;
        self.pending.push_back(CpuPending { ticket: self.next_ticket, plan: id, sums });
        Ok(Ticket(self.next_ticket))
    }

    fn collect(&mut self, ticket: Ticket) -> Result<PartialSums, BackendError> {
        let oldest = self.pending.pop_front_if(|pending| pending.ticket == ticket.0).ok_or_else(not_the_oldest)?;
        oldest.sums.recv().map_err(|_| BackendError::Device("a worker thread panicked".into()))
    }

    fn threads(&self) -> WorkerThreads {
        WorkerThreads(Some(self.pool.clone()))
    }

    fn depth(&self) -> usize {
        DEPTH
    }

    /// Units are pulled by all threads; times in sequence come in batches.
    fn pull(&mut self, plan: PlanId, units: &dyn Units) -> Result<()> {
        if units.in_sequence() {
            return pull_batches(self, plan, units);
        }
        let shared = self.plans.get(&plan.0).map(|plan| plan.shared.clone()).ok_or_else(released)?;
        UnitThreads { shared: &shared, pool: &self.pool }.pull(units);
        Ok(())
    }

    fn host_bytes(&self, spec: &PlanSpec, reader: Option<usize>) -> u64 {
        cpu_units::plan_bytes(spec, self.pool.current_num_threads(), reader)
    }
}

impl CpuPlan {
    /// Adds a batch to the counts of the open group; transforms them when it was the last.
    fn part_of_group(&mut self, batch: &SegmentBatch) -> PartialSums {
        let n = self.shared.spec.n;
        let delta = self.shared.spec.delta();
        if batch.first {
            self.open = Some(OpenGroup { counts: vec![0; batch.rows.len() * n], dropped: vec![0; batch.rows.len()] });
        }
        let open = self.open.as_mut().expect("a group begins with its first batch");
        open.counts.par_chunks_mut(n).zip(&mut open.dropped).zip(&batch.rows).for_each(|((counts, dropped), row)| {
            *dropped += bin_events::cpu(&batch.times[row.begin..row.end], row.start, delta, counts);
        });
        if !batch.last {
            return PartialSums::new();
        }
        let open = self.open.take().expect("set above");
        self.shared.reduce(batch, |i, _row, input, _| {
            input.iter_mut().zip(&open.counts[i * n..(i + 1) * n]).for_each(|(x, &c)| *x = f64::from(c));
            open.dropped[i]
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::segment::Quantity;

    fn spec(n: usize) -> PlanSpec {
        PlanSpec {
            n,
            segment_size: 1.0,
            quantity: Quantity::Power { weight_exponent: None },
            input: Input::Events,
            min_events: 0,
            max_segments: u64::MAX,
        }
    }

    #[test]
    fn a_panic_in_the_pool_ends_neither_the_process_nor_the_pool() {
        let mut cpu = CpuBackend::new(NonZeroUsize::new(1)).unwrap();
        let (sender, sums) = mpsc::channel::<PartialSums>();
        cpu.pool.spawn(move || {
            let _sender = sender;
            panic!("on purpose");
        });
        cpu.pending.push_back(CpuPending { ticket: 7, plan: PlanId(0), sums });
        assert!(matches!(cpu.collect(Ticket(7)), Err(BackendError::Device(m)) if m.contains("panicked")));
        let plan = cpu.prepare(&spec(8)).unwrap();
        let batch = Arc::new(SegmentBatch { first: true, last: true, ..SegmentBatch::default() });
        let ticket = cpu.submit(plan, batch).unwrap();
        assert_eq!(cpu.collect(ticket), Ok(PartialSums::new()));
    }

    #[test]
    fn limits_bound_the_counts_of_a_group() {
        let mut cpu = CpuBackend::new(NonZeroUsize::new(1)).unwrap();
        for n in [1, 2, 3, 64, 1000, 1 << 14, (1 << 16) + 1, 1 << 20, (1 << 20) + 7] {
            let spec = spec(n);
            let run = spec.run_length() as usize;
            let plan = cpu.prepare(&spec).unwrap();
            let limits = cpu.limits(plan);
            assert!(limits.rows >= run && limits.rows.is_multiple_of(run), "{n}: {limits:?}");
            assert!(4 * n * limits.rows <= COUNTS_BYTES, "{n}: {limits:?}");
            cpu.release(plan);
        }
        assert!(cpu.prepare(&spec(0)).is_err());
    }
}

//! The CPU backend: rayon over runs of segments, f64 throughout.

use std::collections::{BTreeMap, VecDeque};
use std::num::NonZeroUsize;
use std::sync::{Arc, Mutex, PoisonError, mpsc};

use rayon::prelude::*;
use rustfft::num_complex::Complex;

use super::local::{LocalPlan, Schedule, WorkQueue};
use super::{Backend, BatchLimits, DeviceInfo, PlanId, Ticket, check_batch, not_the_oldest, released};
use crate::base::error::BackendError;
use crate::base::sums::{PartialSums, Sums};
use crate::base::trace;
use crate::kernels::fad::{CpuFad, FadBuffers};
use crate::kernels::{Input, bin_events, cross_spectrum, power};
use crate::numerics::fft::{CpuFft, CpuFftBuffers};
use crate::numerics::precision::Precision;
use crate::segment::{PlanSpec, Quantity, SegmentBatch, SeriesSegment};

/// Events in one batch: 16 MiB of times.
const BATCH_EVENTS: usize = 1 << 21;
/// Bytes of counts that a group of segments may take when its events come in several batches.
const COUNTS_BYTES: usize = 64 << 20;
/// Batches in flight: one computed while the next is filled.
const DEPTH: usize = 2;

/// How the CPU works; nothing of it but the precision changes a result.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct CpuOptions {
    /// Arithmetic of the transforms; sums are in f64.
    pub precision: Precision,
    /// How threads share the work.
    pub schedule: Schedule,
}

impl Default for CpuOptions {
    fn default() -> CpuOptions {
        CpuOptions { precision: Precision::Double, schedule: Schedule::Dynamic }
    }
}

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

pub(super) struct SegmentTransformer {
    pub(super) spec: PlanSpec,
    pub(super) schedule: Schedule,
    fft: CpuFft,
    fad: Option<CpuFad>,
}

impl SegmentTransformer {
    fn new(spec: &PlanSpec, options: CpuOptions) -> SegmentTransformer {
        let fad = if let Quantity::Fad(work) = spec.quantity { Some(CpuFad::new(spec.n, work)) } else { None };
        SegmentTransformer {
            spec: spec.clone(),
            schedule: options.schedule,
            fft: CpuFft::with_precision(spec.n, options.precision),
            fad,
        }
    }
}

struct OpenGroup {
    counts: Vec<u32>,
    dropped: Vec<u64>,
}

impl CpuBackend {
    /// A pool of `threads` workers, or one for each core, in double precision.
    ///
    /// # Errors
    /// The system cannot start so many threads.
    pub fn new(threads: Option<NonZeroUsize>) -> Result<CpuBackend, BackendError> {
        CpuBackend::with_options(threads, CpuOptions::default())
    }

    /// A pool of `threads` workers, or one for each core.
    ///
    /// # Errors
    /// See [`CpuBackend::new`].
    pub fn with_options(threads: Option<NonZeroUsize>, options: CpuOptions) -> Result<CpuBackend, BackendError> {
        let wanted = threads.map_or(0, NonZeroUsize::get);
        let pool = rayon::ThreadPoolBuilder::new()
            .num_threads(wanted)
            .thread_name(|i| format!("eagleray-{i}"))
            // Without this a panic would end the process; so its batch has no sums, and `collect` says so.
            .panic_handler(|_| {})
            .build()
            .map_err(|e| {
                BackendError::Device(format!("{wanted} worker threads cannot be started ({e}); use --threads"))
            })?;
        let threads = pool.current_num_threads();
        let info = DeviceInfo {
            backend: "cpu",
            adapter: std::env::consts::ARCH.to_string(),
            driver: String::new(),
            api: String::new(),
            profile: "",
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

impl Backend for CpuBackend {
    fn info(&self) -> &DeviceInfo {
        &self.info
    }

    fn prepare(&mut self, spec: &PlanSpec) -> Result<PlanId, BackendError> {
        if spec.n == 0 {
            return Err(BackendError::Device("a segment of no bins".into()));
        }
        if matches!(spec.quantity, Quantity::Fad(_)) && spec.input == Input::Flux {
            return Err(BackendError::Device("amplitude differences are of events".into()));
        }
        let run = spec.run_length() as usize;
        let fit = COUNTS_BYTES / 4 / spec.n / spec.channels() / run * run;
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

    fn pool(&self) -> Option<Arc<rayon::ThreadPool>> {
        Some(self.pool.clone())
    }

    fn depth(&self) -> usize {
        DEPTH
    }

    fn local(&self, plan: PlanId) -> Option<LocalPlan> {
        self.plans.get(&plan.0).map(|plan| LocalPlan { shared: plan.shared.clone(), pool: self.pool.clone() })
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

impl SegmentTransformer {
    /// Bins, transforms and sums a group that came in one batch.
    fn whole_group(&self, batch: &SegmentBatch) -> PartialSums {
        let n = self.spec.n;
        match self.spec.input {
            Input::Flux => self.reduce(batch, |i, _row, input, _| {
                input.copy_from_slice(&batch.flux[i * n..(i + 1) * n]);
                0
            }),
            Input::Events => {
                let delta = self.spec.delta();
                self.reduce(batch, |_i, row, input, last| {
                    let _span = trace::span_if(self.worth_timing(), "bin");
                    // f64 holds counts exactly to 2^53, so the transform's input serves as the histogram.
                    bin_into_f64(&batch.times[row.begin..row.end], row, delta, input, last)
                })
            }
        }
    }

    /// Sums the runs of a batch in parallel. `load(i, row, input, last)` fills the samples of row `i`, returns its dropped
    /// events; `last` is as in [`bin_events::add_sorted`].
    fn reduce(
        &self,
        batch: &SegmentBatch,
        load: impl Fn(usize, &SeriesSegment, &mut [f64], &mut bin_events::LastEventTable) -> u64 + Sync,
    ) -> PartialSums {
        let runs = batch.runs(self.spec.run_length());
        let deal = WorkQueue::new(self.schedule, runs.len(), rayon::current_num_threads());
        let found = Mutex::new(self.spec.empty_sums());
        let work = |thread: usize| {
            let (mut own, mut worker) = (self.spec.empty_sums(), None);
            for (run, rows) in deal.of(thread).filter_map(|i| runs.get(i).cloned()) {
                let _span = trace::span("segments");
                let worker = worker.get_or_insert_with(|| Worker::new(self));
                let mut sums = Sums::default();
                for first in rows.step_by(self.spec.channels()) {
                    let rows = &batch.rows[first..first + self.spec.channels()];
                    for (c, row) in rows.iter().enumerate() {
                        let dropped = load(first + c, row, &mut worker.fft.input, &mut worker.last);
                        self.transform(worker, c, dropped);
                    }
                    self.add_segment(rows, worker, &mut sums);
                }
                own.push_run(run, sums);
            }
            found.lock().unwrap_or_else(PoisonError::into_inner).merge(own);
        };
        rayon::scope(|scope| {
            (0..deal.threads()).for_each(|thread| {
                scope.spawn({
                    let work = &work;
                    move |_| work(thread)
                })
            })
        });
        found.into_inner().unwrap_or_else(PoisonError::into_inner)
    }

    /// True where the stages of one segment take long enough to be timed one by one; else the span around them has their time.
    pub(super) fn worth_timing(&self) -> bool {
        self.spec.n >= 4096
    }

    /// Transforms the samples of one channel of a segment, of which `dropped` events are no part.
    pub(super) fn transform(&self, worker: &mut Worker, channel: usize, dropped: u64) {
        let _span = trace::span_if(self.worth_timing(), "transform");
        let Worker { fft, amplitudes, .. } = worker;
        std::mem::swap(&mut fft.output, &mut amplitudes[channel]);
        self.fft.process(fft);
        std::mem::swap(&mut fft.output, &mut amplitudes[channel]);
        worker.dropped[channel] = dropped;
    }

    /// Adds what the transforms of a segment give, one row a channel.
    pub(super) fn add_segment(&self, rows: &[SeriesSegment], worker: &mut Worker, sums: &mut Sums) {
        let _span = trace::span_if(self.worth_timing(), "accumulate");
        let Worker { amplitudes, dropped, fad, .. } = worker;
        if !self.spec.add_segment(rows, dropped, sums) {
            return;
        }
        let k = self.spec.frequencies();
        if sums.power.is_empty() {
            sums.power = vec![0.0; k * self.spec.blocks()];
        }
        if k == 0 {
            return;
        }
        let exponent = self.spec.weight_exponent();
        let photons = |c: usize| rows[c].events.saturating_sub(dropped[c]);
        // Powers of two, which undo the scale of flux exactly.
        let unscale = |block: usize| self.spec.unscale(block, |c| rows[c].scale);
        if let (Some(correction), Some(buffers)) = (&self.fad, fad) {
            // The subject is the first detector.
            let both = [amplitudes[1].as_slice(), amplitudes[0].as_slice()];
            correction.add(both, [photons(1), photons(0)], buffers, &mut sums.power);
            return;
        }
        match self.spec.channels() {
            1 => {
                power::cpu(&amplitudes[0], unscale(0), &mut sums.power[..k]);
                if exponent > 0 {
                    power::cpu(&amplitudes[0], power::weight(photons(0), exponent), &mut sums.power[k..]);
                }
            }
            _ => {
                let blocks = cross_spectrum::blocks(exponent);
                for (subject, sums) in (1..).zip(sums.power.chunks_mut(blocks * k)) {
                    let inside = self.spec.is_inside(subject);
                    let (s, r) = (&amplitudes[subject], &amplitudes[0]);
                    let first = (subject - 1) * blocks;
                    let plain = [unscale(first), unscale(first + 1), unscale(first + 2)];
                    cross_spectrum::cpu(s, r, inside, plain, &mut sums[..4 * k]);
                    if exponent > 0 {
                        let others = photons(0).saturating_sub(if inside { photons(subject) } else { 0 });
                        let weights = cross_spectrum::weights(photons(subject), others, exponent);
                        cross_spectrum::cpu(s, r, inside, weights, &mut sums[4 * k..]);
                    }
                }
            }
        }
    }
}

/// Buffers of one thread.
pub(super) struct Worker {
    pub(super) fft: CpuFftBuffers,
    /// See [`bin_events::add_sorted`].
    pub(super) last: bin_events::LastEventTable,
    /// Amplitudes of each channel of a segment.
    amplitudes: Vec<Vec<Complex<f64>>>,
    /// Events beyond the last bin, of each channel.
    dropped: Vec<u64>,
    fad: Option<FadBuffers>,
}

impl Worker {
    pub(super) fn new(shared: &SegmentTransformer) -> Worker {
        let mut fft = shared.fft.work();
        let channels = shared.spec.channels();
        // The transform writes here.
        let amplitudes = std::iter::repeat_n(std::mem::take(&mut fft.output), channels).collect();
        let fad = shared.fad.as_ref().map(CpuFad::buffers);
        Worker { amplitudes, dropped: vec![0; channels], last: Default::default(), fft, fad }
    }
}

/// The counts of a row's events, in f64; returns the events dropped.
fn bin_into_f64(
    times: &[f64],
    row: &SeriesSegment,
    delta: f64,
    counts: &mut [f64],
    last: &mut bin_events::LastEventTable,
) -> u64 {
    counts.fill(0.0);
    if times.is_sorted() {
        return bin_events::add_sorted(times, row.start, delta, counts, last);
    }
    let mut dropped = 0;
    for &t in times {
        match bin_events::bin_of(t, row.start, delta, counts.len()) {
            Some(bin) => counts[bin] += 1.0,
            None => dropped += 1,
        }
    }
    dropped
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

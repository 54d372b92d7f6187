//! The CPU backend: rayon over runs of segments, f64 throughout.

use std::collections::VecDeque;
use std::num::NonZeroUsize;
use std::sync::{Arc, mpsc};

use rayon::prelude::*;

use super::{Backend, BackendError, BatchLimits, DeviceInfo, PlanId, Ticket};
use crate::kernels::fft::{CpuFft, CpuFftWork};
use crate::kernels::{bin_events, power};
use crate::segment::{Input, PlanSpec, Row, SegmentBatch};
use crate::sums::{PartialSums, Sums};

/// Events in one batch: 16 MiB of times.
const BATCH_EVENTS: usize = 1 << 21;
/// Bytes of counts that a group of segments may take when its events come in several batches.
const COUNTS_BYTES: usize = 64 << 20;
/// Batches in flight: one computed while the next is filled.
const DEPTH: usize = 2;

/// Threads of this process that do what a GPU would.
pub struct CpuBackend {
    info: DeviceInfo,
    pool: Arc<rayon::ThreadPool>,
    plans: Vec<CpuPlan>,
    pending: VecDeque<(u64, mpsc::Receiver<PartialSums>)>,
    next_ticket: u64,
}

struct CpuPlan {
    shared: Arc<Shared>,
    limits: BatchLimits,
    /// Counts and dropped events of the open group's rows, while a group comes in several batches.
    open: Option<OpenGroup>,
}

struct Shared {
    spec: PlanSpec,
    fft: CpuFft,
}

struct OpenGroup {
    counts: Vec<u32>,
    dropped: Vec<u64>,
}

impl CpuBackend {
    /// A pool of `threads` workers, or one for each core.
    pub fn new(threads: Option<NonZeroUsize>) -> CpuBackend {
        let wanted = threads.map_or(0, NonZeroUsize::get);
        let pool = rayon::ThreadPoolBuilder::new()
            .num_threads(wanted)
            .thread_name(|i| format!("eagleray-{i}"))
            .build()
            .expect("the operating system can start threads");
        let threads = pool.current_num_threads();
        let info = DeviceInfo {
            backend: "cpu",
            adapter: std::env::consts::ARCH.to_string(),
            driver: String::new(),
            api: String::new(),
            profile: "",
            software: false,
            precision: "double",
            threads,
        };
        CpuBackend { info, pool: Arc::new(pool), plans: Vec::new(), pending: VecDeque::new(), next_ticket: 0 }
    }
}

impl Backend for CpuBackend {
    fn info(&self) -> &DeviceInfo {
        &self.info
    }

    fn prepare(&mut self, spec: &PlanSpec) -> Result<PlanId, BackendError> {
        let run = spec.run_length() as usize;
        let fit = COUNTS_BYTES / 4 / spec.n / run * run;
        let limits = BatchLimits { rows: fit.clamp(run, 4096.max(run)), events: BATCH_EVENTS };
        let shared = Arc::new(Shared { spec: spec.clone(), fft: CpuFft::new(spec.n) });
        self.plans.push(CpuPlan { shared, limits, open: None });
        Ok(PlanId(self.plans.len() - 1))
    }

    fn limits(&self, plan: PlanId) -> BatchLimits {
        self.plans[plan.0].limits
    }

    fn submit(&mut self, plan: PlanId, batch: Arc<SegmentBatch>) -> Result<Ticket, BackendError> {
        let plan = &mut self.plans[plan.0];
        let (sender, receiver) = mpsc::channel();
        if batch.first && batch.last {
            let shared = plan.shared.clone();
            self.pool.spawn(move || {
                // The receiver is gone only when the caller gave up on the ticket.
                let _ = sender.send(shared.whole_group(&batch));
            });
        } else {
            let sums = self.pool.install(|| plan.part_of_group(&batch));
            let _ = sender.send(sums);
        }
        self.next_ticket += 1;
        self.pending.push_back((self.next_ticket, receiver));
        Ok(Ticket(self.next_ticket))
    }

    fn collect(&mut self, ticket: Ticket) -> Result<PartialSums, BackendError> {
        match self.pending.pop_front() {
            Some((id, receiver)) if id == ticket.0 => {
                receiver.recv().map_err(|_| BackendError::Device("a worker thread panicked".into()))
            }
            _ => Err(BackendError::Device("tickets are collected in the order they were given".into())),
        }
    }

    fn depth(&self) -> usize {
        DEPTH
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
        self.shared.reduce(batch, |i, _row, input| {
            input.iter_mut().zip(&open.counts[i * n..(i + 1) * n]).for_each(|(x, &c)| *x = f64::from(c));
            open.dropped[i]
        })
    }
}

impl Shared {
    /// Bins, transforms and sums a group that came in one batch.
    fn whole_group(&self, batch: &SegmentBatch) -> PartialSums {
        let n = self.spec.n;
        match self.spec.input {
            Input::Flux => self.reduce(batch, |i, _row, input| {
                input.copy_from_slice(&batch.flux[i * n..(i + 1) * n]);
                0
            }),
            Input::Events => {
                let delta = self.spec.delta();
                self.reduce(batch, |_i, row, input| {
                    // f64 holds counts exactly to 2^53, so the transform's input serves as the histogram.
                    bin_into_f64(&batch.times[row.begin..row.end], row, delta, input)
                })
            }
        }
    }

    /// Sums the runs of a batch in parallel. `load(i, row, input)` fills the samples of row `i`, returns its dropped events.
    fn reduce(&self, batch: &SegmentBatch, load: impl Fn(usize, &Row, &mut [f64]) -> u64 + Sync) -> PartialSums {
        let runs = batch.runs(self.spec.run_length());
        let sums: Vec<(u64, Sums)> = runs
            .into_par_iter()
            .map_init(
                || self.fft.work(),
                |work, (run, rows)| {
                    let mut sums = Sums::default();
                    for i in rows {
                        self.add_row(&batch.rows[i], work, &mut sums, |input| load(i, &batch.rows[i], input));
                    }
                    (run, sums)
                },
            )
            .collect();
        let mut partial = PartialSums::new();
        sums.into_iter().for_each(|(run, s)| partial.push_run(run, s));
        partial
    }

    fn add_row(&self, row: &Row, work: &mut CpuFftWork, sums: &mut Sums, load: impl FnOnce(&mut [f64]) -> u64) {
        let dropped = load(&mut work.input);
        let photons = row.events - dropped;
        if self.spec.input == Input::Events && self.spec.skips(row.events, photons) {
            sums.skipped += 1;
            sums.photons_skipped += row.events;
            return;
        }
        sums.segments += 1;
        sums.photons += photons;
        sums.photons_dropped += dropped;
        sums.flux_mean += row.flux_mean;
        sums.variance += row.variance;
        let k = self.spec.frequencies();
        if sums.power.is_empty() {
            sums.power = vec![0.0; k * self.spec.power_rows()];
        }
        self.fft.process(work);
        // Undoes the power-of-two scale of flux exactly.
        let unscale = 2f64.powi(-2 * row.scale);
        power::cpu(&work.output, unscale, &mut sums.power[..k]);
        if self.spec.power_rows() > 1 {
            power::cpu(&work.output, power::weight(photons, self.spec.weight_exponent()), &mut sums.power[k..]);
        }
    }
}

/// [`bin_events::cpu`] with counters in f64; the same definition, the same bins.
fn bin_into_f64(times: &[f64], row: &Row, delta: f64, counts: &mut [f64]) -> u64 {
    counts.fill(0.0);
    let mut dropped = 0;
    for &t in times {
        match bin_events::bin_of(t, row.start, delta, counts.len()) {
            Some(bin) => counts[bin] += 1.0,
            None => dropped += 1,
        }
    }
    dropped
}

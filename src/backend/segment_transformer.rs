//! What a thread of the CPU does with the segments of a plan: counts, transforms, and what they add to the sums of their run.

use std::sync::{Mutex, PoisonError};

use rustfft::num_complex::Complex;

use super::work_queue::{Schedule, WorkQueue};
use crate::base::sums::{PartialSums, Sums};
use crate::base::trace;
use crate::kernels::fad::{CpuFad, FadBuffers};
use crate::kernels::{Input, bin_events, cross_spectrum, power};
use crate::numerics::fft::{CpuFft, CpuFftBuffers};
use crate::numerics::precision::Precision;
use crate::segment::{EndAmplitudes, PlanSpec, Quantity, SegmentBatch, SeriesSegment};

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

/// A plan, as all threads know it.
pub(super) struct SegmentTransformer {
    pub(super) spec: PlanSpec,
    pub(super) schedule: Schedule,
    fft: CpuFft,
    fad: Option<CpuFad>,
}

impl SegmentTransformer {
    pub(super) fn new(spec: &PlanSpec, options: CpuOptions) -> SegmentTransformer {
        let fad = if let Quantity::Fad(work) = spec.quantity { Some(CpuFad::new(spec.n, work)) } else { None };
        SegmentTransformer {
            spec: spec.clone(),
            schedule: options.schedule,
            fft: CpuFft::with_precision(spec.n, options.precision),
            fad,
        }
    }
}

impl SegmentTransformer {
    /// Bins, transforms and sums a group that came in one batch.
    pub(super) fn whole_group(&self, batch: &SegmentBatch) -> PartialSums {
        let n = self.spec.n;
        match self.spec.input {
            Input::Flux => self.reduce(batch, |i, _row, input, _| {
                input.copy_from_slice(&batch.flux[i * n..(i + 1) * n]);
                0
            }),
            Input::Events => {
                let delta = self.spec.delta();
                self.reduce(batch, |_i, row, input, last| {
                    let _span = trace::span_if(self.spec.worth_timing(), "bin");
                    // f64 holds counts exactly to 2^53, so the transform's input serves as the histogram.
                    bin_into_f64(&batch.times[row.begin..row.end], row, delta, input, last)
                })
            }
        }
    }

    /// Sums the runs of a batch in parallel. `load(i, row, input, last)` fills the samples of row `i`, returns its dropped
    /// events; `last` is as in [`bin_events::add_sorted`].
    pub(super) fn reduce(
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
                for first in rows.step_by(self.spec.series()) {
                    let rows = &batch.rows[first..first + self.spec.series()];
                    for (c, row) in rows.iter().enumerate() {
                        let dropped = load(first + c, row, &mut worker.fft.input, &mut worker.last);
                        self.transform(worker, row, c, dropped);
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

    /// Transforms the samples of one series of a segment, of which `dropped` events are no part.
    pub(super) fn transform(&self, worker: &mut Worker, row: &SeriesSegment, which: usize, dropped: u64) {
        let _span = trace::span_if(self.spec.worth_timing(), "transform");
        if self.spec.wants_ends() {
            worker.ends[which] = EndAmplitudes::of_samples(&worker.fft.input, row, self.spec.input);
        }
        let Worker { fft, amplitudes, .. } = worker;
        std::mem::swap(&mut fft.output, &mut amplitudes[which]);
        self.fft.process(fft);
        std::mem::swap(&mut fft.output, &mut amplitudes[which]);
        worker.dropped[which] = dropped;
    }

    /// Adds a segment without an event, whose powers are zero, without a transform; false where more than powers is made of it.
    pub(super) fn add_empty(&self, rows: &[SeriesSegment], sums: &mut Sums) -> bool {
        let spec = &self.spec;
        if spec.input == Input::Flux || spec.wants_ends() || self.fad.is_some() {
            return false;
        }
        // Rows of dynamical spectra begin as zeros.
        if spec.add_segment(rows, &vec![0; rows.len()], sums) && sums.power.is_empty() && !spec.every_segment() {
            sums.power = vec![0.0; spec.frequencies() * spec.blocks()];
        }
        true
    }

    /// Adds what the transforms of a segment give, one row a series.
    pub(super) fn add_segment(&self, rows: &[SeriesSegment], worker: &mut Worker, sums: &mut Sums) {
        let _span = trace::span_if(self.spec.worth_timing(), "accumulate");
        let Worker { amplitudes, dropped, fad, ends, .. } = worker;
        if !self.spec.add_segment(rows, dropped, sums) {
            return;
        }
        if self.spec.wants_ends() {
            self.spec.add_ends(rows, ends, dropped, sums);
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
        match self.spec.series() {
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
    /// Amplitudes of each series of a segment.
    amplitudes: Vec<Vec<Complex<f64>>>,
    /// Events beyond the last bin, of each series.
    dropped: Vec<u64>,
    /// Where they are wanted.
    ends: Vec<EndAmplitudes>,
    fad: Option<FadBuffers>,
}

impl Worker {
    pub(super) fn new(shared: &SegmentTransformer) -> Worker {
        let mut fft = shared.fft.work();
        let series = shared.spec.series();
        // The transform writes here.
        let amplitudes = std::iter::repeat_n(std::mem::take(&mut fft.output), series).collect();
        let fad = shared.fad.as_ref().map(CpuFad::buffers);
        let (dropped, ends) = (vec![0; series], vec![EndAmplitudes::default(); series]);
        Worker { amplitudes, dropped, ends, last: Default::default(), fft, fad }
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

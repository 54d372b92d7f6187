//! Batches of simulated segments, and the sums that a backend makes of them.

use std::sync::Arc;

use eagleray::device::Precision;
use eagleray::internal::backend::cpu::CpuBackend;
use eagleray::internal::backend::gpu::GpuBackend;
use eagleray::internal::backend::{Backend, GpuTier, PlanId};
use eagleray::internal::kernels::Input;
use eagleray::internal::random::Random;
use eagleray::internal::segment::{PlanSpec, Quantity, SegmentBatch, SeriesSegment};
use eagleray::internal::sums::{PartialSums, Sums};
use eagleray::time::DoubleDouble;

pub const DT: f64 = 1.0 / 1024.0;

pub fn backends(test: &str) -> Vec<GpuBackend> {
    [GpuTier::Portable, GpuTier::Native]
        .into_iter()
        .filter_map(|profile| super::gpu::open(test, |selector| GpuBackend::open(selector, profile, Precision::Single)))
        .inspect(|gpu| say!("{test}: {} in profile {}", gpu.info().adapter, gpu.info().tier))
        .collect()
}

/// The CPU, and the GPUs there are.
pub fn all_backends(test: &str) -> Vec<Box<dyn Backend>> {
    let mut all: Vec<Box<dyn Backend>> = vec![Box::new(CpuBackend::new(None).unwrap())];
    all.extend(backends(test).into_iter().map(|gpu| Box::new(gpu) as Box<dyn Backend>));
    all
}

pub fn spec(n: usize, input: Input, weight_exponent: Option<u32>) -> PlanSpec {
    let quantity = Quantity::Power { weight_exponent };
    PlanSpec { n, segment_size: n as f64 * DT, quantity, input, min_events: 0, max_segments: 1000 }
}

/// The segments of a faint, variable source: some empty, photons beside the first and the last edge
/// that are dropped.
pub fn segments(spec: &PlanSpec, count: usize, seed: u64) -> Vec<(DoubleDouble, Vec<f64>)> {
    let mut random = Random::new(seed);
    (0..count)
        .map(|i| {
            let start = DoubleDouble::sum(3e8, -3e-9) + DoubleDouble::product(spec.segment_size, i as f64);
            let photons = if i % 7 == 3 { 0 } else { random.below(3000) };
            let mut times: Vec<f64> = (0..photons)
                .map(|_| start.hi + random.uniform() * spec.segment_size)
                .filter(|&t| t > start.hi)
                .collect();
            if i % 5 == 1 {
                times.push((start + DoubleDouble::from(spec.segment_size)).hi);
            }
            if i % 5 == 2 {
                times.push(start.hi - DT);
            }
            times.sort_by(f64::total_cmp);
            (start, times)
        })
        .collect()
}

/// One batch of segments `range`, with the part `part` of `parts` of each segment's events.
pub fn batch(
    all: &[(DoubleDouble, Vec<f64>)],
    range: std::ops::Range<usize>,
    part: usize,
    parts: usize,
) -> SegmentBatch {
    let mut batch = SegmentBatch { first: part == 0, last: part + 1 == parts, ..SegmentBatch::default() };
    for index in range {
        let (start, times) = &all[index];
        let cut = |part: usize| times.len() * part / parts;
        let begin = batch.times.len();
        batch.times.extend(&times[cut(part)..cut(part + 1)]);
        batch.rows.push(SeriesSegment {
            start: *start,
            begin,
            end: batch.times.len(),
            events: cut(part + 1) as u64,
            ..SeriesSegment::empty(index as u64)
        });
    }
    batch
}

/// All segments in batches of `rows`, each in `parts` parts, with as many in flight as the backend has room for.
pub fn sum(backend: &mut dyn Backend, plan: PlanId, batches: impl Iterator<Item = SegmentBatch>) -> Sums {
    let mut total = PartialSums::new();
    let mut tickets = std::collections::VecDeque::new();
    for batch in batches {
        if tickets.len() == backend.depth() {
            total.merge(backend.collect(tickets.pop_front().unwrap()).unwrap());
        }
        tickets.push_back(backend.submit(plan, Arc::new(batch)).unwrap());
    }
    for ticket in tickets {
        total.merge(backend.collect(ticket).unwrap());
    }
    total.finish()
}

pub fn splits(all: &[(DoubleDouble, Vec<f64>)], rows: usize, parts: usize) -> impl Iterator<Item = SegmentBatch> {
    (0..all.len()).step_by(rows).flat_map(move |begin| {
        (0..parts).map(move |part| batch(all, begin..(begin + rows).min(all.len()), part, parts))
    })
}

/// Sums of power agree within what f32 amplitudes allow: `|ΔP| ≤ 2·√P·a + a²` summed over segments, with the amplitude bound
/// `a` of the transform; everything else is equal.
pub fn assert_close(gpu: &Sums, cpu: &Sums, what: &str) {
    let others = |s: &Sums| Sums { power: vec![], ..s.clone() };
    assert_eq!(others(gpu), others(cpu), "{what}");
    assert_eq!(gpu.power.len(), cpu.power.len(), "{what}");
    let blocks = if cpu.power.is_empty() { 0 } else { cpu.power.len() };
    let mean = cpu.power.iter().sum::<f64>() / blocks.max(1) as f64;
    let largest = cpu.power.iter().copied().fold(0.0, f64::max);
    let amplitude = 1e-6 * mean.sqrt() + 2e-7 * largest.sqrt();
    let mut worst = 0f64;
    for (k, (g, c)) in gpu.power.iter().zip(&cpu.power).enumerate() {
        // 70 units in the last place for the sum itself; see kernels/power.rs.
        let bound = 2.0 * c.sqrt() * amplitude + amplitude * amplitude + 82.0 * 2f64.powi(-24) * c;
        worst = worst.max((g - c).abs() / bound);
        assert!((g - c).abs() <= bound, "{what}: k = {}: {g} instead of {c}, bound {bound}", k + 1);
    }
    say!("{what}: worst error {worst:.3} of the bound");
}

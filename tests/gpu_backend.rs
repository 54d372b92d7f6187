//! The GPU backend against the CPU backend: the same plans and batches, the same sums within f32, and the same bits for any
//! split of the work.

#![cfg(feature = "gpu")]

mod common;

use std::sync::Arc;

use eagleray::backend::cpu::CpuBackend;
use eagleray::backend::gpu::GpuBackend;
use eagleray::backend::{Backend, BackendError, GpuProfile, PlanId};
use eagleray::kernels::trial::Random;
use eagleray::segment::{Input, PlanSpec, Product, Row, SegmentBatch};
use eagleray::sums::{PartialSums, Sums};
use eagleray::time::Dd;

const DT: f64 = 1.0 / 1024.0;

fn backends(test: &str) -> Vec<GpuBackend> {
    [GpuProfile::Portable, GpuProfile::Native]
        .into_iter()
        .filter_map(|profile| common::open(test, |selector| GpuBackend::open(selector, profile)))
        .inspect(|gpu| eprintln!("{test}: {} in profile {}", gpu.info().adapter, gpu.info().profile))
        .collect()
}

fn spec(n: usize, input: Input, weight_exponent: Option<u32>) -> PlanSpec {
    let product = Product::Power { weight_exponent };
    PlanSpec { n, segment_size: n as f64 * DT, product, input, min_events: 0, max_segments: 1000 }
}

/// The segments of a faint, variable source: some empty, photons on the last edge that rounding drops.
fn segments(spec: &PlanSpec, count: usize, seed: u64) -> Vec<(Dd, Vec<f64>)> {
    let mut random = Random::new(seed);
    (0..count)
        .map(|i| {
            let start = Dd::sum(3e8, -3e-9) + Dd::product(spec.segment_size, i as f64);
            let photons = if i % 7 == 3 { 0 } else { random.below(3000) };
            let mut times: Vec<f64> = (0..photons)
                .map(|_| start.hi + random.uniform() * spec.segment_size)
                .filter(|&t| t > start.hi)
                .collect();
            if i % 5 == 1 {
                times.push((start + Dd::from(spec.segment_size)).hi);
            }
            times.sort_by(f64::total_cmp);
            (start, times)
        })
        .collect()
}

/// One batch of segments `range`, with the part `part` of `parts` of each segment's events.
fn batch(all: &[(Dd, Vec<f64>)], range: std::ops::Range<usize>, part: usize, parts: usize) -> SegmentBatch {
    let mut batch = SegmentBatch { first: part == 0, last: part + 1 == parts, ..SegmentBatch::default() };
    for index in range {
        let (start, times) = &all[index];
        let cut = |part: usize| times.len() * part / parts;
        let begin = batch.times.len();
        batch.times.extend(&times[cut(part)..cut(part + 1)]);
        batch.rows.push(Row {
            index: index as u64,
            start: *start,
            begin,
            end: batch.times.len(),
            events: cut(part + 1) as u64,
            flux_mean: 0.0,
            variance: 0.0,
            scale: 0,
        });
    }
    batch
}

/// All segments in batches of `rows`, each in `parts` parts, with as many in flight as the backend has room for.
fn sum(backend: &mut dyn Backend, plan: PlanId, batches: impl Iterator<Item = SegmentBatch>) -> Sums {
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

fn splits(all: &[(Dd, Vec<f64>)], rows: usize, parts: usize) -> impl Iterator<Item = SegmentBatch> {
    (0..all.len()).step_by(rows).flat_map(move |begin| {
        (0..parts).map(move |part| batch(all, begin..(begin + rows).min(all.len()), part, parts))
    })
}

/// Sums of power agree within what f32 amplitudes allow: `|ΔP| ≤ 2·√P·a + a²` summed over segments, with the amplitude bound
/// `a` of the transform; everything else is equal.
fn assert_close(gpu: &Sums, cpu: &Sums, what: &str) {
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
    eprintln!("{what}: worst error {worst:.3} of the bound");
}

#[test]
fn events_give_the_cpu_s_sums() {
    let mut cpu = CpuBackend::new(None);
    for mut gpu in backends("events") {
        for (n, count) in [(2, 70), (4, 100), (1024, 200), (8192, 33), (16384, 9)] {
            for exponent in [None, Some(1), Some(2)] {
                for min_events in [0, 500] {
                    let spec = PlanSpec { min_events, ..spec(n, Input::Events, exponent) };
                    let all = segments(&spec, count, n as u64);
                    let plan = cpu.prepare(&spec).unwrap();
                    let expected = sum(&mut cpu, plan, splits(&all, 128, 1));
                    let plan = gpu.prepare(&spec).unwrap();
                    let got = sum(&mut gpu, plan, splits(&all, 128, 1));
                    // Weighted sums are of another size: each block has its own bound.
                    let what = format!("n = {n}, exponent {exponent:?}, min_events {min_events}");
                    assert!(expected.photons_dropped > 0 && expected.photons > 0);
                    let k = spec.frequencies();
                    for block in 0..spec.power_rows() {
                        let part = |s: &Sums| Sums { power: s.power[block * k..(block + 1) * k].to_vec(), ..s.clone() };
                        assert_eq!(got.power.len(), expected.power.len());
                        assert_close(&part(&got), &part(&expected), &format!("{what}, block {block}"));
                    }
                }
            }
        }
    }
}

#[test]
fn any_split_gives_the_same_bits() {
    for mut gpu in backends("splits") {
        for (n, count) in [(1024, 300), (16384, 21)] {
            let spec = spec(n, Input::Events, Some(2));
            let run = spec.run_length() as usize;
            let all = segments(&spec, count, 5);
            let plan = gpu.prepare(&spec).unwrap();
            let expected = sum(&mut gpu, plan, splits(&all, count.next_multiple_of(run), 1));
            for (rows, parts) in [(run, 1), (2 * run, 1), (3 * run, 2), (count.next_multiple_of(run), 5), (run, 3)] {
                let got = sum(&mut gpu, plan, splits(&all, rows, parts));
                assert_eq!(got, expected, "batches of {rows} segments in {parts} parts");
            }
        }
    }
}

#[test]
fn flux_gives_the_cpu_s_sums_at_any_scale() {
    let mut cpu = CpuBackend::new(None);
    for mut gpu in backends("flux") {
        for (n, scale) in [(64, 0), (2048, 60), (16384, -40)] {
            let spec = spec(n, Input::Flux, None);
            let run = spec.run_length() as usize;
            let mut random = Random::new(n as u64);
            let count = 2 * run + 1;
            let mut batch = SegmentBatch { first: true, last: true, ..SegmentBatch::default() };
            for index in 0..count {
                batch.rows.push(Row {
                    index: index as u64,
                    start: Dd::ZERO,
                    begin: 0,
                    end: 0,
                    events: 0,
                    flux_mean: random.uniform(),
                    variance: 0.1,
                    scale: scale + (index / run) as i32,
                });
                batch.flux.extend((0..n).map(|_| random.normal()));
            }
            let plan = cpu.prepare(&spec).unwrap();
            let expected = sum(&mut cpu, plan, [batch.clone()].into_iter());
            let plan = gpu.prepare(&spec).unwrap();
            let got = sum(&mut gpu, plan, [batch].into_iter());
            assert_close(&got, &expected, &format!("flux, n = {n}, scale {scale}"));
        }
    }
}

#[test]
fn lengths_that_the_device_cannot_do_are_refused() {
    for mut gpu in backends("lengths") {
        for n in [0, 1, 3, 1000, (1 << 22) + 1, 1 << 23] {
            let refused = gpu.prepare(&spec(n, Input::Events, None));
            assert_eq!(refused, Err(BackendError::UnsupportedLength { n, largest: 1 << 22 }));
        }
    }
}

#[test]
fn limits_follow_the_plan() {
    for mut gpu in backends("limits") {
        for (n, max_segments) in [(64, 1), (64, 65), (1024, u64::MAX), (1 << 20, 3), (1 << 22, u64::MAX)] {
            let spec = PlanSpec { max_segments, ..spec(n, Input::Events, None) };
            let run = spec.run_length() as usize;
            let plan = gpu.prepare(&spec).unwrap();
            let limits = gpu.limits(plan);
            assert!(limits.rows % run == 0 && limits.rows >= run, "{n}: {limits:?}");
            assert!(limits.rows * n * 4 <= 64 << 20);
            assert!(limits.rows as u64 <= max_segments.saturating_add(run as u64 - 1));
            assert_eq!(limits.events, 1 << 21);
        }
    }
}

#[test]
fn a_batch_that_breaks_the_contract_is_refused() {
    for mut gpu in backends("contract") {
        let spec = PlanSpec { max_segments: 64, ..spec(1024, Input::Events, None) };
        let plan = gpu.prepare(&spec).unwrap();
        let all = segments(&spec, 200, 1);
        let mut outside = batch(&all, 0..10, 0, 1);
        outside.rows[4].end = outside.times.len() + 1;
        let continued = batch(&all, 0..10, 1, 2);
        for (bad, why) in [(batch(&all, 0..200, 0, 1), "too many"), (outside, "outside"), (continued, "not open")] {
            let refused = gpu.submit(plan, Arc::new(bad));
            assert!(matches!(refused, Err(BackendError::Device(_))), "{why}: {refused:?}");
        }
        // The plan still works.
        let good = sum(&mut gpu, plan, splits(&all, 64, 1));
        assert_eq!(good.segments, 200);
    }
}

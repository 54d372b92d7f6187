//! The backends against each other: the same plans and batches, the same sums within f32, the same bits for any split of the
//! work, the same refusals, and no plan that outlives its use.

#![cfg(feature = "gpu")]

mod common;

use std::sync::Arc;

use eagleray::backend::cpu::CpuBackend;
use eagleray::backend::gpu::GpuBackend;
use eagleray::backend::several::Several;
use eagleray::backend::{AdapterSelector, Backend, BackendError, GpuProfile, PlanId};
use eagleray::kernels::Precision;
use eagleray::kernels::trial::Random;
use eagleray::pipeline::{FluxOptions, FluxSegment, spectrum_of_flux};
use eagleray::segment::{Input, PlanSpec, Product, Row, SegmentBatch};
use eagleray::spectrum::power::PowerOptions;
use eagleray::sums::{PartialSums, Sums};
use eagleray::time::Dd;
use eagleray::{Gti, Options};

const DT: f64 = 1.0 / 1024.0;

fn backends(test: &str) -> Vec<GpuBackend> {
    [GpuProfile::Portable, GpuProfile::Native]
        .into_iter()
        .filter_map(|profile| {
            common::gpu::open(test, |selector| GpuBackend::open(selector, profile, Precision::Single))
        })
        .inspect(|gpu| eprintln!("{test}: {} in profile {}", gpu.info().adapter, gpu.info().profile))
        .collect()
}

/// The CPU, and the GPUs there are.
fn all_backends(test: &str) -> Vec<Box<dyn Backend>> {
    let mut all: Vec<Box<dyn Backend>> = vec![Box::new(CpuBackend::new(None).unwrap())];
    all.extend(backends(test).into_iter().map(|gpu| Box::new(gpu) as Box<dyn Backend>));
    all
}

fn spec(n: usize, input: Input, weight_exponent: Option<u32>) -> PlanSpec {
    let product = Product::Power { weight_exponent };
    PlanSpec { n, segment_size: n as f64 * DT, product, input, min_events: 0, max_segments: 1000 }
}

/// The segments of a faint, variable source: some empty, photons beside the first and the last edge
/// that are dropped.
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
            if i % 5 == 2 {
                times.push(start.hi - DT);
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
    let mut cpu = CpuBackend::new(None).unwrap();
    for mut gpu in backends("events") {
        for (n, count) in
            [(2, 70), (3, 80), (4, 100), (97, 100), (1000, 200), (1024, 200), (8192, 33), (10_007, 9), (16384, 9)]
        {
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
                    assert!(expected.photons_dropped > 0 && expected.photons() > 0);
                    let k = spec.frequencies();
                    for block in 0..spec.blocks() {
                        let part = |s: &Sums| Sums { power: s.power[block * k..(block + 1) * k].to_vec(), ..s.clone() };
                        assert_eq!(got.power.len(), expected.power.len());
                        assert_close(&part(&got), &part(&expected), &format!("{what}, block {block}"));
                    }
                }
            }
        }
    }
}

/// What moves by the design: a fused segment is its events and the sums; a longer one its counts, cleared, added to and read,
/// its points written and read by every pass, and the sums. Rows, runs and dropped events are small change, and counted.
#[test]
fn launches_and_bytes_are_those_of_the_design() {
    for mut gpu in backends("work") {
        assert!(gpu.time_passes(), "lavapipe has timestamps");
        let copy = gpu.copy_rate().unwrap().unwrap();
        assert!((1e7..1e14).contains(&copy), "{copy} B/s");
        for (n, passes) in [
            (1024, 0),
            (1000, 0),
            (1 << 14, 2),
            (1021, 2),
            (1 << 21, if gpu.info().profile == "native" { 2 } else { 3 }),
        ] {
            let spec = PlanSpec { max_segments: 64, ..spec(n, Input::Events, None) };
            let all = segments(&spec, 3.max(spec.run_length() as usize), 1);
            let events: usize = all.iter().map(|(_, times)| times.len()).sum();
            let plan = gpu.prepare(&spec).unwrap();
            let before = gpu.work().clone();
            let batches = splits(&all, all.len(), 1);
            sum(&mut gpu, plan, batches);
            let rows = all.len() as u64;
            let runs = rows.div_ceil(spec.run_length());
            let small = rows * (32 + 4) + runs * 8;
            let sums = 4 * runs * spec.frequencies() as u64;
            let (n, events) = (n as u64, events as u64);
            // Complex points of a row, and of the convolution that a prime needs.
            let (h, length) = if n % 2 == 0 { (n / 2, n / 2) } else { (n, 2048) };
            let convolved = length != h;
            let first = 4 * n * rows + 8 * length * rows + if convolved { 8 * h } else { 0 };
            let later = (passes - 1i64).max(0) as u64 * 16 * length * rows + if convolved { 8 * length } else { 0 };
            let (moved, launches) = match passes {
                0 => (8 * events + sums + small, 1),
                _ => {
                    let binning = 4 * n * rows + 16 * events + 32 * rows;
                    // The first pass does not count the rows, of which it reads the mean.
                    (binning + first + later + 8 * h * rows + sums + small, passes as u64 + 2)
                }
            };
            let work = gpu.work();
            assert_eq!(work.moved - before.moved, moved, "n = {n}");
            assert_eq!(work.launches - before.launches, launches, "n = {n}");
            assert_eq!(work.read_back - before.read_back, (sums + 4 * rows).next_multiple_of(8) + 16 * launches);
            assert!(
                work.uploaded - before.uploaded >= 8 * events
                    && work.uploaded - before.uploaded < 8 * events + 40 * rows + 4096
            );
            eprintln!("n = {n}: {launches} launches, {:.1} bytes a bin", moved as f64 / (n * rows) as f64);
        }
        let passes = &gpu.work().passes;
        assert_eq!(passes.values().map(|p| p.launches).sum::<u64>(), gpu.work().launches);
        assert!(passes.values().all(|p| p.seconds > 0.0 && p.seconds < 60.0), "{passes:?}");
        assert!(passes.contains_key("power") && passes.keys().any(|name| name.starts_with("fused")));
    }
}

/// Segments of three channels, the first subject of which is part of the reference: all rows of a segment start together.
fn channels(all: &[(Dd, Vec<f64>)]) -> Vec<(Dd, Vec<f64>)> {
    let every = |times: &[f64], k: usize| times.iter().copied().skip(k).step_by(3).collect::<Vec<_>>();
    let channels = |(start, times): &(Dd, Vec<f64>)| {
        [(*start, times.clone()), (*start, every(times, 0)), (*start, times.iter().map(|t| t + 1e-5).collect())]
    };
    all.iter().flat_map(channels).collect()
}

/// A batch of segments of three channels.
fn cross_batch(all: &[(Dd, Vec<f64>)], range: std::ops::Range<usize>, part: usize, parts: usize) -> SegmentBatch {
    let mut batch = batch(all, 3 * range.start..3 * range.end, part, parts);
    batch.rows.iter_mut().for_each(|row| row.index /= 3);
    batch
}

#[test]
fn cross_spectra_are_the_cpu_s_in_any_split() {
    let mut cpu = CpuBackend::new(None).unwrap();
    for mut gpu in backends("cross") {
        for (n, count) in [(96, 100), (1021, 64), (4096, 33), (8192, 17)] {
            for weight_exponent in [None, Some(1), Some(2)] {
                let product = Product::Cross { channels: 3, inside: 1, weight_exponent };
                let spec = PlanSpec { product, ..spec(n, Input::Events, None) };
                let all = channels(&segments(&spec, count, n as u64));
                let run = spec.run_length() as usize;
                let split = |rows: usize, parts: usize| {
                    let all = &all;
                    (0..count).step_by(rows).flat_map(move |begin| {
                        (0..parts).map(move |part| cross_batch(all, begin..(begin + rows).min(count), part, parts))
                    })
                };
                let plan = cpu.prepare(&spec).unwrap();
                let expected = sum(&mut cpu, plan, split(2 * run, 1));
                assert_eq!(expected, sum(&mut cpu, plan, split(run, 3)), "the CPU's own splits");
                let plan = gpu.prepare(&spec).unwrap();
                let got = sum(&mut gpu, plan, split(2 * run, 1));
                assert_eq!(got, sum(&mut gpu, plan, split(run, 3)), "the device's own splits");
                let others = |s: &Sums| Sums { power: vec![], ..s.clone() };
                assert_eq!(others(&got), others(&expected));
                assert_eq!(expected.channels.len(), 3);
                assert!(weight_exponent.is_none() || expected.skipped > 0);
                // |Δ(conj(a)·b)| ≤ ε(|a| + |b|) + ε², bounded by the sums of the powers of both.
                let k = spec.frequencies();
                for (subject, (g, c)) in got.power.chunks(4 * k).zip(expected.power.chunks(4 * k)).enumerate() {
                    let (power_s, power_r) = (&c[..k], &c[k..2 * k]);
                    let mean = |p: &[f64]| p.iter().sum::<f64>() / k as f64;
                    let (mean_s, mean_r) = (mean(power_s), mean(power_r));
                    let tiny = 2.0 * f64::from(2.5e-6f32);
                    for i in 0..4 * k {
                        let bound = tiny * ((power_s[i % k] + mean_s) * (power_r[i % k] + mean_r)).sqrt()
                            + if i < k { tiny * (power_s[i] + mean_s) } else { 0.0 }
                            + if i / k == 1 { tiny * (power_r[i % k] + mean_r) } else { 0.0 };
                        assert!((g[i] - c[i]).abs() <= bound, "n {n}, part {subject}, {i}: {} {} {bound}", g[i], c[i]);
                    }
                }
                // Two thirds of the reference's photons are not the first subject's, which is never inside twice.
                assert!(expected.power.iter().any(|p| *p != 0.0));
            }
        }
    }
}

/// Double precision on the device: sums as the CPU's to 1e-12, whatever their size.
#[test]
fn double_precision_gives_the_cpu_s_sums() {
    let mut cpu = CpuBackend::new(None).unwrap();
    let open = |selector: &AdapterSelector| GpuBackend::open(selector, GpuProfile::Native, Precision::Double);
    let refused = common::gpu::open("double", |selector| {
        Ok::<_, BackendError>(GpuBackend::open(selector, GpuProfile::Portable, Precision::Double).err())
    });
    assert!(refused.is_none_or(|e| matches!(e, Some(BackendError::NoDouble { profile: "portable", .. }))));
    let Some(mut gpu) = common::gpu::open("double", open) else { return };
    assert_eq!(gpu.info().precision, "double");
    for (n, count) in [(96, 70), (1021, 50), (4096, 40), (16384, 9)] {
        for input in [Input::Events, Input::Flux] {
            let spec = spec(n, input, None);
            let all = segments(&spec, count, n as u64);
            let batches: Vec<SegmentBatch> = match input {
                Input::Events => splits(&all, 128, 1).collect(),
                Input::Flux => {
                    let mut random = Random::new(n as u64);
                    let rows = batch(&all, 0..1, 0, 1).rows.iter().map(|r| Row { begin: 0, end: 0, ..*r }).collect();
                    let flux = (0..n).map(|_| random.normal()).collect();
                    vec![SegmentBatch { rows, flux, first: true, last: true, ..SegmentBatch::default() }]
                }
            };
            let plan = cpu.prepare(&spec).unwrap();
            let expected = sum(&mut cpu, plan, batches.clone().into_iter());
            let plan = gpu.prepare(&spec).unwrap();
            let got = sum(&mut gpu, plan, batches.into_iter());
            let largest = expected.power.iter().copied().fold(0.0, f64::max);
            for (g, c) in got.power.iter().zip(&expected.power) {
                assert!((g - c).abs() < 1e-12 * (c + (c * largest).sqrt()), "n = {n}: {g} instead of {c}");
            }
            assert_eq!(got.power.len(), expected.power.len());
        }
    }
}

#[test]
fn any_split_gives_the_same_bits() {
    for mut backend in all_backends("splits") {
        for (n, count) in [(1024, 300), (16384, 21), (96, 200), (1021, 200)] {
            let spec = spec(n, Input::Events, Some(2));
            let run = spec.run_length() as usize;
            let all = segments(&spec, count, 5);
            let plan = backend.prepare(&spec).unwrap();
            let expected = sum(&mut *backend, plan, splits(&all, count.next_multiple_of(run), 1));
            for (rows, parts) in [(run, 1), (2 * run, 1), (3 * run, 2), (count.next_multiple_of(run), 5), (run, 3)] {
                let got = sum(&mut *backend, plan, splits(&all, rows, parts));
                assert_eq!(got, expected, "batches of {rows} segments in {parts} parts");
            }
        }
    }
}

#[test]
fn flux_gives_the_cpu_s_sums_at_any_scale() {
    let mut cpu = CpuBackend::new(None).unwrap();
    for mut gpu in backends("flux") {
        for (n, scale) in [(64, 0), (45, 3), (2048, 60), (2062, 5), (16384, -40)] {
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
        for n in [0, (1 << 23) + 1, (1 << 24) + 1, (1 << 24) + 2] {
            let refused = gpu.prepare(&spec(n, Input::Events, None));
            let largest = if n % 2 == 0 { 1 << 24 } else { (1 << 23) - 1 };
            assert_eq!(refused, Err(BackendError::UnsupportedLength { n, largest }));
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
    for mut backend in all_backends("contract") {
        let spec = PlanSpec { max_segments: 64, ..spec(1024, Input::Events, None) };
        let plan = backend.prepare(&spec).unwrap();
        let all = segments(&spec, 5000, 1);
        let good = || batch(&all, 0..10, 0, 1);
        let too_many = batch(&all, 0..5000, 0, 1);
        let continued = batch(&all, 0..10, 1, 2);
        let (mut outside, mut reversed, mut uncounted, mut unordered) = (good(), good(), good(), good());
        outside.rows[4].end = outside.times.len() + 1;
        (reversed.rows[4].begin, reversed.rows[4].end) = (2, 1);
        uncounted.rows[4].events -= 1;
        unordered.rows.swap(3, 4);
        let bad = [
            (too_many, "at most"),
            (continued, "not open"),
            (outside, "outside"),
            (reversed, "outside"),
            (uncounted, "more events than it counts"),
            (unordered, "order of their indices"),
        ];
        for (bad, why) in bad {
            let refused = backend.submit(plan, Arc::new(bad));
            assert!(matches!(&refused, Err(BackendError::Device(m)) if m.contains(why)), "{why}: {refused:?}");
        }
        let flux_plan = backend.prepare(&PlanSpec { input: Input::Flux, ..spec }).unwrap();
        let rows = good().rows.iter().map(|row| Row { begin: 0, end: 0, ..*row }).collect();
        let flux =
            SegmentBatch { rows, flux: vec![0.5; 10 * 1024], first: true, last: true, ..SegmentBatch::default() };
        let (mut short, mut parts, mut scales) = (flux.clone(), flux.clone(), flux.clone());
        short.flux.pop();
        parts.last = false;
        scales.rows[1].scale = 3;
        for (bad, why) in [(short, "flux samples"), (parts, "one batch a group"), (scales, "scale changes")] {
            let refused = backend.submit(flux_plan, Arc::new(bad));
            assert!(matches!(&refused, Err(BackendError::Device(m)) if m.contains(why)), "{why}: {refused:?}");
        }
        // The plans still work.
        let sums = sum(&mut *backend, plan, splits(&all[..200], 64, 1));
        assert_eq!(sums.segments, 200);
        assert_eq!(sum(&mut *backend, flux_plan, [flux].into_iter()).segments, 10);
    }
}

/// Two plans whose batches alternate, more of them than may be in flight, share a device without sharing anything else.
#[test]
fn plans_may_take_turns() {
    for mut backend in all_backends("turns") {
        let specs = [spec(1024, Input::Events, None), spec(16384, Input::Events, Some(1))];
        let rows = specs.each_ref().map(|spec| 2 * spec.run_length() as usize);
        let all = [0, 1].map(|i| segments(&specs[i], 4 * rows[i], i as u64));
        let plans: Vec<PlanId> = specs.iter().map(|spec| backend.prepare(spec).unwrap()).collect();
        let alone = [0, 1].map(|i| sum(&mut *backend, plans[i], splits(&all[i], rows[i], 2)));
        let mut tickets = Vec::new();
        for (a, b) in splits(&all[0], rows[0], 2).zip(splits(&all[1], rows[1], 2)) {
            tickets.push((0, backend.submit(plans[0], Arc::new(a)).unwrap()));
            tickets.push((1, backend.submit(plans[1], Arc::new(b)).unwrap()));
        }
        let mut totals = [PartialSums::new(), PartialSums::new()];
        for (i, ticket) in tickets {
            totals[i].merge(backend.collect(ticket).unwrap());
        }
        assert_eq!(totals.map(PartialSums::finish), alone);
    }
}

/// A run that failed half-way leaves nothing behind: not its memory, not its tickets.
#[test]
fn a_released_plan_leaves_nothing_behind() {
    for mut backend in all_backends("release") {
        let spec = spec(1024, Input::Events, None);
        let all = segments(&spec, 128, 3);
        let kept = backend.prepare(&spec).unwrap();
        let expected = sum(&mut *backend, kept, splits(&all, 64, 1));
        let mut abandoned = Vec::new();
        for _ in 0..30 {
            let plan = backend.prepare(&spec).unwrap();
            for batch in splits(&all, 64, 2).take(3) {
                abandoned.push(backend.submit(plan, Arc::new(batch)).unwrap());
            }
            backend.release(plan);
            backend.release(plan);
            let refused = backend.submit(plan, Arc::new(batch(&all, 0..1, 0, 1)));
            assert!(matches!(refused, Err(BackendError::Device(_))), "{refused:?}");
        }
        assert_eq!(sum(&mut *backend, kept, splits(&all, 64, 1)), expected);
        // A ticket that is not the oldest is refused, and the oldest is still to be had.
        let oldest = backend.submit(kept, Arc::new(batch(&all, 0..64, 0, 1))).unwrap();
        for ticket in abandoned {
            assert!(backend.collect(ticket).is_err());
        }
        assert!(backend.collect(oldest).is_ok());
        // Dropped with work in flight.
        backend.submit(kept, Arc::new(batch(&all, 0..64, 0, 1))).unwrap();
    }
}

#[test]
fn a_run_that_failed_half_way_does_not_spoil_the_next() {
    for mut backend in all_backends("failure") {
        // More than a batch.
        let good: Vec<FluxSegment> = (0..70_000).map(|i| vec![1.0, 2.0, f64::from(i % 7), 4.0].into()).collect();
        let options = FluxOptions { dt: 0.5, rates: false, power: PowerOptions::default() };
        let mut run = |last: Vec<f64>| {
            let segments = good.iter().cloned().chain([last.into()]);
            spectrum_of_flux(segments, &options, &mut *backend, Default::default())
        };
        assert!(run(vec![1.0]).is_err(), "a short segment");
        assert_eq!(run(vec![1.0; 4]).unwrap().meta.m, 70_001);
    }
}

/// A device that is asked for a length it cannot do leaves that plan to the CPU, says so, and does the next plan itself.
#[test]
fn auto_leaves_to_the_cpu_what_the_gpu_cannot_do() {
    let gti = || Gti::from_seconds(&[(0.0, 40.0)]).unwrap();
    let mut random = Random::new(11);
    let times: Vec<f64> = (0..20_000).map(|_| 40.0 * random.uniform()).collect();
    let options = |segment_size: f64, n: usize| Options {
        dt: Some(segment_size / n as f64),
        segment_size: Some(segment_size),
        ..Options::default()
    };
    let spectrum = |backend: &mut dyn Backend, size, n| {
        eagleray::spectrum_of_times(&times, gti(), &options(size, n), backend).unwrap()
    };
    let too_long = (1 << 23) + 1;
    let mut cpu = CpuBackend::new(None).unwrap();
    for gpu in backends("auto") {
        let mut auto = Several::new(vec![Box::new(gpu)]).unwrap().with_spare(None);
        // A failed run in between must not matter.
        let empty = eagleray::spectrum_of_times(&[50.0], gti(), &options(1.0, 1000), &mut auto);
        assert!(matches!(empty, Err(eagleray::Error::NoEvents { .. })));
        auto.take_warnings();
        let by_auto = spectrum(&mut auto, 40.0, too_long);
        let by_cpu = spectrum(&mut cpu, 40.0, too_long);
        assert_eq!((by_auto.meta.n, by_auto.meta.device.backend.as_str()), (too_long, "cpu"));
        let codes: Vec<&str> = by_auto.meta.provenance.warnings.iter().map(|w| w.code).collect();
        assert!(codes.contains(&"W-BACKEND-FALLBACK"), "{codes:?}");
        assert_eq!(by_auto.power, by_cpu.power);
        assert_eq!(by_auto.meta.provenance.photons, by_cpu.meta.provenance.photons);
        let next = spectrum(&mut auto, 1.024, 1024);
        assert_eq!((next.meta.n, next.meta.device.backend.as_str()), (1024, "gpu"));
        assert!(next.meta.provenance.warnings.iter().all(|w| w.code != "W-BACKEND-FALLBACK"));
    }
}

/// A ramp's spectrum falls until f32 rounds it away: the product says so. White noise gives no such warning.
#[test]
fn a_spectrum_too_steep_for_single_precision_is_warned_of() {
    for mut gpu in backends("steep") {
        let mut random = Random::new(5);
        let ramp: Vec<f64> = (0..1 << 16).map(f64::from).collect();
        let noise: Vec<f64> = ramp.iter().map(|_| random.uniform()).collect();
        for (values, expected) in [(ramp, true), (noise, false)] {
            let options = FluxOptions { dt: 1.0, rates: false, power: PowerOptions::default() };
            let segments = (0..64).map(|_| values.clone().into());
            let s = spectrum_of_flux(segments, &options, &mut gpu, Default::default()).unwrap();
            assert_eq!(s.meta.provenance.warnings.iter().any(|w| w.code == "W-PRECISION"), expected);
        }
    }
}

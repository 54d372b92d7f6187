//! The backends against each other: the same plans and batches, the same sums within f32, the same bits for any split of the
//! work, and as many launches and bytes as the design says.

#![cfg(feature = "gpu")]

use crate::common::batches::*;
use crate::common::say;
use eagleray::device::Precision;
use eagleray::error::BackendError;
use eagleray::internal::backend::cpu::CpuBackend;
use eagleray::internal::backend::gpu::GpuBackend;
use eagleray::internal::backend::multi::MultiBackend;
use eagleray::internal::backend::{AdapterSelector, Backend, GpuTier};
use eagleray::internal::kernels::Input;
use eagleray::internal::random::Random;
use eagleray::internal::segment::{PlanSpec, Quantity, SegmentBatch, SeriesSegment};
use eagleray::internal::sums::Sums;
use eagleray::time::DoubleDouble;

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
/// its points written by every pass and read by the next, and the sums. Rows, runs and dropped events are small change, and counted.
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
            (10_000, 2),
            (15_625, 2),
            (1021, 2),
            (10_007, 4),
            (1 << 21, if gpu.info().tier == "native" { 2 } else { 3 }),
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
            let (h, length) = match n {
                1021 => (n, 2048),
                10_007 => (n, 32_768),
                _ => (n / (2 - n % 2), n / (2 - n % 2)),
            };
            let convolved = length != h;
            let first = 4 * n * rows + 8 * length * rows + if convolved { 8 * h } else { 0 };
            // Passes between the first and the power, which is part of the last pass unless that is the first one back; real
            // samples of odd number need 63 of 125 columns.
            let ends_in_power = n != 1021;
            let between = passes - 1 - i64::from(ends_in_power);
            let later = between.max(0) as u64 * 16 * length * rows + if convolved { 8 * length } else { 0 };
            let last = match (ends_in_power, n) {
                (true, 15_625) => 8 * 63 * 125,
                (true, _) => 8 * length,
                (false, _) => 8 * h,
            };
            let (moved, launches) = match passes {
                0 => (8 * events + sums + small, 1),
                _ => {
                    let binning = 4 * n * rows + 16 * events + 32 * rows;
                    // The first pass does not count the rows, of which it reads the mean.
                    (binning + first + later + last * rows + sums + small, passes as u64 + 2 - u64::from(ends_in_power))
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
            say!("n = {n}: {launches} launches, {:.1} bytes a bin", moved as f64 / (n * rows) as f64);
        }
        let passes = &gpu.work().passes;
        assert_eq!(passes.values().map(|p| p.launches).sum::<u64>(), gpu.work().launches);
        assert!(passes.values().all(|p| p.seconds > 0.0 && p.seconds < 60.0), "{passes:?}");
        for name in ["fused", "power_pass.even.pow2", "power_pass.even.any", "power_pass.odd", "power.chirped"] {
            assert!(passes.keys().any(|pass| pass.starts_with(name)), "{name}");
        }
    }
}

/// Segments of three channels, the first subject of which is part of the reference: all rows of a segment start together.
fn channels(all: &[(DoubleDouble, Vec<f64>)]) -> Vec<(DoubleDouble, Vec<f64>)> {
    let every = |times: &[f64], k: usize| times.iter().copied().skip(k).step_by(3).collect::<Vec<_>>();
    let channels = |(start, times): &(DoubleDouble, Vec<f64>)| {
        [(*start, times.clone()), (*start, every(times, 0)), (*start, times.iter().map(|t| t + 1e-5).collect())]
    };
    all.iter().flat_map(channels).collect()
}

/// A batch of segments of three channels.
fn cross_batch(
    all: &[(DoubleDouble, Vec<f64>)],
    range: std::ops::Range<usize>,
    part: usize,
    parts: usize,
) -> SegmentBatch {
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
                let quantity = Quantity::Cross { series: 3, inside: 1, weight_exponent };
                let spec = PlanSpec { quantity, ..spec(n, Input::Events, None) };
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
                assert_eq!(expected.series.len(), 3);
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
    let open = |selector: &AdapterSelector| GpuBackend::open(selector, GpuTier::Native, Precision::Double);
    let refused = crate::common::gpu::open("double", |selector| {
        Ok::<_, BackendError>(GpuBackend::open(selector, GpuTier::Portable, Precision::Double).err())
    });
    assert!(refused.is_none_or(|e| matches!(e, Some(BackendError::NoDouble { tier: "portable", .. }))));
    let Some(mut gpu) = crate::common::gpu::open("double", open) else { return };
    assert_eq!(gpu.info().precision, "double");
    for (n, count) in [(96, 70), (1021, 50), (4096, 40), (16384, 9)] {
        for input in [Input::Events, Input::Flux] {
            let spec = spec(n, input, None);
            let all = segments(&spec, count, n as u64);
            let batches: Vec<SegmentBatch> = match input {
                Input::Events => splits(&all, 128, 1).collect(),
                Input::Flux => {
                    let mut random = Random::new(n as u64);
                    let rows =
                        batch(&all, 0..1, 0, 1).rows.iter().map(|r| SeriesSegment { begin: 0, end: 0, ..*r }).collect();
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
                batch.rows.push(SeriesSegment {
                    index: index as u64,
                    start: DoubleDouble::ZERO,
                    begin: 0,
                    end: 0,
                    events: 0,
                    flux_mean: random.uniform(),
                    variance: 0.1,
                    weights: Default::default(),
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

/// Roots rounded to f32 take up to 2^-24 from the amplitude of a line, all in one direction; it is given back.
#[test]
fn lines_keep_their_amplitude_on_the_average() {
    const LINES: usize = 300;
    let mut cpu = CpuBackend::new(None).unwrap();
    for mut gpu in backends("lines") {
        for n in [8192, 2048, 10_000, 16_382] {
            let spec = spec(n, Input::Flux, None);
            let mut random = Random::new(n as u64);
            let mut batch = SegmentBatch { first: true, last: true, ..SegmentBatch::default() };
            // Each segment has a line of its own.
            let line = |i: usize| 1 + i * (spec.frequencies() - 1) / LINES;
            for i in 0..LINES {
                let (begin, end, events, flux_mean, variance, scale) = (0, 0, 0, 0.0, 0.0, 0);
                batch.rows.push(SeriesSegment {
                    index: i as u64,
                    start: DoubleDouble::ZERO,
                    begin,
                    end,
                    events,
                    flux_mean,
                    variance,
                    weights: Default::default(),
                    scale,
                });
                let (phase, turns) = (random.uniform(), line(i) as f64 / n as f64);
                batch.flux.extend((0..n).map(|j| (std::f64::consts::TAU * (turns * j as f64 + phase)).cos()));
            }
            let plan = cpu.prepare(&spec).unwrap();
            let expected = sum(&mut cpu, plan, [batch.clone()].into_iter());
            let plan = gpu.prepare(&spec).unwrap();
            let got = sum(&mut gpu, plan, [batch].into_iter());
            let error = |i: usize| got.power[line(i) - 1] / expected.power[line(i) - 1] - 1.0;
            let mean = (0..LINES).map(error).sum::<f64>() / LINES as f64 / 2.0 * 2f64.powi(24);
            assert!(mean.abs() < 0.2, "n = {n}: amplitudes err by {mean}·2^-24 in the mean");
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

/// 40 channels of 2^20 bins, 160 MiB, fit a buffer but not a binding of one: an error that says so, and with a spare the CPU's work.
#[test]
fn cross_spectra_that_the_device_has_no_memory_for_are_an_error() {
    let quantity = Quantity::Cross { series: 40, inside: 0, weight_exponent: None };
    let spec = PlanSpec { quantity, ..spec(1 << 20, Input::Events, None) };
    for mut gpu in backends("memory").into_iter().filter(|gpu| gpu.info().tier == "portable") {
        let refused = gpu.prepare(&spec);
        assert!(matches!(&refused, Err(BackendError::OutOfMemory(why)) if why.starts_with("samples: ")), "{refused:?}");
        assert!(gpu.prepare(&PlanSpec { n: 1 << 10, ..spec.clone() }).is_ok(), "shorter ones are taken");
        let mut auto = MultiBackend::new(vec![Box::new(gpu)]).unwrap().with_spare(None);
        auto.prepare(&spec).unwrap();
        assert_eq!(auto.info().backend, "cpu");
        let warnings = auto.take_warnings();
        assert!(warnings.iter().any(|w| w.code == "W-BACKEND-FALLBACK" && w.message.contains("out of device memory")));
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

//! What backends promise beside numbers: refusals, plans that share a device and do not outlive their use, and what a product
//! says of a device that could not do it, or not well.

#![cfg(feature = "gpu")]

use std::sync::Arc;

use crate::common::batches::*;
use crate::common::front::{on, streamed};
use eagleray::error::BackendError;
use eagleray::internal::backend::PlanId;
use eagleray::internal::backend::multi::MultiBackend;
use eagleray::internal::kernels::Input;
use eagleray::internal::random::Random;
use eagleray::internal::segment::{PlanSpec, SegmentBatch, SeriesSegment};
use eagleray::internal::sums::PartialSums;
use eagleray::{FluxSegment, FluxValues, Gti, Observation, PowerSpectrum, Session};

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
        let rows = good().rows.iter().map(|row| SeriesSegment { begin: 0, end: 0, ..*row }).collect();
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
    for session in all_backends("failure").into_iter().map(Session::with) {
        // More than a batch.
        let good: Vec<FluxSegment> = (0..70_000).map(|i| vec![1.0, 2.0, f64::from(i % 7), 4.0].into()).collect();
        let run = |last: Vec<f64>| {
            let segments = good.iter().cloned().chain([last.into()]);
            streamed(&session, &PowerSpectrum::default().dt(0.5), FluxValues::Counts, segments)
        };
        assert!(run(vec![1.0]).is_err(), "a short segment");
        assert_eq!(run(vec![1.0; 4]).unwrap().meta.segments, 70_001);
    }
}

/// A device that is asked for a length it cannot do leaves that plan to the CPU, says so, and does the next plan itself.
#[test]
fn auto_leaves_to_the_cpu_what_the_gpu_cannot_do() {
    let mut random = Random::new(11);
    let times: Vec<f64> = (0..20_000).map(|_| 40.0 * random.uniform()).collect();
    let [all, none] = [times, vec![50.0]].map(|t| Observation::times(t, Gti::from_seconds(&[(0.0, 40.0)]).unwrap()));
    let analysis = |size: f64, n: usize| PowerSpectrum::default().dt(size / n as f64).segment_size(size);
    let spectrum = |session: &Session, size, n| session.run(&analysis(size, n), &all).unwrap();
    let too_long = (1 << 23) + 1;
    for gpu in backends("auto") {
        let auto = on(MultiBackend::new(vec![Box::new(gpu)]).unwrap().with_spare(None));
        // A failed run in between must not matter.
        let empty = auto.run(&analysis(1.0, 1000), &none);
        assert!(matches!(empty, Err(eagleray::Error::NoEvents { .. })));
        let by_auto = spectrum(&auto, 40.0, too_long);
        let by_cpu = spectrum(&Session::cpu().unwrap(), 40.0, too_long);
        assert_eq!((by_auto.meta.n, by_auto.meta.record.device.backend.as_str()), (too_long, "cpu"));
        let codes: Vec<&str> = by_auto.meta.record.warnings.iter().map(|w| &*w.code).collect();
        assert!(codes.contains(&"W-BACKEND-FALLBACK"), "{codes:?}");
        assert_eq!(by_auto.power, by_cpu.power);
        assert_eq!(by_auto.meta.record.photons, by_cpu.meta.record.photons);
        let next = spectrum(&auto, 1.024, 1024);
        assert_eq!((next.meta.n, next.meta.record.device.backend.as_str()), (1024, "gpu"));
        assert!(next.meta.record.warnings.iter().all(|w| w.code != "W-BACKEND-FALLBACK"));
    }
}

/// A ramp's spectrum falls until f32 rounds it away: the product says so. White noise gives no such warning.
#[test]
fn a_spectrum_too_steep_for_single_precision_is_warned_of() {
    for gpu in backends("steep").into_iter().map(on) {
        let mut random = Random::new(5);
        let ramp: Vec<f64> = (0..1 << 16).map(f64::from).collect();
        let noise: Vec<f64> = ramp.iter().map(|_| random.uniform()).collect();
        for (values, expected) in [(ramp, true), (noise, false)] {
            let segments = (0..64).map(|_| FluxSegment::from(values.clone()));
            let s = streamed(&gpu, &PowerSpectrum::default().dt(1.0), FluxValues::Counts, segments).unwrap();
            assert_eq!(s.meta.record.warnings.iter().any(|w| w.code == "W-PRECISION"), expected);
        }
    }
}

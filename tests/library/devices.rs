//! Devices that fail, and several at once: the same sums whatever happens, and a record of it.

use std::collections::VecDeque;
use std::sync::Arc;
use std::sync::atomic::Ordering;

use crate::common::faulty::{Call, Faulty};
use crate::common::fits_file::{Column, Folder, events, file, gti};
use crate::common::front::{on, streamed};
use eagleray::error::BackendError;
use eagleray::internal::backend::Backend;
use eagleray::internal::backend::cpu::CpuBackend;
use eagleray::internal::backend::multi::MultiBackend;
use eagleray::internal::kernels::Input;
use eagleray::internal::random::Random;
use eagleray::internal::segment::{PlanSpec, Quantity, SegmentBatch, SeriesSegment};
use eagleray::internal::sums::{PartialSums, Sums};
use eagleray::science::AveragedPowerSpectrum;
use eagleray::time::DoubleDouble;
use eagleray::{Combine, Error, FluxSegment, FluxValues, Gti, Observation, PowerSpectrum, Session};

/// 4 segments a run.
const N: usize = 16384;
const SEGMENTS: usize = 40;

fn cpu() -> CpuBackend {
    CpuBackend::new(None).unwrap()
}

/// What can befall a device.
fn faults() -> [BackendError; 4] {
    [
        BackendError::DeviceLost("no answer within 60s".into()),
        BackendError::OutOfMemory("times: 16 MiB".into()),
        BackendError::Device("the pipeline was refused".into()),
        BackendError::UnsupportedLength { n: N, largest: 1024 },
    ]
}

/// A device with batches so small that groups have several and a run has several groups.
fn device(name: &str, fault: Option<(Call, usize, BackendError)>) -> Faulty {
    Faulty::new(cpu(), name, fault).limited(8, 3000)
}

/// The kinds of runs.
#[derive(Clone, Copy, Debug)]
enum Run {
    /// Groups of several batches.
    Events,
    /// Two files of which one batch at least each.
    Merged,
    Flux,
}

impl Run {
    const ALL: [Run; 3] = [Run::Events, Run::Merged, Run::Flux];

    /// On a session that reads 700 rows at a time.
    fn of(self, n: usize, segments: usize, session: &Session) -> Result<AveragedPowerSpectrum, Error> {
        let mut random = Random::new(7);
        let segment_size = n as f64 / 4096.0;
        let analysis = PowerSpectrum::default().dt(1.0 / 4096.0).segment_size(segment_size);
        if matches!(self, Run::Flux) {
            let segments: Vec<FluxSegment> =
                (0..segments).map(|_| (0..n).map(|_| 3.0 + random.normal()).collect::<Vec<f64>>().into()).collect();
            return streamed(session, &analysis, FluxValues::Counts, segments);
        }
        let length = segment_size * segments as f64;
        let mut times = |count: usize| {
            let mut times: Vec<f64> = (0..count).map(|_| length * random.uniform()).collect();
            times.sort_by(f64::total_cmp);
            times
        };
        let (many, few) = (times(300 * length as usize), times(100 * length as usize));
        if matches!(self, Run::Events) {
            let observation = Observation::times(many, Gti::from_seconds(&[(0.0, length)]).unwrap());
            return session.run(&analysis, &observation);
        }
        let folder = Folder::new();
        let paths = [("many", many), ("few", few)].map(|(name, times)| {
            folder.write(name, &file(&[events(vec![Column::f64("TIME", &times)]), gti(&[(0.0, length)])]))
        });
        session.run(&analysis, &Observation::open(paths)?.combine(Combine::Merge))
    }

    /// On a backend.
    fn on(self, n: usize, segments: usize, backend: impl Backend + 'static) -> Result<AveragedPowerSpectrum, Error> {
        self.of(n, segments, &session(backend))
    }
}

/// A session that reads 700 rows at a time.
fn session(backend: impl Backend + 'static) -> Session {
    on(backend).chunk_events(700)
}

fn fallbacks(spectrum: &AveragedPowerSpectrum) -> Vec<String> {
    spectrum.meta.record.warnings.iter().filter(|w| w.code == "W-BACKEND-FALLBACK").map(|w| w.message.clone()).collect()
}

/// Bits, segments and photons are those of one device that did not fail.
fn assert_same(got: &AveragedPowerSpectrum, expected: &AveragedPowerSpectrum, what: &str) {
    assert_eq!(got.meta.segments, expected.meta.segments, "{what}");
    assert_eq!(got.meta.record.photons, expected.meta.record.photons, "{what}");
    assert!(got.meta.record.photons.is_exact(), "{what}");
    assert_eq!(got.unnorm_power, expected.unnorm_power, "{what}");
}

/// Whatever fails, and whenever: the CPU finishes the same sums, and the product says so.
#[test]
fn the_spare_finishes_what_a_device_left() {
    for run in Run::ALL {
        let expected = run.on(N, SEGMENTS, cpu()).unwrap();
        let mut whole = device("whole", None);
        let counter = std::mem::take(&mut whole.submitted);
        whole.submitted = counter.clone();
        assert_same(&run.on(N, SEGMENTS, whole).unwrap(), &expected, "no fault");
        let batches = counter.load(Ordering::Relaxed);
        assert!(batches >= if matches!(run, Run::Flux) { 5 } else { 15 }, "{run:?}: {batches} batches");
        for error in faults() {
            for (call, count) in [(Call::Prepare, 1), (Call::Submit, batches), (Call::Collect, batches)] {
                for i in 0..count {
                    let what = format!("{run:?}: {call:?} {i}: {error}");
                    let faulty = device("faulty 9000", Some((call, i, error.clone())));
                    let auto = MultiBackend::new(vec![Box::new(faulty)]).unwrap().with_spare(None);
                    let got = run.on(N, SEGMENTS, auto).unwrap();
                    assert_same(&got, &expected, &what);
                    let said = fallbacks(&got);
                    assert_eq!(said.len(), 1, "{what}: {said:?}");
                    assert!(
                        said[0].starts_with(&format!("faulty 9000: {}; the CPU did its work", error.reason())),
                        "{said:?}"
                    );
                    let early =
                        call == Call::Prepare || (call == Call::Submit && i == 0) || (call == Call::Collect && i == 0);
                    if early {
                        assert_eq!(got.meta.record.device.backend, "cpu", "{what}");
                        assert!(call == Call::Prepare || said[0].ends_with("from segment 0 on"), "{said:?}");
                    }
                    if call != Call::Prepare && i + 1 == count {
                        assert_eq!(got.meta.record.device.backend, "gpu + cpu", "{what}");
                        assert_eq!(got.meta.record.device.adapter, format!("faulty 9000 + {}", std::env::consts::ARCH));
                        // With flux, the last batch but one was on its way, too.
                        let from = if call == Call::Submit && matches!(run, Run::Flux) { 24 } else { 32 };
                        assert!(said[0].ends_with(&format!("from segment {from} on")), "{said:?}");
                    }
                }
            }
        }
    }
}

/// The next run tries the device again; where it is lost, that is said again.
#[test]
fn a_device_is_tried_again_with_the_next_plan() {
    for (error, again) in faults().into_iter().zip([true, false, false, false]) {
        let faulty = device("faulty", Some((Call::Submit, 3, error)));
        let auto = session(MultiBackend::new(vec![Box::new(faulty)]).unwrap().with_spare(None));
        let first = Run::Events.of(N, SEGMENTS, &auto).unwrap();
        let second = Run::Events.of(N, SEGMENTS, &auto).unwrap();
        assert_eq!(first.unnorm_power, second.unnorm_power);
        assert_eq!((fallbacks(&first).len(), fallbacks(&second).len()), (1, usize::from(again)));
        assert_eq!(second.meta.record.device.backend, if again { "cpu" } else { "gpu" });
    }
}

/// A device that was asked for by name fails with its own error, alone or the last of several.
#[test]
fn without_a_spare_the_failure_is_an_error() {
    for error in faults() {
        for call in [Call::Prepare, Call::Submit, Call::Collect] {
            for i in 0..if call == Call::Prepare { 1 } else { 6 } {
                let faulty = || device("faulty", Some((call, i, error.clone())));
                let failed = Run::Events.on(N, SEGMENTS, faulty());
                assert!(matches!(&failed, Err(Error::Backend(e)) if *e == error), "{call:?} {i}: {error}");
                let both = MultiBackend::new(vec![Box::new(faulty()), Box::new(faulty())]).unwrap();
                let failed = Run::Events.on(N, SEGMENTS, both);
                assert!(matches!(&failed, Err(Error::Backend(e)) if *e == error), "{call:?} {i}: {error}");
            }
        }
    }
    assert!(matches!(MultiBackend::new(vec![]), Err(BackendError::NoAdapter { .. })));
}

/// The spare takes smaller batches than the device that it replaces: it cuts them at runs.
#[test]
fn batches_too_large_for_the_spare_are_cut() {
    let (n, segments) = (16, 10_000);
    for run in Run::ALL {
        let expected = run.on(n, segments, cpu()).unwrap();
        for events in [2000, 1 << 20] {
            let faulty = Faulty::new(cpu(), "large", Some((Call::Submit, 0, faults()[1].clone())));
            let faulty = faulty.limited(9024, events);
            let auto = MultiBackend::new(vec![Box::new(faulty)]).unwrap().with_spare(None);
            let got = run.on(n, segments, auto).unwrap();
            assert_same(&got, &expected, &format!("{run:?}, {events} events"));
            assert_eq!(fallbacks(&got).len(), 1);
        }
    }
}

/// Memory is bounded: a group of more events than are kept cannot be done again, and nothing is made up.
#[test]
fn a_group_that_was_not_kept_is_an_error() {
    let lost = faults()[0].clone();
    for i in 0..15 {
        let faulty = device("faulty", Some((Call::Submit, i, lost.clone())));
        let auto = MultiBackend::new(vec![Box::new(faulty)]).unwrap().with_spare(None).keeping(5000);
        let got = Run::Events.on(N, SEGMENTS, auto);
        // A group has 4 batches, of which the second is too much; the last one's sums are collected after two more batches.
        match i {
            0 | 1 | 5 | 9 | 13 => assert_eq!(got.unwrap().meta.segments, SEGMENTS as u64, "{i}"),
            _ => {
                assert!(matches!(&got, Err(Error::Backend(e)) if *e == lost), "{i}: {:?}", got.map(|s| s.meta.segments))
            }
        }
    }
    let none = MultiBackend::new(vec![Box::new(device("whole", None))]).unwrap().with_spare(None).keeping(5000);
    assert_eq!(Run::Events.on(N, SEGMENTS, none).unwrap().meta.segments, SEGMENTS as u64);
}

/// Two devices, one of which fails at any time: the other does all that is left.
#[test]
fn another_device_takes_over() {
    for run in Run::ALL {
        let expected = run.on(N, SEGMENTS, cpu()).unwrap();
        for error in faults() {
            // Two of the batches are for measuring.
            for (call, count) in [(Call::Prepare, 1), (Call::Submit, 16), (Call::Collect, 16)] {
                for i in 0..count {
                    let what = format!("{run:?}: {call:?} {i}: {error}");
                    let faulty = device("first", Some((call, i, error.clone())));
                    let both = MultiBackend::new(vec![Box::new(faulty), Box::new(device("second", None))]).unwrap();
                    let got = run.on(N, SEGMENTS, both).unwrap();
                    assert_same(&got, &expected, &what);
                    assert_eq!(got.meta.record.device.backend, "gpu", "{what}");
                    let said = fallbacks(&got);
                    assert!(
                        said.iter().all(|m| m.starts_with("first: ") && m.contains("second did its work")),
                        "{said:?}"
                    );
                    // The faulty one may have had so little to do that it did not come to fail.
                    assert!(said.len() == 1 || (said.is_empty() && i >= 2), "{what}: {said:?}");
                    assert!(
                        ["second", "first", "first + second"].contains(&&*got.meta.record.device.adapter),
                        "{}",
                        got.meta.record.device.adapter
                    );
                }
            }
        }
    }
}

/// A group that another device has to do again comes while that one has half of a later group: this begins again after it.
#[test]
fn a_group_done_again_interrupts_an_open_one() {
    let spec = PlanSpec {
        n: N,
        segment_size: 4.0,
        quantity: Quantity::Power { weight_exponent: None },
        input: Input::Events,
        min_events: 0,
        max_segments: 1000,
    };
    let mut random = Random::new(3);
    let mut batch = |rows: std::ops::Range<u64>, events: usize, first, last, before: u64| {
        let mut batch = SegmentBatch { first, last, ..SegmentBatch::default() };
        for index in rows {
            let (start, begin) = (DoubleDouble::product(4.0, index as f64), batch.times.len());
            batch.times.extend((0..events).map(|_| start.hi + 4.0 * random.uniform()));
            let (end, events) = (batch.times.len(), before + events as u64);
            batch.rows.push(SeriesSegment { start, begin, end, events, ..SeriesSegment::empty(index) });
        }
        Arc::new(batch)
    };
    let batches = [
        batch(0..256, 10, true, true, 0),
        batch(256..260, 100, true, false, 0),
        batch(256..260, 200, false, false, 100),
        batch(256..260, 300, false, true, 300),
    ];
    let sum = |backend: &mut dyn Backend| {
        let plan = backend.prepare(&spec).unwrap();
        let mut submit = |i: usize| backend.submit(plan, batches[i].clone()).unwrap();
        let mut tickets = VecDeque::from([submit(0), submit(1), submit(2)]);
        let mut total = backend.collect(tickets.pop_front().unwrap()).unwrap();
        tickets.push_back(backend.submit(plan, batches[3].clone()).unwrap());
        tickets.into_iter().for_each(|ticket| total.merge(backend.collect(ticket).unwrap()));
        total.finish()
    };
    // The large group is for the faster one, which has then so much to do that the small one is for the other. Measuring takes two
    // batches; the first that counts fails.
    let fast = Faulty::new(cpu(), "fast", Some((Call::Collect, 2, faults()[0].clone()))).limited(256, 1 << 20);
    let slow = Faulty::new(cpu(), "slow", None).limited(256, 1 << 20).slowed(100);
    let counter = slow.submitted.clone();
    let mut both = MultiBackend::new(vec![Box::new(fast.slowed(50)), Box::new(slow)]).unwrap();
    assert_eq!(sum(&mut both), sum(&mut cpu()));
    assert_eq!(both.take_warnings().iter().count(), 1);
    assert_eq!(counter.load(Ordering::Relaxed), 2 + 2 + 1 + 2 + 1);
}

/// Segments of a reference, a subject inside it and another one, in groups of `group` segments that come in two parts.
fn cross_batches(spec: &PlanSpec, segments: u64, group: u64, events: usize) -> Vec<Arc<SegmentBatch>> {
    let mut batches = Vec::new();
    for first in (0..segments).step_by(group as usize) {
        for part in 0..2 {
            let mut batch = SegmentBatch { first: part == 0, last: part == 1, ..SegmentBatch::default() };
            for (index, channel) in (first..(first + group).min(segments)).flat_map(|i| [(i, 0), (i, 1), (i, 2)]) {
                let mut random = Random::new(6 * index + 2 * channel + part);
                let (start, begin) = (DoubleDouble::product(spec.segment_size, index as f64), batch.times.len());
                batch.times.extend((0..events).map(|_| start.hi + spec.segment_size * random.uniform()));
                let (end, events) = (batch.times.len(), (part + 1) * events as u64);
                batch.rows.push(SeriesSegment { start, begin, end, events, ..SeriesSegment::empty(index) });
            }
            batches.push(Arc::new(batch));
        }
    }
    batches
}

/// The sums of all batches, with as many in flight as the backend takes.
fn sums_of(backend: &mut dyn Backend, spec: &PlanSpec, batches: &[Arc<SegmentBatch>]) -> Sums {
    let plan = backend.prepare(spec).unwrap();
    let (mut total, mut tickets) = (PartialSums::new(), VecDeque::new());
    for batch in batches {
        if tickets.len() == backend.depth() {
            total.merge(backend.collect(tickets.pop_front().unwrap()).unwrap());
        }
        tickets.push_back(backend.submit(plan, batch.clone()).unwrap());
    }
    tickets.into_iter().for_each(|ticket| total.merge(backend.collect(ticket).unwrap()));
    total.finish()
}

/// Cross spectra, whose segments have several rows: whatever fails, and whenever, the spare or another device gives the same bits,
/// also where it has to cut the batches.
#[test]
fn cross_spectra_survive_their_devices() {
    let quantity = Quantity::Cross { series: 3, inside: 1, weight_exponent: Some(1) };
    let spec = PlanSpec { n: N, segment_size: 4.0, quantity, input: Input::Events, min_events: 0, max_segments: 1000 };
    let batches = cross_batches(&spec, 22, 8, 50);
    let expected = sums_of(&mut cpu(), &spec, &batches);
    assert_eq!((expected.segments, expected.series.len()), (22, 3));
    let device = |name: &str, fault| Faulty::new(cpu(), name, fault).limited(8, 3000);
    for error in faults() {
        for (call, count) in [(Call::Prepare, 1), (Call::Submit, batches.len()), (Call::Collect, batches.len())] {
            for i in 0..count {
                let what = format!("{call:?} {i}: {error}");
                let fault = || Some((call, i, error.clone()));
                let mut auto = MultiBackend::new(vec![Box::new(device("faulty", fault()))]).unwrap().with_spare(None);
                assert_eq!(sums_of(&mut auto, &spec, &batches), expected, "{what}");
                assert_eq!(auto.take_warnings().iter().filter(|w| w.code == "W-BACKEND-FALLBACK").count(), 1, "{what}");
                let devices: Vec<Box<dyn Backend>> =
                    vec![Box::new(device("faulty", fault())), Box::new(device("second", None))];
                let mut both = MultiBackend::new(devices).unwrap();
                assert_eq!(sums_of(&mut both, &spec, &batches), expected, "{what}");
            }
        }
    }
    // More segments than the spare takes at once.
    let spec = PlanSpec { n: 16, max_segments: 10_000, ..spec };
    let large = Faulty::new(cpu(), "large", Some((Call::Submit, 0, faults()[1].clone()))).limited(9024, 1 << 20);
    let mut auto = MultiBackend::new(vec![Box::new(large)]).unwrap().with_spare(None);
    let got = sums_of(&mut auto, &spec, &cross_batches(&spec, 9100, 9024, 2));
    assert_eq!(got, sums_of(&mut cpu(), &spec, &cross_batches(&spec, 9100, 64, 2)));
    assert_eq!((got.segments, got.photons()), (9100, 4 * 9100));
}

/// Groups go to whoever would be done first.
#[test]
fn a_slow_device_gets_little() {
    let slow = device("slow", None).slowed(100);
    let fast = device("fast", None);
    let counters = [slow.submitted.clone(), fast.submitted.clone()];
    let both = MultiBackend::new(vec![Box::new(slow), Box::new(fast)]).unwrap();
    assert_eq!(both.info().adapter, "slow + fast");
    let got = Run::Flux.on(N, 8 * SEGMENTS, both).unwrap();
    assert_same(&got, &Run::Flux.on(N, 8 * SEGMENTS, cpu()).unwrap(), "flux");
    // Both were measured with two batches.
    let [slow, fast] = counters.map(|counter| counter.load(Ordering::Relaxed) - 2);
    assert_eq!(slow + fast, SEGMENTS);
    assert!(slow <= 2 && fast > 0, "{slow} batches on the slow device, {fast} on the fast one");
    assert_eq!(got.meta.record.device.adapter, if slow > 0 { "slow + fast" } else { "fast" });
}

/// Two equal devices share the work.
#[test]
fn equal_devices_get_like_shares() {
    let devices = ["first", "second"].map(|name| device(name, None).slowed(20));
    let counters = devices.each_ref().map(|device| device.submitted.clone());
    let both =
        MultiBackend::new(devices.into_iter().map(|device| Box::new(device) as Box<dyn Backend>).collect()).unwrap();
    let got = Run::Flux.on(N, 4 * SEGMENTS, both).unwrap();
    assert_eq!(
        (got.meta.record.device.adapter.as_str(), got.meta.record.device.backend.as_str()),
        ("first + second", "gpu")
    );
    let shares = counters.map(|counter| counter.load(Ordering::Relaxed) - 2);
    assert!(shares.iter().all(|share| *share >= 4), "{shares:?}");
}

#[cfg(feature = "gpu")]
mod gpu {
    use super::*;
    use eagleray::device::{GpuTier, Precision};
    use eagleray::internal::backend::gpu::GpuBackend;

    /// The best adapter, once again with each call.
    fn open(test: &str) -> Option<Faulty> {
        let gpu = crate::common::gpu::open(test, |best| GpuBackend::open(best, GpuTier::Auto, Precision::Single))?;
        let name = gpu.info().adapter.clone();
        Some(Faulty::new(gpu, &name, None).limited(8, 3000))
    }

    #[test]
    fn one_adapter_twice_gives_the_bits_of_one() {
        for run in Run::ALL {
            let (Some(one), Some(a), Some(b)) = (open("twice"), open("twice"), open("twice")) else { return };
            let expected = run.on(N, SEGMENTS, one).unwrap();
            let counters = [a.submitted.clone(), b.submitted.clone()];
            let both = MultiBackend::new(vec![Box::new(a), Box::new(b)]).unwrap();
            let got = run.on(N, SEGMENTS, both).unwrap();
            assert_same(&got, &expected, &format!("{run:?}"));
            assert_eq!(
                (got.meta.record.device.backend.as_str(), got.meta.record.device.precision.as_str()),
                ("gpu", "single")
            );
            let shares = counters.map(|counter| counter.load(Ordering::Relaxed) - 2);
            eprintln!("{run:?}: {shares:?} batches on {}", got.meta.record.device.adapter);
            let shared = shares.iter().all(|share| *share > 0);
            assert_eq!(got.meta.record.device.adapter.contains(" + "), shared, "{shares:?}");
        }
    }

    #[test]
    fn a_gpu_and_the_cpu_add_up() {
        for run in Run::ALL {
            let expected = run.on(N, SEGMENTS, cpu()).unwrap();
            for slow in [0, 1] {
                let Some(gpu) = open("mixed") else { return };
                // Made slow in turn, so that each has most of the work once.
                let (gpu, cpu) = match slow {
                    0 => (gpu.slowed(50), Faulty::new(cpu(), "processor", None).limited(8, 3000)),
                    _ => (gpu, Faulty::new(cpu(), "processor", None).limited(8, 3000).slowed(400)),
                };
                let both = MultiBackend::new(vec![Box::new(gpu), Box::new(cpu)]).unwrap();
                assert_eq!((both.info().precision, both.info().adapter.ends_with(" + processor")), ("single", true));
                let got = run.on(N, SEGMENTS, both).unwrap();
                assert_eq!(got.meta.segments, expected.meta.segments);
                assert_eq!(got.meta.record.photons, expected.meta.record.photons);
                let mean = expected.unnorm_power.iter().sum::<f64>() / expected.unnorm_power.len() as f64;
                let largest = expected.unnorm_power.iter().copied().fold(0.0, f64::max);
                let amplitude = 1e-6 * mean.sqrt() + 2e-7 * largest.sqrt();
                for (g, e) in got.unnorm_power.iter().zip(&expected.unnorm_power) {
                    let bound = 2.0 * e.sqrt() * amplitude + amplitude * amplitude + 82.0 * 2f64.powi(-24) * e;
                    assert!((g - e).abs() <= bound, "{run:?}: {g} instead of {e}, bound {bound}");
                }
            }
        }
    }
}

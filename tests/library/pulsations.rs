//! Searches and folds through the library: a drifting fast pulsar found, the same profiles on every device, false alarms as often
//! as said.

use std::sync::Arc;

use crate::common::pulses::{cpu, events, pulsar};
use eagleray::device::Backend;
use eagleray::error::BackendError;
use eagleray::internal::Progress;
use eagleray::internal::backend::{BatchLimits, Capabilities, DeviceInfo, LaunchLimits, PlanId, Ticket};
use eagleray::internal::engine::pulsation::fold::{self, phaseogram};
use eagleray::internal::engine::pulsation::{PulseEvents, search};
use eagleray::internal::kernels::{Job, Limits};
use eagleray::internal::random::Random;
use eagleray::internal::segment::{PlanSpec, SegmentBatch};
use eagleray::internal::sums::PartialSums;
use eagleray::pulsation::{Algorithm, Ephemeris, FoldOptions, PulseProfileMetadata, SearchOptions, SearchStatistic};
use eagleray::time::DoubleDouble;
use eagleray::{DeviceChoice, Warnings};

fn options(lo: f64, hi: f64) -> SearchOptions {
    SearchOptions { freq: (lo, hi), ..SearchOptions::default() }
}

#[test]
fn a_fast_pulsar_that_drifts_is_found_in_a_million_events() {
    let truth = [700.0123, -3.1e-8];
    let times = pulsar(&mut Random::new(4), 100.0, 1e4, 0.05, truth);
    assert!(times.len() > 980_000);
    let events = events(&times, &[(0.0, 1e4)]);
    assert_eq!(events.ticks.reference(), DoubleDouble::from(5000.0));
    let asked = SearchOptions { fdot: Some((-6e-8, 6e-8)), nharm: 1, ..options(700.0, 700.02) };
    let told = Progress::default();
    let found = search(events.clone(), &asked, cpu().as_mut(), &told).unwrap();
    assert_eq!(told.state(), (found.meta.trials, found.meta.trials));
    let best = &found.candidates[0];
    // N·a²/2 = 1250, and no other peak: what the drift smears out belongs to the same source.
    assert!((best.stat - 1250.0).abs() < 150.0 && best.log10_p < -200.0, "{best:?}");
    assert!((best.freq - truth[0]).abs() < 4.0 * best.freq_err && best.freq_err < 2e-6, "{best:?}");
    // Of events spread evenly over T the error of the derivative is √60/T times that of the frequency.
    assert!((best.fdot - truth[1]).abs() < 4.0 * 60f64.sqrt() / 1e4 * best.freq_err, "{best:?}");
    assert!((best.rms - 0.05 / 2f64.sqrt()).abs() < 0.003, "{best:?}");
    assert!(best.stat >= best.grid_stat * (1.0 - 1e-6));
    // Without the derivative most of it is lost; the grid's best row is the drift's.
    let still =
        search(events.clone(), &SearchOptions { fdot: None, ..asked }, cpu().as_mut(), &Progress::default()).unwrap();
    assert!(still.candidates[0].stat < 0.7 * best.stat, "{:?}", still.candidates[0]);
    assert_eq!((found.map.len(), found.rows.len()), (found.rows.len(), found.map.len()));
    // Folded at what was found.
    let ephemeris = Ephemeris::new(events.ticks.reference(), best.freq, best.fdot, 0.0);
    let asked = FoldOptions { ephemeris, nbin: 20, nharm: 1, background: 0.0 };
    let profile = fold::fold(&events, &asked, cpu().as_mut(), &Progress::default()).unwrap();
    assert_eq!(profile.counts.iter().sum::<u64>(), times.len() as u64);
    assert!((profile.meta.z2 / best.stat - 1.0).abs() < 1e-9);
    let f = profile.meta.pulsed_fraction.fourier;
    assert!((f.value - 0.05 / 2f64.sqrt()).abs() < 4.0 * f.error && f.error < 0.002, "{f:?}");
    let gram = phaseogram(&events, &asked, 10, &Progress::default()).unwrap();
    // Straight in time: the largest rate of each stretch is in the same part of phase as in all.
    let highest = |rates: &[f64]| (0..20).max_by(|&a, &b| rates[a].total_cmp(&rates[b])).unwrap() as i64;
    let whole = highest(&profile.rate);
    assert!(
        gram.rate.iter().all(|row| [0, 1, 2, 3, 4, 16, 17, 18, 19].contains(&(highest(row) - whole).rem_euclid(20)))
    );
}

#[test]
fn trials_by_profiles_and_by_harmonic_sums_agree() {
    let times = pulsar(&mut Random::new(5), 50.0, 400.0, 0.3, [3.3, 0.0]);
    let events = events(&times, &[(0.0, 150.0), (180.0, 400.0)]);
    let asked = SearchOptions { nbin: 256, nharm: 3, ..options(3.0, 3.6) };
    let of = |algorithm| {
        let asked = SearchOptions { algorithm, ..asked.clone() };
        search(events.clone(), &asked, cpu().as_mut(), &Progress::default()).unwrap()
    };
    let (unbinned, binned) = (of(Algorithm::Fft), of(Algorithm::Fold));
    assert_eq!(unbinned.freq, binned.freq);
    for (a, b) in unbinned.stat.iter().zip(&binned.stat) {
        // 256 bins leave sinc²(3/256) of the power, and turn events by up to 0.04 radian of the third harmonic.
        assert!((a - b).abs() < 0.02 * a + 0.2 * a.sqrt() + 0.1, "{a} {b}");
    }
    let (a, b) = (&unbinned.candidates[0], &binned.candidates[0]);
    assert!((a.freq - b.freq).abs() < 1e-2 * a.freq_err && (a.stat - b.stat).abs() < 1e-4 * a.stat, "{a:?} {b:?}");
    assert!(a.grid_stat != b.grid_stat);
    for (method, nbin) in [(SearchStatistic::H, 64), (SearchStatistic::Ef, 24)] {
        let asked = SearchOptions { method, nbin, ..asked.clone() };
        let found = search(events.clone(), &asked, cpu().as_mut(), &Progress::default()).unwrap();
        assert!((found.candidates[0].freq - 3.3).abs() < 1e-3 && found.candidates[0].log10_p < -50.0, "{method:?}");
    }
}

/// Half of each 100 s observed: a constant source has the gaps' period in Z², but not against its exposure.
#[test]
fn gaps_are_no_pulsations() {
    use eagleray::data::phase::Spin;
    use eagleray::internal::engine::pulsation::harmonics;
    let gti: Vec<(f64, f64)> = (0..40).map(|i| (100.0 * f64::from(i), 100.0 * f64::from(i) + 50.0)).collect();
    let seen = |seed: u64, a: f64, f: f64| {
        let times = pulsar(&mut Random::new(seed), 5.0, 4000.0, a, [f, 0.0]);
        events(&times.into_iter().filter(|t| t % 100.0 < 50.0).collect::<Vec<f64>>(), &gti)
    };
    let run = |events: &_, asked: &SearchOptions| {
        search(PulseEvents::clone(events), asked, cpu().as_mut(), &Progress::default()).unwrap()
    };
    let asked = SearchOptions { nbin: 128, ..options(0.003, 0.043) };
    let methods = [
        (SearchStatistic::Z2, Algorithm::Fft),
        (SearchStatistic::Z2, Algorithm::Fold),
        (SearchStatistic::H, Algorithm::Fft),
    ];
    let folded = |events: &PulseEvents, freq: f64| {
        let ephemeris = Ephemeris::new(events.ticks.reference(), freq, 0.0, 0.0);
        let asked = FoldOptions { ephemeris, nbin: 50, nharm: 2, background: 0.0 };
        fold::fold(events, &asked, cpu().as_mut(), &Progress::default()).unwrap().meta
    };
    let noise = seen(21, 0.0, 0.01);
    let spin = Spin::from_frequency(0.01, &noise.ticks).unwrap();
    // 2N times the square of 2/π.
    let plain = harmonics::z2(&noise.times, None, &[], &spin, 1)[0] / noise.times.len() as f64;
    assert!((plain - 0.81).abs() < 0.02, "{plain}");
    // Both stand in the profile, and are the same, and only one, where the exposure does not matter.
    let sums = harmonics::harmonic_sums_at(&noise.times, None, &spin, 20, &Progress::default());
    let by_definition: Vec<f64> = (1..=20)
        .map(|m| sums.iter().take(m).map(|s| s.norm_sqr()).sum::<f64>() * 2.0 / noise.times.len() as f64)
        .collect();
    let (h, m) =
        (1..=20).map(|m| (by_definition[m - 1] - 4.0 * m as f64 + 4.0, m)).max_by(|a, b| a.0.total_cmp(&b.0)).unwrap();
    let meta = folded(&noise, 0.01);
    assert!((meta.z2_plain.unwrap() / by_definition[1] - 1.0).abs() < 1e-9, "{:?}", meta.z2_plain);
    assert!((meta.h_plain.unwrap() / h - 1.0).abs() < 1e-9 && meta.h_plain_harmonics == Some(m), "{:?}", meta.h_plain);
    assert!(meta.z2 < 0.01 * by_definition[1] && meta.h < 0.01 * h);
    let meta = folded(&noise, 900.0);
    assert_eq!((meta.z2_plain, meta.h_plain, meta.h_plain_harmonics), (None, None, None));
    // Above and below the gaps' frequency, too, where it is the second harmonic that is seen unevenly.
    for freq in [0.01, 0.005, 0.02, 0.03, 0.0101] {
        let meta = folded(&noise, freq);
        assert!(meta.z2_log10_p > -3.0 && meta.h_log10_p > -3.0, "{freq}: {} {}", meta.z2, meta.h);
    }
    for (method, algorithm) in methods {
        let asked = SearchOptions { method, algorithm, ..asked.clone() };
        let best = run(&noise, &asked).candidates[0].clone();
        assert!(best.log10_p > -2.0, "{method:?} {algorithm:?}: {best:?}");
        // What papers give is that of the fold where the statistic is largest, about the candidate's frequency.
        let folds = (-200..=200).map(|i| folded(&noise, best.freq + 5e-3 * f64::from(i) / 4000.0));
        let of = |meta: &PulseProfileMetadata| if method == SearchStatistic::H { meta.h } else { meta.z2 };
        let meta = folds.max_by(|a, b| of(a).total_cmp(&of(b))).unwrap();
        let plain = if method == SearchStatistic::H { meta.h_plain } else { meta.z2_plain }.unwrap();
        assert!((of(&meta) - best.stat).abs() < 0.01 * best.stat, "{} {best:?}", of(&meta));
        assert!((best.stat_plain.unwrap() - plain).abs() < 0.03 * plain.abs().max(10.0), "{plain}: {best:?}");
        // Pulsations survive: between the gaps' harmonics, and at the very period of the gaps. (Half the frequency has their
        // power, too, in its second harmonic.)
        for freq in [0.0137, 0.01] {
            let near = SearchOptions { freq: (0.008, 0.018), ..asked.clone() };
            let best = run(&seen(22, 0.3, freq), &near).candidates[0].clone();
            let off = (best.freq - freq).abs() * 4000.0;
            assert!(best.log10_p < -10.0 && off < 0.3, "{method:?} {algorithm:?}: {best:?}");
        }
    }
    let pulsed = seen(22, 0.3, 0.0137);
    let [unbinned, binned] = [Algorithm::Fft, Algorithm::Fold]
        .map(|algorithm| run(&pulsed, &SearchOptions { algorithm, freq: (0.008, 0.018), ..asked.clone() }));
    for ((a, b), f) in unbinned.stat.iter().zip(&binned.stat).zip(&unbinned.freq) {
        assert!((a - b).abs() < 0.02 * a + 0.2 * a.sqrt() + 0.1, "{f}: {a} {b}");
    }
    let profiles = SearchOptions { method: SearchStatistic::Ef, nbin: 16, ..asked.clone() };
    assert!(run(&pulsed, &profiles).candidates[0].stat_plain.is_none(), "the exposure is part of its definition");
    // The refined candidate is the fold there, but for the harmonic that is noise.
    let best = &unbinned.candidates[0];
    let meta = folded(&pulsed, best.freq);
    assert!(meta.z2 <= best.stat * (1.0 + 1e-9) && meta.z2 > best.stat - 4.0, "{best:?}");
    assert!(best.stat >= best.grid_stat * (1.0 - 1e-6) && best.signal_harmonics == 1, "{best:?}");
    let one = run(&pulsed, &SearchOptions { nharm: 1, freq: (0.008, 0.018), ..asked });
    let best = &one.candidates[0];
    let ephemeris = Ephemeris::new(pulsed.ticks.reference(), best.freq, 0.0, 0.0);
    let meta = fold::fold(
        &pulsed,
        &FoldOptions { ephemeris, nbin: 50, nharm: 1, background: 0.0 },
        cpu().as_mut(),
        &Progress::default(),
    );
    assert!((meta.unwrap().meta.z2 / best.stat - 1.0).abs() < 1e-9, "{best:?}");
}

/// A device that is lost at its first job.
struct Lost {
    inner: Box<dyn Backend>,
    spare: bool,
}

impl Backend for Lost {
    fn info(&self) -> &DeviceInfo {
        self.inner.info()
    }
    fn prepare(&mut self, spec: &PlanSpec) -> Result<PlanId, BackendError> {
        self.inner.prepare(spec)
    }
    fn release(&mut self, plan: PlanId) {
        self.inner.release(plan)
    }
    fn limits(&self, plan: PlanId) -> BatchLimits {
        self.inner.limits(plan)
    }
    fn submit(&mut self, plan: PlanId, batch: Arc<SegmentBatch>) -> Result<Ticket, BackendError> {
        self.inner.submit(plan, batch)
    }
    fn collect(&mut self, ticket: Ticket) -> Result<PartialSums, BackendError> {
        self.inner.collect(ticket)
    }
    fn depth(&self) -> usize {
        1
    }
    fn capabilities(&self) -> Capabilities {
        let launches = LaunchLimits { tunables: Limits::PORTABLE, largest_buffer: 1 << 27 };
        Capabilities { trial_profiles: Some(launches), replaceable: self.spare, ..Capabilities::BATCHES }
    }
    fn launch(&mut self, _: &Job) -> Result<Vec<Vec<u8>>, BackendError> {
        Err(BackendError::DeviceLost("gone".into()))
    }
}

#[test]
fn the_cpu_does_the_work_of_a_device_that_is_lost() {
    let times = pulsar(&mut Random::new(8), 20.0, 100.0, 0.5, [3.3, 0.0]);
    let events = events(&times, &[(0.0, 100.0)]);
    let folded = SearchOptions { algorithm: Algorithm::Fold, ..options(3.0, 3.6) };
    let run = |backend: &mut dyn Backend| search(events.clone(), &folded, backend, &Progress::default());
    let expected = search(events.clone(), &folded, cpu().as_mut(), &Progress::default()).unwrap();
    let found = run(&mut Lost { inner: cpu(), spare: true }).unwrap();
    assert!(found.stat == expected.stat && found.candidates == expected.candidates);
    assert_eq!(found.meta.record.device.backend, "cpu");
    let warned = found.meta.record.warnings.iter().find(|w| w.code == "W-BACKEND-FALLBACK").expect("a warning");
    assert!(warned.message.contains("gone; the CPU did the rest"), "{warned}");
    let error = run(&mut Lost { inner: cpu(), spare: false }).unwrap_err();
    assert!(error.to_string().contains("gone"), "{error}");
}

/// Counts, exposures and statistics, all bits, on the CPU and on the GPU in both profiles, also in several batches.
#[cfg(feature = "gpu")]
#[test]
fn profiles_are_the_same_on_every_device() {
    use eagleray::device::Precision;
    use eagleray::internal::backend::GpuTier;
    use eagleray::internal::backend::gpu::GpuBackend;
    let times = pulsar(&mut Random::new(6), 40.0, 500.0, 0.4, [31.7, 1e-5]);
    let events = events(&times, &[(0.0, 120.5), (130.0, 500.0)]);
    let asked = SearchOptions {
        fdot: Some((-2e-5, 2e-5)),
        fddot: Some((-1e-8, 1e-8)),
        algorithm: Algorithm::Fold,
        nbin: 33,
        ..options(31.66, 31.74)
    };
    let run = |backend: &mut dyn Backend, method| {
        let asked = SearchOptions { method, ..asked.clone() };
        let found = search(events.clone(), &asked, backend, &Progress::default()).unwrap();
        let best = found.candidates[0].clone();
        let ephemeris = Ephemeris::new(events.ticks.reference(), best.freq, best.fdot, best.fddot);
        let asked = FoldOptions { ephemeris, nbin: 33, nharm: 2, background: 1.0 };
        let profile = fold::fold(&events, &asked, backend, &Progress::default()).unwrap();
        (
            found.stat,
            found.fdot,
            found.fddot,
            found.candidates,
            profile.counts,
            profile.rate,
            profile.meta.record.device.backend,
        )
    };
    for method in [SearchStatistic::Z2, SearchStatistic::Ef] {
        let on_cpu = run(cpu().as_mut(), method);
        assert!(on_cpu.3[0].log10_p < -100.0 && (on_cpu.3[0].fdot - 1e-5).abs() < 2e-6, "{:?}", on_cpu.3[0]);
        for profile in [GpuTier::Portable, GpuTier::Native] {
            let open = |selector: &_| GpuBackend::open(selector, profile, Precision::Single);
            let Some(mut gpu) = crate::common::gpu::open("profiles", open) else { continue };
            let on_gpu = run(&mut gpu, method);
            assert_eq!(on_gpu.6, "gpu");
            assert!(
                (&on_gpu.0, &on_gpu.1, &on_gpu.2, &on_gpu.3, &on_gpu.4, &on_gpu.5)
                    == (&on_cpu.0, &on_cpu.1, &on_cpu.2, &on_cpu.3, &on_cpu.4, &on_cpu.5),
                "{method:?} {profile:?}"
            );
        }
    }
}

#[test]
fn threads_change_no_bit() {
    let times = pulsar(&mut Random::new(7), 700.0, 400.0, 0.02, [5.5, 0.0]);
    let events = events(&times, &[(0.0, 400.0)]);
    let run = |threads: usize, algorithm| {
        let choice = DeviceChoice::Cpu { threads: std::num::NonZeroUsize::new(threads) };
        let mut backend = eagleray::internal::backend::open(&choice, &mut Warnings::default()).unwrap();
        let asked = SearchOptions { algorithm, nbin: 16, fdot: Some((-1e-4, 1e-4)), ..options(5.4, 5.6) };
        let found = search(events.clone(), &asked, backend.as_mut(), &Progress::default()).unwrap();
        (found.stat, found.candidates)
    };
    for algorithm in [Algorithm::Fft, Algorithm::Fold] {
        assert!(run(1, algorithm) == run(3, algorithm), "{algorithm:?}");
    }
}

/// How often noise reaches the level, and how often pulsars do. `EAGLERAY_PULSE_TRIALS` sets the number of trials (default 100), of
/// which docs/results/pulsations.md records 2000.
#[test]
fn false_alarms_are_as_frequent_as_said() {
    let trials: usize = std::env::var("EAGLERAY_PULSE_TRIALS").ok().and_then(|n| n.parse().ok()).unwrap_or(100);
    let (rate, length, mut backend) = (1.0, 1000.0, cpu());
    let mut run = |random: &mut Random, method, nharm, gti: &[(f64, f64)], a: f64| {
        let f = 1.9 + 0.2 * random.uniform();
        let times = pulsar(random, rate, length, a, [f, 0.0]);
        let asked = SearchOptions { method, nharm, nbin: 16, candidates: 1, ..options(1.5, 2.5) };
        let found = search(events(&times, gti), &asked, backend.as_mut(), &Progress::default()).unwrap();
        let best = found.candidates[0].clone();
        (
            best.log10_p,
            (best.freq - f).abs() < 1.0 / length,
            best.freq - f,
            best.freq_err,
            found.meta.pulsed_upper_limit,
        )
    };
    let n = trials as f64;
    let whole: &[(f64, f64)] = &[(0.0, 1000.0)];
    let gaps: &[(f64, f64)] = &[(0.0, 200.0), (500.0, 640.0), (900.0, 1000.0)];
    eprintln!("| statistic | intervals | false alarm | of {trials} searches | expected |\n|---|---|---|---|---|");
    for (method, nharm, gti, name) in [
        (SearchStatistic::Z2, 1, whole, "Z²_1 | one"),
        (SearchStatistic::Z2, 2, whole, "Z²_2 | one"),
        (SearchStatistic::Z2, 2, gaps, "Z²_2 | three"),
        (SearchStatistic::H, 2, whole, "H | one"),
        (SearchStatistic::Ef, 2, whole, "χ² of 16 bins | one"),
    ] {
        let mut random = Random::new(11);
        let p: Vec<f64> = (0..trials).map(|_| run(&mut random, method, nharm, gti, 0.0).0).collect();
        for level in [0.1f64, 0.01] {
            let found = p.iter().filter(|&&p| p <= level.log10()).count() as f64;
            eprintln!("| {name} | {level} | {found} | {} |", n * level);
            let sigma = (n * level * (1.0 - level)).sqrt();
            // Of H and χ² the probability is an upper bound.
            assert!(found <= n * level + 3.5 * sigma + 1.0, "{name}: {found} of {trials} at {level}");
            let least = if method == SearchStatistic::Z2 { n * level - 3.5 * sigma - 1.0 } else { 0.0 };
            assert!(found >= least, "{name}: {found} of {trials} at {level}");
        }
    }
    eprintln!(
        "| pulsed fraction | N·a²/2 | found at 1 % of {trials} | frequency error over its standard error, rms | limit above it |"
    );
    eprintln!("|---|---|---|---|---|");
    let mut before = -1.0;
    for a in [0.15, 0.2, 0.25, 0.3, 0.4] {
        let mut random = Random::new(12);
        let all: Vec<_> = (0..trials).map(|_| run(&mut random, SearchStatistic::Z2, 1, whole, a)).collect();
        let found: Vec<_> = all.iter().filter(|one| one.0 <= -2.0 && one.1).collect();
        let pull = (found.iter().map(|one| (one.2 / one.3).powi(2)).sum::<f64>() / found.len().max(1) as f64).sqrt();
        let covered = all.iter().filter(|one| one.4.is_some_and(|limit| limit >= a)).count();
        let rate_found = found.len() as f64 / n;
        eprintln!(
            "| {a} | {} | {rate_found:.3} | {pull:.2} | {:.3} |",
            rate * length * a * a / 2.0,
            covered as f64 / n
        );
        assert!(rate_found >= before - 0.05 && covered as f64 >= 0.93 * n - 3.0, "{a}");
        before = rate_found;
        if a >= 0.4 {
            assert!(rate_found > 0.99 && pull > 0.8 && pull < 1.25, "{rate_found} {pull}");
        }
    }
}

#[test]
fn what_has_no_meaning_is_refused() {
    let times: Vec<f64> = (0..100).map(f64::from).collect();
    let events = events(&times, &[(0.0, 100.0)]);
    let refused = |asked: SearchOptions, text: &str| {
        let error = search(events.clone(), &asked, cpu().as_mut(), &Progress::default()).unwrap_err().to_string();
        assert!(error.contains(text), "{error}");
    };
    refused(options(0.0, 1.0), "freq = ");
    refused(options(2.0, 1.0), "freq = ");
    refused(options(1.0, f64::INFINITY), "freq = ");
    refused(options(1.0, 1e12), "the most is");
    refused(SearchOptions { nbin: 1, ..options(1.0, 2.0) }, "nbin = ");
    refused(SearchOptions { nharm: 0, ..options(1.0, 2.0) }, "nharm = ");
    refused(SearchOptions { oversample: Some(f64::NAN), ..options(1.0, 2.0) }, "oversample = ");
    refused(SearchOptions { fdot: Some((0.0, 1e9)), ..options(1.0, 2.0) }, "fdot = ");
    refused(SearchOptions { fddot: Some((f64::NAN, 0.0)), ..options(1.0, 2.0) }, "fddot = ");
    refused(
        SearchOptions { method: SearchStatistic::Ef, algorithm: Algorithm::Fft, ..options(1.0, 2.0) },
        "algorithm = ",
    );
    refused(SearchOptions { algorithm: Algorithm::Fold, nharm: 8, nbin: 16, ..options(1.0, 2.0) }, "nbin = ");
    let at = |freq: f64| FoldOptions {
        ephemeris: Ephemeris::new(events.ticks.reference(), freq, 0.0, 0.0),
        nbin: 16,
        nharm: 2,
        background: 0.0,
    };
    for asked in [
        at(0.0),
        at(f64::NAN),
        FoldOptions { nbin: 4097, ..at(1.0) },
        FoldOptions { nharm: 8, ..at(1.0) },
        FoldOptions { ephemeris: Ephemeris::new(DoubleDouble::ZERO, 1.0, 0.0, 0.0), ..at(1.0) },
    ] {
        assert!(fold::fold(&events, &asked, cpu().as_mut(), &Progress::default()).is_err(), "{asked:?}");
    }
}

//! Acceleration searches through the library: the statistics are those of plain trials, drifting pulsars are found that plain searches
//! miss, noise reaches the level as often as said, red noise does not where it is taken out.

use crate::common::pulses::{cpu, events, pulsar};
use eagleray::internal::Progress;
use eagleray::internal::engine::pulsation::{accel, search};
use eagleray::internal::random::Random;
use eagleray::pulsation::{AccelOptions, SearchOptions, SearchResult};
use eagleray::{DeviceChoice, Warnings};

fn run(times: &[f64], gti: &[(f64, f64)], asked: &AccelOptions) -> SearchResult {
    accel(events(times, gti), asked, cpu().as_mut(), &Progress::default()).unwrap()
}

#[test]
fn statistics_are_those_of_trials_one_by_one() {
    let times = pulsar(&mut Random::new(1), 30.0, 1000.0, 0.3, [1.3, 1.5e-5]);
    for gti in [&[(0.0, 1000.0)][..], &[(0.0, 300.0), (420.0, 610.5), (800.0, 1000.0)]] {
        let (freq, fdot) = ((1.1, 1.5), (-3e-5, 3e-5));
        let found = run(&times, gti, &AccelOptions { freq, fdot, nharm: 1, ..AccelOptions::default() });
        let plain = SearchOptions { freq, fdot: Some(fdot), nharm: 1, ..SearchOptions::default() };
        let plain = search(events(&times, gti), &plain, cpu().as_mut(), &Progress::default()).unwrap();
        assert_eq!((&found.freq, &found.rows), (&plain.freq, &plain.rows));
        // Filters leave out up to 1 % of the power, of which the amplitudes of noise differ by the root, and the mean, whose side lobes
        // have 0.07 here in the exact sums.
        let differ = found.stat.iter().zip(&plain.stat).map(|(a, b)| (a.sqrt() - b.sqrt()).abs());
        let (worst, square) = differ.fold((0f64, 0.0), |(worst, square), d| (worst.max(d), square + d * d));
        let rms = (square / found.stat.len() as f64).sqrt();
        eprintln!("amplitudes differ by {rms} rms, {worst} at most, where noise has 1.4");
        assert!(rms < 0.15 && worst < 0.6, "{rms} {worst}");
        let (a, b) = (&found.candidates[0], &plain.candidates[0]);
        assert!((a.stat / b.stat - 1.0).abs() < 1e-6 && (a.freq - b.freq).abs() < 1e-2 * b.freq_err, "{a:?} {b:?}");
        assert!((a.grid_stat / b.grid_stat - 1.0).abs() < 0.02, "{a:?} {b:?}");
        assert!((a.fdot - 1.5e-5).abs() < 5e-7 && (a.log10_p / b.log10_p - 1.0).abs() < 1e-6, "{a:?} {b:?}");
        assert_eq!(found.candidates.len(), 1, "what the drift smears out is the same source: {:?}", found.candidates);
    }
}

#[test]
fn a_pulsar_in_a_binary_is_found_that_a_plain_search_misses() {
    // A drift of 80 bins: without it 1/80 of the power is left at any frequency.
    let (truth, length) = ([11.7, 2.0e-5], 2000.0);
    let mut random = Random::new(2);
    let times = pulsar(&mut random, 20.0, length, 0.06, truth);
    let gti = [(0.0, length)];
    let freq = (11.68, 11.72);
    let plain = SearchOptions { freq, nharm: 1, ..SearchOptions::default() };
    let missed = search(events(&times, &gti), &plain, cpu().as_mut(), &Progress::default()).unwrap();
    assert!(missed.candidates[0].log10_p > -2.0, "{:?}", missed.candidates[0]);
    let asked = AccelOptions { freq, fdot: (-3e-5, 3e-5), ..AccelOptions::default() };
    let told = Progress::default();
    let found = accel(events(&times, &gti), &asked, cpu().as_mut(), &told).unwrap();
    // From none to all, one row first: what that takes is what an estimate can be made of.
    let trials = found.meta.trials;
    assert_eq!(told.state(), (trials, trials));
    let best = &found.candidates[0];
    assert!(best.log10_p < -6.0 && best.nharm <= 2 && found.candidates.len() == 1, "{:?}", found.candidates);
    assert!((best.freq - truth[0]).abs() < 4.0 * best.freq_err && best.freq_err < 1e-4, "{best:?}");
    // The standard error of a drift is √60 times that of the frequency over T.
    assert!((best.fdot - truth[1]).abs() < 4.0 * 60f64.sqrt() * best.freq_err / length, "{best:?}");
    assert!((best.rms - 0.06 / 2f64.sqrt()).abs() < 0.015, "{best:?}");
    // The largest cell of the map is the pulsar's.
    let cells = found.map.iter().enumerate().flat_map(|(row, cells)| cells.iter().map(move |cell| (row, *cell)));
    let (row, cell) = cells.max_by(|a, b| a.1.total_cmp(&b.1)).unwrap();
    assert!((found.rows[row][0] - truth[1]).abs() <= found.meta.dfdot && cell > 12.0);
    // A pulse of a twentieth of the period: eight harmonics beat one.
    let pulse = |t: f64| {
        let x = t - 0.5 * length;
        (truth[0] * x + 0.5 * truth[1] * x * x).rem_euclid(1.0) < 0.05
    };
    let flat = pulsar(&mut random, 20.0, length, 0.0, truth);
    let pulsed: Vec<f64> = flat.into_iter().filter(|&t| pulse(t) || random.uniform() < 0.6).collect();
    let found = run(&pulsed, &gti, &AccelOptions { nharm: 8, ..asked });
    let best = &found.candidates[0];
    assert!(best.nharm >= 4 && (best.freq - truth[0]).abs() < 1e-4 && best.log10_p < -20.0, "{best:?}");
    assert!(found.log10_p().iter().all(|p| *p <= 0.0) && found.laws.is_some_and(|laws| laws.1.contains(&8)));
}

#[test]
fn a_drift_that_changes_is_followed() {
    // Drifts of ±400 bins at the ends, none in the middle.
    let (length, gti) = (1000.0, [(0.0, 1000.0)]);
    let truth = [2.3, 0.0, 800.0 / 1e9];
    let times = pulsar(&mut Random::new(1), 12.0, length, 0.11, truth);
    let asked = AccelOptions { freq: (2.28, 2.32), fdot: (-2e-5, 2e-5), nharm: 1, ..AccelOptions::default() };
    let missed = run(&times, &gti, &asked);
    assert!(missed.candidates[0].log10_p > -3.0 && missed.fddot.iter().all(|&b| b == 0.0), "{:?}", missed.candidates);
    let asked = AccelOptions { fddot: (5e-7, 9e-7), ..asked };
    let found = run(&times, &gti, &asked);
    let best = &found.candidates[0];
    assert!(best.log10_p < -6.0 && found.candidates.len() == 1, "{:?}", found.candidates);
    assert!((best.fddot - truth[2]).abs() < 4e-8 && (best.freq - truth[0]).abs() < 1e-3, "{best:?}");
    let meta = found.meta.templates.as_ref().unwrap();
    assert!((meta.drift - 20.0).abs() < 1e-9 && (meta.jerk - 900.0).abs() < 1e-9, "{meta:?}");
    // The same trials one by one.
    let plain = SearchOptions {
        freq: asked.freq,
        fdot: Some(asked.fdot),
        fddot: Some(asked.fddot),
        nharm: 1,
        ..SearchOptions::default()
    };
    let plain = search(events(&times, &gti), &plain, cpu().as_mut(), &Progress::default()).unwrap();
    assert_eq!((&found.freq, &found.rows), (&plain.freq, &plain.rows));
    let differ = found.stat.iter().zip(&plain.stat).map(|(a, b)| (a.sqrt() - b.sqrt()).powi(2)).sum::<f64>();
    let rms = (differ / found.stat.len() as f64).sqrt();
    eprintln!("amplitudes differ by {rms} rms, where noise has 1.4");
    assert!(rms < 0.15, "{rms}");
    assert!((best.stat / plain.candidates[0].stat - 1.0).abs() < 1e-3, "{best:?} {:?}", plain.candidates[0]);
}

/// Eight harmonics of 716 Hz in 10 ks: Fourier bins to 5.7e7 and 229 million trial frequencies to the whole band, of which a tenth of 1 Hz is tried here.
#[test]
fn a_millisecond_pulsar_with_harmonics_is_found_in_ten_kiloseconds() {
    let (truth, length) = ([716.352, 3e-9], 1e4);
    let mut random = Random::new(21);
    let pulse = |t: f64| {
        let x = t - 0.5 * length;
        (truth[0] * x + 0.5 * truth[1] * x * x).rem_euclid(1.0) < 0.1
    };
    let flat = pulsar(&mut random, 1.0, length, 0.0, truth);
    let times: Vec<f64> = flat.into_iter().filter(|&t| pulse(t) || random.uniform() < 0.6).collect();
    let gti = [(0.0, length)];
    let (freq, fdot) = ((716.30, 716.40), (-1e-8, 1e-8));
    let found = run(&times, &gti, &AccelOptions { freq, fdot, nharm: 8, ..AccelOptions::default() });
    let best = &found.candidates[0];
    assert!(best.nharm >= 4 && best.log10_p < -20.0, "{best:?}");
    assert!((best.freq - truth[0]).abs() < 4.0 * best.freq_err && best.freq_err < 1e-5, "{best:?}");
    assert!((best.fdot - truth[1]).abs() < 4.0 * 60f64.sqrt() * best.freq_err / length, "{best:?}");
    // Four time bins to a cycle would be 4.6e8; two are kept of so many: 2·(8·716.4·1e4 + 8) to the next power of two.
    let templates = found.meta.templates.as_ref().unwrap();
    assert_eq!((templates.bins, templates.frequencies_a_row), (1 << 27, 1));
    // It is Z² of exact phases.
    let plain = SearchOptions { freq, fdot: Some(fdot), nharm: best.nharm, ..SearchOptions::default() };
    let plain = search(events(&times, &gti), &plain, cpu().as_mut(), &Progress::default()).unwrap();
    assert!((best.stat / plain.candidates[0].stat - 1.0).abs() < 1e-3, "{best:?} {:?}", plain.candidates[0]);
}

/// Of more trials than rows of a result neighbours share one, and the candidates are the same.
#[test]
fn neighbours_that_share_a_row_lose_no_candidate() {
    let (truth, length) = ([612.35, 0.0], 300.0);
    let times = pulsar(&mut Random::new(22), 10.0, length, 0.5, truth);
    // 16 trials to 1/300 Hz: 4.8 million in 1000 Hz, more than 2^22; and 144,000 in 30 Hz.
    let of = |freq: (f64, f64)| run(&times, &[(0.0, length)], &AccelOptions { freq, ..AccelOptions::default() });
    let (wide, narrow) = (of((5.0, 1005.0)), of((600.0, 630.0)));
    let rows = |found: &SearchResult| {
        (found.meta.templates.as_ref().unwrap().frequencies_a_row, found.freq.len(), found.meta.trials as usize)
    };
    assert!(matches!(rows(&wide), (2, rows, trials) if rows == trials.div_ceil(2) && trials.abs_diff(4_800_000) < 2));
    assert!(matches!(rows(&narrow), (1, rows, trials) if rows == trials && trials.abs_diff(144_000) < 2));
    assert!(wide.freq.windows(2).all(|pair| pair[0] < pair[1]));
    let (a, b) = (&wide.candidates[0], &narrow.candidates[0]);
    assert!((a.freq - truth[0]).abs() < 4.0 * a.freq_err && a.log10_p < -20.0, "{a:?}");
    assert!((a.stat / b.stat - 1.0).abs() < 1e-6 && (a.freq - b.freq).abs() < 0.01 * a.freq_err, "{a:?} {b:?}");
}

/// Times of a rate that varies like red noise: a random sum of slow sinusoids.
fn red(random: &mut Random, rate: f64, length: f64) -> Vec<f64> {
    let waves: Vec<[f64; 3]> = (1..200)
        .map(|k| {
            let f = f64::from(k) / length;
            [f, 2.0 * random.normal() / f64::from(k).powf(0.8) / 3.0, random.uniform()]
        })
        .collect();
    let at = |t: f64| waves.iter().map(|[f, a, p]| a * (std::f64::consts::TAU * (f * t + p)).sin()).sum::<f64>().exp();
    pulsar(random, 8.0 * rate, length, 0.0, [1.0, 0.0])
        .into_iter()
        .filter(|t| random.uniform() < (at(*t) / 8.0).min(1.0))
        .collect()
}

#[test]
fn red_noise_is_no_pulsar_where_it_is_taken_out() {
    let mut random = Random::new(3);
    let (mut plain, mut detrended) = (0, 0);
    for _ in 0..20 {
        let times = red(&mut random, 5.0, 1000.0);
        let asked = AccelOptions { freq: (0.03, 1.0), fdot: (-2e-5, 2e-5), nharm: 2, ..AccelOptions::default() };
        let detected = |asked: &AccelOptions| {
            i32::from(run(&times, &[(0.0, 1000.0)], asked).candidates[0].log10_p <= asked.false_alarm.log10())
        };
        plain += detected(&asked);
        detrended += detected(&AccelOptions { detrend: true, ..asked });
    }
    eprintln!("of 20 light curves of red noise {plain} have a detection at 1 %, detrended {detrended}");
    assert!(plain >= 15 && detrended <= 3, "{plain} {detrended}");
}

/// How often noise reaches the level; `EAGLERAY_PULSE_TRIALS` sets the number of trials (default 30).
#[test]
fn false_alarms_are_as_frequent_as_said() {
    let trials: usize = std::env::var("EAGLERAY_PULSE_TRIALS").ok().and_then(|n| n.parse().ok()).unwrap_or(30);
    let n = trials as f64;
    eprintln!("| harmonics | intervals | false alarm | of {trials} searches | expected |\n|---|---|---|---|---|");
    let whole: &[(f64, f64)] = &[(0.0, 1000.0)];
    let gaps: &[(f64, f64)] = &[(0.0, 200.0), (500.0, 640.0), (900.0, 1000.0)];
    for (nharm, detrend, gti, name) in [
        (1, false, whole, "1 | one"),
        (1, false, gaps, "1 | three"),
        (4, false, whole, "1, 2, 4 | one"),
        (1, true, whole, "1, detrended | one"),
    ] {
        let mut random = Random::new(13);
        let asked = AccelOptions {
            freq: (1.5, 2.5),
            fdot: (-2e-5, 2e-5),
            nharm,
            detrend,
            candidates: 1,
            false_alarm: 0.1,
            ..AccelOptions::default()
        };
        let p: Vec<f64> = (0..trials)
            .map(|_| run(&pulsar(&mut random, 1.0, 1000.0, 0.0, [1.0, 0.0]), gti, &asked).candidates[0].log10_p)
            .collect();
        for level in [0.1f64, 0.01] {
            let found = p.iter().filter(|&&p| p <= level.log10()).count() as f64;
            eprintln!("| {name} | {level} | {found} | {} |", n * level);
            let sigma = (n * level * (1.0 - level)).sqrt();
            assert!(found <= n * level + 3.5 * sigma + 1.0, "{name}: {found} of {trials} at {level}");
            // The best of several statistics, which have noise in common, is rarer than they together.
            let least = if nharm == 1 { n * level - 3.5 * sigma - 1.0 } else { 0.3 * n * level - 3.5 * sigma - 1.0 };
            assert!(found >= least, "{name}: {found} of {trials} at {level}");
        }
    }
}

#[test]
fn threads_change_no_bit_and_mistakes_are_named() {
    let times = pulsar(&mut Random::new(7), 20.0, 400.0, 0.1, [5.5, 1e-4]);
    let of = |threads: usize| {
        let choice = DeviceChoice::Cpu { threads: std::num::NonZeroUsize::new(threads) };
        let mut backend = eagleray::internal::backend::open(&choice, &mut Warnings::default()).unwrap();
        let asked = AccelOptions { freq: (5.0, 9.0), fdot: (-2e-4, 2e-4), ..AccelOptions::default() };
        let found = accel(events(&times, &[(0.0, 400.0)]), &asked, backend.as_mut(), &Progress::default()).unwrap();
        (found.stat, found.map, found.candidates)
    };
    assert!(of(1) == of(3));
    let refused = |asked: AccelOptions, text: &str| {
        let error = accel(events(&times, &[(0.0, 400.0)]), &asked, cpu().as_mut(), &Progress::default()).unwrap_err();
        assert!(error.to_string().contains(text), "{error}");
    };
    let asked = AccelOptions { freq: (1.0, 2.0), fdot: (-1e-5, 1e-5), ..AccelOptions::default() };
    refused(AccelOptions { nharm: 3, ..asked.clone() }, "nharm = ");
    refused(AccelOptions { freq: (0.0, 2.0), ..asked.clone() }, "freq = ");
    // 16 trials to 1/400 Hz: 2^28 of them are 41,943 Hz.
    refused(AccelOptions { freq: (1.0, 42_000.0), ..asked.clone() }, "the most is 268435456");
    refused(AccelOptions { freq: (1.0, 42_000.0), nharm: 1, ..asked.clone() }, "the most is 67108864");
    refused(AccelOptions { freq: (1.0, f64::NAN), ..asked.clone() }, "freq = ");
    refused(AccelOptions { fdot: (0.0, 1.0), ..asked.clone() }, "fdot = ");
    refused(AccelOptions { fddot: (0.0, 1e-2), ..asked.clone() }, "fddot = ");
    refused(AccelOptions { fdot: (0.0, f64::INFINITY), ..asked }, "fdot = ");
}

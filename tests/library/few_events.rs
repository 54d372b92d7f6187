//! Epoch folding of few events: false alarms as often as said, each trial by the law of its own bins.

use crate::common::pulses::{cpu, events, pulsar};
use eagleray::internal::Progress;
use eagleray::internal::engine::pulsation::{PulseEvents, fold, search};
use eagleray::internal::random::Random;
use eagleray::pulsation::{Algorithm, Ephemeris, FoldOptions, SearchOptions, SearchResult, SearchStatistic};
use eagleray::science::statistics::profile;

fn of_profiles(freq: (f64, f64), nbin: usize, algorithm: Algorithm) -> SearchOptions {
    SearchOptions { freq, nbin, algorithm, method: SearchStatistic::Ef, ..SearchOptions::default() }
}

fn run(events: &PulseEvents, asked: &SearchOptions) -> SearchResult {
    search(events.clone(), asked, cpu().as_mut(), &Progress::default()).unwrap()
}

/// `EAGLERAY_PULSE_TRIALS` sets the number of searches (default 150). By χ² of 15 degrees of freedom a false alarm of 10 % came in 24 % of searches of 50 events
/// in 16 bins.
#[test]
fn false_alarms_are_not_more_frequent_than_said() {
    let trials: usize = std::env::var("EAGLERAY_PULSE_TRIALS").ok().and_then(|n| n.parse().ok()).unwrap_or(150);
    let whole: &[(f64, f64)] = &[(0.0, 1000.0)];
    // A period fits into them three times and a bit, or into the gaps.
    let pieces: &[(f64, f64)] =
        &[(0.0, 33.0), (80.0, 113.0), (170.0, 204.0), (400.0, 441.0), (700.0, 760.0), (940.0, 1000.0)];
    let (fold, ffa) = (Algorithm::Fold, Algorithm::Ffa);
    for (name, algorithm, freq, gti, rate) in [
        ("fold", fold, (0.9, 1.4), whole, 0.05),
        ("fold in pieces", fold, (0.07, 0.2), pieces, 0.2),
        ("ffa", ffa, (0.2, 0.4), whole, 0.05),
        ("ffa in pieces", ffa, (0.07, 0.14), pieces, 0.2),
    ] {
        let asked = of_profiles(freq, 16, algorithm);
        let mut random = Random::new(61);
        let mut alarms = [0.0; 2];
        for _ in 0..trials {
            let inside = |t: &f64| gti.iter().any(|(a, b)| a <= t && t < b);
            let times: Vec<f64> = pulsar(&mut random, rate, 1000.0, 0.0, [1.0]).into_iter().filter(inside).collect();
            let p = run(&events(&times, gti), &asked).candidates[0].log10_p;
            alarms = [alarms[0] + f64::from(u8::from(p <= -1.0)), alarms[1] + f64::from(u8::from(p <= -2.0))];
        }
        for (found, level) in alarms.into_iter().zip([0.1, 0.01]) {
            let expected = level * trials as f64;
            eprintln!("{name}: {found} of {trials} searches, {expected} are said");
            assert!(found <= expected + 3.0 * expected.sqrt() + 1.0, "{name}: {found} of {trials} at {level}");
        }
    }
}

#[test]
fn a_profile_of_few_events_has_their_law() {
    // Five events in two of eight bins.
    let times = [0.05, 1.06, 2.07, 3.3, 4.31];
    let events = events(&times, &[(0.0, 8.0)]);
    let ephemeris = Ephemeris::new(events.ticks.reference(), 1.0, 0.0, 0.0);
    let asked = FoldOptions { ephemeris, nbin: 8, nharm: 1, background: 0.0 };
    let meta = fold::fold(&events, &asked, cpu().as_mut(), &Progress::default()).unwrap().meta;
    // 8/5·(9 + 4) − 5, reached by (5), (4, 1) and (3, 2): 8 + 8·7·5 + 8·7·10 of 8^5 ways.
    assert!((meta.chi2 - 15.8).abs() < 1e-9, "{}", meta.chi2);
    assert!((meta.chi2_log10_p - (848.0f64 / 32_768.0).log10()).abs() < 1e-9, "{}", meta.chi2_log10_p);
}

/// Fast folding has trials of 16 to 31 bins: candidates are in the order of their probabilities, each with the law of its bins, above one level.
#[test]
fn trials_of_fast_folding_are_compared_by_probability() {
    let mut random = Random::new(62);
    let mut times = pulsar(&mut random, 0.3, 2000.0, 0.0, [1.0]);
    // Three pulsars: alike, so that noise gives them their order.
    for freq in [0.0571, 0.0702, 0.0853] {
        times.extend(pulsar(&mut random, 0.6, 2000.0, 0.9, [freq]));
    }
    times.sort_by(f64::total_cmp);
    let events = events(&times, &[(0.0, 2000.0)]);
    let found = run(&events, &of_profiles((0.05, 0.1), 16, Algorithm::Ffa));
    let list = &found.candidates;
    assert!(list.len() >= 3, "{list:?}");
    let level = found.meta.detection_log10_p.unwrap();
    // 1 % over all trials.
    assert!((level - (0.01005034f64 / found.meta.trials as f64).log10()).abs() < 1e-6, "{level}");
    let of = |i: usize| list[i].trial_log10_p.unwrap();
    assert!((1..list.len()).all(|i| of(i - 1) <= of(i) && of(i) <= level), "{list:?}");
    let log10_p = found.log10_p();
    let (_, bins) = found.laws.as_ref().unwrap();
    let n = events.times.len() as f64;
    for c in list {
        let j = (0..found.stat.len())
            .find(|&j| found.stat[j] == c.grid_stat && bins[j] as usize == c.nbin.unwrap())
            .unwrap();
        assert_eq!((c.log10_p, c.trial_log10_p), (log10_p[j], Some(found.ln_p[j] / std::f64::consts::LN_10)));
        // The ends of the rows expose bins unevenly, a little.
        let even = profile::ln_sf(c.grid_stat, c.nbin.unwrap(), n) / std::f64::consts::LN_10;
        assert!((of_candidate(c) / even - 1.0).abs() < 0.02, "{c:?} {even}");
    }
    // A statistic says less the more bins there are.
    assert!(bins.contains(&16) && bins.contains(&31));
    assert!(profile::ln_sf(60.0, 16, n) < profile::ln_sf(60.0, 31, n) - 4.0);
}

fn of_candidate(c: &eagleray::pulsation::Candidate) -> f64 {
    c.trial_log10_p.unwrap_or(f64::NAN)
}

/// Where a gap hides bins, the trial has fewer, and says so in a column.
#[test]
fn hidden_bins_do_not_count() {
    // Half of each 20 s seen: at 0.05 Hz half of the bins.
    let gti: Vec<(f64, f64)> = (0..50).map(|i| (20.0 * f64::from(i), 20.0 * f64::from(i) + 10.0)).collect();
    let times = pulsar(&mut Random::new(63), 1.0, 1000.0, 0.0, [1.0]);
    let times: Vec<f64> = times.into_iter().filter(|t| t % 20.0 < 10.0).collect();
    let found = run(&events(&times, &gti), &of_profiles((0.0495, 0.0505), 16, Algorithm::Fold));
    let (name, bins) = found.laws.as_ref().unwrap();
    let at = (0..found.freq.len())
        .min_by(|&a, &b| (found.freq[a] - 0.05).abs().total_cmp(&(found.freq[b] - 0.05).abs()))
        .unwrap();
    assert!(*name == "nbin" && bins[at] <= 9 && bins.iter().all(|&n| n <= 16), "{bins:?}");
    assert!(found.log10_p().iter().all(|p| *p > -3.0));
}

/// How many times as often as the law of many events says `Z²_n` and H of a few uniform phases are reached: they are not independent, so that high harmonics
/// of few events go together. `EAGLERAY_PHASE_TRIALS` sets the number of profiles (default 100,000; docs/verification.md has what came of more).
#[test]
fn many_harmonics_of_few_events_are_warned_of() {
    let trials: usize = std::env::var("EAGLERAY_PHASE_TRIALS").ok().and_then(|n| n.parse().ok()).unwrap_or(100_000);
    let mut random = Random::new(77);
    for (count, harmonics, most) in
        [(12, 10, [1.5, 2.6]), (30, 10, [1.3, 2.2]), (100, 10, [0.8, 1.5]), (100, 2, [0.8, 1.3])]
    {
        let mut reached = [0.0; 2];
        // χ² of 2n at p = 0.01 and 0.001.
        let levels =
            [0.01f64, 0.001].map(|p| eagleray::science::statistics::chi_square::ln_isf(p.ln(), 2.0 * harmonics as f64));
        for _ in 0..trials {
            let phases: Vec<f64> = (0..count).map(|_| std::f64::consts::TAU * random.uniform()).collect();
            let z2: f64 = (1..=harmonics)
                .map(|h| {
                    let (sin, cos) = phases
                        .iter()
                        .map(|phase| (f64::from(h) * phase).sin_cos())
                        .fold((0.0, 0.0), |a, b| (a.0 + b.0, a.1 + b.1));
                    2.0 / f64::from(count) * (sin * sin + cos * cos)
                })
                .sum();
            reached.iter_mut().zip(levels).for_each(|(reached, level)| *reached += f64::from(u8::from(z2 >= level)));
        }
        let ratio = [0, 1].map(|i| reached[i] / trials as f64 / [0.01, 0.001][i]);
        eprintln!("{count} events, Z²_{harmonics}: {:.2} at 1 %, {:.2} at 0.1 %", ratio[0], ratio[1]);
        assert!((most[0]..most[1]).contains(&ratio[1]), "{count} {harmonics}: {ratio:?}");
    }
    let warned = |count: usize, method: SearchStatistic, nharm: usize| {
        let times: Vec<f64> = (0..count).map(|_| 100.0 * random.uniform()).collect();
        let asked = SearchOptions { freq: (0.5, 0.6), nharm, method, ..SearchOptions::default() };
        let found = run(&events(&times, &[(0.0, 100.0)]), &asked);
        found.meta.record.warnings.iter().any(|warning| warning.code == "W-FEW-EVENTS")
    };
    let mut warned = warned;
    assert!(warned(12, SearchStatistic::Z2, 10) && warned(100, SearchStatistic::H, 1));
    assert!(!warned(12, SearchStatistic::Z2, 1) && !warned(100, SearchStatistic::Z2, 10));
}

//! One source is one candidate: what belongs to it is named as what it is, and a sinusoid has its own frequency.

use crate::common::pulses::{cpu, events, pulsar};
use eagleray::internal::Progress;
use eagleray::internal::engine::pulsation::{accel, search};
use eagleray::internal::random::Random;
use eagleray::pulsation::{AccelOptions, Algorithm, Candidate, Relation, SearchOptions, SearchResult, SearchStatistic};

fn run(times: &[f64], gti: &[(f64, f64)], asked: &SearchOptions) -> SearchResult {
    search(events(times, gti), asked, cpu().as_mut(), &Progress::default()).unwrap()
}

fn sources(found: &[Candidate]) -> Vec<&Candidate> {
    found.iter().filter(|c| c.relation == Relation::Source).collect()
}

/// Every candidate but a source belongs to one, which stands before it.
fn consistent(found: &[Candidate]) {
    for (i, c) in found.iter().enumerate() {
        let of = &found[c.group];
        assert!(of.relation == Relation::Source && (c.relation == Relation::Source) == (c.group == i), "{c:?}");
        assert!(c.group <= i && (c.alias != 0) == (c.relation == Relation::Alias), "{c:?}");
    }
}

/// Half the frequency of a sinusoid has all its power in the second harmonic: of both, the statistic is the larger by chance, in half of all searches.
#[test]
fn a_sinusoid_has_its_own_frequency() {
    let (length, mut random) = (1000.0, Random::new(301));
    let mut wrong = 0;
    for trial in 0..24 {
        let truth = 2.0 + 0.5 * random.uniform();
        let times = pulsar(&mut random, 1.0, length, 0.4, [truth]);
        let gti = [(0.0, length)];
        // So rare that noise is not among 120 searches.
        let (false_alarm, nbin) = (1e-4, 16);
        let asked = SearchOptions { freq: (0.9, 2.6), nbin, false_alarm, ..SearchOptions::default() };
        let of = |method, algorithm, nharm, freq| {
            run(&times, &gti, &SearchOptions { method, algorithm, nharm, freq, ..asked.clone() }).candidates
        };
        let (fft, near) = (Algorithm::Fft, (0.45 * truth, 1.05 * truth));
        let mut ways = vec![
            of(SearchStatistic::Z2, fft, 2, asked.freq),
            of(SearchStatistic::Z2, fft, 4, near),
            of(SearchStatistic::H, fft, 2, near),
            of(SearchStatistic::Ef, Algorithm::Fold, 2, near),
        ];
        let accelerated =
            AccelOptions { freq: near, fdot: (-1e-6, 1e-6), nharm: 4, false_alarm, ..AccelOptions::default() };
        let told = Progress::default();
        ways.push(accel(events(&times, &gti), &accelerated, cpu().as_mut(), &told).unwrap().candidates);
        for (way, found) in ways.iter().enumerate() {
            consistent(found);
            wrong += u32::from((found[0].freq - truth).abs() > 1.0 / length);
            assert!(found[0].log10_p < -3.0, "{trial} {way}: {found:?}");
            let halves = found.iter().filter(|c| (c.freq - 0.5 * truth).abs() < 1.0 / length);
            assert!(halves.clone().all(|c| c.relation == Relation::Harmonic && c.harmonic == "1/2"), "{found:?}");
            assert_eq!(sources(found).len(), 1, "{trial} {way}: {found:?}");
        }
    }
    assert_eq!(wrong, 0, "of 120 searches, not at the frequency");
}

/// Good time of 2000 s in each orbit of 5500 s.
fn orbits(count: u32) -> Vec<(f64, f64)> {
    (0..count).map(|k| (5500.0 * f64::from(k), 5500.0 * f64::from(k) + 2000.0)).collect()
}

fn seen(times: Vec<f64>) -> Vec<f64> {
    times.into_iter().filter(|t| t % 5500.0 < 2000.0).collect()
}

#[test]
fn aliases_of_gaps_are_told_and_hide_no_second_source() {
    let (gti, mut random) = (orbits(12), Random::new(302));
    let (length, truth) = (gti[11].1, [0.351, 0.0]);
    let strong = seen(pulsar(&mut random, 0.3, length, 0.8, truth));
    let asked = SearchOptions { freq: (0.348, 0.354), nharm: 1, ..SearchOptions::default() };
    let found = run(&strong, &gti, &asked).candidates;
    consistent(&found);
    assert!(sources(&found).len() == 1 && (found[0].freq - truth[0]).abs() < 4.0 * found[0].freq_err, "{found:?}");
    for k in [-1, 1] {
        let alias = found.iter().find(|c| c.alias == k).expect("an alias by one orbit");
        let apart = alias.freq - found[0].freq - f64::from(k) / 5500.0;
        assert!(alias.relation == Relation::Alias && apart.abs() < 1.0 / length, "{alias:?}");
    }
    // A second source, unrelated, that is fainter than the aliases of the first.
    let second = seen(pulsar(&mut random, 0.3, length, 0.35, [0.3495311, 0.0]));
    let mut both = [strong, second].concat();
    both.sort_by(f64::total_cmp);
    let found = run(&both, &gti, &asked).candidates;
    consistent(&found);
    let two = sources(&found);
    assert!(two.len() == 2 && (two[1].freq - 0.3495311).abs() < 4.0 * two[1].freq_err, "{found:?}");
    assert!(found.iter().any(|c| c.relation == Relation::Alias && c.stat > two[1].stat), "{found:?}");
}

/// At other derivatives a source is seen at other frequencies.
#[test]
fn ridges_and_side_lobes_are_no_sources() {
    let length = 1000.0;
    let times = pulsar(&mut Random::new(303), 10.0, length, 0.5, [2.3, 0.0]);
    let asked = SearchOptions { freq: (2.2, 2.4), fdot: Some((-2e-4, 2e-4)), nharm: 1, ..SearchOptions::default() };
    let found = run(&times, &[(0.0, length)], &asked).candidates;
    consistent(&found);
    assert!(sources(&found).len() == 1 && (found[0].freq - 2.3).abs() < 4.0 * found[0].freq_err, "{found:?}");
    assert!(found.iter().any(|c| c.relation == Relation::Ridge), "{found:?}");
    assert!((found[0].fdot).abs() < 4.0 * found[0].fdot_err.unwrap(), "{found:?}");
}

/// Pulses of a twentieth of the period have power at many ratios; two pulsars have none in common.
#[test]
fn many_harmonics_are_one_source_and_two_sources_two() {
    let (length, mut random) = (1000.0, Random::new(304));
    let mut narrow = |freq: f64, share: f64| -> Vec<f64> {
        let flat = pulsar(&mut random, 8.0, length, 0.0, [freq]);
        let kept = |t: &f64| (freq * t).rem_euclid(1.0) < 0.05 || random.uniform() > share;
        flat.into_iter().filter(kept).collect()
    };
    let (one, other) = (narrow(1.237, 0.7), narrow(2.0031, 0.8));
    for (method, nharm) in [(SearchStatistic::Z2, 2), (SearchStatistic::Z2, 10), (SearchStatistic::H, 2)] {
        let asked =
            SearchOptions { freq: (0.3, 4.0), method, nharm, oversample: Some(20.0), ..SearchOptions::default() };
        let found = run(&one, &[(0.0, length)], &asked).candidates;
        consistent(&found);
        assert_eq!(sources(&found).len(), 1, "{method:?} {nharm}: {found:?}");
        assert!((found[0].freq - 1.237).abs() < 1.0 / length && found.len() >= 3, "{method:?} {nharm}: {found:?}");
        let mut both = [one.clone(), other.clone()].concat();
        both.sort_by(f64::total_cmp);
        let found = run(&both, &[(0.0, length)], &asked).candidates;
        consistent(&found);
        let mut two: Vec<f64> = sources(&found).iter().map(|c| c.freq).collect();
        two.sort_by(f64::total_cmp);
        let right = two.len() == 2 && (two[0] - 1.237).abs() < 1.0 / length && (two[1] - 2.0031).abs() < 1.0 / length;
        assert!(right, "{method:?} {nharm}: {found:?}");
    }
}

/// Ridges of one source in frequency and derivative, 12 of 25 of which stood as sources of their own.
#[test]
fn ridges_of_a_bright_source_are_its_own() {
    for seed in 0..12 {
        let (length, mut random) = (1000.0, Random::new(310 + seed));
        let times = pulsar(&mut random, 2.0, length, 0.55, [4.3, 0.0]);
        let asked = SearchOptions { freq: (4.0, 4.6), fdot: Some((-1e-4, 1e-4)), nharm: 1, ..SearchOptions::default() };
        let found = run(&times, &[(0.0, length)], &asked).candidates;
        consistent(&found);
        assert!(sources(&found).len() == 1 && (found[0].freq - 4.3).abs() < 4.0 * found[0].freq_err, "{found:?}");
    }
}

/// Two strong sources ten independent frequencies apart are two; and a faint one, of a power that a hundred peaks of the ridge of a strong one have.
#[test]
fn sources_among_ridges_are_found() {
    let (length, mut random) = (1000.0, Random::new(330));
    let asked = SearchOptions { freq: (4.0, 4.6), fdot: Some((-1e-4, 1e-4)), nharm: 1, ..SearchOptions::default() };
    for (rates, amplitudes, other) in [([3.0, 3.0], [0.7, 0.6], [4.31, 0.0]), ([20.0, 8.0], [0.9, 0.2], [4.43, 3e-5])] {
        let strong = pulsar(&mut random, rates[0], length, amplitudes[0], [4.3, 0.0]);
        let mut both = [strong, pulsar(&mut random, rates[1], length, amplitudes[1], other)].concat();
        both.sort_by(f64::total_cmp);
        let found = run(&both, &[(0.0, length)], &asked).candidates;
        consistent(&found);
        let two = sources(&found);
        assert_eq!(two.len(), 2, "{found:?}");
        assert!((two[0].freq - 4.3).abs() < 5.0 * two[0].freq_err, "{found:?}");
        assert!((two[1].freq - other[0]).abs() < 5.0 * two[1].freq_err, "{found:?}");
        assert!((two[1].fdot - other[1]).abs() < 5.0 * two[1].fdot_err.unwrap(), "{found:?}");
    }
}

/// Broad pulses in few bins are folded by several periods of fast folding alike, which the frequency is not at.
#[test]
fn broad_pulses_folded_fast_have_their_own_frequency() {
    let (length, mut random) = (20_000.0, Random::new(340));
    for trial in 0..20 {
        let truth = 0.02 + 0.01 * random.uniform();
        let times = pulsar(&mut random, 0.1, length, 0.5, [truth]);
        let (method, algorithm) = (SearchStatistic::Ef, Algorithm::Ffa);
        let asked = SearchOptions { freq: (0.008, 0.04), method, algorithm, nbin: 8, ..SearchOptions::default() };
        let found = run(&times, &[(0.0, length)], &asked).candidates;
        consistent(&found);
        let best = &found[0];
        assert!((best.freq - truth).abs() < 5.0 * best.freq_err, "{trial}, {truth}: {found:?}");
        assert_eq!(sources(&found).len(), 1, "{trial}, {truth}: {found:?}");
    }
}

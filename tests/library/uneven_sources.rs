//! Sources that fade, flare or drift by what is not searched are one candidate each, and hide no other.

use crate::common::pulses::{cpu, events, pulsar};
use eagleray::Warning;
use eagleray::internal::Progress;
use eagleray::internal::engine::pulsation::search;
use eagleray::internal::random::Random;
use eagleray::pulsation::{Algorithm, Candidate, Relation, SearchOptions, SearchResult, SearchStatistic};

const LENGTH: f64 = 1000.0;

fn run(times: &[f64], asked: &SearchOptions) -> SearchResult {
    search(events(times, &[(0.0, LENGTH)]), asked, cpu().as_mut(), &Progress::default()).unwrap()
}

fn sources(found: &[Candidate]) -> Vec<&Candidate> {
    found.iter().filter(|c| c.relation == Relation::Source).collect()
}

fn together(parts: &[Vec<f64>]) -> Vec<f64> {
    let mut times = parts.concat();
    times.sort_by(f64::total_cmp);
    times
}

/// A sinusoid with a rate that changes as `of` says, of 1 at most, over the parts of the length.
fn changing(random: &mut Random, rate: f64, amplitude: f64, freq: f64, of: fn(f64) -> f64) -> Vec<f64> {
    let mut times = pulsar(random, rate, LENGTH, amplitude, [freq, 0.0]);
    times.retain(|t| random.uniform() < of(t / LENGTH));
    times
}

/// Brightness by the part of the length that has passed.
type Change = fn(f64) -> f64;

const CHANGES: [(&str, Change); 4] = [
    ("fades", |u| (-3.0 * u).exp()),
    ("rises", |u| (3.0 * (u - 1.0)).exp()),
    ("falls to a tenth half way", |u| if u < 0.5 { 1.0 } else { 0.1 }),
    ("flares", |u| 0.2 + 0.8 * (-0.5 * ((u - 0.3) / 0.12).powi(2)).exp()),
];

/// How many of so many searches with a derivative list one source and no other.
fn alone(of: fn(f64) -> f64, searches: u64) -> usize {
    let one = |seed: u64| {
        let times = changing(&mut Random::new(700 + seed), 4.0, 0.5, 4.3, of);
        let asked = SearchOptions { freq: (4.0, 4.6), fdot: Some((-1e-4, 1e-4)), nharm: 1, ..SearchOptions::default() };
        let found = run(&times, &asked).candidates;
        let listed = sources(&found);
        usize::from(listed.len() == 1 && (listed[0].freq - 4.3).abs() < 1.0 / LENGTH)
    };
    (0..searches).map(one).sum()
}

#[test]
fn sources_that_fade_or_flare_are_one() {
    for (name, of) in CHANGES {
        let found = alone(of, 6);
        eprintln!("{name}: {found} of 6");
        assert!(found >= 5, "{name}: {found} of 6");
    }
}

#[test]
#[ignore = "minutes, recorded in docs/verification.md; six of each always run"]
fn many_sources_that_fade_or_flare_are_one() {
    for (name, of) in CHANGES {
        eprintln!("{name}: {} of 100", alone(of, 100));
    }
}

/// What is beside a source that fades is not all its own.
#[test]
fn second_sources_beside_a_fading_one_are_found() {
    let mut random = Random::new(720);
    let fading = changing(&mut random, 8.0, 0.6, 4.3, CHANGES[0].1);
    let times = together(&[fading, pulsar(&mut random, 1.0, LENGTH, 0.7, [4.305, 0.0])]);
    let asked = SearchOptions { freq: (4.2, 4.4), nharm: 1, ..SearchOptions::default() };
    let found = run(&times, &asked).candidates;
    let mut two: Vec<f64> = sources(&found).iter().map(|c| c.freq).collect();
    two.sort_by(f64::total_cmp);
    let right = two.len() == 2 && (two[0] - 4.3).abs() < 0.5 / LENGTH && (two[1] - 4.305).abs() < 0.5 / LENGTH;
    assert!(right, "{found:?}");
}

fn warned<'a>(result: &'a SearchResult, code: &str) -> Vec<&'a Warning> {
    result.meta.record.warnings.iter().filter(|warning| warning.code == code).collect()
}

/// A drift of several independent frequencies that is not searched leaves several peaks, which belong to the largest: said with how to search it.
#[test]
fn a_drift_that_is_not_searched_is_one_source_and_said() {
    let (z2, ef) = (SearchStatistic::Z2, SearchStatistic::Ef);
    for (i, (drift, method, nharm, algorithm)) in [
        (6.0, z2, 1, Algorithm::Auto),
        (-12.0, z2, 1, Algorithm::Auto),
        (30.0, z2, 2, Algorithm::Auto),
        (15.0, SearchStatistic::H, 2, Algorithm::Auto),
        (10.0, ef, 2, Algorithm::Fold),
        (10.0, ef, 2, Algorithm::Ffa),
    ]
    .into_iter()
    .enumerate()
    {
        let (mut random, fdot) = (Random::new(730 + i as u64), drift / (LENGTH * LENGTH));
        let times = pulsar(&mut random, 4.0, LENGTH, 0.7, [1.3, fdot]);
        let asked = SearchOptions { freq: (1.2, 1.4), method, nharm, algorithm, nbin: 16, ..SearchOptions::default() };
        let result = run(&times, &asked);
        let (found, said) = (&result.candidates, warned(&result, "W-DRIFT"));
        assert_eq!(sources(found).len(), 1, "{i}: {found:?}");
        assert!(found.iter().filter(|c| c.relation == Relation::Ridge).count() >= 1, "{i}: {found:?}");
        assert!(said.len() == 1, "{i}: {said:?}");
        let wide = said[0].mend[0].settings[0].value.clone().unwrap();
        let wide: f64 = wide.split(':').next_back().unwrap().parse().unwrap();
        assert!((wide / fdot.abs() - 1.5).abs() < 0.1, "{i}: {wide}");
        if algorithm != Algorithm::Ffa {
            let fdot = Some((-wide, wide));
            let result = run(&times, &SearchOptions { fdot, oversample: Some(8.0), ..asked });
            let best = &result.candidates[0];
            assert!(
                (best.freq - 1.3).abs() < 5.0 * best.freq_err && warned(&result, "W-DRIFT").is_empty(),
                "{i}: {best:?}"
            );
        }
    }
}

/// Sources that do not drift are what they are, however close.
#[test]
fn close_sources_are_no_drift() {
    for (i, bins) in [3.0, 4.5, 10.0, 40.0].into_iter().enumerate() {
        let mut random = Random::new(740 + i as u64);
        let one = |random: &mut Random, f: f64, a: f64| pulsar(random, 2.0, LENGTH, a, [f, 0.0]);
        let times = together(&[one(&mut random, 1.3, 0.8), one(&mut random, 1.3 + bins / LENGTH, 0.7)]);
        let asked = SearchOptions { freq: (1.2, 1.4), nharm: 1, ..SearchOptions::default() };
        let result = run(&times, &asked);
        assert!(sources(&result.candidates).len() == 2 && warned(&result, "W-DRIFT").is_empty(), "{bins}: {result:?}");
    }
}

/// A sinusoid above the band is a part of its frequency for statistics of several harmonics, which is said.
#[test]
fn sources_above_the_band_are_said() {
    let (z2, ef) = (SearchStatistic::Z2, SearchStatistic::Ef);
    for (i, (method, nharm, algorithm, truth)) in [
        (z2, 2, Algorithm::Auto, 1.9),
        (z2, 4, Algorithm::Auto, 3.3),
        (ef, 2, Algorithm::Fold, 3.3),
        (ef, 2, Algorithm::Ffa, 3.3),
    ]
    .into_iter()
    .enumerate()
    {
        let times = pulsar(&mut Random::new(750 + i as u64), 2.0, LENGTH, 0.6, [truth, 0.0]);
        let asked = SearchOptions { freq: (0.7, 1.4), method, nharm, algorithm, nbin: 16, ..SearchOptions::default() };
        let result = run(&times, &asked);
        let said = warned(&result, "W-ABOVE-BAND");
        assert!(said.len() == 1 && said[0].message.contains(&format!("{truth:.1}")[..2]), "{i}: {said:?}");
        // The range that is proposed has it.
        let range = said[0].mend[0].settings[0].value.clone().unwrap();
        let (low, high) = range.split_once(':').unwrap();
        let proposed = SearchOptions { freq: (low.parse().unwrap(), high.parse().unwrap()), ..asked.clone() };
        assert!((run(&times, &proposed).candidates[0].freq - truth).abs() * LENGTH < 1.0, "{i}: {range}");
        let below = SearchOptions { freq: (0.7, 4.0), ..asked };
        let result = run(&times, &below);
        let right = (result.candidates[0].freq - truth).abs() * LENGTH < 1.0;
        assert!(right && warned(&result, "W-ABOVE-BAND").is_empty(), "{i}: {:?}", result.candidates);
    }
}

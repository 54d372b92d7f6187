//! Candidates are refined inside what was asked for: known derivatives stay as they are, and frequencies in their band.

use crate::common::pulses::{cpu, events, pulsar};
use eagleray::Warnings;
use eagleray::internal::Progress;
use eagleray::internal::engine::Weights;
use eagleray::internal::engine::pulsation::{PulseEvents, accel, pdm, search};
use eagleray::internal::random::Random;
use eagleray::pulsation::{AccelOptions, Algorithm, SearchOptions, SearchResult, SearchStatistic};

const METHODS: [(SearchStatistic, Algorithm); 5] = [
    (SearchStatistic::Z2, Algorithm::Fft),
    (SearchStatistic::Z2, Algorithm::Fold),
    (SearchStatistic::H, Algorithm::Fft),
    (SearchStatistic::Ef, Algorithm::Fold),
    (SearchStatistic::Ef, Algorithm::Ffa),
];

fn run(events: &PulseEvents, asked: &SearchOptions) -> SearchResult {
    search(events.clone(), asked, cpu().as_mut(), &Progress::default()).unwrap()
}

/// A derivative that is known, as that of a .par file, is one number: no further trials, of which noise has 26 false alarms in 1000 searches
/// where 10 belong. Of so many searches as are said to have a false alarm with a probability p, binomial counts have np ± √(np(1 − p)).
#[test]
fn a_known_derivative_adds_no_trials() {
    let (searches, length, fdot) = (1000u32, 1000.0, -1.4e-14);
    let (mut random, mut backend) = (Random::new(101), cpu());
    let asked = SearchOptions { freq: (1.9, 2.1), fdot: Some((fdot, fdot)), ..SearchOptions::default() };
    let mut below = [(0.1f64, 0u32), (0.01, 0)];
    for _ in 0..searches {
        let noise = events(&pulsar(&mut random, 0.4, length, 0.0, [2.0]), &[(0.0, length)]);
        let found = search(noise, &asked, backend.as_mut(), &Progress::default()).unwrap();
        assert!(found.candidates.iter().all(|c| c.fdot == fdot && c.fddot == 0.0), "{:?}", found.candidates);
        let best = &found.candidates[0];
        below.iter_mut().for_each(|(p, count)| *count += u32::from(best.log10_p <= p.log10()));
    }
    eprintln!("of {searches} searches of noise with a known derivative: {below:?}");
    for (p, count) in below {
        let expected = f64::from(searches) * p;
        let off = (f64::from(count) - expected) / (expected * (1.0 - p)).sqrt();
        assert!(off.abs() < 3.3, "{count} false alarms at {p}, {off:.1} standard deviations off");
    }
}

#[test]
fn nothing_leaves_the_ranges_asked_for() {
    let (length, rate, truth) = (400.0, 5.0, [3.3, 2e-5]);
    let times = pulsar(&mut Random::new(102), rate, length, 0.3, truth);
    let plain = events(&times, &[(0.0, length)]);
    let weights = Weights::new("W", vec![0.5; times.len()], &mut Warnings::default()).unwrap();
    let weighted = PulseEvents { weights: Some(weights), ..plain.clone() };
    let mut rates = vec![0.0; 8000];
    times.iter().for_each(|t| rates[(t * 20.0) as usize] += 20.0);
    let samples = crate::pdm::samples(0.05, &rates);
    // The signal beyond either end of the band by a third of an independent frequency, in the middle, and derivatives beyond their ranges,
    // narrower than a step, and of one value.
    let third = 0.3 / length;
    let bands = [(3.2, 3.3 - third), (3.3 + third, 3.4), (3.25, 3.35)];
    let drifts = [None, Some((1.23e-5, 1.23e-5)), Some((1.2e-5, 1.3e-5)), Some((-5e-5, 1.9e-5)), Some((2.1e-5, 9e-5))];
    let inside = |c: f64, (lo, hi): (f64, f64)| c >= lo && c <= hi;
    let mut edges = 0;
    for freq in bands {
        for fdot in drifts {
            let mut hold = |found: SearchResult, name: &str| {
                for c in &found.candidates {
                    let kept = inside(c.freq, freq) && inside(c.fdot, fdot.unwrap_or_default()) && c.fddot == 0.0;
                    assert!(kept, "{name} of {freq:?}, {fdot:?}: {c:?}");
                }
                edges += u32::from(found.candidates.iter().any(|c| c.freq == freq.0 || c.freq == freq.1));
            };
            for (method, algorithm) in METHODS {
                let asked = SearchOptions {
                    freq,
                    fdot,
                    method,
                    algorithm,
                    nbin: 16,
                    candidates: 3,
                    ..SearchOptions::default()
                };
                if algorithm != Algorithm::Ffa || fdot.is_none() {
                    hold(run(&plain, &asked), &format!("{method:?} {algorithm:?}"));
                }
                if algorithm == Algorithm::Fft || algorithm == Algorithm::Fold && method == SearchStatistic::Ef {
                    hold(run(&weighted, &asked), &format!("weighted {method:?} {algorithm:?}"));
                }
            }
            let asked = AccelOptions { freq, fdot: fdot.unwrap_or_default(), nharm: 2, ..AccelOptions::default() };
            hold(accel(plain.clone(), &asked, cpu().as_mut(), &Progress::default()).unwrap(), "accel");
            let asked = SearchOptions { freq, fdot, method: SearchStatistic::Pdm, nbin: 8, ..SearchOptions::default() };
            hold(pdm(samples.clone(), &asked, cpu().as_mut(), &Progress::default()).unwrap(), "pdm");
        }
    }
    assert!(edges > 20, "refined to the ends of a band: {edges}");
}

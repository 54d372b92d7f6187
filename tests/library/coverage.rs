//! How often the quoted errors of frequencies and derivatives cover the truth, by every statistic, for sinusoids and narrow pulses.

use crate::common::pulses::{cpu, events, pulsar};
use eagleray::device::Backend;
use eagleray::internal::Progress;
use eagleray::internal::engine::pulsation::{accel, pdm, search};
use eagleray::internal::random::Random;
use eagleray::pulsation::{AccelOptions, Algorithm, Candidate, SearchOptions, SearchStatistic};

const LENGTH: f64 = 1000.0;

/// A sinusoid of this amplitude, or this part of the photons in pulses of 0.03 cycle (standard deviation).
#[derive(Clone, Copy, Debug)]
enum Shape {
    Sinusoid(f64),
    Narrow(f64),
}

/// About 1000 photons in 1000 s, of a source of these rates at the middle.
fn photons(random: &mut Random, shape: Shape, truth: [f64; 2]) -> Vec<f64> {
    let part = match shape {
        Shape::Sinusoid(a) => return pulsar(random, 1.0, LENGTH, a, truth),
        Shape::Narrow(part) => part,
    };
    let mut times = pulsar(random, 1.0, LENGTH, 0.0, truth);
    for t in &mut times {
        if random.uniform() < part {
            let x = *t - 0.5 * LENGTH;
            let phase = truth[0] * x + 0.5 * truth[1] * x * x;
            let wanted = phase.floor() + 0.5 + 0.03 * random.normal();
            *t = (*t + (wanted - phase) / (truth[0] + truth[1] * x)).clamp(0.0, LENGTH);
        }
    }
    times.sort_by(f64::total_cmp);
    times
}

#[derive(Clone, Copy, Debug)]
enum Way {
    Search(SearchStatistic, usize, Algorithm),
    Accel(usize),
}

const WAYS: [(&str, Way); 8] = [
    ("Z²_1", Way::Search(SearchStatistic::Z2, 1, Algorithm::Auto)),
    ("Z²_2", Way::Search(SearchStatistic::Z2, 2, Algorithm::Auto)),
    ("Z²_20", Way::Search(SearchStatistic::Z2, 20, Algorithm::Auto)),
    ("H", Way::Search(SearchStatistic::H, 2, Algorithm::Auto)),
    ("χ² of 32 bins", Way::Search(SearchStatistic::Ef, 2, Algorithm::Auto)),
    ("χ² of 32 bins, ffa", Way::Search(SearchStatistic::Ef, 2, Algorithm::Ffa)),
    ("θ of 16 bins", Way::Search(SearchStatistic::Pdm, 2, Algorithm::Auto)),
    ("accel, 8 harmonics", Way::Accel(8)),
];

/// The best candidate about the truth, within two independent frequencies and derivatives of eight.
fn best(way: Way, times: &[f64], near: [f64; 2], drifts: bool, backend: &mut dyn Backend) -> Candidate {
    let freq = (near[0] - 2.0 / LENGTH, near[0] + 2.0 / LENGTH);
    let range = (near[1] - 12.0 / LENGTH.powi(2), near[1] + 12.0 / LENGTH.powi(2));
    let known = (near[1], near[1]);
    let told = Progress::default();
    let found = match way {
        Way::Accel(nharm) => {
            let fdot = if drifts { range } else { known };
            let asked = AccelOptions { freq, fdot, nharm, candidates: 1, ..AccelOptions::default() };
            accel(events(times, &[(0.0, LENGTH)]), &asked, backend, &told)
        }
        Way::Search(method, nharm, algorithm) => {
            let fdot = match (drifts, algorithm) {
                (true, _) => Some(range),
                (false, Algorithm::Ffa) => None,
                (false, _) => Some(known),
            };
            let oversample =
                if algorithm == Algorithm::Ffa { None } else { Some(if nharm == 20 { 20.0 } else { 10.0 }) };
            let nbin = if method == SearchStatistic::Pdm { 16 } else { 32 };
            let asked = SearchOptions {
                freq,
                fdot,
                method,
                nharm,
                nbin,
                oversample,
                algorithm,
                candidates: 1,
                ..SearchOptions::default()
            };
            if method == SearchStatistic::Pdm {
                let mut rates = vec![0.0; 4000];
                times.iter().for_each(|t| rates[((t * 4.0) as usize).min(3999)] += 4.0);
                pdm(crate::pdm::samples(0.25, &rates), &asked, backend, &told)
            } else {
                search(events(times, &[(0.0, LENGTH)]), &asked, backend, &told)
            }
        }
    };
    found.unwrap().candidates.swap_remove(0)
}

/// Of one way and shape: how many of frequency, of frequency with a derivative and of derivative are within their errors.
fn covered(way: Way, shape: Shape, trials: usize, seed: u64) -> [usize; 3] {
    let (mut random, mut backend, mut counts) = (Random::new(seed), cpu(), [0; 3]);
    for _ in 0..trials {
        // A source of constant periods for fast folding. Nothing is at a trial of the grid.
        let constant = matches!(way, Way::Search(_, _, Algorithm::Ffa));
        let base = match way {
            Way::Search(SearchStatistic::Pdm, ..) => 0.1,
            _ if constant => 0.5,
            _ => 5.0,
        };
        let drift = if constant { 0.0 } else { 2e-6 * (random.uniform() - 0.5) };
        let truth = [base + random.uniform() / LENGTH, drift];
        let times = photons(&mut random, shape, truth);
        let near = [truth[0] + (random.uniform() - 0.5) / LENGTH, truth[1]];
        let one = best(way, &times, near, false, backend.as_mut());
        counts[0] += usize::from((one.freq - truth[0]).abs() < one.freq_err);
        assert!(one.fdot_err.is_none() && one.fddot_err.is_none(), "{one:?}");
        if !constant {
            let near = [near[0], near[1] + 3.0 * (random.uniform() - 0.5) / LENGTH.powi(2)];
            let one = best(way, &times, near, true, backend.as_mut());
            counts[1] += usize::from((one.freq - truth[0]).abs() < one.freq_err);
            counts[2] += usize::from((one.fdot - truth[1]).abs() < one.fdot_err.unwrap());
        }
    }
    counts
}

/// Coverage of 68.27 % for each quantity, and for the mean over all; rows of a table as docs/results/pulsations.md has them.
fn hold(ways: &[usize], trials: usize, shapes: &[Shape], each: f64, all: f64) {
    eprintln!("| statistic | pulse | frequency | with a derivative | derivative |\n|---|---|---|---|---|");
    let (mut sum, mut quantities, mut missed) = (0.0, 0.0, Vec::new());
    for &i in ways {
        let (name, way) = &WAYS[i];
        for (j, &shape) in shapes.iter().enumerate() {
            let found = covered(*way, shape, trials, 200 + 10 * i as u64 + j as u64);
            let constant = matches!(way, Way::Search(_, _, Algorithm::Ffa));
            let parts = found.map(|n| n as f64 / trials as f64);
            let cells: Vec<String> = parts.iter().map(|part| format!("{:.1}", 100.0 * part)).collect();
            eprintln!(
                "| {name} | {shape:?} | {} |",
                if constant { format!("{} | |", cells[0]) } else { cells.join(" | ") }
            );
            for part in &parts[..if constant { 1 } else { 3 }] {
                (sum, quantities) = (sum + part, quantities + 1.0);
                if (part - 0.6827).abs() > each {
                    missed.push(format!("{name} {shape:?}: {part:.3}"));
                }
            }
        }
    }
    let mean: f64 = sum / quantities;
    eprintln!("mean of {quantities} quantities: {:.1} %", 100.0 * mean);
    assert!(missed.is_empty() && (mean - 0.6827).abs() < all, "{mean}: {missed:?}");
}

/// 40 trials have a standard deviation of 7.4 % each and 2 % together: the three of a trial are not quite independent. With all harmonics counted as
/// signal, `Z²_20` covers in a quarter of them.
#[test]
fn errors_of_frequencies_and_derivatives_cover() {
    hold(&[2, 4], 40, &[Shape::Sinusoid(0.45), Shape::Narrow(0.2)], 0.25, 0.08);
}

/// As docs/verification.md records it.
#[test]
#[ignore = "half an hour, recorded in docs/verification.md; 40 of each always run"]
fn a_thousand_of_each_cover() {
    hold(&[0, 1, 2, 3, 4, 5, 6, 7], 1000, &[Shape::Sinusoid(0.45), Shape::Narrow(0.2)], 0.05, 0.02);
}

/// Faint ones, as the same page records them: `Z²_1` of 20 and of 31 above its noise, and as faint narrow ones.
#[test]
#[ignore = "minutes, recorded in docs/verification.md"]
fn faint_ones_cover_nearly() {
    hold(&[0, 3], 1000, &[Shape::Sinusoid(0.2), Shape::Sinusoid(0.25), Shape::Narrow(0.08)], 0.15, 0.08);
}

/// Of a sinusoid (`Z²_1` of 101 above its noise) with all three searched: how many of each are within their errors.
fn covered_by_jerk(accelerated: bool, trials: usize, seed: u64) -> [usize; 3] {
    let (mut random, mut backend, mut counts, told) = (Random::new(seed), cpu(), [0; 3], Progress::default());
    for _ in 0..trials {
        let mut about = |by: f64| by * (random.uniform() - 0.5);
        let truth = [5.0 + about(1.0 / LENGTH), about(2e-6), about(2e-8)];
        let near = [truth[0] + about(1.0 / LENGTH), truth[1] + about(3.0 / LENGTH.powi(2)), truth[2] + about(2e-8)];
        let times = pulsar(&mut random, 1.0, LENGTH, 0.45, truth);
        let range = |i: usize, wide: f64| (near[i] - wide, near[i] + wide);
        // As wide as six errors at least: they are 2.5·0.04/T, 0.34/T² and 4/T³.
        let (freq, fdot, fddot) =
            (range(0, 2.0 / LENGTH), range(1, 12.0 / LENGTH.powi(2)), range(2, 60.0 / LENGTH.powi(3)));
        let found = if accelerated {
            let asked = AccelOptions { freq, fdot, fddot, nharm: 1, candidates: 1, ..AccelOptions::default() };
            accel(events(&times, &[(0.0, LENGTH)]), &asked, backend.as_mut(), &told)
        } else {
            let (fdot, fddot, oversample) = (Some(fdot), Some(fddot), Some(6.0));
            let asked =
                SearchOptions { freq, fdot, fddot, nharm: 1, oversample, candidates: 1, ..SearchOptions::default() };
            search(events(&times, &[(0.0, LENGTH)]), &asked, backend.as_mut(), &told)
        };
        let one = found.unwrap().candidates.swap_remove(0);
        counts[0] += usize::from((one.freq - truth[0]).abs() < one.freq_err);
        counts[1] += usize::from((one.fdot - truth[1]).abs() < one.fdot_err.unwrap());
        counts[2] += usize::from((one.fddot - truth[2]).abs() < one.fddot_err.unwrap());
    }
    counts
}

fn hold_jerk(trials: usize, each: f64) {
    for (name, accelerated) in [("Z²_1", false), ("accel", true)] {
        let parts = covered_by_jerk(accelerated, trials, 290).map(|n| n as f64 / trials as f64);
        eprintln!("| {name} | {:.1} | {:.1} | {:.1} |", 100.0 * parts[0], 100.0 * parts[1], 100.0 * parts[2]);
        assert!(parts.iter().all(|part| (part - 0.6827).abs() < each), "{name}: {parts:?}");
    }
}

/// 60 have a standard deviation of 6 %.
#[test]
fn errors_of_second_derivatives_cover() {
    hold_jerk(60, 0.2);
}

#[test]
#[ignore = "many minutes, and not run whole yet; 60 of each always run"]
fn second_derivatives_of_a_thousand_cover() {
    hold_jerk(1000, 0.05);
}

#[test]
#[ignore = "many minutes, and not run whole yet; 40 of each were"]
fn a_thousand_by_accel_cover() {
    hold(&[7], 1000, &[Shape::Sinusoid(0.45), Shape::Narrow(0.2)], 0.05, 0.03);
}

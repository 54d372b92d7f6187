//! The statistics against references of 60 digits (tests/data/statistics.csv, made by tests/peer/statistics.py), against their
//! own inverses, and against simulated observations.

use std::collections::BTreeMap;

use eagleray::science::AveragedPowerSpectrum;
use eagleray::science::statistics::{chi_square, detection, dispersion, normal, poisson, pulsed};
use eagleray::simulate::{Simulation, VariabilityTerm};
use eagleray::{Gti, Observation, PowerSpectrum, Session};

/// Of p, so an absolute bound of ln p.
const BOUND: f64 = 1e-10;

#[test]
fn probabilities_agree_with_mpmath_to_1e_10_down_to_1e_300_and_beyond() {
    let mut worst: BTreeMap<&str, (f64, &str)> = BTreeMap::new();
    for line in include_str!("../data/statistics.csv").lines().filter(|l| !l.starts_with('#')) {
        let (name, values) = line.split_once(',').unwrap();
        let v: Vec<f64> = values.split(',').map(|x| x.parse().unwrap()).collect();
        let ln_p = match name {
            "chi_square_sf" => chi_square::ln_sf(v[0], v[1]),
            "chi_square_cdf" => chi_square::ln_cdf(v[0], v[1]),
            "normal_sf" => normal::ln_sf(v[0]),
            "poisson_at_least" => poisson::ln_at_least(v[0] as u64, v[1]),
            "poisson_at_most" => poisson::ln_at_most(v[0] as u64, v[1]),
            "noncentral_cdf" => chi_square::noncentral_ln_cdf(v[0], v[1], v[2]),
            "dispersion_cdf" => dispersion::ln_cdf(v[0], v[1], v[2]),
            "any_trial" => detection::ln_any(v[0], v[1]),
            _ => panic!("{name}"),
        };
        let expected = v[v.len() - 1];
        // Where p is nearly 1, what counts is 1 − p.
        let unit = expected.abs().min(1.0);
        let error = ((ln_p - expected) / unit).abs();
        // NaN must fail.
        assert!(error < BOUND, "{line}: {ln_p}, off by {error:e}");
        let entry = worst.entry(name).or_insert((0.0, line));
        if error > entry.0 {
            *entry = (error, line);
        }
    }
    assert_eq!(worst.len(), 8);
    for (name, (error, line)) in worst {
        println!("{name}: relative error of p at most {error:.1e}, at {line}");
    }
}

#[test]
fn quantiles_return_the_probabilities_of_the_references() {
    for line in include_str!("../data/statistics.csv").lines().filter(|l| l.starts_with("chi_square")) {
        let (name, values) = line.split_once(',').unwrap();
        let v: Vec<f64> = values.split(',').map(|x| x.parse().unwrap()).collect();
        let inverse = if name == "chi_square_sf" { chi_square::ln_isf } else { chi_square::ln_ppf };
        let x = inverse(v[2], v[1]);
        assert!((x / v[0] - 1.0).abs() < 1e-12, "{line}: {x}");
    }
}

/// The averaged spectrum of a simulated source, white noise of 2.
fn spectrum(simulation: &Simulation, dt: f64, segment_size: f64) -> AveragedPowerSpectrum {
    let times: Vec<f64> = simulation.events().unwrap().iter().map(|e| e.time - simulation.start()).collect();
    let observation = Observation::times(times, Gti::from_seconds(&[(0.0, simulation.length)]).unwrap());
    let analysis = PowerSpectrum::default().dt(dt).segment_size(segment_size);
    Session::cpu().unwrap().run(&analysis, &observation).unwrap()
}

/// Probabilities of white noise are uniform: as many as 1 in 100 is below 1 %, in spectra of one and of many segments.
#[test]
fn white_noise_reaches_its_false_alarm_levels_as_often_as_said() {
    let simulation = Simulation { rate: vec![2000.0], length: 512.0, seed: 3, ..Simulation::default() };
    for (segment_size, values) in [(512.0, 1), (16.0, 32)] {
        let s = spectrum(&simulation, 1.0 / 256.0, segment_size);
        for p in [0.5, 0.1, 0.01] {
            let level = detection::detection_power(f64::ln(p), values, 1.0);
            let above = s.power.iter().filter(|&&power| power > level).count() as f64;
            let expected = p * s.len() as f64;
            assert!((above - expected).abs() < 4.0 * (expected * (1.0 - p)).sqrt(), "{values} {p}: {above} {expected}");
        }
    }
}

#[test]
fn a_pulsation_has_the_power_of_its_amplitude() {
    // 100 Hz is in the middle of a frequency bin; bins of 1/256 s take 58 % of its power.
    let (f, a, dt) = (100.0, 0.3, 1.0 / 256.0);
    let simulation = Simulation {
        rate: vec![1000.0],
        length: 1600.0,
        seed: 9,
        model: vec![VariabilityTerm::Pulsar { frequency: f, pulsed_fraction: a }],
        ..Simulation::default()
    };
    let s = spectrum(&simulation, dt, 16.0);
    let k = s.peak().unwrap();
    assert_eq!(s.freq[k], f);
    let loss = pulsed::binning_loss(f, dt);
    let expected = pulsed::power(a, s.meta.nphots, loss);
    // Noncentral χ²: variance (4 + 4·signal)/m.
    let sigma = ((4.0 + 4.0 * expected) / s.meta.segments as f64).sqrt();
    assert!((s.power[k] - 2.0 - expected).abs() < 4.0 * sigma, "{} {expected} ± {sigma}", s.power[k] - 2.0);
    assert!((pulsed::amplitude(s.power[k] - 2.0, s.meta.nphots, loss) - a).abs() < 4.0 * a * sigma / expected / 2.0);
    assert!(expected * 1.5 < pulsed::power(a, s.meta.nphots, 1.0), "the loss by binning matters here");
}

/// One photon a segment: the errors of the noise-subtracted variance still cover 68 %, since the number of photons fluctuates
/// in the powers and in their noise level alike.
#[test]
fn errors_of_the_rms_cover_68_percent_with_one_photon_a_segment() {
    let runs = 500;
    let (mut inside, mut sum, mut error) = (0, 0.0, 0.0);
    for seed in 0..runs {
        let simulation = Simulation { rate: vec![1.0], length: 400.0, seed, ..Simulation::default() };
        let r = spectrum(&simulation, 1.0 / 32.0, 1.0).rms(0.0, 16.0).unwrap();
        inside += u32::from(r.rms_variance.abs() < r.rms_variance_err);
        sum += r.rms_variance;
        error += r.rms_variance_err;
    }
    let covered = f64::from(inside) / runs as f64;
    assert!((covered - 0.683).abs() < 0.07, "{covered}");
    // The mean error over √runs is the error of the mean.
    assert!(sum.abs() < 4.0 * error / (runs as f64).sqrt(), "{sum} {error}");
}

//! Lags, covariance, rms and excess variance against the truth of a simulated source, and whether their errors are right.
//!
//! `EAGLERAY_TRIALS=2000 cargo test --release --test library energy_errors:: -- --nocapture` makes as many estimates of each as
//! `docs/results/errors.md` tells of; without it fewer are made, with wider bounds.

use std::f64::consts::TAU;

use crate::common::fits_file::{Column, Folder, events, file, gti};
use crate::common::front::threads;
use crate::common::lagged::{self, Lagged, Pulls, TWO_HERTZ, of_unequal_rates, trials};
use eagleray::files::OpenOptions;
use eagleray::science::{Band, EnergyKind, EnergySpectrum, Norm};
use eagleray::{EnergyBands, EnergyDependence, Observation, PowerSpectrum};
use realfft::num_complex::Complex;

/// A file of photons. Those of the subject have channel 1, the others channel 2.
fn observation(folder: &Folder, times: &[Vec<f64>; 2], source: &Lagged) -> Observation {
    let of = |(channel, times): (u8, &Vec<f64>)| times.iter().map(|&t| (t, channel)).collect::<Vec<_>>();
    let mut photons: Vec<(f64, u8)> = (1..).zip(times).flat_map(of).collect();
    photons.sort_by(|a, b| a.0.total_cmp(&b.0));
    let (times, channels): (Vec<f64>, Vec<u8>) = photons.into_iter().unzip();
    let size = source.segment_size();
    let end = size * (times[times.len() - 1] / size).ceil();
    let events = events(vec![Column::f64("TIME", &times), Column::u8("PI", &channels)]);
    folder.observe(&file(&[events, gti(&[(0.0, end)])]), &OpenOptions::default()).unwrap()
}

fn measure(of: &Observation, source: &Lagged, kind: EnergyKind, freq: [f64; 2], reference: Band) -> EnergySpectrum {
    let bands = EnergyBands { reference, subjects: vec![Band { lo: 1.0, hi: 1.0 }], channels: true };
    let analysis = EnergyDependence::new(kind, bands).dt(source.dt).segment_size(source.segment_size()).freq(freq);
    threads(1).run(&analysis, of).unwrap()
}

/// All photons are the reference, which those of the subject leave.
const ALL: Band = Band { lo: 1.0, hi: 2.0 };
const OTHERS: Band = Band { lo: 2.0, hi: 2.0 };

fn column(spectrum: &EnergySpectrum, name: &str) -> f64 {
    spectrum.columns.iter().find(|c| c.name == name).unwrap_or_else(|| panic!("no column {name}")).values[0]
}

/// Estimates of everything, with the truth: one estimate of each kind from each observation.
fn check(what: &str, source: &Lagged, segments: usize, freq: [f64; 2], kinds: &[EnergyKind]) {
    let expected = &source.expected()[source.band(freq[0], freq[1])];
    let df = 1.0 / source.segment_size();
    let cross: Complex<f64> = expected.iter().map(|e| e.cross).sum();
    let [subject, reference] = [0, 1].map(|i| expected.iter().map(|e| e.source[i]).sum::<f64>());
    // Amplitudes in counts become counts/s.
    let unit = (2.0 * df).sqrt() * df.sqrt();
    let covariance = cross * (unit / reference.sqrt());
    let variance = subject * unit * unit / source.rates[0].powi(2);
    let one = |observer: &mut lagged::Observer, seed: u64| {
        let folder = Folder::new();
        let observation = observation(&folder, &observer.observe(segments, seed), source);
        let mut estimates = Vec::new();
        for &kind in kinds {
            let s = measure(&observation, source, kind, freq, ALL);
            estimates.extend(match kind {
                EnergyKind::Lag => vec![
                    ("time lag", s.value[0], s.value_err[0], source.lag),
                    ("phase lag", column(&s, "lag_phase"), column(&s, "lag_phase_err"), cross.arg()),
                ],
                EnergyKind::Covariance => vec![
                    ("covariance", s.value[0], s.value_err[0], covariance.norm()),
                    ("its real part", column(&s, "covariance_re"), column(&s, "covariance_re_err"), covariance.re),
                    ("its imaginary part", column(&s, "covariance_im"), column(&s, "covariance_im_err"), covariance.im),
                ],
                EnergyKind::Rms => vec![("rms", s.value[0], s.value_err[0], variance.sqrt())],
                EnergyKind::Excvar => vec![("excess variance", s.value[0], s.value_err[0], variance)],
                EnergyKind::Count => vec![],
            });
        }
        estimates
    };
    // Not rayon's threads, which work for readers of files and would take up the next observation in between.
    let threads = std::thread::available_parallelism().map_or(1, |count| count.get());
    let all: Vec<_> = std::thread::scope(|scope| {
        let share = |first: u64| {
            let one = &one;
            scope.spawn(move || {
                let mut observer = source.observer();
                (first..trials()).step_by(threads).map(|seed| one(&mut observer, seed)).collect::<Vec<_>>()
            })
        };
        let shares: Vec<_> = (0..threads as u64).map(share).collect();
        shares.into_iter().flat_map(|share| share.join().unwrap()).collect()
    });
    for i in 0..all[0].len() {
        let mut pulls = Pulls::default();
        all.iter().for_each(|estimates| pulls.add(estimates[i].1, estimates[i].2, estimates[i].3));
        pulls.check(&format!("{what}, {}", all[0][i].0));
    }
}

use EnergyKind::{Covariance, Excvar, Lag, Rms};

#[test]
fn around_two_hertz() {
    check("2 Hz, 200 segments", &TWO_HERTZ, 200, [1.5, 2.5], &[Lag, Covariance, Rms, Excvar]);
}

/// Over a decade and a half of red noise the errors are not those of the means of powers: these are too small.
#[test]
fn over_red_noise() {
    let red = Lagged { shape: [0.0, 0.5], lag: 0.02, ..TWO_HERTZ };
    check("red noise, 200 segments", &red, 200, [0.125, 5.0], &[Lag, Covariance]);
    for (rates, least) in [(red.rates, 1.1), ([1000.0, 2000.0], 1.8)] {
        let source = Lagged { rates, ..red };
        let expected = &source.expected()[source.band(0.125, 5.0)];
        let power = |e: &lagged::Expected, i: usize| e.source[i] + e.noise[i];
        let count = expected.len() as f64;
        let mean = |of: &dyn Fn(&lagged::Expected) -> f64| expected.iter().map(of).sum::<f64>() / count;
        let cross = expected.iter().map(|e| e.cross).sum::<Complex<f64>>() / count;
        let direction = (cross / cross.norm()).conj();
        let right = mean(&|e| power(e, 0) * power(e, 1) - (e.cross * e.cross * direction * direction).re);
        let of_means = mean(&|e| power(e, 0)) * mean(&|e| power(e, 1)) - cross.norm_sqr();
        let ratio = (right / of_means).sqrt();
        eprintln!("red noise, {rates:?} counts/s: errors from means of powers are too small by a factor of {ratio:.2}");
        assert!(ratio > least);
    }
}

/// Two long segments with many frequencies are as good as many segments with few.
#[test]
fn with_two_segments() {
    let flat = Lagged { n: 4096, shape: [8.0, 8.0], lag: 0.002, ..TWO_HERTZ };
    check("2 segments of 128 s", &flat, 2, [5.0, 11.0], &[Lag, Covariance]);
}

/// A subject inside the reference leaves it: what is left is the rest of the reference, to the last digits.
#[test]
fn a_subject_inside_the_reference_leaves_it() {
    let (folder, times) = (Folder::new(), TWO_HERTZ.observer().observe(60, 5));
    let observation = observation(&folder, &times, &TWO_HERTZ);
    for kind in [Lag, Covariance, Rms, Excvar] {
        let [inside, apart] =
            [ALL, OTHERS].map(|reference| measure(&observation, &TWO_HERTZ, kind, [1.5, 2.5], reference));
        let values = |s: &EnergySpectrum| {
            let others = s.columns.iter().map(|c| c.values[0]);
            [s.value[0], s.value_err[0]].into_iter().chain(others).collect::<Vec<_>>()
        };
        for (a, b) in values(&inside).into_iter().zip(values(&apart)) {
            assert!((a - b).abs() <= 1e-9 * b.abs() || a.is_nan() && b.is_nan(), "{kind:?}: {a} {b}");
        }
        // Every photon is read and used once, also where two bands have it.
        let photons = &inside.meta.record.photons;
        assert_eq!((photons.read, photons.used), (times.concat().len() as u64, times.concat().len() as u64));
        assert_eq!(&apart.meta.record.photons, photons);
        assert_eq!(inside.counts, [times[0].len() as u64]);
    }
}

/// The phase of the mean cross spectrum is the truth's when photons are shared and taken out; with them left in it is drawn to 0.
#[test]
fn shared_photons_would_spoil_the_lag() {
    let folder = Folder::new();
    let observation = observation(&folder, &TWO_HERTZ.observer().observe(2000, 6), &TWO_HERTZ);
    let s = measure(&observation, &TWO_HERTZ, Lag, [1.5, 2.5], ALL);
    let (lag, error) = (s.value[0], s.value_err[0]);
    assert!((lag - 0.05).abs() < 4.0 * error && error < 0.001, "{lag} ± {error}");
    let band = &TWO_HERTZ.expected()[TWO_HERTZ.band(1.5, 2.5)];
    let spoiled: Complex<f64> = band.iter().map(|e| e.cross + e.source[0] + e.noise[0]).sum();
    assert!(spoiled.arg() / (TAU * 2.0) < 0.6 * lag, "what is tested matters: {}", spoiled.arg());
}

/// In segments of unlike rates the excess variance has the error that the power spectrum of the same photons has, by the weights of the source, and not that of noise, 1.48 times
/// less; lags and covariances have that of noise, and say so.
#[test]
fn errors_of_unequal_rates_are_those_of_the_source_or_said() {
    let (times, segments) = of_unequal_rates(0.3, 50);
    let (folder, band, size) = (Folder::new(), [1.5, 2.5], TWO_HERTZ.segment_size());
    let all = observation(&folder, &times, &TWO_HERTZ);
    let of = |kind: EnergyKind| measure(&all, &TWO_HERTZ, kind, band, OTHERS);
    let variance = of(Excvar);
    let subject = Observation::times(times[0].clone(), TWO_HERTZ.gti(segments));
    let analysis = PowerSpectrum::default().dt(TWO_HERTZ.dt).segment_size(size).norm(Norm::Frac);
    let power = threads(1).run(&analysis, &subject).unwrap();
    let [lo, hi] = band.map(|edge| edge - 0.5 / size);
    let rms = power.rms(lo, hi).unwrap();
    let unit = variance.value[0] / rms.rms_variance;
    let noise = rms.rms_variance_err * unit / variance.value_err[0];
    assert!((noise - 1.0).abs() < 1e-9, "{noise} times the error of the excess variance");
    let plain: f64 =
        power.power.iter().zip(&power.freq).filter(|(_, f)| (lo..hi).contains(f)).map(|(p, _)| p * p).sum();
    let ratio = rms.rms_variance_err / (plain / power.meta.effective.m_eff).sqrt() * size;
    assert!((1.2..1.49).contains(&ratio), "{ratio} times the error of noise");
    let said = |spectrum: &EnergySpectrum| {
        spectrum.meta.record.warnings.iter().filter(|warning| warning.code == "W-UNEQUAL-RATES").count()
    };
    assert_eq!([Lag, Covariance, Excvar, Rms].map(|kind| said(&of(kind))), [1, 1, 0, 0]);
    let (constant, _) = of_unequal_rates(0.0, 51);
    let folder = Folder::new();
    let constant = observation(&folder, &constant, &TWO_HERTZ);
    assert_eq!(said(&measure(&constant, &TWO_HERTZ, Covariance, band, OTHERS)), 0);
}

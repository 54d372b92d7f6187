//! Lags, covariance, rms and excess variance against the truth of a simulated source, and whether their errors are right.
//!
//! `EAGLERAY_TRIALS=2000 cargo test --release --test library energy_errors:: -- --nocapture` makes as many estimates of each as
//! `docs/results/errors.md` tells of; without it fewer are made, with wider bounds.

use crate::common::lagged;
use std::f64::consts::TAU;
use std::num::NonZeroUsize;

use crate::common::lagged::{Lagged, Pulls, TWO_HERTZ, trials};
use eagleray::data::ChannelRange;
use eagleray::internal::backend::cpu::CpuBackend;
use eagleray::{
    Band, EnergyBands, EnergyKind, EnergySpectrum, EnergySpectrumOptions, Events, Progress, Warnings,
    energy_spectrum_of_events,
};
use rayon::prelude::*;
use realfft::num_complex::Complex;

/// Photons of the subject have channel 1, the others channel 2.
fn measure(times: &[Vec<f64>; 2], source: &Lagged, options: &EnergySpectrumOptions, reference: Band) -> EnergySpectrum {
    let channels: Vec<f64> = times[0].iter().map(|_| 1.0).chain(times[1].iter().map(|_| 2.0)).collect();
    let bands = EnergyBands { reference, subjects: vec![Band { lo: 1.0, hi: 1.0 }], channels: true };
    let ranges = [reference, bands.subjects[0]].map(|b| ChannelRange::channels(b.lo, b.hi));
    let segments = (times[1][times[1].len() - 1] / source.segment_size()).ceil() as usize;
    let mut warnings = Warnings::default();
    let input =
        Events::from_channels(&times.concat(), &channels, &ranges, source.gti(segments), &mut warnings).unwrap();
    let options =
        EnergySpectrumOptions { dt: Some(source.dt), segment_size: Some(source.segment_size()), ..options.clone() };
    let mut cpu = CpuBackend::new(NonZeroUsize::new(1)).unwrap();
    energy_spectrum_of_events(vec![input], &bands, &options, &mut cpu, warnings, &Progress::default()).unwrap()
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
        let times = observer.observe(segments, seed);
        let mut estimates = Vec::new();
        for &kind in kinds {
            let options = EnergySpectrumOptions::new(kind, Some(freq));
            let s = measure(&times, source, &options, ALL);
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
    let all: Vec<_> = (0..trials()).into_par_iter().map_init(|| source.observer(), one).collect();
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
    let times = TWO_HERTZ.observer().observe(60, 5);
    for kind in [Lag, Covariance, Rms, Excvar] {
        let options = EnergySpectrumOptions::new(kind, Some([1.5, 2.5]));
        let [inside, apart] = [ALL, OTHERS].map(|reference| measure(&times, &TWO_HERTZ, &options, reference));
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
    let times = TWO_HERTZ.observer().observe(2000, 6);
    let options = EnergySpectrumOptions::new(Lag, Some([1.5, 2.5]));
    let s = measure(&times, &TWO_HERTZ, &options, ALL);
    let (lag, error) = (s.value[0], s.value_err[0]);
    assert!((lag - 0.05).abs() < 4.0 * error && error < 0.001, "{lag} ± {error}");
    let band = &TWO_HERTZ.expected()[TWO_HERTZ.band(1.5, 2.5)];
    let spoiled: Complex<f64> = band.iter().map(|e| e.cross + e.source[0] + e.noise[0]).sum();
    assert!(spoiled.arg() / (TAU * 2.0) < 0.6 * lag, "what is tested matters: {}", spoiled.arg());
}

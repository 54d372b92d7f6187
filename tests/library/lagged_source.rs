//! The simulated source of `common/lagged.rs` has the powers and cross spectrum that it says, so that what is tested with it is.

use crate::common::front::{pair_of_times, threads};
use crate::common::lagged::{self, Lagged, Pulls, TWO_HERTZ, trials};
use eagleray::science::AveragedCrossSpectrum;
use eagleray::{CrossSpectrum, Gti, Norm, Rebin, Session};
use rayon::prelude::*;
use realfft::num_complex::Complex;

/// Over all estimates together each frequency has the powers expected, within what m values allow.
#[test]
fn powers_and_cross_spectra_are_the_expected_ones() {
    const SEGMENTS: usize = 200;
    let source = TWO_HERTZ;
    let analysis = CrossSpectrum::default().dt(source.dt).segment_size(source.segment_size()).norm(Norm::None);
    let one = |(observer, session): &mut (lagged::Observer, Session), seed: u64| {
        let [subject, reference] = observer.observe(SEGMENTS, seed);
        session.run(&analysis, &pair_of_times(&subject, &reference, &source.gti(SEGMENTS))).unwrap()
    };
    let prepare = || (source.observer(), threads(1));
    let spectra: Vec<_> = (0..trials() / 10).into_par_iter().map_init(prepare, one).collect();
    let expected = source.expected();
    let mut pulls = [Pulls::default(), Pulls::default(), Pulls::default(), Pulls::default()];
    for (k, e) in expected.iter().enumerate().skip(1) {
        let mean =
            |of: &dyn Fn(&AveragedCrossSpectrum) -> f64| spectra.iter().map(of).sum::<f64>() / spectra.len() as f64;
        let values = (spectra.len() * SEGMENTS) as f64;
        let power = [0, 1].map(|i| e.source[i] + e.noise[i]);
        let product = power[0] * power[1];
        let cross = Complex::new(mean(&|s| s.power_re[k - 1]), mean(&|s| s.power_im[k - 1]));
        let square = e.cross.re.powi(2) - e.cross.im.powi(2);
        let truth = [
            (mean(&|s| s.power1[k - 1]), power[0], power[0]),
            (mean(&|s| s.power2[k - 1]), power[1], power[1]),
            (cross.re, e.cross.re, ((product + square) / 2.0).sqrt()),
            (cross.im, e.cross.im, ((product - square) / 2.0).sqrt()),
        ];
        for (pulls, (value, truth, deviation)) in pulls.iter_mut().zip(truth) {
            pulls.add(value, deviation / values.sqrt(), truth);
        }
    }
    for (pulls, what) in pulls.iter().zip(["power of the subject", "power of the reference", "real part", "imaginary"])
    {
        pulls.check(what);
    }
}

/// The lag of a band is that of its bins combined, however they were combined before, and that of the source.
#[test]
fn the_lag_of_a_band_is_that_of_its_frequencies() {
    const SEGMENTS: usize = 400;
    let (source, session) = (TWO_HERTZ, threads(1));
    let [subject, reference] = source.observer().observe(SEGMENTS, 5);
    let analysis = CrossSpectrum::default().dt(source.dt).segment_size(source.segment_size());
    let spectrum = session.run(&analysis, &pair_of_times(&subject, &reference, &source.gti(SEGMENTS))).unwrap();
    let (whole, all) =
        (spectrum.rebin(Rebin::Linear(spectrum.len())).unwrap(), spectrum.lag(0.0, f64::INFINITY).unwrap());
    let coarse = spectrum.rebin(Rebin::Linear(3)).unwrap().lag(0.0, f64::INFINITY).unwrap();
    for band in [all, coarse] {
        assert_eq!(band.m, whole.m[0]);
        for (a, b) in [
            (band.freq, whole.freq[0]),
            (band.lag_phase, whole.lag_phase[0]),
            (band.lag_phase_err, whole.lag_phase_err[0]),
            (band.lag_time, whole.lag_time[0]),
            (band.coherence_raw, whole.coherence_raw[0]),
            (band.coherence_intrinsic_err, whole.coherence_intrinsic_err[0]),
        ] {
            assert!((a - b).abs() <= 1e-9 * b.abs(), "{a} {b}");
        }
    }
    let near = spectrum.lag(1.5, 2.5).unwrap();
    assert!((near.lag_time - source.lag).abs() < 4.0 * near.lag_time_err, "{near:?}");
    assert!(near.lag_time_err < 0.2 * source.lag, "{near:?}");
    assert!(spectrum.lag(1e6, 2e6).is_err());
}

/// A constant delay of a red source over a wide band: the time lag is that delay, of the band, of one bin for all, and of halves
/// joined, also where phases reach π at 6 Hz. By the mean frequency it would be a sixth of it.
#[test]
fn a_delay_of_a_red_source_over_a_wide_band_is_the_delay() {
    for lag in [0.02, 0.08] {
        delay_of_a_red_source(lag);
    }
}

fn delay_of_a_red_source(lag: f64) {
    const SEGMENTS: usize = 200;
    let source = Lagged { shape: [0.0, 1.0], lag, coherence: 0.9, ..TWO_HERTZ };
    let session = threads(1);
    let analysis = CrossSpectrum::default().dt(source.dt).segment_size(source.segment_size());
    let mut observer = source.observer();
    let (mut pulls, mut shares) = ([0.0; 3], [0.0; 3]);
    const SEEDS: u64 = 16;
    for seed in 0..SEEDS {
        let [subject, reference] = observer.observe(SEGMENTS, 40 + seed);
        let run = |shift: f64| {
            let moved = [&subject, &reference].map(|times| times.iter().map(|t| t + shift).collect::<Vec<f64>>());
            let end = shift + SEGMENTS as f64 * source.segment_size();
            let gti = Gti::from_seconds(&[(shift, end)]).unwrap();
            session.run(&analysis, &pair_of_times(&moved[0], &moved[1], &gti)).unwrap()
        };
        let spectrum = run(0.0);
        let one = |s: &AveragedCrossSpectrum| s.rebin(Rebin::Linear(s.len())).unwrap();
        let band = spectrum.lag(0.0, f64::INFINITY).unwrap();
        let whole = one(&spectrum);
        let joined = AveragedCrossSpectrum::join(&[one(&spectrum), one(&run(4096.0))]).unwrap();
        assert!(band.freq > 7.0, "the mean frequency: {}", band.freq);
        let found = [
            (band.lag_time, band.lag_time_err),
            (whole.lag_time[0], whole.lag_time_err[0]),
            (joined.lag_time[0], joined.lag_time_err[0] * 2f64.sqrt()),
        ];
        for (i, (lag, error)) in found.into_iter().enumerate() {
            pulls[i] += (lag - source.lag) / error / (SEEDS as f64).sqrt();
            shares[i] += ((lag - source.lag) / error).powi(2) / SEEDS as f64;
        }
    }
    // A bias of the arctangent of a sum, and the scatter, which is that of 16 values.
    for (pull, share) in pulls.into_iter().zip(shares) {
        assert!(pull.abs() < 4.0, "{lag}: {pulls:?}");
        assert!((0.4..2.2).contains(&share), "{lag}: {shares:?}");
    }
}

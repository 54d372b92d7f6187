use std::f64::consts::TAU;

use super::*;
use crate::base::random::Random;

fn context(n: usize, segment_size: f64) -> SpectrumContext {
    SpectrumContext { n, dt: 0.25, segment_size, ..SpectrumContext::default() }
}

/// A series of 400 s with gaps, a sinusoid of 0.31 Hz that came `late` seconds later, and noise; its errors differ.
fn series(seed: u64, late: f64) -> (Vec<f64>, Vec<f64>, Vec<f64>) {
    let mut random = Random::new(seed);
    let time: Vec<f64> = (0..1600)
        .map(|i| 0.125 + 0.25 * f64::from(i))
        .filter(|t| !(70.0..115.0).contains(t) && !(200.0..240.0).contains(t))
        .filter(|t| (t * 7.3).sin() > -0.8)
        .collect();
    let error: Vec<f64> = time.iter().map(|t| 1.0 + (t * 0.37).cos().abs()).collect();
    let value = time.iter().zip(&error).map(|(t, e)| {
        // Twelve uniforms are as good as normal.
        let noise: f64 = (0..12).map(|_| random.uniform()).sum::<f64>() - 6.0;
        20.0 + 3.0 * (TAU * 0.31 * (t - late)).cos() + e * noise
    });
    let value = value.collect();
    (time, value, error)
}

/// The reduction of χ² by `a cos + b sin (+ c)`, from the normal equations.
fn reduction(time: &[f64], value: &[f64], weight: &[f64], f: f64, floating: bool) -> f64 {
    let total: f64 = weight.iter().sum();
    let mean = weight.iter().zip(value).map(|(w, y)| w * y).sum::<f64>() / total;
    let columns = if floating { 3 } else { 2 };
    let (mut a, mut b) = ([[0.0; 3]; 3], [0.0; 3]);
    for (t, (y, w)) in time.iter().zip(value.iter().zip(weight)) {
        let (sin, cos) = (TAU * f * t).sin_cos();
        let basis = [cos, sin, 1.0];
        for i in 0..columns {
            (0..columns).for_each(|j| a[i][j] += w * basis[i] * basis[j]);
            b[i] += w * basis[i] * (y - mean);
        }
    }
    let (right, mut x) = (b, [0.0; 3]);
    for i in 0..columns {
        for j in i + 1..columns {
            let factor = a[j][i] / a[i][i];
            (i..columns).for_each(|k| a[j][k] -= factor * a[i][k]);
            b[j] -= factor * b[i];
        }
    }
    for i in (0..columns).rev() {
        x[i] = (b[i] - (i + 1..columns).map(|k| a[i][k] * x[k]).sum::<f64>()) / a[i][i];
    }
    (0..columns).map(|i| x[i] * right[i]).sum()
}

#[test]
fn leahy_power_is_the_reduction_of_chi_square() {
    let (time, value, error) = series(1, 0.0);
    let samples = UnevenSeries { time: &time, value: &value, error: &error, exposed: &[], dt: 0.25 };
    for (weighted, floating_mean, oversample) in
        [(true, true, 1.0), (true, false, 3.0), (false, true, 2.5), (false, false, 1.0)]
    {
        for method in [LombScargleMethod::Direct, LombScargleMethod::Fast] {
            let options =
                LombScargleOptions { weighted, floating_mean, oversample, method, ..LombScargleOptions::default() };
            let spectrum = power_spectrum(samples, &options, Rebin::None, &Default::default(), context).unwrap();
            let squares = error.iter().map(|e| e * e).sum::<f64>() / error.len() as f64;
            let weight: Vec<f64> = error.iter().map(|e| if weighted { e.powi(-2) } else { 1.0 / squares }).collect();
            for k in (0..spectrum.len()).step_by(37) {
                // Times in the spectrum begin at the first edge; power does not depend on that.
                let expected = reduction(&time, &value, &weight, spectrum.freq[k], floating_mean);
                let error = (spectrum.power[k] - expected).abs();
                assert!(
                    error < 1e-9 * expected.max(1.0),
                    "{options:?} {}: {} {expected}",
                    spectrum.freq[k],
                    spectrum.power[k]
                );
            }
            assert!((spectrum.freq[spectrum.peak().unwrap()] - 0.31).abs() < 0.003);
            assert_eq!(spectrum.noise[0], spectrum.meta.noise_mean);
            assert!((spectrum.meta.noise_mean - 2.0).abs() < 1e-12);
        }
    }
}

#[test]
fn evenly_sampled_series_have_their_periodogram() {
    let mut random = Random::new(9);
    for n in [16usize, 33, 200] {
        let time: Vec<f64> = (0..n).map(|i| (i as f64 + 0.5) * 0.25).collect();
        let value: Vec<f64> = (0..n).map(|_| random.below(30) as f64).collect();
        let samples = UnevenSeries { time: &time, value: &value, error: &[], exposed: &[], dt: 0.25 };
        let amplitude = |k: usize| -> Complex<f64> {
            let term = |(j, x): (usize, &f64)| Complex::from_polar(*x, -TAU * (j * k % n) as f64 / n as f64);
            value.iter().enumerate().map(term).sum()
        };
        for method in [LombScargleMethod::Direct, LombScargleMethod::Fast] {
            for norm in [Norm::None, Norm::Leahy, Norm::Frac, Norm::Abs] {
                let options = LombScargleOptions { method, norm, ..LombScargleOptions::default() };
                let spectrum = power_spectrum(samples, &options, Rebin::None, &Default::default(), context).unwrap();
                assert_eq!(spectrum.len(), n.div_ceil(2) - 1);
                let mean = value.iter().sum::<f64>() / n as f64;
                let factor = norm.factor(&NormParameters { n, dt: 0.25, mean, background: 0.0, variance: None });
                for k in 1..n.div_ceil(2) {
                    let expected = amplitude(k).norm_sqr();
                    assert!((spectrum.unnorm_power[k - 1] - expected).abs() < 1e-9 * expected.max(1.0), "{n} {k}");
                    let power = spectrum.power[k - 1];
                    assert!((power - expected * factor).abs() < 1e-9 * (expected * factor).max(factor));
                    assert!((spectrum.freq[k - 1] - k as f64 / (n as f64 * 0.25)).abs() < 1e-12);
                }
            }
            // LombScargleAmplitudes have the phases of the transform, too: of a shifted series, too.
            let shift = 1.75;
            let later: Vec<f64> = time.iter().map(|t| t + shift).collect();
            let other = UnevenSeries { time: &later, ..samples };
            let options = LombScargleOptions { method, norm: Norm::None, ..LombScargleOptions::default() };
            let cross =
                cross_spectrum(other, samples, &options, Rebin::None, &Default::default(), Default::default()).unwrap();
            for (i, f) in cross.freq.iter().enumerate() {
                let lag = Complex::from_polar(1.0, cross.lag_phase()[i] - TAU * f * shift);
                let strong = cross.power1[i] > 1e-6;
                assert!(!strong || lag.arg().abs() < 1e-6, "{n} {f}: {lag}");
            }
        }
    }
}

#[test]
fn a_late_subject_has_positive_lags_though_the_bins_differ() {
    let (late, early) = (series(2, 0.4), series(3, 0.0));
    // Every third bin of the reference is missing.
    let keep = |list: &[f64]| {
        list.iter().copied().enumerate().filter(|(i, _)| i % 3 != 1).map(|(_, x)| x).collect::<Vec<f64>>()
    };
    let (time, value) = (keep(&early.0), keep(&early.1));
    let subject = UnevenSeries { time: &late.0, value: &late.1, error: &[], exposed: &[], dt: 0.25 };
    let reference = UnevenSeries { time: &time, value: &value, error: &[], exposed: &[], dt: 0.25 };
    let cross = cross_spectrum(
        subject,
        reference,
        &LombScargleOptions::default(),
        Rebin::None,
        &Default::default(),
        Default::default(),
    )
    .unwrap();
    let k = (0..cross.freq.len()).max_by(|&a, &b| cross.power1[a].total_cmp(&cross.power1[b])).unwrap();
    let lag = cross.lag_phase()[k] / (TAU * cross.freq[k]);
    assert!((cross.freq[k] - 0.31).abs() < 0.003 && (lag - 0.4).abs() < 0.06, "{} {lag}", cross.freq[k]);
}

#[test]
fn white_counts_have_the_poisson_level_and_rebinned_ones_their_error() {
    let mut random = Random::new(11);
    let time: Vec<f64> = (0..20_000).map(|i| f64::from(i) * 0.25).filter(|t| (t / 900.0).fract() < 0.6).collect();
    let value: Vec<f64> = time.iter().map(|_| (0..64).filter(|_| random.uniform() < 0.1).count() as f64).collect();
    let samples = UnevenSeries { time: &time, value: &value, error: &[], exposed: &[], dt: 0.25 };
    let spectrum =
        power_spectrum(samples, &LombScargleOptions::default(), Rebin::Linear(100), &Default::default(), context)
            .unwrap();
    let mean = spectrum.power.iter().sum::<f64>() / spectrum.len() as f64;
    // Binomial counts: 0.9 of Poisson's variance.
    assert!((mean / 1.8 - 1.0).abs() < 0.05, "{mean}");
    assert!((spectrum.power_err[3] / spectrum.power[3] - 0.1).abs() < 1e-12 && spectrum.m[3] == 100);
}

/// The error of a constant source is proportional to 1/√exposure, so that counts of exposures e have the amplitudes of flux with errors 1/√e.
#[test]
fn counts_are_weighted_by_their_exposure() {
    let time: Vec<f64> = (0..64).map(|i| f64::from(i + i / 7)).collect();
    let value: Vec<f64> = (0..64).map(|i| f64::from(i * i % 11)).collect();
    let exposed: Vec<f64> = (0..64).map(|i| 0.25 + 0.75 * f64::from(i % 3) / 2.0).collect();
    let error: Vec<f64> = exposed.iter().map(|e| e.powf(-0.5)).collect();
    let counts = UnevenSeries { time: &time, value: &value, error: &[], exposed: &exposed, dt: 1.0 };
    let flux = UnevenSeries { error: &error, exposed: &[], ..counts };
    let powers = |samples: UnevenSeries, weighted: bool| {
        let options = LombScargleOptions { weighted, norm: Norm::None, ..LombScargleOptions::default() };
        power_spectrum(samples, &options, Rebin::None, &Default::default(), context).unwrap().unnorm_power
    };
    assert_eq!(powers(counts, true), powers(flux, true));
    assert_ne!(powers(counts, true), powers(counts, false));
}

/// Sums by definition can take hours: whoever waits sees how far they are.
#[test]
fn direct_sums_advance_to_their_end() {
    let time: Vec<f64> = (0..50).map(f64::from).collect();
    let samples = UnevenSeries { time: &time, value: &time, error: &[], exposed: &[], dt: 1.0 };
    let options = LombScargleOptions { method: LombScargleMethod::Direct, ..LombScargleOptions::default() };
    let progress = Progress::default();
    let frequencies = power_spectrum(samples, &options, Rebin::None, &progress, context).unwrap().len() as u64;
    assert_eq!(progress.state(), (2 * frequencies, 2 * frequencies));
}

#[test]
fn series_that_cannot_be_used_are_refused() {
    let time = [0.0, 1.0, 2.0, 3.0, 4.0];
    let value = [1.0, 2.0, 3.0, 2.0, 1.0];
    let good = UnevenSeries { time: &time, value: &value, error: &[], exposed: &[], dt: 1.0 };
    let run = |samples: UnevenSeries, options: LombScargleOptions| {
        power_spectrum(samples, &options, Rebin::None, &Default::default(), context).is_ok()
    };
    let plain = LombScargleOptions::default();
    assert!(run(good, plain.clone()));
    assert!(!run(UnevenSeries { time: &time[..3], value: &value[..3], ..good }, plain.clone()));
    assert!(!run(UnevenSeries { value: &value[..4], ..good }, plain.clone()));
    assert!(!run(UnevenSeries { value: &[1.0, 2.0, f64::NAN, 2.0, 1.0], ..good }, plain.clone()));
    assert!(!run(UnevenSeries { value: &[0.0; 5], ..good }, plain.clone()));
    assert!(!run(good, LombScargleOptions { weighted: true, ..plain.clone() }));
    assert!(!run(good, LombScargleOptions { oversample: 0.0, ..plain.clone() }));
    assert!(!run(good, LombScargleOptions { min_freq: Some(3.0), max_freq: Some(1.0), ..plain.clone() }));
    assert!(!run(good, LombScargleOptions { max_freq: Some(1e12), ..plain }));
}

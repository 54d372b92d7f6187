//! Spectra of flux segments: the same as of the events they count, whatever their unit and scale.

use crate::common::fits_file::same_powers;
use crate::common::front::{streamed, threads};
use eagleray::science::AveragedPowerSpectrum;
use eagleray::{Binning, FluxSegment, FluxValues, Gti, LombScargle, Norm, Observation, PowerSpectrum};
use rand_chacha::ChaCha8Rng;
use rand_chacha::rand_core::{Rng, SeedableRng};

/// Random counts a bin.
fn counts(random: &mut ChaCha8Rng, segments: usize, n: usize) -> Vec<Vec<f64>> {
    (0..segments).map(|_| (0..n).map(|_| (random.next_u64() % 20) as f64).collect()).collect()
}

fn flux(
    segments: &[Vec<f64>],
    error: Option<f64>,
    rates: bool,
    norm: Norm,
) -> Result<AveragedPowerSpectrum, eagleray::Error> {
    let values = if rates { FluxValues::Rates } else { FluxValues::Counts };
    let segments = segments.iter().map(|values| FluxSegment {
        values: values.clone(),
        errors: error.map_or(Vec::new(), |e| vec![e; values.len()]),
    });
    streamed(&threads(2), &PowerSpectrum::default().dt(0.25).norm(norm), values, segments)
}

#[test]
fn flux_segments_are_the_events_binned_by_hand() {
    let mut random = ChaCha8Rng::seed_from_u64(17);
    for (segments, n) in [(1, 3), (5, 64), (130, 100), (300, 17), (2, 5000)] {
        let segments = counts(&mut random, segments, n);
        let mut times = Vec::new();
        for (i, x) in segments.iter().flatten().enumerate() {
            times.extend((0..*x as u32).map(|j| (i as f64 + f64::from(j) / 32.0) * 0.25));
        }
        let length = (segments.len() * n) as f64 * 0.25;
        let observation = Observation::times(times, Gti::from_seconds(&[(0.0, length)]).unwrap());
        for norm in [Norm::Leahy, Norm::Frac, Norm::Abs, Norm::None] {
            let analysis = PowerSpectrum::default().dt(0.25).segment_size(n as f64 * 0.25).norm(norm);
            let expected = threads(2).run(&analysis, &observation).unwrap();
            let s = flux(&segments, None, false, norm).unwrap();
            assert_eq!(s.meta.segments, segments.len() as u64);
            same_powers(&s.unnorm_power, &expected.unnorm_power, 1e-12);
            same_powers(&s.power, &expected.power, 1e-12);
            assert!((s.meta.noise_mean / expected.meta.noise_mean - 1.0).abs() < 1e-12);
            assert!((s.meta.mean / expected.meta.mean - 1.0).abs() < 1e-12);
        }
    }
}

#[test]
fn values_may_be_of_any_type_that_f64_holds() {
    let mut random = ChaCha8Rng::seed_from_u64(23);
    let segments = counts(&mut random, 70, 48);
    let spectrum = |segments: Vec<FluxSegment>| {
        streamed(&threads(2), &PowerSpectrum::default().dt(0.25), FluxValues::Counts, segments).unwrap().power
    };
    let expected = spectrum(segments.iter().map(|s| s.clone().into()).collect());
    let words = |s: &Vec<f64>| s.iter().map(|&x| x as u32).collect::<Vec<u32>>();
    assert_eq!(spectrum(segments.iter().map(|s| words(s).into()).collect()), expected);
    let short = |s: &Vec<f64>| s.iter().map(|&x| x as u16).collect::<Vec<u16>>();
    assert_eq!(spectrum(segments.iter().map(|s| short(s).as_slice().into()).collect()), expected);
    let single = |s: &Vec<f64>| s.iter().map(|&x| x as f32).collect::<Vec<f32>>();
    assert_eq!(spectrum(segments.iter().map(|s| single(s).into()).collect()), expected);
}

#[test]
fn rates_are_multiplied_by_the_bin_and_errors_set_the_noise() {
    let mut random = ChaCha8Rng::seed_from_u64(18);
    let n = 40;
    let segments = counts(&mut random, 70, n);
    let rates: Vec<Vec<f64>> = segments.iter().map(|s| s.iter().map(|x| x / 0.25).collect()).collect();
    let mean = segments.iter().flatten().sum::<f64>() / (70 * n) as f64;
    for (norm, noise) in [
        (Norm::Leahy, 2.0),
        (Norm::Frac, 2.0 * 9.0 * 0.25 / (mean * mean)),
        (Norm::Abs, 2.0 * 9.0 / 0.25),
        (Norm::None, n as f64 * 9.0),
    ] {
        let a = flux(&segments, Some(3.0), false, norm).unwrap();
        let b = flux(&rates, Some(12.0), true, norm).unwrap();
        same_powers(&a.power, &b.power, 1e-12);
        for s in [&a, &b] {
            assert!(
                (s.meta.noise_mean / noise - 1.0).abs() < 1e-12,
                "{norm}: noise {} instead of {noise}",
                s.meta.noise_mean
            );
        }
        let unnormalised: Vec<f64> = a.unnorm_power.iter().map(|p| p * noise / (n as f64 * 9.0)).collect();
        same_powers(&a.power, &unnormalised, 1e-12);
    }
}

#[test]
fn flux_of_any_scale_keeps_its_digits() {
    let mut random = ChaCha8Rng::seed_from_u64(19);
    let segments = counts(&mut random, 70, 50);
    let expected = flux(&segments, None, false, Norm::Frac).unwrap();
    for scale in [1e-20, 1e-100, 1e20, 1e100] {
        let scaled: Vec<Vec<f64>> = segments.iter().map(|s| s.iter().map(|x| x * scale).collect()).collect();
        let s = flux(&scaled, None, false, Norm::Frac).unwrap();
        let back: Vec<f64> = s.unnorm_power.iter().map(|p| p / scale / scale).collect();
        same_powers(&back, &expected.unnorm_power, 1e-12);
        same_powers(&s.power, &expected.power, 1e-12);
    }
    // A constant level far above the variations is taken off before anything is rounded.
    let raised: Vec<Vec<f64>> = segments.iter().map(|s| s.iter().map(|x| x + 2f64.powi(30)).collect()).collect();
    same_powers(&flux(&raised, None, false, Norm::None).unwrap().unnorm_power, &expected.unnorm_power, 1e-6);
}

#[test]
fn flux_without_meaning_is_refused_with_its_place() {
    let good = vec![1.0, 2.0, 3.0, 4.0];
    let says = |segments: &[Vec<f64>], error: Option<f64>, norm: Norm, piece: &str| {
        let e = flux(segments, error, false, norm).unwrap_err().to_string();
        assert!(e.contains(piece), "`{piece}` is not in: {e}");
    };
    for bad in [f64::NAN, f64::INFINITY, f64::NEG_INFINITY] {
        says(&[good.clone(), vec![1.0, 2.0, bad, 4.0]], None, Norm::Leahy, "segment 1");
        says(std::slice::from_ref(&good), Some(bad), Norm::Leahy, "segment 0");
    }
    says(&[good.clone(), vec![1.0; 5]], None, Norm::Leahy, "segment 1");
    says(&[], None, Norm::Leahy, "at least 3");
    says(&[vec![1.0, 2.0]], None, Norm::Leahy, "at least 3");
    says(&[vec![1.0, -1.0, 1.0, -1.0]], None, Norm::Frac, "cannot be told from 0");
    // Noise around 0: no mean to divide by, with errors or without; without errors nor has it a Leahy power.
    let noise: Vec<Vec<f64>> =
        (0..40).map(|i| (0..50).map(|j| f64::from((i * 31 + j * 17) % 23) - 11.02).collect()).collect();
    let leahy_too = "norm = leahy, norm = abs";
    says(&noise, Some(6.0), Norm::Frac, leahy_too);
    says(&noise, None, Norm::Frac, "mends it: norm = abs");
    says(&noise, None, Norm::Leahy, "mends it: norm = abs");
    let of_errors = flux(&noise, Some(6.6), false, Norm::Leahy).unwrap();
    assert!(of_errors.power.iter().all(|p| *p >= 0.0) && of_errors.meta.noise_mean == 2.0);
    let without_level = flux(&noise, None, false, Norm::Abs).unwrap();
    assert!(without_level.meta.record.warnings.iter().any(|w| w.code == "W-NO-COUNTS"));
    assert_eq!(without_level.meta.noise_mean, 0.0);
    // Neither another normalisation nor a fractional rms gets round it.
    assert!(without_level.to_norm(Norm::Frac).unwrap_err().to_string().contains("cannot be told from 0"));
    assert!(without_level.rms(0.1, 1.0).unwrap_err().to_string().contains("cannot be told from 0"));
    assert!(of_errors.pulsation(0.1, 1.0, 0.05).unwrap_err().to_string().contains("cannot be told from 0"));
    let mixed = FluxSegment { values: good, errors: vec![1.0; 3] };
    let refused = |dt: f64, segment: FluxSegment| {
        let made = streamed(&threads(2), &PowerSpectrum::default().dt(dt), FluxValues::Counts, [segment]);
        assert!(made.is_err(), "bins of {dt} s");
    };
    refused(0.25, mixed);
    [0.0, -1.0, f64::NAN].into_iter().for_each(|dt| refused(dt, vec![1.0; 4].into()));
}

/// One error that is missing does not take away all others: which it is is said.
#[test]
fn errors_of_some_bins_alone_are_refused() {
    let times: Vec<f64> = (0..4000).map(|i| f64::from(i) * 0.1).collect();
    let observation = Observation::times(times, Gti::from_seconds(&[(0.0, 400.0)]).unwrap());
    let mut curve = threads(2).run(&Binning::default().dt(1.0), &observation).unwrap();
    curve.counted = false;
    curve.rate_err = (0..curve.len()).map(|i| 2.0 + 0.1 * (i % 3) as f64).collect();
    let power = PowerSpectrum::default().segment_size(40.0);
    let of = |curve: &eagleray::data::LightCurve| Observation::light_curves([curve.clone()]);
    let whole = threads(2).run(&power, &of(&curve)).unwrap();
    assert_eq!(whole.meta.err_dist, "gauss");
    curve.rate_err[117] = f64::NAN;
    for said in [
        threads(2).run(&power, &of(&curve)).unwrap_err().to_string(),
        threads(2).run(&LombScargle::default(), &of(&curve)).unwrap_err().to_string(),
    ] {
        assert!(said.contains("rate_err") && said.contains("bin 117 at 117.5 s"), "{said}");
    }
    let pair = Observation::pair(of(&whole_errors(&curve)), of(&curve)).unwrap();
    let said = threads(2).run(&eagleray::CrossSpectrum::default().segment_size(40.0), &pair).unwrap_err().to_string();
    assert!(said.contains("bin 117"), "{said}");
    // The rate of that bin is missing, too: then its error is, and the segment there.
    curve.rate[117] = f64::NAN;
    let less = threads(2).run(&power, &of(&curve)).unwrap();
    assert_eq!((less.meta.err_dist.as_str(), less.meta.segments), ("gauss", whole.meta.segments - 1));
}

/// The same with an error for each bin.
fn whole_errors(curve: &eagleray::data::LightCurve) -> eagleray::data::LightCurve {
    eagleray::data::LightCurve { rate_err: vec![2.0; curve.len()], ..curve.clone() }
}

//! Constant sources whose rate differs between segments: what noise does by chance is said as often as it happens.

use crate::common::front::{pair_of_times, threads};
use crate::common::lagged::{Lagged, TWO_HERTZ, of_unequal_rates};
use eagleray::internal::random::Random;
use eagleray::science::{AveragedPowerSpectrum, Norm};
use eagleray::{CrossSpectrum, Gti, Observation, PowerSpectrum, Rebin, Session};

/// Length of a segment, s.
const SIZE: f64 = 8.0;

/// Times of a source that has one rate in each segment, counts/s.
fn times(rates: &[f64], random: &mut Random) -> Vec<f64> {
    let mut all = Vec::new();
    for (segment, rate) in rates.iter().enumerate() {
        let mut t = random.exponential() / rate;
        while t < SIZE {
            all.push(segment as f64 * SIZE + t);
            t += random.exponential() / rate;
        }
    }
    all
}

fn observe(rates: &[f64], random: &mut Random) -> Observation {
    let gti = Gti::from_seconds(&[(0.0, SIZE * rates.len() as f64)]).unwrap();
    Observation::times(times(rates, random), gti)
}

/// 20 segments of each case.
fn cases() -> [(&'static str, Vec<f64>); 4] {
    let of = |high: usize, rates: [f64; 2]| (0..20).map(|i| rates[usize::from(i % 10 < high)]).collect::<Vec<f64>>();
    let mut burst = vec![50.0; 20];
    burst[7] = 1000.0;
    [
        ("100", vec![100.0; 20]),
        ("20 and 180", of(5, [20.0, 180.0])),
        ("50 and 400", of(1, [50.0, 400.0])),
        ("a burst", burst),
    ]
}

/// The largest distance of sorted probabilities to uniform ones, times the root of their number (Kolmogorov & Smirnov).
fn distance(p: &mut [f64]) -> f64 {
    p.sort_by(f64::total_cmp);
    let n = p.len() as f64;
    let at = |(i, p): (usize, &f64)| (p - i as f64 / n).abs().max((p - (i + 1) as f64 / n).abs());
    p.iter().enumerate().map(at).fold(0.0, f64::max) * n.sqrt()
}

/// Probabilities of all powers of so many files, and how many of the files have a power above the level of 5 %.
fn probabilities(files: u64, rates: &[f64], analysis: &PowerSpectrum) -> (Vec<f64>, u32) {
    let session = Session::cpu().unwrap();
    let (mut all, mut alarms) = (Vec::new(), 0);
    for file in 0..files {
        let mut s = session.run(analysis, &observe(rates, &mut Random::stream(8, file))).unwrap();
        s.add_probabilities();
        all.extend(s.log10_p.iter().map(|p| 10f64.powf(*p)));
        let level = s.detection_levels(0.05)[0].power;
        alarms += u32::from(s.power.iter().any(|p| *p > level));
    }
    (all, alarms)
}

#[test]
fn noise_of_unequal_segments_has_uniform_probabilities() {
    let files = 300;
    for (name, rates) in cases() {
        for (norm, own) in [(Norm::Leahy, false), (Norm::Leahy, true), (Norm::Frac, true), (Norm::Abs, false)] {
            let analysis = PowerSpectrum::default().dt(1.0 / 32.0).segment_size(SIZE).norm(norm).use_common_mean(!own);
            let (mut p, alarms) = probabilities(files, &rates, &analysis);
            let n = p.len() as f64;
            let far = distance(&mut p);
            // Beyond 1.63 by chance in one of 100.
            assert!(far < 1.63, "{name}, {norm}, own means {own}: {far} of {n} probabilities");
            let below = p.iter().filter(|p| **p < 0.01).count() as f64;
            assert!((below - 0.01 * n).abs() < 4.0 * (0.01 * n).sqrt(), "{name} {norm}: {below} of {n} below 1 %");
            let expected = 0.05 * files as f64;
            let off = (f64::from(alarms) - expected).abs() / (0.95 * expected).sqrt();
            assert!(off < 3.5, "{name} {norm} {own}: {alarms} false alarms of {files} files");
            println!(
                "{name:12} {norm:6} own means {own:5}: KS {far:.2} of {n}, {below} below 1 %, {alarms} alarms of {files}"
            );
        }
    }
}

/// A constant source has no rms, whatever its segments are divided by; with `frac` and means of their own the level is that of the mean of 1/r.
#[test]
fn constant_sources_have_no_rms() {
    let session = Session::cpu().unwrap();
    for (name, rates) in cases() {
        for own in [false, true] {
            let analysis =
                PowerSpectrum::default().dt(1.0 / 32.0).segment_size(SIZE).norm(Norm::Frac).use_common_mean(!own);
            let (mut sum, mut square, mut detected) = (0.0, 0.0, 0);
            for file in 0..40 {
                let s: AveragedPowerSpectrum =
                    session.run(&analysis, &observe(&rates, &mut Random::stream(9, file))).unwrap();
                let rms = s.rms(0.0, 16.0).unwrap();
                let off = rms.rms_variance / rms.rms_variance_err;
                (sum, square) = (sum + off, square + off * off);
                detected += u32::from(off.abs() > 3.0);
            }
            // 40 standard normal numbers: their mean and their mean square, within four standard errors.
            assert!((sum / 40.0).abs() < 4.0 / 40f64.sqrt(), "{name}, own means {own}: {}", sum / 40.0);
            assert!((square / 40.0 - 1.0).abs() < 4.0 * (2.0f64 / 40.0).sqrt(), "{name}, own {own}: {}", square / 40.0);
            assert!(detected <= 1, "{name}, own means {own}: {detected}");
        }
    }
}

/// Independent bands: coherences are 0 within their error, and the parts of the cross spectrum scatter as their errors say.
#[test]
fn independent_bands_are_incoherent() {
    let session = Session::cpu().unwrap();
    for (name, rates) in cases() {
        for own in [false, true] {
            let analysis = CrossSpectrum::default().dt(1.0 / 32.0).segment_size(SIZE).use_common_mean(!own);
            let (mut coherence, mut parts, mut n) = (0.0, 0.0, 0.0);
            for file in 0..40 {
                let mut random = Random::stream(10, file);
                let pair = Observation::pair(observe(&rates, &mut random), observe(&rates, &mut random)).unwrap();
                let s = session.run(&analysis, &pair).unwrap();
                for k in 0..s.len() {
                    coherence += s.coherence_raw[k];
                    parts += (s.power_re[k] / s.cross_err_re[k]).powi(2) + (s.power_im[k] / s.cross_err_im[k]).powi(2);
                    n += 1.0;
                }
            }
            // Of M values |C|²/(P1P2) is above x with (1 − x)^(M − 1): its scatter is its mean, 1/m_eff, here 0.5 at most.
            let mean = coherence / n;
            assert!(mean.abs() < 4.0 * 0.3 / f64::sqrt(n), "{name}, own means {own}: coherence {mean}");
            let square = parts / 2.0 / n;
            // Errors are of the powers of the same segments: of few that matter they go with the values, which are then within them too often.
            let least = if name == "100" || name == "20 and 180" { 0.88 } else { 0.55 };
            assert!((least..1.12).contains(&square), "{name}, own means {own}: {square}");
        }
    }
}

/// Bands whose rates vary each in its own way.
#[test]
fn independent_bands_of_other_rates_are_incoherent() {
    let session = Session::cpu().unwrap();
    let mut burst = vec![50.0; 20];
    burst[0] = 1000.0;
    let reversed = burst.iter().rev().copied().collect::<Vec<f64>>();
    let steps = [vec![20.0; 10], vec![60.0; 6], vec![300.0; 4]].concat();
    let others = [vec![200.0; 3], vec![15.0; 12], vec![70.0; 5]].concat();
    for (name, one, other) in
        [("bursts apart", &burst, &reversed), ("one bursts", &burst, &vec![80.0; 20]), ("steps", &steps, &others)]
    {
        let analysis = CrossSpectrum::default().dt(1.0 / 32.0).segment_size(SIZE);
        let (mut coherence, mut square, mut n) = (0.0, 0.0, 0.0);
        for file in 0..60 {
            let mut random = Random::stream(12, file);
            let pair = Observation::pair(observe(one, &mut random), observe(other, &mut random)).unwrap();
            for value in session.run(&analysis, &pair).unwrap().coherence_raw {
                (coherence, square, n) = (coherence + value, square + value * value, n + 1.0);
            }
        }
        let (mean, err) = (coherence / n, f64::sqrt(square) / n);
        // The shares of segments are known by four sums: to a twentieth of the bias.
        assert!(mean.abs() < 4.0 * err + 0.0025, "{name}: {mean} ± {err}");
        println!("{name}: {mean:.5} ± {err:.5}");
    }
}

/// Errors of the powers of a source that varies in proportion to its rate, of 36 segments of 100 counts/s and 4 of 1600, are the scatter of 120 spectra: with
/// the common mean, where the weights of noise make them up to √(ΣN⁴(ΣN)²/(ΣN²)³) = 1.48 times too small, and with means of their own. So are those of bins of several frequencies, and of the rms.
#[test]
fn errors_of_a_variable_source_are_its_scatter() {
    const SPECTRA: u64 = 120;
    let source = |rate: f64| Lagged { rates: [rate; 2], rms: [0.3; 2], shape: [2.0, 1.0], ..TWO_HERTZ };
    let sources = [(source(100.0), 36), (source(1600.0), 4)];
    let size = sources[0].0.segment_size();
    let gti = Gti::from_seconds(&[(0.0, 40.0 * size)]).unwrap();
    let session = threads(1);
    for own in [false, true] {
        let analysis =
            PowerSpectrum::default().dt(1.0 / 32.0).segment_size(size).norm(Norm::Frac).use_common_mean(!own);
        // Values and errors of the bin at 2 Hz, of eight bins about it as one, and of the rms.
        let mut found = [const { Vec::new() }; 3];
        for seed in 0..SPECTRA {
            let mut times = Vec::new();
            for (i, (source, segments)) in sources.iter().enumerate() {
                let shift = [0.0, 36.0 * size][i];
                let [subject, _] = source.observer().observe(*segments, 2 * seed + i as u64 + 900);
                times.extend(subject.iter().map(|t| t + shift));
            }
            let spectrum = session.run(&analysis, &Observation::times(times, gti.clone())).unwrap();
            let coarse = spectrum.rebin(Rebin::Linear(8)).unwrap();
            let at = |s: &AveragedPowerSpectrum| s.freq.iter().position(|f| *f >= 2.0).unwrap();
            let (k, wide, rms) = (at(&spectrum), at(&coarse), spectrum.rms(1.5, 2.5).unwrap());
            found[0].push((spectrum.power[k], spectrum.power_err[k]));
            found[1].push((coarse.power[wide], coarse.power_err[wide]));
            found[2].push((rms.rms_variance, rms.rms_variance_err));
        }
        for (found, what) in found.iter().zip(["one frequency", "eight", "rms"]) {
            let n = found.len() as f64;
            let mean = found.iter().map(|(value, _)| value).sum::<f64>() / n;
            let scatter = (found.iter().map(|(value, _)| (value - mean).powi(2)).sum::<f64>() / (n - 1.0)).sqrt();
            let error = (found.iter().map(|(_, error)| error * error).sum::<f64>() / n).sqrt();
            eprintln!("own means {own}, {what}: scatter over error {:.2}", scatter / error);
            // 120 values have a standard deviation of 6.5 %, of powers, which are not normal, about 10.
            assert!((scatter / error - 1.0).abs() < 0.3, "{own} {what}: {scatter} {error}");
        }
    }
}

/// Cross spectra of a source that varies in proportion to its rate say by how much their errors are too small, √(ΣN⁴(ΣN)²/(ΣN²)³) = 1.48 times; not so of constant
/// ones, of means of their own, and of segments that have one rate.
#[test]
fn errors_of_cross_spectra_that_may_be_too_small_are_said() {
    let session = threads(1);
    let said = |times: &[Vec<f64>; 2], segments: usize, own: bool| -> Vec<String> {
        let size = TWO_HERTZ.segment_size();
        let analysis =
            CrossSpectrum::default().dt(TWO_HERTZ.dt).segment_size(size).norm(Norm::Frac).use_common_mean(!own);
        let pair = pair_of_times(&times[0], &times[1], &TWO_HERTZ.gti(segments));
        let warnings = session.run(&analysis, &pair).unwrap().meta.record.warnings;
        warnings.iter().filter(|warning| warning.code == "W-UNEQUAL-RATES").map(|warning| warning.to_string()).collect()
    };
    let (variable, segments) = of_unequal_rates(0.3, 40);
    let found = said(&variable, segments, false);
    assert!(found.len() == 1 && found[0].contains("1.5 times") && found[0].contains("use_common_mean"), "{found:?}");
    assert!(said(&variable, segments, true).is_empty());
    let (constant, _) = of_unequal_rates(0.0, 41);
    assert!(said(&constant, segments, false).is_empty());
    assert!(said(&TWO_HERTZ.observer().observe(40, 42), 40, false).is_empty());
}

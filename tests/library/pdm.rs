//! Phase dispersion of light curves: its definition, its law, what it finds, and the same bits everywhere.

use std::f64::consts::TAU;

use crate::common::pulses::cpu;
use eagleray::data::LightCurve;
use eagleray::data::phase::Spin;
use eagleray::device::Backend;
use eagleray::internal::Progress;
use eagleray::internal::engine::PulseSamples;
use eagleray::internal::engine::pulsation::pdm;
use eagleray::internal::kernels::fold::bin_of;
use eagleray::internal::random::Random;
use eagleray::pulsation::{Ephemeris, Relation, SearchOptions, SearchResult, SearchStatistic};
use eagleray::science::statistics::dispersion;
use eagleray::{Binning, DeviceChoice, Gti, Observation, Session, Warnings};
use num_bigint::BigInt;

/// Rates in bins of `dt` from 0 on, read from text as users' are; NaN is a missing bin.
fn curve(dt: f64, rates: &[f64]) -> LightCurve {
    let lines = rates.iter().enumerate().map(|(i, rate)| format!("{:?} {rate:?}\n", (i as f64 + 0.5) * dt));
    let file = tempfile::Builder::new().suffix(".txt").tempfile().unwrap();
    std::fs::write(file.path(), lines.collect::<String>()).unwrap();
    let source = eagleray::internal::io::InputFile::open(file.path()).unwrap();
    let read = eagleray::internal::io::light_curve::read(
        &source,
        &eagleray::files::OpenOptions::default(),
        &mut Warnings::default(),
    );
    read.unwrap().expect("a light curve").curve
}

pub fn samples(dt: f64, rates: &[f64]) -> PulseSamples {
    PulseSamples::from_light_curve(&curve(dt, rates), 1.0, Warnings::default()).unwrap()
}

fn options(lo: f64, hi: f64, nbin: usize) -> SearchOptions {
    SearchOptions { freq: (lo, hi), method: SearchStatistic::Pdm, nbin, ..SearchOptions::default() }
}

fn searched(samples: &PulseSamples, asked: &SearchOptions) -> SearchResult {
    pdm(samples.clone(), asked, cpu().as_mut(), &Progress::default()).unwrap()
}

/// θ and the number of its bins in fractions, `(T − B)/(N − M)·(N − 1)/T` over the product `P` of all n_j, rounded once.
fn exact(values: &[u32], bins: &[usize], nbin: usize) -> (f64, u64) {
    let mut sums = vec![(0u64, BigInt::from(0)); nbin];
    for (&x, &bin) in values.iter().zip(bins) {
        sums[bin].0 += 1;
        sums[bin].1 += x;
    }
    sums.retain(|(n, _)| *n > 0);
    let (n, m) = (values.len() as u64, sums.len() as u64);
    let sum: BigInt = values.iter().map(|&x| BigInt::from(x)).sum();
    let squares: BigInt = values.iter().map(|&x| BigInt::from(x) * x).sum();
    let product: BigInt = sums.iter().map(|(n, _)| BigInt::from(*n)).product();
    // In units of 1/(N·P): all, and within bins.
    let total = (&squares * n - &sum * &sum) * &product;
    let of_bins: BigInt = sums.iter().map(|(count, sum)| sum * sum * (&product / *count)).sum();
    let within = (squares * &product - of_bins) * n;
    let ratio: BigInt = ((within * (n - 1)) << 80usize) / (total * (n - m));
    // As many bits as an f64 can have, and more.
    (ratio.to_string().parse::<f64>().unwrap() / 2f64.powi(80), m)
}

/// Against fractions, at phases computed one by one, on rates and counts, with gaps, outliers and offsets.
#[test]
fn theta_is_its_definition() {
    let mut random = Random::new(71);
    type Value = fn(&mut Random, usize) -> f64;
    let kinds: [(&str, Value); 6] = [
        ("counts", |random, _| random.below(20) as f64),
        ("fluxes", |random, i| 3.2e-11 * (1.0 + 0.3 * (i as f64 * 0.37).sin() + 0.1 * random.normal())),
        ("a large offset", |random, _| 1e9 + random.normal()),
        ("an outlier", |random, i| if i == 700 { 1e6 } else { random.normal() }),
        ("two values", |_, i| if (i / 7) % 2 == 0 { -1.0 } else { 1.0 }),
        ("gaps", |random, i| if i % 100 < 60 { random.normal() } else { f64::NAN }),
    ];
    for (name, value) in kinds {
        let rates: Vec<f64> = (0..1500).map(|i| value(&mut random, i)).collect();
        let samples = samples(0.25, &rates);
        let kept: Vec<f64> = rates.iter().copied().filter(|x| x.is_finite()).collect();
        assert_eq!((samples.values.len(), samples.all.left_out), (kept.len(), 0), "{name}");
        // Values are what was given, to half a step; whole numbers are exact.
        let low = kept.iter().copied().fold(f64::MAX, f64::min);
        let off = kept.iter().zip(&samples.values).map(|(x, &q)| (x - low - f64::from(q) * samples.all.step).abs());
        let worst = off.fold(0.0, f64::max);
        assert!(worst <= 0.5 * samples.all.step && (worst == 0.0 || name != "counts"), "{name}: {worst}");
        let mean = kept.iter().sum::<f64>() / kept.len() as f64;
        let variance = kept.iter().map(|x| (x - mean).powi(2)).sum::<f64>() / (kept.len() - 1) as f64;
        let off = [(samples.all.mean - mean) / (mean.abs() + variance.sqrt()), samples.all.variance / variance - 1.0];
        assert!(off.iter().all(|off| off.abs() < 1e-7), "{name}: {off:?}");
        // Frequencies at which bins are empty, too: 1/(3·dt) has three phases.
        for (lo, hi, nbin) in [(0.11, 0.16, 16), (1.32, 1.35, 64), (1e-3, 9e-3, 300)] {
            let asked = SearchOptions { fdot: Some((-1e-5, 1e-5)), ..options(lo, hi, nbin) };
            let found = searched(&samples, &asked);
            let step = Spin::from_frequency(found.meta.df, &samples.at.ticks).unwrap();
            assert_eq!(found.meta.sampling.as_ref(), Some(&samples.all));
            for j in (0..found.freq.len()).step_by(17) {
                let rates = Ephemeris::new(samples.at.ticks.reference(), lo, found.fdot[j], 0.0);
                let spin = Spin::new(&rates, &samples.at.ticks).unwrap().stepped(&step, j as i64);
                let bins: Vec<usize> = samples.at.times.iter().map(|&t| bin_of(spin.phase(t), nbin)).collect();
                let (theta, filled) = exact(&samples.values, &bins, nbin);
                assert!((found.stat[j] - theta).abs() < 1e-13, "{name} {j}: {} {theta}", found.stat[j]);
                let laws = found.laws.as_ref().map_or(nbin as u64, |(_, numbers)| numbers[j]);
                assert_eq!(laws, filled, "{name} {j}");
                // And of the values as they were given: the bound of their rounding.
                let of = |bin: usize| kept.iter().zip(&bins).filter(move |(_, b)| **b == bin).map(|(x, _)| *x);
                let within: f64 = (0..nbin)
                    .map(|b| (of(b).count() as f64, of(b).sum::<f64>(), b))
                    .filter(|(n, ..)| *n > 0.0)
                    .map(|(n, sum, b)| of(b).map(|x| (x - sum / n).powi(2)).sum::<f64>())
                    .sum();
                let plain = within / (kept.len() as f64 - filled as f64) / variance;
                let range = kept.iter().copied().fold(f64::MIN, f64::max) - low;
                let free = (kept.len() - 1) as f64 / (kept.len() as f64 - filled as f64);
                let bound = range / variance.sqrt() * 2f64.powi(-30) * free + 1e-10;
                assert!((plain - theta).abs() < bound, "{name} {j}: {plain} {theta} {bound}");
            }
        }
    }
}

/// Eclipses of 8 % of the period, a third deep, in noise of twice their depth, with gaps: found blind, as the smallest θ.
#[test]
fn eclipses_are_found_blind() {
    let mut random = Random::new(72);
    let (period, dt) = (3.8171, 0.05);
    let rates: Vec<f64> = (0..40_000)
        .map(|i| {
            let t = (f64::from(i) + 0.5) * dt;
            let seen = (t % 97.0) < 55.0 || (t % 97.0) > 90.0;
            let deep = if (t / period).fract() < 0.08 { 10.0 } else { 0.0 };
            if seen { 30.0 - deep + 20.0 * random.normal() } else { f64::NAN }
        })
        .collect();
    let samples = samples(dt, &rates);
    // To where harmonics of bins are beyond the samples' own, and aliases begin (W-PDM-ALIAS).
    let found = searched(&samples, &options(0.05, 0.8, 25));
    let best = &found.candidates[0];
    let f = 1.0 / period;
    assert!((best.freq - f).abs() < 4.0 * best.freq_err && best.freq_err < 3e-5, "{best:?}");
    assert!(best.log10_p < -20.0 && best.stat <= best.grid_stat && best.harmonic == "1/1", "{best:?}");
    // Half and twice the frequency are seen, too, and are no other sources.
    assert!(found.candidates.iter().all(|c| c.group == 0 && c.log10_p < -2.0), "{:?}", found.candidates);
    assert!(found.candidates.iter().any(|c| c.harmonic == "1/2"), "{:?}", found.candidates);
    // 10·√(0.08·0.92)/29.2, less what bins of half an eclipse leave of its edges.
    assert!((0.07..0.093).contains(&best.rms), "{best:?}");
    let level = found.meta.detection_level;
    for ((theta, p), f) in found.stat.iter().zip(found.log10_p()).zip(&found.freq) {
        assert_eq!(*theta <= level, p <= -2.0 + 1e-9, "{f}: {theta} {level} {p}");
    }
    // A period that becomes longer, found with its derivative and lost without.
    let drift = [0.61, -2e-6];
    let rates: Vec<f64> = (0..40_000)
        .map(|i| {
            let t = (f64::from(i) + 0.5) * dt;
            let x = t - 1000.0;
            let phase = x * (drift[0] + 0.5 * drift[1] * x);
            let pulse = if phase.rem_euclid(1.0) < 0.1 { 1.0 } else { 0.0 };
            pulse + 1.5 * random.normal()
        })
        .collect();
    let samples = self::samples(dt, &rates);
    let asked = SearchOptions { fdot: Some((-4e-6, 4e-6)), ..options(0.58, 0.64, 20) };
    let found = searched(&samples, &asked);
    let best = &found.candidates[0];
    assert!((best.freq - drift[0]).abs() < 1e-4 && (best.fdot - drift[1]).abs() < 3e-7, "{best:?}");
    assert!(best.log10_p < -20.0 && found.map.len() == found.rows.len() && found.rows.len() > 3, "{best:?}");
    let highest = found.map.iter().flatten().copied().fold(0.0, f64::max);
    assert_eq!(highest, 1.0 - found.stat.iter().copied().fold(1.0, f64::min));
    let still = searched(&samples, &SearchOptions { fdot: None, ..asked });
    assert!(still.candidates[0].stat > 0.5 * (1.0 + best.stat), "{:?}", still.candidates[0]);
}

/// Samples do not tell f from 1/dt − f and 1/dt + f, nor harmonics of other frequencies from it: one source, at the lowest, and the others by name, but for
/// what is barely detected.
#[test]
fn aliases_of_samples_are_no_sources() {
    let (dt, truth, mut random) = (0.5, 0.31, Random::new(75));
    let rates: Vec<f64> = (0..2000)
        .map(|i| {
            let t = (f64::from(i) + 0.5) * dt;
            if (t % 300.0) < 220.0 { 10.0 + (TAU * truth * t).sin() + random.normal() } else { f64::NAN }
        })
        .collect();
    let asked = SearchOptions { candidates: 40, ..options(0.1, 2.6, 8) };
    let found = searched(&samples(dt, &rates), &asked).candidates;
    let sources: Vec<_> = found.iter().filter(|c| c.relation == Relation::Source && c.log10_p < -6.0).collect();
    assert_eq!(sources.len(), 1, "{found:?}");
    assert!((sources[0].freq - truth).abs() < 5.0 * sources[0].freq_err, "{found:?}");
    for alias in [2.0 - truth, 2.0 + truth] {
        let seen = found.iter().find(|c| (c.freq - alias).abs() < 1e-3).expect("an alias");
        assert_eq!((seen.relation, seen.alias), (Relation::SampleAlias, 1), "{seen:?}");
    }
    assert!(found.iter().filter(|c| c.relation == Relation::SampleAlias).count() > 20, "{found:?}");
}

/// Counts, fluxes and many samples, all bits: on one thread and several, on the CPU and the GPU in both profiles.
#[test]
fn bits_are_the_same_everywhere() {
    let mut random = Random::new(73);
    let mut series = |n: usize, value: fn(&mut Random, f64) -> f64| {
        let rates: Vec<f64> = (0..n).map(|i| value(&mut random, (TAU * 0.00317 * i as f64).sin())).collect();
        samples(1.0, &rates)
    };
    let cases = [
        (series(3000, |random, s| 5.0 + s + random.normal()), options(0.002, 0.004, 33)),
        (series(3000, |random, s| (random.below(9) as f64 + 3.0 * s).round()), options(0.002, 0.004, 300)),
        // More than a device, or a thread, adds up at once.
        (series(70_001, |random, s| 1e5 * s * random.uniform()), options(0.0031, 0.0032, 16)),
    ];
    for (samples, asked) in cases {
        let steps = 20.0 / samples.at.span.powi(2);
        let asked = SearchOptions { fdot: Some((-steps, steps)), ..asked };
        let run = |backend: &mut dyn Backend| {
            let found = pdm(samples.clone(), &asked, backend, &Progress::default()).unwrap();
            (found.stat, found.fdot, found.candidates, found.map, found.laws, found.meta.record.device.backend)
        };
        let threads = |n: usize| {
            let choice = DeviceChoice::Cpu { threads: std::num::NonZeroUsize::new(n) };
            run(eagleray::internal::backend::open(&choice, &mut Warnings::default()).unwrap().as_mut())
        };
        let one = threads(1);
        assert!(one.2[0].log10_p < -20.0 && (one.2[0].freq - 0.00317).abs() < 1e-5, "{:?}", one.2[0]);
        assert!(one == threads(3));
        #[cfg(feature = "gpu")]
        for profile in [eagleray::internal::backend::GpuTier::Portable, eagleray::internal::backend::GpuTier::Native] {
            use eagleray::internal::backend::gpu::GpuBackend;
            let open = |selector: &_| GpuBackend::open(selector, profile, eagleray::device::Precision::Single);
            let Some(mut gpu) = crate::common::gpu::open("samples", open) else { continue };
            let mut on_gpu = run(&mut gpu);
            assert_eq!(std::mem::replace(&mut on_gpu.5, "cpu".into()), "gpu");
            assert!(on_gpu == one, "{profile:?}");
        }
    }
}

/// Single trials of white noise have the beta law, and searches reach their level no more often than said. `EAGLERAY_PDM_TRIALS` sets the number of
/// searches (default 100), of which docs/results/pulsations.md records 2000; of single trials it is 20 times that.
#[test]
fn false_alarms_are_as_frequent_as_said() {
    let trials: usize = std::env::var("EAGLERAY_PDM_TRIALS").ok().and_then(|n| n.parse().ok()).unwrap_or(100);
    type Noise = fn(&mut Random) -> f64;
    let normal: Noise = Random::normal;
    // Of mean 0.7: few photons a bin.
    let poisson: Noise = |random| {
        let (mut k, mut product) = (0.0, random.uniform());
        while product > (-0.7f64).exp() {
            (k, product) = (k + 1.0, product * random.uniform());
        }
        k
    };
    let heavy: Noise = |random| random.normal() / (random.uniform() + 0.05).sqrt();
    let kinds = [
        ("normal", normal, 1000, 16),
        ("normal, few", normal, 60, 10),
        ("Poisson's, 0.7 a bin", poisson, 1000, 16),
        ("heavy tails", heavy, 1000, 16),
    ];
    let mut random = Random::new(74);
    let within = |found: f64, n: f64, p: f64, what: &str| {
        let sigma = (n * p * (1.0 - p)).sqrt();
        assert!((found - n * p).abs() < 4.0 * sigma + 1.0, "{what}: {found} of {n} at {p}");
    };
    eprintln!(
        "| noise | samples | bins | false alarm | of {} trials | expected |\n|---|---|---|---|---|---|",
        20 * trials
    );
    for (name, noise, n, nbin) in kinds {
        let bins: Vec<usize> = (0..n).map(|i| (i * 7 % 11 + i) % nbin).collect();
        let p: Vec<f64> = (0..20 * trials)
            .map(|_| {
                let values: Vec<f64> = (0..n).map(|_| noise(&mut random)).collect();
                let mean = values.iter().sum::<f64>() / n as f64;
                let mut sums = vec![(0.0, 0.0); nbin];
                values.iter().zip(&bins).for_each(|(x, &b)| sums[b] = (sums[b].0 + 1.0, sums[b].1 + x - mean));
                let squares = values.iter().map(|x| (x - mean).powi(2)).sum();
                let all = dispersion::Dispersion { samples: n as f64, squares, sum: 0.0 };
                let (theta, filled) = all.theta(sums.into_iter());
                dispersion::ln_cdf(theta, n as f64, f64::from(filled)).exp()
            })
            .collect();
        for level in [0.5, 0.1, 0.01, 0.001] {
            let found = p.iter().filter(|&&p| p <= level).count() as f64;
            let all = p.len() as f64;
            eprintln!("| {name} | {n} | {nbin} | {level} | {found} | {} |", all * level);
            within(found, all, level, name);
        }
    }
    eprintln!("\n| samples | false alarm | of {trials} searches | expected at most |\n|---|---|---|---|");
    for (name, gaps) in [("1000", false), ("600, in five stretches", true)] {
        let p: Vec<f64> = (0..trials)
            .map(|_| {
                let value =
                    |i: usize, random: &mut Random| if gaps && i % 200 >= 120 { f64::NAN } else { random.normal() };
                let rates: Vec<f64> = (0..1000).map(|i| value(i, &mut random)).collect();
                let found = searched(&samples(1.0, &rates), &SearchOptions { candidates: 1, ..options(0.1, 0.4, 10) });
                found.candidates[0].log10_p
            })
            .collect();
        for level in [0.1f64, 0.01] {
            let found = p.iter().filter(|&&p| p <= level.log10()).count() as f64;
            let n = trials as f64;
            eprintln!("| {name} | {level} | {found} | {} |", n * level);
            assert!(found <= n * level + 4.0 * (n * level * (1.0 - level)).sqrt() + 1.0, "{name}: {found} at {level}");
            // The number of trials bounds the chances of noise, and is not far from them.
            assert!(found >= 0.2 * n * level - 4.0 * (n * level).sqrt(), "{name}: {found} at {level}");
        }
    }
}

/// Events counted in bins: what is in none of the samples is accounted for, and phases are those of the bins' middles.
#[test]
fn only_whole_good_bins_are_samples() {
    let times: Vec<f64> = (0..5000).filter(|i| i % 17 < 12).map(|i| f64::from(i) / 50.0 + 1e-3).collect();
    let gti = Gti::from_seconds(&[(0.3, 40.1), (52.0, 99.95)]).unwrap();
    let session = Session::cpu().unwrap().chunk_events(1000);
    let series = session.run(&Binning::default().dt(0.5), &Observation::times(times.clone(), gti)).unwrap();
    let samples = PulseSamples::from_light_curve(&series, 1.0, Warnings::default()).unwrap();
    // Bins begin at 0.3 s: 79 whole ones before 39.8 s, and from 52.3 to 99.8 s 95.
    assert_eq!((samples.values.len(), samples.all.left_out), (79 + 95, 3));
    let photons = &samples.at.record.photons;
    assert!(photons.is_exact() && photons.outside_segments > 0 && samples.photons == Some(photons.used), "{photons}");
    assert!((samples.photons.unwrap() as f64 - samples.all.mean * 174.0).abs() < 1e-9);
    let seconds = |t: i64| samples.at.ticks.reference().value() + t as f64 * samples.at.ticks.seconds();
    let near = |i: usize, expected: f64| assert!((seconds(samples.at.times[i]) - expected).abs() < 1e-9, "{i}");
    near(0, 0.55);
    near(79, 52.55);
    assert_eq!(samples.at.exposure, 87.0);
    // Bins that were exposed in part, as a file may say of its own.
    let mut series = series;
    series.fracexp[7] = 0.95;
    let of = |least: f64| PulseSamples::from_light_curve(&series, least, Warnings::default()).unwrap();
    assert_eq!([0.9, 1.0].map(|least| of(least).all.samples), [174, 173]);
    assert_eq!([0.9, 1.0].map(|least| of(least).all.step == 1.0), [false, true]);
    let refused = |series: &LightCurve, asked: &SearchOptions, min_fracexp: f64, text: &str| {
        let made = PulseSamples::from_light_curve(series, min_fracexp, Warnings::default());
        let error = made.and_then(|samples| pdm(samples, asked, cpu().as_mut(), &Progress::default())).unwrap_err();
        assert!(error.to_string().contains(text), "{error}");
    };
    let one = options(0.01, 0.09, 20);
    refused(&series, &options(0.01, 0.2, 173), 1.0, "173 samples");
    refused(&series, &one, 1.5, "min_fracexp = ");
    refused(&series, &SearchOptions { method: SearchStatistic::Ef, ..one.clone() }, 1.0, "of events");
    refused(&series, &SearchOptions { nbin: 1, ..one.clone() }, 1.0, "nbin = ");
    refused(
        &series,
        &SearchOptions { algorithm: eagleray::pulsation::Algorithm::Ffa, ..one.clone() },
        1.0,
        "algorithm = ",
    );
    refused(
        &series,
        &SearchOptions { algorithm: eagleray::pulsation::Algorithm::Fft, ..one.clone() },
        1.0,
        "algorithm = ",
    );
    refused(&curve(1.0, &[2.5; 30]), &one, 1.0, "same value");
    refused(&curve(1.0, &[1e-320, 2e-320, 1e-320, 1e-320]), &one, 1.0, "scale them");
    refused(&curve(1.0, &[1.7e308, -1.7e308, 0.0, 1.0]), &one, 1.0, "scale them");
    let codes = |asked: &SearchOptions| {
        let found = searched(&samples, asked);
        found.meta.record.warnings.iter().map(|w| w.code.to_string()).collect::<Vec<_>>()
    };
    assert_eq!(
        (codes(&one), codes(&options(0.5, 1.1, 40))),
        (vec![], vec!["W-PDM-FEW".to_string(), "W-PDM-ALIAS".to_string()])
    );
    let events = crate::common::pulses::events(&times, &[(0.0, 100.0)]);
    let error =
        eagleray::internal::engine::pulsation::search(events, &one, cpu().as_mut(), &Progress::default()).unwrap_err();
    assert!(error.to_string().starts_with("method = pdm"), "{error}");
}

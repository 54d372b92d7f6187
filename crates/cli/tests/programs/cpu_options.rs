//! What the CPU can be told: the precision of its transforms, and how its threads share the work.

use std::num::NonZeroUsize;

use crate::common::front::{on, pair_of_times};
use crate::program::{json, simulate, succeed};
use eagleray::device::Precision;
use eagleray::internal::backend::{CpuBackend, CpuOptions, Schedule};
use eagleray::internal::random::Random;
use eagleray::{CrossSpectrum, Gti, Norm, Observation, PowerSpectrum, Session};

fn cpu(precision: Precision) -> Session {
    let options = CpuOptions { precision, ..CpuOptions::default() };
    on(CpuBackend::with_options(NonZeroUsize::new(2), options).unwrap())
}

/// Times of a bright pulsar with red noise: `segments` of `n` bins of 1/64 s with 40 counts on average.
fn times(n: usize, segments: usize, seed: u64) -> Vec<f64> {
    let mut random = Random::new(seed);
    let mut next = || random.positive();
    let (mut times, mut t, mut red) = (Vec::new(), 0.0, 0.0);
    let end = (n * segments) as f64 / 64.0;
    while t < end {
        t -= next().ln() / (64.0 * 120.0);
        red = 0.999 * red + 0.02 * (next() - 0.5);
        let rate = 1.0 + 0.8 * (2.0 * std::f64::consts::PI * 3.3 * t).sin() + red;
        if 3.0 * next() < rate {
            times.push(t);
        }
    }
    times
}

/// What a transform in single precision may err by in an amplitude of a spectrum.
fn bound(power: &[f64]) -> f64 {
    let mean = power.iter().sum::<f64>() / power.len() as f64;
    1e-6 * mean.sqrt() + 2e-7 * power.iter().fold(0.0f64, |m, &p| m.max(p)).sqrt()
}

#[test]
fn single_precision_keeps_its_bound_and_is_recorded() {
    for n in [16_384, 10_007, 9_375] {
        let (a, b) = (times(n, 8, 1), times(n, 8, 2));
        let size = n as f64 / 64.0;
        let gti = Gti::from_seconds(&[(0.0, 8.0 * size)]).unwrap();
        let both = pair_of_times(&b, &a, &gti);
        let one = Observation::times(a, gti);
        let power = |precision| {
            let analysis = PowerSpectrum::default().dt(1.0 / 64.0).segment_size(size).norm(Norm::None);
            cpu(precision).run(&analysis, &one).unwrap()
        };
        let (single, double) = (power(Precision::Single), power(Precision::Double));
        assert_eq!((single.meta.n, single.meta.segments), (n, 8));
        assert_eq!(
            (&*single.meta.record.device.precision, &*double.meta.record.device.precision),
            ("single", "double")
        );
        let (p, q, most) = (&single.unnorm_power, &double.unnorm_power, bound(&double.unnorm_power));
        let worst = p.iter().zip(q).map(|(p, q)| (p.sqrt() - q.sqrt()).abs() / most).fold(0.0, f64::max);
        println!("{n} bins: power {worst:.3} of the bound");
        assert!(p != q && worst < 1.0, "{n}: {worst} of the bound");
        let cross = |precision| {
            let analysis = CrossSpectrum::default().dt(1.0 / 64.0).segment_size(size).norm(Norm::None);
            cpu(precision).run(&analysis, &both).unwrap()
        };
        let (single, double) = (cross(Precision::Single), cross(Precision::Double));
        let (b1, b2) = (bound(&double.power1), bound(&double.power2));
        for k in 0..double.freq.len() {
            let most = b1 * double.power2[k].sqrt() + b2 * double.power1[k].sqrt() + b1 * b2;
            let (re, im) = (single.power_re[k] - double.power_re[k], single.power_im[k] - double.power_im[k]);
            assert!(re.hypot(im) < most, "{n}, frequency {k}: {} of the bound", re.hypot(im) / most);
        }
        assert!(single.power_re != double.power_re);
    }
}

#[test]
fn the_program_takes_precision_and_schedule() {
    let folder = tempfile::tempdir().unwrap();
    let path = simulate(folder.path(), "a.evt", "--rate 500 --length 1000 --seed 5");
    let common = ["pds", &path, "--dt", "1/64", "--segment-size", "4", "--backend", "cpu"];
    let said = json(&[&common[..], &["--precision", "single"]].concat());
    assert_eq!((said["backend"].as_str(), said["precision"].as_str()), (Some("cpu"), Some("single")));
    assert_eq!(json(&common)["precision"].as_str(), Some("double"));
    // What changes no result leaves no trace.
    let table = |schedule: &str| succeed(&[&common[..], &["-o", "-", "--schedule", schedule]].concat()).stdout;
    assert!(!table("dynamic").is_empty());
    assert!(["static", "guided"].iter().all(|schedule| table(schedule) == table("dynamic")));
}

#[test]
fn every_piece_of_work_is_dealt_once() {
    for schedule in [Schedule::Dynamic, Schedule::Static, Schedule::Guided] {
        for count in [0, 1, 2, 5, 64, 1000] {
            for threads in [1, 2, 3, 16] {
                let deal = eagleray::internal::backend::WorkQueue::new(schedule, count, threads);
                let mut dealt: Vec<Vec<usize>> = Vec::new();
                std::thread::scope(|scope| {
                    let each = |thread| {
                        scope.spawn({
                            let deal = &deal;
                            move || deal.of(thread).collect::<Vec<_>>()
                        })
                    };
                    let all: Vec<_> = (0..deal.threads()).map(each).collect();
                    dealt.extend(all.into_iter().map(|one| one.join().unwrap()));
                });
                assert!(dealt.iter().all(|own| own.is_sorted()));
                if schedule == Schedule::Static {
                    assert!(dealt.iter().all(|own| own.len().abs_diff(count / threads.min(count).max(1)) <= 1));
                }
                let mut all = dealt.concat();
                all.sort_unstable();
                assert!(all.into_iter().eq(0..count), "{schedule:?} {count} {threads}");
            }
        }
    }
}

/// Beside the CPU, a GPU that cannot be opened is left out with a warning; alone it is an error.
#[test]
fn the_cpu_goes_on_without_a_gpu_that_is_not_there() {
    use crate::program::{B1509, codes, refused};
    let options = ["pds", B1509, "--dt", "1/16", "--segment-size", "64", "--adapter"];
    let made = json(&[&options[..], &["9999,cpu"]].concat());
    assert!(codes(&made).contains(&"W-BACKEND-FALLBACK"), "{made}");
    assert_eq!(made["photons"], json(&[&options[..6], &["--backend", "cpu"]].concat())["photons"]);
    refused(&[&options[..], &["9999"]].concat(), 1, "9999");
}

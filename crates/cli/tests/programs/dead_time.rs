//! Dead time: what is simulated is what the model says, and the model is what spectra are judged by.

use crate::common::front;
use eagleray::missions::{NUSTAR, RXTE};
use eagleray::science::DeadTimeModel;
use eagleray::science::noise::NoiseLevel;
use eagleray::science::{AveragedPowerSpectrum, DeadTimeKind, DeadTimeNoise, DeadTimeValue, PowerOptions};
use eagleray::simulate::dead_time::filter;
use eagleray::simulate::{DeadTime, DeadTimeLength, Simulation, VariabilityTerm};
use eagleray::{Gti, Observation, Session};

use DeadTimeKind::{NonParalysable, Paralysable};

fn constant(kind: DeadTimeKind, seconds: f64) -> Option<DeadTime> {
    Some(DeadTime { kind, length: DeadTimeLength::Constant(seconds) })
}

/// Generic events from 0 s on, as finely as f64 holds.
fn generic(rate: f64, length: f64, dead_time: Option<DeadTime>, seed: u64) -> Simulation {
    Simulation { rate: vec![rate], length, tstart: Some(0.0), dead_time, seed, ..Simulation::default() }
}

fn times(s: &Simulation) -> Vec<f64> {
    s.events().unwrap().iter().map(|e| e.time).collect()
}

fn spectrum(times: &[f64], length: f64, dt: f64, n: usize, power: PowerOptions) -> AveragedPowerSpectrum {
    let observation = Observation::times(times.to_vec(), Gti::from_seconds(&[(0.0, length)]).unwrap());
    Session::cpu().unwrap().run(&front::power(dt, dt * n as f64, power), &observation).unwrap()
}

fn noise(dead_time: DeadTimeValue, kind: DeadTimeKind) -> PowerOptions {
    let level = DeadTimeNoise { dead_time, kind, ..DeadTimeNoise::seconds(0.0) };
    PowerOptions { noise: NoiseLevel::DeadTime(level), ..PowerOptions::default() }
}

#[test]
fn blocks_and_threads_leave_no_trace() {
    let folder = tempfile::tempdir().unwrap();
    let path = |name: &str| folder.path().join(name);
    for kind in [NonParalysable, Paralysable] {
        let free = generic(2000.0, 250.0, None, 7);
        let dead = Simulation { dead_time: constant(kind, 0.002), ..free.clone() };
        assert!(dead.source().unwrap().blocks() > 5);
        let arrived = times(&free);
        let mask = filter(&arrived, &[0.002], kind).unwrap();
        let kept: Vec<f64> = arrived.iter().zip(&mask).filter(|(_, kept)| **kept).map(|(t, _)| *t).collect();
        assert_eq!(times(&dead), kept, "{kind}");
        let mut files = Vec::new();
        for (threads, name) in [(1, "one"), (5, "five")] {
            let pool = rayon::ThreadPoolBuilder::new().num_threads(threads).build().unwrap();
            let summary = pool.install(|| dead.write(path(name), true)).unwrap();
            assert_eq!((summary.events, summary.lost), (kept.len() as u64, (arrived.len() - kept.len()) as u64));
            files.push(std::fs::read(path(name)).unwrap());
        }
        assert!(files[0] == files[1], "{kind}: five threads gave other bytes than one");
        // Another dead time for each event, from numbers of their own: the photons are the same, fewer are lost.
        let uniform = DeadTime { kind, length: DeadTimeLength::Uniform(0.0, 0.002) };
        let each = times(&Simulation { dead_time: Some(uniform), ..free.clone() });
        assert!(each.iter().all(|t| arrived.binary_search_by(|x| x.total_cmp(t)).is_ok()));
        assert!(each.len() > kept.len() && each.len() < arrived.len());
    }
    assert!(generic(1.0, 10.0, constant(NonParalysable, -1.0), 0).events().is_err());
}

#[test]
fn photons_are_lost_before_they_are_put_into_frames() {
    let fine = generic(500.0, 100.0, constant(NonParalysable, 0.001), 3);
    let frame = 0.01;
    let coarse = Simulation { frame_time: eagleray::simulate::FrameTime::Seconds(frame), ..fine.clone() };
    let frames = |t: &[f64]| t.iter().map(|t| (t / frame).floor() as i64).collect::<Vec<i64>>();
    assert_eq!(frames(&times(&fine)), frames(&times(&coarse)));
}

#[test]
fn losses_are_those_of_the_textbooks_and_the_header_says_so() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("a.evt");
    let (rate, length) = (400.0, 1000.0);
    let uniform = |kind| Some(DeadTime { kind, length: DeadTimeLength::Uniform(0.001, 0.004) });
    for (dead_time, live) in [
        (constant(NonParalysable, 0.0025), 0.5),
        (constant(Paralysable, 0.0025), (-1f64).exp()),
        (uniform(NonParalysable), 0.5),
        (uniform(Paralysable), (-1f64).exp()),
    ] {
        let s = Simulation { mission: &NUSTAR, ..generic(rate, length, dead_time, 1) };
        let summary = s.write(&path, true).unwrap();
        let expected = rate * length * live;
        assert!((summary.events as f64 - expected).abs() < 4.0 * expected.sqrt(), "{dead_time:?}: {}", summary.events);
        let mut fits = fitsio::FitsFile::open(&path).unwrap();
        let hdu = fits.hdu("EVENTS").unwrap();
        let mut key = |name: &str| hdu.read_key::<f64>(&mut fits, name).unwrap();
        let deadc = key("DEADC");
        assert!((deadc - summary.events as f64 / (summary.events + summary.lost) as f64).abs() < 1e-15);
        assert_eq!((key("ONTIME"), key("LIVETIME"), key("EXPOSURE")), (length, length * deadc, length * deadc));
    }
    let text = String::from_utf8_lossy(&std::fs::read(&path).unwrap()).replace("HISTORY ", "");
    assert!(text.contains("\"dead_time\""), "the options in the header name the dead time");
}

#[test]
fn pcus_are_dead_each_by_itself() {
    let s = Simulation { mission: &RXTE, ..generic(20_000.0, 20.0, constant(NonParalysable, 1e-4), 2) };
    let events = s.events().unwrap();
    let closest = |select: &dyn Fn(u8) -> bool| {
        let times: Vec<f64> = events.iter().filter(|e| select(e.detector)).map(|e| e.time).collect();
        times.windows(2).map(|w| w[1] - w[0]).fold(f64::INFINITY, f64::min)
    };
    for pcu in 0..5 {
        // The clock ticks every 2^-20 s.
        assert!(closest(&|d| d == pcu) >= 1e-4 - 1e-6);
    }
    assert!(closest(&|_| true) < 1e-5);
    // 4000 counts/s in each.
    let expected = 20.0 * 20_000.0 / 1.4;
    assert!((events.len() as f64 - expected).abs() < 4.0 * expected.sqrt());
}

/// Averaged powers of simulated noise against the model: their mean, and their chi-square at every frequency.
#[test]
fn noise_has_the_level_of_the_model() {
    for (kind, rate, seconds, dt, n) in [
        (NonParalysable, 100.0, 0.0025, 1.0 / 1024.0, 512),
        (NonParalysable, 100.0, 0.0025, 1.0 / 64.0, 32),
        (NonParalysable, 400.0, 0.0025, 1.0 / 128.0, 64),
        (NonParalysable, 400.0, 0.0025, 1.0 / 256.0, 256),
        (NonParalysable, 400.0, 0.0025, 0.0025, 200),
        (NonParalysable, 400.0, 0.0025, 1.0 / 4096.0, 1024),
        (NonParalysable, 2000.0, 0.0025, 1.0 / 1024.0, 1024),
        (NonParalysable, 2000.0, 0.0025, 0.02, 16),
        (NonParalysable, 10_000.0, 1e-5, 1.0 / 4096.0, 256),
        (Paralysable, 100.0, 0.0025, 1.0 / 1024.0, 512),
        (Paralysable, 300.0, 0.0025, 1.0 / 256.0, 256),
        (Paralysable, 300.0, 0.0025, 1.0 / 64.0, 16),
    ] {
        let length = if rate > 5000.0 { 200.0 } else { 1000.0 };
        let times = times(&generic(rate, length, constant(kind, seconds), 11));
        let s = spectrum(&times, length, dt, n, noise(DeadTimeValue::Seconds(seconds), kind));
        let recorded = s.meta.dead_time.as_ref().unwrap().rate;
        let model = DeadTimeModel::new(recorded, seconds, kind).unwrap();
        assert!((model.incident_rate() / rate - 1.0).abs() < 0.02);
        let (count, m) = (s.len() as f64, s.meta.segments as f64);
        let off = |i: usize| s.power[i] / s.noise[i] - 1.0;
        let mean = (0..s.len()).map(off).sum::<f64>() / count * (m * count).sqrt();
        // An average of m exponential powers has the variance 1/m and the fourth moment (3 + 6/m)/m².
        let chi2 = (0..s.len()).map(|i| m * off(i).powi(2)).sum::<f64>();
        let scatter = (chi2 - count) / (count * (2.0 + 6.0 / m)).sqrt();
        let what = format!("{kind} {rate}/s {seconds} s dt {dt} n {n}: mean {mean:.2} σ, chi² {scatter:.2} σ");
        println!("{what}; level {:.3} to {:.3}", s.noise[0], s.noise[s.len() - 1]);
        assert!(mean.abs() < 4.0 && scatter.abs() < 4.0, "{what}");
    }
}

/// Bands and detectors: part of the events leaves part of the effect, several detectors share the rate.
#[test]
fn events_left_out_block_and_detectors_block_themselves_alone() {
    let (length, seconds, dt, n) = (2000.0, 0.0025, 1.0 / 128.0, 64);
    let each: Vec<Vec<f64>> =
        (0..2).map(|seed| times(&generic(300.0, length, constant(NonParalysable, seconds), seed))).collect();
    let check = |times: &[f64], detectors: usize, rate: Option<f64>| {
        let level = DeadTimeNoise { detectors, rate, ..DeadTimeNoise::seconds(seconds) };
        let power = PowerOptions { noise: NoiseLevel::DeadTime(level), ..PowerOptions::default() };
        let s = spectrum(times, length, dt, n, power);
        let mean = (0..s.len()).map(|i| s.power[i] / s.noise[i] - 1.0).sum::<f64>() / (s.len() as f64);
        mean * (s.meta.segments as f64 * s.len() as f64).sqrt()
    };
    let mut both = each.concat();
    both.sort_by(f64::total_cmp);
    assert!(check(&both, 2, None).abs() < 4.0);
    assert!(check(&both, 1, None).abs() > 10.0);
    // Three in ten, by a hash of the time.
    let hash = |t: &f64| (t.to_bits() ^ t.to_bits() >> 29).wrapping_mul(0x9e37_79b9_7f4a_7c15) >> 32;
    let some: Vec<f64> = both.iter().copied().filter(|t| hash(t) < (3 << 32) / 10).collect();
    let all = both.len() as f64 / length;
    assert!(check(&some, 2, Some(all)).abs() < 4.0);
    assert!(check(&some, 2, None).abs() > 4.0);
}

/// The fitted dead time of simulated noise: no bias, errors that cover (with dead time the powers of one segment scatter together
/// a little less than each by itself, so errors are on the safe side), and levels whose errors the rms knows.
#[test]
fn fitted_dead_times_are_unbiased() {
    let (length, seconds) = (64.0, 0.0025);
    for (rate, dt, n, hi) in [(150.0, 1.0 / 256.0, 256, 1e9), (400.0, 1.0 / 1024.0, 1024, 100.0)] {
        let mut z = Vec::new();
        for seed in 0..100 {
            let times = times(&generic(rate, length, constant(NonParalysable, seconds), seed));
            let s = spectrum(&times, length, dt, n, noise(DeadTimeValue::Fit(10.0, hi), NonParalysable));
            let fit = s.meta.dead_time.as_ref().unwrap();
            z.push((fit.seconds - seconds) / fit.err);
            if seed == 0 {
                let at =
                    |seconds| spectrum(&times, length, dt, n, noise(DeadTimeValue::Seconds(seconds), NonParalysable));
                let same = at(fit.seconds);
                let (less, more) = (at(fit.seconds - fit.err), at(fit.seconds + fit.err));
                for i in 0..s.len() {
                    assert!((s.noise[i] - same.noise[i]).abs() < 1e-9);
                    let moved = 0.5 * (more.noise[i] - less.noise[i]);
                    assert!((s.noise_err[i] - moved).abs() < 0.05 * moved.abs() + 1e-4, "{} {moved}", s.noise_err[i]);
                }
                let (free, known) = (s.rms(1.0, 9.0).unwrap(), same.rms(1.0, 9.0).unwrap());
                // Over 8 Hz the level moves as one; seven of them are whole bins.
                let inside = |i: &usize| s.freq[*i] > 1.5 && s.freq[*i] < 8.5;
                let most = (0..s.len()).filter(inside).map(|i| s.noise_err[i]).sum::<f64>();
                let added = (free.rms_variance_err.powi(2) - known.rms_variance_err.powi(2)).sqrt() / s.meta.scale.frac;
                assert!((added / most.abs() - 8.0 / 7.0).abs() < 0.05, "{added} {most}");
            }
        }
        let count = z.len() as f64;
        let (mean, square) = (z.iter().sum::<f64>() / count, z.iter().map(|z| z * z).sum::<f64>() / count);
        println!("{rate}/s dt {dt}: mean {mean:.2}, spread {:.2} standard errors", square.sqrt());
        assert!(mean.abs() < 4.0 / count.sqrt() && (0.7..1.2).contains(&square.sqrt()), "{mean} {square}");
    }
}

/// A pulsation loses what the linear response says, at any frequency; at low ones the factor of the documentation.
#[test]
fn signals_are_suppressed_by_the_response() {
    let (length, fraction, seconds) = (4000.0, 0.2, 0.0025);
    for (kind, rate, frequency, dt) in [
        (NonParalysable, 200.0, 4.0, 1.0 / 64.0),
        (NonParalysable, 400.0, 144.0, 1.0 / 1024.0),
        (NonParalysable, 400.0, 288.0, 1.0 / 1024.0),
        (Paralysable, 200.0, 4.0, 1.0 / 64.0),
        (Paralysable, 200.0, 144.0, 1.0 / 1024.0),
    ] {
        let model = vec![VariabilityTerm::Pulsar { frequency, pulsed_fraction: fraction }];
        let times = times(&Simulation { model, ..generic(rate, length, constant(kind, seconds), 5) });
        let n = (4.0 / dt) as usize;
        let s = spectrum(&times, length, dt, n, noise(DeadTimeValue::Seconds(seconds), kind));
        let band = s.rms(frequency - 0.375, frequency + 0.375).unwrap();
        let recorded = s.meta.dead_time.as_ref().unwrap();
        let model = DeadTimeModel::new(recorded.rate, seconds, kind).unwrap();
        let x = std::f64::consts::PI * frequency * dt;
        let expected = 0.5 * fraction * fraction * model.response(frequency) * (x.sin() / x).powi(2);
        let off = (band.rms_variance - expected) / band.rms_variance_err;
        println!("{kind} {frequency} Hz: response {:.3}, off by {off:.2} σ", model.response(frequency));
        // Beyond first order in the fraction, a hundredth.
        let within = 4.0 * band.rms_variance_err + 0.02 * expected;
        assert!((band.rms_variance - expected).abs() < within, "{kind} {frequency}: {} {expected}", band.rms_variance);
        assert!((model.response(frequency) - 1.0).abs() > 0.15, "a test that sees something");
        if frequency < 10.0 {
            assert!((recorded.rms_factor / model.response(frequency).sqrt() - 1.0).abs() < 0.01);
        }
    }
}

mod cli {
    use std::process::{Command, Output};

    use serde_json::Value;

    fn eagleray(options: &[&str]) -> Output {
        let program = env!("CARGO_BIN_EXE_eagleray");
        Command::new(program).args(options).current_dir(crate::program::ROOT).output().unwrap()
    }

    fn succeed(options: &str) -> Output {
        let output = eagleray(&options.split_whitespace().collect::<Vec<_>>());
        assert!(output.status.success(), "{options}: {}", String::from_utf8_lossy(&output.stderr));
        output
    }

    fn pds(options: &str) -> Value {
        serde_json::from_slice(&succeed(&format!("pds --json --quiet --backend cpu {options}")).stdout).unwrap()
    }

    fn columns(options: &str, folder: &std::path::Path) -> Value {
        let path = folder.join("s.json").display().to_string();
        succeed(&format!("pds --quiet --overwrite --backend cpu -o {path} {options}"));
        serde_json::from_slice::<Value>(&std::fs::read(path).unwrap()).unwrap()["columns"].clone()
    }

    fn reals(value: &Value) -> Vec<f64> {
        value.as_array().unwrap().iter().map(|x| x.as_f64().unwrap()).collect()
    }

    fn real(value: &Value) -> f64 {
        value.as_f64().unwrap_or_else(|| panic!("{value} is not a number"))
    }

    fn warned(s: &Value) -> Option<String> {
        let list = s["warnings"].as_array().unwrap();
        list.iter().find(|w| w["code"] == "W-DEAD-TIME").map(|w| w["message"].as_str().unwrap().to_string())
    }

    #[test]
    fn noise_rms_and_significance_follow_the_model_in_every_norm() {
        let folder = tempfile::tempdir().unwrap();
        let file = folder.path().join("a.evt").display().to_string();
        let made = succeed(&format!(
            "simulate -o {file} --mission nustar --rate 400 --length 2000 --dead-time 0.0025 --seed 8"
        ));
        assert!(String::from_utf8_lossy(&made.stderr).contains("were lost to dead time"));
        let grid = format!("{file} --dt 1/1024 --segment-size 1");
        let known = format!("{grid} --dead-time 0.0025");
        let leahy = columns(&known, folder.path());
        let (power, noise) = (reals(&leahy["power"]), reals(&leahy["noise"]));
        assert!(noise[0] < 0.6 && noise.iter().any(|n| *n > 2.2), "a level with waves");
        let reference = pds(&format!("{known} --rms 2:50"));
        let rate = real(&reference["nphots"]);
        for (norm, poisson) in [("leahy", 2.0), ("frac", 2.0 / rate), ("abs", 2.0 * rate), ("none", rate)] {
            let kept = columns(&format!("{known} --norm {norm}"), folder.path());
            let less = columns(&format!("{known} --norm {norm} --subtract-noise"), folder.path());
            let (level, full, rest) = (reals(&kept["noise"]), reals(&kept["power"]), reals(&less["power"]));
            for i in 0..noise.len() {
                assert!((level[i] / (0.5 * poisson * noise[i]) - 1.0).abs() < 1e-9, "{norm}");
                assert!((full[i] - level[i] - rest[i]).abs() < 1e-12 * full[i]);
            }
            for more in ["", "--subtract-noise"] {
                let s = pds(&format!("{known} --norm {norm} --rms 2:50 {more}"));
                assert!((real(&s["rms_variance"]) - real(&reference["rms_variance"])).abs() < 1e-12);
                let first = &s["significant"][0];
                let p = real(&first["log10_p"]);
                assert!(p > -3.0, "{norm}: noise is taken for a signal, {first}");
                let k = real(&first["freq"]).round() as usize - 1;
                assert!((real(&first["leahy_power"]) - 2.0 * power[k] / noise[k]).abs() < 1e-9);
            }
        }
        // Noise only: its variance is 0, and Poisson's level makes it strongly negative.
        assert!(real(&reference["rms_variance"]).abs() < 4.0 * real(&reference["rms_variance_err"]));
        let poisson = pds(&format!("{grid} --rms 2:50"));
        assert!(real(&poisson["rms_variance"]) < -50.0 * real(&poisson["rms_variance_err"]));
        assert!(real(&poisson["significant"][0]["log10_p"]) < -5.0, "waves of the level pass for signals");
        // Rebinned: the mean of the same bins.
        let wide = reals(&columns(&format!("{known} --rebin 7"), folder.path())["noise"]);
        for (i, level) in wide.iter().enumerate() {
            let part = &noise[7 * i..(7 * i + 7).min(noise.len())];
            assert!((level - part.iter().sum::<f64>() / part.len() as f64).abs() < 1e-12);
        }
        for (key, value) in [("dead_time", 0.0025), ("dead_time_err", 0.0), ("dead_time_rate", rate)] {
            assert!((real(&reference[key]) - value).abs() < 1e-9, "{key}");
        }
        assert!((real(&reference["dead_time_rms_factor"]) - (1.0 - 0.0025 * rate)).abs() < 1e-9);
        assert!(reference["dead_time_model"].as_str().unwrap().contains("Zhang"));
        assert!(reference["significant_null"].as_str().unwrap().starts_with("noise with dead time"));
        let fits = folder.path().join("a.fits").display().to_string();
        let svg = folder.path().join("a.svg").display().to_string();
        let made = succeed(&format!("pds --backend cpu {grid} --dead-time fit:100:500 -o {fits} --plot {svg}"));
        let text = String::from_utf8_lossy(&made.stderr).into_owned();
        assert!(text.contains("dead time 2.") && text.contains("(fitted)"), "{text}");
        let mut file = fitsio::FitsFile::open(&fits).unwrap();
        let hdu = file.hdu("SPECTRUM").unwrap();
        let found = hdu.read_key::<f64>(&mut file, "DEADTIME").unwrap();
        let error = hdu.read_key::<f64>(&mut file, "DEADTERR").unwrap();
        assert!((found - 0.0025).abs() < 4.0 * error && error < 1e-5, "{found} {error}");
        // The level is drawn as a curve: many heights, in the level's colour.
        let picture = std::fs::read_to_string(svg).unwrap();
        let curve = picture.lines().find(|l| l.contains("<polyline") && l.contains("#C83C28")).unwrap();
        let heights: std::collections::BTreeSet<&str> = curve
            .split('"')
            .flat_map(|part| part.split_whitespace())
            .filter_map(|p| p.split_once(','))
            .map(|p| p.1)
            .collect();
        assert!(heights.len() > 20, "{heights:?}");
    }

    #[test]
    fn a_warning_comes_where_dead_time_matters_and_nowhere_else() {
        let folder = tempfile::tempdir().unwrap();
        let simulate = |name: &str, options: &str| {
            let path = folder.path().join(name).display().to_string();
            succeed(&format!("simulate -o {path} --mission nustar {options}"));
            path
        };
        let bright = simulate("bright", "--rate 100 --dead-time 0.0025 --seed 1 --length 1000");
        let other = simulate("other", "--rate 100 --dead-time 0.0025 --seed 2 --length 1000");
        let grid = "--dt 1/64 --segment-size 8";
        let message = warned(&pds(&format!("{bright} {grid}"))).unwrap();
        assert!(message.contains("at 80.") || message.contains("at 79."), "{message}");
        let told = |options: &str| crate::program::stderr(&succeed(&format!("pds --backend cpu {options}")));
        let said = told(&format!("{bright} {grid}"));
        assert!(said.contains("; use --dead-time 0.0025 (models the level)"), "{said}");
        let both = pds(&format!("{bright} {other} --combine merge {grid}"));
        let message = warned(&both).unwrap();
        assert!(message.contains("at 80.") || message.contains("at 79."), "two modules share the rate: {message}");
        let said = told(&format!("{bright} {other} --combine merge {grid}"));
        assert!(said.contains("; use --dead-time 0.0025 --dead-time-detectors 2 (models the level)"), "{said}");
        let modelled = pds(&format!("{bright} {other} --combine merge {grid} --dead-time 0.0025"));
        assert!((real(&modelled["dead_time_rate"]) - 80.0).abs() < 2.0, "{}", modelled["dead_time_rate"]);
        for options in ["--dead-time 0.0025", "--dead-time fit:5:32", "--noise 20:32", "--noise none"] {
            assert_eq!(warned(&pds(&format!("{bright} {grid} {options}"))), None, "{options}");
        }
        let faint = simulate("faint", "--rate 1 --dead-time 0.0025 --length 1000");
        let free = simulate("free", "--rate 100 --length 1000");
        for quiet in [faint, free] {
            assert_eq!(warned(&pds(&format!("{quiet} {grid}"))), None);
        }
        // 5 % lower, but no more than chance where little is known.
        let options = "--rate 10 --dead-time 0.0025 --length";
        let (some, little) =
            (simulate("some", &format!("{options} 1000")), simulate("little", &format!("{options} 16")));
        assert!(warned(&pds(&format!("{some} {grid}"))).is_some());
        assert_eq!(warned(&pds(&format!("{little} {grid}"))), None);
    }

    #[test]
    fn nonsense_is_a_usage_error() {
        let file = "examples/data/b1509.fits";
        for options in [
            "--dead-time -1",
            "--dead-time x",
            "--dead-time fit:3",
            "--dead-time 0.01 --noise none",
            "--paralysable",
            "--dead-time 10",
            "--dead-time fit:1000:2000",
            "--dead-time 0.001 --dead-time-detectors 0",
            "--dead-time 0.001 --dead-time-rate 0.1",
        ] {
            let words: Vec<&str> = options.split(' ').collect();
            let output = eagleray(
                &[&["pds", file, "--backend", "cpu", "--dt", "1/64", "--segment-size", "64"], &words[..]].concat(),
            );
            assert_eq!(output.status.code(), Some(2), "{options}: {}", String::from_utf8_lossy(&output.stderr));
        }
        let output = eagleray(&["pds", file, "--backend", "cpu", "--dead-time", "10"]);
        assert!(String::from_utf8_lossy(&output.stderr).contains("use --dead-time-detectors ("));
    }
}

/// Powers far below their noise level leave no limit of a pulsed fraction, as of rms, and say so.
#[test]
fn noise_below_its_level_limits_nothing() {
    use crate::program::{codes, json, simulate};
    let folder = tempfile::tempdir().unwrap();
    let file = simulate(folder.path(), "dead.evt", "--rate 200 --length 400 --dead-time 0.002 --seed 3");
    let options = ["--dt", "1/128", "--segment-size", "4", "--pulsed-limit", "0.5:20", "--rms", "0.5:20"];
    let product = folder.path().join("pds.ecsv");
    let summary = json(&[&["pds", &file, "-o", &product.display().to_string()][..], &options].concat());
    assert!(summary["pulsed_upper_limit"].is_null() && summary["rms_upper_limit"].is_null(), "{summary}");
    assert!(codes(&summary).contains(&"W-NOISE-LEVEL"), "{summary}");
    let read = eagleray::science::AveragedPowerSpectrum::read(&product).unwrap();
    assert!(read.meta.pulsation.unwrap().upper_limit.is_nan());
}

/// Every product with a noise level says that powers do not fit it: a rate of 143 counts/s with 2 ms after each photon in which none is seen
/// makes Leahy powers of 2/(1 + 200·0.002)² = 1.02 at low frequencies, where 2 is expected. Without dead time none says so.
#[test]
fn products_with_noise_levels_say_that_they_do_not_fit() {
    use crate::program::{codes, json, simulate};
    let folder = tempfile::tempdir().unwrap();
    for (name, dead_time, warned) in [("dead", " --dead-time 0.002", true), ("free", " --dead-time 0", false)] {
        let options = format!("--mission nustar --rate 200 --length 400 --seed 3{dead_time}");
        let file = simulate(folder.path(), &format!("{name}.evt"), &options);
        for command in [
            "pds --dt 1/128 --segment-size 4",
            "cs --subject 3:8 --ref 8:79 --dt 1/128 --segment-size 4",
            "dyn --dt 1/128 --segment-size 4",
            "varenergy --energies 3,8,79 --freq 0.5:20 --kind rms --dt 1/128 --segment-size 4",
            "multitaper --dt 1/128 --segment-size 16",
            "ls --dt 1/128 --freq 0.05:30",
        ] {
            let mut words: Vec<&str> = command.split(' ').collect();
            words.insert(1, &file);
            let summary = json(&words);
            assert_eq!(codes(&summary).contains(&"W-NOISE-LEVEL"), warned, "{name}: {command}: {summary}");
        }
    }
}

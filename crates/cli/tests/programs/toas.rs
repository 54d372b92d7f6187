//! Times of arrival: errors as large as the scatter, no bias, and phases that return.

use crate::common::fits_file;
use std::f64::consts::TAU;

use crate::common::fits_file::{Column, Folder, file, gti};
use crate::program::{codes, json, near, real, refused, stderr, succeed};
use eagleray::Combine;
use eagleray::files::ParFile;
use eagleray::internal::Progress;
use eagleray::internal::engine::pulsation::fold::{FoldOptions, fold};
use eagleray::internal::engine::pulsation::{PulseEvents, toas};
use eagleray::internal::engine::{CHUNK_EVENTS, Events};
use eagleray::internal::random::Random;
use eagleray::pulsation::{PulseTemplate, Toa};
use eagleray::science::orbit::TimingModel;
use eagleray::time::{DoubleDouble, MjdRef};
use eagleray::{DeviceChoice, Gti, Warnings};

const MJDREF: MjdRef = MjdRef { day: 55_000, fraction: 0.5 };
const PAR: &str = "PEPOCH 55000.5\nF0 3.3\nF1 -1e-7\n";
const BINARY: &str = "BINARY DD\nA1 3\nPB 0.2\nT0 55000.6\nECC 0.2\nOM 77\n";

fn timing(folder: &Folder, par: &str) -> TimingModel {
    let path = folder.write("t.par", par.as_bytes());
    ParFile::read(&path).unwrap().in_frame(MJDREF)
}

/// A pulse of two harmonics with its maximum at phase 0.3, of height `a`: relative rate.
fn rate(phase: f64, a: f64) -> f64 {
    let x = TAU * (phase - 0.3);
    1.0 + a * (0.9 * x.cos() + 0.5 * (2.0 * x).cos())
}

/// Poisson events of `mean` counts/s over `length` s, as they arrive.
fn photons(timing: &TimingModel, mean: f64, length: f64, a: f64, seed: u64) -> Vec<f64> {
    let (mut random, mut t, mut times) = (Random::new(seed), 0.0, Vec::new());
    loop {
        t -= (1.0 - random.uniform()).ln() / (mean * (1.0 + 1.4 * a));
        if t >= length {
            return times;
        }
        let phase = timing.ephemeris.cycles(timing.emission(DoubleDouble::from(t))).wrapped().value();
        if random.uniform() * (1.0 + 1.4 * a) < rate(phase, a) {
            times.push(t);
        }
    }
}

fn read(times: &[f64], intervals: &[(f64, f64)], timing: &TimingModel) -> PulseEvents {
    let mut warnings = Warnings::default();
    let inputs = vec![Events::from_slice(times, Gti::from_seconds(intervals).unwrap(), &mut warnings)];
    let read =
        PulseEvents::read_emitted(inputs, Combine::Average, timing, CHUNK_EVENTS, warnings, &Progress::default());
    PulseEvents { mjdref: Some(MJDREF), ..read.unwrap() }
}

fn options(events: &PulseEvents) -> FoldOptions {
    let ephemeris = events.timing.as_ref().unwrap().ephemeris;
    FoldOptions { ephemeris, nbin: 24, nharm: 2, background: 0.0 }
}

/// Times of arrival of as many intervals as there are trials, each an experiment of its own. `EAGLERAY_TOA_TRIALS` sets their number.
#[test]
fn errors_cover_as_often_as_they_say_and_shifts_are_not_biased() {
    let trials: usize = std::env::var("EAGLERAY_TOA_TRIALS").ok().and_then(|n| n.parse().ok()).unwrap_or(500);
    let folder = Folder::new();
    let timing = timing(&folder, &format!("{PAR}{BINARY}"));
    let bounds = |trials: f64| 3.5 * (0.6827f64 * 0.3173 / trials).sqrt();
    for (a, mean, seed) in [(0.5, 12.0, 1), (1.0, 4.0, 2)] {
        let length = 50.0 * trials as f64;
        let times = photons(&timing, mean, length, a, seed);
        let events = read(&times, &[(0.0, length)], &timing);
        let asked = options(&events);
        let exact: Vec<f64> = (0..24).map(|b| rate((f64::from(b) + 0.5) / 24.0, a)).collect();
        let counts: Vec<u64> = exact.iter().map(|r| (1e5 * r) as u64).collect();
        let cpu = DeviceChoice::Cpu { threads: None };
        let mut device = eagleray::internal::backend::open(&cpu, &mut Warnings::default()).unwrap();
        let profile = fold(&events, &asked, device.as_mut(), &Progress::default()).unwrap();
        let made = PulseTemplate::from_profile(&profile.counts, &profile.rate).unwrap();
        // The sinusoid's phase is that of the fundamental, whose maximum is that of the pulse.
        for (name, template, truth) in [
            ("the pulse itself", PulseTemplate::from_profile(&counts, &exact).unwrap(), Some(0.0)),
            ("a sinusoid", PulseTemplate::sinusoid(24), Some(0.3)),
            ("the mean of all", made, None),
        ] {
            let found = toas(&events, &asked, &template, 50.0, &Progress::default()).unwrap();
            assert_eq!((found.toas.len() + found.left_out, found.left_out), (trials, 0), "{name}");
            let truth = truth.unwrap_or_else(|| {
                let weight = |toa: &Toa| toa.shift_err.powi(-2);
                found.toas.iter().map(|t| t.shift * weight(t)).sum::<f64>() / found.toas.iter().map(weight).sum::<f64>()
            });
            let pulls: Vec<f64> = found.toas.iter().map(|toa| (toa.shift - truth) / toa.shift_err).collect();
            let n = pulls.len() as f64;
            let covered = pulls.iter().filter(|pull| pull.abs() < 1.0).count() as f64 / n;
            let mean = pulls.iter().sum::<f64>() / n;
            let scatter = (pulls.iter().map(|p| p * p).sum::<f64>() / n).sqrt();
            eprintln!(
                "{a} {name}, {} harmonics: covered {covered:.3}, mean {mean:.3}, rms {scatter:.3}",
                found.harmonics
            );
            assert!((covered - 0.6827).abs() < bounds(n), "{name}: {covered} of {n} within an error");
            assert!(mean.abs() < 3.5 / n.sqrt(), "{name}: pulls of {mean} on average");
            assert!((scatter - 1.0).abs() < 3.5 / (2.0 * n).sqrt() + 0.02, "{name}: pulls of rms {scatter}");
            if name == "the mean of all" {
                assert!((found.chi2 / (n - 1.0) - 1.0).abs() < 3.5 * (2.0 / n).sqrt() + 0.04, "{}", found.chi2);
            }
        }
    }
}

#[test]
fn the_phase_of_a_time_of_arrival_is_that_of_the_template() {
    let folder = Folder::new();
    for par in [PAR.to_string(), format!("{PAR}{BINARY}")] {
        let timing = timing(&folder, &par);
        let times = photons(&timing, 40.0, 4000.0, 1.0, 3);
        // The last interval has good time in its second half alone, and the one before none.
        let events = read(&times, &[(0.0, 2000.0), (3500.0, 4000.0)], &timing);
        let found =
            toas(&events, &options(&events), &PulseTemplate::sinusoid(24), 1000.0, &Progress::default()).unwrap();
        assert_eq!((found.toas.len(), found.left_out), (3, 0));
        for (toa, middle) in found.toas.iter().zip([500.0, 1500.0, 3750.0]) {
            // Next to the middle, by the orbit at most half a period and what the edges move.
            assert!((toa.time.value() - middle).abs() < 0.5 / 3.3 + 0.01, "{toa:?}");
            assert!((toa.shift - 0.3).abs() < 4.0 * toa.shift_err && toa.shift_err < 2e-3, "{toa:?}");
            assert!((toa.error * 3.3 / toa.shift_err - 1.0).abs() < 1e-3 && toa.mjd == MJDREF.mjd_of(toa.time));
        }
        // As written: a MJD, whose phase under the ephemeris is the shift.
        let text = found.tim();
        let mut lines = text.lines();
        assert_eq!(lines.next(), Some("FORMAT 1"));
        for (line, toa) in lines.zip(&found.toas) {
            let fields: Vec<&str> = line.split_whitespace().collect();
            assert_eq!((fields[1], fields[4], fields[5]), ("0.0", "@", "-nphots"), "{line}");
            let arrived = MJDREF.seconds_of(fields[2].parse().unwrap());
            let phase = timing.ephemeris.cycles(timing.emission(arrived)).wrapped() - DoubleDouble::from(toa.shift);
            assert!(phase.wrapped().value().abs() < 1e-9, "{phase:?}: {line}");
            assert!((fields[3].parse::<f64>().unwrap() * 1e-6 / toa.error - 1.0).abs() < 1e-4, "{line}");
        }
    }
}

#[test]
fn fold_writes_times_of_arrival() {
    let folder = Folder::new();
    let timing = timing(&folder, PAR);
    let times = photons(&timing, 20.0, 3000.0, 0.8, 4);
    let path = |name: &str| folder.0.path().join(name).display().to_string();
    let write = |name: &str, place: &str| {
        let table = fits_file::events(vec![Column::f64("TIME", &times)]).set("TIMEREF", place);
        folder.write(name, &file(&[table, gti(&[(0.0, 3000.0)])])).display().to_string()
    };
    let (events, local) = (write("a.evt", "'SOLARSYSTEM'"), write("b.evt", "'LOCAL'"));
    let par = folder.write("a.par", PAR.as_bytes()).display().to_string();
    let (profile, tim, plot) = (path("p.ecsv"), path("a.tim"), path("r.svg"));
    let fold = ["fold", &events, "--par", &par, "--nbin", "24", "--backend", "cpu", "--overwrite"];
    let base = [&fold[..], &["--toas", &tim, "--toa-length", "100"]].concat();
    let made = json(&[&base[..], &["-o", &profile, "--toa-plot", &plot]].concat());
    let list = made["toas"]["toas"].as_array().unwrap();
    assert_eq!((list.len(), &made["toas"]["left_out"]), (30, &0.into()));
    assert!(real(&made["toas"]["chi2"]) > 8.0 && real(&made["toas"]["chi2"]) < 65.0, "{}", made["toas"]["chi2"]);
    assert_eq!(std::fs::read_to_string(&tim).unwrap().lines().count(), 31);
    assert!(std::fs::metadata(&plot).unwrap().len() > 1000);
    // The profile from its file is the profile.
    let before = std::fs::read_to_string(&tim).unwrap();
    let output = succeed(&[&base[..], &["--template", &profile]].concat());
    assert!(stderr(&output).contains("30 TOAs by "), "{}", stderr(&output));
    assert_eq!(std::fs::read_to_string(&tim).unwrap(), before);
    // The maximum of the fundamental is later than phase 0 by 0.3.
    let made = json(&[&base[..], &["--template", "sinusoid"]].concat());
    near(&made["toas"]["toas"][7]["shift"], 0.3, 0.05);
    // Without an ephemeris file too; a short observation that is not barycentred is told.
    let by_hand =
        ["fold", &local, "--f", "3.3", "--epoch", "55000.5", "--overwrite", "--backend", "cpu", "--time", "0:900"];
    let made = json(&[&by_hand[..], &["--toas", &tim, "--toa-length", "300"]].concat());
    assert_eq!((codes(&made), made["toas"]["toas"].as_array().unwrap().len()), (vec!["W-BARYCENTRE"], 3));
    let refuse = |options: &[&str], status, text: &str| refused(&[&fold[..], options].concat(), status, text);
    refuse(&["--toas", &tim], 2, "--toa-length");
    refuse(&["--toa-length", "5"], 2, "--toas");
    refuse(&["--toas", &profile, "--toa-length", "5"], 2, "must be .tim");
    refuse(&["--toas", &tim, "--toa-length", "1e-7"], 2, "the most is");
    refuse(&["--toas", &tim, "--toa-length", "5", "--template", "nosuch"], 1, "nosuch");
    refuse(&["--toas", &tim, "--toa-length", "5", "--template", &tim], 2, "is one of the inputs");
    let other = ["fold", &events, "--par", &par, "--nbin", "16", "--overwrite", "--template", &profile];
    refused(&[&other[..], &["--toas", &tim, "--toa-length", "5"]].concat(), 2, "the template has 24 bins");
    let unknown = fits_file::Table::new("EVENTS", vec![Column::f64("TIME", &times)]);
    let unknown = folder.write("u.evt", &file(&[unknown, gti(&[(0.0, 3000.0)])])).display().to_string();
    refused(&["fold", &unknown, "--f", "3.3", "--toas", &tim, "--toa-length", "5", "--overwrite"], 2, "no MJDREF");
}

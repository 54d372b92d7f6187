//! Statistics on the command line: `eagleray stats` against mpmath (20 digits or more), detection levels and limits of `pds`
//! against simulation.

use std::process::{Command, Output};

use eagleray::science::AveragedPowerSpectrum;
use eagleray::simulate::{Simulation, VariabilityTerm};
use eagleray::{Gti, Observation, PowerSpectrum, Session};
use serde_json::Value;

const B1509: &str = "examples/data/b1509.fits";
const COMMON: &str = "--dt 1/256 --segment-size 64 --backend cpu";

fn eagleray(command: &str) -> Output {
    Command::new(env!("CARGO_BIN_EXE_eagleray"))
        .args(command.split_whitespace())
        .current_dir(crate::program::ROOT)
        .output()
        .expect("the program starts")
}

fn json(command: &str) -> Value {
    let output = eagleray(command);
    assert!(output.status.success(), "{command}: {}", String::from_utf8_lossy(&output.stderr));
    serde_json::from_slice(&output.stdout).expect("JSON")
}

fn near(value: &Value, expected: f64, relative: f64) {
    let value = value.as_f64().unwrap_or_else(|| panic!("{value} is not a number"));
    assert!((value - expected).abs() <= relative * expected.abs(), "{value} is not {expected} within {relative:e}");
}

#[test]
fn probabilities_levels_and_poisson_limits_are_mpmaths() {
    for (options, one, all) in [
        ("--power 40 --trials 100", -8.685889638065037, -6.685889682374844),
        ("--power 12.8257 --m 54 --trials 8191", -85.36200111221193, -81.4486641862793),
        ("--power 3.1 --m 54 --k 4 --trials 2048", -11.799209770088135, -8.48787981849011),
        ("--power 2.05 --m 1000 --k 20", -3.647763370927467, -3.647763370927467),
    ] {
        let v = json(&format!("stats power-to-p --json {options}"));
        near(&v["log10_p_one_trial"], one, 1e-12);
        near(&v["log10_p"], all, 1e-12);
        near(&v["p"], 10f64.powf(all), 1e-10);
    }
    // ½·erfc(5/√2).
    near(&json("stats power-to-p --json --power 30.1299967879774")["sigma"], 5.0, 1e-13);
    for (options, power) in [
        ("--p 0.01 --trials 1024", 23.063251879525147),
        ("--p 0.01 --m 54 --trials 8191", 3.55294164859506),
        ("--log10-p -3 --m 7 --k 30 --trials 500", 2.701867443969417),
        ("--p 1e-9 --m 2", 23.939727865573975),
    ] {
        near(&json(&format!("stats p-to-power --json {options}"))["power"], power, 1e-12);
    }
    // −2·ln 10⁻⁴⁰⁰, where p itself is no f64.
    near(&json("stats p-to-power --json --log10-p -400")["power"], 800.0 * std::f64::consts::LN_10, 1e-13);
    for (options, lower, upper, symmetrical) in [
        ("--counts 0", 0.0, 1.8410216450092636, 1.0 + 0.75f64.sqrt()),
        ("--counts 3", 1.3672953138904338, 5.918185832883397, 1.0 + 3.75f64.sqrt()),
        ("--counts 25 --sigma 2", 16.030020921536195, 37.162754797498124, 1.0 + 25.75f64.sqrt()),
        ("--counts 1000", 968.3825014065658, 1032.633323474849, 1.0 + 1000.75f64.sqrt()),
    ] {
        let v = json(&format!("stats poisson --json {options}"));
        near(&v["lower"], lower, 1e-11);
        near(&v["upper"], upper, 1e-11);
        near(&v["symmetrical_error"], symmetrical, 1e-15);
    }
}

#[test]
fn amplitudes_are_mpmaths_and_return() {
    // Roots of the noncentral χ²'s distribution function; a = √(2·K·S/(N·loss)).
    let x = std::f64::consts::PI * 100.0 / 1024.0;
    let loss = (x.sin() / x).powi(2);
    for (power, values, signal) in [("40", "", 62.38736695354307), ("12.8257", "--m 54", 12.435255956567685)] {
        let v = json(&format!(
            "stats amplitude --json --power {power} {values} --photons 5000 --freq 100 --dt 1/1024 --centred"
        ));
        near(&v["upper_limit"], (2.0 * signal / 5000.0 / loss).sqrt(), 1e-9);
        near(&v["binning_loss"], loss, 1e-14);
    }
    // The distribution function averaged over the offset by mpmath's quadrature.
    let v = json("stats amplitude --json --power 40 --photons 5000 --background 0.2");
    near(&v["fraction"], (2.0 * 50.553619668453344 / 5000.0f64).sqrt(), 1e-6);
    near(&v["upper_limit"], (2.0 * 102.91173704458832 / 5000.0f64).sqrt(), 1e-6);
    near(&v["source_fraction"], v["fraction"].as_f64().unwrap() / 0.8, 1e-14);
    near(&v["rms"], v["fraction"].as_f64().unwrap() / 2f64.sqrt(), 1e-14);
    // One of ten averaged frequencies has the signal: √10 times the pulsed fraction for the same mean power.
    let (one, ten) = ("--power 4 --m 100 --centred", "--power 4 --m 10 --k 10 --centred");
    let [one, ten] = [one, ten].map(|o| json(&format!("stats amplitude --json --photons 300 {o}")));
    near(&ten["upper_limit"], one["upper_limit"].as_f64().unwrap() * 10f64.sqrt(), 1e-12);
    // There and back.
    let there = json("stats amplitude --json --fraction 0.3 --photons 800 --centred");
    near(&there["signal_power"], 0.5 * 800.0 * 0.09, 1e-14);
    let words = String::from_utf8(eagleray("stats poisson --counts 4").stdout).unwrap();
    assert!(words.contains("symmetrical_error") && words.contains("3.17944947"), "{words}");
}

#[test]
fn numbers_outside_the_domain_are_usage_errors() {
    for command in [
        "stats power-to-p --power=-1",
        "stats power-to-p --power 3 --m 0",
        "stats p-to-power --p 1",
        "stats p-to-power --p 0",
        "stats p-to-power --log10-p 0.5",
        "stats p-to-power",
        "stats amplitude --photons 100",
        "stats amplitude --photons 100 --power 30 --fraction 0.1",
        "stats amplitude --photons 100 --power 30 --background 1",
        "stats amplitude --photons 100 --power 30 --freq 5",
        "stats poisson --counts=-3",
    ] {
        let output = eagleray(command);
        assert_eq!(output.status.code(), Some(2), "{command}: {}", String::from_utf8_lossy(&output.stderr));
        assert!(!String::from_utf8_lossy(&output.stderr).contains("panicked"));
    }
}

#[test]
fn detection_levels_stand_in_the_summary_for_every_number_of_values() {
    let s = json(&format!("pds {B1509} {COMMON} --json --quiet"));
    let level = &s["detection_level"];
    assert_eq!((level["probability"].as_f64(), &level["trials"]), (Some(0.01), &8191.into()));
    assert_eq!(level["levels"].as_array().unwrap().len(), 1);
    near(&level["levels"][0]["leahy_power"], 3.55294164859506, 1e-12);
    let common = format!("pds {B1509} {COMMON} --json --quiet --detection-level 0.001 --rebin-log 0.1 --norm frac");
    for subtract in ["", "--subtract-noise"] {
        let s = json(&format!("{common} {subtract}"));
        let levels = s["detection_level"]["levels"].as_array().unwrap();
        let trials = s["frequencies"].as_u64().unwrap();
        assert!(levels.len() > 20);
        for l in levels.iter().step_by(9) {
            let k = &l["k"];
            let one = json(&format!("stats p-to-power --json --p 0.001 --m 54 --k {k} --trials {trials}"));
            near(&l["leahy_power"], one["power"].as_f64().unwrap(), 1e-12);
            let noise = s["noise_mean"].as_f64().unwrap();
            let leahy = l["leahy_power"].as_f64().unwrap();
            let power = if subtract.is_empty() { noise * leahy / 2.0 } else { noise * (leahy / 2.0 - 1.0) };
            near(&l["power"], power, 1e-12);
        }
    }
    let words = eagleray(&format!("pds {B1509} {COMMON}"));
    let words = String::from_utf8_lossy(&words.stderr).into_owned();
    assert!(words.contains("detection level, false alarm 1 % in 8191 trials: power 3.5529 (m 54, K 1)"), "{words}");
}

#[test]
fn pictures_have_the_level_where_it_is_asked_for() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("a.svg").display().to_string();
    for (options, drawn) in
        [("", false), ("--detection-level 0.01", true), ("--rebin-log 0.05 --detection-level 1e-4", true)]
    {
        json(&format!("pds {B1509} {COMMON} --json --quiet --overwrite --plot {path} {options}"));
        let svg = std::fs::read_to_string(&path).unwrap();
        assert_eq!(svg.contains("detection level"), drawn, "{options}");
        assert_eq!(svg.contains("#288246"), drawn, "{options}");
    }
}

#[test]
fn a_limit_of_the_pulsed_fraction_is_that_of_the_largest_power_in_the_band() {
    let s = json(&format!("pds {B1509} {COMMON} --json --quiet --pulsed-limit 20:100"));
    let power = s["pulsed_leahy_power"].as_f64().unwrap();
    let photons = s["nphots"].as_f64().unwrap();
    near(&s["pulsed_freq"], 43.609375, 1e-12);
    assert_eq!(s["pulsed_fraction"], Value::Null);
    let by_hand =
        json(&format!("stats amplitude --json --power {power} --photons {photons} --m 54 --freq 100 --dt 1/256"));
    near(&s["pulsed_upper_limit"], by_hand["upper_limit"].as_f64().unwrap(), 1e-9);
    assert!(s["pulsed_corrections"].as_str().unwrap().contains("dead time"));
    // In every normalisation, and with the source's own fraction where there is background.
    for (options, factor) in
        [("--norm frac", 1.0), ("--norm abs --subtract-noise", 1.0), ("--norm none", 1.0), ("--background 3", 0.0)]
    {
        let t = json(&format!("pds {B1509} {COMMON} --json --quiet --pulsed-limit 20:100 {options}"));
        let rate = photons / 64.0;
        let factor = if factor == 0.0 { rate / (rate - 3.0) } else { factor };
        near(&t["pulsed_upper_limit"], s["pulsed_upper_limit"].as_f64().unwrap() * factor, 1e-9);
    }
    let pulsar = json(&format!("pds {B1509} {COMMON} --json --quiet --pulsed-limit 6:7"));
    let [lo, mid, hi] = ["_lo", "", "_hi"].map(|end| pulsar[format!("pulsed_fraction{end}")].as_f64().unwrap());
    assert!(0.2 < lo && lo < mid && mid < hi && hi < 0.3, "{lo} {mid} {hi}");
    let codes = json(&format!("pds {B1509} {COMMON} --json --quiet --pulsed-limit 100:200"))["warnings"].to_string();
    assert!(codes.contains("W-PULSED-BAND"), "{codes}");
    let own = format!("pds {B1509} {COMMON} --json --quiet --norm frac --use-common-mean false --pulsed-limit 6:7");
    let own = json(&own)["pulsed_fraction"].as_f64().unwrap();
    assert!((own / mid - 1.0).abs() < 0.1, "{own} {mid}");
}

/// The device cannot be opened, so that the answer comes before the run.
#[test]
fn bands_outside_the_spectrum_are_refused_before_the_run() {
    let folder = tempfile::tempdir().unwrap();
    let curve = folder.path().join("lc.fits").display().to_string();
    assert!(eagleray(&format!("lc {B1509} --dt 1/256 -o {curve} --quiet")).status.success());
    for file in [B1509, &curve] {
        for (band, inside) in [
            ("--rms 300:400", false),
            ("--rms 127.99:400", true),
            ("--rms 0.001:0.0078", false),
            ("--noise 3000:4000", false),
            ("--noise 0.016:0.031", false),
            ("--noise 0.03125:0.04", true),
            ("--pulsed-limit 128:200", false),
            ("--pulsed-limit 1:10", true),
        ] {
            let common = format!("pds {file} --dt 1/256 --segment-size 64 {band}");
            let run = eagleray(&format!("{common} --backend gpu --adapter no-such-adapter"));
            let dry = eagleray(&format!("{common} --backend cpu --dry-run"));
            let (run_text, dry_text) = (String::from_utf8_lossy(&run.stderr), String::from_utf8_lossy(&dry.stderr));
            let named = "no frequency in it; there are those from 0.015625 to 127.984375 Hz";
            assert_eq!(run_text.contains(named), !inside, "{file} {band}: {run_text}");
            assert_eq!(dry_text.contains(named), !inside, "{file} {band}: {dry_text}");
            assert_eq!(dry.status.code(), Some(if inside { 0 } else { 2 }), "{file} {band}");
        }
    }
}

/// The averaged spectrum of a simulated source.
fn spectrum(rate: f64, length: f64, seed: u64, model: Vec<VariabilityTerm>, size: f64) -> AveragedPowerSpectrum {
    let simulation = Simulation { rate: vec![rate], length, seed, model, ..Simulation::default() };
    let times: Vec<f64> = simulation.events().unwrap().iter().map(|e| e.time - simulation.start()).collect();
    let observation = Observation::times(times, Gti::from_seconds(&[(0.0, length)]).unwrap());
    let analysis = PowerSpectrum::default().dt(1.0 / 64.0).segment_size(size);
    Session::cpu().unwrap().run(&analysis, &observation).unwrap()
}

#[test]
fn white_noise_exceeds_the_detection_level_in_as_many_spectra_as_said() {
    let (runs, mut alarms) = (300, 0);
    for seed in 0..runs {
        let s = spectrum(100.0, 32.0, seed, Vec::new(), 8.0);
        let level = s.detection_levels(0.1)[0].power;
        alarms += u32::from(s.power.iter().any(|&p| p > level));
    }
    let expected = 0.1 * runs as f64;
    assert!((f64::from(alarms) - expected).abs() < 4.0 * (0.9 * expected).sqrt(), "{alarms} of {runs}");
}

/// Pulsations anywhere in a frequency bin, in bins of the counts that take a third of the power: limits and intervals cover
/// the true fraction as often as they say.
#[test]
fn limits_and_intervals_of_the_pulsed_fraction_cover_the_truth() {
    let (runs, size) = (400, 8.0);
    for (fraction, strong) in [(0.04, false), (0.25, true)] {
        let (mut above, mut inside, mut detected) = (0, 0, 0);
        for seed in 0..runs {
            // Offsets all over the bins of 1/8 Hz, around 20 Hz.
            let frequency = 20.0 + (seed as f64 * 0.618_033_988_75).fract() / size;
            let pulsar = VariabilityTerm::Pulsar { frequency, pulsed_fraction: fraction };
            let s = spectrum(150.0, 4.0 * size, 1000 + seed, vec![pulsar], size);
            let p = s.pulsation(19.5, 20.5, 0.01).unwrap();
            above += u32::from(p.upper_limit > fraction);
            detected += u32::from(p.fraction.is_some());
            inside +=
                u32::from(p.fraction_lo.is_some_and(|x| x < fraction) && p.fraction_hi.is_some_and(|x| x > fraction));
        }
        let covered = f64::from(above) / runs as f64;
        println!("{fraction}: limits cover {covered}, intervals {inside} of {detected}");
        assert!(covered > 0.95 - 4.0 * (0.05 * 0.95 / runs as f64).sqrt(), "{fraction}: {covered}");
        if strong {
            // The larger of two bins that share a signal between them is chosen: a little more than 68 %.
            let covered = f64::from(inside) / f64::from(detected);
            assert_eq!(u64::from(detected), runs);
            assert!((0.60..0.80).contains(&covered), "{covered}");
        }
    }
}

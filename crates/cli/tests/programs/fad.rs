//! Two detectors with dead time: noise that is not white becomes white, and stays so however the work is split.

use std::path::Path;

use crate::program::{refused, simulate, succeed};
use serde_json::Value;

fn codes(table: &Value) -> Vec<&str> {
    table["meta"]["warnings"].as_array().unwrap().iter().map(|w| w["code"].as_str().unwrap()).collect()
}

/// Two detectors with 2.5 ms of dead time that lose half of their photons.
fn detectors(folder: &Path, model: &str) -> [String; 2] {
    ["a", "b"].map(|name| {
        let options = format!("--mission nustar --rate 400 --length 1024 --dead-time 0.0025 {model}");
        simulate(folder, &format!("{name}.evt"), &format!("{options} --seed {}", name.as_bytes()[0]))
    })
}

fn cs(folder: &Path, files: &[String; 2], options: &str) -> Value {
    let path = folder.join("cross.json").display().to_string();
    let words: Vec<&str> = options.split_whitespace().collect();
    let fixed =
        ["cs", &files[0], &files[1], "--dt", "1/512", "--segment-size", "8", "-o", &path, "--overwrite", "--quiet"];
    succeed(&[&fixed[..], &words[..]].concat());
    serde_json::from_str(&std::fs::read_to_string(path).unwrap()).unwrap()
}

/// Mean of a column over the frequencies from `lo` to `hi` Hz.
fn mean(table: &Value, name: &str, lo: f64, hi: f64) -> f64 {
    let column = |name: &str| table["columns"][name].as_array().unwrap().iter().map(|v| v.as_f64().unwrap());
    let inside: Vec<f64> =
        column("freq").zip(column(name)).filter(|(f, _)| (lo..hi).contains(f)).map(|p| p.1).collect();
    inside.iter().sum::<f64>() / inside.len() as f64
}

#[test]
fn noise_with_dead_time_becomes_white() {
    let folder = tempfile::tempdir().unwrap();
    let files = detectors(folder.path(), "");
    let plain = cs(folder.path(), &files, "");
    let warned = |table: &Value| table["meta"]["warnings"].to_string().matches("W-DEAD-TIME").count();
    let fad = cs(folder.path(), &files, "--fad");
    // 128 segments: a band of 20 Hz has 20,480 powers, whose mean has an error of 0.014.
    for lo in [1.0, 40.0, 80.0, 120.0, 160.0, 200.0] {
        for name in ["power1", "power2", "power_total"] {
            let level = mean(&fad, name, lo, lo + 20.0);
            assert!((level - 2.0).abs() < 0.06, "{name} from {lo} Hz: {level}");
        }
        let co = mean(&fad, "power_re", lo, lo + 20.0);
        assert!(co.abs() < 0.045, "co-spectrum from {lo} Hz: {co}");
    }
    // Half of the photons are lost: (1 − rτ)² = 1/4 at low frequencies.
    let dead = mean(&plain, "power1", 1.0, 20.0);
    assert!((dead - 0.5).abs() < 0.05, "{dead}");
    assert!(mean(&plain, "power1", 160.0, 180.0) > 1.0);
    assert_eq!((warned(&plain), warned(&fad)), (2, 0));
    assert!(!codes(&fad).contains(&"W-FAD-UNLIKE"), "{:?}", codes(&fad));
    let meta = &fad["meta"];
    assert!(meta["fad_delta"].as_f64().unwrap().abs() < 0.05 && meta["fad_smoothing"] == 24);
    assert_eq!((meta["backend"].as_str(), meta["m"].as_u64()), (Some("cpu"), Some(128)));
}

#[test]
fn corrected_powers_of_a_source_are_its_own_in_every_norm() {
    let folder = tempfile::tempdir().unwrap();
    // What both see is the same series: one file in two bands, which dead time leaves alone.
    let both = simulate(
        folder.path(),
        "two.evt",
        "--mission nustar --bands 3:10,10:30 --rate 400 --length 1024 --model lorentzian:2:2:0.4 --seed 5",
    );
    let energies = |name: &str, energy: &str| {
        let path = folder.path().join(name).display().to_string();
        succeed(&["lc", &both, "--energy", energy, "--dt", "1/512", "-o", &path, "--quiet"]);
        path
    };
    let curves = [energies("a.fits", "3:10"), energies("b.fits", "10:30")];
    refused(&["cs", &curves[0], &curves[1], "--fad"], 2, "is made of events");
    // The real part of the cross spectrum is the power of one of them without its noise.
    for norm in ["leahy", "frac", "abs", "none"] {
        let s = cs(folder.path(), &curves, &format!("--norm {norm}"));
        let power = mean(&s, "power1", 0.5, 6.0) - mean(&s, "noise1", 0.5, 6.0);
        let co = mean(&s, "power_re", 0.5, 6.0);
        assert!((co / power - 1.0).abs() < 0.03, "{norm}: {co} {power}");
    }
}

#[test]
fn corrected_spectra_do_not_depend_on_how_the_work_is_split() {
    let folder = tempfile::tempdir().unwrap();
    let files = detectors(folder.path(), "--model lorentzian:2:2:0.3");
    let one = cs(folder.path(), &files, "--fad --rebin-log 0.1 --norm frac --threads 1");
    for split in ["--threads 3", "--chunk-events 1000", "--threads 2 --chunk-events 37"] {
        let other = cs(folder.path(), &files, &format!("--fad --rebin-log 0.1 --norm frac {split}"));
        assert_eq!(one["columns"], other["columns"], "{split}");
    }
    // What is hardly smoothed is divided by itself, as Stingray does it.
    for (compat, warned) in [("", false), ("--compat stingray", true)] {
        let narrow = cs(folder.path(), &files, &format!("--fad --fad-smoothing 0.1 {compat}"));
        assert_eq!(codes(&narrow).contains(&"W-FAD-SCATTER"), warned, "{:?}", codes(&narrow));
    }
    for (options, message) in
        [("--backend gpu", "no GPU keeps"), ("--noise 2", "--noise"), ("--fullspec", "--fullspec")]
    {
        let words: Vec<&str> = options.split_whitespace().collect();
        refused(&[&["cs", &files[0], &files[1], "--fad"], &words[..]].concat(), 2, message);
    }
}

/// Detectors that record 169 and 132 counts/s, and two of which one alone varies, are no two alike.
#[test]
fn unlike_detectors_are_warned_of() {
    let folder = tempfile::tempdir().unwrap();
    let detector = |name: &str, options: &str| {
        simulate(folder.path(), name, &format!("--mission nustar --length 1024 --dead-time 0.0025 {options}"))
    };
    let steady = detector("steady.evt", "--rate 293 --seed 1");
    let faint = detector("faint.evt", "--rate 197 --seed 2");
    let varying = detector("varying.evt", "--rate 293 --seed 3 --model lorentzian:2:2:0.3");
    for (other, norm) in [(&faint, "leahy"), (&faint, "frac"), (&varying, "leahy"), (&varying, "abs")] {
        let fad = cs(folder.path(), &[steady.clone(), other.clone()], &format!("--fad --norm {norm}"));
        assert!(codes(&fad).contains(&"W-FAD-UNLIKE"), "{other} {norm}: {:?}", codes(&fad));
    }
    // Two alike.
    let both =
        ["--seed 4", "--seed 5"].map(|seed| detector(&format!("{}.evt", &seed[7..]), &format!("--rate 293 {seed}")));
    for norm in ["leahy", "frac", "abs", "none"] {
        let fad = cs(folder.path(), &both, &format!("--fad --norm {norm}"));
        assert!(!codes(&fad).contains(&"W-FAD-UNLIKE"), "{norm}: {:?}", codes(&fad));
    }
}

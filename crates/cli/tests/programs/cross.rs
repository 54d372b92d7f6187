//! Cross spectra on the command line: signs, bands inside each other, devices, messages.

use std::path::Path;

#[cfg(feature = "gpu")]
use crate::program;
use crate::program::{near, real, refused, simulate, succeed};
use serde_json::Value;

/// The table and metadata that `cs` writes.
fn cs(folder: &Path, options: &str) -> Value {
    let path = folder.join("cross.json").display().to_string();
    let words: Vec<&str> = options.split_whitespace().collect();
    succeed(&[&["cs", "-o", &path, "--overwrite", "--quiet"], &words[..]].concat());
    serde_json::from_str(&std::fs::read_to_string(path).unwrap()).unwrap()
}

fn column(table: &Value, name: &str) -> Vec<f64> {
    table["columns"][name].as_array().unwrap().iter().map(|v| v.as_f64().unwrap_or(f64::NAN)).collect()
}

/// Mean of a column weighted by its errors, and the error of that mean, over frequencies in `band`.
fn weighted(table: &Value, name: &str, band: [f64; 2]) -> (f64, f64) {
    let (freq, value) = (column(table, "freq"), column(table, name));
    let error = column(table, &format!("{name}_err"));
    let (mut sum, mut weight) = (0.0, 0.0);
    for k in 0..freq.len() {
        if band[0] <= freq[k] && freq[k] < band[1] && error[k].is_finite() {
            sum += value[k] / error[k].powi(2);
            weight += error[k].powi(-2);
        }
    }
    (sum / weight, weight.powf(-0.5))
}

const OPTIONS: &str = "--dt 1/64 --segment-size 16 --rebin-log 0.2";

/// A NuSTAR file whose softer band is 20 ms late and whose bands have a coherence of 0.8.
fn late(folder: &Path) -> String {
    let model = "--model lorentzian:1:2:0.3 --rate 400 --length 3000 --seed 3";
    simulate(folder, "late.evt", &format!("--mission nustar --bands 3:10,10:30 --lag 0.02 --coherence 0.8 {model}"))
}

#[test]
fn a_late_subject_has_positive_lags_and_the_source_s_coherence() {
    let folder = tempfile::tempdir().unwrap();
    let file = late(folder.path());
    let table = cs(folder.path(), &format!("{file} --subject 3:10 --ref 10:30 {OPTIONS}"));
    let (lag, error) = weighted(&table, "lag_time", [0.2, 5.0]);
    assert!((lag - 0.02).abs() < 3.5 * error && error < 1.5e-3, "{lag} ± {error} s");
    let (coherence, error) = weighted(&table, "coherence_intrinsic", [0.2, 3.0]);
    assert!((coherence - 0.8).abs() < 4.0 * error && error < 0.02, "{coherence} ± {error}");
    assert_eq!(table["meta"]["lag_sign"], "positive: the subject is late");
    // Bands that change places change the sign of the lag and the order of the powers, and nothing else.
    let swapped = cs(folder.path(), &format!("{file} --subject 10:30 --ref 3:10 {OPTIONS}"));
    for (a, b, sign) in [
        ("lag_phase", "lag_phase", -1.0),
        ("power1", "power2", 1.0),
        ("coherence_raw", "coherence_raw", 1.0),
        ("cross_err_re", "cross_err_re", 1.0),
    ] {
        for (x, y) in column(&table, a).iter().zip(column(&swapped, b)) {
            assert!((x - sign * y).abs() <= 1e-12 * x.abs(), "{a}: {x} {y}");
        }
    }
    // The balance is that of both bands; it is exact.
    let photons = &table["meta"]["photons"];
    let each = real(&table["meta"]["nphots1"]) + real(&table["meta"]["nphots2"]);
    near(&photons["used"], real(&table["meta"]["segments"]) * each, 1e-6);
}

/// The photons of a subject inside the reference leave it: what is left is the rest of the band.
#[test]
fn a_subject_inside_the_reference_leaves_it() {
    let folder = tempfile::tempdir().unwrap();
    let file = late(folder.path());
    for norm in ["leahy", "frac", "abs", "none"] {
        let options = format!("--norm {norm} {OPTIONS}");
        let inside = cs(folder.path(), &format!("{file} --subject 3:10 --ref 3:30 {options}"));
        let apart = cs(folder.path(), &format!("{file} --subject 3:10 --ref 10:30 {options}"));
        assert_eq!(inside["meta"]["subject_inside_reference"], true);
        near(&inside["meta"]["nphots2"], real(&apart["meta"]["nphots2"]), 1e-9);
        for name in ["power_re", "power_im", "power1", "power2", "noise2", "lag_time", "coherence_intrinsic_err"] {
            let largest = column(&apart, name).iter().fold(0f64, |m, x| if x.is_finite() { m.max(x.abs()) } else { m });
            for (x, y) in column(&inside, name).iter().zip(column(&apart, name)) {
                assert!((x - y).abs() <= 1e-9 * largest || (x.is_nan() && y.is_nan()), "{norm} {name}: {x} {y}");
            }
        }
    }
}

/// Photons that both bands would have count once: bands that overlap are bands apart.
#[test]
fn what_two_bands_share_leaves_the_wider_one() {
    let folder = tempfile::tempdir().unwrap();
    let file = late(folder.path());
    let run = |bands: &str| cs(folder.path(), &format!("{file} {bands} {OPTIONS}"));
    let apart = run("--subject 3:10 --ref 10:30");
    // 10 keV is channel 210.
    for bands in ["--subject 3:10 --ref 8:30", "--subject-pi 35:209 --ref-pi 160:709"] {
        assert_eq!(run(bands)["columns"], apart["columns"], "{bands}");
    }
    assert_eq!(run("--subject 10:30 --ref 3:12")["columns"], run("--subject-pi 210:709 --ref-pi 35:209")["columns"]);
    // A reference inside the subject leaves it.
    let around = run("--subject 3:30 --ref 10:30");
    assert_eq!(around["meta"]["reference_inside_subject"], true);
    near(&around["meta"]["nphots1"], real(&apart["meta"]["nphots1"]), 1e-9);
    for name in ["power_re", "power_im", "power1", "noise1", "lag_phase", "lag_time", "power_err"] {
        let largest = column(&apart, name).iter().fold(0f64, |m, x| m.max(x.abs()));
        for (x, y) in column(&around, name).iter().zip(column(&apart, name)) {
            assert!((x - y).abs() <= 1e-9 * largest, "{name}: {x} {y}");
        }
    }
}

/// All frequencies in the order of `fftfreq`, however the work is split; negative ones mirror the positive.
#[test]
fn full_spectra_have_all_frequencies() {
    let folder = tempfile::tempdir().unwrap();
    let file = late(folder.path());
    for (bins, more) in [(1024, "--norm frac --use-common-mean false"), (1025, "--norm none"), (1024, "--rebin 100")] {
        let options = format!("{file} --subject 3:10 --ref 3:30 --dt 1/64 --segment-size {bins}/64 {more}");
        let half = cs(folder.path(), &options);
        let full = cs(folder.path(), &format!("{options} --fullspec"));
        let (freq, phase) = (column(&full, "freq"), column(&full, "lag_phase"));
        let count = column(&half, "freq").len();
        assert_eq!(freq.len(), 2 * count + 1 + usize::from(bins % 2 == 0));
        assert_eq!(freq[0], 0.0);
        if bins % 2 == 0 {
            assert_eq!(freq[count + 1], -32.0);
        }
        for k in 0..count {
            assert_eq!((freq[k + 1], phase[k + 1]), (column(&half, "freq")[k], column(&half, "lag_phase")[k]));
            let mirrored = freq.len() - 1 - k;
            assert_eq!((freq[mirrored], phase[mirrored]), (-freq[k + 1], -phase[k + 1]));
            assert_eq!(column(&full, "lag_time")[mirrored], column(&full, "lag_time")[k + 1]);
        }
        if more.contains("none") {
            let photons = real(&full["meta"]["nphots1"]) * real(&full["meta"]["nphots2"]);
            assert!((column(&full, "power_re")[0] / photons - 1.0).abs() < 0.05);
        }
        let split = cs(folder.path(), &format!("{options} --fullspec --chunk-events 1000 --threads 3"));
        assert_eq!(split["columns"], full["columns"]);
    }
}

#[test]
fn noise_levels_are_those_asked_for() {
    let folder = tempfile::tempdir().unwrap();
    let file = late(folder.path());
    let bands = format!("{file} --subject 3:10 --ref 10:30 --dt 1/64 --segment-size 16");
    let given = cs(folder.path(), &format!("{bands} --noise 1.9,1.8"));
    assert_eq!((real(&given["meta"]["noise1_mean"]), column(&given, "noise2")[7]), (1.9, 1.8));
    let fitted = cs(folder.path(), &format!("{bands} --noise 20:32"));
    let (freq, power) = (column(&fitted, "freq"), column(&fitted, "power1"));
    let inside: Vec<f64> = freq.iter().zip(&power).filter(|(f, _)| **f >= 20.0).map(|(_, p)| *p).collect();
    near(&fitted["meta"]["noise1_mean"], inside.iter().sum::<f64>() / inside.len() as f64, 1e-9);
    let dead = cs(folder.path(), &format!("{bands} --dead-time 0.0005"));
    let level = column(&dead, "noise1");
    let rate = real(&dead["meta"]["nphots1"]) / 16.0;
    assert!((level[0] - 2.0 * (1.0 - rate * 0.0005).powi(2)).abs() < 0.02, "{} {rate}", level[0]);
}

#[test]
fn plans_and_pictures() {
    let folder = tempfile::tempdir().unwrap();
    let file = late(folder.path());
    let bands = ["cs", &file, "--subject", "3:10", "--ref", "10:30", "--dt", "1/64", "--segment-size", "16"];
    let plan = program::json(&[&bands[..], &["--dry-run"]].concat());
    assert_eq!((plan["n"].as_u64(), plan["segments"].as_u64()), (Some(1024), Some(187)));
    for (name, options) in
        [("a.svg", "--rebin-log 0.1 --plot-lag phase"), ("b.svg", "--power-type all"), ("c.png", "--fullspec")]
    {
        let path = folder.path().join(name).display().to_string();
        let words: Vec<&str> = options.split_whitespace().collect();
        succeed(&[&bands[..], &words[..], &["--plot", &path, "--quiet"]].concat());
        let picture = std::fs::read(&path).unwrap();
        assert!(picture.len() > 10_000);
        if name == "a.svg" {
            let text = String::from_utf8(picture).unwrap();
            for piece in ["positive: the subject is late", "phase lag (rad)", "intrinsic", "|cross|"] {
                assert!(text.contains(piece), "{piece}");
            }
        }
    }
}

/// Light curves are correlated where both have bins, as their events are.
#[test]
fn light_curves_give_the_cross_spectrum_of_their_events() {
    let folder = tempfile::tempdir().unwrap();
    let file = late(folder.path());
    let curve = |name: &str, energy: &str, more: &[&str]| {
        let path = folder.path().join(name).display().to_string();
        succeed(&[&["lc", &file, "--energy", energy, "--dt", "1/16", "-o", &path, "--quiet"], more].concat());
        path
    };
    let (soft, hard) = (curve("soft.fits", "3:10", &[]), curve("hard.csv", "10:30", &[]));
    let of_events = cs(folder.path(), &format!("{file} --subject 3:10 --ref 10:30 --dt 1/16 --segment-size 16"));
    let of_curves = cs(folder.path(), &format!("{soft} {hard} --segment-size 16"));
    assert_eq!(of_curves["columns"], of_events["columns"]);
    // Made coarser together; bins that one of them lacks split the other.
    let coarse = cs(folder.path(), &format!("{soft} {hard} --dt 1/4 --segment-size 16"));
    assert_eq!(coarse["meta"]["segments"], 187);
    let start = real(&of_events["meta"]["gti"][0][0]);
    let time = format!("{}:{}", start + 100.0, start + 420.0);
    let short = curve("short.fits", "10:30", &["--time", &time]);
    let part = cs(folder.path(), &format!("{soft} {short} --segment-size 16"));
    assert_eq!(part["meta"]["segments"], 20);
    let same =
        cs(folder.path(), &format!("{file} --subject 3:10 --ref 10:30 --dt 1/16 --segment-size 16 --time {time}"));
    assert_eq!(part["columns"], same["columns"]);
    refused(&["cs", &soft, &file], 2, "holds events");
    refused(&["cs", &soft], 2, "two are needed");
    refused(&["cs", &soft, &hard, "--compat", "stingray"], 2, "applies to events");
}

#[cfg(feature = "gpu")]
#[test]
fn the_gpu_gives_the_cpu_s_lags() {
    if crate::common::gpu::context("cross spectrum", eagleray::internal::backend::GpuTier::Auto).is_none() {
        return;
    }
    let folder = tempfile::tempdir().unwrap();
    let file = late(folder.path());
    for size in ["16", "11"] {
        let options = format!("{file} --subject 3:10 --ref 3:30 --dt 1/64 --segment-size {size} --rebin-log 0.2");
        let cpu = cs(folder.path(), &format!("{options} --backend cpu"));
        let gpu = cs(folder.path(), &format!("{options} --backend gpu"));
        assert_eq!(gpu["meta"]["backend"], "gpu");
        assert_eq!(gpu["meta"]["photons"], cpu["meta"]["photons"]);
        for name in ["power_re", "power_im", "power1", "power2"] {
            let largest = column(&cpu, name).iter().fold(0f64, |m, x| m.max(x.abs()));
            for (x, y) in column(&gpu, name).iter().zip(column(&cpu, name)) {
                assert!((x - y).abs() <= 1e-5 * largest, "{name}: {x} {y}");
            }
        }
    }
}

/// Two observations of unrelated noise: no coherence beyond chance. Two files, and two files of two bands each.
#[test]
fn files_are_channels_or_observations() {
    let folder = tempfile::tempdir().unwrap();
    let model = "--mission nustar --rate 100 --length 2000 --model powerlaw:1:0.3";
    let a = simulate(folder.path(), "a.evt", &format!("{model} --seed 1"));
    let b = simulate(folder.path(), "b.evt", &format!("{model} --seed 2"));
    let table = cs(folder.path(), &format!("{a} {b} {OPTIONS}"));
    let coherence = weighted(&table, "coherence_raw", [0.0, 32.0]);
    assert!(coherence.0.abs() < 0.02, "{coherence:?}");
    near(&table["meta"]["segments"], 125.0, 0.0);
    let both = cs(folder.path(), &format!("{a} {b} --subject 3:10 --ref 10:30 {OPTIONS}"));
    near(&both["meta"]["segments"], 250.0, 0.0);
    assert_eq!(both["meta"]["inputs"].as_array().unwrap().len(), 4);
}

#[test]
fn what_makes_no_sense_is_refused() {
    let folder = tempfile::tempdir().unwrap();
    let file = simulate(folder.path(), "one.evt", "--mission nustar --rate 10 --length 100");
    let cases: [(&str, &str, i32); 9] = [
        ("--subject 3:10 --ref 10:30 --noise 1,2,3", "one level for both", 2),
        (
            "--subject 3:10 --ref 10:30 --use-common-mean false --norm frac --background 0.1,0.1",
            "use --use-common-mean true",
            2,
        ),
        ("--subject 3:10", "--ref", 2),
        ("", "two files", 2),
        ("--subject 3:10 --ref 3:10", "no photon of its own", 2),
        ("--subject 3:10 --ref 10:30 --energy 3:30", "the bands are those", 2),
        ("--subject 3:10 --ref 10:30 --background 1", "one rate for the subject", 2),
        ("--subject 3:10 --ref 10:30 --background 1,100", "below the mean rate", 2),
        ("--subject 3:10 --ref 10:30 --combine merge", "stay apart", 2),
    ];
    for (options, message, status) in cases {
        let words: Vec<&str> = options.split_whitespace().collect();
        refused(&[&["cs", &file], &words[..]].concat(), status, message);
    }
}

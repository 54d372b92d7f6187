//! Energy spectra on the command line: values, formats, devices, messages.

use std::path::Path;

#[cfg(feature = "gpu")]
use crate::program::{B1509, codes, json, near, real, refused, simulate, succeed};
use serde_json::Value;

/// The table and metadata of `varenergy`.
fn varenergy(folder: &Path, options: &str) -> Value {
    let path = folder.join("energy.json").display().to_string();
    let words: Vec<&str> = options.split_whitespace().collect();
    succeed(&[&["varenergy", "-o", &path, "--overwrite", "--quiet"], &words[..]].concat());
    serde_json::from_str(&std::fs::read_to_string(path).unwrap()).unwrap()
}

fn column(table: &Value, name: &str) -> Vec<f64> {
    let values = table["columns"][name].as_array().unwrap_or_else(|| panic!("no column {name}"));
    values.iter().map(|v| v.as_f64().unwrap_or(f64::NAN)).collect()
}

const OPTIONS: &str = "--dt 1/64 --segment-size 16";

/// A NuSTAR file whose band below 10 keV is 20 ms late, with a coherence of 0.8.
fn late(folder: &Path) -> String {
    let model = "--model lorentzian:1:2:0.3 --rate 300 --length 2000 --seed 3";
    simulate(folder, "late.evt", &format!("--mission nustar --bands 3:10,10:30 --lag 0.02 --coherence 0.8 {model}"))
}

#[test]
fn late_bands_have_positive_lags_and_values_are_those_of_the_other_commands() {
    let folder = tempfile::tempdir().unwrap();
    let file = late(folder.path());
    let bands = "--energies 3,4,6,10,20,30 --ref 10:30 --freq 0.5:2";
    let lags = varenergy(folder.path(), &format!("{file} {bands} {OPTIONS}"));
    let (value, error) = (column(&lags, "value"), column(&lags, "value_err"));
    for band in 0..3 {
        assert!((value[band] - 0.02).abs() < 4.0 * error[band] && error[band] < 0.008, "{value:?} {error:?}");
    }
    for band in 3..5 {
        assert!(value[band].abs() < 4.0 * error[band], "{value:?} {error:?}");
    }
    let meta = &lags["meta"];
    assert_eq!((&meta["lag_sign"], &meta["nfreq"]), (&"positive: the subject is late".into(), &24.into()));
    near(&meta["freq_band"][0], 7.5 / 16.0, 1e-12);
    near(&meta["freq_band"][1], 31.5 / 16.0, 1e-12);
    assert_eq!((&meta["m"], &meta["k"]), (&(24 * 125).into(), &24.into()));
    // The file was read once, and each photon is accounted for once.
    let photons = &meta["photons"];
    let info = json(&["info", &file]);
    assert_eq!(photons["read"], info[0]["events"]);
    assert!(column(&lags, "counts").iter().sum::<f64>() <= real(&photons["used"]));
    // The rms of a band is that of its power spectrum in the same frequencies.
    let rms = varenergy(folder.path(), &format!("{file} {bands} {OPTIONS} --kind rms").replace("--ref 10:30", ""));
    let edges = format!("{}:{}", 7.5 / 16.0, 31.5 / 16.0);
    let pds = json(&["pds", &file, "--dt", "1/64", "--segment-size", "16", "--energy", "6:10", "--rms", &edges]);
    near(&pds["rms"], column(&rms, "value")[2], 1e-12);
    // The error of a power spectrum has the weights of the source, where segments differ by chance.
    near(&pds["rms_err"], column(&rms, "value_err")[2], 1e-3 * real(&pds["rms_err"]));
    let squared =
        varenergy(folder.path(), &format!("{file} {bands} {OPTIONS} --kind excvar").replace("--ref 10:30", ""));
    assert!((column(&squared, "value")[2] / column(&rms, "value")[2].powi(2) - 1.0).abs() < 1e-12);
    let absolute =
        varenergy(folder.path(), &format!("{file} {bands} {OPTIONS} --kind rms --norm abs").replace("--ref 10:30", ""));
    near(&pds["rms_abs"], column(&absolute, "value")[2], 1e-9);
    // Bands of one rms: what is coherent in each is √0.8 of it below 10 keV and all above.
    let covariance = varenergy(folder.path(), &format!("{file} {bands} {OPTIONS} --kind covariance --norm frac"));
    for (band, coherent) in [0.8f64.sqrt(), 0.8f64.sqrt(), 0.8f64.sqrt(), 1.0, 1.0].into_iter().enumerate() {
        let [value, error] = ["value", "value_err"].map(|name| column(&covariance, name)[band]);
        let (rms, rms_error) = (column(&rms, "value")[band], column(&rms, "value_err")[band]);
        assert!((value - coherent * rms).abs() < 4.0 * error.hypot(rms_error), "{band}: {value} ± {error}, {rms}");
    }
}

#[test]
fn counts_are_those_of_the_file() {
    let folder = tempfile::tempdir().unwrap();
    let file = late(folder.path());
    let table = varenergy(folder.path(), &format!("{file} --energies 3:30:9 --kind count"));
    let info = json(&["info", &file]);
    let counts = column(&table, "counts");
    near(&info[0]["events"], counts.iter().sum(), 0.0);
    assert_eq!(column(&table, "value"), counts);
    near(&table["meta"]["exposure"], 2000.0, 1e-6);
    near(&table["columns"]["rate"][0], counts[0] / 2000.0, 1e-12);
    // NuSTAR's channel 35 is the first above 3 keV; 4 to 7 keV are channels 60 to 134.
    let by_channel = varenergy(folder.path(), &format!("{file} --energies-pi 35,60,135 --kind count"));
    let by_energy = varenergy(folder.path(), &format!("{file} --energies 3,4,7 --kind count"));
    assert_eq!(column(&by_channel, "counts"), column(&by_energy, "counts"));
    assert_eq!(column(&by_channel, "channel_hi"), [59.0, 134.0]);
}

#[test]
fn every_format_has_the_columns_and_the_picture_is_drawn() {
    let folder = tempfile::tempdir().unwrap();
    let file = late(folder.path());
    let name = |name: &str| folder.path().join(name).display().to_string();
    for (kind, columns) in [
        ("lag", "value value_err lag_phase lag_phase_err freq m_eff counts"),
        ("covariance", "value value_err covariance_re covariance_re_err covariance_im covariance_im_err m_eff counts"),
        ("rms", "value value_err variance variance_err upper_limit m_eff counts"),
        ("excvar", "value value_err m_eff counts"),
        ("count", "value value_err rate rate_err counts"),
    ] {
        let freq = if kind == "count" { vec![] } else { vec!["--freq", "0.5:2"] };
        for format in ["ecsv", "csv", "fits"] {
            let (output, plot) = (name(&format!("{kind}.{format}")), name(&format!("{kind}-{format}.svg")));
            let options =
                ["varenergy", &file, "--energies", "3:30:4:log", "--kind", kind, "-o", &output, "--plot", &plot];
            succeed(&[&options[..], &freq, &OPTIONS.split_whitespace().collect::<Vec<_>>()].concat());
            let bytes = std::fs::read(&output).unwrap();
            let text = String::from_utf8_lossy(&bytes);
            let names: Vec<&str> = ["energy_lo", "energy_hi"].into_iter().chain(columns.split(' ')).collect();
            match format {
                "ecsv" => assert!(text.lines().any(|line| line == names.join(" ")), "{text}"),
                "csv" => assert!(text.lines().any(|line| line == names.join(",")), "{text}"),
                _ => names.iter().for_each(|name| assert!(text.contains(&format!("'{name}")), "{name}")),
            }
            assert!(std::fs::read_to_string(plot).unwrap().contains("energy (keV)"));
        }
    }
}

#[cfg(feature = "gpu")]
#[test]
fn the_gpu_gives_the_cpu_s_energy_spectra() {
    if crate::common::gpu::context("energy spectra", eagleray::internal::backend::GpuTier::Auto).is_none() {
        return;
    }
    let folder = tempfile::tempdir().unwrap();
    let file = late(folder.path());
    for (kind, size) in [("lag", "16"), ("covariance", "11"), ("rms", "16")] {
        let options =
            format!("{file} --energies 3:30:12:log --freq 0.5:2 --kind {kind} --dt 1/64 --segment-size {size}");
        let cpu = varenergy(folder.path(), &format!("{options} --backend cpu"));
        let gpu = varenergy(folder.path(), &format!("{options} --backend gpu"));
        assert_eq!((&gpu["meta"]["backend"], &cpu["meta"]["backend"]), (&"gpu".into(), &"cpu".into()));
        assert_eq!(gpu["meta"]["photons"], cpu["meta"]["photons"]);
        for (name, values) in cpu["columns"].as_object().unwrap() {
            let cpu = column(&cpu, name);
            let largest = cpu.iter().fold(0f64, |m, x| if x.is_finite() { m.max(x.abs()) } else { m });
            assert_eq!(values.as_array().unwrap().len(), 12);
            for (x, y) in column(&gpu, name).iter().zip(&cpu) {
                assert!((x - y).abs() <= 1e-5 * largest || (x.is_nan() && y.is_nan()), "{kind} {name}: {x} {y}");
            }
        }
    }
}

#[test]
fn what_makes_no_sense_is_refused() {
    let folder = tempfile::tempdir().unwrap();
    let file = simulate(folder.path(), "one.evt", "--mission nustar --rate 10 --length 100");
    let base = "--dt 1/64 --segment-size 4";
    for (options, message) in [
        ("--energies 3:10:7", "--freq: the frequencies"),
        ("--freq 1:2", "--energies"),
        ("--energies 3:10:0 --freq 1:2", "not a whole number above zero"),
        ("--energies 3:10 --freq 1:2", "are no bands"),
        ("--energies 10,3 --freq 1:2", "edges must rise"),
        ("--energies 0:10:3:log --freq 1:2", "begin above zero"),
        ("--energies 3:79:65 --freq 1:2", "at most 64 bands"),
        ("--energies 3:79:1000000000000 --freq 1:2", "at most 64 bands"),
        ("--energies 3:10:7 --freq 40:50", "from 0.25 to 31.75 Hz"),
        ("--energies 3:10:7 --freq 0.3:0.4", "no frequency in it"),
        ("--energies 3:10:7 --freq 1:2 --ref 3.5:8", "shares photons with the reference"),
        ("--energies 3:3.03:3 --freq 1:2", "--energies = 3:3.01: no channel's centre lies in this band"),
        ("--energies 3:10:7 --freq 1:2 --energy 3:5", "the bands are those"),
        ("--energies 3:10:7 --freq 1:2 --norm abs", "have no normalisation"),
        ("--energies 3:10:7 --freq 1:2 --kind count", "counts have no frequencies"),
        ("--energies-pi 3,4.5 --freq 1:2", "whole numbers"),
    ] {
        let words: Vec<&str> = options.split_whitespace().chain(base.split_whitespace()).collect();
        refused(&[&["varenergy", &file], &words[..]].concat(), 2, message);
    }
    let nomission = ["varenergy", "tests/data/nomission.evt", "--energies", "2:10:4", "--kind", "count"];
    refused(&nomission, 2, "use --rmf (takes a response) or --energies-pi (takes channels)");
}

#[test]
fn a_dry_run_tells_the_plan_and_warnings_tell_what_is_odd() {
    let folder = tempfile::tempdir().unwrap();
    let file = simulate(folder.path(), "one.evt", "--mission nustar --rate 10 --length 100 --energies flat:3:30");
    let base = ["varenergy", &file, "--energies", "3:79:4", "--dt", "1/64", "--segment-size", "4"];
    let plan = json(&[&base[..], &["--freq", "1:2", "--dry-run"]].concat());
    assert_eq!((&plan["plan"]["segments"], &plan["plan"]["nfreq"]), (&25.into(), &4.into()));
    assert_eq!(plan["bands"].as_array().unwrap().len(), 4);
    let summary = json(&[&base[..], &["--freq", "0.1:2"]].concat());
    let codes = codes(&summary);
    for code in ["W-FREQ-BAND", "W-BAND-EMPTY", "W-BAND-NOISE"] {
        assert!(codes.contains(&code), "{codes:?} without {code}");
    }
    // A band that is the whole reference has nothing to be compared with.
    let whole =
        json(&["varenergy", &file, "--energies", "3,30", "--freq", "1:2", "--dt", "1/64", "--segment-size", "4"]);
    assert_eq!(whole["warnings"][0]["code"], "W-BAND-REFERENCE", "{whole:#}");
}

/// Bands of a module of NuSTAR share its dead time.
#[test]
fn dead_time_that_matters_is_warned_of() {
    let folder = tempfile::tempdir().unwrap();
    let model = "--mission nustar --bands 3:10,10:30 --length 1000 --dead-time 0.0025 --seed 6";
    let bright = simulate(folder.path(), "bright.evt", &format!("{model} --rate 100"));
    let faint = simulate(folder.path(), "faint.evt", &format!("{model} --rate 0.5"));
    let options = format!("--energies 3,10,30 --freq 0.5:10 {OPTIONS}");
    for kind in ["lag", "rms"] {
        let meta = varenergy(folder.path(), &format!("{bright} {options} --kind {kind}"))["meta"].clone();
        assert!(codes(&meta).contains(&"W-DEAD-TIME"));
        let message = meta["warnings"].to_string();
        // 133 counts/s of 200 are recorded: 1 − (1 − rτ)² = 0.56 for all of them.
        assert!(message.contains("0.0025 s") && message.contains("counts/s each"), "{message}");
    }
    let none = varenergy(folder.path(), &format!("{faint} {options}"));
    assert!(!codes(&none["meta"]).contains(&"W-DEAD-TIME"));
    let counts = varenergy(folder.path(), &format!("{bright} --energies 3,10,30 --kind count"));
    assert!(codes(&counts["meta"]).is_empty());
}

/// Channels are no keV: a reference has the unit of its bands.
#[test]
fn a_reference_in_another_unit_than_the_bands_is_refused() {
    let line = ["varenergy", B1509, "--freq", "0.1:1", "--energies"];
    refused(&[&line[..], &["1:9:3", "--ref-pi", "100:900"]].concat(), 2, "--ref-pi");
    let line = ["varenergy", B1509, "--freq", "0.1:1", "--energies-pi"];
    refused(&[&line[..], &["35:675:4", "--ref", "3:9"]].concat(), 2, "--ref");
}

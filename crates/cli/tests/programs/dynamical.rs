//! `eagleray dyn`, `ls`, `multitaper` and `bispectrum` as their users meet them.

use crate::program::{B1509, json, near, real, refused, simulate, succeed};
use serde_json::Value;

fn columns(path: &str) -> Value {
    let text = std::fs::read_to_string(path).unwrap();
    serde_json::from_str::<Value>(&text).unwrap()["columns"].clone()
}

fn reals(value: &Value) -> Vec<f64> {
    value.as_array().unwrap().iter().map(real).collect()
}

/// The image and its axes are, cell by cell, what the long form says; gaps in the observation are gaps in time.
#[test]
fn matrices_are_the_same_in_every_format_and_keep_their_times() {
    let folder = tempfile::tempdir().unwrap();
    let at = |name: &str| folder.path().join(name).display().to_string();
    let events = simulate(
        folder.path(),
        "gaps.evt",
        "--rate 40 --length 400 --gap-every 100:30 --seed 3 --model pulsar:2.5:0.7",
    );
    let options = [
        "dyn",
        &events,
        "--dt",
        "1/16",
        "--segment-size",
        "8",
        "--rebin",
        "3",
        "--rebin-time",
        "2",
        "--backend",
        "cpu",
    ];
    for name in ["m.fits", "m.json", "m.ecsv", "m.csv"] {
        succeed(&[&options, &["-o", &at(name), "--quiet"][..]].concat());
    }
    let long = columns(&at("m.json"));
    let (time, freq, power) = (reals(&long["time"]), reals(&long["freq"]), reals(&long["power"]));
    let mut fits = fitsio::FitsFile::open(at("m.fits")).unwrap();
    let image = fits.primary_hdu().unwrap();
    let fitsio::hdu::HduInfo::ImageInfo { ref shape, .. } = image.info else { panic!("no image") };
    let (rows, width) = (shape[0], shape[1]);
    assert_eq!((rows * width, width), (power.len(), 21));
    let values: Vec<f64> = image.read_image(&mut fits).unwrap();
    assert_eq!(values, power);
    let mut column = |table: &str, name: &str| -> Vec<f64> {
        let hdu = fits.hdu(table).unwrap();
        hdu.read_col(&mut fits, name).unwrap()
    };
    let (times, starts, stops, freqs) =
        (column("TIME", "time"), column("TIME", "start"), column("TIME", "stop"), column("FREQ", "freq"));
    assert!((0..power.len()).all(|i| time[i] == times[i / width] && freq[i] == freqs[i % width]));
    assert_eq!(column("TIME", "rate").len(), rows);
    // Good time of 70 s in each 100 s: eight segments, four rows, then a gap of 36 s.
    assert_eq!(rows, 16);
    for row in 1..rows {
        let gap = starts[row] - stops[row - 1];
        assert_eq!(gap, if row % 4 == 0 { 36.0 } else { 0.0 }, "before row {row}");
    }
    for name in ["m.ecsv", "m.csv"] {
        let text = std::fs::read_to_string(at(name)).unwrap();
        let lines: Vec<&str> = text.lines().filter(|line| !line.starts_with('#')).collect();
        assert_eq!(lines[0].replace(' ', ","), "time,freq,power");
        assert_eq!(lines.len(), power.len() + 1);
        let last: Vec<f64> = lines[power.len()].split([' ', ',']).map(|x| x.parse().unwrap()).collect();
        assert_eq!(last, [time[power.len() - 1], freq[power.len() - 1], power[power.len() - 1]]);
    }
    let across = json(&[&options[..], &["--across-gaps"]].concat());
    assert_eq!((across["rows"].as_u64(), across["segments"].as_u64()), (Some(16), Some(32)));
}

#[test]
fn traces_are_followed_added_and_drawn() {
    let folder = tempfile::tempdir().unwrap();
    let at = |name: &str| folder.path().join(name).display().to_string();
    let added = at("added.json");
    let options = ["dyn", B1509, "--dt", "1/64", "--segment-size", "250", "--backend", "cpu"];
    let trace = ["--trace", "6:7", "--shift-add", &added, "--shift-half", "4", "--plot", &at("m.svg")];
    let summary = json(&[&options[..], &trace[..]].concat());
    let peaks = summary["trace"].as_array().unwrap();
    assert_eq!((peaks.len() as u64, summary["rows"].as_u64()), (14, Some(14)));
    for peak in peaks {
        // The pulsar, in bins of 4 mHz.
        near(&peak["freq"], 6.596, 0.01);
    }
    let table = columns(&added);
    let power = reals(&table["power"]);
    assert_eq!(power.len(), 9);
    near(&table["power"][4], peaks.iter().map(|p| real(&p["power"])).sum::<f64>() / 14.0, 1e-9);
    assert!(power.iter().all(|p| *p <= power[4]));
    let svg = std::fs::read_to_string(at("m.svg")).unwrap();
    assert!(svg.contains("Leahy power") && svg.contains("frequency (Hz)") && svg.matches("<rect").count() > 1000);
    let plan = succeed(&[&options[..], &["--dry-run"]].concat());
    let plan = String::from_utf8(plan.stdout).unwrap();
    assert!(plan.contains("14 of 250 s") && plan.contains("14 rows at most, 7999 frequencies"), "{plan}");
    for (more, text) in [
        (&["--trace", "40:50"][..], "no frequency in it"),
        (&["--rebin-log", "0.1", "--trace", "6:7", "--shift-add", &at("x.json")], "evenly spaced"),
        (&["--noise", "10:20"], "--noise"),
        (&["--shift-add", &at("x.json")], "--trace"),
        (&["--rebin-time", "0"], "above zero"),
        (&["--subject", "3:10"], "--ref"),
        (&["-o", &at("m.txt")], "extension"),
    ] {
        refused(&[&options[..], more].concat(), 2, text);
    }
}

#[test]
fn dynamical_cross_spectra_have_the_lag_of_their_source() {
    let folder = tempfile::tempdir().unwrap();
    let model =
        "--mission nustar --bands 3:10,10:30 --lag 0.05 --rate 400 --length 640 --model lorentzian:1:2:0.4 --seed 8";
    let events = simulate(folder.path(), "two.evt", model);
    let out = folder.path().join("cross.json").display().to_string();
    let options = [
        "dyn",
        &events,
        "--dt",
        "1/32",
        "--segment-size",
        "16",
        "--rebin-time",
        "40",
        "--rebin",
        "16",
        "--backend",
        "cpu",
    ];
    let lag = |subject: &str, reference: &str| {
        succeed(
            &[&options[..], &["--subject", subject, "--ref", reference, "-o", &out, "--overwrite", "--quiet"]].concat(),
        );
        let table = columns(&out);
        assert_eq!(table["freq"].as_array().unwrap().len(), 16);
        // About 1 Hz.
        real(&table["lag_phase"][1]) / std::f64::consts::TAU / real(&table["freq"][1])
    };
    let [late, early] = [lag("10:30", "3:10"), lag("3:10", "10:30")];
    assert!((late.abs() - 0.05).abs() < 0.02 && (late + early).abs() < 1e-12, "{late} {early}");
    // A subject inside its reference leaves it.
    assert_eq!(lag("10:30", "3:30").signum(), late.signum());
}

/// What is binned by `lc`, into every format that it writes and a table by hand, has the dynamical spectra of the events.
#[test]
fn light_curves_have_the_dynamical_spectra_of_their_events() {
    let folder = tempfile::tempdir().unwrap();
    let at = |name: &str| folder.path().join(name).display().to_string();
    let model = "--mission nustar --bands 3:10,10:30 --lag 0.05 --rate 300 --length 400 --gap-every 100:30 --seed 2";
    let events = simulate(folder.path(), "two.evt", &format!("{model} --model lorentzian:1:2:0.4"));
    for (name, band) in [("s", "3:10"), ("r", "10:30")] {
        for format in ["fits", "csv", "ecsv"] {
            let out = at(&format!("{name}.{format}"));
            succeed(&["lc", &events, "--energy", band, "--dt", "1/16", "-o", &out, "--quiet"]);
        }
        let table = std::fs::read_to_string(at(&format!("{name}.csv"))).unwrap();
        let rows = table.lines().filter(|line| line.starts_with(|c: char| c.is_ascii_digit()));
        let columns = |line: &str| line.split(',').map(str::to_string).collect::<Vec<_>>();
        // time, rate and error.
        let text: Vec<String> = rows.map(columns).map(|c| format!("{} {} {}", c[0], c[2], c[3])).collect();
        std::fs::write(at(&format!("{name}.txt")), text.join("\n")).unwrap();
    }
    let options =
        ["--segment-size", "8", "--rebin", "3", "--rebin-time", "2", "--norm", "abs", "--backend", "cpu", "--quiet"];
    let made = |what: &[&str], name: &str| {
        let out = at(name);
        succeed(&[&["dyn"], what, &options[..], &["--overwrite", "-o", &out]].concat());
        columns(&out)
    };
    let power = made(&[&events, "--energy", "3:10", "--dt", "1/16"], "p.json");
    let cross = made(&[&events, "--subject", "3:10", "--ref", "10:30", "--dt", "1/16"], "c.json");
    for format in ["fits", "csv", "ecsv", "txt"] {
        let [subject, reference] = ["s", "r"].map(|name| at(&format!("{name}.{format}")));
        let of_curve = made(&[&subject], "q.json");
        let of_both = made(&[&subject, &reference, "--cross"], "d.json");
        for (ours, theirs) in [(&of_curve, &power), (&of_both, &cross)] {
            for (name, expected) in theirs.as_object().unwrap() {
                let (got, expected) = (reals(&ours[name]), reals(expected));
                let largest = expected.iter().fold(0.0f64, |m, x| m.max(x.abs()));
                assert_eq!(got.len(), expected.len(), "{format}: {name}");
                // Printed times begin at 0.
                let shift = if name == "time" { expected[0] - got[0] } else { 0.0 };
                let close = |(a, b): (&f64, &f64)| (a + shift - b).abs() < 1e-9 * largest;
                assert!(got.iter().zip(&expected).all(close), "{format}: {name}");
            }
        }
    }
    let two = made(&[&at("s.fits"), &at("r.fits"), "--cross", "--plot", &at("two.png")], "e.json");
    assert_eq!(two, made(&[&at("s.ecsv"), &at("r.ecsv"), "--cross"], "f.json"));
    refused(&["dyn", &at("s.fits"), "--cross"], 2, "two are needed");
    refused(&["dyn", &at("s.fits"), &at("r.fits"), "--subject", "3:10", "--ref", "10:30"], 2, "no events to select");
}

#[test]
fn lomb_scargle_multitaper_and_bispectrum_go_to_tables_and_pictures() {
    let folder = tempfile::tempdir().unwrap();
    let at = |name: &str| folder.path().join(name).display().to_string();
    let events = simulate(
        folder.path(),
        "gaps.evt",
        "--rate 60 --length 900 --gap-every 200:50 --seed 5 --model pulsar:1.25:0.5",
    );
    let curve = at("curve.fits");
    succeed(&["lc", &events, "--dt", "1/8", "-o", &curve, "--quiet"]);
    let ls =
        json(&["ls", &curve, "--freq", "0.1:3", "--oversample", "2", "--plot", &at("ls.png"), "-o", &at("ls.ecsv")]);
    near(&ls["peak"]["freq"], 1.25, 0.001);
    assert_eq!((ls["n"].as_u64(), ls["m"].as_u64()), (Some(8 * 700), Some(1)));
    let direct = json(&["ls", &curve, "--freq", "0.1:3", "--oversample", "2", "--direct"]);
    near(&direct["peak"]["power"], real(&ls["peak"]["power"]), 1e-8);
    let cross = at("cross.json");
    succeed(&["ls", &curve, "--ref", &events, "--dt", "1/8", "-o", &cross, "--quiet"]);
    // A series with itself has no lag.
    assert!(reals(&columns(&cross)["power_im"]).iter().all(|im| im.abs() < 1e-6));
    let tapers = json(&[
        "multitaper",
        &events,
        "--dt",
        "1/8",
        "--segment-size",
        "64",
        "--plot",
        &at("mt.svg"),
        "-o",
        &at("mt.fits"),
    ]);
    near(&tapers["peak"]["freq"], 1.25, 5.0 / 64.0);
    near(&tapers["noise_mean"], 2.0, 1e-12);
    assert!(tapers["photons"]["used"].as_u64() > Some(30_000));
    let pairs = json(&[
        "bispectrum",
        &events,
        "--dt",
        "1/8",
        "--segment-size",
        "8",
        "--max-freq",
        "2",
        "--plot",
        &at("b.svg"),
        "-o",
        &at("b.csv"),
    ]);
    assert_eq!(pairs["pairs"].as_u64(), Some(64));
    near(&pairs["noise"], 1.0 / real(&pairs["m"]), 1e-15);
    let segments = ["bispectrum", &events, "--dt", "1/8", "--segment-size", "8"];
    let peer =
        ["--compat", "stingray", "--window", "parzen", "--max-freq", "2", "--plot", &at("p.png"), "-o", &at("p.csv")];
    let peer = json(&[&segments[..], &peer].concat());
    // 2 Hz is 16 steps, on both sides of 0.
    assert_eq!(peer["pairs"].as_u64(), Some(33 * 33));
    near(&peer["df"], 1.0 / 8.0, 1e-15);
    for (options, text) in [
        (&["bispectrum", &events, "--window", "parzen"][..], "--compat"),
        (&["bispectrum", &events, "--segment-size", "8", "--compat", "stingray", "--max-lag", "100000"], "--max-lag"),
        (&["multitaper", &events, "--half-bandwidth", "0.1"], "--half-bandwidth"),
        (&["multitaper", &events, "--compat", "stingray"], "--compat"),
        (&["bispectrum", &events, "--max-freq", "1e-9"], "--max-freq"),
        (&["ls", &curve, "--freq", "5:3"], "LO:HI"),
        (&["ls", &curve, "-o", "-", "--json"], "standard output"),
    ] {
        refused(options, 2, text);
    }
}

//! Every format of a product says the same of it: all metadata, under the same names, with the same values.

use std::path::Path;
use std::process::Command;

use serde_json::{Map, Value};

/// Runs a command that writes a table by the option `by`.
fn eagleray(options: &str, by: &str, output: &Path) {
    let done = Command::new(env!("CARGO_BIN_EXE_eagleray"))
        .args(options.split_whitespace())
        .arg(by)
        .arg(output)
        .arg("--quiet")
        .current_dir(crate::program::ROOT)
        .output()
        .expect("the program starts");
    assert!(done.status.success(), "{options}: {}", String::from_utf8_lossy(&done.stderr));
}

/// The metadata of a file, by its extension.
fn metadata(path: &Path) -> Map<String, Value> {
    let text = || std::fs::read_to_string(path).unwrap();
    // YAML in flow style whose strings and keys are quoted is JSON, and so is each value of a CSV.
    let entries = |text: &str, from: &str, to: &str, indent: &str| -> Map<String, Value> {
        let lines = text.lines().skip_while(|l| !l.starts_with(from)).take_while(|l| !l.starts_with(to));
        let pairs = lines.filter_map(|l| l.strip_prefix(indent)?.split_once(": "));
        pairs.map(|(key, value)| (key.to_string(), serde_json::from_str(value).expect(value))).collect()
    };
    match path.extension().and_then(|e| e.to_str()) {
        Some("json") => serde_json::from_str::<Value>(&text()).unwrap()["meta"].as_object().unwrap().clone(),
        Some("ecsv") => entries(&text(), "# meta:", "# schema", "#   "),
        Some("csv") => entries(&text(), "#", "(no line)", "# "),
        _ => {
            let mut fits = fitsio::FitsFile::open(path).unwrap();
            let hdu = fits.hdu("METADATA").unwrap();
            let size: i64 = hdu.read_key(&mut fits, "NAXIS1").unwrap();
            assert_eq!(hdu.read_key::<i64>(&mut fits, "NAXIS2").unwrap(), 1);
            assert_eq!(hdu.read_key::<String>(&mut fits, "TTYPE1").unwrap(), "JSON");
            // As bytes: `read_col` leaves no place for the zero that ends a text.
            let (mut row, mut status) = (vec![0u8; size as usize], 0);
            // SAFETY: the file is open, and the row has so many bytes.
            unsafe { fitsio::sys::ffgtbb(fits.as_raw(), 1, 1, size, row.as_mut_ptr(), &mut status) };
            assert_eq!(status, 0);
            serde_json::from_str(std::str::from_utf8(&row).unwrap().trim_end_matches(['\0', ' '])).unwrap()
        }
    }
}

/// Numbers by value: `3` and `3.0` are one.
fn same(a: &Value, b: &Value) -> bool {
    match (a, b) {
        (Value::Number(a), Value::Number(b)) => a.as_f64() == b.as_f64(),
        (Value::Array(a), Value::Array(b)) => a.len() == b.len() && a.iter().zip(b).all(|(a, b)| same(a, b)),
        (Value::Object(a), Value::Object(b)) => {
            a.len() == b.len() && a.iter().all(|(key, value)| b.get(key).is_some_and(|other| same(value, other)))
        }
        _ => a == b,
    }
}

fn check(options: &str, names: &[&str], promised: &[&str]) -> Map<String, Value> {
    check_by(options, "-o", names, promised)
}

/// The metadata of a command's table in all formats, written by the option `by`.
fn check_by(options: &str, by: &str, names: &[&str], promised: &[&str]) -> Map<String, Value> {
    let folder = tempfile::tempdir().unwrap();
    let expected = folder.path().join("expected.json");
    eagleray(options, by, &expected);
    // A matrix has its axes in tables of their own where it is FITS, among the metadata where it is text.
    let metadata = |path: &Path| {
        let mut found = metadata(path);
        let axes = found.remove("axes").is_some();
        assert!(!axes || path.extension().is_some_and(|e| e != "fits"));
        found
    };
    let expected = metadata(&expected);
    for key in promised {
        assert!(expected.contains_key(*key), "{key} of {:?}", expected.keys());
    }
    for name in names {
        let path = folder.path().join(name);
        eagleray(options, by, &path);
        let paths = if *name == "a.pha" { vec![path.clone(), path.with_extension("rsp")] } else { vec![path] };
        for path in paths {
            let found = metadata(&path);
            let keys = |m: &Map<String, Value>| m.keys().cloned().collect::<std::collections::BTreeSet<_>>();
            assert_eq!(keys(&found), keys(&expected), "{}", path.display());
            for (key, value) in &expected {
                assert!(same(value, &found[key]), "{}: {key} is {}, not {value}", path.display(), found[key]);
            }
        }
    }
    expected
}

const PROMISED: [&str; 20] = [
    "n",
    "dt",
    "nphots",
    "mean",
    "mjdref",
    "gti",
    "exposure",
    "telescop",
    "instrume",
    "object",
    "timesys",
    "timeref",
    "plephem",
    "barycentred",
    "detectors",
    "eagleray_version",
    "options",
    "inputs",
    "photons",
    "warnings",
];

#[test]
fn spectra_carry_the_same_metadata_in_every_format() {
    let options = "pds examples/data/b1509.fits --dt 1/128 --segment-size 64 --backend cpu --rms 6:7 --intervals \
                   --pulsed-limit 6:7 --noise 20:60 --rebin-log 0.01";
    let names = ["a.ecsv", "a.csv", "a.json", "a.fits", "a.pha"];
    let more = [
        "segments",
        "df",
        "segment_size",
        "norm",
        "noise_mean",
        "product",
        "skipped_segments",
        "backend",
        "adapter",
        "precision",
    ];
    let found = check(options, &names, &[&PROMISED[..], &more].concat());
    // The exposure is that of the segments, also where a keyword of that name says something else to XSPEC.
    assert_eq!(found["exposure"].as_f64(), Some(54.0 * 64.0));
    assert!(found["pulsed_upper_limit"].as_f64() > Some(0.2) && found["rms"].as_f64() > Some(0.1));
    // A gap in the input, warnings, values that are null.
    let options = "pds tests/data/monol_testA.evt --backend cpu --rms 0.1:0.2 --norm frac --subtract-noise --rebin 64";
    check(options, &names, &PROMISED);
}

#[test]
fn light_curves_carry_the_same_metadata_in_every_format() {
    let folder = tempfile::tempdir().unwrap();
    // A name that is no ASCII, and quotes.
    let strange = folder.path().join("µ'Cas\".evt");
    std::fs::copy(crate::program::root("tests/data/monol_testA.evt"), &strange).unwrap();
    for file in ["examples/data/b1509.fits", "tests/data/sgr1830kgfilt.evt", strange.to_str().unwrap()] {
        check(&format!("lc {file} --dt 16"), &["a.ecsv", "a.csv", "a.json", "a.fits"], &PROMISED);
    }
}

#[test]
fn other_products_carry_the_same_metadata_in_every_format() {
    let folder = tempfile::tempdir().unwrap();
    let module = |seed: &str| {
        crate::program::simulate(
            folder.path(),
            &format!("{seed}.evt"),
            &format!("--mission nustar --rate 300 --length 64 --seed {seed}"),
        )
    };
    let (a, b) = (module("1"), module("2"));
    let names = ["a.ecsv", "a.csv", "a.json", "a.fits"];
    let sgr = "tests/data/sgr1830kgfilt.evt --backend cpu";
    // What is written last must not fail for a name of what was computed.
    for options in [
        format!("bin {a} --times 300000000:300000064:8 --energies 3:30:4"),
        format!("bispectrum {sgr} --dt 1/4 --segment-size 16"),
        format!("cs {sgr} --subject 1:3 --ref 3:8 --dt 1/16 --segment-size 64 --fullspec"),
        format!("cs {a} {b} --dt 1/64 --segment-size 8 --dead-time 0.0025 --dead-time-detectors 1"),
        format!("cs {a} {b} --fad --dt 1/64 --segment-size 8 --rebin-log 0.1"),
        format!("ls {a} --ref {b} --dt 1/4 --freq 0.1:1"),
        format!("ls {a} --dt 1/4 --freq 0.1:1 --weighted"),
        format!("accel {a} --freq 1:4 --fdot -1e-3:1e-3"),
        format!("search {a} --freq 1:2 --method h"),
        format!("search {a} --freq 1:2 --method ef --algorithm ffa --nbin 16"),
        format!("search {a} --freq 1:2 --method pdm --nbin 16 --dt 1/64"),
        format!("search {a} --freq 1:2 --fdot -1e-3:1e-3 --fddot -1e-5:1e-5"),
        format!("varenergy {sgr} --energies 1:8:3 --freq 0.1:1 --dt 1/16 --segment-size 64 --kind covariance"),
        format!("varenergy {sgr} --energies 1:8:3 --freq 0.1:1 --dt 1/16 --segment-size 64 --kind rms"),
        format!("varenergy {sgr} --energies 1:8:3 --kind count"),
        format!("cs {sgr} --subject 1:3 --ref 3:8 --dt 1/16 --segment-size 64"),
        format!("cs {sgr} --subject 1:8 --ref 3:5 --dt 1/16 --segment-size 64"),
        format!("cs {a} {b} --fad --dt 1/64 --segment-size 8 --norm frac"),
        format!("varenergy {sgr} --energies 1:8:3 --freq 0.1:1 --dt 1/16 --segment-size 64"),
        format!("multitaper {sgr} --dt 1/16 --segment-size 64"),
        format!("ls {sgr} --dt 1 --freq 0.01:0.4"),
        format!("search {sgr} --freq 0.05:0.2"),
        format!("fold {sgr} --f 0.096 --nbin 16"),
    ] {
        let options = if ["multitaper", "ls", "bispectrum"].iter().any(|name| options.starts_with(name)) {
            options.replace(" --backend cpu", "")
        } else {
            options
        };
        check(&options, &names, &["eagleray_version", "options", "inputs"]);
    }
}

const FORMATS: [&str; 4] = ["a.ecsv", "a.csv", "a.json", "a.fits"];

#[test]
fn matrices_and_further_tables_carry_the_same_metadata_in_every_format() {
    let folder = tempfile::tempdir().unwrap();
    let file = |seed: &str| {
        let options = format!("--mission nustar --rate 100 --length 64 --seed {seed}");
        crate::program::simulate(folder.path(), &format!("{seed}.evt"), &options)
    };
    let (a, b) = (file("1"), file("2"));
    let short = "--dt 1/32 --segment-size 4 --backend cpu";
    for (options, by, promised) in [
        (format!("dyn {a} {short} --rebin-time 2"), "-o", &["segments", "norm"][..]),
        (format!("dyn {a} {short} --subject 3:10 --ref 10:30"), "-o", &["segments"][..]),
        (format!("dyn --cross {a} {b} {short}"), "-o", &["segments"][..]),
        (format!("dyn {a} {short} --trace 1:4 --shift-half 3"), "--shift-add", &["segments"][..]),
        (format!("fold {a} --f 1.5 --nbin 8 --energies 3,10,30"), "--energy-phase", &[][..]),
    ] {
        let found = check_by(
            &options,
            by,
            &FORMATS,
            &[&["eagleray_version", "options", "inputs", "product"][..], promised].concat(),
        );
        assert_eq!(
            found["inputs"].as_array().unwrap().len(),
            if options.contains("--cross") || options.contains("--subject") { 2 } else { 1 },
            "{options}"
        );
    }
}

/// What is made of a product that was read says the same in every format, whatever the format that was read.
#[test]
fn products_made_of_products_carry_the_same_metadata_in_every_format() {
    let folder = tempfile::tempdir().unwrap();
    let file = |seed: &str| {
        // One after the other: products of one time are not averaged.
        let options = format!("--mission nustar --rate 100 --length 64 --seed {seed} --tstart 3{seed}0000000");
        crate::program::simulate(folder.path(), &format!("{seed}.evt"), &options)
    };
    let (a, b) = (file("1"), file("2"));
    let short = "--dt 1/32 --segment-size 4 --backend cpu";
    for (kind, command, ways) in [
        (
            "pds",
            format!("pds FILE {short}"),
            &["rebin IN --rebin 3", "rebin IN --rebin-log 0.2", "norm IN --norm abs", "join IN OTHER"][..],
        ),
        (
            "cs",
            format!("cs FILE --subject 3:10 --ref 10:30 {short}"),
            &["rebin IN --rebin 3", "rebin IN --rebin-log 0.2", "norm IN --norm frac", "join IN OTHER"][..],
        ),
        ("lc", "lc FILE --dt 4".to_string(), &["rebin IN --rebin 4"][..]),
    ] {
        let of = |event_file: &str, name: &str| {
            let path = folder.path().join(format!("{kind}-{name}"));
            eagleray(&command.replace("FILE", event_file), "-o", &path);
            path.display().to_string()
        };
        let other = of(&b, "other.fits");
        for way in ways {
            let mut before: Option<Map<String, Value>> = None;
            for format in FORMATS {
                let read = folder.path().join(format!("{kind}-{format}"));
                if !read.exists() {
                    of(&a, format);
                }
                let options = way.replace("IN", &read.display().to_string()).replace("OTHER", &other);
                let found = check(&options, &FORMATS, &["eagleray_version", "options", "inputs", "product"]);
                let before = before.get_or_insert_with(|| found.clone());
                assert!(same(&Value::Object(before.clone()), &Value::Object(found)), "{kind}, {way}: read as {format}");
            }
        }
    }
}

/// Names that cannot be written are refused before anything is read: the input need not even be there.
#[test]
fn names_of_outputs_are_judged_before_the_work() {
    use crate::program::refused;
    let folder = tempfile::tempdir().unwrap();
    let there = folder.path().join("there.ecsv").display().to_string();
    std::fs::write(&there, "kept").unwrap();
    let nowhere = folder.path().join("none/a.ecsv").display().to_string();
    for (options, by) in [
        ("dyn none.evt", "-o"),
        ("dyn none.evt --trace 1:4", "--shift-add"),
        ("dyn none.evt --subject 3:10 --ref 10:30", "-o"),
        ("dyn --cross none.evt nowhere.evt", "-o"),
        ("varenergy none.evt --energies 3:10:4 --freq 0.1:1", "-o"),
        ("fold none.evt --f 1.5 --energies 3,10,30", "--energy-phase"),
        ("rebin none.ecsv --rebin 2", "-o"),
        ("norm none.ecsv --norm abs", "-o"),
        ("join none.ecsv nowhere.ecsv", "-o"),
        ("bispectrum none.evt", "-o"),
        ("multitaper none.evt", "-o"),
        ("bin none.evt --times 0,1", "-o"),
        ("accel none.evt --freq 1:2 --fdot 0:1e-9", "-o"),
    ] {
        let line = |output: &str| {
            options.split_whitespace().map(str::to_string).chain([by.into(), output.into()]).collect::<Vec<String>>()
        };
        let judged = |output: &str, status: i32, text: &str| {
            let line = line(output);
            refused(&line.iter().map(String::as_str).collect::<Vec<_>>(), status, text);
        };
        judged("a.parquet", 2, "a.parquet");
        judged(&there, 1, "exists already");
        judged(&nowhere, 1, "no such folder");
    }
    assert_eq!(std::fs::read_to_string(&there).unwrap(), "kept");
}

//! The command line on real observations: known figures, formats, exit statuses, and results that depend on nothing but the
//! input. Figures of the fixtures come from Stingray 2.3.2.

use std::path::Path;
use std::process::{Command, Output};

use crate::program::{B1509, codes, eagleray, json, near, refused, simulate, stderr, succeed};
use serde_json::Value;

const SGR1830: &str = "tests/data/sgr1830kgfilt.evt";
const M82: &str = "tests/data/chandra_test.fits";
const U1636: &str = "tests/data/xte_test.evt.gz";

/// The JSON summary of `pds`.
fn pds(options: &[&str]) -> Value {
    json(&[&["pds"], options].concat())
}

/// The whole table on standard output.
fn table(options: &[&str]) -> Vec<u8> {
    succeed(&[&["pds", "--quiet", "-o", "-"], options].concat()).stdout
}

/// Whether GPU tests run: `EAGLERAY_TEST_GPU` decides what a missing adapter means.
fn gpu(test: &str) -> bool {
    let mode = std::env::var("EAGLERAY_TEST_GPU").unwrap_or_else(|_| "auto".into());
    let found = mode != "off" && !eagleray::internal::backend::adapters().is_empty();
    assert!(found || mode != "require", "{test}: EAGLERAY_TEST_GPU=require and no adapter");
    if !found {
        crate::common::say!("SKIPPED {test}: no GPU adapter, or EAGLERAY_TEST_GPU=off");
    }
    found
}

#[test]
fn psr_b1509_pulses_at_6_6_hz_on_the_cpu() {
    let s = pds(&[B1509, "--dt", "1/256", "--segment-size", "64", "--backend", "cpu"]);
    assert_eq!((s["m"].as_u64(), s["n"].as_u64()), (Some(54), Some(16384)));
    near(&s["peak"]["freq"], 6.59375, 1e-9);
    near(&s["peak"]["power"], 12.83, 0.005);
    assert_eq!(s["photons"]["read"], 25828);
}

#[test]
fn psr_b1509_pulses_at_6_6_hz_on_the_gpu_in_both_profiles() {
    if !gpu("psr_b1509 on the GPU") {
        return;
    }
    let cpu = pds(&[B1509, "--dt", "1/256", "--segment-size", "64", "--backend", "cpu"]);
    for profile in ["portable", "native"] {
        let options = [B1509, "--dt", "1/256", "--segment-size", "64", "--backend", "gpu", "--gpu-profile", profile];
        let s = pds(&options);
        assert_eq!((s["backend"].as_str(), s["m"].as_u64()), (Some("gpu"), Some(54)), "{profile}");
        assert_eq!(s["photons"], cpu["photons"], "{profile}");
        near(&s["peak"]["freq"], 6.59375, 1e-9);
        near(&s["peak"]["power"], cpu["peak"]["power"].as_f64().unwrap(), 1e-4);
    }
}

#[test]
fn other_real_observations_give_the_peers_figures() {
    let sgr = pds(&[SGR1830, "--dt", "1/64", "--segment-size", "256", "--backend", "cpu"]);
    assert_eq!(sgr["m"], 3);
    near(&sgr["peak"]["freq"], 0.0977, 5e-5);
    near(&sgr["peak"]["power"], 139.68, 0.005);
    let m82 = pds(&[M82, "--dt", "0.44104", "--segment-size", "256", "--backend", "cpu"]);
    assert_eq!((m82["n"].as_u64(), m82["m"].as_u64()), (Some(580), Some(3)));
    let options = [U1636, "--dt", "1/64", "--segment-size", "4", "--backend", "cpu"];
    assert_eq!(pds(&options)["m"], 306);
    let peer = pds(&[&options[..], &["--compat", "stingray"]].concat());
    assert_eq!((peer["m"].as_u64(), peer["skipped_segments"].as_u64()), (Some(255), Some(51)));
}

#[test]
fn chunks_and_threads_change_no_byte_of_the_output() {
    let options = [B1509, "--dt", "0.01", "--segment-size", "5", "--backend", "cpu"];
    let expected = table(&options);
    for chunk in ["1", "1000", "700013"] {
        assert!(table(&[&options[..], &["--chunk-events", chunk]].concat()) == expected, "chunks of {chunk}");
    }
    for threads in ["1", "2", "7"] {
        assert!(table(&[&options[..], &["--threads", threads]].concat()) == expected, "{threads} threads");
    }
}

#[test]
fn chunks_change_no_byte_of_the_gpus_output() {
    if !gpu("chunks on the GPU") {
        return;
    }
    let options = [B1509, "--dt", "1/128", "--segment-size", "2", "--backend", "gpu"];
    let expected = table(&options);
    for chunk in ["997", "700013"] {
        assert!(table(&[&options[..], &["--chunk-events", chunk]].concat()) == expected, "chunks of {chunk}");
    }
}

#[test]
fn every_format_holds_the_same_numbers() {
    let folder = tempfile::tempdir().unwrap();
    let path = |name: &str| folder.path().join(name).display().to_string();
    let common = [U1636, "--dt", "1/64", "--segment-size", "4", "--backend", "cpu", "--quiet"];
    for name in ["a.ecsv", "a.csv", "a.json", "a.fits"] {
        succeed(&[&["pds"], &common[..], &["-o", &path(name)]].concat());
    }
    let json: Value = serde_json::from_slice(&std::fs::read(path("a.json")).unwrap()).unwrap();
    let power: Vec<f64> = serde_json::from_value(json["columns"]["power"].clone()).unwrap();
    assert_eq!(power.len(), 127);
    assert_eq!(json["meta"]["m"], 306);
    for (name, separator) in [("a.ecsv", ' '), ("a.csv", ',')] {
        let text = std::fs::read_to_string(path(name)).unwrap();
        let rows: Vec<&str> = text.lines().filter(|l| !l.starts_with('#')).collect();
        assert_eq!(
            rows[0],
            ["freq", "width", "power", "power_err", "unnorm_power", "noise"].join(&separator.to_string())
        );
        let read: Vec<f64> = rows[1..].iter().map(|r| r.split(separator).nth(2).unwrap().parse().unwrap()).collect();
        assert_eq!(read, power, "{name}");
    }
    let mut fits = fitsio::FitsFile::open(path("a.fits")).unwrap();
    let hdu = fits.hdu("SPECTRUM").unwrap();
    assert_eq!(hdu.read_col::<f64>(&mut fits, "power").unwrap(), power);
    assert_eq!(hdu.read_key::<i64>(&mut fits, "M").unwrap(), 306);
}

#[test]
fn pictures_are_drawn() {
    let folder = tempfile::tempdir().unwrap();
    let path = |name: &str| folder.path().join(name).display().to_string();
    for name in ["a.svg", "a.png"] {
        let options = ["pds", B1509, "--dt", "1/64", "--segment-size", "64", "--backend", "cpu", "--quiet", "--plot"];
        let look = ["--rebin-log", "0.05", "--plot-y", "fpower", "--plot-harmonics", "6.594"];
        succeed(&[&options[..], &[&path(name)], &look].concat());
    }
    let svg = std::fs::read_to_string(path("a.svg")).unwrap();
    assert!(
        svg.contains("frequency (Hz)")
            && svg.contains("PSR_B1509-58")
            && svg.contains("multiples of 6.594 Hz")
            && svg.contains("<polyline")
    );
    assert!(std::fs::read(path("a.png")).unwrap().starts_with(b"\x89PNG"));
}

#[test]
fn an_output_is_replaced_only_when_asked_and_no_half_file_stays() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("a.csv").display().to_string();
    let options = ["pds", U1636, "--dt", "1/64", "--segment-size", "4", "--backend", "cpu", "--quiet", "-o", &path];
    succeed(&options);
    refused(&options, 1, "--overwrite");
    succeed(&[&options[..], &["--overwrite"]].concat());
    assert_eq!(std::fs::read_dir(folder.path()).unwrap().count(), 1);
}

/// Exit status and one line that says what, where and what to do.
#[test]
fn mistakes_get_one_helpful_line_and_their_status() {
    let folder = tempfile::tempdir().unwrap();
    let twin = &twin(folder.path())[..];
    let b = |more: &[&'static str]| [&["pds", B1509, "--backend", "cpu"], more].concat();
    let cases: Vec<(Vec<&str>, i32, &str)> = vec![
        (vec!["pds", "no-such-file.fits"], 1, "no-such-file.fits"),
        (vec!["pds", "Cargo.toml"], 1, "not a FITS file"),
        (vec!["pds", "src"], 1, "not a regular file"),
        (vec!["pds"], 2, "FILE"),
        (b(&["--dt", "0"]), 2, "above zero"),
        (b(&["--dt", "nan"]), 2, "nan"),
        (b(&["--dt", "10", "--segment-size", "1"]), 2, "--dt"),
        (b(&["--dt", "1/256", "--segment-size", "4000"]), 1, "3500"),
        (b(&["--norm", "rms"]), 2, "leahy"),
        (b(&["--energy", "3:2"]), 2, "3:2"),
        (b(&["--energy", "200:300"]), 2, "no channel"),
        (b(&["--pi", "200:250"]), 1, "no event lies in any"),
        (b(&["-o", "no/such/folder/a.csv"]), 1, "no/such/folder"),
        (b(&["-o", "a.xyz"]), 2, ".ecsv"),
        (b(&["--gti", "no-such-gti.txt"]), 1, "no-such-gti.txt"),
        (b(&["--time", "1:2"]), 1, "leaves no interval; use --time"),
        (b(&["--precision", "half"]), 2, "single"),
        (b(&["--gti-margin=-5"]), 2, "must not be negative"),
        (b(&["--threads", "100000"]), 2, "from 1 to 1024"),
        (b(&["--json", "-o", "-"]), 2, "share standard output"),
        (vec!["pds", B1509, twin, "--backend", "cpu"], 2, "merge"),
        (vec!["pds", B1509, "--backend", "gpu", "--adapter", "no such card"], 1, "no such card"),
        (vec!["pds", B1509, "--backend", "gpu", "--adapter", "99"], 1, "number 99"),
    ];
    for (options, status, text) in cases {
        refused(&options, status, text);
    }
}

#[test]
fn an_output_never_replaces_an_input() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("a.fits");
    std::fs::copy(Path::new(crate::program::ROOT).join(B1509), &path).unwrap();
    let name = path.display().to_string();
    for command in [&["pds", "--backend", "cpu"][..], &["lc", "--dt", "10"]] {
        refused(&[command, &[&name, "-o", &name, "--overwrite"]].concat(), 2, "one of the inputs");
    }
    assert_eq!(std::fs::metadata(&path).unwrap().len(), 385_920);
}

#[test]
fn a_length_that_the_gpu_cannot_do_is_an_error_with_gpu() {
    if !gpu("unsupported length") {
        return;
    }
    refused(&["pds", B1509, "--dt", "1/131072", "--segment-size", "64.0001", "--backend", "gpu"], 1, "8388621 bins");
}

#[test]
fn several_adapters_share_the_work() {
    if !gpu("several adapters") {
        return;
    }
    let plan = |adapters: &[&str]| {
        let options: Vec<&str> = adapters.iter().flat_map(|adapter| ["--adapter", adapter]).collect();
        let common = ["pds", B1509, "--dt", "1/64", "--segment-size", "64", "--dry-run", "--json", "--quiet"];
        let output = succeed(&[&common[..], &options].concat());
        serde_json::from_slice::<Value>(&output.stdout).expect("JSON")["backend"].clone()
    };
    let one = plan(&["0"])["adapter"].as_str().expect("a name").to_string();
    let twice = plan(&["0,0"]);
    assert_eq!((&twice["adapter"], &twice["backend"]), (&format!("{one} + {one}").into(), &"gpu".into()));
    let cpu = format!("{one} + {}", std::env::consts::ARCH);
    for adapters in [&["0,cpu"][..], &["0", "cpu"], &[&one, "cpu"]] {
        let mixed = plan(adapters);
        assert_eq!((&mixed["adapter"], &mixed["backend"]), (&cpu.as_str().into(), &"gpu + cpu".into()), "{adapters:?}");
    }
    assert!(plan(&["all"])["backend"] == "gpu");
    let options = [B1509, "--dt", "1/64", "--segment-size", "64", "--adapter"];
    let alone = pds(&[&options[..], &["0"]].concat());
    let shared = pds(&[&options[..], &["0,0"]].concat());
    assert_eq!((&shared["peak"], &shared["photons"]), (&alone["peak"], &alone["photons"]));
}

#[test]
fn auto_never_takes_a_software_adapter() {
    let s = pds(&[B1509, "--dt", "1/256", "--segment-size", "64"]);
    let real = eagleray::internal::backend::adapters().iter().any(|a| !a.software);
    assert_eq!(s["backend"], if real { "gpu" } else { "cpu" });
}

/// A copy of B1509 of another object: the same photons in a file that is not the same.
fn twin(folder: &Path) -> String {
    let mut bytes = std::fs::read(Path::new(crate::program::ROOT).join(B1509)).unwrap();
    let at = bytes.windows(10).position(|w| w == b"OBJECT  = ").unwrap();
    bytes[at + 12] ^= 1;
    let path = folder.join("twin.fits");
    std::fs::write(&path, bytes).unwrap();
    path.display().to_string()
}

#[test]
fn merged_modules_add_their_events() {
    // The same photons in a file of another name and object: counts double, so raw powers quadruple, and the intervals stay.
    let options = ["--dt", "1/64", "--segment-size", "64", "--backend", "cpu", "--norm", "none"];
    let folder = tempfile::tempdir().unwrap();
    let other = &twin(folder.path())[..];
    let one = pds(&[&[B1509], &options[..]].concat());
    let two = pds(&[&[B1509, other, "--combine", "merge"], &options[..]].concat());
    assert_eq!(two["m"], one["m"]);
    assert_eq!(two["photons"]["used"].as_u64(), one["photons"]["used"].as_u64().map(|n| 2 * n));
    let ratio = two["peak"]["power"].as_f64().unwrap() / one["peak"]["power"].as_f64().unwrap();
    assert!((ratio - 4.0).abs() < 1e-12, "{ratio}");
    let mean = pds(&[&[B1509, other, "--combine", "average"], &options[..]].concat());
    assert_eq!(mean["m"].as_u64(), one["m"].as_u64().map(|m| 2 * m));
    near(&mean["peak"]["power"], one["peak"]["power"].as_f64().unwrap(), 1e-6);
}

/// By path, by links, by content, packed or not: what is given twice is refused, and both names are said.
#[cfg(unix)]
#[test]
fn a_file_given_twice_is_refused() {
    let folder = tempfile::tempdir().unwrap();
    let path = |name: &str| folder.path().join(name).display().to_string();
    let file = std::fs::canonicalize(Path::new(crate::program::ROOT).join(B1509)).unwrap();
    let bytes = std::fs::read(&file).unwrap();
    std::os::unix::fs::symlink(&file, path("link.fits")).unwrap();
    std::fs::hard_link(&file, path("hard.fits"))
        .or_else(|_| std::fs::copy(&file, path("hard.fits")).map(|_| ()))
        .unwrap();
    std::fs::write(path("copy.fits"), &bytes).unwrap();
    let mut packed = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::fast());
    std::io::Write::write_all(&mut packed, &bytes).unwrap();
    std::fs::write(path("packed.fits.gz"), packed.finish().unwrap()).unwrap();
    let curve = path("curve.fits");
    succeed(&["lc", B1509, "--dt", "1", "-o", &curve, "--quiet"]);
    std::fs::copy(&curve, path("curve copy.fits")).unwrap();
    let again = ["link.fits", "hard.fits", "copy.fits", "packed.fits.gz"].map(|name| (B1509.to_string(), path(name)));
    let pairs = [(B1509.to_string(), B1509.to_string()), (curve, path("curve copy.fits"))];
    for (first, second) in again.into_iter().chain(pairs) {
        for (command, more) in [
            ("pds", &[][..]),
            ("pds", &["--combine", "average"]),
            ("pds", &["--combine", "merge"]),
            ("pds", &["--combine", "average", "--dry-run"]),
            ("lc", &["--combine", "merge"]),
        ] {
            let output = eagleray(&[&[command, &first, U1636, &second], more].concat());
            let text = stderr(&output);
            assert_eq!(output.status.code(), Some(2), "{first} {second} {more:?}: {text}");
            let said = text.contains(&first) && text.contains(&second) && text.contains("same content");
            assert!(said, "{first} {second} {more:?}: {text}");
        }
    }
}

#[test]
fn merging_says_what_exposure_it_costs() {
    let folder = tempfile::tempdir().unwrap();
    let files: Vec<String> = ["0:300", "600:700"]
        .iter()
        .map(|gap| simulate(folder.path(), &gap[..1], &format!("--rate 5 --length 1000 --gaps {gap}")))
        .collect();
    let s =
        pds(&[&files[0], &files[1], "--combine", "merge", "--dt", "1/8", "--segment-size", "32", "--backend", "cpu"]);
    let warnings = s["warnings"].as_array().unwrap();
    let said = warnings.iter().find(|w| w["code"] == "W-MERGE-EXPOSURE").expect("the loss is reported");
    let message = said["message"].as_str().unwrap();
    assert!(message.contains("600 s in common") && message.contains("700, 900 s"), "{message}");
}

/// The reader of standard output may close it at once; files that were asked for are written all the same.
#[cfg(unix)]
#[test]
fn a_closed_pipe_costs_no_file() {
    let folder = tempfile::tempdir().unwrap();
    let plot = folder.path().join("a.svg");
    let (reader, writer) = std::io::pipe().unwrap();
    drop(reader);
    let status = Command::new(env!("CARGO_BIN_EXE_eagleray"))
        .args(["pds", B1509, "--backend", "cpu", "--quiet", "-o", "-", "--plot"])
        .arg(&plot)
        .current_dir(crate::program::ROOT)
        .stdout(writer)
        .status()
        .unwrap();
    assert!(status.success() && plot.exists(), "{status}");
}

/// A pipe that stands where the output should go stays one.
#[cfg(unix)]
#[test]
fn what_is_no_file_is_not_replaced() {
    use std::os::unix::fs::FileTypeExt;
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("a.csv");
    assert!(Command::new("mkfifo").arg(&path).status().unwrap().success());
    let output = eagleray(&["pds", U1636, "--backend", "cpu", "--overwrite", "-o", &path.display().to_string()]);
    assert_eq!(output.status.code(), Some(1), "{}", stderr(&output));
    assert!(std::fs::metadata(&path).unwrap().file_type().is_fifo());
}

#[test]
fn info_dry_run_and_devices_speak_json() {
    let parse = |o: Output| serde_json::from_slice::<Value>(&o.stdout).expect("JSON");
    let info = parse(succeed(&["info", SGR1830, B1509, "--json"]));
    assert_eq!((info[0]["mission"].as_str(), info[0]["events"].as_u64()), (Some("NICER"), Some(9369)));
    assert_eq!((info[1]["mission"].as_str(), info[1]["exposure"].as_f64()), (Some("XTE"), Some(3500.0)));
    let plan = parse(succeed(&[
        "pds",
        B1509,
        "--dry-run",
        "--json",
        "--dt",
        "1/256",
        "--segment-size",
        "64",
        "--backend",
        "cpu",
    ]));
    assert_eq!((plan["segments"].as_u64(), plan["exposure_lost"].as_f64()), (Some(54), Some(44.0)));
    assert!(parse(succeed(&["devices", "--json"]))["adapters"].is_array());
}

#[test]
fn warnings_are_recorded_and_strict_makes_them_errors() {
    let options = ["tests/data/nomission.evt", "--dt", "0.125", "--segment-size", "16", "--backend", "cpu"];
    let s = pds(&options);
    assert_eq!(codes(&s), ["W-TIME-UNSORTED"]);
    assert_eq!((s["photons"]["read"].as_u64(), s["photons"]["dropped"].as_u64()), (Some(1000), Some(0)));
    assert_eq!(eagleray(&[&["pds", "--strict"], &options[..]].concat()).status.code(), Some(1));
}

/// Memory is bounded by the plan: a limit on the process's own memory that 2e7 times of 8 bytes would exceed.
#[cfg(target_os = "linux")]
#[test]
fn twenty_million_events_take_no_more_memory_than_a_few() {
    let folder = tempfile::tempdir().unwrap();
    let path = simulate(folder.path(), "a.evt", "--rate 20000 --length 1000 --seed 5");
    let command = format!(
        "ulimit -d 120000 && exec '{}' pds '{}' --dt 2^-10 --segment-size 16 --backend cpu --threads 2 --json --quiet",
        env!("CARGO_BIN_EXE_eagleray"),
        path
    );
    let output = Command::new("sh").args(["-c", &command]).output().unwrap();
    assert!(output.status.success(), "{}", stderr(&output));
    let s: Value = serde_json::from_slice(&output.stdout).unwrap();
    assert_eq!(s["m"], 62);
    assert!(s["photons"]["read"].as_u64().unwrap() > 19_900_000);
}

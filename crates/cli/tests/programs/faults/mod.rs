//! Reads that are short, interrupted or fail, writes that fail, and a program that is killed: the same bytes, or an error that
//! names the file; never half a product.
#![cfg(target_os = "linux")]

use std::path::{Path, PathBuf};
use std::process::{Command, Output, Stdio};
use std::sync::LazyLock;
use std::time::Duration;

use crate::program::{B1509, eagleray, stderr, succeed};
use eagleray::data::header::HeaderCards;
use eagleray::internal::io::fits_writer::{FitsWriter, WrittenColumn};
use tempfile::TempDir;

const ROOT: &str = crate::program::ROOT;

/// The library of faults, made by the C compiler that the comparison with cfitsio needs too.
static FAULTS: LazyLock<(TempDir, PathBuf)> = LazyLock::new(|| {
    let folder = tempfile::tempdir().unwrap();
    let library = folder.path().join("faults.so");
    let source = Path::new(ROOT).join("crates/cli/tests/programs/faults/faults.c");
    let made =
        Command::new("cc").args(["-shared", "-fPIC", "-O1", "-o"]).arg(&library).arg(source).arg("-ldl").status();
    assert!(made.is_ok_and(|status| status.success()), "cc makes a library");
    (folder, library)
});

fn faulty(fault: &str, after: u32, options: &[&str]) -> Output {
    let mut command = Command::new(env!("CARGO_BIN_EXE_eagleray"));
    command.args(options).current_dir(ROOT).env("LD_PRELOAD", &FAULTS.1).env("FAULT", fault);
    command.env("FAULT_AFTER", after.to_string()).output().unwrap()
}

fn names(folder: &Path) -> Vec<String> {
    let mut names: Vec<String> =
        std::fs::read_dir(folder).unwrap().map(|e| e.unwrap().file_name().to_string_lossy().into_owned()).collect();
    names.sort();
    names
}

const RUNS: [&[&str]; 3] = [
    &["pds", B1509, "--dt", "1/64", "--segment-size", "16", "--backend", "cpu", "--quiet", "-o", "-"],
    &[
        "pds",
        "tests/data/xte_test.evt.gz",
        "--dt",
        "1/64",
        "--segment-size",
        "4",
        "--backend",
        "cpu",
        "--quiet",
        "-o",
        "-",
    ],
    &["lc", "tests/data/chandra_test.fits", "--dt", "100", "--quiet", "-o", "-"],
];

#[test]
fn short_and_interrupted_reads_change_nothing() {
    for options in RUNS {
        let expected = succeed(options).stdout;
        assert!(expected.len() > 1000);
        for fault in ["short", "interrupted"] {
            let output = faulty(fault, 0, options);
            assert!(output.status.success(), "{fault} {options:?}: {}", stderr(&output));
            assert!(output.stdout == expected, "{fault} {options:?}: other bytes");
        }
    }
}

#[test]
fn a_read_that_fails_is_an_error_that_names_the_file() {
    for options in RUNS {
        let mut failed = 0;
        for after in 0..40 {
            let output = faulty("read", after, options);
            let message = stderr(&output);
            if output.status.success() {
                continue;
            }
            failed += 1;
            assert_eq!(output.status.code(), Some(1), "{after} {options:?}: {message}");
            assert!(message.contains("Input/output error") && message.contains(options[1]), "{options:?}: {message}");
            assert!(output.stdout.is_empty() && !message.contains("panicked"), "{message}");
        }
        assert!(failed > 3, "{options:?}: {failed} of 40 faults were met");
    }
}

#[test]
fn a_disk_that_fills_after_any_write_leaves_what_was_there() {
    let folder = tempfile::tempdir().unwrap();
    let path = |name: &str| folder.path().join(name).display().to_string();
    let (events, table) = (path("a.evt"), path("a.fits"));
    std::fs::write(&table, b"the old one").unwrap();
    let simulate = ["simulate", "-o", &events, "--rate", "2000", "--length", "200", "--seed", "1"];
    let pds = ["pds", B1509, "--dt", "1/64", "--backend", "cpu", "--quiet", "--overwrite", "-o", &table];
    let mut failed = 0;
    for (options, name) in [(&simulate[..], "a.evt"), (&pds[..], "a.fits")] {
        for after in 0..12 {
            let output = faulty("write", after, options);
            if output.status.success() {
                break;
            }
            failed += 1;
            let message = stderr(&output);
            assert_eq!(output.status.code(), Some(1), "{message}");
            assert!(message.contains("No space left") && message.contains(name), "{options:?}: {message}");
            assert_eq!(names(folder.path()), ["a.fits"], "after {after} writes");
            assert_eq!(std::fs::read(&table).unwrap(), b"the old one");
        }
        let _ = std::fs::remove_file(&events);
        std::fs::write(&table, b"the old one").unwrap();
    }
    assert!(failed >= 4, "{failed} faults were met");
}

/// What is killed cannot clean up; what it leaves is in nobody's way, and no output is half an output.
#[test]
fn a_run_that_is_killed_leaves_the_old_output_and_the_next_one_works() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("a.evt").display().to_string();
    let options = ["simulate", "-o", &path, "--overwrite", "--rate", "3e4", "--length", "100", "--seed", "1"];
    succeed(&options);
    let whole = std::fs::read(&path).unwrap();
    for milliseconds in [1, 5, 12, 25, 40, 70, 110, 160] {
        let mut command = Command::new(env!("CARGO_BIN_EXE_eagleray"));
        let mut child = command.args(options).stderr(Stdio::null()).stdout(Stdio::null()).spawn().unwrap();
        std::thread::sleep(Duration::from_millis(milliseconds));
        child.kill().unwrap();
        child.wait().unwrap();
        assert!(std::fs::read(&path).unwrap() == whole, "killed after {milliseconds} ms: the output has changed");
    }
    succeed(&options);
    assert!(std::fs::read(&path).unwrap() == whole);
    let left = names(folder.path());
    assert!(left.iter().all(|name| name == "a.evt" || name.starts_with(".eagleray-")), "{left:?}");
    let info = eagleray(&["info", &path, "--json", "--strict"]);
    assert!(info.status.success(), "{}", stderr(&info));
}

/// 160 MB of events where 40 MiB may be written to in all, stacks and the program's own data included.
#[test]
fn files_larger_than_memory_are_read() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("large.evt");
    let mut out = FitsWriter::new(std::fs::File::create(&path).unwrap(), &HeaderCards::new()).unwrap();
    out.table("EVENTS", &[WrittenColumn::new("TIME", "D", "s")], &HeaderCards::new()).unwrap();
    let second: u32 = 20_000;
    for s in 0..1000 {
        let times = (0..second).map(|i| f64::from(s) + f64::from(i) / f64::from(second));
        out.rows(&times.flat_map(f64::to_be_bytes).collect::<Vec<u8>>()).unwrap();
    }
    out.finish().unwrap();
    let path = path.display().to_string();
    assert!(std::fs::metadata(&path).unwrap().len() > 160_000_000);
    let run = |kilobytes: u32, options: &[&str]| {
        let limited = format!("ulimit -d {kilobytes} && exec \"$0\" \"$@\"");
        let program = env!("CARGO_BIN_EXE_eagleray");
        let mut command = Command::new("sh");
        // An allocation that fails while a trace of calls is written would wait for ever.
        command.env("RUST_BACKTRACE", "0");
        command.args(["-c", &limited, program, options[0], &path]).args(&options[1..]);
        command.args(["--no-gti", "--quiet", "-o", "-"]).output().unwrap()
    };
    let spectrum = ["pds", "--dt", "1/64", "--segment-size", "16", "--backend", "cpu"];
    for options in [&spectrum[..], &["lc", "--dt", "1"]] {
        let done = run(40 << 10, options);
        assert!(done.status.success(), "{options:?}: {}", stderr(&done));
        assert!(!done.stdout.is_empty());
    }
    // The limit is one.
    assert!(!run(4 << 10, &spectrum).status.success());
}

//! Outputs that something comes between: an interruption, a full disk, another run, a name that promises something else.
//! There is a whole file or none.
#![cfg(unix)]

use std::os::unix::process::ExitStatusExt;
use std::path::Path;
use std::process::{Child, Command, Output, Stdio};
use std::time::{Duration, Instant};

use crate::program::{B1509, eagleray, json, refused, simulate, stderr};

/// Starts `eagleray` in `sh`, after a line of the shell's own.
fn start(line: &str, options: &[&str]) -> Child {
    let script = format!("{line} exec \"$0\" \"$@\"");
    let mut command = Command::new("sh");
    command.args(["-c", &script, env!("CARGO_BIN_EXE_eagleray")]).args(options);
    command.current_dir(crate::program::ROOT).stderr(Stdio::piped()).spawn().expect("sh starts")
}

fn names(folder: &Path) -> Vec<String> {
    let entries = std::fs::read_dir(folder).unwrap();
    entries.map(|e| e.unwrap().file_name().to_string_lossy().into_owned()).collect()
}

/// Waits until a temporary file has grown, so that the run is in the midst of writing.
fn wait_for_writing(folder: &Path) {
    let begin = Instant::now();
    let growing = || {
        let entries = std::fs::read_dir(folder).unwrap();
        entries.flatten().any(|e| e.metadata().is_ok_and(|m| m.len() > 1 << 20))
    };
    while !growing() {
        assert!(begin.elapsed() < Duration::from_secs(60), "nothing is written: {:?}", names(folder));
        std::thread::sleep(Duration::from_millis(5));
    }
}

/// A simulation that takes longer than the test.
fn long_run(line: &str, path: &str) -> Child {
    start(line, &["simulate", "-o", path, "--rate", "1e6", "--length", "1e4", "--seed", "1"])
}

fn kill(child: &Child, signal: &str) {
    assert!(Command::new("kill").args([signal, &child.id().to_string()]).status().unwrap().success());
}

/// True for a signal that this process ignores, and so do the programs it starts: under `nohup`, or behind a shell's `&`.
fn ignored(number: i32) -> bool {
    let status = std::fs::read_to_string("/proc/self/status").unwrap_or_default();
    let mask = status.lines().find_map(|line| line.strip_prefix("SigIgn:"));
    let mask = mask.and_then(|mask| u64::from_str_radix(mask.trim(), 16).ok()).unwrap_or(0);
    (mask >> (number - 1)) & 1 == 1
}

#[test]
fn an_interrupted_run_leaves_nothing() {
    // The last are what batch systems send before they kill, and what ends a run that takes more time than its limit.
    let all = [
        ("-INT", 2),
        ("-TERM", 15),
        ("-HUP", 1),
        ("-QUIT", 3),
        ("-USR1", 10),
        ("-USR2", 12),
        ("-ALRM", 14),
        ("-XCPU", 24),
        ("-ABRT", 6),
        ("-TRAP", 5),
        ("-SYS", 31),
        ("-IO", 29),
        ("-PWR", 30),
        ("-STKFLT", 16),
        // The first and the last of real time.
        ("-34", 34),
        ("-64", 64),
    ];
    let of_linux = if cfg!(target_os = "linux") { all.len() } else { 4 };
    for (signal, number) in all.into_iter().take(of_linux) {
        if ignored(number) {
            crate::common::say!("SKIPPED {signal}: ignored where the tests run");
            continue;
        }
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("a.evt").display().to_string();
        let mut child = long_run("", &path);
        wait_for_writing(folder.path());
        kill(&child, signal);
        let status = child.wait().unwrap();
        // To a shell this is 128 and the number, which is what those have that only Linux ends processes by.
        let by_status = [16, 29, 30].contains(&number) || number >= 34;
        let ended = if by_status { status.code().map(|code| code - 128) } else { status.signal() };
        assert_eq!(ended, Some(number), "{signal}: {status}");
        assert_eq!(names(folder.path()), [""; 0], "{signal}");
    }
}

/// As `nohup` and shells do for what runs in the background.
#[cfg(target_os = "linux")]
#[test]
fn signals_that_the_caller_ignores_are_ignored() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("a.evt").display().to_string();
    let mut child = long_run("trap '' HUP INT;", &path);
    wait_for_writing(folder.path());
    kill(&child, "-HUP");
    kill(&child, "-INT");
    std::thread::sleep(Duration::from_millis(200));
    assert!(child.try_wait().unwrap().is_none(), "the run has ended");
    kill(&child, "-TERM");
    assert_eq!(child.wait().unwrap().signal(), Some(15));
    assert_eq!(names(folder.path()), [""; 0]);
}

/// A limit on the size of files stands for a full disk: writing fails in the midst.
#[test]
fn a_disk_that_fills_leaves_no_half_file() {
    let folder = tempfile::tempdir().unwrap();
    let path = |name: &str| folder.path().join(name).display().to_string();
    // Whether the caller ignores the signal of the limit or not.
    let limited = |trap: &str, options: &[&str]| -> Output {
        start(&format!("{trap} ulimit -f 100;"), options).wait_with_output().unwrap()
    };
    let spectrum = ["pds", B1509, "--dt", "2^-12", "--segment-size", "64", "--backend", "cpu", "--quiet"];
    let (events, table, pha) = (path("a.evt"), path("a.fits"), path("a.pha"));
    for (options, name) in [
        (vec!["simulate", "-o", &events, "--rate", "1000", "--length", "1000"], "a.evt"),
        ([&spectrum[..], &["-o", &table]].concat(), "a.fits"),
        ([&spectrum[..], &["-o", &pha]].concat(), "a.rsp"),
    ] {
        for trap in ["trap '' XFSZ;", ""] {
            let output = limited(trap, &options);
            assert_eq!(output.status.code(), Some(1), "{options:?}: {}", stderr(&output));
            assert!(stderr(&output).contains(name), "{options:?}: {}", stderr(&output));
            assert_eq!(names(folder.path()), [""; 0], "{options:?}");
        }
    }
}

#[cfg(target_os = "linux")]
#[test]
fn a_full_device_is_an_error() {
    let full = || std::fs::OpenOptions::new().write(true).open("/dev/full").unwrap();
    for options in [["-o", "-"], ["--json", "--quiet"]] {
        let mut command = Command::new(env!("CARGO_BIN_EXE_eagleray"));
        command.args(["pds", B1509, "--backend", "cpu"]).args(options).current_dir(crate::program::ROOT);
        let output = command.stdout(full()).output().unwrap();
        assert_eq!(output.status.code(), Some(1), "{options:?}");
        assert!(stderr(&output).contains("standard output"), "{}", stderr(&output));
    }
}

/// A pipe of the test's own stands for all that is no file: a broken guard then replaces nothing of the system's.
#[test]
fn events_do_not_replace_what_is_no_file() {
    use std::os::unix::fs::FileTypeExt;
    let folder = tempfile::tempdir().unwrap();
    let pipe = folder.path().join("a.evt");
    assert!(Command::new("mkfifo").arg(&pipe).status().unwrap().success());
    let path = pipe.display().to_string();
    refused(&["simulate", "-o", &path, "--overwrite"], 1, "a device or pipe cannot be replaced");
    assert!(std::fs::metadata(&pipe).unwrap().file_type().is_fifo());
}

#[test]
fn two_runs_that_write_one_file_leave_one_whole_file() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("a.evt").display().to_string();
    let run = |seed: &'static str, more: &[&'static str]| {
        start("", &[&["simulate", "-o", &path, "--rate", "1e4", "--length", "200", "--seed", seed], more].concat())
    };
    let both = [run("1", &[]), run("2", &[])].map(|child| child.wait_with_output().unwrap());
    let mut status = both.each_ref().map(|o| o.status.code().unwrap());
    status.sort();
    assert_eq!(status, [0, 1], "{} {}", stderr(&both[0]), stderr(&both[1]));
    let loser = both.iter().find(|o| !o.status.success()).unwrap();
    assert!(stderr(loser).contains("exists already"), "{}", stderr(loser));
    for child in [run("3", &["--overwrite"]), run("4", &["--overwrite"])] {
        let output = child.wait_with_output().unwrap();
        assert!(output.status.success(), "{}", stderr(&output));
    }
    assert_eq!(names(folder.path()), ["a.evt"]);
    // Checksums are right, so it is the work of one of them.
    let s = json(&["pds", &path, "--dt", "1/64", "--segment-size", "4", "--backend", "cpu", "--strict"]);
    assert!(s["photons"]["read"].as_u64().unwrap() > 1_900_000);
}

#[test]
fn names_that_promise_something_else_are_refused() {
    let folder = tempfile::tempdir().unwrap();
    let path = |name: &str| folder.path().join(name).display().to_string();
    for (name, text) in [("a.evt.gz", "unpacked"), ("a.csv", "as FITS"), ("a.ECSV", "as FITS"), ("a.txt", "as FITS")] {
        refused(&["simulate", "-o", &path(name), "--length", "10"], 2, text);
    }
    for name in ["a.evt", "a.fits", "a.fit", "a.fts", "a.lc", "a"] {
        simulate(folder.path(), name, "--length 10");
    }
    let common = ["pds", B1509, "--backend", "cpu", "--quiet"];
    for stem in ["-", ".pha"] {
        refused(&[&common[..], &["--xspec", stem]].concat(), 2, "FILE.pha and FILE.rsp");
    }
    assert!(eagleray(&[&common[..], &["--xspec", &path("x.pha")]].concat()).status.success());
    assert!(folder.path().join("x.pha").exists() && folder.path().join("x.rsp").exists());
}

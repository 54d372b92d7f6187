//! Standard output and standard error that nobody reads, or that are full: no panic, and no product is lost for a message.
#![cfg(unix)]

use std::fs::File;
use std::process::{Command, Stdio};

use crate::program::{B1509, ROOT, simulate};

/// A stream into a pipe that nobody reads any more.
fn closed() -> Stdio {
    let (reader, writer) = std::io::pipe().unwrap();
    drop(reader);
    writer.into()
}

/// A stream that is full.
fn full() -> Stdio {
    match File::options().write(true).open("/dev/full") {
        Ok(file) => file.into(),
        Err(_) => closed(),
    }
}

fn program(words: &[&str]) -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_eagleray"));
    command.args(words).current_dir(ROOT);
    command
}

#[test]
fn standard_error_that_is_closed_or_full_costs_nothing() {
    let folder = tempfile::tempdir().unwrap();
    // Warnings, remarks about the band, the summary; a file that simulate writes; an error.
    let unsorted = simulate(folder.path(), "a.evt", "--mission nustar --rate 50 --length 100");
    let output = |name: &str| folder.path().join(name).display().to_string();
    let (table, picture, events, trace) = (output("a.ecsv"), output("a.svg"), output("b.evt"), output("trace.txt"));
    let cases: [(&[&str], i32, &[&str]); 6] = [
        (&["pds", B1509, "--backend", "cpu", "-o", &table, "--plot", &picture], 0, &[&table, &picture]),
        (&["lc", &unsorted, "--energy", "3:10", "-o", &table, "--profile", "-"], 0, &[&table]),
        (&["simulate", "-o", &events, "--length", "10"], 0, &[&events]),
        (
            &["cs", &unsorted, "--subject", "3:10", "--ref", "10:30", "--dt", "1/8", "-o", &table, "--profile", &trace],
            0,
            &[&table, &trace],
        ),
        (&["pds", B1509, "--backend", "cpu", "--strict"], 1, &[]),
        (&["pds", B1509, "--dt", "0"], 2, &[]),
    ];
    for (words, status, files) in cases {
        for (how, stream) in [("closed", closed as fn() -> Stdio), ("full", full)] {
            files.iter().for_each(|file| _ = std::fs::remove_file(file));
            let ended = program(words).stderr(stream()).status().unwrap();
            assert_eq!(ended.code(), Some(status), "{words:?}, {how}");
            files.iter().for_each(|file| {
                assert!(std::fs::metadata(file).is_ok_and(|m| m.len() > 0), "{words:?}, {how}: {file}")
            });
        }
    }
    // As a shell closes it.
    std::fs::remove_file(&events).unwrap();
    let script = format!("exec {} simulate -o {events} --length 10 2>&-", env!("CARGO_BIN_EXE_eagleray"));
    assert!(Command::new("sh").args(["-c", &script]).status().unwrap().success());
    assert!(std::path::Path::new(&events).exists());
}

#[test]
fn standard_output_that_is_closed_is_quiet_and_costs_no_file() {
    let folder = tempfile::tempdir().unwrap();
    let output = |name: &str| folder.path().join(name).display().to_string();
    let (picture, trace) = (output("a.svg"), output("trace.txt"));
    let cases: [&[&str]; 4] = [
        &["pds", B1509, "--backend", "cpu", "-o", "-", "--plot", &picture, "--profile", &trace, "--quiet"],
        &["pds", B1509, "--backend", "cpu", "--json", "--plot", &picture, "--profile", &trace, "--quiet"],
        &["info", B1509, "--quiet", "--profile", &trace],
        &["stats", "poisson", "--counts", "3", "--profile", &trace],
    ];
    for words in cases {
        [&picture, &trace].into_iter().for_each(|file| _ = std::fs::remove_file(file));
        let ended = program(words).stdout(closed()).stderr(Stdio::piped()).output().unwrap();
        assert_eq!(ended.status.code(), Some(0), "{words:?}");
        assert_eq!(String::from_utf8_lossy(&ended.stderr), "", "{words:?}");
        assert!(std::path::Path::new(&trace).exists(), "{words:?}");
        assert!(!words.contains(&"--plot") || std::path::Path::new(&picture).exists(), "{words:?}");
    }
}

/// Help, the version, tables, summaries and facts, into a disk that is full and into a stream that was closed (`>&-`).
#[test]
#[cfg(target_os = "linux")]
fn what_is_asked_for_and_cannot_be_written_is_a_failure() {
    let pds = ["pds", B1509, "--dt", "1/16", "--segment-size", "16", "--backend", "cpu", "--quiet"];
    let (table, summary) = ([&pds[..], &["-o", "-"]].concat(), [&pds[..], &["--json"]].concat());
    let cases: [&[&str]; 8] = [
        &["--help"],
        &["help"],
        &["pds", "--help"],
        &["--version"],
        &table,
        &summary,
        &["info", B1509],
        &["stats", "poisson", "--counts", "3"],
    ];
    for words in cases {
        let ended = program(words).stdout(full()).stderr(Stdio::piped()).output().unwrap();
        let said = String::from_utf8_lossy(&ended.stderr);
        assert_eq!(ended.status.code(), Some(1), "{words:?} full: {said}");
        assert!(said.contains("error: (standard output): No space left"), "{words:?}: {said}");
        let line = format!("exec {} \"$@\" >&-", env!("CARGO_BIN_EXE_eagleray"));
        let mut shell = Command::new("sh");
        let ended = shell.args(["-c", &line, "sh"]).args(words).current_dir(ROOT).output().unwrap();
        let said = String::from_utf8_lossy(&ended.stderr);
        assert_eq!(ended.status.code(), Some(1), "{words:?} closed: {said}");
        assert!(said.contains("error: (standard output): it is closed"), "{words:?}: {said}");
        // A pipe that nobody reads any more stays quiet.
        let ended = program(words).stdout(closed()).stderr(Stdio::piped()).output().unwrap();
        assert_eq!((ended.status.code(), &*String::from_utf8_lossy(&ended.stderr)), (Some(0), ""), "{words:?} pipe");
    }
    // Nothing goes there: nothing fails.
    let line = format!("exec {} \"$@\" >&-", env!("CARGO_BIN_EXE_eagleray"));
    let ended = Command::new("sh").args(["-c", &line, "sh"]).args(pds).current_dir(ROOT).status().unwrap();
    assert!(ended.success());
}

/// Names and headers with marks that turn text around, and with ends of lines that only some readers know, among them astropy's: they are shown as `?`,
/// and in files stand as escapes that read back as the same name.
#[test]
fn nothing_in_a_file_commands_a_terminal() {
    use crate::common::fits_file::{Column, Folder, events, file, gti};
    let folder = Folder::new();
    let strange = "a\u{2028}b\u{202e}c\u{85}d\u{200b}.evt";
    let times: Vec<f64> = (0..1000).map(|i| f64::from(i) * 0.1).collect();
    let table = events(vec![Column::f64("TIME", &times)]).set("OBJECT", "'X(1)Y(2)Z'");
    let mut bytes = file(&[gti(&[(0.0, 100.0)]), table]);
    for (from, to) in [("(1)", "\u{2028}"), ("(2)", "\u{202e}")] {
        let at = bytes.windows(3).position(|three| three == from.as_bytes()).unwrap();
        bytes[at..at + 3].copy_from_slice(to.as_bytes());
    }
    let path = folder.write(strange, &bytes).display().to_string();
    let shown = |c: char| !matches!(c, '\u{80}'..='\u{9f}' | '\u{200b}'..='\u{200f}' | '\u{2028}'..='\u{202e}');
    let said = crate::program::succeed(&["info", &path]);
    let text = format!("{}{}", String::from_utf8_lossy(&said.stdout), String::from_utf8_lossy(&said.stderr));
    assert!(text.contains("a?b?c?d?.evt") && text.contains("X?Y?Z") && text.chars().all(shown), "{text}");
    for name in ["a.ecsv", "a.csv", "a.json", "a.fits", "-"] {
        let output = if name == "-" { name.to_string() } else { folder.0.path().join(name).display().to_string() };
        let done = crate::program::succeed(&["lc", &path, "--dt", "10", "-o", &output, "--quiet"]);
        let bytes = if name == "-" { done.stdout } else { std::fs::read(&output).unwrap() };
        let text = String::from_utf8_lossy(&bytes);
        assert!(name == "a.fits" || text.chars().all(shown), "{name}: {text}");
        assert!(text.contains(r"a\u2028b\u202ec\u0085d\u200b.evt"), "{name}: {text}");
    }
    let summary = crate::program::succeed(&["lc", &path, "--dt", "10", "--json", "--quiet"]).stdout;
    assert!(String::from_utf8_lossy(&summary).chars().all(shown));
    let summary: serde_json::Value = serde_json::from_slice(&summary).unwrap();
    assert!(summary["inputs"][0]["name"].as_str().unwrap().ends_with(strange), "{summary}");
}

//! The program as its users run it, in the root of the repository.

use std::path::Path;
use std::process::{Command, Output};

use serde_json::Value;

/// The root of the repository, where the program is run.
pub const ROOT: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/../..");

pub const B1509: &str = "examples/data/b1509.fits";

/// A file of the repository.
pub fn root(path: &str) -> std::path::PathBuf {
    Path::new(ROOT).join(path)
}

pub fn eagleray(options: &[&str]) -> Output {
    let mut command = Command::new(env!("CARGO_BIN_EXE_eagleray"));
    command.args(options).current_dir(ROOT).output().expect("the program starts")
}

pub fn stderr(output: &Output) -> String {
    String::from_utf8_lossy(&output.stderr).into_owned()
}

pub fn succeed(options: &[&str]) -> Output {
    let output = eagleray(options);
    assert!(output.status.success(), "{options:?}: {}", stderr(&output));
    output
}

/// The JSON summary of a command.
pub fn json(options: &[&str]) -> Value {
    let output = succeed(&[options, &["--json", "--quiet"]].concat());
    serde_json::from_slice(&output.stdout).expect("the summary is JSON")
}

/// Simulates a file in the folder and returns its name; `options` are words apart by blanks.
pub fn simulate(folder: &Path, name: &str, options: &str) -> String {
    let path = folder.join(name).display().to_string();
    succeed(&[&["simulate", "-o", &path], &options.split_whitespace().collect::<Vec<_>>()[..]].concat());
    path
}

/// Fails unless the program ends with `status` and a message that holds `text`; never in a panic.
pub fn refused(options: &[&str], status: i32, text: &str) {
    let output = eagleray(options);
    let message = stderr(&output);
    assert_eq!(output.status.code(), Some(status), "{options:?}: {message}");
    assert!(message.contains(text), "{options:?}: {message}");
    assert!(!message.contains("panicked"), "{message}");
}

/// The codes of the warnings in a summary.
pub fn codes(summary: &Value) -> Vec<&str> {
    summary["warnings"].as_array().unwrap().iter().map(|w| w["code"].as_str().unwrap()).collect()
}

pub fn real(value: &Value) -> f64 {
    value.as_f64().unwrap_or_else(|| panic!("{value} is not a number"))
}

pub fn near(value: &Value, expected: f64, within: f64) {
    let value = real(value);
    assert!((value - expected).abs() <= within, "{value} is not {expected} ± {within}");
}

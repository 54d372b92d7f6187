//! Whole command lines: every option of every command, and the register of files.
#![no_main]
use std::sync::LazyLock;

use libfuzzer_sys::{fuzz_mutator, fuzz_target};

static PROGRAM: LazyLock<clap::Command> = LazyLock::new(|| {
    let mut program = eagleray_cli::commands::command();
    program.build();
    program
});

/// Commands and their options.
static WORDS: LazyLock<Vec<String>> = LazyLock::new(|| {
    let mut words = Vec::new();
    for command in PROGRAM.get_subcommands() {
        words.push(command.get_name().to_string());
        words.extend(command.get_arguments().filter_map(|arg| arg.get_long()).map(|name| format!("--{name}")));
        for arg in command.get_arguments() {
            words.extend(arg.get_possible_values().iter().map(|value| value.get_name().to_string()));
        }
    }
    let values = [
        "obs.evt",
        "1:10",
        "1:10:5:log",
        "-1e-9:1e-9",
        "1/256",
        "64",
        "0.02",
        "fit:100:500",
        "lorentzian:4:Q=8:0.1",
        "0,1",
        "all",
    ];
    words.extend(values.map(String::from));
    words
});

fuzz_mutator!(|data: &mut [u8], size: usize, max_size: usize, seed: u32| {
    let words: Vec<&str> = WORDS.iter().map(String::as_str).collect();
    eagleray_fuzz::mutate::text(data, size, max_size, seed, &words)
});

fuzz_target!(|data: &[u8]| {
    let text = String::from_utf8_lossy(data);
    let words = ["eagleray"].into_iter().chain(text.split_whitespace().filter(|word| !word.starts_with('@')));
    let parsed = PROGRAM.clone().try_get_matches_from(words);
    match parsed {
        Ok(matches) => drop(eagleray_cli::files::check(&PROGRAM, &matches)),
        Err(e) => assert!(!e.to_string().is_empty()),
    }
});

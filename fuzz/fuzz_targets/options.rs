//! Options as users write them: numbers, ranges, lists, and all that select from a file.
#![no_main]
use std::path::PathBuf;
use std::sync::LazyLock;

use clap::Parser;
use eagleray_cli::arguments::input::InputArgs;
use eagleray_cli::number;
use libfuzzer_sys::{fuzz_mutator, fuzz_target};

#[derive(Parser)]
struct Args {
    #[command(flatten)]
    input: InputArgs,
}

/// Options that select, and their values.
const WORDS: &[&str] = &[
    "--energy",
    "--pi",
    "--time",
    "--detector",
    "--exclude-detector",
    "--no-gti",
    "--gti-margin",
    "--min-gti",
    "--combine",
    "merge",
    "average",
    "--extension",
    "--time-column",
    "--rate-column",
    "--error-column",
    "--salvage",
    "--mixed",
    "0.3:2",
    "1:9",
    "0:12",
    "56658d:56659d",
    "0,1",
    "0.1",
    "TIME",
    "EVENTS",
    "1",
    "PI",
    "2^-13",
    "1/256",
];

static GOOD: LazyLock<PathBuf> = LazyLock::new(|| eagleray_fuzz::written(&eagleray_fuzz::fits(eagleray_fuzz::GOOD)));

fuzz_mutator!(|data: &mut [u8], size: usize, max_size: usize, seed: u32| {
    eagleray_fuzz::mutate::text(data, size, max_size, seed, WORDS)
});

fuzz_target!(|data: &[u8]| {
    let text = String::from_utf8_lossy(data);
    if let Ok(value) = number::number(&text) {
        assert!(value.is_finite());
    }
    if let Ok(range) = number::range(&text) {
        assert!(range.lo < range.hi);
    }
    assert!(number::positive(&text).is_ok_and(|x| x > 0.0) || number::positive(&text).is_err());
    let _ = (number::probability(&text), number::whole(&text), number::counting(&text), number::integer(&text));
    let words = ["eagleray", "FILE"].into_iter().chain(text.split_whitespace());
    let Ok(mut args) = Args::try_parse_from(words) else { return };
    // Only files that are known are read.
    let input = &mut args.input;
    (input.files, input.gti, input.rmf) = (vec![GOOD.clone()], None, None);
    if let Ok(observation) = input.observation(false, &mut |_| {}) {
        assert!(observation.files().iter().all(|f| f.gti.intervals().iter().all(|(a, b)| a < b)));
    }
});

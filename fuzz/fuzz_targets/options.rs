//! Options as users write them: numbers, ranges, lists, and all that select from a file.
#![no_main]
use std::path::PathBuf;
use std::sync::LazyLock;

use clap::Parser;
use eagleray_cli::arguments::input::InputArgs;
use eagleray_cli::number;
use libfuzzer_sys::fuzz_target;

#[derive(Parser)]
struct Args {
    #[command(flatten)]
    input: InputArgs,
}

static GOOD: LazyLock<PathBuf> = LazyLock::new(|| eagleray_fuzz::written(&eagleray_fuzz::fits(eagleray_fuzz::GOOD)));

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

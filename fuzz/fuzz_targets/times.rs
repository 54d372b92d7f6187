//! Edges of bins and lists of files, as text: every photon of a good file is in a bin or beside them, or an error.
#![no_main]
use std::num::NonZeroUsize;
use std::path::PathBuf;
use std::sync::LazyLock;

use eagleray::{Counting, Observation, Session};
use eagleray_cli::arguments::input::expand_lists;
use eagleray_cli::commands::bin::time_edges;
use libfuzzer_sys::{fuzz_mutator, fuzz_target};

static GOOD: LazyLock<Observation> = LazyLock::new(|| {
    let path = eagleray_fuzz::written(&eagleray_fuzz::fits(eagleray_fuzz::GOOD)).with_extension("good");
    std::fs::write(&path, eagleray_fuzz::fits(eagleray_fuzz::GOOD)).expect("a temporary file can be written");
    Observation::open([path]).expect("a good file")
});

const WORDS: &[&str] =
    &["0", "1.5", "2", "3", "9.5", "10", "12", "#", "1/4", "2^-3", "a.evt", "b.evt", "0:12:5", "1:12:5:log"];

fuzz_mutator!(|data: &mut [u8], size: usize, max_size: usize, seed: u32| {
    eagleray_fuzz::mutate::text(data, size, max_size, seed, WORDS)
});

fuzz_target!(|data: &[u8]| {
    let path = eagleray_fuzz::written(data).display().to_string();
    if let Ok(files) = expand_lists(&[PathBuf::from(format!("@{path}"))]) {
        assert!(!files.is_empty() && files.iter().all(|file| !file.as_os_str().is_empty()));
    }
    let text = String::from_utf8_lossy(data).trim().to_string();
    let ranges = if text.contains(['\n', '/', '\0']) { None } else { time_edges(&text).ok() };
    for edges in time_edges(&path).ok().into_iter().chain(ranges.filter(|edges| edges.len() < 10_000)) {
        let session = Session::threads(NonZeroUsize::MIN).expect("a CPU");
        if let Ok(made) = session.run(&Counting::new(edges), &GOOD) {
            let photons = &made.meta.record.photons;
            assert!(photons.is_exact() && photons.read == 4, "{photons}");
            assert_eq!(made.counts.iter().sum::<u64>(), photons.used);
        }
    }
});

//! Options without meaning and an outside that does not play along: one line that names the option or the file, and a
//! status; never a product.

use std::path::Path;

use super::*;
use crate::program::{eagleray, stderr};

/// What is wrong, the words of the command line (`FILE` is a good file, `DIR` its folder), the status, and what is said.
const CASES: &[(&str, &str, i32, &str)] = &[
    ("dt of zero", "pds FILE --dt 0", 2, "--dt"),
    ("dt below zero", "pds FILE --dt -1", 2, "must be above zero"),
    ("dt not a number", "pds FILE --dt nan", 2, "nan"),
    ("dt larger than the segment", "pds FILE --dt 20 --segment-size 10", 2, "dt"),
    ("segment larger than every interval", "pds FILE --dt 0.125 --segment-size 1000", 1, "use --segment-size 100 ("),
    ("energy band outside the data", "pds FILE --dt 0.125 --segment-size 10 --energy 100:200", 1, "no event lies"),
    ("energy band without a channel", "pds FILE --dt 0.125 --segment-size 10 --energy 1.001:1.002", 2, "no channel"),
    ("reversed energy band", "pds FILE --energy 3:1", 2, "--energy"),
    ("unknown norm", "pds FILE --norm squared", 2, "squared"),
    ("output exists", "pds FILE --dt 0.125 --segment-size 10 -o DIR/there.fits", 1, "--overwrite"),
    ("output folder missing", "pds FILE --dt 0.125 --segment-size 10 -o DIR/none/out.fits", 1, "none"),
    ("output is the input", "pds FILE --dt 0.125 --segment-size 10 --overwrite -o FILE", 2, "one of the inputs"),
    ("no such adapter", "pds FILE --dt 0.125 --segment-size 10 --backend gpu --adapter nonesuch", 1, "nonesuch"),
    ("a directory given as input", "pds DIR", 1, "not a regular file"),
    ("no such file", "pds DIR/none.fits", 1, "none.fits"),
    ("the same file twice", "pds FILE FILE", 2, "same content"),
    ("intervals that are no file", "pds FILE --gti DIR/none.txt", 1, "none.txt"),
    ("a response that is none", "pds FILE --energy 1:2 --rmf FILE", 1, "EBOUNDS"),
    (
        "detectors without a column",
        "pds FILE --dt 0.125 --segment-size 10 --detector 1",
        1,
        "no detectors can be selected",
    ),
];

/// Runs all, and says what came of each.
pub fn outcomes() -> Vec<(String, String, String)> {
    let folder = Folder::new();
    let good = folder.write("good.fits", &of(plain().set("TELESCOP", "'SWIFT'").set("INSTRUME", "'XRT'")));
    folder.write("there.fits", b"something");
    let place = |path: &Path| path.display().to_string();
    let run = |&(what, words, status, said): &(&str, &str, i32, &str)| {
        let words: Vec<String> = words
            .split(' ')
            .map(|word| if word == "FILE" { place(&good) } else { word.replace("DIR", &place(folder.0.path())) })
            .collect();
        let words: Vec<&str> = words.iter().map(String::as_str).chain(["--quiet"]).collect();
        let output = eagleray(&words);
        let message = stderr(&output);
        assert_eq!(output.status.code(), Some(status), "{what}: {message}");
        assert!(message.contains(said) && !message.contains("panicked"), "{what}: {message}");
        assert_eq!(std::fs::read(folder.0.path().join("there.fits")).unwrap(), b"something");
        let line = message.lines().find(|line| !line.is_empty()).unwrap_or_default();
        // Which adapters there are is another matter.
        let line = line.split("; found").next().unwrap_or_default();
        (what.to_string(), format!("{status}"), shown(&folder, line))
    };
    let all = CASES.iter().map(run).collect();
    assert_eq!(std::fs::read_dir(folder.0.path()).unwrap().count(), 2, "something was left behind");
    all
}

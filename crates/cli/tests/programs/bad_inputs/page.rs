//! docs/robustness.md: its tables are what the tests see. `EAGLERAY_WRITE_PAGES=1 cargo test -p eagleray-cli --test programs bad_inputs::` rewrites them.

use std::collections::BTreeSet;

use super::*;
use crate::common::pages;
use crate::program::json;

/// Lines of the list of bad inputs.
const LINES: u32 = 61;

const FILES: [&str; 6] = [
    "examples/data/b1509.fits",
    "tests/data/sgr1830kgfilt.evt",
    "tests/data/chandra_test.fits",
    "tests/data/xte_test.evt.gz",
    "tests/data/monol_testA.evt",
    "tests/data/nomission.evt",
];

/// The number that the name of a case begins with.
fn number(what: &str) -> Option<u32> {
    what.split_once(' ').and_then(|(number, _)| number.parse().ok())
}

/// A line of a table; no cell begins an element of HTML.
fn row(cells: &[&str]) -> String {
    let cells: Vec<String> = cells.iter().map(|cell| cell.replace('<', "&lt;")).collect();
    pages::row(&cells)
}

fn inputs() -> String {
    let folder = Folder::new();
    let mut cases: Vec<Case> =
        containers::cases().into_iter().chain(times::cases()).chain(real_files::cases()).collect();
    cases.sort_by_key(|case| number(case.what).unwrap_or(LINES + 1));
    let there: BTreeSet<u32> = cases.iter().filter_map(|case| number(case.what)).collect();
    let missing: Vec<u32> = (1..=LINES).filter(|line| !there.contains(line)).collect();
    assert!(missing.is_empty(), "no case for {missing:?}");
    let rows = cases.iter().map(|case| {
        let name = case.what.trim_start_matches(|c: char| c.is_ascii_digit()).trim();
        row(&[&number(case.what).map_or("–".into(), |n| n.to_string()), name, &case.check(&folder)])
    });
    format!("| | input | outcome |\n|---|---|---|\n{}", rows.collect::<String>())
}

fn options_and_outside() -> String {
    let rows = outside::outcomes().into_iter().map(|(what, status, said)| row(&[&what, &status, &said]));
    format!("| | status | said |\n|---|---|---|\n{}", rows.collect::<String>())
}

fn weights() -> String {
    let rows = weights::outcomes().into_iter().map(|(what, outcome)| row(&[what, &outcome]));
    format!("| | outcome |\n|---|---|\n{}", rows.collect::<String>())
}

fn photons() -> String {
    let counts = [
        "read",
        "used",
        "outside_gti",
        "outside_segments",
        "in_skipped_segments",
        "filtered",
        "not_photons",
        "dropped",
        "dropped_edge",
    ];
    let mut text = row(&[&["file"][..], &counts].concat());
    text += &format!("|---{}|\n", "|---".repeat(counts.len()));
    for file in FILES {
        let summary = json(&["pds", file, "--dt", "0.125", "--segment-size", "16", "--backend", "cpu"]);
        let photons = &summary["photons"];
        let count = |key: &str| photons[key].as_u64().unwrap_or_else(|| panic!("{file}: no {key} in {photons}"));
        let sum: u64 = counts[1..].iter().map(|key| count(key)).sum();
        assert_eq!(sum, count("read"), "{file}: {photons}");
        let cells: Vec<String> = counts.iter().map(|key| count(key).to_string()).collect();
        text += &row(&[&[file][..], &cells.iter().map(String::as_str).collect::<Vec<_>>()].concat());
    }
    text
}

#[test]
fn every_bad_input_ends_as_the_page_says() {
    let parts =
        [("inputs", inputs()), ("weights", weights()), ("options", options_and_outside()), ("photons", photons())];
    pages::hold(&crate::program::root("docs/robustness.md"), &parts);
}

//! SECURITY.md names the test that holds each promise: the tests are there.

use std::path::Path;

use crate::program::{ROOT, root};

/// The rows of the table of promises: what is promised, and the tests.
fn promises() -> Vec<(String, Vec<String>)> {
    let text = std::fs::read_to_string(root("SECURITY.md")).unwrap();
    let rows = text.lines().skip_while(|line| !line.starts_with("| promise |")).skip(2);
    let cells = |line: &str| line.trim_matches('|').split('|').map(|cell| cell.trim().to_string()).collect::<Vec<_>>();
    let of = |line: &str| {
        let [promise, tests] = &cells(line)[..] else { panic!("{line}: not two cells") };
        let tests = tests.split('`').skip(1).step_by(2).map(str::to_string).collect();
        (promise.clone(), tests)
    };
    rows.take_while(|line| line.starts_with('|')).map(of).collect()
}

/// The functions that are tests, by the file that they are in, from the root.
fn tests_in(folder: &Path, found: &mut Vec<(String, String)>) {
    for path in std::fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().path()) {
        if path.is_dir() {
            tests_in(&path, found);
        } else if path.extension().is_some_and(|extension| extension == "rs") {
            let name = path.strip_prefix(ROOT).unwrap_or(&path).display().to_string();
            let text = std::fs::read_to_string(&path).unwrap();
            let functions = text.split("#[test]").skip(1).filter_map(|rest| rest.split_once("fn ")?.1.split_once('('));
            found.extend(functions.map(|(function, _)| (name.clone(), function.to_string())));
        }
    }
}

#[test]
fn every_promise_has_tests_that_are_there() {
    let mut tests = Vec::new();
    for folder in ["src", "tests", "crates/cli/src", "crates/cli/tests"] {
        tests_in(&root(folder), &mut tests);
    }
    assert!(tests.len() > 500, "{}", tests.len());
    let promises = promises();
    assert!(promises.len() > 15, "{}", promises.len());
    for (promise, named) in promises {
        assert!(!named.is_empty(), "{promise}: no test");
        for name in named {
            let Some((file, function)) = name.rsplit_once("::") else { panic!("{promise}: {name}: not FILE::TEST") };
            let there = |(own, test): &(String, String)| own.ends_with(&format!("{file}.rs")) && test == function;
            assert!(tests.iter().any(there), "{promise}: {name} is not there");
        }
    }
}

//! Limits so low that hardly anything fits: an error with its status and one line, never an abort, a panic, or a file that is left.

use super::*;

/// Lines of work of every kind: of events, of light curves, of products, of pictures, of files that are written.
const LINES: [&str; 10] = [
    "pds a.evt --dt 1e-2 --segment-size 8 -o new.json --plot new.svg --overwrite",
    "multitaper a.evt --dt 1e-2 --segment-size 100",
    "lc a.evt --dt 1e-2 -o new.ecsv --overwrite",
    "bin a.evt --times 0:600:10000 -o new.json --overwrite",
    "bispectrum a.evt --dt 1/64 --segment-size 8 -o new.fits --overwrite",
    "search a.evt --freq 1:1.1 -o new.json --overwrite",
    "fold a.evt --f 1.5 --nbin 64 --plot new.png --overwrite",
    "plot pds.ecsv --plot new.svg --overwrite",
    "simulate -o new.evt --overwrite --rate 100 --length 20",
    "devices",
];

/// What ends a line: an error of the program, in its own words.
fn is_error(done: &Ended) -> bool {
    matches!(done.code(), Some(1 | 2)) && done.said.lines().any(|line| line.starts_with("eagleray: error: "))
}

/// The least kilobytes of addresses in which the program is loaded, to 4 MB: it says its version.
fn loaded(path: &Path) -> u64 {
    let says = |kilobytes: &u64| {
        let done = run_limited(path, &["--version"], Some(*kilobytes), Duration::from_secs(10));
        done.code() == Some(0)
    };
    (4..250).map(|step| 4_000 * step).find(says).expect("a gigabyte is enough")
}

#[test]
#[cfg(target_os = "linux")]
fn little_memory_is_an_error_and_never_an_abort() {
    let folder = inputs();
    let path = folder.0.path();
    let (before, least) = (names_in(path), loaded(path));
    let mut refused = 0;
    for kilobytes in [6_000, 22_000, 45_000].map(|more| least + more) {
        for line in LINES {
            let words: Vec<&str> = line.split(' ').collect();
            let done = run_limited(path, &words, Some(kilobytes), Duration::from_secs(30));
            refused += usize::from(is_error(&done));
            assert!(done.code() == Some(0) || is_error(&done), "{kilobytes} {line}: {:?} {}", done.status, done.said);
            assert!(!done.said.contains("panicked"), "{kilobytes} {line}: {}", done.said);
            let hidden: Vec<String> = names_in(path).into_iter().filter(|name| name.starts_with('.')).collect();
            assert!(hidden.is_empty(), "{kilobytes} {line}: {hidden:?}");
            for name in names_in(path).into_iter().filter(|name| !before.contains(name)) {
                std::fs::remove_file(path.join(name)).expect("what was written can be removed");
            }
        }
    }
    // With the least of them no program has its threads.
    assert!(refused >= LINES.len(), "the limits hardly limit: {refused}");
}

/// Drivers of GPUs end the process where they have too few addresses: none is asked.
#[test]
#[cfg(target_os = "linux")]
fn no_gpu_is_looked_for_where_limits_have_no_room_for_drivers() {
    let folder = inputs();
    let line = "pds a.evt --dt 0.125 --segment-size 8 --backend gpu";
    let words: Vec<&str> = line.split(' ').collect();
    let done = run_limited(folder.0.path(), &words, Some(500_000), Duration::from_secs(30));
    assert_eq!(done.code(), Some(1), "{}", done.said);
    assert!(cfg!(not(feature = "gpu")) || done.said.contains("no GPU was looked for"), "{}", done.said);
}

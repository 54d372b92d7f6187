//! Numbers at their ends, in every option of every command that takes one: an error that names the option, or a result; no panic, and no
//! end that nobody sees.

use std::collections::BTreeSet;

use super::*;
use crate::common::fits_file::Folder;

/// The ends.
const VALUES: [&str; 10] =
    ["18446744073709551615", "0", "1", "-1", "1e300", "1e12", "nan", "inf", "1e-300", "4294967296"];
/// The same of ranges.
const RANGES: [&str; 7] = ["0:18446744073709551615", "0:0", "-1:1", "nan:1", "1:inf", "1e-300:1e300", "0:1e12"];
/// Time in which a run ends, or has said that it takes longer.
const MOST: Duration = Duration::from_secs(20);
/// What errors say of a selection that leaves nothing, or less than a segment.
const TOO_LITTLE: [&str; 2] = ["check the selection of", "longer than every good time interval"];
/// Addresses, kilobytes.
const KILOBYTES: u64 = 4_000_000;

/// A line of each command that does something; `stats` has commands of its own.
const LINES: [&str; 22] = [
    "pds a.evt --dt 0.125 --segment-size 8 --backend cpu",
    "cs a.evt --subject 1:3 --ref 3:8 --dt 0.125 --segment-size 8 --backend cpu",
    "dyn a.evt --dt 0.125 --segment-size 8 --backend cpu",
    "ls c.fits",
    "multitaper a.evt --dt 0.125 --segment-size 8",
    "bispectrum a.evt --dt 0.125 --segment-size 8",
    "varenergy a.evt --energies 1:9:3 --freq 0.2:1 --dt 0.125 --segment-size 8 --backend cpu",
    "lc a.evt --dt 1",
    "search a.evt --freq 1:1.1 --backend cpu",
    "accel a.evt --freq 1:2 --fdot -1e-6:1e-6 --backend cpu",
    "fold a.evt --f 1 --nbin 16 --toas x.tim --toa-length 100 --overwrite --backend cpu",
    "bin a.evt --times 0:600:10",
    "rebin pds.ecsv --rebin 2 -o x.ecsv --overwrite",
    "norm pds.ecsv --norm frac -o x.ecsv --overwrite",
    "plot pds.ecsv --plot x.svg --overwrite",
    "join pds.ecsv pds2.ecsv -o x.ecsv --overwrite",
    "info a.evt",
    "simulate -o new.evt --rate 10 --length 100 --overwrite",
    "stats power-to-p --power 40 --trials 10",
    "stats p-to-power --p 0.01 --trials 10",
    "stats amplitude --power 40 --photons 1000",
    "stats poisson --counts 10",
];

/// Words and names that are no numbers, by what stands for their values.
const WORDS: [&str; 6] = ["FILE", "NAME", "COLUMN", "EXT", "INDEX", "MISSION"];

/// The option with another value, as one word: that may begin with a sign.
fn with(line: &str, option: &str, value: &str) -> Vec<String> {
    let mut words: Vec<String> = line.split(' ').map(str::to_string).collect();
    if let Some(at) = words.iter().position(|word| word == option) {
        words.drain(at..at + 2);
    }
    words.push(format!("{option}={value}"));
    words
}

/// Lines and their options that take numbers, with the values to give them.
fn options() -> Vec<(&'static str, String, &'static [&'static str])> {
    let values = |shown: &str| if shown.contains("LO:HI") { &RANGES[..] } else { &VALUES[..] };
    named().into_iter().map(|(line, option, shown)| (line, option, values(&shown))).collect()
}

/// Those of them that count something, and what stands for their values.
#[cfg(target_os = "linux")]
fn counts() -> Vec<(&'static str, String, String)> {
    let counts = |shown: &str| ["N", "K", "NW"].contains(&shown) || shown.contains("LO:HI:N");
    named().into_iter().filter(|(.., shown)| counts(shown)).collect()
}

/// Lines and their options that take numbers, with what stands for their values.
fn named() -> Vec<(&'static str, String, String)> {
    let mut program = eagleray_cli::commands::command();
    program.build();
    let mut all = Vec::new();
    for line in LINES {
        let mut command = &program;
        for word in line.split(' ') {
            let Some(found) = command.find_subcommand(word) else { break };
            command = found;
        }
        for arg in command.get_arguments().filter(|arg| arg.get_action().takes_values() && !arg.is_positional()) {
            let shown =
                arg.get_value_names().unwrap_or_default().iter().map(|name| name.to_string()).collect::<String>();
            let word = WORDS.iter().any(|word| shown.contains(word)) || !arg.get_possible_values().is_empty();
            let Some(name) = arg.get_long().filter(|_| !word) else { continue };
            all.push((line, format!("--{name}"), shown));
        }
    }
    all
}

#[test]
fn every_command_has_a_line() {
    let mut program = eagleray_cli::commands::command();
    program.build();
    let mut wanted = BTreeSet::new();
    for command in program.get_subcommands().filter(|command| !matches!(command.get_name(), "help" | "devices")) {
        let inner: Vec<_> = command.get_subcommands().filter(|inner| inner.get_name() != "help").collect();
        match inner.is_empty() {
            true => _ = wanted.insert(command.get_name().to_string()),
            false => wanted.extend(inner.iter().map(|inner| format!("{} {}", command.get_name(), inner.get_name()))),
        }
    }
    let has = |name: &String| LINES.iter().any(|line| format!("{line} ").starts_with(&format!("{name} ")));
    assert!(wanted.iter().all(has), "{:?}", wanted.iter().filter(|name| !has(name)).collect::<Vec<_>>());
    assert!(options().len() > 200, "{}", options().len());
}

#[test]
fn lines_of_the_walk_do_their_work() {
    let folder = inputs();
    for line in LINES {
        let words: Vec<&str> = line.split(' ').collect();
        let done = run_limited(folder.0.path(), &words, Some(KILOBYTES), MOST);
        assert_eq!(done.code(), Some(0), "{line}: {}", done.said);
    }
}

/// Runs a line, and says what is wrong with how it ends.
fn judged(
    folder: &Folder,
    line: &str,
    option: &str,
    value: &str,
    (kilobytes, most): (u64, Duration),
) -> Option<String> {
    let words = with(line, option, value);
    let each: Vec<&str> = words.iter().map(String::as_str).collect();
    let done = run_limited(folder.0.path(), &each, Some(kilobytes), most);
    let announced = done.said.contains(" will take about ") || done.said.contains(" will be written");
    let wrong = match done.code() {
        _ if done.said.contains("panicked") => "a panic",
        None if done.status.is_none() && announced => return None,
        None if done.status.is_none() => "no end, and no announcement",
        Some(0) => return None,
        // Selections that leave nothing, or too little for a segment, are told in words.
        Some(1 | 2) if done.said.contains(option) || TOO_LITTLE.iter().any(|said| done.said.contains(said)) => {
            return None;
        }
        Some(1 | 2) => "an error that does not name the option",
        _ => "no exit status of this program",
    };
    Some(format!("{}: {wrong}: {:?} {}", words.join(" "), done.status, done.said))
}

/// Three values of each option, by turns, the largest of whole numbers among them; all of them with `EAGLERAY_TEST_ALL`.
#[test]
fn options_at_their_ends_are_refused_by_name() {
    let folder = inputs();
    let all = std::env::var_os("EAGLERAY_TEST_ALL").is_some();
    let mut wrong = Vec::new();
    for (turn, (line, option, values)) in options().into_iter().enumerate() {
        for (at, value) in values.iter().enumerate() {
            if all || at == 0 || at == 1 + turn % (values.len() - 1) || at == 1 + (turn + 4) % (values.len() - 1) {
                wrong.extend(judged(&folder, line, &option, value, (KILOBYTES, MOST)));
            }
        }
    }
    assert!(wrong.is_empty(), "{} of them:\n{}", wrong.len(), wrong.join("\n"));
}

/// Numbers of edges, bins, trials and rows that are no mistake by themselves, where memory for them is short: what determines a size is compared with what there is
/// before anything of that size is made.
#[test]
#[cfg(target_os = "linux")]
fn counts_that_memory_does_not_hold_are_errors() {
    const COUNTS: [&str; 4] = ["3000000", "30000000", "100000000", "134217728"];
    /// Addresses, kilobytes.
    const FEW: u64 = 2_000_000;
    let folder = inputs();
    let all = std::env::var_os("EAGLERAY_TEST_ALL").is_some();
    let (mut wrong, mut runs) = (Vec::new(), 0);
    for (turn, (line, option, shown)) in counts().into_iter().enumerate() {
        for (at, count) in COUNTS.into_iter().enumerate() {
            let values = match shown.contains("LO:HI:N") {
                true => vec![format!("0.5:9:{count}"), format!("0.5:9:{count}:log")],
                false => vec![count.to_string()],
            };
            // Lists with each; other counts by turns.
            if all || values.len() > 1 || at == turn % COUNTS.len() {
                runs += values.len();
                wrong.extend(values.iter().filter_map(|value| judged(&folder, line, &option, value, (FEW, 5 * MOST))));
            }
        }
    }
    assert!(runs > 60, "{runs}");
    assert!(wrong.is_empty(), "{} of them:\n{}", wrong.len(), wrong.join("\n"));
}

//! What the program says to somebody who tries things: what a file was taken for, what is wrong with a value, what a plan
//! will cost.

use crate::program::{B1509, codes, eagleray, json, near, refused, simulate, stderr, succeed};
use serde_json::json as value;

const XRONOS: &str = "tests/data/lcurveA.fits";
const NICER: &str = "tests/data/sgr1830kgfilt.evt";

fn stdout(options: &[&str]) -> String {
    String::from_utf8(succeed(options).stdout).unwrap()
}

#[test]
fn info_describes_light_curves() {
    let folder = tempfile::tempdir().unwrap();
    let path = |name: &str| folder.path().join(name).display().to_string();
    let text = path("a.txt");
    let lines = [(0.5, 2.0), (1.5, 4.0), (2.5, 3.0), (7.5, 3.0)].map(|(t, r)| format!("{t} {r}\n"));
    std::fs::write(&text, lines.concat()).unwrap();
    let info = &json(&["info", &text])[0];
    assert_eq!((&info["kind"], &info["format"]), (&value!("light curve"), &value!("text")));
    assert_eq!(
        (&info["bins"], &info["gaps"], &info["values"]),
        (&value!(4), &value!(1), &value!("rates without errors"))
    );
    assert_eq!((&info["dt"], &info["first"], &info["last"]), (&value!(1.0), &value!(0.0), &value!(8.0)));
    near(&info["mean_rate"], 3.0, 1e-12);
    assert_eq!(info["units"], value!({ "time": "s", "counts": "ct", "rate": "ct/s", "rate_err": "ct/s" }));
    let page = stdout(&["info", &text]);
    assert!(page.contains("light curve in text: 4 bins of 1 s, 1 gap, rates without errors"), "{page}");
    assert!(page.contains("3 counts/s on average"), "{page}");
    let info = &json(&["info", XRONOS, B1509]);
    assert_eq!((&info[0]["kind"], &info[0]["format"]), (&value!("light curve"), &value!("FITS")));
    assert_eq!(info[0]["values"], "rates with errors");
    assert_eq!(info[1]["kind"], "events");
    // Counts, with a suggestion that pds follows.
    let curve = path("a.fits");
    succeed(&["lc", B1509, "--dt", "1/4", "-o", &curve]);
    let info = &json(&["info", &curve])[0];
    assert_eq!((&info["values"], &info["dt"], &info["bins"]), (&value!("counts"), &value!(0.25), &value!(14_000)));
    let s = json(&["pds", &curve, "--backend", "cpu"]);
    assert_eq!((&s["dt"], &s["segment_size"]), (&info["suggested"]["dt"], &info["suggested"]["segment_size"]));
}

#[test]
fn info_counts_what_is_selected() {
    let all = json(&["info", NICER]);
    assert_eq!(all[0]["selected"], value!(null));
    let options = [NICER, "--energy", "2:10"];
    let info = json(&[&["info"], &options[..]].concat());
    let s = json(&[&["pds", "--backend", "cpu"], &options[..]].concat());
    let (read, filtered) = (s["photons"]["read"].as_u64().unwrap(), s["photons"]["filtered"].as_u64().unwrap());
    assert!(filtered > 0);
    assert_eq!(info[0]["selected"]["events"].as_u64(), Some(read - filtered));
    let page = stdout(&[&["info"], &options[..]].concat());
    assert!(page.contains("2 to 10 keV is PI in [200, 999]"), "{page}");
    refused(&["info", XRONOS, "--energy", "2:10"], 2, "a light curve has no events to select");
    refused(
        &["info", "tests/data/nomission.evt", "--energy", "2:10"],
        2,
        "use --rmf (takes a response) or --pi (takes channels)",
    );
}

#[test]
fn pds_says_that_it_took_a_file_for_a_light_curve() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("meant_as_intervals.txt").display().to_string();
    let lines: String = (0..64).map(|i| format!("{} {}\n", 100 * i, 100 * i + 50)).collect();
    std::fs::write(&path, lines).unwrap();
    let output = succeed(&["pds", &path, "--backend", "cpu"]);
    let said = stderr(&output);
    assert!(said.contains("light curve of 64 bins of 100 s, rates without errors"), "{said}");
    let output = succeed(&["pds", &path, "--backend", "cpu", "--quiet"]);
    assert_eq!(stderr(&output), "");
}

#[test]
fn a_plan_that_costs_hours_says_so_before_it_begins() {
    let folder = tempfile::tempdir().unwrap();
    let path = simulate(folder.path(), "a.evt", "--rate 1 --length 1000");
    let long = ["pds", &path, "--dt", "1e-9", "--backend", "cpu"];
    let plan = succeed(&[&long[..], &["--dry-run"]].concat());
    assert!(stderr(&plan).contains("W-COST") && stderr(&plan).contains("of one core"), "{}", stderr(&plan));
    // Refused at once, for it comes before the work.
    refused(&[&long[..], &["--strict"]].concat(), 1, "W-COST");
    let memory = ["pds", &path, "--dt", "2^-18", "--segment-size", "512", "--backend", "cpu", "--dry-run"];
    assert!(stderr(&succeed(&memory)).contains("4.3 GB for each thread"), "{}", stderr(&succeed(&memory)));
    assert!(!stderr(&succeed(&["pds", &path, "--backend", "cpu"])).contains("W-COST"));
}

/// A warning that was printed before the work is not printed again after it.
#[test]
fn warnings_are_printed_once() {
    let output = succeed(&["pds", B1509, "--backend", "cpu", "--rms", "100:9999"]);
    let said = stderr(&output);
    assert_eq!((said.matches("W-DATASUM").count(), said.matches("W-RMS-BAND").count()), (1, 1), "{said}");
}

#[test]
fn a_file_without_its_end_asks_for_intervals() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("cut.fits").display().to_string();
    let whole = std::fs::read(crate::program::root("examples/data/b1509.fits")).unwrap();
    std::fs::write(&path, &whole[..300_000]).unwrap();
    let options = ["pds", &path, "--backend", "cpu", "--dt", "1/64", "--segment-size", "8"];
    refused(&options, 1, "--salvage");
    let salvage = [&options[..], &["--salvage"]].concat();
    refused(
        &salvage,
        1,
        "none in what is left of the file; use --gti (gives them) or --no-gti (the span of the events)",
    );
    succeed(&[&salvage[..], &["--no-gti"]].concat());
}

#[test]
fn values_that_cannot_be_are_named_with_an_example() {
    let b = |more: &[&'static str]| [&["pds", B1509, "--backend", "cpu"], more].concat();
    for (options, status, text) in [
        (b(&["--dt", "-1"]), 2, "'-1' must be above zero, for example 0.5 or 1/256"),
        (b(&["--dt", "abc"]), 2, "'abc' is not a number: write it as 0.5"),
        (b(&["--segment-size", "-2"]), 2, "'-2' must be above zero"),
        (b(&["--rebin", "0"]), 2, "'0' is not a whole number above zero, for example 16"),
        (b(&["--chunk-events", "0"]), 2, "whole number above zero"),
        (b(&["--detector", "a"]), 2, "'a' is not a whole number, for example 3"),
        (b(&["--gti-margin", "-1"]), 2, "-1 must not be negative"),
        (b(&["--adapter", "0"]), 2, "--backend cpu uses none"),
        (b(&["--dt", "1e9"]), 1, "--dt = 1000000000: too long: the longest good time interval lasts 3500 s"),
        (b(&["--dt", "1e9"]), 1, "use --dt 437.5 (makes 8 bins)"),
        (vec!["simulate", "-o", "no/such/a.evt", "--seed", "abc"], 2, "'abc' is not a whole number from 0"),
        (vec!["simulate", "-o", "no/such/a.evt", "--rate", "-1"], 2, "'-1' must be above zero"),
        (vec!["lc", B1509, "--dt", "-1"], 2, "'-1' must be above zero"),
    ] {
        refused(&options, status, text);
    }
    // What a message proposes works.
    succeed(&b(&["--dt", "437.5"]));
}

#[test]
fn names_of_norms_are_read_in_any_case() {
    for (given, norm) in [("Leahy", "leahy"), ("FRAC", "frac"), ("Abs", "abs"), ("NONE", "none")] {
        assert_eq!(json(&["pds", B1509, "--backend", "cpu", "--dt", "1/64", "--norm", given])["norm"], norm);
    }
}

#[test]
fn detectors_that_no_event_has_are_named_with_those_that_there_are() {
    let output = eagleray(&["pds", B1509, "--backend", "cpu", "--detector", "99"]);
    assert_eq!(output.status.code(), Some(1));
    let said = stderr(&output);
    assert!(said.contains("W-NO-DETECTOR") && said.contains("no event has PCUID 99; the file has 2"), "{said}");
    assert!(said.contains("no event lies in any"), "{said}");
    let s = json(&["pds", B1509, "--backend", "cpu", "--detector", "2,98,99", "--dt", "1/64"]);
    assert!(codes(&s).contains(&"W-NO-DETECTOR"));
    assert!(
        !codes(&json(&["pds", B1509, "--backend", "cpu", "--detector", "2", "--dt", "1/64"]))
            .contains(&"W-NO-DETECTOR")
    );
}

#[test]
fn messages_have_the_digits_and_numbers_that_they_need() {
    let folder = tempfile::tempdir().unwrap();
    let path = simulate(folder.path(), "a.evt", "--rate 50 --length 13.35 --tstart 0");
    refused(
        &["pds", &path, "--dt", "0.1", "--segment-size", "20", "--backend", "cpu"],
        1,
        "use --segment-size 13.3 (the longest of whole bins of 0.1 s)",
    );
    let said = stderr(&succeed(&["pds", &path, "--dt", "0.1", "--segment-size", "13.3", "--backend", "cpu"]));
    assert!(said.contains("1 segment of 13.3 s (133 bins of 0.1 s)"), "{said}");
    let said = stdout(&["pds", &path, "--dt", "0.1", "--segment-size", "0.7", "--backend", "cpu", "--dry-run"]);
    assert!(
        said.contains("19 of 0.7 s, 7 bins of 0.1 s each") && said.contains("13.3 s used of 13.35 s; 0.05 s"),
        "{said}"
    );
}

/// What is missing is named with all that can give it; what is outside the data, and what came to nothing, with the reason.
#[test]
fn messages_name_the_reason_and_the_way_out() {
    let folder = tempfile::tempdir().unwrap();
    let early = simulate(folder.path(), "a.evt", "--rate 100 --length 100");
    let late = simulate(folder.path(), "b.evt", "--rate 100 --length 100 --tstart 2e8 --seed 2");
    for (options, words) in [
        (vec!["fold", B1509], ["--f <F>", "--par <FILE>"]),
        (vec!["search", B1509], ["--freq <LO:HI>", "--par <FILE>"]),
        (vec!["rebin", "a.ecsv"], ["--rebin <K>", "--rebin-log <F>"]),
        (vec!["varenergy", B1509], ["--energies <", "--energies-pi <"]),
        (vec!["stats", "p-to-power"], ["--p <P>", "--log10-p <X>"]),
        (vec!["stats", "amplitude", "--photons", "1"], ["--power <P>", "--fraction <A>"]),
    ] {
        words.iter().for_each(|word| refused(&options, 2, word));
    }
    refused(&["cs", &early, &late, "--dt", "1/16"], 1, "no good time is left: the inputs have none in common");
    refused(&["cs", &early, &late], 1, "no good time is left: the inputs have none in common");
    let bins = ["bin", &early, "--times", "0:10:5", "-o", "-"];
    refused(&bins, 2, "--times = 0:10: no bin has good time, which is from ");
    let toas = folder.path().join("a.tim").display().to_string();
    let fold = ["fold", B1509, "--f", "6.5961", "--toas", &toas, "--toa-length", "10"];
    let said = stderr(&succeed(&fold));
    let reason =
        "350 intervals left out: their pulse is below 4 standard errors, or some of their bins were not observed";
    assert!(said.contains(&format!("there are no times of arrival; {reason}; use --toa-length")), "{said}");
    assert!(said.contains(&format!("0 TOAs; {reason}\n")) && !said.contains("-0"), "{said}");
    std::fs::remove_file(&toas).unwrap();
    assert!(codes(&json(&fold)).contains(&"W-NO-TOAS"));
    // None of these is significant: the probability is 1.
    let said = stderr(&succeed(&["pds", &early, "--dt", "1/16", "--segment-size", "50", "--backend", "cpu"]));
    assert!(said.contains("log10 p 0.00") && !said.contains("-0.00"), "{said}");
}

/// Noisy detectors are left out by their numbers: what is kept is what naming all others keeps.
#[test]
fn detectors_are_left_out() {
    let there: Vec<i64> =
        json(&["info", NICER])[0]["detectors"].as_array().unwrap().iter().map(|d| d.as_i64().unwrap()).collect();
    assert!(there.contains(&13) && there.contains(&35) && there.len() > 40, "{there:?}");
    let others: Vec<String> = there.iter().filter(|d| ![13, 35].contains(*d)).map(i64::to_string).collect();
    let run = |options: &[&str]| {
        json(&[&["pds", NICER, "--backend", "cpu", "--dt", "1/16", "--segment-size", "64"], options].concat())
    };
    let (left_out, named) = (run(&["--exclude-detector", "13,35"]), run(&["--detector", &others.join(",")]));
    assert_eq!(left_out["photons"], named["photons"]);
    assert!(left_out["photons"]["filtered"].as_u64() > Some(0));
    assert_eq!(left_out["detectors"], named["detectors"]);
    let info = &json(&["info", NICER, "--exclude-detector", "13,35"])[0];
    assert_eq!(info["selected"]["detectors"], left_out["detectors"]);
    refused(&["pds", NICER, "--detector", "-14,-34"], 2, "--exclude-detector 14 leaves one out");
    refused(&["pds", NICER, "--detector", "14", "--exclude-detector", "34"], 2, "cannot be used with");
    refused(&["pds", XRONOS, "--exclude-detector", "34"], 2, "a light curve has no events to select");
    refused(&["pds", B1509, "--exclude-detector", "0,1,2,3,4"], 2, "exclude-detector");
}

/// Options at their ends end in a message or at once.
#[test]
fn options_at_their_ends_are_judged_at_once() {
    let folder = tempfile::tempdir().unwrap();
    let file = simulate(folder.path(), "a.evt", "--rate 100 --length 100");
    let name = |name: &str| folder.path().join(name).display().to_string();
    let most = u64::MAX.to_string();
    let (picture, table) = (name("p.png"), name("s.csv"));
    let fold = ["fold", &file, "--f", "6.5", "--phaseogram", &picture, "--phaseogram-rows"];
    refused(&[&fold[..], &[&most]].concat(), 2, "--phaseogram-rows = 18446744073709551615: must be from 1 to 524288");
    let dynamical = ["dyn", &file, "--dt", "1/16", "--segment-size", "4", "--backend", "cpu", "--trace", "1:4"];
    for half in ["1000000000000", &most] {
        succeed(&[&dynamical[..], &["--shift-add", &table, "--shift-half", half, "--overwrite"]].concat());
        assert!(std::fs::read_to_string(&table).unwrap().lines().filter(|line| !line.starts_with('#')).count() < 64);
    }
    for (line, near_one) in [
        ("amplitude --power 2.1 --photons 1e9 --m 1000000000", "upper_limit"),
        ("amplitude --power 3 --photons 1e9 --m 1000000 --k 1000000", "upper_limit"),
        ("amplitude --power 1e12 --photons 1e15", "upper_limit"),
        ("poisson --counts 18446744073709551615 --sigma 8", "upper"),
    ] {
        let words: Vec<&str> = ["stats"].into_iter().chain(line.split(' ')).collect();
        let made: serde_json::Value =
            serde_json::from_slice(&succeed(&[&words[..], &["--json"]].concat()).stdout).unwrap();
        assert!(made[near_one].as_f64() > Some(0.0), "{made}");
    }
    refused(
        &["stats", "power-to-p", "--power", "2.1", "--m", "4503599627370495", "--k", "1073741823"],
        2,
        "9007199254740992 values",
    );
}

/// Frequencies that bins do not tell from others, and a detector that is to be left out and is not there.
#[test]
fn what_changes_nothing_or_repeats_is_warned_of() {
    let ls = |freq: &str| json(&["ls", B1509, "--dt", "1", "--freq", freq]);
    let (beyond, inside) = (ls("0.1:2"), ls("0.1:0.5"));
    assert!(codes(&beyond).contains(&"W-NYQUIST") && !codes(&inside).contains(&"W-NYQUIST"), "{beyond} {inside}");
    let folder = tempfile::tempdir().unwrap();
    let events = simulate(folder.path(), "a.evt", "--rate 20 --length 100 --mission nicer");
    let pds = |more: &[&str]| {
        json(&[&["pds", &events, "--dt", "1/8", "--segment-size", "8", "--backend", "cpu"], more].concat())
    };
    let (absent, there) = (pds(&["--exclude-detector", "9999"]), pds(&["--exclude-detector", "14"]));
    assert!(codes(&absent).contains(&"W-NO-DETECTOR"), "{absent}");
    assert!(!codes(&there).contains(&"W-NO-DETECTOR"), "{there}");
    let line = ["bispectrum", &events, "--dt", "1/8", "--segment-size", "8"];
    let said = stderr(&eagleray(&line));
    assert!(said.contains("photons: ") && said.contains(" read = "), "{said}");
}

/// Links in a circle are no file that is there; numbers of hundreds of digits are not printed whole.
#[test]
#[cfg(unix)]
fn links_in_a_circle_and_endless_numbers_are_said_in_short() {
    let folder = tempfile::tempdir().unwrap();
    let name = |name: &str| folder.path().join(name).display().to_string();
    for (link, to) in [("a.ecsv", "b.ecsv"), ("b.ecsv", "a.ecsv"), ("a.evt", "b.evt"), ("b.evt", "a.evt")] {
        std::os::unix::fs::symlink(name(to), name(link)).unwrap();
    }
    let pds = ["pds", B1509, "--dt", "1/16", "--segment-size", "16", "--backend", "cpu"];
    refused(&[&pds[..], &["-o", &name("a.ecsv")]].concat(), 1, "symbolic links");
    refused(&["simulate", "-o", &name("a.evt"), "--length", "1"], 1, "symbolic links");
    let ones = "1".repeat(300);
    let range = format!("1:{ones}");
    for words in
        [&["pds", B1509, "--dt", &ones][..], &["search", B1509, "--freq", &range], &["bin", B1509, "--times", &ones]]
    {
        let said = stderr(&eagleray(words));
        assert!(said.contains("1.1111") && !said.contains(&ones[..50]) && said.len() < 500, "{said}");
    }
    let said = stderr(&eagleray(&["fold", B1509, "--f", "1", "--epoch", "1e300"]));
    assert!(said.contains("--epoch = 8.64e304 s: lies too far from the times") && said.len() < 300, "{said}");
}

/// A damaged interval, from 0 on: said once, and many rows of a dynamical spectrum before they are made.
#[test]
fn years_without_an_event_are_said_once_and_their_rows_cost_little() {
    let folder = tempfile::tempdir().unwrap();
    let events = simulate(folder.path(), "a.evt", "--mission nicer --rate 5 --length 1000 --tstart 10000000");
    let damaged = folder.path().join("damaged.txt").display().to_string();
    std::fs::write(&damaged, "0 10001000\n").unwrap();
    let line = ["bispectrum", &events, "--gti", &damaged, "--dt", "16", "--segment-size", "256"];
    let said = stderr(&succeed(&line));
    assert_eq!(said.matches("W-MOSTLY-EMPTY").count(), 1, "{said}");
    let line = ["dyn", &events, "--gti", &damaged, "--dt", "1", "--backend", "cpu"];
    let said = stderr(&succeed(&[&line[..], &["--segment-size", "32", "--rebin-time", "100000"]].concat()));
    assert_eq!(said.matches("W-MOSTLY-EMPTY").count(), 1, "{said}");
    // Each segment counts, with an event or without.
    assert!(said.contains("312531 segments of 32 s") && said.contains("photons: "), "{said}");
    let planned = stderr(&succeed(&[&line[..], &["--segment-size", "8", "--dry-run"]].concat()));
    assert!(planned.contains("W-MATRIX-SIZE") && planned.contains("1250125 times"), "{planned}");
}

/// Longer intervals are no advice where there is but one.
#[test]
fn one_interval_without_a_time_of_arrival_cannot_be_longer() {
    let folder = tempfile::tempdir().unwrap();
    let events = simulate(folder.path(), "a.evt", "--mission nicer --rate 5 --length 1000");
    let times = folder.path().join("a.tim").display().to_string();
    for (length, advised) in [("2000", false), ("100", true)] {
        let line =
            ["fold", &events, "--f", "1", "--nbin", "16", "--toas", &times, "--overwrite", "--toa-length", length];
        let said = stderr(&succeed(&line));
        assert!(said.contains("W-NO-TOAS"), "{said}");
        assert_eq!(said.contains("longer intervals have more events"), advised, "{said}");
    }
}

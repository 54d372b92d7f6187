//! Every analysis with options that plan more memory than there is: an error before the work, with what is planned and what makes it less;
//! never the end of the process.

use std::collections::BTreeSet;
use std::io::Write;

use super::*;
use crate::common::fits_file::{gti, header};

/// Addresses that the runs may have, kilobytes: an idle program has 230,000, and what is planned is above 1.2 GB.
const KILOBYTES: u64 = 1_000_000;
/// No work is begun; files that are large on paper alone are looked into, 1.6 GB of zeros once.
const AT_ONCE: Duration = Duration::from_secs(90);

/// Lines, and the options that the error names.
const TOO_MUCH: [(&str, &[&str]); 32] = [
    ("pds a.evt --dt 2^-18 --segment-size 512 --backend cpu", &["--dt", "--segment-size"]),
    // The least segment has a prime number of bins.
    ("pds a.evt --dt 1/100003 --segment-size 599 --backend cpu", &["--dt", "--segment-size"]),
    ("cs a.evt --subject 1:3 --ref 3:8 --dt 2^-17 --segment-size 512 --backend cpu", &["--dt"]),
    ("cs a.evt b.evt --dt 2^-17 --segment-size 512 --backend cpu", &["--dt"]),
    ("dyn a.evt --dt 2^-19 --segment-size 1 --backend cpu", &["--rebin", "--rebin-time"]),
    ("dyn a.evt --subject 1:3 --ref 3:8 --dt 2^-17 --segment-size 1 --backend cpu", &["--rebin-time"]),
    ("varenergy a.evt --energies 0.5:9:64 --freq 0.1:1 --dt 2^-15 --segment-size 512 --backend cpu", &["--dt"]),
    ("ls a.evt --dt 0.5 --freq 1e-3:1e5", &["--freq", "--oversample"]),
    ("ls a.evt --dt 0.5 --freq 1e-3:1e5 --direct", &["--freq"]),
    ("multitaper a.evt --dt 2^-16 --segment-size 512", &["--tapers"]),
    ("bispectrum a.evt --dt 1/64 --segment-size 512", &["--max-freq"]),
    ("bispectrum a.evt --dt 1/64 --segment-size 512 --max-lag 4096 --compat stingray", &["--max-lag"]),
    ("lc a.evt --dt 2^-18", &["--dt"]),
    ("bin a.evt --times 0:600:100000000", &["--times"]),
    ("bin a.evt --times 0:600:200000 --energies 0.5:9:500", &["--times", "--energies"]),
    ("bin a.evt --times 0:600:1 --energies 0.5:9:3000000:log", &["--times", "--energies"]),
    ("bin a.evt --times 0:600:1 --channels 0:1500:3000000", &["--times", "--channels"]),
    ("search a.evt --freq 1:20000 --backend cpu", &["--freq"]),
    ("search a.evt --freq 1:20000 --method h --backend cpu", &["--freq"]),
    ("search a.evt --freq 1:20000 --method ef --backend cpu", &["--freq"]),
    ("search a.evt --freq 1:20000 --method pdm --dt 0.01 --backend cpu", &["--freq"]),
    ("search a.evt --freq 1:2 --method pdm --dt 2^-18 --backend cpu", &["--dt"]),
    ("search a.evt --freq 1:400 --algorithm ffa --method ef --nbin 64 --backend cpu", &["--freq", "--nbin"]),
    ("accel a.evt --freq 1:13000 --fdot 0:1e-9 --nharm 1 --backend cpu", &["--freq"]),
    ("fold a.evt --f 1 --nbin 16 --toas x.tim --toa-length 0.0002 --backend cpu", &["--toa-length"]),
    ("fold events.fits --f 1 --backend cpu", &["--time"]),
    ("search events.fits --freq 1:1.001 --backend cpu", &["--time"]),
    ("accel events.fits --freq 1:2 --fdot 0:1e-9 --backend cpu", &["--time"]),
    ("simulate -o new.evt --rate 1 --length 1e5 --dt 1/256 --model powerlaw:1:0.2", &["--dt", "--length"]),
    ("pds curve.fits", &[]),
    ("pds a.evt --gti curve.fits[GTI] --dt 0.125 --segment-size 8 --backend cpu", &["--gti"]),
    ("plot product.json --plot new.svg", &[]),
];

/// Commands that hold no more than what they read, or nothing.
const SMALL: [&str; 7] = ["devices", "help", "info", "join", "norm", "rebin", "stats"];

/// A file of these bytes and, on paper, so many zeros behind each.
fn sparse(folder: &Folder, name: &str, parts: &[(Vec<u8>, u64)]) {
    let mut file = std::fs::File::create(folder.0.path().join(name)).unwrap();
    let mut at = 0;
    for (bytes, zeros) in parts {
        std::io::Seek::seek(&mut file, std::io::SeekFrom::Start(at)).unwrap();
        file.write_all(bytes).unwrap();
        at += bytes.len() as u64 + zeros;
    }
    file.set_len(at).unwrap();
}

/// The header of a table of real numbers, and the zeros of its rows.
fn rows(name: &str, columns: &[(&str, u64)], rows: u64) -> (Vec<u8>, u64) {
    let width: u64 = columns.iter().map(|(_, bytes)| bytes).sum();
    let mut cards = vec![
        ("XTENSION".to_string(), "'BINTABLE'".to_string()),
        ("BITPIX".into(), "8".into()),
        ("NAXIS".into(), "2".into()),
        ("NAXIS1".into(), width.to_string()),
        ("NAXIS2".into(), rows.to_string()),
        ("PCOUNT".into(), "0".into()),
        ("GCOUNT".into(), "1".into()),
        ("TFIELDS".into(), columns.len().to_string()),
        ("EXTNAME".into(), format!("'{name}'")),
        ("TELESCOP".into(), "'TESTSAT'".into()),
        ("MJDREFI".into(), "55000".into()),
        ("MJDREFF".into(), "0.0".into()),
    ];
    for (i, (name, bytes)) in (1..).zip(columns) {
        cards.push((format!("TTYPE{i}"), format!("'{name}'")));
        let form = if *bytes == 8 { "D".to_string() } else { format!("{bytes}B") };
        cards.push((format!("TFORM{i}"), format!("'{form}'")));
    }
    (header(&cards), (width * rows).next_multiple_of(2880))
}

/// Files that are large on paper: of holes, which take no place on the disk.
fn large_files(folder: &Folder) {
    let primary = crate::common::fits_file::file(&[]);
    let good = gti(&[(-1.0, 10.0)]).bytes();
    let none = |bytes: &[u8]| (bytes.to_vec(), 0);
    sparse(folder, "events.fits", &[none(&primary), none(&good), rows("EVENTS", &[("TIME", 8)], 200_000_000)]);
    let times = [("TIME", 8), ("RATE", 8)];
    let intervals = rows("GTI", &[("START", 8), ("STOP", 8)], 100_000_000);
    sparse(folder, "curve.fits", &[none(&primary), rows("RATE", &times, 100_000_000), intervals]);
    sparse(
        folder,
        "wide.fits",
        &[none(&primary), none(&good), rows("EVENTS", &[("TIME", 8), ("X", (1 << 30) - 8)], 4)],
    );
    sparse(folder, "text.txt", &[(b"0 1\n1 1\n".repeat(1000), 100_000_000_000)]);
    sparse(folder, "product.json", &[(b"{\"meta\": {".to_vec(), 5_000_000_000)]);
}

#[test]
#[cfg(target_os = "linux")]
fn work_that_plans_more_than_there_is_is_refused() {
    let folder = inputs();
    large_files(&folder);
    let path = folder.0.path();
    // With so many addresses the program does its work.
    let small = ["pds", "a.evt", "--dt", "0.125", "--segment-size", "8", "--backend", "cpu"];
    let done = run_limited(path, &small, Some(KILOBYTES), AT_ONCE);
    assert_eq!(done.code(), Some(0), "{}", done.said);
    let before = names_in(path);
    let mut seen = BTreeSet::new();
    for (line, fields) in TOO_MUCH {
        let words: Vec<&str> = line.split(' ').collect();
        seen.insert(words[0]);
        let done = run_limited(path, &words, Some(KILOBYTES), AT_ONCE);
        assert!(done.status.is_some(), "{line}: not done after {} s", done.seconds);
        assert!(matches!(done.code(), Some(1 | 2)), "{line}: {:?} {}", done.status, done.said);
        let planned = done.said.contains(" of memory, and there are ") && done.said.contains("(ulimit -v)");
        assert!(planned, "{line}: {}", done.said);
        let end = done.said.rsplit("ulimit -v").next().unwrap_or_default();
        let named = |field: &&&str| done.said.contains(&format!("{field} =")) || end.contains(**field);
        assert!(fields.iter().all(|field| named(&field)), "{line}: {fields:?} {}", done.said);
        assert_eq!(names_in(path), before, "{line}");
    }
    let commands = eagleray_cli::commands::command();
    let all: BTreeSet<&str> = commands.get_subcommands().map(|command| command.get_name()).collect();
    let known: BTreeSet<&str> = seen.union(&SMALL.into_iter().collect()).copied().collect();
    assert!(all.is_subset(&known), "without a line: {:?}", all.difference(&known));
}

#[test]
fn files_that_are_large_on_paper_are_refused_at_once() {
    let folder = inputs();
    large_files(&folder);
    for (line, said) in [
        ("pds text.txt", "longer than 1048576 bytes"),
        ("pds a.evt --gti text.txt --dt 0.125 --segment-size 8", "longer than 1048576 bytes"),
        ("fold a.evt --par text.txt", "larger than 1 MB, which no ephemeris is"),
        ("bin a.evt --times text.txt", "line 1: '0 1' is not a number"),
        (
            "pds wide.fits --dt 0.125 --segment-size 8",
            "rows of 1073741824 bytes; those that are read have at most 16777216",
        ),
        ("info wide.fits", "rows of 1073741824 bytes"),
        ("pds @text.txt", "text.txt: whole file: longer than 32 MB; give it in parts"),
    ] {
        let words: Vec<&str> = line.split(' ').collect();
        let done = run_limited(folder.0.path(), &words, None, AT_ONCE);
        assert_eq!(done.code(), Some(1), "{line}: {:?} {}", done.status, done.said);
        assert!(done.said.contains(said), "{line}: {}", done.said);
    }
}

#[test]
#[cfg(target_os = "linux")]
fn a_plan_of_more_than_there_is_says_so_and_a_run_tells_of_long_gaps_first() {
    let folder = inputs();
    let path = folder.0.path();
    let line = "pds a.evt --dt 2^-18 --segment-size 512 --backend cpu --dry-run";
    let done = run_limited(path, &line.split(' ').collect::<Vec<_>>(), Some(KILOBYTES), AT_ONCE);
    assert_eq!(done.code(), Some(0), "{}", done.said);
    assert!(done.said.contains("W-MEMORY") && done.said.contains(" of memory, and there are "), "{}", done.said);
    let line = "pds a.evt --dt 0.125 --segment-size 8 --backend cpu --dry-run";
    let done = run_limited(path, &line.split(' ').collect::<Vec<_>>(), Some(KILOBYTES), AT_ONCE);
    assert!(!done.said.contains("W-MEMORY"), "{}", done.said);
    // Two light curves four years apart: as many frequencies as the time between needs.
    crate::program::simulate(path, "far.evt", "--rate 20 --length 600 --mission nicer --tstart 120000000 --seed 4");
    for line in ["lc far.evt --dt 0.5 -o far.fits", "ls c.fits far.fits"] {
        let done = run_limited(path, &line.split(' ').collect::<Vec<_>>(), Some(KILOBYTES), AT_ONCE);
        if line.starts_with("ls") {
            assert_eq!(done.code(), Some(1), "{}", done.said);
            let (warning, error) = (done.said.find("W-MOSTLY-EMPTY"), done.said.find("would take"));
            assert!(warning.zip(error).is_some_and(|(warning, error)| warning < error), "{}", done.said);
        }
    }
}

//! Damaged and unusual event files: each gets a typed error that names the file and the place, or a coded warning and the
//! right number of photons; never a panic, a hang or a silent loss.

mod fits_file;

use std::time::{Duration, Instant};

use eagleray::data::ChannelRange;
use eagleray::io::product::Format;
use eagleray::{Error, EventFile, GtiSource, OpenOptions, Options, Selection, Warnings};
use fits_file::{Column, Folder, Table, codes, events, file, gti, gzip, spectrum};

const PHOTONS: usize = 1000;
const EXTENSION: &str = "extension 2 (EVENTS)";

fn times() -> Vec<f64> {
    (0..PHOTONS).map(|i| i as f64 * 0.1 + 0.03).collect()
}

fn time() -> Column {
    Column::f64("TIME", &times())
}

fn pi() -> Column {
    Column::i16("PI", &(0..PHOTONS as i16).collect::<Vec<_>>())
}

/// Good time, then events: what is cut off at the end are events.
fn of(table: Table) -> Vec<u8> {
    file(&[gti(&[(0.0, 100.0)]), table])
}

fn plain() -> Table {
    events(vec![time(), pi()])
}

fn options() -> Options {
    Options { dt: Some(0.125), segment_size: Some(10.0), ..Options::default() }
}

enum Expect {
    /// An error with all these pieces of text.
    Error(&'static [&'static str]),
    /// This warning, and so many photons used of so many read.
    Warning(&'static str, u64, u64),
    /// No warning, all photons used.
    Fine,
}
use Expect::{Error as E, Fine, Warning as W};

/// What becomes of a file under `open`.
fn check(folder: &Folder, what: &str, bytes: &[u8], open: &OpenOptions, expected: &Expect) {
    let result = folder
        .open(bytes, open)
        .and_then(|(file, warnings)| spectrum(&file, Selection::default(), &options(), warnings));
    match (result.map(|s| s.meta.provenance), expected) {
        (Err(e), E(pieces)) => {
            let text = e.to_string();
            assert!(text.contains("file.evt"), "{what}: the file is not named in: {text}");
            for piece in *pieces {
                assert!(text.contains(piece), "{what}: `{piece}` is not in: {text}");
            }
        }
        (Ok(s), W(code, used, read)) => {
            assert!(codes(&s.warnings).contains(code), "{what}: no {code} in {:?}", s.warnings);
            assert_eq!((s.photons.used, s.photons.read), (*used, *read), "{what}: {}", s.photons);
            assert!(s.photons.is_exact(), "{what}: {}", s.photons);
        }
        (Ok(s), Fine) => {
            assert!(s.warnings.iter().all(|w| w.code == "W-FEW-VALUES"), "{what}: {:?}", s.warnings);
            assert_eq!((s.photons.used, s.photons.read), (1000, 1000), "{what}: {}", s.photons);
        }
        (Ok(s), E(_)) => panic!("{what}: no error, but {} and {:?}", s.photons, s.warnings),
        (Err(e), _) => panic!("{what}: {e}"),
    }
}

/// Position of the last `text` in a file.
fn find(bytes: &[u8], text: &str) -> usize {
    bytes.windows(text.len()).rposition(|w| w == text.as_bytes()).unwrap()
}

fn replaced(mut bytes: Vec<u8>, from: &str, to: &[u8]) -> Vec<u8> {
    let at = find(&bytes, from);
    bytes[at..at + to.len()].copy_from_slice(to);
    bytes
}

#[test]
fn damaged_containers_end_in_errors_that_name_the_place_or_in_warnings() {
    let good = of(plain());
    let cut = |n: usize| good[..n].to_vec();
    let data = find(&good, "END") / 2880 * 2880 + 2880;
    let mut html = b"<!DOCTYPE html><html><body>404 not found</body></html>".to_vec();
    html.resize(3000, b' ');
    let no_end = {
        let at = find(&good, "END ");
        let mut bytes = good.clone();
        bytes[at..at + 3].copy_from_slice(b"   ");
        bytes
    };
    let trailing: Vec<u8> = good.iter().copied().chain([0; 5760]).collect();
    let form = |form: &str| events(vec![time(), pi()]).set("TFORM1", form);
    let narrow: Vec<f32> = times().iter().map(|t| (t + 3e8) as f32).collect();
    let duplicate = |name: &str| events(vec![time(), pi(), Column::raw(name, "1D", vec![vec![0; 8]; PHOTONS])]);
    let bits = |n: usize, bytes: usize| Column::raw("STATUS", &format!("{n}X"), vec![vec![0xff; bytes]; PHOTONS]);
    let cases: Vec<(&str, Vec<u8>, Expect)> = vec![
        ("an undamaged file", good.clone(), Fine),
        ("1 rows cut off", cut(data + 3333), E(&[EXTENSION, "NAXIS2", "after 333 of them", "--salvage"])),
        ("2 header cut off", cut(data - 2880 + 400), E(&["the header is cut off", "no END card", "byte "])),
        ("3 ten times too many rows", of(plain().set("NAXIS2", "10000")), E(&[EXTENSION, "NAXIS2", "10000 rows"])),
        ("4 2^62 rows", of(plain().set("NAXIS2", "4611686018427387904")), E(&["NAXIS", "overflow"])),
        ("5 negative rows", of(plain().set("NAXIS2", "-5")), E(&["NAXIS2", "-5"])),
        ("6 rows too wide", of(plain().set("NAXIS1", "11")), E(&[EXTENSION, "NAXIS1", "11 bytes", "take 10"])),
        ("6 rows too narrow", of(plain().set("NAXIS1", "9")), E(&[EXTENSION, "TFORM2", "9 bytes"])),
        ("7 rows of no width", of(plain().set("NAXIS1", "0")), E(&[EXTENSION, "TFORM1", "0 bytes"])),
        ("9 more columns announced", of(plain().set("TFIELDS", "3")), E(&[EXTENSION, "TFORM3", "missing"])),
        ("10 two thousand million columns", of(plain().set("TFIELDS", "2000000000")), E(&["TFIELDS", "999"])),
        ("11 an unknown format", of(form("'ZZ'")), E(&[EXTENSION, "TFORM1", "`ZZ`"])),
        ("12 a repeat of 1e12", of(form("'1000000000000D'")), E(&["TFORM1", "1000000000000D"])),
        ("12 a repeat beyond 64 bits", of(form("'99999999999999999999X'")), E(&["TFORM1"])),
        ("13 times as text", of(form("'8A'")), E(&[EXTENSION, "column TIME"])),
        (
            "14 single precision",
            of(events(vec![Column::f32("TIME", &narrow)])),
            E(&["column TIME", "3.2e1 s", "D column"]),
        ),
        (
            "15 scaled integers",
            of(events(vec![
                Column::i32("TIME", &(0..PHOTONS as i32).collect::<Vec<_>>())
                    .with("TSCAL", "0.1")
                    .with("TZERO", "0.03"),
            ])),
            Fine,
        ),
        (
            "15 a large zero does not spoil single precision",
            file(&[
                gti(&[(3e8, 3e8 + 100.0)]),
                events(vec![
                    Column::f32("TIME", &times().iter().map(|&t| t as f32).collect::<Vec<_>>())
                        .with("TZERO", "3.0E+08"),
                ]),
            ]),
            Fine,
        ),
        ("16 a scale of 0", of(events(vec![time().with("TSCAL", "0.0"), pi()])), E(&["column TIME", "TSCAL"])),
        (
            "16 a scale of 0 of channels",
            of(events(vec![time(), pi().with("TSCAL", "0.0")])),
            E(&["column PI", "TSCAL"]),
        ),
        ("22 no END", no_end, E(&["no END card", "byte "])),
        ("23 a byte above 127", replaced(good.clone(), "'TESTER", b"'TEST\xb5R"), W("W-HEADER-BYTES", 1000, 1000)),
        ("23 a byte above 127 in a number", replaced(good.clone(), "NAXIS2  =", b"NAXIS2  = \xb5"), E(&["NAXIS2"])),
        ("24 no value", of(plain().set("OBSERVER", "")), W("W-HEADER-VALUE", 1000, 1000)),
        ("24 no value where one is needed", of(plain().set("NAXIS1", "")), E(&["NAXIS1"])),
        (
            "37 two event tables",
            file(&[gti(&[(0.0, 100.0)]), plain(), plain()]),
            E(&["2 extensions", "2, 3", "--extension"]),
        ),
        ("38 events first", file(&[plain(), gti(&[(0.0, 100.0)])]), Fine),
        (
            "39 lower-case names",
            of(events(vec![Column::f64("time", &times()), Column::i16("pi", &[1; PHOTONS])])),
            Fine,
        ),
        ("40 gzip without a suffix", gzip(&good), Fine),
        ("41 gzip cut off", gzip(&good)[..500].to_vec(), E(&["gzip stream"])),
        ("44 an empty file", Vec::new(), E(&["empty"])),
        ("45 an error page", html, E(&["not a FITS file", "<!DOCTYPE"])),
        ("46 SIMPLE = F", replacen_simple(&good), W("W-SIMPLE", 1000, 1000)),
        (
            "47 a heap that is never read",
            of(events(vec![time(), Column::raw("VECTOR", "1PD(9)", vec![vec![0x7f; 8]; PHOTONS])])),
            Fine,
        ),
        ("48 a wrong DATASUM", of(plain().set("DATASUM", "'12345'")), W("W-DATASUM", 1000, 1000)),
        ("49 zeros after the last block", trailing, W("W-TRAILING-BYTES", 1000, 1000)),
        ("51 two columns TIME", of(duplicate("time")), E(&[EXTENSION, "column TIME", "two columns"])),
        ("51 two columns PI", of(duplicate("Pi")), E(&[EXTENSION, "column PI", "two columns"])),
        ("52 a table of 16 bits", of(plain().set("BITPIX", "16")), E(&[EXTENSION, "BITPIX"])),
        ("53 a heap of 1e15 bytes", of(plain().set("PCOUNT", "1000000000000000")), E(&[EXTENSION, "PCOUNT"])),
        ("55 an unknown extension", of(plain().set("XTENSION", "'BINTABLEX'")), E(&[EXTENSION, "BINTABLEX"])),
        (
            "56 times repeated 0 times",
            of(events(vec![Column::raw("TIME", "0D", vec![Vec::new(); 9]), pi()])),
            E(&["TIME"]),
        ),
        (
            "56 two times a row",
            of(events(vec![Column::raw("TIME", "2D", vec![vec![0; 16]; 9])])),
            E(&["column TIME", "one number"]),
        ),
        ("three axes", of(plain().set("NAXIS", "3")), E(&["NAXIS"])),
        ("17 bits", of(events(vec![bits(17, 3), time(), pi()])), Fine),
        ("1 bit", of(events(vec![bits(1, 1), time()])), Fine),
        ("no bits", of(events(vec![time(), Column::raw("EVENT", "0X", vec![Vec::new(); PHOTONS])])), Fine),
    ];
    let folder = Folder::new();
    for (what, bytes, expected) in &cases {
        check(&folder, what, bytes, &OpenOptions::default(), expected);
    }
    let salvage = OpenOptions { salvage: true, ..OpenOptions::default() };
    check(&folder, "1 salvaged", &cut(data + 3333), &salvage, &W("W-SALVAGE", 333, 333));
}

/// `SIMPLE = F` in the primary header.
fn replacen_simple(good: &[u8]) -> Vec<u8> {
    let mut bytes = good.to_vec();
    bytes[29] = b'F';
    bytes
}

#[test]
fn odd_times_and_intervals_end_in_errors_with_the_values_or_in_warnings() {
    let times = times();
    let with = |i: usize, t: f64| {
        let mut times = times.clone();
        times[i] = t;
        events(vec![Column::f64("TIME", &times)])
    };
    let reversed: Vec<f64> = times.iter().rev().copied().collect();
    let swapped = |list: &[(f64, f64)]| file(&[gti(list), plain()]);
    let plain = |key: &str, value: &str| of(plain().set(key, value));
    let no_gti = OpenOptions { gti: GtiSource::Span, ..OpenOptions::default() };
    let days: Vec<f64> = times.iter().map(|t| t / 86400.0).collect();
    let mut bare = file(&[self::plain(), gti(&[])]);
    bare.truncate(find(&bare, "END ") + 80);
    let folder = Folder::new();
    let cases: Vec<(&str, Vec<u8>, Expect)> = vec![
        ("18 not a number", of(with(500, f64::NAN)), W("W-TIME-NAN", 999, 1000)),
        ("19 infinite", of(with(0, f64::NEG_INFINITY)), W("W-TIME-NAN", 999, 1000)),
        ("20 out of order", of(events(vec![Column::f64("TIME", &reversed)])), W("W-TIME-UNSORTED", 1000, 1000)),
        ("21 all equal", of(events(vec![Column::f64("TIME", &[50.0; PHOTONS])])), W("W-TIME-EQUAL", 1000, 1000)),
        (
            "25 no epoch",
            file(&[gti(&[(0.0, 100.0)]), Table::new("EVENTS", vec![time()])]),
            W("W-NO-MJDREF", 1000, 1000),
        ),
        ("26 two epochs", plain("MJDREF", "55001.5"), E(&["MJDREF", "55000.5", "55001.5"])),
        ("26 two that agree", plain("MJDREF", "55000.5"), Fine),
        ("27 the epoch as text", of(plain_with_text_epoch()), W("W-NO-MJDREF", 1000, 1000)),
        ("27 half of the epoch as text", plain("MJDREFF", "'half'"), W("W-NO-MJDREF", 1000, 1000)),
        ("an epoch beyond any calendar", plain("MJDREFI", "1E+30"), E(&["MJDREFI", "calendar"])),
        ("28 TIMEZERO", file(&[gti(&[(0.0, 100.0)]), self::plain().set("TIMEZERO", "7.0")]), Fine),
        ("28 TIMEZERO beyond f64", plain("TIMEZERO", "1E+999"), E(&["TIMEZERO"])),
        ("29 days", of(events(vec![Column::f64("TIME", &days).with("TUNIT", "'d'")])), Fine),
        ("29 an unknown unit", of(events(vec![time().with("TUNIT", "'parsec'")])), E(&["column TIME", "parsec"])),
        ("30 overlapping", swapped(&[(0.0, 60.0), (50.0, 100.0)]), W("W-GTI-OVERLAP", 1000, 1000)),
        ("30 one inside another", swapped(&[(0.0, 100.0), (20.0, 30.0)]), W("W-GTI-OVERLAP", 1000, 1000)),
        ("30 touching", swapped(&[(0.0, 45.0), (45.0, 100.0)]), Fine),
        ("31 out of order", swapped(&[(50.0, 100.0), (0.0, 40.0)]), W("W-GTI-UNSORTED", 900, 1000)),
        ("32 no rows", swapped(&[]), E(&["good time intervals", "none", "--no-gti"])),
        ("32 no rows and no padding", bare, E(&["good time intervals", "none", "--no-gti"])),
        ("33 no intervals", file(&[self::plain()]), E(&["good time intervals", "--gti", "--no-gti"])),
        ("34 elsewhere", swapped(&[(1e6, 2e6)]), E(&["from 1000000 to 2000000 s", "from 0.03 to 99.93 s"])),
        ("35 reversed", swapped(&[(0.0, 10.0), (90.0, 20.0)]), E(&["row 1", "90", "20"])),
        ("36 not a number", swapped(&[(0.0, 10.0), (f64::NAN, 20.0)]), E(&["row 1", "not finite"])),
        ("36 infinite", swapped(&[(0.0, f64::INFINITY)]), E(&["row 0", "not finite"])),
        ("36 longer than time", swapped(&[(0.0, 1e300)]), W("W-FEW-VALUES", 0, 0)),
        (
            "50 no mission",
            of(Table::new("EVENTS", vec![time()]).set("MJDREF", "55000.5")),
            W("W-NO-TELESCOP", 1000, 1000),
        ),
        ("58 no instrument", of(self::plain().set("INSTRUME", "''")), Fine),
        ("a pixel far away", of(self::plain().set("TIMEPIXR", "1E+300").set("TIMEDEL", "1E+300")), E(&["TIMEPIXR"])),
    ];
    for (what, bytes, expected) in &cases {
        if *what == "36 longer than time" {
            // An argument of the analysis, not of the file, decides how many segments that makes.
            let (file, warnings) = folder.open(bytes, &OpenOptions::default()).unwrap();
            let e = spectrum(&file, Selection::default(), &options(), warnings).unwrap_err().to_string();
            assert!(e.contains("--segment-size") && e.contains("segments"), "{e}");
            continue;
        }
        check(&folder, what, bytes, &OpenOptions::default(), expected);
    }
    check(&folder, "33 --no-gti", &file(&[self::plain()]), &no_gti, &W("W-FEW-VALUES", 899, 1000));
    let empty = file(&[events(vec![Column::f64("TIME", &[])])]);
    check(&folder, "no span", &empty, &no_gti, &E(&["no event has a finite time"]));
}

/// MJDREFI and MJDREFF of the usual table as text.
fn plain_with_text_epoch() -> Table {
    plain().set("MJDREFI", "'55000'").set("MJDREFF", "'half'")
}

#[test]
fn a_table_without_rows_gives_an_empty_product_in_every_format() {
    let folder = Folder::new();
    let bytes = of(events(vec![Column::f64("TIME", &[]), Column::i16("PI", &[])]));
    let (file, warnings) = folder.open(&bytes, &OpenOptions::default()).unwrap();
    let s = spectrum(&file, Selection::default(), &options(), warnings).unwrap();
    assert!(s.is_empty() && s.peak().is_none());
    assert_eq!((s.meta.m, s.meta.provenance.photons.read), (0, 0));
    assert!(codes(&s.meta.provenance.warnings).contains(&"W-NO-EVENTS"));
    for format in [Format::Ecsv, Format::Csv, Format::Json, Format::Fits] {
        assert!(!s.product().encode(format).unwrap().is_empty());
    }
}

#[test]
#[cfg(unix)]
fn pipes_and_directories_are_refused_without_waiting() {
    let folder = Folder::new();
    let pipe = folder.0.path().join("pipe");
    assert!(std::process::Command::new("mkfifo").arg(&pipe).status().unwrap().success());
    for path in [pipe.as_path(), folder.0.path()] {
        let e = EventFile::open(path, &OpenOptions::default(), &mut Warnings::default()).err().unwrap();
        assert!(e.to_string().contains("not a regular file"), "{e}");
    }
}

#[test]
fn a_gzip_bomb_is_stopped_at_a_cap() {
    let folder = Folder::new();
    let mut bytes = of(plain());
    bytes.resize(300 << 20, 0);
    let path = folder.write("bomb.gz", &gzip(&bytes));
    let e = EventFile::open(&path, &OpenOptions::default(), &mut Warnings::default()).err().unwrap();
    assert!(matches!(e, Error::Format { .. }) && e.to_string().contains("unpack to more than"), "{e}");
}

#[test]
fn a_wrong_datasum_is_an_error_when_warnings_are() {
    let folder = Folder::new();
    let path = folder.write("file.evt", &of(plain().set("DATASUM", "'12345'")));
    let run = |strict: &[&str]| {
        std::process::Command::new(env!("CARGO_BIN_EXE_eagleray"))
            .args(["pds", "--backend", "cpu", "--dt", "0.125", "--segment-size", "10", "--quiet"])
            .args(strict)
            .arg(&path)
            .output()
            .unwrap()
    };
    assert!(run(&[]).status.success());
    let strict = run(&["--strict"]);
    assert!(!strict.status.success());
    assert!(String::from_utf8_lossy(&strict.stderr).contains("DATASUM"));
    let absolute = run(&["--time", "55000.5d:55000.6d"]);
    assert!(absolute.status.success(), "{}", String::from_utf8_lossy(&absolute.stderr));
    folder.write("file.evt", &file(&[gti(&[(0.0, 100.0)]), Table::new("EVENTS", vec![time()])]));
    let refused = run(&["--time", "55000.5d:55000.6d"]);
    assert!(String::from_utf8_lossy(&refused.stderr).contains("no MJDREF"));
}

#[test]
fn a_header_of_a_hundred_thousand_continued_lines_does_not_stall() {
    let mut text = String::new();
    let mut card = |line: &str| text.push_str(&format!("{line:<80}"));
    ["SIMPLE  = T", "BITPIX  = 8", "NAXIS   = 0", "LONG    = 'x&'"].iter().for_each(|line| card(line));
    (0..100_000).for_each(|_| card(&format!("CONTINUE  '{}&'", "y".repeat(66))));
    card("END");
    let folder = Folder::new();
    let start = Instant::now();
    assert!(folder.open(text.as_bytes(), &OpenOptions::default()).is_err());
    assert!(start.elapsed() < Duration::from_secs(5));
}

#[test]
fn a_right_datasum_is_silent_and_one_changed_bit_is_not() {
    use eagleray::io::fits_writer;
    let mut out = fits_writer::FitsWriter::new(std::io::Cursor::new(Vec::new()), &fits_writer::Header::new()).unwrap();
    // Rows of 9 bytes: their sum depends on where words begin.
    let columns = [fits_writer::Column::new("TIME", "D", "s"), fits_writer::Column::new("PI", "B", "")];
    out.table("EVENTS", &columns, &fits_writer::Header::new()).unwrap();
    times().iter().for_each(|t| out.rows(&[&t.to_be_bytes()[..], &[7]].concat()).unwrap());
    let good = out.finish().unwrap().into_inner();
    let folder = Folder::new();
    let sums = |bytes: &[u8]| {
        let span = OpenOptions { gti: GtiSource::Span, ..OpenOptions::default() };
        let (file, mut warnings) = folder.open(bytes, &span).unwrap();
        file.check_datasum(&mut warnings).unwrap();
        codes(&warnings).contains(&"W-DATASUM")
    };
    assert!(!sums(&good));
    let data = good.len() - 9000usize.next_multiple_of(2880);
    for at in [data + 8, data + 8999, good.len() - 1] {
        let mut bad = good.clone();
        bad[at] ^= 1;
        assert!(sums(&bad), "byte {at}");
    }
}

/// Negative channels are channels: without a selection their photons count, a band has them where its scale does, and what a
/// band does not have is counted as filtered.
#[test]
fn negative_channels_follow_the_missions_scale() {
    let folder = Folder::new();
    let channels: Vec<i16> = (0..PHOTONS as i16).map(|i| i - 100).collect();
    let table = events(vec![time(), Column::i16("PI", &channels)]).set("TELESCOP", "'NICER'");
    let (file, warnings) = folder.open(&of(table), &OpenOptions::default()).unwrap();
    let scale = file.scale.clone().unwrap();
    let channels = |lo, hi| Some(ChannelRange::channels(lo, hi));
    for (what, range, used) in [
        ("all", None, 1000),
        ("0 to 9 keV", Some(scale.band(0.0, 9.0).unwrap()), 900),
        ("−0.5 to 1 keV", Some(scale.band(-0.5, 1.0).unwrap()), 150),
        ("channels −100 to −1", channels(-100.0, -1.0), 100),
        ("channels −20 to 19", channels(-20.0, 19.0), 40),
    ] {
        let selection = Selection { channels: range, detectors: None };
        let photons = spectrum(&file, selection, &options(), warnings.clone()).unwrap().meta.provenance.photons;
        assert_eq!((photons.used, photons.filtered), (used, 1000 - used), "{what}: {photons}");
    }
    let path = folder.0.path().join("file.evt").display().to_string();
    for range in [["--pi", "-100:-1"], ["--energy", "-1:0"]] {
        let mut program = std::process::Command::new(env!("CARGO_BIN_EXE_eagleray"));
        let output = program.args(["info", &path, "--json"]).args(range).output().unwrap();
        let info: serde_json::Value = serde_json::from_slice(&output.stdout).unwrap();
        assert_eq!(info[0]["selected"]["events"], 100, "{range:?}: {}", String::from_utf8_lossy(&output.stderr));
    }
}

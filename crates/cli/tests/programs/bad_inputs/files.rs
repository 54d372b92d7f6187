//! What more there is to bad files than whether they open.

use std::time::{Duration, Instant};

use super::*;
use eagleray::PhotonBand;
use eagleray::data::Product;
use eagleray::internal::io::table_write::TableFormat as Encoding;

#[test]
fn a_table_without_rows_gives_an_empty_product_in_every_format() {
    let folder = Folder::new();
    let bytes = of(events(vec![Column::f64("TIME", &[]), Column::i16("PI", &[])]));
    let s = spectrum(&folder.observe(&bytes, &OpenOptions::default()).unwrap(), &analysis()).unwrap();
    assert!(s.is_empty() && s.peak().is_none());
    assert_eq!((s.meta.segments, s.meta.record.photons.read), (0, 0));
    assert!(codes(&s.meta.record.warnings).contains(&"W-NO-EVENTS"));
    for format in [Encoding::Ecsv, Encoding::Csv, Encoding::Json, Encoding::Fits] {
        assert!(!s.table().encode(format).unwrap().is_empty());
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
    use eagleray::internal::io::fits_writer;
    let mut out =
        fits_writer::FitsWriter::new(std::io::Cursor::new(Vec::new()), &eagleray::data::header::HeaderCards::new())
            .unwrap();
    // Rows of 9 bytes: their sum depends on where words begin.
    let columns = [fits_writer::WrittenColumn::new("TIME", "D", "s"), fits_writer::WrittenColumn::new("PI", "B", "")];
    out.table("EVENTS", &columns, &eagleray::data::header::HeaderCards::new()).unwrap();
    stamps().iter().for_each(|t| out.rows(&[&t.to_be_bytes()[..], &[7]].concat()).unwrap());
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
    let all = folder.observe(&of(table), &OpenOptions::default()).unwrap();
    for (what, band, used) in [
        ("all", None, 1000),
        ("0 to 9 keV", Some(PhotonBand::Energy(0.0, 9.0)), 900),
        ("−0.5 to 1 keV", Some(PhotonBand::Energy(-0.5, 1.0)), 150),
        ("channels −100 to −1", Some(PhotonBand::Channels(-100.0, -1.0)), 100),
        ("channels −20 to 19", Some(PhotonBand::Channels(-20.0, 19.0)), 40),
    ] {
        let selected = band.map_or(Ok(all.clone()), |band| all.clone().band(band)).unwrap();
        let photons = spectrum(&selected, &analysis()).unwrap().meta.record.photons;
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

/// What a file says of itself is printed, and so is its name; no terminal is to obey them.
#[test]
fn control_characters_of_files_are_never_printed() {
    let folder = Folder::new();
    let hostile = "'A\x1b]0;B\x07\x1b[2JC'";
    let table = plain().set("OBJECT", hostile).set("INSTRUME", hostile).set("DETNAM", hostile).set("DATAMODE", hostile);
    let good = folder.write("a.evt", &of(table.clone())).display().to_string();
    let bad = folder.write("b.evt", &of(table.set("TFORM2", hostile))).display().to_string();
    let list = folder.write("c.txt", b"1 2\n\x1b[2J\x07\n").display().to_string();
    let lc = folder.write("d.txt", b"1 2\n2 \x1b[2J\x07\n").display().to_string();
    let edges = folder.write("e.txt", b"0\n\x1b[2J\x07\n").display().to_string();
    let names = format!("@{}", folder.write("f.txt", b"none\x1b[2J.evt\n").display());
    let named = folder.write("g\x1b[2J.evt", &of(plain())).display().to_string();
    let named_bad = folder.write("h\x1b[2J.evt", b"none").display().to_string();
    for (options, fine) in [
        (&["info", &good][..], true),
        (&["info", &good, "--json"], true),
        (&["pds", &good, "--dt", "0.125", "--backend", "cpu"], true),
        (&["info", &bad], false),
        (&["info", &good, "--gti", &list], false),
        (&["info", &lc], false),
        (&["bin", &good, "--times", &edges], false),
        (&["info", &names], false),
        (&["info", &named], true),
        (&["pds", &named, "--dt", "0.125", "--segment-size", "1000", "--backend", "cpu"], false),
        (&["info", &named_bad], false),
    ] {
        let output = crate::program::eagleray(options);
        assert_eq!(output.status.success(), fine, "{options:?}: {}", String::from_utf8_lossy(&output.stderr));
        let all = [output.stdout, output.stderr].concat();
        assert!(all.len() > 20, "{options:?}: nothing is said");
        let text = String::from_utf8_lossy(&all);
        let found = text.chars().find(|c| c.is_control() && *c != '\n');
        assert_eq!(found, None, "{options:?}: {}", text.escape_debug());
    }
}

/// Without rows, any width fits in the file: no memory may be taken for it, and no arithmetic on it overflow.
#[test]
fn the_width_of_a_table_without_rows_takes_no_memory() {
    let wide = |name: &str| {
        let filler = Column::raw(name, "4611686018427387904B", Vec::new());
        vec![Column::f64("TIME", &[]), filler]
    };
    let width = (8 + (1u64 << 62)).to_string();
    let folder = Folder::new();
    let none = events(wide("FILL")).set("NAXIS1", &width);
    let s = spectrum(&folder.observe(&of(none), &OpenOptions::default()).unwrap(), &analysis()).unwrap();
    assert!(codes(&s.meta.record.warnings).contains(&"W-NO-EVENTS"));
    let selected = Table::new("FPM_SEL", wide("FPM_SEL")).set("NAXIS1", &width);
    let nicer = plain().set("TELESCOP", "'NICER'");
    let bytes = crate::common::fits_file::file(&[gti(&[(0.0, 100.0)]), selected, nicer]);
    let observation = folder.observe(&bytes, &OpenOptions::default()).unwrap();
    assert_eq!(spectrum(&observation, &analysis()).unwrap().meta.record.photons.used, 1000);
}

/// Channels are numbers of 32 bits or so; with what is added to them they stay whole numbers.
#[test]
fn channels_of_a_response_are_whole_numbers_in_reach() {
    let folder = Folder::new();
    let open = |channels: [f64; 2], pha: f64| {
        let burst = events(vec![time(), Column::f64("PHA", &[pha; PHOTONS])]);
        let burst = burst.set("TELESCOP", "'GLAST'").set("INSTRUME", "'GBM'");
        let energies = [Column::f64("E_MIN", &[1.0, 2.0]), Column::f64("E_MAX", &[2.0, 3.0])];
        let bounds = Table::new("EBOUNDS", [vec![Column::f64("CHANNEL", &channels)], energies.to_vec()].concat());
        folder.open(&file(&[gti(&[(0.0, 100.0)]), bounds, burst]), &OpenOptions::default())
    };
    for bad in [[1e300; 2], [-1e300; 2], [-9.3e18; 2], [0.5, 1.5], [f64::NAN, 1.0], [f64::INFINITY; 2]] {
        let e = open(bad, 1.0).err().unwrap_or_else(|| panic!("{bad:?} are taken for channels")).to_string();
        assert!(e.contains("EBOUNDS") && e.contains("whole numbers"), "{bad:?}: {e}");
    }
    for first in [-7.0, 0.0, 7.0] {
        let scale = open([first, first + 1.0], 1e300).unwrap().0.scale.unwrap();
        assert_eq!((scale.energy(first), scale.band(2.0, 3.0).unwrap().lo), (1.5, first + 1.0));
        assert!([1e300, -1e300, first + 2.0].iter().all(|&c| scale.energy(c).is_nan()));
    }
}

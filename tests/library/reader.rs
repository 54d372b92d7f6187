//! Event files are read as the standard means, whatever their layout: tables, clocks, intervals, bands.

use std::path::Path;

use crate::common::fits_file::{Column, Folder, Table, codes, events, file, gti, gzip, spectrum};
use eagleray::data::ChannelRange;
use eagleray::files::{EventFile, GtiSource, OpenOptions};
use eagleray::internal::io::EventStream;
use eagleray::internal::io::Selection;
use eagleray::internal::random::Random;
use eagleray::time::{DoubleDouble, MjdRef};
use eagleray::{Gti, PowerSpectrum, Result, Warnings};

fn open(bytes: &[u8]) -> (EventFile, Warnings) {
    Folder::new().open(bytes, &OpenOptions::default()).unwrap()
}

/// Times of the selected events of a file, as stored.
fn selected(file: &EventFile, selection: Selection) -> (Vec<f64>, eagleray::data::EventBalance) {
    let mut stream = EventStream::open(file, selection, &mut Warnings::default()).unwrap();
    let mut times = Vec::new();
    while stream.next_chunk(3, &mut times).unwrap() {}
    (times, stream.balance)
}

const TIMES: [f64; 6] = [1.0, 2.0, 3.0, 4.0, 5.0, 6.0];

fn time() -> Column {
    Column::f64("TIME", &TIMES)
}

fn seconds(gti: &Gti) -> Vec<(f64, f64)> {
    gti.intervals().iter().map(|(a, b)| (a.value(), b.value())).collect()
}

#[test]
fn unsigned_channels_are_exact_and_masked_ones_are_never_selected() {
    // 0, 100, 32767, 32768, 65535 and a masked one.
    let pi = Column::i16("PI", &[-32768, -32668, -1, 0, 32767, -7]).with("TZERO", "32768").with("TNULL", "-7");
    let (file, _) = open(&file(&[gti(&[(0.0, 9.0)]), events(vec![time(), pi])]));
    for ((lo, hi), times) in [
        ((0.0, 65535.0), &TIMES[..5]),
        ((0.0, 0.0), &TIMES[..1]),
        ((100.0, 32767.0), &TIMES[1..3]),
        ((32768.0, 65535.0), &TIMES[3..5]),
        ((32761.0, 32761.0), &[]),
    ] {
        let (kept, balance) =
            selected(&file, Selection { channels: Some(ChannelRange::channels(lo, hi)), detectors: None });
        assert_eq!(kept, times, "{lo} to {hi}");
        assert_eq!(balance.filtered, 6 - times.len() as u64);
    }
}

#[test]
fn the_event_table_is_found_by_name_or_by_class_and_asked_for_when_there_are_two() {
    let good = gti(&[(0.0, 9.0)]);
    let named = |name: &str| events(vec![time()]).set("EXTNAME", &format!("'{name}'"));
    for tables in [
        vec![named("EVENTS"), good.clone()],
        vec![good.clone(), Table::new("SPECTRUM", vec![time()]), named("events")],
        vec![good.clone(), named("XTE_SE")],
        vec![Table::new("OTHER", vec![time()]), good.clone(), named("PHOTONS")],
    ] {
        let (file, warnings) = open(&file(&tables));
        assert_eq!(file.rows(), 6);
        assert!(warnings.is_empty(), "{warnings:?}");
    }
    let two = file(&[named("EVENTS"), good, named("EVENTS")]);
    let folder = Folder::new();
    let e = folder.open(&two, &OpenOptions::default()).err().unwrap().to_string();
    assert!(e.contains("2 extensions are named EVENTS (numbers 1, 3)") && e.contains("mends it: extension"), "{e}");
    for (extension, found) in [("3", true), ("1", true), ("gti", false), ("NONE", false)] {
        let options = OpenOptions { extension: Some(extension.into()), ..OpenOptions::default() };
        assert_eq!(folder.open(&two, &options).is_ok(), found, "{extension}");
    }
}

#[test]
fn a_mission_named_in_the_event_table_alone_is_recognised() {
    let table = events(vec![time(), Column::i16("PI", &[50; 6])]).set("TELESCOP", "'NICER'");
    let (file, _) = open(&file(&[gti(&[(0.0, 9.0)]), Table::new("OTHER", vec![time()]), table]));
    assert_eq!(file.mission.telescop, "NICER");
    assert!(file.scale.is_some());
}

#[test]
fn gzip_is_recognised_with_and_without_its_suffix() {
    let bytes = file(&[gti(&[(0.0, 9.0)]), events(vec![time()])]);
    let folder = Folder::new();
    for name in ["events.evt.gz", "events.evt"] {
        let path = folder.write(name, &gzip(&bytes));
        let file = EventFile::open(&path, &OpenOptions::default(), &mut Warnings::default()).unwrap();
        assert!(file.compressed());
        assert_eq!(selected(&file, Selection::default()).0, TIMES);
    }
}

#[test]
fn offsets_of_the_clock_shift_events_and_intervals_as_their_keywords_say() {
    // Keywords; offset of the events; offset of the intervals.
    type Case = (&'static [(&'static str, &'static str)], f64, f64);
    let cases: &[Case] = &[
        (&[], 0.0, 0.0),
        (&[("TIMEZERO", "3.378")], 3.378, 3.378),
        (&[("TIMEZERI", "100"), ("TIMEZERF", "0.25")], 100.25, 100.25),
        (&[("TIMEZERO", "2.0"), ("TIMEUNIT", "'d'")], 172_800.0, 172_800.0),
        (&[("TIMEPIXR", "0.0"), ("TIMEDEL", "0.5")], 0.25, 0.0),
        (&[("TIMEPIXR", "1.0"), ("TIMEDEL", "0.5")], -0.25, 0.0),
        (&[("TIMEPIXR", "0.5"), ("TIMEDEL", "0.5")], 0.0, 0.0),
        (&[("TIMEDEL", "0.5")], 0.0, 0.0),
        (&[("TIMEPIXR", "0.0"), ("TIMEDEL", "0.5"), ("TIMEZERO", "-1.0")], -0.75, -1.0),
        (&[("TIMEPIXR", "0.0"), ("TIMEDEL", "1.0"), ("TIMEUNIT", "'d'")], 43_200.0, 0.0),
        (&[("TIMEPIXR", "0.0"), ("FRMTIME", "73.5")], 0.03675, 0.0),
    ];
    for (keywords, shift, gti_shift) in cases {
        let table = events(vec![time().with("TUNIT", "'s'")]);
        let table = keywords.iter().fold(table, |table, (key, value)| table.set(key, value));
        let (file, _) = open(&file(&[table, gti(&[(0.0, 9.0)])]));
        assert_eq!(file.clock.event_offset.value(), *shift, "{keywords:?}");
        assert_eq!(seconds(&file.gti), [(*gti_shift, 9.0 + gti_shift)], "{keywords:?}");
        let mut times = Vec::new();
        file.times(0..6, &mut times).unwrap();
        assert_eq!(times, TIMES, "{keywords:?}: stored times never change");
    }
    // The intervals' own keywords come before those of the events.
    let own = gti(&[(0.0, 9.0)]).set("TIMEZERO", "5.0").set("MJDREFI", "55001").set("MJDREFF", "0.5");
    let (file, _) = open(&file(&[events(vec![time()]).set("TIMEZERO", "2.0"), own]));
    assert_eq!(seconds(&file.gti), [(86_405.0, 86_414.0)]);
}

#[test]
fn a_unit_of_a_column_is_its_own_and_not_that_of_the_keywords() {
    let days = [0.0, 0.5, 1.0];
    let column = Column::f64("TIME", &days).with("TUNIT", "'d'");
    let intervals = Table::new(
        "GTI",
        vec![Column::f64("START", &[0.0]).with("TUNIT", "'d'"), Column::f64("STOP", &[172_800.0]).with("TUNIT", "'s'")],
    );
    let (file, _) = open(&file(&[events(vec![column]).set("TIMEDEL", "0.25"), intervals]));
    assert_eq!(selected(&file, Selection::default()).0, [0.0, 43_200.0, 86_400.0]);
    assert_eq!(seconds(&file.gti), [(0.0, 172_800.0)]);
    assert_eq!(file.clock.timedel, 0.25);
}

#[test]
fn epochs_are_days_and_a_fraction_and_two_that_disagree_are_refused() {
    let epoch = |keywords: &[(&str, &str)]| {
        let table = Table::new("EVENTS", vec![time()]);
        let table = keywords.iter().fold(table, |table, (key, value)| table.set(key, value));
        Folder::new().open(&file(&[table, gti(&[(0.0, 9.0)])]), &OpenOptions::default()).map(|(f, _)| f.clock.mjdref)
    };
    let mjd = |day, fraction| Some(MjdRef { day, fraction });
    let (day, fraction) = (("MJDREFI", "49353"), ("MJDREFF", "6.965740740000E-04"));
    assert_eq!(epoch(&[day, fraction]).unwrap(), mjd(49353, 6.96574074e-4));
    assert_eq!(epoch(&[day]).unwrap(), mjd(49353, 0.0));
    assert_eq!(epoch(&[("MJDREF", "51543.875")]).unwrap(), mjd(51543, 0.875));
    assert_eq!(epoch(&[]).unwrap(), None);
    // Written with the eleven digits that some programs keep, the other form still wins.
    assert_eq!(epoch(&[day, fraction, ("MJDREF", "49353.000697")]).unwrap(), mjd(49353, 6.96574074e-4));
    let e = epoch(&[day, fraction, ("MJDREF", "49353.0008")]).unwrap_err().to_string();
    assert!(e.contains("MJDREF = 49353.0008"), "{e}");
}

/// Bounds of intervals, s.
type Bounds = Vec<(f64, f64)>;

fn intervals(raw: &[(f64, f64)]) -> Result<(Bounds, Vec<String>)> {
    let bytes = file(&[events(vec![time()]), gti(raw)]);
    Folder::new()
        .open(&bytes, &OpenOptions::default())
        .map(|(f, w)| (seconds(&f.gti), codes(&w).into_iter().map(String::from).collect()))
}

#[test]
fn intervals_are_sorted_joined_and_checked() {
    let ok = |raw: &[(f64, f64)], joined: &[(f64, f64)], warned: &[&str]| {
        let (found, codes) = intervals(raw).unwrap();
        assert_eq!(found, joined, "{raw:?}");
        assert_eq!(codes, warned, "{raw:?}");
    };
    ok(&[(0.0, 4.0), (5.0, 9.0)], &[(0.0, 4.0), (5.0, 9.0)], &[]);
    ok(&[(5.0, 9.0), (0.0, 4.0)], &[(0.0, 4.0), (5.0, 9.0)], &["W-GTI-UNSORTED"]);
    ok(&[(0.0, 6.0), (5.0, 9.0)], &[(0.0, 9.0)], &["W-GTI-OVERLAP"]);
    ok(&[(0.0, 9.0), (2.0, 3.0), (8.0, 8.5)], &[(0.0, 9.0)], &["W-GTI-OVERLAP"]);
    ok(&[(0.0, 5.0), (5.0, 9.0)], &[(0.0, 9.0)], &[]);
    ok(&[(0.0, 5.0), (7.0, 7.0)], &[(0.0, 5.0)], &[]);
    ok(&[(0.0, 9.0), (0.0, 9.0)], &[(0.0, 9.0)], &["W-GTI-OVERLAP"]);
    for (raw, pieces) in [
        (&[][..], "gti = span"),
        (&[(3.0, 3.0)], "gti = span"),
        (&[(0.0, 1.0), (9.0, 2.0)], "row 2 starts at 9 s, after its stop at 2 s"),
        (&[(0.0, f64::NAN)], "row 1 is not finite"),
        (&[(0.0, 1.0), (f64::NEG_INFINITY, 1.0)], "row 2 is not finite"),
    ] {
        let e = intervals(raw).unwrap_err().to_string();
        assert!(e.contains("good time intervals") && e.contains(pieces), "{e}");
    }
}

#[test]
fn intervals_come_from_the_extension_that_is_named_so_before_one_of_their_class() {
    let class = gti(&[(2.0, 3.0)]).set("EXTNAME", "'GTI_MPU0'");
    let standard = gti(&[(1.0, 4.0)]).set("EXTNAME", "'STDGTI'");
    let main = gti(&[(0.0, 9.0)]);
    let first = |tables: &[Table]| {
        let tables: Vec<Table> = [events(vec![time()])].iter().chain(tables).cloned().collect();
        seconds(&open(&file(&tables)).0.gti)
    };
    assert_eq!(first(&[class.clone(), standard.clone(), main.clone()]), [(0.0, 9.0)]);
    assert_eq!(first(&[class.clone(), standard]), [(1.0, 4.0)]);
    assert_eq!(first(std::slice::from_ref(&class)), [(2.0, 3.0)]);
    assert_eq!(first(&[main, gti(&[(5.0, 6.0)])]), [(0.0, 9.0)]);
}

#[test]
fn intervals_can_be_given_by_a_text_or_a_fits_file_or_left_out() {
    let folder = Folder::new();
    let bytes = file(&[events(vec![time()]).set("TIMEZERO", "100.0"), gti(&[(0.0, 9.0)])]);
    let given = |source: GtiSource| {
        folder.open(&bytes, &OpenOptions { gti: source, ..OpenOptions::default() }).map(|(f, _)| seconds(&f.gti))
    };
    let of_file = |path: &Path, extension: &str| given(GtiSource::Given(format!("{}{extension}", path.display())));
    let text = folder.write("gti.txt", b"# start stop\n101.5 104.5\n\n105, 106 third\t# comment\r\n");
    assert_eq!(of_file(&text, "").unwrap(), [(101.5, 104.5), (105.0, 106.0)]);
    let other = gti(&[(3.0, 4.0)]).set("EXTNAME", "'BETTER'");
    let fits = folder.write("gti.fits", &file(&[gti(&[(1.0, 2.0)]), other]));
    assert_eq!(of_file(&fits, "").unwrap(), [(101.0, 102.0)]);
    assert_eq!(of_file(&fits, "[better]").unwrap(), [(103.0, 104.0)]);
    assert_eq!(of_file(&fits, "[2]").unwrap(), [(103.0, 104.0)]);
    let own = gti(&[(1.0, 2.0)]).set("TIMEZERO", "0.0").set("MJDREF", "55000.75");
    let own = folder.write("own.fits", &file(&[own]));
    assert_eq!(of_file(&own, "").unwrap(), [(21_601.0, 21_602.0)]);
    assert!(of_file(&fits, "[none]").unwrap_err().to_string().contains("1 GTI, 2 BETTER"));
    let bad = folder.write("bad.txt", b"1 2\nthree 4\n");
    assert!(of_file(&bad, "").unwrap_err().to_string().contains("line 2: `three 4`"));
    let nan = folder.write("nan.txt", b"1 nan\n");
    assert!(of_file(&nan, "").unwrap_err().to_string().contains("not finite"));
    // The span ends just after the last event, so that it counts.
    assert_eq!(given(GtiSource::Span).unwrap(), [(101.0, 106.0)]);
    let span = OpenOptions { gti: GtiSource::Span, ..OpenOptions::default() };
    let observation = folder.observe(&bytes, &span).unwrap();
    let s = spectrum(&observation, &PowerSpectrum::default().dt(0.5).segment_size(5.0)).unwrap();
    assert_eq!((s.meta.record.photons.used, s.meta.record.photons.outside_segments), (5, 1));
}

#[test]
fn detectors_with_intervals_of_their_own_share_the_time_that_those_in_use_have_in_common() {
    let folder = Folder::new();
    let ccd = |list: &[(f64, f64)], name: &str| gti(list).set("EXTNAME", &format!("'{name}'"));
    let bytes = file(&[
        events(vec![time(), Column::u8("CCDNR", &[1, 4, 1, 4, 12, 1])]).set("TELESCOP", "'XMM'"),
        ccd(&[(0.0, 6.0)], "STDGTI01"),
        ccd(&[(1.5, 3.0), (4.0, 9.0)], "STDGTI04"),
        ccd(&[(20.0, 30.0)], "GTI00112"),
    ]);
    let of = |detectors: &[i64]| {
        let detectors = (!detectors.is_empty()).then(|| detectors.to_vec());
        folder.open(&bytes, &OpenOptions { detectors, ..OpenOptions::default() }).map(|(f, _)| seconds(&f.gti))
    };
    assert_eq!(of(&[1]).unwrap(), [(0.0, 6.0)]);
    assert_eq!(of(&[4]).unwrap(), [(1.5, 3.0), (4.0, 9.0)]);
    assert_eq!(of(&[1, 4]).unwrap(), [(1.5, 3.0), (4.0, 6.0)]);
    assert_eq!(of(&[12]).unwrap(), [(20.0, 30.0)]);
    assert!(of(&[]).unwrap_err().to_string().contains("no time in common"));
    let bytes = file(&[
        events(vec![time(), Column::u8("CCDNR", &[1, 4, 1, 4, 1, 1])]).set("TELESCOP", "'XMM'"),
        ccd(&[(0.0, 6.0)], "STDGTI01"),
    ]);
    let (file, warnings) = folder.open(&bytes, &OpenOptions::default()).unwrap();
    assert_eq!(seconds(&file.gti), [(0.0, 6.0)]);
    assert!(codes(&warnings).contains(&"W-GTI-DETECTOR"), "{warnings:?}");
}

#[test]
fn bands_become_ranges_of_channels_by_the_rule_of_each_mission() {
    // Mission, instrument, column, band in keV, smallest channel, largest channel.
    type Case = (&'static str, &'static str, &'static str, (f64, f64), (f64, f64));
    let linear: &[Case] = &[
        ("NuSTAR", "FPMA", "PI", (3.0, 10.0), (35.0, 209.0)),
        ("NuSTAR", "FPMB", "PI", (10.0, 79.0), (210.0, 1934.0)),
        // Channel 35 is 3.02 keV, channel 209 is 9.98 keV.
        ("NuSTAR", "FPMA", "PI", (3.01, 10.01), (35.0, 209.0)),
        ("NICER", "XTI", "PI", (0.3, 12.0), (30.0, 1199.0)),
        ("NICER", "XTI", "PI", (0.29, 0.3), (29.0, 29.0)),
        ("XMM", "EPN", "PI", (0.2, 10.0), (200.0, 9999.0)),
        ("SWIFT", "XRT", "PI", (0.3, 10.0), (30.0, 999.0)),
        ("IXPE", "GPD", "PI", (2.0, 8.0), (50.0, 199.0)),
        // 0.0146·(PI − 0.5): channel 35 is 0.5037 keV, channel 479 is 6.9861 keV.
        ("AXAF", "ACIS-S", "PI", (0.5, 7.0), (35.0, 479.0)),
    ];
    let of = |mission: &str, instrument: &str, column: Column| {
        let table = events(vec![time(), column])
            .set("TELESCOP", &format!("'{mission}'"))
            .set("INSTRUME", &format!("'{instrument}'"))
            .set("TSTART", "0.0");
        open(&file(&[table, gti(&[(0.0, 9.0)])])).0
    };
    for (mission, instrument, column, (lo, hi), (first, last)) in linear {
        let file = of(mission, instrument, Column::i32(column, &[1; 6]));
        let range = file.scale.as_ref().unwrap().band(*lo, *hi).unwrap();
        assert_eq!(range, ChannelRange::channels(*first, *last), "{mission} {lo} to {hi} keV");
    }
    let acis = of("CHANDRA", "ACIS", Column::f32("energy", &[500.0, 499.9, 6999.9, 7000.0, 800.0, -5.0]));
    let channels = acis.scale.as_ref().unwrap().band(0.5, 7.0).ok();
    assert_eq!(selected(&acis, Selection { channels, detectors: None }).0, [1.0, 3.0, 5.0]);
    // Epoch 5 (MJD 55000): PCU 0 and the others have different edges.
    let pca = of("XTE", "PCA", Column::u8("PHA", &[5; 6])).scale.unwrap().band(2.0, 60.0).unwrap();
    assert_eq!((pca.lo, pca.hi, pca.detector0), (5.0, 138.0, Some((5.0, 131.0))));
    for (mission, instrument) in [("CHANDRA", "HRC-S"), ("XTE", "HEXTE"), ("TESTSAT", "TESTER")] {
        assert!(of(mission, instrument, Column::i16("PI", &[1; 6])).scale.is_none(), "{mission} {instrument}");
    }
}

#[test]
fn clock_rows_of_event_modes_are_counted_and_are_no_photons() {
    let marks = [0x80u8, 0x00, 0xff, 0x7f, 0x80, 0x01];
    let words = |marks: &[u8]| Column::raw("EVENT", "13X", marks.iter().map(|&m| vec![m, 0]).collect());
    let table = Table::new("XTE_SE", vec![words(&marks), time()])
        .set("TELESCOP", "'XTE'")
        .set("TEVTB2", "'(M[1]{1},D[0:4]{3},C[0~4,5]{4})^(M[127]{8})'");
    let (file, warnings) = open(&file(&[table, gti(&[(0.0, 9.0)])]));
    let (times, balance) = selected(&file, Selection::default());
    assert_eq!(times, [1.0, 3.0, 5.0]);
    assert_eq!((balance.read, balance.not_photons), (6, 3));
    // Without an epoch of its own, RXTE's clock is known.
    assert_eq!(codes(&warnings), ["W-NO-MJDREF"]);
    assert_eq!(file.clock.mjdref.map(|m| m.day), Some(49353));
    assert_eq!(file.clock.event_offset, DoubleDouble::ZERO);
}

/// Integer columns of every kind, scaled either way, masked or not, keep what the definition does, in one band and in several: channels at, beside and
/// beyond the edges of ranges, closed and open ones, narrow and too wide for a table.
#[test]
fn stored_channels_are_selected_as_their_values_are() {
    let mut random = Random::new(5);
    let mut kept = 0;
    for case in 0..200 {
        let kind = case % 3;
        let (least, most) = [(0, 255), (-32768, 32767), (i64::from(i32::MIN), i64::from(i32::MAX))][kind];
        let near = random.pick(&[0, 1000, least, most, 70_000]).clamp(least, most);
        let rows = 300;
        let stored: Vec<i64> = (0..rows)
            .map(|i| match i % 4 {
                0 => random.pick(&[least, most, near]),
                _ => (near + random.below(41) as i64 - 20).clamp(least, most),
            })
            .collect();
        let column = match kind {
            0 => Column::u8("PI", &stored.iter().map(|&v| v as u8).collect::<Vec<_>>()),
            1 => Column::i16("PI", &stored.iter().map(|&v| v as i16).collect::<Vec<_>>()),
            _ => Column::i32("PI", &stored.iter().map(|&v| v as i32).collect::<Vec<_>>()),
        };
        let (scale, zero) = (random.pick(&[1.0, 1.0, 0.1, -1.0, 3.0]), random.pick(&[0.0, 0.0, 32768.0, -0.3]));
        let null = near + random.below(5) as i64;
        let column = column.with("TSCAL", &format!("{scale:?}")).with("TZERO", &format!("{zero:?}"));
        let column = if case % 5 == 0 { column.with("TNULL", &null.to_string()) } else { column };
        let value = |v: i64| if case % 5 == 0 && v == null { f64::NAN } else { v as f64 * scale + zero };
        let edge =
            |random: &mut Random| near as f64 * scale + zero + (random.below(31) as f64 - 15.0) * scale.abs() / 2.0;
        let range = |random: &mut Random| {
            let (a, b) = (edge(random), edge(random));
            let wide = if random.below(9) == 0 { 1e6 } else { 0.0 };
            let closed = random.below(2) == 0;
            let mut range = ChannelRange::channels(a.min(b), a.max(b) + wide);
            range.closed = closed;
            range
        };
        let times: Vec<f64> = (0..rows).map(|i| i as f64).collect();
        let written = file(&[gti(&[(0.0, 1e4)]), events(vec![Column::f64("TIME", &times), column])]);
        let (opened, _) = open(&written);
        let one = range(&mut random);
        let expected: Vec<f64> = (0..rows).filter(|&i| one.keeps(value(stored[i]), -1.0)).map(|i| i as f64).collect();
        let (found, balance) = selected(&opened, Selection { channels: Some(one), detectors: None });
        assert_eq!(found, expected, "case {case}: {one:?}, scale {scale}, zero {zero}");
        assert_eq!(balance.filtered + expected.len() as u64, rows as u64);
        kept += expected.len();
    }
    assert!(kept > 5000 && kept < 55_000, "{kept}");
}

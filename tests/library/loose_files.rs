//! Files as they are met: headers beyond the standard, units, tables under other names, and time that is mostly empty.

use crate::common::fits_file::{Column, Folder, Table, codes, events, file, gti, header, spectrum};
use eagleray::files::{EventFile, GtiSource, OpenOptions};
use eagleray::time::DoubleDouble;
use eagleray::{Binning, PowerSpectrum, Result, Session, Warnings};

const DAY: f64 = 86_400.0;

fn stamps() -> Vec<f64> {
    (0..1000).map(|i| f64::from(i) * 0.1 + 0.03).collect()
}

fn time() -> Column {
    Column::f64("TIME", &stamps())
}

fn good() -> Table {
    gti(&[(0.0, 100.0)])
}

fn open(tables: &[Table]) -> Result<(EventFile, Warnings)> {
    Folder::new().open(&file(tables), &OpenOptions::default())
}

/// The file with the last card of this beginning replaced; cards have 80 characters.
fn with_card(mut bytes: Vec<u8>, begins: &str, card: &str) -> Vec<u8> {
    let at = bytes.windows(begins.len()).rposition(|w| w == begins.as_bytes()).unwrap();
    bytes[at..at + 80].copy_from_slice(format!("{card:<80}").as_bytes());
    bytes
}

#[test]
fn times_without_a_unit_have_that_of_the_keywords() {
    let days = |values: &[f64]| values.iter().map(|t| t / DAY).collect::<Vec<_>>();
    let list = |time: Column| events(vec![time]).set("TIMEUNIT", "'d'");
    let intervals = |unit: &str| {
        let table = Table::new("GTI", vec![Column::f64("START", &[0.0]), Column::f64("STOP", &[100.0 / DAY])]);
        table.set("TIMEUNIT", unit)
    };
    let (file, _) = open(&[intervals("'d'"), list(Column::f64("TIME", &days(&stamps())))]).unwrap();
    assert!((file.gti.exposure() - 100.0).abs() < 1e-9);
    let mut times = Vec::new();
    file.times(0..1000, &mut times).unwrap();
    assert!(times.iter().zip(stamps()).all(|(a, b)| (a - b).abs() < 1e-9));
    // TUNITn comes first.
    let (file, _) = open(&[good(), list(time().with("TUNIT", "'s'"))]).unwrap();
    times.clear();
    file.times(0..1000, &mut times).unwrap();
    assert_eq!(times, stamps());
    let error = open(&[intervals("'fortnight'"), list(time())]).err().unwrap().to_string();
    assert!(error.contains("TIMEUNIT") && error.contains("fortnight"), "{error}");
}

#[test]
fn unsigned_integers_of_64_bits_are_rounded_once() {
    // Stored less 2^63. Beside 2^63 neighbouring f64 are 1024 below it and 2048 above apart; small numbers are exact.
    let stored = |value: u64| (value ^ (1 << 63)) as i64;
    let values = [0, 1, 12_345, (1 << 53) - 1, (1 << 53) + 1, u64::MAX / 3, (1 << 63) + 2047, u64::MAX];
    let raw: Vec<i64> = values.iter().map(|&value| stored(value)).collect();
    let column = Column::i64("TIME", &raw).with("TZERO", "9223372036854775808");
    let (file, _) = open(&[gti(&[(0.0, 1e5)]), events(vec![column])]).unwrap();
    let mut times = Vec::new();
    file.times(0..values.len(), &mut times).unwrap();
    assert_eq!(times, values.map(|value| value as f64));
}

#[test]
fn whole_numbers_beyond_f64_are_counted_from_the_first() {
    // Nanoseconds since a day long ago, beside which f64 are 2048 apart, and the TIMEZERO that brings them back.
    let base = u64::MAX - 10_000_000_000_000;
    let stored = |value: u64| (value ^ (1 << 63)) as i64;
    let ticks: Vec<u64> = (0..1000).map(|i| base + 1 + i * 100_000_007).collect();
    let unsigned = Column::i64("TIME", &ticks.iter().map(|&t| stored(t)).collect::<Vec<_>>());
    let unsigned = unsigned.with("TZERO", "9223372036854775808").with("TUNIT", "'ns'");
    let bounds = |value: u64| Column::i64("START", &[stored(value)]).with("TZERO", "9223372036854775808");
    let stop = Column::i64("STOP", &[stored(base + 200_000_000_000)]).with("TZERO", "9223372036854775808");
    let intervals = Table::new("GTI", vec![bounds(base).with("TUNIT", "'ns'"), stop.with("TUNIT", "'ns'")]);
    let zero = format!("{:?}", -(base as f64 / 1e9));
    let table = events(vec![unsigned]).set("TIMEZERO", &zero);
    let (file, _) = open(&[intervals, table]).unwrap();
    let mut times = Vec::new();
    file.times(0..1000, &mut times).unwrap();
    let frame: Vec<f64> = times.iter().map(|&t| (DoubleDouble::from(t) + file.clock.event_offset).value()).collect();
    let steps = frame.windows(2).map(|w| w[1] - w[0]);
    assert!(steps.clone().all(|step| (step - 0.100_000_007).abs() < 1e-12), "{:?}", steps.collect::<Vec<_>>());
    let (start, end) = file.gti.ends().unwrap();
    assert!(((end - start).value() - 200.0).abs() < 1e-12);
    // The first event is one nanosecond after the start of the good time.
    let after = (DoubleDouble::from(times[0]) + file.clock.event_offset - start).value();
    assert!((after - 1e-9).abs() < 1e-15, "{after}");
    // A first value of 2^63, which is stored as 0.
    let half: Vec<i64> = (0..1000).collect();
    let column = Column::i64("TIME", &half).with("TZERO", "9223372036854775808");
    let (file, _) = open(&[gti(&[(0.0, 2e19)]), events(vec![column])]).unwrap();
    let mut times = Vec::new();
    file.times(0..1000, &mut times).unwrap();
    let exact: Vec<i128> = times.iter().map(|&t| file.clock.event_offset.value() as i128 + t as i128).collect();
    assert_eq!(exact, (0..1000).map(|i| (1i128 << 63) + i).collect::<Vec<_>>());
    // Signed ones likewise.
    let signed: Vec<i64> = (0..1000).map(|i| (1 << 60) + i).collect();
    let (file, _) = open(&[gti(&[(0.0, 2e18)]), events(vec![Column::i64("TIME", &signed)])]).unwrap();
    let mut times = Vec::new();
    file.times(0..1000, &mut times).unwrap();
    assert_eq!(times, (0..1000).map(f64::from).collect::<Vec<_>>());
    assert_eq!(file.clock.event_offset.value(), (1u64 << 60) as f64);
}

/// A file whose primary header has these cards, too.
fn with_primary(cards: &[(&str, &str)], tables: &[Table]) -> Vec<u8> {
    let plain = [("SIMPLE", "T"), ("BITPIX", "8"), ("NAXIS", "0"), ("EXTEND", "T")];
    let all: Vec<(String, String)> = plain.iter().chain(cards).map(|(k, v)| (k.to_string(), v.to_string())).collect();
    let mut bytes = header(&all);
    tables.iter().for_each(|table| bytes.extend(table.bytes()));
    bytes
}

#[test]
fn a_clock_in_the_primary_header_alone_is_that_of_the_tables() {
    let days: Vec<f64> = stamps().iter().map(|t| t / DAY).collect();
    let bare =
        Table::new("EVENTS", vec![Column::f64("TIME", &days)]).set("HDUCLAS1", "'EVENTS'").set("TELESCOP", "'A'");
    let intervals = Table::new("GTI", vec![Column::f64("START", &[0.0]), Column::f64("STOP", &[100.0 / DAY])]);
    let clock = [("TIMEUNIT", "'d'"), ("TIMEZERO", "2.0"), ("MJDREFI", "51000"), ("MJDREFF", "0.25")];
    let bytes = with_primary(&clock, &[intervals, bare.clone()]);
    let (file, warnings) = Folder::new().open(&bytes, &OpenOptions::default()).unwrap();
    assert_eq!(codes(&warnings), ["W-CLOCK-PRIMARY"]);
    let said = &warnings.iter().next().unwrap().message;
    assert!(said.contains("MJDREFI, MJDREFF, TIMEZERO, TIMEUNIT in the primary header alone"), "{said}");
    assert_eq!(file.clock.mjdref.map(|epoch| epoch.value()), Some(51_000.25));
    assert_eq!(file.clock.event_offset.value(), 2.0 * DAY);
    let (start, stop) = file.gti.ends().unwrap();
    assert!((start.value() - 2.0 * DAY).abs() < 1e-9 && (stop.value() - 2.0 * DAY - 100.0).abs() < 1e-9);
    // What a table says of itself counts, of each group of keywords for itself.
    let own = bare.set("TIMEZERO", "0.0").set("MJDREF", "55000.0").set("TIMEUNIT", "'s'");
    let bytes = with_primary(&clock, &[good(), own]);
    let (file, warnings) = Folder::new().open(&bytes, &OpenOptions::default()).unwrap();
    assert!(!codes(&warnings).contains(&"W-CLOCK-PRIMARY"), "{warnings:?}");
    assert_eq!((file.clock.event_offset.value(), file.clock.mjdref.map(|epoch| epoch.day)), (0.0, Some(55_000)));
    // Light curves are read by the same rule.
    let columns = vec![Column::f64("TIME", &[0.5, 1.5, 2.5]), Column::f64("RATE", &[1.0; 3])];
    let bytes = with_primary(&[("TIMEZERO", "7.0"), ("MJDREF", "51000.0")], &[Table::new("RATE", columns)]);
    let curve = Folder::new().observe(&bytes, &OpenOptions::default()).unwrap();
    assert!(codes(curve.warnings()).contains(&"W-CLOCK-PRIMARY"));
    assert_eq!(curve.light_curve().unwrap().time, [7.5, 8.5, 9.5]);
}

#[test]
fn keywords_in_lower_case_and_without_blanks_are_read() {
    let bytes = file(&[good(), events(vec![time()]).set("TIMEZERO", "7.0")]);
    let offset = |card: &str| {
        let bytes = with_card(bytes.clone(), "TIMEZERO=", card);
        Folder::new().open(&bytes, &OpenOptions::default()).unwrap().0.clock.event_offset.value()
    };
    // astropy 7 reads the first three as 5; of the others it gives the text behind the keyword, or no keyword.
    for card in [
        "timezero=                  5.0",
        "TimeZero= 5 / lower case",
        "HIERARCH TIMEZERO = 5.0",
        "TIMEZERO=5.0",
        "timezero=5.0/no blank",
    ] {
        assert_eq!(offset(card), 5.0, "{card}");
    }
    for (card, comment) in [("COMMENT =5.0", 0.0), ("HISTORY = TIMEZERO=5.0", 0.0), ("TIMEZERO 5.0", 0.0)] {
        assert_eq!(offset(card), comment, "{card}");
    }
    let short = with_card(file(&[good(), events(vec![time()]).set("MJDREF", "1.0")]), "INSTRUME=", "OBJECT='Crab'");
    assert_eq!(
        Folder::new().open(&with_card(short, "MJDREF  =", "A=1"), &OpenOptions::default()).unwrap().0.object,
        "Crab"
    );
}

#[test]
fn a_keyword_with_two_values_is_an_error_where_it_moves_times() {
    let bytes = |key: &str, value: &str, card: &str| {
        with_card(file(&[good(), events(vec![time()]).set(key, value).set("SPARE", "1")]), "SPARE   =", card)
    };
    let outcome = |bytes: &[u8]| Folder::new().open(bytes, &OpenOptions::default());
    for (key, value, card) in [
        ("TIMEZERO", "7.0", "TIMEZERO= 8.0"),
        ("TIMEUNIT", "'s'", "TIMEUNIT= 'd'"),
        ("MJDREFF", "0.5", "mjdreff =0.25"),
        ("TUNIT1", "'s'", "TUNIT1  = 'd'"),
        ("TIMESYS", "'TT'", "TIMESYS = 'UTC     ' / another"),
    ] {
        let error = outcome(&bytes(key, value, card)).err().unwrap().to_string();
        assert!(error.contains(&format!("keyword {key}")) && error.contains("twice"), "{error}");
    }
    let (_, warnings) = outcome(&bytes("OBJECT", "'Crab'", "OBJECT  = 'Vela'")).unwrap();
    assert_eq!(codes(&warnings), ["W-HEADER-REPEATED"]);
    assert!(warnings.iter().all(|w| w.message.contains("OBJECT: 'Crab'") && w.message.contains("and 'Vela'")));
    // One value written twice is one value.
    let (_, warnings) = outcome(&bytes("TIMEZERO", "7.0", "TIMEZERO= 7.0D0 / again")).unwrap();
    assert!(warnings.is_empty());
}

#[test]
fn the_only_table_with_times_is_taken_for_events_with_a_warning() {
    let unnamed = |name: &str| Table::new(name, vec![time()]).set("MJDREF", "55000.0").set("TELESCOP", "'ASTROSAT'");
    let (file, warnings) = open(&[unnamed("event file"), good()]).unwrap();
    assert_eq!((file.rows(), codes(&warnings)), (1000, vec!["W-EVENT-TABLE"]));
    let error = open(&[unnamed("EVENTS01"), unnamed("EVENTS02"), good()]).err().unwrap().to_string();
    assert!(error.contains("EVENTS01, EVENTS02") && error.contains("extension (chooses one)"), "{error}");
    let classed = |name: &str| unnamed(name).set("HDUCLAS1", "'EVENTS'");
    let error = open(&[classed("Q0"), classed("Q1"), good()]).err().unwrap().to_string();
    assert!(error.contains("Q0, Q1") && error.contains("extension (chooses one)"), "{error}");
    // What is of another class, has vectors or bins is no list of events.
    let other = Table::new("HK", vec![time()]).set("HDUCLAS1", "'TEMPORALDATA'");
    let (file, _) = open(&[other, unnamed("event file"), good()]).unwrap();
    assert_eq!(file.place(), "extension 2 (event file)");
}

#[test]
fn tables_of_bins_and_arrays_are_no_events_even_when_they_are_asked_for() {
    let counts = Column::raw("XeCnt", "8J", vec![vec![0; 32]; 1000]);
    let rate = Column::f32("RATE", &[1.0; 1000]);
    for (table, what) in [
        (Table::new("XTE_SA", vec![time(), counts.clone()]).set("HDUCLAS1", "'ARRAY'"), "HDUCLAS1 is `ARRAY`"),
        (Table::new("XTE_SA", vec![time(), counts]), "XeCnt has 8 numbers a row"),
        (Table::new("CURVE", vec![time(), rate.clone()]), "column RATE"),
        (Table::new("RATE", vec![time(), rate]).set("HDUCLAS1", "'LIGHTCURVE'"), "HDUCLAS1 is `LIGHTCURVE`"),
    ] {
        // By its number, by a name of events that it bears, and by the two together.
        let by_name = table.clone().set("EXTNAME", "'EVENTS'");
        for (table, extension) in [(table, Some("1")), (by_name.clone(), None), (by_name, Some("EVENTS"))] {
            let options = OpenOptions { extension: extension.map(str::to_string), ..OpenOptions::default() };
            let error = Folder::new().open(&file(&[table, good()]), &options).err().unwrap().to_string();
            assert!(error.contains(what) && error.contains("extension 1"), "{error}");
        }
    }
    // Vectors are in lists of events that say what they are.
    let phas = Column::raw("PHAS", "9I", vec![vec![0; 18]; 1000]);
    assert_eq!(open(&[good(), events(vec![time(), phas.clone()])]).unwrap().0.rows(), 1000);
    // And in those that do not, where each row has a channel of its own besides.
    let pi = Column::i16("PI", &[7; 1000]);
    assert_eq!(open(&[good(), Table::new("EVENTS", vec![time(), phas, pi])]).unwrap().0.rows(), 1000);
}

#[test]
fn a_light_curve_named_as_events_is_none_of_photons() {
    let bins = Column::f32("RATE", &[1.0; 1000]);
    let columns = vec![time(), bins, Column::f32("ERROR", &[0.1; 1000]), Column::f32("TIMEDEL", &[0.1; 1000])];
    let table = Table::new("EVENTS", columns);
    let error = open(&[table.clone(), good()]).err().unwrap().to_string();
    assert!(error.contains("extension 1 (EVENTS)") && error.contains("column RATE"), "{error}");
    assert!(error.contains("rate_column (reads them as a light curve)"), "{error}");
    let options = OpenOptions { rate_column: Some("RATE".into()), ..OpenOptions::default() };
    let observation = Folder::new().observe(&file(&[table, good()]), &options).unwrap();
    assert_eq!(observation.kind(), eagleray::ObservationKind::LightCurve);
}

#[test]
fn a_stray_time_costs_nothing_and_a_damaged_interval_is_said_before_the_work() {
    let folder = Folder::new();
    // Three years later, one photon.
    let times = [stamps(), vec![1e8]].concat();
    let bytes = file(&[events(vec![Column::f64("TIME", &times)])]);
    let span = OpenOptions { gti: GtiSource::Span, ..OpenOptions::default() };
    let observation = folder.observe(&bytes, &span).unwrap();
    let said: Vec<&str> = observation.warnings().iter().map(|w| w.message.as_str()).collect();
    assert_eq!(codes(observation.warnings()), ["W-SPAN-GAP"]);
    assert!(said[0].contains("from 99.93 to 100000000 s") && said[0].contains("and 1 event beyond it"), "{said:?}");
    let curve = Session::cpu().unwrap().run(&Binning::default().dt(0.1), &observation).unwrap();
    assert_eq!((curve.len(), curve.meta.record.photons.outside_gti), (999, 1));
    let power = PowerSpectrum::default().dt(0.125).segment_size(9.9);
    assert_eq!(spectrum(&observation, &power).unwrap().meta.segments, 10);
    // As many on both sides are two observations.
    let both: Vec<f64> = stamps().iter().flat_map(|&t| [t, t + 1e6]).collect();
    let both = folder.observe(&file(&[events(vec![Column::f64("TIME", &both)])]), &span).unwrap();
    assert!((both.files()[0].gti.exposure() - 199.8).abs() < 1e-6 && both.files()[0].gti.intervals().len() == 2);
    // Several stray times, no gap between which is half of all.
    let strays = [vec![-3e7, -1e7], stamps(), vec![2e7, 4e7, 6e7]].concat();
    let list = events(vec![Column::f64("TIME", &strays)]);
    let scattered = folder.observe(&file(std::slice::from_ref(&list)), &span).unwrap();
    let said: Vec<&str> = scattered.warnings().iter().map(|w| w.message.as_str()).collect();
    assert_eq!(codes(scattered.warnings()), ["W-SPAN-GAP"]);
    assert!(
        said[0].contains("in 5 gaps, the longest from") && said[0].contains("and 5 events between them"),
        "{said:?}"
    );
    assert!((scattered.files()[0].gti.exposure() - 99.9).abs() < 0.1);
    let (_, warnings) = open(&[gti(&[(-3e7, 6e7 + 1.0)]), list]).unwrap();
    assert_eq!(codes(&warnings), ["W-MOSTLY-EMPTY"]);
    assert!(warnings.iter().all(|w| w.message.contains("in 5 gaps, the longest from")), "{warnings:?}");
    // Good times that are seen in turns by few events each are no mistake of an interval.
    let turns: Vec<f64> = stamps().iter().map(|t| t + 100.0 * (t / 10.0).floor()).collect();
    let seen: Vec<(f64, f64)> = (0..10).map(|i| (110.0 * f64::from(i), 110.0 * f64::from(i) + 10.0)).collect();
    assert!(open(&[gti(&seen), events(vec![Column::f64("TIME", &turns)])]).unwrap().1.is_empty());
    // A source that is seen all the time has no gap.
    let all = folder.observe(&file(&[events(vec![time()])]), &span).unwrap();
    assert!(all.warnings().is_empty() && all.files()[0].gti.intervals().len() == 1);
    // A bound of 0 in a file of the tenth year.
    let late: Vec<f64> = stamps().iter().map(|t| t + 3e8).collect();
    let list = events(vec![Column::f64("TIME", &late)]);
    let (_, warnings) = open(&[gti(&[(0.0, 3e8 + 100.0)]), list.clone()]).unwrap();
    assert_eq!(codes(&warnings), ["W-MOSTLY-EMPTY"]);
    assert!(warnings.iter().all(|w| w.message.contains("from 0 to 300000000.03 s")), "{warnings:?}");
    assert!(open(&[gti(&[(3e8, 3e8 + 100.0), (4e8, 4e8 + 90.0)]), list]).unwrap().1.is_empty());
}

#[test]
fn an_offset_with_two_values_and_prefixes_of_units_are_told_apart() {
    let table = || events(vec![Column::f64("TIME", &[1.0, 2.0, 3.0])]);
    let with = |cards: &[(&str, &str)]| {
        open(&[cards.iter().fold(table(), |table, (key, value)| table.set(key, value)), gti(&[(0.0, 1e3)])])
    };
    let parts = [("TIMEZERI", "50"), ("TIMEZERF", "0.5")];
    assert_eq!(with(&parts).unwrap().0.clock.event_offset.value(), 50.5);
    let both = |zero: &str| with(&[("TIMEZERO", zero), parts[0], parts[1]]);
    assert_eq!(both("50.5").unwrap().0.clock.event_offset.value(), 50.5);
    let error = both("100.0").err().unwrap().to_string();
    assert!(error.contains("TIMEZERO") && error.contains("TIMEZERI + TIMEZERF = 50.5"), "{error}");
    let unit = |unit: &str| {
        let column = Column::f64("TIME", &[1.0, 2.0, 3.0]).with("TUNIT", &format!("'{unit}'"));
        let opened = open(&[events(vec![column]), gti(&[(0.0, 1e7)])])?;
        let mut times = Vec::new();
        opened.0.times(0..1, &mut times)?;
        Ok::<f64, eagleray::Error>(times[0])
    };
    for (name, seconds) in [("Ms", 1e6), ("ks", 1e3), ("ms", 1e-3), ("S", 1.0), ("Day", 86_400.0)] {
        assert_eq!(unit(name).unwrap(), seconds, "{name}");
    }
    assert!(unit("MS").is_err() && unit("as").is_err());
}

#[test]
fn a_table_that_nothing_says_holds_events_is_warned_of_when_it_is_asked_for() {
    let folder = Folder::new();
    let columns = |more: &[(&'static str, f64)]| {
        let mut all = vec![Column::f64("TIME", &[1.0, 2.0, 3.0])];
        all.extend(more.iter().map(|(name, value)| Column::f64(name, &[*value; 3])));
        all
    };
    let warned = |name: &str, columns: Vec<Column>, class: Option<&str>| {
        let mut table = Table::new(name, columns);
        if let Some(class) = class {
            table = table.set("HDUCLAS1", class);
        }
        let tables = [table, events(vec![Column::f64("TIME", &[1.0])]), gti(&[(0.0, 9.0)])];
        let options = OpenOptions { extension: Some(name.to_string()), ..OpenOptions::default() };
        let (_, warnings) = folder.open(&file(&tables), &options).unwrap();
        codes(&warnings).contains(&"W-EVENT-TABLE")
    };
    assert!(warned("HK", columns(&[("TEMP", 20.0)]), None));
    assert!(!warned("HK", columns(&[("TEMP", 20.0)]), Some("'EVENTS'")));
    assert!(!warned("PHOTONS", columns(&[("PI", 7.0)]), None));
}

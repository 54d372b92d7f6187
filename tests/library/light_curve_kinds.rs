//! Light curves as others write them, and as they should not be: the right numbers, or what is wrong, where, and what to do.

use crate::common::fits_file::{Column, Folder, Table, codes, file, gti};
use eagleray::files::OpenOptions;
use eagleray::{Error, LightCurve, Observation, Result, Session, Warnings};

fn open(tables: &[Table], options: &OpenOptions) -> Result<(LightCurve, Warnings)> {
    let observation = Folder::new().observe(&file(tables), options)?;
    Ok((observation.light_curve()?, observation.warnings().clone()))
}

/// A table RATE of these columns, in a frame that is known.
fn rate(columns: Vec<Column>) -> Table {
    Table::new("RATE", columns).set("MJDREF", "55000.0")
}

fn read(table: &Table) -> Result<(LightCurve, Warnings)> {
    open(std::slice::from_ref(table), &OpenOptions::default())
}

fn refused<T>(made: Result<T>, pieces: &[&str]) -> Error {
    let error = made.err().unwrap_or_else(|| panic!("no error, but {pieces:?} was looked for"));
    let said = error.to_string();
    pieces.iter().for_each(|piece| assert!(said.contains(piece), "`{piece}` is not in: {said}"));
    error
}

fn text(content: &[u8]) -> Result<(LightCurve, Warnings)> {
    let folder = Folder::new();
    let observation = Observation::open([folder.write("curve.txt", content)])?;
    Ok((observation.light_curve()?, observation.warnings().clone()))
}

fn said<'a>(warnings: &'a Warnings, code: &str) -> &'a str {
    let found = warnings.iter().find(|w| w.code == code);
    &found.unwrap_or_else(|| panic!("no {code} in {:?}", codes(warnings))).message
}

#[test]
fn short_bins_inside_the_grid_are_exposed_in_part_and_others_are_refused() {
    let with = |times: &[f64], widths: &[f64], name: &str| {
        rate(vec![
            Column::f64("TIME", times),
            Column::f64("COUNTS", &vec![20.0; times.len()]),
            Column::f64(name, widths),
        ])
    };
    // The last bin lasts 5 s of the 10 s from 30 s on, and 20 counts in 5 s are 4 counts/s.
    for (name, widths) in [("TIMEDEL", [10.0, 10.0, 10.0, 5.0]), ("XAX_E", [5.0, 5.0, 5.0, 2.5])] {
        let (curve, _) = read(&with(&[5.0, 15.0, 25.0, 32.5], &widths, name)).unwrap();
        assert_eq!((&curve.bin[..], curve.grid.dt), (&[0, 1, 2, 3][..], 10.0), "{name}");
        assert_eq!((&curve.rate[..], curve.fracexp[3]), (&[2.0, 2.0, 2.0, 4.0][..], 0.5), "{name}");
        assert_eq!(curve.meta.exposure, 35.0, "{name}");
    }
    // A first bin that is short, stamped at its start.
    let first = with(&[6.0, 10.0, 20.0], &[4.0, 10.0, 10.0], "TIMEDEL").set("TIMEPIXR", "0.0");
    let (curve, _) = read(&first).unwrap();
    assert_eq!((curve.grid.origin.value(), curve.fracexp[0], curve.rate[0]), (0.0, 0.4, 5.0));
    let (curve, _) = text(b"time,counts,timedel\n5,20,10\n15,20,10\n22.5,20,5\n").unwrap();
    assert_eq!((curve.rate[2], curve.fracexp[2]), (4.0, 0.5));
    // From 38 to 43 s is in two bins; 20 s is more than one; bins of equal counts have a width each.
    refused(
        read(&with(&[5.0, 15.0, 25.0, 40.5], &[10.0, 10.0, 10.0, 5.0], "TIMEDEL")),
        &["row 4", "5 s", "not inside one bin of 10 s", "of the events"],
    );
    let longer = with(&[5.0, 15.0, 30.0, 45.0], &[10.0, 10.0, 20.0, 10.0], "TIMEDEL");
    refused(read(&longer), &["row 3", "a bin of 20 s, but most have 10 s", "of the events"]);
    let swift = with(&[5.0, 17.0, 40.0, 90.0], &[5.0, 7.0, 16.0, 34.0], "XAX_E");
    refused(read(&swift), &["row 4", "of the events"]);
    let unknown = with(&[5.0, 15.0, 25.0], &[10.0, f64::NAN, 10.0], "TIMEDEL");
    refused(read(&unknown), &["row 2", "NaN"]);
}

#[test]
fn rows_out_of_order_are_sorted_and_two_bins_of_one_time_are_refused() {
    let of = |times: &[f64]| {
        let rates: Vec<f64> = times.iter().map(|t| t + 1.0).collect();
        rate(vec![Column::f64("TIME", times), Column::f64("RATE", &rates), Column::f64("ERROR", &rates)])
    };
    let (curve, warnings) = read(&of(&[20.0, 0.0, 30.0, 10.0])).unwrap();
    assert_eq!((&curve.rate[..], &curve.rate_err), (&[1.0, 11.0, 21.0, 31.0][..], &curve.rate));
    assert!(said(&warnings, "W-TIME-UNSORTED").contains("row 2"));
    refused(read(&of(&[0.0, 10.0, 20.0, 10.0, 30.0])), &["row 4", "10 s is that of row 2, too"]);
    refused(text(b"0 1\n10 1\n0 1\n"), &["line 3", "that of line 1"]);
    // Bins of 20 s every 10 s.
    refused(read(&of(&[0.0, 10.0, 20.0]).set("TIMEDEL", "20.0")), &["row 2", "must not overlap"]);
}

#[test]
fn exposures_that_are_none_are_said() {
    let with = |name: &str, parts: &[f64]| {
        let times: Vec<f64> = (0..parts.len()).map(|i| 10.0 * i as f64).collect();
        let columns = vec![
            Column::f64("TIME", &times),
            Column::f64("COUNTS", &vec![20.0; parts.len()]),
            Column::f64(name, parts),
        ];
        rate(columns).set("TIMEDEL", "10.0")
    };
    let (curve, warnings) = read(&with("FRACEXP", &[1.0, 0.5, 1.2])).unwrap();
    assert_eq!((&curve.rate[..], &curve.fracexp[..]), (&[2.0, 4.0, 2.0][..], &[1.0, 0.5, 1.0][..]));
    assert!(said(&warnings, "W-FRACEXP").contains("row 3, 1.2"));
    // Per cent, or seconds.
    refused(read(&with("FRACEXP", &[1.0, 50.0, 100.0])), &["row 2", "50 of a bin"]);
    let (curve, warnings) = read(&with("EXPOSURE", &[10.0, 5.0, -3.0])).unwrap();
    assert_eq!(&curve.rate[..], &[2.0, 4.0]);
    assert!(said(&warnings, "W-BIN-UNUSABLE").contains("row 3 with an exposed part of -0.3"));
}

#[test]
fn the_stamp_is_where_timepixr_says_however_the_width_is_known() {
    let times: Vec<f64> = (0..8).map(|i| 1000.0 + 10.0 * f64::from(i)).collect();
    let columns = || vec![Column::f64("TIME", &times), Column::f64("COUNTS", &[20.0; 8])];
    for (timepixr, start) in [("0.0", 1000.0), ("0.5", 995.0), ("1.0", 990.0)] {
        let by_row = [columns(), vec![Column::f64("TIMEDEL", &[10.0; 8])]].concat();
        for table in [rate(columns()).set("TIMEDEL", "10.0"), rate(by_row), rate(columns())] {
            let (curve, _) = read(&table.set("TIMEPIXR", timepixr)).unwrap();
            assert_eq!((curve.grid.origin.value(), curve.grid.dt), (start, 10.0), "{timepixr}");
        }
    }
    assert_eq!(read(&rate(columns())).unwrap().0.grid.origin.value(), 995.0);
    refused(read(&rate(columns()).set("TIMEPIXR", "5.0")), &["TIMEPIXR", "5 is no place in a bin"]);
}

#[test]
fn integers_count_and_their_null_is_a_gap() {
    let counts = Column::i16("COUNTS", &[4, 9, -1, 16]).with("TNULL", "-1");
    let (curve, _) = read(&rate(vec![Column::f64("TIME", &[0.0, 1.0, 2.0, 3.0]), counts])).unwrap();
    assert!(curve.counted);
    assert_eq!((&curve.bin[..], &curve.rate_err[..]), (&[0, 1, 3][..], &[2.0, 3.0, 4.0][..]));
}

#[test]
fn rates_are_counts_a_second_or_are_named() {
    let of = |unit: &str| {
        let values = Column::f64("RATE", &[1.0, 2.0, 3.0]).with("TUNIT", &format!("'{unit}'"));
        rate(vec![Column::f64("TIME", &[0.0, 1.0, 2.0]), values, Column::f64("ERROR", &[1.0; 3])])
    };
    for unit in ["count/s", "counts/sec", "ct s-1", "count s**-1", "cts s^(-1)", "photon/s", "/s", ""] {
        assert_eq!(read(&of(unit)).unwrap_or_else(|e| panic!("{unit}: {e}")).0.rate, [1.0, 2.0, 3.0]);
    }
    for unit in ["counts/s/cm2", "ct/cm2/s", "erg/cm2/s", "count cm-2 s-1", "mag", "count/min"] {
        refused(read(&of(unit)), &["column RATE", unit, "rate_column"]);
        let named = OpenOptions {
            rate_column: Some("RATE".into()),
            error_column: Some("ERROR".into()),
            ..OpenOptions::default()
        };
        assert_eq!(open(&[of(unit)], &named).unwrap().0.rate, [1.0, 2.0, 3.0]);
    }
}

#[test]
fn times_in_single_precision_are_refused_where_they_are_too_coarse() {
    let of = |start: f64, dt: f64| {
        let times: Vec<f32> = (0..40).map(|i| (start + dt * f64::from(i)) as f32).collect();
        rate(vec![Column::f32("TIME", &times), Column::f64("RATE", &[1.0; 40]), Column::f64("ERROR", &[1.0; 40])])
    };
    // Of 3e8 s single precision holds multiples of 32 s.
    for table in [of(3e8, 100.0), of(3e8, 1.0), of(3e8, 100.0).set("TIMEDEL", "100.0")] {
        refused(read(&table), &["single precision", "32 s", "double"]);
    }
    let (curve, _) = read(&of(1000.0, 100.0)).unwrap();
    assert_eq!((curve.len(), curve.grid.dt), (40, 100.0));
}

#[test]
fn errors_below_zero_mark_gaps_and_are_said() {
    let of = |errors: &[f64]| {
        let times: Vec<f64> = (0..errors.len()).map(|i| i as f64).collect();
        let rates = vec![2.0; errors.len()];
        rate(vec![Column::f64("TIME", &times), Column::f64("RATE", &rates), Column::f64("ERROR", errors)])
    };
    let (curve, warnings) = read(&of(&[1.0, -1.0, 1.0, f64::NAN, 1.0])).unwrap();
    assert_eq!(&curve.bin[..], &[0, 2, 4]);
    assert!(said(&warnings, "W-NEGATIVE-ERROR").contains("row 2, -1"));
    assert!(said(&warnings, "W-BIN-UNUSABLE").contains("row 4 with an error of NaN"));
    let photons = &curve.meta.record.photons;
    assert!(photons.is_exact() && (photons.read, photons.dropped) == (10, 4), "{photons}");
    refused(read(&of(&[-1.0, -1.0, -1.0])), &["no bin has a finite value"]);
}

#[test]
fn backgrounds_and_names_that_are_not_read_are_said() {
    let columns = || {
        vec![
            Column::f64("TIME", &[0.0, 1.0, 2.0]),
            Column::f64("RATE", &[5.0; 3]),
            Column::f64("ERROR", &[1.0; 3]),
            Column::f64("BACK_RATE", &[1.0; 3]),
        ]
    };
    let (_, warnings) = read(&rate(columns())).unwrap();
    assert!(said(&warnings, "W-BACKGROUND-COLUMN").contains("BACK_RATE"));
    assert!(!codes(&read(&rate(columns()).set("BACKAPP", "T")).unwrap().1).contains(&"W-BACKGROUND-COLUMN"));
    let (_, warnings) = text(b"time,rate,sigma,bkg\n0,1,1,0\n1,2,1,0\n2,3,1,0\n").unwrap();
    assert!(said(&warnings, "W-COLUMN-UNUSED").contains("sigma, bkg"));
    let (_, warnings) = text(b"time,counts,rate,rate_err,fracexp\n0,1,1,1,1\n1,2,2,1,1\n2,3,3,1,1\n").unwrap();
    assert_eq!(codes(&warnings), ["W-NO-MJDREF"]);
}

#[test]
fn bins_without_an_exposure_are_exposed_as_far_as_their_intervals_reach() {
    let table = |name: &str| {
        let columns = vec![Column::f64("TIME", &[5.0, 15.0, 25.0, 35.0]), Column::f64(name, &[20.0, 20.0, 5.0, 20.0])];
        rate(columns).set("TIMEDEL", "10.0")
    };
    // The third bin was good time for 2.5 s; the last one never.
    let intervals = gti(&[(0.0, 22.5), (40.0, 50.0)]);
    let (curve, _) = open(&[table("COUNTS"), intervals.clone()], &OpenOptions::default()).unwrap();
    assert_eq!((&curve.rate[..], &curve.fracexp[..]), (&[2.0, 2.0, 2.0][..], &[1.0, 1.0, 0.25][..]));
    let photons = &curve.meta.record.photons;
    assert_eq!((photons.read, photons.used, photons.outside_gti), (65, 45, 20));
    let (curve, _) = open(&[table("RATE"), intervals], &OpenOptions::default()).unwrap();
    assert_eq!((&curve.counts[..], &curve.rate[..]), (&[200.0, 200.0, 12.5][..], &[20.0, 20.0, 5.0][..]));
}

/// A light curve of Kepler: half hours at the barycentre in days since BJD 2454833, quarters with a gap, flags, rows without time.
#[test]
fn keplers_own_files_are_read_by_the_names_of_their_columns() {
    const ROWS: usize = 4000;
    let cadence = 29.424_4 / 1440.0;
    let barycentre = |day: f64| 500.0 / 86_400.0 * (std::f64::consts::TAU * day / 365.25).sin();
    let mut times: Vec<f64> = (0..ROWS).map(|i| 260.0 + cadence * i as f64).map(|day| day + barycentre(day)).collect();
    let mut flux: Vec<f32> = (0..ROWS).map(|i| 5000.0 + (i % 100) as f32).collect();
    // A gap of 17 days, and a row that has neither time nor flux.
    let (mut quality, gap) = (vec![0i32; ROWS], 1500..2332);
    for i in gap.clone().chain([7]) {
        (times[i], flux[i], quality[i]) = (f64::NAN, f32::NAN, 16);
    }
    quality[20] = 128;
    let columns = vec![
        Column::f64("TIME", &times).with("TUNIT", "'BJD - 2454833'"),
        Column::f32("TIMECORR", &vec![0.001; ROWS]).with("TUNIT", "'d'"),
        Column::i32("CADENCENO", &(0..ROWS as i32).collect::<Vec<_>>()),
        Column::f32("SAP_FLUX", &vec![4000.0; ROWS]).with("TUNIT", "'e-/s'"),
        Column::f32("SAP_FLUX_ERR", &vec![2.0; ROWS]).with("TUNIT", "'e-/s'"),
        Column::f32("SAP_BKG", &vec![900.0; ROWS]).with("TUNIT", "'e-/s'"),
        Column::f32("PDCSAP_FLUX", &flux).with("TUNIT", "'e-/s'"),
        Column::f32("PDCSAP_FLUX_ERR", &vec![3.0; ROWS]).with("TUNIT", "'e-/s'"),
        Column::i32("SAP_QUALITY", &quality),
    ];
    let table = Table::new("LIGHTCURVE", columns)
        .set("TELESCOP", "'Kepler'")
        .set("INSTRUME", "'Kepler Photometer'")
        .set("OBJECT", "'KIC 7198959'")
        .set("TIMEREF", "'SOLARSYSTEM'")
        .set("TIMESYS", "'TDB'")
        .set("BJDREFI", "2454833")
        .set("BJDREFF", "0.00000000")
        .set("TIMEUNIT", "'d'")
        .set("TIMEPIXR", "0.5")
        .set("TIMEDEL", &format!("{cadence:.16}"))
        .set("EXPOSURE", "75.2")
        .set("BACKAPP", "T");
    let named = |flux: &str| OpenOptions {
        time_column: Some("TIME".into()),
        rate_column: Some(flux.into()),
        error_column: Some(format!("{flux}_ERR")),
        ..OpenOptions::default()
    };
    let (curve, warnings) = open(std::slice::from_ref(&table), &named("PDCSAP_FLUX")).unwrap();
    assert_eq!(curve.len(), ROWS - gap.len() - 1);
    // Bins of the cadences, over the gap too.
    assert_eq!((curve.bin[6], curve.bin[7], curve.bin[curve.len() - 1]), (6, 8, ROWS as u64 - 1));
    assert!((curve.grid.dt / (cadence * 86_400.0) - 1.0).abs() < 1e-12);
    assert!(
        (0..curve.len()).all(|i| curve.rate[i] == 5000.0 + (curve.bin[i] % 100) as f64 && curve.rate_err[i] == 3.0)
    );
    // JD 2454833 is MJD 54832.5.
    let made = &curve.meta.record;
    assert_eq!(made.mjdref.map(|epoch| epoch.value()), Some(54_832.5));
    assert!(made.barycentred && made.telescop == "Kepler" && made.timesys == "TDB");
    assert!((curve.time[0] - times[0] * 86_400.0).abs() < 1e-5);
    assert_eq!(codes(&warnings), ["W-QUALITY-FLAGS", "W-TIME-NAN", "W-GRID-DRIFT"]);
    assert!(said(&warnings, "W-QUALITY-FLAGS").contains("SAP_QUALITY, first row 21"));
    assert_eq!(warnings.iter().map(|w| w.count).collect::<Vec<_>>(), [1, gap.len() as u64 + 1, 1]);
    let (sap, _) = open(std::slice::from_ref(&table), &named("SAP_FLUX")).unwrap();
    assert!(sap.rate.iter().all(|&rate| rate == 4000.0));
    // Without names, the error says which there are.
    refused(open(&[table], &OpenOptions::default()), &["PDCSAP_FLUX", "rate_column"]);
}

/// Twenty seconds at the barycentre, as TESS has them, over a gap of a day and a half.
#[test]
fn long_gaps_at_the_barycentre_keep_the_number_of_their_bins() {
    let (dt, gap) = (20.0 / 86_400.0, 6500usize);
    let day = |i: usize| 1500.0 + dt * i as f64;
    let bins: Vec<usize> = (0..3000).chain(3000 + gap..6000 + gap).collect();
    let at = |i: &usize| day(*i) + 500.0 / 86_400.0 * (std::f64::consts::TAU * day(*i) / 365.25).sin();
    let times: Vec<f64> = bins.iter().map(at).collect();
    let columns = vec![
        Column::f64("TIME", &times).with("TUNIT", "'BJD - 2457000, days'"),
        Column::f32("PDCSAP_FLUX", &vec![100.0; times.len()]).with("TUNIT", "'e-/s'"),
    ];
    let table = Table::new("LIGHTCURVE", columns).set("BJDREFI", "2457000").set("TIMEUNIT", "'d'");
    let table = table.set("TIMEDEL", &format!("{dt:.18}"));
    let named = OpenOptions { rate_column: Some("PDCSAP_FLUX".into()), ..OpenOptions::default() };
    let (curve, _) = open(&[table], &named).unwrap();
    assert_eq!(curve.bin, bins.iter().map(|&i| i as u64).collect::<Vec<_>>());
}

/// One light curve in the frames of two epochs; averages, one light curve and pairs are those of one epoch.
#[test]
fn light_curves_of_several_epochs_are_brought_to_that_of_the_first() {
    let values: Vec<f64> = (0..400).map(|i| f64::from((i * i * 7 + 13 * i) % 97)).collect();
    let of = |from: usize, name: &str, mjdref: [&str; 2], zero: f64| {
        let times: Vec<f64> = (from..from + 200).map(|i| zero + 0.5 * i as f64).collect();
        let columns = vec![
            Column::f64("TIME", &times),
            Column::f64("RATE", &values[from..from + 200]),
            Column::f64("ERROR", &[1.0; 200]),
        ];
        let table = Table::new("RATE", columns).set("MJDREFI", mjdref[0]).set("MJDREFF", mjdref[1]);
        let table = table.set("TIMESYS", "'TT'").set("OBJECT", &format!("'{name}'"));
        Folder::new()
            .observe(&file(std::slice::from_ref(&table)), &OpenOptions::default())
            .unwrap()
            .light_curve()
            .unwrap()
    };
    // A quarter of a day is 21600 s, so that 1000 s of the first epoch are −20600 s of the second.
    let (a, b) = (of(0, "a", ["55000", "0.0"], 1000.0), of(200, "b", ["55000", "0.0"], 1000.0));
    let other = of(200, "b", ["55000", "0.25"], 1000.0 - 21_600.0);
    let both = |b: &LightCurve| Observation::light_curves([a.clone(), b.clone()]).light_curve().unwrap();
    let (expected, found) = (both(&b), both(&other));
    assert_eq!((&found.bin, &found.rate, &found.time), (&expected.bin, &expected.rate, &expected.time));
    assert_eq!((found.len(), found.bin[399], &found.gti), (400, 399, &expected.gti));
    assert_eq!(found.meta.record.mjdref.map(|epoch| epoch.value()), Some(55_000.0));
    let session = Session::cpu().unwrap();
    let power = eagleray::PowerSpectrum::default().segment_size(25.0);
    let average =
        |b: &LightCurve| session.run(&power, &Observation::light_curves([a.clone(), b.clone()])).unwrap().power;
    assert_eq!(average(&other), average(&b));
    // A pair of one time, in two frames.
    let [here, there] = [of(0, "b", ["55000", "0.0"], 1000.0), of(0, "b", ["55000", "0.25"], 1000.0 - 21_600.0)];
    let pair = |b: LightCurve| {
        Observation::pair(Observation::light_curves([a.clone()]), Observation::light_curves([b])).unwrap()
    };
    let cross = eagleray::CrossSpectrum::default().segment_size(25.0);
    let of_cross = |b: &LightCurve| session.run(&cross, &pair(b.clone())).unwrap();
    let (found, expected) = (of_cross(&there), of_cross(&here));
    assert_eq!((&found.power_re, found.meta.segments), (&expected.power_re, 4));
    let uneven =
        |b: &LightCurve| session.run(&eagleray::LombScargleCross::default(), &pair(b.clone())).unwrap().power_re;
    assert_eq!(uneven(&there), uneven(&here));
    // Times of another system are not.
    let mut utc = other.clone();
    utc.meta.record.timesys = "UTC".into();
    refused(Observation::light_curves([a.clone(), utc]).light_curve(), &["TIMESYS is `UTC`", "`TT`"]);
    let mut unknown = other;
    unknown.meta.record.mjdref = None;
    refused(Observation::light_curves([a, unknown]).light_curve(), &["MJDREF is `missing`"]);
}

/// Text in UTF-16, with the mark of the byte order.
fn utf16(text: &str) -> Vec<u8> {
    [vec![0xff, 0xfe], text.encode_utf16().flat_map(u16::to_le_bytes).collect()].concat()
}

#[test]
fn text_that_is_not_utf8_is_named_in_every_file_of_text() {
    use eagleray::files::{GtiSource, ParFile};
    use eagleray::pulsation::PulseTemplate;
    let folder = Folder::new();
    let named = &["UTF-16", "save it as UTF-8"];
    refused(text(&utf16("0 1\n1 2\n2 3\n")), named);
    let curve = folder.write("curve.txt", b"0 1\n1 2\n2 3\n");
    let with_gti = |bytes: &[u8]| {
        let list = folder.write("gti.txt", bytes);
        let gti = GtiSource::Given(list.display().to_string());
        Observation::open_with([&curve], &OpenOptions { gti, ..OpenOptions::default() })
    };
    refused(with_gti(&utf16("0 1\n")), named);
    assert!(with_gti("\u{feff}-0.5 1.5\n".as_bytes()).is_ok());
    let par = "F0 29.9\nPEPOCH 55000\n";
    refused(ParFile::read(&folder.write("a.par", &utf16(par))), named);
    // The first key is one although a mark stands before it.
    assert!(ParFile::read(&folder.write("a.par", format!("\u{feff}{par}").as_bytes())).is_ok());
    refused(ParFile::read(&folder.write("a.par", b"F0 29,9\nPEPOCH 55000\n")), &["line 1", "29,9"]);
    let template = "counts,rate\n4,1.5\n9,2.5\n1,1\n7,2\n";
    let read = |bytes: &[u8]| PulseTemplate::read(&folder.write("template.csv", bytes));
    refused(read(&utf16(template)), named);
    assert!(read(format!("\u{feff}{template}").as_bytes()).is_ok());
    refused(read(b"counts rate\n4 1,5\n9 2,5\n1 1,0\n"), &["line 2", "`1,5` has a decimal comma"]);
    refused(read(b"counts,rate\n4,1,5\n9,2,5\n1,1,0\n"), &["line 2", "3 values in 2 columns"]);
    refused(LightCurve::read(folder.write("product.csv", &utf16("# product: \"light curve\"\n"))), named);
}

/// Units of ECSV are those of its header, as astropy writes it.
#[test]
fn units_of_ecsv_are_read() {
    let ecsv = |time: &str, rate: &str, more: &str| {
        format!(
            "# %ECSV 1.0\n# ---\n# datatype:\n# - {{name: time, unit: {time}, datatype: float64}}\n# - {{name: rate, unit: {rate}, datatype: \
             float64}}\n# - {{name: rate_err, datatype: float64}}\n# schema: astropy-2.0\n{more}time rate rate_err\n0.5 10 1\n1.5 12 1\n2.5 11 1\n"
        )
    };
    for (unit, dt) in [("s", 1.0), ("d", 86_400.0), ("min", 60.0), ("ms", 1e-3)] {
        let (curve, _) = text(ecsv(unit, "ct / s", "").as_bytes()).unwrap();
        assert!((curve.grid.dt / dt - 1.0).abs() < 1e-12, "{unit}: {}", curve.grid.dt);
        assert_eq!(curve.rate, [10.0, 12.0, 11.0]);
    }
    refused(text(ecsv("pc", "ct / s", "").as_bytes()), &["column time", "unit `pc`"]);
    for rate in ["mag", "1 / d", "erg / s"] {
        refused(text(ecsv("s", rate, "").as_bytes()), &["column rate", &format!("unit `{rate}`")]);
    }
    let times =
        "# meta: !!omap\n# - __serialized_columns__:\n#     time: {__class__: astropy.time.core.Time, format: mjd}\n";
    refused(text(ecsv("d", "ct / s", times).as_bytes()), &["column time", "not seconds"]);
}

/// Commands about the picture stand before the rows of QDP files.
#[test]
fn commands_about_pictures_are_passed_over() {
    let head = "READ SERR 1 2\nSKIP SINGLE\nLAB X Time (s)\nlabel y count/s\nLW 3\n@curve.pco\n!\n";
    let (curve, _) = text(format!("{head}0.5 0.5 10 1\n1.5 0.5 12 1\n2.5 0.5 11 1\n").as_bytes()).unwrap();
    assert_eq!((curve.rate, curve.grid.dt), (vec![10.0, 12.0, 11.0], 1.0));
    assert!(text(b"LABELS 1 2\n0 1\n1 2\n").is_err() && text(b"PLAIN words\n0 1\n1 2\n").is_err());
}

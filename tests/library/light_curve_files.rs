//! Light curves as they are met, in text and in FITS files.

use crate::common::fits_file::{Column, Folder, Table, codes, file, gti};
use eagleray::data::InputRecord;
use eagleray::files::OpenOptions;
use eagleray::{Gti, LightCurve, Observation, PowerSpectrum, Result, Session, Warnings};

fn text(content: &str) -> Result<(LightCurve, Warnings)> {
    let mut warnings = Warnings::default();
    LightCurve::open(&Folder::new().write("curve.txt", content.as_bytes()), &mut warnings)
        .map(|curve| (curve, warnings))
}

fn refused(content: &str, pieces: &[&str]) {
    let error = text(content).err().unwrap_or_else(|| panic!("no error: {content}")).to_string();
    pieces.iter().for_each(|piece| assert!(error.contains(piece), "{content}: {error}"));
}

#[test]
fn empty_fields_keep_their_place() {
    let (curve, _) = text("time,rate,error\n0,4,1\n1,,2\n2,6,\n3,7,3\n").unwrap();
    // Bins without a value, or with a value whose error is left out, are missing; 2 is no rate of the second bin.
    assert_eq!((curve.bin, curve.rate, curve.rate_err), (vec![0, 3], vec![4.0, 7.0], vec![1.0, 3.0]));
    let (curve, _) = text("0 4 1\n1   5 2\n2\t6\t3\n").unwrap();
    assert_eq!((curve.rate, curve.rate_err), (vec![4.0, 5.0, 6.0], vec![1.0, 2.0, 3.0]));
    refused("time,rate\n0,1\n,2\n2,3\n", &["line 3"]);
}

#[test]
fn decimal_commas_and_two_columns_of_one_name_are_refused() {
    refused("0,5;1,2\n1,5;1,3\n", &["line 1", "`0,5`", "decimal comma"]);
    refused("time;rate\n0,5;1,2\n1,5;1,3\n", &["line 2", "`0,5`"]);
    refused("0.5 1.2\n1.5 1,3\n", &["line 2", "`1,3`"]);
    refused("time,rate,Rate\n0,1,2\n1,1,2\n", &["line 1", "two columns named rate"]);
    // In quotes, as spreadsheets write them; without quotes they make three columns of two.
    refused("\"0\",\"10,5\"\n\"1\",\"11,5\"\n", &["line 1", "`10,5`", "decimal comma"]);
    refused("time,rate\n\"0\",\"10,5\"\n", &["line 2", "`10,5`", "decimal comma"]);
    refused("\"0,5\" \"1,2\"\n\"1,5\" \"1,3\"\n", &["line 1", "`0,5`", "decimal comma"]);
    refused("time,rate\n0,10\n1,10,5\n", &["line 3", "3 fields, and there are 2 columns", "decimal comma"]);
    assert_eq!(text("\"time\",\"rate\"\n\"0\",\"1.5\"\n\"1\",\"2\"\n").unwrap().0.rate, [1.5, 2.0]);
    // Commas between columns, with or without blanks behind them, are none.
    assert_eq!(text("0,1\n1,5\n2,3\n").unwrap().0.rate, [1.0, 5.0, 3.0]);
    assert_eq!(text("0, 1\n1, 5\n2, 3\n").unwrap().0.rate, [1.0, 5.0, 3.0]);
}

#[test]
fn four_columns_of_qdp_are_time_half_width_rate_and_error() {
    let qdp = "READ SERR 1 2\n! from xronos\n0.5 0.5 10 1\n1.5 0.5 11 2\nNO NO NO NO\n3.5 0.5 13 3\n";
    let (curve, _) = text(qdp).unwrap();
    assert_eq!(
        (curve.grid.dt, curve.bin, curve.rate, curve.rate_err),
        (1.0, vec![0, 1, 3], vec![10.0, 11.0, 13.0], vec![1.0, 2.0, 3.0])
    );
    // Without the command the widths tell it.
    let (curve, _) = text("1 1 10 1\n3 1 11 2\n5 1 13 3\n").unwrap();
    assert_eq!((curve.grid.dt, curve.rate), (2.0, vec![10.0, 11.0, 13.0]));
    // Four columns of another kind: time, rate, error and something more.
    let (curve, _) = text("1 8 10 1\n3 9 11 2\n5 7 13 3\n").unwrap();
    assert_eq!((curve.rate, curve.rate_err), (vec![8.0, 9.0, 7.0], vec![10.0, 11.0, 13.0]));
}

#[test]
fn errors_of_qdp_stand_where_read_says() {
    let rates = |content: &str| text(content).map(|(curve, _)| (curve.grid.dt, curve.rate, curve.rate_err)).unwrap();
    let rows = (vec![10.0, 11.0, 13.0], vec![1.0, 2.0, 3.0]);
    let is = |content: &str, dt: f64| assert_eq!(rates(content), (dt, rows.0.clone(), rows.1.clone()), "{content}");
    is("READ SERR 2\n0.5 10 1\n1.5 11 2\n2.5 13 3\n", 1.0);
    is("READ SERR 1 2\n1 1 10 1\n3 1 11 2\n5 1 13 3\n", 2.0);
    // The error downwards is below zero; bins may lie unevenly about their times.
    is("READ TERR 1 2\n1 1 -1 10 1 -1\n3 1 -1 11 2 -2\n5 1 -1 13 3 -3\n", 2.0);
    is("read terr 1\nread serr 2\n0 2 0 10 1\n2 2 0 11 2\n4 2 0 13 3\n", 2.0);
    let (curve, warnings) = text("READ TERR 2\n0 10 1 -3\n1 11 2 -2\n2 NO NO NO\n3 13 3 -3\n").unwrap();
    assert_eq!((curve.bin, curve.rate_err), (vec![0, 1, 3], vec![2.0, 2.0, 3.0]));
    let uneven: Vec<u64> = warnings.iter().filter(|w| w.code == "W-ASYMMETRIC-ERROR").map(|w| w.count).collect();
    assert_eq!(uneven, [1]);
    // Half widths and no error: the third column is the rate.
    let (curve, _) = text("READ SERR 1\n1 1 10\n3 1 11\n5 1 13\n").unwrap();
    assert_eq!((curve.grid.dt, curve.rate), (2.0, vec![10.0, 11.0, 13.0]));
    assert!(curve.rate_err.iter().all(|error| error.is_nan()));
    // A second light curve beside the first is not read, and said to be there.
    let (curve, warnings) = text("READ SERR 1 2 3\n1 1 10 1 7 1\n3 1 11 2 7 1\n5 1 13 3 7 1\n").unwrap();
    assert_eq!((curve.rate, codes(&warnings).contains(&"W-COLUMN-UNUSED")), (rows.0.clone(), true));
    refused("READ SERR 1 2\n0 10 1\n", &["line 2", "3 columns", "READ SERR"]);
    refused("READ SERR\n0 10 1\n", &["line 1", "numbers of vectors"]);
    refused("0 10 1\nREAD SERR 2\n1 10 1\n", &["line 2", "READ stands behind the rows"]);
    // Without a word on what they are, further columns are said to be there.
    assert!(codes(&text("0 10 1 5 6\n1 11 2 5 6\n").unwrap().1).contains(&"W-COLUMN-UNUSED"));
}

#[test]
fn a_mark_of_the_byte_order_is_passed_over_and_errors_of_zero_are_warned_of() {
    let (curve, warnings) = text("\u{feff}time rate error\n0 4 1\n1 0 0\n2 0 0\n").unwrap();
    assert_eq!((curve.rate, codes(&warnings)), (vec![4.0, 0.0, 0.0], vec!["W-NO-MJDREF", "W-ZERO-ERROR"]));
    assert_eq!(warnings.iter().last().map(|w| w.count), Some(2));
}

fn fits(table: &Table, options: &OpenOptions) -> Result<(LightCurve, Warnings)> {
    let observation = Folder::new().observe(&file(std::slice::from_ref(table)), options)?;
    Ok((observation.light_curve()?, observation.warnings().clone()))
}

#[test]
fn exposures_and_widths_of_rows_are_used() {
    let centres: Vec<f64> = (0..8).map(|i| 10.0 * f64::from(i) + 5.0).collect();
    let curve = |columns: Vec<Column>| {
        let columns = [vec![Column::f64("TIME", &centres), Column::f64("COUNTS", &[20.0; 8])], columns].concat();
        Table::new("RATE", columns).set("MJDREF", "55000.0").set("TIMEPIXR", "0.5")
    };
    let (exposure, width) = ([10.0, 5.0, 10.0, 2.5, 10.0, 10.0, 10.0, 10.0], [10.0; 8]);
    let (read, _) =
        fits(&curve(vec![Column::f64("EXPOSURE", &exposure), Column::f64("TIMEDEL", &width)]), &OpenOptions::default())
            .unwrap();
    assert_eq!(
        (read.grid.dt, &read.fracexp[..4], &read.rate[..4]),
        (10.0, &[1.0, 0.5, 1.0, 0.25][..], &[2.0, 4.0, 2.0, 8.0][..])
    );
    // Half widths, as XRONOS has them.
    let (read, _) = fits(&curve(vec![Column::f64("XAX_E", &[5.0; 8])]), &OpenOptions::default()).unwrap();
    assert_eq!(read.grid.dt, 10.0);
    let mut widths = [10.0; 8];
    widths[6] = 20.0;
    let error = fits(&curve(vec![Column::f64("TIMEDEL", &widths)]), &OpenOptions::default()).err().unwrap().to_string();
    assert!(error.contains("row 7") && error.contains("20 s") && error.contains("10 s"), "{error}");
}

#[test]
fn intervals_elsewhere_leave_no_empty_light_curve() {
    let columns = vec![Column::f64("TIME", &[0.5, 1.5, 2.5, 3.5]), Column::f64("RATE", &[1.0; 4])];
    let curve = Table::new("RATE", columns).set("MJDREF", "55000.0").set("TIMEDEL", "1.0");
    let of = |intervals: &[(f64, f64)]| {
        Folder::new().observe(&file(&[curve.clone(), gti(intervals)]), &OpenOptions::default())
    };
    let error = of(&[(1e6, 2e6)]).err().unwrap().to_string();
    assert!(error.contains("from 1000000 to 2000000 s") && error.contains("from 0 to 4 s"), "{error}");
    assert_eq!(of(&[(1.0, 3.0), (1e6, 2e6)]).unwrap().light_curve().unwrap().len(), 2);
}

#[test]
fn tables_of_tess_and_kepler_are_light_curves_by_the_names_of_their_columns() {
    // Two minutes at the barycentre, where they are up to 1e-4 longer; a time and a value that are missing.
    let day = 86_400.0;
    let mut times: Vec<f64> =
        (0..20_000).map(|i| f64::from(i) * (120.0 / day) * (1.0 + 1e-4 * (f64::from(i) / 2e4)) + 1325.3).collect();
    let mut flux = vec![1000.0f32; 20_000];
    (times[50], flux[70]) = (f64::NAN, f32::NAN);
    let columns = vec![
        Column::f64("TIME", &times).with("TUNIT", "'BJD - 2457000, days'"),
        Column::f32("PDCSAP_FLUX", &flux).with("TUNIT", "'e-/s'"),
        Column::f32("PDCSAP_FLUX_ERR", &[2.0; 20_000]).with("TUNIT", "'e-/s'"),
    ];
    let table =
        Table::new("LIGHTCURVE", columns).set("BJDREFI", "2457000").set("BJDREFF", "0.0").set("TIMEUNIT", "'d'");
    let table = table.set("TIMEDEL", "0.001388888888888889").set("TELESCOP", "'TESS'");
    let options = OpenOptions {
        time_column: Some("TIME".into()),
        rate_column: Some("PDCSAP_FLUX".into()),
        error_column: Some("PDCSAP_FLUX_ERR".into()),
        ..OpenOptions::default()
    };
    let (curve, warnings) = fits(&table, &options).unwrap();
    assert_eq!((curve.len(), curve.grid.dt, curve.counted), (19_998, 120.0, false));
    assert_eq!((curve.bin[49], curve.bin[50], curve.bin[69], curve.bin[70]), (49, 51, 71, 72));
    assert!(curve.rate.iter().all(|&r| r == 1000.0) && curve.rate_err.iter().all(|&e| e == 2.0));
    // JD 2457000 is MJD 56999.5.
    assert_eq!(curve.meta.record.mjdref.map(|epoch| epoch.value()), Some(56_999.5));
    assert!(curve.meta.record.barycentred);
    assert_eq!(codes(&warnings), ["W-TIME-NAN", "W-GRID-DRIFT"]);
    let wrong = OpenOptions { rate_column: Some("FLUX".into()), ..options };
    assert!(fits(&table, &wrong).err().unwrap().to_string().contains("no table has a column FLUX"));
}

/// A light curve in memory whose first bin begins at `start`.
fn curve(start: f64, name: &str) -> LightCurve {
    let times: Vec<f64> = (0..400).map(|i| start + 0.25 * f64::from(i * i % 397)).collect();
    let gti = Gti::from_seconds(&[(start, start + 100.0)]).unwrap();
    let observation = Observation::times(times, gti);
    let mut made = Session::cpu().unwrap().run(&eagleray::Binning::default().dt(0.5), &observation).unwrap();
    made.meta.record.inputs = vec![InputRecord { name: name.into(), ..InputRecord::default() }];
    made
}

#[test]
fn averages_of_light_curves_need_no_common_grid() {
    let session = Session::cpu().unwrap();
    let power = PowerSpectrum::default().segment_size(25.0);
    let run = |curves: &[LightCurve]| session.run(&power, &Observation::light_curves(curves.to_vec()));
    // 0.3 of a bin apart, and one that follows at once.
    let (a, b, c) = (curve(0.0, "a"), curve(1000.15, "b"), curve(1100.15, "c"));
    let average = run(&[a.clone(), b.clone(), c.clone()]).unwrap();
    let alone: Vec<_> = [&a, &b, &c].map(|one| run(std::slice::from_ref(one)).unwrap()).into();
    assert_eq!(average.meta.segments, 12);
    for k in 0..average.power.len() {
        let mean = alone.iter().map(|one| one.unnorm_power[k]).sum::<f64>() / 3.0;
        assert!((average.unnorm_power[k] / mean - 1.0).abs() < 1e-12, "{k}");
    }
    // A light curve of all of them has one grid.
    assert!(Observation::light_curves([a.clone(), b]).light_curve().is_err());
    assert!(run(&[a.clone(), curve(50.15, "overlap")]).is_err());
}

/// What this program wrote is read as what it was: rates keep their own errors, and counts those of counting.
#[test]
fn light_curves_that_were_written_are_what_they_were() {
    let folder = Folder::new();
    // Errors twice those of counting; none; those of counting.
    for (kind, what) in [("rate,error", "errors"), ("rate", "none"), ("counts", "counts")] {
        let row = |i: u32| {
            let counts = f64::from(i * 7 % 13);
            let rest = if what == "errors" { format!(",{}", 2.0 * counts.max(1.0).sqrt()) } else { String::new() };
            format!("{},{counts}{rest}\n", 10 * i)
        };
        let text = format!("time,{kind}\n{}", (0..50).map(row).collect::<String>());
        let given = LightCurve::open(&folder.write("given.csv", text.as_bytes()), &mut Warnings::default()).unwrap();
        assert_eq!(given.counted, what == "counts");
        for name in ["a.fits", "a.csv", "a.ecsv"] {
            let path = folder.0.path().join(name);
            given.write(&path, true).unwrap();
            let read = LightCurve::open(&path, &mut Warnings::default()).unwrap();
            assert_eq!(
                (read.counted, &read.counts, &read.rate),
                (given.counted, &given.counts, &given.rate),
                "{what}, {name}"
            );
            let same = |(a, b): (&f64, &f64)| a == b || (a.is_nan() && b.is_nan());
            assert!(read.rate_err.iter().zip(&given.rate_err).all(same), "{what}, {name}");
        }
    }
}

//! Light curves: counting, exposure and errors against their definitions; power spectra of binned series against those of
//! the events they were made of.

use std::path::Path;

use crate::program::{B1509, eagleray, json, stderr, succeed};
use eagleray::data::light_curve::{LightCurve, TimeGrid};
use eagleray::{Binning, Gti, Norm, Observation, PowerSpectrum, Session, Warnings};
use serde_json::Value;

const XRONOS: &str = "tests/data/lcurveA.fits";

fn cpu() -> Session {
    Session::cpu().unwrap()
}

fn curve(times: &[f64], gti: &[(f64, f64)], dt: f64, chunk_events: usize) -> LightCurve {
    let observation = Observation::times(times.to_vec(), Gti::from_seconds(gti).unwrap());
    cpu().chunk_events(chunk_events).run(&Binning::default().dt(dt), &observation).unwrap()
}

/// Times that share nothing with a grid: multiples of the golden ratio.
fn times(count: usize, span: f64) -> Vec<f64> {
    let mut times: Vec<f64> = (0..count).map(|i| (i as f64 * 0.618_033_988_749_894_9).fract() * span).collect();
    times.sort_by(f64::total_cmp);
    times
}

#[test]
fn counts_exposures_and_errors_are_those_of_the_definition() {
    let gti = [(0.25, 2.5), (2.75, 3.0), (7.0, 8.0), (9.5, 9.75)];
    let times = times(500, 12.0);
    let lc = curve(&times, &gti, 1.0, 64);
    let (mut bins, mut part, mut counts) = (Vec::new(), Vec::new(), Vec::new());
    for k in 0..12u64 {
        // The grid begins at the first good time, 0.25 s.
        let (a, b) = (0.25 + k as f64, 1.25 + k as f64);
        let inside = |t: f64, (start, stop): (f64, f64)| t >= start.max(a) && t < stop.min(b);
        let exposed: f64 = gti.iter().map(|g| (g.1.min(b) - g.0.max(a)).max(0.0)).sum();
        if exposed > 0.0 {
            bins.push(k);
            part.push(exposed);
            counts.push(times.iter().filter(|t| gti.iter().any(|g| inside(**t, *g))).count() as f64);
        }
    }
    assert_eq!(bins, [0, 1, 2, 6, 7, 9]);
    assert_eq!((&lc.bin, &lc.fracexp, &lc.counts), (&bins, &part, &counts));
    for i in 0..lc.len() {
        assert_eq!(lc.time[i], 0.75 + bins[i] as f64);
        assert_eq!(lc.rate[i], counts[i] / part[i]);
        assert_eq!(lc.rate_err[i], counts[i].sqrt() / part[i]);
    }
    assert!(lc.meta.record.photons.is_exact());
    assert_eq!(lc.meta.record.photons.used as f64, counts.iter().sum::<f64>());
    assert!((lc.meta.exposure - 3.75).abs() < 1e-12);
}

#[test]
fn empty_bins_have_gehrels_error_and_chunks_change_nothing() {
    let lc = curve(&[0.1, 0.2, 3.5], &[(0.0, 4.0)], 1.0, 1);
    assert_eq!(lc.counts, [2.0, 0.0, 0.0, 1.0]);
    // Gehrels 1986, table 1: the upper 1σ limit of 0 events is 1.841; equation 7 gives 1.866.
    assert!((lc.rate_err[1] - 1.866).abs() < 5e-4);
    let times = times(3000, 40.0);
    let whole = curve(&times, &[(0.0, 10.0), (20.0, 35.5)], 0.1, 1 << 20);
    for chunk in [1, 7, 1000] {
        assert_eq!(curve(&times, &[(0.0, 10.0), (20.0, 35.5)], 0.1, chunk).counts, whole.counts);
    }
}

/// No photon is lost where an edge of an interval and an edge of a bin agree but for rounding.
#[test]
fn rounded_edges_lose_no_photon() {
    let times: Vec<f64> = (0..400).map(|i| 0.1 * f64::from(i) + 0.3).collect();
    for (start, stop) in [(0.1 + 0.2, 40.3), (0.3, 0.1 * 3.0 + 40.0), (0.7, 40.3f64.next_up())] {
        let gti = [(start, 10.0), (10.0 + 0.1 + 0.2, stop)];
        let lc = curve(&times, &gti, 0.1, 100);
        let good = times.iter().filter(|t| gti.iter().any(|g| **t >= g.0 && **t < g.1)).count();
        assert_eq!(lc.counts.iter().sum::<f64>(), good as f64, "{start} {stop}");
        assert!(lc.fracexp.iter().all(|f| (*f - 1.0).abs() < 1e-6 || *f > 1e-6), "{:?}", lc.fracexp);
    }
}

/// Intervals that begin or end a sliver off an edge of a bin have the events in the sliver in their first and last bin.
#[test]
fn events_in_slivers_are_counted_in_the_bins_of_their_interval() {
    let lc = curve(&[0.5, 3.0 - 5e-10, 3.5, 5.0 + 5e-10], &[(0.0, 1.0), (3.0 - 1e-9, 5.0 + 1e-9)], 1.0, 10);
    assert_eq!((&lc.bin[..], &lc.counts[..]), (&[0, 3, 4][..], &[1.0, 2.0, 1.0][..]));
    assert_eq!(lc.fracexp, [1.0, 1.0, 1.0]);
}

#[test]
fn rebinning_joining_and_splitting_keep_every_count() {
    let times = times(5000, 100.0);
    let gti = [(0.0, 30.0), (40.0, 41.5), (60.0, 100.0)];
    let fine = curve(&times, &gti, 0.5, 1000);
    let coarse = fine.rebin(4).unwrap();
    assert_eq!(coarse.counts, curve(&times, &gti, 2.0, 1000).counts);
    let direct = curve(&times, &gti, 2.0, 1000);
    assert_eq!((&coarse.bin, &coarse.time), (&direct.bin, &direct.time));
    for i in 0..coarse.len() {
        assert!((coarse.fracexp[i] - direct.fracexp[i]).abs() < 1e-12);
        assert!((coarse.rate[i] / direct.rate[i] - 1.0).abs() < 1e-12);
        assert!((coarse.rate_err[i] / direct.rate_err[i] - 1.0).abs() < 1e-12);
    }
    let parts = fine.split_at_gaps(1.0);
    assert_eq!(parts.iter().map(LightCurve::len).collect::<Vec<_>>(), [60, 3, 80]);
    assert_eq!(fine.split_by_gti().len(), 3);
    assert_eq!(fine.split_at_gaps(12.0).iter().map(LightCurve::len).collect::<Vec<_>>(), [63, 80]);
    let order = [parts[2].clone(), parts[0].clone(), parts[1].clone()];
    let again = LightCurve::join(&order).unwrap();
    assert_eq!((&again.bin, &again.counts, &again.rate), (&fine.bin, &fine.counts, &fine.rate));
    assert_eq!((&again.gti, &again.fracexp), (&fine.gti, &fine.fracexp));
    assert!(LightCurve::join(&[fine.clone(), parts[1].clone()]).is_err());
    assert!(LightCurve::join(&[fine.clone(), coarse]).is_err());
    assert!(fine.rebin(0).is_err());
    let mut shifted = parts[1].clone();
    shifted.grid = TimeGrid { origin: eagleray::time::DoubleDouble::from(1000.2), dt: 0.5 };
    assert!(LightCurve::join(&[fine, shifted]).is_err());
}

#[test]
fn the_spectrum_of_binned_events_is_that_of_the_events() {
    let dt = 1.0 / 256.0;
    for norm in [Norm::Leahy, Norm::Frac, Norm::Abs, Norm::None] {
        let of_bins = PowerSpectrum::default().segment_size(64.0).norm(norm).background(0.5);
        let observation = Observation::open([crate::program::root(B1509)]).unwrap();
        let of_events = cpu().run(&of_bins.clone().dt(dt), &observation).unwrap();
        observation.examine().unwrap();
        let lc = cpu().run(&Binning::default().dt(dt), &observation).unwrap();
        let of_bins = cpu().run(&of_bins, &Observation::light_curves([lc])).unwrap();
        assert_eq!((of_bins.meta.segments, of_bins.meta.n), (54, 16384));
        assert_eq!(
            (of_bins.meta.record.mjdref, &of_bins.meta.record.object),
            (of_events.meta.record.mjdref, &of_events.meta.record.object)
        );
        assert!((of_bins.meta.noise_mean / of_events.meta.noise_mean - 1.0).abs() < 1e-12, "{norm}");
        // Powers near zero are differences of large numbers: the scale is that of the mean.
        let mean = of_events.power.iter().sum::<f64>() / of_events.len() as f64;
        for k in 0..of_events.len() {
            let off = (of_bins.power[k] - of_events.power[k]).abs();
            assert!(off <= 1e-12 * of_events.power[k].max(mean), "{norm}: bin {k}, {off}");
        }
    }
}

#[test]
fn every_file_of_a_light_curve_gives_the_spectrum_of_its_events() {
    let folder = tempfile::tempdir().unwrap();
    let expected = json(&["pds", B1509, "--dt", "1/64", "--segment-size", "64", "--backend", "cpu"]);
    for name in ["a.fits", "a.csv", "a.ecsv"] {
        let path = folder.path().join(name).display().to_string();
        succeed(&["lc", B1509, "--dt", "1/64", "-o", &path, "--quiet"]);
        let found = json(&["pds", &path, "--segment-size", "64", "--backend", "cpu"]);
        assert_eq!((&found["m"], &found["n"]), (&expected["m"], &expected["n"]), "{name}");
        for key in ["power", "freq"] {
            let (a, b) = (found["peak"][key].as_f64().unwrap(), expected["peak"][key].as_f64().unwrap());
            assert!((a / b - 1.0).abs() < 1e-12, "{name}: {key} {a} {b}");
        }
    }
}

/// A light curve of XRONOS: times in seconds, keywords in days, RATE1 and ERROR1, a last bin that is not a number.
#[test]
fn a_light_curve_of_xronos_is_read_in_its_units() {
    let output = succeed(&["lc", XRONOS, "-o", "-", "--quiet"]);
    let text = String::from_utf8(output.stdout).unwrap();
    let rows: Vec<&str> = text.lines().filter(|l| !l.starts_with('#')).collect();
    assert_eq!(rows[0], "time counts rate rate_err fracexp");
    assert_eq!(rows.len() - 1, 1025);
    let column =
        |at: usize| -> Vec<f64> { rows[1..].iter().map(|r| r.split(' ').nth(at).unwrap().parse().unwrap()).collect() };
    let (time, rate, error) = (column(0), column(2), column(3));
    // TIMEZERI + TIMEZERF days.
    assert!((time[0] - 16_122.926_697_731_484 * 86_400.0).abs() < 1e-5, "{}", time[0]);
    assert!((time[1024] - time[0] - 1024.0).abs() < 1e-6);
    assert!((rate.iter().sum::<f64>() / 1025.0 - 0.975_609_779).abs() < 1e-6);
    let spectrum = json(&["pds", XRONOS, "--segment-size", "64", "--backend", "cpu", "--norm", "abs"]);
    assert_eq!((spectrum["m"].as_u64(), spectrum["n"].as_u64()), (Some(16), Some(64)));
    // Noise of a series with errors: 2σ²/dt with σ² the mean squared error (of 16·64 bins of 1 s).
    let variance = error[..1024].iter().map(|e| e * e).sum::<f64>() / 1024.0;
    assert!((spectrum["noise_mean"].as_f64().unwrap() / (2.0 * variance) - 1.0).abs() < 1e-12);
    // The power itself, by the definition.
    let table =
        succeed(&["pds", XRONOS, "--segment-size", "64", "--backend", "cpu", "--norm", "abs", "--quiet", "-o", "-"]);
    let table = String::from_utf8(table.stdout).unwrap();
    let powers: Vec<f64> = table
        .lines()
        .filter(|l| !l.starts_with('#'))
        .skip(1)
        .map(|l| l.split(' ').nth(2).unwrap().parse().unwrap())
        .collect();
    for k in [1, 2, 31] {
        let mut sum = 0.0;
        for segment in rate[..1024].chunks(64) {
            let angle = |j: usize| -2.0 * std::f64::consts::PI * (j * k % 64) as f64 / 64.0;
            let re: f64 = segment.iter().enumerate().map(|(j, x)| x * angle(j).cos()).sum();
            let im: f64 = segment.iter().enumerate().map(|(j, x)| x * angle(j).sin()).sum();
            sum += (re * re + im * im) * 2.0 / 64.0;
        }
        assert!((powers[k - 1] / (sum / 16.0) - 1.0).abs() < 1e-12, "{k}");
    }
}

#[test]
fn rates_times_dt_are_counts() {
    let folder = tempfile::tempdir().unwrap();
    let path = |name: &str| folder.path().join(name).display().to_string();
    // The same numbers as counts of 4 s bins and as rates; errors in the same unit.
    let (mut counts, mut rates) = (String::from("time,counts,error\n"), String::from("# time rate error\n"));
    let mut total = 0.0;
    for i in 0..256u32 {
        let n = f64::from(i * 7919 % 23 + 5);
        total += n;
        counts += &format!("{},{n},{}\n", 4 * i + 100, n.sqrt());
        rates += &format!("{} {:?} {:?}\n", 4 * i + 100, n / 4.0, n.sqrt() / 4.0);
    }
    std::fs::write(path("counts.csv"), counts).unwrap();
    std::fs::write(path("rates.txt"), rates).unwrap();
    for norm in ["leahy", "frac", "abs", "none"] {
        let of = |name: &str| json(&["pds", &path(name), "--segment-size", "256", "--backend", "cpu", "--norm", norm]);
        let (a, b) = (of("counts.csv"), of("rates.txt"));
        assert_eq!((a["m"].as_u64(), a["dt"].as_f64()), (Some(4), Some(4.0)));
        assert!((a["mean"].as_f64().unwrap() - total / 256.0).abs() < 1e-12);
        for key in ["mean", "noise_mean"] {
            assert!((a[key].as_f64().unwrap() / b[key].as_f64().unwrap() - 1.0).abs() < 1e-12, "{norm} {key}");
        }
        let peak = |v: &Value| v["peak"]["power"].as_f64().unwrap();
        assert!((peak(&a) / peak(&b) - 1.0).abs() < 1e-12, "{norm}");
    }
}

#[test]
fn gaps_and_missing_bins_split_segments_and_other_steps_are_refused() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("a.txt").display().to_string();
    let write = |line: &dyn Fn(u32) -> Option<String>| {
        std::fs::write(&path, (0..100).filter_map(line).collect::<Vec<_>>().join("\n")).unwrap();
    };
    let plan = || json(&["pds", &path, "--segment-size", "5", "--dry-run"]);
    // 0.5 s bins; 30 and 31 are missing, 70 is not a number: stretches of 30, 38 and 29 bins, segments of 10.
    let good =
        |i: u32| Some(format!("{:.1} {}", 0.5 * f64::from(i), if i == 70 { "nan".into() } else { i.to_string() }));
    write(&|i| if i == 30 || i == 31 { None } else { good(i) });
    assert_eq!((plan()["segments"].as_u64(), plan()["n"].as_u64()), (Some(3 + 3 + 2), Some(10)));
    let gti = folder.path().join("gti.txt");
    std::fs::write(&gti, "4.75 24.75\n").unwrap();
    let narrow = json(&["pds", &path, "--segment-size", "5", "--dry-run", "--gti", &gti.display().to_string()]);
    // Bins 10 to 29 and 32 to 49.
    assert_eq!(narrow["segments"].as_u64(), Some(2 + 1));
    let refused = |text: &str| {
        let output = eagleray(&["pds", &path, "--segment-size", "5", "--backend", "cpu"]);
        assert_eq!(output.status.code(), Some(1), "{}", stderr(&output));
        assert!(stderr(&output).contains(text), "{text}: {}", stderr(&output));
    };
    write(&|i| if i == 40 { Some("20.2 1".into()) } else { good(i) });
    refused("line 41");
    write(&|i| if i == 40 { Some("19.0 1".into()) } else { good(i) });
    refused("line 41");
    write(&|i| if i == 40 { Some("20.0".into()) } else { good(i) });
    refused("line 41");
    write(&|i| if i == 40 { Some("nan 1".into()) } else { good(i) });
    refused("line 41");
}

/// Time in days, stamped at the start of bins, counts with errors and exposures, a GTI of its own, an offset.
#[test]
fn other_writers_conventions_are_understood() {
    use eagleray::data::header::HeaderCards;
    use eagleray::internal::io::fits_writer::{FitsWriter, WrittenColumn};
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("a.lc");
    let mut header = HeaderCards::new();
    header.push("HDUCLAS1", "LIGHTCURVE", "").unwrap();
    header.push("TIMEUNIT", "s", "").unwrap();
    header.push("TIMEDEL", 8.0, "").unwrap();
    header.push("TIMEPIXR", 0.0, "").unwrap();
    header.push("TIMEZERO", 1000.0, "").unwrap();
    header.push("MJDREFI", 50_000, "").unwrap();
    let columns = [
        WrittenColumn::new("TIME", "D", "d"),
        WrittenColumn::new("COUNTS", "J", "count"),
        WrittenColumn::new("ERROR", "D", "count"),
        WrittenColumn::new("FRACEXP", "E", ""),
    ];
    // No exposure, or none that is a part of the bin.
    for none in [0.0f32, -0.5, f32::NAN, f32::INFINITY] {
        let mut out = FitsWriter::new(std::fs::File::create(&path).unwrap(), &HeaderCards::new()).unwrap();
        out.table("CURVE", &columns, &header).unwrap();
        for i in 0..40i32 {
            let part = if i == 20 { none } else { 0.5 };
            let time = 8.0 * f64::from(i) / 86_400.0;
            let row =
                [&time.to_be_bytes()[..], &(4 + i).to_be_bytes(), &2f64.to_be_bytes(), &part.to_be_bytes()].concat();
            out.rows(&row).unwrap();
        }
        let mut header = HeaderCards::new();
        header.push("TIMEZERO", 0.0, "").unwrap();
        out.table("GTI", &[WrittenColumn::new("START", "D", "s"), WrittenColumn::new("STOP", "D", "s")], &header)
            .unwrap();
        out.rows(&[1000f64.to_be_bytes(), 1300f64.to_be_bytes()].concat()).unwrap();
        out.finish().unwrap();
        let lc = LightCurve::open(&path, &mut Warnings::default()).unwrap();
        assert_eq!((lc.len(), lc.grid.dt, lc.counted), (39, 8.0, false));
        assert_eq!((lc.time[0], lc.rate[3], lc.rate_err[3], lc.counts[3]), (1004.0, 7.0 / 4.0, 0.5, 7.0));
        assert_eq!(lc.meta.record.mjdref.map(|e| e.day), Some(50_000));
        // The bin without exposure splits; the interval ends inside bin 37; half a bin's exposure must be allowed.
        assert_eq!(lc.stretches(0.5), [0..20, 20..36]);
        assert!(lc.stretches(0.9).is_empty());
        let wide = lc.rebin(2).unwrap();
        assert_eq!((wide.counts[0], wide.rate[0], wide.fracexp[0]), (9.0, 9.0 / 8.0, 0.5));
        assert!((wide.rate_err[0] - 0.5 / 2f64.sqrt()).abs() < 1e-15);
        assert_eq!((wide.fracexp[10], wide.rate[10]), (0.25, 25.0 / 4.0));
    }
}

/// Numbers beyond reason are errors, not panics, and not endless.
#[test]
fn hostile_numbers_are_refused() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("a.txt").display().to_string();
    for text in
        ["0 1\n1e-300 2\n1 3\n", "-1e308 1\n0 2\n1e308 3\n", "1 1\n", "1 inf\n2 nan\n", "1e300 1\n2e300 2\n1e301 5\n"]
    {
        std::fs::write(&path, text).unwrap();
        for options in [&["lc", &path, "-o", "-"][..], &["pds", &path, "--backend", "cpu"]] {
            let output = eagleray(options);
            assert!(!stderr(&output).contains("panicked"), "{text}: {}", stderr(&output));
        }
        assert_eq!(eagleray(&["pds", &path, "--backend", "cpu"]).status.code().map(|c| c > 0), Some(true), "{text}");
    }
    for gti in [vec![(-1e300, -9e299), (9e299, 1e300)], vec![(0.0, 1e300)], vec![(0.0, 1.0), (1e18, 1.1e18)]] {
        let observation = Observation::times(vec![0.5], Gti::from_seconds(&gti).unwrap());
        assert!(cpu().run(&Binning::default().dt(1e-3), &observation).is_err());
    }
    assert!(curve(&[0.5], &[(0.0, 1.0)], 1.0, 1).rebin(u64::MAX).is_err());
}

/// Several light curves are joined, and segments do not reach over the gap between them.
#[test]
fn light_curves_of_several_files_are_joined() {
    let folder = tempfile::tempdir().unwrap();
    let path = |name: &str| folder.path().join(name).display().to_string();
    let write = |name: &str, from: u32| {
        let lines: Vec<String> = (from..from + 50).map(|i| format!("{} {}", 2 * i, i % 7)).collect();
        std::fs::write(path(name), lines.join("\n")).unwrap();
    };
    let plan = || json(&["pds", &path("a.txt"), &path("b.txt"), "--segment-size", "40", "--dry-run"]);
    write("a.txt", 100);
    write("b.txt", 0);
    assert_eq!((plan()["segments"].as_u64(), plan()["exposure"].as_f64()), (Some(4), Some(200.0)));
    write("b.txt", 50);
    assert_eq!(plan()["segments"].as_u64(), Some(5));
    write("b.txt", 60);
    let refused = eagleray(&["pds", &path("a.txt"), &path("b.txt"), "--segment-size", "40", "--dry-run"]);
    assert!(stderr(&refused).contains("overlap"), "{}", stderr(&refused));
    // Averages of segments need no common grid, in words as in numbers.
    let lines: Vec<String> = (0..50).map(|i| format!("{} {}", 2 * i + 1, i % 7)).collect();
    std::fs::write(path("b.txt"), lines.join("\n")).unwrap();
    for more in [&[][..], &["--combine", "average"], &["--dry-run"]] {
        let files = [path("a.txt"), path("b.txt")];
        let done = eagleray(&[&["pds", &files[0], &files[1], "--segment-size", "40"], more].concat());
        assert!(done.status.success(), "{more:?}: {}", stderr(&done));
    }
}

#[test]
fn fits_light_curves_have_the_keywords_of_ogip() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("a.fits").display().to_string();
    succeed(&["lc", "tests/data/sgr1830kgfilt.evt", "--dt", "16", "-o", &path, "--quiet"]);
    let mut fits = fitsio::FitsFile::open(&path).unwrap();
    let rate = fits.hdu("RATE").unwrap();
    let expected = [
        ("HDUCLASS", "OGIP"),
        ("HDUCLAS1", "LIGHTCURVE"),
        ("HDUCLAS3", "RATE"),
        ("TIMEUNIT", "s"),
        ("TELESCOP", "NICER"),
    ];
    for (key, value) in expected {
        assert_eq!(rate.read_key::<String>(&mut fits, key).unwrap(), value, "{key}");
    }
    assert_eq!(rate.read_key::<f64>(&mut fits, "TIMEDEL").unwrap(), 16.0);
    assert_eq!(rate.read_key::<f64>(&mut fits, "TIMEPIXR").unwrap(), 0.5);
    assert_eq!(rate.read_key::<i64>(&mut fits, "MJDREFI").unwrap(), 56658);
    let counts = rate.read_col::<f64>(&mut fits, "COUNTS").unwrap();
    assert_eq!(counts.iter().sum::<f64>(), 9369.0);
    let gti = fits.hdu("GTI").unwrap();
    assert_eq!(gti.read_col::<f64>(&mut fits, "START").unwrap().len(), 2);
    drop(fits);
    let again = LightCurve::open(Path::new(&path), &mut Warnings::default()).unwrap();
    assert_eq!((again.counts, again.counted), (counts, true));
}

#[test]
fn lists_of_files_stand_for_the_files_in_them() {
    let folder = tempfile::tempdir().unwrap();
    let list = folder.path().join("files.txt");
    std::fs::write(&list, format!("# one observation\n\n{B1509}  # a pulsar\n")).unwrap();
    let at = format!("@{}", list.display());
    let lc = json(&["lc", &at, "--dt", "100"]);
    assert_eq!((lc["n"].as_u64(), lc["nphots"].as_f64()), (Some(35), Some(25765.0)));
    assert_eq!(lc["photons"]["outside_gti"].as_u64(), Some(63));
    for command in [&["pds", "--dt", "1/64", "--segment-size", "64", "--backend", "cpu"][..], &["info"]] {
        json(&[command, &[at.as_str()]].concat());
    }
    std::fs::write(&list, "# nothing\n").unwrap();
    assert_eq!(eagleray(&["lc", &at]).status.code(), Some(2));
    assert_eq!(eagleray(&["lc", "@no-such-list"]).status.code(), Some(1));
    std::fs::write(&list, format!("{B1509}\n{XRONOS}\n")).unwrap();
    assert!(stderr(&eagleray(&["lc", &at])).contains("light curve"));
}

/// A copy of B1509 of another object: the same photons in a file that is not the same.
fn twin(folder: &Path) -> String {
    let mut bytes = std::fs::read(Path::new(crate::program::ROOT).join(B1509)).unwrap();
    let at = bytes.windows(10).position(|w| w == b"OBJECT  = ").unwrap();
    bytes[at + 12] ^= 1;
    let path = folder.join("twin.fits");
    std::fs::write(&path, bytes).unwrap();
    path.display().to_string()
}

#[test]
fn joined_and_merged_files_and_pictures() {
    let folder = tempfile::tempdir().unwrap();
    let one = json(&["lc", B1509, "--dt", "100"]);
    let twin = twin(folder.path());
    let two = json(&["lc", B1509, &twin, "--combine", "merge", "--dt", "100"]);
    assert_eq!(two["nphots"].as_f64(), one["nphots"].as_f64().map(|n| 2.0 * n));
    assert_eq!(two["exposure"], one["exposure"]);
    let refused = eagleray(&["lc", B1509, &twin, "--combine", "average", "--dt", "100"]);
    assert!(stderr(&refused).contains("merge"), "{}", stderr(&refused));
    for name in ["a.svg", "a.png"] {
        let path = folder.path().join(name).display().to_string();
        succeed(&["lc", B1509, "--dt", "10", "--plot", &path, "--quiet"]);
        assert!(std::fs::metadata(path).unwrap().len() > 1000);
    }
    let svg = std::fs::read_to_string(folder.path().join("a.svg")).unwrap();
    assert!(svg.contains("rate (counts/s)") && svg.contains("PSR_B1509-58"));
}

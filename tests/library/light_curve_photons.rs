//! No photon of a light curve is lost: coarser bins, good time that ends inside bins, and what became of each.

use crate::common::fits_file::{Column, Folder, Table, codes, events, file, gti};
use eagleray::Warnings;
use eagleray::data::light_curve::TimeGrid;
use eagleray::files::OpenOptions;
use eagleray::internal::random::Random;
use eagleray::time::DoubleDouble;
use eagleray::{
    Binning, CrossSpectrum, DynamicalCross, DynamicalSpectrum, Gti, LightCurve, Norm, Observation, PowerSpectrum,
    Session,
};

/// Intervals that begin and end on both sides of the middles of bins of 100 s, with gaps inside bins and bins whose middle is in none.
const INTERVALS: [(f64, f64); 7] = [
    (0.0, 430.0),
    (470.0, 1010.0),
    (1045.0, 2030.0),
    (2570.0, 4717.7),
    (5062.2, 5088.1),
    (6083.33, 9981.9),
    (9990.0, 10_500.0),
];

/// 20,000 events from 0 to 10,500 s, with a clock of its own.
fn observation(folder: &Folder) -> Observation {
    let mut random = Random::new(7);
    let mut times: Vec<f64> = (0..20_000).map(|_| 10_500.0 * random.uniform()).collect();
    times.sort_by(f64::total_cmp);
    folder
        .observe(&file(&[events(vec![Column::f64("TIME", &times)]), gti(&INTERVALS)]), &OpenOptions::default())
        .unwrap()
}

fn curve(of: &Observation, dt: f64) -> LightCurve {
    Session::cpu().unwrap().run(&Binning::default().dt(dt), of).unwrap()
}

/// Seconds that all intervals have of a time.
fn exposure(from: f64, to: f64) -> f64 {
    INTERVALS.iter().map(|&(a, b)| (b.min(to) - a.max(from)).max(0.0)).sum()
}

#[test]
fn coarser_bins_of_a_curve_are_those_of_the_events_bin_by_bin() {
    let folder = Folder::new();
    let events = observation(&folder);
    let expected = curve(&events, 1000.0);
    let good = expected.meta.record.photons.used;
    assert_eq!(expected.counts.iter().sum::<f64>(), good as f64);
    for (i, &k) in expected.bin.iter().enumerate() {
        let start = 1000.0 * k as f64;
        assert!((expected.fracexp[i] * 1000.0 - exposure(start, start + 1000.0)).abs() < 1e-6, "{k}");
    }
    for name in ["a.fits", "a.csv", "a.ecsv", "a.json"] {
        let path = folder.0.path().join(name);
        let fine = curve(&events, 100.0);
        fine.write(&path, false).unwrap();
        let of_file = match name {
            "a.json" => Observation::light_curves([LightCurve::read(&path).unwrap()]),
            _ => Observation::open([&path]).unwrap(),
        };
        let found = curve(&of_file, 1000.0);
        assert_eq!((&found.bin, &found.counts), (&expected.bin, &expected.counts), "{name}");
        for i in 0..expected.len() {
            for (a, b) in [
                (found.rate[i], expected.rate[i]),
                (found.rate_err[i], expected.rate_err[i]),
                (found.fracexp[i], expected.fracexp[i]),
                (found.time[i], expected.time[i]),
            ] {
                assert!((a / b - 1.0).abs() < 1e-12, "{name}, bin {i}: {a} {b}");
            }
        }
        assert!((found.meta.exposure / expected.meta.exposure - 1.0).abs() < 1e-12, "{name}");
        let photons = &found.meta.record.photons;
        assert!(photons.is_exact() && photons.used == good, "{name}: {photons}");
    }
}

/// Each bin belongs to the interval that has most of it: none is lost where the middle of a bin is in no interval.
#[test]
fn parts_by_intervals_have_every_photon() {
    let folder = Folder::new();
    let whole = curve(&observation(&folder), 100.0);
    let parts = whole.split_by_gti();
    assert_eq!(parts.len(), INTERVALS.len());
    let counts = |curve: &LightCurve| curve.counts.iter().sum::<f64>();
    assert_eq!(parts.iter().map(counts).sum::<f64>(), counts(&whole));
    assert_eq!(parts.iter().map(LightCurve::len).sum::<usize>(), whole.len());
    // From 400 to 500 s the first two have 30 s each; the later one is as good.
    assert!(parts.iter().all(|part| part.meta.record.photons.read as f64 == counts(part)));
}

/// Of a bin that narrower intervals cut, no one knows which photons are inside.
#[test]
fn bins_that_an_interval_cuts_are_left_out_and_said() {
    let folder = Folder::new();
    let (events, path) = (observation(&folder), folder.0.path().join("a.fits"));
    let fine = curve(&events, 100.0);
    fine.write(&path, false).unwrap();
    let whole = Observation::open([&path]).unwrap();
    assert!(!codes(whole.warnings()).contains(&"W-BIN-CUT"));
    // From 320 s the bin from 300 s is cut; the bin from 2000 s has all of its 30 s exposed before 2040 s.
    let within = whole.within(&Gti::from_seconds(&[(320.0, 2040.0)]).unwrap()).unwrap();
    let said = within.warnings().iter().find(|w| w.code == "W-BIN-CUT").unwrap();
    assert_eq!(said.count, 1, "{said}");
    let found = within.light_curve().unwrap();
    assert_eq!((found.bin[0], found.bin[found.len() - 1], found.len()), (4, 20, 17));
    let photons = &found.meta.record.photons;
    assert!(photons.is_exact(), "{photons}");
    assert_eq!(photons.used as f64, (4..=20).map(|i| fine.counts[i]).sum::<f64>());
    assert_eq!(photons.outside_gti, photons.read - photons.used);
    // The same by a file of intervals.
    let list = folder.write("list.txt", b"320 2040\n");
    let options =
        OpenOptions { gti: eagleray::files::GtiSource::Given(list.display().to_string()), ..OpenOptions::default() };
    let given = Observation::open_with([&path], &options).unwrap();
    assert!(codes(given.warnings()).contains(&"W-BIN-CUT"));
    assert_eq!(given.light_curve().unwrap().counts, found.counts);
}

/// Photons of a light curve: counts, else rates times exposure, in each reason; whole numbers whose sum is what was read.
#[test]
fn photons_of_rows_that_cannot_be_used_are_counted() {
    let columns = vec![
        Column::f64("TIME", &[5.0, 15.0, f64::NAN, 35.0, 45.0, 55.0, 65.0]),
        Column::f64("COUNTS", &[10.0, 20.0, 4.0, 7.0, 9.0, 11.0, 30.0]),
        Column::f64("FRACEXP", &[1.0, 0.5, 1.0, 0.0, f64::NAN, 1.0, 1.0]),
    ];
    let table = Table::new("RATE", columns).set("MJDREF", "55000.0").set("TIMEDEL", "10.0");
    let folder = Folder::new();
    let made = folder.observe(&file(&[table, gti(&[(0.0, 60.0)])]), &OpenOptions::default()).unwrap();
    let found = made.light_curve().unwrap();
    assert_eq!((&found.counts[..], &found.rate[..]), (&[10.0, 20.0, 11.0][..], &[1.0, 4.0, 1.1][..]));
    let photons = &found.meta.record.photons;
    assert_eq!((photons.read, photons.used, photons.outside_gti, photons.dropped), (91, 41, 30, 4 + 7 + 9));
    assert!(photons.is_exact());
    let said = made.warnings().iter().find(|w| w.code == "W-BIN-UNUSABLE").unwrap();
    assert!(said.count == 2 && said.message.contains("row 4 with an exposed part of 0"), "{said}");
    // Net rates of 2, −1 and 0.3 counts/s in bins of 10 s: 13 photons.
    let path = folder.write("net.txt", b"5 2 1\n15 -1 1\n25 0.3 1\n");
    let net = Observation::open([&path]).unwrap().light_curve().unwrap();
    assert_eq!((net.meta.record.photons.read, net.meta.record.photons.used), (13, 13));
    let path = folder.write("less.txt", b"5 -2 1\n15 -1 1\n25 0.3 1\n");
    assert_eq!(Observation::open([&path]).unwrap().light_curve().unwrap().meta.record.photons.read, 0);
}

/// Photons of segments that have no mean to be normalised by are said apart.
#[test]
fn photons_of_skipped_segments_are_said() {
    // Three segments of ten bins of 1 s: 50 counts/s and more, 0.4 ± 5 counts/s in each bin, and 50 and more again.
    let row = |i: u32| match i {
        10..20 => format!("{i} 0.4 5\n"),
        _ => format!("{i} {} 1\n", 50 + i % 3),
    };
    let folder = Folder::new();
    let text: String = (0..30).map(row).collect();
    let [a, b] = ["a.txt", "b.txt"].map(|name| Observation::open([folder.write(name, text.as_bytes())]).unwrap());
    let session = Session::cpu().unwrap();
    let power = PowerSpectrum::default().segment_size(10.0).norm(Norm::Frac).use_common_mean(false);
    let followed = session.run(&DynamicalSpectrum::default().spectrum(power), &a).unwrap();
    let cross = CrossSpectrum::default().segment_size(10.0).norm(Norm::Frac).use_common_mean(false);
    let pair = Observation::pair(a, b).unwrap();
    let correlated = session.run(&cross, &pair).unwrap();
    let both = session.run(&DynamicalCross::default().spectrum(cross), &pair).unwrap();
    // i mod 3 adds 9 and 11 counts.
    for (photons, times) in
        [(&followed.meta.record.photons, 1), (&correlated.meta.record.photons, 2), (&both.meta.record.photons, 2)]
    {
        assert!(photons.is_exact(), "{photons}");
        assert_eq!((photons.read, photons.used, photons.in_skipped_segments), (times * 1024, times * 1020, times * 4));
    }
}

#[test]
fn a_light_curve_of_arrays_is_that_of_the_events_in_its_bins() {
    let times: Vec<f64> = (0..5000).map(|i| 0.02 * f64::from(i) + 1e-4).collect();
    let gti = Gti::from_seconds(&[(0.0, 40.0), (50.25, 100.0)]).unwrap();
    let session = Session::cpu().unwrap();
    let events = Observation::times(times, gti.clone());
    let expected = session.run(&Binning::default().dt(0.5), &events).unwrap();
    let made = |errors| {
        LightCurve::from_bins(expected.grid, expected.bin.clone(), expected.counts.clone(), errors, gti.clone())
    };
    let curve = made(None).unwrap();
    assert_eq!((&curve.rate, &curve.rate_err, &curve.fracexp), (&expected.rate, &expected.rate_err, &expected.fracexp));
    assert_eq!((curve.meta.n, curve.meta.exposure), (expected.meta.n, expected.meta.exposure));
    // Spectra of either are the same.
    let spectrum = |curve: LightCurve| {
        session.run(&PowerSpectrum::default().segment_size(8.0), &Observation::light_curves([curve])).unwrap().power
    };
    assert_eq!(spectrum(curve), spectrum(expected.clone()));
    let with_errors = made(Some(vec![3.0; expected.len()])).unwrap();
    assert!(!with_errors.counted && with_errors.rate_err[0] == 6.0);
    // A bin that no interval reaches is left out; others that do not ascend are refused.
    let beyond = LightCurve::from_bins(expected.grid, vec![0, 85, 120], vec![1.0; 3], None, gti.clone()).unwrap();
    assert_eq!(beyond.bin, [0, 120]);
    for (bin, counts) in [(vec![1, 1], vec![1.0; 2]), (vec![0], vec![1.0; 2])] {
        assert!(LightCurve::from_bins(expected.grid, bin, counts, None, gti.clone()).is_err());
    }
}

/// Rows that segments are cut from are those whose bins lie in an interval to 1e-5 s, as the definition says bin by bin: bins shorter and longer than that,
/// edges that are off by less, more and nothing, intervals that touch.
#[test]
fn stretches_are_those_of_the_definition() {
    let mut random = Random::new(11);
    let (mut found, mut cut) = (0, 0);
    for case in 0..300 {
        let dt = random.pick(&[1e-7, 3e-6, 1e-4, 0.01, 1.0 / 3.0, 100.0]);
        let origin = DoubleDouble::sum(random.pick(&[0.0, 3e8, -5.0]), 1e-9 * random.uniform());
        let grid = TimeGrid { origin, dt };
        let (mut intervals, mut k) = (Vec::new(), 1 + random.below(5) as u64);
        for _ in 0..1 + random.below(4) {
            let edge = |k: u64, by: f64| grid.edge(k) + DoubleDouble::from(by);
            let off = [0.0, 0.9e-5, -0.9e-5, 1.1e-5, -1.1e-5, 0.3 * dt];
            let (from, to) = (k, k + 250 + random.below(300) as u64);
            intervals.push((edge(from, random.pick(&off)), edge(to, random.pick(&off))));
            k = to + random.below(3) as u64 * 400;
        }
        let Ok(gti) = Gti::new("intervals", intervals, false, &mut Warnings::default()) else { continue };
        let bin: Vec<u64> = (0..k + 500).filter(|_| random.below(50) > 0).collect();
        let counts = vec![1.0; bin.len()];
        let curve = LightCurve::from_bins(grid, bin, counts, None, gti).unwrap();
        let home = |i: usize| {
            let (a, b) = (grid.edge(curve.bin[i]), grid.edge(curve.bin[i] + 1));
            let inside = |&(start, stop): &(DoubleDouble, DoubleDouble)| {
                (start - a).value() <= 1e-5 && (b - stop).value() <= 1e-5
            };
            let after = curve.gti.intervals().iter().rposition(|interval| (interval.0 - a).value() <= 1e-5);
            after.filter(|&at| inside(&curve.gti.intervals()[at]) && curve.fracexp[i] >= 0.9)
        };
        let mut expected: Vec<std::ops::Range<usize>> = Vec::new();
        for i in (0..curve.len()).filter(|&i| home(i).is_some()) {
            match expected.last_mut() {
                Some(last) if last.end == i && curve.bin[i] == curve.bin[i - 1] + 1 && home(i) == home(i - 1) => {
                    last.end = i + 1;
                }
                _ => expected.push(i..i + 1),
            }
        }
        assert_eq!(curve.stretches(0.9), expected, "case {case}, bins of {dt} s");
        found += expected.len();
        cut += curve.len() - expected.iter().map(|rows| rows.len()).sum::<usize>();
    }
    assert!(found > 1000 && cut > 100, "{found} stretches, {cut} rows in none");
}

/// Rates that no photons have, used and left out, overflow no balance.
#[test]
fn numbers_beyond_all_photons_close_the_balance() {
    let folder = Folder::new();
    let path = folder.write("wild.csv", b"time;rate;rate_err\n10;5;11\n20;1e300;\n30;1e300;2\n40;7;1\n");
    let curve = LightCurve::open(&path, &mut Warnings::default()).unwrap();
    let photons = &curve.meta.record.photons;
    assert!(photons.is_exact() && photons.used > 1 << 50 && photons.dropped > 1 << 50, "{photons:?}");
    let coarser = curve.rebin(2).unwrap();
    assert!(coarser.meta.record.photons.is_exact(), "{:?}", coarser.meta.record.photons);
}

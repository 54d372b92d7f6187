//! The algebra of good time intervals, held against plain sets of small cells; energies from responses.

use std::path::Path;

use eagleray::data::energy_scale::EnergyScale;
use eagleray::data::header::HeaderCards;
use eagleray::files::{EventFile, OpenOptions};
use eagleray::internal::io::fits_writer::{FitsWriter, WrittenColumn};
use eagleray::time::DoubleDouble;
use eagleray::{Gti, Warnings};
use proptest::prelude::*;

/// Cells of a second in which intervals are drawn.
const CELLS: usize = 60;

/// Intervals between whole seconds, in any order, perhaps overlapping; the cells that they cover.
fn drawn() -> impl Strategy<Value = (Gti, Vec<bool>)> {
    proptest::collection::vec((0..CELLS, 1..12usize), 1..8).prop_map(|list| {
        let mut cells = vec![false; CELLS + 12];
        let mut intervals = Vec::new();
        for (start, length) in list {
            cells[start..start + length].fill(true);
            intervals.push((start as f64, (start + length) as f64));
        }
        (Gti::from_seconds(&intervals).expect("intervals of a length"), cells)
    })
}

fn cells(gti: &Gti) -> Vec<bool> {
    (0..CELLS + 12).map(|i| gti.contains(DoubleDouble::from(i as f64 + 0.5))).collect()
}

/// Sorted, disjoint, not touching, none empty.
fn is_canonical(gti: &Gti) -> bool {
    gti.intervals().iter().all(|(a, b)| a < b) && gti.intervals().windows(2).all(|w| w[0].1 < w[1].0)
}

fn both(a: &[bool], b: &[bool], f: impl Fn(bool, bool) -> bool) -> Vec<bool> {
    a.iter().zip(b).map(|(a, b)| f(*a, *b)).collect()
}

proptest! {
    #[test]
    fn union_and_intersection_are_those_of_sets((a, x) in drawn(), (b, y) in drawn()) {
        let (union, common) = (a.union(&b), a.intersect(&b));
        prop_assert_eq!(cells(&union), both(&x, &y, |x, y| x || y));
        prop_assert_eq!(cells(&common), both(&x, &y, |x, y| x && y));
        prop_assert!(is_canonical(&union) && is_canonical(&common));
        prop_assert_eq!(union.exposure() + common.exposure(), a.exposure() + b.exposure());
        prop_assert_eq!(union, b.union(&a));
    }

    #[test]
    fn complement_fills_the_span_and_de_morgan_holds((a, x) in drawn(), (b, _) in drawn(), lo in 0..40usize, len in 1..30usize) {
        let (start, stop) = (DoubleDouble::from(lo as f64), DoubleDouble::from((lo + len) as f64));
        let not = a.complement(start, stop);
        let inside = |i: usize| (lo..lo + len).contains(&i);
        let expected: Vec<bool> = x.iter().enumerate().map(|(i, x)| inside(i) && !x).collect();
        prop_assert_eq!(cells(&not), expected);
        prop_assert!(is_canonical(&not));
        let window = Gti::from_seconds(&[(lo as f64, (lo + len) as f64)]).expect("a span");
        prop_assert_eq!(not.complement(start, stop), a.intersect(&window));
        let other = b.complement(start, stop);
        prop_assert_eq!(a.union(&b).complement(start, stop), not.intersect(&other));
        prop_assert!(not.intersect(&a).is_empty());
    }

    #[test]
    fn pieces_of_one_exposure_make_the_whole((a, _) in drawn(), quarters in 1..80u32) {
        let exposure = f64::from(quarters) / 4.0;
        let pieces = a.split_by_exposure(exposure).expect("positive");
        let (last, full) = pieces.split_last().expect("something is there");
        prop_assert!(full.iter().all(|p| p.exposure() == exposure));
        prop_assert!(last.exposure() > 0.0 && last.exposure() <= exposure);
        let whole = pieces.iter().fold(Gti::default(), |sum, p| sum.union(p));
        prop_assert_eq!(whole, a.clone());
        prop_assert!(pieces.windows(2).all(|w| w[0].intervals().last().map(|i| i.1) <= w[1].intervals().first().map(|i| i.0)));
    }

    #[test]
    fn groups_between_gaps_keep_every_interval((a, _) in drawn(), gap in 0..12u32) {
        let gap = f64::from(gap) + 0.5;
        let groups = a.split_at_gaps(gap);
        let all: Vec<_> = groups.iter().flat_map(|g| g.intervals().to_vec()).collect();
        prop_assert_eq!(&all[..], a.intervals());
        for group in &groups {
            prop_assert!(group.intervals().windows(2).all(|w| (w[1].0 - w[0].1).value() < gap));
        }
        let ends = groups.windows(2).map(|w| (w[0].intervals().last(), w[1].intervals().first()));
        for (before, after) in ends {
            let (before, after) = (before.expect("not empty"), after.expect("not empty"));
            prop_assert!((after.0 - before.1).value() >= gap);
        }
    }

    #[test]
    fn a_sampled_condition_gives_its_cells(good in proptest::collection::vec(any::<bool>(), 1..CELLS), start in -1e8..1e8f64) {
        // A quarter of a second, so that nothing is rounded.
        let start = (start * 4.0).round() / 4.0;
        let times: Vec<f64> = (0..good.len()).map(|i| start + 0.5 + i as f64).collect();
        let gti = Gti::from_condition(&times, &good, 1.0).expect("in order");
        let found: Vec<bool> = times.iter().map(|&t| gti.contains(DoubleDouble::from(t))).collect();
        prop_assert_eq!(found, good.clone());
        prop_assert_eq!(gti.exposure(), good.iter().filter(|g| **g).count() as f64);
        prop_assert!(is_canonical(&gti));
    }

    #[test]
    fn trimming_leaves_intervals_of_the_length_asked_for((a, _) in drawn(), shortest in 0..10u32) {
        let kept = a.trimmed(0.0, f64::from(shortest));
        let expected: Vec<_> =
            a.intervals().iter().filter(|(s, e)| (*e - *s).value() >= f64::from(shortest)).copied().collect();
        prop_assert_eq!(kept.intervals(), &expected[..]);
    }
}

#[test]
fn conditions_and_exposures_without_meaning_are_refused() {
    assert!(Gti::from_condition(&[1.0, 2.0], &[true], 1.0).is_err());
    assert!(Gti::from_condition(&[2.0, 1.0], &[true, true], 1.0).is_err());
    assert!(Gti::from_condition(&[f64::NAN], &[true], 1.0).is_err());
    for bad in [0.0, -1.0, f64::NAN, f64::INFINITY] {
        assert!(Gti::from_condition(&[1.0], &[true], bad).is_err());
        assert!(Gti::default().split_by_exposure(bad).is_err());
    }
    let far = Gti::from_seconds(&[(1e8, 1e8 + 1.0)]).unwrap();
    assert!(far.split_by_exposure(1e-30).is_err());
    assert!(Gti::from_seconds(&[(1e30, 1e30f64.next_up())]).unwrap().split_by_exposure(1e13).is_ok());
    assert!(Gti::from_condition(&[], &[], 1.0).unwrap().is_empty());
    assert!(Gti::default().split_by_exposure(1.0).unwrap().is_empty());
}

/// A response of channels 10 to 109, each 0.1 keV wide from 1 keV on, in single precision as the memo has it.
fn response(path: &Path, unit: &str, chantype: &str) {
    let columns = [
        WrittenColumn::new("CHANNEL", "J", ""),
        WrittenColumn::new("E_MIN", "E", unit),
        WrittenColumn::new("E_MAX", "E", unit),
    ];
    let mut header = HeaderCards::new();
    header.push("CHANTYPE", chantype, "").unwrap();
    let file = std::fs::File::create(path).unwrap();
    let mut out = FitsWriter::new(file, &HeaderCards::new()).unwrap();
    out.table("EBOUNDS", &columns, &header).unwrap();
    let factor = if unit == "eV" { 1000.0 } else { 1.0 };
    for i in 0..100i32 {
        let edge = |k: i32| (f64::from(10 + k) / 10.0 * factor) as f32;
        let row = [(10 + i).to_be_bytes(), edge(i).to_be_bytes(), edge(i + 1).to_be_bytes()].concat();
        out.rows(&row).unwrap();
    }
    out.finish().unwrap();
}

#[test]
fn responses_give_channels_whose_centres_lie_in_the_band() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("a.rmf");
    let open = |events: &str| {
        EventFile::open(&crate::program::root(events), &OpenOptions::default(), &mut Warnings::default()).unwrap()
    };
    for unit in ["keV", "eV"] {
        response(&path, unit, "PI");
        let mut file = open("tests/data/monol_testA.evt");
        file.use_response(&path).unwrap();
        let scale = file.scale.clone().unwrap();
        assert!(matches!(scale, EnergyScale::Bounds { first: 10, .. }));
        // The centre of channel 10 + i is 1.05 + i/10: on an edge of the band, the lower one has it and the upper one not.
        for (lo, hi, first, last) in
            [(1.0, 2.0, 10.0, 19.0), (1.05, 2.05, 10.0, 19.0), (1.06, 2.06, 11.0, 20.0), (0.0, 99.0, 10.0, 109.0)]
        {
            let band = scale.band(lo, hi).unwrap();
            assert_eq!((band.lo, band.hi, band.closed), (first, last, true), "{unit} {lo}:{hi}");
        }
        assert!(scale.band(1.06, 1.14).is_err());
        assert!((scale.energy(12.0) - 1.25).abs() < 1e-12);
    }
    // Every channel is its own band, whatever single precision makes of its edges.
    let scale = {
        let mut file = open("tests/data/monol_testA.evt");
        file.use_response(&path).unwrap();
        file.scale.unwrap()
    };
    for i in 0..100 {
        let (lo, hi) = (f64::from(10 + i) / 10.0, f64::from(11 + i) / 10.0);
        let band = scale.band(lo, hi).unwrap();
        assert_eq!((band.lo, band.hi), (f64::from(10 + i), f64::from(10 + i)));
    }
    // RXTE's events have PHA alone.
    response(&path, "keV", "PI");
    assert!(open("examples/data/b1509.fits").use_response(&path).is_err());
    response(&path, "keV", "PHA");
    open("examples/data/b1509.fits").use_response(&path).unwrap();
    assert!(open("examples/data/b1509.fits").use_response(&crate::program::root("tests/data/nomission.evt")).is_err());
}

/// On the command line, the band of a response is the band of its channels.
#[test]
fn a_band_of_a_response_is_a_range_of_channels() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("a.rmf");
    response(&path, "keV", "PI");
    let run = |options: &[&str]| {
        let mut command = std::process::Command::new(env!("CARGO_BIN_EXE_eagleray"));
        command.args(["lc", "tests/data/monol_testA.evt", "--dt", "64", "--json", "--quiet"]).args(options);
        let output = command.current_dir(crate::program::ROOT).output().expect("the program starts");
        assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
        let value: serde_json::Value = serde_json::from_slice(&output.stdout).expect("JSON");
        (value["nphots"].as_f64(), value["inputs"][0]["channels"].clone())
    };
    let by_energy = run(&["--energy", "3:8", "--rmf", &path.display().to_string()]);
    assert_eq!(by_energy, run(&["--pi", "30:79"]));
    assert_ne!(by_energy.0, run(&[]).0);
}

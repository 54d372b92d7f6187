//! Parts of a plan: however the segments are divided, in whatever order and nesting parts are merged, and saved in between, the product has
//! the bits of one run; what does not belong together is refused.

use std::ops::Range;

use crate::common::fits_file::{Column, Folder, events, file, gti};
use crate::common::front::{cross, power, threads};
use eagleray::error::MergeError;
use eagleray::science::{Band, CrossOptions, EnergyKind, PowerOptions};
use eagleray::{
    AmplitudeDifference, Binning, Combine, CrossSpectrum, DynamicalCross, DynamicalSpectrum, EnergyBands,
    EnergyDependence, Error, Gti, InParts, Norm, Observation, PhotonBand, PlanPart, PowerSpectrum, Session,
};
use proptest::prelude::*;
use proptest::test_runner::Config;

/// Two segments a run.
const BINS: usize = 1 << 15;
const SEGMENT: f64 = 8.0;
const DT: f64 = SEGMENT / BINS as f64;

fn spectrum() -> PowerSpectrum {
    power(DT, SEGMENT, PowerOptions { norm: Norm::Frac, use_common_mean: false, ..PowerOptions::default() })
}

/// Good time of one to five segments and a half, apart, and times of photons, mostly inside; in order or not.
fn observation() -> impl Strategy<Value = (Vec<(f64, f64)>, Vec<f64>)> {
    let intervals = proptest::collection::vec((1..6u32, 1..40u32), 2..6).prop_map(|list| {
        let mut at = 8.0;
        let interval = |(segments, gap): (u32, u32)| {
            let start = at + f64::from(gap);
            at = start + f64::from(segments) * SEGMENT + 0.5 * SEGMENT;
            (start, at)
        };
        list.into_iter().map(interval).collect::<Vec<_>>()
    });
    (intervals, any::<bool>()).prop_flat_map(|(gtis, sorted)| {
        let end = (gtis.last().map_or(9.0, |g| g.1) as u64 + 1) << 20;
        let times = proptest::collection::vec((8u64 << 20)..end, 400..2000);
        let times = times.prop_map(move |mut ticks| {
            if sorted {
                ticks.sort_unstable();
            }
            ticks.into_iter().map(|k| k as f64 / 2f64.powi(20)).collect::<Vec<f64>>()
        });
        (Just(gtis), times)
    })
}

/// An observation as a file of the folder, some time later.
fn write(folder: &Folder, name: &str, (gtis, times): &(Vec<(f64, f64)>, Vec<f64>), later: f64) -> std::path::PathBuf {
    let gtis: Vec<(f64, f64)> = gtis.iter().map(|(a, b)| (a + later, b + later)).collect();
    let times: Vec<f64> = times.iter().map(|t| t + later).collect();
    folder.write(name, &file(&[events(vec![Column::f64("TIME", &times)]), gti(&gtis)]))
}

/// Merges parts two by two, chosen by `picks`, each through its written form.
fn merged(mut parts: Vec<PlanPart>, picks: &[usize]) -> PlanPart {
    let mut picks = picks.iter().cycle();
    while parts.len() > 1 {
        let mut take = || {
            let part = parts.swap_remove(picks.next().unwrap() % parts.len());
            let saved = serde_json::to_string(&part).unwrap();
            let read: PlanPart = serde_json::from_str(&saved).unwrap();
            assert!(read == part, "what is written is what is read");
            read
        };
        let (mut one, other) = (take(), take());
        one.merge(other).unwrap();
        parts.push(one);
    }
    parts.remove(0)
}

/// The sums of `count` parts, merged.
fn in_parts<A: InParts>(
    session: &Session,
    analysis: &A,
    of: &Observation,
    count: u64,
    picks: &[usize],
) -> (PlanPart, u64) {
    let ranges = session.parts(analysis, of, count).unwrap();
    let parts = ranges.iter().map(|segments| session.part(analysis, of, segments.clone()).unwrap());
    (merged(parts.collect(), picks), ranges.last().unwrap().end)
}

fn bits(columns: &[&[f64]]) -> Vec<u64> {
    columns.iter().flat_map(|column| column.iter().map(|x| x.to_bits())).collect()
}

proptest! {
    #![proptest_config(Config { cases: 12, failure_persistence: None, ..Config::default() })]

    #[test]
    fn merging_in_any_order_and_nesting_gives_the_bits_of_one_run(
        a in observation(),
        b in observation(),
        combine in prop_oneof![Just(Combine::Average), Just(Combine::Merge)],
        count in 1..9u64,
        picks in proptest::collection::vec(0..100usize, 16),
    ) {
        let folder = Folder::new();
        let later = if combine == Combine::Average { 4000.0 } else { 0.0 };
        let files = [write(&folder, "a", &a, 0.0), write(&folder, "b", &b, later)];
        let observation = || Observation::open(&files).unwrap().combine(combine);
        let (session, analysis) = (threads(2), spectrum());
        // Merged observations may have no segment in common, or no photon in one.
        let Ok(expected) = session.run(&analysis, &observation()) else { return Ok(()) };
        let (all, segments) = in_parts(&session, &analysis, &observation(), count, &picks);
        prop_assert_eq!(all.segments().unwrap(), vec![0..segments]);
        let found = session.finish(&analysis, &observation(), all).unwrap();
        let columns = |s: &eagleray::science::AveragedPowerSpectrum| bits(&[&s.power, &s.unnorm_power, &s.power_err]);
        prop_assert!(columns(&found) == columns(&expected));
        let (p, q) = (&found.meta.record, &expected.meta.record);
        prop_assert_eq!(&p.photons, &q.photons);
        prop_assert!(p.photons.is_exact(), "{}", p.photons);
        prop_assert_eq!((&p.inputs, &p.device, &p.gti, &p.options), (&q.inputs, &q.device, &q.gti, &q.options));
    }

    #[test]
    fn parts_of_full_cross_spectra_give_the_bits_of_one_run(
        a in observation(),
        b in observation(),
        count in 1..6u64,
        picks in proptest::collection::vec(0..100usize, 16),
    ) {
        let folder = Folder::new();
        let [a, b] = [write(&folder, "a", &a, 0.0), write(&folder, "b", &b, 0.0)];
        let pair = Observation::pair(Observation::open([&a]).unwrap(), Observation::open([&b]).unwrap()).unwrap();
        let analysis = cross(DT, SEGMENT, CrossOptions { fullspec: true, ..CrossOptions::default() });
        let session = threads(2);
        let Ok(expected) = session.run(&analysis, &pair) else { return Ok(()) };
        let found = session.finish(&analysis, &pair, in_parts(&session, &analysis, &pair, count, &picks).0).unwrap();
        let columns =
            |s: &eagleray::science::AveragedCrossSpectrum| bits(&[&s.freq, &s.power_re, &s.power_im, &s.power1, &s.power2]);
        prop_assert!(columns(&found) == columns(&expected));
        prop_assert_eq!(&found.meta.record.photons, &expected.meta.record.photons);
    }
}

/// Ten runs in one interval, with 20,000 photons.
fn ten_runs(folder: &Folder, name: &str) -> Observation {
    let times: Vec<f64> = (0..20_000).map(|i| 0.008 * f64::from(i) + 1e-4 * f64::from(i % 7)).collect();
    Observation::open([write(folder, name, &(vec![(0.0, 160.0)], times), 0.0)]).unwrap()
}

#[test]
fn overlaps_are_refused_at_every_level_and_change_nothing() {
    let folder = Folder::new();
    let (observation, session, analysis) = (ten_runs(&folder, "a"), threads(2), spectrum());
    let of = |segments: Range<u64>| session.part(&analysis, &observation, segments).unwrap();
    // Runs 0 to 3 are one node.
    let first = of(0..8);
    for (segments, shared) in [(0..8, 0..8), (2..4, 2..4), (6..12, 6..8), (0..20, 0..8)] {
        let mut sums = first.clone();
        assert_eq!(sums.merge(of(segments)), Err(MergeError::Overlap { segments: shared }));
        assert_eq!(sums, first);
    }
    // A node above those that are summed.
    let (mut low, high) = (of(2..4), of(0..8));
    assert_eq!(low.merge(high), Err(MergeError::Overlap { segments: 2..4 }));
    low.merge(of(8..20)).unwrap();
    assert_eq!(low.segments().unwrap(), [2..4, 8..20]);
    let missing = |part: PlanPart| match session.finish(&analysis, &observation, part) {
        Err(Error::Merge(MergeError::Missing { segments })) => segments,
        other => panic!("{other:?}"),
    };
    assert_eq!(missing(low.clone()), 0..2);
    low.merge(of(0..2)).unwrap();
    assert_eq!(missing(low.clone()), 4..8);
    assert_eq!(missing(of(0..18)), 18..20);
    low.merge(of(4..8)).unwrap();
    session.finish(&analysis, &observation, low).unwrap();
}

#[test]
fn parts_that_do_not_belong_together_are_refused_by_what_they_differ_in() {
    let folder = Folder::new();
    let (observation, session, analysis) = (ten_runs(&folder, "a"), threads(2), spectrum());
    let part = |segments: Range<u64>| session.part(&analysis, &observation, segments);
    let mut whole = part(0..10).unwrap();
    let differs = |result: Result<(), MergeError>| match result {
        Err(MergeError::OtherPlan { field, ours, theirs }) => {
            assert_ne!(ours, theirs);
            field
        }
        other => panic!("{other:?}"),
    };
    let plain = power(DT, SEGMENT, PowerOptions::default());
    let found = whole.merge(session.part(&plain, &observation, 10..20).unwrap());
    assert!(["values", "quantity"].contains(&differs(found).as_str()));
    let coarse = spectrum().dt(2.0 * DT);
    let found = whole.merge(session.part(&coarse, &observation, 8..20).unwrap());
    assert!(["run_length", "values", "n"].contains(&differs(found).as_str()));
    // The same times under another name, and another file.
    let copy = ten_runs(&folder, "b");
    assert_eq!(differs(whole.merge(session.part(&analysis, &copy, 10..20).unwrap())), "input 1");
    // Forms that are not known.
    let mut saved = serde_json::to_value(part(10..20).unwrap()).unwrap();
    let read = |saved: &serde_json::Value| serde_json::from_value::<PlanPart>(saved.clone()).unwrap();
    saved["version"] = 2.into();
    assert_eq!(whole.merge(read(&saved)), Err(MergeError::OtherVersion { ours: 1, theirs: 2 }));
    saved["version"] = 1.into();
    saved["definition"] = 7.into();
    assert_eq!(whole.merge(read(&saved)), Err(MergeError::OtherDefinition { ours: 2, theirs: 7 }));
    saved["definition"] = 2.into();
    let good = saved.clone();
    for (field, value) in [("level", 63u64), ("level", 64), ("index", u64::MAX), ("index", 10)] {
        saved["nodes"][0][field] = value.into();
        assert_eq!(whole.merge(read(&saved)), Err(MergeError::Malformed), "{field} {value}");
        saved = good.clone();
    }
    saved["nodes"][0]["sums"]["power"] = vec![1.0].into();
    assert_eq!(whole.merge(read(&saved)), Err(MergeError::Malformed));
    // Sums of another number of series, or of weights.
    for list in ["series", "weights"] {
        saved = good.clone();
        saved["nodes"][0]["sums"][list].as_array_mut().unwrap().clear();
        assert_eq!(whole.merge(read(&saved)), Err(MergeError::Malformed), "{list}");
    }
    let first = good["nodes"][0].clone();
    saved = good.clone();
    saved["nodes"].as_array_mut().unwrap().push(first);
    assert_eq!(whole.merge(read(&saved)), Err(MergeError::Malformed));
    whole.merge(read(&good)).unwrap();
    session.finish(&analysis, &observation, whole).unwrap();
    let cut = part(1..20).unwrap_err();
    assert!(cut.to_string().contains("whole runs of 2"), "{cut}");
}

/// Of the products with several series, or whose segments are kept apart: three parts, merged back to front.
#[test]
fn parts_of_other_products_give_the_bits_of_one_run() {
    let folder = Folder::new();
    let times: Vec<f64> = (0..20_000).map(|i| 0.008 * f64::from(i) + 1e-4 * f64::from(i % 7)).collect();
    let channels: Vec<i16> = (0..times.len()).map(|i| (i * 7 % 100) as i16).collect();
    let table = events(vec![Column::f64("TIME", &times), Column::i16("PI", &channels)]);
    let path = folder.write("file.evt", &file(&[table, gti(&[(0.0, 160.0)])]));
    let (session, observation) = (threads(2), Observation::open([path]).unwrap());
    let all = |part: (PlanPart, u64)| part.0;
    let band = |lo, hi| Band { lo, hi };

    let subjects = vec![band(20.0, 40.0), band(41.0, 60.0), band(0.0, 5.0)];
    let bands = EnergyBands { reference: band(10.0, 90.0), subjects, channels: true };
    let analysis = EnergyDependence::new(EnergyKind::Covariance, bands).freq([0.5, 100.0]).dt(DT).segment_size(SEGMENT);
    let expected = session.run(&analysis, &observation).unwrap();
    let part = all(in_parts(&session, &analysis, &observation, 3, &[1]));
    let found = session.finish(&analysis, &observation, part).unwrap();
    assert_eq!(bits(&[&found.value, &found.value_err]), bits(&[&expected.value, &expected.value_err]));

    let sides = [PhotonBand::Channels(0.0, 49.0), PhotonBand::Channels(50.0, 99.0)];
    let mut analysis = AmplitudeDifference::default().dt(DT).segment_size(SEGMENT);
    analysis.bands = Some(sides);
    let expected = session.run(&analysis, &observation).unwrap();
    let part = all(in_parts(&session, &analysis, &observation, 3, &[1]));
    let found = session.finish(&analysis, &observation, part).unwrap();
    assert_eq!(bits(&[&found.power1, &found.power_re]), bits(&[&expected.power1, &expected.power_re]));

    let analysis = DynamicalSpectrum::default().spectrum(spectrum());
    let expected = session.run(&analysis, &observation).unwrap();
    let part = all(in_parts(&session, &analysis, &observation, 3, &[1]));
    let found = session.finish(&analysis, &observation, part).unwrap();
    assert_eq!(bits(&[&found.power]), bits(&[&expected.power]));
    assert_eq!((found.axes.shape(), found.axes.shape().0), (expected.axes.shape(), 20));
    assert_eq!(found.meta.record.photons, expected.meta.record.photons);

    let spectrum = CrossSpectrum::default().bands(sides).dt(DT).segment_size(SEGMENT);
    let analysis = DynamicalCross::default().spectrum(spectrum);
    let expected = session.run(&analysis, &observation).unwrap();
    let part = all(in_parts(&session, &analysis, &observation, 3, &[1]));
    let found = session.finish(&analysis, &observation, part).unwrap();
    assert_eq!(bits(&[&found.power_re, &found.power1]), bits(&[&expected.power_re, &expected.power1]));
    assert_eq!(found.meta.record.photons, expected.meta.record.photons);
}

/// Segments of light curves are in memory, and not summed in parts.
#[test]
fn light_curves_have_no_parts() {
    let session = threads(1);
    let times = Observation::times(vec![0.5; 9], Gti::from_seconds(&[(0.0, 9.0)]).unwrap());
    let curve = session.run(&Binning::default().dt(1.0), &times).unwrap();
    let refused = session.part(&PowerSpectrum::default(), &Observation::light_curves([curve]), 0..1);
    assert!(matches!(refused, Err(Error::Input { .. })), "{refused:?}");
}

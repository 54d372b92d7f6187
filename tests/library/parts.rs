//! Parts of a plan: however the segments are divided, in whatever order and nesting parts are merged, and saved in between, the product has
//! the bits of one run; what does not belong together is refused.

use std::ops::Range;

use crate::common::fits_file::{Column, Folder, cpu, events, file, gti};
use eagleray::data::ChannelRange;
use eagleray::engine::{
    EnergyPlan, Plan, PlanPart, cross_spectrum_of_part, dynamical_spectrum_of_part, energy_spectrum_of_part,
    fad_of_part, part_of_cross_spectrum, part_of_dynamical_spectrum, part_of_energy_spectrum, part_of_fad,
    part_of_spectrum, spectrum_of_part,
};
use eagleray::{
    Backend, Band, Combine, CrossOptions, CrossSpectrumOptions, DynamicalOptions, EnergyBands, EnergyKind,
    EnergySpectrumOptions, Error, EventFile, EventPair, Events, FadPlanOptions, MergeError, Norm, OpenOptions,
    PowerOptions, PowerSpectrumOptions, Progress, Selection, TimeRebin, Warnings, cross_spectrum_of_events,
    dynamical_spectrum_of_events, energy_spectrum_of_events, fad_of_events, spectrum_of_events,
};
use proptest::prelude::*;
use proptest::test_runner::Config;

/// Two segments a run.
const BINS: usize = 1 << 15;
const SEGMENT: f64 = 8.0;

fn options(combine: Combine) -> PowerSpectrumOptions {
    let power = PowerOptions { norm: Norm::Frac, use_common_mean: false, ..PowerOptions::default() };
    let dt = Some(SEGMENT / BINS as f64);
    PowerSpectrumOptions { dt, segment_size: Some(SEGMENT), combine, power, ..PowerSpectrumOptions::default() }
}

fn cross_options() -> CrossSpectrumOptions {
    let cross = CrossOptions { fullspec: true, ..CrossOptions::default() };
    let (dt, segment_size) = (Some(SEGMENT / BINS as f64), Some(SEGMENT));
    CrossSpectrumOptions { dt, segment_size, cross, ..CrossSpectrumOptions::default() }
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

/// An observation as a file; every other one is some time later.
fn write(folder: &Folder, name: &str, (gtis, times): &(Vec<(f64, f64)>, Vec<f64>), later: f64) -> EventFile {
    let gtis: Vec<(f64, f64)> = gtis.iter().map(|(a, b)| (a + later, b + later)).collect();
    let times: Vec<f64> = times.iter().map(|t| t + later).collect();
    let bytes = file(&[events(vec![Column::f64("TIME", &times)]), gti(&gtis)]);
    let path = folder.write(name, &bytes);
    EventFile::open(&path, &OpenOptions::default(), &mut Warnings::default()).unwrap()
}

fn inputs(files: &[EventFile]) -> Vec<Events<'_>> {
    files.iter().map(|file| Events::from_unread_file(file, Selection::default()).unwrap()).collect()
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

fn bits(columns: &[&[f64]]) -> Vec<u64> {
    columns.iter().flat_map(|column| column.iter().map(|x| x.to_bits())).collect()
}

fn part(files: &[EventFile], combine: Combine, segments: Range<u64>) -> eagleray::Result<PlanPart> {
    let mut warnings = Warnings::default();
    part_of_spectrum(inputs(files), &options(combine), segments, &mut cpu(), &mut warnings, &Progress::default())
}

fn ranges(files: &[EventFile], combine: Combine, count: u64) -> Vec<Range<u64>> {
    Plan::new(&inputs(files), &options(combine), &mut Warnings::default()).unwrap().parts(count)
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
        let whole = |backend: &mut dyn Backend| {
            let (options, told) = (options(combine), Progress::default());
            spectrum_of_events(inputs(&files), &options, backend, Warnings::default(), &told)
        };
        // Merged observations may have no segment in common, or no photon in one.
        let Ok(expected) = whole(&mut cpu()) else { return Ok(()) };
        let ranges = ranges(&files, combine, count);
        let parts = ranges.iter().map(|segments| part(&files, combine, segments.clone()).unwrap());
        let all = merged(parts.collect(), &picks);
        prop_assert_eq!(all.segments().unwrap(), vec![0..ranges.last().unwrap().end]);
        let found = spectrum_of_part(all, inputs(&files), &options(combine), Warnings::default()).unwrap();
        let columns = |s: &eagleray::AveragedPowerSpectrum| bits(&[&s.power, &s.unnorm_power, &s.power_err]);
        prop_assert!(columns(&found) == columns(&expected));
        let (p, q) = (&found.meta.record, &expected.meta.record);
        prop_assert_eq!(&p.photons, &q.photons);
        prop_assert!(p.photons.is_exact(), "{}", p.photons);
        prop_assert_eq!((&p.inputs, &p.device, &p.gti), (&q.inputs, &q.device, &q.gti));
    }

    #[test]
    fn parts_of_full_cross_spectra_give_the_bits_of_one_run(
        a in observation(),
        b in observation(),
        count in 1..6u64,
        picks in proptest::collection::vec(0..100usize, 16),
    ) {
        let folder = Folder::new();
        let files = [write(&folder, "a", &a, 0.0), write(&folder, "b", &b, 0.0)];
        let pairs = || {
            let mut both = inputs(&files).into_iter();
            vec![EventPair { subject: both.next().unwrap(), reference: both.next().unwrap() }]
        };
        let (options, told) = (cross_options(), Progress::default());
        let whole = cross_spectrum_of_events(pairs(), false, &options, &mut cpu(), Warnings::default(), &told);
        let Ok(expected) = whole else { return Ok(()) };
        let (plan, _) = options.plan(pairs(), false, &mut Warnings::default()).unwrap();
        let part = |segments| {
            let mut warnings = Warnings::default();
            part_of_cross_spectrum(pairs(), false, &options, segments, &mut cpu(), &mut warnings, &told).unwrap()
        };
        let all = merged(plan.parts(count).into_iter().map(part).collect(), &picks);
        let found = cross_spectrum_of_part(all, pairs(), false, &options, Warnings::default()).unwrap();
        let columns = |s: &eagleray::AveragedCrossSpectrum| bits(&[&s.freq, &s.power_re, &s.power_im, &s.power1, &s.power2]);
        prop_assert!(columns(&found) == columns(&expected));
        prop_assert_eq!(&found.meta.record.photons, &expected.meta.record.photons);
    }
}

/// A file of ten runs in one interval, with 20,000 photons.
fn ten_runs(folder: &Folder, name: &str) -> EventFile {
    let times: Vec<f64> = (0..20_000).map(|i| 0.008 * f64::from(i) + 1e-4 * f64::from(i % 7)).collect();
    write(folder, name, &(vec![(0.0, 160.0)], times), 0.0)
}

#[test]
fn overlaps_are_refused_at_every_level_and_change_nothing() {
    let folder = Folder::new();
    let files = [ten_runs(&folder, "a")];
    let of = |segments: Range<u64>| part(&files, Combine::Average, segments).unwrap();
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
    let missing = |part: PlanPart| match spectrum_of_part(
        part,
        inputs(&files),
        &options(Combine::Average),
        Warnings::default(),
    ) {
        Err(Error::Merge(MergeError::Missing { segments })) => segments,
        other => panic!("{other:?}"),
    };
    assert_eq!(missing(low.clone()), 0..2);
    low.merge(of(0..2)).unwrap();
    assert_eq!(missing(low.clone()), 4..8);
    assert_eq!(missing(of(0..18)), 18..20);
    low.merge(of(4..8)).unwrap();
    spectrum_of_part(low, inputs(&files), &options(Combine::Average), Warnings::default()).unwrap();
}

#[test]
fn parts_that_do_not_belong_together_are_refused_by_what_they_differ_in() {
    let folder = Folder::new();
    let files = [ten_runs(&folder, "a")];
    let mut whole = part(&files, Combine::Average, 0..10).unwrap();
    let other = |inputs: Vec<Events>, options: PowerSpectrumOptions| {
        let (mut warnings, told) = (Warnings::default(), Progress::default());
        part_of_spectrum(inputs, &options, 10..20, &mut cpu(), &mut warnings, &told).unwrap()
    };
    let differs = |result: Result<(), MergeError>| match result {
        Err(MergeError::OtherPlan { field, ours, theirs }) => {
            assert_ne!(ours, theirs);
            field
        }
        other => panic!("{other:?}"),
    };
    let asked = options(Combine::Average);
    let plain = PowerOptions::default();
    let found = whole.merge(other(inputs(&files), PowerSpectrumOptions { power: plain, ..asked.clone() }));
    assert!(["values", "quantity"].contains(&differs(found).as_str()));
    let coarse = PowerSpectrumOptions { dt: Some(2.0 * SEGMENT / BINS as f64), ..asked.clone() };
    let found = whole.merge(part_of(&files, &coarse, 8..20));
    assert!(["run_length", "values", "n"].contains(&differs(found).as_str()));
    // The same times under another name, and another file.
    let copy = [ten_runs(&folder, "b")];
    assert_eq!(differs(whole.merge(other(inputs(&copy), asked.clone()))), "input 1");
    // Forms that are not known.
    let mut saved = serde_json::to_value(part(&files, Combine::Average, 10..20).unwrap()).unwrap();
    let read = |saved: &serde_json::Value| serde_json::from_value::<PlanPart>(saved.clone()).unwrap();
    saved["version"] = 2.into();
    assert_eq!(whole.merge(read(&saved)), Err(MergeError::OtherVersion { ours: 1, theirs: 2 }));
    saved["version"] = 1.into();
    saved["definition"] = 7.into();
    assert_eq!(whole.merge(read(&saved)), Err(MergeError::OtherDefinition { ours: 1, theirs: 7 }));
    saved["definition"] = 1.into();
    let good = saved.clone();
    for (field, value) in [("level", 63u64), ("level", 64), ("index", u64::MAX), ("index", 10)] {
        saved["nodes"][0][field] = value.into();
        assert_eq!(whole.merge(read(&saved)), Err(MergeError::Malformed), "{field} {value}");
        saved = good.clone();
    }
    saved["nodes"][0]["sums"]["power"] = vec![1.0].into();
    assert_eq!(whole.merge(read(&saved)), Err(MergeError::Malformed));
    let first = good["nodes"][0].clone();
    saved = good.clone();
    saved["nodes"].as_array_mut().unwrap().push(first);
    assert_eq!(whole.merge(read(&saved)), Err(MergeError::Malformed));
    whole.merge(read(&good)).unwrap();
    spectrum_of_part(whole, inputs(&files), &asked, Warnings::default()).unwrap();
    let cut = part(&files, Combine::Average, 1..20).unwrap_err();
    assert!(cut.to_string().contains("whole runs of 2"), "{cut}");
}

fn part_of(files: &[EventFile], options: &PowerSpectrumOptions, segments: Range<u64>) -> PlanPart {
    let (mut warnings, told) = (Warnings::default(), Progress::default());
    part_of_spectrum(inputs(files), options, segments, &mut cpu(), &mut warnings, &told).unwrap()
}

/// Of the products with several series, or whose segments are kept apart: three parts, merged back to front.
#[test]
fn parts_of_other_products_give_the_bits_of_one_run() {
    let folder = Folder::new();
    let times: Vec<f64> = (0..20_000).map(|i| 0.008 * f64::from(i) + 1e-4 * f64::from(i % 7)).collect();
    let channels: Vec<i16> = (0..times.len()).map(|i| (i * 7 % 100) as i16).collect();
    let table = events(vec![Column::f64("TIME", &times), Column::i16("PI", &channels)]);
    let (file, _) = folder.open(&file(&[table, gti(&[(0.0, 160.0)])]), &OpenOptions::default()).unwrap();
    let (told, dt, segment_size) = (Progress::default(), Some(SEGMENT / BINS as f64), Some(SEGMENT));
    let nothing = Warnings::default;
    let all = |parts: Vec<PlanPart>| merged(parts.into_iter().rev().collect(), &[1]);
    let band = |lo, hi| ChannelRange::channels(lo, hi);

    let ranges = [band(10.0, 90.0), band(20.0, 40.0), band(41.0, 60.0), band(0.0, 5.0)];
    let named = |range: &ChannelRange| Band { lo: range.lo, hi: range.hi };
    let subjects = ranges[1..].iter().map(named).collect();
    let bands = EnergyBands { reference: named(&ranges[0]), subjects, channels: true };
    let options = EnergySpectrumOptions::new(EnergyKind::Covariance, Some([0.5, 100.0]));
    let options = EnergySpectrumOptions { dt, segment_size, ..options };
    let input = || vec![Events::from_bands(&file, &ranges, None).unwrap()];
    let expected = energy_spectrum_of_events(input(), &bands, &options, &mut cpu(), nothing(), &told).unwrap();
    let plan = EnergyPlan::new(&input(), &bands, &options, &mut nothing()).unwrap().plan;
    let part =
        |range| part_of_energy_spectrum(input(), &bands, &options, range, &mut cpu(), &mut nothing(), &told).unwrap();
    let parts = all(plan.parts(3).into_iter().map(part).collect());
    let found = energy_spectrum_of_part(parts, input(), &bands, &options, nothing()).unwrap();
    assert_eq!(bits(&[&found.value, &found.value_err]), bits(&[&expected.value, &expected.value_err]));

    let pair = || {
        let side = |lo, hi| {
            Events::from_unread_file(&file, Selection { channels: Some(band(lo, hi)), detectors: None }).unwrap()
        };
        vec![EventPair { subject: side(0.0, 49.0), reference: side(50.0, 99.0) }]
    };
    let options = FadPlanOptions { dt, segment_size, ..FadPlanOptions::default() };
    let expected = fad_of_events(pair(), &options, &mut cpu(), nothing(), &told).unwrap();
    let plan = options.plan(pair(), &mut nothing()).unwrap().0;
    let part = |range| part_of_fad(pair(), &options, range, &mut cpu(), &mut nothing(), &told).unwrap();
    let parts = all(plan.parts(3).into_iter().map(part).collect());
    let found = fad_of_part(parts, pair(), &options, nothing()).unwrap();
    assert_eq!(bits(&[&found.power1, &found.power_re]), bits(&[&expected.power1, &expected.power_re]));

    let options = DynamicalOptions { spectrum: crate::parts::options(Combine::Average), time: TimeRebin::default() };
    let input = || vec![Events::from_unread_file(&file, Selection::default()).unwrap()];
    let expected = dynamical_spectrum_of_events(input(), &options, &mut cpu(), nothing(), &told).unwrap();
    let plan = options.plan(&input(), &mut nothing()).unwrap();
    let part = |range| part_of_dynamical_spectrum(input(), &options, range, &mut cpu(), &mut nothing(), &told).unwrap();
    let parts = all(plan.parts(3).into_iter().map(part).collect());
    let found = dynamical_spectrum_of_part(parts, input(), &options, nothing()).unwrap();
    assert_eq!(bits(&[&found.power]), bits(&[&expected.power]));
    assert_eq!((found.axes.shape(), found.axes.shape().0), (expected.axes.shape(), 20));
    assert_eq!(found.meta.record.photons, expected.meta.record.photons);
}

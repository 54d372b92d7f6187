//! Weighted events: read beside their times whatever the order of rows, refused where they are none, and worth what they say.

use crate::common::fits_file;
use std::f64::consts::TAU;
use std::path::Path;

use crate::common::fits_file::{Column, Folder, codes, file, gti};
use crate::common::pulses::{cpu, events, pulsar};
use eagleray::Combine;
use eagleray::data::ChannelRange;
use eagleray::data::phase::Spin;
use eagleray::files::{EventFile, OpenOptions};
use eagleray::internal::Progress;
use eagleray::internal::engine::pulsation::{PulseEvents, accel, fold, harmonics, search};
use eagleray::internal::engine::{Events, Weights};
use eagleray::internal::io::Selection;
use eagleray::internal::kernels::fold::bin_of;
use eagleray::internal::random::Random;
use eagleray::pulsation::{AccelOptions, Algorithm, Ephemeris, FoldOptions, SearchOptions, SearchStatistic};
use eagleray::science::statistics::profile::ProfileChiSquare;
use eagleray::science::statistics::pulse::TrialLaw;
use eagleray::time::DoubleDouble;
use eagleray::{Result, Warnings};

const GOOD: [(f64, f64); 2] = [(0.0, 400.0), (450.0, 1000.0)];

/// A file of these columns, and no other file of this test.
fn written(columns: Vec<Column>) -> (Folder, std::path::PathBuf) {
    let folder = Folder::new();
    let path = folder.write("file.evt", &file(&[gti(&GOOD), fits_file::events(columns)]));
    (folder, path)
}

fn read_of(path: &Path, column: &str, selection: Selection, chunk: usize) -> Result<PulseEvents> {
    let mut warnings = Warnings::default();
    let opened = EventFile::open(path, &OpenOptions::default(), &mut warnings)?;
    let inputs = vec![Events::from_unread_file(&opened, selection)?.weighted(column)?];
    PulseEvents::read(inputs, Combine::Average, None, chunk, warnings, &Progress::default())
}

fn read(path: &Path) -> Result<PulseEvents> {
    read_of(path, "WEIGHT", Selection::default(), 1 << 18)
}

fn weighted(events: PulseEvents, values: Vec<f64>) -> PulseEvents {
    PulseEvents { weights: Some(Weights::new("W", values, &mut Warnings::default()).unwrap()), ..events }
}

fn searched(events: &PulseEvents, asked: &SearchOptions) -> eagleray::pulsation::SearchResult {
    search(events.clone(), asked, cpu().as_mut(), &Progress::default()).unwrap()
}

/// `Σ w·exp(2πi·h·φ)` of `φ = f·t + ḟ·t²/2`, h = 1 …, as the formula has it: cosines and sines.
fn direct(times: &[f64], weights: &[f64], [f, fdot]: [f64; 2], harmonics: usize) -> Vec<[f64; 2]> {
    let of = |h: usize| {
        times.iter().zip(weights).fold([0.0; 2], |[re, im], (t, w)| {
            let angle = TAU * h as f64 * (f * t + 0.5 * fdot * t * t).fract();
            [re + w * angle.cos(), im + w * angle.sin()]
        })
    };
    (1..=harmonics).map(of).collect()
}

fn z2_of(sums: &[[f64; 2]], weights: &[f64]) -> Vec<f64> {
    let scale = 2.0 / weights.iter().map(|w| w * w).sum::<f64>();
    let add = |sum: &mut f64, [re, im]: &[f64; 2]| {
        *sum += scale * (re * re + im * im);
        Some(*sum)
    };
    sums.iter().scan(0.0, add).collect()
}

#[test]
fn statistics_are_those_of_direct_summation() {
    let mut random = Random::new(31);
    let truth = [7.03, 2e-6];
    let times: Vec<f64> = pulsar(&mut random, 3.0, 1000.0, 0.4, truth);
    let values: Vec<f64> = times.iter().map(|_| random.uniform().powi(3) * 2.5).collect();
    let (_folder, path) = written(vec![Column::f64("TIME", &times), Column::f64("WEIGHT", &values)]);
    let events = read(&path).unwrap();
    let inside = |t: f64| GOOD.iter().any(|&(a, b)| t >= a && t < b);
    let kept: Vec<(f64, f64)> = times.iter().copied().zip(values).filter(|(t, _)| inside(*t)).collect();
    let epoch = events.ticks.reference().value();
    let (t, w): (Vec<f64>, Vec<f64>) = kept.iter().map(|(t, w)| (t - epoch, w)).unzip();
    assert_eq!((events.times.len(), events.each_weight()), (t.len(), Some(&w[..])));
    let photons = &events.record.photons;
    assert!(photons.is_exact() && photons.used == t.len() as u64 && photons.outside_gti > 50, "{photons}");
    let [one, two, four] = [1, 2, 4].map(|k| w.iter().map(|w| w.powi(k)).sum::<f64>());
    let all = &events.weights.as_ref().unwrap().all;
    let same = |a: f64, b: f64| assert!((a / b - 1.0).abs() < 1e-12, "{a} {b}");
    same(all.sum, one);
    same(all.squares, two);
    same(all.effective_events, one * one / two);
    same(all.noise_events, two * two / four);
    // What the width of peaks depends on, by the squares.
    let mean = t.iter().zip(&w).map(|(t, w)| w * w * t).sum::<f64>() / two;
    let variance = t.iter().zip(&w).map(|(t, w)| w * w * (t - mean).powi(2)).sum::<f64>() / two;
    assert!((events.time_deviation() / variance.sqrt() - 1.0).abs() < 1e-9);

    // Every trial, by gridding: within what docs/pulsations.md says, δZ² ≤ 2.9e-6·√(N·Z²) of N effective events.
    for (method, nharm) in [(SearchStatistic::Z2, 3), (SearchStatistic::H, 2)] {
        let fdot = Some((-4e-6, 4e-6));
        let asked = SearchOptions { freq: (7.025, 7.035), fdot, method, nharm, ..SearchOptions::default() };
        let found = searched(&events, &asked);
        for j in (0..found.freq.len()).step_by(7) {
            let z2 = z2_of(&direct(&t, &w, [found.freq[j], found.fdot[j]], 20), &w);
            let expected = match method {
                SearchStatistic::H => (0..20).map(|m| z2[m] - 4.0 * m as f64).fold(f64::MIN, f64::max),
                _ => z2[nharm - 1],
            };
            let bound = 2.9e-6 * (all.effective_events * z2[19]).sqrt() + 1e-6;
            assert!((found.stat[j] - expected).abs() < bound, "{method:?} {j}: {} {expected}", found.stat[j]);
        }
        let best = &found.candidates[0];
        let z2 = z2_of(&direct(&t, &w, [best.freq, best.fdot], 20), &w);
        // The largest value is within the error of the frequency, which is where the harmonics that are signal have most power.
        let at_freq = z2[nharm - 1] / best.stat;
        assert!((0.97..1.0 + 1e-6).contains(&at_freq) || method == SearchStatistic::H, "{best:?} {at_freq}");
        assert!((best.freq - truth[0]).abs() < 4.0 * best.freq_err && best.log10_p < -10.0, "{best:?}");
        assert!(method == SearchStatistic::H || best.stat >= best.grid_stat * (1.0 - 1e-6), "{best:?}");
        // Of the weighted rate: all events pulse, so its fraction is theirs, whatever they weigh.
        assert!((best.rms - 0.4 / 2f64.sqrt()).abs() < 0.05, "{best:?}");
        assert_eq!(found.meta.weights.as_ref(), Some(all));
        let limit = found.meta.pulsed_upper_limit;
        assert!(method == SearchStatistic::H || limit.is_some_and(|limit| limit > 0.4 && limit < 0.55), "{limit:?}");
    }

    // Epoch folding, against the exposures.
    let asked =
        SearchOptions { freq: (7.025, 7.035), method: SearchStatistic::Ef, nbin: 16, ..SearchOptions::default() };
    let asked = SearchOptions { fdot: Some((-4e-6, 4e-6)), ..asked };
    let found = searched(&events, &asked);
    let step = Spin::from_frequency(found.meta.df, &events.ticks).unwrap();
    let chi2 = |spin: &Spin| {
        let mut profile = [0.0; 16];
        events.times.iter().zip(&w).for_each(|(&t, w)| profile[bin_of(spin.phase(t), 16)] += w);
        let exposed = eagleray::internal::engine::pulsation::exposure::exposure(spin, &events.ticks, &events.gti, 16);
        let good: f64 = exposed.iter().sum();
        let term = |(sum, e): (&f64, &f64)| (sum - one * e / good).powi(2) / (two * e / good);
        profile.iter().zip(&exposed).map(term).sum::<f64>()
    };
    for j in (0..found.freq.len()).step_by(7) {
        let start = Ephemeris::new(events.ticks.reference(), 7.025, found.fdot[j], 0.0);
        let expected = chi2(&Spin::new(&start, &events.ticks).unwrap().stepped(&step, j as i64));
        assert!((found.stat[j] - expected).abs() < 1e-7 * (1.0 + expected), "{j}: {} {expected}", found.stat[j]);
    }
    let best = &found.candidates[0];
    assert!((best.freq - truth[0]).abs() < 4.0 * best.freq_err && best.log10_p < -10.0, "{best:?}");
    let at = Ephemeris::new(events.ticks.reference(), best.freq, best.fdot, 0.0);
    let expected = chi2(&Spin::new(&at, &events.ticks).unwrap());
    assert!((best.stat / expected - 1.0).abs() < 1e-6, "{best:?} {expected}");

    let ephemeris = Ephemeris::new(events.ticks.reference(), truth[0], truth[1], 0.0);
    let asked = FoldOptions { ephemeris, nbin: 16, nharm: 3, background: 0.0 };
    let profile = fold::fold(&events, &asked, cpu().as_mut(), &Progress::default()).unwrap();
    let z2 = z2_of(&direct(&t, &w, truth, 20), &w);
    assert!((profile.meta.z2 / z2[2] - 1.0).abs() < 1e-8, "{} {}", profile.meta.z2, z2[2]);
    let h = (0..20).map(|m| z2[m] - 4.0 * m as f64).fold(f64::MIN, f64::max);
    assert!((profile.meta.h / h - 1.0).abs() < 1e-8);
    let mut bins = vec![[0.0; 3]; 16];
    for (t, w) in t.iter().zip(&w) {
        let phase = (truth[0] * t + 0.5 * truth[1] * t * t).rem_euclid(1.0);
        let bin = &mut bins[(16.0 * phase) as usize];
        *bin = [bin[0] + 1.0, bin[1] + w, bin[2] + w * w];
    }
    let [sums, errors] = profile.weight.as_ref().unwrap();
    let seconds = profile.meta.exposure_total / 16.0;
    let mut chi2 = 0.0;
    for (b, [count, sum, square]) in bins.iter().enumerate() {
        assert_eq!(profile.counts[b], *count as u64);
        let close = |a: f64, b: f64, within: f64| assert!((a / b - 1.0).abs() < within, "{a} {b}");
        close(sums[b], *sum, 1e-12);
        close(errors[b], square.sqrt(), 1e-12);
        // Bins are exposed alike to a part of a cycle of 7000.
        close(profile.rate[b], sum / seconds, 1e-3);
        close(profile.rate_err[b], square.sqrt() / seconds, 1e-3);
        let expected = one * profile.exposure[b] / profile.meta.exposure_total;
        chi2 += (sum - expected).powi(2) / (two * profile.exposure[b] / profile.meta.exposure_total);
    }
    assert!((profile.meta.chi2 / chi2 - 1.0).abs() < 1e-9, "{} {chi2}", profile.meta.chi2);
    assert!((profile.meta.mean * profile.meta.exposure_total / one - 1.0).abs() < 1e-12);
    // An empty bin may have had events of the weight Σw²/Σw.
    let fine = fold::fold(&events, &FoldOptions { nbin: 4096, ..asked }, cpu().as_mut(), &Progress::default()).unwrap();
    let [_, errors] = fine.weight.as_ref().unwrap();
    let empty = fine.counts.iter().zip(errors).find(|(count, _)| **count == 0).unwrap();
    same(*empty.1, eagleray::data::light_curve::counting_error(0.0) * two / one);
    // Rates by time have the same sum.
    let gram = fold::phaseogram(&events, &FoldOptions { nbin: 2, nharm: 0, ..asked }, 4, &Progress::default()).unwrap();
    assert!((gram.rate.iter().flatten().sum::<f64>() / 8.0 / profile.meta.mean - 1.0).abs() < 0.1);
}

/// More events than one piece has: each keeps its weight.
#[test]
fn sums_of_many_events_are_those_of_direct_summation() {
    let mut random = Random::new(35);
    let ticks =
        eagleray::data::phase::Ticks::spanning(DoubleDouble::ZERO, DoubleDouble::ZERO, DoubleDouble::from(100.0))
            .unwrap();
    let seconds: Vec<f64> = (0..150_000).map(|_| 100.0 * random.uniform()).collect();
    let values: Vec<f64> = (0..seconds.len()).map(|i| random.uniform() * if i < 75_000 { 1.0 } else { 0.1 }).collect();
    let times: Vec<i64> = seconds.iter().map(|&t| ticks.of(DoubleDouble::from(t))).collect();
    let [first, step] = [3.0, 0.002].map(|f| Spin::from_frequency(f, &ticks).unwrap());
    let all: f64 = values.iter().sum();
    let many = weighted(events(&seconds, &[(0.0, 100.0)]), values.clone());
    let moment = |k: i32| {
        many.times.iter().zip(&values).map(|(&t, w)| w * w * (t as f64 * many.ticks.seconds()).powi(k)).sum::<f64>()
    };
    let [n, mean, square] = [0, 1, 2].map(moment);
    assert!((many.time_deviation() / (square / n - (mean / n).powi(2)).sqrt() - 1.0).abs() < 1e-9);
    let sums = harmonics::HarmonicSums::new(40, times.len()).each(
        &times,
        Some(&values),
        [&first, &step],
        2,
        |sum| sum,
        &Progress::default(),
    );
    for j in [0, 7, 39] {
        let spin = first.stepped(&step, j as i64);
        let expected = direct(&seconds, &values, [spin.freq(&ticks).value(), 0.0], 2);
        let exact = harmonics::harmonic_sums_at(&times, Some(&values), &spin, 2, &Progress::default());
        for ([re, im], found) in expected.iter().zip(&exact).chain([(&expected[1], &sums[j])]) {
            assert!((found.re - re).hypot(found.im - im) < 1e-6 * all, "{j}: {found} {re} {im}");
        }
    }
}

/// Every bit of what is made of events that all weigh 1 is that of events without weights, gaps and all.
#[test]
fn weights_of_one_change_no_bit() {
    let times = pulsar(&mut Random::new(32), 30.0, 1000.0, 0.3, [0.0137, 0.0]);
    let plain = events(&times.into_iter().filter(|t| t % 100.0 < 60.0).collect::<Vec<f64>>(), &{
        let interval = |i: i32| (100.0 * f64::from(i), 100.0 * f64::from(i) + 60.0);
        (0..10).map(interval).collect::<Vec<_>>()
    });
    let ones = weighted(plain.clone(), vec![1.0; plain.times.len()]);
    assert_eq!((plain.sums(), plain.effective(), plain.spreads()), (ones.sums(), ones.effective(), ones.spreads()));
    let slow = (0.01, 0.03);
    for (method, freq) in [
        (SearchStatistic::Z2, slow),
        (SearchStatistic::H, slow),
        (SearchStatistic::Ef, slow),
        (SearchStatistic::Z2, (3.0, 3.2)),
    ] {
        let asked = SearchOptions { freq, method, fdot: Some((-1e-5, 1e-5)), ..SearchOptions::default() };
        let [a, b] = [&plain, &ones].map(|events| searched(events, &asked));
        assert!(a.stat == b.stat && a.fdot == b.fdot && a.candidates == b.candidates, "{method:?}");
        assert_eq!(
            (a.meta.detection_level, a.meta.pulsed_upper_limit),
            (b.meta.detection_level, b.meta.pulsed_upper_limit)
        );
        let ephemeris = Ephemeris::new(plain.ticks.reference(), a.candidates[0].freq, 0.0, 0.0);
        // So many bins that some are empty.
        for nbin in [20, 4096] {
            let asked = FoldOptions { ephemeris, nbin, nharm: 2, background: 1.0 };
            let [a, b] =
                [&plain, &ones].map(|events| fold::fold(events, &asked, cpu().as_mut(), &Progress::default()).unwrap());
            let bits = |x: &[f64]| x.iter().map(|x| x.to_bits()).collect::<Vec<u64>>();
            assert!(a.counts == b.counts && bits(&a.rate) == bits(&b.rate) && bits(&a.rate_err) == bits(&b.rate_err));
            assert_eq!(
                (a.meta.z2, a.meta.h, a.meta.chi2, a.meta.mean),
                (b.meta.z2, b.meta.h, b.meta.chi2, b.meta.mean)
            );
            let finite = a.meta.pulsed_fraction.minmax.value.is_finite();
            assert!(a.meta.pulsed_fraction == b.meta.pulsed_fraction || !finite);
        }
    }
    let asked = AccelOptions { freq: (3.0, 3.2), fdot: (-1e-5, 1e-5), nharm: 2, ..AccelOptions::default() };
    let [a, b] =
        [&plain, &ones].map(|events| accel(events.clone(), &asked, cpu().as_mut(), &Progress::default()).unwrap());
    assert!(a.stat == b.stat && a.candidates == b.candidates);
}

/// The weight that belongs to a time, which is a multiple of 1/64 s.
fn of_time(t: f64) -> i16 {
    ((t * 64.0) as i64 * 7919 % 1999) as i16
}

/// Rows in any order, in pieces that several threads read: each weight stays with its time through selection and intervals.
#[test]
fn weights_stay_with_their_photons() {
    let mut random = Random::new(33);
    let mut times: Vec<f64> = (0..60_000).map(|_| (random.uniform() * 64_000.0).floor() / 64.0).collect();
    let channel = |t: &f64| (*t as i32 % 10) as i16;
    let make = |times: &[f64]| {
        let (channels, values): (Vec<i16>, Vec<i16>) = times.iter().map(|t| (channel(t), of_time(*t))).unzip();
        let weight = Column::i16("weight", &values).with("TSCAL", "0.25").with("TZERO", "1.5");
        written(vec![Column::i16("PI", &channels), weight, Column::f64("TIME", times)])
    };
    let (_shuffled, unsorted) = make(&times);
    times.sort_by(f64::total_cmp);
    let (_ordered, sorted) = make(&times);
    let some = Selection { channels: Some(ChannelRange::channels(3.0, 6.0)), detectors: None };
    for selection in [Selection::default(), some] {
        let whole = read_of(&sorted, "WEIGHT", selection.clone(), 1 << 18).unwrap();
        let photons = &whole.record.photons;
        assert!(photons.is_exact() && photons.outside_gti > 1000, "{photons}");
        assert_eq!(photons.filtered > 30_000, selection.channels.is_some());
        let values = whole.each_weight().unwrap();
        assert_eq!(values.len(), whole.times.len());
        for (&t, &weight) in whole.times.iter().zip(values) {
            let t = t as f64 * whole.ticks.seconds() + whole.ticks.reference().value();
            assert_eq!(weight, 0.25 * f64::from(of_time(t)) + 1.5, "{t}");
        }
        for chunk in [1000, 1 << 18] {
            let other = read_of(&unsorted, " Weight", selection.clone(), chunk).unwrap();
            assert!(codes(&other.record.warnings).contains(&"W-TIME-UNSORTED"));
            assert!(other.times == whole.times && other.each_weight() == Some(values), "{chunk}");
            assert_eq!(&other.record.photons, photons);
        }
    }
    // Events of one time: rows in another order have the same sums, to the bit.
    let times: Vec<f64> = (0..3000).map(|i| f64::from(i / 30)).collect();
    let values: Vec<f64> = (0..3000).map(|_| random.uniform()).collect();
    let backward: Vec<f64> = values.chunks(30).flat_map(|chunk| chunk.iter().rev().copied()).collect();
    let [a, b] = [values, backward].map(|values| {
        let (_folder, path) = written(vec![Column::f64("TIME", &times), Column::f64("WEIGHT", &values)]);
        read(&path).unwrap()
    });
    assert_eq!(a.each_weight(), b.each_weight());
}

#[test]
fn every_numeric_column_may_be_one() {
    let times: Vec<f64> = (0..300).map(f64::from).collect();
    let numbers: Vec<i64> = (0..300).map(|i| i % 7).collect();
    let small: Vec<i16> = numbers.iter().map(|&i| i as i16).collect();
    let columns = [
        (Column::u8("WEIGHT", &numbers.iter().map(|&i| i as u8).collect::<Vec<_>>()), 1.0),
        (Column::i16("WEIGHT", &small).with("TNULL", "-9"), 1.0),
        (Column::i32("WEIGHT", &numbers.iter().map(|&i| i as i32).collect::<Vec<_>>()).with("TSCAL", "0.125"), 0.125),
        (Column::i64("WEIGHT", &numbers), 1.0),
        (Column::f32("WEIGHT", &numbers.iter().map(|&i| i as f32 / 8.0).collect::<Vec<_>>()), 0.125),
        (Column::f64("WEIGHT", &numbers.iter().map(|&i| i as f64 - 6.0).collect::<Vec<_>>()).with("TZERO", "6.0"), 1.0),
    ];
    for (column, unit) in columns {
        let (_folder, path) = written(vec![column, Column::f64("TIME", &times)]);
        let events = read(&path).unwrap();
        let expected: Vec<f64> = numbers.iter().map(|&i| i as f64 * unit).collect();
        assert_eq!(events.each_weight(), Some(&expected[..]));
        // 43 of weight 0 are events like others.
        assert_eq!((events.weights.as_ref().unwrap().all.zeros, events.record.photons.used), (43, 300));
    }
}

#[test]
fn what_is_no_weight_is_refused() {
    let times: Vec<f64> = (0..40_000).map(|i| f64::from(i) / 50.0).collect();
    let with = |value: f64| {
        let mut values = vec![0.5; times.len()];
        // Several threads read these; the first is named.
        [17_000, 30_000, 38_000].iter().for_each(|&row| values[row] = value);
        Column::f64("WEIGHT", &values)
    };
    let channels: Vec<i16> =
        (0..times.len()).map(|i| if [17_000, 30_000, 38_000].contains(&i) { 9 } else { 1 }).collect();
    let try_one = |column: Column, name: &str, selection: Selection| {
        let (_folder, path) = written(vec![Column::f64("TIME", &times), Column::i16("PI", &channels), column]);
        read_of(&path, name, selection, 1 << 18)
    };
    let refused = |column: Column, name: &str, parts: &[&str]| {
        let message = try_one(column, name, Selection::default()).unwrap_err().to_string();
        assert!(parts.iter().all(|part| message.contains(part)), "{message}");
    };
    let at = "file.evt: extension 2 (EVENTS), column WEIGHT, row 17001: a weight is ";
    refused(with(f64::NAN), "WEIGHT", &[at, "not a number; it must be finite and 0 or more"]);
    refused(with(f64::INFINITY), "WEIGHT", &[at, "inf;"]);
    refused(with(-0.25), "WEIGHT", &[at, "-0.25;", "select events that have one"]);
    let null = Column::i16("WEIGHT", &channels).with("TNULL", "9");
    refused(null, "WEIGHT", &[at, "TNULL"]);
    refused(with(0.5), "PROB", &["column PROB: missing", "the columns are TIME, PI, WEIGHT"]);
    let place = "file.evt: extension 2 (EVENTS), column WEIGHT: ";
    let raw = |form: &str, bytes: usize| Column::raw("WEIGHT", form, vec![vec![0x3f; bytes]; times.len()]);
    for column in [raw("3D", 24), raw("8A", 8), raw("1L", 1), raw("4X", 1), raw("1PD(9)", 8)] {
        refused(column, "WEIGHT", &[place, "one number in each row is needed"]);
    }
    refused(with(0.5).with("TSCAL", "0.0"), "WEIGHT", &[place, "TSCAL is 0"]);
    refused(with(0.5), "PI \u{0}", &["missing"]);
    let all = |value: f64| Column::f64("WEIGHT", &vec![value; times.len()]);
    refused(all(0.0), "WEIGHT", &["all weights are 0"]);
    refused(all(1e60), "WEIGHT", &["weights = WEIGHT", "scale them"]);
    refused(all(1e-60), "WEIGHT", &["weights = WEIGHT", "scale them"]);
    // What the selection leaves out needs no weight.
    let selection = Selection { channels: Some(ChannelRange::channels(0.0, 5.0)), detectors: None };
    let events = try_one(with(f64::NAN), "WEIGHT", selection).unwrap();
    assert_eq!((events.sums()[0] / 0.5) as usize, events.times.len());
    assert_eq!(events.record.photons.filtered, 3);

    // Two inputs of which one has none; times in memory; spectra in bands.
    let memory = Events::from_slice(&times, eagleray::Gti::from_seconds(&GOOD).unwrap(), &mut Warnings::default());
    assert!(memory.weighted("WEIGHT").is_err());
    let few = |n: usize| {
        let values = (0..n).map(|i| f64::from(u8::from(i % 1000 == 0)) + 1e-3).collect();
        weighted(self::events(&times, &GOOD), values)
    };
    let asked = |method, algorithm| SearchOptions { freq: (1.0, 1.1), method, algorithm, ..SearchOptions::default() };
    let missing =
        search(few(36_000), &asked(SearchStatistic::Z2, Algorithm::Auto), cpu().as_mut(), &Progress::default());
    assert!(missing.unwrap_err().to_string().contains("as many as events"));
    let few = few(37_500);
    let rough = searched(&few, &asked(SearchStatistic::Ef, Algorithm::Auto)).meta.record.warnings;
    assert!(rough.iter().any(|w| w.code == "W-WEIGHTS-FEW" && w.message.contains("in each of 64 bins")), "{rough:?}");
    for (method, algorithm) in [(SearchStatistic::Ef, Algorithm::Ffa), (SearchStatistic::Z2, Algorithm::Fold)] {
        let error = search(few.clone(), &asked(method, algorithm), cpu().as_mut(), &Progress::default()).unwrap_err();
        let said = error.to_string();
        assert!(said.starts_with("weights = W: are not for ") && said.contains("algorithm = f"), "{error}");
    }
    let mut warnings = Warnings::default();
    let all = Weights::new("W", few.weights.unwrap().values, &mut warnings).unwrap().all;
    assert!(codes(&warnings) == ["W-WEIGHTS-FEW"] && (37.0..39.0).contains(&all.noise_events), "{all:?}");
}

/// The law of weighted noise, and from how many events on: `EAGLERAY_PULSE_TRIALS` sets the number of trials (default 1000), of which
/// docs/pulsations.md records 100,000.
#[test]
fn noise_has_its_law_where_enough_events_have_the_weight() {
    let trials: usize = std::env::var("EAGLERAY_PULSE_TRIALS").ok().and_then(|n| n.parse().ok()).unwrap_or(1000);
    let ticks = eagleray::data::phase::Ticks::spanning(DoubleDouble::ZERO, DoubleDouble::ZERO, DoubleDouble::from(1.0))
        .unwrap();
    let spin = Spin::from_frequency(1.0, &ticks).unwrap();
    eprintln!(
        "| events | weights | (Σw)²/Σw² | (Σw²)²/Σw⁴ | Z²_2 at 1 %, 0.1 % | H at 1 %, 0.1 % | χ² of 16 bins at 1 %, 0.1 % |\n\
         |---|---|---|---|---|---|---|"
    );
    type Shape = fn(f64) -> f64;
    let shapes: [(usize, &str, Shape); 6] = [
        (10, "1", |_| 1.0),
        (100, "1", |_| 1.0),
        (100, "u⁴", |u| u.powi(4)),
        (1000, "u⁸", |u| u.powi(8)),
        (330, "30 of 1, the others 0.03", |u| if u < 30.0 / 330.0 { 1.0 } else { 0.03 }),
        (305, "5 of 1, the others 0.03", |u| if u < 5.0 / 305.0 { 1.0 } else { 0.03 }),
    ];
    for (n, name, shape) in shapes {
        let values: Vec<f64> = (0..n).map(|i| shape((i as f64 + 0.5) / n as f64)).collect();
        let all = Weights::new("W", values.clone(), &mut Warnings::default()).unwrap().all;
        let (mut random, mut found, mut mean) = (Random::new(34), [0.0; 6], [0.0; 2]);
        for _ in 0..trials {
            let times: Vec<i64> = (0..n).map(|_| (random.uniform() / ticks.seconds()) as i64).collect();
            let z2 = harmonics::z2(&times, Some(&values), &[], &spin, 20);
            let (h, _) = eagleray::science::statistics::pulse::h_of_z2(&z2);
            let mut profile = [0.0; 16];
            times.iter().zip(&values).for_each(|(&t, w)| profile[bin_of(spin.phase(t), 16)] += w);
            let scale = all.sum / all.squares;
            let chi_square = ProfileChiSquare::new(&profile, &[1.0; 16]).scaled(scale);
            let (chi2, law) = (chi_square.stat, TrialLaw::Profile { bins: 16, events: all.noise_events });
            mean = [mean[0] + z2[1] / trials as f64, mean[1] + chi2 / trials as f64];
            let stats = [(TrialLaw::Z2(2), z2[1]), (TrialLaw::H, h), (law, chi2)];
            for (i, (law, stat)) in stats.into_iter().enumerate() {
                let ln_p = law.ln_sf(stat);
                [1e-2f64, 1e-3]
                    .iter()
                    .zip(&mut found[2 * i..])
                    .for_each(|(p, found)| *found += f64::from(u8::from(ln_p <= p.ln())));
            }
        }
        let expected = [1e-2, 1e-3, 1e-2, 1e-3, 1e-2, 1e-3].map(|p| p * trials as f64);
        let [a, b, c, d, e, f] = std::array::from_fn(|i| found[i] / expected[i]);
        eprintln!(
            "| {n} | {name} | {:.1} | {:.1} | {a:.2}, {b:.2} | {c:.2}, {d:.2} | {e:.2}, {f:.2} |",
            all.effective_events, all.noise_events
        );
        // The mean of the law is 4, its standard deviation √8, for any number of events.
        assert!((mean[0] - 4.0).abs() < 4.0 * (8.0 / trials as f64).sqrt(), "{name}: {mean:?}");
        assert!((mean[1] - 15.0).abs() < 5.0 * (30.0 / trials as f64).sqrt(), "{name}: {mean:?}");
        let enough = all.noise_events >= 100.0;
        for (i, (found, expected)) in found.iter().zip(expected).enumerate() {
            // The laws of Z² and H are those of many events; χ² of weights is nearly that of so many events.
            let most = if enough || i < 4 { 1.6 } else { 2.0 };
            assert!(*found <= most * expected + 4.0 * expected.sqrt() + 1.0, "{name}: {found} of {expected}");
            assert!(!enough || *found >= 0.7 * expected - 4.0 * expected.sqrt(), "{name}: {found} of {expected}");
        }
    }
}

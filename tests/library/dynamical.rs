//! Dynamical spectra: every row is the spectrum of its segment, at the time of that segment, on every device.

#![cfg(feature = "gpu")]

use crate::common::batches::all_backends;
use crate::common::fits_file::{self, Column, Folder};
use crate::common::front::{self, on, pair_of_times, streamed, threads};
use eagleray::device::Backend;
use eagleray::files::OpenOptions;
use eagleray::internal::random::Random;
use eagleray::science::noise::NoiseLevel;
use eagleray::science::{CrossOptions, DynamicalCrossSpectrum, DynamicalPowerSpectrum, PowerOptions};
use eagleray::{
    Binning, CrossSpectrum, DynamicalCross, DynamicalSpectrum, FluxPair, FluxSegment, FluxValues, Gti, LightCurve,
    Norm, Observation, PhotonBand, PowerSpectrum, Rebin, Session, TimeRebin,
};

const DT: f64 = 1.0 / 64.0;
const SIZE: f64 = 4.0;
/// Segments at 100, 104, 108, 112; 130.5, 134.5; 150.
const GTI: [(f64, f64); 3] = [(100.0, 117.0), (130.5, 138.6), (150.0, 154.0)];
const STARTS: [f64; 7] = [100.0, 104.0, 108.0, 112.0, 130.5, 134.5, 150.0];

fn cpu() -> Session {
    threads(2)
}

fn good_time() -> Gti {
    Gti::from_seconds(&GTI).unwrap()
}

/// A source whose rate grows, with a pulsation that drifts; none from 108 to 112 s.
fn times() -> Vec<f64> {
    let mut random = Random::new(3);
    let mut times: Vec<f64> = (0..20_000)
        .filter_map(|_| {
            let t = 95.0 + 65.0 * random.uniform().sqrt();
            let phase = std::f64::consts::TAU * (5.0 * t + 0.02 * (t - 100.0).powi(2));
            let kept = random.uniform() < 0.5 + 0.45 * phase.sin() && !(108.0..112.0).contains(&t);
            kept.then_some(t)
        })
        .collect();
    times.sort_by(f64::total_cmp);
    times
}

fn analysis(power: PowerOptions, time: TimeRebin) -> DynamicalSpectrum {
    DynamicalSpectrum::default().spectrum(front::power(DT, SIZE, power)).time(time)
}

fn dynamical(analysis: &DynamicalSpectrum, session: &Session) -> DynamicalPowerSpectrum {
    session.run(analysis, &Observation::times(times(), good_time())).unwrap()
}

fn close(a: f64, b: f64, bound: f64) {
    assert!((a - b).abs() <= bound * b.abs(), "{a} {b}");
}

/// `|F|²` of one segment alone.
fn alone(start: f64) -> (Vec<f64>, f64) {
    let gti = Gti::from_seconds(&[(start, start + SIZE)]).unwrap();
    let all = PowerSpectrum::default().dt(DT).segment_size(SIZE).norm(Norm::None);
    // An empty segment alone is an error.
    match cpu().run(&all, &Observation::times(times(), gti)) {
        Ok(spectrum) => (spectrum.power.clone(), spectrum.meta.nphots),
        Err(_) => (vec![0.0; 127], 0.0),
    }
}

#[test]
fn rows_are_the_spectra_of_their_segments_at_their_times() {
    let power = PowerOptions { norm: Norm::None, noise: NoiseLevel::None, ..PowerOptions::default() };
    let spectrum = dynamical(&analysis(power, TimeRebin::default()), &cpu());
    assert_eq!(spectrum.axes.shape(), (7, 127));
    assert_eq!((spectrum.axes.freq[0], spectrum.axes.freq[126], spectrum.meta.segments), (0.25, 31.75, 7));
    for (row, start) in STARTS.into_iter().enumerate() {
        let (expected, photons) = alone(start);
        assert_eq!(spectrum.row(row), expected, "row {row}");
        assert_eq!((spectrum.axes.start[row], spectrum.axes.stop[row]), (start, start + SIZE));
        assert_eq!(spectrum.axes.time[row], start + SIZE / 2.0);
        close(spectrum.axes.rate[row], photons / SIZE, 1e-14);
    }
    let photons = &spectrum.meta.record.photons;
    assert!(
        photons.is_exact() && photons.used > 0 && photons.outside_segments > 0 && photons.outside_gti > 0,
        "{photons}"
    );
}

#[test]
fn each_segment_is_normalised_by_the_common_mean_or_its_own() {
    let (raw, photons): (Vec<Vec<f64>>, Vec<f64>) = STARTS.into_iter().map(alone).unzip();
    let n = 256.0;
    for norm in [Norm::Leahy, Norm::Frac, Norm::Abs, Norm::None] {
        let factor = |counts: f64, background: f64| match norm {
            Norm::Leahy => 2.0 / counts,
            Norm::Frac => 2.0 * SIZE / (counts - background * SIZE).powi(2),
            Norm::Abs => 2.0 / (n * DT),
            Norm::None => 1.0,
        };
        let background = if norm == Norm::Frac { 3.0 } else { 0.0 };
        let mut power = PowerOptions { norm, background, ..PowerOptions::default() };
        let common = dynamical(&analysis(power.clone(), TimeRebin::default()), &cpu());
        let mean = photons.iter().sum::<f64>() / 7.0;
        for (row, raw) in raw.iter().enumerate() {
            let factor = factor(mean, background);
            raw.iter().zip(common.row(row)).for_each(|(r, p)| close(*p, r * factor, 1e-12));
            close(common.noise[row], photons[row] * factor, 1e-12);
        }
        // The average of the rows is the averaged spectrum, and so is that of their noise levels.
        let spectrum = front::power(DT, SIZE, power.clone());
        let averaged = cpu().run(&spectrum, &Observation::times(times(), good_time())).unwrap();
        (0..127).for_each(|k| close((0..7).map(|r| common.row(r)[k]).sum::<f64>() / 7.0, averaged.power[k], 1e-12));
        close(common.meta.levels.noise_mean, averaged.meta.noise_mean, 1e-12);
        power.use_common_mean = false;
        let own = dynamical(&analysis(power.clone(), TimeRebin::default()), &cpu());
        // Without photons a segment has no normalisation, unless that does without them; the times of the others stay theirs.
        let skips = matches!(norm, Norm::Leahy | Norm::Frac);
        let kept: Vec<usize> = (0..7).filter(|&i| photons[i] > 0.0 || !skips).collect();
        assert_eq!(own.axes.start, kept.iter().map(|&i| STARTS[i]).collect::<Vec<_>>(), "{norm}");
        assert_eq!(own.meta.skipped_segments, 7 - kept.len() as u64);
        for (row, &i) in kept.iter().enumerate() {
            let factor = factor(photons[i], background);
            raw[i].iter().zip(own.row(row)).for_each(|(r, p)| close(*p, r * factor, 1e-12));
            close(own.noise[row], photons[i] * factor, 1e-12);
        }
        power.subtract_noise = true;
        let clean = dynamical(&analysis(power, TimeRebin::default()), &cpu());
        for row in 0..kept.len() {
            let noise = clean.noise[row];
            clean.row(row).iter().zip(own.row(row)).for_each(|(c, p)| assert_eq!(*c, p - noise));
            close(clean.power_err(row, 5), own.power_err(row, 5), 1e-12);
        }
    }
}

#[test]
fn rebinning_averages_within_gaps_or_across_them() {
    let plain = dynamical(&analysis(PowerOptions::default(), TimeRebin::default()), &cpu());
    let cases: [(TimeRebin, &[&[usize]]); 4] = [
        (TimeRebin { rebin: Rebin::Linear(3), across_gaps: false }, &[&[0, 1, 2], &[3], &[4, 5], &[6]]),
        (TimeRebin { rebin: Rebin::Linear(3), across_gaps: true }, &[&[0, 1, 2], &[3, 4, 5], &[6]]),
        (TimeRebin { rebin: Rebin::Geometric(1.0), across_gaps: false }, &[&[0], &[1, 2], &[3], &[4], &[5], &[6]]),
        (TimeRebin { rebin: Rebin::Geometric(1.0), across_gaps: true }, &[&[0], &[1, 2], &[3, 4, 5, 6]]),
    ];
    for (time, groups) in cases {
        for rebin in [Rebin::None, Rebin::Linear(10), Rebin::Geometric(0.3)] {
            let power = PowerOptions { rebin, ..PowerOptions::default() };
            let spectrum = dynamical(&analysis(power, time), &cpu());
            let ranges: Vec<_> = rebin.ranges(127).unwrap().collect();
            assert_eq!(spectrum.axes.shape(), (groups.len(), ranges.len()));
            for (row, group) in groups.iter().enumerate() {
                let mean = |f: &dyn Fn(usize) -> f64| group.iter().map(|&i| f(i)).sum::<f64>() / group.len() as f64;
                close(spectrum.axes.time[row], mean(&|i| STARTS[i] + SIZE / 2.0), 1e-15);
                close(spectrum.axes.rate[row], mean(&|i| plain.axes.rate[i]), 1e-14);
                close(spectrum.noise[row], mean(&|i| plain.noise[i]), 1e-14);
                assert_eq!(
                    (spectrum.axes.start[row], spectrum.axes.segments[row]),
                    (STARTS[group[0]], group.len() as u64)
                );
                assert_eq!(spectrum.axes.stop[row], STARTS[group[group.len() - 1]] + SIZE);
                for (k, range) in ranges.iter().enumerate() {
                    let cell = mean(&|i| plain.row(i)[range.clone()].iter().sum::<f64>() / range.len() as f64);
                    close(spectrum.row(row)[k], cell, 1e-12);
                    assert_eq!(spectrum.axes.values(row, k), (group.len() * range.len()) as u64);
                }
            }
        }
    }
}

/// `eagleray::device::Backend`s give the same rows: the CPU with one or two threads, two CPUs that share the work, and GPUs within their
/// contract for amplitudes.
#[test]
fn devices_give_the_same_rows() {
    let power = PowerOptions { norm: Norm::None, ..PowerOptions::default() };
    let analysis = analysis(power, TimeRebin::default());
    let expected = dynamical(&analysis, &cpu());
    let one = dynamical(&analysis, &threads(1));
    let both: Vec<Box<dyn Backend>> = vec![Box::new(fits_file::cpu()), Box::new(fits_file::cpu())];
    let several = on(eagleray::internal::backend::multi::MultiBackend::new(both).unwrap());
    assert_eq!(one.power, expected.power);
    assert_eq!(dynamical(&analysis, &several).power, expected.power);
    for session in all_backends("dynamical").into_iter().map(Session::with) {
        let got = dynamical(&analysis, &session);
        assert_eq!(got.axes, expected.axes);
        for row in 0..7 {
            let truth = expected.row(row);
            let mean = truth.iter().sum::<f64>() / 127.0;
            let bound = 1e-6 * mean.sqrt() + 2e-7 * truth.iter().copied().fold(0.0, f64::max).sqrt();
            for (g, t) in got.row(row).iter().zip(truth) {
                assert!((g.sqrt() - t.sqrt()).abs() <= bound, "row {row}: {g} {t}");
            }
        }
    }
}

#[test]
fn light_curves_and_flux_give_the_rows_of_their_events() {
    let expected = dynamical(&analysis(PowerOptions::default(), TimeRebin::default()), &cpu());
    let curve = binned(times());
    let series = DynamicalSpectrum::default().spectrum(PowerSpectrum::default().segment_size(SIZE));
    let of_curve = cpu().run(&series, &Observation::light_curves([curve.clone()])).unwrap();
    assert_eq!(of_curve.axes.start, STARTS);
    let segment = |start: f64| {
        let at = curve.time.partition_point(|t| *t < start);
        FluxSegment::from(&curve.counts[at..at + 256])
    };
    let of_segments = |time: TimeRebin| {
        let analysis = DynamicalSpectrum::default().spectrum(PowerSpectrum::default().dt(DT)).time(time);
        streamed(&cpu(), &analysis, FluxValues::Counts, STARTS.map(segment)).unwrap()
    };
    let of_flux = of_segments(TimeRebin::default());
    assert_eq!(of_flux.axes.time, [2.0, 6.0, 10.0, 14.0, 18.0, 22.0, 26.0]);
    let largest = expected.power.iter().copied().fold(0.0, f64::max);
    for other in [&of_curve, &of_flux] {
        for (a, b) in other.power.iter().zip(&expected.power) {
            assert!((a - b).abs() < 1e-11 * largest, "{a} {b}");
        }
        other.noise.iter().zip(&expected.noise).for_each(|(a, b)| close(*a, *b, 1e-13));
    }
    let geometric = of_segments(TimeRebin { rebin: Rebin::Geometric(1.0), across_gaps: false });
    assert_eq!(geometric.axes.segments, [1, 2, 4]);
}

/// The light curve of some times.
fn binned(times: Vec<f64>) -> LightCurve {
    cpu().chunk_events(1000).run(&Binning::default().dt(DT), &Observation::times(times, good_time())).unwrap()
}

/// Two bands, their photons and their light curves; the reference has none from 108 to 112 s.
fn bands() -> ([Vec<f64>; 2], [LightCurve; 2]) {
    let reference = times();
    let subject: Vec<f64> = reference.iter().step_by(3).map(|t| t + 0.02).chain([109.0, 109.5]).collect();
    let both = [subject, reference].map(|mut times| {
        times.sort_by(f64::total_cmp);
        times
    });
    let curves = both.clone().map(binned);
    (both, curves)
}

#[test]
fn cross_spectra_of_light_curves_and_flux_are_those_of_their_events() {
    let ([subject, reference], [late, early]) = bands();
    let pair = |start: f64| {
        let at = |curve: &LightCurve| {
            let at = curve.time.partition_point(|t| *t < start);
            FluxSegment::from(&curve.counts[at..at + 256])
        };
        FluxPair { subject: at(&late), reference: at(&early) }
    };
    for (norm, common, rebin) in
        [(Norm::Leahy, true, Rebin::None), (Norm::Frac, false, Rebin::None), (Norm::Abs, false, Rebin::Linear(2))]
    {
        let cross = CrossOptions { norm, use_common_mean: common, rebin: Rebin::Linear(3), ..Default::default() };
        let time = TimeRebin { rebin, across_gaps: false };
        let analysis = DynamicalCross::default().spectrum(front::cross(DT, SIZE, cross)).time(time);
        let expected = cpu().run(&analysis, &pair_of_times(&subject, &reference, &good_time())).unwrap();
        // The third segment has no photon of the reference to be divided by.
        assert_eq!(expected.meta.skipped_segments, u64::from(norm == Norm::Frac));
        let [late, early] = [&late, &early].map(|curve| Observation::light_curves([curve.clone()]));
        let of_curves = cpu().run(&analysis, &Observation::pair(late, early).unwrap()).unwrap();
        assert_eq!((&of_curves.axes.start, &of_curves.axes.stop), (&expected.axes.start, &expected.axes.stop));
        let of_flux = streamed(&cpu(), &analysis, FluxValues::Counts, STARTS.map(pair)).unwrap();
        let mut others = vec![of_curves];
        if rebin == Rebin::None {
            others.push(of_flux);
        }
        for other in &others {
            assert_eq!(other.meta.skipped_segments, expected.meta.skipped_segments);
            let pairs = [
                (&other.power_re, &expected.power_re),
                (&other.power_im, &expected.power_im),
                (&other.power1, &expected.power1),
                (&other.power2, &expected.power2),
                (&other.noise1, &expected.noise1),
                (&other.noise2, &expected.noise2),
            ];
            for (ours, theirs) in pairs {
                let largest = theirs.iter().fold(0.0f64, |m, x| m.max(x.abs()));
                assert_eq!(ours.len(), theirs.len());
                assert!(ours.iter().zip(theirs).all(|(a, b)| (a - b).abs() < 1e-12 * largest), "{norm}");
            }
        }
    }
    // A pair without a subject leaves its time free.
    let some = STARTS.map(|start| if start == 104.0 { FluxPair::default() } else { pair(start) });
    let analysis = DynamicalCross::default().spectrum(CrossSpectrum::default().dt(DT));
    let made = streamed(&cpu(), &analysis, FluxValues::Counts, some).unwrap();
    assert_eq!(made.axes.start, [0.0, 8.0, 12.0, 16.0, 20.0, 24.0]);
    assert_eq!((made.meta.segments, made.meta.skipped_segments), (6, 1));
}

/// Every third photon of the reference, late, is the subject; or it is in the reference, and leaves it.
fn cross(inside: bool, time: TimeRebin, rebin: Rebin, session: &Session) -> DynamicalCrossSpectrum {
    let (folder, reference) = (Folder::new(), times());
    let mut spectrum = CrossSpectrum::default().dt(DT).segment_size(SIZE).norm(Norm::Abs).rebin(rebin);
    let observation = if inside {
        // The subject's channel is 1.
        let channels: Vec<u8> = (0..reference.len()).map(|i| if i % 3 == 0 { 1 } else { 2 }).collect();
        let columns = vec![Column::f64("TIME", &reference), Column::u8("PI", &channels)];
        let bytes = fits_file::file(&[fits_file::events(columns), fits_file::gti(&GTI)]);
        spectrum = spectrum.bands([PhotonBand::Channels(1.0, 1.0), PhotonBand::Channels(1.0, 2.0)]);
        folder.observe(&bytes, &OpenOptions::default()).unwrap()
    } else {
        let subject: Vec<f64> = reference.iter().step_by(3).map(|t| t + 0.02).collect();
        pair_of_times(&subject, &reference, &good_time())
    };
    session.run(&DynamicalCross::default().spectrum(spectrum).time(time), &observation).unwrap()
}

#[test]
fn cross_spectra_are_those_of_each_segment_and_average_to_the_averaged_one() {
    let plain = cross(false, TimeRebin::default(), Rebin::None, &cpu());
    assert_eq!(plain.axes.shape(), (7, 127));
    assert_eq!(plain.axes.start, STARTS);
    // Single values have the modulus of their powers, and the pulsation the lag of the photons.
    let trace =
        dynamical(&analysis(PowerOptions::default(), TimeRebin::default()), &cpu()).follow_maximum(3.0, 10.0).unwrap();
    let mut lags = Vec::new();
    for (row, peak) in trace.iter().enumerate().filter(|(row, _)| *row != 2) {
        let cell = row * 127 + (peak.freq / 0.25) as usize - 1;
        let modulus = plain.power_re[cell].hypot(plain.power_im[cell]);
        close(modulus * modulus, plain.power1[cell] * plain.power2[cell], 1e-12);
        lags.push(plain.lag_time()[cell]);
    }
    let mean = lags.iter().sum::<f64>() / 6.0;
    assert!((mean - 0.02).abs() < 0.004 && lags.iter().all(|lag| (lag - 0.02).abs() < 0.012), "{lags:?}");
    for inside in [false, true] {
        let plain = cross(inside, TimeRebin::default(), Rebin::None, &cpu());
        let power: PowerOptions = PowerOptions { norm: Norm::Abs, ..PowerOptions::default() };
        if !inside {
            let reference = dynamical(&analysis(power, TimeRebin::default()), &cpu());
            reference.power.iter().zip(&plain.power2).for_each(|(a, b)| close(*a, *b, 1e-12));
            reference.noise.iter().zip(&plain.noise2).for_each(|(a, b)| close(*a, *b, 1e-12));
        }
        let time = TimeRebin { rebin: Rebin::Linear(7), across_gaps: true };
        let averaged = cross(inside, time, Rebin::Linear(8), &cpu());
        assert_eq!(averaged.axes.shape(), (1, 16));
        for (k, range) in Rebin::Linear(8).ranges(127).unwrap().enumerate() {
            let mean = |matrix: &[f64]| {
                let cells = (0..7).flat_map(|row| matrix[row * 127..(row + 1) * 127][range.clone()].iter());
                cells.sum::<f64>() / (7 * range.len()) as f64
            };
            let scale = (averaged.power1[k] * averaged.power2[k]).sqrt();
            assert!((averaged.power_re[k] - mean(&plain.power_re)).abs() < 1e-12 * scale);
            assert!((averaged.power_im[k] - mean(&plain.power_im)).abs() < 1e-12 * scale);
            close(averaged.power1[k], mean(&plain.power1), 1e-12);
            close(averaged.power2[k], mean(&plain.power2), 1e-12);
        }
        let exchanged = plain.clone().exchanged();
        assert_eq!((&exchanged.power1, &exchanged.noise2), (&plain.power2, &plain.noise1));
        assert_eq!(exchanged.lag_phase()[5], -plain.lag_phase()[5]);
        let shifted = plain.shift_and_add(&[5.0; 7], 2).unwrap();
        close(shifted.power1[2], (0..7).map(|row| plain.power1[row * 127 + 19]).sum::<f64>() / 7.0, 1e-12);
        for session in all_backends("dynamical cross").into_iter().map(Session::with) {
            let got = cross(inside, TimeRebin::default(), Rebin::None, &session);
            let largest = plain.power2.iter().copied().fold(0.0, f64::max);
            let pairs =
                [(&got.power_re, &plain.power_re), (&got.power_im, &plain.power_im), (&got.power1, &plain.power1)];
            for (a, b) in pairs.into_iter().flat_map(|(a, b)| a.iter().zip(b)) {
                assert!((a - b).abs() < 1e-5 * largest, "{a} {b}");
            }
        }
    }
}

#[test]
fn a_drifting_feature_is_followed_and_held_still() {
    let spectrum = dynamical(&analysis(PowerOptions::default(), TimeRebin::default()), &cpu());
    let trace = spectrum.follow_maximum(3.0, 10.0).unwrap();
    for (peak, (row, time)) in trace.iter().zip(spectrum.axes.time.iter().enumerate()) {
        // The phase of the simulated pulsation, differentiated.
        let frequency = 5.0 + 0.04 * (time - 100.0);
        assert!(row == 2 || (peak.freq - frequency).abs() <= 0.25, "{peak:?} {frequency}");
        assert_eq!(peak.power, spectrum.row(row)[(peak.freq / 0.25) as usize - 1]);
    }
    let f0: Vec<f64> = trace.iter().map(|peak| peak.freq).collect();
    let added = spectrum.shift_and_add(&f0, 3).unwrap();
    let middle = trace.iter().map(|peak| peak.power).sum::<f64>() / 7.0;
    close(added.power[3], middle, 1e-14);
    close(added.freq[3], f0.iter().sum::<f64>() / 7.0, 1e-14);
    assert!(added.power.iter().all(|p| *p <= added.power[3]) && added.m == [7; 7]);
    // A row at the lower end has nothing below it.
    let edge = spectrum.shift_and_add(&[0.25; 7], 1).unwrap();
    assert_eq!((edge.freq.as_slice(), edge.m.as_slice()), ([0.25, 0.5].as_slice(), [7, 7].as_slice()));
    assert!(spectrum.follow_maximum(40.0, 50.0).is_err() && spectrum.shift_and_add(&[1.0], 3).is_err());
    let power = PowerOptions { rebin: Rebin::Geometric(0.1), ..PowerOptions::default() };
    let uneven = dynamical(&analysis(power, TimeRebin::default()), &cpu());
    assert!(uneven.shift_and_add(&f0, 3).is_err());
}

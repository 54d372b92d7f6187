//! Simulated files are valid, reproducible, and have the statistics that were asked for.

use std::path::Path;

use eagleray::Error;
use eagleray::internal::numerics::fft::CpuFft;
use eagleray::missions::{ACIS, GENERIC, NICER, RXTE, XMM, imitated};
use eagleray::simulate::{
    BandPair, Event, FrameTime, NegativeRates, PhotonSpectrum, Simulation, SubjectLag, VariabilityTerm,
};
use fitsio::FitsFile;
use rustfft::num_complex::Complex;

/// Counts in bins of `dt` from the first possible event, one segment of `n` bins a row.
fn counts(events: &[Event], start: f64, dt: f64, n: usize, segments: usize, band: u8) -> Vec<Vec<f64>> {
    let mut rows = vec![vec![0.0; n]; segments];
    for e in events.iter().filter(|e| e.band == band) {
        let bin = ((e.time - start) / dt) as usize;
        if bin < n * segments {
            rows[bin / n][bin % n] += 1.0;
        }
    }
    rows
}

fn amplitudes(rows: Vec<Vec<f64>>) -> Vec<Vec<Complex<f64>>> {
    let fft = CpuFft::new(rows[0].len());
    let transform = |row: Vec<f64>| {
        let mut work = fft.work();
        work.input = row;
        fft.process(&mut work);
        work.output
    };
    rows.into_iter().map(transform).collect()
}

/// Fractional rms² in [lo, hi) Hz: `Σ (2P·dt/(μ²n) − 2/r)·df`.
fn rms2(events: &[Event], s: &Simulation, dt: f64, n: usize, lo: f64, hi: f64) -> f64 {
    let segments = (s.length / dt) as usize / n;
    let spectra = amplitudes(counts(events, s.start(), dt, n, segments, 0));
    let df = 1.0 / (n as f64 * dt);
    let mean = spectra.iter().map(|f| f[0].re).sum::<f64>() / (segments * n) as f64;
    let mut sum = 0.0;
    for k in (1..n / 2).filter(|&k| (lo..hi).contains(&(k as f64 * df))) {
        let power = spectra.iter().map(|f| f[k].norm_sqr()).sum::<f64>() / segments as f64;
        sum += (2.0 * power * dt / (mean * mean * n as f64) - 2.0 * dt / mean) * df;
    }
    sum
}

fn file(s: &Simulation, directory: &Path, name: &str) -> (std::path::PathBuf, Vec<u8>) {
    let path = directory.join(name);
    s.write(&path, false).unwrap();
    let bytes = std::fs::read(&path).unwrap();
    (path, bytes)
}

#[test]
fn bytes_depend_on_the_seed_and_not_on_threads() {
    let directory = tempfile::tempdir().unwrap();
    let s = Simulation {
        rate: vec![2000.0],
        length: 200.0,
        model: vec![
            VariabilityTerm::Lorentzian { f0: 1.0, fwhm: 0.5, rms: 0.2 },
            VariabilityTerm::Pulsar { frequency: 3.0, pulsed_fraction: 0.2 },
        ],
        mission: &NICER,
        seed: 5,
        ..Simulation::default()
    };
    let pool = |n| rayon::ThreadPoolBuilder::new().num_threads(n).build().unwrap();
    let one = pool(1).install(|| file(&s, directory.path(), "one").1);
    let five = pool(5).install(|| file(&s, directory.path(), "five").1);
    assert!(one == five, "five threads gave other bytes than one");
    let other = file(&Simulation { seed: 6, ..s.clone() }, directory.path(), "other").1;
    assert!(one != other);
    let again = s.write(directory.path().join("one"), false).unwrap_err();
    assert!(matches!(&again, Error::Io { .. }) && again.to_string().contains("overwrite = true"), "{again}");
    s.write(directory.path().join("one"), true).unwrap();
    assert_eq!(std::fs::read_dir(&directory).unwrap().count(), 3, "a temporary file was left behind");
}

#[test]
fn cfitsio_reads_every_mission_as_written() {
    let directory = tempfile::tempdir().unwrap();
    for mission in imitated() {
        let name = mission.name;
        let s = Simulation {
            mission,
            rate: vec![300.0],
            length: 500.0,
            gaps: vec![(100.0, 150.0), (140.0, 200.5)],
            energies: PhotonSpectrum { index: 1.5, range: None },
            frame_time: FrameTime::Mission,
            model: vec![VariabilityTerm::Pulsar { frequency: 0.7, pulsed_fraction: 0.5 }],
            ..Simulation::default()
        };
        let (path, bytes) = file(&s, directory.path(), name);
        assert_eq!(bytes.len() % 2880, 0);
        let events = s.events().unwrap();
        let mut fits = FitsFile::open(&path).unwrap();
        let table = fits.hdu(1).unwrap();
        let rows: i64 = table.read_key(&mut fits, "NAXIS2").unwrap();
        assert_eq!(rows as usize, events.len(), "{name}");
        let time = match name {
            "chandra" => "time",
            "hxmt" => "Time",
            _ => "TIME",
        };
        let times: Vec<f64> = table.read_col(&mut fits, time).unwrap();
        assert_eq!(times, events.iter().map(|e| e.time).collect::<Vec<_>>(), "{name}");
        let channels = match name {
            "xte" | "gbm" | "erosita" => "PHA",
            "laxpc" => "Channel",
            "lat" => "ENERGY",
            "chandra" => "pi",
            _ => "PI",
        };
        let pi: Vec<i32> = table.read_col(&mut fits, channels).unwrap();
        assert_eq!(pi, events.iter().map(|e| e.pi).collect::<Vec<_>>(), "{name}");
        if mission == &NICER {
            let detector: Vec<i32> = table.read_col(&mut fits, "DET_ID").unwrap();
            assert_eq!(detector, events.iter().map(|e| i32::from(e.detector)).collect::<Vec<_>>());
            let ticks: Vec<i64> = table.read_col(&mut fits, "TICK").unwrap();
            assert!(ticks.iter().zip(&times).all(|(&k, t)| (k as f64 * 4e-8 - t).abs() < 4e-8));
            let phase: Vec<f64> = table.read_col(&mut fits, "PULSE_PHASE").unwrap();
            assert!(phase.iter().all(|p| (0.0..1.0).contains(p)));
        }
        let (tstart, tstop): (f64, f64) =
            (table.read_key(&mut fits, "TSTART").unwrap(), table.read_key(&mut fits, "TSTOP").unwrap());
        assert_eq!((tstart, tstop), (s.start(), s.start() + 500.0));
        let class: String = table.read_key(&mut fits, "HDUCLASS").unwrap();
        assert_eq!(class, "OGIP");
        let gti = fits.hdu(2).unwrap();
        let [start, stop] = if mission == &RXTE { ["Start", "Stop"] } else { ["START", "STOP"] };
        let starts: Vec<f64> = gti.read_col(&mut fits, start).unwrap();
        let stops: Vec<f64> = gti.read_col(&mut fits, stop).unwrap();
        assert_eq!((starts[0], stops[0], starts[1], stops[1]), (tstart, tstart + 100.0, tstart + 200.5, tstop));
        let exposure: f64 = table.read_key(&mut fits, "EXPOSURE").unwrap();
        assert_eq!(exposure, 399.5);
    }
}

#[test]
fn events_are_sorted_inside_the_gtis_at_the_rate_asked_for() {
    for (mission, frame_time) in [
        (&GENERIC, FrameTime::Clock),
        (&RXTE, FrameTime::Clock),
        (&ACIS, FrameTime::Mission),
        (&XMM, FrameTime::Seconds(0.006)),
    ] {
        let gaps = vec![(0.0, 50.0), (300.25, 400.5), (900.0, 2000.0)];
        let s = Simulation { mission, frame_time, gaps, rate: vec![400.0], ..Simulation::default() };
        let source = s.source().unwrap();
        let events = s.events().unwrap();
        assert!(events.is_sorted_by(|a, b| a.time <= b.time));
        assert!(events.iter().all(|e| source.gtis().iter().any(|&(a, b)| a <= e.time && e.time < b)));
        let expected = 400.0 * source.exposure();
        // A frame at each of six edges may be in or out as a whole.
        let edges = 400.0 * 6.0 * source.frame_time();
        assert!((events.len() as f64 - expected).abs() < 5.0 * expected.sqrt() + edges, "{} {expected}", events.len());
        let frame = source.frame_time();
        if frame > 0.0 {
            let pixel = if mission == &RXTE { 0.0 } else { 0.5 };
            let off = |e: &Event| ((e.time - s.start()) / frame - pixel).rem_euclid(1.0);
            assert!(events.iter().map(off).all(|x| x.min(1.0 - x) < 1e-4));
        }
    }
}

#[test]
fn waiting_times_are_exponential_across_blocks() {
    let s = Simulation { rate: vec![1000.0], length: 400.0, ..Simulation::default() };
    let events = s.events().unwrap();
    assert!(s.source().unwrap().blocks() > 5);
    // Kolmogorov-Smirnov against 1 − exp(−rt): 1.95/√N is passed by chance once in 1000.
    let mut waits: Vec<f64> = events.windows(2).map(|w| 1.0 - (-1000.0 * (w[1].time - w[0].time)).exp()).collect();
    waits.sort_by(f64::total_cmp);
    let n = waits.len() as f64;
    let worst = waits.iter().enumerate().map(|(i, w)| (w - (i as f64 + 0.5) / n).abs()).fold(0.0, f64::max);
    assert!(worst < 1.95 / n.sqrt(), "{worst}");
}

#[test]
fn a_lorentzian_has_its_rms() {
    for (rms, negative) in [(0.1, NegativeRates::Refuse), (0.1, NegativeRates::Exp), (0.5, NegativeRates::Exp)] {
        let s = Simulation {
            rate: vec![800.0],
            length: 4096.0,
            model: vec![VariabilityTerm::Lorentzian { f0: 2.0, fwhm: 0.5, rms }],
            negative,
            seed: 11,
            ..Simulation::default()
        };
        let found = rms2(&s.events().unwrap(), &s, 1.0 / 64.0, 64 * 64, 0.0, 32.0);
        // Relative error of the variance of a Lorentzian: 1/√(π·FWHM·T), wider for lognormal series.
        let sigma = 1.0 / (std::f64::consts::PI * 0.5 * s.length).sqrt() * (1.0 + 4.0 * rms * rms).sqrt();
        assert!(
            (found / (rms * rms) - 1.0).abs() < 4.0 * sigma,
            "{rms} {negative:?}: {} ± {sigma}",
            found / (rms * rms)
        );
    }
}

#[test]
fn a_power_law_has_its_rms_and_its_index() {
    let s = Simulation {
        rate: vec![500.0],
        length: 8192.0,
        model: vec![VariabilityTerm::PowerLaw { index: 1.0, rms: 0.3, fmin: Some(0.01), fmax: Some(4.0) }],
        seed: 3,
        ..Simulation::default()
    };
    let events = s.events().unwrap();
    let (dt, n) = (1.0 / 16.0, 131_072);
    let all = rms2(&events, &s, dt, n, 0.0, 8.0);
    // Σ p_k²/(Σ p_k)² of p_k ∝ 1/k from k = 82 to 32768, wider for the lognormal.
    let sigma = (1.0f64 / 82.0).sqrt() / 400f64.ln() * 1.2;
    assert!((all / 0.09 - 1.0).abs() < 4.0 * sigma, "{} ± {sigma}", all / 0.09);
    // An index of 1 has the same variance in every octave.
    let octave = 0.09 / 400f64.log2();
    for lo in [0.08, 0.32, 1.28] {
        let found = rms2(&events, &s, dt, n, lo, 2.0 * lo);
        let sigma = (2.0 * lo * s.length).sqrt().recip() + 0.03;
        assert!((found / octave - 1.0).abs() < 4.0 * sigma, "{lo}: {} ± {sigma}", found / octave);
    }
}

/// Phase, raw cross amplitude and noise-subtracted powers of the two bands, averaged over [lo, hi) Hz.
fn cross(s: &Simulation, lo: f64, hi: f64) -> (f64, f64) {
    let events = s.events().unwrap();
    let (dt, n) = (1.0 / 64.0, 1024);
    let segments = (s.length / dt) as usize / n;
    let spectrum = |band| amplitudes(counts(&events, s.start(), dt, n, segments, band));
    let (subject, reference) = (spectrum(0), spectrum(1));
    let noise = |f: &[Vec<Complex<f64>>]| f.iter().map(|f| f[0].re).sum::<f64>() / segments as f64;
    let (noise1, noise2) = (noise(&subject), noise(&reference));
    let (mut c, mut p1, mut p2) = (Complex::new(0.0, 0.0), 0.0, 0.0);
    let df = 1.0 / (n as f64 * dt);
    for k in (1..n / 2).filter(|&k| (lo..hi).contains(&(k as f64 * df))) {
        for (f1, f2) in subject.iter().zip(&reference) {
            c += f1[k].conj() * f2[k];
            p1 += f1[k].norm_sqr() - noise1;
            p2 += f2[k].norm_sqr() - noise2;
        }
    }
    (c.arg(), c.norm_sqr() / (p1 * p2))
}

fn two_bands(lag: SubjectLag, coherence: f64) -> Simulation {
    Simulation {
        mission: &NICER,
        rate: vec![2000.0, 1500.0],
        length: 2048.0,
        model: vec![VariabilityTerm::Lorentzian { f0: 0.0, fwhm: 4.0, rms: 0.3 }],
        bands: Some(BandPair { subject: (0.3, 2.0), reference: (2.0, 10.0), lag, coherence }),
        seed: 21,
        ..Simulation::default()
    }
}

#[test]
fn a_positive_lag_delays_the_first_band() {
    let s = two_bands(SubjectLag::Time(0.02), 1.0);
    let events = s.events().unwrap();
    assert!(events.iter().all(|e| if e.band == 0 { (30..200).contains(&e.pi) } else { (200..1000).contains(&e.pi) }));
    let ratio = events.iter().filter(|e| e.band == 0).count() as f64 / events.len() as f64;
    assert!((ratio - 2000.0 / 3500.0).abs() < 0.01, "{ratio}");
    for f in [0.5, 1.0, 2.0] {
        let (phase, coherence) = cross(&s, f - 0.1, f + 0.1);
        let expected = std::f64::consts::TAU * f * 0.02;
        assert!((phase - expected).abs() < 0.03, "{f} Hz: {phase} {expected}");
        assert!((coherence - 1.0).abs() < 0.05, "{coherence}");
    }
}

#[test]
fn coherence_and_phase_lag_are_recovered() {
    for (lag, coherence) in [(0.6, 0.5), (-0.3, 0.8), (0.0, 0.0)] {
        let (phase, found) = cross(&two_bands(SubjectLag::Phase(lag), coherence), 0.2, 3.0);
        assert!((found - coherence).abs() < 0.04, "{found} {coherence}");
        assert!(coherence == 0.0 || (phase - lag).abs() < 0.04, "{phase} {lag}");
    }
}

#[test]
fn a_pulsar_is_at_its_frequency_with_its_power() {
    for bands in [
        None,
        Some(BandPair { subject: (0.0, 100.0), reference: (100.0, 900.0), lag: SubjectLag::Time(0.0), coherence: 1.0 }),
    ] {
        let (fraction, frequency) = (0.1, 20.0 + 1.0 / 16.0);
        let s = Simulation {
            rate: vec![1000.0],
            length: 256.0,
            model: vec![VariabilityTerm::Pulsar { frequency, pulsed_fraction: fraction }],
            bands,
            ..Simulation::default()
        };
        let mut events = s.events().unwrap();
        events.iter_mut().for_each(|e| e.band = 0);
        let (dt, n) = (1.0 / 256.0, 65_536);
        let spectrum = &amplitudes(counts(&events, s.start(), dt, n, 1, 0))[0];
        let power: Vec<f64> = spectrum.iter().map(|f| 2.0 * f.norm_sqr() / spectrum[0].re).collect();
        let peak = (1..n / 2).max_by(|&a, &b| power[a].total_cmp(&power[b])).unwrap();
        assert_eq!(peak as f64 / 256.0, frequency);
        let x = std::f64::consts::PI * frequency * dt;
        let expected = events.len() as f64 * fraction * fraction / 2.0 * (x.sin() / x).powi(2) + 2.0;
        // A signal power S in noise of mean 2 has variance 4S + 4 (Groth 1975).
        assert!((power[peak] - expected).abs() < 4.0 * (4.0 * expected).sqrt(), "{} {expected}", power[peak]);
    }
}

#[test]
fn pulsations_lag_with_their_band() {
    let lag = SubjectLag::Phase(0.8);
    let s = Simulation {
        rate: vec![3000.0],
        length: 512.0,
        model: vec![VariabilityTerm::Pulsar { frequency: 2.0, pulsed_fraction: 0.5 }],
        bands: Some(BandPair { subject: (0.0, 10.0), reference: (10.0, 20.0), lag, coherence: 1.0 }),
        ..Simulation::default()
    };
    let (phase, _) = cross(&s, 1.95, 2.05);
    assert!((phase - 0.8).abs() < 0.02, "{phase}");
}

#[test]
fn the_spectrum_of_photons_is_a_power_law() {
    let energies = PhotonSpectrum { index: 2.0, range: Some((1.0, 8.0)) };
    let s = Simulation { mission: &NICER, energies, rate: vec![1000.0], length: 200.0, ..Simulation::default() };
    let events = s.events().unwrap();
    assert!(events.iter().all(|e| (100..800).contains(&e.pi)));
    // ∫ E^-2: (1 − 1/2)/(1 − 1/8) of the photons lie below 2 keV.
    let low = events.iter().filter(|e| e.pi < 200).count() as f64 / events.len() as f64;
    assert!((low - 0.5 / 0.875).abs() < 0.01, "{low}");
}

#[test]
fn what_cannot_be_simulated_is_refused_with_advice() {
    let good = Simulation::default();
    let strong = vec![VariabilityTerm::Lorentzian { f0: 1.0, fwhm: 1.0, rms: 0.8 }];
    let band = |a, b| BandPair { subject: a, reference: b, lag: SubjectLag::Time(0.0), coherence: 1.0 };
    let cases = [
        ("negative", Simulation { negative: NegativeRates::Refuse, model: strong, ..good.clone() }),
        ("rate", Simulation { rate: vec![f64::NAN], ..good.clone() }),
        ("rate", Simulation { rate: vec![1.0, 2.0], ..good.clone() }),
        ("rate", Simulation { rate: vec![1e12], ..good.clone() }),
        ("length", Simulation { length: -1.0, ..good.clone() }),
        ("tstart", Simulation { tstart: Some(f64::INFINITY), ..good.clone() }),
        ("gaps", Simulation { gaps: vec![(-1.0, 2000.0)], ..good.clone() }),
        ("gaps", Simulation { gaps: vec![(2.0, 1.0)], ..good.clone() }),
        ("bands", Simulation { bands: Some(band((1.0, 3.0), (2.0, 4.0))), ..good.clone() }),
        ("energies", Simulation { bands: Some(band((1e6, 2e6), (2.0, 4.0))), ..good.clone() }),
        (
            "dt",
            Simulation {
                dt: Some(1e-9),
                model: vec![VariabilityTerm::Lorentzian { f0: 1.0, fwhm: 1.0, rms: 0.1 }],
                ..good.clone()
            },
        ),
        (
            "model",
            Simulation {
                model: vec![VariabilityTerm::Pulsar { frequency: 1.0, pulsed_fraction: 0.6 }; 2],
                ..good.clone()
            },
        ),
        ("frame_time", Simulation { frame_time: FrameTime::Seconds(0.0), ..good.clone() }),
    ];
    for (field, s) in cases {
        match s.events() {
            Err(Error::Argument { field: named, .. }) => assert_eq!(named, field),
            other => panic!("{field}: {:?}", other.map(|e| e.len())),
        }
    }
}

#[test]
fn faint_and_short_observations_are_files_too() {
    let directory = tempfile::tempdir().unwrap();
    let s = Simulation { rate: vec![1e-9], length: 1.0, ..Simulation::default() };
    let (path, _) = file(&s, directory.path(), "empty");
    let mut fits = FitsFile::open(&path).unwrap();
    let table = fits.hdu(1).unwrap();
    let rows: i64 = table.read_key(&mut fits, "NAXIS2").unwrap();
    assert_eq!(rows, 0);
    let model = vec![VariabilityTerm::PowerLaw { index: 2.0, rms: 0.2, fmin: None, fmax: None }];
    assert!(Simulation { model, length: 0.1, rate: vec![1e4], ..Simulation::default() }.events().unwrap().len() > 100);
}

//! Many bands of the same files in one pass: the same bits and the same photons whoever reads them and in whatever pieces.

use std::path::PathBuf;

use crate::common::faulty::Faulty;
use crate::common::fits_file::{self, Column, Folder, events, file, gti};
use crate::common::front::{on, telling, threads};
use eagleray::files::OpenOptions;
use eagleray::internal::random::Random;
use eagleray::science::{Band, EnergyKind, EnergySpectrum};
use eagleray::{
    Binning, Combine, CrossSpectrum, EnergyBands, EnergyDependence, Error, Gti, Observation, PhotonBand, Session,
};

const EVENTS: usize = 30_001;
const GTIS: [(f64, f64); 3] = [(0.0, 400.0), (400.5, 401.0), (420.0, 995.0)];

/// Times in order, and channels 0 to 99.
fn photons(seed: u64, rate: impl Fn(f64) -> f64) -> (Vec<f64>, Vec<u8>) {
    let mut random = Random::new(seed);
    let mut next = || random.uniform();
    let mut times = Vec::new();
    while times.len() < EVENTS {
        let t = -3.0 + 1003.0 * next();
        if next() < rate(t) {
            times.push(t);
        }
    }
    times.sort_by(f64::total_cmp);
    let channels = times.iter().map(|_| (100.0 * next()) as u8).collect();
    (times, channels)
}

fn bytes(times: &[f64], channels: &[u8]) -> Vec<u8> {
    file(&[events(vec![Column::f64("TIME", times), Column::u8("PI", channels)]), gti(&GTIS)])
}

/// Bands of channels: three inside the reference, of which one has no photon, and one apart from it; 90 and above are in none.
fn bands() -> EnergyBands {
    let band = |lo, hi| Band { lo, hi };
    let subjects = vec![band(10.0, 19.0), band(20.0, 59.0), band(70.5, 70.5), band(80.0, 89.0)];
    EnergyBands { reference: band(10.0, 79.0), subjects, channels: true }
}

fn analysis(kind: EnergyKind, bands: EnergyBands) -> EnergyDependence {
    let made = EnergyDependence::new(kind, bands).dt(1.0 / 64.0).segment_size(1.5);
    if kind == EnergyKind::Count { made } else { made.freq([1.0, 20.0]) }
}

/// The spectrum of some files, and how many rows were told of.
fn spectrum(paths: &[PathBuf], kind: EnergyKind, combine: Combine, session: Session) -> (EnergySpectrum, u64) {
    let observation = Observation::open(paths).unwrap().combine(combine);
    let (session, told) = telling(session);
    (session.run(&analysis(kind, bands()), &observation).unwrap(), told.rows())
}

fn all_bits(s: &EnergySpectrum) -> Vec<u64> {
    let columns = s.columns.iter().flat_map(|c| &c.values);
    s.value.iter().chain(&s.value_err).chain(columns).map(|x| x.to_bits()).chain(s.counts.iter().copied()).collect()
}

/// Read once by threads, in batches that have room for all, and in batches so small that channels wait for each other.
#[test]
fn bands_have_the_same_bits_whoever_reads_them() {
    let folder = Folder::new();
    let variable = |t: f64| 0.5 + 0.4 * (12.0 * t).sin();
    let (times, channels) = photons(1, variable);
    let (more, of_more) = photons(2, variable);
    let mut swapped = times.clone();
    swapped.swap(100, 20_000);
    let later: Vec<f64> = more.iter().map(|t| t + 2000.0).collect();
    let gtis: Vec<(f64, f64)> = GTIS.iter().map(|(a, b)| (a + 2000.0, b + 2000.0)).collect();
    let second = file(&[events(vec![Column::f64("TIME", &later), Column::u8("PI", &of_more)]), gti(&gtis)]);
    let one = folder.write("one", &bytes(&times, &channels));
    let unsorted = folder.write("unsorted", &bytes(&swapped, &channels));
    let simultaneous = folder.write("simultaneous", &bytes(&more, &of_more));
    let after = folder.write("after", &second);
    let cases = [
        (vec![one.clone()], Combine::Average, 1),
        (vec![unsorted], Combine::Average, 1),
        (vec![one.clone(), after], Combine::Average, 2),
        (vec![one, simultaneous], Combine::Merge, 2),
    ];
    for (paths, combine, files) in cases {
        let lags = |session: Session| spectrum(&paths, EnergyKind::Lag, combine, session);
        let expected = lags(threads(2).chunk_events(1000)).0;
        let p = &expected.meta.record.photons;
        assert!(p.is_exact() && p.read == (EVENTS * files) as u64, "{p}");
        assert!(p.filtered > 3000 && p.outside_gti > 100 && p.outside_segments > 10, "{p}");
        for (count, chunk) in [(1, 1), (2, 333), (5, 1 << 18)] {
            let (found, told) = lags(threads(count).chunk_events(chunk));
            assert_eq!((all_bits(&found), told), (all_bits(&expected), p.read), "{count} threads, {chunk} rows");
            assert_eq!(&found.meta.record.photons, p);
        }
        for (rows, room, chunk) in [(64, 1 << 20, 1000), (64, 37, 5), (128, 300, 1000), (128, 5000, 1 << 18)] {
            let small = Faulty::new(fits_file::cpu(), "small batches", None).limited(rows, room);
            let (found, told) = lags(on(small).chunk_events(chunk));
            assert_eq!(all_bits(&found), all_bits(&expected), "{rows} rows, {room} events");
            assert_eq!((&found.meta.record.photons, told), (p, p.read), "{rows} rows, {room} events");
        }
    }
}

/// Counts are of all good time, with each photon once in the balance.
#[test]
fn counts_are_those_of_good_time() {
    let folder = Folder::new();
    let (times, channels) = photons(3, |_| 1.0);
    let path = folder.write("one", &bytes(&times, &channels));
    let (s, told) = spectrum(&[path], EnergyKind::Count, Combine::Average, threads(1).chunk_events(1000));
    let good = |t: &f64| GTIS.iter().any(|(a, b)| (a..b).contains(&t));
    let of = |range: std::ops::RangeInclusive<u8>| {
        times.iter().zip(&channels).filter(|(t, c)| good(t) && range.contains(c)).count() as u64
    };
    assert_eq!(s.counts, [of(10..=19), of(20..=59), 0, of(80..=89)]);
    assert_eq!(s.value_err[0], (s.counts[0] as f64).sqrt());
    let p = &s.meta.record.photons;
    assert_eq!((p.used, p.read, told), (of(10..=79) + of(80..=89), EVENTS as u64, EVENTS as u64));
    assert!(p.is_exact() && s.meta.exposure == 400.0 + 0.5 + 575.0, "{p}");
}

/// Two bands of one file are one input of a cross spectrum, which reads the file once.
#[test]
fn a_cross_spectrum_of_two_bands_reads_the_file_once() {
    let folder = Folder::new();
    let (times, channels) = photons(4, |_| 1.0);
    let observation = folder.observe(&bytes(&times, &channels), &OpenOptions::default()).unwrap();
    // Inside the reference, and apart from it.
    for subject in [PhotonBand::Channels(10.0, 19.0), PhotonBand::Channels(80.0, 99.0)] {
        let bands = [subject, PhotonBand::Channels(10.0, 79.0)];
        let analysis = CrossSpectrum::default().dt(1.0 / 64.0).segment_size(1.5).bands(bands);
        let photons = threads(2).run(&analysis, &observation).unwrap().meta.record.photons;
        assert!(photons.is_exact() && photons.read == EVENTS as u64, "{subject:?}: {photons}");
    }
}

/// Bands that share photons in part would count some twice.
#[test]
fn bands_that_overlap_in_part_are_refused() {
    let folder = Folder::new();
    let (times, channels) = photons(5, |_| 1.0);
    let observation = folder.observe(&bytes(&times, &channels), &OpenOptions::default()).unwrap();
    let try_bands = |ends: &[(f64, f64)]| {
        let band = |&(lo, hi): &(f64, f64)| Band { lo, hi };
        let bands =
            EnergyBands { reference: band(&ends[0]), subjects: ends[1..].iter().map(band).collect(), channels: true };
        threads(1).chunk_events(1000).run(&analysis(EnergyKind::Lag, bands), &observation)
    };
    for (ends, message) in [
        (vec![(10.0, 50.0), (40.0, 60.0)], "shares photons with the reference 10:50"),
        (vec![(10.0, 50.0), (11.0, 20.0), (20.0, 30.0)], "shares photons with the band 11:20"),
        ((0..66).map(|i| (f64::from(i), f64::from(i))).collect(), "at most 65 bands"),
    ] {
        match try_bands(&ends) {
            Err(e @ Error::Argument { .. }) => assert!(e.to_string().contains(message), "{e}"),
            other => panic!("{ends:?}: {:?}", other.map(|s| s.value)),
        }
    }
}

/// Photons in memory with energies give what a file with the same photons gives, to the bit; those with channels by channels.
#[test]
fn photons_in_memory_have_bands() {
    let (times, channels) = photons(6, |_| 1.0);
    let numbers: Vec<f64> = channels.iter().map(|&channel| f64::from(channel)).collect();
    let gti = || Gti::from_seconds(&GTIS).unwrap();
    let by_channel = Observation::photons(times.clone(), numbers.clone(), gti()).unwrap();
    // Energies of half the channel's number: the band of channels 10 to 19 is 5 ≤ E < 10 keV.
    let energies: Vec<f64> = numbers.iter().map(|channel| channel / 2.0).collect();
    let by_energy = Observation::photons_of_energies(times, energies, gti()).unwrap();
    let session = threads(2);
    let cross = |bands: [PhotonBand; 2]| CrossSpectrum::default().bands(bands).dt(1.0 / 64.0).segment_size(4.0);
    let channels = [PhotonBand::Channels(0.0, 19.0), PhotonBand::Channels(20.0, 255.0)];
    let of_channels = session.run(&cross(channels), &by_channel).unwrap();
    let energies = [PhotonBand::Energy(0.0, 10.0), PhotonBand::Energy(10.0, 128.0)];
    let of_energies = session.run(&cross(energies), &by_energy).unwrap();
    assert!(of_channels.meta.nphots1 > 0.0 && of_channels.meta.nphots2 > 0.0);
    assert_eq!(of_channels.power_re, of_energies.power_re);
    assert!(session.run(&cross(energies), &by_channel).is_err() && session.run(&cross(channels), &by_energy).is_err());
    let spectrum = |bands: EnergyBands| analysis(EnergyKind::Rms, bands);
    let band = |lo: f64, hi: f64| Band { lo, hi };
    let of_channels =
        EnergyBands { reference: band(0.0, 255.0), subjects: vec![band(0.0, 19.0), band(20.0, 255.0)], channels: true };
    let of_energies = EnergyBands::energies(0.0..128.0, [0.0..10.0, 10.0..128.0]);
    let [a, b] = [
        session.run(&spectrum(of_channels), &by_channel).unwrap(),
        session.run(&spectrum(of_energies), &by_energy).unwrap(),
    ];
    assert_eq!(all_bits(&a), all_bits(&b));
    let all: u64 = a.counts.iter().sum();
    assert_eq!(all, a.meta.record.photons.used);
    let narrow = by_energy.clone().energy(5.0..10.0).unwrap();
    let wide = by_channel.clone().channels(10.0..=19.0).unwrap();
    let curve = |observation: &Observation| session.run(&Binning::default().dt(1.0), observation).unwrap().counts;
    assert_eq!(curve(&narrow), curve(&wide));
    assert!(by_energy.channels(10.0..=19.0).is_err() && by_channel.energy(5.0..10.0).is_err());
}

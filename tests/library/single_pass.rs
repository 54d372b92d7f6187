//! Files that a spectrum reads once, in shares, on all threads, or in batches: the same bits, photons, hashes and warnings as by
//! batches of a file that was read through before.

use std::num::NonZeroUsize;
use std::path::PathBuf;
use std::sync::Arc;

use crate::common::fits_file::{Column, Folder, codes, events, file, gti};
use crate::common::front::{on, telling, threads};
use eagleray::device::Backend;
use eagleray::error::BackendError;
use eagleray::internal::backend::{BatchLimits, CpuBackend, CpuOptions, DeviceInfo, PlanId, Schedule, Ticket};
use eagleray::internal::random::Random;
use eagleray::internal::segment::{PlanSpec, SegmentBatch};
use eagleray::internal::sums::PartialSums;
use eagleray::science::AveragedPowerSpectrum;
use eagleray::{Combine, DynamicalSpectrum, Observation, PowerSpectrum, Rebin, Session, TimeRebin, Warnings};

/// The CPU, as a device that takes batches and nothing else.
struct Batches(CpuBackend);

impl Backend for Batches {
    fn info(&self) -> &DeviceInfo {
        self.0.info()
    }
    fn prepare(&mut self, spec: &PlanSpec) -> Result<PlanId, BackendError> {
        self.0.prepare(spec)
    }
    fn release(&mut self, plan: PlanId) {
        self.0.release(plan);
    }
    fn limits(&self, plan: PlanId) -> BatchLimits {
        self.0.limits(plan)
    }
    fn submit(&mut self, plan: PlanId, batch: Arc<SegmentBatch>) -> Result<Ticket, BackendError> {
        self.0.submit(plan, batch)
    }
    fn collect(&mut self, ticket: Ticket) -> Result<PartialSums, BackendError> {
        self.0.collect(ticket)
    }
    fn depth(&self) -> usize {
        self.0.depth()
    }
}

fn cpu(threads: usize) -> CpuBackend {
    cpu_with(threads, Schedule::Dynamic)
}

fn cpu_with(threads: usize, schedule: Schedule) -> CpuBackend {
    CpuBackend::with_options(NonZeroUsize::new(threads), CpuOptions { schedule, ..CpuOptions::default() }).unwrap()
}

fn analysis() -> PowerSpectrum {
    PowerSpectrum::default().dt(1.0 / 64.0).segment_size(1.5)
}

/// The spectrum of files that nobody read before.
fn spectrum(paths: &[PathBuf], combine: Combine, analysis: &PowerSpectrum, session: &Session) -> AveragedPowerSpectrum {
    session.run(analysis, &Observation::open(paths).unwrap().combine(combine)).unwrap()
}

/// By batches, 1000 rows at a time, after the files were read through.
fn by_batches(paths: &[PathBuf], combine: Combine, analysis: &PowerSpectrum, cpu: CpuBackend) -> AveragedPowerSpectrum {
    let observation = Observation::open(paths).unwrap().combine(combine);
    observation.examine().unwrap();
    on(Batches(cpu)).chunk_events(1000).run(analysis, &observation).unwrap()
}

/// Everything that a spectrum says, but for the names of its warnings' files.
fn same(a: &AveragedPowerSpectrum, b: &AveragedPowerSpectrum, what: &str) {
    let bits = |v: &[f64]| v.iter().map(|x| x.to_bits()).collect::<Vec<_>>();
    assert!(bits(&a.unnorm_power) == bits(&b.unnorm_power) && bits(&a.power) == bits(&b.power), "{what}: powers");
    let (p, q) = (&a.meta.record, &b.meta.record);
    assert_eq!((&p.photons, a.meta.segments, &p.gti), (&q.photons, b.meta.segments, &q.gti), "{what}");
    assert!(p.photons.is_exact(), "{what}: {}", p.photons);
    let sorted = |w: &Warnings| {
        let mut codes = codes(w);
        codes.sort_unstable();
        codes.iter().map(|c| c.to_string()).collect::<Vec<_>>()
    };
    assert_eq!(sorted(&p.warnings), sorted(&q.warnings), "{what}");
    let hashes = |p: &eagleray::data::Record| p.inputs.iter().map(|i| i.crc32.clone()).collect::<Vec<_>>();
    assert_eq!(hashes(p), hashes(q), "{what}");
    assert!(hashes(p).iter().all(|hash| hash.len() == 8), "{what}");
}

const GTIS: [(f64, f64); 3] = [(0.0, 400.0), (400.5, 401.0), (420.0, 995.0)];

fn times(count: u64, seed: u64) -> Vec<f64> {
    let mut random = Random::new(seed);
    let mut next = || random.uniform();
    let mut times: Vec<f64> = (0..count).map(|_| -3.0 + 1003.0 * next()).collect();
    times.sort_by(f64::total_cmp);
    times
}

fn bytes(times: &[f64], gtis: &[(f64, f64)]) -> Vec<u8> {
    let channels: Vec<u8> = (0..times.len()).map(|i| i as u8).collect();
    file(&[events(vec![Column::f64("TIME", times), Column::u8("PI", &channels)]).set("DATASUM", "'1'"), gti(gtis)])
}

/// The files, read once in all ways of cutting and dealing the work, against batches.
fn check(folder: &Folder, name: &str, files: &[Vec<u8>], combine: Combine) -> AveragedPowerSpectrum {
    check_segments(folder, name, files, combine, 1.5)
}

/// The same with segments of another length, s.
fn check_segments(
    folder: &Folder,
    name: &str,
    files: &[Vec<u8>],
    combine: Combine,
    segment_size: f64,
) -> AveragedPowerSpectrum {
    let analysis = analysis().segment_size(segment_size);
    let paths: Vec<PathBuf> = files.iter().enumerate().map(|(i, b)| folder.write(&format!("{name}{i}"), b)).collect();
    let expected = by_batches(&paths, combine, &analysis, cpu(2));
    for (i, threads) in [1, 2, 5].into_iter().enumerate() {
        for (j, chunk) in [1, 333, 1 << 18].into_iter().enumerate() {
            let schedule = [Schedule::Dynamic, Schedule::Static, Schedule::Guided][(i + j) % 3];
            let session = on(cpu_with(threads, schedule)).chunk_events(chunk);
            let found = spectrum(&paths, combine, &analysis, &session);
            same(&found, &expected, &format!("{name}, {threads} threads, {chunk} rows, {schedule:?}"));
        }
    }
    // Batches of files that nobody read through before.
    for chunk in [1, 333, 40_000, 1 << 18] {
        let found = spectrum(&paths, combine, &analysis, &on(Batches(cpu(2))).chunk_events(chunk));
        same(&found, &expected, &format!("{name}, batches, {chunk} rows"));
    }
    expected
}

#[test]
fn sorted_files_are_read_once_to_the_same_bits() {
    let folder = Folder::new();
    let (a, b) = (times(30_001, 1), times(5_003, 2));
    let s = check(&folder, "one", &[bytes(&a, &GTIS)], Combine::Average);
    assert_eq!(s.meta.segments, 266 + 383);
    let photons = &s.meta.record.photons;
    assert!(photons.outside_gti > 500 && photons.outside_segments > 10, "{photons}");
    assert!(codes(&s.meta.record.warnings).contains(&"W-DATASUM"));
    let later: Vec<(f64, f64)> = GTIS.iter().map(|(a, b)| (a + 2000.0, b + 2000.0)).collect();
    let moved: Vec<f64> = b.iter().map(|t| t + 2000.0).collect();
    check(&folder, "two", &[bytes(&a, &GTIS), bytes(&moved, &later)], Combine::Average);
    check(&folder, "merged", &[bytes(&a, &GTIS), bytes(&b, &[(3.0, 900.0)])], Combine::Merge);
    // A file without a segment is read all the same.
    check(&folder, "short", &[bytes(&b, &[(1.0, 2.0)]), bytes(&moved, &later)], Combine::Average);
    check(&folder, "few", &[bytes(&a[15_000..15_003], &GTIS)], Combine::Average);
}

#[test]
fn batches_have_the_same_bits_however_they_are_dealt() {
    let folder = Folder::new();
    let paths = [folder.write("dealt", &bytes(&times(30_001, 7), &GTIS))];
    let expected = by_batches(&paths, Combine::Average, &analysis(), cpu(1));
    for (schedule, threads) in [(Schedule::Static, 3), (Schedule::Guided, 3), (Schedule::Dynamic, 5)] {
        let found = by_batches(&paths, Combine::Average, &analysis(), cpu_with(threads, schedule));
        same(&found, &expected, &format!("{schedule:?}"));
    }
}

/// Rows of 4 kB, so that stretches before, between and behind the segments are worth tasks of their own.
#[test]
fn long_stretches_without_segments_are_read_in_shares() {
    let folder = Folder::new();
    let mut random = Random::new(1);
    let mut filler = || random.bits().to_le_bytes().repeat(512);
    let times: Vec<f64> = (0..8_000).map(|i| 0.125 * f64::from(i)).collect();
    let wide = Column::raw("FILL", "4096A", times.iter().map(|_| filler()).collect());
    let table = events(vec![Column::f64("TIME", &times), wide]).set("DATASUM", "'1'");
    for gtis in [&[(450.0, 470.0)][..], &[(0.0, 2.0), (300.0, 303.0), (700.0, 990.0)]] {
        let s = check(&folder, "wide", &[file(&[table.clone(), gti(gtis)])], Combine::Average);
        assert!(s.meta.record.photons.outside_gti > 5_000, "{}", s.meta.record.photons);
    }
}

/// Rows of 2 kB and few segments, so that those of one are counted by all threads.
#[test]
fn long_segments_are_counted_together_to_the_same_bits() {
    let folder = Folder::new();
    let wide = |times: &[f64], gtis| {
        let filler = times.iter().map(|t| t.to_le_bytes().repeat(256)).collect();
        let fill = Column::raw("FILL", "2048A", filler);
        file(&[events(vec![Column::f64("TIME", times), fill]).set("DATASUM", "'1'"), gti(gtis)])
    };
    let (a, b) = (times(6_001, 8), times(5_003, 9));
    let s = check_segments(&folder, "one", &[wide(&a, &GTIS)], Combine::Average, 290.0);
    assert_eq!(s.meta.segments, 2);
    // Several of one run, then of runs of their own.
    check_segments(&folder, "run", &[wide(&a, &GTIS)], Combine::Average, 120.0);
    let fine = PowerSpectrum::default().dt(2f64.powi(-12)).segment_size(390.0);
    let paths = [folder.write("fine", &wide(&a, &GTIS))];
    let found = spectrum(&paths, Combine::Average, &fine, &threads(3).chunk_events(100));
    same(&found, &by_batches(&paths, Combine::Average, &fine, cpu(2)), "fine");
    check_segments(&folder, "merged", &[wide(&a, &GTIS), wide(&b, &[(3.0, 900.0)])], Combine::Merge, 270.0);
    let mut holes = a.clone();
    holes.iter_mut().step_by(7).for_each(|t| *t = f64::NAN);
    check_segments(&folder, "holes", &[wide(&holes, &GTIS)], Combine::Average, 290.0);
    for (from, to) in [(10, 5_990), (2_000, 2_001), (2_999, 3_001)] {
        let mut swapped = a.clone();
        swapped.swap(from, to);
        check_segments(&folder, "swapped", &[wide(&swapped, &GTIS)], Combine::Average, 290.0);
    }
}

#[test]
fn files_that_turn_out_to_be_unsorted_are_sorted_wherever_the_disorder_is() {
    let folder = Folder::new();
    let sorted = times(30_001, 3);
    let reference = check(&folder, "sorted", &[bytes(&sorted, &GTIS)], Combine::Average);
    // Files are read through in pieces of 29128 such rows.
    for (i, j) in
        [(0, 1), (0, 30_000), (7_000, 7_001), (15_000, 15_900), (29_127, 29_128), (29_999, 30_000), (100, 20_000)]
    {
        let mut swapped = sorted.clone();
        swapped.swap(i, j);
        let s = check(&folder, &format!("swapped {i} {j} "), &[bytes(&swapped, &GTIS)], Combine::Average);
        assert!(codes(&s.meta.record.warnings).contains(&"W-TIME-UNSORTED"));
        assert_eq!(s.unnorm_power, reference.unnorm_power);
    }
    // Each half in order, the second before the first: a search finds rows, but not the right ones.
    let mut halves = sorted.clone();
    halves.rotate_left(15_000);
    check(&folder, "halves", &[bytes(&halves, &GTIS)], Combine::Average);
    halves.reverse();
    check(&folder, "reversed", &[bytes(&halves, &GTIS)], Combine::Average);
}

/// A row a segment: read once in all ways of dealing it out, and after a file that is out of order, against batches.
#[test]
fn rows_of_dynamical_spectra_are_read_once_to_the_same_bits() {
    let folder = Folder::new();
    let mut swapped = times(30_001, 8);
    let sorted = bytes(&swapped, &GTIS);
    swapped.swap(20_000, 29_000);
    let time = TimeRebin { rebin: Rebin::Linear(3), across_gaps: false };
    for (name, bytes) in [("rows", sorted), ("rows out of order", bytes(&swapped, &GTIS))] {
        let path = folder.write(name, &bytes);
        let made = |session: Session| {
            let (session, told) = telling(session);
            let rows = DynamicalSpectrum::default().spectrum(analysis()).time(time);
            let s = session.run(&rows, &Observation::open([&path]).unwrap()).unwrap();
            assert_eq!(told.rows(), 30_001, "{name}");
            s
        };
        let expected = made(on(Batches(cpu(2))).chunk_events(1000));
        for (threads, schedule) in [(1, Schedule::Dynamic), (3, Schedule::Static), (2, Schedule::Guided)] {
            let found = made(on(cpu_with(threads, schedule)).chunk_events(333));
            assert_eq!((&found.axes, &found.power, &found.noise), (&expected.axes, &expected.power, &expected.noise));
            let (p, q) = (&found.meta.record, &expected.meta.record);
            assert_eq!(
                (&p.photons, found.meta.segments, &p.gti),
                (&q.photons, expected.meta.segments, &q.gti),
                "{name}"
            );
            assert_eq!(p.inputs[0].crc32, q.inputs[0].crc32);
            assert_eq!(codes(&p.warnings).contains(&"W-TIME-UNSORTED"), name != "rows");
        }
    }
}

#[test]
fn times_that_are_not_finite_are_dropped_and_hide_no_others() {
    let folder = Folder::new();
    for (name, every, run) in [("some", 97, 1), ("runs", 3000, 500), ("many", 10_000, 9_500)] {
        let mut times = times(30_001, 4);
        for (i, t) in times.iter_mut().enumerate().filter(|(i, _)| i % every < run) {
            *t = [f64::NAN, f64::INFINITY, f64::NEG_INFINITY][i % 3];
        }
        let s = check(&folder, name, &[bytes(&times, &GTIS)], Combine::Average);
        assert!(s.meta.record.photons.dropped > 300);
        assert!(codes(&s.meta.record.warnings).contains(&"W-TIME-NAN"));
    }
}

#[test]
fn rows_are_told_of_once_though_a_file_is_read_twice() {
    let folder = Folder::new();
    let sorted = times(30_001, 5);
    let mut swapped = sorted.clone();
    swapped.swap(3_000, 25_000);
    for session in [threads(2), on(Batches(cpu(2)))] {
        let (session, told) = telling(session.chunk_events(100));
        for times in [&sorted, &swapped] {
            let path = folder.write("file.evt", &bytes(times, &GTIS));
            session.run(&analysis(), &Observation::open([&path]).unwrap()).unwrap();
            assert_eq!(told.rows(), 30_001);
        }
    }
}

/// Rows of 9 bytes, of which shares begin and end in the midst of words.
#[test]
fn sums_of_shares_are_the_sum_of_the_whole() {
    let folder = Folder::new();
    let announce = |sum: u32| {
        let times = times(30_001, 6);
        let table = events(vec![Column::f64("TIME", &times), Column::u8("PI", &vec![255; times.len()])]);
        file(&[gti(&GTIS), table.set("DATASUM", &format!("'{sum}'"))])
    };
    let plain = announce(0);
    let data = plain.len() - (30_001usize * 9).next_multiple_of(2880);
    let mut sum = 0u64;
    for word in plain[data..].chunks_exact(4) {
        sum += u64::from(u32::from_be_bytes(word.try_into().unwrap()));
        sum = (sum & 0xffff_ffff) + (sum >> 32);
    }
    let good = announce(sum as u32);
    let mut bad = good.clone();
    bad[data + 100_008] ^= 1;
    for (bytes, warned) in [(good, false), (bad, true)] {
        let path = folder.write("sum", &bytes);
        for count in [1, 2, 3] {
            let s = threads(count).run(&analysis(), &Observation::open([&path]).unwrap()).unwrap();
            assert_eq!(codes(&s.meta.record.warnings).contains(&"W-DATASUM"), warned, "{count} threads");
        }
    }
}

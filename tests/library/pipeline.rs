//! From events to spectrum: every photon is accounted for, and nothing depends on how the work is cut up.

use std::path::PathBuf;

use crate::common::faulty::Faulty;
use crate::common::fits_file::{self, Column, Folder, events, file, gti, same_powers};
use crate::common::front::{on, streamed, telling, threads};
use eagleray::data::EventBalance;
use eagleray::files::OpenOptions;
use eagleray::science::AveragedPowerSpectrum;
use eagleray::{Combine, FluxSegment, FluxValues, Gti, Observation, PowerSpectrum, Session};
use rand_chacha::ChaCha8Rng;
use rand_chacha::rand_core::{Rng, SeedableRng};

/// Random numbers with few bits: sums and differences of such times are exact in f64.
struct Random(ChaCha8Rng);

impl Random {
    fn new(seed: u64) -> Random {
        Random(ChaCha8Rng::seed_from_u64(seed))
    }
    fn below(&mut self, n: u64) -> u64 {
        self.0.next_u64() % n
    }
    /// A multiple of 2^-10 in [0, most).
    fn coarse(&mut self, most: u64) -> f64 {
        self.below(most << 10) as f64 / 1024.0
    }
    /// A multiple of 2^-40 in [0, most), at times one of 2^-10, so that events lie on edges.
    fn time(&mut self, most: u64) -> f64 {
        if self.below(8) == 0 { self.coarse(most) } else { self.below(most << 40) as f64 / 2f64.powi(40) }
    }
}

/// An observation, in seconds below 1000.
struct Case {
    times: Vec<f64>,
    channels: Vec<i16>,
    gtis: Vec<(f64, f64)>,
    dt: f64,
    n: usize,
    band: Option<(f64, f64)>,
    compat: bool,
    common_mean: bool,
}

impl Case {
    fn random(random: &mut Random) -> Case {
        let count = random.below(3000) as usize;
        let mut times: Vec<f64> = (0..count).map(|_| random.time(1000)).collect();
        if random.below(3) > 0 {
            times.sort_by(f64::total_cmp);
        }
        for _ in 0..random.below(4) * random.below(2) {
            if count > 0 {
                times[random.below(count as u64) as usize] = [f64::NAN, f64::INFINITY][random.below(2) as usize];
            }
        }
        let (mut gtis, mut at) = (Vec::new(), random.coarse(20));
        while at < 1000.0 && gtis.len() < 30 {
            let longest = [2, 20, 300][random.below(3) as usize];
            let stop = at + 0.25 + random.coarse(longest);
            gtis.push((at, stop));
            at = stop + 0.01171875 + random.coarse(30);
        }
        Case {
            channels: (0..count).map(|_| random.below(100) as i16).collect(),
            times,
            gtis,
            dt: (1 + random.below(100)) as f64 / 1024.0,
            n: 3 + random.below(30) as usize,
            band: (random.below(2) == 0).then(|| (10.0 + random.below(40) as f64, 60.0 + random.below(20) as f64)),
            compat: random.below(4) == 0,
            common_mean: random.below(4) > 0,
        }
    }

    fn analysis(&self) -> PowerSpectrum {
        let made = PowerSpectrum::default().dt(self.dt).segment_size(self.dt * self.n as f64);
        let mut made = made.use_common_mean(self.common_mean);
        made.segmentation.compat_stingray = self.compat;
        made
    }

    fn bytes(&self) -> Vec<u8> {
        file(&[events(vec![Column::f64("TIME", &self.times), Column::i16("PI", &self.channels)]), gti(&self.gtis)])
    }

    /// The selected events of a file.
    fn observation(&self, folder: &Folder) -> Observation {
        let open = OpenOptions { compat_stingray: self.compat, ..OpenOptions::default() };
        let all = folder.observe(&self.bytes(), &open).unwrap();
        self.band.map_or(all.clone(), |(lo, hi)| all.channels(lo..=hi).unwrap())
    }

    /// Starts of all segments.
    fn starts(&self) -> Vec<f64> {
        let size = self.dt * self.n as f64;
        let inside = |&(a, b): &(f64, f64)| (0..).map(move |k| a + k as f64 * size).take_while(move |s| s + size <= b);
        self.gtis.iter().flat_map(inside).collect()
    }

    /// What becomes of each event, one at a time, and the summed powers of the segments that count.
    fn by_hand(&self) -> (EventBalance, Vec<f64>, u64) {
        let size = self.dt * self.n as f64;
        let starts = self.starts();
        let mut counts = vec![vec![0.0; self.n]; starts.len()];
        let mut held = vec![(0u64, 0u64); starts.len()];
        let mut balance = EventBalance { read: self.times.len() as u64, ..EventBalance::default() };
        for (&t, &channel) in self.times.iter().zip(&self.channels) {
            let channel = f64::from(channel);
            if !t.is_finite() {
                balance.dropped += 1;
            } else if self.band.is_some_and(|(lo, hi)| channel < lo || channel > hi) {
                balance.filtered += 1;
            } else if let Some(i) = starts.iter().position(|&s| s <= t && t < s + size) {
                let bin = (t - starts[i]) * (1.0 / (size / self.n as f64));
                held[i].0 += 1;
                if (bin as usize) < self.n {
                    counts[i][bin as usize] += 1.0;
                } else {
                    held[i].1 += 1;
                }
            } else if self.gtis.iter().any(|&(a, b)| a <= t && t < b) {
                balance.outside_segments += 1;
            } else {
                balance.outside_gti += 1;
            }
        }
        let mut power = vec![0.0; self.n.div_ceil(2) - 1];
        let mut segments = 0;
        for (counts, (events, dropped)) in counts.iter().zip(held) {
            if (self.compat && events < 2) || (!self.common_mean && events == dropped) {
                balance.in_skipped_segments += events;
                continue;
            }
            segments += 1;
            balance.used += events - dropped;
            balance.dropped_edge += dropped;
            add_powers(counts, &mut power);
        }
        (balance, power, segments)
    }
}

/// Adds `|F_k|²` by the definition, `k = 1 … ceil(n/2) − 1`.
fn add_powers(x: &[f64], power: &mut [f64]) {
    let n = x.len();
    for (k, p) in power.iter_mut().enumerate() {
        let (mut re, mut im) = (0.0, 0.0);
        for (j, &x) in x.iter().enumerate() {
            let angle = std::f64::consts::TAU * ((k + 1) * j % n) as f64 / n as f64;
            re += x * angle.cos();
            im -= x * angle.sin();
        }
        *p += re * re + im * im;
    }
}

fn same_bits(a: &AveragedPowerSpectrum, b: &AveragedPowerSpectrum) {
    let bits = |v: &[f64]| v.iter().map(|x| x.to_bits()).collect::<Vec<_>>();
    assert!(bits(&a.unnorm_power) == bits(&b.unnorm_power), "the unnormalised powers differ");
    assert!(bits(&a.power) == bits(&b.power), "the powers differ");
    assert_eq!(
        (&a.meta.record.photons, a.meta.segments, a.meta.mean),
        (&b.meta.record.photons, b.meta.segments, b.meta.mean)
    );
}

/// The spectrum of files that are read through before.
fn of_files(observation: &Observation, analysis: &PowerSpectrum, session: &Session) -> AveragedPowerSpectrum {
    observation.examine().unwrap();
    session.run(analysis, observation).unwrap()
}

#[test]
fn every_photon_of_random_observations_is_where_counting_by_hand_puts_it() {
    let folder = Folder::new();
    let mut random = Random::new(11);
    let mut compared = 0;
    for round in 0..400 {
        let case = Case::random(&mut random);
        let (balance, power, segments) = case.by_hand();
        let observation = case.observation(&folder);
        let (session, told) = telling(threads(2).chunk_events(1 + random.below(500) as usize));
        let result = observation.examine().and_then(|_| session.run(&case.analysis(), &observation));
        let s = match result {
            Ok(s) => s,
            Err(e) => {
                assert!(balance.used == 0 || segments == 0, "round {round}: {e}, but by hand {balance}");
                continue;
            }
        };
        assert!(s.meta.record.photons.is_exact(), "round {round}: {}", s.meta.record.photons);
        assert_eq!(s.meta.record.photons, balance, "round {round}");
        assert_eq!(told.rows(), balance.read, "round {round}: rows told to the progress bar");
        if balance.read > 0 {
            assert_eq!(s.meta.segments, segments, "round {round}");
            let average: Vec<f64> = power.iter().map(|p| p / segments as f64).collect();
            same_powers(&s.unnorm_power, &average, 1e-9);
            compared += 1;
        }
    }
    assert!(compared > 200, "only {compared} cases gave a spectrum");
}

#[test]
fn times_in_memory_are_counted_as_those_of_a_file() {
    let mut random = Random::new(12);
    let (mut compared, session) = (0, threads(2));
    for _ in 0..60 {
        let mut case = Case::random(&mut random);
        (case.band, case.compat) = (None, false);
        let (balance, power, segments) = case.by_hand();
        if balance.used == 0 {
            continue;
        }
        let good = Gti::from_seconds(&case.gtis).unwrap();
        let s = session.run(&case.analysis(), &Observation::times(case.times, good)).unwrap();
        assert_eq!(s.meta.record.photons, balance);
        let average: Vec<f64> = power.iter().map(|p| p / segments as f64).collect();
        same_powers(&s.unnorm_power, &average, 1e-9);
        compared += 1;
    }
    assert!(compared > 20);
}

#[test]
fn chunks_and_threads_of_any_number_give_identical_bits() {
    let mut random = Random::new(13);
    let times: Vec<f64> = (0..50_000).map(|_| random.time(1000)).collect();
    let mut sorted = times.clone();
    sorted.sort_by(f64::total_cmp);
    let bytes =
        |times: &[f64]| file(&[events(vec![Column::f64("TIME", times)]), gti(&[(0.0, 400.0), (400.5, 1000.0)])]);
    let folders = [Folder::new(), Folder::new()];
    let unsorted = folders[0].observe(&bytes(&times), &OpenOptions::default()).unwrap();
    let sorted = folders[1].observe(&bytes(&sorted), &OpenOptions::default()).unwrap();
    let analysis = PowerSpectrum::default().dt(1.0 / 64.0).segment_size(1.5).use_common_mean(false);
    let reference = of_files(&sorted, &analysis, &threads(2).chunk_events(1000));
    assert_eq!(reference.meta.segments, 266 + 399);
    for count in [1, 2, 7] {
        for chunk in [1, 7, 1000, 1 << 18, usize::MAX] {
            let session = threads(count).chunk_events(chunk);
            for observation in [&sorted, &unsorted] {
                same_bits(&of_files(observation, &analysis, &session), &reference);
            }
        }
    }
}

/// Events at multiples of 2^-20 s, in order.
fn many(random: &mut Random, count: usize, length: u64) -> Vec<f64> {
    let mut times: Vec<f64> = (0..count).map(|_| random.below(length << 20) as f64 / 2f64.powi(20)).collect();
    times.sort_by(f64::total_cmp);
    times
}

#[test]
fn a_segment_of_more_events_than_a_batch_is_binned_whole() {
    let mut random = Random::new(14);
    // 2^21 events fill a batch of the CPU.
    let times = many(&mut random, (1 << 21) + 70_001, 4);
    let tail: Vec<f64> = times.iter().copied().chain((0..1000).map(|i| 4.0 + f64::from(i) / 128.0)).collect();
    let n = 256;
    let dt = 4.0 / n as f64;
    let mut counts = vec![vec![0.0; n]; 3];
    tail.iter().filter(|&&t| t < 12.0).for_each(|t| counts[(t / 4.0) as usize][(t % 4.0 / dt) as usize] += 1.0);
    let analysis = PowerSpectrum::default().dt(dt).segment_size(4.0);
    let segments = counts.into_iter().map(FluxSegment::from);
    let expected = streamed(&threads(2), &analysis, FluxValues::Counts, segments).unwrap();
    let observation = Observation::times(tail.clone(), Gti::from_seconds(&[(0.0, 12.0)]).unwrap());
    let s = threads(2).run(&analysis, &observation).unwrap();
    assert_eq!(
        (s.meta.record.photons.used, s.meta.record.photons.read, s.meta.segments),
        (tail.len() as u64, tail.len() as u64, 3)
    );
    same_powers(&s.unnorm_power, &expected.unnorm_power, 1e-10);
    for chunk in [777_777, usize::MAX] {
        same_bits(&threads(2).chunk_events(chunk).run(&analysis, &observation).unwrap(), &s);
    }
    // Two such inputs, merged, are binned into the same segments, also by a device that takes batches alone.
    let folder = Folder::new();
    let halves = [0, 1].map(|half| {
        let times: Vec<f64> = tail.iter().copied().skip(half).step_by(2).collect();
        let bytes = file(&[events(vec![Column::f64("TIME", &times)]), gti(&[(0.0, 12.0)])]);
        folder.write(&half.to_string(), &bytes)
    });
    let merged = Observation::open(halves).unwrap().combine(Combine::Merge);
    for session in [threads(2), on(Faulty::new(fits_file::cpu(), "batches", None))] {
        same_bits(&session.run(&analysis, &merged).unwrap(), &s);
    }
}

/// The same events in two clocks: the first file counts from MJD 55000.5, the second from a day and a quarter later and
/// has an offset of its own.
fn two_clocks(folder: &Folder, split: impl Fn(usize) -> bool, times: &[f64], good: &[(f64, f64)]) -> [PathBuf; 2] {
    let shift = 1.25 * 86_400.0 + 8.0;
    let part = |second: bool| -> Vec<f64> {
        let kept = times.iter().enumerate().filter(|(i, _)| split(*i) == second).map(|(_, &t)| t);
        kept.map(|t| if second { t - shift } else { t }).collect()
    };
    let moved: Vec<(f64, f64)> = good.iter().map(|(a, b)| (a - shift, b - shift)).collect();
    let first = file(&[events(vec![Column::f64("TIME", &part(false))]), gti(good)]);
    let second = events(vec![Column::f64("TIME", &part(true))]);
    let second = second.set("MJDREFI", "55001").set("MJDREFF", "0.75").set("TIMEZERO", "8.0");
    let second = file(&[second, gti(&moved)]);
    [folder.write("first", &first), folder.write("second", &second)]
}

#[test]
fn merged_files_in_different_clocks_are_the_spectrum_of_all_their_events() {
    let mut random = Random::new(15);
    let times = many(&mut random, 20_000, 1000);
    let good = [(10.25, 300.0), (310.0, 990.0)];
    let folder = Folder::new();
    let [a, b] = two_clocks(&folder, |i| i * 7 % 3 == 0, &times, &good);
    let analysis = PowerSpectrum::default().dt(1.0 / 32.0).segment_size(3.0);
    let merge = |paths: [&PathBuf; 2]| {
        of_files(&Observation::open(paths).unwrap().combine(Combine::Merge), &analysis, &threads(2))
    };
    let all = Observation::times(times, Gti::from_seconds(&good).unwrap());
    let (all, merged) = (threads(2).run(&analysis, &all).unwrap(), merge([&a, &b]));
    same_bits(&merged, &all);
    assert_eq!(merged.meta.record.gti, all.meta.record.gti);
    // The other one's clock is as good a frame.
    same_bits(&merge([&b, &a]), &all);
}

#[test]
fn averaged_files_are_the_mean_over_the_segments_of_both() {
    let mut random = Random::new(16);
    let times = many(&mut random, 30_000, 1000);
    let folder = Folder::new();
    let [a, b] = two_clocks(&folder, |i| i % 5 == 0, &times, &[(0.0, 500.0), (504.0, 1000.0)]);
    let of = |paths: &[&PathBuf]| {
        let observation = Observation::open(paths).unwrap().combine(Combine::Average);
        of_files(&observation, &PowerSpectrum::default().dt(1.0 / 32.0).segment_size(2.5), &threads(2))
    };
    let ([one, two], both) = ([&a, &b].map(|path| of(&[path])), of(&[&a, &b]));
    assert_eq!(both.meta.segments, one.meta.segments + two.meta.segments);
    let mut photons = one.meta.record.photons.clone();
    photons.add(&two.meta.record.photons);
    assert_eq!(both.meta.record.photons, photons);
    let (m1, m2) = (one.meta.segments as f64, two.meta.segments as f64);
    let mean: Vec<f64> =
        one.unnorm_power.iter().zip(&two.unnorm_power).map(|(p, q)| (p * m1 + q * m2) / (m1 + m2)).collect();
    same_powers(&both.unnorm_power, &mean, 1e-12);
    let count = both.meta.record.photons.used as f64 / both.meta.segments as f64;
    let leahy: Vec<f64> = mean.iter().map(|p| 2.0 * p / count).collect();
    same_powers(&both.power, &leahy, 1e-12);
}

#[test]
fn files_whose_times_cannot_be_compared_are_not_joined() {
    let folder = Folder::new();
    let write = |name: &str, table: fits_file::Table| folder.write(name, &file(&[table, gti(&[(0.0, 10.0)])]));
    let table = || events(vec![Column::f64("TIME", &[1.0, 2.0])]);
    let known = write("known", table());
    let others = [
        ("MJDREF", write("unknown", fits_file::Table::new("EVENTS", vec![Column::f64("TIME", &[1.0])]))),
        ("TIMESYS", write("system", table().set("TIMESYS", "'UTC'"))),
        ("TIMEREF", write("place", table().set("TIMEREF", "'SOLARSYSTEM'"))),
    ];
    for (key, other) in &others {
        for pair in [[&known, other], [other, &known]] {
            let e = Observation::open(pair).unwrap().examine().unwrap_err().to_string();
            assert!(e.contains(key) && e.contains("cannot be joined"), "{e}");
        }
    }
}

#[test]
fn intervals_of_absurd_length_are_refused_and_not_waited_for() {
    let analysis = PowerSpectrum::default().dt(0.25).segment_size(1.0);
    for stop in [1e13, 1e30, 1e300] {
        let good = Gti::from_seconds(&[(0.0, stop), (stop * 2.0, stop * 4.0)]).unwrap();
        let e = threads(2).run(&analysis, &Observation::times(vec![1.0, 2.0], good)).unwrap_err().to_string();
        assert!(e.contains("segment_size") && e.contains("the most is"), "{e}");
    }
}

/// They are counted, and what is not transformed is what its transform would add: nothing.
#[test]
fn segments_without_an_event_add_nothing() {
    let mut random = Random::new(11);
    let mut times: Vec<f64> = (0..500).map(|_| 40.0 + random.time(10)).collect();
    times.sort_by(f64::total_cmp);
    let run = |intervals: &[(f64, f64)], common: bool| {
        let observation = Observation::times(times.clone(), Gti::from_seconds(intervals).unwrap());
        let analysis = PowerSpectrum::default().dt(0.125).segment_size(10.0).use_common_mean(common);
        threads(2).run(&analysis, &observation).unwrap()
    };
    let (all, one) = (run(&[(0.0, 1000.0)], true), run(&[(40.0, 50.0)], true));
    assert_eq!((all.meta.segments, one.meta.segments, all.meta.nphots, one.meta.nphots), (100, 1, 5.0, 500.0));
    for (a, b) in all.unnorm_power.iter().zip(&one.unnorm_power) {
        assert!((100.0 * a / b - 1.0).abs() < 1e-12, "{a} {b}");
    }
    // With means of their own they cannot be normalised.
    let (all, one) = (run(&[(0.0, 1000.0)], false), run(&[(40.0, 50.0)], false));
    assert_eq!((all.meta.segments, all.meta.skipped_segments), (1, 99));
    same_powers(&all.power, &one.power, 1e-12);
}

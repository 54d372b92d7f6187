//! From events to spectrum: every photon is accounted for, and nothing depends on how the work is cut up.

use crate::common::fits_file;
use std::num::NonZeroUsize;

use crate::common::fits_file::{Column, Folder, cpu, events, file, gti, same_powers};
use eagleray::data::ChannelRange;
use eagleray::engine::align;
use eagleray::internal::backend::cpu::CpuBackend;
use eagleray::{
    AveragedPowerSpectrum, Combine, EventBalance, EventFile, Events, FluxOptions, FluxSegment, Gti, OpenOptions,
    PowerOptions, PowerSpectrumOptions, Progress, Selection, Warnings, spectrum_of_events, spectrum_of_flux,
    spectrum_of_times,
};
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

    fn options(&self) -> PowerSpectrumOptions {
        PowerSpectrumOptions {
            dt: Some(self.dt),
            segment_size: Some(self.dt * self.n as f64),
            compat_stingray: self.compat,
            power: PowerOptions { use_common_mean: self.common_mean, ..PowerOptions::default() },
            ..PowerSpectrumOptions::default()
        }
    }

    fn bytes(&self) -> Vec<u8> {
        file(&[events(vec![Column::f64("TIME", &self.times), Column::i16("PI", &self.channels)]), gti(&self.gtis)])
    }

    fn selection(&self) -> Selection {
        Selection { channels: self.band.map(|(lo, hi)| ChannelRange::channels(lo, hi)), detectors: None }
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

fn of_files(files: &[&EventFile], options: &PowerSpectrumOptions, backend: &mut CpuBackend) -> AveragedPowerSpectrum {
    let mut warnings = Warnings::default();
    let mut inputs: Vec<Events> =
        files.iter().map(|f| Events::from_file(f, Selection::default(), &mut warnings).unwrap()).collect();
    align(&mut inputs).unwrap();
    spectrum_of_events(inputs, options, backend, warnings, &Progress::default()).unwrap()
}

#[test]
fn every_photon_of_random_observations_is_where_counting_by_hand_puts_it() {
    let folder = Folder::new();
    let mut random = Random::new(11);
    let (mut compared, mut backend) = (0, cpu());
    for round in 0..400 {
        let case = Case::random(&mut random);
        let (balance, power, segments) = case.by_hand();
        let open = OpenOptions { compat_stingray: case.compat, ..OpenOptions::default() };
        let (file, mut warnings) = folder.open(&case.bytes(), &open).unwrap();
        let options = PowerSpectrumOptions { chunk_events: 1 + random.below(500) as usize, ..case.options() };
        let reported = Progress::default();
        let result = Events::from_file(&file, case.selection(), &mut warnings)
            .and_then(|input| spectrum_of_events(vec![input], &options, &mut backend, warnings, &reported));
        let s = match result {
            Ok(s) => s,
            Err(e) => {
                assert!(balance.used == 0 || segments == 0, "round {round}: {e}, but by hand {balance}");
                continue;
            }
        };
        assert!(s.meta.record.photons.is_exact(), "round {round}: {}", s.meta.record.photons);
        assert_eq!(s.meta.record.photons, balance, "round {round}");
        assert_eq!(reported.state().0, balance.read, "round {round}: rows told to the progress bar");
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
    let mut backend = cpu();
    let mut compared = 0;
    for _ in 0..60 {
        let mut case = Case::random(&mut random);
        (case.band, case.compat) = (None, false);
        let (balance, power, segments) = case.by_hand();
        if balance.used == 0 {
            continue;
        }
        let good = Gti::from_seconds(&case.gtis).unwrap();
        let s = spectrum_of_times(&case.times, good, &case.options(), &mut backend).unwrap();
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
    let folder = Folder::new();
    let unsorted = folder.open(&bytes(&times), &OpenOptions::default()).unwrap().0;
    let sorted = Folder::new().open(&bytes(&sorted), &OpenOptions::default()).unwrap().0;
    let options = |chunk_events| PowerSpectrumOptions {
        dt: Some(1.0 / 64.0),
        segment_size: Some(1.5),
        chunk_events,
        power: PowerOptions { use_common_mean: false, ..PowerOptions::default() },
        ..PowerSpectrumOptions::default()
    };
    let reference = of_files(&[&sorted], &options(1000), &mut cpu());
    assert_eq!(reference.meta.segments, 266 + 399);
    for threads in [1, 2, 7] {
        let mut backend = CpuBackend::new(NonZeroUsize::new(threads)).unwrap();
        for chunk in [1, 7, 1000, 1 << 18, usize::MAX] {
            for file in [&sorted, &unsorted] {
                same_bits(&of_files(&[file], &options(chunk), &mut backend), &reference);
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
    let flux = FluxOptions { dt, rates: false, power: PowerOptions::default() };
    let expected =
        spectrum_of_flux(counts.into_iter().map(FluxSegment::from), &flux, &mut cpu(), Warnings::default()).unwrap();
    let good = || Gti::from_seconds(&[(0.0, 12.0)]).unwrap();
    let options = |chunk_events| PowerSpectrumOptions {
        dt: Some(dt),
        segment_size: Some(4.0),
        chunk_events,
        ..PowerSpectrumOptions::default()
    };
    let s = spectrum_of_times(&tail, good(), &options(1 << 18), &mut cpu()).unwrap();
    assert_eq!(
        (s.meta.record.photons.used, s.meta.record.photons.read, s.meta.segments),
        (tail.len() as u64, tail.len() as u64, 3)
    );
    same_powers(&s.unnorm_power, &expected.unnorm_power, 1e-10);
    for chunk in [777_777, usize::MAX] {
        same_bits(&spectrum_of_times(&tail, good(), &options(chunk), &mut cpu()).unwrap(), &s);
    }
    // Two such inputs, merged, are binned into the same segments.
    let halves: [Vec<f64>; 2] = [0, 1].map(|half| tail.iter().copied().skip(half).step_by(2).collect());
    let mut warnings = Warnings::default();
    let inputs = halves.iter().map(|times| Events::from_slice(times, good(), &mut warnings)).collect();
    let merged = PowerSpectrumOptions { combine: Combine::Merge, ..options(1 << 18) };
    same_bits(&spectrum_of_events(inputs, &merged, &mut cpu(), Warnings::default(), &Progress::default()).unwrap(), &s);
}

/// The same events in two clocks: the first file counts from MJD 55000.5, the second from a day and a quarter later and
/// has an offset of its own.
fn two_clocks(folder: &Folder, split: impl Fn(usize) -> bool, times: &[f64], good: &[(f64, f64)]) -> [EventFile; 2] {
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
    let open = |name: &str, bytes: &[u8]| {
        EventFile::open(&folder.write(name, bytes), &OpenOptions::default(), &mut Warnings::default()).unwrap()
    };
    [open("first", &first), open("second", &second)]
}

#[test]
fn merged_files_in_different_clocks_are_the_spectrum_of_all_their_events() {
    let mut random = Random::new(15);
    let times = many(&mut random, 20_000, 1000);
    let good = [(10.25, 300.0), (310.0, 990.0)];
    let folder = Folder::new();
    let [a, b] = two_clocks(&folder, |i| i * 7 % 3 == 0, &times, &good);
    let options = PowerSpectrumOptions {
        dt: Some(1.0 / 32.0),
        segment_size: Some(3.0),
        combine: Combine::Merge,
        ..PowerSpectrumOptions::default()
    };
    let merged = of_files(&[&a, &b], &options, &mut cpu());
    let all = spectrum_of_times(&times, Gti::from_seconds(&good).unwrap(), &options, &mut cpu()).unwrap();
    same_bits(&merged, &all);
    assert_eq!(merged.meta.record.gti, all.meta.record.gti);
    // The other one's clock is as good a frame.
    same_bits(&of_files(&[&b, &a], &options, &mut cpu()), &all);
}

#[test]
fn averaged_files_are_the_mean_over_the_segments_of_both() {
    let mut random = Random::new(16);
    let times = many(&mut random, 30_000, 1000);
    let folder = Folder::new();
    let [a, b] = two_clocks(&folder, |i| i % 5 == 0, &times, &[(0.0, 500.0), (504.0, 1000.0)]);
    let options =
        PowerSpectrumOptions { dt: Some(1.0 / 32.0), segment_size: Some(2.5), ..PowerSpectrumOptions::default() };
    let [one, two] = [&a, &b].map(|file| of_files(&[file], &options, &mut cpu()));
    let both = of_files(&[&a, &b], &options, &mut cpu());
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
    let open = |name: &str, table: fits_file::Table| {
        let bytes = file(&[table, gti(&[(0.0, 10.0)])]);
        EventFile::open(&folder.write(name, &bytes), &OpenOptions::default(), &mut Warnings::default()).unwrap()
    };
    let table = || events(vec![Column::f64("TIME", &[1.0, 2.0])]);
    let known = open("known", table());
    let others = [
        ("MJDREF", open("unknown", fits_file::Table::new("EVENTS", vec![Column::f64("TIME", &[1.0])]))),
        ("TIMESYS", open("system", table().set("TIMESYS", "'UTC'"))),
        ("TIMEREF", open("place", table().set("TIMEREF", "'SOLARSYSTEM'"))),
    ];
    for (key, other) in &others {
        for pair in [[&known, other], [other, &known]] {
            let mut warnings = Warnings::default();
            let mut inputs: Vec<Events> =
                pair.iter().map(|f| Events::from_file(f, Selection::default(), &mut warnings).unwrap()).collect();
            let e = align(&mut inputs).unwrap_err().to_string();
            assert!(e.contains(key) && e.contains("cannot be joined"), "{e}");
        }
    }
}

#[test]
fn intervals_of_absurd_length_are_refused_and_not_waited_for() {
    let options = PowerSpectrumOptions { dt: Some(0.25), segment_size: Some(1.0), ..PowerSpectrumOptions::default() };
    for stop in [1e13, 1e30, 1e300] {
        let good = Gti::from_seconds(&[(0.0, stop), (stop * 2.0, stop * 4.0)]).unwrap();
        let e = spectrum_of_times(&[1.0, 2.0], good, &options, &mut cpu()).unwrap_err().to_string();
        assert!(e.contains("segment_size") && e.contains("the most is"), "{e}");
    }
}

//! Whole paths that users walk: from a file, or from batches in memory, to a spectrum.

use std::collections::{BTreeMap, VecDeque};
use std::path::{Path, PathBuf};
use std::sync::Arc;

use super::BenchDevice;
use super::record::{BenchRecord, BenchTiming, TimeLimit};
use super::sample::{Budget, in_turn, least, repeated, timed};
use crate::names;
use eagleray::files::{EventFile, OpenOptions};
use eagleray::internal::Progress;
use eagleray::internal::backend::Backend;
use eagleray::internal::engine::{CHUNK_EVENTS, run_on};
use eagleray::internal::kernels::{Input, bin_events};
use eagleray::internal::numerics::fft::CpuFft;
use eagleray::internal::random::Random;
use eagleray::internal::segment::{PlanSpec, Quantity, SegmentBatch, SeriesSegment};
use eagleray::internal::sums::PartialSums;
use eagleray::internal::trace::{self, Trace};
use eagleray::missions::{self, Mission};
use eagleray::simulate::{FrameTime, Simulation};
use eagleray::time::DoubleDouble;
use eagleray::{Error, Observation, PowerSpectrum, Result, Warnings};

/// A kind of observation and what is made of it.
pub struct Workload {
    /// For `--workload`.
    pub name: &'static str,
    /// For people.
    pub about: &'static str,
    mission: &'static Mission,
    /// Events a second.
    rate: f64,
    /// Bins a second, and bins of a segment.
    bins_per_second: f64,
    n: usize,
    /// Events of a full run, of a quick one, and on a software adapter.
    events: [f64; 3],
    /// Energy bands, 0 for a power spectrum.
    bands: usize,
    /// Not run unless named.
    on_request: bool,
}

const PLAIN: Workload = Workload {
    name: "",
    about: "",
    mission: &missions::NICER,
    rate: 1e4,
    bins_per_second: 8192.0,
    n: 1 << 17,
    events: [1e8, 4e6, 5e5],
    bands: 0,
    on_request: false,
};

/// How much a run has to do.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Size {
    /// What the workload stands for.
    Full,
    /// Tenths of a second on two cores.
    Quick,
    /// What a GPU that is a program can do in that time.
    Software,
}

/// All workloads.
pub const WORKLOADS: &[Workload] = &[
    Workload { name: "bright", about: "a bright source, NICER: dt 1/8192 s, segments of 16 s", ..PLAIN },
    Workload {
        name: "faint",
        about: "a faint source, long, NuSTAR: 0.1 counts/s, dt 1/128 s, segments of 1024 s",
        mission: &missions::NUSTAR,
        rate: 0.1,
        bins_per_second: 128.0,
        events: [1e5, 1e4, 250.0],
        ..PLAIN
    },
    Workload {
        name: "frames",
        about: "frames of XMM's EPIC-pn, 73 ms, segments of 1000 frames",
        mission: &missions::XMM,
        rate: 10.0,
        bins_per_second: 1.0 / XMM_FRAME,
        n: 1000,
        events: [1e7, 1e6, 2e4],
        ..PLAIN
    },
    Workload {
        name: "bands",
        about: "20 energy bands against all photons, from memory: cross spectra, 4096 bins",
        rate: 1e3,
        bins_per_second: 1024.0,
        n: 4096,
        events: [1e7, 5e5, 1.6e4],
        bands: 20,
        ..PLAIN
    },
    Workload {
        name: "long",
        about: "one segment of 2^24 bins (fewer with --quick), dt 1/1024 s",
        rate: 600.0,
        bins_per_second: 1024.0,
        n: 1 << 24,
        events: [1e7, 6e5, 1.5e5],
        ..PLAIN
    },
    Workload {
        name: "billion",
        about: "the bright source with 10^9 events of 12 bytes; only when named",
        mission: &missions::GENERIC,
        events: [1e9; 3],
        on_request: true,
        ..PLAIN
    },
];

/// Frame time of EPIC-pn in full frame mode, s, as the simulation has it.
const XMM_FRAME: f64 = 0.073_364_96;

/// The workloads of some names; without names, all that are not on request.
///
/// # Errors
/// A name that is none.
pub fn named(names: &[String]) -> Result<Vec<&'static Workload>> {
    if names.is_empty() {
        return Ok(WORKLOADS.iter().filter(|w| !w.on_request).collect());
    }
    let find = |name: &String| {
        let all = || WORKLOADS.iter().map(|w| w.name).collect::<Vec<_>>().join(", ");
        let unknown = || Error::argument("workload", name, format!("is none of {}", all()));
        WORKLOADS.iter().find(|w| w.name == name).ok_or_else(unknown)
    };
    names.iter().map(find).collect()
}

/// A workload of a certain size, with its file.
pub struct Prepared {
    /// What it is.
    pub workload: &'static Workload,
    /// Events asked for.
    pub events: u64,
    n: usize,
    /// Empty where nothing is read.
    file: PathBuf,
    bytes: u64,
    /// Where nothing is read.
    batches: Vec<Arc<SegmentBatch>>,
    /// Time of one core for an event (decoding, counting), and for the transform of one row, s.
    event_cost: f64,
    row_cost: f64,
}

/// What a run had to do.
#[derive(Clone, Copy, Debug, Default)]
struct WorkDone {
    segments: u64,
    events: u64,
}

impl Workload {
    /// Events of a run.
    pub fn events(&self, size: Size, asked: Option<f64>) -> u64 {
        asked.unwrap_or(self.events[size as usize]) as u64
    }

    /// Simulates the file of so many events in `folder`, unless it is there, and measures what its events cost.
    ///
    /// # Errors
    /// No room; too few events for one segment.
    pub fn prepare(&'static self, events: u64, size: Size, folder: &Path) -> Result<Prepared> {
        let n = self.n.min([usize::MAX, 1 << 20, 1 << 18][size as usize]);
        let row_cost = transform_cost(n);
        if self.bands > 0 {
            let event_cost = count_cost(&random_times(4096, 1.0), 1.0, n);
            let (file, bytes, batches) = (PathBuf::new(), 0, self.batches(events, n));
            return Ok(Prepared { workload: self, events, n, file, bytes, batches, event_cost, row_cost });
        }
        let file = folder.join(format!("{}-{events}.evt", self.name));
        if !file.exists() {
            let length = (events as f64 / self.rate).max(1.001 * n as f64 / self.bins_per_second);
            let frame_time = if self.mission == &missions::XMM { FrameTime::Mission } else { FrameTime::Clock };
            let (rate, mission) = (vec![events as f64 / length], self.mission);
            Simulation { mission, rate, length, frame_time, seed: 1, ..Simulation::default() }.write(&file, false)?;
        }
        let bytes = std::fs::metadata(&file).map_err(|e| Error::io(&file, e))?.len();
        let opened = EventFile::open(&file, &OpenOptions::default(), &mut Warnings::default())?;
        let some = opened.rows().min(1 << 18);
        let mut times = Vec::new();
        let decode = least(&repeated(3, || {
            times.clear();
            // The run itself will say what is wrong with the file.
            let _ = opened.times(0..some, &mut times);
        }));
        let count = count_cost(&times, n as f64 / self.bins_per_second, n);
        let event_cost = decode / some.max(1) as f64 + count;
        Ok(Prepared { workload: self, events, n, file, bytes, batches: Vec::new(), event_cost, row_cost })
    }
}

impl Workload {
    /// The plan of all bands and the reference, which has their photons.
    fn cross(&self, n: usize, max_segments: u64) -> PlanSpec {
        let quantity = Quantity::Cross { series: self.bands + 1, inside: (1 << self.bands) - 1, weight_exponent: None };
        let segment_size = n as f64 / self.bins_per_second;
        PlanSpec { n, segment_size, quantity, input: Input::Events, min_events: 0, max_segments }
    }

    /// Batches of [`RUNS`] runs; all segments have the same photons at other times.
    fn batches(&self, events: u64, n: usize) -> Vec<Arc<SegmentBatch>> {
        let spec = self.cross(n, 0);
        let a_segment = ((self.rate * spec.segment_size) as usize).max(self.bands);
        let photons = random_times(a_segment, spec.segment_size);
        let segments = (events / a_segment as u64).max(1);
        let step = (RUNS * spec.run_length()) as usize;
        let one = |first: u64| {
            let mut batch = SegmentBatch { first: true, last: true, ..SegmentBatch::default() };
            for index in first..(first + step as u64).min(segments) {
                let zero = index as f64 * spec.segment_size;
                for channel in 0..=self.bands {
                    let begin = batch.times.len();
                    let own = photons.iter().enumerate().filter(|(i, _)| channel == 0 || i % self.bands == channel - 1);
                    batch.times.extend(own.map(|(_, t)| zero + t));
                    let (end, start) = (batch.times.len(), DoubleDouble::from(zero));
                    let events = (end - begin) as u64;
                    batch.rows.push(SeriesSegment { start, begin, end, events, ..SeriesSegment::empty(index) });
                }
            }
            Arc::new(batch)
        };
        (0..segments).step_by(step).map(one).collect()
    }
}

/// Runs of segments in a batch of bands: few enough for every device.
const RUNS: u64 = 4;

/// Time of one core to count one of the times that lie in one segment of `n` bins, s.
fn count_cost(times: &[f64], segment_size: f64, n: usize) -> f64 {
    let Some(&first) = times.first() else { return 0.0 };
    let times = &times[..times.partition_point(|t| t - first < segment_size)];
    let (mut counts, mut last) = (vec![0.0; n], bin_events::LastEventTable::default());
    let (start, delta) = (DoubleDouble::from(first), bin_events::bins_per_second(segment_size, n));
    let seconds = repeated(3, || {
        bin_events::add_sorted(std::hint::black_box(times), start, delta, &mut counts, &mut last);
    });
    least(&seconds) / times.len() as f64
}

/// Time of one core to transform a row of `n` samples, s.
fn transform_cost(n: usize) -> f64 {
    let fft = CpuFft::new(n);
    let mut work = fft.work();
    least(&repeated(3, || fft.process(&mut work)))
}

fn random_times(count: usize, length: f64) -> Vec<f64> {
    let mut random = Random::new(count as u64);
    let mut times: Vec<f64> = (0..count).map(|_| length * random.uniform()).collect();
    times.sort_by(f64::total_cmp);
    times
}

impl Prepared {
    /// The file, dt and the length of a segment, s.
    pub fn task(&self) -> (&Path, f64, f64) {
        let dt = 1.0 / self.workload.bins_per_second;
        (&self.file, dt, dt * self.n as f64)
    }

    /// Runs once; the spectrum of a file is written where there is an `output`, which is replaced.
    fn run(&self, backend: &mut dyn Backend, chunk: Option<usize>, output: Option<&Path>) -> Result<WorkDone> {
        if self.workload.bands > 0 {
            return self.cross(backend);
        }
        let (file, dt, segment_size) = self.task();
        let analysis = PowerSpectrum::default().dt(dt).segment_size(segment_size);
        let observation = Observation::open([file])?;
        let (chunk, progress) = (chunk.unwrap_or(CHUNK_EVENTS), Progress::default());
        let spectrum = run_on(backend, chunk, &progress, &analysis, &observation)?;
        if let Some(output) = output {
            spectrum.write(output, true)?;
        }
        Ok(WorkDone { segments: spectrum.meta.segments, events: spectrum.meta.record.photons.read })
    }

    /// Cross spectra of all bands with the reference.
    fn cross(&self, backend: &mut dyn Backend) -> Result<WorkDone> {
        let spec = self.workload.cross(self.n, u64::MAX);
        let plan = backend.prepare(&spec)?;
        let mut tickets = VecDeque::new();
        let mut sums = PartialSums::new();
        let mut queue = self.batches.iter();
        let result = loop {
            if tickets.len() < backend.depth()
                && let Some(batch) = queue.next()
            {
                match backend.submit(plan, batch.clone()) {
                    Ok(ticket) => tickets.push_back(ticket),
                    Err(e) => break Err(e),
                }
                continue;
            }
            let Some(ticket) = tickets.pop_front() else { break Ok(()) };
            match backend.collect(ticket) {
                Ok(part) => sums.merge(part),
                Err(e) => break Err(e),
            }
        };
        backend.release(plan);
        result?;
        let events = self.batches.iter().map(|batch| batch.times.len() as u64).sum();
        Ok(WorkDone { segments: sums.finish().segments, events })
    }

    /// The least time on a device for what was done; `moved` and `uploaded` are a GPU's bytes.
    fn limit(
        &self,
        done: WorkDone,
        device: &BenchDevice,
        threads: usize,
        bytes: [f64; 2],
        record: &BenchRecord,
    ) -> Option<TimeLimit> {
        let rate = |device: &str, name: &str| record.rate(device, name).unwrap_or(f64::NAN);
        let file = ("reading the file", self.bytes as f64 / rate("cpu", "page cache"));
        let rows = (done.segments * (1 + self.workload.bands as u64)) as f64;
        if device.gpu.is_none() {
            let work = done.events as f64 * self.event_cost + rows * self.row_cost;
            return TimeLimit::from_terms([file, ("work of all cores", work / threads as f64)]);
        }
        let [moved, uploaded] = bytes;
        let n = self.n as f64;
        let name = &device.name;
        let limit = TimeLimit::from_terms([
            file,
            ("device memory", moved / rate(name, "copy")),
            ("arithmetic", rows * 2.5 * n * n.log2() / rate(name, "f32 arithmetic")),
            ("upload", uploaded / rate(name, "upload, mapped")),
            ("host memory", uploaded / rate("cpu", "memcpy")),
        ])?;
        Some(limit)
    }
}

/// Times workloads on a device, and profiles one more run of each. What fails is said in `skipped`.
pub fn time(
    prepared: &[&Prepared],
    device: &mut BenchDevice,
    record: &BenchRecord,
    budget: Budget,
    skipped: &mut Vec<String>,
    profiles: &mut Vec<(String, Trace)>,
) -> Vec<BenchTiming> {
    let threads = device.threads;
    let backend = |device: &mut BenchDevice, look: &mut dyn FnMut(&mut dyn Backend) -> Result<WorkDone>| match device
        .gpu
        .as_deref_mut()
    {
        Some(gpu) => look(gpu),
        None => look(device.cpu.as_mut()),
    };
    let measured = in_turn(prepared.len(), budget, |i| {
        let (seconds, done) = timed(|| backend(device, &mut |b| prepared[i].run(b, None, None)));
        done.map(|_| seconds).map_err(|e| names::error_text(&e))
    });
    let mut timings = Vec::new();
    for (one, samples) in prepared.iter().zip(measured) {
        let name = one.workload.name;
        let work = |device: &BenchDevice| device.gpu.as_ref().map(|gpu| gpu.work().clone()).unwrap_or_default();
        let before = work(device);
        trace::start();
        let done = backend(device, &mut |b| one.run(b, None, None));
        let profile = trace::stop();
        let after = work(device);
        let (samples, done) = match (samples, done) {
            (Ok(samples), Ok(done)) => (samples, done),
            (Err(why), _) => {
                skipped.push(format!("workload {name} on {}: {why}", device.name));
                continue;
            }
            (_, Err(e)) => {
                skipped.push(format!("workload {name} on {}: {e}", device.name));
                continue;
            }
        };
        let moved = [after.moved - before.moved, after.uploaded - before.uploaded].map(|bytes| bytes as f64);
        let limit = one.limit(done, device, threads, moved, record);
        let size = [("events", one.events), ("bins", one.n as u64), ("segments", done.segments), ("bytes", one.bytes)];
        let owned = |(name, value): (&str, _)| (name.to_string(), value);
        let timing = BenchTiming {
            id: format!("workload/{name}/{}x{}/{}/{}", one.n, one.events, device.name, device.profile),
            kind: "workload".into(),
            name: name.into(),
            device: device.name.clone(),
            profile: device.profile.into(),
            size: BTreeMap::from(size.map(|(name, value)| (name.to_string(), value))),
            stages: profile.stages().into_iter().map(|(name, stage)| (name.to_string(), stage)).collect(),
            passes: profile.passes().into_iter().map(owned).collect(),
            bytes: profile.counters().into_iter().map(|(name, bytes)| (name.to_string(), bytes)).collect(),
            peak_memory_bytes: profile.peak_memory(),
            ..BenchTiming::default()
        };
        timings.push(timing.with(samples, limit));
        profiles.push((format!("{name} on {}", device.name), profile));
    }
    timings
}

/// One run on the CPU with so many rows read at a time, s; its spectrum is written where there is an `output`.
///
/// # Errors
/// The run fails.
pub fn once(
    prepared: &Prepared,
    backend: &mut dyn Backend,
    chunk: usize,
    output: Option<&Path>,
) -> Result<f64, String> {
    let (seconds, done) = timed(|| prepared.run(backend, Some(chunk), output));
    done.map(|_| seconds).map_err(|e| names::error_text(&e))
}

//! Where the time goes: spans around pieces of work, bytes moved, passes of GPUs; off unless asked for, when a span is one look
//! at a flag.
//!
//! A span belongs around a piece that takes microseconds at least (some rows of a file, one segment, one batch), never around
//! an event: two readings of the clock take about 0.1 µs. New code adds `let _span = profile::span("stage");` where a
//! stage begins; the name is what tables and traces show, and one stage has one name wherever it happens. Spans of one thread
//! nest by their scopes; the time of a stage is its own, without that of spans inside.
//!
//! Used by the program's `--profile` and by `gpu-bench`; one recording at a time for the whole process.

use std::cell::OnceCell;
use std::collections::BTreeMap;
use std::fmt::Write;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, OnceLock, PoisonError};
use std::time::Instant;

use serde_json::json;

/// Spans that one thread keeps, 2 MiB; later ones are in the sums of their stages alone.
const MOST_SPANS: usize = 1 << 16;
/// A counter's increments within this time of one thread are one, ns.
const COUNTER_STEP: u64 = 1_000_000;

static ON: AtomicBool = AtomicBool::new(false);
static RECORDING: Mutex<Recording> = Mutex::new(Recording { tracks: Vec::new(), devices: Vec::new() });

struct Recording {
    tracks: Vec<Arc<Mutex<Track>>>,
    devices: Vec<DevicePass>,
}

/// What one thread notes.
#[derive(Default)]
struct Track {
    name: String,
    /// Time of the spans inside each open span, ns.
    open: Vec<u64>,
    spans: Vec<Spent>,
    left_out: u64,
    stages: BTreeMap<&'static str, Stage>,
    counters: Vec<(&'static str, u64, u64)>,
}

#[derive(Clone, Copy)]
struct Spent {
    name: &'static str,
    begin: u64,
    duration: u64,
}

/// Time of a stage on one thread, or on all.
#[derive(Clone, Copy, Debug, Default, PartialEq, serde::Serialize, serde::Deserialize)]
pub struct Stage {
    /// Spans.
    pub count: u64,
    /// Time in them, s, without that of spans inside.
    pub seconds: f64,
}

/// One pass on a GPU, in the device's clock.
struct DevicePass {
    device: String,
    name: &'static str,
    /// s.
    begin: f64,
    end: f64,
    /// When the host knew that it had ended, ns.
    seen: u64,
}

thread_local! {
    static TRACK: OnceCell<Arc<Mutex<Track>>> = const { OnceCell::new() };
}

fn locked<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

/// Nanoseconds since the process first asked.
fn now() -> u64 {
    static EPOCH: OnceLock<Instant> = OnceLock::new();
    EPOCH.get_or_init(Instant::now).elapsed().as_nanos() as u64
}

fn with_track<T>(look: impl FnOnce(&mut Track) -> T) -> Option<T> {
    // A thread that ends has no track any more.
    TRACK
        .try_with(|track| {
            let track = track.get_or_init(|| {
                let name = std::thread::current().name().unwrap_or("thread").to_string();
                let track = Arc::new(Mutex::new(Track { name, ..Track::default() }));
                locked(&RECORDING).tracks.push(track.clone());
                track
            });
            look(&mut locked(track))
        })
        .ok()
}

/// True while a recording runs.
pub fn is_on() -> bool {
    ON.load(Ordering::Relaxed)
}

/// A span that ends when this is dropped, on the thread where it began.
#[must_use = "a span lasts as long as its value"]
pub struct Span(Option<(&'static str, u64)>);

/// Begins a span of a stage.
#[inline]
pub fn span(name: &'static str) -> Span {
    Span(if is_on() { begin(name) } else { None })
}

/// The same for pieces that may be too short to be timed one by one: nothing unless `worth`.
#[inline]
pub fn span_if(worth: bool, name: &'static str) -> Span {
    Span(if worth && is_on() { begin(name) } else { None })
}

#[cold]
fn begin(name: &'static str) -> Option<(&'static str, u64)> {
    with_track(|track| track.open.push(0));
    Some((name, now()))
}

impl Drop for Span {
    #[inline]
    fn drop(&mut self) {
        if let Some((name, begin)) = self.0 {
            end(name, begin);
        }
    }
}

#[cold]
fn end(name: &'static str, begin: u64) {
    let duration = now().saturating_sub(begin);
    with_track(|track| {
        let inside = track.open.pop().unwrap_or(0);
        if let Some(outer) = track.open.last_mut() {
            *outer += duration;
        }
        let stage = track.stages.entry(name).or_default();
        stage.count += 1;
        stage.seconds += duration.saturating_sub(inside) as f64 * 1e-9;
        if track.spans.len() < MOST_SPANS {
            track.spans.push(Spent { name, begin, duration });
        } else {
            track.left_out += 1;
        }
    });
}

/// Adds to a counter of bytes.
#[inline]
pub fn count(counter: &'static str, bytes: u64) {
    if is_on() {
        add(counter, bytes);
    }
}

#[cold]
fn add(counter: &'static str, bytes: u64) {
    let at = now();
    with_track(|track| {
        let last = track.counters.iter_mut().rev().take(8).find(|c| c.0 == counter && at - c.1 < COUNTER_STEP);
        match last {
            Some(last) => last.2 += bytes,
            None => track.counters.push((counter, at, bytes)),
        }
    });
}

/// Adds a pass that ran on a device from `begin` to `end`, seconds of the device's clock, and whose end the host knows now.
pub fn device_pass(device: &str, name: &'static str, begin: f64, end: f64) {
    if is_on() {
        let pass = DevicePass { device: device.to_string(), name, begin, end, seen: now() };
        locked(&RECORDING).devices.push(pass);
    }
}

/// Begins a recording; what an earlier one noted is forgotten.
pub fn start() {
    now();
    forget_peak_memory();
    let mut recording = locked(&RECORDING);
    recording.devices.clear();
    recording.tracks.retain(|track| {
        let mut track = locked(track);
        *track =
            Track { name: std::mem::take(&mut track.name), open: std::mem::take(&mut track.open), ..Track::default() };
        true
    });
    // A thread that has ended left its track here alone.
    recording.tracks.retain(|track| Arc::strong_count(track) > 1);
    drop(recording);
    ON.store(true, Ordering::Relaxed);
}

/// Ends a recording.
pub fn stop() -> Profile {
    ON.store(false, Ordering::Relaxed);
    let mut recording = locked(&RECORDING);
    let devices = std::mem::take(&mut recording.devices);
    let mut threads = Vec::new();
    for track in &recording.tracks {
        let mut track = locked(track);
        let (name, open) = (track.name.clone(), track.open.clone());
        let mut found = std::mem::replace(&mut *track, Track { name: name.clone(), open, ..Track::default() });
        found.name = name;
        if !found.stages.is_empty() || !found.counters.is_empty() {
            threads.push(found);
        }
    }
    Profile { threads, devices, peak_memory: peak_memory() }
}

/// Most memory that this process has had in use since it, or a recording, began, bytes; known on Linux alone.
pub fn peak_memory() -> Option<u64> {
    let status = std::fs::read_to_string("/proc/self/status").ok()?;
    let kilobytes = status.lines().find_map(|line| line.strip_prefix("VmHWM:"))?.trim().strip_suffix("kB")?;
    Some(kilobytes.trim().parse::<u64>().ok()? << 10)
}

/// Lets the most memory in use count from now on, where the system can (Linux); where it cannot it counts from the beginning.
fn forget_peak_memory() {
    let _ = std::fs::write("/proc/self/clear_refs", "5");
}

/// Name, begin and duration, s.
pub type TimedSpan = (&'static str, f64, f64);

/// A recording.
pub struct Profile {
    threads: Vec<Track>,
    devices: Vec<DevicePass>,
    peak_memory: Option<u64>,
}

impl Profile {
    /// Time of every stage, all threads together.
    pub fn stages(&self) -> BTreeMap<&'static str, Stage> {
        let mut all: BTreeMap<&'static str, Stage> = BTreeMap::new();
        for (name, stage) in self.threads.iter().flat_map(|thread| &thread.stages) {
            let sum = all.entry(name).or_default();
            sum.count += stage.count;
            sum.seconds += stage.seconds;
        }
        all
    }

    /// Time of every pass on GPUs, s, by its shader's name.
    pub fn passes(&self) -> BTreeMap<&'static str, f64> {
        let mut all = BTreeMap::new();
        for pass in &self.devices {
            *all.entry(pass.name).or_default() += pass.end - pass.begin;
        }
        all
    }

    /// Most memory in use during the recording, bytes.
    pub fn peak_memory(&self) -> Option<u64> {
        self.peak_memory
    }

    /// Adds what another recording noted.
    pub fn join(&mut self, other: Profile) {
        self.threads.extend(other.threads);
        self.devices.extend(other.devices);
        self.peak_memory = self.peak_memory.max(other.peak_memory);
    }

    /// Bytes of every counter.
    pub fn counters(&self) -> BTreeMap<&'static str, u64> {
        let mut all = BTreeMap::new();
        for (name, _, bytes) in self.threads.iter().flat_map(|thread| &thread.counters) {
            *all.entry(*name).or_default() += bytes;
        }
        all
    }

    /// What is added to a device's clock, s, to have the host's: no pass may end after the host knew of its end.
    fn shifts(&self) -> BTreeMap<&str, f64> {
        let mut shifts: BTreeMap<&str, f64> = BTreeMap::new();
        for pass in &self.devices {
            let shift = shifts.entry(&pass.device).or_insert(f64::INFINITY);
            *shift = shift.min(pass.seen as f64 * 1e-9 - pass.end);
        }
        shifts
    }

    /// Names and spans of every thread and GPU, in order of their beginning, the longer first.
    pub fn tracks(&self) -> Vec<(String, Vec<TimedSpan>)> {
        let mut tracks = Vec::new();
        for thread in &self.threads {
            let mut spans = thread.spans.clone();
            spans.sort_by_key(|span| (span.begin, std::cmp::Reverse(span.duration)));
            let seconds = |span: &Spent| (span.name, span.begin as f64 * 1e-9, span.duration as f64 * 1e-9);
            tracks.push((thread.name.clone(), spans.iter().map(seconds).collect()));
        }
        for (device, shift) in self.shifts() {
            let own = self.devices.iter().filter(|pass| pass.device == device);
            let spans = own.map(|pass| (pass.name, pass.begin + shift, pass.end - pass.begin)).collect();
            tracks.push((format!("GPU {device}"), spans));
        }
        tracks
    }

    /// Chrome's trace format, which Perfetto and `about:tracing` show: complete events (`ph` X) in microseconds, a track for each
    /// thread and each GPU, counters (`ph` C) that grow. JSON; written piece by piece, because there may be a million of them.
    pub fn trace(&self) -> String {
        let mut text = String::from("{\"displayTimeUnit\":\"ms\",\"traceEvents\":[");
        for (tid, (track, spans)) in self.tracks().into_iter().enumerate() {
            let name = json!({"ph": "M", "name": "thread_name", "pid": 1, "tid": tid, "args": {"name": track}});
            text += &format!("\n{name},");
            for (name, begin, duration) in spans {
                // Whole nanoseconds: numbers with a point take ten times as long to write.
                let [ts, dur] = [begin, duration].map(|seconds| (seconds * 1e9).round() as u64);
                // Names are literals of this program, without quotes. Writing to a text does not fail.
                let _ = write!(
                    text,
                    "\n{{\"ph\":\"X\",\"name\":\"{name}\",\"pid\":1,\"tid\":{tid},\"ts\":{}.{:03},\"dur\":{}.{:03}}},",
                    ts / 1000,
                    ts % 1000,
                    dur / 1000,
                    dur % 1000
                );
            }
        }
        let mut counted: Vec<_> = self.threads.iter().flat_map(|thread| &thread.counters).collect();
        counted.sort_by_key(|counter| counter.1);
        let mut totals: BTreeMap<&str, u64> = BTreeMap::new();
        for (name, at, bytes) in counted {
            let total = totals.entry(name).or_default();
            *total += bytes;
            let at = *at as f64 * 1e-3;
            text += &format!("\n{},", json!({"ph": "C", "name": name, "pid": 1, "ts": at, "args": {"bytes": *total}}));
        }
        // The last comma has nothing to separate.
        let end = text.trim_end_matches(',').len();
        text.truncate(end);
        let left_out: u64 = self.threads.iter().map(|thread| thread.left_out).sum();
        let other = json!({
            "program": concat!("eagleray ", env!("CARGO_PKG_VERSION")), "stages": self.stages(),
            "counters": self.counters(), "peak_memory_bytes": self.peak_memory, "spans_left_out": left_out,
        });
        text + &format!("\n],\"otherData\":{other}}}\n")
    }

    /// The stages as a table: time of all threads together, spans; then bytes and memory.
    pub fn table(&self) -> String {
        let mut stages: Vec<_> = self.stages().into_iter().collect();
        stages.sort_by(|a, b| b.1.seconds.total_cmp(&a.1.seconds));
        let total: f64 = stages.iter().map(|(_, stage)| stage.seconds).sum();
        let mut text = format!("{:<26}{:>12}{:>8}{:>10}\n", "stage (all threads)", "time, ms", "share", "spans");
        for (name, Stage { count, seconds }) in stages {
            text += &format!("{name:<26}{:>12.3}{:>7.1}%{count:>10}\n", seconds * 1e3, 100.0 * seconds / total);
        }
        let mut passes: BTreeMap<(&str, &str), (f64, u64)> = BTreeMap::new();
        for pass in &self.devices {
            let sum = passes.entry((&pass.device, pass.name)).or_default();
            *sum = (sum.0 + pass.end - pass.begin, sum.1 + 1);
        }
        for ((device, name), (seconds, count)) in passes {
            text += &format!("{name:<26}{:>12.3}{:>8}{count:>10}  on {device}\n", seconds * 1e3, "");
        }
        for (name, bytes) in self.counters() {
            text += &format!("{name:<26}{:>12.3} MB\n", bytes as f64 * 1e-6);
        }
        if let Some(bytes) = self.peak_memory {
            text += &format!("{:<26}{:>12.3} MB\n", "peak memory", bytes as f64 * 1e-6);
        }
        text
    }
}

//! Where the time goes: spans around pieces of work, bytes moved, passes of GPUs; off unless asked for, when a span is one look
//! at a flag.
//!
//! A span belongs around a piece that takes microseconds at least (some rows of a file, one segment, one batch), never around
//! an event: two readings of the clock take about 0.1 µs. New code adds `let _span = trace::span("stage");` where a
//! stage begins; the name is what tables and traces show, and one stage has one name wherever it happens. Spans of one thread
//! nest by their scopes; the time of a stage is its own, without that of spans inside.
//!
//! Used by the program's `--profile` and by `gpu-bench`; one recording at a time for the whole process. In programs whose allocator
//! is [`CountingAllocator`] stages have their allocations, too.

mod chrome;
mod memory;
mod switch;

use std::cell::OnceCell;
use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, MutexGuard, OnceLock, PoisonError};
use std::time::Instant;

pub use memory::{CountingAllocator, peak_memory};
pub use switch::is_on;

/// Spans that one thread keeps, 2 MiB; later ones are in the sums of their stages alone.
const MOST_SPANS: usize = 1 << 16;
/// A counter's increments within this time of one thread are one, ns.
const COUNTER_STEP: u64 = 1_000_000;

static RECORDING: Mutex<Recording> = Mutex::new(Recording { tracks: Vec::new(), devices: Vec::new() });

struct Recording {
    tracks: Vec<Arc<Mutex<ThreadTrack>>>,
    devices: Vec<DevicePass>,
}

/// What one thread notes.
#[derive(Default)]
struct ThreadTrack {
    name: String,
    open: Vec<OpenSpan>,
    /// In order of their beginning.
    spans: Vec<SpanTime>,
    left_out: u64,
    /// Few: they are looked through.
    stages: Vec<(&'static str, Stage)>,
    counters: Vec<(&'static str, u64, u64)>,
}

/// A span that has begun.
struct OpenSpan {
    begin: u64,
    /// Its place among the spans, where there was room.
    place: usize,
    /// Time of the spans inside, ns.
    inside: u64,
    /// Bytes that it moved itself.
    bytes: u64,
    /// What the thread had allocated when it began, and what spans inside have.
    before: memory::AllocationTally,
    allocated_inside: memory::AllocationTally,
}

#[derive(Clone, Copy)]
struct SpanTime {
    name: &'static str,
    begin: u64,
    /// [`UNFINISHED`] until its end.
    duration: u64,
}

const UNFINISHED: u64 = u64::MAX;

/// A stage on one thread, or on all; without stages inside.
#[derive(Clone, Copy, Debug, Default, PartialEq, serde::Serialize, serde::Deserialize)]
pub struct Stage {
    /// Spans.
    pub count: u64,
    /// Time in them, s.
    pub seconds: f64,
    /// Bytes read, uploaded or read back in them.
    #[serde(default, skip_serializing_if = "is_zero")]
    pub bytes: u64,
    /// Allocations of Rust's; drivers have their own.
    #[serde(default, skip_serializing_if = "is_zero")]
    pub allocations: u64,
    /// Bytes of these.
    #[serde(default, skip_serializing_if = "is_zero")]
    pub allocated_bytes: u64,
    /// Most bytes that the process had in use, above those at the beginning of the recording, as a span began or ended, or at an
    /// allocation in it.
    #[serde(default, skip_serializing_if = "is_zero")]
    pub peak_heap_bytes: u64,
}

fn is_zero(number: &u64) -> bool {
    *number == 0
}

impl Stage {
    fn add(&mut self, other: &Stage) {
        self.count += other.count;
        self.seconds += other.seconds;
        self.bytes += other.bytes;
        self.allocations += other.allocations;
        self.allocated_bytes += other.allocated_bytes;
        self.peak_heap_bytes = self.peak_heap_bytes.max(other.peak_heap_bytes);
    }
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
    static TRACK: OnceCell<Arc<Mutex<ThreadTrack>>> = const { OnceCell::new() };
}

fn locked<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

/// Nanoseconds since the process first asked.
fn now() -> u64 {
    static EPOCH: OnceLock<Instant> = OnceLock::new();
    EPOCH.get_or_init(Instant::now).elapsed().as_nanos() as u64
}

fn with_track<T>(look: impl FnOnce(&mut ThreadTrack) -> T) -> Option<T> {
    let own = |track: &OnceCell<Arc<Mutex<ThreadTrack>>>| {
        let track = track.get_or_init(|| {
            let name = std::thread::current().name().unwrap_or("thread").to_string();
            let track = Arc::new(Mutex::new(ThreadTrack { name, ..ThreadTrack::default() }));
            locked(&RECORDING).tracks.push(track.clone());
            track
        });
        look(&mut locked(track))
    };
    // A thread that ends has no track any more.
    memory::unnoticed(|| TRACK.try_with(own).ok())
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
    // Before the track is looked up: the first span of a thread makes it.
    let before = memory::begin();
    with_track(|track| {
        let allocated_inside = memory::AllocationTally::default();
        let (begin, place) = (now(), track.spans.len());
        if place < MOST_SPANS {
            track.spans.push(SpanTime { name, begin, duration: UNFINISHED });
        }
        track.open.push(OpenSpan { begin, place, inside: 0, bytes: 0, before, allocated_inside });
        (name, begin)
    })
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
        let Some(open) = track.open.pop() else { return };
        let (allocated, peak_heap_bytes) = memory::end(&open.before);
        if let Some(outer) = track.open.last_mut() {
            outer.inside += duration;
            outer.allocated_inside.add(&allocated);
        }
        // A recording that began meanwhile has other spans in that place.
        match track.spans.get_mut(open.place).filter(|spent| spent.begin == begin) {
            Some(spent) => spent.duration = duration,
            None => track.left_out += 1,
        }
        let own = Stage {
            count: 1,
            seconds: duration.saturating_sub(open.inside) as f64 * 1e-9,
            bytes: open.bytes,
            allocations: allocated.count.saturating_sub(open.allocated_inside.count),
            allocated_bytes: allocated.bytes.saturating_sub(open.allocated_inside.bytes),
            peak_heap_bytes,
        };
        // Names of one stage from several places may be several literals; these become one when all threads are added.
        match track.stages.iter_mut().find(|(known, _)| std::ptr::eq(*known, name)) {
            Some((_, stage)) => stage.add(&own),
            None => track.stages.push((name, own)),
        }
    });
}

/// Adds to a counter of bytes, and to the stage that moves them.
#[inline]
pub fn count(counter: &'static str, bytes: u64) {
    if is_on() {
        add(counter, bytes);
    }
}

#[cold]
fn add(counter: &'static str, bytes: u64) {
    with_track(|track| {
        let at = track.open.last_mut().map_or_else(now, |open| {
            open.bytes += bytes;
            open.begin
        });
        let recent = |c: &&mut (&str, u64, u64)| c.0 == counter && at.saturating_sub(c.1) < COUNTER_STEP;
        match track.counters.iter_mut().rev().take(8).find(recent) {
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
    memory::start();
    let mut recording = locked(&RECORDING);
    recording.devices.clear();
    recording.tracks.retain(|track| {
        let mut track = locked(track);
        let (name, open) = (std::mem::take(&mut track.name), std::mem::take(&mut track.open));
        *track = ThreadTrack { name, open, ..ThreadTrack::default() };
        true
    });
    // A thread that has ended left its track here alone.
    recording.tracks.retain(|track| Arc::strong_count(track) > 1);
    drop(recording);
    switch::set(true);
}

/// Ends a recording.
pub fn stop() -> Trace {
    switch::set(false);
    let mut recording = locked(&RECORDING);
    let devices = std::mem::take(&mut recording.devices);
    let mut threads = Vec::new();
    for track in &recording.tracks {
        let mut track = locked(track);
        let (name, open) = (track.name.clone(), std::mem::take(&mut track.open));
        let mut found = std::mem::replace(&mut *track, ThreadTrack { name, open, ..ThreadTrack::default() });
        found.name.clone_from(&track.name);
        found.spans.retain(|span| span.duration != UNFINISHED);
        if !found.stages.is_empty() || !found.counters.is_empty() {
            threads.push(found);
        }
    }
    Trace { threads, devices, peak_memory: peak_memory() }
}

/// Name, begin and duration, s.
pub type TimedSpan = (&'static str, f64, f64);

/// A recording.
#[derive(Default)]
pub struct Trace {
    threads: Vec<ThreadTrack>,
    devices: Vec<DevicePass>,
    peak_memory: Option<u64>,
}

impl Trace {
    /// Time of every stage, all threads together.
    pub fn stages(&self) -> BTreeMap<&'static str, Stage> {
        let mut all: BTreeMap<&'static str, Stage> = BTreeMap::new();
        for (name, stage) in self.threads.iter().flat_map(|thread| &thread.stages) {
            all.entry(name).or_default().add(stage);
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
    pub fn join(&mut self, other: Trace) {
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
            let seconds = |span: &SpanTime| (span.name, span.begin as f64 * 1e-9, span.duration as f64 * 1e-9);
            tracks.push((thread.name.clone(), thread.spans.iter().map(seconds).collect()));
        }
        tracks.extend(self.device_tracks());
        tracks
    }

    /// Those of the GPUs.
    fn device_tracks(&self) -> Vec<(String, Vec<TimedSpan>)> {
        let track = |(device, shift)| {
            let own = self.devices.iter().filter(|pass| pass.device == device);
            let spans = own.map(|pass| (pass.name, pass.begin + shift, pass.end - pass.begin)).collect();
            (format!("GPU {device}"), spans)
        };
        self.shifts().into_iter().map(track).collect()
    }
}

//! `gpu-bench`: is this machine right, and how fast is it? Kernels are checked against their references on every device; what
//! the machine can do is probed; kernels and whole paths are timed beside the limits that follow; docs/gpu-bench.md says how to
//! read it.

mod args;
mod check;
pub mod compare;
mod figures;
mod kernels;
mod peers;
mod probe;
pub mod record;
mod report;
pub mod sample;
pub mod scaling;
mod table;
mod threads;
mod workload;

use std::num::NonZeroUsize;
use std::path::Path;
use std::process::ExitCode;
use std::time::{SystemTime, UNIX_EPOCH};

use clap::{CommandFactory, FromArgMatches};

pub use args::{BenchArgs, BenchPart};
use compare::{Change, Verdict};
use record::{BenchRecord, BenchTiming, Machine};
use sample::Budget;
use workload::{Prepared, Size};

use crate::device_choice::BackendArg;
use crate::files;
use crate::names;
use crate::terminal::{print, say};
use eagleray::internal::backend::cpu::CpuBackend;
use eagleray::internal::backend::measure::MeasurableGpu;
use eagleray::internal::backend::open_measurable;
use eagleray::internal::backend::{self, AdapterSelector, Backend, GpuTier};
use eagleray::internal::io::fits_writer::write_file;
use eagleray::internal::kernels::{KERNELS, Kernel};
use eagleray::internal::trace::{self, Trace};
use eagleray::{Error, Result};

/// The page of a report, in its folder.
pub const PAGE: &str = "index.html";

/// Something that computes: the CPU, or an adapter in one tier.
struct BenchDevice {
    /// Adapter, or `cpu`.
    name: String,
    profile: &'static str,
    software: bool,
    gpu: Option<Box<dyn MeasurableGpu>>,
    cpu: Box<dyn Backend>,
    threads: usize,
    /// Kernels that are wrong on it.
    wrong: Vec<&'static str>,
}

/// Runs the program with the arguments of the process. Exit status: 0 done, 1 a kernel is wrong, or something became slower, or a
/// failure; 2 usage.
pub fn main() -> ExitCode {
    let program = BenchArgs::command();
    names::speak_as(&program, None);
    let matches = program.clone().get_matches();
    let args = BenchArgs::from_arg_matches(&matches).unwrap_or_else(|e| e.format(&mut program.clone()).exit());
    match files::check(&program, &matches).and_then(|()| run(&args, KERNELS)) {
        Ok(true) => ExitCode::SUCCESS,
        Ok(false) => ExitCode::FAILURE,
        Err(Error::Io { source, .. }) if source.kind() == std::io::ErrorKind::BrokenPipe => ExitCode::SUCCESS,
        Err(e) => {
            say(&format!("gpu-bench: error: {}", names::error_text(&e)));
            ExitCode::from(if matches!(e, Error::Argument { .. }) { 2 } else { 1 })
        }
    }
}

/// Checks and measures with a table of kernels; false when a kernel is wrong, or something became slower.
///
/// # Errors
/// Outputs cannot be written; options without meaning.
pub fn run(args: &BenchArgs, kernels: &[&Kernel]) -> Result<bool> {
    args.check()?;
    if let Some(folder) = &args.history {
        return report::history(folder).map(|()| true);
    }
    let earlier = args.compare.as_deref().map(BenchRecord::read).transpose()?;
    if let (Some(old), Some(new)) = (&earlier, &args.record) {
        return compared(old, &BenchRecord::read(new)?, None);
    }
    let (mut record, mut devices) = begin(args)?;
    tell(args, &table::head(&record))?;
    let mut profiles = Vec::new();
    measure(args, kernels, &mut record, &mut devices, &mut profiles)?;
    record.machine.load_after = load();
    record.machine.peak_memory_bytes = trace::peak_memory();
    for skipped in &record.skipped {
        tell(args, &format!("skipped: {skipped}\n"))?;
    }
    if let Some(path) = &args.json {
        let text = format!("{:#}\n", serde_json::to_value(&record).unwrap_or_default());
        write(path, args.overwrite, text.as_bytes())?;
    }
    let changes = earlier.as_ref().map(|old| compare::changes(old, &record));
    if let Some(folder) = &args.report {
        report::write(folder, args.overwrite, &record, changes.as_deref(), &profiles)?;
    }
    if let Some(path) = &args.profile {
        let joined = profiles.into_iter().map(|(_, profile)| profile).reduce(|mut all, one| {
            all.join(one);
            all
        });
        write_file(path, args.overwrite, |out| {
            joined.unwrap_or_default().write_chrome(out).map_err(|e| Error::io(path.as_path(), e))
        })?;
    }
    let fast = match (&earlier, changes) {
        (Some(old), changes @ Some(_)) => compared(old, &record, changes)?,
        _ => true,
    };
    Ok(record.is_right() && fast)
}

/// Prints; where a record, a page or a trace is to be written, what cannot be printed is lost, and they are not.
///
/// # Errors
/// Standard output cannot be written, and nothing else is.
fn tell(args: &BenchArgs, text: &str) -> Result<()> {
    let printed = print(text);
    let written = args.json.is_some() || args.report.is_some() || args.profile.is_some();
    if written { Ok(()) } else { printed }
}

/// Prints what became of an earlier run; false when something became slower.
fn compared(old: &BenchRecord, new: &BenchRecord, changes: Option<Vec<Change>>) -> Result<bool> {
    let changes = changes.unwrap_or_else(|| compare::changes(old, new));
    print(&format!("\n{}", compare::text(old, new, &changes)))?;
    Ok(changes.iter().all(|change| change.verdict != Verdict::Slower))
}

fn write(path: &Path, overwrite: bool, bytes: &[u8]) -> Result<()> {
    use std::io::Write;
    write_file(path, overwrite, |out| out.write_all(bytes).map_err(|e| Error::io(path, e)))
}

/// What is known before anything is measured, and the devices, opened.
fn begin(args: &BenchArgs) -> Result<(BenchRecord, Vec<BenchDevice>)> {
    let cores = std::thread::available_parallelism().map_or(1, NonZeroUsize::get);
    let adapters = if args.backend == BackendArg::Cpu { Vec::new() } else { backend::adapters() };
    let auto = backend::auto_adapter(&adapters).map_or("cpu".to_string(), |adapter| adapter.name.clone());
    let mut skipped = Vec::new();
    let mut devices = Vec::new();
    let cpu = |threads| CpuBackend::new(threads).map(|cpu| Box::new(cpu) as Box<dyn Backend>);
    if args.backend != BackendArg::Gpu {
        let cpu = cpu(args.threads)?;
        let threads = cpu.info().threads;
        let wrong = Vec::new();
        devices.push(BenchDevice { name: "cpu".into(), profile: "", software: false, gpu: None, cpu, threads, wrong });
    }
    for adapter in adapters.iter().filter(|_| args.needs_gpus()) {
        for profile in [GpuTier::Portable, GpuTier::Native] {
            match open_measurable(&AdapterSelector::Index(adapter.index), profile) {
                Ok(gpu) => devices.push(BenchDevice {
                    name: adapter.name.clone(),
                    profile: gpu.info().tier,
                    software: adapter.software,
                    gpu: Some(gpu),
                    cpu: cpu(NonZeroUsize::new(1))?,
                    threads: 0,
                    wrong: Vec::new(),
                }),
                Err(e) => {
                    skipped.push(format!("{} in tier {profile:?}: {}", adapter.name, names::error_text(&e.into())))
                }
            }
        }
    }
    if args.backend == BackendArg::Gpu && devices.is_empty() {
        return Err(Error::argument("backend", "gpu", "there is no GPU adapter; leave it out to measure the CPU"));
    }
    let machine = Machine {
        processor: processor(),
        cores,
        memory_bytes: memory(),
        system: format!("{} {}", std::env::consts::OS, std::env::consts::ARCH),
        load_before: load(),
        ..Machine::default()
    };
    let record = BenchRecord {
        schema: record::SCHEMA.into(),
        schema_version: record::VERSION,
        eagleray_version: env!("CARGO_PKG_VERSION").into(),
        build: if cfg!(debug_assertions) { "debug" } else { "release" }.into(),
        unix_time: SystemTime::now().duration_since(UNIX_EPOCH).map_or(0, |t| t.as_secs()),
        quick: args.quick,
        machine,
        adapters,
        auto,
        skipped,
        ..BenchRecord::default()
    };
    Ok((record, devices))
}

/// All parts asked for, each printed when it is done.
fn measure(
    args: &BenchArgs,
    kernels: &[&Kernel],
    record: &mut BenchRecord,
    devices: &mut [BenchDevice],
    profiles: &mut Vec<(String, Trace)>,
) -> Result<()> {
    // Nothing is timed that was not checked; a check that was not asked for is a quick one.
    let quick_check = args.quick
        || !args.wants(BenchPart::Check)
        || !args.parts.is_empty() && !args.parts.contains(&BenchPart::Check);
    record.checks = check::check(kernels, devices, quick_check, &mut |name| args.say(&format!("checking {name}")));
    tell(args, &table::checks(record))?;
    let timed = args.wants(BenchPart::Kernels) || args.wants(BenchPart::Workloads);
    let cores = record.machine.cores;
    if args.wants(BenchPart::Rates) || timed {
        args.say("probing the machine");
        record.rates = probe::cpu(args.threads.map_or(cores, NonZeroUsize::get), args.quick)?;
        for device in devices.iter_mut().filter(|device| device.profile != "portable") {
            let Some(gpu) = device.gpu.as_deref_mut() else { continue };
            match probe::gpu(&device.name, gpu) {
                Ok(rates) => record.rates.extend(rates),
                Err(why) => record.skipped.push(format!("rates of {}: {why}", device.name)),
            }
        }
        tell(args, &table::rates(record))?;
    }
    let budget = Budget { least: 9, most: 15, seconds: if args.quick { 0.15 } else { 1.5 } };
    if args.wants(BenchPart::Kernels) {
        for device in devices.iter_mut().filter(|device| !args.quick || device.profile != "portable") {
            args.say(&format!("timing kernels on {}", device.name));
            // A GPU that is a program takes minutes for what the others do in seconds.
            let quick = args.quick || device.software;
            let timings = kernels::time(kernels, device, record, quick, budget);
            record.timings.extend(timings);
        }
    }
    if args.wants(BenchPart::Workloads) || args.wants(BenchPart::Scaling) {
        let temporary = tempfile::tempdir().map_err(|e| Error::io(std::env::temp_dir(), e))?;
        let folder = args.data.as_deref().unwrap_or(temporary.path());
        std::fs::create_dir_all(folder).map_err(|e| Error::io(folder, e))?;
        if args.wants(BenchPart::Workloads) {
            workloads(args, folder, record, devices, budget, profiles)?;
        }
        if args.wants(BenchPart::Scaling) && args.backend != BackendArg::Gpu {
            args.say("measuring how threads scale");
            let bright = &workload::WORKLOADS[0];
            let size = if args.quick { Size::Quick } else { Size::Full };
            let prepared = bright.prepare(bright.events(size, args.events), size, folder)?;
            let threads = args.threads.map_or(cores, NonZeroUsize::get);
            record.scaling = Some(threads::scaling(&prepared, threads, args.quick, budget)?);
        }
    }
    if args.wants(BenchPart::Peers) && args.backend != BackendArg::Gpu {
        args.say("timing peers");
        record.timings.extend(peers::transforms(args.quick));
    }
    tell(args, &table::timings(record))?;
    record.scaling.as_ref().map_or(Ok(()), |scaling| tell(args, &table::scaling(scaling)))
}

/// Whole paths on the CPU and on each adapter in its best tier; on software adapters quick ones only.
fn workloads(
    args: &BenchArgs,
    folder: &Path,
    record: &mut BenchRecord,
    devices: &mut [BenchDevice],
    budget: Budget,
    profiles: &mut Vec<(String, Trace)>,
) -> Result<()> {
    let wanted = workload::named(&args.workload)?;
    let peers = args.parts.is_empty() || args.wants(BenchPart::Peers);
    for device in devices.iter_mut().filter(|device| device.profile != "portable") {
        if !device.wrong.is_empty() {
            record.skipped.push(format!("workloads on {}: {} is wrong", device.name, device.wrong.join(", ")));
            continue;
        }
        let size = match (device.software, args.quick) {
            (true, _) => Size::Software,
            (false, true) => Size::Quick,
            (false, false) => Size::Full,
        };
        let mut prepared: Vec<Prepared> = Vec::new();
        for workload in &wanted {
            args.say(&format!("preparing {}: {}", workload.name, workload.about));
            match workload.prepare(workload.events(size, args.events), size, folder) {
                Ok(one) => prepared.push(one),
                Err(e) => record.skipped.push(format!("workload {}: {e}", workload.name)),
            }
        }
        args.say(&format!("running workloads on {}", device.name));
        let all: Vec<&Prepared> = prepared.iter().collect();
        let mut skipped = Vec::new();
        let timings = workload::time(&all, device, record, budget, &mut skipped, profiles);
        record.timings.extend(timings);
        record.skipped.extend(skipped);
        let found = if peers { python_peers(args, device, &prepared) } else { Vec::new() };
        for peer in found {
            match peer {
                Ok(timing) => record.timings.push(timing),
                Err(why) => record.skipped.push(why),
            }
        }
    }
    Ok(())
}

/// What Python's libraries need for the same work: Stingray for the files of the CPU's workloads, CuPy for a real GPU.
fn python_peers(
    args: &BenchArgs,
    device: &BenchDevice,
    prepared: &[Prepared],
) -> Vec<std::result::Result<BenchTiming, String>> {
    let Some(python) = &args.peer_python else {
        let told = device.gpu.is_none();
        let why = "peers of Python's (Stingray, CuPy): no --peer-python".to_string();
        return if told { vec![Err(why)] } else { Vec::new() };
    };
    args.say("timing peers in Python");
    let said = |name: &str, why: String| format!("{name}: {why}");
    match (&device.gpu, device.software) {
        (None, _) => {
            let files = prepared.iter().filter(|one| one.workload.name == "bright");
            files.map(|one| peers::stingray(python, one, 3).map_err(|why| said("Stingray", why))).collect()
        }
        (Some(_), true) => vec![Err("CuPy: no GPU of NVIDIA's".into())],
        (Some(_), false) => [4096, 1 << 14].map(|n| peers::cupy(python, n).map_err(|why| said("CuPy", why))).into(),
    }
}

/// A value of a file of Linux's `/proc`: what stands behind `key` and a colon.
fn proc_value(file: &str, key: &str) -> Option<String> {
    let text = std::fs::read_to_string(file).ok()?;
    let value = text.lines().find_map(|line| line.strip_prefix(key)?.trim_start().strip_prefix(':'));
    value.map(|value| value.trim().to_string())
}

fn processor() -> String {
    proc_value("/proc/cpuinfo", "model name").unwrap_or_else(|| "unknown processor".into())
}

fn memory() -> Option<u64> {
    proc_value("/proc/meminfo", "MemTotal")?.strip_suffix("kB")?.trim().parse::<u64>().ok().map(|kb| kb << 10)
}

/// Load average over a minute, where the system tells it.
fn load() -> Option<f64> {
    std::fs::read_to_string("/proc/loadavg").ok()?.split_whitespace().next()?.parse().ok()
}

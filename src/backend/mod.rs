//! Where the work is done: the trait every device implements, and how one is chosen.

pub mod cpu;
#[cfg(feature = "gpu")]
pub mod gpu;
pub mod local;
pub mod measure;
pub mod multi;

use std::num::NonZeroUsize;
use std::sync::Arc;

use crate::base::error::BackendError;
use crate::base::sums::PartialSums;
use crate::base::warning::Warnings;
use crate::kernels::{Input, Job, Limits};
use crate::numerics::precision::Precision;
use crate::segment::{PlanSpec, SegmentBatch};

pub use cpu::{CpuBackend, CpuOptions};
pub use local::Schedule;

/// What a device is, recorded in every product.
#[derive(Clone, Debug, PartialEq, serde::Serialize)]
pub struct DeviceInfo {
    /// `cpu`, `gpu`, or `gpu + cpu` for what both did.
    pub backend: &'static str,
    /// Name of the adapter, or the processor's architecture; several are joined by ` + `.
    pub adapter: String,
    /// Driver and its version; empty for the CPU.
    pub driver: String,
    /// Graphics API (`vulkan`, `metal`, `dx12`), empty for the CPU.
    pub api: String,
    /// Capability profile, `portable`, `native`, or `mixed`; empty for the CPU.
    pub profile: &'static str,
    /// True for an adapter that is a program on the CPU.
    pub software: bool,
    /// `single` or `double`: the precision of the transforms.
    pub precision: &'static str,
    /// Worker threads of the CPU; 0 for a GPU.
    pub threads: usize,
}

/// How much one batch of a plan may hold. Results do not depend on it.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct BatchLimits {
    /// Segments, each with a row for every channel; a multiple of the plan's run length.
    pub rows: usize,
    /// Events.
    pub events: usize,
}

/// A prepared plan of one backend.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct PlanId(pub(crate) usize);

/// A submitted batch of one backend. Tickets are collected in the order they were given.
#[derive(Debug, PartialEq, Eq, Hash)]
pub struct Ticket(pub(crate) u64);

/// A device that turns batches of segments into partial sums. Blocking, object-safe.
pub trait Backend: Send {
    /// What the device is.
    fn info(&self) -> &DeviceInfo;
    /// Sizes, pipelines and scratch of a plan, once; hot calls allocate nothing on the device. A plan holds its memory until
    /// [`Backend::release`].
    fn prepare(&mut self, spec: &PlanSpec) -> Result<PlanId, BackendError>;
    /// Gives up a plan, its memory, and those of its batches that were not collected. A plan that is not known is ignored.
    fn release(&mut self, plan: PlanId);
    /// The largest batch that [`Backend::submit`] takes for this plan.
    ///
    /// # Panics
    /// The plan was released, or is another backend's.
    fn limits(&self, plan: PlanId) -> BatchLimits;
    /// Starts work on a batch; waits only when the device's queue of batches is full.
    fn submit(&mut self, plan: PlanId, batch: Arc<SegmentBatch>) -> Result<Ticket, BackendError>;
    /// Waits for the oldest ticket's sums: those of the batch's runs when it was the last of its group, else nothing. Any other
    /// ticket is refused, and changes nothing.
    fn collect(&mut self, ticket: Ticket) -> Result<PartialSums, BackendError>;
    /// Batches that may be in flight; after as many submissions the caller collects.
    fn depth(&self) -> usize;
    /// The threads of this process where the work is done by them, for callers that need no batches.
    fn local(&self, _plan: PlanId) -> Option<local::LocalPlan> {
        None
    }
    /// The device as one that runs launches of shaders by themselves, where it is one.
    fn shaders(&mut self) -> Option<&mut dyn Shaders> {
        None
    }
    /// True where the CPU may do the work of a device that fails.
    fn has_spare(&self) -> bool {
        false
    }
    /// The threads of this process that do the work, where they do.
    fn pool(&self) -> Option<Arc<rayon::ThreadPool>> {
        None
    }
    /// Warnings since the last call, for the product's record.
    fn take_warnings(&mut self) -> Warnings {
        Warnings::default()
    }
}

/// A device that runs launches of shaders, for work that has no plan.
pub trait Shaders {
    /// What shapes the launches.
    fn tunables(&self) -> Limits;
    /// Largest buffer that can be bound, bytes.
    fn largest_buffer(&self) -> u64;
    /// Runs a job from start to end; the bytes of each of its outputs.
    ///
    /// # Errors
    /// No memory for its buffers; the device was lost.
    fn run(&mut self, job: &Job) -> Result<Vec<Vec<u8>>, BackendError>;
}

/// Refuses a batch that breaks the contract of [`SegmentBatch`] or a plan's limits. `open` is the number of rows of the group
/// that the plan's last batch left unfinished.
fn check_batch(
    batch: &SegmentBatch,
    spec: &PlanSpec,
    limits: BatchLimits,
    open: Option<usize>,
) -> Result<(), BackendError> {
    let refuse = |why: String| Err(BackendError::Device(format!("batch refused: {why}")));
    let (rows, run, channels) = (batch.rows.len(), spec.run_length(), spec.channels());
    let runs = batch.rows.chunk_by(|a, b| a.index / run == b.index / run).count();
    let segments = rows / channels;
    if segments > limits.rows || runs > limits.rows / run as usize {
        return refuse(format!("{segments} segments in {runs} runs; at most {} segments", limits.rows));
    }
    if rows % channels != 0 || batch.rows.chunks(channels).any(|s| s.iter().any(|row| row.index != s[0].index)) {
        return refuse(format!("a segment has not {channels} rows"));
    }
    let starts: Vec<u64> = batch.rows.iter().step_by(channels).map(|row| row.index).collect();
    if starts.windows(2).any(|indices| indices[0] >= indices[1]) {
        return refuse("its segments are not in the order of their indices".into());
    }
    if batch.rows.iter().any(|r| batch.times.get(r.begin..r.end).is_none()) {
        return refuse("a segment's events lie outside the times".into());
    }
    let events: usize = batch.rows.iter().map(|r| r.end - r.begin).sum();
    if events > limits.events {
        return refuse(format!("{events} events; at most {}", limits.events));
    }
    if batch.rows.iter().any(|r| r.events < (r.end - r.begin) as u64) {
        return refuse("a segment has more events than it counts".into());
    }
    if !batch.first && open != Some(rows) {
        return refuse("it continues a group that is not open".into());
    }
    if spec.input == Input::Events {
        return Ok(());
    }
    if !(batch.first && batch.last) {
        return refuse("flux comes in one batch a group".into());
    }
    if batch.flux.len() != rows * spec.n {
        return refuse(format!("{} flux samples for {rows} segments of {}", batch.flux.len(), spec.n));
    }
    let pairs = || batch.rows.iter().zip(batch.rows.iter().skip(channels));
    if pairs().any(|(a, b)| a.scale != b.scale && a.index / run == b.index / run) {
        return refuse("the flux scale changes inside a run".into());
    }
    if (1..channels).any(|subject| spec.is_inside(subject)) {
        return refuse("a subject of flux is inside the reference, which only photons can be".into());
    }
    Ok(())
}

/// The error for a plan that was given back.
fn released() -> BackendError {
    BackendError::Device("the plan was released, or is another backend's".into())
}

/// The error for a ticket that is not the oldest.
fn not_the_oldest() -> BackendError {
    BackendError::Device("tickets are collected in the order they were given".into())
}

/// Which capabilities of a GPU are used.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, serde::Serialize)]
#[serde(rename_all = "lowercase")]
pub enum GpuTier {
    /// Native where the adapter passes the self-test, else portable.
    #[default]
    Auto,
    /// WebGPU's default limits only: 16 KiB of workgroup memory, no f64.
    Portable,
    /// What the adapter has.
    Native,
}

/// Which adapter a GPU backend takes.
#[derive(Clone, Debug, Default, PartialEq)]
pub enum AdapterSelector {
    /// The best real adapter, else a software one.
    #[default]
    Best,
    /// The adapter at this place of `eagleray devices`.
    Index(usize),
    /// The first adapter whose name contains this text, without regard to case.
    Name(String),
}

/// The device asked for; always explicit, never global.
#[derive(Clone, Debug, PartialEq)]
pub enum DeviceChoice {
    /// A real GPU where there is one, else the CPU, which also does what the GPU cannot or leaves when it fails; that is warned of
    /// and recorded.
    Auto {
        /// Capabilities to use.
        profile: GpuTier,
        /// Arithmetic of the transforms and sums on a GPU; the CPU has double, or what [`open_with`] says.
        precision: Precision,
        /// Threads of the CPU backend when it is taken.
        threads: Option<NonZeroUsize>,
    },
    /// A GPU, never silently anything else.
    Gpu {
        /// Adapter.
        adapter: AdapterSelector,
        /// Capabilities to use.
        profile: GpuTier,
        /// Arithmetic of the transforms and sums.
        precision: Precision,
    },
    /// GPUs that share the work, and the CPU with them where asked for; one that fails leaves its work to the others.
    Several {
        /// Adapters.
        adapters: Vec<AdapterSelector>,
        /// Capabilities to use.
        profile: GpuTier,
        /// Arithmetic of the transforms and sums on the GPUs; the CPU has double, or what [`open_with`] says.
        precision: Precision,
        /// The CPU takes part.
        cpu: bool,
        /// Its threads.
        threads: Option<NonZeroUsize>,
    },
    /// The CPU with this many threads (default: all cores).
    Cpu {
        /// Worker threads.
        threads: Option<NonZeroUsize>,
    },
}

impl Default for DeviceChoice {
    fn default() -> DeviceChoice {
        DeviceChoice::Auto { profile: GpuTier::Auto, precision: Precision::Single, threads: None }
    }
}

/// One adapter as `eagleray devices` lists it.
#[derive(Clone, Debug, serde::Serialize, serde::Deserialize)]
pub struct AdapterReport {
    /// Place in the list, for `--adapter`.
    pub index: usize,
    /// What the adapter is, with the profile `auto` would use.
    pub name: String,
    /// Graphics API.
    pub api: String,
    /// Driver and version.
    pub driver: String,
    /// Discrete, integrated, virtual, software or other.
    pub kind: String,
    /// True for an adapter that is a program on the CPU.
    pub software: bool,
    /// Features that matter here: f64, int64, subgroups, timestamps.
    pub features: Vec<String>,
    /// Workgroup memory in bytes.
    pub workgroup_memory: u32,
    /// Invocations of one workgroup.
    pub workgroup_invocations: u32,
    /// Largest binding in bytes.
    pub binding_size: u64,
    /// Largest buffer in bytes.
    pub buffer_size: u64,
    /// Whether `auto` takes it, and why.
    pub auto: String,
}

impl AdapterReport {
    /// What tells it from others, in one line.
    pub fn headline(&self) -> String {
        format!("{} ({}, {}), driver {}", self.name, self.kind, self.api, self.driver)
    }
}

/// The adapters of this machine, best first.
pub fn adapters() -> Vec<AdapterReport> {
    #[cfg(feature = "gpu")]
    return gpu::adapters();
    #[cfg(not(feature = "gpu"))]
    Vec::new()
}

/// The adapter that `auto` takes: the best real one, never a program on the CPU.
pub fn auto_adapter(adapters: &[AdapterReport]) -> Option<&AdapterReport> {
    adapters.iter().find(|adapter| !adapter.software)
}

/// Opens the device asked for. What `Auto` decides, and a software adapter, are recorded in `warnings`.
pub fn open(choice: &DeviceChoice, warnings: &mut Warnings) -> Result<Box<dyn Backend>, BackendError> {
    open_with(choice, CpuOptions::default(), warnings)
}

/// [`open`], with options for the CPU where it is chosen.
///
/// # Errors
/// See [`open`].
pub fn open_with(
    choice: &DeviceChoice,
    cpu: CpuOptions,
    warnings: &mut Warnings,
) -> Result<Box<dyn Backend>, BackendError> {
    let cpu_backend = |threads: &Option<NonZeroUsize>| CpuBackend::with_options(*threads, cpu).map(Box::new);
    match choice {
        DeviceChoice::Cpu { threads } => Ok(cpu_backend(threads)?),
        DeviceChoice::Gpu { adapter, profile, precision } => open_gpu(adapter, *profile, *precision, warnings),
        DeviceChoice::Several { adapters, profile, precision, cpu, threads } => {
            let open_one = |adapter| open_gpu(adapter, *profile, *precision, warnings);
            let mut devices = adapters.iter().map(open_one).collect::<Result<Vec<_>, _>>()?;
            if *cpu {
                devices.push(cpu_backend(threads)?);
            }
            Ok(Box::new(multi::MultiBackend::new(devices)?))
        }
        DeviceChoice::Auto { profile, precision, threads } => {
            let adapters = adapters();
            let gpu = auto_adapter(&adapters)
                .map(|a| open_gpu(&AdapterSelector::Index(a.index), *profile, *precision, warnings));
            match gpu {
                Some(Ok(gpu)) => return Ok(Box::new(multi::MultiBackend::new(vec![gpu])?.with_spare(*threads))),
                Some(Err(e)) => warnings.push("W-BACKEND-FALLBACK", format!("{e}; the CPU is used")),
                None => {}
            }
            Ok(cpu_backend(threads)?)
        }
    }
}

fn open_gpu(
    adapter: &AdapterSelector,
    profile: GpuTier,
    precision: Precision,
    warnings: &mut Warnings,
) -> Result<Box<dyn Backend>, BackendError> {
    let backend = open_measurable_gpu(adapter, profile, precision)?;
    if backend.info().software {
        let adapter = &backend.info().adapter;
        warnings.push("W-GPU-SOFTWARE", format!("{adapter} is a software adapter: slower than --backend cpu"));
    }
    Ok(backend)
}

#[cfg_attr(not(feature = "gpu"), allow(unused_variables))]
fn open_measurable_gpu(
    adapter: &AdapterSelector,
    profile: GpuTier,
    precision: Precision,
) -> Result<Box<dyn measure::MeasurableGpu>, BackendError> {
    #[cfg(feature = "gpu")]
    return Ok(Box::new(gpu::GpuBackend::open(adapter, profile, precision)?));
    #[cfg(not(feature = "gpu"))]
    Err(BackendError::GpuNotCompiled)
}

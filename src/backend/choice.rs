//! Which device is asked for, and what is said of the adapters that there are.

use std::num::NonZeroUsize;

use crate::numerics::precision::Precision;

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
    /// Place in the list, for [`AdapterSelector::Index`].
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

/// The adapter that `auto` takes: the best real one, never a program on the CPU.
pub fn auto_adapter(adapters: &[AdapterReport]) -> Option<&AdapterReport> {
    adapters.iter().find(|adapter| !adapter.software)
}

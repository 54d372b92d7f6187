//! Which device is asked for, and what is said of the adapters that there are.

use std::num::NonZeroUsize;

use crate::base::choice::choice;
use crate::numerics::precision::Precision;

/// Tier: which capabilities of a GPU are used.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, serde::Serialize)]
#[serde(rename_all = "lowercase")]
#[non_exhaustive]
pub enum GpuTier {
    /// `Native` if the adapter passes the self-test, else `Portable`.
    #[default]
    Auto,
    /// WebGPU's default limits only: 16 KiB of workgroup memory, no f64.
    Portable,
    /// All capabilities that the adapter has.
    Native,
}

choice!(GpuTier, "gpu_profile": Auto = "auto", Portable = "portable", Native = "native");

/// Selects the adapter of a GPU backend.
#[derive(Clone, Debug, Default, PartialEq)]
#[non_exhaustive]
pub enum AdapterSelector {
    /// The best real adapter, else a software one.
    #[default]
    Best,
    /// The adapter with this number in the list of `eagleray devices`.
    Index(usize),
    /// The first adapter whose name contains this text, in any case.
    Name(String),
}

/// The device to use.
#[derive(Clone, Debug, PartialEq)]
#[non_exhaustive]
pub enum DeviceChoice {
    /// A real GPU if there is one, else the CPU; event files, and Z² and H of searches, are the CPU's in either case. The CPU also does what the GPU cannot, and takes over if the GPU
    /// fails; this is warned of and recorded.
    Auto {
        /// Tier to use.
        tier: GpuTier,
        /// Precision of the transforms and sums on a GPU. The CPU uses double precision.
        precision: Precision,
        /// Number of threads, if the CPU is used; `None` for one on each core.
        threads: Option<NonZeroUsize>,
    },
    /// A GPU; an error if there is none.
    Gpu {
        /// The adapter.
        adapter: AdapterSelector,
        /// Tier to use.
        tier: GpuTier,
        /// Precision of the transforms and sums.
        precision: Precision,
    },
    /// Several GPUs that share the work, and optionally the CPU. If one of them fails, the others do its work; beside the CPU also one
    /// that cannot be opened.
    Several {
        /// The adapters.
        adapters: Vec<AdapterSelector>,
        /// Tier to use.
        tier: GpuTier,
        /// Precision of the transforms and sums on the GPUs. The CPU uses double precision.
        precision: Precision,
        /// True if the CPU takes part.
        cpu: bool,
        /// Number of threads of the CPU; `None` for one on each core.
        threads: Option<NonZeroUsize>,
    },
    /// The CPU.
    Cpu {
        /// Number of worker threads; `None` for one on each core.
        threads: Option<NonZeroUsize>,
    },
}

impl Default for DeviceChoice {
    fn default() -> DeviceChoice {
        DeviceChoice::Auto { tier: GpuTier::Auto, precision: Precision::Single, threads: None }
    }
}

/// An adapter, as `eagleray devices` lists it.
#[derive(Clone, Debug, serde::Serialize, serde::Deserialize)]
pub struct AdapterReport {
    /// Number in the list, for [`AdapterSelector::Index`].
    pub index: usize,
    /// Name of the adapter.
    pub name: String,
    /// Graphics API.
    pub api: String,
    /// Driver and version.
    pub driver: String,
    /// Kind of adapter: discrete, integrated, virtual, software or other.
    pub kind: String,
    /// True for an adapter that is a program on the CPU.
    pub software: bool,
    /// Features that are used: f64, int64, subgroups, timestamps.
    pub features: Vec<String>,
    /// Largest workgroup memory, bytes.
    pub workgroup_memory: u32,
    /// Largest number of invocations in a workgroup.
    pub workgroup_invocations: u32,
    /// Largest binding, bytes.
    pub binding_size: u64,
    /// Largest buffer, bytes.
    pub buffer_size: u64,
    /// Whether [`DeviceChoice::Auto`] takes the adapter, and why.
    pub auto: String,
}

impl AdapterReport {
    /// A line that tells the adapter from others.
    pub fn headline(&self) -> String {
        format!("{} ({}, {}), driver {}", self.name, self.kind, self.api, self.driver)
    }
}

/// The adapter that [`DeviceChoice::Auto`] takes: the best real one, never a program on the CPU.
pub fn auto_adapter(adapters: &[AdapterReport]) -> Option<&AdapterReport> {
    adapters.iter().find(|adapter| !adapter.software)
}

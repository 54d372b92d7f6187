//! Options that say where the work is done.

use std::num::NonZeroUsize;

use clap::{Args, ValueEnum};

use crate::backend::{AdapterSelector, Backend, DeviceChoice, GpuProfile};
use crate::error::{Error, Result};
use crate::kernels::Precision;
use crate::warning::Warnings;

/// Where the work is done.
#[derive(Args, Clone, Debug)]
pub struct DeviceArgs {
    /// Device: a real GPU where there is one (auto), a GPU, or the CPU
    #[arg(long, value_enum, default_value = "auto")]
    pub backend: BackendArg,
    /// GPU by its number or part of its name in `eagleray devices`
    #[arg(long, value_name = "NAME|INDEX")]
    pub adapter: Option<String>,
    /// Capabilities of the GPU to use
    #[arg(long, value_enum, default_value = "auto")]
    pub gpu_profile: ProfileArg,
    /// Precision of the transforms: single on GPUs, double on the CPU
    #[arg(long, value_enum)]
    pub precision: Option<PrecisionArg>,
    /// Worker threads of the CPU [default: all cores]
    #[arg(long, value_name = "N", value_parser = threads)]
    pub threads: Option<NonZeroUsize>,
}

/// See [`DeviceChoice`].
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub enum BackendArg {
    /// A real GPU, else the CPU.
    Auto,
    /// A GPU.
    Gpu,
    /// The CPU.
    Cpu,
}

/// See [`GpuProfile`].
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub enum ProfileArg {
    /// Native where it passes the self-test.
    Auto,
    /// WebGPU's defaults.
    Portable,
    /// All the adapter has.
    Native,
}

/// Precision of the transforms.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub enum PrecisionArg {
    /// 32 bits.
    Single,
    /// 64 bits.
    Double,
}

/// A number of worker threads; more than this only waits for each other.
fn threads(text: &str) -> Result<NonZeroUsize, String> {
    match text.parse().ok().and_then(NonZeroUsize::new).filter(|n| n.get() <= 1024) {
        Some(threads) => Ok(threads),
        None => Err(format!("`{text}` is not a number of threads from 1 to 1024")),
    }
}

impl DeviceArgs {
    /// Refuses options that contradict each other.
    ///
    /// # Errors
    /// A GPU named for the CPU.
    pub fn check(&self) -> Result<()> {
        match (&self.adapter, self.backend) {
            (Some(name), BackendArg::Cpu) => Err(Error::argument(
                "--adapter",
                name,
                "names a GPU, but --backend cpu uses none; leave one of them out",
            )),
            _ => Ok(()),
        }
    }

    /// Opens the device.
    ///
    /// # Errors
    /// See [`DeviceArgs::check`]; no such device; a precision that it does not have.
    pub fn open(&self, warnings: &mut Warnings) -> Result<Box<dyn Backend>> {
        self.check()?;
        let profile = match self.gpu_profile {
            ProfileArg::Auto => GpuProfile::Auto,
            ProfileArg::Portable => GpuProfile::Portable,
            ProfileArg::Native => GpuProfile::Native,
        };
        let adapter = match &self.adapter {
            None => AdapterSelector::Best,
            Some(text) => text.parse().map_or_else(|_| AdapterSelector::Name(text.clone()), AdapterSelector::Index),
        };
        let precision = match self.precision {
            Some(PrecisionArg::Double) => Precision::Double,
            Some(PrecisionArg::Single) | None => Precision::Single,
        };
        let choice = match self.backend {
            BackendArg::Auto if self.adapter.is_none() => {
                DeviceChoice::Auto { profile, precision, threads: self.threads }
            }
            BackendArg::Auto | BackendArg::Gpu => DeviceChoice::Gpu { adapter, profile, precision },
            BackendArg::Cpu => DeviceChoice::Cpu { threads: self.threads },
        };
        let backend = crate::backend::open(&choice, warnings)?;
        if self.precision == Some(PrecisionArg::Single) && backend.info().precision != "single" {
            return Err(Error::argument("--precision", "single", "the CPU computes in double precision"));
        }
        Ok(backend)
    }
}

//! Options that say where the work is done.

use std::num::NonZeroUsize;

use clap::Args;

use super::choice::choice;
use crate::device_choice::{BackendArg, threads};
use crate::threads::of_cpu;
use eagleray::Session;
use eagleray::device::Precision;
use eagleray::internal::backend::{AdapterSelector, CpuOptions, DeviceChoice, GpuTier, Schedule};
use eagleray::{Error, Result};

/// Where the work is done.
#[derive(Args, Clone, Debug)]
pub struct DeviceArgs {
    /// Device: a GPU, the CPU, or (auto) a real GPU where there is one, for all but event files, which the CPU does faster
    #[arg(long, value_enum, default_value = "auto")]
    pub backend: BackendArg,
    /// GPU by its number or part of its name in `eagleray devices`; several share the work: 0,1 or the option repeated; `all` are
    /// all real ones, and `cpu` lets the CPU take part (0,cpu)
    #[arg(long, value_name = "NAME|INDEX,…|all")]
    pub adapter: Vec<String>,
    /// Capabilities of the GPU to use: all that it has (native), WebGPU's defaults (portable), or (auto) all where it passes the self-test
    #[arg(long, value_parser = choice::<GpuTier>(), default_value = "auto")]
    pub gpu_profile: GpuTier,
    /// Precision of the transforms [default: single on GPUs, double on the CPU]
    #[arg(long, value_parser = choice::<Precision>())]
    pub precision: Option<Precision>,
    /// Worker threads of the CPU [default: all cores]
    #[arg(long, value_name = "N", value_parser = threads)]
    pub threads: Option<NonZeroUsize>,
    /// How the CPU's threads share the work, for studies: who is done takes the next piece (dynamic), equal shares known before (static),
    /// or large shares first (guided); changes no result
    #[arg(long, value_parser = choice::<Schedule>(), default_value = "dynamic")]
    pub schedule: Schedule,
}

impl DeviceArgs {
    /// Refuses options that contradict each other.
    ///
    /// # Errors
    /// A GPU named for the CPU.
    pub fn check(&self) -> Result<()> {
        match (self.adapter.first(), self.backend) {
            (Some(name), BackendArg::Cpu) => {
                Err(Error::argument("adapter", name, "names a GPU, but --backend cpu uses none; leave one of them out"))
            }
            _ => Ok(()),
        }
    }

    /// The CPU, one thread a core, for what only it computes.
    pub fn cpu() -> DeviceArgs {
        DeviceArgs {
            backend: BackendArg::Cpu,
            adapter: Vec::new(),
            gpu_profile: GpuTier::Auto,
            precision: None,
            threads: None,
            schedule: Schedule::Dynamic,
        }
    }

    /// Opens the device for runs.
    ///
    /// # Errors
    /// See [`DeviceArgs::check`]; no such device; a precision that it does not have.
    pub fn session(&self) -> Result<Session> {
        self.check()?;
        let (tier, precision) = (self.gpu_profile, self.precision.unwrap_or(Precision::Single));
        let threads = of_cpu(self.threads);
        let choice = match self.backend {
            BackendArg::Cpu => DeviceChoice::Cpu { threads },
            BackendArg::Auto if self.adapter.is_empty() => DeviceChoice::Auto { tier, precision, threads },
            BackendArg::Auto | BackendArg::Gpu => {
                let (mut adapters, cpu) = self.adapters();
                match adapters.len() {
                    0 | 1 if !cpu => DeviceChoice::Gpu { adapter: adapters.pop().unwrap_or_default(), tier, precision },
                    _ => DeviceChoice::Several { adapters, tier, precision, cpu, threads },
                }
            }
        };
        let (precision, schedule) = (self.precision.unwrap_or(Precision::Double), self.schedule);
        Session::open_with(&choice, CpuOptions { precision, schedule })
    }

    /// The adapters named, and whether the CPU is among them.
    fn adapters(&self) -> (Vec<AdapterSelector>, bool) {
        let (mut adapters, mut cpu) = (Vec::new(), false);
        for text in self.adapter.iter().flat_map(|text| split(text)) {
            match (text, text.parse()) {
                ("cpu", _) => cpu = true,
                ("all", _) => {
                    let all = eagleray::internal::backend::adapters();
                    let real = all.iter().any(|adapter| !adapter.software);
                    let taken = all.iter().filter(|adapter| real != adapter.software);
                    adapters.extend(taken.map(|adapter| AdapterSelector::Index(adapter.index)));
                }
                (_, Ok(index)) => adapters.push(AdapterSelector::Index(index)),
                (name, _) => adapters.push(AdapterSelector::Name(name.to_string())),
            }
        }
        (adapters, cpu)
    }
}

/// Splits a list of adapters at its commas, unless it is a name: names have commas, too.
fn split(text: &str) -> Vec<&str> {
    let parts: Vec<&str> = text.split(',').map(str::trim).collect();
    let listed = |part: &&str| matches!(*part, "cpu" | "all") || part.parse::<usize>().is_ok();
    if parts.iter().all(listed) { parts } else { vec![text] }
}

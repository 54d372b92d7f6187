//! Opening the device asked for.

use std::num::NonZeroUsize;

use super::choice::{AdapterReport, AdapterSelector, DeviceChoice, GpuTier, auto_adapter};
use super::contract::Backend;
use super::cpu::CpuBackend;
use super::measure::MeasurableGpu;
use super::multi::MultiBackend;
use super::segment_transformer::CpuOptions;
use crate::base::error::BackendError;
use crate::base::mend::Mend;
use crate::base::warning::{Warning, Warnings};
use crate::numerics::precision::Precision;

/// The adapters of this machine, the best one first.
pub fn adapters() -> Vec<AdapterReport> {
    #[cfg(feature = "gpu")]
    return super::gpu::adapters();
    #[cfg(not(feature = "gpu"))]
    Vec::new()
}

/// Why [`adapters`] has looked for none, where the limits of this process leave too little for drivers.
pub fn no_room() -> Option<BackendError> {
    #[cfg(feature = "gpu")]
    return super::gpu::no_room();
    #[cfg(not(feature = "gpu"))]
    None
}

/// True where the system has a device that may be a GPU; only Linux says so.
fn may_have_gpu() -> bool {
    ["/dev/dri", "/dev/nvidiactl", "/dev/kfd", "/dev/dxg"].iter().any(|path| std::path::Path::new(path).exists())
}

/// Opens a device. Warns of what [`DeviceChoice::Auto`] decided, and of a software adapter.
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
        DeviceChoice::Gpu { adapter, tier, precision } => open_gpu(adapter, *tier, *precision, warnings),
        DeviceChoice::Several { adapters, tier, precision, cpu, threads } => {
            let mut devices = Vec::new();
            for adapter in adapters {
                match open_gpu(adapter, *tier, *precision, warnings) {
                    Ok(device) => devices.push(device),
                    // The CPU, which takes part, does its work.
                    Err(e) if *cpu => {
                        warnings.push("W-BACKEND-FALLBACK", format!("{}; the other devices do its work", e.reason()));
                    }
                    Err(e) => return Err(e),
                }
            }
            if *cpu {
                devices.push(cpu_backend(threads)?);
            }
            Ok(Box::new(MultiBackend::new(devices)?))
        }
        DeviceChoice::Auto { tier, precision, threads } => {
            let adapters = adapters();
            let gpu = auto_adapter(&adapters)
                .map(|a| open_gpu(&AdapterSelector::Index(a.index), *tier, *precision, warnings));
            match gpu {
                Some(Ok(gpu)) => return Ok(Box::new(MultiBackend::new(vec![gpu])?.with_spare(*threads))),
                Some(Err(e)) => warnings.push("W-BACKEND-FALLBACK", format!("{}; the CPU is used", e.reason())),
                None => {
                    // Said only where there may be one.
                    if let Some(e) = no_room().filter(|_| may_have_gpu()) {
                        warnings.push("W-BACKEND-FALLBACK", format!("{}; the CPU is used", e.reason()));
                    }
                }
            }
            Ok(cpu_backend(threads)?)
        }
    }
}

fn open_gpu(
    adapter: &AdapterSelector,
    tier: GpuTier,
    precision: Precision,
    warnings: &mut Warnings,
) -> Result<Box<dyn Backend>, BackendError> {
    let backend = open_measurable_gpu(adapter, tier, precision)?;
    if backend.info().software {
        let adapter = &backend.info().adapter;
        let message = format!("{adapter} is a software adapter: slower than the CPU by itself");
        warnings.record(Warning::new("W-GPU-SOFTWARE", message).mended_by([Mend::set("backend", "cpu")]));
    }
    Ok(backend)
}

#[cfg_attr(not(feature = "gpu"), allow(unused_variables))]
fn open_measurable_gpu(
    adapter: &AdapterSelector,
    tier: GpuTier,
    precision: Precision,
) -> Result<Box<dyn MeasurableGpu>, BackendError> {
    #[cfg(feature = "gpu")]
    return Ok(Box::new(super::gpu::GpuBackend::open(adapter, tier, precision)?));
    #[cfg(not(feature = "gpu"))]
    Err(BackendError::GpuNotCompiled)
}

/// Opens an adapter to be measured, transforms in single precision.
///
/// # Errors
/// See [`open`].
pub fn open_measurable(adapter: &AdapterSelector, tier: GpuTier) -> Result<Box<dyn MeasurableGpu>, BackendError> {
    open_measurable_gpu(adapter, tier, Precision::Single)
}

//! Which adapters there are, and which one is taken.

use crate::backend::{AdapterReport, AdapterSelector, GpuTier, auto_adapter};
use crate::base::error::BackendError;
use crate::base::footprint::left_of_limits;

/// An instance with the native APIs. `software` drivers are part of what it lists.
fn instance() -> wgpu::Instance {
    let mut descriptor = wgpu::InstanceDescriptor::new_without_display_handle();
    descriptor.backends = wgpu::Backends::PRIMARY;
    wgpu::Instance::new(descriptor)
}

/// What drivers and their compilers take of addresses and data, at least, bytes. Where less is left they end the process.
const DRIVERS: u64 = 1 << 30;

/// Why no GPU is looked for: the limits of this process leave less than drivers take.
pub fn no_room() -> Option<BackendError> {
    let left = left_of_limits().filter(|&left| left < DRIVERS)?;
    Some(BackendError::NoRoom { left, needed: DRIVERS })
}

/// The adapters of this machine that can compute, best first; none where the limits of this process have no room for drivers.
fn list() -> Vec<wgpu::Adapter> {
    if no_room().is_some() {
        return Vec::new();
    }
    let mut adapters = pollster::block_on(instance().enumerate_adapters(wgpu::Backends::PRIMARY));
    adapters.retain(|adapter| {
        adapter.get_downlevel_capabilities().flags.contains(wgpu::DownlevelFlags::COMPUTE_SHADERS)
            && wgpu::Limits::default().check_limits(&adapter.limits())
    });
    adapters.sort_by_key(|adapter| rank(adapter.get_info().device_type));
    adapters
}

fn rank(kind: wgpu::DeviceType) -> u32 {
    match kind {
        wgpu::DeviceType::DiscreteGpu => 0,
        wgpu::DeviceType::IntegratedGpu => 1,
        wgpu::DeviceType::VirtualGpu => 2,
        wgpu::DeviceType::Other => 3,
        wgpu::DeviceType::Cpu => 4,
    }
}

fn kind(kind: wgpu::DeviceType) -> &'static str {
    match kind {
        wgpu::DeviceType::DiscreteGpu => "discrete",
        wgpu::DeviceType::IntegratedGpu => "integrated",
        wgpu::DeviceType::VirtualGpu => "virtual",
        wgpu::DeviceType::Other => "other",
        wgpu::DeviceType::Cpu => "software",
    }
}

/// The adapters of this machine, the best one first.
pub fn adapters() -> Vec<AdapterReport> {
    let mut reports: Vec<AdapterReport> = list().iter().enumerate().map(|(i, adapter)| report(i, adapter)).collect();
    if let Some(taken) = auto_adapter(&reports).map(|adapter| adapter.index) {
        reports[taken].auto = "taken, in profile native where the adapter agrees".into();
    }
    reports
}

fn report(index: usize, adapter: &wgpu::Adapter) -> AdapterReport {
    let info = adapter.get_info();
    let limits = adapter.limits();
    let software = info.device_type == wgpu::DeviceType::Cpu;
    let auto = if software { "not taken: a program on the CPU" } else { "not taken: another is listed before it" };
    let named = [
        (wgpu::Features::SHADER_F64, "f64"),
        (wgpu::Features::SHADER_INT64, "int64"),
        (wgpu::Features::SUBGROUP, "subgroups"),
        (wgpu::Features::TIMESTAMP_QUERY, "timestamps"),
    ];
    let features = adapter.features();
    AdapterReport {
        index,
        name: info.name.clone(),
        api: info.backend.to_string(),
        driver: driver(&info),
        kind: kind(info.device_type).into(),
        software,
        features: named.iter().filter(|(f, _)| features.contains(*f)).map(|(_, name)| name.to_string()).collect(),
        workgroup_memory: limits.max_compute_workgroup_storage_size,
        workgroup_invocations: limits.max_compute_invocations_per_workgroup,
        binding_size: limits.max_storage_buffer_binding_size,
        buffer_size: limits.max_buffer_size,
        auto: auto.into(),
    }
}

/// Name and version of an adapter's driver.
pub(super) fn driver(info: &wgpu::AdapterInfo) -> String {
    format!("{} {}", info.driver, info.driver_info).trim().to_string()
}

/// The adapter asked for.
pub(super) fn select(selector: &AdapterSelector) -> Result<wgpu::Adapter, BackendError> {
    let adapters = list();
    let names: Vec<String> = adapters.iter().map(|a| a.get_info().name).collect();
    let (wanted, place) = match selector {
        AdapterSelector::Best => ("of any kind".to_string(), (!adapters.is_empty()).then_some(0)),
        AdapterSelector::Index(index) => (format!("number {index}"), Some(*index)),
        AdapterSelector::Name(text) => {
            let text = text.to_lowercase();
            (format!("named '{text}'"), names.iter().position(|n| n.to_lowercase().contains(&text)))
        }
    };
    if let Some(error) = no_room() {
        return Err(error);
    }
    let found = if names.is_empty() { "none".to_string() } else { names.join(", ") };
    place.and_then(|place| adapters.into_iter().nth(place)).ok_or(BackendError::NoAdapter { wanted, found })
}

/// Features and limits to request of an adapter in a tier.
pub(super) fn requested(adapter: &wgpu::Adapter, tier: GpuTier) -> (wgpu::Features, wgpu::Limits) {
    match tier {
        GpuTier::Portable => (adapter.features() & wgpu::Features::TIMESTAMP_QUERY, wgpu::Limits::default()),
        GpuTier::Auto | GpuTier::Native => {
            let wanted = wgpu::Features::SHADER_F64 | wgpu::Features::TIMESTAMP_QUERY;
            (adapter.features() & wanted, adapter.limits())
        }
    }
}

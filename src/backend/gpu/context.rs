//! One opened adapter: device, queue, pipelines, and what went wrong on it.

use std::collections::HashMap;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use super::adapter;
use crate::backend::{DeviceInfo, GpuTier};
use crate::base::error::BackendError;
use crate::kernels::{Access, Dispatch, Limits, Shader};
use crate::numerics::precision::Precision;

/// An adapter opened in a tier. Executes [`Dispatch`] lists, for the backend and for tests alike.
pub struct GpuContext {
    pub(super) device: wgpu::Device,
    pub(super) queue: wgpu::Queue,
    pub(super) limits: Limits,
    precision: Precision,
    info: DeviceInfo,
    /// Devices opened before it.
    number: usize,
    pipelines: HashMap<&'static str, wgpu::ComputePipeline>,
    failure: Arc<Mutex<Option<BackendError>>>,
    /// How long one wait for the device may take.
    pub(super) patience: Duration,
}

impl GpuContext {
    /// Transforms and sums in this precision from now on.
    ///
    /// # Errors
    /// Double precision on a device without native f64, or whose f64 failed the self-test.
    pub(super) fn set_precision(&mut self, precision: Precision) -> Result<(), BackendError> {
        if precision == Precision::Double && !self.limits.f64 {
            return Err(BackendError::NoDouble { adapter: self.info.adapter.clone(), tier: self.info.tier });
        }
        self.precision = precision;
        self.info.precision = match precision {
            Precision::Single => "single",
            Precision::Double => "double",
        };
        Ok(())
    }

    /// True where the device notes the times of passes.
    pub(super) fn has_timestamps(&self) -> bool {
        self.device.features().contains(wgpu::Features::TIMESTAMP_QUERY)
    }

    /// Precision of transforms and sums.
    pub(super) fn precision(&self) -> Precision {
        self.precision
    }

    /// Requests the device of an adapter, as yet without f64.
    pub(super) fn request(adapter: &wgpu::Adapter, tier: GpuTier) -> Result<GpuContext, BackendError> {
        let (features, wgpu_limits) = adapter::requested(adapter, tier);
        let portable = tier == GpuTier::Portable;
        let limits = if portable {
            Limits::PORTABLE
        } else {
            Limits::native(
                wgpu_limits.max_compute_invocations_per_workgroup.min(wgpu_limits.max_compute_workgroup_size_x),
                wgpu_limits.max_compute_workgroup_storage_size,
                wgpu_limits.max_compute_workgroups_per_dimension,
            )
        };
        let descriptor =
            wgpu::DeviceDescriptor { required_features: features, required_limits: wgpu_limits, ..Default::default() };
        let (device, queue) = pollster::block_on(adapter.request_device(&descriptor))
            .map_err(|e| BackendError::Device(format!("the adapter refused the device: {e}")))?;
        let failure = Arc::new(Mutex::new(None));
        let lost = failure.clone();
        device.set_device_lost_callback(move |reason, message| {
            record(&lost, BackendError::DeviceLost(format!("{reason:?}: {message}")));
        });
        let uncaptured = failure.clone();
        device.on_uncaptured_error(Arc::new(move |error| record(&uncaptured, typed(error))));
        let about = adapter.get_info();
        let info = DeviceInfo {
            backend: "gpu",
            driver: adapter::driver(&about),
            adapter: about.name,
            api: about.backend.to_string(),
            tier: if portable { "portable" } else { "native" },
            software: about.device_type == wgpu::DeviceType::Cpu,
            precision: "single",
            threads: 0,
        };
        static OPENED: AtomicUsize = AtomicUsize::new(0);
        let number = OPENED.fetch_add(1, Ordering::Relaxed);
        let precision = Precision::Single;
        let (pipelines, patience) = (HashMap::new(), super::waiting::PATIENCE);
        Ok(GpuContext { device, queue, limits, precision, info, number, pipelines, failure, patience })
    }

    /// What the device is.
    pub fn info(&self) -> &DeviceInfo {
        &self.info
    }

    /// Tunables of the tier in use.
    pub fn limits(&self) -> &Limits {
        &self.limits
    }

    /// Name of this opening of the adapter: two of one kind have clocks of their own.
    pub(super) fn label(&self) -> String {
        format!("{} #{}", self.info.adapter, self.number)
    }

    /// Pretends that the device has so much workgroup memory.
    #[cfg(test)]
    pub(super) fn pretend_workgroup_memory(&mut self, bytes: u32) {
        self.limits.workgroup_memory = bytes;
    }

    /// Largest buffer that can be bound, bytes.
    pub(super) fn largest_buffer(&self) -> u64 {
        let limits = self.device.limits();
        limits.max_storage_buffer_binding_size.min(limits.max_buffer_size)
    }

    /// The first failure that no call reported, once.
    pub(super) fn check(&self) -> Result<(), BackendError> {
        let mut failure = self.failure.lock().unwrap_or_else(PoisonError::into_inner);
        match &*failure {
            None => Ok(()),
            // A lost device stays lost.
            Some(lost @ BackendError::DeviceLost(_)) => Err(lost.clone()),
            Some(_) => failure.take().map_or(Ok(()), Err),
        }
    }

    /// What to report of a failed call: a loss of the device explains it better than the call's own words.
    pub(super) fn fault(&self, error: BackendError) -> BackendError {
        // The loss is told to its callback when the device is polled; a failure to poll adds nothing.
        let _ = super::waiting::poll(&self.device, wgpu::PollType::Poll);
        self.check().err().unwrap_or(error)
    }

    /// Gives the device up: it does not answer, so nothing may wait for it again. Its last handle would, so that is never dropped.
    pub(super) fn give_up(&self, why: String) -> BackendError {
        record(&self.failure, BackendError::DeviceLost(why.clone()));
        std::mem::forget((self.device.clone(), self.queue.clone()));
        self.check().err().unwrap_or(BackendError::DeviceLost(why))
    }

    /// Runs `work`; an error of the device inside it is returned, typed.
    pub(super) fn guarded<T>(&self, work: impl FnOnce() -> T) -> Result<T, BackendError> {
        let filters = [wgpu::ErrorFilter::Internal, wgpu::ErrorFilter::Validation, wgpu::ErrorFilter::OutOfMemory];
        let mut scopes: Vec<_> = filters.into_iter().map(|filter| self.device.push_error_scope(filter)).collect();
        let value = work();
        let mut error = None;
        while let Some(scope) = scopes.pop() {
            error = pollster::block_on(scope.pop()).or(error);
        }
        self.check()?;
        error.map_or(Ok(value), |error| Err(self.fault(typed(error))))
    }

    /// Makes the pipeline of a shader unless it exists. One that needs more workgroup memory than the tier has is refused
    /// here, because wgpu does not.
    pub(super) fn make_pipeline(&mut self, shader: &'static Shader) -> Result<(), BackendError> {
        if self.pipelines.contains_key(shader.name) {
            return Ok(());
        }
        let (needs, has) = ((shader.workgroup_bytes)(&self.limits), self.limits.workgroup_memory);
        if needs > has {
            return Err(BackendError::Device(format!("{} needs {needs} B of workgroup memory of {has}", shader.name)));
        }
        let pipeline = self.guarded(|| self.pipeline(shader))?;
        self.pipelines.insert(shader.name, pipeline);
        Ok(())
    }

    fn pipeline(&self, shader: &Shader) -> wgpu::ComputePipeline {
        let label = Some(shader.name);
        let source = wgpu::ShaderSource::Wgsl(shader.source().into());
        let descriptor = wgpu::ShaderModuleDescriptor { label, source };
        // SAFETY: the shaders are this crate's own; every index is guarded by the counts in their parameters or lies within
        // POINTS by construction, every loop ends, and the tests run them against references at all sizes. The checks
        // would cost much in the transform's loops.
        let module =
            unsafe { self.device.create_shader_module_trusted(descriptor, wgpu::ShaderRuntimeChecks::unchecked()) };
        let entries: Vec<wgpu::BindGroupLayoutEntry> = shader
            .bindings
            .iter()
            .enumerate()
            .map(|(binding, (_, access))| wgpu::BindGroupLayoutEntry {
                binding: binding as u32,
                visibility: wgpu::ShaderStages::COMPUTE,
                ty: wgpu::BindingType::Buffer {
                    ty: binding_type(*access),
                    has_dynamic_offset: false,
                    min_binding_size: None,
                },
                count: None,
            })
            .collect();
        let group = self.device.create_bind_group_layout(&wgpu::BindGroupLayoutDescriptor { label, entries: &entries });
        let layout = self.device.create_pipeline_layout(&wgpu::PipelineLayoutDescriptor {
            label,
            bind_group_layouts: &[Some(&group)],
            immediate_size: 0,
        });
        self.device.create_compute_pipeline(&wgpu::ComputePipelineDescriptor {
            label,
            layout: Some(&layout),
            module: &module,
            entry_point: Some(shader.entry),
            compilation_options: wgpu::PipelineCompilationOptions {
                constants: &(shader.constants)(&self.limits),
                zero_initialize_workgroup_memory: false,
            },
            cache: None,
        })
    }

    /// Bind groups of launches over `buffers`; the parameters of launch `i` lie at byte `i·PARAMS_STRIDE` of `params`.
    pub(super) fn bind(
        &mut self,
        dispatches: &[Dispatch],
        buffers: &[wgpu::Buffer],
        params: &wgpu::Buffer,
    ) -> Result<Vec<wgpu::BindGroup>, BackendError> {
        for dispatch in dispatches {
            self.make_pipeline(dispatch.shader)?;
        }
        self.guarded(|| {
            let mut groups = Vec::with_capacity(dispatches.len());
            for (i, dispatch) in dispatches.iter().enumerate() {
                let uniform = wgpu::BufferBinding {
                    buffer: params,
                    offset: i as u64 * PARAMS_STRIDE,
                    size: wgpu::BufferSize::new(dispatch.params.len() as u64),
                };
                let mut entries =
                    vec![wgpu::BindGroupEntry { binding: 0, resource: wgpu::BindingResource::Buffer(uniform) }];
                entries.extend(dispatch.buffers.iter().enumerate().map(|(j, &b)| wgpu::BindGroupEntry {
                    binding: j as u32 + 1,
                    resource: buffers[b].as_entire_binding(),
                }));
                groups.push(self.device.create_bind_group(&wgpu::BindGroupDescriptor {
                    label: Some(dispatch.shader.name),
                    layout: &self.pipelines[dispatch.shader.name].get_bind_group_layout(0),
                    entries: &entries,
                }));
            }
            groups
        })
    }

    /// Records launches whose pipelines and bind groups exist, each a pass of its own, timed by `timer`; returns the names of those
    /// launched.
    pub(super) fn encode(
        &self,
        encoder: &mut wgpu::CommandEncoder,
        dispatches: &[Dispatch],
        groups: &[wgpu::BindGroup],
        timer: Option<&wgpu::QuerySet>,
    ) -> Vec<&'static str> {
        let mut launched = Vec::new();
        for (dispatch, group) in dispatches.iter().zip(groups) {
            let [x, y, z] = dispatch.workgroups;
            if x == 0 || y == 0 || z == 0 {
                continue;
            }
            let place = 2 * launched.len() as u32;
            let timestamp_writes = timer.map(|timer| wgpu::ComputePassTimestampWrites {
                query_set: timer,
                beginning_of_pass_write_index: Some(place),
                end_of_pass_write_index: Some(place + 1),
            });
            let label = Some(dispatch.shader.name);
            let mut pass = encoder.begin_compute_pass(&wgpu::ComputePassDescriptor { label, timestamp_writes });
            pass.set_pipeline(&self.pipelines[dispatch.shader.name]);
            pass.set_bind_group(0, group, &[]);
            pass.dispatch_workgroups(x, y, z);
            launched.push(dispatch.shader.name);
        }
        launched
    }
}

/// Bytes between the parameters of two launches: WebGPU's alignment of uniform bindings.
pub(super) const PARAMS_STRIDE: u64 = 256;

fn binding_type(access: Access) -> wgpu::BufferBindingType {
    match access {
        Access::Uniform => wgpu::BufferBindingType::Uniform,
        Access::Read => wgpu::BufferBindingType::Storage { read_only: true },
        Access::ReadWrite => wgpu::BufferBindingType::Storage { read_only: false },
    }
}

/// Keeps the first failure, except that the loss of a device replaces any other.
fn record(failure: &Mutex<Option<BackendError>>, error: BackendError) {
    let mut failure = failure.lock().unwrap_or_else(PoisonError::into_inner);
    if failure.is_none() || matches!(error, BackendError::DeviceLost(_)) {
        *failure = Some(error);
    }
}

fn typed(error: wgpu::Error) -> BackendError {
    match error {
        wgpu::Error::OutOfMemory { source } => BackendError::OutOfMemory(source.to_string()),
        other => BackendError::Device(other.to_string()),
    }
}

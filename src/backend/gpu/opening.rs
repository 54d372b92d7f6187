//! Opening an adapter, with the test of its f64.

use super::adapter;
use super::context::GpuContext;
use crate::backend::{AdapterSelector, GpuTier};
use crate::base::error::BackendError;
use crate::kernels::{CaseData, CaseShape, bin_events};
use crate::numerics::precision::Precision;

impl GpuContext {
    /// Opens an adapter. `Auto` and `Native` request all that the adapter has, and use native f64 only after it has binned
    /// hostile times as the reference does; `Auto` falls back to `Portable` when the adapter refuses its own limits.
    pub fn open(selector: &AdapterSelector, tier: GpuTier) -> Result<GpuContext, BackendError> {
        let adapter = adapter::select(selector)?;
        match GpuContext::request_tested(&adapter, tier) {
            Err(_) if tier == GpuTier::Auto => GpuContext::request_tested(&adapter, GpuTier::Portable),
            result => result,
        }
    }

    fn request_tested(adapter: &wgpu::Adapter, tier: GpuTier) -> Result<GpuContext, BackendError> {
        let mut context = GpuContext::request(adapter, tier)?;
        if context.device.features().contains(wgpu::Features::SHADER_F64) {
            context.limits.f64 = context.f64_is_exact();
        }
        Ok(context)
    }

    /// Bins hostile times in native f64; a driver that contracts or reorders operations, or flushes subnormals, fails.
    fn f64_is_exact(&mut self) -> bool {
        (0..5).all(|seed| {
            let shape = CaseShape { n: 100, rows: 64, events: 20_000 };
            let trial = (bin_events::KERNEL.case)(1, shape, CaseData::Hostile, seed);
            let Ok(result) = self.run(&trial.job(&self.limits)) else { return false };
            let got = trial.decode(&result.outputs);
            trial.compare(&trial.reference(), &got, Precision::Single).first_bad.is_none()
        })
    }
}

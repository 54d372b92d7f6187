//! Shared by the tests that want a GPU.

use eagleray::error::BackendError;
use eagleray::internal::backend::gpu::GpuContext;
use eagleray::internal::backend::{AdapterSelector, GpuTier};

/// Opens the best adapter as `EAGLERAY_TEST_GPU` says: `require` fails without one, `auto` (the default) and `off` skip, visibly.
pub fn open<T>(test: &str, open: impl FnOnce(&AdapterSelector) -> Result<T, BackendError>) -> Option<T> {
    let mode = std::env::var("EAGLERAY_TEST_GPU").unwrap_or_else(|_| "auto".into());
    if mode == "off" {
        say!("SKIPPED {test}: EAGLERAY_TEST_GPU=off");
        return None;
    }
    assert!(mode == "auto" || mode == "require", "EAGLERAY_TEST_GPU={mode}: require, auto or off");
    match open(&AdapterSelector::Best) {
        Ok(gpu) => Some(gpu),
        Err(BackendError::NoAdapter { .. }) if mode == "auto" => {
            say!("SKIPPED {test}: no GPU adapter");
            None
        }
        Err(e) => panic!("{test}: {e}"),
    }
}

/// A context of the best adapter in a profile, announced.
pub fn context(test: &str, tier: GpuTier) -> Option<GpuContext> {
    let context = open(test, |selector| GpuContext::open(selector, tier))?;
    let (info, limits) = (context.info(), context.limits());
    say!("{test}: {} ({}, {}), tier {}, {limits:?}", info.adapter, info.driver, info.api, info.tier);
    Some(context)
}

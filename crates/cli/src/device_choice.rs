//! Words for a device that both programs have.

use std::num::NonZeroUsize;

use clap::ValueEnum;

/// See [`DeviceChoice`](eagleray::DeviceChoice).
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub enum BackendArg {
    /// A real GPU, else the CPU.
    Auto,
    /// A GPU.
    Gpu,
    /// The CPU.
    Cpu,
}

/// A number of worker threads; more than this only waits for each other.
pub fn threads(text: &str) -> Result<NonZeroUsize, String> {
    match text.parse().ok().and_then(NonZeroUsize::new).filter(|n| n.get() <= 1024) {
        Some(threads) => Ok(threads),
        None => Err(format!("`{text}` is not a number of threads from 1 to 1024")),
    }
}

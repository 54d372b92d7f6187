//! Backends: the trait that every device implements, and how a device is chosen.

mod choice;
mod contract;
pub mod cpu;
#[cfg(feature = "gpu")]
pub mod gpu;
pub mod local;
pub mod measure;
pub mod multi;
mod open;
mod segment_transformer;
mod work_queue;

pub use choice::{AdapterReport, AdapterSelector, DeviceChoice, GpuTier, auto_adapter};
pub use contract::{Backend, BatchLimits, DeviceInfo, PlanId, Shaders, Ticket};
use contract::{check_batch, not_the_oldest, released};
pub use cpu::CpuBackend;
pub use open::{adapters, open, open_measurable, open_with};
pub use segment_transformer::CpuOptions;
pub use work_queue::{Schedule, WorkQueue};

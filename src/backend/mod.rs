//! Backends: the trait that every device implements, and how a device is chosen.

mod capabilities;
mod choice;
mod contract;
pub mod cpu;
mod cpu_units;
#[cfg(feature = "gpu")]
pub mod gpu;
mod leaf;
pub mod measure;
pub mod multi;
mod open;
mod segment_transformer;
mod units;
mod work_queue;

pub use crate::io::raw_rows::{RawRows, RowLayout};
pub(crate) use capabilities::UNIT_BYTES;
pub use capabilities::{BatchLimits, Capabilities, LaunchLimits, Takes, WorkerThreads};
pub use choice::{AdapterReport, AdapterSelector, DeviceChoice, GpuTier, auto_adapter};
pub use contract::{Backend, DeviceInfo, PlanId, Ticket};
use contract::{check_batch, not_the_oldest, released};
pub use cpu::CpuBackend;
pub use leaf::{LeafBuilder, SegmentCounts};
pub use open::{adapters, no_room, open, open_measurable, open_with};
pub use segment_transformer::CpuOptions;
pub use units::{RowsSeen, SegmentTimes, UnitFindings, UnitRows, Units};
pub use work_queue::{Schedule, WorkQueue};

//! The numerical kernels. Each has a scalar f64 reference, a CPU production path and WGSL shaders of its stem.
//!
//! A kernel describes its device side as plain data: a [`Shader`] is text and bindings, a [`Dispatch`] one launch over
//! buffers known by number, a [`Job`] launches with their inputs. The GPU backend and the tests run the same lists.

pub mod case;
pub mod check;
pub mod fad;
mod job;
mod kernel;
mod limits;
pub mod path;
mod row;
mod shader;

pub use crate::numerics::precision::Precision;
pub use case::{CaseData, CaseShape, CaseValues, Comparison, KernelCase};
pub use job::{Dispatch, Fill, Job, JobResult};
use kernel::transform_operations;
pub use kernel::{Kernel, Timed};
pub use limits::Limits;
pub use row::{DeviceSegment, Input, centre};
pub(crate) use shader::shared_struct;
pub use shader::{Access, Shader, StructLayout};
use shader::{COMPLEX, GRID, REAL_F32, REAL_F64, ROOTS, ROW, TIME_BITS, no_memory, threads_only};

macro_rules! kernels {
    ($($kernel:ident)+) => {
        $(pub mod $kernel;)+

        /// All kernels; tests and benches iterate over it.
        pub const KERNELS: &[&Kernel] = &[$(&$kernel::KERNEL),+];
    };
}

// The file of each kernel.
kernels! {
    bin_events
    fft
    power
    power_pass
    fused
    cross_spectrum
    fold
    rate
}

//! Batched real Fourier transform: `F_k = Σ_j x_j e^{−2πi jk/n}`, `k = 0 … floor(n/2)`.

mod case;
mod definition;
mod lengths;
mod plan;
mod points;
mod roots;
mod shaders;

use super::{Kernel, Timed, transform_operations};

pub(super) use case::FftCase;
pub use definition::reference;
pub use plan::{FftBuffers, FftPlan, LARGEST, LastPass, device_supports};
pub(super) use points::CasePoints;
pub use roots::RootTables;
pub(super) use shaders::{
    DIVIDE_ANY, DIVIDE_POW2, LOAD_POINTS, MEMORY_POINTS, STAGES_ANY, STAGES_POW2, STOCKHAM, constants, workgroup_bytes,
};
use shaders::{DOUBLE, SINGLE};

/// The transform's entry in the table of kernels.
pub static KERNEL: Kernel = Kernel {
    name: "fft",
    shaders: &[
        &SINGLE[0], &SINGLE[1], &SINGLE[2], &SINGLE[3], &SINGLE[4], &SINGLE[5], &SINGLE[6], &SINGLE[7], &SINGLE[8],
        &DOUBLE[0], &DOUBLE[1], &DOUBLE[2], &DOUBLE[3], &DOUBLE[4], &DOUBLE[5], &DOUBLE[6], &DOUBLE[7], &DOUBLE[8],
    ],
    variants: &["counts", "flux", "counts.f64", "flux.f64"],
    needs_f64: |variant| variant >= 2,
    shapes: case::shapes,
    timed: Timed {
        lengths: &[1024, 4096, 1 << 14, 1 << 18, 10_007],
        quick: &[4096, 1 << 14],
        operations: transform_operations,
        ..Timed::ONE_LENGTH
    },
    case: |variant, shape, data, seed| Box::new(FftCase::from_variant(variant, shape, data, seed)),
};

//! The shaders of the transform's passes, and their parameters.

use crate::kernels::{
    Access, COMPLEX, DeviceSegment, GRID, Input, Limits, REAL_F32, REAL_F64, ROOTS, ROW, Shader, StructLayout,
    TIME_BITS, shared_struct,
};
use crate::numerics::precision::Precision;

/// Where the points of a pass come from.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum PassInput {
    /// Samples.
    Samples(Input),
    /// Samples, chirped and padded.
    Chirped(Input),
    /// The pass before.
    Points,
    /// The product of two spectra.
    Product,
}

shared_struct! {
    /// Parameters of one pass; see `shaders/lib/fft_params.wgsl`.
    FftParams as "Params" {
        /// Transforms.
        rows: u32,
        /// Real samples a row.
        n: u32,
        /// Complex points of a row that are data.
        h: u32,
        /// Complex points of a row that are transformed.
        length: u32,
        /// Points of a column.
        len: u32,
        /// Columns of a row.
        width: u32,
        /// Product of the lengths of the passes before.
        done: u32,
        /// Columns in a workgroup.
        batch: u32,
        /// Radices of the stages, 4 bits each.
        radices: u32,
        /// Place of the column's roots in the tables.
        stages: u32,
        /// See [`RootTables::fine`].
        fine: u32,
        /// See [`RootTables::coarse`].
        coarse: u32,
        /// See [`RootTables::log_fine`].
        log_fine: u32,
    }
}

const FFT_PARAMS: &str = include_str!("../../../shaders/lib/fft_params.wgsl");
pub(in crate::kernels) const DIVIDE_POW2: &str = include_str!("../../../shaders/lib/divide_pow2.wgsl");
pub(in crate::kernels) const DIVIDE_ANY: &str = include_str!("../../../shaders/lib/divide_any.wgsl");
const COUNTS: &str = include_str!("../../../shaders/lib/sample_counts.wgsl");
const FLUX: &str = include_str!("../../../shaders/lib/sample_flux.wgsl");
const SAMPLES: &str = include_str!("../../../shaders/lib/samples.wgsl");
const LOAD_SAMPLES: &str = include_str!("../../../shaders/lib/load_samples.wgsl");
const LOAD_CHIRPED: &str = include_str!("../../../shaders/lib/load_chirped.wgsl");
pub(in crate::kernels) const LOAD_POINTS: &str = include_str!("../../../shaders/lib/load_points.wgsl");
const LOAD_PRODUCT: &str = include_str!("../../../shaders/lib/load_product.wgsl");
const FFT: &str = include_str!("../../../shaders/fft.wgsl");
pub(in crate::kernels) const STOCKHAM: &str = include_str!("../../../shaders/lib/stockham.wgsl");
pub(in crate::kernels) const MEMORY_POINTS: &str = include_str!("../../../shaders/lib/memory_points.wgsl");
pub(in crate::kernels) const STAGES_POW2: &str = include_str!("../../../shaders/lib/stages_pow2.wgsl");
pub(in crate::kernels) const STAGES_ANY: &str = include_str!("../../../shaders/lib/stages_any.wgsl");

type Bindings = &'static [(&'static str, Access)];
const SAMPLES_IN: Bindings = &[
    ("params", Access::Uniform),
    ("tables", Access::Read),
    ("points_out", Access::ReadWrite),
    ("samples", Access::Read),
    ("rows", Access::Read),
];
const CHIRPED_IN: Bindings = &[
    ("params", Access::Uniform),
    ("tables", Access::Read),
    ("points_out", Access::ReadWrite),
    ("samples", Access::Read),
    ("rows", Access::Read),
    ("chirp", Access::Read),
];
const POINTS_IN: Bindings = &[
    ("params", Access::Uniform),
    ("tables", Access::Read),
    ("points_out", Access::ReadWrite),
    ("points_in", Access::Read),
];
const PRODUCT_IN: Bindings = &[
    ("params", Access::Uniform),
    ("tables", Access::Read),
    ("points_out", Access::ReadWrite),
    ("points_in", Access::Read),
    ("filter_spectrum", Access::Read),
];

const ALONE: &[StructLayout] = &[FftParams::LAYOUT];
const WITH_ROWS: &[StructLayout] = &[FftParams::LAYOUT, DeviceSegment::LAYOUT];

/// Override constants of a shader that transforms columns.
pub(in crate::kernels) fn constants(limits: &Limits, precision: Precision) -> Vec<(&'static str, f64)> {
    let limits = limits.of(precision);
    vec![("THREADS", f64::from(limits.threads)), ("POINTS", f64::from(limits.points))]
}

/// Bytes of workgroup memory of such a shader.
pub(in crate::kernels) fn workgroup_bytes(limits: &Limits, precision: Precision) -> u32 {
    precision.complex_bytes() * limits.of(precision).points
}

/// The shader of one kind of pass, in the arithmetic of `$real`.
macro_rules! pass {
    ($name:literal, $bindings:expr, $layouts:expr, $precision:expr, $real:expr, $divide:expr, $stages:expr, $($load:expr),+) => {
        Shader {
            name: $name,
            entry: "fft",
            fragments: &[GRID, $real, COMPLEX, FFT_PARAMS, $divide, $($load,)+ FFT, ROOTS, STOCKHAM, MEMORY_POINTS, $stages],
            bindings: $bindings,
            layouts: $layouts,
            constants: |limits| constants(limits, $precision),
            workgroup_bytes: |limits| workgroup_bytes(limits, $precision),
            f64: matches!($precision, Precision::Double),
        }
    };
}

/// All passes of one precision, in the order that [`pass_shader`] knows.
macro_rules! passes {
    ($precision:expr, $real:expr, [$($name:literal),+]) => {
        passes!(@ $precision, $real, $($name),+)
    };
    (@ $p:expr, $r:expr, $a:literal, $b:literal, $c:literal, $d:literal, $e:literal, $f:literal, $g:literal, $h:literal, $i:literal) => {
        [
            pass!($a, SAMPLES_IN, WITH_ROWS, $p, $r, DIVIDE_POW2, STAGES_POW2, TIME_BITS, ROW, COUNTS, SAMPLES, LOAD_SAMPLES),
            pass!($b, SAMPLES_IN, WITH_ROWS, $p, $r, DIVIDE_ANY, STAGES_ANY, TIME_BITS, ROW, COUNTS, SAMPLES, LOAD_SAMPLES),
            pass!($c, SAMPLES_IN, WITH_ROWS, $p, $r, DIVIDE_POW2, STAGES_POW2, TIME_BITS, ROW, FLUX, SAMPLES, LOAD_SAMPLES),
            pass!($d, SAMPLES_IN, WITH_ROWS, $p, $r, DIVIDE_ANY, STAGES_ANY, TIME_BITS, ROW, FLUX, SAMPLES, LOAD_SAMPLES),
            pass!($e, CHIRPED_IN, WITH_ROWS, $p, $r, DIVIDE_POW2, STAGES_POW2, TIME_BITS, ROW, COUNTS, SAMPLES, LOAD_CHIRPED),
            pass!($f, CHIRPED_IN, WITH_ROWS, $p, $r, DIVIDE_POW2, STAGES_POW2, TIME_BITS, ROW, FLUX, SAMPLES, LOAD_CHIRPED),
            pass!($g, POINTS_IN, ALONE, $p, $r, DIVIDE_POW2, STAGES_POW2, LOAD_POINTS),
            pass!($h, POINTS_IN, ALONE, $p, $r, DIVIDE_ANY, STAGES_ANY, LOAD_POINTS),
            pass!($i, PRODUCT_IN, ALONE, $p, $r, DIVIDE_POW2, STAGES_POW2, LOAD_PRODUCT),
        ]
    };
}

pub(super) static SINGLE: [Shader; 9] = passes!(
    Precision::Single,
    REAL_F32,
    [
        "fft.counts.pow2",
        "fft.counts.any",
        "fft.flux.pow2",
        "fft.flux.any",
        "fft.counts.chirped",
        "fft.flux.chirped",
        "fft.points.pow2",
        "fft.points.any",
        "fft.product"
    ]
);
pub(super) static DOUBLE: [Shader; 9] = passes!(
    Precision::Double,
    REAL_F64,
    [
        "fft.counts.pow2.f64",
        "fft.counts.any.f64",
        "fft.flux.pow2.f64",
        "fft.flux.any.f64",
        "fft.counts.chirped.f64",
        "fft.flux.chirped.f64",
        "fft.points.pow2.f64",
        "fft.points.any.f64",
        "fft.product.f64"
    ]
);

/// The shader of a pass.
pub(super) fn pass_shader(load: PassInput, pow2: bool, precision: Precision) -> &'static Shader {
    let any = usize::from(!pow2);
    let place = match load {
        PassInput::Samples(Input::Events) => any,
        PassInput::Samples(Input::Flux) => 2 + any,
        PassInput::Chirped(Input::Events) => 4,
        PassInput::Chirped(Input::Flux) => 5,
        PassInput::Points => 6 + any,
        PassInput::Product => 8,
    };
    match precision {
        Precision::Single => &SINGLE[place],
        Precision::Double => &DOUBLE[place],
    }
}

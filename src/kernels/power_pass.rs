//! The last pass of a long transform and the power of its outputs in one launch, so that spectra are never stored.

use super::fft::{self, CasePoints, FftPlan};
use super::power::{POWER_SUM, PowerBuffers, PowerCase};
use super::{
    Access, COMPLEX, CaseShape, DeviceSegment, Dispatch, GRID, Kernel, Limits, REAL_F32, REAL_F64, ROOTS, ROW, Shader,
    TIME_BITS, Timed, shared_struct,
};
use crate::base::random::Random;
use crate::numerics::fft::frequencies;
use crate::numerics::precision::Precision;

shared_struct! {
    /// Parameters of `power_pass.wgsl`.
    PassParams as "Params" {
        /// Runs.
        runs: u32,
        /// Real samples a row.
        n: u32,
        /// Complex points a row.
        length: u32,
        /// Points of a column.
        len: u32,
        /// Columns of a row.
        done: u32,
        /// Columns in a workgroup.
        batch: u32,
        /// Columns that a run needs, without mirrors.
        columns: u32,
        /// Workgroups of a run.
        groups: u32,
        /// Radices of the stages, 4 bits each.
        radices: u32,
        /// Place of a column's roots in the tables.
        stages: u32,
        /// See [`RootTables`](super::fft::RootTables); of order length.
        fine: u32,
        /// See [`PassParams::fine`].
        coarse: u32,
        /// See [`PassParams::fine`].
        log_fine: u32,
        /// `FftPlan::split`.
        split: u32,
        /// Exponent `p` of the weights `N^−p`, 0 without.
        exponent: u32,
    }
}

const POWER_PASS: &str = include_str!("../../shaders/power_pass.wgsl");

/// Of even lengths, and of odd ones.
const MIRRORED: &str = include_str!("../../shaders/lib/columns_mirrored.wgsl");
const SINGLE: &str = include_str!("../../shaders/lib/columns_single.wgsl");

/// The shader of one kind of lengths in one precision.
macro_rules! shader {
    ($name:literal, $precision:expr, $real:expr, $columns:expr, $divide:expr, $stages:expr) => {
        Shader {
            name: $name,
            entry: "power_pass",
            fragments: &[
                GRID,
                $real,
                COMPLEX,
                TIME_BITS,
                ROW,
                $divide,
                POWER_SUM,
                fft::LOAD_POINTS,
                POWER_PASS,
                $columns,
                ROOTS,
                fft::STOCKHAM,
                fft::MEMORY_POINTS,
                $stages,
            ],
            bindings: &[
                ("params", Access::Uniform),
                ("tables", Access::Read),
                ("sums", Access::ReadWrite),
                ("points_in", Access::Read),
                ("rows", Access::Read),
                ("dropped", Access::Read),
                ("runs", Access::Read),
            ],
            layouts: &[PassParams::LAYOUT, DeviceSegment::LAYOUT],
            constants: |limits| fft::constants(limits, $precision),
            workgroup_bytes: |limits| fft::workgroup_bytes(limits, $precision),
            f64: matches!($precision, Precision::Double),
        }
    };
}

/// The shaders of one precision: even n and odd n, each with columns that are powers of two and with others.
macro_rules! shaders {
    ($precision:expr, $real:expr, [$even_pow2:literal, $even_any:literal, $odd_pow2:literal, $odd_any:literal]) => {
        [
            [
                shader!($even_pow2, $precision, $real, MIRRORED, fft::DIVIDE_POW2, fft::STAGES_POW2),
                shader!($even_any, $precision, $real, MIRRORED, fft::DIVIDE_ANY, fft::STAGES_ANY),
            ],
            [
                shader!($odd_pow2, $precision, $real, SINGLE, fft::DIVIDE_POW2, fft::STAGES_POW2),
                shader!($odd_any, $precision, $real, SINGLE, fft::DIVIDE_ANY, fft::STAGES_ANY),
            ],
        ]
    };
}

static F32: [[Shader; 2]; 2] = shaders!(
    Precision::Single,
    REAL_F32,
    ["power_pass.even.pow2", "power_pass.even.any", "power_pass.odd.pow2", "power_pass.odd.any"]
);
static F64: [[Shader; 2]; 2] = shaders!(
    Precision::Double,
    REAL_F64,
    ["power_pass.even.pow2.f64", "power_pass.even.any.f64", "power_pass.odd.pow2.f64", "power_pass.odd.any.f64"]
);

fn shader(plan: &FftPlan) -> &'static Shader {
    let (odd, any) = (plan.n() % 2, usize::from(!plan.length().is_power_of_two()));
    match plan.precision() {
        Precision::Single => &F32[odd][any],
        Precision::Double => &F64[odd][any],
    }
}

/// The launch for `runs` runs of `rows` rows, in place of [`FftPlan::last_pass`] and the sum over what it would store: `spectra` of
/// the buffers are the points before it. `None` where that says no.
pub fn dispatch(
    plan: &FftPlan,
    rows: usize,
    runs: usize,
    exponent: u32,
    buffers: &PowerBuffers,
    limits: &Limits,
) -> Option<Dispatch> {
    let last = plan.last_pass()?;
    let (n, length, roots) = (plan.n(), plan.length(), plan.roots());
    let paired = n.is_multiple_of(2);
    let batch = limits.of(plan.precision()).points as usize / last.len;
    let own = if paired { batch / 2 } else { batch };
    let columns = if plan.chirped() { last.done } else { last.done.div_ceil(2) };
    let groups = columns.div_ceil(own);
    let params = PassParams {
        runs: runs as u32,
        n: n as u32,
        length: length as u32,
        len: last.len as u32,
        done: last.done as u32,
        batch: batch as u32,
        columns: columns as u32,
        groups: groups as u32,
        radices: last.radices,
        stages: last.stages,
        fine: roots.fine,
        coarse: roots.coarse,
        log_fine: roots.log_fine,
        split: plan.split(),
        exponent,
    };
    let complex = u64::from(plan.precision().complex_bytes());
    let read = if paired { length } else { columns * last.len };
    let blocks = 1 + u64::from(exponent > 0);
    let PowerBuffers { tables, spectra, rows: row, dropped, runs: run, sums, .. } = *buffers;
    Some(Dispatch {
        bytes: rows as u64 * (complex * read as u64 + size_of::<DeviceSegment>() as u64)
            + runs as u64 * (8 + blocks * frequencies(n) as u64 * complex / 2),
        shader: shader(plan),
        params: bytemuck::bytes_of(&params).to_vec(),
        buffers: vec![tables, sums, spectra, row, dropped, run],
        workgroups: limits.grid((runs * groups) as u64),
    })
}

/// The entry in the table of kernels.
pub static KERNEL: Kernel = Kernel {
    name: "power_pass",
    shaders: &[&F32[0][0], &F32[0][1], &F32[1][0], &F32[1][1], &F64[0][0], &F64[0][1], &F64[1][0], &F64[1][1]],
    variants: &["plain", "weighted", "plain.f64", "weighted.f64"],
    needs_f64: |variant| variant >= 2,
    shapes,
    // The last of several passes.
    timed: Timed { lengths: &[1 << 14, 1 << 18, 10_007], quick: &[1 << 14], ..Timed::ONE_LENGTH },
    case: |variant, shape, data, seed| {
        let precision = if variant < 2 { Precision::Single } else { Precision::Double };
        let mut random = Random::new(seed);
        let points = CasePoints::before_last_pass(shape.n, shape.rows, precision, data, &mut random);
        Box::new(PowerCase::new(variant % 2 == 1, points, dispatch, shape.rows, data, seed))
    },
};

/// Lengths of several passes in both precisions.
fn shapes(_: &Limits) -> Vec<CaseShape> {
    let list = [
        // Powers of two: one run and several; more workgroups than one.
        (1 << 13, 0),
        (1 << 13, 1),
        (1 << 13, 70),
        (1 << 14, 9),
        (1 << 17, 2),
        // Even numbers of columns and of points in a column, odd ones, and each with the other.
        (5000, 20),
        (10_000, 9),
        (2 * 2187, 33),
        (11_250, 5),
        (2 * 2250, 3),
        (4116, 7),
        // Odd lengths, and convolutions of odd ones.
        (2187, 40),
        (4095, 9),
        (15_625, 3),
        (2053, 5),
        (4099, 5),
        (10_007, 2),
    ];
    list.map(|(n, rows)| CaseShape { n, rows, events: 0 }).into()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::kernels::Input;

    #[test]
    fn every_long_transform_without_a_chirp_ends_in_a_power_pass() {
        for n in (2..40_000).step_by(211).chain([1 << 20, 1 << 24, 3usize.pow(14), 2 * 7usize.pow(8), 2 * 7_891_499]) {
            for limits in [Limits::PORTABLE, Limits { points: 1024, threads: 128, ..Limits::PORTABLE }] {
                let plan = FftPlan::new(n, Input::Flux, Precision::Single, &limits).unwrap();
                let whole = if plan.chirped() { n % 2 == 1 && plan.passes() > 2 } else { plan.passes() > 1 };
                assert_eq!(plan.last_pass().is_some(), whole, "{n}");
                let columns = |len: usize| limits.points as usize / len;
                assert!(plan.last_pass().is_none_or(|last| columns(last.len) >= 4), "{n}");
            }
        }
    }
}

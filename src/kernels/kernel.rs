//! What the table of kernels says of each.

use super::case::{CaseData, CaseShape, KernelCase};
use super::limits::Limits;
use super::shader::Shader;

/// One kernel: its shaders, and how to try it.
pub struct Kernel {
    /// Stem of its files.
    pub name: &'static str,
    /// Every shader in every variant.
    pub shaders: &'static [&'static Shader],
    /// Variants that a case can take; one test each.
    pub variants: &'static [&'static str],
    /// True when variant `i` needs native f64.
    pub needs_f64: fn(variant: usize) -> bool,
    /// Shapes worth testing on a device: 0, 1, odd, prime, around a workgroup's size, more than one dispatch.
    pub shapes: fn(limits: &Limits) -> Vec<CaseShape>,
    /// What of it is worth timing.
    pub timed: Timed,
    /// Makes one test case.
    pub case: fn(variant: usize, shape: CaseShape, data: CaseData, seed: u64) -> Box<dyn KernelCase>,
}

/// Which cases of a kernel are worth timing, and what bounds their time.
#[derive(Clone, Copy)]
pub struct Timed {
    /// Bins of a segment: in one workgroup, in several passes, by convolution; none for a kernel that is among the rates.
    pub lengths: &'static [usize],
    /// The same where time is short.
    pub quick: &'static [usize],
    /// Bins for each event.
    pub bins_an_event: usize,
    /// Floating-point operations of a case; 0 where others bound its time.
    pub operations: fn(CaseShape) -> f64,
}

impl Timed {
    /// Segments of 4096 bins, an event a bin, bounded by what moves.
    pub const ONE_LENGTH: Timed = Timed { lengths: &[4096], quick: &[4096], bins_an_event: 1, operations: |_| 0.0 };
}

/// Floating-point operations of transforms of real input, by the usual count, `2.5·n·log₂n` a row.
pub(super) fn transform_operations(shape: CaseShape) -> f64 {
    let n = shape.n as f64;
    2.5 * n * n.log2() * shape.rows as f64
}

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
    /// Variants that a trial can take; one test each.
    pub variants: &'static [&'static str],
    /// True when variant `i` needs native f64.
    pub needs_f64: fn(variant: usize) -> bool,
    /// Shapes worth testing on a device: 0, 1, odd, prime, around a workgroup's size, more than one dispatch.
    pub shapes: fn(limits: &Limits) -> Vec<CaseShape>,
    /// Makes one test case.
    pub trial: fn(variant: usize, shape: CaseShape, data: CaseData, seed: u64) -> Box<dyn KernelCase>,
}

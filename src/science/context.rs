//! What products of segments are told beside their sums.

use crate::data::Record;

/// The segments that sums are of, and what made them.
#[derive(Clone, Debug, Default)]
pub(crate) struct SpectrumContext {
    /// Number of bins in a segment.
    pub n: usize,
    /// Bin width, s.
    pub dt: f64,
    /// Length of a segment, s.
    pub segment_size: f64,
    /// Errors, laws and coherences of Stingray 2.3.2, for comparisons; see [`COMPAT_RULES`].
    pub compat_stingray: bool,
    /// What made the product.
    pub record: Record,
}

/// What products say of the rules of Stingray 2.3.2, where they were asked for.
pub(crate) const COMPAT_RULES: &str = "errors and laws of Stingray 2.3.2: every segment counts as one whatever its rate, a rebinned bin has the error P/sqrt(m)";

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
    /// What made the product.
    pub record: Record,
}

//! The pieces in which the work of a plan is handed to a device.

use std::ops::Range;

/// Whole runs of segments, and of each input the rows that hold their events, and those of the gap behind each segment.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Unit {
    /// Its place among the units of the plan.
    pub number: usize,
    /// Absolute indices of its segments; none where rows lie far from every segment.
    pub segments: Range<u64>,
    /// Rows of each input of the plan.
    pub rows: Vec<Range<usize>>,
}

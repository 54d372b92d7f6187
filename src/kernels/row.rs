//! The rows of a batch as all shaders read them.

use super::shader::shared_struct;
use crate::base::time::DoubleDouble;

/// What the rows of a batch hold.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Input {
    /// Times of events, to be binned.
    Events,
    /// Flux samples, mean subtracted.
    Flux,
}

shared_struct! {
    /// One segment of a batch, as all shaders read it.
    DeviceSegment as "Row" {
        /// Bits of the start's high part, f64, s.
        start_hi: u64,
        /// Bits of its low part.
        start_lo: u64,
        /// Place of its first event; the next row's if it has none.
        begin: u32,
        /// Events of the segment, in this batch and in earlier ones of the group.
        events: u32,
        /// 1 for a segment that counts, 0 for one that is skipped.
        include: f32,
        /// What is subtracted from its counts; see [`centre`].
        mean: f32,
    }
}

impl DeviceSegment {
    /// The row of a segment of `n` bins that starts at `start`, whose events begin at `begin`, and that has `events` so far.
    pub fn new(start: DoubleDouble, begin: usize, events: u64, n: usize) -> DeviceSegment {
        DeviceSegment {
            start_hi: start.hi.to_bits(),
            start_lo: start.lo.to_bits(),
            begin: begin as u32,
            events: events as u32,
            include: 1.0,
            mean: centre(events as f64 / n as f64),
        }
    }
}

/// The mean that is subtracted from counts on a device: `mean` with 20 significant bits, so that the differences of counts to
/// eight times the mean are exact. Rounded ones would err alike in all bins of as many counts.
pub fn centre(mean: f64) -> f32 {
    f32::from_bits((mean as f32).to_bits() & !15)
}

//! Units as a device pulls them, in the form that it takes.

use std::ops::Range;

use super::capabilities::BatchLimits;
use crate::base::error::Result;
use crate::base::sums::PartialSums;
use crate::base::time::DoubleDouble;
use crate::data::EventBalance;
use crate::io::raw_rows::RawRows;
use crate::io::{RowRangeScan, TimeScan};
use crate::segment::plan::Segment;
use crate::segment::{SegmentBatch, Unit};

/// The units of a plan, shared by the threads of a device. Each is pulled once, in one of three forms: [`Units::rows`],
/// [`Units::times`] or [`Units::batches`]; its sums are given by [`Units::add`], and it ends with [`Units::done`].
pub trait Units: Sync {
    /// Number of units.
    fn count(&self) -> usize;
    /// The unit at a place below the count; `None` once no more is wanted.
    fn unit(&self, place: usize) -> Option<&Unit>;
    /// True where times come one after the other, in memory or sorted: one unit, which one thread pulls. Rows cannot be had then.
    fn in_sequence(&self) -> bool;
    /// Place and edges of a segment in the clock of an input; `None` where the input has no part in it.
    fn segment(&self, input: usize, index: u64) -> Option<Segment>;
    /// Bytes of a row of an input.
    fn row_bytes(&self, input: usize) -> usize;
    /// The first of some rows of an input whose time is not below `edge`; `None` where a search does not find it.
    ///
    /// # Errors
    /// The file cannot be read.
    fn first_row_at(&self, input: usize, edge: f64, rows: Range<usize>) -> Result<Option<usize>>;
    /// Reads the rows of a unit, decodes and selects, and gives the times of its segments to `work`.
    ///
    /// # Errors
    /// The file cannot be read; those of `work`.
    fn times(&self, unit: &Unit, work: &mut dyn FnMut(&mut dyn SegmentTimes) -> Result<()>) -> Result<UnitFindings>;
    /// Gives the rows of a unit to `work` as they are stored, of each input that has some, with what is to be said of them filled in by
    /// `work`.
    ///
    /// # Errors
    /// Units in sequence; the file cannot be read; those of `work`.
    fn rows(&self, unit: &Unit, work: &mut dyn FnMut(&mut [UnitRows]) -> Result<()>) -> Result<UnitFindings>;
    /// Reads a unit and gives its segments to `take` in batches of at most this size.
    ///
    /// # Errors
    /// The file cannot be read; those of `take`.
    fn batches(
        &self,
        unit: &Unit,
        limits: BatchLimits,
        take: &mut dyn FnMut(SegmentBatch) -> Result<()>,
    ) -> Result<UnitFindings>;
    /// Takes the sums of whole runs: those of a unit at once, or as they come where units are in sequence.
    fn add(&self, sums: PartialSums);
    /// Ends a unit.
    fn done(&self, unit: &Unit, findings: Result<UnitFindings>);
}

/// Sorted times of the segments of a unit.
pub trait SegmentTimes {
    /// Calls `look` with the times of a segment in pieces, each with its series and the start of the segment in the clock of the times.
    /// Segments are asked for in ascending order, each once. False once times have turned out to be out of order: nothing of the unit
    /// counts then.
    ///
    /// # Errors
    /// The file cannot be read; the run was cancelled.
    fn segment(&mut self, index: u64, look: &mut dyn FnMut(usize, &[f64], DoubleDouble)) -> Result<bool>;
}

/// Rows of one input in a unit, and what the device says of them.
pub struct UnitRows<'a> {
    /// The input.
    pub input: usize,
    /// The series that its bands are.
    pub series: Range<usize>,
    /// Whether the photons of each band count for themselves in the balance.
    pub counted: Vec<bool>,
    /// Good time intervals as edges of raw times: a time is inside from the first up to the second.
    pub intervals: &'a [(f64, f64)],
    /// The rows.
    pub rows: RawRows<'a>,
    /// To be filled in.
    pub seen: RowsSeen,
}

/// What a device found in rows.
#[derive(Clone, Debug, PartialEq)]
pub struct RowsSeen {
    /// What became of the rows, without photons that segments have: `outside_gti` and `outside_segments` count times in each band that
    /// counts.
    pub balance: EventBalance,
    /// Facts about all times.
    pub times: TimeScan,
    /// The first and the last time that is finite, in the order of rows.
    pub ends: Option<(f64, f64)>,
}

impl Default for RowsSeen {
    fn default() -> RowsSeen {
        let times = TimeScan { sorted: true, first: f64::INFINITY, last: f64::NEG_INFINITY, not_finite: 0 };
        RowsSeen { balance: EventBalance::default(), times, ends: None }
    }
}

/// What became known from reading a unit, beside its sums.
#[derive(Debug, Default)]
pub struct UnitFindings {
    /// The readers' part of the balance.
    pub(crate) balance: EventBalance,
    /// What rows tell of the file that they are in, by input.
    pub(crate) parts: Vec<(usize, RowRangeScan)>,
    /// Times turned out to be out of order.
    pub(crate) disorder: bool,
}

impl UnitFindings {
    /// Adds what another part of the same unit told.
    pub fn add(&mut self, other: UnitFindings) {
        self.balance.add(&other.balance);
        self.parts.extend(other.parts);
        self.disorder |= other.disorder;
    }
}

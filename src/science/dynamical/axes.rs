//! The rows and columns of a dynamical spectrum.

use serde::Serialize;

use crate::science::rebin::Rebin;

/// How segments become rows.
#[derive(Clone, Copy, Debug, Default, PartialEq, Serialize)]
pub struct TimeRebin {
    /// Neighbouring segments averaged in a row; a bin begins anew after each gap.
    #[serde(rename = "rebin_time")]
    pub rebin: Rebin,
    /// Average over gaps, too: segments are neighbours whatever is between them.
    pub across_gaps: bool,
}

/// The axes of a matrix, time × frequency.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Axes {
    /// Mean of the centres of a row's segments, s of the frame.
    pub time: Vec<f64>,
    /// Start of its first segment, s.
    pub start: Vec<f64>,
    /// End of its last segment, s.
    pub stop: Vec<f64>,
    /// Segments averaged in it.
    pub segments: Vec<u64>,
    /// Mean rate, background included, counts/s; of a cross spectrum, of both channels together.
    pub rate: Vec<f64>,
    /// Frequency, Hz: the mean of the averaged bins' centres.
    pub freq: Vec<f64>,
    /// Width of the bin, Hz.
    pub df: Vec<f64>,
    /// Original frequencies averaged in it.
    pub frequencies: Vec<u64>,
}

impl Axes {
    /// Values averaged in a cell.
    pub fn values(&self, row: usize, column: usize) -> u64 {
        self.segments[row] * self.frequencies[column]
    }

    /// Number of rows and of columns.
    pub fn shape(&self) -> (usize, usize) {
        (self.time.len(), self.freq.len())
    }
}

//! The rows and columns of a dynamical spectrum.

use serde::Serialize;

use crate::science::rebin::Rebin;

/// How many consecutive segments are averaged into one row (time bin) of a dynamical spectrum.
#[derive(Clone, Copy, Debug, Default, PartialEq, Serialize)]
pub struct TimeRebin {
    /// Segments that make a row: as for frequencies, but counted in segments. A row ends at a gap unless `across_gaps`.
    #[serde(rename = "rebin_time")]
    pub rebin: Rebin,
    /// True: a row may reach over a gap, as if the segments on both sides were consecutive.
    pub across_gaps: bool,
}

/// Times (rows) and frequencies (columns) of a dynamical spectrum. The matrices are row-major: all frequencies of the
/// first time come first.
#[derive(Clone, Debug, Default, PartialEq)]
#[non_exhaustive]
pub struct Axes {
    /// Time of each row, seconds of the frame: the mean of the centres of its segments.
    pub time: Vec<f64>,
    /// Start of the first segment of each row, seconds of the frame.
    pub start: Vec<f64>,
    /// End of the last segment of each row, seconds of the frame.
    pub stop: Vec<f64>,
    /// Number of segments averaged in each row.
    pub segments: Vec<u64>,
    /// How many segments of equal weight those of each row are worth; for a cross spectrum, the geometric mean of subject and reference.
    pub m_eff: Vec<f64>,
    /// Mean rate of each row, counts/s, background included; for a cross spectrum, of subject and reference together.
    pub rate: Vec<f64>,
    /// Frequency of each column, Hz: the mean of the averaged frequencies.
    pub freq: Vec<f64>,
    /// Width of the frequency bin of each column, Hz.
    pub width: Vec<f64>,
    /// Number of original frequencies averaged in each column.
    pub frequencies: Vec<u64>,
}

impl Axes {
    /// Number of values averaged in a cell: segments of the row times original frequencies of the column.
    pub fn values(&self, row: usize, column: usize) -> u64 {
        self.segments[row] * self.frequencies[column]
    }

    /// How many values of equal weight a cell is worth.
    pub(super) fn worth(&self, row: usize, column: usize) -> f64 {
        self.m_eff[row] * self.frequencies[column] as f64
    }

    /// Number of rows and of columns.
    pub fn shape(&self) -> (usize, usize) {
        (self.time.len(), self.freq.len())
    }
}

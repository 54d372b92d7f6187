//! Columns of a light curve between a file and the light curve itself.

/// Columns of a binned series as found in a file, in its own units.
#[derive(Default)]
pub(super) struct RawLightCurve {
    /// What rows are called in messages, and the number of the first.
    pub row: (&'static str, Vec<usize>),
    /// Seconds, before the offset of the clock.
    pub time: Vec<f64>,
    /// Counts a bin.
    pub counts: Option<Vec<f64>>,
    /// Counts/s.
    pub rate: Option<Vec<f64>>,
    /// Errors of the counts or, without counts, of the rates.
    pub error: Option<Vec<f64>>,
    /// Part of the bin that was exposed.
    pub fracexp: Option<Vec<f64>>,
}

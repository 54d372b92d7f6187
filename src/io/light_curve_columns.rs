//! Columns of a light curve between a file and the light curve itself.

use crate::base::footprint::Footprint;

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
    /// Exposure of a bin, s.
    pub exposure: Option<Vec<f64>>,
    /// Width of a bin, s.
    pub width: Option<Vec<f64>>,
}

/// Memory of a light curve while it is read: of each row the columns of the file, its number and its place on the grid, and the six columns of
/// the light curve.
pub(super) fn footprint(rows: u64, columns: usize) -> Footprint {
    Footprint::default().and(rows, (columns + 2 + 6) * size_of::<f64>())
}

impl RawLightCurve {
    /// Columns that were taken for rate, error and another one are half widths, rate and error.
    pub fn take_half_widths(&mut self, last: Vec<f64>) {
        let widths = self.rate.take().map(|half| half.into_iter().map(|half| 2.0 * half).collect());
        self.rate = self.error.replace(last);
        self.width = widths;
    }

    /// Leaves out rows whose time is not finite; how many there are.
    pub fn drop_timeless(&mut self) -> u64 {
        let kept: Vec<bool> = self.time.iter().map(|t| t.is_finite()).collect();
        let dropped = kept.iter().filter(|kept| !**kept).count() as u64;
        if dropped == 0 {
            return 0;
        }
        let columns = [
            Some(&mut self.time),
            self.counts.as_mut(),
            self.rate.as_mut(),
            self.error.as_mut(),
            self.fracexp.as_mut(),
            self.exposure.as_mut(),
            self.width.as_mut(),
        ];
        for column in columns.into_iter().flatten() {
            let mut rows = kept.iter();
            column.retain(|_| rows.next().copied().unwrap_or(true));
        }
        let mut rows = kept.iter();
        self.row.1.retain(|_| rows.next().copied().unwrap_or(true));
        dropped
    }

    /// The width that all rows give, s.
    ///
    /// # Errors
    /// A row with another width than the first: its place, and both.
    pub fn one_width(&self) -> Result<Option<f64>, (usize, f64, f64)> {
        let Some((first, rest)) = self.width.as_ref().and_then(|widths| widths.split_first()) else { return Ok(None) };
        match rest.iter().position(|width| (width / first - 1.0).abs() > 1e-6 || width.is_nan() != first.is_nan()) {
            Some(i) => Err((i + 1, rest.get(i).copied().unwrap_or(f64::NAN), *first)),
            None => Ok(Some(*first).filter(|width| *width > 0.0)),
        }
    }
}

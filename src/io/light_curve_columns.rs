//! Columns of a light curve between a file and the light curve itself.

use crate::base::footprint::Footprint;
use crate::data::light_curve::counting_error;

/// Columns of a binned series as found in a file, in its own units.
#[derive(Default)]
pub(super) struct RawLightCurve {
    /// What rows are called in messages, and the number of each.
    pub row: (&'static str, Vec<usize>),
    /// Seconds, before the offset of the clock.
    pub time: Vec<f64>,
    /// Counts a bin.
    pub counts: Option<Vec<f64>>,
    /// Counts/s.
    pub rate: Option<Vec<f64>>,
    /// Errors of the counts or, without counts, of the rates.
    pub error: Option<Vec<f64>>,
    /// Errors of the rates beside counts, which have errors of counting.
    pub rate_error: Option<Vec<f64>>,
    /// Part of the bin that was exposed.
    pub fracexp: Option<Vec<f64>>,
    /// Exposure of a bin, s.
    pub exposure: Option<Vec<f64>>,
    /// Width of a bin, s.
    pub width: Option<Vec<f64>>,
}

/// What the columns say of one bin.
#[derive(Clone, Copy)]
pub(super) struct RawBin {
    /// Counts, or rates times exposure; NaN where there is none.
    pub counts: f64,
    /// Counts/s of exposure.
    pub rate: f64,
    /// Standard error of the rate, if a column has it.
    pub error: Option<f64>,
    /// Part of the bin that was exposed, if a column says so.
    pub part: Option<f64>,
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

    /// The name of a row in messages.
    pub fn place(&self, i: usize) -> String {
        format!("{} {}", self.row.0, self.row.1.get(i).unwrap_or(&i))
    }

    /// The rows of these numbers, in their order.
    fn rows(&self, rows: &[usize]) -> RawLightCurve {
        fn chosen<T: Copy>(column: &[T], rows: &[usize]) -> Vec<T> {
            rows.iter().filter_map(|&i| column.get(i).copied()).collect()
        }
        let of = |column: &Option<Vec<f64>>| column.as_ref().map(|column| chosen(column, rows));
        RawLightCurve {
            row: (self.row.0, chosen(&self.row.1, rows)),
            time: chosen(&self.time, rows),
            counts: of(&self.counts),
            rate: of(&self.rate),
            error: of(&self.error),
            rate_error: of(&self.rate_error),
            fracexp: of(&self.fracexp),
            exposure: of(&self.exposure),
            width: of(&self.width),
        }
    }

    /// Takes out the rows whose time is not finite.
    pub fn take_timeless(&mut self) -> RawLightCurve {
        let (finite, other): (Vec<usize>, Vec<usize>) =
            (0..self.time.len()).partition(|&i| self.time.get(i).is_some_and(|t| t.is_finite()));
        let taken = self.rows(&other);
        if !other.is_empty() {
            *self = self.rows(&finite);
        }
        taken
    }

    /// Brings the rows in order of time; the place of the first that was out of order, if one was.
    pub fn sort(&mut self) -> Option<String> {
        let early = self.time.iter().zip(self.time.iter().skip(1)).position(|(before, t)| t < before)?;
        let place = self.place(early + 1);
        let mut order: Vec<(f64, usize)> = self.time.iter().copied().zip(0..).collect();
        order.sort_by(|a, b| a.0.total_cmp(&b.0));
        *self = self.rows(&order.into_iter().map(|(_, i)| i).collect::<Vec<_>>());
        Some(place)
    }

    /// Of columns that this program wrote: takes rates, with their errors if there are some, for what was meant, unless the errors are those of counting.
    pub fn take_rates(&mut self, dt: f64) {
        let (Some(counts), Some(errors), Some(_)) = (&self.counts, &self.rate_error, &self.rate) else { return };
        let of_counting = |(i, (&counts, &error)): (usize, (&f64, &f64))| {
            let part = self.fracexp.as_ref().and_then(|parts| parts.get(i).copied()).unwrap_or(1.0);
            (error * dt * part / counting_error(counts) - 1.0).abs() < SAME_WIDTH
        };
        if counts.iter().zip(errors).enumerate().all(of_counting) {
            return;
        }
        self.counts = None;
        self.error = self.rate_error.take().filter(|errors| errors.iter().any(|error| error.is_finite()));
    }

    /// The usual width of the bins, s: the median of what rows say; `None` if they say nothing.
    ///
    /// # Errors
    /// A row whose width is no number above 0, or larger than the usual one: its place, its width, and the usual one.
    pub fn usual_width(&self) -> Result<Option<f64>, (String, f64, f64)> {
        let Some(widths) = &self.width else { return Ok(None) };
        let mut known: Vec<f64> = widths.iter().copied().filter(|width| *width > 0.0).collect();
        if known.is_empty() {
            return Ok(None);
        }
        let middle = known.len() / 2;
        let usual = *known.select_nth_unstable_by(middle, f64::total_cmp).1;
        let fits = |width: &f64| *width > 0.0 && *width <= usual * (1.0 + SAME_WIDTH);
        match widths.iter().position(|width| !fits(width)) {
            Some(i) => Err((self.place(i), widths.get(i).copied().unwrap_or(f64::NAN), usual)),
            None => Ok(Some(usual)),
        }
    }

    /// Makes bins that are shorter than `dt`, and lie inside one bin of the grid of the others, bins of that grid with a smaller exposure. `stamp` is the place of the
    /// stamp in a bin, as a part of it.
    ///
    /// # Errors
    /// A row whose bin does not lie inside one bin of the grid: its place and its width.
    pub fn fill_up(&mut self, dt: f64, stamp: f64) -> Result<(), (String, f64)> {
        let Some(widths) = self.width.take() else { return Ok(()) };
        let is_short = |width: f64| width < dt * (1.0 - SAME_WIDTH);
        let Some(anchor) = widths.iter().position(|&width| !is_short(width)).and_then(|i| self.time.get(i).copied())
        else {
            return Ok(());
        };
        for (i, &width) in widths.iter().enumerate().filter(|(_, width)| is_short(**width)) {
            let place = self.place(i);
            let Some(time) = self.time.get_mut(i) else { continue };
            // Edges of the short bin, in bins of the grid from the left edge of the anchor's bin on.
            let left = ((*time - stamp * width) - (anchor - stamp * dt)) / dt;
            let bin = (left + SLACK).floor();
            if left + width / dt > bin + 1.0 + SLACK {
                return Err((place, width));
            }
            *time = anchor + bin * dt;
            // An exposure in seconds is that of whatever bin.
            if self.exposure.is_none() || self.fracexp.is_some() {
                let all = self.fracexp.get_or_insert_with(|| vec![1.0; widths.len()]);
                if let Some(part) = all.get_mut(i) {
                    *part *= width / dt;
                }
            }
        }
        Ok(())
    }

    /// What the columns say of a row; `part` of the bin was exposed if they do not say it.
    pub fn bin(&self, i: usize, dt: f64, part: f64) -> RawBin {
        let at = |column: &Option<Vec<f64>>| column.as_ref().and_then(|column| column.get(i).copied());
        let known = at(&self.fracexp).or_else(|| at(&self.exposure).map(|exposed| exposed / dt));
        RawBin { part: known, ..self.exposed_bin(i, dt * known.unwrap_or(part)) }
    }

    /// What the columns say of a row whose bin was exposed for so many seconds.
    pub fn exposed_bin(&self, i: usize, exposed: f64) -> RawBin {
        let at = |column: &Option<Vec<f64>>| column.as_ref().and_then(|column| column.get(i).copied());
        let (counts, rate, error) = match (at(&self.counts), at(&self.rate)) {
            // With counts, the error is theirs.
            (Some(counts), _) => (counts, counts / exposed, at(&self.error).map(|e| e / exposed)),
            (None, Some(rate)) => (rate * exposed, rate, at(&self.error)),
            (None, None) => (f64::NAN, f64::NAN, None),
        };
        RawBin { counts, rate, error, part: None }
    }
}

/// Part by which widths of bins may differ and still be one.
const SAME_WIDTH: f64 = 1e-6;
/// Part of a bin by which a short bin may reach over the edges of a bin of the grid, for times are rounded.
const SLACK: f64 = 1e-3;

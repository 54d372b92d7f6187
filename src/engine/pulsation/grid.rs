//! The trials of a search: equidistant frequencies, in one row for each pair of derivatives.

use super::harmonics::MOST_TRIALS;
use super::search_options::{Algorithm, SearchOptions};
use super::search_result::MAP_COLUMNS;
use crate::base::error::{Error, Result};
use crate::base::footprint::Footprint;
use crate::base::mend::Mend;
use crate::data::phase::{Ephemeris, Spin};
use crate::engine::PulseEvents;
use crate::science::statistics::pulse::{NullDistribution, TrialLaw};

/// The most frequencies of a row.
const MOST_FREQUENCIES: f64 = (1u64 << 28) as f64;
/// The most rows.
const MOST_ROWS: f64 = (1u64 << 20) as f64;
/// Values that are held of each frequency while trials are made.
const BEST_COLUMNS: usize = 6;
/// Columns of what was found at each frequency, and what candidates are chosen by.
const COLUMNS: usize = 7;
/// Events times trials of a piece that is folded.
const FOLD_PIECE_WORK: usize = 1 << 29;
/// Events that take as long as the exposure of the phases by one good time interval.
const EVENTS_AN_INTERVAL: usize = 64;
/// Fewest trials of a piece that is folded, where events take the time, and where intervals do.
const FEWEST_TRIALS: [usize; 2] = [512, 16];

/// The trials of a search: equidistant frequencies, in one row for each pair of derivatives; all at the epoch. With the
/// length `T` of the observation and the oversampling `K` the steps are `1/KT` (Hz), `8/KT²` (Hz/s) and `60/KT³`
/// (Hz/s²). Half a step of the frequency changes the phase at the ends of the observation by `1/4K` cycle; half a step
/// of either derivative, at the best frequency, by at most `1/2K`. For harmonic `h` it is `h` times that.
#[derive(Clone, Debug)]
#[non_exhaustive]
pub struct TrialGrid {
    /// Number of frequencies in a row.
    pub frequencies: usize,
    /// Step of the frequency, Hz.
    pub df: f64,
    /// First and second derivative of each row, Hz/s and Hz/s².
    pub rows: Vec<[f64; 2]>,
    /// Step of the first derivative, Hz/s; 0 if there is only one.
    pub dfdot: f64,
    /// Step of the second derivative, Hz/s²; 0 if there is only one.
    pub dfddot: f64,
    /// Lowest and highest frequency (Hz), first derivative (Hz/s) and second (Hz/s²) that were asked for; both 0 where a derivative was
    /// not. Candidates stay inside.
    pub ranges: [(f64, f64); 3],
    /// Step of the frequency in fixed point, as phases are computed with.
    pub step: Spin,
    starts: Vec<Spin>,
}

/// Memory of what is found at so many frequencies, with so many rows of derivatives: of each frequency its best trials while they are sought,
/// and [`COLUMNS`] columns; of each row its phases, and its cells of the map.
fn footprint(frequencies: u64, rows: u64) -> Footprint {
    let mapped = if rows > 1 { rows * frequencies.min(MAP_COLUMNS as u64) } else { 0 };
    Footprint::less_by(&["freq", "fdot", "oversample"])
        .and(frequencies, (BEST_COLUMNS + COLUMNS) * size_of::<f64>())
        .and(rows, 4 * size_of::<Spin>())
        .and(mapped, 2 * size_of::<f64>())
}

impl TrialGrid {
    /// Refuses a search that holds values of every frequency where there is less memory.
    ///
    /// # Errors
    /// [`Error::Memory`].
    pub(super) fn check_memory(&self) -> Result<()> {
        let (trials, rows) = (self.frequencies as u64, self.rows.len() as u64);
        footprint(trials, rows).check(&format!("the search of {trials} frequencies"))
    }

    /// The grid for the ranges that `options` ask for.
    ///
    /// # Errors
    /// A range that is empty or has too many trials, or frequencies beyond the range of exact phases.
    pub fn new(events: &PulseEvents, options: &SearchOptions) -> Result<TrialGrid> {
        let (lo, hi) = options.freq;
        let (span, oversample) = (events.span, options.oversampling());
        let refuse =
            |field: &str, (lo, hi): (f64, f64), message: String| Error::argument(field, format!("{lo}:{hi}"), message);
        if !(lo > 0.0 && hi > lo && hi.is_finite()) {
            return Err(refuse("freq", options.freq, "must be two frequencies above 0 Hz, the lower one first".into()));
        }
        if !(oversample >= 1.0 && oversample.is_finite()) {
            return Err(Error::argument("oversample", oversample, "must be at least 1"));
        }
        // Smaller than a tick's worth, a step would be rounded visibly.
        let ticks = &events.ticks;
        let step = Spin::from_frequency(1.0 / (oversample * span), ticks)?;
        let df = step.freq(ticks).value();
        let frequencies = ((hi - lo) / df).floor() + 1.0;
        if frequencies > MOST_FREQUENCIES {
            let message = format!("makes {frequencies} trials of {df} Hz each; the most is {MOST_FREQUENCIES}");
            let mend = [Mend::field("freq"), Mend::field("oversample")];
            return Err(refuse("freq", options.freq, message).mended_by(mend));
        }
        let values = |field: &str, range: Option<(f64, f64)>, step: f64| match range {
            None => Ok((vec![0.0], 0.0)),
            Some((lo, hi)) if lo.is_finite() && hi.is_finite() && lo <= hi => {
                let count = ((hi - lo) / step).floor() + 1.0;
                if count > MOST_ROWS {
                    return Err(refuse(
                        field,
                        (lo, hi),
                        format!("makes {count} steps of {step}; the most is {MOST_ROWS}"),
                    ));
                }
                // Centred, so that what is left over is so on both ends.
                let first = 0.5 * (lo + hi - (count - 1.0) * step);
                let values = (0..count as u64).map(|i| first + i as f64 * step).collect();
                Ok((values, if count > 1.0 { step } else { 0.0 }))
            }
            Some(range) => Err(refuse(field, range, "must be two numbers, the lower one first".into())),
        };
        let (fdots, dfdot) = values("fdot", options.fdot, 8.0 / (oversample * span * span))?;
        let (fddots, dfddot) = values("fddot", options.fddot, 60.0 / (oversample * span.powi(3)))?;
        if fdots.len() as f64 * fddots.len() as f64 > MOST_ROWS {
            return Err(Error::argument(
                "fddot",
                fddots.len(),
                format!("times {} first derivatives are too many", fdots.len()),
            ));
        }
        let rows: Vec<[f64; 2]> = fddots.iter().flat_map(|&b| fdots.iter().map(move |&a| [a, b])).collect();
        let start = |&[fdot, fddot]: &[f64; 2]| Spin::new(&Ephemeris::new(ticks.reference(), lo, fdot, fddot), ticks);
        let starts = rows.iter().map(start).collect::<Result<Vec<_>>>()?;
        // The last frequency must be one, too.
        Spin::from_frequency(hi, ticks)?;
        let ranges = [options.freq, options.fdot.unwrap_or_default(), options.fddot.unwrap_or_default()];
        Ok(TrialGrid { frequencies: frequencies as usize, df, rows, dfdot, dfddot, ranges, step, starts })
    }

    /// The ephemeris of trial `j` of row `row`.
    pub fn spin(&self, row: usize, j: usize) -> Spin {
        self.starts.get(row).map_or_else(Spin::default, |start| start.stepped(&self.step, j as i64))
    }

    /// The null distribution of a search over this grid, for a statistic with the distribution `law`.
    pub fn null_distribution(&self, events: &PulseEvents, law: TrialLaw) -> NullDistribution {
        let ([deviation, curvature], rows) = (events.spreads(), self.rows.len() as f64);
        let steps = self.rows.last().zip(self.rows.first()).map_or(0.0, |(last, first)| last[0] - first[0]);
        let of_fdot = if self.dfdot > 0.0 { (steps / self.dfdot).round() + 1.0 } else { 1.0 };
        // All of it, for candidates are refined to its ends.
        let range = self.ranges[1].1 - self.ranges[1].0;
        let frequencies = self.frequencies as f64;
        let mut chances = NullDistribution::new(law, frequencies, (frequencies - 1.0) * self.df, deviation);
        (chances.plane, chances.drift, chances.planes) = (of_fdot * frequencies, range * curvature, rows / of_fdot);
        chances
    }

    /// Number of trials: rows times frequencies.
    pub fn trials(&self) -> u64 {
        self.frequencies as u64 * self.rows.len() as u64
    }
}

/// Consecutive frequencies of one row.
#[derive(Clone, Copy)]
pub(super) struct TrialRange {
    pub row: usize,
    pub first: usize,
    pub trials: usize,
}

/// The grid in pieces of about a quarter of a second of work, which progress is told of.
pub(super) fn pieces(grid: &TrialGrid, events: &PulseEvents, options: &SearchOptions) -> Vec<TrialRange> {
    let most = match options.algorithm {
        Algorithm::Fold => {
            let intervals = EVENTS_AN_INTERVAL * events.gti.len();
            let fewest = FEWEST_TRIALS[usize::from(intervals > FOLD_PIECE_WORK / FEWEST_TRIALS[0])];
            (FOLD_PIECE_WORK / (events.times.len() + intervals).max(1)).clamp(fewest, MOST_TRIALS)
        }
        Algorithm::Auto | Algorithm::Fft | Algorithm::Ffa => MOST_TRIALS,
    };
    // Equal ones, so that they share the tables of their transform.
    let most = grid.frequencies.div_ceil(grid.frequencies.div_ceil(most));
    let of_row = |row: usize| {
        let starts = (0..grid.frequencies).step_by(most);
        starts.map(move |first| TrialRange { row, first, trials: most.min(grid.frequencies - first) })
    };
    (0..grid.rows.len()).flat_map(of_row).collect()
}

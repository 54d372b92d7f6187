//! Light curves of events: read → count → rates, in memory bounded by the bins.

use super::{Combine, Events, Progress};
use crate::data::lightcurve::{Grid, LightCurve, LightCurveMeta, MOST_PLACES};
use crate::data::{Balance, Gti, Provenance};
use crate::error::{Error, Result};
use crate::kernels::bin_events::bin_of;
use crate::segment::plan::snap_to_frames;
use crate::warning::Warnings;

/// Bins of a light curve that defaults to a width.
const DEFAULT_BINS: f64 = 2048.0;
/// The most bins of one light curve: five columns of them fill 10 GiB.
const MOST_BINS: u64 = 1 << 28;

/// Options of a light curve.
#[derive(Clone, Debug, PartialEq, serde::Serialize)]
pub struct LightCurveOptions {
    /// Bin width, s; chosen when left out: a power of two that makes at most 2048 bins of the exposure, or the frame time.
    pub dt: Option<f64>,
    /// Several inputs: one after the other (`Average`), or simultaneous and summed (`Merge`).
    pub combine: Combine,
    /// Rows read at a time; changes no result, and is not recorded.
    #[serde(skip)]
    pub chunk_events: usize,
}

impl Default for LightCurveOptions {
    fn default() -> LightCurveOptions {
        LightCurveOptions { dt: None, combine: Combine::Average, chunk_events: super::CHUNK_EVENTS }
    }
}

/// The light curve of events: one grid for all inputs, which begins at the earliest good time; an event outside every
/// interval of its input is left out and counted. A bin at the end of an interval is exposed in part (`fracexp`).
///
/// An event of an interval is in bin `trunc((t − start)/dt)` of it, by the definition of the histogram of segments
/// ([`bin_of`]), kept to the bins that the interval reaches into.
///
/// # Errors
/// A bin width that is not positive or makes more than 2^28 bins; inputs that overlap without [`Combine::Merge`], or have no
/// time in common with it; reading fails.
pub fn light_curve_of_events(
    mut inputs: Vec<Events>,
    options: &LightCurveOptions,
    mut warnings: Warnings,
    progress: Progress,
) -> Result<LightCurve> {
    inputs.iter_mut().try_for_each(|input| input.prepare(&mut warnings))?;
    let gtis = super::combined_gtis(&inputs, options.combine, &mut warnings)?;
    let union = super::union_of(&inputs, &gtis, options.combine)?;
    let Some(&(origin, _)) = union.intervals().first() else {
        return Err(Error::argument("inputs", inputs.len(), "there is no good time, so there is no light curve"));
    };
    let grid = Grid { origin, dt: bin_width(&inputs, options, &union, &mut warnings)? };
    let mut columns = Columns::new(grid, &union)?;
    let mut photons = Balance::default();
    let provenance = super::source::describe(&inputs);
    for (input, gti) in inputs.into_iter().zip(&gtis) {
        columns.count(input, gti, options.chunk_events.max(1), &mut photons, progress)?;
    }
    let options = serde_json::to_value(options).unwrap_or_default();
    let provenance = Provenance { options, photons, warnings, ..provenance };
    let meta = LightCurveMeta { provenance, ..LightCurveMeta::default() };
    Ok(LightCurve::counted(grid, columns.bin, columns.counts, columns.fracexp, union, meta))
}

fn bin_width(inputs: &[Events], options: &LightCurveOptions, gti: &Gti, warnings: &mut Warnings) -> Result<f64> {
    let timedel = inputs.iter().map(|i| i.timedel).fold(0.0, f64::max);
    let dt = options.dt.unwrap_or_else(|| (gti.exposure() / DEFAULT_BINS).log2().ceil().exp2().max(timedel));
    if !(dt.is_finite() && dt > 0.0) {
        return Err(Error::argument("--dt", dt, "must be a positive number of seconds"));
    }
    let barycentred = inputs.iter().all(|i| i.barycentred);
    Ok(snap_to_frames(dt, timedel, barycentred, false, warnings))
}

/// The bins with exposure.
struct Columns {
    grid: Grid,
    bin: Vec<u64>,
    counts: Vec<f64>,
    fracexp: Vec<f64>,
}

impl Columns {
    fn new(grid: Grid, gti: &Gti) -> Result<Columns> {
        let ranges: Vec<_> = gti.intervals().iter().map(|&(a, b)| grid.bins(a, b)).collect();
        let total = ranges.iter().fold(0u64, |sum, r| sum.saturating_add(r.end - r.start));
        if ranges.iter().any(|r| r.end as f64 >= MOST_PLACES) {
            let message = "makes more bins than can be numbered between the first and the last good time";
            return Err(Error::argument("--dt", grid.dt, message));
        }
        if total > MOST_BINS {
            let message = format!("makes {total} bins of the good time; the most is {MOST_BINS}");
            return Err(Error::argument("--dt", grid.dt, message));
        }
        let mut columns = Columns { grid, bin: Vec::new(), counts: Vec::new(), fracexp: Vec::new() };
        for (range, &(start, stop)) in ranges.into_iter().zip(gti.intervals()) {
            for k in range {
                let part = grid.covered(k, start, stop);
                match columns.bin.last() {
                    // Two intervals can share a bin.
                    Some(&last) if last >= k => {
                        let at = columns.bin.len() - 1;
                        columns.fracexp[at] = (columns.fracexp[at] + part).min(1.0);
                    }
                    _ => {
                        columns.bin.push(k);
                        columns.fracexp.push(part);
                    }
                }
            }
        }
        columns.counts = vec![0.0; columns.bin.len()];
        Ok(columns)
    }

    /// Counts the events of one input that are in its intervals.
    fn count(
        &mut self,
        mut input: Events,
        gti: &Gti,
        chunk: usize,
        photons: &mut Balance,
        progress: &mut dyn FnMut(u64),
    ) -> Result<()> {
        let offset = input.offset;
        let mut intervals = gti.intervals().iter().map(|&(a, b)| {
            let range = self.grid.bins(a, b);
            let place = self.bin.partition_point(|&k| k < range.start);
            let base = self.grid.edge(range.start) - offset;
            ((a - offset).ceil_f64(), (b - offset).ceil_f64(), place, (range.end - range.start) as usize, base)
        });
        let delta = 1.0 / self.grid.dt;
        let mut current = intervals.next();
        let (mut used, mut outside, mut reported) = (0, 0, 0);
        let mut times = Vec::new();
        loop {
            times.clear();
            if !input.source.next_chunk(chunk, std::slice::from_mut(&mut times))? {
                break;
            }
            for &t in &times {
                while current.is_some_and(|(_, stop, ..)| t >= stop) {
                    current = intervals.next();
                }
                let Some((_, _, place, bins, base)) = current.filter(|(start, ..)| t >= *start) else {
                    outside += 1;
                    continue;
                };
                // Beyond either end by rounding only: the interval has the event.
                let bin = bin_of(t, base, delta, bins).unwrap_or(if t < base.hi { 0 } else { bins - 1 });
                self.counts[place + bin] += 1.0;
                used += 1;
            }
            let read = input.source.balance().read;
            progress(read - reported);
            reported = read;
        }
        let mut one = input.source.balance();
        (one.used, one.outside_gti) = (used, outside);
        photons.add(&one);
        Ok(())
    }
}

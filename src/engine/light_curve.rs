//! Light curves of events: read once → count → rates, in memory bounded by the bins.

use super::counts::{CountingOptions, each_kept, threads};
use super::options::Reading;
use super::{Combine, Events};
use crate::base::error::{Error, Result};
use crate::base::progress::Progress;
use crate::base::time::DoubleDouble;
use crate::base::warning::Warnings;
use crate::data::light_curve::{LightCurve, LightCurveMetadata, MOST_PLACES, TimeGrid};
use crate::data::{EventBalance, Gti, Record};
use crate::kernels::bin_events;
use crate::segment::plan::snap_to_frames;

/// Bins of a light curve that defaults to a width.
const DEFAULT_BINS: f64 = 2048.0;
/// The most bins of one light curve: five columns of them fill 10 GiB.
const MOST_BINS: u64 = 1 << 28;

/// Options of a light curve of events.
#[derive(Clone, Debug, PartialEq, serde::Serialize)]
pub struct LightCurveOptions {
    /// Bin width, s. `None`: a power of two that makes at most 2048 bins of the exposure, or the frame time.
    pub dt: Option<f64>,
    /// How several inputs make one light curve: observations at different times (`Average`), or simultaneous detectors
    /// that are summed (`Merge`).
    pub combine: Combine,
    /// Number of rows read at a time. It limits memory, changes no result and is not recorded.
    #[serde(skip)]
    pub chunk_events: usize,
}

impl Default for LightCurveOptions {
    fn default() -> LightCurveOptions {
        LightCurveOptions { dt: None, combine: Combine::Average, chunk_events: super::CHUNK_EVENTS }
    }
}

/// The light curve of events. All inputs share one grid, which begins at the earliest good time. Events outside every
/// interval of their input are left out, and counted in the balance. A bin at the end of an interval is exposed in part
/// ([`LightCurve::fracexp`]).
///
/// An event of an interval is in bin `trunc((t − start)/dt)` of it, by the same definition as in segments, kept to the
/// bins that the interval reaches into.
///
/// # Errors
/// A bin width that is not positive or makes more than 2^28 bins; inputs that overlap without [`Combine::Merge`], or
/// have no time in common with it; or a file cannot be read.
pub fn light_curve_of_events(
    mut inputs: Vec<Events>,
    options: &LightCurveOptions,
    mut warnings: Warnings,
    progress: &Progress,
) -> Result<LightCurve> {
    let gtis = super::combined_gtis(&inputs, options.combine, &mut warnings)?;
    let union = super::union_of(&inputs, &gtis, options.combine)?;
    let Some(&(origin, _)) = union.intervals().first() else {
        return Err(Error::argument("inputs", inputs.len(), "there is no good time, so there is no light curve"));
    };
    let grid = TimeGrid { origin, dt: bin_width(&inputs, options, &union, &mut warnings)? };
    let mut columns = ExposedBins::new(grid, &union)?;
    let mut photons = EventBalance::default();
    let reading = Reading { rows: options.chunk_events, progress };
    progress.begin(super::time_source::rows(&inputs));
    for (input, gti) in inputs.iter_mut().zip(&gtis) {
        columns.count(input, gti, reading, &mut photons)?;
    }
    inputs.iter_mut().try_for_each(|input| input.inspect(&mut warnings))?;
    let record = super::time_source::describe(&inputs);
    let options = serde_json::to_value(options).unwrap_or_default();
    let record = Record { device: super::each_segment::device(), options, photons, warnings, ..record };
    let meta = LightCurveMetadata { record, ..LightCurveMetadata::default() };
    Ok(LightCurve::from_counts(grid, columns.bin, columns.counts, columns.fracexp, union, meta))
}

fn bin_width(inputs: &[Events], options: &LightCurveOptions, gti: &Gti, warnings: &mut Warnings) -> Result<f64> {
    let timedel = inputs.iter().map(|i| i.timedel).fold(0.0, f64::max);
    let dt = options.dt.unwrap_or_else(|| (gti.exposure() / DEFAULT_BINS).log2().ceil().exp2().max(timedel));
    if !(dt.is_finite() && dt > 0.0) {
        return Err(Error::argument("dt", dt, "must be a positive number of seconds"));
    }
    let barycentred = inputs.iter().all(|i| i.barycentred);
    Ok(snap_to_frames(dt, timedel, barycentred, false, warnings))
}

/// The bins with exposure.
struct ExposedBins {
    grid: TimeGrid,
    bin: Vec<u64>,
    counts: Vec<f64>,
    fracexp: Vec<f64>,
}

impl ExposedBins {
    fn new(grid: TimeGrid, gti: &Gti) -> Result<ExposedBins> {
        let ranges: Vec<_> = gti.intervals().iter().map(|&(a, b)| grid.bins(a, b)).collect();
        let total = ranges.iter().fold(0u64, |sum, r| sum.saturating_add(r.end - r.start));
        if ranges.iter().any(|r| r.end as f64 >= MOST_PLACES) {
            let message = "makes more bins than can be numbered between the first and the last good time";
            return Err(Error::argument("dt", grid.dt, message));
        }
        if total > MOST_BINS {
            let message = format!("makes {total} bins of the good time; the most is {MOST_BINS}");
            return Err(Error::argument("dt", grid.dt, message));
        }
        let mut columns = ExposedBins { grid, bin: Vec::new(), counts: Vec::new(), fracexp: Vec::new() };
        for (range, &(start, stop)) in ranges.into_iter().zip(gti.intervals()) {
            for k in range {
                let part = grid.covered_fraction(k, start, stop);
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

    /// Counts the events of one input that are in its intervals, in any order.
    fn count(&mut self, input: &mut Events, gti: &Gti, reading: Reading, photons: &mut EventBalance) -> Result<()> {
        let intervals = BinnedIntervals { list: self.intervals(gti, input.offset), delta: 1.0 / self.grid.dt };
        let bins = self.bin.len();
        let way = CountingOptions { values: false, threads: threads(bins * size_of::<f64>()) };
        let fresh = || LightCurveCounts {
            counts: vec![0.0; bins],
            used: 0,
            outside: 0,
            last: bin_events::LastEventTable::default(),
        };
        let (found, mut balance) =
            each_kept(input, &way, reading, fresh, |found, kept| intervals.count(kept.times, found))?;
        for one in found {
            self.counts.iter_mut().zip(&one.counts).for_each(|(all, own)| *all += own);
            balance.used += one.used;
            balance.outside_gti += one.outside;
        }
        photons.add(&balance);
        Ok(())
    }

    /// The bins of each interval.
    fn intervals(&self, gti: &Gti, offset: DoubleDouble) -> Vec<BinnedInterval> {
        let one = |&(a, b): &(DoubleDouble, DoubleDouble)| {
            let range = self.grid.bins(a, b);
            BinnedInterval {
                start: (a - offset).ceil_f64(),
                stop: (b - offset).ceil_f64(),
                place: self.bin.partition_point(|&k| k < range.start),
                bins: (range.end - range.start) as usize,
                base: self.grid.edge(range.start) - offset,
            }
        };
        gti.intervals().iter().map(one).collect()
    }
}

/// A good time interval: its exact edges in raw times, its bins, and where these begin.
struct BinnedInterval {
    start: f64,
    stop: f64,
    place: usize,
    bins: usize,
    base: DoubleDouble,
}

/// What a thread has counted.
struct LightCurveCounts {
    counts: Vec<f64>,
    used: u64,
    outside: u64,
    last: bin_events::LastEventTable,
}

/// The good time intervals of an input, in order.
struct BinnedIntervals {
    list: Vec<BinnedInterval>,
    /// Bins a second.
    delta: f64,
}

impl BinnedIntervals {
    fn count(&self, times: &[f64], found: &mut LightCurveCounts) {
        let Some((&first, &last)) = times.first().zip(times.last()) else { return };
        if !times.is_sorted() {
            return times.iter().for_each(|t| self.count(&[*t], found));
        }
        let from = self.list.partition_point(|interval| interval.stop <= first);
        let mut inside = 0;
        for interval in self.list[from..].iter().take_while(|interval| interval.start <= last) {
            let below = |edge: f64| times.partition_point(|&t| t < edge);
            let mut own = &times[below(interval.start)..below(interval.stop)];
            inside += own.len() as u64;
            let Some(counts) = found.counts.get_mut(interval.place..interval.place + interval.bins) else { continue };
            let no_bin = |t: &f64| bin_events::bin_of(*t, interval.base, self.delta, interval.bins).is_none();
            // Beyond either end by rounding only: the interval has the event.
            while let Some((t, rest)) = own.split_first().filter(|(t, _)| no_bin(t)) {
                let bin = if *t < interval.base.hi { 0 } else { interval.bins - 1 };
                counts[bin] += 1.0;
                own = rest;
            }
            while let Some((t, rest)) = own.split_last().filter(|(t, _)| no_bin(t)) {
                let bin = if *t < interval.base.hi { 0 } else { interval.bins - 1 };
                counts[bin] += 1.0;
                own = rest;
            }
            bin_events::add_sorted(own, interval.base, self.delta, counts, &mut found.last);
        }
        found.used += inside;
        found.outside += times.len() as u64 - inside;
    }
}

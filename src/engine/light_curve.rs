//! Events counted in the bins of a light curve, in memory bounded by the bins.

use super::counts::{CountingOptions, each_kept, threads};
use super::run::Reading;
use super::time_source::Events;
use crate::base::error::{Error, Result};
use crate::base::footprint::Footprint;
use crate::base::time::DoubleDouble;
use crate::data::light_curve::{MOST_PLACES, TimeGrid};
use crate::data::{EventBalance, Gti};
use crate::kernels::bin_events;

/// The most bins of one light curve: five columns of them fill 10 GiB.
const MOST_BINS: u64 = 1 << 28;

/// Columns of a light curve.
const LIGHT_CURVE_COLUMNS: usize = 6;

/// The bins with exposure.
pub(super) struct ExposedBins {
    grid: TimeGrid,
    pub bin: Vec<u64>,
    pub counts: Vec<f64>,
    pub fracexp: Vec<f64>,
}

impl ExposedBins {
    pub fn new(grid: TimeGrid, gti: &Gti) -> Result<ExposedBins> {
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
        let bins = usize::try_from(total).unwrap_or(usize::MAX);
        // Columns here, those that threads count in, and those of the light curve.
        let counted = 1 + threads(bins.saturating_mul(size_of::<f64>()));
        Footprint::less_by(&["dt"])
            .and(total, (2 + counted + LIGHT_CURVE_COLUMNS) * size_of::<f64>())
            .check(&format!("the light curve of {total} bins"))?;
        let mut columns = ExposedBins { grid, bin: Vec::new(), counts: Vec::new(), fracexp: Vec::new() };
        columns.bin.reserve_exact(bins);
        columns.fracexp.reserve_exact(bins);
        for (range, &(start, stop)) in ranges.into_iter().zip(gti.intervals()) {
            // What lies between the first and the last bins of an interval is inside.
            let inside = range.start + 2..range.end.saturating_sub(2);
            for k in range {
                let part = if inside.contains(&k) { 1.0 } else { grid.covered_fraction(k, start, stop) };
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

    /// Counts the events of one input that are in its intervals, in any order. An event of an interval is in bin
    /// `trunc((t − start)/dt)` of it, by the same definition as in segments, kept to the bins that the interval reaches into.
    pub fn count(&mut self, input: &mut Events, gti: &Gti, reading: Reading, photons: &mut EventBalance) -> Result<()> {
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

//! Light curves: counts and rates on a regular grid of bins, with gaps.

use std::borrow::Cow;

use serde::{Deserialize, Serialize};

use super::{EventBalance, Gti, Record};
use crate::base::error::{Error, Result};
use crate::base::text::ShortNumber;
use crate::base::time::DoubleDouble;
use crate::base::warning::Warnings;

/// Part of a bin by which edges may miss each other and still count as equal.
pub(crate) const EDGE_SLACK: f64 = 1e-6;
/// Part of a bin by which grids may be apart and still count as one.
pub(super) const GRID_SLACK: f64 = 1e-3;
/// Places on a grid are whole numbers below this: exact in f64, with room to spare in u64.
pub(crate) const MOST_PLACES: f64 = (1u64 << 52) as f64;
/// Seconds by which a bin may reach over the end of an interval: what the rounding of bounds amounts to.
const TOLERANCE: f64 = 1e-5;
/// Bins among which rounding leaves that at an edge.
const NEAR: u64 = 8;

/// The standard error of `counts` events of a Poisson process: `√N`, and for `N = 0` the upper 1σ limit `1 + √(N + ¾)`
/// (Gehrels 1986, equation 7, doi:10.1086/164079).
pub fn counting_error(counts: f64) -> f64 {
    if counts > 0.0 { counts.sqrt() } else { 1.0 + 0.75f64.sqrt() }
}

/// A regular grid of time bins. Bin `k` holds the times `origin + k·dt ≤ t < origin + (k+1)·dt`.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct TimeGrid {
    /// Left edge of bin 0, seconds of the frame.
    pub origin: DoubleDouble,
    /// Bin width, s.
    pub dt: f64,
}

impl TimeGrid {
    /// Left edge of bin `k`, seconds of the frame.
    pub fn edge(&self, k: u64) -> DoubleDouble {
        self.origin + DoubleDouble::product(self.dt, k as f64)
    }

    /// Centre of bin `k`, seconds of the frame.
    pub fn centre(&self, k: u64) -> f64 {
        (self.origin + DoubleDouble::product(self.dt, k as f64 + 0.5)).value()
    }

    /// Bins that `start ≤ t < stop` reaches into, by more than a millionth of one; at least one. `start` is not before the
    /// origin.
    pub(crate) fn bins(&self, start: DoubleDouble, stop: DoubleDouble) -> std::ops::Range<u64> {
        let place = |t: DoubleDouble| (t - self.origin).value() / self.dt;
        let first = (place(start) + EDGE_SLACK).floor().max(0.0) as u64;
        let end = (place(stop) - EDGE_SLACK).ceil().max(0.0) as u64;
        first..end.max(first.saturating_add(1))
    }

    /// Part of bin `k` inside `start ≤ t < stop`; 1 when less than a millionth is missing.
    pub(crate) fn covered_fraction(&self, k: u64, start: DoubleDouble, stop: DoubleDouble) -> f64 {
        let (a, b) = (self.edge(k), self.edge(k + 1));
        let from = if a > start { a } else { start };
        let to = if b < stop { b } else { stop };
        let part = ((to - from).value() / self.dt).clamp(0.0, 1.0);
        if part > 1.0 - EDGE_SLACK { 1.0 } else { part }
    }

    /// Part of bin `k` inside intervals; 1 when less than a millionth is missing.
    pub(crate) fn covered(&self, k: u64, gti: &Gti) -> f64 {
        let (start, stop) = (self.edge(k), self.edge(k + 1));
        let from = gti.intervals().partition_point(|&(_, end)| end <= start);
        let reached = gti.intervals().iter().skip(from).take_while(|&&(begin, _)| begin < stop);
        let part: f64 = reached.map(|&(begin, end)| self.covered_fraction(k, begin, end)).sum();
        if part > 1.0 - EDGE_SLACK { 1.0 } else { part }
    }
}

/// Where the exposure of a bin is.
#[derive(PartialEq)]
enum BinPlace {
    /// In good time.
    Inside,
    /// In good time in part.
    Cut,
    Outside,
}

/// Metadata of a light curve.
#[derive(Clone, Debug, Default, Serialize, Deserialize)]
#[non_exhaustive]
pub struct LightCurveMetadata {
    /// Number of bins.
    pub n: usize,
    /// Bin width, s.
    pub dt: f64,
    /// Events in all bins; for a light curve that was read from a file, the sum of its `counts`.
    pub nphots: f64,
    /// Mean rate, counts/s: all counts over all exposure.
    pub mean: f64,
    /// Exposure of all bins, s: the sum of `fracexp·dt`.
    pub exposure: f64,
    /// How the light curve was made. For one that was read from a file the balance is that of the file's bins: counts, or rates times
    /// exposure ([`EventBalance`]).
    #[serde(flatten)]
    pub record: Record,
}

/// Counts and rates in equal bins of time. One entry a bin that was observed at least in part; bins without exposure
/// have no entry, so `bin` jumps where there is a gap. All columns have the same length.
#[derive(Clone, Debug)]
pub struct LightCurve {
    /// The grid of the bins.
    pub grid: TimeGrid,
    /// Number of each bin on the grid, ascending.
    pub bin: Vec<u64>,
    /// Centre of each bin, seconds of the frame.
    pub time: Vec<f64>,
    /// Events in each bin, not corrected for exposure.
    pub counts: Vec<f64>,
    /// Rate in each bin, counts/s of exposure: `counts/(dt·fracexp)`.
    pub rate: Vec<f64>,
    /// Standard error of `rate`, counts/s; NaN where none is known.
    pub rate_err: Vec<f64>,
    /// Fraction of each bin that lies in good time intervals, 0 to 1.
    pub fracexp: Vec<f64>,
    /// True if `rate_err` follows from the counts ([`counting_error`]); false if a file gave rates with errors of its
    /// own.
    pub counted: bool,
    /// Good time intervals, seconds of the frame.
    pub gti: Gti,
    /// Metadata: number and width of the bins, exposure, record.
    pub meta: LightCurveMetadata,
}

impl LightCurve {
    /// Room for so many bins.
    pub(crate) fn reserve(&mut self, bins: usize) {
        self.bin.reserve_exact(bins);
        for column in [&mut self.time, &mut self.counts, &mut self.rate, &mut self.rate_err, &mut self.fracexp] {
            column.reserve_exact(bins);
        }
    }

    /// A light curve of events: `counts` in bins `bin` of which the part `fracexp` was exposed.
    pub(crate) fn from_counts(
        grid: TimeGrid,
        bin: Vec<u64>,
        counts: Vec<f64>,
        fracexp: Vec<f64>,
        gti: Gti,
        meta: LightCurveMetadata,
    ) -> LightCurve {
        let exposed = |i: usize| grid.dt * fracexp[i];
        let rate = (0..bin.len()).map(|i| counts[i] / exposed(i)).collect();
        let rate_err = (0..bin.len()).map(|i| counting_error(counts[i]) / exposed(i)).collect();
        let time = bin.iter().map(|&k| grid.centre(k)).collect();
        LightCurve { grid, bin, time, counts, rate, rate_err, fracexp, counted: true, gti, meta }.described()
    }

    /// A light curve of `counts` in bins `bin` of a grid, ascending, exposed as far as `gti` reaches; bins that it does not reach are left
    /// out. With `errors`, the standard errors of the counts, these are no Poisson counts.
    ///
    /// # Errors
    /// Columns of unlike lengths; bins that do not ascend; a width that is not positive.
    pub fn from_bins(
        grid: TimeGrid,
        bin: Vec<u64>,
        counts: Vec<f64>,
        errors: Option<Vec<f64>>,
        gti: Gti,
    ) -> Result<LightCurve> {
        if !(grid.dt.is_finite() && grid.dt > 0.0) {
            return Err(Error::argument("dt", grid.dt, "must be a positive number of seconds"));
        }
        let lengths = [bin.len(), counts.len(), errors.as_ref().map_or(bin.len(), Vec::len)];
        if lengths.iter().any(|len| *len != lengths[0]) {
            return Err(Error::argument("counts", counts.len(), format!("there are {} bins", bin.len())));
        }
        if let Some(at) = bin.windows(2).position(|w| w[0] >= w[1]) {
            return Err(Error::argument("bin", bin[at + 1], format!("follows bin {}: bins ascend", bin[at])));
        }
        let fracexp: Vec<f64> = bin.iter().map(|&k| grid.covered(k, &gti)).collect();
        let whole = LightCurve::from_counts(grid, bin, counts, fracexp, gti, LightCurveMetadata::default());
        let exposed = (0..whole.len()).filter(|&i| whole.fracexp[i] > 0.0);
        let mut made = whole.rows(exposed.clone(), whole.gti.clone());
        if let Some(errors) = errors {
            let rate_err = exposed.map(|i| errors[i] / (grid.dt * whole.fracexp[i])).collect();
            made = LightCurve { rate_err, counted: false, ..made };
        }
        Ok(made.described())
    }

    /// Brings the metadata that follow from the columns up to date.
    pub(crate) fn described(mut self) -> LightCurve {
        let meta = &mut self.meta;
        meta.n = self.bin.len();
        meta.dt = self.grid.dt;
        meta.nphots = self.counts.iter().sum();
        meta.exposure = self.fracexp.iter().sum::<f64>() * self.grid.dt;
        meta.mean = if meta.exposure > 0.0 { meta.nphots / meta.exposure } else { 0.0 };
        meta.record.gti = self.gti.intervals().iter().map(|(a, b)| [a.value(), b.value()]).collect();
        self
    }

    /// Number of bins with an entry.
    pub fn len(&self) -> usize {
        self.bin.len()
    }

    /// Number of places where neighbouring bins are no neighbours on the grid.
    pub fn gaps(&self) -> usize {
        self.bin.windows(2).filter(|w| w[1] != w[0] + 1).count()
    }

    /// What the values are, in words, and where their errors come from.
    pub fn values_in_words(&self) -> &'static str {
        match (self.counted, self.rate_err.iter().any(|e| e.is_finite())) {
            (true, _) => "counts",
            (false, true) => "rates with errors",
            (false, false) => "rates without errors",
        }
    }

    /// True if there is no bin.
    pub fn is_empty(&self) -> bool {
        self.bin.is_empty()
    }

    /// With bins of `dt` seconds, which must be whole bins of its own; as it is without a width.
    ///
    /// # Errors
    /// `dt` is not a whole multiple of the bin width.
    pub fn coarser(self, dt: Option<f64>) -> Result<LightCurve> {
        let coarser = match self.in_bins_of(dt)? {
            Cow::Owned(coarser) => Some(coarser),
            Cow::Borrowed(_) => None,
        };
        Ok(coarser.unwrap_or(self))
    }

    /// [`LightCurve::coarser`], itself where there is nothing to combine.
    pub(crate) fn in_bins_of(&self, dt: Option<f64>) -> Result<Cow<'_, LightCurve>> {
        let own = self.grid.dt;
        let Some(dt) = dt else { return Ok(Cow::Borrowed(self)) };
        let by = (dt / own).round();
        if by < 1.0 || (by * own / dt - 1.0).abs() > 1e-6 {
            let message =
                format!("the light curve has bins of {} s; whole multiples of that are possible", ShortNumber(own));
            return Err(Error::argument("dt", dt, message));
        }
        if by > MOST_PLACES {
            return Err(Error::argument("dt", dt, "between 1 and 2^52 bins make a bin"));
        }
        if by > 1.0 { self.rebin(by as u64).map(Cow::Owned) } else { Ok(Cow::Borrowed(self)) }
    }

    /// Joins every `by` bins of the grid into one, from the same origin on. Counts and exposures are added. Rates are
    /// the mean weighted by exposure, `Σ f_i r_i / Σ f_i` with `f` the `fracexp`; errors that a file gave become `√(Σ
    /// f_i² e_i²) / Σ f_i`.
    ///
    /// # Errors
    /// `by` is 0 or above 2^52.
    pub fn rebin(&self, by: u64) -> Result<LightCurve> {
        if by == 0 || by as f64 > MOST_PLACES {
            return Err(Error::argument("rebin", by, "between 1 and 2^52 bins make a bin"));
        }
        let grid = TimeGrid { origin: self.grid.origin, dt: self.grid.dt * by as f64 };
        let places = self.bin.iter().map(|k| k / by).collect();
        Ok(self.regrouped(grid, places, by as f64))
    }

    /// Bins moved to `places` (ascending) of another grid, whose bins are `wide` times as long; bins at one place are added.
    pub(super) fn regrouped(&self, grid: TimeGrid, places: Vec<u64>, wide: f64) -> LightCurve {
        let mut new = LightCurve { grid, bin: Vec::new(), ..self.without_bins() };
        let mut from = 0;
        for group in places.chunk_by(|a, b| a == b) {
            let range = from..from + group.len();
            from = range.end;
            let sum = |value: &dyn Fn(usize) -> f64| range.clone().map(value).sum::<f64>();
            let counts = sum(&|i| self.counts[i]);
            let part = sum(&|i| self.fracexp[i]);
            let alone = range.len() == 1;
            let error = match self.counted {
                true => counting_error(counts) / (part * self.grid.dt),
                false if alone => self.rate_err[range.start],
                false => sum(&|i| (self.fracexp[i] * self.rate_err[i]).powi(2)).sqrt() / part,
            };
            new.bin.push(group[0]);
            new.time.push(grid.centre(group[0]));
            new.counts.push(counts);
            new.rate.push(match self.counted {
                _ if alone => self.rate[range.start],
                true => counts / (part * self.grid.dt),
                false => sum(&|i| self.fracexp[i] * self.rate[i]) / part,
            });
            new.rate_err.push(error);
            new.fracexp.push((part / wide).min(1.0));
        }
        new.described()
    }

    /// The same without bins.
    pub(super) fn without_bins(&self) -> LightCurve {
        LightCurve {
            bin: Vec::new(),
            time: Vec::new(),
            counts: Vec::new(),
            rate: Vec::new(),
            rate_err: Vec::new(),
            fracexp: Vec::new(),
            gti: self.gti.clone(),
            meta: self.meta.clone(),
            ..*self
        }
    }

    pub(super) fn first_bin(&self) -> u64 {
        self.bin.first().copied().unwrap_or(0)
    }

    /// The name of its file.
    pub(super) fn name(&self) -> String {
        self.meta.record.first_input()
    }

    /// Some of the rows, with other intervals. It accounts for the photons in them alone.
    fn rows(&self, rows: impl Iterator<Item = usize>, gti: Gti) -> LightCurve {
        let mut part = LightCurve { gti, ..self.without_bins() };
        for i in rows {
            part.bin.push(self.bin[i]);
            part.time.push(self.time[i]);
            part.counts.push(self.counts[i]);
            part.rate.push(self.rate[i]);
            part.rate_err.push(self.rate_err[i]);
            part.fracexp.push(self.fracexp[i]);
        }
        part.meta.record.photons = EventBalance::of_used(part.photons(0..part.len()));
        part.described()
    }

    /// Splits the light curve at every gap of more than `gap` seconds between the edges of neighbouring bins.
    #[must_use]
    pub fn split_at_gaps(&self, gap: f64) -> Vec<LightCurve> {
        let near = |a: &u64, b: &u64| (b - a - 1) as f64 * self.grid.dt <= gap;
        let mut from = 0;
        let mut parts = Vec::new();
        for stretch in self.bin.chunk_by(near) {
            let span = [(self.grid.edge(stretch[0]), self.grid.edge(stretch[stretch.len() - 1] + 1))];
            let range = from..from + stretch.len();
            from = range.end;
            parts.push(self.rows(range, self.gti.intersect(&Gti::from_sorted(&span))));
        }
        parts
    }

    /// One light curve for each good time interval, with the bins that lie in it, or more in it than in any other. Intervals without
    /// a bin give none.
    #[must_use]
    pub fn split_by_gti(&self) -> Vec<LightCurve> {
        let intervals = self.gti.intervals();
        let home = |i: usize| {
            let (start, stop) = (self.grid.edge(self.bin[i]), self.grid.edge(self.bin[i] + 1));
            let from = intervals.partition_point(|&(_, end)| end <= start);
            let reached = (from..intervals.len()).take_while(|&j| intervals[j].0 < stop);
            let part = |j: usize| self.grid.covered_fraction(self.bin[i], intervals[j].0, intervals[j].1);
            reached.max_by(|&a, &b| part(a).total_cmp(&part(b)))
        };
        let homes: Vec<(usize, usize)> = (0..self.len()).filter_map(|i| Some((home(i)?, i))).collect();
        let same = homes.chunk_by(|a, b| a.0 == b.0);
        same.map(|rows| self.rows(rows.iter().map(|row| row.1), Gti::from_sorted(&[intervals[rows[0].0]]))).collect()
    }

    /// The bins whose exposure lies in `gti`, which becomes the good time: those of which it takes nothing that was exposed. Of a bin that reaches over
    /// the end of an interval no one knows which photons are inside: it is left out, unless the part inside is as long as its exposure, or all of it
    /// that was good time before. Photons of bins that are left out are outside of the intervals, in the balance.
    #[must_use]
    pub fn within(&self, gti: Gti) -> LightCurve {
        let kept: Vec<bool> = (0..self.len()).map(|i| self.place(i, &gti) == BinPlace::Inside).collect();
        let mut photons = self.meta.record.photons.clone();
        let lost = self.photons((0..self.len()).filter(|&i| !kept[i])).min(photons.used);
        (photons.used, photons.outside_gti) = (photons.used - lost, photons.outside_gti + lost);
        let mut part = self.rows((0..self.len()).filter(|&i| kept[i]), gti);
        part.meta.record.photons = photons;
        part
    }

    /// [`LightCurve::within`], which says how many bins were left out because they reach over the end of an interval.
    pub(crate) fn narrowed(&self, gti: Gti, warnings: &mut Warnings) -> LightCurve {
        let message = format!(
            "{}: bins that reach over the end of an interval were left out: which of their photons are inside is not known",
            self.name()
        );
        let cut = (0..self.len()).filter(|&i| self.place(i, &gti) == BinPlace::Cut).count();
        warnings.add("W-BIN-CUT", message, cut as u64);
        self.within(gti)
    }

    /// Where the exposure of a bin is.
    fn place(&self, i: usize, gti: &Gti) -> BinPlace {
        let inside = self.grid.covered(self.bin[i], gti);
        let before = self.grid.covered(self.bin[i], &self.gti).min(self.fracexp[i]);
        match inside {
            _ if inside <= EDGE_SLACK.min(0.5 * self.fracexp[i]) => BinPlace::Outside,
            _ if inside >= before - EDGE_SLACK => BinPlace::Inside,
            _ => BinPlace::Cut,
        }
    }

    /// Ranges of rows without a gap, from which segments can be cut: bins that follow one another on the grid, each
    /// with a finite value and a `fracexp` of at least `min_fracexp`, all inside one good time interval (within 1e-5
    /// s).
    pub fn stretches(&self, min_fracexp: f64) -> Vec<std::ops::Range<usize>> {
        let intervals = self.gti.intervals();
        // The bins that lie in an interval: from the first up to the second.
        let near = |t: DoubleDouble, by: f64| (((t - self.grid.origin).value() + by) / self.grid.dt).floor();
        let first = |&(start, _): &(DoubleDouble, DoubleDouble)| {
            let from = (near(start, -TOLERANCE) - 2.0).max(0.0) as u64;
            (from..from.saturating_add(NEAR))
                .find(|&k| (start - self.grid.edge(k)).value() <= TOLERANCE)
                .unwrap_or(u64::MAX)
        };
        let end = |&(_, stop): &(DoubleDouble, DoubleDouble)| {
            let upto = (near(stop, TOLERANCE) + 3.0).max(0.0) as u64;
            (upto.saturating_sub(NEAR)..upto)
                .rev()
                .find(|&k| (self.grid.edge(k + 1) - stop).value() <= TOLERANCE)
                .map_or(0, |k| k + 1)
        };
        let bins: Vec<(u64, u64)> = intervals.iter().map(|interval| (first(interval), end(interval))).collect();
        let home = |i: usize| {
            let after = bins.partition_point(|&(first, _)| first <= self.bin[i]);
            let inside = after > 0 && self.bin[i] < bins[after - 1].1;
            (inside && self.rate[i].is_finite() && self.fracexp[i] >= min_fracexp).then_some(after)
        };
        let mut stretches: Vec<std::ops::Range<usize>> = Vec::new();
        let mut last = None;
        for i in 0..self.len() {
            let here = home(i);
            match stretches.last_mut() {
                _ if here.is_none() => {}
                Some(s) if last == here && s.end == i && self.bin[i] == self.bin[i - 1] + 1 => s.end = i + 1,
                _ => stretches.push(i..i + 1),
            }
            last = here;
        }
        stretches
    }

    /// True if these rows have errors of their own, of rates; false if none of them has.
    ///
    /// # Errors
    /// Some have, and some have not.
    pub(crate) fn errors_known(&self, rows: impl Iterator<Item = usize> + Clone) -> Result<bool> {
        let known = |&i: &usize| self.rate_err[i].is_finite();
        let without = rows.clone().find(|i| !known(i));
        match without {
            _ if self.counted => Ok(false),
            None => Ok(true),
            Some(_) if !rows.clone().any(|i| known(&i)) => Ok(false),
            Some(i) => {
                let message = format!(
                    "is the error of bin {} at {} s, and other bins have one: give each an error, or none; a rate that is NaN is \
                     missing",
                    self.bin[i],
                    ShortNumber(self.time[i])
                );
                Err(Error::argument("rate_err", self.rate_err[i], message))
            }
        }
    }

    /// The span of some rows, seconds of the frame.
    pub(crate) fn span(&self, rows: &std::ops::Range<usize>) -> (DoubleDouble, DoubleDouble) {
        (self.grid.edge(self.bin[rows.start]), self.grid.edge(self.bin[rows.end - 1] + 1))
    }
}

//! One input, read on demand, its bands apart.

use std::sync::Arc;

use super::run::Reading;
use super::time_source::TimeSource;
use crate::base::error::Result;
use crate::base::progress::Progress;
use crate::base::time::DoubleDouble;
use crate::data::{EventBalance, Gti};

/// Good time intervals as exact edges of raw times.
pub(super) fn edges(gti: &Gti, offset: DoubleDouble) -> Arc<[(f64, f64)]> {
    gti.intervals().iter().map(|&(a, b)| ((a - offset).ceil_f64(), (b - offset).ceil_f64())).collect()
}

/// One input, read on demand.
pub(super) struct Reader<'a> {
    source: Box<dyn TimeSource + 'a>,
    /// Times of each band that are read: those before `at` are used up.
    bands: Vec<Vec<f64>>,
    at: Vec<usize>,
    /// Whether the photons of each band count for themselves in the balance.
    counted: Vec<bool>,
    /// No time that is not read yet is below this.
    frontier: f64,
    rows: usize,
    progress: &'a Progress,
    done: bool,
    /// See [`edges`].
    intervals: Arc<[(f64, f64)]>,
    outside_gti: u64,
    outside_segments: u64,
    /// Times that were given, of bands that count.
    taken: u64,
    reported: u64,
}

/// What taking the times of a band below an edge came to.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum TakeOutcome {
    /// None is left.
    All,
    /// There is no room for more.
    Full,
    /// More may come; other bands' times have to be taken first, so that not too many wait.
    Waiting,
}

impl<'a> Reader<'a> {
    /// `intervals` are those of [`edges`], and `counted` says which bands' photons count in the balance.
    pub fn new(
        source: Box<dyn TimeSource + 'a>,
        intervals: Arc<[(f64, f64)]>,
        counted: Vec<bool>,
        reading: Reading<'a>,
    ) -> Reader<'a> {
        let (bands, at) = (vec![Vec::new(); counted.len()], vec![0; counted.len()]);
        let (Reading { rows, progress }, frontier) = (reading, f64::NEG_INFINITY);
        let (outside_gti, outside_segments, taken, reported) = (0, 0, 0, 0);
        Reader {
            source,
            bands,
            at,
            counted,
            frontier,
            rows: rows.max(1),
            progress,
            done: false,
            intervals,
            outside_gti,
            outside_segments,
            taken,
            reported,
        }
    }

    /// See [`TimeSource::is_in_order`].
    pub fn is_in_order(&self) -> bool {
        self.source.is_in_order()
    }

    /// Counts what is left; the reader's part of the balance, nothing where no band counts for itself.
    pub fn finish(&mut self) -> Result<EventBalance> {
        self.skip_to(f64::INFINITY)?;
        if !self.counted.contains(&true) {
            return Ok(EventBalance::default());
        }
        let (outside_gti, outside_segments) = (self.outside_gti, self.outside_segments);
        Ok(EventBalance { outside_gti, outside_segments, ..self.source.balance() })
    }

    /// Passes over what is before `begin`, which is another part's.
    pub fn begin_part(&mut self, begin: f64) -> Result<()> {
        self.skip_to(begin)?;
        (self.outside_gti, self.outside_segments) = (0, 0);
        Ok(())
    }

    /// Counts what is left before `end`; this part's share of the balance. What lies behind is of other parts, as are rows that are left
    /// out unless this part is the `first`.
    pub fn finish_part(&mut self, end: f64, first: bool) -> Result<EventBalance> {
        self.skip_to(end)?;
        let (outside_gti, outside_segments) = (self.outside_gti, self.outside_segments);
        let own = self.taken + outside_gti + outside_segments;
        if !self.counted.contains(&true) {
            return Ok(EventBalance::default());
        }
        if !first {
            return Ok(EventBalance { read: own, outside_gti, outside_segments, ..EventBalance::default() });
        }
        self.skip_to(f64::INFINITY)?;
        let behind = self.outside_gti + self.outside_segments - outside_gti - outside_segments;
        let all = self.source.balance();
        Ok(EventBalance { read: all.read - behind, outside_gti, outside_segments, ..all })
    }

    /// Reads the next rows, if there are any.
    fn refill(&mut self) -> Result<()> {
        for (times, at) in self.bands.iter_mut().zip(&mut self.at) {
            times.drain(..*at);
            *at = 0;
        }
        self.done = !self.source.next_chunk(self.rows, &mut self.bands)?;
        let last = self.bands.iter().filter_map(|times| times.last());
        self.frontier = last.fold(self.frontier, |a, &b| a.max(b));
        let read = self.source.balance().read;
        let more = read - self.reported;
        self.reported = read;
        self.progress.advance(more)
    }

    /// Whether all times below `edge` have been read.
    fn has_read_to(&self, edge: f64) -> bool {
        self.done || self.frontier >= edge
    }

    /// Times of a band below `edge` that are read.
    fn below(&self, band: usize, edge: f64) -> &[f64] {
        let here = &self.bands[band][self.at[band]..];
        &here[..here.partition_point(|&t| t < edge)]
    }

    /// Passes over times below `edge`, which are in no segment, and counts them.
    pub fn skip_to(&mut self, edge: f64) -> Result<()> {
        loop {
            for band in 0..self.bands.len() {
                let gap = self.below(band, edge);
                let count = gap.len();
                if count > 0 && self.counted[band] {
                    let inside = self.inside_intervals(gap);
                    self.outside_segments += inside;
                    self.outside_gti += count as u64 - inside;
                }
                self.at[band] += count;
            }
            if self.has_read_to(edge) {
                return Ok(());
            }
            self.refill()?;
        }
    }

    /// Times of a sorted slice that are inside a good time interval.
    fn inside_intervals(&self, times: &[f64]) -> u64 {
        let from = self.intervals.partition_point(|&(_, stop)| stop <= times[0]);
        let last = times[times.len() - 1];
        let near = self.intervals[from..].iter().take_while(|&&(start, _)| start <= last);
        let below = |edge: f64| times.partition_point(|&t| t < edge) as u64;
        near.map(|&(start, stop)| below(stop) - below(start)).sum()
    }

    /// Appends times of a band below `stop`, up to `most` in all; reads on, where `may_read`, until as many wait in other bands.
    pub fn take_to(
        &mut self,
        band: usize,
        stop: f64,
        most: usize,
        may_read: bool,
        out: &mut Vec<f64>,
    ) -> Result<TakeOutcome> {
        loop {
            let here = self.below(band, stop);
            let (count, room) = (here.len(), most - out.len());
            out.extend_from_slice(&here[..count.min(room)]);
            self.at[band] += count.min(room);
            self.taken += if self.counted[band] { count.min(room) as u64 } else { 0 };
            if count > room {
                return Ok(TakeOutcome::Full);
            }
            if self.has_read_to(stop) {
                return Ok(TakeOutcome::All);
            }
            let waiting: usize = self.bands.iter().zip(&self.at).map(|(times, at)| times.len() - at).sum();
            if !may_read || (waiting > 0 && waiting + out.len() >= most) {
                return Ok(TakeOutcome::Waiting);
            }
            self.refill()?;
        }
    }

    /// Calls `look` with the times below `stop` of each band, piece by piece.
    pub fn each_to(&mut self, stop: f64, mut look: impl FnMut(usize, &[f64])) -> Result<()> {
        loop {
            for band in 0..self.bands.len() {
                let here = self.below(band, stop);
                let count = here.len();
                look(band, here);
                self.at[band] += count;
                self.taken += if self.counted[band] { count as u64 } else { 0 };
            }
            if self.has_read_to(stop) {
                return Ok(());
            }
            self.refill()?;
        }
    }
}

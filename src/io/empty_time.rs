//! Good time without events, found before the work: a stray time or a damaged interval makes light curves and segments of nothing.
//!
//! Of N events of a source that is as bright in one half of the time as in the other, none is in one half with a probability of 2^(1−N). A gap of
//! more than half of the time is therefore no chance for [`FEWEST`] events, however faint the source is; a source that flares may do that.
#![expect(clippy::indexing_slicing, reason = "cells are numbered below their count")]

use super::events::EventFile;
use crate::base::error::Result;
use crate::base::mend::Mend;
use crate::base::text::{ShortNumber, count};
use crate::base::time::DoubleDouble;
use crate::base::warning::{Warning, Warnings};

/// Fewest events that tell of a gap.
const FEWEST: u64 = 30;
/// Rows that are looked at before all are.
const SAMPLES: usize = 64;
/// Pieces of the time in which events are counted.
const CELLS: usize = 1 << 16;
/// Events beyond a gap that are strays; of more the time is kept.
const STRAYS: u64 = 9;
/// Gaps that are left out, one inside what another leaves.
const MOST_GAPS: usize = 64;

/// Events in pieces of equal length, and the first and the last place of each piece.
struct Cells {
    from: f64,
    to: f64,
    ends: Vec<(f64, f64)>,
    events: Vec<u64>,
}

/// Pieces without an event, and what is on both sides.
struct Gap {
    start: f64,
    stop: f64,
    before: u64,
    behind: u64,
}

impl Cells {
    fn new(from: f64, to: f64) -> Cells {
        Cells { from, to, ends: vec![(f64::INFINITY, f64::NEG_INFINITY); CELLS], events: vec![0; CELLS] }
    }

    fn add(&mut self, place: f64) {
        if place >= self.from && place <= self.to {
            let cell = ((place - self.from) / (self.to - self.from) * CELLS as f64) as usize;
            let cell = cell.min(CELLS - 1);
            let (first, last) = self.ends[cell];
            self.ends[cell] = (first.min(place), last.max(place));
            self.events[cell] += 1;
        }
    }

    /// The longest gap, where it is more than half of all and too many events are there for that to be chance.
    fn gap(&self) -> Option<Gap> {
        let all: u64 = self.events.iter().sum();
        if all < FEWEST {
            return None;
        }
        let (mut longest, mut last, mut passed): (Option<Gap>, f64, u64) = (None, self.from, 0);
        let filled = (0..CELLS).filter(|&cell| self.events[cell] > 0);
        for (start, stop, events) in
            filled.map(|cell| (self.ends[cell].0, self.ends[cell].1, self.events[cell])).chain([(self.to, self.to, 0)])
        {
            if longest.as_ref().is_none_or(|gap| start - last > gap.stop - gap.start) {
                longest = Some(Gap { start: last, stop: start, before: passed, behind: all - passed });
            }
            (last, passed) = (stop, passed + events);
        }
        longest.filter(|gap| gap.stop - gap.start > 0.5 * (self.to - self.from))
    }
}

/// Good time before a time of the frame, s; `None` outside of it.
fn good_before(starts: &[(f64, f64, f64)], t: f64) -> Option<f64> {
    let after = starts.partition_point(|&(start, ..)| start <= t);
    let (start, stop, before) = *starts.get(after.checked_sub(1)?)?;
    (t < stop).then_some(before + (t - start))
}

/// The time of the frame at which so much good time has passed.
fn time_at(starts: &[(f64, f64, f64)], good: f64) -> f64 {
    let after = starts.partition_point(|&(.., before)| before <= good);
    starts.get(after.saturating_sub(1)).map_or(good, |&(start, stop, before)| (start + (good - before)).min(stop))
}

impl EventFile {
    /// The time from the first event to the last without gaps that are more than half of it: what is beyond such a gap is kept if it has more than a
    /// few events. What is left out is warned of.
    ///
    /// # Errors
    /// The file cannot be read.
    pub(super) fn span_without_gaps(&self, first: f64, last: f64, warnings: &mut Warnings) -> Result<Vec<(f64, f64)>> {
        let (mut waiting, mut spans, mut gaps) = (vec![(first, last)], Vec::new(), 0);
        while let Some((from, to)) = waiting.pop() {
            let gap = match to > from && gaps < MOST_GAPS {
                true => self.cells(from, to, Some)?.gap(),
                false => None,
            };
            let Some(Gap { start, stop, before, behind }) = gap else {
                spans.push((from, to));
                continue;
            };
            gaps += 1;
            let (length, offset) = (stop - start, self.clock.event_offset.value());
            let strays = [before, behind].into_iter().filter(|&events| events <= STRAYS).sum();
            let left = if strays == 0 { String::new() } else { format!(", and {} beyond it", count(strays, "event")) };
            let message = format!(
                "{}: no event from {} to {} s, {} of the {} s of the span: that time is left out{left}",
                self.path(),
                start + offset,
                stop + offset,
                ShortNumber(length),
                ShortNumber(to - from)
            );
            let mend = [Mend::field("gti").doing("says what is good"), Mend::field("time").doing("takes a part")];
            warnings.record(Warning::new("W-SPAN-GAP", message).mended_by(mend));
            for (part, events) in [((stop, to), behind), ((from, start), before)] {
                if events > STRAYS {
                    waiting.push(part);
                }
            }
        }
        spans.sort_by(|a, b| a.0.total_cmp(&b.0));
        Ok(spans)
    }

    /// Warns of good time that is empty for more than half of it. Some rows are looked at and, where they have such a gap, all.
    ///
    /// # Errors
    /// The file cannot be read.
    pub(super) fn warn_of_empty_time(&self, warnings: &mut Warnings) -> Result<()> {
        let (mut starts, mut good): (Vec<(f64, f64, f64)>, f64) = (Vec::new(), 0.0);
        for &(start, stop) in self.gti.intervals() {
            starts.push((start.value(), stop.value(), good));
            good += (stop - start).value();
        }
        let offset = self.clock.event_offset.value();
        let place = |t: f64| good_before(&starts, t + offset);
        let step = self.rows().div_ceil(SAMPLES).max(1);
        let mut sample = Vec::new();
        for row in (0..self.rows()).step_by(step) {
            self.times(row..row + 1, &mut sample)?;
        }
        let mut few = Cells::new(0.0, good);
        sample.iter().filter_map(|&t| place(t)).for_each(|place| few.add(place));
        if few.gap().is_none() {
            return Ok(());
        }
        let Some(Gap { start, stop, .. }) = self.cells(0.0, good, place)?.gap() else { return Ok(()) };
        let message = format!(
            "{}: {} of the {} s of good time, from {} to {} s, have no event: an interval or a time may be wrong",
            self.path(),
            ShortNumber(stop - start),
            ShortNumber(good),
            time_at(&starts, start),
            time_at(&starts, stop)
        );
        let mend = [Mend::field("time").doing("takes a part"), Mend::field("gti").doing("takes others")];
        warnings.record(Warning::new("W-MOSTLY-EMPTY", message).mended_by(mend));
        Ok(())
    }

    /// Where the events of all rows are, by what `place` makes of their raw times.
    fn cells(&self, from: f64, to: f64, place: impl Fn(f64) -> Option<f64>) -> Result<Cells> {
        let (mut cells, mut times) = (Cells::new(from, to), Vec::new());
        self.table.each_piece(0..self.rows(), |piece| {
            times.clear();
            self.decode_times(piece, &mut times);
            times.iter().filter_map(|&t| place(t)).for_each(|place| cells.add(place));
        })?;
        Ok(cells)
    }

    /// [`EventFile::span_without_gaps`] as intervals of the frame; an interval ends just after its last event.
    ///
    /// # Errors
    /// The file cannot be read.
    pub(super) fn span_intervals(
        &self,
        first: f64,
        last: f64,
        warnings: &mut Warnings,
    ) -> Result<Vec<(DoubleDouble, DoubleDouble)>> {
        let offset = self.clock.event_offset;
        let bounds = |(first, last): (f64, f64)| {
            (DoubleDouble::from(first) + offset, DoubleDouble::from(last.next_up()) + offset)
        };
        Ok(self.span_without_gaps(first, last, warnings)?.into_iter().map(bounds).collect())
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::data::Gti;

    /// Intervals with the good time before each.
    fn table_of(gti: &Gti) -> Vec<(f64, f64, f64)> {
        let mut good = 0.0;
        let intervals = gti.intervals().iter();
        intervals
            .map(|&(start, stop)| {
                let before = good;
                good += (stop - start).value();
                (start.value(), stop.value(), before)
            })
            .collect()
    }

    #[test]
    fn good_time_and_times_are_inverse_to_each_other() {
        // 10 s from 5 on, and 20 s from 100 on.
        let table = table_of(&Gti::from_seconds(&[(5.0, 15.0), (100.0, 120.0)]).unwrap());
        assert_eq!(
            (good_before(&table, 4.0), good_before(&table, 50.0), good_before(&table, 120.0)),
            (None, None, None)
        );
        assert_eq!((good_before(&table, 7.0), good_before(&table, 101.5)), (Some(2.0), Some(11.5)));
        assert_eq!((time_at(&table, 2.0), time_at(&table, 11.5), time_at(&table, 30.0)), (7.0, 101.5, 120.0));
    }

    #[test]
    fn a_gap_is_told_from_few_events() {
        let gap = |events: &[f64]| {
            let mut cells = Cells::new(0.0, 100.0);
            events.iter().for_each(|&t| cells.add(t));
            cells.gap().map(|gap| (gap.start, gap.stop, gap.before, gap.behind))
        };
        let early: Vec<f64> = (0..40).map(f64::from).collect();
        assert_eq!(gap(&early), Some((39.0, 100.0, 40, 0)));
        assert_eq!(gap(&[&early[..], &[99.0]].concat()), Some((39.0, 99.0, 40, 1)));
        // Less than half of all.
        assert_eq!(gap(&[&early[..], &[60.0]].concat()), None);
        assert_eq!(gap(&early[..29]), None);
    }
}

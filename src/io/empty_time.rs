//! Good time without events, found before the work: stray times or a damaged interval make light curves and segments of nothing.
//!
//! What is measured is the part of the time that long gaps take, together. Of N events of a steady source a gap that is longer than x/N of the time
//! comes with a probability below N·e^(−x): one of more than 30/N of it is no chance, however faint the source is, and of the time less than a
//! half is in gaps that are shorter than 1/64 of all. A source that flares may have such gaps, too.
#![expect(clippy::indexing_slicing, reason = "cells are numbered below their count")]

use super::events::EventFile;
use super::input_file::in_order;
use crate::base::error::Result;
use crate::base::mend::Mend;
use crate::base::text::{ShortNumber, count};
use crate::base::time::DoubleDouble;
use crate::base::warning::{Warning, Warnings};

/// Fewest events that tell of a gap, and the mean numbers of events in gaps that are no chance.
const FEWEST: u64 = 30;
/// The least part of the time that a long gap has.
const LONG: f64 = 1.0 / 64.0;
/// Rows that are looked at before all are: of a steady source few of them are as far apart as [`LONG`].
const SAMPLES: usize = 256;
/// Pieces of the time in which events are counted.
const CELLS: usize = 1 << 16;
/// Events beyond a gap that are strays; of more the time is kept.
const STRAYS: u64 = 9;
/// Times at which gaps are left out, some inside what others leave.
const MOST_CUTS: usize = 64;
/// Rows that are worth another thread.
const ROWS_OF_A_THREAD: usize = 1 << 20;

/// Events in pieces of equal length, and the first and the last place of each piece.
struct Cells {
    from: f64,
    to: f64,
    ends: Vec<(f64, f64)>,
    events: Vec<u64>,
}

/// Pieces without an event.
#[derive(Clone, Copy, Debug, PartialEq)]
struct Gap {
    start: f64,
    stop: f64,
}

/// Gaps that together are more than half of the time, and what is between them.
struct Gaps {
    /// In order.
    gaps: Vec<Gap>,
    /// Pieces of the time with their events, one more than there are gaps.
    between: Vec<(f64, f64, u64)>,
}

impl Gap {
    fn length(&self) -> f64 {
        self.stop - self.start
    }
}

impl Gaps {
    fn length(&self) -> f64 {
        self.gaps.iter().map(Gap::length).sum()
    }

    /// The longest; gaps are never none.
    fn longest(&self) -> Gap {
        self.gaps
            .iter()
            .copied()
            .max_by(|a, b| a.length().total_cmp(&b.length()))
            .unwrap_or(Gap { start: 0.0, stop: 0.0 })
    }
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

    /// Adds what others counted in the same pieces.
    fn merge(&mut self, other: &Cells) {
        for cell in (0..CELLS).filter(|&cell| other.events[cell] > 0) {
            let ((first, last), (a, b)) = (self.ends[cell], other.ends[cell]);
            self.ends[cell] = (first.min(a), last.max(b));
            self.events[cell] += other.events[cell];
        }
    }

    /// The gaps that are longer than half of the time, or than [`LONG`] of it and than chance makes them of `events`, where they are together more than
    /// half of the time.
    fn gaps(&self, events: u64) -> Option<Gaps> {
        let (all, length) = (self.events.iter().sum::<u64>(), self.to - self.from);
        if all < FEWEST {
            return None;
        }
        let long = length * LONG.max(FEWEST as f64 / events as f64).min(0.5);
        let (mut found, mut last, mut begin, mut own) =
            (Gaps { gaps: Vec::new(), between: Vec::new() }, self.from, self.from, 0);
        let filled = (0..CELLS).filter(|&cell| self.events[cell] > 0);
        for (start, stop, events) in
            filled.map(|cell| (self.ends[cell].0, self.ends[cell].1, self.events[cell])).chain([(self.to, self.to, 0)])
        {
            if start - last > long {
                found.gaps.push(Gap { start: last, stop: start });
                found.between.push((begin, last, own));
                (begin, own) = (start, 0);
            }
            (last, own) = (stop, own + events);
        }
        found.between.push((begin, self.to, own));
        (found.length() > 0.5 * length).then_some(found)
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
        let (mut waiting, mut spans, mut cuts) = (vec![(first, last)], Vec::new(), 0);
        while let Some((from, to)) = waiting.pop() {
            let found = match to > from && cuts < MOST_CUTS {
                true => self.cells(from, to, Some)?,
                false => Cells::new(from, to),
            };
            let Some(gaps) = found.gaps(found.events.iter().sum()) else {
                spans.push((from, to));
                continue;
            };
            cuts += 1;
            let (longest, offset) = (gaps.longest(), self.clock.event_offset.value());
            let strays = gaps.between.iter().map(|(.., events)| *events).filter(|&events| events <= STRAYS).sum();
            let (several, place) = match gaps.gaps.len() {
                1 => (String::new(), "beyond it"),
                n => (format!(" in {n} gaps, the longest"), "between them"),
            };
            let left = if strays == 0 { String::new() } else { format!(", and {} {place}", count(strays, "event")) };
            let message = format!(
                "{}: no event{several} from {} to {} s, {} of the {} s of the span: that time is left out{left}",
                self.path(),
                longest.start + offset,
                longest.stop + offset,
                ShortNumber(gaps.length()),
                ShortNumber(to - from)
            );
            let mend = [Mend::field("gti").doing("says what is good"), Mend::field("time").doing("takes a part")];
            warnings.record(Warning::new("W-SPAN-GAP", message).mended_by(mend));
            let kept = gaps.between.into_iter().filter(|(.., events)| *events > STRAYS);
            waiting.extend(kept.map(|(from, to, _)| (from, to)));
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
        // Rows that are left out make gaps longer and no shorter, and chance makes some of so few.
        if few.gaps(u64::MAX).is_none() {
            return Ok(());
        }
        let all = self.cells(0.0, good, place)?;
        let Some(gaps) = all.gaps(all.events.iter().sum()) else { return Ok(()) };
        let (longest, n) = (gaps.longest(), gaps.gaps.len());
        let several = if n > 1 { format!("in {n} gaps, the longest ") } else { String::new() };
        let message = format!(
            "{}: {} of the {} s of good time, {several}from {} to {} s, have no event: an interval or a time may be wrong",
            self.path(),
            ShortNumber(gaps.length()),
            ShortNumber(good),
            time_at(&starts, longest.start),
            time_at(&starts, longest.stop)
        );
        let mend = [Mend::field("time").doing("takes a part"), Mend::field("gti").doing("takes others")];
        warnings.record(Warning::new("W-MOSTLY-EMPTY", message).mended_by(mend));
        Ok(())
    }

    /// Where the events of all rows are, by what `place` makes of their raw times.
    fn cells(&self, from: f64, to: f64, place: impl Fn(f64) -> Option<f64> + Sync) -> Result<Cells> {
        let parts = (self.rows() / ROWS_OF_A_THREAD).clamp(1, 2 * rayon::current_num_threads()) as u64;
        let one = |times: &mut Vec<f64>, part: u64| {
            let at = |part: u64| (self.rows() as u128 * u128::from(part) / u128::from(parts)) as usize;
            let mut cells = Cells::new(from, to);
            self.table.each_piece(at(part)..at(part + 1), |piece| {
                times.clear();
                self.decode_times(piece, times);
                times.iter().filter_map(|&t| place(t)).for_each(|place| cells.add(place));
            })?;
            Ok(cells)
        };
        let mut found = in_order(parts, Vec::new, one)?.into_iter();
        let mut all = found.next().unwrap_or_else(|| Cells::new(from, to));
        found.for_each(|other| all.merge(&other));
        Ok(all)
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
        let gaps = |events: &[f64]| {
            let mut cells = Cells::new(0.0, 100.0);
            events.iter().for_each(|&t| cells.add(t));
            let found = cells.gaps(events.len() as u64)?;
            let bounds: Vec<(f64, f64)> = found.gaps.iter().map(|gap| (gap.start, gap.stop)).collect();
            Some((bounds, found.between.iter().map(|(.., events)| *events).collect::<Vec<u64>>()))
        };
        let early: Vec<f64> = (0..40).map(f64::from).collect();
        assert_eq!(gaps(&early), Some((vec![(39.0, 100.0)], vec![40, 0])));
        assert_eq!(gaps(&[&early[..], &[99.0]].concat()), Some((vec![(39.0, 99.0)], vec![40, 1])));
        // Less than half of all.
        assert_eq!(gaps(&[&early[..], &[60.0]].concat()), None);
        assert_eq!(gaps(&early[..29]), None);
        // Of many events in few places no gap is half of all.
        let dense: Vec<f64> = (0..4000).map(|i| 30.0 + f64::from(i) * 1e-3).collect();
        let strays = [&[0.0, 15.0], &dense[..], &[50.0, 70.0, 99.0]].concat();
        let bounds = vec![(0.0, 15.0), (15.0, 30.0), (dense[3999], 50.0), (50.0, 70.0), (70.0, 99.0)];
        assert_eq!(gaps(&strays), Some((bounds, vec![1, 1, 4000, 1, 1, 1])));
        // A steady source, and one that is seen in half of each of many pieces.
        let steady: Vec<f64> = (0..4000).map(|i| f64::from(i) * 0.025).collect();
        assert_eq!(gaps(&steady), None);
        let pieces: Vec<f64> = steady.iter().copied().filter(|t| t % 1.0 < 0.4).collect();
        assert_eq!(gaps(&pieces), None);
    }
}

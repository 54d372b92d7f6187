//! Good time intervals, and how they are joined, cut and intersected.

use crate::base::error::{Error, Result};
use crate::base::mend::Mend;
use crate::base::time::DoubleDouble;
use crate::base::warning::Warnings;

/// The most pieces that intervals are cut into.
const MOST_PIECES: f64 = (1u64 << 28) as f64;

/// Good time intervals (GTIs): times when the instrument observed. Sorted, disjoint, none empty; seconds from the
/// reference epoch MJDREF of the file that they belong to (the frame), in double-double. An event at `t` is inside when
/// `start ≤ t < stop`.
#[derive(Clone, Debug, Default, PartialEq)]
#[non_exhaustive]
pub struct Gti {
    intervals: Vec<(DoubleDouble, DoubleDouble)>,
}

impl Gti {
    /// Orders the intervals `raw`, seconds of the frame, that were found in `path`. Warns of unsorted and of
    /// overlapping intervals. Overlapping intervals become one; touching ones too, unless `keep_touching` (as Stingray
    /// keeps them).
    ///
    /// # Errors
    /// There is no interval, a bound is not finite, a start is after its stop, or all intervals have length zero.
    #[doc(hidden)]
    pub fn new(
        path: &str,
        mut raw: Vec<(DoubleDouble, DoubleDouble)>,
        keep_touching: bool,
        warnings: &mut Warnings,
    ) -> Result<Gti> {
        let fail = |message: String| Error::gti(path, message);
        for (i, (start, stop)) in raw.iter().enumerate() {
            if !start.is_finite() || !stop.is_finite() {
                return Err(fail(format!("row {} is not finite: {} to {}", i + 1, start.hi, stop.hi)));
            }
            if start > stop {
                return Err(fail(format!("row {} starts at {} s, after its stop at {} s", i + 1, start.hi, stop.hi)));
            }
        }
        if raw.windows(2).any(|w| w[0].0 > w[1].0) {
            warnings.push("W-GTI-UNSORTED", format!("{path}: the good time intervals were out of order; sorted"));
            raw.sort_by(|a, b| a.0.partial_cmp(&b.0).unwrap_or(std::cmp::Ordering::Equal));
        }
        // In place: there may be many.
        let (mut intervals, mut overlaps) = (raw, 0);
        intervals.retain(|(start, stop)| start < stop);
        intervals.dedup_by(|(start, stop), last| {
            let one = *start < last.1 || (*start == last.1 && !keep_touching);
            if one {
                overlaps += u64::from(*start < last.1);
                if *stop > last.1 {
                    last.1 = *stop;
                }
            }
            one
        });
        warnings.add("W-GTI-OVERLAP", format!("{path}: overlapping good time intervals were merged"), overlaps);
        if intervals.is_empty() {
            return Err(fail("there are none, so the exposure is zero".into())
                .mended_by([Mend::set("gti", "span").doing("the whole span of the events")]));
        }
        Ok(Gti { intervals })
    }

    /// Good time intervals from pairs of start and stop in seconds of the frame, ordered and merged as [`Gti::new`]
    /// does.
    ///
    /// # Errors
    /// See [`Gti::new`].
    pub fn from_seconds(intervals: &[(f64, f64)]) -> Result<Gti> {
        let raw =
            intervals.iter().map(|&(start, stop)| (DoubleDouble::from(start), DoubleDouble::from(stop))).collect();
        Gti::new("intervals", raw, false, &mut Warnings::default())
    }

    /// Intervals that are known to be in order.
    pub(crate) fn from_sorted(intervals: &[(DoubleDouble, DoubleDouble)]) -> Gti {
        Gti { intervals: intervals.to_vec() }
    }

    /// The intervals as pairs of start and stop, seconds of the frame, ascending.
    pub fn intervals(&self) -> &[(DoubleDouble, DoubleDouble)] {
        &self.intervals
    }

    /// Start of the first interval and stop of the last one; `None` if there is no interval.
    pub fn ends(&self) -> Option<(DoubleDouble, DoubleDouble)> {
        Some((self.intervals.first()?.0, self.intervals.last()?.1))
    }

    /// Sum of the lengths of all intervals, s.
    pub fn exposure(&self) -> f64 {
        self.intervals.iter().fold(DoubleDouble::ZERO, |sum, (start, stop)| sum + (*stop - *start)).value()
    }

    /// Length of the longest interval, s.
    pub fn longest(&self) -> f64 {
        self.intervals.iter().map(|(start, stop)| (*stop - *start).value()).fold(0.0, f64::max)
    }

    /// The time that is good in both lists; may be empty.
    #[must_use]
    pub fn intersect(&self, other: &Gti) -> Gti {
        let mut intervals = Vec::new();
        let (mut i, mut j) = (0, 0);
        while let (Some(a), Some(b)) = (self.intervals.get(i), other.intervals.get(j)) {
            let start = if a.0 > b.0 { a.0 } else { b.0 };
            let stop = if a.1 < b.1 { a.1 } else { b.1 };
            if start < stop {
                intervals.push((start, stop));
            }
            if a.1 < b.1 { i += 1 } else { j += 1 }
        }
        Gti { intervals }
    }

    /// All intervals moved by `shift` seconds.
    #[must_use]
    pub fn shifted(&self, shift: DoubleDouble) -> Gti {
        Gti { intervals: self.intervals.iter().map(|&(start, stop)| (start + shift, stop + shift)).collect() }
    }

    /// The intervals shortened by `margin` seconds at both ends. Only those that still are at least `shortest` seconds
    /// long remain; may be empty.
    #[must_use]
    pub fn trimmed(&self, margin: f64, shortest: f64) -> Gti {
        let margin = DoubleDouble::from(margin);
        let intervals = self.intervals.iter().map(|&(start, stop)| (start + margin, stop - margin));
        Gti {
            intervals: intervals.filter(|(start, stop)| start < stop && (*stop - *start).value() >= shortest).collect(),
        }
    }

    /// The time that is good in either list. Intervals that touch become one.
    #[must_use]
    pub fn union(&self, other: &Gti) -> Gti {
        Gti::union_of([self, other])
    }

    /// The time that is good in any of some lists.
    #[must_use]
    pub(crate) fn union_of<'a>(lists: impl IntoIterator<Item = &'a Gti>) -> Gti {
        let mut all: Vec<(DoubleDouble, DoubleDouble)> =
            lists.into_iter().flat_map(|list| &list.intervals).copied().collect();
        // Bounds are finite, so the comparison never fails.
        all.sort_by(|a, b| a.0.partial_cmp(&b.0).unwrap_or(std::cmp::Ordering::Equal));
        Gti { intervals: joined(all) }
    }

    /// The time in `start ≤ t < stop` that no interval covers; may be empty.
    #[must_use]
    pub fn complement(&self, start: DoubleDouble, stop: DoubleDouble) -> Gti {
        let mut intervals = Vec::new();
        let mut from = start;
        for &(a, b) in &self.intervals {
            let to = if a < stop { a } else { stop };
            if from < to {
                intervals.push((from, to));
            }
            if b > from {
                from = b;
            }
        }
        if from < stop {
            intervals.push((from, stop));
        }
        Gti { intervals }
    }

    /// The intervals in which a sampled condition is true: sample `i` covers `times[i] ± dt/2` (s). Neighbouring
    /// samples whose edges are at most `dt/1000` apart make one interval. There is no interval if the condition is
    /// never true.
    ///
    /// # Errors
    /// `times` and `good` differ in length, `dt` is not positive, or the times are not finite and ascending.
    pub fn from_condition(times: &[f64], good: &[bool], dt: f64) -> Result<Gti> {
        if times.len() != good.len() {
            let message = format!("there are {} times", times.len());
            return Err(Error::argument("good", format!("{} values", good.len()), message));
        }
        if !(dt.is_finite() && dt > 0.0) {
            return Err(Error::argument("dt", dt, "must be a positive number of seconds"));
        }
        let ordered = |w: &[f64]| w[0] <= w[1] && w[1].is_finite();
        if times.first().is_some_and(|t| !t.is_finite()) || !times.windows(2).all(ordered) {
            return Err(Error::argument("times", times.len(), "values must be finite and in order"));
        }
        let mut intervals: Vec<(DoubleDouble, DoubleDouble)> = Vec::new();
        for (&t, _) in times.iter().zip(good).filter(|(_, good)| **good) {
            let (start, stop) = (DoubleDouble::sum(t, -dt / 2.0), DoubleDouble::sum(t, dt / 2.0));
            match intervals.last_mut() {
                Some(last) if (start - last.1).value() <= 1e-3 * dt => last.1 = stop,
                _ => intervals.push((start, stop)),
            }
        }
        Ok(Gti { intervals })
    }

    /// Splits the good time into consecutive pieces with `exposure` seconds of good time each. Intervals are cut where
    /// a piece is full; the last piece may be shorter.
    ///
    /// # Errors
    /// `exposure` is not positive, or so short that there would be too many pieces or that it is lost in the rounding
    /// of the times.
    pub fn split_by_exposure(&self, exposure: f64) -> Result<Vec<Gti>> {
        if !(exposure.is_finite() && exposure > 0.0) {
            return Err(Error::argument("exposure", exposure, "must be a positive number of seconds"));
        }
        if self.exposure() / exposure > MOST_PIECES {
            let message = format!("makes more than {MOST_PIECES} pieces of {} s", self.exposure());
            return Err(Error::argument("exposure", exposure, message));
        }
        let mut pieces = Vec::new();
        let (mut piece, mut room) = (Gti::default(), DoubleDouble::from(exposure));
        for &(start, stop) in &self.intervals {
            let mut from = start;
            while from < stop {
                let end = from + room;
                if end <= from {
                    let message = format!("is lost in the rounding of times near {} s", from.value());
                    return Err(Error::argument("exposure", exposure, message));
                }
                if end > stop {
                    piece.intervals.push((from, stop));
                    room = room - (stop - from);
                    break;
                }
                piece.intervals.push((from, end));
                pieces.push(std::mem::take(&mut piece));
                (from, room) = (end, DoubleDouble::from(exposure));
            }
        }
        if !piece.is_empty() {
            pieces.push(piece);
        }
        Ok(pieces)
    }

    /// Splits the intervals into groups at every gap of `gap` seconds or more. Shorter gaps stay inside a group.
    #[must_use]
    pub fn split_at_gaps(&self, gap: f64) -> Vec<Gti> {
        let mut groups: Vec<Gti> = Vec::new();
        for &(start, stop) in &self.intervals {
            let near = |g: &Gti| g.intervals.last().is_some_and(|last| (start - last.1).value() < gap);
            match groups.last_mut() {
                Some(group) if near(group) => group.intervals.push((start, stop)),
                _ => groups.push(Gti { intervals: vec![(start, stop)] }),
            }
        }
        groups
    }

    /// True if the time `t` (seconds of the frame) lies in one of the intervals.
    pub fn contains(&self, t: DoubleDouble) -> bool {
        let after = self.intervals.partition_point(|&(start, _)| start <= t);
        after > 0 && t < self.intervals[after - 1].1
    }

    /// True if there is no interval.
    pub fn is_empty(&self) -> bool {
        self.intervals.is_empty()
    }
}

/// Sorted intervals with those that touch or overlap made one.
fn joined(mut sorted: Vec<(DoubleDouble, DoubleDouble)>) -> Vec<(DoubleDouble, DoubleDouble)> {
    sorted.dedup_by(|(start, stop), last| {
        let one = *start <= last.1;
        if one && *stop > last.1 {
            last.1 = *stop;
        }
        one
    });
    sorted
}

#[cfg(test)]
mod tests {
    use super::*;

    fn gti(list: &[(f64, f64)]) -> Result<(Gti, Warnings)> {
        let mut warnings = Warnings::default();
        let raw = list.iter().map(|&(a, b)| (DoubleDouble::from(a), DoubleDouble::from(b))).collect();
        Gti::new("test", raw, false, &mut warnings).map(|g| (g, warnings))
    }

    #[test]
    fn touching_and_overlapping_intervals_become_one() {
        let (g, w) = gti(&[(0.0, 10.0), (10.0, 20.0), (15.0, 30.0), (40.0, 50.0), (42.0, 43.0)]).unwrap();
        assert_eq!(g.intervals().len(), 2);
        assert_eq!(g.exposure(), 40.0);
        assert_eq!(w.iter().map(|w| (&*w.code, w.count)).collect::<Vec<_>>(), [("W-GTI-OVERLAP", 2)]);
    }

    #[test]
    fn unsorted_is_sorted_with_a_warning_and_nonsense_refused() {
        let (g, w) = gti(&[(20.0, 30.0), (0.0, 10.0)]).unwrap();
        assert_eq!(g.intervals()[0].0.hi, 0.0);
        assert_eq!(w.iter().next().unwrap().code, "W-GTI-UNSORTED");
        for bad in [&[(5.0, 1.0)][..], &[(0.0, f64::NAN)], &[], &[(3.0, 3.0)]] {
            assert!(gti(bad).is_err(), "{bad:?}");
        }
    }

    #[test]
    fn intersection_and_trimming() {
        let a = gti(&[(0.0, 10.0), (20.0, 30.0)]).unwrap().0;
        let b = gti(&[(5.0, 25.0)]).unwrap().0;
        assert_eq!(a.intersect(&b), gti(&[(5.0, 10.0), (20.0, 25.0)]).unwrap().0);
        assert_eq!(a.trimmed(1.0, 8.0), gti(&[(1.0, 9.0), (21.0, 29.0)]).unwrap().0);
        assert!(a.trimmed(0.0, 11.0).is_empty());
    }
}

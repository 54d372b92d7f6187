//! Owned data of the library's users: good time intervals, ranges of channels, and where the photons went.

use crate::error::{Error, Result};
use crate::time::Dd;
use crate::warning::Warnings;

/// Good time intervals: sorted, disjoint, `start < stop`, seconds of one frame. An event at `t` is inside when
/// `start ≤ t < stop`.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Gti {
    intervals: Vec<(Dd, Dd)>,
}

impl Gti {
    /// Checks and orders intervals as found in `path`. Unsorted and overlapping ones are warned of; overlapping ones are
    /// merged, touching ones too unless `keep_touching` (the peer's rule).
    ///
    /// # Errors
    /// No interval, a bound that is not finite, a start after its stop, or nothing but intervals of no length.
    pub fn new(path: &str, mut raw: Vec<(Dd, Dd)>, keep_touching: bool, warnings: &mut Warnings) -> Result<Gti> {
        let fail = |message: String| Error::Gti { path: path.to_string(), message };
        for (i, (start, stop)) in raw.iter().enumerate() {
            if !start.is_finite() || !stop.is_finite() {
                return Err(fail(format!("row {i} is not finite: {} to {}", start.hi, stop.hi)));
            }
            if start > stop {
                return Err(fail(format!("row {i} starts at {} s, after its stop at {} s", start.hi, stop.hi)));
            }
        }
        if raw.windows(2).any(|w| w[0].0 > w[1].0) {
            warnings.push("W-GTI-UNSORTED", format!("{path}: the good time intervals were out of order; sorted"));
            raw.sort_by(|a, b| a.0.partial_cmp(&b.0).expect("checked to be finite"));
        }
        let mut intervals: Vec<(Dd, Dd)> = Vec::with_capacity(raw.len());
        let mut overlaps = 0;
        for (start, stop) in raw.into_iter().filter(|(start, stop)| start < stop) {
            match intervals.last_mut() {
                Some(last) if start < last.1 || (start == last.1 && !keep_touching) => {
                    overlaps += u64::from(start < last.1);
                    if stop > last.1 {
                        last.1 = stop;
                    }
                }
                _ => intervals.push((start, stop)),
            }
        }
        warnings.add("W-GTI-OVERLAP", format!("{path}: overlapping good time intervals were merged"), overlaps);
        if intervals.is_empty() {
            return Err(fail(
                "there are none, so the exposure is zero; --no-gti uses the whole span of the events".into(),
            ));
        }
        Ok(Gti { intervals })
    }

    /// Intervals in seconds, ordered and merged as needed.
    ///
    /// # Errors
    /// See [`Gti::new`].
    pub fn from_seconds(intervals: &[(f64, f64)]) -> Result<Gti> {
        let raw = intervals.iter().map(|&(start, stop)| (Dd::from(start), Dd::from(stop))).collect();
        Gti::new("intervals", raw, false, &mut Warnings::default())
    }

    /// The intervals.
    pub fn intervals(&self) -> &[(Dd, Dd)] {
        &self.intervals
    }

    /// Start of the first and stop of the last; `None` without intervals.
    pub fn ends(&self) -> Option<(Dd, Dd)> {
        Some((self.intervals.first()?.0, self.intervals.last()?.1))
    }

    /// Sum of their lengths, s.
    pub fn exposure(&self) -> f64 {
        self.intervals.iter().fold(Dd::ZERO, |sum, (start, stop)| sum + (*stop - *start)).value()
    }

    /// Length of the longest, s.
    pub fn longest(&self) -> f64 {
        self.intervals.iter().map(|(start, stop)| (*stop - *start).value()).fold(0.0, f64::max)
    }

    /// The parts that both have; may be empty.
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

    /// All intervals moved by `shift` s.
    pub fn shifted(&self, shift: Dd) -> Gti {
        Gti { intervals: self.intervals.iter().map(|&(start, stop)| (start + shift, stop + shift)).collect() }
    }

    /// Intervals shortened by `margin` s at both ends, and only those at least `shortest` s long then; may be empty.
    pub fn trimmed(&self, margin: f64, shortest: f64) -> Gti {
        let margin = Dd::from(margin);
        let intervals = self.intervals.iter().map(|&(start, stop)| (start + margin, stop - margin));
        Gti {
            intervals: intervals.filter(|(start, stop)| start < stop && (*stop - *start).value() >= shortest).collect(),
        }
    }

    /// True when no interval is left.
    pub fn is_empty(&self) -> bool {
        self.intervals.is_empty()
    }
}

/// Inclusive ranges of channel values that a selection keeps.
#[derive(Clone, Copy, Debug, PartialEq, serde::Serialize)]
pub struct ChannelRange {
    /// Smallest channel kept (or energy, for energy columns).
    pub lo: f64,
    /// Largest channel kept; for energy columns the first one no longer kept.
    pub hi: f64,
    /// The same for detector 0, where its scale differs (RXTE's PCU 0).
    pub detector0: Option<(f64, f64)>,
    /// True when `hi` itself is kept.
    pub closed: bool,
}

impl ChannelRange {
    /// Channels `lo ..= hi`.
    pub fn channels(lo: f64, hi: f64) -> ChannelRange {
        ChannelRange { lo, hi, detector0: None, closed: true }
    }

    /// True when an event of this channel and detector is kept. A masked channel (NaN) is not.
    #[inline]
    pub fn keeps(&self, channel: f64, detector: f64) -> bool {
        let (lo, hi) = match self.detector0 {
            Some(range) if detector == 0.0 => range,
            _ => (self.lo, self.hi),
        };
        channel >= lo && (channel < hi || (self.closed && channel == hi))
    }
}

/// Where the photons went: every row read is in exactly one of the other fields.
#[derive(Clone, Debug, Default, PartialEq, Eq, serde::Serialize)]
pub struct Balance {
    /// Rows read.
    pub read: u64,
    /// In a bin of a segment that counts.
    pub used: u64,
    /// Outside every good time interval.
    pub outside_gti: u64,
    /// Inside a good time interval, but in no segment.
    pub outside_segments: u64,
    /// In segments that were skipped.
    pub in_skipped_segments: u64,
    /// Not of the selected energies or detectors.
    pub filtered: u64,
    /// Rows that are no photons (clock rows).
    pub not_photons: u64,
    /// Times that are not finite.
    pub dropped: u64,
    /// In a segment, but beyond its last bin by rounding.
    pub dropped_edge: u64,
}

impl Balance {
    /// True when every row is accounted for.
    pub fn is_exact(&self) -> bool {
        let parts = [
            self.used,
            self.outside_gti,
            self.outside_segments,
            self.in_skipped_segments,
            self.filtered,
            self.not_photons,
            self.dropped,
            self.dropped_edge,
        ];
        parts.iter().sum::<u64>() == self.read
    }

    /// Adds another file's.
    pub fn add(&mut self, other: &Balance) {
        self.read += other.read;
        self.used += other.used;
        self.outside_gti += other.outside_gti;
        self.outside_segments += other.outside_segments;
        self.in_skipped_segments += other.in_skipped_segments;
        self.filtered += other.filtered;
        self.not_photons += other.not_photons;
        self.dropped += other.dropped;
        self.dropped_edge += other.dropped_edge;
    }
}

impl std::fmt::Display for Balance {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "{} read = {} used", self.read, self.used)?;
        let parts = [
            (self.outside_gti, "outside GTIs"),
            (self.outside_segments, "outside segments"),
            (self.in_skipped_segments, "in skipped segments"),
            (self.filtered, "filtered"),
            (self.not_photons, "not photons"),
            (self.dropped, "without a finite time"),
            (self.dropped_edge, "beyond the last bin"),
        ];
        parts.iter().filter(|(count, _)| *count > 0).try_for_each(|(count, what)| write!(f, " + {count} {what}"))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn gti(list: &[(f64, f64)]) -> Result<(Gti, Warnings)> {
        let mut warnings = Warnings::default();
        let raw = list.iter().map(|&(a, b)| (Dd::from(a), Dd::from(b))).collect();
        Gti::new("test", raw, false, &mut warnings).map(|g| (g, warnings))
    }

    #[test]
    fn touching_and_overlapping_intervals_become_one() {
        let (g, w) = gti(&[(0.0, 10.0), (10.0, 20.0), (15.0, 30.0), (40.0, 50.0), (42.0, 43.0)]).unwrap();
        assert_eq!(g.intervals().len(), 2);
        assert_eq!(g.exposure(), 40.0);
        assert_eq!(w.iter().map(|w| (w.code, w.count)).collect::<Vec<_>>(), [("W-GTI-OVERLAP", 2)]);
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

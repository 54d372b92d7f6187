//! Dead time of the detectors in a simulation.

use serde::Serialize;

use super::event::{Arrival, Event};
use super::stream::Stream;
use crate::base::error::{Error, Result};
use crate::science::DeadTimeKind;

/// Dead time of the detectors of a simulation.
///
/// Those of RXTE (PCUs) and NICER (FPMs) are dead each by itself; elsewhere an event blocks the whole instrument.
/// Detectors are live at the end of a gap. Which events are lost depends on their times of arrival, before these are
/// rounded to clock or frames.
#[derive(Clone, Copy, Debug, PartialEq, Serialize)]
pub struct DeadTime {
    /// Whether events that arrive during dead time prolong it.
    pub kind: DeadTimeKind,
    /// How long the dead time is.
    pub length: DeadTimeLength,
}

/// How long an event makes its detector dead.
#[derive(Clone, Copy, Debug, PartialEq, Serialize)]
#[serde(rename_all = "lowercase")]
#[non_exhaustive]
pub enum DeadTimeLength {
    /// The same time for every event, s.
    Constant(f64),
    /// A random time for each event, uniform between the two, s.
    Uniform(f64, f64),
}

impl DeadTime {
    pub(super) fn validate(&self) -> Result<()> {
        let (lo, hi) = match self.length {
            DeadTimeLength::Constant(seconds) => (seconds, seconds),
            DeadTimeLength::Uniform(lo, hi) => (lo, hi),
        };
        if lo >= 0.0 && lo <= hi && hi.is_finite() {
            return Ok(());
        }
        let value = if lo == hi { lo.to_string() } else { format!("{lo} to {hi}") };
        let message = "a dead time is 0 s or longer, and its range has the shorter time first";
        Err(Error::argument("dead_time", value, message))
    }

    /// Dead times of the events of one block, in order.
    pub(super) fn lengths(self, seed: u64, block: u64) -> impl FnMut() -> f64 {
        let mut random = Stream::DeadTime(block).of(seed);
        move || match self.length {
            DeadTimeLength::Constant(seconds) => seconds,
            DeadTimeLength::Uniform(lo, hi) => lo + (hi - lo) * random.positive(),
        }
    }
}

/// Which of the sorted `times` (s) a detector records. `dead` has the dead time that an event causes, s: one number for
/// all, or one for each event.
///
/// Non-paralysable: an event is recorded if no recorded event before it still blocks. Paralysable: it is recorded if no
/// event before it does. An event at the very end of a dead time is recorded.
///
/// ```
/// use eagleray::science::DeadTimeKind::{NonParalysable, Paralysable};
/// use eagleray::simulate::dead_time::filter;
/// let times = [0.0, 0.75, 1.25, 2.5];
/// assert_eq!(filter(&times, &[1.0], NonParalysable)?, [true, false, true, true]);
/// assert_eq!(filter(&times, &[1.0], Paralysable)?, [true, false, false, true]);
/// # Ok::<(), eagleray::Error>(())
/// ```
///
/// # Errors
/// Times that are not finite or not sorted, or dead times that are negative, or neither one nor as many as there are
/// events.
pub fn filter(times: &[f64], dead: &[f64], kind: DeadTimeKind) -> Result<Vec<bool>> {
    if let Some(i) = times.iter().position(|t| !t.is_finite()) {
        return Err(Error::argument("times", times[i], format!("time {i} is not finite")));
    }
    if let Some(i) = times.windows(2).position(|w| w[0] > w[1]) {
        return Err(Error::argument("times", times[i + 1], format!("time {} is before the one before it", i + 1)));
    }
    if let Some(bad) = dead.iter().find(|d| !(**d >= 0.0 && d.is_finite())) {
        return Err(Error::argument("dead", bad, "a dead time must not be negative"));
    }
    let mut detector = Detector::default();
    match dead {
        [all] => Ok(times.iter().map(|&t| detector.records(t, *all, kind)).collect()),
        each if each.len() == times.len() => {
            Ok(times.iter().zip(each).map(|(&t, &dead)| detector.records(t, dead, kind)).collect())
        }
        _ => {
            let message = format!("dead times for {} events; give one, or one for each", times.len());
            Err(Error::argument("dead", dead.len(), message))
        }
    }
}

/// A detector that is dead for `dead` s from `from` on.
#[derive(Clone, Copy, Debug)]
struct Detector {
    from: f64,
    dead: f64,
}

impl Default for Detector {
    fn default() -> Detector {
        Detector { from: f64::NEG_INFINITY, dead: 0.0 }
    }
}

impl Detector {
    /// Whether an event at `t` is recorded; differences of times round less than sums with a dead time.
    fn records(&mut self, t: f64, dead: f64, kind: DeadTimeKind) -> bool {
        let since = t - self.from;
        let live = since >= self.dead;
        if live || (kind == DeadTimeKind::Paralysable && dead > self.dead - since) {
            *self = Detector { from: t, dead };
        }
        live
    }
}

/// The detectors of one simulation, from its first block to its last.
pub(super) struct Detectors {
    kind: DeadTimeKind,
    detectors: Vec<Detector>,
    alone: bool,
    /// Events in good time that were recorded, and that were lost.
    pub kept: u64,
    pub lost: u64,
}

impl Detectors {
    /// `alone`: an event makes its own detector dead alone.
    pub fn new(dead_time: DeadTime, alone: bool) -> Detectors {
        // A detector is numbered by a byte.
        Detectors {
            kind: dead_time.kind,
            detectors: vec![Detector::default(); if alone { 256 } else { 1 }],
            alone,
            kept: 0,
            lost: 0,
        }
    }

    /// The events of the next block that are recorded in good time.
    pub fn record(&mut self, arrivals: Vec<Arrival>) -> Vec<Event> {
        let mut events = Vec::with_capacity(arrivals.len());
        for Arrival { at, dead, good, event } in arrivals {
            let number = if self.alone { usize::from(event.detector) } else { 0 };
            let recorded = self.detectors[number].records(at, dead, self.kind);
            if good && recorded {
                events.push(event);
                self.kept += 1;
            } else if good {
                self.lost += 1;
            }
        }
        events
    }

    /// Recorded over all: the live part of the time as the photons saw it; 1 without photons.
    pub fn live(&self) -> f64 {
        if self.lost == 0 { 1.0 } else { self.kept as f64 / (self.kept + self.lost) as f64 }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use DeadTimeKind::{NonParalysable, Paralysable};

    #[test]
    fn each_event_blocks_for_its_own_time() {
        let times = [0.0, 1.0, 1.5, 3.0, 3.5, 3.5, 9.0];
        let each = [1.0, 5.0, 0.1, 0.5, 0.0, 9.0, 1.0];
        // 1.0 is at the very end of the first dead time, and blocks until 6.
        assert_eq!(filter(&times, &each, NonParalysable).unwrap(), [true, true, false, false, false, false, true]);
        // The lost one at 3.5 blocks until 12.5.
        assert_eq!(filter(&times, &each, Paralysable).unwrap(), [true, true, false, false, false, false, false]);
        // A short dead time does not end a longer one.
        assert_eq!(filter(&[0.0, 1.0, 2.0], &[3.0, 0.1, 0.1], Paralysable).unwrap(), [true, false, false]);
        assert_eq!(filter(&times, &[0.0], Paralysable).unwrap(), [true; 7]);
        assert!(filter(&[], &[1.0], Paralysable).unwrap().is_empty());
    }

    #[test]
    fn nonsense_is_refused() {
        for (times, dead) in [
            (&[1.0, 0.5][..], &[1.0][..]),
            (&[1.0, f64::NAN], &[1.0]),
            (&[1.0, 2.0], &[-1.0]),
            (&[1.0, 2.0], &[f64::NAN, 1.0]),
            (&[1.0, 2.0], &[]),
            (&[1.0, 2.0], &[1.0, 2.0, 3.0]),
        ] {
            assert!(filter(times, dead, NonParalysable).is_err(), "{times:?} {dead:?}");
        }
    }
}

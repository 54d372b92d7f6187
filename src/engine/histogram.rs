//! Counts of events in bins of time, and of energy.

use super::reader::edges as exact_edges;
use crate::base::time::DoubleDouble;
use crate::data::{ChannelRange, Gti};
use crate::io::KeptEvents;

/// Good time from `start` to `stop`, s.
pub(super) fn good_time_between(gti: &Gti, start: f64, stop: f64) -> f64 {
    let (start, stop) = (DoubleDouble::from(start), DoubleDouble::from(stop));
    let from = gti.intervals().partition_point(|(_, end)| *end <= start);
    let near = gti.intervals()[from..].iter().take_while(|(begin, _)| *begin < stop);
    near.map(|&(a, b)| ((if b < stop { b } else { stop }) - (if a > start { a } else { start })).value()).sum()
}

/// What a thread has counted.
#[derive(Default)]
pub(super) struct HistogramCounts {
    pub counts: Vec<u64>,
    pub used: u64,
    pub outside_gti: u64,
    pub outside_bins: u64,
    pub filtered: u64,
}

/// What a stretch of time between neighbouring edges belongs to.
#[derive(Clone, Copy, PartialEq)]
enum TimeBin {
    Bin(usize),
    NoBin,
    OutsideGti,
}

/// Edges of bins and of good time intervals in raw times, and what follows each.
pub(super) struct TimeBins {
    edges: Vec<f64>,
    places: Vec<TimeBin>,
    bands: EnergyBins,
}

impl TimeBins {
    pub fn new(times: &[f64], gti: &Gti, offset: DoubleDouble, bands: EnergyBins) -> TimeBins {
        let bins: Vec<f64> = times.iter().map(|&t| (DoubleDouble::from(t) - offset).ceil_f64()).collect();
        let intervals = exact_edges(gti, offset);
        let mut edges = bins.clone();
        edges.extend(intervals.iter().flat_map(|&(a, b)| [a, b]));
        edges.sort_by(f64::total_cmp);
        edges.dedup();
        let place = |&edge: &f64| {
            let interval = intervals.partition_point(|&(_, stop)| stop <= edge);
            if intervals.get(interval).is_none_or(|&(start, _)| edge < start) {
                return TimeBin::OutsideGti;
            }
            match bins.partition_point(|&bin| bin <= edge) {
                upto if upto == 0 || upto == bins.len() => TimeBin::NoBin,
                upto => TimeBin::Bin(upto - 1),
            }
        };
        let places = edges.iter().map(place).collect();
        TimeBins { edges, places, bands }
    }

    pub fn count(&self, mut kept: KeptEvents, found: &mut HistogramCounts) {
        if !kept.times.is_sorted() {
            return (0..kept.times.len()).for_each(|i| self.count(kept.part(i..i + 1), found));
        }
        while let Some(&first) = kept.times.first() {
            let after = self.edges.partition_point(|&edge| edge <= first);
            let here = self.edges.get(after).map_or(kept.times.len(), |&edge| below(kept.times, edge));
            let place = after.checked_sub(1).map_or(TimeBin::OutsideGti, |cell| self.places[cell]);
            self.bands.count(kept.part(0..here), place, found);
            kept = kept.part(here..kept.times.len());
        }
    }
}

/// How many of some sorted times are below `edge`: few of many, as a rule.
fn below(times: &[f64], edge: f64) -> usize {
    let mut reach = 1;
    while times.get(reach - 1).is_some_and(|&t| t < edge) {
        reach *= 2;
    }
    let (from, to) = (reach / 2, (reach - 1).min(times.len()));
    from + times[from..to].partition_point(|&t| t < edge)
}

/// Bins of energy by channel; those of detector 0 apart.
pub(super) struct EnergyBins {
    number: usize,
    others: ChannelBins,
    detector0: ChannelBins,
}

impl EnergyBins {
    pub fn new(bands: &[ChannelRange]) -> EnergyBins {
        let others = ChannelBins::new(bands, |band| (band.lo, band.hi));
        let detector0 = ChannelBins::new(bands, |band| band.detector0.unwrap_or((band.lo, band.hi)));
        EnergyBins { number: bands.len(), others, detector0 }
    }

    /// Counts events of one stretch of time.
    fn count(&self, kept: KeptEvents, place: TimeBin, found: &mut HistogramCounts) {
        let mut inside = kept.times.len() as u64;
        match place {
            TimeBin::Bin(bin) if self.number == 0 => found.counts[bin] += inside,
            _ if self.number == 0 => {}
            _ => {
                inside = 0;
                for (i, &channel) in kept.channels.iter().enumerate() {
                    let list = if kept.detectors.get(i) == Some(&0.0) { &self.detector0 } else { &self.others };
                    let Some(band) = list.find(channel) else { continue };
                    inside += 1;
                    if let TimeBin::Bin(bin) = place {
                        found.counts[bin * self.number + band] += 1;
                    }
                }
                found.filtered += kept.times.len() as u64 - inside;
            }
        }
        match place {
            TimeBin::Bin(_) => found.used += inside,
            TimeBin::NoBin => found.outside_bins += inside,
            TimeBin::OutsideGti => found.outside_gti += inside,
        }
    }
}

/// Ranges of channels that share none, by their lowest, and a table of the whole channels in them.
struct ChannelBins {
    ranges: Vec<(ChannelRange, usize)>,
    first: f64,
    table: Vec<Option<usize>>,
}

/// Entries of a table at most.
const MOST_CHANNELS: f64 = 65_536.0;

impl ChannelBins {
    fn new(bands: &[ChannelRange], bounds: impl Fn(&ChannelRange) -> (f64, f64)) -> ChannelBins {
        let one = |(i, band): (usize, &ChannelRange)| {
            let (lo, hi) = bounds(band);
            (ChannelRange { lo, hi, detector0: None, ..*band }, i)
        };
        let mut ranges: Vec<_> = bands.iter().enumerate().map(one).filter(|(band, _)| band.lo <= band.hi).collect();
        ranges.sort_by(|(a, _), (b, _)| a.lo.total_cmp(&b.lo));
        let ends = ranges.first().zip(ranges.last()).map(|((a, _), (b, _))| (a.lo.ceil(), b.hi.floor()));
        let (first, last) = ends.filter(|(first, last)| last - first < MOST_CHANNELS).unwrap_or((0.0, -1.0));
        let mut list = ChannelBins { ranges, first, table: Vec::new() };
        list.table = (0..(last - first + 1.0).max(0.0) as usize).map(|i| list.search(first + i as f64)).collect();
        list
    }

    #[inline]
    fn find(&self, channel: f64) -> Option<usize> {
        let place = (channel - self.first) as usize;
        match self.table.get(place) {
            Some(band) if self.first + place as f64 == channel => *band,
            _ => self.search(channel),
        }
    }

    fn search(&self, channel: f64) -> Option<usize> {
        let after = self.ranges.partition_point(|(band, _)| band.lo <= channel);
        let (band, number) = self.ranges.get(after.checked_sub(1)?)?;
        band.keeps(channel, -1.0).then_some(*number)
    }
}

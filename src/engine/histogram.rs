//! Histograms of events over any edges of time, and of energy: each byte read once, on all cores, in memory bounded by the bins.

use super::counts::{CountingOptions, each_kept, threads};
use super::options::Reading;
use super::reader::edges as exact_edges;
use super::{CHUNK_EVENTS, Combine, Events};
use crate::base::error::{Error, Result};
use crate::base::progress::Progress;
use crate::base::time::DoubleDouble;
use crate::base::warning::Warnings;
use crate::data::histogram::{EnergyAxis, HistogramMetadata};
use crate::data::{ChannelRange, Gti, Histogram, Record};
use crate::io::KeptEvents;

/// The most counts of one histogram: 1 GiB.
const MOST_COUNTS: usize = 1 << 27;

/// Options of a histogram of events.
#[derive(Clone, Debug, PartialEq, serde::Serialize)]
pub struct HistogramOptions {
    /// Edges of the time bins, ascending, seconds of the frame. They are recorded in the columns of the table, not in
    /// the metadata.
    #[serde(skip)]
    pub times: Vec<f64>,
    /// Edges of the energy bins, ascending, in keV or channels; empty for one bin of all energies.
    pub energies: Vec<f64>,
    /// What [`HistogramOptions::energies`] is given in.
    pub axis: EnergyAxis,
    /// How several inputs make one histogram: observations at different times (`Average`), or simultaneous detectors
    /// that are summed (`Merge`).
    pub combine: Combine,
    /// Number of rows read at a time. It limits memory, changes no result and is not recorded.
    #[serde(skip)]
    pub chunk_events: usize,
}

impl HistogramOptions {
    /// A histogram with these time bins and without energy bins.
    pub fn from_times(times: Vec<f64>) -> HistogramOptions {
        let (energies, axis) = (Vec::new(), EnergyAxis::None);
        HistogramOptions { times, energies, axis, combine: Combine::Average, chunk_events: CHUNK_EVENTS }
    }

    fn check(&self, inputs: usize, bands: &[Vec<ChannelRange>]) -> Result<()> {
        let check = |field: &str, edges: &[f64], least: usize| {
            let ascending = edges.windows(2).all(|w| w[0] < w[1]) && edges.iter().all(|e| e.is_finite());
            if !ascending || edges.len() < least || edges.len() == 1 {
                let message = "edges are finite numbers, each above the one before, two at least";
                return Err(Error::argument(field, edges.len(), message));
            }
            Ok(())
        };
        check("times", &self.times, 2)?;
        check("energies", &self.energies, 0)?;
        let (rows, columns) = (self.times.len() - 1, self.energies.len().saturating_sub(1));
        if bands.len() != inputs || bands.iter().any(|b| b.len() != columns) {
            return Err(Error::argument(
                "bands",
                bands.len(),
                "each input has a range of channels for each bin of energy",
            ));
        }
        if rows.saturating_mul(columns.max(1)) > MOST_COUNTS {
            let message =
                format!("makes {rows} bins of time and {columns} of energy; the most is {MOST_COUNTS} counts");
            return Err(Error::argument("times", rows, message));
        }
        Ok(())
    }
}

/// Counts the events inside good time intervals in bins of time, and optionally of energy. `bands[i]` has the channel
/// range of each energy bin for input `i`, or is empty for one bin of all energies. A bin holds `lo ≤ t < hi`, compared
/// exactly, with the time offset of the file included.
///
/// In the balance, events in no energy bin are `filtered`, events outside every interval `outside_gti`, events in no
/// time bin `outside_segments`.
///
/// # Errors
/// Edges that do not ascend; more than 2^27 bins in all; inputs that overlap without [`Combine::Merge`], or have no
/// time in common with it; energy bins for an input without channels; or a file cannot be read.
pub fn histogram_of_events(
    mut inputs: Vec<Events>,
    bands: &[Vec<ChannelRange>],
    options: &HistogramOptions,
    mut warnings: Warnings,
    progress: &Progress,
) -> Result<Histogram> {
    options.check(inputs.len(), bands)?;
    let gtis = super::combined_gtis(&inputs, options.combine, &mut warnings)?;
    let union = super::union_of(&inputs, &gtis, options.combine)?;
    let columns = options.energies.len().saturating_sub(1).max(1);
    let mut counts = vec![0; (options.times.len() - 1) * columns];
    let mut photons = crate::data::EventBalance::default();
    let reading = Reading { rows: options.chunk_events, progress };
    progress.begin(super::time_source::rows(&inputs));
    for ((input, gti), bands) in inputs.iter_mut().zip(&gtis).zip(bands) {
        let cells = TimeBins::new(&options.times, gti, input.offset, EnergyBins::new(bands));
        let size = counts.len();
        let values = !bands.is_empty();
        let way = CountingOptions { values, threads: threads(size * size_of::<u64>()) };
        let fresh = || HistogramCounts { counts: vec![0; size], ..HistogramCounts::default() };
        let (found, mut balance) = each_kept(input, &way, reading, fresh, |found, kept| cells.count(kept, found))?;
        for one in found {
            counts.iter_mut().zip(&one.counts).for_each(|(all, own): (&mut u64, &u64)| *all += own);
            balance.used += one.used;
            balance.outside_gti += one.outside_gti;
            balance.outside_segments += one.outside_bins;
            balance.filtered += one.filtered;
        }
        photons.add(&balance);
    }
    inputs.iter_mut().try_for_each(|input| input.inspect(&mut warnings))?;
    debug_assert!(photons.is_exact(), "{photons}");
    let exposure: Vec<f64> = options.times.windows(2).map(|w| good_time_between(&union, w[0], w[1])).collect();
    let mut made = super::time_source::describe(&inputs);
    for ((record, input), bands) in made.inputs.iter_mut().zip(&inputs).zip(bands) {
        if let Some((file, _)) = input.origin.as_ref().filter(|_| !bands.is_empty()) {
            record.channel_column = file.channel_name().unwrap_or_default().to_string();
        }
    }
    let nphots = photons.used;
    let gti = union.intervals().iter().map(|(a, b)| [a.value(), b.value()]).collect();
    let options_made = serde_json::to_value(options).unwrap_or_default();
    let record =
        Record { device: super::each_segment::device(), options: options_made, photons, warnings, gti, ..made };
    let (n, energies) = (exposure.len(), columns);
    let meta = HistogramMetadata { n, energies, nphots, exposure_total: exposure.iter().sum(), record };
    let (times, energies) = (options.times.clone(), options.energies.clone());
    Ok(Histogram { times, energies, axis: options.axis, counts, exposure, meta })
}

/// Good time from `start` to `stop`, s.
fn good_time_between(gti: &Gti, start: f64, stop: f64) -> f64 {
    let (start, stop) = (DoubleDouble::from(start), DoubleDouble::from(stop));
    let from = gti.intervals().partition_point(|(_, end)| *end <= start);
    let near = gti.intervals()[from..].iter().take_while(|(begin, _)| *begin < stop);
    near.map(|&(a, b)| ((if b < stop { b } else { stop }) - (if a > start { a } else { start })).value()).sum()
}

/// What a thread has counted.
#[derive(Default)]
struct HistogramCounts {
    counts: Vec<u64>,
    used: u64,
    outside_gti: u64,
    outside_bins: u64,
    filtered: u64,
}

/// What a stretch of time between neighbouring edges belongs to.
#[derive(Clone, Copy, PartialEq)]
enum TimeBin {
    Bin(usize),
    NoBin,
    OutsideGti,
}

/// Edges of bins and of good time intervals in raw times, and what follows each.
struct TimeBins {
    edges: Vec<f64>,
    places: Vec<TimeBin>,
    bands: EnergyBins,
}

impl TimeBins {
    fn new(times: &[f64], gti: &Gti, offset: DoubleDouble, bands: EnergyBins) -> TimeBins {
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

    fn count(&self, mut kept: KeptEvents, found: &mut HistogramCounts) {
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
struct EnergyBins {
    number: usize,
    others: ChannelBins,
    detector0: ChannelBins,
}

impl EnergyBins {
    fn new(bands: &[ChannelRange]) -> EnergyBins {
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

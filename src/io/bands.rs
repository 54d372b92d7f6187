//! Energy bands of one pass over a file: which bands an event is in is found once for each channel, not once for each
//! band.
#![expect(clippy::indexing_slicing, reason = "bands and cells are numbered here")]

use crate::base::error::{Error, Result};
use crate::data::ChannelRange;

/// Integer channels that a table is made for; others are searched for.
const TABLE_CHANNELS: f64 = (1 << 16) as f64;
/// Most bands that one pass parts events into.
const MOST_BANDS: usize = 65;

/// Bands that events are parted into by a pass each.
const FEW_BANDS: usize = 4;

/// Channels that are in the same bands; 0 are those in none.
pub(crate) type ChannelCell = u16;

/// Bands of channels; they may overlap.
#[derive(Debug)]
pub(crate) struct ChannelBands {
    ranges: Vec<ChannelRange>,
    /// The bands that have the channels of each cell.
    members: Vec<Vec<u8>>,
    /// The same as bits, where bands are few.
    masks: Vec<u8>,
    /// Detector 0, and the others.
    scales: [ChannelCells; 2],
}

/// Where the cells of one kind of detectors lie.
#[derive(Debug)]
struct ChannelCells {
    /// Cell `places[i]` holds the channels `edges[i] ≤ c < edges[i + 1]`.
    edges: Vec<f64>,
    places: Vec<ChannelCell>,
    /// The same for the integers from `base` on.
    table: Vec<ChannelCell>,
    base: f64,
}

impl ChannelBands {
    /// # Errors
    /// More bands than one pass takes.
    pub fn new(ranges: Vec<ChannelRange>) -> Result<ChannelBands> {
        if ranges.len() > MOST_BANDS {
            let message = format!("one pass parts events into at most {MOST_BANDS} bands");
            return Err(Error::argument("bands", ranges.len(), message));
        }
        let mut members = vec![Vec::new()];
        let scales = [true, false].map(|first| ChannelCells::new(&ranges, first, &mut members));
        let mask = |bands: &Vec<u8>| bands.iter().fold(0, |mask, band| mask | 1 << band);
        let masks = if ranges.len() > FEW_BANDS { Vec::new() } else { members.iter().map(mask).collect() };
        Ok(ChannelBands { ranges, members, masks, scales })
    }

    pub fn ranges(&self) -> &[ChannelRange] {
        &self.ranges
    }

    /// The cell of a channel; 0 when no band has it.
    pub fn cell(&self, channel: f64, detector: f64) -> ChannelCell {
        self.scales[usize::from(detector != 0.0)].of(channel)
    }

    /// Appends times to those of the bands that their cells are in.
    pub fn distribute(&self, times: &[f64], cells: &[ChannelCell], out: &mut [Vec<f64>]) {
        if !self.masks.is_empty() {
            // Of few bands a pass each, without a branch, is faster.
            for (band, out) in out.iter_mut().enumerate() {
                let before = out.len();
                out.resize(before + times.len(), 0.0);
                let (room, mut kept) = (&mut out[before..], 0);
                for (&t, &cell) in times.iter().zip(cells) {
                    room[kept] = t;
                    kept += usize::from(self.masks[usize::from(cell)] >> band & 1);
                }
                out.truncate(before + kept);
            }
            return;
        }
        for (&t, &cell) in times.iter().zip(cells) {
            for &band in &self.members[usize::from(cell)] {
                out[usize::from(band)].push(t);
            }
        }
    }
}

impl ChannelCells {
    fn new(ranges: &[ChannelRange], detector0: bool, members: &mut Vec<Vec<u8>>) -> ChannelCells {
        let ends = |range: &ChannelRange| range.half_open(detector0);
        let mut edges: Vec<f64> =
            ranges.iter().map(ends).filter(|(lo, hi)| lo < hi).flat_map(|(a, b)| [a, b]).collect();
        edges.sort_by(f64::total_cmp);
        edges.dedup();
        let mut places = Vec::new();
        for &edge in &edges {
            let inside = |&b: &u8| {
                let (lo, hi) = ends(&ranges[usize::from(b)]);
                lo <= edge && edge < hi
            };
            let of: Vec<u8> = (0..ranges.len() as u8).filter(inside).collect();
            let cell = members.iter().position(|m| *m == of).unwrap_or_else(|| {
                members.push(of);
                members.len() - 1
            });
            places.push(cell as ChannelCell);
        }
        let mut cells = ChannelCells { edges, places, table: Vec::new(), base: 0.0 };
        if let (Some(first), Some(last)) = (cells.edges.first(), cells.edges.last()) {
            let (first, last) = (first.ceil(), last.ceil());
            if last - first <= TABLE_CHANNELS {
                let table = (0..(last - first) as u32).map(|i| cells.search(first + f64::from(i))).collect();
                (cells.table, cells.base) = (table, first);
            }
        }
        cells
    }

    fn of(&self, channel: f64) -> ChannelCell {
        let place = channel - self.base;
        // A negative number or NaN is 0 as an index, but not equal to it.
        let index = place as usize;
        match self.table.get(index) {
            Some(&cell) if index as f64 == place => cell,
            _ => self.search(channel),
        }
    }

    fn search(&self, channel: f64) -> ChannelCell {
        match self.edges.partition_point(|&edge| edge <= channel) {
            0 => 0,
            after => self.places[after - 1],
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Each channel is in the bands whose ranges keep it, whatever way it is found.
    #[test]
    fn events_go_to_the_bands_that_keep_them() {
        let open = |lo: f64, hi: f64| ChannelRange { lo, hi, detector0: None, closed: false };
        let of_pcu0 = |lo, hi, first| ChannelRange { detector0: Some(first), ..ChannelRange::channels(lo, hi) };
        let sets = [
            vec![
                ChannelRange::channels(0.0, 90.0),
                ChannelRange::channels(3.0, 10.0),
                ChannelRange::channels(11.0, 11.0),
            ],
            vec![open(0.5, 2.5), open(2.5, 1e9), open(-3.0, 7.25)],
            vec![of_pcu0(5.0, 9.0, (4.0, 7.0)), of_pcu0(10.0, 20.0, (1.0, 0.0))],
            vec![ChannelRange::channels(-5.0, -2.0), open(-2.5, 1e6), ChannelRange::channels(1.0, 0.0)],
            (0..65).map(|i| ChannelRange::channels(f64::from(i), f64::from(i + i % 7))).collect(),
        ];
        for ranges in sets {
            let bands = ChannelBands::new(ranges.clone()).unwrap();
            for i in -80..1000 {
                for detector in [-1.0, 0.0, 1.0] {
                    let channel = f64::from(i) / 8.0;
                    for channel in [channel, channel.next_up(), channel.next_down(), 1e12, f64::NAN, f64::INFINITY] {
                        let mut out = vec![Vec::new(); ranges.len()];
                        bands.distribute(&[1.0], &[bands.cell(channel, detector)], &mut out);
                        for (range, times) in ranges.iter().zip(&out) {
                            assert_eq!(
                                range.keeps(channel, detector),
                                times.len() == 1,
                                "{range:?} {channel} {detector}"
                            );
                        }
                    }
                }
            }
        }
        assert!(ChannelBands::new(vec![ChannelRange::channels(0.0, 1.0); 66]).is_err());
    }
}

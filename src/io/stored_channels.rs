//! Which bands an event is in, by the number that is stored for its channel: a look into a table instead of arithmetic.

use super::bands::ChannelCell;
use super::fits_table::{ElementType, FitsColumn, RowBytes};
use super::selection::BandSelection;
use crate::data::ChannelRange;

/// Stored numbers that a table is made for, at most.
const MOST_NUMBERS: f64 = (1 << 16) as f64;

/// The cells of the numbers of an integer column, where a selection looks at channels alone. Numbers that the table does not have are in no band.
pub(super) struct StoredChannels {
    column: FitsColumn,
    /// The cell of each number from `first` on; 0 for what is not kept. Without bands all that is kept is in cell 1.
    cells: Vec<ChannelCell>,
    first: i64,
}

impl StoredChannels {
    /// The table for a column; `None` where numbers are not whole ones of at most 32 bits, lie too far apart, or more than the channel matters.
    pub fn new(column: &FitsColumn, parting: &BandSelection) -> Option<StoredChannels> {
        let BandSelection { selection, bands, weight } = parting;
        let ranges = || selection.channels.iter().chain(bands.iter().flat_map(|bands| bands.ranges()));
        let by_detector = selection.detectors.is_some() || ranges().any(|range| range.detector0.is_some());
        let whole = matches!(column.kind, ElementType::U8 | ElementType::I16 | ElementType::I32);
        if by_detector || !whole || weight.is_some() || ranges().next().is_none() {
            return None;
        }
        // What is kept lies between the outermost edges of the ranges.
        let ends = |range: &ChannelRange| <[f64; 2]>::from(range.half_open(false));
        let edges = || ranges().flat_map(ends);
        let stored = |channel: f64| (channel - column.zero) / column.scale;
        let [a, b] = [f64::min, f64::max].map(|of| edges().map(stored).fold(f64::NAN, of));
        if !(b - a < MOST_NUMBERS && a.abs().max(b.abs()) < i64::MAX as f64 / 4.0) {
            return None;
        }
        // Rounding moves an edge by less than a number.
        let (first, last) = (a.floor() as i64 - 1, b.ceil() as i64 + 1);
        let cell = |number: i64| {
            let channel = column.value_of(number);
            let kept = selection.channels.is_none_or(|range| range.keeps(channel, NO_DETECTOR));
            match bands {
                _ if !kept => 0,
                Some(bands) => bands.cell(channel, NO_DETECTOR),
                None => 1,
            }
        };
        Some(StoredChannels { column: column.clone(), cells: (first..=last).map(cell).collect(), first })
    }

    /// Moves the times, one a row and from `from` on, of rows that are kept to the front, and gives how many there are; appends their cells if those are wanted.
    pub fn select(
        &self,
        rows: &RowBytes,
        from: usize,
        times: &mut [f64],
        cells: Option<&mut Vec<ChannelCell>>,
    ) -> usize {
        let times = times.get_mut(from..).unwrap_or_default();
        match self.column.kind {
            ElementType::U8 => self.select_by(rows.fields(&self.column), |b: [u8; 1]| i64::from(b[0]), times, cells),
            ElementType::I16 => {
                self.select_by(rows.fields(&self.column), |b| i64::from(i16::from_be_bytes(b)), times, cells)
            }
            _ => self.select_by(rows.fields(&self.column), |b| i64::from(i32::from_be_bytes(b)), times, cells),
        }
    }

    /// Without a branch that depends on a channel: where few are kept, or most, each would often be predicted wrong.
    #[expect(clippy::indexing_slicing, reason = "what was kept is no more than what was looked at")]
    fn select_by<const N: usize>(
        &self,
        fields: impl Iterator<Item = [u8; N]>,
        number: impl Fn([u8; N]) -> i64,
        times: &mut [f64],
        cells: Option<&mut Vec<ChannelCell>>,
    ) -> usize {
        let cell = |field| {
            let place = number(field).wrapping_sub(self.first) as usize;
            self.cells.get(place).copied().unwrap_or(0)
        };
        let mut kept = 0;
        let Some(cells) = cells else {
            for (i, field) in fields.enumerate().take(times.len()) {
                times[kept] = times[i];
                kept += usize::from(cell(field) != 0);
            }
            return kept;
        };
        let before = cells.len();
        cells.resize(before + times.len(), 0);
        let room = &mut cells[before..];
        for (i, field) in fields.enumerate().take(times.len()) {
            let cell = cell(field);
            times[kept] = times[i];
            room[kept] = cell;
            kept += usize::from(cell != 0);
        }
        cells.truncate(before + kept);
        kept
    }
}

/// Where detectors do not matter.
const NO_DETECTOR: f64 = -1.0;

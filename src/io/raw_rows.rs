//! Some rows of a file as they are stored, for a device that decodes and selects them itself.

use std::ops::Range;

use super::events::EventFile;
use super::file_scan::TimeScan;
use super::fits_table::{FitsColumn, RowBytes};
use super::scan::RowRangeScan;
use super::selection::BandSelection;
use super::stream::Decoder;
use crate::base::error::Result;
use crate::data::ChannelRange;

/// Where the values of a row lie, and which rows are kept.
///
/// A row is kept if its leading bit of the marker is a photon's, its time is finite, and channel and detector are selected; it then
/// goes to each band that has it, and is filtered if none has.
#[derive(Clone, Debug)]
pub struct RowLayout {
    /// Bytes of a row.
    pub row_size: usize,
    /// The column of times. Values are big-endian.
    pub time: FitsColumn,
    /// What decoded times are multiplied by to be seconds.
    pub time_factor: f64,
    /// The column of channels, where a row's channel matters.
    pub channel: Option<FitsColumn>,
    /// The column of detectors, where a row's detector matters.
    pub detector: Option<FitsColumn>,
    /// A column and the leading bit that it has in photons' rows; all rows are photons without it.
    pub marker: Option<(FitsColumn, u8)>,
    /// The channels that are kept; `None`: all.
    pub channels: Option<ChannelRange>,
    /// The detectors that are kept; `None`: all.
    pub detectors: Option<Vec<i64>>,
    /// The channels of each band; `None`: one band of all that is kept.
    pub bands: Option<Vec<ChannelRange>>,
}

/// Bytes of consecutive rows, read once and in order. Their hashes are found on the way.
pub struct RawRows<'a> {
    file: &'a EventFile,
    layout: RowLayout,
    rest: Range<usize>,
    bytes: RowBytes,
    hashed: bool,
    part: RowRangeScan,
}

impl<'a> RawRows<'a> {
    /// Some rows; nothing is read.
    ///
    /// # Errors
    /// A selection by a column the file does not have.
    pub(crate) fn new(
        file: &'a EventFile,
        parting: &BandSelection,
        rows: Range<usize>,
        hashed: bool,
    ) -> Result<RawRows<'a>> {
        Decoder::new(file, parting.clone())?;
        let BandSelection { selection, bands, .. } = parting;
        let bands = bands.as_ref().map(|bands| bands.ranges().to_vec());
        let mut ranges = selection.channels.iter().chain(bands.iter().flatten());
        let by_detector = selection.detectors.is_some() || ranges.any(|range| range.detector0.is_some());
        let by_channel = selection.channels.is_some() || bands.is_some();
        let layout = RowLayout {
            row_size: file.row_size(),
            time: file.time.clone(),
            time_factor: file.time_factor,
            channel: file.channel.clone().filter(|_| by_channel),
            detector: file.detector.clone().filter(|_| by_detector),
            marker: file.marker.clone(),
            channels: selection.channels,
            detectors: selection.detectors.clone(),
            bands,
        };
        file.table.will_read(rows.clone());
        let part = RowRangeScan::at(rows.start);
        Ok(RawRows { file, layout, rest: rows, bytes: RowBytes::default(), hashed, part })
    }

    /// Where the values of a row lie.
    pub fn layout(&self) -> &RowLayout {
        &self.layout
    }

    /// Name of the file as given.
    pub fn path(&self) -> &str {
        self.file.path()
    }

    /// The number of the first of the next rows in the file, and their bytes: at most `most` rows, and no more than a piece that
    /// stays in a core's cache. `None` when there are no more.
    ///
    /// # Errors
    /// The file cannot be read, or has become shorter.
    pub fn next_rows(&mut self, most: usize) -> Result<Option<(usize, &[u8])>> {
        let rows = most.min(self.file.table.rows_at_a_time()).min(self.rest.len());
        if rows == 0 {
            return Ok(None);
        }
        let begin = self.rest.start;
        self.rest.start += rows;
        self.file.table.read(begin..begin + rows, &mut self.bytes)?;
        self.part.extend_undecoded(self.file, self.bytes.bytes(), rows, self.hashed);
        Ok(Some((begin, self.bytes.bytes())))
    }

    /// What was found in the times of these rows, kept or not: facts about all of them, and the first and the last that is finite.
    pub(crate) fn finish(mut self, scan: TimeScan, ends: Option<(f64, f64)>) -> RowRangeScan {
        self.part.note(scan, ends);
        self.part
    }
}

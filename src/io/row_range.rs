//! Some rows of a file, read once: their times, and their part in what is known of the whole file.

use std::ops::Range;

use super::bands::ChannelCell;
use super::events::EventFile;
use super::scan::RowRangeScan;
use super::selection::BandSelection;
use super::stream::{Decoder, KeptEvents};
use crate::base::error::Result;
use crate::data::EventBalance;

/// Selected times of consecutive rows, which are taken to be in order and are proven to be as they are read.
pub(crate) struct RowRangeReader<'a> {
    file: &'a EventFile,
    decoder: Decoder<'a>,
    rest: Range<usize>,
    times: Vec<f64>,
    cells: Vec<ChannelCell>,
    /// Find the hashes of the bytes too.
    hashed: bool,
    /// What the rows read so far tell.
    pub part: RowRangeScan,
    /// The balance so far; only the fields `read`, `filtered`, `not_photons` and `dropped` are filled.
    pub balance: EventBalance,
}

impl EventFile {
    /// Bytes that reading a share takes.
    pub(crate) fn row_range_bytes(&self, parting: &BandSelection) -> usize {
        let BandSelection { selection, bands, .. } = parting;
        let channels = selection.channels.is_some() || bands.is_some();
        let columns = 1 + usize::from(channels) + usize::from(selection.detectors.is_some()) + parting.bands();
        // A table without rows may announce any width.
        let rows = self.table.rows_at_a_time().min(self.rows());
        rows.saturating_mul(self.row_size().saturating_add(columns * size_of::<f64>()))
    }
}

impl<'a> RowRangeReader<'a> {
    /// Some rows; nothing is read.
    ///
    /// # Errors
    /// A selection by a column the file does not have.
    pub fn new(
        file: &'a EventFile,
        parting: BandSelection,
        rows: Range<usize>,
        hashed: bool,
    ) -> Result<RowRangeReader<'a>> {
        let (decoder, part) = (Decoder::new(file, parting)?, RowRangeScan::at(rows.start));
        let (times, cells) = (Vec::new(), Vec::new());
        file.table.will_read(rows.clone());
        Ok(RowRangeReader { file, decoder, rest: rows, times, cells, hashed, part, balance: EventBalance::default() })
    }

    /// Number of bands.
    pub fn bands(&self) -> usize {
        self.decoder.parting.bands()
    }

    /// The same, of which [`RowRangeReader::next_events`] gives channels and detectors, too.
    ///
    /// # Errors
    /// The file has no channels.
    pub fn with_values(self) -> Result<RowRangeReader<'a>> {
        Ok(RowRangeReader { decoder: self.decoder.with_values()?, ..self })
    }

    /// What the selection keeps of the next rows, in order or not; `None` when there are no more. `times` is room for them.
    ///
    /// # Errors
    /// See [`RowRangeReader::next_chunk`].
    pub fn next_events<'b>(&'b mut self, times: &'b mut Vec<f64>) -> Result<Option<KeptEvents<'b>>> {
        let rows = self.file.table.rows_at_a_time().min(self.rest.len());
        if rows == 0 {
            return Ok(None);
        }
        times.clear();
        self.cells.clear();
        let begin = self.rest.start;
        self.rest.start += rows;
        let bytes = self.decoder.read(begin..begin + rows, times)?;
        let finite = self.part.extend(self.file, self.hashed.then_some(bytes), times);
        self.decoder.select(finite, 0, times, &mut self.cells, &mut self.balance);
        Ok(Some(self.decoder.kept(times)))
    }

    /// Appends the selected times of at most `rows` of the next rows to those of their bands; false when there are no more, or
    /// no more in order.
    ///
    /// # Errors
    /// The file cannot be read, or has become shorter.
    pub fn next_chunk(&mut self, rows: usize, out: &mut [Vec<f64>]) -> Result<bool> {
        let rows = rows.min(self.file.table.rows_at_a_time()).min(self.rest.len());
        if rows == 0 {
            return Ok(false);
        }
        let begin = self.rest.start;
        self.rest.start += rows;
        self.times.clear();
        self.cells.clear();
        let bytes = self.decoder.read(begin..begin + rows, &mut self.times)?;
        let finite = self.part.extend(self.file, self.hashed.then_some(bytes), &self.times);
        if !self.part.is_sorted() {
            return Ok(false);
        }
        self.decoder.select(finite, 0, &mut self.times, &mut self.cells, &mut self.balance);
        self.decoder.parting.distribute(&mut self.times, &self.cells, out);
        Ok(true)
    }
}

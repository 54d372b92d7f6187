//! Some rows of a file, read once: their times, and their part in what is known of the whole file.

use std::ops::Range;

use super::events::EventFile;
use super::scan::Part;
use super::stream::{Decoder, Selection};
use crate::data::Balance;
use crate::error::Result;

/// Selected times of consecutive rows, which are taken to be in order and are proven to be as they are read.
pub(crate) struct Share<'a> {
    file: &'a EventFile,
    decoder: Decoder<'a>,
    rest: Range<usize>,
    /// Find the hashes of the bytes too.
    hashed: bool,
    /// What the rows read so far tell.
    pub part: Part,
    /// `read`, `filtered`, `not_photons` and `dropped` so far; the other fields stay 0.
    pub balance: Balance,
}

impl<'a> Share<'a> {
    /// Some rows; nothing is read.
    ///
    /// # Errors
    /// A selection by a column the file does not have.
    pub fn new(file: &'a EventFile, selection: Selection, rows: Range<usize>, hashed: bool) -> Result<Share<'a>> {
        let (decoder, part) = (Decoder::new(file, selection)?, Part::at(rows.start));
        Ok(Share { file, decoder, rest: rows, hashed, part, balance: Balance::default() })
    }

    /// Appends the selected times of at most `rows` of the next rows; false when there are no more, or no more in order.
    ///
    /// # Errors
    /// The file cannot be read, or has become shorter.
    pub fn next_chunk(&mut self, rows: usize, out: &mut Vec<f64>) -> Result<bool> {
        let rows = rows.min(self.file.table.rows_at_a_time()).min(self.rest.len());
        if rows == 0 {
            return Ok(false);
        }
        let (from, begin) = (out.len(), self.rest.start);
        self.rest.start += rows;
        let bytes = self.decoder.read(begin..begin + rows, out)?;
        let finite = self.part.extend(self.file, self.hashed.then_some(bytes), &out[from..]);
        if !self.part.is_sorted() {
            out.truncate(from);
            return Ok(false);
        }
        self.decoder.select(finite, from, out, &mut self.balance);
        Ok(true)
    }
}

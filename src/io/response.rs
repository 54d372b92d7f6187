//! Energies of channels from a response file.

use std::path::Path;

use super::ebounds::{is_bounds, read_bounds};
use super::events::EventFile;
use super::fits;
use super::fits_table::FitsTable;
use super::input_file::{InputFile, format_error};
use crate::base::error::Result;

impl EventFile {
    /// Takes the energies of channels from the EBOUNDS extension of a response file (RMF or RSP), and the channels from
    /// the column that its CHANTYPE names: PI or PHA, or PI if it names none.
    ///
    /// # Errors
    /// The file cannot be read or has no EBOUNDS extension, or the events have no such column.
    pub fn use_response(&mut self, path: &Path) -> Result<()> {
        let source = InputFile::open(path)?;
        let (hdus, _) = fits::scan(&source)?;
        let Some(hdu) = hdus.iter().find(is_bounds) else {
            return Err(format_error(source.path(), "extensions", "no EBOUNDS, so it holds no energies of channels"));
        };
        let chantype = hdu.header.text("CHANTYPE").unwrap_or_default();
        let name = if chantype.trim().eq_ignore_ascii_case("PHA") { "PHA" } else { "PI" };
        self.scale = Some(read_bounds(&FitsTable::open(&source, hdu, false)?)?);
        self.channel = self.table.numbers(name)?.cloned();
        if self.channel.is_none() {
            let message = format!("missing, but the channels of {} are of this kind", source.path());
            return Err(self.table.error(&format!("column {name}"), &message));
        }
        Ok(())
    }
}

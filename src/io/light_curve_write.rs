//! Light curves on disk: tables in every format, and FITS as OGIP/93-003 defines light curves.
#![expect(clippy::indexing_slicing, reason = "the columns of a light curve are of one length")]

use std::io::{self, Cursor};
use std::path::Path;

use super::fits_writer::{FitsWriter, WrittenColumn};
use super::table_fits::{cards, metadata};
use super::table_write::{TableFormat, write_bytes};
use crate::base::error::{Error, Result};
use crate::data::LightCurve;
use crate::data::header::HeaderCards;
use crate::data::product::Product;

impl LightCurve {
    /// Writes the light curve to a file, or to standard output for `-`. The extension of the name tells the format.
    ///
    /// # Errors
    /// An unknown extension, a file that exists while `overwrite` is false, or a failure of writing.
    pub fn write(&self, path: impl AsRef<Path>, overwrite: bool) -> Result<()> {
        let path = &*path.as_ref().to_string_lossy();
        let bytes = match TableFormat::from_path(path)? {
            TableFormat::Fits => self.fits().map(Cursor::into_inner).map_err(|e| Error::io(path, e))?,
            other => self.table().encode(other)?,
        };
        write_bytes(path, overwrite, &bytes)
    }

    /// An OGIP light curve: extensions RATE (TIME, COUNTS, RATE, ERROR, FRACEXP), GTI and METADATA. Bins that are missing have no row.
    fn fits(&self) -> io::Result<Cursor<Vec<u8>>> {
        let clock = self.clock_cards()?;
        let mut primary = HeaderCards::new();
        primary.push("CONTENT", "LIGHT CURVE", "a light curve")?;
        let mut writer = FitsWriter::new(Cursor::new(Vec::new()), &primary)?;
        let columns = [("TIME", "s"), ("COUNTS", "count"), ("RATE", "count/s"), ("ERROR", "count/s"), ("FRACEXP", "")];
        let columns = columns.map(|(name, unit)| WrittenColumn::new(name, "D", unit));
        let mut header = class("LIGHTCURVE", "TOTAL", "RATE")?;
        header.append(&clock);
        header.push("TIMEDEL", self.grid.dt, "[s] width of a bin")?;
        header.push("TIMEPIXR", 0.5, "TIME is the centre of a bin")?;
        header.push("EXPOSURE", self.meta.exposure, "[s] exposure of all bins")?;
        header.push("BACKAPP", false, "background not subtracted")?;
        header.push("DEADAPP", false, "not corrected for dead time")?;
        header.push("VIGNAPP", false, "not corrected for vignetting")?;
        let meta = self.table().meta;
        let mut rest = meta.clone();
        if let Some(rest) = rest.as_object_mut() {
            let written = ["telescop", "instrume", "object", "timesys", "timeref", "plephem", "exposure", "mjdref"];
            written.iter().for_each(|key| {
                rest.remove(*key);
            });
        }
        header.append(&cards(&rest)?);
        writer.table("RATE", &columns, &header)?;
        let row = |i: usize| [self.time[i], self.counts[i], self.rate[i], self.rate_err[i], self.fracexp[i]];
        for i in 0..self.len() {
            writer.rows(&row(i).map(f64::to_be_bytes).concat())?;
        }
        let mut header = class("GTI", "ALL", "")?;
        header.append(&clock);
        writer.table("GTI", &[WrittenColumn::new("START", "D", "s"), WrittenColumn::new("STOP", "D", "s")], &header)?;
        for &(start, stop) in self.gti.intervals() {
            writer.rows(&[start.value(), stop.value()].map(f64::to_be_bytes).concat())?;
        }
        metadata(&mut writer, &meta)?;
        writer.finish()
    }

    /// What both extensions say of the source and of the clock.
    fn clock_cards(&self) -> io::Result<HeaderCards> {
        let meta = &self.meta.record;
        let mut header = HeaderCards::new();
        let or = |text: &str, otherwise: &str| if text.is_empty() { otherwise.to_string() } else { text.to_string() };
        header.push("TELESCOP", or(&meta.telescop, "UNKNOWN").as_str(), "mission")?;
        header.push("INSTRUME", or(&meta.instrume, "UNKNOWN").as_str(), "instrument")?;
        header.push("OBJECT", or(&meta.object, "UNKNOWN").as_str(), "observed object")?;
        if let Some(epoch) = meta.mjdref {
            header.push("MJDREFI", epoch.day, "[d] reference epoch, whole days")?;
            header.push("MJDREFF", epoch.fraction, "[d] reference epoch, fraction")?;
        }
        for (key, text) in [("TIMESYS", &meta.timesys), ("TIMEREF", &meta.timeref), ("PLEPHEM", &meta.plephem)] {
            if !text.is_empty() {
                header.push(key, text.as_str(), "")?;
            }
        }
        header.push("TIMEUNIT", "s", "unit of the keywords of time")?;
        header.push("TIMEZERO", 0.0, "[s] TIME is that of the frame")?;
        let (start, stop) = (self.bin.first(), self.bin.last());
        if let (Some(&first), Some(&last)) = (start, stop) {
            header.push("TSTART", self.grid.edge(first).value(), "[s] start of the first bin")?;
            header.push("TSTOP", self.grid.edge(last + 1).value(), "[s] end of the last bin")?;
        }
        Ok(header)
    }
}

/// The classes of an OGIP extension.
fn class(first: &str, second: &str, third: &str) -> io::Result<HeaderCards> {
    let mut header = HeaderCards::new();
    header.push("HDUCLASS", "OGIP", "format conforms to OGIP standards")?;
    for (i, text) in (1..).zip([first, second, third]).filter(|(_, text)| !text.is_empty()) {
        header.push(&format!("HDUCLAS{i}"), text, "")?;
    }
    Ok(header)
}

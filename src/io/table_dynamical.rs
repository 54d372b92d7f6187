//! Dynamical spectra on disk: FITS images with tables of their axes, or text with one line for each cell.

use std::io::{Seek, Write};
use std::path::Path;

use super::fits_writer::{FitsWriter, write_file};
use super::table_fits::{cards, metadata, table};
use super::table_write::TableFormat;
use crate::base::error::{Error, Result};
use crate::data::header::HeaderCards;
use crate::data::product::{ColumnDeclaration, ColumnUnit, Product};
use crate::data::table::{Column, Table, Values};
use crate::science::columns::{FREQUENCIES, TIMES};
use crate::science::dynamical::Axes;
use crate::science::{DynamicalCrossSpectrum, DynamicalPowerSpectrum};

/// What is written of a dynamical spectrum: its cells, a table one row a cell, and its axes.
struct DynamicalTable<'a> {
    axes: &'a Axes,
    cells: Table<'a>,
    /// Noise levels of the rows, by the name of their column.
    noise: Vec<(&'static str, &'a [f64])>,
    /// Unit of powers.
    unit: &'static str,
}

impl DynamicalPowerSpectrum {
    /// Writes the spectrum to a file, or to standard output for `-`. FITS: the primary image `power`, with one line for
    /// each time, and the tables TIME and FREQ of the axes. Text and JSON: one row for each cell, and the axes in the
    /// metadata.
    ///
    /// # Errors
    /// The file exists and `overwrite` is false, or writing fails.
    pub fn write(&self, path: impl AsRef<Path>, overwrite: bool) -> Result<()> {
        let path = &*path.as_ref().to_string_lossy();
        let noise = vec![("noise", self.noise.as_slice())];
        DynamicalTable { axes: &self.axes, cells: self.table(), noise, unit: self.meta.norm.unit() }
            .write(path, overwrite)
    }
}

impl DynamicalCrossSpectrum {
    /// Writes the spectrum as [`DynamicalPowerSpectrum::write`] does. FITS has the images `power_re`, `power_im`, `power1`,
    /// `power2` and `lag_phase`.
    ///
    /// # Errors
    /// The file exists and `overwrite` is false, or writing fails.
    pub fn write(&self, path: impl AsRef<Path>, overwrite: bool) -> Result<()> {
        let path = &*path.as_ref().to_string_lossy();
        let noise = vec![("noise1", self.noise1.as_slice()), ("noise2", self.noise2.as_slice())];
        DynamicalTable { axes: &self.axes, cells: self.table(), noise, unit: self.meta.norm.unit() }
            .write(path, overwrite)
    }
}

impl DynamicalTable<'_> {
    fn write(self, path: &str, overwrite: bool) -> Result<()> {
        if TableFormat::from_path(path)? != TableFormat::Fits {
            return self.cells.write(path, overwrite);
        }
        let path = Path::new(path);
        write_file(path, overwrite, |out| self.fits(out).map_err(|e| Error::io(path, e)))
    }

    /// The images, by name and unit: every column of cells but those of the axes; of complex ones both parts.
    fn images(&self) -> Vec<(String, &str, &[f64])> {
        let mut images = Vec::new();
        for column in self.cells.columns.iter().filter(|column| !["time", "freq"].contains(&column.name)) {
            match &column.values {
                Values::Real(values) => images.push((column.name.to_string(), column.unit.as_str(), &**values)),
                Values::Complex(re, im) => {
                    images.push((format!("{}_re", column.name), column.unit.as_str(), re));
                    images.push((format!("{}_im", column.name), column.unit.as_str(), im));
                }
                Values::Count(_) => {}
            }
        }
        images
    }

    /// A table of the columns of an axis.
    fn axis_table(&self, declared: &[ColumnDeclaration]) -> Vec<Column<'_>> {
        let noise = |name| self.noise.iter().find(|(own, _)| *own == name).map(|(_, levels)| Values::from(*levels));
        let column = |declared: &ColumnDeclaration| {
            let values = self.axes.values_of(declared.name).or_else(|| noise(declared.name))?;
            let unit = if let ColumnUnit::Fixed(unit) = declared.unit { unit } else { self.unit };
            Some(Column { name: declared.name, unit: unit.to_string(), values })
        };
        declared.iter().filter_map(column).collect()
    }

    fn fits<W: Write + Seek>(&self, out: W) -> std::io::Result<()> {
        let axes = self.axes;
        let width = axes.freq.len();
        // The tables have the axes.
        let mut meta = self.cells.meta.clone();
        if let Some(meta) = meta.as_object_mut() {
            meta.remove("axes");
        }
        let mut writer: Option<FitsWriter<W>> = None;
        let mut out = Some(out);
        for (name, unit, values) in self.images() {
            let mut header = HeaderCards::new();
            header.push("CONTENT", name.as_str(), "what the values are")?;
            if !unit.is_empty() {
                header.push("BUNIT", unit, "their unit")?;
            }
            axis(&mut header, 1, "FREQ", "Hz", &axes.freq)?;
            axis(&mut header, 2, "TIME", "s", &axes.time)?;
            match (&mut writer, out.take()) {
                (Some(writer), _) => writer.image(&name.to_ascii_uppercase(), width, values, &header)?,
                (None, Some(out)) => {
                    header.append(&cards(&meta)?);
                    writer = Some(FitsWriter::with_image(out, width, values, &header)?);
                }
                (None, None) => {}
            }
        }
        let Some(mut writer) = writer else { return Ok(()) };
        table(&mut writer, "TIME", &self.axis_table(TIMES), &HeaderCards::new())?;
        table(&mut writer, "FREQ", &self.axis_table(FREQUENCIES), &HeaderCards::new())?;
        metadata(&mut writer, &meta)?;
        writer.finish().map(|_| ())
    }
}

/// Keywords of an axis; coordinates only where they are evenly spaced: the tables have them all.
fn axis(header: &mut HeaderCards, number: u8, name: &str, unit: &str, values: &[f64]) -> std::io::Result<()> {
    header.push(&format!("CTYPE{number}"), name, &format!("the extension {name} has its values"))?;
    header.push(&format!("CUNIT{number}"), unit, "")?;
    let (Some(first), Some(last)) = (values.first(), values.last()) else { return Ok(()) };
    let step = (last - first) / (values.len().max(2) - 1) as f64;
    let even = (0..).zip(values).all(|(i, v)| (first + f64::from(i) * step - v).abs() <= 1e-6 * step);
    if even && step > 0.0 {
        header.push(&format!("CRPIX{number}"), 1.0, "")?;
        header.push(&format!("CRVAL{number}"), *first, "value at the first pixel")?;
        header.push(&format!("CDELT{number}"), step, "step")?;
    }
    Ok(())
}

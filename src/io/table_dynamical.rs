//! Dynamical spectra on disk: FITS images with tables of their axes, or text with one line for each cell.

use std::io::{Seek, Write};
use std::path::Path;

use serde_json::Value as Json;

use super::fits_writer::{FitsWriter, write_file};
use super::table_fits::{cards, metadata, table};
use super::table_write::{TableFormat, power_unit};
use crate::base::error::{Error, Result};
use crate::data::header::HeaderCards;
use crate::data::table::{Column, Table, Values, column};
use crate::science::bispectrum::Bispectrum;
use crate::science::cross_powers::CrossPowers;
use crate::science::cumulant::CumulantBispectrum;
use crate::science::dynamical::{Axes, ShiftedPower};
use crate::science::{DynamicalCrossSpectrum, DynamicalPowerSpectrum, Norm};

/// What is written of a dynamical spectrum.
struct DynamicalTable<'a> {
    axes: &'a Axes,
    /// Columns of one value a cell; each is an image of its name in FITS, the first the primary one.
    cells: Vec<Column<'a>>,
    /// Noise levels of the rows.
    noise: Vec<Column<'a>>,
    meta: Json,
}

impl DynamicalPowerSpectrum {
    /// Writes the spectrum to a file, or to standard output for `-`. FITS: the primary image `power`, with one line for
    /// each time, and the tables TIME (`time`, `start`, `stop`, `m`, `rate`, `noise`) and FREQ (`freq`, `df`, `k`).
    /// Text and JSON: the columns `time`, `freq` and `power`, with one line for each cell.
    ///
    /// # Errors
    /// The file exists and `overwrite` is false, or writing fails.
    pub fn write(&self, path: &str, overwrite: bool) -> Result<()> {
        let unit = power_unit(self.meta.norm);
        DynamicalTable {
            axes: &self.axes,
            cells: vec![column("power", unit, &self.power)],
            noise: vec![column("noise", unit, &self.noise)],
            meta: serde_json::to_value(&self.meta).unwrap_or_default(),
        }
        .write(path, overwrite)
    }
}

impl DynamicalCrossSpectrum {
    /// Writes the spectrum as [`DynamicalPowerSpectrum::write`] does, with the cells `cross_re`, `cross_im`, `power1`,
    /// `power2` and `phase_lag` (rad).
    ///
    /// # Errors
    /// The file exists and `overwrite` is false, or writing fails.
    pub fn write(&self, path: &str, overwrite: bool) -> Result<()> {
        let (unit, lags) = (power_unit(self.meta.norm), self.phase_lag());
        let cells = vec![
            column("cross_re", unit, &self.cross_re),
            column("cross_im", unit, &self.cross_im),
            column("power1", unit, &self.power1),
            column("power2", unit, &self.power2),
            column("phase_lag", "rad", &lags),
        ];
        let noise = vec![column("noise1", unit, &self.noise1), column("noise2", unit, &self.noise2)];
        let meta = serde_json::to_value(&self.meta).unwrap_or_default();
        DynamicalTable { axes: &self.axes, cells, noise, meta }.write(path, overwrite)
    }
}

impl DynamicalTable<'_> {
    fn write(self, path: &str, overwrite: bool) -> Result<()> {
        if TableFormat::from_path(path)? != TableFormat::Fits {
            return self.long_form(path, overwrite);
        }
        let path = Path::new(path);
        write_file(path, overwrite, |out| self.fits(out).map_err(|e| Error::io(path, e)))
    }

    fn long_form(self, path: &str, overwrite: bool) -> Result<()> {
        let (rows, columns) = self.axes.shape();
        let time: Vec<f64> = self.axes.time.iter().flat_map(|t| std::iter::repeat_n(*t, columns)).collect();
        let freq: Vec<f64> = self.axes.freq.iter().copied().cycle().take(rows * columns).collect();
        let mut columns = vec![column("time", "s", &time), column("freq", "Hz", &freq)];
        columns.extend(self.cells);
        Table { name: "SPECTRUM", columns, meta: self.meta }.write(path, overwrite)
    }

    fn fits<W: Write + Seek>(&self, out: W) -> std::io::Result<()> {
        let axes = self.axes;
        let width = axes.freq.len();
        let mut writer: Option<FitsWriter<W>> = None;
        let mut out = Some(out);
        for cell in &self.cells {
            let Values::Real(values) = cell.values else { continue };
            let mut header = HeaderCards::new();
            header.push("CONTENT", cell.name, "what the values are")?;
            if !cell.unit.is_empty() {
                header.push("BUNIT", cell.unit.as_str(), "their unit")?;
            }
            axis(&mut header, 1, "FREQ", "Hz", &axes.freq)?;
            axis(&mut header, 2, "TIME", "s", &axes.time)?;
            match (&mut writer, out.take()) {
                (Some(writer), _) => writer.image(&cell.name.to_ascii_uppercase(), width, values, &header)?,
                (None, Some(out)) => {
                    header.append(&cards(&self.meta)?);
                    writer = Some(FitsWriter::with_image(out, width, values, &header)?);
                }
                (None, None) => {}
            }
        }
        let Some(mut writer) = writer else { return Ok(()) };
        let mut columns = vec![
            column("time", "s", &axes.time),
            column("start", "s", &axes.start),
            column("stop", "s", &axes.stop),
            column("m", "", &axes.segments),
            column("rate", "ct s-1", &axes.rate),
        ];
        let noise = self.noise.iter().filter_map(|c| match c.values {
            Values::Real(values) => Some(column(c.name, &c.unit, values)),
            Values::Count(_) => None,
        });
        columns.extend(noise);
        table(&mut writer, "TIME", &columns, &HeaderCards::new())?;
        let columns =
            [column("freq", "Hz", &axes.freq), column("df", "Hz", &axes.df), column("k", "", &axes.frequencies)];
        table(&mut writer, "FREQ", &columns, &HeaderCards::new())?;
        metadata(&mut writer, &self.meta)?;
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

impl ShiftedPower {
    /// The spectrum as a table, with the metadata of the dynamical spectrum `of` that it was made from.
    pub fn table(&self, of: &DynamicalPowerSpectrum) -> Table<'_> {
        let unit = power_unit(of.meta.norm);
        let columns = vec![
            column("freq", "Hz", &self.freq),
            column("df", "Hz", &self.df),
            column("power", unit, &self.power),
            column("power_err", unit, &self.power_err),
            column("noise", unit, &self.noise),
            column("m", "", &self.m),
        ];
        Table { name: "SPECTRUM", columns, meta: serde_json::to_value(&of.meta).unwrap_or_default() }
    }
}

impl CrossPowers {
    /// The spectrum as a table, in the normalisation `norm`, with the metadata `meta`.
    pub fn table(&self, norm: Norm, meta: Json) -> Table<'_> {
        let unit = power_unit(norm);
        let columns = vec![
            column("freq", "Hz", &self.freq),
            column("df", "Hz", &self.df),
            column("m", "", &self.m),
            column("cross_re", unit, &self.cross_re),
            column("cross_im", unit, &self.cross_im),
            column("power1", unit, &self.power1),
            column("power2", unit, &self.power2),
        ];
        Table { name: "SPECTRUM", columns, meta }
    }
}

impl Bispectrum {
    /// The bispectrum as a table with one row for each pair of frequencies.
    pub fn table(&self) -> Table<'_> {
        let columns = vec![
            column("freq1", "Hz", &self.freq1),
            column("freq2", "Hz", &self.freq2),
            column("bicoherence", "", &self.bicoherence),
            column("biphase", "rad", &self.biphase),
            column("bispectrum_re", "ct3", &self.bispectrum_re),
            column("bispectrum_im", "ct3", &self.bispectrum_im),
        ];
        Table { name: "BISPECTRUM", columns, meta: serde_json::to_value(&self.meta).unwrap_or_default() }
    }
}

impl CumulantBispectrum {
    /// The bispectrum as a table with one row for each pair of frequencies.
    pub fn table(&self) -> Table<'_> {
        let columns = vec![
            column("freq1", "Hz", &self.freq1),
            column("freq2", "Hz", &self.freq2),
            column("magnitude", "ct3", &self.magnitude),
            column("biphase", "rad", &self.biphase),
            column("bispectrum_re", "ct3", &self.bispectrum_re),
            column("bispectrum_im", "ct3", &self.bispectrum_im),
        ];
        Table { name: "BISPECTRUM", columns, meta: serde_json::to_value(&self.meta).unwrap_or_default() }
    }
}

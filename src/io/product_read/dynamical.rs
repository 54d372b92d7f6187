//! Dynamical spectra read back.

use std::path::Path;

use serde_json::Value;

use crate::base::error::Result;
use crate::base::footprint::Footprint;
use crate::data::product::ProductKind;
use crate::io::fits::{self, Hdu};
use crate::io::fits_table::FitsTable;
use crate::io::input_file::{InputFile, format_error};
use crate::io::table_read::{ReadTable, fits_meta_of};
use crate::science::columns::{DYNAMICAL_CROSS, DYNAMICAL_POWER};
use crate::science::dynamical::Axes;
use crate::science::{DynamicalCrossSpectrum, DynamicalPowerSpectrum};

/// What a file has of a dynamical spectrum: metadata, axes with noise levels, and cells by name.
struct DynamicalFile {
    meta: Value,
    axes: Axes,
    noise: Vec<Vec<f64>>,
    cells: Vec<Vec<f64>>,
    path: String,
}

impl DynamicalFile {
    /// `noise` and `images` are the names of what is wanted; of complex cells both parts.
    fn open(path: &Path, kind: &'static ProductKind, noise: &[&'static str], images: &[&str]) -> Result<DynamicalFile> {
        let source = InputFile::open(path)?;
        if source.is_fits() {
            return DynamicalFile::of_fits(&source, kind, noise, images);
        }
        let mut table = ReadTable::from_file(&source, &[kind])?;
        let axes = |name: &str| list(table.path(), table.meta.get("axes"), name);
        let (read, noise) = (
            Axes {
                time: axes("time")?,
                start: axes("start")?,
                stop: axes("stop")?,
                segments: axes("m")?.into_iter().map(|x| x as u64).collect(),
                m_eff: axes("m_eff").or_else(|_| axes("m"))?,
                rate: axes("rate")?,
                freq: axes("freq")?,
                width: axes("width")?,
                frequencies: axes("k")?.into_iter().map(|x| x as u64).collect(),
            },
            noise.iter().map(|name| axes(name)).collect::<Result<Vec<_>>>()?,
        );
        let mut cells = Vec::new();
        for name in images {
            match name.strip_suffix("_re") {
                Some(whole) => {
                    let (re, im) = table.complex(whole)?;
                    cells.extend([re, im]);
                }
                None if name.ends_with("_im") => {}
                None => cells.push(table.real(name)?),
            }
        }
        let path = table.path().to_string();
        DynamicalFile { meta: table.meta.take(), axes: read, noise, cells, path }.checked()
    }

    fn of_fits(
        source: &InputFile,
        kind: &'static ProductKind,
        noise: &[&'static str],
        images: &[&str],
    ) -> Result<DynamicalFile> {
        let (hdus, _) = fits::scan(source)?;
        let meta = fits_meta_of(source, &hdus, kind)?;
        let place = |name: &str| {
            let found = hdus.iter().find(|hdu| hdu.name == name);
            found.ok_or_else(|| format_error(source.path(), &format!("extension {name}"), "missing"))
        };
        let (times, freqs) =
            (FitsTable::open(source, place("TIME")?, false)?, FitsTable::open(source, place("FREQ")?, false)?);
        let real = |table: &FitsTable, name: &str| -> Result<Vec<f64>> {
            let column = table.numbers(name)?.ok_or_else(|| table.error(&format!("column {name}"), "missing"))?;
            let mut values = Vec::new();
            table.decode(column, 0..table.rows, &mut values)?;
            Ok(values)
        };
        let whole = |table: &FitsTable, name: &str| -> Result<Vec<u64>> {
            Ok(real(table, name)?.into_iter().map(|x| x as u64).collect())
        };
        let axes = Axes {
            time: real(&times, "time")?,
            start: real(&times, "start")?,
            stop: real(&times, "stop")?,
            segments: whole(&times, "m")?,
            m_eff: real(&times, "m_eff").or_else(|_| real(&times, "m"))?,
            rate: real(&times, "rate")?,
            freq: real(&freqs, "freq")?,
            width: real(&freqs, "width")?,
            frequencies: whole(&freqs, "k")?,
        };
        let noise = noise.iter().map(|name| real(&times, name)).collect::<Result<Vec<_>>>()?;
        let mut cells = Vec::new();
        for (number, name) in images.iter().enumerate() {
            let hdu =
                if number == 0 { hdus.first() } else { hdus.iter().find(|hdu| hdu.name.eq_ignore_ascii_case(name)) };
            let missing = || format_error(source.path(), &format!("image {name}"), "missing");
            cells.push(image(source, hdu.ok_or_else(missing)?)?);
        }
        DynamicalFile { meta, axes, noise, cells, path: source.path().to_string() }.checked()
    }

    /// Refuses axes and cells that do not fit together.
    fn checked(self) -> Result<DynamicalFile> {
        let Axes { time, start, stop, segments, m_eff, rate, freq, width, frequencies } = &self.axes;
        let (rows, columns) = (time.len(), freq.len());
        let of_rows = [start.len(), stop.len(), segments.len(), m_eff.len(), rate.len()];
        let noise = self.noise.iter().map(Vec::len);
        let fits = of_rows.into_iter().chain(noise).all(|len| len == rows)
            && width.len() == columns
            && frequencies.len() == columns
            && self.cells.iter().all(|cells| Some(cells.len()) == rows.checked_mul(columns));
        if fits {
            return Ok(self);
        }
        let message = format!("{rows} times and {columns} frequencies do not fit the cells, or what is said of them");
        Err(format_error(&self.path, "axes", &message))
    }

    fn metadata<T: serde::de::DeserializeOwned>(&self) -> Result<T> {
        T::deserialize(&self.meta).map_err(|e| format_error(&self.path, "metadata", &e.to_string()))
    }
}

/// A list of numbers under the key `axes`.
fn list(path: &str, axes: Option<&Value>, name: &str) -> Result<Vec<f64>> {
    let fail = |message: &str| format_error(path, &format!("metadata, axes, {name}"), message);
    let Some(Value::Array(list)) = axes.and_then(|axes| axes.get(name)) else { return Err(fail("missing")) };
    let number = |value: &Value| match value.is_null() {
        true => Ok(f64::NAN),
        false => value.as_f64().ok_or_else(|| fail(&format!("`{value}` is no number"))),
    };
    list.iter().map(number).collect()
}

/// The values of an image of f64.
fn image(source: &InputFile, hdu: &Hdu) -> Result<Vec<f64>> {
    let header = &hdu.header;
    if header.int("BITPIX")? != Some(-64) || header.size("NAXIS")? != 2 {
        return Err(header.error(&format!("extension {} ({})", hdu.index, hdu.name), "no image of doubles of two axes"));
    }
    let bytes = header.size("NAXIS1")?.checked_mul(header.size("NAXIS2")?).and_then(|n| n.checked_mul(8));
    let end = bytes.and_then(|bytes| hdu.data_offset.checked_add(bytes)).filter(|end| *end <= source.len());
    let Some(end) = end else {
        return Err(header.error(&format!("extension {} ({})", hdu.index, hdu.name), "the file ends before the image"));
    };
    let cells = Footprint::default().and(end - hdu.data_offset, 3);
    cells.check(&format!("the image of {}", source.path()))?;
    let bytes = source.read(hdu.data_offset..end)?;
    Ok(bytes.as_chunks::<8>().0.iter().map(|word| f64::from_be_bytes(*word)).collect())
}

impl DynamicalPowerSpectrum {
    /// Reads a dynamical power spectrum from a file that this program wrote: ECSV, CSV, JSON or FITS.
    ///
    /// # Errors
    /// As for [`AveragedPowerSpectrum::read`](crate::science::AveragedPowerSpectrum::read); axes that do not fit the cells.
    pub fn read(path: &Path) -> Result<DynamicalPowerSpectrum> {
        let file = DynamicalFile::open(path, &DYNAMICAL_POWER, &["noise"], &["power"])?;
        let meta = file.metadata()?;
        Ok(DynamicalPowerSpectrum { axes: file.axes, power: file.cells.concat(), noise: file.noise.concat(), meta })
    }
}

impl DynamicalCrossSpectrum {
    /// Reads a dynamical cross spectrum from a file that this program wrote: ECSV, CSV, JSON or FITS.
    ///
    /// # Errors
    /// As for [`DynamicalPowerSpectrum::read`].
    pub fn read(path: &Path) -> Result<DynamicalCrossSpectrum> {
        let images = ["power_re", "power_im", "power1", "power2"];
        let file = DynamicalFile::open(path, &DYNAMICAL_CROSS, &["noise1", "noise2"], &images)?;
        let meta = file.metadata()?;
        let (mut noise, mut cells) = (file.noise.into_iter(), file.cells.into_iter());
        let mut cell = || cells.next().unwrap_or_default();
        let [power_re, power_im, power1, power2] = [cell(), cell(), cell(), cell()];
        let [noise1, noise2] = [noise.next().unwrap_or_default(), noise.next().unwrap_or_default()];
        Ok(DynamicalCrossSpectrum { axes: file.axes, power_re, power_im, power1, power2, noise1, noise2, meta })
    }
}

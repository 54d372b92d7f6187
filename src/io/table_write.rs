//! Tables on disk: ECSV, CSV, JSON and FITS, written whole or not at all.
#![expect(clippy::indexing_slicing, reason = "the columns of a product are of one length")]

use std::fmt::Write as _;
use std::io::Write;
use std::ops::Range;
use std::path::Path;

use rayon::prelude::*;
use serde_json::Value;

use super::fits_writer::write_file;
use crate::base::error::{Error, Result};
use crate::base::mend::Mend;
use crate::base::trace;
use crate::data::Histogram;
use crate::data::histogram::EnergyAxis;
use crate::data::table::{Table, Values, column};
use crate::science::{AveragedCrossSpectrum, AveragedPowerSpectrum, EnergySpectrum, FadSpectrum, Norm};

/// Rows that a core writes at a time.
const BLOCK_ROWS: usize = 1 << 11;
/// Rows whose text is held beside all of it.
const ROWS_HELD: usize = 64 * BLOCK_ROWS;

impl AveragedPowerSpectrum {
    /// The spectrum as a table with one row for each frequency.
    pub fn table(&self) -> Table<'_> {
        let power_unit = power_unit(self.meta.norm);
        let mut columns = vec![
            column("freq", "Hz", &self.freq),
            column("df", "Hz", &self.df),
            column("power", power_unit, &self.power),
            column("power_err", power_unit, &self.power_err),
            column("unnorm_power", "", &self.unnorm_power),
            column("noise", power_unit, &self.noise),
            column("m", "", &self.m),
        ];
        if !self.power_lo.is_empty() {
            columns.push(column("power_lo", power_unit, &self.power_lo));
            columns.push(column("power_hi", power_unit, &self.power_hi));
        }
        Table { name: "SPECTRUM", columns, meta: serde_json::to_value(&self.meta).unwrap_or(Value::Null) }
    }
}

impl AveragedCrossSpectrum {
    /// The spectrum as a table with one row for each frequency.
    pub fn table(&self) -> Table<'_> {
        let power = power_unit(self.meta.norm);
        let columns = vec![
            column("freq", "Hz", &self.freq),
            column("df", "Hz", &self.df),
            column("m", "", &self.m),
            column("cross_re", power, &self.cross_re),
            column("cross_im", power, &self.cross_im),
            column("cross_err_re", power, &self.cross_err_re),
            column("cross_err_im", power, &self.cross_err_im),
            column("power1", power, &self.power1),
            column("power2", power, &self.power2),
            column("noise1", power, &self.noise1),
            column("noise2", power, &self.noise2),
            column("phase_lag", "rad", &self.phase_lag),
            column("phase_lag_err", "rad", &self.phase_lag_err),
            column("time_lag", "s", &self.time_lag),
            column("time_lag_err", "s", &self.time_lag_err),
            column("raw_coherence", "", &self.raw_coherence),
            column("raw_coherence_err", "", &self.raw_coherence_err),
            column("intrinsic_coherence", "", &self.intrinsic_coherence),
            column("intrinsic_coherence_err", "", &self.intrinsic_coherence_err),
            column("modulus", power, &self.modulus),
            column("modulus_err", power, &self.modulus_err),
        ];
        Table { name: "SPECTRUM", columns, meta: serde_json::to_value(&self.meta).unwrap_or(Value::Null) }
    }
}

impl EnergySpectrum {
    /// The spectrum as a table with one row for each band.
    pub fn table(&self) -> Table<'_> {
        let (lo, hi, unit) = match self.meta.channels {
            true => ("channel_lo", "channel_hi", ""),
            false => ("energy_lo", "energy_hi", "keV"),
        };
        let mut columns = vec![
            column(lo, unit, &self.energy_lo),
            column(hi, unit, &self.energy_hi),
            column("value", self.unit(), &self.value),
            column("value_err", self.unit(), &self.value_err),
        ];
        columns.extend(self.columns.iter().map(|c| column(c.name, c.unit, &c.values)));
        columns.push(column("m", "", &self.m));
        columns.push(column("counts", "ct", &self.counts));
        Table { name: "ENERGY", columns, meta: serde_json::to_value(&self.meta).unwrap_or(Value::Null) }
    }
}

impl Histogram {
    /// Writes the histogram to a file, or to standard output for `-`, as a table with the columns `time_lo` and
    /// `time_hi` (s), `energy_lo` and `energy_hi` (keV) or `channel_lo` and `channel_hi` if there are energy bins,
    /// `counts`, and `exposure` (s of good time). The extension of the name tells the format.
    ///
    /// # Errors
    /// See [`Table::write`].
    pub fn write(&self, path: &str, overwrite: bool) -> Result<()> {
        let ([time_lo, time_hi, energy_lo, energy_hi], exposure) = (self.bounds(), self.exposures());
        let mut columns = vec![column("time_lo", "s", &time_lo), column("time_hi", "s", &time_hi)];
        let names = match self.axis {
            EnergyAxis::None => None,
            EnergyAxis::Energy => Some(("energy_lo", "energy_hi", "keV")),
            EnergyAxis::Channel => Some(("channel_lo", "channel_hi", "chan")),
        };
        if let Some((lo, hi, unit)) = names {
            columns.push(column(lo, unit, &energy_lo));
            columns.push(column(hi, unit, &energy_hi));
        }
        columns.push(column("counts", "ct", &self.counts));
        columns.push(column("exposure", "s", &exposure));
        Table { name: "HISTOGRAM", columns, meta: serde_json::to_value(&self.meta).unwrap_or(Value::Null) }
            .write(path, overwrite)
    }
}

impl FadSpectrum {
    /// The spectra as a table with one row for each frequency.
    pub fn table(&self) -> Table<'_> {
        let power = power_unit(self.meta.norm);
        let columns = vec![
            column("freq", "Hz", &self.freq),
            column("df", "Hz", &self.df),
            column("m", "", &self.m),
            column("power1", power, &self.power1),
            column("power1_err", power, &self.power1_err),
            column("power2", power, &self.power2),
            column("power2_err", power, &self.power2_err),
            column("power_total", power, &self.power_total),
            column("power_total_err", power, &self.power_total_err),
            column("cross_re", power, &self.cross_re),
            column("cross_im", power, &self.cross_im),
            column("cross_err_re", power, &self.cross_err_re),
            column("cross_err_im", power, &self.cross_err_im),
        ];
        Table { name: "SPECTRUM", columns, meta: serde_json::to_value(&self.meta).unwrap_or(Value::Null) }
    }
}

/// Unit of powers in the notation of the FITS standard.
pub(super) fn power_unit(norm: Norm) -> &'static str {
    match norm {
        Norm::Frac => "Hz-1",
        Norm::Abs => "ct2 s-2 Hz-1",
        Norm::Leahy | Norm::None => "",
    }
}

/// Format of the file that a table is written to.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum TableFormat {
    /// Enhanced character-separated values of astropy (APE 6).
    Ecsv,
    /// Comma-separated values, with the metadata in comment lines.
    Csv,
    /// A JSON object with `meta` and `columns`.
    Json,
    /// A FITS binary table.
    Fits,
}

impl TableFormat {
    /// The format that the extension of a name tells; ECSV for `-`.
    ///
    /// # Errors
    /// The extension names no format.
    pub fn from_path(path: &str) -> Result<TableFormat> {
        let extension = Path::new(path).extension().and_then(|e| e.to_str()).map(str::to_ascii_lowercase);
        match extension.as_deref() {
            _ if path == "-" => Ok(TableFormat::Ecsv),
            Some("ecsv") => Ok(TableFormat::Ecsv),
            Some("csv") => Ok(TableFormat::Csv),
            Some("json") => Ok(TableFormat::Json),
            Some("fits" | "fit" | "fts") => Ok(TableFormat::Fits),
            _ => Err(Error::argument("output", path, "the extension must be .ecsv, .csv, .json or .fits")),
        }
    }
}

impl Table<'_> {
    /// Writes the table to a file, or to standard output for `-`. The extension of the name tells the format.
    ///
    /// # Errors
    /// The file exists and `overwrite` is false, or writing fails.
    pub fn write(&self, path: &str, overwrite: bool) -> Result<()> {
        let _span = trace::span("write");
        write_bytes(path, overwrite, &self.encode(TableFormat::from_path(path)?)?)
    }

    /// The bytes of a file with this table.
    ///
    /// # Errors
    /// The format cannot hold the metadata.
    pub fn encode(&self, format: TableFormat) -> Result<Vec<u8>> {
        match format {
            TableFormat::Ecsv => Ok(self.ecsv().into_bytes()),
            TableFormat::Csv => Ok(self.csv().into_bytes()),
            TableFormat::Json => Ok(format!("{:#}\n", self.json()).into_bytes()),
            TableFormat::Fits => super::table_fits::encode(self),
        }
    }

    /// Number of rows.
    pub fn rows(&self) -> usize {
        self.columns.first().map_or(0, |c| c.values.len())
    }

    fn json(&self) -> Value {
        let columns = self.columns.iter().map(|c| {
            let values = match c.values {
                Values::Real(v) => serde_json::to_value(v),
                Values::Count(v) => serde_json::to_value(v),
            };
            (c.name.to_string(), values.unwrap_or(Value::Null))
        });
        serde_json::json!({ "meta": self.meta, "columns": Value::Object(columns.collect()) })
    }

    fn ecsv(&self) -> String {
        let mut text = String::from("# %ECSV 1.0\n# ---\n# datatype:\n");
        for c in &self.columns {
            let unit = if c.unit.is_empty() { String::new() } else { format!(", unit: {}", yaml_text(&c.unit)) };
            text += &format!("# - {{name: {}{unit}, datatype: {}}}\n", c.name, c.values.datatype());
        }
        text += "# meta:\n";
        if let Value::Object(meta) = &self.meta {
            for (key, value) in meta {
                text += &format!("#   {key}: {}\n", yaml(value));
            }
        }
        text += "# schema: astropy-2.0\n";
        self.lines(text, " ")
    }

    fn csv(&self) -> String {
        let mut text = String::new();
        if let Value::Object(meta) = &self.meta {
            for (key, value) in meta {
                text += &format!("# {key}: {value}\n");
            }
        }
        self.lines(text, ",")
    }

    /// Header line and rows, appended to `text`. Numbers take longer to write than to compute: all cores do, a wave of blocks at a time.
    fn lines(&self, mut text: String, separator: &str) -> String {
        let names: Vec<&str> = self.columns.iter().map(|c| c.name).collect();
        text += &names.join(separator);
        text.push('\n');
        let rows = self.rows();
        for wave in (0..rows).step_by(ROWS_HELD) {
            let blocks: Vec<usize> = (wave..(wave + ROWS_HELD).min(rows)).step_by(BLOCK_ROWS).collect();
            let block = |from: usize| self.block(from..(from + BLOCK_ROWS).min(rows), separator);
            text.extend(blocks.into_par_iter().map(block).collect::<Vec<String>>());
        }
        text
    }

    /// Some rows.
    fn block(&self, rows: Range<usize>, separator: &str) -> String {
        let mut text = String::new();
        // Bits of each column's last value, and where it stands: most columns have the same one in many rows.
        let mut last = vec![(None, 0..0); self.columns.len()];
        for row in rows {
            for (i, (column, last)) in self.columns.iter().zip(&mut last).enumerate() {
                if i > 0 {
                    text += separator;
                }
                let (begin, bits) = (text.len(), Some(column.values.bits(row)));
                if last.0 == bits {
                    text.extend_from_within(last.1.clone());
                    continue;
                }
                match column.values {
                    // The shortest decimal that reads back as the same number.
                    Values::Real(v) if v[row].is_nan() => text += "nan",
                    Values::Real(v) => _ = write!(text, "{:?}", v[row]),
                    Values::Count(v) => _ = write!(text, "{}", v[row]),
                }
                *last = (bits, begin..text.len());
            }
            text.push('\n');
        }
        text
    }
}

/// Writes a whole file, or to standard output for `-`.
///
/// # Errors
/// The file exists and `overwrite` is false; the system's own error.
pub(crate) fn write_bytes(path: &str, overwrite: bool, bytes: &[u8]) -> Result<()> {
    if path == "-" {
        return std::io::stdout().lock().write_all(bytes).map_err(|e| Error::io("(standard output)", e));
    }
    let path = Path::new(path);
    write_file(path, overwrite, |out| out.write_all(bytes).map_err(|e| Error::io(path, e)))
}

impl Values<'_> {
    pub(super) fn len(&self) -> usize {
        match self {
            Values::Real(v) => v.len(),
            Values::Count(v) => v.len(),
        }
    }

    /// What tells a value from others of its column.
    fn bits(&self, row: usize) -> u64 {
        match self {
            Values::Real(v) => v[row].to_bits(),
            Values::Count(v) => v[row],
        }
    }

    fn datatype(&self) -> &'static str {
        match self {
            Values::Real(_) => "float64",
            Values::Count(_) => "int64",
        }
    }
}

/// A JSON value as YAML 1.1 flow syntax, whose reals need a point and a signed exponent.
fn yaml(value: &Value) -> String {
    match value {
        Value::Number(n) if n.is_f64() => yaml_real(n.as_f64().unwrap_or(f64::NAN)),
        Value::String(s) => yaml_text(s),
        Value::Array(list) => format!("[{}]", list.iter().map(yaml).collect::<Vec<_>>().join(", ")),
        Value::Object(map) => {
            let entries: Vec<String> = map.iter().map(|(k, v)| format!("{}: {}", yaml_text(k), yaml(v))).collect();
            format!("{{{}}}", entries.join(", "))
        }
        other => other.to_string(),
    }
}

fn yaml_real(x: f64) -> String {
    let text = format!("{x:?}");
    match text.split_once('e') {
        None => text,
        Some((digits, exponent)) => {
            let point = if digits.contains('.') { "" } else { ".0" };
            let sign = if exponent.starts_with('-') { "" } else { "+" };
            format!("{digits}{point}e{sign}{exponent}")
        }
    }
}

/// A quoted string; JSON's escapes are YAML's.
fn yaml_text(text: &str) -> String {
    Value::String(text.to_string()).to_string()
}

/// Checks that a file could be written, before a long run begins.
///
/// # Errors
/// The file exists and `overwrite` is false, or its folder does not exist.
pub fn check_output(path: &str, overwrite: bool) -> Result<()> {
    let path = Path::new(path);
    if path.exists() && !overwrite {
        return Err(Error::io(path, std::io::Error::other("exists already"))
            .mended_by([Mend::set("overwrite", true).doing("replaces it")]));
    }
    match path.parent() {
        Some(folder) if !folder.as_os_str().is_empty() && !folder.is_dir() => {
            Err(Error::io(folder, std::io::Error::other("no such folder to write into")))
        }
        _ => Ok(()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn reals_are_reals_in_yaml_1_1() {
        for (x, text) in [(1e-5, "1.0e-5"), (1.5e300, "1.5e+300"), (0.25, "0.25"), (3.0, "3.0"), (-2e-9, "-2.0e-9")] {
            assert_eq!(yaml_real(x), text);
        }
    }

    #[test]
    fn rows_are_written_in_order_whatever_stands_before_them() {
        let rows = ROWS_HELD + BLOCK_ROWS + 7;
        let real: Vec<f64> = (0..rows).map(|i| [0.1, -0.0, 0.0, f64::NAN, f64::NAN, i as f64 * 1e-9][i % 6]).collect();
        let count: Vec<u64> = (0..rows).map(|i| (i / 3) as u64).collect();
        let columns = vec![column("a", "", &real), column("b", "", &count)];
        let text = Table { name: "", columns, meta: Value::Null }.lines(String::from("# head\n"), " ");
        let number = |x: f64| if x.is_nan() { "nan".to_string() } else { format!("{x:?}") };
        let wanted: Vec<String> = real.iter().zip(&count).map(|(a, b)| format!("{} {b}", number(*a))).collect();
        assert_eq!(text.lines().skip(2).collect::<Vec<_>>(), wanted);
        assert!(text.starts_with("# head\na b\n") && text.ends_with('\n'));
    }
}

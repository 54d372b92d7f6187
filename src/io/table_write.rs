//! Tables on disk: ECSV, CSV, JSON and FITS, written whole or not at all.
#![expect(clippy::indexing_slicing, reason = "the columns of a product are of one length")]

use std::fmt::Write as _;
use std::io::Write;
use std::ops::Range;
use std::path::Path;

use rayon::prelude::*;
use serde_json::Value;

use super::fits_writer::{followed, write_file};
use crate::base::error::{Error, Result};
use crate::base::footprint::Footprint;
use crate::base::mend::Mend;
use crate::base::text::{count, escaped_json, plain};
use crate::base::trace;
use crate::data::table::{Column, Table, Values};

/// Rows that a core writes at a time.
const BLOCK_ROWS: usize = 1 << 11;
/// Bytes of a number in text, of 17 digits at most.
const BYTES_A_NUMBER: usize = 24;
/// Rows whose text is held beside all of it.
const ROWS_HELD: usize = 64 * BLOCK_ROWS;

/// Format of the file that a table is written to.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
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
            _ => Err(Error::argument("path", path, "the extension must be .ecsv, .csv, .json or .fits")),
        }
    }
}

impl Table<'_> {
    /// Writes the table to a file, or to standard output for `-`. The extension of the name tells the format.
    ///
    /// # Errors
    /// The file exists and `overwrite` is false, or writing fails.
    pub fn write(&self, path: impl AsRef<Path>, overwrite: bool) -> Result<()> {
        let _span = trace::span("write");
        let path = &*path.as_ref().to_string_lossy();
        let format = TableFormat::from_path(path)?;
        self.footprint(format).check(&format!("the file {path} of {}", count(self.rows() as u64, "row")))?;
        write_bytes(path, overwrite, &self.encode(format)?)
    }

    /// What a file of a format takes while it is made: its bytes, of JSON the values and two texts besides.
    fn footprint(&self, format: TableFormat) -> Footprint {
        let values = |column: &Column| if matches!(column.values, Values::Complex(..)) { 2 } else { 1 };
        let bytes = match format {
            TableFormat::Fits => 2 * size_of::<f64>(),
            TableFormat::Ecsv | TableFormat::Csv => 2 * BYTES_A_NUMBER,
            TableFormat::Json => size_of::<Value>() + 3 * BYTES_A_NUMBER,
        };
        let cells = self.rows() as u64 * self.columns.iter().map(values).sum::<u64>();
        Footprint::default().and(cells, bytes)
    }

    /// The bytes of a file with this table.
    ///
    /// # Errors
    /// The format cannot hold the metadata.
    pub fn encode(&self, format: TableFormat) -> Result<Vec<u8>> {
        match format {
            TableFormat::Ecsv => Ok(self.ecsv().into_bytes()),
            TableFormat::Csv => Ok(self.csv().into_bytes()),
            TableFormat::Json => Ok(format!("{}\n", escaped_json(&format!("{:#}", self.json()))).into_bytes()),
            TableFormat::Fits => super::table_fits::encode(self),
        }
    }

    /// Number of rows.
    pub fn rows(&self) -> usize {
        self.columns.first().map_or(0, |c| c.values.len())
    }

    /// The columns by name and parts: a complex one is `NAME_re` and `NAME_im`.
    fn parts(&self) -> Vec<(String, Part<'_>)> {
        self.columns.iter().flat_map(parts_of).collect()
    }

    /// The columns by name, complex ones whole.
    fn whole(&self) -> Vec<(String, Part<'_>)> {
        self.columns.iter().map(|c| (c.name.to_string(), Part::of(&c.values))).collect()
    }

    fn json(&self) -> Value {
        let columns = self.parts().into_iter().map(|(name, part)| {
            let values = match part {
                Part::Count(v) => serde_json::to_value(v),
                Part::Real(v) | Part::Complex(v, _) => serde_json::to_value(v),
            };
            (name, values.unwrap_or(Value::Null))
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
        lines(text, &self.whole(), " ")
    }

    fn csv(&self) -> String {
        let mut text = String::new();
        if let Value::Object(meta) = &self.meta {
            for (key, value) in meta {
                text += &format!("# {key}: {}\n", escaped_json(&value.to_string()));
            }
        }
        lines(text, &self.parts(), ",")
    }
}

/// A column of one kind of number, as text and JSON have it.
#[derive(Clone, Copy)]
enum Part<'a> {
    Real(&'a [f64]),
    Count(&'a [u64]),
    Complex(&'a [f64], &'a [f64]),
}

/// One part of a real column, two of a complex one.
fn parts_of<'a>(column: &'a Column) -> Vec<(String, Part<'a>)> {
    let name = |end: &str| format!("{}{end}", column.name);
    match &column.values {
        Values::Real(v) => vec![(name(""), Part::Real(v))],
        Values::Count(v) => vec![(name(""), Part::Count(v))],
        Values::Complex(re, im) => vec![(name("_re"), Part::Real(re)), (name("_im"), Part::Real(im))],
    }
}

impl<'a> Part<'a> {
    fn of(values: &'a Values) -> Part<'a> {
        match values {
            Values::Real(v) => Part::Real(v),
            Values::Count(v) => Part::Count(v),
            Values::Complex(re, im) => Part::Complex(re, im),
        }
    }

    fn len(self) -> usize {
        match self {
            Part::Real(v) | Part::Complex(v, _) => v.len(),
            Part::Count(v) => v.len(),
        }
    }

    /// What tells a value from others of its column.
    fn bits(self, row: usize) -> [u64; 2] {
        match self {
            Part::Real(v) => [v[row].to_bits(), 0],
            Part::Count(v) => [v[row], 0],
            Part::Complex(re, im) => [re[row].to_bits(), im[row].to_bits()],
        }
    }

    fn write(self, row: usize, text: &mut String) {
        // The shortest decimal that reads back as the same number; writing to a string does not fail.
        let real = |x: f64, text: &mut String| match x.is_nan() {
            true => *text += "nan",
            false => _ = write!(text, "{x:?}"),
        };
        match self {
            Part::Real(v) => real(v[row], text),
            Part::Count(v) => _ = write!(text, "{}", v[row]),
            // As Python writes them.
            Part::Complex(re, im) => {
                text.push('(');
                real(re[row], text);
                if im[row].is_nan() || im[row].is_sign_positive() {
                    text.push('+');
                }
                real(im[row], text);
                *text += "j)";
            }
        }
    }
}

/// Header line and rows, appended to `text`. Numbers take longer to write than to compute: all cores do, a wave of blocks at a time.
fn lines(mut text: String, columns: &[(String, Part)], separator: &str) -> String {
    let names: Vec<&str> = columns.iter().map(|(name, _)| name.as_str()).collect();
    text += &names.join(separator);
    text.push('\n');
    let rows = columns.first().map_or(0, |(_, part)| part.len());
    for wave in (0..rows).step_by(ROWS_HELD) {
        let blocks: Vec<usize> = (wave..(wave + ROWS_HELD).min(rows)).step_by(BLOCK_ROWS).collect();
        let block = |from: usize| block(columns, from..(from + BLOCK_ROWS).min(rows), separator);
        text.extend(blocks.into_par_iter().map(block).collect::<Vec<String>>());
    }
    text
}

/// Some rows.
fn block(columns: &[(String, Part)], rows: Range<usize>, separator: &str) -> String {
    let mut text = String::new();
    // Bits of each column's last value, and where it stands: most columns have the same one in many rows.
    let mut last = vec![(None, 0..0); columns.len()];
    for row in rows {
        for (i, ((_, part), last)) in columns.iter().zip(&mut last).enumerate() {
            if i > 0 {
                text += separator;
            }
            let (begin, bits) = (text.len(), Some(part.bits(row)));
            if last.0 == bits {
                text.extend_from_within(last.1.clone());
                continue;
            }
            part.write(row, &mut text);
            *last = (bits, begin..text.len());
        }
        text.push('\n');
    }
    text
}

/// Gives products a way to be written as they are: one table.
macro_rules! written_as_table {
    ($($product:ty),+ $(,)?) => {
        $(impl $product {
            /// Writes the product to a file, or to standard output for `-`: .ecsv, .csv, .json or .fits. An existing file is an
            /// error unless `overwrite`.
            ///
            /// # Errors
            /// The format is not known; the file exists, or cannot be written.
            pub fn write(&self, path: impl AsRef<std::path::Path>, overwrite: bool) -> $crate::base::error::Result<()> {
                $crate::data::Product::table(self).write(path, overwrite)
            }
        })+
    };
}
pub(crate) use written_as_table;

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
    fn datatype(&self) -> &'static str {
        match self {
            Values::Real(_) => "float64",
            Values::Count(_) => "int64",
            Values::Complex(..) => "complex128",
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

/// A quoted string; JSON's escapes are YAML's, but for those of pairs of UTF-16: a character that has such a pair becomes `?`, if a terminal would
/// obey it. To YAML and to astropy some characters end a line that end none to JSON (U+2028), and others are not allowed (U+0080).
fn yaml_text(text: &str) -> String {
    let wide = |c: char| if c.len_utf16() > 1 && plain(c.encode_utf8(&mut [0; 4])) == "?" { '?' } else { c };
    escaped_json(&Value::String(text.chars().map(wide).collect()).to_string())
}

/// Checks that a file could be written, before a long run begins.
///
/// # Errors
/// The file exists and `overwrite` is false, its folder does not exist, or its name leads nowhere, as links in a circle do.
pub fn check_output(path: &str, overwrite: bool) -> Result<()> {
    let path = Path::new(path);
    if path.exists() && !overwrite {
        return Err(Error::io(path, std::io::Error::other("exists already"))
            .mended_by([Mend::set("overwrite", true).doing("replaces it")]));
    }
    // Links that lead in a circle, folders that may not be looked into: what cannot be looked at cannot be written.
    let passable = [std::io::ErrorKind::NotFound, std::io::ErrorKind::NotADirectory];
    match path.metadata() {
        Err(e) if !passable.contains(&e.kind()) => return Err(Error::io(path, e)),
        _ => {}
    }
    match followed(path).parent() {
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
    fn complex_numbers_are_as_python_writes_them() {
        let (re, im) = ([1.0, -0.0, f64::NAN, 2e-9], [2.0, -0.0, f64::NAN, f64::NEG_INFINITY]);
        let mut text = String::new();
        (0..4).for_each(|row| Part::Complex(&re, &im).write(row, &mut text));
        assert_eq!(text, "(1.0+2.0j)(-0.0-0.0j)(nan+nanj)(2e-9-infj)");
    }

    #[test]
    fn rows_are_written_in_order_whatever_stands_before_them() {
        let rows = ROWS_HELD + BLOCK_ROWS + 7;
        let real: Vec<f64> = (0..rows).map(|i| [0.1, -0.0, 0.0, f64::NAN, f64::NAN, i as f64 * 1e-9][i % 6]).collect();
        let count: Vec<u64> = (0..rows).map(|i| (i / 3) as u64).collect();
        let columns = [("a".to_string(), Part::Real(&real)), ("b".to_string(), Part::Count(&count))];
        let text = lines(String::from("# head\n"), &columns, " ");
        let number = |x: f64| if x.is_nan() { "nan".to_string() } else { format!("{x:?}") };
        let wanted: Vec<String> = real.iter().zip(&count).map(|(a, b)| format!("{} {b}", number(*a))).collect();
        assert_eq!(text.lines().skip(2).collect::<Vec<_>>(), wanted);
        assert!(text.starts_with("# head\na b\n") && text.ends_with('\n'));
    }
}

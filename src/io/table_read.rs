//! Products read back from the files that they were written to: ECSV, CSV, JSON and FITS, recognised by their content.

use serde_json::Value;

use super::fits::{self, Hdu};
use super::fits_table::{ElementType, FitsTable};
use super::input_file::{InputFile, format_error};
pub(crate) use super::table_columns::ReadTable;
use super::table_columns::{Cell, ReadColumn, declared, kind_of, same_length};
use super::table_read_text::{from_text, text_metadata};
use super::text_file;
use crate::base::error::Result;
use crate::base::footprint::Footprint;
use crate::data::product::{ColumnKind, ProductKind};

/// Bytes that a value takes at most while it is read: as a value or a cell with its place in a list that grows, as an entry of a list of
/// names in JSON, and as a number of a column.
const BYTES_A_VALUE: usize = 128;

impl ReadTable {
    /// Reads the table of a product of this kind.
    ///
    /// # Errors
    /// The file cannot be read; it is no product of this program, or another product; its columns or its metadata cannot be used.
    pub fn open(path: &std::path::Path, kind: &'static ProductKind) -> Result<ReadTable> {
        ReadTable::from_file(&InputFile::open(path)?, &[kind])
    }

    /// The same, of one of several kinds.
    pub fn from_file(source: &InputFile, kinds: &[&'static ProductKind]) -> Result<ReadTable> {
        if source.is_fits() {
            return from_fits(source, kinds);
        }
        let Some(text) = text_of(source)? else {
            return Err(format_error(source.path(), "whole file", "neither FITS nor text"));
        };
        let text = text.strip_prefix('\u{feff}').unwrap_or(&text).to_string();
        match text.trim_start().starts_with('{') {
            true => from_json(source.path(), &text, kinds),
            false => from_text(source.path(), &text, kinds),
        }
    }
}

/// The name of the product ([`ProductKind::name`]) that a file says that it holds; `None` if it says nothing of it.
///
/// # Errors
/// The file cannot be read.
pub fn product_name(path: &std::path::Path) -> Result<Option<String>> {
    product_of(&InputFile::open(path)?)
}

/// [`product_name`] of a file that is open.
pub(super) fn product_of(source: &InputFile) -> Result<Option<String>> {
    let meta = match source.is_fits() {
        true => fits::scan(source)?
            .0
            .iter()
            .find(|hdu| hdu.name == "METADATA")
            .map(|hdu| fits_metadata(source, hdu))
            .transpose()?,
        false => {
            let Some(text) = text_of(source)? else { return Ok(None) };
            let text = text.strip_prefix('\u{feff}').unwrap_or(&text).to_string();
            match text.trim_start().starts_with('{') {
                true => serde_json::from_str::<Value>(&text).ok().and_then(|value| value.get("meta").cloned()),
                false => text_metadata(source.path(), &text).ok(),
            }
        }
    };
    Ok(meta.and_then(|meta| meta.get("product").and_then(Value::as_str).map(str::to_string)))
}

/// The text of a file, if that and the values in it can be held.
fn text_of(source: &InputFile) -> Result<Option<String>> {
    text_file::refuse_wide(source.path(), source.head())?;
    let separator = match source.head().trim_ascii_start().first() {
        Some(b'{') => b',',
        _ if source.head().starts_with(b"# %ECSV") => b' ',
        _ => b',',
    };
    let text = Footprint::default().and(source.len(), 1);
    let what = format!("the text of {}", source.path());
    // A file that is too large is not looked through.
    text.check(&what)?;
    text.and(source.count(separator)? + source.count(b'\n')?, BYTES_A_VALUE).check(&what)?;
    Ok(String::from_utf8(source.read(0..source.len())?).ok())
}

fn from_json(path: &str, text: &str, kinds: &[&'static ProductKind]) -> Result<ReadTable> {
    let value: Value = serde_json::from_str(text).map_err(|e| format_error(path, "JSON", &e.to_string()))?;
    let (Some(meta), Some(Value::Object(all))) = (value.get("meta"), value.get("columns")) else {
        return Err(format_error(path, "JSON", "no object with `meta` and `columns`"));
    };
    ReadTable::new(path, meta.clone(), kinds, |kind| {
        let cells = |name: &str| all.get(name);
        declared(
            kind,
            |name| cells(name).is_some(),
            |name, count| {
                let place = format!("columns, {name}");
                let Some(Value::Array(list)) = cells(name) else {
                    return Err(format_error(path, &place, "is no list of numbers"));
                };
                let number = |(at, value): (usize, &Value)| {
                    let real = if value.is_null() { Some(f64::NAN) } else { value.as_f64() };
                    let bad =
                        |what: &str| format_error(path, &format!("{place}[{at}]"), &format!("`{value}` is no {what}"));
                    match count {
                        true => value.as_u64().map(Cell::Count).ok_or_else(|| bad("whole number")),
                        false => real.map(Cell::Real).ok_or_else(|| bad("number")),
                    }
                };
                list.iter().enumerate().map(number).collect()
            },
        )
        .and_then(|columns| same_length(path, columns))
    })
}

/// The JSON of the extension METADATA.
fn fits_metadata(source: &InputFile, hdu: &Hdu) -> Result<Value> {
    let table = FitsTable::open(source, hdu, false)?;
    let length = (table.rows * table.row_size) as u64;
    // Values of JSON, of two bytes at least.
    let values = Footprint::default().and(length, 1).and(length / 2, BYTES_A_VALUE / 2);
    values.check(&format!("the metadata of {}", source.path()))?;
    let bytes = source.read(hdu.data_offset..hdu.data_offset + length)?;
    let text = String::from_utf8_lossy(&bytes);
    serde_json::from_str(text.trim_end_matches(['\0', ' '])).map_err(|e| table.error("column JSON", &e.to_string()))
}

/// The metadata of a FITS file with a product of this kind.
pub(super) fn fits_meta_of(source: &InputFile, hdus: &[Hdu], kind: &'static ProductKind) -> Result<Value> {
    let Some(hdu) = hdus.iter().find(|hdu| hdu.name == "METADATA") else {
        let message = "no extension METADATA, which products of this program have";
        return Err(format_error(source.path(), "whole file", message));
    };
    let meta = fits_metadata(source, hdu)?;
    kind_of(source.path(), &meta, &[kind])?;
    Ok(meta)
}

fn from_fits(source: &InputFile, kinds: &[&'static ProductKind]) -> Result<ReadTable> {
    let (hdus, _) = fits::scan(source)?;
    let Some(hdu) = hdus.iter().find(|hdu| hdu.name == "METADATA") else {
        let message = "no extension METADATA, which products of this program have";
        return Err(format_error(source.path(), "whole file", message));
    };
    let meta = fits_metadata(source, hdu)?;
    ReadTable::new(source.path(), meta, kinds, |kind| {
        let Some(hdu) = hdus.iter().find(|hdu| hdu.name == kind.table) else {
            return Err(format_error(source.path(), &format!("extension {}", kind.table), "missing"));
        };
        let table = FitsTable::open(source, hdu, false)?;
        let columns = Footprint::default().and(table.rows, table.row_size.saturating_mul(2));
        columns.check(&format!("the table of {}", source.path()))?;
        Ok((table.rows, fits_columns(&table, kind)?))
    })
}

/// The columns of a kind that a FITS table has.
fn fits_columns(table: &FitsTable, kind: &'static ProductKind) -> Result<Vec<(&'static str, ReadColumn)>> {
    let mut columns = Vec::new();
    for declared in kind.columns {
        let found = table.column(declared.name)?;
        // OGIP's name for the error of a rate.
        let found = if found.is_none() && declared.name == "rate_err" { table.column("ERROR")? } else { found };
        let Some(column) = found else { continue };
        let wanted = match declared.kind {
            ColumnKind::Real => ElementType::F64,
            ColumnKind::Count => ElementType::I64,
            ColumnKind::Complex => ElementType::C128,
        };
        if column.kind != wanted || column.repeat != 1 {
            let message = format!("{} x {:?}; one {wanted:?} in each row is needed", column.repeat, column.kind);
            return Err(table.error(&format!("column {}", column.name), &message));
        }
        let read = match declared.kind {
            ColumnKind::Real => ReadColumn::Real(table.words(column, 0, f64::from_be_bytes)?),
            ColumnKind::Count => ReadColumn::Count(table.words(column, 0, u64::from_be_bytes)?),
            ColumnKind::Complex => {
                let part = |at| table.words(column, at, f64::from_be_bytes);
                ReadColumn::Complex(part(0)?, part(8)?)
            }
        };
        columns.push((declared.name, read));
    }
    Ok(columns)
}

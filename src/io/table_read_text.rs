//! Products read back from ECSV and CSV.

use std::collections::HashSet;

use serde_json::Value;

use super::input_file::format_error;
use super::table_columns::{Cell, ReadTable, declared};
use crate::base::error::Result;
use crate::data::product::ProductKind;

/// Columns of a text table: their names, the number of each line, and their cells.
struct TextColumns<'a> {
    names: Vec<String>,
    lines: Vec<usize>,
    cells: Vec<Vec<&'a str>>,
}

/// The metadata of ECSV and CSV: `key: value` in comments, values as this program writes them.
pub(super) fn text_metadata(path: &str, text: &str) -> Result<Value> {
    let mut meta = serde_json::Map::new();
    let mut inside = !text.starts_with("# %ECSV");
    for (number, line) in text.lines().enumerate() {
        let Some(comment) = line.strip_prefix('#') else { break };
        let comment = comment.trim();
        if comment == "meta:" {
            inside = true;
            continue;
        }
        let Some((key, value)) = comment.split_once(": ").filter(|_| inside) else { continue };
        if key == "schema" {
            continue;
        }
        let value = serde_json::from_str(value).map_err(|_| {
            let shown: String = value.chars().take(40).collect();
            let message =
                format!("`{}` is not as this program writes it; use the file as it was written", shown.escape_debug());
            format_error(path, &format!("line {}, metadata, {key}", number + 1), &message)
        })?;
        meta.insert(key.to_string(), value);
    }
    Ok(Value::Object(meta))
}

/// A table of ECSV or CSV.
pub(super) fn from_text(path: &str, text: &str, kinds: &[&'static ProductKind]) -> Result<ReadTable> {
    let separator = if text.starts_with("# %ECSV") { ' ' } else { ',' };
    let meta = text_metadata(path, text)?;
    ReadTable::new(path, meta, kinds, |kind| {
        let table = text_columns(path, text, separator)?;
        let place = |name: &str| table.names.iter().position(|own| own == name);
        let columns = declared(
            kind,
            |name| place(name).is_some(),
            |name, count| {
                let Some(cells) = place(name).and_then(|at| table.cells.get(at)) else { return Ok(Vec::new()) };
                let one = |(line, text): (&usize, &&str)| {
                    let bad = |what: &str| {
                        format_error(
                            path,
                            &format!("line {line}, column {name}"),
                            &format!("`{}` is no {what}", text.escape_debug()),
                        )
                    };
                    match count {
                        true => text.parse().map(Cell::Count).map_err(|_| bad("whole number")),
                        false => text.parse().map(Cell::Real).map_err(|_| bad("number")),
                    }
                };
                table.lines.iter().zip(cells).map(one).collect()
            },
        )?;
        Ok((table.lines.len(), columns))
    })
}

/// The columns of a text table; complex ones of ECSV in two parts.
fn text_columns<'a>(path: &str, text: &'a str, separator: char) -> Result<TextColumns<'a>> {
    let mut table: Option<TextColumns> = None;
    let mut complex: Vec<bool> = Vec::new();
    for (number, line) in text.lines().enumerate() {
        if line.starts_with('#') || line.trim().is_empty() {
            continue;
        }
        let cells = || line.split(separator);
        let Some(table) = &mut table else {
            let declared = if separator == ' ' { complex_columns(text) } else { HashSet::new() };
            complex = cells().map(|name| declared.contains(name)).collect();
            let parts = |(name, complex): (&str, &bool)| match complex {
                true => vec![format!("{name}_re"), format!("{name}_im")],
                false => vec![name.to_string()],
            };
            let names: Vec<String> = cells().zip(&complex).flat_map(parts).collect();
            table = Some(TextColumns { cells: vec![Vec::new(); names.len()], names, lines: Vec::new() });
            continue;
        };
        let at = || format!("line {}", number + 1);
        let found = cells().count();
        if found != complex.len() {
            let message = format!("{found} values, and {} columns were announced", complex.len());
            return Err(format_error(path, &at(), &message));
        }
        let mut columns = table.cells.iter_mut();
        let mut push = |cell: &'a str| columns.next().into_iter().for_each(|column| column.push(cell));
        for (cell, complex) in cells().zip(&complex) {
            match complex {
                false => push(cell),
                true => {
                    let parts = complex_parts(cell).ok_or_else(|| {
                        format_error(path, &at(), &format!("`{}` is no complex number", cell.escape_debug()))
                    })?;
                    parts.into_iter().for_each(&mut push);
                }
            }
        }
        table.lines.push(number + 1);
    }
    table.ok_or_else(|| format_error(path, "whole file", "no line with the names of columns"))
}

/// Names of the columns that the comments of an ECSV file declare as complex.
fn complex_columns(text: &str) -> HashSet<&str> {
    let comments = text.lines().take_while(|line| line.starts_with('#')).filter(|line| line.contains("complex128"));
    comments.filter_map(|line| Some(line.split_once("name: ")?.1.split_once(',')?.0)).collect()
}

/// Real and imaginary part of `(re+imj)`, as text.
fn complex_parts(cell: &str) -> Option<[&str; 2]> {
    let inner = cell.trim_start_matches('(').trim_end_matches(')').strip_suffix('j')?;
    // The sign of the imaginary part is the last that belongs to no exponent.
    let sign = |(at, byte): &(usize, u8)| {
        *at > 0 && matches!(byte, b'+' | b'-') && !matches!(inner.as_bytes().get(at - 1), Some(b'e' | b'E'))
    };
    let (at, _) = inner.bytes().enumerate().rfind(sign)?;
    let (re, im) = (inner.get(..at)?, inner.get(at..)?);
    Some([re, im.strip_prefix('+').unwrap_or(im)])
}

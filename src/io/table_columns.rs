//! The columns and metadata of a product as they are read.

use serde::de::DeserializeOwned;
use serde_json::Value;

use super::input_file::format_error;
use crate::base::error::{Error, Result};
use crate::data::product::{ColumnKind, ProductKind};

/// A column as read.
pub(super) enum ReadColumn {
    Real(Vec<f64>),
    Count(Vec<u64>),
    Complex(Vec<f64>, Vec<f64>),
}

/// A product's table as read from a file.
pub(crate) struct ReadTable {
    path: String,
    kind: &'static ProductKind,
    /// Its metadata: a JSON object.
    pub meta: Value,
    /// The declared columns that the file has, by name.
    columns: Vec<(&'static str, ReadColumn)>,
    rows: usize,
}

impl ReadTable {
    /// Name of the file as given.
    pub fn path(&self) -> &str {
        &self.path
    }

    /// Number of rows.
    pub fn rows(&self) -> usize {
        self.rows
    }

    /// What the metadata say, as a type that has been written to them.
    ///
    /// # Errors
    /// A key is missing, or has another type of value.
    pub fn metadata<T: DeserializeOwned>(&self) -> Result<T> {
        T::deserialize(&self.meta).map_err(|e| format_error(&self.path, "metadata", &e.to_string()))
    }

    /// What one key of the metadata says.
    ///
    /// # Errors
    /// As for [`ReadTable::metadata`].
    pub fn part<T: DeserializeOwned>(&self, key: &str) -> Result<T> {
        let value = self.meta.get(key).unwrap_or(&Value::Null);
        T::deserialize(value).map_err(|e| format_error(&self.path, &format!("metadata, {key}"), &e.to_string()))
    }

    /// The real numbers of a column.
    ///
    /// # Errors
    /// The file does not have the column.
    pub fn real(&mut self, name: &str) -> Result<Vec<f64>> {
        match self.take(name) {
            Some(ReadColumn::Real(values)) => Ok(values),
            _ => Err(self.missing(name)),
        }
    }

    /// The whole numbers of a column.
    ///
    /// # Errors
    /// The file does not have the column.
    pub fn count(&mut self, name: &str) -> Result<Vec<u64>> {
        match self.take(name) {
            Some(ReadColumn::Count(values)) => Ok(values),
            _ => Err(self.missing(name)),
        }
    }

    /// Real and imaginary parts of a column.
    ///
    /// # Errors
    /// The file does not have the column.
    pub fn complex(&mut self, name: &str) -> Result<(Vec<f64>, Vec<f64>)> {
        match self.take(name) {
            Some(ReadColumn::Complex(re, im)) => Ok((re, im)),
            _ => Err(self.missing(name)),
        }
    }

    /// The whole numbers of a column, or the one number of the metadata that stands for all of them.
    ///
    /// # Errors
    /// The file has neither.
    pub fn count_or_scalar(&mut self, name: &str) -> Result<Vec<u64>> {
        match (self.has(name), self.meta.get(name).and_then(Value::as_u64)) {
            (true, _) => self.count(name),
            (false, Some(one)) => Ok(vec![one; self.rows]),
            (false, None) => Err(self.missing(name)),
        }
    }

    /// True if the file has the column.
    pub fn has(&self, name: &str) -> bool {
        self.columns.iter().any(|(own, _)| *own == name)
    }

    fn take(&mut self, name: &str) -> Option<ReadColumn> {
        let place = self.columns.iter().position(|(own, _)| *own == name)?;
        Some(self.columns.remove(place).1)
    }

    fn missing(&self, name: &str) -> Error {
        let there: Vec<&str> = self.columns.iter().map(|(name, _)| *name).collect();
        let message = format!("missing; a {} has it; the file has {}", self.kind.name, there.join(", "));
        format_error(&self.path, &format!("column {name}"), &message)
    }

    /// Checks what the metadata say of the kind, and gives columns their declarations.
    pub(super) fn new(
        path: &str,
        meta: Value,
        kinds: &[&'static ProductKind],
        columns: impl FnOnce(&'static ProductKind) -> Result<(usize, Vec<(&'static str, ReadColumn)>)>,
    ) -> Result<ReadTable> {
        let kind = kind_of(path, &meta, kinds)?;
        let (rows, columns) = columns(kind)?;
        Ok(ReadTable { path: path.to_string(), kind, meta, columns, rows })
    }
}

/// Which of some kinds the metadata say a file has.
pub(super) fn kind_of(path: &str, meta: &Value, kinds: &[&'static ProductKind]) -> Result<&'static ProductKind> {
    let wanted = || kinds.iter().map(|kind| kind.name).collect::<Vec<_>>().join(" or ");
    let Some(name) = meta.get("product").and_then(Value::as_str) else {
        let message =
            format!("no key `product`, so this is no product of this program (0.2.0 or later); wanted: {}", wanted());
        return Err(format_error(path, "metadata", &message));
    };
    let found = kinds.iter().copied().find(|kind| kind.name == name);
    found.ok_or_else(|| format_error(path, "metadata", &format!("holds a {name}; wanted: {}", wanted())))
}

/// One value of a column.
pub(super) enum Cell {
    Real(f64),
    Count(u64),
}

/// The columns of a kind that are there, with `read` reading one real or whole one. A complex one may be in two parts.
pub(super) fn declared(
    kind: &'static ProductKind,
    has: impl Fn(&str) -> bool,
    read: impl Fn(&str, bool) -> Result<Vec<Cell>>,
) -> Result<Vec<(&'static str, ReadColumn)>> {
    let real = |name: &str| -> Result<Vec<f64>> {
        Ok(read(name, false)?.into_iter().map(|cell| if let Cell::Real(x) = cell { x } else { f64::NAN }).collect())
    };
    let mut columns = Vec::new();
    for column in kind.columns {
        match column.kind {
            ColumnKind::Complex => {
                let [re, im] = ["re", "im"].map(|part| format!("{}_{part}", column.name));
                if has(&re) && has(&im) {
                    columns.push((column.name, ReadColumn::Complex(real(&re)?, real(&im)?)));
                }
            }
            ColumnKind::Real if has(column.name) => columns.push((column.name, ReadColumn::Real(real(column.name)?))),
            ColumnKind::Count if has(column.name) => {
                let whole = |cell| if let Cell::Count(n) = cell { n } else { 0 };
                let values = read(column.name, true)?.into_iter().map(whole).collect();
                columns.push((column.name, ReadColumn::Count(values)));
            }
            ColumnKind::Real | ColumnKind::Count => {}
        }
    }
    Ok(columns)
}

/// The number of rows of columns, which must be one.
pub(super) fn same_length(
    path: &str,
    columns: Vec<(&'static str, ReadColumn)>,
) -> Result<(usize, Vec<(&'static str, ReadColumn)>)> {
    let len = |column: &ReadColumn| match column {
        ReadColumn::Real(v) => [v.len(); 2],
        ReadColumn::Count(v) => [v.len(); 2],
        ReadColumn::Complex(re, im) => [re.len(), im.len()],
    };
    let rows = columns.first().map_or(0, |(_, column)| len(column)[0]);
    for (name, column) in &columns {
        if let Some(other) = len(column).into_iter().find(|own| *own != rows) {
            let message = format!("{other} values, and {} has {rows}", columns.first().map_or("", |(name, _)| name));
            return Err(format_error(path, &format!("column {name}"), &message));
        }
    }
    Ok((rows, columns))
}

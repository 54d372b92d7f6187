//! Tables: the form in which all products are written, read and drawn.

use serde_json::Value;

/// The values of one column.
pub enum Values<'a> {
    /// Real numbers.
    Real(&'a [f64]),
    /// Whole numbers, such as counts.
    Count(&'a [u64]),
}

impl<'a> From<&'a [f64]> for Values<'a> {
    fn from(values: &'a [f64]) -> Values<'a> {
        Values::Real(values)
    }
}

impl<'a> From<&'a Vec<f64>> for Values<'a> {
    fn from(values: &'a Vec<f64>) -> Values<'a> {
        Values::Real(values)
    }
}

impl<'a> From<&'a Vec<u64>> for Values<'a> {
    fn from(values: &'a Vec<u64>) -> Values<'a> {
        Values::Count(values)
    }
}

/// One column of a table.
pub struct Column<'a> {
    /// Name of the column.
    pub name: &'static str,
    /// Unit in the notation of the FITS standard; empty for pure numbers.
    pub unit: String,
    /// The values, one a row.
    pub values: Values<'a>,
}

/// A column of real numbers or counts.
pub(crate) fn column<'a>(name: &'static str, unit: &str, values: impl Into<Values<'a>>) -> Column<'a> {
    Column { name, unit: unit.to_string(), values: values.into() }
}

/// Columns of equal length with names and units, and metadata as JSON; can be written as ECSV, CSV, JSON or FITS.
pub struct Table<'a> {
    /// Name of the table, in formats that have one.
    pub name: &'static str,
    /// The columns, all of one length, in the order in which they are written.
    pub columns: Vec<Column<'a>>,
    /// Metadata: a JSON object.
    pub meta: Value,
}

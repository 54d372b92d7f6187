//! Tables: what products look like to those who write, read or draw them.

use serde_json::Value;

/// Values of one column.
pub enum Values<'a> {
    /// Real numbers.
    Real(&'a [f64]),
    /// Counts.
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

/// One column of a product.
pub struct Column<'a> {
    /// Name that scripts use.
    pub name: &'static str,
    /// Unit in the notation of the FITS standard, empty for pure numbers.
    pub unit: String,
    /// Its values.
    pub values: Values<'a>,
}

/// A column of real numbers or counts.
pub(crate) fn column<'a>(name: &'static str, unit: &str, values: impl Into<Values<'a>>) -> Column<'a> {
    Column { name, unit: unit.to_string(), values: values.into() }
}

/// A table with metadata, ready to be written in any format.
pub struct Table<'a> {
    /// Name of the table in formats that name it.
    pub name: &'static str,
    /// Columns of one length, in the order scripts expect.
    pub columns: Vec<Column<'a>>,
    /// Metadata, a JSON object.
    pub meta: Value,
}

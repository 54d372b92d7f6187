//! Tables: the form in which all products are written, read and drawn.

use std::borrow::Cow;

use serde_json::Value;

/// The values of one column.
#[derive(Clone, Debug, PartialEq)]
#[non_exhaustive]
pub enum Values<'a> {
    /// Real numbers.
    Real(Cow<'a, [f64]>),
    /// Whole numbers, such as counts.
    Count(Cow<'a, [u64]>),
    /// Complex numbers: real and imaginary parts.
    Complex(Cow<'a, [f64]>, Cow<'a, [f64]>),
}

impl<'a> Values<'a> {
    /// Complex numbers of these parts.
    pub fn complex(re: &'a [f64], im: &'a [f64]) -> Values<'a> {
        Values::Complex(Cow::Borrowed(re), Cow::Borrowed(im))
    }

    /// Number of values.
    pub fn len(&self) -> usize {
        match self {
            Values::Real(v) => v.len(),
            Values::Count(v) => v.len(),
            Values::Complex(re, _) => re.len(),
        }
    }

    /// True if there is no value.
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }
}

impl<'a> From<&'a [f64]> for Values<'a> {
    fn from(values: &'a [f64]) -> Values<'a> {
        Values::Real(Cow::Borrowed(values))
    }
}

impl<'a> From<&'a Vec<f64>> for Values<'a> {
    fn from(values: &'a Vec<f64>) -> Values<'a> {
        Values::Real(Cow::Borrowed(values))
    }
}

impl From<Vec<f64>> for Values<'_> {
    fn from(values: Vec<f64>) -> Self {
        Values::Real(Cow::Owned(values))
    }
}

impl<'a> From<&'a Vec<u64>> for Values<'a> {
    fn from(values: &'a Vec<u64>) -> Values<'a> {
        Values::Count(Cow::Borrowed(values))
    }
}

impl From<Vec<u64>> for Values<'_> {
    fn from(values: Vec<u64>) -> Self {
        Values::Count(Cow::Owned(values))
    }
}

/// One column of a table.
#[derive(Clone, Debug, PartialEq)]
#[non_exhaustive]
pub struct Column<'a> {
    /// Name of the column.
    pub name: &'static str,
    /// Unit in the notation of the FITS standard; empty for pure numbers.
    pub unit: String,
    /// The values, one a row.
    pub values: Values<'a>,
}

/// Columns of equal length with names and units, and metadata as JSON; can be written as ECSV, CSV, JSON or FITS.
#[derive(Clone, Debug, PartialEq)]
#[non_exhaustive]
pub struct Table<'a> {
    /// Name of the table, in formats that have one.
    pub name: &'static str,
    /// The columns, all of one length, in the order in which they are written.
    pub columns: Vec<Column<'a>>,
    /// Metadata: a JSON object.
    pub meta: Value,
}

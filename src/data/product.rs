//! Products: what they are called, and their columns, each declared once. Tables, files, readers and docs/products.md follow from it.

use serde_json::Value;

use super::table::{Column, Table, Values};

/// What the values of a column are.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ColumnKind {
    /// Real numbers.
    Real,
    /// Whole numbers, such as counts.
    Count,
    /// Complex numbers.
    Complex,
}

/// The unit of a column.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ColumnUnit {
    /// The same always, in the notation of the FITS standard; empty for pure numbers.
    Fixed(&'static str),
    /// That of powers in the normalisation of the product.
    Power,
    /// Another that the product knows; in words, what it depends on.
    Varies(&'static str),
}

/// What a column holds: its name and unit, what it means, by which formula, from which source.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct ColumnDeclaration {
    /// Name of the column.
    pub name: &'static str,
    /// What its values are.
    pub kind: ColumnKind,
    /// Unit of its values.
    pub unit: ColumnUnit,
    /// What it means.
    pub meaning: &'static str,
    /// Its formula; empty where the meaning says it.
    pub formula: &'static str,
    /// Where the formula comes from; empty where it is a definition.
    pub source: &'static str,
    /// When a product has it; empty for always.
    pub when: &'static str,
}

impl ColumnDeclaration {
    /// A column of real numbers.
    pub const fn real(name: &'static str, unit: &'static str, meaning: &'static str) -> ColumnDeclaration {
        let unit = ColumnUnit::Fixed(unit);
        ColumnDeclaration { name, kind: ColumnKind::Real, unit, meaning, formula: "", source: "", when: "" }
    }

    /// A column of powers.
    pub const fn power(name: &'static str, meaning: &'static str) -> ColumnDeclaration {
        ColumnDeclaration { unit: ColumnUnit::Power, ..ColumnDeclaration::real(name, "", meaning) }
    }

    /// A column of whole numbers.
    pub const fn count(name: &'static str, unit: &'static str, meaning: &'static str) -> ColumnDeclaration {
        ColumnDeclaration { kind: ColumnKind::Count, ..ColumnDeclaration::real(name, unit, meaning) }
    }

    /// With complex values.
    #[must_use]
    pub const fn complex(self) -> ColumnDeclaration {
        ColumnDeclaration { kind: ColumnKind::Complex, ..self }
    }

    /// In a unit that depends on what is said.
    #[must_use]
    pub const fn unit_by(self, what: &'static str) -> ColumnDeclaration {
        ColumnDeclaration { unit: ColumnUnit::Varies(what), ..self }
    }

    /// By a formula.
    #[must_use]
    pub const fn by(self, formula: &'static str) -> ColumnDeclaration {
        ColumnDeclaration { formula, ..self }
    }

    /// From a source.
    #[must_use]
    pub const fn from(self, source: &'static str) -> ColumnDeclaration {
        ColumnDeclaration { source, ..self }
    }

    /// Only in some products.
    #[must_use]
    pub const fn when(self, when: &'static str) -> ColumnDeclaration {
        ColumnDeclaration { when, ..self }
    }
}

/// What one kind of product is.
#[derive(Debug)]
#[non_exhaustive]
pub struct ProductKind {
    /// Its name, which the key `product` of the metadata has.
    pub name: &'static str,
    /// What it is, in a sentence.
    pub meaning: &'static str,
    /// The commands of the program that make it.
    pub commands: &'static str,
    /// Name of its table, in formats that have one.
    pub table: &'static str,
    /// Its columns, in the order in which they are written.
    pub columns: &'static [ColumnDeclaration],
}

impl ProductKind {
    /// The declaration of a column; `None` if there is no such column.
    pub fn column(&self, name: &str) -> Option<&'static ColumnDeclaration> {
        self.columns.iter().find(|column| column.name == name)
    }
}

/// A product: numbers, and what made them. Each product has `write(path, overwrite)`, and `read(path)` where it is read back.
pub trait Product {
    /// What kind of product it is.
    fn kind(&self) -> &'static ProductKind;

    /// Its own metadata and its record as a JSON object.
    fn metadata(&self) -> Value;

    /// The values of a declared column, one a row; `None` where this product does not have it.
    fn values(&self, name: &str) -> Option<Values<'_>>;

    /// The unit of a column for which the declaration leaves it open; that of powers for all of powers.
    fn unit(&self, column: &ColumnDeclaration) -> &'static str;

    /// The product as a table. A name is a column or a key of the metadata, never both.
    fn table(&self) -> Table<'_> {
        let kind = self.kind();
        let column = |declared: &ColumnDeclaration| {
            let unit = match declared.unit {
                ColumnUnit::Fixed(unit) => unit,
                ColumnUnit::Power | ColumnUnit::Varies(_) => self.unit(declared),
            };
            Some(Column { name: declared.name, unit: unit.to_string(), values: self.values(declared.name)? })
        };
        let columns = kind.columns.iter().filter_map(column).collect();
        let mut meta = self.metadata();
        if let Some(meta) = meta.as_object_mut() {
            meta.insert("product".into(), kind.name.into());
        }
        Table { name: kind.table, columns, meta }
    }
}

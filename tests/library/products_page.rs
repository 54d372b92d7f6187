//! docs/products.md: its tables are the declarations of columns. `EAGLERAY_WRITE_PAGES=1 cargo test --test library products_page`
//! rewrites them.

use std::path::Path;

use eagleray::data::product::{ColumnDeclaration, ColumnKind, ColumnUnit, ProductKind};
use eagleray::internal::engine::PRODUCTS;
use eagleray::science::columns::{FREQUENCIES, TIMES};

use crate::common::pages;

/// Each kind once: several analyses make power spectra.
fn kinds() -> Vec<&'static ProductKind> {
    let mut kinds: Vec<&'static ProductKind> = Vec::new();
    for kind in PRODUCTS.iter().copied().flatten() {
        if kinds.iter().all(|known| !std::ptr::eq(*known, *kind)) {
            kinds.push(kind);
        }
    }
    kinds
}

fn table(columns: &[ColumnDeclaration]) -> String {
    let heads = ["column", "unit", "meaning", "formula", "source"].map(String::from);
    let line = |column: &ColumnDeclaration| {
        let kind = match column.kind {
            ColumnKind::Real => "",
            ColumnKind::Count => ", whole",
            ColumnKind::Complex => ", complex",
        };
        let unit = match column.unit {
            ColumnUnit::Fixed(unit) => unit.to_string(),
            ColumnUnit::Power => "of powers".to_string(),
            ColumnUnit::Varies(what) => what.to_string(),
        };
        let when = if column.when.is_empty() { String::new() } else { format!("; {}", column.when) };
        let cells = [
            format!("`{}`{kind}", column.name),
            unit,
            format!("{}{when}", column.meaning),
            column.formula.to_string(),
            column.source.to_string(),
        ];
        pages::row(&cells)
    };
    let rule = pages::row(&["---"; 5].map(String::from));
    [pages::row(&heads), rule].into_iter().chain(columns.iter().map(line)).collect()
}

#[test]
fn the_page_has_every_column_of_every_product() {
    let product = |kind: &&ProductKind| {
        format!("### {}\n\n{} Commands: `{}`.\n\n{}\n", kind.name, kind.meaning, kind.commands, table(kind.columns))
    };
    let all: String = kinds().iter().map(product).collect();
    let axes = format!("Times:\n\n{}\nFrequencies:\n\n{}\n", table(TIMES), table(FREQUENCIES));
    let page = Path::new(env!("CARGO_MANIFEST_DIR")).join("docs/products.md");
    pages::hold(&page, &[("products", all), ("axes", axes)]);
}

#[test]
fn kinds_and_columns_have_names_of_their_own() {
    let kinds = kinds();
    for (place, kind) in kinds.iter().enumerate() {
        assert!(kinds[..place].iter().all(|other| other.name != kind.name), "two kinds are called {}", kind.name);
        for (at, column) in kind.columns.iter().enumerate() {
            assert!(kind.columns[..at].iter().all(|other| other.name != column.name), "{}: {}", kind.name, column.name);
            // A complex column is two in CSV and JSON.
            let parts = [format!("{}_re", column.name), format!("{}_im", column.name)];
            if column.kind == ColumnKind::Complex {
                assert!(kind.columns.iter().all(|other| !parts.contains(&other.name.to_string())), "{parts:?}");
            }
            assert!(!column.meaning.is_empty(), "{}: {} has no meaning", kind.name, column.name);
        }
    }
}

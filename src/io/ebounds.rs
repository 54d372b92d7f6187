//! Energies of channels: the EBOUNDS extension (OGIP memo CAL/GEN/92-002) of responses and of some event files.

use super::fits;
use super::fits_table::{ElementType, FitsTable};
use super::input_file::InputFile;
use crate::base::error::{Error, Result};
use crate::data::energy_scale::{Decimal, EnergyScale};

/// Channels beyond are mistakes.
const LAST_CHANNEL: f64 = (1u64 << 32) as f64;

pub(super) fn is_bounds(hdu: &&fits::Hdu) -> bool {
    hdu.name.eq_ignore_ascii_case("EBOUNDS")
        || hdu.header.text("HDUCLAS2").is_some_and(|c| c.trim().eq_ignore_ascii_case("EBOUNDS"))
}

/// The energies of channels that an event file gives itself; `None` where it does not.
///
/// # Errors
/// An EBOUNDS extension that gives none.
pub(super) fn own_bounds(source: &InputFile, hdus: &[fits::Hdu]) -> Result<Option<EnergyScale>> {
    hdus.iter().find(is_bounds).map(|hdu| read_bounds(&FitsTable::open(source, hdu, false)?)).transpose()
}

pub(super) fn read_bounds(table: &FitsTable) -> Result<EnergyScale> {
    let missing = |name: &str| table.error(&format!("column {name}"), "missing");
    let mut channels = Vec::new();
    let column = table.numbers("CHANNEL")?.ok_or_else(|| missing("CHANNEL"))?;
    table.decode(column, 0..table.rows, &mut channels)?;
    let edges = |name: &str| -> Result<Vec<Decimal>> {
        let column = table.numbers(name)?.ok_or_else(|| missing(name))?;
        let divisor = match column.unit.trim().to_ascii_lowercase().as_str() {
            "" | "kev" => 1,
            "ev" => 1000,
            unit => return Err(table.error(&format!("column {name}"), &format!("`{unit}` is neither keV nor eV"))),
        };
        let mut values = Vec::new();
        table.decode(column, 0..table.rows, &mut values)?;
        let decimal = |(row, v): (usize, &f64)| {
            // The decimal that was meant: the shortest that reads back in the column's own precision.
            let exact = if column.kind == ElementType::F32 { Decimal::from_f32(*v as f32) } else { Decimal::new(*v) };
            let place = format!("column {name}, row {}", row + 1);
            exact.map(|d| d.divided(divisor)).ok_or_else(|| table.error(&place, &format!("{v} is no energy")))
        };
        values.iter().enumerate().map(decimal).collect()
    };
    let (low, high) = (edges("E_MIN")?, edges("E_MAX")?);
    let doubled_centres: Vec<Decimal> = low.iter().zip(&high).map(|(a, b)| a.plus(*b)).collect();
    // With all of them whole, the next one is another.
    let number = |c: &&f64| c.fract() == 0.0 && c.abs() <= LAST_CHANNEL;
    let in_order = channels.is_sorted_by(|a, b| *b == a + 1.0);
    let (up, down) = (doubled_centres.is_sorted(), doubled_centres.is_sorted_by(|a, b| a >= b));
    let Some(&first) = channels.first().filter(number).filter(|_| in_order && (up || down)) else {
        let message = "channels must be consecutive whole numbers and their energies in order";
        return Err(Error::format(table.path(), &table.place, message));
    };
    Ok(EnergyScale::Bounds { first: first as i64, doubled_centres })
}

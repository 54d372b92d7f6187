//! Which table of a file holds its events: by name, by class, or because no other can.

use super::fits::Hdu;
use super::fits_table::{ElementType, FitsTable};
use super::gti;
use super::input_file::{InputFile, format_error};
use crate::base::error::{Error, Result};
use crate::base::mend::Mend;
use crate::base::text::List;
use crate::base::warning::{Warning, Warnings};
use crate::missions::{self, GENERIC, Mission};

/// Columns that bins have and events have not.
const COLUMNS_OF_BINS: [&str; 4] = ["RATE", "RATE1", "COUNTS", "FRACEXP"];
/// So end the names of others, as SAP_FLUX of Kepler and TESS.
const FLUX: &str = "FLUX";

/// The event table: the one asked for, a name the mission uses, else the only table of events by its class, else the only table that has times and is
/// nothing else, with a warning. `time` is the column of times.
///
/// # Errors
/// There is none, or there are several; the one asked for holds something else than events.
pub(super) fn find_events<'a>(
    source: &InputFile,
    hdus: &'a [Hdu],
    mission: &Mission,
    wanted: Option<&str>,
    time: &str,
    warnings: &mut Warnings,
) -> Result<&'a Hdu> {
    let names = || List(&hdus.iter().map(|h| format!("{} {}", h.index, h.name)).collect::<Vec<_>>()).to_string();
    if let Some(wanted) = wanted {
        let found = hdus.iter().find(|h| h.name.eq_ignore_ascii_case(wanted) || h.index.to_string() == wanted);
        let message = || format!("the file has no extension `{wanted}`; it has: {}", names());
        let found = found.ok_or_else(|| format_error(source.path(), "extensions", &message()))?;
        let same: Vec<&Hdu> = hdus.iter().filter(|h| h.name.eq_ignore_ascii_case(wanted)).collect();
        if same.len() > 1 && found.index.to_string() != wanted {
            return Err(several(source, &same, &format!("are named {wanted}")));
        }
        let known = mission.event_tables().any(|name| found.name.eq_ignore_ascii_case(name));
        let table = as_events(source, found, mission, time)?;
        if !known && class(table).is_empty() && !has_channel(source, table, mission) {
            let message = format!(
                "{}: extension {} ({}) is neither named nor classed as events, and has no channels: its rows are taken for events",
                source.path(),
                table.index,
                table.name
            );
            warnings.push("W-EVENT-TABLE", message);
        }
        return Ok(table);
    }
    for name in mission.event_tables() {
        let found: Vec<&Hdu> = hdus.iter().filter(|h| h.name.eq_ignore_ascii_case(name)).collect();
        match found[..] {
            [] => continue,
            [one] => return as_events(source, one, mission, time),
            _ => return Err(several(source, &found, &format!("are named {name}"))),
        }
    }
    let tables = || hdus.iter().filter(|h| has_times(source, h, time));
    let by_class: Vec<&Hdu> = tables().filter(|h| class(h).starts_with("EVENT")).collect();
    match by_class[..] {
        [] => {}
        [one] => return as_events(source, one, mission, time),
        _ => return Err(several(source, &by_class, "are tables of events")),
    }
    let left: Vec<&Hdu> = tables().filter(|h| may_be_events(source, h, mission)).collect();
    match left[..] {
        [one] => {
            let message = format!(
                "{}: no table is named or classed as events; extension {} ({}) is the only one with times of anything else than \
                 intervals, and is taken for events",
                source.path(),
                one.index,
                one.name
            );
            let mend = Mend::field("extension").doing("says which");
            warnings.record(Warning::new("W-EVENT-TABLE", message).mended_by([mend]));
            Ok(one)
        }
        [] => {
            let of_bins = |h: &&Hdu| class(h).is_empty() && not_events(source, h, mission).is_some();
            if let Some(why) = tables().find(of_bins).map(|h| as_events(source, h, mission, time)) {
                return why;
            }
            let known = GENERIC.events.join(", ");
            let message =
                format!("no table of events ({known}, or HDUCLAS1 = EVENTS with a column {time}); it has: {}", names());
            Err(format_error(source.path(), "extensions", &message))
        }
        _ => Err(several(source, &left, "have times, and none is named or classed as events")),
    }
}

fn several(source: &InputFile, found: &[&Hdu], what: &str) -> Error {
    let numbers: Vec<String> = found.iter().map(|h| h.index.to_string()).collect();
    let names: Vec<&str> = found.iter().map(|h| h.name.as_str()).collect();
    let alike = names.iter().zip(names.iter().skip(1)).all(|(a, b)| a.eq_ignore_ascii_case(b));
    let all = if alike { String::new() } else { format!(": {}", List(&names)) };
    let message = format!("{} extensions {what} (numbers {}{all})", found.len(), List(&numbers));
    Error::format(source.path(), "extensions", message).mended_by([Mend::field("extension").doing("chooses one")])
}

/// HDUCLAS1 in capitals, without blanks; empty where there is none.
fn class(hdu: &Hdu) -> String {
    hdu.header.text("HDUCLAS1").unwrap_or_default().replace(' ', "").to_ascii_uppercase()
}

/// True for a table with one time a row.
fn has_times(source: &InputFile, hdu: &Hdu, time: &str) -> bool {
    hdu.header.text("XTENSION").as_deref() == Some("BINTABLE")
        && FitsTable::open(source, hdu, true).is_ok_and(|table| matches!(table.numbers(time), Ok(Some(_))))
}

/// True for a table with times that by its class, name and columns is nothing else than events.
fn may_be_events(source: &InputFile, hdu: &Hdu, mission: &Mission) -> bool {
    let of_detectors = missions::detectors_on().any(|name| hdu.name.eq_ignore_ascii_case(name));
    !gti::holds_intervals(hdu) && !of_detectors && not_events(source, hdu, mission).is_none()
}

/// The table itself, where it may hold events: asked for by the user, by a name of the mission, or by its class, one rule holds.
///
/// # Errors
/// It holds something else.
fn as_events<'a>(source: &InputFile, hdu: &'a Hdu, mission: &Mission, time: &str) -> Result<&'a Hdu> {
    // A table without times has an error of its own.
    match not_events(source, hdu, mission).filter(|_| has_times(source, hdu, time)) {
        Some(OtherContent { why, mend }) => {
            let message = format!("{why}: its rows are no events");
            let error = format_error(source.path(), &format!("extension {} ({})", hdu.index, hdu.name), &message);
            Err(error.mended_by(mend))
        }
        None => Ok(hdu),
    }
}

/// True for a table with one channel a row, as events have it.
fn has_channel(source: &InputFile, hdu: &Hdu, mission: &Mission) -> bool {
    let has = |table: FitsTable| mission.channel.iter().any(|name| matches!(table.numbers(name), Ok(Some(_))));
    FitsTable::open(source, hdu, true).is_ok_and(has)
}

/// Why a table does not hold events, and what else it may be read as.
struct OtherContent {
    why: String,
    mend: Option<Mend>,
}

/// Why a table does not hold events: its class, else its columns. Arrays, as of RXTE, are told from events with vectors by the single channel
/// that events have.
fn not_events(source: &InputFile, hdu: &Hdu, mission: &Mission) -> Option<OtherContent> {
    let class = class(hdu);
    if !class.is_empty() {
        let written = hdu.header.text("HDUCLAS1").unwrap_or_default();
        let why = format!("HDUCLAS1 is `{}`, not EVENTS", written.trim());
        return (!class.starts_with("EVENT")).then_some(OtherContent { why, mend: None });
    }
    let table = FitsTable::open(source, hdu, true).ok()?;
    let of_bins = |name: &str| {
        let name = name.trim().to_ascii_uppercase();
        COLUMNS_OF_BINS.contains(&&*name) || name.ends_with(FLUX)
    };
    let found: Vec<&str> = table.columns.iter().map(|column| column.name.trim()).filter(|name| of_bins(name)).collect();
    if !found.is_empty() {
        let names = found.join(", ");
        let are = if found.len() == 1 { "is one" } else { "are those" };
        let columns = if found.len() == 1 { "column" } else { "columns" };
        let why = format!("no HDUCLAS1 says EVENTS, and the {columns} {names} {are} of bins of time");
        return Some(OtherContent { why, mend: Some(Mend::field("rate_column").doing("reads them as a light curve")) });
    }
    if has_channel(source, hdu, mission) {
        return None;
    }
    let is_vector = |kind: ElementType| !matches!(kind, ElementType::Bit | ElementType::Opaque);
    let vector = table.columns.iter().find(|column| column.repeat > 1 && is_vector(column.kind))?;
    let (name, repeat) = (vector.name.trim(), vector.repeat);
    Some(OtherContent {
        why: format!("no HDUCLAS1 says EVENTS, and the column {name} has {repeat} numbers a row"),
        mend: None,
    })
}

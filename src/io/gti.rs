//! Good time intervals of event files, of other FITS files and of text.

use std::path::Path;

use super::fits::{self, FitsHeader, Hdu};
use super::fits_table::FitsTable;
use super::input_file::InputFile;
use crate::base::error::{Error, Result};
use crate::base::time::{DoubleDouble, MjdRef, SECONDS_PER_DAY};

/// Larger days, ten thousand years away, are mistakes.
const LAST_MJD: f64 = 1e7;

/// Seconds in one unit of a TUNITn or TIMEUNIT keyword; empty means seconds.
pub(crate) fn seconds_per_unit(unit: &str) -> Option<f64> {
    match unit.trim().to_ascii_lowercase().as_str() {
        "" | "s" | "sec" | "second" | "seconds" => Some(1.0),
        "d" | "day" | "days" => Some(SECONDS_PER_DAY),
        "ms" => Some(1e-3),
        "us" => Some(1e-6),
        _ => None,
    }
}

/// MJDREF as whole days and fraction; MJDREFI + MJDREFF, or MJDREF split at the day.
///
/// # Errors
/// Both forms present that differ within the eleven digits that some files keep of MJDREF; no day of a calendar.
pub(crate) fn mjdref(header: &FitsHeader) -> Result<Option<MjdRef>> {
    let number = |key: &str| -> Result<Option<f64>> {
        let value = header.real(key).ok().flatten();
        // Differences of epochs in seconds stay far inside the range of integers and of f64.
        match value.filter(|day| day.abs() > LAST_MJD) {
            Some(day) => Err(header.error(key, &format!("{day} is not a day of a calendar"))),
            None => Ok(value),
        }
    };
    let (whole, fraction, single) = (number("MJDREFI")?, number("MJDREFF")?, number("MJDREF")?);
    // Half an epoch is none.
    let whole = whole.filter(|_| header.real("MJDREFF").is_ok());
    let split = |day: f64, fraction: f64| MjdRef { day: day.floor() as i64, fraction: fraction + (day - day.floor()) };
    match (whole, single) {
        (Some(day), other) => {
            let epoch = split(day, fraction.unwrap_or(0.0));
            if let Some(other) = other.filter(|o| (o - epoch.value()).abs() > 1e-11 * epoch.value().abs().max(1e3)) {
                let message = format!("MJDREFI + MJDREFF = {}, but MJDREF = {other}", epoch.value());
                return Err(header.error("MJDREF", &message));
            }
            Ok(Some(epoch))
        }
        (None, Some(day)) => Ok(Some(split(day, 0.0))),
        (None, None) => Ok(None),
    }
}

/// Seconds in the unit of a header's time keywords (TIMEUNIT).
///
/// # Errors
/// A unit that is not known.
pub(crate) fn keyword_unit(header: &FitsHeader) -> Result<f64> {
    let unit = header.text("TIMEUNIT").unwrap_or_default();
    seconds_per_unit(&unit)
        .ok_or_else(|| header.error("TIMEUNIT", &format!("`{unit}` is not a unit of time that is known")))
}

/// TIMEZERO, or TIMEZERI + TIMEZERF, in seconds.
///
/// # Errors
/// A value that is not a number, an unknown TIMEUNIT.
pub(crate) fn timezero(header: &FitsHeader) -> Result<Option<DoubleDouble>> {
    if let Some(zero) = header.real("TIMEZERO")? {
        return Ok(Some(DoubleDouble::product(zero, keyword_unit(header)?)));
    }
    match (header.real("TIMEZERI")?, header.real("TIMEZERF")?) {
        (None, None) => Ok(None),
        (whole, fraction) => {
            Ok(Some(DoubleDouble::sum(whole.unwrap_or(0.0), fraction.unwrap_or(0.0)) * keyword_unit(header)?))
        }
    }
}

/// The frame of the events, to which the intervals are brought.
pub(crate) struct TimeFrame {
    /// Epoch of the events' times.
    pub mjdref: Option<MjdRef>,
    /// TIMEZERO of the events, for GTI extensions that say nothing of their own.
    pub timezero: DoubleDouble,
}

/// The intervals of one GTI table in seconds of the events' frame: its own TIMEZERO and MJDREF, no pixel shift.
///
/// # Errors
/// Columns START and STOP missing or not numbers.
pub(crate) fn read_table(
    source: &InputFile,
    hdu: &Hdu,
    frame: &TimeFrame,
) -> Result<Vec<(DoubleDouble, DoubleDouble)>> {
    let table = FitsTable::open(source, hdu, false)?;
    let mut shift = timezero(&hdu.header)?.unwrap_or(frame.timezero);
    if let (Some(ours), Some(theirs)) = (frame.mjdref, mjdref(&hdu.header)?) {
        shift = shift + ours.seconds_to(theirs);
    }
    let read = |name: &str| -> Result<Vec<DoubleDouble>> {
        let column = table.numbers(name)?.ok_or_else(|| table.error(&format!("column {name}"), "missing"))?;
        let factor = seconds_per_unit(&column.unit)
            .ok_or_else(|| table.error(&format!("column {name}"), &format!("unknown unit `{}`", column.unit)))?;
        let mut values = Vec::new();
        table.decode(column, 0..table.rows, &mut values)?;
        Ok(values.into_iter().map(|t| DoubleDouble::product(t, factor) + shift).collect())
    };
    Ok(read("START")?.into_iter().zip(read("STOP")?).collect())
}

/// The extension with the good time intervals of a whole file: the first that is named so, else the first of that class
/// (detectors' own intervals have the class too, and may come first), else the first whose name begins so (GTI0).
pub(crate) fn find(hdus: &[Hdu]) -> Option<&Hdu> {
    let named = |name: &str| hdus.iter().find(|h| h.name.eq_ignore_ascii_case(name));
    let class = |h: &&Hdu| h.header.text("HDUCLAS1").is_some_and(|c| c.trim().eq_ignore_ascii_case("GTI"));
    let begins = |h: &&Hdu| h.name.get(..3).is_some_and(|start| start.eq_ignore_ascii_case("GTI"));
    named("GTI").or_else(|| named("STDGTI")).or_else(|| hdus.iter().find(class)).or_else(|| hdus.iter().find(begins))
}

/// The intervals of a file given by the user: `FILE`, `FILE[EXT]`, FITS or text of two columns in seconds of the frame.
///
/// # Errors
/// The file cannot be read, or has no intervals.
pub(crate) fn read_file(path: &str, frame: &TimeFrame) -> Result<Vec<(DoubleDouble, DoubleDouble)>> {
    let (file, extension) = match path.strip_suffix(']').and_then(|p| p.rsplit_once('[')) {
        Some((file, extension)) if !Path::new(path).exists() => (file, Some(extension)),
        _ => (path, None),
    };
    let source = InputFile::open(Path::new(file))?;
    if !source.is_fits() {
        return read_text(file, &source.read(0..source.len())?);
    }
    let (hdus, _) = fits::scan(&source)?;
    let chosen = match extension {
        Some(wanted) => hdus.iter().find(|h| h.name.eq_ignore_ascii_case(wanted) || h.index.to_string() == wanted),
        None => find(&hdus),
    };
    match chosen {
        Some(hdu) => read_table(&source, hdu, frame),
        None => {
            let names: Vec<String> = hdus.iter().map(|h| format!("{} {}", h.index, h.name)).collect();
            let message = format!("no such GTI extension; the file has: {}", names.join(", "));
            Err(Error::gti(path, message))
        }
    }
}

fn read_text(path: &str, bytes: &[u8]) -> Result<Vec<(DoubleDouble, DoubleDouble)>> {
    let text = String::from_utf8_lossy(bytes);
    let mut intervals = Vec::new();
    for (number, line) in text.lines().enumerate() {
        let line = line.split('#').next().unwrap_or("").trim();
        if line.is_empty() {
            continue;
        }
        let fields: Vec<&str> = line.split(|c: char| c.is_whitespace() || c == ',').filter(|f| !f.is_empty()).collect();
        let pair: Option<(f64, f64)> = match fields[..] {
            [start, stop, ..] => start.parse().ok().zip(stop.parse().ok()),
            _ => None,
        };
        let Some((start, stop)) = pair else {
            let message =
                format!("line {}: `{}` is not a start and a stop in seconds", number + 1, line.escape_debug());
            return Err(Error::gti(path, message));
        };
        intervals.push((DoubleDouble::from(start), DoubleDouble::from(stop)));
    }
    Ok(intervals)
}

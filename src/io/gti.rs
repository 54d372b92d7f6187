//! Good time intervals of event files, of other FITS files and of text.

use std::path::Path;

use super::fits::{self, FitsHeader, Hdu};
use super::fits_table::{FitsColumn, FitsTable};
use super::input_file::InputFile;
use super::lines::Lines;
use super::subspace;
use super::text_file::decimal_comma;
use super::time_unit::seconds_per_unit;
use crate::base::error::{Error, Result};
use crate::base::footprint::Footprint;
use crate::base::mend::Mend;
use crate::base::text::List;
use crate::base::time::{DoubleDouble, MjdRef};
use crate::base::warning::{Warning, Warnings};
use crate::missions;

/// Keywords that times depend on.
const CLOCK_KEYWORDS: [&str; 11] = [
    "MJDREF", "MJDREFI", "MJDREFF", "TIMEZERO", "TIMEZERI", "TIMEZERF", "TIMEPIXR", "TIMEDEL", "TIMEUNIT", "TIMESYS",
    "TIMEREF",
];
/// Keywords that the values of a column depend on.
const COLUMN_KEYWORDS: [&str; 5] = ["TTYPE", "TUNIT", "TSCAL", "TZERO", "TNULL"];

/// Characters of a line that a message shows.
const SHOWN: usize = 80;

/// Larger days, ten thousand years away, are mistakes.
const LAST_MJD: f64 = 1e7;

/// Seconds in one unit of a column of times: its TUNITn, else TIMEUNIT, else seconds.
///
/// # Errors
/// A unit that is not known.
pub(crate) fn column_unit(table: &FitsTable, column: &FitsColumn, header: &FitsHeader) -> Result<f64> {
    if column.unit.trim().is_empty() {
        return keyword_unit(header);
    }
    let unknown = || table.error(&format!("column {}", column.name), &format!("unknown unit `{}`", column.unit));
    seconds_per_unit(&column.unit).ok_or_else(unknown)
}

/// Refuses two values of a keyword that says when something was: of the clock, and of the column of times with this name.
///
/// # Errors
/// The keyword and both values.
pub(crate) fn refuse_two_clocks(header: &FitsHeader, columns: &[&str]) -> Result<()> {
    let is_time = |number: &str| {
        header
            .text(&format!("TTYPE{number}"))
            .is_some_and(|name| columns.iter().any(|c| name.trim().eq_ignore_ascii_case(c)))
    };
    header.refuse_repeated(|key| {
        CLOCK_KEYWORDS.contains(&key)
            || missions::frame_keywords().any(|frame| frame.name == key)
            || COLUMN_KEYWORDS.iter().any(|prefix| key.strip_prefix(prefix).is_some_and(is_time))
    })
}

/// Keywords of a clock that stand for one another: a header that has one of a group says what it says.
const CLOCK_GROUPS: [&[&str]; 6] = [
    &["MJDREF", "MJDREFI", "MJDREFF"],
    &["TIMEZERO", "TIMEZERI", "TIMEZERF"],
    &["TIMEUNIT"],
    &["TIMEPIXR"],
    &["TIMEDEL"],
    &["BJDREFI", "BJDREFF"],
];

/// An extension with the keywords of the clock that the primary header has and its own has not, of which is warned: a keyword of the primary header holds for all of a
/// file.
///
/// # Errors
/// More than 2^32 keywords.
pub(crate) fn with_primary_clock(path: &str, hdu: &Hdu, hdus: &[Hdu], warnings: &mut Warnings) -> Result<Hdu> {
    let Some(primary) = hdus.first().filter(|_| hdu.index > 0) else { return Ok(hdu.clone()) };
    let is_absent = |group: &&[&str]| !group.iter().any(|key| hdu.header.has(key));
    let keys: Vec<&str> =
        CLOCK_GROUPS.into_iter().filter(is_absent).flatten().copied().filter(|key| primary.header.has(key)).collect();
    if !keys.is_empty() {
        let message = format!("{path}: {} in the primary header alone, and taken for {}", List(&keys), label(hdu));
        warnings.push("W-CLOCK-PRIMARY", message);
    }
    Ok(Hdu { header: hdu.header.with(&keys, &primary.header)?, ..hdu.clone() })
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
    epoch_of([whole, fraction, single]).map_err(|(key, message)| header.error(key, &message))
}

/// The epoch of MJDREFI, MJDREFF and MJDREF, split at the day.
///
/// # Errors
/// The keyword concerned, and what is wrong: both forms that differ within the eleven digits that some files keep of MJDREF; no day of a calendar.
pub(crate) fn epoch_of([whole, fraction, single]: [Option<f64>; 3]) -> Result<Option<MjdRef>, (&'static str, String)> {
    let days = [("MJDREFI", whole), ("MJDREFF", fraction), ("MJDREF", single)];
    if let Some((key, Some(day))) =
        days.into_iter().find(|(_, day)| day.is_some_and(|day| day.is_nan() || day.abs() > LAST_MJD))
    {
        return Err((key, format!("{day} is not a day of a calendar")));
    }
    let split = |day: f64, fraction: f64| {
        let rest = fraction + (day - day.floor());
        MjdRef { day: day.floor() as i64, fraction: rest }
    };
    match (whole, single) {
        (Some(day), other) => {
            let epoch = split(day, fraction.unwrap_or(0.0));
            if let Some(other) = other.filter(|o| (o - epoch.value()).abs() > 1e-11 * epoch.value().abs().max(1e3)) {
                let message = format!("MJDREFI + MJDREFF = {}, but MJDREF = {other}", epoch.value());
                return Err(("MJDREF", message));
            }
            Ok(Some(epoch))
        }
        (None, Some(day)) => Ok(Some(split(day, 0.0))),
        (None, None) => Ok(None),
    }
}

/// BJDREFI + BJDREFF of TESS and Kepler as MJDREF: 2400000.5 days less.
///
/// # Errors
/// No day of a calendar.
pub(crate) fn bjdref(header: &FitsHeader) -> Result<Option<MjdRef>> {
    let number = |key: &str| header.real(key).ok().flatten();
    let Some(whole) = number("BJDREFI") else { return Ok(None) };
    let day = whole - 2_400_001.0;
    if day.abs() > LAST_MJD {
        return Err(header.error("BJDREFI", &format!("{whole} is not a day of a calendar")));
    }
    let fraction = number("BJDREFF").unwrap_or(0.0) + 0.5;
    let rest = day + fraction;
    Ok(Some(MjdRef { day: rest.floor() as i64, fraction: (day - rest.floor()) + fraction }))
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
/// A value that is not a number, both with two values, an unknown TIMEUNIT.
pub(crate) fn timezero(header: &FitsHeader) -> Result<Option<DoubleDouble>> {
    let parts = match (header.real("TIMEZERI")?, header.real("TIMEZERF")?) {
        (None, None) => None,
        (whole, fraction) => Some(DoubleDouble::sum(whole.unwrap_or(0.0), fraction.unwrap_or(0.0))),
    };
    let Some(zero) = header.real("TIMEZERO")? else {
        return parts.map(|sum| Ok(sum * keyword_unit(header)?)).transpose();
    };
    // One that is rounded to a number of the other's digits is the same.
    if let Some(sum) = parts.filter(|sum| (sum.value() - zero).abs() > 1e-6) {
        let message = format!("{zero}, but TIMEZERI + TIMEZERF = {}: take one of them out", sum.value());
        return Err(header.error("TIMEZERO", &message));
    }
    Ok(Some(DoubleDouble::product(zero, keyword_unit(header)?)))
}

/// The frame of the events, to which the intervals are brought.
#[derive(Clone)]
pub(crate) struct TimeFrame {
    /// Epoch of the events' times.
    pub mjdref: Option<MjdRef>,
    /// TIMEZERO of the events, for GTI extensions that say nothing of their own.
    pub timezero: DoubleDouble,
    /// TIMESYS and TIMEREF of the events; empty where they are not known.
    pub time_system: [String; 2],
    /// Intervals of another time system are taken as they are.
    pub mixed: bool,
    /// Seconds in the unit of the primary header (TIMEUNIT), for GTI extensions without one of their own.
    pub unit: f64,
}

/// Seconds in the unit of the primary header.
///
/// # Errors
/// A unit that is not known.
pub(crate) fn primary_unit(hdus: &[Hdu]) -> Result<f64> {
    hdus.first().map_or(Ok(1.0), |primary| keyword_unit(&primary.header))
}

/// The intervals of one GTI table in seconds of the events' frame: its own TIMEZERO and MJDREF, no pixel shift.
///
/// # Errors
/// Columns START and STOP missing or not numbers.
pub(crate) fn read_table(
    source: &InputFile,
    hdu: &Hdu,
    frame: &TimeFrame,
    warnings: &mut Warnings,
) -> Result<Vec<(DoubleDouble, DoubleDouble)>> {
    let table = FitsTable::open(source, hdu, false)?;
    refuse_two_clocks(&hdu.header, &["START", "STOP"])?;
    if let Some(Differs { key, code, own, ours, .. }) = other_time_system(&hdu.header, frame) {
        let message = format!("{}: {}: {key} is `{own}`, and `{ours}` of the events", source.path(), label(hdu));
        warnings.push(code, message);
    }
    let inherited = if hdu.header.has("TIMEUNIT") { 1.0 } else { frame.unit };
    let mut shift = timezero(&hdu.header)?.map_or(frame.timezero, |zero| zero * inherited);
    if let (Some(ours), Some(theirs)) = (frame.mjdref, mjdref(&hdu.header)?) {
        shift = shift + ours.seconds_to(theirs);
    }
    footprint(table.rows as u64).check(&format!("the good time intervals of {}", source.path()))?;
    let mut values = Vec::with_capacity(table.rows);
    let mut read = |name: &str, take: &mut dyn FnMut(usize, DoubleDouble)| -> Result<()> {
        let column = table.numbers(name)?.ok_or_else(|| table.error(&format!("column {name}"), "missing"))?;
        let inherited = if column.unit.trim().is_empty() { inherited } else { 1.0 };
        let factor = column_unit(&table, column, &hdu.header)? * inherited;
        values.clear();
        let (column, counted_from) = table.counted_exactly(column)?;
        table.decode(&column, 0..table.rows, &mut values)?;
        let shift = counted_from * factor + shift;
        // What is not finite is named as it is.
        let moved =
            |t: f64| if t.is_finite() { DoubleDouble::product(t, factor) + shift } else { DoubleDouble::from(t) };
        let all = values.iter().map(|t| moved(*t));
        all.enumerate().for_each(|(row, t)| take(row, t));
        Ok(())
    };
    let mut intervals = Vec::with_capacity(table.rows);
    read("START", &mut |_, start| intervals.push((start, start)))?;
    read("STOP", &mut |row, stop| {
        if let Some(interval) = intervals.get_mut(row) {
            interval.1 = stop;
        }
    })?;
    Ok(intervals)
}

/// Memory of so many intervals while they are read and put in order: two lists of them, and a column.
fn footprint(intervals: u64) -> Footprint {
    Footprint::less_by(&["gti"]).and(intervals, 2 * size_of::<(DoubleDouble, DoubleDouble)>() + size_of::<f64>())
}

/// A keyword of time that says something else than that of the events.
struct Differs<'a> {
    key: &'static str,
    code: &'static str,
    own: String,
    ours: &'a str,
    /// How far such times are apart.
    apart: &'static str,
}

/// TIMESYS or TIMEREF of a header that is not that of the frame, where both are known.
fn other_time_system<'a>(header: &FitsHeader, frame: &'a TimeFrame) -> Option<Differs<'a>> {
    let keys = [("TIMESYS", "W-GTI-TIMESYS"), ("TIMEREF", "W-GTI-TIMEREF")];
    keys.into_iter().zip(&frame.time_system).find_map(|((key, code), ours)| {
        let own = header.text(key).map(|own| own.trim().to_string())?;
        let ours = ours.trim();
        let dynamical = |system: &str| ["TT", "TDB", "TDT", "ET"].iter().any(|one| system.eq_ignore_ascii_case(one));
        let apart = match key {
            "TIMEREF" => "up to 500 s",
            _ if dynamical(&own) && dynamical(ours) => "up to 2 ms",
            _ => "a minute and more",
        };
        let differs = !own.is_empty() && !ours.is_empty() && !own.eq_ignore_ascii_case(ours);
        differs.then_some(Differs { key, code, own, ours, apart })
    })
}

/// Number and name of an extension, and its version where that tells it from others.
pub(crate) fn label(hdu: &Hdu) -> String {
    let version = hdu.header.int("EXTVER").ok().flatten().filter(|version| *version != 1);
    let version = version.map_or(String::new(), |version| format!(" version {version}"));
    format!("{} (extension {}{version})", hdu.name, hdu.index)
}

/// True for a table of intervals, by its class or its name.
pub(crate) fn holds_intervals(hdu: &Hdu) -> bool {
    let class = hdu.header.text("HDUCLAS1").is_some_and(|class| class.trim().eq_ignore_ascii_case("GTI"));
    let begins =
        |prefix: &str| hdu.name.trim().get(..prefix.len()).is_some_and(|start| start.eq_ignore_ascii_case(prefix));
    hdu.header.text("XTENSION").as_deref() == Some("BINTABLE") && (class || begins("GTI") || begins("STDGTI"))
}

/// Warns of tables of intervals that are not in force, in one line.
pub(crate) fn warn_of_unused<'a>(
    path: &str,
    taken: &[String],
    unused: impl Iterator<Item = &'a Hdu>,
    warnings: &mut Warnings,
) {
    let unused: Vec<String> = unused.map(label).collect();
    if !unused.is_empty() {
        let message =
            format!("{path}: the intervals in force are those of {}; not used are {}", List(taken), List(&unused));
        let mend = Mend::field("gti").doing("takes others");
        warnings.record(Warning::new("W-GTI-UNUSED", message).mended_by([mend]));
    }
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
pub(crate) fn read_file(
    path: &str,
    frame: &TimeFrame,
    warnings: &mut Warnings,
) -> Result<Vec<(DoubleDouble, DoubleDouble)>> {
    let (file, extension) = match path.strip_suffix(']').and_then(|p| p.rsplit_once('[')) {
        Some((file, extension)) if !Path::new(path).exists() => (file, Some(extension)),
        _ => (path, None),
    };
    let source = InputFile::open(Path::new(file))?;
    if !source.is_fits() {
        return read_text(file, &source);
    }
    let (hdus, _) = fits::scan(&source)?;
    let chosen = match extension {
        Some(wanted) => subspace::named(&hdus, wanted).or_else(|| hdus.iter().find(|h| h.index.to_string() == wanted)),
        None => find(&hdus),
    };
    match chosen {
        Some(hdu) => {
            if let Some(differs) = other_time_system(&hdu.header, frame).filter(|_| !frame.mixed) {
                let Differs { key, own, ours, apart, .. } = differs;
                let message = format!(
                    "{}: {key} is `{own}`, but `{ours}` of the events: such times are apart by {apart}",
                    label(hdu)
                );
                let mend = Mend::set("mixed", true).doing("takes them as they are");
                return Err(Error::gti(path, message).mended_by([mend]));
            }
            let alike = |other: &&Hdu| match extension {
                // A number means one; a name may mean several.
                Some(wanted) => other.name.eq_ignore_ascii_case(wanted),
                None => holds_intervals(other),
            };
            let unused = hdus.iter().filter(|other| other.index != hdu.index).filter(alike);
            warn_of_unused(file, &[label(hdu)], unused, warnings);
            let frame = TimeFrame { unit: 1.0, ..frame.clone() };
            read_table(&source, &with_primary_clock(file, hdu, &hdus, warnings)?, &frame, warnings)
        }
        None => {
            let names: Vec<String> = hdus.iter().map(|h| format!("{} {}", h.index, h.name)).collect();
            let message = format!("no such GTI extension; the file has: {}", List(&names));
            Err(Error::gti(path, message))
        }
    }
}

fn read_text(path: &str, source: &InputFile) -> Result<Vec<(DoubleDouble, DoubleDouble)>> {
    let (mut intervals, mut lines) = (Vec::new(), Lines::new(source, b"#"));
    while let Some((number, line)) = lines.next_text()? {
        if let Some(field) = decimal_comma(&line) {
            let message = format!("line {number}: `{field}` has a decimal comma; numbers have points");
            return Err(Error::gti(path, message));
        }
        let mut fields = line.split(|c: char| c.is_whitespace() || c == ',').filter(|f| !f.is_empty());
        // Of two numbers with decimal commas four are made.
        if line.contains(',') && fields.clone().nth(2).is_some_and(|field| field.parse::<f64>().is_ok()) {
            let message = format!("line {number}: more than a start and a stop between commas; numbers have points");
            return Err(Error::gti(path, message));
        }
        let mut number_of = || fields.next().and_then(|field| field.parse::<f64>().ok());
        let start = number_of();
        let Some((start, stop)) = start.zip(number_of()) else {
            let shown: String = line.chars().take(SHOWN).collect();
            let message = format!("line {number}: `{}` is not a start and a stop in seconds", shown.escape_debug());
            return Err(Error::gti(path, message));
        };
        if intervals.len() == intervals.capacity() {
            footprint(2 * intervals.len() as u64).check(&format!("the good time intervals of {path}"))?;
        }
        intervals.push((DoubleDouble::from(start), DoubleDouble::from(stop)));
    }
    Ok(intervals)
}

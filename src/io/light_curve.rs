//! Reading binned light curves: FITS tables (OGIP/93-003, XRONOS) and text tables, recognised by their content.

use std::collections::HashSet;
use std::rc::Rc;

use super::events::{GtiSource, OpenOptions};
use super::file_scan::warn_of_container;
use super::fits::{self, Hdu};
use super::fits_table::{ElementType, FitsTable};
use super::gti::{self, TimeFrame};
use super::gti_in_force::{in_common, range_intervals};
use super::input_file::{InputFile, format_error};
pub use super::light_curve_bins::ReadCurve;
use super::light_curve_bins::{BinClock, CurveGti, assemble};
use super::light_curve_columns::{RawLightCurve, footprint};
use super::subspace::{self, Component, TimeFilter};
use super::table_read::product_of;
use super::text_table;
use super::time_unit::{is_rate, seconds_per_unit};
use crate::base::error::{Error, Result};
use crate::base::mend::Mend;
use crate::base::time::{DoubleDouble, SECONDS_PER_DAY};
use crate::base::warning::{Warning, Warnings};
use crate::data::columns::LIGHT_CURVE;
use crate::data::{Gti, LightCurve, Record};

/// Reads the light curve in a file. `None` if the file holds something else, such as events.
///
/// FITS: the first table whose HDUCLAS1 is `LIGHT CURVE` or `LIGHTCURVE`, or whose name is RATE, with a TIME column and
/// COUNTS or RATE (RATE1). The unit of a column is its TUNITn, that of keywords TIMEUNIT. Text: numbers in columns,
/// `time`, `rate` (or `counts` if a header line says so) and an optional error; units stand in the header of ECSV, or in brackets behind names. Rows without a finite value or without
/// exposure are missing bins; so are those whose error is below 0. Where neither FRACEXP nor EXPOSURE is there, bins are exposed as far as the
/// file's own intervals reach. Shorter bins (TIMEDEL, XAX_E) inside one bin of the grid are exposed in part.
///
/// # Errors
/// A light curve without usable columns, bins that are not on a regular grid (the error names the row), or good time
/// intervals that cannot be used.
pub fn read(source: &InputFile, options: &OpenOptions, warnings: &mut Warnings) -> Result<Option<ReadCurve>> {
    if !source.is_fits() {
        let Some((raw, record)) = text_table::read(source, warnings)? else { return Ok(None) };
        if record.mjdref.is_none() {
            warnings.push("W-NO-MJDREF", format!("{}: no MJDREF; absolute times are not known", source.path()));
        }
        let frame = TimeFrame {
            mjdref: record.mjdref,
            timezero: DoubleDouble::ZERO,
            time_system: [record.timesys.clone(), record.timeref.clone()],
            mixed: options.mixed,
            unit: 1.0,
        };
        let gti = |span, warnings: &mut Warnings| given_gti(&options.gti, &frame, span, warnings);
        let clock = BinClock { own: is_own(source)?, ..BinClock::default() };
        return assemble(source, raw, &clock, record, warnings, gti).map(Some);
    }
    let (hdus, trailing) = fits::scan(source)?;
    let chosen =
        match (&options.rate_column, &options.extension) {
            (None, _) => hdus.iter().find(|hdu| is_light_curve(hdu)),
            (Some(_), Some(name)) => {
                let found =
                    subspace::named(&hdus, name).or_else(|| hdus.iter().find(|hdu| hdu.index.to_string() == *name));
                Some(found.ok_or_else(|| {
                    format_error(source.path(), "extensions", &format!("there is no extension `{name}`"))
                })?)
            }
            (Some(rate), None) => {
                let has = |hdu: &&Hdu| {
                    FitsTable::open(source, hdu, false).is_ok_and(|t| matches!(t.column(rate), Ok(Some(_))))
                };
                let found = hdus.iter().find(has);
                Some(found.ok_or_else(|| {
                    format_error(source.path(), "extensions", &format!("no table has a column {rate}"))
                })?)
            }
        };
    match chosen {
        Some(hdu) => {
            warn_of_container(source, &hdus, trailing, warnings);
            let hdu = &gti::with_primary_clock(source.path(), hdu, &hdus, warnings)?;
            read_fits(source, &hdus, hdu, options, warnings).map(Some)
        }
        None => Ok(None),
    }
}

/// True for a light curve that this program wrote.
fn is_own(source: &InputFile) -> Result<bool> {
    Ok(product_of(source)?.is_some_and(|name| name == LIGHT_CURVE.name))
}

/// Classes of tables that hold something else, whatever they are called.
const OTHER_CLASSES: [&str; 4] = ["EVENTS", "EVENT", "GTI", "ARRAY"];

fn is_light_curve(hdu: &Hdu) -> bool {
    let class = hdu.header.text("HDUCLAS1").unwrap_or_default().replace(' ', "").to_ascii_uppercase();
    class == "LIGHTCURVE" || (hdu.name.eq_ignore_ascii_case("RATE") && !OTHER_CLASSES.contains(&&*class))
}

fn read_fits(
    source: &InputFile,
    hdus: &[Hdu],
    hdu: &Hdu,
    options: &OpenOptions,
    warnings: &mut Warnings,
) -> Result<ReadCurve> {
    let header = &hdu.header;
    let time_name = options.time_column.as_deref().unwrap_or("TIME");
    gti::refuse_two_clocks(header, &[time_name])?;
    let table = FitsTable::open(source, hdu, false)?;
    footprint(table.rows as u64, 7).check(&format!("the light curve of {}", source.path()))?;
    let column = |names: &[&str]| -> Result<Option<(Vec<f64>, String)>> {
        for name in names {
            if let Some(column) = table.numbers(name)? {
                let mut values = Vec::with_capacity(table.rows);
                table.decode(column, 0..table.rows, &mut values)?;
                return Ok(Some((values, column.unit.clone())));
            }
        }
        Ok(None)
    };
    let missing = |name: &str| {
        let names: Vec<&str> = table.columns.iter().map(|column| column.name.as_str()).collect();
        table.error(&format!("column {name}"), &format!("missing; there are {}", names.join(", ")))
    };
    let column_of_time = table.numbers(time_name)?.ok_or_else(|| missing(time_name))?;
    let (counted, counted_from) = table.counted_exactly(column_of_time)?;
    let (mut time, unit) = (Vec::with_capacity(table.rows), &counted.unit);
    table.decode(&counted, 0..table.rows, &mut time)?;
    let per_keyword = gti::keyword_unit(header)?;
    let in_seconds = |unit: &str| match unit.trim() {
        "" => Some(per_keyword),
        // As `BJD - 2457000, days` of TESS: the epoch is that of the keywords.
        unit if unit.get(..3).is_some_and(|day| day.eq_ignore_ascii_case("BJD")) => Some(SECONDS_PER_DAY),
        unit => seconds_per_unit(unit),
    };
    let unknown = |name: &str, unit: &str| table.error(&format!("column {name}"), &format!("unknown unit `{unit}`"));
    let factor = in_seconds(unit).ok_or_else(|| unknown(time_name, unit))?;
    let resolution = time_resolution(&table, time_name, &time)? * factor;
    time.iter_mut().for_each(|t| *t *= factor);
    let seconds = |name: &str| -> Result<Option<Vec<f64>>> {
        let Some((mut values, own)) = column(&[name])? else { return Ok(None) };
        // What has no unit has that of the times.
        let factor =
            if own.trim().is_empty() { factor } else { in_seconds(&own).ok_or_else(|| unknown(name, &own))? };
        values.iter_mut().for_each(|t| *t *= factor);
        Ok(Some(values))
    };
    let half_width = seconds("XAX_E")?.map(|half| half.into_iter().map(|half| 2.0 * half).collect());
    let width = seconds("TIMEDEL")?.or(half_width);
    let exposure = seconds("EXPOSURE")?;
    let named = options.rate_column.as_deref();
    let counts = if named.is_some() { None } else { column(&["COUNTS"])?.map(|(values, _)| values) };
    let rate = match named {
        Some(name) => Some(column(&[name])?.ok_or_else(|| missing(name))?),
        None => column(&["RATE", "RATE1"])?,
    };
    if let Some((_, unit)) = rate.as_ref().filter(|(_, unit)| named.is_none() && !is_rate(unit)) {
        let mend = Mend::field("rate_column").doing("takes it as it is");
        return Err(table.error("column RATE", &format!("`{unit}` is not counts a second")).mended_by([mend]));
    }
    // An error beside both is that of the rate; counts have the error of counting.
    let own_error = options.error_column.as_deref();
    let error = match (&counts, &rate) {
        _ if own_error.is_some() => {
            let name = own_error.unwrap_or_default();
            Some(column(&[name])?.ok_or_else(|| missing(name))?)
        }
        _ if named.is_some() => None,
        (Some(_), Some(_)) => column(&["COUNTS_ERR", "ERR_COUNTS"])?,
        (Some(_), None) => column(&["COUNTS_ERR", "ERR_COUNTS", "ERROR"])?,
        (None, _) => column(&["ERROR", "ERROR1", "RATE_ERR"])?,
    };
    let beside = counts.is_some() && rate.is_some() && error.is_none();
    let rate_error = if beside { column(&["ERROR", "ERROR1", "RATE_ERR"])? } else { None };
    let raw = RawLightCurve {
        row: ("row", (1..=table.rows).collect()),
        time,
        counts,
        rate: rate.map(|(values, _)| values),
        error: error.map(|(values, _)| values),
        rate_error: rate_error.map(|(values, _)| values),
        fracexp: column(&["FRACEXP"])?.map(|(values, _)| values),
        exposure,
        width,
    };
    if raw.counts.is_none() && raw.rate.is_none() {
        return Err(table.error("columns", "neither RATE nor COUNTS is there"));
    }
    if named.is_none() {
        warn_of_background(&table, header, warnings);
    }
    warn_of_flags(&table, &raw, warnings)?;
    let timepixr = header.real("TIMEPIXR")?.unwrap_or(0.5);
    if !(0.0..=1.0).contains(&timepixr) {
        return Err(header.error("TIMEPIXR", &format!("{timepixr} is no place in a bin, which are 0 to 1")));
    }
    let timezero = gti::timezero(header)?.unwrap_or(DoubleDouble::ZERO);
    let timedel = header.real("TIMEDEL")?.map(|t| t * per_keyword).filter(|t| *t > 0.0);
    let offset = timezero + counted_from * factor;
    let clock = BinClock { timedel, timezero: offset, timepixr, resolution, own: is_own(source)? };
    let text = |key: &str| {
        let own = header.text(key).filter(|t| !t.is_empty());
        own.or_else(|| hdus.first().and_then(|h| h.header.text(key))).unwrap_or_default()
    };
    let timeref = text("TIMEREF");
    let record = Record {
        mjdref: match gti::mjdref(header)? {
            Some(epoch) => Some(epoch),
            None => gti::bjdref(header)?,
        },
        telescop: text("TELESCOP"),
        instrume: text("INSTRUME"),
        object: text("OBJECT"),
        timesys: text("TIMESYS"),
        barycentred: timeref.eq_ignore_ascii_case("SOLARSYSTEM") || header.has("BJDREFI"),
        timeref,
        plephem: text("PLEPHEM"),
        ..Record::default()
    };
    if record.mjdref.is_none() {
        warnings.push("W-NO-MJDREF", format!("{}: no MJDREF; absolute times are not known", source.path()));
    }
    let time_system = [record.timesys.clone(), record.timeref.clone()];
    let (mixed, unit) = (options.mixed, gti::primary_unit(hdus)?);
    let frame = TimeFrame { mjdref: record.mjdref, timezero, time_system, mixed, unit };
    let own = options.gti == GtiSource::File;
    assemble(source, raw, &clock, record, warnings, |span, warnings| match own {
        true => own_gti(source, hdus, hdu, &frame, span, warnings),
        false => given_gti(&options.gti, &frame, span, warnings),
    })
}

/// The intervals that the data subspace of the light curve names, else those of the general rule, else the whole span.
fn own_gti(
    source: &InputFile,
    hdus: &[Hdu],
    hdu: &Hdu,
    frame: &TimeFrame,
    span: (DoubleDouble, DoubleDouble),
    warnings: &mut Warnings,
) -> Result<CurveGti> {
    let mut components = subspace::components(&hdu.header, hdus, "TIME", None)?;
    if let Some(missing) = components.iter().find_map(|component| component.missing.as_ref()) {
        subspace::warn_of_missing(source.path(), missing, warnings);
        components.clear();
    }
    if components.is_empty() {
        components = gti::find(hdus).map(Component::of_table).into_iter().collect();
    }
    let (mut taken, mut parts) = (HashSet::new(), Vec::new());
    for component in &components {
        parts.push(in_common(component, |filter| {
            let rows = match filter {
                TimeFilter::Table(table) => {
                    taken.insert(table.index);
                    gti::read_table(source, table, frame, warnings)?
                }
                TimeFilter::Ranges(ranges, unit) => range_intervals(&hdu.header, ranges, *unit, frame)?,
            };
            Gti::new(source.path(), rows, false, warnings).map(Rc::new)
        })?);
    }
    let all = Gti::union_of(parts.iter().map(Rc::as_ref));
    drop(parts);
    if all.is_empty() && !components.is_empty() {
        let message = "the intervals that the data subspace names have no time in common";
        return Err(Error::gti(source.path(), message).mended_by([Mend::field("gti").doing("gives others")]));
    }
    if all.is_empty() {
        return Ok(CurveGti { chosen: Gti::from_sorted(&[span]), own: false });
    }
    let is_taken = |hdu: &&Hdu| taken.contains(&hdu.index);
    let labels: Vec<String> = hdus.iter().filter(is_taken).map(gti::label).collect();
    let unused = hdus.iter().filter(|hdu| gti::holds_intervals(hdu) && !is_taken(hdu));
    gti::warn_of_unused(source.path(), &labels, unused, warnings);
    Ok(CurveGti { chosen: all, own: true })
}

/// The user's intervals, or the whole span.
fn given_gti(
    source: &GtiSource,
    frame: &TimeFrame,
    span: (DoubleDouble, DoubleDouble),
    warnings: &mut Warnings,
) -> Result<CurveGti> {
    let chosen = match source {
        GtiSource::Given(name) => Gti::new(name, gti::read_file(name, frame, warnings)?, false, warnings)?,
        _ => Gti::from_sorted(&[span]),
    };
    Ok(CurveGti { chosen, own: false })
}

/// Seconds (or what the column is in) within which a column of single precision holds its times; 0 for others.
fn time_resolution(table: &FitsTable, name: &str, times: &[f64]) -> Result<f64> {
    let Some(column) = table.column(name)?.filter(|column| column.kind == ElementType::F32) else { return Ok(0.0) };
    let stored = |t: &f64| ((t - column.zero) / column.scale).abs();
    let largest = times.iter().filter(|t| t.is_finite()).map(stored).fold(0.0, f64::max) as f32;
    Ok(f64::from(largest.next_up() - largest) * column.scale.abs())
}

/// Warns of a column with the background that is still in the rates.
fn warn_of_background(table: &FitsTable, header: &fits::FitsHeader, warnings: &mut Warnings) {
    let applied = header.text("BACKAPP").is_some_and(|told| told.trim() == "T");
    let begins = |name: &str| {
        ["BACK", "BKG", "BGD"]
            .iter()
            .any(|with| name.get(..with.len()).is_some_and(|start| start.eq_ignore_ascii_case(with)))
    };
    if let Some(column) = table.columns.iter().find(|column| begins(&column.name)).filter(|_| !applied) {
        let message = format!(
            "{}: the column {} is not read: rates are those of source and background",
            table.path(),
            column.name
        );
        let mend = Mend::field("background").doing("takes the mean rate of the background");
        warnings.record(Warning::new("W-BACKGROUND-COLUMN", message).mended_by([mend]));
    }
}

/// Warns of bins with a value that flags of quality tell something about.
fn warn_of_flags(table: &FitsTable, raw: &RawLightCurve, warnings: &mut Warnings) -> Result<()> {
    let Some(values) = raw.counts.as_ref().or(raw.rate.as_ref()) else { return Ok(()) };
    for name in ["SAP_QUALITY", "QUALITY"] {
        let Some(column) = table.column(name)?.filter(|column| column.is_number()) else { continue };
        let mut flags = Vec::with_capacity(table.rows);
        table.decode(column, 0..table.rows, &mut flags)?;
        let is_flagged = |(flag, value): &(&f64, &f64)| **flag != 0.0 && flag.is_finite() && value.is_finite();
        let flagged = flags.iter().zip(values).filter(is_flagged).count() as u64;
        let first = flags.iter().zip(values).position(|both| is_flagged(&both)).map_or(0, |i| i + 1);
        let message = format!(
            "{}: bins with a value have flags in {name}, first row {first}: they are used; rows that are to be left out need a value of NaN",
            table.path()
        );
        warnings.add("W-QUALITY-FLAGS", message, flagged);
    }
    Ok(())
}

impl LightCurve {
    /// Opens a file that holds a light curve, with its own good time intervals.
    ///
    /// # Errors
    /// See [`read`]; the file holds something else.
    #[doc(hidden)]
    pub fn open(path: &std::path::Path, warnings: &mut Warnings) -> Result<LightCurve> {
        let source = InputFile::open(path)?;
        let series = read(&source, &OpenOptions::default(), warnings)?;
        let message = "neither a FITS light curve nor a text table of times and rates";
        let ReadCurve { curve, chosen } = series.ok_or_else(|| Error::format(source.path(), "whole file", message))?;
        Ok(LightCurve { gti: chosen, ..curve }.described())
    }
}

//! Reading binned light curves: FITS tables (OGIP/93-003, XRONOS) and text tables, recognised by their content.

use std::collections::HashSet;

use super::events::{GtiSource, OpenOptions};
use super::file_scan::warn_of_container;
use super::fits::{self, Hdu};
use super::fits_table::FitsTable;
use super::gti::{self, TimeFrame, seconds_per_unit};
use super::input_file::{InputFile, format_error};
use super::light_curve_columns::{RawLightCurve, footprint};
use super::subspace::{self, Component, TimeFilter};
use super::text_table;
use crate::base::error::{Error, Result};
use crate::base::mend::Mend;
use crate::base::text::ShortNumber;
use crate::base::time::{DoubleDouble, SECONDS_PER_DAY};
use crate::base::warning::Warnings;
use crate::data::light_curve::{EDGE_SLACK, LightCurveMetadata, MOST_PLACES, TimeGrid, counting_error};
use crate::data::{Gti, InputRecord, LightCurve, Record};

/// Part of a second by which a second is longer at the barycentre, for an observer on Earth or near it: v/c of its orbit and more.
const BARYCENTRIC: f64 = 1.2e-4;
/// Part of a bin by which a time may miss the grid: times are often printed with few digits.
const OFF_GRID: f64 = 0.02;

/// Reads the light curve in a file. `None` if the file holds something else, such as events.
///
/// FITS: the first table whose HDUCLAS1 is `LIGHT CURVE` or `LIGHTCURVE`, or whose name is RATE, with a TIME column and
/// COUNTS or RATE (RATE1). The unit of a column is its TUNITn, that of keywords TIMEUNIT. Text: numbers in columns,
/// `time`, `rate` (or `counts` if a header line says so) and an optional error. Rows without a finite value or without
/// exposure are missing bins.
///
/// # Errors
/// A light curve without usable columns, bins that are not on a regular grid (the error names the row), or good time
/// intervals that cannot be used.
pub fn read(source: &InputFile, options: &OpenOptions, warnings: &mut Warnings) -> Result<Option<LightCurve>> {
    if !source.is_fits() {
        let Some(raw) = text_table::read(source)? else { return Ok(None) };
        warnings.push("W-NO-MJDREF", format!("{}: no MJDREF; absolute times are not known", source.path()));
        let frame =
            TimeFrame { mjdref: None, timezero: DoubleDouble::ZERO, timesys: String::new(), mixed: options.mixed };
        return assemble(source, raw, None, DoubleDouble::ZERO, Record::default(), warnings, |span, warnings| {
            given_gti(&options.gti, &frame, span, warnings)
        })
        .map(Some);
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
            read_fits(source, &hdus, hdu, options, warnings).map(Some)
        }
        None => Ok(None),
    }
}

fn is_light_curve(hdu: &Hdu) -> bool {
    let class = hdu.header.text("HDUCLAS1").unwrap_or_default().replace(' ', "");
    class.eq_ignore_ascii_case("LIGHTCURVE") || hdu.name.eq_ignore_ascii_case("RATE")
}

fn read_fits(
    source: &InputFile,
    hdus: &[Hdu],
    hdu: &Hdu,
    options: &OpenOptions,
    warnings: &mut Warnings,
) -> Result<LightCurve> {
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
    let missing = |name: &str| table.error(&format!("column {name}"), "missing");
    let (mut time, unit) = column(&[time_name])?.ok_or_else(|| missing(time_name))?;
    let per_keyword = gti::keyword_unit(header)?;
    let in_seconds = |unit: &str| match unit.trim() {
        "" => Some(per_keyword),
        // As `BJD - 2457000, days` of TESS: the epoch is that of the keywords.
        unit if unit.get(..3).is_some_and(|day| day.eq_ignore_ascii_case("BJD")) => Some(SECONDS_PER_DAY),
        unit => seconds_per_unit(unit),
    };
    let unknown = |name: &str, unit: &str| table.error(&format!("column {name}"), &format!("unknown unit `{unit}`"));
    let factor = in_seconds(&unit).ok_or_else(|| unknown(time_name, &unit))?;
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
        return Err(table.error("column RATE", &format!("`{unit}` is not counts a second")));
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
    let raw = RawLightCurve {
        row: ("row", (1..=table.rows).collect()),
        time,
        counts,
        rate: rate.map(|(values, _)| values),
        error: error.map(|(values, _)| values),
        fracexp: column(&["FRACEXP"])?.map(|(values, _)| values),
        exposure,
        width,
    };
    if raw.counts.is_none() && raw.rate.is_none() {
        return Err(table.error("columns", "neither RATE nor COUNTS is there"));
    }
    let timedel = header.real("TIMEDEL")?.map(|t| t * per_keyword).filter(|t| *t > 0.0);
    let timezero = gti::timezero(header)?.unwrap_or(DoubleDouble::ZERO);
    let pixel = DoubleDouble::product(0.5 - header.real("TIMEPIXR")?.unwrap_or(0.5), timedel.unwrap_or(0.0));
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
    let (timesys, mixed) = (record.timesys.clone(), options.mixed);
    let frame = TimeFrame { mjdref: record.mjdref, timezero, timesys, mixed };
    let own = options.gti == GtiSource::File;
    assemble(source, raw, timedel, timezero + pixel, record, warnings, |span, warnings| match own {
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
) -> Result<Gti> {
    let of = |component: &Component| match &component.times[..] {
        [TimeFilter::Table(hdu)] if component.missing.is_none() => Some(hdu.index),
        _ => None,
    };
    let components = subspace::components(&hdu.header, hdus, "TIME", None)?;
    let named: Option<Vec<usize>> = components.iter().map(of).collect();
    let found = || gti::find(hdus).map(|hdu| hdu.index).into_iter().collect();
    let taken: Vec<usize> = named.filter(|list| !list.is_empty()).unwrap_or_else(found);
    let taken: HashSet<usize> = taken.into_iter().collect();
    let is_taken = |hdu: &&Hdu| taken.contains(&hdu.index);
    let mut tables = Vec::new();
    for hdu in hdus.iter().filter(is_taken) {
        let rows = gti::read_table(source, hdu, frame, warnings)?;
        tables.push(Gti::new(source.path(), rows, false, warnings)?);
    }
    let all = Gti::union_of(&tables);
    drop(tables);
    if all.is_empty() {
        return Ok(Gti::from_sorted(&[span]));
    }
    let labels: Vec<String> = hdus.iter().filter(is_taken).map(gti::label).collect();
    let unused = hdus.iter().filter(|hdu| gti::holds_intervals(hdu) && !is_taken(hdu));
    gti::warn_of_unused(source.path(), &labels, unused, warnings);
    Ok(all)
}

fn is_rate(unit: &str) -> bool {
    let unit = unit.to_ascii_lowercase().replace(' ', "");
    unit.is_empty() || ["/s", "s-1", "s**-1", "s^-1", "/sec", "s**(-1)"].iter().any(|end| unit.ends_with(end))
}

/// The user's intervals, or the whole span.
fn given_gti(
    source: &GtiSource,
    frame: &TimeFrame,
    span: (DoubleDouble, DoubleDouble),
    warnings: &mut Warnings,
) -> Result<Gti> {
    match source {
        GtiSource::Given(name) => {
            let given = gti::read_file(name, frame, warnings)?;
            Gti::new(name, given, false, warnings)
        }
        _ => Ok(Gti::from_sorted(&[span])),
    }
}

/// Columns to a light curve on a grid.
fn assemble(
    source: &InputFile,
    raw: RawLightCurve,
    timedel: Option<f64>,
    offset: DoubleDouble,
    record: Record,
    warnings: &mut Warnings,
    gti: impl FnOnce((DoubleDouble, DoubleDouble), &mut Warnings) -> Result<Gti>,
) -> Result<LightCurve> {
    let path = source.path();
    let mut raw = raw;
    // Text has no value that stands for none.
    if raw.row.0 == "line"
        && let Some(i) = raw.time.iter().position(|t| !t.is_finite())
    {
        let place = format!("{} {}", raw.row.0, raw.row.1.get(i).unwrap_or(&i));
        return Err(format_error(path, &place, "the time is not finite"));
    }
    warnings.add("W-TIME-NAN", format!("{path}: rows without a finite time were left out"), raw.drop_timeless());
    let width = raw.one_width().map_err(|(i, width, first)| {
        let place = format!("{} {}", raw.row.0, raw.row.1.get(i).unwrap_or(&i));
        let message = format!("a bin of {width} s, but the first has {first} s: the bins must be of one width");
        format_error(path, &place, &message)
    })?;
    let RawLightCurve { row, time, counts, rate, error, fracexp, exposure, .. } = raw;
    let (dt, first, places) = grid(path, &row, &time, width.or(timedel), warnings)?;
    let origin = DoubleDouble::sum(first, -0.5 * dt) + offset;
    let counted = counts.is_some() && error.is_none();
    let mut lc = LightCurve {
        grid: TimeGrid { origin, dt },
        bin: Vec::new(),
        time: Vec::new(),
        counts: Vec::new(),
        rate: Vec::new(),
        rate_err: Vec::new(),
        fracexp: Vec::new(),
        counted,
        gti: Gti::default(),
        meta: LightCurveMetadata { record, ..LightCurveMetadata::default() },
    };
    lc.reserve(places.len());
    for (i, &k) in places.iter().enumerate() {
        let at = |column: &Option<Vec<f64>>| column.as_ref().and_then(|column| column.get(i).copied());
        let part = at(&fracexp).or_else(|| at(&exposure).map(|exposed| whole_if_near(exposed / dt))).unwrap_or(1.0);
        let exposed = dt * part;
        // With counts, the error is theirs.
        let (count, value, err) = match (at(&counts), at(&rate)) {
            (Some(count), _) => (count, count / exposed, at(&error).map(|e| e / exposed)),
            (None, Some(rate)) => (rate * exposed, rate, at(&error)),
            (None, None) => continue,
        };
        let missing = ![value, count, part, err.unwrap_or(0.0)].iter().all(|x| x.is_finite()) || part <= 0.0;
        if missing {
            continue;
        }
        lc.bin.push(k);
        lc.time.push(lc.grid.centre(k));
        lc.counts.push(count);
        lc.rate.push(value);
        lc.rate_err.push(if counted { counting_error(count) / exposed } else { err.unwrap_or(f64::NAN) });
        lc.fracexp.push(part);
    }
    let (Some(&from), Some(&last)) = (lc.bin.first(), lc.bin.last()) else {
        return Err(format_error(path, "light curve", "no bin has a finite value and an exposure"));
    };
    let exact = lc.rate_err.iter().filter(|_| !counted).filter(|err| **err == 0.0).count() as u64;
    warnings.add("W-ZERO-ERROR", format!("{path}: bins whose error is 0: they count as if they were exact"), exact);
    let (start, stop) = (lc.grid.edge(from), lc.grid.edge(last + 1));
    lc.gti = gti((start, stop), warnings)?;
    if let Some((first, last)) =
        lc.gti.ends().filter(|_| lc.gti.intersect(&Gti::from_sorted(&[(start, stop)])).is_empty())
    {
        let message = format!(
            "from {} to {} s they hold no bin of the light curve, which lasts from {} to {} s",
            first.value(),
            last.value(),
            start.value(),
            stop.value()
        );
        let mend = Mend::set("gti", "span").doing("takes all bins");
        return Err(Error::gti(path, message).mended_by([mend]));
    }
    lc.meta.record.inputs =
        vec![InputRecord { name: path.to_string(), crc32: source.crc32()?, ..InputRecord::default() }];
    Ok(lc.described())
}

/// A part of a bin, all of it where less than a millionth differs; no more than all.
fn whole_if_near(part: f64) -> f64 {
    if part > 1.0 - EDGE_SLACK { 1.0 } else { part }
}

/// The width of bins, the first time, and the place of each on the grid that begins with it.
fn grid(
    path: &str,
    row: &(&str, Vec<usize>),
    time: &[f64],
    timedel: Option<f64>,
    warnings: &mut Warnings,
) -> Result<(f64, f64, Vec<u64>)> {
    let at = |i: usize| format!("{} {}", row.0, row.1.get(i).unwrap_or(&i));
    let pairs = || time.iter().zip(time.iter().skip(1));
    if let Some((i, (before, t))) = pairs().enumerate().find(|(_, (before, t))| t <= before) {
        let message = format!("the time {t} s is not after the one before, {before} s");
        return Err(format_error(path, &at(i + 1), &message));
    }
    let (&[first, ..], &[.., last], true) = (time, time, time.len() > usize::from(timedel.is_none())) else {
        return Err(format_error(path, "light curve", "it has too few bins to know their width"));
    };
    let dt = timedel.unwrap_or_else(|| {
        let mut steps: Vec<f64> = pairs().map(|(before, t)| t - before).collect();
        let middle = steps.len() / 2;
        let median = *steps.select_nth_unstable_by(middle, f64::total_cmp).1;
        // Printed times are rounded; the whole span tells the width better.
        let span = last - first;
        span / (span / median).round().max(1.0)
    });
    if !(dt.is_finite() && dt > 0.0 && (last - first) / dt < MOST_PLACES) {
        let message = format!("bins of {dt} s from {first} s to {last} s cannot be numbered");
        return Err(format_error(path, "light curve", &message));
    }
    if let Some((places, drift)) = drifting_places(time, dt).filter(|(_, drift)| *drift > OFF_GRID) {
        let message = format!(
            "{path}: the times leave a regular grid by up to {} of a bin, slowly, as times at the barycentre do; bins are numbered by the \
             steps between them",
            ShortNumber(drift)
        );
        warnings.push("W-GRID-DRIFT", message);
        return Ok((dt, first, places));
    }
    let mut places = Vec::with_capacity(time.len());
    for (i, &t) in time.iter().enumerate() {
        let place = (t - first) / dt;
        let nearest = place.round();
        if (place - nearest).abs() > OFF_GRID || places.last().is_some_and(|&last| nearest as u64 <= last) {
            let off = place - place.floor();
            let message = format!(
                "the time {t} s is {place:.3} bins of {dt} s after the first, {off:.3} off the grid: the bins must be of one \
                 width"
            );
            return Err(format_error(path, &at(i), &message));
        }
        places.push(nearest as u64);
    }
    Ok((dt, first, places))
}

/// Places of bins by the steps between their times, which may stretch by [`BARYCENTRIC`], and by how much of a bin the places miss a regular grid;
/// `None` where a step is no whole number of bins.
fn drifting_places(time: &[f64], dt: f64) -> Option<(Vec<u64>, f64)> {
    let (mut places, mut place, mut drift) = (vec![0], 0u64, 0f64);
    let first = *time.first()?;
    for (before, t) in time.iter().zip(time.iter().skip(1)) {
        let step = (t - before) / dt;
        let whole = step.round();
        if whole < 1.0 || (step - whole).abs() > OFF_GRID + BARYCENTRIC * whole || whole * BARYCENTRIC > 0.25 {
            return None;
        }
        place += whole as u64;
        drift = drift.max(((t - first) / dt - place as f64).abs());
        places.push(place);
    }
    Some((places, drift))
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
        series.ok_or_else(|| Error::format(source.path(), "whole file", message))
    }
}

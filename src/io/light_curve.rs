//! Reading binned light curves: FITS tables (OGIP/93-003, XRONOS) and text tables, recognised by their content.

use super::fits::{self, Hdu};
use super::fits_table::FitsTable;
use super::gti::{self, TimeFrame, seconds_per_unit};
use super::input_file::{InputFile, format_error};
use super::light_curve_columns::RawLightCurve;
use super::text_table;
use crate::base::error::{Error, Result};
use crate::base::time::DoubleDouble;
use crate::base::warning::Warnings;
use crate::data::light_curve::{LightCurveMetadata, MOST_PLACES, TimeGrid, counting_error};
use crate::data::{Gti, InputRecord, LightCurve, Record};

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
pub fn read(source: &InputFile, gti: &super::GtiSource, warnings: &mut Warnings) -> Result<Option<LightCurve>> {
    if !source.is_fits() {
        let Some(raw) = text_table::read(source)? else { return Ok(None) };
        warnings.push("W-NO-MJDREF", format!("{}: no MJDREF; absolute times are not known", source.path()));
        let frame = TimeFrame { mjdref: None, timezero: DoubleDouble::ZERO };
        return assemble(source, raw, None, DoubleDouble::ZERO, Record::default(), |span| {
            given_gti(gti, &frame, span, warnings)
        })
        .map(Some);
    }
    let (hdus, _) = fits::scan(source)?;
    match hdus.iter().find(|hdu| is_light_curve(hdu)) {
        Some(hdu) => read_fits(source, &hdus, hdu, gti, warnings).map(Some),
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
    gti_source: &super::GtiSource,
    warnings: &mut Warnings,
) -> Result<LightCurve> {
    let header = &hdu.header;
    let table = FitsTable::open(source, hdu, false)?;
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
    let (mut time, unit) = column(&["TIME"])?.ok_or_else(|| table.error("column TIME", "missing"))?;
    let per_keyword = gti::keyword_unit(header)?;
    let unknown = || table.error("column TIME", &format!("unknown unit `{unit}`"));
    let factor = if unit.trim().is_empty() { Some(per_keyword) } else { seconds_per_unit(&unit) };
    let factor = factor.ok_or_else(unknown)?;
    time.iter_mut().for_each(|t| *t *= factor);
    let counts = column(&["COUNTS"])?.map(|(values, _)| values);
    let rate = column(&["RATE", "RATE1"])?;
    if let Some((_, unit)) = rate.as_ref().filter(|(_, unit)| !is_rate(unit)) {
        return Err(table.error("column RATE", &format!("`{unit}` is not counts a second")));
    }
    // An error beside both is that of the rate; counts have the error of counting.
    let error = match (&counts, &rate) {
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
        mjdref: gti::mjdref(header)?,
        telescop: text("TELESCOP"),
        instrume: text("INSTRUME"),
        object: text("OBJECT"),
        timesys: text("TIMESYS"),
        barycentred: timeref.eq_ignore_ascii_case("SOLARSYSTEM"),
        timeref,
        plephem: text("PLEPHEM"),
        ..Record::default()
    };
    if record.mjdref.is_none() {
        warnings.push("W-NO-MJDREF", format!("{}: no MJDREF; absolute times are not known", source.path()));
    }
    let frame = TimeFrame { mjdref: record.mjdref, timezero };
    let own = gti::find(hdus).filter(|_| *gti_source == super::GtiSource::File);
    assemble(source, raw, timedel, timezero + pixel, record, |span| match own {
        Some(hdu) => {
            let rows = gti::read_table(source, hdu, &frame)?;
            Gti::new(source.path(), rows, false, warnings)
        }
        None => given_gti(gti_source, &frame, span, warnings),
    })
}

fn is_rate(unit: &str) -> bool {
    let unit = unit.to_ascii_lowercase().replace(' ', "");
    unit.is_empty() || ["/s", "s-1", "s**-1", "s^-1", "/sec", "s**(-1)"].iter().any(|end| unit.ends_with(end))
}

/// The user's intervals, or the whole span.
fn given_gti(
    source: &super::GtiSource,
    frame: &TimeFrame,
    span: (DoubleDouble, DoubleDouble),
    warnings: &mut Warnings,
) -> Result<Gti> {
    match source {
        super::GtiSource::Given(name) => Gti::new(name, gti::read_file(name, frame)?, false, warnings),
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
    gti: impl FnOnce((DoubleDouble, DoubleDouble)) -> Result<Gti>,
) -> Result<LightCurve> {
    let path = source.path();
    let RawLightCurve { row, time, counts, rate, error, fracexp } = raw;
    let (dt, first, places) = grid(path, &row, &time, timedel)?;
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
    for (i, &k) in places.iter().enumerate() {
        let at = |column: &Option<Vec<f64>>| column.as_ref().and_then(|column| column.get(i).copied());
        let part = at(&fracexp).unwrap_or(1.0);
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
    lc.gti = gti((lc.grid.edge(from), lc.grid.edge(last + 1)))?;
    lc.meta.record.inputs =
        vec![InputRecord { name: path.to_string(), crc32: source.crc32()?, ..InputRecord::default() }];
    Ok(lc.described())
}

/// The width of bins, the first time, and the place of each on the grid that begins with it.
fn grid(path: &str, row: &(&str, Vec<usize>), time: &[f64], timedel: Option<f64>) -> Result<(f64, f64, Vec<u64>)> {
    let at = |i: usize| format!("{} {}", row.0, row.1.get(i).unwrap_or(&i));
    if let Some(i) = time.iter().position(|t| !t.is_finite()) {
        return Err(format_error(path, &at(i), "the time is not finite"));
    }
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

impl LightCurve {
    /// Opens a file that holds a light curve, with its own good time intervals.
    ///
    /// # Errors
    /// See [`read`]; the file holds something else.
    #[doc(hidden)]
    pub fn open(path: &std::path::Path, warnings: &mut Warnings) -> Result<LightCurve> {
        let source = InputFile::open(path)?;
        let series = read(&source, &super::GtiSource::File, warnings)?;
        let message = "neither a FITS light curve nor a text table of times and rates";
        series.ok_or_else(|| Error::format(source.path(), "whole file", message))
    }
}

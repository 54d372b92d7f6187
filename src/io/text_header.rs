//! What the header of a light curve in text says: units of its columns, of ECSV or in brackets behind their names, and, of ECSV, its epoch.

use super::gti::epoch_of;
use super::input_file::{InputFile, format_error};
use super::light_curve_columns::RawLightCurve;
use super::time_unit::{is_rate, seconds_per_unit};
use crate::base::error::Result;
use crate::data::Record;

/// The most of a file that is searched for its header.
const LONGEST_HEADER: u64 = 1 << 20;

/// What the header of a text file says.
pub(super) struct TextHeader<'a> {
    path: &'a str,
    /// Names and units of columns.
    columns: Vec<(String, String)>,
    /// The metadata of ECSV in one line, as they stand there.
    metadata: String,
}

/// The name of a column and its unit, which stands in brackets behind it: `time (s)`, `rate [ct/s]`; empty where there is none.
pub(super) fn name_and_unit(field: &str) -> (&str, &str) {
    let of = |open: char, close: char| {
        let (name, unit) = field.strip_suffix(close)?.split_once(open)?;
        (!name.trim().is_empty()).then(|| (name.trim(), unit.trim()))
    };
    of('(', ')').or_else(|| of('[', ']')).unwrap_or((field, ""))
}

/// The fields of a line of names that blanks part, each with the unit in brackets behind it.
pub(super) fn with_units<'a>(line: &'a str, fields: Vec<&'a str>) -> Vec<&'a str> {
    let begins = |field: &&str| field.starts_with(['(', '[']);
    if line.contains([',', ';', '"']) || !fields.iter().any(begins) {
        return fields;
    }
    let (mut all, mut from, mut inside) = (Vec::new(), None, false);
    for (at, c) in line.char_indices() {
        inside = (inside || matches!(c, '(' | '[')) && !matches!(c, ')' | ']');
        let next = line.get(at..).unwrap_or_default().trim_start();
        match from {
            None if !c.is_whitespace() => from = Some(at),
            Some(start) if c.is_whitespace() && !inside && !next.starts_with(['(', '[']) => {
                all.extend(line.get(start..at).map(str::trim));
                from = None;
            }
            _ => {}
        }
    }
    all.extend(from.and_then(|start| line.get(start..)).map(str::trim));
    all
}

/// The value of a key in metadata of YAML in one line, in whatever case; a mapping in braces is one value.
fn value_of<'a>(metadata: &'a str, key: &str) -> Option<&'a str> {
    let lower = metadata.to_ascii_lowercase();
    let is_word = |c: char| c.is_alphanumeric() || c == '_' || c == '.';
    lower.match_indices(key).find_map(|(at, _)| {
        if lower.get(..at)?.ends_with(is_word) {
            return None;
        }
        let rest = metadata.get(at + key.len()..)?;
        let rest = rest.strip_prefix(['"', '\'']).unwrap_or(rest).trim_start().strip_prefix(':')?.trim_start();
        let end = match rest.chars().next()? {
            '{' => rest.find('}')?,
            quote @ ('"' | '\'') => return rest.get(1..)?.split(quote).next(),
            _ => rest.find(|c: char| c.is_whitespace() || matches!(c, ',' | '}' | ']')).unwrap_or(rest.len()),
        };
        rest.get(..end)
    })
}

impl<'a> TextHeader<'a> {
    /// That of a file; `names` are the columns of the line of names.
    ///
    /// # Errors
    /// The file cannot be read; its times are objects, whose columns are no seconds.
    pub fn read(source: &'a InputFile, names: &[String]) -> Result<TextHeader<'a>> {
        let named = names.iter().map(|field| name_and_unit(field)).filter(|(_, unit)| !unit.is_empty());
        let columns = named.map(|(name, unit)| (name.to_string(), unit.to_string())).collect();
        let mut made = TextHeader { path: source.path(), columns, metadata: String::new() };
        if !source.head().starts_with(b"# %ECSV") {
            return Ok(made);
        }
        let bytes = source.read(0..source.len().min(LONGEST_HEADER))?;
        let text = String::from_utf8_lossy(&bytes);
        let header: String =
            text.lines().map_while(|line| line.strip_prefix('#')).flat_map(|line| [line.trim(), " "]).collect();
        if header.contains("__serialized_columns__") && header.contains("astropy.time.") {
            let message = "the times are objects of astropy (Time), not seconds; write a column of seconds, for example (t - t[0]).to_value('s')";
            return Err(format_error(source.path(), "column time", message));
        }
        for entry in header.split("- {").skip(1) {
            let entry = entry.split('}').next().unwrap_or_default();
            let of = |key: &str| {
                let value = entry.split(", ").find_map(|part| part.trim().strip_prefix(key));
                value.map(|value| value.trim().trim_matches(['"', '\'']).to_string())
            };
            if let (Some(name), Some(unit)) = (of("name:"), of("unit:")) {
                made.columns.push((name, unit));
            }
        }
        made.metadata = header.split_once("meta:").map_or(String::new(), |(_, metadata)| metadata.to_string());
        Ok(made)
    }

    /// What the metadata say of the observation: the epoch, as products of this program and of astropy have it (`mjdref`, MJDREF, or MJDREFI and
    /// MJDREFF), its time system, and what was observed.
    ///
    /// # Errors
    /// Two epochs, or no day of a calendar.
    pub fn record(&self) -> Result<Record> {
        let of = |key: &str| value_of(&self.metadata, key);
        let text = |key: &str| of(key).unwrap_or_default().to_string();
        let number = |metadata: &str, key: &str| value_of(metadata, key).and_then(|text| text.parse::<f64>().ok());
        let own = of("mjdref").filter(|value| value.starts_with('{'));
        let parts = match own {
            Some(own) => [number(own, "day"), number(own, "fraction"), None],
            None => ["mjdrefi", "mjdreff", "mjdref"].map(|key| number(&self.metadata, key)),
        };
        let mjdref =
            epoch_of(parts).map_err(|(key, message)| format_error(self.path, &format!("metadata {key}"), &message))?;
        let timeref = text("timeref");
        Ok(Record {
            mjdref,
            telescop: text("telescop"),
            instrume: text("instrume"),
            object: text("object"),
            timesys: text("timesys"),
            barycentred: timeref.eq_ignore_ascii_case("SOLARSYSTEM"),
            timeref,
            plephem: text("plephem"),
            ..Record::default()
        })
    }

    fn unit(&self, name: &str) -> Option<&str> {
        self.columns.iter().find(|(own, _)| own.eq_ignore_ascii_case(name)).map(|(_, unit)| unit.as_str())
    }

    /// Brings times to seconds.
    ///
    /// # Errors
    /// A unit that is not known, or that of something else than counts a second.
    pub fn apply(&self, raw: &mut RawLightCurve) -> Result<()> {
        let refuse = |name: &str, unit: &str, what: &str| {
            let message = format!("unit `{}` is not {what}", unit.escape_debug());
            Err(format_error(self.path, &format!("column {name}"), &message))
        };
        for name in ["rate", "flux", "rate_err", "flux_err"] {
            if let Some(unit) = self.unit(name).filter(|unit| !is_rate(unit) && raw.rate.is_some()) {
                return refuse(name, unit, "one of counts a second");
            }
        }
        let name = if self.unit("time").is_some() { "time" } else { "t" };
        let times: [(&str, Option<&mut Vec<f64>>); 3] =
            [(name, Some(&mut raw.time)), ("exposure", raw.exposure.as_mut()), ("timedel", raw.width.as_mut())];
        for (name, values) in times {
            let (Some(unit), Some(values)) = (self.unit(name), values) else { continue };
            let Some(seconds) = seconds_per_unit(unit) else {
                return refuse(name, unit, "a unit of time that is known");
            };
            if seconds != 1.0 {
                values.iter_mut().for_each(|value| *value *= seconds);
            }
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn units_in_brackets_are_parted_from_names() {
        assert_eq!(name_and_unit("time (s)"), ("time", "s"));
        assert_eq!(name_and_unit("rate [ct/s]"), ("rate", "ct/s"));
        assert_eq!(name_and_unit("rate"), ("rate", ""));
        assert_eq!(name_and_unit("(s)"), ("(s)", ""));
        let line = "time (s)  rate (ct / s)\terror";
        assert_eq!(with_units(line, line.split_whitespace().collect()), ["time (s)", "rate (ct / s)", "error"]);
        assert_eq!(with_units("time rate", vec!["time", "rate"]), ["time", "rate"]);
    }

    #[test]
    fn values_of_metadata_are_found_in_any_case_and_form() {
        let own = "adapter: \"x\" mjdref: {\"day\": 56658, \"fraction\": 0.25} timesys: \"TDB\"";
        let value = value_of(own, "mjdref").unwrap();
        assert_eq!((value_of(value, "day"), value_of(value, "fraction")), (Some("56658"), Some("0.25")));
        assert_eq!(value_of(own, "timesys"), Some("TDB"));
        let others = "!!omap - {MJDREFI: 55197} - {MJDREFF: 7.66e-4, TIMESYS: TT} - {noMJDREF: 3}";
        assert_eq!((value_of(others, "mjdrefi"), value_of(others, "mjdreff")), (Some("55197"), Some("7.66e-4")));
        assert_eq!((value_of(others, "mjdref"), value_of(others, "timesys")), (None, Some("TT")));
        assert_eq!(value_of("", "mjdref"), None);
    }
}

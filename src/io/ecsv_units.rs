//! Units of the columns of a light curve in ECSV, which stand in its header.

use super::input_file::{InputFile, format_error};
use super::light_curve_columns::RawLightCurve;
use super::time_unit::{is_rate, seconds_per_unit};
use crate::base::error::Result;

/// The most of a file that is searched for its header.
const LONGEST_HEADER: u64 = 1 << 20;

/// What the header of an ECSV file says of its columns.
pub(super) struct EcsvUnits<'a> {
    path: &'a str,
    /// Names and units.
    columns: Vec<(String, String)>,
}

impl<'a> EcsvUnits<'a> {
    /// Those of a file; none where it is no ECSV.
    ///
    /// # Errors
    /// The file cannot be read; its times are objects, whose columns are no seconds.
    pub fn read(source: &'a InputFile) -> Result<EcsvUnits<'a>> {
        let mut made = EcsvUnits { path: source.path(), columns: Vec::new() };
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
        Ok(made)
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

//! Templates of pulses, read from written profiles.

use std::path::Path;

use super::text_file::{decimal_comma, read_text};
use crate::base::error::{Error, Result};
use crate::science::pulsation::fftfit::PulseTemplate;

impl PulseTemplate {
    /// A template made from a profile that was written as .ecsv or .csv, with columns `counts` and `rate`.
    ///
    /// # Errors
    /// The file cannot be read or is no such table; see [`PulseTemplate::from_profile`].
    pub fn read(path: &Path) -> Result<PulseTemplate> {
        let text = read_text(path)?;
        let bad = |line: usize, message: &str| {
            let message = format!("{message}; a template is a pulse profile written as .ecsv or .csv");
            Error::format(path.display(), format!("line {line}"), message)
        };
        let lines = text.lines().enumerate().filter(|(_, line)| !line.starts_with('#') && !line.trim().is_empty());
        let mut lines = lines.map(|(i, line)| (i + 1, line, line.split([',', ' ']).map(str::trim).collect::<Vec<_>>()));
        let (first, _, names) = lines.next().ok_or_else(|| bad(1, "there is no table"))?;
        let column = |name: &str| {
            let found = names.iter().position(|n| *n == name);
            found.ok_or_else(|| bad(first, &format!("there is no column `{name}`")))
        };
        let (counts_at, rate_at) = (column("counts")?, column("rate")?);
        let (mut counts, mut rate) = (Vec::new(), Vec::new());
        for (line, whole, fields) in lines {
            if let Some(field) = decimal_comma(whole) {
                return Err(bad(line, &format!("`{field}` has a decimal comma; numbers have points")));
            }
            if fields.len() != names.len() {
                return Err(bad(line, &format!("{} values in {} columns", fields.len(), names.len())));
            }
            let field = |at: usize| fields.get(at).copied().unwrap_or("");
            counts.push(field(counts_at).parse().map_err(|_| bad(line, "`counts` is no whole number"))?);
            rate.push(field(rate_at).parse().map_err(|_| bad(line, "`rate` is no number"))?);
        }
        PulseTemplate::from_profile(&counts, &rate)
    }
}

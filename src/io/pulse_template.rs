//! Templates of pulses, read from written profiles.

use std::path::Path;

use crate::base::error::{Error, Result};
use crate::science::pulsation::fftfit::PulseTemplate;

impl PulseTemplate {
    /// A template made from a profile that was written as .ecsv or .csv, with columns `counts` and `rate`.
    ///
    /// # Errors
    /// The file cannot be read or is no such table; see [`PulseTemplate::from_profile`].
    pub fn read(path: &Path) -> Result<PulseTemplate> {
        let text = std::fs::read_to_string(path).map_err(|e| Error::io(path, e))?;
        let bad = |line: usize, message: &str| {
            let message = format!("{message}; a template is a pulse profile written as .ecsv or .csv");
            Error::format(path.display(), format!("line {line}"), message)
        };
        let lines = text.lines().enumerate().filter(|(_, line)| !line.starts_with('#') && !line.trim().is_empty());
        let mut lines = lines.map(|(i, line)| (i + 1, line.split([',', ' ']).map(str::trim).collect::<Vec<_>>()));
        let (first, names) = lines.next().ok_or_else(|| bad(1, "there is no table"))?;
        let column = |name: &str| {
            let found = names.iter().position(|n| *n == name);
            found.ok_or_else(|| bad(first, &format!("there is no column `{name}`")))
        };
        let (counts_at, rate_at) = (column("counts")?, column("rate")?);
        let (mut counts, mut rate) = (Vec::new(), Vec::new());
        for (line, fields) in lines {
            let field = |at: usize| fields.get(at).copied().unwrap_or("");
            counts.push(field(counts_at).parse().map_err(|_| bad(line, "`counts` is no whole number"))?);
            rate.push(field(rate_at).parse().map_err(|_| bad(line, "`rate` is no number"))?);
        }
        PulseTemplate::from_profile(&counts, &rate)
    }
}

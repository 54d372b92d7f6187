//! Templates of pulses, read from written profiles.

use std::path::Path;

use super::input_file::InputFile;
use super::lines::Lines;
use super::text_file::decimal_comma;
use crate::base::error::{Error, Result};
use crate::science::pulsation::fftfit::PulseTemplate;

/// The fields of a line.
fn fields(line: &str) -> impl Iterator<Item = &str> {
    line.split([',', ' ']).map(str::trim)
}

impl PulseTemplate {
    /// A template made from a profile that was written as .ecsv or .csv, with columns `counts` and `rate`.
    ///
    /// # Errors
    /// The file cannot be read or is no such table; see [`PulseTemplate::from_profile`].
    pub fn read(path: &Path) -> Result<PulseTemplate> {
        let source = InputFile::open(path)?;
        let bad = |line: usize, message: &str| {
            let message = format!("{message}; a template is a pulse profile written as .ecsv or .csv");
            Error::format(path.display(), format!("line {line}"), message)
        };
        let mut lines = Lines::new(&source, b"#");
        let (first, names) = match lines.next_text()? {
            Some((line, names)) => (line, fields(&names).map(str::to_string).collect::<Vec<_>>()),
            None => return Err(bad(1, "there is no table")),
        };
        let column = |name: &str| {
            let found = names.iter().position(|n| *n == name);
            found.ok_or_else(|| bad(first, &format!("there is no column `{name}`")))
        };
        let (counts_at, rate_at) = (column("counts")?, column("rate")?);
        let (mut counts, mut rate) = (Vec::new(), Vec::new());
        while let Some((line, text)) = lines.next_text()? {
            if let Some(field) = decimal_comma(&text) {
                return Err(bad(line, &format!("`{field}` has a decimal comma; numbers have points")));
            }
            let values = fields(&text).count();
            if values != names.len() {
                return Err(bad(line, &format!("{values} values in {} columns", names.len())));
            }
            let field = |at: usize| fields(&text).nth(at).unwrap_or("");
            counts.push(field(counts_at).parse().map_err(|_| bad(line, "`counts` is no whole number"))?);
            rate.push(field(rate_at).parse().map_err(|_| bad(line, "`rate` is no number"))?);
        }
        PulseTemplate::from_profile(&counts, &rate)
    }
}

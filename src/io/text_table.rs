//! Light curves as text: two columns or more, separated by blanks, commas or semicolons; `#` begins a comment.

use super::input_file::{InputFile, format_error};
use super::light_curve_columns::RawLightCurve;
use crate::base::error::Result;

/// The columns of a text table, or `None` when the first line that is not a comment is neither numbers nor names of columns
/// with `time` among them.
///
/// Without names the columns are time, rate, error; with them `time`, `counts` or `rate`, `counts_err`, `error` or
/// `rate_err`, and `fracexp`, in any order and case.
///
/// # Errors
/// A line that has fewer numbers than columns are needed.
pub(super) fn read(source: &InputFile) -> Result<Option<RawLightCurve>> {
    if source.head().contains(&0) {
        return Ok(None);
    }
    let bytes = source.read(0..source.len())?;
    let text = String::from_utf8_lossy(&bytes);
    let mut names: Option<ColumnPlaces> = None;
    let mut raw = RawLightCurve { row: ("line", Vec::new()), ..RawLightCurve::default() };
    for (number, line) in text.lines().enumerate() {
        let line = line.split('#').next().unwrap_or("").trim();
        if line.is_empty() {
            continue;
        }
        let fields: Vec<&str> = line
            .split(|c: char| c.is_whitespace() || c == ',' || c == ';')
            .filter(|f| !f.is_empty())
            .map(|f| f.trim_matches('"'))
            .collect();
        let Some(names) = &names else {
            let numbers = fields.iter().all(|f| f.parse::<f64>().is_ok());
            let found =
                if numbers { ColumnPlaces::positional(fields.len()) } else { ColumnPlaces::from_header(&fields) };
            let Some(found) = found else { return Ok(None) };
            if numbers {
                found.push(&fields, number + 1, &mut raw);
            }
            names = Some(found);
            continue;
        };
        if !names.push(&fields, number + 1, &mut raw) {
            let message = format!("`{}` has no numbers in the columns of the light curve", line.escape_debug());
            return Err(format_error(source.path(), &format!("line {}", number + 1), &message));
        }
    }
    Ok(names.map(|_| raw))
}

/// Places of the columns.
struct ColumnPlaces {
    time: usize,
    counts: Option<usize>,
    rate: Option<usize>,
    error: Option<usize>,
    fracexp: Option<usize>,
}

impl ColumnPlaces {
    fn positional(columns: usize) -> Option<ColumnPlaces> {
        let error = (columns > 2).then_some(2);
        (columns >= 2).then_some(ColumnPlaces { time: 0, counts: None, rate: Some(1), error, fracexp: None })
    }

    fn from_header(fields: &[&str]) -> Option<ColumnPlaces> {
        let find = |names: &[&str]| fields.iter().position(|f| names.iter().any(|n| f.eq_ignore_ascii_case(n)));
        let time = find(&["time", "t"])?;
        let counts = find(&["counts", "count"]);
        let rate = find(&["rate", "flux"]);
        let of_rate = find(&["rate_err", "flux_err"]);
        let plain = find(&["error", "err"]);
        // A plain error is that of the only value there is.
        let error = match (counts, rate) {
            (Some(_), None) => find(&["counts_err", "count_err"]).or(plain),
            (Some(_), Some(_)) => find(&["counts_err", "count_err"]),
            (None, Some(_)) => of_rate.or(plain),
            (None, None) => return None,
        };
        Some(ColumnPlaces { time, counts, rate, error, fracexp: find(&["fracexp"]) })
    }

    /// Appends a line; false when a number is missing.
    fn push(&self, fields: &[&str], number: usize, raw: &mut RawLightCurve) -> bool {
        let value = |at: usize| fields.get(at).and_then(|f| f.parse::<f64>().ok());
        let Some(time) = value(self.time) else { return false };
        let columns = [
            (self.counts, &mut raw.counts),
            (self.rate, &mut raw.rate),
            (self.error, &mut raw.error),
            (self.fracexp, &mut raw.fracexp),
        ];
        for (place, column) in columns {
            let Some(place) = place else { continue };
            let Some(value) = value(place) else { return false };
            column.get_or_insert_with(Vec::new).push(value);
        }
        raw.time.push(time);
        raw.row.1.push(number);
        true
    }
}

//! Light curves as text: two columns or more, separated by commas or semicolons, where a line has them, else by blanks; `#` and `!` begin comments.

use super::input_file::{InputFile, format_error};
use super::light_curve_columns::{RawLightCurve, footprint};
use super::lines::Lines;
use super::text_file;
use crate::base::error::{Error, Result};
use crate::base::warning::Warnings;

/// Characters of a line that a message shows.
const SHOWN: usize = 80;

/// Commands of QDP files that say which columns have errors, and the line that parts tables.
const COMMANDS: [&str; 2] = ["READ", "@"];

/// The columns of a text table, or `None` when the first line that is not a comment is neither numbers nor names of columns
/// with `time` among them.
///
/// Without names the columns are time, rate, error; of four, the second is half the width of a bin where a QDP file says so (`READ SERR 1 2`) or
/// where the steps of the times do: time, half width, rate, error. With names they are `time`, `counts` or `rate`, `counts_err`, `error` or
/// `rate_err`, `fracexp` or `exposure` (s), and `timedel` (s), in any order and case; others are named in a warning. An empty field between commas is
/// a missing value; a mark of the byte order is passed over.
///
/// # Errors
/// A line that has fewer numbers than columns are needed, decimal commas, two columns of one name; text in UTF-16; more lines than memory holds.
pub(super) fn read(source: &InputFile, warnings: &mut Warnings) -> Result<Option<RawLightCurve>> {
    text_file::refuse_wide(source.path(), source.head())?;
    if source.head().contains(&0) {
        return Ok(None);
    }
    let mut names: Option<ColumnPlaces> = None;
    let mut raw = RawLightCurve { row: ("line", Vec::new()), ..RawLightCurve::default() };
    let (mut half_widths, mut said) = (Vec::new(), false);
    let mut lines = Lines::new(source, b"#!");
    while let Some((number, line)) = lines.next_text()? {
        let line = &*line;
        if is_break(line) {
            continue;
        }
        if let Some(command) = COMMANDS.iter().find(|command| starts_with(line, command)) {
            said |= *command == "READ" && starts_with(line.get(command.len()..).unwrap_or_default().trim(), "SERR");
            continue;
        }
        let fields = fields(line);
        let fail = |message: String| Err(format_error(source.path(), &format!("line {number}"), &message));
        if let Some(field) = text_file::decimal_comma(line) {
            let words = || line.split(|c: char| c.is_whitespace() || c == ';').filter(|word| !word.is_empty());
            let numbers = words().all(|word| word.replace(',', ".").parse::<f64>().is_ok());
            return match names.is_some() || numbers {
                true => fail(format!("`{field}` has a decimal comma; numbers have points")),
                false => Ok(None),
            };
        }
        let Some(names) = &names else {
            let numbers = fields.iter().all(|f| f.is_empty() || f.parse::<f64>().is_ok());
            let found = match numbers {
                true => ColumnPlaces::positional(fields.len()),
                false => ColumnPlaces::from_header(&fields).map_err(|name| twice(source, number, &name))?,
            };
            let Some(found) = found else { return Ok(None) };
            if !numbers {
                found.warn_of_unused(source.path(), &fields, warnings);
            }
            if numbers && !found.push(&fields, number, &mut raw, &mut half_widths) {
                return Ok(None);
            }
            names = Some(found);
            continue;
        };
        // Before columns grow: all of them have so many rows.
        if raw.time.len() == raw.time.capacity() {
            let what = format!("the light curve of {}", source.path());
            footprint(2 * raw.time.len() as u64, names.columns()).check(&what)?;
        }
        if !names.push(&fields, number, &mut raw, &mut half_widths) {
            let shown: String = line.chars().take(SHOWN).collect();
            return fail(format!("`{}` has no numbers in the columns of the light curve", shown.escape_debug()));
        }
    }
    if names.as_ref().is_some_and(|names| names.fourth.is_some()) && (said || are_half_widths(&raw)) {
        raw.take_half_widths(half_widths);
    }
    Ok(names.map(|_| raw))
}

fn starts_with(line: &str, word: &str) -> bool {
    line.get(..word.len()).is_some_and(|start| start.eq_ignore_ascii_case(word))
}

/// True for the line that parts the tables of a QDP file: `NO` in each column.
fn is_break(line: &str) -> bool {
    line.split_whitespace().all(|word| word.eq_ignore_ascii_case("NO"))
}

fn twice(source: &InputFile, number: usize, name: &str) -> Error {
    format_error(source.path(), &format!("line {number}"), &format!("there are two columns named {name}"))
}

/// The fields of a line: between commas or semicolons they keep their places when they are empty.
fn fields(line: &str) -> Vec<&str> {
    match line.contains([',', ';']) {
        true => line.split([',', ';']).map(|field| field.trim().trim_matches('"')).collect(),
        false => line.split_whitespace().map(|field| field.trim_matches('"')).collect(),
    }
}

/// True where the second of four columns is half of the usual step of the times, in every line.
fn are_half_widths(raw: &RawLightCurve) -> bool {
    let Some(widths) = raw.rate.as_ref().filter(|widths| widths.len() > 1) else { return false };
    let mut steps: Vec<f64> = raw.time.iter().zip(raw.time.iter().skip(1)).map(|(a, b)| b - a).collect();
    let middle = steps.len() / 2;
    let step = *steps.select_nth_unstable_by(middle, f64::total_cmp).1;
    step > 0.0 && widths.iter().all(|width| (2.0 * width / step - 1.0).abs() < 0.02)
}

/// Places of the columns.
struct ColumnPlaces {
    time: usize,
    counts: Option<usize>,
    rate: Option<usize>,
    error: Option<usize>,
    rate_error: Option<usize>,
    fracexp: Option<usize>,
    exposure: Option<usize>,
    width: Option<usize>,
    /// A column without a name behind the error.
    fourth: Option<usize>,
}

impl ColumnPlaces {
    fn positional(columns: usize) -> Option<ColumnPlaces> {
        let error = (columns > 2).then_some(2);
        let fourth = (columns == 4).then_some(3);
        let none = ColumnPlaces {
            time: 0,
            counts: None,
            rate: None,
            error,
            rate_error: None,
            fracexp: None,
            exposure: None,
            width: None,
            fourth,
        };
        (columns >= 2).then_some(ColumnPlaces { rate: Some(1), ..none })
    }

    /// How many there are.
    fn columns(&self) -> usize {
        1 + [self.counts, self.rate, self.error, self.fracexp, self.fourth].iter().flatten().count()
    }

    /// The places by the names; `Err` has the name of two columns.
    fn from_header(fields: &[&str]) -> Result<Option<ColumnPlaces>, String> {
        let mut seen = std::collections::HashSet::new();
        let twice = fields.iter().map(|f| f.to_ascii_lowercase()).find(|f| !f.is_empty() && !seen.insert(f.clone()));
        let find = |names: &[&str]| fields.iter().position(|f| names.iter().any(|n| f.eq_ignore_ascii_case(n)));
        let Some(time) = find(&["time", "t"]) else { return Ok(None) };
        let counts = find(&["counts", "count"]);
        let rate = find(&["rate", "flux"]);
        let of_rate = find(&["rate_err", "flux_err"]);
        let plain = find(&["error", "err"]);
        // A plain error is that of the only value there is.
        let error = match (counts, rate) {
            (Some(_), None) => find(&["counts_err", "count_err"]).or(plain),
            (Some(_), Some(_)) => find(&["counts_err", "count_err"]),
            (None, Some(_)) => of_rate.or(plain),
            (None, None) => return Ok(None),
        };
        let rate_error = of_rate.filter(|_| counts.is_some() && rate.is_some() && error.is_none());
        match twice {
            Some(name) => Err(name.escape_debug().to_string()),
            None => {
                let (fracexp, exposure, width) = (find(&["fracexp"]), find(&["exposure"]), find(&["timedel"]));
                Ok(Some(ColumnPlaces { time, counts, rate, error, rate_error, fracexp, exposure, width, fourth: None }))
            }
        }
    }

    /// Warns of columns that are not read, for an error may be among them.
    fn warn_of_unused(&self, path: &str, names: &[&str], warnings: &mut Warnings) {
        // What follows from counts, of files with both.
        const DERIVED: [&str; 8] = ["rate", "flux", "rate_err", "flux_err", "error", "err", "counts_err", "count_err"];
        let places = [self.counts, self.rate, self.error, self.fracexp, self.exposure, self.width];
        let is_read = |at: usize| at == self.time || places.contains(&Some(at));
        let known =
            |name: &str| name.is_empty() || (self.counts.is_some() && DERIVED.contains(&&*name.to_ascii_lowercase()));
        let unused: Vec<String> = names
            .iter()
            .zip(0..)
            .filter(|(name, at)| !is_read(*at) && !known(name))
            .map(|(name, _)| name.escape_debug().to_string())
            .collect();
        if !unused.is_empty() {
            let message = format!(
                "{path}: columns that are not read: {}; an error is called rate_err, counts_err or error",
                unused.join(", ")
            );
            warnings.push("W-COLUMN-UNUSED", message);
        }
    }

    /// Appends a line; false when a number is missing. A value that is left out is none: its bin is missing.
    fn push(&self, fields: &[&str], number: usize, raw: &mut RawLightCurve, fourth: &mut Vec<f64>) -> bool {
        let value = |at: usize| match fields.get(at) {
            Some(&"") => Some(f64::NAN),
            Some(field) => field.parse::<f64>().ok(),
            None => None,
        };
        let Some(time) = value(self.time).filter(|_| fields.get(self.time) != Some(&"")) else { return false };
        let columns = [
            (self.counts, &mut raw.counts),
            (self.rate, &mut raw.rate),
            (self.error, &mut raw.error),
            (self.rate_error, &mut raw.rate_error),
            (self.fracexp, &mut raw.fracexp),
            (self.exposure, &mut raw.exposure),
            (self.width, &mut raw.width),
        ];
        for (place, column) in columns {
            let Some(place) = place else { continue };
            let Some(value) = value(place) else { return false };
            column.get_or_insert_with(Vec::new).push(value);
        }
        if let Some(place) = self.fourth {
            fourth.push(value(place).unwrap_or(f64::NAN));
        }
        raw.time.push(time);
        raw.row.1.push(number);
        true
    }
}

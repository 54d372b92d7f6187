//! Light curves as text: two columns or more, separated by commas or semicolons, where a line has them, else by blanks; `#` and `!` begin comments.

use super::input_file::{InputFile, format_error};
use super::light_curve_columns::{RawLightCurve, footprint};
use super::lines::Lines;
use super::qdp::QdpErrors;
use super::text_columns::{ColumnPlaces, Header, warn_of_columns};
use super::text_file::{self, fields, is_decimal_comma};
use super::text_header::{TextHeader, name_and_unit, with_units};
use crate::base::error::Result;
use crate::base::warning::Warnings;
use crate::data::Record;

/// Characters of a line that a message shows.
const SHOWN: usize = 80;

/// The columns of a text table, or `None` when the first line that is not a comment is neither numbers nor names of columns
/// with `time` among them.
///
/// Without names the columns are time, rate, error, or what `READ SERR` and `READ TERR` of a QDP file say; of four without these commands, the
/// second is half the width of a bin where the steps of the times say so: time, half width, rate, error. With names (and, of ECSV, their units) they are `time`, `counts` or
/// `rate`, `counts_err`, `error` or `rate_err`, `fracexp` or `exposure` (s), and `timedel` (s), in any order and case; others are named in a
/// warning. An empty field between commas, and `NO`, are missing values; a mark of the byte order is passed over.
///
/// # Errors
/// A line that has fewer numbers than columns are needed, or more than there are columns, decimal commas, two columns of one name; commands of
/// QDP that do not fit the columns; text in UTF-16; more lines than memory holds.
pub(super) fn read(source: &InputFile, warnings: &mut Warnings) -> Result<Option<(RawLightCurve, Record)>> {
    text_file::refuse_wide(source.path(), source.head())?;
    if source.head().contains(&0) {
        return Ok(None);
    }
    let (mut names, mut errors): (Option<ColumnPlaces>, QdpErrors) = (None, QdpErrors::default());
    let mut raw = RawLightCurve { row: ("line", Vec::new()), ..RawLightCurve::default() };
    let (mut half_widths, mut lopsided, mut named) = (Vec::new(), 0, Vec::new());
    let mut lines = Lines::new(source, b"#!");
    while let Some((number, line)) = lines.next_text()? {
        let line = &*line;
        let failed = |message: String| format_error(source.path(), &format!("line {number}"), &message);
        let fail = |message: String| Err(failed(message));
        if is_break(line) || line.starts_with('@') || is_of_plots(line) {
            continue;
        }
        if is_command(line, "READ") {
            if names.is_some() {
                let mut later = QdpErrors::default();
                later.read(line).map_err(failed)?;
                if later.are_said() {
                    return fail("READ stands behind the rows that it is about".to_string());
                }
                continue;
            }
            errors.read(line).map_err(failed)?;
            continue;
        }
        let fields = fields(line);
        let comma = text_file::decimal_comma(line).or_else(|| fields.iter().copied().find(|f| is_decimal_comma(f)));
        if let Some(field) = comma {
            let words = || line.split(|c: char| c.is_whitespace() || c == ';').filter(|word| !word.is_empty());
            let is_number = |word: &str| word.trim_matches('"').replace(',', ".").parse::<f64>().is_ok();
            let numbers = words().all(is_number) || fields.iter().all(|field| is_number(field));
            return match names.is_some() || numbers {
                true => fail(format!("`{field}` has a decimal comma; numbers have points")),
                false => Ok(None),
            };
        }
        let Some(names) = &names else {
            let numbers = fields.iter().all(|f| f.is_empty() || f.parse::<f64>().is_ok());
            let whole = if numbers { Vec::new() } else { with_units(line, fields.clone()) };
            let fields = if numbers { fields } else { whole.iter().map(|field| name_and_unit(field).0).collect() };
            let found = match numbers {
                true if errors.are_said() => {
                    let vectors = errors.vectors(fields.len()).map_err(failed)?;
                    Header::Known(ColumnPlaces::of_vectors(&vectors, fields.len()))
                }
                true => ColumnPlaces::positional(fields.len()),
                false => ColumnPlaces::from_header(&fields),
            };
            let found = match found {
                Header::Known(found) => found,
                Header::None => return Ok(None),
                Header::Twice(name) => return fail(format!("there are two columns named {name}")),
            };
            found.warn_of_unused(source.path(), if numbers { &[] } else { &fields }, warnings);
            if numbers && !found.push(&fields, number, &mut raw, &mut half_widths, &mut lopsided) {
                return Ok(None);
            }
            named = whole.into_iter().map(str::to_string).collect();
            names = Some(found);
            continue;
        };
        // Before columns grow: all of them have so many rows.
        if raw.time.len() == raw.time.capacity() {
            let what = format!("the light curve of {}", source.path());
            footprint(2 * raw.time.len() as u64, names.held()).check(&what)?;
        }
        if fields.iter().skip(names.columns).any(|field| !field.is_empty()) {
            let message = format!("{} fields, and there are {} columns", fields.len(), names.columns);
            return fail(format!("{message}; a decimal comma makes two of one"));
        }
        if !names.push(&fields, number, &mut raw, &mut half_widths, &mut lopsided) {
            let shown: String = line.chars().take(SHOWN).collect();
            return fail(format!("`{}` has no numbers in the columns of the light curve", shown.escape_debug()));
        }
    }
    if names.as_ref().is_some_and(|names| names.fourth.is_some()) {
        match are_half_widths(&raw) {
            true => raw.take_half_widths(half_widths),
            false => warn_of_columns(source.path(), &[4], warnings),
        }
    }
    let message = format!("{}: errors upwards and downwards that differ: the mean of both is taken", source.path());
    warnings.add("W-ASYMMETRIC-ERROR", message, lopsided);
    if names.is_none() {
        return Ok(None);
    }
    let header = TextHeader::read(source, &named)?;
    header.apply(&mut raw)?;
    Ok(Some((raw, header.record()?)))
}

/// True for a command of QDP that is about the picture alone, which QDP knows by its first letters.
fn is_of_plots(line: &str) -> bool {
    const OF_PLOTS: [&str; 14] = [
        "COLOR", "CSIZE", "FONT", "GAP", "GRID", "LABEL", "LINE", "LOG", "LWIDTH", "MARKER", "PLOT", "RESCALE", "SKIP",
        "VIEWPORT",
    ];
    let mut words = line.split_whitespace();
    let first = words.next().unwrap_or_default().to_ascii_uppercase();
    let has_more = words.next().is_some() && !line.contains([',', ';']);
    has_more && first.len() >= 2 && OF_PLOTS.iter().any(|command| command.starts_with(&first))
}

/// True for a command of QDP, which blanks part from what follows it.
fn is_command(line: &str, word: &str) -> bool {
    line.split_whitespace().next().is_some_and(|first| first.eq_ignore_ascii_case(word))
}

/// True for the line that parts the tables of a QDP file: `NO` in each column.
fn is_break(line: &str) -> bool {
    line.split_whitespace().all(|word| word.eq_ignore_ascii_case("NO"))
}

/// True where the second of four columns is half of the usual step of the times, in every line.
fn are_half_widths(raw: &RawLightCurve) -> bool {
    let Some(widths) = raw.rate.as_ref().filter(|widths| widths.len() > 1) else { return false };
    let mut steps: Vec<f64> = raw.time.iter().zip(raw.time.iter().skip(1)).map(|(a, b)| b - a).collect();
    let middle = steps.len() / 2;
    let step = *steps.select_nth_unstable_by(middle, f64::total_cmp).1;
    step > 0.0 && widths.iter().all(|width| (2.0 * width / step - 1.0).abs() < 0.02)
}

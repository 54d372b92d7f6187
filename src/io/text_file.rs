//! Files of text: how they are encoded, and numbers that are not written with points.

use std::io::Read;
use std::path::Path;

use super::input_file::format_error;
use crate::base::error::{Error, Result};
use crate::base::text::Bytes;

/// How files begin that are text in two bytes or four a character, and what they are called.
const WIDE: [(&[u8], &str); 4] = [
    (&[0xff, 0xfe, 0, 0], "UTF-32"),
    (&[0, 0, 0xfe, 0xff], "UTF-32"),
    (&[0xff, 0xfe], "UTF-16"),
    (&[0xfe, 0xff], "UTF-16"),
];

/// The text of a file or a pipe of at most so many bytes; a mark of the byte order is passed over.
///
/// # Errors
/// It cannot be read, or is longer; text in UTF-16, or none.
pub fn read_text(path: &Path, most: u64) -> Result<String> {
    let (name, mut bytes) = (path.display().to_string(), Vec::new());
    let file = std::fs::File::open(path).map_err(|e| Error::io(path, e))?;
    file.take(most + 1).read_to_end(&mut bytes).map_err(|e| Error::io(path, e))?;
    match bytes.len() as u64 > most {
        true => Err(format_error(&name, "whole file", &format!("longer than {}; give it in parts", Bytes(most)))),
        false => decode(&name, &bytes),
    }
}

/// The text of these bytes; a mark of the byte order is passed over, and what is not UTF-8 is shown as such.
///
/// # Errors
/// Text in UTF-16, or none.
pub(super) fn decode(path: &str, bytes: &[u8]) -> Result<String> {
    refuse_wide(path, bytes)?;
    if let Some(at) = bytes.iter().position(|b| *b == 0) {
        return Err(format_error(path, &format!("byte {at}"), "a zero byte, which text in UTF-8 does not have"));
    }
    let text = String::from_utf8_lossy(bytes);
    Ok(text.strip_prefix('\u{feff}').unwrap_or(&text).to_string())
}

/// Refuses text of wide characters, by the mark of the byte order.
///
/// # Errors
/// What it is, and what makes it readable.
pub(super) fn refuse_wide(path: &str, bytes: &[u8]) -> Result<()> {
    match WIDE.iter().find(|(mark, _)| bytes.starts_with(mark)) {
        Some((_, name)) => Err(format_error(
            path,
            "byte 0",
            &format!("text in {name}; save it as UTF-8, for example by `iconv -f {name} -t UTF-8`"),
        )),
        None => Ok(()),
    }
}

/// The fields of a line of a table, without their quotes: parted by semicolons where it has any, else by commas, else by blanks. What stands in
/// quotes is one field, and between commas or semicolons an empty field keeps its place.
pub fn fields(line: &str) -> Vec<&str> {
    if !line.contains('"') {
        return match [';', ','].into_iter().find(|&c| line.contains(c)) {
            Some(separator) => line.split(separator).map(str::trim).collect(),
            None => line.split_whitespace().collect(),
        };
    }
    let mut quoted = false;
    let mut is_outside = |c: char| {
        quoted ^= c == '"';
        !quoted
    };
    let outside: Vec<(usize, char)> = line.char_indices().filter(|&(_, c)| is_outside(c)).collect();
    let separator = [';', ','].into_iter().find(|&wanted| outside.iter().any(|&(_, c)| c == wanted));
    let parts = |c: char| separator.map_or(c.is_whitespace(), |separator| separator == c);
    let (mut all, mut from) = (Vec::new(), 0);
    for &(at, c) in outside.iter().filter(|&&(_, c)| parts(c)) {
        all.extend(line.get(from..at));
        from = at + c.len_utf8();
    }
    all.extend(line.get(from..));
    let is_field = |field: &&str| separator.is_some() || !field.trim().is_empty();
    all.into_iter().filter(is_field).map(|field| field.trim().trim_matches('"').trim()).collect()
}

/// A number with a decimal comma, in a line where commas cannot part fields because something else does.
pub fn decimal_comma(line: &str) -> Option<&str> {
    let words: Vec<&str> =
        line.split(|c: char| c.is_whitespace() || c == ';').filter(|word| !word.is_empty()).collect();
    if words.len() > 1 { words.into_iter().find(|word| is_decimal_comma(word)) } else { None }
}

/// A number with a decimal comma, in a word that stands for itself.
pub fn is_decimal_comma(word: &str) -> bool {
    let parts = word.trim().trim_start_matches(['-', '+']).split_once(',');
    let digits = |text: &str| !text.is_empty() && text.bytes().all(|b| b.is_ascii_digit());
    parts.is_some_and(|(whole, fraction)| digits(whole) && digits(fraction))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn quotes_hold_a_field_together() {
        assert_eq!(fields("0,10.5, 3"), ["0", "10.5", "3"]);
        assert_eq!(fields("\"0\",\"10,5\""), ["0", "10,5"]);
        assert_eq!(fields("\"0\" \"10,5\"\t7"), ["0", "10,5", "7"]);
        assert_eq!(fields("0;\"10,5\";"), ["0", "10,5", ""]);
        assert_eq!(fields("time;rate, cps"), ["time", "rate, cps"]);
        assert_eq!(fields("time \"rate, cps\""), ["time", "rate, cps"]);
        assert_eq!(fields("1,,\" 2 \""), ["1", "", "2"]);
        assert_eq!(fields("  µ  \"é\" "), ["µ", "é"]);
        // A quote that nothing closes.
        assert_eq!(fields("1,\"2,3"), ["1", "2,3"]);
    }
}

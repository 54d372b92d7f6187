//! Files of text: how they are encoded, and numbers that are not written with points.

use std::path::Path;

use super::input_file::format_error;
use crate::base::error::{Error, Result};

/// How files begin that are text in two bytes or four a character, and what they are called.
const WIDE: [(&[u8], &str); 4] = [
    (&[0xff, 0xfe, 0, 0], "UTF-32"),
    (&[0, 0, 0xfe, 0xff], "UTF-32"),
    (&[0xff, 0xfe], "UTF-16"),
    (&[0xfe, 0xff], "UTF-16"),
];

/// The text of a file; a mark of the byte order is passed over.
///
/// # Errors
/// The file cannot be read; text in UTF-16, or none.
pub fn read_text(path: &Path) -> Result<String> {
    decode(&path.display().to_string(), &std::fs::read(path).map_err(|e| Error::io(path, e))?)
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

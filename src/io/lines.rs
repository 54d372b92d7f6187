//! Lines of text files, read piece by piece: memory is that of the longest line, and lines have an end.

use std::borrow::Cow;
use std::ops::Range;

use super::input_file::{InputFile, PIECE, format_error};
use super::text_file;
use crate::base::error::Result;

/// Bytes of the longest line that is no comment; those of tables have some hundred.
const LONGEST_LINE: usize = 1 << 20;

/// The lines of a file, with their numbers. Comments may have any length; they are passed over. A mark of the byte order is left out.
pub struct Lines<'a> {
    source: &'a InputFile,
    /// Characters that begin a comment.
    comments: &'static [u8],
    at: u64,
    bytes: Vec<u8>,
    /// What is left of the bytes.
    rest: usize,
    number: usize,
}

impl<'a> Lines<'a> {
    /// Those of a file whose comments begin with one of some characters.
    pub fn new(source: &'a InputFile, comments: &'static [u8]) -> Lines<'a> {
        Lines { source, comments, at: 0, bytes: Vec::new(), rest: 0, number: 0 }
    }

    /// The next line that is no comment and not empty, up to a comment in it, without blanks around it; with its number, from 1 on.
    ///
    /// # Errors
    /// The file cannot be read; a line is longer than [`LONGEST_LINE`]; text in UTF-16, or none.
    pub fn next_text(&mut self) -> Result<Option<(usize, Cow<'_, str>)>> {
        if self.number == 0 {
            text_file::refuse_wide(self.source.path(), self.source.head())?;
        }
        while let Some(line) = self.next_line()? {
            let bytes = self.bytes.get(line.clone()).unwrap_or(&[]);
            let bytes = bytes.split(|byte| self.comments.contains(byte)).next().unwrap_or(&[]).trim_ascii();
            if bytes.contains(&0) {
                let place = format!("line {}", self.number);
                return Err(format_error(self.source.path(), &place, "a zero byte, which text in UTF-8 does not have"));
            }
            if !bytes.is_empty() {
                let from =
                    line.start + self.bytes.get(line).map_or(0, |line| line.len() - line.trim_ascii_start().len());
                let text = String::from_utf8_lossy(self.bytes.get(from..from + bytes.len()).unwrap_or(&[]));
                return Ok(Some((self.number, text)));
            }
        }
        Ok(None)
    }

    /// Where the next line is in the bytes that are held, without its end.
    fn next_line(&mut self) -> Result<Option<Range<usize>>> {
        let (mut looked_at, mut passed_over) = (self.rest, false);
        loop {
            let found = self.bytes.get(looked_at..).and_then(|rest| rest.iter().position(|byte| *byte == b'\n'));
            if let Some(length) = found {
                let line = self.rest..looked_at + length;
                self.rest = line.end + 1;
                self.number += 1;
                return Ok(Some(if passed_over { 0..0 } else { self.unmarked(line) }));
            }
            let begun = self.bytes.get(self.rest..).unwrap_or(&[]);
            if self.at >= self.source.len() {
                let line = self.rest..self.bytes.len();
                self.rest = line.end;
                self.number += usize::from(!line.is_empty() || passed_over);
                return Ok((!line.is_empty()).then(|| if passed_over { 0..0 } else { self.unmarked(line) }));
            }
            if passed_over || begun.len() > LONGEST_LINE {
                let comment = begun.trim_ascii_start().first().is_some_and(|byte| self.comments.contains(byte));
                if !passed_over && !comment {
                    let message = format!("longer than {LONGEST_LINE} bytes, which no line of a table is");
                    return Err(format_error(self.source.path(), &format!("line {}", self.number + 1), &message));
                }
                passed_over = true;
                self.rest = self.bytes.len();
            }
            self.bytes.drain(..self.rest);
            self.rest = 0;
            looked_at = self.bytes.len();
            let piece = self.at..self.source.len().min(self.at + PIECE as u64);
            self.at = piece.end;
            self.bytes.extend(self.source.read(piece)?);
        }
    }

    /// A line without a mark of the byte order.
    fn unmarked(&self, line: Range<usize>) -> Range<usize> {
        let marked =
            self.number == 1 && self.bytes.get(line.clone()).is_some_and(|l| l.starts_with("\u{feff}".as_bytes()));
        if marked { line.start + '\u{feff}'.len_utf8()..line.end } else { line }
    }
}

#[cfg(test)]
mod tests {
    use std::io::Write;

    use super::*;

    fn file(text: &[u8]) -> (tempfile::NamedTempFile, InputFile) {
        let mut file = tempfile::NamedTempFile::new().unwrap();
        file.write_all(text).unwrap();
        let source = InputFile::open(file.path()).unwrap();
        (file, source)
    }

    fn all(text: &[u8]) -> Result<Vec<(usize, String)>> {
        let (_kept, source) = file(text);
        let (mut lines, mut all) = (Lines::new(&source, b"#!"), Vec::new());
        while let Some((number, line)) = lines.next_text()? {
            all.push((number, line.into_owned()));
        }
        Ok(all)
    }

    #[test]
    fn lines_are_those_of_the_text() {
        let text = "\u{feff}1 2\r\n\n# all\n  3 4 # some\nµ\n5".as_bytes();
        let expected = [(1, "1 2"), (4, "3 4"), (5, "µ"), (6, "5")].map(|(n, line)| (n, line.to_string()));
        assert_eq!(all(text).unwrap(), expected);
        assert_eq!(all(b"\xff1").unwrap(), [(1, "\u{fffd}1".to_string())]);
        assert_eq!(all(b"\n\n").unwrap(), []);
    }

    #[test]
    fn lines_end_where_pieces_of_the_file_do_not() {
        // 70,000 lines of 12 bytes are more than three pieces, and 12 does not divide a piece.
        let text: String = (0..70_000).map(|i| format!("{i:>5} {:>5}\n", i % 7)).collect();
        assert_eq!(text.len(), 840_000);
        let found = all(text.as_bytes()).unwrap();
        assert_eq!(found.len(), 70_000);
        assert!(
            found.iter().enumerate().all(|(i, (number, line))| {
                (*number, line.as_str()) == (i + 1, format!("{i:>5} {:>5}", i % 7).trim())
            })
        );
    }

    #[test]
    fn comments_may_be_of_any_length_and_other_lines_not() {
        let long = "x".repeat(3 * LONGEST_LINE);
        let text = format!("1\n#{long}\n2\n!{long}");
        assert_eq!(all(text.as_bytes()).unwrap(), [(1, "1".to_string()), (3, "2".to_string())]);
        let error = all(format!("1\n{long}\n").as_bytes()).unwrap_err().to_string();
        assert!(error.contains("line 2: longer than 1048576 bytes"), "{error}");
        let most = "x".repeat(LONGEST_LINE);
        assert_eq!(all(most.as_bytes()).unwrap(), [(1, most)]);
    }
}

//! FITS headers and the list of header-data units (FITS standard 4.0, doi:10.1051/0004-6361/201015362, sections 3 and 4).

use std::sync::Arc;

use super::input_file::{InputFile, format_error};
use crate::base::error::{Error, Result};
use crate::base::text::plain;

/// Size of a FITS block in bytes.
pub const BLOCK: usize = 2880;
const CARD: usize = 80;
/// Bytes of a header read at a time.
const HEADER_PIECE: u64 = 16 * BLOCK as u64;
/// Characters of a long string after which CONTINUE cards are ignored; real ones have a few hundred.
const LONGEST_TEXT: usize = 1 << 16;

/// One keyword with its value, unparsed: where they are in the text of the header, the value behind the keyword.
#[derive(Clone, Copy, Debug)]
struct Card {
    at: usize,
    key: usize,
    value: usize,
    /// Byte of the card in the file.
    offset: u64,
}

/// The keywords of one header. Its size is that of the header in the file or less, and a keyword is found by bisection: a header may
/// have a million.
#[derive(Clone, Debug)]
pub struct FitsHeader {
    path: Arc<str>,
    text: String,
    /// In the order of the file.
    cards: Vec<Card>,
    /// Places of cards by keyword; those of one keyword in the order of the file.
    by_key: Vec<u32>,
    /// Offset of the first card with a byte that is no printable character of ASCII, and how many there are.
    pub(super) not_ascii: Option<(u64, u64)>,
    /// The first keyword without a value, and how many there are.
    pub(super) without_value: Option<(String, u64)>,
    /// Cards of keywords with two values: that of the first, which counts, and that of another.
    repeated: Vec<[u32; 2]>,
}

/// A keyword that a header gives twice, with two values.
#[derive(Clone, Debug)]
pub(super) struct RepeatedKeyword<'a> {
    /// The keyword.
    pub key: &'a str,
    /// Its first value and the first other one, as they are written.
    pub values: [&'a str; 2],
}

/// A header-data unit of a FITS file.
#[derive(Clone, Debug)]
pub struct Hdu {
    /// Number in the file; 0 for the primary one.
    pub index: usize,
    /// Keyword EXTNAME; empty if it is absent.
    pub name: String,
    /// The keywords of the header.
    pub header: FitsHeader,
    /// Offset of the data in the file, bytes.
    pub data_offset: u64,
    /// Length of the data without padding, bytes; it may reach beyond the end of a truncated file.
    pub data_len: u64,
}

impl FitsHeader {
    /// Parses the header at `offset`; returns it with the offset of its data.
    fn parse(ahead: &mut ReadAhead, offset: u64) -> Result<(FitsHeader, u64)> {
        let path = ahead.source.path().clone();
        let mut header = FitsHeader {
            path,
            text: String::new(),
            cards: Vec::new(),
            by_key: Vec::new(),
            not_ascii: None,
            without_value: None,
            repeated: Vec::new(),
        };
        let mut at = offset;
        let mut string = LongString::Unknown;
        loop {
            let card = ahead.card(at)?;
            let Some((name, value)) = card.and_then(|card| card.split_first_chunk::<8>()) else {
                return Err(header.error(&format!("byte {at}"), "the header is cut off: no END card"));
            };
            // Data are never read as cards to the end of a large file.
            if name.iter().any(|&b| b < b' ') {
                let message = "not a card of text, and no END card came before it";
                return Err(header.error(&format!("byte {at}"), message));
            }
            let name_text = printed(name);
            if name_text.trim_end() == "END" {
                break;
            }
            if !name.iter().chain(value).all(|b| (b' '..=b'~').contains(b)) {
                header.not_ascii.get_or_insert((at, 0)).1 += 1;
            }
            let text = printed(value);
            let (key, value) = keyword_and_value(&name_text, &text);
            match value {
                Some(value) if !matches!(key.as_str(), "" | "COMMENT" | "HISTORY") => {
                    if bare(&value).is_empty() {
                        header.without_value.get_or_insert_with(|| (key.clone(), 0)).1 += 1;
                    }
                    header.push(&key, value.trim_end(), at);
                    string = LongString::Unknown;
                }
                None if key == "CONTINUE" => header.continue_string(&text, &mut string),
                _ => {}
            }
            at += CARD as u64;
        }
        header.order()?;
        let end = at + CARD as u64;
        Ok((header, offset + (end - offset).next_multiple_of(BLOCK as u64)))
    }

    fn push(&mut self, key: &str, value: &str, offset: u64) {
        self.cards.push(Card { at: self.text.len(), key: key.len(), value: value.len(), offset });
        self.text.push_str(key);
        self.text.push_str(value);
    }

    /// The long-string convention: a string that ends in `&` goes on in the next CONTINUE card. What is appended is looked at, and not all
    /// that there is.
    fn continue_string(&mut self, text: &str, string: &mut LongString) {
        let Some(card) = self.cards.last().copied().filter(|card| card.value < LONGEST_TEXT) else { return };
        let Some(tail) = quoted(text) else { return };
        if *string == LongString::Unknown {
            // What stands behind the string is left out, so that it ends the text.
            let head = quoted(self.value(&card)).filter(|head| head.ends_with('&'));
            *string = if head.is_some() { LongString::Open } else { LongString::Whole };
            if let Some(head) = head {
                self.text.truncate(card.at + card.key);
                self.text.push('\'');
                self.text.push_str(&head.replace('\'', "''"));
                self.text.push('\'');
            }
        }
        if *string == LongString::Open {
            let open = |text: &str| text.trim_end().strip_suffix('&').map(str::len);
            let head = self.text.get(..self.text.len().saturating_sub(1)).and_then(open);
            self.text.truncate(head.unwrap_or(self.text.len()));
            self.text.push_str(&tail.replace('\'', "''"));
            // A `&` of the keyword is none of the string.
            let from = card.at + card.key + 1;
            if self.text.get(from..).and_then(open).is_none() {
                *string = LongString::Whole;
            }
            self.text.push('\'');
            if let Some(last) = self.cards.last_mut() {
                last.value = self.text.len() - card.at - card.key;
            }
        }
    }

    /// Orders the cards by their keywords, and finds the keywords that stand twice, with two values.
    fn order(&mut self) -> Result<()> {
        let Ok(count) = u32::try_from(self.cards.len()) else {
            return Err(self.error("header", "more than 2^32 keywords"));
        };
        let key = |place: &u32| self.cards.get(*place as usize).map_or("", |card| self.key(card));
        let mut by_key: Vec<u32> = (0..count).collect();
        by_key.sort_by(|a, b| key(a).cmp(key(b)));
        let mut repeated = Vec::new();
        for same in by_key.chunk_by(|a, b| key(a) == key(b)) {
            let value = |place: &u32| self.cards.get(*place as usize).map_or("", |card| self.value(card));
            let Some((first, others)) = same.split_first().filter(|(_, others)| !others.is_empty()) else { continue };
            let known = Meaning::of(value(first));
            repeated
                .extend(others.iter().find(|other| known != Meaning::of(value(other))).map(|other| [*first, *other]));
        }
        repeated.sort_by_key(|[_, other]| *other);
        (self.by_key, self.repeated) = (by_key, repeated);
        Ok(())
    }

    /// This header with keywords of another one besides.
    ///
    /// # Errors
    /// More than 2^32 keywords.
    pub(super) fn with(&self, keys: &[&str], of: &FitsHeader) -> Result<FitsHeader> {
        let mut all = self.clone();
        for card in keys.iter().filter_map(|key| of.card(key)) {
            all.push(of.key(card), of.value(card), card.offset);
        }
        all.order()?;
        Ok(all)
    }

    fn key(&self, card: &Card) -> &str {
        self.text.get(card.at..card.at + card.key).unwrap_or("")
    }

    fn value(&self, card: &Card) -> &str {
        let from = card.at + card.key;
        self.text.get(from..from + card.value).unwrap_or("")
    }

    fn card(&self, key: &str) -> Option<&Card> {
        let own = |place: &u32| self.cards.get(*place as usize);
        let first = self.by_key.partition_point(|place| own(place).is_some_and(|card| self.key(card) < key));
        self.by_key.get(first).and_then(own).filter(|card| self.key(card) == key)
    }

    fn invalid(&self, card: &Card, wanted: &str) -> Error {
        let place = format!("keyword {} at byte {}", self.key(card), card.offset);
        format_error(&self.path, &place, &format!("`{}` is not {wanted}", self.value(card).trim()))
    }

    /// True if the header has the keyword.
    pub fn has(&self, key: &str) -> bool {
        self.card(key).is_some()
    }

    /// The value of a keyword as text: a string without its quotes and trailing blanks, another value as written.
    /// `None` if the keyword is absent.
    pub fn text(&self, key: &str) -> Option<String> {
        let value = self.value(self.card(key)?).trim();
        Some(quoted(value).unwrap_or_else(|| bare(value).to_string()))
    }

    /// The value of a keyword as an integer; `None` if the keyword is absent.
    pub fn int(&self, key: &str) -> Result<Option<i64>> {
        let Some(card) = self.card(key) else { return Ok(None) };
        bare(self.value(card)).parse().map(Some).map_err(|_| self.invalid(card, "an integer"))
    }

    /// The value of a keyword as a real number; `None` if the keyword is absent or has no value.
    pub fn real(&self, key: &str) -> Result<Option<f64>> {
        let Some(card) = self.card(key) else { return Ok(None) };
        let text = bare(self.value(card)).replace(['d', 'D'], "E");
        if text.is_empty() {
            return Ok(None);
        }
        text.parse::<f64>().ok().filter(|x| x.is_finite()).map(Some).ok_or_else(|| self.invalid(card, "a number"))
    }

    /// The value of a keyword that must be there, as an integer that is not negative.
    pub fn size(&self, key: &str) -> Result<u64> {
        match self.int(key)? {
            Some(v) => u64::try_from(v).map_err(|_| format_error(&self.path, key, &format!("{v} is negative"))),
            None => Err(format_error(&self.path, key, "the keyword is missing")),
        }
    }

    /// The keywords, in order.
    pub fn keys(&self) -> impl Iterator<Item = &str> {
        self.cards.iter().map(|card| self.key(card))
    }

    /// Keywords with two values, in order of the second.
    pub(super) fn repeated(&self) -> impl ExactSizeIterator<Item = RepeatedKeyword<'_>> {
        self.repeated.iter().map(|pair| {
            let [first, other] = pair.map(|place| self.cards.get(place as usize));
            let values = [first, other].map(|card| card.map_or("", |card| written(self.value(card))));
            RepeatedKeyword { key: first.map_or("", |card| self.key(card)), values }
        })
    }

    /// Refuses two values of a keyword that `matters`.
    ///
    /// # Errors
    /// The keyword, and both values.
    pub(super) fn refuse_repeated(&self, matters: impl Fn(&str) -> bool) -> Result<()> {
        match self.repeated().find(|repeated| matters(repeated.key)) {
            Some(RepeatedKeyword { key, values: [first, other] }) => {
                let message = format!("the header has it twice, as {first} and as {other}; one of them must go");
                Err(self.error(&format!("keyword {key}"), &message))
            }
            None => Ok(()),
        }
    }

    /// An error about the keyword or column `place` of this header.
    pub fn error(&self, place: &str, message: &str) -> Error {
        format_error(&self.path, place, message)
    }
}

/// The keyword of a card in capitals and, where it has one, the text of its value, from the first eight characters and the others. Beyond
/// the standard, keywords in lower case, an `=` before its column, and values without a blank before them are read as they are meant.
fn keyword_and_value(name: &str, rest: &str) -> (String, Option<String>) {
    let legal = |key: &str| !key.is_empty() && key.bytes().all(|b| b.is_ascii_alphanumeric() || b == b'-' || b == b'_');
    if let Some((key, begin)) = name.split_once('=').filter(|(key, _)| legal(key.trim_end())) {
        return (key.trim_end().to_ascii_uppercase(), Some(format!("{begin}{rest}")));
    }
    let key = name.trim_end().to_ascii_uppercase();
    let long = rest.split_once("= ").filter(|(long, _)| key == "HIERARCH" && legal(long.trim()));
    match long {
        Some((long, value)) => (long.trim().to_ascii_uppercase(), Some(value.to_string())),
        None => (key, rest.strip_prefix('=').map(str::to_string)),
    }
}

/// A value as it is written, without its comment.
fn written(value: &str) -> &str {
    let value = value.trim();
    if !value.starts_with('\'') {
        return bare(value);
    }
    // Quotes are doubled inside a string: what ends it is the first of an odd run.
    let mut quotes = value.match_indices('\'').skip(1).peekable();
    while let Some((at, _)) = quotes.next() {
        if quotes.next_if(|(next, _)| *next == at + 1).is_none() {
            return value.get(..=at).unwrap_or(value);
        }
    }
    value
}

/// What a value means, whichever way it is written.
#[derive(PartialEq)]
enum Meaning<'a> {
    Text(String),
    Number(f64),
    Other(&'a str),
}

impl Meaning<'_> {
    fn of(value: &str) -> Meaning<'_> {
        let plain = bare(value);
        match (quoted(value), plain.replace(['d', 'D'], "E").parse::<f64>()) {
            (Some(text), _) => Meaning::Text(text),
            (None, Ok(number)) if !number.is_nan() => Meaning::Number(number),
            (None, _) => Meaning::Other(plain),
        }
    }
}

/// The text of a card; the standard has no control characters.
fn printed(bytes: &[u8]) -> String {
    plain(&String::from_utf8_lossy(bytes))
}

/// A value that is not a string: up to the comment.
fn bare(value: &str) -> &str {
    value.split('/').next().unwrap_or("").trim()
}

/// A quoted string with doubled quotes undone; `None` when the value is not one.
fn quoted(value: &str) -> Option<String> {
    let mut text = String::new();
    let mut rest = value.trim().strip_prefix('\'')?.chars().peekable();
    while let Some(c) = rest.next() {
        match c {
            '\'' if rest.peek() == Some(&'\'') => {
                rest.next();
                text.push('\'');
            }
            '\'' => break,
            _ => text.push(c),
        }
    }
    Some(text.trim_end().to_string())
}

/// Whether the last string of a header goes on in CONTINUE cards.
#[derive(Clone, Copy, PartialEq)]
enum LongString {
    /// Nobody has looked.
    Unknown,
    /// Its text ends in `&` and a quote, the last of all texts.
    Open,
    Whole,
}

/// Cards of a file, of which many are read at a time.
struct ReadAhead<'a> {
    source: &'a InputFile,
    bytes: Vec<u8>,
    from: u64,
}

impl ReadAhead<'_> {
    /// The card at a byte of the file; `None` where the file ends before its end.
    fn card(&mut self, at: u64) -> Result<Option<&[u8]>> {
        let held = self.from..self.from + self.bytes.len() as u64;
        if !(held.start <= at && at + CARD as u64 <= held.end) {
            let end = (at + HEADER_PIECE).min(self.source.len());
            (self.bytes, self.from) = (self.source.read(at.min(end)..end)?, at);
        }
        Ok(self.bytes.get((at - self.from) as usize..).and_then(|rest| rest.get(..CARD)))
    }
}

/// All header-data units of a file, and the offset of bytes after the last one that belong to none. A unit whose data
/// reach beyond the end of the file is the last one.
///
/// # Errors
/// The file is not FITS, a header has no END, or the product of axes overflows.
pub fn scan(source: &InputFile) -> Result<(Vec<Hdu>, Option<u64>)> {
    let path = source.path();
    if !source.is_fits() {
        let head = source.head();
        let head = String::from_utf8_lossy(head.get(..16).unwrap_or(head)).escape_debug().to_string();
        let message = format!("not a FITS file: it begins with `{head}` instead of `SIMPLE  =`");
        return Err(format_error(path, "byte 0", &message));
    }
    let mut hdus = Vec::new();
    let mut at = 0;
    let mut ahead = ReadAhead { source, bytes: Vec::new(), from: 0 };
    while at < source.len() {
        if at > 0 && !starts_extension(&mut ahead, at)? {
            return Ok((hdus, Some(at)));
        }
        let (header, data_offset) = FitsHeader::parse(&mut ahead, at)?;
        let data_len = data_length(&header)?;
        let name = header.text("EXTNAME").unwrap_or_default();
        hdus.push(Hdu { index: hdus.len(), name, header, data_offset, data_len });
        let padded = data_len.checked_next_multiple_of(BLOCK as u64);
        match padded.and_then(|len| data_offset.checked_add(len)) {
            Some(next) => at = next,
            None => break,
        }
    }
    Ok((hdus, None))
}

/// True where the first card of an extension stands, or what a file that is cut off has of it.
fn starts_extension(ahead: &mut ReadAhead, at: u64) -> Result<bool> {
    match ahead.card(at)? {
        Some(card) => Ok(card.starts_with(b"XTENSION")),
        None => Ok(ahead.source.read(at..(at + 8).min(ahead.source.len()))? == b"XTENSION"),
    }
}

/// Bytes of data that a header announces: |BITPIX|/8 · GCOUNT · (PCOUNT + Π NAXISn).
fn data_length(header: &FitsHeader) -> Result<u64> {
    let axes = header.size("NAXIS")?;
    if axes > 999 {
        return Err(header.error("NAXIS", &format!("{axes} axes; FITS allows 999")));
    }
    let overflow = || header.error("NAXISn", "the announced size of the data overflows 64 bits");
    let mut product: u64 = u64::from(axes > 0);
    for i in 1..=axes {
        product = product.checked_mul(header.size(&format!("NAXIS{i}"))?).ok_or_else(overflow)?;
    }
    let bits = header.int("BITPIX")?.unwrap_or(8).unsigned_abs();
    let parameters = if header.has("PCOUNT") { header.size("PCOUNT")? } else { 0 };
    let groups = if header.has("GCOUNT") { header.size("GCOUNT")? } else { 1 };
    let elements = product.checked_add(parameters).and_then(|n| n.checked_mul(groups)).ok_or_else(overflow)?;
    elements.checked_mul(bits / 8).ok_or_else(overflow)
}

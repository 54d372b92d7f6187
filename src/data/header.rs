//! Cards of a FITS header: keywords, values, long strings, history.
#![expect(clippy::indexing_slicing, reason = "what is written is cut into cards here")]

use std::io;

/// Bytes in a unit of a FITS file.
pub(crate) const UNIT: usize = 2880;
/// Bytes in a card of a header.
const CARD: usize = 80;
/// Characters of a string that fit one card, quotes excluded.
const TEXT: usize = 68;
/// Stands in the header until the checksum is known; its ASCII zeros are what the checksum's encoding starts from.
pub(crate) const NO_CHECKSUM: &str = "0000000000000000";

/// The value of a keyword in a FITS header.
#[derive(Clone, Debug, PartialEq)]
#[non_exhaustive]
pub enum CardValue {
    /// `T` or `F`.
    Logical(bool),
    /// An integer.
    Integer(i64),
    /// A real number, written so that reading it gives the same `f64`. Writing a value that is not finite is an error.
    Real(f64),
    /// A string; a long one is continued over several cards. Characters that are not printable ASCII become `?`.
    Text(String),
}

impl From<bool> for CardValue {
    fn from(value: bool) -> CardValue {
        CardValue::Logical(value)
    }
}
impl From<i64> for CardValue {
    fn from(value: i64) -> CardValue {
        CardValue::Integer(value)
    }
}
impl From<f64> for CardValue {
    fn from(value: f64) -> CardValue {
        CardValue::Real(value)
    }
}
impl From<&str> for CardValue {
    fn from(value: &str) -> CardValue {
        CardValue::Text(value.to_string())
    }
}

/// The shortest decimal that reads back as `x`, with the point that the standard's examples have.
fn real(x: f64) -> String {
    let text = format!("{x:E}");
    if text.contains('.') { text } else { text.replacen('E', ".0E", 1) }
}

fn printable(text: &str) -> String {
    text.chars().map(|c| if (' '..='~').contains(&c) { c } else { '?' }).collect()
}

pub(crate) fn invalid(message: String) -> io::Error {
    io::Error::new(io::ErrorKind::InvalidInput, message)
}

/// True for what a keyword may be called.
pub(crate) fn is_keyword(name: &str) -> bool {
    let legal = |b: u8| b.is_ascii_uppercase() || b.is_ascii_digit() || b == b'-' || b == b'_';
    (1..=8).contains(&name.len()) && name.bytes().all(legal)
}

/// The cards of a FITS header, in order, without `END`.
#[derive(Clone, Debug, Default)]
pub struct HeaderCards {
    pub(crate) cards: Vec<[u8; CARD]>,
}

impl HeaderCards {
    /// An empty header.
    pub fn new() -> HeaderCards {
        HeaderCards::default()
    }

    /// Appends all cards of another header.
    pub fn append(&mut self, other: &HeaderCards) {
        self.cards.extend_from_slice(&other.cards);
    }

    fn card(&mut self, text: &str) {
        let mut card = [b' '; CARD];
        for (to, from) in card.iter_mut().zip(text.bytes()) {
            *to = from;
        }
        self.cards.push(card);
    }

    /// Appends a card: a keyword of at most eight characters out of `A-Z 0-9 - _`, its value and a comment, which is
    /// cut where the card ends.
    ///
    /// # Errors
    /// The keyword has other characters or is too long, or the value is not finite.
    pub fn push(&mut self, keyword: &str, value: impl Into<CardValue>, comment: &str) -> io::Result<()> {
        if !is_keyword(keyword) {
            return Err(invalid(format!("'{keyword}' is not a FITS keyword: at most 8 of A-Z 0-9 - _")));
        }
        let value = match value.into() {
            CardValue::Logical(value) => format!("{:>20}", if value { 'T' } else { 'F' }),
            CardValue::Integer(value) => format!("{value:>20}"),
            CardValue::Real(value) if value.is_finite() => format!("{:>20}", real(value)),
            CardValue::Real(value) => {
                return Err(invalid(format!("{keyword} = {value}: a FITS keyword must be finite")));
            }
            CardValue::Text(text) => return self.push_text(keyword, &printable(&text), comment),
        };
        self.card(&format!("{keyword:<8}= {value} / {}", printable(comment)));
        Ok(())
    }

    fn push_text(&mut self, keyword: &str, text: &str, comment: &str) -> io::Result<()> {
        let mut pieces = vec![String::new()];
        // A doubled quote must not be split over two cards, so pieces are filled character by character.
        for c in text.chars() {
            let unit = if c == '\'' { "''".to_string() } else { c.to_string() };
            match pieces.last_mut() {
                Some(last) if last.len() + unit.len() < TEXT => last.push_str(&unit),
                _ => pieces.push(unit),
            }
        }
        let last = pieces.len() - 1;
        for (i, piece) in pieces.iter().enumerate() {
            let name = if i == 0 { format!("{keyword:<8}= ") } else { "CONTINUE  ".to_string() };
            let end = if i < last { "&" } else { "" };
            let comment = if i == last { format!(" / {}", printable(comment)) } else { String::new() };
            self.card(&format!("{name}{:<20}{comment}", format!("'{piece:<8}{end}'")));
        }
        Ok(())
    }

    /// Appends `HISTORY` cards, as many as the text needs.
    pub fn history(&mut self, text: &str) {
        let text = printable(text);
        let mut rest = text.as_str();
        loop {
            let (head, tail) = rest.split_at(rest.len().min(CARD - 8));
            self.card(&format!("HISTORY {head}"));
            rest = tail;
            if rest.is_empty() {
                return;
            }
        }
    }

    /// Replaces the value of a keyword that [`HeaderCards::push`] wrote on one card.
    pub(crate) fn replace(&mut self, keyword: &str, value: CardValue) -> io::Result<()> {
        let name = format!("{keyword:<8}= ");
        let Some(at) = self.cards.iter().position(|card| card.starts_with(name.as_bytes())) else {
            return Err(invalid(format!("{keyword} is not in the header")));
        };
        let mut one = HeaderCards::new();
        one.push(keyword, value, "")?;
        let cut = one.cards[0].iter().rposition(|&b| b == b'/').unwrap_or(CARD);
        // The old comment starts where the new value's does: both have the fixed format's width.
        self.cards[at][..cut].copy_from_slice(&one.cards[0][..cut]);
        Ok(())
    }

    pub(crate) fn bytes(&self) -> Vec<u8> {
        let mut bytes: Vec<u8> = self.cards.concat();
        bytes.extend_from_slice(b"END");
        bytes.resize(bytes.len().next_multiple_of(UNIT), b' ');
        bytes
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_card_has_eighty_characters_and_reals_read_back() {
        for x in [0.0, 8e7, -1.5e-300, 0.000777592592592593, f64::MAX, 1.0 / 3.0] {
            assert_eq!(real(x).parse::<f64>(), Ok(x));
            assert!(real(x).contains('.'));
        }
        let mut header = HeaderCards::new();
        header.push("LONG", "it's ".repeat(60).as_str(), "comment").unwrap();
        header.push("MU", "µ", "").unwrap();
        header.history(&"x".repeat(200));
        assert_eq!(header.bytes().len() % UNIT, 0);
        assert!(header.bytes().is_ascii());
        assert!(header.push("lower", 1, "").is_err());
        assert!(header.push("NAN", f64::NAN, "").is_err());
    }
}

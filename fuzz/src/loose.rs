//! Loose text that becomes FITS, so that changes keep its frame.

const CARD: usize = 80;
const BLOCK: usize = 2880;

/// A FITS file of loose text: extensions apart by `~~`, header and data by `@@`, a card a line. Cards and blocks are filled up and END is
/// added; all else, sizes too, is as given, but for `{len}`, the number of bytes of the data. Data that begin with `#` are numbers as
/// text, one word each: `D1.5`, `E1.5`, `J7`, `I7`, `B7`, `K7`.
pub fn fits(data: &[u8]) -> Vec<u8> {
    let mut file = Vec::new();
    for unit in split(data, b"~~") {
        let mut halves = split(unit, b"@@");
        let (header, data) = (halves.next().unwrap_or_default(), bytes(halves.next().unwrap_or_default()));
        for line in header.split(|&b| b == b'\n').filter(|line| !line.is_empty()).chain([&b"END"[..]]) {
            let mut card = with_length(line, data.len());
            card.resize(CARD, b' ');
            file.extend(card);
        }
        file.resize(file.len().next_multiple_of(BLOCK), b' ');
        file.extend(data);
        file.resize(file.len().next_multiple_of(BLOCK), 0);
    }
    file
}

fn with_length(line: &[u8], length: usize) -> Vec<u8> {
    match line.windows(5).position(|word| word == b"{len}") {
        Some(at) => [&line[..at], length.to_string().as_bytes(), &line[at + 5..]].concat(),
        None => line.to_vec(),
    }
}

/// What the data of a unit are in the file.
pub fn bytes(data: &[u8]) -> Vec<u8> {
    match data.strip_prefix(b"#") {
        Some(words) => words.split(u8::is_ascii_whitespace).flat_map(number).collect(),
        None => data.to_vec(),
    }
}

fn number(word: &[u8]) -> Vec<u8> {
    let text = String::from_utf8_lossy(word.get(1..).unwrap_or_default());
    let real = text.parse::<f64>().unwrap_or(f64::NAN);
    match word.first() {
        Some(b'D') => real.to_be_bytes().into(),
        Some(b'E') => (real as f32).to_be_bytes().into(),
        Some(b'K') => (real as i64).to_be_bytes().into(),
        Some(b'J') => (real as i32).to_be_bytes().into(),
        Some(b'I') => (real as i16).to_be_bytes().into(),
        Some(b'B') => vec![real as u8],
        _ => Vec::new(),
    }
}

fn split<'a>(data: &'a [u8], by: &'a [u8; 2]) -> impl Iterator<Item = &'a [u8]> {
    let mut rest = Some(data);
    std::iter::from_fn(move || {
        let all = rest?;
        let at = all.windows(2).position(|w| w == by);
        rest = at.and_then(|at| all.get(at + 2..));
        Some(at.and_then(|at| all.get(..at)).unwrap_or(all))
    })
}

/// True for loose text of a FITS file.
pub fn looks_like_fits(data: &[u8]) -> bool {
    data.starts_with(b"SIMPLE") || data.windows(2).any(|word| word == b"~~")
}

/// A card: `KEYWORD = value`, or without a value.
#[derive(Clone, Debug)]
pub struct Card {
    /// What is before the sign, without blanks.
    pub key: Vec<u8>,
    /// What is behind it.
    pub value: Option<Vec<u8>>,
}

impl Card {
    /// The card as a line, the sign at its place.
    pub fn line(&self) -> Vec<u8> {
        let mut line = self.key.clone();
        if let Some(value) = &self.value {
            line.resize(line.len().max(8), b' ');
            line.extend(b"= ");
            line.extend(value);
        }
        line
    }
}

/// The card of a line.
pub fn card(line: &[u8]) -> Card {
    match line.iter().position(|&b| b == b'=') {
        Some(at) => Card { key: line[..at].trim_ascii().to_vec(), value: Some(line[at + 1..].trim_ascii().to_vec()) },
        None => Card { key: line.trim_ascii_end().to_vec(), value: None },
    }
}

/// A header with its data, as loose text has them.
#[derive(Clone, Debug)]
pub struct Unit {
    /// The cards, without END.
    pub cards: Vec<Card>,
    /// The data, as bytes or, behind `#`, as words.
    pub data: Vec<u8>,
}

impl Unit {
    /// Gives a card another value; adds it where there is none.
    pub fn set(&mut self, key: &[u8], value: impl AsRef<[u8]>) {
        let value = Some(value.as_ref().to_vec());
        match self.cards.iter_mut().find(|card| card.key == key) {
            Some(card) => card.value = value,
            None => self.cards.push(Card { key: key.to_vec(), value }),
        }
    }

    /// The value of a card, without quotes.
    pub fn text(&self, key: &str) -> Option<String> {
        let card = self.cards.iter().find(|card| card.key == key.as_bytes())?;
        let value = String::from_utf8_lossy(card.value.as_deref()?).to_string();
        Some(value.trim().trim_matches('\'').trim().to_string())
    }

    /// The value of a card that is a number.
    pub fn number(&self, key: &str) -> Option<usize> {
        self.text(key)?.parse().ok()
    }
}

/// The units of loose text; one at least.
pub fn units(data: &[u8]) -> Vec<Unit> {
    let one = |unit: &[u8]| {
        let mut halves = split(unit, b"@@");
        let header = halves.next().unwrap_or_default();
        let cards = header.split(|&b| b == b'\n').filter(|line| !line.is_empty()).map(card).collect();
        Unit { cards, data: halves.next().unwrap_or_default().to_vec() }
    };
    split(data, b"~~").map(one).collect()
}

/// Loose text of units.
pub fn printed(units: &[Unit]) -> Vec<u8> {
    let one = |unit: &Unit| {
        let header = unit.cards.iter().map(Card::line).collect::<Vec<_>>().join(&b'\n');
        let data = if unit.data.is_empty() { Vec::new() } else { [b"\n@@", &unit.data[..]].concat() };
        [header, data].concat()
    };
    units.iter().map(one).collect::<Vec<_>>().join(&b"~~"[..])
}

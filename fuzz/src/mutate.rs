//! Changes that know what a file is made of: cards, tables, rows, extensions, lines and fields. One input in three is left to libFuzzer's
//! own changes of bytes.

use crate::draw::Draw;
use crate::loose::{self, Card, Unit};
use crate::words::{FORMS, KEYWORDS, NUMBERS, VALUES};

/// As [`fits`], of files that may as well be text.
pub fn fits_or_text(data: &mut [u8], size: usize, max: usize, seed: u32) -> usize {
    changed(data, size, max, seed, |draw, bytes| match bytes.split_first() {
        Some((_, rest)) if loose::looks_like_fits(rest) => file(draw, bytes),
        Some((how, rest)) => Some([&[*how][..], &lines(draw, rest, &[])].concat()),
        None => None,
    })
}

/// An input of switches and a FITS file, loose or as it is, with some of its cards, columns, rows or extensions changed.
pub fn fits(data: &mut [u8], size: usize, max: usize, seed: u32) -> usize {
    changed(data, size, max, seed, file)
}

/// An input of text, with some of its lines, fields or words changed; `words` are such as it may have.
pub fn text(data: &mut [u8], size: usize, max: usize, seed: u32, words: &[&str]) -> usize {
    changed(data, size, max, seed, |draw, bytes| Some(lines(draw, bytes, words)))
}

/// An input of switches and a product: FITS, JSON, or text with metadata.
pub fn product(data: &mut [u8], size: usize, max: usize, seed: u32) -> usize {
    changed(data, size, max, seed, |draw, bytes| {
        let (how, rest) = bytes.split_first()?;
        if loose::looks_like_fits(rest) {
            return file(draw, bytes);
        }
        let text = String::from_utf8_lossy(rest);
        let json = text.trim_start().starts_with('{') && draw.below(4) > 0;
        let made = json.then(|| json_of(draw, &text)).flatten().unwrap_or_else(|| lines(draw, rest, &[]));
        Some([&[*how][..], &made].concat())
    })
}

/// JSON, with some of its members changed.
pub fn json(data: &mut [u8], size: usize, max: usize, seed: u32) -> usize {
    changed(data, size, max, seed, |draw, bytes| {
        let text = String::from_utf8_lossy(bytes);
        json_of(draw, &text).or_else(|| Some(lines(draw, bytes, &[])))
    })
}

/// Writes what `change` makes of an input in its place; libFuzzer's own change where that is nothing, too large, or not its turn.
fn changed(
    data: &mut [u8],
    size: usize,
    max: usize,
    seed: u32,
    change: impl Fn(&mut Draw, &[u8]) -> Option<Vec<u8>>,
) -> usize {
    let mut draw = Draw::new(seed);
    if draw.below(3) > 0 {
        let mut made = Some(data[..size].to_vec());
        for _ in 0..1 + draw.below(3) {
            made = made.and_then(|bytes| change(&mut draw, &bytes));
        }
        if let Some(made) = made.filter(|made| made.len() <= max && made[..] != data[..size]) {
            data[..made.len()].copy_from_slice(&made);
            return made.len();
        }
    }
    libfuzzer_sys::fuzzer_mutate(data, size, max)
}

fn file(draw: &mut Draw, bytes: &[u8]) -> Option<Vec<u8>> {
    let (how, rest) = bytes.split_first()?;
    let rest = if how & 128 != 0 {
        blocks(draw, rest)
    } else {
        let mut units = loose::units(rest);
        match draw.below(8) {
            0 => extensions(draw, &mut units),
            1 | 2 => rows(draw, &mut units),
            3 | 4 => columns(draw, &mut units),
            _ => cards(draw, &mut units),
        }
        loose::printed(&units)
    };
    Some([&[*how][..], &rest].concat())
}

/// Cards of a file as it is: of 80 bytes, at any place of 80.
fn blocks(draw: &mut Draw, bytes: &[u8]) -> Vec<u8> {
    let mut cards: Vec<Vec<u8>> = bytes.chunks(80).map(<[u8]>::to_vec).collect();
    if cards.is_empty() {
        return Vec::new();
    }
    let (at, other) = (draw.below(cards.len()), draw.below(cards.len()));
    match draw.below(5) {
        0 => cards.swap(at, other),
        1 => drop(cards.remove(at)),
        2 => cards.insert(at, cards[other].clone()),
        3 => cards[at] = cards[other].clone(),
        _ => {
            let mut card = loose::card(&cards[at]);
            one_card(draw, &mut card);
            let mut line = card.line();
            line.resize(80, b' ');
            cards[at] = line;
        }
    }
    cards.concat()
}

fn extensions(draw: &mut Draw, units: &mut Vec<Unit>) {
    let (at, other) = (draw.below(units.len()), draw.below(units.len()));
    match draw.below(4) {
        0 if units.len() > 1 => drop(units.remove(at)),
        1 => units.insert(at, units[other].clone()),
        2 => units.swap(at, other),
        // Data that end too early, or go on.
        _ => {
            let keep = draw.below(units[at].data.len() + 1);
            if draw.below(2) == 0 { units[at].data.truncate(keep) } else { units[at].data.extend([0; 16]) }
        }
    }
}

fn cards(draw: &mut Draw, units: &mut [Unit]) {
    let unit = draw.below(units.len());
    let all: Vec<Card> = units.iter().flat_map(|unit| unit.cards.clone()).collect();
    let cards = &mut units[unit].cards;
    if cards.is_empty() {
        return;
    }
    let (at, other) = (draw.below(cards.len()), draw.below(cards.len()));
    match draw.below(8) {
        0 => drop(cards.remove(at)),
        1 => cards.insert(at, cards[other].clone()),
        2 => cards.swap(at, other),
        // A card a second time, with the value of another.
        3 => {
            let value = all[draw.below(all.len())].value.clone();
            cards.insert(at, Card { value, ..cards[other].clone() });
        }
        4 => cards.insert(at, Card { key: keyword(draw), value: Some(draw.pick(VALUES).as_bytes().to_vec()) }),
        _ => one_card(draw, &mut cards[at]),
    }
}

/// A keyword, most often of one of the first columns.
fn keyword(draw: &mut Draw) -> Vec<u8> {
    let number = if draw.below(8) == 0 { draw.below(1000) } else { draw.below(5) }.to_string();
    draw.pick(KEYWORDS).replace('#', &number).into_bytes()
}

fn one_card(draw: &mut Draw, card: &mut Card) {
    match draw.below(6) {
        0 => card.key = keyword(draw),
        1 => card.value = None,
        // Text becomes a number, a number text.
        2 => {
            let value = card.value.clone().unwrap_or_default();
            let trimmed = value.trim_ascii();
            card.value = Some(match trimmed.strip_prefix(b"'").and_then(|inner| inner.strip_suffix(b"'")) {
                Some(inner) => inner.to_vec(),
                None => [b"'", trimmed, b"'"].concat(),
            });
        }
        3 => card.value.get_or_insert_default().extend(b" / of a comment"),
        _ => card.value = Some(draw.pick(VALUES).as_bytes().to_vec()),
    }
}

/// A column of another form, scale or place; most often the width of rows fits what is said of them.
fn columns(draw: &mut Draw, units: &mut [Unit]) {
    let unit = draw.below(units.len());
    let unit = &mut units[unit];
    let number = 1 + draw.below(4);
    let key = |word: &str| format!("{word}{number}").into_bytes();
    match draw.below(6) {
        0 | 1 => unit.set(&key("TFORM"), format!("'{}'", draw.pair(FORMS).0)),
        2 => unit.set(&key("TSCAL"), draw.pick(&["0.5", "0", "2", "-1", "1E300", "NaN", "1E-320"])),
        3 => unit.set(
            &key("TZERO"),
            draw.pick(&["32768", "2147483648", "9223372036854775808", "-1", "0.5", "1E300", "-128"]),
        ),
        4 => unit.set(&key("TNULL"), draw.pick(&["0", "1", "-1", "255", "50", "-32768", "32767", "1.5"])),
        _ => unit.set(&key("TTYPE"), draw.pick(VALUES)),
    }
    if draw.below(4) > 0 {
        fit(unit);
    }
}

/// Says of a table what its columns and its data are.
fn fit(unit: &mut Unit) {
    let fields = unit.number("TFIELDS").unwrap_or(0).min(100);
    let width = (1..=fields).map(|n| {
        let form = unit.text(&format!("TFORM{n}")).unwrap_or_default();
        FORMS.iter().find(|(name, _)| *name == form).map_or(0, |(_, width)| *width)
    });
    let width: usize = width.sum();
    unit.set(b"NAXIS1", width.to_string());
    if width > 0 {
        unit.set(b"NAXIS2", (loose::bytes(&unit.data).len() / width).to_string());
    }
}

/// Rows of a table of numbers: doubled, left out, exchanged, of other values; most often as many are announced.
fn rows(draw: &mut Draw, units: &mut [Unit]) {
    let unit = draw.below(units.len());
    let unit = &mut units[unit];
    let Some(text) = unit.data.strip_prefix(b"#") else { return };
    let mut words: Vec<Vec<u8>> =
        text.split(u8::is_ascii_whitespace).filter(|word| !word.is_empty()).map(<[u8]>::to_vec).collect();
    let width = unit.number("TFIELDS").unwrap_or(1).max(1);
    let rows = words.len() / width;
    if rows == 0 {
        return;
    }
    let (a, b) = (draw.below(rows) * width, draw.below(rows) * width);
    let column = draw.below(width);
    match draw.below(6) {
        0 => {
            let row = words[a..a + width].to_vec();
            words.splice(b..b, row);
        }
        1 => drop(words.drain(a..a + width)),
        2 => (0..width).for_each(|i| words.swap(a + i, b + i)),
        // A value of another row, or of the neighbouring column: intervals that touch, overlap, or are turned round.
        3 => words[a + column] = words[b + draw.below(width)].clone(),
        4 => {
            let kind = words[a + column].first().copied().unwrap_or(b'D');
            words[a + column] = [&[kind], draw.pick(NUMBERS).as_bytes()].concat();
        }
        // A value a little off.
        _ => {
            let word = String::from_utf8_lossy(&words[a + column]).to_string();
            let value = word.get(1..).and_then(|text| text.parse::<f64>().ok()).unwrap_or(0.0);
            let moved = match draw.below(4) {
                0 => value.next_up(),
                1 => value.next_down(),
                2 => -value,
                _ => value + draw.below(100) as f64 / 16.0,
            };
            words[a + column] = format!("{}{moved:?}", word.get(..1).unwrap_or("D")).into_bytes();
        }
    }
    unit.data = [b"#", &words.join(&b' ')[..]].concat();
    if draw.below(4) > 0 {
        unit.set(b"NAXIS2", (words.len() / width).to_string());
    }
}

/// Lines and fields of text: left out, doubled, exchanged, parted otherwise, of other values.
fn lines(draw: &mut Draw, bytes: &[u8], words: &[&str]) -> Vec<u8> {
    let text = String::from_utf8_lossy(bytes).to_string();
    let mut lines: Vec<String> = text.split('\n').map(str::to_string).collect();
    let (at, other) = (draw.below(lines.len()), draw.below(lines.len()));
    let word = |draw: &mut Draw| match words.is_empty() || draw.below(3) == 0 {
        true => draw.pick(NUMBERS).to_string(),
        false => draw.pick(words).to_string(),
    };
    match draw.below(10) {
        0 => drop(lines.remove(at)),
        1 => lines.insert(at, lines[other].clone()),
        2 => lines.swap(at, other),
        3 => {
            let made = [word(draw), word(draw)].join(draw.pick(&[" ", ",", ":", "="]));
            lines.insert(at, made);
        }
        4 => {
            let from = draw.pick(&[" ", ",", ";", "\t", ":"]);
            let to = draw.pick(&[" ", ",", ";", "\t", ":", "  ", ", ", ""]);
            return text.replace(from, to).into_bytes();
        }
        5 => {
            lines[at] =
                draw.pick(&["", "#", "# ", "!", "\u{feff}", "C ", "READ SERR 1 2", "NO NO NO", "\r"]).to_string()
                    + &lines[at]
        }
        6 => {
            lines[at] = if draw.below(2) == 0 { lines[at].to_ascii_uppercase() } else { lines[at].to_ascii_lowercase() }
        }
        _ => lines[at] = field(draw, &lines[at], &word),
    }
    lines.join("\n").into_bytes()
}

/// A line with one of its fields changed: what is between blanks, commas and colons.
fn field(draw: &mut Draw, line: &str, word: &impl Fn(&mut Draw) -> String) -> String {
    let is_gap = |c: char| c.is_whitespace() || ",;:=[]{}()\"'".contains(c);
    // Fields and gaps, in turn.
    let mut parts: Vec<String> = Vec::new();
    let mut gap = None;
    for c in line.chars() {
        if gap != Some(is_gap(c)) {
            parts.push(String::new());
            gap = Some(is_gap(c));
        }
        if let Some(last) = parts.last_mut() {
            last.push(c);
        }
    }
    if parts.is_empty() {
        return word(draw);
    }
    let (at, other) = (draw.below(parts.len()), draw.below(parts.len()));
    match draw.below(6) {
        0 => drop(parts.remove(at)),
        1 => parts.insert(at, parts[other].clone()),
        2 => parts.swap(at, other),
        3 => parts[at].insert(0, '-'),
        _ => parts[at] = word(draw),
    }
    parts.concat()
}

/// JSON with one of its values changed; nothing where it is none.
fn json_of(draw: &mut Draw, text: &str) -> Option<Vec<u8>> {
    use serde_json::{Value, json};
    let mut whole: Value = serde_json::from_str(text).ok()?;
    let mut place = &mut whole;
    // Down to some member.
    loop {
        let members = match &*place {
            Value::Array(list) => list.len(),
            Value::Object(map) => map.len(),
            _ => 0,
        };
        if members == 0 || draw.below(8) == 0 {
            break;
        }
        let at = draw.below(members);
        place = match place {
            Value::Array(list) => &mut list[at],
            Value::Object(map) => map.values_mut().nth(at)?,
            _ => break,
        };
    }
    match (draw.below(5), &mut *place) {
        (0, Value::Object(map)) if !map.is_empty() => {
            let key = map.keys().nth(draw.below(map.len()))?.clone();
            map.remove(&key);
        }
        (0, Value::Array(list)) if !list.is_empty() => drop(list.remove(draw.below(list.len()))),
        (1, Value::Array(list)) if !list.is_empty() => {
            let (at, other) = (draw.below(list.len()), draw.below(list.len()));
            list.insert(at, list[other].clone());
        }
        (2, Value::Number(number)) => *place = json!(-number.as_f64()?),
        (3, _) => *place = json!([place.take()]),
        _ => {
            *place = match draw.below(12) {
                0 => Value::Null,
                1 => json!(true),
                2 => json!(""),
                3 => json!("leahy"),
                4 => json!([]),
                5 => json!({}),
                6 => json!(u64::MAX),
                7 => json!(i64::MIN),
                8 => json!(1e300),
                9 => json!(0),
                10 => json!(draw.pick(NUMBERS)),
                _ => draw.pick(NUMBERS).parse::<f64>().map_or(json!(0.5), |x| json!(x)),
            }
        }
    }
    serde_json::to_vec(&whole).ok()
}

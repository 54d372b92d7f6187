//! What the fuzz targets share: files made of the fuzzer's bytes.

use std::path::PathBuf;

const CARD: usize = 80;
const BLOCK: usize = 2880;

/// A FITS file of loose text, so that mutations keep its frame: extensions apart by `~~`, header and data by `@@`, a card a
/// line. Cards and blocks are filled up and END is added; all else, sizes too, is as given. Data that begin with `#` are
/// numbers as text, one word each: `D1.5`, `E1.5`, `J7`, `I7`, `B7`.
pub fn fits(data: &[u8]) -> Vec<u8> {
    let mut file = Vec::new();
    for unit in split(data, b"~~") {
        let mut halves = split(unit, b"@@");
        let (header, data) = (halves.next().unwrap_or_default(), halves.next().unwrap_or_default());
        for line in header.split(|&b| b == b'\n').filter(|line| !line.is_empty()).chain([&b"END"[..]]) {
            let mut card = line.get(..CARD).unwrap_or(line).to_vec();
            card.resize(CARD, b' ');
            file.extend(card);
        }
        file.resize(file.len().next_multiple_of(BLOCK), b' ');
        match data.strip_prefix(b"#") {
            Some(words) => words.split(u8::is_ascii_whitespace).for_each(|word| file.extend(number(word))),
            None => file.extend(data),
        }
        file.resize(file.len().next_multiple_of(BLOCK), 0);
    }
    file
}

fn number(word: &[u8]) -> Vec<u8> {
    let text = String::from_utf8_lossy(word.get(1..).unwrap_or_default());
    let real = text.parse::<f64>().unwrap_or(f64::NAN);
    match word.first() {
        Some(b'D') => real.to_be_bytes().into(),
        Some(b'E') => (real as f32).to_be_bytes().into(),
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

/// What the fuzzer drew: some switches, and a file, loose or as it is.
pub fn drawn(data: &[u8]) -> Option<(u8, Vec<u8>)> {
    let (&how, rest) = data.split_first()?;
    Some((how, if how & 128 == 0 { fits(rest) } else { rest.to_vec() }))
}

/// Writes bytes to a file of this process in the folder for temporary files.
pub fn written(bytes: &[u8]) -> PathBuf {
    let path = std::env::temp_dir().join(format!("eagleray-fuzz-{}", std::process::id()));
    std::fs::write(&path, bytes).expect("a temporary file can be written");
    path
}

/// A small event file that is good.
pub const GOOD: &[u8] = b"SIMPLE  = T\nBITPIX  = 8\nNAXIS   = 0\n~~XTENSION= 'BINTABLE'\nBITPIX  = 8\nNAXIS   = 2\n\
NAXIS1  = 11\nNAXIS2  = 4\nPCOUNT  = 0\nGCOUNT  = 1\nTFIELDS = 3\nTTYPE1  = 'TIME'\nTFORM1  = 'D'\nTTYPE2  = 'PI'\n\
TFORM2  = 'I'\nTTYPE3  = 'DET_ID'\nTFORM3  = 'B'\nEXTNAME = 'EVENTS'\nTELESCOP= 'NICER'\nMJDREFI = 56658\n\
MJDREFF = 7.7E-4\nTIMEZERO= -1.0\n@@#D1.0 I50 B0 D2.5 I70 B11 D2.75 I70 B12 D9.5 I1400 B67~~XTENSION= 'BINTABLE'\n\
BITPIX  = 8\nNAXIS   = 2\nNAXIS1  = 16\nNAXIS2  = 2\nPCOUNT  = 0\nGCOUNT  = 1\nTFIELDS = 2\nTTYPE1  = 'START'\n\
TFORM1  = 'D'\nTTYPE2  = 'STOP'\nTFORM2  = 'D'\nEXTNAME = 'GTI'\n@@#D0.0 D5.0 D6.0 D12.0";

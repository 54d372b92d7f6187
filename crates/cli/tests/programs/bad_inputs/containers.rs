//! Containers: headers, tables, packing.

use super::*;

const EXTENSION: &str = "extension 2 (EVENTS)";

/// Position of the last `text` in a file.
pub fn find(bytes: &[u8], text: &str) -> usize {
    bytes.windows(text.len()).rposition(|w| w == text.as_bytes()).unwrap()
}

fn replaced(mut bytes: Vec<u8>, from: &str, to: &[u8]) -> Vec<u8> {
    let at = find(&bytes, from);
    bytes[at..at + to.len()].copy_from_slice(to);
    bytes
}

/// `SIMPLE = F` in the primary header.
fn not_simple(good: &[u8]) -> Vec<u8> {
    let mut bytes = good.to_vec();
    bytes[29] = b'F';
    bytes
}

/// A stream whose CRC-32, eight bytes before its end, is not that of what it unpacks to.
fn wrong_checksum() -> Vec<u8> {
    let mut packed = gzip(&of(plain()));
    let at = packed.len() - 8;
    packed[at] ^= 1;
    packed
}

/// A file that begins as those of another packer do.
fn packed(begin: &[u8]) -> Vec<u8> {
    [begin, &[0x55; 3000]].concat()
}

fn two_members() -> Vec<u8> {
    let bytes = of(plain());
    let (first, second) = bytes.split_at(9000);
    [gzip(first), gzip(second)].concat()
}

pub fn cases() -> Vec<Case> {
    let good = of(plain());
    let cut = |n: usize| good[..n].to_vec();
    let data = find(&good, "END") / 2880 * 2880 + 2880;
    let mut html = b"<!DOCTYPE html><html><body>404 not found</body></html>".to_vec();
    html.resize(3000, b' ');
    let no_end = {
        let at = find(&good, "END ");
        let mut bytes = good.clone();
        bytes[at..at + 3].copy_from_slice(b"   ");
        bytes
    };
    let trailing: Vec<u8> = good.iter().copied().chain([0; 5760]).collect();
    let form = |form: &str| events(vec![time(), pi()]).set("TFORM1", form);
    let narrow: Vec<f32> = stamps().iter().map(|t| (t + 3e8) as f32).collect();
    let duplicate = |name: &str| events(vec![time(), pi(), Column::raw(name, "1D", vec![vec![0; 8]; PHOTONS])]);
    let bits = |n: usize, bytes: usize| Column::raw("STATUS", &format!("{n}X"), vec![vec![0xff; bytes]; PHOTONS]);
    let mut cases: Vec<Case> = [
        ("an undamaged file", good.clone(), Fine),
        ("1 rows cut off", cut(data + 3333), E(Format, &[EXTENSION, "NAXIS2", "after 333 of them", "--salvage"])),
        ("2 header cut off", cut(data - 2880 + 400), E(Format, &["the header is cut off", "no END card", "byte "])),
        (
            "3 ten times too many rows",
            of(plain().set("NAXIS2", "10000")),
            E(Format, &[EXTENSION, "NAXIS2", "10000 rows"]),
        ),
        ("4 2^62 rows", of(plain().set("NAXIS2", "4611686018427387904")), E(Format, &["NAXIS", "overflow"])),
        ("5 negative rows", of(plain().set("NAXIS2", "-5")), E(Format, &["NAXIS2", "-5"])),
        ("6 rows too wide", of(plain().set("NAXIS1", "11")), E(Format, &[EXTENSION, "NAXIS1", "11 bytes", "take 10"])),
        ("6 rows too narrow", of(plain().set("NAXIS1", "9")), E(Format, &[EXTENSION, "TFORM2", "9 bytes"])),
        ("7 rows of no width", of(plain().set("NAXIS1", "0")), E(Format, &[EXTENSION, "TFORM1", "0 bytes"])),
        ("9 more columns announced", of(plain().set("TFIELDS", "3")), E(Format, &[EXTENSION, "TFORM3", "missing"])),
        ("10 two thousand million columns", of(plain().set("TFIELDS", "2000000000")), E(Format, &["TFIELDS", "999"])),
        ("11 an unknown format", of(form("'ZZ'")), E(Format, &[EXTENSION, "TFORM1", "`ZZ`"])),
        ("12 a repeat of 1e12", of(form("'1000000000000D'")), E(Format, &["TFORM1", "1000000000000D"])),
        ("12 a repeat beyond 64 bits", of(form("'99999999999999999999X'")), E(Format, &["TFORM1"])),
        ("13 times as text", of(form("'8A'")), E(Format, &[EXTENSION, "column TIME"])),
        (
            "14 single precision",
            of(events(vec![Column::f32("TIME", &narrow)])),
            E(Format, &["column TIME", "3.2e1 s", "D column"]),
        ),
        (
            "15 scaled integers",
            of(events(vec![
                Column::i32("TIME", &(0..PHOTONS as i32).collect::<Vec<_>>())
                    .with("TSCAL", "0.1")
                    .with("TZERO", "0.03"),
            ])),
            Fine,
        ),
        (
            "15 a large zero does not spoil single precision",
            file(&[
                gti(&[(3e8, 3e8 + 100.0)]),
                events(vec![
                    Column::f32("TIME", &stamps().iter().map(|&t| t as f32).collect::<Vec<_>>())
                        .with("TZERO", "3.0E+08"),
                ]),
            ]),
            Fine,
        ),
        ("16 a scale of 0", of(events(vec![time().with("TSCAL", "0.0"), pi()])), E(Format, &["column TIME", "TSCAL"])),
        (
            "16 a scale of 0 of channels",
            of(events(vec![time(), pi().with("TSCAL", "0.0")])),
            E(Format, &["column PI", "TSCAL"]),
        ),
        ("22 no END", no_end, E(Format, &["no END card", "byte "])),
        ("23 a byte above 127", replaced(good.clone(), "'TESTER", b"'TEST\xb5R"), W("W-HEADER-BYTES", 1000, 1000)),
        ("23 a control character", replaced(good.clone(), "'TESTER", b"'TEST\x1bR"), W("W-HEADER-BYTES", 1000, 1000)),
        (
            "23 a byte above 127 in a number",
            replaced(good.clone(), "NAXIS2  =", b"NAXIS2  = \xb5"),
            E(Format, &["NAXIS2"]),
        ),
        ("24 no value", of(plain().set("OBSERVER", "")), W("W-HEADER-VALUE", 1000, 1000)),
        ("24 no value where one is needed", of(plain().set("NAXIS1", "")), E(Format, &["NAXIS1"])),
        (
            "37 two event tables",
            file(&[gti(&[(0.0, 100.0)]), plain(), plain()]),
            E(Format, &["2 extensions", "2, 3", "--extension"]),
        ),
        ("38 events first", file(&[plain(), gti(&[(0.0, 100.0)])]), Fine),
        (
            "39 lower-case names",
            of(events(vec![Column::f64("time", &stamps()), Column::i16("pi", &[1; PHOTONS])])),
            Fine,
        ),
        ("43 gzip without the suffix", gzip(&good), Fine),
        ("41 gzip cut off", gzip(&good)[..500].to_vec(), E(Format, &["gzip stream"])),
        ("44 an empty file", Vec::new(), E(Format, &["empty"])),
        ("45 an error page", html, E(Format, &["not a FITS file", "<!DOCTYPE"])),
        ("46 SIMPLE = F", not_simple(&good), W("W-SIMPLE", 1000, 1000)),
        (
            "47 a heap that is never read",
            of(events(vec![time(), Column::raw("VECTOR", "1PD(9)", vec![vec![0x7f; 8]; PHOTONS])])),
            Fine,
        ),
        ("48 a wrong DATASUM", of(plain().set("DATASUM", "'12345'")), W("W-DATASUM", 1000, 1000)),
        ("49 zeros after the last block", trailing, W("W-TRAILING-BYTES", 1000, 1000)),
        ("51 two columns TIME", of(duplicate("time")), E(Format, &[EXTENSION, "column TIME", "two columns"])),
        ("51 two columns PI", of(duplicate("Pi")), E(Format, &[EXTENSION, "column PI", "two columns"])),
        ("52 a table of 16 bits", of(plain().set("BITPIX", "16")), E(Format, &[EXTENSION, "BITPIX"])),
        ("53 a heap of 1e15 bytes", of(plain().set("PCOUNT", "1000000000000000")), E(Format, &[EXTENSION, "PCOUNT"])),
        ("55 an unknown extension", of(plain().set("XTENSION", "'BINTABLEX'")), E(Format, &[EXTENSION, "BINTABLEX"])),
        (
            "56 times repeated 0 times",
            of(events(vec![Column::raw("TIME", "0D", vec![Vec::new(); 9]), pi()])),
            E(Format, &["TIME"]),
        ),
        (
            "56 two times a row",
            of(events(vec![Column::raw("TIME", "2D", vec![vec![0; 16]; 9])])),
            E(Format, &["column TIME", "one number"]),
        ),
        ("three axes", of(plain().set("NAXIS", "3")), E(Format, &["NAXIS"])),
        ("seventeen bits", of(events(vec![bits(17, 3), time(), pi()])), Fine),
        ("one bit", of(events(vec![bits(1, 1), time()])), Fine),
        ("no bits", of(events(vec![time(), Column::raw("EVENT", "0X", vec![Vec::new(); PHOTONS])])), Fine),
    ]
    .map(Case::of)
    .into();
    cases.push(Case { open: salvage(), ..Case::of(("1 --salvage", cut(data + 3333), W("W-SALVAGE", 333, 333))) });
    cases.extend(more());
    cases
}

fn salvage() -> OpenOptions {
    OpenOptions { salvage: true, ..OpenOptions::default() }
}

/// Columns and streams that are odd and right, and a stream that is neither.
fn more() -> Vec<Case> {
    let unsigned = Column::i16("PI", &(0..PHOTONS as i16).map(|i| i - 500).collect::<Vec<_>>());
    let mut bomb = of(plain());
    bomb.resize(300 << 20, 0);
    [
        ("8 no rows", of(events(vec![Column::f64("TIME", &[])])), W("W-NO-EVENTS", 0, 0)),
        (
            "17 unsigned channels, one masked",
            of(events(vec![time(), unsigned.with("TZERO", "32768").with("TNULL", "7")])),
            Fine,
        ),
        ("40 gzip", gzip(&of(plain())), Fine),
        ("59 gzip padded with zeros", [gzip(&of(plain())), vec![0; 1000]].concat(), Fine),
        ("59 gzip in two members", two_members(), Fine),
        (
            "59 gzip with more behind it",
            [gzip(&of(plain())), b"more".to_vec()].concat(),
            E(Format, &["packed byte", "`more`", "cut it off"]),
        ),
        ("59 gzip in gzip", gzip(&gzip(&of(plain()))), E(Format, &["gzip stream", "gzip (.gz)", "by hand"])),
        ("60 compress", packed(&[0x1f, 0x9d, 0x90]), E(Format, &["compress (.Z)", "uncompress"])),
        ("60 bzip2", packed(b"BZh91AY"), E(Format, &["bzip2 (.bz2)", "bunzip2"])),
        ("60 zstd", packed(&[0x28, 0xb5, 0x2f, 0xfd]), E(Format, &["zstd (.zst)", "unzstd"])),
        ("60 xz", packed(&[0xfd, b'7', b'z', b'X', b'Z', 0]), E(Format, &["xz (.xz)", "unxz"])),
        ("60 zip", packed(b"PK\x03\x04"), E(Format, &["zip (.zip)", "unzip"])),
        ("61 a tile-compressed table", of(plain().set("ZTABLE", "T")), E(Format, &[EXTENSION, "ZTABLE", "funpack"])),
        ("41 gzip with a wrong checksum", wrong_checksum(), E(Format, &["gzip stream"])),
        ("42 a gzip bomb", gzip(&bomb), E(Format, &["gzip stream", "unpack to more than"])),
    ]
    .map(Case::of)
    .into()
}

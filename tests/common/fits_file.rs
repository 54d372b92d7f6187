//! FITS files byte by byte, independent of the writer in the library, so that tests can also make what no writer makes.

// Each test program uses its own part of this module.
#![allow(dead_code)]

use std::path::PathBuf;

use eagleray::files::{EventFile, OpenOptions};
use eagleray::internal::backend::cpu::CpuBackend;
use eagleray::science::AveragedPowerSpectrum;
use eagleray::{Observation, PowerSpectrum, Result, Warnings};

/// A column: its format, and its bytes in all rows, one after the other.
#[derive(Clone)]
pub struct Column {
    name: String,
    form: String,
    rows: usize,
    bytes: Vec<u8>,
    cards: Vec<(String, String)>,
}

impl Column {
    /// A column of any format, from the bytes of its rows.
    pub fn raw(name: &str, form: &str, rows: Vec<Vec<u8>>) -> Column {
        assert!(rows.windows(2).all(|w| w[0].len() == w[1].len()), "{name}: rows of several widths");
        Column::of(name, form, rows.len(), rows.concat())
    }
    fn of(name: &str, form: &str, rows: usize, bytes: Vec<u8>) -> Column {
        Column { name: name.into(), form: form.into(), rows, bytes, cards: Vec::new() }
    }
    pub fn f64(name: &str, values: &[f64]) -> Column {
        Column::of(name, "D", values.len(), values.iter().flat_map(|x| x.to_be_bytes()).collect())
    }
    pub fn f32(name: &str, values: &[f32]) -> Column {
        Column::of(name, "1E", values.len(), values.iter().flat_map(|x| x.to_be_bytes()).collect())
    }
    pub fn i64(name: &str, values: &[i64]) -> Column {
        Column::of(name, "1K", values.len(), values.iter().flat_map(|x| x.to_be_bytes()).collect())
    }
    pub fn i32(name: &str, values: &[i32]) -> Column {
        Column::of(name, "J", values.len(), values.iter().flat_map(|x| x.to_be_bytes()).collect())
    }
    pub fn i16(name: &str, values: &[i16]) -> Column {
        Column::of(name, "1I", values.len(), values.iter().flat_map(|x| x.to_be_bytes()).collect())
    }
    pub fn u8(name: &str, values: &[u8]) -> Column {
        Column::of(name, "B", values.len(), values.to_vec())
    }
    /// Bytes a row, from the format where there are no rows.
    pub fn width(&self) -> usize {
        match (self.rows, self.form.chars().last()) {
            (0, Some('D' | 'K')) => 8,
            (0, Some('E' | 'J')) => 4,
            (0, Some('I')) => 2,
            (0, _) => 1,
            (rows, _) => self.bytes.len() / rows,
        }
    }
    /// With a keyword of this column: `with("TUNIT", "'d'")`.
    pub fn with(mut self, key: &str, value: &str) -> Column {
        self.cards.push((key.into(), value.into()));
        self
    }
}

/// A binary table and its keywords.
#[derive(Clone)]
pub struct Table {
    name: String,
    columns: Vec<Column>,
    cards: Vec<(String, String)>,
}

impl Table {
    pub fn new(name: &str, columns: Vec<Column>) -> Table {
        Table { name: name.into(), columns, cards: Vec::new() }
    }

    /// A keyword with its value as it stands in the file; one that the table has already is replaced.
    pub fn set(mut self, key: &str, value: &str) -> Table {
        self.cards.push((key.into(), value.into()));
        self
    }

    pub fn bytes(&self) -> Vec<u8> {
        let rows = self.columns.first().map_or(0, |c| c.rows);
        let width: usize = self.columns.iter().map(Column::width).sum();
        let mut cards: Vec<(String, String)> = [
            ("XTENSION", "'BINTABLE'".to_string()),
            ("BITPIX", "8".into()),
            ("NAXIS", "2".into()),
            ("NAXIS1", width.to_string()),
            ("NAXIS2", rows.to_string()),
            ("PCOUNT", "0".into()),
            ("GCOUNT", "1".into()),
            ("TFIELDS", self.columns.len().to_string()),
        ]
        .map(|(key, value)| (key.to_string(), value))
        .to_vec();
        for (i, column) in self.columns.iter().enumerate().map(|(i, c)| (i + 1, c)) {
            cards.push((format!("TTYPE{i}"), format!("'{}'", column.name)));
            cards.push((format!("TFORM{i}"), format!("'{}'", column.form)));
            cards.extend(column.cards.iter().map(|(key, value)| (format!("{key}{i}"), value.clone())));
        }
        cards.push(("EXTNAME".into(), format!("'{}'", self.name)));
        for (key, value) in &self.cards {
            match cards.iter_mut().find(|(k, _)| k == key) {
                Some(card) => card.1.clone_from(value),
                None => cards.push((key.clone(), value.clone())),
            }
        }
        let mut bytes = header(&cards);
        for row in 0..rows {
            self.columns.iter().for_each(|c| bytes.extend_from_slice(&c.bytes[row * c.width()..][..c.width()]));
        }
        bytes.resize(bytes.len().next_multiple_of(2880), 0);
        bytes
    }
}

/// A header unit.
pub fn header(cards: &[(String, String)]) -> Vec<u8> {
    let mut text: String = cards
        .iter()
        .map(|(key, value)| match value.starts_with('\'') {
            true => format!("{:<80}", format!("{key:<8}= {value:<20}")),
            false => format!("{:<80}", format!("{key:<8}= {value:>20}")),
        })
        .collect();
    text += "END";
    let mut bytes = text.into_bytes();
    bytes.resize(bytes.len().next_multiple_of(2880), b' ');
    bytes
}

/// A file of these tables after a primary header without data.
pub fn file(tables: &[Table]) -> Vec<u8> {
    let primary = [("SIMPLE", "T"), ("BITPIX", "8"), ("NAXIS", "0"), ("EXTEND", "T")];
    let mut bytes = header(&primary.map(|(key, value)| (key.into(), value.into())));
    tables.iter().for_each(|t| bytes.extend(t.bytes()));
    bytes
}

/// An event table of a mission without rules of its own.
pub fn events(columns: Vec<Column>) -> Table {
    Table::new("EVENTS", columns)
        .set("TELESCOP", "'TESTSAT'")
        .set("INSTRUME", "'TESTER'")
        .set("MJDREFI", "55000")
        .set("MJDREFF", "0.5")
        .set("HDUCLAS1", "'EVENTS'")
}

pub fn gti(intervals: &[(f64, f64)]) -> Table {
    let (start, stop): (Vec<f64>, Vec<f64>) = intervals.iter().copied().unzip();
    Table::new("GTI", vec![Column::f64("START", &start), Column::f64("STOP", &stop)]).set("HDUCLAS1", "'GTI'")
}

/// Packed by gzip.
pub fn gzip(bytes: &[u8]) -> Vec<u8> {
    use std::io::Write;
    let mut packer = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::fast());
    packer.write_all(bytes).unwrap();
    packer.finish().unwrap()
}

/// A folder that goes away with its files.
pub struct Folder(pub tempfile::TempDir);

impl Folder {
    pub fn new() -> Folder {
        Folder(tempfile::tempdir().unwrap())
    }

    pub fn write(&self, name: &str, bytes: &[u8]) -> PathBuf {
        let path = self.0.path().join(name);
        std::fs::write(&path, bytes).unwrap();
        path
    }

    /// Writes and opens `file.evt`.
    pub fn open(&self, bytes: &[u8], options: &OpenOptions) -> Result<(EventFile, Warnings)> {
        let path = self.write("file.evt", bytes);
        let mut warnings = Warnings::default();
        EventFile::open(&path, options, &mut warnings).map(|file| (file, warnings))
    }

    /// The same as an observation.
    pub fn observe(&self, bytes: &[u8], options: &OpenOptions) -> Result<Observation> {
        Observation::open_with([self.write("file.evt", bytes)], options)
    }
}

pub fn cpu() -> CpuBackend {
    CpuBackend::new(std::num::NonZeroUsize::new(2)).unwrap()
}

/// The spectrum of the selected events of files that are read through before.
pub fn spectrum(observation: &Observation, analysis: &PowerSpectrum) -> Result<AveragedPowerSpectrum> {
    observation.examine()?;
    super::front::threads(2).run(analysis, observation)
}

pub fn codes(warnings: &Warnings) -> Vec<&str> {
    warnings.iter().map(|w| &*w.code).collect()
}

/// Powers within `tolerance` of what is expected, or as small as rounding leaves zero.
pub fn same_powers(a: &[f64], b: &[f64], tolerance: f64) {
    assert_eq!(a.len(), b.len());
    let largest = b.iter().copied().fold(0.0, f64::max);
    for (k, (a, b)) in a.iter().zip(b).enumerate() {
        assert!((a - b).abs() <= tolerance * b.abs() + 1e-14 * largest, "power {k}: {a:e}, but {b:e} is expected");
    }
}

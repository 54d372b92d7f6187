//! A small FITS writer: headers, binary tables written row by row, checksums; safe code, bounded memory.
//!
//! FITS standard 4.0 (Pence et al. 2010, doi:10.1051/0004-6361/201015362): units of 2880 bytes, cards of 80 ASCII
//! characters, big-endian values; long strings by `CONTINUE`; `CHECKSUM` and `DATASUM` as in its appendix J. The number of
//! rows need not be known in advance: the header is written again, in place, when a table is finished.
#![expect(clippy::indexing_slicing, reason = "what is written has the lengths that are given it here")]

use std::io::{self, Seek, SeekFrom, Write};
use std::path::{Path, PathBuf};

use super::unfinished::Unfinished;
use crate::base::error::{Error, Result};
use crate::base::mend::Mend;
use crate::base::trace;
use crate::data::header::{CardValue, HeaderCards, NO_CHECKSUM, UNIT, invalid};

/// The ones' complement sum of big-endian 32-bit words (FITS 4.0, appendix J), fed in pieces of any length.
#[derive(Clone, Copy, Debug, Default)]
struct Checksum {
    sum: u64,
    position: usize,
}

impl Checksum {
    fn byte(&mut self, byte: u8) {
        self.sum += u64::from(byte) << (24 - 8 * self.position);
        self.position = (self.position + 1) % 4;
    }

    fn update(&mut self, bytes: &[u8]) {
        // Pieces this short cannot overflow 64 bits: 2^28 words of less than 2^32.
        for piece in bytes.chunks(1 << 30) {
            let (head, words) = piece.split_at(((4 - self.position) % 4).min(piece.len()));
            head.iter().for_each(|&b| self.byte(b));
            let (words, tail) = words.as_chunks::<4>();
            self.sum += words.iter().map(|w| u64::from(u32::from_be_bytes(*w))).sum::<u64>();
            tail.iter().for_each(|&b| self.byte(b));
            self.sum = u64::from(self.value());
        }
    }

    fn value(&self) -> u32 {
        let mut sum = self.sum;
        while sum >> 32 != 0 {
            sum = (sum & 0xffff_ffff) + (sum >> 32);
        }
        sum as u32
    }

    /// Sixteen letters and digits that bring the sum of the unit to all ones.
    fn encode(&self) -> String {
        let mut ascii = [0u8; 16];
        for (i, byte) in (!self.value()).to_be_bytes().into_iter().enumerate() {
            let mut four = [byte / 4 + b'0'; 4];
            four[0] += byte % 4;
            while four.iter().any(|&c| c.is_ascii_punctuation()) {
                for pair in four.chunks_exact_mut(2) {
                    if pair.iter().any(|&c| c.is_ascii_punctuation()) {
                        pair[0] += 1;
                        pair[1] -= 1;
                    }
                }
            }
            for (j, c) in four.into_iter().enumerate() {
                ascii[4 * j + i] = c;
            }
        }
        // The string starts one byte before a word, after its quote.
        ascii.rotate_right(1);
        ascii.iter().map(|&c| char::from(c)).collect()
    }
}

/// A column of a binary table.
#[derive(Clone, Debug)]
pub struct WrittenColumn {
    /// Name: TTYPEn.
    pub name: String,
    /// TFORMn: `M`, `D`, `E`, `K`, `J`, `I`, `B`, `L`, `A` or `X`, with an optional repeat count before it.
    pub form: String,
    /// TUNITn, empty for none.
    pub unit: String,
}

impl WrittenColumn {
    /// A column by name, form and unit (empty for none).
    pub fn new(name: &str, form: &str, unit: &str) -> WrittenColumn {
        WrittenColumn { name: name.into(), form: form.into(), unit: unit.into() }
    }

    /// Bytes the column takes in a row.
    pub fn width(&self) -> io::Result<usize> {
        let digits = self.form.bytes().take_while(u8::is_ascii_digit).count();
        let (count, kind) = self.form.split_at(digits);
        let count: Option<usize> = if count.is_empty() { Some(1) } else { count.parse().ok() };
        let size = match kind {
            "M" => 16,
            "D" | "K" => 8,
            "E" | "J" => 4,
            "I" => 2,
            "B" | "L" | "A" => 1,
            "X" => return count.map(|n| n.div_ceil(8)).ok_or_else(|| invalid(format!("TFORM '{}'", self.form))),
            _ => 0,
        };
        match count.and_then(|n| n.checked_mul(size)) {
            Some(width) if size > 0 => Ok(width),
            _ => Err(invalid(format!("column {}: TFORM '{}' is not supported", self.name, self.form))),
        }
    }
}

/// Writes header-data units one after the other.
pub struct FitsWriter<W> {
    out: W,
    table: Option<OpenTable>,
}

/// The table being written.
struct OpenTable {
    header: HeaderCards,
    start: u64,
    width: usize,
    bytes: u64,
    sum: Checksum,
}

impl<W: Write + Seek> FitsWriter<W> {
    /// Writes the primary header, which has no data; `cards` follow the mandatory ones.
    pub fn new(mut out: W, cards: &HeaderCards) -> io::Result<FitsWriter<W>> {
        let mut header = HeaderCards::new();
        header.push("SIMPLE", true, "file conforms to FITS standard")?;
        header.push("BITPIX", 8, "bits per data value")?;
        header.push("NAXIS", 0, "no data in the primary unit")?;
        header.push("EXTEND", true, "extensions follow")?;
        header.cards.extend_from_slice(&cards.cards);
        let bytes = sealed(&mut header, Checksum::default())?;
        out.write_all(&bytes)?;
        Ok(FitsWriter { out, table: None })
    }

    /// Writes the primary header with an image of `f64` values, `width` in a line, as its data.
    pub fn with_image(out: W, width: usize, values: &[f64], cards: &HeaderCards) -> io::Result<FitsWriter<W>> {
        let mut header = HeaderCards::new();
        header.push("SIMPLE", true, "file conforms to FITS standard")?;
        let mut writer = FitsWriter { out, table: None };
        writer.write_image(header, width, values, &[("EXTEND", CardValue::Logical(true))], cards)?;
        Ok(writer)
    }

    /// Writes an image extension; a table still open is finished first.
    pub fn image(&mut self, name: &str, width: usize, values: &[f64], cards: &HeaderCards) -> io::Result<()> {
        self.finish_table()?;
        let mut header = HeaderCards::new();
        header.push("XTENSION", "IMAGE", "image extension")?;
        let rest = [("PCOUNT", 0.into()), ("GCOUNT", 1.into()), ("EXTNAME", name.into())];
        self.write_image(header, width, values, &rest, cards)
    }

    fn write_image(
        &mut self,
        mut header: HeaderCards,
        width: usize,
        values: &[f64],
        rest: &[(&str, CardValue)],
        cards: &HeaderCards,
    ) -> io::Result<()> {
        header.push("BITPIX", -64, "64-bit floating point")?;
        header.push("NAXIS", 2, "2-dimensional image")?;
        header.push("NAXIS1", width as i64, "values in a line")?;
        header.push("NAXIS2", (values.len() / width.max(1)) as i64, "lines")?;
        for (keyword, value) in rest {
            header.push(keyword, value.clone(), "")?;
        }
        header.cards.extend_from_slice(&cards.cards);
        let mut sum = Checksum::default();
        values.iter().for_each(|value| sum.update(&value.to_be_bytes()));
        let bytes = sealed(&mut header, sum)?;
        self.out.write_all(&bytes)?;
        values.iter().try_for_each(|value| self.out.write_all(&value.to_be_bytes()))?;
        let data = 8 * values.len();
        self.out.write_all(&vec![0; data.next_multiple_of(UNIT) - data])
    }

    /// Starts a binary table; a table still open is finished first.
    pub fn table(&mut self, name: &str, columns: &[WrittenColumn], cards: &HeaderCards) -> io::Result<()> {
        self.finish_table()?;
        let mut width = 0;
        for column in columns {
            width += column.width()?;
        }
        let mut header = HeaderCards::new();
        header.push("XTENSION", "BINTABLE", "binary table extension")?;
        header.push("BITPIX", 8, "8-bit bytes")?;
        header.push("NAXIS", 2, "2-dimensional binary table")?;
        header.push("NAXIS1", width as i64, "bytes in a row")?;
        header.push("NAXIS2", 0, "rows")?;
        header.push("PCOUNT", 0, "no variable-length data")?;
        header.push("GCOUNT", 1, "one data group")?;
        header.push("TFIELDS", columns.len() as i64, "columns")?;
        for (column, i) in columns.iter().zip(1..) {
            header.push(&format!("TTYPE{i}"), column.name.as_str(), "")?;
            header.push(&format!("TFORM{i}"), column.form.as_str(), "")?;
            if !column.unit.is_empty() {
                header.push(&format!("TUNIT{i}"), column.unit.as_str(), "")?;
            }
        }
        header.push("EXTNAME", name, "name of this table")?;
        header.cards.extend_from_slice(&cards.cards);
        let start = self.out.stream_position()?;
        // Only its length matters now; the same cards are written again, filled in, at the end.
        let bytes = sealed(&mut header, Checksum::default())?;
        self.out.write_all(&bytes)?;
        self.table = Some(OpenTable { header, start, width, bytes: 0, sum: Checksum::default() });
        Ok(())
    }

    /// Appends whole rows, big-endian, to the open table.
    pub fn rows(&mut self, rows: &[u8]) -> io::Result<()> {
        let Some(table) = &mut self.table else {
            return Err(invalid("rows without a table: call table() first".into()));
        };
        if table.width == 0 || !rows.len().is_multiple_of(table.width) {
            return Err(invalid(format!("{} bytes are not whole rows of {} bytes", rows.len(), table.width)));
        }
        table.sum.update(rows);
        table.bytes += rows.len() as u64;
        self.out.write_all(rows)
    }

    /// Replaces a number in the header of the open table.
    pub(crate) fn set(&mut self, keyword: &str, value: f64) -> io::Result<()> {
        match &mut self.table {
            Some(table) => table.header.replace(keyword, CardValue::Real(value)),
            None => Err(invalid("no table is open".into())),
        }
    }

    fn finish_table(&mut self) -> io::Result<()> {
        let Some(mut table) = self.table.take() else { return Ok(()) };
        let pad = table.bytes.next_multiple_of(UNIT as u64) - table.bytes;
        self.out.write_all(&vec![0; pad as usize])?;
        let rows = if table.width == 0 { 0 } else { table.bytes / table.width as u64 };
        table.header.replace("NAXIS2", CardValue::Integer(rows as i64))?;
        let bytes = sealed(&mut table.header, table.sum)?;
        self.out.seek(SeekFrom::Start(table.start))?;
        self.out.write_all(&bytes)?;
        self.out.seek(SeekFrom::End(0))?;
        Ok(())
    }

    /// Finishes the last table and hands the output back, flushed.
    pub fn finish(mut self) -> io::Result<W> {
        self.finish_table()?;
        self.out.flush()?;
        Ok(self.out)
    }
}

/// The bytes of the header with the checksums of itself and of its data.
fn sealed(header: &mut HeaderCards, data: Checksum) -> io::Result<Vec<u8>> {
    let name = b"CHECKSUM= ";
    if !header.cards.iter().any(|card| card.starts_with(name)) {
        header.push("CHECKSUM", NO_CHECKSUM, "checksum of this unit")?;
        header.push("DATASUM", "0", "checksum of the data")?;
    }
    header.replace("CHECKSUM", CardValue::Text(NO_CHECKSUM.into()))?;
    header.replace("DATASUM", CardValue::Text(format!("{:<18}", data.value())))?;
    let mut sum = Checksum { position: 0, ..data };
    sum.update(&header.bytes());
    header.replace("CHECKSUM", CardValue::Text(sum.encode()))?;
    Ok(header.bytes())
}

/// The most links that lead to a file.
const LINKS: usize = 40;

/// The file that a name leads to through links, which need not be there.
pub fn followed(path: &Path) -> PathBuf {
    let mut path = path.to_path_buf();
    for _ in 0..LINKS {
        let Ok(target) = std::fs::read_link(&path) else { break };
        path = path.parent().unwrap_or(Path::new("")).join(target);
    }
    path
}

/// Writes a file through a temporary one in the same directory, renamed when `write` has succeeded: a reader sees the whole
/// file or none. An existing file is an error unless `overwrite`; it leaves its permissions to the new one. A link stays one, and the file
/// is the one that it leads to.
pub fn write_file<T>(
    path: &Path,
    overwrite: bool,
    write: impl FnOnce(&mut io::BufWriter<std::fs::File>) -> Result<T>,
) -> Result<T> {
    let _span = trace::span("write");
    let exists = || {
        Error::io(path, io::Error::new(io::ErrorKind::AlreadyExists, "exists already")).mended_by([Mend::set(
            "overwrite",
            true,
        )
        .doing("replaces it")])
    };
    if !overwrite && path.exists() {
        return Err(exists());
    }
    let passable = [io::ErrorKind::NotFound, io::ErrorKind::NotADirectory];
    match path.metadata() {
        Err(e) if !passable.contains(&e.kind()) => return Err(Error::io(path, e)),
        _ => {}
    }
    if path.exists() && !path.is_file() && !path.is_dir() {
        return Err(Error::io(path, io::Error::other("a device or pipe cannot be replaced by a file")));
    }
    if path.file_name().is_none() || path.is_dir() {
        return Err(Error::io(path, io::Error::new(io::ErrorKind::IsADirectory, "not a name of a file")));
    }
    let target = followed(path);
    let directory = target.parent().filter(|p| !p.as_os_str().is_empty()).unwrap_or(Path::new("."));
    let replaced = Some(&*target).filter(|_| overwrite);
    let (file, temporary) = Unfinished::create(directory, replaced).map_err(|e| Error::io(path, e))?;
    let mut out = io::BufWriter::with_capacity(1 << 20, file);
    let value = write(&mut out)?;
    out.flush().map_err(|e| Error::io(path, e))?;
    drop(out);
    match temporary.rename(&target, overwrite) {
        Ok(()) => Ok(value),
        Err(e) if e.kind() == io::ErrorKind::AlreadyExists => Err(exists()),
        Err(e) => Err(Error::io(path, e)),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn checksums_bring_every_unit_to_all_ones_whatever_the_pieces() {
        let columns = [WrittenColumn::new("A", "1J", ""), WrittenColumn::new("B", "3X", "")];
        let mut files = Vec::new();
        for piece in [5, 35, 700] {
            let mut out = FitsWriter::new(io::Cursor::new(Vec::new()), &HeaderCards::new()).unwrap();
            out.table("T", &columns, &HeaderCards::new()).unwrap();
            let rows: Vec<u8> = (0..700u32).map(|i| (i * 37 % 251) as u8).collect();
            rows.chunks(piece).for_each(|rows| out.rows(rows).unwrap());
            files.push(out.finish().unwrap().into_inner());
        }
        assert_eq!(files[0], files[1]);
        assert_eq!(files[0], files[2]);
        let mut sum = Checksum::default();
        sum.update(&files[0][..UNIT]);
        assert_eq!(sum.value(), u32::MAX);
        let mut sum = Checksum::default();
        sum.update(&files[0][UNIT..]);
        assert_eq!(sum.value(), u32::MAX);
    }

    #[test]
    fn rows_must_be_whole_and_forms_known() {
        let mut out = FitsWriter::new(io::Cursor::new(Vec::new()), &HeaderCards::new()).unwrap();
        assert!(out.rows(&[0]).is_err());
        out.table("T", &[WrittenColumn::new("A", "I", "")], &HeaderCards::new()).unwrap();
        assert!(out.rows(&[0]).is_err());
        assert!(WrittenColumn::new("A", "Q", "").width().is_err());
        assert_eq!(WrittenColumn::new("A", "9X", "").width().unwrap(), 2);
    }
}

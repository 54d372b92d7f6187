//! Binary tables (FITS standard 4.0, section 7.3): the layout of columns and the decoding of their values.

use std::ops::Range;

use multiversion::multiversion;

use super::fits::Hdu;
use super::input_file::{InputFile, PIECE};
use crate::base::error::Result;
use crate::base::mend::Mend;
use crate::base::time::DoubleDouble;

/// Bytes of the widest row whose columns are read: some rows are held at a time. Those of responses have some ten thousand.
const WIDEST_ROW: usize = 16 << 20;

/// Half of the integers that f64 holds exactly: what is less than that away from one is still held.
const LARGEST_EXACT: i128 = 1 << 52;

/// Type of the elements of a column.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ElementType {
    /// `X`: bits, most significant first.
    Bit,
    /// `B`: unsigned byte.
    U8,
    /// `I`: 16-bit integer.
    I16,
    /// `J`: 32-bit integer.
    I32,
    /// `K`: 64-bit integer.
    I64,
    /// `E`: single precision.
    F32,
    /// `D`: double precision.
    F64,
    /// `M`: complex numbers in double precision; read by products alone.
    C128,
    /// Logical values, text, other complex numbers and array descriptors: skipped, never decoded.
    Opaque,
}

/// A column of a FITS table.
#[derive(Clone, Debug)]
pub struct FitsColumn {
    /// Name: TTYPEn.
    pub name: String,
    /// Type of the elements.
    pub kind: ElementType,
    /// Number of elements in a row.
    pub repeat: u64,
    /// Offset in a row, bytes.
    pub offset: usize,
    /// Unit: TUNITn; empty if it is absent.
    pub unit: String,
    /// Scale: TSCALn; 1 if it is absent.
    pub scale: f64,
    /// Zero point: TZEROn; 0 if it is absent.
    pub zero: f64,
    /// Value that stands for no value: TNULLn of an integer column.
    pub null: Option<i64>,
    /// What is taken off 64-bit integers as they are stored before they become real numbers, TZEROn with it; 0 for nothing. See
    /// [`FitsTable::counted_exactly`].
    pub origin: i64,
}

impl FitsColumn {
    /// True if the column has one number in each row.
    pub fn is_number(&self) -> bool {
        !matches!(self.kind, ElementType::Opaque | ElementType::C128 | ElementType::Bit) && self.repeat == 1
    }

    /// The value that a stored integer stands for: `raw·TSCAL + TZERO`; NaN for TNULL.
    #[inline(always)]
    pub(super) fn value_of(&self, raw: i64) -> f64 {
        // No i64 equals the sentinel of a column without TNULL once widened.
        let null = self.null.map_or(i128::MAX, i128::from);
        if i128::from(raw) == null { f64::NAN } else { raw as f64 * self.scale + self.zero }
    }

    /// True if the column has unsigned integers of 64 bits: signed ones with a TZEROn of 2^63.
    pub fn is_unsigned64(&self) -> bool {
        self.kind == ElementType::I64 && self.scale == 1.0 && self.zero == (1u64 << 63) as f64
    }
}

/// A binary table in a FITS file.
#[derive(Clone)]
pub struct FitsTable {
    source: InputFile,
    /// Name and number of the extension, for messages.
    pub place: String,
    /// Number of rows.
    pub rows: usize,
    /// Number of bytes in a row.
    pub row_size: usize,
    /// The columns, in order.
    pub columns: Vec<FitsColumn>,
    /// Number of rows that the header announces but a truncated file does not have.
    pub lost: u64,
    data_offset: u64,
}

/// The bytes of some rows of a table, in a buffer that is used again.
#[derive(Clone, Debug, Default)]
pub struct RowBytes {
    bytes: Vec<u8>,
    row_size: usize,
}

impl FitsTable {
    /// Reads the layout of a table. All its bytes must be in the file, unless `salvage` allows a truncated one.
    ///
    /// # Errors
    /// Widths that do not add up, unknown formats, or rows beyond the end of the file.
    pub fn open(source: &InputFile, hdu: &Hdu, salvage: bool) -> Result<FitsTable> {
        let header = &hdu.header;
        let place = format!("extension {} ({})", hdu.index, hdu.name);
        let fail = |what: &str, message: &str| header.error(&format!("{place}, {what}"), message);
        if header.text("XTENSION").as_deref() != Some("BINTABLE") {
            let kind = header.text("XTENSION").unwrap_or_default();
            return Err(fail("XTENSION", &format!("`{kind}` is not a binary table (BINTABLE)")));
        }
        if header.text("ZTABLE").as_deref() == Some("T") {
            return Err(fail("ZTABLE", "a tile-compressed table, which is not read; unpack it with `funpack`"));
        }
        if header.int("BITPIX")? != Some(8) {
            return Err(fail("BITPIX", "a binary table has 8"));
        }
        if header.size("NAXIS")? != 2 || header.int("GCOUNT")?.is_some_and(|g| g != 1) {
            return Err(fail("NAXIS", "a binary table has 2 axes and 1 group"));
        }
        header.refuse_repeated(|key| key.starts_with("TFORM") || matches!(key, "NAXIS1" | "NAXIS2" | "TFIELDS"))?;
        let row_size = header.size("NAXIS1")?;
        let rows = header.size("NAXIS2")?;
        let fields = header.size("TFIELDS")?;
        if fields > 999 {
            return Err(fail("TFIELDS", &format!("{fields} columns; FITS allows 999")));
        }
        let mut columns = Vec::new();
        let mut width = 0u64;
        for i in 1..=fields {
            let form = header.text(&format!("TFORM{i}"));
            let form = form.ok_or_else(|| fail(&format!("TFORM{i}"), "missing: TFIELDS announces this column"))?;
            let parsed =
                parse_form(&form).filter(|(_, _, bytes)| width.checked_add(*bytes).is_some_and(|w| w <= row_size));
            let Some((kind, repeat, bytes)) = parsed else {
                let message = format!("`{form}` is not a format that fits in rows of {row_size} bytes");
                return Err(fail(&format!("TFORM{i}"), &message));
            };
            columns.push(FitsColumn {
                name: header.text(&format!("TTYPE{i}")).unwrap_or_default(),
                kind,
                repeat,
                offset: width as usize,
                unit: header.text(&format!("TUNIT{i}")).unwrap_or_default(),
                scale: header.real(&format!("TSCAL{i}"))?.unwrap_or(1.0),
                zero: header.real(&format!("TZERO{i}"))?.unwrap_or(0.0),
                null: header.int(&format!("TNULL{i}")).ok().flatten(),
                origin: 0,
            });
            width += bytes;
        }
        if width != row_size || (row_size == 0 && rows > 0) {
            return Err(fail("NAXIS1", &format!("rows of {row_size} bytes, but the columns take {width}")));
        }
        let there = source.len().saturating_sub(hdu.data_offset);
        let needed = rows.checked_mul(row_size).filter(|&n| n <= there);
        if needed.is_none() && !salvage {
            let whole = there.checked_div(row_size).unwrap_or(0);
            let message = format!(
                "{rows} rows of {row_size} bytes are announced from byte {}, but the file ends after {whole} of them",
                hdu.data_offset
            );
            return Err(fail("NAXIS2", &message).mended_by([Mend::set("salvage", true).doing("keeps those")]));
        }
        if needed.is_some() && hdu.data_len > there && !salvage {
            let message =
                format!("{} bytes after the rows are announced, but the file ends before", header.size("PCOUNT")?);
            return Err(fail("PCOUNT", &message));
        }
        let whole = needed.map_or(there.checked_div(row_size).unwrap_or(0), |_| rows);
        Ok(FitsTable {
            source: source.clone(),
            place,
            rows: whole as usize,
            row_size: row_size as usize,
            columns,
            lost: rows - whole,
            data_offset: hdu.data_offset,
        })
    }

    /// The column with this name, in any case; `None` if there is none.
    ///
    /// # Errors
    /// Two columns have the name; rows are wider than 16 MiB.
    pub fn column(&self, name: &str) -> Result<Option<&FitsColumn>> {
        if self.rows > 0 && self.row_size > WIDEST_ROW {
            let message = format!("rows of {} bytes; those that are read have at most {WIDEST_ROW}", self.row_size);
            return Err(self.error("NAXIS1", &message));
        }
        let mut found = self.columns.iter().filter(|c| c.name.trim().eq_ignore_ascii_case(name));
        let first = found.next();
        match found.next() {
            Some(_) => Err(self.error(&format!("column {name}"), "there are two columns of this name")),
            None => Ok(first),
        }
    }

    /// The column with this name, which must have one number in each row; `None` if there is none.
    ///
    /// # Errors
    /// The column has text, bits, or no or several numbers a row; or its scale is zero.
    pub fn numbers(&self, name: &str) -> Result<Option<&FitsColumn>> {
        let Some(column) = self.column(name)? else { return Ok(None) };
        let place = format!("column {}", column.name);
        if !column.is_number() {
            let message =
                format!("{} x {:?}; a column with one number in each row is needed", column.repeat, column.kind);
            return Err(self.error(&place, &message));
        }
        if column.scale == 0.0 {
            return Err(self.error(&place, "TSCAL is 0: all values would be the same"));
        }
        Ok(Some(column))
    }

    /// A column whose 64-bit integers are beyond what f64 holds exactly, counted from its first value, and that value: what is decoded and the
    /// value add up to what is stored. Other columns as they are, and 0.
    ///
    /// # Errors
    /// See [`FitsTable::read`].
    pub fn counted_exactly(&self, column: &FitsColumn) -> Result<(FitsColumn, DoubleDouble)> {
        let whole = column.kind == ElementType::I64 && column.scale == 1.0 && column.origin == 0;
        let zero = if column.is_unsigned64() { 1i128 << 63 } else { 0 };
        if !whole || column.zero != zero as f64 || self.rows == 0 {
            return Ok((column.clone(), DoubleDouble::ZERO));
        }
        let mut first = RowBytes::default();
        self.read(0..self.rows.min(self.rows_at_a_time()), &mut first)?;
        let stored = first.fields::<8>(column).map(i64::from_be_bytes).find(|raw| column.null != Some(*raw));
        match stored.map(|raw| (raw, i128::from(raw) + zero)).filter(|(_, value)| value.abs() > LARGEST_EXACT) {
            Some((origin, value)) => {
                let rounded = value as f64;
                let counted_from = DoubleDouble::sum(rounded, (value - rounded as i128) as f64);
                // Counted from 0 as stored, a column is what is stored.
                let zero = if origin == 0 { 0.0 } else { column.zero };
                Ok((FitsColumn { origin, zero, ..column.clone() }, counted_from))
            }
            None => Ok((column.clone(), DoubleDouble::ZERO)),
        }
    }

    /// Name of the file as given.
    pub fn path(&self) -> &str {
        self.source.path()
    }

    /// An error about the place `what` in this table.
    pub fn error(&self, what: &str, message: &str) -> crate::base::error::Error {
        super::input_file::format_error(self.source.path(), &format!("{}, {what}", self.place), message)
    }

    /// Rows read at a time: a piece that stays in a core's cache, whole words of 32 bits.
    pub(super) fn rows_at_a_time(&self) -> usize {
        (PIECE / self.row_size.max(1)).next_multiple_of(4).max(4)
    }

    /// Where row `row` begins in the file.
    pub(super) fn offset_of(&self, row: usize) -> u64 {
        self.data_offset + row as u64 * self.row_size as u64
    }

    /// See [`InputFile::will_read`].
    pub(super) fn will_read(&self, rows: Range<usize>) {
        self.source.will_read(self.offset_of(rows.start)..self.offset_of(rows.end));
    }

    /// Reads some rows into a buffer.
    ///
    /// # Errors
    /// The file cannot be read, or has become shorter.
    pub fn read(&self, rows: Range<usize>, into: &mut RowBytes) -> Result<()> {
        into.row_size = self.row_size.max(1);
        into.bytes.resize(rows.len() * self.row_size, 0);
        // A table without rows may stand at the end of a file that lacks the padding of its last header.
        if rows.is_empty() { Ok(()) } else { self.source.read_at(self.offset_of(rows.start), &mut into.bytes) }
    }

    /// Calls `look` with pieces of some rows, in order.
    ///
    /// # Errors
    /// See [`FitsTable::read`].
    pub(super) fn each_piece(&self, rows: Range<usize>, mut look: impl FnMut(&RowBytes)) -> Result<()> {
        let (step, mut buffer) = (self.rows_at_a_time(), RowBytes::default());
        for from in rows.clone().step_by(step) {
            self.read(from..(from + step).min(rows.end), &mut buffer)?;
            look(&buffer);
        }
        Ok(())
    }

    /// Reads some rows and decodes a column as [`RowBytes::decode`] does.
    ///
    /// # Errors
    /// See [`FitsTable::read`].
    pub fn decode(&self, column: &FitsColumn, rows: Range<usize>, out: &mut Vec<f64>) -> Result<()> {
        self.each_piece(rows, |piece| piece.decode(column, out))
    }

    /// What `value` makes of eight bytes of a column in all rows, from byte `at` of its field on, as they stand: neither TSCAL nor
    /// TNULL are looked at. The field has so many bytes.
    ///
    /// # Errors
    /// See [`FitsTable::read`].
    pub(super) fn words<T>(&self, column: &FitsColumn, at: usize, value: impl Fn([u8; 8]) -> T) -> Result<Vec<T>> {
        let mut out = Vec::with_capacity(self.rows);
        let field = FitsColumn { offset: column.offset + at, ..column.clone() };
        self.each_piece(0..self.rows, |piece| out.extend(piece.fields::<8>(&field).map(&value)))?;
        Ok(out)
    }
}

impl RowBytes {
    /// The bytes of all rows.
    pub fn bytes(&self) -> &[u8] {
        &self.bytes
    }

    /// Appends the first element of `column` in each row to `out`: `raw·TSCAL + TZERO`, each operation in f64. TNULL
    /// becomes NaN.
    ///
    /// 64-bit integers beyond 2^53, signed or not, are rounded to nearest, once; of columns with an origin, what is left of it.
    pub fn decode(&self, column: &FitsColumn, out: &mut Vec<f64>) {
        decode(self, column, out);
    }

    #[inline(always)]
    fn decode_as<const N: usize>(&self, column: &FitsColumn, get: impl Fn([u8; N]) -> i64, out: &mut Vec<f64>) {
        self.each_field(column, |b| column.value_of(get(b)), out);
    }

    #[inline(always)]
    fn decode_real<const N: usize>(&self, column: &FitsColumn, get: impl Fn([u8; N]) -> f64, out: &mut Vec<f64>) {
        let (scale, zero) = (column.scale, column.zero);
        if scale == 1.0 && zero == 0.0 {
            self.each_field(column, get, out);
        } else {
            self.each_field(column, |b| get(b) * scale + zero, out);
        }
    }

    /// Appends what `value` makes of the first `N` bytes of `column` in each row. Widths of rows that are common are known to the
    /// compiler: half the time.
    #[inline(always)]
    fn each_field<const N: usize>(&self, column: &FitsColumn, value: impl Fn([u8; N]) -> f64, out: &mut Vec<f64>) {
        let (bytes, offset) = (&self.bytes[..], column.offset);
        match self.row_size {
            8 => extend::<8, N>(bytes, offset, value, out),
            10 => extend::<10, N>(bytes, offset, value, out),
            12 => extend::<12, N>(bytes, offset, value, out),
            14 => extend::<14, N>(bytes, offset, value, out),
            16 => extend::<16, N>(bytes, offset, value, out),
            _ => out.extend(self.fields(column).map(value)),
        }
    }

    /// The first `N` bytes of `column` in each row.
    #[expect(clippy::indexing_slicing, reason = "a table is opened only where its columns fit in its rows")]
    pub(super) fn fields<const N: usize>(&self, column: &FitsColumn) -> impl Iterator<Item = [u8; N]> {
        let offset = column.offset;
        self.bytes.chunks_exact(self.row_size.max(1)).map(move |row| {
            let mut field = [0; N];
            field.copy_from_slice(&row[offset..offset + N]);
            field
        })
    }

    /// Appends the first byte of `column` in each row, as stored (bit columns: the first eight bits).
    pub fn decode_bytes(&self, column: &FitsColumn, out: &mut Vec<u8>) {
        out.extend(self.fields::<1>(column).map(|b| b[0]));
    }
}

/// [`RowBytes::decode`].
#[multiversion(targets("x86_64+avx2+bmi1+bmi2+movbe"))]
fn decode(rows: &RowBytes, column: &FitsColumn, out: &mut Vec<f64>) {
    match column.kind {
        ElementType::U8 => rows.decode_as(column, |b: [u8; 1]| i64::from(b[0]), out),
        ElementType::I16 => rows.decode_as(column, |b| i64::from(i16::from_be_bytes(b)), out),
        ElementType::I32 => rows.decode_as(column, |b| i64::from(i32::from_be_bytes(b)), out),
        ElementType::I64 if column.origin != 0 => {
            let (null, origin) = (column.null, i128::from(column.origin));
            let value = |b| {
                let raw = i64::from_be_bytes(b);
                if null == Some(raw) { f64::NAN } else { (i128::from(raw) - origin) as f64 }
            };
            rows.each_field(column, value, out);
        }
        // Unsigned integers are stored less 2^63: their first bit is turned, so that they are rounded once.
        ElementType::I64 if column.is_unsigned64() => {
            let null = column.null;
            let value = |b| {
                let raw = i64::from_be_bytes(b);
                if null == Some(raw) { f64::NAN } else { (raw as u64 ^ 1 << 63) as f64 }
            };
            rows.each_field(column, value, out);
        }
        ElementType::I64 => rows.decode_as(column, i64::from_be_bytes, out),
        ElementType::F32 => rows.decode_real(column, |b| f64::from(f32::from_be_bytes(b)), out),
        ElementType::F64 => rows.decode_real(column, f64::from_be_bytes, out),
        ElementType::Bit | ElementType::C128 | ElementType::Opaque => {}
    }
}

/// Appends what `value` makes of `N` bytes from `offset` on in each row of `R` bytes; a table is opened only where its columns fit in
/// its rows.
#[inline(always)]
fn extend<const R: usize, const N: usize>(
    bytes: &[u8],
    offset: usize,
    value: impl Fn([u8; N]) -> f64,
    out: &mut Vec<f64>,
) {
    let (rows, _) = bytes.as_chunks::<R>();
    out.reserve(rows.len());
    let value = |row: &[u8; R]| {
        let mut field = [0; N];
        field.copy_from_slice(&row[offset..offset + N]);
        value(field)
    };
    // A loop over places, for `Vec::extend` would be another function, without this one's instructions; over so many of them that
    // they never leave the registers, for a length that is known is no call.
    let (blocks, rest) = rows.as_chunks::<16>();
    for rows in blocks {
        let mut block = [0.0; 16];
        block.iter_mut().zip(rows).for_each(|(out, row)| *out = value(row));
        out.extend_from_slice(&block);
    }
    rest.iter().for_each(|row| out.push(value(row)));
}

/// TFORM: element type, repeat count and bytes a row.
fn parse_form(form: &str) -> Option<(ElementType, u64, u64)> {
    let form = form.trim();
    let digits = form.bytes().take_while(u8::is_ascii_digit).count();
    let repeat: u64 = if digits == 0 { 1 } else { form.get(..digits)?.parse().ok()? };
    let (kind, size) = match form.as_bytes().get(digits)? {
        b'X' => return Some((ElementType::Bit, repeat, repeat.div_ceil(8))),
        b'B' => (ElementType::U8, 1),
        b'I' => (ElementType::I16, 2),
        b'J' => (ElementType::I32, 4),
        b'K' => (ElementType::I64, 8),
        b'E' => (ElementType::F32, 4),
        b'D' => (ElementType::F64, 8),
        b'L' | b'A' => (ElementType::Opaque, 1),
        b'C' | b'P' => (ElementType::Opaque, 8),
        b'M' => (ElementType::C128, 16),
        b'Q' => (ElementType::Opaque, 16),
        _ => return None,
    };
    Some((kind, repeat, repeat.checked_mul(size)?))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn formats_have_their_widths() {
        assert_eq!(parse_form("24X"), Some((ElementType::Bit, 24, 3)));
        assert_eq!(parse_form("9X "), Some((ElementType::Bit, 9, 2)));
        assert_eq!(parse_form("D"), Some((ElementType::F64, 1, 8)));
        assert_eq!(parse_form("1PE(12)"), Some((ElementType::Opaque, 1, 8)));
        assert_eq!(parse_form("0J"), Some((ElementType::I32, 0, 0)));
        assert_eq!(parse_form("ZZ"), None);
        assert_eq!(parse_form(""), None);
        assert_eq!(parse_form("99999999999999999999D"), None);
    }
}

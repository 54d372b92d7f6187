//! The bytes of an input file, or of the unnamed temporary file that gzip was unpacked into; read piece by piece, at
//! any place.

use std::collections::HashMap;
use std::fs::File;
use std::io::{BufRead, Read, Write};
use std::ops::Range;
use std::path::Path;
use std::sync::Arc;

use flate2::Crc;
use rayon::prelude::*;

use crate::base::error::{Error, Result};
use crate::base::trace;

/// Unpacked size up to which any compression ratio is believed.
const GZIP_FREE: u64 = 256 << 20;
/// Largest believable ratio of unpacked to packed bytes beyond [`GZIP_FREE`]; event lists reach about 20.
const GZIP_RATIO: u64 = 200;

/// Bytes read at a time: few enough to stay in a core's cache between the copy and its use.
pub(super) const PIECE: usize = 256 << 10;
/// Most bytes that a disk is asked for ahead of a reader.
#[cfg(target_os = "linux")]
const READ_AHEAD_BYTES: u64 = 32 << 20;
/// Bytes of a read that takes microseconds; shorter ones are part of what they are for.
const WORTH_TIMING: usize = 16 << 10;
/// How files begin that other packers made, the packer, and what unpacks them.
const PACKED: [(&[u8], &str, &str); 6] = [
    (&[0x1f, 0x9d], "compress (.Z)", "uncompress or gunzip"),
    (b"BZh", "bzip2 (.bz2)", "bunzip2"),
    (&[0x28, 0xb5, 0x2f, 0xfd], "zstd (.zst)", "unzstd"),
    (&[0xfd, b'7', b'z', b'X', b'Z', 0], "xz (.xz)", "unxz"),
    (&[b'P', b'K', 3, 4], "zip (.zip)", "unzip"),
    (&[b'7', b'z', 0xbc, 0xaf], "7-Zip (.7z)", "7z x"),
];
/// How files begin that gzip made.
const GZIP: [u8; 2] = [0x1f, 0x8b];
/// Bytes that a message shows.
const SHOWN: usize = 16;
/// Bytes of the longest of these.
const LONGEST_MAGIC: u64 = 6;
/// Bytes at the start that are kept, to recognise what a file holds.
const HEAD_BYTES: u64 = 4096;

/// An input file, open for reading and cheap to clone; gzip is unpacked into a temporary file. If the file shrinks
/// while it is open, reading returns an error.
#[derive(Clone)]
pub struct InputFile {
    path: Arc<str>,
    file: Arc<File>,
    len: u64,
    head: Arc<[u8]>,
    compressed: bool,
}

impl InputFile {
    /// Opens a regular file. Gzip is recognised by its content.
    ///
    /// # Errors
    /// The operating system refuses; the path is a directory or a pipe; the file is empty; or gzip data are truncated
    /// or larger than plausible.
    pub fn open(path: &Path) -> Result<InputFile> {
        let name: Arc<str> = path.display().to_string().into();
        // Asked before opening: to open a pipe is to wait for its writer.
        let meta = std::fs::metadata(path).map_err(|e| Error::io(path, e))?;
        if !meta.is_file() {
            return Err(format_error(&name, "whole file", "not a regular file; event lists are read at any place"));
        }
        if meta.len() == 0 {
            return Err(format_error(&name, "byte 0", "the file is empty"));
        }
        let mut file = File::open(path).map_err(|e| Error::io(path, e))?;
        let mut magic = Vec::new();
        (&mut file).take(LONGEST_MAGIC).read_to_end(&mut magic).map_err(|e| Error::io(path, e))?;
        if let Some((_, packer, unpacker)) = PACKED.iter().find(|(begin, ..)| magic.starts_with(begin)) {
            let message =
                format!("packed by {packer}, which is not read; unpack it with {unpacker}, or pack it with gzip");
            return Err(format_error(&name, "byte 0", &message));
        }
        let compressed = meta.len() > 2 && magic.starts_with(&GZIP);
        let file = if compressed { unpack(&name, path, meta.len())? } else { file };
        let len = file.metadata().map_err(|e| Error::io(path, e))?.len();
        if len == 0 {
            return Err(format_error(&name, "gzip stream", "it unpacks to nothing"));
        }
        let mut source = InputFile { path: name, file: Arc::new(file), len, head: Arc::new([]), compressed };
        source.head = source.read(0..len.min(HEAD_BYTES))?.into();
        if compressed && let Some(packer) = packed_by(source.head()) {
            let message = format!("it unpacks to what {packer} has packed; unpack it once by hand");
            return Err(format_error(&source.path, "gzip stream", &message));
        }
        Ok(source)
    }

    /// Name of the file as given.
    pub fn path(&self) -> &Arc<str> {
        &self.path
    }

    /// Number of bytes, unpacked, when the file was opened; never 0.
    #[allow(clippy::len_without_is_empty)]
    pub fn len(&self) -> u64 {
        self.len
    }

    /// True if the file begins as FITS files do.
    pub fn is_fits(&self) -> bool {
        self.head.starts_with(b"SIMPLE  =")
    }

    /// The first bytes, at most 4096.
    pub fn head(&self) -> &[u8] {
        &self.head
    }

    /// Fills `out` with the bytes from offset `at` on, unpacked.
    ///
    /// # Errors
    /// The file cannot be read, or has become shorter.
    pub fn read_at(&self, at: u64, out: &mut [u8]) -> Result<()> {
        let _span = trace::span_if(out.len() >= WORTH_TIMING, "read");
        trace::count("bytes read", out.len() as u64);
        read_exact_at(&self.file, at, out).map_err(|e| match e.kind() {
            std::io::ErrorKind::UnexpectedEof => {
                let place = format!("{} bytes from byte {at} on", out.len());
                format_error(&self.path, &place, "the file became shorter while it was read")
            }
            _ => Error::io(&*self.path, e),
        })
    }

    /// Tells the system that bytes will be read soon, so that a disk fetches them while others are worked on. A hint: where it is
    /// not taken, reading takes longer.
    #[cfg(target_os = "linux")]
    pub(super) fn will_read(&self, range: Range<u64>) {
        let length = range.end.saturating_sub(range.start).min(READ_AHEAD_BYTES);
        let held = |at| {
            let (mut byte, flags) = ([0], rustix::io::ReadWriteFlags::NOWAIT);
            rustix::io::preadv2(&*self.file, &mut [std::io::IoSliceMut::new(&mut byte)], at, flags) == Ok(1)
        };
        // To go through the pages of what the system has in memory takes longer than to ask for two of them.
        if let Some(length) = std::num::NonZeroU64::new(length)
            && !(held(range.start) && held(range.start + length.get() - 1))
        {
            let _ = rustix::fs::fadvise(&*self.file, range.start, Some(length), rustix::fs::Advice::WillNeed);
        }
    }

    /// There is no such hint.
    #[cfg(not(target_os = "linux"))]
    pub(super) fn will_read(&self, _range: Range<u64>) {}

    /// The bytes of a range inside the file.
    ///
    /// # Errors
    /// See [`InputFile::read_at`].
    pub fn read(&self, range: Range<u64>) -> Result<Vec<u8>> {
        let mut bytes = vec![0; (range.end - range.start) as usize];
        self.read_at(range.start, &mut bytes)?;
        Ok(bytes)
    }

    /// How often a byte occurs.
    ///
    /// # Errors
    /// See [`InputFile::read_at`].
    pub(super) fn count(&self, wanted: u8) -> Result<u64> {
        let counts = self.pieces(0..self.len, |bytes| bytes.iter().filter(|byte| **byte == wanted).count() as u64)?;
        Ok(counts.into_iter().sum())
    }

    /// What `look` makes of each piece of a range, in order; on all cores. All pieces but the last have [`PIECE`] bytes.
    ///
    /// # Errors
    /// See [`InputFile::read_at`].
    pub(super) fn pieces<T: Send>(&self, range: Range<u64>, look: impl Fn(&[u8]) -> T + Sync + Send) -> Result<Vec<T>> {
        let count = (range.end - range.start).div_ceil(PIECE as u64);
        let one = |buffer: &mut Vec<u8>, piece: u64| {
            let at = range.start + piece * PIECE as u64;
            buffer.resize((range.end - at).min(PIECE as u64) as usize, 0);
            self.read_at(at, buffer)?;
            Ok(look(buffer))
        };
        in_order(count, Vec::new, one)
    }

    /// CRC-32 of a range; on all cores.
    pub(super) fn crc(&self, range: Range<u64>) -> Result<Crc> {
        let pieces = self.pieces(range, |bytes| {
            let _span = trace::span("check and hash");
            let mut crc = Crc::new();
            crc.update(bytes);
            crc
        })?;
        Ok(joined(&pieces))
    }

    /// CRC-32 (IEEE 802.3) of all bytes, unpacked, in hexadecimal; computed on all cores.
    ///
    /// # Errors
    /// See [`InputFile::read_at`].
    pub fn crc32(&self) -> Result<String> {
        self.crc(0..self.len).map(|crc| hexadecimal(&crc))
    }

    /// Refuses input files that are given twice: one path, links to one file, or copies, packed or not. An average
    /// would count such a file as two observations, with errors that are too small; a sum would have each photon twice.
    ///
    /// # Errors
    /// Two files have the same content; the error names both.
    pub fn refuse_duplicates<'a>(sources: impl IntoIterator<Item = &'a InputFile>) -> Result<()> {
        let mut seen: HashMap<u64, Vec<&InputFile>> = HashMap::new();
        for source in sources {
            let same = seen.entry(source.len).or_default();
            for other in same.iter() {
                if other.equals(source)? {
                    let message = format!("has the same content as {}: each observation counts once", other.path);
                    return Err(Error::argument("files", &source.path, message));
                }
            }
            same.push(source);
        }
        Ok(())
    }

    /// True when another file of the same length has the same bytes; reads up to the first difference.
    fn equals(&self, other: &InputFile) -> Result<bool> {
        for at in (0..self.len).step_by(PIECE) {
            let piece = at..self.len.min(at + PIECE as u64);
            if self.read(piece.clone())? != other.read(piece)? {
                return Ok(false);
            }
        }
        Ok(true)
    }

    /// True if the file was gzip.
    pub fn compressed(&self) -> bool {
        self.compressed
    }
}

/// `one` of `count` numbers, in order; on all cores where there are several.
pub(super) fn in_order<S, T: Send>(
    count: u64,
    scratch: impl Fn() -> S + Sync + Send,
    one: impl Fn(&mut S, u64) -> Result<T> + Sync + Send,
) -> Result<Vec<T>> {
    // To wake another thread takes longer than a piece.
    if count < 2 {
        let mut scratch = scratch();
        return (0..count).map(|i| one(&mut scratch, i)).collect();
    }
    (0..count).into_par_iter().map_init(scratch, one).collect()
}

/// The CRC of neighbouring ranges.
pub(super) fn joined<'a>(parts: impl IntoIterator<Item = &'a Crc>) -> Crc {
    parts.into_iter().fold(Crc::new(), |mut sum, part| {
        sum.combine(part);
        sum
    })
}

pub(super) fn hexadecimal(crc: &Crc) -> String {
    format!("{:08x}", crc.sum())
}

#[cfg(unix)]
fn read_exact_at(file: &File, at: u64, out: &mut [u8]) -> std::io::Result<()> {
    std::os::unix::fs::FileExt::read_exact_at(file, out, at)
}

#[cfg(windows)]
fn read_exact_at(file: &File, mut at: u64, mut out: &mut [u8]) -> std::io::Result<()> {
    while !out.is_empty() {
        let n = std::os::windows::fs::FileExt::seek_read(file, out, at)?;
        if n == 0 {
            return Err(std::io::ErrorKind::UnexpectedEof.into());
        }
        at += n as u64;
        out = &mut out[n..];
    }
    Ok(())
}

fn unpack(name: &str, path: &Path, packed: u64) -> Result<File> {
    let input = File::open(path).map_err(|e| Error::io(path, e))?;
    let mut unpacker = flate2::bufread::GzDecoder::new(std::io::BufReader::with_capacity(1 << 18, input));
    let mut output = tempfile::tempfile().map_err(|e| Error::io(std::env::temp_dir(), e))?;
    let cap = GZIP_FREE.max(packed.saturating_mul(GZIP_RATIO));
    let mut buffer = vec![0; 1 << 18];
    let mut total = 0u64;
    loop {
        let n = unpacker
            .read(&mut buffer)
            .map_err(|e| format_error(name, &format!("gzip stream after {total} unpacked bytes"), &e.to_string()))?;
        if n == 0 {
            let mut rest = unpacker.into_inner();
            if is_padding(&mut rest).map_err(|e| Error::io(path, e))? {
                return Ok(output);
            }
            refuse_other(name, &mut rest).map_err(|e| Error::io(path, e))??;
            // Another member.
            unpacker = flate2::bufread::GzDecoder::new(rest);
            continue;
        }
        total += n as u64;
        if total > cap {
            let message = format!(
                "{packed} packed bytes unpack to more than {cap}: not an event list; unpack it by hand if it is genuine"
            );
            return Err(format_error(name, "gzip stream", &message));
        }
        output.write_all(buffer.get(..n).unwrap_or(&buffer)).map_err(|e| Error::io(std::env::temp_dir(), e))?;
    }
}

/// True where nothing follows, or zeros alone, to which tapes and archives pad files; zeros are read, and what follows is left.
fn is_padding(rest: &mut impl std::io::BufRead) -> std::io::Result<bool> {
    loop {
        let buffer = rest.fill_buf()?;
        let zeros = buffer.iter().take_while(|byte| **byte == 0).count();
        if zeros < buffer.len() || zeros == 0 {
            return Ok(buffer.is_empty());
        }
        rest.consume(zeros);
    }
}

/// Refuses what follows a member of gzip and is none: what it is, and where.
fn refuse_other(name: &str, rest: &mut std::io::BufReader<File>) -> std::io::Result<Result<()>> {
    let at = std::io::Seek::stream_position(rest)?;
    let next = rest.fill_buf()?;
    if next.starts_with(&GZIP) || next == [GZIP[0]] {
        return Ok(Ok(()));
    }
    let shown = String::from_utf8_lossy(next.get(..SHOWN).unwrap_or(next)).escape_debug().to_string();
    let message = format!(
        "something else than gzip follows the packed data, and begins with `{shown}`; if it is none of the file, cut it off there"
    );
    Ok(Err(format_error(name, &format!("packed byte {at}"), &message)))
}

/// What packed some bytes, if they begin as its files do.
fn packed_by(head: &[u8]) -> Option<&'static str> {
    let others = PACKED.iter().find(|(begin, ..)| head.starts_with(begin)).map(|(_, packer, _)| *packer);
    others.or(head.starts_with(&GZIP).then_some("gzip (.gz)"))
}

/// A [`Error::Format`] about `place` in `path`.
pub(crate) fn format_error(path: &str, place: &str, message: &str) -> Error {
    Error::format(path, place, message)
}

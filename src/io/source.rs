//! The bytes of a file: mapped, or unpacked from gzip into an unnamed temporary file and mapped.

use std::collections::HashMap;
use std::fs::File;
use std::io::{Read, Write};
use std::path::Path;
use std::sync::Arc;

use rayon::prelude::*;

use crate::error::{Error, Result};

/// Unpacked size up to which any compression ratio is believed.
const GZIP_FREE: u64 = 256 << 20;
/// Largest believable ratio of unpacked to packed bytes beyond [`GZIP_FREE`]; event lists reach about 20.
const GZIP_RATIO: u64 = 200;

/// Bytes that one core hashes at a time.
const CRC_BYTES: usize = 4 << 20;

/// The whole content of one input file, read-only, shared by all readers of it.
#[derive(Clone)]
pub struct Source {
    path: Arc<str>,
    map: Arc<memmap2::Mmap>,
    compressed: bool,
}

impl Source {
    /// Opens and maps a regular file; gzip is recognised by its content.
    ///
    /// # Errors
    /// The system's own error; a directory, pipe or empty file; gzip data that are cut off or larger than believable.
    pub fn open(path: &Path) -> Result<Source> {
        let name: Arc<str> = path.display().to_string().into();
        // Asked before opening: to open a pipe is to wait for its writer.
        let meta = std::fs::metadata(path).map_err(|e| Error::io(path, e))?;
        if !meta.is_file() {
            return Err(format_error(&name, "whole file", "not a regular file; event lists are read by mapping them"));
        }
        if meta.len() == 0 {
            return Err(format_error(&name, "byte 0", "the file is empty"));
        }
        let mut file = File::open(path).map_err(|e| Error::io(path, e))?;
        let mut magic = [0; 2];
        let compressed = meta.len() > 2 && file.read_exact(&mut magic).is_ok() && magic == [0x1f, 0x8b];
        let file = if compressed { unpack(&name, path, meta.len())? } else { file };
        // SAFETY: the map is private to this value and never written through. Another process that truncates or rewrites
        // the file while it is mapped can make reads fault or change, as for every tool that maps its input; the
        // temporary file of a packed input has no name that another process could open.
        let map = unsafe { memmap2::Mmap::map(&file) }.map_err(|e| Error::io(path, e))?;
        if map.is_empty() {
            return Err(format_error(&name, "gzip stream", "it unpacks to nothing"));
        }
        Ok(Source { path: name, map: Arc::new(map), compressed })
    }

    /// The file's name as given.
    pub fn path(&self) -> &Arc<str> {
        &self.path
    }

    /// All bytes, unpacked.
    pub fn bytes(&self) -> &[u8] {
        &self.map
    }

    /// CRC-32 (IEEE 802.3) of all bytes, unpacked, in hexadecimal; computed on all cores.
    pub fn crc32(&self) -> String {
        let blocks: Vec<flate2::Crc> = self
            .bytes()
            .par_chunks(CRC_BYTES)
            .map(|block| {
                let mut crc = flate2::Crc::new();
                crc.update(block);
                crc
            })
            .collect();
        let whole = blocks.iter().fold(flate2::Crc::new(), |mut sum, block| {
            sum.combine(block);
            sum
        });
        format!("{:08x}", whole.sum())
    }

    /// Refuses files that are given twice: one path, links to one file, or copies, packed or not. No analysis wants that:
    /// averages would weigh the file twice, with errors as if it were two observations, and sums would have each photon twice.
    ///
    /// # Errors
    /// Two files of the same content; the error names both.
    pub fn refuse_duplicates<'a>(sources: impl IntoIterator<Item = &'a Source>) -> Result<()> {
        let mut seen: HashMap<usize, Vec<&Source>> = HashMap::new();
        for source in sources {
            let same = seen.entry(source.bytes().len()).or_default();
            // Contents are compared up to their first difference.
            if let Some(other) = same.iter().find(|other| other.bytes() == source.bytes()) {
                let message = format!("has the same content as {}: each observation counts once", other.path);
                return Err(Error::argument("FILE", &source.path, message));
            }
            same.push(source);
        }
        Ok(())
    }

    /// True when the file was gzip.
    pub fn compressed(&self) -> bool {
        self.compressed
    }
}

fn unpack(name: &str, path: &Path, packed: u64) -> Result<File> {
    let input = File::open(path).map_err(|e| Error::io(path, e))?;
    let mut unpacker = flate2::read::MultiGzDecoder::new(std::io::BufReader::with_capacity(1 << 18, input));
    let mut output = tempfile::tempfile().map_err(|e| Error::io(std::env::temp_dir(), e))?;
    let cap = GZIP_FREE.max(packed.saturating_mul(GZIP_RATIO));
    let mut buffer = vec![0; 1 << 18];
    let mut total = 0u64;
    loop {
        let n = unpacker
            .read(&mut buffer)
            .map_err(|e| format_error(name, &format!("gzip stream after {total} unpacked bytes"), &e.to_string()))?;
        if n == 0 {
            return Ok(output);
        }
        total += n as u64;
        if total > cap {
            let message = format!(
                "{packed} packed bytes unpack to more than {cap}: not an event list; unpack it by hand if it is genuine"
            );
            return Err(format_error(name, "gzip stream", &message));
        }
        output.write_all(&buffer[..n]).map_err(|e| Error::io(std::env::temp_dir(), e))?;
    }
}

/// A [`Error::Format`] about `place` in `path`.
pub(crate) fn format_error(path: &str, place: &str, message: &str) -> Error {
    Error::Format { path: path.to_string(), place: place.to_string(), message: message.to_string() }
}

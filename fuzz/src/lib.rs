//! What the fuzz targets share: files made of the fuzzer's bytes, and changes that know what such files are made of.

use std::path::PathBuf;

mod draw;
mod loose;
pub mod mutate;
mod words;

pub use loose::{fits, looks_like_fits};

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

//! What one look over a file finds, and what is warned of.

use flate2::Crc;

use super::datasum;
use super::fits::{Hdu, RepeatedKeyword};
use super::input_file::InputFile;
use crate::base::error::Result;
use crate::base::warning::Warnings;

/// Facts about all times of a file.
#[derive(Clone, Copy, Debug, PartialEq, serde::Serialize)]
#[non_exhaustive]
pub struct TimeScan {
    /// True if no time is below the one before it.
    pub sorted: bool,
    /// Smallest finite raw time, s; infinity if there is none.
    pub first: f64,
    /// Largest finite raw time, s; negative infinity if there is none.
    pub last: f64,
    /// Number of times that are not finite.
    pub not_finite: u64,
}

/// What one reading of the whole file finds.
#[derive(Debug)]
pub(super) struct FileScan {
    pub times: TimeScan,
    pub crc: Crc,
    /// Sum of the words of the event table; `None` where nothing was announced to compare it with.
    pub datasum: Option<(u32, u64)>,
}

/// Warns of what the standard forbids and what changes no value that is read.
pub(super) fn warn_of_container(source: &InputFile, hdus: &[Hdu], trailing: Option<u64>, warnings: &mut Warnings) {
    let path = source.path();
    if hdus.first().and_then(|h| h.header.text("SIMPLE")).as_deref() != Some("T") {
        warnings.push("W-SIMPLE", format!("{path}: SIMPLE is not T: the file says of itself that it is not standard"));
    }
    // One warning of each kind for all headers, of which there may be many: it names the first.
    let (mut bytes, mut valueless, mut repeated) = ((None, 0), (None, 0), (None, 0));
    for hdu in hdus {
        let place = || format!("{path}: header {}", hdu.index);
        if let Some((offset, count)) = hdu.header.not_ascii {
            bytes.0.get_or_insert_with(|| {
                format!("{}: a card with bytes that are not printable ASCII, first at byte {offset}", place())
            });
            bytes.1 += count;
        }
        if let Some((key, count)) = &hdu.header.without_value {
            valueless.0.get_or_insert_with(|| format!("{}: a keyword without a value, first {key}", place()));
            valueless.1 += count;
        }
        if let Some(RepeatedKeyword { key, values: [first, other] }) = hdu.header.repeated().next() {
            repeated.0.get_or_insert_with(|| {
                format!("{}: a keyword with two values, first {key}: {first}, which is taken, and {other}", place())
            });
            repeated.1 += hdu.header.repeated().len() as u64;
        }
    }
    for (code, (message, count)) in
        [("W-HEADER-BYTES", bytes), ("W-HEADER-VALUE", valueless), ("W-HEADER-REPEATED", repeated)]
    {
        warnings.add(code, message.unwrap_or_default(), count);
    }
    if let Some(at) = trailing {
        let count = source.len() - at;
        let message = format!("{path}: {count} bytes from byte {at} on are no extension and were not read");
        warnings.push("W-TRAILING-BYTES", message);
    }
}

/// Compares the bytes of a table with its DATASUM, if it has one.
pub(super) fn warn_of_datasum(source: &InputFile, hdu: &Hdu, warnings: &mut Warnings) -> Result<()> {
    if let Some((announced, range)) = datasum::announced_sum(source, hdu) {
        compare_datasum(source, hdu, announced, datasum::sum_range(source, range)?, warnings);
    }
    Ok(())
}

pub(super) fn compare_datasum(source: &InputFile, hdu: &Hdu, announced: u32, found: u64, warnings: &mut Warnings) {
    if u64::from(announced) != found {
        let place = format!("{}: extension {} ({})", source.path(), hdu.index, hdu.name);
        warnings.push("W-DATASUM", format!("{place}: DATASUM is {announced}, but the data sum to {found}"));
    }
}

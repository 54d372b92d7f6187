//! One look over an event file: order and span of its times, its channels, its checksums and what is odd about its container.

use rayon::prelude::*;

use super::events::EventFile;
use super::fits::{self, Hdu};
use super::source::Source;
use super::table::{Column, Kind};
use crate::error::Result;
use crate::warning::Warnings;

/// Rows that one task decodes.
pub(super) const SCAN_ROWS: usize = 1 << 18;

/// What one scan over all times finds.
#[derive(Clone, Copy, Debug, PartialEq, serde::Serialize)]
pub struct TimeScan {
    /// No time is below the one before it.
    pub sorted: bool,
    /// Smallest and largest finite raw time; infinities when there is none.
    pub first: f64,
    /// See [`TimeScan::first`].
    pub last: f64,
    /// Times that are not finite.
    pub not_finite: u64,
}

impl EventFile {
    /// Smallest and largest channel; `None` without a channel column or events.
    pub fn channel_range(&self) -> Option<(f64, f64)> {
        let column = self.channel.as_ref()?;
        let mut values = Vec::new();
        let mut range = (f64::INFINITY, f64::NEG_INFINITY);
        for from in (0..self.rows()).step_by(SCAN_ROWS) {
            values.clear();
            self.table.decode(column, from..(from + SCAN_ROWS).min(self.rows()), &mut values);
            range = values.iter().fold(range, |(lo, hi), &c| (lo.min(c), hi.max(c)));
        }
        (range.0 <= range.1).then_some(range)
    }

    /// Compares the bytes of the event table with its DATASUM, if it has one; on all cores.
    pub fn check_datasum(&self, warnings: &mut Warnings) {
        warn_of_datasum(&self.source, &self.hdu, warnings);
    }

    /// CRC-32 (IEEE 802.3) of the unpacked file, in hexadecimal; computed on all cores.
    pub fn crc32(&self) -> String {
        self.source.crc32()
    }

    /// Looks at all times once, on all cores.
    pub fn scan_times(&self) -> TimeScan {
        let empty = (true, f64::INFINITY, f64::NEG_INFINITY, 0u64, None::<(f64, f64)>);
        let blocks: Vec<_> = (0..self.rows().div_ceil(SCAN_ROWS))
            .into_par_iter()
            .map_init(Vec::new, |times, block| {
                times.clear();
                self.times(block * SCAN_ROWS..((block + 1) * SCAN_ROWS).min(self.rows()), times);
                let mut state = empty;
                for &t in times.iter() {
                    if !t.is_finite() {
                        state.3 += 1;
                        continue;
                    }
                    let ends = state.4.map_or((t, t), |(first, last)| {
                        state.0 &= last <= t;
                        (first, t)
                    });
                    (state.1, state.2, state.4) = (state.1.min(t), state.2.max(t), Some(ends));
                }
                state
            })
            .collect();
        let mut scan = TimeScan { sorted: true, first: f64::INFINITY, last: f64::NEG_INFINITY, not_finite: 0 };
        let mut previous = f64::NEG_INFINITY;
        for (sorted, first, last, not_finite, ends) in blocks {
            scan.first = scan.first.min(first);
            scan.last = scan.last.max(last);
            scan.not_finite += not_finite;
            if let Some((begin, end)) = ends {
                scan.sorted &= sorted && previous <= begin;
                previous = end;
            }
        }
        scan
    }

    /// Refuses times that single precision has already spoiled.
    pub(super) fn check_resolution(&self) -> Result<()> {
        if self.time.kind != Kind::F32 || self.rows() == 0 {
            return Ok(());
        }
        // What is stored sets the resolution; TZERO, which is added in double precision, does not.
        let stored = Column { scale: 1.0, zero: 0.0, ..self.time.clone() };
        let (mut values, mut largest) = (Vec::new(), 0.0f64);
        for from in (0..self.rows()).step_by(SCAN_ROWS) {
            values.clear();
            self.table.decode(&stored, from..(from + SCAN_ROWS).min(self.rows()), &mut values);
            largest = values.iter().filter(|t| t.is_finite()).fold(largest, |m, t| m.max(t.abs()));
        }
        let unit = (self.time.scale * self.time_factor).abs();
        let resolution = (f64::from((largest as f32).next_up()) - largest) * unit;
        if resolution > 1e-5 {
            let message =
                format!("single precision leaves {resolution:.1e} s at {} s; restore a D column", largest * unit);
            return Err(self.table.error(&format!("column {}", self.time.name), &message));
        }
        Ok(())
    }
}

/// Warns of what the standard forbids and what changes no value that is read.
pub(super) fn warn_of_container(source: &Source, hdus: &[Hdu], trailing: Option<usize>, warnings: &mut Warnings) {
    let path = source.path();
    if hdus.first().and_then(|h| h.header.text("SIMPLE")).as_deref() != Some("T") {
        warnings.push("W-SIMPLE", format!("{path}: SIMPLE is not T: the file says of itself that it is not standard"));
    }
    for hdu in hdus {
        let place = format!("{path}: header {}", hdu.index);
        if let Some((offset, count)) = hdu.header.not_ascii {
            let message = format!("{place}: a card with bytes that are not ASCII, first at byte {offset}");
            warnings.add("W-HEADER-BYTES", message, count);
        }
        if let Some((key, count)) = &hdu.header.without_value {
            warnings.add("W-HEADER-VALUE", format!("{place}: a keyword without a value, first {key}"), *count);
        }
    }
    if let Some(at) = trailing {
        let count = source.bytes().len() - at;
        let message = format!("{path}: {count} bytes from byte {at} on are no extension and were not read");
        warnings.push("W-TRAILING-BYTES", message);
    }
}

pub(super) fn warn_of_datasum(source: &Source, hdu: &Hdu, warnings: &mut Warnings) {
    if let Some((announced, found)) = fits::datasum(source.bytes(), hdu).filter(|(a, b)| a != b) {
        let place = format!("{}: extension {} ({})", source.path(), hdu.index, hdu.name);
        warnings.push("W-DATASUM", format!("{place}: DATASUM is {announced}, but the data sum to {found}"));
    }
}

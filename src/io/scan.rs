//! One look over an event file: order and span of its times, its channels, its checksums and what is odd about its container.

use flate2::Crc;

use super::events::EventFile;
use super::fits::{self, Hdu};
use super::source::{Source, hexadecimal, in_order, joined};
use super::table::{Column, Kind, Rows};
use crate::error::Result;
use crate::warning::Warnings;

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

/// What one reading of the whole file finds.
#[derive(Debug)]
pub(super) struct Look {
    times: TimeScan,
    crc: Crc,
    /// Sum of the words of the event table; `None` where nothing was announced to compare it with.
    datasum: Option<(u32, u64)>,
}

/// What is known of the times of some rows.
#[derive(Clone, Copy)]
struct Stretch {
    scan: TimeScan,
    /// First and last finite time in the order of rows.
    ends: Option<(f64, f64)>,
}

impl Stretch {
    const EMPTY: Stretch = Stretch {
        scan: TimeScan { sorted: true, first: f64::INFINITY, last: f64::NEG_INFINITY, not_finite: 0 },
        ends: None,
    };

    fn extend(&mut self, times: &[f64]) {
        let scan = &mut self.scan;
        let mut last = self.ends.map_or(f64::NEG_INFINITY, |e| e.1);
        for &t in times {
            if !t.is_finite() {
                scan.not_finite += 1;
                continue;
            }
            scan.sorted &= last <= t;
            scan.first = scan.first.min(t);
            scan.last = scan.last.max(t);
            self.ends.get_or_insert((t, t)).1 = t;
            last = t;
        }
    }

    fn join(&mut self, next: &Stretch) {
        let (scan, other) = (&mut self.scan, &next.scan);
        scan.first = scan.first.min(other.first);
        scan.last = scan.last.max(other.last);
        scan.not_finite += other.not_finite;
        let in_order = self.ends.zip(next.ends).is_none_or(|((_, a), (b, _))| a <= b);
        scan.sorted &= other.sorted && in_order;
        self.ends = self.ends.map_or(next.ends, |(first, last)| Some((first, next.ends.map_or(last, |e| e.1))));
    }
}

impl EventFile {
    /// Smallest and largest channel; `None` without a channel column or events.
    ///
    /// # Errors
    /// The file cannot be read, or has become shorter.
    pub fn channel_range(&self) -> Result<Option<(f64, f64)>> {
        let Some(column) = self.channel.as_ref() else { return Ok(None) };
        let (mut values, mut range) = (Vec::new(), (f64::INFINITY, f64::NEG_INFINITY));
        self.table.each_piece(0..self.rows(), |rows| {
            values.clear();
            rows.decode(column, &mut values);
            range = values.iter().fold(range, |(lo, hi), &c| (lo.min(c), hi.max(c)));
        })?;
        Ok((range.0 <= range.1).then_some(range))
    }

    /// Compares the bytes of the event table with its DATASUM, if it has one.
    ///
    /// # Errors
    /// See [`EventFile::channel_range`].
    pub fn check_datasum(&self, warnings: &mut Warnings) -> Result<()> {
        if let Some((announced, found)) = self.look()?.datasum {
            compare_datasum(&self.source, &self.hdu, announced, found, warnings);
        }
        Ok(())
    }

    /// CRC-32 (IEEE 802.3) of the unpacked file, in hexadecimal.
    ///
    /// # Errors
    /// See [`EventFile::channel_range`].
    pub fn crc32(&self) -> Result<String> {
        self.look().map(|look| hexadecimal(&look.crc))
    }

    /// What there is to know of the times as a whole.
    ///
    /// # Errors
    /// See [`EventFile::channel_range`].
    pub fn scan_times(&self) -> Result<TimeScan> {
        self.look().map(|look| look.times)
    }

    /// Times, hash and sum of the file, found by reading it once, on all cores; remembered.
    fn look(&self) -> Result<&Look> {
        if let Some(look) = self.look.get() {
            return Ok(look);
        }
        let look = self.read_through()?;
        Ok(self.look.get_or_init(|| look))
    }

    fn read_through(&self) -> Result<Look> {
        let table = &self.table;
        let step = table.rows_at_a_time();
        let one = |(rows, times): &mut (Rows, Vec<f64>), piece: u64| {
            let from = piece as usize * step;
            table.read(from..(from + step).min(self.rows()), rows)?;
            let (mut crc, mut stretch) = (Crc::new(), Stretch::EMPTY);
            crc.update(rows.bytes());
            // What is left of a word at the end is summed with what follows it.
            let words = rows.bytes().len() / 4 * 4;
            let sum = fits::sum_words(&rows.bytes()[..words]);
            times.clear();
            self.decode_times(rows, times);
            stretch.extend(times);
            Ok((crc, sum, stretch))
        };
        let pieces = in_order(self.rows().div_ceil(step) as u64, Default::default, one)?;
        let (begin, end) = (table.offset_of(0), table.offset_of(self.rows()));
        // The data of an empty table may begin behind the end of the file.
        let (begin, end) = (begin.min(self.source.len()), end.min(self.source.len()));
        let (before, after) = (self.source.crc(0..begin)?, self.source.crc(end..self.source.len())?);
        let parts = std::iter::once(&before).chain(pieces.iter().map(|p| &p.0)).chain([&after]);
        let crc = joined(parts);
        let mut all = Stretch::EMPTY;
        pieces.iter().for_each(|(_, _, stretch)| all.join(stretch));
        let datasum = match fits::announced_sum(&self.source, &self.hdu) {
            Some((announced, range)) => {
                let rest = range.end.min(begin + (end - begin) / 4 * 4)..range.end;
                let sum = pieces.iter().fold(fits::sum_range(&self.source, rest)?, |a, p| fits::fold(a + p.1));
                Some((announced, sum))
            }
            None => None,
        };
        Ok(Look { times: all.scan, crc, datasum })
    }

    /// Refuses times that single precision has already spoiled.
    pub(super) fn check_resolution(&self) -> Result<()> {
        if self.time.kind != Kind::F32 || self.rows() == 0 {
            return Ok(());
        }
        // What is stored sets the resolution; TZERO, which is added in double precision, does not.
        let stored = Column { scale: 1.0, zero: 0.0, ..self.time.clone() };
        let (mut values, mut largest) = (Vec::new(), 0.0f64);
        self.table.each_piece(0..self.rows(), |rows| {
            values.clear();
            rows.decode(&stored, &mut values);
            largest = values.iter().filter(|t| t.is_finite()).fold(largest, |m, t| m.max(t.abs()));
        })?;
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
pub(super) fn warn_of_container(source: &Source, hdus: &[Hdu], trailing: Option<u64>, warnings: &mut Warnings) {
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
        let count = source.len() - at;
        let message = format!("{path}: {count} bytes from byte {at} on are no extension and were not read");
        warnings.push("W-TRAILING-BYTES", message);
    }
}

/// Compares the bytes of a table with its DATASUM, if it has one.
pub(super) fn warn_of_datasum(source: &Source, hdu: &Hdu, warnings: &mut Warnings) -> Result<()> {
    if let Some((announced, range)) = fits::announced_sum(source, hdu) {
        compare_datasum(source, hdu, announced, fits::sum_range(source, range)?, warnings);
    }
    Ok(())
}

fn compare_datasum(source: &Source, hdu: &Hdu, announced: u32, found: u64, warnings: &mut Warnings) {
    if u64::from(announced) != found {
        let place = format!("{}: extension {} ({})", source.path(), hdu.index, hdu.name);
        warnings.push("W-DATASUM", format!("{place}: DATASUM is {announced}, but the data sum to {found}"));
    }
}

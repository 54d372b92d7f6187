//! What one reading of an event file tells: order and range of its times, its channels and its checksums.

use std::ops::Range;

use flate2::Crc;
use multiversion::multiversion;

use super::datasum;
use super::events::EventFile;
use super::file_scan::{FileScan, TimeScan, compare_datasum};
use super::fits_table::{ElementType, FitsColumn, RowBytes};
use super::input_file::{hexadecimal, in_order, joined};
use crate::base::error::Result;
use crate::base::trace;
use crate::base::warning::Warnings;

/// What reading some rows tells of the whole file.
#[derive(Debug)]
pub(crate) struct RowRangeScan {
    rows: Range<usize>,
    crc: Crc,
    sum: u64,
    stretch: TimesSummary,
}

impl RowRangeScan {
    /// No rows yet; the first will be row `row`.
    pub fn at(row: usize) -> RowRangeScan {
        RowRangeScan { rows: row..row, crc: Crc::new(), sum: 0, stretch: TimesSummary::EMPTY }
    }

    /// Adds the rows that follow, of which all bytes are given where they are to be hashed; false where some time is not finite.
    pub fn extend(&mut self, file: &EventFile, bytes: Option<&[u8]>, times: &[f64]) -> bool {
        let _span = trace::span("check and hash");
        let before = self.stretch.scan.not_finite;
        self.stretch.extend(times);
        if let Some(bytes) = bytes {
            self.hash(file, bytes);
        }
        self.rows.end += times.len();
        self.stretch.scan.not_finite == before
    }

    /// Adds rows that follow, whose times somebody else decodes and tells of by [`RowRangeScan::note`].
    pub fn extend_undecoded(&mut self, file: &EventFile, bytes: &[u8], rows: usize, hashed: bool) {
        let _span = trace::span("check and hash");
        if hashed {
            self.hash(file, bytes);
        }
        self.rows.end += rows;
    }

    /// Adds what was found in the times of rows that follow those noted before: facts about all of them, and the first and the last
    /// that is finite.
    pub fn note(&mut self, scan: TimeScan, ends: Option<(f64, f64)>) {
        self.stretch.join(&TimesSummary { scan, ends });
    }

    /// Adds the bytes of the rows that follow.
    fn hash(&mut self, file: &EventFile, bytes: &[u8]) {
        self.crc.update(bytes);
        if file.hdu.header.has("DATASUM") {
            let place = (self.rows.end * file.row_size()) as u64;
            self.sum = datasum::fold(self.sum + datasum::sum_at(place, datasum::sum_words(bytes)));
        }
    }

    /// No time is below the one before it.
    pub fn is_sorted(&self) -> bool {
        self.stretch.scan.sorted
    }
}

/// What reading a file for the first time tells, for another purpose, from the first row on.
#[derive(Debug, Default)]
pub(super) struct FirstReading {
    parts: Vec<RowRangeScan>,
    all: TimesSummary,
}

impl FirstReading {
    /// Adds the rows that follow.
    pub fn add(&mut self, part: RowRangeScan) {
        self.all.join(&part.stretch);
        self.parts.push(part);
    }

    /// No time is below the one before it.
    pub fn is_sorted(&self) -> bool {
        self.all.scan.sorted
    }

    /// Its parts, once it is at its end.
    pub fn finish(self) -> Vec<RowRangeScan> {
        self.parts
    }
}

/// What is known of the times of some rows.
#[derive(Clone, Copy, Debug)]
struct TimesSummary {
    scan: TimeScan,
    /// First and last finite time in the order of rows.
    ends: Option<(f64, f64)>,
}

impl Default for TimesSummary {
    fn default() -> TimesSummary {
        TimesSummary::EMPTY
    }
}

impl TimesSummary {
    const EMPTY: TimesSummary = TimesSummary {
        scan: TimeScan { sorted: true, first: f64::INFINITY, last: f64::NEG_INFINITY, not_finite: 0 },
        ends: None,
    };

    fn extend(&mut self, times: &[f64]) {
        // Between two finite times in order, all in order are finite.
        if let [first, .., last] = times
            && first.is_finite()
            && last.is_finite()
            && in_order_of_time(times)
        {
            let scan = TimeScan { first: *first, last: *last, ..TimesSummary::EMPTY.scan };
            return self.join(&TimesSummary { scan, ends: Some((*first, *last)) });
        }
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

    fn join(&mut self, next: &TimesSummary) {
        let (scan, other) = (&mut self.scan, &next.scan);
        scan.first = scan.first.min(other.first);
        scan.last = scan.last.max(other.last);
        scan.not_finite += other.not_finite;
        let in_order = self.ends.zip(next.ends).is_none_or(|((_, a), (b, _))| a <= b);
        scan.sorted &= other.sorted && in_order;
        self.ends = self.ends.map_or(next.ends, |(first, last)| Some((first, next.ends.map_or(last, |e| e.1))));
    }
}

/// No time is below the one before it, and none is NaN but perhaps the only one.
#[multiversion(targets("x86_64+avx2+bmi1+bmi2+movbe"))]
fn in_order_of_time(times: &[f64]) -> bool {
    times.iter().zip(times.iter().skip(1)).fold(true, |sorted, (a, b)| sorted & (a <= b))
}

impl EventFile {
    /// Lowest and highest channel of all events; `None` without a channel column or events.
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

    /// Warns if the bytes of the event table do not agree with its DATASUM keyword.
    ///
    /// # Errors
    /// See [`EventFile::channel_range`].
    #[doc(hidden)]
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

    /// Whether all times are sorted, the smallest and the largest, and how many are not finite. Reads the file once, on
    /// all cores, and remembers the result.
    ///
    /// # Errors
    /// See [`EventFile::channel_range`].
    pub fn scan_times(&self) -> Result<TimeScan> {
        self.look().map(|look| look.times)
    }

    /// Times, hash and sum of the file, found by reading it once, on all cores; remembered.
    fn look(&self) -> Result<&FileScan> {
        if let Some(look) = self.look.get() {
            return Ok(look);
        }
        let look = self.read_through()?;
        Ok(self.look.get_or_init(|| look))
    }

    fn read_through(&self) -> Result<FileScan> {
        let (table, step) = (&self.table, self.table.rows_at_a_time());
        let one = |(rows, times): &mut (RowBytes, Vec<f64>), piece: u64| {
            let from = piece as usize * step;
            table.read(from..(from + step).min(self.rows()), rows)?;
            times.clear();
            self.decode_times(rows, times);
            let mut part = RowRangeScan::at(from);
            part.extend(self, Some(rows.bytes()), times);
            Ok(part)
        };
        self.join(in_order(self.rows().div_ceil(step) as u64, Default::default, one)?)
    }

    /// What was found where the file was read for another purpose; `parts` are all rows, in order, with their bytes.
    pub(crate) fn found(&self, parts: Vec<RowRangeScan>) -> Result<TimeScan> {
        let look = self.join(parts)?;
        Ok(self.look.get_or_init(|| look).times)
    }

    /// What is known already, without reading.
    pub(crate) fn known(&self) -> Option<TimeScan> {
        self.look.get().map(|look| look.times)
    }

    fn join(&self, parts: Vec<RowRangeScan>) -> Result<FileScan> {
        let table = &self.table;
        let (begin, end) = (table.offset_of(0), table.offset_of(self.rows()));
        // The data of an empty table may begin behind the end of the file.
        let (begin, end) = (begin.min(self.source.len()), end.min(self.source.len()));
        let (before, after) = (self.source.crc(0..begin)?, self.source.crc(end..self.source.len())?);
        let crc = joined(std::iter::once(&before).chain(parts.iter().map(|p| &p.crc)).chain([&after]));
        let mut all = TimesSummary::EMPTY;
        parts.iter().for_each(|part| all.join(&part.stretch));
        let datasum = match datasum::announced_sum(&self.source, &self.hdu) {
            Some((announced, range)) => {
                let rest = datasum::sum_range(&self.source, range.end.min(end)..range.end)?;
                Some((
                    announced,
                    parts.iter().fold(datasum::sum_at(end - begin, rest), |a, p| datasum::fold(a + p.sum)),
                ))
            }
            None => None,
        };
        Ok(FileScan { times: all.scan, crc, datasum })
    }

    /// The first of some rows, taken to be in order, whose time is not below `edge`; `None` among so many times that are not
    /// finite that it is not worth the search.
    pub(crate) fn first_row_at(&self, edge: f64, rows: Range<usize>) -> Result<Option<usize>> {
        const NOT_FINITE: usize = 64;
        let _span = trace::span("find rows");
        let Range { start: mut lo, end: mut hi } = rows;
        let mut time = Vec::new();
        while lo < hi {
            let middle = lo + (hi - lo) / 2;
            let near = middle..hi.min(middle + NOT_FINITE);
            let mut found = None;
            for row in near.clone() {
                time.clear();
                self.times(row..row + 1, &mut time)?;
                if let Some(&t) = time.first().filter(|t| t.is_finite()) {
                    found = Some((row, t));
                    break;
                }
            }
            match found {
                Some((row, t)) if t < edge => lo = row + 1,
                Some(_) => hi = middle,
                None if near.end == hi => hi = middle,
                None => return Ok(None),
            }
        }
        Ok(Some(lo))
    }

    /// Refuses times that single precision has already spoiled.
    pub(super) fn check_resolution(&self) -> Result<()> {
        if self.time.kind != ElementType::F32 || self.rows() == 0 {
            return Ok(());
        }
        // What is stored sets the resolution; TZERO, which is added in double precision, does not.
        let stored = FitsColumn { scale: 1.0, zero: 0.0, ..self.time.clone() };
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

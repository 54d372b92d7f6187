//! A stream of the selected event times of one file, in order, in pieces of any size.

use std::ops::Range;

use rayon::prelude::*;

use super::bands::ChannelCell;
use super::events::EventFile;
use super::fits_table::{ElementType, FitsColumn, RowBytes};
use super::scan::{FirstReading, RowRangeScan};
use super::selection::{BandSelection, Selection, keeps};
use super::sort::{ExternalSort, SortedEvents};
use super::stored_channels::StoredChannels;
use crate::base::error::{Error, Result};
use crate::base::time::DoubleDouble;
use crate::base::trace;
use crate::base::warning::Warnings;
use crate::data::EventBalance;

/// Rows decoded at a time to be sorted.
const CHUNK: usize = 1 << 18;

/// Decodes rows, and keeps what a selection does.
pub(super) struct Decoder<'a> {
    file: &'a EventFile,
    pub parting: BandSelection,
    /// What stored channels are worth, where nothing else decides what is kept.
    stored: Option<StoredChannels>,
    rows: RowBytes,
    channel: Vec<f64>,
    detector: Vec<f64>,
    marker: Vec<u8>,
    weight: Vec<f64>,
    /// The row of the first weight that is none, of those read last, and what it is.
    no_weight: Option<(usize, f64)>,
    /// The first of the rows read last.
    first: usize,
    /// Keep channels and detectors of the events that are kept, too.
    values: bool,
}

/// Events of some rows: times, and where they were asked for, their channels and detectors (empty where the file has none).
#[derive(Clone, Copy)]
pub(crate) struct KeptEvents<'a> {
    pub times: &'a [f64],
    pub channels: &'a [f64],
    pub detectors: &'a [f64],
}

impl<'a> KeptEvents<'a> {
    /// Some of the events.
    #[expect(clippy::indexing_slicing, reason = "a column is empty or has as many values as there are times")]
    pub fn part(&self, range: Range<usize>) -> KeptEvents<'a> {
        let part = |column: &'a [f64]| if column.is_empty() { column } else { &column[range.clone()] };
        KeptEvents { times: part(self.times), channels: part(self.channels), detectors: part(self.detectors) }
    }
}

impl<'a> Decoder<'a> {
    /// # Errors
    /// A selection by a column the file does not have.
    pub fn new(file: &'a EventFile, parting: BandSelection) -> Result<Decoder<'a>> {
        let selection = &parting.selection;
        if (selection.channels.is_some() || parting.bands.is_some()) && file.channel.is_none() {
            return Err(file.table.error("channel column", "missing, so no energies or channels can be selected"));
        }
        if selection.detectors.is_some() && file.detector.is_none() {
            return Err(file
                .table
                .error("detector column", "missing, so no detectors can be selected; take all of them"));
        }
        Ok(Decoder::without_check(file, parting))
    }

    fn without_check(file: &'a EventFile, parting: BandSelection) -> Decoder<'a> {
        let (channel, detector, marker, weight) = (Vec::new(), Vec::new(), Vec::new(), Vec::new());
        let (rows, no_weight) = (RowBytes::default(), None);
        let channels = file.channel.as_ref().filter(|_| file.marker.is_none());
        let stored = channels.and_then(|column| StoredChannels::new(column, &parting));
        Decoder { file, parting, stored, rows, channel, detector, marker, weight, no_weight, first: 0, values: false }
    }

    /// Keeps channels and detectors of the events that are kept, too.
    ///
    /// # Errors
    /// The file has no channels.
    pub fn with_values(self) -> Result<Decoder<'a>> {
        if self.file.channel.is_none() {
            return Err(self.file.table.error("channel column", "missing, so events cannot be told apart by energy"));
        }
        Ok(Decoder { values: true, ..self })
    }

    /// What is kept of the rows read last, with their `times`.
    pub fn kept<'b>(&'b self, times: &'b [f64]) -> KeptEvents<'b> {
        KeptEvents { times, channels: &self.channel, detectors: &self.detector }
    }

    /// Weights of the events that were kept of the rows read last.
    ///
    /// # Errors
    /// One of them is not finite, or negative.
    fn weights(&self) -> Result<&[f64]> {
        match (self.no_weight, &self.parting.weight) {
            (Some((row, value)), Some(column)) => Err(no_weight(self.file, column, row, value)),
            _ => Ok(&self.weight),
        }
    }

    /// Reads rows and appends the times of all; gives their bytes.
    pub fn read(&mut self, rows: Range<usize>, out: &mut Vec<f64>) -> Result<&[u8]> {
        self.first = rows.start;
        self.file.table.read(rows, &mut self.rows)?;
        let _span = trace::span("decode");
        self.file.decode_times(&self.rows, out);
        Ok(self.rows.bytes())
    }

    /// Removes from the times of the rows just read, which begin at `from`, those that are not kept, and appends the cells of
    /// the others where there are bands. `finite` says that all are finite.
    #[expect(clippy::indexing_slicing, reason = "as many values were decoded as rows; kept ones are not after all")]
    pub fn select(
        &mut self,
        finite: bool,
        from: usize,
        out: &mut Vec<f64>,
        cells: &mut Vec<ChannelCell>,
        balance: &mut EventBalance,
    ) {
        let (file, rows) = (self.file, &self.rows);
        let BandSelection { selection, bands, weight } = &self.parting;
        let (parted, weighted) = (selection.channels.is_some() || bands.is_some(), weight.is_some());
        let wanted = self.values || parted || weighted || selection.detectors.is_some();
        let _span = trace::span_if(!finite || wanted || file.marker.is_some(), "select");
        balance.read += (out.len() - from) as u64;
        if let Some(stored) = self.stored.as_ref().filter(|_| finite && !self.values) {
            [&mut self.channel, &mut self.detector].into_iter().for_each(Vec::clear);
            let kept = stored.select(rows, from, out, bands.is_some().then_some(cells));
            balance.filtered += (out.len() - from - kept) as u64;
            out.truncate(from + kept);
            return;
        }
        self.marker.clear();
        let photon = file.marker.as_ref().map_or(1, |(_, bit)| *bit);
        if let Some((column, _)) = &file.marker {
            rows.decode_bytes(column, &mut self.marker);
        }
        self.channel.clear();
        if let (Some(column), true) = (&file.channel, self.values || parted) {
            rows.decode(column, &mut self.channel);
        }
        self.detector.clear();
        let ranges = selection.channels.iter().chain(bands.iter().flat_map(|bands| bands.ranges()));
        let needed = selection.detectors.is_some() || ranges.into_iter().any(|range| range.detector0.is_some());
        if let (Some(column), true) = (&file.detector, self.values || needed) {
            rows.decode(column, &mut self.detector);
        }
        self.weight.clear();
        if let Some(column) = weight {
            rows.decode(column, &mut self.weight);
        }
        self.no_weight = None;
        if finite && self.marker.is_empty() && !parted && !weighted && selection.detectors.is_none() {
            return;
        }
        let mut kept = from;
        for i in 0..out.len() - from {
            let t = out[from + i];
            if self.marker.get(i).is_some_and(|byte| byte >> 7 != photon) {
                balance.not_photons += 1;
            } else if !t.is_finite() {
                balance.dropped += 1;
            } else if !keeps(selection, self.channel.get(i), self.detector.get(i)) {
                balance.filtered += 1;
            } else {
                if let (Some(bands), Some(&channel)) = (bands, self.channel.get(i)) {
                    let cell = bands.cell(channel, self.detector.get(i).copied().unwrap_or(-1.0));
                    if cell == 0 {
                        balance.filtered += 1;
                        continue;
                    }
                    cells.push(cell);
                }
                out[kept] = t;
                // Values that nobody wants to keep are overwritten all the same: a test would take longer.
                for column in [&mut self.channel, &mut self.detector] {
                    if let Some(&value) = column.get(i) {
                        column[kept - from] = value;
                    }
                }
                if weighted {
                    let value = self.weight[i];
                    if !is_weight(value) && self.no_weight.is_none() {
                        self.no_weight = Some((self.first + i, value));
                    }
                    self.weight[kept - from] = value;
                }
                kept += 1;
            }
        }
        out.truncate(kept);
        self.channel.truncate(kept - from);
        self.detector.truncate(kept - from);
        self.weight.truncate(kept - from);
    }
}

/// What an event may weigh.
pub(crate) fn is_weight(value: f64) -> bool {
    (0.0..f64::INFINITY).contains(&value)
}

fn no_weight(file: &EventFile, column: &FitsColumn, row: usize, value: f64) -> Error {
    let real = matches!(column.kind, ElementType::F32 | ElementType::F64);
    let what = match value {
        value if value.is_nan() && !real => "TNULL, which is no number".to_string(),
        value if value.is_nan() => "not a number".to_string(),
        value => crate::base::text::ShortNumber(value).to_string(),
    };
    let place = format!("column {}, row {}", column.name, row + 1);
    let message =
        format!("a weight is {what}; it must be finite and 0 or more: correct it, or select events that have one");
    file.table.error(&place, &message)
}

/// A reader of the selected times of a file, in order. Events that are not selected are counted.
pub struct EventStream<'a> {
    file: &'a EventFile,
    decoder: Decoder<'a>,
    next_row: usize,
    sorted: Option<SortedEvents>,
    prepared: bool,
    /// Nobody has read the file through before; it is taken to be in order until it turns out not to be.
    first: Option<FirstReading>,
    /// What was decoded last, before it is distributed.
    times: Vec<f64>,
    cells: Vec<ChannelCell>,
    /// Those of the times that were given last.
    weights: Vec<f64>,
    /// The balance so far; only the fields `read`, `filtered`, `not_photons` and `dropped` are filled.
    pub balance: EventBalance,
}

impl<'a> EventStream<'a> {
    /// Starts reading. If the times are not in order, they are sorted first, in bounded memory, with a warning.
    ///
    /// # Errors
    /// The selection needs a column that the file does not have, no event is near the good time intervals, or the disk
    /// is full while sorting.
    pub fn open(file: &'a EventFile, selection: Selection, warnings: &mut Warnings) -> Result<EventStream<'a>> {
        let mut stream = EventStream::unread(file, BandSelection { selection, ..BandSelection::default() })?;
        stream.prepare(warnings)?;
        Ok(stream)
    }

    /// A stream that reads nothing before it is asked for something.
    pub(crate) fn unread(file: &'a EventFile, parting: BandSelection) -> Result<EventStream<'a>> {
        let (decoder, balance) = (Decoder::new(file, parting)?, EventBalance::default());
        let (times, cells, weights) = (Vec::new(), Vec::new(), Vec::new());
        let (sorted, prepared, first) = (None, false, None);
        Ok(EventStream { file, decoder, next_row: 0, sorted, prepared, first, times, cells, weights, balance })
    }

    /// A stream that does not read through first a file that nobody has read through: what that would find is found on the way.
    /// It ends where times turn out to be out of order.
    pub(crate) fn open_unordered(file: &'a EventFile, parting: BandSelection) -> Result<EventStream<'a>> {
        let first = file.known().is_none().then(FirstReading::default);
        Ok(EventStream { prepared: first.is_some(), first, ..EventStream::unread(file, parting)? })
    }

    /// False once times of a file that is read for the first time have turned out to be out of order.
    pub(crate) fn is_in_order(&self) -> bool {
        self.first.as_ref().is_none_or(FirstReading::is_sorted)
    }

    /// The file and what is kept of it.
    pub(crate) fn origin(&self) -> (&'a EventFile, &BandSelection) {
        (self.file, &self.decoder.parting)
    }

    /// Weights of the events that were given last, if they have any.
    pub(crate) fn weights(&self) -> Option<&[f64]> {
        self.decoder.parting.weight.is_some().then_some(&self.weights)
    }

    /// Does what [`EventStream::open`] says, once.
    pub(crate) fn prepare(&mut self, warnings: &mut Warnings) -> Result<()> {
        if std::mem::replace(&mut self.prepared, true) {
            return Ok(());
        }
        let sorted = self.inspect(warnings)?;
        let file = self.file;
        if !sorted {
            warnings.push("W-TIME-UNSORTED", format!("{}: the events were out of order; sorted", file.path()));
            let mut sort = ExternalSort::default();
            let mut times = Vec::new();
            while self.next_row < file.rows() {
                times.clear();
                self.decode(CHUNK, &mut times)?;
                let weights = self.weights.iter().map(|weight| weight.to_bits());
                sort.push(&times, self.cells.iter().map(|&cell| u64::from(cell)).chain(weights))?;
            }
            self.sorted = Some(sort.finish()?);
        }
        Ok(())
    }

    /// Warns of what the times of the file are like as a whole; true when they are in order.
    ///
    /// # Errors
    /// No event near the good time intervals; reading fails.
    pub(crate) fn inspect(&self, warnings: &mut Warnings) -> Result<bool> {
        let file = self.file;
        let scan = file.scan_times()?;
        if scan.not_finite > 0 {
            let message = format!("{}: times that are not finite were dropped", file.path());
            warnings.add("W-TIME-NAN", message, scan.not_finite);
        }
        if scan.first == scan.last && file.rows() > 1 {
            warnings.push("W-TIME-EQUAL", format!("{}: all times are {} s", file.path(), scan.first));
        }
        let offset = file.clock.event_offset;
        let (first, last) = (DoubleDouble::from(scan.first) + offset, DoubleDouble::from(scan.last) + offset);
        if let Some((start, stop)) = file.gti.ends().filter(|(start, stop)| first >= *stop || last < *start)
            && scan.first <= scan.last
        {
            let (a, b, c, d) = (start.value(), stop.value(), first.value(), last.value());
            let message = format!("from {a} to {b} s, but the events are from {c} to {d} s");
            return Err(Error::gti(file.path(), message));
        }
        Ok(scan.sorted)
    }

    /// Appends the selected times of the next `rows` rows to `out`; false if no row is left.
    ///
    /// # Errors
    /// The file, or the temporary file of sorted times, cannot be read, or has become shorter.
    pub fn next_chunk(&mut self, rows: usize, out: &mut Vec<f64>) -> Result<bool> {
        self.prepare(&mut Warnings::default())?;
        if let Some(sorted) = &mut self.sorted {
            let (before, weighted) = (out.len(), self.decoder.parting.weight.is_some());
            self.cells.clear();
            self.weights.clear();
            let give = |time, tag| {
                out.push(time);
                if weighted { self.weights.push(f64::from_bits(tag)) } else { self.cells.push(tag as ChannelCell) }
            };
            sorted.next(rows, give)?;
            return Ok(out.len() > before);
        }
        self.decode(rows, out)
    }

    /// [`EventStream::next_chunk`], with the times of each band apart.
    pub(crate) fn next_bands(&mut self, rows: usize, out: &mut [Vec<f64>]) -> Result<bool> {
        let mut times = std::mem::take(&mut self.times);
        times.clear();
        let more = self.next_chunk(rows, &mut times)?;
        self.decoder.parting.distribute(&mut times, &self.cells, out);
        self.times = times;
        Ok(more)
    }

    /// Decodes the next rows, on all cores where they are many, and appends what the selection keeps; false without rows, or where
    /// they are out of order and should not be. The cells are those of what was appended.
    #[expect(clippy::indexing_slicing, reason = "room for all rows was made, and no more are kept")]
    fn decode(&mut self, rows: usize, out: &mut Vec<f64>) -> Result<bool> {
        let (file, from, step) = (self.file, out.len(), self.file.table.rows_at_a_time());
        self.cells.clear();
        self.weights.clear();
        let rows = self.next_row..self.next_row.saturating_add(rows).min(file.rows());
        self.next_row = rows.end;
        file.table.will_read(rows.end..rows.end.saturating_add(rows.len()).min(file.rows()));
        let finite = match self.first {
            Some(_) => None,
            None => Some(file.scan_times()?.not_finite == 0),
        };
        let read = |decoder: &mut Decoder, rows: Range<usize>, times: &mut Vec<f64>| -> Result<(bool, RowRangeScan)> {
            let mut part = RowRangeScan::at(rows.start);
            let from = times.len();
            let bytes = decoder.read(rows, times)?;
            let finite = finite.unwrap_or_else(|| part.extend(file, Some(bytes), &times[from..]));
            Ok((finite, part))
        };
        if rows.len() <= step {
            let (finite, part) = read(&mut self.decoder, rows.clone(), out)?;
            self.decoder.select(finite, from, out, &mut self.cells, &mut self.balance);
            self.weights.extend_from_slice(self.decoder.weights()?);
            return Ok(self.has_read([part])? && !rows.is_empty());
        }
        out.resize(from + rows.len(), 0.0);
        let parting = &self.decoder.parting;
        let one = |(decoder, times): &mut (Decoder, Vec<f64>), (i, place): (usize, &mut [f64])| {
            let (begin, mut cells, mut balance) = (rows.start + i * step, Vec::new(), EventBalance::default());
            times.clear();
            let (finite, part) = read(decoder, begin..begin + place.len(), times)?;
            decoder.select(finite, 0, times, &mut cells, &mut balance);
            place[..times.len()].copy_from_slice(times);
            Ok((times.len(), cells, balance, decoder.weights().map(<[f64]>::to_vec), part))
        };
        let pieces = out[from..].par_chunks_mut(step).enumerate();
        let pieces = pieces.map_init(|| (Decoder::without_check(file, parting.clone()), Vec::new()), one);
        let kept = pieces.collect::<Result<Vec<_>>>().inspect_err(|_| out.truncate(from))?;
        let mut at = from;
        let mut parts = Vec::with_capacity(kept.len());
        for (i, (count, cells, balance, weights, part)) in kept.into_iter().enumerate() {
            let begin = from + i * step;
            if begin > at {
                out.copy_within(begin..begin + count, at);
            }
            at += count;
            self.cells.extend_from_slice(&cells);
            self.balance.add(&balance);
            self.weights.extend_from_slice(&weights?);
            parts.push(part);
        }
        out.truncate(at);
        self.has_read(parts)
    }

    /// Takes what reading the next rows told, if that is looked for; false where they are out of order.
    fn has_read(&mut self, parts: impl IntoIterator<Item = RowRangeScan>) -> Result<bool> {
        let Some(first) = &mut self.first else { return Ok(true) };
        parts.into_iter().for_each(|part| first.add(part));
        if !first.is_sorted() {
            return Ok(false);
        }
        if self.next_row == self.file.rows()
            && let Some(first) = self.first.take()
        {
            self.file.found(first.finish())?;
        }
        Ok(true)
    }
}

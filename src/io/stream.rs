//! The stream of selected times of one file, in order, in pieces of any size.

use super::events::EventFile;
use super::sort::{ExternalSort, SortedTimes};
use super::table::Rows;
use crate::data::{Balance, ChannelRange};
use crate::error::{Error, Result};
use crate::time::Dd;
use crate::warning::Warnings;

/// Which events of a file are kept.
#[derive(Clone, Debug, Default)]
pub struct Selection {
    /// Channels.
    pub channels: Option<ChannelRange>,
    /// Detectors.
    pub detectors: Option<Vec<i64>>,
}

/// Times of the selected events in order; what was not selected is counted.
pub struct EventStream<'a> {
    file: &'a EventFile,
    selection: Selection,
    next_row: usize,
    rows: Rows,
    sorted: Option<SortedTimes>,
    channel: Vec<f64>,
    detector: Vec<f64>,
    marker: Vec<u8>,
    decoded: Vec<f64>,
    /// `read`, `filtered`, `not_photons` and `dropped` so far; the other fields stay 0.
    pub balance: Balance,
}

impl<'a> EventStream<'a> {
    /// Starts reading. An unsorted file is sorted first, in bounded memory, with a warning.
    ///
    /// # Errors
    /// A selection by a column the file does not have; no event near the good time intervals; the disk is full while sorting.
    pub fn open(file: &'a EventFile, selection: Selection, warnings: &mut Warnings) -> Result<EventStream<'a>> {
        if selection.channels.is_some() && file.channel.is_none() {
            return Err(file.table.error("channel column", "missing, so no energies or channels can be selected"));
        }
        if selection.detectors.is_some() && file.detector.is_none() {
            return Err(file.table.error("detector column", "missing, so --detector cannot select"));
        }
        let mut stream = EventStream {
            file,
            selection,
            next_row: 0,
            rows: Rows::default(),
            sorted: None,
            channel: Vec::new(),
            detector: Vec::new(),
            marker: Vec::new(),
            decoded: Vec::new(),
            balance: Balance::default(),
        };
        let scan = file.scan_times()?;
        if scan.not_finite > 0 {
            let message = format!("{}: times that are not finite were dropped", file.path());
            warnings.add("W-TIME-NAN", message, scan.not_finite);
        }
        if scan.first == scan.last && file.rows() > 1 {
            warnings.push("W-TIME-EQUAL", format!("{}: all times are {} s", file.path(), scan.first));
        }
        let offset = file.clock.event_offset;
        let (first, last) = (Dd::from(scan.first) + offset, Dd::from(scan.last) + offset);
        if let Some((start, stop)) = file.gti.ends().filter(|(start, stop)| first >= *stop || last < *start)
            && scan.first <= scan.last
        {
            let (a, b, c, d) = (start.value(), stop.value(), first.value(), last.value());
            let message = format!("from {a} to {b} s, but the events are from {c} to {d} s");
            return Err(Error::Gti { path: file.path().to_string(), message });
        }
        if !scan.sorted {
            warnings.push("W-TIME-UNSORTED", format!("{}: the events were out of order; sorted", file.path()));
            let mut sort = ExternalSort::default();
            let mut times = Vec::new();
            while stream.next_row < file.rows() {
                times.clear();
                stream.decode(file.rows(), &mut times)?;
                sort.push(&times)?;
            }
            stream.sorted = Some(sort.finish()?);
        }
        Ok(stream)
    }

    /// Appends the selected times of the next `rows` rows to `out`; false when the file is used up.
    ///
    /// # Errors
    /// The file, or the temporary one of an unsorted input, cannot be read, or has become shorter.
    pub fn next_chunk(&mut self, rows: usize, out: &mut Vec<f64>) -> Result<bool> {
        if let Some(sorted) = &mut self.sorted {
            let before = out.len();
            sorted.next(rows, out)?;
            return Ok(out.len() > before);
        }
        let end = self.next_row.saturating_add(rows).min(self.file.rows());
        let more = self.next_row < end;
        while self.next_row < end {
            self.decode(end, out)?;
        }
        Ok(more)
    }

    /// Decodes the next rows, a piece of those before `end`, and appends what the selection keeps.
    fn decode(&mut self, end: usize, out: &mut Vec<f64>) -> Result<()> {
        let file = self.file;
        let range = self.next_row..(self.next_row + file.table.rows_at_a_time()).min(end);
        file.table.read(range.clone(), &mut self.rows)?;
        self.next_row = range.end;
        let rows = &self.rows;
        self.decoded.clear();
        file.decode_times(rows, &mut self.decoded);
        self.balance.read += self.decoded.len() as u64;
        self.marker.clear();
        if let Some(column) = &file.marker {
            rows.decode_bytes(column, &mut self.marker);
        }
        self.channel.clear();
        if let (Some(column), Some(_)) = (&file.channel, &self.selection.channels) {
            rows.decode(column, &mut self.channel);
        }
        self.detector.clear();
        let needed = self.selection.detectors.is_some()
            || self.selection.channels.is_some_and(|range| range.detector0.is_some());
        if let (Some(column), true) = (&file.detector, needed) {
            rows.decode(column, &mut self.detector);
        }
        let plain = self.marker.is_empty() && self.channel.is_empty() && self.detector.is_empty();
        if plain && self.decoded.iter().all(|t| t.is_finite()) {
            out.extend_from_slice(&self.decoded);
            return Ok(());
        }
        for (i, &t) in self.decoded.iter().enumerate() {
            if self.marker.get(i).is_some_and(|byte| byte >> 7 == 0) {
                self.balance.not_photons += 1;
            } else if !t.is_finite() {
                self.balance.dropped += 1;
            } else if !keeps(&self.selection, self.channel.get(i), self.detector.get(i)) {
                self.balance.filtered += 1;
            } else {
                out.push(t);
            }
        }
        Ok(())
    }
}

fn keeps(selection: &Selection, channel: Option<&f64>, detector: Option<&f64>) -> bool {
    let detector_value = detector.copied().unwrap_or(-1.0);
    let channel_kept = match (&selection.channels, channel) {
        (Some(range), Some(&channel)) => range.keeps(channel, detector_value),
        _ => true,
    };
    channel_kept && selection.detectors.as_ref().is_none_or(|list| list.contains(&(detector_value as i64)))
}

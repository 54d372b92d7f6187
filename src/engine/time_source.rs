//! The inputs of analyses: event files, selections of them, and times in memory.

use std::sync::Arc;

use crate::base::error::{Error, Result};
use crate::base::time::{DoubleDouble, MjdRef};
use crate::base::warning::Warnings;
use crate::data::{ChannelRange, EventBalance, Gti, InputRecord, Record};
use crate::io::{BandSelection, ChannelBands, ChannelCell, EventFile, EventStream, RowRangeReader, Selection};
use crate::missions::DetectorDeadTime;

/// A reader of event times: gives them in ascending order, piece by piece, sorted into one list for each energy band.
pub trait TimeSource: Send {
    /// Appends the times of the next `rows` rows to the list of each band that has them. False if no row is left.
    ///
    /// # Errors
    /// The file cannot be read.
    fn next_chunk(&mut self, rows: usize, out: &mut [Vec<f64>]) -> Result<bool>;
    /// Number of bands; `out` of [`TimeSource::next_chunk`] has as many lists.
    fn bands(&self) -> usize {
        1
    }
    /// False if times that were assumed to be in order have turned out not to be.
    fn is_in_order(&self) -> bool {
        true
    }
    /// Weights of the events that the last call of [`TimeSource::next_chunk`] gave, one for each time; `None` if the
    /// events have no weights.
    fn weights(&self) -> Option<&[f64]> {
        None
    }
    /// The balance so far: rows read, and rows that were left out.
    fn balance(&self) -> EventBalance;
    /// Prepares reading, once, before the first time is asked for: sorts the times if they need it, and warns of what
    /// is unusual about them.
    ///
    /// # Errors
    /// The file cannot be read, or the times cannot be used.
    fn prepare(&mut self, _warnings: &mut Warnings) -> Result<()> {
        Ok(())
    }
    /// Warns of what is unusual about the times, as [`TimeSource::prepare`] does, but does not sort them; for analyses
    /// that take events in any order.
    ///
    /// # Errors
    /// See [`TimeSource::prepare`].
    fn inspect(&mut self, _warnings: &mut Warnings) -> Result<()> {
        Ok(())
    }
}

impl TimeSource for EventStream<'_> {
    fn next_chunk(&mut self, rows: usize, out: &mut [Vec<f64>]) -> Result<bool> {
        EventStream::next_bands(self, rows, out)
    }
    fn bands(&self) -> usize {
        self.origin().1.bands()
    }
    fn is_in_order(&self) -> bool {
        EventStream::is_in_order(self)
    }
    fn weights(&self) -> Option<&[f64]> {
        EventStream::weights(self)
    }
    fn balance(&self) -> EventBalance {
        self.balance.clone()
    }
    fn prepare(&mut self, warnings: &mut Warnings) -> Result<()> {
        EventStream::prepare(self, warnings)
    }
    fn inspect(&mut self, warnings: &mut Warnings) -> Result<()> {
        if !EventStream::inspect(self, warnings)? {
            let (file, _) = self.origin();
            warnings.push("W-TIME-UNSORTED", format!("{}: the events were out of order", file.path()));
        }
        Ok(())
    }
}

impl TimeSource for &mut RowRangeReader<'_> {
    fn next_chunk(&mut self, rows: usize, out: &mut [Vec<f64>]) -> Result<bool> {
        RowRangeReader::next_chunk(self, rows, out)
    }
    fn bands(&self) -> usize {
        RowRangeReader::bands(self)
    }
    fn is_in_order(&self) -> bool {
        self.part.is_sorted()
    }
    fn balance(&self) -> EventBalance {
        self.balance.clone()
    }
}

/// Event times in memory as a [`TimeSource`].
pub struct SliceSource<'a> {
    times: std::borrow::Cow<'a, [f64]>,
    /// The bands that events are parted into, and their cells.
    bands: Option<(Arc<ChannelBands>, Vec<ChannelCell>)>,
    at: usize,
    balance: EventBalance,
}

impl<'a> SliceSource<'a> {
    /// A source of the given times, in any order. Unsorted times are copied and sorted with a warning; times that are
    /// not finite are left out and counted.
    pub fn new(times: &'a [f64], warnings: &mut Warnings) -> SliceSource<'a> {
        let mut balance = EventBalance { read: times.len() as u64, ..EventBalance::default() };
        let finite = times.iter().all(|t| t.is_finite());
        if finite && times.is_sorted() {
            return SliceSource { times: times.into(), bands: None, at: 0, balance };
        }
        let mut owned: Vec<f64> = times.iter().copied().filter(|t| t.is_finite()).collect();
        balance.dropped = (times.len() - owned.len()) as u64;
        warnings.add("W-TIME-NAN", "times that are not finite were dropped", balance.dropped);
        if !owned.is_sorted() {
            warnings.push("W-TIME-UNSORTED", "the events were out of order; sorted");
            owned.sort_by(f64::total_cmp);
        }
        SliceSource { times: owned.into(), bands: None, at: 0, balance }
    }

    /// Takes times and their channels, in any order, as [`SliceSource::new`] does; events in no band are filtered.
    fn in_bands(times: &[f64], channels: &[f64], bands: Arc<ChannelBands>, warnings: &mut Warnings) -> SliceSource<'a> {
        let mut events: Vec<(f64, ChannelCell)> =
            times.iter().zip(channels).map(|(&t, &c)| (t, bands.cell(c, -1.0))).collect();
        let finite = events.iter().filter(|(t, _)| t.is_finite()).count();
        events.retain(|&(t, cell)| t.is_finite() && cell > 0);
        if !events.is_sorted_by(|a, b| a.0 <= b.0) {
            warnings.push("W-TIME-UNSORTED", "the events were out of order; sorted");
            events.sort_by(|a, b| a.0.total_cmp(&b.0));
        }
        let (read, dropped) = (times.len() as u64, (times.len() - finite) as u64);
        warnings.add("W-TIME-NAN", "times that are not finite were dropped", dropped);
        let balance =
            EventBalance { read, dropped, filtered: (finite - events.len()) as u64, ..EventBalance::default() };
        let (times, cells): (Vec<f64>, Vec<ChannelCell>) = events.into_iter().unzip();
        SliceSource { times: times.into(), bands: Some((bands, cells)), at: 0, balance }
    }
}

impl TimeSource for SliceSource<'_> {
    fn next_chunk(&mut self, rows: usize, out: &mut [Vec<f64>]) -> Result<bool> {
        let end = self.at.saturating_add(rows).min(self.times.len());
        let times = &self.times[self.at..end];
        match &self.bands {
            Some((bands, cells)) => bands.distribute(times, &cells[self.at..end], out),
            None => out.iter_mut().for_each(|out| out.extend_from_slice(times)),
        }
        let more = end > self.at;
        self.at = end;
        Ok(more)
    }
    fn bands(&self) -> usize {
        self.bands.as_ref().map_or(1, |(bands, _)| bands.ranges().len())
    }
    fn balance(&self) -> EventBalance {
        self.balance.clone()
    }
}

/// The events of one input (a file, a selection of it, or times in memory), with its good time intervals and its clock.
/// An analysis takes one `Events` or several.
pub struct Events<'a> {
    /// Name of the input, for messages.
    pub name: String,
    /// Reader of the event times.
    pub source: Box<dyn TimeSource + 'a>,
    /// Good time intervals, seconds of the frame.
    pub gti: Gti,
    /// Seconds to add to the raw times (TIME column) to have seconds from MJDREF: TIMEZERO and the correction to the
    /// middle of a frame.
    pub offset: DoubleDouble,
    /// Frame time or resolution of the time stamps, s; 0 if there is none.
    pub timedel: f64,
    /// True if the times are those of the barycentre of the solar system.
    pub barycentred: bool,
    /// Reference epoch MJDREF of the frame; `None` if the input has none.
    pub mjdref: Option<MjdRef>,
    /// Dead time of the detectors, where it is known.
    pub(super) dead_time: Option<DetectorDeadTime>,
    /// The channel ranges of its bands, if it has bands.
    pub(super) bands: Vec<ChannelRange>,
    /// The file that the times come from, and which of its events are meant.
    pub(super) origin: Option<(&'a EventFile, BandSelection)>,
    prepared: bool,
    record: Record,
}

impl<'a> Events<'a> {
    /// The selected events of a file. The file is read once to check its order and to compute its checksum, and again
    /// by the analysis; see [`Events::from_unread_file`].
    ///
    /// # Errors
    /// See [`EventStream::open`].
    pub fn from_file(file: &'a EventFile, selection: Selection, warnings: &mut Warnings) -> Result<Events<'a>> {
        let mut events = Events::from_unread_file(file, selection)?;
        events.prepare(warnings)?;
        Ok(events)
    }

    /// The selected events of a file; nothing is read until an analysis needs it. With [`Events::from_file`] the file
    /// is read once to check its order and again by the analysis; with this, a spectrum on the CPU reads it only once.
    /// Warnings about the events come with the product.
    ///
    /// # Errors
    /// The selection needs a column that the file does not have.
    pub fn from_unread_file(file: &'a EventFile, selection: Selection) -> Result<Events<'a>> {
        Events::parted(file, BandSelection { selection, ..BandSelection::default() })
    }

    /// The events of a file in several energy bands; nothing is read until an analysis needs it. Each event is read
    /// once and goes to every band that has its channel; an event in no band counts as filtered.
    ///
    /// # Errors
    /// There are more than 65 bands, or the selection needs a column that the file does not have.
    pub fn from_bands(file: &'a EventFile, bands: &[ChannelRange], detectors: Option<Vec<i64>>) -> Result<Events<'a>> {
        let bands = Some(Arc::new(ChannelBands::new(bands.to_vec())?));
        let selection = Selection { channels: None, detectors };
        Events::parted(file, BandSelection { selection, bands, weight: None })
    }

    /// The same events with weights from a column of the file, for [`super::PulseEvents`]: for example the
    /// probabilities that the events come from the source. Spectra and light curves ignore the weights.
    ///
    /// # Errors
    /// The file has no such column with one number a row; or the events come from no file, have been read already, or
    /// are in bands.
    pub fn weighted(self, column: &str) -> Result<Events<'a>> {
        let read = self.source.balance().read > 0;
        match &self.origin {
            Some((file, parting)) if parting.bands.is_none() && !read => {
                let weight = Some(Arc::new(file.weight_column(column)?));
                let (file, parting) = (*file, BandSelection { weight, ..parting.clone() });
                let source = Box::new(EventStream::unread(file, parting.clone())?);
                Ok(Events { source, origin: Some((file, parting)), ..self })
            }
            _ => Err(Error::argument(
                "weights",
                column,
                "are for the events of a file in one band, before they are read",
            )),
        }
    }

    /// The same events, whose channels were selected by a band in keV.
    pub(super) fn of_energies(mut self, energy: Option<[f64; 2]>) -> Events<'a> {
        self.record.inputs.iter_mut().for_each(|input| input.energy = energy);
        self
    }

    /// The same events with the intervals and the clock of another input of that file, which may have been moved.
    pub(super) fn with_clock_of(self, other: Events) -> Result<Events<'a>> {
        let Events { gti, offset, mjdref, prepared, .. } = other;
        let mut events = Events { gti, offset, mjdref, ..self };
        if prepared {
            // What there is to say of the file has been said.
            events.prepare(&mut Warnings::default())?;
        }
        Ok(events)
    }

    /// True where some events of the file may not be meant: not all rows are held.
    pub(super) fn is_selected(&self) -> bool {
        let selects = |selection: &Selection| selection.channels.is_some() || selection.detectors.is_some();
        let file = self.origin.as_ref();
        file.is_some_and(|(file, parting)| {
            selects(&parting.selection) || parting.bands.is_some() || file.gti != self.gti
        })
    }

    fn parted(file: &'a EventFile, parting: BandSelection) -> Result<Events<'a>> {
        let BandSelection { selection, bands, .. } = &parting;
        let kept: Vec<Option<ChannelRange>> = match bands {
            Some(bands) => bands.ranges().iter().copied().map(Some).collect(),
            None => vec![selection.channels],
        };
        let record = |channels: Option<ChannelRange>| InputRecord {
            name: file.path().to_string(),
            channel_column: channels.and(file.channel_name()).unwrap_or_default().to_string(),
            channels,
            ..InputRecord::default()
        };
        let clock = &file.clock;
        let selected = selection.detectors.as_ref().map_or(usize::MAX, |list| list.len().max(1));
        let dead_time = file.dead_time.map(|d| DetectorDeadTime { detectors: d.detectors.min(selected), ..d });
        let record = Record {
            mjdref: clock.mjdref,
            telescop: file.telescop.clone(),
            instrume: file.instrument.clone(),
            object: file.object.clone(),
            timesys: clock.timesys.clone(),
            timeref: clock.timeref.clone(),
            plephem: clock.plephem.clone(),
            barycentred: clock.is_barycentred(),
            detectors: selection.detectors.clone().unwrap_or_default(),
            inputs: kept.into_iter().map(record).collect(),
            ..Record::default()
        };
        Ok(Events {
            name: file.path().to_string(),
            bands: bands.as_ref().map_or(Vec::new(), |bands| bands.ranges().to_vec()),
            source: Box::new(EventStream::unread(file, parting.clone())?),
            gti: file.gti.clone(),
            offset: clock.event_offset,
            timedel: clock.timedel,
            barycentred: clock.is_barycentred(),
            mjdref: clock.mjdref,
            dead_time,
            origin: Some((file, parting)),
            prepared: false,
            record,
        })
    }

    /// Reads a file through, if that was not done before, to check its order and compute its checksum. Warns of what is
    /// unusual, once.
    ///
    /// # Errors
    /// See [`EventStream::open`].
    pub fn prepare(&mut self, warnings: &mut Warnings) -> Result<()> {
        if self.prepared {
            return Ok(());
        }
        self.inspect_file(warnings)?;
        self.source.prepare(warnings)
    }

    /// What tells these events from others: names, selection and, where they are known, checksums; the offset of the clock.
    pub(super) fn fingerprint(&self) -> String {
        let inputs = serde_json::to_string(&self.record.inputs).unwrap_or_default();
        let detectors = &self.record.detectors;
        format!("{}, {inputs}, detectors {detectors:?}, offset {:?} + {:?}", self.name, self.offset.hi, self.offset.lo)
    }

    /// The column of the weights, if there are some.
    pub(super) fn weight_column(&self) -> Option<&str> {
        self.origin.as_ref().and_then(|(_, parting)| parting.weight.as_ref()).map(|column| column.name.trim())
    }

    /// Ephemeris of the solar system (PLEPHEM) and position (RA_OBJ and DEC_OBJ, degrees) in the header of a file whose times are
    /// those of the barycentre.
    pub(super) fn barycentre(&self) -> Option<(&str, Option<[f64; 2]>)> {
        let (file, _) = self.origin.as_ref().filter(|_| self.barycentred)?;
        Some((&file.clock.plephem, file.position))
    }

    /// The file and what is meant of it, where its times have not been asked for yet.
    pub(super) fn unread_file(&self) -> Option<(&'a EventFile, &BandSelection)> {
        let (file, parting) = self.origin.as_ref().filter(|_| self.source.balance().read == 0)?;
        Some((file, parting))
    }

    /// [`Events::prepare`] after the events were counted in any order: what was out of order is not sorted.
    ///
    /// # Errors
    /// See [`EventStream::open`].
    pub(super) fn inspect(&mut self, warnings: &mut Warnings) -> Result<()> {
        if self.prepared {
            return Ok(());
        }
        self.inspect_file(warnings)?;
        self.source.inspect(warnings)
    }

    fn inspect_file(&mut self, warnings: &mut Warnings) -> Result<()> {
        self.prepared = true;
        if let Some((file, parting)) = &self.origin {
            file.check_datasum(warnings)?;
            if let Some(wanted) = &parting.selection.detectors {
                file.warn_of_absent_detectors(wanted, warnings)?;
            }
            let crc32 = file.crc32()?;
            self.record.inputs.iter_mut().for_each(|input| input.crc32.clone_from(&crc32));
        }
        Ok(())
    }

    /// Event times in memory, seconds in the frame of `gti`, in any order.
    pub fn from_slice(times: &'a [f64], gti: Gti, warnings: &mut Warnings) -> Events<'a> {
        Events::in_memory(SliceSource::new(times, warnings), gti)
    }

    /// Times and channels (or energies) of events in memory, in several energy bands; see [`Events::from_bands`].
    ///
    /// # Errors
    /// There are more than 65 bands, or `times` and `channels` differ in length.
    pub fn from_channels(
        times: &[f64],
        channels: &[f64],
        bands: &[ChannelRange],
        gti: Gti,
        warnings: &mut Warnings,
    ) -> Result<Events<'a>> {
        if times.len() != channels.len() {
            let message = format!("there are {} times", times.len());
            return Err(Error::argument("channels", channels.len(), message));
        }
        let bands = Arc::new(ChannelBands::new(bands.to_vec())?);
        Ok(Events::in_memory(SliceSource::in_bands(times, channels, bands, warnings), gti))
    }

    fn in_memory(source: SliceSource<'a>, gti: Gti) -> Events<'a> {
        Events {
            name: "times in memory".into(),
            bands: source.bands.as_ref().map_or(Vec::new(), |(bands, _)| bands.ranges().to_vec()),
            source: Box::new(source),
            gti,
            offset: DoubleDouble::ZERO,
            timedel: 0.0,
            barycentred: false,
            mjdref: None,
            dead_time: None,
            origin: None,
            prepared: false,
            record: Record::default(),
        }
    }
}

/// Moves the times of all inputs to the MJDREF of the first one: their good time intervals and offsets are shifted by
/// the difference of the epochs.
///
/// # Errors
/// The inputs differ in time system or reference position, or only some of them have an epoch.
pub fn align(inputs: &mut [Events]) -> Result<()> {
    let Some((first, others)) = inputs.split_first_mut() else { return Ok(()) };
    for other in others {
        let differs = |key: &str, a: &str, b: &str| {
            let message = format!("{key} is `{b}`, but `{a}` in {}; such times cannot be joined", first.name);
            Err(Error::format(&other.name, key, message))
        };
        if !first.record.timesys.eq_ignore_ascii_case(&other.record.timesys) {
            return differs("TIMESYS", &first.record.timesys, &other.record.timesys);
        }
        if !first.record.timeref.eq_ignore_ascii_case(&other.record.timeref) {
            return differs("TIMEREF", &first.record.timeref, &other.record.timeref);
        }
        match (first.mjdref, other.mjdref) {
            (Some(ours), Some(theirs)) if ours != theirs => {
                let shift = ours.seconds_to(theirs);
                other.gti = other.gti.shifted(shift);
                other.offset = other.offset + shift;
                other.mjdref = first.mjdref;
            }
            (Some(_), None) => return differs("MJDREF", "a number", "missing"),
            (None, Some(_)) => return differs("MJDREF", "missing", "a number"),
            _ => {}
        }
    }
    Ok(())
}

/// Rows of all inputs that are files.
pub(super) fn rows(inputs: &[Events]) -> u64 {
    inputs.iter().filter_map(|input| input.origin.as_ref()).map(|(file, _)| file.rows() as u64).sum()
}

/// Record of several inputs: the first speaks for all, but for the list of inputs; the intervals are left to be filled.
pub(super) fn describe(inputs: &[Events]) -> Record {
    let mut made = inputs.first().map(|i| i.record.clone()).unwrap_or_default();
    made.inputs = inputs.iter().flat_map(|i| i.record.inputs.clone()).collect();
    made.barycentred = !inputs.is_empty() && inputs.iter().all(|i| i.barycentred);
    let instruments: Vec<&str> = inputs.iter().map(|i| i.record.instrume.as_str()).collect();
    if instruments.windows(2).any(|w| w[0] != w[1]) {
        made.instrume = instruments.join(",");
    }
    made
}

/// Times, and what brings them to the frame.
pub(super) type OffsetTimeSource<'a> = (Box<dyn TimeSource + 'a>, DoubleDouble);

/// Streams of files of which some have not been read before, taken to be in order; `None` where none is left, or where all is known: no
/// files, files known to be out of order.
pub(super) fn first_readings<'a>(inputs: &[Events<'a>]) -> Result<Option<Vec<OffsetTimeSource<'a>>>> {
    let files: Option<Vec<_>> = inputs.iter().map(|input| Some((input.unread_file()?, input.offset))).collect();
    let Some(files) = files else { return Ok(None) };
    let known = || files.iter().map(|((file, _), _)| file.known());
    if known().all(|k| k.is_some()) || known().flatten().any(|times| !times.sorted) {
        return Ok(None);
    }
    let stream =
        |((file, parting), offset): ((&'a EventFile, &BandSelection), DoubleDouble)| -> Result<OffsetTimeSource<'a>> {
            Ok((Box::new(EventStream::open_unordered(file, parting.clone())?), offset))
        };
    files.into_iter().map(stream).collect::<Result<Vec<_>>>().map(Some)
}

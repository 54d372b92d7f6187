//! Event files: which table, which columns, which clock, which good time intervals.

use std::path::Path;
use std::sync::{Arc, OnceLock};

use super::event_table::find_events;
use super::file_scan::{FileScan, warn_of_container};
use super::fits::{self, FitsHeader, Hdu};
use super::fits_table::{ElementType, FitsColumn, FitsTable, RowBytes};
use super::gti::{self, TimeFrame};
use super::input_file::InputFile;
use super::{ebounds, file_facts};
use crate::base::error::{Error, Result};
use crate::base::mend::Mend;
use crate::base::text::List;
use crate::base::time::{Clock, DoubleDouble};
use crate::base::warning::Warnings;
use crate::data::Gti;
use crate::data::energy_scale::EnergyScale;
use crate::missions::{self, Context, DetectorDeadTime, Mission};

/// Where the good time intervals come from.
#[derive(Clone, Debug, Default, PartialEq)]
#[non_exhaustive]
pub enum GtiSource {
    /// From the GTI extensions of the event file.
    #[default]
    File,
    /// From another file, `FILE` or `FILE[EXT]`: FITS or text.
    Given(String),
    /// No intervals: the time from the first to the last event is taken as good.
    Span,
}

/// Options for opening an event file.
#[derive(Clone, Debug, Default)]
pub struct OpenOptions {
    /// Where the good time intervals come from; by default the file's own GTI extensions.
    pub gti: GtiSource,
    /// Name of the column with the times; `None` for TIME.
    pub time_column: Option<String>,
    /// Name of the column with the rates of a light curve, in any unit; it makes a light curve of any table. `None` for RATE or COUNTS.
    pub rate_column: Option<String>,
    /// Name of the column with the errors of the rates; `None` for ERROR, or without errors where the rates are of a named column.
    pub error_column: Option<String>,
    /// Name or number of the extension with the events, if a file has several.
    pub extension: Option<String>,
    /// Read the complete rows of a truncated file (with a warning) instead of refusing it.
    pub salvage: bool,
    /// Numbers of the detectors to use, which decide on the good time intervals; `None` for all.
    pub detectors: Option<Vec<i64>>,
    /// Files of different missions, instruments or energy scales may make one product, and intervals of another time system are taken as
    /// they are.
    pub mixed: bool,
    /// Follow Stingray 2.3.2 where its rules differ from those of this library (see docs/decisions.md), for
    /// comparisons.
    pub compat_stingray: bool,
}

/// An open event file (FITS, possibly gzip). Headers, good time intervals and the layout of the event table have been
/// read; no event has.
#[derive(Clone)]
#[non_exhaustive]
pub struct EventFile {
    pub(super) table: FitsTable,
    pub(super) time: FitsColumn,
    pub(super) time_factor: f64,
    pub(super) channel: Option<FitsColumn>,
    pub(super) detector: Option<FitsColumn>,
    /// A column and the leading bit that it has in photons' rows.
    pub(super) marker: Option<(FitsColumn, u8)>,
    pub(super) source: InputFile,
    pub(super) hdu: Hdu,
    pub(super) look: Arc<OnceLock<FileScan>>,
    /// The clock of the file.
    pub clock: Clock,
    /// Good time intervals, seconds of the frame.
    pub gti: Gti,
    /// Keyword TELESCOP, as written.
    pub telescop: String,
    /// Keyword INSTRUME, as written.
    pub instrument: String,
    /// Keyword OBJECT, as written.
    pub object: String,
    /// Keywords RA_OBJ and DEC_OBJ of equinox 2000, degrees, if they are numbers.
    pub(crate) position: Option<[f64; 2]>,
    /// The known layout of event files by which the file was read.
    pub mission: &'static Mission,
    /// Dead time of the detectors, if it is known; `None` for files that say that they have none (`DEADC` of 1).
    pub dead_time: Option<DetectorDeadTime>,
    /// How channels become energies; `None` if that is not known.
    pub scale: Option<EnergyScale>,
    /// Further facts from the headers: a key and its value, in words.
    pub facts: Vec<(&'static str, String)>,
}

impl EventFile {
    /// Opens an event file and reads everything but the events.
    ///
    /// # Errors
    /// See [`Error`]: the file is unreadable or malformed, it has no or several event tables, its times are in no
    /// usable column, or its good time intervals cannot be used.
    #[doc(hidden)]
    pub fn open(path: &Path, options: &OpenOptions, warnings: &mut Warnings) -> Result<EventFile> {
        EventFile::from_input_file(InputFile::open(path)?, options, warnings)
    }

    /// Opens the event file in an input file that is open already.
    ///
    /// # Errors
    /// See [`EventFile::open`].
    #[doc(hidden)]
    pub fn from_input_file(source: InputFile, options: &OpenOptions, warnings: &mut Warnings) -> Result<EventFile> {
        let (hdus, trailing) = fits::scan(&source)?;
        warn_of_container(&source, &hdus, trailing, warnings);
        let filled = |h: &Hdu, key: &str| h.header.text(key).filter(|t| !t.is_empty());
        let any = |key: &str| hdus.iter().find_map(|h| filled(h, key));
        // A mission may be known by the one and an instrument of it by the other.
        let named = |get: &dyn Fn(&str) -> Option<String>| {
            let names: Vec<String> = ["MISSION", "TELESCOP"].into_iter().filter_map(get).collect();
            (!names.is_empty()).then_some(names)
        };
        let of = |names: Option<Vec<String>>, instrument: Option<String>| {
            let names = names.unwrap_or_default();
            Mission::from_header(&names.iter().map(String::as_str).collect::<Vec<_>>(), &instrument.unwrap_or_default())
        };
        let mission = of(named(&any), any("INSTRUME"));
        let time_name = options.time_column.as_deref().unwrap_or("TIME");
        let hdu = find_events(&source, &hdus, mission, options.extension.as_deref(), time_name, warnings)?;
        let hdu = &gti::with_primary_clock(source.path(), hdu, &hdus, warnings)?;
        let header = &hdu.header;
        // The events extension speaks for itself; the primary header fills gaps.
        let text = |key: &str| {
            filled(hdu, key).or_else(|| hdus.iter().take(2).find_map(|h| filled(h, key))).unwrap_or_default()
        };
        let (telescop, instrument) = (text("TELESCOP"), text("INSTRUME"));
        let mission = of(named(&|key| filled(hdu, key)).or_else(|| named(&any)), Some(instrument.clone()));
        if let Some(refusal) = mission.refusal
            && (refusal.refuses)(&text(refusal.keyword))
        {
            return Err(header.error(refusal.keyword, refusal.message));
        }
        if telescop.is_empty() {
            warnings.push("W-NO-TELESCOP", format!("{}: no TELESCOP; read as a generic event list", source.path()));
        }
        let table = FitsTable::open(&source, hdu, options.salvage)?;
        if table.lost > 0 {
            let message = format!("{}: the file is cut off; rows at the end are lost", source.path());
            warnings.add("W-SALVAGE", message, table.lost);
        }
        let time = table.numbers(time_name)?.cloned();
        let missing = || {
            let names: Vec<&str> = table.columns.iter().map(|column| column.name.trim()).collect();
            let message = format!("missing; the columns are {}", List(&names));
            let named = if options.time_column.is_some() { "one of those" } else { "names the column of times" };
            table.error(&format!("column {time_name}"), &message).mended_by([Mend::field("time_column").doing(named)])
        };
        let time = time.ok_or_else(missing)?;
        gti::refuse_two_clocks(header, &[time_name])?;
        let time_factor = gti::column_unit(&table, &time, header)?;
        let mut clock = read_clock(header, &text, options.compat_stingray)?;
        // The peer rounds them.
        let (time, counted_from) = match options.compat_stingray {
            true => (time, DoubleDouble::ZERO),
            false => table.counted_exactly(&time)?,
        };
        clock.event_offset = clock.event_offset + counted_from * time_factor;
        if !clock.event_offset.is_finite() {
            return Err(table.error("TIMEZERO and TIMEPIXR", "the offset of the times is not finite"));
        }
        if clock.mjdref.is_none() {
            clock.mjdref = mission.epoch;
            let effect = match mission.epoch {
                Some(_) => format!("{}'s is used", mission.title),
                None => "absolute times are not known".to_string(),
            };
            warnings.push("W-NO-MJDREF", format!("{}: no MJDREF; {effect}", source.path()));
        }
        let mut channel = None;
        for name in mission.channel {
            if channel.is_none() && table.column(name)?.is_some_and(FitsColumn::is_number) {
                channel = table.numbers(name)?.cloned();
            }
        }
        let detector = if mission.detector.is_empty() { None } else { table.numbers(mission.detector)?.cloned() };
        let event_words = header.text("TEVTB2").unwrap_or_default();
        let mut marker = None;
        if let Some((name, bit)) = mission.photon_bit(&event_words) {
            // Numbers are stored with their sign first, as all but unsigned ones have it.
            let signed = |c: &&FitsColumn| c.is_number() && c.kind != ElementType::U8 && c.zero == 0.0;
            let fits = |c: &&FitsColumn| (c.kind == ElementType::Bit && c.repeat > 0) || signed(c);
            marker = table.column(name)?.filter(fits).map(|column| (column.clone(), bit));
        }
        let start_mjd = header.real("TSTART").ok().flatten().zip(clock.mjdref).zip(gti::keyword_unit(header).ok());
        let start_mjd =
            start_mjd.map(|((t, epoch), unit)| epoch.value() + t * unit / crate::base::time::SECONDS_PER_DAY);
        let context = Context { instrument: instrument.clone(), start_mjd, event_words };
        let mut scale = channel.as_ref().and_then(|c| mission.scale(&c.name, &c.unit, &context));
        if mission.has_bounds() {
            scale = ebounds::own_bounds(&source, &hdus)?;
        }
        let object = text("OBJECT");
        let number = |key: &str| {
            let of = |h: &Hdu| h.header.real(key).ok().flatten();
            of(hdu).or_else(|| hdus.iter().take(2).find_map(of))
        };
        let position =
            number("RA_OBJ").zip(number("DEC_OBJ")).filter(|_| number("EQUINOX").is_none_or(|year| year == 2000.0));
        let position = position.map(|(ra, dec)| [ra, dec]);
        let none = header.real("DEADC").ok().flatten() == Some(1.0);
        let dead_time = mission.dead_time_of(&instrument).filter(|_| !none);
        let mut file = EventFile {
            table,
            time,
            time_factor,
            channel,
            detector,
            marker,
            hdu: hdu.clone(),
            look: Arc::default(),
            source,
            clock,
            gti: Gti::default(),
            telescop,
            instrument,
            object,
            position,
            mission,
            dead_time,
            scale,
            facts: file_facts::file_facts(&hdus, hdu, mission),
        };
        file.check_resolution()?;
        file_facts::warn_of_frames(header, file.path(), warnings)?;
        file.gti = file.read_gti(&hdus, header, options, warnings)?;
        file.warn_of_empty_time(warnings)?;
        file.count_selected(&hdus, warnings)?;
        Ok(file)
    }

    /// The input file that holds the events.
    pub fn source(&self) -> &InputFile {
        &self.source
    }

    /// Name of the file as given.
    pub fn path(&self) -> &str {
        self.source.path()
    }

    /// Number of rows of the event table.
    pub fn rows(&self) -> usize {
        self.table.rows
    }

    /// Number of bytes in a row of the event table.
    pub fn row_size(&self) -> usize {
        self.table.row_size
    }

    /// Name of the event table, for messages.
    pub fn place(&self) -> &str {
        &self.table.place
    }

    /// True for a gzip file.
    pub fn compressed(&self) -> bool {
        self.source.compressed()
    }

    /// Name of the channel or energy column; `None` if there is none.
    pub fn channel_name(&self) -> Option<&str> {
        self.channel.as_ref().map(|c| c.name.as_str())
    }

    /// The column of this name, for weights.
    ///
    /// # Errors
    /// There is none, with the names of those that there are; text, bits, several numbers a row.
    pub(crate) fn weight_column(&self, name: &str) -> Result<FitsColumn> {
        let column = self.table.numbers(name.trim())?;
        column.cloned().ok_or_else(|| {
            let names: Vec<&str> = self.table.columns.iter().map(|c| c.name.trim()).collect();
            let message = format!("missing, so there are no such weights; the columns are {}", List(&names));
            self.table.error(&format!("column {name}"), &message)
        })
    }

    /// Appends the raw times (TIME column in seconds, without [`Clock::event_offset`]) of the given rows to `out`. Rows
    /// of every event, selected or not.
    ///
    /// # Errors
    /// The file cannot be read, or has become shorter.
    pub fn times(&self, rows: std::ops::Range<usize>, out: &mut Vec<f64>) -> Result<()> {
        self.table.each_piece(rows, |piece| self.decode_times(piece, out))
    }

    /// Raw times of rows that were read, seconds, appended to `out`.
    pub(super) fn decode_times(&self, rows: &RowBytes, out: &mut Vec<f64>) {
        let from = out.len();
        rows.decode(&self.time, out);
        if self.time_factor != 1.0 {
            out.iter_mut().skip(from).for_each(|t| *t *= self.time_factor);
        }
    }

    fn read_gti(
        &self,
        hdus: &[Hdu],
        header: &FitsHeader,
        options: &OpenOptions,
        warnings: &mut Warnings,
    ) -> Result<Gti> {
        let path = self.path();
        let timezero = gti::timezero(header)?.unwrap_or(DoubleDouble::ZERO);
        let (clock, mixed) = (&self.clock, options.mixed);
        let time_system = [clock.timesys.clone(), clock.timeref.clone()];
        let frame = TimeFrame { mjdref: clock.mjdref, timezero, time_system, mixed, unit: gti::primary_unit(hdus)? };
        let compat = options.compat_stingray;
        // The peer's rule: the offset of the events, pixel shift included, moves the intervals too.
        let shift = if compat { self.clock.event_offset - timezero } else { DoubleDouble::ZERO };
        let build = |raw: Vec<(DoubleDouble, DoubleDouble)>, warnings: &mut Warnings| {
            let round = |t: DoubleDouble| if compat { (t + shift).round_to_extended() } else { t };
            let shifted = raw.into_iter().map(|(a, b)| (round(a), round(b))).collect();
            Gti::new(path, shifted, compat, warnings)
        };
        match &options.gti {
            GtiSource::Given(name) => {
                let given = gti::read_file(name, &frame, warnings)?;
                Gti::new(name, given, compat, warnings)
            }
            GtiSource::Span => {
                let scan = self.scan_times()?;
                if scan.first > scan.last {
                    let message = "no event has a finite time, so the events have no span";
                    return Err(Error::gti(path, message));
                }
                let span = self.span_intervals(scan.first, scan.last, warnings)?;
                Gti::new(path, span, compat, warnings)
            }
            GtiSource::File => {
                let all = self.own_gti(hdus, options.detectors.as_deref(), &frame, &build, warnings)?;
                let cut = if options.salvage { "none in what is left of the file" } else { "none in the file" };
                let given = Mend::field("gti").doing("gives them");
                let span = Mend::set("gti", "span").doing("the span of the events");
                all.ok_or_else(|| Error::gti(path, cut).mended_by([given, span]))
            }
        }
    }
}

fn read_clock(header: &FitsHeader, text: &impl Fn(&str) -> String, compat: bool) -> Result<Clock> {
    let timedel = match header.real("TIMEDEL")? {
        Some(t) => Some(t * gti::keyword_unit(header)?),
        None => None,
    };
    let mut frame = None;
    for key in missions::frame_keywords() {
        if frame.is_none() {
            frame = header.real(key.name)?;
        }
    }
    let timedel = timedel.or(frame.map(|ms| ms * 1e-3)).filter(|t| *t > 0.0).unwrap_or(0.0);
    let timepixr = header.real("TIMEPIXR")?.unwrap_or(0.5);
    let timezero = gti::timezero(header)?.unwrap_or(DoubleDouble::ZERO);
    let pixel = DoubleDouble::product(0.5 - timepixr, timedel);
    let offset = if compat { (timezero + pixel).round_to_extended() } else { timezero + pixel };
    Ok(Clock {
        mjdref: gti::mjdref(header)?,
        event_offset: offset,
        timedel,
        timesys: text("TIMESYS"),
        timeref: text("TIMEREF"),
        plephem: text("PLEPHEM"),
    })
}

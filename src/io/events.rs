//! Event files: which table, which columns, which clock, which good time intervals.

use std::path::Path;

use rayon::prelude::*;

use super::energy::Scale;
use super::fits::{self, Hdu, Header};
use super::gti::{self, Frame};
use super::missions::{self, Context, GtiRule, Mission};
use super::source::{Source, format_error};
use super::table::{Column, Kind, Table};
use crate::data::Gti;
use crate::error::{Error, Result};
use crate::time::{Clock, Dd};
use crate::warning::Warnings;

/// Where good time intervals come from.
#[derive(Clone, Debug, Default, PartialEq)]
pub enum GtiSource {
    /// The event file's own.
    #[default]
    File,
    /// Another file, `FILE` or `FILE[EXT]`, or text.
    Given(String),
    /// None: the span from the first to the last event.
    Span,
}

/// How to open an event file.
#[derive(Clone, Debug, Default)]
pub struct OpenOptions {
    /// Good time intervals.
    pub gti: GtiSource,
    /// Column with the times, TIME by default.
    pub time_column: Option<String>,
    /// Name or number of the events extension, when there are several.
    pub extension: Option<String>,
    /// Keep the whole rows of a file that was cut off.
    pub salvage: bool,
    /// Detectors to use, all by default.
    pub detectors: Option<Vec<i64>>,
    /// The peer's rules.
    pub compat_stingray: bool,
}

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

/// An event file, opened: layout and metadata read, events untouched.
#[derive(Clone)]
pub struct EventFile {
    pub(super) table: Table,
    pub(super) time: Column,
    pub(super) time_factor: f64,
    pub(super) channel: Option<Column>,
    pub(super) detector: Option<Column>,
    pub(super) marker: Option<Column>,
    source: Source,
    /// Time frame.
    pub clock: Clock,
    /// Good time intervals, seconds of the frame (TIMEZERO included) from MJDREF.
    pub gti: Gti,
    /// TELESCOP as written.
    pub telescop: String,
    /// INSTRUME as written.
    pub instrument: String,
    /// OBJECT as written.
    pub object: String,
    /// Known layout that was applied.
    pub mission: &'static Mission,
    /// How channels become keV.
    pub scale: Option<Scale>,
}

const SCAN_ROWS: usize = 1 << 18;
const CRC_BYTES: usize = 4 << 20;

impl EventFile {
    /// Opens an event file.
    ///
    /// # Errors
    /// See [`Error`]: unreadable or malformed files, no or several event tables, no usable time column, unusable GTIs.
    pub fn open(path: &Path, options: &OpenOptions, warnings: &mut Warnings) -> Result<EventFile> {
        EventFile::of_source(Source::open(path)?, options, warnings)
    }

    /// The event file in bytes that are mapped already.
    ///
    /// # Errors
    /// See [`EventFile::open`].
    pub fn of_source(source: Source, options: &OpenOptions, warnings: &mut Warnings) -> Result<EventFile> {
        let hdus = fits::scan(source.path(), source.bytes())?;
        let keyword = |key: &str| hdus.iter().take(2).find_map(|h| h.header.text(key)).unwrap_or_default();
        let guess = if keyword("MISSION").is_empty() { keyword("TELESCOP") } else { keyword("MISSION") };
        let mission = Mission::of(&guess);
        let hdu = find_events(&source, &hdus, mission, options)?;
        let header = &hdu.header;
        // The events extension speaks for itself; the primary header fills gaps.
        let text = |key: &str| header.text(key).filter(|t| !t.is_empty()).unwrap_or_else(|| keyword(key));
        let (telescop, instrument) = (text("TELESCOP"), text("INSTRUME"));
        if telescop.is_empty() {
            warnings.push("W-NO-TELESCOP", format!("{}: no TELESCOP; read as a generic event list", source.path()));
        }
        let table = Table::open(&source, hdu, options.salvage)?;
        let time_name = options.time_column.as_deref().unwrap_or("TIME");
        let time = table.numbers(time_name)?.cloned();
        let time =
            time.ok_or_else(|| table.error(&format!("column {time_name}"), "missing; name it by --time-column"))?;
        let time_factor = gti::seconds_per_unit(&time.unit)
            .ok_or_else(|| table.error(&format!("column {}", time.name), &format!("unknown unit `{}`", time.unit)))?;
        let clock = read_clock(header, &text, options.compat_stingray)?;
        if clock.mjdref.is_none() {
            warnings.push("W-NO-MJDREF", format!("{}: no MJDREF; absolute times are not known", source.path()));
        }
        let mut channel = None;
        for name in mission.channel {
            channel = channel.or(table.numbers(name).unwrap_or(None).cloned());
        }
        let detector = if mission.detector.is_empty() { None } else { table.numbers(mission.detector)?.cloned() };
        let event_words = header.text("TEVTB2").unwrap_or_default();
        let marker = match mission.telescop {
            "XTE" if missions::rxte_has_marker(&event_words) => table.column("EVENT")?.filter(|c| c.kind == Kind::Bit),
            _ => None,
        };
        let marker = marker.cloned();
        let start_mjd = header.real("TSTART").ok().flatten().zip(clock.mjdref);
        let start_mjd = start_mjd.map(|(t, epoch)| epoch.value() + t / crate::time::SECONDS_PER_DAY);
        let context = Context { instrument: instrument.clone(), start_mjd, event_words };
        let scale = channel.as_ref().and_then(|c| mission.scale(&c.name, &context));
        let object = text("OBJECT");
        let mut file = EventFile {
            table,
            time,
            time_factor,
            channel,
            detector,
            marker,
            source,
            clock,
            gti: Gti::default(),
            telescop,
            instrument,
            object,
            mission,
            scale,
        };
        file.check_resolution()?;
        file.gti = file.read_gti(&hdus, header, options, warnings)?;
        Ok(file)
    }

    /// The file's name as given.
    pub fn path(&self) -> &str {
        self.source.path()
    }

    /// Rows of the event table.
    pub fn rows(&self) -> usize {
        self.table.rows
    }

    /// Bytes of a row.
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

    /// Name of the channel or energy column.
    pub fn channel_name(&self) -> Option<&str> {
        self.channel.as_ref().map(|c| c.name.as_str())
    }

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

    /// CRC-32 (IEEE 802.3) of the unpacked file, in hexadecimal; computed on all cores.
    pub fn crc32(&self) -> String {
        crc32(self.source.bytes())
    }

    /// Raw times of some rows, seconds, appended to `out`.
    pub fn times(&self, rows: std::ops::Range<usize>, out: &mut Vec<f64>) {
        let from = out.len();
        self.table.decode(&self.time, rows, out);
        if self.time_factor != 1.0 {
            out[from..].iter_mut().for_each(|t| *t *= self.time_factor);
        }
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
    fn check_resolution(&self) -> Result<()> {
        if self.time.kind != Kind::F32 || self.rows() == 0 {
            return Ok(());
        }
        let mut first = Vec::new();
        self.times(0..1, &mut first);
        let resolution = f64::from((first[0] as f32).abs().next_up()) - first[0].abs();
        if resolution.is_finite() && resolution > 1e-5 {
            let message = format!("single precision leaves {resolution:.1e} s at {} s; restore a D column", first[0]);
            return Err(self.table.error(&format!("column {}", self.time.name), &message));
        }
        Ok(())
    }

    fn read_gti(&self, hdus: &[Hdu], header: &Header, options: &OpenOptions, warnings: &mut Warnings) -> Result<Gti> {
        let path = self.path();
        let timezero = gti::timezero(header)?.unwrap_or(Dd::ZERO);
        let frame = Frame { mjdref: self.clock.mjdref, timezero };
        let compat = options.compat_stingray;
        // The peer's rule: the offset of the events, pixel shift included, moves the intervals too.
        let shift = if compat { self.clock.event_offset - timezero } else { Dd::ZERO };
        let build = |raw: Vec<(Dd, Dd)>, warnings: &mut Warnings| {
            let round = |t: Dd| if compat { (t + shift).round_to_extended() } else { t };
            let shifted = raw.into_iter().map(|(a, b)| (round(a), round(b))).collect();
            Gti::new(path, shifted, compat, warnings)
        };
        match &options.gti {
            GtiSource::Given(name) => Gti::new(name, gti::read_file(name, &frame)?, compat, warnings),
            GtiSource::Span => {
                let scan = self.scan_times();
                if scan.first > scan.last {
                    return Ok(Gti::default());
                }
                let offset = self.clock.event_offset;
                let span = (Dd::from(scan.first) + offset, Dd::from(scan.last.next_up()) + offset);
                Gti::new(path, vec![span], compat, warnings)
            }
            GtiSource::File => {
                let tables = self.gti_tables(hdus)?;
                let mut all: Option<Gti> = None;
                for hdu in tables {
                    let one = build(gti::read_table(&self.source, hdu, &frame)?, warnings)?;
                    all = Some(all.map_or_else(|| one.clone(), |sum| sum.intersect(&one)));
                }
                let message = "none in the file; give them by --gti, or use the span of the events by --no-gti";
                all.ok_or_else(|| Error::Gti { path: path.to_string(), message: message.to_string() })
            }
        }
    }

    /// The GTI tables that apply: the first one, or one for each detector in use.
    fn gti_tables<'a>(&self, hdus: &'a [Hdu]) -> Result<Vec<&'a Hdu>> {
        if let (GtiRule::ByDetector(prefixes), Some(column)) = (self.mission.gti, &self.detector) {
            let mut used = std::collections::BTreeSet::new();
            let mut values = Vec::new();
            for from in (0..self.rows()).step_by(SCAN_ROWS) {
                values.clear();
                self.table.decode(column, from..(from + SCAN_ROWS).min(self.rows()), &mut values);
                used.extend(values.iter().map(|&d| d as i64));
            }
            let named = |detector: i64| {
                let names: Vec<String> = prefixes.iter().map(|p| format!("{p}{detector:02}")).collect();
                hdus.iter().find(|h| names.iter().any(|n| h.name.eq_ignore_ascii_case(n)))
            };
            let tables: Vec<&Hdu> = used.iter().filter_map(|&d| named(d)).collect();
            if !tables.is_empty() && tables.len() == used.len() {
                return Ok(tables);
            }
        }
        Ok(hdus.iter().find(|h| gti::is_gti(h)).into_iter().collect())
    }
}

/// CRC-32 (IEEE 802.3) in hexadecimal, on all cores.
pub(super) fn crc32(bytes: &[u8]) -> String {
    let blocks: Vec<flate2::Crc> = bytes
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

fn read_clock(header: &Header, text: &impl Fn(&str) -> String, compat: bool) -> Result<Clock> {
    let timedel = header.real("TIMEDEL")?;
    // XMM gives the frame time in milliseconds.
    let timedel = timedel.or(header.real("FRMTIME")?.map(|ms| ms * 1e-3)).filter(|t| *t > 0.0).unwrap_or(0.0);
    let timepixr = header.real("TIMEPIXR")?.unwrap_or(0.5);
    let timezero = gti::timezero(header)?.unwrap_or(Dd::ZERO);
    let pixel = Dd::product(0.5 - timepixr, timedel);
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

/// The event table: the one asked for, a name the mission uses, else the first table of events by its class.
fn find_events<'a>(source: &Source, hdus: &'a [Hdu], mission: &Mission, options: &OpenOptions) -> Result<&'a Hdu> {
    let names = || hdus.iter().map(|h| format!("{} {}", h.index, h.name)).collect::<Vec<_>>().join(", ");
    if let Some(wanted) = &options.extension {
        let found = hdus.iter().find(|h| h.name.eq_ignore_ascii_case(wanted) || h.index.to_string() == *wanted);
        let message = || format!("the file has no extension `{wanted}`; it has: {}", names());
        return found.ok_or_else(|| format_error(source.path(), "extensions", &message()));
    }
    for name in mission.events.iter().chain(&["EVENTS", "XTE_SE"]) {
        let found: Vec<&Hdu> = hdus.iter().filter(|h| h.name.eq_ignore_ascii_case(name)).collect();
        match found[..] {
            [] => continue,
            [one] => return Ok(one),
            _ => {
                let numbers: Vec<String> = found.iter().map(|h| h.index.to_string()).collect();
                let message = format!(
                    "{} extensions are named {name} (numbers {}); choose one by --extension",
                    found.len(),
                    numbers.join(", ")
                );
                return Err(format_error(source.path(), "extensions", &message));
            }
        }
    }
    let time = options.time_column.as_deref().unwrap_or("TIME");
    let holds_events = |h: &&Hdu| {
        h.header.text("HDUCLAS1").is_some_and(|c| c.trim().to_ascii_uppercase().starts_with("EVENT"))
            && Table::open(source, h, true).is_ok_and(|t| t.columns.iter().any(|c| c.name.eq_ignore_ascii_case(time)))
    };
    let message =
        || format!("no table of events (EVENTS, XTE_SE, or HDUCLAS1 = EVENTS with a column TIME); it has: {}", names());
    hdus.iter().find(holds_events).ok_or_else(|| format_error(source.path(), "extensions", &message()))
}

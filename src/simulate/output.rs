//! Simulated events as an OGIP event file (OGIP/93-003 and OGIP/94-003), streamed in time blocks.

use std::io::{Seek, Write};
use std::path::Path;
use std::sync::mpsc::sync_channel;

use rayon::prelude::*;
use serde::Serialize;

use super::Simulation;
use super::event::Event;
use super::source::SimulatedSource;
use crate::base::error::{Error, Result};
use crate::base::time::SECONDS_PER_DAY;
use crate::base::warning::Warnings;
use crate::data::header::HeaderCards;
use crate::io::fits_writer::{FitsWriter, WrittenColumn, write_file};
use crate::missions::{ColumnContent, ImitatedFiles};

/// Most gaps that the header lists: a header is read whole by every reader.
const GAPS_IN_HISTORY: usize = 100;

/// Facts about the simulated event file that was written.
#[derive(Clone, Debug, PartialEq, Serialize)]
#[non_exhaustive]
pub struct SimulationSummary {
    /// Number of rows of the event table.
    pub events: u64,
    /// Number of events in good time that were lost to dead time.
    pub lost: u64,
    /// Sum of the good time, s.
    pub exposure: f64,
    /// Number of good time intervals.
    pub gtis: usize,
    /// TSTART, raw time, s.
    pub tstart: f64,
    /// TSTOP, raw time, s.
    pub tstop: f64,
    /// Bin width of the noise series, s; `None` without noise.
    pub dt: Option<f64>,
    /// Frame time or clock tick of the recorded times, s; 0 if there is none.
    pub frame_time: f64,
    /// Warnings: where the spectrum is not the one asked for.
    pub warnings: Warnings,
}

impl SimulatedSource {
    /// Writes the file; `simulation` is what this source was made from.
    pub(super) fn write(&self, simulation: &Simulation, path: &Path, overwrite: bool) -> Result<SimulationSummary> {
        let io = |e: std::io::Error| Error::io(path, e);
        let (tstart, tstop) = (simulation.start(), simulation.start() + simulation.length);
        let mut events = 0;
        let mut detectors = self.detectors();
        write_file(path, overwrite, |out| {
            let mut primary = HeaderCards::new();
            common(&mut primary, simulation, self).map_err(io)?;
            let mut fits = FitsWriter::new(out, &primary).map_err(io)?;
            let mut header = HeaderCards::new();
            event_keywords(&mut header, simulation, self).map_err(io)?;
            let columns: Vec<WrittenColumn> =
                self.layout.files.columns.iter().map(|c| WrittenColumn::new(c.0, c.1, c.2)).collect();
            fits.table(self.layout.files.events, &columns, &header).map_err(io)?;
            let rows = EventRowEncoder::new(self).map_err(io)?;
            // One group of blocks is made while the one before it is written: two are held at a time.
            let group = 2 * rayon::current_num_threads() as u64;
            let (sender, receiver) = sync_channel::<Vec<Vec<u8>>>(0);
            std::thread::scope(|scope| {
                let writer = std::thread::Builder::new().spawn_scoped(scope, || -> std::io::Result<()> {
                    // The receiver moves in and ends with this thread: a failed write then stops the sender.
                    receiver.into_iter().try_for_each(|blocks| blocks.iter().try_for_each(|rows| fits.rows(rows)))
                })?;
                let mut first = 0;
                while first < self.blocks() {
                    let last = (first + group).min(self.blocks());
                    let numbers = (first..last).into_par_iter();
                    let blocks: Vec<Vec<u8>> = match &mut detectors {
                        None => numbers.map(|i| rows.encode(&self.block(i))).collect(),
                        Some(detectors) => {
                            let arrivals: Vec<_> = numbers.map(|i| self.arrivals(i)).collect();
                            let recorded: Vec<_> = arrivals.into_iter().map(|block| detectors.record(block)).collect();
                            recorded.par_iter().map(|events| rows.encode(events)).collect()
                        }
                    };
                    events += blocks.iter().map(|b| (b.len() / rows.width) as u64).sum::<u64>();
                    if sender.send(blocks).is_err() {
                        break;
                    }
                    first = last;
                }
                drop(sender);
                writer.join().unwrap_or_else(|panic| std::panic::resume_unwind(panic))
            })
            .map_err(io)?;
            if let Some(detectors) = &detectors {
                fits.set("EXPOSURE", self.exposure() * detectors.live()).map_err(io)?;
                fits.set("LIVETIME", self.exposure() * detectors.live()).map_err(io)?;
                fits.set("DEADC", detectors.live()).map_err(io)?;
            }
            let [start, stop] = self.layout.files.start_stop;
            let mut header = HeaderCards::new();
            gti_keywords(&mut header, simulation, self).map_err(io)?;
            let columns = [WrittenColumn::new(start, "1D", "s"), WrittenColumn::new(stop, "1D", "s")];
            for name in self.layout.files.gti {
                fits.table(name, &columns, &header).map_err(io)?;
                for &(start, stop) in self.gtis() {
                    fits.rows(&[start.to_be_bytes(), stop.to_be_bytes()].concat()).map_err(io)?;
                }
            }
            if let Some(bounds) = self.layout.files.bounds {
                energy_bounds(&mut fits, self.layout.files.all, bounds).map_err(io)?;
            }
            fits.finish().map_err(io)?;
            Ok(())
        })?;
        let mut warnings = Warnings::default();
        self.spectrum_change().and_then(|change| change.warning()).into_iter().for_each(|w| warnings.record(w));
        Ok(SimulationSummary {
            events,
            lost: detectors.map_or(0, |d| d.lost),
            exposure: self.exposure(),
            gtis: self.gtis().len(),
            tstart,
            tstop,
            dt: self.dt(),
            frame_time: self.frame_time(),
            warnings,
        })
    }
}

/// Turns events into rows.
struct EventRowEncoder<'a> {
    source: &'a SimulatedSource,
    width: usize,
    /// A row with the constant columns filled in.
    template: Vec<u8>,
    /// Offset and type letter of the columns that vary.
    varying: Vec<(usize, u8, ColumnContent)>,
}

impl<'a> EventRowEncoder<'a> {
    fn new(source: &'a SimulatedSource) -> std::io::Result<EventRowEncoder<'a>> {
        let (mut template, mut varying) = (Vec::new(), Vec::new());
        for &(name, form, unit, field) in source.layout.files.columns {
            let kind = form.bytes().last().unwrap_or(b'B');
            let (offset, width) = (template.len(), WrittenColumn::new(name, form, unit).width()?);
            template.resize(offset + width, 0);
            match field {
                // Repeated columns and bits are constant zero bytes but for their first.
                ColumnContent::Same(value) if value != 0.0 => put(&mut template[offset..], kind, value),
                ColumnContent::Same(_) => {}
                _ => varying.push((offset, kind, field)),
            }
        }
        Ok(EventRowEncoder { source, width: template.len(), template, varying })
    }

    fn encode(&self, events: &[Event]) -> Vec<u8> {
        let mut bytes = Vec::with_capacity(events.len() * self.width);
        for event in events {
            let start = bytes.len();
            bytes.extend_from_slice(&self.template);
            let row = &mut bytes[start..];
            for &(offset, kind, field) in &self.varying {
                let cell = &mut row[offset..];
                let value = match field {
                    ColumnContent::Same(value) => value,
                    ColumnContent::Time => event.time,
                    ColumnContent::Channel => f64::from(event.pi),
                    ColumnContent::Detector => f64::from(event.detector),
                    ColumnContent::Phase => self.source.phase(event.time),
                    ColumnContent::Energy(kev) => self.source.layout.energy(event.pi) / kev,
                    // Above 2^53 ticks (3.6e8 s) the times themselves are no longer held to one tick.
                    ColumnContent::Ticks => (event.time / self.source.layout.files.frame).round(),
                    ColumnContent::XenonWord => {
                        cell[0] = 0x80 | event.detector >> 2;
                        cell[1] = event.detector << 6;
                        cell[2] = event.pi as u8;
                        continue;
                    }
                };
                put(cell, kind, value);
            }
        }
        bytes
    }
}

/// Writes a number as the type letter of a TFORM says, big-endian.
fn put(cell: &mut [u8], kind: u8, value: f64) {
    match kind {
        b'D' => cell[..8].copy_from_slice(&value.to_be_bytes()),
        b'E' => cell[..4].copy_from_slice(&(value as f32).to_be_bytes()),
        b'K' => cell[..8].copy_from_slice(&(value as i64).to_be_bytes()),
        b'J' => cell[..4].copy_from_slice(&(value as i32).to_be_bytes()),
        b'I' => cell[..2].copy_from_slice(&(value as i16).to_be_bytes()),
        _ => cell[0] = value as u8,
    }
}

/// The keywords that every unit of the file has.
fn common(header: &mut HeaderCards, simulation: &Simulation, source: &SimulatedSource) -> std::io::Result<()> {
    let files = source.layout.files;
    let (tstart, tstop) = (simulation.start(), simulation.start() + simulation.length);
    header.push("TELESCOP", files.telescop, "mission imitated: the data are simulated")?;
    header.push("INSTRUME", files.instrume, "instrument imitated")?;
    for &(keyword, value) in files.cards {
        header.push(keyword, value, "")?;
    }
    header.push("OBJECT", "SIMULATED", "no real source")?;
    header.push("ORIGIN", "eagleray", "")?;
    header.push("CREATOR", concat!("eagleray ", env!("CARGO_PKG_VERSION")), "program that made this file")?;
    header.push("TIMESYS", files.timesys, "time scale")?;
    header.push("MJDREFI", files.mjdref.day, "[d] epoch of the times, whole days")?;
    header.push("MJDREFF", files.mjdref.fraction, "[d] epoch of the times, fraction")?;
    header.push("TIMEREF", files.timeref, "where times are measured")?;
    header.push("TASSIGN", "SATELLITE", "where times are assigned")?;
    header.push("TIMEUNIT", "s", "unit of the time keywords")?;
    header.push("TIMEZERO", files.timezero, "[s] to add to the times")?;
    header.push("CLOCKAPP", true, "clock correction applied")?;
    if source.frame_time() > 0.0 {
        header.push("TIMEDEL", source.frame_time(), "[s] resolution of the time stamps")?;
        header.push("TIMEPIXR", files.timepixr, "place of the stamp in its frame")?;
        if let Some(key) = simulation.mission.frame_ms {
            header.push(key.name, 1000.0 * source.frame_time(), key.comment)?;
        }
    }
    header.push("TSTART", tstart, "[s] start")?;
    header.push("TSTOP", tstop, "[s] stop")?;
    header.push("DATE-OBS", date(files, tstart).as_str(), "start, in TIMESYS")?;
    header.push("DATE-END", date(files, tstop).as_str(), "stop, in TIMESYS")?;
    Ok(())
}

fn event_keywords(header: &mut HeaderCards, simulation: &Simulation, source: &SimulatedSource) -> std::io::Result<()> {
    header.push("HDUCLASS", "OGIP", "format conforms to OGIP standards")?;
    header.push("HDUCLAS1", source.layout.files.class, "photon events")?;
    header.push("HDUCLAS2", "ALL", "")?;
    common(header, simulation, source)?;
    header.push("ONTIME", source.exposure(), "[s] sum of the good time intervals")?;
    let exposure = match simulation.dead_time {
        None => "[s] exposure; there is no dead time",
        Some(_) => "[s] exposure, dead time left out",
    };
    header.push("EXPOSURE", source.exposure(), exposure)?;
    header.push("LIVETIME", source.exposure(), "[s] live time")?;
    header.push("DEADC", 1.0, "dead-time correction")?;
    for (column, i) in source.layout.files.columns.iter().zip(1..) {
        if column.3 == ColumnContent::Channel {
            header.push(&format!("TLMIN{i}"), i64::from(source.layout.files.all.0), "lowest channel")?;
            header.push(&format!("TLMAX{i}"), i64::from(source.layout.files.all.1), "highest channel")?;
        }
    }
    header.history(concat!("eagleray ", env!("CARGO_PKG_VERSION"), " simulate: these events are simulated"));
    header.history(&format!("seed {}", simulation.seed));
    let mut shown = simulation.clone();
    if shown.gaps.len() > GAPS_IN_HISTORY {
        header.history(&format!("{} gaps, not listed here: they are what the GTIs leave out", shown.gaps.len()));
        shown.gaps.clear();
    }
    let options = serde_json::to_string(&shown).map_err(std::io::Error::other)?;
    header.history(&format!("options {options}"));
    if let Some(warning) = source.spectrum_change().and_then(|change| change.warning()) {
        header.history(&warning.reason());
    }
    Ok(())
}

fn gti_keywords(header: &mut HeaderCards, simulation: &Simulation, source: &SimulatedSource) -> std::io::Result<()> {
    header.push("HDUCLASS", "OGIP", "format conforms to OGIP standards")?;
    header.push("HDUCLAS1", "GTI", "good time intervals")?;
    header.push("HDUCLAS2", "ALL", "")?;
    common(header, simulation, source)?;
    header.push("ONTIME", source.exposure(), "[s] sum of the good time intervals")
}

/// The EBOUNDS extension (CAL/GEN/92-002): edges in one ratio from the lowest to the highest.
fn energy_bounds<W: Write + Seek>(
    fits: &mut FitsWriter<W>,
    (first, last): (i32, i32),
    (lowest, highest): (f64, f64),
) -> std::io::Result<()> {
    let mut header = HeaderCards::new();
    header.push("HDUCLASS", "OGIP", "format conforms to OGIP standards")?;
    header.push("HDUCLAS1", "RESPONSE", "")?;
    header.push("HDUCLAS2", "EBOUNDS", "energies of channels")?;
    header.push("CHANTYPE", "PHA", "channels are PHA")?;
    let columns = [
        WrittenColumn::new("CHANNEL", "1I", ""),
        WrittenColumn::new("E_MIN", "1E", "keV"),
        WrittenColumn::new("E_MAX", "1E", "keV"),
    ];
    fits.table("EBOUNDS", &columns, &header)?;
    let part = |channel: i32| f64::from(channel - first) / f64::from(last + 1 - first);
    let edge = |channel: i32| (lowest * (highest / lowest).powf(part(channel))) as f32;
    (first..=last).try_for_each(|channel| {
        let number = (channel as i16).to_be_bytes();
        fits.rows(&[&number[..], &edge(channel).to_be_bytes(), &edge(channel + 1).to_be_bytes()].concat())
    })
}

/// `YYYY-MM-DDThh:mm:ss` of a raw time, to the second below, in the file's time scale.
fn date(files: &ImitatedFiles, time: f64) -> String {
    let seconds = files.mjdref.fraction * SECONDS_PER_DAY + files.timezero + time;
    let days = (seconds / SECONDS_PER_DAY).floor();
    let second = (seconds - days * SECONDS_PER_DAY) as u64;
    // Days to the Gregorian calendar, counted from 0000-03-01 (MJD −678881), by eras of 400 years.
    let z = files.mjdref.day + days as i64 + 678_881;
    let (era, day) = (z.div_euclid(146_097), z.rem_euclid(146_097));
    let year = (day - day / 1460 + day / 36_524 - day / 146_096) / 365;
    let day = day - (365 * year + year / 4 - year / 100);
    let month = (5 * day + 2) / 153;
    let d = day - (153 * month + 2) / 5 + 1;
    let m = if month < 10 { month + 3 } else { month - 9 };
    let y = year + 400 * era + i64::from(m <= 2);
    format!("{y:04}-{m:02}-{d:02}T{:02}:{:02}:{:02}", second / 3600, second / 60 % 60, second % 60)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn dates_are_those_of_the_calendar() {
        let xmm = &crate::missions::XMM.files.unwrap();
        assert_eq!(date(xmm, 0.0), "1998-01-01T00:00:00");
        assert_eq!(date(xmm, 86_400.0 * (365.0 + 365.0 + 59.0) + 3661.5), "2000-02-29T01:01:01");
        assert_eq!(date(xmm, -1.0), "1997-12-31T23:59:59");
    }
}

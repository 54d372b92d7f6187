//! Whether the inputs of one product are of one instrument.

use serde_json::Value;

use super::{Content, Observation};
use crate::base::error::{Error, Result};
use crate::base::mend::Mend;
use crate::base::warning::{Warning, Warnings};
use crate::data::{ChannelRange, LightCurve, Record};
use crate::engine::photon_band::PhotonBand;
use crate::io::EventFile;
use crate::missions::Mission;

/// What was observed with.
struct Instrument {
    /// Name of the file.
    file: String,
    /// The mission's description, and TELESCOP where there is none.
    mission: String,
    /// INSTRUME, that of the first of those that are built alike.
    instrument: String,
    /// TELESCOP and INSTRUME as they are written.
    written: String,
}

impl Instrument {
    fn new(file: &str, mission: &Mission, telescop: &str, instrument: &str) -> Instrument {
        let name = if mission.is_generic() { telescop.trim().to_ascii_uppercase() } else { mission.title.to_string() };
        Instrument {
            file: file.to_string(),
            mission: name,
            instrument: mission.kind_of_instrument(instrument),
            written: format!("{} {}", telescop.trim(), instrument.trim()).trim().to_string(),
        }
    }

    fn of_file(file: &EventFile) -> Instrument {
        Instrument::new(file.path(), file.mission, &file.telescop, &file.instrument)
    }

    fn of_record(record: &Record) -> Instrument {
        let mission = Mission::from_header(&[&record.telescop], &record.instrume);
        let name = record.inputs.first().map_or("in memory", |input| &input.name);
        Instrument::new(name, mission, &record.telescop, &record.instrume)
    }
}

/// True for two names that are known and differ.
fn differ(a: &str, b: &str) -> bool {
    !a.is_empty() && !b.is_empty() && a != b
}

fn mend() -> Mend {
    Mend::set("mixed", true).doing("takes them together all the same")
}

/// Refuses inputs of several missions or instruments.
///
/// # Errors
/// Two inputs, with what they were observed with.
fn refuse_others(all: &[Instrument]) -> Result<()> {
    let Some((first, others)) = all.split_first() else { return Ok(()) };
    for other in others {
        let mission = differ(&first.mission, &other.mission);
        if mission || differ(&first.instrument, &other.instrument) {
            let what = if mission { "another mission" } else { "another instrument" };
            let message = format!(
                "is of {what} ({}) than {} ({}): together they are of no instrument",
                other.written, first.file, first.written
            );
            return Err(Error::argument("files", &other.file, message).mended_by([mend()]));
        }
    }
    Ok(())
}

/// Refuses products, by their records, that are not of one instrument and one selection of energies.
///
/// # Errors
/// Two that are not alike, with what they are of.
pub(in crate::engine) fn refuse_mixed<'a>(records: impl IntoIterator<Item = &'a Record>) -> Result<()> {
    let records: Vec<&Record> = records.into_iter().collect();
    refuse_others(&records.iter().map(|record| Instrument::of_record(record)).collect::<Vec<_>>())?;
    let Some((first, others)) = records.split_first() else { return Ok(()) };
    for other in others {
        let (own, theirs) = (Bands::of(other), Bands::of(first));
        if !own.agree_with(&theirs) {
            return Err(unlike(first, other, "the selection of energies", &own.words(), &theirs.words()));
        }
    }
    Ok(())
}

/// [`refuse_mixed`], and products of several time systems, places of times, or clocks of which some have no epoch: what averages need not bring to one
/// frame, and one analysis of all files refuses.
///
/// # Errors
/// See [`refuse_mixed`].
pub(in crate::engine) fn refuse_unlike<'a>(records: impl IntoIterator<Item = &'a Record>) -> Result<()> {
    let records: Vec<&Record> = records.into_iter().collect();
    refuse_mixed(records.iter().copied())?;
    let Some((first, others)) = records.split_first() else { return Ok(()) };
    for other in others {
        let epoch = |record: &Record| if record.mjdref.is_some() { "there".to_string() } else { quoted("") };
        for (key, own, theirs) in [
            ("TIMESYS", quoted(&other.timesys), quoted(&first.timesys)),
            ("TIMEREF", quoted(&other.timeref), quoted(&first.timeref)),
            ("MJDREF", epoch(other), epoch(first)),
        ] {
            if !own.eq_ignore_ascii_case(&theirs) {
                return Err(unlike(first, other, key, &own, &theirs));
            }
        }
    }
    Ok(())
}

/// The error for a product that is not like the first.
fn unlike(first: &Record, other: &Record, what: &str, own: &str, theirs: &str) -> Error {
    let message = format!("{what} is {own}, and {theirs} in {}: together they are of neither", first.first_input());
    Error::argument("files", other.first_input(), message).mended_by([mend()])
}

fn quoted(text: &str) -> String {
    if text.trim().is_empty() { "missing".to_string() } else { format!("`{}`", text.trim()) }
}

/// The energies that a product is of.
struct Bands {
    /// The band of each input in keV, where it was selected so.
    energies: Vec<Option<[f64; 2]>>,
    /// The channels of each input.
    channels: Vec<Option<ChannelRange>>,
    /// Bands that the analysis compares, as its options have them.
    compared: Vec<Value>,
}

impl Bands {
    fn of(record: &Record) -> Bands {
        let mut made = Bands { energies: Vec::new(), channels: Vec::new(), compared: compared(&record.options) };
        for input in &record.inputs {
            if !made.energies.contains(&input.energy) {
                made.energies.push(input.energy);
            }
            if !made.channels.contains(&input.channels) {
                made.channels.push(input.channels);
            }
        }
        made
    }

    /// True for the same bands of an analysis, else for the same in keV; of products that say neither, for the same channels.
    fn agree_with(&self, other: &Bands) -> bool {
        let are_compared = self.compared.iter().any(|bands| !bands.is_null());
        let in_kev = |bands: &Bands| !bands.energies.is_empty() && bands.energies.iter().all(Option::is_some);
        let channels = are_compared || (in_kev(self) && in_kev(other)) || self.channels == other.channels;
        self.compared == other.compared && self.energies == other.energies && channels
    }

    fn words(&self) -> String {
        let energies = self.energies.iter().flatten().map(|[lo, hi]| format!("{lo} to {hi} keV"));
        let channels = self.channels.iter().flatten().map(|range| format!("channels {} to {}", range.lo, range.hi));
        let compared = self.compared.iter().filter(|bands| !bands.is_null()).map(Value::to_string);
        let all: Vec<String> = match self.energies.iter().any(Option::is_some) {
            true => energies.chain(compared).collect(),
            false => channels.chain(compared).collect(),
        };
        if all.is_empty() { "none".to_string() } else { all.join(", ") }
    }
}

/// The field `bands` of options, of each product that was joined.
fn compared(options: &Value) -> Vec<Value> {
    let mut all: Vec<Value> = match options.get("join").and_then(Value::as_array) {
        Some(list) => list.iter().flat_map(compared).collect(),
        None => vec![options.get("bands").cloned().unwrap_or(Value::Null)],
    };
    all.dedup();
    all
}

impl Observation {
    /// Refuses event files of different missions or instruments in one product, averaged or merged, and channels of different energies; modules that
    /// are built alike are one instrument. `band` is what a product has of each file.
    ///
    /// # Errors
    /// Two files that are not alike, unless the observation may be mixed.
    pub(in crate::engine) fn alike(&self, band: Option<PhotonBand>, warnings: &mut Warnings) -> Result<()> {
        let Content::Files(files) = &self.content else { return Ok(()) };
        let (Some(first), false) = (files.first(), self.mixed) else { return Ok(()) };
        refuse_others(&files.iter().map(Instrument::of_file).collect::<Vec<_>>())?;
        let Some(other) = files.iter().find(|other| other.scale != first.scale) else { return Ok(()) };
        match band {
            // Each file has the channels of its own scale.
            Some(PhotonBand::Energy(..)) => {}
            Some(PhotonBand::Channels(..)) => {
                let message = format!("its channels have other energies than those of {}", first.path());
                let band = Mend::field("energy").doing("selects by keV in each");
                return Err(Error::argument("files", other.path(), message).mended_by([band, mend()]));
            }
            None => {
                let message = format!(
                    "{}: channels have other energies than in {}: without a band in keV the product is of both ranges",
                    other.path(),
                    first.path()
                );
                warnings.record(Warning::new("W-MIXED-SCALE", message).mended_by([Mend::field("energy")]));
            }
        }
        Ok(())
    }

    /// Refuses light curves of different missions or instruments in one product.
    ///
    /// # Errors
    /// Two that are not alike, unless the observation may be mixed.
    pub(super) fn alike_curves(&self, curves: &[LightCurve]) -> Result<()> {
        if self.mixed {
            return Ok(());
        }
        refuse_mixed(curves.iter().map(|curve| &curve.meta.record))
    }
}

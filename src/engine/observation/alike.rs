//! Whether the inputs of one product are of one instrument.

use super::{Content, Observation};
use crate::base::error::{Error, Result};
use crate::base::mend::Mend;
use crate::base::warning::{Warning, Warnings};
use crate::data::{LightCurve, Record};
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

/// Refuses products, by their records, that several missions or instruments made.
///
/// # Errors
/// Two that are not alike, with what they were observed with.
pub(in crate::engine) fn refuse_mixed<'a>(records: impl IntoIterator<Item = &'a Record>) -> Result<()> {
    refuse_others(&records.into_iter().map(Instrument::of_record).collect::<Vec<_>>())
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

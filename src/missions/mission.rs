//! The description of a mission: its parts, and what follows from them.

use std::collections::BTreeSet;

use serde::{Serialize, Serializer};

use super::evidence::Evidence;
use super::files::ImitatedFiles;
use crate::base::time::MjdRef;
use crate::data::energy_scale::EnergyScale;

/// The event files of one mission, or of one of its instruments.
#[derive(Clone, Copy)]
#[non_exhaustive]
pub struct Mission {
    /// One word in lower case, no other mission's: what `simulate --mission` calls it.
    pub name: &'static str,
    /// What people call it.
    pub title: &'static str,
    /// TELESCOP (or MISSION) as written, upper case; empty for the generic layout.
    pub telescop: &'static str,
    /// Other names that TELESCOP or MISSION may have, upper case.
    pub aliases: &'static [&'static str],
    /// How INSTRUME begins, upper case; empty for all instruments.
    pub instrument: &'static str,
    /// Names of the events extension, first match wins; those of [`GENERIC`](super::GENERIC) come after them.
    pub events: &'static [&'static str],
    /// Columns that hold the channel or energy, first match wins.
    pub channel: &'static [&'static str],
    /// The column that tells detectors apart, empty when none does.
    pub detector: &'static str,
    /// Where the GTIs are.
    pub gti: GtiRule,
    /// How the names of tables of intervals begin that are there besides and never in force.
    pub spare_gtis: &'static [&'static str],
    /// Values of INSTRUME, upper case, of instruments that are built alike: group by group.
    pub modules: &'static [&'static [&'static str]],
    /// How channels become keV.
    pub energy: EnergyRule,
    /// INSTRUME of which alone energies and dead time are known; empty for all instruments.
    pub calibrated: &'static str,
    /// The dead time of the detectors, where it is the same for every event and well known; not that of frames, which are
    /// another matter.
    pub dead_time: Option<DetectorDeadTime>,
    /// Tells photons from other rows, where there are such.
    pub marker: Option<PhotonMarker>,
    /// Files that have no times of photons.
    pub refusal: Option<Refusal>,
    /// The epoch of files that lack MJDREF, where it is known.
    pub epoch: Option<MjdRef>,
    /// The keyword that gives the frame time in ms.
    pub frame_ms: Option<FrameKeyword>,
    /// The extension, and its column, that say second by second which detectors are selected; empty for none.
    pub detectors_on: &'static str,
    /// What imitated files look like; `None` for a mission that is not imitated.
    pub files: Option<ImitatedFiles>,
    /// Traps and what is done about them, for docs/missions.md: whole sentences.
    pub notes: &'static [&'static str],
    /// Where the knowledge comes from, for docs/missions.md.
    pub evidence: &'static [Evidence],
}

/// Where a mission keeps its good time intervals.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum GtiRule {
    /// The first extension named GTI or STDGTI.
    First,
    /// One extension for each detector, named by one of these prefixes and the detector's number; of more than two digits,
    /// the last two are the detector.
    ByDetector(&'static [&'static str]),
    /// One extension named GTI for each detector, which this keyword names.
    ByKeyword(&'static str),
}

/// How a mission's channels become keV; energies are those of the centres of channels.
#[derive(Clone, Copy, Debug)]
pub enum EnergyRule {
    /// The detectors do not measure energies.
    None,
    /// No scale is known: the user gives a response.
    Response,
    /// `keV = gain·channel + offset`, both decimals as published.
    Linear {
        /// keV a channel.
        gain: &'static str,
        /// keV at channel 0.
        offset: &'static str,
    },
    /// A column that is an energy, unless the file has none of that name.
    Column {
        /// Its name, upper case.
        name: &'static str,
        /// eV in its unit, unless its TUNIT says otherwise.
        ev: u32,
        /// Gain and offset of the channels of a file without that column, as in [`EnergyRule::Linear`].
        channels: Option<(&'static str, &'static str)>,
    },
    /// The file's own EBOUNDS extension.
    Bounds,
    /// By what a file says of itself.
    ByFile {
        /// For a cell of docs/missions.md.
        brief: &'static str,
        /// In the words of `info`.
        words: &'static str,
        /// The scale of one file; `None` when it does not say enough.
        scale: fn(&Context) -> Option<EnergyScale>,
    },
}

/// What is known of detectors that are dead after an event.
#[derive(Clone, Copy, Debug, PartialEq)]
#[non_exhaustive]
pub struct DetectorDeadTime {
    /// After every event, s.
    pub seconds: f64,
    /// Detectors that share the events of one file.
    pub detectors: usize,
}

/// The leading bit of a column tells photons from other rows.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct PhotonMarker {
    /// Name of the column.
    pub column: &'static str,
    /// The bit's value in rows that are photons.
    pub bit: u8,
    /// How the description of event words (TEVTB2, blanks left out) begins where this holds; empty for all files.
    pub event_words: &'static str,
}

/// Files that are refused.
#[derive(Clone, Copy, Debug)]
#[non_exhaustive]
pub struct Refusal {
    /// The keyword that betrays them.
    pub keyword: &'static str,
    /// True for its values in such files.
    pub refuses: fn(&str) -> bool,
    /// What is wrong with them, and the remedy.
    pub message: &'static str,
}

/// A keyword with the frame time in ms; every mission's stands in for TIMEDEL in every file that lacks that.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct FrameKeyword {
    /// Its name.
    pub name: &'static str,
    /// The comment that imitated files have.
    pub comment: &'static str,
    /// Whole numbers are rounded ones.
    pub rounded: bool,
}

/// What a file says of itself that decides how its channels are read.
#[derive(Clone, Debug, Default)]
#[non_exhaustive]
pub struct Context {
    /// INSTRUME.
    pub instrument: String,
    /// Start of the observation, MJD; picks RXTE's gain epoch.
    pub start_mjd: Option<f64>,
    /// RXTE: the description of event words (TEVTB2).
    pub event_words: String,
}

impl Mission {
    /// True for the layout used when the mission is not known.
    pub fn is_generic(&self) -> bool {
        self.telescop.is_empty()
    }

    /// What tells an instrument from others of the mission, upper case: INSTRUME, or the first of those that are built like it; of several apart by
    /// commas each, once and in order.
    pub fn kind_of_instrument(&self, instrument: &str) -> String {
        let kind = |name: &str| {
            let name = name.trim().to_ascii_uppercase();
            let group = self.modules.iter().find(|group| group.contains(&name.as_str()));
            group.and_then(|group| group.first()).map_or(name, |first| (*first).to_string())
        };
        let kinds: BTreeSet<String> = instrument.split(',').map(kind).filter(|kind| !kind.is_empty()).collect();
        kinds.into_iter().collect::<Vec<_>>().join(",")
    }

    fn knows(&self, instrument: &str) -> bool {
        self.calibrated.is_empty() || instrument.eq_ignore_ascii_case(self.calibrated)
    }

    /// [`Mission::dead_time`] of an instrument.
    pub fn dead_time_of(&self, instrument: &str) -> Option<DetectorDeadTime> {
        self.dead_time.filter(|_| self.knows(instrument))
    }

    /// The value of the leading bit of this column in rows that are photons, where other rows may be among them.
    pub fn photon_bit(&self, event_words: &str) -> Option<(&'static str, u8)> {
        let words = event_words.replace(' ', "");
        self.marker.filter(|m| words.starts_with(m.event_words)).map(|m| (m.column, m.bit))
    }

    /// How channels become keV, in words.
    pub fn described(&self) -> Option<String> {
        match self.energy {
            EnergyRule::None | EnergyRule::Response => None,
            EnergyRule::Linear { gain, offset: "0" } => Some(format!("{gain} keV x channel")),
            EnergyRule::Linear { gain, offset } => Some(format!("{gain} keV x channel + {offset} keV")),
            EnergyRule::Column { name, .. } => Some(format!("column {name}")),
            EnergyRule::Bounds => Some("EBOUNDS of the file".into()),
            EnergyRule::ByFile { words, .. } => Some(words.into()),
        }
    }

    /// True where channels have the energies of the file's own EBOUNDS extension.
    pub fn has_bounds(&self) -> bool {
        matches!(self.energy, EnergyRule::Bounds)
    }

    /// How the values of `column`, of this TUNIT, become keV; `None` when this file's channels have no known scale.
    pub fn scale(&self, column: &str, unit: &str, context: &Context) -> Option<EnergyScale> {
        if !self.knows(&context.instrument) {
            return None;
        }
        match self.energy {
            EnergyRule::None | EnergyRule::Response | EnergyRule::Bounds => None,
            EnergyRule::Linear { gain, offset } => Some(EnergyScale::Linear { gain, offset }),
            EnergyRule::Column { name, ev, .. } if column.eq_ignore_ascii_case(name) => {
                Some(EnergyScale::Energy { ev: ev_per_unit(unit).unwrap_or(ev) })
            }
            EnergyRule::Column { channels, .. } => channels.map(|(gain, offset)| EnergyScale::Linear { gain, offset }),
            EnergyRule::ByFile { scale, .. } => scale(context),
        }
    }
}

/// eV in a unit of energy; `None` for other units.
fn ev_per_unit(unit: &str) -> Option<u32> {
    let known = [("eV", 1), ("keV", 1000), ("MeV", 1_000_000)];
    known.iter().find(|(name, _)| name.eq_ignore_ascii_case(unit.trim())).map(|(_, ev)| *ev)
}

impl PartialEq for Mission {
    fn eq(&self, other: &Mission) -> bool {
        self.name == other.name
    }
}

impl Eq for Mission {}

impl std::fmt::Debug for Mission {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_tuple("Mission").field(&self.name).finish()
    }
}

impl Serialize for Mission {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_str(self.name)
    }
}

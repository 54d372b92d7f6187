//! What is known of each mission's event files: one file a mission, plain data.
//!
//! By these descriptions files are read (`io`) and imitated (`simulate`), and docs/missions.md has its tables from them. A
//! mission more is a file more in this folder, and its line in the list below.
// What reads headers may meet anything: what is indexed says why that is there.
#![cfg_attr(
    not(test),
    deny(clippy::indexing_slicing, clippy::string_slice, clippy::panic, clippy::unreachable, clippy::todo)
)]

mod evidence;
mod files;
mod mission;

pub use evidence::Evidence;
pub use files::{ColumnContent, ImitatedColumn, ImitatedFiles};
pub use mission::{Context, DetectorDeadTime, EnergyRule, FrameKeyword, GtiRule, Mission, PhotonMarker, Refusal};

macro_rules! missions {
    ($($file:ident: $($mission:ident),+;)+) => {
        $(mod $file; pub use $file::{$($mission),+};)+
        const LIST: &[&Mission] = &[$($(&$mission),+),+];
    };
}

// The file of each mission, and the descriptions in it.
missions! {
    generic: GENERIC;
    nustar: NUSTAR;
    nicer: NICER;
    xmm: XMM;
    rxte: RXTE;
    chandra: ACIS, HRC;
    swift: SWIFT;
    ixpe: IXPE;
    laxpc: LAXPC;
    hxmt: HXMT;
    xrism: RESOLVE, XTEND;
    erosita: EROSITA;
    ep: EP;
    fermi_lat: LAT;
    fermi_gbm: GBM;
}

/// All missions, in the order of docs/missions.md; an instrument before the rest of its mission.
pub static MISSIONS: &[&Mission] = LIST;

/// The mission of this name, without regard to case.
pub fn named(name: &str) -> Option<&'static Mission> {
    MISSIONS.iter().copied().find(|m| m.name.eq_ignore_ascii_case(name))
}

/// The missions whose files are imitated.
pub fn imitated() -> impl Iterator<Item = &'static Mission> {
    MISSIONS.iter().copied().filter(|m| m.files.is_some())
}

/// The keywords with the frame time in ms, those of all missions.
pub fn frame_keywords() -> impl Iterator<Item = FrameKeyword> {
    MISSIONS.iter().filter_map(|m| m.frame_ms)
}

/// The extensions that say which detectors are selected, those of all missions.
pub fn detectors_on() -> impl Iterator<Item = &'static str> {
    MISSIONS.iter().map(|m| m.detectors_on).filter(|name| !name.is_empty())
}

impl Mission {
    /// The mission that MISSION or TELESCOP names, and the instrument of it that INSTRUME does; or the generic layout.
    pub fn from_header(names: &[&str], instrument: &str) -> &'static Mission {
        let instrument = instrument.trim().to_ascii_uppercase();
        let known = |name: &&str| {
            let name = name.trim().to_ascii_uppercase();
            let named = |m: &Mission| m.telescop == name || m.aliases.contains(&name.as_str());
            MISSIONS.iter().find(|m| !m.is_generic() && named(m) && instrument.starts_with(m.instrument))
        };
        names.iter().find_map(known).copied().unwrap_or(&GENERIC)
    }

    /// Names of the events extension, first match wins.
    pub fn event_tables(&self) -> impl Iterator<Item = &'static str> {
        self.events.iter().chain(GENERIC.events).copied()
    }
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use crate::missions::{Context, MISSIONS, Mission, RESOLVE, named};

    #[test]
    fn names_are_found_without_regard_to_case() {
        let of = |names: &[&str], instrument: &str| {
            let found = Mission::from_header(names, instrument);
            (found.telescop, found.instrument)
        };
        assert_eq!(of(&["NuSTAR"], "FPMA"), ("NUSTAR", ""));
        assert_eq!(of(&["AXAF "], "acis"), ("CHANDRA", "ACIS"));
        assert_eq!(of(&["SRG", "eROSITA"], "TM1"), ("EROSITA", ""));
        assert_eq!(of(&["GLAST"], "GBM"), ("GLAST", "GBM"));
        assert_eq!(of(&["Fermi"], "LAT"), ("GLAST", "LAT"));
        assert_eq!(of(&["XRISM"], "GATE"), ("", ""));
        assert_eq!(of(&[" ", "NICER"], ""), ("NICER", ""));
        assert!(Mission::from_header(&["babasone"], "").is_generic() && Mission::from_header(&[], "").is_generic());
        assert_eq!(named("Resolve"), Some(&RESOLVE));
    }

    #[test]
    fn every_description_can_be_reached() {
        let names: BTreeSet<&str> = MISSIONS.iter().map(|m| m.name).collect();
        assert_eq!(names.len(), MISSIONS.len(), "two missions have one name");
        for &mission in MISSIONS {
            assert!(!mission.name.is_empty() && !mission.title.is_empty(), "{mission:?}");
            assert_eq!(Mission::from_header(&[mission.telescop], mission.instrument), mission);
            if let Some(files) = mission.files {
                assert_eq!(Mission::from_header(&[files.telescop], files.instrume), mission);
            }
        }
    }

    #[test]
    fn every_gain_and_offset_is_a_decimal() {
        for mission in MISSIONS {
            let context = Context { instrument: mission.instrument.into(), ..Context::default() };
            if let Some(scale) = mission.scale(mission.channel[0], "", &context) {
                assert!(scale.energy(1000.0) > 0.0 && scale.band(0.0, 1e9).is_ok(), "{mission:?}");
            }
        }
    }
}

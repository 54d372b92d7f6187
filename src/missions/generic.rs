//! Missions that are not known: the general rules, which docs/missions.md tells at its end.

use super::files::{ColumnContent, ImitatedFiles, epoch};
use super::mission::{EnergyRule, GtiRule, Mission};

/// What holds of a mission whose description says nothing else.
pub(super) const PLAIN: Mission = Mission {
    name: "",
    title: "",
    telescop: "",
    aliases: &[],
    instrument: "",
    events: &["EVENTS"],
    channel: &["PI", "PHA", "ENERGY"],
    detector: "",
    gti: GtiRule::First,
    spare_gtis: &[],
    modules: &[],
    energy: EnergyRule::Response,
    calibrated: "",
    dead_time: None,
    marker: None,
    refusal: None,
    epoch: None,
    frame_ms: None,
    detectors_on: "",
    files: None,
    notes: &[],
    evidence: &[],
};

/// What holds of imitated files whose description says nothing else: TIME and PI alone, 12 bytes an event; channels without
/// energies.
pub(super) const FILES: ImitatedFiles = ImitatedFiles {
    telescop: "GENERIC",
    instrume: "GENERIC",
    cards: &[],
    mjdref: epoch(55197, 0.000_766_018_52),
    timesys: "TDB",
    timeref: "SOLARSYSTEM",
    timezero: 0.0,
    tstart: 8e7,
    frame: 0.0,
    ticks: false,
    timepixr: 0.5,
    kev: None,
    all: (0, 32_767),
    usual: (0, 1023),
    detectors: &[0],
    alone: false,
    events: "EVENTS",
    class: "EVENTS",
    gti: &["GTI"],
    start_stop: ["START", "STOP"],
    bounds: None,
    columns: &[("TIME", "1D", "s", ColumnContent::Time), ("PI", "1J", "chan", ColumnContent::Channel)],
};

/// Any other mission.
pub static GENERIC: Mission =
    Mission { name: "generic", title: "any other", events: &["EVENTS", "XTE_SE"], files: Some(FILES), ..PLAIN };

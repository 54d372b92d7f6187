//! Fermi's Gamma-ray Burst Monitor.

use super::evidence::Evidence;
use super::files::{ColumnContent, ImitatedFiles, epoch};
use super::generic::{FILES, PLAIN};
use super::mission::{EnergyRule, Mission};

/// Time-tagged events, energies by the file's EBOUNDS; imitated: the first NaI detector.
pub static GBM: Mission = Mission {
    name: "gbm",
    title: "Fermi GBM",
    telescop: "GLAST",
    aliases: &["FERMI"],
    instrument: "GBM",
    channel: &["PHA"],
    energy: EnergyRule::Bounds,
    files: Some(ImitatedFiles {
        telescop: "GLAST",
        instrume: "GBM",
        cards: &[("DETNAM", "NAI_00"), ("DATATYPE", "TTE")],
        mjdref: epoch(51_910, 0.000_742_870_370_370_370_3),
        timesys: "TT",
        timeref: "LOCAL",
        tstart: 4e8,
        frame: 2e-6,
        ticks: true,
        all: (0, 127),
        usual: (5, 119),
        bounds: Some((4.5, 2000.0)),
        columns: &[("TIME", "1D", "s", ColumnContent::Time), ("PHA", "1I", "", ColumnContent::Channel)],
        ..FILES
    }),
    notes: &[
        "Each detector has a file of its own (DETNAM).",
        "Trigger files may give times from the trigger by TZERO, which is applied.",
    ],
    evidence: &[Evidence {
        fact: "the columns of time-tagged events, and EBOUNDS",
        source: "the published TTE format",
        confirmed: "yes",
    }],
    ..PLAIN
};

//! Einstein Probe.

use super::evidence::Evidence;
use super::files::{ColumnContent, ImitatedFiles, ZERO, epoch};
use super::generic::{FILES, PLAIN};
use super::mission::{EnergyRule, Mission};

/// Einstein Probe, channels without energies; imitated: FXT, module A.
pub static EP: Mission = Mission {
    name: "fxt",
    title: "Einstein Probe",
    telescop: "EP",
    channel: &["PI"],
    modules: &[&["FXTA", "FXTB"]],
    energy: EnergyRule::Response,
    files: Some(ImitatedFiles {
        telescop: "EP",
        instrume: "FXTA",
        cards: &[("DATAMODE", "FF")],
        mjdref: epoch(58_849, 0.000_800_740_74),
        timesys: "TT",
        timeref: "LOCAL",
        tstart: 1.4e8,
        frame: 0.05,
        all: (0, 1023),
        usual: (30, 999),
        columns: &[
            ("TIME", "1D", "s", ColumnContent::Time),
            ("RAWX", "1I", "pixel", ColumnContent::Same(192.0)),
            ("RAWY", "1I", "pixel", ColumnContent::Same(192.0)),
            ("X", "1I", "pixel", ColumnContent::Same(300.0)),
            ("Y", "1I", "pixel", ColumnContent::Same(300.0)),
            ("PHA", "1I", "chan", ColumnContent::Channel),
            ("PI", "1I", "chan", ColumnContent::Channel),
            ("GRADE", "1I", "", ZERO),
            ("STATUS", "16X", "", ZERO),
        ],
        ..FILES
    }),
    evidence: &[Evidence {
        fact: "FXT and WXT",
        source: "none was found that states channels or scale",
        confirmed: "no: energies by a response file, detectors by file",
    }],
    ..PLAIN
};

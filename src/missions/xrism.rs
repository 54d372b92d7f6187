//! XRISM: Resolve and Xtend.

use super::evidence::{Evidence, NAMES};
use super::files::{ColumnContent, ImitatedFiles, ZERO, epoch};
use super::generic::{FILES, PLAIN};
use super::mission::{EnergyRule, Mission};

const TUTORIALS: &str = "HEASARC tutorials (HEASARC/heasarc-tutorials, \
                         `tutorials/mission_specific_analyses/xrism`), \"approximate linear relationship\"";
const CONFIRMED: &str = "the gain; whether channel 0 is centred at 0 is not";

/// The microcalorimeter; imitated: 35 pixels, for the calibration pixel 12 is none of the sky's.
pub static RESOLVE: Mission = Mission {
    name: "resolve",
    title: "XRISM Resolve",
    telescop: "XRISM",
    instrument: "RESOLVE",
    channel: &["PI"],
    detector: "PIXEL",
    energy: EnergyRule::Linear { gain: "0.0005", offset: "0" },
    files: Some(ImitatedFiles {
        instrume: "RESOLVE",
        cards: &[("DATAMODE", "PX_NORMAL")],
        all: (0, 59_999),
        usual: (4000, 19_999),
        detectors: &[
            0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 13, 14, 15, 16, 17, 18, 19, 20, 21, 22, 23, 24, 25, 26, 27, 28, 29,
            30, 31, 32, 33, 34, 35,
        ],
        columns: &[
            ("TIME", "1D", "s", ColumnContent::Time),
            ("PIXEL", "1B", "", ColumnContent::Detector),
            ("ITYPE", "1B", "", ZERO),
            ("STATUS", "16X", "", ZERO),
            ("PHA", "1J", "chan", ColumnContent::Channel),
            ("PI", "1J", "chan", ColumnContent::Channel),
            ("X", "1I", "pixel", ColumnContent::Same(500.0)),
            ("Y", "1I", "pixel", ColumnContent::Same(500.0)),
        ],
        ..XRISM
    }),
    notes: &["ITYPE (Resolve's grades) is not selected on; screen before."],
    evidence: &[NAMES, Evidence { fact: "2000 channels/keV", source: TUTORIALS, confirmed: CONFIRMED }],
    ..PLAIN
};

/// The CCDs; imitated: four of them, full window.
pub static XTEND: Mission = Mission {
    name: "xtend",
    title: "XRISM Xtend",
    telescop: "XRISM",
    instrument: "XTEND",
    channel: &["PI"],
    detector: "CCD_ID",
    energy: EnergyRule::Linear { gain: "0.006", offset: "0" },
    files: Some(ImitatedFiles {
        instrume: "XTEND",
        cards: &[("DATAMODE", "WINDOW1")],
        frame: 4.0,
        all: (0, 4095),
        usual: (67, 2165),
        detectors: &[0, 1, 2, 3],
        columns: &[
            ("TIME", "1D", "s", ColumnContent::Time),
            ("CCD_ID", "1B", "", ColumnContent::Detector),
            ("RAWX", "1I", "pixel", ColumnContent::Same(300.0)),
            ("RAWY", "1I", "pixel", ColumnContent::Same(300.0)),
            ("X", "1I", "pixel", ColumnContent::Same(900.0)),
            ("Y", "1I", "pixel", ColumnContent::Same(900.0)),
            ("PI", "1I", "chan", ColumnContent::Channel),
            ("GRADE", "1B", "", ZERO),
            ("STATUS", "32X", "", ZERO),
        ],
        ..XRISM
    }),
    notes: &["GRADE is not selected on; screen before."],
    evidence: &[NAMES, Evidence { fact: "166.7 channels/keV", source: TUTORIALS, confirmed: CONFIRMED }],
    ..PLAIN
};

/// What the files of both have.
const XRISM: ImitatedFiles = ImitatedFiles {
    telescop: "XRISM",
    mjdref: epoch(58484, 0.000_800_740_74),
    timesys: "TT",
    timeref: "LOCAL",
    tstart: 1.6e8,
    ..FILES
};

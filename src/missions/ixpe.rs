//! IXPE.

use super::evidence::{NAMES, SCALE};
use super::files::{ColumnContent, ImitatedFiles, ZERO, epoch};
use super::generic::{FILES, PLAIN};
use super::mission::{EnergyRule, Mission};

/// IXPE; imitated: DU1, unpolarised, so that its Stokes columns are 0.
pub static IXPE: Mission = Mission {
    name: "ixpe",
    title: "IXPE",
    telescop: "IXPE",
    channel: &["PI"],
    energy: EnergyRule::Linear { gain: "0.04", offset: "0" },
    files: Some(ImitatedFiles {
        telescop: "IXPE",
        instrume: "GPD",
        cards: &[("DETNAM", "DU1")],
        mjdref: epoch(57754, 0.000_800_740_74),
        timesys: "TT",
        timeref: "LOCAL",
        tstart: 1.6e8,
        all: (0, 374),
        usual: (50, 199),
        columns: &[
            ("TRG_ID", "J", "", ZERO),
            ("TIME", "D", "s", ColumnContent::Time),
            ("STATUS", "16X", "", ZERO),
            ("STATUS2", "16X", "", ZERO),
            ("PI", "J", "chan", ColumnContent::Channel),
            ("W_MOM", "D", "", ColumnContent::Same(1.0)),
            ("X", "E", "pixel", ColumnContent::Same(300.0)),
            ("Y", "E", "pixel", ColumnContent::Same(300.0)),
            ("Q", "D", "", ZERO),
            ("U", "D", "", ZERO),
        ],
        ..FILES
    }),
    notes: &[
        "Each unit has a file of its own (DETNAM).",
        "Stokes columns and STATUS (16X, two bytes) are stepped over; W_MOM is not used, every event weighs one.",
    ],
    evidence: &[NAMES, SCALE],
    ..PLAIN
};

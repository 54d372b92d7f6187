//! Swift.

use super::evidence::{Evidence, NAMES};
use super::files::{ColumnContent, ImitatedFiles, ZERO, epoch};
use super::generic::{FILES, PLAIN};
use super::mission::{EnergyRule, Mission};

/// Swift; imitated: XRT, photon counting.
pub static SWIFT: Mission = Mission {
    name: "swift",
    title: "Swift",
    telescop: "SWIFT",
    channel: &["PI"],
    energy: EnergyRule::Linear { gain: "0.01", offset: "0" },
    files: Some(ImitatedFiles {
        telescop: "SWIFT",
        instrume: "XRT",
        cards: &[("DATAMODE", "PHOTON")],
        mjdref: epoch(51910, 0.000_742_870_37),
        timesys: "TT",
        timeref: "LOCAL",
        tstart: 5.2e8,
        frame: 2.5073,
        all: (0, 1023),
        usual: (30, 999),
        columns: &[
            ("TIME", "1D", "s", ColumnContent::Time),
            ("X", "1I", "pixel", ColumnContent::Same(500.0)),
            ("Y", "1I", "pixel", ColumnContent::Same(500.0)),
            ("RAWX", "1I", "pixel", ColumnContent::Same(300.0)),
            ("RAWY", "1I", "pixel", ColumnContent::Same(300.0)),
            ("DETX", "1I", "pixel", ColumnContent::Same(300.0)),
            ("DETY", "1I", "pixel", ColumnContent::Same(300.0)),
            ("PHAS", "9I", "chan", ZERO),
            ("PHA", "1I", "chan", ColumnContent::Channel),
            ("PI", "1I", "chan", ColumnContent::Channel),
            ("GRADE", "1I", "", ZERO),
            ("STATUS", "16X", "", ZERO),
        ],
        ..FILES
    }),
    evidence: &[
        NAMES,
        Evidence {
            fact: "CLOCKAPP, and UTCFINIT of −15.13 s",
            source: "the header of an XRT file",
            confirmed: "in that header",
        },
    ],
    ..PLAIN
};

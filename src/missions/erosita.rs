//! eROSITA, on SRG.

use super::evidence::Evidence;
use super::files::{ColumnContent, ImitatedFiles, ZERO, epoch};
use super::generic::{FILES, PLAIN};
use super::mission::{EnergyRule, FrameKeyword, GtiRule, Mission, PhotonMarker};

/// eROSITA; imitated: seven cameras merged, with their own GTIs, columns as DR1 describes them; PI is an energy.
pub static EROSITA: Mission = Mission {
    name: "erosita",
    title: "eROSITA",
    telescop: "EROSITA",
    channel: &["PI"],
    detector: "TM_NR",
    gti: GtiRule::ByDetector(&["GTI"]),
    energy: EnergyRule::Column { name: "PI", ev: 1, channels: None },
    // The sign: the other pixels of a pattern have the energy of the event with a minus.
    marker: Some(PhotonMarker { column: "PI", bit: 0, event_words: "" }),
    frame_ms: Some(FrameKeyword { name: "FRAMETIM", comment: "[ms] nominal frame time", rounded: false }),
    files: Some(ImitatedFiles {
        telescop: "eROSITA",
        instrume: "merged",
        cards: &[("MISSION", "SRG"), ("DATAMODE", "FRAMESTORE")],
        mjdref: epoch(51_543, 0.875),
        timesys: "TT",
        timeref: "LOCAL",
        tstart: 6.4e8,
        frame: 0.05,
        kev: Some((0.001, 0.0)),
        all: (1, 15_000),
        usual: (200, 7999),
        detectors: &[1, 2, 3, 4, 5, 6, 7],
        gti: &["GTI1", "GTI2", "GTI3", "GTI4", "GTI5", "GTI6", "GTI7"],
        columns: &[
            ("TIME", "1D", "s", ColumnContent::Time),
            ("RA", "1D", "deg", ZERO),
            ("DEC", "1D", "deg", ZERO),
            ("X", "1D", "pixel", ZERO),
            ("Y", "1D", "pixel", ZERO),
            ("PI", "1E", "eV", ColumnContent::Energy(0.001)),
            ("EV_WEIGHT", "1E", "", ColumnContent::Same(1.0)),
            ("RAWX", "1I", "pixel", ColumnContent::Same(192.0)),
            ("RAWY", "1I", "pixel", ColumnContent::Same(192.0)),
            ("SUBX", "1D", "pixel", ZERO),
            ("SUBY", "1D", "pixel", ZERO),
            ("PHA", "1I", "adu", ColumnContent::Channel),
            ("PAT_TYP", "1I", "", ColumnContent::Same(1.0)),
            ("PAT_INF", "1B", "", ColumnContent::Same(50.0)),
            ("TM_NR", "1B", "", ColumnContent::Detector),
            ("FLAG", "1J", "", ZERO),
        ],
        ..FILES
    }),
    notes: &[
        "TELESCOP is eROSITA and MISSION is SRG. Its epoch is one number (MJDREF 51543.875), FRAMETIM is in ms.",
        "PI is a single-precision energy in eV, \"positive for main event, negative for all other pixels\" of a pattern: \
         rows with a negative PI are counted as no photons.",
        "Each of the seven cameras has its own intervals, GTI1 to GTI7.",
    ],
    evidence: &[
        Evidence {
            fact: "extensions and columns",
            source: "the product descriptions of DR1: \
                     <https://erosita.mpe.mpg.de/dr1/eSASS4DR1/eSASS4DR1_ProductsDescription/extensions_description_dr1.html>",
            confirmed: "yes",
        },
        Evidence {
            fact: "MJDREF, TELESCOP, MISSION, FRAMETIM",
            source: "the product descriptions of the EDR: \
                     <https://erosita.mpe.mpg.de/edr/DataAnalysis/prod_descript/headerkeywords_edr.html>",
            confirmed: "yes",
        },
    ],
    ..PLAIN
};

//! NuSTAR.

use super::evidence::{Evidence, NAMES, SCALE};
use super::files::{ColumnContent, ImitatedFiles, ZERO, epoch};
use super::generic::{FILES, PLAIN};
use super::mission::{DetectorDeadTime, EnergyRule, Mission};

/// NuSTAR, FPMA and FPMB; imitated: FPMA.
pub static NUSTAR: Mission = Mission {
    name: "nustar",
    title: "NuSTAR",
    telescop: "NUSTAR",
    channel: &["PI"],
    detector: "DET_ID",
    modules: &[&["FPMA", "FPMB"]],
    energy: EnergyRule::Linear { gain: "0.04", offset: "1.62" },
    dead_time: Some(DetectorDeadTime { seconds: 0.0025, detectors: 1 }),
    files: Some(ImitatedFiles {
        telescop: "NuSTAR",
        instrume: "FPMA",
        mjdref: epoch(55197, 0.000_766_018_52),
        timesys: "TT",
        timeref: "LOCAL",
        tstart: 3e8,
        all: (0, 4095),
        usual: (35, 1934),
        detectors: &[0, 1, 2, 3],
        columns: &[
            ("TIME", "1D", "s", ColumnContent::Time),
            ("PI", "1J", "chan", ColumnContent::Channel),
            ("GRADE", "1I", "", ZERO),
            ("DET_ID", "1B", "", ColumnContent::Detector),
            ("RAWX", "1B", "pixel", ColumnContent::Same(16.0)),
            ("RAWY", "1B", "pixel", ColumnContent::Same(16.0)),
            ("X", "1I", "pixel", ColumnContent::Same(500.0)),
            ("Y", "1I", "pixel", ColumnContent::Same(500.0)),
        ],
        ..FILES
    }),
    notes: &[
        "Each of the modules FPMA and FPMB has a file of its own, and is dead for 2.5 ms after an event: a noise level of \
         Poisson's is warned of where that moves it (`W-DEAD-TIME`).",
    ],
    evidence: &[
        NAMES,
        SCALE,
        Evidence {
            fact: "dead time of 2.5 ms an event for each module",
            source: "Harrison et al. 2013, doi:10.1088/0004-637X/770/2/103; Bachetti et al. 2015, \
                     doi:10.1088/0004-637X/800/2/109",
            confirmed: "as published",
        },
    ],
    ..PLAIN
};

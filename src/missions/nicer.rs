//! NICER.

use super::evidence::{Evidence, NAMES, SCALE};
use super::files::{ColumnContent, ImitatedFiles, ZERO, epoch};
use super::generic::{FILES, PLAIN};
use super::mission::{EnergyRule, Mission};

/// NICER; imitated: XTI as merged and folded by users, 47 bytes an event, 64-bit ticks, 52 detectors, PULSE_PHASE last.
pub static NICER: Mission = Mission {
    name: "nicer",
    title: "NICER",
    telescop: "NICER",
    channel: &["PI"],
    detector: "DET_ID",
    spare_gtis: &["GTI_"],
    energy: EnergyRule::Linear { gain: "0.01", offset: "0" },
    detectors_on: "FPM_SEL",
    files: Some(ImitatedFiles {
        telescop: "NICER",
        instrume: "XTI",
        cards: &[("DATAMODE", "PHOTON")],
        mjdref: epoch(56658, 0.000_777_592_592_592_593),
        timesys: "TT",
        timeref: "LOCAL",
        timezero: -1.0,
        tstart: 2e8,
        frame: 4e-8,
        ticks: true,
        timepixr: 0.0,
        all: (0, 1500),
        usual: (30, 1199),
        // Detector numbers are MPU·10 + FPM; 11, 20, 22 and 60 have never worked.
        detectors: &[
            0, 1, 2, 3, 4, 5, 6, 7, 10, 12, 13, 14, 15, 16, 17, 21, 23, 24, 25, 26, 27, 30, 31, 32, 33, 34, 35, 36, 37,
            40, 41, 42, 43, 44, 45, 46, 47, 50, 51, 52, 53, 54, 55, 56, 57, 61, 62, 63, 64, 65, 66, 67,
        ],
        alone: true,
        columns: &[
            ("TIME", "1D", "s", ColumnContent::Time),
            ("RAWX", "1B", "pixel", ZERO),
            ("RAWY", "1B", "pixel", ZERO),
            ("PHA", "1I", "chan", ColumnContent::Channel),
            ("PHA_FAST", "1I", "chan", ColumnContent::Same(-32768.0)),
            ("DET_ID", "1B", "", ColumnContent::Detector),
            ("DEADTIME", "1B", "s", ColumnContent::Same(39.0)),
            ("EVENT_FLAGS", "8X", "", ColumnContent::Same(16.0)),
            ("TICK", "1K", "", ColumnContent::Ticks),
            ("MPU_A_TEMP", "1I", "Celsius", ColumnContent::Same(2800.0)),
            ("MPU_UNDER_COUNT", "1J", "", ZERO),
            ("PI_FAST", "1I", "chan", ColumnContent::Same(-32768.0)),
            ("PI", "1I", "chan", ColumnContent::Channel),
            ("PI_RATIO", "1E", "", ZERO),
            ("PULSE_PHASE", "1D", "", ColumnContent::Phase),
        ],
        ..FILES
    }),
    notes: &[
        "NICER's main GTI is used, never the intersection over its 52 detectors.",
        "A FPM_SEL extension tells second by second which detectors are selected; `info` says how many, and a change \
         inside good time is warned of (`W-DETECTORS-ON`), for the rate follows it.",
        "TIMEZERO (−1 s in many files) is applied to events and, where the GTI extension has it, to intervals.",
        "Rows are 47 bytes wide and hold a 64-bit integer.",
    ],
    evidence: &[
        NAMES,
        SCALE,
        Evidence {
            fact: "FPM_SEL: TIME and an array of integers, one for each detector",
            source: "a public tool that rewrites it (CRIMP `correctfpmsel`)",
            confirmed: "type and meaning; that more than 0 means selected is not",
        },
    ],
    ..PLAIN
};

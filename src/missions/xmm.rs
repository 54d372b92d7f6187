//! XMM-Newton.

use super::evidence::{Evidence, NAMES, SCALE};
use super::files::{ColumnContent, ImitatedFiles, ZERO, epoch};
use super::generic::{FILES, PLAIN};
use super::mission::{EnergyRule, FrameKeyword, GtiRule, Mission};

/// XMM-Newton; imitated: EPIC-pn, CCD 4, its GTIs in STDGTI04.
pub static XMM: Mission = Mission {
    name: "xmm",
    title: "XMM",
    telescop: "XMM",
    channel: &["PI"],
    detector: "CCDNR",
    gti: GtiRule::ByDetector(&["STDGTI", "GTI"]),
    modules: &[&["EMOS1", "EMOS2"]],
    energy: EnergyRule::Linear { gain: "0.001", offset: "0" },
    frame_ms: Some(FrameKeyword { name: "FRMTIME", comment: "[ms] frame time", rounded: true }),
    files: Some(ImitatedFiles {
        telescop: "XMM",
        instrume: "EPN",
        cards: &[("DATAMODE", "IMAGING"), ("SUBMODE", "PrimeFullWindow"), ("FILTER", "Medium")],
        mjdref: epoch(50814, 0.0),
        timesys: "TT",
        timeref: "LOCAL",
        tstart: 5e8,
        frame: 0.073_364_96,
        all: (0, 20_479),
        usual: (200, 11_999),
        detectors: &[4],
        gti: &["STDGTI04"],
        columns: &[
            ("TIME", "1D", "s", ColumnContent::Time),
            ("RAWX", "1I", "pixel", ColumnContent::Same(37.0)),
            ("RAWY", "1I", "pixel", ColumnContent::Same(190.0)),
            ("DETX", "1I", "", ZERO),
            ("DETY", "1I", "", ZERO),
            ("X", "1J", "", ColumnContent::Same(26_000.0)),
            ("Y", "1J", "", ColumnContent::Same(26_000.0)),
            ("PHA", "1I", "CHAN", ColumnContent::Channel),
            ("PI", "1I", "CHAN", ColumnContent::Channel),
            ("FLAG", "1J", "", ZERO),
            ("PATTERN", "1B", "", ZERO),
            ("CCDNR", "1B", "", ColumnContent::Detector),
        ],
        ..FILES
    }),
    notes: &[
        "The intervals of CCD dd are in STDGTIdd or GTInnndd.",
        "The header's frame time is rounded: `FRMTIME = 199 / [ms] Frame Time, nearest integer`. It stands in for TIMEDEL \
         where that is absent, with a warning (`W-FRAME-TIME`): bins of a few frames made with it beat with the frames.",
    ],
    evidence: &[
        NAMES,
        SCALE,
        Evidence {
            fact: "FRMTIME in ms, to the nearest integer",
            source: "an EPIC pn header of the XMM archive (`epframes` 8.87.2)",
            confirmed: "in that header",
        },
    ],
    ..PLAIN
};

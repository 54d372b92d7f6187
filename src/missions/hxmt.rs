//! Insight-HXMT.

use super::evidence::Evidence;
use super::files::{ColumnContent, ImitatedFiles, ZERO, epoch};
use super::generic::{FILES, PLAIN};
use super::mission::{EnergyRule, Mission};

/// Insight-HXMT, channels without energies; imitated: the screened events of LE, the telescope of low energies.
pub static HXMT: Mission = Mission {
    name: "hxmt",
    title: "Insight-HXMT",
    telescop: "HXMT",
    channel: &["PI", "CHANNEL"],
    detector: "DET_ID",
    energy: EnergyRule::Response,
    files: Some(ImitatedFiles {
        telescop: "HXMT",
        instrume: "LE",
        mjdref: epoch(55927, 0.000_766_018_52),
        timesys: "TT",
        timeref: "LOCAL",
        tstart: 2e8,
        all: (0, 1535),
        usual: (106, 1169),
        detectors: &[0, 2, 4, 6, 8, 10, 12, 14, 20, 22, 24, 26, 28, 30],
        events: "Events",
        gti: &["GTI0"],
        columns: &[
            ("Time", "1D", "s", ColumnContent::Time),
            ("Det_ID", "1B", "", ColumnContent::Detector),
            ("Channel", "1I", "", ColumnContent::Channel),
            ("Event_Type", "1B", "", ZERO),
            ("PI", "1I", "", ColumnContent::Channel),
        ],
        ..FILES
    }),
    evidence: &[Evidence {
        fact: "epoch MJD 55927.00076601852, columns Time, Det_ID, Channel, PI",
        source: "public readers of its files (tat-pulsar)",
        confirmed: "epoch; names of the intervals' extension are not: the first that begins with GTI is taken",
    }],
    ..PLAIN
};

//! AstroSat LAXPC.

use super::evidence::Evidence;
use super::files::{ColumnContent, ImitatedFiles, epoch};
use super::generic::{FILES, PLAIN};
use super::mission::{EnergyRule, Mission};

/// AstroSat's proportional counters as their level 2 software writes them: the energy stands in the file. Imitated: three
/// units; a channel is 0.1 keV.
pub static LAXPC: Mission = Mission {
    name: "laxpc",
    title: "AstroSat LAXPC",
    telescop: "ASTROSAT",
    instrument: "LAXPC",
    channel: &["ENERGY", "CHANNEL"],
    detector: "LAXPC_NO.",
    energy: EnergyRule::Column { name: "ENERGY", ev: 1000, channels: None },
    files: Some(ImitatedFiles {
        telescop: "ASTROSAT",
        instrume: "LAXPC",
        mjdref: epoch(55197, 0.0),
        timesys: "UTC",
        timeref: "LOCAL",
        tstart: 2e8,
        frame: 1e-5,
        ticks: true,
        kev: Some((0.1, 0.0)),
        all: (0, 1023),
        usual: (30, 799),
        detectors: &[1, 2, 3],
        columns: &[
            ("TIME", "1D", "s", ColumnContent::Time),
            ("Channel", "1I", "", ColumnContent::Channel),
            ("Layer", "1I", "", ColumnContent::Same(1.0)),
            ("LAXPC_No.", "1I", "", ColumnContent::Detector),
            ("Energy", "1E", "keV", ColumnContent::Energy(1.0)),
        ],
        ..FILES
    }),
    notes: &["AstroSat's other instruments (SXT, CZTI) are read by the general rules."],
    evidence: &[Evidence {
        fact: "columns TIME, Channel, Layer, LAXPC_No., Energy in keV",
        source: "Stingray's LAXPC reader (pull request 929); other readers of the level 2 files",
        confirmed: "yes; order and widths of columns are not",
    }],
    ..PLAIN
};

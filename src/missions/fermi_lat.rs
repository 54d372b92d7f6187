//! Fermi's Large Area Telescope.

use super::evidence::Evidence;
use super::files::{ColumnContent, ImitatedFiles, ZERO, epoch};
use super::generic::{FILES, PLAIN};
use super::mission::{EnergyRule, Mission};

/// Photons of the LAT, energies in MeV; imitated: a channel is 1 MeV.
pub static LAT: Mission = Mission {
    name: "lat",
    title: "Fermi LAT",
    telescop: "GLAST",
    aliases: &["FERMI"],
    instrument: "LAT",
    channel: &["ENERGY"],
    energy: EnergyRule::Column { name: "ENERGY", ev: 1_000_000, channels: None },
    files: Some(ImitatedFiles {
        telescop: "GLAST",
        instrume: "LAT",
        mjdref: epoch(51_910, 0.000_742_870_370_370_370_3),
        timesys: "TT",
        timeref: "LOCAL",
        tstart: 4e8,
        kev: Some((1000.0, 0.0)),
        all: (20, 300_000),
        usual: (100, 99_999),
        columns: &[
            ("ENERGY", "E", "MeV", ColumnContent::Energy(1000.0)),
            ("RA", "E", "deg", ZERO),
            ("DEC", "E", "deg", ZERO),
            ("L", "E", "deg", ZERO),
            ("B", "E", "deg", ZERO),
            ("THETA", "E", "deg", ZERO),
            ("PHI", "E", "deg", ZERO),
            ("ZENITH_ANGLE", "E", "deg", ZERO),
            ("EARTH_AZIMUTH_ANGLE", "E", "deg", ZERO),
            ("TIME", "D", "s", ColumnContent::Time),
            ("EVENT_ID", "J", "", ZERO),
            ("RUN_ID", "J", "", ZERO),
            ("RECON_VERSION", "I", "", ZERO),
            ("CALIB_VERSION", "3I", "", ZERO),
            ("EVENT_CLASS", "32X", "", ZERO),
            ("EVENT_TYPE", "32X", "", ZERO),
            ("CONVERSION_TYPE", "I", "", ZERO),
            ("LIVETIME", "D", "s", ColumnContent::Same(100.0)),
            ("DIFRSP", "8E", "", ZERO),
        ],
        ..FILES
    }),
    notes: &["Rows have 110 bytes, and there are tens of thousands of intervals."],
    evidence: &[Evidence {
        fact: "the columns of photons",
        source: "the published FT1 format",
        confirmed: "yes; the columns behind LIVETIME of 110-byte rows are not",
    }],
    ..PLAIN
};

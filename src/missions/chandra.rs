//! Chandra: ACIS, and the rest, which is HRC.

use super::evidence::{Evidence, NAMES};
use super::files::{ColumnContent, ImitatedFiles, ZERO, epoch};
use super::generic::{FILES, PLAIN};
use super::mission::{EnergyRule, GtiRule, Mission};

/// Chandra's CCDs; imitated: ACIS-S3, names in lower case.
pub static ACIS: Mission = Mission {
    name: "chandra",
    title: "Chandra ACIS",
    instrument: "ACIS",
    channel: &["ENERGY", "PI"],
    detector: "CCD_ID",
    gti: GtiRule::ByKeyword("CCD_ID"),
    energy: EnergyRule::Column { name: "ENERGY", ev: 1, channels: Some(("0.0146", "-0.0073")) },
    files: Some(ImitatedFiles {
        telescop: "CHANDRA",
        instrume: "ACIS",
        cards: &[("MISSION", "AXAF"), ("DETNAM", "ACIS-7"), ("DATAMODE", "FAINT")],
        mjdref: epoch(50814, 0.0),
        timesys: "TT",
        timeref: "LOCAL",
        tstart: 3.4e8,
        frame: 0.441_04,
        all: (1, 1024),
        usual: (22, 548),
        detectors: &[7],
        columns: &[
            ("time", "1D", "s", ColumnContent::Time),
            ("ccd_id", "1I", "", ColumnContent::Detector),
            ("x", "1E", "pixel", ColumnContent::Same(4096.5)),
            ("y", "1E", "pixel", ColumnContent::Same(4096.5)),
            ("pha", "1J", "adu", ColumnContent::Channel),
            ("energy", "1E", "eV", ColumnContent::Energy(0.001)),
            ("pi", "1J", "chan", ColumnContent::Channel),
            ("grade", "1I", "", ZERO),
        ],
        ..FILES
    }),
    notes: &[
        "MISSION is AXAF. Names are in lower case; TIMEDEL is the frame (3.2 s or 0.44 s).",
        "CXC files name all tables of intervals GTI and tell them apart by CCD_ID (and HDUNAME), as \
         `tests/data/chandra_test.fits` does.",
    ],
    evidence: &[
        NAMES,
        Evidence {
            fact: "0.0146·(PI − 0.5) keV: channel 1 begins at 0",
            source: "ACIS: PI = floor(E/14.6 eV) + 1; compared with column `energy` of a real file",
            confirmed: "yes",
        },
    ],
    ..HRC
};

/// Chandra's microchannel plates, which have no energies; not imitated.
pub static HRC: Mission = Mission {
    name: "hrc",
    title: "Chandra HRC",
    telescop: "CHANDRA",
    aliases: &["AXAF"],
    channel: &["PI"],
    detector: "CHIP_ID",
    energy: EnergyRule::None,
    notes: &["HRC has no energies, and never gets ACIS's."],
    evidence: &[NAMES],
    ..PLAIN
};

#[cfg(test)]
mod tests {
    use super::*;
    use crate::data::energy_scale::EnergyScale;
    use crate::missions::Context;

    #[test]
    fn only_acis_has_acis_energies() {
        let of = |instrument: &str, column: &str, unit: &str| {
            Mission::from_header(&["CHANDRA"], instrument).scale(column, unit, &Context::default())
        };
        assert_eq!(of("ACIS", "energy", "eV"), Some(EnergyScale::Energy { ev: 1 }));
        assert_eq!(of("ACIS", "energy", ""), Some(EnergyScale::Energy { ev: 1 }));
        assert_eq!(of("ACIS", "energy", "keV"), Some(EnergyScale::Energy { ev: 1000 }));
        assert!(matches!(of("ACIS", "pi", "chan"), Some(EnergyScale::Linear { .. })));
        assert_eq!(of("HRC", "pi", "chan"), None);
    }
}

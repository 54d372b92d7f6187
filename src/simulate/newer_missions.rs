//! The tables of missions, continued: counters, calorimeters, and the telescopes after 2010, whose facts docs/missions.md has
//! with their sources.

use super::layout::{Field, Layout};
use super::missions::{GENERIC, ZERO, epoch};

/// LAXPC as its level 2 software writes it: the energy stands in the file; here a channel is 0.1 keV.
pub(super) static LAXPC: Layout = Layout {
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
        ("TIME", "1D", "s", Field::Time),
        ("Channel", "1I", "", Field::Channel),
        ("Layer", "1I", "", Field::Same(1.0)),
        ("LAXPC_No.", "1I", "", Field::Detector),
        ("Energy", "1E", "keV", Field::Energy(1.0)),
    ],
    ..GENERIC
};

/// The screened events of LE, the telescope of low energies.
pub(super) static HXMT: Layout = Layout {
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
        ("Time", "1D", "s", Field::Time),
        ("Det_ID", "1B", "", Field::Detector),
        ("Channel", "1I", "", Field::Channel),
        ("Event_Type", "1B", "", ZERO),
        ("PI", "1I", "", Field::Channel),
    ],
    ..GENERIC
};

/// XRISM Resolve: 36 pixels, of which the calibration pixel 12 is none of the sky's.
pub(super) static RESOLVE: Layout = Layout {
    telescop: "XRISM",
    instrume: "RESOLVE",
    extra: &[("DATAMODE", "PX_NORMAL")],
    mjdref: epoch(58484, 0.000_800_740_74),
    timesys: "TT",
    timeref: "LOCAL",
    tstart: 1.6e8,
    kev: Some((0.0005, 0.0)),
    all: (0, 59_999),
    usual: (4000, 19_999),
    detectors: &[
        0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 13, 14, 15, 16, 17, 18, 19, 20, 21, 22, 23, 24, 25, 26, 27, 28, 29, 30,
        31, 32, 33, 34, 35,
    ],
    columns: &[
        ("TIME", "1D", "s", Field::Time),
        ("PIXEL", "1B", "", Field::Detector),
        ("ITYPE", "1B", "", ZERO),
        ("STATUS", "16X", "", ZERO),
        ("PHA", "1J", "chan", Field::Channel),
        ("PI", "1J", "chan", Field::Channel),
        ("X", "1I", "pixel", Field::Same(500.0)),
        ("Y", "1I", "pixel", Field::Same(500.0)),
    ],
    ..GENERIC
};

/// XRISM Xtend, four CCDs, full window.
pub(super) static XTEND: Layout = Layout {
    instrume: "XTEND",
    extra: &[("DATAMODE", "WINDOW1")],
    frame: 4.0,
    kev: Some((0.006, 0.0)),
    all: (0, 4095),
    usual: (67, 2165),
    detectors: &[0, 1, 2, 3],
    columns: &[
        ("TIME", "1D", "s", Field::Time),
        ("CCD_ID", "1B", "", Field::Detector),
        ("RAWX", "1I", "pixel", Field::Same(300.0)),
        ("RAWY", "1I", "pixel", Field::Same(300.0)),
        ("X", "1I", "pixel", Field::Same(900.0)),
        ("Y", "1I", "pixel", Field::Same(900.0)),
        ("PI", "1I", "chan", Field::Channel),
        ("GRADE", "1B", "", ZERO),
        ("STATUS", "32X", "", ZERO),
    ],
    ..RESOLVE
};

/// eROSITA, all seven cameras merged, columns as DR1 describes them: PI is an energy.
pub(super) static EROSITA: Layout = Layout {
    telescop: "eROSITA",
    instrume: "merged",
    extra: &[("MISSION", "SRG"), ("DATAMODE", "FRAMESTORE")],
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
        ("TIME", "1D", "s", Field::Time),
        ("RA", "1D", "deg", ZERO),
        ("DEC", "1D", "deg", ZERO),
        ("X", "1D", "pixel", ZERO),
        ("Y", "1D", "pixel", ZERO),
        ("PI", "1E", "eV", Field::Energy(0.001)),
        ("EV_WEIGHT", "1E", "", Field::Same(1.0)),
        ("RAWX", "1I", "pixel", Field::Same(192.0)),
        ("RAWY", "1I", "pixel", Field::Same(192.0)),
        ("SUBX", "1D", "pixel", ZERO),
        ("SUBY", "1D", "pixel", ZERO),
        ("PHA", "1I", "adu", Field::Channel),
        ("PAT_TYP", "1I", "", Field::Same(1.0)),
        ("PAT_INF", "1B", "", Field::Same(50.0)),
        ("TM_NR", "1B", "", Field::Detector),
        ("FLAG", "1J", "", ZERO),
    ],
    ..GENERIC
};

/// Einstein Probe FXT, module A.
pub(super) static FXT: Layout = Layout {
    telescop: "EP",
    instrume: "FXTA",
    extra: &[("DATAMODE", "FF")],
    mjdref: epoch(58_849, 0.000_800_740_74),
    timesys: "TT",
    timeref: "LOCAL",
    tstart: 1.4e8,
    frame: 0.05,
    all: (0, 1023),
    usual: (30, 999),
    columns: &[
        ("TIME", "1D", "s", Field::Time),
        ("RAWX", "1I", "pixel", Field::Same(192.0)),
        ("RAWY", "1I", "pixel", Field::Same(192.0)),
        ("X", "1I", "pixel", Field::Same(300.0)),
        ("Y", "1I", "pixel", Field::Same(300.0)),
        ("PHA", "1I", "chan", Field::Channel),
        ("PI", "1I", "chan", Field::Channel),
        ("GRADE", "1I", "", ZERO),
        ("STATUS", "16X", "", ZERO),
    ],
    ..GENERIC
};

/// Fermi LAT photons; a channel is 1 MeV.
pub(super) static LAT: Layout = Layout {
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
        ("ENERGY", "E", "MeV", Field::Energy(1000.0)),
        ("RA", "E", "deg", ZERO),
        ("DEC", "E", "deg", ZERO),
        ("L", "E", "deg", ZERO),
        ("B", "E", "deg", ZERO),
        ("THETA", "E", "deg", ZERO),
        ("PHI", "E", "deg", ZERO),
        ("ZENITH_ANGLE", "E", "deg", ZERO),
        ("EARTH_AZIMUTH_ANGLE", "E", "deg", ZERO),
        ("TIME", "D", "s", Field::Time),
        ("EVENT_ID", "J", "", ZERO),
        ("RUN_ID", "J", "", ZERO),
        ("RECON_VERSION", "I", "", ZERO),
        ("CALIB_VERSION", "3I", "", ZERO),
        ("EVENT_CLASS", "32X", "", ZERO),
        ("EVENT_TYPE", "32X", "", ZERO),
        ("CONVERSION_TYPE", "I", "", ZERO),
        ("LIVETIME", "D", "s", Field::Same(100.0)),
        ("DIFRSP", "8E", "", ZERO),
    ],
    ..GENERIC
};

/// Fermi GBM, time-tagged events of the first NaI detector; the energies are those of its EBOUNDS.
pub(super) static GBM: Layout = Layout {
    telescop: "GLAST",
    instrume: "GBM",
    extra: &[("DETNAM", "NAI_00"), ("DATATYPE", "TTE")],
    mjdref: epoch(51_910, 0.000_742_870_370_370_370_3),
    timesys: "TT",
    timeref: "LOCAL",
    tstart: 4e8,
    frame: 2e-6,
    ticks: true,
    all: (0, 127),
    usual: (5, 119),
    bounds: Some((4.5, 2000.0)),
    columns: &[("TIME", "1D", "s", Field::Time), ("PHA", "1I", "", Field::Channel)],
    ..GENERIC
};

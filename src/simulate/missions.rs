//! The missions' tables: facts of their files, one entry each.
//!
//! Columns stand in the order and width of the missions' own files where timing needs them; what a simulation has no use
//! for (positions, grades, flags) is constant.

use super::layout::{Field, Layout};
use crate::base::time::MjdRef;

pub(super) const fn epoch(day: i64, fraction: f64) -> MjdRef {
    MjdRef { day, fraction }
}

pub(super) const ZERO: Field = Field::Same(0.0);

pub(super) static GENERIC: Layout = Layout {
    telescop: "GENERIC",
    instrume: "GENERIC",
    extra: &[],
    mjdref: epoch(55197, 0.000_766_018_52),
    timesys: "TDB",
    timeref: "SOLARSYSTEM",
    timezero: 0.0,
    tstart: 8e7,
    frame: 0.0,
    ticks: false,
    timepixr: 0.5,
    kev: None,
    all: (0, 32_767),
    usual: (0, 1023),
    detectors: &[0],
    events: "EVENTS",
    gti: &["GTI"],
    bounds: None,
    start_stop: ["START", "STOP"],
    columns: &[("TIME", "1D", "s", Field::Time), ("PI", "1J", "chan", Field::Channel)],
};

pub(super) static NUSTAR: Layout = Layout {
    telescop: "NuSTAR",
    instrume: "FPMA",
    timesys: "TT",
    timeref: "LOCAL",
    tstart: 3e8,
    kev: Some((0.04, 1.62)),
    all: (0, 4095),
    usual: (35, 1934),
    detectors: &[0, 1, 2, 3],
    columns: &[
        ("TIME", "1D", "s", Field::Time),
        ("PI", "1J", "chan", Field::Channel),
        ("GRADE", "1I", "", ZERO),
        ("DET_ID", "1B", "", Field::Detector),
        ("RAWX", "1B", "pixel", Field::Same(16.0)),
        ("RAWY", "1B", "pixel", Field::Same(16.0)),
        ("X", "1I", "pixel", Field::Same(500.0)),
        ("Y", "1I", "pixel", Field::Same(500.0)),
    ],
    ..GENERIC
};

/// Detector numbers are MPU·10 + FPM; 11, 20, 22 and 60 have never worked.
pub(super) static NICER: Layout = Layout {
    telescop: "NICER",
    instrume: "XTI",
    extra: &[("DATAMODE", "PHOTON")],
    mjdref: epoch(56658, 0.000_777_592_592_592_593),
    timesys: "TT",
    timeref: "LOCAL",
    timezero: -1.0,
    tstart: 2e8,
    frame: 4e-8,
    ticks: true,
    timepixr: 0.0,
    kev: Some((0.01, 0.0)),
    all: (0, 1500),
    usual: (30, 1199),
    detectors: &[
        0, 1, 2, 3, 4, 5, 6, 7, 10, 12, 13, 14, 15, 16, 17, 21, 23, 24, 25, 26, 27, 30, 31, 32, 33, 34, 35, 36, 37, 40,
        41, 42, 43, 44, 45, 46, 47, 50, 51, 52, 53, 54, 55, 56, 57, 61, 62, 63, 64, 65, 66, 67,
    ],
    columns: &[
        ("TIME", "1D", "s", Field::Time),
        ("RAWX", "1B", "pixel", ZERO),
        ("RAWY", "1B", "pixel", ZERO),
        ("PHA", "1I", "chan", Field::Channel),
        ("PHA_FAST", "1I", "chan", Field::Same(-32768.0)),
        ("DET_ID", "1B", "", Field::Detector),
        ("DEADTIME", "1B", "s", Field::Same(39.0)),
        ("EVENT_FLAGS", "8X", "", Field::Same(16.0)),
        ("TICK", "1K", "", Field::Ticks),
        ("MPU_A_TEMP", "1I", "Celsius", Field::Same(2800.0)),
        ("MPU_UNDER_COUNT", "1J", "", ZERO),
        ("PI_FAST", "1I", "chan", Field::Same(-32768.0)),
        ("PI", "1I", "chan", Field::Channel),
        ("PI_RATIO", "1E", "", ZERO),
        ("PULSE_PHASE", "1D", "", Field::Phase),
    ],
    ..GENERIC
};

pub(super) static XMM: Layout = Layout {
    telescop: "XMM",
    instrume: "EPN",
    extra: &[("DATAMODE", "IMAGING"), ("SUBMODE", "PrimeFullWindow"), ("FILTER", "Medium")],
    mjdref: epoch(50814, 0.0),
    timesys: "TT",
    timeref: "LOCAL",
    tstart: 5e8,
    frame: 0.073_364_96,
    kev: Some((0.001, 0.0)),
    all: (0, 20_479),
    usual: (200, 11_999),
    detectors: &[4],
    gti: &["STDGTI04"],
    columns: &[
        ("TIME", "1D", "s", Field::Time),
        ("RAWX", "1I", "pixel", Field::Same(37.0)),
        ("RAWY", "1I", "pixel", Field::Same(190.0)),
        ("DETX", "1I", "", ZERO),
        ("DETY", "1I", "", ZERO),
        ("X", "1J", "", Field::Same(26_000.0)),
        ("Y", "1J", "", Field::Same(26_000.0)),
        ("PHA", "1I", "CHAN", Field::Channel),
        ("PI", "1I", "CHAN", Field::Channel),
        ("FLAG", "1J", "", ZERO),
        ("PATTERN", "1B", "", ZERO),
        ("CCDNR", "1B", "", Field::Detector),
    ],
    ..GENERIC
};

pub(super) static XTE: Layout = Layout {
    telescop: "XTE",
    instrume: "PCA",
    extra: &[
        ("DATAMODE", "GoodXenon_2s"),
        ("TDDES2", "D[0~4] & E[X1L^X1R^X2L^X2R^X3L^X3R] & C[0~255]"),
        ("TEVTB2", "(M[1]{1},S[Zero]{5},E[VPR]{1},D[0:4]{3},E[0:63]{6},C[0:255]{8})"),
    ],
    mjdref: epoch(49353, 0.000_696_574_074),
    timesys: "TT",
    timeref: "LOCAL",
    timezero: 3.378_431_67,
    tstart: 4e8,
    frame: 1.0 / (1 << 20) as f64,
    ticks: true,
    timepixr: 0.0,
    all: (0, 255),
    usual: (5, 99),
    detectors: &[0, 1, 2, 3, 4],
    events: "XTE_SE",
    start_stop: ["Start", "Stop"],
    columns: &[
        ("TIME", "D", "s", Field::Time),
        ("Event", "24X", "", Field::XenonWord),
        ("PCUID", "B", "", Field::Detector),
        ("ANODEID", "B", "", Field::Same(10.0)),
        ("PHA", "B", "chan", Field::Channel),
    ],
    ..GENERIC
};

pub(super) static CHANDRA: Layout = Layout {
    telescop: "CHANDRA",
    instrume: "ACIS",
    extra: &[("MISSION", "AXAF"), ("DETNAM", "ACIS-7"), ("DATAMODE", "FAINT")],
    mjdref: epoch(50814, 0.0),
    timesys: "TT",
    timeref: "LOCAL",
    tstart: 3.4e8,
    frame: 0.441_04,
    // Channel 1 spans 0 to 14.6 eV.
    kev: Some((0.0146, -0.0073)),
    all: (1, 1024),
    usual: (22, 548),
    detectors: &[7],
    columns: &[
        ("time", "1D", "s", Field::Time),
        ("ccd_id", "1I", "", Field::Detector),
        ("x", "1E", "pixel", Field::Same(4096.5)),
        ("y", "1E", "pixel", Field::Same(4096.5)),
        ("pha", "1J", "adu", Field::Channel),
        ("energy", "1E", "eV", Field::Energy(0.001)),
        ("pi", "1J", "chan", Field::Channel),
        ("grade", "1I", "", ZERO),
    ],
    ..GENERIC
};

pub(super) static SWIFT: Layout = Layout {
    telescop: "SWIFT",
    instrume: "XRT",
    extra: &[("DATAMODE", "PHOTON")],
    mjdref: epoch(51910, 0.000_742_870_37),
    timesys: "TT",
    timeref: "LOCAL",
    tstart: 5.2e8,
    frame: 2.5073,
    kev: Some((0.01, 0.0)),
    all: (0, 1023),
    usual: (30, 999),
    columns: &[
        ("TIME", "1D", "s", Field::Time),
        ("X", "1I", "pixel", Field::Same(500.0)),
        ("Y", "1I", "pixel", Field::Same(500.0)),
        ("RAWX", "1I", "pixel", Field::Same(300.0)),
        ("RAWY", "1I", "pixel", Field::Same(300.0)),
        ("DETX", "1I", "pixel", Field::Same(300.0)),
        ("DETY", "1I", "pixel", Field::Same(300.0)),
        ("PHAS", "9I", "chan", ZERO),
        ("PHA", "1I", "chan", Field::Channel),
        ("PI", "1I", "chan", Field::Channel),
        ("GRADE", "1I", "", ZERO),
        ("STATUS", "16X", "", ZERO),
    ],
    ..GENERIC
};

pub(super) static IXPE: Layout = Layout {
    telescop: "IXPE",
    instrume: "GPD",
    extra: &[("DETNAM", "DU1")],
    mjdref: epoch(57754, 0.000_800_740_74),
    timesys: "TT",
    timeref: "LOCAL",
    tstart: 1.6e8,
    kev: Some((0.04, 0.0)),
    all: (0, 374),
    usual: (50, 199),
    columns: &[
        ("TRG_ID", "J", "", ZERO),
        ("TIME", "D", "s", Field::Time),
        ("STATUS", "16X", "", ZERO),
        ("STATUS2", "16X", "", ZERO),
        ("PI", "J", "chan", Field::Channel),
        ("W_MOM", "D", "", Field::Same(1.0)),
        ("X", "E", "pixel", Field::Same(300.0)),
        ("Y", "E", "pixel", Field::Same(300.0)),
        ("Q", "D", "", ZERO),
        ("U", "D", "", ZERO),
    ],
    ..GENERIC
};

//! What each mission's event files look like: names, clocks, channels, columns.

use serde::Serialize;

use crate::time::MjdRef;
use crate::{Error, Result};

/// The mission whose files are imitated.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize)]
#[serde(rename_all = "lowercase")]
pub enum Mission {
    /// TIME and PI alone, 12 bytes an event; channels without energies.
    #[default]
    Generic,
    /// NuSTAR FPMA.
    Nustar,
    /// NICER XTI as merged and folded by users: 47 bytes an event, 64-bit ticks, 52 detectors, PULSE_PHASE last.
    Nicer,
    /// XMM-Newton EPIC-pn, CCD 4, its GTIs in STDGTI04.
    Xmm,
    /// RXTE PCA, processed GoodXenon: the channel is PHA, its energies depend on the epoch.
    Xte,
    /// Chandra ACIS-S3, lower-case names.
    Chandra,
    /// Swift XRT, photon counting.
    Swift,
    /// IXPE DU1; unpolarised, its Stokes columns are 0.
    Ixpe,
}

impl Mission {
    /// Every mission, with the name the command line uses.
    pub const ALL: [(&'static str, Mission); 8] = [
        ("generic", Mission::Generic),
        ("nustar", Mission::Nustar),
        ("nicer", Mission::Nicer),
        ("xmm", Mission::Xmm),
        ("xte", Mission::Xte),
        ("chandra", Mission::Chandra),
        ("swift", Mission::Swift),
        ("ixpe", Mission::Ixpe),
    ];

    pub(super) fn layout(self) -> &'static Layout {
        match self {
            Mission::Generic => &GENERIC,
            Mission::Nustar => &NUSTAR,
            Mission::Nicer => &NICER,
            Mission::Xmm => &XMM,
            Mission::Xte => &XTE,
            Mission::Chandra => &CHANDRA,
            Mission::Swift => &SWIFT,
            Mission::Ixpe => &IXPE,
        }
    }
}

impl std::str::FromStr for Mission {
    type Err = String;
    fn from_str(text: &str) -> Result<Mission, String> {
        let known = Mission::ALL.iter().find(|(name, _)| name.eq_ignore_ascii_case(text));
        known.map(|(_, mission)| *mission).ok_or_else(|| {
            let names: Vec<&str> = Mission::ALL.iter().map(|(name, _)| *name).collect();
            format!("'{text}' is no mission this can imitate: {}", names.join(", "))
        })
    }
}

/// What a column holds.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(super) enum Field {
    /// The same number in every row.
    Same(f64),
    /// Time of the event, s, raw column.
    Time,
    /// Channel.
    Channel,
    /// Detector, CCD or module.
    Detector,
    /// The time as an integer of the mission's clock: `TIME/TIMEDEL`.
    Ticks,
    /// Phase of the first pulsation at the time written, 0 to 1; 0 without one.
    Phase,
    /// Energy of the channel's centre, eV.
    ElectronVolt,
    /// The 24 bits of a GoodXenon word: photon marker, PCU, channel.
    XenonWord,
}

/// A column: name, TFORM, TUNIT, content.
pub(super) type Spec = (&'static str, &'static str, &'static str, Field);

/// One mission's files.
pub(super) struct Layout {
    pub(super) telescop: &'static str,
    pub(super) instrume: &'static str,
    /// Keywords and values that only this mission has.
    pub(super) extra: &'static [(&'static str, &'static str)],
    pub(super) mjdref: MjdRef,
    pub(super) timesys: &'static str,
    pub(super) timeref: &'static str,
    /// TIMEZERO, s.
    pub(super) timezero: f64,
    /// A start in the middle of the mission, s from MJDREF.
    pub(super) tstart: f64,
    /// Frame time or clock tick, s; 0 for none.
    pub(super) frame: f64,
    /// The clock is that coarse in every file: times are multiples of it unless the user says otherwise.
    pub(super) ticks: bool,
    /// TIMEPIXR: where in the frame the stamp is.
    pub(super) timepixr: f64,
    /// Energy of a channel's centre is `scale·channel + offset`, keV; `None` where it is not a fixed line.
    pub(super) kev: Option<(f64, f64)>,
    /// Channels that exist, both ends included.
    pub(super) all: (i32, i32),
    /// Channels of the usual band, both ends included.
    pub(super) usual: (i32, i32),
    pub(super) detectors: &'static [u8],
    /// Names of the two tables, and of the columns of the second.
    pub(super) events: &'static str,
    pub(super) gti: &'static str,
    pub(super) start_stop: [&'static str; 2],
    pub(super) columns: &'static [Spec],
}

impl Layout {
    /// Unit of the energies that the user gives.
    pub(super) fn energy_unit(&self) -> &'static str {
        if self.kev.is_some() { "keV" } else { "channels" }
    }

    /// Energy of a channel's centre in [`Layout::energy_unit`].
    pub(super) fn energy(&self, channel: i32) -> f64 {
        let (scale, offset) = self.kev.unwrap_or((1.0, 0.0));
        scale * f64::from(channel) + offset
    }

    /// First and last channel whose centre lies in `[lo, hi)`; the usual ones without a range.
    pub(super) fn channels(&self, range: Option<(f64, f64)>) -> Result<(i32, i32)> {
        let Some((lo, hi)) = range else { return Ok(self.usual) };
        let (scale, offset) = self.kev.unwrap_or((1.0, 0.0));
        // Decimal edges miss their channel by an ulp in f64; a billionth of a channel is far more than that.
        let at_or_above = |e: f64| ((e - offset) / scale - 1e-9).ceil();
        let first = at_or_above(lo).max(f64::from(self.all.0));
        let last = (at_or_above(hi) - 1.0).min(f64::from(self.all.1));
        if first <= last {
            return Ok((first as i32, last as i32));
        }
        let (min, max) = (self.energy(self.all.0), self.energy(self.all.1));
        Err(Error::argument(
            "energies",
            format!("{lo}:{hi}"),
            format!(
                "no channel of {} lies there; its channels span {min} to {max} {}",
                self.telescop,
                self.energy_unit()
            ),
        ))
    }
}

const fn epoch(day: i64, fraction: f64) -> MjdRef {
    MjdRef { day, fraction }
}

const ZERO: Field = Field::Same(0.0);

static GENERIC: Layout = Layout {
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
    gti: "GTI",
    start_stop: ["START", "STOP"],
    columns: &[("TIME", "1D", "s", Field::Time), ("PI", "1J", "chan", Field::Channel)],
};

static NUSTAR: Layout = Layout {
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
static NICER: Layout = Layout {
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

static XMM: Layout = Layout {
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
    gti: "STDGTI04",
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

static XTE: Layout = Layout {
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

static CHANDRA: Layout = Layout {
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
        ("energy", "1E", "eV", Field::ElectronVolt),
        ("pi", "1J", "chan", Field::Channel),
        ("grade", "1I", "", ZERO),
    ],
    ..GENERIC
};

static SWIFT: Layout = Layout {
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

static IXPE: Layout = Layout {
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

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn decimal_band_edges_belong_to_the_band_above() {
        let nicer = Mission::Nicer.layout();
        for pi in 1..1500 {
            let (lo, hi) = (f64::from(pi) / 100.0, f64::from(pi + 1) / 100.0);
            assert_eq!(nicer.channels(Some((lo, hi))).unwrap(), (pi, pi));
        }
        assert_eq!(Mission::Nustar.layout().channels(Some((3.0, 79.0))).unwrap(), (35, 1934));
        assert!(nicer.channels(Some((20.0, 30.0))).unwrap_err().to_string().contains("NICER"));
    }

    #[test]
    fn rows_are_as_wide_as_the_missions_are() {
        let widths = [12, 21, 47, 34, 14, 32, 46, 52];
        for ((name, mission), width) in Mission::ALL.into_iter().zip(widths) {
            let columns = mission.layout().columns;
            let sum: usize =
                columns.iter().map(|c| crate::io::fits_writer::Column::new(c.0, c.1, c.2).width().unwrap()).sum();
            assert_eq!(sum, width, "{name}");
        }
    }
}

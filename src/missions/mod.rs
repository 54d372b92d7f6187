//! What is known of each mission's event files, in one place.

use crate::base::time::MjdRef;
use crate::data::energy_scale::EnergyScale;

/// The layout of the event files of one mission, or of one of its instruments.
#[derive(Debug)]
pub struct Mission {
    /// TELESCOP (or MISSION) as written, upper case; empty for the generic layout.
    pub telescop: &'static str,
    /// How INSTRUME begins, upper case; empty for all instruments.
    pub instrument: &'static str,
    /// Names of the events extension, first match wins.
    pub events: &'static [&'static str],
    /// Columns that hold the channel or energy, first match wins.
    pub channel: &'static [&'static str],
    /// The column that tells detectors apart, empty when none does.
    pub detector: &'static str,
    /// Where the GTIs are.
    pub gti: GtiRule,
    energy: Energy,
}

/// Where a mission keeps its good time intervals.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum GtiRule {
    /// The first extension named GTI or STDGTI.
    First,
    /// One extension for each detector, named by one of these prefixes and the detector's number; of more than two digits,
    /// the last two are the detector.
    ByDetector(&'static [&'static str]),
    /// One extension named GTI for each detector, which this keyword names.
    ByKeyword(&'static str),
}

#[derive(Debug)]
enum Energy {
    Unknown,
    /// keV = gain·channel + offset.
    Linear(&'static str, &'static str),
    /// A column that is an energy, in units of so many eV unless its TUNIT says otherwise; the scale of the channels where
    /// the file has none of that name.
    Column {
        name: &'static str,
        ev: u32,
        channels: Option<(&'static str, &'static str)>,
    },
    /// The file's own EBOUNDS extension.
    Bounds,
    RxtePca,
}

/// Accepted by every mission after its own names.
const EVENTS: &[&str] = &["EVENTS"];

const GENERIC: Mission = Mission {
    telescop: "",
    instrument: "",
    events: EVENTS,
    channel: &["PI", "PHA", "ENERGY"],
    detector: "",
    gti: GtiRule::First,
    energy: Energy::Unknown,
};

/// Names of one mission.
const ALIASES: [(&str, &str); 2] = [("AXAF", "CHANDRA"), ("FERMI", "GLAST")];

/// What docs/missions.md says of each, with its sources; an instrument before the rest of its mission.
static MISSIONS: &[Mission] = &[
    Mission {
        telescop: "NUSTAR",
        channel: &["PI"],
        detector: "DET_ID",
        energy: Energy::Linear("0.04", "1.62"),
        ..GENERIC
    },
    Mission { telescop: "NICER", channel: &["PI"], detector: "DET_ID", energy: Energy::Linear("0.01", "0"), ..GENERIC },
    Mission {
        telescop: "XMM",
        channel: &["PI"],
        detector: "CCDNR",
        gti: GtiRule::ByDetector(&["STDGTI", "GTI"]),
        energy: Energy::Linear("0.001", "0"),
        ..GENERIC
    },
    Mission {
        telescop: "XTE",
        events: &["XTE_SE", "EVENTS"],
        channel: &["PHA"],
        detector: "PCUID",
        energy: Energy::RxtePca,
        ..GENERIC
    },
    Mission {
        telescop: "CHANDRA",
        instrument: "ACIS",
        channel: &["ENERGY", "PI"],
        detector: "CCD_ID",
        gti: GtiRule::ByKeyword("CCD_ID"),
        energy: Energy::Column { name: "ENERGY", ev: 1, channels: Some(("0.0146", "-0.0073")) },
        ..GENERIC
    },
    // The plates of HRC have no energies.
    Mission { telescop: "CHANDRA", channel: &["PI"], detector: "CHIP_ID", ..GENERIC },
    Mission { telescop: "SWIFT", channel: &["PI"], energy: Energy::Linear("0.01", "0"), ..GENERIC },
    Mission { telescop: "IXPE", channel: &["PI"], energy: Energy::Linear("0.04", "0"), ..GENERIC },
    Mission {
        telescop: "ASTROSAT",
        instrument: "LAXPC",
        channel: &["ENERGY", "CHANNEL"],
        detector: "LAXPC_NO.",
        energy: Energy::Column { name: "ENERGY", ev: 1000, channels: None },
        ..GENERIC
    },
    Mission { telescop: "HXMT", channel: &["PI", "CHANNEL"], detector: "DET_ID", ..GENERIC },
    Mission {
        telescop: "XRISM",
        instrument: "RESOLVE",
        channel: &["PI"],
        detector: "PIXEL",
        energy: Energy::Linear("0.0005", "0"),
        ..GENERIC
    },
    Mission {
        telescop: "XRISM",
        instrument: "XTEND",
        channel: &["PI"],
        detector: "CCD_ID",
        energy: Energy::Linear("0.006", "0"),
        ..GENERIC
    },
    Mission {
        telescop: "EROSITA",
        channel: &["PI"],
        detector: "TM_NR",
        gti: GtiRule::ByDetector(&["GTI"]),
        energy: Energy::Column { name: "PI", ev: 1, channels: None },
        ..GENERIC
    },
    Mission { telescop: "EP", channel: &["PI"], ..GENERIC },
    Mission {
        telescop: "GLAST",
        instrument: "LAT",
        channel: &["ENERGY"],
        energy: Energy::Column { name: "ENERGY", ev: 1_000_000, channels: None },
        ..GENERIC
    },
    Mission { telescop: "GLAST", instrument: "GBM", channel: &["PHA"], energy: Energy::Bounds, ..GENERIC },
];

/// What is known of detectors that are dead after an event.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct DetectorDeadTime {
    /// After every event, s.
    pub seconds: f64,
    /// Detectors that share the events of one file.
    pub detectors: usize,
}

/// What a file says of itself that decides how its channels are read.
#[derive(Clone, Debug, Default)]
pub struct Context {
    /// INSTRUME.
    pub instrument: String,
    /// Start of the observation, MJD; picks RXTE's gain epoch.
    pub start_mjd: Option<f64>,
    /// RXTE: the description of event words (TEVTB2).
    pub event_words: String,
}

impl Mission {
    /// The mission that MISSION or TELESCOP names, and the instrument of it that INSTRUME does; or the generic layout.
    pub fn from_header(names: &[&str], instrument: &str) -> &'static Mission {
        let instrument = instrument.trim().to_ascii_uppercase();
        let known = |name: &&str| {
            let name = name.trim().to_ascii_uppercase();
            let name = ALIASES.iter().find(|(alias, _)| *alias == name).map_or(name.as_str(), |(_, name)| name);
            MISSIONS.iter().find(|m| m.telescop == name && instrument.starts_with(m.instrument))
        };
        names.iter().find_map(known).unwrap_or(&GENERIC)
    }

    /// True for the layout used when the mission is not known.
    pub fn is_generic(&self) -> bool {
        self.telescop.is_empty()
    }

    /// The dead time of the detectors, where it is the same for every event and well known; not that of frames, which are
    /// another matter.
    ///
    /// NuSTAR: 2.5 ms an event for each module (Harrison et al. 2013, doi:10.1088/0004-637X/770/2/103; Bachetti et al. 2015,
    /// doi:10.1088/0004-637X/800/2/109). RXTE PCA: 10 µs an event for each of 5 PCUs (Jahoda et al. 2006, doi:10.1086/500659).
    pub fn dead_time(&self, instrument: &str) -> Option<DetectorDeadTime> {
        match self.telescop {
            "NUSTAR" => Some(DetectorDeadTime { seconds: 0.0025, detectors: 1 }),
            "XTE" if instrument.eq_ignore_ascii_case("PCA") => Some(DetectorDeadTime { seconds: 1e-5, detectors: 5 }),
            _ => None,
        }
    }

    /// The value of the leading bit of this column in rows that are photons, where other rows may be among them.
    pub fn photon_bit(&self, event_words: &str) -> Option<(&'static str, u8)> {
        match self.telescop {
            "XTE" if rxte_has_marker(event_words) => Some(("EVENT", 1)),
            // The sign: the other pixels of a pattern have the energy of the event with a minus.
            "EROSITA" => Some(("PI", 0)),
            _ => None,
        }
    }

    /// How channels become keV, in words.
    pub(super) fn described(&self) -> Option<String> {
        match self.energy {
            Energy::Unknown => None,
            Energy::Linear(gain, "0") => Some(format!("{gain} keV x channel")),
            Energy::Linear(gain, offset) => Some(format!("{gain} keV x channel + {offset} keV")),
            Energy::Column { name, .. } => Some(format!("column {name}")),
            Energy::Bounds => Some("EBOUNDS of the file".into()),
            Energy::RxtePca => Some("the PCA's table of the epoch".into()),
        }
    }

    /// True where channels have the energies of the file's own EBOUNDS extension.
    pub fn has_bounds(&self) -> bool {
        matches!(self.energy, Energy::Bounds)
    }

    /// How the values of `column`, of this TUNIT, become keV; `None` when this file's channels have no known scale.
    pub fn scale(&self, column: &str, unit: &str, context: &Context) -> Option<EnergyScale> {
        match &self.energy {
            Energy::Unknown | Energy::Bounds => None,
            Energy::Linear(gain, offset) => Some(EnergyScale::Linear { gain, offset }),
            Energy::Column { name, ev, .. } if column.eq_ignore_ascii_case(name) => {
                Some(EnergyScale::Energy { ev: ev_per_unit(unit).unwrap_or(*ev) })
            }
            Energy::Column { channels, .. } => channels.map(|(gain, offset)| EnergyScale::Linear { gain, offset }),
            Energy::RxtePca => {
                if !context.instrument.eq_ignore_ascii_case("PCA") {
                    return None;
                }
                context.start_mjd.map(|mjd| rxte_scale(mjd, &rxte_channel_groups(&context.event_words)))
            }
        }
    }
}

/// eV in a unit of energy; `None` for other units.
fn ev_per_unit(unit: &str) -> Option<u32> {
    let known = [("eV", 1), ("keV", 1000), ("MeV", 1_000_000)];
    known.iter().find(|(name, _)| name.eq_ignore_ascii_case(unit.trim())).map(|(_, ev)| *ev)
}

/// RXTE's clock, for files that lack MJDREF.
pub const RXTE_MJDREF: MjdRef = MjdRef { day: 49353, fraction: 0.000696574074 };

/// True for the files, of this DATAMODE, that one of the two event analysers of a GoodXenon configuration wrote: halves of
/// events, and no times of photons therefore. The joined file's name has no number before the readout time (`GoodXenon_2s`).
pub fn is_half_of_xenon(datamode: &str) -> bool {
    let mode = datamode.trim().to_ascii_uppercase().replace("GOOD_XENON", "GOODXENON");
    let analyser = mode.strip_prefix("GOODXENON").map(|rest| rest.strip_prefix("WITHPROPANE").unwrap_or(rest));
    analyser.is_some_and(|rest| rest.starts_with(['1', '2']))
}

/// True when the rows of an RXTE event mode begin with a marker bit that only photons have set (`M[1]{1}`).
pub fn rxte_has_marker(event_words: &str) -> bool {
    event_words.replace(' ', "").starts_with("(M[1]{1}")
}

/// Absolute channels of each local channel of an event mode, from the `C[…]` list of TEVTB2; empty for absolute channels.
fn rxte_channel_groups(event_words: &str) -> Vec<(usize, usize)> {
    let Some(list) = event_words.split_once("C[").and_then(|(_, rest)| rest.split_once(']')).map(|(list, _)| list)
    else {
        return Vec::new();
    };
    let groups: Option<Vec<(usize, usize)>> = list
        .split(',')
        .map(|group| {
            let (a, b) = group.split_once('~').unwrap_or((group, group));
            Some((a.trim().parse().ok()?, b.trim().parse().ok()?)).filter(|(a, b)| a <= b && *b < 256)
        })
        .collect();
    // One group is the whole range of channels, written out one by one in the data.
    groups.filter(|g| g.len() > 1).unwrap_or_default()
}

/// Published upper edges of the PCA's channels by gain epoch.
const RXTE_PCA: &str = include_str!("rxte_pca_energy_channels.csv");

/// Last day (MJD) of gain epochs 1 to 4; the fifth lasts to the end.
const RXTE_EPOCH_ENDS: [f64; 4] = [50163.7729, 50188.9618, 51259.7340, 51677.0];

#[expect(
    clippy::indexing_slicing,
    clippy::string_slice,
    reason = "the table is the program's own; groups are below 256"
)]
fn rxte_scale(mjd: f64, groups: &[(usize, usize)]) -> EnergyScale {
    let epoch = RXTE_EPOCH_ENDS.iter().take_while(|&&end| mjd >= end).count();
    // Columns: Abs, STD2, E1, E2, E3, E4, E5_0, E5_1234.
    let centres = |column: usize| {
        let (mut lower, mut upper) = ([0u32; 256], [0u32; 256]);
        let mut edge = 0;
        for line in RXTE_PCA.lines().filter(|l| l.starts_with(|c: char| c.is_ascii_digit())) {
            let fields: Vec<&str> = line.split(',').collect();
            let (a, b) = fields[0].split_once('-').unwrap_or((fields[0], fields[0]));
            // The table writes 242–245 as `242-5`.
            let last = format!("{}{b}", &a[..a.len().saturating_sub(b.len())]);
            let below = edge;
            edge = hundredths(fields[column]);
            for channel in a.parse().unwrap_or(0)..=last.parse().unwrap_or(255usize).min(255) {
                (lower[channel], upper[channel]) = (below, edge);
            }
        }
        let identity: Vec<(usize, usize)> = (0..256).map(|c| (c, c)).collect();
        let groups = if groups.is_empty() { &identity } else { groups };
        groups.iter().map(|&(a, b)| lower[a] + upper[b]).collect()
    };
    match epoch {
        4 => EnergyScale::Table { pcu0: centres(6), others: centres(7) },
        _ => EnergyScale::Table { pcu0: centres(2 + epoch), others: centres(2 + epoch) },
    }
}

/// A decimal of two places as an integer count of hundredths.
#[expect(clippy::string_slice, reason = "a decimal of the program's own table, filled up to two places")]
fn hundredths(text: &str) -> u32 {
    let (whole, fraction) = text.trim().split_once('.').unwrap_or((text.trim(), ""));
    let fraction = format!("{fraction:0<2}");
    whole.parse::<u32>().unwrap_or(0) * 100 + fraction[..2].parse::<u32>().unwrap_or(0)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_are_found_without_regard_to_case() {
        let of = |names: &[&str], instrument: &str| {
            let found = Mission::from_header(names, instrument);
            (found.telescop, found.instrument)
        };
        assert_eq!(of(&["NuSTAR"], "FPMA"), ("NUSTAR", ""));
        assert_eq!(of(&["AXAF "], "acis"), ("CHANDRA", "ACIS"));
        assert_eq!(of(&["SRG", "eROSITA"], "TM1"), ("EROSITA", ""));
        assert_eq!(of(&["GLAST"], "GBM"), ("GLAST", "GBM"));
        assert_eq!(of(&["XRISM"], "GATE"), ("", ""));
        assert!(Mission::from_header(&["babasone"], "").is_generic() && Mission::from_header(&[], "").is_generic());
    }

    #[test]
    fn every_gain_and_offset_is_a_decimal() {
        for mission in MISSIONS {
            let context = Context { instrument: mission.instrument.into(), ..Context::default() };
            if let Some(scale) = mission.scale(mission.channel[0], "", &context) {
                assert!(scale.energy(1000.0) > 0.0 && scale.band(0.0, 1e9).is_ok(), "{mission:?}");
            }
        }
    }

    #[test]
    fn rxte_groups_and_edges_follow_the_published_table() {
        let words = "(M[1]{1},D[0:4]{3},C[0~4,5~6,7,8~10]{6},T[0.0:0.0078125;0.0001220703125]{6})^(M[127]{8})";
        assert!(rxte_has_marker(words));
        let groups = rxte_channel_groups(words);
        assert_eq!(groups, [(0, 4), (5, 6), (7, 7), (8, 10)]);
        // Epoch 3 (MJD 51000): upper edges 1.94 (0-4), 2.29 (5), 2.64 (6), 2.99 (7), 3.35, 3.70, 4.05 (10).
        let EnergyScale::Table { others, .. } = rxte_scale(51000.0, &groups) else { panic!("a table is expected") };
        assert_eq!(others, [194, 194 + 264, 264 + 299, 299 + 405]);
        // Epoch 5 tells PCU 0 from the others.
        let EnergyScale::Table { pcu0, others } = rxte_scale(54000.0, &[]) else { panic!("a table is expected") };
        assert_eq!((pcu0[5], others[5]), (195 + 238, 206 + 247));
        assert_eq!(pcu0.len(), 256);
        assert_eq!(others[244], 11042 + 11253);
        assert!(others.windows(2).all(|w| w[0] <= w[1]));
    }

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

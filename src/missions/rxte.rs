//! RXTE's PCA, and what else of RXTE is read by the same names.

use super::evidence::{Evidence, NAMES};
use super::files::{ColumnContent, ImitatedFiles, epoch};
use super::generic::{FILES, PLAIN};
use super::mission::{Context, DetectorDeadTime, EnergyRule, Mission, PhotonMarker, Refusal};
use crate::base::time::MjdRef;
use crate::data::energy_scale::EnergyScale;

/// RXTE's clock.
const EPOCH: MjdRef = epoch(49353, 0.000_696_574_074);

/// RXTE; imitated: the PCA, processed GoodXenon: the channel is PHA, its energies depend on the epoch.
pub static RXTE: Mission = Mission {
    name: "xte",
    title: "RXTE",
    telescop: "XTE",
    events: &["XTE_SE"],
    channel: &["PHA"],
    detector: "PCUID",
    spare_gtis: &["GTI"],
    energy: EnergyRule::ByFile { brief: "by epoch and PCU", words: "the PCA's table of the epoch", scale: pca },
    calibrated: "PCA",
    dead_time: Some(DetectorDeadTime { seconds: 1e-5, detectors: 5 }),
    // Rows of an event mode begin with a bit that only photons have set.
    marker: Some(PhotonMarker { column: "EVENT", bit: 1, event_words: "(M[1]{1}" }),
    refusal: Some(Refusal {
        keyword: "DATAMODE",
        refuses: is_half_of_xenon,
        message: "half of the words of GoodXenon events; make_se of FTOOLS joins both halves to events",
    }),
    epoch: Some(EPOCH),
    files: Some(ImitatedFiles {
        telescop: "XTE",
        instrume: "PCA",
        cards: &[
            ("DATAMODE", "GoodXenon_2s"),
            ("TDDES2", "D[0~4] & E[X1L^X1R^X2L^X2R^X3L^X3R] & C[0~255]"),
            ("TEVTB2", "(M[1]{1},S[Zero]{5},E[VPR]{1},D[0:4]{3},E[0:63]{6},C[0:255]{8})"),
        ],
        mjdref: EPOCH,
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
        alone: true,
        events: "XTE_SE",
        class: "EVENT",
        start_stop: ["Start", "Stop"],
        columns: &[
            ("TIME", "D", "s", ColumnContent::Time),
            ("Event", "24X", "", ColumnContent::XenonWord),
            ("PCUID", "B", "", ColumnContent::Detector),
            ("ANODEID", "B", "", ColumnContent::Same(10.0)),
            ("PHA", "B", "chan", ColumnContent::Channel),
        ],
        ..FILES
    }),
    notes: &[
        "Of several tables of intervals the first counts.",
        "PHA is a local channel; the `C[…]` list of TEVTB2 gives its absolute channels, and the published table their \
         **upper** edges by gain epoch and PCU, so that a group a–b spans edge[a−1] to edge[b]. PCU 1 lost its propane layer \
         on 2006-12-25, as PCU 0 had in 2000; the table knows the latter alone. A detector is a PCU.",
        "Rows of event modes whose leading bit (`M[1]`) is not set are clock rows, counted as no photons.",
        "Raw GoodXenon files are written by two event analysers, each with one half of the words of the events (DATAMODE \
         GoodXenon1_2s with GoodXenon2_2s, or …_16s): neither has the times of photons, and they are refused with the advice \
         to join the pair by `make_se`.",
        "What joined files have for energies are the columns PHA and PCUID of `decodeevt outformat=OGIP` or of the archive's \
         processing; with the word column Event alone, they are read without energies.",
        "Each of the five PCUs is dead for 10 µs after an event (`W-DEAD-TIME`).",
    ],
    evidence: &[
        NAMES,
        Evidence {
            fact: "upper edges of the PCA's channels",
            source: "RXTE Guest Observer Facility, energy-to-channel conversion table; Jahoda et al. 2006, \
                     doi:10.1086/500659",
            confirmed: "as published",
        },
        Evidence {
            fact: "raw GoodXenon: halves by DATAMODE, to be joined by `make_se` before all else",
            source: "the PCA's configurations, <https://heasarc.gsfc.nasa.gov/docs/xte/abc/pca_configs_gx.html>; \
                     `xenon2fits` and `decodeevt`",
            confirmed: "yes; whether DATAMODE has an underscore after Good is not: both are refused",
        },
        Evidence {
            fact: "dead time of 10 µs an event for each of 5 PCUs",
            source: "Jahoda et al. 2006, doi:10.1086/500659",
            confirmed: "as published",
        },
    ],
    ..PLAIN
};

/// The scale of one file of the PCA; `None` where its epoch is not known.
fn pca(context: &Context) -> Option<EnergyScale> {
    context.start_mjd.map(|mjd| pca_scale(mjd, &channel_groups(&context.event_words)))
}

/// True for the files, of this DATAMODE, that one of the two event analysers of a GoodXenon configuration wrote: halves of
/// events, and no times of photons therefore. The joined file's name has no number before the readout time (`GoodXenon_2s`).
fn is_half_of_xenon(datamode: &str) -> bool {
    let mode = datamode.trim().to_ascii_uppercase().replace("GOOD_XENON", "GOODXENON");
    let analyser = mode.strip_prefix("GOODXENON").map(|rest| rest.strip_prefix("WITHPROPANE").unwrap_or(rest));
    analyser.is_some_and(|rest| rest.starts_with(['1', '2']))
}

/// Absolute channels of each local channel of an event mode, from the `C[…]` list of TEVTB2; empty for absolute channels.
fn channel_groups(event_words: &str) -> Vec<(usize, usize)> {
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
const PCA: &str = include_str!("rxte_pca_energy_channels.csv");

/// Last day (MJD) of gain epochs 1 to 4; the fifth lasts to the end.
const EPOCH_ENDS: [f64; 4] = [50163.7729, 50188.9618, 51259.7340, 51677.0];

#[expect(
    clippy::indexing_slicing,
    clippy::string_slice,
    reason = "the table is the program's own; groups are below 256"
)]
fn pca_scale(mjd: f64, groups: &[(usize, usize)]) -> EnergyScale {
    let epoch = EPOCH_ENDS.iter().take_while(|&&end| mjd >= end).count();
    // Columns: Abs, STD2, E1, E2, E3, E4, E5_0, E5_1234.
    let centres = |column: usize| {
        let (mut lower, mut upper) = ([0u32; 256], [0u32; 256]);
        let mut edge = 0;
        for line in PCA.lines().filter(|l| l.starts_with(|c: char| c.is_ascii_digit())) {
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
    fn groups_and_edges_follow_the_published_table() {
        let words = "(M[1]{1},D[0:4]{3},C[0~4,5~6,7,8~10]{6},T[0.0:0.0078125;0.0001220703125]{6})^(M[127]{8})";
        assert_eq!(RXTE.photon_bit(words), Some(("EVENT", 1)));
        let groups = channel_groups(words);
        assert_eq!(groups, [(0, 4), (5, 6), (7, 7), (8, 10)]);
        // Epoch 3 (MJD 51000): upper edges 1.94 (0-4), 2.29 (5), 2.64 (6), 2.99 (7), 3.35, 3.70, 4.05 (10).
        let EnergyScale::Table { others, .. } = pca_scale(51000.0, &groups) else { panic!("a table is expected") };
        assert_eq!(others, [194, 194 + 264, 264 + 299, 299 + 405]);
        // Epoch 5 tells PCU 0 from the others.
        let EnergyScale::Table { pcu0, others } = pca_scale(54000.0, &[]) else { panic!("a table is expected") };
        assert_eq!((pcu0[5], others[5]), (195 + 238, 206 + 247));
        assert_eq!(pcu0.len(), 256);
        assert_eq!(others[244], 11042 + 11253);
        assert!(others.windows(2).all(|w| w[0] <= w[1]));
    }
}

//! What products and files hold: good time intervals, light curves, histograms, ranges of energy channels, exact
//! phases, and how a product was made ([`Record`]).

pub mod columns;
pub mod energy_scale;
pub mod gti;
pub mod header;
pub mod histogram;
pub mod light_curve;
mod light_curve_join;
mod light_curve_photons;
pub mod phase;
pub mod product;
pub mod record;
pub mod table;

pub use gti::Gti;
pub use histogram::Histogram;
pub use light_curve::LightCurve;
pub(crate) use light_curve_photons::whole_photons;
pub use product::Product;
pub use record::{DeviceRecord, Record};

use serde::{Deserialize, Serialize};

/// One input file, or series in memory, that a product was made from: its name, its checksum and the selection of
/// channels.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct InputRecord {
    /// Name of the file as given.
    pub name: String,
    /// CRC-32 (IEEE 802.3) of the unpacked bytes, in hexadecimal; empty for data in memory.
    pub crc32: String,
    /// Name of the column by which events were selected; empty without a selection.
    pub channel_column: String,
    /// The channels that were used; `None` for all.
    pub channels: Option<ChannelRange>,
    /// The band in keV that these channels are of, if it was selected so.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub energy: Option<[f64; 2]>,
}

/// A range of energy channels, or of energies where the file has an energy column instead: `lo ≤ c ≤ hi` if `closed`,
/// else `lo ≤ c < hi`. Detector 0 may have a range of its own (RXTE, whose PCU 0 has another energy scale).
#[derive(Clone, Copy, Debug, PartialEq, serde::Serialize, serde::Deserialize)]
#[non_exhaustive]
pub struct ChannelRange {
    /// Lowest channel (or energy) of the range.
    pub lo: f64,
    /// Highest channel of the range if `closed`; else the first channel or energy beyond the range.
    pub hi: f64,
    /// `lo` and `hi` for detector 0, if it differs from the others (RXTE's PCU 0).
    pub detector0: Option<(f64, f64)>,
    /// True if `hi` itself belongs to the range.
    pub closed: bool,
}

impl ChannelRange {
    /// The range of channels from `lo` to `hi`, both included.
    pub fn channels(lo: f64, hi: f64) -> ChannelRange {
        ChannelRange { lo, hi, detector0: None, closed: true }
    }

    /// The energies `lo ≤ E < hi`, of photons whose energies are known each.
    pub fn energies(lo: f64, hi: f64) -> ChannelRange {
        ChannelRange { lo, hi, detector0: None, closed: false }
    }

    /// True if every channel of `other` is in this range.
    pub fn contains(&self, other: &ChannelRange) -> bool {
        self.both(other, |(lo, hi), (a, b)| a >= b || (lo <= a && b <= hi))
    }

    /// True if no channel is in both ranges.
    pub fn is_apart_from(&self, other: &ChannelRange) -> bool {
        self.both(other, |(lo, hi), (a, b)| lo >= hi || a >= b || hi <= a || b <= lo)
    }

    /// Whether the half-open ranges of this and the other range are as asked, for every detector.
    fn both(&self, other: &ChannelRange, test: impl Fn((f64, f64), (f64, f64)) -> bool) -> bool {
        let (a, b) = (self.half_open(false), other.half_open(false));
        test(a, b) && test(self.half_open(true), other.half_open(true))
    }

    /// The range as `[first, end)`: the first channel of the range and the first one beyond it, for detector 0 if
    /// `detector0`, else for the others. The range is empty if `end ≤ first`.
    pub fn half_open(&self, detector0: bool) -> (f64, f64) {
        let (lo, hi) = self.detector0.filter(|_| detector0).unwrap_or((self.lo, self.hi));
        // The number after a closed end is the first that is not kept.
        (lo, if self.closed { hi.next_up() } else { hi })
    }

    /// True if an event with this channel and detector is in the range. A masked channel (NaN) never is.
    #[inline]
    pub fn keeps(&self, channel: f64, detector: f64) -> bool {
        let (lo, hi) = match self.detector0 {
            Some(range) if detector == 0.0 => range,
            _ => (self.lo, self.hi),
        };
        channel >= lo && (channel < hi || (self.closed && channel == hi))
    }
}

/// What became of every row read from the input: numbers of rows, which need not be photons. Each row counts in exactly
/// one field but `read`, so that `read` is the sum of all others ([`EventBalance::is_exact`]). Every product records
/// it.
///
/// A light curve of a file has as many photons as its bins have counts, used or not; of rates they are the rates times the exposures
/// of their bins, in whatever unit of rates. They are added up for each field, and rounded once to a whole number (0 where net rates
/// add up to less). A light curve that was made of events in memory goes on with the balance of these.
#[derive(Clone, Debug, Default, PartialEq, Eq, serde::Serialize, serde::Deserialize)]
pub struct EventBalance {
    /// Rows read.
    pub read: u64,
    /// Events in a bin of a segment that was averaged.
    pub used: u64,
    /// Events outside every good time interval; of light curves, of bins that are not in good time with all of their exposure.
    pub outside_gti: u64,
    /// Events in a good time interval, but in none of the segments that fit into it (for histograms: in no time bin; for samples of light
    /// curves: in bins that are exposed too little, or not inside one interval).
    pub outside_segments: u64,
    /// Events of segments that could not be averaged, such as empty ones.
    pub in_skipped_segments: u64,
    /// Events that the selection of energies or detectors removed.
    pub filtered: u64,
    /// Rows that are no photons, such as clock rows of RXTE.
    pub not_photons: u64,
    /// Events whose time is not a finite number; of light curves, of rows without a time, an error or an exposure that can be used.
    pub dropped: u64,
    /// Events of a segment that rounding put beyond its last bin.
    pub dropped_edge: u64,
}

impl EventBalance {
    /// True if every row is accounted for: `read` is the sum of all other fields.
    pub fn is_exact(&self) -> bool {
        let parts = [
            self.used,
            self.outside_gti,
            self.outside_segments,
            self.in_skipped_segments,
            self.filtered,
            self.not_photons,
            self.dropped,
            self.dropped_edge,
        ];
        parts.iter().sum::<u64>() == self.read
    }

    /// So many, all of them used.
    pub(crate) fn of_used(used: u64) -> EventBalance {
        EventBalance { read: used, used, ..EventBalance::default() }
    }

    /// Adds the balance of another file, field by field.
    pub fn add(&mut self, other: &EventBalance) {
        self.read += other.read;
        self.used += other.used;
        self.outside_gti += other.outside_gti;
        self.outside_segments += other.outside_segments;
        self.in_skipped_segments += other.in_skipped_segments;
        self.filtered += other.filtered;
        self.not_photons += other.not_photons;
        self.dropped += other.dropped;
        self.dropped_edge += other.dropped_edge;
    }
}

impl std::fmt::Display for EventBalance {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "{} read = {} used", self.read, self.used)?;
        let parts = [
            (self.outside_gti, "outside GTIs"),
            (self.outside_segments, "outside segments"),
            (self.in_skipped_segments, "in skipped segments"),
            (self.filtered, "filtered"),
            (self.not_photons, "not photons"),
            (self.dropped, "without a usable time or value"),
            (self.dropped_edge, "beyond the last bin"),
        ];
        parts.iter().filter(|(count, _)| *count > 0).try_for_each(|(count, what)| write!(f, " + {count} {what}"))
    }
}

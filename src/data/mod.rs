//! Owned data of the library's users: good time intervals, light curves, ranges of channels, and where the photons went.

pub mod energy_scale;
pub mod gti;
pub mod header;
pub mod histogram;
pub mod light_curve;
pub mod phase;
pub mod record;
pub mod table;

pub use gti::Gti;
pub use histogram::Histogram;
pub use light_curve::LightCurve;
pub use record::{DeviceRecord, Provenance};

use serde::Serialize;

/// One input of a product.
#[derive(Clone, Debug, Default, PartialEq, Serialize)]
pub struct InputRecord {
    /// Name as given.
    pub name: String,
    /// CRC-32 (IEEE 802.3) of the unpacked bytes, in hexadecimal; empty for data in memory.
    pub crc32: String,
    /// Column that events were selected by; empty without a selection.
    pub channel_column: String,
    /// Channels that were kept.
    pub channels: Option<ChannelRange>,
}

/// Inclusive ranges of channel values that a selection keeps.
#[derive(Clone, Copy, Debug, PartialEq, serde::Serialize)]
pub struct ChannelRange {
    /// Smallest channel kept (or energy, for energy columns).
    pub lo: f64,
    /// Largest channel kept; for energy columns the first one no longer kept.
    pub hi: f64,
    /// The same for detector 0, where its scale differs (RXTE's PCU 0).
    pub detector0: Option<(f64, f64)>,
    /// True when `hi` itself is kept.
    pub closed: bool,
}

impl ChannelRange {
    /// Channels `lo ..= hi`.
    pub fn channels(lo: f64, hi: f64) -> ChannelRange {
        ChannelRange { lo, hi, detector0: None, closed: true }
    }

    /// True when every channel of the other range is in this one.
    pub fn contains(&self, other: &ChannelRange) -> bool {
        self.both(other, |(lo, hi), (a, b)| a >= b || (lo <= a && b <= hi))
    }

    /// True when no channel is in both ranges.
    pub fn is_apart_from(&self, other: &ChannelRange) -> bool {
        self.both(other, |(lo, hi), (a, b)| lo >= hi || a >= b || hi <= a || b <= lo)
    }

    /// Whether the half-open ranges of this and the other range are as asked, for every detector.
    fn both(&self, other: &ChannelRange, test: impl Fn((f64, f64), (f64, f64)) -> bool) -> bool {
        let (a, b) = (self.half_open(false), other.half_open(false));
        test(a, b) && test(self.half_open(true), other.half_open(true))
    }

    /// First channel kept and first one no longer kept, of detector 0 or of the others; nothing is kept where they are not in order.
    pub fn half_open(&self, detector0: bool) -> (f64, f64) {
        let (lo, hi) = self.detector0.filter(|_| detector0).unwrap_or((self.lo, self.hi));
        // The number after a closed end is the first that is not kept.
        (lo, if self.closed { hi.next_up() } else { hi })
    }

    /// True when an event of this channel and detector is kept. A masked channel (NaN) is not.
    #[inline]
    pub fn keeps(&self, channel: f64, detector: f64) -> bool {
        let (lo, hi) = match self.detector0 {
            Some(range) if detector == 0.0 => range,
            _ => (self.lo, self.hi),
        };
        channel >= lo && (channel < hi || (self.closed && channel == hi))
    }
}

/// Where the photons went: every row read is in exactly one of the other fields.
#[derive(Clone, Debug, Default, PartialEq, Eq, serde::Serialize)]
pub struct EventBalance {
    /// Rows read.
    pub read: u64,
    /// In a bin of a segment that counts.
    pub used: u64,
    /// Outside every good time interval.
    pub outside_gti: u64,
    /// Inside a good time interval, but in no segment.
    pub outside_segments: u64,
    /// In segments that were skipped.
    pub in_skipped_segments: u64,
    /// Not of the selected energies or detectors.
    pub filtered: u64,
    /// Rows that are no photons (clock rows).
    pub not_photons: u64,
    /// Times that are not finite.
    pub dropped: u64,
    /// In a segment, but beyond its last bin by rounding.
    pub dropped_edge: u64,
}

impl EventBalance {
    /// True when every row is accounted for.
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

    /// Adds another file's.
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
            (self.dropped, "without a finite time"),
            (self.dropped_edge, "beyond the last bin"),
        ];
        parts.iter().filter(|(count, _)| *count > 0).try_for_each(|(count, what)| write!(f, " + {count} {what}"))
    }
}

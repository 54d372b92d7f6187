//! Good time intervals to numbered segments, before any event is read.

use crate::base::error::{Error, Result};
use crate::base::mend::Mend;
use crate::base::text::{ShortNumber, count};
use crate::base::time::DoubleDouble;
use crate::base::warning::Warnings;
use crate::data::Gti;

/// A segment may end this much after its interval, s: what the rounding of bounds amounts to.
const TOLERANCE: f64 = 1e-5;
/// More bins than any device can hold.
const LARGEST_N: f64 = (1u64 << 28) as f64;

/// More segments than anyone has time to transform: intervals as long come from mistakes.
const MOST_SEGMENTS: u64 = 1 << 40;

/// Bins of all segments from which on the time they take is worth a warning, and bins of a segment from which on memory is.
const MANY_BINS: f64 = 1e11;
/// See [`MANY_BINS`].
const LONG_SEGMENT: usize = 1 << 26;
/// Bins that one core of a CPU bins, transforms and sums in a second, in order of magnitude.
const BINS_A_SECOND: f64 = 1e8;
/// Bytes that a bin takes on its way through a transform in double precision.
const BYTES_A_BIN: f64 = 32.0;

/// The bin width and the segment length of a plan, with a whole number of bins in a segment.
#[derive(Clone, Copy, Debug, PartialEq, serde::Serialize)]
#[non_exhaustive]
pub struct Resolution {
    /// Number of bins in a segment.
    pub n: usize,
    /// Bin width, s.
    pub dt: f64,
    /// Length of a segment, s: `n·dt`.
    pub segment_size: f64,
}

/// What a resolution is chosen for.
#[derive(Clone, Debug)]
pub struct ResolutionRequest<'a> {
    /// Bin width asked for, s.
    pub dt: Option<f64>,
    /// Segment length asked for, s.
    pub segment_size: Option<f64>,
    /// Frame time of the files, s; 0 when unknown.
    pub timedel: f64,
    /// Times are barycentred, so that frames are smeared and mean nothing.
    pub barycentred: bool,
    /// Intervals to be filled.
    pub gtis: &'a [&'a Gti],
    /// Follow Stingray 2.3.2 where its rules differ from those of this library (see docs/decisions.md), for
    /// comparisons.
    pub compat_stingray: bool,
}

/// Default bin width, s, where frames are not longer.
const DEFAULT_DT: f64 = 1.0 / 1024.0;
/// Segments that a default segment length aims at.
const DEFAULT_SEGMENTS: u64 = 50;

impl Resolution {
    /// Chooses what was left out, snaps `dt` to frames, and makes the segment a whole number of bins.
    ///
    /// `n = floor(segment_size/dt)`, or the ceiling when that is less than 0.01 away. Defaults: `dt` = 1/1024 s or the frame
    /// time, whichever is longer; a power of two of bins that gives at least 50 segments.
    ///
    /// # Errors
    /// Values that are not positive and finite, `dt` longer than the segment, fewer than 3 bins, more than 2^28.
    #[doc(hidden)]
    pub fn choose(request: &ResolutionRequest, warnings: &mut Warnings) -> Result<Resolution> {
        let check = |field: &str, value: Option<f64>| match value.filter(|v| !(v.is_finite() && *v > 0.0)) {
            Some(v) => Err(Error::argument(field, v, "must be a positive number of seconds")),
            None => Ok(()),
        };
        check("dt", request.dt)?;
        check("segment_size", request.segment_size)?;
        let dt = request.dt.unwrap_or_else(|| default_dt(request));
        let dt = snap_to_frames(dt, request.timedel, request.barycentred, request.compat_stingray, warnings);
        let segment_size = request.segment_size.unwrap_or_else(|| default_segment(dt, request.gtis));
        let either = || [Mend::field("dt"), Mend::field("segment_size")];
        if dt > segment_size {
            return Err(Error::argument(
                "dt",
                dt,
                format!("longer than the segment of {} s", ShortNumber(segment_size)),
            )
            .mended_by(either()));
        }
        let bins = segment_size / dt;
        let n = if bins.ceil() - bins < 0.01 { bins.ceil() } else { bins.floor() };
        if n > LARGEST_N {
            let (bins, size) = (ShortNumber(n), ShortNumber(segment_size));
            let message = format!("makes {bins} bins a segment of {size} s; the most is {LARGEST_N}");
            return Err(Error::argument("dt", dt, message).mended_by(either()));
        }
        if n <= 2.0 {
            let message =
                format!("makes {} of {} s; a spectrum needs at least 3", count(n as u64, "bin"), ShortNumber(dt));
            return Err(Error::argument("segment_size", segment_size, message));
        }
        Ok(Resolution { n: n as usize, dt, segment_size: n * dt })
    }

    /// What so many segments cost in time and memory, where that is much: text for a warning.
    pub fn cost(&self, segments: u64) -> Option<String> {
        let bins = segments as f64 * self.n as f64;
        if bins <= MANY_BINS && self.n <= LONG_SEGMENT {
            return None;
        }
        let (hours, gigabytes) = (bins / BINS_A_SECOND / 3600.0, self.n as f64 * BYTES_A_BIN / 1e9);
        Some(format!(
            "{} of {} are {bins:.1e} bins in all: about {} h of one core and {} GB for each thread",
            count(segments, "segment"),
            count(self.n as u64, "bin"),
            ShortNumber((hours * 10.0).ceil() / 10.0),
            ShortNumber((gigabytes * 10.0).ceil() / 10.0)
        ))
    }
}

fn default_dt(request: &ResolutionRequest) -> f64 {
    if request.timedel > DEFAULT_DT && !request.barycentred { request.timedel } else { DEFAULT_DT }
}

fn default_segment(dt: f64, gtis: &[&Gti]) -> f64 {
    let segments = |size: f64| {
        let counts = gtis.iter().flat_map(|g| intervals(g, size).map(|(_, count)| count));
        counts.fold(0u64, u64::saturating_add)
    };
    let sizes = (3..=20).rev().map(|j| dt * f64::from(1u32 << j));
    sizes.clone().find(|&s| segments(s) >= DEFAULT_SEGMENTS).unwrap_or(dt * 8.0)
}

/// `dt` as a whole number of frames of `frame` seconds (0: none) where they matter: a bin that is not beats with them. The
/// change is reported. Frames of barycentred times are smeared and mean nothing.
pub fn snap_to_frames(dt: f64, frame: f64, barycentred: bool, compat_stingray: bool, warnings: &mut Warnings) -> f64 {
    if frame <= 0.0 {
        return dt;
    }
    let matters = match compat_stingray {
        true => (frame - dt).abs() > 1e-8 + 1e-4 * dt,
        false => frame / dt > 0.01 && !barycentred,
    };
    let snapped = frame * (dt / frame).round_ties_even().max(1.0);
    if !matters || snapped == dt {
        return dt;
    }
    warnings.push(
        "W-DT-FRAMES",
        format!(
            "dt = {} s became {} s, a whole number of frames of {} s",
            ShortNumber(dt),
            ShortNumber(snapped),
            ShortNumber(frame)
        ),
    );
    snapped
}

/// Warns where bins of `dt` seconds and the frames of an input do not go together: frequencies above the frames' Nyquist
/// frequency have no information, and bins that are no whole number of frames beat with them (unless barycentring smeared these).
pub fn check_frames(dt: f64, input: &str, frame: f64, barycentred: bool, warnings: &mut Warnings) {
    if frame <= 0.0 {
        return;
    }
    let frames = dt / frame;
    if frames < 1.0 - 1e-6 {
        let message = format!(
            "{input} has frames of {} s: frequencies above {} Hz, their Nyquist frequency, have no information; dt is {} s",
            ShortNumber(frame),
            ShortNumber(0.5 / frame),
            ShortNumber(dt)
        );
        warnings.push("W-FRAME-NYQUIST", message);
    } else if frames < 100.0 && !barycentred && (frames - frames.round()).abs() > 1e-4 * frames {
        let message = format!(
            "bins of {} s are no whole number of the frames of {input}, {} s: they beat with each other",
            ShortNumber(dt),
            ShortNumber(frame)
        );
        warnings.push("W-FRAME-BEAT", message);
    }
}

/// Start of each interval that is long enough, and the segments in it.
fn intervals(gti: &Gti, segment_size: f64) -> impl Iterator<Item = ((DoubleDouble, DoubleDouble), u64)> {
    gti.intervals().iter().filter_map(move |&(start, stop)| {
        let length = (stop - start).value();
        let count = ((length + TOLERANCE) / segment_size).floor();
        (count >= 1.0).then_some(((start, stop), count as u64))
    })
}

/// Segments of one observation: runs of equal segments, one for each interval.
#[derive(Clone, Debug, PartialEq)]
pub struct Segments {
    blocks: Vec<IntervalSegments>,
    /// What brings raw times to the frame; starts lose it.
    offset: DoubleDouble,
    segment_size: f64,
    extended: bool,
}

#[derive(Clone, Debug, PartialEq)]
struct IntervalSegments {
    /// Start of the interval in the frame.
    start: DoubleDouble,
    /// Segments in it.
    count: u64,
    /// Segments before it.
    before: u64,
}

/// One segment: events with `start ≤ t < stop` are its own, in the frame of the raw times.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Segment {
    /// Start, s.
    pub start: DoubleDouble,
    /// First f64 not below the start.
    pub first: f64,
    /// First f64 not below the stop.
    pub stop: f64,
}

impl Segments {
    /// Fills the intervals `gti` (of the frame) with segments. `offset` is what brings raw times to the frame; it is taken
    /// off the starts instead, exactly. `extended` rounds starts as the peer's 80-bit arithmetic does.
    pub fn new(gti: &Gti, offset: DoubleDouble, segment_size: f64, extended: bool) -> Segments {
        let mut blocks = Vec::new();
        let mut before = 0;
        for ((start, _), count) in intervals(gti, segment_size) {
            blocks.push(IntervalSegments { start, count, before });
            before = before.saturating_add(count);
        }
        Segments { blocks, offset, segment_size, extended }
    }

    /// Number of segments.
    pub fn len(&self) -> u64 {
        self.blocks.last().map_or(0, |b| b.before.saturating_add(b.count))
    }

    /// True when no interval is long enough.
    pub fn is_empty(&self) -> bool {
        self.blocks.is_empty()
    }

    /// The segment at place `i < len()`.
    pub fn get(&self, i: u64) -> Segment {
        let block = &self.blocks[self.blocks.partition_point(|b| b.before + b.count <= i)];
        let k = (i - block.before) as f64;
        if self.extended {
            return self.get_extended(block.start, k);
        }
        let edge = |k: f64| block.start + DoubleDouble::product(self.segment_size, k) - self.offset;
        let start = edge(k);
        Segment { start, first: start.ceil_f64(), stop: edge(k + 1.0).ceil_f64() }
    }

    /// The start of the segment at place `i < len()` in the frame, the interval it lies in and its number there.
    pub fn place(&self, i: u64) -> (DoubleDouble, u64, u64) {
        let block = self.blocks.partition_point(|b| b.before + b.count <= i);
        (self.get(i).start + self.offset, block as u64, i - self.blocks[block].before)
    }

    /// Intervals that hold segments.
    pub fn stretches(&self) -> u64 {
        self.blocks.len() as u64
    }

    /// The peer's starts: `g0 + k·((g0 + s) − g0)`, each operation rounded to 64 bits.
    fn get_extended(&self, g0: DoubleDouble, k: f64) -> Segment {
        let size = DoubleDouble::from(self.segment_size);
        let second = (g0 + size).round_to_extended();
        let step = (second - g0).round_to_extended();
        let start = if k == 1.0 { second } else { (g0 + (step * k).round_to_extended()).round_to_extended() };
        let stop = (start + size).round_to_extended() - self.offset;
        let start = start - self.offset;
        Segment { start, first: start.ceil_f64(), stop: stop.ceil_f64() }
    }
}

/// Refuses a number of segments that nobody can wait for.
///
/// # Errors
/// More than 2^40.
pub fn check_total(total: u64, segment_size: f64) -> Result<()> {
    if total <= MOST_SEGMENTS {
        return Ok(());
    }
    let message = format!("makes {total} segments of the good time intervals; the most is {MOST_SEGMENTS}");
    Err(Error::argument("segment_size", segment_size, message))
}

/// The error when no segment fits anywhere.
pub fn no_segments(gtis: &[&Gti], resolution: &Resolution) -> Error {
    let longest = gtis.iter().map(|g| g.longest()).fold(0.0, f64::max);
    Error::NoSegments {
        segment_size: resolution.segment_size,
        longest,
        largest: ((longest + TOLERANCE) / resolution.dt).floor() * resolution.dt,
        dt: resolution.dt,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn gti(list: &[(f64, f64)]) -> Gti {
        let raw = list.iter().map(|&(a, b)| (DoubleDouble::from(a), DoubleDouble::from(b))).collect();
        Gti::new("test", raw, false, &mut Warnings::default()).unwrap()
    }

    fn request<'a>(dt: f64, segment_size: f64, gtis: &'a [&'a Gti]) -> ResolutionRequest<'a> {
        ResolutionRequest {
            dt: Some(dt),
            segment_size: Some(segment_size),
            timedel: 0.0,
            barycentred: false,
            gtis,
            compat_stingray: false,
        }
    }

    #[test]
    fn n_is_the_floor_or_a_near_ceiling() {
        let mut w = Warnings::default();
        let mut n = |dt, size| Resolution::choose(&request(dt, size, &[]), &mut w).unwrap();
        assert_eq!(n(0.1, 1.0).n, 10);
        assert_eq!(n(0.1, 0.9995).n, 10);
        assert_eq!(n(0.1, 0.98).n, 9);
        assert_eq!(n(0.1, 0.98).segment_size, 9.0 * 0.1);
        for (dt, size) in
            [(0.0, 1.0), (-1.0, 1.0), (f64::NAN, 1.0), (2.0, 1.0), (1.0, 2.0), (1e-12, 1e6), (1.0, f64::INFINITY)]
        {
            assert!(Resolution::choose(&request(dt, size, &[]), &mut w).is_err(), "{dt} {size}");
        }
    }

    #[test]
    fn dt_snaps_to_frames_only_where_they_matter() {
        let mut w = Warnings::default();
        let base = request(1.0, 256.0, &[]);
        let with = |timedel, barycentred, compat_stingray| ResolutionRequest {
            timedel,
            barycentred,
            compat_stingray,
            ..base.clone()
        };
        assert_eq!(Resolution::choose(&with(0.44104, false, false), &mut w).unwrap().dt, 2.0 * 0.44104);
        assert_eq!(w.iter().count(), 1);
        assert_eq!(Resolution::choose(&with(0.44104, true, false), &mut w).unwrap().dt, 1.0);
        assert_eq!(Resolution::choose(&with(4e-8, false, false), &mut w).unwrap().dt, 1.0);
        let nicer = ResolutionRequest { dt: Some(2f64.powi(-13)), segment_size: Some(16.0), ..with(4e-8, false, true) };
        assert_eq!(Resolution::choose(&nicer, &mut w).unwrap().n, 131_061);
        let ours = ResolutionRequest { compat_stingray: false, ..nicer };
        assert_eq!(Resolution::choose(&ours, &mut w).unwrap().n, 131_072);
    }

    #[test]
    fn frames_that_do_not_fit_the_bins_are_warned_of() {
        let codes = |dt, frame, barycentred| {
            let mut w = Warnings::default();
            check_frames(dt, "a.evt", frame, barycentred, &mut w);
            w.iter().map(|w| w.code.clone()).collect::<Vec<_>>()
        };
        for (dt, frame, barycentred) in [(0.1, 0.0, false), (0.3, 0.1, false), (1.0, 4e-8, false), (0.25, 0.1, true)] {
            assert!(codes(dt, frame, barycentred).is_empty(), "{dt} {frame}");
        }
        assert_eq!(codes(0.1, 0.44, true), ["W-FRAME-NYQUIST"]);
        assert_eq!(codes(0.25, 0.1, false), ["W-FRAME-BEAT"]);
    }

    #[test]
    fn segments_fill_intervals_within_the_tolerance() {
        let s = Segments::new(&gti(&[(0.0, 9.0), (10.0, 29.999995), (40.0, 49.9)]), DoubleDouble::ZERO, 10.0, false);
        assert_eq!(s.len(), 2);
        assert_eq!((s.get(0).first, s.get(0).stop, s.get(1).first, s.get(1).stop), (10.0, 20.0, 20.0, 30.0));
        assert!(Segments::new(&gti(&[(0.0, 9.0)]), DoubleDouble::ZERO, 10.0, false).is_empty());
    }

    #[test]
    fn neighbours_share_their_edge_and_offsets_are_folded_into_starts() {
        let offset = DoubleDouble::sum(3.37842846, 1e-17);
        let s = Segments::new(&gti(&[(5e8, 5e8 + 1e5)]), offset, 1.0 / 3.0, false);
        assert_eq!(s.len(), 300_000);
        for i in 0..s.len() - 1 {
            assert_eq!(s.get(i).stop, s.get(i + 1).first);
        }
        let last = s.get(299_999).start + offset - DoubleDouble::from(5e8);
        assert!((last - DoubleDouble::product(1.0 / 3.0, 299_999.0)).value().abs() < 1e-20);
    }

    #[test]
    fn defaults_give_fifty_segments_of_a_power_of_two() {
        let g = gti(&[(0.0, 3500.0)]);
        let gtis = [&g];
        let free = ResolutionRequest { dt: None, segment_size: None, ..request(1.0, 1.0, &gtis) };
        let r = Resolution::choose(&free, &mut Warnings::default()).unwrap();
        assert_eq!((r.n, r.dt, r.segment_size), (65536, 1.0 / 1024.0, 64.0));
    }
}

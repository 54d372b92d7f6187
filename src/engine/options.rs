//! Options that products of events have in common.

use serde::Serialize;

use crate::base::progress::Progress;
use crate::science::power::PowerOptions;

/// Default number of rows read at a time: 2 MiB of times.
pub const CHUNK_EVENTS: usize = 1 << 18;

/// How the rows of inputs are read in a run.
#[derive(Clone, Copy)]
pub(super) struct Reading<'r> {
    /// Rows at a time.
    pub rows: usize,
    /// Told of the rows that were read.
    pub progress: &'r Progress,
}

/// How several inputs make one product.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "lowercase")]
pub enum Combine {
    /// Inputs are observations at different times; each is cut into segments of its own, and all segments are averaged.
    Average,
    /// Inputs are detectors that observed at the same time; their events are put together, and only time that all of
    /// them observed is used.
    Merge,
}

/// Options of an averaged power spectrum of events.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct PowerSpectrumOptions {
    /// Bin width, s. `None`: 1/1024 s, or the frame time if that is longer.
    pub dt: Option<f64>,
    /// Segment length, s. `None`: the longest power of two of bins that makes at least 50 segments.
    pub segment_size: Option<f64>,
    /// How several inputs make one spectrum.
    pub combine: Combine,
    /// Normalisation, rebinning and noise level.
    #[serde(flatten)]
    pub power: PowerOptions,
    /// Follow Stingray 2.3.2 where its rules differ from those of this library (see docs/decisions.md), for
    /// comparisons.
    pub compat_stingray: bool,
    /// Number of rows read at a time. It limits memory, changes no result and is not recorded.
    #[serde(skip)]
    pub chunk_events: usize,
}

impl Default for PowerSpectrumOptions {
    fn default() -> PowerSpectrumOptions {
        PowerSpectrumOptions {
            dt: None,
            segment_size: None,
            combine: Combine::Average,
            power: PowerOptions::default(),
            compat_stingray: false,
            chunk_events: CHUNK_EVENTS,
        }
    }
}

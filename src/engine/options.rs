//! Options that products of events have in common.

use serde::Serialize;

use crate::science::power::PowerOptions;

/// Rows read at a time unless told otherwise: 2 MiB of times.
pub const CHUNK_EVENTS: usize = 1 << 18;

/// How several inputs become one spectrum.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "lowercase")]
pub enum Combine {
    /// Each input has its own segments.
    Average,
    /// Simultaneous inputs: events summed, intervals intersected.
    Merge,
}

/// Options of an averaged power spectrum of events.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct PowerSpectrumOptions {
    /// Bin width, s; chosen when left out.
    pub dt: Option<f64>,
    /// Segment length, s; chosen when left out.
    pub segment_size: Option<f64>,
    /// Several inputs.
    pub combine: Combine,
    /// From sums to spectrum.
    #[serde(flatten)]
    pub power: PowerOptions,
    /// The peer's rules where this library's differ.
    pub compat_stingray: bool,
    /// Rows read at a time; changes no result, and is not recorded.
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

/// Told how many events have been read.
pub type ReadProgress<'a> = &'a mut dyn FnMut(u64);

//! What a run of an analysis has at hand.

use serde::Serialize;

use super::combine::Combine;
use crate::backend::Backend;
use crate::base::progress::Progress;
use crate::base::warning::Warnings;

/// Rows of a file that are read at a time where nobody says otherwise: 2 MiB of times.
pub const CHUNK_EVENTS: usize = 1 << 18;

/// The device, and what is told and asked on the way.
pub(crate) struct Run<'r> {
    pub device: &'r mut dyn Backend,
    /// Those so far; the product takes them.
    pub warnings: Warnings,
    pub progress: &'r Progress,
    /// Rows of a file that are read at a time.
    pub chunk_events: usize,
    /// Plans say what memory they need, which prepares the device.
    pub with_memory: bool,
    /// Numbers of the segments of a series that could not be normalised, so far.
    pub skipped: Vec<u64>,
}

/// How the rows of inputs are read in a run.
#[derive(Clone, Copy)]
pub(super) struct Reading<'r> {
    /// Rows at a time.
    pub rows: usize,
    /// Told of the rows that were read.
    pub progress: &'r Progress,
}

impl<'r> Run<'r> {
    /// The warnings so far, for a product.
    pub fn take_warnings(&mut self) -> Warnings {
        std::mem::take(&mut self.warnings)
    }

    /// How rows are read.
    pub(super) fn reading(&self) -> Reading<'r> {
        Reading { rows: self.chunk_events, progress: self.progress }
    }
}

/// The options of an analysis, as records have them.
pub(super) fn asked(analysis: &impl Serialize) -> serde_json::Value {
    serde_json::to_value(analysis).unwrap_or_default()
}

/// The options of an analysis of several inputs, as records have them.
pub(super) fn asked_of(analysis: &impl Serialize, combine: Combine) -> serde_json::Value {
    let mut options = asked(analysis);
    options["combine"] = asked(&combine);
    options
}

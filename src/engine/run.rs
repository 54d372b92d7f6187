//! What a run of an analysis has at hand.

use crate::backend::Backend;
use crate::base::progress::Progress;
use crate::base::warning::Warnings;

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
}

impl Run<'_> {
    /// The warnings so far, for a product.
    pub fn take_warnings(&mut self) -> Warnings {
        std::mem::take(&mut self.warnings)
    }
}

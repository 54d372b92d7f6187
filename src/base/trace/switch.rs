//! Whether a recording runs: the flag at which spans, counters and the allocator look.

use std::sync::atomic::{AtomicBool, Ordering};

static ON: AtomicBool = AtomicBool::new(false);

/// True while a recording runs.
pub fn is_on() -> bool {
    ON.load(Ordering::Relaxed)
}

/// Says from now on that one runs, or none.
pub(super) fn set(on: bool) {
    ON.store(on, Ordering::Relaxed);
}

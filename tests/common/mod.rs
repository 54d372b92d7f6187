//! Shared by the test programs, none of which uses all of it.
#![allow(dead_code)]

/// Says a line on standard error, also of a test that passes: what was measured, and what was skipped.
macro_rules! say {
    ($($text:tt)*) => {{
        use std::io::Write;
        let _ = writeln!(std::io::stderr(), $($text)*);
    }};
}
pub(crate) use say;

#[cfg(feature = "gpu")]
pub mod batches;
pub mod faulty;
pub mod fits_file;
pub mod front;
#[cfg(feature = "gpu")]
pub mod gpu;
pub mod lagged;
pub mod pages;
pub mod pulses;

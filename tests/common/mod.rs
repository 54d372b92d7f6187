//! Shared by several test binaries, none of which uses all of it.
#![allow(dead_code)]

#[cfg(feature = "gpu")]
pub mod batches;
pub mod faulty;
#[cfg(feature = "gpu")]
pub mod gpu;
#[cfg(feature = "cli")]
pub mod program;
pub mod pulses;

//! Shared by the test programs, none of which uses all of it.
#![allow(dead_code)]

#[cfg(feature = "gpu")]
pub mod batches;
pub mod faulty;
pub mod fits_file;
#[cfg(feature = "gpu")]
pub mod gpu;
pub mod lagged;
pub mod pulses;

//! The numerical kernels. Each has a scalar f64 reference, a CPU production path and WGSL shaders of its stem.

pub mod bin_events;
pub mod fft;
pub mod power;

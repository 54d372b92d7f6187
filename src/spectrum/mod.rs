//! Science on the host, in f64, without devices: normalisations, noise, errors, rebinning.

pub mod norm;
pub mod power;
pub mod rebin;
pub mod statistics;

pub use norm::Norm;
pub use power::{AveragedPowerSpectrum, Metadata};
pub use rebin::Rebin;

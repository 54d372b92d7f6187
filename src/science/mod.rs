//! Spectra and statistics computed from sums, in f64, without devices and files: normalisations, noise levels, errors,
//! rebinning, and the products themselves.

pub mod bispectrum;
pub mod columns;
pub(crate) mod context;
pub mod cross;
mod cross_bins;
pub mod cross_errors;
mod cross_join;
pub mod cross_powers;
pub mod cumulant;
pub mod dead_time;
pub mod dynamical;
pub mod effective;
pub mod energy;
pub mod fad;
pub mod lomb_scargle;
pub mod multitaper;
pub mod noise;
mod noise_fit;
mod noise_test;
pub mod norm;
pub mod orbit;
mod original_powers;
pub mod power;
mod power_bands;
mod power_bins;
pub(crate) mod power_join;
pub mod pulsation;
pub mod pulsed_limit;
pub mod rebin;
pub mod rms;
pub mod significance;
pub mod statistics;

pub use cross::{AveragedCrossSpectrum, CrossMetadata, CrossOptions};
pub use cross_bins::BandLag;
pub use dead_time::noise::{DeadTimeNoise, DeadTimeRecord, DeadTimeValue};
pub use dead_time::{DeadTimeKind, DeadTimeModel};
pub use dynamical::{DynamicalCrossSpectrum, DynamicalPowerSpectrum, TimeRebin};
pub use energy::{Band, EnergyKind, EnergyOptions, EnergySpectrum};
pub use fad::{FadMetadata, FadOptions, FadSpectrum};
pub use noise::NoiseLevel;
pub use norm::Norm;
pub use power::{AveragedPowerSpectrum, PowerMetadata, PowerOptions};
pub use power_bands::{BandRms, PulsationLimit};
pub use rebin::Rebin;
pub use significance::{DetectionLevel, SignificantBin};

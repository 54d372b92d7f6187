//! The analyses: options in, a product out, one file each.

mod bispectrum;
mod cross;
mod dynamical;
mod energy;
mod fad;
mod fold;
mod histogram;
mod light_curve;
mod lomb_scargle;
mod multitaper;
pub(super) mod power;
mod search;

pub use bispectrum::{BispectrumOfCumulants, BispectrumOfPairs};
pub use cross::CrossSpectrum;
pub use dynamical::{DynamicalCross, DynamicalSpectrum};
pub use energy::EnergyDependence;
pub use fad::AmplitudeDifference;
pub use fold::{ArrivalTimes, Fold, FoldInTime, PhaseEpoch};
pub use histogram::Counting;
pub use light_curve::Binning;
pub use lomb_scargle::{LombScargle, LombScargleCross};
pub use multitaper::Multitaper;
pub use power::PowerSpectrum;

pub use search::{AccelerationSearch, PulseSearch};

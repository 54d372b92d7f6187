//! The columns of spectra, declared once: name, unit, meaning, formula, source. Formulas are explained where they are computed.

mod bispectrum;
mod cross;
mod dynamical;
mod energy;
mod fad;
mod frequency;
mod power;

pub use bispectrum::{BISPECTRUM, CUMULANT_BISPECTRUM};
pub use cross::{CROSS_POWERS, CROSS_SPECTRUM};
pub use dynamical::{DYNAMICAL_CROSS, DYNAMICAL_POWER, FREQUENCIES, TIMES};
pub use energy::ENERGY_SPECTRUM;
pub(crate) use energy::energy_columns;
pub use fad::FAD_SPECTRUM;
pub use power::{POWER_SPECTRUM, SHIFTED_POWER};

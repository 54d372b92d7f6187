//! The columns of spectra, declared once: name, unit, meaning, formula, source. Formulas are explained where they are computed.

mod bispectrum;
mod cross;
mod dynamical;
mod energy;
mod fad;
mod frequency;
mod power;

use crate::data::product::ProductKind;

pub use bispectrum::{BISPECTRUM, CUMULANT_BISPECTRUM};
pub use cross::{CROSS_POWERS, CROSS_SPECTRUM};
pub use dynamical::{DYNAMICAL_CROSS, DYNAMICAL_POWER, FREQUENCIES, TIMES};
pub use energy::ENERGY_SPECTRUM;
pub(crate) use energy::energy_columns;
pub use fad::FAD_SPECTRUM;
pub use power::{POWER_SPECTRUM, SHIFTED_POWER};

/// The kinds of products of this room.
pub static KINDS: &[&ProductKind] = &[
    &POWER_SPECTRUM,
    &CROSS_SPECTRUM,
    &CROSS_POWERS,
    &FAD_SPECTRUM,
    &ENERGY_SPECTRUM,
    &DYNAMICAL_POWER,
    &DYNAMICAL_CROSS,
    &SHIFTED_POWER,
    &BISPECTRUM,
    &CUMULANT_BISPECTRUM,
];

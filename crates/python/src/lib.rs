//! The extension module `eagleray._eagleray`: what Python needs of the library, in its simplest form. The words that users see are
//! in `python/eagleray`.

// Functions that Python calls take their arguments as they come.
#![allow(clippy::needless_pass_by_value)]

mod analyses;
mod convert;
mod errors;
mod observation;
mod product;
mod seams;
mod session;
mod simulate;
mod statistics;
mod stream;

use pyo3::prelude::*;

#[pymodule]
mod _eagleray {
    #[pymodule_export]
    use super::analyses::counts::{bin, light_curve};
    #[pymodule_export]
    use super::analyses::dependence::{dynamical_cross, dynamical_spectrum, energy_spectrum};
    #[pymodule_export]
    use super::analyses::pulsations::{accel, fold, phaseogram, search, toas};
    #[pymodule_export]
    use super::analyses::spectra::{
        bispectrum, cross_spectrum, cumulant_bispectrum, fad, lomb_scargle, lomb_scargle_cross, multitaper,
        power_spectrum,
    };
    #[pymodule_export]
    use super::observation::{Observation, binned, facts, light_curves, open, pair, times};
    #[pymodule_export]
    use super::product::{Product, join, kinds, read};
    #[pymodule_export]
    use super::seams::seams;
    #[pymodule_export]
    use super::session::{Session, devices};
    #[pymodule_export]
    use super::simulate::simulate;
    #[pymodule_export]
    use super::statistics::{amplitude, p_to_power, poisson, power_to_p};
    #[pymodule_export]
    use super::stream::{CrossFeed, PowerFeed};

    /// The version of the library.
    #[allow(non_upper_case_globals)]
    #[pymodule_export]
    const __version__: &str = env!("CARGO_PKG_VERSION");
}

//! The seams of Stingray: its functions that are replaced, one for each kind of work, in f64 and by its rules. They return sums; what
//! Stingray makes of sums, Stingray makes.

mod bands;
mod calls;
mod convolution;
mod counters;
mod exposure;
mod folding;
mod histogram;
mod norm;
mod parallel;
mod series;
mod spectra;
mod transform;

use pyo3::prelude::*;

/// The seams of Stingray.
#[pymodule(submodule)]
pub mod seams {
    #[pymodule_export]
    use super::bands::{band_sizes, bands};
    #[pymodule_export]
    use super::calls::{Crosses, Powers};
    #[pymodule_export]
    use super::convolution::convolve;
    #[pymodule_export]
    use super::counters::{answered, fallen_back, fell_back, forget, names};
    #[pymodule_export]
    use super::folding::fold;
    #[pymodule_export]
    use super::histogram::histogram;
    use super::parallel::remember_process;
    use pyo3::prelude::*;

    #[pymodule_init]
    fn init(_module: &Bound<'_, PyModule>) -> PyResult<()> {
        remember_process();
        Ok(())
    }
}

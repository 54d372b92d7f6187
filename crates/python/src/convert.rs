//! Values of Python as values of the library.

use eagleray::Error;
use eagleray::internal::Choice;
use eagleray::science::{NoiseLevel, Rebin};
use pyo3::prelude::*;

use crate::errors::exception;

/// A value of an enum by its name.
pub struct Named<T>(pub T);

impl<'py, T> FromPyObject<'_, 'py> for Named<T>
where
    T: Choice + std::str::FromStr<Err = Error>,
{
    type Error = PyErr;

    fn extract(given: Borrowed<'_, 'py, PyAny>) -> PyResult<Named<T>> {
        let name: String = given.extract()?;
        name.parse().map(Named).map_err(exception)
    }
}

/// How frequencies are combined: an integer K, a growth F, or neither.
pub fn rebinning(rebin: Option<usize>, rebin_log: Option<f64>) -> PyResult<Rebin> {
    match (rebin, rebin_log) {
        (Some(_), Some(growth)) => {
            let message = "cannot be had together with rebin: leave one of them out";
            Err(exception(Error::argument("rebin_log", growth, message)))
        }
        (Some(by), None) => Ok(Rebin::Linear(by)),
        (None, Some(growth)) => Ok(Rebin::Geometric(growth)),
        (None, None) => Ok(Rebin::None),
    }
}

/// A noise level: `"poisson"`, `"none"`, a number in the normalisation of the powers, or a band (lo, hi) in Hz.
pub struct Noise(pub NoiseLevel);

impl<'py> FromPyObject<'_, 'py> for Noise {
    type Error = PyErr;

    fn extract(given: Borrowed<'_, 'py, PyAny>) -> PyResult<Noise> {
        if let Ok(name) = given.extract::<String>() {
            return match name.as_str() {
                "poisson" => Ok(Noise(NoiseLevel::Poisson)),
                "none" => Ok(Noise(NoiseLevel::None)),
                _ => Err(exception(Error::argument(
                    "noise",
                    name,
                    "is none of 'poisson', 'none', a level, and (lo, hi) in Hz",
                ))),
            };
        }
        if let Ok((lo, hi)) = given.extract::<(f64, f64)>() {
            return Ok(Noise(NoiseLevel::Band(lo, hi)));
        }
        given.extract::<f64>().map(|level| Noise(NoiseLevel::Value(level)))
    }
}

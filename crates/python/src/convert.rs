//! Values of Python as values of the library.

use eagleray::Error;
use eagleray::internal::Choice;
use eagleray::science::{NoiseLevel, Rebin};
use pyo3::exceptions::PyTypeError;
use pyo3::prelude::*;

use crate::errors::{exception, of_another_type};

/// The options of a function, gathered by name. What is wrong with one is said as the library says it, with the option's name.
pub struct Options<T>(pub T);

impl<T> std::ops::Deref for Options<T> {
    type Target = T;

    fn deref(&self) -> &T {
        &self.0
    }
}

impl<'a, 'py, T> FromPyObject<'a, 'py> for Options<T>
where
    T: FromPyObject<'a, 'py, Error = PyErr>,
{
    type Error = PyErr;

    fn extract(given: Borrowed<'a, 'py, PyAny>) -> PyResult<Options<T>> {
        T::extract(given).map(Options).map_err(|error| of_the_option(given.py(), error))
    }
}

/// The error of an option, without what the gathering of options put around it.
fn of_the_option(py: Python<'_>, error: PyErr) -> PyErr {
    let (mut innermost, mut option) = (error, None);
    while let Some(cause) = innermost.cause(py) {
        if !cause.is_instance_of::<PyTypeError>(py) {
            return cause;
        }
        // What is around it ends with `Struct.option`.
        let around = innermost.value(py).to_string();
        option = around.rsplit('.').next().map(str::to_string);
        innermost = cause;
    }
    let message = innermost.value(py).to_string();
    of_another_type(py, option, message)
}

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

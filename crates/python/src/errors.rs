//! Errors of the library as Python's exceptions, which `eagleray._errors` declares.

use eagleray::Error;
use pyo3::prelude::*;
use pyo3::types::PyDict;

/// The code of an error, stable, by which programs tell them apart.
fn code(error: &Error) -> &'static str {
    match error {
        Error::Io { .. } => "io",
        Error::Format { .. } => "format",
        Error::Gti { .. } => "gti",
        Error::NoSegments { .. } => "no-segments",
        Error::Input { .. } => "input",
        Error::NoEvents { .. } => "no-events",
        Error::Argument { .. } => "argument",
        Error::Memory { .. } => "memory",
        Error::Cancelled => "cancelled",
        Error::Strict(_) => "strict",
        Error::Backend(_) => "device",
        Error::Merge(_) => "merge",
        _ => "other",
    }
}

/// The exception for an error of the library.
pub fn exception(error: Error) -> PyErr {
    Python::attach(|py| {
        let make = || -> PyResult<PyErr> {
            let parts = PyDict::new(py);
            let file = match &error {
                Error::Io { path, .. } | Error::Format { path, .. } | Error::Gti { path, .. } => Some(path.as_str()),
                _ => None,
            };
            let errno = match &error {
                Error::Io { source, .. } => source.raw_os_error(),
                _ => None,
            };
            let (field, value) = error.field().map_or((None, None), |(f, v)| (Some(f.to_string()), Some(v)));
            parts.set_item("code", code(&error))?;
            parts.set_item("file", file)?;
            parts.set_item("errno", errno)?;
            parts.set_item("field", field)?;
            parts.set_item("value", value)?;
            parts.set_item("message", error.to_string())?;
            let made = py.import("eagleray._errors")?.call_method1("from_parts", (parts,))?;
            Ok(PyErr::from_value(made))
        };
        make().unwrap_or_else(|failed| failed)
    })
}

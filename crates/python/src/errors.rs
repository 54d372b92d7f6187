//! Errors of the library as Python's exceptions, which `eagleray._errors` declares.

use eagleray::Error;
use eagleray::error::Mend;
use pyo3::prelude::*;
use pyo3::types::PyDict;

/// The number that systems have for a file that exists.
const EEXIST: i32 = 17;

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
                // What the library itself refuses to replace has no number of the system.
                Error::Io { source, .. } if source.kind() == std::io::ErrorKind::AlreadyExists => Some(EEXIST),
                Error::Io { source, .. } => source.raw_os_error(),
                _ => None,
            };
            let (field, value) = error.field().map_or((None, None), |(f, v)| (Some(f.to_string()), Some(v)));
            parts.set_item("code", code(&error))?;
            parts.set_item("file", file)?;
            parts.set_item("errno", errno)?;
            parts.set_item("field", field)?;
            parts.set_item("value", value)?;
            let set = |mend: &Mend| -> Vec<(&str, Option<String>)> {
                mend.settings.iter().map(|setting| (setting.field, setting.value.clone())).collect()
            };
            let mends: Vec<_> = error.mend().iter().map(|mend| (set(mend), mend.effect.clone())).collect();
            parts.set_item("reason", error.reason())?;
            parts.set_item("mend", mends)?;
            parts.set_item("message", error.to_string())?;
            let made = py.import("eagleray._errors")?.call_method1("from_parts", (parts,))?;
            Ok(PyErr::from_value(made))
        };
        make().unwrap_or_else(|failed| failed)
    })
}

/// The exception for a value of a type that an option does not take.
pub fn of_another_type(py: Python<'_>, option: Option<String>, message: String) -> PyErr {
    let made =
        py.import("eagleray._errors").and_then(|errors| errors.call_method1("of_another_type", (option, message)));
    made.map_or_else(|failed| failed, PyErr::from_value)
}

/// What is wrong with good time intervals that are an option, and not those of a file.
pub fn of_option(field: &'static str) -> impl Fn(Error) -> Error {
    move |error| match error {
        Error::Gti { message, mend, .. } => Error::argument(field, "", message).mended_by(mend),
        other => other,
    }
}

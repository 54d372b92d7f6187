//! What mends an error or a warning: settings, by the names of the library's fields. Programs show them by names of their own.

use std::fmt::{self, Display};

/// A field and, where one is known, the value to give it.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct Setting {
    /// Name of the field; of one inside another, both: `dead_time.detectors`.
    pub field: &'static str,
    /// The value; none where the caller knows best.
    pub value: Option<String>,
}

/// Settings that together mend an error, or what a warning is about.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct Mend {
    /// What to set, one field at least.
    pub settings: Vec<Setting>,
    /// What that does, where its names do not say it.
    pub effect: Option<String>,
}

impl Mend {
    /// Another value of a field, whichever it is.
    pub fn field(field: &'static str) -> Mend {
        Mend { settings: vec![Setting { field, value: None }], effect: None }
    }

    /// This value of a field.
    pub fn set(field: &'static str, value: impl Display) -> Mend {
        Mend { settings: vec![Setting { field, value: Some(value.to_string()) }], effect: None }
    }

    /// Sets another field, too.
    #[must_use]
    pub fn and(mut self, field: &'static str, value: impl Display) -> Mend {
        self.settings.push(Setting { field, value: Some(value.to_string()) });
        self
    }

    /// Adds a field, whatever value it is given.
    #[must_use]
    pub fn and_field(mut self, field: &'static str) -> Mend {
        self.settings.push(Setting { field, value: None });
        self
    }

    /// Says what the settings do.
    #[must_use]
    pub fn doing(self, effect: impl Into<String>) -> Mend {
        Mend { effect: Some(effect.into()), ..self }
    }
}

impl Display for Setting {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match &self.value {
            Some(value) => write!(f, "{} = {value}", self.field),
            None => f.write_str(self.field),
        }
    }
}

impl Display for Mend {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (i, setting) in self.settings.iter().enumerate() {
            write!(f, "{}{setting}", if i > 0 { " with " } else { "" })?;
        }
        self.effect.iter().try_for_each(|effect| write!(f, " ({effect})"))
    }
}

/// Ends a message with what mends it.
pub(crate) fn append(f: &mut fmt::Formatter<'_>, mend: &[Mend]) -> fmt::Result {
    mend.iter().enumerate().try_for_each(|(i, one)| match i {
        0 => write!(f, "; what mends it: {one}"),
        _ => write!(f, ", {one}"),
    })
}

//! Warnings with codes: each is printed once with a count and recorded in the product.

use serde::Serialize;

/// A warning.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Warning {
    /// Stable code, for example `W-GTI-OVERLAP`.
    pub code: &'static str,
    /// What was found, where, and what was done about it.
    pub message: String,
    /// How many times it happened.
    pub count: u64,
}

/// The warnings of one run, one entry for each code and message.
#[derive(Clone, Debug, Default, PartialEq, Serialize)]
#[serde(transparent)]
pub struct Warnings {
    list: Vec<Warning>,
}

impl Warnings {
    /// Records a warning that happened once.
    pub fn push(&mut self, code: &'static str, message: impl Into<String>) {
        self.add(code, message, 1);
    }

    /// Records a warning that happened `count` times; a count of zero records nothing.
    pub fn add(&mut self, code: &'static str, message: impl Into<String>, count: u64) {
        if count == 0 {
            return;
        }
        let message = message.into();
        match self.list.iter_mut().find(|w| w.code == code && w.message == message) {
            Some(known) => known.count += count,
            None => self.list.push(Warning { code, message, count }),
        }
    }

    /// Adds all warnings of another run.
    pub fn extend(&mut self, other: Warnings) {
        for w in other.list {
            self.add(w.code, w.message, w.count);
        }
    }

    /// The warnings of this list that are not in `told` with the same count: what has not been printed yet.
    pub fn except(&self, told: &Warnings) -> Warnings {
        Warnings { list: self.iter().filter(|w| !told.list.contains(w)).cloned().collect() }
    }

    /// The warnings, in order of first appearance.
    pub fn iter(&self) -> impl Iterator<Item = &Warning> {
        self.list.iter()
    }

    /// True if there is no warning.
    pub fn is_empty(&self) -> bool {
        self.list.is_empty()
    }
}

impl std::fmt::Display for Warning {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "{}: {}", self.code, self.message)?;
        if self.count > 1 {
            write!(f, " ({} times)", self.count)?;
        }
        Ok(())
    }
}

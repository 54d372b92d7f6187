//! Coded warnings: printed once with a count, recorded in the product.

use std::borrow::Cow;
use std::collections::HashMap;

use serde::{Deserialize, Serialize};

use super::mend::{self, Mend};

/// One kind of warning, as users and scripts see it.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[non_exhaustive]
pub struct Warning {
    /// Stable code, for example `W-GTI-OVERLAP`.
    pub code: Cow<'static, str>,
    /// What was found, where, and what was done about it.
    pub message: String,
    /// How many times it happened.
    pub count: u64,
    /// Settings that would mend what it is about, each by itself; not recorded.
    #[serde(skip)]
    pub mend: Vec<Mend>,
}

impl Warning {
    /// What happened once.
    pub fn new(code: &'static str, message: impl Into<String>) -> Warning {
        Warning { code: code.into(), message: message.into(), count: 1, mend: Vec::new() }
    }

    /// With what would mend it.
    #[must_use]
    pub fn mended_by(mut self, more: impl IntoIterator<Item = Mend>) -> Warning {
        self.mend.extend(more);
        self
    }

    /// All that it says, but for [`Warning::mend`] and [`Warning::times`].
    pub fn reason(&self) -> String {
        format!("{}: {}", self.code, self.message)
    }

    /// How often it happened, as the end of a line: nothing for once.
    pub fn times(&self) -> String {
        if self.count > 1 { format!(" ({} times)", self.count) } else { String::new() }
    }
}

/// The warnings of one run, one entry for each code and message.
#[derive(Clone, Debug, Default, Serialize, Deserialize)]
#[serde(transparent)]
pub struct Warnings {
    list: Vec<Warning>,
    /// Places in the list by code and message, once there are many: a list of files may warn of each.
    #[serde(skip)]
    places: HashMap<(Cow<'static, str>, String), usize>,
}

/// Entries up to which a list is looked through.
const FEW: usize = 32;

impl PartialEq for Warnings {
    fn eq(&self, other: &Warnings) -> bool {
        self.list == other.list
    }
}

impl Warnings {
    /// Records a warning that happened once.
    pub fn push(&mut self, code: &'static str, message: impl Into<String>) {
        self.add(code, message, 1);
    }

    /// Records a warning that happened `count` times; a count of zero records nothing.
    pub fn add(&mut self, code: &'static str, message: impl Into<String>, count: u64) {
        self.record(Warning { count, ..Warning::new(code, message) });
    }

    /// Records a warning; a count of zero records nothing.
    pub fn record(&mut self, warning: Warning) {
        if warning.count == 0 {
            return;
        }
        match self.place(&warning).and_then(|place| self.list.get_mut(place)) {
            Some(known) => known.count += warning.count,
            None => self.list.push(warning),
        }
    }

    /// Where the entry of this code and message is.
    fn place(&mut self, warning: &Warning) -> Option<usize> {
        if self.list.len() <= FEW {
            return self.list.iter().position(|w| w.code == warning.code && w.message == warning.message);
        }
        // Entries are only ever appended.
        for (place, known) in self.list.iter().enumerate().skip(self.places.len()) {
            self.places.entry((known.code.clone(), known.message.clone())).or_insert(place);
        }
        self.places.get(&(warning.code.clone(), warning.message.clone())).copied()
    }

    /// Adds all warnings of another run.
    pub fn extend(&mut self, other: Warnings) {
        other.list.into_iter().for_each(|warning| self.record(warning));
    }

    /// The warnings of this list that are not in `told` with the same count: what has not been printed yet.
    #[must_use]
    pub fn except(&self, told: &Warnings) -> Warnings {
        let mut told = told.clone();
        let mut is_told = |warning: &Warning| match told.place(warning) {
            Some(place) => told.list.get(place) == Some(warning),
            None => false,
        };
        Warnings { list: self.iter().filter(|w| !is_told(w)).cloned().collect(), ..Warnings::default() }
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
        f.write_str(&self.reason())?;
        mend::append(f, &self.mend)?;
        f.write_str(&self.times())
    }
}

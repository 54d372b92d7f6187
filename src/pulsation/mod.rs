//! Pulsations: folding at a known frequency, and searches for an unknown one.
//!
//! [`PulseEvents`] holds times in exact ticks; [`Ephemeris`] says when a source is at which phase. [`search`] tries a [`grid`] of
//! frequencies and derivatives, by [`harmonics`] (all frequencies of a row at once, unbinned) or by [`trials`] (profiles of every trial,
//! exact, on any device), and [`candidates`] makes a ranked list of what stands out. [`fold`] makes the profile of one
//! ephemeris, [`toas`] the times of arrival of its pulses by [`fftfit`]. Definitions, bounds and what each may miss: `docs/pulsations.md`.

pub mod candidates;
pub mod exposure;
pub mod fftfit;
pub mod fold;
pub mod fraction;
pub mod grid;
pub mod harmonics;
pub mod search;
pub mod toas;
pub mod trials;

pub use crate::phase::Ephemeris;
pub use crate::pipeline::PulseEvents;
pub use candidates::Candidate;
pub use fftfit::Template;
pub use fold::{FoldOptions, Profile, fold};
pub use grid::Grid;
pub use search::{Algorithm, Method, Search, SearchOptions, search};
pub use toas::{Toa, Toas, toas};

/// A time of the frame as MJD; for display only.
fn mjd(events: &PulseEvents, seconds: f64) -> Option<f64> {
    events.mjdref.map(|epoch| epoch.value() + seconds / crate::time::SECONDS_PER_DAY)
}

//! Pulsations: folding at a known frequency, and searches for an unknown one.
//!
//! [`PulseEvents`] holds times in exact ticks; an [`Ephemeris`] gives the phase at a time. [`search()`] tries a
//! [`grid`] of frequencies and derivatives, by [`harmonics`] (all frequencies of a row at once, unbinned) or by
//! profiles of every trial (`profile_counter`, exact, on any device). [`pdm()`] tries the grid on the samples of
//! light curves, by phase dispersion. [`accel()`] finds frequencies that drift, by matched filters in one transform,
//! and `ffa` long periods, by sums of whole numbers. [`candidates`] makes a ranked list of the peaks. [`fold()`]
//! makes the profile of one ephemeris, [`toas()`] the times of arrival of its pulses. Definitions, bounds and what each
//! search may miss: `docs/pulsations.md`.

pub mod accel;
mod amplitudes;
mod best_rows;
mod brightness;
pub mod candidate;
pub mod candidates;
pub mod columns;
mod drifting;
pub mod exposure;
mod ffa;
pub mod fold;
pub mod grid;
pub mod harmonics;
pub mod pdm;
mod profile_counter;
mod read;
mod refine;
mod relations;
mod scores;
pub mod search;
mod search_options;
pub mod search_result;
pub mod statistics;
mod template_plan;
pub mod toas;
mod tones;
mod window;

pub use super::{PulseEvents, PulseSamples};
pub use crate::data::phase::Ephemeris;
pub use crate::science::pulsation::fftfit::PulseTemplate;
pub use accel::{AccelOptions, accel};
pub use candidate::{Candidate, Relation};
pub use columns::ProfileBands;
pub use fold::{FoldOptions, PulseProfile, fold};
pub use grid::TrialGrid;
pub use pdm::pdm;
pub use search::search;
pub use search_options::{Algorithm, SearchOptions};
pub use search_result::{SearchMetadata, SearchResult};
pub use statistics::SearchStatistic;
pub use toas::{Toa, Toas, toas};

/// A time of the frame as MJD; for display only.
fn mjd(events: &PulseEvents, seconds: f64) -> Option<f64> {
    events.mjdref.map(|epoch| epoch.value() + seconds / crate::base::time::SECONDS_PER_DAY)
}

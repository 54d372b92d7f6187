//! Formulas of pulsations: shifts of profiles, pulsed fractions, responses of drifting frequencies.

pub mod fftfit;
pub mod fraction;
pub mod templates;

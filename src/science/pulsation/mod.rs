//! Formulas of pulsations: shifts of profiles, pulsed fractions, errors of frequencies, responses of drifting ones.

pub mod fftfit;
pub mod fraction;
pub mod precision;
pub mod templates;

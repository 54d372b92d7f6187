//! The analyses, each a function of a session, an observation, and the options that the modules of `eagleray` gather.

pub mod counts;
pub mod dependence;
pub mod pulsations;
pub mod spectra;

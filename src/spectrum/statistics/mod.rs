//! Statistics of powers and counts, in log space: probabilities keep their digits far below the smallest f64.
//!
//! Functions return the natural logarithm of a probability; none allocates, fails or depends on a device. Arguments outside a
//! function's domain give NaN.

pub mod beta;
pub mod chi_square;
pub mod detection;
pub mod dispersion;
mod gamma;
pub mod normal;
pub mod poisson;
pub mod pulse;
pub mod pulsed;

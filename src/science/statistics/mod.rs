//! Statistics of powers and counts, in log space: probabilities keep their digits far below the smallest f64.
//!
//! Functions return the natural logarithm of a probability; none allocates, fails or depends on a device. Arguments outside a
//! function's domain give NaN. [`answers`] puts them together.

pub mod answers;
pub mod average;
pub mod detection;
pub mod dispersion;
pub mod profile;
pub mod pulse;
pub mod pulsed;

pub use crate::numerics::{beta, chi_square, normal, poisson};

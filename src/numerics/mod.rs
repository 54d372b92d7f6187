//! Pure f64 mathematics: special functions, Fourier transforms and their frequencies, sums at uneven times, tapers.

pub mod beta;
pub mod chi_square;
pub mod fft;
pub mod gamma;
mod gamma_inverse;
pub mod nonuniform;
pub mod normal;
pub mod phasor;
pub mod poisson;
pub mod precision;
pub mod root;
pub mod tapers;

pub use precision::Precision;

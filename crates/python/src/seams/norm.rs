//! Normalisation of single segments, where each is normalised by its own mean.

use numpy::Complex64;
use pyo3::exceptions::PyValueError;
use pyo3::prelude::*;

/// Normalisations of Stingray.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Norm {
    Leahy,
    Frac,
    Abs,
    None,
}

/// What is kept of complex powers.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Kept {
    All,
    Real,
    Modulus,
}

/// How segments are normalised.
#[derive(Clone, Copy)]
pub struct Own {
    norm: Norm,
    kept: Kept,
    dt: f64,
}

/// What the factor of a segment comes of.
#[derive(Clone, Copy)]
pub struct Level {
    /// The sum of its values.
    pub photons: Complex64,
    /// The square of the mean error.
    pub variance: Option<Complex64>,
}

impl Own {
    /// By the words of Stingray.
    pub fn new(norm: &str, power_type: &str, dt: f64) -> PyResult<Own> {
        let norm = match norm {
            "leahy" => Norm::Leahy,
            "frac" => Norm::Frac,
            "abs" => Norm::Abs,
            "none" => Norm::None,
            _ => return Err(PyValueError::new_err("Unknown value for the norm")),
        };
        let kept = match power_type {
            "all" => Kept::All,
            "real" => Kept::Real,
            "abs" | "absolute" => Kept::Modulus,
            _ => return Err(PyValueError::new_err("Unrecognized power type")),
        };
        Ok(Own { norm, kept, dt })
    }

    /// Whether a segment cannot be normalised.
    pub fn impossible(&self, level: Level) -> bool {
        self.norm == Norm::Leahy && level.variance == Some(Complex64::ZERO)
    }

    /// A power of a segment of `n` bins, normalised.
    pub fn power(&self, unnormalised: Complex64, factor: Complex64) -> Complex64 {
        let power = if factor.im == 0.0 { unnormalised * factor.re } else { unnormalised * factor };
        match self.kept {
            Kept::All => power,
            Kept::Real => power.re.into(),
            Kept::Modulus => power.norm().into(),
        }
    }

    /// What the powers of a segment of `n` bins are multiplied by.
    pub fn factor(&self, level: Level, n: usize) -> Complex64 {
        let n = n as f64;
        let mean = level.photons / n;
        match (self.norm, level.variance) {
            (Norm::Leahy, Some(variance)) => quotient(2.0, variance * n),
            (Norm::Leahy, None) => quotient(2.0, level.photons),
            (Norm::Frac, _) => quotient(2.0 * self.dt, mean * mean * n),
            (Norm::Abs, _) => (2.0 / n / self.dt).into(),
            (Norm::None, _) => Complex64::ONE,
        }
    }
}

/// A quotient that is real where both are.
fn quotient(above: f64, below: Complex64) -> Complex64 {
    if below.im == 0.0 { (above / below.re).into() } else { Complex64::from(above) / below }
}

/// The geometric mean, as numpy takes it: of real numbers none where their product is negative.
pub fn geometric(a: Complex64, b: Complex64) -> Complex64 {
    let product = a * b;
    if a.im == 0.0 && b.im == 0.0 { product.re.sqrt().into() } else { product.sqrt() }
}

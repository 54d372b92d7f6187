//! Precision of transforms.

use crate::base::choice::choice;
use rustfft::num_complex::Complex;

/// Precision of the transforms and sums on a device.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum Precision {
    /// f32, which every device has.
    Single,
    /// f64, which the CPU and some GPUs have.
    Double,
}

choice!(Precision, "precision": Single = "single", Double = "double");

impl Precision {
    /// Size of a complex number, bytes.
    pub const fn complex_bytes(self) -> u32 {
        match self {
            Precision::Single => 8,
            Precision::Double => 16,
        }
    }

    /// The bytes of complex numbers, as a device of this precision reads them.
    pub fn bytes(self, values: &[Complex<f64>]) -> Vec<u8> {
        let mut bytes = Vec::with_capacity(self.complex_bytes() as usize * values.len());
        for x in values.iter().flat_map(|z| [z.re, z.im]) {
            match self {
                Precision::Single => bytes.extend((x as f32).to_le_bytes()),
                Precision::Double => bytes.extend(x.to_le_bytes()),
            }
        }
        bytes
    }

    /// A complex number rounded to this precision.
    pub fn rounded(self, z: Complex<f64>) -> Complex<f64> {
        match self {
            Precision::Single => Complex::new(f64::from(z.re as f32), f64::from(z.im as f32)),
            Precision::Double => z,
        }
    }

    /// Real numbers from the bytes that a device of this precision wrote.
    pub fn reals(self, bytes: &[u8]) -> Vec<f64> {
        match self {
            Precision::Single => bytes.as_chunks::<4>().0.iter().map(|b| f64::from(f32::from_le_bytes(*b))).collect(),
            Precision::Double => bytes.as_chunks::<8>().0.iter().map(|b| f64::from_le_bytes(*b)).collect(),
        }
    }
}

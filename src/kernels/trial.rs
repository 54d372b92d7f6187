//! What a kernel is tried on: reproducible cases, and the comparison of what came out.

use rustfft::num_complex::Complex;

use super::{Job, Limits};

/// Size of a case. Kernels use what concerns them.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Shape {
    /// Samples or bins a row.
    pub n: usize,
    /// Rows (segments).
    pub rows: usize,
    /// Events in all.
    pub events: usize,
}

/// Kind of input.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Data {
    /// What a detector delivers.
    Random,
    /// The values that break careless code: bin edges and one ulp beside them, subnormals, huge means, lone peaks.
    Hostile,
}

/// Arithmetic of what is compared with the f64 reference.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Precision {
    /// f32, as on every device.
    Single,
    /// f64, as on the CPU and on devices that have it.
    Double,
}

impl Precision {
    /// Bytes of a complex number.
    pub const fn complex_bytes(self) -> u32 {
        match self {
            Precision::Single => 8,
            Precision::Double => 16,
        }
    }

    /// Complex numbers as a device of this precision reads them.
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

    /// A complex number as a device of this precision has it.
    pub fn rounded(self, z: Complex<f64>) -> Complex<f64> {
        match self {
            Precision::Single => Complex::new(f64::from(z.re as f32), f64::from(z.im as f32)),
            Precision::Double => z,
        }
    }

    /// Real numbers as a device of this precision wrote them.
    pub fn reals(self, bytes: &[u8]) -> Vec<f64> {
        match self {
            Precision::Single => bytes.as_chunks::<4>().0.iter().map(|b| f64::from(f32::from_le_bytes(*b))).collect(),
            Precision::Double => bytes.as_chunks::<8>().0.iter().map(|b| f64::from_le_bytes(*b)).collect(),
        }
    }
}

/// Results of a trial: all of them, or those at sampled places where the definition is quadratic.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Values {
    /// Places of the values, in ascending order; `None`: 0, 1, ….
    pub at: Option<Vec<usize>>,
    /// The values.
    pub values: Vec<f64>,
}

/// One case of one kernel.
pub trait Trial {
    /// The definition in scalar f64.
    fn reference(&self) -> Values;
    /// The CPU's production path; every value.
    fn cpu(&self) -> Values;
    /// The device's work.
    fn job(&self, limits: &Limits) -> Job;
    /// The values in what a device read back.
    fn decode(&self, outputs: &[Vec<u8>]) -> Values;
    /// Largest error allowed at place `index`, given the values expected.
    fn tolerance(&self, expected: &Values, precision: Precision) -> Box<dyn Fn(usize) -> f64>;
    /// Changes one parameter of a job, so that its result is wrong.
    fn perturb(&self, job: &mut Job);
    /// The device's arithmetic.
    fn precision(&self) -> Precision {
        Precision::Single
    }
    /// Names of the pipelines that must run, in order.
    fn pipelines(&self, limits: &Limits) -> Vec<&'static str>;

    /// Compares `got`, which holds every value, with what was expected.
    fn compare(&self, expected: &Values, got: &Values, precision: Precision) -> Comparison {
        let bound = self.tolerance(expected, precision);
        let mut result = Comparison { compared: expected.values.len(), ..Comparison::default() };
        for (i, &e) in expected.values.iter().enumerate() {
            let index = expected.at.as_ref().map_or(i, |at| at[i]);
            let Some(&g) = got.values.get(index) else {
                result.wrong += 1;
                result.first_bad.get_or_insert(index);
                continue;
            };
            let (error, bound) = ((g - e).abs(), bound(i));
            let within = error <= bound;
            if !within {
                result.wrong += 1;
                result.first_bad.get_or_insert(index);
            }
            let ratio = if error == 0.0 { 0.0 } else { error / bound };
            if ratio.is_nan() || ratio > result.worst {
                result.worst = ratio;
            }
        }
        if expected.at.is_none() && got.values.len() != expected.values.len() {
            result.first_bad.get_or_insert(expected.values.len());
        }
        result
    }
}

/// Outcome of a comparison.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub struct Comparison {
    /// Values compared.
    pub compared: usize,
    /// Largest error in units of its bound (infinite where the bound is 0).
    pub worst: f64,
    /// Values whose error exceeds their bound.
    pub wrong: usize,
    /// First place where the error exceeds its bound.
    pub first_bad: Option<usize>,
}

/// The 32-bit values of some outputs, one output after the other.
pub(super) fn words<T: Into<f64>>(outputs: &[Vec<u8>], value: fn([u8; 4]) -> T) -> Values {
    let words = outputs.iter().flat_map(|bytes| bytes.as_chunks::<4>().0);
    Values { at: None, values: words.map(|&word| value(word).into()).collect() }
}

/// SplitMix64 (Steele et al. 2014, doi:10.1145/2660193.2660195): small, reproducible, good enough for test data.
pub struct Random(u64);

impl Random {
    /// A stream of its own for each seed.
    pub fn new(seed: u64) -> Random {
        Random(seed.wrapping_mul(0xD134_2543_DE82_EF95) ^ 0x5851_F42D_4C95_7F2D)
    }

    /// 64 random bits.
    pub fn bits(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9E37_79B9_7F4A_7C15);
        let z = (self.0 ^ (self.0 >> 30)).wrapping_mul(0xBF58_476D_1CE4_E5B9);
        let z = (z ^ (z >> 27)).wrapping_mul(0x94D0_49BB_1331_11EB);
        z ^ (z >> 31)
    }

    /// Uniform in 0 ≤ x < 1.
    pub fn uniform(&mut self) -> f64 {
        (self.bits() >> 11) as f64 * 2f64.powi(-53)
    }

    /// Uniform in 0 … n − 1, n ≥ 1.
    pub fn below(&mut self, n: usize) -> usize {
        ((u128::from(self.bits()) * n as u128) >> 64) as usize
    }

    /// One of the values.
    pub fn pick<T: Copy>(&mut self, values: &[T]) -> T {
        values[self.below(values.len())]
    }

    /// Mean 0, variance 1, nearly normal: the sum of twelve uniforms.
    pub fn normal(&mut self) -> f64 {
        (0..12).map(|_| self.uniform()).sum::<f64>() - 6.0
    }
}

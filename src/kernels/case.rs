//! What a kernel is tried on: reproducible cases, and the comparison of what came out.

use super::job::Job;
use super::limits::Limits;
use crate::numerics::Precision;

/// Size of a case. Kernels use what concerns them.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct CaseShape {
    /// Samples or bins a row.
    pub n: usize,
    /// Rows (segments).
    pub rows: usize,
    /// Events in all.
    pub events: usize,
}

/// Kind of input.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum CaseData {
    /// What a detector delivers.
    Random,
    /// The values that break careless code: bin edges and one ulp beside them, subnormals, huge means, lone peaks.
    Hostile,
}

/// Results of a case: all of them, or those at sampled places where the definition is quadratic.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct CaseValues {
    /// Places of the values, in ascending order; `None`: 0, 1, ….
    pub at: Option<Vec<usize>>,
    /// The values.
    pub values: Vec<f64>,
}

/// One case of one kernel.
pub trait KernelCase {
    /// The definition in scalar f64.
    fn reference(&self) -> CaseValues;
    /// The CPU's production path; every value.
    fn cpu(&self) -> CaseValues;
    /// The device's work.
    fn job(&self, limits: &Limits) -> Job;
    /// The values in what a device read back.
    fn decode(&self, outputs: &[Vec<u8>]) -> CaseValues;
    /// Largest error allowed at place `index`, given the values expected.
    fn tolerance(&self, expected: &CaseValues, precision: Precision) -> Box<dyn Fn(usize) -> f64>;
    /// Changes one parameter of a job, so that its result is wrong.
    fn perturb(&self, job: &mut Job);
    /// The device's arithmetic.
    fn precision(&self) -> Precision {
        Precision::Single
    }
    /// Names of the pipelines that must run, in order.
    fn pipelines(&self, limits: &Limits) -> Vec<&'static str>;

    /// Compares `got`, which holds every value, with what was expected.
    fn compare(&self, expected: &CaseValues, got: &CaseValues, precision: Precision) -> Comparison {
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
pub(super) fn words<T: Into<f64>>(outputs: &[Vec<u8>], value: fn([u8; 4]) -> T) -> CaseValues {
    let words = outputs.iter().flat_map(|bytes| bytes.as_chunks::<4>().0);
    CaseValues { at: None, values: words.map(|&word| value(word).into()).collect() }
}

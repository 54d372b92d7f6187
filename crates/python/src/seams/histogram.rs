//! Histograms of equal bins.

use std::ops::Range;

use numpy::{IntoPyArray, PyArray1, PyReadonlyArray1};
use pyo3::exceptions::PyValueError;
use pyo3::prelude::*;

use super::counters::Seam;
use super::parallel::{Sum, add_to, sum, worth_it};

/// Values that one thread counts.
const PIECE: usize = 1 << 18;

/// Counts of some values.
struct Counts(Vec<f64>);

impl Sum for Counts {
    fn add(&mut self, after: Counts) {
        add_to(&mut self.0, &after.0);
    }
}

fn count(values: &[f64], weights: Option<&[f64]>, lo: f64, delta: f64, bins: usize) -> Vec<f64> {
    let mut counts = vec![0.0; bins];
    let n = bins as f64;
    match weights {
        None => {
            for value in values {
                let x = (value - lo) * delta;
                if x >= 0.0 && x < n {
                    counts[x as usize] += 1.0;
                }
            }
        }
        Some(weights) => {
            for (value, weight) in values.iter().zip(weights) {
                let x = (value - lo) * delta;
                if x >= 0.0 && x < n {
                    counts[x as usize] += weight;
                }
            }
        }
    }
    counts
}

/// Counts, or sums of weights, of values in equal bins; the last edge belongs to none.
#[pyfunction]
#[pyo3(signature = (seams, values, bins, lo, hi, weights = None))]
pub fn histogram<'py>(
    py: Python<'py>,
    seams: Vec<Seam>,
    values: PyReadonlyArray1<'py, f64>,
    bins: usize,
    lo: f64,
    hi: f64,
    weights: Option<PyReadonlyArray1<'py, f64>>,
) -> PyResult<Bound<'py, PyArray1<f64>>> {
    let values = values.as_slice()?;
    let weights = weights.as_ref().map(|weights| weights.as_slice()).transpose()?;
    if weights.is_some_and(|weights| weights.len() != values.len()) {
        return Err(PyValueError::new_err("values and weights differ in number"));
    }
    let counts = py.detach(|| {
        let delta = 1.0 / ((hi - lo) / bins as f64);
        // Each piece has bins of its own, which must not be more work than its values.
        if bins > PIECE / 4 || !worth_it(values.len() as f64) {
            return count(values, weights, lo, delta, bins);
        }
        let piece = |range: Range<usize>| {
            let weights = weights.map(|weights| &weights[range.clone()]);
            Some(Counts(count(&values[range], weights, lo, delta, bins)))
        };
        sum(0..values.len(), PIECE, true, &piece).map_or_else(Vec::new, |counts| counts.0)
    });
    seams.into_iter().for_each(Seam::answer);
    Ok(counts.into_pyarray(py))
}

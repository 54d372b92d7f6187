//! Convolution of a spectrum with the responses of accelerations, by overlap and save: a block of the spectrum is transformed once for all
//! responses.

use std::ops::Range;
use std::sync::Arc;

use numpy::{Complex64, IntoPyArray, PyArray1, PyReadonlyArray1};
use pyo3::exceptions::PyValueError;
use pyo3::prelude::*;
use rayon::prelude::*;
use rustfft::{Fft, FftPlanner};

use super::counters::Seam;
use super::parallel::worth_it;

/// Length of the shortest block.
const SHORTEST: usize = 1 << 12;

/// A power above the threshold: the place, in units of the spectrum's bins, the response, and the power.
struct Found {
    place: f64,
    response: usize,
    power: f64,
}

struct Search<'a> {
    spectrum: &'a [Complex64],
    /// Transforms of responses; of none, the spectrum is taken as it is.
    responses: Vec<Option<Vec<Complex64>>>,
    /// Values of the spectrum before the first result of a block that its block has.
    before: usize,
    /// Bins that are searched.
    wanted: Range<usize>,
    threshold: f64,
    /// Between two bins, too.
    between: bool,
    forward: Arc<dyn Fft<f64>>,
    backward: Arc<dyn Fft<f64>>,
    /// Results of a block.
    valid: usize,
}

impl Search<'_> {
    fn length(&self) -> usize {
        self.forward.len()
    }

    /// Powers of the results from `first` on, as many as a block has.
    fn block(&self, first: usize) -> Vec<Found> {
        let end = (first + self.valid).min(self.wanted.end);
        // One more, for what is between the last of this block and the first of the next.
        let count = end - first + usize::from(self.between && end < self.wanted.end);
        let after = self.length() - self.before;
        let source = |i: usize| (first + i).checked_sub(self.before).and_then(|k| self.spectrum.get(k)).copied();
        let mut block: Vec<Complex64> = (0..self.before + after).map(|i| source(i).unwrap_or_default()).collect();
        self.forward.process(&mut block);
        let mut found = Vec::new();
        let mut product = vec![Complex64::ZERO; self.length()];
        for (response, transform) in self.responses.iter().enumerate() {
            let amplitudes = match transform {
                None => &self.spectrum[first..first + count],
                Some(transform) => {
                    let pairs = block.iter().zip(transform);
                    product.iter_mut().zip(pairs).for_each(|(product, (a, b))| *product = a * b);
                    self.backward.process(&mut product);
                    // The values before these are those of a circle.
                    &product[self.length() - self.valid - 1..][..count]
                }
            };
            self.above(amplitudes, first, end, response, &mut found);
        }
        found
    }

    fn above(&self, amplitudes: &[Complex64], first: usize, end: usize, response: usize, found: &mut Vec<Found>) {
        let mut take = |place: f64, amplitude: Complex64| {
            let power = amplitude.norm_sqr();
            if power > self.threshold {
                found.push(Found { place, response, power });
            }
        };
        for (i, amplitude) in amplitudes.iter().enumerate().take(end - first) {
            let place = (first + i) as f64;
            take(place, *amplitude);
            if let Some(next) = amplitudes.get(i + 1).filter(|_| self.between) {
                take(place + 0.5, (next - amplitude) * std::f64::consts::FRAC_PI_4);
            }
        }
    }
}

/// Places, responses and powers of all candidates, by response and place. Responses are as long as they are; one of one value leaves the
/// spectrum as it is.
#[pyfunction]
#[allow(clippy::type_complexity, clippy::too_many_arguments)]
pub fn convolve<'py>(
    py: Python<'py>,
    seams: Vec<Seam>,
    spectrum: PyReadonlyArray1<'py, Complex64>,
    responses: Vec<PyReadonlyArray1<'py, Complex64>>,
    wanted: (usize, usize),
    threshold: f64,
    between: bool,
) -> PyResult<(Bound<'py, PyArray1<f64>>, Vec<usize>, Bound<'py, PyArray1<f64>>)> {
    let spectrum = spectrum.as_slice()?;
    let responses: Vec<&[Complex64]> = responses.iter().map(|one| one.as_slice()).collect::<Result<_, _>>()?;
    if wanted.1 > spectrum.len() || responses.iter().any(|one| one.is_empty()) {
        return Err(PyValueError::new_err("the bins that are searched are not those of the spectrum"));
    }
    let found = py.detach(|| {
        let longest = responses.iter().map(|one| one.len()).max().unwrap_or(1);
        let length = (8 * longest).next_power_of_two().max(SHORTEST);
        let mut planner = FftPlanner::new();
        let (forward, backward) = (planner.plan_fft_forward(length), planner.plan_fft_inverse(length));
        let behind = longest / 2;
        let transformed = |one: &&[Complex64]| {
            if one.len() == 1 {
                return None;
            }
            let mut padded = vec![Complex64::ZERO; length];
            // The middle of each response, which is the later one of two, is where that of the longest is.
            let shift = behind - (one.len() - 1) / 2;
            let scale = 1.0 / length as f64;
            padded[shift..].iter_mut().zip(*one).for_each(|(into, value)| *into = value * scale);
            forward.process(&mut padded);
            Some(padded)
        };
        let valid = length - longest - 1;
        let search = Search {
            spectrum,
            responses: responses.iter().map(transformed).collect(),
            before: length - valid - 1 - behind,
            wanted: wanted.0..wanted.1,
            threshold,
            between,
            forward: forward.clone(),
            backward,
            valid,
        };
        let starts: Vec<usize> = search.wanted.clone().step_by(valid).collect();
        let work = (starts.len() * (responses.len() + 1) * length) as f64 * 10.0;
        let mut found: Vec<Found> = match worth_it(work) {
            true => starts.par_iter().flat_map_iter(|first| search.block(*first)).collect(),
            false => starts.iter().flat_map(|first| search.block(*first)).collect(),
        };
        found.sort_by(|a, b| a.response.cmp(&b.response).then(a.place.total_cmp(&b.place)));
        found
    });
    seams.into_iter().for_each(Seam::answer);
    let places: Vec<f64> = found.iter().map(|one| one.place).collect();
    let powers: Vec<f64> = found.iter().map(|one| one.power).collect();
    Ok((places.into_pyarray(py), found.iter().map(|one| one.response).collect(), powers.into_pyarray(py)))
}

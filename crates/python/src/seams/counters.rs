//! Who answered: a counter for each function of Stingray that is replaced, raised by the code that did its work; and why others were left
//! to Stingray.

use std::collections::BTreeMap;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Mutex, PoisonError};

use pyo3::exceptions::PyKeyError;
use pyo3::prelude::*;

macro_rules! seams {
    ($($name:literal)+) => {
        /// The functions of Stingray that are replaced.
        const NAMES: &[&str] = &[$($name),+];
        static ANSWERED: [AtomicU64; NAMES.len()] = [const { AtomicU64::new(0) }; NAMES.len()];
    };
}

seams! {
    "avg_pds_from_timeseries"
    "avg_pds_from_iterable"
    "avg_cs_from_timeseries"
    "avg_cs_from_iterables"
    "avg_cs_from_iterables_quick"
    "RmsSpectrum._spectrum_function"
    "LagSpectrum._spectrum_function"
    "ComplexCovarianceSpectrum._spectrum_function"
    "CountSpectrum._spectrum_function"
    "ExcessVarianceSpectrum._spectrum_function"
    "z_n_search"
    "epoch_folding_search"
    "phase_dispersion_search"
    "accelsearch"
    "histogram"
}

/// Reasons for which a function was left to Stingray, and how often.
static FELL_BACK: Mutex<BTreeMap<(usize, String), u64>> = Mutex::new(BTreeMap::new());

/// A function that is replaced.
#[derive(Clone, Copy)]
pub struct Seam(usize);

impl Seam {
    /// Its work was done here.
    pub fn answer(self) {
        ANSWERED[self.0].fetch_add(1, Ordering::Relaxed);
    }
}

impl<'py> FromPyObject<'_, 'py> for Seam {
    type Error = PyErr;

    fn extract(given: Borrowed<'_, 'py, PyAny>) -> PyResult<Seam> {
        let name: &str = given.extract()?;
        let place = NAMES.iter().position(|known| *known == name);
        place.map(Seam).ok_or_else(|| PyKeyError::new_err(format!("no function {name} is replaced")))
    }
}

/// The functions that are replaced.
#[pyfunction]
pub fn names() -> Vec<&'static str> {
    NAMES.to_vec()
}

/// Counts a call that is left to Stingray.
#[pyfunction]
pub fn fell_back(seam: Seam, reason: String) {
    let mut all = FELL_BACK.lock().unwrap_or_else(PoisonError::into_inner);
    *all.entry((seam.0, reason)).or_default() += 1;
}

/// How often each function was answered.
#[pyfunction]
pub fn answered() -> Vec<(&'static str, u64)> {
    NAMES.iter().zip(&ANSWERED).map(|(name, count)| (*name, count.load(Ordering::Relaxed))).collect()
}

/// Function, reason, and how often it was left to Stingray for it.
#[pyfunction]
pub fn fallen_back() -> Vec<(&'static str, String, u64)> {
    let all = FELL_BACK.lock().unwrap_or_else(PoisonError::into_inner);
    all.iter().map(|((seam, reason), count)| (NAMES[*seam], reason.clone(), *count)).collect()
}

/// Counts from zero again.
#[pyfunction]
pub fn forget() {
    ANSWERED.iter().for_each(|count| count.store(0, Ordering::Relaxed));
    FELL_BACK.lock().unwrap_or_else(PoisonError::into_inner).clear();
}

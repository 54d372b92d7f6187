//! Averaged spectra as Python calls them.

use std::sync::{Mutex, OnceLock, PoisonError};

use eagleray::internal::kernels::bin_events::bins_per_second;
use eagleray::time::DoubleDouble;
use numpy::{Complex64, Element, IntoPyArray, PyArray1, PyReadonlyArray1};
use pyo3::exceptions::PyValueError;
use pyo3::prelude::*;

use super::counters::Seam;
use super::norm::Own;
use super::parallel::Sum;
use super::series::{self, Cut, Flux, Series, Times, Values};
use super::spectra::{self, CrossSums, Photons, PowerSums, Spectrum, Wanted};

/// Times of events as Python gives them: high parts, and what is left, if anything is.
pub type GivenTimes<'py> = (PyReadonlyArray1<'py, f64>, Option<PyReadonlyArray1<'py, f64>>);

/// The times, in place.
pub fn times<'a>(given: &'a GivenTimes<'_>) -> PyResult<Times<'a>> {
    let high = given.0.as_slice()?;
    let low = given.1.as_ref().map(|low| low.as_slice()).transpose()?;
    if low.is_some_and(|low| low.len() != high.len()) {
        return Err(PyValueError::new_err("high and low parts of times differ in number"));
    }
    Ok(Times { high, low })
}

/// Edges of segments: high and low parts of starts and of stops.
#[derive(FromPyObject)]
pub struct GivenEdges<'py>(
    PyReadonlyArray1<'py, f64>,
    PyReadonlyArray1<'py, f64>,
    PyReadonlyArray1<'py, f64>,
    PyReadonlyArray1<'py, f64>,
);

impl GivenEdges<'_> {
    /// Cuts times at these edges.
    pub fn cut(&self, times: &Times<'_>) -> PyResult<Vec<Cut>> {
        let pairs = |high: &PyReadonlyArray1<'_, f64>, low: &PyReadonlyArray1<'_, f64>| -> PyResult<Vec<_>> {
            Ok(high.as_slice()?.iter().copied().zip(low.as_slice()?.iter().copied()).collect())
        };
        Ok(series::cuts(times, &pairs(&self.0, &self.1)?, &pairs(&self.2, &self.3)?))
    }
}

/// Real or complex values as Python gives them.
#[derive(FromPyObject)]
pub enum GivenValues<'py> {
    /// Real ones.
    Real(PyReadonlyArray1<'py, f64>),
    /// Complex ones.
    Complex(PyReadonlyArray1<'py, Complex64>),
}

impl GivenValues<'_> {
    fn values(&self) -> PyResult<Values<'_>> {
        Ok(match self {
            GivenValues::Real(values) => Values::Real(values.as_slice()?),
            GivenValues::Complex(values) => Values::Complex(values.as_slice()?),
        })
    }
}

/// A series of segments as Python gives it.
#[derive(FromPyObject)]
pub enum GivenSeries<'py> {
    /// Times, edges of segments (none: one of all events from a start), their length and number of bins.
    Events(GivenTimes<'py>, Option<GivenEdges<'py>>, f64, f64, usize),
    /// Values, errors, and of each segment the first bin and that after the last one.
    Flux(GivenValues<'py>, Option<GivenValues<'py>>, PyReadonlyArray1<'py, i64>, PyReadonlyArray1<'py, i64>),
    /// The values of each segment, and their errors.
    Listed(Vec<(GivenValues<'py>, Option<GivenValues<'py>>)>),
}

impl GivenSeries<'_> {
    fn series(&self) -> PyResult<Series<'_>> {
        match self {
            GivenSeries::Events(given, edges, start, size, n) => {
                let times = times(given)?;
                let cuts = match edges {
                    Some(edges) => edges.cut(&times)?,
                    None => {
                        let start = DoubleDouble { hi: *start, lo: 0.0 };
                        vec![Cut { start, first: 0, end: times.high.len() }]
                    }
                };
                Ok(Series::Events { times, cuts, delta: bins_per_second(*size, *n), n: *n })
            }
            GivenSeries::Flux(values, errors, first, end) => {
                let values = values.values()?;
                let errors = errors.as_ref().map(GivenValues::values).transpose()?;
                let cut = |(&first, &end): (&i64, &i64)| {
                    let (first, end) = (first.max(0) as usize, end.max(0) as usize);
                    let errors = errors.map(|errors| errors.cut(first, end));
                    (end >= first + 2).then(|| Flux { values: values.cut(first, end), errors })
                };
                flux(first.as_slice()?.iter().zip(end.as_slice()?).map(cut).collect())
            }
            GivenSeries::Listed(segments) => {
                let mut made = Vec::with_capacity(segments.len());
                for (values, errors) in segments {
                    let errors = errors.as_ref().map(GivenValues::values).transpose()?;
                    made.push(Some(Flux { values: values.values()?, errors }));
                }
                flux(made)
            }
        }
    }
}

/// Segments of flux, which must be of one length; `n` is 0 where there are none.
fn flux(mut segments: Vec<Option<Flux<'_>>>) -> PyResult<Series<'_>> {
    segments.iter_mut().for_each(|segment| *segment = segment.filter(|segment| segment.values.len() > 0));
    let mut lengths = segments.iter().flatten().map(|segment| segment.values.len());
    let n = lengths.next().unwrap_or(0);
    match lengths.find(|length| *length != n) {
        Some(other) => Err(unequal(n, other)),
        None => Ok(Series::Flux { segments, n }),
    }
}

fn unequal(n: usize, other: usize) -> PyErr {
    PyValueError::new_err(format!("segments of {n} and of {other} bins cannot be averaged: all must have one length"))
}

/// Photons as Python reads them: real and imaginary parts of the sum, and of the sum of variances.
type FoundPhotons = ((f64, f64), Option<(f64, f64)>);

fn photons(of: Photons) -> FoundPhotons {
    let pair = |z: Complex64| (z.re, z.im);
    (pair(of.sum), of.variance.map(pair))
}

/// Sums as Python reads them: the sums, and the values of each segment.
type Found<'py, T> = (Bound<'py, PyArray1<T>>, Vec<Bound<'py, PyArray1<T>>>);

fn found<'py, T: Element>(py: Python<'py>, of: Spectrum<T>) -> Found<'py, T> {
    (of.sum.into_pyarray(py), of.rows.into_iter().map(|row| row.into_pyarray(py)).collect())
}

/// Words for normalising each segment: normalisation, type of powers, bin time.
type Words = Option<(String, String, f64)>;

fn own(words: &Words) -> PyResult<Option<Own>> {
    words.as_ref().map(|(norm, power_type, dt)| Own::new(norm, power_type, *dt)).transpose()
}

fn possible(impossible: bool) -> PyResult<()> {
    match impossible {
        true => Err(PyValueError::new_err("The variance used to normalize the periodogram is 0.")),
        false => Ok(()),
    }
}

/// Adds sums of more segments.
fn extend<S: Sum>(sums: &Mutex<Option<S>>, more: Option<S>) {
    let mut all = sums.lock().unwrap_or_else(PoisonError::into_inner);
    match (&mut *all, more) {
        (Some(all), Some(more)) => all.add(more),
        (none, more) => *none = none.take().or(more),
    }
}

/// Powers, summed over segments that come in one piece or in several.
#[pyclass(frozen)]
pub struct Powers {
    wanted: Wanted,
    n: OnceLock<usize>,
    sums: Mutex<Option<PowerSums>>,
}

#[pymethods]
impl Powers {
    #[new]
    fn new(own_words: Words, rows: bool) -> PyResult<Powers> {
        let wanted = Wanted { own: own(&own_words)?, rows, full: false, both: false };
        Ok(Powers { wanted, n: OnceLock::new(), sums: Mutex::new(None) })
    }

    /// Bins of a segment; 0 where there is none.
    #[getter]
    fn n(&self) -> usize {
        self.n.get().copied().unwrap_or_default()
    }

    /// Adds segments.
    fn add(&self, py: Python<'_>, given: GivenSeries<'_>) -> PyResult<()> {
        let series = given.series()?;
        if series.n() == 0 {
            return Ok(());
        }
        let n = *self.n.get_or_init(|| series.n());
        if n != series.n() {
            return Err(unequal(n, series.n()));
        }
        let more = py.detach(|| spectra::power(&series, self.wanted));
        extend(&self.sums, more);
        Ok(())
    }

    /// Segments, photons, powers, and powers of segments that are normalised by themselves; nothing where no segment counts.
    #[allow(clippy::type_complexity)]
    fn finish<'py>(
        &self,
        py: Python<'py>,
        seams: Vec<Seam>,
    ) -> PyResult<Option<(u64, FoundPhotons, Found<'py, f64>, Found<'py, Complex64>)>> {
        let sums = self.sums.lock().unwrap_or_else(PoisonError::into_inner).take();
        possible(sums.as_ref().is_some_and(|sums| sums.impossible))?;
        seams.into_iter().for_each(Seam::answer);
        let Some(sums) = sums else { return Ok(None) };
        Ok(Some((sums.segments, photons(sums.photons), found(py, sums.power), found(py, sums.own))))
    }
}

/// Cross spectra, summed over segments that come in one piece or in several.
#[pyclass(frozen)]
pub struct Crosses {
    wanted: Wanted,
    n: OnceLock<usize>,
    sums: Mutex<Option<CrossSums>>,
}

#[pymethods]
impl Crosses {
    #[new]
    fn new(own_words: Words, rows: bool, full: bool, both: bool) -> PyResult<Crosses> {
        let wanted = Wanted { own: own(&own_words)?, rows, full, both };
        Ok(Crosses { wanted, n: OnceLock::new(), sums: Mutex::new(None) })
    }

    /// Bins of a segment; 0 where there is none.
    #[getter]
    fn n(&self) -> usize {
        self.n.get().copied().unwrap_or_default()
    }

    /// Adds segments of both series.
    fn add(&self, py: Python<'_>, first: GivenSeries<'_>, second: GivenSeries<'_>) -> PyResult<()> {
        let series = [&first.series()?, &second.series()?];
        if series.iter().any(|series| series.n() == 0) {
            return Ok(());
        }
        let n = *self.n.get_or_init(|| series[0].n());
        if let Some(other) = series.iter().find(|series| series.n() != n) {
            return Err(unequal(n, other.n()));
        }
        let more = py.detach(|| spectra::cross(series, self.wanted));
        extend(&self.sums, more);
        Ok(())
    }

    /// Segments, photons of both series, cross powers, those of segments that are normalised by themselves, and the powers of both series,
    /// of either kind; nothing where no segment counts.
    #[allow(clippy::type_complexity)]
    fn finish<'py>(
        &self,
        py: Python<'py>,
        seams: Vec<Seam>,
    ) -> PyResult<
        Option<(
            u64,
            Vec<FoundPhotons>,
            Found<'py, Complex64>,
            Found<'py, Complex64>,
            Vec<Bound<'py, PyArray1<f64>>>,
            Vec<Bound<'py, PyArray1<Complex64>>>,
        )>,
    > {
        let sums = self.sums.lock().unwrap_or_else(PoisonError::into_inner).take();
        possible(sums.as_ref().is_some_and(|sums| sums.impossible))?;
        seams.into_iter().for_each(Seam::answer);
        let Some(sums) = sums else { return Ok(None) };
        Ok(Some((
            sums.segments,
            sums.photons.map(photons).into(),
            found(py, sums.cross),
            found(py, sums.own),
            sums.powers.into_iter().map(|one| one.sum.into_pyarray(py)).collect(),
            sums.own_powers.into_iter().map(|one| one.sum.into_pyarray(py)).collect(),
        )))
    }
}

//! Segments of flux that come once, from any iterable of Python.

use std::sync::{Mutex, PoisonError};

use eagleray::{CrossSpectrum, Feed, FluxPair, FluxSegment, FluxValues, PowerSpectrum};
use numpy::PyReadonlyArray1;
use pyo3::exceptions::PyRuntimeError;
use pyo3::prelude::*;

use crate::analyses::spectra::{CrossOptions, PowerOptions};
use crate::convert::Options;
use crate::product::Product;
use crate::session::{Session, ended};

/// What values of segments are.
fn values(rates: bool) -> FluxValues {
    if rates { FluxValues::Rates } else { FluxValues::Counts }
}

/// One segment, with or without errors.
fn segment(flux: &PyReadonlyArray1<f64>, errors: Option<&PyReadonlyArray1<f64>>) -> FluxSegment {
    let mut made = FluxSegment::from(flux.as_array().to_vec());
    made.errors = errors.map(|errors| errors.as_array().to_vec()).unwrap_or_default();
    made
}

/// A feed, until it is finished.
struct Open<A: eagleray::internal::engine::Streamed>(Mutex<Option<Feed<A>>>);

impl<A: eagleray::internal::engine::Streamed> Open<A> {
    fn new(feed: Feed<A>) -> Open<A> {
        Open(Mutex::new(Some(feed)))
    }

    fn push(&self, py: Python<'_>, segment: A::Segment) -> PyResult<()>
    where
        Feed<A>: Send,
    {
        let pushed = py.detach(|| {
            let mut feed = self.0.lock().unwrap_or_else(PoisonError::into_inner);
            feed.as_mut().map(|feed| feed.push(segment))
        });
        pushed.map_or_else(|| Err(PyRuntimeError::new_err("the feed is finished")), ended)
    }

    fn finish(&self, py: Python<'_>) -> PyResult<A::Product>
    where
        Feed<A>: Send,
    {
        let made = py.detach(|| {
            let feed = self.0.lock().unwrap_or_else(PoisonError::into_inner).take();
            feed.map(Feed::finish)
        });
        made.map_or_else(|| Err(PyRuntimeError::new_err("the feed is finished")), ended)
    }
}

/// A power spectrum of segments that come one by one.
#[pyclass(frozen, module = "eagleray._eagleray")]
pub struct PowerFeed {
    feed: Open<PowerSpectrum>,
    options: PowerOptions,
}

#[pymethods]
impl PowerFeed {
    #[new]
    fn new(session: &Session, options: Options<PowerOptions>, rates: bool) -> PyResult<PowerFeed> {
        let feed = Open::new(session.begin(&options.analysis()?, values(rates))?);
        Ok(PowerFeed { feed, options: options.0 })
    }

    #[pyo3(signature = (flux, errors = None))]
    fn push(&self, py: Python<'_>, flux: PyReadonlyArray1<f64>, errors: Option<PyReadonlyArray1<f64>>) -> PyResult<()> {
        self.feed.push(py, segment(&flux, errors.as_ref()))
    }

    fn finish(&self, py: Python<'_>) -> PyResult<Product> {
        Ok(self.options.finish(self.feed.finish(py)?))
    }
}

/// A cross spectrum of pairs of segments that come one by one.
#[pyclass(frozen, module = "eagleray._eagleray")]
pub struct CrossFeed {
    feed: Open<CrossSpectrum>,
}

#[pymethods]
impl CrossFeed {
    #[new]
    fn new(session: &Session, options: Options<CrossOptions>, rates: bool) -> PyResult<CrossFeed> {
        Ok(CrossFeed { feed: Open::new(session.begin(&options.analysis()?, values(rates))?) })
    }

    #[pyo3(signature = (subject, reference, subject_errors = None, reference_errors = None))]
    fn push(
        &self,
        py: Python<'_>,
        subject: PyReadonlyArray1<f64>,
        reference: PyReadonlyArray1<f64>,
        subject_errors: Option<PyReadonlyArray1<f64>>,
        reference_errors: Option<PyReadonlyArray1<f64>>,
    ) -> PyResult<()> {
        let subject = segment(&subject, subject_errors.as_ref());
        let reference = segment(&reference, reference_errors.as_ref());
        self.feed.push(py, FluxPair { subject, reference })
    }

    fn finish(&self, py: Python<'_>) -> PyResult<Product> {
        self.feed.finish(py).map(Product::new)
    }
}

//! Searches, folds and times of arrival.

use std::path::PathBuf;

use eagleray::files::ParFile;
use eagleray::pulsation::{AccelOptions, Algorithm, PulseTemplate, SearchOptions, SearchStatistic};
use eagleray::time::DoubleDouble;
use eagleray::{AccelerationSearch, ArrivalTimes, Fold, FoldInTime, PhaseEpoch, PulseSearch};
use numpy::{IntoPyArray, PyArray1, PyArray2};
use pyo3::prelude::*;

use crate::convert::{Named, Options};
use crate::errors::exception;
use crate::observation::Observation;
use crate::product::Product;
use crate::session::Session;

/// The ephemeris of a file, where one is given.
fn ephemeris(py: Python<'_>, par: Option<&PathBuf>) -> PyResult<Option<ParFile>> {
    let Some(path) = par else { return Ok(None) };
    py.detach(|| ParFile::read(path)).map(Some).map_err(exception)
}

/// Options of a search.
#[derive(FromPyObject)]
#[pyo3(from_item_all)]
pub struct SearchGiven {
    freq: Option<(f64, f64)>,
    fdot: Option<(f64, f64)>,
    fddot: Option<(f64, f64)>,
    par: Option<PathBuf>,
    method: Named<SearchStatistic>,
    nharm: usize,
    nbin: usize,
    oversample: Option<f64>,
    algorithm: Named<Algorithm>,
    candidates: usize,
    detection_level: f64,
    dt: Option<f64>,
    min_fracexp: Option<f64>,
}

/// A search for a periodic signal.
#[pyfunction]
pub fn search(
    py: Python<'_>,
    session: &Session,
    observation: &Observation,
    options: Options<SearchGiven>,
) -> PyResult<Product> {
    let mut made = PulseSearch::default().search(SearchOptions {
        freq: options.freq.unwrap_or_default(),
        fdot: options.fdot,
        fddot: options.fddot,
        method: options.method.0,
        nharm: options.nharm,
        nbin: options.nbin,
        oversample: options.oversample,
        algorithm: options.algorithm.0,
        candidates: options.candidates,
        false_alarm: options.detection_level,
    });
    made.ephemeris = ephemeris(py, options.par.as_ref())?;
    (made.dt, made.min_fracexp) = (options.dt, options.min_fracexp);
    session.run(py, &made, observation)
}

/// Options of an acceleration search.
#[derive(FromPyObject)]
#[pyo3(from_item_all)]
pub struct AccelGiven {
    freq: (f64, f64),
    fdot: (f64, f64),
    fddot: (f64, f64),
    par: Option<PathBuf>,
    nharm: usize,
    detrend: bool,
    candidates: usize,
    detection_level: f64,
}

/// An acceleration search.
#[pyfunction]
pub fn accel(
    py: Python<'_>,
    session: &Session,
    observation: &Observation,
    options: Options<AccelGiven>,
) -> PyResult<Product> {
    let mut made = AccelerationSearch::default();
    made.search = AccelOptions {
        freq: options.freq,
        fdot: options.fdot,
        fddot: options.fddot,
        nharm: options.nharm,
        detrend: options.detrend,
        candidates: options.candidates,
        false_alarm: options.detection_level,
    };
    made.ephemeris = ephemeris(py, options.par.as_ref())?;
    session.run(py, &made, observation)
}

/// Options of a fold.
#[derive(FromPyObject)]
#[pyo3(from_item_all)]
pub struct FoldGiven {
    /// The frequency as the sum of two numbers.
    f: Option<(f64, f64)>,
    fdot: f64,
    fddot: f64,
    /// The epoch as the sum of two numbers: MJD, or seconds of the frame.
    epoch: Option<(f64, f64)>,
    epoch_in_seconds: bool,
    par: Option<PathBuf>,
    nbin: usize,
    nharm: usize,
    background: f64,
}

impl FoldGiven {
    fn analysis(&self, py: Python<'_>) -> PyResult<Fold> {
        let sum = |(hi, lo): (f64, f64)| DoubleDouble::sum(hi, lo);
        let mut made = Fold::new(0.0)
            .freq(self.f.map(sum).unwrap_or_default())
            .fdot(self.fdot)
            .fddot(self.fddot)
            .nbin(self.nbin)
            .nharm(self.nharm)
            .background(self.background);
        made.epoch = self.epoch.map(|epoch| match self.epoch_in_seconds {
            true => PhaseEpoch::Seconds(sum(epoch)),
            false => PhaseEpoch::Mjd(sum(epoch)),
        });
        made.ephemeris = ephemeris(py, self.par.as_ref())?;
        Ok(made)
    }
}

/// The pulse profile at a known frequency or by an ephemeris.
#[pyfunction]
pub fn fold(
    py: Python<'_>,
    session: &Session,
    observation: &Observation,
    options: Options<FoldGiven>,
) -> PyResult<Product> {
    session.run(py, &options.analysis(py)?, observation)
}

/// Edges of intervals, and rates by interval and phase.
type Phaseogram<'py> = (Bound<'py, PyArray1<f64>>, Bound<'py, PyArray2<f64>>);

/// Rates by time and phase: edges of the intervals, s from the epoch, and the rates of each.
#[pyfunction]
pub fn phaseogram<'py>(
    py: Python<'py>,
    session: &Session,
    observation: &Observation,
    options: Options<FoldGiven>,
    rows: usize,
) -> PyResult<Phaseogram<'py>> {
    let analysis = FoldInTime::new(options.analysis(py)?, rows);
    let made = session.working(py, |session| session.run(&analysis, &observation.inner))?;
    Ok((made.time.into_pyarray(py), PyArray2::from_vec2(py, &made.rate)?))
}

/// Times of arrival in intervals of some length, as JSON, and as a file of tempo2. The template is a file, a sinusoid, or the profile of all events.
#[pyfunction]
pub fn toas(
    py: Python<'_>,
    session: &Session,
    observation: &Observation,
    options: Options<FoldGiven>,
    length: f64,
    template: Option<PathBuf>,
) -> PyResult<(String, String)> {
    let mut analysis = ArrivalTimes::new(options.analysis(py)?, length);
    analysis.template = match &template {
        Some(name) if name.as_os_str() == "sinusoid" => Some(PulseTemplate::sinusoid(options.nbin)),
        Some(path) => Some(PulseTemplate::read(path).map_err(exception)?),
        None => None,
    };
    let made = session.working(py, |session| session.run(&analysis, &observation.inner))?;
    Ok((serde_json::json!(made).to_string(), made.tim()))
}

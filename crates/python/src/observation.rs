//! What was seen: files, times or light curves.

use std::path::PathBuf;

use eagleray::data::Gti;
use eagleray::data::light_curve::TimeGrid;
use eagleray::files::{GtiSource, OpenOptions};
use eagleray::time::DoubleDouble;
use eagleray::{Combine, Error, LightCurve, PhotonBand, Warnings};
use numpy::PyReadonlyArray1;
use pyo3::prelude::*;

use crate::convert::Named;
use crate::convert::Options;
use crate::errors::{exception, of_option};
use crate::product::Product;

/// Inputs of one kind, with what is selected of them.
#[pyclass(frozen, module = "eagleray._eagleray")]
pub struct Observation {
    pub inner: eagleray::Observation,
}

/// What is selected of files, by the words of the command line.
#[derive(FromPyObject)]
#[pyo3(from_item_all)]
pub struct Selection {
    energy: Option<(f64, f64)>,
    pi: Option<(f64, f64)>,
    rmf: Option<PathBuf>,
    gti: Option<GtiGiven>,
    no_gti: bool,
    min_gti: f64,
    gti_margin: f64,
    time: Option<(f64, f64)>,
    time_column: Option<String>,
    rate_column: Option<String>,
    error_column: Option<String>,
    extension: Option<String>,
    detector: Option<Vec<i64>>,
    exclude_detector: Option<Vec<i64>>,
    combine: Option<Named<Combine>>,
    mixed: bool,
    salvage: bool,
    weights: Option<String>,
    compat_stingray: bool,
}

/// Good time intervals: a file, or starts and stops.
#[derive(FromPyObject)]
enum GtiGiven {
    File(PathBuf),
    Intervals(Vec<(f64, f64)>),
}

#[pymethods]
impl Observation {
    /// What the observation holds, in words.
    #[getter]
    fn kind(&self) -> &'static str {
        self.inner.kind().name()
    }

    /// Names of the files.
    #[getter]
    fn files(&self) -> Vec<String> {
        self.inner.files().iter().map(|file| file.path().to_string()).collect()
    }

    /// What was odd when the inputs were opened: code and message of each.
    #[getter]
    fn warnings(&self) -> Vec<(String, String)> {
        self.inner.warnings().iter().map(|w| (w.code.to_string(), w.message.clone())).collect()
    }
}

impl Selection {
    /// What is selected of files when they are opened.
    fn options(&self) -> OpenOptions {
        OpenOptions {
            gti: match &self.gti {
                Some(GtiGiven::File(path)) => GtiSource::Given(path.display().to_string()),
                _ if self.no_gti => GtiSource::Span,
                _ => GtiSource::File,
            },
            time_column: self.time_column.clone(),
            rate_column: self.rate_column.clone(),
            error_column: self.error_column.clone(),
            extension: self.extension.clone(),
            salvage: self.salvage,
            detectors: self.detector.clone(),
            mixed: self.mixed,
            compat_stingray: self.compat_stingray,
        }
    }

    /// An observation of what is selected.
    fn apply(self, mut made: eagleray::Observation) -> eagleray::Result<eagleray::Observation> {
        if let Some(response) = &self.rmf {
            made = made.response(response)?;
        }
        if let Some(GtiGiven::Intervals(intervals)) = &self.gti {
            let gti = Gti::from_seconds(intervals).map_err(of_option("gti"))?;
            made = made.narrowed("gti", &|_, own| Ok(own.intersect(&gti)))?;
        }
        made = made.trimmed(self.gti_margin, self.min_gti)?;
        if let Some((lo, hi)) = self.time {
            let window = [(DoubleDouble::from(lo), DoubleDouble::from(hi))].to_vec();
            let window = Gti::new("", window, false, &mut Warnings::default()).map_err(of_option("time"))?;
            made = made.narrowed("time", &|_, own| Ok(own.intersect(&window)))?;
        }
        let energy = self.energy.map(|(lo, hi)| PhotonBand::Energy(lo, hi));
        if let Some(band) = energy.or(self.pi.map(|(lo, hi)| PhotonBand::Channels(lo, hi))) {
            made = made.band(band)?;
        }
        if let Some(column) = &self.weights {
            made = made.weights(column)?;
        }
        Ok(match self.combine {
            Some(combine) => made.combine(combine.0),
            None => made,
        })
    }
}

/// Opens event files or light curves.
#[pyfunction]
pub fn open(py: Python<'_>, paths: Vec<PathBuf>, selection: Options<Selection>) -> PyResult<Observation> {
    let selection = selection.0;
    let opened = py.detach(|| {
        let mut options = selection.options();
        let mut absent = None;
        if let Some(excluded) = &selection.exclude_detector {
            if selection.detector.is_some() {
                let message = "cannot be had together with detector: leave one of them out";
                return Err(Error::argument("exclude_detector", "", message));
            }
            let (kept, warning) = eagleray::Observation::detectors_but(&paths, &options, excluded)?;
            (options.detectors, absent) = (Some(kept), warning);
        }
        let mut made = eagleray::Observation::open_with(paths, &options)?;
        if let Some(warning) = absent {
            made = made.warned(warning);
        }
        selection.apply(made)
    });
    opened.map(|inner| Observation { inner }).map_err(exception)
}

/// Times in memory, with the energy (`energy`, keV) or channel (`pi`) of each photon where there is one, and a band of either.
#[pyfunction]
#[pyo3(signature = (times, gti, values = None, band = None))]
pub fn times(
    py: Python<'_>,
    times: PyReadonlyArray1<f64>,
    gti: Vec<(f64, f64)>,
    values: Option<(String, PyReadonlyArray1<f64>)>,
    band: Option<(String, (f64, f64))>,
) -> PyResult<Observation> {
    let times = times.as_array().to_vec();
    let values = values.map(|(kind, values)| (kind == "energy", values.as_array().to_vec()));
    let made = py.detach(|| {
        let gti = Gti::from_seconds(&gti).map_err(of_option("gti"))?;
        let made = match values {
            Some((true, energies)) => eagleray::Observation::photons_of_energies(times, energies, gti)?,
            Some((false, channels)) => eagleray::Observation::photons(times, channels, gti)?,
            None => eagleray::Observation::times(times, gti),
        };
        match band {
            Some((kind, (lo, hi))) if kind == "energy" => made.band(PhotonBand::Energy(lo, hi)),
            Some((_, (lo, hi))) => made.band(PhotonBand::Channels(lo, hi)),
            None => Ok(made),
        }
    });
    made.map(|inner| Observation { inner }).map_err(exception)
}

/// Light curves in memory, which are products.
#[pyfunction]
pub fn light_curves(curves: Vec<PyRef<'_, Product>>) -> PyResult<Observation> {
    let curve = |product: &PyRef<'_, Product>| {
        let held = product.get::<LightCurve>().cloned();
        held.ok_or_else(|| exception(Error::argument("light_curves", product.kind(), "is no light curve")))
    };
    let curves = curves.iter().map(curve).collect::<PyResult<Vec<_>>>()?;
    Ok(Observation { inner: eagleray::Observation::light_curves(curves) })
}

/// Part of a bin by which times may be off their grid.
const OFF_GRID: f64 = 1e-3;

/// A light curve of counts, with the centres of its bins, s; with errors the counts are not Poisson's.
#[pyfunction]
#[pyo3(signature = (time, dt, counts, errors, gti))]
pub fn binned(
    time: PyReadonlyArray1<f64>,
    dt: f64,
    counts: PyReadonlyArray1<f64>,
    errors: Option<PyReadonlyArray1<f64>>,
    gti: Vec<(f64, f64)>,
) -> PyResult<Product> {
    let time = time.as_array();
    let first = time.first().copied().unwrap_or_default();
    let grid = TimeGrid { origin: DoubleDouble::sum(first, -0.5 * dt), dt };
    let place = |&t: &f64| {
        let k = (t - first) / dt;
        let on_grid = (k - k.round()).abs() <= OFF_GRID && k >= 0.0;
        let off =
            || exception(Error::argument("time", t, format!("is off the grid of bins of {dt} s from {first} s on")));
        if on_grid { Ok(k.round() as u64) } else { Err(off()) }
    };
    let bin = time.iter().map(place).collect::<PyResult<Vec<_>>>()?;
    let errors = errors.map(|errors| errors.as_array().to_vec());
    let gti = Gti::from_seconds(&gti).map_err(of_option("gti")).map_err(exception)?;
    let made = LightCurve::from_bins(grid, bin, counts.as_array().to_vec(), errors, gti);
    made.map(Product::new).map_err(exception)
}

/// The subject and the reference of a comparison.
#[pyfunction]
pub fn pair(subject: &Observation, reference: &Observation) -> PyResult<Observation> {
    let made = eagleray::Observation::pair(subject.inner.clone(), reference.inner.clone());
    made.map(|inner| Observation { inner }).map_err(exception)
}

/// What the inputs hold, as JSON.
#[pyfunction]
pub fn facts(py: Python<'_>, observation: &Observation) -> PyResult<String> {
    let found = py.detach(|| observation.inner.facts()).map_err(exception)?;
    Ok(serde_json::Value::Array(found).to_string())
}

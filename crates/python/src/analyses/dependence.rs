//! What depends on time or energy: dynamical spectra and energy spectra.

use eagleray::science::{Band, EnergyKind, Norm};
use eagleray::{DynamicalCross, DynamicalSpectrum, EnergyBands, EnergyDependence, Error, TimeRebin};
use pyo3::prelude::*;

use super::spectra::{CrossOptions, PowerOptions, segmentation};
use crate::convert::{Named, Options, rebinning};
use crate::errors::exception;
use crate::observation::Observation;
use crate::product::Product;
use crate::session::Session;

/// How segments of a dynamical spectrum are averaged.
#[derive(FromPyObject)]
#[pyo3(from_item_all)]
pub struct TimeOptions {
    rebin_time: Option<usize>,
    rebin_time_log: Option<f64>,
    across_gaps: bool,
}

impl TimeOptions {
    fn time(&self) -> PyResult<TimeRebin> {
        Ok(TimeRebin { rebin: rebinning(self.rebin_time, self.rebin_time_log)?, across_gaps: self.across_gaps })
    }
}

/// The power spectra of all segments against time.
#[pyfunction]
pub fn dynamical_spectrum(
    py: Python<'_>,
    session: &Session,
    observation: &Observation,
    options: Options<PowerOptions>,
    time: Options<TimeOptions>,
) -> PyResult<Product> {
    let analysis = DynamicalSpectrum::default().spectrum(options.analysis()?).time(time.time()?);
    session.run(py, &analysis, observation)
}

/// The cross spectra of all segments against time.
#[pyfunction]
pub fn dynamical_cross(
    py: Python<'_>,
    session: &Session,
    observation: &Observation,
    options: Options<CrossOptions>,
    time: Options<TimeOptions>,
) -> PyResult<Product> {
    let analysis = DynamicalCross::default().spectrum(options.analysis()?).time(time.time()?);
    session.run(py, &analysis, observation)
}

/// Options of energy spectra.
#[derive(FromPyObject)]
#[pyo3(from_item_all)]
pub struct EnergyGiven {
    kind: Named<EnergyKind>,
    /// Edges of the bands, keV or channels; a band ends below the edge that begins the next.
    edges: Vec<f64>,
    channels: bool,
    reference: Option<(f64, f64)>,
    freq: Option<(f64, f64)>,
    norm: Option<Named<Norm>>,
    dt: Option<f64>,
    segment_size: Option<f64>,
}

/// Lags, covariance, rms, excess variance or counts against energy.
#[pyfunction]
pub fn energy_spectrum(
    py: Python<'_>,
    session: &Session,
    observation: &Observation,
    options: Options<EnergyGiven>,
) -> PyResult<Product> {
    let last = |edge: f64| if options.channels { edge - 1.0 } else { edge };
    let subjects: Vec<Band> = options.edges.windows(2).map(|pair| Band { lo: pair[0], hi: last(pair[1]) }).collect();
    let (Some(first), Some(end)) = (subjects.first(), subjects.last()) else {
        return Err(exception(Error::argument("energies", options.edges.len(), "two edges at least are needed")));
    };
    let all = Band { lo: first.lo, hi: end.hi };
    let reference = options.reference.map_or(all, |(lo, hi)| Band { lo, hi });
    let bands = EnergyBands { reference, subjects, channels: options.channels };
    let mut made = EnergyDependence::new(options.kind.0, bands);
    made.energy.freq = options.freq.map(|(lo, hi)| [lo, hi]);
    made.energy.fractional = match options.norm.as_ref().map(|norm| norm.0) {
        None => made.energy.fractional,
        Some(Norm::Frac) => true,
        Some(Norm::Abs) => false,
        Some(other) => return Err(exception(Error::argument("norm", other, "must be one of frac, abs"))),
    };
    made.segmentation = segmentation(options.dt, options.segment_size, None)?;
    session.run(py, &made, observation)
}

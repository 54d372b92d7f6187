//! Light curves and histograms.

use eagleray::data::histogram::EnergyAxis;
use eagleray::{Binning, Counting};
use numpy::PyReadonlyArray1;
use pyo3::prelude::*;

use crate::observation::Observation;
use crate::product::Product;
use crate::session::Session;

/// The light curve.
#[pyfunction]
pub fn light_curve(py: Python<'_>, session: &Session, observation: &Observation, dt: Option<f64>) -> PyResult<Product> {
    let mut made = Binning::default();
    made.dt = dt;
    session.run(py, &made, observation)
}

/// Counts in bins of time, and of energy or channel.
#[pyfunction]
pub fn bin(
    py: Python<'_>,
    session: &Session,
    observation: &Observation,
    times: PyReadonlyArray1<f64>,
    energies: Option<Vec<f64>>,
    channels: bool,
) -> PyResult<Product> {
    let mut made = Counting::new(times.as_array().to_vec());
    if let Some(edges) = energies {
        made = made.energies(edges).axis(if channels { EnergyAxis::Channel } else { EnergyAxis::Energy });
    }
    session.run(py, &made, observation)
}

//! Statistics of powers and counts, without data, as JSON.

use eagleray::science::statistics::answers::{Averages, DetectionPower, PoissonLimits, PowerProbability, Sinusoid};
use pyo3::prelude::*;

use crate::errors::exception;

/// The probability that white noise reaches a power.
#[pyfunction]
pub fn power_to_p(power: f64, m: u64, k: u64, trials: f64) -> PyResult<String> {
    let averaged = Averages::new(m, k).map_err(exception)?;
    Ok(serde_json::json!(PowerProbability::new(power, averaged, trials)).to_string())
}

/// The power that white noise reaches with a probability, of which the decimal logarithm is given.
#[pyfunction]
pub fn p_to_power(log10_p: f64, m: u64, k: u64, trials: f64) -> PyResult<String> {
    let made = Averages::new(m, k).and_then(|of| DetectionPower::new(log10_p * std::f64::consts::LN_10, of, trials));
    made.map(|made| serde_json::json!(made).to_string()).map_err(exception)
}

/// The pulsed fraction of a power, or the power of a pulsed fraction.
#[pyfunction]
#[allow(clippy::too_many_arguments)]
pub fn amplitude(
    power: Option<f64>,
    fraction: f64,
    photons: f64,
    averaged: (u64, u64),
    bins: Option<(f64, f64)>,
    centred: bool,
    background: f64,
    confidence: f64,
) -> PyResult<String> {
    let averaged = Averages::new(averaged.0, averaged.1).map_err(exception)?;
    let sinusoid = Sinusoid { photons, averaged, bins, centred, background };
    let made = match power {
        Some(power) => sinusoid.fraction(power, confidence).map(|made| serde_json::json!(made)),
        None => sinusoid.power(fraction).map(|made| serde_json::json!(made)),
    };
    made.map(|made| made.to_string()).map_err(exception)
}

/// Limits of the mean that led to counts.
#[pyfunction]
pub fn poisson(counts: u64, sigma: f64) -> String {
    serde_json::json!(PoissonLimits::new(counts, sigma)).to_string()
}

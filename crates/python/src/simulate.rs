//! Simulated event files.

use std::path::PathBuf;

use eagleray::missions;
use eagleray::science::DeadTimeKind;
use eagleray::simulate::{
    BandPair, DeadTime, DeadTimeLength, FrameTime, NegativeRates, PhotonSpectrum, Simulation, SubjectLag,
    VariabilityTerm,
};
use eagleray::{Error, Result};
use pyo3::prelude::*;

use crate::convert::Options;
use crate::errors::exception;

/// What is simulated, by the words of the command line.
#[derive(FromPyObject)]
#[pyo3(from_item_all)]
pub struct SimulationGiven {
    mission: String,
    rate: Vec<f64>,
    length: f64,
    tstart: Option<f64>,
    gaps: Vec<(f64, f64)>,
    /// Index of the photon spectrum, and its range.
    energies: (f64, Option<(f64, f64)>),
    /// Name and numbers of each term.
    model: Vec<(String, Vec<f64>)>,
    dt: Option<f64>,
    refuse_negative: bool,
    bands: Option<((f64, f64), (f64, f64))>,
    lag: Option<f64>,
    phase_lag: Option<f64>,
    coherence: f64,
    frame_time: FrameGiven,
    dead_time: Option<DeadTimeGiven>,
    paralysable: bool,
    seed: u64,
}

#[derive(FromPyObject)]
enum FrameGiven {
    Seconds(f64),
    Name(String),
}

#[derive(FromPyObject)]
enum DeadTimeGiven {
    Constant(f64),
    Uniform((f64, f64)),
}

fn term(name: &str, numbers: &[f64]) -> Result<VariabilityTerm> {
    Ok(match (name, numbers) {
        ("white", []) => VariabilityTerm::White,
        ("pulsar", &[frequency, pulsed_fraction]) => VariabilityTerm::Pulsar { frequency, pulsed_fraction },
        ("lorentzian", &[f0, fwhm, rms]) => VariabilityTerm::Lorentzian { f0, fwhm, rms },
        ("powerlaw", &[index, rms]) => VariabilityTerm::PowerLaw { index, rms, fmin: None, fmax: None },
        ("powerlaw", &[index, rms, fmin, fmax]) => {
            VariabilityTerm::PowerLaw { index, rms, fmin: Some(fmin), fmax: Some(fmax) }
        }
        _ => {
            let message = "terms are white, pulsar (frequency, pulsed fraction), lorentzian (f0, fwhm, rms) and powerlaw (index, rms \
                           [, fmin, fmax])";
            return Err(Error::argument("model", format!("{name} of {} numbers", numbers.len()), message));
        }
    })
}

impl SimulationGiven {
    fn simulation(&self) -> Result<Simulation> {
        let mission = missions::named(&self.mission).filter(|mission| mission.files.is_some()).ok_or_else(|| {
            let names: Vec<&str> = missions::imitated().map(|mission| mission.name).collect();
            Error::argument("mission", &self.mission, format!("those that are imitated are {}", names.join(", ")))
        })?;
        let lag = self.phase_lag.map_or(SubjectLag::Time(self.lag.unwrap_or(0.0)), SubjectLag::Phase);
        let coherence = self.coherence;
        let bands = self.bands.map(|(subject, reference)| BandPair { subject, reference, lag, coherence });
        let frame_time = match &self.frame_time {
            FrameGiven::Seconds(seconds) => FrameTime::Seconds(*seconds),
            FrameGiven::Name(name) => match name.as_str() {
                "clock" => FrameTime::Clock,
                "mission" => FrameTime::Mission,
                "none" => FrameTime::None,
                _ => {
                    return Err(Error::argument("frame_time", name, "must be one of clock, mission, none, or seconds"));
                }
            },
        };
        let kind = if self.paralysable { DeadTimeKind::Paralysable } else { DeadTimeKind::NonParalysable };
        let dead_time = self.dead_time.as_ref().map(|given| DeadTime {
            kind,
            length: match given {
                DeadTimeGiven::Constant(seconds) => DeadTimeLength::Constant(*seconds),
                DeadTimeGiven::Uniform((lo, hi)) => DeadTimeLength::Uniform(*lo, *hi),
            },
        });
        Ok(Simulation {
            mission,
            rate: self.rate.clone(),
            length: self.length,
            tstart: self.tstart,
            gaps: self.gaps.clone(),
            energies: PhotonSpectrum { index: self.energies.0, range: self.energies.1 },
            model: self.model.iter().map(|(name, numbers)| term(name, numbers)).collect::<Result<_>>()?,
            dt: self.dt,
            negative: if self.refuse_negative { NegativeRates::Refuse } else { NegativeRates::Exp },
            bands,
            frame_time,
            dead_time,
            seed: self.seed,
        })
    }
}

/// Events, exposure, events that were lost, and the warnings.
type Written = (u64, f64, u64, Vec<(String, String)>);

/// Writes an event file; what was written as JSON, and the warnings.
#[pyfunction]
pub fn simulate(py: Python<'_>, path: PathBuf, given: Options<SimulationGiven>, overwrite: bool) -> PyResult<Written> {
    py.check_signals()?;
    let written = py.detach(|| given.simulation()?.write(&path, overwrite)).map_err(exception)?;
    let warnings = written.warnings.iter().map(|w| (w.code.to_string(), w.message.clone())).collect();
    Ok((written.events, written.exposure, written.lost, warnings))
}

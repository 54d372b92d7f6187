//! Simulated event files: a chosen power spectrum, rate, length and mission, from a seed.
//!
//! ```
//! use eagleray::simulate::{Simulation, VariabilityTerm};
//! let simulation = Simulation {
//!     rate: vec![50.0],
//!     length: 100.0,
//!     model: vec![VariabilityTerm::Pulsar { frequency: 7.1, pulsed_fraction: 0.4 }],
//!     ..Simulation::default()
//! };
//! let events = simulation.events()?;
//! assert!((events.len() as f64 - 5000.0).abs() < 500.0);
//! # Ok::<(), eagleray::Error>(())
//! ```
//!
//! Photons are an inhomogeneous Poisson process: waiting times are exponential in the integral of the rate, pulsations are
//! thinned (Lewis & Shedler 1979, doi:10.1002/nav.3800260304), so events come sorted, without a bin's shape in them beyond that
//! of the noise series. The observation is cut into time blocks of about 65,536 events with a stream of random numbers each:
//! the result depends on the seed alone, never on threads, and memory not on the number of events. Dead time, which knows no
//! blocks, is applied to them one after the other.

pub mod dead_time;
mod energy;
mod event;
mod layout;
mod model;
mod output;
mod series;
mod simulation;
mod source;
mod spectrum;
mod stream;

use std::path::Path;

use crate::base::error::Result;

pub use dead_time::{DeadTime, DeadTimeLength};
pub use energy::PhotonSpectrum;
pub use event::Event;
pub use model::VariabilityTerm;
pub use output::SimulationSummary;
pub use simulation::{BandPair, FrameTime, NegativeRates, Simulation, SubjectLag};
pub use source::SimulatedSource;
pub use spectrum::SpectrumChange;

impl Simulation {
    /// Checks the parameters and computes the random rate curve, from which all events follow.
    pub fn source(&self) -> Result<SimulatedSource> {
        self.validate()?;
        SimulatedSource::new(self)
    }

    /// The events in ascending order, block by block; only one block is in memory.
    pub fn blocks(&self) -> Result<impl Iterator<Item = Vec<Event>>> {
        Ok(self.source()?.recorded())
    }

    /// All events, in memory.
    pub fn events(&self) -> Result<Vec<Event>> {
        Ok(self.blocks()?.flatten().collect())
    }

    /// Writes an event file. Blocks are computed by rayon's threads. An existing file is an error unless `overwrite`.
    pub fn write(&self, path: impl AsRef<Path>, overwrite: bool) -> Result<SimulationSummary> {
        self.source()?.write(self, path.as_ref(), overwrite)
    }
}

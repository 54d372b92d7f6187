//! `--par`: phases and orbits from an ephemeris file.

use std::path::PathBuf;

use clap::Args;

use eagleray::engine::{CHUNK_EVENTS, Combine, Events, PulseEvents};
use eagleray::io::par::ParFile;
use eagleray::{Error, Progress, Result, Warnings};

/// The ephemeris file.
#[derive(Args, Clone, Debug)]
pub struct ParArgs {
    /// Ephemeris file of tempo2 or PINT (.par, TDB; orbits ELL1, BT, DD); times must be barycentred, and become times of emission
    #[arg(long, value_name = "FILE")]
    pub par: Option<PathBuf>,
}

impl ParArgs {
    /// The ephemeris, if one was given.
    ///
    /// # Errors
    /// See [`ParFile::read`].
    pub fn read(&self, warnings: &mut Warnings) -> Result<Option<ParFile>> {
        self.par.as_deref().map(|path| ParFile::read(path, warnings)).transpose()
    }
}

/// The events at their times of emission.
///
/// # Errors
/// See [`PulseEvents::read_emitted`]; files without MJDREF.
pub fn read_by(par: &ParFile, inputs: Vec<Events>, combine: Combine, warnings: Warnings) -> Result<PulseEvents> {
    let mjdref = inputs.first().and_then(|input| input.mjdref);
    let mjdref = mjdref
        .ok_or_else(|| Error::argument("par", par.path(), "the events have no MJDREF, so MJD means nothing in them"))?;
    PulseEvents::read_emitted(inputs, combine, &par.in_frame(mjdref), CHUNK_EVENTS, warnings, &Progress::default())
}

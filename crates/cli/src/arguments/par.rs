//! `--par`: phases and orbits from an ephemeris file.

use std::path::PathBuf;

use clap::Args;

use eagleray::Result;
use eagleray::files::ParFile;

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
    pub fn read(&self) -> Result<Option<ParFile>> {
        self.par.as_deref().map(ParFile::read).transpose()
    }
}

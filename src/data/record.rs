//! What every product says of its making: the clock and source of the input, the options, the inputs, and where the photons
//! went. Products flatten these into their own metadata.

use serde::Serialize;

use super::{EventBalance, InputRecord};
use crate::base::time::MjdRef;
use crate::base::warning::Warnings;

/// What a product was made of and by.
#[derive(Clone, Debug, Serialize)]
pub struct Provenance {
    /// Reference epoch, MJD: whole days and fraction; absent when the input has none.
    pub mjdref: Option<MjdRef>,
    /// Good time intervals used, s.
    pub gti: Vec<[f64; 2]>,
    /// Keywords of the input.
    pub telescop: String,
    /// See [`Provenance::telescop`].
    pub instrume: String,
    /// See [`Provenance::telescop`].
    pub object: String,
    /// See [`Provenance::telescop`].
    pub timesys: String,
    /// See [`Provenance::telescop`].
    pub timeref: String,
    /// See [`Provenance::telescop`].
    pub plephem: String,
    /// Times are those of the solar system's barycentre.
    pub barycentred: bool,
    /// Detectors selected; empty: all.
    pub detectors: Vec<i64>,
    /// Version of this program.
    pub eagleray_version: &'static str,
    /// Resolved options.
    pub options: serde_json::Value,
    /// Names and hashes of the inputs.
    pub inputs: Vec<InputRecord>,
    /// Where the photons went; zeros for binned input.
    pub photons: EventBalance,
    /// Warnings of the run.
    pub warnings: Warnings,
}

impl Default for Provenance {
    /// That of an input that says nothing of itself.
    fn default() -> Provenance {
        Provenance {
            mjdref: None,
            gti: Vec::new(),
            telescop: String::new(),
            instrume: String::new(),
            object: String::new(),
            timesys: String::new(),
            timeref: String::new(),
            plephem: String::new(),
            barycentred: false,
            detectors: Vec::new(),
            eagleray_version: env!("CARGO_PKG_VERSION"),
            options: serde_json::Value::Null,
            inputs: Vec::new(),
            photons: EventBalance::default(),
            warnings: Warnings::default(),
        }
    }
}

/// What computed a product.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize)]
pub struct DeviceRecord {
    /// `cpu` or `gpu`.
    pub backend: String,
    /// The adapter.
    pub adapter: String,
    /// Precision of the transforms.
    pub precision: String,
}

//! How a product was made: the record that every product has in its metadata.

use serde::{Deserialize, Serialize};

use super::{EventBalance, InputRecord};
use crate::base::time::MjdRef;
use crate::base::warning::Warnings;

/// What made a product: the device that computed it, clock and source of the input (FITS keywords of the first file), good time intervals,
/// options, input files with checksums, the balance of events, and all warnings. Every product has one in its metadata.
#[derive(Clone, Debug, Serialize, Deserialize)]
#[non_exhaustive]
pub struct Record {
    /// The device that computed the product; its fields are absent where none is known.
    #[serde(flatten, skip_serializing_if = "DeviceRecord::is_unknown")]
    pub device: DeviceRecord,
    /// Reference epoch MJDREF of the frame: whole days and fraction; absent if the input has none.
    pub mjdref: Option<MjdRef>,
    /// Good time intervals used, start and stop in seconds of the frame.
    pub gti: Vec<[f64; 2]>,
    /// Keyword TELESCOP of the first input, as written; empty if it is absent.
    pub telescop: String,
    /// Keyword INSTRUME of the first input, as written; empty if it is absent.
    pub instrume: String,
    /// Keyword OBJECT of the first input, as written; empty if it is absent.
    pub object: String,
    /// Keyword TIMESYS (time system) of the first input, as written; empty if it is absent.
    pub timesys: String,
    /// Keyword TIMEREF (reference position of the times) of the first input, as written; empty if it is absent.
    pub timeref: String,
    /// Keyword PLEPHEM (solar system ephemeris) of the first input, as written; empty if it is absent.
    pub plephem: String,
    /// True if the times are those of the barycentre of the solar system.
    pub barycentred: bool,
    /// Numbers of the detectors that were used; empty for all.
    pub detectors: Vec<i64>,
    /// Version of eagleray.
    pub eagleray_version: String,
    /// All options with the values that were used, defaults included.
    pub options: serde_json::Value,
    /// The input files with checksums and selections.
    pub inputs: Vec<InputRecord>,
    /// What became of every event that was read, or of the counts of light curves; zeros for segments that come one by one.
    pub photons: EventBalance,
    /// True if values were transformed that need not be counts of photons: of light curves and segments.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub series: bool,
    /// All warnings of the run.
    pub warnings: Warnings,
}

impl Record {
    /// Name of the first input.
    pub(crate) fn first_input(&self) -> String {
        self.inputs.first().map_or_else(|| "in memory".to_string(), |input| input.name.clone())
    }

    /// True if what was transformed need not be counts of photons. Files of former versions say so by having read none.
    pub(crate) fn is_of_series(&self) -> bool {
        self.series || self.photons.read == 0
    }
}

impl Default for Record {
    /// That of an input that says nothing of itself.
    fn default() -> Record {
        Record {
            device: DeviceRecord::default(),
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
            eagleray_version: env!("CARGO_PKG_VERSION").to_string(),
            options: serde_json::Value::Null,
            inputs: Vec::new(),
            photons: EventBalance::default(),
            series: false,
            warnings: Warnings::default(),
        }
    }
}

/// The device that computed a product.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[non_exhaustive]
pub struct DeviceRecord {
    /// `cpu` or `gpu`; `gpu + cpu` if both did.
    pub backend: String,
    /// Name of the GPU adapter, or the architecture of the processor.
    pub adapter: String,
    /// Precision of the transforms: `single` or `double`.
    pub precision: String,
}

impl DeviceRecord {
    /// True if no device is named.
    pub fn is_unknown(&self) -> bool {
        self.backend.is_empty()
    }
}

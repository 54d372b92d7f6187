//! Bands of photon energies as users name them, and the channels that they are in a file.

use std::ops::Range;

use serde::Serialize;

use crate::base::error::{Error, Result};
use crate::base::mend::Mend;
use crate::data::ChannelRange;
use crate::io::EventFile;

/// A band of photons, by their energy or by the channels of the detector.
#[derive(Clone, Copy, Debug, PartialEq, Serialize)]
#[serde(rename_all = "lowercase")]
#[non_exhaustive]
pub enum PhotonBand {
    /// Energies `lo ≤ E < hi`, keV.
    Energy(f64, f64),
    /// Channels `lo ≤ c ≤ hi`, both included.
    Channels(f64, f64),
}

/// A band, and the fields of bands in keV and in channels, for errors.
pub(in crate::engine) type NamedBand = (PhotonBand, (&'static str, &'static str));

impl From<Range<f64>> for PhotonBand {
    /// Energies `lo ≤ E < hi`, keV.
    fn from(energies: Range<f64>) -> PhotonBand {
        PhotonBand::Energy(energies.start, energies.end)
    }
}

impl PhotonBand {
    /// The channels of the band in a file. `fields` are those of a band in keV and of one in channels, for errors.
    ///
    /// # Errors
    /// The energies of the file's channels are not known; no channel is in the band.
    pub fn channels(self, file: &EventFile, fields: (&str, &'static str)) -> Result<ChannelRange> {
        match self {
            PhotonBand::Energy(lo, hi) => channels_of_energies(file, fields, lo, hi),
            PhotonBand::Channels(lo, hi) => Ok(ChannelRange::channels(lo, hi)),
        }
    }
}

/// The channels whose centres have `lo ≤ E < hi` keV.
pub(super) fn channels_of_energies(
    file: &EventFile,
    (field, by_channel): (&str, &'static str),
    lo: f64,
    hi: f64,
) -> Result<ChannelRange> {
    let Some(scale) = &file.scale else {
        let message = format!("the energies of {} are not known", file.path());
        let mend = [Mend::field("response").doing("takes a response"), Mend::field(by_channel).doing("takes channels")];
        return Err(Error::argument(field, format!("{lo}:{hi}"), message).mended_by(mend));
    };
    scale.band(lo, hi).map_err(|error| match error {
        Error::Argument { value, message, mend, .. } => {
            Error::Argument { field: field.to_string(), value, message, mend }
        }
        other => other,
    })
}

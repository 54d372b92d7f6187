//! What is selected of an observation: bands, detectors, times, weights.

use std::ops::{Range, RangeInclusive};
use std::path::Path;
use std::sync::Arc;

use super::{Content, Narrow, Observation, Photons};
use crate::base::error::{Error, Result};
use crate::base::mend::Mend;
use crate::data::Gti;
use crate::engine::Combine;
use crate::engine::photon_band::PhotonBand;

impl Observation {
    /// Only photons of energies `lo ≤ E < hi`, keV; of a file whose energies are not known, [`Observation::response`] comes before.
    ///
    /// # Errors
    /// A light curve, times without energies and a pair have none to select by; the energies of a file are not known, or none is in
    /// the band.
    pub fn energy(self, energies: Range<f64>) -> Result<Observation> {
        self.band(PhotonBand::Energy(energies.start, energies.end))
    }

    /// Only photons of the channels `lo ≤ c ≤ hi`, both included, of the column that tells energies (PI, else PHA).
    ///
    /// # Errors
    /// A light curve, times without channels and a pair have no channels to select by.
    pub fn channels(self, channels: RangeInclusive<f64>) -> Result<Observation> {
        self.band(PhotonBand::Channels(*channels.start(), *channels.end()))
    }

    /// Only photons of a band.
    ///
    /// # Errors
    /// See [`Observation::energy`].
    pub fn band(self, band: PhotonBand) -> Result<Observation> {
        let field = if matches!(band, PhotonBand::Energy(..)) { "energy" } else { "pi" };
        match &self.content {
            Content::Files(files) => {
                files.iter().try_for_each(|file| band.channels(file, ("energy", "pi")).map(|_| ()))?;
            }
            Content::Times(photons) => {
                photons.range(band, ("energy", "pi"))?;
            }
            Content::LightCurves(_) => {
                return Err(Error::argument(field, "", "a light curve has no events to select"));
            }
            Content::Pair(_) => return Err(Error::argument(field, "", "select in both parts of a pair")),
        }
        Ok(Observation { band: Some(band), ..self })
    }

    /// Energies of channels from the EBOUNDS extension of a response file; comes before [`Observation::energy`].
    ///
    /// # Errors
    /// There is no event file; the response cannot be read or does not fit.
    pub fn response(mut self, path: &Path) -> Result<Observation> {
        let Content::Files(files) = &mut self.content else {
            return Err(Error::argument("response", path.display(), "only event files have channels with energies"));
        };
        Arc::make_mut(files).iter_mut().try_for_each(|file| file.use_response(path))?;
        Ok(self)
    }

    /// Only good time inside these intervals, in seconds of the frame of each input.
    ///
    /// # Errors
    /// Nothing is left of an input.
    pub fn within(self, gti: &Gti) -> Result<Observation> {
        self.narrowed("time", &|_, own| Ok(own.intersect(gti)))
    }

    /// Good time intervals shorter by `margin` seconds at both ends, and only those that still last `shortest` seconds.
    ///
    /// # Errors
    /// Nothing is left of an input.
    pub fn trimmed(self, margin: f64, shortest: f64) -> Result<Observation> {
        if margin == 0.0 && shortest <= 0.0 {
            return Ok(self);
        }
        self.narrowed(if margin != 0.0 { "gti_margin" } else { "min_gti" }, &|_, own| Ok(own.trimmed(margin, shortest)))
    }

    /// The good time of each input as `narrow` makes it of the reference epoch of its frame, where it has one, and its own.
    ///
    /// # Errors
    /// Nothing is left of an input (`field` says what took it); those of `narrow`.
    pub fn narrowed(mut self, field: &'static str, narrow: Narrow) -> Result<Observation> {
        let left = |name: &str, gti: Gti| match gti.is_empty() {
            true => Err(Error::gti(name, "the selection of times leaves no interval").mended_by([Mend::field(field)])),
            false => Ok(gti),
        };
        match &mut self.content {
            Content::Files(files) => {
                for file in Arc::make_mut(files) {
                    file.gti = left(file.path(), narrow(file.clock.mjdref, &file.gti)?)?;
                }
            }
            Content::Times(photons) => {
                let Photons { times, values, gti } = &**photons;
                let gti = left("the times in memory", narrow(None, gti)?)?;
                let (times, values) = (times.clone(), values.clone());
                *photons = Arc::new(Photons { times, values, gti });
            }
            Content::LightCurves(curves) => {
                for curve in Arc::make_mut(curves) {
                    let gti = left(&curve.meta.record.first_input(), narrow(curve.meta.record.mjdref, &curve.gti)?)?;
                    *curve = curve.narrowed(gti, &mut self.warnings);
                }
            }
            Content::Pair(both) => {
                let [subject, reference] = &**both;
                let [a, b] = [subject, reference].map(|one| one.clone().narrowed(field, narrow));
                *both = Arc::new([a?, b?]);
            }
        }
        Ok(self)
    }

    /// How several event files make one product; without it they are averaged, and may not overlap in time.
    pub fn combine(self, combine: Combine) -> Observation {
        Observation { combine: Some(combine), ..self }
    }

    /// Files of different missions, instruments or energy scales may make one product: their detectors answer differently, so that an average is
    /// one of no instrument. Without it that is an error.
    pub fn mixed(self, mixed: bool) -> Observation {
        Observation { mixed, ..self }
    }

    /// Events weigh as a column of their files says, in folding and searches.
    ///
    /// # Errors
    /// There is no event file, or one without such a column.
    pub fn weights(self, column: &str) -> Result<Observation> {
        let Content::Files(files) = &self.content else {
            return Err(Error::argument("weights", column, "only event files have weights"));
        };
        files.iter().try_for_each(|file| file.weight_column(column).map(|_| ()))?;
        Ok(Observation { weights: Some(column.to_string()), ..self })
    }
}

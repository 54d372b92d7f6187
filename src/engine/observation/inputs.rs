//! The inputs of an observation, as analyses take them.

use std::borrow::Cow;

use super::{Content, Observation, PhotonValues, Photons};
use crate::base::error::{Error, Result};
use crate::base::mend::Mend;
use crate::base::warning::Warnings;
use crate::data::{ChannelRange, Gti, LightCurve};
use crate::engine::combine::{Combine, combined_gtis, union_of};
use crate::engine::event_pair::EventPair;
use crate::engine::photon_band::{NamedBand, PhotonBand};
use crate::engine::time_source::{Events, align};
use crate::io::{EventFile, Selection};

impl Observation {
    /// Reads all events through, and says what only that shows: their order, checksums, times that are no numbers.
    ///
    /// # Errors
    /// See [`Observation::open`]; a file cannot be read.
    pub fn examine(&self) -> Result<Warnings> {
        let mut warnings = Warnings::default();
        match &self.content {
            Content::Files(_) | Content::Times(_) => {
                let mut inputs = self.events(&mut warnings)?;
                inputs.iter_mut().try_for_each(|input| input.prepare(&mut warnings))?;
            }
            Content::Pair(both) => {
                both.iter().try_for_each(|part| part.examine().map(|found| warnings.extend(found)))?;
            }
            Content::LightCurves(_) => {}
        }
        Ok(warnings)
    }

    /// The field of the band that is selected, if one is.
    pub(in crate::engine) fn band_field(&self) -> Option<&'static str> {
        match (&self.content, self.band) {
            (Content::Pair(both), _) => both.iter().find_map(Observation::band_field),
            (_, Some(PhotonBand::Energy(..))) => Some("energy"),
            (_, Some(PhotonBand::Channels(..))) => Some("pi"),
            (_, None) => None,
        }
    }

    /// The column of the events' weights, if they have weights.
    pub(in crate::engine) fn weight_column(&self) -> Option<&str> {
        self.weights.as_deref()
    }

    /// The good time of all events, as they are combined.
    ///
    /// # Errors
    /// See [`Observation::events`].
    pub(in crate::engine) fn good_time(&self, warnings: &mut Warnings) -> Result<Gti> {
        let inputs = self.events(warnings)?;
        let gtis = combined_gtis(&inputs, self.combination(), warnings)?;
        union_of(&inputs, &gtis, self.combination())
    }

    /// How the inputs are combined, where it is open.
    pub(in crate::engine) fn combination(&self) -> Combine {
        self.combine.unwrap_or(Combine::Average)
    }

    /// The selection of a file's events.
    fn selection(&self, file: &EventFile) -> Result<Selection> {
        let channels = self.band.map(|band| band.channels(file, ("energy", "pi"))).transpose()?;
        Ok(Selection { channels, detectors: self.detectors.clone() })
    }

    /// All inputs in the frame of the first, none of them read.
    ///
    /// # Errors
    /// Times that cannot be joined; files that overlap although nobody said how to combine them; another kind.
    pub(in crate::engine) fn events(&self, warnings: &mut Warnings) -> Result<Vec<Events<'_>>> {
        let mut inputs = Vec::new();
        let energies = match self.band {
            Some(PhotonBand::Energy(lo, hi)) => Some([lo, hi]),
            _ => None,
        };
        match &self.content {
            Content::Files(files) => {
                for file in files.iter() {
                    let events = Events::from_unread_file(file, self.selection(file)?)?.of_energies(energies);
                    inputs.push(match &self.weights {
                        Some(column) => events.weighted(column)?,
                        None => events,
                    });
                }
            }
            Content::Times(photons) => inputs.push(photons.events(self.band, warnings)?),
            Content::LightCurves(_) | Content::Pair(_) => return Err(self.unexpected()),
        }
        self.alike(self.band, warnings)?;
        self.join(inputs)
    }

    /// Each input in some bands, none of them read, each in its own frame.
    ///
    /// # Errors
    /// Energies or channels that are not known; another kind.
    pub(in crate::engine) fn events_in_bands(
        &self,
        bands: &[NamedBand],
        warnings: &mut Warnings,
    ) -> Result<Vec<Events<'_>>> {
        let files = match &self.content {
            Content::Files(files) => files,
            Content::Times(photons) => return Ok(vec![photons.in_bands(bands, warnings)?]),
            Content::LightCurves(_) | Content::Pair(_) => return Err(self.unexpected()),
        };
        let mut inputs = Vec::new();
        for file in files.iter() {
            let range = |&(band, fields): &NamedBand| band.channels(file, fields);
            let ranges = bands.iter().map(range).collect::<Result<Vec<_>>>()?;
            inputs.push(match ranges.as_slice() {
                [_] => {
                    let selection =
                        Selection { channels: ranges.into_iter().next(), detectors: self.detectors.clone() };
                    Events::from_unread_file(file, selection)?
                }
                several => Events::from_bands(file, several, self.detectors.clone())?,
            });
        }
        Ok(inputs)
    }

    /// Inputs in the frame of the first.
    ///
    /// # Errors
    /// See [`Observation::events`].
    pub(in crate::engine) fn join<'a>(&self, mut inputs: Vec<Events<'a>>) -> Result<Vec<Events<'a>>> {
        align(&mut inputs)?;
        if self.combine.is_none() {
            for (i, a) in inputs.iter().enumerate() {
                if let Some(b) = inputs[..i].iter().find(|b| !a.gti.intersect(&b.gti).is_empty()) {
                    let message = format!(
                        "{} and {} overlap in time: `merge` sums their events (simultaneous detectors), `average` averages \
                         their spectra",
                        b.name, a.name
                    );
                    return Err(Error::argument("combine", "", message));
                }
            }
        }
        Ok(inputs)
    }

    /// The subject's and the reference's events, one file each, in one frame.
    ///
    /// # Errors
    /// See [`Observation::events`]; a part has several files.
    pub(in crate::engine) fn pair_of_events(&self, warnings: &mut Warnings) -> Result<EventPair<'_>> {
        let Content::Pair(both) = &self.content else { return Err(self.unexpected()) };
        let mut inputs = Vec::new();
        // The reference's frame is that of both.
        for part in both.iter().rev() {
            let mut own = part.events(warnings)?;
            match (own.pop(), own.is_empty()) {
                (Some(one), true) => inputs.push(one),
                _ => return Err(Error::argument("files", part.files().len(), "each part of a pair is one file")),
            }
        }
        align(&mut inputs)?;
        match (inputs.pop(), inputs.pop()) {
            (Some(subject), Some(reference)) => Ok(EventPair { reference, subject }),
            _ => Err(self.unexpected()),
        }
    }

    /// The subject and the reference of a pair.
    ///
    /// # Errors
    /// It is no pair.
    pub(in crate::engine) fn parts(&self) -> Result<&[Observation; 2]> {
        match &self.content {
            Content::Pair(both) => Ok(both),
            _ => Err(self.unexpected()),
        }
    }

    /// The light curve of all inputs.
    ///
    /// # Errors
    /// See [`LightCurve::join`]; another kind.
    pub fn light_curve(&self) -> Result<LightCurve> {
        self.joined_curves(LightCurve::joined).map(Cow::into_owned)
    }

    /// The light curves of all inputs one behind the other, for averages of segments: their grids may be apart by parts of a bin.
    ///
    /// # Errors
    /// See [`Observation::light_curve`].
    #[doc(hidden)]
    pub fn light_curve_of_segments(&self, dt: Option<f64>) -> Result<Cow<'_, LightCurve>> {
        let joined = match self.joined_curves(LightCurve::join_segments)? {
            Cow::Borrowed(one) => return one.in_bins_of(dt),
            Cow::Owned(joined) => joined,
        };
        let coarser = match joined.in_bins_of(dt)? {
            Cow::Owned(coarser) => Some(coarser),
            Cow::Borrowed(_) => None,
        };
        Ok(Cow::Owned(coarser.unwrap_or(joined)))
    }

    fn joined_curves(&self, join: impl Fn(&[LightCurve]) -> Result<LightCurve>) -> Result<Cow<'_, LightCurve>> {
        match &self.content {
            Content::LightCurves(curves) => match &curves[..] {
                [one] => Ok(Cow::Borrowed(one)),
                several => {
                    self.alike_curves(several)?;
                    join(several).map(Cow::Owned)
                }
            },
            _ => Err(self.unexpected()),
        }
    }

    /// The subject's and the reference's light curve.
    ///
    /// # Errors
    /// See [`Observation::light_curve`].
    pub fn pair_of_light_curves(&self) -> Result<[LightCurve; 2]> {
        let Content::Pair(both) = &self.content else { return Err(self.unexpected()) };
        Ok([both[0].light_curve()?, both[1].light_curve()?])
    }

    fn unexpected(&self) -> Error {
        Error::argument("inputs", self.kind().name(), "where a light curve, or a pair of them, is looked for")
    }
}

impl Photons {
    /// The values that a band is of, and its range.
    pub(super) fn range(
        &self,
        band: PhotonBand,
        (of_energies, of_channels): (&'static str, &'static str),
    ) -> Result<(&[f64], ChannelRange)> {
        match (band, &self.values) {
            (PhotonBand::Energy(lo, hi), PhotonValues::Energies(values)) => {
                Ok((values, ChannelRange::energies(lo, hi)))
            }
            (PhotonBand::Channels(lo, hi), PhotonValues::Channels(values)) => {
                Ok((values, ChannelRange::channels(lo, hi)))
            }
            (PhotonBand::Energy(lo, hi), PhotonValues::Channels(_)) => {
                let message = "the photons in memory have channels, and no energies in keV";
                let mend = Mend::field(of_channels).doing("selects by what they have");
                Err(Error::argument(of_energies, format!("{lo}:{hi}"), message).mended_by([mend]))
            }
            (PhotonBand::Channels(lo, hi), PhotonValues::Energies(_)) => {
                let message = "the photons in memory have energies in keV, and no channels";
                let mend = Mend::field(of_energies).doing("selects by what they have");
                Err(Error::argument(of_channels, format!("{lo}:{hi}"), message).mended_by([mend]))
            }
            (PhotonBand::Energy(..), PhotonValues::None) => {
                Err(Error::argument(of_energies, "", "the times in memory have no energies"))
            }
            (PhotonBand::Channels(..), PhotonValues::None) => {
                Err(Error::argument(of_channels, "", "the times in memory have no channels"))
            }
        }
    }

    fn events(&self, band: Option<PhotonBand>, warnings: &mut Warnings) -> Result<Events<'_>> {
        match band {
            None => Ok(Events::from_slice(&self.times, self.gti.clone(), warnings)),
            Some(band) => self.in_bands(&[(band, ("energy", "pi"))], warnings),
        }
    }

    fn in_bands(&self, bands: &[NamedBand], warnings: &mut Warnings) -> Result<Events<'_>> {
        let (mut values, mut ranges): (&[f64], _) = (&[], Vec::new());
        for &(band, fields) in bands {
            let (of_band, range) = self.range(band, fields)?;
            values = of_band;
            ranges.push(range);
        }
        Events::from_channels(&self.times, values, &ranges, self.gti.clone(), warnings)
    }
}

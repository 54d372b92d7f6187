//! The inputs of an observation, as analyses take them.

use super::{Content, Observation, Photons};
use crate::base::error::{Error, Result};
use crate::base::warning::Warnings;
use crate::data::{Gti, LightCurve};
use crate::engine::combine::{Combine, combined_gtis, union_of};
use crate::engine::event_pair::EventPair;
use crate::engine::photon_band::PhotonBand;
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

    /// The numbers of the detectors that are selected.
    pub(in crate::engine) fn selected_detectors(&self) -> Option<Vec<i64>> {
        self.detectors.clone()
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
        self.joined_curves(LightCurve::joined)
    }

    /// The light curves of all inputs one behind the other, for averages of segments: their grids may be apart by parts of a bin.
    ///
    /// # Errors
    /// See [`Observation::light_curve`].
    #[doc(hidden)]
    pub fn light_curve_of_segments(&self) -> Result<LightCurve> {
        self.joined_curves(LightCurve::join_segments)
    }

    fn joined_curves(&self, join: impl Fn(&[LightCurve]) -> Result<LightCurve>) -> Result<LightCurve> {
        match &self.content {
            Content::LightCurves(curves) => match &curves[..] {
                [one] => Ok(one.clone()),
                several => {
                    self.alike_curves(several)?;
                    join(several)
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
    fn events(&self, band: Option<PhotonBand>, warnings: &mut Warnings) -> Result<Events<'_>> {
        let Some(channels) = self.channels.as_ref().filter(|_| band.is_some()) else {
            return Ok(Events::from_slice(&self.times, self.gti.clone(), warnings));
        };
        match band {
            Some(PhotonBand::Channels(lo, hi)) => {
                let range = crate::data::ChannelRange::channels(lo, hi);
                Events::from_channels(&self.times, channels, &[range], self.gti.clone(), warnings)
            }
            _ => Err(Error::argument("energy", "", "the energies of channels in memory are not known")),
        }
    }
}

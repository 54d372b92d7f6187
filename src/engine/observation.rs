//! What was seen: inputs of one kind, and what is selected of them.

use std::ops::{Range, RangeInclusive};
use std::path::Path;
use std::sync::Arc;

use super::photon_band::PhotonBand;
use super::time_source::{Events, align};
use super::{Combine, EventPair, combined_gtis, union_of};
use crate::base::error::{Error, Result};
use crate::base::mend::Mend;
use crate::base::text::count;
use crate::base::time::MjdRef;
use crate::base::warning::Warnings;
use crate::data::{Gti, LightCurve};
use crate::io::{EventFile, InputFile, OpenOptions, Selection, light_curve};

/// What was seen: event files, times in memory or light curves, or a pair of them, with what is selected of them.
///
/// Opening reads headers and intervals; events are read when an analysis runs. A clone shares what was opened.
#[derive(Clone)]
pub struct Observation {
    content: Content,
    band: Option<PhotonBand>,
    detectors: Option<Vec<i64>>,
    weights: Option<String>,
    combine: Option<Combine>,
    warnings: Warnings,
}

#[derive(Clone)]
enum Content {
    Files(Arc<Vec<EventFile>>),
    Times(Arc<Photons>),
    LightCurves(Arc<Vec<LightCurve>>),
    /// The subject and the reference, each of one kind.
    Pair(Arc<[Observation; 2]>),
}

/// Times in memory, in seconds of the frame of the intervals, and the channel of each, where there are channels.
struct Photons {
    times: Vec<f64>,
    channels: Option<Vec<f64>>,
    gti: Gti,
}

/// Good time as a selection makes it of the reference epoch of a frame, where it has one, and of an input's own.
pub type Narrow<'a> = &'a dyn Fn(Option<MjdRef>, &Gti) -> Result<Gti>;

/// What an observation holds.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ObservationKind {
    /// Events of files, or times in memory.
    Events,
    /// Light curves, joined one after the other.
    LightCurve,
    /// Two observations of events: the subject and the reference.
    EventPair,
    /// Two light curves: the subject and the reference.
    LightCurvePair,
}

impl ObservationKind {
    /// All of them.
    pub const ALL: [ObservationKind; 4] = [
        ObservationKind::Events,
        ObservationKind::LightCurve,
        ObservationKind::EventPair,
        ObservationKind::LightCurvePair,
    ];

    /// What users call it.
    pub fn name(self) -> &'static str {
        match self {
            ObservationKind::Events => "events",
            ObservationKind::LightCurve => "a light curve",
            ObservationKind::EventPair => "a pair of events",
            ObservationKind::LightCurvePair => "a pair of light curves",
        }
    }
}

impl Observation {
    /// Opens event files or light curves, which their content tells apart. Several event files are averaged, each with segments of its
    /// own ([`Combine::Average`]), unless they overlap in time; several light curves are joined.
    ///
    /// # Errors
    /// See [`Observation::open_with`].
    pub fn open<P: AsRef<Path>>(paths: impl IntoIterator<Item = P>) -> Result<Observation> {
        Observation::open_with(paths, &OpenOptions::default())
    }

    /// [`Observation::open`], with options: intervals, columns, detectors.
    ///
    /// # Errors
    /// See [`EventFile::open`] and [`light_curve::read`]; two files of the same content; files of both kinds; no file at all.
    pub fn open_with<P: AsRef<Path>>(paths: impl IntoIterator<Item = P>, options: &OpenOptions) -> Result<Observation> {
        let mut warnings = Warnings::default();
        let sources = paths.into_iter().map(|path| InputFile::open(path.as_ref())).collect::<Result<Vec<_>>>()?;
        InputFile::refuse_duplicates(&sources)?;
        let named = options.extension.is_some() || options.time_column.is_some();
        let (mut files, mut curves) = (Vec::new(), Vec::new());
        for source in sources {
            match if named { None } else { light_curve::read(&source, &options.gti, &mut warnings)? } {
                // Bins outside of the good time are none of its.
                Some(curve) => {
                    let gti = curve.gti.clone();
                    curves.push(curve.within(gti));
                }
                None => files.push(EventFile::from_input_file(source, options, &mut warnings)?),
            }
        }
        let content = match (files.first(), curves.is_empty()) {
            (None, true) => return Err(Error::argument("files", 0, "at least one is needed")),
            (Some(file), false) => {
                return Err(Error::argument("files", file.path(), "holds events, but another file a light curve"));
            }
            (Some(_), true) => Content::Files(Arc::new(files)),
            (None, false) => {
                if options.detectors.is_some() {
                    return Err(Error::argument("detectors", "", "a light curve has no events to select"));
                }
                Content::LightCurves(Arc::new(curves))
            }
        };
        let detectors = options.detectors.clone();
        Ok(Observation { detectors, warnings, ..Observation::of(content) })
    }

    /// Event times in memory, seconds in the frame of `gti`, in any order.
    pub fn times(times: Vec<f64>, gti: Gti) -> Observation {
        Observation::of(Content::Times(Arc::new(Photons { times, channels: None, gti })))
    }

    /// Event times in memory and the channel (or energy) of each.
    ///
    /// # Errors
    /// As many channels as times are needed.
    pub fn photons(times: Vec<f64>, channels: Vec<f64>, gti: Gti) -> Result<Observation> {
        if times.len() != channels.len() {
            let message = format!("there are {}", count(times.len() as u64, "time"));
            return Err(Error::argument("channels", channels.len(), message));
        }
        Ok(Observation::of(Content::Times(Arc::new(Photons { times, channels: Some(channels), gti }))))
    }

    /// Light curves in memory, which are joined.
    pub fn light_curves(curves: impl IntoIterator<Item = LightCurve>) -> Observation {
        Observation::of(Content::LightCurves(Arc::new(curves.into_iter().collect())))
    }

    /// The subject and the reference of a comparison: two observations of events, or two light curves. Lags are positive where the
    /// subject is late.
    ///
    /// # Errors
    /// One holds events and the other a light curve, or one is a pair.
    pub fn pair(subject: Observation, reference: Observation) -> Result<Observation> {
        let kinds = [subject.kind(), reference.kind()];
        let held = subject.files().into_iter().chain(reference.files()).next();
        if let (true, Some(file)) = (kinds.contains(&ObservationKind::LightCurve) && kinds[0] != kinds[1], held) {
            return Err(Error::argument(
                "files",
                file.path(),
                "holds events, but the other side of the pair is a light curve",
            ));
        }
        if kinds[0] != kinds[1] || !matches!(kinds[0], ObservationKind::Events | ObservationKind::LightCurve) {
            let message = format!("cannot be compared with {}", kinds[1].name());
            return Err(Error::argument("reference", kinds[0].name(), message));
        }
        InputFile::refuse_duplicates(subject.files().into_iter().chain(reference.files()).map(EventFile::source))?;
        let mut warnings = subject.warnings.clone();
        warnings.extend(reference.warnings.clone());
        Ok(Observation { warnings, ..Observation::of(Content::Pair(Arc::new([subject, reference]))) })
    }

    fn of(content: Content) -> Observation {
        let warnings = Warnings::default();
        Observation { content, band: None, detectors: None, weights: None, combine: None, warnings }
    }

    /// Only photons of energies `lo ≤ E < hi`, keV.
    ///
    /// # Errors
    /// A light curve has no energies; the energies of a file are not known, or none is in the band.
    pub fn energy(self, energies: Range<f64>) -> Result<Observation> {
        self.band(PhotonBand::Energy(energies.start, energies.end))
    }

    /// Only photons of the channels of a range.
    ///
    /// # Errors
    /// A light curve has no channels.
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
            Content::Times(photons) if photons.channels.is_some() => {}
            Content::Times(_) => return Err(Error::argument(field, "", "the times in memory have no channels")),
            Content::LightCurves(_) => {
                return Err(Error::argument(field, "", "a light curve has no events to select"));
            }
            Content::Pair(_) => return Err(Error::argument(field, "", "select in both parts of a pair")),
        }
        Ok(Observation { band: Some(band), ..self })
    }

    /// Energies of channels from the EBOUNDS extension of a response file.
    ///
    /// # Errors
    /// There is no event file; the response cannot be read or does not fit.
    pub fn response(mut self, path: &Path) -> Result<Observation> {
        let Content::Files(files) = &mut self.content else {
            return Err(Error::argument("rmf", path.display(), "only event files have channels with energies"));
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
                let Photons { times, channels, gti } = &**photons;
                let gti = left("the times in memory", narrow(None, gti)?)?;
                let (times, channels) = (times.clone(), channels.clone());
                *photons = Arc::new(Photons { times, channels, gti });
            }
            Content::LightCurves(curves) => {
                for curve in Arc::make_mut(curves) {
                    *curve = curve.within(left("a light curve", narrow(curve.meta.record.mjdref, &curve.gti)?)?);
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
    #[must_use]
    pub fn combine(self, combine: Combine) -> Observation {
        Observation { combine: Some(combine), ..self }
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

    /// What it holds.
    pub fn kind(&self) -> ObservationKind {
        match &self.content {
            Content::Files(_) | Content::Times(_) => ObservationKind::Events,
            Content::LightCurves(_) => ObservationKind::LightCurve,
            Content::Pair(both) => match both[0].kind() {
                ObservationKind::LightCurve => ObservationKind::LightCurvePair,
                _ => ObservationKind::EventPair,
            },
        }
    }

    /// What was odd about the inputs when they were opened.
    pub fn warnings(&self) -> &Warnings {
        &self.warnings
    }

    /// The event files; those of both parts of a pair, the subject's first.
    pub fn files(&self) -> Vec<&EventFile> {
        match &self.content {
            Content::Files(files) => files.iter().collect(),
            Content::Pair(both) => both.iter().flat_map(Observation::files).collect(),
            Content::Times(_) | Content::LightCurves(_) => Vec::new(),
        }
    }

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
    pub(super) fn band_field(&self) -> Option<&'static str> {
        match (&self.content, self.band) {
            (Content::Pair(both), _) => both.iter().find_map(Observation::band_field),
            (_, Some(PhotonBand::Energy(..))) => Some("energy"),
            (_, Some(PhotonBand::Channels(..))) => Some("pi"),
            (_, None) => None,
        }
    }

    /// The column of the events' weights, if they have weights.
    pub(super) fn weight_column(&self) -> Option<&str> {
        self.weights.as_deref()
    }

    /// The good time of all events, as they are combined.
    ///
    /// # Errors
    /// See [`Observation::events`].
    pub(super) fn good_time(&self, warnings: &mut Warnings) -> Result<Gti> {
        let inputs = self.events(warnings)?;
        let gtis = combined_gtis(&inputs, self.combination(), warnings)?;
        union_of(&inputs, &gtis, self.combination())
    }

    /// How the inputs are combined, where it is open.
    pub(super) fn combination(&self) -> Combine {
        self.combine.unwrap_or(Combine::Average)
    }

    /// The selection of a file's events.
    fn selection(&self, file: &EventFile) -> Result<Selection> {
        let channels = self.band.map(|band| band.channels(file, ("energy", "pi"))).transpose()?;
        Ok(Selection { channels, detectors: self.detectors.clone() })
    }

    /// The numbers of the detectors that are selected.
    pub(super) fn selected_detectors(&self) -> Option<Vec<i64>> {
        self.detectors.clone()
    }

    /// All inputs in the frame of the first, none of them read.
    ///
    /// # Errors
    /// Times that cannot be joined; files that overlap although nobody said how to combine them; another kind.
    pub(super) fn events(&self, warnings: &mut Warnings) -> Result<Vec<Events<'_>>> {
        let mut inputs = Vec::new();
        match &self.content {
            Content::Files(files) => {
                for file in files.iter() {
                    let events = Events::from_unread_file(file, self.selection(file)?)?;
                    inputs.push(match &self.weights {
                        Some(column) => events.weighted(column)?,
                        None => events,
                    });
                }
            }
            Content::Times(photons) => inputs.push(photons.events(self.band, warnings)?),
            Content::LightCurves(_) | Content::Pair(_) => return Err(self.unexpected()),
        }
        self.join(inputs)
    }

    /// Inputs in the frame of the first.
    ///
    /// # Errors
    /// See [`Observation::events`].
    pub(super) fn join<'a>(&self, mut inputs: Vec<Events<'a>>) -> Result<Vec<Events<'a>>> {
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
    pub(super) fn pair_of_events(&self, warnings: &mut Warnings) -> Result<EventPair<'_>> {
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
    pub(super) fn parts(&self) -> Result<&[Observation; 2]> {
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
        match &self.content {
            Content::LightCurves(curves) => match &curves[..] {
                [one] => Ok(one.clone()),
                several => LightCurve::join(several),
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
        Error::argument("inputs", self.kind().name(), "is not what is looked for here")
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

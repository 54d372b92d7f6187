//! What was seen: inputs of one kind, and what is selected of them.

mod alike;
mod detectors;
mod inputs;
mod selection;

pub(super) use alike::{refuse_mixed, refuse_unlike};

use std::path::Path;
use std::sync::Arc;

use super::Combine;
use super::photon_band::PhotonBand;
use crate::base::error::{Error, Result};
use crate::base::mend::Mend;
use crate::base::text::count;
use crate::base::time::MjdRef;
use crate::base::warning::{Warning, Warnings};
use crate::data::{Gti, LightCurve};
use crate::io::{EventFile, InputFile, OpenOptions, light_curve};

/// What was seen: event files, times in memory or light curves, or a pair of them, with what is selected of them.
///
/// Opening reads headers and intervals; events are read when an analysis runs. A clone shares what was opened.
#[must_use]
#[derive(Clone)]
pub struct Observation {
    content: Content,
    band: Option<PhotonBand>,
    detectors: Option<Vec<i64>>,
    weights: Option<String>,
    combine: Option<Combine>,
    mixed: bool,
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

/// Times in memory, in seconds of the frame of the intervals, and the channel or energy of each, where there are such.
struct Photons {
    times: Vec<f64>,
    values: PhotonValues,
    gti: Gti,
}

/// What photons in memory are told apart by.
#[derive(Clone)]
enum PhotonValues {
    None,
    Channels(Vec<f64>),
    /// In keV.
    Energies(Vec<f64>),
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

    /// The kind in words, for messages.
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
        let events = options.extension.is_some() || options.time_column.is_some();
        let named = events && options.rate_column.is_none();
        let (mut files, mut curves) = (Vec::new(), Vec::new());
        for source in sources {
            match if named { None } else { light_curve::read(&source, options, &mut warnings)? } {
                // Bins outside of the good time are none of its.
                Some(read) => curves.push(read.curve.narrowed(read.chosen, &mut warnings)),
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
        Ok(Observation { detectors, mixed: options.mixed, warnings, ..Observation::of(content) })
    }

    /// Event times in memory, seconds in the frame of `gti`, in any order.
    pub fn times(times: Vec<f64>, gti: Gti) -> Observation {
        Observation::of(Content::Times(Arc::new(Photons { times, values: PhotonValues::None, gti })))
    }

    /// Event times in memory, and the channel of each, by which bands of channels select.
    ///
    /// # Errors
    /// As many channels as times are needed.
    pub fn photons(times: Vec<f64>, channels: Vec<f64>, gti: Gti) -> Result<Observation> {
        as_many("channels", &channels, &times)?;
        Ok(Observation::of(Content::Times(Arc::new(Photons { times, values: PhotonValues::Channels(channels), gti }))))
    }

    /// Event times in memory, and the energy of each, keV, by which bands of energies select.
    ///
    /// # Errors
    /// As many energies as times are needed.
    pub fn photons_of_energies(times: Vec<f64>, energies: Vec<f64>, gti: Gti) -> Result<Observation> {
        as_many("energies", &energies, &times)?;
        Ok(Observation::of(Content::Times(Arc::new(Photons { times, values: PhotonValues::Energies(energies), gti }))))
    }

    /// Light curves in memory, which are joined.
    pub fn light_curves(curves: impl IntoIterator<Item = LightCurve>) -> Observation {
        Observation::of(Content::LightCurves(Arc::new(curves.into_iter().map(LightCurve::accounted).collect())))
    }

    /// The subject and the reference of a comparison: two observations of events, or two light curves. Lags are positive where the
    /// subject is late.
    ///
    /// # Errors
    /// One holds events and the other a light curve, one is a pair, or both have a file in common: two bands of one file are
    /// [`CrossSpectrum::bands`](crate::CrossSpectrum::bands).
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
        let sources = subject.files().into_iter().chain(reference.files()).map(EventFile::source);
        InputFile::refuse_duplicates(sources)
            .map_err(|e| e.mended_by([Mend::field("bands").doing("takes two bands of one file")]))?;
        let mut warnings = subject.warnings.clone();
        warnings.extend(reference.warnings.clone());
        Ok(Observation { warnings, ..Observation::of(Content::Pair(Arc::new([subject, reference]))) })
    }

    fn of(content: Content) -> Observation {
        let warnings = Warnings::default();
        Observation { content, band: None, detectors: None, weights: None, combine: None, mixed: false, warnings }
    }

    /// The kind of data that the observation holds.
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

    /// With something else that was odd about the inputs.
    #[doc(hidden)]
    pub fn warned(mut self, warning: Warning) -> Observation {
        self.warnings.record(warning);
        self
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
}

/// Refuses values that are not one of each time.
fn as_many(field: &str, values: &[f64], times: &[f64]) -> Result<()> {
    if times.len() == values.len() {
        return Ok(());
    }
    Err(Error::argument(field, values.len(), format!("there are {}", count(times.len() as u64, "time"))))
}

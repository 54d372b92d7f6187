//! Options that several commands share.

use std::path::PathBuf;

use clap::{Args, ValueEnum};

use crate::names;
use crate::number::{integer, number, positive};
use eagleray::data::{ChannelRange, Gti, LightCurve};
use eagleray::engine::{Combine, Events, align};
use eagleray::internal::text::count;
use eagleray::io::{EventFile, GtiSource, InputFile, OpenOptions, Selection, light_curve};
use eagleray::time::{DoubleDouble, MjdRef, SECONDS_PER_DAY};
use eagleray::{Error, Mend, Result, Warnings};

/// Which events of which files.
#[derive(Args, Clone, Debug)]
pub struct InputArgs {
    /// Event files (FITS, plain or gzip); @LIST names a text file with one name a line
    #[arg(required = true, value_name = "FILE")]
    pub files: Vec<PathBuf>,
    /// Energy band in keV, LO <= E < HI
    #[arg(long, value_name = "LO:HI", value_parser = pair, allow_hyphen_values = true)]
    pub energy: Option<(f64, f64)>,
    /// Range of channels, both included
    #[arg(long, value_name = "LO:HI", value_parser = pair, conflicts_with = "energy", allow_hyphen_values = true)]
    pub pi: Option<(f64, f64)>,
    /// Energies of the channels from the EBOUNDS extension of a response file, for bands in keV
    #[arg(long, value_name = "FILE")]
    pub rmf: Option<PathBuf>,
    /// Good time intervals: a FITS file, `FILE[EXT]`, or text of two columns in seconds of the file's frame
    #[arg(long, value_name = "FILE")]
    pub gti: Option<String>,
    /// Use the whole span of the events instead of good time intervals
    #[arg(long, conflicts_with = "gti")]
    pub no_gti: bool,
    /// Leave out intervals shorter than this, s
    #[arg(long, value_name = "S", value_parser = not_negative, default_value = "0")]
    pub min_gti: f64,
    /// Shorten intervals by this at both ends, s
    #[arg(long, value_name = "S", value_parser = not_negative, default_value = "0")]
    pub gti_margin: f64,
    /// Only this time: mission seconds, or MJD with the suffix d (55000.1d:55000.2d)
    #[arg(long, value_name = "LO:HI", allow_hyphen_values = true)]
    pub time: Option<String>,
    /// Column with the times
    #[arg(long, value_name = "NAME")]
    pub time_column: Option<String>,
    /// Name or number of the events extension
    #[arg(long, value_name = "EXT")]
    pub extension: Option<String>,
    /// Only these detectors, separated by commas; `info` names the column and those that have events
    #[arg(long, value_name = "LIST", value_delimiter = ',', value_parser = integer)]
    pub detector: Option<Vec<i64>>,
    /// Several files: `average` (each its own segments) or `merge` (simultaneous: events summed, intervals intersected)
    #[arg(long, value_enum)]
    pub combine: Option<CombineArg>,
    /// Keep the whole rows of a file that was cut off
    #[arg(long)]
    pub salvage: bool,
}

/// See [`Combine`].
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub enum CombineArg {
    /// Each file has its own segments.
    Average,
    /// Simultaneous files: events summed, intervals intersected.
    Merge,
}

/// The peer whose rules can be asked for.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub enum Compat {
    /// Stingray 2.3.2.
    Stingray,
}

/// Parses `LO:HI` with `LO ≤ HI`.
fn pair(text: &str) -> Result<(f64, f64), String> {
    let (lo, hi) = text.split_once(':').ok_or_else(|| format!("`{text}` is not LO:HI"))?;
    let (lo, hi) = (number(lo)?, number(hi)?);
    if lo <= hi { Ok((lo, hi)) } else { Err(format!("`{text}`: the lower bound is above the upper one")) }
}

/// A number that is not negative.
pub fn not_negative(text: &str) -> Result<f64, String> {
    match number(text)? {
        value if value >= 0.0 => Ok(value),
        value => Err(format!("{value} must not be negative")),
    }
}

/// A number above zero, as clap wants its parsers.
pub fn seconds(text: &str) -> Result<f64, String> {
    positive(text)
}

impl InputArgs {
    /// Refuses an output that would replace one of the inputs.
    ///
    /// # Errors
    /// The output is an event file, a list of files, or the file of the intervals or the response.
    pub fn check_output(&self, output: &str) -> Result<()> {
        let Ok(output_file) = std::fs::canonicalize(output) else { return Ok(()) };
        let named = self.files.iter().map(|f| f.to_string_lossy().trim_start_matches('@').to_string());
        let given = self.gti.iter().cloned().chain(self.rmf.iter().map(|f| f.display().to_string()));
        for input in named.chain(given) {
            if std::fs::canonicalize(&input).is_ok_and(|file| file == output_file) {
                return Err(Error::argument("output", output, "is one of the inputs, which would be lost"));
            }
        }
        Ok(())
    }

    fn open_options(&self, compat_stingray: bool) -> OpenOptions {
        OpenOptions {
            gti: match &self.gti {
                Some(file) => GtiSource::Given(file.clone()),
                None if self.no_gti => GtiSource::Span,
                None => GtiSource::File,
            },
            time_column: self.time_column.clone(),
            extension: self.extension.clone(),
            salvage: self.salvage,
            detectors: self.detector.clone(),
            compat_stingray,
        }
    }

    fn open_events(&self, source: InputFile, options: &OpenOptions, warnings: &mut Warnings) -> Result<EventFile> {
        let mut file = EventFile::from_input_file(source, options, warnings)?;
        if let Some(response) = &self.rmf {
            file.use_response(response)?;
        }
        let gti = std::mem::take(&mut file.gti);
        file.gti = self.narrow(file.path(), file.clock.mjdref, gti)?;
        Ok(file)
    }

    /// Opens each file for itself, recognised by its content.
    ///
    /// # Errors
    /// See [`EventFile::open`] and [`light_curve::read`].
    pub fn open_each(&self, compat_stingray: bool, warnings: &mut Warnings) -> Result<Vec<FileContents>> {
        let options = self.open_options(compat_stingray);
        let named = self.extension.is_some() || self.time_column.is_some();
        let mut held = Vec::new();
        let sources =
            expand_lists(&self.files)?.iter().map(|path| InputFile::open(path)).collect::<Result<Vec<_>>>()?;
        InputFile::refuse_duplicates(&sources)?;
        for source in sources {
            let binned = if named { None } else { light_curve::read(&source, &options.gti, warnings)? };
            held.push(match binned {
                Some(one) => {
                    let gti = self.narrow(source.path(), one.meta.record.mjdref, one.gti.clone())?;
                    let format = if source.is_fits() { "FITS" } else { "text" };
                    FileContents::Series(Box::new(one.within(gti)), format)
                }
                None => FileContents::Events(Box::new(self.open_events(source, &options, warnings)?)),
            });
        }
        Ok(held)
    }

    /// True when not all events of a file are asked for.
    pub fn selects(&self) -> bool {
        self.energy.is_some() || self.pi.is_some() || self.detector.is_some() || self.rmf.is_some()
    }

    /// Refuses options that select events, for a light curve.
    ///
    /// # Errors
    /// One of them is given.
    pub fn refuse_selection(&self) -> Result<()> {
        let refuse = |field: &str| Err(Error::argument(field, "", "a light curve has no events to select"));
        match () {
            () if self.energy.is_some() => refuse("energy"),
            () if self.pi.is_some() => refuse("pi"),
            () if self.rmf.is_some() => refuse("rmf"),
            () if self.detector.is_some() => refuse("detector"),
            () => Ok(()),
        }
    }

    /// Opens all files, which hold events or light curves; not both.
    ///
    /// # Errors
    /// See [`InputArgs::open_each`]; files of both kinds; options that select events of a light curve.
    pub fn open_any(&self, compat_stingray: bool, warnings: &mut Warnings) -> Result<OpenedInputs> {
        let (mut files, mut series) = (Vec::new(), Vec::new());
        for one in self.open_each(compat_stingray, warnings)? {
            match one {
                FileContents::Events(file) => files.push(*file),
                FileContents::Series(one, _) => series.push(*one),
            }
        }
        if series.is_empty() {
            return Ok(OpenedInputs::Events(files));
        }
        let refuse = |field: &str, value: &str, message: &str| Err(Error::argument(field, value, message));
        if let Some(file) = files.first() {
            return refuse("files", file.path(), "holds events, but another file a light curve");
        }
        self.refuse_selection()?;
        if self.combine == Some(CombineArg::Merge) {
            return refuse("combine", "merge", "light curves are joined one after the other");
        }
        LightCurve::join(&series).map(|one| OpenedInputs::Series(Box::new(one)))
    }

    /// Opens all files for a cross spectrum: events, or two light curves, the subject's and the reference's.
    ///
    /// # Errors
    /// As for [`InputArgs::open_any`]; another number of light curves than two.
    pub fn open_pair(&self, compat_stingray: bool, warnings: &mut Warnings) -> Result<OpenedPair> {
        let (mut files, mut series) = (Vec::new(), Vec::new());
        for held in self.open_each(compat_stingray, warnings)? {
            match held {
                FileContents::Events(file) => files.push(*file),
                FileContents::Series(one, _) => series.push(*one),
            }
        }
        if series.is_empty() {
            return Ok(OpenedPair::Events(files));
        }
        if let Some(file) = files.first() {
            return Err(Error::argument("files", file.path(), "holds events, but another file a light curve"));
        }
        self.refuse_selection()?;
        let number = count(series.len() as u64, "light curve");
        let both = <[LightCurve; 2]>::try_from(series)
            .map_err(|_| Error::argument("files", number, "two are needed: the subject's and the reference's"));
        both.map(|both| OpenedPair::Series(Box::new(both)))
    }

    /// Applies `--gti-margin`, `--min-gti` and `--time` to the intervals of a file.
    fn narrow(&self, path: &str, mjdref: Option<MjdRef>, mut gti: Gti) -> Result<Gti> {
        let left = |gti: Gti, what: &str| {
            if gti.is_empty() {
                return Err(Error::gti(path, format!("{what} leaves no interval")));
            }
            Ok(gti)
        };
        if self.gti_margin != 0.0 || self.min_gti > 0.0 {
            gti = left(gti.trimmed(self.gti_margin, self.min_gti), "--gti-margin or --min-gti")?;
        }
        if let Some(text) = &self.time {
            let range = self.time_range(text, mjdref)?;
            let window = Gti::new("--time", vec![range], false, &mut Warnings::default())?;
            gti = left(gti.intersect(&window), &format!("--time {text}"))?;
        }
        Ok(gti)
    }

    fn time_range(&self, text: &str, mjdref: Option<MjdRef>) -> Result<(DoubleDouble, DoubleDouble)> {
        let bad = |message: &str| Error::argument("time", text, message);
        let (lo, hi) = text.split_once(':').ok_or_else(|| bad("must be LO:HI"))?;
        let one = |bound: &str| -> Result<DoubleDouble> {
            let Some(mjd) = bound.strip_suffix('d') else {
                return number(bound).map(DoubleDouble::from).map_err(|e| bad(&e));
            };
            let mjd = number(mjd).map_err(|e| bad(&e))?;
            let epoch = mjdref.ok_or_else(|| bad("the file has no MJDREF, so MJD means nothing in it"))?;
            Ok((DoubleDouble::sum(mjd, -(epoch.day as f64)) - DoubleDouble::from(epoch.fraction)) * SECONDS_PER_DAY)
        };
        let (lo, hi) = (one(lo)?, one(hi)?);
        if lo < hi { Ok((lo, hi)) } else { Err(bad("the lower bound must be below the upper one")) }
    }

    /// The selection of events in one file; what was resolved is told by `say`.
    ///
    /// # Errors
    /// A band in a file whose channels have no known energies.
    pub fn selection(&self, file: &EventFile, say: &mut dyn FnMut(String)) -> Result<Selection> {
        let channels = match (self.energy, self.pi) {
            (Some((lo, hi)), _) => {
                let range = channels_of_band(file, ("energy", "pi"), lo, hi)?;
                let name = file.channel_name().unwrap_or_default();
                let bracket = if range.closed { ']' } else { ')' };
                let first = range.detector0.map_or(String::new(), |(lo, hi)| format!(", [{lo}, {hi}] in detector 0"));
                say(format!("{lo} to {hi} keV is {name} in [{}, {}{bracket}{first}", range.lo, range.hi));
                Some(range)
            }
            (None, Some((lo, hi))) => Some(ChannelRange::channels(lo, hi)),
            (None, None) => None,
        };
        Ok(Selection { channels, detectors: self.detector.clone() })
    }

    /// All files as inputs of an analysis, in the frame of the first.
    ///
    /// # Errors
    /// Times that cannot be joined; files that overlap without `--combine`.
    pub fn inputs<'a>(
        &self,
        files: &'a [EventFile],
        warnings: &mut Warnings,
        say: &mut dyn FnMut(String),
    ) -> Result<(Vec<Events<'a>>, Combine)> {
        let (mut inputs, combine) = self.unread_inputs(files, say)?;
        inputs.iter_mut().try_for_each(|input| input.prepare(warnings))?;
        Ok((inputs, combine))
    }

    /// [`InputArgs::inputs`], with nothing read of their events, and nothing warned of that only reading tells.
    ///
    /// # Errors
    /// See [`InputArgs::inputs`].
    pub fn unread_inputs<'a>(
        &self,
        files: &'a [EventFile],
        say: &mut dyn FnMut(String),
    ) -> Result<(Vec<Events<'a>>, Combine)> {
        let mut inputs = Vec::new();
        for file in files {
            inputs.push(Events::from_unread_file(file, self.selection(file, say)?)?);
        }
        self.join(inputs)
    }

    /// Inputs in the frame of the first, and how they are combined.
    ///
    /// # Errors
    /// See [`InputArgs::inputs`].
    pub fn join<'a>(&self, mut inputs: Vec<Events<'a>>) -> Result<(Vec<Events<'a>>, Combine)> {
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
        let combine = if self.combine == Some(CombineArg::Merge) { Combine::Merge } else { Combine::Average };
        Ok((inputs, combine))
    }
}

/// The channels of a band in keV in one file. `fields` are that of the band, and that of bands in channels.
///
/// # Errors
/// The energies of channels are not known; no channel is in the band.
pub fn channels_of_band(file: &EventFile, fields: (&str, &'static str), lo: f64, hi: f64) -> Result<ChannelRange> {
    let (field, by_channel) = fields;
    let Some(scale) = &file.scale else {
        let message = format!("the energies of {} are not known", file.path());
        let mend = [Mend::field("rmf").doing("takes a response"), Mend::field(by_channel).doing("takes channels")];
        return Err(Error::argument(field, format!("{lo}:{hi}"), message).mended_by(mend));
    };
    scale.band(lo, hi).map_err(|error| match error {
        Error::Argument { value, message, mend, .. } => {
            Error::Argument { field: field.to_string(), value, message, mend }
        }
        other => other,
    })
}

/// What one input file holds.
pub enum FileContents {
    /// Events.
    Events(Box<EventFile>),
    /// A light curve, and whether text or FITS holds it.
    Series(Box<LightCurve>, &'static str),
}

/// What the input files hold.
pub enum OpenedInputs {
    /// Events.
    Events(Vec<EventFile>),
    /// One light curve, joined from all files.
    Series(Box<LightCurve>),
}

/// What the input files of a cross spectrum hold.
pub enum OpenedPair {
    /// Events.
    Events(Vec<EventFile>),
    /// The subject and the reference.
    Series(Box<[LightCurve; 2]>),
}

/// Names of files with each `@LIST` replaced by the names in it: one a line, relative to the working directory; `#` begins
/// a comment.
///
/// # Errors
/// A list that cannot be read, or that names no file.
pub fn expand_lists(names: &[PathBuf]) -> Result<Vec<PathBuf>> {
    let mut files = Vec::new();
    for name in names {
        let Some(list) = name.to_str().and_then(|n| n.strip_prefix('@')).filter(|_| !name.exists()) else {
            files.push(name.clone());
            continue;
        };
        let text = std::fs::read_to_string(list).map_err(|e| Error::io(list, e))?;
        let lines = text.lines().map(|line| line.split('#').next().unwrap_or("").trim());
        let before = files.len();
        files.extend(lines.filter(|line| !line.is_empty()).map(PathBuf::from));
        if files.len() == before {
            return Err(Error::argument("files", name.display(), "the list names no file"));
        }
    }
    Ok(files)
}

/// Prints warnings on stderr, or turns the first into an error.
///
/// # Errors
/// `strict` and a warning.
pub fn report(warnings: &Warnings, strict: bool, quiet: bool) -> Result<()> {
    for warning in warnings.iter() {
        if strict {
            return Err(Error::Strict(warning.clone()));
        }
        if !quiet {
            eprintln!("eagleray: warning: {}", names::warning_text(warning));
        }
    }
    Ok(())
}

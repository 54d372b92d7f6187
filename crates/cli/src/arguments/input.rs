//! Options that several commands share.

use std::path::PathBuf;

use clap::{Args, ValueEnum};

use super::choice::choice;
use crate::number::{NumberRange, closed_range, integer, number, positive};
use eagleray::data::{ChannelRange, Gti};
use eagleray::error::Mend;
use eagleray::files::{EventFile, GtiSource, OpenOptions};
use eagleray::internal::io::text_file::read_text;
use eagleray::internal::text::count;
use eagleray::time::{DoubleDouble, MjdRef, SECONDS_PER_DAY};
use eagleray::{Combine, Observation, PhotonBand};
use eagleray::{Error, Result, Warning, Warnings};

/// Which events of which files.
#[derive(Args, Clone, Debug)]
pub struct InputArgs {
    /// Event files (FITS, plain or gzip); @LIST names a text file with one name a line
    #[arg(required = true, value_name = "FILE")]
    pub files: Vec<PathBuf>,
    /// Energy band in keV, LO <= E < HI
    #[arg(long, value_name = "LO:HI", value_parser = closed_range, allow_hyphen_values = true)]
    pub energy: Option<NumberRange>,
    /// Range of channels, both included
    #[arg(long, value_name = "LO:HI", value_parser = closed_range, conflicts_with = "energy", allow_hyphen_values = true)]
    pub pi: Option<NumberRange>,
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
    /// Column with the rates of a light curve, in any unit: any table becomes a light curve
    #[arg(long, value_name = "NAME")]
    pub rate_column: Option<String>,
    /// Column with the errors of the rates of --rate-column
    #[arg(long, value_name = "NAME", requires = "rate_column")]
    pub error_column: Option<String>,
    /// Name or number of the extension with the events, or with the light curve of --rate-column
    #[arg(long, value_name = "EXT")]
    pub extension: Option<String>,
    /// Only these detectors, separated by commas; `info` names the column and those that have events
    #[arg(long, value_name = "LIST", value_delimiter = ',', value_parser = detector_number, allow_hyphen_values = true)]
    pub detector: Option<Vec<i64>>,
    /// All detectors but these, separated by commas, where some are noisy: 14,34
    #[arg(long, value_name = "LIST", value_delimiter = ',', value_parser = detector_number, conflicts_with = "detector")]
    pub exclude_detector: Option<Vec<i64>>,
    /// Several files: `average` (each its own segments) or `merge` (simultaneous: events summed, intervals intersected)
    #[arg(long, value_parser = choice::<Combine>())]
    pub combine: Option<Combine>,
    /// Allow files of several missions, instruments or energy scales in one product, and intervals of another time system
    #[arg(long)]
    pub mixed: bool,
    /// Keep the whole rows of a file that was cut off
    #[arg(long)]
    pub salvage: bool,
}

/// The peer whose rules can be asked for.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub enum Compat {
    /// Stingray 2.3.2.
    Stingray,
}

/// A number that is not negative.
pub fn not_negative(text: &str) -> Result<f64, String> {
    match number(text)? {
        value if value >= 0.0 => Ok(value),
        value => Err(format!("{value} must not be negative")),
    }
}

/// The number of a detector.
fn detector_number(text: &str) -> Result<i64, String> {
    match integer(text)? {
        number if number >= 0 => Ok(number),
        number => Err(format!("{number} is no detector; --exclude-detector {} leaves one out", number.unsigned_abs())),
    }
}

/// A number above zero, as clap wants its parsers.
pub fn seconds(text: &str) -> Result<f64, String> {
    positive(text)
}

impl InputArgs {
    fn open_options(&self, compat_stingray: bool) -> OpenOptions {
        OpenOptions {
            gti: match &self.gti {
                Some(file) => GtiSource::Given(file.clone()),
                None if self.no_gti => GtiSource::Span,
                None => GtiSource::File,
            },
            time_column: self.time_column.clone(),
            rate_column: self.rate_column.clone(),
            error_column: self.error_column.clone(),
            extension: self.extension.clone(),
            salvage: self.salvage,
            detectors: self.detector.clone(),
            mixed: self.mixed,
            compat_stingray,
        }
    }

    /// All files as one observation; `say` is told what was resolved.
    ///
    /// # Errors
    /// See [`Observation::open_with`]; options that select events of a light curve; a selection that leaves nothing.
    pub fn observation(&self, compat_stingray: bool, say: &mut dyn FnMut(&str)) -> Result<Observation> {
        self.observe(&expand_lists(&self.files)?, compat_stingray, say)
    }

    /// The two files as a pair, the subject's first.
    ///
    /// # Errors
    /// See [`InputArgs::observation`]; another number of files than two.
    pub fn pair(&self, compat_stingray: bool, say: &mut dyn FnMut(&str)) -> Result<Observation> {
        let files = expand_lists(&self.files)?;
        let [subject, reference] = &files[..] else {
            let message = "two are needed: two files, the subject's and the reference's";
            let mend = [Mend::field("subject").and_field("reference").doing("two bands of each file")];
            return Err(Error::argument("files", count(files.len() as u64, "file"), message).mended_by(mend));
        };
        if self.combine == Some(Combine::Merge) {
            return Err(Error::argument("combine", "merge", "the sides of a cross spectrum stay apart"));
        }
        let mut side = |file: &PathBuf| self.observe(std::slice::from_ref(file), compat_stingray, say);
        Observation::pair(side(subject)?, side(reference)?)
    }

    /// One observation of some files.
    ///
    /// # Errors
    /// See [`InputArgs::observation`].
    pub fn observe(&self, files: &[PathBuf], compat_stingray: bool, say: &mut dyn FnMut(&str)) -> Result<Observation> {
        let (detectors, absent) = self.kept_detectors(files)?;
        let mut made = Observation::open_with(files, &OpenOptions { detectors, ..self.open_options(compat_stingray) })?;
        if let Some(warning) = absent {
            made = made.warned(warning);
        }
        if let Some(response) = &self.rmf {
            made = made.response(response)?;
        }
        made = made.trimmed(self.gti_margin, self.min_gti)?;
        if let Some(text) = &self.time {
            made = made.narrowed("time", &|mjdref, gti| {
                let window = Gti::new("", vec![time_range(text, mjdref)?], false, &mut Warnings::default())?;
                Ok(gti.intersect(&window))
            })?;
        }
        if let Some(band) = self.band() {
            made = made.band(band)?;
            self.tell_band(&made, say)?;
        }
        Ok(match self.combine {
            Some(combine) => made.combine(combine),
            None => made,
        })
    }

    /// The detectors that are selected in some files, all where there is nothing.
    ///
    /// # Errors
    /// What detectors the files have cannot be told, or none is left of them.
    pub fn detectors(&self, files: &[PathBuf]) -> Result<Option<Vec<i64>>> {
        self.kept_detectors(files).map(|(kept, _)| kept)
    }

    /// [`InputArgs::detectors`], and a warning of those that are to be left out and are not there.
    fn kept_detectors(&self, files: &[PathBuf]) -> Result<(Option<Vec<i64>>, Option<Warning>)> {
        match &self.exclude_detector {
            Some(excluded) => {
                let (kept, absent) = Observation::detectors_but(files, &self.open_options(false), excluded)?;
                Ok((Some(kept), absent))
            }
            None => Ok((self.detector.clone(), None)),
        }
    }

    /// The band that is selected.
    pub fn band(&self) -> Option<PhotonBand> {
        let energies = self.energy.map(|band| PhotonBand::Energy(band.lo, band.hi));
        energies.or(self.pi.map(|band| PhotonBand::Channels(band.lo, band.hi)))
    }

    /// Says which channels a band in keV is in each file.
    fn tell_band(&self, observation: &Observation, say: &mut dyn FnMut(&str)) -> Result<()> {
        let Some(band @ PhotonBand::Energy(lo, hi)) = self.band() else { return Ok(()) };
        for file in observation.files() {
            say(&band_in_words(file, lo, hi, &band.channels(file, ("energy", "pi"))?));
        }
        Ok(())
    }

    /// True when not all events of a file are asked for.
    pub fn selects(&self) -> bool {
        let detectors = self.detector.is_some() || self.exclude_detector.is_some();
        self.energy.is_some() || self.pi.is_some() || detectors || self.rmf.is_some()
    }
}

/// Which channels a band in keV is in a file.
pub fn band_in_words(file: &EventFile, lo: f64, hi: f64, range: &ChannelRange) -> String {
    let name = file.channel_name().unwrap_or_default();
    let bracket = if range.closed { ']' } else { ')' };
    let first = range.detector0.map_or(String::new(), |(lo, hi)| format!(", [{lo}, {hi}] in detector 0"));
    format!("{lo} to {hi} keV is {name} in [{}, {}{bracket}{first}", range.lo, range.hi)
}

/// The range of `--time` in a frame, s.
fn time_range(text: &str, mjdref: Option<MjdRef>) -> Result<(DoubleDouble, DoubleDouble)> {
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

/// The most names of a list: of each file headers and intervals are held.
const MOST_NAMES: usize = 100_000;
/// Bytes of the longest list.
const LONGEST_LIST: u64 = 32_000_000;

/// Names of files with each `@LIST` replaced by the names in it: one a line, relative to the working directory; `#` begins
/// a comment.
///
/// # Errors
/// A list that cannot be read, that is too long, or that names no file or too many.
pub fn expand_lists(names: &[PathBuf]) -> Result<Vec<PathBuf>> {
    let mut files = Vec::new();
    for name in names {
        let Some(list) = name.to_str().and_then(|n| n.strip_prefix('@')).filter(|_| !name.exists()) else {
            files.push(name.clone());
            continue;
        };
        let text = read_text(std::path::Path::new(list), LONGEST_LIST)?;
        let lines = text.lines().map(|line| line.split('#').next().unwrap_or("").trim());
        let before = files.len();
        files.extend(lines.filter(|line| !line.is_empty()).take(MOST_NAMES + 1).map(PathBuf::from));
        if files.len() - before > MOST_NAMES {
            let message = format!("more than {MOST_NAMES} names of files; give it in parts, in several runs");
            return Err(Error::format(list, "whole file", message));
        }
        if files.len() == before {
            return Err(Error::argument("files", name.display(), "the list names no file"));
        }
    }
    Ok(files)
}

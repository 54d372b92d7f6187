//! The error of all public functions. Each variant carries the file, the place or the field, and the value, and says what to do.

use std::fmt;
use std::ops::Range;

use super::mend::{self, Mend};
use super::text::{Bytes, ShortNumber, short_digits};
use super::warning::Warning;

/// Fewest bins of a spectrum.
const FEWEST_BINS: f64 = 3.0;

/// Result of a fallible function: the error is [`Error`] unless another one is named.
pub type Result<T, E = Error> = std::result::Result<T, E>;

/// Everything that can go wrong, by what the user can do about it.
///
/// What it says has three parts, which programs can put together in their own words: [`Error::field`], [`Error::reason`] and
/// [`Error::mend`].
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum Error {
    /// The operating system refused to open, read or write a file.
    Io {
        /// File concerned.
        path: String,
        /// The system's own words.
        source: std::io::Error,
        /// See [`Error::mend`].
        mend: Vec<Mend>,
    },
    /// A file is not valid for the format expected.
    Format {
        /// File concerned.
        path: String,
        /// Extension, keyword or column, with the byte offset where there is one.
        place: String,
        /// What is wrong, the value, and what to do.
        message: String,
        /// See [`Error::mend`].
        mend: Vec<Mend>,
    },
    /// The good time intervals of a file cannot be used.
    Gti {
        /// File concerned.
        path: String,
        /// What is wrong, the values, and what to do.
        message: String,
        /// See [`Error::mend`].
        mend: Vec<Mend>,
    },
    /// No good time interval is long enough for one segment.
    NoSegments {
        /// Segment size asked for, s.
        segment_size: f64,
        /// Length of the longest interval, s.
        longest: f64,
        /// Largest multiple of dt that fits, s.
        largest: f64,
        /// Bin width, s.
        dt: f64,
    },
    /// An analysis does not take what the observation holds.
    Input {
        /// What the analysis is called.
        analysis: &'static str,
        /// What the observation holds.
        given: &'static str,
        /// What the analysis takes.
        takes: Vec<&'static str>,
    },
    /// There are segments, but no event lies in any of them.
    NoEvents {
        /// Segments planned; 0 where events are taken without segments.
        segments: u64,
        /// Events read.
        read: u64,
        /// What became of the events, in words.
        balance: String,
    },
    /// The value of a field or argument is not allowed.
    Argument {
        /// Name of the field or parameter; of one inside another, both: `dead_time.detectors`.
        field: String,
        /// Value given; empty where there is none.
        value: String,
        /// Why it cannot be used and what can.
        message: String,
        /// See [`Error::mend`].
        mend: Vec<Mend>,
    },
    /// Work would hold more memory than there is; nothing of it was begun.
    Memory {
        /// What would hold it, in words.
        what: String,
        /// Bytes that it plans.
        planned: u64,
        /// Bytes that can be had.
        available: u64,
        /// What sets that number, in words.
        of: &'static str,
        /// What makes it less; see [`Error::mend`].
        mend: Vec<Mend>,
    },
    /// The run was cancelled by who waits for it.
    Cancelled,
    /// A warning, if warnings are to be errors.
    Strict(Warning),
    /// A device failed or cannot do what it was asked for.
    Backend(BackendError),
    /// Parts of a plan cannot be put together.
    Merge(MergeError),
}

/// Why parts of a plan cannot be put together.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum MergeError {
    /// Segments that were summed already, in the same or in another node of the tree of sums.
    #[error("segments {} to {} are summed in both", .segments.start, .segments.end - 1)]
    Overlap {
        /// Absolute indices.
        segments: Range<u64>,
    },
    /// Parts of different plans.
    #[error("parts of different plans: {field} is {ours} in one and {theirs} in the other")]
    OtherPlan {
        /// What the plans differ in.
        field: String,
        /// Its value here; empty where it is missing.
        ours: String,
        /// Its value in the other part.
        theirs: String,
    },
    /// Sums by another definition, which have other values.
    #[error("sums by definition {theirs} and by definition {ours}")]
    OtherDefinition {
        /// The number of the definition here.
        ours: u32,
        /// That of the other part.
        theirs: u32,
    },
    /// Written in another form.
    #[error("a part of version {theirs} where version {ours} is known")]
    OtherVersion {
        /// The version here.
        ours: u32,
        /// That of the other part.
        theirs: u32,
    },
    /// Nodes that no tree of sums has.
    #[error("a part with sums that overlap each other, or of no segments")]
    Malformed,
    /// Segments that no part has.
    #[error("segments {} to {} are missing", .segments.start, .segments.end - 1)]
    Missing {
        /// Absolute indices.
        segments: Range<u64>,
    },
}

impl From<MergeError> for Error {
    fn from(error: MergeError) -> Error {
        Error::Merge(error)
    }
}

impl Error {
    /// The error for a failed operation of the operating system on `path`.
    pub fn io(path: impl AsRef<std::path::Path>, source: std::io::Error) -> Error {
        Error::Io { path: path.as_ref().display().to_string(), source, mend: Vec::new() }
    }

    /// `place` in the file `path` is not what it should be.
    pub fn format(path: impl fmt::Display, place: impl fmt::Display, message: impl Into<String>) -> Error {
        Error::Format { path: path.to_string(), place: place.to_string(), message: message.into(), mend: Vec::new() }
    }

    /// The good time intervals of `path` cannot be used.
    pub fn gti(path: impl fmt::Display, message: impl Into<String>) -> Error {
        Error::Gti { path: path.to_string(), message: message.into(), mend: Vec::new() }
    }

    /// An invalid value of a field or parameter; empty where it has none.
    pub fn argument(field: &str, value: impl fmt::Display, message: impl Into<String>) -> Error {
        Error::Argument {
            field: field.to_string(),
            value: short_digits(&value.to_string()),
            message: short_digits(&message.into()),
            mend: Vec::new(),
        }
    }

    /// Adds what mends it, each by itself. Errors that know it from their values are left as they are.
    #[must_use]
    pub fn mended_by(mut self, more: impl IntoIterator<Item = Mend>) -> Error {
        match &mut self {
            Error::Io { mend, .. }
            | Error::Format { mend, .. }
            | Error::Gti { mend, .. }
            | Error::Argument { mend, .. }
            | Error::Memory { mend, .. } => mend.extend(more),
            Error::Strict(warning) => warning.mend.extend(more),
            Error::NoSegments { .. }
            | Error::Input { .. }
            | Error::NoEvents { .. }
            | Error::Cancelled
            | Error::Backend(_)
            | Error::Merge(_) => {}
        }
        self
    }

    /// The field that cannot be used, and its value, empty where there is none.
    pub fn field(&self) -> Option<(&str, String)> {
        match self {
            Error::Argument { field, value, .. } => Some((field, value.clone())),
            Error::NoSegments { longest, .. } if *longest <= 0.0 => None,
            Error::NoSegments { largest, dt, .. } if too_long(*largest, *dt) => {
                Some(("dt", ShortNumber(*dt).to_string()))
            }
            Error::NoSegments { segment_size, .. } => Some(("segment_size", ShortNumber(*segment_size).to_string())),
            _ => None,
        }
    }

    /// What is wrong and where, but for [`Error::field`], its value and [`Error::mend`].
    pub fn reason(&self) -> String {
        match self {
            Error::Io { path, source, .. } => format!("{path}: {source}"),
            Error::Format { path, place, message, .. } => format!("{path}: {place}: {message}"),
            Error::Gti { path, message, .. } => format!("{path}: good time intervals: {message}"),
            Error::NoSegments { longest, .. } if *longest <= 0.0 => {
                "no good time is left: the inputs have none in common, or nothing of it is selected".to_string()
            }
            Error::NoSegments { longest, largest, dt, .. } if too_long(*largest, *dt) => format!(
                "too long: the longest good time interval lasts {} s, and a segment has at least {FEWEST_BINS} bins",
                ShortNumber(*longest)
            ),
            Error::NoSegments { longest, .. } => {
                format!("longer than every good time interval: the longest lasts {} s", ShortNumber(*longest))
            }
            Error::Input { analysis, given, takes } => {
                format!("the {analysis} is made of {}, not of {given}", takes.join(" or "))
            }
            Error::NoEvents { segments: 0, read, balance } => format!(
                "no event is left in good time ({read} events read: {balance}); check the selection of energies, channels, \
                 detectors and times"
            ),
            Error::NoEvents { segments, read, balance } => format!(
                "no event lies in any of the {segments} segments ({read} events read: {balance}); check the selection of \
                 energies, channels, detectors and times"
            ),
            Error::Argument { message, .. } => message.clone(),
            Error::Memory { what, planned, available, of, .. } => {
                format!("{what} would take {} of memory, and there are {} ({of})", Bytes(*planned), Bytes(*available))
            }
            Error::Cancelled => "the run was cancelled".to_string(),
            Error::Strict(warning) => format!("{} (warnings are errors)", warning.reason()),
            Error::Backend(error) => error.reason(),
            Error::Merge(error) => error.to_string(),
        }
    }

    /// Settings that would mend it, each by itself; none where none is known.
    pub fn mend(&self) -> Vec<Mend> {
        match self {
            Error::Io { mend, .. }
            | Error::Format { mend, .. }
            | Error::Gti { mend, .. }
            | Error::Argument { mend, .. }
            | Error::Memory { mend, .. } => mend.clone(),
            // Nothing fits into no time.
            Error::NoSegments { longest, .. } if *longest <= 0.0 => Vec::new(),
            Error::NoSegments { longest, largest, dt, .. } if too_long(*largest, *dt) => {
                vec![Mend::set("dt", ShortNumber(longest / 8.0)).doing("makes 8 bins")]
            }
            Error::NoSegments { largest, dt, .. } => {
                // A size that is shown is one that works.
                let shown = ShortNumber(*largest).value();
                let shown = if shown <= largest + 1e-3 * dt { shown } else { *largest };
                let effect = format!("the longest of whole bins of {} s", ShortNumber(*dt));
                vec![Mend::set("segment_size", shown).doing(effect)]
            }
            Error::Input { .. } | Error::NoEvents { .. } | Error::Cancelled | Error::Merge(_) => Vec::new(),
            Error::Strict(warning) => [&warning.mend[..], &[Mend::set("strict", false)]].concat(),
            Error::Backend(error) => error.mend(),
        }
    }
}

/// True where bins, and not segments, are too long for the intervals.
fn too_long(largest: f64, dt: f64) -> bool {
    largest < (FEWEST_BINS - 0.5) * dt
}

impl fmt::Display for Error {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.field() {
            Some((field, value)) if value.is_empty() => write!(f, "{field}: ")?,
            Some((field, value)) => write!(f, "{field} = {value}: ")?,
            None => {}
        }
        f.write_str(&self.reason())?;
        mend::append(f, &self.mend())
    }
}

impl From<BackendError> for Error {
    fn from(error: BackendError) -> Error {
        Error::Backend(error)
    }
}

/// What a device cannot do or what went wrong on it.
#[derive(Debug, Clone, PartialEq, thiserror::Error)]
#[non_exhaustive]
pub enum BackendError {
    /// This build has no GPU support (feature `gpu`).
    GpuNotCompiled,
    /// No GPU adapter matches the request.
    NoAdapter {
        /// What was asked for.
        wanted: String,
        /// The adapters there are.
        found: String,
    },
    /// The limits of the process (ulimit -v, ulimit -d) have no room for the drivers of GPUs, and none was looked for.
    NoRoom {
        /// Bytes that they leave.
        left: u64,
        /// Bytes that are needed at least.
        needed: u64,
    },
    /// The device cannot transform segments of this length.
    UnsupportedLength {
        /// Bins asked for.
        n: usize,
        /// Largest length of its kind, even or odd.
        largest: usize,
    },
    /// What only the CPU computes.
    OnCpuAlone(&'static str),
    /// Double precision was asked of a device that has none.
    NoDouble {
        /// The adapter.
        adapter: String,
        /// Its tier in use.
        tier: &'static str,
    },
    /// The system does not start so many threads.
    NoThreads {
        /// Threads asked for.
        wanted: usize,
        /// The system's own words.
        why: String,
    },
    /// A device failed in the middle of work that no other can take over.
    NotKept,
    /// The device's memory is too small even for the smallest batch.
    OutOfMemory(String),
    /// The device stopped answering.
    DeviceLost(String),
    /// A pipeline, shader or dispatch was refused: a defect of this program.
    Device(String),
}

impl BackendError {
    /// What is wrong, but for [`BackendError::mend`].
    pub fn reason(&self) -> String {
        match self {
            BackendError::GpuNotCompiled => {
                "this build has no GPU support; the feature `gpu` of a build has it".to_string()
            }
            BackendError::NoAdapter { wanted, found } => {
                format!("no GPU adapter {wanted}; found: {found}. A Vulkan driver may be missing")
            }
            BackendError::NoRoom { left, needed } => {
                format!(
                    "no GPU was looked for: the limits of this process (ulimit -v, ulimit -d) leave {}, and drivers take {} at least",
                    Bytes(*left),
                    Bytes(*needed)
                )
            }
            BackendError::UnsupportedLength { n, largest } => {
                format!("{n} bins a segment: the device transforms at most {largest} of them, even or odd as they are")
            }
            BackendError::OnCpuAlone(what) => {
                format!("{what} needs the amplitudes of each segment, which no GPU keeps")
            }
            BackendError::NoDouble { adapter, tier } => {
                format!("{adapter} has no f64 that passes the self-test in tier {tier}")
            }
            BackendError::NoThreads { wanted, why } => format!("{wanted} worker threads cannot be started ({why})"),
            BackendError::NotKept => {
                "of a group of segments with so many events not all were kept, so no other device can do it".to_string()
            }
            BackendError::OutOfMemory(why) => format!("out of device memory: {why}"),
            BackendError::DeviceLost(why) => format!("the device was lost: {why}"),
            BackendError::Device(why) => format!("device error: {why}"),
        }
    }

    /// Settings that would mend it, each by itself; none where none is known.
    pub fn mend(&self) -> Vec<Mend> {
        let cpu = || Mend::set("backend", "cpu");
        match self {
            // One that was asked for by name is not there, but others may be.
            BackendError::NoAdapter { found, .. } if found != "none" => {
                vec![Mend::field("adapter").doing("one of those")]
            }
            BackendError::GpuNotCompiled
            | BackendError::NoAdapter { .. }
            | BackendError::NoRoom { .. }
            | BackendError::OnCpuAlone(_)
            | BackendError::NotKept => vec![cpu()],
            BackendError::UnsupportedLength { .. } => vec![Mend::field("segment_size"), Mend::field("dt"), cpu()],
            BackendError::NoDouble { tier: "portable", .. } => {
                vec![Mend::set("precision", "single"), Mend::set("tier", "native"), cpu()]
            }
            BackendError::NoDouble { .. } => vec![Mend::set("precision", "single"), cpu()],
            BackendError::NoThreads { .. } => vec![Mend::field("threads").doing("fewer")],
            BackendError::OutOfMemory(_) | BackendError::DeviceLost(_) | BackendError::Device(_) => Vec::new(),
        }
    }
}

impl fmt::Display for BackendError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.reason())?;
        mend::append(f, &self.mend())
    }
}

//! The error of all public functions. Each variant carries the file, the place and the value, and says what to do.

use super::text::ShortNumber;

/// Fewest bins of a spectrum.
const FEWEST_BINS: f64 = 3.0;

fn no_segments(segment_size: f64, longest: f64, largest: f64, dt: f64) -> String {
    let (size, long) = (ShortNumber(segment_size), ShortNumber(longest));
    if largest < (FEWEST_BINS - 0.5) * dt {
        return format!(
            "dt = {} s is too long: the longest good time interval lasts {long} s, and a segment has at least 3 bins; dt = {} s \
             would make 8",
            ShortNumber(dt),
            ShortNumber(longest / 8.0)
        );
    }
    // A size that is shown is one that works.
    let shown = ShortNumber(largest).value();
    let shown = if shown <= largest + 1e-3 * dt { shown } else { largest };
    format!(
        "segment_size = {size} s is longer than every good time interval: the longest lasts {long} s; the largest segment size \
         that works with dt = {} s is {shown} s",
        ShortNumber(dt)
    )
}

/// Result of a fallible function: the error is [`Error`] unless another one is named.
pub type Result<T, E = Error> = std::result::Result<T, E>;

/// Everything that can go wrong.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum Error {
    /// The operating system refused to open, read or write a file.
    #[error("{path}: {source}")]
    Io {
        /// File concerned.
        path: String,
        /// The system's own words.
        source: std::io::Error,
    },
    /// A file is not valid for the format expected.
    #[error("{path}: {place}: {message}")]
    Format {
        /// File concerned.
        path: String,
        /// Extension, keyword or column, with the byte offset where there is one.
        place: String,
        /// What is wrong, the value, and what to do.
        message: String,
    },
    /// The good time intervals of a file cannot be used.
    #[error("{path}: good time intervals: {message}")]
    Gti {
        /// File concerned.
        path: String,
        /// What is wrong, the values, and what to do.
        message: String,
    },
    /// No good time interval is long enough for one segment.
    #[error("{}", no_segments(*segment_size, *longest, *largest, *dt))]
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
    /// There are segments, but no event lies in any of them.
    #[error(
        "no event lies in any of the {segments} segments ({read} events read: {balance}); check the selection of energies, channels, detectors and times"
    )]
    NoEvents {
        /// Segments planned.
        segments: u64,
        /// Events read.
        read: u64,
        /// What became of the events, in words.
        balance: String,
    },
    /// The value of an option or argument is not allowed.
    #[error("{option} = {value}: {message}")]
    Argument {
        /// Name of the option or parameter.
        option: String,
        /// Value given.
        value: String,
        /// Why it cannot be used and what can.
        message: String,
    },
    /// A warning, if warnings are to be errors.
    #[error("{0} (--strict makes warnings errors)")]
    Strict(crate::base::warning::Warning),
    /// A device failed or cannot do what it was asked for.
    #[error(transparent)]
    Backend(#[from] BackendError),
}

impl Error {
    /// The error for a failed operation of the operating system on `path`.
    pub fn io(path: impl AsRef<std::path::Path>, source: std::io::Error) -> Error {
        Error::Io { path: path.as_ref().display().to_string(), source }
    }

    /// The error for the value of an option or parameter.
    pub fn argument(option: &str, value: impl std::fmt::Display, message: impl Into<String>) -> Error {
        Error::Argument { option: option.to_string(), value: value.to_string(), message: message.into() }
    }
}

/// A failure of a device, or a request that it cannot meet.
#[derive(Debug, Clone, PartialEq, thiserror::Error)]
#[non_exhaustive]
pub enum BackendError {
    /// This build has no GPU support (feature `gpu`).
    #[error("this build has no GPU support; rebuild with the feature `gpu` or use --backend cpu")]
    GpuNotCompiled,
    /// No GPU adapter matches the request.
    #[error("no GPU adapter {wanted}; found: {found}. Use --backend cpu, or install a Vulkan driver")]
    NoAdapter {
        /// What was asked for.
        wanted: String,
        /// The adapters there are.
        found: String,
    },
    /// The device cannot transform segments of this length.
    #[error(
        "{n} bins a segment: the GPU transforms even lengths to 2^24 and odd ones to 2^23; change --segment-size or --dt, or use --backend cpu"
    )]
    UnsupportedLength {
        /// Bins asked for.
        n: usize,
        /// Largest length of its kind, even or odd.
        largest: usize,
    },
    /// Only the CPU computes this product.
    #[error("{0} needs the amplitudes of each segment, which no GPU keeps; use --backend cpu")]
    OnCpuAlone(&'static str),
    /// Double precision was asked for, but the device has none.
    #[error(
        "{adapter} has no f64 that passes the self-test in profile {profile}: use --precision single, --gpu-profile native or --backend cpu"
    )]
    NoDouble {
        /// The adapter.
        adapter: String,
        /// Tier in use.
        profile: &'static str,
    },
    /// The device's memory is too small even for the smallest batch.
    #[error("out of device memory: {0}")]
    OutOfMemory(String),
    /// The device stopped answering.
    #[error("the device was lost: {0}")]
    DeviceLost(String),
    /// The device refused a pipeline, shader or dispatch: a defect of this library.
    #[error("device error: {0}")]
    Device(String),
}

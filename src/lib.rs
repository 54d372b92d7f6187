//! # eagleray
//!
//! X-ray spectral timing on any GPU: power spectra, cross spectra, lags and pulsations of photon lists, exact and fast, through
//! WGSL compute shaders (Vulkan, Metal, DX12), or on the CPU where there is no GPU.
//!
//! ```no_run
//! use eagleray::{Observation, PowerSpectrum, Session};
//! let session = Session::auto()?;
//! let observation = Observation::open(["observation.evt"])?.energy(3.0..10.0)?;
//! let spectrum = session.run(&PowerSpectrum::default().segment_size(64.0), &observation)?;
//! if let Some(k) = spectrum.peak() {
//!     println!("largest power {} at {} Hz", spectrum.power[k], spectrum.freq[k]);
//! }
//! # Ok::<(), eagleray::Error>(())
//! ```
//!
//! An [`Observation`] is what was seen, and what is selected of it. A [`Session`] is where and how analyses are computed. An analysis, such as
//! [`PowerSpectrum`], holds the options of one product; [`Session::run`] makes the product, [`Session::plan`] says what that would take, and
//! [`Session::begin`] takes segments that come once.
//!
//! | analysis | product |
//! |---|---|
//! | [`PowerSpectrum`], [`Multitaper`], [`LombScargle`] | [`science::AveragedPowerSpectrum`] |
//! | [`CrossSpectrum`] | [`science::AveragedCrossSpectrum`] |
//! | [`LombScargleCross`] | [`science::cross_powers::CrossPowers`] |
//! | [`AmplitudeDifference`] | [`science::FadSpectrum`] |
//! | [`EnergyDependence`]: lags, rms, covariance of energy bands in a range of frequencies | [`science::EnergySpectrum`] |
//! | [`DynamicalSpectrum`], [`DynamicalCross`] | [`science::DynamicalPowerSpectrum`], [`science::DynamicalCrossSpectrum`] |
//! | [`BispectrumOfPairs`], [`BispectrumOfCumulants`] | [`science::bispectrum::Bispectrum`], [`science::cumulant::CumulantBispectrum`] |
//! | [`Binning`], [`Counting`] | [`LightCurve`], [`data::Histogram`] |
//! | [`PulseSearch`], [`AccelerationSearch`] | [`pulsation::SearchResult`] |
//! | [`Fold`], [`FoldInTime`], [`ArrivalTimes`] | [`pulsation::PulseProfile`], [`pulsation::Phaseogram`], [`pulsation::Toas`] |
//!
//! Products have their numbers as fields, say in [`Product::metadata`] what made them, and are written and read:
//! `spectrum.write("pds.fits", false)`, `AveragedPowerSpectrum::read("pds.fits")`.
//!
//! ## Where things are
//! The source is divided into rooms, each a folder of `src`. A room uses those before it in this list, never those behind it.
//! - `base`: errors, warnings, exact times ([`time`]), text, random numbers, sums over segments, the trace.
//! - [`data`]: good time intervals, light curves, histograms, tables, energy scales, exact phases.
//! - `numerics`: special functions, transforms and tapers in f64.
//! - `kernels`: binning, Fourier transforms and sums of powers, each as a definition, on the CPU and as a shader.
//! - [`science`]: spectra, errors, noise levels and statistics, computed from sums in f64.
//! - [`missions`]: what the event files of each mission look like, one file of this room a mission.
//! - `io`: reading event files, light curves and `.par` files ([`files`]); writing products.
//! - [`simulate`]: event files of sources with a chosen variability.
//! - `segment`: good time intervals cut into numbered segments; units of work, and parts of plans that are summed apart.
//! - `backend`: the CPU, a GPU, or several devices, which pull units and turn their segments into sums.
//! - `engine`: observations, sessions, the [`analyses`] and their plans; folding events and searching for periods.
//!
//! An analysis takes one path through them: `engine` cuts the work into units, whole runs of segments with the rows that hold them; a
//! backend pulls these from `io`, as rows, times or batches, runs the kernels and returns the sums of the runs; [`science`] makes
//! the product of the sums.
//!
//! ## Words
//! Times and files:
//! - *event*: a photon's time, and often its energy channel and its detector.
//! - *row*: an entry of a file or of a table; of a dynamical spectrum, a time; of a search, all trials of one pair of derivatives.
//! - *raw time*: a value of the TIME column as it is written.
//! - *frame*: the clock of a file. Seconds of the frame count from MJDREF of the (first) input, with TIMEZERO and TIMEPIXR
//!   applied. (*Readout frames* are the exposures of a CCD; their length is the *frame time*.)
//! - *GTI*: good time interval; events outside are not used.
//! - *channel*: an energy channel of the detector. *Band*: a range of channels, or of energies; also a range of frequencies.
//! - *balance*: what became of every row read ([`data::EventBalance`]).
//!
//! Spectra:
//! - *segment*: `n` bins of `dt` seconds, `segment_size = n·dt`, inside one GTI; the spectra of the segments are averaged.
//! - *run*: consecutive segments whose sums are added in order before sums of runs are merged. *Leaf*: the sums of a run.
//! - *unit*: whole runs of segments and the rows that hold them, which a device pulls together. *Part*: some segments of a plan, summed
//!   apart from the others.
//! - *group*: whole runs that a device works on together; its events come in one *batch* or more.
//! - *series*: one of the event lists or light curves of a plan: power spectra have one, cross spectra two or more.
//! - *subject*, *reference*: the two sides of a cross spectrum. Positive lags mean that the subject is late ([`science::cross`]).
//! - *leahy*, *frac*, *abs*, *none*: normalisations of power ([`science::norm`]).
//! - *flux*: values of a binned series, counts or rates, possibly with errors.
//! - *product*: a result of an analysis with its metadata: spectrum, light curve, profile, search.
//!
//! Pulsations:
//! - *ephemeris*: frequency and derivatives of a source at an epoch ([`pulsation::Ephemeris`]).
//! - *phase*: cycles of a pulsation since the epoch, without whole cycles. *Tick*: the unit of exact times, a power of two of
//!   seconds.
//! - *trial*: a frequency (with derivatives) that a search tries.
//! - *profile*: a pulse profile, counts and rates by phase. *Z²*, *H*, *ef*: its statistics ([`science::statistics::pulse`]).
//! - *sample*: a bin of a light curve, at the phase of its middle. *θ*: the phase dispersion of samples
//!   ([`science::statistics::dispersion`]).
//!
//! Devices:
//! - *tier*: which capabilities of a GPU adapter are used ([`device::GpuTier`]).
//! - *case*: input and expected output on which a kernel is tested.
//! - *trace*: a recording of where time went.
//! - *peer*: Stingray 2.3.2, with which results are compared; `compat_stingray` follows its rules.
#![warn(missing_docs)]
// What reads files or options may meet anything.
#![cfg_attr(not(test), deny(clippy::unwrap_used, clippy::expect_used, clippy::print_stdout, clippy::print_stderr))]

// The rooms, each of which uses those before it, never those behind it; tests/library/rooms.rs holds the order.

// Errors, warnings, text, exact times, random numbers, sums, the trace: they know nothing of X-rays.
mod base;

// What products and files hold: intervals, light curves, tables, headers, energy scales, phases.
pub mod data;

// Pure f64: special functions, transforms and their frequencies, tapers. What it expects is arithmetic of its own, as for kernels.
#[allow(clippy::expect_used)]
mod numerics;

// Definition, CPU path and shader of each kernel. What it expects is arithmetic of its own, out of reach of every input.
#[allow(clippy::expect_used)]
mod kernels;

// From sums to products.
pub mod science;

// What the files of each mission mean.
pub mod missions;

// Files: FITS, gzip, text, and what is written.
mod io;

// Observations of a chosen truth. As for kernels.
#[allow(clippy::expect_used)]
pub mod simulate;

// Intervals and times to numbered segments.
mod segment;

// The CPU, GPUs, several of them. As for kernels.
#[allow(clippy::expect_used)]
mod backend;

// Plans, and the loops that carry them out.
mod engine;

pub use engine::analyses;

/// Folding at a known frequency, and what searches for an unknown one take and find. The analyses are [`Fold`], [`FoldInTime`],
/// [`ArrivalTimes`], [`PulseSearch`] and [`AccelerationSearch`]; definitions, bounds and what each search may miss:
/// `docs/pulsations.md`.
pub mod pulsation {
    pub use crate::engine::pulsation::fold::{Phaseogram, PulseProfileMetadata};
    pub use crate::engine::pulsation::{
        AccelOptions, Algorithm, Candidate, Ephemeris, FoldOptions, ProfileBands, PulseProfile, PulseTemplate,
        Relation, SearchMetadata, SearchOptions, SearchResult, SearchStatistic, Toa, Toas, TrialGrid,
    };
}

/// Devices: how one is chosen, what it is and what it can do.
pub mod device {
    pub use crate::backend::{AdapterSelector, Backend, BatchLimits, Capabilities, DeviceChoice, DeviceInfo, GpuTier};
    pub use crate::numerics::Precision;
}

/// Files: how event files are opened, ephemerides, and the formats of tables.
pub mod files {
    pub use crate::io::par::ParFile;
    pub use crate::io::table_write::TableFormat;
    pub use crate::io::xspec::{XspecFiles, fit_bias};
    pub use crate::io::{EventFile, GtiSource, OpenOptions, TimeScan};
}

/// Errors and warnings, and what would mend them.
pub mod error {
    pub use crate::base::error::{BackendError, Error, MergeError, Result};
    pub use crate::base::mend::{Mend, Setting};
    pub use crate::base::warning::{Warning, Warnings};
}

/// What the project's own programs and tests need beside the library; it may change at any time.
#[doc(hidden)]
pub mod internal {
    pub use crate::base::choice::Choice;
    pub use crate::base::progress::Progress;
    pub use crate::base::{footprint, random, sums, text, trace};
    /// See the room of the name.
    pub mod io {
        pub use crate::io::*;
    }
    /// See the room of the name.
    pub mod engine {
        pub use crate::engine::*;
    }
    /// See the room of the name.
    pub mod backend {
        pub use crate::backend::*;
    }
    /// See the room of the name.
    pub mod kernels {
        pub use crate::kernels::*;
    }
    /// See the room of the name.
    pub mod numerics {
        pub use crate::numerics::*;
    }
    /// See the room of the name.
    pub mod segment {
        pub use crate::segment::*;
    }
}

pub use backend::DeviceChoice;
pub use base::error::{Error, Result};
pub use base::time;
pub use base::warning::{Warning, Warnings};
pub use data::{Gti, LightCurve, Product};
pub use engine::analyses::*;
pub use engine::{
    Analysis, Combine, EnergyBands, Feed, FluxPair, FluxSegment, FluxValues, InParts, Observation, ObservationKind,
    PhotonBand, PlanPart, PlanReport, Segmentation, Session, Streamed,
};
pub use science::{NoiseLevel, Norm, Rebin, TimeRebin};
pub use segment::plan::Resolution;

//! # eagleray
//!
//! X-ray spectral timing on any GPU: power spectra, cross spectra, lags and pulsations of photon lists, exact and fast, through
//! WGSL compute shaders (Vulkan, Metal, DX12), or on the CPU where there is no GPU.
//!
//! ```no_run
//! use eagleray::{DeviceChoice, Options, Warnings};
//! let mut backend = eagleray::open(&DeviceChoice::default(), &mut Warnings::default())?;
//! let spectrum = eagleray::spectrum_of_files(&["observation.evt"], &Options::default(), backend.as_mut())?;
//! if let Some(k) = spectrum.peak() {
//!     println!("largest power {} at {} Hz", spectrum.power[k], spectrum.freq[k]);
//! }
//! # Ok::<(), eagleray::Error>(())
//! ```
//!
//! ## Where things are
//! One path: [`io`] reads event tables in chunks of times, [`segment`] cuts good time intervals into numbered segments,
//! [`pipeline`] hands batches of segments to a [`backend`], which runs the [`kernels`] (bin, transform, sum of powers) and
//! returns [`sums`]; [`spectrum`] makes science of them on the host, in f64. [`pulsation`] folds events at exact [`phase`]s and
//! searches for their frequency. [`time`] is the only place that shifts times;
//! [`data`] and [`warning`] are what travels along; [`simulate`] makes event files.
//!
//! ## Words
//! - *event*: a photon's time, and perhaps its channel and detector.
//! - *GTI*: good time interval; events outside are not used.
//! - *segment*: `n` bins of `dt` seconds, `segment_size = n·dt`, inside one GTI; the spectrum of each is averaged.
//! - *run*: consecutive segments summed in order before sums are merged ([`sums::run_length`]).
//! - *group*: whole runs that a device works on together; its events come in one *batch* or more.
//! - *leahy, frac, abs, none*: normalisations of power ([`spectrum::norm`]).
//! - *tick*: the unit of exact times, a power of two of seconds; *phase*: cycles of a pulsation since the epoch, wrapped.
//! - *ephemeris*: frequency and derivatives at an epoch; *trial*: one of those that a search tries; *row*: the trials of one derivative.
//! - *profile*: counts and rates by phase; *Z², H, ef*: the statistics of a profile ([`spectrum::statistics::pulse`]).
//! - *sample*: a bin of a light curve, at the phase of its middle; *θ*: their phase dispersion ([`spectrum::statistics::dispersion`]).
//! - *subject, reference*: the two channels of a cross spectrum; positive lags say that the subject is late ([`spectrum::cross`]).
#![warn(missing_docs)]
// What reads files or options may meet anything.
#![cfg_attr(not(test), deny(clippy::unwrap_used, clippy::expect_used))]

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
pub mod io;

// Observations of a chosen truth. As for kernels.
#[allow(clippy::expect_used)]
pub mod simulate;

// Intervals and times to numbered segments.
mod segment;

// The CPU, GPUs, several of them. As for kernels.
#[allow(clippy::expect_used)]
mod backend;

// Plans, and the loops that carry them out.
pub mod engine;

/// What the project's own programs and tests need beside the library; it may change at any time.
#[doc(hidden)]
pub mod internal {
    pub use crate::base::{random, sums, text, trace};
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

pub use backend::{AdapterSelector, Backend, DeviceChoice, GpuTier, open};
pub use base::error::{BackendError, Error, Result};
pub use base::time;
pub use base::warning::{Warning, Warnings};
pub use data::{EventBalance, Gti, Histogram, LightCurve};
pub use engine::pulsation::{Ephemeris, FoldOptions, PulseEvents, SearchOptions};
pub use engine::{
    Combine, CrossFluxOptions, CrossSpectrumOptions, DynamicalCrossOptions, DynamicalOptions, EnergyBands,
    EnergySpectrumOptions, EventPair, Events, FadPlanOptions, FluxOptions, FluxPair, FluxSegment, HistogramOptions,
    LightCurveCrossOptions, LightCurveOptions, PowerSpectrumOptions, cross_spectrum_of_events, cross_spectrum_of_flux,
    cross_spectrum_of_light_curves, dynamical_cross_spectrum_of_events, dynamical_cross_spectrum_of_flux,
    dynamical_cross_spectrum_of_light_curves, dynamical_spectrum_of_events, dynamical_spectrum_of_flux,
    dynamical_spectrum_of_light_curve, energy_spectrum_of_events, fad_of_events, histogram_of_events,
    light_curve_of_events, spectrum_of_events, spectrum_of_files, spectrum_of_flux, spectrum_of_light_curve,
    spectrum_of_times,
};
pub use io::{EventFile, GtiSource, OpenOptions, Selection};
pub use numerics::Precision;
pub use science::power::PowerOptions;
pub use science::{
    AveragedCrossSpectrum, AveragedPowerSpectrum, Band, CrossOptions, DeadTimeKind, DeadTimeNoise, DeadTimeValue,
    DynamicalCrossSpectrum, DynamicalPowerSpectrum, EnergyKind, EnergyOptions, EnergySpectrum, FadOptions, FadSpectrum,
    NoiseLevel, Norm, Rebin, TimeRebin,
};

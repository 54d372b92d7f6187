//! # eagleray
//!
//! X-ray spectral timing on any GPU: averaged power spectra of photon lists, exact and fast, through WGSL compute shaders
//! (Vulkan, Metal, DX12), or on the CPU where there is no GPU.
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
//! returns [`sums`]; [`spectrum`] makes science of them on the host, in f64. [`time`] is the only place that shifts times;
//! [`data`] and [`warning`] are what travels along; [`simulate`] makes event files.
//!
//! ## Words
//! - *event*: a photon's time, and perhaps its channel and detector.
//! - *GTI*: good time interval; events outside are not used.
//! - *segment*: `n` bins of `dt` seconds, `segment_size = n·dt`, inside one GTI; the spectrum of each is averaged.
//! - *run*: consecutive segments summed in order before sums are merged ([`sums::run_length`]).
//! - *group*: whole runs that a device works on together; its events come in one *batch* or more.
//! - *leahy, frac, abs, none*: normalisations of power ([`spectrum::norm`]).
//! - *subject, reference*: the two channels of a cross spectrum; positive lags say that the subject is late ([`spectrum::cross`]).
#![warn(missing_docs)]

pub mod backend;
#[cfg(feature = "cli")]
pub mod bench;
#[cfg(feature = "cli")]
pub mod cli;
pub mod data;
pub mod error;
pub mod io;
pub mod kernels;
pub mod phase;
pub mod pipeline;
pub mod profile;
pub mod pulsation;
pub mod segment;
pub mod simulate;
pub mod spectrum;
pub mod sums;
mod text;
pub mod time;
pub mod warning;

pub use backend::{AdapterSelector, Backend, DeviceChoice, GpuProfile, open};
pub use data::{Balance, Gti, LightCurve};
pub use error::{Error, Result};
pub use io::{EventFile, GtiSource, OpenOptions, Selection};
pub use pipeline::{
    Channels, Combine, CrossFluxOptions, CrossSeriesOptions, CrossSpectrumOptions, DynamicalCrossOptions,
    DynamicalOptions, EnergyBands, EnergySpectrumOptions, Events, FadPlanOptions, FluxOptions, FluxPair, FluxSegment,
    LightCurveOptions, Options, cross_spectrum_of_events, cross_spectrum_of_flux, cross_spectrum_of_light_curves,
    dynamical_cross_spectrum_of_events, dynamical_spectrum_of_events, dynamical_spectrum_of_flux,
    dynamical_spectrum_of_light_curve, energy_spectrum_of_events, fad_of_events, light_curve_of_events,
    spectrum_of_events, spectrum_of_files, spectrum_of_flux, spectrum_of_light_curve, spectrum_of_times,
};
pub use spectrum::power::PowerOptions;
pub use spectrum::{AveragedCrossSpectrum, CrossOptions, FadOptions, FadSpectrum};
pub use spectrum::{AveragedPowerSpectrum, DeadTimeKind, DeadTimeNoise, DeadTimeValue, NoiseLevel, Norm, Rebin};
pub use spectrum::{Band, EnergyKind, EnergyOptions, EnergySpectrum};
pub use spectrum::{DynamicalCrossSpectrum, DynamicalPowerSpectrum, TimeRebin};
pub use warning::Warnings;

//! Analyses: inputs are read, cut into segments, summed by a backend, and made into products. A function of the form
//! `product_of_input` does all of this; a plan ([`Plan`]) tells what a run will need before an event is read.

pub mod analyses;
mod analysis;
mod batch_queue;
mod batcher;
mod bispectrum;
mod counts;
mod cross;
mod cross_bands;
mod dead_time;
mod dynamical;
mod dynamical_flux;
mod each_segment;
mod energy;
mod fad;
mod feed;
mod flux;
mod histogram;
mod light_curve;
mod light_curve_spectrum;
mod lomb_scargle;
mod memory;
mod multitaper;
mod observation;
mod options;
mod part;
mod photon_band;
mod plan;
mod plan_rows;
mod plan_sums;
mod plan_units;
mod power_spectrum;
pub mod pulsation;
mod pulse_events;
mod pulse_samples;
mod reader;
mod run;
mod session;
mod time_source;
mod unit_cuts;
mod watch;
mod weights;
mod whole_numbers;

pub use crate::segment::PlanPart;
pub use analysis::{Analysis, PlanReport, Segmentation};
use batch_queue::{BatchQueue, record_device, too_coarse};
pub use bispectrum::{
    bispectrum_of_events, bispectrum_of_light_curve, cumulant_bispectrum_of_events, cumulant_bispectrum_of_light_curve,
};
pub use cross::{CrossSpectrumOptions, EventPair, cross_spectrum_of_events};
pub use dynamical::{
    DynamicalCrossOptions, DynamicalOptions, dynamical_cross_spectrum_of_events, dynamical_spectrum_of_events,
};
pub use dynamical_flux::{
    dynamical_cross_spectrum_of_flux, dynamical_cross_spectrum_of_light_curves, dynamical_spectrum_of_flux,
    dynamical_spectrum_of_light_curve,
};
pub use energy::{EnergyBands, EnergyPlan, EnergySpectrumOptions, energy_spectrum_of_events};
pub use fad::{FadPlanOptions, fad_of_events};
pub use feed::{Feed, FluxValues, Streamed};
pub use flux::{CrossFluxOptions, FluxOptions, FluxPair, FluxSegment, cross_spectrum_of_flux, spectrum_of_flux};
pub use histogram::{HistogramOptions, histogram_of_events};
pub use light_curve::{LightCurveOptions, light_curve_of_events};
pub use light_curve_spectrum::{
    LightCurveCrossOptions, LightCurveCrossPlan, LightCurvePlan, LightCurveSpectrumOptions,
    cross_spectrum_of_light_curves, spectrum_of_light_curve,
};
pub use lomb_scargle::{lomb_scargle, lomb_scargle_cross};
pub use memory::{HostMemory, host_memory};
pub use multitaper::{multitaper_of_events, multitaper_of_light_curve};
pub use observation::{Observation, ObservationKind};
pub use options::{CHUNK_EVENTS, Combine, PowerSpectrumOptions};
pub use part::{
    cross_spectrum_of_part, dynamical_spectrum_of_part, energy_spectrum_of_part, fad_of_part, part_of_cross_spectrum,
    part_of_dynamical_spectrum, part_of_energy_spectrum, part_of_fad, part_of_spectrum, spectrum_of_part,
};
pub use photon_band::PhotonBand;
pub use plan::Plan;
use plan::{combined_gtis, union_of};
use plan_sums::{PlanSums, SegmentSink, no_events, sum_plan};
pub use power_spectrum::{spectrum_of_events, spectrum_of_files, spectrum_of_times};
pub use pulse_events::PulseEvents;
pub use pulse_samples::{PulseSamples, SampleSummary};
pub use session::Session;
pub use time_source::{Events, SliceSource, TimeSource, align};
pub use watch::watched;
pub use weights::{WeightSummary, Weights};

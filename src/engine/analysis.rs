//! What analyses have in common: options in, a product out.

use serde::Serialize;

use super::memory::host_memory;
use super::observation::{Observation, ObservationKind};
use super::plan::Plan;
use super::run::Run;
use super::time_source::Events;
use crate::backend::{BatchLimits, DeviceInfo};
use crate::base::error::Result;
use crate::base::footprint::Footprint;
use crate::base::warning::Warnings;
use crate::data::Record;
use crate::data::product::ProductKind;
use crate::segment::plan::Resolution;

/// The options of one product. [`Session::run`](super::Session::run) computes it of an observation.
///
/// The analyses of this crate implement the trait, and nobody else can.
#[allow(private_interfaces)]
pub trait Analysis: Serialize + Sync {
    /// The product.
    type Product: Send;
    /// The product's name in messages.
    const NAME: &'static str;
    /// The kinds of observation that the analysis takes.
    const KINDS: &'static [ObservationKind];
    /// The kinds of products that it makes, or that are made of what it makes; none where that has no table of declared columns.
    const PRODUCTS: &'static [&'static ProductKind];

    #[doc(hidden)]
    fn compute(&self, observation: &Observation, run: &mut Run) -> Result<Self::Product>;

    #[doc(hidden)]
    fn plan(&self, observation: &Observation, run: &mut Run) -> Result<PlanReport>;

    /// What a product was made of, and how.
    fn record(product: &Self::Product) -> &Record;
}

/// What a run would do, found without reading an event.
#[derive(Clone, Debug, Default)]
#[non_exhaustive]
pub struct PlanReport {
    /// Bins and segments; `None` for analyses without segments.
    pub resolution: Option<Resolution>,
    /// Number of segments; 0 without.
    pub segments: u64,
    /// Number of frequencies of each segment that are used; 0 without segments.
    pub frequencies: usize,
    /// Rows, at most, and frequencies of the matrix of a dynamical spectrum.
    pub matrix: Option<(u64, usize)>,
    /// Good time, s; time that merged inputs observed together counts once.
    pub exposure: f64,
    /// About how many bytes the run needs on the host; `None` where nobody asked, or knows before it runs.
    pub host_bytes: Option<usize>,
    /// The largest batch, where events come in batches and are not read once by the threads that need them.
    pub batches: Option<BatchLimits>,
    /// The device that would compute the analysis.
    pub device: Option<DeviceInfo>,
    /// What is odd about the observation or the plan.
    pub warnings: Warnings,
}

impl PlanReport {
    /// The report of segments of events; `rows` is what the rows of a dynamical spectrum take.
    pub(super) fn of_events(plan: &Plan, inputs: &[Events], rows: Footprint, run: &mut Run) -> Result<PlanReport> {
        let memory = if run.with_memory { Some(host_memory(plan, inputs, rows, run)?) } else { None };
        Ok(PlanReport {
            resolution: Some(plan.resolution),
            segments: plan.total_segments(),
            frequencies: plan.spec.frequencies(),
            matrix: None,
            exposure: plan.exposure(),
            host_bytes: memory.map(|memory| memory.bytes),
            batches: memory.and_then(|memory| memory.batches),
            ..PlanReport::default()
        })
    }

    /// The report of segments of a light curve.
    pub(super) fn of_light_curve(resolution: Resolution, segments: usize, exposure: f64) -> PlanReport {
        let frequencies = crate::numerics::fft::frequencies(resolution.n);
        let segments = segments as u64;
        PlanReport { resolution: Some(resolution), segments, frequencies, exposure, ..PlanReport::default() }
    }

    /// Good time in segments, s.
    pub fn exposure_used(&self) -> f64 {
        self.resolution.map_or(self.exposure, |r| self.segments as f64 * r.segment_size)
    }
}

/// Setters of an analysis: `name(type) => place`, each of which gives the analysis with one option changed.
macro_rules! setters {
    ($($(#[$meta:meta])* $name:ident($type:ty) => $($place:ident).+;)+) => {
        $($(#[$meta])*
        pub fn $name(mut self, $name: $type) -> Self {
            self.$($place).+ = $name.into();
            self
        })+
    };
}
pub(super) use setters;

//! Two detectors in common segments → spectra corrected for dead time.

use serde::Serialize;

use super::cross::{CrossSpectrumOptions, EventPair, plan_channels};
use super::options::Reading;
use super::plan::Plan;
use super::{CHUNK_EVENTS, Events, PlanSums, SegmentSink, no_events, sum_plan};
use crate::backend::Backend;
use crate::base::error::{Error, Result};
use crate::base::progress::Progress;
use crate::base::warning::Warnings;
use crate::science::context::SpectrumContext;
use crate::science::fad::{FadOptions, FadSpectrum};
use crate::segment::Quantity;
use crate::segment::plan::Resolution;

/// Options of spectra of two detectors corrected for dead time, for events.
#[derive(Clone, Copy, Debug, PartialEq, Serialize)]
pub struct FadPlanOptions {
    /// Bin width, s. `None`: 1/1024 s, or the frame time if that is longer.
    pub dt: Option<f64>,
    /// Segment length, s. `None`: the longest power of two of bins that makes at least 50 segments.
    pub segment_size: Option<f64>,
    /// Normalisation, rebinning and smoothing.
    #[serde(flatten)]
    pub fad: FadOptions,
    /// Follow Stingray 2.3.2 where its rules differ from those of this library (see docs/decisions.md), for
    /// comparisons.
    pub compat_stingray: bool,
    /// Number of rows read at a time. It limits memory, changes no result and is not recorded.
    #[serde(skip)]
    pub chunk_events: usize,
}

impl Default for FadPlanOptions {
    fn default() -> FadPlanOptions {
        let fad = FadOptions::default();
        FadPlanOptions { dt: None, segment_size: None, fad, compat_stingray: false, chunk_events: CHUNK_EVENTS }
    }
}

impl FadPlanOptions {
    /// Plans the segments that both detectors have in common. Gives the plan, and the inputs in the order of the plan.
    ///
    /// # Errors
    /// A smoothing that is not positive; `dt` or `segment_size` out of range; or no interval that holds one segment.
    pub fn plan<'a>(&self, inputs: Vec<EventPair<'a>>, warnings: &mut Warnings) -> Result<(Plan, Vec<Events<'a>>)> {
        let width = self.fad.smoothing;
        if !(width.is_finite() && width > 0.0) {
            return Err(Error::argument("fad.smoothing", width, "must be a positive number of Hz"));
        }
        // How many frequencies that is shows when the length of a segment is known.
        let quantity = Quantity::Fad(self.fad.work(0.0));
        let FadPlanOptions { dt, segment_size, compat_stingray, .. } = *self;
        let cross = CrossSpectrumOptions { dt, segment_size, compat_stingray, ..CrossSpectrumOptions::default() };
        let (mut plan, events) = plan_channels(inputs, false, quantity, &cross, warnings)?;
        plan.spec.quantity = Quantity::Fad(self.fad.work(plan.resolution.segment_size));
        Ok((plan, events))
    }
}

/// Power and cross spectra of two simultaneous detectors (the subject is the first one, the reference the second one),
/// corrected for dead time by the difference of their Fourier amplitudes. Segments without a photon in either detector
/// are skipped. The backend must be the CPU.
///
/// # Errors
/// See [`FadPlanOptions::plan`]; a backend that is not the CPU; a file cannot be read; or there is no event in any
/// segment.
pub fn fad_of_events(
    inputs: Vec<EventPair>,
    options: &FadPlanOptions,
    backend: &mut dyn Backend,
    mut warnings: Warnings,
    progress: &Progress,
) -> Result<FadSpectrum> {
    let (plan, events) = options.plan(inputs, &mut warnings)?;
    let done = sum_plan(
        &plan,
        events,
        backend,
        Reading { rows: options.chunk_events, progress },
        SegmentSink::SumsAlone,
        &mut warnings,
    )?;
    finish_fad(&plan, done, options, warnings)
}

/// The spectrum of the sums of a plan.
pub(super) fn finish_fad(
    plan: &Plan,
    done: PlanSums,
    options: &FadPlanOptions,
    warnings: Warnings,
) -> Result<FadSpectrum> {
    let PlanSums { sums, mut made } = done;
    if sums.segments == 0 {
        return Err(no_events(plan, &made));
    }
    made.warnings = warnings;
    made.options = serde_json::to_value(options).unwrap_or_default();
    let Resolution { n, dt, segment_size } = plan.resolution;
    FadSpectrum::new(&sums, &options.fad, SpectrumContext { n, dt, segment_size, record: made })
}

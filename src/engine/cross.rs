//! Cross spectra: subject and reference in common segments → sums → cross spectrum.

use serde::Serialize;

use super::options::Reading;
use super::plan::{InputRole, Plan, PlanRequest};
use super::{CHUNK_EVENTS, Events, PlanSums, SegmentSink, dead_time, no_events, sum_plan};
use crate::backend::Backend;
use crate::base::error::Result;
use crate::base::progress::Progress;
use crate::base::warning::Warnings;
use crate::missions::DetectorDeadTime;
use crate::science::context::SpectrumContext;
use crate::science::cross::{AveragedCrossSpectrum, CrossContext, CrossOptions};
use crate::segment::Quantity;
use crate::segment::plan::Resolution;

/// Options of an averaged cross spectrum of events.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct CrossSpectrumOptions {
    /// Bin width, s. `None`: 1/1024 s, or the frame time if that is longer.
    pub dt: Option<f64>,
    /// Segment length, s. `None`: the longest power of two of bins that makes at least 50 segments.
    pub segment_size: Option<f64>,
    /// Normalisation, rebinning and noise levels.
    #[serde(flatten)]
    pub cross: CrossOptions,
    /// Follow Stingray 2.3.2 where its rules differ from those of this library (see docs/decisions.md), for
    /// comparisons.
    pub compat_stingray: bool,
    /// Number of rows read at a time. It limits memory, changes no result and is not recorded.
    #[serde(skip)]
    pub chunk_events: usize,
}

impl Default for CrossSpectrumOptions {
    fn default() -> CrossSpectrumOptions {
        let cross = CrossOptions::default();
        CrossSpectrumOptions { dt: None, segment_size: None, cross, compat_stingray: false, chunk_events: CHUNK_EVENTS }
    }
}

/// Two energy bands (or detectors) of one observation: the subject and the reference of a cross spectrum.
pub struct EventPair<'a> {
    /// Events of the reference.
    pub reference: Events<'a>,
    /// Events of the subject. Lags are positive if the subject is late.
    pub subject: Events<'a>,
}

/// Averages the cross spectra of segments that subject and reference have in common. `inputs` are one or several
/// observations; good time is that of both sides of a pair. Set `inside` if the reference contains all photons of the
/// subject. They are then removed from the reference, because photons correlated with themselves would add a signal of
/// zero lag and full coherence.
///
/// # Errors
/// See [`CrossSpectrumOptions::plan`]; a file cannot be read; the device fails; or there is no event in any segment.
pub fn cross_spectrum_of_events(
    inputs: Vec<EventPair>,
    inside: bool,
    options: &CrossSpectrumOptions,
    backend: &mut dyn Backend,
    mut warnings: Warnings,
    progress: &Progress,
) -> Result<AveragedCrossSpectrum> {
    let known = known_dead_time(&inputs);
    let (plan, events) = options.plan(inputs, inside, &mut warnings)?;
    let reading = Reading { rows: options.chunk_events, progress };
    let done = sum_plan(&plan, events, backend, reading, SegmentSink::SumsAlone, &mut warnings)?;
    finish_cross(&plan, done, known, inside, options, warnings)
}

/// Dead time of the detectors of subject and reference, where it is known.
pub(super) fn known_dead_time(inputs: &[EventPair]) -> [Option<DetectorDeadTime>; 2] {
    inputs.first().map_or([None; 2], |first| [first.subject.dead_time, first.reference.dead_time])
}

/// The spectrum of the sums of a plan.
pub(super) fn finish_cross(
    plan: &Plan,
    done: PlanSums,
    known: [Option<DetectorDeadTime>; 2],
    inside: bool,
    options: &CrossSpectrumOptions,
    warnings: Warnings,
) -> Result<AveragedCrossSpectrum> {
    let PlanSums { sums, mut made } = done;
    if sums.segments == 0 || sums.series.iter().any(|c| c.photons == 0) {
        return Err(no_events(plan, &made));
    }
    made.warnings = warnings;
    made.options = serde_json::to_value(options).unwrap_or_default();
    let Resolution { n, dt, segment_size } = plan.resolution;
    let spectrum = SpectrumContext { n, dt, segment_size, record: made };
    let context = CrossContext { spectrum, inside, flux: None, compat_stingray: options.compat_stingray };
    let mut spectrum = AveragedCrossSpectrum::new(&sums, &options.cross, context)?;
    dead_time::warn_of_channels(&mut spectrum, known, options.cross.noise);
    Ok(spectrum)
}

impl CrossSpectrumOptions {
    /// Plans the segments of a cross spectrum. Gives the plan, and the inputs in the order of the plan.
    ///
    /// # Errors
    /// `dt` or `segment_size` is not positive, `dt` is longer than the segment, a segment has fewer than 3 bins, or no
    /// interval holds one segment.
    pub fn plan<'a>(
        &self,
        inputs: Vec<EventPair<'a>>,
        inside: bool,
        warnings: &mut Warnings,
    ) -> Result<(Plan, Vec<Events<'a>>)> {
        let weight_exponent = self.cross.weight_exponent();
        let quantity = cross_quantity(&self.cross, inside, weight_exponent);
        plan_channels(inputs, inside, quantity, self, warnings)
    }
}

/// What a device computes for a cross spectrum of two series.
pub(super) fn cross_quantity(cross: &CrossOptions, inside: bool, weight_exponent: Option<u32>) -> Quantity {
    let inside = u64::from(inside);
    match cross.fullspec {
        true => Quantity::FullCross { inside, weight_exponent },
        false => Quantity::Cross { series: 2, inside, weight_exponent },
    }
}

/// Plans the common segments of some series, and what is to be read for them.
pub(super) fn plan_channels<'a>(
    inputs: Vec<EventPair<'a>>,
    inside: bool,
    quantity: Quantity,
    options: &CrossSpectrumOptions,
    warnings: &mut Warnings,
) -> Result<(Plan, Vec<Events<'a>>)> {
    let (mut events, mut gtis, mut places) = (Vec::new(), Vec::new(), Vec::new());
    for (observation, pair) in inputs.into_iter().enumerate() {
        let gti = pair.reference.gti.intersect(&pair.subject.gti);
        for (series, input) in pair.read_once(inside)? {
            events.push(input);
            gtis.push(gti.clone());
            places.push(InputRole { observation, series });
        }
    }
    let wanted = PlanRequest {
        dt: options.dt,
        segment_size: options.segment_size,
        quantity,
        compat_stingray: options.compat_stingray,
    };
    let plan = Plan::from_roles(&events, &gtis, &places, &wanted, warnings)?;
    Ok((plan, events))
}

impl<'a> EventPair<'a> {
    /// The inputs and the first series of each: two bands of one file are one input, which is read once.
    fn read_once(self, inside: bool) -> Result<Vec<(usize, Events<'a>)>> {
        let EventPair { reference, subject } = self;
        if let (Some((file, r)), Some((other, s))) = (&reference.origin, &subject.origin)
            && let (Some(wide), Some(narrow)) = (r.selection.channels, s.selection.channels)
            && std::ptr::eq(*file, *other)
            && r.selection.detectors == s.selection.detectors
            // Each photon counts once: in other cases those of both bands would count twice.
            && if inside { wide.contains(&narrow) } else { wide.is_apart_from(&narrow) }
        {
            let both = Events::from_bands(file, &[wide, narrow], r.selection.detectors.clone())?;
            return Ok(vec![(0, both.with_clock_of(reference)?)]);
        }
        Ok(vec![(1, subject), (0, reference)])
    }
}

//! Two channels in common segments → sums → cross spectrum.

use serde::Serialize;

use super::plan::{InputRole, Plan, PlanRequest};
use super::zero_nyquist::ZeroNyquistAccumulator;
use super::{CHUNK_EVENTS, Events, PlanSums, ReadProgress, SegmentSink, dead_time, no_events, sum_plan};
use crate::backend::Backend;
use crate::base::error::Result;
use crate::base::warning::Warnings;
use crate::science::cross::{AveragedCrossSpectrum, CrossContext, CrossOptions};
use crate::segment::Quantity;
use crate::segment::plan::Resolution;

/// Options of an averaged cross spectrum of events.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct CrossSpectrumOptions {
    /// Bin width, s; chosen when left out.
    pub dt: Option<f64>,
    /// Segment length, s; chosen when left out.
    pub segment_size: Option<f64>,
    /// From sums to spectrum.
    #[serde(flatten)]
    pub cross: CrossOptions,
    /// The peer's rules where this library's differ.
    pub compat_stingray: bool,
    /// Rows read at a time; changes no result, and is not recorded.
    #[serde(skip)]
    pub chunk_events: usize,
}

impl Default for CrossSpectrumOptions {
    fn default() -> CrossSpectrumOptions {
        let cross = CrossOptions::default();
        CrossSpectrumOptions { dt: None, segment_size: None, cross, compat_stingray: false, chunk_events: CHUNK_EVENTS }
    }
}

/// Two channels of one observation.
pub struct EventPair<'a> {
    /// The reference.
    pub reference: Events<'a>,
    /// The subject, whose lags are positive where it is late.
    pub subject: Events<'a>,
}

/// The averaged cross spectrum of the channels of one or several observations, in common segments: the intervals are those that
/// both channels have. With `inside` every photon of the subject is one of the reference, too, and leaves it: correlated with
/// itself it would have no lag and full coherence.
///
/// # Errors
/// Options without meaning; no interval long enough; reading fails; the device fails; no event in any segment.
pub fn cross_spectrum_of_events(
    inputs: Vec<EventPair>,
    inside: bool,
    options: &CrossSpectrumOptions,
    backend: &mut dyn Backend,
    mut warnings: Warnings,
    progress: ReadProgress,
) -> Result<AveragedCrossSpectrum> {
    let known = inputs.first().map_or([None; 2], |first| [first.subject.dead_time, first.reference.dead_time]);
    let (plan, events) = options.plan(inputs, inside, &mut warnings)?;
    let mut ends = options.cross.fullspec.then(|| ZeroNyquistAccumulator::new(&plan.spec));
    let keep = ends.as_mut().map_or(SegmentSink::SumsAlone, SegmentSink::Ends);
    let done = sum_plan(&plan, events, backend, options.chunk_events, keep, &mut warnings, progress)?;
    let PlanSums { sums, device, mut made } = done;
    if sums.segments == 0 || sums.channels.iter().any(|c| c.photons == 0) {
        return Err(no_events(&plan, &made));
    }
    made.warnings = warnings;
    made.options = serde_json::to_value(options).unwrap_or_default();
    let Resolution { n, dt, segment_size } = plan.resolution;
    let (ends, compat_stingray) = (ends.map(ZeroNyquistAccumulator::finish), options.compat_stingray);
    let context =
        CrossContext { n, dt, segment_size, inside, flux: None, ends, compat_stingray, device, provenance: made };
    let mut spectrum = AveragedCrossSpectrum::new(&sums, &options.cross, context)?;
    dead_time::warn_of_channels(&mut spectrum, known, options.cross.noise);
    Ok(spectrum)
}

impl CrossSpectrumOptions {
    /// The plan of a cross spectrum, and the events of its inputs.
    ///
    /// # Errors
    /// Options without meaning; no interval long enough.
    pub fn plan<'a>(
        &self,
        inputs: Vec<EventPair<'a>>,
        inside: bool,
        warnings: &mut Warnings,
    ) -> Result<(Plan, Vec<Events<'a>>)> {
        let weight_exponent = self.cross.weight_exponent();
        let quantity = Quantity::Cross { channels: 2, inside: u64::from(inside), weight_exponent };
        plan_channels(inputs, inside, quantity, self, warnings)
    }
}

/// Plans the common segments of some channels, and what is to be read for them.
pub(super) fn plan_channels<'a>(
    inputs: Vec<EventPair<'a>>,
    inside: bool,
    quantity: Quantity,
    options: &CrossSpectrumOptions,
    warnings: &mut Warnings,
) -> Result<(Plan, Vec<Events<'a>>)> {
    let (mut events, mut gtis, mut places) = (Vec::new(), Vec::new(), Vec::new());
    for (observation, channels) in inputs.into_iter().enumerate() {
        let gti = channels.reference.gti.intersect(&channels.subject.gti);
        for (channel, input) in channels.read_once(inside)? {
            events.push(input);
            gtis.push(gti.clone());
            places.push(InputRole { observation, channel });
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
    /// The inputs and the first channel of each: two bands of one file are one input, which is read once.
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

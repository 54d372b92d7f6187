//! Pairs of events, whose segments are those that both have.

use super::plan::{InputRole, Plan};
use super::segmentation::Segmentation;
use super::time_source::Events;
use crate::base::error::Result;
use crate::base::warning::Warnings;
use crate::missions::DetectorDeadTime;
use crate::segment::Quantity;

/// Two energy bands (or detectors) of one observation: the subject and the reference of a cross spectrum.
pub(crate) struct EventPair<'a> {
    /// Events of the reference.
    pub reference: Events<'a>,
    /// Events of the subject. Lags are positive if the subject is late.
    pub subject: Events<'a>,
}

/// Dead time of the detectors of subject and reference, where it is known.
pub(super) fn known_dead_time(inputs: &[EventPair]) -> [Option<DetectorDeadTime>; 2] {
    inputs.first().map_or([None; 2], |first| [first.subject.dead_time, first.reference.dead_time])
}

/// Plans the common segments of some pairs, and what is to be read for them. `inside`: the reference contains all photons of the subject,
/// which are removed from it, because photons correlated with themselves would add a signal of zero lag and full coherence.
pub(super) fn plan_pairs<'a>(
    inputs: Vec<EventPair<'a>>,
    inside: bool,
    quantity: Quantity,
    segmentation: Segmentation,
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
    let plan = Plan::from_roles(&events, &gtis, &places, segmentation, quantity, warnings)?;
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

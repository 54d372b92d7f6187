//! What a cross spectrum correlates with what: two bands of each file, or two observations.

use super::combine::Combine;
use super::event_pair::EventPair;
use super::observation::{Observation, ObservationKind};
use super::photon_band::PhotonBand;
use super::time_source::align;
use crate::base::error::{Error, Result};
use crate::base::warning::Warnings;

/// Which band holds the other.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum BandOverlap {
    /// Neither, or no longer.
    None,
    /// The subject is inside the reference.
    SubjectInside,
    /// The reference is inside the subject.
    ReferenceInside,
}

/// The two bands of a cross spectrum, of which no photon is correlated with itself.
#[derive(Clone, Debug)]
pub(super) struct CrossBands {
    subject: PhotonBand,
    reference: PhotonBand,
    pub overlap: BandOverlap,
    /// What was done about photons that both bands have.
    pub note: Option<String>,
}

/// Lower and upper bound of a band, and whether it is one of channels.
fn bounds(band: PhotonBand) -> (f64, f64, bool) {
    match band {
        PhotonBand::Energy(lo, hi) => (lo, hi, false),
        PhotonBand::Channels(lo, hi) => (lo, hi, true),
    }
}

impl CrossBands {
    /// Photons that both bands have leave the wider one. A reference that overlaps the subject in part loses what they share.
    ///
    /// # Errors
    /// One band is of energies and the other of channels.
    pub fn new([subject, reference]: [PhotonBand; 2]) -> Result<CrossBands> {
        let ((s_lo, s_hi, by_channel), (mut r_lo, mut r_hi, other)) = (bounds(subject), bounds(reference));
        if by_channel != other {
            return Err(Error::argument("reference", "", "both bands are given in keV, or both in channels"));
        }
        let apart = |a: (f64, f64), b: (f64, f64)| if by_channel { a.1 < b.0 } else { a.1 <= b.0 };
        let (own, its) = ((s_lo, s_hi), (r_lo, r_hi));
        let holds = |a: (f64, f64), b: (f64, f64)| a.0 <= b.0 && b.1 <= a.1;
        let overlap = match () {
            () if holds(its, own) => BandOverlap::SubjectInside,
            () if holds(own, its) => BandOverlap::ReferenceInside,
            () => BandOverlap::None,
        };
        let mut note = None;
        if overlap == BandOverlap::ReferenceInside {
            note = Some(format!(
                "the reference {r_lo}:{r_hi} is inside the subject {s_lo}:{s_hi}, which its photons leave"
            ));
        }
        if overlap == BandOverlap::None && !apart(own, its) && !apart(its, own) {
            note = Some(format!(
                "the reference {r_lo}:{r_hi} shares {}:{} with the subject, whose photons leave it",
                r_lo.max(s_lo),
                r_hi.min(s_hi)
            ));
            match r_lo < s_lo {
                true if by_channel => r_hi = s_lo.next_down(),
                true => r_hi = s_lo,
                false if by_channel => r_lo = s_hi.next_up(),
                false => r_lo = s_hi,
            }
        }
        let reference = if by_channel { PhotonBand::Channels(r_lo, r_hi) } else { PhotonBand::Energy(r_lo, r_hi) };
        Ok(CrossBands { subject, reference, overlap, note })
    }
}

impl CrossBands {
    /// The subject's and the reference's.
    pub fn bands(&self) -> [PhotonBand; 2] {
        [self.subject, self.reference]
    }
}

/// What is correlated: pairs of inputs, one an observation, and which band holds the other. A reference inside the subject stands in the
/// subject's place, and the other way round: the result is to be exchanged.
///
/// # Errors
/// Events without bands; bands of a pair, or besides a band of all; energies that are not known.
pub(super) fn pairs<'a>(
    observation: &'a Observation,
    bands: Option<[PhotonBand; 2]>,
    warnings: &mut Warnings,
) -> Result<(Vec<EventPair<'a>>, BandOverlap)> {
    if observation.combination() == Combine::Merge {
        let message = "the sides of a cross spectrum stay apart; several files of two bands are averaged";
        return Err(Error::argument("combine", "merge", message));
    }
    let Some(bands) = bands else {
        if observation.kind() != ObservationKind::EventPair {
            let message = "two bands are needed, the subject's and the reference's, or a pair of observations";
            return Err(Error::argument("subject", "", message));
        }
        return Ok((vec![observation.pair_of_events(warnings)?], BandOverlap::None));
    };
    if observation.kind() == ObservationKind::EventPair {
        return Err(Error::argument("subject", "", "a pair of observations has its sides already"));
    }
    if let Some(field) = observation.band_field() {
        return Err(Error::argument(field, "", "the bands are those of the subject and the reference"));
    }
    observation.alike(Some(bands[0]), warnings)?;
    let bands = CrossBands::new(bands)?;
    let exchanged = bands.overlap == BandOverlap::ReferenceInside;
    let subject = (bands.subject, ("subject", "subject_pi"));
    let reference = (bands.reference, ("reference", "ref_pi"));
    let [first, second] = if exchanged { [subject, reference] } else { [reference, subject] };
    // One band at a time: the sides are read apart.
    let firsts = observation.events_in_bands(&[first], warnings)?;
    let seconds = observation.events_in_bands(&[second], warnings)?;
    let mut both: Vec<_> = firsts.into_iter().zip(seconds).flat_map(<[_; 2]>::from).collect();
    align(&mut both)?;
    let mut pairs = Vec::new();
    let mut both = both.into_iter();
    while let (Some(reference), Some(subject)) = (both.next(), both.next()) {
        pairs.push(EventPair { reference, subject });
    }
    Ok((pairs, bands.overlap))
}

/// What was done about photons that both bands have; `None` where they are apart or nobody asked.
pub(super) fn note(bands: Option<[PhotonBand; 2]>) -> Option<String> {
    bands.and_then(|bands| CrossBands::new(bands).ok()).and_then(|bands| bands.note)
}

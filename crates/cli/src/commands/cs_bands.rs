//! What `eagleray cs` correlates with what: two bands of each file, or two files.

use crate::arguments::input::InputArgs;
use crate::number::NumberRange;
use eagleray::engine::{EventPair, Events, align};
use eagleray::internal::text::count;
use eagleray::io::EventFile;
use eagleray::{Error, Result};

/// What is correlated with what.
pub(super) enum CrossBands {
    /// Two bands of each file. Photons that both would have leave the wider one, so that none is correlated with itself.
    OfEach { subject: Box<InputArgs>, reference: Box<InputArgs>, shared: BandOverlap },
    /// The first file with the second.
    TwoFiles,
}

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

impl CrossBands {
    /// The bands of `--subject` and `--ref`, or of `--subject-pi` and `--ref-pi`, which are channels, both included. A reference
    /// that overlaps the subject in part loses what they share; `say` tells.
    pub fn from_args(
        input: &InputArgs,
        energies: Option<[NumberRange; 2]>,
        channels: Option<[NumberRange; 2]>,
        say: &mut dyn FnMut(String),
    ) -> Result<CrossBands> {
        let ([subject, mut reference], by_channel) = match (energies, channels) {
            (Some(bands), _) => (bands, false),
            (None, Some(bands)) => (bands, true),
            (None, None) => return Ok(CrossBands::TwoFiles),
        };
        if input.energy.is_some() || input.pi.is_some() {
            let message = "the bands are those of --subject and --ref";
            let field = if input.energy.is_some() { "energy" } else { "pi" };
            return Err(Error::argument(field, "", message));
        }
        let holds = |a: NumberRange, b: NumberRange| a.lo <= b.lo && b.hi <= a.hi;
        let apart = |a: NumberRange, b: NumberRange| if by_channel { a.hi < b.lo } else { a.hi <= b.lo };
        let shared = match () {
            () if holds(reference, subject) => BandOverlap::SubjectInside,
            () if holds(subject, reference) => BandOverlap::ReferenceInside,
            () => BandOverlap::None,
        };
        if shared == BandOverlap::ReferenceInside {
            say(format!(
                "the reference {}:{} is inside the subject {}:{}, which its photons leave",
                reference.lo, reference.hi, subject.lo, subject.hi
            ));
        }
        if shared == BandOverlap::None && !apart(subject, reference) && !apart(reference, subject) {
            let whole = reference;
            match reference.lo < subject.lo {
                true if by_channel => reference.hi = subject.lo.next_down(),
                true => reference.hi = subject.lo,
                false if by_channel => reference.lo = subject.hi.next_up(),
                false => reference.lo = subject.hi,
            }
            say(format!(
                "the reference {}:{} shares {}:{} with the subject, whose photons leave it",
                whole.lo,
                whole.hi,
                whole.lo.max(subject.lo),
                whole.hi.min(subject.hi)
            ));
        }
        let of = |band: NumberRange| {
            let mut input = input.clone();
            let band = Some((band.lo, band.hi));
            if by_channel {
                input.pi = band
            } else {
                input.energy = band
            }
            Box::new(input)
        };
        Ok(CrossBands::OfEach { subject: of(subject), reference: of(reference), shared })
    }

    /// The channels of each observation. A reference inside the subject stands in the subject's place, and the other way round.
    pub fn channels<'a>(
        &self,
        input: &InputArgs,
        files: &'a [EventFile],
        say: &mut dyn FnMut(String),
    ) -> Result<Vec<EventPair<'a>>> {
        let mut both = Vec::new();
        match self {
            CrossBands::TwoFiles => {
                let [subject, reference] = files else {
                    let message =
                        "give two files, the subject's and the reference's, or two bands by --subject and --ref";
                    return Err(Error::argument("files", count(files.len() as u64, "file"), message));
                };
                for file in [reference, subject] {
                    both.push(Events::from_unread_file(file, input.selection(file, say)?)?);
                }
            }
            CrossBands::OfEach { subject, reference, shared } => {
                let exchanged = *shared == BandOverlap::ReferenceInside;
                let [first, second] = if exchanged { [subject, reference] } else { [reference, subject] };
                for file in files {
                    both.push(Events::from_unread_file(file, first.selection(file, say)?)?);
                    both.push(Events::from_unread_file(file, second.selection(file, say)?)?);
                }
            }
        }
        align(&mut both)?;
        let mut channels = Vec::new();
        let mut both = both.into_iter();
        while let (Some(reference), Some(subject)) = (both.next(), both.next()) {
            channels.push(EventPair { reference, subject });
        }
        Ok(channels)
    }

    /// Which band holds the other.
    pub fn shared(&self) -> BandOverlap {
        match self {
            CrossBands::OfEach { shared, .. } => *shared,
            CrossBands::TwoFiles => BandOverlap::None,
        }
    }
}

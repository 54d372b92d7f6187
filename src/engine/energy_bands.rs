//! The bands of an energy spectrum: which photons of the reference are theirs, and how many each has.

use std::ops::Range;
use std::sync::Arc;

use serde::Serialize;

use super::combine::{Combine, combined_gtis};
use super::reader::{Reader, edges};
use super::run::Run;
use super::time_source::{self, Events, describe};
use crate::base::error::{Error, Result};
use crate::base::mend::Mend;
use crate::data::{EventBalance, Gti, Record};
use crate::science::energy::Band;

/// The energy bands of an energy spectrum, in keV or channels, as the user named them. They label the rows of the product.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct EnergyBands {
    /// The reference band, which is the first band of each input.
    pub reference: Band,
    /// The bands that a value is computed for, in the order of the other bands of each input.
    pub subjects: Vec<Band>,
    /// True if the bands are given in channels, false if in keV.
    pub channels: bool,
}

impl EnergyBands {
    /// Bands of energies `lo ≤ E < hi`, keV.
    pub fn energies(reference: Range<f64>, subjects: impl IntoIterator<Item = Range<f64>>) -> EnergyBands {
        let band = |range: Range<f64>| Band { lo: range.start, hi: range.end };
        EnergyBands { reference: band(reference), subjects: subjects.into_iter().map(band).collect(), channels: false }
    }
}

/// Which bands are inside the reference. Every photon must count once: no two bands share one, and each is inside the reference or
/// apart from it.
pub(super) fn relations(inputs: &[Events], bands: &EnergyBands) -> Result<u64> {
    let mut all: Option<u64> = None;
    let name = |band: &Band| format!("{}:{}", band.lo, band.hi);
    for input in inputs {
        let Some((reference, subjects)) = input.bands.split_first().filter(|(_, s)| s.len() == bands.subjects.len())
        else {
            let message = format!("{} has {} bands, with the reference's", input.name, input.bands.len());
            return Err(Error::argument("bands", bands.subjects.len() + 1, message));
        };
        let mut inside = 0;
        for (s, (range, band)) in subjects.iter().zip(&bands.subjects).enumerate() {
            if reference.contains(range) {
                inside |= 1 << s;
            } else if !reference.is_apart_from(range) {
                let message =
                    format!("shares photons with the reference {} without being inside it", name(&bands.reference));
                let mend = Mend::field("reference").doing("with its ends at edges of bands");
                return Err(Error::argument("subjects", name(band), message).mended_by([mend]));
            }
            if let Some(other) = subjects[..s].iter().position(|other| !other.is_apart_from(range)) {
                let message = format!("shares photons with the band {}", name(&bands.subjects[other]));
                return Err(Error::argument("subjects", name(band), message));
            }
        }
        if all.is_some_and(|all| all != inside) {
            let message = format!("in {} other bands are inside the reference than in the inputs before", input.name);
            return Err(Error::argument("reference", name(&bands.reference), message));
        }
        all = Some(inside);
    }
    all.ok_or_else(|| Error::argument("inputs", 0, "at least one input is needed"))
}

/// The photons of each band in good time, the exposure, and what they were counted of; the options are left to be filled. An event that is
/// in a band and in the reference counts once in the balance.
pub(super) fn count_photons(
    mut inputs: Vec<Events>,
    bands: &EnergyBands,
    combine: Combine,
    run: &mut Run,
) -> Result<(Vec<u64>, f64, Record)> {
    let inside = relations(&inputs, bands)?;
    inputs.iter_mut().try_for_each(|input| input.prepare(&mut run.warnings))?;
    let gtis = combined_gtis(&inputs, combine, &mut run.warnings)?;
    let mut made = describe(&inputs);
    let observations = if combine == Combine::Merge { &gtis[..1] } else { &gtis[..] };
    made.gti = observations.iter().flat_map(|g| g.intervals()).map(|(a, b)| [a.value(), b.value()]).collect();
    let exposure = observations.iter().map(Gti::exposure).sum();
    let mut counts = vec![0; bands.subjects.len() + 1];
    let reading = run.reading();
    run.progress.begin(time_source::rows(&inputs));
    let counted: Vec<bool> = (0..counts.len()).map(|b| b == 0 || (inside >> (b - 1)) & 1 == 0).collect();
    let mut photons = EventBalance::default();
    for (input, gti) in inputs.into_iter().zip(&gtis) {
        let intervals = edges(gti, input.offset);
        let mut reader = Reader::new(input.source, Arc::clone(&intervals), counted.clone(), reading);
        for &(start, stop) in intervals.iter() {
            reader.skip_to(start)?;
            reader.each_to(stop, |band, times| counts[band] += times.len() as u64)?;
        }
        photons.add(&reader.finish()?);
    }
    photons.used = counts.iter().zip(&counted).filter(|(_, counted)| **counted).map(|(count, _)| count).sum();
    debug_assert!(photons.is_exact(), "{photons}");
    let made = Record { device: super::each_segment::device(), photons, warnings: run.take_warnings(), ..made };
    Ok((counts.split_off(1), exposure, made))
}

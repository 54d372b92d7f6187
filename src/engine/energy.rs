//! Many bands of the same events → sums with one reference → variability against energy, in one pass.

use std::sync::Arc;

use serde::Serialize;

use super::options::Reading;
use super::plan::{InputRole, Plan, PlanRequest, combined_gtis};
use super::reader::{Reader, edges};
use super::time_source::describe;
use super::{CHUNK_EVENTS, Combine, Events, PlanSums, SegmentSink, dead_time, no_events, sum_plan};
use crate::backend::Backend;
use crate::base::error::{Error, Result};
use crate::base::mend::Mend;
use crate::base::progress::Progress;
use crate::base::warning::Warnings;
use crate::data::{EventBalance, Gti};
use crate::missions::DetectorDeadTime;
use crate::science::context::SpectrumContext;
use crate::science::energy::{Band, EnergyContext, EnergyKind, EnergyOptions, EnergySpectrum, frequencies_in};
use crate::segment::Quantity;
use crate::segment::plan::Resolution;

/// Options of an energy spectrum of events.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct EnergySpectrumOptions {
    /// Bin width, s. `None`: 1/1024 s, or the frame time if that is longer.
    pub dt: Option<f64>,
    /// Segment length, s. `None`: the longest power of two of bins that makes at least 50 segments.
    pub segment_size: Option<f64>,
    /// How several inputs make one spectrum.
    pub combine: Combine,
    /// Quantity, frequencies and normalisation.
    #[serde(flatten)]
    pub energy: EnergyOptions,
    /// Number of rows read at a time. It limits memory, changes no result and is not recorded.
    #[serde(skip)]
    pub chunk_events: usize,
}

impl EnergySpectrumOptions {
    /// The options for a kind of energy spectrum between the frequencies `freq` (Hz), all others at their defaults.
    /// `freq` is `None` for [`EnergyKind::Count`].
    pub fn new(kind: EnergyKind, freq: Option<[f64; 2]>) -> EnergySpectrumOptions {
        let energy = EnergyOptions { kind, freq, fractional: kind != EnergyKind::Covariance };
        let (dt, segment_size) = (None, None);
        EnergySpectrumOptions { dt, segment_size, combine: Combine::Average, energy, chunk_events: CHUNK_EVENTS }
    }
}

/// The energy bands of an energy spectrum, in keV or channels, as the user named them. They label the columns of the
/// product; the channel ranges of the inputs ([`Events::from_bands`]) are made from them.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct EnergyBands {
    /// The reference band, which is the first band of each input.
    pub reference: Band,
    /// The bands that a value is computed for, in the order of the other bands of each input.
    pub subjects: Vec<Band>,
    /// True if the bands are given in channels, false if in keV.
    pub channels: bool,
}

/// The segments of an energy spectrum, planned before an event is read.
pub struct EnergyPlan {
    /// Segments and inputs.
    pub plan: Plan,
    /// Number of frequencies used.
    pub frequencies: usize,
    /// Bit s: the photons of that band leave the reference for it.
    pub(super) inside: u64,
}

impl EnergyPlan {
    /// Plans the segments of an energy spectrum.
    ///
    /// # Errors
    /// Bands that overlap in part, that differ between the inputs, or that the inputs do not have; `dt` or
    /// `segment_size` out of range; no frequency in the band; or no interval that holds one segment.
    pub fn new(
        inputs: &[Events],
        bands: &EnergyBands,
        options: &EnergySpectrumOptions,
        warnings: &mut Warnings,
    ) -> Result<EnergyPlan> {
        let inside = relations(inputs, bands)?;
        let gtis = combined_gtis(inputs, options.combine, warnings)?;
        let observation = |i| if options.combine == Combine::Merge { 0 } else { i };
        let places: Vec<InputRole> =
            (0..inputs.len()).map(|i| InputRole { observation: observation(i), series: 0 }).collect();
        let quantity = Quantity::Cross { series: bands.subjects.len() + 1, inside, weight_exponent: None };
        let wanted =
            PlanRequest { dt: options.dt, segment_size: options.segment_size, quantity, compat_stingray: false };
        let plan = Plan::from_roles(inputs, &gtis, &places, &wanted, warnings)?;
        let Resolution { n, segment_size, .. } = plan.resolution;
        let Some(freq) = options.energy.freq else {
            return Err(Error::argument("freq", "", "the frequencies to average over, Hz, are needed"));
        };
        let frequencies = frequencies_in(freq, n, segment_size)?;
        let (df, all) = (1.0 / segment_size, plan.spec.frequencies());
        let (lowest, highest) = (0.5 * df, (all as f64 + 0.5) * df);
        // From 0 on, or without end, means all there are.
        if (freq[0] > 0.0 && freq[0] < lowest) || (freq[1].is_finite() && freq[1] > highest + df) {
            let [lo, hi] = [frequencies.start + 1, frequencies.end].map(|k| k as f64 * df);
            let message = format!("of {}:{} Hz the spectrum has {lo} to {hi} Hz", freq[0], freq[1]);
            warnings.push("W-FREQ-BAND", message);
        }
        Ok(EnergyPlan { plan, frequencies: frequencies.len(), inside })
    }
}

/// Which bands are inside the reference. Every photon must count once: no two bands share one, and each is inside the reference or
/// apart from it.
fn relations(inputs: &[Events], bands: &EnergyBands) -> Result<u64> {
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

/// Computes a quantity of the variability against energy, for all bands in one pass: each event is read once, and
/// counted in its band and in the reference if it belongs to both. `inputs` are those of [`Events::from_bands`], the
/// reference first.
///
/// The balance counts events, not entries in bands: an event that is in a band and in the reference counts once.
///
/// # Errors
/// See [`EnergyPlan::new`]; a file cannot be read; the device fails; or there is no event in any segment.
pub fn energy_spectrum_of_events(
    inputs: Vec<Events>,
    bands: &EnergyBands,
    options: &EnergySpectrumOptions,
    backend: &mut dyn Backend,
    mut warnings: Warnings,
    progress: &Progress,
) -> Result<EnergySpectrum> {
    if options.energy.kind == EnergyKind::Count {
        return count_spectrum(inputs, bands, options, warnings, progress);
    }
    let EnergyPlan { plan, inside, .. } = EnergyPlan::new(&inputs, bands, options, &mut warnings)?;
    let known = dead_time::common_dead_time(&inputs, options.combine);
    let reading = Reading { rows: options.chunk_events, progress };
    let done = sum_plan(&plan, inputs, backend, reading, SegmentSink::SumsAlone, &mut warnings)?;
    finish_energy(&plan, done, known, (bands, inside), options, warnings)
}

/// The spectrum of the sums of a plan of bands; the bits of `inside` are those of [`Quantity::Cross`].
pub(super) fn finish_energy(
    plan: &Plan,
    done: PlanSums,
    known: Option<DetectorDeadTime>,
    (bands, inside): (&EnergyBands, u64),
    options: &EnergySpectrumOptions,
    warnings: Warnings,
) -> Result<EnergySpectrum> {
    let PlanSums { sums, mut made } = done;
    if sums.series.iter().all(|c| c.photons == 0) {
        return Err(no_events(plan, &made));
    }
    made.warnings = warnings;
    made.options = serde_json::to_value(options).unwrap_or_default();
    let Resolution { n, dt, segment_size } = plan.resolution;
    let EnergyBands { reference, subjects, channels } = bands.clone();
    let spectrum = SpectrumContext { n, dt, segment_size, record: made };
    let context = EnergyContext { spectrum, bands: subjects, reference, inside, channels };
    let mut spectrum = EnergySpectrum::new(&sums, &options.energy, context)?;
    dead_time::warn_of_bands(&mut spectrum, known);
    Ok(spectrum)
}

/// The photons of each band in good time.
fn count_spectrum(
    mut inputs: Vec<Events>,
    bands: &EnergyBands,
    options: &EnergySpectrumOptions,
    mut warnings: Warnings,
    progress: &Progress,
) -> Result<EnergySpectrum> {
    let inside = relations(&inputs, bands)?;
    inputs.iter_mut().try_for_each(|input| input.prepare(&mut warnings))?;
    let gtis = combined_gtis(&inputs, options.combine, &mut warnings)?;
    let mut made = describe(&inputs);
    let observations = if options.combine == Combine::Merge { &gtis[..1] } else { &gtis[..] };
    made.gti = observations.iter().flat_map(|g| g.intervals()).map(|(a, b)| [a.value(), b.value()]).collect();
    let exposure = observations.iter().map(Gti::exposure).sum();
    let mut counts = vec![0; bands.subjects.len() + 1];
    let reading = Reading { rows: options.chunk_events, progress };
    progress.begin(super::time_source::rows(&inputs));
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
    made.device = super::each_segment::device();
    made.photons = photons;
    made.warnings = warnings;
    made.options = serde_json::to_value(options).unwrap_or_default();
    let EnergyBands { subjects, channels, .. } = bands.clone();
    Ok(EnergySpectrum::from_counts(subjects, counts.split_off(1), channels, exposure, made))
}

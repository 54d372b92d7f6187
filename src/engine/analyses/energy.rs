//! Quantities of the variability against energy.

use serde::Serialize;

use crate::base::error::{Error, Result};
use crate::base::footprint::Footprint;
use crate::base::sums::Sums;
use crate::base::warning::Warnings;
use crate::data::Record;
use crate::data::product::ProductKind;
use crate::engine::analysis::{Analysis, PlanReport, setters};
use crate::engine::dead_time;
use crate::engine::energy_bands::{EnergyBands, count_photons, relations};
use crate::engine::observation::{Observation, ObservationKind};
use crate::engine::photon_band::PhotonBand;
use crate::engine::plan::Plan;
use crate::engine::plan_sums::no_events;
use crate::engine::run::{Run, asked_of};
use crate::engine::segmentation::Segmentation;
use crate::engine::summation::{Finish, InParts, Summation};
use crate::engine::time_source::Events;
use crate::io::table_write::written_as_table;
use crate::science::columns::ENERGY_SPECTRUM;
use crate::science::context::SpectrumContext;
use crate::science::energy::of_sums::EnergyContext;
use crate::science::energy::{Band, EnergyKind, EnergyOptions, EnergySpectrum, frequencies_in};
use crate::segment::Quantity;
use crate::segment::plan::Resolution;

/// Lags, covariance, rms, excess variance or counts against energy, all bands in one pass over the events of files.
#[derive(Clone, Debug, PartialEq, Serialize)]
#[must_use]
#[non_exhaustive]
pub struct EnergyDependence {
    /// The bands, and the reference.
    pub bands: EnergyBands,
    /// How time is cut.
    #[serde(flatten)]
    pub segmentation: Segmentation,
    /// Quantity, frequencies and normalisation.
    #[serde(flatten)]
    pub energy: EnergyOptions,
}

impl EnergyDependence {
    /// A quantity of each of some bands; all other options at their defaults. Frequencies are needed but for [`EnergyKind::Count`].
    pub fn new(kind: EnergyKind, bands: EnergyBands) -> EnergyDependence {
        let energy = EnergyOptions { kind, freq: None, fractional: kind != EnergyKind::Covariance };
        EnergyDependence { bands, segmentation: Segmentation::default(), energy }
    }

    setters! {
        /// Bin width, s.
        dt(f64) => segmentation.dt;
        /// Segment length, s.
        segment_size(f64) => segmentation.segment_size;
        /// Frequencies `lo ≤ f < hi` used, Hz.
        freq([f64; 2]) => energy.freq;
        /// Divide by the mean rate (true), or not.
        fractional(bool) => energy.fractional;
    }

    /// The frequencies of a plan that are used, by number. Warns of a band that is not all there.
    fn frequencies(&self, plan: &Plan, run: &mut Run) -> Result<usize> {
        let Resolution { n, segment_size, .. } = plan.resolution;
        let Some(freq) = self.energy.freq else {
            return Err(Error::argument("freq", "", "the frequencies to average over, Hz, are needed"));
        };
        let frequencies = frequencies_in(freq, n, segment_size)?;
        let (df, all) = (1.0 / segment_size, plan.spec.frequencies());
        let (lowest, highest) = (0.5 * df, (all as f64 + 0.5) * df);
        // From 0 on, or without end, means all there are.
        if (freq[0] > 0.0 && freq[0] < lowest) || (freq[1].is_finite() && freq[1] > highest + df) {
            let [lo, hi] = [frequencies.start + 1, frequencies.end].map(|k| k as f64 * df);
            let message = format!("of {}:{} Hz the spectrum has {lo} to {hi} Hz", freq[0], freq[1]);
            run.warnings.push("W-FREQ-BAND", message);
        }
        Ok(frequencies.len())
    }

    /// The segments, without what is made of their sums, and the number of frequencies.
    fn segments<'o>(&self, observation: &'o Observation, run: &mut Run) -> Result<(Plan, Vec<Events<'o>>, u64, usize)> {
        let inputs = self.inputs(observation, &mut run.warnings)?;
        let inside = relations(&inputs, &self.bands)?;
        let quantity = Quantity::Cross { series: self.bands.subjects.len() + 1, inside, weight_exponent: None };
        let plan = Plan::new(&inputs, observation.combination(), self.segmentation, quantity, &mut run.warnings)?;
        let frequencies = self.frequencies(&plan, run)?;
        Ok((plan, inputs, inside, frequencies))
    }

    /// The events of each input in the reference and the bands.
    fn inputs<'a>(&self, observation: &'a Observation, warnings: &mut Warnings) -> Result<Vec<Events<'a>>> {
        if self.segmentation.compat_stingray {
            return Err(Error::argument("compat_stingray", "", "energy spectra have this library's own rules"));
        }
        if let Some(field) = observation.band_field() {
            return Err(Error::argument(field, "", "the bands are those of the energy spectrum and its reference"));
        }
        let of = |band: Band| match self.bands.channels {
            true => PhotonBand::Channels(band.lo, band.hi),
            false => PhotonBand::Energy(band.lo, band.hi),
        };
        let mut bands = vec![(of(self.bands.reference), ("reference", "energies_pi"))];
        bands.extend(self.bands.subjects.iter().map(|&band| (of(band), ("energies", "energies_pi"))));
        let inputs = observation.events_in_bands(&bands, warnings)?;
        observation.alike(Some(of(self.bands.reference)), &mut Warnings::default())?;
        observation.join(inputs)
    }
}

#[allow(private_interfaces)]
impl InParts for EnergyDependence {
    /// All bands in one pass: each event is read once, and counted in its band and in the reference if it belongs to both.
    fn summation<'o>(&'o self, observation: &'o Observation, run: &mut Run) -> Result<Summation<'o, EnergySpectrum>> {
        if self.energy.kind == EnergyKind::Count {
            return Err(Error::argument("kind", "count", "photons are counted at once, not in parts"));
        }
        let (plan, inputs, inside, _) = self.segments(observation, run)?;
        let known = dead_time::common_dead_time(&inputs, observation.combination());
        let finish = move |plan: &Plan, sums: Sums, made: Record| {
            if sums.series.iter().all(|c| c.photons == 0) {
                return Err(no_events(plan, &made));
            }
            let Resolution { n, dt, segment_size } = plan.resolution;
            let EnergyBands { reference, subjects, channels } = self.bands.clone();
            let spectrum = SpectrumContext { n, dt, segment_size, compat_stingray: false, record: made };
            let context = EnergyContext { spectrum, bands: subjects, reference, inside, channels };
            let mut spectrum = EnergySpectrum::new(&sums, &self.energy, context)?;
            dead_time::warn_of_bands(&mut spectrum, known);
            Ok(spectrum)
        };
        let asked = asked_of(self, observation.combination());
        Ok(Summation { plan, inputs, asked, finish: Finish::Sums(Box::new(finish)) })
    }
}

written_as_table!(EnergySpectrum);

#[allow(private_interfaces)]
impl Analysis for EnergyDependence {
    type Product = EnergySpectrum;
    const NAME: &'static str = "energy spectrum";
    const KINDS: &'static [ObservationKind] = &[ObservationKind::Events];
    const PRODUCTS: &'static [&'static ProductKind] = &[&ENERGY_SPECTRUM];

    fn compute(&self, observation: &Observation, run: &mut Run) -> Result<EnergySpectrum> {
        if self.energy.kind != EnergyKind::Count {
            return self.summation(observation, run)?.product(run);
        }
        let combine = observation.combination();
        let (counts, exposure, mut made) =
            count_photons(self.inputs(observation, &mut run.warnings)?, &self.bands, combine, run)?;
        made.options = asked_of(self, combine);
        let EnergyBands { subjects, channels, .. } = self.bands.clone();
        Ok(EnergySpectrum::from_counts(subjects, counts, channels, exposure, made))
    }

    fn plan(&self, observation: &Observation, run: &mut Run) -> Result<PlanReport> {
        if self.energy.kind == EnergyKind::Count {
            let inputs = self.inputs(observation, &mut run.warnings)?;
            let exposure = inputs.iter().map(|input| input.gti.exposure()).sum();
            return Ok(PlanReport { exposure, ..PlanReport::default() });
        }
        let (plan, inputs, _, frequencies) = self.segments(observation, run)?;
        Ok(PlanReport { frequencies, ..PlanReport::of_events(&plan, &inputs, Footprint::default(), run)? })
    }

    fn record(product: &EnergySpectrum) -> &Record {
        &product.meta.record
    }
}

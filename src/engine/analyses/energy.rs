//! Quantities of the variability against energy.

use serde::Serialize;

use crate::base::error::{Error, Result};
use crate::data::Record;
use crate::engine::analysis::{Analysis, PlanReport, Segmentation, setters};
use crate::engine::observation::{Observation, ObservationKind};
use crate::engine::photon_band::PhotonBand;
use crate::engine::run::Run;
use crate::engine::{EnergyBands, EnergyPlan, EnergySpectrumOptions, Events, energy_spectrum_of_events};
use crate::science::energy::{Band, EnergyKind, EnergyOptions, EnergySpectrum};

/// Lags, covariance, rms, excess variance or counts against energy, all bands in one pass over the events of files.
#[derive(Clone, Debug, PartialEq, Serialize)]
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
        let energy = EnergySpectrumOptions::new(kind, None).energy;
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

    fn options(&self, observation: &Observation, run: &Run) -> EnergySpectrumOptions {
        let Segmentation { dt, segment_size, .. } = self.segmentation;
        let (combine, energy) = (observation.combination(), self.energy);
        EnergySpectrumOptions { dt, segment_size, combine, energy, chunk_events: run.chunk_events }
    }

    /// The events of each file in the reference and the bands.
    fn inputs<'a>(&self, observation: &'a Observation) -> Result<Vec<Events<'a>>> {
        if self.segmentation.compat_stingray {
            return Err(Error::argument("compat", true, "energy spectra have this library's own rules"));
        }
        if let Some(field) = observation.band_field() {
            return Err(Error::argument(field, "", "the bands are those of the energy spectrum and its reference"));
        }
        let files = observation.files();
        if files.is_empty() {
            return Err(Error::argument("energies", "", "bands of events are those of files"));
        }
        let of = |band: Band| match self.bands.channels {
            true => PhotonBand::Channels(band.lo, band.hi),
            false => PhotonBand::Energy(band.lo, band.hi),
        };
        let mut inputs = Vec::new();
        for file in files {
            let mut ranges = vec![of(self.bands.reference).channels(file, ("reference", "energies_pi"))?];
            for &band in &self.bands.subjects {
                ranges.push(of(band).channels(file, ("energies", "energies_pi"))?);
            }
            inputs.push(Events::from_bands(file, &ranges, observation.selected_detectors())?);
        }
        observation.join(inputs)
    }
}

#[allow(private_interfaces)]
impl Analysis for EnergyDependence {
    type Product = EnergySpectrum;
    const NAME: &'static str = "energy spectrum";
    const KINDS: &'static [ObservationKind] = &[ObservationKind::Events];

    fn compute(&self, observation: &Observation, run: &mut Run) -> Result<EnergySpectrum> {
        let inputs = self.inputs(observation)?;
        let (options, warnings) = (self.options(observation, run), run.take_warnings());
        energy_spectrum_of_events(inputs, &self.bands, &options, run.device, warnings, run.progress)
    }

    fn plan(&self, observation: &Observation, run: &mut Run) -> Result<PlanReport> {
        let inputs = self.inputs(observation)?;
        if self.energy.kind == EnergyKind::Count {
            let exposure = inputs.iter().map(|input| input.gti.exposure()).sum();
            return Ok(PlanReport { exposure, ..PlanReport::default() });
        }
        let options = self.options(observation, run);
        let plan = EnergyPlan::new(&inputs, &self.bands, &options, &mut run.warnings)?;
        let report = PlanReport::of_events(&plan.plan, &inputs, run)?;
        Ok(PlanReport { frequencies: plan.frequencies, ..report })
    }

    fn record(product: &EnergySpectrum) -> Option<&Record> {
        Some(&product.meta.record)
    }
}

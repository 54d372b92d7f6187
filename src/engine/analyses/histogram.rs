//! Histograms of events over any edges of time and energy.

use serde::Serialize;

use crate::base::error::Result;
use crate::data::histogram::EnergyAxis;
use crate::data::{ChannelRange, Histogram, Record};
use crate::engine::analysis::{Analysis, PlanReport, setters};
use crate::engine::observation::{Observation, ObservationKind};
use crate::engine::photon_band::PhotonBand;
use crate::engine::run::Run;
use crate::engine::{HistogramOptions, histogram_of_events};
use crate::io::EventFile;

/// Events counted in bins of time, and optionally of energy.
#[derive(Clone, Debug, Default, PartialEq, Serialize)]
#[non_exhaustive]
pub struct Counting {
    /// Edges of the time bins, ascending, seconds of the frame.
    #[serde(skip)]
    pub times: Vec<f64>,
    /// Edges of the energy bins, ascending, keV or channels; empty for one bin of all energies.
    pub energies: Vec<f64>,
    /// What `energies` is given in.
    pub axis: EnergyAxis,
}

impl Counting {
    /// A histogram with these time bins and without energy bins.
    pub fn new(times: Vec<f64>) -> Counting {
        Counting { times, ..Counting::default() }
    }

    setters! {
        /// Edges of the energy bins.
        energies(Vec<f64>) => energies;
        /// What the edges of the energy bins are given in.
        axis(EnergyAxis) => axis;
    }

    /// The channels of each bin of energy in one file.
    fn bands(&self, file: &EventFile) -> Result<Vec<ChannelRange>> {
        let range = |w: &[f64]| match self.axis {
            EnergyAxis::Energy => PhotonBand::Energy(w[0], w[1]).channels(file, ("energies", "channels")),
            _ => Ok(ChannelRange { closed: false, ..ChannelRange::channels(w[0], w[1]) }),
        };
        self.energies.windows(2).map(range).collect()
    }
}

#[allow(private_interfaces)]
impl Analysis for Counting {
    type Product = Histogram;
    const NAME: &'static str = "histogram";
    const KINDS: &'static [ObservationKind] = &[ObservationKind::Events];

    fn compute(&self, observation: &Observation, run: &mut Run) -> Result<Histogram> {
        let inputs = observation.events(&mut run.warnings)?;
        let mut bands = observation.files().into_iter().map(|file| self.bands(file)).collect::<Result<Vec<_>>>()?;
        // Times in memory have no energies.
        bands.resize(inputs.len(), Vec::new());
        let Counting { times, energies, axis } = self.clone();
        let (combine, chunk_events) = (observation.combination(), run.chunk_events);
        let options = HistogramOptions { times, energies, axis, combine, chunk_events };
        histogram_of_events(inputs, &bands, &options, run.take_warnings(), run.progress)
    }

    fn plan(&self, observation: &Observation, run: &mut Run) -> Result<PlanReport> {
        let exposure = observation.good_time(&mut run.warnings)?.exposure();
        Ok(PlanReport { exposure, ..PlanReport::default() })
    }

    fn record(product: &Histogram) -> Option<&Record> {
        Some(&product.meta.record)
    }
}

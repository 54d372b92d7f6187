//! Lomb-Scargle spectra.

use serde::Serialize;

use super::Binning;
use crate::base::error::{Error, Result};
use crate::data::Record;
use crate::engine::analysis::{Analysis, PlanReport, setters};
use crate::engine::lomb_scargle;
use crate::engine::observation::{Observation, ObservationKind};
use crate::engine::session::Run;
use crate::science::Rebin;
use crate::science::lomb_scargle::LombScargleOptions;
use crate::science::power::AveragedPowerSpectrum;

/// The Lomb-Scargle power spectrum of a light curve with gaps, or of events counted in bins; in f64 on the CPU.
#[derive(Clone, Debug, PartialEq, Serialize)]
#[non_exhaustive]
pub struct LombScargle {
    /// Bin width, s, as for [`Binning`].
    pub dt: Option<f64>,
    /// Normalisation, frequencies, weights.
    #[serde(flatten)]
    pub spectrum: LombScargleOptions,
    /// How frequencies are combined.
    pub rebin: Rebin,
    /// Bins of which a smaller fraction is exposed are missing.
    pub min_fracexp: f64,
}

impl Default for LombScargle {
    fn default() -> LombScargle {
        LombScargle { dt: None, spectrum: LombScargleOptions::default(), rebin: Rebin::None, min_fracexp: 0.9 }
    }
}

impl LombScargle {
    setters! {
        /// Bin width, s.
        dt(f64) => dt;
        /// Normalisation, frequencies, weights.
        spectrum(LombScargleOptions) => spectrum;
        /// How frequencies are combined.
        rebin(Rebin) => rebin;
        /// Bins of which a smaller fraction is exposed are missing.
        min_fracexp(f64) => min_fracexp;
    }

    fn check(&self) -> Result<()> {
        if !(0.0..=1.0).contains(&self.min_fracexp) {
            return Err(Error::argument("min_fracexp", self.min_fracexp, "must be between 0 and 1"));
        }
        self.rebin.ranges(1).map(|_| ())
    }
}

#[allow(private_interfaces)]
impl Analysis for LombScargle {
    type Product = AveragedPowerSpectrum;
    const NAME: &'static str = "Lomb-Scargle spectrum";
    const KINDS: &'static [ObservationKind] = &[ObservationKind::Events, ObservationKind::LightCurve];

    fn compute(&self, observation: &Observation, run: &mut Run) -> Result<AveragedPowerSpectrum> {
        self.check()?;
        let light_curve = Binning { dt: self.dt }.light_curve(observation, run)?;
        lomb_scargle::lomb_scargle(&light_curve, &self.spectrum, self.rebin, self.min_fracexp, run.take_warnings())
    }

    fn plan(&self, observation: &Observation, run: &mut Run) -> Result<PlanReport> {
        self.check()?;
        Binning { dt: self.dt }.plan(observation, run)
    }

    fn record(product: &AveragedPowerSpectrum) -> Option<&Record> {
        Some(&product.meta.record)
    }
}

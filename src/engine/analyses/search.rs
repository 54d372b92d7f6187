//! Searches for pulsations.

use serde::Serialize;

use super::Binning;
use super::fold::{PhaseSource, pulse_events, refuse_weights_on_device};
use crate::base::error::{Error, Result};
use crate::base::mend::Mend;
use crate::base::time::DoubleDouble;
use crate::data::Record;
use crate::data::phase::Ephemeris;
use crate::data::product::ProductKind;
use crate::engine::analysis::{Analysis, PlanReport, setters};
use crate::engine::observation::{Observation, ObservationKind};
use crate::engine::pulsation::columns::SEARCH;
use crate::engine::pulsation::{AccelOptions, SearchOptions, SearchResult, SearchStatistic, accel, pdm, search};
use crate::engine::run::Run;
use crate::engine::{PulseEvents, PulseSamples};
use crate::io::par::ParFile;

/// Without a range of frequencies, a search goes this many times the inverse of the span to both sides of an ephemeris.
const EPHEMERIS_RANGE: f64 = 100.0;
/// No range of frequencies.
const NO_RANGE: (f64, f64) = (0.0, 0.0);

/// A search for a periodic signal: Z², H or epoch folding of events, phase dispersion of light curves or of events in bins.
#[derive(Clone, Debug, Serialize)]
#[must_use]
#[non_exhaustive]
pub struct PulseSearch {
    /// Frequencies, statistic, derivatives, harmonics, bins and candidates.
    #[serde(flatten)]
    pub search: SearchOptions,
    /// An ephemeris: times become times of emission, and its derivatives are taken where none are asked for.
    #[serde(skip)]
    pub ephemeris: Option<ParFile>,
    /// Bin width for phase dispersion, s, as for [`Binning`]; needed of events.
    pub dt: Option<f64>,
    /// Bins of which a smaller fraction is exposed make no sample of phase dispersion; `None`: 0.9.
    pub min_fracexp: Option<f64>,
}

/// An acceleration search: matched filters in one Fourier transform of all events, for frequencies that drift.
#[derive(Clone, Debug, Default, Serialize)]
#[must_use]
#[non_exhaustive]
pub struct AccelerationSearch {
    /// Frequencies, derivatives, harmonics and candidates.
    #[serde(flatten)]
    pub search: AccelOptions,
    /// An ephemeris: times become times of emission.
    #[serde(skip)]
    pub ephemeris: Option<ParFile>,
}

impl PulseSearch {
    /// A search of these frequencies, Hz; all else at its default.
    pub fn new(lo: f64, hi: f64) -> PulseSearch {
        PulseSearch::default().freq((lo, hi))
    }

    /// Frequencies, statistic, derivatives, harmonics, bins and candidates. Without a range of frequencies in it, the one that was set stays.
    pub fn search(mut self, search: SearchOptions) -> PulseSearch {
        let freq = if search.freq == NO_RANGE { self.search.freq } else { search.freq };
        self.search = SearchOptions { freq, ..search };
        self
    }

    setters! {
        /// Lowest and highest frequency, Hz.
        freq((f64, f64)) => search.freq;
        /// The test statistic.
        method(SearchStatistic) => search.method;
        /// Range of the first derivative, Hz/s.
        fdot((f64, f64)) => search.fdot;
        /// Number of harmonics of `Z²_n`.
        nharm(usize) => search.nharm;
        /// Number of phase bins of folded profiles.
        nbin(usize) => search.nbin;
        /// An ephemeris.
        ephemeris(ParFile) => ephemeris;
        /// Smallest exposed part of a bin that is a sample of phase dispersion, 0 to 1.
        min_fracexp(f64) => min_fracexp;
        /// Bin width for phase dispersion, s.
        dt(f64) => dt;
    }

    /// The options of a search of these events.
    fn options(&self, events: &PulseEvents) -> SearchOptions {
        let around = |e: Ephemeris| (e.freq.value(), (EPHEMERIS_RANGE / events.span).min(0.5 * e.freq.value()));
        let known = events.timing.as_ref().map(|timing| timing.ephemeris);
        let (freq, within) = known.map_or((0.0, 0.0), around);
        let alone = |of: fn(&Ephemeris) -> DoubleDouble| {
            known.as_ref().map(|e| of(e).value()).filter(|d| *d != 0.0).map(|d| (d, d))
        };
        SearchOptions {
            freq: if self.search.freq == NO_RANGE { (freq - within, freq + within) } else { self.search.freq },
            fdot: self.search.fdot.or(alone(|e| e.fdot)),
            fddot: self.search.fddot.or(alone(|e| e.fddot)),
            ..self.search.clone()
        }
    }

    /// Refuses options that have no meaning together, or for what is observed.
    fn check(&self, observation: &Observation) -> Result<()> {
        let sampled = self.search.method.is_of_samples();
        let refuse = |field: &str, message: &str| Err(Error::argument(field, "", message));
        let dispersion = |e: Error| e.mended_by([Mend::set("method", "pdm")]);
        match () {
            () if sampled && self.ephemeris.is_some() => {
                refuse("ephemeris", "is for events, not for the samples of phase dispersion")
            }
            () if sampled && observation.weight_column().is_some() => {
                refuse("weights", "are of events, not of the samples of phase dispersion")
            }
            () if !sampled && observation.kind() == ObservationKind::LightCurve => {
                refuse("method", "is of events; light curves are searched by phase dispersion").map_err(dispersion)
            }
            () if !sampled && self.dt.is_some() => {
                refuse("dt", "is for phase dispersion; others take each event by itself").map_err(dispersion)
            }
            () if !sampled && self.min_fracexp.is_some() => {
                refuse("min_fracexp", "is for phase dispersion").map_err(dispersion)
            }
            () if sampled && self.dt.is_none() && observation.kind() == ObservationKind::Events => {
                refuse("dt", "phase dispersion of events needs bins, well below the period")
            }
            () => Ok(()),
        }
    }
}

impl Default for PulseSearch {
    fn default() -> PulseSearch {
        let search = SearchOptions::default();
        PulseSearch { search, ephemeris: None, dt: None, min_fracexp: None }
    }
}

impl AccelerationSearch {
    setters! {
        /// Frequencies, derivatives, harmonics and candidates.
        search(AccelOptions) => search;
        /// An ephemeris.
        ephemeris(ParFile) => ephemeris;
    }
}

#[allow(private_interfaces)]
impl Analysis for PulseSearch {
    type Product = SearchResult;
    const NAME: &'static str = "search";
    const KINDS: &'static [ObservationKind] = &[ObservationKind::Events, ObservationKind::LightCurve];
    const PRODUCTS: &'static [&'static ProductKind] = &[&SEARCH];

    fn compute(&self, observation: &Observation, run: &mut Run) -> Result<SearchResult> {
        self.check(observation)?;
        if self.search.method.is_of_samples() {
            let light_curve = Binning { dt: self.dt }.light_curve(observation, run)?;
            let min_fracexp = self.min_fracexp.unwrap_or(0.9);
            let samples = PulseSamples::from_light_curve(&light_curve, min_fracexp, run.take_warnings())?;
            let options = self.options(&samples.at);
            return pdm(samples, &options, run.device, run.progress);
        }
        refuse_weights_on_device(observation, run)?;
        let events = pulse_events(observation, &PhaseSource::from(&self.ephemeris), run)?;
        let options = self.options(&events);
        search(events, &options, run.device, run.progress)
    }

    fn plan(&self, observation: &Observation, run: &mut Run) -> Result<PlanReport> {
        self.check(observation)?;
        Binning::default().plan(observation, run)
    }

    fn record(product: &SearchResult) -> &Record {
        &product.meta.record
    }
}

#[allow(private_interfaces)]
impl Analysis for AccelerationSearch {
    type Product = SearchResult;
    const NAME: &'static str = "acceleration search";
    const KINDS: &'static [ObservationKind] = &[ObservationKind::Events];
    const PRODUCTS: &'static [&'static ProductKind] = &[&SEARCH];

    fn compute(&self, observation: &Observation, run: &mut Run) -> Result<SearchResult> {
        refuse_weights_on_device(observation, run)?;
        let events = pulse_events(observation, &PhaseSource::from(&self.ephemeris), run)?;
        accel(events, &self.search, run.device, run.progress)
    }

    fn plan(&self, observation: &Observation, run: &mut Run) -> Result<PlanReport> {
        Binning::default().plan(observation, run)
    }

    fn record(product: &SearchResult) -> &Record {
        &product.meta.record
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_range_of_frequencies_that_was_set_stays_without_another() {
        let made = PulseSearch::new(1.0, 2.0).search(SearchOptions { nharm: 3, ..SearchOptions::default() });
        assert_eq!((made.search.freq, made.search.nharm), ((1.0, 2.0), 3));
        let made = PulseSearch::new(1.0, 2.0).search(SearchOptions { freq: (3.0, 4.0), ..SearchOptions::default() });
        assert_eq!(made.search.freq, (3.0, 4.0));
    }
}

//! Folding at a known ephemeris: profiles, phaseograms, times of arrival.

use serde::Serialize;

use super::Binning;
use crate::base::error::{Error, Result};
use crate::base::time::{DoubleDouble, MjdRef};
use crate::data::Record;
use crate::data::phase::Ephemeris;
use crate::data::product::ProductKind;
use crate::engine::PulseEvents;
use crate::engine::analysis::{Analysis, PlanReport, setters};
use crate::engine::observation::{Observation, ObservationKind};
use crate::engine::pulsation::columns::{PROFILE_BANDS, PULSE_PROFILE};
use crate::engine::pulsation::fold::{Phaseogram, fold, phaseogram};
use crate::engine::pulsation::{FoldOptions, PulseProfile, PulseTemplate, Toas, toas};
use crate::engine::run::Run;
use crate::io::par::ParFile;

/// A time that phases count from.
#[derive(Clone, Copy, Debug, PartialEq, Serialize)]
#[serde(rename_all = "lowercase")]
#[non_exhaustive]
pub enum PhaseEpoch {
    /// A day, MJD in the time system of the events.
    Mjd(DoubleDouble),
    /// Seconds of the frame.
    Seconds(DoubleDouble),
}

/// Where phases come from.
pub(super) enum PhaseSource<'a> {
    /// The whole second next to the middle of good time.
    Middle,
    /// A time.
    Epoch(PhaseEpoch),
    /// An ephemeris, by which times become times of emission.
    Ephemeris(&'a ParFile),
}

impl<'a> From<&'a Option<ParFile>> for PhaseSource<'a> {
    fn from(file: &'a Option<ParFile>) -> PhaseSource<'a> {
        file.as_ref().map_or(PhaseSource::Middle, PhaseSource::Ephemeris)
    }
}

/// Reads the events of an observation for folding.
///
/// # Errors
/// See [`PulseEvents::read`] and [`PulseEvents::read_emitted`]; an epoch in days for files without MJDREF.
pub(super) fn pulse_events(observation: &Observation, from: &PhaseSource, run: &mut Run) -> Result<PulseEvents> {
    let inputs = observation.events(&mut run.warnings)?;
    if let PhaseSource::Ephemeris(file) = from {
        run.warnings.extend(file.warnings().clone());
        for input in &inputs {
            if let Some(other) = input.barycentre() {
                file.compare_barycentre(&input.name, other, &mut run.warnings);
            }
        }
    }
    let mjdref: Option<MjdRef> = inputs.first().and_then(|input| input.mjdref);
    let (combine, chunk, warnings) = (observation.combination(), run.chunk_events, run.take_warnings());
    let without = |field: &str, value: String| {
        Error::argument(field, value, "the events have no MJDREF, so MJD means nothing in them")
    };
    let epoch = match from {
        PhaseSource::Middle => None,
        PhaseSource::Epoch(PhaseEpoch::Seconds(seconds)) => Some(*seconds),
        PhaseSource::Epoch(PhaseEpoch::Mjd(mjd)) => {
            Some(mjdref.ok_or_else(|| without("epoch", mjd.value().to_string()))?.seconds_of(*mjd))
        }
        PhaseSource::Ephemeris(file) => {
            let mjdref = mjdref.ok_or_else(|| without("ephemeris", file.path().to_string()))?;
            let timing = file.in_frame(mjdref);
            return PulseEvents::read_emitted(inputs, combine, &timing, chunk, warnings, run.progress);
        }
    };
    PulseEvents::read(inputs, combine, epoch, chunk, warnings, run.progress)
}

/// Refuses weights where the device does not add them up.
pub(super) fn refuse_weights_on_device(observation: &Observation, run: &Run) -> Result<()> {
    match observation.weight_column() {
        Some(column) if !run.device.capabilities().weights => {
            let mend = [crate::base::mend::Mend::set("backend", "cpu")];
            Err(Error::argument("weights", column, "are summed on the CPU alone").mended_by(mend))
        }
        _ => Ok(()),
    }
}

/// The pulse profile at a known frequency, or by an ephemeris.
#[derive(Clone, Debug, Serialize)]
#[must_use]
#[non_exhaustive]
pub struct Fold {
    /// Frequency at the epoch, Hz, with all of its digits; not used with an ephemeris.
    pub freq: DoubleDouble,
    /// First derivative of the frequency, Hz/s.
    pub fdot: f64,
    /// Second derivative of the frequency, Hz/s².
    pub fddot: f64,
    /// Where phases count from; `None`: the whole second next to the middle of good time.
    pub epoch: Option<PhaseEpoch>,
    /// An ephemeris, instead of all above; times become times of emission.
    #[serde(skip)]
    pub ephemeris: Option<ParFile>,
    /// Number of phase bins.
    pub nbin: usize,
    /// Number of harmonics of `Z²_n` and of the pulsed fraction by Fourier amplitudes.
    pub nharm: usize,
    /// Background rate, counts/s, for the pulsed fractions.
    pub background: f64,
}

impl Fold {
    /// The profile at a frequency, Hz; all else at its default.
    pub fn new(freq: f64) -> Fold {
        let (freq, epoch, ephemeris) = (DoubleDouble::from(freq), None, None);
        Fold { freq, fdot: 0.0, fddot: 0.0, epoch, ephemeris, nbin: 32, nharm: 2, background: 0.0 }
    }

    setters! {
        /// Frequency at the epoch, Hz, with all of its digits.
        freq(DoubleDouble) => freq;
        /// First derivative of the frequency, Hz/s.
        fdot(f64) => fdot;
        /// Second derivative of the frequency, Hz/s².
        fddot(f64) => fddot;
        /// Where phases count from.
        epoch(PhaseEpoch) => epoch;
        /// An ephemeris, instead of frequency, derivatives and epoch.
        ephemeris(ParFile) => ephemeris;
        /// Number of phase bins.
        nbin(usize) => nbin;
        /// Number of harmonics.
        nharm(usize) => nharm;
        /// Background rate, counts/s.
        background(f64) => background;
    }

    fn events(&self, observation: &Observation, run: &mut Run) -> Result<PulseEvents> {
        let source = match (&self.ephemeris, self.epoch) {
            (Some(file), _) => PhaseSource::Ephemeris(file),
            (None, Some(epoch)) => PhaseSource::Epoch(epoch),
            (None, None) => PhaseSource::Middle,
        };
        pulse_events(observation, &source, run)
    }

    fn options(&self, events: &PulseEvents) -> FoldOptions {
        let Fold { freq, nbin, nharm, background, .. } = *self;
        let (fdot, fddot) = (self.fdot.into(), self.fddot.into());
        let given = Ephemeris { epoch: events.ticks.reference(), freq, fdot, fddot };
        let ephemeris = events.timing.as_ref().map_or(given, |timing| timing.ephemeris);
        FoldOptions { ephemeris, nbin, nharm, background }
    }
}

/// Rates by time and phase.
#[derive(Clone, Debug, Serialize)]
#[must_use]
#[non_exhaustive]
pub struct FoldInTime {
    /// Ephemeris and bins.
    #[serde(flatten)]
    pub fold: Fold,
    /// Intervals of time.
    pub rows: usize,
}

/// Times of arrival of pulses: one an interval of good time.
#[derive(Clone, Debug, Serialize)]
#[must_use]
#[non_exhaustive]
pub struct ArrivalTimes {
    /// Ephemeris and bins.
    #[serde(flatten)]
    pub fold: Fold,
    /// Length of an interval, s.
    pub length: f64,
    /// What profiles are compared with; `None`: the profile of all events.
    #[serde(skip)]
    pub template: Option<PulseTemplate>,
}

impl FoldInTime {
    /// Rates in so many intervals of time.
    pub fn new(fold: Fold, rows: usize) -> FoldInTime {
        FoldInTime { fold, rows }
    }
}

impl ArrivalTimes {
    /// Times of arrival of intervals of so many seconds.
    pub fn new(fold: Fold, length: f64) -> ArrivalTimes {
        ArrivalTimes { fold, length, template: None }
    }

    setters! {
        /// What profiles are compared with.
        template(PulseTemplate) => template;
    }
}

#[allow(private_interfaces)]
impl Analysis for Fold {
    type Product = PulseProfile;
    const NAME: &'static str = "pulse profile";
    const KINDS: &'static [ObservationKind] = &[ObservationKind::Events];
    const PRODUCTS: &'static [&'static ProductKind] = &[&PULSE_PROFILE, &PROFILE_BANDS];

    fn compute(&self, observation: &Observation, run: &mut Run) -> Result<PulseProfile> {
        refuse_weights_on_device(observation, run)?;
        let events = self.events(observation, run)?;
        fold(&events, &self.options(&events), run.device, run.progress)
    }

    fn plan(&self, observation: &Observation, run: &mut Run) -> Result<PlanReport> {
        Binning::default().plan(observation, run)
    }

    fn record(product: &PulseProfile) -> &Record {
        &product.meta.record
    }
}

#[allow(private_interfaces)]
impl Analysis for FoldInTime {
    type Product = Phaseogram;
    const NAME: &'static str = "phaseogram";
    const KINDS: &'static [ObservationKind] = &[ObservationKind::Events];
    const PRODUCTS: &'static [&'static ProductKind] = &[];

    fn compute(&self, observation: &Observation, run: &mut Run) -> Result<Phaseogram> {
        let events = self.fold.events(observation, run)?;
        phaseogram(&events, &self.fold.options(&events), self.rows, run.progress)
    }

    fn plan(&self, observation: &Observation, run: &mut Run) -> Result<PlanReport> {
        Binning::default().plan(observation, run)
    }

    fn record(product: &Phaseogram) -> &Record {
        &product.record
    }
}

#[allow(private_interfaces)]
impl Analysis for ArrivalTimes {
    type Product = Toas;
    const NAME: &'static str = "times of arrival";
    const KINDS: &'static [ObservationKind] = &[ObservationKind::Events];
    const PRODUCTS: &'static [&'static ProductKind] = &[];

    fn compute(&self, observation: &Observation, run: &mut Run) -> Result<Toas> {
        let events = self.fold.events(observation, run)?;
        let options = self.fold.options(&events);
        let template = match &self.template {
            Some(template) => template.clone(),
            None => {
                let profile = fold(&events, &options, run.device, run.progress)?;
                PulseTemplate::from_profile(&profile.counts, &profile.rate)?
            }
        };
        toas(&events, &options, &template, self.length, run.progress)
    }

    fn plan(&self, observation: &Observation, run: &mut Run) -> Result<PlanReport> {
        Binning::default().plan(observation, run)
    }

    fn record(product: &Toas) -> &Record {
        &product.record
    }
}

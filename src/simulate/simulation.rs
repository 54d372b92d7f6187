//! All that determines a simulated observation.

use serde::Serialize;

use super::dead_time::DeadTime;
use super::energy::PhotonSpectrum;
use super::model::VariabilityTerm;
use crate::base::error::{Error, Result};
use crate::base::mend::Mend;
use crate::base::text::List;
use crate::missions::{GENERIC, Mission};

/// Most events a simulation may be expected to have; far above any file, far below what wraps a counter.
const MAX_EVENTS: f64 = 1e12;

/// How a noise series with large rms avoids negative rates.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize)]
#[serde(rename_all = "lowercase")]
#[non_exhaustive]
pub enum NegativeRates {
    /// Exponentiate the series: lognormal rates, always positive, with the same power spectrum (Uttley et al. 2005).
    #[default]
    Exp,
    /// Keep the series Gaussian; an error if a rate in the window used is negative.
    Refuse,
}

/// The lag of the subject behind the reference.
#[derive(Clone, Copy, Debug, PartialEq, Serialize)]
#[serde(rename_all = "lowercase")]
#[non_exhaustive]
pub enum SubjectLag {
    /// The same time lag at every frequency, s.
    Time(f64),
    /// The same phase lag at every frequency, rad.
    Phase(f64),
}

impl SubjectLag {
    /// Phase lag at a frequency (Hz), rad: `φ = 2πfτ` for a time lag τ.
    pub fn phase(self, frequency: f64) -> f64 {
        match self {
            SubjectLag::Time(seconds) => std::f64::consts::TAU * frequency * seconds,
            SubjectLag::Phase(phase) => phase,
        }
    }
}

/// Two energy bands with related variability: `C = conj(F_subject)·F_reference` has the phase `lag`. **A positive lag
/// delays the subject.**
#[derive(Clone, Copy, Debug, PartialEq, Serialize)]
pub struct BandPair {
    /// Band of the subject, `[lo, hi)`, keV (channels for missions without a channel-to-energy relation).
    pub subject: (f64, f64),
    /// Band of the reference, `[lo, hi)`, in the same unit; the two bands must not overlap.
    pub reference: (f64, f64),
    /// Lag of the subject behind the reference, of noise and pulsations alike.
    pub lag: SubjectLag,
    /// Intrinsic coherence γ² of the noise, 0 to 1 (Vaughan & Nowak 1997, doi:10.1086/310430). With
    /// [`NegativeRates::Exp`] it holds for the variance summed over frequencies, not at each frequency, and a phase lag
    /// only to first order in rms²; time lags are exact.
    pub coherence: f64,
}

/// Resolution of the recorded event times: the instrument's clock, its readout frames, a chosen frame time, or none.
#[derive(Clone, Copy, Debug, Default, PartialEq, Serialize)]
#[serde(rename_all = "lowercase")]
#[non_exhaustive]
pub enum FrameTime {
    /// The mission's clock ([`Mission`]'s file says which); as fine as `f64` where it has none.
    #[default]
    Clock,
    /// The mission's readout frames, or its clock.
    Mission,
    /// As fine as `f64`.
    None,
    /// Readout frames of this length, s.
    Seconds(f64),
}

/// Parameters of a simulated observation. The same parameters, seed included, give the same file byte for byte.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Simulation {
    /// Mission whose event files are imitated.
    pub mission: &'static Mission,
    /// Mean rate of events that arrive in good time, before dead time, counts/s: one number, or one for each of two
    /// bands (a single number is shared evenly by them). It is the mean over many simulations: noise slower than the
    /// observation changes the mean rate of a single one, as in real sources.
    pub rate: Vec<f64>,
    /// Length of the observation, TSTOP − TSTART, s.
    pub length: f64,
    /// TSTART, raw time of the mission, s; `None` for a time in the middle of the mission.
    pub tstart: Option<f64>,
    /// Gaps `(from, to)`, s from TSTART; they may overlap, and are not in the good time intervals.
    pub gaps: Vec<(f64, f64)>,
    /// Spectrum of the photon energies.
    pub energies: PhotonSpectrum,
    /// Terms of the variability; empty for a constant rate.
    pub model: Vec<VariabilityTerm>,
    /// Bin width of the noise series, s; `None` for one that resolves the model. The rate is constant in a bin, which
    /// multiplies the power by `sinc²(πf·dt)`.
    pub dt: Option<f64>,
    /// How the noise series avoids negative rates.
    pub negative: NegativeRates,
    /// Two related energy bands; `None` for one band of all energies.
    pub bands: Option<BandPair>,
    /// Resolution of the recorded event times.
    pub frame_time: FrameTime,
    /// Dead time of the detectors; `None` for none.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub dead_time: Option<DeadTime>,
    /// Seed of all random numbers.
    pub seed: u64,
}

impl Default for Simulation {
    /// 1000 s of 100 counts/s of white noise in the generic layout.
    fn default() -> Simulation {
        Simulation {
            mission: &GENERIC,
            rate: vec![100.0],
            length: 1000.0,
            tstart: None,
            gaps: Vec::new(),
            energies: PhotonSpectrum::default(),
            model: Vec::new(),
            dt: None,
            negative: NegativeRates::Exp,
            bands: None,
            frame_time: FrameTime::Clock,
            dead_time: None,
            seed: 0,
        }
    }
}

impl Simulation {
    /// TSTART, raw time of the mission, s.
    pub fn start(&self) -> f64 {
        self.tstart.unwrap_or(self.mission.files.map_or(0.0, |files| files.tstart))
    }

    /// Mean rate of each band, counts/s.
    pub(super) fn rates(&self) -> Vec<f64> {
        match (self.rate.as_slice(), self.bands) {
            ([rate], Some(_)) => vec![rate / 2.0; 2],
            (rates, _) => rates.to_vec(),
        }
    }

    /// Frame time in s, 0 for none.
    pub(super) fn frame(&self) -> f64 {
        let (ticks, frame) = self.mission.files.map_or((false, 0.0), |files| (files.ticks, files.frame));
        match self.frame_time {
            FrameTime::Clock if ticks => frame,
            FrameTime::Mission => frame,
            FrameTime::Seconds(frame) => frame,
            FrameTime::Clock | FrameTime::None => 0.0,
        }
    }

    pub(super) fn validate(&self) -> Result<()> {
        let check = |field: &str, ok: bool, value: &dyn std::fmt::Display, message: &str| {
            if ok { Ok(()) } else { Err(Error::argument(field, value, message)) }
        };
        let interval = |(from, to): (f64, f64)| format!("{from} to {to}");
        let rates = List(&self.rate);
        let above_zero = |x: f64| x.is_finite() && x > 0.0;
        check("length", above_zero(self.length), &self.length, "the length must be above 0 s")?;
        let wanted = if self.bands.is_some() { 2 } else { 1 };
        let number_ok = self.rate.len() == 1 || self.rate.len() == wanted;
        check("rate", number_ok, &rates, "give one rate, or one for each of the two bands")?;
        check("rate", self.rate.iter().all(|&r| above_zero(r)), &rates, "rates must be above 0 counts/s")?;
        let expected = self.length * self.rate.iter().sum::<f64>();
        let few =
            check("rate", expected <= MAX_EVENTS, &rates, "rate times length is above 1e12 events; make several files");
        few.map_err(|e| e.mended_by([Mend::field("rate"), Mend::field("length")]))?;
        // Above 2^43 s an f64 no longer holds a millisecond.
        let start_ok = self.start().abs() + self.length < 8.7e12;
        check("tstart", start_ok, &self.start(), "times must stay below 8.7e12 s to be held to a millisecond")?;
        for gap in &self.gaps {
            let ok = gap.0.is_finite() && gap.1.is_finite() && gap.0 < gap.1;
            check("gaps", ok, &interval(*gap), "a gap has two times in s from the start, the first below the second")?;
        }
        check("energies", self.energies.index.abs() <= 20.0, &self.energies.index, "the index must be from −20 to 20")?;
        if let Some(range) = self.energies.range {
            check("energies", range.0 < range.1, &interval(range), "the lower energy must be below the upper one")?;
        }
        if let Some(dt) = self.dt {
            check(
                "dt",
                above_zero(dt) && dt <= self.length,
                &dt,
                "dt must be above 0 s and no longer than the observation",
            )?;
        }
        if let FrameTime::Seconds(frame) = self.frame_time {
            check(
                "frame_time",
                above_zero(frame) && frame <= self.length,
                &frame,
                "it must be above 0 s and within the length",
            )?;
        }
        if let Some(dead_time) = &self.dead_time {
            dead_time.validate()?;
        }
        for term in &self.model {
            term.validate()?;
        }
        let depth: f64 = self.pulsars().map(|(_, fraction)| fraction).sum();
        check(
            "model",
            depth <= 1.0,
            &depth,
            "the pulsed fractions must add up to at most 1, or the rate would be negative",
        )?;
        if let Some(bands) = self.bands {
            let ((a, b), (c, d)) = (bands.subject, bands.reference);
            let both = format!("{} and {}", interval(bands.subject), interval(bands.reference));
            check("bands", a < b && c < d, &both, "the lower edge of each band must be below its upper one")?;
            check("bands", b <= c || d <= a, &both, "the bands must not overlap: an event belongs to one")?;
            let coherence_ok = (0.0..=1.0).contains(&bands.coherence);
            check("coherence", coherence_ok, &bands.coherence, "the coherence must be from 0 to 1")?;
            let lag = match bands.lag {
                SubjectLag::Time(seconds) => seconds,
                SubjectLag::Phase(radians) => radians,
            };
            check("lag", lag.is_finite(), &lag, "the lag must be finite")?;
        }
        Ok(())
    }

    /// Frequency in Hz and pulsed fraction of every pulsation.
    pub(super) fn pulsars(&self) -> impl Iterator<Item = (f64, f64)> {
        self.model.iter().filter_map(|term| match *term {
            VariabilityTerm::Pulsar { frequency, pulsed_fraction } => Some((frequency, pulsed_fraction)),
            _ => None,
        })
    }
}

//! Options of a search.

use serde::Serialize;

use super::statistics::{MadeOf, PhaseResolution, SearchStatistic};
use crate::base::choice::choice;
use crate::base::error::{Error, Result};
use crate::base::mend::Mend;
use crate::kernels::fold;
use crate::science::statistics::pulse::TrialLaw;

/// The most harmonics of a profile that are looked at.
const MOST_RESOLVED: usize = 32;

/// How the statistic of the trials is computed.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "lowercase")]
#[non_exhaustive]
pub enum Algorithm {
    /// [`Algorithm::Fft`] for `Z²_n` and H, on whichever device, because the transform is the faster by far;
    /// [`Algorithm::Fold`] for epoch folding.
    Auto,
    /// Harmonic sums of all frequencies at once, from unbinned events.
    Fft,
    /// A folded profile for every trial. Weighted events are possible for epoch folding only.
    Fold,
    /// The fast folding algorithm (Staelin 1969, doi:10.1109/PROC.1969.7051): profiles of all constant periods at once; for epoch folding.
    Ffa,
}

choice!(Algorithm, "algorithm": Auto = "auto", Fft = "fft", Fold = "fold", Ffa = "ffa");

/// Options of a search.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct SearchOptions {
    /// Lowest and highest frequency at the epoch, Hz; 0 and 0: around that of an ephemeris.
    pub freq: (f64, f64),
    /// Range of the first derivative to search, Hz/s; `None` for no derivative.
    pub fdot: Option<(f64, f64)>,
    /// Range of the second derivative to search, Hz/s²; `None` for no derivative.
    pub fddot: Option<(f64, f64)>,
    /// The test statistic.
    pub method: SearchStatistic,
    /// Number of harmonics of `Z²_n`.
    pub nharm: usize,
    /// Number of phase bins of folded profiles.
    pub nbin: usize,
    /// Trial frequencies per `1/T`, `T` the length of the observation; `None` for the default of the statistic
    /// ([`SearchOptions::oversampling`]).
    pub oversample: Option<f64>,
    /// How the statistic of the trials is computed.
    pub algorithm: Algorithm,
    /// Number of candidates to list.
    pub candidates: usize,
    /// False-alarm probability over the whole search that makes a detection.
    pub false_alarm: f64,
}

impl Default for SearchOptions {
    fn default() -> SearchOptions {
        SearchOptions {
            freq: (0.0, 0.0),
            fdot: None,
            fddot: None,
            method: SearchStatistic::Z2,
            nharm: 2,
            nbin: 64,
            oversample: None,
            algorithm: Algorithm::Auto,
            candidates: 10,
            false_alarm: 0.01,
        }
    }
}

impl SearchOptions {
    /// Trial frequencies per `1/T`: [`SearchOptions::oversample`], or the default of the statistic. For `Z²_n` that is
    /// four to an independent frequency of the highest harmonic, so that no more than 5 % of its power is lost between
    /// trials; 20 for H, whose lower harmonics decide, and 10 for epoch folding and phase dispersion.
    pub fn oversampling(&self) -> f64 {
        self.oversample.unwrap_or_else(|| (self.method.definition().oversampling)(self.phase_resolution()))
    }

    fn phase_resolution(&self) -> PhaseResolution {
        PhaseResolution { nharm: self.nharm, nbin: self.nbin }
    }

    /// Harmonics that the statistic looks at.
    pub(super) fn harmonics(&self) -> usize {
        (self.method.definition().harmonics)(self.phase_resolution())
    }

    /// Harmonics of which sources are told: all that leave something in the bins of profiles, but for few of many bins.
    pub(super) fn resolved_harmonics(&self) -> usize {
        match self.method.definition().made_of {
            MadeOf::Harmonics => self.harmonics(),
            MadeOf::Profiles | MadeOf::Samples => (self.nbin - 1).clamp(1, MOST_RESOLVED),
        }
    }

    /// The statistic of `Z²_1 …`.
    pub(super) fn score(&self, z2: &[f64]) -> f64 {
        (self.method.definition().of_harmonics)(z2).0
    }

    /// The law of the statistic in one trial, in noise that is worth so many events.
    pub(super) fn law(&self, events: f64) -> TrialLaw {
        (self.method.definition().law)(self.phase_resolution(), events)
    }

    pub(super) fn check(&self) -> Result<()> {
        let refuse = |field: &str, value: usize, message: &str| Err(Error::argument(field, value, message));
        if !(2..=fold::MOST_BINS).contains(&self.nbin) {
            return refuse("nbin", self.nbin, "must be from 2 to 4096");
        }
        if !(1..=64).contains(&self.nharm) {
            return refuse("nharm", self.nharm, "must be from 1 to 64");
        }
        let profiles = self.method.definition().made_of != MadeOf::Harmonics;
        let folded = self.algorithm == Algorithm::Fold && !profiles;
        if folded && self.nbin < 2 * self.harmonics() + 1 {
            return refuse("nbin", self.nbin, "must be more than twice the harmonics of the statistic");
        }
        if !self.method.is_of_profiles() && self.algorithm == Algorithm::Ffa {
            return Err(Error::argument("algorithm", "ffa", "makes profiles for epoch folding")
                .mended_by([Mend::set("method", "ef")]));
        }
        if profiles && self.algorithm == Algorithm::Fft {
            let message = "computes no profiles, which epoch folding and phase dispersion are of";
            return Err(Error::argument("algorithm", "fft", message).mended_by([Mend::set("algorithm", "fold")]));
        }
        Ok(())
    }
}

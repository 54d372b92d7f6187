//! Options of a search.

use serde::{Deserialize, Serialize};

use crate::base::choice::choice;
use crate::base::error::{Error, Result};
use crate::base::mend::Mend;
use crate::kernels::fold;
use crate::science::statistics::pulse::{self, H_HARMONICS};

/// The most harmonics of a profile that are looked at.
const MOST_RESOLVED: usize = 32;

/// The test statistic of a search.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum SearchStatistic {
    /// `Z²_n` (Buccheri et al. 1983, A&A 128, 245).
    Z2,
    /// Epoch folding: χ² of the folded profile (Leahy et al. 1983, doi:10.1086/160766).
    Ef,
    /// The H test (de Jager et al. 1989, A&A 221, 180).
    H,
    /// θ of phase dispersion (Stellingwerf 1978, doi:10.1086/156444), which is small at a period; for samples of light
    /// curves ([`super::pdm()`]).
    Pdm,
}

choice!(SearchStatistic, "method": Z2 = "z2", Ef = "ef", H = "h", Pdm = "pdm");

impl SearchStatistic {
    /// True if the statistic `stat` is at least as significant as `level`: not below it, or, for phase dispersion, not
    /// above it.
    pub fn reaches(self, stat: f64, level: f64) -> bool {
        if self == SearchStatistic::Pdm { stat <= level } else { stat >= level }
    }
}

/// How the statistic of the trials is computed.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "lowercase")]
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
    /// Lowest and highest frequency at the epoch, Hz.
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
        self.oversample.unwrap_or(match self.method {
            SearchStatistic::Z2 => 4.0 * self.nharm as f64,
            SearchStatistic::H => 20.0,
            SearchStatistic::Ef | SearchStatistic::Pdm => 10.0,
        })
    }

    /// Harmonics that the statistic looks at.
    pub(super) fn harmonics(&self) -> usize {
        match self.method {
            SearchStatistic::Z2 => self.nharm,
            SearchStatistic::H => H_HARMONICS,
            SearchStatistic::Ef | SearchStatistic::Pdm => (self.nbin / 2).clamp(1, 8),
        }
    }

    /// Harmonics of which sources are told: all that leave something in the bins of profiles, but for few of many bins.
    pub(super) fn resolved_harmonics(&self) -> usize {
        match self.method {
            SearchStatistic::Z2 | SearchStatistic::H => self.harmonics(),
            SearchStatistic::Ef | SearchStatistic::Pdm => (self.nbin - 1).clamp(1, MOST_RESOLVED),
        }
    }

    /// The statistic of `Z²_1 …`.
    pub(super) fn score(&self, z2: &[f64]) -> f64 {
        match self.method {
            SearchStatistic::H => pulse::h_of_z2(z2).0,
            SearchStatistic::Z2 | SearchStatistic::Ef | SearchStatistic::Pdm => z2.last().copied().unwrap_or(0.0),
        }
    }

    pub(super) fn check(&self) -> Result<()> {
        let refuse = |field: &str, value: usize, message: &str| Err(Error::argument(field, value, message));
        if !(2..=fold::MOST_BINS).contains(&self.nbin) {
            return refuse("nbin", self.nbin, "must be from 2 to 4096");
        }
        if !(1..=64).contains(&self.nharm) {
            return refuse("nharm", self.nharm, "must be from 1 to 64");
        }
        let profiles = matches!(self.method, SearchStatistic::Ef | SearchStatistic::Pdm);
        let folded = self.algorithm == Algorithm::Fold && !profiles;
        if folded && self.nbin < 2 * self.harmonics() + 1 {
            return refuse("nbin", self.nbin, "must be more than twice the harmonics of the statistic");
        }
        if self.method != SearchStatistic::Ef && self.algorithm == Algorithm::Ffa {
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

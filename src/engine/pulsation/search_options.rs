//! What is asked of a search.

use serde::Serialize;

use crate::base::error::{Error, Result};
use crate::base::mend::Mend;
use crate::kernels::fold;
use crate::science::statistics::pulse::{self, H_HARMONICS};

/// The statistic.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "lowercase")]
pub enum SearchStatistic {
    /// `Z²_n`.
    Z2,
    /// Epoch folding: χ² of the profile against its exposure.
    Ef,
    /// The H test.
    H,
    /// Phase dispersion: θ, which is small at a period; of samples ([`super::pdm()`]).
    Pdm,
}

impl SearchStatistic {
    /// True where a statistic is as rare as a level.
    pub fn reaches(self, stat: f64, level: f64) -> bool {
        if self == SearchStatistic::Pdm { stat <= level } else { stat >= level }
    }
}

/// How trials are computed.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "lowercase")]
pub enum Algorithm {
    /// `Fft` for harmonics on the CPU, `Fold` for epoch folding and on a GPU.
    Auto,
    /// Harmonic sums of all frequencies at once, unbinned.
    Fft,
    /// A profile of every trial; of weighted events for epoch folding alone.
    Fold,
    /// The fast folding algorithm ([`super::ffa`]): profiles of all periods at once, of constant ones; for epoch folding.
    Ffa,
}

/// Options of a search.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct SearchOptions {
    /// Lowest and highest frequency, Hz, at the epoch.
    pub freq: (f64, f64),
    /// Range of the first derivative, Hz/s; 0 alone without.
    pub fdot: Option<(f64, f64)>,
    /// Range of the second derivative, Hz/s².
    pub fddot: Option<(f64, f64)>,
    /// The statistic.
    pub method: SearchStatistic,
    /// Harmonics of `Z²_n`.
    pub nharm: usize,
    /// Bins of the profiles.
    pub nbin: usize,
    /// Trials to an independent frequency; a default by method without.
    pub oversample: Option<f64>,
    /// How trials are computed.
    pub algorithm: Algorithm,
    /// Candidates listed.
    pub candidates: usize,
    /// Probability of a false alarm that a detection may have.
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
    /// Trials to an independent frequency: four to one of the highest harmonic, so that no more than 5 % of its power is lost between
    /// them; 20 for H, of whose 20 harmonics the lower ones decide, and 10 for epoch folding and phase dispersion.
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

/// Told how many trials are done, of how many: first that none is.
pub type TrialProgress<'a> = &'a mut dyn FnMut(u64, u64);

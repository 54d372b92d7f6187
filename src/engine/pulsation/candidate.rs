//! A candidate of a search, as it is listed.

use serde::{Deserialize, Serialize};

/// What a candidate is.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Relation {
    /// A source of its own.
    #[default]
    Source,
    /// At a ratio of whole numbers to the frequency of its source ([`Candidate::harmonic`]).
    Harmonic,
    /// At multiples of the gaps' frequency ([`Candidate::alias`]) from its source or a harmonic of it.
    Alias,
    /// At multiples of the frequency of samples ([`Candidate::alias`]) from its source or a harmonic of it.
    SampleAlias,
    /// With another derivative and the frequency that goes with it.
    Ridge,
    /// Elsewhere, as ends and gaps of the good time make it.
    SideLobe,
}

/// A peak of the search statistic, refined between the trials of the grid with exact phases.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[non_exhaustive]
pub struct Candidate {
    /// Frequency at the epoch of the search, Hz: where the harmonics that are signal ([`Candidate::signal_harmonics`]) have the most power.
    pub freq: f64,
    /// Standard error of `freq`, Hz, for a single signal ([`precision`](crate::science::pulsation::precision)); with derivatives searched, that of the
    /// frequency at the epoch whatever they are.
    pub freq_err: f64,
    /// First derivative of the frequency at the epoch, Hz/s.
    pub fdot: f64,
    /// Standard error of `fdot`, Hz/s; absent where it was not searched.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub fdot_err: Option<f64>,
    /// Second derivative of the frequency, Hz/s².
    pub fddot: f64,
    /// Standard error of `fddot`, Hz/s²; absent where it was not searched.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub fddot_err: Option<f64>,
    /// Period, s.
    pub period: f64,
    /// The statistic: of `Z²_n` and H, unbinned, and of phase dispersion where it is best, which is within the error of `freq`; for epoch folding that of the
    /// profile at `freq`, of `nbin` bins with the epoch at the edge of one.
    pub stat: f64,
    /// `Z²_n` or H by its definition there, without the correction for uneven exposure; absent where there is none, and for
    /// epoch folding and phase dispersion. Its law is not that of noise.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub stat_plain: Option<f64>,
    /// Largest statistic of the grid in the peak; for phase dispersion the smallest.
    pub grid_stat: f64,
    /// log₁₀ of the false-alarm probability over the whole search, number of trials included. For H, epoch folding and
    /// phase dispersion it is that of `grid_stat`.
    pub log10_p: f64,
    /// log₁₀ of the probability of `grid_stat` in one trial, for trials that have laws of their own: epoch folding, and phase dispersion if bins are
    /// empty. Candidates are in its order.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub trial_log10_p: Option<f64>,
    /// Number of phase bins, for epoch folding.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub nbin: Option<usize>,
    /// The false-alarm probability as standard deviations of a normal distribution.
    pub sigma: f64,
    /// Number of harmonics that `rms` is computed from: that of `Z²_n`, or the one at which H is largest.
    pub nharm: usize,
    /// Number of harmonics that are signal, from which `freq` and its error come: the smallest beyond which H gains no more than 12.
    #[serde(default)]
    pub signal_harmonics: usize,
    /// Fractional rms of the pulse in these harmonics, noise subtracted; for weighted events, of the weighted rate.
    pub rms: f64,
    /// Index of the candidate to which this one belongs: the source of its power; its own index if it is a source.
    pub group: usize,
    /// Ratio of its frequency to that of the candidate `group`, as `2/1` or `1/2`, but for aliases, ridges and side lobes, which are apart from it; `1/1` for a
    /// source.
    pub harmonic: String,
    /// What it is: a source, or what of the source `group`.
    #[serde(default)]
    pub relation: Relation,
    /// For an alias, the multiple of the frequency of gaps or samples by which it is apart from the ratio `harmonic`, as `-1`; else 0.
    #[serde(default)]
    pub alias: i32,
}

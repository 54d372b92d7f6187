//! What a search asks of a statistic.

use crate::science::statistics::pulse::TrialLaw;

/// How finely phases are looked at.
#[derive(Clone, Copy, Debug)]
pub struct PhaseResolution {
    /// Harmonics of `Z²_n`.
    pub nharm: usize,
    /// Bins of a folded profile.
    pub nbin: usize,
}

/// What the statistic of a trial is computed from.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum MadeOf {
    /// Sums of `exp(2πihφ)` over the events, by harmonics `h`; or the same of a folded profile.
    Harmonics,
    /// Folded profiles of events. Each trial has a law of its own, by the exposure of its bins.
    Profiles,
    /// Folded samples of a light curve.
    Samples,
}

/// A test statistic of trial frequencies.
pub struct StatisticDefinition {
    /// What it is computed from.
    pub made_of: MadeOf,
    /// True for the sum of the powers of all its harmonics, whose maxima over all frequencies can be counted, and of which limits of the
    /// pulsed fraction follow.
    pub sums_harmonics: bool,
    /// True if small values are significant.
    pub falls: bool,
    /// Trial frequencies per `1/T` if nobody asks for others.
    pub oversampling: fn(PhaseResolution) -> f64,
    /// Harmonics that it looks at.
    pub harmonics: fn(PhaseResolution) -> usize,
    /// The statistic of `Z²_1, Z²_2 …`, and how many harmonics decide it.
    pub of_harmonics: fn(&[f64]) -> (f64, usize),
    /// Its law in noise that is worth so many events.
    pub law: fn(PhaseResolution, f64) -> TrialLaw,
    /// What it is called.
    pub symbol: fn(PhaseResolution) -> String,
}

/// Harmonics that a profile of so many bins is looked at by.
pub fn harmonics_of_bins(at: PhaseResolution) -> usize {
    (at.nbin / 2).clamp(1, 8)
}

/// The last of `Z²_1, Z²_2 …`, of which all harmonics are part.
pub fn last(z2: &[f64]) -> (f64, usize) {
    (z2.last().copied().unwrap_or(0.0), z2.len())
}

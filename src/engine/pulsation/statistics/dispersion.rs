//! Phase dispersion: θ, the variance of samples inside bins of phase over that of all.

use super::definition::{MadeOf, StatisticDefinition, harmonics_of_bins, last};
use crate::science::statistics::pulse::TrialLaw;

pub(super) static DEFINITION: StatisticDefinition = StatisticDefinition {
    made_of: MadeOf::Samples,
    sums_harmonics: false,
    falls: true,
    oversampling: |_| 10.0,
    harmonics: harmonics_of_bins,
    of_harmonics: last,
    law: |at, samples| TrialLaw::Dispersion(samples, at.nbin as f64),
    symbol: |at| format!("θ of {} bins", at.nbin),
};

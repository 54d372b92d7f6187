//! Epoch folding: χ² of the folded profile against the exposure of its bins.

use super::definition::{MadeOf, StatisticDefinition, harmonics_of_bins, last};
use crate::science::statistics::pulse::TrialLaw;

pub(super) static DEFINITION: StatisticDefinition = StatisticDefinition {
    made_of: MadeOf::Profiles,
    sums_harmonics: false,
    falls: false,
    oversampling: |_| 10.0,
    harmonics: harmonics_of_bins,
    of_harmonics: last,
    law: |at, events| TrialLaw::Profile { bins: at.nbin, events },
    symbol: |at| format!("χ² of {} bins", at.nbin),
};

//! H: the largest `Z²_n − 4n + 4` of up to twenty harmonics.

use super::definition::{MadeOf, StatisticDefinition};
use crate::science::statistics::pulse::{H_HARMONICS, TrialLaw, h_of_z2};

/// Twenty trials to an independent frequency: lower harmonics decide, as a rule.
pub(super) static DEFINITION: StatisticDefinition = StatisticDefinition {
    made_of: MadeOf::Harmonics,
    sums_harmonics: false,
    falls: false,
    oversampling: |_| 20.0,
    harmonics: |_| H_HARMONICS,
    of_harmonics: h_of_z2,
    law: |_, _| TrialLaw::H,
    symbol: |_| "H".into(),
};

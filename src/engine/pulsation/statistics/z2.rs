//! `Z²_n`: the sum of the powers of n harmonics.

use super::definition::{MadeOf, StatisticDefinition, last};
use crate::science::statistics::pulse::TrialLaw;

/// Four trials to an independent frequency of the highest harmonic, so that no more than 5 % of its power is lost between them.
pub(super) static DEFINITION: StatisticDefinition = StatisticDefinition {
    made_of: MadeOf::Harmonics,
    sums_harmonics: true,
    falls: false,
    oversampling: |at| 4.0 * at.nharm as f64,
    harmonics: |at| at.nharm,
    of_harmonics: last,
    law: |at, _| TrialLaw::Z2(at.nharm),
    symbol: |at| format!("Z²_{}", at.nharm),
};

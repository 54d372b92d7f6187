//! The analyses: options in, a product out. One file each, or a few that belong together, and a line in the list below.

use super::analysis::Analysis;
use crate::data::product::ProductKind;

macro_rules! analyses {
    ($($file:ident: $($analysis:ident),+;)+) => {
        $(pub(super) mod $file; pub use $file::{$($analysis),+};)+
        pub(super) const MADE: &[&[&ProductKind]] = &[$($(<$analysis as Analysis>::PRODUCTS),+),+];
    };
}

// The file of each analysis, and the analyses in it.
analyses! {
    power: PowerSpectrum;
    cross: CrossSpectrum;
    fad: AmplitudeDifference;
    energy: EnergyDependence;
    dynamical: DynamicalSpectrum, DynamicalCross;
    lomb_scargle: LombScargle, LombScargleCross;
    multitaper: Multitaper;
    bispectrum: BispectrumOfPairs, BispectrumOfCumulants;
    light_curve: Binning;
    histogram: Counting;
    search: PulseSearch, AccelerationSearch;
    fold: Fold, FoldInTime, ArrivalTimes;
}

pub use fold::PhaseEpoch;

//! The test statistics of searches: one file each, and a line in the list below. What a search does with a statistic, its definition says.

mod definition;

use serde::{Deserialize, Serialize};

use crate::base::choice::choice;
use definition::StatisticDefinition;
pub(super) use definition::{MadeOf, PhaseResolution};

macro_rules! search_statistics {
    ($($(#[$meta:meta])* $case:ident = $name:literal: $file:ident;)+) => {
        $(mod $file;)+

        /// The test statistic of a search.
        #[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
        pub enum SearchStatistic {
            $($(#[$meta])* #[serde(rename = $name)] $case),+
        }

        choice!(SearchStatistic, "method": $($case = $name),+);

        impl SearchStatistic {
            pub(super) fn definition(self) -> &'static StatisticDefinition {
                match self {
                    $(SearchStatistic::$case => &$file::DEFINITION),+
                }
            }
        }
    };
}

// Each statistic, its name in options and files, and its file.
search_statistics! {
    /// `Z²_n` (Buccheri et al. 1983, A&A 128, 245).
    Z2 = "z2": z2;
    /// Epoch folding: χ² of the folded profile (Leahy et al. 1983, doi:10.1086/160766).
    Ef = "ef": epoch_folding;
    /// The H test (de Jager et al. 1989, A&A 221, 180).
    H = "h": h;
    /// θ of phase dispersion (Stellingwerf 1978, doi:10.1086/156444), which is small at a period; for samples of light
    /// curves ([`super::pdm()`]).
    Pdm = "pdm": dispersion;
}

impl SearchStatistic {
    /// True if the statistic `stat` is at least as significant as `level`: not below it, or, for phase dispersion, not
    /// above it.
    pub fn reaches(self, stat: f64, level: f64) -> bool {
        if self.definition().falls { stat <= level } else { stat >= level }
    }

    /// True if small values are significant, as those of phase dispersion are.
    pub fn falls(self) -> bool {
        self.definition().falls
    }

    /// True for a statistic of the samples of light curves, not of events.
    pub fn is_of_samples(self) -> bool {
        self.definition().made_of == MadeOf::Samples
    }

    /// True for a statistic of folded profiles of events, each of which has a law of its own.
    pub fn is_of_profiles(self) -> bool {
        self.definition().made_of == MadeOf::Profiles
    }

    /// What the statistic is called with so many harmonics and bins: `Z²_2`, `χ² of 16 bins`.
    pub fn symbol(self, nharm: usize, nbin: usize) -> String {
        (self.definition().symbol)(PhaseResolution { nharm, nbin })
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::base::choice::Choice;

    #[test]
    fn files_have_the_names_of_options() {
        for (name, statistic) in SearchStatistic::NAMES {
            assert_eq!(serde_json::to_value(statistic).unwrap(), *name);
            assert_eq!(serde_json::from_value::<SearchStatistic>((*name).into()).unwrap(), *statistic);
        }
    }
}

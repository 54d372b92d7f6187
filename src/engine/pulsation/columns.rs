//! The columns of searches, pulse profiles and times of arrival, declared once.

use serde_json::{Value, json};

use super::fold::{PulseProfile, PulseProfileMetadata};
use super::search_result::SearchResult;
use crate::data::product::{ColumnDeclaration, Product, ProductKind};
use crate::data::table::Values;

/// Searches.
pub static SEARCH: ProductKind = ProductKind {
    name: "pulsation search",
    meaning: "The best statistic at each trial frequency of a search, one row a frequency; candidates are in the metadata.",
    commands: "search, accel",
    table: "SEARCH",
    columns: &[
        ColumnDeclaration::real("freq", "Hz", "trial frequency at the epoch"),
        ColumnDeclaration::real("fdot", "Hz s-1", "first derivative with the best statistic"),
        ColumnDeclaration::real("stat", "", "the best statistic at this frequency")
            .by("Z²_n, H, χ² of the profile, θ, or the summed power of templates")
            .from("doi:10.1051/0004-6361/201014362, doi:10.1086/160766, doi:10.1086/156444, doi:10.1086/342285"),
        ColumnDeclaration::real(
            "log10_p",
            "",
            "log₁₀ of the probability that noise reaches `stat` anywhere in the search",
        ),
        ColumnDeclaration::count("nharm", "", "number of harmonics of the trial").when("for acceleration searches"),
        ColumnDeclaration::count("nbin", "", "number of phase bins of the trial").when("where trials differ in it"),
        ColumnDeclaration::real("fddot", "Hz s-2", "second derivative with the best statistic")
            .when("where it was searched"),
    ],
};

const RATE: ColumnDeclaration = ColumnDeclaration::real("rate", "ct/s", "rate in the bin; nan without exposure")
    .by("counts/exposure, or Σw/exposure");
const PHASE: ColumnDeclaration = ColumnDeclaration::real("phase", "", "centre of the bin, cycles from 0 to 1");
const COUNTS: ColumnDeclaration = ColumnDeclaration::count("counts", "ct", "events in the bin");
const RATE_ERR: ColumnDeclaration = ColumnDeclaration::real("rate_err", "ct/s", "standard error of `rate`");
const EXPOSURE: ColumnDeclaration = ColumnDeclaration::real("exposure", "s", "time for which the bin was observed");

/// Pulse profiles.
pub static PULSE_PROFILE: ProductKind = ProductKind {
    name: "pulse profile",
    meaning: "Counts and rates by phase of the pulse, one row a bin of phase.",
    commands: "fold",
    table: "PROFILE",
    columns: &[
        PHASE,
        COUNTS,
        RATE,
        RATE_ERR,
        EXPOSURE,
        ColumnDeclaration::real("weight", "", "sum of the weights in the bin").by("Σw").when("for weighted events"),
        ColumnDeclaration::real("weight_err", "", "standard error of `weight`").by("√Σw²").when("for weighted events"),
    ],
};

/// Pulse profiles of bands of energy.
pub static PROFILE_BANDS: ProductKind = ProductKind {
    name: "pulse profiles of bands",
    meaning: "Counts and rates by phase of the pulse in bands of energy, one row a band and bin of phase.",
    commands: "fold in bands of energy",
    table: "ENERGY_PHASE",
    columns: &[
        ColumnDeclaration::real("energy_lo", "keV", "lowest energy of the band"),
        ColumnDeclaration::real("energy_hi", "keV", "first energy beyond the band"),
        PHASE,
        COUNTS,
        RATE,
        RATE_ERR,
        EXPOSURE,
    ],
};

/// The pulse profiles of bands of energy, with that of all of them.
pub struct ProfileBands<'a> {
    /// Lowest energy, first energy beyond, keV, and profile of each band.
    pub bands: &'a [(f64, f64, PulseProfile)],
    /// The profile of all events.
    pub whole: &'a PulseProfile,
}

impl Product for SearchResult {
    fn kind(&self) -> &'static ProductKind {
        &SEARCH
    }

    fn metadata(&self) -> Value {
        let mut meta = self.summary();
        if let (Some((name, _)), Some(meta)) = (&self.laws, meta.as_object_mut()) {
            // It is a column; the options have what was asked for.
            meta.remove(*name);
        }
        meta
    }

    fn values(&self, name: &str) -> Option<Values<'_>> {
        match name {
            "freq" => Some((&self.freq).into()),
            "fdot" => Some((&self.fdot).into()),
            "stat" => Some((&self.stat).into()),
            "log10_p" => Some(self.log10_p().into()),
            "fddot" => (self.meta.dfddot > 0.0).then_some((&self.fddot).into()),
            other => self.laws.as_ref().filter(|(name, _)| *name == other).map(|(_, numbers)| numbers.into()),
        }
    }

    fn unit(&self, _: &ColumnDeclaration) -> &'static str {
        ""
    }
}

impl Product for PulseProfile {
    fn kind(&self) -> &'static ProductKind {
        &PULSE_PROFILE
    }

    fn metadata(&self) -> Value {
        serde_json::to_value(&self.meta).unwrap_or_default()
    }

    fn values(&self, name: &str) -> Option<Values<'_>> {
        match name {
            "phase" => Some((&self.phase).into()),
            "counts" => Some((&self.counts).into()),
            "rate" => Some((&self.rate).into()),
            "rate_err" => Some((&self.rate_err).into()),
            "exposure" => Some((&self.exposure).into()),
            "weight" => self.weight.as_ref().map(|[weight, _]| weight.into()),
            "weight_err" => self.weight.as_ref().map(|[_, err]| err.into()),
            _ => None,
        }
    }

    fn unit(&self, _: &ColumnDeclaration) -> &'static str {
        ""
    }
}

impl ProfileBands<'_> {
    /// A column of the profiles, band after band.
    fn all(&self, of: fn(&PulseProfile) -> &[f64]) -> Values<'static> {
        let values: Vec<f64> = self.bands.iter().flat_map(|(.., profile)| of(profile).to_vec()).collect();
        values.into()
    }

    /// A number of each band, once for each of its bins.
    fn each(&self, of: fn(&(f64, f64, PulseProfile)) -> f64) -> Values<'static> {
        let one = |band: &(f64, f64, PulseProfile)| std::iter::repeat_n(of(band), band.2.phase.len());
        let values: Vec<f64> = self.bands.iter().flat_map(one).collect();
        values.into()
    }
}

impl Product for ProfileBands<'_> {
    fn kind(&self) -> &'static ProductKind {
        &PROFILE_BANDS
    }

    fn metadata(&self) -> Value {
        let mut meta = serde_json::to_value(&self.whole.meta).unwrap_or_default();
        let band = |(lo, hi, profile): &(f64, f64, PulseProfile)| {
            let PulseProfileMetadata { nphots, pulsed_fraction, .. } = &profile.meta;
            json!({ "energy_lo": lo, "energy_hi": hi, "nphots": nphots, "pulsed_fraction": pulsed_fraction })
        };
        meta["bands"] = self.bands.iter().map(band).collect();
        meta
    }

    fn values(&self, name: &str) -> Option<Values<'_>> {
        match name {
            "energy_lo" => Some(self.each(|band| band.0)),
            "energy_hi" => Some(self.each(|band| band.1)),
            "phase" => Some(self.all(|profile| &profile.phase)),
            "counts" => Some(self.bands.iter().flat_map(|(.., p)| p.counts.clone()).collect::<Vec<u64>>().into()),
            "rate" => Some(self.all(|profile| &profile.rate)),
            "rate_err" => Some(self.all(|profile| &profile.rate_err)),
            "exposure" => Some(self.all(|profile| &profile.exposure)),
            _ => None,
        }
    }

    fn unit(&self, _: &ColumnDeclaration) -> &'static str {
        ""
    }
}

crate::io::table_write::written_as_table!(PulseProfile, SearchResult);

//! The columns of light curves and histograms, declared once.

use serde_json::Value;

use super::histogram::EnergyAxis;
use super::product::{ColumnDeclaration, Product, ProductKind};
use super::table::Values;
use super::{Histogram, LightCurve};

/// Light curves.
pub static LIGHT_CURVE: ProductKind = ProductKind {
    name: "light curve",
    meaning: "Counts and rates in equal bins of time, one row a bin that was observed; in FITS as OGIP/93-003 defines it.",
    commands: "lc",
    table: "RATE",
    columns: &[
        ColumnDeclaration::real("time", "s", "centre of the bin, seconds of the frame"),
        ColumnDeclaration::real("counts", "ct", "events in the bin, not corrected for exposure"),
        ColumnDeclaration::real("rate", "ct/s", "rate").by("counts/(dt·fracexp)"),
        ColumnDeclaration::real("rate_err", "ct/s", "standard error of `rate`; Gehrels' for zero counts")
            .by("√counts, 1 + √(3/4) for none, over dt·fracexp")
            .from("doi:10.1086/164079"),
        ColumnDeclaration::real("fracexp", "", "part of the bin that lies in good time, 0 to 1"),
    ],
};

/// Histograms.
pub static HISTOGRAM: ProductKind = ProductKind {
    name: "histogram",
    meaning: "Numbers of events in bins of time, and of energy, one row a bin.",
    commands: "bin",
    table: "HISTOGRAM",
    columns: &[
        ColumnDeclaration::real("time_lo", "s", "start of the bin of time, seconds of the frame"),
        ColumnDeclaration::real("time_hi", "s", "end of the bin of time"),
        ColumnDeclaration::real("energy_lo", "keV", "lowest energy of the bin").when("with bins of energy"),
        ColumnDeclaration::real("energy_hi", "keV", "first energy beyond the bin").when("with bins of energy"),
        ColumnDeclaration::real("channel_lo", "chan", "lowest channel of the bin").when("with bins of channels"),
        ColumnDeclaration::real("channel_hi", "chan", "first channel beyond the bin").when("with bins of channels"),
        ColumnDeclaration::count("counts", "ct", "events in the bin"),
        ColumnDeclaration::real("exposure", "s", "good time in the bin of time"),
    ],
};

impl Product for LightCurve {
    fn kind(&self) -> &'static ProductKind {
        &LIGHT_CURVE
    }

    fn metadata(&self) -> Value {
        serde_json::to_value(&self.meta).unwrap_or_default()
    }

    fn values(&self, name: &str) -> Option<Values<'_>> {
        match name {
            "time" => Some((&self.time).into()),
            "counts" => Some((&self.counts).into()),
            "rate" => Some((&self.rate).into()),
            "rate_err" => Some((&self.rate_err).into()),
            "fracexp" => Some((&self.fracexp).into()),
            _ => None,
        }
    }

    fn unit(&self, _: &ColumnDeclaration) -> &'static str {
        ""
    }
}

impl Product for Histogram {
    fn kind(&self) -> &'static ProductKind {
        &HISTOGRAM
    }

    fn metadata(&self) -> Value {
        serde_json::to_value(&self.meta).unwrap_or_default()
    }

    fn values(&self, name: &str) -> Option<Values<'_>> {
        let [time_lo, time_hi, energy_lo, energy_hi] = self.bounds();
        match (name, self.axis) {
            ("time_lo", _) => Some(time_lo.into()),
            ("time_hi", _) => Some(time_hi.into()),
            ("energy_lo", EnergyAxis::Energy) | ("channel_lo", EnergyAxis::Channel) => Some(energy_lo.into()),
            ("energy_hi", EnergyAxis::Energy) | ("channel_hi", EnergyAxis::Channel) => Some(energy_hi.into()),
            ("counts", _) => Some((&self.counts).into()),
            ("exposure", _) => Some(self.exposures().into()),
            _ => None,
        }
    }

    fn unit(&self, _: &ColumnDeclaration) -> &'static str {
        ""
    }
}

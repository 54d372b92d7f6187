//! Columns of dynamical spectra: one row a cell. In FITS, columns of one value a time or a frequency are tables of their own.

use std::borrow::Cow;

use serde_json::{Value, json};

use super::cross::{LAG_PHASE, POWER, POWER1, POWER2};
use super::frequency::{FREQ, WIDTH};
use crate::data::product::{ColumnDeclaration, Product, ProductKind};
use crate::data::table::Values;
use crate::science::dynamical::Axes;
use crate::science::{DynamicalCrossSpectrum, DynamicalPowerSpectrum};

const TIME: ColumnDeclaration = ColumnDeclaration::real(
    "time",
    "s",
    "time of the row, seconds of the frame: the mean of the centres of its segments",
);

/// Columns of the axis of time, one row a time: the table TIME of FITS, `axes` of the metadata elsewhere.
pub static TIMES: &[ColumnDeclaration] = &[
    TIME,
    ColumnDeclaration::real("start", "s", "start of the first segment of the row"),
    ColumnDeclaration::real("stop", "s", "end of the last segment of the row"),
    ColumnDeclaration::count("m", "", "segments averaged in the row"),
    ColumnDeclaration::real("m_eff", "", "segments of equal weight that those of the row are worth")
        .by("(Σw)²/Σw², w the noise of a segment"),
    ColumnDeclaration::real("rate", "ct s-1", "mean rate; for cross spectra of subject and reference together"),
    ColumnDeclaration::power("noise", "noise level of the row").when("for power spectra"),
    ColumnDeclaration::power("noise1", "noise level of the subject's power").when("for cross spectra"),
    ColumnDeclaration::power("noise2", "noise level of the reference's power").when("for cross spectra"),
];

/// Columns of the axis of frequency, one row a frequency: the table FREQ of FITS, `axes` of the metadata elsewhere.
pub static FREQUENCIES: &[ColumnDeclaration] =
    &[FREQ, WIDTH, ColumnDeclaration::count("k", "", "original frequencies averaged in the bin")];

/// Dynamical power spectra.
pub static DYNAMICAL_POWER: ProductKind = ProductKind {
    name: "dynamical power spectrum",
    meaning: "Power spectra against time, one row a cell; in FITS an image with a line for each time.",
    commands: "dyn",
    table: "SPECTRUM",
    columns: &[
        TIME,
        FREQ,
        ColumnDeclaration::power(
            "power",
            "power in the normalisation of the metadata; noise is in it unless `noise_subtracted`",
        ),
    ],
};

/// Dynamical cross spectra.
pub static DYNAMICAL_CROSS: ProductKind = ProductKind {
    name: "dynamical cross spectrum",
    meaning: "Cross spectra against time, one row a cell; in FITS images with a line for each time.",
    commands: "dyn of two bands",
    table: "SPECTRUM",
    columns: &[TIME, FREQ, POWER, POWER1, POWER2, LAG_PHASE],
};

/// The columns `time` and `freq`, one value a cell.
fn cells(axes: &Axes, name: &str) -> Option<Values<'static>> {
    let (rows, columns) = axes.shape();
    match name {
        "time" => {
            let time: Vec<f64> = axes.time.iter().flat_map(|t| std::iter::repeat_n(*t, columns)).collect();
            Some(time.into())
        }
        "freq" => {
            let freq: Vec<f64> = axes.freq.iter().copied().cycle().take(rows * columns).collect();
            Some(freq.into())
        }
        _ => None,
    }
}

impl Axes {
    /// The values of a column of [`TIMES`] or [`FREQUENCIES`]; `None` for noise levels, which are the spectrum's.
    pub(crate) fn values_of(&self, name: &str) -> Option<Values<'_>> {
        match name {
            "time" => Some((&self.time).into()),
            "start" => Some((&self.start).into()),
            "stop" => Some((&self.stop).into()),
            "m" => Some((&self.segments).into()),
            "m_eff" => Some((&self.m_eff).into()),
            "rate" => Some((&self.rate).into()),
            "freq" => Some((&self.freq).into()),
            "width" => Some((&self.width).into()),
            "k" => Some((&self.frequencies).into()),
            _ => None,
        }
    }
}

/// The axes as JSON, for formats that have one row a cell.
fn axes_as_json(axes: &Axes, noise: &[(&str, &Vec<f64>)]) -> Value {
    let mut all = json!({
        "time": axes.time, "start": axes.start, "stop": axes.stop, "m": axes.segments, "m_eff": axes.m_eff,
        "rate": axes.rate, "freq": axes.freq, "width": axes.width, "k": axes.frequencies,
    });
    for (name, levels) in noise {
        all[*name] = serde_json::to_value(levels).unwrap_or_default();
    }
    all
}

impl Product for DynamicalPowerSpectrum {
    fn kind(&self) -> &'static ProductKind {
        &DYNAMICAL_POWER
    }

    fn metadata(&self) -> Value {
        let mut meta = serde_json::to_value(&self.meta).unwrap_or_default();
        meta["axes"] = axes_as_json(&self.axes, &[("noise", &self.noise)]);
        meta
    }

    fn values(&self, name: &str) -> Option<Values<'_>> {
        match name {
            "power" => Some((&self.power).into()),
            other => cells(&self.axes, other),
        }
    }

    fn unit(&self, _: &ColumnDeclaration) -> &'static str {
        self.meta.norm.unit()
    }
}

impl Product for DynamicalCrossSpectrum {
    fn kind(&self) -> &'static ProductKind {
        &DYNAMICAL_CROSS
    }

    fn metadata(&self) -> Value {
        let mut meta = serde_json::to_value(&self.meta).unwrap_or_default();
        meta["axes"] = axes_as_json(&self.axes, &[("noise1", &self.noise1), ("noise2", &self.noise2)]);
        meta
    }

    fn values(&self, name: &str) -> Option<Values<'_>> {
        match name {
            "power" => Some(Values::complex(&self.power_re, &self.power_im)),
            "power1" => Some((&self.power1).into()),
            "power2" => Some((&self.power2).into()),
            "lag_phase" => Some(Values::Real(Cow::Owned(self.lag_phase()))),
            other => cells(&self.axes, other),
        }
    }

    fn unit(&self, _: &ColumnDeclaration) -> &'static str {
        self.meta.norm.unit()
    }
}

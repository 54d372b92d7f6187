//! Columns of power spectra.

use serde_json::Value;

use super::frequency::{Averaged, FREQ, K, M, WIDTH};
use crate::data::product::{ColumnDeclaration, Product, ProductKind};
use crate::data::table::Values;
use crate::science::AveragedPowerSpectrum;
use crate::science::dynamical::ShiftedPower;

const POWER: ColumnDeclaration = ColumnDeclaration::power(
    "power",
    "power in the normalisation of the metadata; noise is in it unless `noise_subtracted`",
)
.by("leahy 2P/N, frac 2P·dt/((μ−b)²n), abs 2P/(n·dt), none P")
.from("doi:10.1086/160766, doi:10.1046/j.1365-2966.2003.07042.x");
const POWER_ERR: ColumnDeclaration = ColumnDeclaration::power("power_err", "standard error of `power`")
    .by("√ΣP²/(k√m_eff) over the original frequencies, P with noise")
    .from("van der Klis 1989");
const NOISE: ColumnDeclaration = ColumnDeclaration::power("noise", "noise level of `power`");

/// Power spectra.
pub static POWER_SPECTRUM: ProductKind = ProductKind {
    name: "power spectrum",
    meaning: "Powers averaged over segments, one row a frequency; of uneven samples, or over tapers.",
    commands: "pds, ls, multitaper",
    table: "SPECTRUM",
    columns: &[
        FREQ,
        WIDTH,
        POWER,
        POWER_ERR,
        ColumnDeclaration::real("unnorm_power", "", "raw power, averaged").by("|F|²"),
        NOISE,
        K,
        M,
        ColumnDeclaration::power(
            "noise_err",
            "standard error of `noise`, common to all bins; below 0 where the level falls",
        )
        .when("where the noise level was fitted"),
        ColumnDeclaration::power("power_lo", "lower end of the interval that holds the expected power")
            .by("χ² of 2·m_eff·k degrees of freedom where segments weigh the same, else the distribution of their weighted average")
            .when("where intervals were asked for"),
        ColumnDeclaration::power("power_hi", "upper end of that interval").when("where intervals were asked for"),
        ColumnDeclaration::real(
            "log10_p",
            "",
            "decimal logarithm of the probability that noise reaches the power of the bin, one trial",
        )
        .by("as the intervals, against `noise` and its error")
        .when("where probabilities were asked for"),
    ],
};

/// Shifted and added rows of dynamical power spectra.
pub static SHIFTED_POWER: ProductKind = ProductKind {
    name: "shifted power spectrum",
    meaning: "Rows of a dynamical power spectrum, shifted in frequency and averaged, one row a frequency.",
    commands: "dyn, rows shifted and added",
    table: "SPECTRUM",
    columns: &[FREQ, WIDTH, POWER.from("doi:10.1086/311162"), POWER_ERR, NOISE, K, M],
};

impl AveragedPowerSpectrum {
    fn averaged(&self) -> Averaged<'_> {
        Averaged { m: &self.m, width: &self.width, df: self.meta.df }
    }
}

impl Product for AveragedPowerSpectrum {
    fn kind(&self) -> &'static ProductKind {
        &POWER_SPECTRUM
    }

    fn metadata(&self) -> Value {
        self.averaged().metadata(&self.meta, self.meta.segments)
    }

    fn values(&self, name: &str) -> Option<Values<'_>> {
        let fitted = || self.noise_err.iter().any(|err| *err != 0.0);
        match name {
            "freq" => Some((&self.freq).into()),
            "width" => Some((&self.width).into()),
            "power" => Some((&self.power).into()),
            "power_err" => Some((&self.power_err).into()),
            "unnorm_power" => Some((&self.unnorm_power).into()),
            "noise" => Some((&self.noise).into()),
            "noise_err" => fitted().then_some((&self.noise_err).into()),
            "power_lo" => (!self.power_lo.is_empty()).then_some((&self.power_lo).into()),
            "power_hi" => (!self.power_hi.is_empty()).then_some((&self.power_hi).into()),
            "log10_p" => (!self.log10_p.is_empty()).then_some((&self.log10_p).into()),
            other => self.averaged().column(other),
        }
    }

    fn unit(&self, _: &ColumnDeclaration) -> &'static str {
        self.meta.norm.unit()
    }
}

impl ShiftedPower {
    fn averaged(&self) -> Averaged<'_> {
        Averaged { m: &self.m, width: &self.width, df: self.meta.df }
    }
}

impl Product for ShiftedPower {
    fn kind(&self) -> &'static ProductKind {
        &SHIFTED_POWER
    }

    fn metadata(&self) -> Value {
        self.averaged().metadata(&self.meta, self.meta.segments)
    }

    fn values(&self, name: &str) -> Option<Values<'_>> {
        match name {
            "freq" => Some((&self.freq).into()),
            "width" => Some((&self.width).into()),
            "power" => Some((&self.power).into()),
            "power_err" => Some((&self.power_err).into()),
            "noise" => Some((&self.noise).into()),
            other => self.averaged().column(other),
        }
    }

    fn unit(&self, _: &ColumnDeclaration) -> &'static str {
        self.meta.norm.unit()
    }
}

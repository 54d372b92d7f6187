//! Columns of cross spectra.

use serde_json::Value;

use super::frequency::{Averaged, FREQ, INGRAM, K, M, WIDTH};
use crate::data::product::{ColumnDeclaration, Product, ProductKind};
use crate::data::table::Values;
use crate::science::AveragedCrossSpectrum;
use crate::science::cross_powers::CrossPowers;

pub(super) const POWER: ColumnDeclaration =
    ColumnDeclaration::power("power", "cross spectrum, averaged; its modulus has noise in it")
        .complex()
        .by("C = conj(F_subject)·F_reference, times the geometric mean of the factors of `power1` and `power2`")
        .from("doi:10.1088/0004-637X/800/2/109");
pub(super) const POWER1: ColumnDeclaration = ColumnDeclaration::power("power1", "power of the subject, noise included");
pub(super) const POWER2: ColumnDeclaration =
    ColumnDeclaration::power("power2", "power of the reference, noise included");
pub(super) const ERR_RE: ColumnDeclaration =
    ColumnDeclaration::power("cross_err_re", "standard error of the real part of `power`")
        .by("√((P1P2 + Re² − Im²)/2m)")
        .from(INGRAM);
pub(super) const ERR_IM: ColumnDeclaration =
    ColumnDeclaration::power("cross_err_im", "standard error of the imaginary part of `power`")
        .by("√((P1P2 − Re² + Im²)/2m)")
        .from(INGRAM);
pub(super) const LAG_PHASE: ColumnDeclaration =
    ColumnDeclaration::real("lag_phase", "rad", "phase lag, −π to π; positive: the subject is late").by("arg C");

/// Cross spectra.
pub static CROSS_SPECTRUM: ProductKind = ProductKind {
    name: "cross spectrum",
    meaning: "Cross spectra averaged over segments, with lags and coherences, one row a frequency.",
    commands: "cs",
    table: "SPECTRUM",
    columns: &[
        FREQ,
        WIDTH,
        POWER,
        ColumnDeclaration::power("power_err", "standard error of the modulus of `power`")
            .by("√((P1P2 + |C|²)/2m)")
            .from(INGRAM),
        ColumnDeclaration::real("unnorm_power", "", "raw cross spectrum, averaged")
            .complex()
            .by("conj(F_subject)·F_reference"),
        ERR_RE,
        ERR_IM,
        POWER1,
        POWER2,
        ColumnDeclaration::power("noise1", "noise level of `power1`"),
        ColumnDeclaration::power("noise2", "noise level of `power2`"),
        LAG_PHASE,
        ColumnDeclaration::real("lag_phase_err", "rad", "standard error of `lag_phase`; nan where it is noise")
            .by("√((1 − g²)/(2g²m)), g² the raw coherence")
            .from("Nowak et al. 1999, doi:10.1093/mnras/stz2409"),
        ColumnDeclaration::real("lag_time", "s", "time lag; positive: the subject is late")
            .by("φ/(2πf), of several frequencies the τ of Σ Im(C_k·e^{−2πi f_k τ}) = 0"),
        ColumnDeclaration::real("lag_time_err", "s", "standard error of `lag_time`"),
        ColumnDeclaration::real("coherence_raw", "", "raw coherence, its bias subtracted, noise in the powers")
            .by("g² = (m|C|² − P1P2)/((m − 1)P1P2)")
            .from("doi:10.1086/310430"),
        ColumnDeclaration::real("coherence_raw_err", "", "standard error of `coherence_raw`")
            .by("√(2/m)·g·(1 − g²)")
            .from("Bendat & Piersol 2010"),
        ColumnDeclaration::real(
            "coherence_intrinsic",
            "",
            "coherence of the source; nan where a power is within 3 standard errors of noise",
        )
        .by("(m|C|² − P1P2)/((m − 1)S1S2), S = P − noise")
        .from("doi:10.1086/310430"),
        ColumnDeclaration::real("coherence_intrinsic_err", "", "standard error of `coherence_intrinsic`")
            .from("doi:10.1086/310430"),
        K,
        M,
    ],
};

/// Cross spectra without errors.
pub static CROSS_POWERS: ProductKind = ProductKind {
    name: "cross powers",
    meaning: "A cross spectrum without errors, of uneven samples or of shifted rows, one row a frequency.",
    commands: "ls of two light curves",
    table: "SPECTRUM",
    columns: &[FREQ, WIDTH, POWER, POWER1, POWER2, K, M],
};

impl AveragedCrossSpectrum {
    fn averaged(&self) -> Averaged<'_> {
        Averaged { m: &self.m, width: &self.width, df: self.meta.df }
    }
}

impl Product for AveragedCrossSpectrum {
    fn kind(&self) -> &'static ProductKind {
        &CROSS_SPECTRUM
    }

    fn metadata(&self) -> Value {
        self.averaged().metadata(&self.meta, self.meta.segments)
    }

    fn values(&self, name: &str) -> Option<Values<'_>> {
        let real = match name {
            "power" => return Some(Values::complex(&self.power_re, &self.power_im)),
            "unnorm_power" => return Some(Values::complex(&self.unnorm_power_re, &self.unnorm_power_im)),
            "freq" => &self.freq,
            "width" => &self.width,
            "power_err" => &self.power_err,
            "cross_err_re" => &self.cross_err_re,
            "cross_err_im" => &self.cross_err_im,
            "power1" => &self.power1,
            "power2" => &self.power2,
            "noise1" => &self.noise1,
            "noise2" => &self.noise2,
            "lag_phase" => &self.lag_phase,
            "lag_phase_err" => &self.lag_phase_err,
            "lag_time" => &self.lag_time,
            "lag_time_err" => &self.lag_time_err,
            "coherence_raw" => &self.coherence_raw,
            "coherence_raw_err" => &self.coherence_raw_err,
            "coherence_intrinsic" => &self.coherence_intrinsic,
            "coherence_intrinsic_err" => &self.coherence_intrinsic_err,
            other => return self.averaged().column(other),
        };
        Some(real.into())
    }

    fn unit(&self, _: &ColumnDeclaration) -> &'static str {
        self.meta.norm.unit()
    }
}

impl CrossPowers {
    fn averaged(&self) -> Averaged<'_> {
        Averaged { m: &self.m, width: &self.width, df: self.meta.df }
    }
}

impl Product for CrossPowers {
    fn kind(&self) -> &'static ProductKind {
        &CROSS_POWERS
    }

    fn metadata(&self) -> Value {
        self.averaged().metadata(&self.meta, self.meta.segments)
    }

    fn values(&self, name: &str) -> Option<Values<'_>> {
        match name {
            "freq" => Some((&self.freq).into()),
            "width" => Some((&self.width).into()),
            "power" => Some(Values::complex(&self.power_re, &self.power_im)),
            "power1" => Some((&self.power1).into()),
            "power2" => Some((&self.power2).into()),
            other => self.averaged().column(other),
        }
    }

    fn unit(&self, _: &ColumnDeclaration) -> &'static str {
        self.meta.norm.unit()
    }
}

//! Columns of spectra corrected for dead time.

use serde_json::Value;

use super::cross::{ERR_IM, ERR_RE, POWER, POWER1, POWER2};
use super::frequency::{Averaged, FREQ, K, M, WIDTH};
use crate::data::product::{ColumnDeclaration, Product, ProductKind};
use crate::data::table::Values;
use crate::science::FadSpectrum;

const FAD: &str = "doi:10.3847/2041-8213/aaa83b";

/// Spectra of two detectors corrected for dead time.
pub static FAD_SPECTRUM: ProductKind = ProductKind {
    name: "dead-time corrected spectra",
    meaning: "Power and cross spectra of two detectors, corrected for dead time by the difference of their Fourier \
              amplitudes, one row a frequency; the subject is the first detector.",
    commands: "cs of two detectors, corrected for dead time",
    table: "SPECTRUM",
    columns: &[
        FREQ,
        WIDTH,
        POWER.from(FAD),
        ERR_RE,
        ERR_IM,
        POWER1.from(FAD),
        ColumnDeclaration::power("power1_err", "standard error of `power1`").by("√ΣP²/(k√m_eff)"),
        POWER2.from(FAD),
        ColumnDeclaration::power("power2_err", "standard error of `power2`").by("√ΣP²/(k√m_eff)"),
        ColumnDeclaration::power("power_total", "power of the events of both detectors together").from(FAD),
        ColumnDeclaration::power("power_total_err", "standard error of `power_total`").by("√ΣP²/(k√m_eff)"),
        K,
        M,
    ],
};

impl FadSpectrum {
    fn averaged(&self) -> Averaged<'_> {
        Averaged { m: &self.m, width: &self.width, df: self.meta.df }
    }
}

impl Product for FadSpectrum {
    fn kind(&self) -> &'static ProductKind {
        &FAD_SPECTRUM
    }

    fn metadata(&self) -> Value {
        self.averaged().metadata(&self.meta, self.meta.segments)
    }

    fn values(&self, name: &str) -> Option<Values<'_>> {
        let real = match name {
            "power" => return Some(Values::complex(&self.power_re, &self.power_im)),
            "freq" => &self.freq,
            "width" => &self.width,
            "cross_err_re" => &self.cross_err_re,
            "cross_err_im" => &self.cross_err_im,
            "power1" => &self.power1,
            "power1_err" => &self.power1_err,
            "power2" => &self.power2,
            "power2_err" => &self.power2_err,
            "power_total" => &self.power_total,
            "power_total_err" => &self.power_total_err,
            other => return self.averaged().column(other),
        };
        Some(real.into())
    }

    fn unit(&self, _: &ColumnDeclaration) -> &'static str {
        self.meta.norm.unit()
    }
}

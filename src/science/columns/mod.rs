//! The columns of spectra, declared once: name, unit, meaning, formula, source. Formulas are explained where they are computed.

mod bispectrum;
mod cross;
mod dynamical;
mod energy;
mod fad;
mod power;

use serde_json::Value;

use super::norm::Norm;
use crate::data::product::{ColumnDeclaration, ProductKind};
use crate::data::table::Values;

pub use bispectrum::{BISPECTRUM, CUMULANT_BISPECTRUM};
pub use cross::{CROSS_POWERS, CROSS_SPECTRUM};
pub use dynamical::{DYNAMICAL_CROSS, DYNAMICAL_POWER, FREQUENCIES, TIMES};
pub use energy::ENERGY_SPECTRUM;
pub use fad::FAD_SPECTRUM;
pub use power::{POWER_SPECTRUM, SHIFTED_POWER};

/// The kinds of products of this room.
pub static KINDS: &[&ProductKind] = &[
    &POWER_SPECTRUM,
    &CROSS_SPECTRUM,
    &CROSS_POWERS,
    &FAD_SPECTRUM,
    &ENERGY_SPECTRUM,
    &DYNAMICAL_POWER,
    &DYNAMICAL_CROSS,
    &SHIFTED_POWER,
    &BISPECTRUM,
    &CUMULANT_BISPECTRUM,
];

/// Ingram 2019.
const INGRAM: &str = "doi:10.1093/mnras/stz2409";
/// When spectra have the columns `m` and `k`.
const REBINNED: &str = "where frequencies were rebinned, else a number of the metadata";

const FREQ: ColumnDeclaration =
    ColumnDeclaration::real("freq", "Hz", "frequency: the mean of the averaged frequencies");
const WIDTH: ColumnDeclaration = ColumnDeclaration::real("width", "Hz", "width of the frequency bin").by("k·df");
const K: ColumnDeclaration =
    ColumnDeclaration::count("k", "", "original frequencies averaged in the bin").when(REBINNED);
const M: ColumnDeclaration =
    ColumnDeclaration::count("m", "", "values averaged in the bin").by("segments·k").when(REBINNED);

impl Norm {
    /// Unit of powers, in the notation of the FITS standard; empty for pure numbers.
    pub fn unit(self) -> &'static str {
        match self {
            Norm::Frac => "Hz-1",
            Norm::Abs => "ct2 s-2 Hz-1",
            Norm::Leahy | Norm::None => "",
        }
    }
}

/// What bins of frequency average.
struct Averaged<'a> {
    m: &'a [u64],
    width: &'a [f64],
    /// Width of an original bin, Hz.
    df: f64,
}

impl Averaged<'_> {
    fn k(&self) -> Vec<u64> {
        self.width.iter().map(|width| (width / self.df).round() as u64).collect()
    }

    /// True if nothing was rebinned, and every bin has as many values.
    fn is_plain(&self) -> bool {
        let as_one = |m: &u64| Some(m) == self.m.first();
        self.m.iter().all(as_one) && self.width.iter().all(|width| (width / self.df).round() == 1.0)
    }

    /// The column `k` or `m`, where they are columns.
    fn column(&self, name: &str) -> Option<Values<'static>> {
        match name {
            _ if self.is_plain() => None,
            "k" => Some(self.k().into()),
            "m" => Some(self.m.to_vec().into()),
            _ => None,
        }
    }

    /// Adds `k` and `m` to the metadata, where they are no columns; `segments` is `m` of a spectrum without a bin.
    fn describe(&self, meta: &mut Value, segments: u64) {
        if self.is_plain() {
            meta["m"] = self.m.first().copied().unwrap_or(segments).into();
            meta["k"] = 1.into();
        }
    }
}

//! Columns that all spectra have: frequencies, and what was averaged in them.

use serde::Serialize;
use serde_json::Value;

use crate::data::product::ColumnDeclaration;
use crate::data::table::Values;

/// Ingram 2019.
pub(super) const INGRAM: &str = "doi:10.1093/mnras/stz2409";
/// When spectra have the columns `m` and `k`.
const REBINNED: &str = "where frequencies were rebinned, else a number of the metadata";

pub(super) const FREQ: ColumnDeclaration =
    ColumnDeclaration::real("freq", "Hz", "frequency: the mean of the averaged frequencies");
pub(super) const WIDTH: ColumnDeclaration =
    ColumnDeclaration::real("width", "Hz", "width of the frequency bin").by("k·df");
pub(super) const K: ColumnDeclaration =
    ColumnDeclaration::count("k", "", "original frequencies averaged in the bin").when(REBINNED);
pub(super) const M: ColumnDeclaration =
    ColumnDeclaration::count("m", "", "values averaged in the bin").by("segments·k").when(REBINNED);

/// What bins of frequency average.
pub(super) struct Averaged<'a> {
    pub m: &'a [u64],
    pub width: &'a [f64],
    /// Width of an original bin, Hz.
    pub df: f64,
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
    pub fn column(&self, name: &str) -> Option<Values<'static>> {
        match name {
            _ if self.is_plain() => None,
            "k" => Some(self.k().into()),
            "m" => Some(self.m.to_vec().into()),
            _ => None,
        }
    }

    /// The metadata, with `k` and `m` where they are no columns; `segments` is `m` of a spectrum without a bin.
    pub fn metadata(&self, meta: &impl Serialize, segments: u64) -> Value {
        let mut meta = serde_json::to_value(meta).unwrap_or_default();
        if self.is_plain() {
            meta["m"] = self.m.first().copied().unwrap_or(segments).into();
            meta["k"] = 1.into();
        }
        meta
    }
}

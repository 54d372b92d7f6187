//! Columns of energy spectra.

use serde_json::Value;

use super::frequency::INGRAM;
use crate::data::product::{ColumnDeclaration, Product, ProductKind};
use crate::data::table::Values;
use crate::science::energy::{EnergyColumn, EnergyKind, EnergySpectrum};

const BY_KIND: &str = "s for lags, ct for counts; for `norm` abs ct s-1, for variances ct2 s-2; none for frac";
const LAG: &str = "for lags";
const COVARIANCE: &str = "for covariances";
const RMS: &str = "for rms";
const COUNT: &str = "for counts";
const COMPLEX: &str = "doi:10.1093/mnras/stx3146";

const fn real(name: &'static str, meaning: &'static str) -> ColumnDeclaration {
    ColumnDeclaration::real(name, "", meaning).unit_by(BY_KIND)
}

/// Energy spectra.
pub static ENERGY_SPECTRUM: ProductKind = ProductKind {
    name: "energy spectrum",
    meaning: "A quantity of the variability against energy (`kind`: lag, covariance, rms, excvar, count), one row a band.",
    commands: "varenergy",
    table: "ENERGY",
    columns: &[
        ColumnDeclaration::real("energy_lo", "keV", "lowest energy of the band").when("where bands are energies"),
        ColumnDeclaration::real("energy_hi", "keV", "first energy beyond the band").when("where bands are energies"),
        ColumnDeclaration::real("channel_lo", "", "lowest channel of the band").when("where bands are channels"),
        ColumnDeclaration::real("channel_hi", "", "highest channel of the band").when("where bands are channels"),
        real("value", "the quantity of `kind`: time lag τ, covariance V, rms, excess variance, or counts")
            .by("τ = arg ΣC/(2πf), V = √((|ΣC|² − σ⊥²)·df/ΣS2), variance Σ(P1 − noise)·df, rms its root")
            .from("doi:10.1111/j.1365-2966.2009.15008.x"),
        real("value_err", "standard error of `value`").from(INGRAM),
        ColumnDeclaration::real("lag_phase", "rad", "phase lag behind the reference").by("arg ΣC").when(LAG),
        ColumnDeclaration::real("lag_phase_err", "rad", "standard error of `lag_phase`")
            .by("σ⊥/|C₀|")
            .from(INGRAM)
            .when(LAG),
        ColumnDeclaration::real("freq", "Hz", "frequency of the lag, weighted by the part of C along its sum")
            .by("Σ f_k·Re(C_k·e^{−iφ})/|ΣC|")
            .when(LAG),
        real("covariance_re", "real part of the covariance").by("Re ΣC·√(df/ΣS2)").from(COMPLEX).when(COVARIANCE),
        real("covariance_re_err", "standard error of `covariance_re`").when(COVARIANCE),
        real("covariance_im", "imaginary part of the covariance").by("Im ΣC·√(df/ΣS2)").from(COMPLEX).when(COVARIANCE),
        real("covariance_im_err", "standard error of `covariance_im`").when(COVARIANCE),
        real("variance", "excess variance, signed").by("Σ(P1 − noise)·df").when(RMS),
        real("variance_err", "standard error of `variance`").when(RMS),
        real("upper_limit", "upper limit (95 %) of the rms where it is below three standard errors").when(RMS),
        ColumnDeclaration::real("m_eff", "", "segments of equal weight that those of the band are worth")
            .by("of photons N, N_r of the reference: ΣNΣN_r/ΣNN_r for lags and covariances, (ΣN)²/ΣN(N − 1) for rms and excess variance")
            .when("but for counts"),
        ColumnDeclaration::real("rate", "ct s-1", "rate in good time").when(COUNT),
        ColumnDeclaration::real("rate_err", "ct s-1", "standard error of `rate`")
            .from("doi:10.1086/164079")
            .when(COUNT),
        ColumnDeclaration::count(
            "counts",
            "ct",
            "photons of the band in the averaged segments; in good time for counts",
        ),
    ],
};

/// The columns that only this kind of energy spectrum has, without values.
pub(crate) fn energy_columns(kind: EnergyKind, fractional: bool) -> Vec<EnergyColumn> {
    let (amplitude, square) = if fractional { ("", "") } else { ("ct s-1", "ct2 s-2") };
    let mut names = match kind {
        EnergyKind::Lag => vec![("lag_phase", "rad"), ("lag_phase_err", "rad"), ("freq", "Hz")],
        EnergyKind::Covariance => vec![
            ("covariance_re", amplitude),
            ("covariance_re_err", amplitude),
            ("covariance_im", amplitude),
            ("covariance_im_err", amplitude),
        ],
        EnergyKind::Rms => vec![("variance", square), ("variance_err", square), ("upper_limit", amplitude)],
        EnergyKind::Excvar => vec![],
        EnergyKind::Count => vec![("rate", "ct s-1"), ("rate_err", "ct s-1")],
    };
    if kind != EnergyKind::Count {
        names.push(("m_eff", ""));
    }
    names.into_iter().map(|(name, unit)| EnergyColumn { name, unit, values: Vec::new() }).collect()
}

impl Product for EnergySpectrum {
    fn kind(&self) -> &'static ProductKind {
        &ENERGY_SPECTRUM
    }

    fn metadata(&self) -> Value {
        let mut meta = serde_json::to_value(&self.meta).unwrap_or_default();
        if let Some(segments) = &self.meta.averaged {
            // The same in every band.
            meta["k"] = segments.nfreq.into();
            meta["m"] = (segments.segments * segments.nfreq as u64).into();
        }
        meta
    }

    fn values(&self, name: &str) -> Option<Values<'_>> {
        let edges = |channels: bool| (self.meta.channels == channels).then_some((&self.energy_lo, &self.energy_hi));
        match name {
            "energy_lo" => edges(false).map(|(lo, _)| lo.into()),
            "energy_hi" => edges(false).map(|(_, hi)| hi.into()),
            "channel_lo" => edges(true).map(|(lo, _)| lo.into()),
            "channel_hi" => edges(true).map(|(_, hi)| hi.into()),
            "value" => Some((&self.value).into()),
            "value_err" => Some((&self.value_err).into()),
            "counts" => Some((&self.counts).into()),
            other => self.columns.iter().find(|column| column.name == other).map(|column| (&column.values).into()),
        }
    }

    fn unit(&self, declared: &ColumnDeclaration) -> &'static str {
        let own = self.columns.iter().find(|column| column.name == declared.name);
        own.map_or_else(|| EnergySpectrum::unit(self), |column| column.unit)
    }
}

//! Columns of bispectra.

use serde_json::Value;

use crate::data::product::{ColumnDeclaration, Product, ProductKind};
use crate::data::table::Values;
use crate::science::bispectrum::{Bispectrum, BispectrumMetadata};
use crate::science::cumulant::CumulantBispectrum;

const KIM: &str = "doi:10.1109/TPS.1979.4317207";
const WIRNITZER: &str = "Wirnitzer 1985, doi:10.1364/JOSAA.2.000014";
const BIPHASE: ColumnDeclaration =
    ColumnDeclaration::real("biphase", "rad", "phase of the bispectrum, −π to π").by("arg B");

/// Bispectra.
pub static BISPECTRUM: ProductKind = ProductKind {
    name: "bispectrum",
    meaning: "Bispectrum and bicoherence averaged over segments, one row a pair of frequencies.",
    commands: "bispectrum",
    table: "BISPECTRUM",
    columns: &[
        ColumnDeclaration::real("freq1", "Hz", "the higher frequency"),
        ColumnDeclaration::real("freq2", "Hz", "the lower frequency"),
        ColumnDeclaration::real("bicoherence", "", "squared bicoherence, 0 to 1")
            .by("b² = |B|²/(⟨|X_k X_l|²⟩⟨|X_{k+l}|²⟩ + ⟨c²⟩)")
            .from(KIM),
        BIPHASE.from(KIM),
        ColumnDeclaration::real("bispectrum", "ct3", "bispectrum; of counts without Poisson noise")
            .complex()
            .by("B = ⟨X_k X_l X*_{k+l} − c⟩; of counts c = |X_k|² + |X_l|² + |X_{k+l}|² − 2N, else 0")
            .from(WIRNITZER),
    ],
};

/// Bispectra by Stingray's definition.
pub static CUMULANT_BISPECTRUM: ProductKind = ProductKind {
    name: "cumulant bispectrum",
    meaning: "Bispectrum by Stingray's definition, the transform of a windowed cumulant, one row a pair of frequencies.",
    commands: "bispectrum, the definition of Stingray",
    table: "BISPECTRUM",
    columns: &[
        ColumnDeclaration::real("freq1", "Hz", "frequency of the first lag"),
        ColumnDeclaration::real("freq2", "Hz", "frequency of the second lag"),
        ColumnDeclaration::real("magnitude", "ct3", "modulus of the bispectrum").by("|B|"),
        BIPHASE,
        ColumnDeclaration::real("bispectrum", "ct3", "bispectrum").complex().by("transform of the third cumulant"),
    ],
};

fn metadata(meta: &BispectrumMetadata) -> Value {
    let mut value = serde_json::to_value(meta).unwrap_or_default();
    value["m"] = meta.segments.into();
    value["k"] = 1.into();
    value
}

impl Product for Bispectrum {
    fn kind(&self) -> &'static ProductKind {
        &BISPECTRUM
    }

    fn metadata(&self) -> Value {
        metadata(&self.meta)
    }

    fn values(&self, name: &str) -> Option<Values<'_>> {
        match name {
            "freq1" => Some((&self.freq1).into()),
            "freq2" => Some((&self.freq2).into()),
            "bicoherence" => Some((&self.bicoherence).into()),
            "biphase" => Some((&self.biphase).into()),
            "bispectrum" => Some(Values::complex(&self.bispectrum_re, &self.bispectrum_im)),
            _ => None,
        }
    }

    fn unit(&self, _: &ColumnDeclaration) -> &'static str {
        ""
    }
}

impl Product for CumulantBispectrum {
    fn kind(&self) -> &'static ProductKind {
        &CUMULANT_BISPECTRUM
    }

    fn metadata(&self) -> Value {
        metadata(&self.meta)
    }

    fn values(&self, name: &str) -> Option<Values<'_>> {
        match name {
            "freq1" => Some((&self.freq1).into()),
            "freq2" => Some((&self.freq2).into()),
            "magnitude" => Some((&self.magnitude).into()),
            "biphase" => Some((&self.biphase).into()),
            "bispectrum" => Some(Values::complex(&self.bispectrum_re, &self.bispectrum_im)),
            _ => None,
        }
    }

    fn unit(&self, _: &ColumnDeclaration) -> &'static str {
        ""
    }
}

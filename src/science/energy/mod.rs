//! Variability against energy: lags, covariance, rms, excess variance and counts of many bands with one reference.
//!
//! Over the frequencies `k` of a band, with `P1` (subject), `P2` (reference, without the photons of a subject inside it) and
//! `C = conj(F1)·F2` averaged over segments worth `m` of equal weight ([`EffectivePairs`](super::effective::EffectivePairs)), `S2 = P2 − noise`, and all sums over `k`:
//!
//! ```text
//! phase lag    φ = arg ΣC,    δφ = σ⊥/|C₀|,   |C₀|² = |ΣC|² − σ⊥² − σ∥²
//! time lag     τ = φ/(2πf),   f = Σ f_k·Re(C_k·e^{−iφ}) / |ΣC|,   δτ² = (δφ/(2πf))² + (τ·δf/f)²
//! covariance   V = √((|ΣC|² − σ⊥²)·df/ΣS2)                     in the normalisation `abs`, counts/s; over the rate, fractional
//!              re + i·im = ΣC·√(df/ΣS2)                        complex covariance: its phase is the phase lag
//!              δu² = (df/ΣS2)·(σ² + u²·ΣP2²/((m+1)·4·(ΣS2)²) − u·Σ u_k·P2 /((m+1)·ΣS2))
//! variance     Σ(P1 − noise)·df, signed                        rms = √variance: see [`rms`](super::rms)
//! ```
//!
//! σ² is the variance of `u = Re(ΣC·e^{−iθ})`, the sum along the direction θ: that of the modulus (∥, θ = φ), across it (⊥), or of
//! the real and the imaginary part, for which `u_k = Re(C_k·e^{−iθ})`. For Gaussian amplitudes it is
//! `Σ[P1·P2 + Re(C²e^{−2iθ})]/(2m)`, with the expectations of P1·P2 and C², which are estimated without bias by
//! `P1·P2 − Re(C²e^{−2iφ})/(m+1)` and `C²·m/(m+1)` of the averages, with any m.
//!
//! These are the errors of Ingram 2019 (doi:10.1093/mnras/stz2409) with `m·K` values where powers and lag are the same at all K
//! frequencies: `δφ = √((1 − g²)/(2g²mK))`. Where powers change over the band, the mean of products is not the product of means
//! that they take: for red noise over a decade the latter is a third too small. Covariance: Wilkinson & Uttley 2009
//! (doi:10.1111/j.1365-2966.2009.15008.x); complex: Mastroserio et al. 2018 (doi:10.1093/mnras/stx3146). Its error is the whole
//! difference to the covariance of the source, with the fluctuation of the reference, which is common to all bands of a spectrum.
//!
//! The frequency of a lag weights frequencies by the part of C that makes the mean, which is |C| where all have one phase. |C| itself
//! is never small where there is only noise: it would draw f to the noisiest frequencies, and lags to smaller values.
//!
//! What cannot be told from noise is NaN: the lag's error where `|C₀|² ≤ 0`, a covariance of `|ΣC| ≤ σ⊥` or with a reference whose `ΣS2` is
//! below three of its standard errors `√(ΣP2²/(m + 1))`, the rms of a variance that is not positive, and everything of a band without photons.

mod band_sums;
pub(crate) mod of_sums;

use std::ops::Range;

use serde::{Deserialize, Serialize};

use super::power::FEW_VALUES;
use crate::base::choice::choice;
use crate::base::error::{Error, Result};
use crate::base::mend::Mend;
use crate::base::text::ShortNumber;
use crate::data::Record;

/// The quantity of an energy spectrum: what is computed for each band.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum EnergyKind {
    /// Time lag behind the reference, s; positive if the band is late.
    Lag,
    /// Covariance with the reference, counts/s or fractional.
    Covariance,
    /// Square root of `Excvar`, counts/s or fractional; NaN if that is negative. Segments count by the squares of their rates.
    Rms,
    /// Excess variance: variance with noise subtracted; may be negative.
    Excvar,
    /// Number of photons in good time; no segments are made.
    Count,
}

choice!(
    EnergyKind, "kind":
    Lag = "lag",
    Covariance = "covariance",
    Rms = "rms",
    Excvar = "excvar",
    Count = "count",
);

/// Options of an energy spectrum that do not concern segments.
#[derive(Clone, Copy, Debug, PartialEq, Serialize)]
#[non_exhaustive]
pub struct EnergyOptions {
    /// The quantity that is computed for each band.
    pub kind: EnergyKind,
    /// Frequencies used, `lo ≤ f < hi`, Hz. Not used for [`EnergyKind::Count`].
    pub freq: Option<[f64; 2]>,
    /// True: covariance and rms are divided by the mean rate, variances by its square. False: they are in counts/s and
    /// (counts/s)².
    pub fractional: bool,
}

/// A band of energies `lo ≤ E < hi` in keV, or of channels `lo ≤ c ≤ hi`, both ends included. The struct that holds the
/// band says which.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
pub struct Band {
    /// Lowest energy of the band, keV, or lowest channel.
    pub lo: f64,
    /// First energy beyond the band, keV, or highest channel of the band.
    pub hi: f64,
}

/// The segments that an energy spectrum was averaged over.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
#[non_exhaustive]
pub struct EnergySegments {
    /// Number of bins in a segment.
    pub n: usize,
    /// Number of segments averaged.
    pub segments: u64,
    /// Bin width, s.
    pub dt: f64,
    /// Frequency resolution, Hz.
    pub df: f64,
    /// Length of a segment, s.
    pub segment_size: f64,
    /// Lower edge of the lowest and upper edge of the highest frequency bin used, Hz.
    pub freq_band: [f64; 2],
    /// Number of frequencies used.
    pub nfreq: usize,
    /// Segments that could not be averaged, such as empty ones.
    pub skipped_segments: u64,
}

/// Metadata of an energy spectrum.
#[derive(Clone, Debug, Serialize, Deserialize)]
#[non_exhaustive]
pub struct EnergyMetadata {
    /// The quantity that was computed.
    pub kind: EnergyKind,
    /// `frac` or `abs`; empty for lags and counts.
    pub norm: String,
    /// The reference band; `None` for counts. For each band inside it, the photons of that band are removed from the
    /// reference.
    pub reference: Option<Band>,
    /// True if bands, energies and the reference are given in channels, false if in keV.
    pub channels: bool,
    /// What the sign of a lag means: [`LAG_SIGN`](super::cross::LAG_SIGN).
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub lag_sign: String,
    /// Mean number of photons of the reference in a segment; for [`EnergyKind::Count`], the photons of all bands.
    pub nphots: f64,
    /// The segments averaged; `None` for [`EnergyKind::Count`].
    #[serde(flatten)]
    pub averaged: Option<EnergySegments>,
    /// Time in the averaged segments, s; for [`EnergyKind::Count`], the good time.
    pub exposure: f64,
    /// What made the product.
    #[serde(flatten)]
    pub record: Record,
}

/// A column that only some kinds of energy spectra have.
#[derive(Clone, Debug, PartialEq)]
#[non_exhaustive]
pub struct EnergyColumn {
    /// Name of the column.
    pub name: &'static str,
    /// Unit in the notation of the FITS standard.
    pub unit: &'static str,
    /// The values, one a band.
    pub values: Vec<f64>,
}

/// A quantity of the variability against energy, one entry a band. All columns have the same length. Formulas and
/// errors are in the [module](self).
#[derive(Clone, Debug)]
#[non_exhaustive]
pub struct EnergySpectrum {
    /// Lower ends of the bands, keV, or lowest channels.
    pub energy_lo: Vec<f64>,
    /// Upper ends of the bands: first energies beyond them, keV, or highest channels in them.
    pub energy_hi: Vec<f64>,
    /// The quantity of [`EnergyMetadata::kind`] in each band; its unit is [`EnergySpectrum::unit`].
    pub value: Vec<f64>,
    /// Standard error of `value`, in the same unit.
    pub value_err: Vec<f64>,
    /// Further columns, by kind: phase lag (lag), real and imaginary covariance (covariance), variance and upper limit
    /// (rms), rate (count).
    pub columns: Vec<EnergyColumn>,
    /// Values averaged in each band: segments times frequencies; 0 for [`EnergyKind::Count`].
    pub m: Vec<u64>,
    /// Photons of each band in the averaged segments; for [`EnergyKind::Count`], in good time.
    pub counts: Vec<u64>,
    /// Metadata: resolution, normalisation, record.
    pub meta: EnergyMetadata,
}

/// The indices `k − 1` of the frequencies `k/segment_size` with `lo ≤ f < hi`, for segments of `n` bins.
///
/// # Errors
/// No frequency lies in the band.
pub fn frequencies_in(freq: [f64; 2], n: usize, segment_size: f64) -> Result<Range<usize>> {
    let count = crate::numerics::fft::frequencies(n);
    // Edges are often multiples of df as written, not as rounded.
    let place = |f: f64| ((f * segment_size * (1.0 - 1e-12)).ceil().max(1.0) - 1.0).min(count as f64) as usize;
    let range = place(freq[0])..place(freq[1]);
    if range.is_empty() {
        let df = 1.0 / segment_size;
        let message = format!(
            "no frequency in it; there are those from {} to {} Hz, {} Hz apart",
            ShortNumber(df),
            ShortNumber(count as f64 * df),
            ShortNumber(df)
        );
        let mend = [
            Mend::field("segment_size").doing("a longer one has more frequencies"),
            Mend::field("dt").doing("a shorter one has higher ones"),
        ];
        return Err(Error::argument("freq", format!("{}:{}", freq[0], freq[1]), message).mended_by(mend));
    }
    Ok(range)
}

impl EnergySpectrum {
    /// Photons of bands in good time.
    pub(crate) fn from_counts(
        bands: Vec<Band>,
        counts: Vec<u64>,
        channels: bool,
        exposure: f64,
        record: Record,
    ) -> EnergySpectrum {
        let photons: u64 = counts.iter().sum();
        let mut spectrum = EnergySpectrum {
            value: counts.iter().map(|&c| c as f64).collect(),
            // Errors as those of light curves.
            value_err: counts.iter().map(|&c| crate::data::light_curve::counting_error(c as f64)).collect(),
            columns: Vec::new(),
            m: vec![0; bands.len()],
            counts,
            energy_lo: bands.iter().map(|band| band.lo).collect(),
            energy_hi: bands.iter().map(|band| band.hi).collect(),
            meta: EnergyMetadata {
                kind: EnergyKind::Count,
                norm: String::new(),
                reference: None,
                channels,
                lag_sign: String::new(),
                nphots: photons as f64,
                averaged: None,
                exposure,
                record,
            },
        };
        for s in 0..spectrum.len() {
            let [rate, error] = [spectrum.value[s], spectrum.value_err[s]].map(|counts| counts / exposure);
            spectrum.set(s, [("rate", "ct s-1", rate), ("rate_err", "ct s-1", error)]);
        }
        spectrum.warn(false);
        spectrum
    }

    /// Unit of `value` in the notation of the FITS standard; empty for pure numbers.
    pub fn unit(&self) -> &'static str {
        match (self.meta.kind, self.meta.norm.as_str()) {
            (EnergyKind::Lag, _) => "s",
            (EnergyKind::Count, _) => "ct",
            (_, "frac") => "",
            (EnergyKind::Excvar, _) => "ct2 s-2",
            _ => "ct s-1",
        }
    }

    /// Number of bands.
    pub fn len(&self) -> usize {
        self.energy_lo.len()
    }

    /// True if there is no band.
    pub fn is_empty(&self) -> bool {
        self.energy_lo.is_empty()
    }

    fn push(&mut self, value: f64, error: f64) {
        self.value.push(value);
        self.value_err.push(error);
    }

    /// Sets values of a band in columns that only its kind has; those that other bands lack are NaN.
    fn set<const N: usize>(&mut self, band: usize, values: [(&'static str, &'static str, f64); N]) {
        for (name, unit, value) in values {
            let place = self.columns.iter().position(|c| c.name == name).unwrap_or_else(|| {
                self.columns.push(EnergyColumn { name, unit, values: vec![f64::NAN; self.len()] });
                self.columns.len() - 1
            });
            self.columns[place].values[band] = value;
        }
    }

    fn warn(&mut self, without_reference: bool) {
        let empty = self.counts.iter().filter(|&&c| c == 0).count() as u64;
        let warnings = &mut self.meta.record.warnings;
        if empty > 0 && self.meta.kind != EnergyKind::Count {
            warnings.push("W-BAND-EMPTY", format!("bands without photons, whose values are nan: {empty}"));
        }
        if without_reference {
            let message =
                "a band holds all photons of the reference, of which nothing is left for it: its value is nan";
            warnings.push("W-BAND-REFERENCE", message);
        }
        let m_eff = self.columns.iter().find(|column| column.name == "m_eff");
        let least = m_eff.map_or(f64::INFINITY, |column| column.values.iter().copied().fold(f64::INFINITY, f64::min));
        let values = self.meta.averaged.map_or(f64::INFINITY, |s| s.nfreq as f64 * least);
        if values < FEW_VALUES {
            let message = format!(
                "bands average {} values, fewer than {FEW_VALUES}: errors are not Gaussian",
                ShortNumber(values)
            );
            warnings.push("W-FEW-VALUES", message);
        }
        let undetected = self.value.iter().zip(&self.value_err).zip(&self.counts);
        let undetected = undetected.filter(|((v, e), c)| **c > 0 && (v.is_nan() || e.is_nan())).count() as u64;
        if undetected > 0 && !without_reference {
            let message = format!(
                "bands whose variability cannot be told from noise, with nan for values or errors: {undetected}"
            );
            warnings.push("W-BAND-NOISE", message);
        }
    }
}

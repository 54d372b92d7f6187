//! Variability against energy: lags, covariance, rms, excess variance and counts of many bands with one reference.
//!
//! Over the frequencies `k` of a band, with `P1` (subject), `P2` (reference, without the photons of a subject inside it) and
//! `C = conj(F1)·F2` averaged over segments worth `m` of equal weight ([`EffectivePairs`]), `S2 = P2 − noise`, and all sums over `k`:
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

use std::ops::Range;

use serde::{Deserialize, Serialize};

use band_sums::BandSums;

use super::context::SpectrumContext;
use super::cross::LAG_SIGN;
use super::dead_time::noise::{ByFrequency, NoiseLevels};
use super::effective::EffectivePairs;
use super::noise_fit::NoiseFit;
use super::norm::{Norm, NormParameters};
use super::power::{FEW_VALUES, PowerScale};
use super::power_bins::PowerBin;
use super::rms::band_rms;
use crate::base::choice::choice;
use crate::base::error::{Error, Result};
use crate::base::mend::Mend;
use crate::base::sums::Sums;
use crate::base::text::ShortNumber;
use crate::base::warning::Warning;
use crate::data::Record;

/// The quantity of an energy spectrum: what is computed for each band.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum EnergyKind {
    /// Time lag behind the reference, s; positive if the band is late.
    Lag,
    /// Covariance with the reference, counts/s or fractional.
    Covariance,
    /// Square root of `Excvar`, counts/s or fractional; NaN if that is negative.
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
    /// What the sign of a lag means: [`LAG_SIGN`].
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

/// What the engine knows beside the sums.
pub(crate) struct EnergyContext {
    pub spectrum: SpectrumContext,
    pub bands: Vec<Band>,
    pub reference: Band,
    /// Bit s − 1: subject s leaves the reference.
    pub inside: u64,
    pub channels: bool,
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
    /// Sums of a reference and its subjects to a spectrum; `sums` must hold at least one segment.
    pub(crate) fn new(sums: &Sums, options: &EnergyOptions, context: EnergyContext) -> Result<EnergySpectrum> {
        let EnergyContext { spectrum, bands, reference, inside, channels } = context;
        let SpectrumContext { n, dt, segment_size, record, .. } = spectrum;
        let df = 1.0 / segment_size;
        let range = frequencies_in(options.freq.unwrap_or([0.0, f64::INFINITY]), n, segment_size)?;
        let edges = [(range.start as f64 + 0.5) * df, (range.end as f64 + 0.5) * df];
        let m = sums.segments;
        let photons = |which: usize| sums.series.get(which).map_or(0, |c| c.photons);
        let segments = EnergySegments {
            n,
            segments: m,
            dt,
            df,
            segment_size,
            freq_band: edges,
            nfreq: range.len(),
            skipped_segments: sums.skipped,
        };
        let correlated = matches!(options.kind, EnergyKind::Lag | EnergyKind::Covariance);
        let mut spectrum = EnergySpectrum {
            value: Vec::new(),
            value_err: Vec::new(),
            columns: Vec::new(),
            m: vec![m * range.len() as u64; bands.len()],
            counts: (1..=bands.len()).map(photons).collect(),
            energy_lo: bands.iter().map(|band| band.lo).collect(),
            energy_hi: bands.iter().map(|band| band.hi).collect(),
            meta: EnergyMetadata {
                kind: options.kind,
                norm: match options.kind {
                    EnergyKind::Lag | EnergyKind::Count => "",
                    _ if options.fractional => "frac",
                    _ => "abs",
                }
                .into(),
                reference: Some(reference).filter(|_| correlated),
                channels,
                lag_sign: if options.kind == EnergyKind::Lag { LAG_SIGN.into() } else { String::new() },
                nphots: photons(0) as f64 / m as f64,
                averaged: Some(segments),
                exposure: m as f64 * segment_size,
                record,
            },
        };
        let count = crate::numerics::fft::frequencies(n);
        let level = |photons: u64| NormParameters {
            n,
            dt,
            mean: photons as f64 / m as f64 / n as f64,
            background: 0.0,
            variance: None,
        };
        let mut without_reference = false;
        let mut misfits: Vec<(usize, Warning)> = Vec::new();
        for s in 0..spectrum.len() {
            let counts = spectrum.counts[s];
            let rest = photons(0) - if (inside >> s) & 1 == 1 { counts } else { 0 };
            let blocks = &sums.power[s * 4 * count..(s + 1) * 4 * count];
            let rate = counts as f64 / spectrum.meta.exposure;
            let effective = EffectivePairs::of_sums(sums, 3 * s, true);
            if options.kind != EnergyKind::Count {
                let m_eff = if correlated { effective.m_eff } else { effective.m_eff1 };
                spectrum.set(s, [("m_eff", "", m_eff)]);
            }
            match options.kind {
                EnergyKind::Lag if counts > 0 && rest > 0 => {
                    let over = BandSums::new(blocks, &range, m, effective.m_eff);
                    let (phase, error) = over.lag_phase();
                    let freq = over.k * df;
                    let lag = phase / (std::f64::consts::TAU * freq);
                    let of_freq = lag * over.k_variance.sqrt() / over.k;
                    spectrum.push(lag, (error / (std::f64::consts::TAU * freq)).hypot(of_freq));
                    spectrum
                        .set(s, [("lag_phase", "rad", phase), ("lag_phase_err", "rad", error), ("freq", "Hz", freq)]);
                }
                EnergyKind::Covariance if counts > 0 && rest > 0 => {
                    let over = BandSums::new(blocks, &range, m, effective.m_eff);
                    let noise = Norm::None.noise(&level(rest)) * range.len() as f64;
                    // An amplitude of one frequency in counts/s, over the rate where it is to be fractional.
                    let unit =
                        (Norm::Abs.factor(&level(rest)) * df).sqrt() / if options.fractional { rate } else { 1.0 };
                    let parts = over.covariances(noise).map(|(value, error)| (value * unit, error * unit));
                    let [(value, error), (re, re_err), (im, im_err)] = parts;
                    spectrum.push(value, error);
                    let name = if options.fractional { "" } else { "ct s-1" };
                    spectrum.set(
                        s,
                        [
                            ("covariance_re", name, re),
                            ("covariance_re_err", name, re_err),
                            ("covariance_im", name, im),
                            ("covariance_im_err", name, im_err),
                        ],
                    );
                }
                EnergyKind::Rms | EnergyKind::Excvar if counts > 0 => {
                    let level = level(counts);
                    let (factor, noise) = (Norm::Leahy.factor(&level), Norm::Leahy.noise(&level));
                    let power: Vec<f64> = blocks[..count].iter().map(|power| power / m as f64 * factor).collect();
                    let (same, err) = (ByFrequency::Same(noise), ByFrequency::Same(0.0));
                    let levels = NoiseLevels { level: same, err, dead_time: None };
                    let fit = NoiseFit { power: &power, noise: &levels, m_eff: effective.m_eff1, df };
                    misfits.extend(fit.warning("").map(|warning| (s, warning)));
                    let bins = power.iter().enumerate().map(|(k, power)| PowerBin {
                        freq: (k + 1) as f64 / segment_size,
                        width: df,
                        total: *power,
                        noise,
                        noise_err: 0.0,
                        err: power / effective.m_eff1.sqrt(),
                    });
                    let frac = Norm::Frac.factor(&level) / factor;
                    let scale = PowerScale { frac, poisson: noise, source_rate: level.mean / dt };
                    let Some(rms) = band_rms(bins, edges, &scale) else {
                        spectrum.push(f64::NAN, f64::NAN);
                        continue;
                    };
                    let unit = if options.fractional { 1.0 } else { rate };
                    let variance = [rms.rms_variance, rms.rms_variance_err].map(|v| v * unit * unit);
                    if options.kind == EnergyKind::Excvar {
                        spectrum.push(variance[0], variance[1]);
                        continue;
                    }
                    let or_nan = |value: Option<f64>| value.map_or(f64::NAN, |v| v * unit);
                    spectrum.push(or_nan(rms.rms), or_nan(rms.rms_err));
                    let (name, square) = if options.fractional { ("", "") } else { ("ct s-1", "ct2 s-2") };
                    spectrum.set(
                        s,
                        [
                            ("variance", square, variance[0]),
                            ("variance_err", square, variance[1]),
                            ("upper_limit", name, or_nan(rms.rms_upper_limit)),
                        ],
                    );
                }
                _ => {
                    without_reference |= counts > 0;
                    spectrum.push(f64::NAN, f64::NAN);
                }
            }
        }
        if let Some((band, warning)) = misfits.first() {
            let more = if misfits.len() > 1 { format!("; so in {} bands", misfits.len()) } else { String::new() };
            let message = format!("band {}: {}{more}", band + 1, warning.message);
            spectrum.meta.record.warnings.push("W-NOISE-LEVEL", message);
        }
        spectrum.warn(without_reference);
        Ok(spectrum)
    }

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

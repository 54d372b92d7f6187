//! Sums over segments to an energy spectrum.

use std::ops::Range;

use super::band_sums::BandSums;
use super::{Band, EnergyKind, EnergyMetadata, EnergyOptions, EnergySegments, EnergySpectrum, frequencies_in};
use crate::base::error::Result;
use crate::base::sums::Sums;
use crate::base::warning::Warning;
use crate::science::context::SpectrumContext;
use crate::science::cross::LAG_SIGN;
use crate::science::dead_time::noise::{ByFrequency, NoiseLevels};
use crate::science::effective::EffectivePairs;
use crate::science::noise_fit::NoiseFit;
use crate::science::norm::{Norm, NormParameters};
use crate::science::power::PowerScale;
use crate::science::power_bins::{PowerBin, relative_variances};
use crate::science::rms::band_rms;

/// What the engine knows beside the sums.
pub(crate) struct EnergyContext {
    pub spectrum: SpectrumContext,
    pub bands: Vec<Band>,
    pub reference: Band,
    /// Bit s − 1: subject s leaves the reference.
    pub inside: u64,
    pub channels: bool,
}

/// What the sums say of one band.
struct BandSeen<'a> {
    /// Sums of the band's powers, of the reference's, and of both parts of the cross spectrum, one after the other.
    blocks: &'a [f64],
    /// Photons of the band.
    counts: u64,
    /// Photons of the reference without the band's.
    rest: u64,
    effective: EffectivePairs,
    /// Indices of the frequencies.
    range: Range<usize>,
    segments: EnergySegments,
    fractional: bool,
}

impl BandSeen<'_> {
    /// Of so many photons in all segments.
    fn level(&self, photons: u64) -> NormParameters {
        let EnergySegments { n, dt, segments, .. } = self.segments;
        let mean = photons as f64 / segments as f64 / n as f64;
        NormParameters { n, dt, mean, background: 0.0, variance: None }
    }

    /// Mean rate of the band, counts/s.
    fn rate(&self) -> f64 {
        self.counts as f64 / (self.segments.segments as f64 * self.segments.segment_size)
    }
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
        let mut without_reference = false;
        let mut misfits: Vec<(usize, Warning)> = Vec::new();
        let mut uneven: Option<EffectivePairs> = None;
        for s in 0..spectrum.len() {
            let counts = spectrum.counts[s];
            let effective = EffectivePairs::of_sums(sums, 3 * s, true);
            if options.kind != EnergyKind::Count {
                let m_eff = if correlated { effective.m_eff } else { effective.m_eff1 };
                spectrum.set(s, [("m_eff", "", m_eff)]);
            }
            let seen = BandSeen {
                blocks: &sums.power[s * 4 * count..(s + 1) * 4 * count],
                counts,
                rest: photons(0) - if (inside >> s) & 1 == 1 { counts } else { 0 },
                effective,
                range: range.clone(),
                segments,
                fractional: options.fractional,
            };
            if correlated && counts > 0 && uneven.is_none_or(|most| most.most_uneven() < effective.most_uneven()) {
                uneven = Some(effective);
            }
            match options.kind {
                EnergyKind::Lag if counts > 0 && seen.rest > 0 => spectrum.push_lag(s, &seen),
                EnergyKind::Covariance if counts > 0 && seen.rest > 0 => spectrum.push_covariance(s, &seen),
                EnergyKind::Rms | EnergyKind::Excvar if counts > 0 => {
                    misfits.extend(spectrum.push_variance(s, &seen).map(|warning| (s, warning)));
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
        // Where a source is seen at all.
        let seen =
            spectrum.value.iter().zip(&spectrum.value_err).any(|(value, err)| value.is_finite() && err.is_finite());
        let of = if options.kind == EnergyKind::Lag { "lags" } else { "covariances" };
        if let Some(warning) = uneven.filter(|_| seen).and_then(|most| most.warning(of)) {
            spectrum.meta.record.warnings.record(warning);
        }
        Ok(spectrum)
    }

    fn push_lag(&mut self, band: usize, seen: &BandSeen) {
        let df = seen.segments.df;
        let over = BandSums::new(seen.blocks, &seen.range, seen.segments.segments, seen.effective.m_eff);
        let (phase, error) = over.lag_phase();
        let freq = over.k * df;
        let lag = phase / (std::f64::consts::TAU * freq);
        let of_freq = lag * over.k_variance.sqrt() / over.k;
        self.push(lag, (error / (std::f64::consts::TAU * freq)).hypot(of_freq));
        self.set(band, [("lag_phase", "rad", phase), ("lag_phase_err", "rad", error), ("freq", "Hz", freq)]);
    }

    fn push_covariance(&mut self, band: usize, seen: &BandSeen) {
        let over = BandSums::new(seen.blocks, &seen.range, seen.segments.segments, seen.effective.m_eff);
        let rest = seen.level(seen.rest);
        let noise = Norm::None.noise(&rest) * seen.range.len() as f64;
        // An amplitude of one frequency in counts/s, over the rate where it is to be fractional.
        let unit =
            (Norm::Abs.factor(&rest) * seen.segments.df).sqrt() / if seen.fractional { seen.rate() } else { 1.0 };
        let parts = over.covariances(noise).map(|(value, error)| (value * unit, error * unit));
        let [(value, error), (re, re_err), (im, im_err)] = parts;
        self.push(value, error);
        let name = if seen.fractional { "" } else { "ct s-1" };
        self.set(
            band,
            [
                ("covariance_re", name, re),
                ("covariance_re_err", name, re_err),
                ("covariance_im", name, im),
                ("covariance_im_err", name, im_err),
            ],
        );
    }

    /// rms, or excess variance; a warning where the noise is not that of counts.
    fn push_variance(&mut self, band: usize, seen: &BandSeen) -> Option<Warning> {
        let (df, level) = (seen.segments.df, seen.level(seen.counts));
        let (factor, noise) = (Norm::Leahy.factor(&level), Norm::Leahy.noise(&level));
        let count = seen.blocks.len() / 4;
        let m = seen.segments.segments as f64;
        let power: Vec<f64> = seen.blocks[..count].iter().map(|power| power / m * factor).collect();
        let (same, err) = (ByFrequency::Same(noise), ByFrequency::Same(0.0));
        let levels = NoiseLevels { level: same, err, dead_time: None };
        let m_eff = seen.effective.m_eff1;
        let misfit = NoiseFit { power: &power, noise: &levels, m_eff, df }.warning("");
        let variances = relative_variances(&power, &levels.level, &seen.effective.series()[0], None);
        let bins = power.iter().zip(variances).enumerate().map(|(k, (power, variance))| PowerBin {
            freq: (k + 1) as f64 / seen.segments.segment_size,
            width: df,
            total: *power,
            noise,
            noise_err: 0.0,
            err: power * variance.sqrt(),
        });
        let frac = Norm::Frac.factor(&level) / factor;
        let scale = PowerScale { frac, poisson: noise, source_rate: level.mean / seen.segments.dt };
        let Some(rms) = band_rms(bins, seen.segments.freq_band, &scale) else {
            self.push(f64::NAN, f64::NAN);
            return misfit;
        };
        let unit = if seen.fractional { 1.0 } else { seen.rate() };
        let variance = [rms.rms_variance, rms.rms_variance_err].map(|v| v * unit * unit);
        if self.meta.kind == EnergyKind::Excvar {
            self.push(variance[0], variance[1]);
            return misfit;
        }
        let or_nan = |value: Option<f64>| value.map_or(f64::NAN, |v| v * unit);
        self.push(or_nan(rms.rms), or_nan(rms.rms_err));
        let (name, square) = if seen.fractional { ("", "") } else { ("ct s-1", "ct2 s-2") };
        self.set(
            band,
            [
                ("variance", square, variance[0]),
                ("variance_err", square, variance[1]),
                ("upper_limit", name, or_nan(rms.rms_upper_limit)),
            ],
        );
        misfit
    }
}

//! Power and cross spectra of unevenly sampled series: Lomb (1976), Scargle (1982, 1989), with floating mean and weights as
//! Zechmeister & Kürster (2009, doi:10.1051/0004-6361:200811296).
//!
//! With normalised weights `w_j` (1/N, or by the errors `∝ 1/σ_j²`), `τ` that makes the sine and cosine orthogonal, and sums over
//! `ω(t_j − τ)`:
//!
//! `P = N²/2·(YC²/CC + YS²/SS)`, `F = N/√2·(YC/√CC − i·YS/√SS)·e^{−iω(τ−t₀)}`, `P = |F|²`
//!
//! with `YC = Σ w y cos`, `CC = Σ w cos²` and so on, `y` without its weighted mean. With a floating mean, `CC = Σ w cos² − (Σ w cos)²`
//! and so on: a constant is fitted at each frequency. Evenly sampled series have `F_k = Σ y_j e^{−2πi jk/n}` at their Fourier
//! frequencies, so normalisations and noise levels are those of [`norm`](super::norm), with `n` points. Weighted by errors, the
//! variance of a point is `N/Σ1/σ²`, and Leahy's power is the reduction of χ² by the sinusoid.

mod sums;
#[cfg(test)]
mod tests;

use rayon::prelude::*;
use rustfft::num_complex::Complex;
use serde::Serialize;

use self::sums::{FrequencyGrid, direct, fast};
use super::context::SpectrumContext;
use super::cross::LAG_SIGN;
use super::cross_powers::{CrossPowers, CrossPowersMetadata};
use super::dead_time::noise::{ByFrequency, NoiseLevels};
use super::effective::EffectiveSegments;
use super::noise_fit::NoiseFit;
use super::norm::{Norm, NormParameters};
use super::power::{AveragedPowerSpectrum, PowerOptions, PowerScale};
use super::rebin::Rebin;
use crate::base::error::{Error, Result};
use crate::base::footprint::Footprint;
use crate::base::mend::Mend;
use crate::base::progress::Progress;
use crate::base::text::ShortNumber;
use crate::data::Record;
use crate::numerics::nonuniform::LeastErrorTransform;

/// More frequencies than memory and time allow by mistake.
const MOST_FREQUENCIES: f64 = (1u64 << 28) as f64;

/// Rows that are made before it is asked whether the run goes on.
const ASKED: usize = 1 << 16;

/// How the trigonometric sums are computed.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize)]
#[serde(rename_all = "lowercase")]
#[non_exhaustive]
pub enum LombScargleMethod {
    /// By a nonuniform FFT.
    #[default]
    Fast,
    /// Term by term, as the definition says; the time is that of points times frequencies.
    Direct,
}

/// Options of a Lomb-Scargle spectrum.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct LombScargleOptions {
    /// Normalisation of the powers.
    pub norm: Norm,
    /// Lowest frequency, Hz; `None` for one step.
    pub min_freq: Option<f64>,
    /// Highest frequency, Hz; `None` for `1/(2·dt)`.
    pub max_freq: Option<f64>,
    /// The frequency step is `1/(oversample·T)`, with `T` the length of the series; 1 gives independent frequencies.
    pub oversample: f64,
    /// Fit a constant together with the sinusoid at each frequency (generalised Lomb-Scargle).
    pub floating_mean: bool,
    /// Weight points by their errors, `∝ 1/σ²`; counts by their exposures, because errors of their own would favour bins with few.
    pub weighted: bool,
    /// How the trigonometric sums are computed.
    pub method: LombScargleMethod,
}

impl Default for LombScargleOptions {
    fn default() -> LombScargleOptions {
        LombScargleOptions {
            norm: Norm::Leahy,
            min_freq: None,
            max_freq: None,
            oversample: 1.0,
            floating_mean: true,
            weighted: false,
            method: LombScargleMethod::Fast,
        }
    }
}

/// An unevenly sampled series: counts (or flux) in bins of `dt` seconds that may have gaps.
#[derive(Clone, Copy, Debug)]
pub(crate) struct UnevenSeries<'a> {
    /// Centres of the bins, s, from any time near the first one (only differences matter).
    pub time: &'a [f64],
    /// Counts (or flux) in each bin.
    pub value: &'a [f64],
    /// Standard errors of `value`; empty if there are none, and for counts, whose noise is Poisson's.
    pub error: &'a [f64],
    /// Of counts, the exposed part of each bin, to which the inverse square of the error of a constant source is proportional; empty for flux.
    pub exposed: &'a [f64],
    /// Width of a bin, s.
    pub dt: f64,
}

/// Lomb-Scargle amplitudes of one series, and what its normalisation needs.
struct LombScargleAmplitudes {
    values: Vec<Complex<f64>>,
    level: NormParameters,
}

impl UnevenSeries<'_> {
    fn check(&self, weighted: bool) -> Result<()> {
        let UnevenSeries { time, value, error, exposed, dt } = *self;
        let refuse = |value: usize, message: &str| Err(Error::argument("series", value, message));
        if value.len() != time.len() || [error, exposed].iter().any(|of| !(of.is_empty() || of.len() == time.len())) {
            return refuse(time.len(), "times, with another number of values or errors");
        }
        if time.len() < 4 {
            return refuse(time.len(), "points; at least 4 are needed").map_err(|e| e.mended_by([Mend::field("dt")]));
        }
        if let Some(bad) = (0..time.len()).find(|&i| !(time[i].is_finite() && value[i].is_finite())) {
            return refuse(bad, "is the place of a point that is not finite");
        }
        if error.iter().any(|e| !(e.is_finite() && *e >= 0.0)) {
            return refuse(time.len(), "points, of which some have errors that are negative or not finite");
        }
        if weighted && exposed.is_empty() && (error.is_empty() || error.contains(&0.0)) {
            return Err(Error::argument("weighted", true, "weights need an error above zero for each point")
                .mended_by([Mend::set("weighted", false)]));
        }
        if !(dt.is_finite() && dt > 0.0) {
            return Err(Error::argument("dt", dt, "must be a positive number of seconds"));
        }
        Ok(())
    }

    /// First and last edge.
    fn span(&self) -> (f64, f64) {
        let from = self.time.iter().copied().fold(f64::INFINITY, f64::min);
        let to = self.time.iter().copied().fold(f64::NEG_INFINITY, f64::max);
        (from - self.dt / 2.0, to + self.dt / 2.0)
    }

    fn amplitudes(
        &self,
        options: &LombScargleOptions,
        zero: f64,
        at: FrequencyGrid,
        progress: &Progress,
    ) -> Result<LombScargleAmplitudes> {
        let points = self.time.len() as f64;
        let mut weights: Vec<f64> = match options.weighted {
            true if self.error.is_empty() => self.exposed.to_vec(),
            true => self.error.iter().map(|e| e.powi(-2)).collect(),
            false => vec![1.0; self.time.len()],
        };
        let sum: f64 = weights.iter().sum();
        weights.iter_mut().for_each(|w| *w /= sum);
        let mean: f64 = weights.iter().zip(self.value).map(|(w, y)| w * y).sum();
        let weighted: Vec<f64> = weights.iter().zip(self.value).map(|(w, y)| w * (y - mean)).collect();
        let rest: f64 = weighted.iter().sum();
        let time: Vec<f64> = self.time.iter().map(|t| t - zero).collect();
        let sums = |sets: [&[f64]; 2], at: FrequencyGrid| match options.method {
            LombScargleMethod::Fast => fast(&time, sets, at, progress),
            LombScargleMethod::Direct => direct(&time, sets, at, progress),
        };
        if options.method == LombScargleMethod::Direct {
            progress.begin(2 * at.count as u64);
        }
        let [y, c] = sums([&weighted, &weights], at);
        let twice = match options.method {
            LombScargleMethod::Fast => fast(&time, [&weights], at.doubled(), progress),
            LombScargleMethod::Direct => direct(&time, [&weights], at.doubled(), progress),
        };
        progress.check()?;
        let value = |k: usize| {
            if progress.is_cancelled() {
                return Complex::default();
            }
            // Sums of w·y, w and (at twice the frequency) w, times e^{−iωt}; the constant takes its part of each.
            let (mut y, c, mut two) = (y[k], c[k], twice[0][k]);
            let mut one = 1.0;
            if options.floating_mean {
                y -= c * rest;
                two -= c * c;
                one -= c.norm_sqr();
            }
            // CC and SS with the phase that makes their mixed sum vanish: (1 ± |two|)/2, and half of its angle is ωτ.
            let turn = Complex::from_polar(1.0, -two.arg() / 2.0);
            let (cosine, sine) = ((one + two.norm()) / 2.0, (one - two.norm()) / 2.0);
            let y = y * turn;
            // A sum that is all rounding has nothing to say: all points at one phase.
            let part = |y: f64, square: f64| if square > 1e-12 { y / square.sqrt() } else { 0.0 };
            Complex::new(part(y.re, cosine), part(y.im, sine)) * turn.conj() * (points / 2f64.sqrt())
        };
        let values = (0..at.count).into_par_iter().map(value).collect();
        progress.check()?;
        let squares = self.error.iter().map(|e| e * e).sum::<f64>() / points;
        let variance = match self.error.is_empty() {
            true => None,
            false => Some(if options.weighted { points / sum } else { squares }),
        };
        let mean = if options.weighted { mean } else { self.value.iter().sum::<f64>() / points };
        Ok(LombScargleAmplitudes {
            values,
            level: NormParameters { n: self.time.len(), dt: self.dt, mean, background: 0.0, variance },
        })
    }
}

impl LombScargleOptions {
    /// About how many frequencies a series of some span, in bins of `dt`, has, and the bytes that a spectrum of so many points takes.
    pub(crate) fn about(&self, span: f64, dt: f64, points: f64) -> (f64, u64) {
        let frequencies = self.max_freq.unwrap_or(0.5 / dt) * self.oversample * span;
        // Products of real numbers that are no counts are the largest one.
        (frequencies, footprint(points as usize, frequencies.min(MOST_FREQUENCIES) as usize, 1).bytes())
    }

    /// The frequencies for a series of some span: whole multiples of a step.
    fn frequencies(&self, span: f64, dt: f64) -> Result<FrequencyGrid> {
        if !(self.oversample.is_finite() && self.oversample > 0.0) {
            return Err(Error::argument("oversample", self.oversample, "must be a positive number"));
        }
        let step = 1.0 / (self.oversample * span);
        let (lo, hi) = (self.min_freq.unwrap_or(step), self.max_freq.unwrap_or(0.5 / dt));
        if !(lo > 0.0 && lo <= hi && hi.is_finite()) {
            let lowest = ShortNumber(lo);
            let message = format!("with a lowest frequency of {lowest} Hz: both must be positive, the lower one first");
            let mend = [Mend::field("max_freq"), Mend::field("oversample")];
            return Err(Error::argument("max_freq", hi, message).mended_by(mend));
        }
        // Nyquist's frequency itself is left out, as in evenly sampled spectra.
        let first = (lo / step - 1e-9).ceil();
        let last = if self.max_freq.is_some() { (hi / step + 1e-9).floor() } else { (hi / step - 1e-9).ceil() - 1.0 };
        let count = last - first + 1.0;
        if !(1.0..=MOST_FREQUENCIES).contains(&count) {
            let message = format!(
                "from {} Hz on makes {} frequencies, {} Hz apart; 1 to {MOST_FREQUENCIES} are possible",
                ShortNumber(lo),
                ShortNumber(count.max(0.0)),
                ShortNumber(step)
            );
            let mend = [Mend::field("max_freq"), Mend::field("oversample")];
            return Err(Error::argument("max_freq", hi, message).mended_by(mend));
        }
        Ok(FrequencyGrid { first: first * step, step, count: count as usize })
    }
}

/// Memory of the spectra of `series` series with so many points in all: of each frequency four sums and the amplitudes of each, complex, and
/// ten columns; of each point what the sums are of; and the grid of the fast sums, of twice as many cells as frequencies.
fn footprint(points: usize, frequencies: usize, series: usize) -> Footprint {
    let complex = size_of::<Complex<f64>>();
    Footprint::less_by(&["max_freq", "oversample"])
        .and(frequencies, (8 + series) * complex + 10 * size_of::<f64>())
        .and(points, 8 * size_of::<f64>())
        .with(LeastErrorTransform::footprint(frequencies, points))
}

/// The Lomb-Scargle power spectrum of a series: one power a frequency, `m` = 1. `context` says what the series was made of; its
/// `n` is the number of points, its `segment_size` the span.
pub(crate) fn power_spectrum(
    samples: UnevenSeries,
    options: &LombScargleOptions,
    rebin: Rebin,
    progress: &Progress,
    context: impl FnOnce(usize, f64) -> SpectrumContext,
) -> Result<AveragedPowerSpectrum> {
    samples.check(options.weighted)?;
    let (from, to) = samples.span();
    let at = options.frequencies(to - from, samples.dt)?;
    footprint(samples.time.len(), at.count, 1).check("the Lomb-Scargle spectrum")?;
    let LombScargleAmplitudes { values, level } = samples.amplitudes(options, from, at, progress)?;
    options.norm.check(&level, mean_err(&level, &values))?;
    let (factor, noise) = (options.norm.factor(&level), options.norm.noise(&level));
    let power = PowerOptions { norm: options.norm, rebin, ..PowerOptions::default() };
    let mut spectrum = AveragedPowerSpectrum::empty(&power, context(level.n, to - from));
    let meta = &mut spectrum.meta;
    (meta.segments, meta.df, meta.mean, meta.noise_mean) = (1, at.step, level.mean, noise);
    (meta.nphots, meta.exposure) = (level.mean * level.n as f64, level.n as f64 * level.dt);
    (meta.variance, meta.effective) = (level.variance, EffectiveSegments::equal(1));
    meta.err_dist = if level.variance.is_some() { "gauss" } else { "poisson" }.into();
    let rate = level.mean / level.dt;
    meta.scale = PowerScale { frac: Norm::Frac.factor(&level) / factor, poisson: noise, source_rate: rate };
    let powers: Vec<f64> = values.iter().map(|f| f.norm_sqr() * factor).collect();
    progress.check()?;
    let (level_of_all, err) = (ByFrequency::Same(noise), ByFrequency::Same(0.0));
    let levels = NoiseLevels { level: level_of_all, err, dead_time: None };
    // Frequencies closer than one over the span are not independent.
    let worth = (at.step * (to - from)).min(1.0);
    let fit = NoiseFit { power: &powers, noise: &levels, m_eff: worth, df: at.step }.warning("");
    fit.into_iter().for_each(|warning| spectrum.meta.record.warnings.record(warning));
    progress.check()?;
    for (i, range) in rebin.ranges(at.count)?.enumerate() {
        if i % ASKED == 0 {
            progress.check()?;
        }
        let width = range.len() as f64;
        let raw = values[range.clone()].iter().map(|f| f.norm_sqr()).sum::<f64>() / width;
        let count = independent(width, at.step, to - from);
        spectrum.freq.push(at.first + (range.start + range.end - 1) as f64 / 2.0 * at.step);
        spectrum.width.push(width * at.step);
        spectrum.power.push(raw * factor);
        spectrum.power_err.push(raw * factor / (count as f64).sqrt());
        spectrum.unnorm_power.push(raw);
        spectrum.noise.push(noise);
        spectrum.noise_err.push(0.0);
        spectrum.m.push(count);
    }
    Ok(spectrum)
}

/// Standard error of the mean of a series with these amplitudes.
fn mean_err(level: &NormParameters, values: &[Complex<f64>]) -> f64 {
    let power = values.iter().map(|f| f.norm_sqr()).sum::<f64>() / values.len() as f64;
    level.mean_err(level.n as f64, Some(power))
}

/// Independent values among `width` frequencies: steps finer than 1/span make no more.
fn independent(width: f64, step: f64, span: f64) -> u64 {
    (width * (step * span).min(1.0) + 1e-6).max(1.0) as u64
}

/// The Lomb-Scargle cross spectrum of two series that need not share their times: one value a frequency, `conj(F_subject)·F_reference`,
/// normalised by the geometric mean of both; so a positive lag says that the subject is late. Frequencies are those of the span of
/// both. Lags of single values scatter over all angles: rebin.
///
/// # Errors
/// Fewer than 4 bins, weights without errors, frequencies out of range, or a mean that cannot be told from 0 if the
/// normalisation divides by it.
pub(crate) fn cross_spectrum(
    subject: UnevenSeries,
    reference: UnevenSeries,
    options: &LombScargleOptions,
    rebin: Rebin,
    progress: &Progress,
    record: Record,
) -> Result<CrossPowers> {
    subject.check(options.weighted)?;
    reference.check(options.weighted)?;
    let (a, b) = (subject.span(), reference.span());
    let (from, to) = (a.0.min(b.0), a.1.max(b.1));
    let at = options.frequencies(to - from, subject.dt.max(reference.dt))?;
    footprint(subject.time.len() + reference.time.len(), at.count, 2).check("the Lomb-Scargle cross spectrum")?;
    let one = subject.amplitudes(options, from, at, progress)?;
    let other = reference.amplitudes(options, from, at, progress)?;
    for series in [&one, &other] {
        options.norm.check(&series.level, mean_err(&series.level, &series.values))?;
    }
    let factor = [options.norm.factor(&one.level), options.norm.factor(&other.level)];
    let meta = CrossPowersMetadata {
        n: one.level.n,
        segments: 1,
        dt: subject.dt,
        df: at.step,
        segment_size: to - from,
        norm: options.norm,
        lag_sign: LAG_SIGN.into(),
        record,
    };
    let (freq, width, m) = (Vec::new(), Vec::new(), Vec::new());
    let [power_re, power_im, power1, power2] = [const { Vec::new() }; 4];
    let mut made = CrossPowers { freq, width, power_re, power_im, power1, power2, m, meta };
    for (i, range) in rebin.ranges(at.count)?.enumerate() {
        if i % ASKED == 0 {
            progress.check()?;
        }
        let width = range.len() as f64;
        let mean = |f: &dyn Fn(usize) -> f64| range.clone().map(f).sum::<f64>() / width;
        let cross = |k: usize| one.values[k].conj() * other.values[k] * (factor[0] * factor[1]).sqrt();
        made.freq.push(at.first + (range.start + range.end - 1) as f64 / 2.0 * at.step);
        made.width.push(width * at.step);
        made.power_re.push(mean(&|k| cross(k).re));
        made.power_im.push(mean(&|k| cross(k).im));
        made.power1.push(mean(&|k| one.values[k].norm_sqr() * factor[0]));
        made.power2.push(mean(&|k| other.values[k].norm_sqr() * factor[1]));
        made.m.push(independent(width, at.step, to - from));
    }
    Ok(made)
}

//! Multitaper power spectra (Thomson 1982, doi:10.1109/PROC.1982.12433): the mean over orthogonal tapers of the powers of a
//! segment, little biased by strong frequencies elsewhere and with a small variance already in one segment.
//!
//! Eigenspectra `S_k(f) = n·|Σ_j v_{k,j}(x_j − x̄)e^{−2πijf·dt}|²` for [tapers](dpss) `v_k` of unit energy have the expectation of
//! `|F|²`, so normalisations and noise levels are those of [`norm`](super::norm). They are averaged with the weights `λ_k`, or adaptively
//! (Thomson's equations 5.2 and 5.3): `S = Σd_k²S_k/Σd_k²`, `d_k = √λ_k·S/(λ_k·S + (1−λ_k)·nσ²)`, iterated at each frequency.

pub mod dpss;

use rayon::prelude::*;
use rustfft::num_complex::Complex;
use serde::Serialize;

use super::power::{AveragedPowerSpectrum, Context, PowerOptions};
use crate::error::{Error, Result};
use crate::kernels::fft::CpuFft;
use crate::kernels::power::frequencies;
use crate::sums::{ChannelSums, Sums};
use dpss::Taper;

/// Tapers of a concentration below this are left out: they leak.
const LEAST_CONCENTRATION: f64 = 0.9;
/// Iterations of the adaptive weights at most.
const ITERATIONS: usize = 200;

/// Tapers and what is made of them.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct TaperOptions {
    /// Half bandwidth NW, in frequency steps of a segment, from 1/2 on.
    pub half_bandwidth: f64,
    /// Tapers [default: 2NW, those of a concentration above 0.9].
    pub tapers: Option<usize>,
    /// Weights by the power at each frequency.
    pub adaptive: bool,
    /// Errors by the jackknife over tapers instead of those of χ².
    pub jackknife: bool,
}

impl Default for TaperOptions {
    fn default() -> TaperOptions {
        TaperOptions { half_bandwidth: 4.0, tapers: None, adaptive: false, jackknife: false }
    }
}

/// Sums over segments of one length, which become a spectrum.
pub struct Multitaper {
    options: TaperOptions,
    n: usize,
    tapers: Vec<Taper>,
    fft: CpuFft,
    /// Σ over segments of the power, its degrees of freedom and the jackknife's variance of ln P.
    power: Vec<f64>,
    freedom: Vec<f64>,
    variance: Vec<f64>,
    segments: u64,
    mean: f64,
    noise: f64,
}

/// What one frequency of one segment says.
struct Estimate {
    power: f64,
    freedom: f64,
    variance: f64,
}

impl Multitaper {
    /// Makes the tapers of segments of `n` bins.
    ///
    /// # Errors
    /// Options without meaning, or more tapers than bins.
    pub fn new(n: usize, options: &TaperOptions) -> Result<Multitaper> {
        let nw = options.half_bandwidth;
        if !(nw >= 0.5 && nw < n as f64 / 2.0) {
            let message = format!("must be at least 0.5, and below half of the {n} bins of a segment");
            return Err(Error::argument("--half-bandwidth", nw, message));
        }
        let count = options.tapers.unwrap_or((2.0 * nw) as usize);
        if count == 0 || count > n {
            return Err(Error::argument("--tapers", count, format!("1 to {n} are possible")));
        }
        if options.jackknife && count < 2 {
            return Err(Error::argument("--jackknife", "given", "needs 2 tapers at least"));
        }
        let mut tapers = dpss::tapers(n, nw, count);
        if options.tapers.is_none() {
            let good = tapers.iter().filter(|t| t.concentration > LEAST_CONCENTRATION).count();
            tapers.truncate(good.max(1 + usize::from(options.jackknife)));
        }
        let k = frequencies(n);
        Ok(Multitaper {
            options: options.clone(),
            n,
            tapers,
            fft: CpuFft::new(n),
            power: vec![0.0; k],
            freedom: vec![0.0; k],
            variance: vec![0.0; k],
            segments: 0,
            mean: 0.0,
            noise: 0.0,
        })
    }

    /// Adds a segment of `n` counts (or flux) a bin, and the variance of a bin where errors tell it.
    pub fn add(&mut self, values: &[f64], variance: Option<f64>) {
        let n = self.n as f64;
        let mean = values.iter().sum::<f64>() / n;
        let spectra: Vec<Vec<Complex<f64>>> = self
            .tapers
            .par_iter()
            .map_init(
                || self.fft.work(),
                |work, taper| {
                    let samples = values.iter().zip(&taper.values).map(|(x, v)| (x - mean) * v);
                    work.input.iter_mut().zip(samples).for_each(|(into, x)| *into = x);
                    self.fft.process(work);
                    work.output.clone()
                },
            )
            .collect();
        let square = values.iter().map(|x| (x - mean).powi(2)).sum::<f64>() / n;
        let lambda: Vec<f64> = self.tapers.iter().map(|t| t.concentration).collect();
        let estimates: Vec<Estimate> = (0..self.power.len())
            .into_par_iter()
            .map(|k| {
                let eigen: Vec<f64> = spectra.iter().map(|s| n * s[k + 1].norm_sqr()).collect();
                estimate(&eigen, &lambda, n * square, &self.options)
            })
            .collect();
        for (k, e) in estimates.into_iter().enumerate() {
            self.power[k] += e.power;
            self.freedom[k] += e.freedom;
            self.variance[k] += e.variance;
        }
        self.segments += 1;
        self.mean += mean;
        self.noise += variance.unwrap_or(0.0);
    }

    /// Tapers in use.
    pub fn tapers(&self) -> &[Taper] {
        &self.tapers
    }

    /// The spectrum of all segments; at least one must have come. `m` counts the independent values: half of the degrees of freedom.
    /// Neighbours within 2NW steps are not independent.
    ///
    /// # Errors
    /// See [`AveragedPowerSpectrum`]'s.
    pub(crate) fn finish(self, options: &PowerOptions, context: Context) -> Result<AveragedPowerSpectrum> {
        let channel = ChannelSums { photons: 0, flux_mean: self.mean, variance: self.noise };
        let sums = Sums { power: self.power, segments: self.segments, channels: vec![channel], ..Sums::default() };
        let mut spectrum = AveragedPowerSpectrum::new(&sums, true, options, context)?;
        let independent = 1.0 / (2.0 * self.options.half_bandwidth);
        for (i, range) in options.rebin.ranges(self.freedom.len())?.into_iter().enumerate() {
            let width = range.len() as f64;
            let gain = (width * independent).max(1.0);
            let mean = |of: &[f64]| of[range.clone()].iter().sum::<f64>() / width;
            let freedom = mean(&self.freedom) * gain;
            let relative = match self.options.jackknife {
                // Of the mean of segments, each with this variance of ln P.
                true => mean(&self.variance) / (self.segments as f64).powi(2) / gain,
                false => 2.0 / freedom,
            };
            spectrum.power_err[i] = spectrum.total_power(i) * relative.sqrt();
            spectrum.m[i] = (freedom / 2.0).round().max(1.0) as u64;
        }
        Ok(spectrum)
    }
}

/// Averages the eigenspectra of one frequency.
fn estimate(eigen: &[f64], lambda: &[f64], variance: f64, options: &TaperOptions) -> Estimate {
    let combine = |eigen: &[f64], lambda: &[f64]| match options.adaptive && eigen.len() > 2 {
        true => adaptive(eigen, lambda, variance),
        false => (weighted(eigen, lambda), 2.0 * eigen.len() as f64),
    };
    let (power, freedom) = combine(eigen, lambda);
    let variance = if options.jackknife { jackknife(eigen, lambda, |e, l| combine(e, l).0) } else { 0.0 };
    Estimate { power, freedom, variance }
}

fn weighted(eigen: &[f64], weights: &[f64]) -> f64 {
    eigen.iter().zip(weights).map(|(s, w)| s * w).sum::<f64>() / weights.iter().sum::<f64>()
}

/// Power and degrees of freedom `2Σd²` (with `d ≤ 1/√λ ≈ 1`) by weights that fit the power itself.
fn adaptive(eigen: &[f64], lambda: &[f64], variance: f64) -> (f64, f64) {
    let mut power = (eigen[0] + eigen[1]) / 2.0;
    let mut weights = vec![1.0; eigen.len()];
    for _ in 0..ITERATIONS {
        for (w, l) in weights.iter_mut().zip(lambda) {
            let below = l * power + (1.0 - l).max(0.0) * variance;
            *w = if below > 0.0 { l * (power / below).powi(2) } else { *l };
        }
        let next = weighted(eigen, &weights);
        let step = (next - power).abs();
        power = next;
        if step <= 1e-13 * power {
            break;
        }
    }
    (power, 2.0 * weights.iter().sum::<f64>())
}

/// Variance of `ln P` by leaving out one taper after the other, `(K−1)²/(K(K−½))·Σ(ln P_i − mean)²` (Thomson 2007,
/// doi:10.1109/MSP.2007.4286561).
fn jackknife(eigen: &[f64], lambda: &[f64], combine: impl Fn(&[f64], &[f64]) -> f64) -> f64 {
    let count = eigen.len();
    let without = |i: usize, of: &[f64]| -> Vec<f64> { [&of[..i], &of[i + 1..]].concat() };
    let logs: Vec<f64> = (0..count).map(|i| combine(&without(i, eigen), &without(i, lambda)).ln()).collect();
    let k = count as f64;
    let mean = logs.iter().sum::<f64>() / k;
    (k - 1.0).powi(2) / (k * (k - 0.5)) * logs.iter().map(|l| (l - mean).powi(2)).sum::<f64>()
}

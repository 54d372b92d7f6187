//! Multitaper power spectra (Thomson 1982, doi:10.1109/PROC.1982.12433): the mean over orthogonal tapers of the powers of a
//! segment, little biased by strong frequencies elsewhere and with a small variance already in one segment.
//!
//! Eigenspectra `S_k(f) = n·|Σ_j v_{k,j}(x_j − x̄)e^{−2πijf·dt}|²` for tapers `v_k` (discrete prolate spheroidal sequences) of unit energy have the expectation of
//! `|F|²`, so normalisations and noise levels are those of [`norm`](super::norm). They are averaged with the weights `λ_k`, or adaptively
//! (Thomson's equations 5.2 and 5.3): `S = Σd_k²S_k/Σd_k²`, `d_k = √λ_k·S/(λ_k·S + (1−λ_k)·nσ²)`, iterated at each frequency.

use rayon::prelude::*;
use rustfft::num_complex::Complex;
use serde::Serialize;

use super::context::SpectrumContext;
use super::power::{AveragedPowerSpectrum, PowerOptions};
use crate::base::error::{Error, Result};
use crate::base::footprint::Footprint;
use crate::base::mend::Mend;
use crate::base::progress::Progress;
use crate::base::sums::{SeriesSums, Sums, WeightSums};
use crate::numerics::fft::{self, CpuFft, frequencies};
use crate::numerics::tapers::{self, Taper};

/// Tapers of a concentration below this are left out: they leak.
const LEAST_CONCENTRATION: f64 = 0.9;
/// Iterations of the adaptive weights at most.
const ITERATIONS: usize = 200;

/// Options of a multitaper spectrum.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct TaperOptions {
    /// Half bandwidth NW, in units of `1/segment_size`; at least 1/2.
    pub half_bandwidth: f64,
    /// Number of Slepian tapers; `None` for `2NW`, those with more than 0.9 of their energy in the band.
    pub tapers: Option<usize>,
    /// Thomson's adaptive weights, which depend on the power at each frequency, instead of the fixed weights `λ_k`.
    pub adaptive: bool,
    /// Errors by the jackknife (leaving out one taper at a time) instead of those of χ².
    pub jackknife: bool,
}

impl Default for TaperOptions {
    fn default() -> TaperOptions {
        TaperOptions { half_bandwidth: 4.0, tapers: None, adaptive: false, jackknife: false }
    }
}

/// Accumulates the multitaper spectrum of segments of equal length: make one with `new`, and call `add` for each
/// segment; the engine finishes it.
pub(crate) struct MultitaperSums {
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
    /// Weights of the segments.
    weights: Sums,
}

/// What one frequency of one segment says.
struct TaperEstimate {
    power: f64,
    freedom: f64,
    variance: f64,
}

impl MultitaperSums {
    /// Computes the tapers for segments of `n` bins.
    ///
    /// # Errors
    /// `half_bandwidth` or `tapers` is out of range, or there are more tapers than bins.
    pub fn new(n: usize, options: &TaperOptions, progress: &Progress) -> Result<MultitaperSums> {
        let nw = options.half_bandwidth;
        if !(nw >= 0.5 && nw < n as f64 / 2.0) {
            let message = format!("must be at least 0.5, and below half of the {n} bins of a segment");
            let mend = ["half_bandwidth", "segment_size", "dt"].map(Mend::field);
            return Err(Error::argument("half_bandwidth", nw, message).mended_by(mend));
        }
        let count = options.tapers.unwrap_or((2.0 * nw) as usize);
        if count == 0 || count > n {
            return Err(Error::argument("tapers", count, format!("1 to {n} are possible")));
        }
        if options.jackknife && count < 2 {
            return Err(
                Error::argument("jackknife", true, "needs 2 tapers at least").mended_by([Mend::field("tapers")])
            );
        }
        // Of each taper its values, and its transform with the buffers of a thread; of all, their columns and what makes them.
        Footprint::less_by(&["dt", "segment_size", "tapers", "half_bandwidth"])
            .and(count as u64 * n as u64, 4 * size_of::<f64>())
            .and(n, 12 * size_of::<f64>())
            .and(fft::plan_bytes(n), 1)
            .and(count.min(rayon::current_num_threads()) as u64 * fft::scratch_bytes(n), 1)
            .check(&format!("{count} tapers of {n} bins"))?;
        let mut tapers = tapers::tapers(n, nw, count, progress);
        progress.check()?;
        if options.tapers.is_none() {
            let good = tapers.iter().filter(|t| t.concentration > LEAST_CONCENTRATION).count();
            tapers.truncate(good.max(1 + usize::from(options.jackknife)));
        }
        let k = frequencies(n);
        Ok(MultitaperSums {
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
            weights: Sums::default(),
        })
    }

    /// Adds a segment; `values` are its counts (or flux), one a bin, and `variance` is the mean squared error of a bin,
    /// for series with errors.
    pub fn add(&mut self, values: &[f64], variance: Option<f64>) {
        let n = self.n as f64;
        let mean = values.iter().sum::<f64>() / n;
        let square = values.iter().map(|x| (x - mean).powi(2)).sum::<f64>() / n;
        let lambda: Vec<f64> = self.tapers.iter().map(|t| t.concentration).collect();
        self.count(n, mean, variance);
        if square == 0.0 {
            // Nothing varies: every frequency has the powers of nothing.
            let e = estimate(&vec![0.0; lambda.len()], &lambda, 0.0, &self.options);
            self.power.iter_mut().for_each(|power| *power += e.power);
            self.freedom.iter_mut().for_each(|freedom| *freedom += e.freedom);
            self.variance.iter_mut().for_each(|variance| *variance += e.variance);
            return;
        }
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
        let estimates: Vec<TaperEstimate> = (0..self.power.len())
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
    }

    /// Counts a segment of `n` values.
    fn count(&mut self, n: f64, mean: f64, variance: Option<f64>) {
        self.segments += 1;
        self.mean += mean;
        self.noise += variance.unwrap_or(0.0);
        self.weights.add_weights(&[match variance {
            Some(variance) => WeightSums::of(n * variance),
            None => WeightSums::of_photons(n * mean.max(0.0), 0),
        }]);
    }

    /// The spectrum of all segments; at least one must have come. `m` counts the independent values: half of the degrees of freedom.
    /// Neighbours within 2NW steps are not independent.
    ///
    /// # Errors
    /// See [`AveragedPowerSpectrum`]'s.
    pub(crate) fn finish(self, options: &PowerOptions, context: SpectrumContext) -> Result<AveragedPowerSpectrum> {
        let own = SeriesSums { photons: 0, flux_mean: self.mean, variance: self.noise };
        let sums = Sums { power: self.power, segments: self.segments, series: vec![own], ..self.weights };
        let mut spectrum = AveragedPowerSpectrum::new(&sums, true, options, context)?;
        // Neighbours are not independent, which original values do not tell.
        spectrum.original = None;
        let independent = 1.0 / (2.0 * self.options.half_bandwidth);
        for (i, range) in options.rebin.ranges(self.freedom.len())?.enumerate() {
            let width = range.len() as f64;
            let gain = (width * independent).max(1.0);
            let mean = |of: &[f64]| of[range.clone()].iter().sum::<f64>() / width;
            let freedom = mean(&self.freedom) * gain;
            let relative = match self.options.jackknife {
                // Of the mean of segments, each with this variance of ln P.
                true => mean(&self.variance) / (self.segments as f64).powi(2) / gain,
                false => 2.0 / freedom,
            };
            let unequal = self.segments as f64 / spectrum.meta.effective.m_eff;
            spectrum.power_err[i] = spectrum.total_power(i) * (relative * unequal).sqrt();
            spectrum.m[i] = (freedom / 2.0).round().max(1.0) as u64;
        }
        Ok(spectrum)
    }
}

/// Averages the eigenspectra of one frequency.
fn estimate(eigen: &[f64], lambda: &[f64], variance: f64, options: &TaperOptions) -> TaperEstimate {
    let combine = |eigen: &[f64], lambda: &[f64]| match options.adaptive && eigen.len() > 2 {
        true => adaptive(eigen, lambda, variance),
        false => (weighted(eigen, lambda), 2.0 * eigen.len() as f64),
    };
    let (power, freedom) = combine(eigen, lambda);
    let variance = if options.jackknife { jackknife(eigen, lambda, |e, l| combine(e, l).0) } else { 0.0 };
    TaperEstimate { power, freedom, variance }
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

#[cfg(test)]
mod tests {
    use super::*;
    use crate::base::random::Random;
    use crate::science::Rebin;

    fn noise(random: &mut Random, n: usize) -> Vec<f64> {
        // Twelve uniforms are as good as normal.
        (0..n).map(|_| 50.0 + 5.0 * ((0..12).map(|_| random.uniform()).sum::<f64>() - 6.0)).collect()
    }

    fn spectrum(segments: &[Vec<f64>], options: &TaperOptions, power: &PowerOptions) -> AveragedPowerSpectrum {
        let n = segments[0].len();
        let mut sums = MultitaperSums::new(n, options, &Progress::default()).unwrap();
        segments.iter().for_each(|values| sums.add(values, Some(25.0)));
        let segment_size = 0.5 * n as f64;
        sums.finish(power, SpectrumContext { n, dt: 0.5, segment_size, ..SpectrumContext::default() }).unwrap()
    }

    #[test]
    fn powers_are_those_of_the_definition() {
        let mut random = Random::new(4);
        let (n, power) = (48, PowerOptions { norm: crate::science::Norm::None, ..PowerOptions::default() });
        let segments = [noise(&mut random, n), noise(&mut random, n)];
        let plain = TaperOptions { half_bandwidth: 2.0, tapers: Some(3), ..TaperOptions::default() };
        let adaptive = TaperOptions { adaptive: true, ..plain.clone() };
        let made = [spectrum(&segments, &plain, &power), spectrum(&segments, &adaptive, &power)];
        let tapers = tapers::tapers(n, 2.0, 3, &Progress::default());
        for k in 1..24 {
            let (mut expected, mut by_power) = (0.0, 0.0);
            for values in &segments {
                let mean = values.iter().sum::<f64>() / n as f64;
                let variance = values.iter().map(|x| (x - mean).powi(2)).sum::<f64>() / n as f64;
                let eigen = tapers.iter().map(|taper| {
                    let phase = |j: usize| Complex::from_polar(1.0, -std::f64::consts::TAU * (j * k) as f64 / n as f64);
                    let sum: Complex<f64> = (0..n).map(|j| phase(j) * (taper.values[j] * (values[j] - mean))).sum();
                    n as f64 * sum.norm_sqr()
                });
                let eigen: Vec<f64> = eigen.collect();
                let lambda: Vec<f64> = tapers.iter().map(|t| t.concentration).collect();
                expected += (0..3).map(|i| lambda[i] * eigen[i]).sum::<f64>() / lambda.iter().sum::<f64>() / 2.0;
                // Thomson's fixed point, found from afar.
                let mut s: f64 = eigen.iter().sum();
                for _ in 0..10_000 {
                    let d = |i: usize| lambda[i].sqrt() * s / (lambda[i] * s + (1.0 - lambda[i]) * n as f64 * variance);
                    s = (0..3).map(|i| d(i).powi(2) * eigen[i]).sum::<f64>()
                        / (0..3).map(|i| d(i).powi(2)).sum::<f64>();
                }
                by_power += s / 2.0;
            }
            for (spectrum, expected) in made.iter().zip([expected, by_power]) {
                let got = spectrum.power[k - 1];
                assert!((got / expected - 1.0).abs() < 1e-10, "{k}: {got} {expected}");
            }
        }
    }

    #[test]
    fn white_noise_has_its_level_and_errors_that_cover() {
        let mut random = Random::new(8);
        let segments: Vec<Vec<f64>> = (0..6).map(|_| noise(&mut random, 2048)).collect();
        for (adaptive, jackknife, rebin) in [
            (false, false, Rebin::None),
            (true, false, Rebin::None),
            (false, true, Rebin::None),
            (false, false, Rebin::Linear(40)),
        ] {
            let options = TaperOptions { adaptive, jackknife, ..TaperOptions::default() };
            let spectrum = spectrum(&segments, &options, &PowerOptions { rebin, ..PowerOptions::default() });
            let count = spectrum.len() as f64;
            let mean = spectrum.power.iter().sum::<f64>() / count;
            assert!((mean - 2.0).abs() < 0.06, "{options:?}: {mean}");
            let scatter = (spectrum.power.iter().map(|p| (p - 2.0).powi(2)).sum::<f64>() / count).sqrt();
            let error = spectrum.power_err.iter().sum::<f64>() / count;
            let bound = if rebin == Rebin::None { 0.12 } else { 0.4 };
            assert!((scatter / error - 1.0).abs() < bound, "{options:?} {rebin:?}: {scatter} {error}");
        }
    }

    #[test]
    fn a_strong_line_leaks_less_with_weights_by_power() {
        let mut random = Random::new(2);
        let line = |i: usize, x: f64| x + 1e5 * (0.3 * i as f64).sin();
        let segment: Vec<f64> = noise(&mut random, 1024).into_iter().enumerate().map(|(i, x)| line(i, x)).collect();
        let all = TaperOptions { tapers: Some(8), ..TaperOptions::default() };
        let plain = spectrum(std::slice::from_ref(&segment), &all, &PowerOptions::default());
        let adaptive = TaperOptions { adaptive: true, ..all };
        let adaptive = spectrum(&[segment], &adaptive, &PowerOptions::default());
        let far = |s: &AveragedPowerSpectrum| s.power[300..].iter().sum::<f64>() / s.power[300..].len() as f64;
        assert!(far(&plain) > 100.0 && far(&adaptive) < 10.0, "{} {}", far(&plain), far(&adaptive));
        assert_eq!(adaptive.peak(), plain.peak());
        assert!(adaptive.m[400] < plain.m[400]);
    }

    #[test]
    fn options_without_meaning_are_refused() {
        for options in [
            TaperOptions { half_bandwidth: 0.2, ..TaperOptions::default() },
            TaperOptions { half_bandwidth: 50.0, ..TaperOptions::default() },
            TaperOptions { tapers: Some(0), ..TaperOptions::default() },
            TaperOptions { tapers: Some(65), ..TaperOptions::default() },
            TaperOptions { tapers: Some(1), jackknife: true, ..TaperOptions::default() },
        ] {
            assert!(MultitaperSums::new(64, &options, &Progress::default()).is_err(), "{options:?}");
        }
    }
}

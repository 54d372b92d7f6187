//! The modulating series `x(t)`: random noise with a given power spectrum.
//!
//! Timmer & König (1995, A&A 300, 707): each frequency gets a complex Gaussian amplitude of the model's variance. The series
//! is made at least ten times longer than needed and a random window of it is used, so that it is not periodic and red noise
//! leaks as it does in a real observation.
//!
//! Rates are positive by exponentiation, `x = exp(g − σ²/2)` with `g` Gaussian (Uttley, McHardy & Vaughan 2005,
//! doi:10.1111/j.1365-2966.2005.08886.x). The autocovariances are related by `C_x = exp(C_g) − 1`, so `g` gets that of
//! `ln(1 + C_x)`: the spectrum of `x`, not that of `g`, is what was asked for. Where `ln(1 + C_x)` is no autocovariance (a
//! narrow strong Lorentzian: its harmonic and its difference with itself, near zero frequency, cannot be avoided in a positive series), its
//! negative powers become 0 and the rest is scaled so that the total variance is still right: `σ² = ln(1 + rms²)`. What then
//! lies elsewhere is computed ([`SpectrumChange`]) and warned of.

use rayon::prelude::*;
use realfft::RealFftPlanner;
use rustfft::num_complex::Complex;

use super::model::{VariabilityTerm, variance_per_bin};
use super::spectrum::SpectrumChange;
use super::stream::Stream;
use super::{BandPair, NegativeRates};
use crate::base::error::{Error, Result};
use crate::base::footprint::Footprint;
use crate::base::mend::Mend;
use crate::numerics::fft;

/// How many times longer than its window a series is, at least.
const LENGTH_FACTOR: usize = 10;
/// Largest series that is made; it takes about 40 bytes a sample.
pub(super) const MAX_SAMPLES: usize = 1 << 28;
/// Samples, to a factor of two, up to which a default `dt` goes where the model leaves it open.
const DEFAULT_SAMPLES: f64 = (3u64 << 20) as f64;
/// Frequencies that share a stream of random numbers.
const CHUNK: usize = 1 << 14;
/// Negative powers, over the variance, whose absence is looked at.
const LEAST_NEGATIVE: f64 = 1e-3;

/// The relative rate of one band in bins of `dt` seconds from TSTART; mean of the ensemble 1.
pub(super) struct RateSeries {
    /// Width of a bin, s.
    pub(super) dt: f64,
    /// One row a band: the first is the subject.
    pub(super) rates: Vec<Vec<f64>>,
    /// What their being positive makes of the spectrum, where it makes anything.
    pub(super) change: Option<SpectrumChange>,
}

/// What the series depends on.
pub(super) struct SeriesRequest<'a> {
    pub(super) terms: &'a [VariabilityTerm],
    pub(super) length: f64,
    pub(super) dt: f64,
    pub(super) seed: u64,
    pub(super) negative: NegativeRates,
    pub(super) bands: Option<&'a BandPair>,
}

/// A bin width that resolves the terms: a power of two, at least 16 bins in the period of the highest frequency; 1/64 s, or
/// more for long series, where no term has a highest frequency.
pub(super) fn default_dt(terms: &[VariabilityTerm], length: f64) -> f64 {
    let highest = terms.iter().filter_map(VariabilityTerm::highest_frequency).fold(0.0, f64::max);
    let dt = if highest > 0.0 {
        1.0 / (16.0 * highest)
    } else {
        (LENGTH_FACTOR as f64 * length / DEFAULT_SAMPLES).max(1.0 / 64.0).min(length / 64.0)
    };
    dt.log2().floor().exp2()
}

impl SeriesRequest<'_> {
    /// Makes the series of every band.
    pub(super) fn make(&self) -> Result<RateSeries> {
        let used = self.length / self.dt;
        if !(used.is_finite() && used * LENGTH_FACTOR as f64 <= MAX_SAMPLES as f64) {
            return Err(Error::argument(
                "dt",
                self.dt,
                format!("a series ten times longer than {} s has more than {MAX_SAMPLES} bins", self.length),
            )
            .mended_by([
                Mend::set("dt", LENGTH_FACTOR as f64 * self.length / MAX_SAMPLES as f64).doing("the least, s"),
                Mend::field("length").doing("shorter"),
            ]));
        }
        let used = (used.ceil() as usize).max(1);
        let n = smooth_even(used * LENGTH_FACTOR);
        // Of each bin: two spectra and a half of amplitudes, a series, and a transform with its scratch; of the part that is used, all bands.
        Footprint::less_by(&["dt", "length"])
            .and(n, 4 * size_of::<f64>())
            .and(fft::plan_bytes(n) + fft::scratch_bytes(n), 1)
            .and(used, 3 * size_of::<f64>())
            .check(&format!("the rates of {n} bins, ten times as many as are used,"))?;
        let df = 1.0 / (n as f64 * self.dt);
        let mut variance = variance_per_bin(self.terms, df, n / 2, self.length)?;
        let mut common = self.bands.map_or(1.0, |b| b.coherence.sqrt());
        let (mut shift, mut change) = (0.0, None);
        if self.negative == NegativeRates::Exp {
            // Of two lognormals, the covariance is a fraction γ of the variance where ln(1 + γ·rms²) is that of the Gaussians.
            let total: f64 = variance.iter().sum();
            if total > 0.0 {
                common = (common * total).ln_1p() / total.ln_1p();
            }
            let asked = variance.clone();
            let (sigma2, negative) = gaussian_variance(&mut variance, n);
            shift = -0.5 * sigma2;
            if negative > LEAST_NEGATIVE * sigma2 {
                change = Some(SpectrumChange::new(&asked, &variance, df, 1.0 / self.length));
            }
        }
        let start = Stream::Window.of(self.seed).below(n - used + 1);
        let inverse = RealFftPlanner::<f64>::new().plan_fft_inverse(n);
        let count = if self.bands.is_some() { 2 } else { 1 };
        let mut rates = Vec::with_capacity(count);
        for band in 0..count {
            let mut amplitudes = self.amplitudes(&variance, df, band, common);
            let mut long = inverse.make_output_vec();
            inverse.process(&mut amplitudes, &mut long).expect("buffers come from the plan, so their lengths fit");
            drop(amplitudes);
            let mut window = long[start..start + used].to_vec();
            drop(long);
            match self.negative {
                NegativeRates::Exp => window.par_iter_mut().for_each(|x| *x = (*x + shift).exp()),
                NegativeRates::Refuse => {
                    window.iter_mut().for_each(|x| *x += 1.0);
                    let lowest = window.iter().copied().fold(f64::INFINITY, f64::min);
                    if lowest < 0.0 {
                        return Err(Error::argument(
                            "negative",
                            "refuse",
                            format!("the rate falls to {lowest:.3} of its mean"),
                        )
                        .mended_by([Mend::set("negative", "exp"), Mend::field("model").doing("with less rms")]));
                    }
                }
            }
            rates.push(window);
        }
        Ok(RateSeries { dt: self.dt, rates, change })
    }

    /// Complex amplitudes of one band at every frequency, such that the inverse transform has the variance asked for.
    ///
    /// With `C = conj(F_subject)·F_reference`, coherence γ² (γ is `common`) and phase φ(f), the reference has amplitude `A`
    /// and the subject `(γ·A + √(1 − γ²)·B)·e^{−iφ}` with `B` independent: a positive lag delays the subject.
    fn amplitudes(&self, variance: &[f64], df: f64, band: usize, common: f64) -> Vec<Complex<f64>> {
        let mut amplitudes = vec![Complex::default(); variance.len()];
        let subject = self.bands.filter(|_| band == 0);
        amplitudes.par_chunks_mut(CHUNK).enumerate().for_each(|(chunk, amplitudes)| {
            let stream = |series| Stream::Noise { series, chunk: chunk as u64 }.of(self.seed);
            let (mut shared, mut apart) = (stream(0), stream(1));
            for (i, amplitude) in amplitudes.iter_mut().enumerate() {
                let k = chunk * CHUNK + i;
                // A cosine of amplitude 2|A| has variance 2|A|², and |A|² is half the bin's variance on average.
                let sigma = 0.5 * variance[k].sqrt();
                let [re, im] = shared.normals();
                *amplitude = Complex::new(re, im) * sigma;
                if let Some(bands) = subject {
                    let [re, im] = apart.normals();
                    let own = Complex::new(re, im) * sigma * (1.0 - common * common).max(0.0).sqrt();
                    let turn = Complex::from_polar(1.0, -bands.lag.phase(k as f64 * df));
                    *amplitude = (*amplitude * common + own) * turn;
                }
            }
        });
        amplitudes
    }
}

/// Turns the variances of `x` into those of the Gaussian `g` with `x = exp(g − σ²/2)`; returns σ², and the sum of the negative powers that became 0.
fn gaussian_variance(variance: &mut [f64], n: usize) -> (f64, f64) {
    let total: f64 = variance.iter().sum();
    let sigma2 = total.ln_1p();
    if total == 0.0 {
        return (0.0, 0.0);
    }
    let mut planner = RealFftPlanner::<f64>::new();
    let mut half: Vec<Complex<f64>> = variance.iter().map(|&v| Complex::new(0.5 * v, 0.0)).collect();
    let inverse = planner.plan_fft_inverse(n);
    let mut covariance = inverse.make_output_vec();
    inverse.process(&mut half, &mut covariance).expect("buffers come from the plan, so their lengths fit");
    // Below −1 no positive series has such a covariance: the deepest trough that one can have stands in.
    let floor = -total / (1.0 + total);
    covariance.par_iter_mut().for_each(|c| *c = c.max(floor).ln_1p());
    let forward = planner.plan_fft_forward(n);
    forward.process(&mut covariance, &mut half).expect("buffers come from the plan, so their lengths fit");
    let mut negative = 0.0;
    for (k, (v, h)) in variance.iter_mut().zip(&half).enumerate() {
        let power = 2.0 / n as f64 * h.re;
        // Of the constant nothing is asked.
        negative -= if k > 0 { power.min(0.0) } else { 0.0 };
        *v = power.max(0.0);
    }
    // A random constant is no variability, and the Nyquist bin has only one amplitude.
    variance[0] = 0.0;
    variance[n / 2] = 0.0;
    let scale = sigma2 / variance.iter().sum::<f64>();
    variance.iter_mut().for_each(|v| *v *= scale);
    (sigma2, negative)
}

/// The smallest even number of at least `n` whose prime factors are 2, 3 and 5: fast transforms in little memory.
fn smooth_even(n: usize) -> usize {
    let smooth = |mut n: usize| {
        for p in [2, 3, 5] {
            while n.is_multiple_of(p) {
                n /= p;
            }
        }
        n == 1
    };
    (n.max(2).next_multiple_of(2)..).step_by(2).find(|&n| smooth(n)).unwrap_or(n)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn lengths_are_even_and_smooth() {
        assert_eq!(smooth_even(1), 2);
        assert_eq!(smooth_even(7), 8);
        assert_eq!(smooth_even(1_000_001), 1_012_500);
    }

    #[test]
    fn exponentiation_keeps_the_variance_and_the_spectrum() {
        let n = 1 << 14;
        let terms = [VariabilityTerm::Lorentzian { f0: 0.0, fwhm: 0.02, rms: 0.5 }];
        let target = variance_per_bin(&terms, 1.0 / n as f64, n / 2, 1000.0).unwrap();
        let mut gauss = target.clone();
        let (sigma2, negative) = gaussian_variance(&mut gauss, n);
        assert!(negative < 1e-6, "{negative}");
        assert!((sigma2 - 1.25f64.ln()).abs() < 1e-12);
        assert!((gauss.iter().sum::<f64>() - sigma2).abs() < 1e-12);
        // Back: C_x = exp(C_g) − 1 has the target's spectrum.
        let mut half: Vec<_> = gauss.iter().map(|&v| Complex::new(0.5 * v, 0.0)).collect();
        let mut planner = RealFftPlanner::<f64>::new();
        let mut covariance = vec![0.0; n];
        planner.plan_fft_inverse(n).process(&mut half, &mut covariance).unwrap();
        covariance.iter_mut().for_each(|c| *c = c.exp_m1());
        planner.plan_fft_forward(n).process(&mut covariance, &mut half).unwrap();
        for k in 1..200 {
            let power = 2.0 / n as f64 * half[k].re;
            assert!((power / target[k] - 1.0).abs() < 0.01, "{k}: {power} {}", target[k]);
        }
    }

    /// A Lorentzian of Q = 20 and 40 % rms at 1 Hz: what is said of the spectrum is what simulated rates have, and of 10 % nothing is said. With `C = exp(C_g) − 1 ≈
    /// C_g + C_g²/2` a narrow line has `rms⁴/4` near 0 and as much at 2 Hz: 4 % of its variance each; the scale of the rest moves some, too.
    #[test]
    fn what_positive_rates_add_is_said() {
        let make = |rms: f64, seed: u64| {
            let terms = [VariabilityTerm::Lorentzian { f0: 1.0, fwhm: 0.05, rms }];
            let (length, dt, negative) = (2000.0, 0.125, NegativeRates::Exp);
            SeriesRequest { terms: &terms, length, dt, seed, negative, bands: None }.make().unwrap()
        };
        let change = make(0.4, 1).change.unwrap();
        assert!(change.moved > 0.05 && change.moved < 0.12, "{change:?}");
        let said = change.warning().unwrap();
        assert!(
            said.code == "W-SIM-SPECTRUM" && said.message.contains(&format!("{:.1} times", change.factor)),
            "{said}"
        );
        assert!(make(0.1, 1).change.and_then(|change| change.warning()).is_none());
        // The variance in that octave, of 60 series; a Hann window keeps what leaks from the line below it.
        let (mut found, seeds) = (0.0, 60);
        for seed in 0..seeds {
            let rates = make(0.4, 100 + seed).rates.remove(0);
            let n = rates.len();
            let window = |i: usize| (2.0f64 / 3.0).sqrt() * (1.0 - (std::f64::consts::TAU * i as f64 / n as f64).cos());
            let mut series: Vec<f64> = rates.iter().enumerate().map(|(i, x)| (x - 1.0) * window(i)).collect();
            let forward = RealFftPlanner::<f64>::new().plan_fft_forward(n);
            let mut half = forward.make_output_vec();
            forward.process(&mut series, &mut half).unwrap();
            let [first, end] = [change.octave.0, change.octave.1].map(|f| (f * 2000.0).ceil() as usize);
            found += half[first..end].iter().map(|h| 2.0 * h.norm_sqr() / (n * n) as f64).sum::<f64>() / seeds as f64;
        }
        // Some hundred independent powers: 10 %.
        assert!((found.sqrt() / change.rms - 1.0).abs() < 0.1, "{} {change:?}", found.sqrt());
    }
}

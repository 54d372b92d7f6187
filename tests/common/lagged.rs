//! Two bands of a variable source whose lag, coherence and powers are known exactly.
//!
//! The rate of each band is Gaussian noise made in the Fourier domain, segment by segment: amplitudes at the frequencies of the
//! segment alone, those of the subject partly the reference's, each delayed by its phase, partly its own. A segment is so one
//! period of its signal: the delay is a rotation, nothing leaks between frequencies, and a segment loses none of its coherence
//! to photons beyond its ends (the part `lag/segment_size` where a longer signal is cut). The rate is constant within a bin, so
//! that binning takes no power, and counts are Poisson's.

// Shared by several test binaries, none of which uses all of it.
#![allow(dead_code)]

use std::f64::consts::TAU;
use std::sync::Arc;

use eagleray::Gti;
use rand_chacha::ChaCha8Rng;
use rand_chacha::rand_core::{Rng, SeedableRng};
use realfft::num_complex::Complex;
use realfft::{ComplexToReal, RealFftPlanner};

/// A source in two bands; of each pair the subject's value stands first, the reference's second.
pub struct Lagged {
    /// Bins of a segment.
    pub n: usize,
    /// Bin width, s: a power of two, so that the middles of bins are exact.
    pub dt: f64,
    /// Mean rates, counts/s.
    pub rates: [f64; 2],
    /// Fractional rms over all frequencies; small, since rates below zero count as zero.
    pub rms: [f64; 2],
    /// Centre and full width at half maximum of the Lorentzian that both power spectra are, Hz.
    pub shape: [f64; 2],
    /// Delay of the subject at all frequencies, s.
    pub lag: f64,
    /// Intrinsic coherence.
    pub coherence: f64,
}

/// What is expected of `|F_subject|²`, `|F_reference|²` and `conj(F_subject)·F_reference` at one frequency, without noise, and
/// the noise of both powers: of counts, unnormalised.
#[derive(Clone, Copy, Debug)]
pub struct Expected {
    pub source: [f64; 2],
    pub cross: Complex<f64>,
    pub noise: [f64; 2],
}

/// 50 ms around 2 Hz with a coherence of 0.8: segments of 8 s, powers of the source three and six times the noise at 2 Hz.
pub const TWO_HERTZ: Lagged = Lagged {
    n: 256,
    dt: 1.0 / 32.0,
    rates: [100.0, 200.0],
    rms: [0.25; 2],
    shape: [2.0, 1.0],
    lag: 0.05,
    coherence: 0.8,
};

/// 36 segments of 100 counts/s in each band and 4 of 1600, in which a source of such a fractional rms varies in proportion to its rate; and how many segments these are.
pub fn of_unequal_rates(rms: f64, seed: u64) -> ([Vec<f64>; 2], usize) {
    let mut all = [Vec::new(), Vec::new()];
    let mut from = 0;
    for (rate, segments) in [(100.0, 36), (1600.0, 4)] {
        let source = Lagged { rates: [rate; 2], rms: [rms; 2], ..TWO_HERTZ };
        let shift = from as f64 * source.segment_size();
        for (all, times) in all.iter_mut().zip(source.observer().observe(segments, seed + from as u64)) {
            all.extend(times.iter().map(|t| t + shift));
        }
        from += segments;
    }
    (all, from)
}

impl Lagged {
    pub fn segment_size(&self) -> f64 {
        self.n as f64 * self.dt
    }

    /// The good time of some segments.
    pub fn gti(&self, segments: usize) -> Gti {
        Gti::from_seconds(&[(0.0, segments as f64 * self.segment_size())]).unwrap()
    }

    /// The part of the variance that each frequency `k/segment_size` has, `k = 0 …`; their sum is 1.
    fn parts(&self) -> Vec<f64> {
        let [centre, width] = self.shape;
        let power = |k: usize| {
            let from_centre = (k as f64 / self.segment_size() - centre) / (width / 2.0);
            if k == 0 { 0.0 } else { 1.0 / (1.0 + from_centre * from_centre) }
        };
        let powers: Vec<f64> = (0..self.n.div_ceil(2)).map(power).collect();
        let sum: f64 = powers.iter().sum();
        powers.iter().map(|p| p / sum).collect()
    }

    /// What is expected at `k/segment_size`, `k = 0 …`.
    pub fn expected(&self) -> Vec<Expected> {
        let phase = TAU * self.lag / self.segment_size();
        let of = |(k, part): (usize, f64)| {
            let counts = [0, 1].map(|i| self.rates[i] * self.segment_size());
            let source = [0, 1].map(|i| (counts[i] * self.rms[i]).powi(2) * part / 2.0);
            let modulus = (self.coherence * source[0] * source[1]).sqrt();
            Expected { source, cross: Complex::from_polar(modulus, phase * k as f64), noise: counts }
        };
        self.parts().into_iter().enumerate().map(of).collect()
    }

    /// The places in [`Lagged::expected`] of the frequencies `lo ≤ f < hi`, Hz.
    pub fn band(&self, lo: f64, hi: f64) -> std::ops::Range<usize> {
        let at = |f: f64| (f * self.segment_size()).ceil() as usize;
        at(lo)..at(hi)
    }

    /// A maker of observations; transforms are planned once.
    pub fn observer(&self) -> Observer<'_> {
        let transform = RealFftPlanner::new().plan_fft_inverse(self.n);
        let spectrum = transform.make_input_vec();
        let scale = self.parts().iter().map(|part| (part / 2.0).sqrt()).collect();
        let turn = Complex::from_polar(1.0, -TAU * self.lag / self.segment_size());
        let rates = [vec![0.0; self.n], vec![0.0; self.n]];
        Observer { source: self, transform, spectra: [spectrum.clone(), spectrum], scale, turn, rates }
    }
}

/// Makes observations of a source.
pub struct Observer<'a> {
    source: &'a Lagged,
    transform: Arc<dyn ComplexToReal<f64>>,
    spectra: [Vec<Complex<f64>>; 2],
    /// Amplitude of each frequency for a variance of 1.
    scale: Vec<f64>,
    /// Delay of the subject from one frequency to the next.
    turn: Complex<f64>,
    rates: [Vec<f64>; 2],
}

impl Observer<'_> {
    /// Times of the photons of the subject and of the reference in segments from 0 s on, in order, each in the middle of its bin.
    pub fn observe(&mut self, segments: usize, seed: u64) -> [Vec<f64>; 2] {
        let mut rng = ChaCha8Rng::seed_from_u64(seed);
        let mut times = [Vec::new(), Vec::new()];
        for segment in 0..segments {
            self.draw(&mut rng);
            for (times, rates) in times.iter_mut().zip(&self.rates) {
                for (j, &rate) in rates.iter().enumerate() {
                    let middle = ((segment * self.source.n + j) as f64 + 0.5) * self.source.dt;
                    times.extend(std::iter::repeat_n(middle, poisson(rate * self.source.dt, &mut rng)));
                }
            }
        }
        times
    }

    /// Draws the rates of a segment.
    fn draw(&mut self, rng: &mut ChaCha8Rng) {
        let Lagged { rates, rms, coherence, .. } = self.source;
        let (shared, own) = (coherence.sqrt(), (1.0 - coherence).sqrt());
        let mut late = Complex::new(1.0, 0.0);
        for (k, &scale) in self.scale.iter().enumerate() {
            let reference = normal(rng) * scale;
            self.spectra[0][k] = (reference * shared + normal(rng) * (scale * own)) * late;
            self.spectra[1][k] = reference;
            late *= self.turn;
        }
        for i in 0..2 {
            if self.source.n.is_multiple_of(2) {
                self.spectra[i][self.source.n / 2] = Complex::default();
            }
            self.transform.process(&mut self.spectra[i], &mut self.rates[i]).unwrap();
            self.rates[i].iter_mut().for_each(|x| *x = (rates[i] * (1.0 + rms[i] * *x)).max(0.0));
        }
    }
}

fn uniform(rng: &mut ChaCha8Rng) -> f64 {
    ((rng.next_u64() >> 11) as f64 + 1.0) / (1u64 << 53) as f64
}

/// A complex normal number whose modulus squared has the mean 1.
pub fn normal(rng: &mut ChaCha8Rng) -> Complex<f64> {
    Complex::from_polar((-uniform(rng).ln()).sqrt(), TAU * uniform(rng))
}

/// A number of Poisson's law, by the inverse of its distribution: for means of a few.
fn poisson(mean: f64, rng: &mut ChaCha8Rng) -> usize {
    let (mut rest, mut p, mut count) = (uniform(rng), (-mean).exp(), 0);
    while rest > p && p > 0.0 {
        rest -= p;
        count += 1;
        p *= mean / count as f64;
    }
    count
}

/// Differences between estimates and the truth, in units of the errors that the estimates state.
#[derive(Clone, Debug, Default)]
pub struct Pulls(Vec<f64>);

impl Pulls {
    pub fn add(&mut self, value: f64, error: f64, truth: f64) {
        self.0.push((value - truth) / error);
    }

    /// Fails unless errors are right: of 2000 estimates 1262 to 1466 within one error of the truth, mean pull within 0.11 of zero,
    /// standard deviation of pulls 0.92 to 1.08, which is each about five standard errors wide; as many of fewer estimates.
    pub fn check(&self, what: &str) {
        let count = self.0.len() as f64;
        let mean = self.0.iter().sum::<f64>() / count;
        let deviation = (self.0.iter().map(|p| (p - mean).powi(2)).sum::<f64>() / (count - 1.0)).sqrt();
        let inside = self.0.iter().filter(|p| p.abs() < 1.0).count();
        let line = format!("{what}: {inside} of {count} within one error, mean {mean:.3}, deviation {deviation:.3}");
        say!("{line}");
        let wider = (2000.0 / count).sqrt();
        assert!((inside as f64 / count - 0.682).abs() <= 0.051 * wider, "{line}");
        assert!(mean.abs() <= 0.11 * wider, "{line}");
        assert!((deviation - 1.0).abs() <= 0.08 * wider, "{line}");
    }
}

/// How many estimates to make: a few, or as many as `EAGLERAY_TRIALS` says.
pub fn trials() -> u64 {
    std::env::var("EAGLERAY_TRIALS").map_or(200, |n| n.parse().expect("EAGLERAY_TRIALS is a number"))
}

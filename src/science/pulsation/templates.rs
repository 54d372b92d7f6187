//! Matched filters of drifting sinusoids in a Fourier transform (Ransom, Eikenberry & Middleditch 2002, doi:10.1086/342285; with a
//! drift that changes Andersen & Ransom 2018, doi:10.3847/2041-8213/aad59f).
//!
//! A frequency that is `r` (cycles over the span, at its middle) and drifts by `z` over it, and `z` by `w`, spreads over Fourier bins `k` like
//!
//! ```text
//! D_zw(k − r) = ∫ exp(iπz·v² + iπw·v³/3 − 2πi(k − r)·v) dv,        |v| < ½ of the span, from its middle
//! ```
//!
//! which Fresnel's integrals give where w is 0. With amplitudes `A_k = Σ exp(−2πi·k·v)` of events, `Σ_k conj(D_zw(k − r))·A_k` over all bins
//! is `Σ exp(−2πi(r·v + z·v²/2 + w·v³/6))`, exactly, whatever the gaps; over the bins within [`half_width`] it has what is kept of `Σ|D|²`.

use std::f64::consts::{FRAC_PI_2, PI, TAU};
use std::sync::Arc;

use rustfft::num_complex::Complex;
use rustfft::{Fft, FftPlanner};

/// Positions in a Fourier bin at which a filter is evaluated.
pub const PLACES_A_BIN: usize = 4;
/// Bins beyond the drift, on either side: they leave less than 1 % of the power out.
const MARGIN: usize = 24;

/// `∫₀ˣ exp(iπt²/2) dt = C(x) + i·S(x)`, Fresnel's integrals, to 1e-13: the power series (Abramowitz & Stegun 7.3.11, 7.3.13), or
/// `erfc(√π/2·(1 − i)x)` by its continued fraction (7.1.14, 7.3.22).
pub fn fresnel(x: f64) -> Complex<f64> {
    let square = Complex::new(0.0, FRAC_PI_2 * x * x);
    if x.abs() < 2.0 {
        let (mut term, mut sum) = (Complex::new(x, 0.0), Complex::new(x, 0.0));
        for k in 1..50 {
            term *= square / f64::from(k);
            sum += term / f64::from(2 * k + 1);
        }
        return sum;
    }
    let zeta = Complex::new(1.0, -1.0) * (0.5 * PI.sqrt() * x.abs());
    let fraction = (1..100).rev().fold(zeta, |below, k| zeta + 0.5 * f64::from(k) / below);
    let erfc = square.exp() / PI.sqrt() / fraction;
    Complex::new(0.5, 0.5) * (1.0 - erfc) * x.signum()
}

/// How a frequency changes over the observation (the span), from its middle on.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
#[non_exhaustive]
pub struct FrequencyDrift {
    /// First derivative of the frequency: `ḟT²`, Fourier bins, with `T` the length of the span.
    pub z: f64,
    /// Second derivative of the frequency: `f̈T³`, Fourier bins.
    pub w: f64,
}

impl FrequencyDrift {
    /// The drift of harmonic `h` of a fundamental with this drift.
    pub fn of_harmonic(self, h: f64) -> FrequencyDrift {
        FrequencyDrift { z: h * self.z, w: h * self.w }
    }
}

/// The response `D_z(q)` of the [module](self), without `w`.
pub fn response(q: f64, z: f64) -> Complex<f64> {
    response_between(q, z, (-0.5, 0.5))
}

/// The integral of [`response`] between `a` and `b` instead of −½ and ½: what a part of the span contributes.
pub fn response_between(q: f64, z: f64, (a, b): (f64, f64)) -> Complex<f64> {
    if z.abs() < 1e-6 {
        let x = PI * q * (b - a);
        let sinc = if x == 0.0 { 1.0 } else { x.sin() / x };
        return Complex::from_polar((b - a) * sinc, -PI * q * (a + b));
    }
    // πz·v² − 2πq·v = π/2·w² − πq²/z with w = √(2z)(v − q/z); of negative drifts the conjugate, with −q.
    let (size, q) = (z.abs(), q * z.signum());
    let (scale, middle) = ((2.0 * size).sqrt(), q / size);
    let between = fresnel(scale * (b - middle)) - fresnel(scale * (a - middle));
    let turn = 0.5 * q * middle;
    let upward = between * Complex::from_polar(1.0 / scale, -TAU * (turn - turn.round()));
    if z > 0.0 { upward } else { upward.conj() }
}

/// Points of a span to a cycle, by which an integral is a sum.
const POINTS: usize = 32;

/// The integral of [`response_between`] with a second derivative `w`, by the midpoint rule.
pub fn curved_between(q: f64, drift: FrequencyDrift, (a, b): (f64, f64)) -> Complex<f64> {
    let FrequencyDrift { z, w } = drift;
    let cycles = (b - a) * (q.abs() + half_width(drift) as f64);
    let n = (POINTS as f64 * cycles).ceil().max(1.0);
    let at = |i: usize| {
        let v = a + (b - a) * (i as f64 + 0.5) / n;
        Complex::from_polar((b - a) / n, PI * v * (v * (z + w * v / 3.0) - 2.0 * q))
    };
    (0..n as usize).map(at).sum()
}

/// `D_zw(j − behind)`, j from 0 on: one transform of the span, by the midpoint rule. It errs by less than 1e-5, as `tests` see it.
fn curved(
    count: usize,
    behind: f64,
    FrequencyDrift { z, w }: FrequencyDrift,
    planner: &mut FftPlanner<f64>,
) -> Vec<Complex<f64>> {
    let n = POINTS * count.next_power_of_two();
    let at = |i: usize| {
        let v = (i as f64 + 0.5) / n as f64 - 0.5;
        Complex::from_polar(1.0 / n as f64, PI * v * (v * (z + w * v / 3.0) + 2.0 * behind))
    };
    let mut points: Vec<Complex<f64>> = (0..n).map(at).collect();
    planner.plan_fft_forward(n).process(&mut points);
    points.truncate(count);
    // The first point is half a step behind −½.
    let turn = |j: usize| Complex::from_polar(if j.is_multiple_of(2) { 1.0 } else { -1.0 }, -PI * j as f64 / n as f64);
    points.iter_mut().enumerate().for_each(|(j, point)| *point *= turn(j));
    points
}

/// Number of Fourier bins to either side of the middle that filters need for drifts up to these.
pub fn half_width(FrequencyDrift { z, w }: FrequencyDrift) -> usize {
    (0.5 * z.abs() + 0.125 * w.abs()).ceil() as usize + MARGIN
}

/// Filters applied to ranges of Fourier bins, by transforms of one length.
pub struct MatchedFilter {
    half: usize,
    length: usize,
    forward: Arc<dyn Fft<f32>>,
    inverse: Arc<dyn Fft<f32>>,
}

impl MatchedFilter {
    /// Filters for drifts of up to `most` that give `outputs` consecutive bins.
    pub fn new(most: FrequencyDrift, outputs: usize) -> MatchedFilter {
        let half = half_width(most);
        // Fractions of up to 2 bins have one bin more.
        let length = (outputs + 2 * half + 2).next_power_of_two();
        let mut planner = FftPlanner::new();
        MatchedFilter {
            half,
            length,
            forward: planner.plan_fft_forward(length),
            inverse: planner.plan_fft_inverse(length),
        }
    }

    /// Number of bins by which a range begins before the first output.
    pub fn half(&self) -> usize {
        self.half
    }

    /// Number of bins of a range.
    pub fn length(&self) -> usize {
        self.length
    }

    /// The transform of a range of amplitudes, for [`MatchedFilter::powers`].
    pub fn stretch(&self, mut amplitudes: Vec<Complex<f32>>) -> Vec<Complex<f32>> {
        amplitudes.resize(self.length, Complex::default());
        self.forward.process(&mut amplitudes);
        amplitudes
    }

    /// The filters of a drift at `fraction + i/PLACES_A_BIN` bins behind a bin (`0 ≤ fraction < 1`), one after the
    /// other, each with unit sum of squares, so that noise keeps its distribution.
    pub fn templates(&self, drift: FrequencyDrift, fraction: f64) -> Vec<Complex<f32>> {
        let mut planner = FftPlanner::new();
        let one = |place: usize| {
            let behind = self.half as f64 + fraction + place as f64 / PLACES_A_BIN as f64;
            let count = 2 * self.half + 2;
            let mut taps: Vec<Complex<f64>> = match drift.w {
                0.0 => (0..count).map(|j| response(j as f64 - behind, drift.z)).collect(),
                _ => curved(count, behind, drift, &mut planner),
            };
            taps.iter_mut().for_each(|tap| *tap = tap.conj());
            let kept: f64 = taps.iter().map(|tap| tap.norm_sqr()).sum();
            let scale = 1.0 / (kept.sqrt() * self.length as f64);
            let mut template = vec![Complex::default(); self.length];
            for (j, tap) in taps.iter().enumerate() {
                template[(self.length - j) % self.length] =
                    Complex::new((tap.re * scale) as f32, (tap.im * scale) as f32);
            }
            self.forward.process(&mut template);
            template
        };
        (0..PLACES_A_BIN).flat_map(one).collect()
    }

    /// Writes to `powers` the powers `|Σ conj(D)·A|²` at the positions of the templates behind each bin of a range, in the order of
    /// their frequencies: [`PLACES_A_BIN`] of the first bin, then of the next. Values behind the last output have no meaning.
    pub fn powers(
        &self,
        stretch: &[Complex<f32>],
        templates: &[Complex<f32>],
        work: &mut FilterBuffers,
        powers: &mut Vec<f32>,
    ) {
        powers.resize(PLACES_A_BIN * self.length, 0.0);
        work.scratch.resize(self.inverse.get_inplace_scratch_len(), Complex::default());
        for (place, template) in templates.chunks_exact(self.length).enumerate() {
            work.product.clear();
            work.product.extend(stretch.iter().zip(template).map(|(a, b)| a * b));
            self.inverse.process_with_scratch(&mut work.product, &mut work.scratch);
            let at_place = powers.iter_mut().skip(place).step_by(PLACES_A_BIN);
            at_place.zip(&work.product).for_each(|(power, x)| *power = x.norm_sqr());
        }
    }
}

/// Buffers that one thread needs for [`MatchedFilter::powers`].
#[derive(Default)]
pub struct FilterBuffers {
    product: Vec<Complex<f32>>,
    scratch: Vec<Complex<f32>>,
}

#[cfg(test)]
mod tests {
    use super::*;

    /// `∫` of a function from `a` to `b` by Simpson's rule.
    fn integral(a: f64, b: f64, f: impl Fn(f64) -> Complex<f64>) -> Complex<f64> {
        let n = 20_000;
        let weight = |i: i32| if i == 0 || i == n { 1.0 } else { f64::from(2 + 2 * (i % 2)) };
        let sum: Complex<f64> = (0..=n).map(|i| f(a + (b - a) * f64::from(i) / f64::from(n)) * weight(i)).sum();
        sum * ((b - a) / f64::from(3 * n))
    }

    #[test]
    fn fresnel_integrals_and_responses_are_their_integrals() {
        for x in [0.0, 0.3, -1.0, 1.999, 2.0, 2.001, -3.7, 6.0] {
            let expected = integral(0.0, x, |t| Complex::new(0.0, FRAC_PI_2 * t * t).exp());
            assert!((fresnel(x) - expected).norm() < 1e-12, "{x}");
        }
        assert!((fresnel(1e8) - Complex::new(0.5, 0.5)).norm() < 1e-8);
        for z in [0.0, 1e-7, 1e-5, 0.5, -2.0, 17.0, -130.0] {
            for q in [0.0, 0.25, -1.0, 3.3, 20.0] {
                let expected = integral(-0.5, 0.5, |v| Complex::new(0.0, PI * z * v * v - TAU * q * v).exp());
                assert!((response(q, z) - expected).norm() < 1e-7, "{z} {q}");
                let expected = integral(-0.1, 0.3, |v| Complex::new(0.0, PI * z * v * v - TAU * q * v).exp());
                assert!((response_between(q, z, (-0.1, 0.3)) - expected).norm() < 1e-7, "{z} {q}");
            }
        }
    }

    #[test]
    fn curved_responses_are_their_integrals() {
        let (mut worst, mut planner) = (0f64, FftPlanner::new());
        for (z, w) in [(0.0, 10.0), (0.0, -300.0), (17.0, 60.0), (-130.0, 2000.0), (5.0, 0.0)] {
            let drift = FrequencyDrift { z, w };
            let f = |q: f64, v: f64| Complex::new(0.0, PI * z * v * v + PI * w * v * v * v / 3.0 - TAU * q * v).exp();
            let behind = half_width(drift) as f64 + 0.3;
            let taps = curved(2 * half_width(drift) + 2, behind, drift, &mut planner);
            for j in [0, 1, 20, half_width(drift), 2 * half_width(drift) + 1] {
                let q = j as f64 - behind;
                worst = worst.max((taps[j] - integral(-0.5, 0.5, |v| f(q, v))).norm());
                let part = curved_between(q, drift, (-0.1, 0.3)) - integral(-0.1, 0.3, |v| f(q, v));
                worst = worst.max(part.norm());
            }
            // All of the power but 1 % is in the filter, where it should be.
            let kept: f64 = taps.iter().map(|tap| tap.norm_sqr()).sum();
            assert!(kept > 0.99 && kept < 1.001, "{z} {w}: {kept}");
        }
        eprintln!("curved responses err by {worst:.1e}");
        assert!(worst < 1e-5, "{worst}");
    }

    /// What is lost between the trials of [`crate::engine::pulsation::TrialGrid`] and to the ends of filters, as `docs/pulsations.md` has it.
    #[test]
    fn losses_are_those_that_are_documented() {
        let worst = |z: f64| {
            let kept = |fraction: f64| {
                let half = half_width(FrequencyDrift { z, w: 0.0 }) as i32;
                (-half..=half + 1).map(|k| response(f64::from(k) - fraction, z).norm_sqr()).sum::<f64>()
            };
            (0..8).map(|i| 1.0 - kept(f64::from(i) / 8.0)).fold(0.0, f64::max)
        };
        for z in [0.0, 1.0, 10.0, 100.0, 1000.0] {
            assert!(worst(z) < 0.01, "{z}: {}", worst(z));
        }
        assert!(worst(0.0) > 0.005, "the documented figure is no empty one");
    }
}

//! The power spectrum of Poisson noise that a detector with dead time records.
//!
//! A detector that is blind for `τ` seconds after an event records fewer events than arrive, and more evenly than Poisson's law:
//! the noise level is below 2 (Leahy) at low frequencies, and waves at the frequencies `1/τ`. Here `r` is the rate **recorded**,
//! which is what a file has, and `λ` the rate that arrives:
//!
//! | kind | who blocks | recorded rate | density of a second event `t` after a first |
//! |---|---|---|---|
//! | non-paralysable | recorded events | `r = λ/(1 + λτ)` | `Σ_k f_k(t)`, f_k the law of the sum of k waiting times `τ + Exp(λ)` |
//! | paralysable | all that arrive | `r = λe^{−λτ}` | 0 up to τ, then exactly `r` |
//!
//! Counts in bins of `dt` have the autocovariance `R_k`, the second difference over `dt` of the twofold integral of that density,
//! and averaged powers of segments of `n` bins have the expectation (Leahy normalisation)
//!
//! ```text
//! P_j = 2/(r·dt)·[R_0 + 2 Σ_{k=1}^{n−1} (1 − k/n)·R_k·cos(2πjk/n)]
//! ```
//!
//! which is equation 44 of Zhang et al. 1995 (doi:10.1086/176111) for the non-paralysable kind, and their closed form, for every
//! width of bins, for the paralysable one. Both are exact. Of the twofold integral `G` only `D = G − (its parabola at infinity)`
//! is used, which dies away, so no large numbers cancel, and the sum ends by itself where `D` is below 1e-18. With τ as the
//! unit of time, `u = rτ` and `ρ = λτ`, D is a parabola up to t = 1, and then the solution of the delay equation
//! `D′(t) = ρ·(D(t − 1) − D(t))` (non-paralysable), or 0 (paralysable).
//!
//! Signals are suppressed as well: see [`DeadTimeModel::response`].

pub mod fit;
pub mod noise;

use std::collections::VecDeque;

use serde::Serialize;

use crate::base::error::{Error, Result};
use crate::base::mend::Mend;
use crate::numerics::fft::CpuFft;

/// Most of the time that a non-paralysable detector may be dead: correlations last for `0.8/(1 − rτ)²` dead times.
const MOST_DEAD: f64 = 0.99;
/// Terms of a Taylor series whose terms fall as 1/i!.
const TERMS: usize = 20;
/// Parts of D that change by less than this, in dead times squared, are no longer part of the sum.
const NEGLIGIBLE: f64 = 1e-18;

/// Whether events that arrive during dead time prolong it.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize)]
#[serde(rename_all = "kebab-case")]
#[non_exhaustive]
pub enum DeadTimeKind {
    /// Events that arrive during dead time are lost without effect.
    #[default]
    NonParalysable,
    /// Events that arrive during dead time are lost and start a new dead time.
    Paralysable,
}

impl std::fmt::Display for DeadTimeKind {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(match self {
            DeadTimeKind::NonParalysable => "non-paralysable",
            DeadTimeKind::Paralysable => "paralysable",
        })
    }
}

/// Poisson noise as one detector with a constant dead time records it; formulas are in the [module](self).
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct DeadTimeModel {
    rate: f64,
    seconds: f64,
    kind: DeadTimeKind,
}

impl DeadTimeModel {
    /// The model of a detector that records `rate` counts/s, each of which makes it dead for `seconds`.
    ///
    /// # Errors
    /// An argument is negative or not finite; `rate·seconds` is above 0.99, or above 1/e for a paralysable detector,
    /// which can record no more. (A paralysable detector records the same rate at two rates of arrival; the lower one
    /// is used.)
    pub fn new(rate: f64, seconds: f64, kind: DeadTimeKind) -> Result<DeadTimeModel> {
        if !(seconds >= 0.0 && seconds.is_finite()) {
            return Err(Error::argument("dead_time", seconds, "must not be negative"));
        }
        if !(rate >= 0.0 && rate.is_finite()) {
            return Err(Error::argument("dead_time.rate", rate, "counts/s: a rate must not be negative"));
        }
        let most = DeadTimeModel::most(kind);
        if rate * seconds > most {
            let message = format!(
                "with {rate} counts/s recorded by each detector the dead time must be below {:.4e} s ({kind})",
                most / rate
            );
            let several = Mend::field("dead_time.detectors").doing("where several share the rate");
            return Err(Error::argument("dead_time", seconds, message).mended_by([several]));
        }
        Ok(DeadTimeModel { rate, seconds, kind })
    }

    /// Largest product of recorded rate and dead time.
    fn most(kind: DeadTimeKind) -> f64 {
        match kind {
            DeadTimeKind::NonParalysable => MOST_DEAD,
            DeadTimeKind::Paralysable => (-1f64).exp(),
        }
    }

    /// Rate of events that arrive, counts/s.
    pub fn incident_rate(&self) -> f64 {
        self.rate / self.live_fraction()
    }

    /// Fraction of the arriving events that is recorded: `1 − rτ`, or `e^{−λτ}` for a paralysable detector.
    pub fn live_fraction(&self) -> f64 {
        let u = self.rate * self.seconds;
        match self.kind {
            DeadTimeKind::NonParalysable => 1.0 - u,
            DeadTimeKind::Paralysable => {
                // x·e^{−x} = u rises from 0 to 1/e between 0 and 1.
                let (mut lo, mut hi) = (0.0f64, 1.0f64);
                for _ in 0..60 {
                    let x = 0.5 * (lo + hi);
                    if x * (-x).exp() < u { lo = x } else { hi = x }
                }
                (-hi).exp()
            }
        }
    }

    /// Factor by which dead time reduces the fractional rms of slow, weak variations (`f ≪ 1/τ`): `1 − rτ`, or `1 − λτ`
    /// for a paralysable detector. It is the square root of [`DeadTimeModel::response`] at 0 Hz.
    pub fn rms_factor(&self) -> f64 {
        match self.kind {
            DeadTimeKind::NonParalysable => 1.0 - self.rate * self.seconds,
            DeadTimeKind::Paralysable => 1.0 - self.incident_rate() * self.seconds,
        }
    }

    /// Factor by which dead time reduces the fractional power of a weak signal at `f` Hz; the effect of bins is not
    /// included.
    ///
    /// It follows from the recorded rate `r(t) = λ(t)·L(t)` to first order in the signal, with the live fraction `L = 1
    /// − ∫_{t−τ}^t r` where recorded events block (non-paralysable), and `L = exp(−∫_{t−τ}^t λ)` where all do
    /// (paralysable); with `w = (1 − e^{−iωτ})/(iω)`:
    ///
    /// ```text
    /// non-paralysable   1/|1 + λw|² = 1/[(1 + λ sin(ωτ)/ω)² + (λ(1 − cos(ωτ))/ω)²]
    /// paralysable       |1 − λw|²
    /// ```
    ///
    /// The first is also half the noise level of unbinned times.
    pub fn response(&self, f: f64) -> f64 {
        let rho = self.incident_rate() * self.seconds;
        let y = std::f64::consts::TAU * f * self.seconds;
        // (1 − cos y)/y = sin²(y/2)/(y/2)
        let half = 0.5 * y;
        let (re, im) = if y == 0.0 { (rho, 0.0) } else { (rho * y.sin() / y, rho * half.sin().powi(2) / half) };
        match self.kind {
            DeadTimeKind::NonParalysable => 1.0 / ((1.0 + re).powi(2) + im * im),
            DeadTimeKind::Paralysable => (1.0 - re).powi(2) + im * im,
        }
    }

    /// The Leahy noise powers expected at the frequencies `j/(n·dt)`, `j = 1 … ceil(n/2) − 1`, for segments of `n` bins
    /// of `dt` seconds.
    pub fn power(&self, dt: f64, n: usize) -> Vec<f64> {
        let count = crate::numerics::fft::frequencies(n);
        let covariance = self.covariance(dt, n);
        if covariance.len() <= 1 || count == 0 {
            return vec![2.0 * covariance.first().unwrap_or(&1.0); count];
        }
        // Σ over −n < k < n, folded into one period of n.
        let fft = CpuFft::new(n);
        let mut work = fft.work();
        work.input.fill(0.0);
        for (k, c) in covariance.iter().enumerate() {
            let weighted = (1.0 - k as f64 / n as f64) * c;
            work.input[k] += weighted;
            if k > 0 {
                work.input[n - k] += weighted;
            }
        }
        fft.process(&mut work);
        work.output[1..=count].iter().map(|c| 2.0 * c.re).collect()
    }

    /// The Leahy noise powers expected at the given frequencies (Hz), for segments of `n` bins of `dt` seconds.
    pub fn power_at(&self, frequencies: &[f64], dt: f64, n: usize) -> Vec<f64> {
        let mut weighted = self.covariance(dt, n);
        for (k, c) in weighted.iter_mut().enumerate() {
            *c *= if k == 0 { 1.0 } else { 2.0 * (1.0 - k as f64 / n as f64) };
        }
        let power = |f: &f64| {
            // Σ c_k cos(kθ) by Clenshaw's recurrence.
            let theta = std::f64::consts::TAU * f * dt;
            let twice = 2.0 * theta.cos();
            let (mut b1, mut b2) = (0.0, 0.0);
            for c in weighted[1..].iter().rev() {
                (b1, b2) = (c + twice * b1 - b2, b1);
            }
            2.0 * (weighted[0] + 0.5 * twice * b1 - b2)
        };
        frequencies.iter().map(power).collect()
    }

    /// `R_k/(r·dt)` for `k = 0, 1, …`, at most `n` of them, as far as they are not 0.
    fn covariance(&self, dt: f64, n: usize) -> Vec<f64> {
        let (u, s) = (self.rate * self.seconds, dt / self.seconds);
        if u == 0.0 || !s.is_finite() {
            return vec![1.0];
        }
        let d = self.decaying(u, s, n);
        let at = |k: usize| d.get(k).copied().unwrap_or(0.0);
        // Within one dead time no second event is recorded, and the parabolas give exactly −u·s.
        let zero = if s <= 1.0 { 1.0 - u * s } else { 1.0 - 2.0 * u * self.slope(u) + 2.0 / s * (at(1) - at(0)) };
        let one = |k: usize| {
            if (k + 1) as f64 * s <= 1.0 { -u * s } else { ((at(k + 1) - at(k)) - (at(k) - at(k - 1))) / s }
        };
        std::iter::once(zero).chain((1..n.min(d.len() + 1)).map(one)).collect()
    }

    /// `a` of the parabola `u·(t²/2 − a·t + c)` that G becomes.
    fn slope(&self, u: f64) -> f64 {
        match self.kind {
            DeadTimeKind::NonParalysable => 1.0 - u / 2.0,
            DeadTimeKind::Paralysable => 1.0,
        }
    }

    /// D at `k·s`, `k = 0 … n`, without the zeros at the end.
    fn decaying(&self, u: f64, s: f64, n: usize) -> Vec<f64> {
        let a = self.slope(u);
        let (c, rho) = match self.kind {
            DeadTimeKind::NonParalysable => (0.5 - u / 1.5 + u * u / 4.0, u / (1.0 - u)),
            DeadTimeKind::Paralysable => (0.5, 0.0),
        };
        // Pieces short enough that ρ times their length is at most 1; a delay of 1 is a whole number of them.
        let pieces = rho.ceil().max(1.0) as usize;
        let length = 1.0 / pieces as f64;
        let mut last: VecDeque<[f64; TERMS]> = VecDeque::with_capacity(pieces + 1);
        let (mut samples, mut k, mut quiet) = (Vec::new(), 0, 0);
        for p in 0usize.. {
            let mut piece = [0.0; TERMS];
            if p < pieces {
                let t = p as f64 * length;
                piece[0] = -u * (t * (t / 2.0 - a) + c);
                piece[1] = -u * (t - a) * length;
                piece[2] = -u / 2.0 * length * length;
            } else if self.kind == DeadTimeKind::NonParalysable {
                piece[0] = last.back().map_or(0.0, |before| before.iter().sum());
                if let Some(delayed) = last.pop_front() {
                    for i in 1..TERMS {
                        piece[i] = rho * length * (delayed[i - 1] - piece[i - 1]) / i as f64;
                    }
                }
            }
            let still = piece[1..].iter().all(|c| c.abs() < NEGLIGIBLE);
            quiet = if still { quiet + 1 } else { 0 };
            if quiet >= pieces || k > n {
                break;
            }
            loop {
                let x = k as f64 * s * pieces as f64 - p as f64;
                if x >= 1.0 || k > n {
                    break;
                }
                samples.push(piece.iter().rev().fold(0.0, |sum, c| sum * x + c));
                k += 1;
            }
            last.push_back(piece);
        }
        samples
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const KINDS: [DeadTimeKind; 2] = [DeadTimeKind::NonParalysable, DeadTimeKind::Paralysable];

    /// `Σ_l S(f + l/dt)·sinc²(π(f + l/dt)dt)`, S the level of unbinned times: the same thing in the frequency domain.
    fn aliased(m: &DeadTimeModel, f: f64, dt: f64) -> f64 {
        let pi = std::f64::consts::PI;
        let level = |f: f64| match m.kind {
            DeadTimeKind::NonParalysable => m.response(f),
            DeadTimeKind::Paralysable => 1.0 - m.rate * (2.0 * pi * f * m.seconds).sin() / (pi * f),
        };
        let one = |l: i64| {
            let f = f + l as f64 / dt;
            (level(f) - 1.0) * ((pi * f * dt).sin() / (pi * f * dt)).powi(2)
        };
        2.0 + 2.0 * (one(0) + (1..20_000).map(|l| one(l) + one(-l)).sum::<f64>())
    }

    #[test]
    fn bins_are_what_sums_over_aliases_give() {
        for kind in KINDS {
            for u in [1e-4, 0.05, 0.3, if kind == DeadTimeKind::Paralysable { 0.36 } else { 0.9 }] {
                for dt in [0.01, 0.3, 0.7, 1.0, 2.5, 40.0] {
                    let model = DeadTimeModel::new(u / 0.0025, 0.0025, kind).unwrap();
                    let dt = dt * 0.0025;
                    // A segment so long that its ends do not matter, at frequencies that it need not have.
                    let f: Vec<f64> = [0.003, 0.11, 0.27, 0.499].iter().map(|x| x / dt).collect();
                    for (f, p) in f.iter().zip(model.power_at(&f, dt, 1 << 50)) {
                        let other = aliased(&model, *f, dt);
                        assert!((p - other).abs() < 2e-9, "{kind} u {u} dt {dt} f {f}: {p} {other}");
                    }
                }
            }
        }
    }

    #[test]
    fn the_transform_and_the_sum_agree_and_end_effects_count() {
        for kind in KINDS {
            for (dt, n) in [(0.001, 64), (0.0025, 101), (0.004, 8), (1.0, 16), (1e-5, 4096)] {
                let model = DeadTimeModel::new(120.0, 0.0025, kind).unwrap();
                let grid = model.power(dt, n);
                let f: Vec<f64> = (1..=grid.len()).map(|j| j as f64 / (n as f64 * dt)).collect();
                for (a, b) in grid.iter().zip(model.power_at(&f, dt, n)) {
                    assert!((a - b).abs() < 1e-12, "{kind} {dt} {n}: {a} {b}");
                }
            }
        }
        // Zhang et al. 1995, paralysable, τ < dt: 2[1 − 2rτ(1 − τ/2dt)] − 2(n − 1)/n·rτ(τ/dt)·cos(2πj/n).
        let (rate, tau, dt, n) = (100.0, 0.001, 0.004, 16);
        let model = DeadTimeModel::new(rate, tau, DeadTimeKind::Paralysable).unwrap();
        for (j, p) in model.power(dt, n).iter().enumerate() {
            let cos = (std::f64::consts::TAU * (j + 1) as f64 / n as f64).cos();
            let u = rate * tau;
            let known = 2.0 * (1.0 - 2.0 * u * (1.0 - tau / (2.0 * dt))) - 2.0 * 15.0 / 16.0 * u * tau / dt * cos;
            assert!((p - known).abs() < 1e-14, "{p} {known}");
        }
    }

    #[test]
    fn limits_are_those_of_the_textbooks() {
        for u in [1e-9, 0.2, 0.6, 0.98] {
            let model = DeadTimeModel::new(u, 1.0, DeadTimeKind::NonParalysable).unwrap();
            // Long bins: the variance of renewals, 2(1 − u)², whatever the number of dead times in one.
            for dt in [1e9, 1e12] {
                let p = model.power(dt, 8);
                let worst = p.iter().map(|p| (p / (2.0 * (1.0 - u).powi(2)) - 1.0).abs()).fold(0.0, f64::max);
                assert!(worst < 1e-5, "{u} {dt}: {worst}");
            }
            assert!((model.response(0.0).sqrt() - model.rms_factor()).abs() < 1e-15);
            assert!((model.incident_rate() * (1.0 - u) / u - 1.0).abs() < 1e-12);
        }
        for u in [1e-9, 0.2, 0.3678] {
            let model = DeadTimeModel::new(u, 1.0, DeadTimeKind::Paralysable).unwrap();
            let x = model.incident_rate();
            assert!((x * (-x).exp() / u - 1.0).abs() < 1e-12 && x < 1.0);
            assert!((model.response(1e-9).sqrt() - model.rms_factor()).abs() < 1e-8);
            assert!((model.power(1e9, 8)[1] - 2.0 * (1.0 - 2.0 * u)).abs() < 1e-7);
        }
        for kind in KINDS {
            for none in [DeadTimeModel::new(100.0, 0.0, kind), DeadTimeModel::new(0.0, 0.1, kind)] {
                assert_eq!(none.unwrap().power(0.01, 9), [2.0; 4]);
            }
            for (rate, seconds) in [(-1.0, 1.0), (1.0, -1.0), (f64::NAN, 1.0), (1.0, f64::INFINITY), (1.0, 0.995)] {
                assert!(DeadTimeModel::new(rate, seconds, kind).is_err());
            }
        }
    }
}

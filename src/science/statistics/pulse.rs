//! Statistics of pulse profiles, and what noise makes of them in a search.
//!
//! - `Z²_n = (2/N)·Σ_{h ≤ n} |Σ_i exp(2πi·h·φ_i)|²` (Buccheri et al. 1983, A&A 128, 245), χ² with 2n degrees of freedom; of a
//!   profile the sum goes over its bins (Bachetti et al. 2021, doi:10.3847/1538-4357/abda4a), which leaves `sinc²(h/n_bin)` of the
//!   power of harmonic h.
//! - `H = max_{m ≤ 20} (Z²_m − 4m + 4)` (de Jager et al. 1989, A&A 221, 180), exceeded with probability `exp(−0.4·H)` (de Jager &
//!   Büsching 2010, doi:10.1051/0004-6361/201014362).
//! - `χ²` of the counts against those expected of the exposure of each bin (Leahy et al. 1983, doi:10.1086/160766): [`profile`].
//! - `θ` of phase dispersion, for series: [`dispersion`].

use std::f64::consts::{PI, TAU};

use rustfft::num_complex::Complex;

use super::{detection, dispersion, profile};
use crate::numerics::{chi_square, normal};

/// Number of harmonics that the H test considers.
pub const H_HARMONICS: usize = 20;
/// Variance of an amplitude, of that under even exposure, below which the exposure leaves it nothing to say.
const LEAST_VARIANCE: f64 = 0.01;
/// `Σ|W_k|` of an exposure that leaves variances as they are, to less than its fourfold.
const EVEN_EXPOSURE: f64 = 1e-4;

/// `Z²_1 … Z²_n` from the squared moduli `|Σ exp(2πi·h·φ)|²`, `h = 1 … n`, of `total` events (or, for weights, `total =
/// Σw²`); zeros if there are no events.
pub fn z2_of_powers(powers: &[f64], total: f64) -> Vec<f64> {
    let scale = if total > 0.0 { 2.0 / total } else { 0.0 };
    let mut sum = 0.0;
    let add = |power: &f64| {
        sum += power * scale;
        sum
    };
    powers.iter().map(add).collect()
}

/// `Z²_1 … Z²_n` of the sums `S_h = Σ w·exp(2πi·h·φ)` of events with `[Σw, Σw²]` against a constant source that is seen as
/// `window` says: `W_k`, the mean of `exp(2πi·k·φ)` over the exposure, k = 1 …; 0 where it ends.
///
/// Such a source has the mean `Σw·W_h` and, with the real and imaginary parts `d` of `S_h − Σw·W_h`, the covariance `C·Σw²/2`,
///
/// ```text
/// C = 2·E[(x − E x)(x − E x)ᵀ],  x = cos φ, sin φ, cos 2φ, …  of phases φ that the exposure draws
/// Z²_m = (2/Σw²)·dᵀ·C⁻¹·d  over the first m harmonics
/// ```
///
/// which is the score test of m harmonics: χ² of 2m degrees of freedom as under even exposure, where C is 1. Amplitudes of which what
/// is before them leaves less than a hundredth of that variance, as where phases are not seen at all, are left out.
pub fn z2_of_sums(sums: &[Complex<f64>], [total, squares]: [f64; 2], window: &[Complex<f64>]) -> Vec<f64> {
    let w = |k: usize| if k == 0 { 1.0.into() } else { window.get(k - 1).copied().unwrap_or_default() };
    let excess: Vec<Complex<f64>> = sums.iter().enumerate().map(|(h, sum)| sum - w(h + 1) * total).collect();
    if window.iter().map(|w| w.norm()).sum::<f64>() < EVEN_EXPOSURE {
        return z2_of_powers(&excess.iter().map(|sum| sum.norm_sqr()).collect::<Vec<f64>>(), squares);
    }
    let part = |z: Complex<f64>, sine: bool| if sine { z.im } else { z.re };
    let covariance = |i: usize, j: usize| {
        // j is at most i, so that the lower triangle is made.
        let ((h, a), (k, b)) = ((i / 2 + 1, i % 2 == 1), (j / 2 + 1, j % 2 == 1));
        let (sum, difference) = (w(h + k), w(h - k));
        let product = match (a, b) {
            (false, false) => difference.re + sum.re,
            (true, true) => difference.re - sum.re,
            (true, false) => sum.im + difference.im,
            (false, true) => sum.im - difference.im,
        };
        product - 2.0 * part(w(h), a) * part(w(k), b)
    };
    // Cholesky's factor, row by row, and what it makes of d.
    let (mut rows, mut white): (Vec<Vec<f64>>, Vec<f64>) = (Vec::new(), Vec::new());
    for (i, d) in excess.iter().flat_map(|sum| [sum.re, sum.im]).enumerate() {
        let mut row: Vec<f64> = Vec::with_capacity(i + 1);
        for (j, other) in rows.iter().enumerate() {
            let left = covariance(i, j) - row.iter().zip(other).map(|(a, b)| a * b).sum::<f64>();
            row.push(if other[j] > 0.0 { left / other[j] } else { 0.0 });
        }
        let left = covariance(i, i) - row.iter().map(|a| a * a).sum::<f64>();
        let d = d - row.iter().zip(&white).map(|(a, y)| a * y).sum::<f64>();
        let pivot = if left > LEAST_VARIANCE { left.sqrt() } else { 0.0 };
        white.push(if pivot > 0.0 { d / pivot } else { 0.0 });
        row.push(pivot);
        rows.push(row);
    }
    z2_of_powers(&white.chunks_exact(2).map(|y| y[0] * y[0] + y[1] * y[1]).collect::<Vec<f64>>(), squares)
}

/// The sums `Σ_b c_b·exp(2πi·h·b/n_bin)` for `h = 1 … harmonics`, of the counts or exposures `c_b` of a profile.
pub fn sums_of_profile<T: Copy + Into<f64>>(
    profile: &[T],
    harmonics: usize,
    roots: &RootsOfUnity,
) -> Vec<Complex<f64>> {
    let one = |h: usize| {
        let (mut re, mut im, mut place) = (0.0, 0.0, 0);
        for &count in profile {
            let (cos, sin) = roots.at(place);
            re += count.into() * cos;
            im += count.into() * sin;
            place += h;
        }
        Complex::new(re, im)
    };
    (1..=harmonics).map(one).collect()
}

/// The roots of unity of order `n_bin`: cosines and sines for the sums over a profile.
pub struct RootsOfUnity(Vec<(f64, f64)>);

impl RootsOfUnity {
    /// The table for profiles of `nbin` bins.
    pub fn new(nbin: usize) -> RootsOfUnity {
        let angle = |k: usize| TAU * k as f64 / nbin.max(1) as f64;
        RootsOfUnity((0..nbin.max(1)).map(|k| (angle(k).cos(), angle(k).sin())).collect())
    }

    fn at(&self, place: usize) -> (f64, f64) {
        self.0[place % self.0.len()]
    }
}

/// The statistic `H` and the number of harmonics at which it is reached, from `Z²_1 …`; 0 and 0 for an empty list.
pub fn h_of_z2(z2: &[f64]) -> (f64, usize) {
    let scored = z2.iter().take(H_HARMONICS).enumerate().map(|(i, z)| (z - 4.0 * i as f64, i + 1));
    scored.fold((0.0, 0), |best, one| if best.1 == 0 || one.0 > best.0 { one } else { best })
}

/// The distribution of a search statistic under noise.
#[derive(Clone, Copy, Debug, PartialEq)]
#[non_exhaustive]
pub enum TrialLaw {
    /// `Z²_n`: χ² with 2n degrees of freedom.
    Z2(usize),
    /// `H`: exponential with mean 2.5.
    H,
    /// Epoch folding: χ² of so many bins, exposed alike, of so many events ([`profile::ln_sf`]).
    Profile {
        /// Number of bins.
        bins: usize,
        /// Number of events, or of those that make the noise of weighted ones.
        events: f64,
    },
    /// Phase dispersion: θ of this many samples in this many bins; small values are significant.
    Dispersion(f64, f64),
}

impl TrialLaw {
    /// Logarithm of the probability that noise reaches `stat` in one trial.
    pub fn ln_sf(&self, stat: f64) -> f64 {
        match *self {
            TrialLaw::Dispersion(samples, bins) => dispersion::ln_cdf(stat, samples, bins),
            _ if stat <= 0.0 => 0.0,
            TrialLaw::Z2(n) => chi_square::ln_sf(stat, 2.0 * n as f64),
            TrialLaw::H => -0.4 * stat,
            TrialLaw::Profile { bins, events } => profile::ln_sf(stat, bins, events),
        }
    }
}

/// The distribution of the most significant statistic of a whole search under noise.
///
/// Between the trials of a grid noise is correlated. For `Z²_n` the number of its maxima above a level is known without
/// regard to the grid: with amplitudes of `X_h` that are normal, and derivatives of variance `(2πh·σ_t)²` by frequency,
/// the expected number of upcrossings of the level `u` in a band `B` is (Rice's formula; for n = 1, Baluev 2008,
/// doi:10.1111/j.1365-2966.2008.12689.x)
///
/// ```text
/// B · p(u) · √(2u/π) · 2π·σ_t · E√(Σ h²·w_h)
/// ```
///
/// `p` the density of χ² with 2n degrees of freedom, `w` the parts of a sum of n exponential variates, `σ_t` the
/// standard deviation of the event times. The effective number of independent trials is never more than the number of
/// trials. For H, epoch folding and phase dispersion it is the number of trials, so that their probabilities are upper
/// bounds.
///
/// With first derivatives, of range `G` and `σ_q` the standard deviation of `t²/2` that is left when its regression on
/// `t` is taken out, the sum of harmonics is a field over a plane, whose expected number of peaks above a high level is
/// the mean Euler characteristic of the region above it (Worsley 1994, doi:10.2307/1427576, for χ²; slopes `h` that
/// differ averaged as above):
///
/// ```text
/// p(u)·[√(2u/π)·E√(Σ h²·w_h)·2π(B·σ_t + G·σ_q)  +  (u − 2n + 1)/π·(Σ h²/n)·(2π)²·B·σ_t·G·σ_q]
/// ```
///
/// Second derivatives multiply it by the number of their values: an upper bound.
#[derive(Clone, Copy, Debug, PartialEq)]
#[non_exhaustive]
pub struct NullDistribution {
    /// Distribution of the statistic in one trial.
    pub law: TrialLaw,
    /// Number of trials in the plane of frequencies and first derivatives.
    pub plane: f64,
    /// Width of the frequency band, Hz.
    pub band: f64,
    /// Standard deviation of the event times, s.
    pub deviation: f64,
    /// `G·σ_q`, cycles; 0 for a search without derivatives.
    pub drift: f64,
    /// Number of planes: values of the second derivative, times the number of statistics tried if a search takes the
    /// best of several.
    pub planes: f64,
    /// `E√(Σ h²·w_h)`.
    slope: f64,
}

impl NullDistribution {
    /// The null distribution of a search over one frequency band, without derivatives: `frequencies` trials in `band`
    /// Hz, of events whose times have the standard deviation `deviation` (s).
    pub fn new(law: TrialLaw, frequencies: f64, band: f64, deviation: f64) -> NullDistribution {
        let slope = if let TrialLaw::Z2(n) = law { mean_slope(n) } else { 1.0 };
        NullDistribution { law, plane: frequencies, band, deviation, drift: 0.0, planes: 1.0, slope }
    }

    /// Effective number of independent trials at the level `stat`.
    pub fn trials(&self, stat: f64) -> f64 {
        let all = self.planes * self.plane;
        let TrialLaw::Z2(n) = self.law else { return all };
        if stat <= 0.0 {
            return all;
        }
        let a = n as f64;
        let ln_gamma: f64 = (1..n).map(|k| (k as f64).ln()).sum();
        let ln_density = (a - 1.0) * (0.5 * stat).ln() - 0.5 * stat - std::f64::consts::LN_2 - ln_gamma;
        let [along, across] = [self.band * self.deviation, self.drift].map(|cycles| TAU * cycles);
        let edges = (2.0 * stat / PI).sqrt() * self.slope * (along + across);
        let face = (stat - 2.0 * a + 1.0).max(0.0) / PI * ((a + 1.0) * (2.0 * a + 1.0) / 6.0) * along * across;
        let peaks = (edges + face) * (ln_density - self.law.ln_sf(stat)).exp();
        self.planes * self.plane.min(1.0 + peaks)
    }

    /// Logarithm of the probability that noise reaches `stat` anywhere in the search.
    pub fn ln_p(&self, stat: f64) -> f64 {
        ln_of_any(self.law.ln_sf(stat) + self.trials(stat).ln())
    }

    /// Logarithm of the probability that noise is as improbable anywhere in the search as `ln_p` says of one trial, for trials that have laws of
    /// their own.
    pub fn ln_p_of_trial(&self, ln_p: f64) -> f64 {
        ln_of_any(ln_p + (self.planes * self.plane).ln())
    }

    /// The inverse of [`NullDistribution::ln_p_of_trial`].
    pub fn trial_level(&self, ln_p: f64) -> f64 {
        // Of small p the logarithm of −ln(1 − p) is that of p.
        let ln_number = if ln_p < -37.0 { ln_p } else { (-(-ln_p.exp()).ln_1p()).ln() };
        ln_number - (self.planes * self.plane).ln()
    }

    /// The statistic that noise reaches anywhere in the search with the probability `exp(ln_p)`.
    pub fn level(&self, ln_p: f64) -> f64 {
        let (mut common, mut rare) = (0.0, 1.0);
        if let TrialLaw::Dispersion(samples, bins) = self.law {
            (common, rare) = ((samples - 1.0) / (samples - bins), 0.0);
        }
        while self.ln_p(rare) > ln_p && rare < 1e9 {
            (common, rare) = (rare, 2.0 * rare);
        }
        for _ in 0..100 {
            let middle = 0.5 * (common + rare);
            if self.ln_p(middle) > ln_p { common = middle } else { rare = middle }
        }
        rare
    }

    /// The significance of `stat` in the search, in standard deviations of a normal distribution with the same
    /// one-sided probability.
    pub fn sigma(&self, stat: f64) -> f64 {
        normal::ln_isf(self.ln_p(stat))
    }
}

/// Logarithm of the probability of at least one of so many on average: the numbers of maxima above a high level are Poisson's.
fn ln_of_any(ln_number: f64) -> f64 {
    if ln_number < -37.0 { ln_number } else { (-(-ln_number.exp()).exp_m1()).ln() }
}

/// `E√(Σ h²·w_h)`, `w` the parts of n exponential variates: `E√Y = ∫₀^∞ (1 − E exp(−x²Y)) dx/(√π·x²)` of `Y = Σ h²E_h`, over that
/// of `ΣE_h`, `Γ(n + ½)/Γ(n)`.
fn mean_slope(n: usize) -> f64 {
    if n == 1 {
        return 1.0;
    }
    // With x = s/(1 − s) the integrand is smooth on (0, 1); the midpoint rule is good to 1e-6.
    const STEPS: u32 = 2000;
    let value = |i: u32| {
        let s = (f64::from(i) + 0.5) / f64::from(STEPS);
        let x2 = (s / (1.0 - s)).powi(2);
        let below: f64 = (1..=n).map(|h| 1.0 + x2 * (h * h) as f64).product();
        (1.0 - 1.0 / below) / x2 / (1.0 - s).powi(2)
    };
    let root = (0..STEPS).map(value).sum::<f64>() / f64::from(STEPS) / PI.sqrt();
    // Γ(n + ½)/Γ(n) = √π/2 · Π (k + ½)/k.
    let whole: f64 = (1..n).map(|k| (k as f64 + 0.5) / k as f64).product();
    root / (0.5 * PI.sqrt() * whole)
}

/// Upper limit of the pulsed fraction `(max − min)/(max + min)` of a sinusoid in `total` events, where `Z²_n = z2` was
/// observed and the grid leaves at least the fraction `loss` of a signal's power. With a signal of this pulsed fraction
/// `z2` would be exceeded with probability `confidence` (noncentral χ²: a sinusoid of amplitude `a` has the
/// noncentrality `N·a²/2`). At most 1.
pub fn pulsed_limit(z2: f64, n: usize, total: f64, loss: f64, confidence: f64) -> f64 {
    let values = n as f64;
    let signal = values * detection::signal_upper_limit(z2 / values, n as u64, confidence);
    super::pulsed::amplitude(signal, total, loss).min(1.0)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn profiles_have_the_statistics_of_their_definitions() {
        let profile: Vec<u32> =
            (0..16).map(|b| (100.0 + 30.0 * (TAU * (f64::from(b) + 0.5) / 16.0).cos()).round() as u32).collect();
        let total: f64 = profile.iter().map(|&c| f64::from(c)).sum();
        let z2 = z2_of_sums(&sums_of_profile(&profile, 7, &RootsOfUnity::new(16)), [total; 2], &[]);
        let direct = |n: u32| -> f64 {
            let sum = |f: fn(f64) -> f64, h: u32| -> f64 {
                profile
                    .iter()
                    .zip(0..)
                    .map(|(&c, b)| f64::from(c) * f(TAU * f64::from(h) * (f64::from(b) + 0.5) / 16.0))
                    .sum()
            };
            (1..=n).map(|h| 2.0 / total * (sum(f64::cos, h).powi(2) + sum(f64::sin, h).powi(2))).sum()
        };
        for n in [1, 2, 5, 7] {
            assert!((z2[n as usize - 1] / direct(n) - 1.0).abs() < 1e-12);
        }
        assert!((z2[0] - total * 0.09 / 2.0).abs() < 0.5, "N·a²/2");
        assert_eq!(h_of_z2(&z2), (z2[0], 1));
        assert_eq!(h_of_z2(&[1.0, 30.0, 31.0]), (26.0, 2));
    }

    /// Phases of a constant source that is seen at some of them alone: Z²_m has the mean, the variance and the tail of χ² of 2m degrees
    /// of freedom, and where harmonics cannot be told apart any more, no larger ones.
    #[test]
    fn uneven_exposure_leaves_the_law_as_it_is() {
        use crate::base::random::Random;
        let seen = [(0.0, 0.5), (0.6, 0.75)];
        let length: f64 = seen.iter().map(|(a, b)| b - a).sum();
        let turn = |k: usize, x: f64| Complex::from_polar(1.0, TAU * k as f64 * x);
        let w = |k: usize| {
            let whole: Complex<f64> = seen.iter().map(|&(a, b)| turn(k, b) - turn(k, a)).sum();
            whole / Complex::new(0.0, TAU * k as f64) / length
        };
        let window: Vec<Complex<f64>> = (1..=40).map(w).collect();
        let (mut random, trials) = (Random::new(17), 3000);
        let (mut all, mut plain, mut h) = ([[0.0; 3]; 3], 0.0, 0);
        for _ in 0..trials {
            let mut sums = vec![Complex::default(); 20];
            for _ in 0..400 {
                let x = length * random.uniform();
                let now = turn(1, if x < 0.5 { x } else { x + 0.1 });
                sums.iter_mut().fold(now, |power, sum| {
                    *sum += power;
                    power * now
                });
            }
            let z2 = z2_of_sums(&sums, [400.0; 2], &window);
            plain += z2_of_sums(&sums[..1], [400.0; 2], &[])[0] / f64::from(trials);
            h += u32::from(TrialLaw::H.ln_sf(h_of_z2(&z2).0) < 0.01f64.ln());
            for (m, [mean, square, tail]) in all.iter_mut().enumerate() {
                let z = z2[m];
                *mean += z / f64::from(trials);
                *square += z * z / f64::from(trials);
                *tail += f64::from(u8::from(TrialLaw::Z2(m + 1).ln_sf(z) < 0.01f64.ln())) / f64::from(trials);
            }
        }
        assert!(plain > 50.0, "{plain}");
        for (m, [mean, square, tail]) in (1..).map(f64::from).zip(all) {
            assert!((mean - 2.0 * m).abs() < 4.0 * (4.0 * m / f64::from(trials)).sqrt(), "{m}: {mean}");
            assert!(((square - mean * mean) / (4.0 * m) - 1.0).abs() < 0.2, "{m}: {square}");
            assert!((tail - 0.01).abs() < 4.0 * (0.01 / f64::from(trials)).sqrt(), "{m}: {tail}");
        }
        assert!((1..=55).contains(&h), "{h} of 3000, where 30 are expected");
    }

    #[test]
    fn slopes_are_means_over_simplices() {
        // E√(w + 4(1 − w)) of a uniform w: 14/9.
        assert!((mean_slope(2) - 14.0 / 9.0).abs() < 1e-5, "{}", mean_slope(2));
        // Many harmonics: √(Σh²/n), nearly.
        assert!((mean_slope(200) / 116.0 - 1.0).abs() < 0.01, "{}", mean_slope(200));
    }

    #[test]
    fn chances_lie_between_one_and_the_trials() {
        // Evenly covered T = 1000 s, n = 1: Baluev's W = 1.023·B·T, and W·√z·exp(−z) with z = Z²/2.
        let deviation = 1000.0 / 12f64.sqrt();
        let chances = NullDistribution::new(TrialLaw::Z2(1), 1e9, 10.0, deviation);
        let expected = 1.0 + 1.0233 * 1e4 * 20f64.sqrt();
        assert!((chances.trials(40.0) / expected - 1.0).abs() < 1e-3, "{}", chances.trials(40.0));
        let few = NullDistribution { plane: 100.0, ..chances };
        assert_eq!(few.trials(40.0), 100.0);
        for p in [0.5f64, 1e-3, 1e-200] {
            let level = chances.level(p.ln());
            assert!((chances.ln_p(level) - p.ln()).abs() < 1e-9 * p.ln().abs(), "{p}");
        }
        assert!((few.ln_p(4000.0) - (100f64.ln() - 2000.0)).abs() < 1e-9);
    }
}

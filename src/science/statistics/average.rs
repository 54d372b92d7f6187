//! The distribution of an average of powers of noise in which segments have unequal weights.
//!
//! A power of white noise is exponential, and an average with the weights `a_i`, `Σa_i = 1`, is `Σ a_i E_i`: no χ² of any number of degrees of
//! freedom where the weights differ. Its cumulants are `(r − 1)!·Σa_i^r`. Up to the fourth they are those of `x₁Γ(m₁) + x₂Γ(m₂)`, the two nodes of Gauss's
//! quadrature of the measure `Σ a_i δ(a_i)` with `m_j = p_j/x_j` (p its weights): exact where segments have two rates, and close where they have more. K frequencies averaged
//! multiply `m_j` by K and divide `x_j` by it.
//!
//! Probabilities are integrals of the moment generating function `M` along a path in the complex plane,
//!
//! ```text
//! P(X > y) = 1/(2πi) ∫ M(t) e^{−ty} dt/t,    M(t) = Π (1 − x_j t)^{−m_j} · exp(c·Σ m_j x_j² t/(1 − x_j t))
//! ```
//!
//! from below to above through the saddle between 0 and 1/x₁, bent like the steepest descent (Rice 1980, SIAM J. Sci. Stat. Comput. 1, 438); through one below 0 it is
//! `−P(X < y)`. The trapezoidal rule converges exponentially on it, to the same number of digits far out in the tails. `c` is that of a deterministic
//! signal, whose power in a segment is as the square of its photons: noncentral χ² where weights are equal.

use rustfft::num_complex::Complex;

use crate::numerics::chi_square;
use crate::numerics::gamma::ln_one_minus_exp;
use crate::numerics::root::decreasing_root;

/// Values, with those that a signal is worth, up to which the distribution with a signal is summed term by term: more terms take longer than
/// the integral.
const SUMMED: f64 = 1e4;

/// Relative difference of two steps of the trapezoidal rule at which it has converged.
const CONVERGED: f64 = 1e-11;

/// Distribution of an average of powers of white noise whose mean is 2 (Leahy's). Segments may have unequal weights.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct AverageDistribution {
    /// Shapes `m` and scales `x` of gamma distributions, `Σmx = 1`, the larger scale first. The second has the shape 0 where one is enough.
    parts: [(f64, f64); 2],
}

impl AverageDistribution {
    /// Of so many values of equal weight: χ² of `2·values` degrees of freedom over `values`.
    pub fn equal(values: f64) -> AverageDistribution {
        AverageDistribution { parts: [(values, 1.0 / values), (0.0, 0.0)] }
    }

    /// Of one frequency of segments with these effective numbers, `(Σw)²/Σw²`, `√((Σw)³/Σw³)` and `∛((Σw)⁴/Σw⁴)` of their weights.
    pub fn new([m_eff, m_eff_order3, m_eff_order4]: [f64; 3]) -> AverageDistribution {
        let one = AverageDistribution::equal(m_eff);
        // Moments of the weights, each counted by its own size.
        let (m1, m2, m3) = (1.0 / m_eff, m_eff_order3.powi(-2), m_eff_order4.powi(-3));
        let variance = m2 - m1 * m1;
        if variance <= 1e-9 * m1 * m1 {
            return one;
        }
        let half = 0.5 * (m3 - m1 * m2) / variance;
        let root = (half * half - 2.0 * half * m1 + m2).max(0.0).sqrt();
        let (x1, x2) = (half + root, half - root);
        let p1 = (m1 - x2) / (x1 - x2);
        if !(x2 > 0.0 && x1.is_finite() && (0.0..1.0).contains(&p1)) {
            return one;
        }
        AverageDistribution { parts: [(p1 / x1, x1), ((1.0 - p1) / x2, x2)] }
    }

    /// Of the mean of `k` independent frequencies.
    #[must_use]
    pub fn of_frequencies(&self, k: f64) -> AverageDistribution {
        AverageDistribution { parts: self.parts.map(|(shape, scale)| (shape * k, scale / k)) }
    }

    /// How many values of equal weight have the same variance.
    pub fn values(&self) -> f64 {
        1.0 / self.parts.iter().map(|(shape, scale)| shape * scale * scale).sum::<f64>()
    }

    /// `Σu²/Σa²` of the mean shares `u_i = ⟨a_i E_i/Σa_j E_j⟩` that terms have in the average: 1 where weights are equal, else less.
    ///
    /// The share of both parts follows from `1/X = ∫ e^{−sX} ds`: `∫ m₁x₁ (1 + x₁s)^{−m₁−1} (1 + x₂s)^{−m₂} ds`.
    pub(crate) fn concentration(&self) -> f64 {
        let [(m1, x1), (m2, x2)] = self.parts;
        if self.one().is_some() {
            return 1.0;
        }
        // s = e^w: the trapezoidal rule converges exponentially.
        let step = 0.05;
        let term = |i: i32| {
            let s = (step * f64::from(i)).exp();
            m1 * x1 * s * (-(m1 + 1.0) * (x1 * s).ln_1p() - m2 * (x2 * s).ln_1p()).exp()
        };
        let first = (-800..800).map(term).sum::<f64>() * step;
        (first * first / m1 + (1.0 - first).powi(2) / m2) * self.values()
    }

    /// The number of values of equal weight; `None` where weights differ.
    fn one(&self) -> Option<f64> {
        (self.parts[1].0 == 0.0).then_some(self.parts[0].0)
    }

    /// Logarithm of the probability that an average exceeds `power`.
    ///
    /// ```
    /// use eagleray::science::statistics::average::AverageDistribution;
    /// // One power: exp(−P/2).
    /// assert!((AverageDistribution::equal(1.0).ln_sf(40.0) + 20.0).abs() < 1e-13);
    /// ```
    pub fn ln_sf(&self, power: f64) -> f64 {
        match self.one() {
            Some(values) => chi_square::ln_sf(power * values, 2.0 * values),
            None if power <= 0.0 => 0.0,
            None if power > 2.0 => self.ln_tail(0.5 * power, 0.0, true),
            None => ln_one_minus_exp(self.ln_tail(0.5 * power, 0.0, false)),
        }
    }

    /// Logarithm of the probability that an average is below `power`, with a signal of mean power `signal` in it.
    pub fn ln_cdf(&self, power: f64, signal: f64) -> f64 {
        match self.one() {
            Some(values) if signal == 0.0 => chi_square::ln_cdf(power * values, 2.0 * values),
            Some(values) if values * (1.0 + 0.5 * signal) <= SUMMED => {
                chi_square::noncentral_ln_cdf(power * values, 2.0 * values, signal * values)
            }
            _ if power <= 0.0 => f64::NEG_INFINITY,
            _ if power < 2.0 + signal => self.ln_tail(0.5 * power, 0.5 * signal, false),
            _ => ln_one_minus_exp(self.ln_tail(0.5 * power, 0.5 * signal, true)),
        }
    }

    /// The power that is exceeded with the probability `exp(ln_p)`.
    pub fn ln_isf(&self, ln_p: f64) -> f64 {
        if let Some(values) = self.one() {
            return chi_square::ln_isf(ln_p, 2.0 * values) / values;
        }
        self.solve(|power| self.ln_sf(power) - ln_p)
    }

    /// The power that is not reached with the probability `exp(ln_p)`.
    pub fn ln_ppf(&self, ln_p: f64) -> f64 {
        if let Some(values) = self.one() {
            return chi_square::ln_ppf(ln_p, 2.0 * values) / values;
        }
        self.solve(|power| ln_p - self.ln_cdf(power, 0.0))
    }

    /// Where a function that falls with the power is 0.
    fn solve(&self, f: impl Fn(f64) -> f64) -> f64 {
        if f(2.0).is_nan() {
            return f64::NAN;
        }
        let (mut lo, mut hi) = (2.0, 2.0);
        while f(hi) > 0.0 {
            (lo, hi) = (hi, 2.0 * hi);
        }
        while lo > f64::MIN_POSITIVE && f(lo) <= 0.0 {
            (lo, hi) = (0.5 * lo, lo);
        }
        decreasing_root(f, lo, hi)
    }

    /// Logarithm of the probability that the average, of mean 1 + `signal`, is above (`upper`) or below `y`.
    fn ln_tail(&self, y: f64, signal: f64, upper: bool) -> f64 {
        let square: f64 = self.parts.iter().map(|(shape, scale)| shape * scale * scale).sum();
        let c = signal / square;
        // The derivatives of ln M − ty.
        let derivatives = |t: f64| {
            let mut d = [-y, 0.0, 0.0];
            for (shape, scale) in self.parts {
                let q = scale / (1.0 - scale * t);
                let (noise, own) = (shape * q, c * shape * q * q);
                d[0] += noise + own;
                d[1] += noise * q + 2.0 * own * q;
                d[2] += 2.0 * noise * q * q + 6.0 * own * q * q;
            }
            d
        };
        let slope = |t: f64| derivatives(t)[0] - 1.0 / t;
        // The slope rises from −∞ to ∞ between 0 and 1/x₁, and from −y to ∞ below 0.
        let (mut lo, mut hi) = if upper { (0.0, 1.0 / self.parts[0].1) } else { (-1.0 / self.parts[0].1, 0.0) };
        while !upper && slope(lo) > 0.0 {
            lo *= 2.0;
        }
        for _ in 0..200 {
            let middle = 0.5 * (lo + hi);
            if middle == lo || middle == hi {
                break;
            }
            if slope(middle) > 0.0 { hi = middle } else { lo = middle }
        }
        let t0 = 0.5 * (lo + hi);
        let [_, second, third] = derivatives(t0);
        let width = 1.0 / (second + 1.0 / (t0 * t0)).sqrt();
        let bend = third * width * width / (6.0 * second);
        let exponent = |t: Complex<f64>| {
            let one = |(shape, scale): (f64, f64)| {
                let left = 1.0 - t * scale;
                // ln(1 − ts) without the digits that 1 would take.
                let (square, turn) = ((t * scale).norm_sqr() - 2.0 * (t * scale).re, left.im.atan2(left.re));
                -Complex::new(0.5 * square.ln_1p(), turn) * shape + t / left * (c * shape * scale * scale)
            };
            self.parts.into_iter().map(one).sum::<Complex<f64>>() - t * y
        };
        let at_saddle = exponent(Complex::new(t0, 0.0)).re;
        let integrand = |v: f64| {
            let t = Complex::new(t0 + bend * v * v, width * v);
            ((exponent(t) - at_saddle).exp() / t * Complex::new(2.0 * bend * v, width)).im
        };
        let sum = |first: f64, step: f64| {
            let (mut sum, mut v) = (0.0, first);
            loop {
                let term = integrand(v);
                sum += term;
                v += step;
                if (term.abs() <= 1e-17 * sum.abs() && v > 4.0) || v > 1e4 {
                    return sum;
                }
            }
        };
        // The exponent has the digits of its terms, which are large for many values.
        let attainable = CONVERGED.max(16.0 * f64::EPSILON * (t0 * y).abs());
        let (mut step, mut total) = (0.5, 0.5 * integrand(0.0) + sum(0.5, 0.5));
        for _ in 0..10 {
            let finer = total + sum(0.5 * step, step);
            step *= 0.5;
            let converged = (finer * step - total * 2.0 * step).abs() <= attainable * (finer * step).abs();
            total = finer;
            if converged {
                break;
            }
        }
        let part = total * step / std::f64::consts::PI * if upper { 1.0 } else { -1.0 };
        (at_saddle + part.ln()).min(0.0)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// At the number of values where one takes over from the other, they agree; and for a thousand million values the law is normal, of mean 2 + S
    /// and variance `4(1 + S)/v`, but for a skewness of the order of `1/√v`.
    #[test]
    fn the_integral_is_the_sum() {
        for (values, signal) in [(9e3, 0.2), (100.0, 190.0), (1.0, 1.9e4)] {
            let scatter = 2.0 * f64::sqrt((1.0 + signal) / values);
            for z in [-6.0, -1.0, -0.01, 0.5, 4.0] {
                let power = 2.0 + signal + z * scatter;
                let sum = chi_square::noncentral_ln_cdf(power * values, 2.0 * values, signal * values);
                let all = AverageDistribution::equal(values);
                assert_eq!(all.ln_cdf(power, signal), sum);
                let integral = match power < 2.0 + signal {
                    true => all.ln_tail(0.5 * power, 0.5 * signal, false),
                    false => ln_one_minus_exp(all.ln_tail(0.5 * power, 0.5 * signal, true)),
                };
                assert!((integral - sum).abs() < 1e-9 * sum.abs().max(1e-3), "{values} {signal} {z}: {integral} {sum}");
            }
        }
        for values in [1e9, 1e15] {
            let z = -1.644_853_626_951_472_7;
            let below = AverageDistribution::equal(values).ln_cdf(2.5 + z * 2.0 * f64::sqrt(1.5 / values), 0.5);
            // The digits of the power are 1e-16 of it, in units of the scatter.
            let within = 1.0 / values.sqrt() + 1e-15 * values.sqrt();
            assert!((below.exp() - 0.05).abs() < within, "{values}: {}", below.exp());
        }
    }
    use crate::base::random::Random;

    /// Effective numbers of such weights, whatever their unit.
    fn effective(weights: &[f64]) -> [f64; 3] {
        let power = |r: i32| weights.iter().map(|w| w.powi(r)).sum::<f64>();
        let of = |r: i32| (power(1).powi(r) / power(r)).powf(1.0 / f64::from(r - 1));
        [2, 3, 4].map(of)
    }

    /// Σ a_i E_i with unequal a_i, exactly: `P(> y) = Σ_i e^{−y/a_i} Π_{j≠i} a_i/(a_i − a_j)`.
    fn exact(weights: &[f64], y: f64) -> f64 {
        let total: f64 = weights.iter().sum();
        let a: Vec<f64> = weights.iter().map(|w| w / total).collect();
        let term = |i: usize| {
            let product: f64 = (0..a.len()).filter(|&j| j != i).map(|j| a[i] / (a[i] - a[j])).product();
            (-y / a[i]).exp() * product
        };
        (0..a.len()).map(term).sum()
    }

    #[test]
    fn two_weights_are_exact() {
        let law = AverageDistribution::new(effective(&[5.0, 1.0]));
        for y in [0.01, 0.3, 0.99, 1.0, 1.01, 2.0, 7.0, 40.0, 400.0] {
            let expected = exact(&[5.0, 1.0], y);
            let (above, below) = (law.ln_sf(2.0 * y), law.ln_cdf(2.0 * y, 0.0));
            assert!((above - expected.ln()).abs() < 1e-9, "{y}: {above} {}", expected.ln());
            assert!((below.exp() + above.exp() - 1.0).abs() < 1e-9, "{y}");
            assert!((law.ln_isf(above) / (2.0 * y) - 1.0).abs() < 1e-9, "{y}");
            assert!((law.ln_ppf(below) / (2.0 * y) - 1.0).abs() < 1e-9, "{y}");
        }
    }

    #[test]
    fn weights_that_hardly_differ_are_a_chi_square() {
        for (m, k) in [(3.0, 1.0), (20.0, 1.0), (54.0, 7.0), (1000.0, 1000.0)] {
            let almost = [m, m * (1.0 - 1e-6), m * (1.0 - 2.0000005e-6)];
            let law = AverageDistribution::new(almost).of_frequencies(k);
            assert!(law.one().is_none(), "two parts: {law:?}");
            let equal = AverageDistribution::equal(m * k);
            for y in [0.2, 0.9, 1.0, 1.2, 3.0] {
                for signal in [0.0, 0.5] {
                    let (a, b) = (law.ln_cdf(2.0 * y, signal), equal.ln_cdf(2.0 * y, signal));
                    assert!((a - b).abs() < 1e-4 * (1.0 + b.abs()) || b > -1e-12, "{m} {k} {y} {signal}: {a} {b}");
                }
                let (a, b) = (law.ln_sf(2.0 * y), equal.ln_sf(2.0 * y));
                assert!((a - b).abs() < 1e-4 * (1.0 + b.abs()), "{m} {k} {y}: {a} {b}");
            }
        }
    }

    /// `P(x₁Γ(m₁) + x₂Γ(m₂) > y)` by Simpson's rule over the first, for whole shapes.
    fn of_two([m1, m2]: [f64; 2], [x1, x2]: [f64; 2], y: f64) -> f64 {
        let above = |m: f64, x: f64| chi_square::ln_sf(2.0 * x.max(0.0), 2.0 * m).exp();
        let steps = 200_000;
        let h = y / x1 / f64::from(steps);
        let factorial: f64 = (1..m1 as u32).map(f64::from).product();
        let one = |i: i32| {
            let u = h * f64::from(i);
            let density = u.powf(m1 - 1.0) * (-u).exp() / factorial;
            density * above(m2, (y - x1 * u) / x2) * if i == 0 || i == steps { 1.0 } else { f64::from(2 + 2 * (i % 2)) }
        };
        (0..=steps).map(one).sum::<f64>() * h / 3.0 + above(m1, y / x1)
    }

    /// 10 segments of 20 and 10 of 180 counts/s, 18 of 50 and 2 of 400, 19 of 50 and one of 1000: the tail as it is, which a χ² of
    /// 2·m_eff degrees misses by factors.
    #[test]
    fn two_rates_have_their_own_tail() {
        for (counts, rates) in
            [([10.0, 10.0], [180.0, 20.0]), ([2.0, 18.0], [400.0, 50.0]), ([1.0, 19.0], [1000.0, 50.0])]
        {
            let weights = [vec![rates[0]; counts[0] as usize], vec![rates[1]; counts[1] as usize]].concat();
            let (of, total) = (effective(&weights), weights.iter().sum::<f64>());
            let law = AverageDistribution::new(of);
            for p in [0.05f64, 1e-2, 1e-4, 1e-6] {
                let level = law.ln_isf(p.ln());
                let exact = of_two(counts, rates.map(|rate| rate / total), 0.5 * level);
                assert!((exact / p - 1.0).abs() < 1e-5, "{rates:?} {p}: {exact}");
            }
            let level = law.ln_isf(1e-4f64.ln());
            let by_m_eff = AverageDistribution::equal(of[0]).ln_sf(level).exp();
            assert!(by_m_eff < if rates[0] == 180.0 { 1e-4 } else { 0.5e-4 }, "{rates:?}: {by_m_eff}");
        }
    }

    /// Three rates, and rates that vary without steps: the tail within 30 % to 1e-4 and beyond.
    #[test]
    fn four_sums_tell_the_tails_of_many_rates() {
        let three: Vec<f64> = (0..20).map(|i| [1.0, 4.0, 11.0][i % 3] * (1.0 + 1e-3 * i as f64)).collect();
        let steep: Vec<f64> = (0..16).map(|i| 1.5f64.powi(i)).collect();
        let burst: Vec<f64> = (0..15).map(|i| if i == 7 { 20.0 } else { 1.0 + 0.02 * i as f64 }).collect();
        for weights in [three, steep, burst] {
            let law = AverageDistribution::new(effective(&weights));
            // The exact sum loses digits; drawn values do not.
            let mut random = Random::new(11);
            let (runs, total) = (400_000, weights.iter().sum::<f64>());
            let draw = |_| weights.iter().map(|w| w * random.exponential()).sum::<f64>() / total;
            let mut drawn: Vec<f64> = (0..runs).map(draw).collect();
            drawn.sort_by(f64::total_cmp);
            for p in [0.9, 0.5, 0.1, 1e-2, 1e-3, 1e-4] {
                let at = drawn[((1.0 - p) * f64::from(runs)) as usize];
                let said = law.ln_sf(2.0 * at).exp();
                let bound = 4.0 * (p * (1.0 - p) / f64::from(runs)).sqrt() + if p > 0.05 { 0.004 } else { 0.1 * p };
                assert!((said - p).abs() < bound, "{} weights, {p}: {said}", weights.len());
            }
        }
    }

    /// `⟨|C|²/(P1P2)⟩` of independent noise, drawn.
    #[test]
    fn shares_of_terms_are_as_drawn() {
        let weights = [1.0, 1.0, 1.0, 1.0, 9.0];
        let law = AverageDistribution::new(effective(&weights));
        let (mut random, runs) = (Random::new(6), 100_000);
        let mut shares = [0.0; 5];
        for _ in 0..runs {
            let terms = weights.map(|w| w * random.exponential());
            let total: f64 = terms.iter().sum();
            shares.iter_mut().zip(terms).for_each(|(sum, term)| *sum += term / total / f64::from(runs));
        }
        let drawn = shares.iter().map(|u| u * u).sum::<f64>() * law.values();
        assert!((law.concentration() / drawn - 1.0).abs() < 0.01, "{} {drawn}", law.concentration());
        assert!(law.concentration() < 0.9);
    }

    #[test]
    fn a_signal_moves_the_average_of_unequal_segments_as_drawn() {
        let weights = [1.0, 1.0, 1.0, 6.0, 6.0];
        let law = AverageDistribution::new(effective(&weights));
        let mut random = Random::new(5);
        let total: f64 = weights.iter().sum();
        // Σ w_i²·c over (Σw) is the signal over the noise: 1.5 for a Leahy power of 3.
        let c = 1.5 * total / weights.iter().map(|w| w * w).sum::<f64>();
        let runs = 100_000;
        let mut draw = || {
            let mut one = |w: &f64| {
                let [a, b] = random.normals().map(|x| 0.5f64.sqrt() * x);
                w * ((a + (w * c).sqrt()).powi(2) + b * b)
            };
            weights.iter().map(&mut one).sum::<f64>() / total
        };
        let drawn: Vec<f64> = (0..runs).map(|_| draw()).collect();
        for y in [1.0, 2.0, 2.5, 4.0] {
            let below = drawn.iter().filter(|x| **x < y).count() as f64 / f64::from(runs);
            let said = law.ln_cdf(2.0 * y, 3.0).exp();
            assert!(
                (said - below).abs() < 4.0 * (below * (1.0 - below) / f64::from(runs)).sqrt(),
                "{y}: {said} {below}"
            );
        }
    }
}

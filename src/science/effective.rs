//! How many segments an average is worth: segments of more photons have more of the noise.

use serde::{Deserialize, Serialize};

use super::statistics::average::AverageDistribution;
use crate::base::sums::{Sums, WeightSums};
use crate::base::warning::Warning;

/// Rates differ where their scatter is more than this many standard errors of it.
const DIFFERENT: f64 = 2.0;
/// How they are distributed is told where it is more than this many.
const TOLD: f64 = 4.0;
/// Relative variance of the weights below which they are taken as equal.
const SMALL_SCATTER: f64 = 1e-6;
/// How many times too small errors may be without a word.
const UNEVEN: f64 = 1.2;

/// Effective numbers of the segments averaged. Segment i has the weight `w_i` that its noise has in the average: its photons with the common
/// mean; with means of their own 1 in `leahy`, `1/N_i` in `frac`. For equal weights all three are the number of segments.
///
/// They are the Hill numbers of the second, third and fourth order (Hill 1973, doi:10.2307/1934352), and so the moments that tell the distribution of
/// the average: [`AverageDistribution`].
#[derive(Clone, Copy, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(default)]
#[non_exhaustive]
pub struct EffectiveSegments {
    /// `(Σw)²/Σw²`, at most the number of segments, which it is where rates differ by less than two standard errors of that. Of photons `Σw²` is `ΣN(N − 1)`, the unbiased estimate of the sum of squares of their
    /// expectations: the scatter of N is part of that of |F|².
    pub m_eff: f64,
    /// `√((Σw)³/Σw³)`.
    pub m_eff_order3: f64,
    /// `∛((Σw)⁴/Σw⁴)`.
    pub m_eff_order4: f64,
}

impl EffectiveSegments {
    /// Of segments that weigh the same.
    pub fn equal(segments: u64) -> EffectiveSegments {
        let m = segments as f64;
        EffectiveSegments { m_eff: m, m_eff_order3: m, m_eff_order4: m }
    }

    /// Of sums of weights; `counted`: the weights are numbers of photons, which scatter by chance.
    pub(crate) fn of(
        WeightSums([one, two, three, four]): WeightSums,
        segments: u64,
        counted: bool,
    ) -> EffectiveSegments {
        let m = segments as f64;
        let scatter = m * two / (one * one) - 1.0;
        let chance = if counted { (2.0 / m).sqrt() * m / one } else { 0.0 };
        let m_eff = one * one / two;
        if !(one > 0.0 && m_eff > 0.0 && scatter > SMALL_SCATTER.max(DIFFERENT * chance)) {
            return EffectiveSegments::equal(segments);
        }
        if scatter < TOLD * chance {
            return EffectiveSegments { m_eff, m_eff_order3: m_eff, m_eff_order4: m_eff };
        }
        let higher = |sum: f64, order: i32| (one.powi(order) / sum).powf(1.0 / f64::from(order - 1));
        EffectiveSegments { m_eff, m_eff_order3: higher(three, 3), m_eff_order4: higher(four, 4) }
    }

    /// Of an entry of [`Sums::weights`]; equal ones where there is none.
    pub(crate) fn of_sums(sums: &Sums, entry: usize, counted: bool) -> EffectiveSegments {
        let equal = EffectiveSegments::equal(sums.segments);
        sums.weights.get(entry).map_or(equal, |weights| EffectiveSegments::of(*weights, sums.segments, counted))
    }

    /// Those of several averages, each of `(its numbers, Σw)`, averaged with the weight of its segments.
    pub(crate) fn together(parts: &[(EffectiveSegments, f64)], segments: u64) -> EffectiveSegments {
        let sum = |of: &dyn Fn(&(EffectiveSegments, f64)) -> f64| parts.iter().map(of).sum::<f64>();
        EffectiveSegments::of(
            WeightSums([
                sum(&|(_, one)| *one),
                sum(&|(e, one)| one * (one / e.m_eff)),
                sum(&|(e, one)| one * (one / e.m_eff_order3).powi(2)),
                sum(&|(e, one)| one * (one / e.m_eff_order4).powi(3)),
            ]),
            segments,
            false,
        )
    }

    /// The numbers of a product that has none, because it was written before there were any.
    pub(crate) fn or_equal(self, segments: u64) -> EffectiveSegments {
        if self.m_eff > 0.0 { self } else { EffectiveSegments::equal(segments) }
    }

    /// The relative variance of an average with the power of a source in it, `ratio` times that of the noise. With `s` and `w` the parts that segments have of
    /// either, it is `Σ(s·ratio + w)²/(1 + ratio)²`: with the common mean `s ∝ N²` and `w ∝ N`, with means of their own (`alike`) `s` is the same for all. Of noise
    /// alone, and of segments that weigh the same, it is `1/m_eff`.
    pub(crate) fn relative_variance(&self, ratio: f64, alike: Option<u64>) -> f64 {
        let [two, three, four] = [self.m_eff, self.m_eff_order3, self.m_eff_order4];
        if ratio <= 0.0 || (two == three && two == four) {
            return 1.0 / two;
        }
        let (squares, products) = match alike {
            Some(segments) => (1.0 / segments as f64, 1.0 / segments as f64),
            None => (two * two / four.powi(3), two / (three * three)),
        };
        (ratio * ratio * squares + 2.0 * ratio * products + 1.0 / two) / (1.0 + ratio).powi(2)
    }

    /// How many times the error of a source's power far above the noise is that of noise, with the common mean.
    pub(crate) fn most_uneven(&self) -> f64 {
        (self.relative_variance(1e9, None) * self.m_eff).sqrt()
    }

    /// The distribution of the average of one frequency.
    pub fn distribution(&self) -> AverageDistribution {
        AverageDistribution::new([self.m_eff, self.m_eff_order3, self.m_eff_order4])
    }
}

/// Effective numbers of segments of a cross spectrum. With the weights `w` of the subject and `v` of the reference.
#[derive(Clone, Copy, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(default)]
#[non_exhaustive]
pub struct EffectivePairs {
    /// Of the cross spectrum: `ΣwΣv/Σwv`. Independent noise has `⟨|C|²⟩ = ⟨P1⟩⟨P2⟩/m_eff`.
    pub m_eff: f64,
    /// Of the subject's power: `(Σw)²/Σw²`.
    pub m_eff1: f64,
    /// [`EffectiveSegments::m_eff_order3`] of the subject.
    pub m_eff1_order3: f64,
    /// [`EffectiveSegments::m_eff_order4`] of the subject.
    pub m_eff1_order4: f64,
    /// Of the reference's power: `(Σv)²/Σv²`.
    pub m_eff2: f64,
    /// [`EffectiveSegments::m_eff_order3`] of the reference.
    pub m_eff2_order3: f64,
    /// [`EffectiveSegments::m_eff_order4`] of the reference.
    pub m_eff2_order4: f64,
}

/// Those of an average, and the sums of the weights of both series.
type WeighedPairs = (EffectivePairs, [f64; 2]);

impl EffectivePairs {
    /// How many times the errors of a source far above the noise are those of noise, with the common mean, at most of both series.
    pub(crate) fn most_uneven(&self) -> f64 {
        let of =
            |m_eff, m_eff_order3, m_eff_order4| EffectiveSegments { m_eff, m_eff_order3, m_eff_order4 }.most_uneven();
        let subject: f64 = of(self.m_eff1, self.m_eff1_order3, self.m_eff1_order4);
        subject.max(of(self.m_eff2, self.m_eff2_order3, self.m_eff2_order4))
    }

    /// Says that errors of `of` may be too small, where rates of segments differ so much that they may be by [`UNEVEN`].
    pub(crate) fn warning(&self, of: &str) -> Option<Warning> {
        let uneven = self.most_uneven();
        let message = || {
            format!(
                "the rates of the segments differ, and errors of {of} are those of noise: where a source that varies in proportion to its rate outweighs it, \
                 they are up to {uneven:.1} times as large"
            )
        };
        (uneven > UNEVEN).then(|| Warning::new("W-UNEQUAL-RATES", message()))
    }

    /// Of segments that weigh the same.
    pub fn equal(segments: u64) -> EffectivePairs {
        EffectivePairs::of(segments as f64, [EffectiveSegments::equal(segments); 2])
    }

    fn of(m_eff: f64, [subject, reference]: [EffectiveSegments; 2]) -> EffectivePairs {
        EffectivePairs {
            m_eff,
            m_eff1: subject.m_eff,
            m_eff1_order3: subject.m_eff_order3,
            m_eff1_order4: subject.m_eff_order4,
            m_eff2: reference.m_eff,
            m_eff2_order3: reference.m_eff_order3,
            m_eff2_order4: reference.m_eff_order4,
        }
    }

    /// Those of the subject and of the reference.
    pub fn series(&self) -> [EffectiveSegments; 2] {
        let of = |m_eff, m_eff_order3, m_eff_order4| EffectiveSegments { m_eff, m_eff_order3, m_eff_order4 };
        [
            of(self.m_eff1, self.m_eff1_order3, self.m_eff1_order4),
            of(self.m_eff2, self.m_eff2_order3, self.m_eff2_order4),
        ]
    }

    /// With subject and reference exchanged.
    pub(crate) fn exchanged(&self) -> EffectivePairs {
        let [subject, reference] = self.series();
        EffectivePairs::of(self.m_eff, [reference, subject])
    }

    /// How many values of equal weight have the mean of `|C|²/(P1P2)` that independent noise of so many `segments` in `k` frequencies has, which is one over their number.
    /// The powers are of the same segments as C: it is `Σu_i v_i` of the mean shares u and v of segment i in both powers, which are nearer to `1/m` than the weights
    /// `a = w/Σw`: `u_i − 1/m = β(a_i − 1/m)`, with the β that `Σu²` tells ([`AverageDistribution`]).
    pub(crate) fn incoherent_values(&self, segments: u64, k: f64) -> f64 {
        let even = 1.0 / segments as f64;
        let nearer = |e: EffectiveSegments| {
            let (squares, part) = (1.0 / e.m_eff, e.distribution().of_frequencies(k).concentration());
            let uneven = squares - even;
            if uneven > 1e-9 * even { ((part * squares - even).max(0.0) / uneven).sqrt() } else { 1.0 }
        };
        let [subject, reference] = self.series().map(nearer);
        k / (even + subject * reference * (1.0 / self.m_eff - even))
    }

    /// Of three entries of [`Sums::weights`]: subject, reference and the roots of their products.
    pub(crate) fn of_sums(sums: &Sums, first: usize, counted: bool) -> EffectivePairs {
        let m = sums.segments as f64;
        let [Some(w), Some(v), Some(both)] = [0, 1, 2].map(|entry| sums.weights.get(first + entry)) else {
            return EffectivePairs::equal(sums.segments);
        };
        let product = w.0[0] * v.0[0] / both.0[1];
        let m_eff = if product.is_finite() && product > 0.0 { product } else { m };
        EffectivePairs::of(m_eff, [0, 1].map(|entry| EffectiveSegments::of_sums(sums, first + entry, counted)))
    }

    /// Those of several averages, each of `(its numbers, [Σw, Σv])`.
    pub(crate) fn together(parts: &[WeighedPairs], segments: u64) -> EffectivePairs {
        let series = [0, 1].map(|which| {
            let one = |(e, sums): &WeighedPairs| (e.series()[which], sums[which]);
            EffectiveSegments::together(&parts.iter().map(one).collect::<Vec<_>>(), segments)
        });
        let sum = |of: &dyn Fn(&WeighedPairs) -> f64| parts.iter().map(of).sum::<f64>();
        let (w, v) = (sum(&|(_, [w, _])| *w), sum(&|(_, [_, v])| *v));
        let m_eff = w * v / sum(&|(e, [w, v])| w * v / e.m_eff);
        if m_eff > 0.0 { EffectivePairs::of(m_eff, series) } else { EffectivePairs::equal(segments) }
    }

    /// The numbers of a product that has none, because it was written before there were any.
    pub(crate) fn or_equal(self, segments: u64) -> EffectivePairs {
        if self.m_eff > 0.0 { self } else { EffectivePairs::equal(segments) }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn of(photons: &[u64], exponent: u32) -> EffectiveSegments {
        let mut sums = Sums { segments: photons.len() as u64, ..Sums::default() };
        photons.iter().for_each(|&n| sums.add_weights(&[WeightSums::of_photons(n as f64, exponent)]));
        EffectiveSegments::of_sums(&sums, 0, exponent == 0)
    }

    #[test]
    fn equal_rates_are_worth_their_number() {
        for photons in [[1000u64; 20], [3; 20], [1; 20], [0; 20]] {
            let e = of(&photons, 0);
            assert_eq!(e, EffectiveSegments::equal(20), "{photons:?}");
        }
        // Poisson's scatter is not one of rates: ΣN(N − 1) is that of equal ones on average.
        assert_eq!(of(&[2, 0, 1, 3, 1, 1, 2, 4, 0, 1, 3, 1, 0, 2, 1, 2, 1, 3, 2, 0], 0), EffectiveSegments::equal(20));
    }

    #[test]
    fn unequal_rates_count_by_their_weights() {
        let photons: Vec<u64> = (0..20).map(|i| if i < 10 { 160_000 } else { 1_440_000 }).collect();
        // (ΣN)²/ΣN² = 20·(0.8)²/(0.1² + 0.9²)·… of rates 1 and 9 in halves: 20·25/41.
        let e = of(&photons, 0);
        assert!((e.m_eff / (20.0 * 25.0 / 41.0) - 1.0).abs() < 1e-5, "{e:?}");
        let third = (125.0 / 365.0f64).sqrt() * 20.0;
        assert!((e.m_eff_order3 / third - 1.0).abs() < 1e-5, "{e:?} {third}");
        assert_eq!(of(&photons, 1), EffectiveSegments::equal(20));
        assert!((of(&photons, 2).m_eff / e.m_eff - 1.0).abs() < 1e-5);
    }

    #[test]
    fn averages_of_parts_are_those_of_the_whole() {
        let photons: Vec<u64> = (0..60).map(|i| 100_000 + 37_000 * (i * i % 17)).collect();
        let whole = of(&photons, 0);
        let parts = photons.chunks(25).map(|part| (of(part, 0), part.iter().sum::<u64>() as f64));
        let together = EffectiveSegments::together(&parts.collect::<Vec<_>>(), 60);
        for (a, b) in [
            (whole.m_eff, together.m_eff),
            (whole.m_eff_order3, together.m_eff_order3),
            (whole.m_eff_order4, together.m_eff_order4),
        ] {
            assert!((a / b - 1.0).abs() < 1e-12, "{whole:?} {together:?}");
        }
    }
}

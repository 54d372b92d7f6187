//! χ² of a folded profile against a constant rate, and its law, for few events too.
//!
//! Of `N` events in `k` bins with the parts `p_b` of the exposure, `X² = Σ (n_b − N·p_b)²/(N·p_b)` (Pearson 1900,
//! doi:10.1080/14786440009463897; Leahy et al. 1983, doi:10.1086/160766) follows χ² of `k − 1` degrees of freedom where bins have many events. Of few a
//! single bin makes it large: with 50 events in 16 bins what has 1e-5 by χ² comes three times as often. The law here is that of the multinomial
//! distribution itself:
//!
//! - **Even exposure, up to 256 events**: exact. Poisson counts are added bin by bin, with the sums of `n_b − c` and of `(n_b − c)²`, `c = ⌊N/k⌋`, which are whole
//!   numbers, and those whose sum is `N` are kept. All terms are positive, so that small probabilities keep their digits. Between two possible values
//!   `ln p` is interpolated.
//! - **More than 256 bins**: the gamma distribution with the mean, variance and third moment of `X²` (below).
//! - **More events**: the logarithm of the ratio to χ² goes like `1/N`; it is 256/N of that of 256 events.
//! - **Uneven exposure**: `X²` is moved to the value of even exposure that lies as high in its distribution, by mean, variance and third moment of
//!   both (Haldane 1937, doi:10.1093/biomet/29.1-2.133; here `R = Σ1/p_b`, `S = Σ1/p_b²`), through the cube root of Wilson & Hilferty (1931,
//!   doi:10.1073/pnas.17.12.684):
//!
//! ```text
//! mean k − 1        variance 2(k − 1) + (R − k² − 2k + 2)/N
//! third moment 8(k − 1) + (22R − 18k² − 36k + 32)/N + (S − 3kR − 22R + 2k³ + 18k² + 28k − 24)/N²
//! ```
//!
//! - **Beyond the table**, which ends near 1e-16, the tail falls like that of one bin that has it all.
//!
//! Bins with less than half of the mean exposure are merged with the next one, because a single event in them would be significant.

use std::collections::HashMap;
use std::sync::{LazyLock, Mutex, OnceLock, PoisonError};

use crate::numerics::chi_square;
use crate::numerics::gamma::{Tail, ln_tail};

/// The most events of which the law is computed.
const MOST_EVENTS: usize = 256;
/// And the most bins.
const MOST_BINS: usize = 256;
/// Part of the mean exposure that a bin has at least, or is merged.
const LEAST_EXPOSURE: f64 = 0.5;
/// `Σ1/p_b` of an exposure that is even, over `k²`, less 1.
const EVEN: f64 = 1e-9;

/// χ² of the counts of a profile against a rate that is constant over the exposure.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
#[non_exhaustive]
pub struct ProfileChiSquare {
    /// `Σ (n_b − N·p_b)²/(N·p_b)`.
    pub stat: f64,
    /// Number of bins that are compared: those exposed, merged where they are barely.
    pub bins: usize,
    /// `Σ1/p_b` and `Σ1/p_b²`.
    inverses: [f64; 2],
}

impl ProfileChiSquare {
    /// Of the counts of a profile, or of sums of weights, and the exposures of the bins in any unit. For sums of weights it is `Σw²/Σw` times too large,
    /// the ratio of their variance to their mean.
    pub fn new<T: Copy + Into<f64>>(profile: &[T], exposure: &[f64]) -> ProfileChiSquare {
        let counted = || profile.iter().map(|&c| c.into()).zip(exposure.iter().copied()).filter(|(_, e)| *e > 0.0);
        let (total, exposed) = counted().fold((0.0, 0.0), |(n, t): (f64, f64), (c, e)| (n + c, t + e));
        if total == 0.0 {
            return ProfileChiSquare::default();
        }
        let least = LEAST_EXPOSURE * exposed / profile.len() as f64;
        let (mut found, mut first, mut open) = (ProfileChiSquare::default(), None, (0.0, 0.0));
        let mut add = |(count, e): (f64, f64)| {
            let part = e / exposed;
            found.stat += (count - total * part).powi(2) / (total * part);
            found.bins += 1;
            found.inverses[0] += 1.0 / part;
            found.inverses[1] += 1.0 / (part * part);
        };
        for (c, e) in counted() {
            open = (open.0 + c, open.1 + e);
            if open.1 >= least {
                // Phase goes on from the last bin to the first, which waits for what is left.
                if first.is_none() {
                    first = Some(open)
                } else {
                    add(open)
                }
                open = (0.0, 0.0);
            }
        }
        let first = first.unwrap_or_default();
        add((first.0 + open.0, first.1 + open.1));
        found
    }

    /// With the statistic multiplied by a factor, as sums of weights need it.
    #[must_use]
    pub fn scaled(self, by: f64) -> ProfileChiSquare {
        ProfileChiSquare { stat: self.stat * by, ..self }
    }

    /// Another statistic of the same bins.
    #[must_use]
    pub fn with_stat(self, stat: f64) -> ProfileChiSquare {
        ProfileChiSquare { stat, ..self }
    }

    /// Degrees of freedom of many events.
    pub fn degrees(&self) -> f64 {
        self.bins.max(1) as f64 - 1.0
    }

    /// Logarithm of the probability that a constant source of so many events reaches the statistic. Of weighted events those count that make their
    /// noise, `(Σw²)²/Σw⁴`.
    pub fn ln_p(&self, events: f64) -> f64 {
        let (k, n, [r, s]) = (self.bins as f64, events.round(), self.inverses);
        if self.bins < 2 || n < 2.0 || r - k * k < EVEN * k * k {
            return ln_sf(self.stat, self.bins, events);
        }
        let (mean, even) = (k - 1.0, moments(k, n, [k * k, k * k * k]));
        let [deviation, skewness] = moments(k, n, [r, s]);
        let z = (self.stat - mean) / deviation;
        let z = if skewness.min(even[1]) > 1e-3 {
            let w = ((1.0 + 0.5 * skewness * z).max(0.0).cbrt() - 1.0 + skewness * skewness / 36.0) * 6.0 / skewness;
            ((w * even[1] / 6.0 + 1.0 - even[1] * even[1] / 36.0).powi(3) - 1.0) * 2.0 / even[1]
        } else {
            z
        };
        ln_sf(mean + z * even[0], self.bins, events)
    }
}

/// Standard deviation and skewness of `X²` of `n` events in `k` bins with `Σ1/p` and `Σ1/p²`.
fn moments(k: f64, n: f64, [r, s]: [f64; 2]) -> [f64; 2] {
    let variance = 2.0 * (k - 1.0) + (r - k * k - 2.0 * k + 2.0) / n;
    let third = 8.0 * (k - 1.0)
        + (22.0 * r - 18.0 * k * k - 36.0 * k + 32.0) / n
        + (s - 3.0 * k * r - 22.0 * r + 2.0 * k * k * k + 18.0 * k * k + 28.0 * k - 24.0) / (n * n);
    [variance.sqrt(), third / variance.powf(1.5)]
}

/// Logarithm of the probability that a constant source of so many events, whole ones, reaches `stat` in bins that are exposed alike; 0 for
/// one event or one bin, which say nothing.
///
/// ```
/// use eagleray::science::statistics::profile;
/// // All of three events in one of two bins: two of eight ways.
/// assert!((profile::ln_sf(3.0, 2, 3.0) - 0.25f64.ln()).abs() < 1e-12);
/// ```
pub fn ln_sf(stat: f64, bins: usize, events: f64) -> f64 {
    let n = events.round();
    // Not NaN, either.
    if bins < 2 || !(n >= 2.0 && stat > 0.0) {
        return 0.0;
    }
    if bins > MOST_BINS {
        return ln_sf_of_many(stat, bins as f64, n);
    }
    let most = MOST_EVENTS as f64;
    let table = ProfileLaw::shared(n.min(most) as usize, bins);
    if n <= most {
        return table.ln_sf(stat);
    }
    let many = |x: f64| {
        let ideal = chi_square::ln_sf(x, bins as f64 - 1.0);
        (ideal + most / n * (table.ln_sf(x) - ideal)).min(0.0)
    };
    let end = table.end();
    if stat <= end {
        return many(stat);
    }
    let one = |x: f64| ln_one_bin(x, bins, n / bins as f64);
    many(stat).max(one(stat) + (many(end) - one(end)).min(0.0))
}

/// Of so many bins that their sum is close to normal: the gamma distribution with the mean, the variance and the third moment of `X²`.
fn ln_sf_of_many(stat: f64, bins: f64, events: f64) -> f64 {
    let [deviation, skewness] = moments(bins, events, [bins * bins, bins.powi(3)]);
    let shape = 4.0 / (skewness * skewness);
    // Values are 2k/N apart: half of that towards the one before.
    let x = shape + shape.sqrt() * (stat - bins / events - (bins - 1.0)) / deviation;
    if x > 0.0 { chi_square::ln_sf(2.0 * x, 2.0 * shape) } else { 0.0 }
}

/// Logarithm of the probability that one bin of the mean `mean` makes `x` with what the others have on average.
fn ln_one_bin(x: f64, bins: usize, mean: f64) -> f64 {
    let excess = ((x - (bins as f64 - 2.0)).max(0.0) * mean).sqrt();
    (bins as f64).ln() + ln_tail(Tail::Lower, mean + excess, mean)
}

/// The law of one number of events and one of bins: values of `X²`, ascending, and the logarithm of the probability of each or a larger one.
struct ProfileLaw {
    stat: Vec<f64>,
    ln_p: Vec<f64>,
    bins: usize,
    mean: f64,
}

/// Laws by numbers of events and bins.
type ProfileLaws = Mutex<HashMap<(usize, usize), &'static OnceLock<ProfileLaw>>>;

impl ProfileLaw {
    /// The law of these numbers, made once in a process.
    fn shared(events: usize, bins: usize) -> &'static ProfileLaw {
        static LAWS: LazyLock<ProfileLaws> = LazyLock::new(ProfileLaws::default);
        let mut laws = LAWS.lock().unwrap_or_else(PoisonError::into_inner);
        let law: &'static OnceLock<ProfileLaw> =
            laws.entry((events, bins)).or_insert_with(|| Box::leak(Box::default()));
        drop(laws);
        law.get_or_init(|| ProfileLaw::new(events, bins))
    }

    fn new(events: usize, bins: usize) -> ProfileLaw {
        let (n, k) = (events as f64, bins as f64);
        let (mean, centre) = (n / k, events / bins);
        let spread = 2.0 * (k - 1.0);
        // Σ(n_b − c)² where the table ends, and how far Σ(n_b − c) goes from 0 before.
        let ends = (k - 1.0 + 14.0 * spread.sqrt() + 60.0) * mean + k * (mean - centre as f64).powi(2);
        let most = (ends as usize + 2).min(events * events);
        let far = 5 * n.sqrt() as usize + most.isqrt() + 2;
        let (rows, cells) = (2 * far + 1, most / 2 + 2);
        let rest = events - bins * centre;
        let mut weights = vec![(-mean).exp()];
        for i in 1..=events {
            weights.push(weights[i - 1] * mean / i as f64);
        }
        // Of each sum m of n_b − c, at the place m + far, the probability of Σ(n_b − c)² = 2·cell + (m odd); all larger ones are in the last.
        let mut from = vec![Vec::new(); rows];
        from[far] = vec![0.0; cells];
        from[far][0] = 1.0;
        for bin in 0..bins {
            let mut to = vec![Vec::new(); rows];
            for (place, sums) in from.iter().enumerate().filter(|(_, sums)| !sums.is_empty()) {
                let odd = place.abs_diff(far) % 2 == 1;
                for (count, &weight) in weights.iter().enumerate().filter(|(_, weight)| **weight > 1e-60) {
                    let reached = (place + count).checked_sub(centre).filter(|reached| *reached < rows);
                    let Some(reached) = reached.filter(|reached| bin + 1 < bins || *reached == far + rest) else {
                        continue;
                    };
                    let off = count.abs_diff(centre);
                    let shift = ((off * off + usize::from(odd && off % 2 == 1)) / 2).min(cells - 1);
                    let sum: &mut Vec<f64> = &mut to[reached];
                    if sum.is_empty() {
                        sum.resize(cells, 0.0);
                    }
                    let (inside, beyond) = sums.split_at(cells - 1 - shift);
                    sum[shift..].iter_mut().zip(inside).for_each(|(to, from)| *to += weight * from);
                    sum[cells - 1] += weight * beyond.iter().sum::<f64>();
                }
            }
            from = to;
        }
        let found = &from[far + rest];
        let all: f64 = found.iter().sum();
        let (mut stat, mut ln_p, mut tail) = (Vec::new(), Vec::new(), found.last().copied().unwrap_or(0.0));
        for (cell, probability) in found.iter().enumerate().rev().skip(1).filter(|(_, probability)| **probability > 0.0)
        {
            tail += probability;
            let squares = (2 * cell + rest % 2) as f64 - k * (mean - centre as f64).powi(2);
            stat.push(squares / mean);
            ln_p.push((tail / all).ln().min(0.0));
        }
        stat.reverse();
        ln_p.reverse();
        ProfileLaw { stat, ln_p, bins, mean }
    }

    fn end(&self) -> f64 {
        self.stat.last().copied().unwrap_or(0.0)
    }

    fn ln_sf(&self, x: f64) -> f64 {
        let place = self.stat.partition_point(|value| *value < x);
        match (place.checked_sub(1), self.stat.get(place)) {
            // Nothing is smaller than the first value, but for its rounding.
            (None, _) => 0.0,
            (Some(before), Some(value)) => {
                let part = (value - x) / (value - self.stat[before]);
                self.ln_p[place] + part * (self.ln_p[before] - self.ln_p[place])
            }
            (Some(last), None) => {
                let one = |x: f64| ln_one_bin(x, self.bins, self.mean);
                self.ln_p[last] + (one(x) - one(self.stat[last])).min(0.0)
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::base::random::Random;

    #[test]
    fn profiles_have_the_statistic_of_its_definition() {
        let of = |counts: &[u32], exposure: &[f64]| ProfileChiSquare::new(counts, exposure);
        let flat = of(&[10, 20, 30, 5], &[1.0, 2.0, 3.0, 0.0]);
        assert!(flat.stat < 1e-12 && flat.bins == 3 && flat.degrees() == 2.0, "{flat:?}");
        assert!((of(&[10, 20], &[1.0, 1.0]).stat - 50.0 / 15.0).abs() < 1e-12);
        // The second bin, barely exposed, is one with the third, the last with the first.
        let merged = of(&[10, 1, 12, 9, 2], &[1.0, 0.01, 1.0, 1.0, 0.3]);
        let written_out = of(&[12, 13, 9], &[1.3, 1.01, 1.0]);
        assert!((merged.stat - written_out.stat).abs() < 1e-12 && merged.bins == 3, "{merged:?} {written_out:?}");
        assert_eq!(of(&[0, 0], &[1.0, 1.0]).ln_p(0.0), 0.0);
    }

    /// All ways of eight events in three bins, counted: `3^−8·8!/(a!·b!·c!)` for each.
    #[test]
    fn probabilities_of_few_events_are_counted_exactly() {
        let factorial = |n: u32| (1..=n).map(f64::from).product::<f64>();
        let mut ways = Vec::new();
        for a in 0..=8u32 {
            for b in 0..=8 - a {
                let c = 8 - a - b;
                let way = factorial(8) / (factorial(a) * factorial(b) * factorial(c)) / 3f64.powi(8);
                ways.push((ProfileChiSquare::new(&[a, b, c], &[1.0; 3]), way));
            }
        }
        for (one, _) in &ways {
            let p: f64 = ways.iter().filter(|(other, _)| other.stat > one.stat - 1e-9).map(|(_, way)| way).sum();
            assert!((one.ln_p(8.0) - p.ln()).abs() < 1e-9, "{one:?}: {} {}", one.ln_p(8.0), p.ln());
        }
    }

    /// The moments that uneven exposure is moved by, against all ways of four events in three bins.
    #[test]
    fn moments_are_those_of_the_multinomial_distribution() {
        let p = [0.2, 0.3, 0.5f64];
        let factorial = |n: u32| (1..=n).map(f64::from).product::<f64>();
        let mut raw = [0.0; 4];
        for a in 0..=4u32 {
            for b in 0..=4 - a {
                let counts = [a, b, 4 - a - b];
                let way = counts.iter().zip(p).fold(factorial(4), |w, (&n, p)| w * p.powi(n as i32) / factorial(n));
                let x: f64 = counts.iter().zip(p).map(|(&n, p)| (f64::from(n) - 4.0 * p).powi(2) / (4.0 * p)).sum();
                (0..4).for_each(|i| raw[i as usize] += way * (x - 2.0).powi(i));
            }
        }
        let [r, s] = [1, 2].map(|power| p.iter().map(|p| p.powi(-power)).sum::<f64>());
        let [deviation, skewness] = moments(3.0, 4.0, [r, s]);
        assert!(raw[1].abs() < 1e-12 && (deviation * deviation / raw[2] - 1.0).abs() < 1e-12, "{raw:?}");
        assert!((skewness * deviation.powi(3) / raw[3] - 1.0).abs() < 1e-12, "{raw:?}");
    }

    /// False alarms of `trials` profiles at each level over those expected: of `events` in bins with these exposures.
    fn false_alarms(exposure: &[f64], events: usize, trials: usize, levels: &[f64], seed: u64) -> Vec<f64> {
        let ends: Vec<f64> = exposure
            .iter()
            .scan(0.0, |sum, e| {
                Some({
                    *sum += e;
                    *sum
                })
            })
            .collect();
        let all = ends[ends.len() - 1];
        let (mut random, mut found) = (Random::new(seed), vec![0.0; levels.len()]);
        let mut counts = vec![0u32; exposure.len()];
        for _ in 0..trials {
            counts.fill(0);
            for _ in 0..events {
                let place = all * random.uniform();
                counts[ends.partition_point(|end| *end <= place)] += 1;
            }
            let ln_p = ProfileChiSquare::new(&counts, exposure).ln_p(events as f64);
            for (found, level) in found.iter_mut().zip(levels) {
                *found += f64::from(u8::from(ln_p <= level.ln()));
            }
        }
        found
    }

    /// Exposures that are even, that a gap leaves, that rise, and with a bin that is barely exposed.
    fn exposures(bins: usize) -> [(&'static str, Vec<f64>); 4] {
        let of = |e: &dyn Fn(f64) -> f64| (0..bins).map(|b| e(b as f64 / bins as f64)).collect::<Vec<f64>>();
        [
            ("even", vec![1.0; bins]),
            ("half twice", of(&|x| if x < 0.5 { 1.0 } else { 2.0 })),
            ("rising", of(&|x| 0.6 + 0.8 * x)),
            ("a bin of 0.01", of(&|x| if x == 0.5 { 0.01 } else { 1.0 })),
        ]
    }

    /// As often as said, to four binomial standard deviations, and where values are few not more often: the law is interpolated between them. χ² has 1.2 and
    /// 2 times as many at 1e-2 and 1e-3 of 50 events in 16 bins.
    #[test]
    fn false_alarms_are_as_frequent_as_said() {
        let (trials, levels) = (40_000, [1e-1, 1e-2, 1e-3]);
        for (bins, events) in [(8, 12), (16, 50), (64, 100), (16, 400)] {
            for (name, exposure) in exposures(bins) {
                let found = false_alarms(&exposure, events, trials, &levels, 91);
                for (found, level) in found.iter().zip(levels) {
                    let expected = level * trials as f64;
                    let told = format!("{events} events, {bins} bins, {name}: {found} of {expected}");
                    assert!(*found <= expected + 4.0 * expected.sqrt(), "{told}");
                    let least = if events < 40 { 0.3 } else { 0.8 };
                    assert!(*found >= least * expected - 4.0 * expected.sqrt(), "{told}");
                }
            }
        }
    }

    /// The same of 4e6 profiles each, down to 1e-5: `docs/verification.md` has what it prints.
    #[test]
    #[ignore = "takes minutes, and prints what docs/verification.md records; fewer profiles always run"]
    fn false_alarms_of_many_profiles() {
        use rayon::prelude::*;
        let levels = [1e-1, 1e-2, 1e-3, 1e-4, 1e-5];
        let (pieces, each) = (80u64, 50_000);
        for (bins, events) in [(8, 10), (8, 30), (16, 20), (16, 50), (16, 1000), (32, 60), (64, 100), (64, 600)] {
            for (name, exposure) in exposures(bins) {
                let run = |seed: u64| false_alarms(&exposure, events, each, &levels, 1000 + seed);
                let all: Vec<Vec<f64>> = (0..pieces).into_par_iter().map(run).collect();
                let ratio = |i: usize| {
                    let found: f64 = all.iter().map(|found| found[i]).sum();
                    format!("{:.2}", found / (levels[i] * (pieces * each as u64) as f64))
                };
                let ratios = (0..levels.len()).map(ratio).collect::<Vec<_>>().join(" | ");
                eprintln!("| {bins} | {events} | {name} | {ratios} |");
            }
        }
    }

    /// Hundreds of bins, most of them empty or not: drawn.
    #[test]
    fn many_bins_have_the_law_of_their_moments() {
        let mut random = Random::new(41);
        for (bins, events) in [(300usize, 256usize), (1000, 100), (4096, 600), (300, 3000)] {
            let runs = 20_000;
            let mut counts = vec![0u32; bins];
            let mut draw = || {
                counts.fill(0);
                (0..events).for_each(|_| counts[random.below(bins)] += 1);
                let squares: f64 = counts.iter().map(|&c| f64::from(c * c)).sum();
                squares * bins as f64 / events as f64 - events as f64
            };
            let mut drawn: Vec<f64> = (0..runs).map(|_| draw()).collect();
            drawn.sort_by(f64::total_cmp);
            for p in [0.5, 0.1, 0.01, 1e-3] {
                let level = drawn[((1.0 - p) * f64::from(runs)) as usize];
                // Values are few: the probability of this one or a larger one.
                let reached = drawn.len() - drawn.partition_point(|x| *x < level);
                let (found, said) = (reached as f64 / f64::from(runs), ln_sf(level, bins, events as f64).exp());
                let [above, below] = [1.0, -1.0].map(|side| 1.0 + side * (0.25 + 4.0 / (p * f64::from(runs)).sqrt()));
                assert!(found < above * said && found > below * said, "{bins} {events} {p}: {found} {said}");
            }
        }
    }
}

//! How bright the pulses of a source are through the good time: a source that fades or flares has more beside its frequency than a constant one.

/// The highest power of time of which brightness is made. A second source a few independent frequencies off, which makes pulses brighter and fainter in turn, is
/// not like these.
const HIGHEST_POWER: usize = 4;
/// Power, in units of half of that of noise, by which a term is told from noise: 4 standard deviations.
const LEAST_POWER: f64 = 16.0;

/// A polynomial of the time from the middle of the observation, in units of half its length, whose mean over the good time is 1; without terms it is 1.
#[derive(Clone, Debug, Default)]
pub(super) struct Brightness {
    terms: Vec<f64>,
}

impl Brightness {
    /// From stretches of time: their middles from that of the observation in units of its length, their parts of the good time, and their parts of the sum of the
    /// pulses; and the power of the pulses in units of half of that of noise. A term is there if it or a higher one is no noise.
    pub fn fit(stretches: &[(f64, f64, f64)], power: f64) -> Brightness {
        let value = |terms: &[f64], v: f64| terms.iter().rfold(0.0, |sum, term| sum * 2.0 * v + term);
        let product =
            |a: &[f64], b: &[f64]| stretches.iter().map(|&(v, good, _)| good * value(a, v) * value(b, v)).sum::<f64>();
        let mut basis: Vec<Vec<f64>> = Vec::new();
        let mut parts: Vec<f64> = Vec::new();
        for n in 0..=HIGHEST_POWER.min(stretches.len() / 8) {
            let mut one = vec![0.0; n + 1];
            one[n] = 1.0;
            // Twice, against rounding.
            for _ in 0..2 {
                for other in &basis {
                    let by = product(&one, other);
                    one.iter_mut().zip(other).for_each(|(a, b)| *a -= by * b);
                }
            }
            let size = product(&one, &one).sqrt();
            if size < 1e-6 {
                break;
            }
            one.iter_mut().for_each(|a| *a /= size);
            parts.push(stretches.iter().map(|&(v, _, share)| share * value(&one, v)).sum());
            basis.push(one);
        }
        let last = parts.iter().rposition(|part| part * part * power > LEAST_POWER).unwrap_or(0);
        if last == 0 {
            return Brightness::default();
        }
        let mut terms = vec![0.0; last + 1];
        for (one, part) in basis.iter().zip(&parts).take(last + 1) {
            terms.iter_mut().zip(one).for_each(|(term, a)| *term += part / parts[0] * a);
        }
        Brightness { terms }
    }

    /// True if it is 1 at all times.
    pub fn is_constant(&self) -> bool {
        self.terms.is_empty()
    }

    /// At a time from the middle of the observation, in units of its length.
    pub fn at(&self, v: f64) -> f64 {
        if self.is_constant() { 1.0 } else { self.terms.iter().rfold(0.0, |sum, term| sum * 2.0 * v + term) }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Stretches of a brightness in half of the time, with gaps between.
    fn stretches(of: impl Fn(f64) -> f64) -> Vec<(f64, f64, f64)> {
        let places = (0..256).filter(|i| i % 16 < 8).map(|i| (f64::from(i) + 0.5) / 256.0 - 0.5);
        let all: Vec<(f64, f64)> = places.map(|v| (v, of(v))).collect();
        let sum: f64 = all.iter().map(|(_, e)| e).sum();
        all.iter().map(|(v, e)| (*v, 1.0 / all.len() as f64, e / sum)).collect()
    }

    #[test]
    fn brightness_is_that_of_the_pulses() {
        for of in [|v: f64| (-3.0 * v).exp(), |v: f64| 1.0 + 1.5 * v, |v: f64| (-(2.0 * v).powi(2)).exp()] {
            let stretches = stretches(of);
            let mean = stretches.iter().map(|(v, ..)| of(*v)).sum::<f64>() / stretches.len() as f64;
            let found = Brightness::fit(&stretches, 1e9);
            for (v, ..) in stretches {
                assert!((found.at(v) - of(v) / mean).abs() < 0.1, "{v}: {} {}", found.at(v), of(v) / mean);
            }
        }
    }

    /// So faint that nothing is known of it.
    #[test]
    fn noise_is_no_brightness() {
        assert!(Brightness::fit(&stretches(|_| 1.0), 1e9).is_constant());
        assert!(Brightness::fit(&stretches(|v| 1.0 + v), 100.0).is_constant());
        assert!(!Brightness::fit(&stretches(|v| 1.0 + v), 1000.0).is_constant());
        assert!(Brightness::fit(&[], 1e9).is_constant() && Brightness::fit(&[(0.0, 1.0, 1.0)], 1e9).at(0.3) == 1.0);
    }
}

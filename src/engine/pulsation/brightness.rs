//! How bright the pulses of a source are through the good time: a source that fades or flares has more beside its frequency than a constant one.

/// The highest power of time of which brightness is made. A second source a few independent frequencies off, which makes pulses brighter and fainter in turn, is
/// not like these.
const HIGHEST_POWER: usize = 4;
/// Power, in units of half of that of noise, by which a term is told from noise: 4 standard deviations.
const LEAST_POWER: f64 = 16.0;
/// The same of a step, which has a thousand places.
const LEAST_STEP: f64 = 36.0;
/// Part of all that is not constant that the first step has at least: of beats of a second source, which turn once or more, it has 0.84 at most.
const LEAST_OF_FIRST: f64 = 0.85;
/// The most steps, and the shortest, in stretches.
const MOST_STEPS: usize = 8;
/// See [`MOST_STEPS`].
const SHORTEST_STEP: usize = 4;
/// Stretches that are looked at together for what is not constant.
const TOGETHER: usize = 8;
/// Pieces of the length in each of which a polynomial is taken to be constant: steps between them are seen that many Fourier bins off.
const PIECES: usize = 64;

/// A polynomial of the time from the middle of the observation, in units of half its length, and steps of it, with a mean over the good time of 1; without terms it is 1.
#[derive(Clone, Debug, Default)]
pub(super) struct Brightness {
    terms: Vec<f64>,
    steps: Vec<Step>,
}

/// What brightness has more between two times from the middle of the observation, in units of its length.
#[derive(Clone, Copy, Debug)]
struct Step {
    ends: (f64, f64),
    more: f64,
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
        let gain: f64 = parts.iter().take(last + 1).skip(1).map(|part| part * part).sum();
        if let Some(steps) = StepFit::of(stretches, power, gain) {
            return steps;
        }
        if last == 0 {
            return Brightness::default();
        }
        let mut terms = vec![0.0; last + 1];
        for (one, part) in basis.iter().zip(&parts).take(last + 1) {
            terms.iter_mut().zip(one).for_each(|(term, a)| *term += part / parts[0] * a);
        }
        Brightness { terms, steps: Vec::new() }
    }

    /// True if it is 1 at all times.
    pub fn is_constant(&self) -> bool {
        self.terms.is_empty()
    }

    /// At a time from the middle of the observation, in units of its length.
    pub fn at(&self, v: f64) -> f64 {
        if self.is_constant() {
            return 1.0;
        }
        let inside = |step: &&Step| (step.ends.0..step.ends.1).contains(&v);
        let steps: f64 = self.steps.iter().filter(inside).map(|step| step.more).sum();
        self.terms.iter().rfold(0.0, |sum, term| sum * 2.0 * v + term) + steps
    }

    /// Pieces of the observation in which it is constant, or nearly so: their ends from the middle, in units of the length.
    pub fn pieces(&self) -> Vec<(f64, f64)> {
        let mut ends: Vec<f64> = match self.steps.as_slice() {
            [] => (0..=PIECES).map(|i| i as f64 / PIECES as f64 - 0.5).collect(),
            steps => steps.iter().flat_map(|step| [step.ends.0, step.ends.1]).chain([-0.5, 0.5]).collect(),
        };
        ends.sort_by(f64::total_cmp);
        ends.dedup();
        ends.windows(2).map(|pair| (pair[0], pair[1])).collect()
    }
}

/// Least squares of steps, each where it has the most, over stretches of time.
struct StepFit<'a> {
    stretches: &'a [(f64, f64, f64)],
    /// First and last stretch but one of each step.
    places: Vec<(usize, usize)>,
    /// Functions that are orthonormal over the good time, of a constant and the steps: their values, and what they are made of.
    basis: Vec<(Vec<f64>, Vec<f64>)>,
    /// The parts of these in the shares.
    parts: Vec<f64>,
}

impl<'a> StepFit<'a> {
    /// Brightness of steps, where the first one has most of what is not constant, and more than the part `polynomial`: a source that is on, or hidden, for a part of the time.
    fn of(stretches: &'a [(f64, f64, f64)], power: f64, polynomial: f64) -> Option<Brightness> {
        let all: f64 = stretches.iter().map(|(_, _, share)| share).sum();
        let good: f64 = stretches.iter().map(|(_, good, _)| good).sum();
        if stretches.len() < 2 * SHORTEST_STEP || !(all > 0.0 && good > 0.0) {
            return None;
        }
        let of_group = |group: &[(f64, f64, f64)]| {
            let (good_here, share) =
                group.iter().fold((0.0, 0.0), |sum, (_, good, share)| (sum.0 + good, sum.1 + share));
            if good_here > 0.0 { (share - all * good_here / good).powi(2) / good_here - 1.0 / power } else { 0.0 }
        };
        let uneven: f64 = stretches.chunks(TOGETHER).map(of_group).sum();
        let size = good.sqrt();
        let mut fit = StepFit {
            stretches,
            places: Vec::new(),
            basis: vec![(vec![1.0 / size; stretches.len()], vec![1.0 / size])],
            parts: vec![all / size],
        };
        let (place, gain) = fit.next()?;
        if gain * power < LEAST_STEP || gain < LEAST_OF_FIRST * uneven || gain < polynomial {
            return None;
        }
        fit.add(place);
        while fit.places.len() < MOST_STEPS
            && let Some((place, _)) = fit.next().filter(|(_, gain)| gain * power >= LEAST_STEP)
        {
            fit.add(place);
        }
        Some(fit.brightness())
    }

    /// Sums of what is there up to each stretch.
    fn sums(&self, of: impl Fn(usize) -> f64) -> Vec<f64> {
        let before = (0..self.stretches.len()).scan(0.0, |sum, i| {
            *sum += of(i);
            Some(*sum)
        });
        std::iter::once(0.0).chain(before).collect()
    }

    /// The step that has the most of what is left, and the square of its part.
    fn next(&self) -> Option<((usize, usize), f64)> {
        let model =
            |i: usize| self.basis.iter().zip(&self.parts).map(|((values, _), part)| part * values[i]).sum::<f64>();
        let left = self.sums(|i| self.stretches[i].2 - self.stretches[i].1 * model(i));
        let good = self.sums(|i| self.stretches[i].1);
        let known: Vec<Vec<f64>> =
            self.basis.iter().map(|(values, _)| self.sums(|i| self.stretches[i].1 * values[i])).collect();
        let n = self.stretches.len();
        let gain = |(from, to): (usize, usize)| {
            let size = good[to] - good[from] - known.iter().map(|sum| (sum[to] - sum[from]).powi(2)).sum::<f64>();
            if size > 1e-6 { (left[to] - left[from]).powi(2) / size } else { 0.0 }
        };
        let places = (0..n).flat_map(|from| (from + SHORTEST_STEP..=n).map(move |to| (from, to)));
        places.map(|place| (place, gain(place))).max_by(|a, b| a.1.total_cmp(&b.1))
    }

    fn add(&mut self, place: (usize, usize)) {
        let mut values: Vec<f64> =
            (0..self.stretches.len()).map(|i| f64::from((place.0..place.1).contains(&i))).collect();
        let mut of = vec![0.0; self.places.len() + 2];
        of[self.places.len() + 1] = 1.0;
        let product = |a: &[f64], b: &[f64]| {
            self.stretches.iter().zip(a).zip(b).map(|(((_, good, _), a), b)| good * a * b).sum::<f64>()
        };
        for (other, made) in &self.basis {
            let by = product(&values, other);
            values.iter_mut().zip(other).for_each(|(a, b)| *a -= by * b);
            of.iter_mut().zip(made).for_each(|(a, b)| *a -= by * b);
        }
        let size = product(&values, &values).sqrt();
        values.iter_mut().chain(&mut of).for_each(|a| *a /= size);
        self.parts.push(self.stretches.iter().zip(&values).map(|((_, _, share), value)| share * value).sum());
        self.basis.push((values, of));
        self.places.push(place);
    }

    fn brightness(&self) -> Brightness {
        // Between two stretches; what is before the first and behind the last is theirs.
        let end = |i: usize| match (i.checked_sub(1).and_then(|i| self.stretches.get(i)), self.stretches.get(i)) {
            (Some(one), Some(other)) => 0.5 * (one.0 + other.0),
            (None, _) => -0.5,
            (_, None) => 0.5,
        };
        let mut made = vec![0.0; self.places.len() + 1];
        for ((_, of), part) in self.basis.iter().zip(&self.parts) {
            made.iter_mut().zip(of).for_each(|(sum, a)| *sum += part * a);
        }
        let steps = self.places.iter().zip(made.iter().skip(1));
        Brightness {
            terms: made.iter().take(1).copied().collect(),
            steps: steps.map(|(&(from, to), &more)| Step { ends: (end(from), end(to)), more }).collect(),
        }
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

    /// A flare, an eclipse and a narrow Gaussian are steps; their edges are found within a stretch.
    #[test]
    fn flares_and_eclipses_are_steps() {
        let flare = |v: f64| if (0.1..0.14).contains(&v) { 1.0 } else { 0.01 };
        let eclipse = |v: f64| if (-0.2..-0.1).contains(&v) { 0.0 } else { 1.0 };
        let bell = |v: f64| 0.02 + (-0.5 * ((v - 0.13) / 0.02f64).powi(2)).exp();
        let cases: [(&dyn Fn(f64) -> f64, f64); 3] = [(&flare, 0.2), (&eclipse, 0.1), (&bell, 0.2)];
        for (of, most) in cases {
            let stretches = stretches(of);
            let found = Brightness::fit(&stretches, 1e4);
            let mean = stretches.iter().map(|(v, ..)| of(*v)).sum::<f64>() / stretches.len() as f64;
            let (mut off, mut all) = (0.0, 0.0);
            for (v, good, _) in &stretches {
                off += good * (found.at(*v) - of(*v) / mean).powi(2);
                all += good * (of(*v) / mean - 1.0).powi(2);
            }
            assert!(!found.steps.is_empty() && off < most * most * all, "{off} of {all}: {found:?}");
        }
    }

    /// Beats of a second source are no steps.
    #[test]
    fn beats_are_no_steps() {
        for turns in [1.5, 2.0, 3.0, 7.5] {
            for phase in [0.0, 0.2, 0.5, 0.8] {
                let beats = stretches(|v| 1.0 + 0.6 * (2.0 * std::f64::consts::PI * (turns * v + phase)).cos());
                assert!(Brightness::fit(&beats, 1e4).steps.is_empty(), "{turns} {phase}");
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

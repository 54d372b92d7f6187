//! What the good time lets see of a source at other frequencies and drifts than its own: side lobes, aliases of gaps, ridges.

use std::f64::consts::{PI, TAU};

use rustfft::num_complex::Complex;

use super::brightness::Brightness;
use super::candidate::Relation;
use super::{PulseEvents, PulseSamples, amplitudes};
use crate::science::pulsation::templates::{FrequencyDrift, curved_between, half_width, response_between};

/// Widths of a drift beyond which only the ends of intervals matter.
const FAR: f64 = 4.0;
/// Starts of intervals that are regular: half of them fit.
const REGULAR_PART: f64 = 0.5;
/// The fewest intervals that make a period of gaps.
const FEWEST_INTERVALS: usize = 3;

/// The good time, of which every source has the same side lobes.
pub(super) struct SourceWindow {
    /// Length of the observation and its middle from the epoch, s.
    pub span: f64,
    middle: f64,
    /// Ends of the good time intervals in units of the span from the middle, and their sum.
    ends: Vec<(f64, f64)>,
    all: f64,
    /// Frequency at which gaps come, Hz, if they come regularly.
    pub gaps: Option<f64>,
    /// Of samples of a light curve, which see frequencies alike that are a multiple of `1/dt` apart.
    sampling: Option<Sampling>,
}

/// How bright a source is in pieces of the good time, which have their ends in units of the span; without any it is constant.
#[derive(Clone, Default)]
pub(super) struct Bright {
    parts: Vec<((f64, f64), f64)>,
    /// Half of all jumps of the brightness, those at the ends of intervals included.
    ends: f64,
}

/// Samples at equal distances.
#[derive(Clone, Copy)]
struct Sampling {
    /// Their distance, and the time of one of them from the epoch, s.
    dt: f64,
    at: f64,
}

impl SourceWindow {
    pub fn new(events: &PulseEvents) -> SourceWindow {
        let (seconds, span, middle) = (events.ticks.seconds(), events.span, amplitudes::middle(events));
        let place = |t: i64| (t as f64 * seconds - middle) / span;
        let ends: Vec<(f64, f64)> = events.gti.iter().map(|&(a, b)| (place(a), place(b))).collect();
        let all = ends.iter().map(|(a, b)| b - a).sum();
        let gaps = gap_period(&ends).map(|period| 1.0 / (period * span));
        SourceWindow { span, middle, ends, all, gaps, sampling: None }
    }

    /// That of samples.
    pub fn of_samples(samples: &PulseSamples) -> SourceWindow {
        let at = samples.at.times.first().copied().unwrap_or(0) as f64 * samples.at.ticks.seconds();
        SourceWindow { sampling: Some(Sampling { dt: samples.all.dt, at }), ..SourceWindow::new(&samples.at) }
    }

    /// The multiple of the frequency of samples that is next to a frequency; 0 without samples.
    fn samplings(&self, freq: f64) -> f64 {
        self.sampling.map_or(0.0, |Sampling { dt, .. }| (freq * dt).round())
    }

    /// The frequency below half of that of samples that they do not tell from `freq`, if that is above.
    pub fn unaliased(&self, freq: f64) -> Option<f64> {
        let (times, Sampling { dt, .. }) = (self.samplings(freq), self.sampling?);
        (times != 0.0).then(|| (freq - times / dt).abs())
    }

    /// The middle of the observation, s from the epoch.
    pub fn middle(&self) -> f64 {
        self.middle
    }

    /// Frequency (cycles over the span, at its middle) and drift of a frequency with its derivatives at the epoch.
    pub fn place(&self, rates: [f64; 3]) -> (f64, FrequencyDrift) {
        place(rates, self.span, self.middle)
    }

    /// The mean of `exp(2πi·φ(t))` over the good time, `φ = Δf·t + Δḟ·t²/2 + Δf̈·t³/6` from the epoch: the amplitude that one cycle in phase
    /// with a source leaves where frequency and derivatives are so far from those of the source; weighted by its brightness.
    pub fn mean(&self, apart: [f64; 3], bright: &Bright) -> Complex<f64> {
        let (apart, turn) = self.sampled(apart);
        let [freq, fdot, fddot] = apart;
        let m = self.middle;
        let cycles = m * (freq + m * (0.5 * fdot + m * fddot / 6.0)) + turn;
        let (r, drift) = self.place(apart);
        let far = r.abs() > FAR * half_width(drift) as f64;
        let part = |&ends: &(f64, f64)| match () {
            () if drift.w == 0.0 => response_between(-r, drift.z, ends),
            () if far => ends_between(r, drift, ends),
            () => curved_between(-r, drift, ends),
        };
        let sum = match bright.parts.as_slice() {
            [] => self.ends.iter().map(part).sum::<Complex<f64>>(),
            parts => parts.iter().map(|(ends, bright)| part(ends) * bright).sum::<Complex<f64>>(),
        } / self.all;
        // A sum over samples is an integral over their bins that nothing is averaged in.
        let x = self.sampling.map_or(0.0, |Sampling { dt, .. }| PI * freq * dt);
        let averaged = if x == 0.0 { 1.0 } else { x.sin() / x };
        sum / averaged * Complex::from_polar(1.0, TAU * (cycles - cycles.round()))
    }

    /// What is so far apart as samples see it, and the cycles that are lost.
    fn sampled(&self, [freq, fdot, fddot]: [f64; 3]) -> ([f64; 3], f64) {
        let times = self.samplings(freq);
        let Some(Sampling { dt, at }) = self.sampling else { return ([freq, fdot, fddot], 0.0) };
        ([freq - times / dt, fdot, fddot], times * (at / dt).fract())
    }

    /// The part of a source's power that is seen so far from its frequency and derivatives.
    pub fn part(&self, apart: [f64; 3]) -> f64 {
        self.mean(apart, &Bright::default()).norm_sqr()
    }

    /// The pieces of the good time in which a source has one brightness each.
    pub fn bright(&self, brightness: &Brightness) -> Bright {
        if brightness.is_constant() {
            return Bright::default();
        }
        let pieces = brightness.pieces();
        let inside = |&(a, b): &(f64, f64)| {
            let within = move |&(from, to): &(f64, f64)| (a.max(from), b.min(to));
            pieces.iter().map(within).filter(|(a, b)| a < b).collect::<Vec<_>>()
        };
        let mut parts: Vec<((f64, f64), f64)> =
            self.ends.iter().flat_map(inside).map(|ends| (ends, brightness.at(0.5 * (ends.0 + ends.1)))).collect();
        let mean = parts.iter().map(|((a, b), e)| (b - a) * e).sum::<f64>() / self.all;
        parts.iter_mut().for_each(|(_, e)| *e /= mean);
        let mut jumps = 0.0;
        for (i, ((from, _), e)) in parts.iter().enumerate() {
            let before = i.checked_sub(1).map(|i| parts[i]).filter(|((_, to), _)| to == from).map(|(_, e)| e);
            // Up to it, and where nothing follows down again.
            jumps += before.map_or(e.abs(), |before| (e - before).abs());
            let goes_on = parts.get(i + 1).is_some_and(|((next, _), _)| *next == parts[i].0.1);
            jumps += if goes_on { 0.0 } else { e.abs() };
        }
        Bright { parts, ends: 0.5 * jumps }
    }

    /// No more than the power of [`SourceWindow::mean`] so far off: each interval ends twice.
    pub fn bound(&self, apart: [f64; 3], bright: &Bright) -> f64 {
        let (r, drift) = self.place(self.sampled(apart).0);
        let beyond = r.abs() - 0.5 * drift.z.abs() - 0.125 * drift.w.abs();
        if beyond <= 1.0 {
            1.0
        } else {
            // Samples see up to π/2 times as much.
            let raised = if self.sampling.is_some() { 0.5 * PI } else { 1.0 };
            let ends = if bright.parts.is_empty() { self.ends.len() as f64 } else { bright.ends };
            (raised * ends / (PI * beyond * self.all)).powi(2).min(1.0)
        }
    }

    /// Where the window is as if nothing were apart: frequency (cycles over the span, at its middle) and drift, without multiples of the samples' frequency.
    pub fn place_seen(&self, apart: [f64; 3]) -> (f64, FrequencyDrift) {
        self.place(self.sampled(apart).0)
    }

    /// The multiple of the samples' frequency, or else of the gaps', by which frequencies differ, within an independent one; none for neither.
    pub fn alias(&self, apart: f64) -> Option<(Relation, i32)> {
        let of_samples = self.samplings(apart);
        if of_samples != 0.0 {
            return Some((Relation::SampleAlias, of_samples as i32));
        }
        let gaps = self.gaps?;
        let times = (apart / gaps).round();
        let near = times != 0.0 && (apart - times * gaps).abs() * self.span < 1.0;
        near.then_some((Relation::Alias, times as i32))
    }
}

/// See [`SourceWindow::place`].
pub(super) fn place([freq, fdot, fddot]: [f64; 3], span: f64, middle: f64) -> (f64, FrequencyDrift) {
    let r = (freq + middle * (fdot + 0.5 * middle * fddot)) * span;
    (r, FrequencyDrift { z: (fdot + middle * fddot) * span * span, w: fddot * span.powi(3) })
}

/// [`curved_between`] where the phase turns fast all the time: what is left of it is at the ends, to a part in `9π` of the width of the drift.
fn ends_between(r: f64, FrequencyDrift { z, w }: FrequencyDrift, (a, b): (f64, f64)) -> Complex<f64> {
    let end = |v: f64| {
        let cycles = v * (r + v * (0.5 * z + v * w / 6.0));
        Complex::from_polar(1.0 / (TAU * (r + v * (z + 0.5 * v * w))), TAU * (cycles - cycles.round()) - 0.5 * PI)
    };
    end(b) - end(a)
}

/// The time from the middle of one interval to that of the next, where most are as far apart, or a multiple of it, as missed ones are.
fn gap_period(ends: &[(f64, f64)]) -> Option<f64> {
    if ends.len() < FEWEST_INTERVALS {
        return None;
    }
    let mut apart: Vec<f64> = ends.windows(2).map(|pair| pair[1].0 - pair[0].0).collect();
    apart.sort_by(f64::total_cmp);
    let median = apart[(apart.len() - 1) / 2];
    let multiple = |d: &&f64| {
        let n = (**d / median).round();
        n >= 1.0 && (**d / median - n).abs() < 0.1
    };
    let regular: Vec<f64> = apart.iter().filter(multiple).copied().collect();
    let periods: f64 = regular.iter().map(|d| (d / median).round()).sum();
    (regular.len() as f64 >= REGULAR_PART * apart.len() as f64).then(|| regular.iter().sum::<f64>() / periods)
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Against the sum over a fine clock, with gaps, an epoch far from the middle, drifts, and far from them.
    #[test]
    fn what_is_seen_elsewhere_is_the_mean_over_the_good_time() {
        let (span, middle) = (1000.0, 700.0);
        let ends = vec![(-0.5, -0.2), (-0.05, 0.1), (0.3, 0.5)];
        let all = ends.iter().map(|(a, b)| b - a).sum();
        let window = SourceWindow { span, middle, ends: ends.clone(), all, gaps: None, sampling: None };
        let defined = |[f, g, h]: [f64; 3]| {
            let n = 40_000;
            let one = |&(a, b): &(f64, f64)| {
                let at = |i: i32| middle + span * (a + (b - a) * (f64::from(i) + 0.5) / f64::from(n));
                let turn = |t: f64| TAU * t * (f + t * (0.5 * g + t * h / 6.0));
                (0..n).map(|i| Complex::from_polar((b - a) / f64::from(n), turn(at(i)))).sum::<Complex<f64>>()
            };
            ends.iter().map(one).sum::<Complex<f64>>() / all
        };
        for (apart, error) in [
            ([0.0, 0.0, 0.0], 1e-9),
            ([2.3e-3, 0.0, 0.0], 1e-6),
            ([-7.1e-3, 1.3e-5, 0.0], 1e-6),
            ([-0.021, 1.3e-5, 3e-8], 1e-4),
            ([0.4, 2e-6, 2e-8], 1e-4),
        ] {
            let (found, expected) = (window.mean(apart, &Bright::default()), defined(apart));
            assert!((found - expected).norm() < error, "{apart:?}: {found} {expected}");
            assert!(window.part(apart) <= window.bound(apart, &Bright::default()) + 1e-6, "{apart:?}");
        }
    }

    /// Of samples it is the sum over them, however many times their frequency away.
    #[test]
    fn samples_see_frequencies_alike() {
        let (dt, span, middle) = (0.5, 100.0, 31.0);
        let ends = vec![(-0.5, -0.1), (0.2, 0.5)];
        let at = middle - 0.5 * span + 0.5 * dt;
        let (all, sampling) = (0.7, Some(Sampling { dt, at }));
        let window = SourceWindow { span, middle, ends, all, gaps: None, sampling };
        let times: Vec<f64> = (0..200).filter(|i| !(80..140).contains(i)).map(|i| at + dt * f64::from(i)).collect();
        for apart in [0.003, 0.9, 2.01, -3.987, 4.0] {
            let turn = |t: &f64| Complex::from_polar(1.0, TAU * apart * t);
            let expected = times.iter().map(turn).sum::<Complex<f64>>() / times.len() as f64;
            let found = window.mean([apart, 0.0, 0.0], &Bright::default());
            assert!((found - expected).norm() < 1e-9, "{apart}: {found} {expected}");
            assert!(
                window.part([apart, 0.0, 0.0]) <= window.bound([apart, 0.0, 0.0], &Bright::default()) + 1e-9,
                "{apart}"
            );
        }
        let of_samples = |k: i32| Some((Relation::SampleAlias, k));
        assert_eq!([2.01, -3.987, 0.9].map(|f| window.alias(f)), [of_samples(1), of_samples(-2), None]);
        assert!((window.unaliased(1.7).unwrap() - 0.3).abs() < 1e-12 && window.unaliased(0.9).is_none());
    }

    #[test]
    fn gaps_of_an_orbit_have_its_period() {
        let orbit: Vec<(f64, f64)> = [0, 1, 2, 4, 5].map(|k| (0.1 * f64::from(k), 0.1 * f64::from(k) + 0.04)).to_vec();
        assert!((gap_period(&orbit).unwrap() - 0.1).abs() < 1e-12);
        assert_eq!(gap_period(&orbit[..2]), None);
        assert_eq!(gap_period(&[(0.0, 0.1), (0.11, 0.2), (0.37, 0.5), (0.8, 1.0)]), None);
    }
}

//! How long each phase bin was observed, and the statistics of a constant source that follow.

use std::f64::consts::PI;
use std::ops::Range;

use rayon::prelude::*;
use rustfft::num_complex::Complex;

use super::PulseEvents;
use crate::base::progress::Progress;
use crate::base::time::DoubleDouble;
use crate::data::phase::{Spin, Ticks};
use crate::numerics::nonuniform::{LeastErrorTransform, PhasedPoint};
use crate::numerics::phasor::PhasorTable;

/// Exposure of each of `nbin` phase bins, s, by the good time intervals `gti` (ticks).
///
/// An interval of length `L` over which the phase advances by `Δφ` cycles exposes a bin for `L/Δφ` times the cycles
/// that lie in it. Whole cycles are counted exactly, and the ends come from exact phases. The change of the frequency
/// within an interval is neglected, which is `ḟL/f` of the exposure.
pub fn exposure(spin: &Spin, ticks: &Ticks, gti: &[(i64, i64)], nbin: usize) -> Vec<f64> {
    // Whole bins by differences, and parts of bins.
    let scale = nbin as f64 * 2f64.powi(-64);
    let (mut steps, mut parts, mut all) = (vec![0.0; nbin + 1], vec![0.0; nbin + 1], 0.0);
    let turning = Turning::new(spin, ticks);
    for &(a, b) in gti.iter().filter(|(a, b)| b > a) {
        let length = (b - a) as f64 * turning.tick;
        let cycles = turning.cycles(a, b);
        let seconds = if cycles > 0.0 { length / cycles } else { 0.0 };
        let whole = cycles.floor();
        all += seconds * whole / nbin as f64;
        // The rest of a cycle, from the first phase on.
        let from = spin.phase(a) as f64 * scale;
        let to = from + (cycles - whole) * nbin as f64;
        let bin = seconds / nbin as f64;
        let mut stretch = |from: f64, to: f64| {
            let (i, j) = ((from.floor() as usize).min(nbin), (to.floor() as usize).min(nbin));
            // Up to each end, less what lies before the other.
            parts[j] += (to - j as f64) * bin;
            parts[i] -= (from - i as f64) * bin;
            steps[i] += bin;
            steps[j] -= bin;
        };
        stretch(from.min(nbin as f64), to.min(nbin as f64));
        if to > nbin as f64 {
            stretch(0.0, to - nbin as f64);
        }
        if cycles <= 0.0 {
            all += length / nbin as f64;
        }
    }
    let mut level = all;
    let mut one = |i: usize| {
        level += steps[i];
        (level + parts[i]).max(0.0)
    };
    (0..nbin).map(&mut one).collect()
}

/// Change of `√Z²` that does not matter.
const NEGLIGIBLE: f64 = 0.01;

/// How many of the first `most` amplitudes `W_h` of the exposure matter; 0 at high frequencies.
///
/// An interval has at most `1/(πh·f)` seconds in `W_h`, so that for `G` intervals in `T` seconds `√(2N)·|W_h| ≤
/// √(2N)·G/(πh·f·T)`, the change of `√Z²`; `N` is [`PulseEvents::effective`]. For frequencies that drift the lowest one
/// is used.
pub fn significant_harmonics(events: &PulseEvents, spin: &Spin, most: usize) -> usize {
    let ticks = &events.ticks;
    let (Some(first), Some(last)) = (events.gti.first(), events.gti.last()) else { return 0 };
    let (fdot, fddot) = (spin.fdot(ticks), spin.fddot(ticks));
    let at = |t: i64| {
        let t = t as f64 * ticks.seconds();
        spin.freq(ticks).value() + t * (fdot + 0.5 * fddot * t)
    };
    // Between the ends it is off the line by so much.
    let least = at(first.0).min(at(last.1)) - fddot.abs() * events.span.powi(2) / 8.0;
    if least <= 0.0 {
        return most;
    }
    let bound = events.gti.len() as f64 / (PI * least * events.exposure);
    (((2.0 * events.effective()).sqrt() * bound / NEGLIGIBLE) as usize).min(most)
}

/// `∫ exp(2πi·h·φ(t)) dt` over the good time intervals `gti` (ticks), s, for `h = 1 … harmonics`; approximated in each
/// interval as in [`exposure`].
pub fn amplitudes(spin: &Spin, ticks: &Ticks, gti: &[(i64, i64)], harmonics: usize) -> Vec<Complex<f64>> {
    let mut sums = vec![Complex::default(); harmonics];
    let turning = Turning::new(spin, ticks);
    for &(a, b) in gti.iter().filter(|(a, b)| b > a) {
        let length = (b - a) as f64 * turning.tick;
        let cycles = turning.cycles(a, b);
        let half = Complex::from_polar(1.0, PI * (cycles % 2.0));
        let (cos, sin) = PhasorTable::shared().of(spin.phase(a));
        let middle = Complex::new(cos, sin) * half;
        let (mut now, mut width) = (Complex::from(length), Complex::from(1.0));
        for (h, sum) in sums.iter_mut().enumerate() {
            now *= middle;
            width *= half;
            let x = PI * (h + 1) as f64 * cycles;
            *sum += if x == 0.0 { now } else { now * (width.im / x) };
        }
    }
    sums
}

/// The amplitudes `W_h` of the exposure: the mean of `exp(2πi·h·φ)` over the good time, for as many harmonics as
/// matter, at most `most`.
pub fn exposure_amplitudes(events: &PulseEvents, spin: &Spin, most: usize) -> Vec<Complex<f64>> {
    let mut sums = amplitudes(spin, &events.ticks, &events.gti, significant_harmonics(events, spin, most));
    let good: f64 = events.gti.iter().map(|(a, b)| (b - a) as f64 * events.ticks.seconds()).sum();
    sums.iter_mut().for_each(|sum| *sum /= good);
    sums
}

/// Intervals from which on the windows of all trials are computed at once.
pub const MANY_INTERVALS: usize = 64;

/// The amplitudes `W_h` of the exposure as [`exposure_amplitudes`] has them, for `h = 1 … harmonics` at `trials` trials from `first` on, `step` apart: of each
/// interval `(e^{2πihφ(b)}/f(b) − e^{2πihφ(a)}/f(a))/(2πih)`, which are sums over the ends of the intervals like those over events. A search of so many
/// trials and intervals takes as long as it does of their sum, not of their product.
pub fn windows(
    events: &PulseEvents,
    [first, step]: [&Spin; 2],
    trials: usize,
    harmonics: usize,
    progress: &Progress,
) -> Vec<Vec<Complex<f64>>> {
    let ticks = &events.ticks;
    let (fdot, fddot, freq) = (first.fdot(ticks), first.fddot(ticks), first.freq(ticks).value());
    let ends: Vec<(i64, f64)> = events.gti.iter().flat_map(|&(a, b)| [(a, -1.0), (b, 1.0)]).collect();
    let good: f64 = events.gti.iter().map(|(a, b)| (b - a) as f64 * ticks.seconds()).sum();
    let transform = LeastErrorTransform::new(trials, ends.len());
    let apart = step.freq(ticks).value();
    let one = |h: u64| {
        let point = |&(t, sign): &(i64, f64)| {
            let seconds = t as f64 * ticks.seconds();
            let freq = freq + seconds * (fdot + 0.5 * fddot * seconds);
            let [first, step] = [first, step].map(|spin| spin.phase(t).wrapping_mul(h));
            PhasedPoint { first, step, weight: sign / freq }
        };
        let fill = |range: Range<usize>, run: &mut Vec<PhasedPoint>| run.extend(ends[range].iter().map(point));
        let sums = transform.sums(ends.len(), fill, |sum| sum, || !progress.is_cancelled());
        let scaled = |(j, sum): (usize, Complex<f64>)| {
            // Over 2πih, and by the frequency of the trial in place of the first one's.
            let size = freq / (freq + j as f64 * apart) / (2.0 * PI * h as f64 * good);
            Complex::new(sum.im * size, -sum.re * size)
        };
        sums.into_iter().enumerate().map(scaled).collect()
    };
    (1..=harmonics as u64).into_par_iter().map(one).collect()
}

/// The parts of the good time intervals `gti`, in order, that lie between the times `from` and `to`; all in ticks.
pub fn clip_intervals(gti: &[(i64, i64)], from: i64, to: i64) -> Vec<(i64, i64)> {
    let first = gti.partition_point(|&(_, b)| b <= from);
    let here = gti.iter().skip(first).take_while(|&&(a, _)| a < to);
    here.map(|&(a, b)| (a.max(from), b.min(to))).collect()
}

/// A spin in seconds: what of it is the same for all intervals, and takes longer to find than an interval does.
struct Turning<'a> {
    spin: &'a Spin,
    /// Seconds of a tick.
    tick: f64,
    freq: DoubleDouble,
    fdot: f64,
    fddot: f64,
}

impl Turning<'_> {
    fn new<'a>(spin: &'a Spin, ticks: &Ticks) -> Turning<'a> {
        let (tick, freq) = (ticks.seconds(), spin.freq(ticks));
        Turning { spin, tick, freq, fdot: spin.fdot(ticks), fddot: spin.fddot(ticks) }
    }

    /// Cycles from `a` to `b`, in ticks; whole ones are counted exactly.
    fn cycles(&self, a: i64, b: i64) -> f64 {
        /// Cycles of a unit of phases: 2⁻⁶⁴.
        const UNIT: f64 = 1.0 / (1u128 << 64) as f64;
        let [a_s, b_s] = [a, b].map(|t| DoubleDouble::product(t as f64, self.tick));
        let length = b_s - a_s;
        let (x, y) = (a_s.value(), b_s.value());
        // f + ḟ(a + b)/2 + f̈(a² + ab + b²)/6 is the mean frequency.
        let drift = 0.5 * self.fdot * (x + y) + self.fddot * (x * x + x * y + y * y) / 6.0;
        let mean = self.freq + DoubleDouble::from(drift);
        let nearly = (length * mean.hi + length * mean.lo).value();
        let rest = self.spin.phase(b).wrapping_sub(self.spin.phase(a)) as f64 * UNIT;
        (nearly - rest).round() + rest
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::data::phase::Ephemeris;

    fn sampled_amplitude(spin: &Spin, ticks: &Ticks, gti: &[(i64, i64)], h: u64) -> Complex<f64> {
        let n = 20_000;
        let one = |&(a, b): &(i64, i64)| {
            let at = |i: i32| spin.phase(a + ((b - a) as f64 * (f64::from(i) + 0.5) / f64::from(n)) as i64);
            let sum: Complex<f64> =
                (0..n).map(|i| PhasorTable::shared().of(at(i).wrapping_mul(h))).map(|(c, s)| Complex::new(c, s)).sum();
            sum * ((b - a) as f64 * ticks.seconds() / f64::from(n))
        };
        gti.iter().map(one).sum()
    }

    /// Against a clock that samples every phase of the intervals finely.
    #[test]
    fn exposures_are_those_of_a_sampled_clock() {
        let ticks =
            Ticks::spanning(DoubleDouble::ZERO, DoubleDouble::from(-2000.0), DoubleDouble::from(2000.0)).unwrap();
        let at = |s: f64| ticks.of(DoubleDouble::from(s));
        type Case<'a> = (f64, f64, &'a [(f64, f64)]);
        let cases: [Case; 4] = [
            (0.0961, 0.0, &[(-1000.0, -700.0), (3.0, 8.0), (100.0, 104.2)]),
            (0.0961, 2e-7, &[(0.5, 17.25), (500.0, 511.0)]),
            (1e-3, 0.0, &[(0.0, 250.0), (900.0, 1100.0)]),
            (0.7, -1e-5, &[(-1999.0, 1500.0)]),
        ];
        for (freq, fdot, seconds) in cases {
            let gti: Vec<(i64, i64)> = seconds.iter().map(|&(a, b)| (at(a), at(b))).collect();
            let spin = Spin::new(&Ephemeris::new(DoubleDouble::ZERO, freq, fdot, 0.0), &ticks).unwrap();
            let nbin = 20;
            let found = exposure(&spin, &ticks, &gti, nbin);
            let total: f64 = seconds.iter().map(|(a, b)| b - a).sum();
            assert!((found.iter().sum::<f64>() / total - 1.0).abs() < 1e-9, "{freq}");
            let mut sampled = vec![0.0; nbin];
            for &(a, b) in &gti {
                let n = 200_000;
                for i in 0..n {
                    let t = a + ((b - a) as f64 * (f64::from(i) + 0.5) / f64::from(n)) as i64;
                    sampled[crate::kernels::fold::bin_of(spin.phase(t), nbin)] +=
                        (b - a) as f64 * ticks.seconds() / f64::from(n);
                }
            }
            let found_amplitudes = amplitudes(&spin, &ticks, &gti, 3);
            for (h, found) in (1..).zip(&found_amplitudes) {
                let expected = sampled_amplitude(&spin, &ticks, &gti, h);
                assert!((found - expected).norm() < 2e-3 * total, "{freq}, {h}: {found} {expected}");
            }
            for (f, s) in found.iter().zip(&sampled) {
                assert!((f - s).abs() < 3e-3 * total / nbin as f64 + 2e-3, "{freq}: {found:?} {sampled:?}");
            }
        }
    }

    #[test]
    fn many_intervals_expose_all_bins_alike() {
        let ticks = Ticks::spanning(DoubleDouble::ZERO, DoubleDouble::from(0.0), DoubleDouble::from(1000.0)).unwrap();
        let at = |s: f64| ticks.of(DoubleDouble::from(s));
        let many = 100_000;
        let starts = (0..many).map(|i| f64::from(i) * (1000.0 / f64::from(many)));
        let gti: Vec<(i64, i64)> = starts.map(|start| (at(start), at(start + 0.008))).collect();
        let spin = Spin::from_frequency(1.234, &ticks).unwrap();
        let found = exposure(&spin, &ticks, &gti, 16);
        assert!((found.iter().sum::<f64>() / 800.0 - 1.0).abs() < 1e-9, "{found:?}");
        assert!(found.iter().all(|one| (one / 50.0 - 1.0).abs() < 0.01), "{found:?}");
    }

    /// All trials at once, with a drift, against each interval by itself: to 2e-6 of the whole, which is what the drift within the intervals takes.
    #[test]
    fn windows_of_all_trials_are_those_of_each() {
        use crate::base::random::Random;
        let mut random = Random::new(3);
        let ticks = Ticks::spanning(DoubleDouble::ZERO, DoubleDouble::from(-600.0), DoubleDouble::from(600.0)).unwrap();
        let at = |s: f64| ticks.of(DoubleDouble::from(s));
        let gti: Vec<(i64, i64)> = (0..150)
            .map(|i| {
                let start = -550.0 + 7.0 * f64::from(i) + random.uniform();
                (at(start), at(start + 0.01 + 5.0 * random.uniform()))
            })
            .collect();
        let exposure = gti.iter().map(|(a, b)| (b - a) as f64 * ticks.seconds()).sum();
        let (timing, mjdref, record) = (None, None, crate::data::Record::default());
        let (times, weights, span) = (Vec::new(), None, 1100.0);
        let events = PulseEvents { ticks, times, weights, gti, exposure, span, timing, mjdref, record };
        let spin = |freq: f64, fdot: f64| {
            Spin::new(&Ephemeris::new(DoubleDouble::ZERO, freq, fdot, 0.0), &events.ticks).unwrap()
        };
        for (freq, fdot) in [(0.3, 0.0), (2.7, -3e-7)] {
            let step = 1e-4;
            let found = windows(&events, [&spin(freq, fdot), &spin(step, 0.0)], 200, 4, &Progress::default());
            for j in [0, 7, 199] {
                let spin = spin(freq + f64::from(j) * step, fdot);
                let expected = amplitudes(&spin, &events.ticks, &events.gti, 4);
                for (h, expected) in expected.iter().enumerate() {
                    let (found, expected) = (found[h][j as usize], expected / events.exposure);
                    assert!((found - expected).norm() < 2e-6, "{freq} {j} {h}: {found} {expected}");
                }
            }
        }
    }
}

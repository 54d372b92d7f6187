//! What sources have at other frequencies and derivatives than their own: complex amplitudes, so that they can be taken off.
//!
//! A harmonic of a source with the frequency `f_s` (and derivatives) is a tone: with the sum `c` of its events' `exp(2πi·φ_s)`, and with the mean
//! `W(Δ)` of `exp(2πi·Δφ)` over the good time ([`SourceWindow::mean`]), the sum at another frequency is
//!
//! ```text
//! S(f) = Σ_s c_s·W_s(f − f_s) + conj(c_s)·W_s(f + f_s) + noise
//! ```
//!
//! with `W_s` weighted by the brightness of a source that fades or flares.
//! The same holds at the frequencies of the tones themselves, of which the `c` of all together follow.

use std::sync::Arc;

use rustfft::num_complex::Complex;

use super::brightness::Brightness;
use super::window::{Bright, SourceWindow};

/// Power, in units of half of that of noise, that is neither a tone nor taken off.
const LEAST_TONE: f64 = 6.0;
/// See [`LEAST_TONE`].
const NEGLIGIBLE: f64 = 0.01;
/// Tones that are more alike than that are one.
const ALIKE: f64 = 0.9;
/// Sweeps over the equations, each of which leaves less.
const MOST_SWEEPS: usize = 200;
/// A change of an amplitude, as a part of it, with which the equations are solved.
const SOLVED: f64 = 1e-7;

/// A harmonic of a source.
#[derive(Clone)]
struct Tone {
    source: usize,
    /// Its frequency over that of the source.
    ratio: (u32, u32),
    rates: [f64; 3],
    bright: Arc<Bright>,
    /// The sum of the events there, and what of it is its own.
    measured: Complex<f64>,
    own: Complex<f64>,
}

/// What there is of a source at its frequency and derivatives.
pub(super) struct Seen<'a> {
    pub rates: [f64; 3],
    /// The sums of the events at its harmonics.
    pub sums: &'a [Complex<f64>],
    pub brightness: &'a Brightness,
}

/// The tones of all sources.
pub(super) struct Tones<'a> {
    window: &'a SourceWindow,
    /// `Σw²` of the events.
    squares: f64,
    tones: Vec<Tone>,
    /// `W(f_i − f_j)` and `W(f_i + f_j)`.
    seen: Vec<Vec<[Complex<f64>; 2]>>,
    /// What tones add to the sum of the events itself.
    total: f64,
}

/// What tones have at a frequency and its harmonics.
#[derive(Clone, Default)]
pub(super) struct Prediction {
    /// The sum at each harmonic, and the sizes of what it is made of.
    pub sums: Vec<(Complex<f64>, f64)>,
    /// What the sum of the events has of them.
    pub total: f64,
    /// The tone that has the most there.
    pub main: Option<MainTone>,
}

/// The tone that has the most at a frequency.
#[derive(Clone, Copy)]
pub(super) struct MainTone {
    /// Its source and its frequency over that of the source.
    pub source: usize,
    /// See `source`.
    pub ratio: (u32, u32),
    /// The harmonic of the frequency that sees it, and how far that is from the tone.
    pub harmonic: u32,
    /// See `harmonic`.
    pub apart: [f64; 3],
    power: f64,
}

impl<'a> Tones<'a> {
    pub fn new(window: &'a SourceWindow, squares: f64) -> Tones<'a> {
        Tones { window, squares, tones: Vec::new(), seen: Vec::new(), total: 0.0 }
    }

    /// Power of an amplitude, in units of half of that of noise.
    fn power(&self, amplitude: Complex<f64>) -> f64 {
        2.0 * amplitude.norm_sqr() / self.squares.max(f64::MIN_POSITIVE)
    }

    /// `W` there; 0 where it is negligible for such a power.
    fn mean(&self, apart: [f64; 3], power: f64, bright: &Bright) -> Complex<f64> {
        if power * self.window.bound(apart, bright) < NEGLIGIBLE {
            Complex::default()
        } else {
            self.window.mean(apart, bright)
        }
    }

    /// Adds the harmonics of a frequency, which is `ratio` of that of the source, with the sums of events: those that are no noise, and no tones yet.
    pub fn add(&mut self, source: usize, ratio: (u32, u32), seen: &Seen) {
        let bright = Arc::new(self.window.bright(seen.brightness));
        for (h, &measured) in (1u32..).zip(seen.sums) {
            let rates = seen.rates.map(|rate| f64::from(h) * rate);
            let power = self.power(measured);
            if power < LEAST_TONE {
                continue;
            }
            let apart = |tone: &Tone, sign: f64| std::array::from_fn(|i| rates[i] + sign * tone.rates[i]);
            // By the brightness of the other and by its own.
            let of = |tone: &Tone, bright: &Bright| {
                let most = power.max(self.power(tone.measured));
                [self.mean(apart(tone, -1.0), most, bright), self.mean(apart(tone, 1.0), most, bright)]
            };
            let mut row: Vec<[Complex<f64>; 2]> = self.tones.iter().map(|tone| of(tone, &tone.bright)).collect();
            if row.iter().any(|[difference, _]| difference.norm() > ALIKE) {
                continue;
            }
            let column: Vec<[Complex<f64>; 2]> = self.tones.iter().map(|tone| of(tone, &bright)).collect();
            let ratio = reduced(ratio.0.saturating_mul(h), ratio.1);
            let own = [1.0.into(), self.mean(rates.map(|rate| 2.0 * rate), power, &bright)];
            let tone = Tone { source, ratio, rates, bright: bright.clone(), measured, own: measured };
            for (seen, [difference, sum]) in self.seen.iter_mut().zip(&column) {
                seen.push([difference.conj(), *sum]);
            }
            row.push(own);
            self.seen.push(row);
            self.tones.push(tone);
        }
        self.solve();
    }

    /// What each tone has of its own, by Gauss and Seidel: their equations are those of least squares.
    fn solve(&mut self) {
        for _ in 0..MOST_SWEEPS {
            let mut change = 0f64;
            for (i, seen) in self.seen.iter().enumerate() {
                let others: Complex<f64> = seen
                    .iter()
                    .zip(&self.tones)
                    .enumerate()
                    .map(|(j, ([difference, sum], tone))| {
                        let direct = if i == j { Complex::default() } else { difference * tone.own };
                        direct + sum * tone.own.conj()
                    })
                    .sum();
                if let Some(tone) = self.tones.get_mut(i) {
                    let own = tone.measured - others;
                    change = change.max((own - tone.own).norm() / tone.measured.norm());
                    tone.own = own;
                }
            }
            if change < SOLVED {
                break;
            }
        }
        let of_total =
            |tone: &Tone| 2.0 * (tone.own * self.mean(tone.rates, self.power(tone.own), &tone.bright).conj()).re;
        self.total = self.tones.iter().map(of_total).sum();
    }

    /// Those of some of the sources alone.
    pub fn of(&self, sources: &[usize]) -> Tones<'a> {
        let tones = self.tones.iter().filter(|tone| sources.contains(&tone.source)).cloned().collect();
        Tones { tones, seen: Vec::new(), ..Tones::new(self.window, self.squares) }
    }

    /// The rates and the amplitudes of all.
    pub fn each(&self) -> impl Iterator<Item = ([f64; 3], Complex<f64>)> {
        self.tones.iter().map(|tone| (tone.rates, tone.own))
    }

    /// A source turns out to have a `k`-th of its frequency.
    pub fn divide(&mut self, source: usize, k: u32) {
        for tone in self.tones.iter_mut().filter(|tone| tone.source == source) {
            tone.ratio = reduced(tone.ratio.0.saturating_mul(k), tone.ratio.1);
        }
    }

    /// What tones have at the first `harmonics` of a frequency with its derivatives.
    pub fn predict(&self, rates: [f64; 3], harmonics: usize) -> Prediction {
        let mut found = Prediction { total: self.total, ..Prediction::default() };
        for h in 1..=harmonics as u32 {
            let (mut sum, mut size) = (Complex::default(), 0.0);
            for tone in &self.tones {
                let all = self.power(tone.own);
                let apart = |sign: f64| std::array::from_fn(|i| f64::from(h) * rates[i] + sign * tone.rates[i]);
                for (apart, own) in [(apart(-1.0), tone.own), (apart(1.0), tone.own.conj())] {
                    let part = own * self.mean(apart, all, &tone.bright);
                    let power = self.power(part);
                    (sum, size) = (sum + part, size + part.norm());
                    if power > found.main.map_or(0.0, |main| main.power) {
                        let &Tone { source, ratio, .. } = tone;
                        found.main = Some(MainTone { source, ratio, harmonic: h, apart, power });
                    }
                }
            }
            found.sums.push((sum, size));
        }
        found
    }
}

/// A ratio in smallest numbers.
pub(super) fn reduced(a: u32, b: u32) -> (u32, u32) {
    let divisor = divisor(a, b).max(1);
    (a / divisor, b / divisor)
}

fn divisor(a: u32, b: u32) -> u32 {
    if b == 0 { a } else { divisor(b, a % b) }
}

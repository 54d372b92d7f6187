//! The Fourier transform of all events of a search, as acceleration searches use it.

use std::f64::consts::{LN_2, PI};

use rayon::prelude::*;
use rustfft::num_complex::Complex;

use super::PulseEvents;
use crate::numerics::fft::CpuFft;

/// Seconds from the epoch to the middle of all good time.
pub fn middle(events: &PulseEvents) -> f64 {
    let (start, stop) = ends(events);
    0.5 * (start as f64 + stop as f64) * events.ticks.seconds()
}

/// The first start and the last stop, ticks.
fn ends(events: &PulseEvents) -> (i64, i64) {
    let start = events.gti.iter().map(|gti| gti.0).min().unwrap_or(0);
    (start, events.gti.iter().map(|gti| gti.1).max().unwrap_or(0).max(start + 1))
}

/// Fourier amplitudes `√(2/N)·Σ exp(−2πik·v)` of all events, one a Fourier bin `k`; `v` is the time from the middle of
/// the observation in units of its length (the span). `|A|²` of Poisson noise has mean 2.
pub struct FourierAmplitudes {
    amplitudes: Vec<Complex<f32>>,
    /// Number of time bins that were transformed.
    pub bins: usize,
    /// Seconds from the epoch to the middle of the observation.
    pub middle: f64,
    /// Logarithm of the middle of blocks, bins, and the level of the noise there, of Poisson's; empty unless detrended.
    levels: Vec<(f64, f64)>,
}

impl FourierAmplitudes {
    /// The amplitudes of events in `bins` time bins over the span. For weighted events they are sums of weights, with
    /// `Σw²` in place of `N`.
    pub fn new(events: &PulseEvents, bins: usize, detrend: bool) -> FourierAmplitudes {
        let (start, stop) = ends(events);
        let fft = CpuFft::new(bins);
        let mut work = fft.work();
        let scale = bins as f64 / (stop - start) as f64;
        let weights = events.each_weight().into_iter().flatten().copied().chain(std::iter::repeat(1.0));
        for (&t, weight) in events.times.iter().zip(weights) {
            let bin = ((t - start) as f64 * scale) as usize;
            if let Some(count) = work.input.get_mut(bin.min(bins - 1)) {
                *count += weight;
            }
        }
        fft.process(&mut work);
        let size = (2.0 / events.sums()[1]).sqrt();
        // Bins count where they are in the middle, from the middle of all.
        let centred = |(k, a): (usize, &Complex<f64>)| {
            let turn = Complex::from_polar(if k % 2 == 0 { size } else { -size }, -PI * k as f64 / bins as f64);
            let amplitude = a * turn;
            Complex::new(amplitude.re as f32, amplitude.im as f32)
        };
        let mut amplitudes: Vec<Complex<f32>> = work.output.par_iter().enumerate().map(centred).collect();
        // The mean is no signal.
        amplitudes[0] = Complex::default();
        let mut made = FourierAmplitudes { amplitudes, bins, middle: middle(events), levels: Vec::new() };
        if detrend {
            made.levels = levels(&made.amplitudes);
            let whiten = |(k, a): (usize, &Complex<f32>)| a / made.level(k as f64).sqrt() as f32;
            made.amplitudes = made.amplitudes.par_iter().enumerate().map(whiten).collect();
        }
        made
    }

    /// Noise level relative to Poisson's at position `place`, in Fourier bins.
    pub fn level(&self, place: f64) -> f64 {
        let x = place.max(1.0).ln();
        let behind = self.levels.partition_point(|(at, _)| *at < x);
        match (behind.checked_sub(1).and_then(|i| self.levels.get(i)), self.levels.get(behind)) {
            (Some(a), Some(b)) => a.1 + (b.1 - a.1) * (x - a.0) / (b.0 - a.0),
            (Some(one), None) | (None, Some(one)) => one.1,
            (None, None) => 1.0,
        }
    }

    /// [`FourierAmplitudes::level`] at the harmonics 1 to `harmonics` of a position; empty unless detrended.
    pub fn levels(&self, place: f64, harmonics: usize) -> Vec<f64> {
        let all = if self.levels.is_empty() { 0 } else { harmonics };
        (1..=all).map(|h| self.level(h as f64 * place)).collect()
    }

    /// `length` amplitudes from bin `from` on, which may be negative; zeros beyond the end.
    pub fn stretch(&self, from: i64, length: usize) -> Vec<Complex<f32>> {
        let at = |k: i64| {
            let found = usize::try_from(k.unsigned_abs()).ok().and_then(|k| self.amplitudes.get(k));
            let found = found.copied().unwrap_or_default();
            if k < 0 { found.conj() } else { found }
        };
        (from..from + length as i64).map(at).collect()
    }
}

/// Medians of blocks of bins that widen from 16 to 4096, over that of Poisson noise, `2·ln 2`.
fn levels(amplitudes: &[Complex<f32>]) -> Vec<(f64, f64)> {
    let (mut first, mut blocks) = (1, Vec::new());
    while let Some(rest) = amplitudes.get(first..).filter(|rest| rest.len() >= 16) {
        let width = (first / 4).clamp(16, 4096);
        // The last block takes what is left.
        let width = if rest.len() < 2 * width { rest.len() } else { width };
        let mut powers: Vec<f32> = rest.iter().take(width).map(|a| a.norm_sqr()).collect();
        let (_, median, _) = powers.select_nth_unstable_by(width / 2, f32::total_cmp);
        let middle = first as f64 + 0.5 * (width - 1) as f64;
        blocks.push((middle.ln(), (f64::from(*median) / (2.0 * LN_2)).max(1e-6)));
        first += width;
    }
    blocks
}

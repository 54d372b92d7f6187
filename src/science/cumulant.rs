//! The bispectrum as Stingray 2.3.2 defines it: the transform of a windowed third-order cumulant.
//!
//! `c(τ₁,τ₂) = Σ_t x_t x_{t+τ₁} x_{t+τ₂}` of a segment whose mean is subtracted, for lags of `−L` to `L` bins, divided
//! by `n` (biased) or by the number of its terms (unbiased); `B(k,l) = Σ W(τ₁,τ₂)·c(τ₁,τ₂)·e^{−2πi(kτ₁ + lτ₂)/(2L+1)}`
//! for `k, l = −L … L`. The window of a cumulant is `w(τ₁)·w(τ₂)·w(τ₂−τ₁)` (Rao & Gabr 1984,
//! doi:10.1007/978-1-4684-6318-7). Stingray has `τ₁+τ₂` in the last factor, and 0 from `L` on, so that its uniform
//! window is not the same as no window; and its frequencies are `k/(2L·dt)`, where those of the transform are
//! `k/((2L+1)·dt)`. Both are kept here, so that the results are Stingray's. [`bispectrum`](super::bispectrum) has the
//! definition to use otherwise.

use std::f64::consts::TAU;

use rayon::prelude::*;
use rustfft::FftPlanner;
use rustfft::num_complex::Complex;
use serde::Serialize;

use super::bispectrum::{BispectrumMetadata, metadata};
use crate::base::choice::choice;
use crate::base::error::{Error, Result};
use crate::base::footprint::Footprint;
use crate::base::progress::Progress;
use crate::data::Record;

/// More lags than memory and time allow by mistake.
const MOST_LAGS: usize = 1 << 12;

/// A window over the lags of a cumulant, with the name and the formula that Stingray has.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "kebab-case")]
#[non_exhaustive]
pub enum LagWindow {
    /// The same weight, 1, for all lags.
    Uniform,
    /// Parzen's window, made of cubic pieces.
    Parzen,
    /// Hamming's window, `0.54 + 0.46·cos`.
    Hamming,
    /// Hann's window, `0.5 + 0.5·cos`.
    Hanning,
    /// The triangular window, `1 − |τ|/(2L+1)`.
    Triangular,
    /// Welch's window, `1 − (τ/L)²`.
    Welch,
    /// Blackman's exact window, of three terms; Stingray writes `blackmann`.
    Blackman,
    /// The flat-top window, of five terms; 4.636 at zero lag.
    FlatTop,
}

choice!(
    LagWindow, "window":
    Uniform = "uniform",
    Parzen = "parzen",
    Hamming = "hamming",
    Hanning = "hanning",
    Triangular = "triangular",
    Welch = "welch",
    Blackman = "blackman" | "blackmann",
    FlatTop = "flat-top",
);

/// Options of a bispectrum by Stingray's definition.
#[derive(Clone, Copy, Debug, Default, PartialEq, Serialize)]
pub struct CumulantOptions {
    /// Largest lag `L`, bins; `None` for half a segment.
    pub max_lag: Option<usize>,
    /// The window over lags; `None` weighs all lags alike.
    pub window: Option<LagWindow>,
    /// True: divide each cumulant by the number of its terms (unbiased). False: by the number of bins (biased).
    pub unbiased: bool,
    /// Highest frequency that is kept, Hz; `None` keeps all.
    pub max_freq: Option<f64>,
}

/// Accumulates the cumulants of segments of equal length: make one with `new`, and call `add` for each segment; the
/// engine finishes it.
pub(crate) struct CumulantSums {
    n: usize,
    lag: usize,
    options: CumulantOptions,
    /// By τ₁ and τ₂, both from −L on.
    cumulant: Vec<f64>,
    segments: u64,
    photons: f64,
}

/// A bispectrum by Stingray's definition, one entry a pair of positive or negative frequencies, both ascending. All
/// columns have the same length. The formulas are in the [module](self).
#[derive(Clone, Debug)]
#[non_exhaustive]
pub struct CumulantBispectrum {
    /// Frequency that belongs to the first lag, Hz.
    pub freq1: Vec<f64>,
    /// Frequency that belongs to the second lag, Hz. It varies faster than `freq1` from row to row.
    pub freq2: Vec<f64>,
    /// Real part of the bispectrum, counts³.
    pub bispectrum_re: Vec<f64>,
    /// Imaginary part of the bispectrum, counts³.
    pub bispectrum_im: Vec<f64>,
    /// Modulus of the bispectrum, counts³.
    pub magnitude: Vec<f64>,
    /// Biphase: the phase of the bispectrum, rad, −π to π.
    pub biphase: Vec<f64>,
    /// Metadata: resolution, normalisation, record.
    pub meta: BispectrumMetadata,
}

impl LagWindow {
    /// The value at a lag of `lag` bins, of −L to L.
    fn at(self, lag: i64, most: usize) -> f64 {
        let (tau, most) = (lag.unsigned_abs() as f64, most as f64);
        // Cosines that are −1 at the ends: those of the peer, whose argument begins there, with the sign of odd terms turned.
        let cos = |times: f64| (times * TAU / 2.0 * tau / most).cos();
        match self {
            LagWindow::Uniform => 1.0,
            LagWindow::Parzen => {
                let part = tau / most;
                match tau <= (most / 2.0 + 0.5).floor() {
                    true => 1.0 - 6.0 * (1.0 - part) * part * part,
                    false => 2.0 * (1.0 - part).powi(3),
                }
            }
            LagWindow::Hamming => 0.54 + 0.46 * cos(1.0),
            LagWindow::Hanning => 0.5 * (1.0 + cos(1.0)),
            LagWindow::Triangular => 1.0 - tau / (2.0 * most + 1.0),
            LagWindow::Welch => 1.0 - (tau / most).powi(2),
            LagWindow::Blackman => 0.42659 + 0.49656 * cos(1.0) + 0.076849 * cos(2.0),
            LagWindow::FlatTop => 1.0 + 1.93 * cos(1.0) + 1.29 * cos(2.0) + 0.388 * cos(3.0) + 0.028 * cos(4.0),
        }
    }
}

impl CumulantSums {
    /// Empty sums for segments of `n` bins.
    ///
    /// # Errors
    /// The largest lag is 0 or a whole segment, or there are more lags than memory holds.
    pub fn new(n: usize, options: CumulantOptions) -> Result<CumulantSums> {
        let lag = options.max_lag.unwrap_or(n / 2);
        if lag == 0 || lag >= n || lag > MOST_LAGS {
            let message = format!("bins; 1 to {} are possible, below a segment of {n}", MOST_LAGS.min(n.max(2) - 1));
            return Err(Error::argument("max_lag", lag, message));
        }
        // Sums, cells of the transform twice, its values, and six columns.
        let cells = (2 * lag as u64 + 1).pow(2);
        Footprint::less_by(&["max_lag"])
            .and(cells, size_of::<f64>() + 3 * size_of::<Complex<f64>>() + 6 * size_of::<f64>())
            .and(n + 2 * lag, size_of::<f64>())
            .check(&format!("the bispectrum of {cells} pairs of lags"))?;
        let cumulant = vec![0.0; (2 * lag + 1) * (2 * lag + 1)];
        Ok(CumulantSums { n, lag, options, cumulant, segments: 0, photons: 0.0 })
    }

    /// Adds a segment; `values` are its counts (or flux), one a bin.
    pub fn add(&mut self, values: &[f64], progress: &Progress) {
        // Nothing has no cumulant.
        if values.iter().all(|value| *value == 0.0) {
            self.segments += 1;
            return;
        }
        let (lag, size) = (self.lag, 2 * self.lag + 1);
        let mean = values.iter().sum::<f64>() / self.n as f64;
        // Nothing is beyond the ends: x_t is at t + L.
        let mut x = vec![0.0; self.n + 2 * lag];
        x[lag..].iter_mut().zip(values).for_each(|(x, value)| *x = value - mean);
        self.cumulant.par_chunks_mut(size).enumerate().for_each(|(first, row)| {
            // Nobody looks at what comes of a run that was cancelled.
            if progress.is_cancelled() {
                return;
            }
            for t in 0..self.n {
                let pair = x[t + lag] * x[t + first];
                row.iter_mut().zip(&x[t..]).for_each(|(sum, third)| *sum += pair * third);
            }
        });
        self.segments += 1;
        self.photons += mean * self.n as f64;
    }

    /// Terms of the sum at two lags, at least 1.
    fn terms(&self, first: i64, second: i64) -> f64 {
        let beyond = first.max(second).max(0) - first.min(second).min(0);
        (self.n as i64 - beyond).max(1) as f64
    }

    /// The mean bispectrum of all segments; at least one must have come.
    pub(crate) fn finish(self, dt: f64, record: Record) -> CumulantBispectrum {
        let (lag, size, m) = (self.lag as i64, 2 * self.lag + 1, self.segments.max(1) as f64);
        let CumulantOptions { window, unbiased, max_freq, .. } = self.options;
        let weight = |first: i64, second: i64| {
            let terms = if unbiased { self.terms(first, second) } else { self.n as f64 };
            let window = window.map_or(1.0, |window| {
                let across = (first + second).abs();
                let at = |lag| window.at(lag, self.lag);
                if across < lag { at(first) * at(second) * at(across) } else { 0.0 }
            });
            window / terms / m
        };
        // Lags and frequencies of a transform begin at 0, and negative ones follow the positive.
        let place = |i: i64| i.rem_euclid(size as i64) as usize;
        let mut cells = vec![Complex::new(0.0, 0.0); size * size];
        for (first, row) in (-lag..).zip(self.cumulant.chunks(size)) {
            for (second, value) in (-lag..).zip(row) {
                cells[place(first) * size + place(second)].re = value * weight(first, second);
            }
        }
        let fft = FftPlanner::new().plan_fft_forward(size);
        for _ in 0..2 {
            fft.process(&mut cells);
            cells = (0..size * size).map(|i| cells[i % size * size + i / size]).collect();
        }
        let freq = |k: i64| k as f64 / (2 * lag) as f64 / dt;
        let kept: Vec<i64> = (-lag..=lag).filter(|&k| max_freq.is_none_or(|most| freq(k).abs() <= most)).collect();
        let pairs = || kept.iter().flat_map(|&k| kept.iter().map(move |&l| (k, l)));
        let values: Vec<Complex<f64>> = pairs().map(|(k, l)| cells[place(k) * size + place(l)]).collect();
        CumulantBispectrum {
            freq1: pairs().map(|(k, _)| freq(k)).collect(),
            freq2: pairs().map(|(_, l)| freq(l)).collect(),
            bispectrum_re: values.iter().map(|b| b.re).collect(),
            bispectrum_im: values.iter().map(|b| b.im).collect(),
            magnitude: values.iter().map(|b| b.norm()).collect(),
            biphase: values.iter().map(|b| b.arg()).collect(),
            meta: BispectrumMetadata { df: freq(1), ..metadata(self.n, dt, self.segments, self.photons, record) },
        }
    }
}

impl CumulantBispectrum {
    /// Number of pairs of frequencies.
    pub fn len(&self) -> usize {
        self.freq1.len()
    }

    /// True if there is no pair of frequencies.
    pub fn is_empty(&self) -> bool {
        self.freq1.is_empty()
    }

    /// Index of the pair with the largest modulus among pairs of positive frequencies; `None` if there is none.
    pub fn peak(&self) -> Option<usize> {
        let positive = (0..self.len()).filter(|&i| self.freq1[i] > 0.0 && self.freq2[i] > 0.0);
        positive.max_by(|&a, &b| self.magnitude[a].total_cmp(&self.magnitude[b]))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::base::random::Random;

    /// `stingray.utils.create_window(17, name)` at lags of 0, 3, 4, 5 and 8 bins of 8.
    #[test]
    fn windows_are_the_peer_s() {
        use LagWindow::*;
        for (window, expected) in [
            (Uniform, [1.0; 5]),
            (Parzen, [1.0, 0.47265625, 0.25, 0.10546875, 0.0]),
            (Hamming, [1.0, 0.7160343788879416, 0.54, 0.36396562111205866, 0.08]),
            (Hanning, [1.0, 0.6913417161825451, 0.5, 0.30865828381745497, 0.0]),
            (Triangular, [1.0, 0.8235294117647058, 0.7647058823529411, 0.7058823529411764, 0.5294117647058824]),
            (Welch, [1.0, 0.859375, 0.75, 0.609375, 0.0]),
            (Blackman, [0.999999, 0.5622748361478043, 0.349741, 0.182224265797386, 0.006879]),
            (FlatTop, [4.636, 0.4679460181195996, -0.262, -0.29228151358089033, 0.0]),
        ] {
            for (lag, expected) in [0, 3, -4, 5, -8].into_iter().zip(expected) {
                let found = window.at(lag, 8);
                assert!((found - expected).abs() < 1e-14, "{window:?} {lag}: {found} {expected}");
            }
        }
    }

    #[test]
    fn every_pair_has_the_values_of_the_definition() {
        let mut random = Random::new(9);
        let window = Some(LagWindow::Parzen);
        for (n, max_lag, window, unbiased) in
            [(12, None, None, false), (13, Some(4), window, true), (9, Some(8), window, false)]
        {
            let segments: Vec<Vec<f64>> = (0..3).map(|_| (0..n).map(|_| random.below(20) as f64).collect()).collect();
            let mut sums = CumulantSums::new(n, CumulantOptions { max_lag, window, unbiased, max_freq: None }).unwrap();
            segments.iter().for_each(|values| sums.add(values, &Progress::default()));
            let made = sums.finish(0.5, Record::default());
            let lag = max_lag.unwrap_or(n / 2) as i64;
            let weight = |first: i64, second: i64| match window {
                Some(w) if (first + second).abs() < lag => {
                    [first, second, first + second].iter().map(|&t| w.at(t, lag as usize)).product()
                }
                Some(_) => 0.0,
                None => 1.0,
            };
            let mut at = 0;
            for (k, l) in (-lag..=lag).flat_map(|k| (-lag..=lag).map(move |l| (k, l))) {
                let mut sum = Complex::new(0.0, 0.0);
                for (first, second) in (-lag..=lag).flat_map(|a| (-lag..=lag).map(move |b| (a, b))) {
                    for values in &segments {
                        let mean = values.iter().sum::<f64>() / n as f64;
                        let x = |t: i64| values.get(usize::try_from(t).ok()?).map(|value| value - mean);
                        let terms: Vec<f64> =
                            (0..n as i64).filter_map(|t| Some(x(t)? * x(t + first)? * x(t + second)?)).collect();
                        let of = if unbiased { terms.len().max(1) } else { n } as f64;
                        let angle = -TAU * (k * first + l * second) as f64 / (2 * lag + 1) as f64;
                        let c = terms.iter().sum::<f64>() / of / 3.0;
                        sum += Complex::from_polar(c * weight(first, second), angle);
                    }
                }
                assert_eq!((made.freq1[at], made.freq2[at]), (k as f64 / lag as f64, l as f64 / lag as f64));
                let got = Complex::new(made.bispectrum_re[at], made.bispectrum_im[at]);
                assert!((got - sum).norm() < 1e-9 * (1.0 + sum.norm()), "{n}: {k} {l}: {got} {sum}");
                assert!((Complex::from_polar(made.magnitude[at], made.biphase[at]) - got).norm() < 1e-9);
                at += 1;
            }
            assert_eq!((made.len(), made.meta.segments), (at, 3));
        }
        for max_lag in [Some(0), Some(5), None] {
            let n = if max_lag.is_some() { 5 } else { 4 * MOST_LAGS };
            assert!(CumulantSums::new(n, CumulantOptions { max_lag, ..CumulantOptions::default() }).is_err());
        }
    }
}

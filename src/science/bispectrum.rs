//! Bispectrum, bicoherence and biphase, averaged over segments (Kim & Powers 1979, doi:10.1109/TPS.1979.4317207).
//!
//! `B(k,l) = ⟨X_k X_l X*_{k+l}⟩`, `b² = |⟨X_k X_l X*_{k+l}⟩|²/(⟨|X_k X_l|²⟩⟨|X_{k+l}|²⟩)`, biphase `arg B`, with
//! `X_k = Σ_j x_j e^{−2πi jk/n}`. `b²` is the part of the power at `k + l` that the coupling of `k` and `l` explains, from 0 to 1. Of Gaussian
//! noise in m segments it has the mean 1/m and exceeds `b²` with the probability `e^{−m b²}` (Elgar & Guza 1988, 2m b² being χ² of 2
//! degrees of freedom), and all biphases are equally likely.

use rayon::prelude::*;
use rustfft::num_complex::Complex;
use serde::{Deserialize, Serialize};

use crate::base::error::{Error, Result};
use crate::base::progress::Progress;
use crate::data::Record;
use crate::numerics::fft::{CpuFft, CpuFftBuffers, frequencies};

/// More cells than memory and time allow by mistake.
const MOST_CELLS: usize = 1 << 28;

/// Accumulates the bispectrum of segments of equal length: make one with `new`, and call `add` for each segment; the
/// engine finishes it. [`CumulantSums`](super::cumulant::CumulantSums) and
/// [`MultitaperSums`](super::multitaper::MultitaperSums) work likewise.
pub(crate) struct BispectrumSums {
    n: usize,
    fft: CpuFft,
    work: CpuFftBuffers,
    /// By k: sums for l = 1 … min(k, last − k).
    rows: Vec<Vec<PairSums>>,
    /// Σ|X_k|², k from 0 on.
    power: Vec<f64>,
    segments: u64,
    photons: f64,
}

#[derive(Clone, Copy, Default)]
struct PairSums {
    triple: Complex<f64>,
    /// Σ|X_k X_l|².
    pair: f64,
}

/// Metadata of a bispectrum.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct BispectrumMetadata {
    /// Number of bins in a segment.
    pub n: usize,
    /// Number of segments averaged.
    pub segments: u64,
    /// Bin width, s.
    pub dt: f64,
    /// Frequency resolution, Hz.
    pub df: f64,
    /// Length of a segment, s.
    pub segment_size: f64,
    /// Mean number of photons (or sum of the flux) in a segment.
    pub nphots: f64,
    /// Mean counts (or flux) in a bin.
    pub mean: f64,
    /// Mean squared bicoherence of Gaussian noise, 1/m. `None` for the bispectrum by Stingray's definition.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub noise: Option<f64>,
    /// Time in the averaged segments, s.
    pub exposure: f64,
    /// What made the product.
    #[serde(flatten)]
    pub record: Record,
}

/// A bispectrum averaged over segments, one entry a pair of frequencies with `0 < freq2 ≤ freq1` whose sum lies within
/// the spectrum (the principal domain). All columns have the same length. The formulas are in the [module](self).
#[derive(Clone, Debug)]
pub struct Bispectrum {
    /// The higher frequency, Hz.
    pub freq1: Vec<f64>,
    /// The lower frequency, Hz.
    pub freq2: Vec<f64>,
    /// Real part of the bispectrum, counts³.
    pub bispectrum_re: Vec<f64>,
    /// Imaginary part of the bispectrum, counts³.
    pub bispectrum_im: Vec<f64>,
    /// Squared bicoherence `b²`, 0 to 1.
    pub bicoherence: Vec<f64>,
    /// Biphase: the phase of the bispectrum, rad, −π to π.
    pub biphase: Vec<f64>,
    /// Metadata: resolution, normalisation, record.
    pub meta: BispectrumMetadata,
}

/// What `m` segments of `n` bins with so many photons together say of themselves.
pub(super) fn metadata(n: usize, dt: f64, m: u64, photons: f64, record: Record) -> BispectrumMetadata {
    let (segment_size, nphots) = (n as f64 * dt, photons / m.max(1) as f64);
    let (df, mean, exposure) = (1.0 / segment_size, nphots / n as f64, m as f64 * segment_size);
    BispectrumMetadata { n, segments: m, dt, df, segment_size, nphots, mean, noise: None, exposure, record }
}

impl BispectrumSums {
    /// Empty sums for segments of `n` bins of `dt` seconds, at pairs of frequencies whose sum is at most `max_freq` Hz
    /// (`None`: the Nyquist frequency).
    ///
    /// # Errors
    /// Fewer than two frequencies, or more pairs of frequencies than memory holds.
    pub fn new(n: usize, dt: f64, max_freq: Option<f64>) -> Result<BispectrumSums> {
        let size = n as f64 * dt;
        let most = max_freq.map_or(f64::INFINITY, |f| f * size + 1e-9);
        let last = (frequencies(n) as f64).min(most.max(0.0)) as usize;
        let cells = last * last / 4;
        if last < 2 || cells > MOST_CELLS {
            let message =
                format!("makes {last} frequencies and {cells} pairs; 2 frequencies to {MOST_CELLS} pairs are possible");
            return Err(Error::argument("max_freq", max_freq.unwrap_or(frequencies(n) as f64 / size), message));
        }
        let fft = CpuFft::new(n);
        let rows = (1..last).map(|k| vec![PairSums::default(); k.min(last - k)]).collect();
        let work = fft.work();
        Ok(BispectrumSums { n, fft, work, rows, power: vec![0.0; last + 1], segments: 0, photons: 0.0 })
    }

    /// Adds a segment; `values` are its counts (or flux), one a bin.
    pub fn add(&mut self, values: &[f64], progress: &Progress) {
        let mean = values.iter().sum::<f64>() / self.n as f64;
        self.work.input.iter_mut().zip(values).for_each(|(into, x)| *into = x - mean);
        self.fft.process(&mut self.work);
        let x = &self.work.output;
        self.power.iter_mut().zip(x).for_each(|(sum, x)| *sum += x.norm_sqr());
        self.rows.par_iter_mut().enumerate().for_each(|(place, row)| {
            // Nobody looks at what comes of a run that was cancelled.
            if progress.is_cancelled() {
                return;
            }
            let k = place + 1;
            for (cell, l) in row.iter_mut().zip(1..) {
                let pair = x[k] * x[l];
                cell.triple += pair * x[k + l].conj();
                cell.pair += pair.norm_sqr();
            }
        });
        self.segments += 1;
        self.photons += mean * self.n as f64;
    }

    /// The bispectrum of all segments; at least one must have come.
    pub(crate) fn finish(self, dt: f64, mut record: Record) -> Bispectrum {
        let m = self.segments.max(1) as f64;
        let size = self.n as f64 * dt;
        if self.segments < 2 {
            let message = "the bicoherence of a single segment is 1 whatever the data; average more segments";
            record.warnings.push("W-FEW-VALUES", message);
        }
        let meta = metadata(self.n, dt, self.segments, self.photons, record);
        let meta = BispectrumMetadata { noise: Some(1.0 / m), ..meta };
        let cells = || {
            self.rows.iter().zip(1usize..).flat_map(|(row, k)| row.iter().zip(1usize..).map(move |(c, l)| (k, l, c)))
        };
        // Where there is no power nothing is coupled.
        let bicoherence = |(k, l, c): (usize, usize, &PairSums)| match c.pair * self.power[k + l] {
            0.0 => 0.0,
            product => c.triple.norm_sqr() / product,
        };
        Bispectrum {
            freq1: cells().map(|(k, ..)| k as f64 / size).collect(),
            freq2: cells().map(|(_, l, _)| l as f64 / size).collect(),
            bispectrum_re: cells().map(|(.., c)| c.triple.re / m).collect(),
            bispectrum_im: cells().map(|(.., c)| c.triple.im / m).collect(),
            bicoherence: cells().map(bicoherence).collect(),
            biphase: cells().map(|(.., c)| c.triple.im.atan2(c.triple.re)).collect(),
            meta,
        }
    }
}

impl Bispectrum {
    /// Number of pairs of frequencies.
    pub fn len(&self) -> usize {
        self.freq1.len()
    }

    /// True if there is no pair of frequencies.
    pub fn is_empty(&self) -> bool {
        self.freq1.is_empty()
    }

    /// Index of the pair with the largest bicoherence; `None` if there is no pair.
    pub fn peak(&self) -> Option<usize> {
        (0..self.len()).max_by(|&a, &b| self.bicoherence[a].total_cmp(&self.bicoherence[b]))
    }

    /// Decimal logarithm of the probability that Gaussian noise has a bicoherence as large as that of pair `i` at any
    /// of the pairs.
    pub fn log10_p(&self, i: usize) -> f64 {
        let single = -(self.meta.segments as f64) * self.bicoherence[i];
        // 1 − (1 − p)^N, for p that may be far below the smallest number.
        let ln = match single + (self.len() as f64).ln() {
            expected if expected < -30.0 => expected,
            _ => (-((self.len() as f64) * (-single.exp()).ln_1p()).exp_m1()).ln(),
        };
        ln / std::f64::consts::LN_10
    }
}

#[cfg(test)]
mod tests {
    use std::f64::consts::TAU;

    use super::*;
    use crate::base::random::Random;

    fn made(segments: &[Vec<f64>], max_freq: Option<f64>) -> Bispectrum {
        let mut sums = BispectrumSums::new(segments[0].len(), 0.5, max_freq).unwrap();
        segments.iter().for_each(|values| sums.add(values, &Progress::default()));
        sums.finish(0.5, Record::default())
    }

    fn normal(random: &mut Random) -> f64 {
        // Twelve uniforms are as good as normal.
        (0..12).map(|_| random.uniform()).sum::<f64>() - 6.0
    }

    #[test]
    fn every_pair_has_the_values_of_the_definition() {
        let mut random = Random::new(6);
        for n in [16, 17] {
            let segments: Vec<Vec<f64>> = (0..5).map(|_| (0..n).map(|_| random.below(20) as f64).collect()).collect();
            let bispectrum = made(&segments, None);
            let amplitude = |values: &[f64], k: usize| -> Complex<f64> {
                (0..n).map(|j| Complex::from_polar(values[j], -TAU * (j * k % n) as f64 / n as f64)).sum()
            };
            let mut at = 0;
            let last = frequencies(n);
            for k in 1..=last {
                for l in (1..=k).filter(|l| k + l <= last) {
                    let x = segments.iter().map(|s| [k, l, k + l].map(|f| amplitude(s, f)));
                    let (mut triple, mut pair, mut power) = (Complex::new(0.0, 0.0), 0.0, 0.0);
                    for [a, b, c] in x {
                        triple += a * b * c.conj();
                        pair += (a * b).norm_sqr();
                        power += c.norm_sqr();
                    }
                    let size = 0.5 * n as f64;
                    assert_eq!((bispectrum.freq1[at], bispectrum.freq2[at]), (k as f64 / size, l as f64 / size));
                    let got = Complex::new(bispectrum.bispectrum_re[at], bispectrum.bispectrum_im[at]);
                    assert!((got - triple / 5.0).norm() < 1e-9 * triple.norm().max(1.0));
                    assert!((bispectrum.bicoherence[at] - triple.norm_sqr() / pair / power).abs() < 1e-10);
                    assert!((Complex::from_polar(1.0, bispectrum.biphase[at] - triple.arg()) - 1.0).norm() < 1e-9);
                    at += 1;
                }
            }
            assert_eq!(bispectrum.len(), at);
        }
    }

    #[test]
    fn coupled_phases_are_found_with_their_biphase() {
        let mut random = Random::new(3);
        let segments: Vec<Vec<f64>> = (0..200)
            .map(|_| {
                let [a, b] = [TAU * random.uniform(), TAU * random.uniform()];
                let wave = |k: f64, j: usize, phase: f64| (TAU * k * j as f64 / 64.0 + phase).cos();
                // 7 and 11 make 18, 0.8 rad ahead of both together.
                (0..64)
                    .map(|j| wave(7.0, j, a) + wave(11.0, j, b) + wave(18.0, j, a + b - 0.8) + normal(&mut random))
                    .collect()
            })
            .collect();
        let bispectrum = made(&segments, None);
        let peak = bispectrum.peak().unwrap();
        assert_eq!((bispectrum.freq1[peak] * 32.0, bispectrum.freq2[peak] * 32.0), (11.0, 7.0));
        assert!((bispectrum.biphase[peak] - 0.8).abs() < 0.1 && bispectrum.log10_p(peak) < -20.0);
    }

    #[test]
    fn gaussian_noise_is_not_coupled_and_its_biphases_are_uniform() {
        let mut random = Random::new(12);
        let segments: Vec<Vec<f64>> = (0..300).map(|_| (0..100).map(|_| normal(&mut random)).collect()).collect();
        let bispectrum = made(&segments, None);
        let count = bispectrum.len() as f64;
        // m·b² is exponential with mean 1.
        let scaled: Vec<f64> = bispectrum.bicoherence.iter().map(|b| 300.0 * b).collect();
        let mean = scaled.iter().sum::<f64>() / count;
        let above = scaled.iter().filter(|b| **b > 3.0).count() as f64 / count;
        assert!((mean - 1.0).abs() < 0.15 && (above - (-3f64).exp()).abs() < 0.03, "{mean} {above}");
        let quarter = |i: usize| ((bispectrum.biphase[i] + TAU / 2.0) / (TAU / 4.0)).min(3.0) as usize;
        let mut quarters = [0.0; 4];
        (0..bispectrum.len()).for_each(|i| quarters[quarter(i)] += 4.0 / count);
        assert!(quarters.iter().all(|q| (q - 1.0).abs() < 0.2), "{quarters:?}");
        let peak = bispectrum.peak().unwrap();
        assert!(bispectrum.log10_p(peak) > -3.0);
        assert!(made(&segments, Some(0.1)).freq1.iter().all(|f| *f <= 0.1));
        assert!(BispectrumSums::new(4, 1.0, None).is_err() && BispectrumSums::new(1 << 20, 1.0, None).is_err());
    }
}

//! Bispectrum, bicoherence and biphase, averaged over segments (Kim & Powers 1979, doi:10.1109/TPS.1979.4317207).
//!
//! `B(k,l) = ⟨X_k X_l X*_{k+l}⟩`, `b² = |⟨X_k X_l X*_{k+l}⟩|²/(⟨|X_k X_l|²⟩⟨|X_{k+l}|²⟩)`, biphase `arg B`, with
//! `X_k = Σ_j x_j e^{−2πi jk/n}`. `b²` is the part of the power at `k + l` that the coupling of `k` and `l` explains, from 0 to 1. Of Gaussian
//! noise in m segments it has the mean 1/m and exceeds `b²` with the probability `e^{−m b²}` (Elgar & Guza 1988, 2m b² being χ² of 2
//! degrees of freedom), and all biphases are equally likely.

use rayon::prelude::*;
use rustfft::num_complex::Complex;
use serde::Serialize;

use crate::data::{DeviceRecord, Provenance};
use crate::error::{Error, Result};
use crate::kernels::fft::{CpuFft, CpuFftWork};
use crate::kernels::power::frequencies;

/// More cells than memory and time allow by mistake.
const MOST_CELLS: usize = 1 << 28;

/// Sums over segments of one length.
pub struct BispectrumSums {
    n: usize,
    /// Frequencies 1 … last.
    last: usize,
    fft: CpuFft,
    work: CpuFftWork,
    /// By k: sums for l = 1 … min(k, last − k).
    rows: Vec<Vec<Cell>>,
    /// Σ|X_k|², k from 0 on.
    power: Vec<f64>,
    segments: u64,
    photons: f64,
}

#[derive(Clone, Copy, Default)]
struct Cell {
    triple: Complex<f64>,
    /// Σ|X_k X_l|².
    pair: f64,
}

/// What a bispectrum says of itself.
#[derive(Clone, Debug, Serialize)]
pub struct BispectrumMetadata {
    /// Bins in a segment.
    pub n: usize,
    /// Segments averaged.
    pub m: u64,
    /// Bin width, s.
    pub dt: f64,
    /// Frequency resolution, Hz.
    pub df: f64,
    /// Length of a segment, s.
    pub segment_size: f64,
    /// Mean photons (or flux) a segment.
    pub nphots: f64,
    /// Mean counts (or flux) a bin.
    pub mean: f64,
    /// Mean of the squared bicoherence of Gaussian noise, 1/m.
    pub noise: f64,
    /// Time in the segments, s.
    pub exposure: f64,
    /// What computed it.
    #[serde(flatten)]
    pub device: DeviceRecord,
    /// What it was made of.
    #[serde(flatten)]
    pub provenance: Provenance,
}

/// A bispectrum in its principal domain `0 < freq2 ≤ freq1`, `freq1 + freq2` within the spectrum; all columns have one length.
#[derive(Clone, Debug)]
pub struct Bispectrum {
    /// The higher frequency, Hz.
    pub freq1: Vec<f64>,
    /// The lower frequency, Hz.
    pub freq2: Vec<f64>,
    /// Real part of the bispectrum, counts³.
    pub bispectrum_re: Vec<f64>,
    /// Its imaginary part.
    pub bispectrum_im: Vec<f64>,
    /// Squared bicoherence.
    pub bicoherence: Vec<f64>,
    /// Biphase, rad, −π to π.
    pub biphase: Vec<f64>,
    /// All else.
    pub meta: BispectrumMetadata,
}

impl BispectrumSums {
    /// For segments of `n` bins of `dt` seconds, up to `max_freq` Hz.
    ///
    /// # Errors
    /// Fewer than two frequencies; more cells than memory holds.
    pub fn new(n: usize, dt: f64, max_freq: Option<f64>) -> Result<BispectrumSums> {
        let size = n as f64 * dt;
        let most = max_freq.map_or(f64::INFINITY, |f| f * size + 1e-9);
        let last = (frequencies(n) as f64).min(most.max(0.0)) as usize;
        let cells = last * last / 4;
        if last < 2 || cells > MOST_CELLS {
            let message =
                format!("makes {last} frequencies and {cells} pairs; 2 frequencies to {MOST_CELLS} pairs are possible");
            return Err(Error::argument("--max-freq", max_freq.unwrap_or(frequencies(n) as f64 / size), message));
        }
        let fft = CpuFft::new(n);
        let rows = (1..last).map(|k| vec![Cell::default(); k.min(last - k)]).collect();
        let work = fft.work();
        Ok(BispectrumSums { n, last, fft, work, rows, power: vec![0.0; last + 1], segments: 0, photons: 0.0 })
    }

    /// Adds a segment of `n` counts (or flux) a bin.
    pub fn add(&mut self, values: &[f64]) {
        let mean = values.iter().sum::<f64>() / self.n as f64;
        self.work.input.iter_mut().zip(values).for_each(|(into, x)| *into = x - mean);
        self.fft.process(&mut self.work);
        let x = &self.work.output;
        self.power.iter_mut().zip(x).for_each(|(sum, x)| *sum += x.norm_sqr());
        self.rows.par_iter_mut().enumerate().for_each(|(place, row)| {
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
    pub(crate) fn finish(self, dt: f64, device: DeviceRecord, mut provenance: Provenance) -> Bispectrum {
        let m = self.segments.max(1) as f64;
        let size = self.n as f64 * dt;
        if self.segments < 2 {
            let message = "the bicoherence of a single segment is 1 whatever the data; average more segments";
            provenance.warnings.push("W-FEW-VALUES", message);
        }
        let meta = BispectrumMetadata {
            n: self.n,
            m: self.segments,
            dt,
            df: 1.0 / size,
            segment_size: size,
            nphots: self.photons / m,
            mean: self.photons / m / self.n as f64,
            noise: 1.0 / m,
            exposure: m * size,
            device,
            provenance,
        };
        let cells = || {
            self.rows.iter().zip(1usize..).flat_map(|(row, k)| row.iter().zip(1usize..).map(move |(c, l)| (k, l, c)))
        };
        // Where there is no power nothing is coupled.
        let bicoherence = |(k, l, c): (usize, usize, &Cell)| match c.pair * self.power[k + l] {
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

    /// Highest frequency number.
    pub fn last(&self) -> usize {
        self.last
    }
}

impl Bispectrum {
    /// Number of pairs of frequencies.
    pub fn len(&self) -> usize {
        self.freq1.len()
    }

    /// True without any pair.
    pub fn is_empty(&self) -> bool {
        self.freq1.is_empty()
    }

    /// Place of the largest bicoherence.
    pub fn peak(&self) -> Option<usize> {
        (0..self.len()).max_by(|&a, &b| self.bicoherence[a].total_cmp(&self.bicoherence[b]))
    }

    /// Logarithm (base 10) of the probability that Gaussian noise has a bicoherence as large in any of the pairs.
    pub fn log10_p(&self, i: usize) -> f64 {
        let single = -(self.meta.m as f64) * self.bicoherence[i];
        // 1 − (1 − p)^N, for p that may be far below the smallest number.
        let ln = match single + (self.len() as f64).ln() {
            expected if expected < -30.0 => expected,
            _ => (-((self.len() as f64) * (-single.exp()).ln_1p()).exp_m1()).ln(),
        };
        ln / std::f64::consts::LN_10
    }
}

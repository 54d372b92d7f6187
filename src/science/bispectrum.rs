//! Bispectrum, bicoherence and biphase, averaged over segments (Kim & Powers 1979, doi:10.1109/TPS.1979.4317207).
//!
//! `B(k,l) = ⟨T⟩`, `b² = |⟨T⟩|²/(⟨|X_k X_l|²⟩⟨|X_{k+l}|²⟩ + ⟨c²⟩)`, biphase `arg B`, with `T = X_k X_l X*_{k+l} − c` and
//! `X_k = Σ_j x_j e^{−2πi jk/n}`. `b²` is the part of the power at `k + l` that the coupling of `k` and `l` explains, from 0 to 1.
//!
//! Of counts, with N photons in the segment, `c = |X_k|² + |X_l|² + |X_{k+l}|² − 2N` (Wirnitzer 1985,
//! doi:10.1364/JOSAA.2.000014). `X_k X_l X*_{k+l}` is a sum over three photons, and those that are not three different ones make a real,
//! positive term, of mean N in a constant source: two are the same in `|X|² − N` for each of the three frequencies, all three in N. T
//! is the sum over different photons. What c adds to its scatter, where photons are few or one of the powers is very high, is in the
//! denominator. Of rates `c = 0`: the third moment of Gaussian errors is 0, and
//! errors do not tell another.
//!
//! Of Gaussian noise in m segments b² has the mean 1/m and exceeds x with the probability `(1 − x)^(m − 1)`: given the products
//! `X_k X_l`, `X_{k+l}` has the same normal law in every direction of m complex dimensions, and b² is the part of its length along one of them. All biphases are
//! equally likely.

use rayon::prelude::*;
use rustfft::num_complex::Complex;
use serde::{Deserialize, Serialize};

use super::effective::EffectiveSegments;
use crate::base::error::{Error, Result};
use crate::base::footprint::Footprint;
use crate::base::mend::Mend;
use crate::base::progress::Progress;
use crate::base::sums::{Sums, WeightSums};
use crate::base::text::ShortNumber;
use crate::base::warning::Warning;
use crate::data::Record;
use crate::numerics::fft::{self, CpuFft, CpuFftBuffers, frequencies};

/// More cells than memory and time allow by mistake.
const MOST_CELLS: usize = 1 << 28;

/// With fewer segments than this the scatter of few photons is far from normal.
const FEW_SEGMENTS: f64 = 10.0;

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
    /// Weights of the segments.
    weights: Sums,
    /// The values are counts, whose noise is Poisson's.
    counts: bool,
}

#[derive(Clone, Copy, Default)]
struct PairSums {
    /// ΣT.
    triple: Complex<f64>,
    /// Σ|X_k X_l|².
    pair: f64,
    /// Σc².
    noise: f64,
}

/// Metadata of a bispectrum.
#[derive(Clone, Debug, Serialize, Deserialize)]
#[non_exhaustive]
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
    /// How many segments of equal weight they are worth: `ΣN²ΣN/ΣN³` of their photons N, as falling factorials; the number of segments for rates.
    #[serde(default)]
    pub m_eff: f64,
    /// Mean squared bicoherence of Gaussian noise, 1/m_eff. `None` for the bispectrum by Stingray's definition.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub noise: Option<f64>,
    /// True if the terms of Poisson noise were taken off, as of counts. `None` for the bispectrum by Stingray's definition.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub poisson_subtracted: Option<bool>,
    /// Time in the averaged segments, s.
    pub exposure: f64,
    /// What made the product.
    #[serde(flatten)]
    pub record: Record,
}

/// A bispectrum averaged over segments, one entry a pair of frequencies with `0 < freq2 ≤ freq1` whose sum lies within
/// the spectrum (the principal domain). All columns have the same length. The formulas are in the [module](self).
#[derive(Clone, Debug)]
#[non_exhaustive]
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
    BispectrumMetadata {
        n,
        segments: m,
        dt,
        df,
        segment_size,
        nphots,
        mean,
        m_eff: m as f64,
        noise: None,
        poisson_subtracted: None,
        exposure,
        record,
    }
}

impl BispectrumSums {
    /// Empty sums for segments of `n` bins of `dt` seconds, at pairs of frequencies whose sum is at most `max_freq` Hz
    /// (`None`: the Nyquist frequency). With `counts` the terms of Poisson noise are taken off.
    ///
    /// # Errors
    /// Fewer than two frequencies, or more pairs of frequencies than memory holds.
    pub fn new(n: usize, dt: f64, max_freq: Option<f64>, counts: bool) -> Result<BispectrumSums> {
        let size = n as f64 * dt;
        let most = max_freq.map_or(f64::INFINITY, |f| f * size + 1e-9);
        let last = (frequencies(n) as f64).min(most.max(0.0)) as usize;
        let cells = last * last / 4;
        if last < 2 || cells > MOST_CELLS {
            let message =
                format!("makes {last} frequencies and {cells} pairs; 2 frequencies to {MOST_CELLS} pairs are possible");
            return Err(Error::argument("max_freq", max_freq.unwrap_or(frequencies(n) as f64 / size), message));
        }
        // Sums of each pair, and six columns of it.
        let of_pair = size_of::<PairSums>() + 6 * size_of::<f64>();
        Footprint::less_by(&["max_freq", "segment_size"])
            .and(cells, of_pair)
            .with(fft::footprint(n))
            .check(&format!("the bispectrum of {cells} pairs of frequencies"))?;
        let fft = CpuFft::new(n);
        let rows = (1..last).map(|k| vec![PairSums::default(); k.min(last - k)]).collect();
        let work = fft.work();
        Ok(BispectrumSums {
            n,
            fft,
            work,
            rows,
            power: vec![0.0; last + 1],
            segments: 0,
            photons: 0.0,
            weights: Sums::default(),
            counts,
        })
    }

    /// Adds a segment; `values` are its counts (or flux), one a bin.
    pub fn add(&mut self, values: &[f64], progress: &Progress) {
        // Nothing has no powers.
        if values.iter().all(|value| *value == 0.0) {
            self.segments += 1;
            return self.weights.add_weights(&[WeightSums::of_photons(0.0, 0)]);
        }
        let mean = values.iter().sum::<f64>() / self.n as f64;
        self.work.input.iter_mut().zip(values).for_each(|(into, x)| *into = x - mean);
        self.fft.process(&mut self.work);
        let x = &self.work.output;
        self.power.iter_mut().zip(x).for_each(|(sum, x)| *sum += x.norm_sqr());
        let (counts, photons) = (self.counts, mean * self.n as f64);
        self.rows.par_iter_mut().enumerate().for_each(|(place, row)| {
            // Nobody looks at what comes of a run that was cancelled.
            if progress.is_cancelled() {
                return;
            }
            let k = place + 1;
            for (cell, l) in row.iter_mut().zip(1..) {
                let pair = x[k] * x[l];
                cell.triple += pair * x[k + l].conj();
                if counts {
                    let c = x[k].norm_sqr() + x[l].norm_sqr() + x[k + l].norm_sqr() - 2.0 * photons;
                    cell.triple.re -= c;
                    cell.noise += c * c;
                }
                cell.pair += pair.norm_sqr();
            }
        });
        self.segments += 1;
        self.photons += photons;
        self.weights.add_weights(&[WeightSums::of_photons(if counts { photons } else { 0.0 }, 0)]);
    }

    /// The bispectrum of all segments; at least one must have come.
    pub(crate) fn finish(self, dt: f64, mut record: Record) -> Bispectrum {
        let m = self.segments.max(1) as f64;
        let size = self.n as f64 * dt;
        // A triple of photons is as their third power, the denominator as the second and the first.
        let weights = Sums { segments: self.segments, ..self.weights };
        let effective = EffectiveSegments::of_sums(&weights, 0, true);
        let m_eff = (effective.m_eff_order3.powi(2) / effective.m_eff).min(m);
        if m_eff < FEW_SEGMENTS {
            let message = format!(
                "{} segments of one rate; probabilities of bicoherences hold for {FEW_SEGMENTS} or more, and that of a single one is 1 whatever \
                 the data",
                ShortNumber(m_eff)
            );
            record.warnings.record(Warning::new("W-FEW-VALUES", message).mended_by([Mend::field("segment_size")]));
        }
        if !self.counts {
            let message = "rates do not tell the third moment of their noise: none was taken off. If they were made of \
                           counts, Poisson noise is in the bispectrum, and may look like coupling; give counts or events";
            record.warnings.push("W-THIRD-MOMENT", message);
        }
        let meta = metadata(self.n, dt, self.segments, self.photons, record);
        let meta =
            BispectrumMetadata { m_eff, noise: Some(1.0 / m_eff), poisson_subtracted: Some(self.counts), ..meta };
        let cells = || {
            self.rows.iter().zip(1usize..).flat_map(|(row, k)| row.iter().zip(1usize..).map(move |(c, l)| (k, l, c)))
        };
        // Where there is no power nothing is coupled. With few photons and segments chance may go beyond 1.
        let bicoherence = |(k, l, c): (usize, usize, &PairSums)| match c.pair * self.power[k + l] + m * c.noise {
            0.0 => 0.0,
            product => (c.triple.norm_sqr() / product).min(1.0),
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
    /// of the pairs: the law of the [module](self), with as many trials as there are pairs. It says nothing, 0, of a single segment.
    pub fn log10_p(&self, i: usize) -> f64 {
        // Less than its rounding is not known of 1 − b².
        let rest = (1.0 - self.bicoherence[i]).max(f64::EPSILON);
        let single = (self.meta.m_eff - 1.0).max(0.0) * rest.ln();
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

    fn made(segments: &[Vec<f64>], max_freq: Option<f64>, counts: bool) -> Bispectrum {
        let mut sums = BispectrumSums::new(segments[0].len(), 0.5, max_freq, counts).unwrap();
        segments.iter().for_each(|values| sums.add(values, &Progress::default()));
        sums.finish(0.5, Record::default())
    }

    fn normal(random: &mut Random) -> f64 {
        // Twelve uniforms are as good as normal.
        (0..12).map(|_| random.uniform()).sum::<f64>() - 6.0
    }

    /// Counts of a constant source.
    fn poisson(mean: f64, random: &mut Random) -> f64 {
        let (mut count, mut left) = (0.0, 1.0);
        loop {
            left *= random.uniform();
            if left < (-mean).exp() {
                return count;
            }
            count += 1.0;
        }
    }

    /// `Σ e_k(a) e_l(b) e*_{k+l}(c)` over three different photons.
    fn different_photons(counts: &[f64], k: usize, l: usize) -> Complex<f64> {
        let n = counts.len();
        let bins: Vec<usize> = (0..n).flat_map(|j| vec![j; counts[j] as usize]).collect();
        let turn = |j: usize, f: usize| -TAU * (j * f % n) as f64 / n as f64;
        let mut sum = Complex::new(0.0, 0.0);
        for a in 0..bins.len() {
            for b in (0..bins.len()).filter(|b| *b != a) {
                for c in (0..bins.len()).filter(|c| *c != a && *c != b) {
                    sum += Complex::from_polar(1.0, turn(bins[a], k) + turn(bins[b], l) - turn(bins[c], k + l));
                }
            }
        }
        sum
    }

    #[test]
    fn every_pair_has_the_values_of_the_definition() {
        let mut random = Random::new(6);
        for n in [16, 17] {
            let segments: Vec<Vec<f64>> = (0..5).map(|_| (0..n).map(|_| random.below(4) as f64).collect()).collect();
            let bispectrum = made(&segments, None, n == 17);
            let amplitude = |values: &[f64], k: usize| -> Complex<f64> {
                (0..n).map(|j| Complex::from_polar(values[j], -TAU * (j * k % n) as f64 / n as f64)).sum()
            };
            let mut at = 0;
            let last = frequencies(n);
            for k in 1..=last {
                for l in (1..=k).filter(|l| k + l <= last) {
                    let x = segments.iter().map(|s| (s, [k, l, k + l].map(|f| amplitude(s, f))));
                    let (mut triple, mut pair, mut power, mut noise) = (Complex::new(0.0, 0.0), 0.0, 0.0, 0.0);
                    for (s, [a, b, c]) in x {
                        let all = a * b * c.conj();
                        let term = if n == 17 { different_photons(s, k, l) } else { all };
                        triple += term;
                        noise += (all - term).norm_sqr();
                        pair += (a * b).norm_sqr();
                        power += c.norm_sqr();
                    }
                    let size = 0.5 * n as f64;
                    assert_eq!((bispectrum.freq1[at], bispectrum.freq2[at]), (k as f64 / size, l as f64 / size));
                    let got = Complex::new(bispectrum.bispectrum_re[at], bispectrum.bispectrum_im[at]);
                    assert!((got - triple / 5.0).norm() < 1e-9 * triple.norm().max(100.0));
                    assert!(
                        (bispectrum.bicoherence[at] - (triple.norm_sqr() / (pair * power + 5.0 * noise)).min(1.0))
                            .abs()
                            < 1e-10
                    );
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
        let bispectrum = made(&segments, None, false);
        let peak = bispectrum.peak().unwrap();
        assert_eq!((bispectrum.freq1[peak] * 32.0, bispectrum.freq2[peak] * 32.0), (11.0, 7.0));
        assert!((bispectrum.biphase[peak] - 0.8).abs() < 0.1 && bispectrum.log10_p(peak) < -20.0);
    }

    /// `(1 − b²)^(m − 1)` in log space, for all trials; what rounding leaves of 1 − b² bounds it.
    #[test]
    fn coupling_is_as_improbable_as_the_law_says() {
        let mut random = Random::new(3);
        let segments: Vec<Vec<f64>> = (0..10).map(|_| (0..16).map(|_| normal(&mut random)).collect()).collect();
        let mut bispectrum = made(&segments, None, false);
        let (pairs, m) = (bispectrum.len() as f64, 9.0);
        for (b, expected) in [
            (0.999, m * 1e-3f64.log10() + pairs.log10()),
            (1.0, m * f64::EPSILON.log10() + pairs.log10()),
            (0.3, (1.0 - (1.0 - 0.7f64.powf(m)).powf(pairs)).log10()),
            (0.0, 0.0),
        ] {
            bispectrum.bicoherence[0] = b;
            assert!((bispectrum.log10_p(0) - expected).abs() < 1e-9 * expected.abs().max(1.0), "{b}: {expected}");
        }
        assert_eq!(made(&segments[..1], None, false).log10_p(0), 0.0);
    }

    /// A constant source: no pair is improbable more often than the law says, from few photons to many, few segments to many.
    #[test]
    fn photon_noise_is_no_coupling() {
        let mut random = Random::new(8);
        for (m, mean, runs) in [(3000, 0.5, 4), (300, 0.3, 30), (30, 0.5, 200), (10, 1.5, 500), (10, 10.0, 200)] {
            let (mut below, mut count) = ([0.0; 2], 0.0);
            for _ in 0..runs {
                let counts: Vec<Vec<f64>> =
                    (0..m).map(|_| (0..20).map(|_| poisson(mean, &mut random)).collect()).collect();
                let bispectrum = made(&counts, None, true);
                count += bispectrum.len() as f64;
                for b in &bispectrum.bicoherence {
                    let p = (1.0 - b).powf(m as f64 - 1.0);
                    [0.1, 0.01].iter().zip(&mut below).for_each(|(level, below)| *below += f64::from(p < *level));
                }
                let peak = bispectrum.peak().unwrap();
                assert!(bispectrum.log10_p(peak) > -5.0, "{m} {mean}: {}", bispectrum.log10_p(peak));
            }
            for (level, below) in [0.1, 0.01].into_iter().zip(below) {
                let expected: f64 = level * count;
                assert!(below < expected + 4.0 * expected.sqrt() + 1.0, "{m} {mean}: {below} of {count} below {level}");
            }
        }
    }

    #[test]
    fn gaussian_noise_is_not_coupled_and_its_biphases_are_uniform() {
        let mut random = Random::new(12);
        let segments: Vec<Vec<f64>> = (0..300).map(|_| (0..100).map(|_| normal(&mut random)).collect()).collect();
        let bispectrum = made(&segments, None, false);
        let count = bispectrum.len() as f64;
        // m·b² is nearly exponential with mean 1.
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
        assert!(made(&segments, Some(0.1), false).freq1.iter().all(|f| *f <= 0.1));
        assert!(
            BispectrumSums::new(4, 1.0, None, true).is_err() && BispectrumSums::new(1 << 20, 1.0, None, true).is_err()
        );
    }
}

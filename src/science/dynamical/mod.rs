//! Dynamical spectra: the spectrum of each segment, or of a few consecutive segments averaged, against time.
//!
//! A row is a time, a column a frequency. A row averages the normalised powers of its segments; lags are computed after
//! that. The time of a row is that of the segments in it, so a segment that is skipped leaves a gap and moves nothing.
//! If segments are normalised by the mean `N̄` of all segments, the power of a row is `P_i·f(N̄)`, else `P_i·f(N_i)`,
//! with the factors `f` of [`norm`](super::norm). The Poisson level of a row follows its own photons: `N_i` times the
//! same factor.

mod axes;
mod follow;
pub(crate) mod rows;

use serde::{Deserialize, Serialize};

pub use axes::{Axes, TimeRebin};
pub use follow::{RowPeak, ShiftedPower};

use super::cross::LAG_SIGN;
use super::dead_time::noise::{ByFrequency, NoiseLevels};
use super::noise_fit::NoiseFit;
use super::norm::Norm;
use crate::base::error::Result;
use crate::data::Record;
use rows::{DynamicalRows, FinishedRows};

/// Metadata of a dynamical spectrum. `L` is [`DynamicalPowerLevels`] or [`DynamicalCrossLevels`].
#[derive(Clone, Debug, Serialize, Deserialize)]
#[non_exhaustive]
pub struct DynamicalMetadata<L> {
    /// Number of bins in a segment.
    pub n: usize,
    /// Segments in all rows.
    pub segments: u64,
    /// Bin width, s.
    pub dt: f64,
    /// Frequency resolution before rebinning, Hz.
    pub df: f64,
    /// Length of a segment, s.
    pub segment_size: f64,
    /// Photons, mean counts and noise levels.
    #[serde(flatten)]
    pub levels: L,
    /// Normalisation of the powers.
    pub norm: Norm,
    /// Segments that could not be averaged, such as empty ones; they are in no row.
    pub skipped_segments: u64,
    /// Time in the averaged segments, s.
    pub exposure: f64,
    /// What made the product.
    #[serde(flatten)]
    pub record: Record,
}

/// Photons, mean counts and noise level of a dynamical power spectrum.
#[derive(Clone, Debug, Serialize, Deserialize)]
#[non_exhaustive]
pub struct DynamicalPowerLevels {
    /// Mean number of photons in a segment.
    pub nphots: f64,
    /// Mean counts (or flux) in a bin.
    pub mean: f64,
    /// Mean of the noise levels of the rows.
    pub noise_mean: f64,
    /// True if the noise level of each row was subtracted from it.
    pub noise_subtracted: bool,
}

/// Photons, mean counts and noise levels of subject and reference of a dynamical cross spectrum.
#[derive(Clone, Debug, Serialize, Deserialize)]
#[non_exhaustive]
pub struct DynamicalCrossLevels {
    /// Mean number of photons of the subject in a segment.
    pub nphots1: f64,
    /// Mean number of photons of the reference in a segment. If the subject is a part of the reference's band, its
    /// photons are not counted here.
    pub nphots2: f64,
    /// Mean counts (or flux) of the subject in a bin.
    pub mean1: f64,
    /// Mean counts (or flux) of the reference in a bin, of the same photons as `nphots2`.
    pub mean2: f64,
    /// Mean noise level of the subject's power over the rows.
    pub noise1_mean: f64,
    /// Mean noise level of the reference's power over the rows.
    pub noise2_mean: f64,
    /// True if the photons of the subject were removed from the reference.
    pub subject_inside_reference: bool,
    /// What the sign of a lag means: [`LAG_SIGN`].
    pub lag_sign: String,
}

/// Power spectra against time.
#[derive(Clone, Debug)]
#[non_exhaustive]
pub struct DynamicalPowerSpectrum {
    /// Times and frequencies.
    pub axes: Axes,
    /// Power, shape times × frequencies, row-major, in the normalisation of the metadata.
    pub power: Vec<f64>,
    /// Noise level of each row, in the unit of `power`.
    pub noise: Vec<f64>,
    /// Metadata: resolution, normalisation, record.
    pub meta: DynamicalMetadata<DynamicalPowerLevels>,
}

/// Cross spectra against time. Matrices have the shape times × frequencies, row-major.
#[derive(Clone, Debug)]
#[non_exhaustive]
pub struct DynamicalCrossSpectrum {
    /// Times and frequencies.
    pub axes: Axes,
    /// Real part of `conj(F_subject)·F_reference`, normalised and averaged.
    pub power_re: Vec<f64>,
    /// Imaginary part of `conj(F_subject)·F_reference`, normalised and averaged.
    pub power_im: Vec<f64>,
    /// Power of the subject, noise included.
    pub power1: Vec<f64>,
    /// Power of the reference, noise included.
    pub power2: Vec<f64>,
    /// Noise level of the subject's power in each row.
    pub noise1: Vec<f64>,
    /// Noise level of the reference's power in each row.
    pub noise2: Vec<f64>,
    /// Metadata: resolution, normalisation, record.
    pub meta: DynamicalMetadata<DynamicalCrossLevels>,
}

fn metadata<L>(made: &FinishedRows, levels: L, record: Record) -> DynamicalMetadata<L> {
    let (recipe, total) = (&made.recipe, &made.total);
    DynamicalMetadata {
        n: recipe.n,
        segments: total.segments,
        dt: recipe.dt,
        df: 1.0 / recipe.segment_size,
        segment_size: recipe.segment_size,
        levels,
        norm: recipe.norm,
        skipped_segments: total.skipped,
        exposure: total.segments as f64 * recipe.segment_size,
        record,
    }
}

impl DynamicalPowerSpectrum {
    /// Rows to spectrum; at least one segment must have come.
    pub(crate) fn new(rows: DynamicalRows, subtract_noise: bool, record: Record) -> Result<DynamicalPowerSpectrum> {
        let made = rows.finish()?;
        let (mean, level) = (made.mean[0], made.level[0]);
        let channel = DynamicalPowerLevels {
            nphots: mean * made.recipe.n as f64,
            mean,
            noise_mean: level,
            noise_subtracted: subtract_noise,
        };
        let mut meta = metadata(&made, channel, record);
        let df = meta.df;
        let FinishedRows { axes, mut blocks, noise, .. } = made;
        let (mut power, noise) = (blocks.pop().unwrap_or_default(), noise.concat());
        // All rows together: their mean power against the mean of their levels.
        let (columns, rows) = (axes.freq.len(), axes.time.len() as f64);
        let mut mean = vec![0.0; columns];
        for row in power.chunks(columns.max(1)) {
            mean.iter_mut().zip(row).for_each(|(sum, p)| *sum += p / rows);
        }
        if axes.frequencies.iter().all(|k| *k == 1) {
            let (level, err) = (ByFrequency::Same(level), ByFrequency::Same(0.0));
            let levels = NoiseLevels { level, err, dead_time: None };
            // Rows count alike, however many segments they have.
            let worth = rows * rows / axes.m_eff.iter().map(|m| 1.0 / m).sum::<f64>();
            let fit = NoiseFit { power: &mean, noise: &levels, m_eff: worth, df };
            fit.warning("").into_iter().for_each(|warning| meta.record.warnings.record(warning));
        }
        if subtract_noise {
            let rows = power.chunks_mut(axes.freq.len().max(1)).zip(&noise);
            rows.for_each(|(row, level)| row.iter_mut().for_each(|p| *p -= level));
        }
        Ok(DynamicalPowerSpectrum { axes, power, noise, meta })
    }

    /// The powers of one row, one a frequency.
    pub fn row(&self, row: usize) -> &[f64] {
        let count = self.axes.freq.len();
        &self.power[row * count..(row + 1) * count]
    }

    /// Standard error `P/√(m_eff·K)` of a power, where `P` includes noise.
    pub fn power_err(&self, row: usize, column: usize) -> f64 {
        let noise = if self.meta.levels.noise_subtracted { self.noise[row] } else { 0.0 };
        (self.row(row)[column] + noise) / self.axes.worth(row, column).sqrt()
    }
}

impl DynamicalCrossSpectrum {
    /// Rows to spectrum; at least one segment must have come.
    pub(crate) fn new(rows: DynamicalRows, record: Record) -> Result<DynamicalCrossSpectrum> {
        let made = rows.finish()?;
        let n = made.recipe.n as f64;
        // The reference is the first series.
        let levels = DynamicalCrossLevels {
            nphots1: made.mean[1] * n,
            nphots2: made.mean[0] * n,
            mean1: made.mean[1],
            mean2: made.mean[0],
            noise1_mean: made.level[1],
            noise2_mean: made.level[0],
            subject_inside_reference: made.recipe.inside,
            lag_sign: LAG_SIGN.into(),
        };
        let meta = metadata(&made, levels, record);
        let mut blocks = made.blocks.into_iter();
        let mut next = || blocks.next().unwrap_or_default();
        let [power1, power2, power_re, power_im] = [next(), next(), next(), next()];
        let mut noise = made.noise.into_iter();
        let [noise2, noise1] = [noise.next().unwrap_or_default(), noise.next().unwrap_or_default()];
        Ok(DynamicalCrossSpectrum { axes: made.axes, power_re, power_im, power1, power2, noise1, noise2, meta })
    }

    /// The cross spectra with subject and reference exchanged: lags change their sign.
    #[must_use]
    pub fn exchanged(mut self) -> DynamicalCrossSpectrum {
        self.power_im.iter_mut().for_each(|im| *im = -*im);
        std::mem::swap(&mut self.power1, &mut self.power2);
        std::mem::swap(&mut self.noise1, &mut self.noise2);
        let levels = &mut self.meta.levels;
        std::mem::swap(&mut levels.nphots1, &mut levels.nphots2);
        std::mem::swap(&mut levels.mean1, &mut levels.mean2);
        std::mem::swap(&mut levels.noise1_mean, &mut levels.noise2_mean);
        self
    }

    /// Phase lag of the subject in each cell, rad, −π to π; positive if the subject is late. Shape times × frequencies,
    /// row-major.
    pub fn lag_phase(&self) -> Vec<f64> {
        self.power_re.iter().zip(&self.power_im).map(|(re, im)| im.atan2(*re)).collect()
    }

    /// Time lag of the subject in each cell, s: the phase lag over `2πf`, `f` the middle of the bin (of a steep spectrum in wide bins the lag
    /// belongs to a lower one); positive if the subject is late. Shape times × frequencies, row-major.
    pub fn lag_time(&self) -> Vec<f64> {
        let freq = self.axes.freq.iter().cycle();
        self.lag_phase().into_iter().zip(freq).map(|(lag, f)| lag / (std::f64::consts::TAU * f)).collect()
    }
}

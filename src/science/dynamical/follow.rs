//! Following a feature through the rows of a dynamical spectrum: its frequency in each row, and the rows averaged with
//! that frequency held still.

use super::{Axes, DynamicalCrossSpectrum, DynamicalMetadata, DynamicalPowerLevels, DynamicalPowerSpectrum};
use crate::base::error::{Error, Result};
use crate::base::mend::Mend;
use crate::science::cross_powers::{CrossPowers, CrossPowersMetadata};

/// The largest power of one row in a frequency band.
#[derive(Clone, Copy, Debug, PartialEq, serde::Serialize)]
#[non_exhaustive]
pub struct RowPeak {
    /// Time of the row, seconds of the frame.
    pub time: f64,
    /// Frequency of the largest power, Hz.
    pub freq: f64,
    /// The largest power, in the normalisation of the spectrum.
    pub power: f64,
}

/// A power spectrum averaged over rows that were shifted in frequency first. All columns have the same length.
#[derive(Clone, Debug)]
#[non_exhaustive]
pub struct ShiftedPower {
    /// Frequency, Hz, around the mean of the frequencies that the rows were shifted by.
    pub freq: Vec<f64>,
    /// Width of the frequency bin, Hz.
    pub width: Vec<f64>,
    /// Mean power.
    pub power: Vec<f64>,
    /// Standard error `P/√m` of `power`, where `P` includes noise.
    pub power_err: Vec<f64>,
    /// Mean noise level.
    pub noise: Vec<f64>,
    /// Values averaged in the bin: segments times original frequencies.
    pub m: Vec<u64>,
    /// Metadata of the dynamical spectrum.
    pub meta: DynamicalMetadata<DynamicalPowerLevels>,
}

/// For each bin of the shifted spectrum that any row reaches: its frequency and the cells averaged in it, as row and column.
struct RowShifts {
    freq: Vec<f64>,
    cells: Vec<Vec<(usize, usize)>>,
}

impl Axes {
    /// Shifts each row by whole bins so that the bin nearest to its `f0` is the middle one of `2·half + 1`.
    fn shift(&self, f0: &[f64], half: usize) -> Result<RowShifts> {
        let (rows, columns) = self.shape();
        if f0.len() != rows {
            let message = format!("one frequency for each of the {rows} rows is needed");
            return Err(Error::argument("f0", f0.len(), message));
        }
        let df = self.width.first().copied().unwrap_or(0.0);
        // The last of linear bins may be narrower: it takes what is left.
        let even = self.width.iter().rev().skip(1).all(|width| *width == df);
        if !even || columns == 0 {
            let message = "rows can be shifted where frequencies are evenly spaced";
            return Err(Error::argument("f0", f0.len(), message)
                .mended_by([Mend::field("rebin").doing("keeps them evenly spaced")]));
        }
        let columns = if self.width[columns - 1] == df { columns } else { columns - 1 };
        if let Some(bad) = f0.iter().find(|f| !f.is_finite()) {
            return Err(Error::argument("f0", bad, "must be a finite frequency"));
        }
        let mean = f0.iter().sum::<f64>() / rows.max(1) as f64;
        let mut shift = RowShifts { freq: Vec::new(), cells: Vec::new() };
        let place = |f: &f64| ((f - self.freq[0]) / df).round() as i64;
        let half = i64::try_from(half).unwrap_or(i64::MAX);
        // Offsets beyond these have no cell of any row.
        let places = || f0.iter().map(place);
        let first = places().max().unwrap_or(0).saturating_neg().max(-half);
        let last = (columns as i64 - 1).saturating_sub(places().min().unwrap_or(0)).min(half);
        for offset in first..=last {
            let column =
                |f: &f64| usize::try_from(place(f).checked_add(offset)?).ok().filter(|column| *column < columns);
            let cells: Vec<(usize, usize)> =
                f0.iter().enumerate().filter_map(|(row, f)| Some((row, column(f)?))).collect();
            if !cells.is_empty() {
                shift.freq.push(mean + offset as f64 * df);
                shift.cells.push(cells);
            }
        }
        if shift.cells.is_empty() {
            return Err(Error::argument("f0", mean, "no row has a frequency there"));
        }
        Ok(shift)
    }
}

impl RowShifts {
    /// The mean of `value` in each bin, each row weighted by the values in it.
    fn mean(&self, axes: &Axes, value: impl Fn(usize, usize) -> f64) -> Vec<f64> {
        let bin = |cells: &Vec<(usize, usize)>| {
            let sum: f64 = cells.iter().map(|&(r, c)| value(r, c) * axes.values(r, c) as f64).sum();
            sum / cells.iter().map(|&(r, c)| axes.values(r, c)).sum::<u64>() as f64
        };
        self.cells.iter().map(bin).collect()
    }

    /// The error of that mean, of the errors of independent rows.
    fn error(&self, axes: &Axes, error: impl Fn(usize, usize) -> f64) -> Vec<f64> {
        let bin = |cells: &Vec<(usize, usize)>| {
            let square: f64 = cells.iter().map(|&(r, c)| (error(r, c) * axes.values(r, c) as f64).powi(2)).sum();
            square.sqrt() / cells.iter().map(|&(r, c)| axes.values(r, c)).sum::<u64>() as f64
        };
        self.cells.iter().map(bin).collect()
    }

    fn values(&self, axes: &Axes) -> Vec<u64> {
        self.cells.iter().map(|cells| cells.iter().map(|&(r, c)| axes.values(r, c)).sum()).collect()
    }
}

impl DynamicalPowerSpectrum {
    /// The largest power of each row between `lo` and `hi` Hz, both included.
    ///
    /// # Errors
    /// No frequency of the spectrum lies in the band.
    pub fn follow_maximum(&self, lo: f64, hi: f64) -> Result<Vec<RowPeak>> {
        let freq = &self.axes.freq;
        let inside: Vec<usize> = (0..freq.len()).filter(|&k| (lo..=hi).contains(&freq[k])).collect();
        let peak = |row: usize| {
            let power = self.row(row);
            let k = *inside.iter().max_by(|&&a, &&b| power[a].total_cmp(&power[b]).then(b.cmp(&a)))?;
            Some(RowPeak { time: self.axes.time[row], freq: freq[k], power: power[k] })
        };
        (0..self.axes.time.len()).map(peak).collect::<Option<Vec<RowPeak>>>().ok_or_else(|| {
            let ends = (freq.first().copied().unwrap_or(0.0), freq.last().copied().unwrap_or(0.0));
            let message = format!("no frequency in it; there are those from {} to {} Hz", ends.0, ends.1);
            Error::argument("lo", format!("{lo}:{hi}"), message)
        })
    }

    /// Shift-and-add (Méndez et al. 1998, doi:10.1086/311162): shifts each row by whole bins so that frequency
    /// `f0[row]` (Hz) comes to the middle, and averages the rows. The result has `2·half + 1` bins around the mean of
    /// `f0`. Bins beyond the end of a row are averaged over the other rows.
    ///
    /// # Errors
    /// `f0` has not one frequency for each row, the frequencies of the spectrum are not evenly spaced, or no row
    /// reaches any of the bins.
    pub fn shift_and_add(&self, f0: &[f64], half: usize) -> Result<ShiftedPower> {
        let axes = &self.axes;
        let shift = axes.shift(f0, half)?;
        let power = shift.mean(axes, |r, c| self.row(r)[c]);
        let noise = shift.mean(axes, |r, _| self.noise[r]);
        let m = shift.values(axes);
        let power_err = shift.error(axes, |r, c| self.power_err(r, c));
        let (width, meta) = (vec![axes.width[0]; m.len()], self.meta.clone());
        Ok(ShiftedPower { freq: shift.freq, width, power, power_err, noise, m, meta })
    }
}

impl DynamicalCrossSpectrum {
    /// Shift-and-add of a cross spectrum; see [`DynamicalPowerSpectrum::shift_and_add`].
    ///
    /// # Errors
    /// As for [`DynamicalPowerSpectrum::shift_and_add`].
    pub fn shift_and_add(&self, f0: &[f64], half: usize) -> Result<CrossPowers> {
        let axes = &self.axes;
        let shift = axes.shift(f0, half)?;
        let mean = |matrix: &[f64]| shift.mean(axes, |r, c| matrix[r * axes.freq.len() + c]);
        let (power_re, power_im) = (mean(&self.power_re), mean(&self.power_im));
        let (power1, power2) = (mean(&self.power1), mean(&self.power2));
        let m = shift.values(axes);
        let width = vec![axes.width[0]; m.len()];
        let of = &self.meta;
        let meta = CrossPowersMetadata {
            n: of.n,
            segments: of.segments,
            dt: of.dt,
            df: of.df,
            segment_size: of.segment_size,
            norm: of.norm,
            lag_sign: of.levels.lag_sign.clone(),
            record: of.record.clone(),
        };
        Ok(CrossPowers { freq: shift.freq, width, power_re, power_im, power1, power2, m, meta })
    }
}

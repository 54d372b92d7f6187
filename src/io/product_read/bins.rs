//! Light curves and histograms read back.

use std::path::Path;

use crate::base::error::Result;
use crate::base::time::DoubleDouble;
use crate::data::columns::{HISTOGRAM, LIGHT_CURVE};
use crate::data::histogram::{EnergyAxis, HistogramMetadata};
use crate::data::light_curve::{LightCurveMetadata, TimeGrid, counting_error};
use crate::data::{Gti, Histogram, LightCurve};
use crate::io::input_file::format_error;
use crate::io::table_read::ReadTable;

impl LightCurve {
    /// Reads a light curve from a file that this program wrote: ECSV, CSV, JSON or FITS, with what made it.
    /// [`LightCurve::open`] takes any light curve, and of text its columns alone.
    ///
    /// # Errors
    /// As for [`AveragedPowerSpectrum::read`](crate::science::AveragedPowerSpectrum::read); times that are not those of bins on a grid.
    pub fn read(path: impl AsRef<Path>) -> Result<LightCurve> {
        let mut table = ReadTable::open(path.as_ref(), &LIGHT_CURVE)?;
        let meta: LightCurveMetadata = table.metadata()?;
        let (time, counts, rate) = (table.real("time")?, table.real("counts")?, table.real("rate")?);
        let (rate_err, fracexp) = (table.real("rate_err")?, table.real("fracexp")?);
        let dt = meta.dt;
        let first = time.first().copied().unwrap_or(0.0);
        let mut bin = Vec::with_capacity(time.len());
        for (row, t) in time.iter().enumerate() {
            let place = ((t - first) / dt).round();
            let after = bin.last().is_none_or(|last| (*last as f64) < place);
            if !(dt > 0.0 && place.is_finite() && place >= 0.0 && after) {
                let message = format!("{t} s is not the centre of a later bin of {dt} s");
                return Err(format_error(table.path(), &format!("column time, row {}", row + 1), &message));
            }
            bin.push(place as u64);
        }
        let intervals: Vec<_> = meta.record.gti.iter().map(|[a, b]| (DoubleDouble::from(*a), (*b).into())).collect();
        let counted = (0..time.len()).all(|i| {
            let at = |values: &[f64]| values.get(i).copied().unwrap_or(f64::NAN);
            at(&rate_err) == counting_error(at(&counts)) / (dt * at(&fracexp))
        });
        let grid = TimeGrid { origin: DoubleDouble::sum(first, -0.5 * dt), dt };
        let gti = Gti::from_sorted(&intervals);
        Ok(LightCurve { grid, bin, time, counts, rate, rate_err, fracexp, counted, gti, meta })
    }
}

impl Histogram {
    /// Reads a histogram from a file that this program wrote: ECSV, CSV, JSON or FITS.
    ///
    /// # Errors
    /// As for [`AveragedPowerSpectrum::read`](crate::science::AveragedPowerSpectrum::read); rows that are not all bins of energy of one bin
    /// of time after the other.
    pub fn read(path: impl AsRef<Path>) -> Result<Histogram> {
        let mut table = ReadTable::open(path.as_ref(), &HISTOGRAM)?;
        let meta: HistogramMetadata = table.metadata()?;
        let axis = match (table.has("energy_lo"), table.has("channel_lo")) {
            (true, _) => EnergyAxis::Energy,
            (_, true) => EnergyAxis::Channel,
            _ => EnergyAxis::None,
        };
        let per_time = if axis == EnergyAxis::None { 1 } else { meta.energies.max(1) };
        let edges = |lo: Vec<f64>, hi: Vec<f64>| lo.into_iter().chain(hi.last().copied()).collect::<Vec<f64>>();
        let each = |values: Vec<f64>| values.into_iter().step_by(per_time).collect::<Vec<f64>>();
        let first = |mut values: Vec<f64>| {
            values.truncate(per_time);
            values
        };
        let [lo, hi] = match axis {
            EnergyAxis::Energy => ["energy_lo", "energy_hi"],
            EnergyAxis::Channel | EnergyAxis::None => ["channel_lo", "channel_hi"],
        };
        let written = [table.real("time_lo")?, table.real("time_hi")?];
        let mut bounds = written.to_vec();
        let mut energies = Vec::new();
        if axis != EnergyAxis::None {
            let [lo, hi] = [table.real(lo)?, table.real(hi)?];
            energies = edges(first(lo.clone()), first(hi.clone()));
            bounds.extend([lo, hi]);
        }
        let [time_lo, time_hi] = written;
        let made = Histogram {
            times: edges(each(time_lo), time_hi),
            energies,
            axis,
            counts: table.count("counts")?,
            exposure: each(table.real("exposure")?),
            meta,
        };
        if made.bounds().iter().zip(&bounds).any(|(made, read)| made != read) {
            let message = "the rows are not all bins of energy of one bin of time after the other";
            return Err(format_error(table.path(), "whole table", message));
        }
        Ok(made)
    }
}

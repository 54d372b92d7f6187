//! What becomes of the segments of dynamical spectra, and what is warned of.

use super::batch_queue::{record_device, too_coarse};
use crate::backend::DeviceInfo;
use crate::base::error::{Error, Result};
use crate::base::mend::Mend;
use crate::base::sums::Sums;
use crate::base::text::ShortNumber;
use crate::base::warning::{Warning, Warnings};
use crate::data::DeviceRecord;
use crate::science::CrossOptions;
use crate::science::dynamical::rows::DynamicalSpec;
use crate::science::dynamical::{DynamicalPowerSpectrum, TimeRebin};
use crate::science::power::{PowerOptions, single_precision_suffices};
use crate::segment::{PlanSpec, Quantity};

/// Bytes of a matrix from which on memory is worth a warning, and rows from which on time is.
const LARGE_MATRIX: u64 = 1 << 30;
/// See [`LARGE_MATRIX`].
const MANY_ROWS: u64 = 1 << 20;

/// The product that keeps every segment of a power spectrum.
pub(super) const EVERY_SEGMENT: Quantity = Quantity::EverySegment { series: 1, inside: 0 };

/// Warns of a matrix that will be large.
pub(super) fn warn_of_size(rows: u64, frequencies: usize, warnings: &mut Warnings) {
    let bytes = rows.saturating_mul(8 * frequencies as u64);
    if bytes > LARGE_MATRIX || rows > MANY_ROWS {
        let gigabytes = ShortNumber((bytes as f64 / 1e8).ceil() / 10.0);
        let message = format!("a matrix of {rows} times and {frequencies} frequencies takes {gigabytes} GB of memory");
        let mend = [Mend::field("rebin"), Mend::field("time.rebin"), Mend::field("time").doing("takes a part")];
        warnings.record(Warning::new("W-MATRIX-SIZE", message).mended_by(mend));
    }
}

/// What is done with the segments of a power spectrum.
pub(super) fn recipe(power: &PowerOptions, time: TimeRebin, spec: &PlanSpec, dt: f64, flux: bool) -> DynamicalSpec {
    DynamicalSpec {
        series: 1,
        inside: false,
        flux,
        n: spec.n,
        dt,
        segment_size: spec.segment_size,
        norm: power.norm,
        use_common_mean: power.use_common_mean,
        rebin: power.rebin,
        time,
        background: [power.background, 0.0],
        noise: [power.noise; 2],
    }
}

/// What is done with the segments of a cross spectrum.
pub(super) fn cross_recipe(
    cross: &CrossOptions,
    time: TimeRebin,
    spec: &PlanSpec,
    dt: f64,
    inside: bool,
    flux: bool,
) -> Result<DynamicalSpec> {
    if cross.fullspec {
        return Err(Error::argument("fullspec", true, "dynamical spectra have the positive frequencies")
            .mended_by([Mend::set("fullspec", false)]));
    }
    // Rows begin with the reference.
    let [subject, reference] = [0, 1].map(|c| (cross.background[c], cross.noise[c]));
    Ok(DynamicalSpec {
        series: 2,
        inside,
        flux,
        n: spec.n,
        dt,
        segment_size: spec.segment_size,
        norm: cross.norm,
        use_common_mean: cross.use_common_mean,
        rebin: cross.rebin,
        time,
        background: [reference.0, subject.0],
        noise: [reference.1, subject.1],
    })
}

/// What a product says of what computed it.
pub(super) fn record(device: &DeviceInfo) -> DeviceRecord {
    record_device(device, &Sums::default(), 0, &mut Warnings::default())
}

/// Powers of one segment that single precision spoils are warned of, by the mean of all rows.
pub(super) fn warn_of_precision(spectrum: &mut DynamicalPowerSpectrum) {
    if spectrum.meta.record.device.precision != "single" {
        return;
    }
    let (rows, columns) = spectrum.axes.shape();
    let noise = if spectrum.meta.levels.noise_subtracted { spectrum.noise.as_slice() } else { &[] };
    let cell = |r: usize, c: usize| spectrum.row(r)[c] + noise.get(r).copied().unwrap_or(0.0);
    let mean: Vec<f64> = (0..columns).map(|c| (0..rows).map(|r| cell(r, c)).sum::<f64>() / rows as f64).collect();
    let averaged = spectrum.axes.segments.iter().copied().max().unwrap_or(1);
    if !single_precision_suffices(&mean, averaged) {
        spectrum.meta.record.warnings.record(too_coarse());
    }
}

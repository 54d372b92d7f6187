//! The averaged power spectrum of flux segments from any iterator.

use super::{Queue, record_device};
use crate::backend::Backend;
use crate::data::Provenance;
use crate::error::{Error, Result};
use crate::segment::{Input, PlanSpec, Product, Row, SegmentBatch};
use crate::spectrum::power::{AveragedPowerSpectrum, Context, PowerOptions};
use crate::time::Dd;
use crate::warning::Warnings;

/// One segment of a binned series.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct FluxSegment {
    /// Values, one a bin: counts a bin, or counts/s.
    pub values: Vec<f64>,
    /// Their standard errors in the same unit; empty when there are none.
    pub errors: Vec<f64>,
}

impl<T: Into<f64>> From<Vec<T>> for FluxSegment {
    /// Values of any type that f64 holds exactly (`f64`, `f32`, `u32`, `u16`, …), without errors.
    fn from(values: Vec<T>) -> FluxSegment {
        FluxSegment { values: values.into_iter().map(Into::into).collect(), errors: Vec::new() }
    }
}

impl<T: Into<f64> + Copy> From<&[T]> for FluxSegment {
    /// As from a vector.
    fn from(values: &[T]) -> FluxSegment {
        FluxSegment { values: values.iter().map(|&x| x.into()).collect(), errors: Vec::new() }
    }
}

/// Options of a spectrum of flux segments.
#[derive(Clone, Debug, PartialEq)]
pub struct FluxOptions {
    /// Bin width, s.
    pub dt: f64,
    /// The values are rates, counts/s: they and their errors are multiplied by `dt` first.
    pub rates: bool,
    /// From sums to spectrum; the mean is always common.
    pub power: PowerOptions,
}

/// The averaged power spectrum of `segments`, all of one length, numbered from 0.
///
/// The mean of each segment is subtracted and a power of two, common to a run of segments, scales the samples near 1 before
/// they go to the device; both are undone exactly.
///
/// # Errors
/// Segments of different lengths or fewer than 3 bins, values that are not finite, no segment, a mean of zero where the
/// normalisation divides by it; the device fails.
pub fn spectrum_of_flux(
    segments: impl IntoIterator<Item = FluxSegment>,
    options: &FluxOptions,
    backend: &mut dyn Backend,
    mut warnings: Warnings,
) -> Result<AveragedPowerSpectrum> {
    if !options.power.use_common_mean {
        return Err(Error::argument("use_common_mean", false, "flux segments are normalised by their common mean"));
    }
    let mut segments = segments.into_iter().peekable();
    let spec = flux_spec(&mut segments, options.dt, Product::Power { weight_exponent: None })?;
    let PlanSpec { n, segment_size, .. } = spec;
    let dt = options.dt;
    let mut queue = Queue::of_plan(backend, &spec)?;
    push_flux(&mut queue, &spec, segments, if options.rates { dt } else { 1.0 }, |_| {})?;
    let (sums, device) = queue.finish(&mut warnings)?;
    let device = record_device(&device, &sums, spec.frequencies(), &mut warnings);
    let options_used = serde_json::to_value(&options.power).unwrap_or_default();
    let provenance = Provenance { options: options_used, warnings, ..Provenance::default() };
    let context = Context { n, dt, segment_size, device, provenance };
    let spectrum = AveragedPowerSpectrum::new(&sums, true, &options.power, context)?;
    if !spectrum.meta.noise.is_finite() {
        let message = format!("the mean flux is {}, and this normalisation divides by it", spectrum.meta.mean);
        return Err(Error::argument("norm", options.power.norm, message));
    }
    Ok(spectrum)
}

/// The plan of segments as long as the first.
pub(super) fn flux_spec(
    segments: &mut std::iter::Peekable<impl Iterator<Item = FluxSegment>>,
    dt: f64,
    product: Product,
) -> Result<PlanSpec> {
    if !(dt.is_finite() && dt > 0.0) {
        return Err(Error::argument("dt", dt, "must be a positive number of seconds"));
    }
    let n = segments.peek().map_or(0, |s| s.values.len());
    if n <= 2 {
        return Err(Error::argument("segments", n, "bins in the first segment; a spectrum needs at least 3"));
    }
    let (segment_size, input) = (n as f64 * dt, Input::Flux);
    Ok(PlanSpec { n, segment_size, product, input, min_events: 0, max_segments: u64::MAX })
}

/// Sends all segments, their values times `to_counts`; after each batch `look` may take sums out of the queue.
pub(super) fn push_flux(
    queue: &mut Queue,
    spec: &PlanSpec,
    segments: impl Iterator<Item = FluxSegment>,
    to_counts: f64,
    mut look: impl FnMut(&mut Queue),
) -> Result<()> {
    let (n, run, rows) = (spec.n, spec.run_length() as usize, queue.limits().rows);
    let mut batch = empty_batch();
    for (index, segment) in segments.enumerate() {
        let row = load(index as u64, &segment, n, to_counts, &mut batch.flux)?;
        batch.rows.push(row);
        if batch.rows.len() == rows {
            queue.push(scaled(std::mem::replace(&mut batch, empty_batch()), n, run))?;
            look(queue);
        }
    }
    if !batch.rows.is_empty() {
        queue.push(scaled(batch, n, run))?;
    }
    Ok(())
}

fn empty_batch() -> SegmentBatch {
    SegmentBatch { first: true, last: true, ..SegmentBatch::default() }
}

/// Appends the samples of a segment, its mean subtracted.
fn load(index: u64, segment: &FluxSegment, n: usize, to_counts: f64, out: &mut Vec<f64>) -> Result<Row> {
    let place = format!("segment {index}");
    let FluxSegment { values, errors } = segment;
    if values.len() != n || !(errors.is_empty() || errors.len() == n) {
        let message = format!("{} values and {} errors; the first segment has {n} values", values.len(), errors.len());
        return Err(Error::argument("segments", place, message));
    }
    if let Some(bad) = values.iter().chain(errors).position(|x| !x.is_finite()) {
        return Err(Error::argument("segments", place, format!("value {} of bin {} is not finite", bad / n, bad % n)));
    }
    let mean = values.iter().map(|x| x * to_counts).sum::<f64>() / n as f64;
    let variance = errors.iter().map(|e| (e * to_counts).powi(2)).sum::<f64>() / n as f64;
    out.extend(values.iter().map(|x| x * to_counts - mean));
    Ok(Row { index, start: Dd::ZERO, begin: 0, end: 0, events: 0, flux_mean: mean, variance, scale: 0 })
}

/// Scales each run of a batch by the power of two that brings its largest sample to between 1 and 2.
fn scaled(mut batch: SegmentBatch, n: usize, run: usize) -> SegmentBatch {
    for (samples, rows) in batch.flux.chunks_mut(n * run).zip(batch.rows.chunks_mut(run)) {
        let largest = samples.iter().fold(0.0f64, |m, x| m.max(x.abs()));
        if largest == 0.0 {
            continue;
        }
        // Exponents beyond this would leave the range of 2^scale itself.
        let scale = -(largest.log2().floor() as i32).clamp(-500, 500);
        let factor = 2f64.powi(scale);
        samples.iter_mut().for_each(|x| *x *= factor);
        rows.iter_mut().for_each(|row| row.scale = scale);
    }
    batch
}

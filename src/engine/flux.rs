//! Averaged power spectra and cross spectra of flux segments from any iterator.

use super::batch_queue::{BatchQueue, record_device};
use super::run::{Run, asked};
use crate::base::error::{Error, Result};
use crate::base::sums::WeightSums;
use crate::data::Record;
use crate::kernels::Input;
use crate::science::Norm;
use crate::science::context::SpectrumContext;
use crate::science::cross::{AveragedCrossSpectrum, CrossOptions};
use crate::science::cross_of_sums::CrossContext;
use crate::science::norm::NormParameters;
use crate::science::power::{AveragedPowerSpectrum, PowerOptions};
use crate::segment::{PlanSpec, Quantity, SegmentBatch, SeriesSegment};

/// One segment of a binned series (a light curve, for example).
#[derive(Clone, Debug, Default, PartialEq)]
pub struct FluxSegment {
    /// Values, one a bin: counts, or rates in counts/s.
    pub values: Vec<f64>,
    /// Standard errors of `values` in the same unit; empty if there are none.
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

/// Segments as they come.
pub(crate) struct StreamedSegments<'s, S> {
    pub segments: &'s mut dyn Iterator<Item = S>,
    /// So many that will come; 0 where nobody knows.
    pub expected: u64,
    /// Bin width, s.
    pub dt: f64,
    /// The values are rates, counts/s: they and their errors are multiplied by `dt`.
    pub rates: bool,
}

impl<S> StreamedSegments<'_, S> {
    /// What values are multiplied by to be counts.
    pub fn to_counts(&self) -> f64 {
        if self.rates { self.dt } else { 1.0 }
    }
}

/// One segment of two series with the same bins.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct FluxPair {
    /// The subject. Lags are positive if the subject is late.
    pub subject: FluxSegment,
    /// The reference.
    pub reference: FluxSegment,
}

impl FluxPair {
    /// Neither segment is empty.
    pub(super) fn is_whole(&self) -> bool {
        !self.subject.values.is_empty() && !self.reference.values.is_empty()
    }
}

/// What a device computes for a cross spectrum of two series.
pub(super) fn cross_quantity(cross: &CrossOptions, inside: bool, weight_exponent: Option<u32>) -> Quantity {
    let inside = u64::from(inside);
    match cross.fullspec {
        true => Quantity::FullCross { inside, weight_exponent },
        false => Quantity::Cross { series: 2, inside, weight_exponent },
    }
}

/// Averages the power spectra of segments of a binned series. All segments have the same number of bins, at least 3.
///
/// The result is that of the definition. Inside, the mean of each segment is subtracted and samples are scaled by a
/// power of two, so that single precision suffices; both are undone exactly. Counts on the CPU give the same bits as
/// the events that they count.
///
/// # Errors
/// Segments of different lengths or with fewer than 3 bins, values that are not finite, no segment, a mean that cannot
/// be told from 0 if the normalisation divides by it, or a failure of the device.
pub(super) fn spectrum_of_segments(
    stream: StreamedSegments<FluxSegment>,
    power: &PowerOptions,
    run: &mut Run,
) -> Result<AveragedPowerSpectrum> {
    if !power.use_common_mean {
        return Err(own_mean());
    }
    let (dt, to_counts) = (stream.dt, stream.to_counts());
    let mut segments = (0..).zip(stream.segments.map(|segment| [segment])).peekable();
    let first = segments.peek().map_or(0, |(_, [segment])| segment.values.len());
    let spec = spec_of(first, dt, Quantity::Power { weight_exponent: None })?;
    let PlanSpec { n, segment_size, .. } = spec;
    let mut queue = BatchQueue::prepare(run.device, &spec, None)?;
    push_flux(&mut queue, &spec, segments, to_counts, |_| {})?;
    let (sums, device) = queue.finish(&mut run.warnings)?;
    let device = record_device(&device, &sums, spec.frequencies(), &mut run.warnings);
    let record =
        Record { device, options: asked(power), series: true, warnings: run.take_warnings(), ..Record::default() };
    AveragedPowerSpectrum::new(
        &sums,
        true,
        power,
        SpectrumContext { n, dt, segment_size, compat_stingray: false, record },
    )
}

/// Averages the cross spectra of pairs of segments of two binned series. All segments have the same number of bins, at
/// least 3. A pair with an empty segment is skipped and counted. How samples are treated is told at
/// [`spectrum_of_segments`].
///
/// If `use_common_mean` is false, each segment is normalised by its own mean (and errors), and a pair of which either
/// segment cannot be is skipped: `C_i·√(f(μ1_i)·f(μ2_i))` is averaged, with the factor `f` of [`Norm::factor`].
///
/// # Errors
/// Segments of different lengths or with fewer than 3 bins, values that are not finite, no segment, a mean that cannot
/// be told from 0 if the normalisation divides by it, or a failure of the device.
pub(super) fn cross_spectrum_of_segments(
    stream: StreamedSegments<FluxPair>,
    cross: &CrossOptions,
    run: &mut Run,
) -> Result<AveragedCrossSpectrum> {
    let (dt, to_counts) = (stream.dt, stream.to_counts());
    let mut pairs = stream.segments.zip(0u64..);
    let first = pairs.find(|(pair, _)| pair.is_whole());
    let n = first.as_ref().map_or(0, |(pair, _)| pair.subject.values.len());
    let spec = spec_of(n, dt, cross_quantity(cross, false, None))?;
    let mut skipped = first.as_ref().map_or(0, |&(_, index)| index);
    let mut queue = BatchQueue::prepare(run.device, &spec, None)?;
    let mut flux = FluxBatcher::new(&spec, &queue, to_counts);
    flux.own = cross.weight_exponent().map(|_| cross.norm);
    let mut push = |batch: Option<SegmentBatch>| batch.map_or(Ok(()), |batch| queue.push(batch));
    for (pair, index) in first.into_iter().chain(pairs) {
        match pair.is_whole() {
            true => push(flux.add(index, &[pair.reference, pair.subject])?)?,
            false => skipped += 1,
        }
    }
    push(flux.rest())?;
    let (mut sums, device) = queue.finish(&mut run.warnings)?;
    sums.skipped += skipped + flux.skipped.len() as u64;
    run.skipped.append(&mut flux.skipped);
    if sums.segments == 0 {
        return Err(Error::argument("norm", cross.norm, "no pair of segments has means that it can be divided by"));
    }
    let mean = |c: usize| flux.totals[c] / (sums.segments as f64 * n as f64);
    let variance = |c: usize| sums.series[c].variance / sums.segments as f64;
    let level = |c: usize| (mean(c), Some(variance(c)).filter(|v| *v > 0.0));
    let flux = Some([level(1), level(0)]);
    let device = record_device(&device, &sums, spec.frequencies(), &mut run.warnings);
    let record =
        Record { device, options: asked(cross), series: true, warnings: run.take_warnings(), ..Record::default() };
    let spectrum = SpectrumContext { n, dt, segment_size: spec.segment_size, compat_stingray: false, record };
    let context = CrossContext { spectrum, inside: false, flux };
    AveragedCrossSpectrum::new(&sums, cross, context)
}

fn own_mean() -> Error {
    Error::argument("use_common_mean", false, "flux segments are normalised by their common mean")
}

/// The plan of segments of `n` bins.
pub(super) fn spec_of(n: usize, dt: f64, quantity: Quantity) -> Result<PlanSpec> {
    if !(dt.is_finite() && dt > 0.0) {
        return Err(Error::argument("dt", dt, "must be a positive number of seconds"));
    }
    if n <= 2 {
        return Err(Error::argument("segments", n, "bins in the first segment; a spectrum needs at least 3"));
    }
    let (segment_size, input) = (n as f64 * dt, Input::Flux);
    Ok(PlanSpec { n, segment_size, quantity, input, min_events: 0, max_segments: u64::MAX })
}

/// Sends all segments, of all series, each with its number and their values times `to_counts`; after each batch `look` may take
/// sums out of the queue.
pub(super) fn push_flux<C: AsRef<[FluxSegment]>>(
    queue: &mut BatchQueue,
    spec: &PlanSpec,
    segments: impl Iterator<Item = (u64, C)>,
    to_counts: f64,
    mut look: impl FnMut(&mut BatchQueue),
) -> Result<()> {
    let mut flux = FluxBatcher::new(spec, queue, to_counts);
    for (index, segment) in segments {
        if let Some(batch) = flux.add(index, segment.as_ref())? {
            queue.push(batch)?;
            look(queue);
        }
    }
    flux.rest().map_or(Ok(()), |batch| queue.push(batch))
}

/// Segments of series to batches of whole runs.
struct FluxBatcher<'a> {
    spec: &'a PlanSpec,
    /// Segments of a group.
    rows: u64,
    to_counts: f64,
    /// Counts of photons go to the device as they are.
    exact: bool,
    /// Segments are normalised before they go to the device, each by its own mean.
    own: Option<Norm>,
    /// Numbers of those that could not be.
    skipped: Vec<u64>,
    batch: SegmentBatch,
    /// Sum of the values of each series.
    totals: Vec<f64>,
}

/// Counts below this are exact in every sum of a transform that matters, as those of events are.
const MOST_COUNTS: f64 = (1u64 << 24) as f64;

impl<'a> FluxBatcher<'a> {
    fn new(spec: &'a PlanSpec, queue: &BatchQueue, to_counts: f64) -> FluxBatcher<'a> {
        let (rows, exact) = (queue.limits().rows as u64, queue.backend.capabilities().exact_counts);
        let (batch, totals) = (empty_batch(), vec![0.0; spec.series()]);
        FluxBatcher { spec, rows, to_counts, exact, own: None, skipped: Vec::new(), batch, totals }
    }

    /// Takes the segment of each series at a place after all before; a batch that is full without it.
    fn add(&mut self, index: u64, segment: &[FluxSegment]) -> Result<Option<SegmentBatch>> {
        let full = self.batch.rows.first().is_some_and(|row| row.index / self.rows != index / self.rows);
        let batch = if full { self.rest() } else { None };
        let (n, begin) = (self.spec.n, self.batch.flux.len());
        let load = |segment| load(index, segment, n, self.to_counts, self.exact, &mut self.batch.flux);
        let mut rows = segment.iter().map(load).collect::<Result<Vec<SeriesSegment>>>()?;
        let sums: Vec<f64> = segment.iter().map(|s| s.values.iter().map(|x| x * self.to_counts).sum()).collect();
        if let Some(norm) = self.own {
            let dt = self.spec.segment_size / n as f64;
            if rows.iter().any(|row| norm.refusal(&level_of(row, n, dt), error_of(row, n)).is_some()) {
                self.batch.flux.truncate(begin);
                self.skipped.push(index);
                return Ok(batch);
            }
            for (row, samples) in rows.iter_mut().zip(self.batch.flux[begin..].chunks_mut(n)) {
                normalise(row, samples, norm, dt);
            }
        }
        self.totals.iter_mut().zip(sums).for_each(|(total, sum)| *total += sum);
        self.batch.rows.extend(rows);
        Ok(batch)
    }

    /// What is there.
    fn rest(&mut self) -> Option<SegmentBatch> {
        let batch = std::mem::replace(&mut self.batch, empty_batch());
        (!batch.rows.is_empty()).then(|| scaled(batch, self.spec))
    }
}

/// What a segment's own mean and errors say.
fn level_of(row: &SeriesSegment, n: usize, dt: f64) -> NormParameters {
    let variance = Some(row.variance).filter(|v| *v > 0.0);
    NormParameters { n, dt, mean: row.flux_mean, background: 0.0, variance }
}

/// Standard error of that mean, as far as errors are known.
fn error_of(row: &SeriesSegment, n: usize) -> f64 {
    (row.variance / n as f64).sqrt()
}

/// Multiplies the samples of a segment, and their mean, by the root of what normalises its power.
fn normalise(row: &mut SeriesSegment, samples: &mut [f64], norm: Norm, dt: f64) {
    let root = norm.factor(&level_of(row, samples.len(), dt)).sqrt();
    samples.iter_mut().for_each(|x| *x *= root);
    row.flux_mean *= root;
    row.weights = WeightSums::of(row.weights.0[0] * root * root);
}

fn empty_batch() -> SegmentBatch {
    SegmentBatch { first: true, last: true, ..SegmentBatch::default() }
}

/// Appends the samples of a segment, its mean subtracted; with `exact` counts stay as they are.
fn load(
    index: u64,
    segment: &FluxSegment,
    n: usize,
    to_counts: f64,
    exact: bool,
    out: &mut Vec<f64>,
) -> Result<SeriesSegment> {
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
    let counts =
        exact && values.iter().all(|x| (0.0..MOST_COUNTS).contains(&(x * to_counts)) && (x * to_counts).fract() == 0.0);
    let level = if counts { 0.0 } else { mean };
    out.extend(values.iter().map(|x| x * to_counts - level));
    // Without errors, that of counts.
    let weights = match variance > 0.0 {
        true => WeightSums::of(n as f64 * variance),
        false => WeightSums::of_photons(n as f64 * mean.max(0.0), 0),
    };
    Ok(SeriesSegment { flux_mean: mean, variance, weights, ..SeriesSegment::empty(index) })
}

/// Scales each series of each run of a batch by the power of two that brings its largest sample to between 1 and 2.
fn scaled(mut batch: SegmentBatch, spec: &PlanSpec) -> SegmentBatch {
    let (n, series) = (spec.n, spec.series());
    for (_, rows) in batch.runs(spec.run_length()) {
        for which in 0..series {
            let own = || rows.clone().skip(which).step_by(series);
            let samples = own().flat_map(|row| &batch.flux[row * n..(row + 1) * n]);
            let largest = samples.fold(0.0f64, |m, x| m.max(x.abs()));
            if largest == 0.0 {
                continue;
            }
            // Exponents beyond this would leave the range of 2^scale itself.
            let scale = -(largest.log2().floor() as i32).clamp(-500, 500);
            let factor = 2f64.powi(scale);
            for row in own() {
                batch.flux[row * n..(row + 1) * n].iter_mut().for_each(|x| *x *= factor);
                batch.rows[row].scale = scale;
            }
        }
    }
    batch
}

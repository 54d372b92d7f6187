//! Spectra that devices do not make, in f64 on the CPU: multitaper, bispectrum, Lomb-Scargle.

use super::batcher::each_batch;
use super::light_curve_spectrum::{LightCurvePlan, LightCurveSpectrumOptions};
use super::time_source::Events;
use super::{Plan, PowerSpectrumOptions, ReadProgress};
use crate::backend::BatchLimits;
use crate::base::error::{Error, Result};
use crate::base::warning::Warnings;
use crate::data::{DeviceRecord, EventBalance, LightCurve, Provenance};
use crate::kernels::bin_events;
use crate::science::bispectrum::{Bispectrum, BispectrumSums};
use crate::science::cross_powers::CrossPowers;
use crate::science::cumulant::{CumulantBispectrum, CumulantOptions, CumulantSums};
use crate::science::lomb_scargle::{self, LombScargleOptions, UnevenSeries};
use crate::science::multitaper::{MultitaperSums, TaperOptions};
use crate::science::power::{AveragedPowerSpectrum, PowerContext};
use crate::science::rebin::Rebin;
use crate::segment::Quantity;

/// Events of one batch: 16 MiB of times.
const BATCH_EVENTS: usize = 1 << 21;

fn device() -> DeviceRecord {
    DeviceRecord { backend: "cpu".into(), adapter: std::env::consts::ARCH.into(), precision: "double".into() }
}

/// Has `look` add the counts of every segment of a plan, in order, to what `begin` makes; with it, what the product says of what
/// was read. All begins again where a file turns out to be out of order.
fn each_segment<T>(
    mut plan: Plan,
    inputs: Vec<Events>,
    chunk: usize,
    warnings: &mut Warnings,
    progress: ReadProgress,
    begin: impl Fn() -> Result<T>,
    mut look: impl FnMut(&mut T, &[f64]),
) -> Result<(T, Provenance)> {
    // A segment is a group of its own.
    plan.spec.quantity = Quantity::EverySegment { channels: 1, inside: 0 };
    let limits = BatchLimits { rows: 1, events: BATCH_EVENTS };
    let (mut counts, mut last) = (vec![0.0; plan.spec.n], bin_events::LastEventTable::default());
    let (mut sums, mut dropped, mut used) = (begin()?, 0, 0);
    let mut made = each_batch(&plan, inputs, limits, chunk, warnings, progress, |batch| {
        let Some(batch) = batch else {
            (sums, dropped, used) = (begin()?, 0, 0);
            return Ok(());
        };
        if batch.first {
            counts.fill(0.0);
        }
        for row in &batch.rows {
            let times = &batch.times[row.begin..row.end];
            let beyond = bin_events::add_sorted(times, row.start, plan.spec.delta(), &mut counts, &mut last);
            dropped += beyond;
            used += times.len() as u64 - beyond;
        }
        if batch.last {
            look(&mut sums, &counts);
        }
        Ok(())
    })?;
    made.photons = EventBalance { used, dropped_edge: dropped, ..made.photons };
    if used == 0 {
        let (segments, balance) = (plan.total_segments(), made.photons.to_string());
        return Err(Error::NoEvents { segments, read: made.photons.read, balance });
    }
    Ok((sums, made))
}

/// The multitaper power spectrum of events, averaged over their segments.
///
/// # Errors
/// See [`Plan::new`] and [`MultitaperSums::new`]; reading fails; no event in any segment.
pub fn multitaper_of_events(
    inputs: Vec<Events>,
    options: &PowerSpectrumOptions,
    tapers: &TaperOptions,
    mut warnings: Warnings,
    progress: ReadProgress,
) -> Result<AveragedPowerSpectrum> {
    let plan = Plan::new(&inputs, options, &mut warnings)?;
    let r = plan.resolution;
    let (begin, add) =
        (|| MultitaperSums::new(r.n, tapers), |sums: &mut MultitaperSums, counts: &[f64]| sums.add(counts, None));
    let (sums, mut made) = each_segment(plan, inputs, options.chunk_events, &mut warnings, progress, begin, add)?;
    made.options = serde_json::json!({ "spectrum": options, "tapers": tapers });
    made.warnings = warnings;
    let context = PowerContext { n: r.n, dt: r.dt, segment_size: r.segment_size, device: device(), provenance: made };
    sums.finish(&options.power, context)
}

/// The values of each segment of a light curve, in counts a bin, with the variance that errors tell.
fn each_stretch(plan: &LightCurvePlan, series: &LightCurve, mut look: impl FnMut(&[f64], Option<f64>)) {
    let to_counts = if series.counted { 1.0 } else { series.grid.dt };
    for segment in plan.segments(series) {
        let values: Vec<f64> = segment.values.iter().map(|x| x * to_counts).collect();
        let squares = segment.errors.iter().map(|e| (e * to_counts).powi(2)).sum::<f64>();
        look(&values, (!segment.errors.is_empty()).then(|| squares / values.len() as f64));
    }
}

/// The multitaper power spectrum of a light curve, averaged over its segments.
///
/// # Errors
/// See [`LightCurvePlan::new`] and [`MultitaperSums::new`].
pub fn multitaper_of_light_curve(
    series: &LightCurve,
    options: &LightCurveSpectrumOptions,
    tapers: &TaperOptions,
    mut warnings: Warnings,
) -> Result<AveragedPowerSpectrum> {
    let plan = LightCurvePlan::new(series, options, &mut warnings)?;
    let r = plan.resolution;
    let mut sums = MultitaperSums::new(r.n, tapers)?;
    each_stretch(&plan, series, |values, variance| sums.add(values, variance));
    let asked = serde_json::json!({ "spectrum": options, "tapers": tapers });
    let provenance = plan.provenance(series, None, asked, warnings);
    sums.finish(
        &options.power,
        PowerContext { n: r.n, dt: r.dt, segment_size: r.segment_size, device: device(), provenance },
    )
}

/// The bispectrum of events, averaged over their segments, up to `max_freq` Hz. Of the options only those of segments count.
///
/// # Errors
/// See [`Plan::new`] and [`BispectrumSums::new`]; reading fails; no event in any segment.
pub fn bispectrum_of_events(
    inputs: Vec<Events>,
    options: &PowerSpectrumOptions,
    max_freq: Option<f64>,
    mut warnings: Warnings,
    progress: ReadProgress,
) -> Result<Bispectrum> {
    let plan = Plan::new(&inputs, options, &mut warnings)?;
    let r = plan.resolution;
    let (begin, add) =
        (|| BispectrumSums::new(r.n, r.dt, max_freq), |sums: &mut BispectrumSums, counts: &[f64]| sums.add(counts));
    let (sums, mut made) = each_segment(plan, inputs, options.chunk_events, &mut warnings, progress, begin, add)?;
    made.options = serde_json::json!({ "dt": r.dt, "segment_size": r.segment_size, "max_freq": max_freq });
    made.warnings = warnings;
    Ok(sums.finish(r.dt, device(), made))
}

/// The bispectrum of a light curve, averaged over its segments, up to `max_freq` Hz.
///
/// # Errors
/// See [`LightCurvePlan::new`] and [`BispectrumSums::new`].
pub fn bispectrum_of_light_curve(
    series: &LightCurve,
    options: &LightCurveSpectrumOptions,
    max_freq: Option<f64>,
    mut warnings: Warnings,
) -> Result<Bispectrum> {
    let plan = LightCurvePlan::new(series, options, &mut warnings)?;
    let r = plan.resolution;
    let mut sums = BispectrumSums::new(r.n, r.dt, max_freq)?;
    each_stretch(&plan, series, |values, _| sums.add(values));
    let asked = serde_json::json!({ "dt": r.dt, "segment_size": r.segment_size, "max_freq": max_freq });
    Ok(sums.finish(r.dt, device(), plan.provenance(series, None, asked, warnings)))
}

/// The bispectrum of events by the peer's definition, the mean of those of their segments. Of the options of the spectrum only
/// those of segments count.
///
/// # Errors
/// See [`Plan::new`] and [`CumulantSums::new`]; reading fails; no event in any segment.
pub fn cumulant_bispectrum_of_events(
    inputs: Vec<Events>,
    options: &PowerSpectrumOptions,
    cumulant: &CumulantOptions,
    mut warnings: Warnings,
    progress: ReadProgress,
) -> Result<CumulantBispectrum> {
    let plan = Plan::new(&inputs, options, &mut warnings)?;
    let r = plan.resolution;
    let (begin, add) =
        (|| CumulantSums::new(r.n, *cumulant), |sums: &mut CumulantSums, counts: &[f64]| sums.add(counts));
    let (sums, mut made) = each_segment(plan, inputs, options.chunk_events, &mut warnings, progress, begin, add)?;
    made.options = serde_json::json!({ "dt": r.dt, "segment_size": r.segment_size, "cumulant": cumulant });
    made.warnings = warnings;
    Ok(sums.finish(r.dt, device(), made))
}

/// The bispectrum of a light curve by the peer's definition, the mean of those of its segments.
///
/// # Errors
/// See [`LightCurvePlan::new`] and [`CumulantSums::new`].
pub fn cumulant_bispectrum_of_light_curve(
    series: &LightCurve,
    options: &LightCurveSpectrumOptions,
    cumulant: &CumulantOptions,
    mut warnings: Warnings,
) -> Result<CumulantBispectrum> {
    let plan = LightCurvePlan::new(series, options, &mut warnings)?;
    let r = plan.resolution;
    let mut sums = CumulantSums::new(r.n, *cumulant)?;
    each_stretch(&plan, series, |values, _| sums.add(values));
    let asked = serde_json::json!({ "dt": r.dt, "segment_size": r.segment_size, "cumulant": cumulant });
    Ok(sums.finish(r.dt, device(), plan.provenance(series, None, asked, warnings)))
}

/// The bins of a light curve that are exposed enough, as samples since `zero`, the place of a bin on the grid.
struct ExposedSamples {
    time: Vec<f64>,
    value: Vec<f64>,
    error: Vec<f64>,
}

impl ExposedSamples {
    fn from_light_curve(
        series: &LightCurve,
        min_fracexp: f64,
        zero: crate::base::time::DoubleDouble,
    ) -> ExposedSamples {
        let dt = series.grid.dt;
        let good: Vec<usize> = series.stretches(min_fracexp).into_iter().flatten().collect();
        let errors_known = !series.counted && good.iter().all(|&i| series.rate_err[i].is_finite());
        // Differences of double-doubles: f64 of mission seconds would lose digits of phase.
        let offset = (series.grid.origin - zero).value();
        ExposedSamples {
            time: good.iter().map(|&i| offset + (series.bin[i] as f64 + 0.5) * dt).collect(),
            value: good.iter().map(|&i| series.rate[i] * dt).collect(),
            error: if errors_known { good.iter().map(|&i| series.rate_err[i] * dt).collect() } else { Vec::new() },
        }
    }

    fn samples(&self, dt: f64) -> UnevenSeries<'_> {
        UnevenSeries { time: &self.time, value: &self.value, error: &self.error, dt }
    }
}

/// The Lomb-Scargle power spectrum of a light curve: of all bins with at least `min_fracexp` of their time exposed, whatever the gaps.
///
/// # Errors
/// Fewer than 4 bins, weights without errors, frequencies without meaning, a normalisation by a mean of zero.
pub fn lomb_scargle(
    series: &LightCurve,
    options: &LombScargleOptions,
    rebin: Rebin,
    min_fracexp: f64,
    warnings: Warnings,
) -> Result<AveragedPowerSpectrum> {
    let dt = series.grid.dt;
    let bins = ExposedSamples::from_light_curve(series, min_fracexp, series.grid.origin);
    let asked = serde_json::json!({ "lomb_scargle": options, "rebin": rebin, "min_fracexp": min_fracexp });
    let provenance =
        Provenance { options: asked, photons: EventBalance::default(), warnings, ..series.meta.provenance.clone() };
    lomb_scargle::power_spectrum(bins.samples(dt), options, rebin, |n, span| PowerContext {
        n,
        dt,
        segment_size: span,
        device: device(),
        provenance,
    })
}

/// The Lomb-Scargle cross spectrum of two light curves of one frame, whose bins need not coincide.
///
/// # Errors
/// See [`lomb_scargle()`].
pub fn lomb_scargle_cross(
    subject: &LightCurve,
    reference: &LightCurve,
    options: &LombScargleOptions,
    rebin: Rebin,
    min_fracexp: f64,
) -> Result<CrossPowers> {
    let zero = subject.grid.origin;
    let (one, other) = (
        ExposedSamples::from_light_curve(subject, min_fracexp, zero),
        ExposedSamples::from_light_curve(reference, min_fracexp, zero),
    );
    let (one, other) = (one.samples(subject.grid.dt), other.samples(reference.grid.dt));
    lomb_scargle::cross_spectrum(one, other, options, rebin)
}

//! Segments of series → rows of a dynamical spectrum, as the sums of each come back.

use super::BatchQueue;
use super::dynamical::{EVERY_SEGMENT, cross_recipe, recipe, record, warn_of_precision, warn_of_size};
use super::flux::{CrossFluxOptions, FluxOptions, FluxPair, FluxSegment, push_flux, spec_of};
use super::light_curve_spectrum::{
    LightCurveCrossOptions, LightCurveCrossPlan, LightCurvePlan, LightCurveSpectrumOptions,
};
use crate::backend::Backend;
use crate::base::error::{Error, Result};
use crate::base::progress::Progress;
use crate::base::warning::Warnings;
use crate::data::{DeviceRecord, LightCurve, Record};
use crate::science::Norm;
use crate::science::dynamical::rows::{DynamicalRows, DynamicalSpec, SegmentPlace};
use crate::science::dynamical::{DynamicalCrossSpectrum, DynamicalPowerSpectrum, TimeRebin};
use crate::segment::{PlanSpec, Quantity};

/// Power spectra against time of segments of a binned series. The segments follow one another from time 0 on and all
/// have the same number of bins. If `use_common_mean` is false, each segment is normalised by its own mean (and
/// errors); a segment that cannot be, such as an empty one, is skipped.
///
/// # Errors
/// Segments of different lengths or with fewer than 3 bins, values that are not finite, no segment that can be
/// normalised, a matrix larger than memory, or a failure of the device.
pub fn dynamical_spectrum_of_flux(
    segments: impl IntoIterator<Item = FluxSegment>,
    options: &FluxOptions,
    time: TimeRebin,
    backend: &mut dyn Backend,
    warnings: Warnings,
) -> Result<DynamicalPowerSpectrum> {
    of_flux(segments, options, time, one_after_the_other, backend, warnings)
}

/// Cross spectra against time of pairs of segments of two binned series. The pairs follow one another from time 0 on
/// and all segments have the same number of bins. A pair is skipped, and leaves its time free, if either segment is
/// empty, or cannot be normalised where `use_common_mean` is false.
///
/// # Errors
/// As for [`dynamical_spectrum_of_flux`]; a noise level that is to be fitted; `fullspec`.
pub fn dynamical_cross_spectrum_of_flux(
    pairs: impl IntoIterator<Item = FluxPair>,
    options: &CrossFluxOptions,
    time: TimeRebin,
    backend: &mut dyn Backend,
    warnings: Warnings,
) -> Result<DynamicalCrossSpectrum> {
    cross_of_flux(pairs, options, time, one_after_the_other, backend, warnings)
}

fn one_after_the_other(index: u64, size: f64) -> SegmentPlace {
    SegmentPlace { start: index as f64 * size, stretch: 0, number: index }
}

fn of_flux(
    segments: impl IntoIterator<Item = FluxSegment>,
    options: &FluxOptions,
    time: TimeRebin,
    place: impl Fn(u64, f64) -> SegmentPlace,
    backend: &mut dyn Backend,
    mut warnings: Warnings,
) -> Result<DynamicalPowerSpectrum> {
    let FluxOptions { dt, rates, power } = options;
    let mut segments = (0..).zip(segments.into_iter().map(|segment| [segment])).peekable();
    let spec = spec_of(segments.peek().map_or(0, |(_, [s])| s.values.len()), *dt, EVERY_SEGMENT)?;
    let recipe = recipe(power, time, &spec, *dt, true);
    let (rows, device) = rows_of(segments, &spec, recipe, *rates, place, backend, &mut warnings)?;
    let options_used = serde_json::to_value((power, time)).unwrap_or_default();
    let made = Record { device, options: options_used, warnings, ..Default::default() };
    let mut spectrum = DynamicalPowerSpectrum::new(rows, power.subtract_noise, made)?;
    check_finite(&spectrum.power, spectrum.meta.levels.mean, power.norm)?;
    warn_of_precision(&mut spectrum);
    Ok(spectrum)
}

fn cross_of_flux(
    pairs: impl IntoIterator<Item = FluxPair>,
    options: &CrossFluxOptions,
    time: TimeRebin,
    place: impl Fn(u64, f64) -> SegmentPlace,
    backend: &mut dyn Backend,
    mut warnings: Warnings,
) -> Result<DynamicalCrossSpectrum> {
    let CrossFluxOptions { dt, rates, cross } = options;
    let mut skipped = 0;
    let whole = (0..).zip(pairs).filter_map(|(index, pair)| {
        skipped += u64::from(!pair.is_whole());
        pair.is_whole().then_some((index, [pair.reference, pair.subject]))
    });
    let mut whole = whole.peekable();
    let n = whole.peek().map_or(0, |(_, [reference, _])| reference.values.len());
    let spec = spec_of(n, *dt, Quantity::EverySegment { series: 2, inside: 0 })?;
    let recipe = cross_recipe(cross, time, &spec, *dt, false, true)?;
    let (mut rows, device) = rows_of(whole, &spec, recipe, *rates, place, backend, &mut warnings)?;
    rows.total.skipped += skipped;
    let options_used = serde_json::to_value((cross, time)).unwrap_or_default();
    let made = Record { device, options: options_used, warnings, ..Default::default() };
    let spectrum = DynamicalCrossSpectrum::new(rows, made)?;
    let series = &spectrum.meta.levels;
    check_finite(&spectrum.power1, series.mean1, cross.norm)?;
    check_finite(&spectrum.power2, series.mean2, cross.norm)?;
    Ok(spectrum)
}

/// Makes rows of numbered segments, as they come back.
fn rows_of<C: AsRef<[FluxSegment]>>(
    segments: impl Iterator<Item = (u64, C)>,
    spec: &PlanSpec,
    recipe: DynamicalSpec,
    rates: bool,
    place: impl Fn(u64, f64) -> SegmentPlace,
    backend: &mut dyn Backend,
    warnings: &mut Warnings,
) -> Result<(DynamicalRows, DeviceRecord)> {
    let (norm, to_counts) = (recipe.norm, if rates { recipe.dt } else { 1.0 });
    // An iterator's end is not known; rows grow as segments come.
    let mut rows = DynamicalRows::new(recipe, 0, 0)?;
    let mut queue = BatchQueue::prepare(backend, spec)?;
    let mut take = |queue: &mut BatchQueue| {
        queue.sums.take_runs().for_each(|(segment, sums)| rows.add(place(segment, spec.segment_size), sums));
    };
    push_flux(&mut queue, spec, segments, to_counts, &mut take)?;
    queue.drain()?;
    take(&mut queue);
    let (_, device) = queue.finish(warnings)?;
    if rows.total.segments == 0 {
        return Err(Error::argument("norm", norm, "no segment has a mean that it can be divided by"));
    }
    Ok((rows, record(&device)))
}

fn check_finite(power: &[f64], mean: f64, norm: Norm) -> Result<()> {
    if power.iter().all(|p| p.is_finite()) {
        return Ok(());
    }
    let message = format!("the mean flux is {mean}, and this normalisation divides by it");
    Err(Error::argument("norm", norm, message))
}

/// Power spectra of a light curve against time. Segments consist of whole bins and do not reach over bins that are
/// missing, not finite or exposed too little.
///
/// # Errors
/// See [`LightCurvePlan::new`] and [`dynamical_spectrum_of_flux`].
pub fn dynamical_spectrum_of_light_curve(
    light_curve: &LightCurve,
    options: &LightCurveSpectrumOptions,
    time: TimeRebin,
    backend: &mut dyn Backend,
    mut warnings: Warnings,
    progress: &Progress,
) -> Result<DynamicalPowerSpectrum> {
    let plan = LightCurvePlan::new(light_curve, options, &mut warnings)?;
    let frequencies = crate::numerics::fft::frequencies(plan.resolution.n);
    warn_of_size(plan.starts.len() as u64, options.power.rebin.ranges(frequencies)?.count(), &mut warnings);
    let flux = FluxOptions { dt: light_curve.grid.dt, rates: !light_curve.counted, power: options.power.clone() };
    let place = places(&plan, light_curve, time.across_gaps);
    let made = of_flux(plan.segments(light_curve, progress), &flux, time, place, backend, warnings);
    progress.check()?;
    let mut spectrum = made?;
    let (options, run) = (serde_json::to_value((options, time)), std::mem::take(&mut spectrum.meta.record));
    spectrum.meta.record = plan.record(light_curve, None, options.unwrap_or_default(), run);
    Ok(spectrum)
}

/// Cross spectra of two light curves against time. Segments consist of whole bins that both light curves have.
///
/// # Errors
/// See [`LightCurveCrossPlan::new`] and [`dynamical_cross_spectrum_of_flux`].
pub fn dynamical_cross_spectrum_of_light_curves(
    subject: &LightCurve,
    reference: &LightCurve,
    options: &LightCurveCrossOptions,
    time: TimeRebin,
    backend: &mut dyn Backend,
    mut warnings: Warnings,
    progress: &Progress,
) -> Result<DynamicalCrossSpectrum> {
    let plan = LightCurveCrossPlan::new(subject, reference, options, &mut warnings)?;
    let frequencies =
        options.cross.rebin.ranges(crate::numerics::fft::frequencies(plan.segments.resolution.n))?.count();
    warn_of_size(4 * plan.segments.starts.len() as u64, frequencies, &mut warnings);
    let flux = CrossFluxOptions { dt: plan.segments.resolution.dt, rates: false, cross: options.cross.clone() };
    let place = places(&plan.segments, &plan.subject, time.across_gaps);
    let made = cross_of_flux(plan.pairs(progress), &flux, time, place, backend, warnings);
    progress.check()?;
    let mut spectrum = made?;
    let (options, run) = (serde_json::to_value((options, time)), std::mem::take(&mut spectrum.meta.record));
    let options = options.unwrap_or_default();
    spectrum.meta.record = plan.segments.record(&plan.subject, Some(&plan.reference), options, run);
    Ok(spectrum)
}

/// Where the segments of a light curve lie.
fn places(plan: &LightCurvePlan, light_curve: &LightCurve, across_gaps: bool) -> impl Fn(u64, f64) -> SegmentPlace {
    let (starts, n) = (&plan.starts, plan.resolution.n);
    let joined =
        |i: usize| starts[i] == starts[i - 1] + n && light_curve.bin[starts[i]] == light_curve.bin[starts[i] - 1] + 1;
    // The first segment of each stretch.
    let heads: Vec<usize> = (0..starts.len()).filter(|&i| i == 0 || !joined(i)).collect();
    let edges: Vec<f64> = starts.iter().map(|&row| light_curve.grid.edge(light_curve.bin[row]).value()).collect();
    move |index, _| {
        let i = index as usize;
        let stretch = if across_gaps { 0 } else { heads.partition_point(|&head| head <= i) - 1 };
        SegmentPlace { start: edges[i], stretch: stretch as u64, number: (i - heads[stretch]) as u64 }
    }
}

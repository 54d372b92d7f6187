//! Bispectra by both definitions, in f64 on the CPU.

use super::each_segment::{each_segment, each_stretch, on_cpu};
use super::light_curve_spectrum::{LightCurvePlan, LightCurveSpectrumOptions};
use super::options::Reading;
use super::time_source::Events;
use super::{Plan, PowerSpectrumOptions};
use crate::base::error::Result;
use crate::base::progress::Progress;
use crate::base::warning::Warnings;
use crate::data::LightCurve;
use crate::science::bispectrum::{Bispectrum, BispectrumSums};
use crate::science::cumulant::{CumulantBispectrum, CumulantOptions, CumulantSums};

/// The bispectrum of events, averaged over segments, at pairs of frequencies whose sum is at most `max_freq` Hz
/// (`None`: the Nyquist frequency). Of the options only those that choose the segments are used (`dt`, `segment_size`,
/// `combine`, `compat_stingray`, `chunk_events`).
///
/// # Errors
/// See [`Plan::new`] and [`BispectrumSums::new`]; a file cannot be read; or there is no event in any segment.
pub fn bispectrum_of_events(
    inputs: Vec<Events>,
    options: &PowerSpectrumOptions,
    max_freq: Option<f64>,
    mut warnings: Warnings,
    progress: &Progress,
) -> Result<Bispectrum> {
    let plan = Plan::new(&inputs, options, &mut warnings)?;
    let r = plan.resolution;
    let (begin, add) =
        (|| BispectrumSums::new(r.n, r.dt, max_freq), |sums: &mut BispectrumSums, counts: &[f64]| sums.add(counts));
    let reading = Reading { rows: options.chunk_events, progress };
    let (sums, mut made) = each_segment(plan, inputs, reading, &mut warnings, begin, add)?;
    made.options = serde_json::json!({ "dt": r.dt, "segment_size": r.segment_size, "max_freq": max_freq });
    made.warnings = warnings;
    Ok(sums.finish(r.dt, made))
}

/// The bispectrum of a light curve, averaged over segments, at pairs of frequencies whose sum is at most `max_freq` Hz
/// (`None`: the Nyquist frequency). Of the options only those that choose the segments are used (`segment_size`,
/// `min_fracexp`).
///
/// # Errors
/// See [`LightCurvePlan::new`] and [`BispectrumSums::new`].
pub fn bispectrum_of_light_curve(
    light_curve: &LightCurve,
    options: &LightCurveSpectrumOptions,
    max_freq: Option<f64>,
    mut warnings: Warnings,
    progress: &Progress,
) -> Result<Bispectrum> {
    let plan = LightCurvePlan::new(light_curve, options, &mut warnings)?;
    let r = plan.resolution;
    let mut sums = BispectrumSums::new(r.n, r.dt, max_freq)?;
    each_stretch(&plan, light_curve, progress, |values, _| sums.add(values))?;
    let asked = serde_json::json!({ "dt": r.dt, "segment_size": r.segment_size, "max_freq": max_freq });
    Ok(sums.finish(r.dt, plan.record(light_curve, None, asked, on_cpu(warnings))))
}

/// The bispectrum of events by Stingray's definition ([`cumulant`](crate::science::cumulant)), averaged over segments.
/// Of `options` only those that choose the segments are used.
///
/// # Errors
/// See [`Plan::new`] and [`CumulantSums::new`]; a file cannot be read; or there is no event in any segment.
pub fn cumulant_bispectrum_of_events(
    inputs: Vec<Events>,
    options: &PowerSpectrumOptions,
    cumulant: &CumulantOptions,
    mut warnings: Warnings,
    progress: &Progress,
) -> Result<CumulantBispectrum> {
    let plan = Plan::new(&inputs, options, &mut warnings)?;
    let r = plan.resolution;
    let (begin, add) =
        (|| CumulantSums::new(r.n, *cumulant), |sums: &mut CumulantSums, counts: &[f64]| sums.add(counts));
    let reading = Reading { rows: options.chunk_events, progress };
    let (sums, mut made) = each_segment(plan, inputs, reading, &mut warnings, begin, add)?;
    made.options = serde_json::json!({ "dt": r.dt, "segment_size": r.segment_size, "cumulant": cumulant });
    made.warnings = warnings;
    Ok(sums.finish(r.dt, made))
}

/// The bispectrum of a light curve by Stingray's definition ([`cumulant`](crate::science::cumulant)), averaged over
/// segments. Of `options` only those that choose the segments are used.
///
/// # Errors
/// See [`LightCurvePlan::new`] and [`CumulantSums::new`].
pub fn cumulant_bispectrum_of_light_curve(
    light_curve: &LightCurve,
    options: &LightCurveSpectrumOptions,
    cumulant: &CumulantOptions,
    mut warnings: Warnings,
    progress: &Progress,
) -> Result<CumulantBispectrum> {
    let plan = LightCurvePlan::new(light_curve, options, &mut warnings)?;
    let r = plan.resolution;
    let mut sums = CumulantSums::new(r.n, *cumulant)?;
    each_stretch(&plan, light_curve, progress, |values, _| sums.add(values))?;
    let asked = serde_json::json!({ "dt": r.dt, "segment_size": r.segment_size, "cumulant": cumulant });
    Ok(sums.finish(r.dt, plan.record(light_curve, None, asked, on_cpu(warnings))))
}

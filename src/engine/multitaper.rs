//! Multitaper power spectra, in f64 on the CPU.

use super::each_segment::{each_segment, each_stretch, on_cpu};
use super::light_curve_spectrum::{LightCurvePlan, LightCurveSpectrumOptions};
use super::options::Reading;
use super::time_source::Events;
use super::{Plan, PowerSpectrumOptions};
use crate::base::error::Result;
use crate::base::progress::Progress;
use crate::base::warning::Warnings;
use crate::data::LightCurve;
use crate::science::context::SpectrumContext;
use crate::science::multitaper::{MultitaperSums, TaperOptions};
use crate::science::power::AveragedPowerSpectrum;

/// The multitaper power spectrum of events, averaged over segments.
///
/// # Errors
/// See [`Plan::new`] and [`MultitaperSums::new`]; a file cannot be read; or there is no event in any segment.
pub fn multitaper_of_events(
    inputs: Vec<Events>,
    options: &PowerSpectrumOptions,
    tapers: &TaperOptions,
    mut warnings: Warnings,
    progress: &Progress,
) -> Result<AveragedPowerSpectrum> {
    let plan = Plan::new(&inputs, options, &mut warnings)?;
    let r = plan.resolution;
    let (begin, add) =
        (|| MultitaperSums::new(r.n, tapers), |sums: &mut MultitaperSums, counts: &[f64]| sums.add(counts, None));
    let reading = Reading { rows: options.chunk_events, progress };
    let (sums, mut made) = each_segment(plan, inputs, reading, &mut warnings, begin, add)?;
    made.options = serde_json::json!({ "spectrum": options, "tapers": tapers });
    made.warnings = warnings;
    sums.finish(&options.power, SpectrumContext { n: r.n, dt: r.dt, segment_size: r.segment_size, record: made })
}

/// The multitaper power spectrum of a light curve, averaged over segments.
///
/// # Errors
/// See [`LightCurvePlan::new`] and [`MultitaperSums::new`].
pub fn multitaper_of_light_curve(
    light_curve: &LightCurve,
    options: &LightCurveSpectrumOptions,
    tapers: &TaperOptions,
    mut warnings: Warnings,
    progress: &Progress,
) -> Result<AveragedPowerSpectrum> {
    let plan = LightCurvePlan::new(light_curve, options, &mut warnings)?;
    let r = plan.resolution;
    let mut sums = MultitaperSums::new(r.n, tapers)?;
    each_stretch(&plan, light_curve, progress, |values, variance| sums.add(values, variance))?;
    let asked = serde_json::json!({ "spectrum": options, "tapers": tapers });
    let record = plan.record(light_curve, None, asked, on_cpu(warnings));
    sums.finish(&options.power, SpectrumContext { n: r.n, dt: r.dt, segment_size: r.segment_size, record })
}

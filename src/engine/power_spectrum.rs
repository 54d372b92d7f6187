//! The averaged power spectrum of events: read → segment → submit → collect → merge.

use super::dead_time;
use super::options::PowerSpectrumOptions;
use super::options::Reading;
use super::plan::Plan;
use super::plan_sums::{PlanSums, SegmentSink, no_events, sum_plan};
use super::time_source::{Events, align};
use crate::backend::Backend;
use crate::base::error::{Error, Result};
use crate::base::progress::Progress;
use crate::base::trace;
use crate::base::warning::Warnings;
use crate::data::Gti;
use crate::io::{EventFile, InputFile, OpenOptions, Selection};
use crate::missions::DetectorDeadTime;
use crate::science::context::SpectrumContext;
use crate::science::power::AveragedPowerSpectrum;
use crate::segment::plan::Resolution;

/// Averages the power spectra of segments of events. Several inputs make one spectrum as
/// [`PowerSpectrumOptions::combine`] says.
///
/// # Errors
/// See [`Plan::new`]; a file cannot be read; the device fails; or there are events, but none in any segment.
pub fn spectrum_of_events(
    inputs: Vec<Events>,
    options: &PowerSpectrumOptions,
    backend: &mut dyn Backend,
    mut warnings: Warnings,
    progress: &Progress,
) -> Result<AveragedPowerSpectrum> {
    if inputs.is_empty() {
        return Err(Error::argument("inputs", 0, "at least one input is needed"));
    }
    let plan = Plan::new(&inputs, options, &mut warnings)?;
    let known = dead_time::common_dead_time(&inputs, options.combine);
    let done = sum_plan(
        &plan,
        inputs,
        backend,
        Reading { rows: options.chunk_events, progress },
        SegmentSink::SumsAlone,
        &mut warnings,
    )?;
    finish_power(&plan, done, known, options, warnings)
}

/// The spectrum of the sums of a plan.
pub(super) fn finish_power(
    plan: &Plan,
    done: PlanSums,
    known: Option<DetectorDeadTime>,
    options: &PowerSpectrumOptions,
    warnings: Warnings,
) -> Result<AveragedPowerSpectrum> {
    let PlanSums { sums, mut made } = done;
    if sums.photons() == 0 && made.photons.read > 0 {
        return Err(no_events(plan, &made));
    }
    made.warnings = warnings;
    made.options = serde_json::to_value(options).unwrap_or_default();
    let Resolution { n, dt, segment_size } = plan.resolution;
    let nothing = made.photons.read == 0;
    if nothing {
        made.warnings.push("W-NO-EVENTS", "the inputs have no events at all; the spectrum is empty");
    }
    let context = SpectrumContext { n, dt, segment_size, record: made };
    if nothing {
        return Ok(AveragedPowerSpectrum::empty(&options.power, context));
    }
    let _span = trace::span("spectrum");
    let mut spectrum = AveragedPowerSpectrum::new(&sums, false, &options.power, context)?;
    dead_time::warn(&mut spectrum, known, options.power.noise);
    Ok(spectrum)
}

/// Averages the power spectra of segments of event files, with all events of each file. Each file is cut into segments
/// of its own.
///
/// ```no_run
/// use eagleray::{DeviceChoice, PowerSpectrumOptions, Warnings};
/// let mut backend = eagleray::open(&DeviceChoice::default(), &mut Warnings::default())?;
/// let options = PowerSpectrumOptions {
///     dt: Some(1.0 / 256.0),
///     segment_size: Some(64.0),
///     ..PowerSpectrumOptions::default()
/// };
/// let spectrum = eagleray::spectrum_of_files(&["observation.evt"], &options, backend.as_mut())?;
/// println!("{} frequencies from {} segments", spectrum.len(), spectrum.meta.segments);
/// # Ok::<(), eagleray::Error>(())
/// ```
///
/// # Errors
/// See [`EventFile::open`], [`InputFile::refuse_duplicates`] and [`spectrum_of_events`].
pub fn spectrum_of_files<P: AsRef<std::path::Path>>(
    paths: &[P],
    options: &PowerSpectrumOptions,
    backend: &mut dyn Backend,
) -> Result<AveragedPowerSpectrum> {
    let mut warnings = Warnings::default();
    let open = OpenOptions { compat_stingray: options.compat_stingray, ..OpenOptions::default() };
    let mut files = Vec::new();
    for path in paths {
        files.push(EventFile::open(path.as_ref(), &open, &mut warnings)?);
    }
    InputFile::refuse_duplicates(files.iter().map(EventFile::source))?;
    let mut inputs = Vec::new();
    for file in &files {
        inputs.push(Events::from_unread_file(file, Selection::default())?);
    }
    align(&mut inputs)?;
    spectrum_of_events(inputs, options, backend, warnings, &Progress::default())
}

/// Averages the power spectra of segments of event times in memory. `times` are seconds in the frame of `gti`, in any
/// order.
///
/// ```
/// use eagleray::{DeviceChoice, Gti, PowerSpectrumOptions, Warnings};
/// let mut backend = eagleray::open(&DeviceChoice::Cpu { threads: None }, &mut Warnings::default())?;
/// let times: Vec<f64> = (0..10_000).map(|i| 0.01 * f64::from(i)).collect();
/// let gti = Gti::from_seconds(&[(0.0, 100.0)])?;
/// let options = PowerSpectrumOptions {
///     dt: Some(1.0 / 64.0),
///     segment_size: Some(10.0),
///     ..PowerSpectrumOptions::default()
/// };
/// let spectrum = eagleray::spectrum_of_times(&times, gti, &options, backend.as_mut())?;
/// assert_eq!((spectrum.meta.n, spectrum.meta.segments), (640, 10));
/// # Ok::<(), eagleray::Error>(())
/// ```
///
/// # Errors
/// See [`spectrum_of_events`].
pub fn spectrum_of_times(
    times: &[f64],
    gti: Gti,
    options: &PowerSpectrumOptions,
    backend: &mut dyn Backend,
) -> Result<AveragedPowerSpectrum> {
    let mut warnings = Warnings::default();
    let input = Events::from_slice(times, gti, &mut warnings);
    spectrum_of_events(vec![input], options, backend, warnings, &Progress::default())
}

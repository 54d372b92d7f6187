//! Light curves as input, and `eagleray pds` of them.

use super::pds::PdsArgs;
use crate::arguments::input::{InputArgs, OpenedInputs, report};
use crate::arguments::output::OutputArgs;
use crate::plan_text::describe_series;
use eagleray::data::LightCurve;
use eagleray::engine::{
    CHUNK_EVENTS, Combine, LightCurveOptions, LightCurvePlan, LightCurveSpectrumOptions, light_curve_of_events,
    spectrum_of_light_curve,
};
use eagleray::internal::text::{ShortNumber, count};
use eagleray::{Error, Progress, Result, Warnings};

/// The light curve with bins of `dt` seconds, which must be whole bins of its own.
pub(super) fn coarser(light_curve: LightCurve, dt: Option<f64>) -> Result<LightCurve> {
    let own = light_curve.grid.dt;
    let Some(dt) = dt else { return Ok(light_curve) };
    let by = (dt / own).round();
    if by < 1.0 || (by * own / dt - 1.0).abs() > 1e-6 {
        let message =
            format!("the light curve has bins of {} s; whole multiples of that are possible", ShortNumber(own));
        return Err(Error::argument("dt", dt, message));
    }
    if by > 1.0 { light_curve.rebin(by as u64) } else { Ok(light_curve) }
}

/// The light curve of some files: their own, or events counted in bins of `dt`.
pub(super) fn of_files(
    input: &InputArgs,
    dt: Option<f64>,
    out: &OutputArgs,
    warnings: &mut Warnings,
) -> Result<LightCurve> {
    match input.open_any(false, warnings)? {
        OpenedInputs::Series(light_curve) => coarser(*light_curve, dt),
        OpenedInputs::Events(files) => {
            let (inputs, combine) = input.inputs(&files, warnings, &mut |text| out.say(&text))?;
            let options = LightCurveOptions { dt, combine, chunk_events: CHUNK_EVENTS };
            let mut curve = light_curve_of_events(inputs, &options, Warnings::default(), &Progress::default())?;
            warnings.extend(std::mem::take(&mut curve.meta.record.warnings));
            Ok(curve)
        }
    }
}

/// What a light curve is: its bins, gaps and values.
pub(super) fn describe(light_curve: &LightCurve) -> String {
    let gaps = match gaps(light_curve) {
        0 => String::new(),
        gaps => format!(" with {}", count(gaps, "gap")),
    };
    format!(
        "light curve of {} of {} s{gaps}, {}",
        count(light_curve.len() as u64, "bin"),
        ShortNumber(light_curve.grid.dt),
        values(light_curve)
    )
}

/// Places where neighbouring rows are no neighbours on the grid.
pub(super) fn gaps(light_curve: &LightCurve) -> u64 {
    light_curve.bin.windows(2).filter(|w| w[1] != w[0] + 1).count() as u64
}

/// What the values are, and where their errors come from.
pub(super) fn values(light_curve: &LightCurve) -> &'static str {
    match (light_curve.counted, light_curve.rate_err.iter().any(|e| e.is_finite())) {
        (true, _) => "counts",
        (false, true) => "rates with errors",
        (false, false) => "rates without errors",
    }
}

/// Runs the command on a light curve.
pub(super) fn run(args: &PdsArgs, light_curve: LightCurve, mut warnings: Warnings) -> Result<()> {
    if args.spectrum.compat.is_some() {
        let message = "applies to events; light curves are segmented by this program's rules";
        return Err(Error::argument("compat", "stingray", message));
    }
    let light_curve = coarser(light_curve, args.spectrum.dt)?;
    let power = args.options(Combine::Average, 1).power;
    let options = LightCurveSpectrumOptions {
        segment_size: args.spectrum.segment_size,
        min_fracexp: args.spectrum.min_fracexp,
        power,
    };
    let mut planning = Warnings::default();
    let plan = LightCurvePlan::new(&light_curve, &options, &mut planning)?;
    super::significance::check_bands(args, &plan.resolution)?;
    if !args.quiet {
        eprintln!("{}", describe(&light_curve));
    }
    if args.dry_run {
        warnings.extend(planning);
        report(&warnings, args.strict, args.quiet)?;
        let text = describe_series(plan.resolution, plan.starts.len(), plan.gti.exposure(), args.json);
        return crate::terminal::print(&text);
    }
    let mut backend = args.device.open(&mut warnings)?;
    let spectrum = spectrum_of_light_curve(&light_curve, &options, backend.as_mut(), warnings)?;
    args.deliver(spectrum, &Warnings::default())
}

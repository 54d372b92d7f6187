//! `eagleray cs`: averaged cross spectra, lags and coherence, and spectra of two detectors corrected for dead time.

use clap::Args;

use super::cs_bands::{BandOverlap, CrossBands};
use crate::arguments::device::DeviceArgs;
use crate::arguments::input::{CombineArg, InputArgs, OpenedPair, not_negative, report};
use crate::arguments::output::{OutputArgs, with_bar};
use crate::arguments::spectrum::{DeadTimeArgs, SpectrumArgs, noise_level};
use crate::device_choice::BackendArg;
use crate::number::{NumberRange, positive, range};
use crate::pictures;
use crate::pictures::cross::{LagKind, PowerType};
use crate::plan_text::{describe, describe_series};
use eagleray::data::LightCurve;
use eagleray::data::table::Table;
use eagleray::engine::{
    CrossSpectrumOptions, EventPair, FadPlanOptions, LightCurveCrossOptions, LightCurveCrossPlan,
    cross_spectrum_of_events, cross_spectrum_of_light_curves, fad_of_events,
};
use eagleray::internal::backend::Backend;
use eagleray::internal::text::{ShortNumber, count};
use eagleray::io::EventFile;
use eagleray::science::{AveragedCrossSpectrum, CrossOptions, FadOptions, FadSpectrum, NoiseLevel};
use eagleray::{Error, Mend, Result, Warnings};

/// Options of `cs`.
#[derive(Args, Debug)]
pub struct CsArgs {
    #[command(flatten)]
    input: InputArgs,
    /// Band of the subject in keV, LO <= E < HI; a positive lag says that the subject is late
    #[arg(long, value_name = "LO:HI", value_parser = range, requires = "reference")]
    subject: Option<NumberRange>,
    /// Band of the reference in keV; a photon of both bands leaves the reference, or the subject when it holds the reference
    #[arg(long = "ref", id = "reference", value_name = "LO:HI", value_parser = range, requires = "subject")]
    reference: Option<NumberRange>,
    /// Channels of the subject, both included, where energies are not known
    #[arg(long, value_name = "LO:HI", value_parser = range, requires = "ref_pi", conflicts_with = "subject")]
    subject_pi: Option<NumberRange>,
    /// Channels of the reference, both included
    #[arg(long, value_name = "LO:HI", value_parser = range, requires = "subject_pi")]
    ref_pi: Option<NumberRange>,
    #[command(flatten)]
    spectrum: SpectrumArgs,
    /// Background in the mean rates of subject and reference, counts/s
    #[arg(long, value_name = "RATE[,RATE]", value_delimiter = ',', value_parser = not_negative)]
    background: Vec<f64>,
    /// Noise levels of the powers of subject and reference, or one for both: that of Poisson counts, a value in the
    /// normalisation of the powers, the mean power from LO to HI Hz, or none
    #[arg(long, value_name = "poisson|VALUE|LO:HI|none[,…]", value_parser = noise_level, value_delimiter = ',', default_value = "poisson")]
    noise: Vec<NoiseLevel>,
    #[command(flatten)]
    dead_time: DeadTimeArgs,
    /// Correct two detectors' spectra for dead time by the difference of their Fourier amplitudes (Bachetti & Huppenkothen 2018):
    /// powers of each and of both together, and their co-spectrum; each segment is normalised by its own photons, on the CPU
    #[arg(long, conflicts_with_all = ["subject", "subject_pi", "background", "noise", "dead_time", "fullspec"])]
    fad: bool,
    /// Standard deviation of the Gaussian that smooths the differences, Hz
    #[arg(long, value_name = "HZ", value_parser = positive, default_value = "3", requires = "fad")]
    fad_smoothing: f64,
    /// All frequencies, in the order of fftfreq: zero, positive, and negative ones, which mirror the positive
    #[arg(long)]
    fullspec: bool,
    #[command(flatten)]
    device: DeviceArgs,
    #[command(flatten)]
    out: OutputArgs,
    /// What of the cross spectrum the picture shows: its modulus, its real part (the co-spectrum), or both parts
    #[arg(long, value_enum, default_value = "absolute")]
    power_type: PowerType,
    /// Which lag the picture shows
    #[arg(long, value_enum, default_value = "time")]
    plot_lag: LagKind,
    /// Only the plan: segments, exposure used and lost, memory
    #[arg(long)]
    dry_run: bool,
}

/// What two numbers on the command line mean: one for both, or one each.
fn each<T: Copy>(given: &[T], field: &str, message: &str) -> Result<[T; 2]> {
    match given {
        [subject, reference] => Ok([*subject, *reference]),
        _ => Err(Error::argument(field, count(given.len() as u64, "value"), message)),
    }
}

impl CsArgs {
    fn cross(&self) -> Result<CrossOptions> {
        let rebin = self.spectrum.rebinning();
        rebin.ranges(1)?;
        let background = match self.background[..] {
            [] => [0.0; 2],
            ref rates => each(rates, "background", "give one rate for the subject and one for the reference")?,
        };
        let noise = match self.noise[..] {
            [both] => [both; 2],
            ref levels => each(levels, "noise", "give one level for both powers, or one for each")?,
        };
        let noise = noise.map(|level| self.dead_time.noise(level, 1));
        let SpectrumArgs { norm, use_common_mean, .. } = self.spectrum;
        Ok(CrossOptions { norm, use_common_mean, rebin, background, noise, fullspec: self.fullspec })
    }

    fn options(&self) -> Result<CrossSpectrumOptions> {
        let SpectrumArgs { dt, segment_size, compat, chunk_events, .. } = self.spectrum;
        let (cross, compat_stingray) = (self.cross()?, compat.is_some());
        Ok(CrossSpectrumOptions { dt, segment_size, cross, compat_stingray, chunk_events })
    }

    fn fad_options(&self) -> FadPlanOptions {
        let SpectrumArgs { dt, segment_size, norm, compat, chunk_events, .. } = self.spectrum;
        let compat_stingray = compat.is_some();
        let (rebin, smoothing) = (self.spectrum.rebinning(), self.fad_smoothing);
        let fad = FadOptions { norm, rebin, smoothing, real_parts: compat_stingray };
        FadPlanOptions { dt, segment_size, fad, compat_stingray, chunk_events }
    }

    fn check(&self) -> Result<()> {
        self.device.check()?;
        self.options()?;
        if self.input.combine == Some(CombineArg::Merge) {
            let message = "channels stay apart; several files with --subject and --ref are averaged";
            return Err(Error::argument("combine", "merge", message));
        }
        if self.fad && (self.device.backend == BackendArg::Gpu || !self.device.adapter.is_empty()) {
            let message = "needs the amplitudes of each segment, which no GPU keeps";
            return Err(Error::argument("fad", "", message).mended_by([Mend::set("backend", "cpu")]));
        }
        self.out.check(&self.input, &[], &[])
    }

    fn open(&self, warnings: &mut Warnings) -> Result<Box<dyn Backend>> {
        self.device().open(warnings)
    }

    /// Amplitude differences are the CPU's, whatever else there is.
    fn device(&self) -> DeviceArgs {
        let backend = if self.fad { BackendArg::Cpu } else { self.device.backend };
        DeviceArgs { backend, ..self.device.clone() }
    }
}

/// Runs the command.
///
/// # Errors
/// Everything that the library refuses.
pub fn run(args: CsArgs) -> Result<()> {
    args.check()?;
    let mut warnings = Warnings::default();
    match args.input.open_pair(args.spectrum.compat.is_some(), &mut warnings)? {
        OpenedPair::Events(files) => of_events(&args, &files, warnings),
        OpenedPair::Series(both) => of_light_curves(&args, &both, warnings),
    }
}

fn of_events(args: &CsArgs, files: &[EventFile], mut warnings: Warnings) -> Result<()> {
    let mut say = |text: String| {
        if !args.out.quiet {
            eprintln!("eagleray: {text}");
        }
    };
    let energies = args.subject.zip(args.reference).map(<[NumberRange; 2]>::from);
    let channels = args.subject_pi.zip(args.ref_pi).map(<[NumberRange; 2]>::from);
    let bands = CrossBands::from_args(&args.input, energies, channels, &mut say)?;
    let mut inputs = bands.channels(&args.input, files, &mut say)?;
    // A spectrum reads the files once; what only reading tells comes first where there is no spectrum, or may be none.
    if args.dry_run || args.out.strict {
        for EventPair { reference, subject } in &mut inputs {
            reference.prepare(&mut warnings)?;
            if subject.name != reference.name {
                subject.prepare(&mut warnings)?;
            }
        }
        report(&warnings, args.out.strict, args.out.quiet)?;
    }
    if args.dry_run {
        return dry_run(args, inputs, Warnings::default());
    }
    let mut backend = args.open(&mut warnings)?;
    let talk = !args.out.quiet;
    if args.fad {
        let options = args.fad_options();
        let spectrum =
            with_bar(talk, |progress| fad_of_events(inputs, &options, backend.as_mut(), warnings, progress))?;
        let draw = |path: &str| pictures::cross::fad(&spectrum, path, args.out.overwrite);
        let meta = serde_json::to_value(&spectrum.meta).unwrap_or_default();
        let warnings = &spectrum.meta.record.warnings;
        return deliver(args, spectrum.table(), meta, warnings, draw, &fad_summary(&spectrum));
    }
    let inside = bands.shared() != BandOverlap::None;
    let options = args.options()?;
    let result = with_bar(talk, |progress| {
        cross_spectrum_of_events(inputs, inside, &options, backend.as_mut(), warnings, progress)
    })?;
    deliver_cross(args, if bands.shared() == BandOverlap::ReferenceInside { result.exchanged() } else { result })
}

fn dry_run(args: &CsArgs, inputs: Vec<EventPair>, mut warnings: Warnings) -> Result<()> {
    let (plan, events) = match args.fad {
        true => args.fad_options().plan(inputs, &mut warnings)?,
        false => args.options()?.plan(inputs, false, &mut warnings)?,
    };
    report(&warnings, args.out.strict, args.out.quiet)?;
    crate::terminal::print(&describe(&plan, &events, &args.device(), args.spectrum.chunk_events, args.out.json)?)
}

fn of_light_curves(args: &CsArgs, both: &[LightCurve; 2], mut warnings: Warnings) -> Result<()> {
    let refuse = |field: &str, message: &str| Err(Error::argument(field, "", message));
    if args.subject.is_some() || args.subject_pi.is_some() {
        return refuse("subject", "a light curve has no events to select");
    }
    if args.fad {
        return refuse("fad", "dead time is corrected in spectra of events");
    }
    if args.spectrum.compat.is_some() {
        return refuse("compat", "applies to events; light curves are segmented by this program's rules");
    }
    let [subject, reference] = both.each_ref().map(|s| super::pds_light_curve::coarser(s.clone(), args.spectrum.dt));
    let (subject, reference) = (subject?, reference?);
    let SpectrumArgs { segment_size, min_fracexp, .. } = args.spectrum;
    let options = LightCurveCrossOptions { segment_size, min_fracexp, cross: args.cross()? };
    if !args.out.quiet {
        eprintln!(
            "subject: {}\nreference: {}",
            super::pds_light_curve::describe(&subject),
            super::pds_light_curve::describe(&reference)
        );
    }
    if args.dry_run {
        let plan = LightCurveCrossPlan::new(&subject, &reference, &options, &mut warnings)?.segments;
        report(&warnings, args.out.strict, args.out.quiet)?;
        let text = describe_series(plan.resolution, plan.starts.len(), plan.gti.exposure(), args.out.json);
        return crate::terminal::print(&text);
    }
    let mut backend = args.open(&mut warnings)?;
    let result = cross_spectrum_of_light_curves(&subject, &reference, &options, backend.as_mut(), warnings)?;
    deliver_cross(args, result)
}

fn deliver_cross(args: &CsArgs, spectrum: AveragedCrossSpectrum) -> Result<()> {
    let draw = |path: &str| {
        pictures::cross::cross_spectrum(&spectrum, args.power_type, args.plot_lag, path, args.out.overwrite)
    };
    let meta = serde_json::to_value(&spectrum.meta).unwrap_or_default();
    let warnings = &spectrum.meta.record.warnings;
    deliver(args, spectrum.table(), meta, warnings, draw, &summary(&spectrum))
}

/// Warnings, table, picture and summary, as asked for.
fn deliver(
    args: &CsArgs,
    product: Table,
    mut meta: serde_json::Value,
    warnings: &Warnings,
    draw: impl Fn(&str) -> Result<()>,
    summary: &str,
) -> Result<()> {
    report(warnings, args.out.strict, args.out.quiet)?;
    // Files first: a reader of standard output that has seen enough must not cost any of them.
    if let Some(path) = args.out.plot.as_deref() {
        draw(path)?;
    }
    if let Some(path) = args.out.output.as_deref() {
        product.write(path, args.out.overwrite)?;
    }
    if args.out.json {
        meta["frequencies"] = product.rows().into();
        return crate::terminal::print(&format!("{meta:#}\n"));
    }
    if !args.out.quiet {
        eprint!("{summary}");
    }
    Ok(())
}

fn summary(spectrum: &AveragedCrossSpectrum) -> String {
    let meta = &spectrum.meta;
    let mut text = format!(
        "{} of {} s ({} of {} s), {:.2} photons of the subject and {:.2} of the reference each; {} on {}\nphotons of both: {}\n",
        count(meta.m, "segment"),
        ShortNumber(meta.segment_size),
        count(meta.n as u64, "bin"),
        ShortNumber(meta.dt),
        meta.nphots1,
        meta.nphots2,
        meta.record.device.backend,
        meta.record.device.adapter,
        meta.record.photons
    );
    // The surest lag stands for all.
    let surest = (0..spectrum.len())
        .filter(|&k| spectrum.phase_lag_err[k].is_finite())
        .min_by(|&a, &b| spectrum.phase_lag_err[a].total_cmp(&spectrum.phase_lag_err[b]));
    if let Some(k) = surest {
        text += &format!(
            "surest lag at {:.6} Hz: {:.5} ± {:.5} rad, {:.3e} ± {:.1e} s ({}); raw coherence {:.4} ± {:.4}, {}\n",
            spectrum.freq[k],
            spectrum.phase_lag[k],
            spectrum.phase_lag_err[k],
            spectrum.time_lag[k],
            spectrum.time_lag_err[k],
            meta.lag_sign,
            spectrum.raw_coherence[k],
            spectrum.raw_coherence_err[k],
            chance(spectrum, k)
        );
    }
    text
}

/// How often independent channels are as coherent in any of the bins: `|C|²/(P1P2)` of M values is above x with `(1 − x)^(M − 1)`.
fn chance(spectrum: &AveragedCrossSpectrum, k: usize) -> String {
    let part = spectrum.modulus[k].powi(2) / (spectrum.power1[k] * spectrum.power2[k]);
    let single = (spectrum.m[k] as f64 - 1.0) * (-part.min(1.0)).ln_1p() / std::f64::consts::LN_10;
    let any = single + (spectrum.len() as f64).log10();
    match any >= -1.0 {
        true => format!("no more than chance: the largest of {} bins", spectrum.len()),
        false => format!("by chance in one of {} bins with log10 p = {any:.1}", spectrum.len()),
    }
}

fn fad_summary(spectrum: &FadSpectrum) -> String {
    let meta = &spectrum.meta;
    let mean = |values: &[f64]| ShortNumber(values.iter().sum::<f64>() / values.len() as f64);
    format!(
        "{} of {} s ({} of {} s), {:.2} and {:.2} photons each; {} on {}\nphotons of both: {}\n\
         corrected by amplitude differences, smoothed over {}; their scatter is off by {:+.2} %\n\
         mean powers {} and {}, of both together {}; noise levels {}, {} and {}; mean co-spectrum {}\n",
        count(meta.m, "segment"),
        ShortNumber(meta.segment_size),
        count(meta.n as u64, "bin"),
        ShortNumber(meta.dt),
        meta.nphots1,
        meta.nphots2,
        meta.record.device.backend,
        meta.record.device.adapter,
        meta.record.photons,
        count(meta.fad_smoothing as u64, "frequency bin"),
        100.0 * meta.fad_delta,
        mean(&spectrum.power1),
        mean(&spectrum.power2),
        mean(&spectrum.power_total),
        ShortNumber(meta.noise1),
        ShortNumber(meta.noise2),
        ShortNumber(meta.noise_total),
        mean(&spectrum.cross_re),
    )
}

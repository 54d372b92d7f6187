//! `eagleray dyn` of two channels: the bands of `--subject` and `--ref`, or two files.

use serde_json::json;

use super::cs_bands::{BandOverlap, CrossBands};
use super::dynamical::{DynArgs, picture};
use super::pds_light_curve::{coarser, describe};
use crate::arguments::input::{CombineArg, OpenedPair, report};
use crate::arguments::output::with_bar;
use crate::arguments::spectrum::SpectrumArgs;
use crate::number::NumberRange;
use crate::pictures::axes::title;
use eagleray::data::LightCurve;
use eagleray::engine::{
    CrossSpectrumOptions, DynamicalCrossOptions, LightCurveCrossOptions, dynamical_cross_spectrum_of_events,
    dynamical_cross_spectrum_of_light_curves,
};
use eagleray::internal::text::{ShortNumber, count};
use eagleray::io::EventFile;
use eagleray::science::{CrossOptions, DynamicalCrossSpectrum};
use eagleray::{Error, Result, Warnings};

/// Runs the command where a cross spectrum is asked for.
pub(super) fn run(args: &DynArgs, mut warnings: Warnings) -> Result<()> {
    if args.dry_run {
        return Err(Error::argument("dry_run", "", "is for power spectra"));
    }
    if args.input.combine == Some(CombineArg::Merge) {
        return Err(Error::argument("combine", "merge", "channels stay apart; several files follow one another"));
    }
    let made = match args.input.open_pair(args.spectrum.compat.is_some(), &mut warnings)? {
        OpenedPair::Events(files) => of_events(args, &files, warnings)?,
        OpenedPair::Series(both) => of_light_curves(args, &both, warnings)?,
    };
    deliver(args, &made)
}

fn options(args: &DynArgs) -> CrossOptions {
    let SpectrumArgs { norm, use_common_mean, .. } = args.spectrum;
    let (rebin, noise) = (args.spectrum.rebinning(), [args.noise; 2]);
    CrossOptions { norm, use_common_mean, rebin, noise, ..CrossOptions::default() }
}

fn of_events(args: &DynArgs, files: &[EventFile], mut warnings: Warnings) -> Result<DynamicalCrossSpectrum> {
    let mut say = |text: String| args.output.say(&text);
    let energies = args.subject.zip(args.reference).map(<[NumberRange; 2]>::from);
    let channels = args.subject_pi.zip(args.ref_pi).map(<[NumberRange; 2]>::from);
    let bands = CrossBands::from_args(&args.input, energies, channels, &mut say)?;
    let inputs = bands.channels(&args.input, files, &mut say)?;
    let SpectrumArgs { dt, segment_size, compat, chunk_events, .. } = args.spectrum;
    let (cross, compat_stingray) = (options(args), compat.is_some());
    let spectrum = CrossSpectrumOptions { dt, segment_size, cross, compat_stingray, chunk_events };
    let options = DynamicalCrossOptions { spectrum, time: args.time() };
    let mut backend = args.device.open(&mut warnings)?;
    let inside = bands.shared() != BandOverlap::None;
    let made = with_bar(!args.output.quiet, |progress| {
        dynamical_cross_spectrum_of_events(inputs, inside, &options, backend.as_mut(), warnings, progress)
    })?;
    Ok(if bands.shared() == BandOverlap::ReferenceInside { made.exchanged() } else { made })
}

fn of_light_curves(args: &DynArgs, both: &[LightCurve; 2], mut warnings: Warnings) -> Result<DynamicalCrossSpectrum> {
    if !args.cross {
        return Err(Error::argument("subject", "", "a light curve has no events to select; --cross takes two"));
    }
    let [subject, reference] = both.each_ref().map(|series| coarser(series.clone(), args.spectrum.dt));
    let (subject, reference) = (subject?, reference?);
    let SpectrumArgs { segment_size, min_fracexp, .. } = args.spectrum;
    let options = LightCurveCrossOptions { segment_size, min_fracexp, cross: options(args) };
    args.output.say(&format!("subject: {}; reference: {}", describe(&subject), describe(&reference)));
    let mut backend = args.device.open(&mut warnings)?;
    dynamical_cross_spectrum_of_light_curves(&subject, &reference, &options, args.time(), backend.as_mut(), warnings)
}

/// Warnings, table, picture and summary, as asked for.
fn deliver(args: &DynArgs, made: &DynamicalCrossSpectrum) -> Result<()> {
    let output = &args.output;
    let (axes, meta) = (&made.axes, &made.meta);
    report(&meta.record.warnings, output.strict, output.quiet)?;
    output.table(false, |path| made.write(path, output.overwrite))?;
    if let Some(path) = &output.plot {
        let modulus: Vec<f64> = made.cross_re.iter().zip(&made.cross_im).map(|(re, im)| re.hypot(*im)).collect();
        let name = format!("modulus of the cross spectrum, {}", meta.norm);
        let title = title(&meta.record, meta.m, meta.segment_size);
        picture(axes, title, (&modulus, name), &[], args.plot_scale, path, output.overwrite)?;
    }
    output.table(true, |path| made.write(path, output.overwrite))?;
    let (rows, columns) = axes.shape();
    if output.json {
        let mut value = serde_json::to_value(meta).unwrap_or_default();
        value["rows"] = json!(rows);
        value["frequencies"] = json!(columns);
        return crate::terminal::print(&format!("{value:#}\n"));
    }
    if !output.quiet {
        eprintln!(
            "{} of {} s: {} of {columns} frequencies, {:.2} photons of the subject and {:.2} of the reference a segment; {} on {}",
            count(meta.m, "segment"),
            ShortNumber(meta.segment_size),
            count(rows as u64, "row"),
            meta.levels.nphots1,
            meta.levels.nphots2,
            meta.record.device.backend,
            meta.record.device.adapter
        );
        if meta.record.photons.read > 0 {
            eprintln!("photons of both: {}", meta.record.photons);
        }
    }
    Ok(())
}

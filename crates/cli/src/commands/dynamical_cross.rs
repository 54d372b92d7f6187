//! `eagleray dyn` of two channels: the bands of `--subject` and `--ref`, or two files.

use serde_json::json;

use super::cs::{bands, describe_light_curves, observation};
use super::dynamical::DynArgs;
use crate::arguments::output::{Delivery, with};
use crate::pictures::dynamical::dynamical_cross;
use crate::run::{Computer, Steps};
use eagleray::internal::text::{ShortNumber, count};
use eagleray::science::DynamicalCrossSpectrum;
use eagleray::{CrossSpectrum, DynamicalCross};
use eagleray::{Error, Result};

/// Runs the command where a cross spectrum is asked for.
pub(super) fn run(args: &DynArgs) -> Result<()> {
    if args.dry_run {
        return Err(Error::argument("dry_run", "", "is for power spectra"));
    }
    let bands = bands([args.subject, args.reference], [args.subject_pi, args.ref_pi]);
    let say = &mut |text: &str| args.output.say(text);
    let observation = observation(&args.input, bands, args.spectrum.compat.is_some(), say)?;
    describe_light_curves(&observation, args.spectrum.dt, &args.output)?;
    let computer =
        Computer::new(&args.device, args.output.manners(), Steps::Events)?.chunk_events(args.spectrum.chunk_events);
    let mut spectrum = CrossSpectrum::default()
        .norm(args.spectrum.norm)
        .use_common_mean(args.spectrum.use_common_mean)
        .rebin(args.spectrum.rebinning())
        .noise([args.noise; 2])
        .min_fracexp(args.spectrum.min_fracexp);
    (spectrum.bands, spectrum.segmentation) = (bands, args.spectrum.segmentation());
    let analysis = DynamicalCross::default().spectrum(spectrum).time(args.time());
    deliver(args, &computer.compute(&analysis, &observation)?.product)
}

/// Table, picture and summary, as asked for.
fn deliver(args: &DynArgs, made: &DynamicalCrossSpectrum) -> Result<()> {
    let (output, overwrite) = (&args.output, args.output.overwrite);
    let (axes, meta) = (&made.axes, &made.meta);
    let (rows, columns) = axes.shape();
    let draw = |path: &str| dynamical_cross(made, args.plot_scale, path, overwrite);
    let json = || {
        let value = serde_json::to_value(meta).unwrap_or_default();
        with(value, [("rows", json!(rows)), ("frequencies", json!(columns))])
    };
    let text = || {
        let photons = match meta.record.photons.read {
            0 => String::new(),
            _ => format!("photons of both: {}\n", meta.record.photons),
        };
        format!(
            "{} of {} s: {} of {columns} frequencies, {:.2} photons of the subject and {:.2} of the reference a segment; {} on {}\n{photons}",
            count(meta.segments, "segment"),
            ShortNumber(meta.segment_size),
            count(rows as u64, "row"),
            meta.levels.nphots1,
            meta.levels.nphots2,
            meta.record.device.backend,
            meta.record.device.adapter
        )
    };
    let write = |path: &str| made.write(path, overwrite);
    output.deliver(&Delivery { write: &write, draw: &draw, json: &json, text: &text }, &[])
}

//! `eagleray cs`: averaged cross spectra, lags and coherence.

use clap::Args;
use serde_json::json;

use super::common::{CombineArg, InputArgs, Opened, not_negative, report};
use super::device::DeviceArgs;
use super::number::{Range, range};
use super::spectrum_args::{DeadTimeArgs, SpectrumArgs, noise_level};
use crate::error::{Error, Result};
use crate::io::EventFile;
use crate::io::product::{Format, check_output};
use crate::pipeline::{Channels, CrossSpectrumOptions, Events, align, cross_spectrum_of_events};
use crate::spectrum::{AveragedCrossSpectrum, CrossOptions, NoiseLevel};
use crate::text::{Short, count};
use crate::warning::Warnings;

/// Options of `cs`.
#[derive(Args, Debug)]
pub struct CsArgs {
    #[command(flatten)]
    input: InputArgs,
    /// Band of the subject in keV, LO <= E < HI; a positive lag says that the subject is late
    #[arg(long, value_name = "LO:HI", value_parser = range, requires = "reference")]
    subject: Option<Range>,
    /// Band of the reference in keV; a subject inside it leaves it
    #[arg(long = "ref", id = "reference", value_name = "LO:HI", value_parser = range, requires = "subject")]
    reference: Option<Range>,
    /// Channels of the subject, both included, where energies are not known
    #[arg(long, value_name = "LO:HI", value_parser = range, requires = "ref_pi", conflicts_with = "subject")]
    subject_pi: Option<Range>,
    /// Channels of the reference, both included
    #[arg(long, value_name = "LO:HI", value_parser = range, requires = "subject_pi")]
    ref_pi: Option<Range>,
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
    /// All frequencies, in the order of fftfreq: zero, positive, and negative ones, which mirror the positive
    #[arg(long)]
    fullspec: bool,
    #[command(flatten)]
    device: DeviceArgs,
    /// Table: .ecsv, .csv, .json or .fits; - is standard output
    #[arg(short, long, value_name = "FILE")]
    output: Option<String>,
    /// Replace existing outputs
    #[arg(long)]
    overwrite: bool,
    /// Summary as JSON on standard output
    #[arg(long)]
    json: bool,
    /// No summary or warnings
    #[arg(long)]
    quiet: bool,
    /// Warnings are errors
    #[arg(long)]
    strict: bool,
}

/// What is correlated with what.
enum Bands {
    /// Two bands of each file, `subject` inside the reference or apart from it.
    OfEach { subject: Box<InputArgs>, reference: Box<InputArgs>, inside: bool },
    /// The first file with the second.
    TwoFiles,
}

impl CsArgs {
    fn bands(&self) -> Result<Bands> {
        let (subject, reference, option) = match (self.subject, self.reference, self.subject_pi, self.ref_pi) {
            (Some(subject), Some(reference), ..) => (subject, reference, "--subject"),
            (_, _, Some(subject), Some(reference)) => (subject, reference, "--subject-pi"),
            _ => return Ok(Bands::TwoFiles),
        };
        if self.input.energy.is_some() || self.input.pi.is_some() {
            let message = "the bands are those of --subject and --ref";
            return Err(Error::argument("--energy or --pi", "given", message));
        }
        let by_channel = option == "--subject-pi";
        let inside = reference.lo <= subject.lo && subject.hi <= reference.hi;
        // Channels are inclusive at both ends, energies at one.
        let apart = if by_channel {
            subject.hi < reference.lo || reference.hi < subject.lo
        } else {
            subject.hi <= reference.lo || reference.hi <= subject.lo
        };
        if !inside && !apart {
            let text = format!("{}:{}", subject.lo, subject.hi);
            let message = format!(
                "shares photons with the reference {}:{} without being inside it; choose bands apart, or one inside the other",
                reference.lo, reference.hi
            );
            return Err(Error::argument(option, text, message));
        }
        let of = |band: Range| {
            let mut input = self.input.clone();
            let band = Some((band.lo, band.hi));
            if by_channel {
                input.pi = band
            } else {
                input.energy = band
            }
            input
        };
        Ok(Bands::OfEach { subject: Box::new(of(subject)), reference: Box::new(of(reference)), inside })
    }

    fn options(&self) -> Result<CrossSpectrumOptions> {
        self.spectrum.rebinning().ranges(1)?;
        let background = match self.background[..] {
            [] => [0.0; 2],
            [subject, reference] => [subject, reference],
            _ => {
                let message = "give one rate for the subject and one for the reference";
                return Err(Error::argument("--background", format!("{:?}", self.background), message));
            }
        };
        let noise = match self.noise[..] {
            [both] => [both; 2],
            [subject, reference] => [subject, reference],
            _ => {
                let message = "give one level for both powers, or one for the subject's and one for the reference's";
                return Err(Error::argument("--noise", self.noise.len(), message));
            }
        };
        let SpectrumArgs { dt, segment_size, norm, use_common_mean, compat, chunk_events, .. } = self.spectrum;
        let noise = noise.map(|level| self.dead_time.noise(level, 1));
        let rebin = self.spectrum.rebinning();
        let cross = CrossOptions { norm, use_common_mean, rebin, background, noise, fullspec: self.fullspec };
        Ok(CrossSpectrumOptions { dt, segment_size, cross, compat_stingray: compat.is_some(), chunk_events })
    }

    fn check(&self) -> Result<()> {
        self.device.check()?;
        if self.input.combine == Some(CombineArg::Merge) {
            let message = "channels stay apart; several files with --subject and --ref are averaged";
            return Err(Error::argument("--combine", "merge", message));
        }
        let Some(path) = self.output.as_deref() else { return Ok(()) };
        Format::of(path)?;
        if path == "-" {
            let taken = Error::argument("--json", "-o -", "the table and the summary cannot share standard output");
            return if self.json { Err(taken) } else { Ok(()) };
        }
        check_output(path, self.overwrite)?;
        self.input.check_output(path)
    }
}

/// Runs the command.
///
/// # Errors
/// Everything that the library refuses.
pub fn run(args: CsArgs) -> Result<()> {
    args.check()?;
    let options = args.options()?;
    let bands = args.bands()?;
    let mut warnings = Warnings::default();
    let Opened::Events(files) = args.input.open_any(args.spectrum.compat.is_some(), &mut warnings)? else {
        return Err(Error::argument("FILE", "light curve", "cross spectra are made of events"));
    };
    let talk = !args.quiet;
    let mut say = |text: String| {
        if talk {
            eprintln!("eagleray: {text}");
        }
    };
    let (inputs, inside) = match &bands {
        Bands::TwoFiles => (vec![two_files(&args.input, &files, &mut warnings, &mut say)?], false),
        Bands::OfEach { subject, reference, inside } => {
            let mut both = Vec::new();
            for file in &files {
                both.push(Events::unread(file, reference.selection(file, &mut say)?)?);
                both.push(Events::unread(file, subject.selection(file, &mut say)?)?);
            }
            align(&mut both)?;
            (pairs(both), *inside)
        }
    };
    let mut backend = args.device.open(&mut warnings)?;
    let result = cross_spectrum_of_events(inputs, inside, &options, backend.as_mut(), warnings, &mut |_| {});
    deliver(&result?, &args)
}

/// Two simultaneous files: the subject, and the reference.
fn two_files<'a>(
    input: &InputArgs,
    files: &'a [EventFile],
    warnings: &mut Warnings,
    say: &mut dyn FnMut(String),
) -> Result<Channels<'a>> {
    let [subject, reference] = files else {
        let message = "give two files, the subject's and the reference's, or two bands by --subject and --ref";
        return Err(Error::argument("FILE", count(files.len() as u64, "file"), message));
    };
    let mut both = Vec::new();
    for file in [reference, subject] {
        both.push(Events::of_file(file, input.selection(file, say)?, warnings)?);
    }
    align(&mut both)?;
    pairs(both).pop().ok_or_else(|| Error::argument("FILE", "none", "two are needed"))
}

/// References and subjects in turn, two by two.
fn pairs(both: Vec<Events>) -> Vec<Channels> {
    let mut channels = Vec::new();
    let mut both = both.into_iter();
    while let (Some(reference), Some(subject)) = (both.next(), both.next()) {
        channels.push(Channels { reference, subject });
    }
    channels
}

fn deliver(spectrum: &AveragedCrossSpectrum, args: &CsArgs) -> Result<()> {
    report(&spectrum.meta.provenance.warnings, args.strict, args.quiet)?;
    if let Some(path) = args.output.as_deref() {
        spectrum.product().write(path, args.overwrite)?;
    }
    if args.json {
        let mut value = serde_json::to_value(&spectrum.meta).unwrap_or_default();
        value["frequencies"] = json!(spectrum.len());
        return super::print(&format!("{value:#}\n"));
    }
    if !args.quiet {
        eprint!("{}", summary(spectrum));
    }
    Ok(())
}

fn summary(spectrum: &AveragedCrossSpectrum) -> String {
    let meta = &spectrum.meta;
    let mut text = format!(
        "{} of {} s ({} of {} s), {:.2} photons of the subject and {:.2} of the reference each; {} on {}\nphotons of both: {}\n",
        count(meta.m, "segment"),
        Short(meta.segment_size),
        count(meta.n as u64, "bin"),
        Short(meta.dt),
        meta.nphots1,
        meta.nphots2,
        meta.device.backend,
        meta.device.adapter,
        meta.provenance.photons
    );
    // The surest lag stands for all.
    let surest = (0..spectrum.len())
        .filter(|&k| spectrum.phase_lag_err[k].is_finite())
        .min_by(|&a, &b| spectrum.phase_lag_err[a].total_cmp(&spectrum.phase_lag_err[b]));
    if let Some(k) = surest {
        text += &format!(
            "surest lag at {:.6} Hz: {:.5} ± {:.5} rad, {:.3e} ± {:.1e} s ({}); raw coherence {:.4} ± {:.4}\n",
            spectrum.freq[k],
            spectrum.phase_lag[k],
            spectrum.phase_lag_err[k],
            spectrum.time_lag[k],
            spectrum.time_lag_err[k],
            meta.lag_sign,
            spectrum.raw_coherence[k],
            spectrum.raw_coherence_err[k]
        );
    }
    text
}

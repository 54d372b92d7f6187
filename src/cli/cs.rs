//! `eagleray cs`: averaged cross spectra, lags and coherence.

use clap::Args;
use serde_json::json;

use super::common::{CombineArg, InputArgs, Opened, not_negative, report, seconds};
use super::device::DeviceArgs;
use super::number::{Range, counting, number, range};
use crate::error::{Error, Result};
use crate::io::EventFile;
use crate::io::product::{Format, check_output};
use crate::pipeline::{CHUNK_EVENTS, Channels, CrossSpectrumOptions, Events, align, cross_spectrum_of_events};
use crate::spectrum::{AveragedCrossSpectrum, CrossOptions, Norm, Rebin};
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
    /// Bin width, s: 0.001, 1/256, 2^-13 [default: 1/1024 s or the frame time]
    #[arg(long, value_name = "S", value_parser = seconds)]
    dt: Option<f64>,
    /// Length of a segment, s [default: a power of two of bins, at least 50 segments]
    #[arg(long, value_name = "S", value_parser = seconds)]
    segment_size: Option<f64>,
    /// Normalisation: leahy, frac, abs, none
    #[arg(long, default_value = "leahy", value_parser = |text: &str| text.parse::<Norm>().map_err(|e| e.to_string()))]
    norm: Norm,
    /// Background in the mean rates of subject and reference, counts/s
    #[arg(long, value_name = "RATE[,RATE]", value_delimiter = ',', value_parser = not_negative)]
    background: Vec<f64>,
    /// Average this many frequencies into one
    #[arg(long, value_name = "N", value_parser = counting, conflicts_with = "rebin_log")]
    rebin: Option<usize>,
    /// Average frequencies into bins whose widths grow by 1+F
    #[arg(long, value_name = "F", value_parser = number)]
    rebin_log: Option<f64>,
    #[command(flatten)]
    device: DeviceArgs,
    /// Rows read at a time; changes memory, not results
    #[arg(long, value_name = "N", value_parser = counting, default_value_t = CHUNK_EVENTS)]
    chunk_events: usize,
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
        let rebin = match (self.rebin, self.rebin_log) {
            (Some(by), _) => Rebin::Linear(by),
            (None, Some(growth)) => Rebin::Geometric(growth),
            (None, None) => Rebin::None,
        };
        rebin.ranges(1)?;
        let background = match self.background[..] {
            [] => [0.0; 2],
            [subject, reference] => [subject, reference],
            _ => {
                let message = "give one rate for the subject and one for the reference";
                return Err(Error::argument("--background", format!("{:?}", self.background), message));
            }
        };
        let cross = CrossOptions { norm: self.norm, rebin, background };
        Ok(CrossSpectrumOptions {
            dt: self.dt,
            segment_size: self.segment_size,
            cross,
            chunk_events: self.chunk_events,
        })
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
    let Opened::Events(files) = args.input.open_any(false, &mut warnings)? else {
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

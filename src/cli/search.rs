//! `eagleray search`: pulsations of unknown frequency.

use clap::{Args, ValueEnum};

use super::common::{InputArgs, Opened, report};
use super::device::DeviceArgs;
use super::number::{Range, counting, positive, probability, range};
use super::output::{OutputArgs, bar};
use super::par::{ParArgs, read_by};
use super::plot_pulsation;
use crate::error::{Error, Result};
use crate::phase::Ephemeris;
use crate::pipeline::{CHUNK_EVENTS, PulseEvents};
use crate::pulsation::{Algorithm, Method, Search, SearchOptions, search};
use crate::text::{Short, count};
use crate::time::Dd;
use crate::warning::Warnings;

/// Independent frequencies to either side of that of an ephemeris.
const WITHIN: f64 = 100.0;

/// Options of `search`.
#[derive(Args, Debug)]
pub struct SearchArgs {
    #[command(flatten)]
    input: InputArgs,
    /// Frequencies, Hz, at the middle of the good time [default with --par: 100/span to both sides of its frequency]
    #[arg(long, value_name = "LO:HI", value_parser = range, required_unless_present = "par")]
    freq: Option<Range>,
    #[command(flatten)]
    par: ParArgs,
    /// Range of the frequency's derivative, Hz/s [default with --par: that of the file alone]
    #[arg(long, value_name = "LO:HI", value_parser = range, allow_hyphen_values = true)]
    fdot: Option<Range>,
    /// Range of its second derivative, Hz/s² [default with --par: that of the file alone]
    #[arg(long, value_name = "LO:HI", value_parser = range, allow_hyphen_values = true)]
    fddot: Option<Range>,
    /// Statistic: z2 (of --nharm harmonics), ef (epoch folding, --nbin bins), or h (H test)
    #[arg(long, value_enum, default_value = "z2")]
    method: MethodArg,
    /// Harmonics of z2
    #[arg(long, value_name = "N", value_parser = counting, default_value = "2")]
    nharm: usize,
    /// Bins of profiles
    #[arg(long, value_name = "N", value_parser = counting, default_value = "64")]
    nbin: usize,
    /// Trials to an independent frequency, 1/span [default: 4 times the harmonics of z2; 20 for h, 10 for ef]
    #[arg(long, value_name = "K", value_parser = positive)]
    oversample: Option<f64>,
    /// fft: harmonic sums of all frequencies at once, unbinned, on the CPU; fold: a profile of every trial, on any device
    /// [default: fft for z2 and h on the CPU]
    #[arg(long, value_enum, default_value = "auto", hide_default_value = true)]
    algorithm: AlgorithmArg,
    /// Candidates listed
    #[arg(long, value_name = "N", value_parser = counting, default_value = "10")]
    candidates: usize,
    /// Probability that noise reaches the detection level, trials included
    #[arg(long, value_name = "P", value_parser = probability, default_value = "0.01")]
    detection_level: f64,
    #[command(flatten)]
    device: DeviceArgs,
    #[command(flatten)]
    output: OutputArgs,
    /// Picture of the statistic by frequency and derivative: .svg or .png
    #[arg(long, value_name = "FILE", requires = "fdot")]
    map: Option<String>,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
enum MethodArg {
    Z2,
    Ef,
    H,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
enum AlgorithmArg {
    Auto,
    Fft,
    Fold,
}

impl SearchArgs {
    fn options(&self, events: &PulseEvents) -> SearchOptions {
        let pair = |range: Range| (range.lo, range.hi);
        let around = |e: Ephemeris| (e.freq.value(), (WITHIN / events.span).min(0.5 * e.freq.value()));
        let known = events.timing.as_ref().map(|timing| timing.ephemeris);
        let (freq, within) = known.map_or((0.0, 0.0), around);
        let alone =
            |of: fn(&Ephemeris) -> Dd| known.as_ref().map(|e| of(e).value()).filter(|d| *d != 0.0).map(|d| (d, d));
        SearchOptions {
            freq: self.freq.map_or((freq - within, freq + within), pair),
            fdot: self.fdot.map(pair).or(alone(|e| e.fdot)),
            fddot: self.fddot.map(pair).or(alone(|e| e.fddot)),
            method: match self.method {
                MethodArg::Z2 => Method::Z2,
                MethodArg::Ef => Method::Ef,
                MethodArg::H => Method::H,
            },
            nharm: self.nharm,
            nbin: self.nbin,
            oversample: self.oversample,
            algorithm: match self.algorithm {
                AlgorithmArg::Auto => Algorithm::Auto,
                AlgorithmArg::Fft => Algorithm::Fft,
                AlgorithmArg::Fold => Algorithm::Fold,
            },
            candidates: self.candidates,
            false_alarm: self.detection_level,
        }
    }
}

/// Runs the command.
///
/// # Errors
/// Everything that the library refuses.
pub fn run(args: &SearchArgs) -> Result<()> {
    let out = &args.output;
    args.device.check()?;
    out.check(&args.input, &[&args.map], &[])?;
    let mut warnings = Warnings::default();
    let Opened::Events(files) = args.input.open_any(false, &mut warnings)? else {
        return Err(Error::argument("FILE", "light curve", "pulsations are searched in events"));
    };
    let mut say = |text: String| {
        if !out.quiet {
            eprintln!("eagleray: {text}");
        }
    };
    let (inputs, combine) = args.input.inputs(&files, &mut warnings, &mut say)?;
    let mut backend = args.device.open(&mut warnings)?;
    let events = match args.par.read(&mut warnings)? {
        Some(par) => read_by(&par, inputs, combine, warnings)?,
        None => PulseEvents::read(inputs, combine, None, CHUNK_EVENTS, warnings, &mut |_| {})?,
    };
    report(&events.provenance.warnings, out.strict, out.quiet)?;
    let bar = bar(1, "trials", !out.quiet);
    let told = &mut |done: u64, all: u64| {
        bar.set_length(all);
        bar.set_position(done);
    };
    let options = args.options(&events);
    let result = search(events, &options, backend.as_mut(), told);
    bar.finish_and_clear();
    let found = result?;
    if let Some(path) = &out.plot {
        plot_pulsation::search(&found, path, out.overwrite)?;
    }
    if let Some(path) = &args.map {
        plot_pulsation::search_map(&found, path, out.overwrite)?;
    }
    if let Some(path) = &out.output {
        found.product(&found.log10_p()).write(path, out.overwrite)?;
    }
    if out.json {
        return super::print(&format!("{:#}\n", found.summary()));
    }
    if !out.quiet {
        eprint!("{}", summary(&found));
    }
    Ok(())
}

fn summary(found: &Search) -> String {
    let meta = &found.meta;
    let name = match meta.method {
        Method::Z2 => format!("Z²_{}", meta.nharm),
        Method::H => "H".to_string(),
        Method::Ef => format!("χ² of {} bins", meta.nbin),
    };
    let mut text = format!(
        "{} in {} s of good time, {} s from end to end; epoch {} s{}\n",
        count(meta.nphots as u64, "event"),
        Short(meta.exposure),
        Short(meta.span),
        meta.epoch,
        meta.epoch_mjd.map_or(String::new(), |mjd| format!(" (MJD {mjd:.8})")),
    );
    text += &format!("photons: {}\n", meta.provenance.photons);
    text += &format!(
        "{name} of {}, {} independent frequencies, {} apart; detection level {:.3} (false alarm {} %)\n",
        count(meta.trials, "trial"),
        meta.independent_frequencies.round(),
        format_args!("{} Hz", Short(meta.df)),
        meta.detection_level,
        100.0 * meta.detection_probability
    );
    if let Some(limit) = meta.pulsed_upper_limit {
        text += &format!(
            "pulsed fraction of a sinusoid below {:.3} % at 95 % confidence, at any frequency\n",
            100.0 * limit
        );
    }
    for (i, c) in found.candidates.iter().enumerate() {
        let derivative = if meta.dfdot > 0.0 { format!("  {:.6e} Hz/s", c.fdot) } else { String::new() };
        let related = if c.group == i { String::new() } else { format!("  {} of number {}", c.harmonic, c.group + 1) };
        text += &format!(
            "  {}: {:.9} ± {:.1e} Hz{derivative}  {name} {:.2}  log10 p {:.2}  rms {:.2} %{related}\n",
            i + 1,
            c.freq,
            c.freq_err,
            c.stat,
            c.log10_p,
            100.0 * c.rms
        );
    }
    text
}

//! `eagleray search`: pulsations of unknown frequency.

use clap::{ArgGroup, Args};

use super::light_curves;
use crate::arguments::choice::choice;
use crate::arguments::device::DeviceArgs;
use crate::arguments::input::{InputArgs, seconds};
use crate::arguments::output::{Delivery, Further, OutputArgs};
use crate::arguments::par::ParArgs;
use crate::arguments::weights::{self, WeightArgs};
use crate::number::{NumberRange, closed_range, counting, number, positive, probability, range};
use crate::pictures;
use crate::run::{Computer, Steps};
use eagleray::ObservationKind;
use eagleray::PulseSearch;
use eagleray::files::ParFile;
use eagleray::internal::text::{Fixed, ShortNumber, count};
use eagleray::pulsation::{
    Algorithm, Candidate, Relation, SearchMetadata, SearchOptions, SearchResult, SearchStatistic,
};
use eagleray::{Error, Result};

/// Search for a pulsation: frequencies, and derivatives, by Z², H or epoch folding
#[derive(Args, Debug)]
#[command(group = ArgGroup::new("frequencies").args(["freq", "par"]).required(true).multiple(true))]
#[command(
    allow_negative_numbers = true,
    after_help = "Example: eagleray search obs.evt --freq 6:7 --nharm 2 -o search.ecsv --plot search.svg"
)]
pub struct SearchArgs {
    #[command(flatten)]
    input: InputArgs,
    /// Frequencies, Hz, at the middle of the good time [default with --par: 100/span to both sides of its frequency]
    #[arg(long, value_name = "LO:HI", value_parser = range)]
    freq: Option<NumberRange>,
    #[command(flatten)]
    par: ParArgs,
    #[command(flatten)]
    weights: WeightArgs,
    /// Range of the frequency's derivative, Hz/s; one value, as D:D, is known and not refined [default with --par: that of the file alone]
    #[arg(long, value_name = "LO:HI", value_parser = closed_range, allow_hyphen_values = true)]
    fdot: Option<NumberRange>,
    /// Range of its second derivative, Hz/s² [default with --par: that of the file alone]
    #[arg(long, value_name = "LO:HI", value_parser = range, allow_hyphen_values = true)]
    fddot: Option<NumberRange>,
    /// Statistic: z2 (of --nharm harmonics), ef (epoch folding, --nbin bins), h (H test), or of light curves, and of events counted in bins
    /// of --dt, pdm (phase dispersion, --nbin bins)
    #[arg(long, value_parser = choice::<SearchStatistic>(), default_value = "z2")]
    method: SearchStatistic,
    /// Harmonics of z2
    #[arg(long, value_name = "N", value_parser = counting, default_value = "2")]
    nharm: usize,
    /// Bins of profiles
    #[arg(long, value_name = "N", value_parser = counting, default_value = "64")]
    nbin: usize,
    /// For pdm, width of the bins that are its samples, s [default: of a light curve, its own]
    #[arg(long, value_name = "S", value_parser = seconds)]
    dt: Option<f64>,
    /// For pdm, bins with less of their time exposed count as missing [default: 0.9]
    #[arg(long, value_name = "F", value_parser = number)]
    min_fracexp: Option<f64>,
    /// Trials to an independent frequency, 1/span [default: 4 times the harmonics of z2; 20 for h, 10 for ef and pdm]
    #[arg(long, value_name = "K", value_parser = positive)]
    oversample: Option<f64>,
    /// fft: harmonic sums of all frequencies at once, unbinned, on the CPU; fold: a profile of every trial, on any device; ffa: for
    /// ef, all constant periods at once, of nbin to twice as many bins: for long periods, on the CPU
    /// [default: fft for z2 and h on the CPU]
    #[arg(long, value_parser = choice::<Algorithm>(), default_value = "auto", hide_default_value = true)]
    algorithm: Algorithm,
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

impl SearchArgs {
    fn analysis(&self, ephemeris: Option<ParFile>) -> PulseSearch {
        let pair = |range: NumberRange| (range.lo, range.hi);
        let mut made = PulseSearch::default().search(SearchOptions {
            freq: self.freq.map_or((0.0, 0.0), pair),
            fdot: self.fdot.map(pair),
            fddot: self.fddot.map(pair),
            method: self.method,
            nharm: self.nharm,
            nbin: self.nbin,
            oversample: self.oversample,
            algorithm: self.algorithm,
            candidates: self.candidates,
            false_alarm: self.detection_level,
        });
        (made.ephemeris, made.dt, made.min_fracexp) = (ephemeris, self.dt, self.min_fracexp);
        made
    }
}

/// Runs the command.
///
/// # Errors
/// Everything that the library refuses.
pub fn run(args: SearchArgs) -> Result<()> {
    let out = &args.output;
    if args.method.is_of_samples() && args.par.par.is_some() {
        return Err(Error::argument("par", "", "is for events, not for the samples of phase dispersion"));
    }
    let device = args.weights.device(&args.device, out)?;
    out.check(&[&args.map], &[])?;
    let observation = args.weights.observation(&args.input, out)?;
    let analysis = args.analysis(args.par.read()?);
    if args.method.is_of_samples() && observation.kind() == ObservationKind::LightCurve {
        out.say(&light_curves::describe(&observation.light_curve()?.coarser(args.dt)?));
    }
    // Fast folding makes all trials of a number of bins in one step.
    let steps = if analysis.search.algorithm == Algorithm::Ffa { Steps::Sums } else { Steps::Trials };
    let computer = Computer::new(&device, out.manners(), steps)?;
    let found = computer.compute(&analysis, &observation)?.product;
    let map = |path: &str| pictures::pulsation::search_map(&found, path, out.overwrite);
    deliver(&found, out, &|path| pictures::pulsation::search(&found, path, out.overwrite), &[(&args.map, &map)])
}

/// Table, picture and summary, as asked for.
pub(super) fn deliver(
    found: &SearchResult,
    out: &OutputArgs,
    draw: &dyn Fn(&str) -> Result<()>,
    further: &[Further],
) -> Result<()> {
    let write = |path: &str| found.write(path, out.overwrite);
    let json = || serde_json::to_value(found.summary()).unwrap_or_default();
    out.deliver(&Delivery { write: &write, draw, json: &json, text: &|| summary(found) }, further)
}

/// The detection level: the statistic, of each number of harmonics where several were tried, or a probability where each trial has a law of its own.
fn levels(meta: &SearchMetadata) -> String {
    if let Some(level) = meta.detection_log10_p {
        return format!("log10 p {level:.2} in one trial");
    }
    let Some(tried) = &meta.templates else { return format!("{:.3}", meta.detection_level) };
    let one = |(n, level): (&usize, &f64)| format!("{level:.3} of {}", count(*n as u64, "harmonic"));
    tried.harmonics.iter().zip(&tried.detection_levels).map(one).collect::<Vec<_>>().join(", ")
}

fn summary(found: &SearchResult) -> String {
    let meta = &found.meta;
    let name = meta.symbol();
    let number = match &meta.sampling {
        Some(all) => format!("{} of {} s", count(all.samples as u64, "sample"), ShortNumber(all.dt)),
        None => count(meta.nphots as u64, "event"),
    };
    let mut text = format!(
        "{number} in {} s of good time, {} s from end to end; epoch {} s{}\n",
        ShortNumber(meta.exposure),
        ShortNumber(meta.span),
        meta.epoch,
        meta.epoch_mjd.map_or(String::new(), |mjd| format!(" (MJD {mjd:.8})")),
    );
    if meta.record.photons.read > 0 {
        text += &format!("photons: {}\n", meta.record.photons);
    }
    text += &weights::summary(meta.weights.as_ref());
    text += &format!(
        "{name} of {}, {} independent frequencies, {} apart; detection level {} (false alarm {} %)\n",
        count(meta.trials, "trial"),
        meta.independent_frequencies.round(),
        format_args!("{} Hz", ShortNumber(meta.df)),
        levels(meta),
        100.0 * meta.detection_probability
    );
    if let Some(limit) = meta.pulsed_upper_limit {
        text += &format!(
            "pulsed fraction of a sinusoid below {:.3} % at 95 % confidence, at any frequency\n",
            100.0 * limit
        );
    }
    // θ is of the order of 1.
    let digits = if meta.method.falls() { 4 } else { 2 };
    for (i, c) in found.candidates.iter().enumerate() {
        let error = |err: Option<f64>| err.map_or(String::new(), |err| format!(" ± {err:.1e}"));
        // Those that are known, too.
        let mut derivative = String::new();
        if meta.dfdot > 0.0 || c.fdot != 0.0 {
            derivative += &format!("  {:.6e}{} Hz/s", c.fdot, error(c.fdot_err));
        }
        if meta.dfddot > 0.0 || c.fddot != 0.0 {
            derivative += &format!("  {:.6e}{} Hz/s²", c.fddot, error(c.fddot_err));
        }
        let related = if c.group == i { String::new() } else { format!("  {} of number {}", relation(c), c.group + 1) };
        let plain = c.stat_plain.map_or(String::new(), |plain| format!(" ({plain:.2} not corrected for the exposure)"));
        text += &format!(
            "  {}: {:.9} ± {:.1e} Hz{derivative}  {} {:.digits$}{plain}  log10 p {}  rms {:.2} %{related}\n",
            i + 1,
            c.freq,
            c.freq_err,
            match c.nbin {
                Some(nbin) => format!("χ² of {nbin} bins"),
                None if meta.templates.is_some() => format!("{name}_{}", c.nharm),
                None => name.clone(),
            },
            c.stat,
            Fixed(c.log10_p, 2),
            100.0 * c.rms
        );
    }
    text
}

/// What a candidate is of its source.
fn relation(c: &Candidate) -> String {
    let of_harmonic = if c.harmonic == "1/1" { String::new() } else { format!(" of {}", c.harmonic) };
    match c.relation {
        Relation::Source | Relation::Harmonic => c.harmonic.clone(),
        Relation::Alias => format!("alias by {:+} of the gaps{of_harmonic}", c.alias),
        Relation::SampleAlias => format!("alias by {:+} of the samples{of_harmonic}", c.alias),
        Relation::Ridge => format!("ridge{of_harmonic}"),
        Relation::SideLobe => format!("side lobe{of_harmonic}"),
    }
}

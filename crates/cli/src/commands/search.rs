//! `eagleray search`: pulsations of unknown frequency.

use std::ops::ControlFlow;
use std::time::Instant;

use clap::{Args, ValueEnum};

use super::pds_light_curve;
use crate::arguments::device::DeviceArgs;
use crate::arguments::input::{InputArgs, OpenedInputs, report, seconds};
use crate::arguments::output::{OutputArgs, progress_bar};
use crate::arguments::par::{ParArgs, read_by};
use crate::arguments::weights::{self, WeightArgs};
use crate::number::{NumberRange, counting, number, positive, probability, range};
use crate::pictures;
use eagleray::data::phase::Ephemeris;
use eagleray::engine::pulsation::{self, Algorithm, SearchMetadata, SearchOptions, SearchResult, SearchStatistic};
use eagleray::engine::{CHUNK_EVENTS, PulseEvents, PulseSamples};
use eagleray::internal::backend::Backend;
use eagleray::internal::text::{ShortNumber, count};
use eagleray::time::DoubleDouble;
use eagleray::{Error, Progress, Result, Warnings};

/// Independent frequencies to either side of that of an ephemeris.
const EPHEMERIS_RANGE: f64 = 100.0;

/// Options of `search`.
#[derive(Args, Debug)]
pub struct SearchArgs {
    #[command(flatten)]
    input: InputArgs,
    /// Frequencies, Hz, at the middle of the good time [default with --par: 100/span to both sides of its frequency]
    #[arg(long, value_name = "LO:HI", value_parser = range, required_unless_present = "par")]
    freq: Option<NumberRange>,
    #[command(flatten)]
    par: ParArgs,
    #[command(flatten)]
    weights: WeightArgs,
    /// Range of the frequency's derivative, Hz/s [default with --par: that of the file alone]
    #[arg(long, value_name = "LO:HI", value_parser = range, allow_hyphen_values = true)]
    fdot: Option<NumberRange>,
    /// Range of its second derivative, Hz/s² [default with --par: that of the file alone]
    #[arg(long, value_name = "LO:HI", value_parser = range, allow_hyphen_values = true)]
    fddot: Option<NumberRange>,
    /// Statistic: z2 (of --nharm harmonics), ef (epoch folding, --nbin bins), h (H test), or of light curves, and of events counted in bins
    /// of --dt, pdm (phase dispersion, --nbin bins)
    #[arg(long, value_enum, default_value = "z2")]
    method: MethodArg,
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
    Pdm,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
enum AlgorithmArg {
    Auto,
    Fft,
    Fold,
    Ffa,
}

impl SearchArgs {
    fn options(&self, events: &PulseEvents) -> SearchOptions {
        let pair = |range: NumberRange| (range.lo, range.hi);
        let around = |e: Ephemeris| (e.freq.value(), (EPHEMERIS_RANGE / events.span).min(0.5 * e.freq.value()));
        let known = events.timing.as_ref().map(|timing| timing.ephemeris);
        let (freq, within) = known.map_or((0.0, 0.0), around);
        let alone = |of: fn(&Ephemeris) -> DoubleDouble| {
            known.as_ref().map(|e| of(e).value()).filter(|d| *d != 0.0).map(|d| (d, d))
        };
        SearchOptions {
            freq: self.freq.map_or((freq - within, freq + within), pair),
            fdot: self.fdot.map(pair).or(alone(|e| e.fdot)),
            fddot: self.fddot.map(pair).or(alone(|e| e.fddot)),
            method: match self.method {
                MethodArg::Z2 => SearchStatistic::Z2,
                MethodArg::Ef => SearchStatistic::Ef,
                MethodArg::H => SearchStatistic::H,
                MethodArg::Pdm => SearchStatistic::Pdm,
            },
            nharm: self.nharm,
            nbin: self.nbin,
            oversample: self.oversample,
            algorithm: match self.algorithm {
                AlgorithmArg::Auto => Algorithm::Auto,
                AlgorithmArg::Fft => Algorithm::Fft,
                AlgorithmArg::Fold => Algorithm::Fold,
                AlgorithmArg::Ffa => Algorithm::Ffa,
            },
            candidates: self.candidates,
            false_alarm: self.detection_level,
        }
    }
}

impl SearchArgs {
    /// Refuses options that have no meaning together.
    fn check(&self) -> Result<()> {
        let sampled = self.method == MethodArg::Pdm;
        let given = |field: &str, message: &str| Err(Error::argument(field, "", message));
        match () {
            () if sampled && self.par.par.is_some() => {
                given("par", "is for events, not for the samples of --method pdm")
            }
            () if sampled && self.weights.is_given() => {
                given("weights", "are of events, not of the samples of --method pdm")
            }
            () if !sampled && self.dt.is_some() => given("dt", "is for --method pdm; others take each event by itself"),
            () if !sampled && self.min_fracexp.is_some() => given("min_fracexp", "is for --method pdm"),
            () => Ok(()),
        }
    }

    /// The samples of a light curve, or of events, and what computes.
    fn samples(&self, device: &DeviceArgs) -> Result<(PulseSamples, Box<dyn Backend>)> {
        let (mut warnings, out) = (Warnings::default(), &self.output);
        let series = pds_light_curve::of_files(&self.input, self.dt, out, &mut warnings)?;
        if self.dt.is_none() && series.meta.record.photons.read > 0 {
            return Err(Error::argument("dt", "", "phase dispersion of events needs bins, well below the period"));
        }
        out.say(&pds_light_curve::describe(&series));
        let backend = device.open(&mut warnings)?;
        let mut samples = PulseSamples::from_light_curve(&series, self.min_fracexp.unwrap_or(0.9), warnings)?;
        let options = self.options(&samples.at);
        pulsation::pdm::warn_of_sampling(&mut samples, &options)?;
        report(&samples.at.record.warnings, out.strict, out.quiet)?;
        Ok((samples, backend))
    }
}

/// Runs the command.
///
/// # Errors
/// Everything that the library refuses.
pub fn run(args: &SearchArgs) -> Result<()> {
    let out = &args.output;
    args.check()?;
    let device = args.weights.device(&args.device, out)?;
    out.check(&args.input, &[&args.map], &[])?;
    let found = if args.method == MethodArg::Pdm {
        let (samples, mut backend) = args.samples(&device)?;
        let options = args.options(&samples.at);
        watched(out, |told| pulsation::pdm(samples, &options, backend.as_mut(), told))?
    } else {
        let (events, mut backend) = open(&args.input, &device, out, &args.par, &args.weights)?;
        let options = args.options(&events);
        watched(out, |told| pulsation::search(events, &options, backend.as_mut(), told))?
    };
    if let Some(path) = &out.plot {
        pictures::pulsation::search(&found, path, out.overwrite)?;
    }
    if let Some(path) = &args.map {
        pictures::pulsation::search_map(&found, path, out.overwrite)?;
    }
    report_found(&found, out)
}

/// The events of a search, and what computes it.
pub(super) fn open(
    input: &InputArgs,
    device: &DeviceArgs,
    out: &OutputArgs,
    par: &ParArgs,
    weights: &WeightArgs,
) -> Result<(PulseEvents, Box<dyn Backend>)> {
    let mut warnings = Warnings::default();
    let OpenedInputs::Events(files) = input.open_any(false, &mut warnings)? else {
        return Err(Error::argument(
            "files",
            "light curve",
            "pulsations are searched in events; in light curves by search --method pdm",
        ));
    };
    let (inputs, combine) = weights.inputs(input, &files, &mut warnings, &mut |text| out.say(&text))?;
    let backend = device.open(&mut warnings)?;
    let events = match par.read(&mut warnings)? {
        Some(par) => read_by(&par, inputs, combine, warnings)?,
        None => PulseEvents::read(inputs, combine, None, CHUNK_EVENTS, warnings, &Progress::default())?,
    };
    report(&events.record.warnings, out.strict, out.quiet)?;
    Ok((events, backend))
}

/// Time after which the rest of a search is estimated, s, and an estimate that is worth saying.
const ESTIMATE_AFTER: f64 = 1.0;
/// See [`ESTIMATE_AFTER`].
const LONG_SEARCH: f64 = 60.0;

/// A search whose progress is shown, and how long it will take said in a line where that is long, terminal or not.
pub(super) fn watched(
    out: &OutputArgs,
    work: impl FnOnce(&Progress) -> Result<SearchResult> + Send,
) -> Result<SearchResult> {
    let bar = progress_bar("trials", !out.quiet);
    let (mut begun, mut estimated) = (None, false);
    let told = &mut |done: u64, all: u64| {
        bar.set_length(all);
        bar.set_position(done);
        let elapsed = begun.get_or_insert_with(Instant::now).elapsed().as_secs_f64();
        if !estimated && done > 0 && elapsed >= ESTIMATE_AFTER {
            estimated = true;
            let left = elapsed * (all - done.min(all)) as f64 / done as f64;
            if left >= LONG_SEARCH {
                bar.suspend(|| out.say(&format!("{} will take about {}", count(all, "trial"), duration(left))));
            }
        }
        ControlFlow::Continue(())
    };
    let result = eagleray::engine::watched(told, work);
    bar.finish_and_clear();
    result
}

/// Some seconds in the unit that suits them, two digits.
fn duration(seconds: f64) -> String {
    let units = [(60.0, "s"), (3600.0, "min"), (86_400.0, "h")];
    let mut size = 1.0;
    for (next, unit) in units {
        if seconds < 2.0 * next {
            return two_digits(seconds / size, unit);
        }
        size = next;
    }
    two_digits(seconds / size, "days")
}

fn two_digits(value: f64, unit: &str) -> String {
    let step = 10f64.powf(value.log10().floor() - 1.0).max(1.0);
    format!("{} {unit}", (value / step).round() * step)
}

/// Writes the table and the summary.
pub(super) fn report_found(found: &SearchResult, out: &OutputArgs) -> Result<()> {
    if let Some(path) = &out.output {
        found.table(&found.log10_p()).write(path, out.overwrite)?;
    }
    if out.json {
        return crate::terminal::print(&format!("{:#}\n", found.summary()));
    }
    if !out.quiet {
        eprint!("{}", summary(found));
    }
    Ok(())
}

/// The detection level, of each number of harmonics where several were tried.
fn levels(meta: &SearchMetadata) -> String {
    let Some(tried) = &meta.templates else { return format!("{:.3}", meta.detection_level) };
    let one = |(n, level): (&usize, &f64)| format!("{level:.3} of {}", count(*n as u64, "harmonic"));
    tried.harmonics.iter().zip(&tried.detection_levels).map(one).collect::<Vec<_>>().join(", ")
}

fn summary(found: &SearchResult) -> String {
    let meta = &found.meta;
    let name = match meta.method {
        SearchStatistic::Z2 if meta.templates.is_some() => "Z²".to_string(),
        SearchStatistic::Z2 => format!("Z²_{}", meta.nharm),
        SearchStatistic::H => "H".to_string(),
        SearchStatistic::Ef => format!("χ² of {} bins", meta.nbin),
        SearchStatistic::Pdm => format!("θ of {} bins", meta.nbin),
    };
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
    let digits = if meta.method == SearchStatistic::Pdm { 4 } else { 2 };
    for (i, c) in found.candidates.iter().enumerate() {
        let mut derivative = if meta.dfdot > 0.0 { format!("  {:.6e} Hz/s", c.fdot) } else { String::new() };
        if meta.dfddot > 0.0 {
            derivative += &format!("  {:.6e} Hz/s²", c.fddot);
        }
        let related = if c.group == i { String::new() } else { format!("  {} of number {}", c.harmonic, c.group + 1) };
        text += &format!(
            "  {}: {:.9} ± {:.1e} Hz{derivative}  {name}{} {:.digits$}  log10 p {:.2}  rms {:.2} %{related}\n",
            i + 1,
            c.freq,
            c.freq_err,
            if meta.templates.is_some() { format!("_{}", c.nharm) } else { String::new() },
            c.stat,
            c.log10_p,
            100.0 * c.rms
        );
    }
    text
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn durations_have_two_digits_and_a_unit() {
        let said = [1.4, 61.0, 119.0, 120.0, 754.0, 7199.0, 7200.0, 100_000.0, 1e6, 1e9].map(duration);
        assert_eq!(
            said,
            ["1 s", "61 s", "120 s", "2 min", "13 min", "120 min", "2 h", "28 h", "12 days", "12000 days"]
        );
    }
}

//! `eagleray stats`: the statistics of powers and counts, without data.

use std::f64::consts::LN_10;

use clap::{ArgGroup, Args, Subcommand};
use serde_json::{Value, json};

use crate::arguments::input::not_negative;
use crate::number::{number, positive, probability};
use eagleray::Result;
use eagleray::science::statistics::answers::{Averages, DetectionPower, PoissonLimits, PowerProbability, Sinusoid};

/// Statistics of powers and counts: probabilities, detection levels, limits, pulsed fractions, Poisson errors
#[derive(Args, Debug)]
#[command(after_help = "Example: eagleray stats power-to-p --power 40 --trials 1e6")]
pub struct StatsArgs {
    #[command(subcommand)]
    what: StatsCommand,
    /// JSON on standard output
    #[arg(long, global = true)]
    json: bool,
}

#[derive(Subcommand, Debug)]
enum StatsCommand {
    /// Probability that white noise reaches a Leahy power (noise level 2)
    PowerToP {
        /// Leahy power, the average of m·K
        #[arg(long, value_name = "P", value_parser = not_negative)]
        power: f64,
        #[command(flatten)]
        averaged: AveragedArgs,
        /// Frequencies (and spectra) searched
        #[arg(long, value_name = "N", default_value = "1", value_parser = positive)]
        trials: f64,
    },
    /// Leahy power that white noise reaches with a probability: the detection level
    #[command(group = ArgGroup::new("probability").args(["p", "log10_p"]).required(true))]
    PToPower {
        /// Probability of a false alarm in all trials
        #[arg(long, value_name = "P", value_parser = probability)]
        p: Option<f64>,
        /// Its decimal logarithm, for probabilities of any smallness
        #[arg(long, value_name = "X", value_parser = number, conflicts_with = "p", allow_negative_numbers = true)]
        log10_p: Option<f64>,
        #[command(flatten)]
        averaged: AveragedArgs,
        /// Frequencies (and spectra) searched
        #[arg(long, value_name = "N", default_value = "1", value_parser = positive)]
        trials: f64,
    },
    /// Pulsed fraction of a sinusoid from its Leahy power, with interval and upper limit; or the power of a pulsed fraction
    Amplitude(AmplitudeArgs),
    /// Limits of the mean that led to counts (Gehrels 1986), and symmetrical errors
    Poisson {
        /// Counts
        #[arg(long, value_name = "N")]
        counts: u64,
        /// Each limit is transgressed with the probability of exceeding this many standard deviations
        #[arg(long, value_name = "Z", default_value = "1", value_parser = positive)]
        sigma: f64,
    },
}

#[derive(Args, Debug)]
struct AveragedArgs {
    /// Segments averaged
    #[arg(long, default_value_t = 1, value_parser = clap::value_parser!(u64).range(1..1 << 52))]
    m: u64,
    /// Frequencies averaged
    #[arg(long, default_value_t = 1, value_parser = clap::value_parser!(u64).range(1..1 << 30))]
    k: u64,
}

impl AveragedArgs {
    fn averaged(&self) -> Result<Averages> {
        Averages::new(self.m, self.k)
    }
}

#[derive(Args, Debug)]
#[command(group = ArgGroup::new("signal").args(["power", "fraction"]).required(true))]
struct AmplitudeArgs {
    /// Leahy power with its noise of 2, the average of m·K
    #[arg(long, value_name = "P", value_parser = positive, conflicts_with = "fraction")]
    power: Option<f64>,
    /// Pulsed fraction of all photons, (max − min)/(max + min)
    #[arg(long, value_name = "A", value_parser = positive)]
    fraction: Option<f64>,
    /// Photons in a segment
    #[arg(long, value_name = "N", value_parser = positive)]
    photons: f64,
    #[command(flatten)]
    averaged: AveragedArgs,
    /// Frequency, Hz, for the loss by bins of --dt
    #[arg(long, value_name = "HZ", value_parser = positive, requires = "dt")]
    freq: Option<f64>,
    /// Bin width, s
    #[arg(long, value_name = "S", value_parser = positive, requires = "freq")]
    dt: Option<f64>,
    /// The frequency is that of the bin's centre; else it may be anywhere in the bin
    #[arg(long)]
    centred: bool,
    /// Part of the photons that are background
    #[arg(long, value_name = "B", default_value = "0", value_parser = not_negative)]
    background: f64,
    /// Confidence of the upper limit
    #[arg(long, value_name = "C", default_value = "0.95", value_parser = probability)]
    confidence: f64,
}

/// Runs the command.
///
/// # Errors
/// Numbers outside the domain of a function.
pub fn run(args: StatsArgs) -> Result<()> {
    let value = match &args.what {
        StatsCommand::PowerToP { power, averaged, trials } => {
            json!(PowerProbability::new(*power, averaged.averaged()?, *trials))
        }
        StatsCommand::PToPower { p, log10_p, averaged, trials } => {
            let ln_p = p.map_or_else(|| log10_p.unwrap_or(0.0) * LN_10, f64::ln);
            json!(DetectionPower::new(ln_p, averaged.averaged()?, *trials)?)
        }
        StatsCommand::Amplitude(amplitude) => amplitude.value()?,
        StatsCommand::Poisson { counts, sigma } => json!(PoissonLimits::new(*counts, *sigma)),
    };
    if args.json {
        return crate::terminal::print_json(&value);
    }
    let lines = value.as_object().into_iter().flatten();
    crate::terminal::print(&lines.map(|(name, value)| format!("{name:<24} {value}\n")).collect::<String>())
}

impl AmplitudeArgs {
    fn value(&self) -> Result<Value> {
        let sinusoid = Sinusoid {
            photons: self.photons,
            averaged: self.averaged.averaged()?,
            bins: self.freq.zip(self.dt),
            centred: self.centred,
            background: self.background,
        };
        Ok(match self.power {
            Some(power) => json!(sinusoid.fraction(power, self.confidence)?),
            None => json!(sinusoid.power(self.fraction.unwrap_or_default())?),
        })
    }
}

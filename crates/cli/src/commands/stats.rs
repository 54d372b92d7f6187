//! `eagleray stats`: the statistics of powers and counts, without data.

use std::f64::consts::LN_10;

use clap::{ArgGroup, Args, Subcommand};
use serde_json::{Value, json};

use crate::arguments::input::not_negative;
use crate::number::{number, positive, probability};
use eagleray::science::statistics::{detection, normal, poisson, pulsed};
use eagleray::{Error, Result};

/// Probabilities of exceeding one standard deviation, and minus one.
const ONE_SIGMA: (f64, f64) = (0.158_655_253_931_457_05, 0.841_344_746_068_542_9);

/// The most values in an average: whole numbers up to this are exact.
const MOST_VALUES: u64 = 1 << 53;

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
    fn values(&self) -> Result<u64> {
        let values = self.m.checked_mul(self.k).filter(|values| *values <= MOST_VALUES);
        values.ok_or_else(|| {
            Error::argument("m", self.m, format!("with K = {} that is more than {MOST_VALUES} values", self.k))
        })
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
        StatsCommand::PowerToP { power, averaged, trials } => power_to_p(*power, averaged.values()?, *trials),
        StatsCommand::PToPower { p, log10_p, averaged, trials } => {
            let ln_p = p.map_or_else(|| log10_p.unwrap_or(0.0) * LN_10, f64::ln);
            if ln_p >= 0.0 {
                return Err(Error::argument("log10_p", ln_p / LN_10, "must be below 0"));
            }
            json!({
                "power": detection::detection_power(ln_p, averaged.values()?, *trials),
                "log10_p": ln_p / LN_10,
                "log10_p_one_trial": detection::ln_each(ln_p, *trials) / LN_10,
            })
        }
        StatsCommand::Amplitude(amplitude) => amplitude.value()?,
        StatsCommand::Poisson { counts, sigma } => {
            let (lower, upper) = poisson::limits(*counts, *sigma);
            json!({
                "lower": lower, "upper": upper, "error_lower": *counts as f64 - lower,
                "error_upper": upper - *counts as f64, "symmetrical_error": poisson::symmetrical_error(*counts),
                "log10_p_outside": (normal::ln_sf(*sigma)) / LN_10,
            })
        }
    };
    if args.json {
        return crate::terminal::print_json(&value);
    }
    let lines = value.as_object().into_iter().flatten();
    crate::terminal::print(&lines.map(|(name, value)| format!("{name:<24} {value}\n")).collect::<String>())
}

fn power_to_p(power: f64, values: u64, trials: f64) -> Value {
    let one = detection::ln_false_alarm(power, values, 1.0);
    let all = detection::ln_any(one, trials);
    json!({
        "log10_p": all / LN_10, "log10_p_one_trial": one / LN_10, "p": all.exp(), "sigma": normal::ln_isf(all),
    })
}

impl AmplitudeArgs {
    fn value(&self) -> Result<Value> {
        if self.background >= 1.0 {
            return Err(Error::argument("background", self.background, "must be a part of all photons, below 1"));
        }
        let loss = self.freq.zip(self.dt).map_or(1.0, |(f, dt)| pulsed::binning_loss(f, dt));
        let (values, k) = (self.averaged.values()?, self.averaged.k as f64);
        let source = |amplitude: f64| pulsed::source_fraction(amplitude, 1.0, self.background);
        let Some(power) = self.power else {
            let fraction = self.fraction.unwrap_or_default();
            let offset = if self.centred { 1.0 } else { pulsed::MEAN_OFFSET_LOSS };
            return Ok(json!({
                "signal_power": pulsed::power(fraction, self.photons, loss * offset) / k, "rms": pulsed::rms(fraction),
                "source_fraction": source(fraction), "binning_loss": loss, "offset_loss": offset,
            }));
        };
        let limit = if self.centred { detection::signal_upper_limit } else { detection::sinusoid_limit };
        // The signal is in one of K averaged frequencies.
        let fraction = |confidence: f64| pulsed::amplitude(k * limit(power, values, confidence), self.photons, loss);
        let (middle, upper) = (fraction(0.5), fraction(self.confidence));
        Ok(json!({
            "fraction": middle, "fraction_lo": fraction(ONE_SIGMA.0), "fraction_hi": fraction(ONE_SIGMA.1),
            "upper_limit": upper, "confidence": self.confidence, "rms": pulsed::rms(middle),
            "source_fraction": source(middle), "source_upper_limit": source(upper), "binning_loss": loss,
            "log10_p_one_trial": detection::ln_false_alarm(power, values, 1.0) / LN_10,
        }))
    }
}

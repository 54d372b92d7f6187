//! `eagleray accel`: pulsations whose frequency drifts.

use clap::Args;

use super::search;
use crate::arguments::device::DeviceArgs;
use crate::arguments::input::InputArgs;
use crate::arguments::output::OutputArgs;
use crate::arguments::par::ParArgs;
use crate::arguments::weights::WeightArgs;
use crate::number::{NumberRange, closed_range, counting, probability, range};
use crate::pictures;
use crate::run::{Computer, Steps};
use eagleray::AccelerationSearch;
use eagleray::Result;
use eagleray::pulsation::AccelOptions;

/// Search for a pulsation whose frequency drifts: matched filters in the Fourier transform, harmonics summed
#[derive(Args, Debug)]
#[command(
    allow_negative_numbers = true,
    after_help = "Example: eagleray accel obs.evt --freq 100:110 --fdot -1e-6:1e-6 -o found.ecsv"
)]
pub struct AccelArgs {
    #[command(flatten)]
    input: InputArgs,
    /// Frequencies, Hz, at the middle of the good time
    #[arg(long, value_name = "LO:HI", value_parser = range)]
    freq: NumberRange,
    /// Range of the frequency's derivative, Hz/s
    #[arg(long, value_name = "LO:HI", value_parser = closed_range, allow_hyphen_values = true)]
    fdot: NumberRange,
    /// Range of the frequency's second derivative, Hz/s² [default: none]
    #[arg(long, value_name = "LO:HI", value_parser = range, allow_hyphen_values = true)]
    fddot: Option<NumberRange>,
    /// The most harmonics summed: 1, 2, 4 or 8; fewer are tried too
    #[arg(long, value_name = "N", value_parser = counting, default_value = "4")]
    nharm: usize,
    /// Take powers over the local level of the noise: for sources with red noise
    #[arg(long)]
    detrend: bool,
    /// Candidates listed
    #[arg(long, value_name = "N", value_parser = counting, default_value = "10")]
    candidates: usize,
    /// Probability that noise reaches the detection level, trials included
    #[arg(long, value_name = "P", value_parser = probability, default_value = "0.01")]
    detection_level: f64,
    #[command(flatten)]
    par: ParArgs,
    #[command(flatten)]
    weights: WeightArgs,
    #[command(flatten)]
    device: DeviceArgs,
    #[command(flatten)]
    output: OutputArgs,
}

/// Runs the command; its picture is that of probability by frequency and derivative.
///
/// # Errors
/// Everything that the library refuses.
pub fn run(args: AccelArgs) -> Result<()> {
    let out = &args.output;
    let device = args.weights.device(&args.device, out)?;
    out.check(&[], &[])?;
    let observation = args.weights.observation(&args.input, out)?;
    let asked = AccelOptions {
        freq: (args.freq.lo, args.freq.hi),
        fdot: (args.fdot.lo, args.fdot.hi),
        fddot: args.fddot.map_or((0.0, 0.0), |range| (range.lo, range.hi)),
        nharm: args.nharm,
        detrend: args.detrend,
        candidates: args.candidates,
        false_alarm: args.detection_level,
    };
    let mut analysis = AccelerationSearch::default().search(asked);
    analysis.ephemeris = args.par.read()?;
    let found = Computer::new(&device, out.manners(), Steps::Trials)?.compute(&analysis, &observation)?.product;
    search::deliver(&found, out, &|path| pictures::pulsation::search_map(&found, path, out.overwrite), &[])
}

//! `eagleray multitaper`: power spectra averaged over tapers.

use clap::Args;

use super::lomb_scargle::deliver;
use crate::arguments::device::DeviceArgs;
use crate::arguments::input::InputArgs;
use crate::arguments::output::OutputArgs;
use crate::arguments::spectrum::{SpectrumArgs, noise_level};
use crate::number::{counting, number, positive};
use crate::run::{Computer, Steps};
use eagleray::science::NoiseLevel;
use eagleray::science::multitaper::TaperOptions;
use eagleray::{Combine, Result};
use eagleray::{Multitaper, PowerSpectrum};

/// Multitaper power spectrum
#[derive(Args, Debug)]
#[command(
    allow_negative_numbers = true,
    after_help = "Example: eagleray multitaper obs.evt --dt 1/64 --segment-size 64 --jackknife -o pds.ecsv"
)]
pub struct MultitaperArgs {
    #[command(flatten)]
    input: InputArgs,
    #[command(flatten)]
    spectrum: SpectrumArgs,
    /// Half bandwidth NW, in frequency steps of a segment
    #[arg(long, value_name = "NW", value_parser = positive, default_value = "4")]
    half_bandwidth: f64,
    /// Tapers [default: 2NW, those of a concentration above 0.9]
    #[arg(long, value_name = "K", value_parser = counting)]
    tapers: Option<usize>,
    /// Weigh tapers at each frequency by the power there (Thomson 1982)
    #[arg(long)]
    adaptive: bool,
    /// Errors by the jackknife over tapers
    #[arg(long)]
    jackknife: bool,
    /// Background in the mean rate, counts/s
    #[arg(long, value_name = "RATE", value_parser = number, default_value = "0")]
    background: f64,
    /// Noise level: that of Poisson counts, a value in the normalisation of the powers, the mean power from LO to HI Hz, or none
    #[arg(long, value_name = "poisson|VALUE|LO:HI|none", value_parser = noise_level, default_value = "poisson")]
    noise: NoiseLevel,
    /// Subtract the noise level from the powers
    #[arg(long)]
    subtract_noise: bool,
    #[command(flatten)]
    output: OutputArgs,
}

/// Runs the command.
///
/// # Errors
/// Everything that the library refuses.
pub fn run(args: MultitaperArgs) -> Result<()> {
    args.output.check(&[], &[])?;
    let MultitaperArgs { half_bandwidth, tapers, adaptive, jackknife, .. } = args;
    let rebin = args.spectrum.rebinning();
    rebin.ranges(1)?;
    let mut spectrum = PowerSpectrum::default()
        .norm(args.spectrum.norm)
        .use_common_mean(args.spectrum.use_common_mean)
        .rebin(rebin)
        .background(args.background)
        .noise(args.noise)
        .subtract_noise(args.subtract_noise)
        .min_fracexp(args.spectrum.min_fracexp);
    spectrum.segmentation = args.spectrum.segmentation();
    let tapers = TaperOptions { half_bandwidth, tapers, adaptive, jackknife };
    let analysis = Multitaper::default().spectrum(spectrum).tapers(tapers);
    let observation = args.input.observation(false, &mut |text| args.output.say(text))?;
    if args.input.combine == Some(Combine::Merge) && observation.files().len() > 1 && args.background != 0.0 {
        args.output.say("the background is that of all merged files together");
    }
    let computer =
        Computer::new(&DeviceArgs::cpu(), args.output.manners(), Steps::Sums)?.chunk_events(args.spectrum.chunk_events);
    let spectrum = computer.compute(&analysis, &observation)?.product;
    // Adaptive weights leave another number of values in each bin, which no line shows.
    deliver(&spectrum, &args.output, None)
}

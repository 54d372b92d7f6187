//! `eagleray multitaper`: power spectra averaged over tapers.

use clap::Args;

use super::lomb_scargle::deliver;
use crate::arguments::input::{InputArgs, OpenedInputs};
use crate::arguments::output::{OutputArgs, with_bar};
use crate::arguments::spectrum::{SpectrumArgs, noise_level};
use crate::number::{counting, number, positive};
use eagleray::engine::{
    Combine, LightCurveSpectrumOptions, PowerSpectrumOptions, multitaper_of_events, multitaper_of_light_curve,
};
use eagleray::science::NoiseLevel;
use eagleray::science::multitaper::TaperOptions;
use eagleray::science::power::PowerOptions;
use eagleray::{Error, Result, Warnings};

/// Options of `multitaper`.
#[derive(Args, Debug)]
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
    args.output.check(&args.input, &[], &[])?;
    let MultitaperArgs { half_bandwidth, tapers, adaptive, jackknife, .. } = args;
    let tapers = TaperOptions { half_bandwidth, tapers, adaptive, jackknife };
    let SpectrumArgs { dt, segment_size, norm, use_common_mean, compat, min_fracexp, chunk_events, .. } = args.spectrum;
    if !use_common_mean || compat.is_some() {
        let message = "tapers have the common mean and this program's own rules";
        let field = if use_common_mean { "compat" } else { "use_common_mean" };
        return Err(Error::argument(field, "", message));
    }
    let rebin = args.spectrum.rebinning();
    rebin.ranges(1)?;
    let (background, noise, subtract_noise) = (args.background, args.noise, args.subtract_noise);
    let power = PowerOptions { norm, use_common_mean, rebin, background, noise, subtract_noise };
    let mut warnings = Warnings::default();
    let spectrum = match args.input.open_any(false, &mut warnings)? {
        OpenedInputs::Series(series) => {
            let series = super::pds_light_curve::coarser(*series, dt)?;
            let options = LightCurveSpectrumOptions { segment_size, min_fracexp, power };
            multitaper_of_light_curve(&series, &options, &tapers, warnings)?
        }
        OpenedInputs::Events(files) => {
            let (inputs, combine) = args.input.unread_inputs(&files, &mut |text| args.output.say(&text))?;
            if combine == Combine::Merge && inputs.len() > 1 && background != 0.0 {
                args.output.say("the background is that of all merged files together");
            }
            let options =
                PowerSpectrumOptions { dt, segment_size, combine, power, compat_stingray: false, chunk_events };
            with_bar(!args.output.quiet, |progress| {
                multitaper_of_events(inputs, &options, &tapers, warnings, progress)
            })?
        }
    };
    // Adaptive weights leave another number of values in each bin, which no line shows.
    deliver(&spectrum, &args.output, None)
}

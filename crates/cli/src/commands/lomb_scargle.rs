//! `eagleray ls`: Lomb-Scargle power and cross spectra of series with gaps.

use clap::Args;

use super::significance;
use crate::arguments::choice::choice;
use crate::arguments::device::DeviceArgs;
use crate::arguments::input::{InputArgs, seconds};
use crate::arguments::output::{Delivery, OutputArgs};
use crate::number::{NumberRange, counting, number, positive, range};
use crate::pictures::axes;
use crate::pictures::cross::cross_powers;
use crate::run::{Computer, Steps};
use eagleray::Observation;
use eagleray::data::Product;
use eagleray::internal::text::{ShortNumber, count};
use eagleray::science::lomb_scargle::{LombScargleMethod, LombScargleOptions};
use eagleray::science::{AveragedPowerSpectrum, Norm, Rebin};
use eagleray::{Binning, LombScargle, LombScargleCross};
use eagleray::{Error, Result};

/// Probability of a false alarm that detections may have.
const FALSE_ALARM: f64 = 0.01;

/// Lomb-Scargle power or cross spectrum of light curves with gaps
#[derive(Args, Debug)]
#[command(
    allow_negative_numbers = true,
    after_help = "Example: eagleray ls curve.fits --freq 0.001:0.1 -o ls.ecsv --plot ls.svg"
)]
pub struct LsArgs {
    #[command(flatten)]
    input: InputArgs,
    /// A second file, the reference: the cross spectrum of FILE, the subject, with it; positive lags say that the subject is late
    #[arg(long = "ref", value_name = "FILE")]
    reference: Option<std::path::PathBuf>,
    /// Bin width, s [default: of a light curve, its own; of events, as for lc]
    #[arg(long, value_name = "S", value_parser = seconds)]
    dt: Option<f64>,
    /// Normalisation
    #[arg(long, default_value = "leahy", value_parser = choice::<Norm>())]
    norm: Norm,
    /// Frequencies, Hz [default: one step to 1/(2 dt)]
    #[arg(long, value_name = "LO:HI", value_parser = range)]
    freq: Option<NumberRange>,
    /// Frequencies for each independent one: steps of 1/(K times the span)
    #[arg(long, value_name = "K", value_parser = positive, default_value = "1")]
    oversample: f64,
    /// Fit a constant at each frequency, beside the sinusoid
    #[arg(long, value_name = "BOOL", default_value_t = true, action = clap::ArgAction::Set)]
    floating_mean: bool,
    /// Weight bins by their errors
    #[arg(long)]
    weighted: bool,
    /// Sums by definition instead of the fast transform: exact, and slow
    #[arg(long)]
    direct: bool,
    /// Average this many frequencies into one
    #[arg(long, value_name = "N", value_parser = counting, conflicts_with = "rebin_log")]
    rebin: Option<usize>,
    /// Average frequencies into bins whose widths grow by 1+F
    #[arg(long, value_name = "F", value_parser = number)]
    rebin_log: Option<f64>,
    /// Bins with less of their time exposed count as missing
    #[arg(long, value_name = "F", value_parser = number, default_value = "0.9")]
    min_fracexp: f64,
    #[command(flatten)]
    output: OutputArgs,
}

impl LsArgs {
    fn options(&self) -> LombScargleOptions {
        LombScargleOptions {
            norm: self.norm,
            min_freq: self.freq.map(|band| band.lo).filter(|lo| *lo > 0.0),
            max_freq: self.freq.map(|band| band.hi),
            oversample: self.oversample,
            floating_mean: self.floating_mean,
            weighted: self.weighted,
            method: if self.direct { LombScargleMethod::Direct } else { LombScargleMethod::Fast },
        }
    }
}

/// Runs the command.
///
/// # Errors
/// Everything that the library refuses.
pub fn run(args: LsArgs) -> Result<()> {
    let output = &args.output;
    output.check(&[], &[])?;
    if !(0.0..=1.0).contains(&args.min_fracexp) {
        return Err(Error::argument("min_fracexp", args.min_fracexp, "must be between 0 and 1"));
    }
    let rebin = match (args.rebin, args.rebin_log) {
        (Some(by), _) => Rebin::Linear(by),
        (None, Some(growth)) => Rebin::Geometric(growth),
        (None, None) => Rebin::None,
    };
    rebin.ranges(1)?;
    let computer = Computer::new(&DeviceArgs::cpu(), output.manners(), Steps::Sums)?;
    let observation = args.input.observation(false, &mut |text| output.say(text))?;
    let mut analysis = LombScargle::default().spectrum(args.options()).rebin(rebin).min_fracexp(args.min_fracexp);
    analysis.dt = args.dt;
    if let Some(reference) = &args.reference {
        return cross(&args, &computer, &observation, reference, analysis);
    }
    deliver(&computer.compute(&analysis, &observation)?.product, output, Some(FALSE_ALARM))
}

/// Table, picture and summary of a spectrum that no device made; the picture has the level of so rare a false alarm.
pub(super) fn deliver(spectrum: &AveragedPowerSpectrum, output: &OutputArgs, detection: Option<f64>) -> Result<()> {
    let draw = |path: &str| {
        let style = axes::Style { y: axes::PlotY::Power, harmonics: None, detection };
        axes::power_spectrum(spectrum, style, path, output.overwrite)
    };
    output.deliver(
        &Delivery {
            write: &|path| spectrum.write(path, output.overwrite),
            draw: &draw,
            json: &|| significance::summary_json(spectrum, FALSE_ALARM),
            text: &|| significance::summary(spectrum, FALSE_ALARM),
        },
        &[],
    )
}

fn cross(
    args: &LsArgs,
    computer: &Computer,
    observation: &Observation,
    reference: &std::path::Path,
    analysis: LombScargle,
) -> Result<()> {
    let output = &args.output;
    let other = args.input.observe(&[reference.to_path_buf()], false, &mut |text| output.say(text))?;
    // One may be a light curve, and the other events.
    let mut binning = Binning::default();
    binning.dt = args.dt;
    let curve = |of: &Observation| computer.session().run(&binning, of).map(|made| Observation::light_curves([made]));
    let pair = Observation::pair(curve(observation)?, curve(&other)?)?;
    let made = computer.compute(&LombScargleCross::new(analysis), &pair)?.product;
    let text = || {
        let step = made.width.first().copied().unwrap_or(0.0);
        format!(
            "Lomb-Scargle cross spectrum of {} of the subject: bins of {} Hz from {} Hz on; {}\nphotons of both: {}\n",
            count(made.meta.n as u64, "bin"),
            ShortNumber(step),
            ShortNumber(made.freq.first().copied().unwrap_or(0.0)),
            eagleray::science::cross::LAG_SIGN,
            made.meta.record.photons
        )
    };
    let draw = |path: &str| cross_powers(&made, path, output.overwrite);
    let write = |path: &str| made.write(path, output.overwrite);
    output.deliver(&Delivery { write: &write, draw: &draw, json: &|| made.metadata(), text: &text }, &[])
}

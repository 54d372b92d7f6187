//! `eagleray pds`: the averaged power spectrum of event files.

use clap::Args;

use super::{light_curves, significance};
use crate::arguments::device::DeviceArgs;
use crate::arguments::input::{InputArgs, seconds};
use crate::arguments::output::{Delivery, OutputArgs};
use crate::arguments::spectrum::{DeadTimeArgs, SpectrumArgs, noise_level};
use crate::files::same_place;
use crate::number::{NumberRange, number, probability, range};
use crate::pictures::axes::{self, PlotY};
use crate::plan_text::describe;
use crate::run::{Computed, Computer, Steps, report};
use eagleray::PowerSpectrum;
use eagleray::files::{XspecFiles, fit_bias};
use eagleray::science::{AveragedPowerSpectrum, NoiseLevel};
use eagleray::{Combine, Result, Warnings};
use eagleray::{Observation, ObservationKind, Session};

/// Averaged power spectrum of event files
#[derive(Args, Debug)]
#[command(
    allow_negative_numbers = true,
    after_help = "Example: eagleray pds obs.evt --energy 3:10 --dt 1/256 --segment-size 64 -o pds.ecsv --plot pds.svg"
)]
pub struct PdsArgs {
    #[command(flatten)]
    input: InputArgs,
    #[command(flatten)]
    pub(super) spectrum: SpectrumArgs,
    /// Background in the mean rate, counts/s: `frac` powers and rms are those of the source alone
    #[arg(long, value_name = "RATE", value_parser = number, default_value = "0")]
    background: f64,
    /// Noise level: that of Poisson counts, a value in the normalisation of the powers, the mean power from LO to HI Hz, or none
    #[arg(long, value_name = "poisson|VALUE|LO:HI|none", value_parser = noise_level, default_value = "poisson")]
    pub(super) noise: NoiseLevel,
    #[command(flatten)]
    dead_time: DeadTimeArgs,
    /// Fractional rms from LO to HI Hz, noise subtracted, or its upper limit (95 %); --use-common-mean says by what segments count in it
    #[arg(long, value_name = "LO:HI", value_parser = range)]
    pub(super) rms: Option<NumberRange>,
    /// Upper limit (95 %) of the pulsed fraction of a sinusoid from LO to HI Hz, and the fraction itself where one is detected
    #[arg(long, value_name = "LO:HI", value_parser = range)]
    pub(super) pulsed_limit: Option<NumberRange>,
    /// Draw the power that white noise reaches with this probability, trials included; the summary has it [default: 0.01]
    #[arg(long, value_name = "P", value_parser = probability)]
    pub(super) detection_level: Option<f64>,
    /// Add columns power_lo and power_hi: 68.27 % intervals of the averaged powers
    #[arg(long)]
    intervals: bool,
    /// Add column log10_p: the probability that noise reaches the power of a bin, one trial
    #[arg(long)]
    probabilities: bool,
    /// Subtract the noise level from the powers
    #[arg(long)]
    subtract_noise: bool,
    #[command(flatten)]
    pub(super) device: DeviceArgs,
    /// Table of the spectrum: .ecsv, .csv, .json or .fits, or .pha as for --xspec; - is standard output
    #[arg(short, long, value_name = "FILE")]
    output: Option<String>,
    /// STEM.pha and STEM.rsp for XSPEC: power times bin width over frequency (Hz for keV), and a diagonal response
    #[arg(long, value_name = "STEM")]
    xspec: Option<String>,
    /// Picture of the spectrum: .svg or .png
    #[arg(long, value_name = "FILE")]
    plot: Option<String>,
    /// What the picture shows: power, or frequency times power
    #[arg(long, value_enum, default_value = "power")]
    plot_y: PlotY,
    /// Mark the multiples of this frequency, Hz, in the picture
    #[arg(long, value_name = "HZ", value_parser = seconds, requires = "plot")]
    plot_harmonics: Option<f64>,
    /// Replace existing outputs
    #[arg(long)]
    overwrite: bool,
    /// Summary as JSON on standard output
    #[arg(long)]
    pub(super) json: bool,
    /// No progress, summary or warnings
    #[arg(long)]
    pub(super) quiet: bool,
    /// Warnings are errors
    #[arg(long)]
    pub(super) strict: bool,
    /// Only the plan: segments, exposure used and lost, memory
    #[arg(long)]
    pub(super) dry_run: bool,
}

/// Probability within one standard deviation of a normal distribution.
const ONE_SIGMA: f64 = 0.682_689_492_137_085_9;

/// Default of `--detection-level`.
const FALSE_ALARM: f64 = 0.01;

impl PdsArgs {
    /// The analysis of an observation.
    fn analysis(&self, observation: &Observation) -> PowerSpectrum {
        let merged = self.input.combine == Some(Combine::Merge);
        let detectors = if merged { observation.files().len() } else { 1 };
        let mut made = PowerSpectrum::default()
            .norm(self.spectrum.norm)
            .use_common_mean(self.spectrum.use_common_mean)
            .rebin(self.spectrum.rebinning())
            .background(self.background)
            .noise(self.dead_time.noise(self.noise, detectors))
            .subtract_noise(self.subtract_noise)
            .min_fracexp(self.spectrum.min_fracexp);
        made.segmentation = self.spectrum.segmentation();
        made
    }

    /// The probability of a false alarm that detections may have.
    pub(super) fn false_alarm(&self) -> f64 {
        self.detection_level.unwrap_or(FALSE_ALARM)
    }

    /// What is written and said; a .pha is no table.
    fn out(&self) -> OutputArgs {
        OutputArgs {
            output: self.output.clone().filter(|path| !path.ends_with(".pha")),
            plot: self.plot.clone(),
            overwrite: self.overwrite,
            json: self.json,
            quiet: self.quiet,
            strict: self.strict,
        }
    }

    /// The files for XSPEC, by either option.
    fn xspec_files(&self) -> impl Iterator<Item = XspecFiles> {
        let pha = self.output.as_deref().filter(|path| path.ends_with(".pha"));
        let (pha, stem) = (pha.map(XspecFiles::from_stem), self.xspec.as_deref().map(XspecFiles::from_stem));
        // Both may name the same two files.
        let stem = stem.filter(|stem| pha.as_ref().is_none_or(|pha| !same_place(&pha.pha, &stem.pha)));
        [pha, stem].into_iter().flatten()
    }

    /// What can be refused before any work is done.
    fn check(&self) -> Result<()> {
        self.device.check()?;
        self.xspec_files().try_for_each(|files| files.check(self.overwrite))?;
        self.out().check(&[], &[])?;
        self.spectrum.rebinning().ranges(1).map(|_| ())
    }

    /// Measurements, warnings, table, picture and summary, as asked for.
    ///
    /// `told` are warnings that were printed before.
    pub(super) fn deliver(&self, mut spectrum: AveragedPowerSpectrum, told: &Warnings) -> Result<()> {
        significance::measure(&mut spectrum, self)?;
        if self.intervals {
            spectrum.add_intervals(ONE_SIGMA);
        }
        if self.probabilities {
            spectrum.add_probabilities();
        }
        let mut said = spectrum.meta.record.warnings.except(told);
        if self.xspec_files().next().is_some() {
            // It is about these files, not about the spectrum.
            fit_bias(&spectrum).into_iter().for_each(|warning| said.record(warning));
        }
        report(&said, self.strict, self.quiet)?;
        let draw = |path: &str| {
            let style = axes::Style { y: self.plot_y, harmonics: self.plot_harmonics, detection: self.detection_level };
            axes::power_spectrum(&spectrum, style, path, self.overwrite)
        };
        self.xspec_files().try_for_each(|files| files.write(&spectrum, self.overwrite))?;
        self.out().deliver(
            &Delivery {
                write: &|path| spectrum.write(path, self.overwrite),
                draw: &draw,
                json: &|| significance::summary_json(&spectrum, self.false_alarm()),
                text: &|| significance::summary(&spectrum, self.false_alarm()),
            },
            &[],
        )
    }
}

/// Runs the command.
///
/// # Errors
/// Everything that the library refuses.
pub fn run(args: PdsArgs) -> Result<()> {
    args.check()?;
    let out = args.out();
    let observation = args.input.observation(args.spectrum.compat.is_some(), &mut |text| out.say(text))?;
    let analysis = args.analysis(&observation);
    if args.rms.is_some() || args.pulsed_limit.is_some() || matches!(args.noise, NoiseLevel::Band(..)) {
        // Before a device is opened.
        let planned = Session::cpu()?.check(&analysis, &observation)?;
        significance::check_bands(&args, planned.resolution)?;
    }
    let computer = Computer::new(&args.device, out.manners(), Steps::Events)?.chunk_events(args.spectrum.chunk_events);
    if observation.kind() == ObservationKind::LightCurve && !args.quiet {
        let light_curve = observation.light_curve_of_segments(args.spectrum.dt)?;
        crate::terminal::say(&light_curves::describe(&light_curve));
    }
    if args.dry_run {
        let plan = computer.plan(&analysis, &observation)?;
        return crate::terminal::print(&describe(&plan, args.json));
    }
    let Computed { product, told } = computer.compute(&analysis, &observation)?;
    args.deliver(product, &told)
}

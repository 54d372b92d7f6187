//! `eagleray cs`: averaged cross spectra, lags and coherence, and spectra of two detectors corrected for dead time.

use clap::Args;

use crate::arguments::device::DeviceArgs;
use crate::arguments::input::{InputArgs, band_in_words, not_negative};
use crate::arguments::output::{Delivery, OutputArgs, with};
use crate::arguments::spectrum::{DeadTimeArgs, SpectrumArgs, noise_level};
use crate::device_choice::BackendArg;
use crate::number::{NumberRange, closed_range, positive, range};
use crate::pictures;
use crate::pictures::cross::{LagKind, PowerType};
use crate::plan_text::describe;
use crate::run::{Computer, Steps};
use eagleray::data::Product;
use eagleray::error::Mend;
use eagleray::internal::text::{ShortNumber, count};
use eagleray::science::{AveragedCrossSpectrum, CrossOptions, FadOptions, FadSpectrum, NoiseLevel};
use eagleray::{AmplitudeDifference, CrossSpectrum};
use eagleray::{Analysis, Observation, ObservationKind, PhotonBand};
use eagleray::{Error, Result};

/// Averaged cross spectrum of two bands or of two files: lags and coherence
#[derive(Args, Debug)]
#[command(
    allow_negative_numbers = true,
    after_help = "Example: eagleray cs obs.evt --subject 5:10 --ref 2:5 --dt 1/64 --rebin-log 0.1 -o lags.ecsv --plot lags.svg"
)]
pub struct CsArgs {
    #[command(flatten)]
    input: InputArgs,
    /// Band of the subject in keV, LO <= E < HI; a positive lag says that the subject is late
    #[arg(long, value_name = "LO:HI", value_parser = range, requires = "reference")]
    subject: Option<NumberRange>,
    /// Band of the reference in keV; a photon of both bands leaves the reference, or the subject when it holds the reference
    #[arg(long = "ref", id = "reference", value_name = "LO:HI", value_parser = range, requires = "subject")]
    reference: Option<NumberRange>,
    /// Channels of the subject, both included, where energies are not known
    #[arg(long, value_name = "LO:HI", value_parser = closed_range, requires = "ref_pi", conflicts_with = "subject")]
    subject_pi: Option<NumberRange>,
    /// Channels of the reference, both included
    #[arg(long, value_name = "LO:HI", value_parser = closed_range, requires = "subject_pi")]
    ref_pi: Option<NumberRange>,
    #[command(flatten)]
    spectrum: SpectrumArgs,
    /// Background in the mean rates of subject and reference, counts/s
    #[arg(long, value_name = "RATE[,RATE]", value_delimiter = ',', value_parser = not_negative)]
    background: Vec<f64>,
    /// Noise levels of the powers of subject and reference, or one for both: that of Poisson counts, a value in the
    /// normalisation of the powers, the mean power from LO to HI Hz, or none
    #[arg(long, value_name = "poisson|VALUE|LO:HI|none[,…]", value_parser = noise_level, value_delimiter = ',', default_value = "poisson")]
    noise: Vec<NoiseLevel>,
    #[command(flatten)]
    dead_time: DeadTimeArgs,
    /// Correct two detectors' spectra for dead time by the difference of their Fourier amplitudes (Bachetti & Huppenkothen 2018):
    /// powers of each and of both together, and their co-spectrum; each segment is normalised by its own photons, on the CPU
    #[arg(long, conflicts_with_all = ["subject", "subject_pi", "background", "noise", "dead_time", "fullspec"])]
    fad: bool,
    /// Standard deviation of the Gaussian that smooths the differences, Hz
    #[arg(long, value_name = "HZ", value_parser = positive, default_value = "3", requires = "fad")]
    fad_smoothing: f64,
    /// All frequencies, in the order of fftfreq: zero, positive, and negative ones, which mirror the positive
    #[arg(long)]
    fullspec: bool,
    #[command(flatten)]
    device: DeviceArgs,
    #[command(flatten)]
    out: OutputArgs,
    /// What of the cross spectrum the picture shows: its modulus, its real part (the co-spectrum), or both parts
    #[arg(long, value_enum, default_value = "absolute")]
    power_type: PowerType,
    /// Which lag the picture shows
    #[arg(long, value_enum, default_value = "time")]
    plot_lag: LagKind,
    /// Only the plan: segments, exposure used and lost, memory
    #[arg(long)]
    dry_run: bool,
}

/// What two numbers on the command line mean: one for both, or one each.
fn each<T: Copy>(given: &[T], field: &str, message: &str) -> Result<[T; 2]> {
    match given {
        [subject, reference] => Ok([*subject, *reference]),
        _ => Err(Error::argument(field, count(given.len() as u64, "value"), message)),
    }
}

impl CsArgs {
    fn cross(&self) -> Result<CrossOptions> {
        let rebin = self.spectrum.rebinning();
        rebin.ranges(1)?;
        let background = match self.background[..] {
            [] => [0.0; 2],
            ref rates => each(rates, "background", "give one rate for the subject and one for the reference")?,
        };
        let noise = match self.noise[..] {
            [both] => [both; 2],
            ref levels => each(levels, "noise", "give one level for both powers, or one for each")?,
        };
        let noise = noise.map(|level| self.dead_time.noise(level, 1));
        let SpectrumArgs { norm, use_common_mean, .. } = self.spectrum;
        Ok(CrossOptions { norm, use_common_mean, rebin, background, noise, fullspec: self.fullspec })
    }

    /// The bands of subject and reference.
    fn bands(&self) -> Option<[PhotonBand; 2]> {
        bands([self.subject, self.reference], [self.subject_pi, self.ref_pi])
    }

    fn analysis(&self) -> Result<CrossSpectrum> {
        let mut made = CrossSpectrum::default().min_fracexp(self.spectrum.min_fracexp);
        (made.bands, made.segmentation, made.cross) = (self.bands(), self.spectrum.segmentation(), self.cross()?);
        Ok(made)
    }

    fn amplitude_difference(&self) -> AmplitudeDifference {
        let (norm, rebin, smoothing) = (self.spectrum.norm, self.spectrum.rebinning(), self.fad_smoothing);
        let fad = FadOptions { norm, rebin, smoothing, compat_stingray: self.spectrum.compat.is_some() };
        let mut made = AmplitudeDifference::default().fad(fad);
        made.segmentation = self.spectrum.segmentation();
        made
    }

    fn check(&self) -> Result<()> {
        self.device.check()?;
        self.cross()?;
        if self.fad && (self.device.backend == BackendArg::Gpu || !self.device.adapter.is_empty()) {
            let message = "needs the amplitudes of each segment, which no GPU keeps";
            return Err(Error::argument("fad", "", message).mended_by([Mend::set("backend", "cpu")]));
        }
        self.out.check(&[], &[])
    }

    /// Amplitude differences are the CPU's, whatever else there is.
    fn device(&self) -> DeviceArgs {
        let backend = if self.fad { BackendArg::Cpu } else { self.device.backend };
        DeviceArgs { backend, ..self.device.clone() }
    }
}

/// The bands of subject and reference by energy, or else by channel.
pub(super) fn bands(energies: [Option<NumberRange>; 2], channels: [Option<NumberRange>; 2]) -> Option<[PhotonBand; 2]> {
    let both = |[subject, reference]: [Option<NumberRange>; 2], of: fn(f64, f64) -> PhotonBand| {
        subject.zip(reference).map(|(s, r)| [of(s.lo, s.hi), of(r.lo, r.hi)])
    };
    both(energies, PhotonBand::Energy).or(both(channels, PhotonBand::Channels))
}

/// What is compared: two bands of all files, or two files.
pub(super) fn observation(
    input: &InputArgs,
    bands: Option<[PhotonBand; 2]>,
    compat_stingray: bool,
    say: &mut dyn FnMut(&str),
) -> Result<Observation> {
    let Some(bands) = bands else { return input.pair(compat_stingray, say) };
    let made = input.observation(compat_stingray, say)?;
    if made.kind() == ObservationKind::LightCurve {
        return Err(Error::argument("subject", "", "a light curve has no events to select"));
    }
    let mut analysis = CrossSpectrum::default();
    analysis.bands = Some(bands);
    analysis.overlap().iter().for_each(|text| say(text));
    let [subject, reference] = analysis.bands_in_use()?.unwrap_or(bands);
    for file in made.files() {
        for (band, field) in [(reference, ("reference", "ref_pi")), (subject, ("subject", "subject_pi"))] {
            if let PhotonBand::Energy(lo, hi) = band {
                say(&band_in_words(file, lo, hi, &band.channels(file, field)?));
            }
        }
    }
    Ok(made)
}

/// Says what two light curves are.
pub(super) fn describe_light_curves(observation: &Observation, dt: Option<f64>, out: &OutputArgs) -> Result<()> {
    if observation.kind() == ObservationKind::LightCurvePair && !out.quiet {
        let [subject, reference] = observation.pair_of_light_curves()?;
        let [subject, reference] = [subject.coarser(dt)?, reference.coarser(dt)?];
        let describe = super::light_curves::describe;
        crate::terminal::say(&format!("subject: {}\nreference: {}", describe(&subject), describe(&reference)));
    }
    Ok(())
}

/// Runs the command.
///
/// # Errors
/// Everything that the library refuses.
pub fn run(args: CsArgs) -> Result<()> {
    args.check()?;
    let say = &mut |text: &str| args.out.say(text);
    let observation = observation(&args.input, args.bands(), args.spectrum.compat.is_some(), say)?;
    describe_light_curves(&observation, args.spectrum.dt, &args.out)?;
    let computer =
        Computer::new(&args.device(), args.out.manners(), Steps::Events)?.chunk_events(args.spectrum.chunk_events);
    if args.fad {
        let analysis = args.amplitude_difference();
        if args.dry_run {
            return dry_run(&args, &computer, &analysis, &observation);
        }
        let spectrum = computer.compute(&analysis, &observation)?.product;
        return args.out.deliver(
            &Delivery {
                write: &|path| spectrum.write(path, args.out.overwrite),
                draw: &|path| pictures::cross::fad(&spectrum, path, args.out.overwrite),
                json: &|| with(spectrum.metadata(), [("frequencies", spectrum.freq.len().into())]),
                text: &|| fad_summary(&spectrum),
            },
            &[],
        );
    }
    let analysis = args.analysis()?;
    if args.dry_run {
        return dry_run(&args, &computer, &analysis, &observation);
    }
    let spectrum = computer.compute(&analysis, &observation)?.product;
    args.out.deliver(
        &Delivery {
            write: &|path| spectrum.write(path, args.out.overwrite),
            draw: &|path| {
                let (power, lag) = (args.power_type, args.plot_lag);
                pictures::cross::cross_spectrum(&spectrum, power, lag, path, args.out.overwrite)
            },
            json: &|| with(spectrum.metadata(), [("frequencies", spectrum.len().into())]),
            text: &|| summary(&spectrum),
        },
        &[],
    )
}

fn dry_run<A: Analysis>(args: &CsArgs, computer: &Computer, analysis: &A, observation: &Observation) -> Result<()> {
    let plan = computer.plan(analysis, observation)?;
    crate::terminal::print(&describe(&plan, args.out.json))
}

fn summary(spectrum: &AveragedCrossSpectrum) -> String {
    let meta = &spectrum.meta;
    let mut text = format!(
        "{}{} of {} s ({} of {} s), {:.2} photons of the subject and {:.2} of the reference each; {} on {}\nphotons of both: {}\n",
        count(meta.segments, "segment"),
        super::significance::worth(meta.effective.m_eff, meta.segments),
        ShortNumber(meta.segment_size),
        count(meta.n as u64, "bin"),
        ShortNumber(meta.dt),
        meta.nphots1,
        meta.nphots2,
        meta.record.device.backend,
        meta.record.device.adapter,
        meta.record.photons
    );
    // The surest lag stands for all.
    let surest = (0..spectrum.len())
        .filter(|&k| spectrum.lag_phase_err[k].is_finite())
        .min_by(|&a, &b| spectrum.lag_phase_err[a].total_cmp(&spectrum.lag_phase_err[b]));
    if let Some(k) = surest {
        text += &format!(
            "surest lag at {:.6} Hz: {:.5} ± {:.5} rad, {:.3e} ± {:.1e} s ({}); raw coherence {:.4} ± {:.4}, {}\n",
            spectrum.freq[k],
            spectrum.lag_phase[k],
            spectrum.lag_phase_err[k],
            spectrum.lag_time[k],
            spectrum.lag_time_err[k],
            meta.lag_sign,
            spectrum.coherence_raw[k],
            spectrum.coherence_raw_err[k],
            chance(spectrum, k)
        );
    }
    text
}

/// How often independent channels are as coherent in any of the bins: `|C|²/(P1P2)` of values worth M is above x with `(1 − x)^(M − 1)`.
fn chance(spectrum: &AveragedCrossSpectrum, k: usize) -> String {
    let part = spectrum.power_re[k].hypot(spectrum.power_im[k]).powi(2) / (spectrum.power1[k] * spectrum.power2[k]);
    let worth = spectrum.m[k] as f64 / spectrum.meta.segments as f64 * spectrum.meta.effective.m_eff;
    let single = (worth - 1.0) * (-part.min(1.0)).ln_1p() / std::f64::consts::LN_10;
    let any = single + (spectrum.len() as f64).log10();
    match any >= -1.0 {
        true => format!("no more than chance: the largest of {} bins", spectrum.len()),
        false => format!("by chance in one of {} bins with log10 p = {any:.1}", spectrum.len()),
    }
}

fn fad_summary(spectrum: &FadSpectrum) -> String {
    let meta = &spectrum.meta;
    let mean = |values: &[f64]| ShortNumber(values.iter().sum::<f64>() / values.len() as f64);
    format!(
        "{} of {} s ({} of {} s), {:.2} and {:.2} photons each; {} on {}\nphotons of both: {}\n\
         corrected by amplitude differences, smoothed over {}; their scatter is off by {:+.2} %\n\
         mean powers {} and {}, of both together {}; noise levels {}, {} and {}; mean co-spectrum {}\n",
        count(meta.segments, "segment"),
        ShortNumber(meta.segment_size),
        count(meta.n as u64, "bin"),
        ShortNumber(meta.dt),
        meta.nphots1,
        meta.nphots2,
        meta.record.device.backend,
        meta.record.device.adapter,
        meta.record.photons,
        count(meta.fad_smoothing as u64, "frequency bin"),
        100.0 * meta.fad_delta,
        mean(&spectrum.power1),
        mean(&spectrum.power2),
        mean(&spectrum.power_total),
        ShortNumber(meta.noise1),
        ShortNumber(meta.noise2),
        ShortNumber(meta.noise_total),
        mean(&spectrum.power_re),
    )
}

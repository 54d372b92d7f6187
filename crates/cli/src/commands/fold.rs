//! `eagleray fold`: the pulse profile of a known frequency.

use clap::{ArgGroup, Args};

use super::toas::{self, ToaArgs};
use crate::arguments::device::DeviceArgs;
use crate::arguments::input::{InputArgs, band_in_words};
use crate::arguments::output::{Delivery, OutputArgs, with};
use crate::arguments::par::ParArgs;
use crate::arguments::weights::{self, WeightArgs};
use crate::number::{counting, number, positive};
use crate::pictures;
use crate::run::{Computer, Steps, report};
use eagleray::PhotonBand;
use eagleray::data::Product;
use eagleray::internal::text::{Fixed, List, ShortNumber, count};
use eagleray::pulsation::{ProfileBands, PulseProfile};
use eagleray::science::pulsation::fraction::ValueWithError;
use eagleray::time::DoubleDouble;
use eagleray::{Error, Result};
use eagleray::{Fold, FoldInTime, PhaseEpoch};

/// Pulse profile at a known frequency: rates, pulsed fractions, phaseogram, profiles by energy
#[derive(Args, Debug)]
#[command(group = ArgGroup::new("phases").args(["freq", "par"]).required(true))]
#[command(
    allow_negative_numbers = true,
    after_help = "Example: eagleray fold obs.evt --f 6.5961 --nbin 32 -o profile.ecsv --plot profile.svg"
)]
pub struct FoldArgs {
    #[command(flatten)]
    input: InputArgs,
    /// Frequency at the epoch, Hz; all digits count; or give --par
    #[arg(long = "f", visible_alias = "freq", value_name = "F", value_parser = digits, conflicts_with = "par")]
    freq: Option<DoubleDouble>,
    #[command(flatten)]
    par: ParArgs,
    #[command(flatten)]
    weights: WeightArgs,
    /// Its derivative, Hz/s
    #[arg(long, value_name = "D", value_parser = number, default_value = "0", allow_hyphen_values = true, conflicts_with = "par")]
    fdot: f64,
    /// Its second derivative, Hz/s²
    #[arg(long, value_name = "D", value_parser = number, default_value = "0", allow_hyphen_values = true, conflicts_with = "par")]
    fddot: f64,
    /// Where phase is 0: MJD in the frame of the file, or with the suffix s mission seconds [default: the second next to the middle
    /// of the good time, as for `search`]
    #[arg(long, value_name = "MJD", allow_hyphen_values = true, conflicts_with = "par")]
    epoch: Option<String>,
    /// Bins of phase
    #[arg(long, value_name = "N", value_parser = counting, default_value = "32")]
    nbin: usize,
    /// Harmonics of z2 and of the pulsed fraction by Fourier amplitudes
    #[arg(long, value_name = "N", value_parser = counting, default_value = "2")]
    nharm: usize,
    /// Background, counts/s: pulsed fractions are those of the source alone
    #[arg(long, value_name = "RATE", value_parser = number, default_value = "0")]
    background: f64,
    #[command(flatten)]
    device: DeviceArgs,
    #[command(flatten)]
    output: OutputArgs,
    /// Picture of the rate by time and phase: .svg or .png
    #[arg(long, value_name = "FILE")]
    phaseogram: Option<String>,
    /// Stretches of time in it
    #[arg(long, value_name = "N", value_parser = counting, default_value = "64")]
    phaseogram_rows: usize,
    #[command(flatten)]
    toas: ToaArgs,
    /// Edges of energy bands, keV, for --energy-phase
    #[arg(long, value_name = "E0,E1,…", value_delimiter = ',', value_parser = positive, conflicts_with_all = ["energy", "pi"])]
    energies: Vec<f64>,
    /// Profiles of the bands of --energies: .ecsv, .csv, .json or .fits; or as a picture, .svg or .png
    #[arg(long, value_name = "FILE", requires = "energies")]
    energy_phase: Option<String>,
}

/// A decimal with all of its digits, more than one f64 holds; or what else [`number`] takes.
fn digits(text: &str) -> Result<DoubleDouble, String> {
    text.parse().or_else(|_| number(text).map(DoubleDouble::from))
}

fn epoch(text: &str) -> Result<PhaseEpoch> {
    let bad = |message: String| Error::argument("epoch", text, message);
    match text.trim().strip_suffix('s') {
        Some(seconds) => digits(seconds).map_err(bad).map(PhaseEpoch::Seconds),
        None => digits(text).map_err(bad).map(PhaseEpoch::Mjd),
    }
}

impl FoldArgs {
    fn analysis(&self) -> Result<Fold> {
        let mut made = Fold::new(0.0)
            .freq(self.freq.unwrap_or_default())
            .fdot(self.fdot)
            .fddot(self.fddot)
            .nbin(self.nbin)
            .nharm(self.nharm)
            .background(self.background);
        made.epoch = self.epoch.as_deref().map(epoch).transpose()?;
        made.ephemeris = self.par.read()?;
        Ok(made)
    }
}

/// Runs the command.
///
/// # Errors
/// Everything that the library refuses.
pub fn run(args: FoldArgs) -> Result<()> {
    let out = &args.output;
    let device = args.weights.device(&args.device, out)?;
    let picture = |path: &str| path.ends_with(".svg") || path.ends_with(".png");
    let (bands_plot, bands_table) = match args.energy_phase.clone() {
        Some(path) if picture(&path) => (Some(path), None),
        table => (None, table),
    };
    out.check(&[&args.phaseogram, &bands_plot, &args.toas.toa_plot], &[&bands_table])?;
    args.toas.check(out.overwrite)?;
    if args.energies.len() == 1 || !args.energies.windows(2).all(|e| e[0] < e[1]) {
        return Err(Error::argument("energies", List(&args.energies), "must be two edges or more, ascending"));
    }
    let analysis = args.analysis()?;
    let observation = args.weights.observation(&args.input, out)?;
    let computer = Computer::new(&device, out.manners(), Steps::Events)?;
    let mut profile = computer.compute(&analysis, &observation)?.product;
    let of_toas = args.toas.warnings(&profile.meta.record);
    report(&of_toas, out.strict, out.quiet)?;
    profile.meta.record.warnings.extend(of_toas);
    let gram = match &args.phaseogram {
        Some(_) => {
            let in_time = FoldInTime::new(analysis.clone(), args.phaseogram_rows);
            Some(computer.session().run(&in_time, &observation)?)
        }
        None => None,
    };
    let toas = args.toas.find(&computer, &analysis, &observation, &profile)?;
    let without = toas.as_ref().map(toas::none_found).unwrap_or_default();
    report(&without, out.strict, out.quiet)?;
    profile.meta.record.warnings.extend(without);
    let mut bands = Vec::new();
    for edges in args.energies.windows(2) {
        let band = observation.clone().energy(edges[0]..edges[1])?;
        for file in band.files() {
            let range = PhotonBand::Energy(edges[0], edges[1]).channels(file, ("energies", "pi"))?;
            out.say(&band_in_words(file, edges[0], edges[1], &range));
        }
        // What there is to say of the files has been said.
        bands.push((edges[0], edges[1], computer.session().run(&analysis, &band)?));
    }
    let overwrite = out.overwrite;
    let phaseogram = |path: &str| match &gram {
        Some(gram) => pictures::pulsation::phaseogram(&profile, gram, path, overwrite),
        None => Ok(()),
    };
    let write_toas = |path: &str| toas.iter().try_for_each(|toas| toas.write(path, overwrite));
    let draw_toas =
        |path: &str| toas.iter().try_for_each(|toas| pictures::pulsation::residuals(toas, &profile, path, overwrite));
    let json = || match &toas {
        Some(toas) => with(profile.metadata(), [("toas", serde_json::to_value(toas).unwrap_or_default())]),
        None => profile.metadata(),
    };
    let made = Delivery {
        write: &|path| profile.write(path, overwrite),
        draw: &|path| pictures::pulsation::profile(&profile, path, overwrite),
        json: &json,
        text: &|| summary(&profile) + &toas.as_ref().map_or(String::new(), toas::summary),
    };
    out.deliver(
        &made,
        &[
            (&args.phaseogram, &phaseogram),
            (&args.toas.toas, &write_toas),
            (&args.toas.toa_plot, &draw_toas),
            (&bands_table, &|path| ProfileBands { bands: &bands, whole: &profile }.table().write(path, overwrite)),
            (&bands_plot, &|path| pictures::pulsation::bands(&bands, path, overwrite)),
        ],
    )
}

fn summary(profile: &PulseProfile) -> String {
    let meta = &profile.meta;
    let mut text = format!(
        "{} in {} s of good time; epoch {} s{}, ticks of {:e} s\n",
        count(meta.nphots as u64, "event"),
        ShortNumber(meta.exposure_total),
        meta.epoch,
        meta.epoch_mjd.map_or(String::new(), |mjd| format!(" (MJD {mjd:.8})")),
        meta.tick
    );
    text += &format!("photons: {}\n", meta.record.photons);
    text += &weights::summary(meta.weights.as_ref());
    text += &format!(
        "Z²_{} {:.3} (log10 p {}), H {:.3} with {} (log10 p {}), χ² {:.3} of {} (log10 p {}); one trial each\n",
        meta.nharm,
        meta.z2,
        Fixed(meta.z2_log10_p, 2),
        meta.h,
        count(meta.h_harmonics as u64, "harmonic"),
        Fixed(meta.h_log10_p, 2),
        meta.chi2,
        count(meta.chi2_dof as u64, "degree"),
        Fixed(meta.chi2_log10_p, 2)
    );
    if let (Some(z2), Some(h), Some(harmonics)) = (meta.z2_plain, meta.h_plain, meta.h_plain_harmonics) {
        text += &format!(
            "not corrected for the exposure: Z²_{} {z2:.3}, H {h:.3} with {}\n",
            meta.nharm,
            count(harmonics as u64, "harmonic")
        );
    }
    let percent = |m: ValueWithError| format!("{:.3} % ± {:.3} %", 100.0 * m.value, 100.0 * m.error);
    let f = &meta.pulsed_fraction;
    text + &format!(
        "pulsed fraction: (max - min)/(max + min) {}, area {}, rms {}, rms of {} {}\n",
        percent(f.minmax),
        percent(f.area),
        percent(f.rms),
        count(meta.nharm as u64, "harmonic"),
        percent(f.fourier)
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn all_digits_of_a_frequency_count() {
        let f = digits("29.9469231234567").unwrap();
        let rest = f - DoubleDouble::from(29.0) - DoubleDouble::sum(0.9469231234567, 0.0);
        assert!(f.lo != 0.0 && rest.value().abs() < 6e-17, "{rest:?}");
        // All of it: 29.9469231234567e13 is a whole number.
        assert!((f * 1e13 - DoubleDouble::from(299_469_231_234_567.0)).value().abs() < 1e-15);
        assert_eq!(digits("-2.5"), Ok(DoubleDouble::from(-2.5)));
        assert_eq!(digits("1/3"), Ok(DoubleDouble::from(1.0 / 3.0)));
        assert_eq!(digits("7."), Ok(DoubleDouble::from(7.0)));
        assert_eq!(digits("-0.25"), Ok(DoubleDouble::from(-0.25)));
        assert!(digits("a.5").is_err());
        assert_eq!(epoch("50001.5").unwrap(), PhaseEpoch::Mjd(DoubleDouble::from(50_001.5)));
        assert_eq!(epoch("12.25s").unwrap(), PhaseEpoch::Seconds(DoubleDouble::from(12.25)));
        assert!(epoch("x").is_err());
    }
}

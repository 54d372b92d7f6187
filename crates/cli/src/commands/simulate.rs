//! `eagleray simulate`: options to a [`Simulation`].

use std::path::{Path, PathBuf};

use crate::number::{NumberRange, number, positive, range, whole};
use crate::run::report;
use crate::terminal::say;
use eagleray::internal::text::{ShortNumber, count};
use eagleray::missions::{self, Mission};
use eagleray::science::DeadTimeKind;
use eagleray::simulate::{
    BandPair, DeadTime, DeadTimeLength, FrameTime, NegativeRates, PhotonSpectrum, Simulation, SimulationSummary,
    SubjectLag, VariabilityTerm,
};
use eagleray::{Error, Result};

/// Events from which on a file is announced: its size, and with it the time that it takes.
const MANY_EVENTS: f64 = 1e9;

/// Write an event file of a chosen power spectrum, rate, length and mission
#[derive(Clone, Debug, clap::Args)]
#[command(
    allow_negative_numbers = true,
    after_help = "Example: eagleray simulate -o sim.evt --rate 100 --length 1000 --model powerlaw:1:0.2 --seed 7"
)]
pub struct SimulateArgs {
    /// Event file to write
    #[arg(short, long, value_name = "FILE")]
    pub output: PathBuf,
    /// Mission whose files are imitated
    #[arg(long, default_value = "generic", value_parser = mission, value_name = "NAME", help = layouts())]
    pub mission: &'static Mission,
    /// Mean rate in counts/s; with --bands one for both together, or R1,R2
    #[arg(long, default_value = "100", value_delimiter = ',', value_parser = positive, value_name = "R[,R]")]
    pub rate: Vec<f64>,
    /// Length in s, gaps included
    #[arg(long, default_value = "1000", value_parser = positive, value_name = "S")]
    pub length: f64,
    /// Start in mission seconds (default: in the middle of the mission)
    #[arg(long, value_parser = number, value_name = "S", allow_hyphen_values = true)]
    pub tstart: Option<f64>,
    /// Bad times, in s from the start
    #[arg(long, value_delimiter = ',', value_parser = range, value_name = "LO:HI,…", allow_hyphen_values = true)]
    pub gaps: Vec<NumberRange>,
    /// A gap of D s at the end of every period of P s
    #[arg(long, value_parser = period_and_gap, value_name = "P:D")]
    pub gap_every: Option<(f64, f64)>,
    /// Photon spectrum: flat or powerlaw:INDEX, in the mission's usual range or :LO:HI in keV (generic and xte: channels)
    #[arg(long, default_value = "flat", value_parser = energies, value_name = "LAW[:LO:HI]")]
    pub energies: PhotonSpectrum,
    /// Term of the variability, repeatable, terms add up:
    /// white, pulsar:FREQ:PULSED_FRACTION, lorentzian:F0:FWHM:RMS (or Q=… in place of FWHM),
    /// powerlaw:INDEX:RMS or powerlaw:INDEX:RMS:FMIN:FMAX; Hz, rms as a fraction
    #[arg(long, value_parser = term, value_name = "TERM")]
    pub model: Vec<VariabilityTerm>,
    /// Bins of the noise series in s (default: resolves the model)
    #[arg(long, value_parser = positive, value_name = "S")]
    pub dt: Option<f64>,
    /// Negative rates: exp makes the series lognormal with the rms asked for, refuse is an error when they occur. Narrow strong terms (Q of 20, rms of 0.4)
    /// then have power at their harmonics and near 0 Hz, too: the warning W-SIM-SPECTRUM says how much
    #[arg(long, default_value = "exp", value_parser = negative, value_name = "exp|refuse")]
    pub negative: NegativeRates,
    /// Two bands in keV (generic and xte: channels): the first is the subject, the second the reference
    #[arg(long, value_delimiter = ',', value_parser = range, num_args = 1.., value_name = "LO:HI,LO:HI")]
    pub bands: Vec<NumberRange>,
    /// Time lag of the subject in s: positive, the subject (first band) is late
    #[arg(long, value_parser = number, requires = "bands", conflicts_with = "phase_lag", value_name = "S", allow_hyphen_values = true)]
    pub lag: Option<f64>,
    /// Phase lag of the subject in rad, the same at all frequencies
    #[arg(long, value_parser = number, requires = "bands", value_name = "RAD", allow_hyphen_values = true)]
    pub phase_lag: Option<f64>,
    /// Intrinsic coherence of the two bands' noise, 0 to 1 (default 1)
    #[arg(long, value_parser = number, requires = "bands", value_name = "C")]
    pub coherence: Option<f64>,
    /// Resolution of the times: clock (the mission's ticks, or none), mission (its frames), none, or seconds
    #[arg(long, default_value = "clock", value_parser = frame_time, value_name = "S|clock|mission|none")]
    pub frame_time: FrameTime,
    /// Dead time after each event in s, or LO:HI for another one after each, evenly distributed; --rate is what arrives
    #[arg(long, value_parser = dead_time, value_name = "S|LO:HI")]
    pub dead_time: Option<DeadTimeLength>,
    /// Events that arrive in a dead time prolong it, instead of being lost alone
    #[arg(long, requires = "dead_time")]
    pub paralysable: bool,
    /// Seed: the same options and seed give the same bytes
    #[arg(long, default_value_t = 0, value_parser = whole, value_name = "N")]
    pub seed: u64,
    /// Replace an existing output
    #[arg(long)]
    pub overwrite: bool,
}

fn layouts() -> String {
    let mut names: Vec<&str> = missions::imitated().map(|m| m.name).collect();
    let last = names.pop().unwrap_or_default();
    format!("Layout: {} or {last}", names.join(", "))
}

fn mission(text: &str) -> Result<&'static Mission, String> {
    missions::named(text).filter(|m| m.files.is_some()).ok_or_else(|| {
        let names: Vec<&str> = missions::imitated().map(|m| m.name).collect();
        format!("'{text}' is no mission this can imitate: {}", names.join(", "))
    })
}

fn period_and_gap(text: &str) -> Result<(f64, f64), String> {
    let Some((period, gap)) = text.split_once(':') else {
        return Err(format!("'{text}' is not P:D, for example 5760:2400"));
    };
    let (period, gap) = (positive(period)?, positive(gap)?);
    if gap < period { Ok((period, gap)) } else { Err(format!("the gap of {gap} s must be shorter than the period")) }
}

fn energies(text: &str) -> Result<PhotonSpectrum, String> {
    let parts: Vec<&str> = text.split(':').collect();
    let (index, rest) = match parts.as_slice() {
        ["flat", rest @ ..] => (0.0, rest),
        ["powerlaw", index, rest @ ..] => (number(index)?, rest),
        _ => return Err(format!("'{text}' is not flat[:LO:HI] or powerlaw:INDEX[:LO:HI]")),
    };
    let range = match rest {
        [] => None,
        [lo, hi] => range(&format!("{lo}:{hi}")).map(|r| Some((r.lo, r.hi)))?,
        _ => return Err(format!("'{text}': after the law, give LO:HI or nothing")),
    };
    Ok(PhotonSpectrum { index, range })
}

fn term(text: &str) -> Result<VariabilityTerm, String> {
    let parts: Vec<&str> = text.split(':').collect();
    match parts.as_slice() {
        ["white"] => Ok(VariabilityTerm::White),
        ["pulsar", frequency, fraction] => {
            Ok(VariabilityTerm::Pulsar { frequency: number(frequency)?, pulsed_fraction: number(fraction)? })
        }
        ["lorentzian", f0, width, rms] => {
            let f0 = number(f0)?;
            let fwhm = match width.strip_prefix("Q=").or_else(|| width.strip_prefix("q=")) {
                Some(_) if f0 <= 0.0 => return Err(format!("'{text}': Q = F0/FWHM needs F0 above 0; give the FWHM")),
                Some(q) => f0 / positive(q)?,
                None => number(width)?,
            };
            Ok(VariabilityTerm::Lorentzian { f0, fwhm, rms: number(rms)? })
        }
        ["powerlaw", index, rms] => {
            Ok(VariabilityTerm::PowerLaw { index: number(index)?, rms: number(rms)?, fmin: None, fmax: None })
        }
        ["powerlaw", index, rms, fmin, fmax] => Ok(VariabilityTerm::PowerLaw {
            index: number(index)?,
            rms: number(rms)?,
            fmin: Some(number(fmin)?),
            fmax: Some(number(fmax)?),
        }),
        _ => Err(format!(
            "'{text}' is not a term: white, pulsar:FREQ:PULSED_FRACTION, lorentzian:F0:FWHM:RMS (or Q=… for FWHM), \
             powerlaw:INDEX:RMS[:FMIN:FMAX]"
        )),
    }
}

fn negative(text: &str) -> Result<NegativeRates, String> {
    match text {
        "exp" => Ok(NegativeRates::Exp),
        "refuse" => Ok(NegativeRates::Refuse),
        _ => Err("give exp or refuse".into()),
    }
}

fn frame_time(text: &str) -> Result<FrameTime, String> {
    match text {
        "clock" => Ok(FrameTime::Clock),
        "mission" => Ok(FrameTime::Mission),
        "none" => Ok(FrameTime::None),
        seconds => positive(seconds).map(FrameTime::Seconds),
    }
}

fn dead_time(text: &str) -> Result<DeadTimeLength, String> {
    if text.contains(':') {
        return match range(text)? {
            NumberRange { lo, hi } if lo >= 0.0 => Ok(DeadTimeLength::Uniform(lo, hi)),
            _ => Err(format!("'{text}': a dead time is not negative")),
        };
    }
    match number(text)? {
        seconds if seconds >= 0.0 => Ok(DeadTimeLength::Constant(seconds)),
        _ => Err(format!("'{text}': a dead time is not negative")),
    }
}

impl SimulateArgs {
    /// The simulation that the options ask for.
    pub fn simulation(&self) -> Result<Simulation> {
        let bands = match self.bands.as_slice() {
            [] => None,
            [subject, reference] => Some(BandPair {
                subject: (subject.lo, subject.hi),
                reference: (reference.lo, reference.hi),
                lag: self.phase_lag.map_or(SubjectLag::Time(self.lag.unwrap_or(0.0)), SubjectLag::Phase),
                coherence: self.coherence.unwrap_or(1.0),
            }),
            more => return Err(Error::argument("bands", format!("{} bands", more.len()), "give two: LO:HI,LO:HI")),
        };
        let mut gaps: Vec<(f64, f64)> = self.gaps.iter().map(|g| (g.lo, g.hi)).collect();
        if let Some((period, gap)) = self.gap_every {
            let count = (self.length / period).ceil();
            if count > 1e7 {
                return Err(Error::argument(
                    "gap_every",
                    format!("{period}:{gap}"),
                    "that is over 1e7 gaps; take a longer period",
                ));
            }
            gaps.extend((1..=count as u64).map(|k| (k as f64 * period - gap, k as f64 * period)));
        }
        Ok(Simulation {
            mission: self.mission,
            rate: self.rate.clone(),
            length: self.length,
            tstart: self.tstart,
            gaps,
            energies: self.energies,
            model: self.model.clone(),
            dt: self.dt,
            negative: self.negative,
            bands,
            frame_time: self.frame_time,
            dead_time: self.dead_time.map(|length| DeadTime {
                kind: if self.paralysable { DeadTimeKind::Paralysable } else { DeadTimeKind::NonParalysable },
                length,
            }),
            seed: self.seed,
        })
    }
}

/// Refuses names that promise anything but a plain FITS file.
fn check_extension(output: &Path) -> Result<()> {
    let extension = output.extension().map(|e| e.to_string_lossy().to_ascii_lowercase()).unwrap_or_default();
    let message = match extension.as_str() {
        "gz" | "z" | "bz2" | "xz" | "zst" | "zip" => {
            "the file is written unpacked; leave the ending out, and pack it afterwards"
        }
        "ecsv" | "csv" | "json" | "txt" | "dat" | "svg" | "png" => {
            "events are written as FITS; name the file .evt or .fits (`eagleray lc` writes their light curve as a table)"
        }
        _ => return Ok(()),
    };
    Err(Error::argument("output", output.display(), message))
}

/// Writes the file; the caller reports the summary.
pub fn run(args: SimulateArgs) -> Result<()> {
    let made = write(&args)?;
    let lost = if made.lost > 0 { format!("; {} were lost to dead time", made.lost) } else { String::new() };
    let (events, gtis) = (count(made.events, "event"), count(made.gtis as u64, "interval"));
    say(&format!("{events} in {} s of good time, {gtis}{lost}", ShortNumber(made.exposure)));
    Ok(())
}

fn write(args: &SimulateArgs) -> Result<SimulationSummary> {
    if args.output.as_os_str() == "-" {
        return Err(Error::argument("output", "-", "an event file cannot go to stdout; name a file"));
    }
    check_extension(&args.output)?;
    let simulation = args.simulation()?;
    let expected = simulation.length * simulation.rate.iter().sum::<f64>();
    if expected > MANY_EVENTS {
        // A time and a channel.
        let (events, gigabytes) = (ShortNumber(expected), ShortNumber((expected * 10.0 / 1e9).round()));
        say(&format!("eagleray: about {events} events will be written, at least {gigabytes} GB"));
    }
    let summary = simulation.write(&args.output, args.overwrite)?;
    report(&summary.warnings, false, false)?;
    Ok(summary)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[derive(clap::Parser)]
    struct Cli {
        #[command(flatten)]
        args: SimulateArgs,
    }

    fn parse(line: &str) -> Result<SimulateArgs, String> {
        <Cli as clap::Parser>::try_parse_from(line.split(' ')).map(|c| c.args).map_err(|e| e.to_string())
    }

    #[test]
    fn options_become_a_simulation() {
        let args = parse(
            "x -o a.fits --mission nicer --rate 30,20 --length 2^12 --gaps 1:2,5:6 --gap-every 1000:100 --energies \
             powerlaw:1.7:0.3:10 --model lorentzian:4:Q=8:0.1 --model powerlaw:1:0.2:1/64:8 --model white --dt 1/256 \
             --bands 0.3:2,2:10 --lag -0.01 --coherence 0.7 --frame-time none --dead-time 1e-5:1/512 --paralysable --seed 7",
        )
        .unwrap();
        let s = args.simulation().unwrap();
        assert_eq!((s.mission, s.rate.as_slice(), s.length), (&missions::NICER, [30.0, 20.0].as_slice(), 4096.0));
        assert_eq!(s.gaps.len(), 2 + 5);
        assert_eq!(s.gaps[2], (900.0, 1000.0));
        assert_eq!(s.model[0], VariabilityTerm::Lorentzian { f0: 4.0, fwhm: 0.5, rms: 0.1 });
        assert_eq!(
            s.model[1],
            VariabilityTerm::PowerLaw { index: 1.0, rms: 0.2, fmin: Some(1.0 / 64.0), fmax: Some(8.0) }
        );
        let bands = s.bands.unwrap();
        assert_eq!((bands.subject, bands.lag, bands.coherence), ((0.3, 2.0), SubjectLag::Time(-0.01), 0.7));
        let dead_time =
            DeadTime { kind: DeadTimeKind::Paralysable, length: DeadTimeLength::Uniform(1e-5, 1.0 / 512.0) };
        assert_eq!(s.dead_time, Some(dead_time));
        assert_eq!(s.energies, PhotonSpectrum { index: 1.7, range: Some((0.3, 10.0)) });
    }

    #[test]
    fn mistakes_are_usage_errors() {
        for bad in [
            "--mission hubble",
            "--rate 0",
            "--model pulsar:1",
            "--model lorentzian:0:Q=3:0.1",
            "--lag 1",
            "--bands 1:2,2:3 --lag 1 --phase-lag 1",
            "--gap-every 10:20",
            "--seed abc",
            "--energies flat:3",
            "--frame-time -1",
            "--dead-time -1",
            "--dead-time 2:1",
            "--paralysable",
        ] {
            assert!(parse(&format!("x -o a {bad}")).is_err(), "{bad}");
        }
        assert!(parse("x -o a --bands 1:2").unwrap().simulation().is_err());
        for name in ["-", "a.evt.gz", "a.csv", "a.ecsv", "a.JSON", "a.txt"] {
            assert!(matches!(run(parse(&format!("x -o {name}")).unwrap()), Err(Error::Argument { .. })), "{name}");
        }
    }
}

//! The program `eagleray`: its commands, one file each.

pub mod accel;
pub mod bin;
pub mod bispectrum;
pub mod cs;
pub mod devices;
pub mod dynamical;
pub mod dynamical_cross;
pub mod fold;
mod headings;
pub mod info;
pub mod lc;
pub mod light_curves;
pub mod lomb_scargle;
pub mod multitaper;
pub mod pds;
pub mod product;
pub mod search;
pub mod significance;
pub mod simulate;
pub mod stats;
pub mod toas;
pub mod varenergy;

use std::path::{Path, PathBuf};
use std::process::ExitCode;

use clap::{ArgMatches, CommandFactory, FromArgMatches, Parser, Subcommand};
use eagleray::internal::io::fits_writer::write_file;
use eagleray::internal::io::table_write::check_output;
use eagleray::internal::text::{ShortNumber, count};
use eagleray::internal::trace;
use eagleray::{Error, Result};

use crate::files;
#[cfg(unix)]
use crate::interrupt;
use crate::names;
use crate::terminal::say;

/// X-ray spectral timing on any GPU.
#[derive(Parser)]
#[command(name = "eagleray", version, propagate_version = true)]
struct App {
    /// Write where the time went: a Chrome/Perfetto trace, or a table of stages where FILE ends in .txt or is -
    /// (standard error)
    #[arg(long, global = true, value_name = "FILE")]
    profile: Option<PathBuf>,
    #[command(subcommand)]
    command: Command,
}

// Negative values are for the parsers to judge, which say what is wrong with them.
#[derive(Subcommand)]
enum Command {
    /// Averaged power spectrum of event files
    #[command(allow_negative_numbers = true)]
    #[command(
        after_help = "Example: eagleray pds obs.evt --energy 3:10 --dt 1/256 --segment-size 64 -o pds.ecsv --plot pds.svg"
    )]
    Pds(Box<pds::PdsArgs>),
    /// Averaged cross spectrum of two bands or of two files: lags and coherence
    #[command(allow_negative_numbers = true)]
    #[command(
        after_help = "Example: eagleray cs obs.evt --subject 5:10 --ref 2:5 --dt 1/64 --rebin-log 0.1 -o lags.ecsv --plot lags.svg"
    )]
    Cs(Box<cs::CsArgs>),
    /// Dynamical power or cross spectrum: time × frequency, traces of the largest power, shift-and-add
    #[command(name = "dyn", allow_negative_numbers = true)]
    #[command(
        after_help = "Example: eagleray dyn obs.evt --dt 1/64 --segment-size 16 --rebin-time 4 -o dyn.fits --plot dyn.png"
    )]
    Dynamical(Box<dynamical::DynArgs>),
    /// Lomb-Scargle power or cross spectrum of light curves with gaps
    #[command(allow_negative_numbers = true)]
    #[command(after_help = "Example: eagleray ls curve.fits --freq 0.001:0.1 -o ls.ecsv --plot ls.svg")]
    Ls(Box<lomb_scargle::LsArgs>),
    /// Multitaper power spectrum
    #[command(allow_negative_numbers = true)]
    #[command(after_help = "Example: eagleray multitaper obs.evt --dt 1/64 --segment-size 64 --jackknife -o pds.ecsv")]
    Multitaper(Box<multitaper::MultitaperArgs>),
    /// Bispectrum: squared bicoherence and biphase of pairs of frequencies
    #[command(allow_negative_numbers = true)]
    #[command(
        after_help = "Example: eagleray bispectrum obs.evt --dt 1/64 --segment-size 16 --max-freq 8 --plot bispectrum.png"
    )]
    Bispectrum(Box<bispectrum::BispectrumArgs>),
    /// Lags, covariance, rms, excess variance or counts against energy, all bands in one pass
    #[command(allow_negative_numbers = true)]
    #[command(
        after_help = "Example: eagleray varenergy obs.evt --energies 1:10:5:log --freq 0.1:1 --kind lag -o lags.ecsv --plot lags.svg"
    )]
    Varenergy(Box<varenergy::VarenergyArgs>),
    /// Light curve of event files, or of binned light curves made coarser
    #[command(allow_negative_numbers = true)]
    #[command(after_help = "Example: eagleray lc obs.evt --energy 3:10 --dt 10 -o curve.fits --plot curve.svg")]
    Lc(Box<lc::LcArgs>),
    /// Search for a pulsation: frequencies, and derivatives, by Z², H or epoch folding
    #[command(allow_negative_numbers = true)]
    #[command(after_help = "Example: eagleray search obs.evt --freq 6:7 --nharm 2 -o search.ecsv --plot search.svg")]
    Search(Box<search::SearchArgs>),
    /// Search for a pulsation whose frequency drifts: matched filters in the Fourier transform, harmonics summed
    #[command(allow_negative_numbers = true)]
    #[command(after_help = "Example: eagleray accel obs.evt --freq 100:110 --fdot -1e-6:1e-6 -o found.ecsv")]
    Accel(Box<accel::AccelArgs>),
    /// Pulse profile at a known frequency: rates, pulsed fractions, phaseogram, profiles by energy
    #[command(allow_negative_numbers = true)]
    #[command(after_help = "Example: eagleray fold obs.evt --f 6.5961 --nbin 32 -o profile.ecsv --plot profile.svg")]
    Fold(Box<fold::FoldArgs>),
    /// Counts of event files in any bins of time, and of energy
    #[command(allow_negative_numbers = true)]
    #[command(after_help = "Example: eagleray bin obs.evt --times 200000000:200000900:9 -o counts.ecsv")]
    Bin(Box<bin::BinArgs>),
    /// A power or cross spectrum, or a light curve, read back and rebinned
    #[command(allow_negative_numbers = true)]
    #[command(after_help = "Example: eagleray rebin pds.ecsv --rebin-log 0.03 -o rebinned.ecsv")]
    Rebin(Box<product::RebinArgs>),
    /// A power or cross spectrum read back and brought to another normalisation
    #[command(after_help = "Example: eagleray norm pds.ecsv --norm frac -o frac.ecsv")]
    Norm(Box<product::NormArgs>),
    /// A product read back and drawn
    #[command(after_help = "Example: eagleray plot pds.ecsv --plot pds.svg")]
    Plot(Box<product::PlotArgs>),
    /// Power spectra read back and averaged, or light curves put together
    #[command(after_help = "Example: eagleray join a.ecsv b.ecsv -o both.ecsv")]
    Join(Box<product::JoinArgs>),
    /// What event files hold: mission, events, intervals, clock, suggested dt and segment size
    #[command(allow_negative_numbers = true)]
    #[command(after_help = "Example: eagleray info obs.evt --json")]
    Info(Box<info::InfoArgs>),
    /// Statistics of powers and counts: probabilities, detection levels, limits, pulsed fractions, Poisson errors
    #[command(after_help = "Example: eagleray stats power-to-p --power 40 --trials 1e6")]
    Stats(stats::StatsArgs),
    /// Write an event file of a chosen power spectrum, rate, length and mission
    #[command(allow_negative_numbers = true)]
    #[command(
        after_help = "Example: eagleray simulate -o sim.evt --rate 100 --length 1000 --model powerlaw:1:0.2 --seed 7"
    )]
    Simulate(Box<simulate::SimulateArgs>),
    /// The GPUs of this machine, and which one `--backend auto` takes
    #[command(after_help = "Example: eagleray devices --json")]
    Devices(devices::DevicesArgs),
}

/// All commands and their options.
pub fn command() -> clap::Command {
    headings::with_headings(App::command())
}

/// Runs the program with the arguments of the process. Exit status: 0 done, 1 failed, 2 usage.
pub fn main() -> ExitCode {
    let mut whole = command();
    let matches = whole.get_matches_mut();
    names::speak_as(&whole, Some(&matches));
    let App { profile, command } = App::from_arg_matches(&matches).unwrap_or_else(|e| e.format(&mut whole).exit());
    #[cfg(unix)]
    interrupt::clean_up();
    // Where the command has no such option, an earlier profile is not replaced.
    let overwrite = given(&matches, "overwrite");
    let checked = files::check(&whole, &matches).and_then(|()| match &profile {
        Some(path) if path != Path::new("-") => check_output(&path.display().to_string(), overwrite),
        _ => Ok(()),
    });
    if let Err(e) = checked {
        return failed(&e);
    }
    if profile.is_some() {
        trace::start();
    }
    let span = trace::span("eagleray");
    let result = match command {
        Command::Pds(args) => pds::run(*args),
        Command::Cs(args) => cs::run(*args),
        Command::Dynamical(args) => dynamical::run(*args),
        Command::Ls(args) => lomb_scargle::run(*args),
        Command::Multitaper(args) => multitaper::run(*args),
        Command::Bispectrum(args) => bispectrum::run(*args),
        Command::Varenergy(args) => varenergy::run(*args),
        Command::Lc(args) => lc::run(*args),
        Command::Search(args) => search::run(&args),
        Command::Accel(args) => accel::run(&args),
        Command::Fold(args) => fold::run(&args),
        Command::Bin(args) => bin::run(*args),
        Command::Rebin(args) => product::rebin(&args),
        Command::Norm(args) => product::norm(&args),
        Command::Plot(args) => product::plot(&args),
        Command::Join(args) => product::join(&args),
        Command::Info(args) => info::run(*args),
        Command::Stats(args) => stats::run(&args),
        Command::Simulate(args) => simulate::run(&args).map(|s| {
            let lost = if s.lost > 0 { format!("; {} were lost to dead time", s.lost) } else { String::new() };
            let (events, gtis) = (count(s.events, "event"), count(s.gtis as u64, "interval"));
            say(&format!("{events} in {} s of good time, {gtis}{lost}", ShortNumber(s.exposure)));
        }),
        Command::Devices(args) => devices::run(args),
    };
    drop(span);
    let written = profile.map_or(Ok(()), |path| write_trace(&path, overwrite));
    match result.and(written) {
        Ok(()) => ExitCode::SUCCESS,
        // The reader of a pipe has seen enough.
        Err(Error::Io { source, .. }) if source.kind() == std::io::ErrorKind::BrokenPipe => ExitCode::SUCCESS,
        Err(e) => failed(&e),
    }
}

/// Says what went wrong.
fn failed(error: &Error) -> ExitCode {
    say(&format!("eagleray: error: {}", names::error_text(error)));
    ExitCode::from(if matches!(error, Error::Argument { .. } | Error::Input { .. }) { 2 } else { 1 })
}

/// True where a command has a switch, and it is given.
fn given(matches: &ArgMatches, switch: &str) -> bool {
    let own = matches.subcommand().and_then(|(_, own)| own.try_get_one::<bool>(switch).ok().flatten());
    own.is_some_and(|given| *given)
}

/// Ends the recording and writes it.
fn write_trace(path: &Path, overwrite: bool) -> Result<()> {
    use std::io::Write;
    let profile = trace::stop();
    if path == Path::new("-") {
        say(profile.table().trim_end_matches('\n'));
        return Ok(());
    }
    let table = path.extension().is_some_and(|extension| extension == "txt");
    write_file(path, overwrite, |out| {
        let written = if table { out.write_all(profile.table().as_bytes()) } else { profile.write_chrome(out) };
        written.map_err(|e| Error::io(path, e))
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn options_stand_under_the_headings_of_their_groups() {
        let program = command();
        let heading = |name: &str, option: &str| {
            let command = program.find_subcommand(name).unwrap();
            let found = command.get_arguments().find(|one| one.get_id() == option);
            found.unwrap_or_else(|| panic!("{name} has no {option}")).get_help_heading()
        };
        for (name, option, expected) in [
            ("pds", "energy", Some("Input")),
            ("pds", "rms", None),
            ("pds", "output", Some("Output")),
            ("pds", "backend", Some("Device")),
            ("bin", "times", None),
            ("bin", "output", Some("Output")),
            ("search", "freq", None),
            ("search", "method", None),
            ("search", "weights", Some("Weights")),
            ("fold", "toas", Some("Times of arrival")),
        ] {
            assert_eq!(heading(name, option), expected, "{name} {option}");
        }
    }

    #[test]
    fn each_command_has_an_example_that_it_takes() {
        let program = command();
        for one in program.get_subcommands().filter(|one| one.get_name() != "help") {
            let help = one.get_after_help().map(ToString::to_string).unwrap_or_default();
            let example = help.strip_prefix("Example: ").unwrap_or_else(|| panic!("{}: no example", one.get_name()));
            let words: Vec<&str> = example.split(' ').collect();
            assert_eq!(words[1], one.get_name());
            let taken = program.clone().try_get_matches_from(words);
            assert!(taken.is_ok(), "{example}: {}", taken.unwrap_err());
        }
    }
}

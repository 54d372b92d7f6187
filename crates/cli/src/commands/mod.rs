//! The program `eagleray`: its commands, one file each.

pub mod accel;
pub mod bin;
pub mod bispectrum;
pub mod cs;
pub mod devices;
pub mod dynamical;
pub mod dynamical_cross;
pub mod fold;
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

use clap::{CommandFactory, FromArgMatches, Parser, Subcommand};
use eagleray::internal::text::{ShortNumber, count};
use eagleray::internal::trace;
use eagleray::io::fits_writer::write_file;
use eagleray::io::table_write::check_output;
use eagleray::{Error, Result};

#[cfg(unix)]
use crate::interrupt;
use crate::names;

/// X-ray spectral timing on any GPU.
#[derive(Parser)]
#[command(name = "eagleray", version, about, propagate_version = true)]
struct App {
    /// Write where the time went, replacing FILE: a Chrome/Perfetto trace, or a table of stages where FILE ends in .txt or is -
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
    Pds(Box<pds::PdsArgs>),
    /// Averaged cross spectrum of two bands or of two files: lags and coherence
    #[command(allow_negative_numbers = true)]
    Cs(Box<cs::CsArgs>),
    /// Dynamical power or cross spectrum: time × frequency, traces of the largest power, shift-and-add
    #[command(name = "dyn", allow_negative_numbers = true)]
    Dynamical(Box<dynamical::DynArgs>),
    /// Lomb-Scargle power or cross spectrum of light curves with gaps
    #[command(allow_negative_numbers = true)]
    Ls(Box<lomb_scargle::LsArgs>),
    /// Multitaper power spectrum
    #[command(allow_negative_numbers = true)]
    Multitaper(Box<multitaper::MultitaperArgs>),
    /// Bispectrum: squared bicoherence and biphase of pairs of frequencies
    #[command(allow_negative_numbers = true)]
    Bispectrum(Box<bispectrum::BispectrumArgs>),
    /// Lags, covariance, rms, excess variance or counts against energy, all bands in one pass
    Varenergy(Box<varenergy::VarenergyArgs>),
    /// Light curve of event files, or of binned light curves made coarser
    #[command(allow_negative_numbers = true)]
    Lc(Box<lc::LcArgs>),
    /// Search for a pulsation: frequencies, and derivatives, by Z², H or epoch folding
    #[command(allow_negative_numbers = true)]
    Search(Box<search::SearchArgs>),
    /// Search for a pulsation whose frequency drifts: matched filters in the Fourier transform, harmonics summed
    #[command(allow_negative_numbers = true)]
    Accel(Box<accel::AccelArgs>),
    /// Pulse profile at a known frequency: rates, pulsed fractions, phaseogram, profiles by energy
    #[command(allow_negative_numbers = true)]
    Fold(Box<fold::FoldArgs>),
    /// Counts of event files in any bins of time, and of energy
    #[command(allow_negative_numbers = true)]
    Bin(Box<bin::BinArgs>),
    /// A power or cross spectrum, or a light curve, read back and rebinned
    Rebin(Box<product::RebinArgs>),
    /// A power or cross spectrum read back and brought to another normalisation
    Norm(Box<product::NormArgs>),
    /// A product read back and drawn
    Plot(Box<product::PlotArgs>),
    /// Power spectra read back and averaged, or light curves put together
    Join(Box<product::JoinArgs>),
    /// What event files hold: mission, events, intervals, clock, suggested dt and segment size
    #[command(allow_negative_numbers = true)]
    Info(Box<info::InfoArgs>),
    /// Statistics of powers and counts: probabilities, detection levels, limits, pulsed fractions, Poisson errors
    Stats(stats::StatsArgs),
    /// Write an event file of a chosen power spectrum, rate, length and mission
    #[command(allow_negative_numbers = true)]
    Simulate(Box<simulate::SimulateArgs>),
    /// The GPUs of this machine, and which one `--backend auto` takes
    Devices(devices::DevicesArgs),
}

/// All commands and their options.
pub fn command() -> clap::Command {
    App::command()
}

/// Runs the program with the arguments of the process. Exit status: 0 done, 1 failed, 2 usage.
pub fn main() -> ExitCode {
    let mut whole = App::command();
    let matches = whole.get_matches_mut();
    names::speak_as(&whole, Some(&matches));
    let App { profile, command } = App::from_arg_matches(&matches).unwrap_or_else(|e| e.format(&mut whole).exit());
    #[cfg(unix)]
    interrupt::clean_up();
    if let Some(path) = profile.as_ref().filter(|path| *path != Path::new("-"))
        && let Err(e) = check_output(&path.display().to_string(), true)
    {
        eprintln!("eagleray: error: {}", names::error_text(&e));
        return ExitCode::from(1);
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
            eprintln!(
                "{} in {} s of good time, {}{lost}",
                count(s.events, "event"),
                ShortNumber(s.exposure),
                count(s.gtis as u64, "interval")
            );
        }),
        Command::Devices(args) => devices::run(args),
    };
    drop(span);
    let written = profile.map_or(Ok(()), |path| write_trace(&path));
    match result.and(written) {
        Ok(()) => ExitCode::SUCCESS,
        // The reader of a pipe has seen enough.
        Err(Error::Io { source, .. }) if source.kind() == std::io::ErrorKind::BrokenPipe => ExitCode::SUCCESS,
        Err(e) => {
            eprintln!("eagleray: error: {}", names::error_text(&e));
            ExitCode::from(if matches!(e, Error::Argument { .. } | Error::Input { .. }) { 2 } else { 1 })
        }
    }
}

/// Ends the recording and writes it.
fn write_trace(path: &Path) -> Result<()> {
    use std::io::Write;
    let profile = trace::stop();
    if path == Path::new("-") {
        eprint!("{}", profile.table());
        return Ok(());
    }
    let table = path.extension().is_some_and(|extension| extension == "txt");
    write_file(path, true, |out| {
        let written = if table { out.write_all(profile.table().as_bytes()) } else { profile.write_chrome(out) };
        written.map_err(|e| Error::io(path, e))
    })
}

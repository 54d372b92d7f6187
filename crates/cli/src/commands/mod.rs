//! The program `eagleray`: its commands, one file each.

pub mod dynamical_cross;
mod headings;
pub mod light_curves;
pub mod significance;
pub mod toas;

use std::path::{Path, PathBuf};
use std::process::ExitCode;

use clap::{ArgMatches, CommandFactory, FromArgMatches, Parser, Subcommand};
use eagleray::internal::io::fits_writer::write_file;
use eagleray::internal::io::table_write::check_output;
use eagleray::internal::trace;
use eagleray::{Error, Result};

use crate::files;
#[cfg(unix)]
use crate::interrupt;
use crate::names;
use crate::terminal::{self, say};
use crate::threads;

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

macro_rules! commands {
    ($($file:ident { $($run:ident: $command:ident($args:ident)),+ })+) => {
        $(pub mod $file;)+

        #[derive(Subcommand)]
        enum Command {
            $($($command(Box<$file::$args>)),+),+
        }

        impl Command {
            fn run(self) -> Result<()> {
                match self {
                    $($(Command::$command(args) => $file::$run(*args)),+),+
                }
            }
        }
    };
}

// The file of each command, what runs it, its name and its arguments, whose documentation is its help. Negative values are for the parsers to
// judge, which say what is wrong with them.
commands! {
    pds { run: Pds(PdsArgs) }
    cs { run: Cs(CsArgs) }
    dynamical { run: Dyn(DynArgs) }
    lomb_scargle { run: Ls(LsArgs) }
    multitaper { run: Multitaper(MultitaperArgs) }
    bispectrum { run: Bispectrum(BispectrumArgs) }
    varenergy { run: Varenergy(VarenergyArgs) }
    lc { run: Lc(LcArgs) }
    search { run: Search(SearchArgs) }
    accel { run: Accel(AccelArgs) }
    fold { run: Fold(FoldArgs) }
    bin { run: Bin(BinArgs) }
    product { rebin: Rebin(RebinArgs), norm: Norm(NormArgs), plot: Plot(PlotArgs), join: Join(JoinArgs) }
    info { run: Info(InfoArgs) }
    stats { run: Stats(StatsArgs) }
    simulate { run: Simulate(SimulateArgs) }
    devices { run: Devices(DevicesArgs) }
}

/// All commands and their options.
pub fn command() -> clap::Command {
    headings::with_headings(App::command())
}

/// Runs the program with the arguments of the process. Exit status: 0 done, 1 failed, 2 usage.
pub fn main() -> ExitCode {
    let mut whole = command();
    let matches = match whole.try_get_matches_from_mut(std::env::args_os()) {
        Ok(matches) => matches,
        Err(asked) if asked.use_stderr() => asked.exit(),
        // Help, or the version: what was asked for, which fails where it cannot be written.
        Err(asked) => return terminal::show(&asked).map_or_else(|e| ended(&e), |()| ExitCode::SUCCESS),
    };
    names::speak_as(&whole, Some(&matches));
    let App { profile, command } = App::from_arg_matches(&matches).unwrap_or_else(|e| e.format(&mut whole).exit());
    if let Err(e) = threads::check() {
        return failed(&e);
    }
    #[cfg(unix)]
    interrupt::clean_up();
    // Where the command has no such option, an earlier profile is not replaced.
    let overwrite = given(&matches, "overwrite");
    let checked = files::check(&whole, &matches).and_then(|()| match &profile {
        Some(path) if path != Path::new("-") => check_output(&path.display().to_string(), overwrite),
        _ => Ok(()),
    });
    let checked = checked.and_then(|()| threads::start());
    if let Err(e) = checked {
        return failed(&e);
    }
    if profile.is_some() {
        trace::start();
    }
    let span = trace::span("eagleray");
    let result = command.run();
    drop(span);
    let written = profile.map_or(Ok(()), |path| write_trace(&path, overwrite));
    match result.and(written) {
        Ok(()) => ExitCode::SUCCESS,
        Err(e) => ended(&e),
    }
}

/// The status of a run that did not come to its end, and what is said of it.
fn ended(error: &Error) -> ExitCode {
    match error {
        // The reader of a pipe has seen enough.
        Error::Io { source, .. } if source.kind() == std::io::ErrorKind::BrokenPipe => ExitCode::SUCCESS,
        error => failed(error),
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

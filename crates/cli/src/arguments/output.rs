//! Options of what is written and said, and the checks that come before any work.

use clap::Args;

use super::input::InputArgs;
use crate::pictures::axes;
use eagleray::io::table_write::{TableFormat, check_output};
use eagleray::{Error, Result};

/// Where results go.
#[derive(Args, Clone, Debug)]
#[command(next_help_heading = "Output")]
pub struct OutputArgs {
    /// Table: .ecsv, .csv, .json or .fits; - is standard output
    #[arg(short, long, value_name = "FILE")]
    pub output: Option<String>,
    /// Picture: .svg or .png
    #[arg(long, value_name = "FILE")]
    pub plot: Option<String>,
    /// Replace existing outputs
    #[arg(long)]
    pub overwrite: bool,
    /// Summary as JSON on standard output
    #[arg(long)]
    pub json: bool,
    /// No progress, summary or warnings
    #[arg(long)]
    pub quiet: bool,
    /// Warnings are errors
    #[arg(long)]
    pub strict: bool,
}

impl OutputArgs {
    /// Refuses what would be refused in the end; `pictures` and `tables` are further outputs of the command.
    ///
    /// # Errors
    /// An unknown format, an existing file, two outputs on standard output, an output that is an input.
    pub fn check(&self, input: &InputArgs, pictures: &[&Option<String>], tables: &[&Option<String>]) -> Result<()> {
        let tables = || [&self.output].into_iter().chain(tables.iter().copied()).flatten();
        let pictures = || [&self.plot].into_iter().chain(pictures.iter().copied()).flatten();
        tables().try_for_each(|path| TableFormat::from_path(path).map(|_| ()))?;
        pictures().try_for_each(|path| axes::check_extension(path).map(|_| ()))?;
        if usize::from(self.json) + tables().filter(|path| *path == "-").count() > 1 {
            let message = "the table and the summary cannot share standard output";
            return Err(Error::argument("json", "-o -", message));
        }
        for path in tables().chain(pictures()).filter(|path| *path != "-") {
            check_output(path, self.overwrite)?;
            input.check_output(path)?;
        }
        Ok(())
    }

    /// Calls `write` with the files that a table goes to now: those on disk come before standard output, whose reader may have seen
    /// enough.
    ///
    /// # Errors
    /// Those of `write`.
    pub fn table(&self, to_stdout: bool, write: impl FnOnce(&str) -> Result<()>) -> Result<()> {
        match self.output.as_deref().filter(|path| (*path == "-") == to_stdout) {
            Some(path) => write(path),
            None => Ok(()),
        }
    }

    /// Whether warnings are errors, and whether nothing is said.
    pub fn manners(&self) -> (bool, bool) {
        (self.strict, self.quiet)
    }

    /// Tells what was done about the input, unless quiet.
    pub fn say(&self, text: &str) {
        if !self.quiet {
            eprintln!("eagleray: {text}");
        }
    }
}

//! Options of what is written and said, and the checks that come before any work.

use std::io::IsTerminal;
use std::ops::ControlFlow;

use clap::Args;
use indicatif::{ProgressBar, ProgressFinish, ProgressStyle};

use super::input::InputArgs;
use crate::pictures::axes;
use eagleray::engine::watched;
use eagleray::io::table_write::{TableFormat, check_output};
use eagleray::{Error, Progress, Result};

/// Where results go.
#[derive(Args, Clone, Debug)]
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

    /// Tells what was done about the input, unless quiet.
    pub fn say(&self, text: &str) {
        if !self.quiet {
            eprintln!("eagleray: {text}");
        }
    }
}

/// Does `work` with a bar of the events that are read, on a terminal; with nothing elsewhere.
///
/// # Errors
/// Those of `work`.
pub fn with_bar<T: Send>(talk: bool, work: impl FnOnce(&Progress) -> Result<T> + Send) -> Result<T> {
    let bar = progress_bar("events", talk);
    if bar.is_hidden() {
        return work(&Progress::default());
    }
    let show = &mut |done: u64, total: u64| {
        bar.set_length(total);
        bar.set_position(done);
        ControlFlow::Continue(())
    };
    let made = watched(show, work);
    bar.finish_and_clear();
    made
}

/// A bar of something, on a terminal; nothing elsewhere. It is gone when it is dropped.
pub fn progress_bar(of: &str, talk: bool) -> ProgressBar {
    if !talk || !std::io::stderr().is_terminal() {
        return ProgressBar::hidden();
    }
    let style = format!("{{bar:40}} {{human_pos}}/{{human_len}} {of}, {{per_sec}}, {{eta}} left");
    let style = ProgressStyle::with_template(&style).unwrap_or_else(|_| ProgressStyle::default_bar());
    ProgressBar::new(1).with_style(style).with_finish(ProgressFinish::AndClear)
}

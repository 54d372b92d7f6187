//! Options of what is written and said, and the checks that come before any work.

use clap::Args;
use serde_json::Value;

use crate::pictures::axes;
use eagleray::files::TableFormat;
use eagleray::internal::io::table_write::check_output;
use eagleray::{Error, Result};

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

/// A product as it is written to a file, drawn, and told: as JSON, or in words.
pub struct Delivery<'d> {
    /// Writes the table to a file or to standard output (`-`).
    pub write: &'d dyn Fn(&str) -> Result<()>,
    /// Draws the picture.
    pub draw: &'d dyn Fn(&str) -> Result<()>,
    /// The summary as JSON.
    pub json: &'d dyn Fn() -> Value,
    /// The summary in words, whole lines.
    pub text: &'d dyn Fn() -> String,
}

/// A further file: its name, if it is asked for, and what writes it.
pub type Further<'d> = (&'d Option<String>, &'d dyn Fn(&str) -> Result<()>);

/// JSON with further fields.
pub fn with<const N: usize>(mut value: Value, fields: [(&str, Value); N]) -> Value {
    fields.into_iter().for_each(|(name, field)| value[name] = field);
    value
}

impl OutputArgs {
    /// Refuses what would be refused in the end; `pictures` and `tables` are further outputs of the command.
    ///
    /// # Errors
    /// An unknown format, an existing file, two outputs on standard output, or one where that is closed. Outputs that are inputs are refused before (`files`).
    pub fn check(&self, pictures: &[&Option<String>], tables: &[&Option<String>]) -> Result<()> {
        let tables = || [&self.output].into_iter().chain(tables.iter().copied()).flatten();
        let pictures = || [&self.plot].into_iter().chain(pictures.iter().copied()).flatten();
        tables().try_for_each(|path| TableFormat::from_path(path).map(|_| ()))?;
        pictures().try_for_each(|path| axes::check_extension(path).map(|_| ()))?;
        if usize::from(self.json) + tables().filter(|path| *path == "-").count() > 1 {
            let message = "the table and the summary cannot share standard output";
            return Err(Error::argument("json", "-o -", message));
        }
        if self.json || tables().any(|path| path == "-") {
            crate::terminal::check_output()?;
        }
        let mut files = tables().chain(pictures()).filter(|path| *path != "-");
        files.try_for_each(|path| check_output(path, self.overwrite))
    }

    /// Delivers a product: its table, its picture and `further` files, as far as they are asked for, then the summary. Files on disk come
    /// before standard output, whose reader may have seen enough.
    ///
    /// # Errors
    /// Something cannot be written or drawn.
    pub fn deliver(&self, made: &Delivery, further: &[Further]) -> Result<()> {
        let (to_stdout, to_file): (Vec<&str>, Vec<&str>) =
            self.output.as_deref().iter().partition(|path| **path == "-");
        to_file.into_iter().try_for_each(made.write)?;
        self.plot.as_deref().map_or(Ok(()), made.draw)?;
        for (path, write) in further {
            path.as_deref().map_or(Ok(()), write)?;
        }
        to_stdout.into_iter().try_for_each(made.write)?;
        if self.json {
            return crate::terminal::print_json(&(made.json)());
        }
        if !self.quiet {
            crate::terminal::say((made.text)().trim_end_matches('\n'));
        }
        Ok(())
    }

    /// Whether warnings are errors, and whether nothing is said.
    pub fn manners(&self) -> (bool, bool) {
        (self.strict, self.quiet)
    }

    /// Tells what was done about the input, unless quiet.
    pub fn say(&self, text: &str) {
        if !self.quiet {
            crate::terminal::say(&format!("eagleray: {text}"));
        }
    }
}

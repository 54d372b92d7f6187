//! Options of `gpu-bench`.

use std::io::IsTerminal;
use std::num::NonZeroUsize;
use std::path::PathBuf;

use clap::{Parser, ValueEnum};

use crate::device_choice::{BackendArg, threads};
use crate::number::positive;
use eagleray::Result;
use eagleray::internal::io::table_write::check_output;

/// Checks that every device computes right, measures what it can do, and compares what the program does with that.
#[derive(Parser, Debug)]
#[command(name = "gpu-bench", version, about)]
pub struct BenchArgs {
    /// Only these parts [default: all]; whatever is timed is checked first
    #[arg(value_enum, value_name = "PART")]
    pub parts: Vec<BenchPart>,
    /// Smaller sizes and fewer samples: seconds instead of minutes
    #[arg(long)]
    pub quick: bool,
    /// Only these workloads: bright, faint, frames, bands, long, or billion, which runs only when named
    #[arg(long, value_name = "NAME,…", value_delimiter = ',')]
    pub workload: Vec<String>,
    /// Events of each workload
    #[arg(long, value_name = "N", value_parser = positive)]
    pub events: Option<f64>,
    /// All devices (auto), the GPUs alone, or the CPU alone
    #[arg(long, value_enum, default_value = "auto")]
    pub backend: BackendArg,
    /// Worker threads of the CPU, and the most that `scaling` tries [default: all cores]
    #[arg(long, value_name = "N", value_parser = threads)]
    pub threads: Option<NonZeroUsize>,
    /// Write all results as JSON (docs/gpu-bench.md has the schema)
    #[arg(long, value_name = "FILE")]
    pub json: Option<PathBuf>,
    /// Say what became slower since an earlier run; exit status 1 when something did
    #[arg(long, value_name = "OLD.json")]
    pub compare: Option<PathBuf>,
    /// Measure nothing, and compare this record with the earlier one
    #[arg(long, value_name = "NEW.json", requires = "compare")]
    pub record: Option<PathBuf>,
    /// Write a page with all results and plots, DIR/index.html
    #[arg(long, value_name = "DIR")]
    pub report: Option<PathBuf>,
    /// Only make a page of the records (.json) in DIR, DIR/index.html: how the workloads changed from run to run
    #[arg(long, value_name = "DIR")]
    pub history: Option<PathBuf>,
    /// Python with Stingray, CuPy or both, to time the same work with them
    #[arg(long, value_name = "PATH")]
    pub peer_python: Option<PathBuf>,
    /// Chrome/Perfetto trace of one more run of each workload
    #[arg(long, value_name = "FILE")]
    pub profile: Option<PathBuf>,
    /// Keep the simulated event files here, and use those that are here [default: a temporary folder]
    #[arg(long, value_name = "DIR")]
    pub data: Option<PathBuf>,
    /// Replace existing outputs
    #[arg(long)]
    pub overwrite: bool,
}

/// A part of a run.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub enum BenchPart {
    /// Every kernel on every device against its reference
    Check,
    /// What memory, bus and arithmetic can do
    Rates,
    /// Single kernels
    Kernels,
    /// Whole paths from file to spectrum
    Workloads,
    /// Threads of the CPU
    Scaling,
    /// The same work by others: realfft; with --peer-python Stingray and CuPy, beside the workloads
    Peers,
}

impl BenchArgs {
    /// Refuses outputs that exist, before minutes are spent.
    ///
    /// # Errors
    /// An output exists; a workload that is none.
    pub fn check(&self) -> Result<()> {
        super::workload::named(&self.workload)?;
        // The folder of a page is made where there is none.
        let page = self.report.as_ref().map(|folder| folder.join(super::PAGE)).filter(|page| page.exists());
        for path in [&self.json, &self.profile, &page].into_iter().flatten() {
            check_output(&path.display().to_string(), self.overwrite)?;
        }
        Ok(())
    }

    /// True for a part that is to run: all of them, unless some are named; a workload that is named runs alone.
    pub fn wants(&self, part: BenchPart) -> bool {
        match (self.parts.is_empty(), self.workload.is_empty()) {
            (true, true) => true,
            (true, false) => part == BenchPart::Workloads,
            (false, _) => self.parts.contains(&part),
        }
    }

    /// True unless threads alone are measured.
    pub fn needs_gpus(&self) -> bool {
        self.parts != [BenchPart::Scaling]
    }

    /// Tells a terminal what is going on.
    pub fn say(&self, text: &str) {
        if std::io::stderr().is_terminal() {
            crate::terminal::say(&format!("gpu-bench: {text}"));
        }
    }
}

//! `eagleray bin`: counts of events in bins of time, and of energy.

use clap::Args;

use crate::arguments::device::DeviceArgs;
use crate::arguments::input::InputArgs;
use crate::number::{counting, edges};
use crate::run::{Computer, Steps};
use eagleray::data::Product;
use eagleray::data::histogram::EnergyAxis;
use eagleray::engine::CHUNK_EVENTS;
use eagleray::engine::analyses::Counting;
use eagleray::internal::text::{ShortNumber, count};
use eagleray::io::table_write::{TableFormat, check_output};
use eagleray::{Error, Result};

/// Options of `bin`.
#[derive(Args, Debug)]
pub struct BinArgs {
    #[command(flatten)]
    input: InputArgs,
    /// Edges of time, seconds of the file's frame: LO:HI:N or LO:HI:N:log, a list T0,T1,…, or a text file with one a line
    #[arg(long, value_name = "LO:HI:N|T0,T1,…|FILE", allow_hyphen_values = true)]
    times: String,
    /// Edges of energy, keV: LO:HI:N, LO:HI:N:log, or a list E0,E1,…
    #[arg(long, value_name = "LO:HI:N[:log]|E0,E1,…", value_parser = energy_edges)]
    energies: Option<EnergyEdges>,
    /// Edges of channels, where energies are not known
    #[arg(long, value_name = "LO:HI:N|C0,C1,…", value_parser = energy_edges, conflicts_with = "energies", allow_hyphen_values = true)]
    channels: Option<EnergyEdges>,
    /// Rows read at a time; changes memory, not results
    #[arg(long, value_name = "N", value_parser = counting, default_value_t = CHUNK_EVENTS)]
    chunk_events: usize,
    /// Table of the counts: .ecsv, .csv, .json or .fits; - is standard output
    #[arg(short, long, value_name = "FILE")]
    output: Option<String>,
    /// Replace an existing output
    #[arg(long)]
    overwrite: bool,
    /// Summary as JSON on standard output
    #[arg(long)]
    json: bool,
    /// No summary or warnings
    #[arg(long)]
    quiet: bool,
    /// Warnings are errors
    #[arg(long)]
    strict: bool,
}

/// Edges of bins; a type of its own, for clap reads a vector as an option that is repeated.
#[derive(Clone, Debug)]
struct EnergyEdges(Vec<f64>);

fn energy_edges(text: &str) -> Result<EnergyEdges, String> {
    edges(text).map(EnergyEdges)
}

/// Runs the command.
///
/// # Errors
/// Everything that the library refuses.
pub fn run(args: BinArgs) -> Result<()> {
    if let Some(path) = args.output.as_deref() {
        TableFormat::from_path(path)?;
        if path != "-" {
            check_output(path, args.overwrite)?;
            args.input.check_output(path)?;
        } else if args.json {
            return Err(Error::argument("json", "-o -", "the table and the summary cannot share standard output"));
        }
    }
    let times = time_edges(&args.times)?;
    let say = &mut |text: &str| {
        if !args.quiet {
            eprintln!("eagleray: {text}");
        }
    };
    let observation = args.input.observation(false, say)?;
    let (energies, axis) = match (&args.energies, &args.channels) {
        (Some(EnergyEdges(edges)), _) => (edges.clone(), EnergyAxis::Energy),
        (None, Some(EnergyEdges(edges))) => (edges.clone(), EnergyAxis::Channel),
        (None, None) => (Vec::new(), EnergyAxis::None),
    };
    let analysis = Counting::new(times).energies(energies).axis(axis);
    let computer =
        Computer::new(&DeviceArgs::cpu(), (args.strict, args.quiet), Steps::Events)?.chunk_events(args.chunk_events);
    let made = computer.compute(&analysis, &observation)?.product;
    if let Some(path) = &args.output {
        made.write(path, args.overwrite)?;
    }
    if args.json {
        let meta = made.metadata();
        return crate::terminal::print(&format!("{meta:#}\n"));
    }
    if !args.quiet {
        let meta = &made.meta;
        let bins = count(meta.n as u64, "bin");
        let energies = if meta.energies > 1 { format!(" and {} of energy", meta.energies) } else { String::new() };
        let (exposure, photons) = (ShortNumber(meta.exposure_total), &meta.record.photons);
        eprint!("{bins} of time{energies}, {} counts in {exposure} s\nphotons: {photons}\n", meta.nphots);
    }
    Ok(())
}

/// Edges of time, written out or in a file.
fn time_edges(text: &str) -> Result<Vec<f64>> {
    if !std::path::Path::new(text).is_file() {
        return edges(text)
            .map_err(|e| Error::argument("times", text, format!("{e}; or it is a file that is not there")));
    }
    let content = std::fs::read_to_string(text).map_err(|e| Error::io(text, e))?;
    let lines = content.lines().enumerate().map(|(i, line)| (i + 1, line.split('#').next().unwrap_or("").trim()));
    let one = |(number, line): (usize, &str)| {
        crate::number::number(line).map_err(|message| Error::format(text, format!("line {number}"), message))
    };
    lines.filter(|(_, line)| !line.is_empty()).map(one).collect()
}

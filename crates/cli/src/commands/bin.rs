//! `eagleray bin`: counts of events in bins of time, and of energy.

use std::sync::Arc;

use clap::Args;

use crate::arguments::device::DeviceArgs;
use crate::arguments::input::InputArgs;
use crate::arguments::output::{Delivery, OutputArgs};
use crate::number::{counting, edges};
use crate::pictures::histogram::histogram;
use crate::run::{Computer, Steps};
use eagleray::Counting;
use eagleray::data::Product;
use eagleray::data::histogram::EnergyAxis;
use eagleray::internal::engine::CHUNK_EVENTS;
use eagleray::internal::footprint::Footprint;
use eagleray::internal::io::text_file::is_decimal_comma;
use eagleray::internal::io::{InputFile, Lines};
use eagleray::internal::text::{ShortNumber, count};
use eagleray::{Error, Result};

/// Counts of event files in any bins of time, and of energy
#[derive(Args, Debug)]
#[command(
    allow_negative_numbers = true,
    after_help = "Example: eagleray bin obs.evt --times 200000000:200000900:9 -o counts.ecsv"
)]
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
    #[command(flatten)]
    output: OutputArgs,
}

/// Edges of bins; a type of its own, for clap reads a vector as an option that is repeated, and shared, for it copies what it has read.
#[derive(Clone, Debug)]
struct EnergyEdges(Arc<Vec<f64>>);

fn energy_edges(text: &str) -> Result<EnergyEdges, String> {
    edges(text).map(|edges| EnergyEdges(Arc::new(edges)))
}

/// Runs the command.
///
/// # Errors
/// Everything that the library refuses.
pub fn run(args: BinArgs) -> Result<()> {
    let out = &args.output;
    out.check(&[], &[])?;
    let times = time_edges(&args.times)?;
    let observation = args.input.observation(false, &mut |text| out.say(text))?;
    let (energies, axis) = match (&args.energies, &args.channels) {
        (Some(EnergyEdges(edges)), _) => (edges.to_vec(), EnergyAxis::Energy),
        (None, Some(EnergyEdges(edges))) => (edges.to_vec(), EnergyAxis::Channel),
        (None, None) => (Vec::new(), EnergyAxis::None),
    };
    let analysis = Counting::new(times).energies(energies).axis(axis);
    let computer = Computer::new(&DeviceArgs::cpu(), out.manners(), Steps::Events)?.chunk_events(args.chunk_events);
    let made = computer.compute(&analysis, &observation)?.product;
    let text = || {
        let meta = &made.meta;
        let bins = count(meta.n as u64, "bin");
        let energies = if meta.energies > 1 { format!(" and {} of energy", meta.energies) } else { String::new() };
        let (exposure, photons) = (ShortNumber(meta.exposure_total), &meta.record.photons);
        format!("{bins} of time{energies}, {} counts in {exposure} s\nphotons: {photons}\n", meta.nphots)
    };
    let write = |path: &str| made.write(path, out.overwrite);
    out.deliver(
        &Delivery {
            write: &write,
            draw: &|path| histogram(&made, path, out.overwrite),
            json: &|| made.metadata(),
            text: &text,
        },
        &[],
    )
}

/// Edges of time, written out or in a file.
///
/// # Errors
/// Text that is neither edges nor the name of a file; a line of it that is no number.
pub fn time_edges(text: &str) -> Result<Vec<f64>> {
    if !std::path::Path::new(text).is_file() {
        return edges(text)
            .map_err(|e| Error::argument("times", text, format!("{e}; or it is a file that is not there")));
    }
    let source = InputFile::open(std::path::Path::new(text))?;
    let (mut lines, mut edges) = (Lines::new(&source, b"#"), Vec::new());
    let held =
        |edges: usize| Footprint::default().and(edges, 2 * size_of::<f64>()).check(&format!("the edges of {text}"));
    while let Some((number, line)) = lines.next_text()? {
        let bad = |message: String| Error::format(text, format!("line {number}"), message);
        if is_decimal_comma(&line) {
            return Err(bad(format!("`{line}` has a decimal comma; numbers have points")));
        }
        let edge = crate::number::number(&line).map_err(bad)?;
        if edges.len() == edges.capacity() {
            held(2 * edges.len())?;
        }
        edges.push(edge);
    }
    Ok(edges)
}

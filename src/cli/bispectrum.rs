//! `eagleray bispectrum`: bispectrum, bicoherence and biphase.

use clap::Args;
use serde_json::json;

use super::common::{InputArgs, Opened, report, seconds};
use super::number::positive;
use super::output::OutputArgs;
use super::plot_matrix::{Axis, MatrixPicture, matrix};
use crate::error::Result;
use crate::pipeline::{Options, SeriesOptions, bispectrum_of_events, bispectrum_of_light_curve};
use crate::spectrum::bispectrum::Bispectrum;
use crate::text::{Short, count};
use crate::warning::Warnings;

/// Options of `bispectrum`.
#[derive(Args, Debug)]
pub struct BispectrumArgs {
    #[command(flatten)]
    input: InputArgs,
    /// Bin width, s [default: 1/1024 s or the frame time; of a light curve, its own]
    #[arg(long, value_name = "S", value_parser = seconds)]
    dt: Option<f64>,
    /// Length of a segment, s [default: a power of two of bins, at least 50 segments]
    #[arg(long, value_name = "S", value_parser = seconds)]
    segment_size: Option<f64>,
    /// Highest frequency, Hz: pairs grow with its square [default: all]
    #[arg(long, value_name = "HZ", value_parser = positive)]
    max_freq: Option<f64>,
    #[command(flatten)]
    output: OutputArgs,
}

/// Runs the command.
///
/// # Errors
/// Everything that the library refuses.
pub fn run(args: BispectrumArgs) -> Result<()> {
    let output = &args.output;
    output.check(&args.input, &[], &[])?;
    let (dt, segment_size, max_freq) = (args.dt, args.segment_size, args.max_freq);
    let mut warnings = Warnings::default();
    let made = match args.input.open_any(false, &mut warnings)? {
        Opened::Series(series) => {
            let series = super::series::coarser(*series, dt)?;
            let options = SeriesOptions { segment_size, ..SeriesOptions::default() };
            bispectrum_of_light_curve(&series, &options, max_freq, warnings)?
        }
        Opened::Events(files) => {
            let (inputs, combine) = args.input.unread_inputs(&files, &mut |text| output.say(&text))?;
            let options = Options { dt, segment_size, combine, ..Options::default() };
            bispectrum_of_events(inputs, &options, max_freq, warnings, &mut |_| {})?
        }
    };
    report(&made.meta.provenance.warnings, output.strict, output.quiet)?;
    output.table(false, |path| made.product().write(path, output.overwrite))?;
    if let Some(path) = &output.plot {
        picture(&made, path, output.overwrite)?;
    }
    output.table(true, |path| made.product().write(path, output.overwrite))?;
    let peak = made.peak();
    if output.json {
        let mut value = serde_json::to_value(&made.meta).unwrap_or_default();
        value["pairs"] = json!(made.len());
        if let Some(i) = peak {
            value["peak"] = json!({
                "freq1": made.freq1[i], "freq2": made.freq2[i], "bicoherence": made.bicoherence[i],
                "biphase": made.biphase[i], "log10_p": made.log10_p(i),
            });
        }
        return super::print(&format!("{value:#}\n"));
    }
    if !output.quiet {
        let meta = &made.meta;
        eprintln!(
            "{} of {} s ({} of {} s), {} of frequencies",
            count(meta.m, "segment"),
            Short(meta.segment_size),
            count(meta.n as u64, "bin"),
            Short(meta.dt),
            count(made.len() as u64, "pair"),
        );
        if let Some(i) = peak {
            eprintln!(
                "largest squared bicoherence {:.4} at {:.6} and {:.6} Hz, biphase {:.3} rad; in Gaussian noise log10 p = {:.1}, all \
                 pairs counted; the mean there is {:.4}",
                made.bicoherence[i],
                made.freq1[i],
                made.freq2[i],
                made.biphase[i],
                made.log10_p(i),
                meta.noise
            );
        }
    }
    Ok(())
}

/// The squared bicoherence over both frequencies.
fn picture(made: &Bispectrum, path: &str, overwrite: bool) -> Result<()> {
    let df = made.meta.df;
    let number = |f: f64| (f / df).round() as usize;
    let highest = |freq: &[f64]| freq.iter().map(|f| number(*f)).max().unwrap_or(0);
    let (width, height) = (highest(&made.freq1), highest(&made.freq2));
    let mut values = vec![f64::NAN; width * height];
    for i in 0..made.len() {
        values[(number(made.freq1[i]) - 1) * height + number(made.freq2[i]) - 1] = made.bicoherence[i];
    }
    let axis = |name: &str, count: usize| Axis {
        name: format!("{name} (Hz)"),
        edges: (1..=count).map(|k| ((k as f64 - 0.5) * df, (k as f64 + 0.5) * df)).collect(),
        log: false,
    };
    let provenance = &made.meta.provenance;
    let picture = MatrixPicture {
        title: format!(
            "{} {} {}: {}",
            provenance.telescop,
            provenance.instrume,
            provenance.object,
            count(made.meta.m, "segment")
        ),
        x: axis("higher frequency", width),
        y: axis("lower frequency", height),
        values: &values,
        name: "squared bicoherence".into(),
        log: false,
        trace: Vec::new(),
    };
    matrix(&picture, path, overwrite)
}

//! `eagleray bispectrum`: bispectrum, bicoherence and biphase.

use clap::Args;
use serde_json::json;

use crate::arguments::choice::choice;
use crate::arguments::device::DeviceArgs;
use crate::arguments::input::{Compat, InputArgs, seconds};
use crate::arguments::output::{Delivery, OutputArgs, with};
use crate::number::{counting, positive};
use crate::pictures::Drawn;
use crate::run::{Computer, Steps};
use eagleray::Result;
use eagleray::Segmentation;
use eagleray::internal::text::{ShortNumber, count};
use eagleray::science::bispectrum::{Bispectrum, BispectrumMetadata};
use eagleray::science::cumulant::{CumulantBispectrum, CumulantOptions, LagWindow};
use eagleray::{BispectrumOfCumulants, BispectrumOfPairs};

/// Bispectrum: squared bicoherence and biphase of pairs of frequencies
#[derive(Args, Debug)]
#[command(
    allow_negative_numbers = true,
    after_help = "Example: eagleray bispectrum obs.evt --dt 1/64 --segment-size 16 --max-freq 8 --plot bispectrum.png"
)]
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
    /// Follow a peer's definition: the transform of the third-order cumulant, averaged over segments; --segment-size of the whole
    /// light curve is what the peer takes
    #[arg(long, value_enum)]
    compat: Option<Compat>,
    /// Largest lag of the cumulant, bins [default: half a segment]
    #[arg(long, value_name = "N", value_parser = counting, requires = "compat")]
    max_lag: Option<usize>,
    /// Window over the lags [default: none]
    #[arg(long, value_parser = choice::<LagWindow>(), requires = "compat")]
    window: Option<LagWindow>,
    /// Divide each cumulant by the number of its terms, not by that of all bins
    #[arg(long, requires = "compat")]
    unbiased: bool,
    #[command(flatten)]
    output: OutputArgs,
}

impl BispectrumArgs {
    fn cumulant(&self) -> CumulantOptions {
        CumulantOptions { max_lag: self.max_lag, window: self.window, unbiased: self.unbiased, max_freq: self.max_freq }
    }
}

/// Runs the command.
///
/// # Errors
/// Everything that the library refuses.
pub fn run(args: BispectrumArgs) -> Result<()> {
    let output = &args.output;
    output.check(&[], &[])?;
    let observation = args.input.observation(args.compat.is_some(), &mut |text| output.say(text))?;
    let computer = Computer::new(&DeviceArgs::cpu(), output.manners(), Steps::Events)?;
    let mut segmentation = Segmentation::default();
    (segmentation.dt, segmentation.segment_size) = (args.dt, args.segment_size);
    if args.compat.is_some() {
        segmentation.compat_stingray = true;
        let mut analysis = BispectrumOfCumulants::default().cumulant(args.cumulant());
        analysis.segmentation = segmentation;
        return of_cumulant(&computer.compute(&analysis, &observation)?.product, output);
    }
    let mut analysis = BispectrumOfPairs::default();
    (analysis.segmentation, analysis.max_freq) = (segmentation, args.max_freq);
    of_pairs(&computer.compute(&analysis, &observation)?.product, output)
}

fn of_pairs(made: &Bispectrum, output: &OutputArgs) -> Result<()> {
    let peak = made.peak();
    let told = peak.map(|i| {
        json!({
            "freq1": made.freq1[i], "freq2": made.freq2[i], "bicoherence": made.bicoherence[i],
            "biphase": made.biphase[i], "log10_p": made.log10_p(i),
        })
    });
    let text = peak.map_or(String::new(), |i| {
        format!(
            "largest squared bicoherence {:.4} at {:.6} and {:.6} Hz, biphase {:.3} rad; in Gaussian noise log10 p = {:.1}, all \
             pairs counted; the mean there is {:.4}\n",
            made.bicoherence[i],
            made.freq1[i],
            made.freq2[i],
            made.biphase[i],
            made.log10_p(i),
            1.0 / made.meta.m_eff
        )
    });
    deliver(&made.meta, made, (told, text), output)
}

fn of_cumulant(made: &CumulantBispectrum, output: &OutputArgs) -> Result<()> {
    let peak = made.peak();
    let told = peak.map(|i| {
        json!({
            "freq1": made.freq1[i], "freq2": made.freq2[i], "magnitude": made.magnitude[i], "biphase": made.biphase[i],
        })
    });
    let text = peak.map_or(String::new(), |i| {
        format!(
            "by the definition of Stingray, the largest magnitude above 0 Hz is {:.4e} at {:.6} and {:.6} Hz, biphase {:.3} rad\n",
            made.magnitude[i], made.freq1[i], made.freq2[i], made.biphase[i],
        )
    });
    deliver(&made.meta, made, (told, text), output)
}

/// Table, picture and summary, with what is told of the peak.
fn deliver(
    meta: &BispectrumMetadata,
    made: &dyn Drawn,
    (peak, text): (Option<serde_json::Value>, String),
    output: &OutputArgs,
) -> Result<()> {
    let product = made.table();
    let json = || {
        let value = with(product.meta.clone(), [("pairs", json!(product.rows()))]);
        peak.iter().fold(value, |value, peak| with(value, [("peak", peak.clone())]))
    };
    let photons = match meta.record.photons.read {
        0 => String::new(),
        _ => format!("photons: {}\n", meta.record.photons),
    };
    let said = || {
        format!(
            "{} of {} s ({} of {} s), {} of frequencies\n{photons}{text}",
            count(meta.segments, "segment"),
            ShortNumber(meta.segment_size),
            count(meta.n as u64, "bin"),
            ShortNumber(meta.dt),
            count(product.rows() as u64, "pair"),
        )
    };
    let write = |path: &str| product.write(path, output.overwrite);
    let draw = |path: &str| made.draw(path, output.overwrite);
    output.deliver(&Delivery { write: &write, draw: &draw, json: &json, text: &said }, &[])
}

//! `eagleray lc`: light curves of event files.

use clap::Args;

use crate::arguments::device::DeviceArgs;
use crate::arguments::input::{InputArgs, seconds};
use crate::arguments::output::{Delivery, OutputArgs};
use crate::number::counting;
use crate::run::{Computer, Steps};
use eagleray::Binning;
use eagleray::Result;
use eagleray::data::LightCurve;
use eagleray::data::Product;
use eagleray::internal::engine::CHUNK_EVENTS;
use eagleray::internal::text::{ShortNumber, count};

/// Light curve of event files, or of binned light curves made coarser
#[derive(Args, Debug)]
#[command(
    allow_negative_numbers = true,
    after_help = "Example: eagleray lc obs.evt --energy 3:10 --dt 10 -o curve.fits --plot curve.svg"
)]
pub struct LcArgs {
    #[command(flatten)]
    input: InputArgs,
    /// Bin width, s: 1, 0.001, 1/256 [default: a power of two that makes at most 2048 bins, or the frame time]
    #[arg(long, value_name = "S", value_parser = seconds)]
    dt: Option<f64>,
    /// Rows read at a time; changes memory, not results
    #[arg(long, value_name = "N", value_parser = counting, default_value_t = CHUNK_EVENTS)]
    chunk_events: usize,
    #[command(flatten)]
    out: OutputArgs,
}

/// Runs the command.
///
/// # Errors
/// Everything that the library refuses.
pub fn run(args: LcArgs) -> Result<()> {
    args.out.check(&[], &[])?;
    let observation = args.input.observation(false, &mut |text| args.out.say(text))?;
    let mut analysis = Binning::default();
    analysis.dt = args.dt;
    let computer =
        Computer::new(&DeviceArgs::cpu(), args.out.manners(), Steps::Events)?.chunk_events(args.chunk_events);
    let curve = computer.compute(&analysis, &observation)?.product;
    args.out.deliver(
        &Delivery {
            write: &|path| curve.write(path, args.out.overwrite),
            draw: &|path| crate::pictures::light_curve::light_curve(&curve, path, args.out.overwrite),
            json: &|| curve.metadata(),
            text: &|| summary(&curve),
        },
        &[],
    )
}

fn summary(curve: &LightCurve) -> String {
    let meta = &curve.meta;
    let mut text = format!(
        "{} of {} s, {} s exposed, {} counts, mean rate {} counts/s\n",
        count(meta.n as u64, "bin"),
        ShortNumber(meta.dt),
        ShortNumber(meta.exposure),
        ShortNumber(meta.nphots),
        ShortNumber(meta.mean)
    );
    if meta.record.photons.read > 0 {
        text += &format!("photons: {}\n", meta.record.photons);
    }
    text
}

//! `eagleray dyn`: dynamical power spectra, and cross spectra of two bands.

use clap::Args;
use serde_json::json;

use super::dynamical_cross;
use crate::arguments::device::DeviceArgs;
use crate::arguments::input::InputArgs;
use crate::arguments::output::{Delivery, OutputArgs, with};
use crate::arguments::spectrum::{SpectrumArgs, noise_level};
use crate::number::{NumberRange, closed_range, counting, number, range};
use crate::pictures::dynamical::{ColourScale, dynamical_power};
use crate::run::{Computed, Computer, Steps, report};
use eagleray::PlanReport;
use eagleray::Result;
use eagleray::data::Product;
use eagleray::internal::segment::plan::Resolution;
use eagleray::internal::text::{ShortNumber, count};
use eagleray::science::dynamical::RowPeak;
use eagleray::science::{DynamicalPowerSpectrum, NoiseLevel, Rebin, TimeRebin};
use eagleray::{DynamicalSpectrum, PowerSpectrum};

/// Bytes of a cell as text, in order of magnitude.
const TEXT_BYTES: u64 = 60;
/// Bytes of text that are worth a warning.
const LONG_TEXT: u64 = 1 << 30;

/// Dynamical power or cross spectrum: time × frequency, traces of the largest power, shift-and-add
#[derive(Args, Debug)]
#[command(
    allow_negative_numbers = true,
    after_help = "Example: eagleray dyn obs.evt --dt 1/64 --segment-size 16 --rebin-time 4 -o dyn.fits --plot dyn.png"
)]
pub struct DynArgs {
    #[command(flatten)]
    pub(super) input: InputArgs,
    /// Band of the subject in keV, LO <= E < HI, of a dynamical cross spectrum; a positive lag says that the subject is late
    #[arg(long, value_name = "LO:HI", value_parser = range, requires = "reference", conflicts_with_all = ["background", "subtract_noise", "trace"])]
    pub(super) subject: Option<NumberRange>,
    /// Band of the reference in keV; photons of both bands leave one of them
    #[arg(long = "ref", id = "reference", value_name = "LO:HI", value_parser = range, requires = "subject")]
    pub(super) reference: Option<NumberRange>,
    /// Channels of the subject, both included, where energies are not known
    #[arg(long, value_name = "LO:HI", value_parser = closed_range, requires = "ref_pi", conflicts_with_all = ["subject", "background", "subtract_noise", "trace"])]
    pub(super) subject_pi: Option<NumberRange>,
    /// Channels of the reference, both included
    #[arg(long, value_name = "LO:HI", value_parser = closed_range, requires = "subject_pi")]
    pub(super) ref_pi: Option<NumberRange>,
    /// The dynamical cross spectrum of two files, the subject's and the reference's: of events, or of light curves with the same bins
    #[arg(long, conflicts_with_all = ["subject", "subject_pi", "background", "subtract_noise", "trace"])]
    pub(super) cross: bool,
    #[command(flatten)]
    pub(super) spectrum: SpectrumArgs,
    /// Average this many neighbouring segments into one row; rows begin anew after gaps
    #[arg(long, value_name = "N", value_parser = counting, conflicts_with = "rebin_time_log")]
    rebin_time: Option<usize>,
    /// Average segments into rows whose lengths grow by 1+F
    #[arg(long, value_name = "F", value_parser = number)]
    rebin_time_log: Option<f64>,
    /// Average segments on both sides of gaps into one row, too
    #[arg(long)]
    across_gaps: bool,
    /// Background in the mean rate, counts/s
    #[arg(long, value_name = "RATE", value_parser = number, default_value = "0")]
    background: f64,
    /// Noise level: that of each row's Poisson counts, a value in the normalisation of the powers, or none
    #[arg(long, value_name = "poisson|VALUE|none", value_parser = noise_level, default_value = "poisson")]
    pub(super) noise: NoiseLevel,
    /// Subtract each row's noise level from its powers
    #[arg(long)]
    subtract_noise: bool,
    /// Follow the largest power from LO to HI Hz through the rows: in the summary, --json and the picture
    #[arg(long, value_name = "LO:HI", value_parser = range)]
    trace: Option<NumberRange>,
    /// Average the rows, each shifted so that its frequency of --trace is the same: a table of that spectrum
    #[arg(long, value_name = "FILE", requires = "trace")]
    shift_add: Option<String>,
    /// Bins on either side of the traced frequency in that table
    #[arg(long, value_name = "N", value_parser = counting, default_value = "50", requires = "shift_add")]
    shift_half: usize,
    /// Colours of the picture by the logarithm of the powers, or linear [default: log, where all powers are positive]
    #[arg(long, value_enum, requires = "plot")]
    pub(super) plot_scale: Option<ColourScale>,
    #[command(flatten)]
    pub(super) device: DeviceArgs,
    #[command(flatten)]
    pub(super) output: OutputArgs,
    /// Only the plan: segments, rows, frequencies, memory
    #[arg(long)]
    pub(super) dry_run: bool,
}

impl DynArgs {
    pub(super) fn time(&self) -> TimeRebin {
        let rebin = match (self.rebin_time, self.rebin_time_log) {
            (Some(by), _) => Rebin::Linear(by),
            (None, Some(growth)) => Rebin::Geometric(growth),
            (None, None) => Rebin::None,
        };
        TimeRebin { rebin, across_gaps: self.across_gaps }
    }

    fn analysis(&self) -> DynamicalSpectrum {
        let mut spectrum = PowerSpectrum::default()
            .norm(self.spectrum.norm)
            .use_common_mean(self.spectrum.use_common_mean)
            .rebin(self.spectrum.rebinning())
            .background(self.background)
            .noise(self.noise)
            .subtract_noise(self.subtract_noise)
            .min_fracexp(self.spectrum.min_fracexp);
        spectrum.segmentation = self.spectrum.segmentation();
        DynamicalSpectrum::default().spectrum(spectrum).time(self.time())
    }
}

/// Runs the command.
///
/// # Errors
/// Everything that the library refuses.
pub fn run(args: DynArgs) -> Result<()> {
    args.device.check()?;
    args.output.check(&[], &[&args.shift_add])?;
    args.spectrum.rebinning().ranges(1)?;
    args.time().rebin.ranges(1)?;
    if args.cross || args.subject.or(args.subject_pi).is_some() {
        return dynamical_cross::run(&args);
    }
    let observation = args.input.observation(args.spectrum.compat.is_some(), &mut |text| args.output.say(text))?;
    let computer =
        Computer::new(&args.device, args.output.manners(), Steps::Events)?.chunk_events(args.spectrum.chunk_events);
    let analysis = args.analysis();
    if args.dry_run {
        let plan = computer.plan(&analysis, &observation)?;
        return crate::terminal::print(&describe(&plan, args.output.json));
    }
    deliver(computer.compute(&analysis, &observation)?, &args)
}

fn describe(plan: &PlanReport, as_json: bool) -> String {
    let Some(Resolution { n, segment_size: size, .. }) = plan.resolution else { return String::new() };
    let (count_, (rows, columns)) = (plan.segments, plan.matrix.unwrap_or_default());
    let bytes = rows.saturating_mul(8 * columns as u64);
    if as_json {
        let value = json!({
            "segments": count_, "segment_size": size, "n": n, "rows": rows, "frequencies": columns, "matrix_bytes": bytes,
        });
        return format!("{value:#}\n");
    }
    format!(
        "segments   {count_} of {} s, {} each\n\
         matrix     {} at most, {} each: {} MB of memory\n",
        ShortNumber(size),
        count(n as u64, "bin"),
        count(rows, "row"),
        if columns == 1 { "1 frequency".into() } else { format!("{columns} frequencies") },
        ShortNumber((bytes as f64 / 1e5).ceil() / 10.0)
    )
}

fn deliver(made: Computed<DynamicalPowerSpectrum>, args: &DynArgs) -> Result<()> {
    let Computed { product: mut spectrum, told } = made;
    let output = &args.output;
    let trace = match args.trace {
        Some(band) => spectrum.follow_maximum(band.lo, band.hi)?,
        None => Vec::new(),
    };
    let text = TEXT_BYTES.saturating_mul(spectrum.power.len() as u64);
    if text > LONG_TEXT && output.output.as_deref().is_some_and(|path| !path.ends_with(".fits")) {
        let message = format!("text of {} cells takes about {} GB; .fits is smaller", spectrum.power.len(), text >> 30);
        spectrum.meta.record.warnings.push("W-MATRIX-SIZE", message);
    }
    report(&spectrum.meta.record.warnings.except(&told), output.strict, output.quiet)?;
    let overwrite = output.overwrite;
    let shift_add = |path: &str| {
        let f0: Vec<f64> = trace.iter().map(|peak| peak.freq).collect();
        spectrum.shift_and_add(&f0, args.shift_half)?.table().write(path, overwrite)
    };
    let draw = |path: &str| dynamical_power(&spectrum, &trace, args.plot_scale, path, overwrite);
    let json = || {
        let (rows, columns) = spectrum.axes.shape();
        let value = serde_json::to_value(&spectrum.meta).unwrap_or_default();
        let value = with(value, [("rows", json!(rows)), ("frequencies", json!(columns))]);
        if args.trace.is_some() { with(value, [("trace", json!(trace))]) } else { value }
    };
    let write = |path: &str| spectrum.write(path, overwrite);
    let made = Delivery { write: &write, draw: &draw, json: &json, text: &|| summary(&spectrum, &trace) };
    output.deliver(&made, &[(&args.shift_add, &shift_add)])
}

fn summary(spectrum: &DynamicalPowerSpectrum, trace: &[RowPeak]) -> String {
    let (meta, axes) = (&spectrum.meta, &spectrum.axes);
    let (rows, columns) = axes.shape();
    let skipped = match meta.skipped_segments {
        0 => String::new(),
        skipped => format!(", {} skipped", count(skipped, "segment")),
    };
    let mut text = format!(
        "{} of {} s ({} of {} s){skipped}: {} of {columns} frequencies; {} on {}\n",
        count(meta.segments, "segment"),
        ShortNumber(meta.segment_size),
        count(meta.n as u64, "bin"),
        ShortNumber(meta.dt),
        count(rows as u64, "row"),
        meta.record.device.backend,
        meta.record.device.adapter,
    );
    if meta.record.photons.read > 0 {
        text += &format!("photons: {}\n", meta.record.photons);
    }
    let largest = |of: &[RowPeak]| of.iter().copied().max_by(|a, b| a.power.total_cmp(&b.power));
    if let Some(peak) = largest(trace) {
        let freq = |pick: fn(f64, f64) -> f64| trace.iter().map(|p| p.freq).fold(peak.freq, pick);
        let (lo, hi) = (freq(f64::min), freq(f64::max));
        text += &format!("largest powers of the rows are from {lo:.6} to {hi:.6} Hz\n");
    }
    let all = spectrum.follow_maximum(f64::NEG_INFINITY, f64::INFINITY).unwrap_or_default();
    if let Some(peak) = largest(&all) {
        text += &format!("largest power {:.4} at {:.6} Hz, time {} s\n", peak.power, peak.freq, peak.time);
    }
    text
}

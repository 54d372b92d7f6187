//! `eagleray varenergy`: lags, covariance, rms, excess variance and counts against energy.

use clap::{Args, ValueEnum};
use serde_json::json;

use crate::arguments::device::DeviceArgs;
use crate::arguments::input::{InputArgs, OpenedInputs, channels_of_band, report, seconds};
use crate::arguments::output::{OutputArgs, with_bar};
use crate::number::{NumberRange, counting, number, range};
use eagleray::data::ChannelRange;
use eagleray::engine::{
    CHUNK_EVENTS, EnergyBands, EnergyPlan, EnergySpectrumOptions, Events, energy_spectrum_of_events,
};
use eagleray::internal::kernels::cross_spectrum::MOST_SUBJECTS;
use eagleray::internal::text::{ShortNumber, count};
use eagleray::io::EventFile;
use eagleray::science::{Band, EnergyKind, EnergyOptions, EnergySpectrum};
use eagleray::{Error, Result, Warnings};

/// Options of `varenergy`.
#[derive(Args, Debug)]
pub struct VarenergyArgs {
    #[command(flatten)]
    input: InputArgs,
    /// Bands in keV: N equal ones from LO to HI (LO:HI:N), equal on a logarithmic scale (LO:HI:N:log), or their edges (E0,E1,…)
    #[arg(long, value_name = "LO:HI:N[:log]|E0,E1,…", value_parser = edges, allow_hyphen_values = true)]
    energies: Option<BandEdges>,
    /// Bands of channels, as --energies; a band ends below the edge that begins the next
    #[arg(long, value_name = "LO:HI:N[:log]|C0,C1,…", value_parser = edges, allow_hyphen_values = true,
        conflicts_with = "energies", required_unless_present = "energies")]
    energies_pi: Option<BandEdges>,
    /// Frequencies, Hz: the mean cross spectrum from LO to HI is what is measured
    #[arg(long, value_name = "LO:HI", value_parser = range)]
    freq: Option<NumberRange>,
    /// What is measured: lags behind the reference, covariance with it, rms, excess variance, or counts
    #[arg(long, value_enum, default_value = "lag")]
    kind: KindArg,
    /// Reference band in keV [default: all bands]; a band inside it leaves it, for itself
    #[arg(long = "ref", id = "reference", value_name = "LO:HI", value_parser = range, allow_hyphen_values = true, requires = "energies")]
    reference: Option<NumberRange>,
    /// Channels of the reference, both included
    #[arg(long, value_name = "LO:HI", value_parser = range, allow_hyphen_values = true, requires = "energies_pi")]
    ref_pi: Option<NumberRange>,
    /// frac: over the mean rate of the band; abs: in counts/s [default: abs for covariance, frac for rms and excess variance]
    #[arg(long, value_enum)]
    norm: Option<NormArg>,
    /// Bin width, s: 0.001, 1/256, 2^-13 [default: 1/1024 s or the frame time]
    #[arg(long, value_name = "S", value_parser = seconds)]
    dt: Option<f64>,
    /// Length of a segment, s [default: a power of two of bins, at least 50 segments]
    #[arg(long, value_name = "S", value_parser = seconds)]
    segment_size: Option<f64>,
    #[command(flatten)]
    device: DeviceArgs,
    /// Rows read at a time; changes memory, not results
    #[arg(long, value_name = "N", value_parser = counting, default_value_t = CHUNK_EVENTS)]
    chunk_events: usize,
    #[command(flatten)]
    out: OutputArgs,
    /// Only the plan: bands, segments, frequencies
    #[arg(long)]
    dry_run: bool,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
enum KindArg {
    Lag,
    Covariance,
    Rms,
    Excvar,
    Count,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
enum NormArg {
    Frac,
    Abs,
}

/// Edges of bands, rising.
#[derive(Clone, Debug, PartialEq)]
struct BandEdges(Vec<f64>);

/// Parses `LO:HI:N[:log]` or `E0,E1,…`.
fn edges(text: &str) -> Result<BandEdges, String> {
    let usage = || format!("'{text}' are no bands: write LO:HI:N, LO:HI:N:log or edges E0,E1,…, for example 3:10:7");
    let edges: Vec<f64> = match text.split(':').collect::<Vec<_>>()[..] {
        [list] => list.split(',').map(number).collect::<Result<_, _>>()?,
        [lo, hi, bands, ref scale @ ..] if scale.is_empty() || *scale == ["log"] => {
            let (lo, hi, bands) = (number(lo)?, number(hi)?, counting(bands)?);
            let logarithmic = !scale.is_empty();
            if logarithmic && lo <= 0.0 {
                return Err(format!("'{text}': bands equal on a logarithmic scale begin above zero"));
            }
            let part = |i: usize| i as f64 / bands as f64;
            let edge = |i: usize| if logarithmic { lo * (hi / lo).powf(part(i)) } else { lo + (hi - lo) * part(i) };
            // Edges are decimals, as channels have decimal energies: digits that only rounding made must not decide.
            let rounded = |i: usize| format!("{:.11e}", edge(i)).parse().unwrap_or(f64::NAN);
            let inner = (1..bands.min(MOST_SUBJECTS + 1)).map(rounded);
            std::iter::once(lo).chain(inner).chain([hi]).collect()
        }
        _ => return Err(usage()),
    };
    if edges.len() < 2 {
        return Err(usage());
    }
    if let Some(pair) = edges.windows(2).find(|pair| pair[0] >= pair[1]) {
        return Err(format!("'{text}': edges must rise, but {} is followed by {}", pair[0], pair[1]));
    }
    if edges.len() > MOST_SUBJECTS + 1 {
        return Err(format!(
            "'{text}': one pass takes at most {MOST_SUBJECTS} bands; ask for the others in another run"
        ));
    }
    Ok(BandEdges(edges))
}

impl VarenergyArgs {
    /// The bands, by energy or by channel.
    fn bands(&self) -> Result<EnergyBands> {
        let channels = self.energies_pi.is_some();
        let Some(BandEdges(edges)) = self.energies.as_ref().or(self.energies_pi.as_ref()) else {
            return Err(Error::argument("energies", "", "the bands are needed"));
        };
        if let Some(edge) = edges.iter().find(|edge| channels && edge.fract() != 0.0) {
            return Err(Error::argument("energies_pi", edge, "channels are whole numbers"));
        }
        let last = |edge: f64| if channels { edge - 1.0 } else { edge };
        let subjects: Vec<Band> = edges.windows(2).map(|pair| Band { lo: pair[0], hi: last(pair[1]) }).collect();
        let given = self.reference.or(self.ref_pi).map(|range| Band { lo: range.lo, hi: range.hi });
        let all = Band { lo: edges[0], hi: last(edges[edges.len() - 1]) };
        Ok(EnergyBands { reference: given.unwrap_or(all), subjects, channels })
    }

    fn options(&self, combine: eagleray::engine::Combine) -> Result<EnergySpectrumOptions> {
        let kind = match self.kind {
            KindArg::Lag => EnergyKind::Lag,
            KindArg::Covariance => EnergyKind::Covariance,
            KindArg::Rms => EnergyKind::Rms,
            KindArg::Excvar => EnergyKind::Excvar,
            KindArg::Count => EnergyKind::Count,
        };
        if self.norm.is_some() && matches!(kind, EnergyKind::Lag | EnergyKind::Count) {
            return Err(Error::argument("norm", "", "lags and counts have no normalisation"));
        }
        if let (EnergyKind::Count, Some(freq)) = (kind, self.freq) {
            let text = format!("{}:{}", freq.lo, freq.hi);
            return Err(Error::argument("freq", text, "counts have no frequencies; leave it out"));
        }
        let defaults = EnergySpectrumOptions::new(kind, self.freq.map(|f| [f.lo, f.hi]));
        let fractional = self.norm.map_or(defaults.energy.fractional, |norm| norm == NormArg::Frac);
        Ok(EnergySpectrumOptions {
            dt: self.dt,
            segment_size: self.segment_size,
            combine,
            energy: EnergyOptions { fractional, ..defaults.energy },
            chunk_events: self.chunk_events,
        })
    }

    /// What can be refused before any file is opened.
    fn check(&self) -> Result<()> {
        self.device.check()?;
        if self.input.energy.is_some() || self.input.pi.is_some() {
            let message = "the bands are those of --energies and --ref";
            let field = if self.input.energy.is_some() { "energy" } else { "pi" };
            return Err(Error::argument(field, "", message));
        }
        if self.kind != KindArg::Count && self.freq.is_none() {
            let message = "the frequencies LO:HI, Hz, to average over are needed, for example --freq 0.1:1";
            return Err(Error::argument("freq", "", message));
        }
        self.options(eagleray::engine::Combine::Average)?;
        self.out.check(&self.input, &[], &[])
    }

    /// The channels of a band in a file.
    fn channels(file: &EventFile, band: Band, channels: bool, field: &str) -> Result<ChannelRange> {
        match channels {
            true => Ok(ChannelRange::channels(band.lo, band.hi)),
            false => channels_of_band(file, (field, "energies_pi"), band.lo, band.hi),
        }
    }

    /// The events of a file in the reference and the bands.
    fn events<'a>(&self, file: &'a EventFile, bands: &EnergyBands, say: &mut dyn FnMut(String)) -> Result<Events<'a>> {
        let channels = bands.channels;
        let mut ranges = vec![VarenergyArgs::channels(file, bands.reference, channels, "reference")?];
        for &band in &bands.subjects {
            ranges.push(VarenergyArgs::channels(file, band, channels, "energies")?);
        }
        if let (false, [reference, .., last]) = (channels, &ranges[..]) {
            let close = |r: &ChannelRange| if r.closed { ']' } else { ')' };
            say(format!(
                "{}: reference {} in [{}, {}{}, {} in [{}, {}{}",
                file.path(),
                file.channel_name().unwrap_or_default(),
                reference.lo,
                reference.hi,
                close(reference),
                count(bands.subjects.len() as u64, "band"),
                ranges[1].lo,
                last.hi,
                close(last)
            ));
        }
        Events::from_bands(file, &ranges, self.input.detector.clone())
    }
}

/// Runs the command.
///
/// # Errors
/// Everything that the library refuses.
pub fn run(args: VarenergyArgs) -> Result<()> {
    args.check()?;
    let bands = args.bands()?;
    let talk = !args.out.quiet;
    let mut warnings = Warnings::default();
    let OpenedInputs::Events(files) = args.input.open_any(false, &mut warnings)? else {
        return Err(Error::argument("files", "light curve", "bands of energy are made of events"));
    };
    let mut say = |text: String| {
        if talk {
            eprintln!("eagleray: {text}");
        }
    };
    let inputs = files.iter().map(|file| args.events(file, &bands, &mut say)).collect::<Result<Vec<_>>>()?;
    let (mut inputs, combine) = args.input.join(inputs)?;
    let options = args.options(combine)?;
    if args.dry_run || args.out.strict {
        for input in &mut inputs {
            input.prepare(&mut warnings)?;
        }
    }
    // What is odd about the files or the plan is said before the work begins.
    let mut told = warnings.clone();
    let plan = match args.kind {
        KindArg::Count => None,
        _ => Some(EnergyPlan::new(&inputs, &bands, &options, &mut told)?),
    };
    report(&told, args.out.strict, args.out.quiet)?;
    if args.dry_run {
        return crate::terminal::print(&describe(plan.as_ref(), &bands, &args));
    }
    let mut backend = args.device.open(&mut warnings)?;
    let spectrum = with_bar(talk, |progress| {
        energy_spectrum_of_events(inputs, &bands, &options, backend.as_mut(), warnings, progress)
    })?;
    deliver(&spectrum, &told, &args)
}

fn describe(plan: Option<&EnergyPlan>, bands: &EnergyBands, args: &VarenergyArgs) -> String {
    let planned = plan.map(|EnergyPlan { plan, frequencies, .. }| {
        let r = plan.resolution;
        json!({
            "n": r.n, "dt": r.dt, "segment_size": r.segment_size, "segments": plan.total_segments(), "nfreq": frequencies,
            "values": plan.total_segments() * *frequencies as u64, "exposure": plan.exposure(),
        })
    });
    let each = |band: &Band| json!([band.lo, band.hi]);
    let value = json!({
        "reference": each(&bands.reference), "bands": bands.subjects.iter().map(each).collect::<Vec<_>>(), "plan": planned,
    });
    if args.out.json {
        return format!("{value:#}\n");
    }
    let unit = if bands.channels { "channels" } else { "keV" };
    let mut text = format!("reference  {}:{} {unit}\nbands     ", bands.reference.lo, bands.reference.hi);
    bands.subjects.iter().for_each(|band| text += &format!(" {}:{}", band.lo, band.hi));
    text += &format!(" {unit}\n");
    if let Some(EnergyPlan { plan, frequencies, .. }) = plan {
        let r = plan.resolution;
        text += &format!(
            "segments   {} of {} s, {} of {} s each, of {} s of good time\naverages   {} a segment, {} in each band\n",
            plan.total_segments(),
            ShortNumber(r.segment_size),
            count(r.n as u64, "bin"),
            ShortNumber(r.dt),
            ShortNumber(plan.exposure()),
            if *frequencies == 1 { "1 frequency".into() } else { format!("{frequencies} frequencies") },
            count(plan.total_segments() * *frequencies as u64, "value"),
        );
    }
    text
}

fn deliver(spectrum: &EnergySpectrum, told: &Warnings, args: &VarenergyArgs) -> Result<()> {
    report(&spectrum.meta.record.warnings.except(told), args.out.strict, args.out.quiet)?;
    // Files first: a reader of standard output that has seen enough must not cost any of them.
    if let Some(path) = args.out.output.as_deref().filter(|path| *path != "-") {
        spectrum.table().write(path, args.out.overwrite)?;
    }
    if let Some(path) = &args.out.plot {
        crate::pictures::energy::energy_spectrum(spectrum, path, args.out.overwrite)?;
    }
    if args.out.output.as_deref() == Some("-") {
        spectrum.table().write("-", args.out.overwrite)?;
    }
    if args.out.json {
        let mut value = serde_json::to_value(&spectrum.meta).unwrap_or_default();
        value["bands"] = json!(spectrum.len());
        return crate::terminal::print(&format!("{value:#}\n"));
    }
    if !args.out.quiet {
        eprint!("{}", summary(spectrum));
    }
    Ok(())
}

fn summary(spectrum: &EnergySpectrum) -> String {
    let meta = &spectrum.meta;
    let unit = if meta.channels { "" } else { " keV" };
    let mut text = String::new();
    if let Some(s) = &meta.segments {
        text += &format!(
            "{} of {} s ({} of {} s), {} from {} to {} Hz; {} on {}\n",
            count(s.m, "segment"),
            ShortNumber(s.segment_size),
            count(s.n as u64, "bin"),
            ShortNumber(s.dt),
            if s.nfreq == 1 { "1 frequency".into() } else { format!("{} frequencies", s.nfreq) },
            ShortNumber(s.freq_band[0]),
            ShortNumber(s.freq_band[1]),
            meta.record.device.backend,
            meta.record.device.adapter
        );
    }
    text += &format!("photons: {}\n", meta.record.photons);
    let what = match meta.kind {
        EnergyKind::Lag => "lag, s",
        EnergyKind::Covariance => "covariance",
        EnergyKind::Rms => "rms",
        EnergyKind::Excvar => "excess variance",
        EnergyKind::Count => "photons",
    };
    let of = match meta.norm {
        "abs" if meta.kind == EnergyKind::Excvar => ", (counts/s)²",
        "abs" => ", counts/s",
        "frac" => ", fractional",
        _ if meta.kind == EnergyKind::Lag => " (positive: later than the reference)",
        _ => "",
    };
    let reference = meta.reference.map_or(String::new(), |r| format!("; reference {} to {}{unit}", r.lo, r.hi));
    text += &format!("{what}{of}{reference}:\n");
    for i in 0..spectrum.len() {
        let (lo, hi) = (spectrum.energy_lo[i], spectrum.energy_hi[i]);
        text += &format!("  {lo} to {hi}{unit}: {:.4e} ± {:.1e}\n", spectrum.value[i], spectrum.value_err[i]);
    }
    text
}

//! `eagleray varenergy`: lags, covariance, rms, excess variance and counts against energy.

use clap::{ArgGroup, Args, ValueEnum};
use serde_json::json;

use crate::arguments::choice::choice;
use crate::arguments::device::DeviceArgs;
use crate::arguments::input::{InputArgs, seconds};
use crate::arguments::output::{Delivery, OutputArgs, with};
use crate::number::{NumberRange, counting, number, range};
use crate::run::{Computer, Steps};
use eagleray::EnergyDependence;
use eagleray::data::ChannelRange;
use eagleray::data::Product;
use eagleray::files::EventFile;
use eagleray::internal::engine::CHUNK_EVENTS;
use eagleray::internal::kernels::cross_spectrum::MOST_SUBJECTS;
use eagleray::internal::text::{ShortNumber, count};
use eagleray::science::{Band, EnergyKind, EnergySpectrum};
use eagleray::{EnergyBands, PhotonBand, PlanReport};
use eagleray::{Error, Result};

/// Lags, covariance, rms, excess variance or counts against energy, all bands in one pass
#[derive(Args, Debug)]
#[command(group = ArgGroup::new("bands").args(["energies", "energies_pi"]).required(true))]
#[command(
    allow_negative_numbers = true,
    after_help = "Example: eagleray varenergy obs.evt --energies 1:10:5:log --freq 0.1:1 --kind lag -o lags.ecsv --plot lags.svg"
)]
pub struct VarenergyArgs {
    #[command(flatten)]
    input: InputArgs,
    /// Bands in keV: N equal ones from LO to HI (LO:HI:N), equal on a logarithmic scale (LO:HI:N:log), or their edges (E0,E1,…)
    #[arg(long, value_name = "LO:HI:N[:log]|E0,E1,…", value_parser = edges, allow_hyphen_values = true)]
    energies: Option<BandEdges>,
    /// Bands of channels, as --energies; a band ends below the edge that begins the next
    #[arg(long, value_name = "LO:HI:N[:log]|C0,C1,…", value_parser = edges, allow_hyphen_values = true,
        conflicts_with = "energies")]
    energies_pi: Option<BandEdges>,
    /// Frequencies, Hz: the mean cross spectrum from LO to HI is what is measured
    #[arg(long, value_name = "LO:HI", value_parser = range)]
    freq: Option<NumberRange>,
    /// What is measured: lags behind the reference, covariance with it, rms, excess variance (in which segments count by the squares of their rates), or counts
    #[arg(long, value_parser = choice::<EnergyKind>(), default_value = "lag")]
    kind: EnergyKind,
    /// Reference band in keV [default: all bands]; a band inside it leaves it, for itself
    #[arg(long = "ref", id = "reference", value_name = "LO:HI", value_parser = range, allow_hyphen_values = true, requires = "energies", conflicts_with = "energies_pi")]
    reference: Option<NumberRange>,
    /// Channels of the reference, both included
    #[arg(long, value_name = "LO:HI", value_parser = range, allow_hyphen_values = true, requires = "energies_pi", conflicts_with = "energies")]
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

    fn analysis(&self) -> Result<EnergyDependence> {
        if self.norm.is_some() && matches!(self.kind, EnergyKind::Lag | EnergyKind::Count) {
            return Err(Error::argument("norm", "", "lags and counts have no normalisation"));
        }
        if self.kind == EnergyKind::Count && self.freq.is_some() {
            return Err(Error::argument("freq", "", "counts have no frequencies"));
        }
        let mut made = EnergyDependence::new(self.kind, self.bands()?);
        made.energy.freq = self.freq.map(|f| [f.lo, f.hi]);
        if let Some(norm) = self.norm {
            made.energy.fractional = norm == NormArg::Frac;
        }
        (made.segmentation.dt, made.segmentation.segment_size) = (self.dt, self.segment_size);
        Ok(made)
    }

    /// What can be refused before any file is opened.
    fn check(&self) -> Result<()> {
        self.device.check()?;
        if self.input.energy.is_some() || self.input.pi.is_some() {
            let message = "the bands are those of the energy spectrum and its reference";
            let field = if self.input.energy.is_some() { "energy" } else { "pi" };
            return Err(Error::argument(field, "", message));
        }
        if self.kind != EnergyKind::Count && self.freq.is_none() {
            let message = "the frequencies LO:HI, Hz, to average over are needed, for example 0.1:1";
            return Err(Error::argument("freq", "", message));
        }
        self.analysis().map(drop)?;
        self.out.check(&[], &[])
    }

    /// Says which channels the bands are in a file.
    fn tell_bands(&self, file: &EventFile, bands: &EnergyBands) -> Result<()> {
        let channels = |band: Band, field| PhotonBand::Energy(band.lo, band.hi).channels(file, (field, "energies_pi"));
        let (Some(first), Some(last)) = (bands.subjects.first(), bands.subjects.last()) else { return Ok(()) };
        let reference = channels(bands.reference, "reference")?;
        let (first, last) = (channels(*first, "energies")?, channels(*last, "energies")?);
        let close = |r: &ChannelRange| if r.closed { ']' } else { ')' };
        self.out.say(&format!(
            "{}: reference {} in [{}, {}{}, {} in [{}, {}{}",
            file.path(),
            file.channel_name().unwrap_or_default(),
            reference.lo,
            reference.hi,
            close(&reference),
            count(bands.subjects.len() as u64, "band"),
            first.lo,
            last.hi,
            close(&last)
        ));
        Ok(())
    }
}

/// Runs the command.
///
/// # Errors
/// Everything that the library refuses.
pub fn run(args: VarenergyArgs) -> Result<()> {
    args.check()?;
    let analysis = args.analysis()?;
    let observation = args.input.observation(false, &mut |text| args.out.say(text))?;
    if !analysis.bands.channels {
        observation.files().into_iter().try_for_each(|file| args.tell_bands(file, &analysis.bands))?;
    }
    let computer = Computer::new(&args.device, args.out.manners(), Steps::Events)?.chunk_events(args.chunk_events);
    if args.dry_run {
        let plan = computer.plan(&analysis, &observation)?;
        return crate::terminal::print(&describe(&plan, &analysis.bands, &args));
    }
    let spectrum = computer.compute(&analysis, &observation)?.product;
    let (out, overwrite) = (&args.out, args.out.overwrite);
    out.deliver(
        &Delivery {
            write: &|path| spectrum.write(path, overwrite),
            draw: &|path| crate::pictures::energy::energy_spectrum(&spectrum, path, overwrite),
            json: &|| with(spectrum.metadata(), [("bands", json!(spectrum.len()))]),
            text: &|| summary(&spectrum),
        },
        &[],
    )
}

fn describe(plan: &PlanReport, bands: &EnergyBands, args: &VarenergyArgs) -> String {
    let (segments, exposure, values) = (plan.segments, plan.exposure, plan.segments * plan.frequencies as u64);
    let planned = plan.resolution.map(|r| {
        json!({
            "n": r.n, "dt": r.dt, "segment_size": r.segment_size, "segments": segments, "nfreq": plan.frequencies,
            "values": values, "exposure": exposure,
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
    if let Some(r) = plan.resolution {
        text += &format!(
            "segments   {segments} of {} s, {} of {} s each, of {} s of good time\naverages   {} a segment, {} in each band\n",
            ShortNumber(r.segment_size),
            count(r.n as u64, "bin"),
            ShortNumber(r.dt),
            ShortNumber(exposure),
            if plan.frequencies == 1 { "1 frequency".into() } else { format!("{} frequencies", plan.frequencies) },
            count(values, "value"),
        );
    }
    text
}

fn summary(spectrum: &EnergySpectrum) -> String {
    let meta = &spectrum.meta;
    let unit = if meta.channels { "" } else { " keV" };
    let mut text = String::new();
    if let Some(s) = &meta.averaged {
        text += &format!(
            "{} of {} s ({} of {} s), {} from {} to {} Hz; {} on {}\n",
            count(s.segments, "segment"),
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
    let of = match meta.norm.as_str() {
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

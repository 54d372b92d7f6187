//! `eagleray info`: what files hold, and what they are taken for.

use clap::Args;
use serde_json::{Value, json};

use super::light_curves;
use crate::arguments::input::{InputArgs, band_in_words, expand_lists};
use crate::number::NumberRange;
use crate::run::report;
use eagleray::data::LightCurve;
use eagleray::files::EventFile;
use eagleray::internal::engine::CHUNK_EVENTS;
use eagleray::internal::io::{EventStream, InputFile, Selection};
use eagleray::internal::segment::plan::{Resolution, ResolutionRequest};
use eagleray::internal::text::{ShortNumber, count, plain};
use eagleray::{Observation, PowerSpectrum, Result, Session, Warnings};

/// What event files hold: mission, events, intervals, clock, suggested dt and segment size
#[derive(Args, Debug)]
#[command(allow_negative_numbers = true, after_help = "Example: eagleray info obs.evt --json")]
pub struct InfoArgs {
    #[command(flatten)]
    input: InputArgs,
    /// As JSON
    #[arg(long)]
    json: bool,
    /// No warnings
    #[arg(long)]
    quiet: bool,
    /// Warnings are errors
    #[arg(long)]
    strict: bool,
}

/// Runs the command.
///
/// # Errors
/// A file cannot be read; a selection of events that a file does not allow.
pub fn run(args: InfoArgs) -> Result<()> {
    let mut warnings = Warnings::default();
    let mut reports = Vec::new();
    for path in expand_lists(&args.input.files)? {
        let observation = args.input.observe(std::slice::from_ref(&path), false, &mut |_| {})?;
        warnings.extend(observation.warnings().clone());
        match observation.files().first() {
            Some(file) => {
                let detectors = args.input.detectors(std::slice::from_ref(&path))?;
                let selected =
                    if args.input.selects() { Some(select(&args, detectors, file, &mut warnings)?) } else { None };
                reports.push(describe(file, selected)?);
            }
            None => {
                let format = if InputFile::open(&path)?.is_fits() { "FITS" } else { "text" };
                reports.push(describe_series(&observation.light_curve()?, format)?);
            }
        }
    }
    report(&warnings, args.strict, args.quiet)?;
    if args.json {
        return crate::terminal::print_json(&Value::Array(reports));
    }
    crate::terminal::print(&reports.iter().map(page).collect::<Vec<_>>().join("\n"))
}

/// Counts the events that the options select.
fn select(args: &InfoArgs, detectors: Option<Vec<i64>>, file: &EventFile, warnings: &mut Warnings) -> Result<Value> {
    let channels = args.input.band().map(|band| band.channels(file, ("energy", "pi"))).transpose()?;
    let words = match (args.input.energy, &channels) {
        (Some(NumberRange { lo, hi }), Some(range)) => band_in_words(file, lo, hi, range),
        _ => String::new(),
    };
    let selection = Selection { channels, detectors: detectors.clone() };
    if let Some(wanted) = &selection.detectors {
        file.warn_of_absent_detectors(wanted, warnings)?;
    }
    let mut stream = EventStream::open(file, selection, &mut Warnings::default())?;
    let (mut times, mut events) = (Vec::new(), 0);
    while stream.next_chunk(CHUNK_EVENTS, &mut times)? {
        events += times.len();
        times.clear();
    }
    Ok(json!({ "events": events, "channels": channels, "detectors": detectors, "band": words }))
}

fn describe(file: &EventFile, selected: Option<Value>) -> Result<Value> {
    let scan = file.scan_times()?;
    let clock = &file.clock;
    let gtis = [&file.gti];
    let request = ResolutionRequest {
        dt: None,
        segment_size: None,
        timedel: clock.timedel,
        barycentred: clock.is_barycentred(),
        gtis: &gtis,
        compat_stingray: false,
    };
    let suggested = Resolution::choose(&request, &mut Warnings::default()).ok();
    let offset = clock.event_offset.value();
    let finite = |t: f64| t.is_finite().then_some(t + offset);
    let intervals: Vec<[f64; 2]> = file.gti.intervals().iter().map(|(a, b)| [a.value(), b.value()]).collect();
    let channels = file.channel_range()?;
    let energies = file.scale.as_ref().zip(channels).map(|(s, (lo, hi))| [s.energy(lo), s.energy(hi)]);
    Ok(json!({
        "file": file.path(), "kind": "events", "telescop": file.telescop, "instrume": file.instrument,
        "object": file.object, "mission": if file.mission.is_generic() { "generic" } else { file.mission.telescop },
        "table": file.place(), "events": file.rows(), "row_size": file.row_size(), "gzip": file.compressed(),
        "sorted": scan.sorted, "not_finite": scan.not_finite, "first": finite(scan.first), "last": finite(scan.last),
        "mjdref": clock.mjdref, "timesys": clock.timesys, "timeref": clock.timeref, "plephem": clock.plephem,
        "barycentred": clock.is_barycentred(), "timedel": clock.timedel, "time_offset": offset,
        "exposure": file.gti.exposure(), "gti": intervals, "channel_column": file.channel_name(),
        "channels": channels.map(|(lo, hi)| [lo, hi]), "energy_kev": energies, "selected": selected,
        "detector_column": file.detector_name(), "detectors": file.detectors()?,
        "facts": file.facts.iter().map(|(word, what)| json!([word, what])).collect::<Vec<_>>(),
        "suggested": suggested.map(suggestion),
    }))
}

fn describe_series(curve: &LightCurve, format: &str) -> Result<Value> {
    let made = &curve.meta.record;
    let observation = Observation::light_curves([curve.clone()]);
    let plan = Session::cpu()?.check(&PowerSpectrum::default(), &observation);
    let edge = |bin: Option<&u64>, further: u64| bin.map(|&k| curve.grid.edge(k + further).value());
    Ok(json!({
        "file": made.inputs.first().map(|i| &i.name), "kind": "light curve", "format": format,
        "telescop": made.telescop, "instrume": made.instrume, "object": made.object,
        "bins": curve.len(), "dt": curve.grid.dt, "gaps": light_curves::gaps(curve), "values": light_curves::values(curve),
        "units": { "time": "s", "counts": "ct", "rate": "ct/s", "rate_err": "ct/s" },
        "first": edge(curve.bin.first(), 0), "last": edge(curve.bin.last(), 1),
        "counts": curve.meta.nphots, "mean_rate": curve.meta.mean,
        "mjdref": made.mjdref, "timesys": made.timesys, "timeref": made.timeref, "plephem": made.plephem,
        "barycentred": made.barycentred, "exposure": curve.meta.exposure, "gti": made.gti,
        "suggested": plan.ok().and_then(|plan| plan.resolution).map(suggestion),
    }))
}

fn suggestion(r: Resolution) -> Value {
    json!({ "dt": r.dt, "segment_size": r.segment_size, "n": r.n })
}

fn page(v: &Value) -> String {
    let text = |key: &str| v[key].as_str().unwrap_or("").to_string();
    let yes =
        |key: &str, yes: &str, no: &str| if v[key].as_bool() == Some(true) { yes.to_string() } else { no.to_string() };
    let number = |v: &Value| ShortNumber(v.as_f64().unwrap_or(f64::NAN));
    let span = match (v["first"].as_f64(), v["last"].as_f64()) {
        (Some(a), Some(b)) => format!("{a:.6} to {b:.6} s"),
        _ => "none with a time".into(),
    };
    let intervals = count(v["gti"].as_array().map_or(0, Vec::len) as u64, "good time interval");
    let series = v["kind"] == "light curve";
    let mut lines = vec![text("file")];
    if series {
        let bins = count(v["bins"].as_u64().unwrap_or(0), "bin");
        let gaps = count(v["gaps"].as_u64().unwrap_or(0), "gap");
        let (values, format) = (text("values"), text("format"));
        lines.push(format!(
            "  kind         light curve in {format}: {bins} of {} s, {gaps}, {values}",
            number(&v["dt"])
        ));
        lines.push(format!("  mission      {} {}", text("telescop"), text("instrume")));
    } else {
        lines.push(format!("  mission      {} {} (read as {})", text("telescop"), text("instrume"), text("mission")));
    }
    lines.push(format!("  object       {}", text("object")));
    if series {
        let (rate, counts) = (number(&v["mean_rate"]), number(&v["counts"]));
        lines.push(format!("  rate         {rate} counts/s on average, {counts} counts"));
    } else {
        let order = yes("sorted", "sorted", "not sorted");
        lines.push(format!("  events       {} in {}, {order}", v["events"], text("table")));
    }
    lines.push(format!("  times        {span}"));
    let clock = format!("TIMESYS {}, TIMEREF {}", text("timesys"), text("timeref"));
    let barycentred = yes("barycentred", "barycentred", "not barycentred");
    lines.push(match v["timedel"].as_f64() {
        Some(timedel) => format!("  clock        {clock} ({barycentred}), resolution {} s", ShortNumber(timedel)),
        None => format!("  clock        {clock} ({barycentred})"),
    });
    lines.push(format!("  exposure     {} s in {intervals}", number(&v["exposure"])));
    if let Some(column) = v["channel_column"].as_str() {
        let energy = match v["energy_kev"].as_array() {
            Some(e) => format!("{:.3} to {:.3} keV", e[0].as_f64().unwrap_or(0.0), e[1].as_f64().unwrap_or(0.0)),
            None => "energies not known".into(),
        };
        lines.push(format!("  channels     {column} {}, {energy}", v["channels"]));
    }
    if let Some(there) = v["detectors"].as_array() {
        let numbers: Vec<String> = there.iter().map(Value::to_string).collect();
        let (column, count) = (text("detector_column"), count(there.len() as u64, "detector"));
        lines.push(format!("  detectors    {count} with events ({column}): {}", numbers.join(" ")));
    }
    for fact in v["facts"].as_array().into_iter().flatten() {
        lines.push(format!("  {:<12} {}", fact[0].as_str().unwrap_or(""), fact[1].as_str().unwrap_or("")));
    }
    if let Some(band) = v["selected"]["band"].as_str() {
        let band = if band.is_empty() { String::new() } else { format!(": {band}") };
        lines.push(format!("  selected     {}{band}", count(v["selected"]["events"].as_u64().unwrap_or(0), "event")));
    }
    if v["suggested"].is_object() {
        let s = &v["suggested"];
        lines.push(format!("  suggested    --dt {} --segment-size {} ({} bins)", s["dt"], s["segment_size"], s["n"]));
    }
    lines.iter().map(|line| plain(line)).collect::<Vec<_>>().join("\n") + "\n"
}

//! `eagleray info`: what files hold, and what they are taken for.

use clap::Args;
use serde_json::{Value, json};

use crate::arguments::input::{InputArgs, band_in_words, expand_lists};
use crate::number::NumberRange;
use crate::run::report;
use eagleray::files::EventFile;
use eagleray::internal::engine::CHUNK_EVENTS;
use eagleray::internal::io::{EventStream, Selection};
use eagleray::internal::text::{ShortNumber, count, plain};
use eagleray::{Result, Warnings};

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
        let mut facts = observation.facts()?;
        if let (Some(file), Some(report)) = (observation.files().first(), facts.first_mut()) {
            let detectors = args.input.detectors(std::slice::from_ref(&path))?;
            let selects = args.input.selects();
            report["selected"] = if selects { select(&args, detectors, file, &mut warnings)? } else { Value::Null };
        }
        reports.extend(facts);
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

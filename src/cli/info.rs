//! `eagleray info`: what event files hold.

use clap::Args;
use serde_json::json;

use super::common::{InputArgs, report};
use crate::error::Result;
use crate::io::EventFile;
use crate::segment::plan::{Resolution, ResolutionRequest};
use crate::warning::Warnings;

/// Options of `info`.
#[derive(Args, Debug)]
pub struct InfoArgs {
    #[command(flatten)]
    input: InputArgs,
    /// As JSON
    #[arg(long)]
    json: bool,
}

/// Runs the command.
///
/// # Errors
/// A file cannot be read.
pub fn run(args: InfoArgs) -> Result<()> {
    let mut warnings = Warnings::default();
    let files = args.input.open(false, &mut warnings)?;
    report(&warnings, false, false)?;
    let reports: Vec<serde_json::Value> = files.iter().map(describe).collect();
    if args.json {
        return super::print(&format!("{:#}\n", serde_json::Value::Array(reports)));
    }
    super::print(&reports.iter().map(page).collect::<Vec<_>>().join("\n"))
}

fn describe(file: &EventFile) -> serde_json::Value {
    let scan = file.scan_times();
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
    let channels = file.channel_range();
    let energies = file.scale.as_ref().zip(channels).map(|(s, (lo, hi))| [s.energy(lo), s.energy(hi)]);
    json!({
        "file": file.path(), "telescop": file.telescop, "instrume": file.instrument, "object": file.object,
        "mission": if file.mission.is_generic() { "generic" } else { file.mission.telescop },
        "table": file.place(), "events": file.rows(), "row_size": file.row_size(), "gzip": file.compressed(),
        "sorted": scan.sorted, "not_finite": scan.not_finite, "first": finite(scan.first), "last": finite(scan.last),
        "mjdref": clock.mjdref, "timesys": clock.timesys, "timeref": clock.timeref, "plephem": clock.plephem,
        "barycentred": clock.is_barycentred(), "timedel": clock.timedel, "time_offset": offset,
        "exposure": file.gti.exposure(), "gti": intervals, "channel_column": file.channel_name(),
        "channels": channels.map(|(lo, hi)| [lo, hi]), "energy_kev": energies,
        "suggested": suggested.map(|r| json!({ "dt": r.dt, "segment_size": r.segment_size, "n": r.n })),
    })
}

fn page(v: &serde_json::Value) -> String {
    let text = |key: &str| v[key].as_str().unwrap_or("").to_string();
    let yes =
        |key: &str, yes: &str, no: &str| if v[key].as_bool() == Some(true) { yes.to_string() } else { no.to_string() };
    let span = match (v["first"].as_f64(), v["last"].as_f64()) {
        (Some(a), Some(b)) => format!("{a:.6} to {b:.6} s"),
        _ => "none with a time".into(),
    };
    let gti = v["gti"].as_array().map_or(0, Vec::len);
    let mut lines = vec![
        text("file"),
        format!("  mission      {} {} (read as {})", text("telescop"), text("instrume"), text("mission")),
        format!("  object       {}", text("object")),
        format!("  events       {} in {}, {}", v["events"], text("table"), yes("sorted", "sorted", "not sorted")),
        format!("  times        {span}"),
        format!(
            "  clock        TIMESYS {}, TIMEREF {} ({}), resolution {} s",
            text("timesys"),
            text("timeref"),
            yes("barycentred", "barycentred", "not barycentred"),
            v["timedel"]
        ),
        format!("  exposure     {} s in {gti} good time intervals", v["exposure"]),
    ];
    if let Some(column) = v["channel_column"].as_str() {
        let energy = match v["energy_kev"].as_array() {
            Some(e) => format!("{:.3} to {:.3} keV", e[0].as_f64().unwrap_or(0.0), e[1].as_f64().unwrap_or(0.0)),
            None => "energies not known".into(),
        };
        lines.push(format!("  channels     {column} {}, {energy}", v["channels"]));
    }
    if v["suggested"].is_object() {
        let s = &v["suggested"];
        lines.push(format!("  suggested    --dt {} --segment-size {} ({} bins)", s["dt"], s["segment_size"], s["n"]));
    }
    lines.join("\n") + "\n"
}

//! What `--dry-run` says of a plan.

use serde_json::json;

use eagleray::PlanReport;
use eagleray::internal::text::{ShortNumber, count};

/// The plan in words, or as JSON: segments, time used and lost; of events also device and memory.
pub(super) fn describe(plan: &PlanReport, as_json: bool) -> String {
    let (Some(r), Some(device)) = (plan.resolution, &plan.device) else { return String::new() };
    let (segments, exposure, used) = (plan.segments, plan.exposure, plan.exposure_used());
    let lost = (exposure - used).max(0.0);
    let host = plan.host_bytes.map(|bytes| bytes.div_ceil(1 << 20));
    if as_json {
        let mut value = json!({
            "n": r.n, "dt": r.dt, "segment_size": r.segment_size, "segments": segments, "exposure": exposure,
            "exposure_used": used, "exposure_lost": lost,
        });
        if let Some(host) = host {
            value["backend"] = json!(device);
            value["batch_segments"] = json!(plan.batches.map(|b| b.rows));
            value["batch_events"] = json!(plan.batches.map(|b| b.events));
            value["host_memory_mib"] = json!(host);
        }
        return format!("{value:#}\n");
    }
    let text = format!(
        "segments   {segments} of {} s, {} of {} s each\n",
        ShortNumber(r.segment_size),
        count(r.n as u64, "bin"),
        ShortNumber(r.dt)
    );
    let (used, all) = (ShortNumber(used), ShortNumber(exposure));
    let Some(host) = host else {
        return format!("{text}exposure   {used} s used of {all} s in stretches without a gap\n");
    };
    let way = match plan.batches {
        Some(b) => format!("batches of up to {} segments and {} events", b.rows, b.events),
        None => format!("each byte read once, by {}", count(device.threads as u64, "thread")),
    };
    format!(
        "{text}exposure   {used} s used of {all} s; {} s lost: intervals, or their ends, shorter than a segment\n\
         device     {} ({}), {way}, about {host} MiB on the host\n",
        ShortNumber(lost),
        device.backend,
        device.adapter,
    )
}

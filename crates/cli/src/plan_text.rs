//! What `--dry-run` says of a plan.

use serde_json::json;

use crate::arguments::device::DeviceArgs;
use eagleray::engine::{Events, Plan, host_memory};
use eagleray::internal::segment::plan::Resolution;
use eagleray::internal::text::{ShortNumber, count};
use eagleray::{Result, Warnings};

/// The plan in words, or as JSON: segments, time used and lost, device and memory with `chunk` rows read at a time.
pub(super) fn describe(
    plan: &Plan,
    inputs: &[Events],
    device: &DeviceArgs,
    chunk: usize,
    as_json: bool,
) -> Result<String> {
    let (r, segments, exposure) = (plan.resolution, plan.total_segments(), plan.exposure());
    let used = segments as f64 * r.segment_size;
    let lost = (exposure - used).max(0.0);
    let mut backend = device.open(&mut Warnings::default())?;
    let memory = host_memory(plan, inputs, chunk, backend.as_mut())?;
    let (host, batches) = (memory.bytes.div_ceil(1 << 20), memory.batches);
    let way = match batches {
        Some(b) => format!("batches of up to {} segments and {} events", b.rows, b.events),
        None => format!("each byte read once, by {}", count(backend.info().threads as u64, "thread")),
    };
    let value = json!({
        "n": r.n, "dt": r.dt, "segment_size": r.segment_size, "segments": segments, "exposure": exposure,
        "exposure_used": used, "exposure_lost": lost, "backend": backend.info(), "batch_segments": batches.map(|b| b.rows),
        "batch_events": batches.map(|b| b.events), "host_memory_mib": host,
    });
    if as_json {
        return Ok(format!("{value:#}\n"));
    }
    Ok(format!(
        "segments   {segments} of {} s, {} of {} s each\n\
         exposure   {} s used of {} s; {} s lost: intervals, or their ends, shorter than a segment\n\
         device     {} ({}), {way}, about {host} MiB on the host\n",
        ShortNumber(r.segment_size),
        count(r.n as u64, "bin"),
        ShortNumber(r.dt),
        ShortNumber(used),
        ShortNumber(exposure),
        ShortNumber(lost),
        backend.info().backend,
        backend.info().adapter,
    ))
}

/// The same of binned series, which need no device to be planned.
pub(super) fn describe_series(resolution: Resolution, segments: usize, exposure: f64, as_json: bool) -> String {
    let (r, used) = (resolution, segments as f64 * resolution.segment_size);
    if !as_json {
        return format!(
            "segments   {segments} of {} s, {} of {} s each\n\
             exposure   {} s used of {} s in stretches without a gap\n",
            ShortNumber(r.segment_size),
            count(r.n as u64, "bin"),
            ShortNumber(r.dt),
            ShortNumber(used),
            ShortNumber(exposure)
        );
    }
    let value = json!({
        "n": r.n, "dt": r.dt, "segment_size": r.segment_size, "segments": segments, "exposure": exposure,
        "exposure_used": used, "exposure_lost": (exposure - used).max(0.0),
    });
    format!("{value:#}\n")
}

//! What `--dry-run` says of a plan.

use serde_json::json;

use super::device::DeviceArgs;
use crate::error::Result;
use crate::segment::PlanSpec;
use crate::segment::plan::Resolution;
use crate::text::{Short, count};
use crate::warning::Warnings;

/// The plan in words, or as JSON: segments, time used of `exposure` s, device and memory with `chunk` rows read at a time.
pub(super) fn describe(
    spec: &PlanSpec,
    resolution: Resolution,
    exposure: f64,
    device: &DeviceArgs,
    chunk: usize,
    as_json: bool,
) -> Result<String> {
    let r = resolution;
    let segments = spec.max_segments;
    let used = segments as f64 * r.segment_size;
    let lost = (exposure - used).max(0.0);
    let mut backend = device.open(&mut Warnings::default())?;
    let id = backend.prepare(spec)?;
    let limits = backend.limits(id);
    let host =
        (limits.events * 8 * (backend.depth() + 1) + spec.blocks() * spec.frequencies() * 8 * 64 + chunk * 8) >> 20;
    let value = json!({
        "n": r.n, "dt": r.dt, "segment_size": r.segment_size, "segments": segments, "exposure": exposure,
        "exposure_used": used, "exposure_lost": lost, "backend": backend.info(), "batch_segments": limits.rows,
        "batch_events": limits.events, "host_memory_mib": host,
    });
    if as_json {
        return Ok(format!("{value:#}\n"));
    }
    Ok(format!(
        "segments   {segments} of {} s, {} of {} s each\n\
         exposure   {} s used of {} s; {} s lost: intervals, or their ends, shorter than a segment\n\
         device     {} ({}), batches of up to {} segments and {} events, about {host} MiB on the host\n",
        Short(r.segment_size),
        count(r.n as u64, "bin"),
        Short(r.dt),
        Short(used),
        Short(exposure),
        Short(lost),
        backend.info().backend,
        backend.info().adapter,
        limits.rows,
        limits.events,
    ))
}

/// The same of binned series, which need no device to be planned.
pub(super) fn describe_series(resolution: Resolution, segments: usize, exposure: f64, as_json: bool) -> String {
    let (r, used) = (resolution, segments as f64 * resolution.segment_size);
    if !as_json {
        return format!(
            "segments   {segments} of {} s, {} of {} s each\n\
             exposure   {} s used of {} s in stretches without a gap\n",
            Short(r.segment_size),
            count(r.n as u64, "bin"),
            Short(r.dt),
            Short(used),
            Short(exposure)
        );
    }
    let value = json!({
        "n": r.n, "dt": r.dt, "segment_size": r.segment_size, "segments": segments, "exposure": exposure,
        "exposure_used": used, "exposure_lost": (exposure - used).max(0.0),
    });
    format!("{value:#}\n")
}

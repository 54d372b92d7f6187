//! The regular grid on which the bins of a light curve lie.

use super::input_file::format_error;
use super::light_curve_columns::RawLightCurve;
use crate::base::error::Result;
use crate::base::text::ShortNumber;
use crate::base::time::SECONDS_PER_DAY;
use crate::base::warning::Warnings;
use crate::data::light_curve::MOST_PLACES;

/// Part of a second by which a second is longer at the barycentre, for an observer on Earth or near it: v/c of its orbit and more.
const BARYCENTRIC: f64 = 1.2e-4;
/// By how much that part changes in a day, at most: that of Earth's orbit in 365 days, 1e-4·2π/365, and more for what orbits Earth slowly.
const STRETCH_A_DAY: f64 = 2.5e-6;
/// Part of a bin by which a time may miss the grid: times are often printed with few digits.
const OFF_GRID: f64 = 0.02;

/// The width of bins, the first time, and the place of each on the grid that begins with it.
///
/// # Errors
/// Times that are not regular: the row, and its time.
pub(super) fn grid(
    path: &str,
    raw: &RawLightCurve,
    timedel: Option<f64>,
    resolution: f64,
    warnings: &mut Warnings,
) -> Result<(f64, f64, Vec<u64>)> {
    let time = &raw.time[..];
    let pairs = || time.iter().zip(time.iter().skip(1));
    let step = timedel.unwrap_or_else(|| pairs().map(|(before, t)| t - before).fold(f64::INFINITY, f64::min));
    if resolution > OFF_GRID * step {
        let message = format!(
            "times in single precision are known to {} s here, which does not do for bins of {} s: a column of doubles, or times since a nearer \
             epoch, are needed",
            ShortNumber(resolution),
            ShortNumber(step)
        );
        return Err(format_error(path, "column of times", &message));
    }
    if let Some((i, (before, t))) = pairs().enumerate().find(|(_, (before, t))| t <= before) {
        let message = match t == before {
            true => format!("the time {t} s is that of {}, too: one of the two bins must go", raw.place(i)),
            false => format!("the time {t} s is not after the one before, {before} s"),
        };
        return Err(format_error(path, &raw.place(i + 1), &message));
    }
    let (&[first, ..], &[.., last], true) = (time, time, time.len() > usize::from(timedel.is_none())) else {
        return Err(format_error(path, "light curve", "it has too few bins to know their width"));
    };
    let dt = timedel.unwrap_or_else(|| {
        let mut steps: Vec<f64> = pairs().map(|(before, t)| t - before).collect();
        let middle = steps.len() / 2;
        let median = *steps.select_nth_unstable_by(middle, f64::total_cmp).1;
        // Printed times are rounded; the whole span tells the width better.
        let span = last - first;
        span / (span / median).round().max(1.0)
    });
    if !(dt.is_finite() && dt > 0.0 && (last - first) / dt < MOST_PLACES) {
        let message = format!("bins of {dt} s from {first} s to {last} s cannot be numbered");
        return Err(format_error(path, "light curve", &message));
    }
    if let Some((places, drift)) = drifting_places(time, dt).filter(|(_, drift)| *drift > OFF_GRID) {
        let message = format!(
            "{path}: the times leave a regular grid by up to {} of a bin, slowly, as times at the barycentre do; bins are numbered by the \
             steps between them",
            ShortNumber(drift)
        );
        warnings.push("W-GRID-DRIFT", message);
        return Ok((dt, first, places));
    }
    let mut places = Vec::with_capacity(time.len());
    for (i, &t) in time.iter().enumerate() {
        let place = (t - first) / dt;
        let nearest = place.round();
        if (place - nearest).abs() > OFF_GRID || places.last().is_some_and(|&last| nearest as u64 <= last) {
            let off = place - place.floor();
            let message = format!(
                "the time {t} s is {place:.3} bins of {dt} s after the first, {off:.3} off the grid: the bins must be of one \
                 width and must not overlap; make a light curve with such bins of the events"
            );
            return Err(format_error(path, &raw.place(i), &message));
        }
        places.push(nearest as u64);
    }
    Ok((dt, first, places))
}

/// Places of bins by the steps between their times, which may stretch by [`BARYCENTRIC`], and by how much of a bin the places miss a regular grid;
/// `None` where a step is no whole number of bins. How much times stretch at a gap is known from the bins before it: it changes by [`STRETCH_A_DAY`] a day.
fn drifting_places(time: &[f64], dt: f64) -> Option<(Vec<u64>, f64)> {
    let (mut places, mut place, mut drift) = (vec![0], 0u64, 0f64);
    let first = *time.first()?;
    for (i, (before, t)) in time.iter().zip(time.iter().skip(1)).enumerate() {
        let step = (t - before) / dt;
        let bins = if step * BARYCENTRIC > 0.25 { step / local_width(time, &places, dt, i)? } else { step };
        let whole = bins.round();
        let allowed = if bins == step { BARYCENTRIC * whole } else { 0.25 };
        if whole < 1.0 || (bins - whole).abs() > OFF_GRID + allowed {
            return None;
        }
        place += whole as u64;
        drift = drift.max(((t - first) / dt - place as f64).abs());
        places.push(place);
    }
    Some((places, drift))
}

/// Width of the bins before a gap that follows bin `last`, in widths `dt`: the mean over a part of the gap's length, but of a hundred bins at least; `None` where the
/// stretch may change too much until the end of the gap, or too few bins are there.
fn local_width(time: &[f64], places: &[u64], dt: f64, last: usize) -> Option<f64> {
    let (end, next) = (*time.get(last)?, *time.get(last + 1)?);
    let gap = next - end;
    // Rounded stamps, and a stretch that changes, are to move the next bin by less than a quarter of one.
    let from = time.partition_point(|t| *t < end - gap.max(100.0 * dt)).min(last);
    let (begin, bins) = (*time.get(from)?, places.get(last)? - places.get(from)?);
    let change = STRETCH_A_DAY * (gap + (end - begin)) / 2.0 / SECONDS_PER_DAY * gap / dt;
    (bins >= 100 && change < 0.2).then(|| (end - begin) / bins as f64 / dt)
}

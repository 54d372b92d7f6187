//! Segments of series → rows of a dynamical spectrum, as the sums of each come back.

use super::batch_queue::BatchQueue;
use super::dynamical::{EVERY_SEGMENT, cross_recipe, recipe, record, warn_of_precision};
use super::flux::{FluxPair, FluxSegment, StreamedSegments, push_flux, spec_of};
use super::light_curve_plan::LightCurvePlan;
use super::memory;
use super::run::{Run, asked};
use crate::base::error::{Error, Result};
use crate::data::{DeviceRecord, LightCurve, Record};
use crate::science::CrossOptions;
use crate::science::dynamical::rows::{DynamicalRows, DynamicalSpec, SegmentPlace};
use crate::science::dynamical::{DynamicalCrossSpectrum, DynamicalPowerSpectrum, TimeRebin};
use crate::science::power::PowerOptions;
use crate::segment::{PlanSpec, Quantity};

/// Segments that follow one another from time 0 on.
pub(super) fn one_after_the_other(index: u64, size: f64) -> SegmentPlace {
    SegmentPlace { start: index as f64 * size, stretch: 0, number: index }
}

/// Power spectra against time of segments of a binned series, of which `place` tells where each lies. All have the same number of
/// bins. If `use_common_mean` is false, each segment is normalised by its own mean (and errors); a segment that cannot be, such
/// as an empty one, is skipped.
///
/// # Errors
/// Segments of different lengths or with fewer than 3 bins, values that are not finite, no segment that can be
/// normalised, a matrix larger than memory, or a failure of the device.
pub(super) fn rows_of_segments(
    stream: StreamedSegments<FluxSegment>,
    power: &PowerOptions,
    time: TimeRebin,
    place: impl Fn(u64, f64) -> SegmentPlace,
    run: &mut Run,
) -> Result<DynamicalPowerSpectrum> {
    let (dt, to_counts) = (stream.dt, stream.to_counts());
    let mut segments = (0..).zip(stream.segments.map(|segment| [segment])).peekable();
    let spec = spec_of(segments.peek().map_or(0, |(_, [s])| s.values.len()), dt, EVERY_SEGMENT)?;
    let recipe = recipe(power, time, &spec, dt, true);
    let (rows, device) = rows_of((segments, stream.expected), &spec, recipe, to_counts, place, run)?;
    let made = Record {
        device,
        options: asked(&(power, time)),
        series: true,
        warnings: run.take_warnings(),
        ..Default::default()
    };
    let mut spectrum = DynamicalPowerSpectrum::new(rows, power.subtract_noise, made)?;
    warn_of_precision(&mut spectrum);
    Ok(spectrum)
}

/// Cross spectra against time of pairs of segments of two binned series, of which `place` tells where each lies. All segments have
/// the same number of bins. A pair is skipped, and leaves its time free, if either segment is empty, or cannot be normalised where
/// `use_common_mean` is false.
///
/// # Errors
/// As for [`rows_of_segments`]; a noise level that is to be fitted; `fullspec`.
pub(super) fn cross_rows_of_segments(
    stream: StreamedSegments<FluxPair>,
    cross: &CrossOptions,
    time: TimeRebin,
    place: impl Fn(u64, f64) -> SegmentPlace,
    run: &mut Run,
) -> Result<DynamicalCrossSpectrum> {
    let (dt, to_counts, mut skipped) = (stream.dt, stream.to_counts(), 0);
    let whole = (0..).zip(stream.segments).filter_map(|(index, pair)| {
        skipped += u64::from(!pair.is_whole());
        pair.is_whole().then_some((index, [pair.reference, pair.subject]))
    });
    let mut whole = whole.peekable();
    let n = whole.peek().map_or(0, |(_, [reference, _])| reference.values.len());
    let spec = spec_of(n, dt, Quantity::EverySegment { series: 2, inside: 0 })?;
    let recipe = cross_recipe(cross, time, &spec, dt, false, true)?;
    let (mut rows, device) = rows_of((whole, stream.expected), &spec, recipe, to_counts, place, run)?;
    rows.total.skipped += skipped;
    let made = Record {
        device,
        options: asked(&(cross, time)),
        series: true,
        warnings: run.take_warnings(),
        ..Default::default()
    };
    DynamicalCrossSpectrum::new(rows, made)
}

/// Makes rows of numbered segments, as they come back, of which so many are expected.
fn rows_of<C: AsRef<[FluxSegment]>>(
    (segments, expected): (impl Iterator<Item = (u64, C)>, u64),
    spec: &PlanSpec,
    recipe: DynamicalSpec,
    to_counts: f64,
    place: impl Fn(u64, f64) -> SegmentPlace,
    run: &mut Run,
) -> Result<(DynamicalRows, DeviceRecord)> {
    let norm = recipe.norm;
    let rows = recipe.footprint(expected, expected)?;
    memory::check(spec, &memory::of_sums(spec, None, run.device).with(rows))?;
    // An iterator's end is not known; rows grow as segments come.
    let mut rows = DynamicalRows::new(recipe, 0, 0)?;
    let mut queue = BatchQueue::prepare(run.device, spec, None)?;
    let skipped = &mut run.skipped;
    let mut take = |queue: &mut BatchQueue| {
        queue.sums.take_runs().for_each(|(segment, sums)| {
            let before = rows.total.skipped;
            rows.add(place(segment, spec.segment_size), sums);
            skipped.extend((rows.total.skipped > before).then_some(segment));
        });
    };
    push_flux(&mut queue, spec, segments, to_counts, &mut take)?;
    queue.drain()?;
    take(&mut queue);
    let (_, device) = queue.finish(&mut run.warnings)?;
    if rows.total.segments == 0 {
        return Err(Error::argument("norm", norm, "no segment has a mean that it can be divided by"));
    }
    Ok((rows, record(&device)))
}

/// Where the segments of a light curve lie.
pub(super) fn stretch_places(
    plan: &LightCurvePlan,
    light_curve: &LightCurve,
    across_gaps: bool,
) -> impl Fn(u64, f64) -> SegmentPlace {
    let (starts, n) = (&plan.starts, plan.resolution.n);
    let joined =
        |i: usize| starts[i] == starts[i - 1] + n && light_curve.bin[starts[i]] == light_curve.bin[starts[i] - 1] + 1;
    // The first segment of each stretch.
    let heads: Vec<usize> = (0..starts.len()).filter(|&i| i == 0 || !joined(i)).collect();
    let edges: Vec<f64> = starts.iter().map(|&row| light_curve.grid.edge(light_curve.bin[row]).value()).collect();
    move |index, _| {
        let i = index as usize;
        let stretch = if across_gaps { 0 } else { heads.partition_point(|&head| head <= i) - 1 };
        SegmentPlace { start: edges[i], stretch: stretch as u64, number: (i - heads[stretch]) as u64 }
    }
}

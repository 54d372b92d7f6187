//! Segments one by one, in order, on the CPU: for spectra that no device makes.

use super::analyses::PowerSpectrum;
use super::light_curve_plan::LightCurvePlan;
use super::observation::{Observation, ObservationKind};
use super::plan::Plan;
use super::plan_sums::{SegmentSink, pull_plan};
use super::run::Run;
use super::summation::{InParts, Summation};
use super::time_source::Events;
use crate::backend::{Capabilities, Units};
use crate::base::error::{Error, Result};
use crate::base::progress::Progress;
use crate::data::{DeviceRecord, EventBalance, LightCurve, Record};
use crate::kernels::bin_events;
use crate::segment::plan::Resolution;

/// The CPU, in double precision.
pub(super) fn device() -> DeviceRecord {
    DeviceRecord { backend: "cpu".into(), adapter: std::env::consts::ARCH.into(), precision: "double".into() }
}

/// Has `add` add every segment, in order, to what `begin` makes, which is told if values are counts: of `segments` those that are chosen by time; each has its values in counts a
/// bin, and the variance that errors tell. With it, what the product says of what was read; the options are left to be filled.
pub(super) fn each_segment<T>(
    segments: &PowerSpectrum,
    observation: &Observation,
    run: &mut Run,
    begin: impl Fn(Resolution, bool) -> Result<T>,
    mut add: impl FnMut(&mut T, &[f64], Option<f64>),
) -> Result<(T, Resolution, Record)> {
    if observation.kind() != ObservationKind::LightCurve {
        let Summation { plan, inputs, .. } = segments.summation(observation, run)?;
        let r = plan.resolution;
        let (sums, made) =
            each_of_events(plan, inputs, run, || begin(r, true), |sums, counts| add(sums, counts, None))?;
        return Ok((sums, r, Record { warnings: run.take_warnings(), ..made }));
    }
    let (light_curve, plan) = segments.stretches(observation, run)?;
    let mut sums = begin(plan.resolution, light_curve.counted)?;
    each_stretch(&plan, &light_curve, run.progress, |values, variance| add(&mut sums, values, variance))?;
    let mut made = Record { device: device(), warnings: run.take_warnings(), ..Record::default() };
    plan.complete(&mut made, &light_curve, &[], serde_json::Value::Null);
    Ok((sums, plan.resolution, made))
}

/// The segments of events. All begins again where a file turns out to be out of order.
fn each_of_events<T>(
    plan: Plan,
    inputs: Vec<Events>,
    run: &mut Run,
    begin: impl Fn() -> Result<T>,
    mut look: impl FnMut(&mut T, &[f64]),
) -> Result<(T, Record)> {
    let delta = plan.spec.delta();
    // What begins looks at the memory that there is, and comes first.
    let (mut sums, mut begun) = (Some(begin()?), false);
    let (mut counts, mut last) = (vec![0.0; plan.spec.n], bin_events::LastEventTable::default());
    let (mut dropped, mut used) = (0, 0);
    let mut pull = |units: &dyn Units| {
        if std::mem::replace(&mut begun, true) {
            // What is begun again is not held beside what it replaces.
            sums = None;
            sums = Some(begin()?);
        }
        (dropped, used) = (0, 0);
        let Some(sums) = &mut sums else { return Ok(()) };
        for unit in (0..units.count()).map_while(|place| units.unit(place)) {
            let findings = units.times(unit, &mut |times| {
                for index in unit.segments.clone() {
                    counts.fill(0.0);
                    let (mut beyond, mut all) = (0, 0);
                    let in_order = times.segment(index, &mut |_, times, start| {
                        beyond += bin_events::add_sorted(times, start, delta, &mut counts, &mut last);
                        all += times.len() as u64;
                    })?;
                    if !in_order {
                        break;
                    }
                    (dropped, used) = (dropped + beyond, used + all - beyond);
                    look(sums, &counts);
                }
                Ok(())
            });
            units.done(unit, findings);
        }
        Ok(())
    };
    // One after the other, in the order of segments.
    let can = Capabilities::BATCHES;
    let (reading, warnings) = (run.reading(), &mut run.warnings);
    let (_, mut made) = pull_plan(&plan, inputs, &can, reading, &mut SegmentSink::SumsAlone, &mut pull, warnings)?;
    made.device = device();
    made.photons = EventBalance { used, dropped_edge: dropped, ..made.photons };
    if used == 0 {
        let (segments, balance) = (plan.total_segments(), made.photons.to_string());
        return Err(Error::NoEvents { segments, read: made.photons.read, balance });
    }
    let sums = sums.map_or_else(begin, Ok)?;
    Ok((sums, made))
}

/// The values of each segment of a light curve, in counts a bin, with the variance that errors tell.
fn each_stretch(
    plan: &LightCurvePlan,
    light_curve: &LightCurve,
    progress: &Progress,
    mut look: impl FnMut(&[f64], Option<f64>),
) -> Result<()> {
    let to_counts = if light_curve.counted { 1.0 } else { light_curve.grid.dt };
    for segment in plan.segments(light_curve, progress) {
        let values: Vec<f64> = segment.values.iter().map(|x| x * to_counts).collect();
        let squares = segment.errors.iter().map(|e| (e * to_counts).powi(2)).sum::<f64>();
        look(&values, (!segment.errors.is_empty()).then(|| squares / values.len() as f64));
    }
    progress.check()
}

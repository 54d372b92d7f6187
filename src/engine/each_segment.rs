//! Segments one by one, in order, on the CPU: for spectra that no device makes.

use super::light_curve_spectrum::LightCurvePlan;
use super::options::Reading;
use super::plan_sums::pull_plan;
use super::time_source::Events;
use super::{Plan, SegmentSink};
use crate::backend::{Capabilities, Units};
use crate::base::error::{Error, Result};
use crate::base::progress::Progress;
use crate::base::warning::Warnings;
use crate::data::{DeviceRecord, EventBalance, LightCurve, Record};
use crate::kernels::bin_events;

/// The CPU, in double precision.
pub(super) fn device() -> DeviceRecord {
    DeviceRecord { backend: "cpu".into(), adapter: std::env::consts::ARCH.into(), precision: "double".into() }
}

/// The part of a record that work of the CPU alone, with these warnings, fills.
pub(super) fn on_cpu(warnings: Warnings) -> Record {
    Record { device: device(), warnings, ..Record::default() }
}

/// Has `look` add the counts of every segment of a plan, in order, to what `begin` makes; with it, what the product says of what
/// was read. All begins again where a file turns out to be out of order.
pub(super) fn each_segment<T>(
    plan: Plan,
    inputs: Vec<Events>,
    reading: Reading,
    warnings: &mut Warnings,
    begin: impl Fn() -> Result<T>,
    mut look: impl FnMut(&mut T, &[f64]),
) -> Result<(T, Record)> {
    let delta = plan.spec.delta();
    let (mut counts, mut last) = (vec![0.0; plan.spec.n], bin_events::LastEventTable::default());
    let (mut sums, mut dropped, mut used) = (begin()?, 0, 0);
    let mut pull = |units: &dyn Units| {
        (sums, dropped, used) = (begin()?, 0, 0);
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
                    look(&mut sums, &counts);
                }
                Ok(())
            });
            units.done(unit, findings);
        }
        Ok(())
    };
    // One after the other, in the order of segments.
    let can = Capabilities::BATCHES;
    let (_, mut made) = pull_plan(&plan, inputs, &can, reading, &mut SegmentSink::SumsAlone, &mut pull, warnings)?;
    made.device = device();
    made.photons = EventBalance { used, dropped_edge: dropped, ..made.photons };
    if used == 0 {
        let (segments, balance) = (plan.total_segments(), made.photons.to_string());
        return Err(Error::NoEvents { segments, read: made.photons.read, balance });
    }
    Ok((sums, made))
}

/// The values of each segment of a light curve, in counts a bin, with the variance that errors tell.
pub(super) fn each_stretch(
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

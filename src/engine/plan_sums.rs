//! From the inputs of a plan to the sums of its segments.

use std::ops::Range;

use super::batch_queue::{BatchQueue, record_of, warn_of_precision};
use super::memory::reader_bytes;
use super::plan::Plan;
use super::plan_rows::PlanRows;
use super::plan_units::PlanUnits;
use super::run::{Reading, Run};
use super::time_source::{self, Events};
use crate::backend::{Capabilities, DeviceInfo, Takes, Units};
use crate::base::error::{Error, Result};
use crate::base::sums::{PartialSums, Sums};
use crate::base::warning::Warnings;
use crate::data::{DeviceRecord, EventBalance, Record};
use crate::segment::{PlanPart, PlanSpec};

/// What came of a plan.
pub(super) struct PlanSums {
    pub sums: Sums,
    /// What it was made of; the options and the warnings are left to be filled.
    pub made: Record,
}

/// What becomes of segments beside the sums of a plan.
pub(super) enum SegmentSink<'a, 'p> {
    /// Nothing.
    SumsAlone,
    /// All of each, in its row; the sums of the plan are those of the rows, without powers.
    Rows(&'a mut PlanRows<'p>),
}

/// Reads the inputs of a plan, once unless they are out of order, and has the backend sum up their segments.
pub(super) fn sum_plan(plan: &Plan, inputs: Vec<Events>, mut keep: SegmentSink, run: &mut Run) -> Result<PlanSums> {
    let (sums, made, device) = sum_on(plan, inputs, &mut keep, run)?;
    Ok(finish(plan, keep.total(sums), made, record_of(&device), &mut run.warnings))
}

/// What a plan comes to, with the reader's part of the balance completed.
fn finish(plan: &Plan, sums: Sums, mut made: Record, device: DeviceRecord, warnings: &mut Warnings) -> PlanSums {
    made.photons = complete_balance(made.photons, &sums, &plan.spec);
    warn_of_precision(&device, &sums, plan.spec.frequencies(), warnings);
    made.device = device;
    PlanSums { sums, made }
}

/// Has a backend sum up the segments of a plan.
fn sum_on(
    plan: &Plan,
    inputs: Vec<Events>,
    keep: &mut SegmentSink,
    run: &mut Run,
) -> Result<(PartialSums, Record, DeviceInfo)> {
    let (reading, warnings) = (run.reading(), &mut run.warnings);
    let reader = reader_bytes(plan, &inputs, run.device);
    let queue = BatchQueue::prepare(run.device, &plan.spec, reader)?;
    let (can, id) = (queue.backend.capabilities(), queue.plan);
    let mut pull = |units: &dyn Units| queue.backend.pull(id, units);
    let (sums, made) = pull_plan(plan, inputs, &can, reading, keep, &mut pull, warnings)?;
    warnings.extend(queue.backend.take_warnings());
    Ok((sums, made, queue.backend.info().clone()))
}

/// Sums some segments of a plan, which are whole runs, as a part that can be merged with those of the others.
pub(super) fn sum_part(plan: Plan, segments: Range<u64>, mut inputs: Vec<Events>, run: &mut Run) -> Result<PlanPart> {
    let plan = plan.limited_to(segments)?;
    inputs.iter_mut().try_for_each(|input| input.prepare(&mut run.warnings))?;
    let fingerprint = plan.fingerprint(&inputs);
    let (sums, made, device) = sum_on(&plan, inputs, &mut SegmentSink::SumsAlone, run)?;
    Ok(PlanPart::new(fingerprint, &sums, made.photons, record_of(&device)))
}

/// What a plan comes to, of a part that has all its segments. Files are read through where nobody has: what parts were made of is known
/// by their checksums.
pub(super) fn sums_of_part(
    plan: &Plan,
    mut inputs: Vec<Events>,
    part: PlanPart,
    mut keep: SegmentSink,
    run: &mut Run,
) -> Result<PlanSums> {
    let warnings = &mut run.warnings;
    inputs.iter_mut().try_for_each(|input| input.prepare(warnings))?;
    let (mut sums, photons, device) = part.into_whole(&plan.fingerprint(&inputs))?;
    let made = Record { photons, gti: plan.used_gti(), ..time_source::describe(&inputs) };
    keep.take(&mut sums);
    Ok(finish(plan, keep.total(sums), made, device, warnings))
}

/// Has `pull` make the sums of all units of a plan, in the form that the device takes. Rows are taken to be in order until some are found
/// that are not: then all is thrown away and comes again, decoded and sorted. The sums, and what products say of the inputs.
pub(super) fn pull_plan(
    plan: &Plan,
    mut inputs: Vec<Events>,
    can: &Capabilities,
    reading: Reading,
    keep: &mut SegmentSink,
    pull: &mut dyn FnMut(&dyn Units) -> Result<()>,
    warnings: &mut Warnings,
) -> Result<(PartialSums, Record)> {
    if !plan.is_whole() {
        // A part cannot prove the order of all rows.
        inputs.iter_mut().try_for_each(|input| input.prepare(warnings))?;
    }
    reading.progress.begin(time_source::rows(&inputs));
    let mut take = |sums: &mut PartialSums| keep.take(sums);
    let unproven = match can.takes {
        Takes::Rows | Takes::Times => PlanUnits::of_files(plan, &inputs, can, reading, &mut take)?,
        Takes::Batches => time_source::first_readings(&inputs)?
            .map(|sources| PlanUnits::in_sequence(plan, sources, reading, &mut take)),
    };
    let mut done = unproven.map_or(Ok(None), |units| pull_units(units, pull))?;
    inputs.iter_mut().try_for_each(|input| input.prepare(warnings))?;
    let mut made = Record { gti: plan.used_gti(), ..time_source::describe(&inputs) };
    if done.is_none() {
        reading.progress.begin_again();
        keep.begin_again();
        let sources = inputs.into_iter().map(|input| (input.source, input.offset)).collect();
        let mut take = |sums: &mut PartialSums| keep.take(sums);
        done = pull_units(PlanUnits::in_sequence(plan, sources, reading, &mut take), pull)?;
    }
    let (sums, balance) = done.unwrap_or_default();
    made.photons = balance;
    Ok((sums, made))
}

/// Hands out all units, and collects their sums and the readers' part of the balance; `None` where rows are out of order.
fn pull_units(
    mut units: PlanUnits,
    pull: &mut dyn FnMut(&dyn Units) -> Result<()>,
) -> Result<Option<(PartialSums, EventBalance)>> {
    while units.next_wave() {
        pull(&units)?;
        units.keep_wave();
    }
    units.finish()
}

impl SegmentSink<'_, '_> {
    /// Takes sums of segments that are kept apart.
    fn take(&mut self, sums: &mut PartialSums) {
        if let SegmentSink::Rows(rows) = self {
            rows.take(sums);
        }
    }

    /// All segments together, of which these sums were not taken.
    fn total(&self, sums: PartialSums) -> Sums {
        if let SegmentSink::Rows(rows) = self { rows.total() } else { sums.finish() }
    }

    /// What was taken does not count.
    fn begin_again(&mut self) {
        match self {
            SegmentSink::SumsAlone => {}
            SegmentSink::Rows(rows) => rows.begin_again(),
        }
    }
}

/// The error for a plan whose segments have no photon, of one series at least.
pub(super) fn no_events(plan: &Plan, made: &Record) -> Error {
    Error::NoEvents { segments: plan.total_segments(), read: made.photons.read, balance: made.photons.to_string() }
}

/// Completes the reader's balance with what the sums say of the photons in segments; one that several series have is one photon.
fn complete_balance(mut balance: EventBalance, sums: &Sums, spec: &PlanSpec) -> EventBalance {
    let of_series = sums.series.iter().enumerate().filter(|(which, _)| spec.counts(*which));
    balance.used = of_series.map(|(_, own)| own.photons).sum();
    balance.in_skipped_segments = sums.photons_skipped;
    balance.dropped_edge = sums.photons_dropped;
    debug_assert!(balance.is_exact(), "{balance}");
    balance
}

//! From the inputs of a plan to the sums of its segments.

use super::batch_queue::{BatchQueue, record_device};
use super::batcher::each_batch;
use super::options::Reading;
use super::plan::Plan;
use super::plan_rows::PlanRows;
use super::single_pass;
use super::time_source::{self, Events};
use super::zero_nyquist::ZeroNyquistAccumulator;
use crate::backend::Backend;
use crate::base::error::{Error, Result};
use crate::base::sums::{PartialSums, Sums};
use crate::base::warning::Warnings;
use crate::data::{EventBalance, Record};
use crate::segment::PlanSpec;

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
    /// Their amplitudes at the frequencies that backends leave out.
    Ends(&'a mut ZeroNyquistAccumulator<'p>),
    /// All of each, in its row; the sums of the plan are those of the rows, without powers.
    Rows(&'a mut PlanRows<'p>),
}

/// Reads the inputs of a plan, once unless they are out of order, and has the backend sum up their segments.
pub(super) fn sum_plan(
    plan: &Plan,
    mut inputs: Vec<Events>,
    backend: &mut dyn Backend,
    reading: Reading,
    mut keep: SegmentSink,
    warnings: &mut Warnings,
) -> Result<PlanSums> {
    reading.progress.begin(time_source::rows(&inputs));
    let mut queue = BatchQueue::prepare(backend, &plan.spec)?;
    let at_once = match queue.backend.local(queue.plan) {
        // What is added up here needs batches.
        Some(local) if !matches!(keep, SegmentSink::Ends(_)) => {
            single_pass::sums(plan, &inputs, &local, reading, &mut |sums| keep.take(sums))?
        }
        _ => None,
    };
    let mut made = match at_once {
        Some((sums, balance)) => {
            queue.sums = sums;
            inputs.iter_mut().try_for_each(|input| input.prepare(warnings))?;
            Record { photons: balance, gti: plan.used_gti(), ..time_source::describe(&inputs) }
        }
        None => each_batch(plan, inputs, queue.limits(), reading, warnings, |batch| {
            let Some(batch) = batch else {
                reading.progress.begin_again();
                keep.begin_again();
                return queue.forget();
            };
            if let SegmentSink::Ends(ends) = &mut keep {
                ends.add(&batch);
            }
            queue.push(batch)?;
            keep.take(&mut queue.sums);
            Ok(())
        })?,
    };
    queue.drain()?;
    keep.take(&mut queue.sums);
    let (sums, device) = queue.finish(warnings)?;
    let sums = if let SegmentSink::Rows(rows) = &keep { rows.total() } else { sums };
    made.photons = complete_balance(made.photons, &sums, &plan.spec);
    made.device = record_device(&device, &sums, plan.spec.frequencies(), warnings);
    Ok(PlanSums { sums, made })
}

impl SegmentSink<'_, '_> {
    /// Takes sums of segments that are kept apart.
    fn take(&mut self, sums: &mut PartialSums) {
        if let SegmentSink::Rows(rows) = self {
            rows.take(sums);
        }
    }

    /// What was taken does not count.
    fn begin_again(&mut self) {
        match self {
            SegmentSink::SumsAlone => {}
            SegmentSink::Ends(ends) => ends.clear(),
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

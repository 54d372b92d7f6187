//! How the work of a plan over event files is cut into units, before an event is read but those that a search in the times looks at.

use std::sync::Arc;

use super::plan::{InputPlan, Plan};
use crate::backend::Capabilities;
use crate::base::error::{Error, Result};
use crate::io::{BandSelection, EventFile};
use crate::segment::Unit;

/// Units for each thread, where there is less to read: the last to finish is not far behind the others.
pub(super) const UNITS_A_THREAD: u128 = 4;
/// Bytes of the sums of one unit, where segments are kept apart.
const APART_BYTES: u128 = 8 << 20;

/// One file, and what is looked for in it.
pub(super) struct UnitInput<'a> {
    pub file: &'a EventFile,
    pub parting: &'a BandSelection,
    pub plan: &'a InputPlan,
    pub intervals: Arc<[(f64, f64)]>,
    /// Nobody has read the file through yet.
    pub unread: bool,
}

impl UnitInput<'_> {
    /// Some of the input's segments are in the unit.
    pub fn has_part(&self, unit: &Unit) -> bool {
        let indices = self.plan.indices();
        !unit.segments.is_empty() && indices.start < unit.segments.end && unit.segments.start < indices.end
    }
}

/// Cuts the work at runs of segments.
pub(super) fn units(plan: &Plan, inputs: &[UnitInput], can: &Capabilities) -> Result<Vec<Unit>> {
    let (total, run) = (plan.total_segments(), plan.spec.run_length());
    let (before, runs) = (plan.part.start / run, u128::from((plan.part.end - plan.part.start).div_ceil(run)));
    let first_rows = inputs.iter().map(|input| first_row_of_segment(total, input, plan.part.start, 0));
    let first_rows = first_rows.collect::<Result<Option<Vec<usize>>>>()?;
    let Some(first_rows) = first_rows else { return Err(not_found(plan.part.start)) };
    let bytes: u128 = inputs.iter().map(|i| i.file.rows() as u128 * i.file.row_size() as u128).sum();
    let bytes = bytes * runs / u128::from(total.div_ceil(run)).max(1);
    // A file of few events may have many segments.
    let sums = if plan.spec.every_segment() { 8 * plan.spec.frequencies() * plan.spec.blocks() } else { 0 };
    let apart = runs * sums as u128 / APART_BYTES;
    let count = (bytes / can.unit_bytes as u128).max(apart).max(UNITS_A_THREAD * can.threads as u128).clamp(1, runs);
    let mut units = Vec::new();
    let (mut first, mut begins) = (plan.part.start, first_rows);
    for part in 1..=count {
        let end = (before + (runs * part / count) as u64).saturating_mul(run).min(total);
        let cut = |(input, begin): (&UnitInput, &usize)| first_row_of_segment(total, input, end, *begin);
        // Where a cut cannot be found, the next unit takes over.
        let Some(ends) = inputs.iter().zip(&begins).map(cut).collect::<Result<Option<Vec<usize>>>>()? else { continue };
        let rows = begins.iter().zip(&ends).map(|(&begin, &end)| begin..end).collect();
        add_unit(inputs, can, Unit { number: 0, segments: first..end, rows }, &mut units)?;
        (first, begins) = (end, ends);
    }
    if first != plan.part.end {
        return Err(not_found(plan.part.end));
    }
    units.iter_mut().enumerate().for_each(|(number, unit)| unit.number = number);
    Ok(units)
}

/// The error for a part that cannot be cut from the others.
fn not_found(segment: u64) -> Error {
    let message = "the rows of this segment cannot be found among times that are not finite; parts can meet elsewhere";
    Error::argument("segments", segment, message)
}

/// Adds a unit; of long stretches of rows before and behind its segments it makes units of their own, for all threads.
fn add_unit(inputs: &[UnitInput], can: &Capabilities, mut unit: Unit, units: &mut Vec<Unit>) -> Result<()> {
    let mut behind = Vec::new();
    for (number, input) in inputs.iter().enumerate() {
        let rows = unit.rows[number].clone();
        let step = (can.unit_bytes / input.file.row_size().max(1)).max(1);
        if rows.len() <= 2 * step {
            continue;
        }
        let indices = input.plan.indices();
        let own = indices.start.max(unit.segments.start)..indices.end.min(unit.segments.end);
        let place = |segment: u64| input.plan.segments.get(segment - indices.start);
        let edges = match own.is_empty() {
            true => (f64::INFINITY, f64::INFINITY),
            false => (place(own.start).first, place(own.end - 1).stop),
        };
        let Some(begin) = input.file.first_row_at(edges.0, rows.clone())? else { continue };
        let Some(end) = input.file.first_row_at(edges.1, begin..rows.end)? else { continue };
        let gap = |from: usize, to: usize| {
            let one = move |at: usize| {
                let mut rows = vec![0..0; inputs.len()];
                rows[number] = at..(at + step).min(to);
                Unit { number: 0, segments: 0..0, rows }
            };
            (from..to).step_by(step).map(one)
        };
        units.extend(gap(rows.start, begin));
        behind.extend(gap(end, rows.end));
        unit.rows[number] = begin..end;
    }
    units.push(unit);
    units.extend(behind);
    Ok(())
}

/// The first row, from `begin` on, of an input's segments from `segment` on; there are `total` of all inputs.
fn first_row_of_segment(total: u64, input: &UnitInput, segment: u64, begin: usize) -> Result<Option<usize>> {
    let (rows, indices) = (input.file.rows(), input.plan.indices());
    if segment > 0 && (segment >= indices.end || segment == total) {
        return Ok(Some(rows));
    }
    if segment <= indices.start {
        return Ok(Some(begin));
    }
    let edge = input.plan.segments.get(segment - indices.start).first;
    input.file.first_row_at(edge, begin..rows)
}

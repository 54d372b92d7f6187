//! The units of a plan over its inputs, as a device pulls them, and what comes back: sums, the balance, what is known of files.
//!
//! Files are taken to be in order: a search in their times tells which rows a run of segments needs. That they are is proven as
//! the rows are read.

use std::ops::Range;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Mutex, PoisonError};

use super::batcher::Batcher;
use super::plan::{InputPlan, Plan};
use super::reader::{Reader, edges};
use super::run::Reading;
use super::time_source::{Events, OffsetTimeSource};
use super::unit_cuts::{self, UNITS_A_THREAD, UnitInput};
use crate::backend::{BatchLimits, Capabilities, RowsSeen, SegmentTimes, UnitFindings, UnitRows, Units};
use crate::base::error::{Error, Result};
use crate::base::sums::PartialSums;
use crate::base::time::DoubleDouble;
use crate::base::trace;
use crate::data::EventBalance;
use crate::io::RowRangeReader;
use crate::io::raw_rows::RawRows;
use crate::segment::plan::Segment;
use crate::segment::{SegmentBatch, Unit};

/// Takes sums out that are kept otherwise.
pub(super) type KeepSums<'a> = dyn FnMut(&mut PartialSums) + Send + 'a;

/// Units of a plan, and what came of them so far.
pub(super) struct PlanUnits<'a> {
    plan: &'a Plan,
    reading: Reading<'a>,
    source: UnitSource<'a>,
    units: Vec<Unit>,
    /// The units that are handed out now, and how many are at a time: all, unless segments are kept.
    wave: Range<usize>,
    at_a_time: usize,
    /// No more units are wanted.
    stop: AtomicBool,
    found: Mutex<UnitResults<'a>>,
}

/// Where the events of units come from.
enum UnitSource<'a> {
    /// Rows of files, any of them at any time.
    Files(Vec<UnitInput<'a>>),
    /// Times of each input, one after the other.
    Sequence(Mutex<Option<Vec<OffsetTimeSource<'a>>>>),
}

/// What came of some units.
struct UnitResults<'a> {
    keep: &'a mut KeepSums<'a>,
    sums: PartialSums,
    /// By unit.
    findings: Vec<(usize, UnitFindings)>,
    error: Option<(usize, Error)>,
}

impl<'a> PlanUnits<'a> {
    /// Units of files that nobody has read yet, as far as is known in order; `None` where some input is no such file. Where segments are
    /// kept, some units of each thread are handed out at a time, so that memory does not grow with their number.
    ///
    /// # Errors
    /// A file cannot be read.
    pub fn of_files(
        plan: &'a Plan,
        inputs: &'a [Events],
        can: &Capabilities,
        reading: Reading<'a>,
        keep: &'a mut KeepSums<'a>,
    ) -> Result<Option<PlanUnits<'a>>> {
        let Some(inputs) = unread_inputs(plan, inputs) else { return Ok(None) };
        let units = unit_cuts::units(plan, &inputs, can)?;
        let at_a_time =
            if plan.spec.every_segment() { UNITS_A_THREAD as usize * can.threads.max(1) } else { units.len() };
        Ok(Some(PlanUnits::new(plan, UnitSource::Files(inputs), units, at_a_time, reading, keep)))
    }

    /// One unit of the times of each input, which come in order, or turn out not to.
    pub fn in_sequence(
        plan: &'a Plan,
        sources: Vec<OffsetTimeSource<'a>>,
        reading: Reading<'a>,
        keep: &'a mut KeepSums<'a>,
    ) -> PlanUnits<'a> {
        let rows = vec![0..0; sources.len()];
        let unit = Unit { number: 0, segments: plan.part.clone(), rows };
        PlanUnits::new(plan, UnitSource::Sequence(Mutex::new(Some(sources))), vec![unit], 1, reading, keep)
    }

    fn new(
        plan: &'a Plan,
        source: UnitSource<'a>,
        units: Vec<Unit>,
        at_a_time: usize,
        reading: Reading<'a>,
        keep: &'a mut KeepSums<'a>,
    ) -> PlanUnits<'a> {
        let (sums, findings, error) = (plan.spec.empty_sums(), Vec::new(), None);
        let found = Mutex::new(UnitResults { keep, sums, findings, error });
        PlanUnits { plan, reading, source, units, wave: 0..0, at_a_time, stop: AtomicBool::new(false), found }
    }

    /// Goes on to the next units; false when there are no more, or no more are wanted.
    pub fn next_wave(&mut self) -> bool {
        let begin = self.wave.end;
        self.wave = begin..self.units.len().min(begin + self.at_a_time);
        !self.wave.is_empty() && !*self.stop.get_mut()
    }

    /// Keeps what is to be kept of the units that were handed out last, all of which are done.
    pub fn keep_wave(&mut self) {
        let UnitResults { keep, sums, .. } = self.found.get_mut().unwrap_or_else(PoisonError::into_inner);
        keep(sums);
    }

    /// The sums of all units, and the readers' part of the balance; `None` where rows are out of order.
    ///
    /// # Errors
    /// Some unit could not be read.
    pub fn finish(self) -> Result<Option<(PartialSums, EventBalance)>> {
        let UnitResults { sums, mut findings, error, .. } =
            self.found.into_inner().unwrap_or_else(PoisonError::into_inner);
        if let Some((_, error)) = error {
            return Err(error);
        }
        if findings.iter().any(|(_, of_unit)| of_unit.disorder) {
            return Ok(None);
        }
        findings.sort_by_key(|(unit, _)| *unit);
        let mut balance = EventBalance::default();
        findings.iter().for_each(|(_, of_unit)| balance.add(&of_unit.balance));
        let mut parts: Vec<_> = findings.into_iter().flat_map(|(_, of_unit)| of_unit.parts).collect();
        parts.sort_by_key(|(input, _)| *input);
        let mut parts = parts.into_iter().peekable();
        // Of a part, order and hashes are known before.
        let files = if let UnitSource::Files(inputs) = &self.source { inputs.as_slice() } else { &[] };
        for (number, input) in files.iter().enumerate() {
            let own = std::iter::from_fn(|| parts.next_if(|part| part.0 == number)).map(|part| part.1).collect();
            if input.unread && !input.file.found(own)?.sorted {
                return Ok(None);
            }
        }
        Ok(Some((sums, balance)))
    }

    /// Has `work` read what readers of a unit's rows, or of all times in sequence, give; what became known by it. With `all`, also inputs
    /// that have no part in the unit have a reader.
    fn read(
        &self,
        unit: &Unit,
        all: bool,
        work: impl FnOnce(&mut Vec<(usize, Reader<'_>)>) -> Result<()>,
    ) -> Result<UnitFindings> {
        let mut findings = UnitFindings::default();
        let counted = |input: &InputPlan| input.series.clone().map(|which| self.plan.spec.counts(which)).collect();
        let apart = self.in_sequence() && !self.plan.is_whole();
        let (begin, end) = (self.plan.part.start, self.plan.part.end);
        let edge = |number: usize, segment: u64| self.plan.inputs[number].edge_before(segment);
        let run = |mut readers: Vec<(usize, Reader<'_>)>| -> Result<()> {
            for (number, reader) in readers.iter_mut().filter(|_| apart) {
                reader.begin_part(edge(*number, begin))?;
            }
            work(&mut readers)?;
            findings.disorder = readers.iter().any(|(_, reader)| !reader.is_in_order());
            for (number, mut reader) in readers {
                // Nothing counts after disorder, so the rest is not worth reading.
                if !findings.disorder {
                    let share = match apart {
                        true => reader.finish_part(edge(number, end), begin == 0)?,
                        false => reader.finish()?,
                    };
                    findings.balance.add(&share);
                    findings.disorder = !reader.is_in_order();
                }
            }
            Ok(())
        };
        match &self.source {
            UnitSource::Sequence(sources) => {
                let sources = sources.lock().unwrap_or_else(PoisonError::into_inner).take().ok_or_else(pulled_twice)?;
                let reader = |((source, offset), input): (OffsetTimeSource<'a>, &InputPlan)| {
                    Reader::new(source, edges(&input.gti, offset), counted(input), self.reading)
                };
                run(sources.into_iter().zip(&self.plan.inputs).map(reader).enumerate().collect())?;
            }
            UnitSource::Files(inputs) => {
                let mut shares = Vec::new();
                for (number, (input, rows)) in inputs.iter().zip(&unit.rows).enumerate() {
                    if all || input.has_part(unit) || !rows.is_empty() {
                        let share = RowRangeReader::new(input.file, input.parting.clone(), rows.clone(), input.unread)?;
                        shares.push((number, share));
                    }
                }
                let mut readers: Vec<(usize, Reader)> = Vec::new();
                for (number, share) in &mut shares {
                    let input = &inputs[*number];
                    let intervals = input.intervals.clone();
                    readers.push((*number, Reader::new(Box::new(share), intervals, counted(input.plan), self.reading)));
                }
                run(readers)?;
                findings.parts = shares.into_iter().map(|(number, share)| (number, share.part)).collect();
                findings.disorder |= findings.parts.iter().any(|(_, part)| !part.is_sorted());
            }
        }
        Ok(findings)
    }
}

/// Bytes that the readers of one thread take, where units are of files; see [`PlanUnits::of_files`].
pub(super) fn reader_bytes(plan: &Plan, inputs: &[Events]) -> Option<usize> {
    let inputs = unread_inputs(plan, inputs)?;
    inputs.iter().map(|input| input.file.row_range_bytes(input.parting)).max()
}

/// Inputs that are files not known to be out of order, and of which nothing was read.
fn unread_inputs<'a>(plan: &'a Plan, inputs: &'a [Events]) -> Option<Vec<UnitInput<'a>>> {
    let input = |(events, plan): (&'a Events, &'a InputPlan)| {
        let (file, parting) = events.unread_file()?;
        let known = file.known();
        if known.is_some_and(|times| !times.sorted) {
            return None;
        }
        Some(UnitInput { file, parting, plan, intervals: edges(&plan.gti, events.offset), unread: known.is_none() })
    };
    inputs.iter().zip(&plan.inputs).map(input).collect()
}

fn pulled_twice() -> Error {
    Error::argument("units", 0, "times in sequence come once")
}

impl Units for PlanUnits<'_> {
    fn count(&self) -> usize {
        self.wave.len()
    }

    fn unit(&self, place: usize) -> Option<&Unit> {
        let unit = self.units.get(self.wave.start + place);
        unit.filter(|_| place < self.wave.len() && !self.stop.load(Ordering::Relaxed))
    }

    fn in_sequence(&self) -> bool {
        matches!(self.source, UnitSource::Sequence(_))
    }

    fn segment(&self, input: usize, index: u64) -> Option<Segment> {
        let input = self.plan.inputs.get(input)?;
        input.indices().contains(&index).then(|| input.segments.get(index - input.first))
    }

    fn row_bytes(&self, input: usize) -> usize {
        if let UnitSource::Files(inputs) = &self.source { inputs[input].file.row_size() } else { 0 }
    }

    fn first_row_at(&self, input: usize, edge: f64, rows: Range<usize>) -> Result<Option<usize>> {
        let UnitSource::Files(inputs) = &self.source else { return Ok(None) };
        inputs[input].file.first_row_at(edge, rows)
    }

    fn times(&self, unit: &Unit, work: &mut dyn FnMut(&mut dyn SegmentTimes) -> Result<()>) -> Result<UnitFindings> {
        self.read(unit, false, |readers| work(&mut UnitReaders { plan: self.plan, readers }))
    }

    fn rows(&self, unit: &Unit, work: &mut dyn FnMut(&mut [UnitRows]) -> Result<()>) -> Result<UnitFindings> {
        let UnitSource::Files(inputs) = &self.source else {
            return Err(Error::argument("units", unit.number, "times in sequence have no rows"));
        };
        let mut all = Vec::new();
        for (number, (input, rows)) in inputs.iter().zip(&unit.rows).enumerate() {
            if !input.has_part(unit) && rows.is_empty() {
                continue;
            }
            all.push(UnitRows {
                input: number,
                series: input.plan.series.clone(),
                counted: input.plan.series.clone().map(|which| self.plan.spec.counts(which)).collect(),
                intervals: &input.intervals,
                rows: RawRows::new(input.file, input.parting, rows.clone(), input.unread)?,
                seen: RowsSeen::default(),
            });
        }
        work(&mut all)?;
        let mut findings = UnitFindings::default();
        for UnitRows { input, counted, rows, seen, .. } in all {
            self.reading.progress.advance(seen.balance.read)?;
            // Photons that another series counts are not counted twice.
            if counted.contains(&true) {
                findings.balance.add(&seen.balance);
            }
            findings.disorder |= !seen.times.sorted;
            findings.parts.push((input, rows.finish(seen.times, seen.ends)));
        }
        Ok(findings)
    }

    fn batches(
        &self,
        unit: &Unit,
        limits: BatchLimits,
        take: &mut dyn FnMut(SegmentBatch) -> Result<()>,
    ) -> Result<UnitFindings> {
        self.read(unit, true, |readers| {
            let readers = readers.iter_mut().map(|(_, reader)| reader).collect();
            Batcher::new(self.plan, readers, unit.segments.clone(), limits).run(take)
        })
    }

    fn add(&self, sums: PartialSums) {
        let mut found = self.found.lock().unwrap_or_else(PoisonError::into_inner);
        let _span = trace::span("merge");
        found.sums.merge(sums);
        if self.in_sequence() {
            let UnitResults { keep, sums, .. } = &mut *found;
            keep(sums);
        }
    }

    fn done(&self, unit: &Unit, findings: Result<UnitFindings>) {
        let mut found = self.found.lock().unwrap_or_else(PoisonError::into_inner);
        match findings {
            Ok(findings) => {
                if findings.disorder {
                    self.stop.store(true, Ordering::Relaxed);
                }
                found.findings.push((unit.number, findings));
            }
            Err(error) => {
                self.stop.store(true, Ordering::Relaxed);
                if found.error.as_ref().is_none_or(|(first, _)| unit.number < *first) {
                    found.error = Some((unit.number, error));
                }
            }
        }
    }
}

/// Readers of the inputs that have a part in a unit.
struct UnitReaders<'a, 'r> {
    plan: &'a Plan,
    readers: &'a mut [(usize, Reader<'r>)],
}

impl SegmentTimes for UnitReaders<'_, '_> {
    fn segment(&mut self, index: u64, look: &mut dyn FnMut(usize, &[f64], DoubleDouble)) -> Result<bool> {
        for (number, reader) in self.readers.iter_mut() {
            let input = &self.plan.inputs[*number];
            if !input.indices().contains(&index) {
                continue;
            }
            let Segment { start, first, stop } = input.segments.get(index - input.first);
            reader.skip_to(first)?;
            reader.each_to(stop, |band, times| look(input.series.start + band, times, start))?;
        }
        Ok(self.readers.iter().all(|(_, reader)| reader.is_in_order()))
    }
}

//! Measures one workload with several numbers of threads and chunk sizes.

use std::num::NonZeroUsize;

use super::sample::{Budget, in_turn};
use super::scaling::{Point, Scaling, thread_counts};
use super::workload::{Prepared, once};
use crate::backend::cpu::CpuBackend;
use crate::error::Result;
use crate::pipeline::CHUNK_EVENTS;
use crate::profile;

/// Rows read at a time: the usual, and a quarter of it.
const CHUNKS: [usize; 2] = [CHUNK_EVENTS, CHUNK_EVENTS / 4];

/// Times threads × scheduling × chunk size, and the stages of one more run of each. There is one way of scheduling: threads take
/// tasks, in order, from a shared counter.
///
/// # Errors
/// The system cannot start so many threads.
pub fn scaling(prepared: &Prepared, cores: usize, quick: bool, load: Option<f64>, budget: Budget) -> Result<Scaling> {
    let mut points = Vec::new();
    let mut backends = Vec::new();
    for threads in thread_counts(cores) {
        for &chunk_events in &CHUNKS[..if quick { 1 } else { CHUNKS.len() }] {
            let scheduling = "shared counter".to_string();
            points.push(Point { threads, scheduling, chunk_events, ..Point::default() });
            backends.push(CpuBackend::new(NonZeroUsize::new(threads))?);
        }
    }
    let measured = in_turn(points.len(), budget, |i| once(prepared, &mut backends[i], points[i].chunk_events));
    let mut warnings = Vec::new();
    for (i, samples) in measured.into_iter().enumerate() {
        match samples {
            Ok(samples) => points[i].samples = samples.seconds,
            Err(why) => warnings.push(why),
        }
        profile::start();
        // What fails has just been said.
        let _ = once(prepared, &mut backends[i], points[i].chunk_events);
        let stages = profile::stop().stages();
        points[i].stages = stages.into_iter().map(|(name, stage)| (name.to_string(), stage)).collect();
    }
    points.retain(|point| !point.samples.is_empty());
    let (workload, events) = (prepared.workload.name.to_string(), prepared.events);
    let scaling = Scaling { workload, events, points, fit: None, warnings: Vec::new() };
    let mut judged = scaling.judged(load, cores, CHUNK_EVENTS);
    judged.warnings.extend(warnings);
    Ok(judged)
}

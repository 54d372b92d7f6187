//! Measures one workload with several numbers of threads, ways to share the work among them, and chunk sizes.

use std::collections::BTreeMap;
use std::num::NonZeroUsize;
use std::path::Path;

use super::sample::{Budget, in_turn};
use super::scaling::{Scaling, ScalingPoint, USUAL_SCHEDULING, thread_counts};
use super::workload::{Prepared, once};
use eagleray::Result;
use eagleray::internal::backend::cpu::CpuBackend;
use eagleray::internal::backend::{CpuOptions, Schedule};
use eagleray::internal::engine::CHUNK_EVENTS;
use eagleray::internal::trace;

/// Rows read at a time: the usual, which is all that a quick run takes, a quarter of it and four times as many.
const CHUNKS: [usize; 3] = [CHUNK_EVENTS, CHUNK_EVENTS / 4, 4 * CHUNK_EVENTS];
/// How tasks come to threads, the usual first.
const SCHEDULES: [(Schedule, &str); 3] =
    [(Schedule::Dynamic, USUAL_SCHEDULING), (Schedule::Static, "static"), (Schedule::Guided, "guided")];

/// Times threads × scheduling × chunk size, and the stages of one more run of each, which writes its spectrum, too, beside the
/// file that was read.
///
/// # Errors
/// The system cannot start so many threads.
pub fn scaling(prepared: &Prepared, cores: usize, quick: bool, budget: Budget) -> Result<Scaling> {
    let mut points = Vec::new();
    let mut backends = Vec::new();
    let chunks = &CHUNKS[..if quick { 1 } else { CHUNKS.len() }];
    for threads in thread_counts(cores) {
        for (schedule, scheduling) in SCHEDULES {
            let options = CpuOptions { schedule, ..CpuOptions::default() };
            backends.push(CpuBackend::with_options(NonZeroUsize::new(threads), options)?);
            let point = |&chunk_events| ScalingPoint {
                threads,
                scheduling: scheduling.into(),
                chunk_events,
                ..ScalingPoint::default()
            };
            points.extend(chunks.iter().map(point));
        }
    }
    let mut run = |i: usize, output: Option<&Path>| {
        let point: &ScalingPoint = &points[i];
        once(prepared, &mut backends[i / chunks.len()], point.chunk_events, output)
    };
    let measured = in_turn(points.len(), budget, |i| run(i, None));
    let others = measured.iter().flatten().find_map(|samples| samples.others);
    let output = prepared.task().0.with_extension("ecsv");
    let profiled = |i| {
        trace::start();
        let done = run(i, Some(&output));
        done.map(|_| trace::stop().stages())
    };
    let stages: Vec<_> = (0..points.len()).map(profiled).collect();
    let mut warnings = Vec::new();
    for ((point, samples), stages) in points.iter_mut().zip(measured).zip(stages) {
        match (samples, stages) {
            (Ok(samples), Ok(stages)) => {
                point.samples = samples.seconds;
                point.stages = stages.into_iter().map(|(name, stage)| (name.to_string(), stage)).collect();
            }
            (Err(why), _) | (_, Err(why)) => warnings.push(why),
        }
    }
    points.retain(|point| !point.samples.is_empty());
    let (workload, events) = (prepared.workload.name.to_string(), prepared.events);
    let scaling = Scaling { workload, events, points, fit: None, other_fits: BTreeMap::new(), warnings: Vec::new() };
    let mut judged = scaling.judged(others, cores);
    judged.warnings.extend(warnings);
    Ok(judged)
}

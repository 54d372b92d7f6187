//! Events counted in any order: each byte of a file is read once, on all cores.

use std::sync::{Mutex, PoisonError};

use super::run::Reading;
use super::time_source::Events;
use crate::backend::{Schedule, UNIT_BYTES, WorkQueue};
use crate::base::error::{Error, Result};
use crate::data::EventBalance;
use crate::io::{KeptEvents, RowRangeReader};

/// How an input is counted.
pub(super) struct CountingOptions {
    /// Channels and detectors are needed, too.
    pub values: bool,
    /// Threads at most: each has counts of its own.
    pub threads: usize,
}

/// Bytes that the counts of all threads may take before fewer are used.
const COUNTS_BYTES: usize = 1 << 30;

/// Threads for counts of so many bytes.
pub(super) fn threads(bytes: usize) -> usize {
    rayon::current_num_threads().min(COUNTS_BYTES / bytes.max(1)).max(1)
}

/// Calls `look` with all that is kept of an input, in pieces, on several threads; gives the counts of each, which began as
/// `fresh`, and the reader's part of the balance.
///
/// # Errors
/// Reading fails; values of a file that has no channels, or of an input that is none.
pub(super) fn each_kept<S: Send>(
    input: &mut Events,
    way: &CountingOptions,
    reading: Reading,
    fresh: impl Fn() -> S + Sync,
    look: impl Fn(&mut S, KeptEvents) + Sync,
) -> Result<(Vec<S>, EventBalance)> {
    let unread = input.source.balance().read == 0;
    let Some((file, parting)) = input.origin.as_ref().filter(|_| unread) else {
        if way.values {
            return Err(Error::argument(
                "inputs",
                &input.name,
                "is not read from a file, so its events have no channels",
            ));
        }
        let (mut counts, mut times) = (fresh(), Vec::<f64>::new());
        let mut told = 0;
        while input.source.next_chunk(reading.rows.max(1), std::slice::from_mut(&mut times))? {
            look(&mut counts, KeptEvents { times: &times, channels: &[], detectors: &[] });
            times.clear();
            let read = input.source.balance().read;
            reading.progress.advance(read - told)?;
            told = read;
        }
        return Ok((vec![counts], input.source.balance()));
    };
    let (rows, hashed) = (file.rows(), file.known().is_none());
    let step = (UNIT_BYTES / file.row_size().max(1)).max(1);
    let deal = WorkQueue::new(Schedule::Dynamic, rows.div_ceil(step), way.threads);
    let found = Mutex::new((Vec::new(), EventBalance::default(), Vec::new()));
    let one = |thread: usize| -> Result<()> {
        let (mut counts, mut times) = (fresh(), Vec::new());
        for task in deal.of(thread) {
            let rows = task * step..(task * step + step).min(rows);
            let mut share = RowRangeReader::new(file, parting.clone(), rows, hashed)?;
            if way.values {
                share = share.with_values()?;
            }
            let mut read = 0;
            while let Some(kept) = share.next_events(&mut times)? {
                look(&mut counts, kept);
                reading.progress.advance(share.balance.read - read)?;
                read = share.balance.read;
            }
            let mut found = found.lock().unwrap_or_else(PoisonError::into_inner);
            found.1.add(&share.balance);
            found.2.push((task, share.part));
        }
        found.lock().unwrap_or_else(PoisonError::into_inner).0.push(counts);
        Ok(())
    };
    let failed = Mutex::new(None);
    let work = |thread: usize| {
        if let Err(e) = one(thread) {
            failed.lock().unwrap_or_else(PoisonError::into_inner).get_or_insert(e);
        }
    };
    rayon::in_place_scope(|scope| {
        for thread in 0..deal.threads() {
            let work = &work;
            scope.spawn(move |_| work(thread));
        }
    });
    if let Some(error) = failed.into_inner().unwrap_or_else(PoisonError::into_inner) {
        return Err(error);
    }
    let (counts, balance, mut parts) = found.into_inner().unwrap_or_else(PoisonError::into_inner);
    if hashed {
        parts.sort_by_key(|(task, _)| *task);
        file.found(parts.into_iter().map(|(_, part)| part).collect())?;
    }
    Ok((counts, balance))
}

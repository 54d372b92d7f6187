//! A run that somebody watches.

use std::ops::ControlFlow;
use std::sync::Arc;
use std::sync::mpsc::{RecvTimeoutError, sync_channel};
use std::time::Duration;

use crate::base::error::{BackendError, Result};
use crate::base::progress::Progress;

/// What is asked during a run, with the steps that are done and all that there are (0 where nobody knows).
pub(super) type Watch = Arc<dyn Fn(u64, u64) -> ControlFlow<()> + Send + Sync>;

/// How often whoever watches is asked.
pub(super) const EVERY: Duration = Duration::from_millis(100);

/// Does `work` on a thread of its own, while this one tells `watch` how many steps are done, and of how many (0 where nobody knows),
/// at first, ten times a second, and when all is done. Where `watch` breaks, the run is cancelled.
///
/// # Errors
/// Those of `work`; no thread can be started; [`Error::Cancelled`](crate::base::error::Error::Cancelled) after a break.
pub fn watched<T: Send>(
    watch: &mut dyn FnMut(u64, u64) -> ControlFlow<()>,
    work: impl FnOnce(&Progress) -> Result<T> + Send,
) -> Result<T> {
    let progress = Progress::default();
    if watch(0, 0).is_break() {
        progress.cancel();
    }
    std::thread::scope(|scope| {
        // It is dropped when the work ends, however that is.
        let (working, ended) = sync_channel::<()>(0);
        let begun = std::thread::Builder::new().spawn_scoped(scope, || {
            let _working = working;
            work(&progress)
        });
        let worker = begun.map_err(|e| BackendError::NoThreads { wanted: 1, why: e.to_string() })?;
        while let Err(RecvTimeoutError::Timeout) = ended.recv_timeout(EVERY) {
            let (done, total) = progress.state();
            if watch(done, total).is_break() {
                progress.cancel();
            }
        }
        let done = worker.join().unwrap_or_else(|panic| std::panic::resume_unwind(panic));
        // Nothing can be cancelled any more.
        let (steps, total) = progress.state();
        let _ = watch(steps, total);
        done
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::base::error::Error;

    #[test]
    fn work_is_told_of_and_ends_where_the_watcher_breaks() {
        let mut told = Vec::new();
        let result = watched(
            &mut |done, total| {
                told.push((done, total));
                if done >= 2 { ControlFlow::Break(()) } else { ControlFlow::Continue(()) }
            },
            |progress| {
                progress.begin(1000);
                for _ in 0..1000 {
                    progress.advance(1)?;
                    std::thread::sleep(Duration::from_millis(60));
                }
                Ok(())
            },
        );
        assert!(matches!(result, Err(Error::Cancelled)), "{result:?}");
        assert!(told.last().unwrap().0 < 8 && told[1..].iter().all(|(_, total)| *total == 1000), "{told:?}");
        assert_eq!(watched(&mut |_, _| ControlFlow::Continue(()), |_| Ok(7)).unwrap(), 7);
    }
}

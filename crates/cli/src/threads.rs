//! The threads of a program: as many as there are cores, or fewer where the limits of the process have no room for their stacks.
//!
//! A thread that cannot be started in the middle of work ends the process in a panic, so those that work shares are started before.

use std::num::NonZeroUsize;
use std::sync::OnceLock;

use eagleray::Result;
use eagleray::error::BackendError;
use eagleray::internal::footprint::{Footprint, left_of_limits};

/// Bytes of a thread: its stack, the stack of its signals, and what it begins with.
const BYTES_A_THREAD: usize = (2 << 20) + (128 << 10);
/// Threads besides those that share the work: of signals, of the run that is watched, of what is written.
const OTHERS: usize = 4;
/// Bytes of a program that does almost nothing.
const PROGRAM: usize = 4 << 20;

/// Most threads that share work; `None` where nothing limits them.
static MOST: OnceLock<Option<NonZeroUsize>> = OnceLock::new();

/// What a program with so many threads takes besides its work: they are in two pools, the device's and that of all else.
fn program(threads: usize) -> Footprint {
    Footprint::default().and(PROGRAM, 1).and(2 * threads + OTHERS, BYTES_A_THREAD)
}

/// As many threads as take half of what the limits leave, one at least; `None` where all that are wanted do.
fn fitting(wanted: usize, left: Option<u64>) -> Option<NonZeroUsize> {
    let half = left? / 2;
    let fits = |threads: &usize| program(*threads).bytes() <= half;
    let most = (1..=wanted).rev().find(fits).unwrap_or(1);
    NonZeroUsize::new(most).filter(|_| most < wanted)
}

/// Refuses to begin where the limits of the process have no room for a program with one thread. To be called before a thread is started.
///
/// # Errors
/// [`Error::Memory`](eagleray::Error::Memory).
pub fn check() -> Result<()> {
    program(1).check("the program with its threads")
}

/// Starts the threads that all work but the device's shares.
///
/// # Errors
/// The system does not start them.
pub fn start() -> Result<()> {
    let wanted = std::env::var("RAYON_NUM_THREADS").ok().and_then(|text| text.parse().ok()).filter(|&n| n > 0);
    let cores = || std::thread::available_parallelism().map_or(1, NonZeroUsize::get);
    let most = *MOST.get_or_init(|| fitting(wanted.unwrap_or_else(cores), left_of_limits()));
    let mut pool = rayon::ThreadPoolBuilder::new();
    if let Some(most) = most {
        pool = pool.num_threads(most.get());
    }
    pool.build_global().map_err(|e| {
        let wanted = most.map_or_else(|| wanted.unwrap_or_else(cores), NonZeroUsize::get);
        BackendError::NoThreads { wanted, why: format!("{e}; RAYON_NUM_THREADS says how many") }.into()
    })
}

/// The threads of the CPU: those that are asked for, or as many as the limits of the process have room for; `None` for one on each core.
pub fn of_cpu(asked: Option<NonZeroUsize>) -> Option<NonZeroUsize> {
    asked.or_else(|| MOST.get().copied().flatten())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn threads_take_half_of_what_limits_leave_and_one_is_started_always() {
        let left = |threads: usize| Some(2 * program(threads).bytes());
        assert_eq!(fitting(16, None), None);
        assert_eq!(fitting(16, left(16)), None);
        assert_eq!(fitting(16, left(15)).map(NonZeroUsize::get), Some(15));
        assert_eq!(fitting(16, left(16).map(|all| all - 2)).map(NonZeroUsize::get), Some(15));
        assert_eq!(fitting(16, Some(0)).map(NonZeroUsize::get), Some(1));
        assert_eq!(fitting(1, Some(0)), None);
    }
}

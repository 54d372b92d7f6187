//! Memory that cannot be had: one clear line, no hidden file, and the status of errors, in the place of an abort.
//!
//! What is large is planned, and refused before the work. What is left are small allocations where almost nothing is left, and memory that was
//! taken by others after it was looked at.

use std::alloc::{GlobalAlloc, Layout};
use std::cell::Cell;
use std::io::Write;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use eagleray::internal::footprint;
use eagleray::internal::trace::CountingAllocator;

/// Exit status of a run that failed.
const FAILED: i32 = 1;
/// How long another thread may take to leave the list of unfinished outputs.
const PATIENCE: Duration = Duration::from_millis(500);

/// The counting allocator of a program, which ends the program where memory cannot be had, unless whoever asks can do without.
pub struct EndingAllocator {
    /// Name of the program, which begins what it says.
    pub program: &'static str,
}

/// Whether a thread is ending the process, and whether it is this one.
static ENDING: AtomicBool = AtomicBool::new(false);
thread_local! {
    // Needs no allocation and no destructor, so that an allocator may use it.
    static BY_THIS_THREAD: Cell<bool> = const { Cell::new(false) };
}

impl EndingAllocator {
    /// What was allocated; where there is nothing, the end of the process.
    fn given(&self, place: *mut u8, bytes: usize) -> *mut u8 {
        if place.is_null() && !footprint::may_fail() {
            self.end(bytes);
        }
        place
    }

    /// Says so, removes what is unfinished, and ends the process. Returns where even that needs memory: the process is aborted then.
    #[cold]
    fn end(&self, bytes: usize) {
        if BY_THIS_THREAD.get() {
            return;
        }
        if ENDING.swap(true, Ordering::SeqCst) {
            // Another thread is about it.
            loop {
                std::thread::sleep(PATIENCE);
            }
        }
        BY_THIS_THREAD.set(true);
        let mut room = [0; 512];
        say_unlocked(message(&mut room, self.program, bytes));
        eagleray::internal::io::remove_unfinished_within(PATIENCE);
        exit();
    }
}

// SAFETY: every call goes to the counting allocator as it came.
unsafe impl GlobalAlloc for EndingAllocator {
    unsafe fn alloc(&self, layout: Layout) -> *mut u8 {
        // SAFETY: the caller's promises are those that the counting allocator wants.
        self.given(unsafe { CountingAllocator.alloc(layout) }, layout.size())
    }

    unsafe fn alloc_zeroed(&self, layout: Layout) -> *mut u8 {
        // SAFETY: as above.
        self.given(unsafe { CountingAllocator.alloc_zeroed(layout) }, layout.size())
    }

    unsafe fn dealloc(&self, place: *mut u8, layout: Layout) {
        // SAFETY: as above.
        unsafe { CountingAllocator.dealloc(place, layout) }
    }

    unsafe fn realloc(&self, place: *mut u8, layout: Layout, size: usize) -> *mut u8 {
        // SAFETY: as above.
        self.given(unsafe { CountingAllocator.realloc(place, layout, size) }, size)
    }
}

/// The line that is said, made without an allocation.
fn message<'a>(room: &'a mut [u8], program: &str, bytes: usize) -> &'a [u8] {
    let size = room.len();
    let mut rest = &mut room[..];
    // A line that is too long is cut off.
    let _ = writeln!(
        rest,
        "{program}: error: out of memory: {bytes} bytes more cannot be had, and nothing unfinished is left; take less at a time (wider bins, \
         shorter segments, fewer frequencies, a part of the time) or fewer threads (RAYON_NUM_THREADS=1), or raise the limit of memory"
    );
    let written = size - rest.len();
    &room[..written]
}

/// Writes to standard error past its lock, which this thread may hold.
#[cfg(unix)]
fn say_unlocked(line: &[u8]) {
    use std::os::fd::FromRawFd;
    // SAFETY: the stream is only borrowed: it is never closed here.
    let stream = unsafe { std::fs::File::from_raw_fd(2) };
    let mut stream = std::mem::ManuallyDrop::new(stream);
    let _ = stream.write_all(line);
}

/// Elsewhere by its lock.
#[cfg(not(unix))]
fn say_unlocked(line: &[u8]) {
    let _ = std::io::stderr().write_all(line);
}

/// Ends the process at once: what would be done at an end may allocate.
#[cfg(unix)]
fn exit() -> ! {
    signal_hook::low_level::exit(FAILED)
}

/// Elsewhere as usual.
#[cfg(not(unix))]
fn exit() -> ! {
    std::process::exit(FAILED)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_line_says_how_much_and_what_to_do_and_fits() {
        let mut room = [0; 512];
        let line = std::str::from_utf8(message(&mut room, "eagleray", usize::MAX)).unwrap();
        assert!(line.starts_with("eagleray: error: out of memory: 18446744073709551615 bytes more"), "{line}");
        assert!(line.ends_with("or raise the limit of memory\n") && line.lines().count() == 1, "{line}");
        let mut short = [0; 30];
        assert_eq!(message(&mut short, "eagleray", 5), b"eagleray: error: out of memory");
    }
}

//! Memory: allocations of each thread, what the process has in use, and the most that the system saw.

use std::alloc::{GlobalAlloc, Layout, System};
use std::cell::Cell;
use std::sync::atomic::{AtomicI64, Ordering};

use super::switch::is_on;

/// The system's allocator, which counts while a recording runs; else an allocation is one look at a flag more. For binaries:
///
/// ```
/// #[global_allocator]
/// static ALLOCATOR: eagleray::internal::trace::CountingAllocator = eagleray::internal::trace::CountingAllocator;
/// ```
pub struct CountingAllocator;

/// What a thread has allocated.
#[derive(Clone, Copy, Default)]
pub(super) struct AllocationTally {
    pub count: u64,
    pub bytes: u64,
    /// Most bytes in use that the thread has seen since its innermost span began.
    peak: i64,
}

impl AllocationTally {
    const NONE: AllocationTally = AllocationTally { count: 0, bytes: 0, peak: 0 };

    pub fn add(&mut self, other: &AllocationTally) {
        self.count += other.count;
        self.bytes += other.bytes;
    }
}

/// Bytes in use above those when the recording began.
static IN_USE: AtomicI64 = AtomicI64::new(0);

thread_local! {
    // Needs no allocation and no destructor, so that an allocator may use it.
    static OWN: Cell<AllocationTally> = const { Cell::new(AllocationTally::NONE) };
}

#[cold]
fn allocated(bytes: usize) {
    let in_use = IN_USE.fetch_add(bytes as i64, Ordering::Relaxed) + bytes as i64;
    OWN.with(|own| {
        let AllocationTally { count, bytes: before, peak } = own.get();
        own.set(AllocationTally { count: count + 1, bytes: before + bytes as u64, peak: peak.max(in_use) });
    });
}

#[cold]
fn freed(bytes: usize) {
    IN_USE.fetch_sub(bytes as i64, Ordering::Relaxed);
}

// SAFETY: every call goes to the system's allocator as it came; counting allocates nothing.
unsafe impl GlobalAlloc for CountingAllocator {
    unsafe fn alloc(&self, layout: Layout) -> *mut u8 {
        if is_on() {
            allocated(layout.size());
        }
        // SAFETY: the caller's promises are those that the system's allocator wants.
        unsafe { System.alloc(layout) }
    }

    unsafe fn alloc_zeroed(&self, layout: Layout) -> *mut u8 {
        if is_on() {
            allocated(layout.size());
        }
        // SAFETY: as above.
        unsafe { System.alloc_zeroed(layout) }
    }

    unsafe fn dealloc(&self, place: *mut u8, layout: Layout) {
        if is_on() {
            freed(layout.size());
        }
        // SAFETY: as above.
        unsafe { System.dealloc(place, layout) }
    }

    unsafe fn realloc(&self, place: *mut u8, layout: Layout, size: usize) -> *mut u8 {
        if is_on() {
            freed(layout.size());
            allocated(size);
        }
        // SAFETY: as above.
        unsafe { System.realloc(place, layout, size) }
    }
}

/// Begins to count; the most memory in use counts from now on, too, where the system can (Linux).
pub(super) fn start() {
    IN_USE.store(0, Ordering::Relaxed);
    // Where it cannot, it counts from the beginning.
    let _ = std::fs::write("/proc/self/clear_refs", "5");
}

/// Calls `look`, whose allocations are the recorder's own, and none of the program's.
pub(super) fn unnoticed<T>(look: impl FnOnce() -> T) -> T {
    let before = OWN.get();
    let value = look();
    let AllocationTally { peak, .. } = OWN.get();
    OWN.set(AllocationTally { peak, ..before });
    value
}

/// What this thread has allocated, as a span begins.
pub(super) fn begin() -> AllocationTally {
    let before = OWN.get();
    OWN.set(AllocationTally { peak: IN_USE.load(Ordering::Relaxed), ..before });
    before
}

/// What this thread has allocated since, as the span ends, and the most bytes in use that it saw.
pub(super) fn end(before: &AllocationTally) -> (AllocationTally, u64) {
    let now = OWN.get();
    let peak = now.peak.max(IN_USE.load(Ordering::Relaxed));
    OWN.set(AllocationTally { peak: before.peak.max(peak), ..now });
    let since = |now: u64, before: u64| now.saturating_sub(before);
    let allocated =
        AllocationTally { count: since(now.count, before.count), bytes: since(now.bytes, before.bytes), peak: 0 };
    (allocated, u64::try_from(peak).unwrap_or(0))
}

/// Most memory that this process has had in use since it, or a recording, began, bytes; known on Linux alone.
pub fn peak_memory() -> Option<u64> {
    let status = std::fs::read_to_string("/proc/self/status").ok()?;
    let kilobytes = status.lines().find_map(|line| line.strip_prefix("VmHWM:"))?.trim().strip_suffix("kB")?;
    Some(kilobytes.trim().parse::<u64>().ok()? << 10)
}

//! The counting allocator, alone in a process: what it counts, and that memory is what it should be. Small enough for Miri:
//! `MIRIFLAGS=-Zmiri-disable-isolation cargo +nightly miri test --no-default-features --test allocator`.

use eagleray::internal::trace;

#[global_allocator]
static ALLOCATOR: trace::CountingAllocator = trace::CountingAllocator;

/// Allocates, zeroed and not, grows and frees; what was written stays.
fn work() -> u64 {
    let mut bytes = vec![1u8; 1000];
    bytes.reserve_exact(2000);
    bytes.resize(3000, 2);
    let zeros = std::hint::black_box(vec![0u64; 100]);
    bytes.iter().map(|&b| u64::from(b)).sum::<u64>() + zeros.iter().sum::<u64>()
}

#[test]
fn counts_what_a_stage_allocates() {
    // Nothing is counted before.
    assert_eq!(work(), 5000);
    trace::start();
    {
        let _outer = trace::span("outer");
        assert_eq!(work(), 5000);
        let _inner = trace::span("inner");
        drop(std::hint::black_box(Box::new(7u64)));
    }
    // Another thread's are its own.
    std::thread::spawn(|| {
        let _span = trace::span("thread");
        assert_eq!(work(), 5000);
    })
    .join()
    .unwrap();
    let profile = trace::stop();
    let stages = profile.stages();
    for name in ["outer", "thread"] {
        let stage = &stages[name];
        assert_eq!((stage.allocations, stage.allocated_bytes), (3, 1000 + 3000 + 800), "{name}");
        assert!(stage.peak_heap_bytes >= 3800, "{name}: {}", stage.peak_heap_bytes);
    }
    assert_eq!((stages["inner"].allocations, stages["inner"].allocated_bytes), (1, 8));
    // Nor after.
    assert_eq!(work(), 5000);
}

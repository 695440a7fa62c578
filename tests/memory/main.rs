//! What needs the tracking allocator: one binary, for there is one allocator in each.
#![expect(clippy::unwrap_used, reason = "tests")]

use isolated_nats::TrackingAllocator;

#[global_allocator]
static ALLOCATOR: TrackingAllocator = TrackingAllocator::system();

mod attribute;
mod attribution;
mod beside;
mod blocks;
mod ceilings;
mod growth;
mod probes;
mod split;
#[expect(dead_code, reason = "not all of it is needed here")]
#[path = "../it/support.rs"]
mod support;
mod threads;
mod truth;

/// By how much the bytes held may fall for a reason of std's own, where other tests run beside.
///
/// std keeps all threads of a process in one table (a `BTreeMap`, for the message of a stack overflow). A thread that
/// begins may add a node to it, of 544 or 640 bytes, and whichever thread ends later frees it: a test then holds less than
/// at its start, and its peak is above that. A test that starts threads may have allocated such a node since its start.
const THREAD_TABLE: i64 = 544 + 640;

/// A block that is written to.
fn block(bytes: usize) -> Vec<u8> {
    std::hint::black_box(vec![1; bytes])
}

/// Whether there are heap figures: under a sanitizer there are none, and a test that needs them says so and is skipped.
fn heap_is_measured() -> bool {
    let report = isolated_nats::MemoryProbe::builder().without_samples().start().finish();
    if let Some(reason) = &report.no_heap {
        assert!(reason.starts_with("a sanitizer has all memory to itself"), "{reason}");
        println!("skipped: {reason}");
    }
    report.heap.is_some()
}

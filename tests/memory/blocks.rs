//! The blocks themselves: through the allocator they are what they are without it.
#![expect(unsafe_code, reason = "the allocator is called as the standard library calls it")]

use std::alloc::{Layout, alloc, alloc_zeroed, dealloc, realloc};
use std::cell::Cell;
use std::hint::black_box;
use std::process::Command;
use std::sync::{Arc, Barrier};
use std::{ptr, slice};

use isolated_nats::MemoryProbe;

use crate::heap_is_measured;

const SIZES: [usize; 14] = [1, 2, 7, 8, 9, 15, 16, 17, 24, 63, 64, 1000, 4088, 4096];

/// Sizes around those of the classes, of the alignment, and of pages.
fn sizes(align: usize) -> impl Iterator<Item = usize> {
    let around = [align.saturating_sub(8), align - 1, align, align + 1, align + 8, 3 * align, 150_000];
    SIZES.into_iter().chain(around).filter(|size| *size > 0)
}

fn pattern(size: usize) -> impl Iterator<Item = u8> {
    (0..=u8::MAX).cycle().map(|place| place.wrapping_mul(31)).take(size)
}

/// Writes the pattern to a block, and returns it.
unsafe fn fill(block: *mut u8, size: usize) {
    // SAFETY: the caller's block is this long; zeroes make it initialised before there is a reference.
    let bytes = unsafe {
        block.write_bytes(0, size);
        slice::from_raw_parts_mut(block, size)
    };
    bytes.iter_mut().zip(pattern(size)).for_each(|(byte, value)| *byte = value);
}

unsafe fn assert_filled(block: *const u8, size: usize, context: &str) {
    // SAFETY: the caller has filled this much of the block.
    let bytes = unsafe { slice::from_raw_parts(block, size) };
    assert!(bytes.iter().copied().eq(pattern(size)), "{context}");
}

#[test]
fn blocks_are_aligned_and_keep_their_bytes_when_resized() {
    let _probe = MemoryProbe::start();
    for align in (0..=12).map(|power| 1 << power) {
        for old in sizes(align) {
            for new in sizes(align) {
                let context = format!("align {align}, {old} to {new}");
                let layout = Layout::from_size_align(old, align).unwrap();
                // SAFETY: no size is 0, each block is resized and freed by the layout it has then.
                unsafe {
                    let block = alloc(layout);
                    assert!(!block.is_null() && block.addr().is_multiple_of(align), "{context}");
                    fill(block, old);
                    let block = realloc(block, layout, new);
                    assert!(!block.is_null() && block.addr().is_multiple_of(align), "{context}");
                    assert_filled(block, old.min(new), &context);
                    dealloc(block, Layout::from_size_align(new, align).unwrap());
                }
            }
        }
    }
}

#[test]
fn zeroed_blocks_are_zero_to_their_last_byte() {
    let _probe = MemoryProbe::start();
    for align in (0..=12).map(|power| 1 << power) {
        for size in sizes(align) {
            let layout = Layout::from_size_align(size, align).unwrap();
            // SAFETY: the size is not 0, and each block is freed by its own layout.
            unsafe {
                let dirty = alloc(layout);
                dirty.write_bytes(0xff, size);
                dealloc(black_box(dirty), layout);
                let block = alloc_zeroed(layout);
                assert!(block.addr().is_multiple_of(align));
                assert!(slice::from_raw_parts(block, size).iter().all(|byte| *byte == 0), "{layout:?}");
                dealloc(block, layout);
            }
        }
    }
}

#[test]
fn what_is_too_large_is_null_and_harms_nothing() {
    if !heap_is_measured() {
        return; // a sanitizer ends the process instead
    }
    let _probe = MemoryProbe::start();
    for align in [1, 2, 8, 16, 4096, 1 << 40] {
        for less in [0, 1, 7, 8, 9, 15, 16, 17, 100] {
            let Ok(layout) = Layout::from_size_align((isize::MAX as usize + 1 - align) - less, align) else {
                continue;
            };
            // SAFETY: the size is not 0; what is null is not touched, and the small block lives on.
            unsafe {
                assert!(black_box(alloc(layout)).is_null(), "{layout:?}");
                assert!(black_box(alloc_zeroed(layout)).is_null(), "{layout:?}");
                let small = Layout::from_size_align(100, align.min(4096)).unwrap();
                if align > 4096 {
                    continue;
                }
                let block = alloc(small);
                fill(block, 100);
                assert!(black_box(realloc(block, small, layout.size())).is_null(), "{layout:?}");
                assert_filled(block, 100, "after a failed resize");
                dealloc(block, small);
            }
        }
    }
}

#[test]
fn nothing_of_size_zero_is_counted() {
    if !heap_is_measured() {
        return;
    }
    let probe = MemoryProbe::start();
    drop(black_box((Box::new(()), Vec::<u64>::new(), String::new(), Box::<[u8]>::default())));
    let report = probe.finish();
    assert_eq!((report.allocations(), report.peak_heap_bytes().map(|peak| peak == 0)), (Some(0), Some(true)));
}

const CHILD: &str = "ISOLATED_NATS_TEST_CHILD";

/// Whether this process has the test to itself: if not, the test is run in one that has, and must pass there.
fn is_alone(test: &str) -> bool {
    if std::env::var_os(CHILD).is_some() {
        return true;
    }
    let mut child = Command::new(std::env::current_exe().unwrap());
    let output = child.args([test, "--exact", "--nocapture"]).env(CHILD, "1").output().unwrap();
    let text = String::from_utf8_lossy(&output.stdout);
    assert!(
        output.status.success() && text.contains("1 passed"),
        "{text}{}",
        String::from_utf8_lossy(&output.stderr)
    );
    false
}

#[cfg(target_os = "linux")]
#[test]
fn a_zeroed_block_takes_no_pages_until_it_is_written() {
    if !is_alone("blocks::a_zeroed_block_takes_no_pages_until_it_is_written") || !heap_is_measured() {
        return;
    }
    let resident = || {
        let text = std::fs::read_to_string("/proc/self/statm").unwrap();
        text.split(' ').nth(1).unwrap().parse::<u64>().unwrap() * 4096
    };
    let probe = MemoryProbe::start();
    let before = resident();
    let zeroed = black_box(vec![0_u8; 1 << 30]);
    let grown = resident() - before;
    assert!(grown < 1 << 20, "{grown} bytes resident");
    let report = probe.finish();
    assert_eq!(report.live_heap_bytes(), Some(1 << 30));
    drop(zeroed);
}

#[test]
fn a_block_whose_end_is_overwritten_is_counted_as_such() {
    // The count is that of the process: other tests want it to be zero.
    if !is_alone("blocks::a_block_whose_end_is_overwritten_is_counted_as_such") || !heap_is_measured() {
        return;
    }
    let probe = MemoryProbe::start();
    let layout = Layout::from_size_align(100, 1).unwrap();
    // SAFETY: the eight bytes behind the block are the allocator's, and part of what it took from the system.
    unsafe {
        let block = alloc(layout);
        ptr::write_bytes(block.add(100), 0xab, 8);
        dealloc(black_box(block), layout);
        let block = alloc(layout);
        *block.add(100) ^= 0xff; // whatever it was, it is something else
        let block = realloc(black_box(block), layout, 5_000);
        dealloc(block, Layout::from_size_align(5_000, 1).unwrap());
    }
    let heap = probe.finish().heap.unwrap();
    assert_eq!(heap.untagged_frees, 2);
    // The two were never given back, so far as can be told; what became of the second was.
    assert_eq!((heap.live_bytes, heap.growth_bytes), (Some(200), 200));
    assert_eq!(heap.peak_bytes, 5_200);
}

/// What a thread does when its own counters are gone: after the allocator's destructor, since this one is older.
struct Last {
    overwritten: Cell<usize>,
    kept: Cell<usize>,
}

static OF_100: Layout = Layout::new::<[u8; 100]>();

thread_local! {
    static LAST: Last = const { Last { overwritten: Cell::new(0), kept: Cell::new(0) } };
}

impl Drop for Last {
    fn drop(&mut self) {
        let [overwritten, kept] =
            [&self.overwritten, &self.kept].map(|block| ptr::with_exposed_provenance_mut(block.get()));
        // SAFETY: both were allocated by this layout, and are freed or resized once.
        unsafe {
            dealloc(overwritten, OF_100);
            drop(black_box(vec![1_u8; 50_000]));
            std::mem::forget(black_box(vec![1_u8; 4_000]));
            let resized = realloc(kept, OF_100, 2_000);
            dealloc(alloc(OF_100), OF_100);
            black_box(resized);
        }
    }
}

#[test]
fn what_a_thread_does_at_its_very_end_counts() {
    if !is_alone("blocks::what_a_thread_does_at_its_very_end_counts") || !heap_is_measured() {
        return;
    }
    // SAFETY: the eight bytes behind the block are the allocator's, and part of what it took from the system.
    let (overwritten, kept) = unsafe {
        let (overwritten, kept) = (alloc(OF_100), alloc(OF_100));
        ptr::write_bytes(overwritten.add(100), 0xab, 8);
        (overwritten.expose_provenance(), kept.expose_provenance())
    };
    let at = Arc::new(Barrier::new(2));
    let also_at = Arc::clone(&at);
    let thread = std::thread::spawn(move || {
        // Before the thread has allocated anything, and while no probe is alive.
        LAST.with(|last| {
            last.overwritten.set(overwritten);
            last.kept.set(kept);
        });
        drop(black_box(vec![1_u8; 10]));
        also_at.wait();
        also_at.wait();
    });
    at.wait();
    let probe = MemoryProbe::builder().without_samples().start();
    at.wait();
    thread.join().unwrap();
    let heap = probe.finish().heap.unwrap();
    assert_eq!((heap.untagged_frees, heap.unattributed_bytes), (1, 0), "{heap:?}");
    assert_eq!(heap.live_bytes, Some(4_000 + 2_000), "{heap:?}");
    // The thread also frees what it was started with, which is older than the probe.
    assert!((49_000..52_000).contains(&heap.peak_bytes), "{heap:?}");
}

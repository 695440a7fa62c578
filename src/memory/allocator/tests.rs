//! The allocator by itself, installed nowhere, so that these run wherever unit tests do (Miri included).

use std::sync::mpsc;
use std::thread;

use super::*;

static ALLOCATOR: TrackingAllocator = TrackingAllocator::system();

/// A block that knows its layout, and may be freed by any thread.
struct Block(*mut u8, Layout);

// SAFETY: it is the only pointer to its block.
unsafe impl Send for Block {}

impl Block {
    fn new(bytes: usize, align: usize) -> Self {
        let layout = Layout::from_size_align(bytes, align).unwrap();
        // SAFETY: no size here is 0.
        let block = unsafe { ALLOCATOR.alloc_zeroed(layout) };
        assert!(!block.is_null() && block.addr().is_multiple_of(align));
        // SAFETY: the block is this long.
        unsafe { block.write_bytes(7, bytes) };
        Self(block, layout)
    }

    fn resize(self, bytes: usize) -> Self {
        let Self(block, layout) = self;
        std::mem::forget(self);
        // SAFETY: the block is of this layout, and no size here is 0.
        let block = unsafe { ALLOCATOR.realloc(block, layout, bytes) };
        assert!(!block.is_null());
        for place in 0..bytes.min(layout.size()) {
            // SAFETY: it is within the block, and was written when that was made.
            assert_eq!(unsafe { block.add(place).read() }, 7);
        }
        // SAFETY: the block is this long.
        unsafe { block.write_bytes(7, bytes) };
        Self(block, Layout::from_size_align(bytes, layout.align()).unwrap())
    }
}

impl Drop for Block {
    fn drop(&mut self) {
        // SAFETY: it was allocated by this layout, and nobody else has it.
        unsafe { ALLOCATOR.dealloc(self.0, self.1) };
    }
}

/// Measures what a body does as a test of its own.
fn watched(body: impl FnOnce(&'static Domain)) -> (Tally, i64) {
    let domain = Domain::test();
    let watch = Watch::open(domain).unwrap();
    {
        let _entered = enter(domain);
        body(domain);
    }
    (watch.tally(), watch.take_peak())
}

const THREADS: usize = 4;

#[test]
fn what_threads_do_is_counted_for_the_domain_they_are_in() {
    if PASSES_THROUGH {
        return;
    }
    let (tally, peak) = watched(|domain| {
        let work = move |seed: usize| {
            let _entered = enter(domain);
            for round in 0..20 {
                let block = Block::new(1 + (seed * 7 + round * 131) % 3000, 1 << (round % 8));
                let block = block.resize(500).resize(2500);
                drop(block);
            }
        };
        thread::scope(|scope| (0..THREADS).for_each(|seed| drop(scope.spawn(move || work(seed)))));
    });
    let blocks = THREADS as u64 * 20;
    assert_eq!(tally.live, 0);
    assert_eq!((tally.freed, tally.resized), (blocks, 2 * blocks));
    assert_eq!(tally.classes.iter().sum::<u64>(), 3 * blocks);
    assert!((2500..=3000 * THREADS as i64).contains(&peak), "{peak}");
}

#[test]
fn a_block_is_its_domains_whichever_thread_frees_it() {
    if PASSES_THROUGH {
        return;
    }
    let (sender, receiver) = mpsc::channel::<Block>();
    let elsewhere = Domain::test();
    let freeing = thread::spawn(move || {
        let _entered = enter(elsewhere);
        receiver.into_iter().map(|block| block.resize(5000)).for_each(drop);
    });
    let (tally, peak) = watched(|_| {
        for _ in 0..20 {
            sender.send(Block::new(1000, 8)).unwrap();
        }
        drop(sender);
        freeing.join().unwrap();
    });
    assert_eq!((tally.live, tally.freed, tally.resized, tally.requested), (0, 20, 20, 20 * 6000));
    assert!((5000..=20 * 5000).contains(&peak), "{peak}");
    assert_eq!(elsewhere.live(), 0);
}

#[test]
fn what_is_too_large_is_null() {
    for align in [1, 16, 4096] {
        let layout = Layout::from_size_align(isize::MAX as usize + 1 - align, align).unwrap();
        if PASSES_THROUGH {
            return;
        }
        // SAFETY: the size is not 0.
        assert!(unsafe { ALLOCATOR.alloc(layout) }.is_null());
    }
}

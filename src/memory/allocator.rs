//! `TrackingAllocator`: counts what each test allocates, and lets the system do the rest.
//!
//! | module | what it knows |
//! | --- | --- |
//! | `tag` | the eight bytes behind each block: its owner, and its age |
//! | `count` | what is counted when a block begins, ends, or is resized |
//! | `domain` | the tree of tests and their components |
//! | `window` | what a probe watches: peak, ceiling, what is older |
//! | `local` | the counters of one thread, and how it learns where it belongs |
//! | `inherit` | `pthread_create` (Linux with glibc) |
//! | `tally`, `stack`, `watch` | counters; return addresses; all that a probe sees |
//! | `profile` | each block with its stack, on request |
//! | `cells` | the blocks of tokio's tasks with their stacks, while somebody watches |
//!
//! Nothing here allocates through itself, takes a lock or panics while a block is allocated or freed; but for a profile and
//! for the cells of tasks, which take a lock, and allocate as nobody's.

#![expect(unsafe_code, reason = "a global allocator is made of it; each use says why it is sound")]
#![expect(
    clippy::cast_possible_truncation,
    clippy::cast_possible_wrap,
    reason = "a size is at most isize::MAX, and a number's upper bits are cut off on purpose"
)]

mod cells;
mod count;
mod domain;
#[cfg(isolated_nats_pthread)]
mod inherit;
mod local;
mod profile;
mod stack;
mod tag;
mod tally;
#[cfg(test)]
mod tests;
mod watch;
mod window;

use std::alloc::{GlobalAlloc, Layout, System};
use std::fmt;
use std::ptr;

pub(crate) use cells::{Cell, CellWatch, WORDS as CELL_WORDS};
pub(crate) use count::untagged;
pub(crate) use domain::{Domain, Kind};
pub(crate) use local::{BATCH, Entered, Origin, change_to, current_domain, enter, is_founder, origin};
#[cfg(test)]
pub(crate) use profile::Amount;
pub(crate) use profile::{Profile, Site, Sites};
pub(crate) use tally::{CLASS_LIMITS, Tally};
pub(crate) use watch::Watch;
pub(crate) use window::MOST as MOST_WATCHES;

use count::{Rest, born, died, died_elsewhere, read_tag, resized};
use tag::TAG_BYTES;
use window::Gate;

/// A global allocator that counts, exactly and for each test apart, what is allocated through it.
///
/// Install it once in a test crate, over the system's allocator or over any other:
///
/// ```
/// use isolated_nats::TrackingAllocator;
///
/// #[global_allocator]
/// static ALLOCATOR: TrackingAllocator = TrackingAllocator::system();
/// # fn main() {}
/// ```
///
/// It hands every call on to the allocator below it, with eight more bytes behind each block, which say to which test
/// the block belongs, whichever thread frees it. It counts only while a [`MemoryProbe`](crate::MemoryProbe) is alive. While a
/// [`LeakGuard`](crate::LeakGuard) is, as in each test with `#[isolated_nats]`, it notes the stack of each task that is spawned, which
/// takes some microseconds a task (`benches/`, `--bin leaks`).
///
/// **What it does not see:** memory that is not allocated through Rust's global allocator, which is that of C libraries,
/// of `mmap`, and of the stacks of threads. The process's resident memory holds those too. Under a sanitizer it hands
/// all calls on as they are, and counts nothing.
///
/// **Whose a block is:** it belongs to the test whose thread allocated it. A thread belongs to the test of the thread that
/// started it: with libtest each test has a thread of its own, so that runtime workers, blocking threads, scoped
/// threads and pools that a test starts are its own. Only a pool that outlives the test that started it has to be told,
/// by [`MemoryScope::enter`](crate::MemoryScope::enter) or [`wrap`](crate::MemoryScope::wrap). A block that is resized
/// stays with its owner. A program without libtest is measured as a whole.
///
/// On Linux with glibc, the crate brings a `pthread_create` of its own, which tells new threads where they belong and calls
/// the real one. A program that has another one does not link then: build it with `ISOLATED_NATS_THREADS=first-free` in the
/// environment, and threads learn it as on other systems, which needs Rust 1.93.
pub struct TrackingAllocator<A: GlobalAlloc = System> {
    inner: A,
}

impl TrackingAllocator<System> {
    /// Tracks the system's allocator, which Rust programs use by default.
    #[must_use]
    pub const fn system() -> Self {
        Self::over(System)
    }
}

impl<A: GlobalAlloc> TrackingAllocator<A> {
    /// Tracks another allocator.
    #[must_use]
    pub const fn over(inner: A) -> Self {
        Self { inner }
    }
}

impl<A: GlobalAlloc> fmt::Debug for TrackingAllocator<A> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("TrackingAllocator").finish_non_exhaustive()
    }
}

/// The return addresses of the calling thread, innermost first.
pub(crate) fn stack() -> Vec<usize> {
    let mut addresses = [0; stack::FRAMES];
    let count = stack::capture(&mut addresses);
    addresses[..count].to_vec()
}

/// Whether a sanitizer has all memory to itself, so that nothing is counted.
pub(crate) const PASSES_THROUGH: bool = cfg!(isolated_nats_sanitizer);

// SAFETY: every block comes from the inner allocator, by a layout that is longer by the tag and no less aligned, and goes
// back to it by that layout; the tag is written behind the bytes that were asked for.
unsafe impl<A: GlobalAlloc> GlobalAlloc for TrackingAllocator<A> {
    #[inline]
    unsafe fn alloc(&self, layout: Layout) -> *mut u8 {
        if PASSES_THROUGH {
            // SAFETY: the caller's own promise.
            return unsafe { self.inner.alloc(layout) };
        }
        if layout.align() > TAG_BYTES || layout.size() > MOST_COMMON {
            // SAFETY: the caller's own promise.
            return unsafe { self.alloc_rare(layout) };
        }
        // With an alignment that the compiler knows, the system's allocator is one call.
        // SAFETY: the layout is not of size zero, and is that of `with_tag`, which does not overflow.
        let block = unsafe {
            self.inner.alloc(Layout::from_size_align_unchecked(layout.size() + TAG_BYTES, TAG_BYTES))
        };
        if !block.is_null() {
            // SAFETY: the block has room for the tag behind `layout.size()`.
            unsafe { born(block, layout.size()) };
        }
        block
    }

    #[inline]
    unsafe fn alloc_zeroed(&self, layout: Layout) -> *mut u8 {
        if PASSES_THROUGH {
            // SAFETY: the caller's own promise.
            return unsafe { self.inner.alloc_zeroed(layout) };
        }
        let Some(longer) = with_tag(layout) else { return ptr::null_mut() };
        // SAFETY: the layout is not of size zero.
        let block = unsafe { self.inner.alloc_zeroed(longer) };
        if !block.is_null() {
            // SAFETY: the block has room for the tag behind `layout.size()`.
            unsafe { born(block, layout.size()) };
        }
        block
    }

    #[inline]
    unsafe fn dealloc(&self, block: *mut u8, layout: Layout) {
        if PASSES_THROUGH {
            // SAFETY: the caller's own promise.
            return unsafe { self.inner.dealloc(block, layout) };
        }
        if layout.align() >= cells::ALIGN {
            // SAFETY: the caller's own promise.
            return unsafe { self.dealloc_rare(block, layout) };
        }
        // SAFETY: the block was allocated here, so that its tag is behind `layout.size()`.
        match unsafe { died(block, layout.size()) } {
            // SAFETY: as it was allocated: with room for the tag, which did not overflow then.
            Rest::Nothing => unsafe { self.inner.dealloc(block, with_tag_unchecked(layout)) },
            // SAFETY: the caller's own promise.
            Rest::Flush => unsafe { self.dealloc_and_flush(block, layout) },
            // SAFETY: the caller's own promise.
            Rest::Count => unsafe { self.dealloc_and_count(block, layout) },
        }
    }

    #[inline]
    unsafe fn realloc(&self, block: *mut u8, layout: Layout, size: usize) -> *mut u8 {
        if PASSES_THROUGH {
            // SAFETY: the caller's own promise.
            return unsafe { self.inner.realloc(block, layout, size) };
        }
        // SAFETY: the caller promises that the alignment is one.
        let wanted = unsafe { Layout::from_size_align_unchecked(size, layout.align()) };
        let Some(longer) = with_tag(wanted) else { return ptr::null_mut() };
        // SAFETY: the block was allocated here, so that its tag is behind `layout.size()`.
        let tag = unsafe { read_tag(block, layout.size()) };
        if cells::wants(layout.align()) {
            cells::freed(block);
        }
        let profiles = Gate::now().profiles();
        if profiles {
            profile::freed(block.addr()); // before another thread may be given its place
        }
        // SAFETY: as it was allocated, and a size with which the layout is a valid one.
        let moved = unsafe { self.inner.realloc(block, with_tag_unchecked(layout), longer.size()) };
        if !moved.is_null() {
            // SAFETY: the block now has room for the tag behind `size`.
            unsafe { resized(moved, tag, layout.size(), size) };
        }
        if profiles {
            let (address, bytes) = if moved.is_null() { (block, layout.size()) } else { (moved, size) };
            let owner = tag.and_then(|tag| Domain::of(tag.domain)).unwrap_or_else(current_domain);
            profile::allocated(owner, address.addr(), bytes);
        }
        moved
    }
}

// What is rare ends or makes the block as well, so that a free of the common kind calls nothing but the inner allocator, as
// its last act: it has no register to save.
impl<A: GlobalAlloc> TrackingAllocator<A> {
    /// For an alignment or a size that few blocks have.
    #[cold]
    #[inline(never)]
    unsafe fn alloc_rare(&self, layout: Layout) -> *mut u8 {
        let Some(longer) = with_tag(layout) else { return ptr::null_mut() };
        // SAFETY: the layout is not of size zero.
        let block = unsafe { self.inner.alloc(longer) };
        if !block.is_null() {
            // SAFETY: the block has room for the tag behind `layout.size()`.
            unsafe { born(block, layout.size()) };
            if cells::wants(layout.align()) {
                cells::allocated(block, layout.size(), layout.align());
            }
        }
        block
    }

    /// For an alignment that few blocks have.
    #[cold]
    #[inline(never)]
    unsafe fn dealloc_rare(&self, block: *mut u8, layout: Layout) {
        if cells::wants(layout.align()) {
            cells::freed(block); // before another thread may be given its place
        }
        // SAFETY: the block was allocated here, so that its tag is behind `layout.size()`.
        match unsafe { died(block, layout.size()) } {
            // SAFETY: as it was allocated: with room for the tag, which did not overflow then.
            Rest::Nothing => unsafe { self.inner.dealloc(block, with_tag_unchecked(layout)) },
            // SAFETY: the caller's own promise.
            Rest::Flush => unsafe { self.dealloc_and_flush(block, layout) },
            // SAFETY: the caller's own promise.
            Rest::Count => unsafe { self.dealloc_and_count(block, layout) },
        }
    }

    /// For [`Rest::Flush`].
    #[cold]
    #[inline(never)]
    unsafe fn dealloc_and_flush(&self, block: *mut u8, layout: Layout) {
        local::here().flush_live();
        // SAFETY: as it was allocated: with room for the tag, which did not overflow then.
        unsafe { self.inner.dealloc(block, with_tag_unchecked(layout)) };
    }

    /// For [`Rest::Count`].
    #[cold]
    #[inline(never)]
    unsafe fn dealloc_and_count(&self, block: *mut u8, layout: Layout) {
        // SAFETY: the block was allocated here, so that its tag is behind `layout.size()`.
        unsafe { died_elsewhere(block, layout.size()) };
        // SAFETY: as it was allocated: with room for the tag, which did not overflow then.
        unsafe { self.inner.dealloc(block, with_tag_unchecked(layout)) };
    }
}

/// The largest size whose layout has room for the tag at the least alignment.
const MOST_COMMON: usize = isize::MAX as usize - 2 * TAG_BYTES;

/// The layout with room for the tag, and aligned to it at least; `None` when there can be no such block.
#[inline(always)]
fn with_tag(layout: Layout) -> Option<Layout> {
    // A size, rounded up to its alignment, is at most isize::MAX.
    const MOST: usize = isize::MAX as usize - TAG_BYTES;
    if layout.size() > MOST - layout.align().max(TAG_BYTES) {
        return None;
    }
    // SAFETY: the alignment is that of a layout, and the size was just checked.
    Some(unsafe { with_tag_unchecked(layout) })
}

/// The same, of a block that exists.
#[inline(always)]
unsafe fn with_tag_unchecked(layout: Layout) -> Layout {
    // SAFETY: the caller's block was allocated with this very layout, or the size was checked.
    unsafe { Layout::from_size_align_unchecked(layout.size() + TAG_BYTES, layout.align().max(TAG_BYTES)) }
}

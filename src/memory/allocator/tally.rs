//! What is counted: a plain copy of it, and the counters of one thread and of all.

use std::ops::{AddAssign, Sub};
use std::sync::atomic::{AtomicI64, AtomicU64, Ordering::Relaxed};

/// The largest size of each class but the last, in bytes: powers of four.
pub(crate) const CLASS_LIMITS: [usize; CLASSES - 1] =
    [16, 64, 256, 1 << 10, 4 << 10, 16 << 10, 64 << 10, 256 << 10, 1 << 20];
pub(crate) const CLASSES: usize = 10;

/// The class of a size, which is at most `isize::MAX`: the first whose limit holds it.
#[inline(always)]
pub(super) fn class(bytes: usize) -> usize {
    // Most blocks are small, and counting the leading zeroes is slow on some processors.
    match SMALL.get(bytes.wrapping_add(15) / 16) {
        Some(class) => usize::from(*class).min(CLASSES - 1), // which spares a check of the index
        None => large_class(bytes),
    }
}

/// The classes of sizes up to 1 KiB, by their number of sixteen bytes.
static SMALL: [u8; 65] = {
    let mut classes = [0; 65];
    let mut sixteens = 0;
    while sixteens <= 64 {
        classes[sixteens] = large_class(sixteens * 16) as u8;
        sixteens += 1;
    }
    classes
};

const fn large_class(bytes: usize) -> usize {
    let bits = usize::BITS - bytes.saturating_sub(1).leading_zeros();
    let class = (bits.saturating_sub(3) / 2) as usize;
    if class < CLASSES { class } else { CLASSES - 1 }
}

/// Heap figures of one domain, or of a tree of them, at one moment.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) struct Tally {
    /// Bytes allocated and not yet freed, counted since some fixed moment: only differences mean something.
    pub(crate) live: i64,
    /// Bytes ever asked for; a block that is resized counts anew, at its new size.
    pub(crate) requested: u64,
    /// Blocks resized.
    pub(crate) resized: u64,
    /// Blocks freed.
    pub(crate) freed: u64,
    /// Blocks allocated or resized, by the class of their size.
    pub(crate) classes: [u64; CLASSES],
}

impl AddAssign for Tally {
    fn add_assign(&mut self, other: Self) {
        self.live += other.live;
        self.requested += other.requested;
        self.resized += other.resized;
        self.freed += other.freed;
        self.classes.iter_mut().zip(other.classes).for_each(|(mine, others)| *mine += others);
    }
}

/// What was counted between two moments.
impl Sub for Tally {
    type Output = Self;

    fn sub(mut self, earlier: Self) -> Self {
        self.live -= earlier.live;
        // Another thread may be between two counters; a moment's disorder must not become a huge number.
        self.requested = self.requested.saturating_sub(earlier.requested);
        self.resized = self.resized.saturating_sub(earlier.resized);
        self.freed = self.freed.saturating_sub(earlier.freed);
        self.classes
            .iter_mut()
            .zip(earlier.classes)
            .for_each(|(mine, then)| *mine = mine.saturating_sub(then));
        self
    }
}

/// The counters that all threads share; all but `live` are brought up to date when a thread ends or changes its domain.
#[derive(Debug)]
pub(super) struct Shared {
    pub(super) live: AtomicI64,
    requested: AtomicU64,
    resized: AtomicU64,
    freed: AtomicU64,
    classes: [AtomicU64; CLASSES],
}

impl Shared {
    pub(super) const fn new() -> Self {
        Self {
            live: AtomicI64::new(0),
            requested: AtomicU64::new(0),
            resized: AtomicU64::new(0),
            freed: AtomicU64::new(0),
            classes: [const { AtomicU64::new(0) }; CLASSES],
        }
    }

    /// Adds all but `live`, which goes by way of the peak.
    pub(super) fn add_counts(&self, tally: &Tally) {
        let counters =
            [(&self.requested, tally.requested), (&self.resized, tally.resized), (&self.freed, tally.freed)];
        for (counter, count) in counters.into_iter().chain(self.classes.iter().zip(tally.classes)) {
            if count != 0 {
                counter.fetch_add(count, Relaxed);
            }
        }
    }

    pub(super) fn allocated(&self, bytes: usize) {
        self.requested.fetch_add(bytes as u64, Relaxed);
        self.classes[class(bytes)].fetch_add(1, Relaxed);
    }

    pub(super) fn count_resized(&self) {
        self.resized.fetch_add(1, Relaxed);
    }

    pub(super) fn count_freed(&self) {
        self.freed.fetch_add(1, Relaxed);
    }

    pub(super) fn read(&self) -> Tally {
        Tally {
            live: self.live.load(Relaxed),
            requested: self.requested.load(Relaxed),
            resized: self.resized.load(Relaxed),
            freed: self.freed.load(Relaxed),
            classes: std::array::from_fn(|class| self.classes[class].load(Relaxed)),
        }
    }
}

/// A counter that one thread writes and others read: no read-modify-write instruction is needed.
#[derive(Debug)]
pub(super) struct Own(AtomicI64);

impl Own {
    pub(super) const fn new(value: i64) -> Self {
        Self(AtomicI64::new(value))
    }

    #[inline(always)]
    pub(super) fn get(&self) -> i64 {
        self.0.load(Relaxed)
    }

    #[inline(always)]
    pub(super) fn set(&self, value: i64) {
        self.0.store(value, Relaxed);
    }

    #[inline(always)]
    pub(super) fn add(&self, value: i64) {
        self.set(self.get() + value);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_size_is_in_the_first_class_that_holds_it() {
        for bytes in (0..5000).chain([1 << 16, (1 << 16) + 1, 1 << 20, (1 << 20) + 1, isize::MAX as usize]) {
            let expected = CLASS_LIMITS.iter().position(|limit| bytes <= *limit).unwrap_or(CLASSES - 1);
            assert_eq!(class(bytes), expected, "{bytes}");
        }
    }

    #[test]
    fn a_difference_is_what_was_counted_in_between() {
        let shared = Shared::new();
        shared.allocated(10);
        let before = shared.read();
        shared.allocated(100);
        shared.count_freed();
        shared.live.fetch_add(-4, Relaxed);
        let Tally { live, requested, freed, classes, .. } = shared.read() - before;
        assert_eq!((live, requested, freed, classes[2], classes[0]), (-4, 100, 1, 1, 0));
    }
}

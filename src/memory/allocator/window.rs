//! Windows: what a probe watches in a domain while it is alive, which are its peak, and the blocks that are older.

use std::ptr;
use std::sync::atomic::{AtomicI64, AtomicPtr, AtomicU8, AtomicU16, AtomicU32, AtomicUsize, Ordering};
use std::sync::{Mutex, PoisonError};

use super::local::{self, Local};
use super::stack;
use super::tag::Epoch;

/// At most this many probes watch one test, or one component, at a time.
pub(crate) const MOST: usize = 8;

/// One state of all probes of the process: the epoch in the lower half, above it how many windows are open, and in the last
/// bit but one whether a profile is taken. Every thread has a copy beside its counters, where an allocation finds all it needs.
static GATE: AtomicU32 = AtomicU32::new(0);
const ONE_OPEN: u32 = 1 << Epoch::BITS;
const PROFILING: u32 = 1 << 30;

/// What an allocation has to know of the probes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Gate(u32);

impl Gate {
    /// That of a thread which has no counters: open, so that the first look at it tells that there is more to do.
    pub(super) const NOBODY: Self = Self(1 << 31);

    #[inline(always)]
    pub(super) fn from_bits(bits: u32) -> Self {
        Self(bits)
    }

    pub(super) const fn bits(self) -> u32 {
        self.0
    }

    /// That of the process, of which the threads have copies.
    pub(super) fn now() -> Self {
        Self(GATE.load(Ordering::SeqCst))
    }

    /// Whether any probe is alive: what nobody watches is not counted.
    #[inline(always)]
    pub(super) fn is_open(self) -> bool {
        self.0 >= ONE_OPEN
    }

    /// Whether there is more to do than to count: the thread has no counters, or a profile is taken.
    #[inline(always)]
    pub(super) fn is_rare(self) -> bool {
        self.0 >= PROFILING
    }

    /// Whether each block is to be noted with its stack.
    #[inline(always)]
    pub(super) fn profiles(self) -> bool {
        self.0 & PROFILING != 0
    }

    pub(super) fn set_profiling(on: bool) {
        Self::change(|gate| if on { gate | PROFILING } else { gate & !PROFILING });
    }

    #[inline(always)]
    pub(super) fn epoch(self) -> Epoch {
        self.0 as Epoch
    }

    /// Begins an epoch with one more open window, and returns it; the last epoch there is goes on for ever.
    fn open() -> Epoch {
        let next = |gate: u32| {
            let ended = Gate(gate).epoch() == Epoch::MAX;
            gate + ONE_OPEN + u32::from(!ended)
        };
        Gate(Self::change(next)).epoch().saturating_add(1)
    }

    fn close() {
        Self::change(|gate| gate - ONE_OPEN);
    }

    /// Changes the gate and all copies of it, and returns what it was.
    fn change(next: impl FnOnce(u32) -> u32) -> u32 {
        // Of two changes at a time, the copies must not get the earlier one last.
        static ONE_AT_A_TIME: Mutex<()> = Mutex::new(());
        let _one = ONE_AT_A_TIME.lock().unwrap_or_else(PoisonError::into_inner);
        let before = GATE.load(Ordering::SeqCst);
        GATE.store(next(before), Ordering::SeqCst);
        local::for_each(Local::copy_gate);
        before
    }
}

/// The windows of one domain.
#[derive(Debug)]
pub(super) struct Windows {
    /// One bit for each slot in use, and for each that is watched.
    taken: AtomicU8,
    open: AtomicU8,
    /// The lowest peak of the open windows: what is not above it raises none. The highest there is when none is open.
    lowest: AtomicI64,
    /// Counts what may lower `lowest`, so that whoever computes it notices.
    changes: AtomicU32,
    /// Made with the first window, and never freed.
    slots: AtomicPtr<[Slot; MOST]>,
}

/// The number of an open window in its domain.
#[derive(Clone, Copy, Debug)]
pub(super) struct Number(u32);

#[derive(Debug)]
struct Slot {
    epoch: AtomicU16,
    /// The most live bytes seen at any moment since the window was opened, or its peak taken.
    peak: AtomicI64,
    /// Bytes freed of blocks that are older than the window.
    old_freed: AtomicI64,
    /// The most threads at work at a time.
    threads: AtomicU32,
    /// The live bytes beyond which a stack is wanted, once.
    ceiling: AtomicI64,
    /// How many addresses of that stack there are, and one more; zero until there is one.
    crossed: AtomicUsize,
    addresses: [AtomicUsize; stack::FRAMES],
}

impl Slot {
    fn new() -> Self {
        Self {
            epoch: AtomicU16::new(0),
            peak: AtomicI64::new(0),
            old_freed: AtomicI64::new(0),
            threads: AtomicU32::new(0),
            ceiling: AtomicI64::new(i64::MAX),
            crossed: AtomicUsize::new(0),
            addresses: [const { AtomicUsize::new(0) }; stack::FRAMES],
        }
    }
}

impl Windows {
    pub(super) const fn new() -> Self {
        Self {
            taken: AtomicU8::new(0),
            open: AtomicU8::new(0),
            lowest: AtomicI64::new(i64::MAX),
            changes: AtomicU32::new(0),
            slots: AtomicPtr::new(ptr::null_mut()),
        }
    }

    #[inline]
    pub(super) fn any_open(&self) -> bool {
        self.open.load(Ordering::Acquire) != 0
    }

    /// Opens a window; `None` when too many are open. Not for use within an allocation.
    pub(super) fn open(&self) -> Option<(Number, Epoch)> {
        let slots = self.slots();
        let free = |taken: u8| (taken != u8::MAX).then(|| taken | (taken + 1)); // the lowest bit that is not set
        let before = self.taken.fetch_update(Ordering::AcqRel, Ordering::Acquire, free).ok()?;
        let number = Number(before.trailing_ones());
        let slot = &slots[number.0 as usize];
        let epoch = Gate::open();
        slot.epoch.store(epoch, Ordering::Relaxed);
        slot.peak.store(i64::MIN, Ordering::Relaxed);
        slot.old_freed.store(0, Ordering::Relaxed);
        slot.threads.store(0, Ordering::Relaxed);
        slot.ceiling.store(i64::MAX, Ordering::Relaxed);
        slot.crossed.store(0, Ordering::Relaxed);
        self.open.fetch_or(1 << number.0, Ordering::AcqRel);
        self.changed();
        Some((number, epoch))
    }

    pub(super) fn close(&self, number: Number) {
        self.open.fetch_and(!(1 << number.0), Ordering::AcqRel);
        self.changed();
        self.taken.fetch_and(!(1 << number.0), Ordering::AcqRel);
        Gate::close();
    }

    /// To be called after each change of a peak, or of what is open.
    fn changed(&self) {
        self.changes.fetch_add(1, Ordering::SeqCst);
        self.find_lowest();
    }

    fn find_lowest(&self) {
        loop {
            let changes = self.changes.load(Ordering::SeqCst);
            let peaks = self.each_open().map(|slot| slot.peak.load(Ordering::SeqCst));
            self.lowest.store(peaks.min().unwrap_or(i64::MAX), Ordering::SeqCst);
            if self.changes.load(Ordering::SeqCst) == changes {
                return;
            }
        }
    }

    /// Notes that so many bytes were live.
    #[inline]
    pub(super) fn note(&self, live: i64) {
        if live > self.lowest.load(Ordering::Relaxed) {
            self.raise(live);
        }
    }

    #[cold]
    #[inline(never)]
    fn raise(&self, live: i64) {
        for slot in self.each_open() {
            if live > slot.peak.load(Ordering::Relaxed) {
                slot.peak.fetch_max(live, Ordering::Relaxed);
                if live > slot.ceiling.load(Ordering::Relaxed) {
                    slot.cross();
                }
            }
        }
        self.find_lowest();
    }

    /// Notes that a block of an earlier epoch was freed.
    pub(super) fn freed(&self, born: Epoch, bytes: i64) {
        for slot in self.each_open() {
            if born < slot.epoch.load(Ordering::Relaxed) {
                slot.old_freed.fetch_add(bytes, Ordering::Relaxed);
            }
        }
    }

    /// Returns the peak of a window, and begins a new one.
    pub(super) fn take_peak(&self, number: Number, live: i64) -> i64 {
        let peak = self.slot(number).peak.swap(live, Ordering::SeqCst).max(live);
        self.changed();
        peak
    }

    pub(super) fn old_freed(&self, number: Number) -> i64 {
        self.slot(number).old_freed.load(Ordering::Relaxed)
    }

    /// Notes that so many threads were at work.
    pub(super) fn note_threads(&self, threads: u32) {
        for slot in self.each_open() {
            slot.threads.fetch_max(threads, Ordering::Relaxed);
        }
    }

    /// The most threads that were at work at a time.
    pub(super) fn most_threads(&self, number: Number) -> u32 {
        self.slot(number).threads.load(Ordering::Relaxed)
    }

    /// Asks for the stack at which the live bytes first pass this many.
    pub(super) fn set_ceiling(&self, number: Number, live: i64) {
        self.slot(number).ceiling.store(live, Ordering::Relaxed);
    }

    /// The return addresses of that stack, innermost first.
    pub(super) fn crossing(&self, number: Number) -> Option<Vec<usize>> {
        let slot = self.slot(number);
        let count = slot.crossed.load(Ordering::Acquire).checked_sub(1)?;
        Some(slot.addresses[..count].iter().map(|address| address.load(Ordering::Relaxed)).collect())
    }

    fn slot(&self, number: Number) -> &Slot {
        &self.slots()[number.0 as usize]
    }

    fn each_open(&self) -> impl Iterator<Item = &Slot> {
        let open = self.open.load(Ordering::Acquire);
        (0..MOST).filter(move |number| open & 1 << number != 0).map(|number| &self.slots()[number])
    }

    fn slots(&self) -> &[Slot; MOST] {
        let mut slots = self.slots.load(Ordering::Acquire);
        if slots.is_null() {
            let made = Box::into_raw(Box::new(std::array::from_fn(|_| Slot::new())));
            let none = ptr::null_mut();
            slots = match self.slots.compare_exchange(none, made, Ordering::AcqRel, Ordering::Acquire) {
                Ok(_) => made,
                Err(others) => {
                    // SAFETY: it was made above, and nobody has seen it.
                    drop(unsafe { Box::from_raw(made) });
                    others
                }
            };
        }
        // SAFETY: it was made by a box, and is never freed.
        unsafe { &*slots }
    }
}

impl Slot {
    fn cross(&self) {
        // Of several threads that are beyond the ceiling, the first to lower it writes.
        if self.ceiling.swap(i64::MAX, Ordering::AcqRel) == i64::MAX {
            return;
        }
        let mut addresses = [0; stack::FRAMES];
        let count = stack::capture(&mut addresses);
        for (place, address) in self.addresses.iter().zip(&addresses[..count]) {
            place.store(*address, Ordering::Relaxed);
        }
        self.crossed.store(count + 1, Ordering::Release);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_window_keeps_its_own_peak_and_its_own_age() {
        let windows = Windows::new();
        let (first, first_epoch) = windows.open().unwrap();
        windows.note(100);
        let (second, second_epoch) = windows.open().unwrap();
        assert!(second_epoch > first_epoch);
        windows.note(50);
        windows.freed(first_epoch, 7);
        windows.freed(second_epoch, 9);
        assert_eq!((windows.take_peak(first, 50), windows.take_peak(second, 50)), (100, 50));
        assert_eq!((windows.old_freed(first), windows.old_freed(second)), (0, 7));
        windows.close(first);
        windows.note(500);
        assert_eq!(windows.take_peak(second, 0), 500);
        windows.close(second);
        assert!(!windows.any_open());
    }

    #[test]
    fn only_so_many_are_open_at_a_time() {
        let windows = Windows::new();
        let open: Vec<_> = std::iter::from_fn(|| windows.open()).collect();
        assert_eq!(open.len(), MOST);
        windows.close(open[3].0);
        assert_eq!(windows.open().unwrap().0.0, 3);
        for (number, _) in open {
            windows.close(number);
        }
    }

    #[test]
    fn the_first_crossing_of_a_ceiling_keeps_its_stack() {
        let windows = Windows::new();
        let (number, _) = windows.open().unwrap();
        windows.set_ceiling(number, 1000);
        windows.note(1000);
        assert_eq!(windows.crossing(number), None);
        windows.note(1001);
        assert!(!windows.crossing(number).unwrap().is_empty());
        windows.close(number);
    }
}

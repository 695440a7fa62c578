//! What this crate itself holds in the test's process, so that it is not taken for what the test left behind.

use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Mutex, MutexGuard, PoisonError};

static OURS: Mutex<Vec<Thing>> = Mutex::new(Vec::new());
static WATCHERS: AtomicUsize = AtomicUsize::new(0);

/// A thing that is ours.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Thing {
    /// A child process, by its pid.
    Child(u32),
    /// A descriptor, by its number.
    #[cfg_attr(not(unix), expect(dead_code, reason = "there are none"))]
    Descriptor(u32),
    /// The port for clients of a server that runs here.
    Port(u16),
}

/// Says that a thing is ours until it is dropped, which must be after the thing is gone: a child when it was waited for,
/// a descriptor when it is closed.
#[derive(Debug)]
#[must_use = "the thing is ours until it is dropped"]
pub(crate) struct Mark(Option<Thing>);

impl Mark {
    pub(crate) fn new(thing: Thing) -> Self {
        let _ours = crate::memory::ours(); // the list may grow, and stays
        lock().push(thing);
        Self(Some(thing))
    }

    #[cfg(unix)]
    pub(crate) fn descriptor(owner: &impl std::os::fd::AsRawFd) -> Self {
        Self::new(Thing::Descriptor(owner.as_raw_fd().unsigned_abs()))
    }

    #[cfg(not(unix))]
    pub(crate) fn descriptor<T>(_owner: &T) -> Self {
        Self(None) // nobody looks there
    }
}

impl Drop for Mark {
    fn drop(&mut self) {
        let mut things = lock();
        // A number may be in the list twice for a moment: when it was given away again before the mark is dropped.
        if let Some(index) = things.iter().position(|thing| Some(*thing) == self.0) {
            things.swap_remove(index);
        }
    }
}

/// Says that somebody looks for leaks in this process, until it is dropped.
#[derive(Debug)]
#[must_use = "somebody looks until it is dropped"]
pub(crate) struct Watched(());

impl Watched {
    pub(crate) fn begin() -> Self {
        WATCHERS.fetch_add(1, Ordering::Relaxed);
        Self(())
    }
}

impl Drop for Watched {
    fn drop(&mut self) {
        WATCHERS.fetch_sub(1, Ordering::Relaxed);
    }
}

/// Whether somebody looks for leaks, in whichever test of the process.
pub(super) fn is_watched() -> bool {
    WATCHERS.load(Ordering::Relaxed) > 0
}

#[cfg(any(test, target_os = "linux"))]
impl Thing {
    pub(crate) fn is_ours(self) -> bool {
        lock().contains(&self)
    }
}

fn lock() -> MutexGuard<'static, Vec<Thing>> {
    OURS.lock().unwrap_or_else(PoisonError::into_inner)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_thing_is_ours_until_its_last_mark_is_dropped() {
        let thing = Thing::Child(u32::MAX);
        let (first, second) = (Mark::new(thing), Mark::new(thing));
        drop(first);
        assert!(thing.is_ours() && !Thing::Child(u32::MAX - 1).is_ours());
        drop(second);
        assert!(!thing.is_ours());
    }
}

//! What a user of tracking-allocator writes to have live bytes and their peak: the crate itself counts nothing.

use std::any::Any;
use std::sync::atomic::{AtomicUsize, Ordering::Relaxed};

use tracking_allocator::{AllocationGroupId, AllocationGroupToken, AllocationRegistry, AllocationTracker};

use crate::Error;

static LIVE: AtomicUsize = AtomicUsize::new(0);
static PEAK: AtomicUsize = AtomicUsize::new(0);

struct LiveAndPeak;

impl AllocationTracker for LiveAndPeak {
    fn allocated(&self, _: usize, object_size: usize, _: usize, _: AllocationGroupId) {
        PEAK.fetch_max(LIVE.fetch_add(object_size, Relaxed) + object_size, Relaxed);
    }

    fn deallocated(
        &self,
        _: usize,
        object_size: usize,
        _: usize,
        _: AllocationGroupId,
        _: AllocationGroupId,
    ) {
        LIVE.fetch_sub(object_size, Relaxed);
    }
}

/// Begins to track; to be called once in a process.
///
/// # Errors
///
/// When it was called before.
pub fn track() -> Result<(), Error> {
    AllocationRegistry::set_global_tracker(LiveAndPeak)?;
    AllocationRegistry::enable_tracking();
    Ok(())
}

/// Attributes what the calling thread allocates to a group, until the guard is dropped. The group's few bytes stay.
#[must_use]
pub fn enter() -> Box<dyn Any> {
    match AllocationGroupToken::register() {
        Some(token) => Box::new(Box::leak(Box::new(token)).enter()),
        None => Box::new(()),
    }
}

//! The figures of a test while it runs.

use std::sync::{Arc, Weak};
use std::time::Duration;

use super::shared::Shared;
use crate::memory::allocator::{self, Domain};
use crate::memory::series::Series;

/// Reads the figures of a [`MemoryProbe`](super::MemoryProbe) while the test runs; made by
/// [`MemoryProbe::handle`](super::MemoryProbe::handle).
///
/// It can be cloned and sent, and keeps nothing alive: once the probe has finished, it gives `None`.
#[derive(Clone, Debug)]
pub struct MemoryHandle {
    shared: Weak<Shared>,
}

/// The figures of a test at one moment; `None` is "not measured", never zero.
#[derive(Clone, Debug, PartialEq)]
#[non_exhaustive]
pub struct MemorySample {
    /// The time since the start of the probe.
    pub at: Duration,
    /// Bytes of heap held now, less those held at the start.
    pub heap_growth_bytes: Option<i64>,
    /// Tokio tasks alive in the runtime the probe was started in.
    pub tasks: Option<u64>,
    /// The resident bytes of each process, by its label, as last sampled.
    pub rss_bytes: Vec<(String, u64)>,
}

impl MemoryHandle {
    pub(super) fn new(shared: &Arc<Shared>) -> Self {
        Self { shared: Arc::downgrade(shared) }
    }

    /// Reads the figures now; `None` once the probe has finished.
    #[must_use]
    pub fn now(&self) -> Option<MemorySample> {
        let _ours = allocator::enter(Domain::ours());
        Some(self.shared.upgrade()?.now())
    }

    /// Returns the samples so far of one figure, by its name in [`MemoryReport::series`](crate::MemoryReport::series), such as
    /// `heap`, `tasks` or `rss server`: at most 1024, the oldest first. `None` when there is no such figure, or the probe has
    /// finished.
    #[must_use]
    pub fn series(&self, name: &str) -> Option<Series> {
        let _ours = allocator::enter(Domain::ours());
        self.shared.upgrade()?.series(name)
    }
}

//! What a worker owns at this moment.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use tokio::time::Instant;

use crate::Partition;

/// The revision of the assignment by which a worker came to own a partition.
///
/// That of each owner of a partition is greater than that of the one before. A store that keeps the greatest it has seen for a
/// partition, and refuses less, is safe from a worker that was stopped in the middle of a write and has lost the partition since.
///
/// Only as safe as what the server has on its disks: one that loses its power may lose the writes since its last `sync_interval`, two
/// minutes by default, and with them revisions. A bucket with [replicas](crate::Config::replicas) does not.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Fence(pub u64);

/// What a worker owns; a handle, cheap to clone, which tells of the moment it is asked.
#[derive(Clone, Debug)]
pub struct Holdings(Arc<Mutex<Held>>);

#[derive(Debug)]
struct Held {
    partitions: BTreeMap<Partition, Fence>,
    /// The end of the lease, which counts from when the last acknowledged heartbeat was sent.
    until: Instant,
}

impl Holdings {
    pub(crate) fn none() -> Self {
        Self(Arc::new(Mutex::new(Held { partitions: BTreeMap::new(), until: Instant::now() })))
    }

    /// Returns the fence of a partition; `None` if the worker does not own it, or no longer by its lease.
    #[must_use]
    pub fn holds(&self, partition: Partition) -> Option<Fence> {
        let held = self.lock();
        held.partitions.get(&partition).copied().filter(|_| Instant::now() < held.until)
    }

    /// Returns the partitions the worker owns, ascending; none once the lease has run out.
    #[must_use]
    pub fn owned(&self) -> Vec<Partition> {
        let held = self.lock();
        if Instant::now() < held.until { held.partitions.keys().copied().collect() } else { Vec::new() }
    }

    /// The lease runs until then, as of a renewal.
    pub(crate) fn extend(&self, until: Instant) {
        self.lock().until = until;
    }

    /// The lease is over: another has the worker's key.
    pub(crate) fn expire(&self) {
        self.lock().until = Instant::now();
    }

    /// The worker has ended: no heartbeat that is still on its way brings anything back.
    pub(crate) fn end(&self) {
        self.retain(&[]);
        self.expire();
    }

    /// Takes away what is not among `wanted`, and returns it.
    pub(crate) fn retain(&self, wanted: &[Partition]) -> Vec<Partition> {
        let mut held = self.lock();
        let is_wanted = |partition: &Partition| wanted.binary_search(partition).is_ok();
        let gone = held.partitions.keys().copied().filter(|partition| !is_wanted(partition)).collect();
        held.partitions.retain(|partition, _| is_wanted(partition));
        gone
    }

    /// Adds what is not there yet, and returns it.
    pub(crate) fn add(&self, wanted: &[Partition], fence: Fence) -> Vec<Partition> {
        let mut held = self.lock();
        let new: Vec<Partition> =
            wanted.iter().copied().filter(|partition| !held.partitions.contains_key(partition)).collect();
        held.partitions.extend(new.iter().map(|partition| (*partition, fence)));
        new
    }

    fn lock(&self) -> MutexGuard<'_, Held> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

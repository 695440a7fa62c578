//! The checker: it hears what the handlers hear, and finds partitions with two owners.

use std::collections::{BTreeMap, BTreeSet};
use std::fmt;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use partition_workers::{Fence, Holdings, Partition};

/// What a worker says it owns at this moment: a real one by its `Holdings`, a made-up one as its test likes.
pub trait Holds: Send + 'static {
    fn holds(&self, partition: Partition) -> Option<Fence>;

    /// Whether it owns anything: its lease has not run out, then.
    fn holds_any(&self) -> bool;
}

impl Holds for Holdings {
    fn holds(&self, partition: Partition) -> Option<Fence> {
        Holdings::holds(self, partition)
    }

    fn holds_any(&self) -> bool {
        !self.owned().is_empty()
    }
}

/// Who owns what, by what the handlers of a group were told; a handle.
///
/// A worker owns a partition from `assigned` until `revoked`, unless its `Holdings` say before that it owns it no longer: its lease
/// has run out, for it has crashed, cannot reach the server, or stands still. While its lease runs, nobody else may have it until
/// `revoked` has returned.
#[derive(Clone, Default)]
pub struct Ownership(Arc<Mutex<Record>>);

#[derive(Default)]
struct Record {
    owners: Vec<Owner>,
    /// By whom each partition was held last, and with which fence.
    last: BTreeMap<Partition, (usize, Fence)>,
    history: Vec<(Partition, String)>,
    faults: Vec<String>,
}

/// One life of a worker: a name that comes back after a crash is another owner.
#[derive(Default)]
struct Owner {
    name: String,
    holdings: Option<Box<dyn Holds>>,
    told: BTreeMap<Partition, Fence>,
    /// What it was told to let go of, and has not yet.
    letting_go: BTreeSet<Partition>,
}

impl Owner {
    fn lives(&self) -> bool {
        self.holdings.as_ref().is_some_and(|holdings| holdings.holds_any())
    }

    fn holds(&self, partition: Partition) -> Option<Fence> {
        self.holdings.as_ref()?.holds(partition)
    }
}

impl Ownership {
    /// Adds a worker, and returns its number for the other calls.
    pub fn enter(&self, name: &str) -> usize {
        let owners = &mut self.record().owners;
        owners.push(Owner { name: name.into(), ..Default::default() });
        owners.len() - 1
    }

    pub fn assigned(&self, owner: usize, partitions: &[Partition], fence: Fence, holdings: impl Holds) {
        let mut record = self.record();
        record.owners[owner].holdings = Some(Box::new(holdings));
        if partitions.is_empty() || !partitions.is_sorted_by(|a, b| a < b) {
            let fault = format!("`{}` was given {partitions:?}", record.owners[owner].name);
            record.faults.push(fault);
        }
        partitions.iter().for_each(|partition| record.assigned(owner, *partition, fence));
    }

    pub fn revoked(&self, owner: usize, partitions: &[Partition]) {
        let mut record = self.record();
        partitions.iter().for_each(|partition| record.revoked(owner, *partition));
    }

    /// `revoked` is about to return.
    pub fn has_let_go(&self, owner: usize, partitions: &[Partition]) {
        let letting_go = &mut self.record().owners[owner].letting_go;
        letting_go.retain(|partition| !partitions.contains(partition));
    }

    /// Returns the owner of each partition that has one at this moment.
    pub fn owners(&self) -> BTreeMap<Partition, String> {
        let record = self.record();
        let held = record.owners.iter().flat_map(|owner| {
            let told =
                owner.told.iter().filter(|(partition, fence)| owner.holds(**partition) == Some(**fence));
            told.map(|(partition, _)| (*partition, owner.name.clone()))
        });
        held.collect()
    }

    /// Returns what became of a partition, oldest first: `assigned to a`, `revoked from a`.
    pub fn history(&self, partition: Partition) -> Vec<String> {
        let record = self.record();
        let of_it = record.history.iter().filter(|(of, _)| *of == partition);
        of_it.map(|(_, event)| event.clone()).collect()
    }

    /// Returns how much the handlers were told so far, to see that nothing was since.
    pub fn events(&self) -> usize {
        self.record().history.len()
    }

    /// Returns what was wrong, oldest first.
    pub fn faults(&self) -> Vec<String> {
        self.record().faults.clone()
    }

    fn record(&self) -> MutexGuard<'_, Record> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Record {
    fn assigned(&mut self, to: usize, partition: Partition, fence: Fence) {
        let name = self.owners[to].name.clone();
        self.history.push((partition, format!("assigned to {name}")));
        if self.owners[to].told.insert(partition, fence).is_some() {
            self.faults.push(format!("partition {partition} was given to `{name}`, which had it"));
        }
        let others = self.owners.iter().enumerate().filter(|(other, _)| *other != to);
        let busy = others.filter_map(|(_, other)| {
            let holds = other.holds(partition).map(|since| format!("held it ({since:?})"));
            let letting_go = other.letting_go.contains(&partition) && other.lives();
            let does = holds.or(letting_go.then(|| "was letting it go".into()))?;
            Some(format!(
                "partition {partition} was given to `{name}` ({fence:?}) while `{}` {does}",
                other.name
            ))
        });
        let busy: Vec<_> = busy.collect();
        // Asked last: a worker that says yes now has owned it all the while that the others were asked. One that says no has lost
        // it before its handler was told.
        if self.owners[to].holds(partition) != Some(fence) {
            return;
        }
        self.faults.extend(busy);
        let last = self.last.insert(partition, (to, fence));
        let Some((previous, before)) = last else { return };
        if fence < before || (fence == before && previous != to) {
            let previous = &self.owners[previous].name;
            self.faults.push(format!(
                "partition {partition} was given to `{name}` with {fence:?}, not above the {before:?} of `{previous}` before"
            ));
        }
    }

    fn revoked(&mut self, from: usize, partition: Partition) {
        let owner = &mut self.owners[from];
        self.history.push((partition, format!("revoked from {}", owner.name)));
        if owner.told.remove(&partition).is_none() {
            self.faults
                .push(format!("partition {partition} was taken from `{}`, which had it not", owner.name));
        }
        owner.letting_go.insert(partition);
        if owner.holds(partition).is_some() {
            self.faults
                .push(format!("`{}` still held partition {partition} when told to let go", owner.name));
        }
    }
}

impl fmt::Display for Ownership {
    /// All that the handlers were told, with each one's partitions of a kind in one line.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let record = self.record();
        for events in record.history.chunk_by(|(_, a), (_, b)| a == b) {
            let partitions: Vec<_> = events.iter().map(|(partition, _)| partition).collect();
            writeln!(f, "  {}: {partitions:?}", events[0].1)?;
        }
        record.faults.iter().try_for_each(|fault| writeln!(f, "  WRONG: {fault}"))
    }
}

//! Handlers for tests.

use isolated_nats::{WaitError, eventually};
use partition_workers::{Grant, Handler, Partition};
use tokio::sync::watch;

use super::{LIMIT, Ownership};

/// Tells the checker what it is told.
pub struct Recorder {
    ownership: Ownership,
    owner: usize,
    at_assigned: Gate,
    at_revoked: Gate,
    renewals: watch::Sender<u64>,
}

impl Recorder {
    pub fn new(ownership: &Ownership, name: &str) -> Self {
        Self {
            ownership: ownership.clone(),
            owner: ownership.enter(name),
            at_assigned: Gate::open_already(),
            at_revoked: Gate::open_already(),
            renewals: watch::Sender::new(0),
        }
    }

    /// Lets `assigned` return only when the gate is open.
    pub fn waits_when_assigned(mut self, gate: &Gate) -> Self {
        self.at_assigned = gate.clone();
        self
    }

    /// Lets `revoked` return only when the gate is open.
    pub fn waits_when_revoked(mut self, gate: &Gate) -> Self {
        self.at_revoked = gate.clone();
        self
    }

    /// Returns how often the lease was renewed, now and later.
    pub fn renewals(&self) -> watch::Receiver<u64> {
        self.renewals.subscribe()
    }
}

impl Handler for Recorder {
    async fn assigned(&self, grant: Grant) {
        self.ownership.assigned(self.owner, &grant.partitions, grant.fence, grant.holdings);
        self.at_assigned.pass().await;
    }

    async fn revoked(&self, partitions: &[Partition]) {
        self.ownership.revoked(self.owner, partitions);
        self.at_revoked.pass().await;
        self.ownership.has_let_go(self.owner, partitions);
    }

    fn renewed(&self) {
        self.renewals.send_modify(|count| *count += 1);
    }
}

/// A handler with a mistake in it.
#[derive(PartialEq)]
pub enum Panics {
    WhenAssigned,
    WhenRevoked,
}

impl Handler for Panics {
    async fn assigned(&self, _: Grant) {
        assert!(*self != Self::WhenAssigned, "a mistake in `assigned`");
    }

    async fn revoked(&self, _: &[Partition]) {
        assert!(*self != Self::WhenRevoked, "a mistake in `revoked`");
    }
}

/// Where a handler waits until the test lets it go on. A handle.
#[derive(Clone)]
pub struct Gate(watch::Sender<(bool, bool)>);

impl Gate {
    pub fn closed() -> Self {
        Self(watch::Sender::new((false, false)))
    }

    fn open_already() -> Self {
        Self(watch::Sender::new((false, true)))
    }

    async fn pass(&self) {
        self.0.send_modify(|(reached, _)| *reached = true);
        // Cannot fail: the sender is `self`'s.
        let _ = self.0.subscribe().wait_for(|(_, open)| *open).await;
    }

    /// Waits until a handler stands before it.
    pub async fn reached(&self) -> Result<(), WaitError> {
        let reached = async || if self.0.borrow().0 { Ok(()) } else { Err("no handler has come") };
        eventually("a handler at the gate", LIMIT, reached).await
    }

    /// Lets the handler go on, and all after it.
    pub fn open(&self) {
        self.0.send_modify(|(_, open)| *open = true);
    }
}
